package payterm_test

import (
	"encoding/json"
	"slices"
	"testing"

	"payterm"
)

func TestChannelSet(t *testing.T) {
	for _, c := range []struct {
		text  string // as it is read
		want  []payterm.Channel
		wrote string
	}{
		{`["ALIPAY","UNIONPAY"]`, []payterm.Channel{payterm.Alipay, payterm.UnionPay}, `["ALIPAY","UNIONPAY"]`},
		{`["UNIONPAY","ALIPAY"]`, []payterm.Channel{payterm.Alipay, payterm.UnionPay}, `["ALIPAY","UNIONPAY"]`},
		{`[]`, nil, `[]`},
		{`[false,true,false]`, []payterm.Channel{payterm.WeChatPay}, `["WECHATPAY"]`},
		{`[true,true,true]`, payterm.Channels, `["ALIPAY","WECHATPAY","UNIONPAY"]`},
	} {
		var s payterm.ChannelSet
		if err := json.Unmarshal([]byte(c.text), &s); err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		wrote, err := json.Marshal(s)
		if err != nil || !slices.Equal(s.List(), c.want) || string(wrote) != c.wrote {
			t.Errorf("%s: %v, written as %s (%v)", c.text, s.List(), wrote, err)
		}
	}
	for _, text := range []string{`["CASH"]`, `[true,true,true,true]`, `7`, `{"a":1}`, `[1]`} {
		s := payterm.ChannelSetOf(payterm.Alipay)
		if err := json.Unmarshal([]byte(text), &s); err == nil || s != payterm.ChannelSetOf(payterm.Alipay) {
			t.Errorf("%s is read as %v", text, s.List())
		}
	}
	two := payterm.ChannelSetOf(payterm.WeChatPay, payterm.Alipay, "CASH")
	if !two.Takes(payterm.Alipay) || two.Takes(payterm.UnionPay) || !two.Takes("") ||
		!payterm.ChannelSet(0).Takes(payterm.UnionPay) || two.Takes("CASH") {
		t.Errorf("%v takes what it should not, or does not what it should", two.List())
	}
}

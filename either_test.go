package payterm_test

import (
	"testing"

	"payterm"
)

func TestEither(t *testing.T) {
	for _, c := range []struct {
		words []string
		want  string
	}{
		{nil, ""},
		{[]string{"us"}, "us"},
		{[]string{"us", "uk"}, "us or uk"},
		{[]string{"us", "uk", "fr"}, "us, uk or fr"},
	} {
		if got := payterm.Either(c.words...); got != c.want {
			t.Errorf("%q: %q, want %q", c.words, got, c.want)
		}
	}
	if got := payterm.Either(payterm.Channels...); got != "ALIPAY, WECHATPAY or UNIONPAY" {
		t.Errorf("the channels: %q", got)
	}
}

package ottpay_test

import (
	"context"
	"crypto/aes"
	"crypto/md5"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"payterm"
)

// unbelievable returns replies that must not make a payment of 12.34 paid. The first word of a name is its
// class.
func unbelievable() map[string]string {
	const id = wireOrder
	good := paidBody()
	var outer map[string]string
	if err := json.Unmarshal([]byte(good), &outer); err != nil {
		panic(err)
	}
	with := func(field, value string) string {
		changed := map[string]string{}
		for k, v := range outer {
			changed[k] = v
		}
		changed[field] = value
		return mustJSON(changed)
	}
	success := func(plain, joined string) string { return envelope("SUCCESS", plain, joined, signKey) }
	all := map[string]string{
		"digest of other values": success(`{"order_id":"`+id+`","order_status":"success","total_amount":"1234"}`,
			id+"notpay1234"),
		"digest missing":       with("md5", ""),
		"digest in lower case": with("md5", strings.ToLower(outer["md5"])), // gives another AES key
		"digest in another order": success(
			`{"order_id":"`+id+`","order_status":"success","total_amount":"1234"}`, "success"+id+"1234"),
		"key of somebody else": envelope("SUCCESS", `{"order_id":"`+id+
			`","order_status":"success","total_amount":"1234"}`, id+"success1234", "FEDCBA9876543210"),
		"order of somebody": success(`{"order_id":"T1WIRES000002","order_status":"success","total_amount":"1234"}`,
			"T1WIRES000002success1234"),
		"order missing": success(`{"order_status":"success","total_amount":"1234"}`, "success1234"),
		"order null": success(`{"order_id":null,"order_status":"success","total_amount":"1234"}`,
			"nullsuccess1234"),
		"order in a list": success(`{"order_id":["`+id+`"],"order_status":"success","total_amount":"1234"}`,
			"["+id+"]success1234"),
		"order under a name in capitals": success(`{"ORDER_ID":"`+id+
			`","order_id":"T1WIRES000002","order_status":"success","total_amount":"1234"}`,
			id+"T1WIRES000002success1234"),
		"merchant of somebody": success(`{"merchant_id":"ON99999999","order_id":"`+id+
			`","order_status":"success","total_amount":"1234"}`, "ON99999999"+id+"success1234"),
		"amount less": success(`{"order_id":"`+id+`","order_status":"success","total_amount":"1233"}`,
			id+"success1233"),
		"amount more": success(`{"order_id":"`+id+`","order_status":"success","total_amount":"1235"}`,
			id+"success1235"),
		"amount missing": success(`{"order_id":"`+id+`","order_status":"success"}`, id+"success"),
		"amount with a fraction": success(`{"order_id":"`+id+`","order_status":"success","total_amount":1234.5}`,
			id+"success1234.5"),
		"amount with a point": success(`{"order_id":"`+id+`","order_status":"success","total_amount":"1234.0"}`,
			id+"success1234.0"),
		"amount with exponent": success(`{"order_id":"`+id+`","order_status":"success","total_amount":1.234e3}`,
			id+"success1234.0"),
		"amount with a sign": success(`{"order_id":"`+id+`","order_status":"success","total_amount":"+1234"}`,
			id+"success+1234"),
		"amount wider than all": success(`{"order_id":"`+id+
			`","order_status":"success","total_amount":"18446744073709552850"}`, id+"success18446744073709552850"),
		"amount gone back": success(`{"order_id":"`+id+
			`","order_status":"success","refund_fee":"1","total_amount":"1234"}`, id+"success11234"),
		"twice the status": success(`{"order_id":"`+id+
			`","order_status":"failure","order_status":"success","total_amount":"1234"}`, id+"success1234"),
		"twice the order": success(`{"order_id":"T1WIRES000002","order_id":"`+id+
			`","order_status":"success","total_amount":"1234"}`, id+"success1234"),
		"twice the data": strings.Replace(good, `{`, `{"data":"eA==",`, 1),
		"status outside": `{"rsp_code":"SUCCESS","order_id":"` + id +
			`","order_status":"success","total_amount":"1234"}`,
		"status in capitals": success(`{"order_id":"`+id+`","ORDER_STATUS":"success","total_amount":"1234"}`,
			"success"+id+"1234"),
		"status of another product": success(`{"order_id":"`+id+`","order_status":"captured","total_amount":"1234"}`,
			id+"captured1234"),
		"status authfinish": success(`{"order_id":"`+id+`","order_status":"authfinish","total_amount":"1234"}`,
			id+"authfinish1234"),
		"status as true": success(`{"order_id":"`+id+`","order_status":true,"total_amount":"1234"}`,
			id+"true1234"),
		"echo of our request": success(`{"order_id":"`+id+
			`","amount":"1234","biz_type":"ALIPAY","auth_code":"281234567890123456"}`, "1234"+"281234567890123456"+
			"ALIPAY"+id),
		"code without data": `{"rsp_code":"SUCCESS"}`,
		"code twice":        strings.Replace(good, `{`, `{"rsp_code":"FAIL",`, 1),
		"code used":         strings.Replace(good, "SUCCESS", "ORDER_USED", 1),
		"code paid":         strings.Replace(good, "SUCCESS", "ORDER_PAID", 1),
		"behind the object": good + `{"rsp_code":"FAIL"}`,
	}
	// Each bit of the first characters of digest and data flipped: none is a valid reply.
	for _, field := range []string{"md5", "data"} {
		for at := range outer[field] {
			b := []byte(outer[field])
			b[at] ^= 1
			all[fmt.Sprintf("%s with byte %d changed", map[string]string{"md5": "digest", "data": "cipher"}[field],
				at)] = with(field, string(b))
		}
	}
	return all
}

// credulous returns the classes of replies that a reader took for a payment.
func credulous(pay func(body string) payterm.Answer) map[string]int {
	classes := map[string]int{}
	for name, body := range unbelievable() {
		if _, paid := pay(body).(payterm.Paid); paid {
			class, _, _ := strings.Cut(name, " ")
			classes[class]++
		}
	}
	return classes
}

// TestBelievesNothing sends each of these replies to a payment and an inquiry.
func TestBelievesNothing(t *testing.T) {
	t.Parallel()
	var body string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, body) //nolint:errcheck // the client may have closed
	}))
	defer s.Close()
	c, p := client(t, s.URL, nil), wirePayment()
	pay := func(b string) payterm.Answer { body = b; return c.Pay(context.Background(), p) }
	inquire := func(b string) payterm.Answer {
		body = b
		return c.Inquire(context.Background(), payterm.Inquiry{OrderID: p.OrderID, Total: p.Total})
	}
	if _, paid := pay(paidBody()).(payterm.Paid); !paid {
		t.Fatal("the body that all of these are made from is not paid either")
	}
	if got := credulous(pay); len(got) > 0 {
		t.Errorf("payment: paid by %v", got)
	}
	got := credulous(inquire)
	delete(got, "code")    // for an inquiry an authentic status decides, whatever the outer code
	if got["order"] != 2 { // one without the order id, one with null; both have exactly the amount
		t.Errorf("inquiry: paid by %d replies that name no order", got["order"])
	}
	delete(got, "order")
	if len(got) > 0 {
		t.Errorf("inquiry: paid by %v", got)
	}
}

// reader returns a reader of replies that omits one check.
func reader(without string) func(string) payterm.Answer {
	return func(body string) payterm.Answer {
		var outer struct {
			Code string `json:"rsp_code"`
			Data []byte
			MD5  string
		}
		if err := json.Unmarshal([]byte(body), &outer); err != nil || outer.Code != "SUCCESS" {
			return payterm.Lost{}
		}
		inner, err := decrypted(outer.Data, outer.MD5)
		if err != nil {
			return payterm.Lost{}
		}
		joined := ""
		for _, name := range []string{"ORDER_STATUS", "merchant_id", "order_id", "order_status", "refund_fee",
			"total_amount"} {
			joined += inner[name]
		}
		switch {
		case without != "digest" && fmt.Sprintf("%X", md5.Sum([]byte(joined))) != outer.MD5,
			without != "order" && inner["order_id"] != wireOrder,
			without != "merchant" && inner["merchant_id"] != "" && inner["merchant_id"] != merchant,
			without != "amount" && inner["total_amount"] != "1234", inner["order_status"] != "success":
			return payterm.Lost{}
		}
		return payterm.Paid{}
	}
}

func decrypted(data []byte, sum string) (map[string]string, error) {
	block, err := aes.NewCipher([]byte(fmt.Sprintf("%X", md5.Sum([]byte(sum+signKey)))[8:24]))
	if err != nil || len(data) == 0 || len(data)%16 != 0 {
		return nil, errors.New("no blocks")
	}
	for at := 0; at < len(data); at += 16 {
		block.Decrypt(data[at:], data[at:])
	}
	if pad := int(data[len(data)-1]); pad < len(data) {
		data = data[:len(data)-pad]
	}
	var inner map[string]string
	err = json.Unmarshal(data, &inner)
	return inner, err
}

// TestBelievesCatches plants readers that omit a check, and one that uses encoding/json, which takes the last
// of two equal keys.
func TestBelievesCatches(t *testing.T) {
	t.Parallel()
	for _, without := range []string{"digest", "order", "merchant", "amount"} {
		if got := credulous(reader(without)); got[without] == 0 {
			t.Errorf("a reader without its check of the %s was not caught: %v", without, got)
		}
	}
	got := credulous(reader("nothing"))
	if got["twice"] == 0 {
		t.Errorf("the reader that takes the last of two keys was not caught: %v", got)
	}
	if got["digest"]+got["order"]+got["merchant"] > 0 {
		t.Errorf("caught for what it does check: %v", got)
	}
}

// TestRefunded: which amounts of a refunded order are accepted.
func TestRefunded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status, total, back string
		want                payterm.Answer
	}{
		{"partial_refunded", "1234", "34", payterm.Refunded{PaidMinor: 1234, RefundedMinor: 34,
			Status: "partial_refunded"}},
		{"fully_refunded", "1234", "1234", payterm.Refunded{PaidMinor: 1234, RefundedMinor: 1234,
			Status: "fully_refunded"}},
		{"success", "1234", "34", payterm.Refunded{PaidMinor: 1234, RefundedMinor: 34, Status: "success"}},
		{"fully_refunded", "", "", payterm.Refunded{Status: "fully_refunded"}},
		{"partial_refunded", "1234", "1235", nil},
		{"partial_refunded", "1234", "-1", nil},
		{"partial_refunded", "12.34", "1", nil},
		{"success", "1234", "1.5", nil},
		{"success", "1234", "1235", nil},
	} {
		body := envelope("SUCCESS", `{"order_id":"`+wireOrder+`","order_status":"`+c.status+`","refund_fee":"`+c.back+
			`","total_amount":"`+c.total+`"}`,
			wireOrder+c.status+c.back+c.total, signKey)
		w := newWire(t, func(p plug) { p.request(); p.say(http200(body)) })
		a := client(t, w.url(), nil).Inquire(context.Background(), payterm.Inquiry{OrderID: wireOrder,
			Total: wirePayment().Total})
		if c.want != nil {
			if a != c.want {
				t.Errorf("%+v, want %+v", a, c.want)
			}
		} else if u, ok := a.(payterm.Unclear); !ok || !u.Alarm || !u.Authentic {
			t.Errorf("%s %s of %s: %+v, want an alarm", c.status, c.back, c.total, a)
		}
	}
}

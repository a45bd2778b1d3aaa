package ottpay_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"payterm"
	"payterm/gateway/ottpay"
)

// says starts a gateway that answers every request with one body.
func says(t *testing.T) (*ottpay.Client, func(body string)) {
	var body atomic.Pointer[string]
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter,
		_ *http.Request) {
		fmt.Fprint(w, *body.Load())
	}))
	t.Cleanup(s.Close)
	return client(t, s.URL, nil), func(b string) { body.Store(&b) }
}

// TestRepliesWithGaps: in the reply to an inquiry only order_status is marked as required. A reply without an
// order id counts only with the equal amount. A reply without an amount never makes a payment.
func TestRepliesWithGaps(t *testing.T) {
	t.Parallel()
	c, say := says(t)
	const id, q = wireOrder, `"`
	field := func(name, literal string) string {
		if literal == "" {
			return ""
		}
		return q + name + q + ":" + literal + ","
	}
	total := payterm.Amount{Minor: 1234, Currency: "CAD"}
	for _, one := range []struct {
		order, status, total, back string // JSON literals, empty for none; total as text
		want                       payterm.Answer
	}{
		{"", "success", "1234", "", payterm.Paid{PaidMinor: 1234, Status: "success"}},
		{"null", "success", "1234", "", payterm.Paid{PaidMinor: 1234, Status: "success"}},
		{`""`, "success", "1234", "", payterm.Paid{PaidMinor: 1234, Status: "success"}},
		{"", "notpay", "1234", "", payterm.Pending{Status: "notpay"}},
		{"", "failure", "1234", "", payterm.Failed{Status: "failure"}},
		{"", "partial_refunded", "1234", "34", payterm.Refunded{PaidMinor: 1234, RefundedMinor: 34,
			Status: "partial_refunded"}},
		// Without the id the amount must be exactly equal; the total with a fee does not count.
		{"", "success", "1244", "", payterm.Unclear{Authentic: true, Alarm: true}},
		{"", "failure", "1233", "", payterm.Unclear{Authentic: true, Alarm: true}},
		{"", "notpay", "1233", "", payterm.Unclear{Authentic: true, Alarm: true}},
		{"", "notpay", "", "", payterm.Unclear{Authentic: true}},
		{"", "failure", "", "", payterm.Unclear{Authentic: true}},
		{"", "success", "", "", payterm.Unclear{Authentic: true, Alarm: true}},
		{"", "fully_refunded", "", "1234", payterm.Unclear{Authentic: true, Alarm: true}},
		// With the id, a missing amount leaves the other statuses valid, but does not make a payment.
		{`"` + id + `"`, "success", "", "", payterm.Unclear{Status: "success", Authentic: true, Alarm: true,
			Paid: true}},
		{`"` + id + `"`, "notpay", "", "", payterm.Pending{Status: "notpay"}},
		{`"` + id + `"`, "failure", "", "", payterm.Failed{Status: "failure"}},
		// The fee that the merchant allows.
		{`"` + id + `"`, "success", "1244", "", payterm.Paid{PaidMinor: 1244, Status: "success"}},
		{`"T1WIRES000002"`, "success", "1234", "", payterm.Lost{Alarm: true}},
		{`1`, "success", "1234", "", payterm.Lost{Alarm: true}},
	} {
		text := func(s string) string {
			if s == "" {
				return ""
			}
			return q + s + q
		}
		plain := "{" + field("order_id", one.order) + field("refund_fee", text(one.back)) +
			field("total_amount", text(one.total)) + field("order_status", text(one.status))
		joined := strings.Trim(one.order, q)
		if joined == "1" {
			joined = "1.0"
		}
		say(envelope("SUCCESS", strings.TrimSuffix(plain, ",")+"}", joined+one.status+one.back+one.total, signKey))
		got := c.Inquire(context.Background(), payterm.Inquiry{OrderID: id, Total: total, MaxFeeMinor: 10})
		if because(got) != one.want {
			t.Errorf("%s: %+v, want %+v", plain, got, one.want)
		}
	}
	// Sections 3.2 and 4.2 mark the order id as required.
	say(envelope("SUCCESS", `{"order_status":"success","total_amount":"1234"}`, "success1234", signKey))
	if got := c.Pay(context.Background(), wirePayment()); because(got) != payterm.Answer(payterm.Lost{Alarm: true}) {
		t.Errorf("a payment: %+v", got)
	}
}

// because returns an answer without its reason in words.
func because(a payterm.Answer) payterm.Answer {
	switch a := a.(type) {
	case payterm.Unclear:
		a.Why = ""
		return a
	case payterm.Lost:
		a.Why = ""
		return a
	default:
		return a
	}
}

// TestDoubles: the gateway's own code may write an amount as a double. With a zero fraction it is the integer.
// Everything else is no amount, also one with an exponent, which no sheet mentions.
func TestDoubles(t *testing.T) {
	t.Parallel()
	c, say := says(t)
	for literal, want := range map[string]int64{
		"1250": 1250, "1250.0": 1250, "1250.00": 1250, "1250.000000": 1250, `"1250"`: 1250,
		"1250.5": 0, "1250.01": 0, "12.50": 0, "1250.0000000000000000001": 0, "1.25e3": 0, "1.25E3": 0, "-1250.0": 0,
		`"1250.0"`: 0, `"1250.00"`: 0, `"1250."`: 0, `" 1250"`: 0, "null": 0, "true": 0, "[1250.0]": 0,
	} {
		joined := literal // one of the forms of the digest
		switch {
		case literal[0] == '"':
			joined = strings.Trim(literal, `"`)
		case literal == "1250":
			joined = "1250.0"
		}
		say(envelope("SUCCESS", `{"order_id":"`+wireOrder+`","order_status":"success","total_amount":`+literal+`}`,
			wireOrder+"success"+joined, signKey))
		got := c.Inquire(context.Background(), payterm.Inquiry{OrderID: wireOrder,
			Total: payterm.Amount{Minor: 1250, Currency: "CAD"}})
		if a, paid := got.(payterm.Paid); paid != (want != 0) || a.PaidMinor != want {
			t.Errorf("total_amount %s: %+v", literal, got)
		}
		say(envelope("SUCCESS", `{"order_id":"`+wireOrder+`","order_status":"partial_refunded","refund_fee":`+literal+
			`,"total_amount":"9900"}`,
			wireOrder+"partial_refunded"+joined+"9900", signKey))
		got = c.Inquire(context.Background(), payterm.Inquiry{OrderID: wireOrder,
			Total: payterm.Amount{Minor: 9900, Currency: "CAD"}})
		if a, back := got.(payterm.Refunded); want != 0 && (!back || a.RefundedMinor != want) || want == 0 && back &&
			a.RefundedMinor != 0 {
			t.Errorf("refund_fee %s: %+v", literal, got)
		}
		body := envelope("SUCCESS", `{"order_id":"`+wireOrder+`","amount":`+literal+`}`, joined+wireOrder, signKey)
		if cb, err := c.DecodeCallback([]byte(body)); (err == nil) != (want != 0) || cb.AmountMinor != want {
			t.Errorf("a callback's amount %s: %+v, %v", literal, cb, err)
		}
		say(envelope("SUCCESS", `{"feeType":"CAD","rate":`+literal+`}`, "CAD"+joined, signKey))
		if rate, err := c.ExchangeRate(context.Background(), "CAD"); (err == nil) != (want != 0) || rate.CNY != want {
			t.Errorf("rate %s: %+v, %v", literal, rate, err)
		}
	}
}

// TestWordsOfInquiry: which outer codes mean that the order does not exist. No sheet names one, so only the
// exact words count; any other code decides nothing.
func TestWordsOfInquiry(t *testing.T) {
	t.Parallel()
	c, say := says(t)
	none := payterm.NotFound{}
	word, trouble := payterm.Unclear{Unknown: true}, payterm.Unclear{}
	for code, want := range map[string]payterm.Answer{
		"ORDER_NOT_EXIST": none, "ORDERNOTEXIST": none, "ORDER_NOT_FOUND": none, "TRADE_NOT_EXIST": none,
		"TRANSACTION_NOT_FOUND": none,
		"TOO_MANY_REQUESTS":     word, "RATE_LIMITED": word, "FREQUENCY_LIMITED": word, "BUSY": word, "FAIL": word,
		"UNAUTHORIZED":       word,
		"MERCHANT_NOT_EXIST": word, "NOT_FOUND": word, "ORDER_NOT_EXIST_YET": word, "10200": word,
		"AUTH_CODE_INVALID": word, "PWD_INCORRECT": word,
		"SYSTEM_ERROR": trouble, "DB_ERROR": trouble, "TIMEOUT": trouble, "PARAM_INVALID": trouble,
		"ORDER_USED": trouble, "ORDER_TYPE_ERROR": trouble,
		"PROCESSING": payterm.Pending{},
	} {
		say(mustJSON(map[string]string{"rsp_code": code}))
		got := c.Inquire(context.Background(), payterm.Inquiry{OrderID: wireOrder, Total: wirePayment().Total})
		if a, is := got.(payterm.NotFound); is {
			a.Why = ""
			got = a
		}
		if because(got) != want {
			t.Errorf("%s: %+v, want %+v", code, got, want)
		}
	}
}

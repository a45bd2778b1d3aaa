package ottpay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/gateway/ottpay"
	"payterm/gateway/ottsim"
)

const signKey = "0123456789ABCDEF"

type bench struct {
	*httptest.Server
	client *ottpay.Client
	next   int
}

func newBench(t *testing.T) *bench {
	sim := ottsim.New(ottsim.Config{MerchantID: "ON00000000", SignKey: signKey, Seed: 1})
	srv := httptest.NewServer(sim)
	t.Cleanup(srv.Close)
	sim.SetBaseURL(srv.URL)
	c, err := ottpay.New(ottpay.Config{
		URL: srv.URL + "/processV2", MerchantID: "ON00000000", OperatorID: "0000000696", SignKey: signKey,
		CallBackURL: "https://example.com/cb", Now: time.Now, Timeout: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &bench{Server: srv, client: c}
}

func (b *bench) post(t *testing.T, path string, in, out any) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := b.Client().Post(b.URL+path, "application/json", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Fatalf("%s: HTTP %d", path, resp.StatusCode)
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) payment(t *testing.T, mode payterm.Mode, needsPassword bool) payterm.Payment {
	var w struct{ Code string }
	b.post(t, "/sim/wallets", map[string]any{"biz_type": "ALIPAY", "balance_minor": 5000, "needs_password": needsPassword}, &w)
	b.next++
	return payterm.Payment{
		OrderID: payterm.OrderID(fmt.Sprintf("T1TESTS%06d", b.next)), Mode: mode, Wallet: payterm.Alipay,
		Total: payterm.Amount{Minor: 1234, Currency: "CAD"}, Code: payterm.NewPayCode(w.Code),
	}
}

// TestFaults pairs each fault of the simulator with the only answer that may
// follow, for payments and inquiries alike, and sees to it that every payment
// was written once.
func TestFaults(t *testing.T) {
	for _, c := range []struct{ fault, pay, query string }{
		{"drop_before_apply", "lost", "lost"}, {"drop_after_apply", "lost", "lost"},
		{"delay", "lost", "lost"}, {"http_500", "lost", "lost"}, {"html_200", "lost", "lost"},
		{"redirect", "lost", "lost"}, {"empty", "lost", "lost"}, {"truncated", "lost", "lost"},
		{"slow_body", "lost", "lost"}, {"huge_body", "lost", "lost"}, {"base64_body", "paid", "paid"},
		{"bad_digest", "lost", "lost"}, {"wrong_key", "lost", "lost"}, {"wrong_order_id", "lost", "lost"},
		{"wrong_amount", "unclear", "unclear"}, {"duplicate_json_key", "lost", "lost"},
		{"code:AUTH_CODE_INVALID", "refused", "not_found"}, {"code:PWD_INCORRECT", "refused", "not_found"},
		{"code:PARAM_ERROR", "rejected", "unclear"}, {"code:ORDER_USED", "clash", "unclear"},
		{"code:ORDER_PAID", "clash", "unclear"}, {"code:FAIL", "unclear", "not_found"},
		{"code:SYSTEM_ERROR", "unclear", "unclear"}, {"code:PROCESSING", "pending", "pending"},
	} {
		t.Run(c.fault, func(t *testing.T) {
			b := newBench(t)
			fault := func(action string) {
				var out any
				b.post(t, "/sim/faults", map[string]any{"action": action, "fault": c.fault, "ms": 3000}, &out)
			}
			p := b.payment(t, payterm.Passive, false)
			fault("PASSIVEPAY")
			if got := payterm.AnswerName(b.client.Pay(context.Background(), p)); got != c.pay {
				t.Errorf("payment: %s, want %s", got, c.pay)
			}
			resp, err := b.Client().Get(b.URL + "/sim/orders/" + string(p.OrderID))
			if err != nil {
				t.Fatal(err)
			}
			var o struct {
				Requests []struct{ Action string }
			}
			if err := json.NewDecoder(resp.Body).Decode(&o); err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if len(o.Requests) != 1 || o.Requests[0].Action != "PASSIVEPAY" {
				t.Errorf("the gateway saw %v, one payment is right", o.Requests)
			}
			q := b.payment(t, payterm.Passive, false)
			if got := payterm.AnswerName(b.client.Pay(context.Background(), q)); got != "paid" {
				t.Fatalf("payment without a fault: %s", got)
			}
			fault("STATUS_QUERY")
			inquiry := payterm.Inquiry{OrderID: q.OrderID, Total: q.Total}
			if got := payterm.AnswerName(b.client.Inquire(context.Background(), inquiry)); got != c.query {
				t.Errorf("inquiry: %s, want %s", got, c.query)
			}
			if got := payterm.AnswerName(b.client.Inquire(context.Background(), inquiry)); got != "paid" {
				t.Errorf("inquiry after the fault: %s", got)
			}
		})
	}
}

func TestModes(t *testing.T) {
	b := newBench(t)
	ctx := context.Background()
	active := b.payment(t, payterm.Active, false)
	code, ok := b.client.Pay(ctx, active).(payterm.CodeMade)
	if !ok || code.CodeURL != b.URL+"/pay/"+string(active.OrderID) {
		t.Fatalf("code %+v", code)
	}
	inquiry := payterm.Inquiry{OrderID: active.OrderID, Total: active.Total}
	if got := payterm.AnswerName(b.client.Inquire(ctx, inquiry)); got != "pending" {
		t.Errorf("unpaid: %s", got)
	}
	var out any
	b.post(t, "/sim/orders/"+string(active.OrderID)+"/pay", nil, &out)
	if paid, ok := b.client.Inquire(ctx, inquiry).(payterm.Paid); !ok || paid.PaidMinor != 1234 || paid.TradeClock == 0 {
		t.Errorf("paid: %+v", paid)
	}
	refund := payterm.RefundRequest{OrderID: "R1TESTS000001", SaleOrderID: active.OrderID, Amount: payterm.Amount{Minor: 234, Currency: "CAD"}}
	if got := payterm.AnswerName(b.client.Refund(ctx, refund)); got != "pending" {
		t.Errorf("refund: %s", got)
	}
	if r, ok := b.client.Inquire(ctx, inquiry).(payterm.Refunded); !ok || r.RefundedMinor != 234 {
		t.Errorf("refunded: %+v", r)
	}
	password := b.payment(t, payterm.Passive, true)
	if got := payterm.AnswerName(b.client.Pay(ctx, password)); got != "pending" {
		t.Errorf("password wallet: %s", got)
	}
	used := b.payment(t, payterm.Passive, false)
	used.Code = password.Code
	if got := payterm.AnswerName(b.client.Pay(ctx, used)); got != "refused" {
		t.Errorf("used code: %s", got)
	}
	if rate, err := b.client.ExchangeRate(ctx, "CAD"); err != nil || rate.CNY != 524740000 {
		t.Errorf("rate %+v %v", rate, err)
	}
	b.Close()
	if got := payterm.AnswerName(b.client.Pay(ctx, password)); got != "unsent" {
		t.Errorf("no gateway: %s", got)
	}
}

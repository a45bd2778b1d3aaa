package ottpay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"payterm"
	"payterm/gateway/ottpay"
	"payterm/gateway/ottsim"
)

const signKey = "0123456789ABCDEF"

type bench struct {
	*httptest.Server
	client  *ottpay.Client
	next    int
	arrived atomic.Pointer[func()] // called once, for the next request
}

func newBench(t *testing.T) *bench {
	sim := ottsim.New(ottsim.Config{MerchantID: "ON00000000", SignKey: signKey, Seed: 1})
	b := new(bench)
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if told := b.arrived.Swap(nil); told != nil {
			(*told)()
		}
		sim.ServeHTTP(w, r)
	}))
	t.Cleanup(b.Server.Close)
	sim.SetBaseURL(b.URL)
	b.client = client(t, b.URL+"/processV2", nil)
	return b
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
	b.post(t, "/sim/wallets", map[string]any{"biz_type": "ALIPAY", "balance_minor": 5000,
		"needs_password": needsPassword}, &w)
	b.next++
	return payterm.Payment{
		OrderID: payterm.OrderID(fmt.Sprintf("T1TESTS%06d", b.next)), Mode: mode, Wallet: payterm.Alipay,
		Total: payterm.Amount{Minor: 1234, Currency: "CAD"}, Code: payterm.NewPayCode(w.Code),
	}
}

// entry is an order in the simulator's records.
type entry struct {
	Status   string
	Refunded int64 `json:"refunded_minor"`
	Requests []struct{ Action string }
}

func (b *bench) ledger(t *testing.T, id payterm.OrderID) entry {
	t.Helper()
	resp, err := b.Client().Get(b.URL + "/sim/orders/" + string(id))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var e entry
	if err := json.NewDecoder(resp.Body).Decode(&e); err != nil {
		t.Fatal(err)
	}
	return e
}

// TestFaults gives, for each fault of the simulator and each action, the only answer that may follow, and
// checks that what moves money was written once.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ fault, active, passive, query, refund, rate string }{
		{"drop_before_apply", "lost", "lost", "lost", "lost", "closed"},
		{"drop_after_apply", "lost", "lost", "lost", "lost", "closed"},
		{"delay", "lost", "lost", "lost", "lost", "given up"},
		{"http_500", "lost", "lost", "lost", "lost", "HTTP 500"},
		{"html_200", "lost", "lost", "lost", "lost", "neither JSON nor Base64"},
		{"redirect", "lost!", "lost!", "lost!", "lost!", "redirect"},
		{"empty", "lost", "lost", "lost", "lost", "empty"},
		{"truncated", "lost", "lost", "lost", "lost", "closed"},
		{"slow_body", "lost", "lost", "lost", "lost", "given up"},
		{"huge_body", "lost", "lost", "lost", "lost", "larger than"},
		{"base64_body", "code_made", "paid", "paid", "pending", ""},
		{"bad_digest", "lost!", "lost!", "lost!", "lost!", "digest does not fit"},
		{"wrong_key", "lost!", "lost!", "lost!", "lost!", "not authentic"},
		{"wrong_order_id", "lost!", "lost!", "lost!", "lost!", ""}, // the reply to a rate has no order id
		{"wrong_amount", "code_made", "unclear!", "unclear!", "pending", ""},
		{"duplicate_json_key", "lost!", "lost!", "lost!", "lost!", "a key occurs twice"},
		{"no_order_id", "lost!", "lost!", "paid", "pending", ""}, // the reply to an inquiry may lack it
		{"no_amount", "code_made", "unclear!", "unclear!", "pending", ""},
		{"double_amount", "code_made", "paid", "paid", "pending", ""},
		{"code:AUTH_CODE_INVALID", "refused", "refused", "unclear", "unclear", "AUTH_CODE_INVALID"},
		{"code:PWD_INCORRECT", "refused", "refused", "unclear", "unclear", "PWD_INCORRECT"},
		{"code:PARAM_ERROR", "rejected", "rejected", "unclear", "rejected", "PARAM_ERROR"},
		{"code:PARAM_INVALID", "rejected", "rejected", "unclear", "rejected", "PARAM_INVALID"},
		{"code:ORDER_USED", "clash", "clash", "unclear", "clash", "ORDER_USED"},
		{"code:ORDER_PAID", "clash", "clash", "unclear", "clash", "ORDER_PAID"},
		{"code:FAIL", "unclear", "unclear", "unclear", "unclear", "FAIL"},
		{"code:ORDER_NOT_EXIST", "unclear", "unclear", "not_found", "unclear", "ORDER_NOT_EXIST"},
		{"code:TOO_MANY_REQUESTS", "unclear", "unclear", "unclear", "unclear", "TOO_MANY_REQUESTS"},
		{"code:TIMEOUT", "unclear", "unclear", "unclear", "unclear", "TIMEOUT"},
		{"code:SYSTEM_ERROR", "unclear", "unclear", "unclear", "unclear", "SYSTEM_ERROR"},
		{"code:PROCESSING", "unclear", "pending", "pending", "pending", "PROCESSING"},
		{"code:SUCCESS", "unclear", "unclear", "unclear", "pending", "SUCCESS"},
	} {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			b, ctx := newBench(t), context.Background()
			// impatient cancels a request that has arrived and is not answered.
			impatient := func() context.Context {
				ctx, cancel := context.WithCancel(ctx)
				t.Cleanup(cancel)
				if c.fault == "delay" || c.fault == "slow_body" {
					arrived := func() { time.AfterFunc(50*time.Millisecond, cancel) }
					b.arrived.Store(&arrived)
				}
				return ctx
			}
			fault := func(action string) {
				var out any
				b.post(t, "/sim/faults", map[string]any{"action": action, "fault": c.fault, "ms": 30000}, &out)
			}
			once := func(id payterm.OrderID, action string) {
				n := 0
				for _, r := range b.ledger(t, id).Requests {
					if strings.HasPrefix(r.Action, action) {
						n++
					}
				}
				if n != 1 {
					t.Errorf("%s of %s arrived %d times", action, id, n)
				}
			}
			active, passive, sale := b.payment(t, payterm.Active, false), b.payment(t, payterm.Passive, false),
				b.payment(t, payterm.Passive, false)
			inquiry := payterm.Inquiry{OrderID: sale.OrderID, Total: sale.Total}

			fault("ACTIVEPAY")
			if got := named(b.client.Pay(impatient(), active)); got != c.active {
				t.Errorf("active: %s, want %s", got, c.active)
			}
			once(active.OrderID, "ACTIVEPAY")
			fault("PASSIVEPAY")
			if got := named(b.client.Pay(impatient(), passive)); got != c.passive {
				t.Errorf("passive: %s, want %s", got, c.passive)
			}
			once(passive.OrderID, "PASSIVEPAY")

			if got := named(b.client.Pay(ctx, sale)); got != "paid" {
				t.Fatalf("payment without a fault: %s", got)
			}
			fault("STATUS_QUERY")
			if got := named(b.client.Inquire(impatient(), inquiry)); got != c.query {
				t.Errorf("inquiry: %s, want %s", got, c.query)
			}
			if got := named(b.client.Inquire(ctx, inquiry)); got != "paid" {
				t.Errorf("inquiry after the fault: %s", got)
			}

			fault("REFUND")
			refund := payterm.RefundRequest{OrderID: "R1TESTS000001", SaleOrderID: sale.OrderID,
				Amount: payterm.Amount{Minor: 234, Currency: "CAD"}}
			if got := named(b.client.Refund(impatient(), refund)); got != c.refund {
				t.Errorf("refund: %s, want %s", got, c.refund)
			}
			once(refund.OrderID, "REFUND")
			// An inquiry shows what became of the refund, whatever was answered.
			back := b.ledger(t, sale.OrderID).Refunded
			switch a := b.client.Inquire(ctx, inquiry).(type) {
			case payterm.Paid:
				if back != 0 {
					t.Errorf("paid, and %d have gone back", back)
				}
			case payterm.Refunded:
				if back != 234 || a.RefundedMinor != back {
					t.Errorf("%d of %d refunded", a.RefundedMinor, back)
				}
			default:
				t.Errorf("inquiry after the refund: %+v", a)
			}

			fault("EX_RATE_QUERY")
			rate, err := b.client.ExchangeRate(impatient(), "CAD")
			if c.rate == "" && (err != nil || rate.CNY <= 0) || c.rate != "" &&
				(err == nil || !strings.Contains(err.Error(), c.rate)) {
				t.Errorf("rate: %+v %v, want %q", rate, err, c.rate)
			}
		})
	}
}

// named returns an answer's name, with "!" for an alarm.
func named(a payterm.Answer) string {
	name := payterm.AnswerName(a)
	switch a := a.(type) {
	case payterm.Lost:
		if a.Alarm {
			return name + "!"
		}
	case payterm.Unclear:
		if a.Alarm {
			return name + "!"
		}
	}
	return name
}

func TestModes(t *testing.T) {
	t.Parallel()
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
	if paid, ok := b.client.Inquire(ctx, inquiry).(payterm.Paid); !ok || paid.PaidMinor != 1234 ||
		paid.TradeClock == 0 {
		t.Errorf("paid: %+v", paid)
	}
	refund := payterm.RefundRequest{OrderID: "R1TESTS000001", SaleOrderID: active.OrderID,
		Amount: payterm.Amount{Minor: 234, Currency: "CAD"}}
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

package runner

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
	"payterm/storage"
)

// till is a caller on the socket and the result that it got.
type till struct {
	saleCall
	err error
}

func newTill() *till {
	return &till{saleCall: newCall(context.Background())}
}

func (w *world) asks(sale order.SaleBegan) *till {
	t := newTill()
	sale.Currency = "CAD"
	t.err = w.r.askSale(sale, t.saleCall)
	return t
}

func (w *world) asksBack(refund order.RefundBegan) *till {
	t := newTill()
	t.err = w.r.askRefund(refund, t.saleCall)
	return t
}

// heard is the result that a till got, or that it waits.
func (t *till) heard() string {
	select {
	case res := <-t.result:
		t.result <- res
		if !res.Began {
			return string(payterm.NotSent) + " " + string(res.Reason)
		}
		return string(res.Order.Outcome) + " " + string(res.Order.ID)
	default:
	}
	if errors.Is(t.err, ErrKeyReused) {
		return "key reused"
	}
	if t.err != nil {
		return t.err.Error()
	}
	return "waits"
}

// supervised is a counter with a supervisor's PIN.
func supervised(t *testing.T, answers ...payterm.Answer) *world {
	w := &world{t: t, path: filepath.Join(t.TempDir(), "payterm.db"), answers: answers, now: time.Second}
	w.alter = func(c *Config) {
		c.Settings.PINSet = true
		c.PIN = func(_ string, pin counter.PIN) (counter.Operator, bool) {
			return counter.Operator{Number: payterm.SharedSupervisor, Supervisor: true}, pin == "4711"
		}
	}
	w.boot()
	t.Cleanup(func() { w.store.Close() })
	return w
}

func passive(minor int64, key string) order.SaleBegan {
	return order.SaleBegan{Mode: payterm.Passive, AmountMinor: minor, IdempotencyKey: key}
}

// TestKeyAtAPrompt: a sale and a refund wait for a supervisor's PIN. The same request again waits
// for the same result; another request with the key is refused, and one without a key finds the
// counter busy.
func TestKeyAtAPrompt(t *testing.T) {
	w := supervised(t, payterm.Lost{Why: "timeout"})
	w.heard = func(payterm.Inquiry) payterm.Answer { return payterm.Lost{Why: "timeout"} }
	first := w.asks(passive(1234, "K1"))
	w.now += time.Second
	w.r.scan(payterm.NewPayCode(alipayCode), w.now)
	w.run(2 * time.Minute)
	doubt := w.order(0)
	if doubt.Outcome != payterm.InDoubt || first.heard() != "in_doubt "+string(doubt.ID) {
		t.Fatalf("%s, %+v", first.heard(), doubt)
	}
	despite := passive(1234, "K2")
	despite.Despite = doubt.ID
	second := w.asks(despite)
	if s := w.screens[len(w.screens)-1]; s != "pin" {
		t.Fatalf("the screen is %q", s)
	}
	again, third := w.asks(despite), w.asks(despite)
	for what, c := range map[string]struct {
		till *till
		want string
	}{
		"the same":           {again, "waits"},
		"the same once more": {third, "waits"},
		"another amount":     {w.asks(passive(1235, "K2")), "key reused"},
		"a refund": {w.asksBack(order.RefundBegan{SaleID: doubt.ID, AmountMinor: 1234,
			IdempotencyKey: "K2"}), "key reused"},
		"another key":          {w.asks(passive(500, "K3")), "not_sent busy"},
		"no key":               {w.asks(passive(1234, "")), "not_sent busy"},
		"the one that is over": {w.asks(passive(1234, "K1")), "in_doubt " + string(doubt.ID)},
	} {
		if got := c.till.heard(); got != c.want {
			t.Errorf("%s: %s, want %s", what, got, c.want)
		}
	}
	w.answers = []payterm.Answer{paid}
	w.press("4", "7", "1", "1", payterm.KeyEnter)
	w.run(time.Second)
	w.r.scan(payterm.NewPayCode("281234567890129999"), w.now)
	w.run(time.Second)
	sold := w.order(1)
	for _, c := range []*till{second, again, third} {
		if got := c.heard(); got != "approved "+string(sold.ID) || len(c.began) != 1 || <-c.began != sold.ID {
			t.Errorf("%s; the order is %s", got, sold.ID)
		}
	}
	if len(w.r.tickets) != 0 {
		t.Errorf("%d tickets are left", len(w.r.tickets))
	}

	// A refund waits likewise, and CANCEL ends it for all callers.
	back := order.RefundBegan{SaleID: sold.ID, IdempotencyKey: "R1"}
	one, two := w.asksBack(back), w.asksBack(back)
	part := back
	part.AmountMinor = 500
	if got := w.asksBack(part).heard(); got != "key reused" {
		t.Errorf("a part of it, under the same key: %s", got)
	}
	if got := w.asks(passive(1234, "R1")).heard(); got != "key reused" {
		t.Errorf("a sale under its key: %s", got)
	}
	w.press(payterm.KeyCancel)
	for _, c := range []*till{one, two} {
		if got := c.heard(); got != "not_sent cashier" {
			t.Errorf("%s", got)
		}
	}
	if three := w.asksBack(back); three.heard() != "waits" { // nothing had begun with this key
		t.Errorf("once more: %s", three.heard())
	}
}

// TestKeyOfAnotherKind: a key cannot be used for both a sale and a refund.
func TestKeyOfAnotherKind(t *testing.T) {
	w := newWorld(t, paid)
	w.asks(passive(1234, "K1"))
	w.now += time.Second
	w.r.scan(payterm.NewPayCode(alipayCode), w.now)
	w.run(time.Second)
	sold := w.order(0)
	w.heard = func(payterm.Inquiry) payterm.Answer { return paid }
	if got := w.asksBack(order.RefundBegan{SaleID: sold.ID, AmountMinor: 1234,
		IdempotencyKey: "K1"}).heard(); got != "key reused" {
		t.Errorf("a refund under a sale's key: %s", got)
	}
	back := w.asksBack(order.RefundBegan{SaleID: sold.ID, AmountMinor: 500, IdempotencyKey: "R1"})
	w.run(time.Second)
	if back.heard() != "waits" || len(back.began) != 1 {
		t.Fatalf("the refund: %s", back.heard())
	}
	for what, sale := range map[string]order.SaleBegan{
		"a refund's key": passive(500, "R1"),
		"another amount": passive(1233, "K1"),
		"another tip":    {Mode: payterm.Passive, AmountMinor: 1134, TipMinor: 100, IdempotencyKey: "K1"},
		"another mode":   {Mode: payterm.Active, Wallet: payterm.Alipay, AmountMinor: 1234, IdempotencyKey: "K1"},
		"another wallet": {Mode: payterm.Passive, Wallet: payterm.WeChatPay, AmountMinor: 1234,
			IdempotencyKey: "K1"},
		"another sale's key": passive(1234, "R1"),
	} {
		if got := w.asks(sale).heard(); got != "key reused" {
			t.Errorf("%s: %s", what, got)
		}
	}
	for what, sale := range map[string]order.SaleBegan{
		"the same":         passive(1234, "K1"),
		"with its wallet":  {Mode: payterm.Passive, Wallet: payterm.Alipay, AmountMinor: 1234, IdempotencyKey: "K1"},
		"with another ref": {Mode: payterm.Passive, AmountMinor: 1234, Ref: "table 7", IdempotencyKey: "K1"},
	} {
		if got := w.asks(sale).heard(); got != "approved "+string(sold.ID) {
			t.Errorf("%s: %s", what, got)
		}
	}
}

// TestKeyOfAnotherMerchant: keys of the terminal's previous merchant remain. The new merchant's
// till only gets ErrKeyReused, also if the order was dropped; the previous merchant still gets
// its results.
func TestKeyOfAnotherMerchant(t *testing.T) {
	of := func(id string) func(*Config) {
		return func(c *Config) { c.Settings.MerchantID = id }
	}
	for _, dropped := range []bool{false, true} {
		w := newWorld(t)
		w.alter = of("ON1")
		w.boot()
		w.answers = []payterm.Answer{paid}
		w.asks(passive(1234, "1001"))
		w.now += time.Second
		w.r.scan(payterm.NewPayCode(alipayCode), w.now)
		w.run(time.Second)
		sold := w.order(0)
		if sold.Outcome != payterm.Approved || sold.MerchantID != "ON1" {
			t.Fatalf("%+v", sold)
		}
		if _, err := w.store.TakeZ(payterm.TakenBy{}); err != nil {
			t.Fatal(err)
		}
		if dropped {
			if n, err := w.store.Prune(storage.Old{Wall: time.Now().Add(time.Hour)}); err != nil || n != 1 {
				t.Fatal(n, err)
			}
		}
		for _, c := range []struct{ merchant, want string }{
			{"ON2", "key reused"}, {"ON1", "approved " + string(sold.ID)}, {"ON2", "key reused"},
		} {
			w.alter = of(c.merchant)
			w.boot()
			till := w.asks(passive(1234, "1001"))
			if got := till.heard(); got != c.want {
				t.Errorf("dropped %t: merchant %s's till hears %q, want %q", dropped, c.merchant, got, c.want)
			}
			if till.err != nil && strings.Contains(till.err.Error(), "12.34") {
				t.Errorf("it is told what the other one sold: %v", till.err)
			}
			back := w.asksBack(order.RefundBegan{SaleID: sold.ID, IdempotencyKey: "1001"})
			if got := back.heard(); got != "key reused" {
				t.Errorf("dropped %t: a refund under a sale's key: %q", dropped, got)
			}
		}
		if len(w.sent) != 1 {
			t.Errorf("paid %v", w.sent)
		}
	}
}

// TestKeyOfADroppedOrder: after retention has dropped a sale and its refund, both tills ask
// again. They get the results, and no money moves.
func TestKeyOfADroppedOrder(t *testing.T) {
	w := newWorld(t, paid)
	w.asks(passive(1234, "K1"))
	w.now += time.Second
	w.r.scan(payterm.NewPayCode(alipayCode), w.now)
	w.run(time.Second)
	sold := w.order(0)
	refunded := int64(0)
	w.heard = func(payterm.Inquiry) payterm.Answer {
		if len(w.sent) > 0 && refunded == 0 { // the baseline
			refunded = 1234
			return paid
		}
		return payterm.Refunded{PaidMinor: 1234, RefundedMinor: refunded, Status: "refunded"}
	}
	w.press("CLEAR")
	w.asksBack(order.RefundBegan{SaleID: sold.ID, IdempotencyKey: "R1"})
	w.run(time.Minute)
	back := w.order(1)
	if back.Outcome != payterm.Approved || !back.Whole {
		t.Fatalf("%+v", back)
	}
	if _, err := w.store.TakeZ(payterm.TakenBy{}); err != nil {
		t.Fatal(err)
	}
	if n, err := w.store.Prune(storage.Old{Wall: time.Now().Add(time.Hour)}); err != nil || n != 2 {
		t.Fatalf("%d dropped: %v", n, err)
	}
	w.press("CLEAR")
	sent := len(w.sent)
	for range 2 {
		for what, c := range map[string]struct {
			till *till
			want string
		}{
			"the sale":       {w.asks(passive(1234, "K1")), "approved " + string(sold.ID)},
			"another amount": {w.asks(passive(1235, "K1")), "key reused"},
			"the refund": {w.asksBack(order.RefundBegan{SaleID: sold.ID, IdempotencyKey: "R1"}), "approved " +
				string(back.ID)},
			"a part of it": {w.asksBack(order.RefundBegan{SaleID: sold.ID, AmountMinor: 5, IdempotencyKey: "R1"}),
				"key reused"},
			"of another": {w.asksBack(order.RefundBegan{SaleID: "T1ZZZZZ000009", IdempotencyKey: "R1"}),
				"key reused"},
			"another kind": {w.asks(passive(1234, "R1")), "key reused"},
		} {
			if got := c.till.heard(); got != c.want {
				t.Errorf("%s: %s, want %s", what, got, c.want)
			}
		}
		w.boot()
	}
	if list, err := w.store.Orders(); err != nil || len(list) != 0 || len(w.sent) != sent {
		t.Errorf("%d orders, %d payments more: %v", len(list), len(w.sent)-sent, err)
	}
}

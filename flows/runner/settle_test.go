package runner

import (
	"errors"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/flows/order"
	"payterm/storage"
)

// settles is what a till is told that lost its answer.
func (w *world) settles(key payterm.IdempotencyKey) string {
	s, err := w.r.settle(key, "api")
	switch {
	case errors.Is(err, ErrKeyReused):
		return "key reused"
	case err != nil:
		return err.Error()
	case s.NeverBegan:
		return "never began"
	case s.Open():
		return strings.TrimSpace("open " + string(s.Order.ID))
	}
	return string(s.Order.Outcome) + " " + string(s.Order.ID)
}

// TestSettle: a till that lost its answer is told what became of its request, and what it was told stays true.
func TestSettle(t *testing.T) {
	w := supervised(t, paid)
	if got := w.settles("K0"); got != "never began" {
		t.Errorf("a request that did not come: %s", got)
	}
	if got := w.asks(passive(1234, "K0")).heard(); got != ErrFenced.Error() {
		t.Errorf("it comes after all: %s", got)
	}
	first := w.asks(passive(1234, "K1"))
	w.run(time.Second)
	if got := w.settles("K1"); got != "open "+string(w.order(0).ID) {
		t.Errorf("a scan is awaited: %s", got)
	}
	w.now += time.Second
	w.r.scan(payterm.NewPayCode(alipayCode), w.now)
	w.run(time.Second)
	sold := w.order(0)
	if got := w.settles("K1"); got != "approved "+string(sold.ID) || first.heard() != got {
		t.Errorf("%s, and its caller heard %s", got, first.heard())
	}
	back := w.asksBack(order.RefundBegan{SaleID: sold.ID, IdempotencyKey: "R1"}) // waits for a PIN
	if got := w.settles("R1"); got != "open" {
		t.Errorf("a PIN is awaited: %s", got)
	}
	w.press(payterm.KeyCancel)
	if got := back.heard(); got != "not_sent cashier" {
		t.Errorf("%s", got)
	}
	if got := w.settles("R1"); got != "never began" {
		t.Errorf("the supervisor did not allow it: %s", got)
	}
	if got := w.asksBack(order.RefundBegan{SaleID: sold.ID, IdempotencyKey: "R1"}).heard(); got != ErrFenced.Error() {
		t.Errorf("it is asked for again: %s", got)
	}
	w.boot() // the promises outlive a restart, and retention
	if _, err := w.store.TakeZ(payterm.TakenBy{}); err != nil {
		t.Fatal(err)
	}
	if n, err := w.store.Prune(storage.Old{Wall: time.Now().Add(time.Hour)}); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	for key, want := range map[payterm.IdempotencyKey]string{"K0": "never began", "R1": "never began",
		"K1": "approved " + string(sold.ID)} {
		if got := w.settles(key); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
	if len(w.sent) != 1 {
		t.Errorf("sent: %v", w.sent)
	}
}

// TestSettleOfAnotherMerchant: another merchant's till is neither told what was sold, nor that nothing was.
func TestSettleOfAnotherMerchant(t *testing.T) {
	w := newWorld(t)
	w.alter = func(c *Config) { c.Settings.MerchantID = "ON1" }
	w.boot()
	w.answers = []payterm.Answer{paid}
	w.asks(passive(1234, "1001"))
	w.now += time.Second
	w.r.scan(payterm.NewPayCode(alipayCode), w.now)
	w.run(time.Second)
	if got := w.settles("1002"); got != "never began" {
		t.Errorf("%s", got)
	}
	w.alter = func(c *Config) { c.Settings.MerchantID = "ON2" }
	w.boot()
	for _, key := range []payterm.IdempotencyKey{"1001", "1002"} {
		if got := w.settles(key); got != "key reused" {
			t.Errorf("%s: %s", key, got)
		}
		if got := w.asks(passive(1234, string(key))).heard(); got != "key reused" {
			t.Errorf("a sale with %s: %s", key, got)
		}
	}
}

// TestSettleNeedsTheJournal: a promise that cannot be stored is not given.
func TestSettleNeedsTheJournal(t *testing.T) {
	w := newWorld(t, paid)
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	if got := w.settles("K1"); got == "never began" {
		t.Error("nothing could be stored, and a promise is given")
	}
}

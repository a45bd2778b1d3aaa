package runner

import (
	"errors"
	"testing"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
)

// cancels calls Cancel from outside the loop.
func (w *world) cancels(id payterm.OrderID) (o payterm.Order, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		o, err = w.r.Cancel(w.t.Context(), id)
	}()
	w.untilDone(done, &err) //nolint:errcheck // it is returned
	return o, err
}

// TestCancel: CANCEL over the socket tells how the order stands after it, and an order that is not at the
// counter is told as it is.
func TestCancel(t *testing.T) {
	w := newWorld(t)
	if _, err := w.cancels(""); !errors.Is(err, ErrNothingThere) {
		t.Errorf("nothing at the counter: %v", err)
	}
	if _, err := w.cancels("T1NEVER"); !errors.Is(err, ErrUnknown) {
		t.Errorf("an order that never was: %v", err)
	}
	w.typed("50")
	if _, err := w.cancels(""); !errors.Is(err, ErrNothingThere) || w.r.counter.Phase != counter.EnteringAmount {
		t.Errorf("what a cashier types: %v, %s", err, w.r.counter.Phase)
	}
	w.typed("X")

	begin := func(minor int64) payterm.OrderID {
		t.Helper()
		w.r.feed(counter.SaleAsked{Sale: order.SaleBegan{Mode: payterm.Passive, AmountMinor: minor, Currency: "CAD"}})
		return w.r.counter.Order.ID()
	}
	first := begin(100)
	if o, err := w.cancels(""); err != nil || o.ID != first || o.Outcome != payterm.Cancelled {
		t.Errorf("before the scan: %v, %+v", err, o)
	}
	second := begin(200)
	for range 2 {
		if o, err := w.cancels(first); err != nil || o.ID != first || o.Outcome != payterm.Cancelled {
			t.Errorf("once more: %v, %+v", err, o)
		}
	}
	if w.r.counter.Order.ID() != second || w.r.counter.Phase != counter.Serving {
		t.Errorf("the next order at the counter is %s: %s", w.r.counter.Order.ID(), w.r.counter.Phase)
	}
	// Not a byte was written: CANCEL counts, though the request was under way.
	w.answers = []payterm.Answer{payterm.Unsent{Why: "no route"}}
	w.r.scan(payterm.NewPayCode("281234567890123456"), w.now)
	f, err := w.r.cancel(second)
	if err != nil || f.wait == nil {
		t.Fatalf("before the first byte: %v, %+v", err, f)
	}
	w.run(0)
	if o := w.r.await(t.Context(), f); o.Outcome != payterm.NotSent || o.Reason != payterm.ReasonCashier {
		t.Errorf("before the first byte: %+v", o)
	}
	// The request left: it may still be paid.
	third := begin(300)
	w.answers = []payterm.Answer{payterm.Pending{}}
	w.r.scan(payterm.NewPayCode("281234567890123457"), w.now)
	w.run(0)
	if o, err := w.cancels(""); err != nil || o.ID != third || o.Outcome != payterm.Open {
		t.Errorf("too early: %v, %+v", err, o)
	}
	w.now += 20 * time.Second
	if o, err := w.cancels(""); err != nil || o.ID != third || o.Outcome != payterm.InDoubt ||
		o.Reason != payterm.ReasonGivenUp {
		t.Errorf("given up: %v, %+v", err, o)
	}
	if o, err := w.cancels(third); err != nil || o.Outcome != payterm.InDoubt {
		t.Errorf("in the background: %v, %+v", err, o)
	}
}

// TestCancelPrompt: a request that waits for a supervisor's PIN is given up, and its caller is told; a Z that
// waits so is left alone.
func TestCancelPrompt(t *testing.T) {
	w := newWorldWith(t, func(c *Config) { c.Settings.PINSet = true })
	call := newCall(t.Context())
	w.r.feed(counter.RefundAsked{Ticket: w.r.wait(call, "", Content{}),
		Refund: order.RefundBegan{SaleID: "T1SALE", AmountMinor: 700, Currency: "CAD"}})
	if _, err := w.cancels("T1SALE"); !errors.Is(err, ErrUnknown) {
		t.Errorf("by the sale's id: %v", err)
	}
	o, err := w.cancels("")
	if err != nil || o.ID != "" || o.Outcome != payterm.NotSent || o.SaleID != "T1SALE" || o.AmountMinor != 700 {
		t.Errorf("%v, %+v", err, o)
	}
	select {
	case res := <-call.result:
		if res.Began || res.Reason != payterm.ReasonCashier {
			t.Errorf("its caller was told %+v", res)
		}
	default:
		t.Error("its caller was told nothing")
	}
	z := newCall(t.Context())
	w.r.feed(counter.ZAsked{Ticket: w.r.wait(z, "", Content{})})
	if _, err := w.cancels(""); !errors.Is(err, ErrNothingThere) || w.r.counter.Phase != counter.EnteringPIN {
		t.Errorf("a Z: %v, %s", err, w.r.counter.Phase)
	}
}

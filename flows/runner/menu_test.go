package runner

import (
	"context"
	"errors"
	"testing"
	"time"

	"payterm"
	"payterm/flows/counter"
)

// TestRateAges: an exchange rate is shown for a day, with its age, and then no more.
func TestRateAges(t *testing.T) {
	w := newWorld(t)
	rateErr := errors.New("the gateway is silent")
	w.r.c.Rate = func(context.Context) (int64, error) { return 524740000, rateErr }
	ask := func() counter.RateTold {
		t.Helper()
		w.press(payterm.KeyF3, "8")
		w.run(time.Second)
		got := w.r.counter.Menu.Rate
		w.press(payterm.KeyEnter)
		w.run(time.Second)
		return got
	}
	if got := ask(); got.Rate.CNYE8 != 0 || got.Asked {
		t.Errorf("a rate that nobody told: %+v", got)
	}
	rateErr = nil
	if got := ask(); got.Rate.CNYE8 != 524740000 || !got.Asked || got.Age != 0 || got.Rate.At == 0 {
		t.Errorf("a rate: %+v", got)
	}
	rateErr = errors.New("the gateway is silent again")
	w.run(2 * time.Hour)
	if got := ask(); got.Rate.CNYE8 != 524740000 || got.Asked || got.Age < 2*time.Hour || w.r.status().Rate.CNYE8 == 0 {
		t.Errorf("a rate of two hours ago: %+v", got)
	}
	w.run(23 * time.Hour)
	if got := ask(); got.Rate.CNYE8 != 0 || w.r.status().Rate.CNYE8 != 0 {
		t.Errorf("a rate of yesterday: %+v", got)
	}
}

// TestNotWired: what this terminal does not offer is answered as such.
func TestNotWired(t *testing.T) {
	w := newWorld(t)
	w.press(payterm.KeyF3, "6")
	w.run(time.Second)
	if got := w.r.counter; got.Phase != counter.ShowingTotals || got.Menu.Totals.Why != ErrNotWired.Error() {
		t.Errorf("%s: %+v", got.Phase, got.Menu.Totals)
	}
	w.press(payterm.KeyEnter, payterm.KeyF3, "8")
	w.run(time.Second)
	if got := w.r.counter; got.Phase != counter.ShowingRate {
		t.Errorf("%s", got.Phase)
	}
}

// TestFind: a page of a list is as long as the glass is high, and tells whether more follow.
func TestFind(t *testing.T) {
	w := newWorld(t)
	for range 7 {
		w.press("1", payterm.KeyEnter)
		w.run(time.Second)
		w.press(payterm.KeyCancel)
		w.run(time.Second)
	}
	w.press(payterm.KeyF3, "3", payterm.KeyEnter)
	w.run(time.Second)
	m := w.r.counter.Menu
	if w.r.counter.Phase != counter.Listing || m.Rows.Count() != counter.MaxRows || !m.More {
		t.Fatalf("%s: %+v", w.r.counter.Phase, m)
	}
	newest := m.Rows[0].Order
	w.press(payterm.KeyF1)
	w.run(time.Second)
	if m = w.r.counter.Menu; m.Rows.Count() != 2 || m.More || m.Rows[0].Order >= newest {
		t.Errorf("the second page: %+v", m)
	}
	w.press("2")
	w.run(time.Second)
	if m = w.r.counter.Menu; m.Verdict != counter.VerdictNotPaid || len(w.known) != 0 {
		t.Errorf("a cancelled order is asked about: %+v, %v", m, w.known)
	}
}

// TestWordAtTheKeys: a decision at the keypad is shown as recorded when it is committed, and
// whether the gateway is still asked.
func TestWordAtTheKeys(t *testing.T) {
	w := newWorld(t, payterm.Lost{Why: "silence"})
	w.scanSale(alipayCode)
	w.run(5 * time.Minute)
	w.press(payterm.KeyEnter, payterm.KeyF3, "4")
	w.run(time.Second)
	w.press("1", "2")
	if o := w.order(0); o.Resolution != "" {
		t.Fatalf("nobody has said yes: %+v", o)
	}
	w.yes()
	w.run(time.Second)
	m := w.r.counter.Menu
	if o := w.order(0); w.r.counter.Phase != counter.ShowingWord || m.Order.Resolution == "" || !m.Asking ||
		o.Resolution != counter.WordAtCounter || o.Outcome != payterm.InDoubt {
		t.Errorf("%s: %+v, %+v", w.r.counter.Phase, m, o)
	}
	w.answers = []payterm.Answer{paid}
	w.run(10 * time.Minute)
	if o := w.order(0); len(w.r.orders) != 0 || o.Attention != payterm.AttentionLatePayment {
		t.Errorf("it is paid after all: %+v", o)
	}
}

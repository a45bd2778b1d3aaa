package runner

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
)

// checkNow asks about an order and lets the answer come.
func (w *world) checkNow(id payterm.OrderID) (Checked, error) {
	w.t.Helper()
	result := make(chan Checked, 1)
	if err := w.r.check(context.Background(), id, result); err != nil {
		return Checked{}, err
	}
	w.run(inquiryFloor) // for the floor of an earlier inquiry
	select {
	case c := <-result:
		return c, nil
	default:
		w.t.Fatal("nobody was told")
		return Checked{}, nil
	}
}

// declined makes a sale that the wallet declines.
func (w *world) declined() payterm.Order {
	w.t.Helper()
	w.answers = []payterm.Answer{payterm.Failed{Status: "failure"}}
	w.scanSale(alipayCode)
	w.run(time.Second)
	o := w.order(0)
	if o.Outcome != payterm.Declined || len(w.r.orders) != 0 {
		w.t.Fatalf("%+v", o)
	}
	return o
}

// TestFoundPayment: a sale that ended unpaid and turns out paid later becomes a late payment that
// staff has to check, whoever asked. The Z that was taken keeps its sums; the money is in the
// next one.
func TestFoundPayment(t *testing.T) {
	for name, ask := range map[string]func(w *world, id payterm.OrderID){
		"reconciled": func(w *world, id payterm.OrderID) {
			c, err := w.checkNow(id)
			if err != nil || c.Order.Outcome != payterm.Approved || c.Answer != payterm.Answer(paid) {
				w.t.Errorf("%+v, %v", c, err)
			}
		},
		"was it paid": func(w *world, id payterm.OrderID) {
			w.press(payterm.KeyEnter, payterm.KeyF3, "3", payterm.KeyEnter)
			w.run(time.Second)
			w.press("1")
			w.run(time.Second)
			if m := w.r.counter.Menu; m.Verdict != counter.VerdictPaid || m.Order.Outcome != payterm.Approved {
				w.t.Errorf("%s: %+v", w.r.counter.Phase, m)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			o := w.declined()
			before, err := w.store.TakeZ(payterm.TakenBy{})
			if err != nil || before.Number != 1 || len(before.By) != 0 {
				t.Fatalf("%+v, %v", before, err)
			}
			w.answers, w.slips = []payterm.Answer{paid}, nil
			ask(w, o.ID)
			for range 2 { // again after a restart
				o = w.order(0)
				if o.Outcome != payterm.Approved || o.Reason != payterm.ReasonLatePayment ||
					o.Attention != payterm.AttentionAlarm || o.PaidMinor != 1234 {
					t.Errorf("%+v", o)
				}
				if s := w.r.status(); s.Alarms != 1 {
					t.Errorf("%+v", s)
				}
				w.boot()
			}
			if len(w.slips) != 1 || w.slips[0] != order.SlipLatePayment {
				t.Errorf("slips %v", w.slips)
			}
			if _, err := w.store.TakeZ(payterm.TakenBy{}); err != nil {
				t.Fatal(err)
			}
			for number, want := range map[int64]int64{1: 0, 2: 1234} {
				z, err := w.store.Totals(number)
				var sum payterm.TotalsRow
				if sums := z.Sums(); len(sums) > 0 {
					sum = sums[0]
				}
				if err != nil || sum.AmountMinor != want {
					t.Errorf("Z %d: %+v, %v", number, sum, err)
				}
			}
			if _, err := w.store.Verify(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := w.r.resolve(o.ID, "7", "kept, the customer was called"); err != nil ||
				w.r.status().Alarms != 0 {
				t.Errorf("%+v, %v", w.r.status(), err)
			}
		})
	}
}

// TestContradicted: other answers about a closed sale change nothing, apart from one alarm.
func TestContradicted(t *testing.T) {
	for _, c := range []struct {
		answer payterm.Answer
		alarms int
	}{
		{payterm.Failed{Status: "failure"}, 0},
		{payterm.Pending{Status: "notpay"}, 0},
		{payterm.NotFound{Why: "unknown"}, 0},
		{payterm.Lost{Why: "silence", Alarm: true}, 0},
		{payterm.Unsent{Why: "no route"}, 0},
		{payterm.Unclear{Why: "another total", Status: "success", Authentic: true, Alarm: true}, 1},
		{payterm.Refunded{PaidMinor: 1234, RefundedMinor: 1234, Status: "refund"}, 1},
	} {
		w := newWorld(t)
		o := w.declined()
		for range 2 {
			w.answers = []payterm.Answer{c.answer}
			if _, err := w.checkNow(o.ID); err != nil {
				t.Fatal(err)
			}
			after := w.order(0)
			if after.Outcome != payterm.Declined || w.r.status().Alarms != c.alarms {
				t.Errorf("%+v: %+v, %+v", c.answer, after, w.r.status())
			}
		}
		if c.alarms > 0 {
			if _, err := w.r.resolve(o.ID, "7", "looked at"); err != nil {
				t.Error(err)
			}
			w.answers = []payterm.Answer{c.answer}
			if _, err := w.checkNow(o.ID); err != nil || w.r.status().Alarms != 0 {
				t.Errorf("%+v is told again after a person's word: %v", c.answer, err)
			}
		}
		before, _ := w.store.Events(o.ID)
		w.answers = []payterm.Answer{c.answer}
		if _, err := w.checkNow(o.ID); err != nil {
			t.Error(err)
		}
		if after, _ := w.store.Events(o.ID); len(after) != len(before) {
			t.Errorf("%+v is journalled again: %d records and %d", c.answer, len(before), len(after))
		}
	}
}

// TestFoundWhileFull: a payment that is found while the disk is full is stored once there is
// room.
func TestFoundWhileFull(t *testing.T) {
	w := newWorld(t)
	o := w.declined()
	w.full, w.answers = true, []payterm.Answer{paid}
	if _, err := w.checkNow(o.ID); err != nil {
		t.Fatal(err)
	}
	w.run(time.Minute)
	if got := w.order(0); got.Outcome != payterm.Declined || w.r.counter.Phase != counter.OutOfOrder {
		t.Errorf("%s, %+v", w.r.counter.Phase, got)
	}
	w.full = false
	w.run(time.Minute)
	if got := w.order(0); got.Outcome != payterm.Approved || w.r.counter.Phase == counter.OutOfOrder {
		t.Errorf("%s, %+v", w.r.counter.Phase, got)
	}
}

// TestChecksAreBounded: questions about closed orders keep the limits of the background. Those
// about one order become one inquiry; nothing is asked for a caller that has given up; too many
// callers are refused.
func TestChecksAreBounded(t *testing.T) {
	w := newWorld(t)
	var closed []payterm.OrderID
	for range 10 {
		w.answers = []payterm.Answer{payterm.Failed{Status: "failure"}}
		w.scanSale(fmt.Sprintf("2812345678901%05d", len(closed)))
		w.run(time.Second)
		closed = append(closed, w.order(len(closed)).ID)
	}
	result := make(chan Checked, 100)
	gone, leave := context.WithCancel(context.Background())
	leave()
	asked := w.asked
	for i := range 30 {
		ctx := context.Background()
		if i%3 == 2 {
			ctx = gone
		}
		if err := w.r.check(ctx, closed[i%len(closed)], result); err != nil {
			t.Fatal(err)
		}
		if len(w.pending) > maxInFlight || w.r.gate.inFlight > maxInFlight {
			t.Fatalf("%d in flight", w.r.gate.inFlight)
		}
	}
	began := w.now
	w.run(time.Second)
	if got := w.asked - asked; got > int(time.Second/inquiryPause)+1 {
		t.Errorf("%d were asked within a second", got)
	}
	w.run(10 * time.Second)
	if got := w.asked - asked; got != len(closed) || len(result) != 30 || w.r.gate.inFlight != 0 ||
		w.r.gate.wishes != 0 {
		t.Errorf("%d were asked since %v, %d told, %d in flight, %d wishes", got, began, len(result), w.r.gate.inFlight,
			w.r.gate.wishes)
	}
	crowd := make(chan Checked, 2*maxWatchers)
	for i := range 2 * maxWatchers {
		err := w.r.check(context.Background(), closed[0], crowd)
		if crowded := i >= maxWatchers; crowded != errors.Is(err, ErrCrowded) {
			t.Fatalf("caller %d: %v", i, err)
		}
	}
	w.run(10 * time.Second)
	if len(crowd) != maxWatchers || len(w.r.gate.subjects) > len(w.r.gate.asked) {
		t.Errorf("%d were told; the gate keeps %d orders", len(crowd), len(w.r.gate.subjects))
	}
	if _, err := w.checkNow("T1NOSUCH000001"); !errors.Is(err, ErrUnknown) {
		t.Errorf("%v", err)
	}
}

// TestCheckOpen: an open order is asked about by its own inquiry, and may end by it.
func TestCheckOpen(t *testing.T) {
	w := newWorld(t, payterm.Lost{Why: "silence"})
	w.scanSale(alipayCode)
	w.run(time.Second)
	if c, err := w.checkNow(w.order(0).ID); err != nil || c.Order.Outcome != payterm.Open || c.Answer != nil {
		t.Errorf("at the counter: %+v, %v", c, err)
	}
	w.run(5 * time.Minute)
	result := make(chan Checked, 1)
	w.answers = []payterm.Answer{paid}
	if err := w.r.check(context.Background(), w.order(0).ID, result); err != nil {
		t.Fatal(err)
	}
	waits := w.pending[len(w.pending)-1] // waits for an answer on this loop
	w.pending = w.pending[:len(w.pending)-1]
	w.run(time.Second)
	waits()
	if c := <-result; c.Order.Outcome != payterm.Approved || c.Order.Attention != payterm.AttentionLatePayment {
		t.Errorf("in doubt: %+v", c)
	}
}

package runner

import (
	"testing"
	"time"

	"payterm"
	"payterm/flows/order"
)

// giveBack asks for a refund over the socket, without waiting for its end.
func (w *world) giveBack(sale payterm.OrderID, minor int64) saleCall {
	w.t.Helper()
	call := saleCall{began: make(chan payterm.OrderID, 1), result: make(chan SaleResult, 1)}
	if err := w.r.askRefund(order.RefundBegan{SaleID: sale, AmountMinor: minor}, call); err != nil {
		w.t.Fatal(err)
	}
	return call
}

// refundNo is the n-th refund among all orders.
func (w *world) refundNo(n int) payterm.Order {
	w.t.Helper()
	orders, err := w.store.Orders()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, o := range orders {
		if o.Kind != payterm.KindRefund {
			continue
		}
		if n--; n == 0 {
			return o
		}
	}
	w.t.Fatal("there is no such refund")
	return payterm.Order{}
}

// TestOldReplyMakesNoRefund: the baseline of a second refund comes from a reply older than the
// first refund, and its REFUND is lost. Whatever out-of-date replies say, and over a restart,
// gateway and journal have one refund.
func TestOldReplyMakesNoRefund(t *testing.T) {
	for _, restart := range []bool{false, true} {
		w := newWorld(t, paid)
		w.scanSale(alipayCode)
		w.run(time.Second)
		sale := w.order(0).ID
		after := func(minor int64) payterm.Answer {
			return payterm.Refunded{PaidMinor: 1234, RefundedMinor: minor, Status: "partial_refunded"}
		}
		w.answers = []payterm.Answer{paid, payterm.Pending{}, after(500)}
		w.giveBack(sale, 500)
		w.run(20 * time.Second)
		if o := w.refundNo(1); o.Outcome != payterm.Approved {
			t.Fatalf("%+v", o)
		}
		if restart {
			w.boot()
		}
		// Two out-of-date replies, then a true one; REFUND is lost; then true and out-of-date
		// ones.
		w.answers = []payterm.Answer{paid, after(499), after(500), payterm.Lost{Why: "silence"}, after(500), paid,
			after(500), after(500)}
		w.giveBack(sale, 500)
		w.run(2 * time.Hour)
		if o := w.refundNo(2); o.Outcome != payterm.InDoubt || o.RefundedMinor != 0 {
			t.Errorf("%+v", o)
		}
		if o := w.order(0); o.RefundedMinor != 500 {
			t.Errorf("%+v", o)
		}
		if len(w.answers) != 0 {
			t.Errorf("%d answers were not asked for", len(w.answers))
		}
	}
}

// TestRefundGivenUpByAnEarlierVersion: an earlier version kept a refund open of which no byte was
// written. After the start it is closed and its sale is free.
func TestRefundGivenUpByAnEarlierVersion(t *testing.T) {
	w := newWorld(t, paid)
	w.scanSale(alipayCode)
	w.run(time.Second)
	sale := w.order(0).ID
	w.answers = []payterm.Answer{paid, payterm.Unsent{Why: "no route"}}
	w.giveBack(sale, 500)
	w.run(time.Second)
	row := w.refundNo(1)
	in := w.r.stamp(order.CancelPressed{})
	name, body, err := order.EncodeEvent(in.Event)
	if err != nil {
		t.Fatal(err)
	}
	row.Outcome, row.Reason = payterm.NotSent, payterm.ReasonCashier
	if err := w.store.Commit(payterm.Entry{OrderID: row.ID, Event: name, Body: body, Stamp: in.Stamp, Order: row,
		Owes: payterm.OwedRefund}); err != nil {
		t.Fatal(err)
	}
	w.boot()
	if queue, err := w.store.Queue(); err != nil || len(queue) != 0 {
		t.Errorf("%+v, %v", queue, err)
	}
	call := w.giveBack(sale, 500)
	select {
	case id := <-call.began:
		if id == row.ID {
			t.Errorf("%s begins again", id)
		}
	case res := <-call.result:
		t.Errorf("refused: %s", res.Reason)
	}
	if _, err := w.store.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

package runner

import (
	"errors"
	"testing"
	"time"

	"payterm"
	"payterm/flows/order"
)

// TestAsideRefundHearsOfItsSale: a refund is set aside during an inquiry about its sale; "paid"
// about the sale does not prove the refund.
func TestAsideRefundHearsOfItsSale(t *testing.T) {
	w := newWorld(t, paid)
	w.scanSale(alipayCode)
	w.run(time.Second)
	sale := w.order(0)
	w.answers = []payterm.Answer{paid, payterm.Pending{}}
	w.giveBack(sale.ID, 500)
	w.run(4 * time.Second)
	id := w.refundNo(1).ID
	for len(w.pending) == 0 { // until the next inquiry is running
		w.now += 100 * time.Millisecond
		w.r.Advance()
	}
	l := w.r.orders[id]
	w.r.quarantine(l, w.r.stamp(order.Woke{}), errors.New("cannot be"))
	w.heard = func(payterm.Inquiry) payterm.Answer { return paid } // about the sale: nothing was refunded
	w.run(time.Minute)
	if o := w.refundNo(1); o.Outcome == payterm.Approved {
		t.Errorf("a refund is done because its sale was paid: %+v", o)
	}
}

// TestAsideRefundedThenPaid: a set-aside order was refunded and closed by a decision. A later
// out-of-date "paid" does not undo that.
func TestAsideRefundedThenPaid(t *testing.T) {
	w := spoiled(t)
	id := w.order(0).ID
	w.heard = func(payterm.Inquiry) payterm.Answer {
		return payterm.Refunded{PaidMinor: 1234, RefundedMinor: 1234, Status: "fully_refunded"}
	}
	w.run(10 * time.Minute)
	if o := w.order(0); o.Reason != payterm.ReasonRefunded {
		t.Fatalf("%+v", o)
	}
	if _, err := w.r.resolve(id, "7", "money went back on the merchant's page"); err != nil {
		t.Fatal(err)
	}
	w.heard = func(payterm.Inquiry) payterm.Answer { return paid } // out of date
	if _, err := w.checkNow(id); err != nil {
		t.Fatal(err)
	}
	if o := w.order(0); o.Outcome == payterm.Approved {
		t.Errorf("approved, though the journal knows that all of it went back: outcome %s reason %s refunded %d",
			o.Outcome, o.Reason, o.RefundedMinor)
	}
}

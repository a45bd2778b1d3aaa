package runner

import (
	"errors"
	"testing"
	"time"

	"payterm"
	"payterm/flows/order"
)

// A refunded total that the gateway gave in an authentic reply is the minimum for every later
// reply, whoever asked and whatever became of that refund. Otherwise an out-of-date reply with
// the baseline could make a lost REFUND look done.

// TestReconciledSumIsAFloor: the merchant refunded 5.00 on the gateway's web page, and a
// reconciliation found it.
func TestReconciledSumIsAFloor(t *testing.T) {
	w := newWorld(t, paid)
	w.scanSale(alipayCode)
	w.run(time.Second)
	sale := w.order(0).ID
	page := payterm.Refunded{PaidMinor: 1234, RefundedMinor: 500, Status: "partial_refunded"}
	w.answers = []payterm.Answer{page}
	if c, err := w.checkNow(sale); err != nil || c.Answer != payterm.Answer(page) || c.Order.RefundedMinor != 0 {
		t.Fatalf("%+v %v", c, err) // the row has only our own refunds, so the next reconciliation reports it again
	}
	w.answers = []payterm.Answer{paid /* an old reply */, payterm.Lost{Why: "silence"} /* to REFUND */, page}
	w.giveBack(sale, 500)
	w.run(time.Minute)
	if o := w.refundNo(1); o.Outcome == payterm.Approved {
		t.Errorf("called done, and only what was known before went back: %+v", o)
	}
}

// TestSumOfASetAsideRefundIsAFloor: a refund is set aside after its baseline was committed, and a
// decision closes it.
func TestSumOfASetAsideRefundIsAFloor(t *testing.T) {
	w := newWorld(t, paid)
	w.scanSale(alipayCode)
	w.run(time.Second)
	sale := w.order(0)
	page := payterm.Refunded{PaidMinor: 1234, RefundedMinor: 500, Status: "partial_refunded"}
	w.answers = []payterm.Answer{page, payterm.Lost{Why: "silence"}}
	w.giveBack(sale.ID, 300)
	w.run(90 * time.Second)
	w.spoil(w.refundNo(1))
	if _, err := w.r.resolve(w.refundNo(1).ID, "7", "the page shows none"); err != nil {
		t.Fatal(err)
	}
	w.answers = []payterm.Answer{paid /* an old reply */, payterm.Lost{Why: "silence"}, page}
	w.giveBack(sale.ID, 500)
	w.run(time.Minute)
	if o := w.refundNo(2); o.Outcome == payterm.Approved {
		t.Errorf("called done, and only what was known before went back: %+v", o)
	}
}

// TestSumHeardAfterTheRefund: a refund ends by a decision, or is set aside, during an inquiry:
// the answer still counts for the sale.
func TestSumHeardAfterTheRefund(t *testing.T) {
	for name, ends := range map[string]func(*world, payterm.OrderID){
		"by a word": func(w *world, id payterm.OrderID) {
			if _, err := w.r.resolve(id, "7", "the page shows none"); err != nil {
				t.Fatal(err)
			}
		},
		"set aside": func(w *world, id payterm.OrderID) {
			l := w.r.orders[id]
			w.r.quarantine(l, w.r.stamp(order.Woke{}), errors.New("it cannot be"))
			if _, err := w.r.resolve(id, "7", "the page shows none"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, paid)
			w.scanSale(alipayCode)
			w.run(time.Second)
			sale := w.order(0).ID
			w.answers = []payterm.Answer{paid, payterm.Lost{Why: "silence"}}
			w.giveBack(sale, 300)
			w.run(2 * time.Minute)
			for len(w.pending) == 0 { // until the inquiry is running
				w.now += 100 * time.Millisecond
				w.r.Advance()
			}
			ends(w, w.refundNo(1).ID)
			page := payterm.Refunded{PaidMinor: 1234, RefundedMinor: 500, Status: "partial_refunded"}
			w.answers = []payterm.Answer{page}
			w.run(10 * time.Second)
			w.answers = []payterm.Answer{paid /* an old reply */, payterm.Lost{Why: "silence"}, page}
			w.giveBack(sale, 500)
			w.run(time.Minute)
			if o := w.refundNo(2); o.Outcome == payterm.Approved {
				t.Errorf("called done, and only what was known before went back: %+v", o)
			}
		})
	}
}

// TestSumHeardAsTheRefundBegins: a reconciliation waits for its answer while the refund begins;
// the refund learns the refunded total too.
func TestSumHeardAsTheRefundBegins(t *testing.T) {
	w := newWorld(t, paid)
	w.scanSale(alipayCode)
	w.run(10 * time.Second)
	sale := w.order(0).ID
	if err := w.r.check(t.Context(), sale, make(chan Checked, 1)); err != nil || len(w.pending) != 1 {
		t.Fatalf("%d asked, %v", len(w.pending), err)
	}
	page := payterm.Refunded{PaidMinor: 1234, RefundedMinor: 500, Status: "partial_refunded"}
	w.giveBack(sale, 500)
	w.asked = 0
	w.heard = func(payterm.Inquiry) payterm.Answer {
		if w.asked == 2 {
			return paid // out of date
		}
		return page
	}
	w.run(2 * time.Minute) // REFUND is lost
	if o := w.refundNo(1); o.Outcome == payterm.Approved || w.asked < 3 {
		t.Errorf("called done, and only what was known before went back: %+v after %d inquiries", o, w.asked)
	}
}

package runner

import (
	"errors"
	"testing"
	"time"

	"payterm"
	"payterm/flows/order"
)

// A sum that the gateway has authentically called given back is a floor under every later
// reply, whoever asked and whatever became of that refund: a REFUND that was lost is not
// called done since an older reply gave its baseline.

// The merchant gave 5.00 back on his own page, which a reconciliation heard of.
func TestReconciledSumIsAFloor(t *testing.T) {
	w := newWorld(t, paid)
	w.scanSale(alipayCode)
	w.run(time.Second)
	sale := w.order(0).ID
	page := payterm.Refunded{PaidMinor: 1234, RefundedMinor: 500, Status: "partial_refunded"}
	w.answers = []payterm.Answer{page}
	if c, err := w.checkNow(sale); err != nil || c.Answer != payterm.Answer(page) || c.Order.RefundedMinor != 0 {
		t.Fatalf("%+v %v", c, err) // the row is the terminal's own: the next reconciliation tells of it again
	}
	w.answers = []payterm.Answer{paid /* an old reply */, payterm.Lost{Why: "silence"} /* to REFUND */, page}
	w.giveBack(sale, 500)
	w.run(time.Minute)
	if o := w.refundNo(1); o.Outcome == payterm.Approved {
		t.Errorf("called done, and only what was known before went back: %+v", o)
	}
}

// A refund is set aside after its baseline was written down, and a word closes it.
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

// A refund ends while it is being asked about, by a word or since it is set aside: what is
// said of its sale is the sale's.
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
			for len(w.pending) == 0 { // until it is asked about
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

// A reconciliation is waiting for its answer as a refund begins, and hears of what went back:
// so does the refund.
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
			return paid // an old reply
		}
		return page
	}
	w.run(2 * time.Minute) // REFUND is lost
	if o := w.refundNo(1); o.Outcome == payterm.Approved || w.asked < 3 {
		t.Errorf("called done, and only what was known before went back: %+v after %d inquiries", o, w.asked)
	}
}

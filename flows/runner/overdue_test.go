package runner

import (
	"testing"
	"time"

	"payterm"
)

// TestPaidOnceInDoubtWasTold: "paid" comes while the disk is full. At the end of the counter time
// the caller gets "in doubt" and the customer pays in another way. When the answer is stored,
// hours later, it is a late payment and no drawer opens.
func TestPaidOnceInDoubtWasTold(t *testing.T) {
	for name, c := range map[string]struct {
		till  bool
		after time.Duration
		late  bool
	}{
		"a till, in time":   {true, 30 * time.Second, false},
		"a till, for hours": {true, 3 * time.Hour, true},
		"keyed in":          {false, 3 * time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			var did deviceLog
			w := newWorld(t)
			w.alter = func(c *Config) { c.Drawer = &did }
			w.boot()
			w.answers = []payterm.Answer{paid}
			w.paying = func(payterm.Payment) { w.full = true }
			var caller *till
			if c.till {
				caller = w.asks(passive(1234, "K1"))
				w.now += time.Second
				w.r.scan(payterm.NewPayCode(alipayCode), w.now)
			} else {
				w.scanSale(alipayCode)
			}
			w.run(c.after)
			id := string(w.order(0).ID)
			if c.till && c.late {
				if got := caller.heard(); got != "in_doubt "+id {
					t.Errorf("the till hears %s", got)
				}
			}
			w.full, w.slips = false, nil
			w.run(10 * time.Second)
			o := w.order(0)
			late := o.Reason == payterm.ReasonLatePayment && o.Attention == payterm.AttentionLatePayment
			if o.Outcome != payterm.Approved || late != c.late || (len(did) == 0) != c.late {
				t.Errorf("%s, attention %q, reason %q, slips %v, devices %v", o.Outcome, o.Attention, o.Reason, w.slips,
					did)
			}
			w.boot() // the journal gives the same state
			if again, err := w.r.recall(o.ID); err != nil || again.Reason != o.Reason || again.Prints != o.Prints {
				t.Errorf("it folds to %s after %d slips, %v", again.Reason, again.Prints, err)
			}
		})
	}
}

// TestRefundedOnceInDoubtWasTold: the same for a refund.
func TestRefundedOnceInDoubtWasTold(t *testing.T) {
	w := newWorld(t, paid)
	w.scanSale(alipayCode)
	w.run(time.Second)
	w.press("CLEAR")
	w.answers = []payterm.Answer{paid, payterm.Pending{}}
	call := w.giveBack(w.order(0).ID, 500)
	w.run(2 * time.Second)
	w.full = true
	w.heard = func(payterm.Inquiry) payterm.Answer {
		return payterm.Refunded{PaidMinor: 1234, RefundedMinor: 500, Status: "partial_refunded"}
	}
	w.run(3 * time.Hour)
	if res := <-call.result; res.Order.Outcome != payterm.InDoubt {
		t.Errorf("the till hears %s", res.Order.Outcome)
	}
	w.full = false
	w.run(10 * time.Second)
	if o := w.refundNo(1); o.Outcome != payterm.Approved || o.Reason != payterm.ReasonLateRefund {
		t.Errorf("%s %s", o.Outcome, o.Reason)
	}
}

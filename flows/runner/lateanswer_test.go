package runner

import (
	"testing"
	"time"

	"payterm"
)

// TestAnswerAfterAStall: the disk stalls for 25 s in the scan's commit, so the answer comes after
// the order's deadline. It counts as in time.
func TestAnswerAfterAStall(t *testing.T) {
	for name, c := range map[string]struct {
		answer, then payterm.Answer
		want         func(payterm.Order) bool
	}{
		"ORDER_USED, then somebody else's payment": {payterm.Clash{}, payterm.Paid{PaidMinor: 1234, Status: "success",
			TradeClock: 1}, func(o payterm.Order) bool { return o.Outcome != payterm.Approved }},
		"success with another total, then failure": {payterm.Unclear{Why: "success with another total",
			Status: "success", Authentic: true, Alarm: true, Paid: true}, payterm.Failed{Status: "failure"},
			func(o payterm.Order) bool { return o.Outcome != payterm.Declined }},
		"alarm": {payterm.Lost{Why: "forged", Alarm: true}, payterm.Pending{Status: "notpay"},
			func(o payterm.Order) bool { return o.Attention == payterm.AttentionAlarm }},
	} {
		for _, stall := range []time.Duration{0, 25 * time.Second} {
			w := newWorld(t, c.answer)
			w.heard = func(payterm.Inquiry) payterm.Answer { return c.then }
			w.stalls = func(e payterm.Entry) time.Duration {
				if e.Event == "code_scanned" {
					return stall
				}
				return 0
			}
			w.scanSale(alipayCode)
			w.run(30 * time.Second)
			if o := w.order(0); !c.want(o) || len(w.sent) != 1 {
				t.Errorf("%s, stall %s: %s %s attention %q", name, stall, o.Outcome, o.Reason, o.Attention)
			}
		}
	}
}

// TestRefundAnswerAfterAStall: the same for REFUND; an alarm still counts.
func TestRefundAnswerAfterAStall(t *testing.T) {
	for name, answer := range map[string]payterm.Answer{
		"ORDER_USED": payterm.Clash{}, "forged": payterm.Lost{Why: "forged", Alarm: true},
		"another total": payterm.Unclear{Why: "x", Authentic: true, Alarm: true},
	} {
		for _, stall := range []time.Duration{0, 25 * time.Second} {
			w := newWorld(t, paid)
			w.scanSale(alipayCode)
			w.run(time.Second)
			w.press("CLEAR")
			w.stalls = func(e payterm.Entry) time.Duration {
				if e.Event == "inquiry_answered" && e.Order.Kind == payterm.KindRefund {
					return stall
				}
				return 0
			}
			w.answers = []payterm.Answer{paid, answer}
			w.giveBack(w.order(0).ID, 500)
			ask := w.pending[0]
			w.pending = w.pending[1:]
			ask()
			(<-w.r.inbox)() // the baseline comes and is committed
			w.r.Advance()   // which takes longer than the deadline of REFUND
			w.run(time.Second)
			if o := w.refundNo(1); o.Attention != payterm.AttentionAlarm {
				t.Errorf("%s, stall %s: %s, attention %q", name, stall, o.Outcome, o.Attention)
			}
		}
	}
}

package runner

import (
	"testing"
	"time"

	"payterm"
)

// TestRefundGrowsOld: a refund is sent within its window or not at all, whatever was slow.
func TestRefundGrowsOld(t *testing.T) {
	baseline := func(e payterm.Entry) bool {
		return e.Event == "inquiry_answered" && e.Order.Kind == payterm.KindRefund && e.Order.Outcome == payterm.Open
	}
	for name, c := range map[string]struct {
		stall time.Duration
		full  time.Duration
		sent  bool
	}{
		"nothing stalls":               {0, 0, true},
		"the disk stalls for 50 s":     {50 * time.Second, 0, true},
		"the disk stalls for 90 s":     {90 * time.Second, 0, false},
		"the disk is full for 40 s":    {0, 40 * time.Second, true},
		"the disk is full for 3 hours": {0, 3 * time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, paid)
			w.scanSale(alipayCode)
			w.run(time.Second)
			w.press("CLEAR")
			w.answers = []payterm.Answer{payterm.Lost{Why: "silence"}}
			w.giveBack(w.order(0).ID, 500)
			w.run(2 * time.Second)
			w.stalls = func(e payterm.Entry) time.Duration {
				if baseline(e) {
					return c.stall
				}
				return 0
			}
			w.full, w.answers = c.full > 0, []payterm.Answer{paid}
			w.run(c.full)
			w.full, w.answers = false, append(w.answers, payterm.Pending{})
			w.run(4 * time.Second)
			o := w.refundNo(1)
			if sent := len(w.answers) == 0; sent != c.sent {
				t.Errorf("REFUND left: %t, the refund is %s", sent, o.Outcome)
			}
			if !c.sent && (o.Outcome != payterm.NotSent || o.Reason != payterm.ReasonNoAnswer) {
				t.Errorf("%s %s", o.Outcome, o.Reason)
			}
		})
	}
}

package order

import (
	"testing"
	"time"

	"payterm"
)

// doubted returns the Step of a Passive order that has just left the counter in doubt.
func doubted(t *testing.T) (step func(time.Duration, Event) []Command) {
	t.Helper()
	var o Order
	step = func(at time.Duration, e Event) (cmds []Command) {
		o, cmds = Step(o, Stamped{Stamp: payterm.Stamp{Mono: at, Wall: time.UnixMilli(1e12).Add(at)}, Event: e})
		if err := o.Impossible(); err != nil {
			t.Fatal(err)
		}
		return cmds
	}
	step(time.Second, SaleBegan{ID: "T1AAAAA000001", Mode: payterm.Passive, AmountMinor: 100, Currency: "CAD",
		Rules: DefaultRules()})
	step(2*time.Second, CodeScanned{Code: payterm.NewPayCode("281234567890123456"), Wallet: payterm.Alipay, Key: "k",
		Began: 2 * time.Second})
	step(3*time.Second, PaymentAnswered{Reply: payterm.Reply{Answer: payterm.Lost{Why: "silence"}}})
	step(62*time.Second, Woke{})
	return step
}

// TestWishesLeaveTheLadder: frequent inquiries for a person do not climb the ladder, whose last
// pause is five minutes.
func TestWishesLeaveTheLadder(t *testing.T) {
	step := doubted(t)
	pending := InquiryAnswered{Reply: payterm.Reply{Answer: payterm.Pending{Status: "notpay"}}}
	asks := func(at time.Duration) bool {
		for _, c := range step(at, Woke{}) {
			if _, is := c.(Inquire); is {
				return true
			}
		}
		return false
	}
	step(62*time.Second, Restarted{}) // a known place on the ladder: 4, 4, 30, 60 s
	for at := 63 * time.Second; at < 66*time.Second; at += time.Second {
		step(at, InquiryAsked{})
		if !asks(at) {
			t.Fatalf("nobody is asked at %s", at)
		}
		step(at, InquiryAsked{}) // a second wish while one is pending changes nothing
		if asks(at) {
			t.Fatal("two are under way")
		}
		step(at, pending)
	}
	for _, at := range []time.Duration{66 * time.Second, 70 * time.Second, 100 * time.Second, 160 * time.Second} {
		if asks(at - time.Millisecond) {
			t.Errorf("it is asked about before %s", at)
		}
		if !asks(at) {
			t.Errorf("it is not asked about at %s", at)
		}
		step(at, pending)
	}
}

// TestLateReplyBesideAWish: the late end of a payment request does not end an inquiry that is
// running.
func TestLateReplyBesideAWish(t *testing.T) {
	step := doubted(t)
	if len(step(70*time.Second, Woke{})) != 1 {
		t.Fatal("no inquiry")
	}
	step(71*time.Second, InquiryAsked{})
	step(72*time.Second, PaymentAnswered{Reply: payterm.Reply{Answer: payterm.Pending{Status: "notpay"}}})
	if cmds := step(73*time.Second, Woke{}); len(cmds) != 0 {
		t.Errorf("beside the one that is under way: %v", cmds)
	}
}

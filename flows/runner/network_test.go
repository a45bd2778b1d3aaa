package runner

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/flows/counter"
)

// TestNetworkIsTrue: each exchange moves the word at once, both ways, and each change is logged
// once. A line that breaks before the first byte of a reply is a broken line.
func TestNetworkIsTrue(t *testing.T) {
	lost, log := payterm.Lost{Why: "the connection ended before a reply"}, bytes.Buffer{}
	w := newWorldWith(t, func(c *Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) }, lost)
	if _, any := w.r.way.age(w.r.now()); any {
		t.Error("before the first exchange something is known of the network")
	}
	w.r.exchanged(true, "")
	w.run(time.Minute)
	if n := w.r.counter.Shown.Status.Network; n != counter.NetworkUp {
		t.Fatalf("after a good exchange: %s", n)
	}
	if age, _ := w.r.way.age(w.r.now()); age != time.Minute {
		t.Errorf("a minute later it is %s old", age)
	}
	w.scanSale(alipayCode)
	w.run(time.Second)
	if n := w.r.counter.Shown.Status.Network; n != counter.NetworkDown {
		t.Errorf("after a sale that was lost: %s", n)
	}
	w.run(2 * time.Minute) // inquiries are lost as well
	w.press(payterm.KeyEnter)
	if v := w.r.counter.Shown; v.Name != counter.ViewIdle || v.Status.Network != counter.NetworkDown {
		t.Errorf("idle after it: %s, network %s", v.Name, v.Status.Network)
	}
	w.heard = func(payterm.Inquiry) payterm.Answer { return payterm.Pending{Status: "notpay"} }
	w.run(2 * time.Minute)
	if v := w.r.counter.Shown; v.Name != counter.ViewIdle || v.Status.Network != counter.NetworkUp {
		t.Errorf("once an inquiry is answered: %s, network %s", v.Name, v.Status.Network)
	}
	if age, any := w.r.way.age(w.r.now()); !any || age > 2*time.Minute {
		t.Errorf("its age is %s", age)
	}
	for text, n := range map[string]int{`msg="the gateway answers"`: 1, `msg="the gateway does not answer"`: 1,
		`msg="the gateway answers again"`: 1} {
		if got := strings.Count(log.String(), text); got != n {
			t.Errorf("%s stands %d times in the log", text, got)
		}
	}
}

// TestNetworkHeard: what each answer says of the way to the gateway.
func TestNetworkHeard(t *testing.T) {
	const up, down, nothing = counter.NetworkUp, counter.NetworkDown, counter.NetworkUnknown
	for _, x := range []struct {
		answer payterm.Answer
		says   counter.Network
	}{
		{payterm.Unsent{Why: "no connection"}, down}, {payterm.Unsent{TooOld: true}, nothing}, {payterm.Lost{}, down},
		{payterm.Rejected{}, up}, {payterm.Rejected{Unsent: true}, nothing}, {payterm.Pending{}, up}, {paid, up},
		{payterm.NotFound{}, up}, {payterm.Unclear{}, up},
	} {
		w := newWorld(t)
		if w.r.hear(x.answer); w.r.way.word != x.says {
			t.Errorf("%s: %s", payterm.AnswerName(x.answer), w.r.way.word)
		}
	}
}

package runner

import (
	"errors"
	"testing"
	"time"

	"payterm"
	"payterm/flows/order"
)

// hold calls Hold from outside the loop.
func (w *world) hold(d time.Duration, may func() error) (err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = w.r.Hold(w.t.Context(), d, may)
	}()
	return w.untilDone(done, &err)
}

// leave calls Leave from outside the loop.
func (w *world) leave(may func() error) (err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = w.r.Leave(w.t.Context(), may)
	}()
	return w.untilDone(done, &err)
}

func (w *world) untilDone(done chan struct{}, err *error) error {
	for {
		select {
		case f := <-w.r.inbox:
			f()
		case <-done:
			return *err
		}
	}
}

// TestHold: an idle counter can be blocked, and then nothing begins until the time is over.
func TestHold(t *testing.T) {
	w := newWorld(t)
	yes := func() error { return nil }
	no := errors.New("not yet")
	if err := w.hold(time.Minute, func() error { return no }); !errors.Is(err, no) {
		t.Errorf("the caller's word: %v", err)
	}
	w.r.Press("5")
	w.pump()
	if err := w.hold(time.Minute, yes); !errors.Is(err, ErrBusy) || w.r.counter.State() != "amount" {
		t.Errorf("at the keys: %v, %s", err, w.r.counter.State())
	}
	w.r.Press(payterm.KeyClear)
	w.r.Press(payterm.KeyClear)
	w.pump()
	if err := w.hold(time.Minute, yes); err != nil {
		t.Fatal(err)
	}
	w.r.Press("5")
	w.pump()
	if s := w.r.counter.State(); s != "idle" {
		t.Errorf("a key began %s", s)
	}
	if _, err := w.service(); !errors.Is(err, ErrBusy) {
		t.Errorf("somebody took it: %v", err)
	}
	w.now += time.Minute
	w.r.Press("5")
	w.pump()
	if s := w.r.counter.State(); s != "amount" {
		t.Errorf("it is held for ever: %s", s)
	}
}

// TestHoldAgain: repeated holds leave the counter free for most of the time.
func TestHoldAgain(t *testing.T) {
	w := newWorld(t)
	yes := func() error { return nil }
	held := time.Duration(0)
	for range 3600 { // one attempt a second for an hour
		w.now += time.Second
		w.hold(35*time.Second, yes) //nolint:errcheck // most are refused
		w.r.Press("5")
		w.pump()
		if w.r.counter.State() == "idle" {
			held += time.Second
			continue
		}
		w.r.Press(payterm.KeyClear)
		w.r.Press(payterm.KeyClear)
		w.pump()
	}
	if held < 35*time.Second || held > 5*time.Minute {
		t.Errorf("held for %s of an hour", held)
	}
}

// TestLeave: an order that began first goes on; after Leave nothing begins.
func TestLeave(t *testing.T) {
	w := newWorld(t)
	yes := func() error { return nil }
	no := errors.New("not yet")
	if err := w.leave(func() error { return no }); !errors.Is(err, no) {
		t.Errorf("the caller's word: %v", err)
	}
	w.r.Press("5")
	w.pump()
	if err := w.leave(yes); !errors.Is(err, ErrBusy) {
		t.Errorf("at the keys: %v", err)
	}
	w.r.Press(payterm.KeyClear)
	w.r.Press(payterm.KeyClear)
	w.pump()
	if err := w.leave(yes); err != nil {
		t.Fatal(err)
	}
	w.r.Press("5")
	w.pump()
	w.now += 24 * time.Hour
	w.r.Press("5")
	w.pump()
	if s := w.r.counter.State(); s != "idle" {
		t.Errorf("a key began %s", s)
	}
}

// TestRestAtATillsResult: a till presses no key. Some time after its sale the counter can be
// blocked although the result is still on the glass.
func TestRestAtATillsResult(t *testing.T) {
	yes := func() error { return nil }
	for name, ask := range map[string]func(*world) error{
		"hold":  func(w *world) error { return w.hold(time.Minute, yes) },
		"leave": func(w *world) error { return w.leave(yes) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, paid)
			call := newCall(t.Context())
			if err := w.r.askSale(order.SaleBegan{Mode: payterm.Passive, AmountMinor: 1234, Currency: "CAD"},
				call); err != nil {
				t.Fatal(err)
			}
			w.now += time.Second
			w.r.scan(payterm.NewPayCode(alipayCode), w.now)
			if err := ask(w); !errors.Is(err, ErrBusy) {
				t.Errorf("while it is sent: %v", err)
			}
			w.run(time.Second)
			if res := <-call.result; res.Order.Outcome != payterm.Approved {
				t.Fatalf("%+v", res)
			}
			if err := ask(w); !errors.Is(err, ErrBusy) {
				t.Errorf("at once: %v", err)
			}
			w.run(time.Minute)
			if err := ask(w); err != nil || w.screens[len(w.screens)-1] != "approved" {
				t.Errorf("a minute later: %v, %v", err, w.screens)
			}
		})
	}
}

package runner

import (
	"context"
	"errors"
	"testing"

	"payterm"
	"payterm/flows/counter"
)

// pump runs what waits for the loop.
func (w *world) pump() {
	for {
		select {
		case f := <-w.r.inbox:
			f()
		default:
			w.r.Advance()
			return
		}
	}
}

// service calls Service from outside the loop.
func (w *world) service() (*Service, error) {
	var s *Service
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		s, err = w.r.Service(w.t.Context())
	}()
	for {
		select {
		case f := <-w.r.inbox:
			f()
		case <-done:
			return s, err
		}
	}
}

func TestService(t *testing.T) {
	w := newWorld(t)
	s, err := w.service()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.service(); !errors.Is(err, ErrBusy) {
		t.Errorf("a second one: %v", err)
	}
	s.Show(counter.Trial{Step: counter.TrialKey, Key: "5"})
	w.r.Press("5")
	w.r.Scan(payterm.NewPayCode("281234567890123456"), w.now)
	for range 2 * serviceInput { // more than its bound, none read
		w.r.Press("6")
	}
	w.pump()
	if e := <-s.Input(); e != (counter.KeyPressed{Key: "5"}) {
		t.Errorf("first came %v", e)
	}
	if e, is := (<-s.Input()).(counter.Scanned); !is || e.Code.Reveal() != "281234567890123456" {
		t.Errorf("then came %v", e)
	}
	if n := len(s.Input()); n != serviceInput-2 {
		t.Errorf("%d wait", n)
	}
	s.End()
	s.Show(counter.Trial{Step: counter.TrialKey, Key: "5"}) // too late
	w.pump()
	for range serviceInput - 2 {
		<-s.Input()
	}
	select {
	case e, open := <-s.Input():
		if open {
			t.Errorf("after its end comes %v", e)
		}
	default:
		t.Error("the input is not closed")
	}
	if got := w.screens[len(w.screens)-1]; got != "idle" || w.r.service != nil || len(w.r.tickets) != 0 {
		t.Errorf("after its end: screen %s, %d tickets", got, len(w.r.tickets))
	}
	orders, err := w.store.Orders()
	if err != nil || len(orders) != 0 || len(w.sent) != 0 {
		t.Errorf("orders %v, payments %v, %v", orders, w.sent, err)
	}
}

// TestServiceIsTold: whatever takes the counter away, Input is closed.
func TestServiceIsTold(t *testing.T) {
	for name, take := range map[string]func(*world){
		"the journal fails":   func(w *world) { w.r.feed(counter.StoreFailed{Why: "full"}) },
		"nothing is shown":    func(w *world) { w.now += 1e12; w.r.Advance() },
		"an impossible state": func(w *world) { w.r.counter.PIN = "1"; w.r.feed(counter.KeyPressed{Key: "1"}) },
	} {
		w := newWorld(t)
		s, err := w.service()
		if err != nil {
			t.Fatal(err)
		}
		take(w)
		select {
		case _, open := <-s.Input():
			if open {
				t.Errorf("%s: input comes", name)
			}
		default:
			t.Errorf("%s: the holder is not told", name)
		}
	}
}

// TestServiceGivenUp: a caller that gives up meanwhile does not keep the counter.
func TestServiceGivenUp(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err := w.r.Service(ctx); err == nil { // the loop is not running
		t.Errorf("it has %v", s)
	}
	w.pump()
	if w.r.counter.Phase != counter.Idle || w.r.service != nil {
		t.Errorf("the counter is %v", w.r.counter.Phase)
	}
}

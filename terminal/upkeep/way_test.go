package upkeep

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"payterm/flows/counter"
	"payterm/terminal/notice"
)

// TestProbeDue: what a good exchange has said stands for a while, what a bad one has said does
// not, and no trouble makes a flood.
func TestProbeDue(t *testing.T) {
	up := Way{Rests: true, Network: counter.NetworkUp, Age: time.Minute, Rate: time.Minute}
	down := Way{Rests: true, Network: counter.NetworkDown, Age: 10 * time.Second}
	for _, x := range []struct {
		name     string
		change   func(*Way)
		way      Way
		linkBack bool
		probed   time.Duration
		due      bool
	}{
		{"nothing exchanged yet", func(w *Way) { w.Age, w.Network = -1, counter.NetworkUnknown }, up, false, time.Hour, true},
		{"nothing exchanged, asked just now", func(w *Way) { w.Age = -1 }, up, false, time.Second, false},
		{"good a minute ago", func(*Way) {}, up, false, time.Hour, false},
		{"good five minutes ago", func(w *Way) { w.Age = probeAfter }, up, false, time.Hour, true},
		{"somebody is served", func(w *Way) { w.Age, w.Rests = time.Hour, false }, up, false, time.Hour, false},
		{"good, and the rate is old", func(w *Way) { w.Rate = 2 * time.Hour }, up, false, time.Hour, true},
		{"good, and it tells no rate", func(w *Way) { w.Rate = -1 }, up, false, time.Minute, false},
		{"bad just now", func(*Way) {}, down, false, time.Hour, false},
		{"bad half a minute ago", func(w *Way) { w.Age = probeTrouble }, down, false, time.Hour, true},
		{"bad, and the cable is back", func(*Way) {}, down, true, time.Second, true},
		{"bad, and its probe was just now", func(w *Way) { w.Age = probeTrouble }, down, false, time.Second, false},
	} {
		if x.change(&x.way); x.way.due(x.linkBack, x.probed) != x.due {
			t.Errorf("%s: due %v", x.name, !x.due)
		}
	}
}

// line is a counter where nobody pays, with a gateway that answers or not.
type line struct {
	mu      sync.Mutex
	answers bool
	network counter.Network
	at      time.Time
	probes  []time.Time
}

func (l *line) Rests(context.Context) (bool, error) { return true, nil }
func (l *line) Tidy()                               {}
func (l *line) Redraw()                             {}
func (l *line) Way(context.Context) (Way, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := Way{Rests: true, Network: l.network, Age: time.Since(l.at), Rate: time.Minute}
	if l.network == counter.NetworkUnknown {
		w.Age = -1
	}
	return w, nil
}

func (l *line) Probe(context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.probes = append(l.probes, time.Now())
	l.exchanged(l.answers)
}

// exchanged is called with mu held.
func (l *line) exchanged(answered bool) {
	l.at, l.network = time.Now(), counter.NetworkDown
	if answered {
		l.network = counter.NetworkUp
	}
}

// TestReach: an idle hour costs few probes; a sale that failed is followed by one soon, and the
// word comes back with the first answer.
func TestReach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &line{answers: true, network: counter.NetworkUnknown}
		u := New(Options{Loop: l, Counter: l, GatewayURL: "http://127.0.0.1:1", Notices: notice.New(),
			Log: slog.New(slog.DiscardHandler)})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			u.reach(ctx)
			close(ended)
		}()
		time.Sleep(time.Hour + time.Second)
		l.mu.Lock()
		if n := len(l.probes); n < 11 || n > 13 {
			t.Errorf("%d probes in an idle hour", n)
		}
		l.probes, l.answers = nil, false
		l.exchanged(false) // a sale
		l.mu.Unlock()
		time.Sleep(10 * time.Minute)
		l.mu.Lock()
		if n := len(l.probes); n < 15 || n > 20 || l.network != counter.NetworkDown {
			t.Errorf("%d probes in ten minutes without a line, network %s", n, l.network)
		}
		l.answers = true
		l.mu.Unlock()
		time.Sleep(probeTrouble + IdleEvery)
		l.mu.Lock()
		if l.network != counter.NetworkUp {
			t.Errorf("half a minute after the line is whole again: network %s", l.network)
		}
		l.mu.Unlock()
		stop()
		<-ended
	})
}

package runner

import (
	"testing"
	"time"

	"payterm"
	"payterm/flows/counter"
)

// TestCodeGrowsOld: a code is sent within a minute of its scan or not at all, whether the disk,
// the loop or the gateway call is slow (invariant 23).
func TestCodeGrowsOld(t *testing.T) {
	const old = 61 * time.Second
	inScan := func(d time.Duration) func(payterm.Entry) time.Duration {
		return func(e payterm.Entry) time.Duration {
			if e.Event == "code_scanned" {
				return d
			}
			return 0
		}
	}
	for name, c := range map[string]struct {
		stalled func(w *world)
		sent    bool
	}{
		"nothing stalls": {func(w *world) { w.r.scan(payterm.NewPayCode(alipayCode), w.now) }, true},
		"the disk, in the scan's commit": {func(w *world) {
			w.stalls = inScan(75 * time.Second)
			w.r.scan(payterm.NewPayCode(alipayCode), w.now)
		}, false},
		"the disk, for less": {func(w *world) {
			w.stalls = inScan(50 * time.Second)
			w.r.scan(payterm.NewPayCode(alipayCode), w.now)
		}, true},
		"the loop, and then the disk": {func(w *world) {
			began := w.now
			w.now += 40 * time.Second
			w.stalls = inScan(21 * time.Second)
			w.r.scan(payterm.NewPayCode(alipayCode), began)
		}, false},
		"the loop": {func(w *world) {
			began := w.now
			w.now += old
			w.r.scan(payterm.NewPayCode(alipayCode), began)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, paid)
			w.press("1", "2", "3", "4", payterm.KeyEnter)
			w.now += time.Second
			c.stalled(w)
			w.stalls = nil
			w.run(time.Second)
			o := w.order(0)
			if c.sent {
				if len(w.sent) != 1 || o.Outcome != payterm.Approved {
					t.Errorf("%d sent, %+v", len(w.sent), o)
				}
				return
			}
			if len(w.sent) != 0 || o.Outcome != payterm.NotSent || o.Reason != payterm.ReasonCodeTooOld {
				t.Errorf("%d sent, %s %s", len(w.sent), o.Outcome, o.Reason)
			}
			if last := w.screens[len(w.screens)-1]; last != string(counter.ViewNotSent) ||
				w.r.way.word == counter.NetworkDown {
				t.Errorf("screen %s, network %s", last, w.r.way.word)
			}
		})
	}
}

// TestCodeAgeOnTheWay: the gateway client gets the age that the code has by then, also when it
// dials again.
func TestCodeAgeOnTheWay(t *testing.T) {
	w := newWorld(t, payterm.Unsent{Why: "no route"}, payterm.Unsent{Why: "no route"}, paid)
	var ages []payterm.CodeAge
	w.paying = func(p payterm.Payment) { ages = append(ages, p.Age) }
	w.scanSale(alipayCode)
	scanned := w.now
	w.run(10 * time.Second)
	if len(ages) != 3 || w.order(0).Outcome != payterm.Approved {
		t.Fatalf("%d attempts, %+v", len(ages), w.order(0))
	}
	for w.now = scanned; w.now < scanned+70*time.Second; w.now += 10 * time.Second {
		for i, age := range ages {
			if age.TooOld() != (w.now >= scanned+time.Minute) {
				t.Errorf("attempt %d, %s after the scan: too old is %t", i+1, w.now-scanned, age.TooOld())
			}
		}
	}
	active := newWorld(t, payterm.CodeMade{CodeURL: "weixin://x"})
	active.paying = func(p payterm.Payment) { ages = append(ages, p.Age) }
	active.press("5", payterm.KeyF1)
	active.run(time.Second)
	active.now += time.Hour
	if len(ages) != 4 || ages[3].TooOld() {
		t.Errorf("a code that the terminal asks for grows old: %+v", ages[len(ages)-1])
	}
}

package emulated

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"payterm"
	"payterm/board"
	"payterm/drivers/printer"
)

// TestLateAnswers: a printer whose answers come late is known after some looks and stays so. No late
// answer is taken for that to another question: the end of the roll would be an open cover.
func TestLateAnswers(t *testing.T) {
	t.Parallel()
	r, want := slip(60)
	for _, p := range []board.Printer{{Status: true}, {Tells: true}} {
		for _, late := range []time.Duration{0, 100, 350, 400, 800, 1300, 1500, 2000, 2300} {
			for _, pause := range []time.Duration{0, 1000, 5000} {
				t.Run(fmt.Sprintf("tells %t, %d ms late, each %d ms", p.Tells, late, pause), func(t *testing.T) {
					t.Parallel()
					p, late := p, late*time.Millisecond
					p.Baud, p.Buffer, p.Speed, p.Cut = 38400, 1024, 50, true
					w := newWire(t, p)
					w.chip.answering(late, 1)
					if err := w.chip.sensors("near_end", ""); err != nil {
						t.Fatal(err)
					}
					d, err := printer.New(w, options(p, w))
					if err != nil {
						t.Fatal(err)
					}
					look := func() payterm.PaperCondition {
						w.sleep(pause * time.Millisecond)
						return d.Condition(t.Context())
					}
					for i, since := 0, w.now; ; i++ {
						began, c := w.now, look()
						if c == payterm.PaperNearEnd {
							break
						}
						if c != payterm.PaperUnknown || i > 6 && w.now-since > 10*time.Second {
							t.Fatalf("look %d: %s", i, c)
						}
						if took := w.now - began - pause*time.Millisecond; took > 3*time.Second {
							t.Errorf("look %d took %s", i, took)
						}
					}
					for i := range 30 {
						if i >= 10 && i < 20 { // answers come at once for a while
							w.chip.answering(0, 1)
						} else {
							w.chip.answering(late, 1)
						}
						if c := look(); c != payterm.PaperNearEnd && (i > 2 || c != payterm.PaperUnknown) {
							t.Fatalf("then look %d: %s", i, c)
						}
					}
					for range 3 {
						w.chip.tear()
						began := w.now
						if err := d.Print(t.Context(), r); err != nil {
							t.Fatal(err)
						}
						if took := w.now - began; took > 8*time.Second+9*late {
							t.Errorf("a slip took %s", took)
						}
						if got := printedLines(w.words()); !slices.Equal(got, want) {
							t.Fatalf("on paper are %q", got)
						}
					}
					if err := w.chip.sensors("out", ""); err != nil {
						t.Fatal(err)
					}
					if d.Condition(t.Context()); d.Condition(t.Context()) != payterm.PaperOut {
						t.Error("without paper")
					}
					w.want()
				})
			}
		}
	}
}

// TestAnswersBecomeLate: a printer that has answered at once, and then answers late, is not called
// silent, whatever it is asked when.
func TestAnswersBecomeLate(t *testing.T) {
	t.Parallel()
	for _, p := range []board.Printer{{Status: true}, {Tells: true}} {
		for _, late := range []time.Duration{400, 1300, 1500, 2000, 2300} {
			p.Baud, p.Buffer, p.Speed = 38400, 1024, 50
			w := newWire(t, p)
			if err := w.chip.sensors("near_end", ""); err != nil {
				t.Fatal(err)
			}
			d := answering(t, w, options(p, w))
			for i := range 60 {
				w.chip.answering(late*time.Millisecond*time.Duration(i%7%2), 1)
				w.sleep(time.Duration(i%3) * time.Second)
				if c := d.Condition(t.Context()); c != payterm.PaperNearEnd {
					t.Fatalf("tells %t, %d ms late, look %d: %s", p.Tells, late, i, c)
				}
			}
		}
	}
}

// TestPrinterAnswersTwice: a printer that answers each request twice is read aright, and what it
// prints while its power was off for a moment is noticed. One that did so before and no longer does
// prints its slips, too.
func TestPrinterAnswersTwice(t *testing.T) {
	t.Parallel()
	r, want := slip(100)
	for name, p := range map[string]board.Printer{
		"asked": {Status: true}, "asked, in turn": {Status: true}, "tells": {Tells: true},
	} {
		for _, times := range []int{2, 3} {
			t.Run(fmt.Sprintf("%s, %d times", name, times), func(t *testing.T) {
				t.Parallel()
				p := p
				p.Baud, p.Buffer, p.Speed, p.Cut = 38400, 8192, 60, true
				w := newWire(t, p)
				w.chip.answering(0, times)
				w.chip.inTurn = name == "asked, in turn"
				if err := w.chip.sensors("near_end", ""); err != nil {
					t.Fatal(err)
				}
				o := options(p, w)
				o.Speed = 50
				d := answering(t, w, o)
				for i := range 5 {
					if c := d.Condition(t.Context()); c != payterm.PaperNearEnd {
						t.Fatalf("look %d: %s", i, c)
					}
				}
				prints := func() {
					t.Helper()
					w.chip.tear()
					if err := d.Print(t.Context(), r); err != nil {
						t.Fatal(err)
					}
					if got := printedLines(w.words()); !slices.Equal(got, want) {
						t.Fatalf("on paper are %q", got)
					}
				}
				prints()
				prints()
				for _, begin := range []time.Duration{100, 900, 4000} {
					for _, away := range []time.Duration{1000, 4000} {
						off := w.now + begin*time.Millisecond
						w.at[off] = func() { w.chip.power(false) }
						w.at[off+away*time.Millisecond] = func() { w.chip.power(true) }
						w.chip.tear()
						err := d.Print(t.Context(), r)
						if got := printedLines(w.words()); err == nil && !slices.Equal(got, want) {
							t.Errorf("off after %d ms for %d, and on paper are %q", begin, away, got)
						}
						for range 3 {
							w.sleep(time.Second)
							d.Condition(t.Context())
						}
						if err := d.Print(t.Context(), r); err != nil {
							t.Fatal(err)
						}
					}
				}
				w.chip.answering(0, 1)
				for i := 0; ; i++ {
					err := d.Print(t.Context(), r)
					if err == nil {
						break
					}
					if i == 2 {
						t.Fatalf("it repeats nothing any more: %v", err)
					}
					w.words()
				}
				w.words()
				prints()
			})
		}
	}
}

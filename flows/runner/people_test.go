package runner

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
)

// staffed makes the world's terminal one with operators: 7 is Marie, 9 is Wei, a
// supervisor; their PINs are these.
func (w *world) staffed(more func(*Config)) {
	pins := map[string]string{"7": "4711", "9": "2718"}
	names := map[string]counter.Operator{"7": {Number: "7", Name: "Marie"},
		"9": {Number: "9", Name: "Wei", Supervisor: true}}
	w.alter = func(c *Config) {
		c.Settings.SignOn, c.Settings.PINSet, c.Settings.SupervisorsNamed = true, true, true
		c.PIN = func(number string, pin counter.PIN) (counter.Operator, bool) {
			return names[number], pins[number] != "" && pins[number] == string(pin)
		}
		c.Whose = func(number string) string {
			if pins[number] != "" {
				return number
			}
			return fmt.Sprintf("unknown-%d", len(number))
		}
		if more != nil {
			more(c)
		}
	}
}

// typed presses keys, a letter each.
func (w *world) typed(keys string) {
	for _, k := range keys {
		key := payterm.Key(string(k))
		switch k {
		case 'E':
			key = payterm.KeyEnter
		case 'X':
			key = payterm.KeyCancel
		case 'F':
			key = payterm.KeyF4
		}
		w.r.feed(counter.KeyPressed{Key: key})
	}
}

// deeds are what the journal knows of persons.
func (w *world) deeds() []string {
	w.t.Helper()
	list, err := w.store.People()
	if err != nil {
		w.t.Fatal(err)
	}
	var deeds []string
	for _, d := range list {
		s := fmt.Sprintf("%s %s %d", d.Deed, d.Operator, d.Failures)
		if d.Wait > 0 {
			s += fmt.Sprintf(" waits %d", d.Wait)
		}
		deeds = append(deeds, s)
	}
	return deeds
}

// TestPeople signs on and off, is refused, locked out and allowed something, and finds
// all of it in the journal, and in no place a PIN, nor a number that nobody has.
func TestPeople(t *testing.T) {
	w := &world{t: t, path: filepath.Join(t.TempDir(), "payterm.db")}
	w.staffed(nil)
	w.boot()
	w.typed("8812E4711E") // a PIN in the place of a number
	w.run(time.Second)
	w.typed("7E1E")
	w.run(time.Second)
	w.typed("7E4711E")
	w.run(time.Second)
	if got := w.r.terminal.Operator.Name; got != "Marie" {
		t.Fatalf("%q is signed on", got)
	}
	for range 3 { // his own PIN allows nothing, and is one wrong PIN like any other
		w.r.feed(counter.RefundAsked{Ticket: 99, Refund: order.RefundBegan{SaleID: "T1ZZZZA000009", AmountMinor: 5,
			Currency: "CAD"}})
		w.typed("7E4711E")
		w.run(time.Second)
		w.typed("X")
	}
	w.typed("XF")
	w.boot()
	if w.r.terminal.Phase != counter.SignedOff {
		t.Fatalf("after a start the counter is %s", w.r.terminal.Phase)
	}
	w.typed("7E4711E") // it is right, and he has to wait
	w.run(time.Second)
	if v := w.r.terminal.Shown; v.Name != counter.ViewRefused || v.Reason != payterm.ReasonLocked ||
		v.Left <= 50*time.Second {
		t.Errorf("%+v", v)
	}
	w.typed("X9E2718EX") // he is gone before the comparison ends
	w.run(time.Second)
	w.run(time.Minute)
	w.typed("X7E4711E")
	w.run(time.Second)
	if got := w.r.terminal.Operator.Name; got != "Marie" {
		t.Errorf("%q is signed on after the wait", got)
	}
	want := []string{
		"pin_tried unknown-4 1", "pin_refused unknown-4 1", "pin_tried 7 1", "pin_refused 7 1", "pin_tried 7 2",
		"signed_on 7 0",
		"pin_tried 7 1", "pin_refused 7 1", "pin_tried 7 2", "pin_refused 7 2", "pin_tried 7 3",
		"locked_out 7 3 waits 60", "signed_off 7 3",
		"pin_tried 9 1", "accepted_late 9 0", "pin_tried 7 4", "signed_on 7 0",
	}
	if got := w.deeds(); !slices.Equal(got, want) {
		t.Errorf("the journal has\n%q, want\n%q", got, want)
	}
	if v, err := w.store.Verify(t.Context()); err != nil || v.Records != int64(len(want)) {
		t.Errorf("%+v %v", v, err)
	}
	if err := w.store.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{w.path, w.path + "-wal"} {
		kept, err := os.ReadFile(file)
		for _, secret := range []string{"4711", "2718", "8812"} {
			if err != nil || bytes.Contains(kept, []byte(secret)) {
				t.Errorf("%s holds %s: %v", file, secret, err)
			}
		}
	}
}

// TestNobodyOnAFullDisk: what cannot be written down does not happen.
func TestNobodyOnAFullDisk(t *testing.T) {
	w := &world{t: t, path: filepath.Join(t.TempDir(), "payterm.db")}
	compared := 0
	w.staffed(func(c *Config) {
		pin := c.PIN
		c.PIN = func(number string, p counter.PIN) (counter.Operator, bool) { compared++; return pin(number, p) }
	})
	w.boot()
	w.full = true
	w.typed("7E4711E")
	w.run(time.Second)
	if compared != 0 || w.r.terminal.Operator != (counter.Operator{}) || w.r.terminal.Phase != counter.OutOfOrder {
		t.Errorf("%d PINs compared, %q signed on, %s", compared, w.r.terminal.Operator.Name, w.r.terminal.Phase)
	}
	w.full = false
	w.run(2 * time.Second)
	w.typed("7E4711E")
	w.full = true // while it is compared
	w.run(time.Second)
	if compared != 1 || w.r.terminal.Operator != (counter.Operator{}) || w.r.terminal.Phase != counter.OutOfOrder {
		t.Errorf("%d PINs compared, %q signed on, %s", compared, w.r.terminal.Operator.Name, w.r.terminal.Phase)
	}
	w.full = false
	w.run(2 * time.Second)
	w.typed("7E4711E")
	w.run(time.Second)
	if w.r.terminal.Operator.Name != "Marie" {
		t.Errorf("%q is signed on once there is room", w.r.terminal.Operator.Name)
	}
}

// bent is a memory of persons that is wrong.
type bent struct {
	People
	record   func(payterm.PersonRecord) bool // what is kept
	failures func(map[string]int)
}

func (b bent) Record(stamp payterm.Stamp, p payterm.PersonRecord) error {
	if b.record != nil && !b.record(p) {
		return nil
	}
	return b.People.Record(stamp, p)
}

func (b bent) Failures() (map[string]int, error) {
	f, err := b.People.Failures()
	if b.failures != nil {
		b.failures(f)
	}
	return f, err
}

// besiege guesses Marie's PIN with all that a thief has: time, and the plug. It fails
// when a guess is compared sooner than the guesses before it allow, by the clock of
// the life that it is made in.
func besiege(t *testing.T, seed uint64, bend func(People) People) error {
	chance := rand.New(rand.NewPCG(seed, 7))
	w := &world{t: t, path: filepath.Join(t.TempDir(), "payterm.db")}
	guesses, since := 0, time.Duration(0) // since the last guess, or the start
	var found error
	w.staffed(func(c *Config) {
		c.People = bend(c.People)
		c.PIN = func(string, counter.PIN) (counter.Operator, bool) {
			// The rule in other words than the product's: 1, 2, 4 ... 60 minutes from
			// the third on.
			minutes := []int{0, 0, 0, 1, 2, 4, 8, 16, 32, 60}[min(guesses, 9)]
			if passed := w.now - since; passed < time.Duration(minutes)*time.Minute && found == nil {
				found = fmt.Errorf("seed %d: guess %d is compared %v after the one before or the start, not %d min",
					seed, guesses+1, passed, minutes)
			}
			guesses++
			since = w.now
			return counter.Operator{}, false
		}
	})
	w.boot()
	for range 60 {
		w.typed("XX7E1E")
		switch chance.IntN(6) {
		case 0: // the plug, before the comparison
			w.boot()
			since = w.now
		case 1: // and as soon as it is made
			if len(w.pending) > 0 {
				w.pending[0]()
			}
			w.boot()
			since = w.now
		}
		w.run([]time.Duration{time.Second, 30 * time.Second, 2 * time.Minute, 40 * time.Minute,
			61 * time.Minute}[chance.IntN(5)])
		if chance.IntN(8) == 0 {
			w.boot()
			since = w.now
		}
	}
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	if found == nil && guesses < 8 {
		found = fmt.Errorf("seed %d: %d guesses prove nothing", seed, guesses)
	}
	return found
}

// TestNoRestartShortensALock: and memories that are wrong are found out.
func TestNoRestartShortensALock(t *testing.T) {
	for name, bend := range map[string]func(People) People{
		"": func(p People) People { return p },
		"a guess counts only once it was wrong": func(p People) People {
			return bent{People: p, record: func(r payterm.PersonRecord) bool { return r.Deed != payterm.DeedTried }}
		},
		"a restart forgets": func(p People) People {
			return bent{People: p, failures: func(f map[string]int) { clear(f) }}
		},
		"a restart forgives one": func(p People) People {
			return bent{People: p, failures: func(f map[string]int) { f["7"]-- }}
		},
	} {
		var found error
		for seed := uint64(0); seed < 4 && found == nil; seed++ {
			found = besiege(t, seed, bend)
		}
		if (name == "") != (found == nil) {
			t.Errorf("%q: %v", name, found)
		}
	}
}

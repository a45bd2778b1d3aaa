package runner

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
)

// staffed configures operators: 7 is Marie, 9 is Wei, a supervisor.
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

// typed presses keys, one letter each.
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

// deeds are the person records in the journal.
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
		if d.Whom != "" {
			s += " of " + d.Whom
		}
		deeds = append(deeds, s)
	}
	return deeds
}

// TestPeople signs on and off, is refused, locked out and allowed something. All of it is in the
// journal, but no PIN, nor a number that does not exist.
func TestPeople(t *testing.T) {
	w := &world{t: t, path: filepath.Join(t.TempDir(), "payterm.db")}
	w.staffed(nil)
	w.boot()
	w.typed("8812E4711E") // a PIN typed instead of a number
	w.run(time.Second)
	w.typed("7E1E")
	w.run(time.Second)
	w.typed("7E4711E")
	w.run(time.Second)
	if got := w.r.counter.Operator.Name; got != "Marie" {
		t.Fatalf("%q is signed on", got)
	}
	for range 3 { // an operator's own PIN allows nothing, and counts as a wrong one
		w.r.feed(counter.RefundAsked{Ticket: 99, Refund: order.RefundBegan{SaleID: "T1ZZZZA000009", AmountMinor: 5,
			Currency: "CAD"}})
		w.typed("7E4711E")
		w.run(time.Second)
		w.typed("X")
	}
	w.typed("XF")
	w.boot()
	if w.r.counter.Phase != counter.SignedOff {
		t.Fatalf("after a start the counter is %s", w.r.counter.Phase)
	}
	w.typed("7E4711E") // the right PIN during the wait
	w.run(time.Second)
	if v := w.r.counter.Shown; v.Name != counter.ViewRefused || v.Reason != payterm.ReasonLocked ||
		v.Left <= 50*time.Second {
		t.Errorf("%+v", v)
	}
	w.typed("X9E2718EX") // the prompt is left before the comparison ends
	w.run(time.Second)
	w.run(time.Minute)
	w.typed("X7E4711E")
	w.run(time.Second)
	if got := w.r.counter.Operator.Name; got != "Marie" {
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

// TestNobodyOnAFullDisk: nothing happens that cannot be stored.
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
	if compared != 0 || w.r.counter.Operator != (counter.Operator{}) || w.r.counter.Phase != counter.OutOfOrder {
		t.Errorf("%d PINs compared, %q signed on, %s", compared, w.r.counter.Operator.Name, w.r.counter.Phase)
	}
	w.full = false
	w.run(2 * time.Second)
	w.typed("7E4711E")
	w.full = true // during the comparison
	w.run(time.Second)
	if compared != 1 || w.r.counter.Operator != (counter.Operator{}) || w.r.counter.Phase != counter.OutOfOrder {
		t.Errorf("%d PINs compared, %q signed on, %s", compared, w.r.counter.Operator.Name, w.r.counter.Phase)
	}
	w.full = false
	w.run(2 * time.Second)
	w.typed("7E4711E")
	w.run(time.Second)
	if w.r.counter.Operator.Name != "Marie" {
		t.Errorf("%q is signed on once there is room", w.r.counter.Operator.Name)
	}
}

// faultyPeople is a People with a planted bug.
type faultyPeople struct {
	People
	record   func(payterm.PersonRecord) bool // what is stored
	failures func(map[string]int)
}

func (b faultyPeople) Record(stamp payterm.Stamp, p payterm.PersonRecord) error {
	if b.record != nil && !b.record(p) {
		return nil
	}
	return b.People.Record(stamp, p)
}

func (b faultyPeople) Failures() (map[string]int, error) {
	f, err := b.People.Failures()
	if b.failures != nil {
		b.failures(f)
	}
	return f, err
}

// guessPINs guesses Marie's PIN with time and power cuts. It returns an error if a guess is
// compared sooner than the earlier guesses allow, by the clock of the same run.
func guessPINs(t *testing.T, seed uint64, bend func(People) People) error {
	chance := rand.New(rand.NewPCG(seed, 7))
	w := &world{t: t, path: filepath.Join(t.TempDir(), "payterm.db")}
	guesses, since := 0, time.Duration(0) // since the last guess, or the start
	var found error
	w.staffed(func(c *Config) {
		c.People = bend(c.People)
		c.PIN = func(string, counter.PIN) (counter.Operator, bool) {
			// The rule, written independently: 1, 2, 4 ... 60 minutes from the third guess on.
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
		case 0: // power cut before the comparison
			w.boot()
			since = w.now
		case 1: // or right after it
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

// TestNoRestartShortensALock: and planted bugs are found.
func TestNoRestartShortensALock(t *testing.T) {
	for name, bend := range map[string]func(People) People{
		"": func(p People) People { return p },
		"a guess counts only once it was wrong": func(p People) People {
			return faultyPeople{People: p,
				record: func(r payterm.PersonRecord) bool { return r.Deed != payterm.DeedTried }}
		},
		"a restart forgets": func(p People) People {
			return faultyPeople{People: p, failures: func(f map[string]int) { clear(f) }}
		},
		"a restart forgives one": func(p People) People {
			return faultyPeople{People: p, failures: func(f map[string]int) { f["7"]-- }}
		},
	} {
		var found error
		for seed := uint64(0); seed < 4 && found == nil; seed++ {
			found = guessPINs(t, seed, bend)
		}
		if (name == "") != (found == nil) {
			t.Errorf("%q: %v", name, found)
		}
	}
}

// TestNewPIN: the journal has a new PIN only once it is hashed, and before it holds; whoever had to
// wait for wrong PINs signs on with the new one at once, also after a start.
func TestNewPIN(t *testing.T) {
	w := &world{t: t, path: filepath.Join(t.TempDir(), "payterm.db")}
	pin, known := "4711", errors.New("no more operators")
	w.staffed(func(c *Config) {
		before := c.PIN
		c.Settings.Staff = true
		c.PIN = func(number string, typed counter.PIN) (counter.Operator, bool) {
			if number == "7" {
				return counter.Operator{Number: "7", Name: "Marie"}, string(typed) == pin
			}
			return before(number, typed)
		}
		c.Person = func(number string) (counter.Operator, bool) { return counter.Operator{}, number == "7" }
		c.NewPIN = func(number string, typed counter.PIN) (func() error, error) {
			if number != "7" {
				return nil, known
			}
			if slices.ContainsFunc(w.deeds(), func(s string) bool { return strings.HasPrefix(s, "pin_changed") }) {
				t.Error("it is in the journal before it is hashed")
			}
			return func() error {
				if did := w.deeds(); did[len(did)-1] != "pin_changed 9 0 of 7" {
					t.Errorf("it holds before it is in the journal: %q", did)
				}
				pin = string(typed)
				return nil
			}, nil
		}
	})
	sets := func(number string) {
		t.Helper()
		w.r.feed(counter.KeyPressed{Key: payterm.KeyF2})
		for _, keys := range []string{"9E2718E", number + "E", "5555E5555E"} {
			w.typed(keys)
			w.run(time.Second)
		}
	}
	w.boot()
	for range 3 {
		w.typed("X7E1E")
		w.run(time.Second)
	}
	w.typed("X")
	w.run(time.Second)
	sets("8")
	if v := w.r.counter.Shown; v.Reason != payterm.ReasonStorage {
		t.Errorf("%+v", v)
	}
	w.typed("X")
	if got := w.deeds(); strings.Contains(strings.Join(got, "; "), "operator_added") {
		t.Errorf("added by the journal alone: %q", got)
	}
	sets("7")
	w.typed("E")
	for range 2 {
		w.typed("7E5555E")
		w.run(time.Second)
		if got := w.r.counter.Operator.Name; got != "Marie" {
			t.Errorf("%q is signed on: %+v", got, w.r.counter.Shown)
		}
		w.boot()
	}
}

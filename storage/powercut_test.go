package storage

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm"
)

const (
	childMode = "PAYTERM_STORAGE_TEST_CHILD" // what the test binary does as a child process
	childDir  = "PAYTERM_STORAGE_TEST_DIR"
)

func TestMain(m *testing.M) {
	mode := os.Getenv(childMode)
	if mode == "" {
		if err := flag.Set("rapid.checks", "40"); err != nil { // -rapid.checks on the command line wins
			panic(err)
		}
		os.Exit(m.Run())
	}
	if err := child(mode, filepath.Join(os.Getenv(childDir), "payterm.db")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0) // nothing is closed, as after a kill
}

// ack reports outside the process what is safe. strace records it among the writes.
func ack(format string, args ...any) {
	if os.Getenv(childMode) == "" {
		return
	}
	fmt.Fprintf(os.Stdout, "ack "+format+"\n", args...)
}

func childStore(path string, now time.Time, tags ...string) (*Store, error) {
	return Open(Options{Path: path, Terminal: "T1", Now: func() time.Time { return now },
		DrawTag: func() (string, error) {
			if len(tags) == 0 {
				return "", errors.New("no more tags")
			}
			tag := tags[0]
			tags = tags[1:]
			return tag, nil
		}})
}

func child(mode, path string) error {
	mode, arg, _ := strings.Cut(mode, " ")
	switch mode {
	case "commits": // as the agent does
		s, err := childStore(filepath.Join(filepath.Dir(path), "new", "payterm.db"), evening, "AAAAA")
		if err != nil {
			return err
		}
		for range 40 {
			if err := childSale(s, s.Commit); err != nil {
				return err
			}
		}
		return nil
	case "life", "early", "unsynced":
		return childLife(mode, path, arg)
	case "pressure":
		return childPressure(path)
	case "reserve":
		return childReserve(path)
	}
	return fmt.Errorf("no mode %q", mode)
}

// childLife plays days of sales, checkpoints, totals and retention, with a log that wraps often,
// and acknowledges each step once it is safe, or with a bug before that.
func childLife(mode, path, tag string) error {
	s, err := childStore(path, evening, tag)
	if err != nil {
		return err
	}
	ack("tag %s", tag)
	pragma := `PRAGMA wal_autocheckpoint = 30`
	if mode == "unsynced" {
		pragma = `PRAGMA synchronous = OFF`
	}
	if _, err := s.db.Exec(pragma); err != nil {
		return err
	}
	for i := range 36 {
		if err := childSale(s, s.Commit); err != nil {
			return err
		}
		switch i % 12 {
		case 5:
			err = s.Checkpoint()
		case 11:
			ack("z")
			if _, err = s.TakeZ(noTaker); err == nil {
				_, err = s.Prune(Old{Wall: evening.Add(time.Hour)})
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// childSale commits a sale in two events and acknowledges each; in mode early, before it is safe.
func childSale(s *Store, store func(...payterm.Entry) error) error {
	id, err := s.NextOrderID()
	if err != nil {
		return err
	}
	ack("id %s", id)
	for _, e := range []payterm.Entry{entry(id, "sale_began", payterm.Open),
		entry(id, "payment_answered", payterm.Approved)} {
		early := strings.HasPrefix(os.Getenv(childMode), "early")
		if early {
			ack("event %s %s", id, e.Order.Outcome)
		}
		if err := store(e); err != nil {
			return err
		}
		if !early {
			ack("event %s %s", id, e.Order.Outcome)
		}
	}
	return nil
}

// promised is what was acknowledged up to a moment.
type promised struct {
	tags   []string
	ids    map[payterm.OrderID]bool
	events map[payterm.OrderID]payterm.Outcome
	late   map[payterm.OrderID]bool // retention may have dropped it
}

func newPromised() *promised {
	return &promised{ids: map[payterm.OrderID]bool{}, events: map[payterm.OrderID]payterm.Outcome{},
		late: map[payterm.OrderID]bool{}}
}

func (p *promised) hear(said string) {
	words := strings.Fields(said)
	switch words[0] {
	case "tag":
		p.tags = append(p.tags, words[1])
	case "id":
		p.ids[payterm.OrderID(words[1])] = true
	case "event":
		p.events[payterm.OrderID(words[1])] = payterm.Outcome(words[2])
	case "z":
		for id := range p.events {
			p.late[id] = true
		}
	}
}

// broken opens what a power cut left and returns the broken promise.
func (p *promised) broken(path string) error {
	fresh := fmt.Sprintf("Z%04d", len(p.tags))
	s, err := childStore(path, evening, append(slices.Clone(p.tags), fresh)...)
	if err != nil {
		return fmt.Errorf("it does not open: %w", err)
	}
	err = p.brokenIn(s)
	return errors.Join(err, s.Close())
}

func (p *promised) brokenIn(s *Store) error {
	if slices.Contains(p.tags, s.BootTag()) {
		return fmt.Errorf("tag %s is given again", s.BootTag())
	}
	for id, outcome := range p.events {
		o, found, err := s.Order(id)
		if err != nil {
			return err
		}
		if !found && p.late[id] {
			continue
		}
		if !found || outcome == payterm.Approved && o.Outcome != payterm.Approved {
			return fmt.Errorf("order %s was acknowledged as %s and is lost (%v, %s)", id, outcome, found, o.Outcome)
		}
		want := 1
		if outcome == payterm.Approved {
			want = 2
		}
		events, err := s.Events(id)
		if err != nil {
			return err
		}
		if len(events) < want {
			return fmt.Errorf("order %s has %d events of %d that were acknowledged", id, len(events), want)
		}
	}
	if _, err := s.Verify(context.Background()); err != nil {
		return err
	}
	id, err := s.NextOrderID()
	if err != nil {
		return err
	}
	if p.ids[id] {
		return fmt.Errorf("order id %s is given again", id)
	}
	return s.Commit(entry(id, "sale_began", payterm.Open))
}

// powerCuts cuts the power after every acknowledgement, before every sync and at random moments
// in between. It returns how often and which promises broke; with stop it ends at the first.
func powerCuts(t *testing.T, calls []call, stop bool) (cuts int, broken []string) {
	t.Helper()
	root := scratch(t)
	chance := rand.New(rand.NewPCG(1, 2))
	d, p := newDisk(), newPromised()
	cut := func(i int) {
		of := rand.New(rand.NewPCG(uint64(i), 3))
		if chance.IntN(3) == 0 {
			of = nil // lose all that was not synced
		}
		dir := filepath.Join(root, fmt.Sprint(i))
		d.cut(t, dir, of)
		cuts++
		if err := p.broken(filepath.Join(dir, "payterm.db")); err != nil {
			broken = append(broken, fmt.Sprintf("cut before call %d of %d: %v", i, len(calls), err))
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	said := false // just before
	for i, c := range calls {
		if c.kind != "said" && (said || c.kind == "sync" || chance.IntN(8) == 0) {
			if cut(i); stop && len(broken) > 0 {
				return cuts, broken
			}
		}
		if said = c.kind == "said"; said {
			p.hear(c.said)
		} else {
			d.apply(c)
		}
	}
	cut(len(calls))
	return cuts, broken
}

// TestPowerCut: whatever a power cut leaves of the unsynced data, each acknowledged event is
// there, the chain is intact and no order id is repeated. The second run starts on the log that
// the first left behind.
func TestPowerCut(t *testing.T) {
	dir := scratch(t)
	calls := append(traced(t, dir, "life AAAAA"), traced(t, dir, "life BBBBB")...)
	cuts, broken := powerCuts(t, calls, false)
	if cuts < 300 {
		t.Errorf("only %d cuts", cuts)
	}
	for _, b := range broken {
		t.Error(b)
	}
	t.Logf("%d calls, %d cuts", len(calls), cuts)
}

// TestPowerCutCatches plants two bugs: a file that is not synced, and an acknowledgement before
// the commit.
func TestPowerCutCatches(t *testing.T) {
	for _, mode := range []string{"unsynced AAAAA", "early AAAAA"} {
		cuts, broken := powerCuts(t, traced(t, scratch(t), mode), true)
		if len(broken) == 0 {
			t.Errorf("%s: not caught in %d cuts", mode, cuts)
		}
		t.Logf("%s: caught in cut %d: %q", mode, cuts, broken)
	}
}

// TestOneSync: a commit syncs the log exactly once; before the first, the entry of a new
// directory is synced.
func TestOneSync(t *testing.T) {
	syncs, bytes, commits, began, named := 0, 0, 0, false, false
	for _, c := range traced(t, scratch(t), "commits") {
		switch {
		case c.kind == "sync":
			syncs++
			named = named || c.name == "."
			if began && c.name != "new/payterm.db-wal" {
				t.Errorf("%s was synced", c.name)
			}
		case c.kind == "write":
			bytes += len(c.data)
		case strings.HasPrefix(c.said, "id "):
			if !began {
				began, bytes = true, 0
			}
			syncs = 0
		case strings.HasPrefix(c.said, "event "):
			if syncs != 1 {
				t.Errorf("%s: %d syncs", c.said, syncs)
			}
			syncs = 0
			commits++
		}
	}
	if commits != 80 || !named {
		t.Errorf("%d commits of 80; the new directory's name was synced: %v", commits, named)
	}
	if n := bytes / commits; n > 9000 {
		t.Errorf("%d bytes were written a commit", n)
	}
}

package flowstest

import (
	"errors"
	"fmt"
	"time"

	"payterm"
	"payterm/storage"
)

// wallClock is what the machine shows for the time of day, which may be wrong by any
// amount, for any time, and jump at any boundary.
type wallClock struct {
	unset   bool
	off     time.Duration
	changes int // how often it was set
	jumps   []jump
}

// jump is a change of the clock at a boundary.
type jump struct {
	at    int
	words []string
}

// built is the build date of the terminal's program: an earlier time cannot be true.
var built = simEpoch.AddDate(0, -1, 0)

// shows is the time of day, zero where the terminal cannot take it for one.
func (c *wallClock) shows(wall time.Time) time.Time {
	if wall = wall.Add(c.off); c.unset || wall.Before(built) {
		return time.Time{}
	}
	return wall
}

// right reports whether it shows the truth.
func (c *wallClock) right() bool { return c.off == 0 && !c.unset }

// set changes it: unset, right, or by so much.
func (c *wallClock) set(words []string) error {
	unset, off := c.unset, c.off
	var err error
	switch {
	case len(words) == 1 && words[0] == "unset":
		c.unset = true
	case len(words) == 1 && words[0] == "right":
		c.unset, c.off = false, 0
	default:
		var d time.Duration
		d, err = duration(words)
		c.unset, c.off = false, c.off+d
	}
	if c.unset != unset || c.off != off {
		c.changes++
	}
	return err
}

// reached lets it jump where a jump is due.
func (c *wallClock) reached(s *Sim) {
	for i := 0; i < len(c.jumps); i++ {
		if j := c.jumps[i]; j.at <= s.Boundaries {
			c.jumps = append(c.jumps[:i], c.jumps[i+1:]...)
			c.set(j.words) //nolint:errcheck // it was tried when the plan was read
			s.tell("the clock is %s off, unset: %t", c.off, c.unset)
			i--
		}
	}
}

func (s *Sim) setClock(words []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wall.set(words)
}

// setClockAt lets the clock jump at a boundary from now.
func (s *Sim) setClockAt(words []string) error {
	n := 0
	if len(words) < 2 {
		return fmt.Errorf("clockat: at which boundary, and by how much?")
	}
	if _, err := fmt.Sscan(words[0], &n); err != nil {
		return fmt.Errorf("clockat: %w", err)
	}
	if err := new(wallClock).set(words[1:]); err != nil {
		return fmt.Errorf("clockat: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wall.jumps = append(s.wall.jumps, jump{s.Boundaries + n, words[1:]})
	return nil
}

// stallLater lets the disk take its time for a commit from now.
func (s *Sim) stallLater(words []string) error {
	if len(words) < 2 {
		return fmt.Errorf("stall: which commit, and for how long?")
	}
	n := 0
	if _, err := fmt.Sscan(words[0], &n); err != nil {
		return fmt.Errorf("stall: %w", err)
	}
	d, err := duration(words[1:])
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stallAt, s.stallFor = n, d
	return err
}

// stall is the disk at a commit, which it may take its time for.
func (s *Sim) stall(l *life) {
	s.mu.Lock()
	d := time.Duration(0)
	if s.stallAt > 0 {
		if s.stallAt--; s.stallAt == 0 {
			d = s.stallFor
			s.tell("the disk stalls for %s", d)
			s.diskFailed()
		}
	}
	s.mu.Unlock()
	if d == 0 {
		return
	}
	time.Sleep(d)
	s.mu.Lock()
	s.diskFailed()
	s.mu.Unlock()
	s.boundary(l, "after the disk has stalled")
}

// unheardOf is an event of a version that nobody has written yet.
const unheardOf = "from_a_later_version"

// damage lets the newest order that is not closed have a record that this version cannot
// read: one of a later version, say, that was gone back from. The chain is whole.
func (s *Sim) damage([]string) error { return s.whileOff((*Sim).addUnreadable) }

func (s *Sim) addUnreadable() error {
	store, err := storage.Open(s.storageOptions(s.life.config, func() time.Time { return s.wall.shows(time.Now()) }))
	if err != nil {
		return err
	}
	return errors.Join(s.addRecord(store), store.Close())
}

func (s *Sim) addRecord(store *storage.Store) error {
	open, err := store.OpenOrders()
	if err != nil || len(open) == 0 {
		return err
	}
	queue, err := store.Queue()
	if err != nil {
		return err
	}
	id, owes := open[len(open)-1].ID, payterm.OwedNothing
	for _, q := range queue {
		if q.OrderID == id {
			owes = q.Task
		}
	}
	s.mu.Lock()
	row := s.book[id]
	s.damaged[id] = true
	s.tell("%s has a record that this version cannot read", id)
	s.mu.Unlock()
	return store.Commit(payterm.Entry{
		OrderID: id, Event: unheardOf, Body: []byte(`{}`), Stamp: payterm.Stamp{Boot: store.BootTag()}, Order: row,
		Owes: owes,
	})
}

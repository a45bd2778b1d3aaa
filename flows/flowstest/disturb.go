package flowstest

import (
	"errors"
	"fmt"
	"time"

	"payterm"
	"payterm/storage"
)

// wallClock is the machine's wall clock. It may be wrong by any amount and may jump at any
// boundary.
type wallClock struct {
	unset   bool
	off     time.Duration
	changes int // times it was set
	jumps   []jump
}

// jump is a change of the clock at a boundary to come.
type jump struct {
	at    int
	words []string
}

// built is the program's build date: the terminal ignores earlier times.
var built = simEpoch.AddDate(0, -1, 0)

// shows is the wall time, zero if the terminal takes it as not set.
func (c *wallClock) shows(wall time.Time) time.Time {
	if wall = wall.Add(c.off); c.unset || wall.Before(built) {
		return time.Time{}
	}
	return wall
}

// right reports whether it shows the true time.
func (c *wallClock) right() bool { return c.off == 0 && !c.unset }

// set sets it: unset, right, or off by an amount.
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

// reached makes the jumps that are due.
func (c *wallClock) reached(s *Sim) {
	for i := 0; i < len(c.jumps); i++ {
		if j := c.jumps[i]; j.at <= s.Boundaries {
			c.jumps = append(c.jumps[:i], c.jumps[i+1:]...)
			c.set(j.words) //nolint:errcheck // checked when the plan was parsed
			s.tell("the clock is %s off, unset: %t", c.off, c.unset)
			i--
		}
	}
}

// paperIs sets the printer's condition for a while. The terminal is told at once.
func (s *Sim) paperIs(words []string) error {
	if len(words) < 2 {
		return fmt.Errorf("paper: what is it like, and for how long?")
	}
	d, err := duration(words[1:])
	if err != nil {
		return fmt.Errorf("paper: %w", err)
	}
	set := func(c payterm.PaperCondition) {
		s.mu.Lock()
		s.paper = c
		s.mu.Unlock()
		if l := s.alive(); l != nil {
			l.runner.Paper(c)
		}
	}
	set(payterm.PaperCondition(words[0]))
	time.AfterFunc(d, func() { set(payterm.PaperOK) })
	return nil
}

func (s *Sim) setClock(words []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wall.set(words)
}

// setClockAt makes the clock jump at a boundary to come.
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

// stallLater makes a later commit slow.
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

// stall delays a commit if that is due.
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

// laterEvent is the name of an event of a later version.
const laterEvent = "from_a_later_version"

// damage gives the newest open order a record that this version cannot read, as after a
// downgrade. The hash chain is intact.
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
		OrderID: id, Event: laterEvent, Body: []byte(`{}`), Stamp: payterm.Stamp{Boot: store.BootTag()}, Order: row,
		Owes: owes,
	})
}

package runner

import "time"

// Clock is where time enters.
type Clock interface {
	// Now is what the terminal has lived through in all, which only grows and which no
	// restart begins anew, and the wall time, which is zero while the clock is not set.
	Now() (mono time.Duration, wall time.Time)
	// After fires at a monotonic time; stop ends it early.
	After(at time.Duration) (fire <-chan time.Time, stop func())
}

// SystemClock is the machine's clock. A wall time before the build cannot be
// true: a board without a battery clock boots in the past.
type SystemClock struct {
	start time.Time
	lived time.Duration // before the start
	built time.Time
}

// NewSystemClock starts the monotonic time at this moment.
func NewSystemClock(built time.Time) *SystemClock {
	return &SystemClock{start: time.Now(), built: built}
}

// GoingOn is this clock with what was lived through in earlier lives added, which the
// journal keeps.
func (c *SystemClock) GoingOn(lived time.Duration) *SystemClock {
	return &SystemClock{start: c.start, lived: c.lived + lived, built: c.built}
}

// Now is Clock's.
func (c *SystemClock) Now() (time.Duration, time.Time) {
	now := time.Now()
	mono := c.lived + now.Sub(c.start)
	wall := now.Round(0) // without its monotonic reading
	if wall.Before(c.built) {
		wall = time.Time{}
	}
	return mono, wall
}

// After is Clock's.
func (c *SystemClock) After(at time.Duration) (<-chan time.Time, func()) {
	mono, _ := c.Now()
	t := time.NewTimer(at - mono)
	return t.C, func() { t.Stop() }
}

package runner

import "time"

// Clock is the source of time.
type Clock interface {
	// Now returns the monotonic time, which continues over restarts (payterm.Stamp), and the wall
	// time, zero while the clock is not set.
	Now() (mono time.Duration, wall time.Time)
	// After fires at a monotonic time; stop cancels it.
	After(at time.Duration) (fire <-chan time.Time, stop func())
}

// SystemClock is the machine's clock. A wall time before the build is taken as not set: a board
// without a battery clock boots in the past.
type SystemClock struct {
	start time.Time
	lived time.Duration // of earlier runs
	built time.Time
}

// NewSystemClock starts the monotonic time now.
func NewSystemClock(built time.Time) *SystemClock {
	return &SystemClock{start: time.Now(), built: built}
}

// GoingOn is this clock with the monotonic time of earlier runs added, which the journal keeps.
func (c *SystemClock) GoingOn(lived time.Duration) *SystemClock {
	return &SystemClock{start: c.start, lived: c.lived + lived, built: c.built}
}

// Now implements Clock.
func (c *SystemClock) Now() (time.Duration, time.Time) {
	now := time.Now()
	mono := c.lived + now.Sub(c.start)
	wall := now.Round(0) // drops the monotonic reading
	if wall.Before(c.built) {
		wall = time.Time{}
	}
	return mono, wall
}

// After implements Clock.
func (c *SystemClock) After(at time.Duration) (<-chan time.Time, func()) {
	mono, _ := c.Now()
	t := time.NewTimer(at - mono)
	return t.C, func() { t.Stop() }
}

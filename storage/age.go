package storage

import "time"

// Old says which Zs are old: one that was taken when no more than Lived had been lived
// through, or before Wall. What is zero makes none old.
type Old struct {
	Lived time.Duration
	Wall  time.Time
}

// Reading is what the clocks say at one moment.
type Reading struct {
	Lived  time.Duration
	Wall   time.Time // zero while it is not set
	Synced bool      // the kernel says that network time keeps it
}

// How long network time must have kept the wall clock, in this life and without a jump,
// before anything is dropped by it; and what is no jump between two good readings: so
// much, and a second for each hour between them, since a clock that nobody keeps drifts.
const (
	goodAfter = 6 * time.Hour
	noJump    = 10 * time.Second
	perHour   = time.Second
)

// Retention says what is old enough to be dropped. Nothing is on the word of one reading
// of a clock (invariant 20): what is kept is kept for that much time that was lived
// through, or until a wall clock says so that has been good for hours. One that has
// jumped since it was called good says nothing more in this life, whatever was read in
// between: setting a clock is what makes it unset, or not kept, for a reading or two.
type Retention struct {
	Keep time.Duration

	last   Reading       // the newest of a good clock; without a time for none yet
	good   time.Duration // since when the clock has been good, lived through; negative for not
	jumped bool
}

// Old takes a reading, of which there should be one each minute, and says what is old.
func (r *Retention) Old(now Reading) Old {
	before := r.last
	if !now.Wall.IsZero() && !before.Wall.IsZero() {
		lived := now.Lived - before.Lived
		most := noJump + lived/(time.Hour/perHour)
		if jump := now.Wall.Sub(before.Wall) - lived; jump > most || jump < -most {
			r.jumped = true
		}
	}
	switch {
	case !now.Synced || now.Wall.IsZero() || r.jumped:
		r.good = -1
	case before.Wall.IsZero() || r.good < 0:
		r.good = now.Lived
	}
	if now.Synced && !now.Wall.IsZero() {
		r.last = now
	}
	old := Old{Lived: max(0, now.Lived-r.Keep)}
	if r.good >= 0 && now.Lived-r.good >= goodAfter {
		old.Wall = now.Wall.Add(-r.Keep)
	}
	return old
}

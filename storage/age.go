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
// before anything is dropped by it; and what is no jump, between two readings.
const (
	goodAfter = 6 * time.Hour
	noJump    = 10 * time.Second
)

// Retention says what is old enough to be dropped. Nothing is on the word of one reading
// of a clock (invariant 20): what is kept is kept for that much time that was lived
// through, or until a wall clock says so that has been good for hours. One that has
// jumped while it was called good says nothing more in this life.
type Retention struct {
	Keep time.Duration

	last   Reading
	good   time.Duration // since when the clock has been good, lived through; negative for not
	jumped bool
	read   bool
}

// Old takes a reading, of which there should be one each minute, and says what is old.
func (r *Retention) Old(now Reading) Old {
	before, first := r.last, !r.read
	r.last, r.read = now, true
	steady := !first && before.Synced && !before.Wall.IsZero()
	if steady && !now.Wall.IsZero() {
		jump := now.Wall.Sub(before.Wall) - (now.Lived - before.Lived)
		if jump > noJump || jump < -noJump {
			r.jumped = true
		}
	}
	switch {
	case !now.Synced || now.Wall.IsZero() || r.jumped:
		r.good = -1
	case !steady || r.good < 0:
		r.good = now.Lived
	}
	old := Old{Lived: max(0, now.Lived-r.Keep)}
	if r.good >= 0 && now.Lived-r.good >= goodAfter {
		old.Wall = now.Wall.Add(-r.Keep)
	}
	return old
}

package storage

import "time"

// Old says which Zs are old: those taken at a lived time of at most Lived, or before Wall. A zero
// value makes none old.
type Old struct {
	Lived time.Duration
	Wall  time.Time
}

// Reading is what the clocks show at one moment.
type Reading struct {
	Lived  time.Duration
	Wall   time.Time // zero while it is not set
	Synced bool      // the kernel says that network time keeps it
}

// How long network time must have kept the wall clock, in this run and without a jump, before
// anything is dropped by it. Between two good readings a difference up to noJump, plus perHour for
// each hour, is not a jump, since a clock without network time drifts.
const (
	goodAfter = 6 * time.Hour
	noJump    = 10 * time.Second
	perHour   = time.Second
)

// Retention says what is old enough to be dropped: what has been kept for the retention time in
// lived time, or by a wall clock that has been good for hours. One wrong reading of a clock never
// drops anything (invariant 20). A clock that jumped after it was good is not believed again in
// this run, whatever was read in between, because a clock that is being set reads as unset, or
// without network time, once or twice.
type Retention struct {
	Keep time.Duration

	last   Reading       // the newest reading of a good clock; zero for none yet
	good   time.Duration // lived time since when the clock is good; negative if it is not
	jumped bool
}

// Old takes a reading, which should come once a minute, and returns what is old.
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

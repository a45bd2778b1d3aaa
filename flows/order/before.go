package order

import (
	"time"

	"payterm"
)

// Journals of versions before docs/decisions/0014 have monotonic times that start at 0 with each
// start of the process; their Restarted recomputes an order's times from the wall clock. Fold
// must reproduce what those versions computed, because the later events in the journal depend on
// it, but nothing decided from now on uses those times: the first restart by this version begins
// the doubt guard and the code's life again (renewTimes). Both then last too long, which harms
// nobody.

// restartedByWall is the Restarted event of such a journal.
type restartedByWall struct {
	Soon bool `json:"soon,omitempty"`
}

func (restartedByWall) event() {}

// restartByWall recomputes the order's times as those versions did.
func (o Order) restartByWall(in Stamped, ev restartedByWall) (Order, []Command) {
	if o.Phase == Fresh {
		return o, nil
	}
	o.ByWall = false // else restart would begin them again
	o.LifeUntil = in.Mono + max(0, o.codeLife()-elapsed(o.SentWall, in.Wall))
	o.DoubtAt = in.Mono - elapsed(o.DoubtWall, in.Wall)
	o, cmds := o.restart(in, Restarted(ev))
	o.ByWall = true
	return o, cmds
}

// renewTimes begins the guard and the code's life again if an earlier version computed them: they
// may end too early by as much as the wall clock jumped. Times of this version are kept.
func (o Order) renewTimes(in Stamped) Order {
	if o.ByWall {
		o.ByWall, o.BeganAt, o.DoubtAt, o.LifeUntil = false, in.Mono, in.Mono, in.Mono+o.codeLife()
	}
	return o
}

// elapsed is the time that had passed by the wall clock, as earlier versions counted it: none if
// the clock was not set or had gone back.
func elapsed(millisThen int64, now time.Time) time.Duration {
	if millisThen == 0 || now.IsZero() {
		return 0
	}
	return max(0, time.Duration(payterm.Millis(now)-millisThen)*time.Millisecond)
}

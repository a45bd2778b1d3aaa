package order

import (
	"time"

	"payterm"
)

// Journals of versions before docs/decisions/0014 have a monotonic time that begins at
// 0 with each life of the process, and a Restarted that makes an order's times anew by
// the wall clock. Folding gives what those versions made of it, since what they decided
// afterwards stands in the journal; no order goes on by it. Its first restart by this
// version takes the guard and the code's life anew (livesOn): too long harms nobody.

// restartedByWall is the Restarted of such a journal.
type restartedByWall struct {
	Soon bool `json:"soon,omitempty"`
}

func (restartedByWall) event() {}

// restartByWall makes the order's times anew as versions of before did.
func (o Order) restartByWall(in Stamped, ev restartedByWall) (Order, []Command) {
	if o.Phase == Fresh {
		return o, nil
	}
	o.ByWall = false // not yet: restart takes it as it is
	o.LifeUntil = in.Mono + max(0, o.codeLife()-elapsed(o.SentWall, in.Wall))
	o.DoubtAt = in.Mono - elapsed(o.DoubtWall, in.Wall)
	o, cmds := o.restart(in, Restarted(ev))
	o.ByWall = true
	return o, cmds
}

// livesOn takes the times of a life of before anew, which may be too early by as much as
// a wall clock can jump. Those of this version hold.
func (o Order) livesOn(in Stamped) Order {
	if o.ByWall {
		o.ByWall, o.BeganAt, o.DoubtAt, o.LifeUntil = false, in.Mono, in.Mono, in.Mono+o.codeLife()
	}
	return o
}

// elapsed is the time that had passed by the wall clock, for versions of before. A
// clock that was not set, or ran backwards, proved nothing: then none had.
func elapsed(millisThen int64, now time.Time) time.Duration {
	if millisThen == 0 || now.IsZero() {
		return 0
	}
	return max(0, time.Duration(payterm.Millis(now)-millisThen)*time.Millisecond)
}

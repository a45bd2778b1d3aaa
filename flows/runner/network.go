package runner

import (
	"time"

	"payterm"
	"payterm/flows/counter"
)

// way is what the last exchange with the gateway said of the way to it. Every exchange
// counts, whoever wanted it: an order, its inquiries, a reconciliation, the exchange rate.
type way struct {
	word  counter.Network
	heard time.Duration // when the last exchange ended
	since time.Duration // since when the word stands
}

// hear takes from an answer what it says of the network. A request of which bytes left and
// nothing came back is bad news as well, though nobody knows what became of it.
func (r *Runner) hear(a payterm.Answer) {
	switch a := a.(type) {
	case payterm.Unsent:
		if !a.TooOld { // which was no trouble of the network's
			r.exchanged(false, a.Why)
		}
	case payterm.Lost:
		r.exchanged(false, a.Why)
	case payterm.Rejected:
		if !a.Unsent { // or it was refused in here
			r.exchanged(true, "")
		}
	default:
		r.exchanged(true, "")
	}
}

// exchanged keeps how an exchange went, and tells of a change at once.
func (r *Runner) exchanged(answered bool, why string) {
	now, word := r.now(), counter.NetworkDown
	if answered {
		word = counter.NetworkUp
	}
	r.way.heard = now
	if word == r.way.word {
		return
	}
	stood := now - r.way.since
	switch {
	case !answered:
		r.c.Log.Info("the gateway does not answer", "why", why)
	case r.way.word == counter.NetworkDown:
		r.c.Log.Info("the gateway answers again", "after", stood.Round(time.Second))
	default:
		r.c.Log.Info("the gateway answers")
	}
	r.way.word, r.way.since = word, now
	r.tellStatus()
}

// Reached reports an exchange with the gateway that belonged to no order: whether anything
// answered, and the rate that it told, 0 for none.
func (r *Runner) Reached(answered bool, cny int64) {
	r.offer(func() {
		r.exchanged(answered, "asked for no order")
		if cny > 0 {
			r.keptRate(counter.RateTold{Rate: counter.Rate{CNYE8: cny}, Asked: true})
		}
	})
}

// networkAge is how long ago the last exchange was; false where there was none in this life.
func (r *Runner) networkAge() (time.Duration, bool) {
	if r.way.word == counter.NetworkUnknown {
		return 0, false
	}
	return r.now() - r.way.heard, true
}

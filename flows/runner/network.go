package runner

import (
	"time"

	"payterm"
	"payterm/flows/counter"
)

// way is whether the gateway can be reached, by the last exchange with it. Every exchange counts:
// payments, inquiries, reconciliations, exchange rates.
type way struct {
	word  counter.Network
	heard time.Duration // when the last exchange ended
	since time.Duration // when word last changed
}

// age is how long ago the last exchange was, false if there was none since the start.
func (w way) age(now time.Duration) (time.Duration, bool) {
	if w.word == counter.NetworkUnknown {
		return 0, false
	}
	return now - w.heard, true
}

// hear notes what an answer says of the network. A lost request counts as a failure of the network
// too, though the gateway may have received it.
func (r *Runner) hear(a payterm.Answer) {
	switch a := a.(type) {
	case payterm.Unsent:
		if !a.TooOld { // the network did not fail: the request was too old to be sent
			r.exchanged(false, a.Why)
		}
	case payterm.Lost:
		r.exchanged(false, a.Why)
	case payterm.Rejected:
		if !a.Unsent { // otherwise the client refused it and asked nobody
			r.exchanged(true, "")
		}
	default:
		r.exchanged(true, "")
	}
}

// exchanged notes whether an exchange was answered. If that changes the state of the network, the
// counter is told at once.
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

// Reached reports an exchange with the gateway that belonged to no order: whether it was answered,
// and the exchange rate in the answer, 0 for none.
func (r *Runner) Reached(answered bool, cny int64) {
	r.offer(func() {
		r.exchanged(answered, "asked for no order")
		if cny > 0 {
			r.keptRate(counter.RateTold{Rate: counter.Rate{CNYE8: cny}, Asked: true})
		}
	})
}

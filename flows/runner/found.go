package runner

import (
	"slices"
	"time"

	"payterm"
)

// found are the payments that were found late in this life, the newest last, of which no
// till has heard that wanted to charge the same total once more.
type found []foundPayment

type foundPayment struct {
	id    payterm.OrderID
	total payterm.Amount
	at    time.Duration
}

// maxFound bounds them. More than that are found where a network was down for long, and
// then the oldest have been on the list of late payments for a while.
const maxFound = 64

// newlyPaid reports whether an order was not called paid before this step of it, and keeps
// it in mind where that came late.
func (r *Runner) newlyPaid(before payterm.Outcome, o payterm.Order) bool {
	if o.Kind != payterm.KindSale || o.Outcome != payterm.Approved || before == payterm.Approved {
		return false
	}
	if o.Reason == payterm.ReasonLatePayment {
		if len(r.found) >= maxFound {
			r.found = slices.Delete(r.found, 0, 1)
		}
		r.found = append(r.found, foundPayment{o.ID, o.Total(), r.now()})
	}
	return true
}

// since gives a payment of this total that was found since then, empty for none. It is
// given once: who hears of it and goes on all the same knows what he does.
func (f *found) since(at time.Duration, total payterm.Amount) payterm.OrderID {
	for i, p := range *f {
		if p.at >= at && p.total == total {
			*f = slices.Delete(*f, i, i+1)
			return p.id
		}
	}
	return ""
}

// beganAt is when an order began, 0 where that cannot be looked up.
func (r *Runner) beganAt(id payterm.OrderID) time.Duration {
	o, err := r.saleOf(id)
	if err != nil {
		return 0
	}
	return o.BeganAt
}

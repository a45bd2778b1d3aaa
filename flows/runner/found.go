package runner

import (
	"slices"
	"time"

	"payterm"
)

// found lists the late payments since the start, newest last. A till that wants to charge the same
// total again is told of them; a payment that a till was told of is taken off the list.
type found []foundPayment

type foundPayment struct {
	id    payterm.OrderID
	total payterm.Amount
	at    time.Duration
}

// maxFound bounds them. There are more only after a long network failure, and then the oldest are
// on the list of late payments.
const maxFound = 64

// stepped reports whether a step made an order paid, and keeps a late payment.
func (f *found) stepped(before payterm.Outcome, o payterm.Order, now time.Duration) bool {
	if o.Kind != payterm.KindSale || o.Outcome != payterm.Approved || before == payterm.Approved {
		return false
	}
	if o.Reason == payterm.ReasonLatePayment {
		if len(*f) >= maxFound {
			*f = slices.Delete(*f, 0, 1)
		}
		*f = append(*f, foundPayment{o.ID, o.Total(), now})
	}
	return true
}

// since returns a payment of this total that was found after that time, empty for none. It
// returns each once: a caller that goes on after it decides knowingly.
func (f *found) since(at time.Duration, total payterm.Amount) payterm.OrderID {
	for i, p := range *f {
		if p.at >= at && p.total == total {
			*f = slices.Delete(*f, i, i+1)
			return p.id
		}
	}
	return ""
}

// beganAt is when an order began, 0 if that cannot be looked up.
func (r *Runner) beganAt(id payterm.OrderID) time.Duration {
	o, err := r.saleOf(id)
	if err != nil {
		return 0
	}
	return o.BeganAt
}

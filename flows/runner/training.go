package runner

import (
	"context"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
)

// NotNowError is why training does not begin or end, or a Z is not taken.
type NotNowError struct{ Reason payterm.Reason }

// Error implements error.
func (e NotNowError) Error() string { return "not now: " + string(e.Reason) }

// Train asks to begin or end training, as at the keypad. If it does, the loop ends, perhaps
// before the caller is answered: then the error is ErrStopped.
func (r *Runner) Train(ctx context.Context, on bool) error {
	res, err := r.call(ctx, func(c saleCall) error {
		r.feed(counter.TrainingAsked{Ticket: r.wait(c, "", Content{}), On: on})
		return nil
	}, func(payterm.OrderID) {})
	if err == nil && !res.Began {
		return NotNowError{res.Reason}
	}
	return err
}

// train ends the loop for the switch. During training nobody asks about the real terminal's
// orders, so none may be open.
func (r *Runner) train(c counter.Train) {
	why := payterm.ReasonNone
	if c.On {
		why = r.unfinished()
	}
	if why == payterm.ReasonNone {
		why = r.c.Train(c.On)
	}
	if why != payterm.ReasonNone {
		r.feed(counter.NotTrained{Reason: why})
		return
	}
	r.answer(c.Ticket, SaleResult{Began: true})
	r.left = true
}

// unfinished is what the loop still has to do. Orders that wait for a person do not count.
func (r *Runner) unfinished() payterm.Reason {
	if r.storeBad {
		return payterm.ReasonStorage
	}
	for _, l := range r.orders {
		if _, due := l.order.Due(); due || l.order.Asking.InFlight || len(l.unsaved) > 0 ||
			l.order.Phase != order.Listed {
			return payterm.ReasonOrdersOpen
		}
	}
	for _, a := range r.asides {
		if a.Undecided() || a.Owes() == payterm.OwedInquiry {
			return payterm.ReasonOrdersOpen
		}
	}
	return payterm.ReasonNone
}

package runner

import (
	"context"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
)

// NotNowError says why a training does not begin, or end.
type NotNowError struct{ Reason payterm.Reason }

// Error is the reason's word.
func (e NotNowError) Error() string { return "not now: " + string(e.Reason) }

// Train asks for a training, or for its end, as somebody at the keys would. When it
// begins or ends, the loop ends too, perhaps before the caller is told: ErrStopped
// says no more than that.
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

// train ends the loop for another life of the terminal. While the real one is away
// nobody asks about its orders, so none may be open.
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

// unfinished says what the loop still has to do. Orders that only wait for a person
// do so as well while the terminal is away.
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
	for _, a := range r.broken {
		if a.Undecided() || a.Owes() == payterm.OwedInquiry {
			return payterm.ReasonOrdersOpen
		}
	}
	return payterm.ReasonNone
}

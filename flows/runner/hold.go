package runner

import (
	"context"
	"fmt"
	"math"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
)

// holdPause is how long the counter is free between two holds, so that repeated restarts that do
// not happen cannot prevent selling.
const holdPause = 10 * time.Minute

var errRead = fmt.Errorf("%w: somebody may still read the result", ErrBusy)

var errHeldBefore = fmt.Errorf("%w: what it was held for a short while ago did not come", ErrBusy)

// Hold blocks the counter for a while, for example until the machine restarts: keys and codes are
// dropped and requests from the socket are refused as busy. It returns ErrBusy while the counter
// is used or an order is asked about, and may's error, which is called on the loop, so that
// nothing begins in between. d = 0 ends a hold.
func (r *Runner) Hold(ctx context.Context, d time.Duration, may func() error) error {
	return r.decide(ctx, func() error {
		if d > 0 {
			if err := r.busy(); err != nil {
				return err
			}
			if r.asking() {
				return ErrBusy
			}
			if r.heldUntil > 0 && r.now()-r.heldUntil < holdPause {
				return errHeldBefore
			}
			if err := may(); err != nil {
				return err
			}
		}
		r.heldUntil = r.now() + d
		return nil
	})
}

// Leave blocks the counter until the caller ends this run of the process. Errors as for Hold.
// Open orders continue in the next run.
func (r *Runner) Leave(ctx context.Context, may func() error) error {
	return r.decide(ctx, func() error {
		if err := r.busy(); err != nil {
			return err
		}
		if err := may(); err != nil {
			return err
		}
		r.heldUntil = math.MaxInt64
		return nil
	})
}

// busy is why the counter cannot be blocked now; nil if nobody uses it and all answers are
// stored.
func (r *Runner) busy() error {
	switch {
	case r.holding > 0:
		return ErrBusy
	case r.counter.AtRest(r.now()):
		return nil
	case r.counter.Phase == counter.ShowingResult || r.counter.Phase == counter.Refused:
		return errRead
	}
	return ErrBusy
}

// asking reports whether an inquiry or request is running.
func (r *Runner) asking() bool {
	for phase, n := range r.phases {
		p := order.Phase(phase)
		if n > 0 && (p.AtCounter() || p == order.InBackground || p == order.Trailing) {
			return true
		}
	}
	return false
}

// decide runs look on the loop and returns its error, or why it could not run.
func (r *Runner) decide(ctx context.Context, look func() error) error {
	said, err := ask(ctx, r, look)
	if err != nil {
		return err
	}
	return said
}

// held reports whether an event is dropped because the counter is blocked, and refuses it to a
// caller.
func (r *Runner) held(e counter.Event) bool {
	if r.now() >= r.heldUntil {
		return false
	}
	ticket := uint64(0)
	switch e := e.(type) {
	case counter.KeyPressed, counter.Scanned:
		return true
	case counter.SaleAsked:
		ticket = e.Ticket
	case counter.RefundAsked:
		ticket = e.Ticket
	case counter.ResolveAsked:
		ticket = e.Ticket
	case counter.TrainingAsked:
		ticket = e.Ticket
	case counter.ZAsked:
		ticket = e.Ticket
	case counter.ServiceAsked:
		ticket = e.Ticket
	default:
		return false
	}
	r.answer(ticket, SaleResult{Reason: payterm.ReasonBusy})
	return true
}

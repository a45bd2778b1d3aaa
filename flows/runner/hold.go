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

// holdPause is how long the counter is free after a hold, before the next one. Who
// announces restart after restart, and none comes, keeps nobody from selling.
const holdPause = 10 * time.Minute

var errRead = fmt.Errorf("%w: somebody may still read the result", ErrBusy)

var errHeldBefore = fmt.Errorf("%w: what it was held for a short while ago did not come", ErrBusy)

// Hold keeps the counter as it is for a while, such as until the machine restarts: keys
// and codes are dropped, and what the socket asks for is refused as busy. ErrBusy when
// somebody is being served, an order is asked about, or may, which looks on the loop
// where nothing can begin in between, says so by its error. A time of 0 ends it.
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

// Leave keeps the counter as it is for the rest of this life, which the caller ends:
// nobody begins what that would cut off. ErrBusy when somebody is being served; may has
// the last word, as for Hold. Open orders are taken up by the next life.
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

// busy says why the counter cannot be had now, nil where nothing there needs anybody
// and the journal owes nothing that the gateway has said.
func (r *Runner) busy() error {
	switch {
	case r.holding > 0:
		return ErrBusy
	case r.terminal.AtRest(r.now()):
		return nil
	case r.terminal.Phase == counter.ShowingResult || r.terminal.Phase == counter.Refused:
		return errRead
	}
	return ErrBusy
}

// asking reports whether the gateway owes an answer about an order.
func (r *Runner) asking() bool {
	for phase, n := range r.phases {
		p := order.Phase(phase)
		if n > 0 && (p.AtCounter() || p == order.InBackground || p == order.Trailing) {
			return true
		}
	}
	return false
}

// decide has the loop decide, and gives its word, or why it could not be asked.
func (r *Runner) decide(ctx context.Context, look func() error) error {
	said, err := ask(ctx, r, look)
	if err != nil {
		return err
	}
	return said
}

// held tells whether an event is not for a counter that is held, and refuses what waits
// for an answer.
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

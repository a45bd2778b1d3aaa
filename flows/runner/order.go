package runner

import (
	"context"
	"errors"
	"time"

	"payterm"
	"payterm/flows/order"
)

// step moves one order: Step, Commit, commands. Orders in memory change in no other way.
func (r *Runner) step(l *live, in order.Stamped) {
	if len(l.unsaved) > 0 {
		r.keep(l, in)
		return
	}
	if l.overdue && l.order.Phase.AtCounter() {
		in.Event = overdue(in.Event)
	}
	before := l.order
	next, commands := order.Step(before, in)
	if err := next.Impossible(); err != nil {
		r.quarantine(l, in, err)
		return
	}
	if order.Lasting(before, next) {
		entries, err := r.entries(before, next, in)
		if errors.Is(err, errNoSale) {
			r.quarantine(l, in, err)
			return
		}
		if err == nil {
			err = r.c.Journal.Commit(entries...)
		}
		if err != nil {
			r.notCommitted(l, in, err)
			return
		}
		r.logStep(before, next, in)
	}
	r.set(l, next)
	r.plan(l)
	var tooOld []order.Event
	for _, c := range commands {
		if never := r.tooOld(c); never != nil {
			tooOld = append(tooOld, never)
			continue
		}
		r.carryOutOrder(next, c)
	}
	r.moved(l, before)
	for _, never := range tooOld {
		r.step(l, r.stamp(never))
	}
}

// logStep logs what changed in an order: what people have to do with at the usual level, each
// step at that of whoever looks closer.
func (r *Runner) logStep(before, next order.Order, in order.Stamped) {
	id := next.ID()
	r.c.Log.Debug("order", "order_id", id, "event", order.EventName(in.Event),
		"from", before.Phase.String(), "to", next.Phase.String(), "outcome", next.Outcome, "reason", next.Reason)
	switch doubt, was := next.Outcome == payterm.InDoubt, before.Outcome == payterm.InDoubt; {
	case doubt && !was:
		r.c.Log.Info("order in doubt", "order_id", id, "amount", next.Total(), "currency", next.Sale.Currency,
			"reason", next.Reason)
	case was && !doubt:
		r.c.Log.Info("order no longer in doubt", "order_id", id, "outcome", next.Outcome, "reason", next.Reason)
	}
	if next.Attention != before.Attention && next.Attention != payterm.AttentionNone {
		r.c.Log.Warn("order waits for a person", "order_id", id, "attention", next.Attention)
	}
}

// tooOld is the end of a request that became too old during the commit; nil for every other
// command. The command is not carried out.
func (r *Runner) tooOld(c order.Command) order.Event {
	switch c := c.(type) {
	case order.SendPayment:
		if r.age(c.FreshUntil).TooOld() {
			return order.PaymentAnswered{Reply: payterm.Reply{Answer: payterm.Unsent{
				Why: "the code was too old once its order was written down", TooOld: true}}}
		}
	case order.SendRefund:
		if r.age(c.FreshUntil).TooOld() {
			return order.RefundAnswered{Reply: payterm.Reply{Answer: payterm.Unsent{
				Why: "the refund was too old once it was written down", TooOld: true}}}
		}
	default: // has no age
	}
	return nil
}

// entry is the journal entry of one step.
func (r *Runner) entry(before, next order.Order, in order.Stamped) (payterm.Entry, error) {
	name, body, err := order.EncodeEvent(in.Event)
	if err != nil {
		return payterm.Entry{}, err
	}
	e := payterm.Entry{
		OrderID: next.ID(), Event: name, Body: body, Stamp: in.Stamp,
		Order: next.Row(), Closed: next.Settled(), Owes: next.Owes(),
	}
	if next.CodeKey != before.CodeKey {
		e.CodeKey = next.CodeKey
	}
	return e, nil
}

// carryOutOrder does what a committed step commands.
func (r *Runner) carryOutOrder(o order.Order, c order.Command) {
	switch c := c.(type) {
	case order.SendPayment:
		id := o.ID()
		c.Payment.Age = r.age(c.FreshUntil)
		r.request(requestLimit(o), func(ctx context.Context) payterm.Answer { return r.c.Gateway.Pay(ctx, c.Payment) },
			func(a payterm.Answer) { r.answered(id, order.PaymentAnswered{Reply: payterm.Reply{Answer: a}}, a) })
	case order.SendRefund:
		id := o.ID()
		c.Refund.Age = r.age(c.FreshUntil)
		r.request(requestLimit(o),
			func(ctx context.Context) payterm.Answer { return r.c.Gateway.Refund(ctx, c.Refund) },
			func(a payterm.Answer) { r.answered(id, order.RefundAnswered{Reply: payterm.Reply{Answer: a}}, a) })
	case order.Inquire:
		r.inquire(o, c.Inquiry)
	case order.Print:
		if err := r.c.Printer.Print(r.c.Slip(c.Slip, o.Row(), c.Copy)); err != nil {
			r.c.Log.Warn("slip not printed", "order_id", o.ID(), "slip", c.Slip, "err", err)
		}
	case order.OpenDrawer:
		if r.c.Drawer == nil {
			return
		}
		if err := r.c.Drawer.OpenDrawer(); err != nil {
			r.c.Log.Warn("drawer not opened", "order_id", o.ID(), "err", err)
		}
	case order.PrintCode:
		if mono, wall := r.c.Clock.Now(); r.c.Codes != nil && mono < c.Until { // the commit may have taken too long
			r.c.Codes.PrintCode(o.Row(), c.CodeURL, wall.Add(c.Until-mono))
		}
	case order.VoidCode:
		if r.c.Codes != nil {
			r.c.Codes.VoidCode(o.ID())
		}
	case order.Play:
		r.c.Buzzer.Play(c.Sound)
	}
}

// age is a request's age by the runner's clock.
func (r *Runner) age(freshUntil time.Duration) codeAge { return codeAge{r.c.Clock, freshUntil} }

type codeAge struct {
	clock Clock
	until time.Duration // 0 for no limit
}

// TooOld implements payterm.CodeAge.
func (a codeAge) TooOld() bool {
	mono, _ := a.clock.Now()
	return a.until != 0 && mono >= a.until
}

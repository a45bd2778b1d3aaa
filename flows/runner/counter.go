package runner

import (
	"fmt"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
)

// stampCounter gives a counter's event its times.
func (r *Runner) stampCounter(e counter.Event) counter.Stamped {
	return counter.Stamped{Stamp: r.times(), Event: e}
}

// feed steps the counter. Events that its commands cause wait until all commands are carried out,
// so that an older view never replaces a newer one.
func (r *Runner) feed(e counter.Event) {
	if r.held(e) {
		return
	}
	r.fed = append(r.fed, e)
	if r.feeding {
		return
	}
	r.feeding = true
	for len(r.fed) > 0 {
		next := r.fed[0]
		r.fed = r.fed[1:]
		r.stepCounter(next)
	}
	r.feeding = false
	r.answerLost()
}

// answerLost answers callers that the counter has dropped without an answer: nothing began for
// them, or they would wait for an order.
func (r *Runner) answerLost() {
	for ticket := range r.tickets {
		if ticket != r.counter.Ticket {
			r.c.Log.Error("the counter has lost a caller")
			r.answer(ticket, SaleResult{Reason: payterm.ReasonRestarted})
		}
	}
}

func (r *Runner) stepCounter(e counter.Event) {
	next, commands := counter.Step(r.counter, r.stampCounter(e))
	if err := next.Impossible(); err != nil {
		r.c.Log.Error("the counter reached an impossible state; it begins anew", "err", err)
		next, commands = counter.Step(r.counter.Anew(r.served()),
			r.stampCounter(counter.StatusChanged{Status: r.status()}))
	}
	r.counter = next
	r.endService()
	for _, c := range commands {
		r.carryOut(c)
	}
}

// served is the current state of the order that the counter has, or whose result it shows. The
// counter's own copy may be wrong here.
func (r *Runner) served() order.Order {
	t := r.counter
	if l := r.orders[t.Order.ID()]; l != nil && l.order.Phase.AtCounter() {
		return l.order
	}
	had := order.Order{}
	for _, l := range r.orders { // at most one
		if l.order.Phase.AtCounter() && l.order.ID() > had.ID() {
			had = l.order
		}
	}
	if had.Phase == order.Fresh && t.Phase == counter.ShowingResult {
		if o, err := r.saleOf(t.Order.ID()); err == nil {
			return o
		}
	}
	return had
}

// carryOut does what the counter commands.
func (r *Runner) carryOut(c counter.Command) {
	switch c := c.(type) {
	case counter.Show:
		r.c.Display.Show(r.c.Screen(c.View))
	case counter.Play:
		r.c.Buzzer.Play(c.Sound)
	case counter.Arm:
		if r.c.Scanner != nil {
			r.c.Scanner.Arm(c.On)
		}
	case counter.BeginSale:
		r.begin(c)
	case counter.Resolve:
		row, err := r.resolve(c.Order, c.Operator, c.Reason)
		r.answer(c.Ticket, SaleResult{Began: err == nil, Order: row, err: err})
		if c.Ticket == 0 && err != nil { // from the keypad: the screen has to tell the reason
			r.c.Log.Warn("a word on an order", "order_id", c.Order, "err", err)
			r.c.Buzzer.Play(payterm.SoundDeclined)
		}
	case counter.BeginRefund:
		r.beginRefund(c)
	case counter.Reprint:
		r.reprint(c.Order)
	case counter.PrintCode:
		if l := r.orders[c.Order]; l != nil && l.order.Phase == order.ShowingCode {
			r.carryOutOrder(l.order, order.PrintCode{CodeURL: l.order.CodeURL, Until: l.order.Until})
		}
	case counter.CheckConflict:
		r.checkConflict(c)
	case counter.CheckPIN:
		r.checkPIN(c)
	case counter.Record:
		c.Did.Failures = r.locks[c.Did.Operator].failures
		r.record(c.Did)
	case counter.Tell:
		if l := r.orders[c.Order]; l != nil {
			r.step(l, r.stamp(c.Event))
		}
	case counter.Look:
		r.look(c.Query)
	case counter.KeepPIN:
		r.keepPIN(c)
	case counter.SetLanguage:
		r.c.Language(c.Language)
		r.draw()
	case counter.Train:
		r.train(c)
	case counter.SetDrill:
		r.c.Drill(c.Drill)
	case counter.Refuse:
		r.answer(c.Ticket, SaleResult{Reason: c.Reason, Order: payterm.Order{ID: c.Order}})
	case counter.AllowZ:
		r.answer(c.Ticket, SaleResult{Began: true, by: c.By})
	case counter.BeginService:
		r.answer(c.Ticket, SaleResult{Began: true})
	case counter.HandOn:
		r.handOn(c.Event)
	}
}

// checkConflict finds what a sale of this total would conflict with.
func (r *Runner) checkConflict(c counter.CheckConflict) {
	id, doubt := order.Conflict(r.of(c.Total), c.Total, r.now())
	if aside := r.asides.guards(c.Total); aside != "" && !doubt {
		id, doubt = aside, true
	}
	ev := counter.ConflictChecked{Order: id, Doubt: doubt}
	if c.Despite != "" {
		despite, _, err := r.c.Journal.Order(c.Despite)
		if err != nil {
			r.storeFailed(err)
			return
		}
		found := r.found.since(r.beganAt(c.Despite), c.Total)
		switch {
		case despite.Outcome == payterm.Approved:
			ev.Order, ev.Paid = c.Despite, true
		case found != "":
			ev.Order, ev.Paid = found, true
		}
	}
	if r.c.Sold != nil {
		var err error
		_, wall := r.c.Clock.Now()
		if ev.Sold, err = r.c.Sold(wall); err != nil {
			r.storeFailed(err)
			return
		}
	}
	r.feed(ev)
}

// begin begins a sale.
func (r *Runner) begin(c counter.BeginSale) {
	r.start(c.Ticket, c.Sale.Total(),
		func(id payterm.OrderID) order.Event {
			c.Sale.ID = id
			return c.Sale
		})
}

// start begins an order of a total; first makes its first event for the new id.
func (r *Runner) start(ticket uint64, total payterm.Amount, first func(payterm.OrderID) order.Event) {
	id, err := r.newID()
	if err != nil {
		r.storeFailed(err)
		return
	}
	l := &live{heapAt: -1}
	r.enter(id, total, l)
	r.joined(l, ticket)
	r.step(l, r.stamp(first(id)))
	if l.order.Phase == order.Fresh { // it was not committed, so it never began
		r.leave(id, l)
		for _, w := range l.waiters {
			w.end(SaleResult{Reason: payterm.ReasonStorage})
		}
		// unless the counter knows of the failed journal already
		r.feed(counter.RefundRefused{Reason: payterm.ReasonStorage})
		return
	}
	for _, w := range l.waiters {
		w.began <- id
	}
}

// newID is the id of a new order, if the disk has room for its end.
func (r *Runner) newID() (payterm.OrderID, error) {
	if err := r.c.Journal.Reserve(); err != nil {
		return "", fmt.Errorf("room for the answer: %w", err)
	}
	id, err := r.c.Journal.NextOrderID()
	if err != nil {
		return "", fmt.Errorf("next order id: %w", err)
	}
	return id, nil
}

// joined makes the callers that asked for an order wait for it.
func (r *Runner) joined(l *live, ticket uint64) {
	if t := r.tickets[ticket]; t != nil {
		l.waiters = append(l.waiters, t.calls...)
		delete(r.tickets, ticket)
	}
}

package runner

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
)

// SaleResult is the end of a request for a sale: the order, or the reason why none began (Order
// is then the one in the way, if any).
type SaleResult struct {
	Began  bool
	Reason payterm.Reason
	Order  payterm.Order
	err    error           // of a decision
	by     payterm.TakenBy // of a Z: who may take it
}

// saleCall is a caller that waits for a sale. Each channel has room for the only value that is
// sent on it, so the loop never blocks.
type saleCall struct {
	ctx    context.Context // the caller's, which may end
	began  chan payterm.OrderID
	result chan SaleResult
}

func newCall(ctx context.Context) saleCall {
	return saleCall{ctx: ctx, began: make(chan payterm.OrderID, 1), result: make(chan SaleResult, 1)}
}

func (c saleCall) end(res SaleResult) { c.result <- res }

// gone reports whether the caller has given up.
func (c saleCall) gone() bool { return c.ctx.Err() != nil }

// Sale asks for a sale and waits until it ends or leaves the counter; began is called with the
// order id once the order is durable. A repeated idempotency key gives the same order (keys.go).
// An error before began means that nothing began, unless ctx ended: then the order may still
// begin, and continues without the caller.
func (r *Runner) Sale(ctx context.Context, sale order.SaleBegan, began func(payterm.OrderID)) (SaleResult, error) {
	return r.call(ctx, func(c saleCall) error { return r.askSale(sale, c) }, began)
}

// call asks on the loop and waits for the result.
func (r *Runner) call(ctx context.Context, ask func(saleCall) error, began func(payterm.OrderID)) (SaleResult, error) {
	call := newCall(ctx)
	failed := make(chan error, 1)
	if !r.Post(func() {
		if err := ask(call); err != nil {
			failed <- err
		}
	}) {
		return SaleResult{}, ErrStopped
	}
	for {
		select {
		case id := <-call.began:
			began(id)
		case res := <-call.result:
			return res, nil
		case err := <-failed:
			return SaleResult{}, err
		case <-ctx.Done():
			return SaleResult{}, fmt.Errorf("given up: %w", context.Cause(ctx))
		case <-r.stopped:
			select { // the result may be there already
			case id := <-call.began:
				began(id)
			default:
			}
			return SaleResult{}, ErrStopped
		}
	}
}

func (r *Runner) askSale(sale order.SaleBegan, call saleCall) error {
	content := ContentOfSale(r.c.Settings.MerchantID, sale)
	if known, err := r.known(sale.IdempotencyKey, content, call); known || err != nil {
		return err
	}
	if sale.Currency != r.c.Settings.Currency {
		return fmt.Errorf("%w: %s, and the terminal sells in %s", ErrCurrency, sale.Currency, r.c.Settings.Currency)
	}
	r.feed(counter.SaleAsked{Ticket: r.wait(call, sale.IdempotencyKey, content), Sale: sale})
	return nil
}

// answer ends a call that did not become an order.
func (r *Runner) answer(ticket uint64, res SaleResult) {
	if t := r.tickets[ticket]; t != nil {
		for _, call := range t.calls {
			call.end(res)
		}
		delete(r.tickets, ticket)
	}
}

// Inquire asks the gateway about an open or listed order and returns its row after the answer;
// false if the order is closed.
func (r *Runner) Inquire(ctx context.Context, id payterm.OrderID) (payterm.Order, bool, error) {
	got := make(chan watched, 1)
	if !r.Post(func() { got <- r.watch(id) }) {
		return payterm.Order{}, false, ErrStopped
	}
	var f watched
	select {
	case f = <-got:
	case <-ctx.Done():
		return payterm.Order{}, false, context.Cause(ctx)
	case <-r.stopped:
		return payterm.Order{}, false, ErrStopped
	}
	if f.row.ID == "" {
		return payterm.Order{}, false, nil
	}
	return r.await(ctx, f), true, nil
}

// watched is an order that a caller asks about: its row, empty if nothing is open, and the
// channel of the next row, if one will come.
type watched struct {
	row  payterm.Order
	wait chan payterm.Order
}

// watch adds a caller that waits for the next answer about an open order, and moves its inquiry
// forward as far as the gate allows. If too many wait already, the caller gets the current row.
func (r *Runner) watch(id payterm.OrderID) watched {
	l := r.orders[id]
	if l == nil {
		if a := r.asides[id]; a != nil {
			return r.watchAside(a)
		}
		return watched{}
	}
	f := watched{row: l.order.Row()}
	if len(l.watchers) >= maxWatchers {
		return f
	}
	r.step(l, r.stamp(order.InquiryAsked{}))
	if _, due := l.order.Due(); due && l.order.Asking.Next != 0 || l.order.Asking.InFlight {
		f.wait = l.watch()
		r.gate.hasten(l.order.Inquiry().OrderID)
	}
	return f
}

// await returns the row after the answer, or the current one if none comes in time.
func (r *Runner) await(ctx context.Context, f watched) payterm.Order {
	if f.wait == nil {
		return f.row
	}
	select {
	case row := <-f.wait:
		return row
	case <-ctx.Done():
	case <-r.stopped:
	}
	return f.row
}

// Resolve records a supervisor's decision on an order. If a PIN is configured it has to be typed
// at the counter first.
func (r *Runner) Resolve(ctx context.Context, id payterm.OrderID, operator, reason string) (payterm.Order, error) {
	res, err := r.call(ctx, func(c saleCall) error {
		ticket := r.wait(c, "", Content{})
		r.feed(counter.ResolveAsked{Ticket: ticket, Word: counter.Resolve{Ticket: ticket, Order: id, Operator: operator,
			Reason: reason}})
		return nil
	}, func(payterm.OrderID) {})
	switch {
	case err != nil:
		return payterm.Order{}, err
	case res.err != nil:
		return payterm.Order{}, res.err
	case !res.Began:
		return payterm.Order{}, fmt.Errorf("%w: %s", ErrNoSupervisor, res.Reason)
	}
	return res.Order, nil
}

func (r *Runner) resolve(id payterm.OrderID, operator, reason string) (payterm.Order, error) {
	l := r.orders[id]
	if l == nil { // closed but still on a list, such as a late payment
		o, err := r.recall(id)
		if a := r.unread(id, err); a != nil {
			return r.resolveAside(a, operator, reason)
		}
		if err != nil {
			return payterm.Order{}, err
		}
		l = &live{order: o, heapAt: -1}
	}
	before := l.order
	r.step(l, r.stamp(order.Resolved{Operator: operator, Reason: reason}))
	if a := r.asides[id]; a != nil { // the decision could not be stepped, so the order was set aside; decide on that
		return r.resolveAside(a, operator, reason)
	}
	if !order.Lasting(before, l.order) {
		if r.storeBad {
			return payterm.Order{}, fmt.Errorf("order %s: the journal cannot be written", id)
		}
		return payterm.Order{}, fmt.Errorf("%w: %s is %s", ErrNotAsked, id, before.Outcome)
	}
	return l.order.Row(), nil
}

// Snapshot is the agent's state at one moment.
type Snapshot struct {
	State   counter.State
	OrderID payterm.OrderID
	// AtRest: nobody uses the counter, whatever it shows.
	AtRest bool
	// Operator is the number of the operator who is signed on, empty for none.
	Operator string
	Status   counter.Status
	Fault    string
	// NetworkAge is how long ago the last exchange with the gateway was, which Status.Network
	// follows; negative if there was none since the start.
	NetworkAge time.Duration
}

// Snapshot returns the loop's state.
func (r *Runner) Snapshot(ctx context.Context) (Snapshot, error) {
	return ask(ctx, r, func() Snapshot {
		s := Snapshot{State: r.counter.State(), AtRest: r.counter.AtRest(r.now()),
			Operator: r.counter.Operator.Number, Status: r.status(), Fault: r.counter.Fault, NetworkAge: -1}
		if age, any := r.way.age(r.now()); any {
			s.NetworkAge = age
		}
		if s.State != counter.StateIdle && s.State != counter.StateAmount {
			s.OrderID = r.counter.Order.ID()
		}
		return s
	})
}

// Queue lists the orders that wait for the network in the background, the next inquiry first.
func (r *Runner) Queue(ctx context.Context) ([]payterm.QueueItem, error) {
	return ask(ctx, r, r.queued)
}

// ask runs a look-up on the loop.
func ask[T any](ctx context.Context, r *Runner, look func() T) (T, error) {
	got := make(chan T, 1)
	var none T
	if !r.Post(func() { got <- look() }) {
		return none, ErrStopped
	}
	select {
	case v := <-got:
		return v, nil
	case <-ctx.Done():
		return none, context.Cause(ctx)
	case <-r.stopped:
		return none, ErrStopped
	}
}

func (r *Runner) queued() []payterm.QueueItem {
	line := r.gate.places()
	mono, wall := r.c.Clock.Now()
	list := make([]payterm.QueueItem, 0, len(r.orders))
	for _, l := range r.orders {
		o := l.order
		if o.Owes() == payterm.OwedNothing || o.Phase.AtCounter() {
			continue
		}
		item := payterm.QueueItem{OrderID: o.ID(), Task: o.Owes(), Attempts: o.Asking.Attempts,
			State: payterm.QueuePlanned, Line: line[o.ID()], Since: payterm.FromMillis(o.SentWall)}
		due, any := o.Due()
		held, waits := r.gate.held(o.Inquiry().OrderID)
		if waits {
			due, any = held, true
		}
		switch {
		case item.Line > 0:
			item.State = payterm.QueueInLine
		case o.Asking.InFlight && !waits:
			item.State = payterm.QueueAsking
		case any && !wall.IsZero():
			item.NextAt = wall.Add(due - mono).UTC()
		}
		list = append(list, item)
	}
	for id, a := range r.asides {
		if a.Owes() != payterm.OwedInquiry {
			continue
		}
		item := payterm.QueueItem{OrderID: id, Task: a.Owes(), Since: a.Row.CreatedAt, Attempts: a.Asking.Attempts,
			State: payterm.QueuePlanned, Line: line[id]}
		switch due, any := a.Due(); {
		case item.Line > 0:
			item.State = payterm.QueueInLine
		case a.Asking.InFlight:
			item.State = payterm.QueueAsking
		case any && !wall.IsZero():
			item.NextAt = wall.Add(due - mono).UTC()
		}
		list = append(list, item)
	}
	slices.SortFunc(list, func(a, b payterm.QueueItem) int {
		return cmp.Or(cmp.Compare(a.State, b.State), cmp.Compare(a.Line, b.Line), a.NextAt.Compare(b.NextAt),
			cmp.Compare(a.OrderID, b.OrderID))
	})
	return list
}

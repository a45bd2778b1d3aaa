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

// SaleResult is how a sale that was asked for ended: the order, or the reason
// why none began (Order then names the one in the way, if any).
type SaleResult struct {
	Began  bool
	Reason payterm.Reason
	Order  payterm.Order
	err    error           // of a resolution
	by     payterm.TakenBy // of a Z that may be taken
}

// saleCall is somebody who waits for a sale. Both channels have room for the one
// value that is ever sent on them, so the loop never waits.
type saleCall struct {
	ctx    context.Context //nolint:containedctx // the caller's, who may go
	began  chan payterm.OrderID
	result chan SaleResult
}

func newCall(ctx context.Context) saleCall {
	return saleCall{ctx: ctx, began: make(chan payterm.OrderID, 1), result: make(chan SaleResult, 1)}
}

func (c saleCall) end(res SaleResult) { c.result <- res }

// gone reports whether nobody waits any more.
func (c saleCall) gone() bool { return c.ctx.Err() != nil }

// Sale asks for a sale and waits until it ends or leaves the counter; began is
// told the order id as soon as the order is durable. The same idempotency key
// joins or gives the same order (keys.go). An error before began was called means that nothing
// began, unless ctx ended: then the order may begin all the same. Afterwards the
// order goes on by itself.
func (r *Runner) Sale(ctx context.Context, sale order.SaleBegan, began func(payterm.OrderID)) (SaleResult, error) {
	return r.call(ctx, func(c saleCall) error { return r.askSale(sale, c) }, began)
}

// call asks on the loop and waits for what becomes of it.
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
			select { // the last that the loop said
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

// answer ends a sale that did not become an order.
func (r *Runner) answer(ticket uint64, res SaleResult) {
	if t := r.tickets[ticket]; t != nil {
		for _, call := range t.calls {
			call.end(res)
		}
		delete(r.tickets, ticket)
	}
}

// Inquire asks the gateway about an order that is open or listed, and gives its
// row once it has answered. It reports false when nothing is open about it.
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

// watched is an order that somebody asks about: its row, empty when nothing is open,
// and where the next one comes, if any does.
type watched struct {
	row  payterm.Order
	wait chan payterm.Order
}

// watch has somebody wait for the next answer about an open order, and brings its
// inquiry forward as far as the gate allows. Where many wait already, the row as it
// stands has to do.
func (r *Runner) watch(id payterm.OrderID) watched {
	l := r.orders[id]
	if l == nil {
		if a := r.broken[id]; a != nil {
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
		f.wait = make(chan payterm.Order, 1)
		l.watchers = append(l.watchers, f.wait)
		r.gate.hasten(l.order.Inquiry().OrderID)
	}
	return f
}

// await gives the row after the answer, or as it was when none comes in time.
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

// Resolve records a supervisor's word on an order. Where a PIN is configured it has
// to be typed at the counter first.
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
	if l == nil { // a late payment, say: closed, and still on the list
		o, err := r.recall(id)
		if a := r.unread(id, err); a != nil {
			return r.wordOn(a, operator, reason)
		}
		if err != nil {
			return payterm.Order{}, err
		}
		l = &live{order: o, heapAt: -1}
	}
	before := l.order
	r.step(l, r.stamp(order.Resolved{Operator: operator, Reason: reason}))
	if a := r.broken[id]; a != nil { // it was set aside for it, and takes the word as such
		return r.wordOn(a, operator, reason)
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
	State   string
	OrderID payterm.OrderID
	// AtRest says that nothing at the counter needs anybody, whatever it shows.
	AtRest bool
	// Operator is the number of who is signed on, empty for nobody.
	Operator string
	Status   counter.Status
	Fault    string
	// NetworkAge is how long ago the last exchange with the gateway was, of which
	// Status.Network is told; less than nothing where there was none in this life.
	NetworkAge time.Duration
}

// Snapshot asks the loop for its state.
func (r *Runner) Snapshot(ctx context.Context) (Snapshot, error) {
	return ask(ctx, r, func() Snapshot {
		s := Snapshot{State: r.terminal.State(), AtRest: r.terminal.AtRest(r.now()),
			Operator: r.terminal.Operator.Number, Status: r.status(), Fault: r.terminal.Fault, NetworkAge: -1}
		if age, any := r.networkAge(); any {
			s.NetworkAge = age
		}
		if s.State != "idle" && s.State != "amount" {
			s.OrderID = r.terminal.Order.ID()
		}
		return s
	})
}

// Queue asks the loop for what waits for the network in the background, what is
// asked next first.
func (r *Runner) Queue(ctx context.Context) ([]payterm.QueueItem, error) {
	return ask(ctx, r, r.queued)
}

// ask has the loop look something up.
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
			State: payterm.QueuePlanned, Line: line[o.ID()]}
		if o.SentWall != 0 {
			item.Since = time.UnixMilli(o.SentWall).UTC()
		}
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
	for id, a := range r.broken {
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

package runner

import (
	"context"
	"time"

	"payterm"
	"payterm/flows/order"
)

// inquire passes an open order's inquiry to the gate.
func (r *Runner) inquire(o order.Order, i payterm.Inquiry) {
	id := o.ID()
	l := r.orders[id]
	if l == nil {
		return
	}
	q := question{
		Inquiry: i, by: id, line: dueLine, limit: requestLimit(o),
		joins: o.Phase == order.Baselining,                // another's newer answer about the sale serves a refund too
		still: func() bool { return r.orders[id] != nil }, // not if it has closed meanwhile
		deliver: func(a payterm.Answer) {
			if a != nil {
				r.answered(id, order.InquiryAnswered{Reply: payterm.Reply{Answer: a}}, a)
			}
		},
	}
	switch {
	case o.Phase.AtCounter():
		q.line = counterLine
	case l.young:
		q.line = bootLine
	case len(l.watchers) > 0:
		q.line = wishLine
	}
	l.young = false
	r.want(q) //nolint:errcheck // an order's own question is never refused
}

// want passes a question to the gate.
func (r *Runner) want(q question) error {
	err := r.gate.add(q, r.now())
	r.nextInquiry()
	return err
}

// nextInquiry starts what the gate allows.
func (r *Runner) nextInquiry() {
	for s, limit := r.gate.next(r.now()); s != nil; s, limit = r.gate.next(r.now()) {
		i := s.asking
		r.request(limit, func(ctx context.Context) payterm.Answer { return r.c.Gateway.Inquire(ctx, i) },
			func(a payterm.Answer) {
				r.hear(a)
				for _, q := range r.gate.answered(s) {
					q.deliver(a)
				}
				r.nextInquiry()
			})
	}
}

// requestLimit is how long a request for an order may take.
func requestLimit(o order.Order) time.Duration { return o.Sale.Rules.HTTPTimeout + requestOverhead }

// request runs one gateway call off the loop, with a deadline, and brings the answer back to the
// loop.
func (r *Runner) request(limit time.Duration, call func(context.Context) payterm.Answer, done func(payterm.Answer)) {
	ctx := r.ctx
	r.c.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		a := call(ctx)
		r.Post(func() { done(a) })
	})
}

func (r *Runner) answered(id payterm.OrderID, e order.Event, a payterm.Answer) {
	r.hear(a)
	l := r.orders[id]
	if l == nil {
		r.answeredAfter(id, e, a)
		return
	}
	r.step(l, r.stamp(e))
	if _, inquiry := e.(order.InquiryAnswered); inquiry {
		l.tellWatchers()
	}
}

// answeredAfter handles an answer about an order that was set aside or closed in the meantime.
// The answer to a refund's inquiry is about its sale and goes to that.
func (r *Runner) answeredAfter(id payterm.OrderID, e order.Event, a payterm.Answer) {
	aside := r.asides[id]
	row, err := r.rowOf(id)
	if err != nil {
		r.c.Log.Warn("an answer about an order that cannot be looked up", "order_id", id, "err", err)
		return
	}
	_, inquiry := e.(order.InquiryAnswered)
	switch {
	case row.Kind == payterm.KindRefund && inquiry:
		if _, err := r.contradicted(row.SaleID, a); err != nil {
			r.c.Log.Warn("an answer about a sale was not kept", "order_id", row.SaleID, "err", err)
		}
	case row.Kind == payterm.KindRefund: // an answer to REFUND proves nothing
	case aside != nil:
		r.stepAside(aside, order.AsideAnswered{Reply: payterm.Reply{Answer: a}}) //nolint:errcheck // it is asked again
	}
}

// rowOf is the row of an order that is not live: of a set-aside one, or the journal's.
func (r *Runner) rowOf(id payterm.OrderID) (payterm.Order, error) {
	if a := r.asides[id]; a != nil {
		return a.Row, nil
	}
	row, known, err := r.c.Journal.Order(id)
	if err == nil && !known {
		err = ErrUnknown
	}
	return row, err
}

// watch adds a caller that waits for the next answer. maxWatchers bounds them.
func (l *live) watch() chan payterm.Order {
	w := make(chan payterm.Order, 1)
	l.watchers = append(l.watchers, w)
	return w
}

func (l *live) tellWatchers() {
	row := l.order.Row()
	for _, w := range l.watchers {
		w <- row
	}
	l.watchers = nil
}

func (l *live) tellWaiters() {
	row := l.order.Row()
	for _, w := range l.waiters {
		w.end(SaleResult{Began: true, Reason: row.Reason, Order: row})
	}
	l.waiters = nil
}

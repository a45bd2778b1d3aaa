package runner

import (
	"context"
	"fmt"
	"time"

	"payterm"
	"payterm/flows/order"
)

// Checked is the gateway's answer about a sale, and the sale's row after it.
type Checked struct {
	Order payterm.Order
	// Answer is nil if the order was not asked about separately: it, or a refund of it, is open.
	Answer payterm.Answer
}

// Check asks the gateway how a sale stands, in the background and in its turn. An open sale is
// asked about by its own inquiry, and may end by it. The answer about a closed one changes
// nothing, except for a payment that is not accounted for (order.Order, contradicted).
func (r *Runner) Check(ctx context.Context, id payterm.OrderID) (Checked, error) {
	result := make(chan Checked, 1)
	failed := make(chan error, 1)
	if !r.Post(func() {
		if err := r.check(ctx, id, result); err != nil {
			failed <- err
		}
	}) {
		return Checked{}, ErrStopped
	}
	select {
	case c := <-result:
		return c, nil
	case err := <-failed:
		return Checked{}, err
	case <-ctx.Done():
		return Checked{}, fmt.Errorf("given up: %w", context.Cause(ctx))
	case <-r.stopped:
		return Checked{}, ErrStopped
	}
}

func (r *Runner) check(ctx context.Context, id payterm.OrderID, result chan Checked) error {
	if l := r.orders[id]; l != nil {
		if l.order.Phase.AtCounter() { // it inquires by itself
			result <- Checked{Order: l.order.Row()}
			return nil
		}
		f := r.watch(id)
		r.c.Go(func() { result <- Checked{Order: r.await(ctx, f)} })
		return nil
	}
	if a := r.asides[id]; a != nil {
		f := r.watchAside(a)
		r.c.Go(func() { result <- Checked{Order: r.await(ctx, f)} })
		return nil
	}
	o, err := r.recall(id)
	if a := r.unread(id, err); a != nil {
		if !r.ours(a.Row) {
			return ErrOtherMerchant
		}
		if a.Row.Kind != payterm.KindSale {
			result <- Checked{Order: a.Row}
			return nil
		}
		return r.want(r.wish(ctx, a.Inquiry(), a.Rules.HTTPTimeout+requestOverhead, func(answer payterm.Answer) {
			c := Checked{a.Row, answer}
			if answer != nil {
				if row, err := r.contradicted(id, answer); err == nil {
					c.Order = row
				}
			}
			result <- c
		}))
	}
	if err != nil {
		return err
	}
	if !r.ours(o.Row()) {
		return ErrOtherMerchant
	}
	if o.Kind != payterm.KindSale || r.orders[o.RefundID] != nil {
		result <- Checked{Order: o.Row()}
		return nil
	}
	return r.want(r.wish(ctx, payterm.Inquiry{OrderID: id, Total: o.Total(), MaxFeeMinor: o.Sale.Rules.MaxFeeMinor},
		requestLimit(o),
		func(a payterm.Answer) { result <- r.checked(o, a) }))
}

// wish is a caller's question about a closed order. A refund of it that began meanwhile asks by
// itself.
func (r *Runner) wish(ctx context.Context, i payterm.Inquiry, limit time.Duration,
	deliver func(payterm.Answer)) question {
	return question{Inquiry: i, line: wishLine, limit: limit, joins: true, deliver: deliver, still: func() bool {
		if ctx.Err() != nil {
			return false
		}
		o, err := r.recall(i.OrderID)
		return err != nil || r.orders[o.RefundID] == nil
	}}
}

// checked handles the answer to a question about a closed sale.
func (r *Runner) checked(o order.Order, a payterm.Answer) Checked {
	c := Checked{o.Row(), a}
	if a == nil {
		if now, err := r.recall(o.ID()); err == nil {
			c.Order = now.Row()
		}
		return c
	}
	if row, err := r.contradicted(o.ID(), a); err == nil {
		c.Order = row
	}
	return c
}

// contradicted steps a closed sale by the answer and returns its row. The sale is in the book
// until that is committed.
func (r *Runner) contradicted(id payterm.OrderID, a payterm.Answer) (payterm.Order, error) {
	l := r.orders[id]
	if l == nil {
		o, err := r.recall(id)
		if aside := r.unread(id, err); aside != nil {
			err := r.stepAside(aside, order.AsideAnswered{Reply: payterm.Reply{Answer: a}})
			return aside.Row, err
		}
		if err != nil {
			return payterm.Order{}, err
		}
		l = &live{order: o, heapAt: -1}
		r.enter(id, o.Total(), l)
	}
	before := l.order
	r.step(l, r.stamp(order.InquiryAnswered{Reply: payterm.Reply{Answer: a}}))
	if order.Lasting(before, l.order) {
		r.c.Log.Error("the gateway contradicts the journal about a closed order", "order_id", id,
			"outcome", before.Outcome, "answer", payterm.AnswerName(a))
	}
	return l.order.Row(), nil
}

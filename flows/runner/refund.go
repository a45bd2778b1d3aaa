package runner

import (
	"context"
	"errors"
	"fmt"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
)

// Refund asks for a refund of a sale, of all that is left if the amount is 0, and waits until it
// ends or leaves the counter; otherwise as Sale.
func (r *Runner) Refund(ctx context.Context, refund order.RefundBegan, began func(payterm.OrderID)) (SaleResult,
	error) {
	return r.call(ctx, func(c saleCall) error { return r.askRefund(refund, c) }, began)
}

func (r *Runner) askRefund(refund order.RefundBegan, call saleCall) error {
	content := ContentOfRefund(r.c.Settings.MerchantID, refund)
	if known, err := r.known(refund.IdempotencyKey, content, call); known || err != nil {
		return err
	}
	sale, err := r.saleOf(refund.SaleID)
	if errors.Is(err, errUnread) {
		call.end(SaleResult{Reason: payterm.ReasonNotRefundable})
		return nil
	}
	if err != nil {
		return err
	}
	if refund.Currency != "" && refund.Currency != sale.Sale.Currency {
		return fmt.Errorf("%w: %s, and the sale was in %s", ErrCurrency, refund.Currency, sale.Sale.Currency)
	}
	if refund.AmountMinor == 0 {
		refund.Whole, refund.AmountMinor = true, sale.Total().Minor-sale.RefundedMinor
		content.AmountMinor = refund.AmountMinor
	}
	refund = ofSale(refund, sale)
	if why := r.refundReason(sale, refund.Total()); why != payterm.ReasonNone {
		call.end(SaleResult{Reason: why, Order: payterm.Order{ID: sale.RefundID}})
		return nil
	}
	r.feed(counter.RefundAsked{Ticket: r.wait(call, refund.IdempotencyKey, content), Refund: refund})
	return nil
}

// ofSale gives a refund the terms of its sale, and the sale's known refunded total.
func ofSale(refund order.RefundBegan, sale order.Order) order.RefundBegan {
	refund.SaleTotalMinor, refund.Mode, refund.Wallet = sale.Total().Minor, sale.Sale.Mode, sale.Wallet
	refund.Currency, refund.MerchantID = sale.Sale.Currency, sale.Sale.MerchantID
	refund.SaleRefundedMinor = max(sale.RefundedMinor, sale.SaleRefundedMinor)
	return refund
}

// refundReason is why an amount of a sale cannot be refunded, empty if it can. Another merchant's
// sale is unknown at the gateway.
func (r *Runner) refundReason(sale order.Order, amount payterm.Amount) payterm.Reason {
	if why := order.RefundReason(sale, amount); why != payterm.ReasonNone {
		return why
	}
	if !r.ours(sale.Row()) {
		return payterm.ReasonOtherMerchant
	}
	return payterm.ReasonNone
}

// ours reports whether an order has the terminal's merchant and currency, so that its gateway
// knows it.
func (r *Runner) ours(o payterm.Order) bool {
	return o.MerchantID == r.c.Settings.MerchantID && o.Currency == r.c.Settings.Currency
}

// saleOf is an order's current state, open or closed.
func (r *Runner) saleOf(id payterm.OrderID) (order.Order, error) {
	if l := r.orders[id]; l != nil {
		return l.order, nil
	}
	return r.recall(id)
}

// beginRefund begins a refund if the sale has enough left.
func (r *Runner) beginRefund(c counter.BeginRefund) {
	sale, err := r.recall(c.Refund.SaleID)
	if errors.Is(err, errUnread) || errors.Is(err, ErrUnknown) { // or dropped by retention meanwhile
		r.c.Log.Warn("a refund of an order that cannot be read", "err", err)
		r.feed(counter.RefundRefused{Reason: payterm.ReasonNotRefundable})
		return
	}
	if err != nil {
		r.storeFailed(err)
		return
	}
	c.Refund = ofSale(c.Refund, sale)
	if why := r.refundReason(sale, c.Refund.Total()); why != payterm.ReasonNone { // another refund began meanwhile
		r.feed(counter.RefundRefused{Reason: why})
		return
	}
	r.start(c.Ticket, c.Refund.Total(),
		func(id payterm.OrderID) order.Event {
			c.Refund.ID = id
			return c.Refund
		})
}

// entries are the journal entries of one step: the order's own, and the sale's when a refund of
// it begins, which prevents a second one, or ends.
func (r *Runner) entries(before, next order.Order, in order.Stamped) ([]payterm.Entry, error) {
	e, err := r.entry(before, next, in)
	if err != nil {
		return nil, err
	}
	var toSale order.Event
	_, restarted := in.Event.(order.Restarted) // rows are open only for orders that get a Restarted (Restore)
	switch {
	case next.Kind != payterm.KindRefund:
	case before.Phase == order.Fresh:
		toSale = order.RefundOpened{ID: next.ID(), AmountMinor: next.Sale.AmountMinor}
	case next.Settled() && (!before.Settled() || restarted):
		toSale = next.SaleRefunded()
	}
	if toSale == nil {
		return []payterm.Entry{e}, nil
	}
	ofSale, err := r.saleEntry(next.ID(), next.SaleID, toSale, in)
	if err != nil {
		return nil, err
	}
	return []payterm.Entry{e, ofSale}, nil
}

// errNoSale: the refund's sale cannot record the refund, because it is unreadable, missing or
// would become impossible. The journal itself is fine; the refund is set aside.
var errNoSale = errors.New("its sale does not take it in")

// saleEntry is the journal entry of a sale for its refund's event.
func (r *Runner) saleEntry(refund, id payterm.OrderID, ev order.Event, in order.Stamped) (payterm.Entry, error) {
	sale, err := r.recall(id)
	if err == nil {
		in.Event = ev
		after, _ := order.Step(sale, in)
		if err := after.Impossible(); err != nil {
			return payterm.Entry{}, fmt.Errorf("refund %s: %w: order %s: %w", refund, errNoSale, id, err)
		}
		return r.entry(sale, after, in)
	}
	if errors.Is(err, errUnread) || errors.Is(err, ErrUnknown) {
		return payterm.Entry{}, fmt.Errorf("refund %s: %w: %w", refund, errNoSale, err)
	}
	return payterm.Entry{}, fmt.Errorf("the sale of refund %s: %w", refund, err)
}

// recall reads an order from the journal, where closed ones are.
func (r *Runner) recall(id payterm.OrderID) (order.Order, error) {
	records, err := r.c.Journal.Events(id)
	if err != nil {
		return order.Order{}, fmt.Errorf("read order %s: %w", id, err)
	}
	if len(records) == 0 {
		return order.Order{}, fmt.Errorf("%w: %s", ErrUnknown, id)
	}
	o, err := fold(records)
	if err != nil {
		return order.Order{}, fmt.Errorf("order %s: %w: %w", id, errUnread, err)
	}
	if o.Sale.MerchantID == "" { // events of earlier versions have none; the journal knows it
		row, _, err := r.c.Journal.Order(id)
		if err != nil {
			return order.Order{}, fmt.Errorf("read order %s: %w", id, err)
		}
		o.Sale.MerchantID = row.MerchantID
	}
	return o, nil
}

// reprint prints an ended order's slips again.
func (r *Runner) reprint(id payterm.OrderID) {
	o, err := r.saleOf(id)
	if a := r.unread(id, err); a != nil { // its row is enough for a copy
		for _, c := range a.Reprint() {
			r.carryOutAside(a, c)
		}
		return
	}
	if err != nil {
		r.c.Log.Warn("slips not printed again", "order_id", id, "err", err)
		r.c.Buzzer.Play(payterm.SoundDeclined)
		return
	}
	r.step(&live{order: o, heapAt: -1}, r.stamp(order.ReprintAsked{}))
}

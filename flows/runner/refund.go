package runner

import (
	"context"
	"errors"
	"fmt"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
)

// Refund asks for a refund of a sale, in whole when the amount is 0, and waits
// until it ends or leaves the counter. Otherwise it is as Sale.
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

// ofSale gives a refund the terms of its sale, and what is known to have been given
// back of it.
func ofSale(refund order.RefundBegan, sale order.Order) order.RefundBegan {
	refund.SaleTotalMinor, refund.Mode, refund.Wallet = sale.Total().Minor, sale.Sale.Mode, sale.Wallet
	refund.Currency, refund.MerchantID = sale.Sale.Currency, sale.Sale.MerchantID
	refund.SaleRefundedMinor = max(sale.RefundedMinor, sale.SaleRefundedMinor)
	return refund
}

// refundReason says why a sale cannot give back an amount, or nothing. Under another
// merchant's key the gateway knows nothing of it.
func (r *Runner) refundReason(sale order.Order, amount payterm.Amount) payterm.Reason {
	if why := order.RefundReason(sale, amount); why != payterm.ReasonNone {
		return why
	}
	if !r.ours(sale.Row()) {
		return payterm.ReasonOtherMerchant
	}
	return payterm.ReasonNone
}

// ours reports whether an order is of the terminal's own merchant and currency, so that
// its gateway can be asked about it.
func (r *Runner) ours(o payterm.Order) bool {
	return o.MerchantID == r.c.Settings.MerchantID && o.Currency == r.c.Settings.Currency
}

// saleOf is an order as it stands, whether the network still owes something for it
// or not.
func (r *Runner) saleOf(id payterm.OrderID) (order.Order, error) {
	if l := r.orders[id]; l != nil {
		return l.order, nil
	}
	return r.recall(id)
}

// beginRefund starts a refund, if the sale can still give the amount back.
func (r *Runner) beginRefund(c counter.BeginRefund) {
	sale, err := r.recall(c.Refund.SaleID)
	if errors.Is(err, errUnread) || errors.Is(err, ErrUnknown) { // or retention has dropped it meanwhile
		r.c.Log.Warn("a refund of an order that cannot be read", "err", err)
		r.feed(counter.RefundRefused{Reason: payterm.ReasonNotRefundable})
		return
	}
	if err != nil {
		r.storeFailed(err)
		return
	}
	c.Refund = ofSale(c.Refund, sale)
	if why := r.refundReason(sale, c.Refund.Total()); why != payterm.ReasonNone { // somebody was faster
		r.feed(counter.RefundRefused{Reason: why})
		return
	}
	r.start(c.Ticket, c.Refund.Total(),
		func(id payterm.OrderID) order.Event {
			c.Refund.ID = id
			return c.Refund
		})
}

// entries are the journal records of one step: the order's, and the sale's when a
// refund of it begins, so that no other does, or is settled.
func (r *Runner) entries(before, next order.Order, in order.Stamped) ([]payterm.Entry, error) {
	e, err := r.entry(before, next, in)
	if err != nil {
		return nil, err
	}
	var toSale order.Event
	_, restarted := in.Event.(order.Restarted) // which only those meet whose row is open (Restore)
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

// errNoSale says that a refund's sale cannot take in what the refund does to it: it cannot
// be read back, is not there, or would be impossible. Nothing can be written then, however
// well the journal is: the refund is set aside.
var errNoSale = errors.New("its sale does not take it in")

// saleEntry is the record of what a refund does to its sale.
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

// recall folds an order from the journal, which is where closed ones live.
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
	if o.Sale.MerchantID == "" { // its events are of a version before: the journal knows
		row, _, err := r.c.Journal.Order(id)
		if err != nil {
			return order.Order{}, fmt.Errorf("read order %s: %w", id, err)
		}
		o.Sale.MerchantID = row.MerchantID
	}
	return o, nil
}

// reprint asks an ended order for its slips once more.
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

package runner

import (
	"cmp"
	"context"

	"payterm"
	"payterm/flows/counter"
)

// Cancel does what the key CANCEL would do to the order at the counter, and returns the order after it. A
// request that is being sent is awaited, since CANCEL counts if no byte of it was written. With an id it ends
// that order alone; one that is not at the counter is returned as it is, so that a caller may repeat itself.
// ErrNothingThere if no order was named and nothing is at the counter.
func (r *Runner) Cancel(ctx context.Context, id payterm.OrderID) (payterm.Order, error) {
	var wrong error
	f, err := ask(ctx, r, func() (f watched) { f, wrong = r.cancel(id); return f })
	if err != nil || wrong != nil {
		return payterm.Order{}, cmp.Or(err, wrong)
	}
	return r.await(ctx, f), nil
}

func (r *Runner) cancel(id payterm.OrderID) (watched, error) {
	at, prompted := r.counter.Cancellable(id)
	switch {
	case prompted:
		row := requested(r.counter)
		r.feed(counter.CancelAsked{})
		return watched{row: row}, nil
	case at != "":
		r.feed(counter.CancelAsked{Order: at})
		id = at
	case id == "":
		return watched{}, ErrNothingThere
	}
	if l := r.orders[id]; l != nil {
		f := watched{row: l.order.Row()}
		if at != "" && l.order.CancelWanted && f.row.Outcome == payterm.Open && len(l.watchers) < maxWatchers {
			f.wait = l.watch()
		}
		return f, nil
	}
	row, err := r.rowOf(id)
	return watched{row: row}, err
}

// requested is the sale or refund that waits for a supervisor's PIN and does not begin.
func requested(c counter.Counter) payterm.Order {
	o := payterm.Order{Kind: payterm.KindSale, Mode: c.Want.Mode, Wallet: c.Want.Wallet, Ref: c.Want.Ref,
		AmountMinor: c.Want.AmountMinor, TipMinor: c.Want.TipMinor, Currency: c.Want.Currency}
	if c.Refund.SaleID != "" {
		o = payterm.Order{Kind: payterm.KindRefund, SaleID: c.Refund.SaleID, Ref: c.Refund.Ref,
			AmountMinor: c.Refund.AmountMinor, Currency: c.Refund.Currency}
	}
	o.Outcome, o.Reason = payterm.NotSent, payterm.ReasonCashier
	return o
}

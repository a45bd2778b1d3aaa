package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"payterm"
	"payterm/flows/order"
)

// An idempotency key stands for one request, wherever it arrives (invariant 21). The same request
// again joins the first one while it waits or runs, and later gets its result; with other content
// it is refused. Only this file looks up keys.

// ErrKeyReused: the key came before with other content.
var ErrKeyReused = errors.New("this idempotency key was used for another request")

// ErrFenced: a caller was told that nothing began with this key, so nothing does.
var ErrFenced = errors.New("this idempotency key was given up: a caller was told that nothing began with it")

// Content is what makes two requests the same. The shop's own reference is not part of it, since
// it moves no money.
type Content struct {
	MerchantID  string // two merchants' tills may both count from 1001
	Kind        payterm.Kind
	Mode        payterm.Mode
	Wallet      payterm.Channel // compared if both are known
	AmountMinor int64
	TipMinor    int64
	Currency    payterm.Currency // the same
	SaleID      payterm.OrderID  // of a refund
	Whole       bool             // of a refund: all that is left, not an amount
}

// ContentOfSale is the content of a till's sale.
func ContentOfSale(merchantID string, s order.SaleBegan) Content {
	return Content{MerchantID: merchantID, Kind: payterm.KindSale, Mode: s.Mode, Wallet: s.Wallet,
		AmountMinor: s.AmountMinor, TipMinor: s.TipMinor, Currency: s.Currency}
}

// ContentOfRefund is the content of a refund; without an amount it is all that is left.
func ContentOfRefund(merchantID string, r order.RefundBegan) Content {
	return Content{MerchantID: merchantID, Kind: payterm.KindRefund, SaleID: r.SaleID, AmountMinor: r.AmountMinor,
		Currency: r.Currency, Whole: r.Whole || r.AmountMinor == 0}
}

func contentOf(o payterm.Order) Content {
	return Content{
		MerchantID: o.MerchantID, Kind: o.Kind, Mode: o.Mode, Wallet: o.Wallet, AmountMinor: o.AmountMinor,
		TipMinor: o.TipMinor, Currency: o.Currency, SaleID: o.SaleID, Whole: o.Whole,
	}
}

// fits reports whether a request is the same as this one. "All that is left" and an amount are
// different requests, since what is left changes; but the amount that "all" came to is the same
// money. Orders of earlier versions have no merchant; the journal knows it (storage,
// merchant.go), and an order without any fits no merchant.
func (c Content) fits(asked Content) bool {
	switch {
	case c.MerchantID != asked.MerchantID:
		return false
	case c.Kind != asked.Kind, c.Currency != asked.Currency && c.Currency != "" && asked.Currency != "":
		return false
	case c.Kind == payterm.KindRefund:
		return c.SaleID == asked.SaleID && (asked.Whole && c.Whole || !asked.Whole &&
			c.AmountMinor == asked.AmountMinor)
	}
	return c.Mode == asked.Mode && c.AmountMinor == asked.AmountMinor && c.TipMinor == asked.TipMinor &&
		(c.Wallet == asked.Wallet || c.Wallet == "" || asked.Wallet == "")
}

// Keys finds orders by key.
type Keys interface {
	// OrderByKey returns the order of a key; for one that retention has dropped, what callers are
	// told of it.
	OrderByKey(key string) (payterm.Order, bool, error)
	// Fenced reports whether a key is fenced (Settle), and for which merchant.
	Fenced(key string) (merchantID string, fenced bool, err error)
	Events(payterm.OrderID) ([]payterm.Journaled, error)
}

// OrderOf returns the order of a key, false if there is none, ErrKeyReused if its content
// differs, ErrFenced if it gets no order.
func OrderOf(keys Keys, key string, asked Content) (payterm.Order, bool, error) {
	row, found, err := keys.OrderByKey(key)
	if err == nil && found && asked.Whole && !row.Whole && row.Kind == payterm.KindRefund {
		row.Whole, err = beganWhole(keys, row.ID)
	}
	switch {
	case err != nil:
		return payterm.Order{}, false, fmt.Errorf("look up the idempotency key: %w", err)
	case !found:
		return payterm.Order{}, false, fenced(keys, key, asked.MerchantID)
	case row.MerchantID != asked.MerchantID: // another merchant's till is not told what was sold
		return payterm.Order{}, false, errOtherMerchants
	case !contentOf(row).fits(asked):
		return payterm.Order{}, false, fmt.Errorf("%w (order %s, a %s of %s)", ErrKeyReused, row.ID, row.Kind,
			row.Amount())
	}
	return row, true, nil
}

var errOtherMerchants = fmt.Errorf("%w (by the merchant that this terminal had before)", ErrKeyReused)

// fenced is an error for a fenced key.
func fenced(keys Keys, key, merchantID string) error {
	whose, is, err := keys.Fenced(key)
	switch {
	case err != nil:
		return fmt.Errorf("look up the idempotency key: %w", err)
	case !is:
		return nil
	case whose != merchantID:
		return errOtherMerchants
	}
	return ErrFenced
}

// beganWhole reports whether a refund was for all that was left, which rows of earlier versions
// do not have.
func beganWhole(keys Keys, id payterm.OrderID) (bool, error) {
	records, err := keys.Events(id)
	if err != nil || len(records) == 0 {
		return false, err
	}
	e, err := order.DecodeEvent(records[0].Event, records[0].Body)
	began, is := e.(order.RefundBegan)
	return is && began.Whole, err
}

// asked is a request that has not become an order yet, with all callers that wait for it.
type asked struct {
	key     string // empty for none
	content Content
	calls   []saleCall
}

// maxCallers bounds the callers that wait for one order.
const maxCallers = 64

var errTooMany = fmt.Errorf("more than %d callers wait for this order", maxCallers)

// join adds a call, in place of one that has been given up.
func join(calls []saleCall, c saleCall) ([]saleCall, error) {
	calls = slices.DeleteFunc(calls, saleCall.gone)
	if len(calls) >= maxCallers {
		return calls, errTooMany
	}
	return append(calls, c), nil
}

// wait gives a request a ticket.
func (r *Runner) wait(call saleCall, key string, content Content) uint64 {
	r.ticket++
	r.tickets[r.ticket] = &asked{key, content, []saleCall{call}}
	return r.ticket
}

// known handles a request whose key came before: true if the call was joined to it or answered.
func (r *Runner) known(key string, content Content, call saleCall) (bool, error) {
	if key == "" {
		return false, nil
	}
	for _, t := range r.tickets { // hardly ever more than two
		if t.key != key {
			continue
		}
		if !t.content.fits(content) {
			return false, fmt.Errorf("%w, which waits at the counter", ErrKeyReused)
		}
		var err error
		t.calls, err = join(t.calls, call)
		return true, err
	}
	row, found, err := OrderOf(r.c.Journal, key, content)
	if err != nil || !found {
		return false, err
	}
	return true, r.follow(row, call)
}

// follow answers a call with an order that has begun.
func (r *Runner) follow(row payterm.Order, call saleCall) error {
	if l := r.orders[row.ID]; l != nil && l.order.Outcome == payterm.Open {
		waiters, err := join(l.waiters, call)
		if err != nil {
			return err
		}
		l.waiters = waiters
		call.began <- row.ID
		return nil
	}
	if row.Outcome == payterm.Open { // set aside: its end will not come
		row.Outcome = payterm.InDoubt
	}
	call.end(SaleResult{Began: true, Reason: row.Reason, Order: row})
	return nil
}

// Again answers a request by its key alone, for requests that would not begin any more;
// ErrUnknown if the key is new.
func (r *Runner) Again(ctx context.Context, key string, content Content, began func(payterm.OrderID)) (SaleResult,
	error) {
	return r.call(ctx, func(c saleCall) error {
		known, err := r.known(key, content, c)
		if err == nil && !known {
			err = ErrUnknown
		}
		return err
	}, began)
}

package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"payterm"
)

// Settlement is what became of the request with an idempotency key.
type Settlement struct {
	// NeverBegan is a promise, which was committed: no order has the key, and none will.
	NeverBegan bool
	// Order is the order of the key; without an id the request is at the counter and is none yet.
	Order payterm.Order
}

// Open reports whether the request may still change: it waits at the counter, or its order is open.
func (s Settlement) Open() bool {
	return !s.NeverBegan && (s.Order.ID == "" || s.Order.Outcome == payterm.Open)
}

// Settle tells a caller who lost its answer what became of its request. Where no request with the
// key has come, none is served any more: one that was delayed on its way would charge a customer
// after the caller was told that nothing happened. by names the caller in the journal.
func (r *Runner) Settle(ctx context.Context, key payterm.IdempotencyKey, by string) (Settlement, error) {
	var failed error
	s, err := ask(ctx, r, func() (s Settlement) { s, failed = r.settle(key, by); return s })
	return s, cmp.Or(err, failed)
}

func (r *Runner) settle(key payterm.IdempotencyKey, by string) (Settlement, error) {
	for _, t := range r.tickets {
		if t.key == string(key) {
			return Settlement{}, nil
		}
	}
	merchant := r.c.Settings.MerchantID
	row, found, err := r.c.Journal.OrderByKey(string(key))
	switch {
	case err != nil:
		return Settlement{}, fmt.Errorf("look up the idempotency key: %w", err)
	case found && row.MerchantID != merchant:
		return Settlement{}, errOtherMerchants
	case found && row.Outcome == payterm.Open && r.orders[row.ID] == nil: // set aside: its end will not come
		row.Outcome = payterm.InDoubt
		return Settlement{Order: row}, nil
	case found:
		return Settlement{Order: row}, nil
	}
	switch err := fenced(r.c.Journal, string(key), merchant); {
	case errors.Is(err, ErrFenced):
		return Settlement{NeverBegan: true}, nil
	case err != nil:
		return Settlement{}, err
	}
	stamp := r.times()
	if err := r.c.Journal.Fence(stamp, payterm.PersonRecord{Operator: by, Key: key}, merchant); err != nil {
		r.storeFailed(err)
		return Settlement{}, fmt.Errorf("the promise that nothing began cannot be kept: %w", err)
	}
	r.c.Log.Info("fenced", "key", key, "by", by)
	return Settlement{NeverBegan: true}, nil
}

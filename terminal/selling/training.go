package selling

import (
	"context"
	"errors"
	"path/filepath"

	"payterm"
	"payterm/flows/runner"
	"payterm/storage"
	"payterm/terminal/api"
)

// Training refuses to sell, since the terminal is in training. Questions about earlier orders are
// answered from the real terminal's journal.
type Training struct {
	*Selling
	Real       string // path of that journal
	MerchantID string // the real terminal's; training has its own
}

// ErrTraining: the terminal is in training.
var ErrTraining = api.Errorf(api.InTraining, "the terminal is in training: payterm training off ends it; "+
	"the training's own data is in --data %s", filepath.Join("DATA", "training"))

// Sale refuses: a till must never take a simulated payment for a real one. A request whose
// idempotency key has an order gets that order: "not sent" would be wrong, and the customer would
// pay twice.
func (t Training) Sale(_ context.Context, r api.SaleRequest, _ func(payterm.OrderID)) (payterm.Order, error) {
	return t.notSold(string(r.IdempotencyKey), runner.ContentOfSale(t.MerchantID, t.saleOf(r)), askedFor(r))
}

// Refund refuses, likewise.
func (t Training) Refund(_ context.Context, r api.RefundRequest, _ func(payterm.OrderID)) (payterm.Order, error) {
	refund := refundOf(r)
	return t.notSold(refund.IdempotencyKey, runner.ContentOfRefund(t.MerchantID, refund), askedBack(refund))
}

// notSold refuses, unless the key has an order of the real terminal.
func (t Training) notSold(key string, asked runner.Content, order payterm.Order) (payterm.Order, error) {
	if key != "" {
		look := func(j *storage.Reader) (payterm.Order, bool, error) { return runner.OrderOf(j, key, asked) }
		o, found, err := t.inReal(look)
		switch {
		case errors.Is(err, runner.ErrKeyReused):
			return o, Coded(err)
		case err != nil:
			return o, api.Errorf(api.InTraining, "%v; whether this key has an order is not known: %v", ErrTraining, err)
		case found:
			return o, nil
		}
	}
	order.Currency, order.Outcome, order.Reason = t.o.Config.Merchant.Currency, payterm.NotSent, payterm.ReasonTraining
	return order, nil
}

// inReal reads the real terminal's journal.
func (t Training) inReal(look func(*storage.Reader) (payterm.Order, bool, error)) (payterm.Order, bool, error) {
	j, err := storage.OpenReader(t.Real)
	if err != nil {
		return payterm.Order{}, false, err
	}
	o, found, err := look(j)
	return o, found, errors.Join(err, j.Close())
}

// RealSettle tells what became of a request to the real terminal. That nothing began is not promised in
// training, since the real journal is not written then.
func (t Training) RealSettle(key payterm.IdempotencyKey) (api.Settlement, error) {
	o, found, err := t.inReal(func(j *storage.Reader) (payterm.Order, bool, error) { return j.OrderByKey(string(key)) })
	switch {
	case err != nil:
		return api.Settlement{}, api.Errorf(api.InTraining, "%v; whether this key has an order is not known: %v",
			ErrTraining, err)
	case found && o.MerchantID == t.MerchantID:
		return settlement(o, o.Outcome == payterm.Open), nil
	case found:
		return api.Settlement{}, Coded(runner.ErrKeyReused)
	}
	return api.Settlement{}, ErrTraining
}

// RealOrder is an order of the real terminal.
func (t Training) RealOrder(id payterm.OrderID) (payterm.Order, error) {
	o, there, err := t.inReal(func(j *storage.Reader) (payterm.Order, bool, error) { return j.Order(id) })
	return o, missing(id, there, err)
}

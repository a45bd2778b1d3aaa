package selling

import (
	"context"

	"payterm"
	"payterm/terminal/api"
)

// Operations are the calls of the local API that concern the terminal itself, not its orders.
type Operations interface {
	Status(ctx context.Context) (api.Status, error)
	Doctor(ctx context.Context, r api.DoctorRequest) (api.Report, error)
	Train(ctx context.Context, on bool) error
}

// Open is the local API of a terminal that sells.
type Open struct {
	*Selling
	Operations
}

// Closed is the local API while the journal is not open. Why is the reason.
func Closed(o Operations, why func() string) api.Service {
	refusing := api.Refusing{Why: func() error { return api.Errorf(api.NotOpen, "%s", why()) }}
	return closed{refusing, o, why}
}

type closed struct {
	api.Refusing
	operations Operations
	why        func() string
}

func (s closed) Status(ctx context.Context) (api.Status, error) { return s.operations.Status(ctx) }

func (s closed) Sale(_ context.Context, r api.SaleRequest, _ func(payterm.OrderID)) (payterm.Order, error) {
	return s.notSent(r.IdempotencyKey, payterm.KindSale)
}

func (s closed) Refund(_ context.Context, r api.RefundRequest, _ func(payterm.OrderID)) (payterm.Order, error) {
	return s.notSent(r.IdempotencyKey, payterm.KindRefund)
}

// notSent refuses a sale or refund. With a key it must not say "not sent", since an earlier
// request with the key may have been.
func (s closed) notSent(key payterm.IdempotencyKey, kind payterm.Kind) (payterm.Order, error) {
	if key != "" {
		return payterm.Order{}, api.Errorf(api.NotOpen,
			"the journal is not open, and whether this idempotency key has an order is not known: %s", s.why())
	}
	return payterm.Order{Kind: kind, Outcome: payterm.NotSent, Reason: payterm.ReasonStorage}, nil
}

// InTraining is the local API on a training's own data: totals and orders are the training's.
type InTraining struct {
	Open
	Real Training
}

// Sale refuses.
func (s InTraining) Sale(ctx context.Context, r api.SaleRequest,
	taken func(payterm.OrderID)) (payterm.Order, error) {
	return s.Real.Sale(ctx, r, taken)
}

// Refund refuses.
func (s InTraining) Refund(ctx context.Context, r api.RefundRequest,
	taken func(payterm.OrderID)) (payterm.Order, error) {
	return s.Real.Refund(ctx, r, taken)
}

// Settle answers from the real terminal's journal.
func (s InTraining) Settle(_ context.Context, key payterm.IdempotencyKey) (api.Settlement, error) {
	return s.Real.RealSettle(key)
}

// Outside is the local API on the real terminal's data during training: nothing is sold, and
// questions about orders are answered from the real journal.
func Outside(in InTraining) api.Service {
	return outside{api.Refusing{Why: func() error { return ErrTraining }}, in}
}

type outside struct {
	api.Refusing
	in InTraining
}

func (s outside) Status(ctx context.Context) (api.Status, error) { return s.in.Status(ctx) }

func (s outside) Train(ctx context.Context, on bool) error { return s.in.Train(ctx, on) }

func (s outside) Sale(ctx context.Context, r api.SaleRequest, taken func(payterm.OrderID)) (payterm.Order, error) {
	return s.in.Sale(ctx, r, taken)
}

func (s outside) Refund(ctx context.Context, r api.RefundRequest,
	taken func(payterm.OrderID)) (payterm.Order, error) {
	return s.in.Refund(ctx, r, taken)
}

func (s outside) Settle(ctx context.Context, key payterm.IdempotencyKey) (api.Settlement, error) {
	return s.in.Settle(ctx, key)
}

// Cancel tells how an order of the real terminal stands: in training none is at its counter.
func (s outside) Cancel(ctx context.Context, id payterm.OrderID) (payterm.Order, error) {
	if id == "" {
		return payterm.Order{}, api.Errorf(api.NothingThere, "%v", ErrTraining)
	}
	return s.Order(ctx, id)
}

func (s outside) Order(_ context.Context, id payterm.OrderID) (payterm.Order, error) {
	return s.in.Real.RealOrder(id)
}

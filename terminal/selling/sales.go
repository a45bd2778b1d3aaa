package selling

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"payterm"
	"payterm/flows/order"
	"payterm/flows/runner"
	"payterm/terminal/api"
)

// askedFor is a sale's order, as far as the request says.
func askedFor(r api.SaleRequest) payterm.Order {
	return payterm.Order{
		Kind: payterm.KindSale, Mode: r.Mode, Wallet: r.Wallet,
		AmountMinor: r.AmountMinor, TipMinor: r.TipMinor, Ref: r.Ref,
	}
}

// askedBack is a refund's order, likewise.
func askedBack(r order.RefundBegan) payterm.Order {
	return payterm.Order{Kind: payterm.KindRefund, SaleID: r.SaleID, AmountMinor: r.AmountMinor, Ref: r.Ref}
}

// Sale makes a sale, or returns what became of its idempotency key.
func (s *Selling) Sale(ctx context.Context, r api.SaleRequest, taken func(payterm.OrderID)) (payterm.Order, error) {
	asked, sale := askedFor(r), s.saleOf(r)
	if refused := s.checkSale(r); refused != nil {
		return s.before(ctx, sale.IdempotencyKey, runner.ContentOfSale(s.merchantID(), sale), taken, asked, refused)
	}
	res, err := s.o.Loop.Sale(ctx, sale, taken)
	asked.Despite = res.Order.ID
	return s.ended(res, err, asked)
}

// Refund makes a refund, likewise.
func (s *Selling) Refund(ctx context.Context, r api.RefundRequest, taken func(payterm.OrderID)) (payterm.Order, error) {
	refund := refundOf(r)
	if refused := s.checkRefund(r); refused != nil {
		return s.before(ctx, refund.IdempotencyKey, runner.ContentOfRefund(s.merchantID(), refund), taken,
			askedBack(refund), refused)
	}
	res, err := s.o.Loop.Refund(ctx, refund, taken)
	return s.ended(res, err, askedBack(refund))
}

// Cancel does what the key CANCEL would do.
func (s *Selling) Cancel(ctx context.Context, id payterm.OrderID) (payterm.Order, error) {
	o, err := s.o.Loop.Cancel(ctx, id)
	return o, Coded(err)
}

// before answers a request that may not begin with what became of its key: limits and wallets may
// have been different then.
func (s *Selling) before(ctx context.Context, key string, asked runner.Content, taken func(payterm.OrderID),
	order payterm.Order, refused error) (payterm.Order, error) {
	if key == "" {
		return payterm.Order{}, refused
	}
	res, err := s.o.Loop.Again(ctx, key, asked, taken)
	if errors.Is(err, runner.ErrUnknown) {
		return payterm.Order{}, refused
	}
	return s.ended(res, err, order)
}

// ended is the order at its end, or the error why it did not begin.
func (s *Selling) ended(res runner.SaleResult, err error, asked payterm.Order) (payterm.Order, error) {
	if err != nil {
		return payterm.Order{}, Coded(err)
	}
	if res.Began {
		return res.Order, nil
	}
	asked.Currency, asked.Outcome, asked.Reason = s.o.Config.Merchant.Currency, payterm.NotSent, res.Reason
	return asked, nil
}

func (s *Selling) merchantID() string { return s.o.Config.Gateway.MerchantID }

// saleOf is the sale that a request asks for.
func (s *Selling) saleOf(r api.SaleRequest) order.SaleBegan {
	return order.SaleBegan{
		Mode: r.Mode, Wallet: r.Wallet, AmountMinor: r.AmountMinor, TipMinor: r.TipMinor,
		Currency: cmp.Or(r.Currency, s.o.Config.Merchant.Currency), Ref: r.Ref,
		IdempotencyKey: string(r.IdempotencyKey), Despite: r.Despite,
	}
}

// refundOf is the refund that a request asks for.
func refundOf(r api.RefundRequest) order.RefundBegan {
	refund := order.RefundBegan{
		SaleID: r.Sale, Currency: r.Currency, Ref: r.Ref, IdempotencyKey: string(r.IdempotencyKey),
	}
	if r.AmountMinor != nil {
		refund.AmountMinor = *r.AmountMinor
	}
	return refund
}

// checkSale refuses what this terminal does not accept, by the field's name.
func (s *Selling) checkSale(r api.SaleRequest) error {
	limit, sells := s.o.Config.Sale.MaxMinor, s.o.Config.Gateway
	refuse := func(format string, args ...any) error { return api.Errorf(api.Invalid, format, args...) }
	if err := errors.Join(s.checkCurrency(r.Currency), api.CheckRef(r.Ref)); err != nil {
		return err
	}
	switch {
	case r.AmountMinor > limit:
		most := payterm.Amount{Minor: limit, Currency: s.o.Config.Merchant.Currency}
		return refuse("amount: more than nothing and at most %s", most)
	case r.TipMinor > limit-r.AmountMinor:
		return refuse("tip: it cannot be negative, and amount and tip together keep to the limit of a sale")
	case r.Mode == payterm.Active && !slices.Contains(sells.ActiveWallets, r.Wallet):
		return refuse("wallet %s is not among gateway.active_wallets", r.Wallet)
	case r.Wallet != "" && !slices.Contains(sells.Wallets, r.Wallet):
		return refuse("wallet %s is not among gateway.wallets", r.Wallet)
	case r.Despite != "":
		_, found, err := s.o.Journal.Order(r.Despite)
		if err == nil && !found {
			err = refuse("despite: no order %s in the journal", r.Despite)
		}
		return err
	}
	return nil
}

func (s *Selling) checkRefund(r api.RefundRequest) error {
	if err := errors.Join(s.checkCurrency(r.Currency), api.CheckRef(r.Ref)); err != nil {
		return err
	}
	if s.o.RefundsNeedPIN && !s.o.Config.HasSupervisor() {
		return api.Errorf(api.NotAllowed,
			"refunds need a supervisor: set [supervisor] pin_hash in the configuration, or make an operator one")
	}
	return nil
}

// checkCurrency refuses an amount in another currency.
func (s *Selling) checkCurrency(c payterm.Currency) error {
	if sells := s.o.Config.Merchant.Currency; c != "" && c != sells {
		return api.Errorf(api.Invalid, "currency %q: this terminal sells in %s", c, sells)
	}
	return nil
}

// Order returns one order; an open one is inquired about.
func (s *Selling) Order(ctx context.Context, id payterm.OrderID) (payterm.Order, error) {
	o, open, err := s.o.Loop.Inquire(ctx, id)
	if err == nil && !open {
		o, open, err = s.o.Journal.Order(id)
	}
	return o, missing(id, open, err)
}

// localCaller names the callers of the local API in the journal.
const localCaller = "api"

// Settle tells what became of the request with a key.
func (s *Selling) Settle(ctx context.Context, key payterm.IdempotencyKey) (api.Settlement, error) {
	found, err := s.o.Loop.Settle(ctx, key, localCaller)
	switch {
	case err != nil:
		return api.Settlement{}, Coded(err)
	case found.NeverBegan:
		return api.Settlement{State: api.SettledNever}, nil
	}
	return settlement(found.Order, found.Open()), nil
}

func settlement(o payterm.Order, open bool) api.Settlement {
	s := api.Settlement{State: api.SettledDone}
	if open {
		s.State = api.SettledOpen
	}
	if o.ID != "" {
		s.Order = &o
	}
	return s
}

// missing is the error of an order that does not exist.
func missing(id payterm.OrderID, there bool, err error) error {
	if err == nil && !there {
		return api.Errorf(api.Unknown, "no order %s in the journal", id)
	}
	return Coded(err)
}

// Resolve closes what waits for a supervisor.
func (s *Selling) Resolve(ctx context.Context, id payterm.OrderID, reason string) (payterm.Order, error) {
	o, err := s.o.Loop.Resolve(ctx, id, "", reason)
	return o, Coded(err)
}

// Queue is what waits for the network.
func (s *Selling) Queue(ctx context.Context) ([]payterm.QueueItem, error) {
	queue, err := s.o.Loop.Queue(ctx)
	return queue, Coded(err)
}

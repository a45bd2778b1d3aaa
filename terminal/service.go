package terminal

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"payterm"
	"payterm/flows"
	"payterm/flows/runner"
	"payterm/storage"
	"payterm/terminal/api"
	"payterm/terminal/setup"
)

// serve opens the local API: on the socket, during a training on the real terminal's too,
// and over TCP where the configuration says so.
func (a *Agent) serve(ctx context.Context, wg *sync.WaitGroup) (err error) {
	var open []*api.Endpoint
	defer func() {
		for _, e := range open {
			if err != nil {
				err = errors.Join(err, e.Close())
				continue
			}
			e.Serve(ctx, wg, a.o.Log)
		}
	}()
	add := func(e *api.Endpoint, err error) error {
		if err == nil {
			open = append(open, e)
		}
		return err
	}
	listen := a.o.Config.API
	endpoints, outside := 1, a.current
	if a.training != nil {
		endpoints++
		outside = a.outside
	}
	if listen.Listen != "" {
		endpoints++
	}
	if err := api.EnoughFiles(endpoints); err != nil {
		return err
	}
	if err := add(api.Listen(a.o.Data, api.Handler(a.current, a))); err != nil {
		return err
	}
	if a.training != nil {
		if err := add(api.Listen(a.o.real, api.Handler(outside, a))); err != nil {
			return err
		}
	}
	if listen.Listen != "" {
		return add(api.ListenTCP(listen.Listen, listen.TokenFile, api.Handler(outside, nil)))
	}
	return nil
}

// current is the service of this moment: by the journal once that is open, and until then
// one that says why it is not.
func (a *Agent) current() api.Service {
	switch {
	case !a.isOpen():
		return closedService{api.Refusing{Why: func() error { return api.Errorf(api.NotOpen, "%s", a.why()) }}, a}
	case a.training != nil:
		return trainingService{service{a}}
	}
	return service{a}
}

// coded gives an error of the loop or the journal the code under which callers hear of it.
func coded(err error) error {
	var known *api.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	for _, is := range []struct {
		what error
		code api.Code
	}{
		{runner.ErrKeyReused, api.KeyReused},
		{runner.ErrBusy, api.Busy},
		{runner.ErrUnknown, api.Unknown},
		{storage.ErrNoZ, api.Unknown},
		{runner.ErrNotAsked, api.NotNow},
		{runner.ErrOtherMerchant, api.NotNow},
		{runner.ErrNotWired, api.NotNow},
		{runner.ErrNoSupervisor, api.NotAllowed},
		{runner.ErrCrowded, api.TooMany},
		{runner.ErrStopped, api.NotOpen},
	} {
		if errors.Is(err, is.what) {
			return api.Wrap(is.code, err)
		}
	}
	return err
}

// closedService answers while the journal is not open.
type closedService struct {
	api.Refusing
	a *Agent
}

func (s closedService) Status(ctx context.Context) (api.Status, error) { return s.a.status(ctx) }

func (s closedService) Sale(_ context.Context, r api.SaleRequest, _ func(payterm.OrderID)) (payterm.Order, error) {
	return s.notSent(r.IdempotencyKey, payterm.KindSale)
}

func (s closedService) Refund(_ context.Context, r api.RefundRequest, _ func(payterm.OrderID)) (payterm.Order, error) {
	return s.notSent(r.IdempotencyKey, payterm.KindRefund)
}

// notSent refuses a sale or refund. Of a key it cannot be said that nothing was sent for it.
func (s closedService) notSent(key payterm.IdempotencyKey, kind payterm.Kind) (payterm.Order, error) {
	if key != "" {
		return payterm.Order{}, api.Errorf(api.NotOpen,
			"the journal is not open, and whether this idempotency key has an order is not known: %s", s.a.why())
	}
	return payterm.Order{Kind: kind, Outcome: payterm.NotSent, Reason: payterm.ReasonStorage}, nil
}

// service is the local API of an agent whose journal is open.
type service struct{ a *Agent }

var _ api.Service = service{}

// askedFor is a sale as far as its request says how it is.
func askedFor(r api.SaleRequest) payterm.Order {
	return payterm.Order{
		Kind: payterm.KindSale, Mode: r.Mode, Wallet: r.Wallet, AmountMinor: r.AmountMinor, TipMinor: r.TipMinor, Ref: r.Ref,
	}
}

// askedBack is a refund, likewise.
func askedBack(r flows.RefundBegan) payterm.Order {
	return payterm.Order{Kind: payterm.KindRefund, SaleID: r.SaleID, AmountMinor: r.AmountMinor, Ref: r.Ref}
}

func (s service) Sale(ctx context.Context, r api.SaleRequest, taken func(payterm.OrderID)) (payterm.Order, error) {
	asked, sale := askedFor(r), s.a.saleOf(r)
	if refused := s.a.checkSale(r); refused != nil {
		return s.before(ctx, sale.IdempotencyKey, runner.ContentOfSale(sale), taken, asked, refused)
	}
	res, err := s.a.runner.Sale(ctx, sale, taken)
	asked.Despite = res.Order.ID
	return s.ended(res, err, asked)
}

func (s service) Refund(ctx context.Context, r api.RefundRequest, taken func(payterm.OrderID)) (payterm.Order, error) {
	refund := refundOf(r)
	if refused := s.a.checkRefund(r); refused != nil {
		return s.before(ctx, refund.IdempotencyKey, runner.ContentOfRefund(refund), taken, askedBack(refund), refused)
	}
	res, err := s.a.runner.Refund(ctx, refund, taken)
	return s.ended(res, err, askedBack(refund))
}

// before answers a request that may not begin by what came of its key before: limits and
// wallets may have been others then.
func (s service) before(ctx context.Context, key string, asked runner.Content, taken func(payterm.OrderID),
	order payterm.Order, refused error) (payterm.Order, error) {
	if key == "" {
		return payterm.Order{}, refused
	}
	res, err := s.a.runner.Again(ctx, key, asked, taken)
	if errors.Is(err, runner.ErrUnknown) {
		return payterm.Order{}, refused
	}
	return s.ended(res, err, order)
}

// ended is what became of an order, or why it did not begin.
func (s service) ended(res runner.SaleResult, err error, asked payterm.Order) (payterm.Order, error) {
	if err != nil {
		return payterm.Order{}, coded(err)
	}
	if res.Began {
		return res.Order, nil
	}
	asked.Currency, asked.Outcome, asked.Reason = s.a.o.Config.Merchant.Currency, payterm.NotSent, res.Reason
	return asked, nil
}

// saleOf is the sale that a request asks for.
func (a *Agent) saleOf(r api.SaleRequest) flows.SaleBegan {
	return flows.SaleBegan{
		Mode: r.Mode, Wallet: r.Wallet, AmountMinor: r.AmountMinor, TipMinor: r.TipMinor,
		Currency: cmp.Or(r.Currency, a.o.Config.Merchant.Currency), Ref: r.Ref,
		IdempotencyKey: string(r.IdempotencyKey), Despite: r.Despite,
	}
}

// refundOf is the refund that a request asks for.
func refundOf(r api.RefundRequest) flows.RefundBegan {
	refund := flows.RefundBegan{SaleID: r.Sale, Currency: r.Currency, Ref: r.Ref, IdempotencyKey: string(r.IdempotencyKey)}
	if r.AmountMinor != nil {
		refund.AmountMinor = *r.AmountMinor
	}
	return refund
}

// checkSale says what this terminal does not take, naming the field.
func (a *Agent) checkSale(r api.SaleRequest) error {
	limit, sells := a.o.Config.Sale.MaxMinor, a.o.Config.Gateway
	refuse := func(format string, args ...any) error { return api.Errorf(api.Invalid, format, args...) }
	if err := errors.Join(a.checkCurrency(r.Currency), api.CheckRef(r.Ref)); err != nil {
		return err
	}
	switch {
	case r.AmountMinor > limit:
		most := payterm.Amount{Minor: limit, Currency: a.o.Config.Merchant.Currency}
		return refuse("amount: more than nothing and at most %s", most)
	case r.TipMinor > limit-r.AmountMinor:
		return refuse("tip: it cannot be negative, and amount and tip together keep to the limit of a sale")
	case r.Mode == payterm.Active && !slices.Contains(sells.ActiveWallets, r.Wallet):
		return refuse("wallet %s is not among gateway.active_wallets", r.Wallet)
	case r.Wallet != "" && !slices.Contains(sells.Wallets, r.Wallet):
		return refuse("wallet %s is not among gateway.wallets", r.Wallet)
	case r.Despite != "":
		_, found, err := a.store.Order(r.Despite)
		if err == nil && !found {
			err = refuse("despite: no order %s in the journal", r.Despite)
		}
		return err
	}
	return nil
}

func (a *Agent) checkRefund(r api.RefundRequest) error {
	if err := errors.Join(a.checkCurrency(r.Currency), api.CheckRef(r.Ref)); err != nil {
		return err
	}
	if a.o.RefundsNeedPIN && !a.o.Config.HasSupervisor() {
		return api.Errorf(api.NotAllowed,
			"refunds need a supervisor: set [supervisor] pin_hash in the configuration, or make an operator one")
	}
	return nil
}

// checkCurrency refuses an amount in another currency.
func (a *Agent) checkCurrency(c payterm.Currency) error {
	if sells := a.o.Config.Merchant.Currency; c != "" && c != sells {
		return api.Errorf(api.Invalid, "currency %q: this terminal sells in %s", c, sells)
	}
	return nil
}

func (s service) Order(ctx context.Context, id payterm.OrderID) (payterm.Order, error) {
	o, open, err := s.a.runner.Inquire(ctx, id)
	if err == nil && !open {
		o, open, err = s.a.store.Order(id)
	}
	return o, missing(id, open, err)
}

// missing says that an order is not there.
func missing(id payterm.OrderID, there bool, err error) error {
	if err == nil && !there {
		return api.Errorf(api.Unknown, "no order %s in the journal", id)
	}
	return coded(err)
}

func (s service) Resolve(ctx context.Context, id payterm.OrderID, reason string) (payterm.Order, error) {
	o, err := s.a.runner.Resolve(ctx, id, "", reason)
	return o, coded(err)
}

func (s service) Queue(ctx context.Context) ([]payterm.QueueItem, error) {
	queue, err := s.a.runner.Queue(ctx)
	return queue, coded(err)
}

func (s service) Status(ctx context.Context) (api.Status, error) { return s.a.status(ctx) }

// Snapshot asks the loop how it is. An answer proves that it turns, or that the agent still
// tries to open its journal.
func (a *Agent) Snapshot(ctx context.Context) (runner.Snapshot, error) {
	if !a.isOpen() {
		unknown := flows.Status{Network: flows.NetworkUnknown, Paper: payterm.PaperUnknown}
		return runner.Snapshot{State: "result", Fault: a.why(), Status: unknown}, nil
	}
	return a.runner.Snapshot(ctx)
}

func (a *Agent) status(ctx context.Context) (api.Status, error) {
	s, err := a.Snapshot(ctx)
	if err != nil {
		return api.Status{}, coded(err)
	}
	faults := map[string]string{}
	for device, fault := range a.o.Board.Absent() {
		faults[device] = fault.Error()
	}
	return api.Status{State: s.State, Waits: a.waitsFor(), Running: &api.Running{
		MerchantID: a.o.Config.Gateway.MerchantID, Currency: a.o.Config.Merchant.Currency,
		OrderID: s.OrderID, Operator: s.Operator, Network: s.Status.Network, Queue: s.Status.Queue,
		Doubts: s.Status.Doubts, LatePayments: s.Status.Late, Alarms: s.Status.Alarms,
		Paper: s.Status.Paper, Unprinted: s.Status.Unprinted, Fault: s.Fault, Devices: faults,
		Training: a.training != nil, Notice: a.o.notices.Standing(),
	}}, nil
}

// waitsFor says what a parcel that has come waits for; nothing where none does.
func (a *Agent) waitsFor() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	const parcel = "a parcel for another merchant, gateway or currency waits"
	return map[setup.Waits]string{
		setup.WaitsForZ:      parcel + ": close the day (payterm totals z)",
		setup.WaitsForOrders: parcel + " until the open orders are closed: payterm queue list",
		setup.WaitsForAgent:  parcel + " until nobody is being served",
	}[a.waits]
}

func (s service) X(context.Context) (payterm.Totals, error) {
	t, err := s.a.takeTotals(false, payterm.TakenBy{})
	return t, coded(err)
}

// Z needs what it needs at the keys.
func (s service) Z(ctx context.Context, r api.ZRequest) (payterm.Totals, error) {
	by, err := s.a.allowZ(ctx, r)
	if err != nil {
		return payterm.Totals{}, err
	}
	t, err := s.a.takeTotals(true, by)
	return t, coded(err)
}

func (s service) PrintZ(_ context.Context, number int64) (payterm.Totals, error) {
	t, err := s.a.store.Totals(number)
	if err != nil {
		return t, coded(err)
	}
	if err := s.a.printZ(t, true); err != nil {
		return t, api.Wrap(api.NotNow, err)
	}
	return t, nil
}

func (s service) DayTotals(_ context.Context, day string) (payterm.Totals, error) {
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return payterm.Totals{}, api.Errorf(api.Invalid, "totals: day %q: such as 2026-11-22", day)
	}
	t, err := s.a.store.DayTotals(day)
	return t, coded(err)
}

func (s service) Reconcile(ctx context.Context, r api.ReconcileRequest, checked func(n, of int)) (api.Reconciliation, error) {
	return s.a.reconcile(ctx, r, checked)
}

func (s service) Train(ctx context.Context, on bool) error { return s.a.train(ctx, on) }

package terminal

import (
	"context"
	"errors"
	"path/filepath"

	"payterm"
	"payterm/flows/runner"
	"payterm/screen"
	"payterm/storage"
	"payterm/terminal/api"
)

// leave is the loop's question whether this agent can end for the other kind. Slips of
// real sales are printed before.
func (a *Agent) leave(bool) payterm.Reason {
	if a.training == nil && a.devices.Waiting() > 0 {
		return payterm.ReasonSlipsWait
	}
	a.left = true
	return payterm.ReasonNone
}

// mark is the watermark of the screens.
func (a *Agent) mark() string {
	if a.training == nil {
		return a.o.Watermark
	}
	width, height := 0, 0
	if d := a.o.Board.Profile.Display; a.devices.HasGlass() {
		width, height = d.Width, d.Height
	}
	return screen.TrainingMark(a.language(), width, height)
}

// follow tells of each committed change of an order, until the context ends.
func follow(ctx context.Context, changes *runner.Changes, changed func(payterm.Order)) {
	for seq := uint64(0); ; {
		list, _, more := changes.After(seq)
		for _, c := range list {
			seq = c.Seq
			changed(c.Order)
		}
		select {
		case <-ctx.Done():
			return
		case <-more:
		}
	}
}

// train begins or ends a training. The loop may end before its answer.
func (a *Agent) train(ctx context.Context, on bool) error {
	if on == (a.training != nil) {
		return nil
	}
	err := a.runner.Train(ctx, on)
	if errors.Is(err, runner.ErrStopped) {
		return nil
	}
	return notNow(err, noTraining)
}

// noTraining says what to do about the reasons for which a training does not begin or end.
var noTraining = map[payterm.Reason]string{
	payterm.ReasonBusy:       "somebody is at the counter: try again when the terminal is idle",
	payterm.ReasonCashier:    "no supervisor typed the PIN at the counter",
	payterm.ReasonOrdersOpen: "an order is still open: payterm queue list shows it; try again when it is settled",
	payterm.ReasonSlipsWait:  "slips are still to be printed: see to the printer, and try again",
	payterm.ReasonStorage:    "the journal cannot be written: payterm doctor says why",
	payterm.ReasonTraining:   "this agent cannot train",
	payterm.ReasonRestarted:  "the counter began anew: try again",
	payterm.ReasonNoOperator: "nobody is signed on at the counter",
	payterm.ReasonLocked:     "too many wrong PINs: wait as the terminal says, and try again",
}

var errTraining = api.Errorf(api.InTraining, "the terminal is in training: payterm training off ends it; "+
	"the training's own data is in --data %s", filepath.Join("DATA", "training"))

// trainingService is the local API of a training.
type trainingService struct{ service }

// Sale sells nothing: a till must never take a simulated payment for a real one. One that
// asks once more about an order that it began before, by its idempotency key, is told of
// that one: not sent would be a lie, and the customer would pay twice.
func (s trainingService) Sale(_ context.Context, r api.SaleRequest, _ func(payterm.OrderID)) (payterm.Order, error) {
	return s.a.notSold(string(r.IdempotencyKey), runner.ContentOfSale(s.a.saleOf(r)), askedFor(r))
}

// Refund gives nothing back, likewise.
func (s trainingService) Refund(_ context.Context, r api.RefundRequest, _ func(payterm.OrderID)) (payterm.Order, error) {
	refund := refundOf(r)
	return s.a.notSold(refund.IdempotencyKey, runner.ContentOfRefund(refund), askedBack(refund))
}

// outside is the local API on the real terminal's socket while it is in training: nothing
// is sold, and what is asked about an order is answered from the real journal.
func (a *Agent) outside() api.Service {
	return outsideService{api.Refusing{Why: func() error { return errTraining }}, trainingService{service{a}}}
}

type outsideService struct {
	api.Refusing
	inside trainingService
}

func (s outsideService) Status(ctx context.Context) (api.Status, error) { return s.inside.Status(ctx) }

func (s outsideService) Train(ctx context.Context, on bool) error { return s.inside.Train(ctx, on) }

func (s outsideService) Sale(ctx context.Context, r api.SaleRequest, taken func(payterm.OrderID)) (payterm.Order, error) {
	return s.inside.Sale(ctx, r, taken)
}

func (s outsideService) Refund(ctx context.Context, r api.RefundRequest, taken func(payterm.OrderID)) (payterm.Order, error) {
	return s.inside.Refund(ctx, r, taken)
}

func (s outsideService) Order(_ context.Context, id payterm.OrderID) (payterm.Order, error) {
	look := func(j *storage.Reader) (payterm.Order, bool, error) { return j.Order(id) }
	o, there, err := s.inside.a.realOrder(look)
	return o, missing(id, there, err)
}

// notSold refuses with the reason, unless the key has an order of the real terminal.
func (a *Agent) notSold(key string, asked runner.Content, order payterm.Order) (payterm.Order, error) {
	if key != "" {
		look := func(j *storage.Reader) (payterm.Order, bool, error) { return runner.OrderOf(j, key, asked) }
		o, found, err := a.realOrder(look)
		switch {
		case errors.Is(err, runner.ErrKeyReused):
			return o, coded(err)
		case err != nil:
			return o, api.Errorf(api.InTraining, "%v; whether this key has an order is not known: %v", errTraining, err)
		case found:
			return o, nil
		}
	}
	order.Currency, order.Outcome, order.Reason = a.o.Config.Merchant.Currency, payterm.NotSent, payterm.ReasonTraining
	return order, nil
}

// realOrder reads the real terminal's journal.
func (a *Agent) realOrder(look func(*storage.Reader) (payterm.Order, bool, error)) (payterm.Order, bool, error) {
	j, err := storage.OpenReader(filepath.Join(a.o.real, "payterm.db"))
	if err != nil {
		return payterm.Order{}, false, err
	}
	o, found, err := look(j)
	return o, found, errors.Join(err, j.Close())
}

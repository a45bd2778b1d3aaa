package terminal

import (
	"context"
	"errors"
	"path/filepath"

	"payterm"
	"payterm/flows/runner"
	"payterm/screen"
	"payterm/terminal/api"
	"payterm/terminal/selling"
)

// leave is called by the loop before it ends for training, or from it. Slips of real sales have
// to be printed first.
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

// follow calls changed for each committed change of an order, until the context ends.
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

// train begins or ends training. The loop may end before it answers.
func (a *Agent) train(ctx context.Context, on bool) error {
	if on == (a.training != nil) {
		return nil
	}
	err := a.runner.Train(ctx, on)
	if errors.Is(err, runner.ErrStopped) {
		return nil
	}
	return selling.NotNow(err, noTraining)
}

// noTraining says what to do, by the reason why training does not begin or end.
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

// trainingService is the local API in training.
type trainingService struct {
	service
	selling selling.Training
}

func (a *Agent) inTraining() trainingService {
	real := selling.Training{Selling: a.selling, Real: filepath.Join(a.o.real, "payterm.db"), MerchantID: a.o.realID}
	return trainingService{service{a.selling, a}, real}
}

func (s trainingService) Sale(ctx context.Context, r api.SaleRequest,
	taken func(payterm.OrderID)) (payterm.Order, error) {
	return s.selling.Sale(ctx, r, taken)
}

func (s trainingService) Refund(ctx context.Context, r api.RefundRequest,
	taken func(payterm.OrderID)) (payterm.Order, error) {
	return s.selling.Refund(ctx, r, taken)
}

// outside is the local API on the real terminal's socket during training: nothing is sold, and
// questions about orders are answered from the real journal.
func (a *Agent) outside() api.Service {
	return outsideService{api.Refusing{Why: func() error { return selling.ErrTraining }}, a.inTraining()}
}

type outsideService struct {
	api.Refusing
	inside trainingService
}

func (s outsideService) Status(ctx context.Context) (api.Status, error) { return s.inside.Status(ctx) }

func (s outsideService) Train(ctx context.Context, on bool) error { return s.inside.Train(ctx, on) }

func (s outsideService) Sale(ctx context.Context, r api.SaleRequest,
	taken func(payterm.OrderID)) (payterm.Order, error) {
	return s.inside.Sale(ctx, r, taken)
}

func (s outsideService) Refund(ctx context.Context, r api.RefundRequest,
	taken func(payterm.OrderID)) (payterm.Order, error) {
	return s.inside.Refund(ctx, r, taken)
}

func (s outsideService) Order(_ context.Context, id payterm.OrderID) (payterm.Order, error) {
	return s.inside.selling.RealOrder(id)
}

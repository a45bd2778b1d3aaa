package terminal

import (
	"context"
	"errors"
	"path/filepath"

	"payterm"
	"payterm/flows/runner"
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

// Train begins or ends training. The loop may end before it answers.
func (a *Agent) Train(ctx context.Context, on bool) error {
	if on == (a.training != nil) {
		return nil
	}
	err := a.runner.Train(ctx, on)
	if errors.Is(err, runner.ErrStopped) {
		return nil
	}
	return selling.NotNow(err, selling.NoTraining)
}

func (a *Agent) inTraining() selling.InTraining {
	real := selling.Training{Selling: a.selling, Real: filepath.Join(a.o.real, "payterm.db"), MerchantID: a.o.realID}
	return selling.InTraining{Open: selling.Open{Selling: a.selling, Operations: a}, Real: real}
}

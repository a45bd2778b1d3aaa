package terminal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"payterm"
	"payterm/flows/runner"
	"payterm/screen"
	"payterm/terminal/api"
	"payterm/terminal/notice"
	"payterm/terminal/selling"
	"payterm/terminal/training"
)

// Terminal runs agents one after another on the same board: the real one, and during training one
// of its own. The program always starts with the real one.
type Terminal struct {
	o   Options
	mu  sync.Mutex
	now *Agent
}

// NewTerminal makes a terminal and opens its journal, as Start does. Run closes the board at its
// end.
func NewTerminal(o Options) (*Terminal, error) {
	o.lent, o.notices = true, notice.New()
	a, err := Start(o)
	if err != nil {
		return nil, err
	}
	return &Terminal{o: o, now: a}, nil
}

func (t *Terminal) agent() *Agent {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now
}

// Screen is the newest screen.
func (t *Terminal) Screen() payterm.Screen { return t.agent().Screen() }

// Parcel is a parcel that came during selling.
func (t *Terminal) Parcel() string { return t.agent().Parcel() }

// Again ends Run with ErrProvisioned, so that another terminal can be started on the same data, with another
// configuration perhaps. It refuses in training, while somebody is at the counter or an order is open.
func (t *Terminal) Again(ctx context.Context) error {
	a := t.agent()
	switch {
	case a.training != nil:
		return selling.ErrTraining
	case !a.isOpen():
		return api.Errorf(api.NotOpen, "the journal is not open yet")
	}
	err := a.GiveWay(ctx, a.settled)
	if errors.Is(err, runner.ErrBusy) {
		return api.Errorf(api.Busy, "%s", selling.NoTraining[payterm.ReasonBusy])
	}
	return err
}

// Training reports whether the terminal is in training.
func (t *Terminal) Training() bool { return t.agent().training != nil }

// Snapshot returns the loop's state, of the next agent if one has just ended.
func (t *Terminal) Snapshot(ctx context.Context) (runner.Snapshot, error) {
	for {
		s, err := t.agent().Snapshot(ctx)
		if !errors.Is(err, runner.ErrStopped) {
			return s, err
		}
		select {
		case <-ctx.Done():
			return s, err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Run runs agents until the context ends. If training fails, the real agent runs again.
func (t *Terminal) Run(ctx context.Context) error {
	for {
		a := t.agent()
		err := a.Run(ctx)
		trained := a.training != nil
		if trained && err != nil {
			t.o.Log.Error("training", "err", err)
			err = nil
		}
		if err != nil || ctx.Err() != nil || !trained && !a.left {
			return errors.Join(err, t.o.Board.Close())
		}
		var next *Agent
		if !trained {
			if next, err = t.train(); err != nil {
				t.o.Log.Error("no training", "err", err)
			}
		}
		if next == nil {
			real := t.o
			real.Ready = nil // it was called
			if next, err = Start(real); err != nil {
				return errors.Join(err, t.o.Board.Close())
			}
		}
		next.speak(a.language())
		t.mu.Lock()
		t.now = next
		t.mu.Unlock()
	}
}

// train starts the agent of training, with an empty journal.
func (t *Terminal) train() (*Agent, error) {
	data := training.Data(t.o.Data)
	if err := os.RemoveAll(data); err != nil {
		return nil, fmt.Errorf("the last training's data: %w", err)
	}
	gateway, err := training.New(t.o.Config, t.o.Haste)
	if err != nil {
		return nil, err
	}
	o := t.o
	o.Config, o.Data, o.SignKey, o.Ready, o.RefundsNeedPIN = gateway.Config(t.o.Config), data, gateway.Key(), nil, false
	o.Provisioner = nil
	o.Watermark = screen.InTraining
	o.trains, o.real, o.realID = gateway, t.o.Data, t.o.Config.Gateway.MerchantID
	a, err := Start(o)
	if err == nil && !a.isOpen() {
		err = errors.New(a.why())
		if a.why() == "" {
			err = errors.New("its journal does not open")
		}
		for _, f := range []*os.File{a.lock, a.realLock} {
			if f != nil {
				err = errors.Join(err, f.Close())
			}
		}
	}
	if err != nil {
		return nil, errors.Join(err, gateway.Close())
	}
	return a, nil
}

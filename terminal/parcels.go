package terminal

import (
	"context"
	"errors"
	"time"

	"payterm"
	"payterm/storage"
	"payterm/terminal/api"
)

// ErrProvisioned ends Run when a newer configuration is installed, a parcel with one has come
// (Parcel), or Again was called.
var ErrProvisioned = errors.New("the terminal was provisioned")

// Parcel is the parcel for which Run ended; empty if one was installed already.
func (a *Agent) Parcel() string { return a.arrivals.Parcel() }

// Scan passes a code to the flows, unless it is a parcel.
func (a *Agent) Scan(ctx context.Context, code payterm.PayCode, began time.Duration) {
	if !a.arrivals.Scanned(ctx, code.Reveal()) {
		a.runner.Scan(code, began)
	}
}

// AtRest reports whether the counter is at rest and no slip waits for the printer.
func (a *Agent) AtRest(ctx context.Context) bool {
	s, err := a.runner.Snapshot(ctx)
	return err == nil && s.AtRest && a.printed() == nil
}

// Held is what the journal's merchants still need.
func (a *Agent) Held() ([]storage.Held, error) { return a.store.Held() }

// printed is an error that names the slips that are not printed yet.
func (a *Agent) printed() error {
	if a.devices.Waiting() > 0 {
		return api.Errorf(api.Busy, "slips are still to be printed")
	}
	return nil
}

// settled is an error that names an order which is not: the gateway is asked about it, or a person has to decide.
func (a *Agent) settled() error {
	open, err := a.store.OpenOrders()
	if err != nil {
		return err
	}
	for _, one := range open {
		o, _, err := a.store.Order(one.ID)
		if err != nil {
			return err
		}
		if o.Outcome == payterm.Open || o.Outcome == payterm.InDoubt {
			return api.Errorf(api.Busy, "order %s is still open: try again when it is settled", o.ID)
		}
	}
	return nil
}

// GiveWay ends Run with ErrProvisioned, unless the counter is in use or may returns an error.
// Nothing can begin between that check and the end.
func (a *Agent) GiveWay(ctx context.Context, may ...func() error) error {
	if err := a.runner.Leave(ctx, func() error {
		for _, ask := range append(may, a.printed) {
			if err := ask(); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	select {
	case a.leaving <- struct{}{}:
	default:
	}
	return nil
}

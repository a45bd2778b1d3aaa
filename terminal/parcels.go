package terminal

import (
	"context"
	"errors"
	"time"

	"payterm"
	"payterm/storage"
	"payterm/terminal/api"
)

// ErrProvisioned ends Run when there is a newer configuration to start with, or the parcel of
// one, to be had from Parcel.
var ErrProvisioned = errors.New("the terminal was provisioned")

// Parcel is what Run ended for; empty when a parcel was installed already.
func (a *Agent) Parcel() string { return a.arrivals.Parcel() }

// Scan hands a code to the flows, unless it is a parcel.
func (a *Agent) Scan(ctx context.Context, code payterm.PayCode, began time.Duration) {
	if !a.arrivals.Scanned(ctx, code.Reveal()) {
		a.runner.Scan(code, began)
	}
}

// AtRest tells whether nothing at the counter needs anybody, and no slip waits for the
// printer.
func (a *Agent) AtRest(ctx context.Context) bool {
	s, err := a.runner.Snapshot(ctx)
	return err == nil && s.AtRest && a.printed() == nil
}

// Held is what the journal still has to do with.
func (a *Agent) Held() ([]storage.Held, error) { return a.store.Held() }

// printed says which slips have yet to come.
func (a *Agent) printed() error {
	if a.devices.Waiting() > 0 {
		return api.Errorf(api.Busy, "slips are still to be printed")
	}
	return nil
}

// GiveWay ends Run with ErrProvisioned, unless somebody is being served or something else
// keeps it. Nobody begins anything between that look and the end.
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

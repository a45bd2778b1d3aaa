package terminal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"payterm"
	"payterm/config"
	"payterm/provision"
	"payterm/screen"
	"payterm/storage"
	"payterm/terminal/api"
	"payterm/terminal/setup"
)

// ErrProvisioned ends Run when there is a newer configuration to start with, or the
// parcel of one, to be had from Parcel.
var ErrProvisioned = errors.New("the terminal was provisioned")

// Parcel is what Run ended for; empty when a parcel was installed already.
func (a *Agent) Parcel() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.parcel
}

// Scan hands a code to the flows, unless it is a parcel.
func (a *Agent) Scan(ctx context.Context, code payterm.PayCode, began time.Duration) {
	text := code.Reveal()
	parcel := provision.LooksLike(text)
	if len(text) > setup.LongestCode && !parcel {
		return // garbage
	}
	if !parcel || a.o.Provisioner == nil {
		a.runner.Scan(code, began)
		return
	}
	if a.offered(text, nobodys...) {
		a.giveWay(ctx) //nolint:errcheck // or else a little later: awaitInstalled
	}
}

// nobodys are the refusals of parcels of nobody who has business here: they do not
// disturb the counter.
var nobodys = []provision.Reason{provision.Unreadable, provision.Foreign, provision.Altered}

// offered looks at a parcel that came while the terminal sells, and keeps it for Setup to
// ask about, or to say why not. Some refusals end in the log.
func (a *Agent) offered(text string, inSilence ...provision.Reason) bool {
	if _, err := a.o.Provisioner.Offer(text); err != nil {
		a.o.Log.Warn("a parcel came", "err", err)
		var refused provision.Refused
		if !errors.As(err, &refused) || slices.Contains(inSilence, refused.Reason) {
			return false
		}
	}
	a.mu.Lock()
	a.parcel = text
	a.mu.Unlock()
	return true
}

// atRest tells whether nothing at the counter needs anybody, and no slip waits for the
// printer.
func (a *Agent) atRest(ctx context.Context) bool {
	s, err := a.runner.Snapshot(ctx)
	return err == nil && s.AtRest && a.printed() == nil
}

// printed says which slips have yet to come.
func (a *Agent) printed() error {
	if a.devices.Waiting() > 0 {
		return api.Errorf(api.Busy, "slips are still to be printed")
	}
	return nil
}

// awaitInstalled ends the agent between two sales once somebody has installed a parcel,
// scanned one, or plugged in a stick with one. A stick may stay in: what it has brought
// already is no refusal.
func (a *Agent) awaitInstalled(ctx context.Context) {
	if a.o.Provisioner == nil {
		return
	}
	tick := time.NewTicker(setup.LookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if a.atRest(ctx) {
			if text := a.o.Sticks.Next(!a.o.Provisioner.Now().IsZero()); text != "" {
				a.offered(text, append(nobodys, provision.Older)...)
			}
		}
		_, serial, err := config.Provisioned(a.o.Data)
		if (err == nil && serial > a.o.Serial || a.Parcel() != "") && a.giveWay(ctx) == nil {
			return
		}
		if a.waitsNow() == setup.WaitsForAgent && a.giveWay(ctx, a.doneWith) == nil {
			return
		}
	}
}

// waitsNow looks after a parcel that waits, and has the idle screen say what for. One that
// waits for nothing but the counter waits for the agent.
func (a *Agent) waitsNow() setup.Waits {
	waits := setup.WaitsForNothing
	next, serial, err := config.Waiting(a.o.Data)
	if err == nil && serial != 0 && serial != a.o.Passed {
		var held []storage.Held
		if held, err = a.store.Held(); err == nil {
			waits = cmp.Or(a.o.Provisioner.WaitsFor(held, next), setup.WaitsForAgent)
		}
	}
	if err != nil {
		a.o.Log.Warn("a parcel that waits", "err", err)
	}
	a.mu.Lock()
	a.waits = waits
	a.mu.Unlock()
	switch waits {
	case setup.WaitsForZ:
		a.o.notices.Put(api.Notice{Notice: screen.ParcelWaitsForZ})
	case setup.WaitsForOrders:
		a.o.notices.Put(api.Notice{Notice: screen.ParcelWaitsForOrders})
	case setup.WaitsForNothing, setup.WaitsForAgent:
	}
	return waits
}

// doneWith says what a parcel still waits for; asked where nobody can begin anything.
func (a *Agent) doneWith() error {
	if waits := a.waitsNow(); waits != setup.WaitsForAgent {
		return fmt.Errorf("the parcel waits: %s", waits)
	}
	return nil
}

// giveWay ends Run with ErrProvisioned, unless somebody is being served or something else
// keeps it. Nobody begins anything between that look and the end.
func (a *Agent) giveWay(ctx context.Context, may ...func() error) error {
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

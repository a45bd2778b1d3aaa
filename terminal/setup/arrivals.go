package setup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"payterm/config"
	"payterm/provision"
	"payterm/screen"
	"payterm/storage"
	"payterm/terminal/api"
	"payterm/terminal/notice"
)

// Counter is the counter of a terminal that sells.
type Counter interface {
	AtRest(ctx context.Context) bool // nobody uses it, and no slip waits for the printer
	// GiveWay ends the agent, unless the counter is in use or may returns an error, which is
	// called where nothing can begin.
	GiveWay(ctx context.Context, may ...func() error) error
	Held() ([]storage.Held, error) // what the journal's merchants still need
}

// ArrivalsOptions are what an Arrivals is made with.
type ArrivalsOptions struct {
	Provisioner *Provisioner // nil if no parcels are taken
	Sticks      *Sticks      // nil for none
	Data        string
	Serial      uint64 // of the configuration's parcel; 0 for none
	Passed      uint64 // of a parcel that waited and could not be taken; 0 for none
	Counter     Counter
	Notices     *notice.Notices
	Log         *slog.Logger
}

// Arrivals handles parcels that come during selling: scanned, on a stick, or installed by a
// command.
type Arrivals struct {
	o      ArrivalsOptions
	mu     sync.Mutex
	parcel string
	waits  Waits
}

// NewArrivals makes one.
func NewArrivals(o ArrivalsOptions) *Arrivals { return &Arrivals{o: o} }

// Parcel is the parcel for which the agent ends; empty if one was installed already.
func (a *Arrivals) Parcel() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.parcel
}

// Waits is what a parcel that has come waits for.
func (a *Arrivals) Waits() Waits {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.waits
}

// strangers are refusals of parcels that are not for this terminal: they do not disturb the
// counter.
var strangers = []provision.Reason{provision.Unreadable, provision.Foreign, provision.Altered}

// Scanned handles a scan, and reports whether it is a parcel, or garbage.
func (a *Arrivals) Scanned(ctx context.Context, text string) bool {
	parcel := provision.LooksLike(text)
	if len(text) > LongestCode && !parcel {
		return true
	}
	if !parcel || a.o.Provisioner == nil {
		return false
	}
	if a.offered(text, strangers...) {
		a.o.Counter.GiveWay(ctx) //nolint:errcheck // or later, by Run
	}
	return true
}

// offered checks a parcel that came during selling, and keeps it for Setup, which asks for its
// code or shows the refusal. Refusals in inSilence are only logged.
func (a *Arrivals) offered(text string, inSilence ...provision.Reason) bool {
	parcel, err := a.o.Provisioner.Offer(text)
	if err == nil {
		a.o.Log.Info("a parcel came", "serial", parcel.Serial())
	} else {
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

// Run ends the agent at rest once a parcel was installed, scanned, or came on a stick. A stick
// may stay plugged in: a parcel that it has brought before is ignored.
func (a *Arrivals) Run(ctx context.Context) {
	if a.o.Provisioner == nil {
		return
	}
	tick := time.NewTicker(LookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if a.o.Counter.AtRest(ctx) {
			if text := a.o.Sticks.Next(!a.o.Provisioner.Now().IsZero()); text != "" {
				a.offered(text, append(strangers, provision.Older)...)
			}
		}
		_, serial, err := config.Provisioned(a.o.Data)
		newer := err == nil && serial > a.o.Serial || a.Parcel() != ""
		if newer && a.o.Counter.GiveWay(ctx) == nil {
			return
		}
		if a.look() == WaitsForAgent && a.o.Counter.GiveWay(ctx, a.ready) == nil {
			return
		}
	}
}

// look checks a parcel that waits, and shows on the idle screen what for. If it waits for nothing
// else, the agent ends for it.
func (a *Arrivals) look() Waits {
	waits := WaitsForNothing
	next, serial, err := config.Waiting(a.o.Data)
	if err == nil && serial != 0 && serial != a.o.Passed {
		var held []storage.Held
		if held, err = a.o.Counter.Held(); err == nil {
			waits = cmp.Or(a.o.Provisioner.waitsFor(held, next), WaitsForAgent)
		}
	}
	if err != nil {
		a.o.Log.Warn("a parcel that waits", "err", err)
	}
	a.mu.Lock()
	changed := waits != a.waits
	a.waits = waits
	a.mu.Unlock()
	switch {
	case changed && waits == WaitsForNothing:
		a.o.Log.Info("no parcel waits any more")
	case changed:
		a.o.Log.Info("a parcel waits", "serial", serial, "for", waits)
	}
	switch waits {
	case WaitsForZ:
		a.o.Notices.Put(api.Notice{Notice: screen.ParcelWaitsForZ})
	case WaitsForOrders:
		a.o.Notices.Put(api.Notice{Notice: screen.ParcelWaitsForOrders})
	case WaitsForNothing, WaitsForAgent:
	}
	return waits
}

// ready is an error if a parcel still has to wait; it is called where nothing can begin.
func (a *Arrivals) ready() error {
	if waits := a.look(); waits != WaitsForAgent {
		return fmt.Errorf("the parcel waits: %s", waits)
	}
	return nil
}

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

// Counter is that of a terminal that sells.
type Counter interface {
	AtRest(ctx context.Context) bool // nothing needs anybody, and no slip waits for the printer
	// GiveWay ends the terminal, unless somebody is being served or one of the questions,
	// which are asked where nobody can begin anything, is answered by an error.
	GiveWay(ctx context.Context, may ...func() error) error
	Held() ([]storage.Held, error) // what the journal still has to do with
}

// ArrivalsOptions are what an Arrivals is made with.
type ArrivalsOptions struct {
	Provisioner *Provisioner // nil where no parcels are taken
	Sticks      *Sticks      // nil for none
	Data        string
	Serial      uint64 // of the parcel that the configuration came with; 0 for none
	Passed      uint64 // of one that waited and could not be taken; 0 for none
	Counter     Counter
	Notices     *notice.Notices
	Log         *slog.Logger
}

// Arrivals looks after the parcels that come while a terminal sells: scanned, on a stick, or
// installed by somebody else.
type Arrivals struct {
	o      ArrivalsOptions
	mu     sync.Mutex
	parcel string
	waits  Waits
}

// NewArrivals makes one.
func NewArrivals(o ArrivalsOptions) *Arrivals { return &Arrivals{o: o} }

// Parcel is what the terminal ends for; empty when a parcel was installed already.
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

// strangers are the refusals of parcels of those who have no business here: they do not
// disturb the counter.
var strangers = []provision.Reason{provision.Unreadable, provision.Foreign, provision.Altered}

// Scanned takes what the scanner has read, and tells whether that is a parcel, or garbage.
func (a *Arrivals) Scanned(ctx context.Context, text string) bool {
	parcel := provision.LooksLike(text)
	if len(text) > LongestCode && !parcel {
		return true
	}
	if !parcel || a.o.Provisioner == nil {
		return false
	}
	if a.offered(text, strangers...) {
		a.o.Counter.GiveWay(ctx) //nolint:errcheck // or else a little later: Run
	}
	return true
}

// offered looks at a parcel that came while the terminal sells, and keeps it for a Setup to
// ask about, or to say why not. Some refusals end in the log.
func (a *Arrivals) offered(text string, inSilence ...provision.Reason) bool {
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

// Run ends the terminal between two sales once somebody has installed a parcel, scanned one,
// or plugged in a stick with one. A stick may stay in: what it has brought already is no
// refusal.
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

// look looks after a parcel that waits, and has the idle screen say what for. One that waits
// for nothing but the counter waits for the terminal to end.
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
	a.waits = waits
	a.mu.Unlock()
	switch waits {
	case WaitsForZ:
		a.o.Notices.Put(api.Notice{Notice: screen.ParcelWaitsForZ})
	case WaitsForOrders:
		a.o.Notices.Put(api.Notice{Notice: screen.ParcelWaitsForOrders})
	case WaitsForNothing, WaitsForAgent:
	}
	return waits
}

// ready says what a parcel still waits for; asked where nobody can begin anything.
func (a *Arrivals) ready() error {
	if waits := a.look(); waits != WaitsForAgent {
		return fmt.Errorf("the parcel waits: %s", waits)
	}
	return nil
}

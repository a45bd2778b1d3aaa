package setup

import (
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"payterm/config"
	"payterm/provision"
	"payterm/storage"
)

// Provisioner takes parcels for the terminal of the data directory Data.
type Provisioner struct {
	Data    string
	Config  string // the --config file, used until a parcel is installed; may be empty
	Signers []ed25519.PublicKey
	Trust   string                    // file of the trusted signers; may be empty
	Now     func() time.Time          // zero while the clock is not set
	Board   func(config.Config) error // whether the board profile that it names is known
}

// Offer reads a parcel and checks whether this terminal may take it. A provision.Refused says why
// not; another error is a problem of the terminal.
func (p Provisioner) Offer(text string) (*provision.Parcel, error) {
	parcel, err := provision.Read(text)
	if err != nil {
		return nil, err
	}
	return parcel, p.check(parcel)
}

// Knows reports whether a text is a complete parcel of a trusted signer, whether it may be taken
// or not. A nil Provisioner knows none.
func (p *Provisioner) Knows(text string) bool {
	if p == nil || !provision.LooksLike(text) {
		return false
	}
	_, err := p.Offer(text)
	var refused provision.Refused
	return !errors.As(err, &refused) || !slices.Contains(strangers, refused.Reason)
}

func (p Provisioner) check(parcel *provision.Parcel) error {
	device, err := config.DeviceKey(p.Data)
	if err != nil {
		return notWritten(err)
	}
	_, installed, err := config.Provisioned(p.Data)
	if err != nil {
		return notWritten(err)
	}
	if _, waiting, err := config.Waiting(p.Data); err == nil { // an unreadable one is replaced
		installed = max(installed, waiting)
	}
	return parcel.Check(provision.Receiver{
		Signers: p.Signers, Device: provision.DeviceOf(device), Installed: installed, Now: p.Now(),
	})
}

func notWritten(err error) error {
	return provision.Refused{Reason: provision.NotWritten, Detail: err.Error()}
}

// Waits is what a parcel waits for that changes merchant, gateway or currency.
type Waits string

// What it waits for.
const (
	WaitsForNothing Waits = ""
	WaitsForOrders  Waits = "orders" // under the new key nobody could ask about open orders
	WaitsForZ       Waits = "z"      // paid orders have to be in a total of their own
	WaitsForAgent   Waits = "agent"  // the running agent takes it at rest
)

// Says is what a person can do about it; empty if nothing waits.
func (w Waits) Says() string {
	const parcel = "a parcel for another merchant, gateway or currency waits"
	return map[Waits]string{
		WaitsForZ:      parcel + ": close the day (payterm totals z)",
		WaitsForOrders: parcel + " until the open orders are closed: payterm queue list",
		WaitsForAgent:  parcel + " until nobody is being served",
	}[w]
}

// Accepted is a parcel that was taken. It is in use unless it waits.
type Accepted struct {
	Config config.Config
	Waits  Waits
}

// Accept opens a parcel with its code and installs its content. If it changes merchant, gateway
// or currency it waits until the current ones are finished.
func (p Provisioner) Accept(parcel *provision.Parcel, code provision.Code) (Accepted, error) {
	content, err := parcel.Open(code)
	if err != nil {
		return Accepted{}, err
	}
	arrival, err := config.Arrive(p.Config, p.Data, content)
	if err == nil {
		err = p.Board(arrival.Config)
	}
	if err != nil {
		return Accepted{}, provision.Refused{
			Reason: provision.BadContent, Detail: "what it brings cannot be used: " + err.Error(),
		}
	}
	let, err := config.LockProvision(p.Data)
	if err != nil {
		return Accepted{}, notWritten(err)
	}
	defer let()                             //nolint:errcheck // nothing was written through it
	if err := p.check(parcel); err != nil { // again, since typing the code takes time
		return Accepted{}, err
	}
	a := Accepted{Config: arrival.Config}
	now, _, wrong := config.InForce(p.Config, p.Data, nil)
	known := wrong == nil && now.Gateway.URL != ""
	if !known || moves(now, a.Config) {
		// A sale of the old merchant that began now could never be asked about.
		lock, err := config.LockData(p.Data)
		if err == nil {
			defer lock.Close()
			a.Waits, err = p.waits(a.Config)
		} else if errors.Is(err, config.ErrTaken) {
			a.Waits, err = WaitsForAgent, nil
		}
		if err != nil {
			return Accepted{}, notWritten(err)
		}
	}
	switch {
	case a.Waits == WaitsForNothing:
		err = arrival.Install(parcel.Serial())
	case known:
		err = arrival.Wait(parcel.Serial())
	default: // nobody could ask about those orders meanwhile, or close the day
		return Accepted{}, provision.Refused{
			Reason: provision.OrdersOpen,
			Detail: "orders of another merchant are open or in no Z, and what is in force here cannot be read: " +
				"payterm queue list",
		}
	}
	if err != nil {
		return Accepted{}, notWritten(err)
	}
	return a, nil
}

// moves reports whether a configuration changes merchant, gateway or currency.
func moves(now, next config.Config) bool {
	return now.Gateway.MerchantID != next.Gateway.MerchantID || now.Gateway.URL != next.Gateway.URL ||
		now.Merchant.Currency != next.Merchant.Currency
}

// waits reads from the journal, which no agent has open, what a configuration has to wait for.
func (p Provisioner) waits(next config.Config) (Waits, error) {
	r, err := storage.OpenReader(filepath.Join(p.Data, "payterm.db"))
	if errors.Is(err, os.ErrNotExist) {
		return WaitsForNothing, nil
	}
	if err != nil {
		return WaitsForNothing, err
	}
	held, err := r.Held()
	if err := errors.Join(err, r.Close()); err != nil {
		return WaitsForNothing, err
	}
	return p.waitsFor(held, next), nil
}

// waitsFor is what a configuration has to wait for, by what the journal still holds. Another
// gateway knows none of the orders.
func (p Provisioner) waitsFor(held []storage.Held, next config.Config) Waits {
	now, _, err := config.InForce(p.Config, p.Data, nil)
	elsewhere := err == nil && now.Gateway.URL != "" && now.Gateway.URL != next.Gateway.URL
	waits := WaitsForNothing
	for _, h := range held {
		others := h.MerchantID != next.Gateway.MerchantID || h.Currency != next.Merchant.Currency
		if h.Open > 0 && (others || elsewhere) {
			return WaitsForOrders
		}
		if h.Untotalled > 0 && others {
			waits = WaitsForZ
		}
	}
	return waits
}

// TakeWaiting installs a parcel that has waited, if it may be now; call it while no agent has the
// data. A parcel that still waits is no error.
func (p Provisioner) TakeWaiting() (serial uint64, err error) {
	next, serial, err := config.Waiting(p.Data)
	if err != nil || serial == 0 {
		return serial, err
	}
	let, err := config.LockProvision(p.Data)
	if err != nil {
		return serial, err
	}
	defer let() //nolint:errcheck // nothing was written through it
	lock, err := config.LockData(p.Data)
	if err != nil {
		return serial, err
	}
	defer lock.Close()
	waits, err := p.waits(next)
	if err != nil || waits != WaitsForNothing {
		return serial, err
	}
	return serial, config.TakeWaiting(p.Data)
}

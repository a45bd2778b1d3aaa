package agent

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"payterm/cmd/payterm/internal/config"
	"payterm/provision"
	"payterm/storage"
)

// Provisioner takes parcels for the terminal whose data is in Data.
type Provisioner struct {
	Data    string
	Config  string // what --config names, in force until a parcel is installed; may be empty
	Signers []ed25519.PublicKey
	Trust   string                  // the file that they are of; may be empty
	Now     func() time.Time        // zero while the clock is not set
	Board   func(name string) error // whether a board profile is known
}

// Offer reads a parcel and says whether this terminal may have it: an error that is a
// provision.Refused says why not, another one what is wrong with the terminal.
func (p Provisioner) Offer(text string) (*provision.Parcel, error) {
	parcel, err := provision.Read(text)
	if err != nil {
		return nil, err
	}
	return parcel, p.check(parcel)
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
	return parcel.Check(provision.Terminal{Signers: p.Signers, Device: provision.DeviceOf(device), Installed: installed, Now: p.Now()})
}

func notWritten(err error) error {
	return provision.Refused{Reason: provision.NotWritten, Detail: err.Error()}
}

// Accept opens a parcel with its code and installs what it brings.
func (p Provisioner) Accept(parcel *provision.Parcel, code provision.Code) (config.Config, error) {
	content, err := parcel.Open(code)
	if err != nil {
		return config.Config{}, err
	}
	arrival, err := config.Arrive(p.Config, p.Data, content)
	if err == nil {
		err = p.Board(arrival.Config.Terminal.Board)
	}
	if err != nil {
		return config.Config{}, provision.Refused{Reason: provision.BadContent, Detail: "what it brings cannot be used: " + err.Error()}
	}
	let, err := config.LockProvision(p.Data)
	if err != nil {
		return config.Config{}, notWritten(err)
	}
	defer let()                             //nolint:errcheck // nothing was written through it
	if err := p.check(parcel); err != nil { // again: typing takes its time
		return config.Config{}, err
	}
	if p.moves(arrival.Config) {
		// A sale of the old merchant's that began now could never be asked about.
		lock, err := lockData(p.Data)
		if err != nil {
			return config.Config{}, provision.Refused{Reason: provision.OrdersOpen, Detail: "it is for another merchant, gateway or currency, and the agent runs: end it first, or scan the parcel at the terminal"}
		}
		defer lock.Close() //nolint:errcheck // as above
		if err := p.settled(); err != nil {
			return config.Config{}, err
		}
	}
	if err := arrival.Install(parcel.Serial()); err != nil {
		return config.Config{}, notWritten(err)
	}
	return arrival.Config, nil
}

// moves tells whether a configuration is another merchant's, gateway's or currency's
// than the one in force.
func (p Provisioner) moves(next config.Config) bool {
	now, _, err := config.InForce(p.Config, p.Data, nil)
	if err != nil || now.Gateway.URL == "" {
		return true // nobody knows whose orders there may be
	}
	return now.Gateway.MerchantID != next.Gateway.MerchantID || now.Gateway.URL != next.Gateway.URL || now.Merchant.Currency != next.Merchant.Currency
}

// settled refuses while orders are open: under another merchant's key nobody could ask
// about them.
func (p Provisioner) settled() error {
	r, err := storage.OpenReader(filepath.Join(p.Data, "payterm.db"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return notWritten(err)
	}
	defer r.Close() //nolint:errcheck // it was only read
	open, err := r.OpenOrders()
	if err != nil {
		return notWritten(err)
	}
	if len(open) > 0 {
		return provision.Refused{Reason: provision.OrdersOpen, Detail: fmt.Sprintf("it is for another merchant, gateway or currency, and %d orders of this one are open: payterm queue list", len(open))}
	}
	return nil
}

// Package terminal wires a payterm: journal, gateway, drivers and runner, with a goroutine for
// each device, and the local API. Real and emulated hardware come in as hal.Ports and are
// treated alike from here on.
package terminal

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"payterm"
	"payterm/board"
	"payterm/config"
	"payterm/flows/counter"
	"payterm/flows/order"
	"payterm/flows/runner"
	"payterm/gateway/ottpay"
	"payterm/receipt"
	"payterm/screen"
	"payterm/storage"
	"payterm/terminal/devices"
	"payterm/terminal/doctor"
	"payterm/terminal/notice"
	"payterm/terminal/selling"
	"payterm/terminal/setup"
	"payterm/terminal/slips"
	"payterm/terminal/training"
	"payterm/terminal/upkeep"
)

// Options are the options of an agent.
type Options struct {
	Config    config.Config
	Data      string
	SignKey   string
	Board     *board.Board
	Sleep     func(time.Duration)
	Watermark string
	// RefundsNeedPIN refuses refunds while no supervisor's PIN is configured.
	RefundsNeedPIN bool
	Built          time.Time
	Log            *slog.Logger
	Ready          func() error       // called by Run when the local API is ready; may be nil
	Provisioner    *setup.Provisioner // takes parcels during selling; nil for none
	Serial         uint64             // of the configuration's parcel; 0 for none
	Passed         uint64             // of a parcel that waited and could not be taken; 0 for none
	Sticks         *setup.Sticks      // parcels on USB sticks; nil for none
	// Haste is how many times faster than people the simulated customers of training are; 0 for
	// 1.
	Haste float64

	lent   bool              // the Terminal closes the board
	trains *training.Gateway // of training
	real   string            // the real terminal's data, in training
	realID string            // its merchant at the gateway, in training
	patience
	networkTime func() (bool, error) // whether a time server sets the clock; nil to ask the kernel
	notices     *notice.Notices      // shared by all agents of a Terminal
}

// Setup are the options of a terminal that waits for a parcel instead.
func (o Options) Setup() setup.Options {
	return setup.Options{
		Board: o.Board, Sleep: o.Sleep, Data: o.Data, Watermark: o.Watermark, Log: o.Log, Ready: o.Ready,
		Serial: o.Serial, Provisioner: o.Provisioner, Sticks: o.Sticks,
	}
}

// patience has intervals that tests shorten; 0 for the normal ones.
type patience struct {
	refresh   time.Duration // between two refreshes of the display
	awayAfter time.Duration // how long a device is unplugged before that is shown
	lookAgain time.Duration // until the self test looks again
}

func (p patience) orUsual() patience {
	return patience{p.refresh, cmp.Or(p.awayAfter, 3*time.Second), cmp.Or(p.lookAgain, 10*time.Second)}
}

// Agent is a running terminal.
type Agent struct {
	o         Options
	clock     *runner.SystemClock // of this run
	loopClock *runner.SystemClock // continues from the earlier runs, once the journal is open
	gateway   *ottpay.Client
	lock      *os.File
	opened    chan struct{} // closed once store and runner exist
	store     *storage.Store
	runner    *runner.Runner
	selling   *selling.Selling
	upkeep    *upkeep.Upkeep
	arrivals  *setup.Arrivals // of parcels
	devices   *devices.Set
	slips     *slips.Slips
	leaving   chan struct{} // a new configuration was installed
	mu        sync.Mutex
	fault     string // why the journal is not open
	zone      *time.Location
	training  *training.Gateway // nil for the real terminal
	realLock  *os.File          // in training, on the real terminal's data
	left      bool              // it ended for training, or from it
	spoken    string            // language of the screens, if changed at the keypad
	doctor    *doctor.Doctor

	clockWrong atomic.Bool // by the gateway's certificate, when it was asked last
}

// openAgain is the pause before the journal is opened again.
const openAgain = 2 * time.Second

// Start makes an agent and opens its journal. A wrong configuration is an error. A problem of the
// journal or its disk is not: a cashier sees only the glass, so the agent starts, shows what to
// do, and tries again. Call Run next.
func Start(o Options) (*Agent, error) {
	a := newAgent(o)
	var err error
	if a.training != nil {
		a.gateway = a.training.Client()
	} else if a.gateway, err = a.newGateway(); err != nil {
		return nil, err
	}
	if err := a.open(); errors.Is(err, config.ErrTaken) {
		return nil, err
	}
	return a, nil
}

// newAgent makes an agent with its devices.
func newAgent(o Options) *Agent {
	if o.notices == nil {
		o.notices = notice.New()
	}
	if o.networkTime == nil {
		o.networkTime = doctor.NetworkTime
	}
	o.patience = o.orUsual()
	a := &Agent{
		o: o, zone: o.Config.Zone(), clock: runner.NewSystemClock(o.Built),
		opened: make(chan struct{}), leaving: make(chan struct{}, 1), training: o.trains,
	}
	a.devices = devices.New(devices.Options{
		Board: o.Board, Sleep: o.Sleep, Log: o.Log, Owner: a, MaxScan: setup.MaxScan, Refresh: o.refresh,
		Known: o.Provisioner.Knows, Misread: a.misread,
	})
	a.slips, a.doctor = a.newSlips(), a.newDoctor()
	a.arrivals = setup.NewArrivals(setup.ArrivalsOptions{
		Provisioner: o.Provisioner, Sticks: o.Sticks, Data: o.Data, Serial: o.Serial, Passed: o.Passed,
		Counter: a, Notices: o.notices, Log: o.Log,
	})
	return a
}

// open opens the journal and takes up its open orders, as far as that is not done yet.
func (a *Agent) open() error {
	if a.isOpen() {
		return nil
	}
	if err := a.takeLock(); err != nil {
		return err
	}
	store, err := storage.Open(storage.Options{
		Path: filepath.Join(a.o.Data, "payterm.db"), Terminal: a.o.Config.Terminal.ID, DrawTag: drawTag,
		Now: func() time.Time { _, wall := a.clock.Now(); return wall }, Days: a.o.Config.Days(),
		MerchantID: a.o.Config.Gateway.MerchantID, Currency: a.o.Config.Merchant.Currency,
		Slips: a.o.Board.Profile.Printer != nil,
	})
	if err != nil {
		return err
	}
	codeKey, err := config.Secret(a.o.Data, "code.key", a.firstCodeKey)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	clock := a.clock.GoingOn(store.Lived())
	c := a.runnerConfig(store, clock, codeKey)
	c.Settings.Last, err = store.LastApproved()
	r := runner.New(c)
	var open []storage.OpenOrder
	if err == nil {
		open, err = store.OpenOrders()
	}
	if err == nil {
		list := make([]runner.Open, len(open))
		for i, one := range open {
			list[i] = runner.Open{ID: one.ID, Events: one.Events}
		}
		err = r.Restore(list)
	}
	if err != nil {
		return errors.Join(err, store.Close())
	}
	a.store, a.loopClock, a.runner = store, clock, r
	a.selling = selling.New(selling.Options{
		Loop: r, Journal: store, Config: a.o.Config, Clock: a.wall, Log: a.o.Log, Slip: a.totalsSlip,
		Print: a.devices.Print,
		PrintZ: func(slip payterm.Receipt, ended func(error)) error {
			return a.devices.PrintJob(devices.Job{Slip: slip, Ended: ended})
		},
		Printer: a.devices.Has(devices.Printer), RefundsNeedPIN: a.o.RefundsNeedPIN,
	})
	a.upkeep = a.newUpkeep()
	close(a.opened)
	return nil
}

func (a *Agent) isOpen() bool {
	select {
	case <-a.opened:
		return true
	default:
		return false
	}
}

// closed shows and logs why the agent is not open.
func (a *Agent) closed(err error) {
	err = storage.Explain(err) // also for the lock and the socket, which are beside the journal
	why := err.Error()
	var advisor interface{ Advice() string }
	if errors.As(err, &advisor) {
		why = advisor.Advice()
	}
	a.mu.Lock()
	known := a.fault == why
	a.fault = why
	a.mu.Unlock()
	if !known {
		a.o.Log.Error("out of order", "err", err)
	}
	a.Show(screen.Compose(counter.View{Name: counter.ViewFault, Fault: why}, a.screenOptions()))
}

// why is the reason why the agent is not open.
func (a *Agent) why() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.fault
}

// takeLock prevents a second agent on the same data.
func (a *Agent) takeLock() error {
	if a.lock != nil {
		return nil
	}
	if a.training != nil && a.realLock == nil {
		f, err := config.LockData(a.o.real)
		if err != nil {
			return err
		}
		a.realLock = f
	}
	f, err := config.LockData(a.o.Data)
	a.lock = f
	return err
}

func (a *Agent) newGateway() (*ottpay.Client, error) {
	g := a.o.Config.Gateway
	cas, err := g.CAs()
	if err != nil {
		return nil, err
	}
	return ottpay.New(ottpay.Config{
		URL: g.URL, MerchantID: g.MerchantID, OperatorID: g.OperatorID, TerminalNo: g.TerminalNo,
		SignKey:     ottpay.SignKey(a.o.SignKey),
		CallBackURL: g.CallBackURL, Currency: a.o.Config.Merchant.Currency, Versions: g.Versions, CAs: cas,
		ConnectTimeout: a.o.Config.Sale.ConnectTimeout.Duration, Timeout: a.o.Config.Sale.HTTPTimeout.Duration,
		Built: a.o.Built, Now: time.Now, Unsynced: a.unsynced,
	})
}

// unsynced reports whether no time server sets the clock, as far as the kernel knows.
func (a *Agent) unsynced() bool {
	synced, err := a.o.networkTime()
	return err == nil && !synced
}

func (a *Agent) runnerConfig(store *storage.Store, clock runner.Clock, codeKey []byte) runner.Config {
	c := a.o.Config
	staff, whole := a.staff()
	settings := staff.Now().Settings()
	settings.MerchantID = c.Gateway.MerchantID
	pad := a.o.Board.Profile.Keypad
	settings.Staff = a.training == nil && (pad == nil || pad.Has(payterm.KeyF2)) // the key that leads there
	// Without a sign-on because a file is damaged, nobody would know who sold. A supervisor can set PINs again.
	settings.SignOn = settings.SignOn || !whole && settings.PINSet
	settings.Lines, settings.WithoutF1 = a.menuLines(), pad != nil && !pad.Has(payterm.KeyF1)
	settings.LettersOnly = a.o.Board.Profile.LettersOnly()
	settings.RefundsNeedPIN, settings.Training = a.o.RefundsNeedPIN, a.training != nil
	settings.CodesOnPaper = a.codeOnPaper(screen.TypicalCode)
	if settings.CodesOnPaper && a.o.Board.Printer == nil {
		settings.ActiveWallets = 0 // there is nothing to show a code on
	}
	rc := runner.Config{
		Journal: store, People: store, Gateway: a.gateway, Clock: clock, BootTag: store.BootTag(), Log: a.o.Log,
		Display: a, Printer: a.devices, Scanner: a.devices, Drawer: a.devices, Buzzer: a.devices,
		Settings: settings,
		Totals:   func(z bool, by payterm.TakenBy) (payterm.Totals, error) { return a.selling.Take(z, by) },
		Rate:     a.askRate, Language: a.speak,
		Screen: func(v counter.View) payterm.Screen { return screen.Compose(a.resting(v), a.screenOptions()) },
		Slip: func(s order.Slip, o payterm.Order, again bool) payterm.Receipt {
			return receipt.Compose(s, o, again, a.slipOptions())
		},
		CodeKey: func(code payterm.PayCode) string {
			h := hmac.New(sha256.New, codeKey)
			h.Write([]byte(code.Reveal()))
			return hex.EncodeToString(h.Sum(nil)[:16])
		},
		PIN: staff.ComparePIN, Whose: func(number string) string { return staff.Whose(number, a.o.SignKey) },
		Person: staff.Person, NewPIN: staff.NewPIN,
		Jitter: func() uint16 {
			var b [2]byte
			rand.Read(b[:])
			return binary.BigEndian.Uint16(b[:])
		},
	}
	if a.o.Board.Printer != nil {
		rc.Codes = a
	}
	if a.o.lent {
		rc.Train = a.leave
	}
	if s := a.training; s != nil {
		rc.Gateway, rc.Drill, rc.Drawer = s, s.Begin, nil
		// In training no key of a code is stored: it may be a real customer's.
		rc.CodeKey = func(payterm.PayCode) string { return training.NobodysKey() }
	}
	if c.Sale.DayMaxMinor > 0 {
		rc.Sold = func(wall time.Time) (payterm.Amount, error) {
			return store.Sold(c.Days(), wall, c.Gateway.MerchantID, c.Merchant.Currency)
		}
	}
	return rc
}

// staff are the operators of the terminal, also in training. whole: what was set at the keypad could be read.
func (a *Agent) staff() (staff *config.Staff, whole bool) {
	c, data := a.o.Config, a.o.Data
	if a.training != nil {
		c.Gateway.MerchantID, data = a.o.realID, a.o.real
	}
	staff, err := config.OpenStaff(data, c)
	if err != nil {
		a.o.Log.Error("the operators who were set at the keypad cannot be read: those of the configuration count, "+
			"and a supervisor can set the PINs again", "err", err)
	}
	return staff, err == nil
}

// firstCodeKey makes the key of the hashes by which a used payment code is recognised. It is
// derived from the sign key, as in earlier versions which did not store it, so that earlier codes
// are still recognised; a later sign key does not change it.
func (a *Agent) firstCodeKey() ([]byte, error) {
	mac := hmac.New(sha256.New, []byte(a.o.SignKey+"payment code"))
	return mac.Sum(nil), nil
}

// slipOptions are common to all slips of this terminal. They are in the language of the screens;
// what a customer takes along is in the merchant's receipt languages where those are set, whatever
// the cashier reads.
func (a *Agent) slipOptions() receipt.Options {
	c, language := a.o.Config, a.language()
	return receipt.Options{
		Language: language, Customer: c.Terminal.ReceiptLanguages, MerchantID: c.Gateway.MerchantID,
		Terminal: c.Terminal.ID, Zone: a.zone,
		Watermark: screen.SlipMark(a.o.Watermark, append([]string{language}, c.Terminal.ReceiptLanguages...)...),
		Merchant: receipt.Merchant{
			Name: c.Merchant.Name, Address: c.Merchant.Address, Phone: c.Merchant.Phone, TaxID: c.Merchant.TaxID,
		},
		ReceiptQR: c.Merchant.ReceiptQR,
	}
}

func (a *Agent) totalsSlip(t payterm.Totals, z, again bool) payterm.Receipt {
	return receipt.Totals(t, z, again, a.o.Config.Merchant.Currency, a.slipOptions())
}

func drawTag() (string, error) {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	var tag strings.Builder
	for tag.Len() < 5 {
		var b [1]byte
		if _, err := rand.Read(b[:]); err != nil {
			return "", err
		}
		if int(b[0]) < 252 { // a multiple of 36, so that all digits are equally likely
			tag.WriteByte(digits[b[0]%36])
		}
	}
	return tag.String(), nil
}

// Show shows a screen.
func (a *Agent) Show(s payterm.Screen) { a.devices.Show(s) }

// Screen is the newest screen.
func (a *Agent) Screen() payterm.Screen { return a.devices.Screen() }

// Press takes a key.
func (a *Agent) Press(k payterm.Key) { a.runner.Press(k) }

// Lived is the loop's monotonic time, in which scans are dated.
func (a *Agent) Lived() time.Duration {
	lived, _ := a.loopClock.Now()
	return lived
}

// Redraw shows the newest screen again.
func (a *Agent) Redraw() {
	if a.isOpen() {
		a.runner.Redraw()
		return
	}
	a.devices.Show(a.Screen())
}

// MayDim reports whether the backlight may be dimmed: not for a code that a customer has to scan,
// a result that was not read yet, or anything that has to be seen from a distance.
func (a *Agent) MayDim(ctx context.Context, s payterm.Screen) bool {
	if s.Tone == payterm.Calm || !a.isOpen() {
		return s.Tone == payterm.Calm
	}
	now, err := a.runner.Snapshot(ctx)
	return err == nil && now.AtRest && now.Fault == ""
}

// ready calls Options.Ready once the loop has answered, which is after its first screen.
func (a *Agent) ready(ctx context.Context) error {
	if _, err := a.runner.Snapshot(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // the agent has ended
		}
		return fmt.Errorf("the loop does not turn: %w", err)
	}
	if a.o.Ready == nil {
		return nil
	}
	return a.o.Ready()
}

// Run runs the agent until its context ends, then closes the journal.
func (a *Agent) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	provisioned := false
	var wg sync.WaitGroup
	a.devices.RunGlass(ctx, &wg)
	ready, err := a.comeUp(ctx, &wg)
	if err == nil && a.isOpen() {
		a.devices.RunInput(ctx, &wg)
		a.upkeep.Run(ctx, &wg)
		wg.Go(func() { a.arrivals.Run(ctx) })
		wg.Go(func() { a.selfTest(ctx) })
		if s := a.training; s != nil {
			wg.Go(func() { a.runner.Changes().Follow(ctx, s.Changed, func() { s.Missed(a.store.Order) }) })
		}
		// The printer ends after the loop, so that it prints the loop's last slips too.
		printing, endPrinting := context.WithCancel(context.WithoutCancel(ctx))
		wg.Go(func() { a.devices.RunPrinter(printing) })
		loop := make(chan error, 1)
		go func() { loop <- a.runner.Run(ctx) }()
		wg.Go(func() {
			select {
			case <-ctx.Done():
			case <-a.leaving:
				provisioned = true
				stop()
			}
		})
		if !ready {
			if err = a.ready(ctx); err != nil {
				stop()
			}
		}
		err = errors.Join(err, <-loop)
		endPrinting()
	}
	stop()
	wg.Wait()
	if a.store != nil {
		err = errors.Join(err, a.store.Live(a.Lived()), a.store.Close())
	}
	for _, lock := range []*os.File{a.lock, a.realLock} {
		if lock != nil {
			err = errors.Join(err, lock.Close())
		}
	}
	if a.training != nil {
		err = errors.Join(err, a.training.Close())
	}
	if !a.o.lent {
		err = errors.Join(err, a.o.Board.Close())
	}
	if err == nil && provisioned {
		return ErrProvisioned
	}
	return err
}

// comeUp tries until journal and local API are open, or the context ends. If that fails at first,
// Ready is called all the same: the reason is on the glass then.
func (a *Agent) comeUp(ctx context.Context, wg *sync.WaitGroup) (ready bool, err error) {
	serves := false
	for {
		err := a.open()
		if errors.Is(err, config.ErrTaken) {
			return ready, err
		}
		if !serves && a.lock != nil {
			served := a.serve(ctx, wg)
			serves = served == nil
			err = errors.Join(err, served)
		}
		if err == nil || a.training != nil { // if training cannot start, the real terminal comes back
			return ready, err
		}
		a.closed(err)
		if !ready && a.o.Ready != nil {
			if err := a.o.Ready(); err != nil {
				return ready, err
			}
		}
		ready = true
		select {
		case <-ctx.Done():
			return ready, nil
		case <-time.After(openAgain):
		}
	}
}

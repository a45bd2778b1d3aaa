// Package agent wires a payterm: journal, gateway, drivers and runner, with a
// goroutine for each device, and the local API. Real and emulated hardware come
// in as hal.Ports; from here on there is no difference.
package agent

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"payterm"
	"payterm/cmd/payterm/internal/config"
	"payterm/drivers/lcd"
	"payterm/flows"
	"payterm/flows/runner"
	"payterm/gateway/ottpay"
	"payterm/hal"
	"payterm/receipt"
	"payterm/screen"
	"payterm/storage"

	"golang.org/x/crypto/bcrypt"
)

// Options are what an agent is started with.
type Options struct {
	Config    config.Config
	Data      string
	SignKey   string
	Board     *hal.Board
	Sleep     func(time.Duration)
	Watermark string
	// RefundsNeedPIN refuses refunds while no supervisor's PIN is configured.
	RefundsNeedPIN bool
	Built          time.Time
	Log            *slog.Logger
	Ready          func() error // called by Run once the local API answers; may be nil
}

// Agent is a terminal that runs.
type Agent struct {
	o        Options
	clock    *runner.SystemClock
	store    *storage.Store
	runner   *runner.Runner
	lock     *os.File
	display  lcd.Display // nil without one
	onPaper  onPaper
	screens  chan payterm.Screen
	slips    chan payterm.Receipt
	sounds   chan payterm.Sound
	mu       sync.Mutex
	last     payterm.Screen
	problems map[string]string
}

const slipQueue = 32

// Start opens the journal, takes up what is open and makes the agent ready. Run
// follows.
func Start(o Options) (*Agent, error) {
	if err := os.MkdirAll(o.Data, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	a := &Agent{
		o: o, clock: runner.NewSystemClock(o.Built), problems: map[string]string{},
		screens: make(chan payterm.Screen, 1), slips: make(chan payterm.Receipt, slipQueue), sounds: make(chan payterm.Sound, 4),
	}
	var err error
	if a.display, err = openDisplay(o.Board, o.Sleep); err != nil {
		o.Log.Error("display", "err", err) // a terminal with a dead display still sells
	}
	if err := a.takeLock(); err != nil {
		return nil, err
	}
	gateway, err := a.gateway()
	if err != nil {
		return nil, errors.Join(err, a.lock.Close())
	}
	a.store, err = storage.Open(storage.Options{
		Path: filepath.Join(o.Data, "payterm.db"), Terminal: o.Config.Terminal.ID, DrawTag: drawTag,
		Now: func() time.Time { _, wall := a.clock.Now(); return wall },
	})
	if err != nil {
		return nil, errors.Join(err, a.lock.Close())
	}
	a.runner = runner.New(a.runnerConfig(gateway))
	open, err := a.store.OpenOrders()
	if err == nil {
		list := make([]runner.Open, len(open))
		for i, one := range open {
			list[i] = runner.Open{ID: one.ID, Events: one.Events}
		}
		err = a.runner.Restore(list)
	}
	if err != nil {
		return nil, errors.Join(err, a.store.Close(), a.lock.Close())
	}
	return a, nil
}

// takeLock keeps a second agent away from the data.
func (a *Agent) takeLock() error {
	f, err := os.OpenFile(filepath.Join(a.o.Data, "payterm.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return errors.Join(fmt.Errorf("another payterm runs on %s", a.o.Data), f.Close())
	}
	a.lock = f
	return nil
}

func (a *Agent) gateway() (*ottpay.Client, error) {
	g := a.o.Config.Gateway
	var cas *x509.CertPool
	if g.CAFile != "" {
		pem, err := os.ReadFile(g.CAFile)
		if err != nil {
			return nil, fmt.Errorf("gateway.ca_file: %w", err)
		}
		if cas = x509.NewCertPool(); !cas.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("gateway.ca_file: %s holds no certificate", g.CAFile)
		}
	}
	return ottpay.New(ottpay.Config{
		URL: g.URL, MerchantID: g.MerchantID, OperatorID: g.OperatorID, TerminalNo: g.TerminalNo, SignKey: ottpay.SignKey(a.o.SignKey),
		CallBackURL: g.CallBackURL, Currency: a.o.Config.Merchant.Currency, Versions: g.Versions, CAs: cas,
		ConnectTimeout: a.o.Config.Sale.ConnectTimeout.Duration, Timeout: a.o.Config.Sale.HTTPTimeout.Duration, Built: a.o.Built, Now: time.Now,
	})
}

func (a *Agent) runnerConfig(gateway runner.Gateway) runner.Config {
	c := a.o.Config
	zone, err := time.LoadLocation(c.Terminal.Timezone)
	if err != nil {
		zone = time.UTC
	}
	slips := receipt.Options{
		Language: c.Terminal.Language, MerchantID: c.Gateway.MerchantID, Terminal: c.Terminal.ID, Zone: zone, Watermark: a.o.Watermark,
		Merchant: receipt.Merchant{Name: c.Merchant.Name, Address: c.Merchant.Address, Phone: c.Merchant.Phone, TaxID: c.Merchant.TaxID},
	}
	screens := screen.Options{Language: c.Terminal.Language, Merchant: c.Merchant.Name, Watermark: a.o.Watermark, OnPaper: a.codeOnPaper}
	active := flows.WalletSetOf(c.Gateway.ActiveWallets...)
	if a.codeOnPaper(typicalCode) && a.o.Board.Printer == nil {
		active = flows.WalletSet{} // there is nothing to show a code on
	}
	mac := hmac.New(sha256.New, []byte(a.o.SignKey+"payment code"))
	key := mac.Sum(nil)
	return runner.Config{
		Journal: a.store, Gateway: gateway, Display: a, Printer: a, Buzzer: a, Clock: a.clock, BootTag: a.store.BootTag(), Log: a.o.Log,
		Settings: flows.Settings{
			Currency: c.Merchant.Currency, MaxMinor: c.Sale.MaxMinor, Rules: c.Rules(), PINSet: c.Supervisor.PINHash != "",
			ActiveWallets: active, Wallets: flows.WalletSetOf(c.Gateway.Wallets...),
		},
		Screen: func(v flows.View) payterm.Screen {
			a.printCode(v, screens, zone)
			return screen.Compose(v, screens)
		},
		Slip: func(s flows.Slip, o payterm.Order, again bool) payterm.Receipt {
			return receipt.Compose(s, o, again, slips)
		},
		CodeKey: func(code payterm.PayCode) string {
			h := hmac.New(sha256.New, key)
			h.Write([]byte(code.Reveal()))
			return hex.EncodeToString(h.Sum(nil)[:16])
		},
		PIN: func(pin flows.PIN) bool {
			return bcrypt.CompareHashAndPassword([]byte(c.Supervisor.PINHash), []byte(pin)) == nil
		},
		Jitter: func() uint16 {
			var b [2]byte
			rand.Read(b[:]) //nolint:errcheck // it never fails
			return binary.BigEndian.Uint16(b[:])
		},
	}
}

func drawTag() (string, error) {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	var tag strings.Builder
	for tag.Len() < 5 {
		var b [1]byte
		if _, err := rand.Read(b[:]); err != nil {
			return "", err
		}
		if int(b[0]) < 252 { // a multiple of 36, so that each digit is as likely
			tag.WriteByte(digits[b[0]%36])
		}
	}
	return tag.String(), nil
}

// Show takes the newest screen; one that was not drawn yet gives way.
func (a *Agent) Show(s payterm.Screen) {
	a.mu.Lock()
	a.last = s
	a.mu.Unlock()
	for {
		select {
		case a.screens <- s:
			return
		default:
		}
		select {
		case <-a.screens:
		default:
		}
	}
}

// Screen is the newest screen.
func (a *Agent) Screen() payterm.Screen {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last
}

// Print queues a slip.
func (a *Agent) Print(r payterm.Receipt) error {
	select {
	case a.slips <- r:
		return nil
	default:
		return errors.New("the printer's queue is full")
	}
}

// Play sounds the buzzer, unless it is busy with several sounds already.
func (a *Agent) Play(s payterm.Sound) {
	select {
	case a.sounds <- s:
	default:
	}
}

// Run runs the agent until its context ends, then closes the journal.
func (a *Agent) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for _, device := range []func(context.Context){a.runDisplay, a.runKeypad, a.runScanner, a.runPrinter, a.runBuzzer} {
		wg.Go(func() { device(ctx) })
	}
	err := a.serve(ctx, &wg)
	if err == nil && a.o.Ready != nil {
		err = a.o.Ready()
	}
	if err == nil {
		err = a.runner.Run(ctx)
	}
	stop()
	wg.Wait()
	return errors.Join(err, a.store.Close(), a.o.Board.Close(), a.lock.Close())
}

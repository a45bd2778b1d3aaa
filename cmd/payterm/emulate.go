package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"payterm"
	"payterm/board"
	"payterm/config"
	"payterm/gateway/ottsim"
	"payterm/hal/emulated"
	"payterm/internal/durable"
	"payterm/internal/httpd"
	"payterm/panel"
	"payterm/provision"
	"payterm/screen"
	"payterm/terminal"
	"payterm/terminal/setup"
)

type emulateCmd struct {
	Config  string  `help:"Configuration file; without it, the simulator's merchant is used." type:"existingfile"`
	Board   string  `help:"Board profile: a file, or a name of payterm board list." default:"emulated"`
	Listen  string  `help:"Address of the front panel, on loopback only; port 0 picks a free port." default:"127.0.0.1:8080"`
	Data    string  `help:"Data directory." default:"build/data" env:"PAYTERM_DATA"`
	Gateway string  `help:"Address of a gateway, instead of the built-in simulator."`
	Scale   float64 `help:"How many times faster than real devices the emulated ones are." default:"1"`
	Verbose bool    `help:"Write a more detailed log."`

	Unprovisioned bool   `help:"Start as a new terminal: wait for a parcel, unless the data directory has had one."`
	Trust         string `help:"File of the signers whose parcels are accepted; without it, --unprovisioned makes a signer for tests." type:"path"`
}

// The simulator's merchant. Its key protects nothing.
const (
	simMerchant = "ON00000000"
	simKey      = "0123456789ABCDEF"
)

// emulateBounds are for the panel, whose pages listen for events for hours, and for the
// simulator.
var emulateBounds = httpd.Bounds{Conns: 128, Calls: 64, Body: 128 << 10}

func (c emulateCmd) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := c.check(); err != nil {
		return err
	}
	_, profile, err := readBoard(c.Board)
	if err != nil {
		return err
	}
	e := emulation{c: c, profile: profile}
	e.hardware, err = emulated.New(emulated.Config{Profile: profile, Scale: c.Scale, Changed: e.changed})
	if err != nil {
		return err
	}
	defer e.hardware.Close()
	level := slog.LevelInfo
	if c.Verbose {
		level = slog.LevelDebug
	}
	log := newLog(level)
	keepCrashes(c.Data, log)
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("front panel: %w: choose another address with --listen; port 0 picks a free one", err)
	}
	defer l.Close()
	e.url = "http://" + l.Addr().String()
	if e.o, err = e.options(log); err != nil {
		return err
	}
	e.srv = httpd.New(ctx, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.front.Load().ServeHTTP(w, r)
	}), emulateBounds)
	defer e.srv.Close()
	return lives(ctx, func(parcel string) (life, error) { return e.live(ctx, parcel) })
}

// check refuses wrong flags before anything is created.
func (c emulateCmd) check() error {
	if err := loopback(c.Listen); err != nil {
		return err
	}
	for _, path := range []string{c.Data, c.Config} {
		if err := rootsOwn(path); path != "" && err != nil {
			return fmt.Errorf("%w: run this as that user", err)
		}
	}
	if c.Scale <= 0 {
		return fmt.Errorf("--scale %g: more than 0 is needed; 1 is real time", c.Scale)
	}
	return nil
}

// emulation is an emulated board with its front panel, which runs terminals one after another.
type emulation struct {
	c        emulateCmd
	profile  board.Profile
	hardware *emulated.Board
	o        terminal.Options // common to all of them
	srv      *httpd.Server
	url      string                                // of the front panel
	base     string                                // of the simulator inside
	front    atomic.Pointer[panel.Panel]           // the board exists before its panel
	shows    atomic.Pointer[func() payterm.Screen] // screen of the current terminal
	trials   trials
	sim      simulator
}

// simulator is the one inside, with what it was started for: it outlives a terminal that is started anew.
type simulator struct {
	merchant, key string
	currency      payterm.Currency
	base          string
}

// changed tells the panel that a device has changed.
func (e *emulation) changed(device string) {
	if p := e.front.Load(); p != nil {
		p.Changed(device)
	}
}

// ready prints where the panel is, for programs and for people.
func (e *emulation) ready() error {
	ready := struct {
		Ready   bool   `json:"ready"`
		Panel   string `json:"panel"`
		Gateway string `json:"gateway"`
		Data    string `json:"data"`
	}{true, e.url, e.base, e.c.Data}
	if err := json.NewEncoder(os.Stdout).Encode(ready); err != nil {
		return fmt.Errorf("say that it is ready: %w", err)
	}
	fmt.Fprintf(os.Stderr, "open %s in a browser; Ctrl-C ends it\n", e.url)
	return nil
}

// options are the options of each terminal.
func (e *emulation) options(log *slog.Logger) (terminal.Options, error) {
	c := e.c
	o := terminal.Options{
		Data: c.Data, Sleep: e.hardware.Sleep, Built: buildTime(), Haste: c.Scale, Log: log,
		Ready: sync.OnceValue(e.ready),
	}
	if !c.Unprovisioned && c.Trust == "" {
		return o, nil
	}
	trust := c.Trust
	if trust == "" {
		var err error
		if trust, err = c.trialSigner(); err != nil {
			return o, err
		}
	}
	o.Provisioner = newProvisioner(c.Data, c.Config, trust, log)
	o.Sticks = setup.NewSticks(setup.StickPatterns...)
	return o, nil
}

// live starts the next terminal, or its setup if it is not provisioned.
func (e *emulation) live(ctx context.Context, parcel string) (life, error) {
	c, o := e.c, e.o
	if c.Unprovisioned {
		o.Passed = takeWaiting(c.Data, c.Config, o.Log)
	}
	var err error
	if o.Config, o.Serial, err = c.load(); err != nil {
		return nil, err
	}
	e.trials.apply(&o.Config, e.profile)
	o.Board = board.Open(e.profile, e.hardware)
	if parcel != "" || c.Unprovisioned && o.Serial == 0 {
		s, err := setup.New(o.Setup(), parcel)
		if err != nil {
			return nil, err
		}
		return s, e.show(s.Screen, nil, "")
	}
	simulated := false
	if o.SignKey, simulated, e.base, err = e.gateway(ctx, &o.Config); err != nil {
		return nil, err
	}
	gateway := ""
	if simulated {
		o.Watermark, gateway = screen.Simulation, e.base
	}
	t, err := terminal.NewTerminal(o)
	if err != nil {
		return nil, err
	}
	return t, e.show(t.Screen, t, gateway)
}

// show connects the panel with this terminal, which is nil in a setup, and starts to serve it with the first one.
func (e *emulation) show(screen func() payterm.Screen, t *terminal.Terminal, gateway string) error {
	e.shows.Store(&screen)
	e.trials.began(t)
	if e.front.Load() != nil {
		return nil
	}
	options := panel.Options{
		Board: e.hardware, Screen: func() payterm.Screen { return (*e.shows.Load())() },
		Journal: filepath.Join(e.c.Data, "payterm.db"), Gateway: gateway,
		Trial: &e.trials,
	}
	if e.profile.Keypad != nil {
		options.Keys = e.profile.Keypad.Layout()
	}
	p, err := panel.New(options)
	if err != nil {
		return err
	}
	e.front.Store(p)
	go e.srv.Serve() //nolint:errcheck // it ends with Run's Close
	return nil
}

// trialSigner creates a signer for trials beside the data at the first start, prints how to make
// a parcel with it, and returns the file with its public line.
func (c emulateCmd) trialSigner() (trust string, err error) {
	fail := func(err error) (string, error) { return "", fmt.Errorf("a signer for trials: %w", err) }
	secret, trust := filepath.Join(c.Data, "trial-signer.key"), filepath.Join(c.Data, "trial-signers")
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fail(err)
	}
	text, err := durable.ReadOwn(secret)
	if errors.Is(err, fs.ErrNotExist) {
		var made string
		if _, made, err = provision.NewSigner(rand.Reader); err == nil {
			text, err = []byte(made), durable.Create(secret, []byte(made))
		}
	}
	if err != nil {
		return fail(err)
	}
	signer, err := provision.ReadSigner(string(text))
	if err != nil {
		return fail(fmt.Errorf("%s: %w", secret, err))
	}
	if err := os.WriteFile(trust, []byte(provision.PublicLine(signer)+"\n"), 0o600); err != nil {
		return fail(err)
	}
	fmt.Fprintf(os.Stderr, "parcels of a signer for trials are taken; without --trust of nobody else:\n"+
		"  payterm provision make --config MERCHANT.toml --sign-key-file KEY --terminal T1 --signer %s --out t1.ppv\n"+
		"  payterm provision t1.ppv --data %s --trust %s    # or scan the text of t1.ppv at the panel\n", secret,
		c.Data, trust)
	return trust, nil
}

// load reads the configuration, or the one of a parcel.
func (c emulateCmd) load() (cfg config.Config, serial uint64, err error) {
	if c.Unprovisioned {
		cfg, serial, err = config.InForce(c.Config, c.Data, os.Environ())
	} else {
		cfg, err = config.Load(c.Config, os.Environ())
	}
	if cfg.Merchant.Name == "" {
		cfg.Merchant.Name = "Demo shop"
	}
	return cfg, serial, err
}

func loopback(listen string) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil || !config.IsLoopback(host) {
		return fmt.Errorf("--listen %s: a loopback address such as 127.0.0.1:8080 is needed", listen)
	}
	return nil
}

// gateway decides which gateway is used, and starts the simulator if needed.
func (e *emulation) gateway(ctx context.Context, cfg *config.Config) (key string, simulated bool, base string,
	err error) {
	c, g := e.c, &cfg.Gateway
	if c.Gateway != "" {
		g.URL = c.Gateway
	}
	if g.SignKeyFile != "" {
		k, err := cfg.SignKey()
		if err != nil {
			return "", false, "", err
		}
		key = string(k)
	} else {
		key = simKey
	}
	for field, value := range map[*string]string{&g.MerchantID: simMerchant, &g.OperatorID: "0000000696",
		&g.CallBackURL: "https://example.com/ott/callback"} {
		if *field == "" {
			*field = value
		}
	}
	if g.URL == "" {
		if g.URL, err = e.simulate(ctx, simulator{merchant: g.MerchantID, key: key,
			currency: cfg.Merchant.Currency}); err != nil {
			return "", false, "", err
		}
	}
	base = strings.TrimSuffix(strings.TrimSuffix(g.URL, "/processV2"), "/")
	g.URL = base + "/processV2"
	// A gateway on loopback is a simulator: the real one never is.
	return key, strings.HasPrefix(base, "http://"), base, nil
}

// simulate starts the simulator inside and returns its address. The one that runs is taken if it is for the same
// merchant: it knows what the journal's orders became.
func (e *emulation) simulate(ctx context.Context, want simulator) (base string, err error) {
	if want.base = e.sim.base; want.base != "" && want == e.sim {
		return want.base, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("simulator: %w", err)
	}
	want.base = "http://" + l.Addr().String()
	sim := ottsim.New(ottsim.Config{MerchantID: want.merchant, SignKey: want.key, Seed: uint64(time.Now().UnixNano()),
		BaseURL: want.base, Currency: string(want.currency)})
	srv := httpd.New(ctx, l, sim, emulateBounds)
	go srv.Serve() //nolint:errcheck // it ends with the context
	context.AfterFunc(ctx, func() { srv.Close() })
	e.sim = want
	return want.base, nil
}

// exitStatus is an exit status without another message.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"payterm/board"
	"payterm/config"
	"payterm/hal"
	"payterm/terminal"
	"payterm/terminal/doctor"
	"payterm/terminal/setup"

	"github.com/coreos/go-systemd/v22/daemon"
)

// exitConfig is the exit status of a start that no restart can repair; systemd calls it CONFIG.
// It is not 2, the status of a Go panic.
const exitConfig exitStatus = 78

type runCmd struct {
	Config  string `help:"Configuration file." default:"/etc/payterm/payterm.toml" type:"path"`
	Trust   string `help:"File of the signers whose parcels are accepted." default:"/etc/payterm/signers" type:"path"`
	Verbose bool   `help:"Write a more detailed log."`
}

func (c runCmd) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	level := slog.LevelInfo
	if c.Verbose {
		level = slog.LevelDebug
	}
	log := newLog(level)
	// Read here, and hidden from programs that the agent may start.
	every, err := daemon.SdWatchdogEnabled(true)
	if err != nil {
		return fmt.Errorf("systemd's watchdog: %w", err)
	}
	notify := func(state string) error {
		_, err := daemon.SdNotify(false, state)
		return err
	}
	ports, err := hal.Host()
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, end := context.WithCancel(ctx)
	defer end()
	var asked atomic.Pointer[func(context.Context) (string, error)] // the status of the current terminal
	ready := sync.OnceValue(func() error {
		w := watch{notify: notify, every: every, log: log, ask: func(ctx context.Context) (string,
			error) {
			return (*asked.Load())(ctx)
		}}
		wg.Go(func() { w.run(ctx) })
		return nil
	})
	sticks := setup.NewSticks(setup.StickPatterns...)
	return lives(ctx, func(parcel string) (life, error) {
		l, err := c.load(log)
		if err != nil {
			if factory, wrong := c.damaged(); wrong == nil {
				log.Error("what was provisioned cannot be used: the terminal waits for a new parcel", "err", err)
				l, err = factory, nil
			}
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "payterm: %v\n", err)
			return nil, exitConfig
		}
		l.say(log)
		for _, p := range l.cfg.Unshown(l.profile.LettersOnly()) {
			log.Warn("the screens come in English", "err", p)
		}
		for _, p := range doctor.Signs(l.cfg, l.profile) {
			log.Warn("signs that come out as others", "err", p)
		}
		board := board.Open(l.profile, ports)
		missing := board.Absent()
		for _, device := range slices.Sorted(maps.Keys(missing)) {
			// Not fatal: without a device the agent still settles open orders.
			log.Error("a device of the board profile is not there", "device", device, "board", l.cfg.Terminal.Board,
				"err", missing[device])
		}
		o := terminal.Options{
			Config: l.cfg, Data: l.cfg.Terminal.DataDir, SignKey: string(l.key), Board: board, Sleep: hal.Sleep,
			RefundsNeedPIN: true, Built: buildTime(), Log: log, Ready: ready,
			Provisioner: newProvisioner(l.cfg.Terminal.DataDir, c.Config, c.Trust, log), Serial: l.serial,
			Passed: l.passed, Sticks: sticks,
		}
		keepCrashes(o.Data, log)
		ask := func(context.Context) (string, error) { return "", errors.New("it starts") }
		asked.Store(&ask)
		if l.fresh || parcel != "" {
			s, err := setup.New(o.Setup(), parcel)
			if err != nil {
				return nil, errors.Join(err, board.Close())
			}
			ask = func(ctx context.Context) (string, error) {
				return "not provisioned, waiting for a parcel", s.Alive(ctx)
			}
			return s, nil
		}
		a, err := terminal.NewTerminal(o)
		if err != nil {
			return nil, errors.Join(err, board.Close())
		}
		ask = func(ctx context.Context) (string, error) { return status(ctx, a, board) }
		return a, nil
	})
}

// loaded is the input of an agent's start.
type loaded struct {
	cfg     config.Config
	key     config.SignKey
	profile board.Profile
	serial  uint64 // of the configuration's parcel
	passed  uint64 // of a parcel that still waits
	fresh   bool   // the terminal is not provisioned
}

// say logs what starts, once for each start.
func (l loaded) say(log *slog.Logger) {
	if l.fresh {
		log.Info("payterm starts, and waits for a parcel", "version", version, "board", l.profile.Board)
		return
	}
	host := ""
	if u, err := url.Parse(l.cfg.Gateway.URL); err == nil {
		host = u.Host
	}
	log.Info("payterm starts", "version", version, "board", l.profile.Board, "terminal", l.cfg.Terminal.ID,
		"gateway", host, "parcel", l.serial)
}

// damaged handles a provisioned terminal that cannot read its parcel's files. On an image nobody
// could repair that, and systemd would not restart it: with a board of its own it waits for a
// parcel, as a new terminal does.
func (c runCmd) damaged() (l loaded, err error) {
	if l.cfg, _, err = config.InForce(c.Config, "", os.Environ()); err != nil {
		return l, err
	}
	if err := rootsOwn(l.cfg.Terminal.DataDir); err != nil {
		return l, err
	}
	if _, l.serial, err = config.Provisioned(l.cfg.Terminal.DataDir); err != nil || l.serial == 0 {
		return l, errors.Join(err, errors.New("it was never provisioned"))
	}
	if !l.cfg.HasBoard() {
		return l, errors.New("no configuration names the board")
	}
	l.fresh = true
	_, l.profile, err = boardOf(l.cfg)
	return l, err
}

// load reads all configuration, of a person or of a parcel.
func (c runCmd) load(log *slog.Logger) (l loaded, err error) {
	factory, _, err := config.InForce(c.Config, "", os.Environ())
	if err != nil {
		return l, err
	}
	if err := rootsOwn(factory.Terminal.DataDir); err != nil {
		return l, fmt.Errorf("%w: run this as that user", err)
	}
	l.passed = takeWaiting(factory.Terminal.DataDir, c.Config, log)
	if l.cfg, l.serial, err = config.InForce(c.Config, factory.Terminal.DataDir, os.Environ()); err != nil {
		return l, err
	}
	l.fresh = l.serial == 0 && l.cfg.Gateway.URL == "" && l.cfg.Gateway.MerchantID == ""
	if _, err := os.Stat(c.Config); errors.Is(err, fs.ErrNotExist) && !l.cfg.HasBoard() {
		return l, fmt.Errorf("configuration: %s: no such file, and no PAYTERM_TERMINAL_BOARD names a board profile", c.Config)
	}
	var missing []error
	for _, p := range l.cfg.Missing() {
		if !l.fresh || p.Key == "terminal.board" { // without a board there is no screen
			missing = append(missing, p)
		}
	}
	if err = errors.Join(missing...); err != nil {
		return l, err
	}
	if !l.fresh {
		if l.key, err = l.cfg.SignKey(); err != nil {
			return l, err
		}
	}
	_, l.profile, err = boardOf(l.cfg)
	return l, err
}

// status is the loop's state in one line, for systemctl status. An answer proves that the loop
// runs.
func status(ctx context.Context, a *terminal.Terminal, board *board.Board) (string, error) {
	s, err := a.Snapshot(ctx)
	if err != nil {
		return "", err
	}
	line := fmt.Sprintf("%s, network %s, paper %s, %d waiting for the network, %d in doubt", s.State, s.Status.Network,
		paperLine(s.Status.Paper), s.Status.Queue, s.Status.Doubts)
	if a.Training() {
		line = "in training: " + line
	}
	if s.Fault != "" {
		line += ", fault: " + s.Fault
	}
	if missing := slices.Sorted(maps.Keys(board.Absent())); len(missing) > 0 {
		line += ", without " + strings.Join(missing, " and ")
	}
	return line, nil
}

// statusEvery is how often systemd gets the status if it has no watchdog.
const statusEvery = 10 * time.Second

// watch tells systemd that the agent is alive while its loop answers. If the loop hangs, systemd
// kills and restarts the agent, which takes up what was committed.
type watch struct {
	notify func(state string) error
	ask    func(context.Context) (string, error) // the loop
	every  time.Duration                         // systemd's watchdog interval; 0: none
	log    *slog.Logger
}

// run sends READY=1 after the first answer, then repeats until the context ends.
func (w watch) run(ctx context.Context) {
	pause := statusEvery
	if w.every > 0 {
		pause = min(pause, w.every/3) // one answer may be late
	}
	tick := time.NewTicker(pause)
	defer tick.Stop()
	first := "READY=1\n"
	for {
		asking, stop := context.WithTimeoutCause(ctx, pause, errors.New("the loop does not answer"))
		line, err := w.ask(asking)
		stop()
		if err == nil {
			err = w.notify(first + "WATCHDOG=1\nSTATUS=" + line)
		}
		switch {
		case ctx.Err() != nil:
			w.notify("STOPPING=1\nSTATUS=closing the journal") //nolint:errcheck // it ends in any case
			return
		case err != nil:
			w.log.Warn("no sign of life to systemd", "err", err)
		default:
			first = ""
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"payterm/storage"
	"payterm/terminal/doctor"
	"payterm/update"
)

// updateCmd is for terminals with the image.
type updateCmd struct {
	Install updateInstallCmd `cmd:"" default:"withargs" help:"Install a bundle and restart, but never while an order is open."`
	Confirm updateConfirmCmd `cmd:"" help:"After a start: keep this version if it is healthy, otherwise return to the old one."`
	Ask     updateAskCmd     `cmd:"" hidden:"" help:"Commands that an update runs as the agent's user."`
}

func newUpdater(s store, dir string) update.Updater {
	return update.New(update.Machine{
		Agent: asker{s, thisProgram}, Dir: dir, Built: buildTime().Unix(), Form: int64(storage.Form()),
		Run: runTool, RootsOwn: rootsOwn, Synced: doctor.NetworkTime,
		Say: func(format string, args ...any) { fmt.Fprintf(os.Stderr, "payterm: "+format+"\n", args...) },
	})
}

// toolEnds is how long the children of a killed program may keep its output open.
const toolEnds = time.Second

// runTool runs a program and returns its standard output; an error has the last line of its
// standard error, where RAUC gives the reason.
func runTool(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // found in PATH, which the unit sets
	var stderr strings.Builder
	cmd.Stderr = &stderr
	cmd.WaitDelay = toolEnds
	out, err := cmd.Output()
	if err != nil {
		said := strings.TrimSpace(stderr.String())
		err = fmt.Errorf("%s %s: %w: %s", filepath.Base(name), args[0], err, said[strings.LastIndexByte(said, '\n')+1:])
	}
	return string(out), err
}

type updateInstallCmd struct {
	store
	Source    string `arg:"" optional:"" help:"Bundle: a file or an https address. Without one, the url in section [update] of the present configuration."`
	Config    string `help:"The agent's configuration file." default:"/etc/payterm/payterm.toml" type:"path"`
	Automatic bool   `help:"For the timer: an open order, or a version that is not newer, is not a failure."`
	NoRestart bool   `help:"Install without restarting."`
	State     string `help:"Directory of the updates' state." default:"/data/update" type:"path" hidden:""`
}

func (c updateInstallCmd) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := newUpdater(c.store, c.State).Install(ctx, update.Install{Source: c.Source, Configuration: c.Config,
		Automatic: c.Automatic, NoRestart: c.NoRestart, Done: c.done})
	if errors.Is(err, update.ErrNoAddress) || errors.Is(err, update.ErrNotHTTPS) {
		return usageError{err}
	}
	return err
}

func (c updateInstallCmd) done(m update.Manifest, restarts bool) error {
	return c.print(m, func() {
		after := "starts with the next restart"
		if restarts {
			after = "the terminal restarts"
		}
		fmt.Printf("version %s is installed; %s\n", m.Version, after)
	})
}

type updateConfirmCmd struct {
	store
	State string `help:"Directory of the updates' state." default:"/data/update" type:"path" hidden:""`
}

func (c updateConfirmCmd) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	found, err := newUpdater(c.store, c.State).Confirm(ctx)
	if err != nil {
		return err
	}
	return c.print(found, func() {
		if found.WasOnTrial {
			fmt.Printf("slot %s is healthy and good\n", found.Slot)
			return
		}
		fmt.Printf("slot %s is good\n", found.Slot)
	})
}

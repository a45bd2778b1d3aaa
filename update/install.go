package update

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"payterm/screen"
)

// Install is what to install.
type Install struct {
	Source        string // a file or an https address; "" for the one in the configuration
	Configuration string // the agent's file
	Automatic     bool   // an open order, or a version that is not newer, is not a failure
	NoRestart     bool
	// Done is called when a version is installed, before the board restarts.
	Done func(m Manifest, restarts bool) error
}

// Install installs a version and restarts, but never while an order is open.
func (u Updater) Install(ctx context.Context, c Install) error {
	let, err := u.lock()
	if err != nil {
		return err // the other one shows its own messages
	}
	defer let() //nolint:errcheck // nothing was written through it
	err = u.try(ctx, c)
	if c.Automatic && errors.Is(err, ErrNoAddress) {
		return nil // updates are not configured
	}
	if err != nil && u.slot != "" && !errors.Is(err, ErrNoAddress) {
		u.tell(context.WithoutCancel(ctx), screen.UpdateRefused, wordFor(err))
	}
	if c.Automatic && errors.Is(err, ErrOpen) {
		u.Say("no update now: %v", err)
		return nil
	}
	return err
}

func (u Updater) try(ctx context.Context, c Install) error {
	if u.slot == "" {
		return errors.New("update: this system is not payterm's image, which alone has a second slot: update by its own packages")
	}
	trial, pending, err := u.trial(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("update: %w", err)
	case trial == u.slot:
		return refuse(screen.OnTrial,
			errors.New("update: this version is on trial itself: wait until it is found healthy (systemctl status payterm-confirm)"))
	case trial != none && !pending: // a confirmation that was interrupted
		if err := u.fellBack(ctx, trial); err != nil {
			return err
		}
	}
	if err := u.free(ctx); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	if u.Built > time.Now().Unix() {
		return refuse(screen.ClockNotSet,
			errors.New("update: the clock is not set, and a signature has a date: connect the network"))
	}
	file, fetched, err := u.file(ctx, c)
	if err != nil || file == "" {
		return err
	}
	if fetched {
		defer os.Remove(file) //nolint:errcheck // a leftover only takes space
	}
	m, err := u.manifest(ctx, file)
	if err == nil {
		if err = m.fits(u.Built, u.Form); err == nil && u.board != "" && m.Compatible != u.board {
			err = refuse(screen.OtherBoard, fmt.Errorf("it is for %s, and this board is %s", m.Compatible, u.board))
		}
		if err != nil {
			u.settled()
		}
	}
	if err != nil {
		return fmt.Errorf("update: %s is refused: %w", filepath.Base(file), err)
	}
	if c.Automatic && (m.Build == strconv.FormatInt(u.Built, 10) || u.failed(m)) {
		u.settled()
		u.Say("no update: version %s runs already, or has failed here before", m.Version)
		if c.Source != "" { // somebody is there with a stick
			why := screen.SameVersion
			if u.failed(m) {
				why = screen.FailedBefore
			}
			u.tell(ctx, screen.UpdateRefused, why)
		}
		return nil
	}
	if pending {
		var waits Manifest
		if u.kept("trial.json", &waits) == nil && waits == m { // only the restart is missing
			return u.end(ctx, c, m)
		}
		// The slot must not be started until RAUC has rewritten it.
		if _, err := u.briefly(ctx, slots, "set-state", trial, "bad"); err != nil {
			return fmt.Errorf("update: %w", err)
		}
	}
	if err := u.keep("before.json", u.examine(ctx)); err != nil {
		return err
	}
	// Before RAUC starts: after a power cut it must be known which version is on trial.
	if err := u.keep("trial.json", m); err != nil {
		return err
	}
	u.tell(ctx, screen.UpdateInstalling, "")
	u.Say("installing version %s beside this one; sales go on meanwhile", m.Version)
	installing, stop := context.WithTimeout(ctx, installTime)
	defer stop()
	if _, err := u.Run(installing, "rauc", "install", file); err != nil {
		return fmt.Errorf("update: %s is refused, this version stays: %w", filepath.Base(file),
			because(installing, err))
	}
	return u.end(ctx, c, m)
}

// end is what follows an installation.
func (u Updater) end(ctx context.Context, c Install, m Manifest) error {
	u.tell(ctx, screen.UpdateWaiting, "")
	if c.NoRestart {
		return c.Done(m, false)
	}
	if err := u.rest(ctx, m); err != nil {
		return err
	}
	return errors.Join(c.Done(m, true), u.reboot(ctx))
}

// rest waits for the counter to be at rest, and blocks it. If it never is, the next restart starts the new
// version.
func (u Updater) rest(ctx context.Context, m Manifest) error {
	ctx, stop := context.WithTimeoutCause(ctx, counterTime,
		fmt.Errorf("version %s is installed and starts with the next restart", m.Version))
	defer stop()
	for told := ""; ; {
		err := u.claim(ctx)
		if err == nil {
			return nil
		}
		if why := err.Error(); why != told {
			u.Say("version %s is installed, and the restart waits: %s", m.Version, why)
			told = why
		}
		if err := u.sleep(ctx, healthPause); err != nil {
			return fmt.Errorf("update: %w", err)
		}
	}
}

// claim blocks the counter for a restart. It returns an error while an order is open.
func (u Updater) claim(ctx context.Context) error {
	if err := u.free(ctx); err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, askTime)
	defer stop()
	return u.Agent.Claim(ctx)
}

// free returns an error while an order is open.
func (u Updater) free(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, askTime)
	defer stop()
	return u.Agent.Free(ctx)
}

func (u Updater) reboot(ctx context.Context) error {
	_, err := u.briefly(ctx, "systemctl", "reboot")
	return err
}

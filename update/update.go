// Package update installs signed versions on the image and keeps the present one beside it
// (docs/decisions/0013-image.md): RAUC writes a version into the inactive slot, U-Boot starts it, and if
// it is not found healthy the old version comes back.
//
// RAUC checks signatures and writes slots; the image's slots program knows U-Boot's variables. What an
// update has to know of the terminal it asks through the interface Agent, because root updates and
// opens nothing that the terminal's user may have placed.
package update

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"payterm/internal/durable"
	"payterm/screen"
)

// Agent is the terminal's agent. Its answers are trusted no more than its user.
type Agent interface {
	// Free returns an error that wraps ErrOpen while an order is open.
	Free(ctx context.Context) error
	// Claim blocks the counter for a restart. It returns an error that wraps ErrOpen while somebody uses it.
	Claim(ctx context.Context) error
	// Examine returns for each check of the self test whether it did not fail.
	Examine(ctx context.Context) (map[string]bool, error)
	// Tell shows a notice on the terminal's screen.
	Tell(ctx context.Context, n screen.Notice, why screen.Refusal) error
	// Sold reports whether there is a journal.
	Sold(ctx context.Context) (bool, error)
	// Verify verifies the whole journal.
	Verify(ctx context.Context) error
	// Address returns the address of new versions in a configuration file, "" if it has none.
	Address(ctx context.Context, configuration string) (string, error)
}

// ErrOpen is why an update waits: an order is open.
var ErrOpen = errors.New("an order is open")

const (
	// HealthTime is the time for a new version to be found healthy.
	HealthTime = 10 * time.Minute

	installTime = 2 * time.Hour // for RAUC to write a slot on a slow card
	askTime     = time.Minute   // for the agent and for RAUC to answer a question
	counterTime = time.Hour     // for the counter to be at rest after an installation
	healthPause = 5 * time.Second
	goodTime    = 5 * time.Minute // for RAUC to mark it as good

	counterPauses = 24 // waits for the counter, in a version that is not healthy
)

// Machine is what an updater needs of its machine.
type Machine struct {
	Agent Agent
	Dir   string // survives a restart and belongs to no slot
	Built int64  // of this version, in seconds since 1970
	Form  int64  // of the journals that this version can read
	// Run runs a program and returns its standard output.
	Run func(ctx context.Context, name string, args ...string) (string, error)
	// Say tells the log how an update goes.
	Say func(format string, args ...any)
	// RootsOwn returns an error if somebody else than root may change a path.
	RootsOwn func(path string) error
	// Synced reports whether a time server sets the clock.
	Synced func() (bool, error)
}

// Updater updates one machine.
type Updater struct {
	Machine
	slot  string // the active one; "" if this is not the image
	board string // RAUC's name for compatible bundles

	sleep   func(context.Context, time.Duration) error
	space   func(dir string) (int64, error) // bytes
	stalled time.Duration                   // after this a silent server is given up
}

// New returns the updater of this machine. It reads the active slot from the kernel's command line and the
// board's name from RAUC's configuration.
func New(m Machine) Updater {
	line, _ := os.ReadFile("/proc/cmdline") // without a slot it is no image
	return Updater{Machine: m, slot: slotOf(string(line)), board: boardOf("/etc/rauc/system.conf"), sleep: pause,
		space: spaceIn, stalled: stalledTime}
}

// slotOf is the slot in the kernel's command line.
func slotOf(line string) string {
	for word := range strings.FieldsSeq(line) {
		if slot, is := strings.CutPrefix(word, "rauc.slot="); is {
			return slot
		}
	}
	return ""
}

// boardOf is the compatible string in RAUC's configuration, empty if there is none.
func boardOf(path string) string {
	text, _ := os.ReadFile(path) // then RAUC refuses what does not fit
	for line := range strings.Lines(string(text)) {
		if key, value, is := strings.Cut(strings.TrimSpace(line), "="); is && key == "compatible" {
			return value
		}
	}
	return ""
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

func (u Updater) briefly(ctx context.Context, name string, args ...string) (string, error) {
	ctx, stop := context.WithTimeout(ctx, askTime)
	defer stop()
	return u.Run(ctx, name, args...)
}

const slots = "/usr/lib/payterm/slots"

// lock prevents a second update, for example from a stick during the timer's: their notes about
// versions must not mix. The returned function unlocks.
func (u Updater) lock() (func() error, error) {
	if u.slot == "" {
		return func() error { return nil }, nil // it reports its own failures
	}
	if err := os.MkdirAll(u.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("update: %w", err)
	}
	if err := u.RootsOwn(u.Dir); err != nil {
		return nil, fmt.Errorf("update: %w", err)
	}
	f, err := durable.Lock(filepath.Join(u.Dir, "lock"))
	if errors.Is(err, durable.ErrLocked) {
		return nil, errors.New("update: another one is under way: try again when it is done")
	}
	if err != nil {
		return nil, fmt.Errorf("update: %w", err)
	}
	return f.Close, nil
}

// none is the answer if no slot is on trial.
const none = "none"

// trial is the slot that was installed and not found healthy yet, or none; pending if it was not
// started yet.
func (u Updater) trial(ctx context.Context) (slot string, pending bool, err error) {
	said, err := u.briefly(ctx, slots, "trial")
	if slot = strings.TrimSpace(said); err != nil || slot == none || slot == u.slot {
		return slot, false, err
	}
	next, err := u.briefly(ctx, slots, "get-primary")
	return slot, err == nil && strings.TrimSpace(next) == slot, nil // an error means that no slot has a try left
}

// fellBack records that the other slot's version failed, and which version it is, so that the
// timer does not install it again and again.
func (u Updater) fellBack(ctx context.Context, trial string) error {
	var m Manifest
	if u.kept("trial.json", &m) == nil {
		if err := u.keep("failed.json", m); err != nil {
			return err
		}
	}
	if _, err := u.briefly(ctx, slots, "set-state", trial, "bad"); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	u.Say("version %s in slot %s was not healthy: slot %s is back", m.Version, trial, u.slot)
	u.tell(ctx, screen.UpdateUndone, "")
	return nil
}

// keep writes a small file atomically.
func (u Updater) keep(name string, v any) error {
	text, err := json.Marshal(v)
	if err == nil {
		err = os.MkdirAll(u.Dir, 0o700)
	}
	if err == nil {
		err = durable.Replace(filepath.Join(u.Dir, name), text)
	}
	if err != nil {
		return fmt.Errorf("update: keep %s: %w", name, err)
	}
	return nil
}

func (u Updater) kept(name string, v any) error {
	text, err := os.ReadFile(filepath.Join(u.Dir, name))
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}

// failed reports whether this version was the last one that failed. A later build of the same
// version is another one.
func (u Updater) failed(m Manifest) bool {
	var last Manifest
	return u.kept("failed.json", &last) == nil && last.Version == m.Version && last.Build == m.Build
}

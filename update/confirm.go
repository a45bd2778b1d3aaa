package update

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"payterm/screen"
)

// Confirm tells U-Boot that this slot is good. Only a version on trial is examined: a good
// version stays good if its display breaks, since the other slot would not help.
func (u Updater) Confirm(ctx context.Context) (Confirmed, error) {
	if u.slot == "" { // an image without its slot must not pass
		return Confirmed{}, errors.New("update: this system is not payterm's image: there is nothing to confirm")
	}
	trial, pending, err := u.trial(ctx)
	if err != nil {
		return Confirmed{}, fmt.Errorf("update: %w", err)
	}
	os.Remove(u.fetched()) //nolint:errcheck // of an interrupted installation
	if trial == u.slot {
		return u.prove(ctx)
	}
	fell := trial != none && !pending
	if fell {
		if err := u.fellBack(ctx, trial); err != nil {
			return Confirmed{}, err
		}
	}
	if err := u.good(ctx); err != nil {
		return Confirmed{}, fmt.Errorf("update: %w", err)
	}
	return Confirmed{Slot: u.slot, Good: true, FellBack: &fell}, nil
}

// Confirmed is what a confirmation found.
type Confirmed struct {
	Slot       string `json:"slot"`
	Good       bool   `json:"good"`
	FellBack   *bool  `json:"fell_back,omitempty"` // not set for a version that was on trial
	WasOnTrial bool   `json:"was_on_trial,omitempty"`
}

// prove waits until a version on trial is as healthy as the previous one, with its whole journal
// verified, and otherwise restarts the board: U-Boot counts the tries.
func (u Updater) prove(ctx context.Context) (Confirmed, error) {
	var before health
	if err := u.kept("before.json", &before); err != nil {
		u.Say("nothing is known of the version before: %v", err)
	}
	asking, stop := context.WithTimeout(ctx, askTime)
	sold, err := u.Agent.Sold(asking)
	stop()
	if err != nil {
		u.Say("whether there is a journal is not known: %v", err)
	}
	if sold || err != nil {
		before.demand("journal", "records")
	}
	proving, stop := context.WithTimeoutCause(ctx, HealthTime, fmt.Errorf("not within %s", HealthTime))
	defer stop()
	var lost []string
	for {
		if lost = u.examine(proving).worse(before); len(lost) == 0 {
			break
		}
		if err := u.sleep(proving, healthPause); err != nil {
			return Confirmed{}, u.back(ctx, fmt.Errorf("%s: %w", strings.Join(lost, ", "), err))
		}
	}
	if err := u.Agent.Verify(proving); err != nil {
		return Confirmed{}, u.back(ctx, err)
	}
	if err := u.good(ctx); err != nil {
		return Confirmed{}, fmt.Errorf("update: %w", err)
	}
	var m Manifest
	if err := u.kept("trial.json", &m); err != nil {
		u.Say("which version this is: %v", err)
	}
	u.Say("version %s in slot %s is healthy and stays", m.Version, u.slot)
	u.tell(ctx, screen.UpdateDone, "")
	return Confirmed{Slot: u.slot, Good: true, WasOnTrial: true}, nil
}

// good marks this slot as good. RAUC's client gives up a D-Bus call after 25 s, and just after
// the start of a slow board the first call takes longer: it starts the service and asks for the
// slots three times. The service continues after such a call, so the next one is faster, and a
// healthy version must not fall back because of that. One attempt has no shorter limit than
// RAUC's own, so that it can succeed.
func (u Updater) good(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, goodTime)
	defer stop()
	for {
		_, err := u.Run(ctx, "rauc", "status", "mark-good")
		if err == nil {
			return nil
		}
		u.Say("not noted as good yet: %v", err)
		if u.sleep(ctx, healthPause) != nil {
			return err
		}
	}
}

func (u Updater) back(ctx context.Context, why error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("update: stopped before this version was judged: %w", why)
	}
	u.Say("this version is not healthy: %v; the board restarts", why)
	for range counterPauses { // a customer comes first, within limits
		if err := u.claim(ctx); !errors.Is(err, ErrOpen) {
			break
		}
		if u.sleep(ctx, healthPause) != nil {
			break
		}
	}
	return errors.Join(fmt.Errorf("update: this version is not healthy: %w", why), u.reboot(ctx))
}

package signal_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/drivers/signal"
	"payterm/hal/haltest"
)

var sounds = []payterm.Sound{
	payterm.SoundKey, payterm.SoundScan, payterm.SoundApproved, payterm.SoundDeclined, payterm.SoundDoubt,
	payterm.SoundAlarm,
}

// TestPatterns: each sound differs from the others, is at most a second and a half long, and ends
// in silence.
func TestPatterns(t *testing.T) {
	var heard []string
	for _, s := range append(sounds, "no such sound") {
		var bus haltest.Bus
		var total time.Duration
		var pattern []string
		b, err := signal.NewBuzzer(bus.Pin("buzzer"), func(d time.Duration) {
			total += d
			lines := strings.Fields(bus.String())
			pattern = append(pattern, fmt.Sprint(lines[len(lines)-1], d))
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Play(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(bus.String(), "buzzer low\n") || total > 1500*time.Millisecond {
			t.Errorf("%s: %s, %q", s, total, bus.String())
		}
		if p := strings.Join(pattern, " "); slices.Contains(heard, p) {
			t.Errorf("%s sounds like another: %s", s, p)
		} else {
			heard = append(heard, p)
		}
	}
}

func TestBuzzerEndsWithItsContext(t *testing.T) {
	var bus haltest.Bus
	ctx, stop := context.WithCancel(t.Context())
	b, err := signal.NewBuzzer(bus.Pin("buzzer"), func(time.Duration) { stop() })
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Play(ctx, payterm.SoundAlarm); err != nil {
		t.Fatal(err)
	}
	if got, want := bus.String(), "buzzer low\nbuzzer high\nbuzzer low\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBuzzerFails(t *testing.T) {
	broken := errors.New("broken")
	for k := range 4 {
		n := 0
		bus := haltest.Bus{Fail: func(string) error {
			if n++; n-1 == k {
				return broken
			}
			return nil
		}}
		b, err := signal.NewBuzzer(bus.Pin("buzzer"), func(time.Duration) {})
		if err == nil {
			err = b.Play(t.Context(), payterm.SoundApproved)
		}
		if !errors.Is(err, broken) {
			t.Errorf("failure %d: %v", k, err)
		}
	}
}

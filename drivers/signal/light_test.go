package signal_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/drivers/signal"
	"payterm/hal/haltest"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
)

// channel records how it is driven.
type channel struct {
	gpio.PinIO
	log  []string
	fail error
}

func (c *channel) Out(l gpio.Level) error {
	c.log = append(c.log, l.String())
	return c.fail
}

func (c *channel) PWM(d gpio.Duty, f physic.Frequency) error {
	c.log = append(c.log, fmt.Sprint((int64(d)*100+int64(gpio.DutyHalf))/int64(gpio.DutyMax), "% ", f))
	return c.fail
}

// took returns what was recorded since the last call.
func (c *channel) took() string {
	s := strings.Join(c.log, ", ")
	c.log = nil
	return s
}

func TestDimmer(t *testing.T) {
	var c channel
	d := signal.NewDimmer(&c)
	for i, step := range []struct {
		do   func() error
		want string
	}{
		{func() error { return d.Dim(50) }, ""}, // still dark
		{func() error { return d.Out(gpio.High) }, "50% 1kHz"},
		{func() error { return d.Dim(50) }, ""},
		{func() error { return d.Dim(100) }, "100% 1kHz"},
		{func() error { return d.Dim(0) }, "1% 1kHz"}, // the minimum: dark is Out(Low)
		{func() error { return d.Out(gpio.Low) }, "0% 1kHz"},
		{func() error { return d.Dim(20) }, ""},
		{func() error { return d.Out(gpio.High) }, "20% 1kHz"},
	} {
		if err := step.do(); err != nil {
			t.Error(err)
		}
		if got := c.took(); got != step.want {
			t.Errorf("step %d: %q, want %q", i+1, got, step.want)
		}
	}
	c.fail = errors.New("broken")
	if err := d.Dim(100); !errors.Is(err, c.fail) {
		t.Errorf("a channel that fails: %v", err)
	}
	c.fail = nil
	c.took()
	if err := d.Dim(100); err != nil || c.took() != "100% 1kHz" {
		t.Error("what failed is not tried again")
	}
}

func TestLamps(t *testing.T) {
	var bus haltest.Bus
	lamps := signal.Lamps{Ready: bus.Pin("ready"), Approved: bus.Pin("approved"), Attention: bus.Pin("attention")}
	for _, c := range []struct {
		do   func() error
		want string
	}{
		{lamps.Dark, "ready low\napproved low\nattention low\n"},
		{func() error { return lamps.Show(payterm.Calm) }, "approved low\nattention low\nready high\n"},
		{func() error { return lamps.Show(payterm.Good) }, "ready low\nattention low\napproved high\n"},
		{func() error { return lamps.Show(payterm.Doubt) }, "ready low\napproved low\nattention high\n"},
		{func() error { return signal.Lamps{}.Show(payterm.Bad) }, "\n"},
		{func() error { return signal.Lamps{Ready: bus.Pin("ready")}.Show(payterm.Bad) }, "ready low\n"},
	} {
		bus.Clear()
		if err := c.do(); err != nil || strings.TrimPrefix(bus.String(), "\n") != strings.TrimPrefix(c.want, "\n") {
			t.Errorf("%v: %q, want %q", err, bus.String(), c.want)
		}
	}
	for _, broken := range []string{"ready low", "attention high"} {
		bus.Fail = func(what string) error {
			if what == broken {
				return errors.New("broken")
			}
			return nil
		}
		if err := lamps.Show(payterm.Bad); err == nil || !strings.HasPrefix(err.Error(), "signal: lamp: ") {
			t.Errorf("%s: %v", broken, err)
		}
	}
}

// TestPassiveBuzzer: a passive buzzer gets frequencies, and none at the end.
func TestPassiveBuzzer(t *testing.T) {
	var c channel
	b, err := signal.NewPassiveBuzzer(&c, func(time.Duration) {})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Play(t.Context(), payterm.SoundApproved); err != nil {
		t.Fatal(err)
	}
	if got, want := c.took(), "Low, 50% 2.093kHz, Low, 50% 3.136kHz, Low"; got != want {
		t.Errorf("heard %s, want %s", got, want)
	}
	c.fail = errors.New("broken")
	if err := b.Play(t.Context(), payterm.SoundKey); !errors.Is(err, c.fail) {
		t.Errorf("a channel that fails: %v", err)
	}
}

package hal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
)

// kernelPWM is a channel that refuses what the kernel's drivers/pwm refuses: a duty above the
// period, and running without a period.
type kernelPWM struct {
	period, duty, enable int64
	log                  []string
}

func (k *kernelPWM) write(attribute string, v int64) error {
	k.log = append(k.log, fmt.Sprint(attribute, " ", v))
	switch {
	case attribute == "period" && v >= k.duty && v > 0:
		k.period = v
	case attribute == "duty_cycle" && v <= k.period && k.period > 0:
		k.duty = v
	case attribute == "enable" && k.period > 0:
		k.enable = v
	default:
		return syscall.EINVAL
	}
	return nil
}

func TestPWMOrder(t *testing.T) {
	for _, before := range []kernelPWM{{}, {period: 100, duty: 100, enable: 1}, {period: 5_000_000, duty: 4_000_000}} {
		k := before
		p := &pwmChannel{PinIO: gpio.INVALID, name: "pwmchip0:0", duty: -1, write: k.write}
		for _, c := range []struct {
			do           func() error
			period, duty int64
		}{
			{func() error { return p.PWM(gpio.DutyHalf, 2*physic.KiloHertz) }, 500_000, 250_000},
			{func() error { return p.PWM(gpio.DutyHalf, 100*physic.Hertz) }, 10_000_000, 5_000_000},
			{func() error { return p.PWM(gpio.DutyMax, 4*physic.KiloHertz) }, 250_000, 250_000},
			{func() error { return p.Out(gpio.High) }, 1_000_000, 1_000_000},
			{func() error { return p.PWM(gpio.DutyMax/5, physic.KiloHertz) }, 1_000_000, 199_999},
			{func() error { return p.Out(gpio.Low) }, 1_000_000, 0},
		} {
			if err := c.do(); err != nil || k.period != c.period || k.duty != c.duty || k.enable != 1 {
				t.Errorf("from %+v: %v: %+v, want %d of %d", before, err, k, c.duty, c.period)
			}
		}
		n := len(k.log)
		if err := p.Out(gpio.Low); err != nil || len(k.log) != n {
			t.Errorf("the same again wrote %v (%v)", k.log[n:], err)
		}
		if err := errors.Join(p.PWM(gpio.DutyMax+1, physic.KiloHertz)); err == nil {
			t.Error("more than all of the time")
		}
		if err := p.PWM(gpio.DutyHalf, 0); err == nil {
			t.Error("no frequency")
		}
		// A driver that was reloaded has lost its settings.
		k = kernelPWM{}
		if err := p.PWM(gpio.DutyHalf, physic.KiloHertz); err == nil || !strings.Contains(err.Error(), "pwmchip0:0") {
			t.Errorf("a channel that is new: %v", err)
		}
		if err := p.PWM(gpio.DutyHalf, physic.KiloHertz); err != nil || k.duty != 500_000 || k.enable != 1 {
			t.Errorf("after that: %v, %+v", err, k)
		}
	}
}

// TestPWMFiles uses a directory as sysfs.
func TestPWMFiles(t *testing.T) {
	sys := t.TempDir()
	if p, err := openPWM(sys, "pwmchip0:1"); err == nil || !strings.Contains(err.Error(), "overlay") || p != nil {
		t.Errorf("no chip: %v", err)
	}
	chip := filepath.Join(sys, "pwmchip0")
	export := filepath.Join(chip, "export")
	if err := errors.Join(os.Mkdir(chip, 0o700), os.WriteFile(export, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	// The channel's files appear a moment after the export, as with a udev rule.
	made := make(chan error, 1)
	go func() {
		var asked []byte
		for end := time.Now().Add(5 * time.Second); string(asked) != "1" &&
			time.Now().Before(end); time.Sleep(time.Millisecond) {
			asked, _ = os.ReadFile(export)
		}
		dir := filepath.Join(chip, "pwm1")
		err := os.Mkdir(dir, 0o700)
		for _, name := range []string{"period", "duty_cycle", "enable"} {
			err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
		}
		made <- err
	}()
	p, err := openPWM(sys, "pwmchip0:1")
	if err := errors.Join(err, <-made); err != nil {
		t.Fatal(err)
	}
	if err := p.PWM(gpio.DutyHalf, physic.KiloHertz); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, name := range []string{"period", "duty_cycle", "enable"} {
		b, err := os.ReadFile(filepath.Join(chip, "pwm1", name))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(b))
	}
	if got[1] = strings.TrimPrefix(got[1], "0"); !slices.Equal(got, []string{"1000000", "500000", "1"}) {
		t.Errorf("wrote %q", got)
	}
}

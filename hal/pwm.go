package hal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
)

// pwmIdle is the frequency of a channel that is only switched on and off: too fast to be seen
// flickering, slow enough for the LED driver.
const pwmIdle = physic.KiloHertz

// pwmChannel is a channel of the kernel's PWM (Documentation/ABI/testing/ sysfs-class-pwm) as a
// pin with levels in between. periph's own PWM writes to the SoC's registers, and gpioioctl has
// none.
type pwmChannel struct {
	gpio.PinIO // the other methods of a pin, which do not work
	name       string
	write      func(attribute string, v int64) error

	mu           sync.Mutex
	period, duty int64 // ns, as last written; -1 if unknown
	on           bool
}

// openPWM opens a channel such as pwmchip0:1 below sys.
func openPWM(sys, name string) (*pwmChannel, error) {
	chip, channel, _ := strings.Cut(name, ":")
	dir := filepath.Join(sys, chip, "pwm"+channel)
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		if err := sysWrite(filepath.Join(sys, chip, "export"), channel); err != nil {
			return nil, fmt.Errorf("PWM channel %s: %w (is its driver or overlay loaded?)", name, err)
		}
	}
	if err := settle(dir); err != nil {
		return nil, fmt.Errorf("PWM channel %s: %w", name, err)
	}
	return &pwmChannel{PinIO: gpio.INVALID, name: name, duty: -1, write: func(attribute string, v int64) error {
		return sysWrite(filepath.Join(dir, attribute), strconv.FormatInt(v, 10))
	}}, nil
}

// settleTime is how long udev rules may take to change the owner of a channel that was just
// exported.
const settleTime = time.Second

func settle(dir string) error {
	for end := time.Now().Add(settleTime); ; time.Sleep(10 * time.Millisecond) {
		f, err := os.OpenFile(filepath.Join(dir, "enable"), os.O_WRONLY, 0)
		if err == nil {
			return f.Close()
		}
		if time.Now().After(end) {
			return err
		}
	}
}

func sysWrite(name, value string) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

func (p *pwmChannel) String() string { return p.name }

// Name implements gpio.PinIO.
func (p *pwmChannel) Name() string { return p.name }

// Out implements gpio.PinOut: on all the time, or never.
func (p *pwmChannel) Out(l gpio.Level) error {
	if l {
		return p.PWM(gpio.DutyMax, pwmIdle)
	}
	return p.PWM(0, pwmIdle)
}

// PWM implements gpio.PinOut.
func (p *pwmChannel) PWM(duty gpio.Duty, f physic.Frequency) error {
	if !duty.Valid() || f < physic.Hertz {
		return fmt.Errorf("PWM channel %s: duty %s at %s", p.name, duty, f)
	}
	period := f.Period().Nanoseconds()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.set(period, period*int64(duty)/int64(gpio.DutyMax)); err != nil {
		p.period, p.duty, p.on = 0, -1, false // the channel may have been removed and created again
		return fmt.Errorf("PWM channel %s: %w", p.name, err)
	}
	return nil
}

// set writes what differs. The kernel refuses a period below the duty, so the duty is set to 0
// first.
func (p *pwmChannel) set(period, duty int64) error {
	if period != p.period {
		if p.duty != 0 {
			if err := p.write("duty_cycle", 0); err != nil && p.duty > 0 {
				return err // some kernels refuse even that on a new channel without a period
			}
			p.duty = 0
		}
		if err := p.write("period", period); err != nil {
			return err
		}
		p.period = period
	}
	if duty != p.duty {
		if err := p.write("duty_cycle", duty); err != nil {
			return err
		}
		p.duty = duty
	}
	if p.on {
		return nil
	}
	p.on = true
	return p.write("enable", 1)
}

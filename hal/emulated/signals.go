package emulated

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
)

// signals records what lamps, buzzer and backlight were set to.
type signals struct {
	mu     sync.Mutex
	pulses map[string][]Pulse // by line or channel
}

// Pulse is the state of a line or PWM channel from a moment on.
type Pulse struct {
	At   time.Duration // in chip time
	Hz   int           // 0 on a line, and on a silent channel
	Duty float64       // 0 to 1
}

// maxPulses is how many of the newest pulses are kept of each.
const maxPulses = 1000

// signal adds a line, or a PWM channel, that is recorded.
func (b *Board) signal(name string, changed func(on bool)) {
	if name == "" {
		return
	}
	note := func(hz int, duty float64) {
		s := &b.signals
		s.mu.Lock()
		if s.pulses == nil {
			s.pulses = map[string][]Pulse{}
		}
		all := s.pulses[name]
		if len(all) == maxPulses {
			all = slices.Delete(all, 0, 1)
		}
		s.pulses[name] = append(all, Pulse{b.now(), hz, duty})
		s.mu.Unlock()
		changed(duty > 0)
	}
	if strings.HasPrefix(name, "pwmchip") {
		b.pins[name] = &pwmPin{pin: newPin(name), note: note}
		return
	}
	b.pins[name] = &outPin{pin: newPin(name), level: func(l gpio.Level) {
		if l {
			note(0, 1)
		} else {
			note(0, 0)
		}
	}}
}

// pwmPin is a channel of the kernel's PWM.
type pwmPin struct {
	pin
	note func(hz int, duty float64)
}

func (p *pwmPin) Out(l gpio.Level) error {
	if l {
		return p.PWM(gpio.DutyMax, physic.KiloHertz)
	}
	p.note(0, 0)
	return nil
}

// PWM implements gpio.PinOut.
func (p *pwmPin) PWM(duty gpio.Duty, f physic.Frequency) error {
	if !duty.Valid() || f <= 0 {
		return fmt.Errorf("emulated: duty %d at %s", duty, f)
	}
	p.note(int(f/physic.Hertz), float64(duty)/float64(gpio.DutyMax))
	return nil
}

// PWM implements hal.Ports.
func (b *Board) PWM(name string) (gpio.PinOut, error) {
	if p, ok := b.pins[name].(*pwmPin); ok {
		return p, nil
	}
	return nil, fmt.Errorf("emulated: nothing on PWM channel %s", name)
}

// Pulses are the states of a lamp, the buzzer or the backlight, by its line or channel, oldest
// first; the newest 1000.
func (b *Board) Pulses(name string) []Pulse {
	b.signals.mu.Lock()
	defer b.signals.mu.Unlock()
	return slices.Clone(b.signals.pulses[name])
}

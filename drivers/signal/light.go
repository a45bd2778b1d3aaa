package signal

import (
	"fmt"
	"sync"

	"payterm"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
)

// Lamps are what a screen's tone is repeated with: Ready while nothing is wrong and
// nothing is paid yet, Approved, and Attention for what was declined or is in doubt.
// Each may be nil.
type Lamps struct{ Ready, Approved, Attention gpio.PinOut }

// Show lights the lamp of a tone and puts the others out, those first: two that burn
// together would say nothing.
func (l Lamps) Show(tone payterm.Tone) error {
	var lit gpio.PinOut
	switch tone {
	case payterm.Calm, payterm.Busy:
		lit = l.Ready
	case payterm.Good:
		lit = l.Approved
	case payterm.Bad, payterm.Doubt:
		lit = l.Attention
	}
	if err := l.dark(lit); err != nil || lit == nil {
		return err
	}
	if err := lit.Out(gpio.High); err != nil {
		return fmt.Errorf("signal: lamp: %w", err)
	}
	return nil
}

// Dark puts them all out.
func (l Lamps) Dark() error { return l.dark(nil) }

func (l Lamps) dark(but gpio.PinOut) error {
	for _, pin := range []gpio.PinOut{l.Ready, l.Approved, l.Attention} {
		if pin == nil || pin == but {
			continue
		}
		if err := pin.Out(gpio.Low); err != nil {
			return fmt.Errorf("signal: lamp: %w", err)
		}
	}
	return nil
}

// flicker is the frequency of a dimmed backlight: above what an eye sees, below what
// LED drivers cannot follow.
const flicker = physic.KiloHertz

// Dimmer is a backlight on a PWM channel. A display's driver switches it as any line;
// how bright it is when it is on is said here. Any goroutine may use it.
type Dimmer struct {
	gpio.PinOut
	mu    sync.Mutex
	on    bool
	level gpio.Duty
}

// NewDimmer makes a dimmer at full brightness and leaves the channel as it is until
// it is switched.
func NewDimmer(channel gpio.PinOut) *Dimmer { return &Dimmer{PinOut: channel, level: gpio.DutyMax} }

// Out switches the light.
func (d *Dimmer) Out(l gpio.Level) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.on = bool(l)
	return d.light()
}

// Dim sets how bright it is when it is on: 1 to 100 percent.
func (d *Dimmer) Dim(percent int) error {
	level := gpio.DutyMax * gpio.Duty(min(max(percent, 1), 100)) / 100
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.level
	if d.level = level; !d.on || level == before {
		return nil
	}
	if err := d.light(); err != nil {
		d.level = before // and is tried again
		return err
	}
	return nil
}

// light tells the channel. The lock is held.
func (d *Dimmer) light() error {
	level := d.level
	if !d.on {
		level = 0
	}
	if err := d.PinOut.PWM(level, flicker); err != nil {
		return fmt.Errorf("signal: backlight: %w", err)
	}
	return nil
}

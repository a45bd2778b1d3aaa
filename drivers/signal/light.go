package signal

import (
	"fmt"
	"sync"

	"payterm"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
)

// Lamps repeat the screen's tone: Ready while nothing is wrong or paid, Approved, and Attention
// for declined or in doubt. Each may be nil.
type Lamps struct{ Ready, Approved, Attention gpio.PinOut }

// Show lights the lamp of a tone, after the others are off: two lit lamps would be ambiguous.
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

// Dark switches all lamps off.
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

// flicker is the frequency of a dimmed backlight: too fast to be seen, slow enough for LED
// drivers.
const flicker = physic.KiloHertz

// Dimmer is a backlight on a PWM channel. The display's driver switches it like any line; Dim
// sets its brightness while it is on. Safe for concurrent use.
type Dimmer struct {
	gpio.PinOut
	mu    sync.Mutex
	on    bool
	level gpio.Duty
}

// NewDimmer makes a dimmer at full brightness. The channel is not touched before it is switched.
func NewDimmer(channel gpio.PinOut) *Dimmer { return &Dimmer{PinOut: channel, level: gpio.DutyMax} }

// Out switches the light.
func (d *Dimmer) Out(l gpio.Level) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.on = bool(l)
	return d.light()
}

// Dim sets the brightness while it is on: 1 to 100 percent.
func (d *Dimmer) Dim(percent int) error {
	level := gpio.DutyMax * gpio.Duty(min(max(percent, 1), 100)) / 100
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.level
	if d.level = level; !d.on || level == before {
		return nil
	}
	if err := d.light(); err != nil {
		d.level = before // so that it is tried again
		return err
	}
	return nil
}

// light sets the channel. The lock is held.
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

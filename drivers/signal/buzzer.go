// Package signal makes the terminal heard: a buzzer that can only be on or off,
// with patterns that are told apart without looking.
package signal

import (
	"context"
	"fmt"
	"time"

	"payterm"

	"periph.io/x/conn/v3/gpio"
)

// Buzzer sounds an active buzzer on one line.
type Buzzer struct {
	pin   gpio.PinOut
	sleep func(time.Duration)
}

// NewBuzzer makes a buzzer, silent.
func NewBuzzer(pin gpio.PinOut, sleep func(time.Duration)) (*Buzzer, error) {
	if err := pin.Out(gpio.Low); err != nil {
		return nil, fmt.Errorf("signal: buzzer: %w", err)
	}
	return &Buzzer{pin, sleep}, nil
}

// patterns are on and off in milliseconds, in turn, beginning with on. None
// lasts longer than a second and a half.
var patterns = map[payterm.Sound][]int{
	payterm.SoundKey:      {15},
	payterm.SoundScan:     {60},
	payterm.SoundApproved: {80, 60, 220},
	payterm.SoundDeclined: {350, 100, 350},
	payterm.SoundDoubt:    {120, 120, 120, 120, 120},
	payterm.SoundAlarm:    {200, 80, 200, 80, 200, 80, 200},
}

// Play sounds a pattern and returns when it is over or the context ends. The
// buzzer is silent afterwards.
func (b *Buzzer) Play(ctx context.Context, s payterm.Sound) error {
	on := true
	for _, ms := range patterns[s] {
		if ctx.Err() != nil {
			break
		}
		if err := b.pin.Out(gpio.Level(on)); err != nil {
			return fmt.Errorf("signal: buzzer: %w", err)
		}
		b.sleep(time.Duration(ms) * time.Millisecond)
		on = !on
	}
	if err := b.pin.Out(gpio.Low); err != nil {
		return fmt.Errorf("signal: buzzer: %w", err)
	}
	return nil
}

// Package signal drives a buzzer, lamps and the backlight of the display.
//
// They repeat what the screen shows and say nothing else: the lamps follow the screen's tone, and
// whoever cannot hear or see colours reads the screen.
package signal

import (
	"context"
	"fmt"
	"time"

	"payterm"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
)

// Buzzer is a buzzer on one line: active, with one pitch, or passive on a PWM channel, with any
// pitch.
type Buzzer struct {
	pin    gpio.PinOut
	voices bool
	sleep  func(time.Duration)
}

// NewBuzzer makes a silent active buzzer.
func NewBuzzer(pin gpio.PinOut, sleep func(time.Duration)) (*Buzzer, error) {
	return newBuzzer(pin, false, sleep)
}

// NewPassiveBuzzer makes a silent passive buzzer, which is driven with the frequency of its
// sound.
func NewPassiveBuzzer(pin gpio.PinOut, sleep func(time.Duration)) (*Buzzer, error) {
	return newBuzzer(pin, true, sleep)
}

func newBuzzer(pin gpio.PinOut, voices bool, sleep func(time.Duration)) (*Buzzer, error) {
	b := &Buzzer{pin, voices, sleep}
	return b, b.sound(0)
}

// note is a frequency in Hz, 0 for silence, and how long it lasts in milliseconds.
type note struct{ hz, ms int }

// patterns start with a sound. They differ by rhythm, for an active buzzer, which has one pitch.
// None is longer than a second and a half. Rising is good, falling is bad; small buzzers are
// loudest from 2 to 4 kHz.
var patterns = map[payterm.Sound][]note{
	payterm.SoundKey:      {{2400, 15}},
	payterm.SoundScan:     {{2800, 60}},
	payterm.SoundApproved: {{2093, 80}, {0, 60}, {3136, 220}},
	payterm.SoundDeclined: {{2349, 350}, {0, 100}, {1568, 350}},
	payterm.SoundDoubt:    {{2093, 120}, {0, 120}, {2637, 120}, {0, 120}, {2093, 120}},
	payterm.SoundAlarm:    {{3136, 200}, {0, 80}, {2349, 200}, {0, 80}, {3136, 200}, {0, 80}, {2349, 200}},
}

// Play plays a pattern until its end or the context's. The buzzer is silent afterwards.
func (b *Buzzer) Play(ctx context.Context, s payterm.Sound) error {
	for _, n := range patterns[s] {
		if ctx.Err() != nil {
			break
		}
		if err := b.sound(n.hz); err != nil {
			return err
		}
		b.sleep(time.Duration(n.ms) * time.Millisecond)
	}
	return b.sound(0)
}

func (b *Buzzer) sound(hz int) error {
	var err error
	if b.voices && hz > 0 {
		err = b.pin.PWM(gpio.DutyHalf, physic.Frequency(hz)*physic.Hertz)
	} else {
		err = b.pin.Out(hz > 0)
	}
	if err != nil {
		return fmt.Errorf("signal: buzzer: %w", err)
	}
	return nil
}

package devices

import (
	"context"
	"time"

	"payterm"
	"payterm/board"
	"payterm/drivers/signal"
)

func (s *Set) runBuzzer(ctx context.Context) {
	if s.o.Board.Buzzer == nil {
		return
	}
	made := signal.NewBuzzer
	if s.o.Board.Profile.Signal.Passive() {
		made = signal.NewPassiveBuzzer
	}
	b, err := made(s.o.Board.Buzzer, s.o.Sleep)
	if err != nil {
		s.o.Log.Warn("buzzer", "err", err)
		s.gaveUp(Buzzer, err)
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case sound := <-s.sounds:
			if err := b.Play(ctx, sound); err != nil {
				s.o.Log.Warn("buzzer", "err", err)
				s.met(Buzzer, err)
			}
		}
	}
}

// newDimmer puts a dimmer between the display's driver and a backlight that dims; nil where
// there is none.
func newDimmer(b *board.Board) *signal.Dimmer {
	if b.Display == nil || b.Display.Backlight == nil || b.Profile.Display.DimAfter.Duration == 0 {
		return nil
	}
	if d, dims := b.Display.Backlight.(*signal.Dimmer); dims {
		return d // of an earlier set on this board
	}
	d := signal.NewDimmer(b.Display.Backlight)
	b.Display.Backlight = d
	return d
}

// runLights repeats the screen's tone with the lamps, and dims the backlight while nobody
// touches the terminal.
func (s *Set) runLights(ctx context.Context) {
	var lamps signal.Lamps
	if l := s.o.Board.LEDs; l != nil {
		lamps = signal.Lamps{Ready: l.Ready, Approved: l.Approved, Attention: l.Attention}
	}
	done := func(err error) bool {
		if err != nil {
			s.o.Log.Warn("lights", "err", err)
		}
		return err == nil
	}
	done(lamps.Dark())
	var shown payterm.Screen
	idle := time.NewTimer(time.Hour)
	defer idle.Stop()
	idle.Stop()
	bright := func() {
		if s.dimmer != nil {
			done(s.dimmer.Dim(100))
			idle.Reset(s.o.Board.Profile.Display.DimAfter.Duration)
		}
	}
	lit := false // the lamp of shown's tone
	for {
		select {
		case <-ctx.Done():
			done(lamps.Dark())
			return
		case screen := <-s.tones:
			if screen.Name != shown.Name || screen.Tone != shown.Tone {
				bright()
			}
			if !lit || screen.Tone != shown.Tone {
				lit = done(lamps.Show(screen.Tone))
			}
			shown = screen
		case <-s.touched:
			bright()
		case <-idle.C:
			if !s.o.Owner.MayDim(ctx, shown) || !done(s.dimmer.Dim(s.o.Board.Profile.Display.DimTo)) {
				bright()
			}
		}
	}
}

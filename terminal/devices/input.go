package devices

import (
	"context"
	"time"

	"payterm"
	"payterm/board"
	"payterm/drivers/keypad"
	"payterm/drivers/scanner"
	"payterm/hal"
)

func (s *Set) runKeypad(ctx context.Context) {
	b := s.o.Board
	if b.Keypad == nil {
		return
	}
	press := func(k payterm.Key) {
		newest(s.touched, struct{}{})
		s.o.Owner.Press(k)
	}
	k := b.Profile.Keypad
	if b.Keypad.Events != nil {
		pad := keypad.NewPad(hal.NewKeys(b.Keypad.Events), k.Codes())
		for err := pad.Run(ctx, press); err != nil && s.again(ctx, Keypad, err); err = pad.Run(ctx, press) {
		}
		return
	}
	rows, columns := make([]keypad.Row, len(b.Keypad.Rows)), make([]keypad.Column, len(b.Keypad.Columns))
	for i, p := range b.Keypad.Rows {
		rows[i] = p
	}
	for i, p := range b.Keypad.Columns {
		columns[i] = p
	}
	o := keypad.Options{Interval: k.ScanInterval.Duration, Debounce: k.Debounce.Duration, Sleep: s.o.Sleep}
	for ctx.Err() == nil {
		m, err := keypad.New(rows, columns, k.Keys, o)
		if err == nil {
			s.keypad.Store(m)
			err = m.Run(ctx, press)
		}
		if err != nil && !s.again(ctx, Keypad, err) {
			return
		}
	}
}

func (s *Set) runScanner(ctx context.Context) {
	b := s.o.Board
	if b.Scanner == nil {
		return
	}
	p := b.Profile.Scanner
	var line scanner.Line = b.Scanner
	framing := scanner.Framing(p.Framing)
	if p.Kind == board.KindEvdev {
		line, framing = scanner.NewKeyboard(hal.NewKeys(b.Scanner)), scanner.CR
	}
	reader, err := scanner.New(line, scanner.Options{
		Framing: framing, Pause: p.Gap.Duration, AIM: p.AIM, MaxLength: s.o.MaxScan, Now: s.o.Owner.Lived,
	})
	if err != nil {
		s.o.Log.Error("scanner", "err", err)
		s.gaveUp(Scanner, err)
		return
	}
	for {
		scan, err := reader.Read(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			newest(s.rests, struct{}{})
			if !s.again(ctx, Scanner, err) {
				return
			}
		default:
			newest(s.rests, struct{}{})
			newest(s.touched, struct{}{})
			s.o.Owner.Scan(ctx, scan.Code, scan.Began)
		}
	}
}

// restTime is how long a scanner that is armed rests after it has read a code or was pulled:
// by then the flow has usually moved on.
const restTime = time.Second

// runTrigger tells a scanner that has commands for it when to look for a code.
func (s *Set) runTrigger(ctx context.Context) {
	b := s.o.Board
	if b.Scanner == nil || b.Profile.Scanner.TriggerStart == "" {
		return
	}
	p := b.Profile.Scanner
	start, stop, err := p.Trigger()
	if err != nil {
		s.o.Log.Error("scanner", "err", err)
		return
	}
	t := scanner.NewTrigger(b.Scanner, start, stop)
	armed, logged := false, ""
	later := time.NewTimer(time.Hour)
	defer later.Stop()
	later.Stop()
	for {
		select {
		case <-ctx.Done():
			if armed {
				t.Stop() //nolint:errcheck // there is nobody to tell any more
			}
			return
		case want := <-s.arming:
			if want == armed {
				continue
			}
			armed = want
		case <-s.rests:
			if armed {
				later.Reset(restTime)
			}
			continue
		case <-later.C:
		}
		later.Stop()
		tell := t.Stop
		if armed {
			tell = t.Start
		}
		switch err := tell(); {
		case err != nil:
			if logged != err.Error() { // a scanner that is away is so for each second of a sale
				logged = err.Error()
				s.o.Log.Warn("scanner", "err", err)
			}
			later.Reset(restTime)
			continue
		case armed && p.TriggerAgain.Duration > 0:
			later.Reset(p.TriggerAgain.Duration)
		}
		logged = ""
	}
}

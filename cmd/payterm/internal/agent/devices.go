package agent

import (
	"context"
	"errors"
	"time"

	"payterm"
	"payterm/drivers/keypad"
	"payterm/drivers/lcd"
	"payterm/drivers/printer"
	"payterm/drivers/scanner"
	"payterm/drivers/signal"
	"payterm/hal"
)

// again pauses before a device is tried again; false when the agent ends.
func (a *Agent) again(ctx context.Context, device string, err error) bool {
	a.o.Log.Warn("device", "device", device, "err", err)
	a.met(device, err)
	select {
	case <-ctx.Done():
		return false
	case <-time.After(time.Second):
		return true
	}
}

func (a *Agent) mono() time.Duration {
	mono, _ := a.clock.Now()
	return mono
}

// openDisplay makes the driver that the profile names; nil without a display.
func openDisplay(b *hal.Board, sleep func(time.Duration)) (lcd.Display, error) {
	if b.Display == nil {
		return nil, nil
	}
	p := b.Profile.Display
	w := lcd.Wires{Conn: b.Display.Conn, DC: b.Display.DC, Reset: b.Display.Reset, Backlight: b.Display.Backlight}
	if f := b.Display.Frame; f != nil {
		is := f.Format()
		w.Frame = lcd.Frame{Memory: f, Width: is.Width, Height: is.Height, Stride: is.Stride, Bits: is.Bits, Red: is.Red, Green: is.Green, Blue: is.Blue}
	}
	return lcd.Open(p.Controller, w, lcd.Options{
		Width: p.Width + p.Columns, Height: p.Height + p.Rows, OffsetX: p.OffsetX, OffsetY: p.OffsetY, Rotation: p.Rotation,
		MirrorX: p.MirrorX, MirrorY: p.MirrorY, Inverted: p.Inverted, BGR: p.BGR, Contrast: p.Contrast, Sleep: sleep,
	})
}

// pageTime is how long a page of a screen stands on a glass that is too small for
// all of it.
const pageTime = 2500 * time.Millisecond

func (a *Agent) runDisplay(ctx context.Context) {
	panel := a.display
	if panel == nil {
		return
	}
	refresh, page := time.NewTicker(30*time.Second), time.NewTicker(pageTime)
	defer refresh.Stop()
	defer page.Stop()
	var err error
	shown := ""
	for err == nil || a.again(ctx, "display", err) {
		if err = panel.Init(); err != nil {
			continue
		}
		for err == nil {
			select {
			case <-ctx.Done():
				return
			case <-refresh.C: // after a spark or a brown-out, of which nobody hears
				err = panel.Refresh()
			case done := <-a.retells:
				err = panel.Refresh()
				done <- err
			case <-page.C:
				err = panel.Turn()
			case s := <-a.screens:
				s = a.settled(ctx, s)
				if s.Name != shown {
					page.Reset(pageTime) // the first page of a screen stands as long as the others
					shown = s.Name
				}
				err = panel.Show(s)
				if errors.Is(err, lcd.ErrDoesNotFit) || errors.Is(err, lcd.ErrQRTooSmall) {
					a.o.Log.Warn("screen", "err", err)
					err = nil
				}
			}
		}
		a.redraw()
	}
}

func (a *Agent) redraw() {
	if a.isOpen() {
		a.runner.Redraw()
		return
	}
	a.Show(a.Screen())
}

// wireFirst is how long a screen waits before it is painted: what the same event
// puts on the wire goes first, on boards whose processor does one thing at a time,
// and of several screens in a row only the last is painted.
const wireFirst = 3 * time.Millisecond

// settled gives the newest screen after that pause.
func (a *Agent) settled(ctx context.Context, s payterm.Screen) payterm.Screen {
	select {
	case <-ctx.Done():
	case <-time.After(wireFirst):
	}
	select {
	case newer := <-a.screens:
		return newer
	default:
		return s
	}
}

func (a *Agent) runKeypad(ctx context.Context) {
	b := a.o.Board
	if b.Keypad == nil {
		return
	}
	k := b.Profile.Keypad
	rows, columns := make([]keypad.Row, len(b.Keypad.Rows)), make([]keypad.Column, len(b.Keypad.Columns))
	for i, p := range b.Keypad.Rows {
		rows[i] = p
	}
	for i, p := range b.Keypad.Columns {
		columns[i] = p
	}
	for ctx.Err() == nil {
		m, err := keypad.New(rows, columns, k.Keys, keypad.Options{Interval: k.ScanInterval.Duration, Debounce: k.Debounce.Duration, Sleep: a.o.Sleep})
		if err == nil {
			a.keypad.Store(m)
			err = m.Run(ctx, a.runner.Press)
		}
		if err != nil && !a.again(ctx, "keypad", err) {
			return
		}
	}
}

func (a *Agent) runScanner(ctx context.Context) {
	b := a.o.Board
	if b.Scanner == nil {
		return
	}
	s, err := scanner.New(b.Scanner, scanner.Options{Framing: scanner.Framing(b.Profile.Scanner.Framing), Now: a.mono})
	if err != nil {
		a.o.Log.Error("scanner", "err", err)
		a.gaveUp("scanner", err)
		return
	}
	for {
		scan, err := s.Read(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			if !a.again(ctx, "scanner", err) {
				return
			}
		default:
			a.runner.Scan(scan.Code, scan.Began)
		}
	}
}

// runPrinter prints what is queued. A slip that met a printer without paper
// before its first byte is tried again; one that broke off is not.
func (a *Agent) runPrinter(ctx context.Context) {
	b := a.o.Board
	if b.Printer == nil {
		return
	}
	p := b.Profile.Printer
	baud := p.Baud
	if p.Network != "" {
		baud = 10_000_000 // the network is never what the paper waits for
	}
	pr, err := printer.New(b.Printer, printer.Options{
		Columns: p.Columns, CodePage: p.CodePage, Cut: p.Cut, CutFeed: p.CutFeed, Status: p.Status,
		Baud: baud, Buffer: p.Buffer, Speed: p.Speed, Sleep: a.o.Sleep,
	})
	if err != nil {
		a.o.Log.Error("printer", "err", err)
		a.gaveUp("printer", err)
		return
	}
	condition := payterm.PaperUnknown
	tell := func(c payterm.PaperCondition) {
		if c != condition {
			condition = c
			a.runner.Paper(c)
		}
	}
	tell(pr.Condition(ctx))
	look := time.NewTicker(5 * time.Second)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			tell(pr.Condition(ctx))
		case done := <-a.asks:
			c := pr.Condition(ctx)
			tell(c)
			done <- c
		case slip := <-a.slips:
			for c := pr.Condition(ctx); c == payterm.PaperOut || c == payterm.PaperCoverOpen || c == payterm.PaperUnreachable; c = pr.Condition(ctx) {
				tell(c)
				if !a.again(ctx, "printer", errors.New(paperAdvice[c])) {
					return
				}
			}
			if a.overtaken(slip) {
				continue
			}
			if err := pr.Print(ctx, slip); err != nil {
				a.o.Log.Warn("slip", "slip", slip.Name, "err", err)
				a.met("printer", err)
			} else {
				a.slip.printed(slip)
			}
			tell(pr.Condition(ctx))
		}
	}
}

func (a *Agent) runBuzzer(ctx context.Context) {
	if a.o.Board.Buzzer == nil {
		return
	}
	b, err := signal.NewBuzzer(a.o.Board.Buzzer, a.o.Sleep)
	if err != nil {
		a.o.Log.Warn("buzzer", "err", err)
		a.gaveUp("buzzer", err)
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-a.sounds:
			if err := b.Play(ctx, s); err != nil {
				a.o.Log.Warn("buzzer", "err", err)
				a.met("buzzer", err)
			}
		}
	}
}

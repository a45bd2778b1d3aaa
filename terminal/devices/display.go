package devices

import (
	"context"
	"errors"
	"time"

	"payterm"
	"payterm/board"
	"payterm/drivers/lcd"
	"payterm/glass"
)

// OpenDisplay makes the driver that the profile names, with the layout for its glass; nil
// without a display.
func OpenDisplay(b *board.Board, sleep func(time.Duration)) (*glass.Display, error) {
	if b.Display == nil {
		return nil, nil
	}
	p := b.Profile.Display
	w := lcd.Wires{Conn: b.Display.Conn, DC: b.Display.DC, Reset: b.Display.Reset, Backlight: b.Display.Backlight}
	w.RS, w.Enable, w.Data = b.Display.RS, b.Display.Enable, b.Display.Data
	if f := b.Display.Frame; f != nil {
		is := f.Format()
		w.Frame = lcd.Frame{
			Memory: f, Width: is.Width, Height: is.Height, Stride: is.Stride, Bits: is.Bits,
			Red: is.Red, Green: is.Green, Blue: is.Blue,
		}
	}
	size := p.Size()
	driver, err := lcd.Open(p.Controller, w, lcd.Options{
		Width: size.Width, Height: size.Height, OffsetX: p.OffsetX, OffsetY: p.OffsetY, Rotation: p.Rotation,
		MirrorX: p.MirrorX, MirrorY: p.MirrorY, Inverted: p.Inverted, BGR: p.BGR, Contrast: p.Contrast,
		COMPins: p.COMPins, ROM: p.ROM, Sleep: sleep,
	})
	if err != nil {
		return nil, err
	}
	return glass.New(driver, size.Width, size.Height, p.Shows() == board.TwoColours)
}

// HasGlass tells whether there is a display that a driver was made for.
func (s *Set) HasGlass() bool { return s.display != nil }

// CanShow tells whether the display can show a QR code.
func (s *Set) CanShow(qr string) bool { return s.display != nil && s.display.CanShow(qr) }

// Glass says of the display that the profile names whether it shows letters only, and
// whether it is small.
func (s *Set) Glass() (lettersOnly, small bool) {
	p := s.o.Board.Profile
	if p.Display == nil {
		return false, false
	}
	lettersOnly = p.LettersOnly()
	return lettersOnly, lettersOnly || glass.Small(p.Display.Width, p.Display.Height)
}

// PageTime is how long a page of a screen stands on a glass that is too small for all of it.
const PageTime = 2500 * time.Millisecond

func (s *Set) runDisplay(ctx context.Context) {
	panel := s.display
	if panel == nil {
		return
	}
	refresh, page := time.NewTicker(s.o.Refresh), time.NewTicker(PageTime)
	defer refresh.Stop()
	defer page.Stop()
	var err error
	shown := ""
	show := func(screen payterm.Screen) error {
		screen = s.settled(ctx, screen)
		if screen.Name != shown {
			page.Reset(PageTime) // the first page of a screen stands as long as the others
			shown = screen.Name
		}
		err := panel.Show(screen)
		if errors.Is(err, glass.ErrDoesNotFit) || errors.Is(err, glass.ErrQRTooSmall) {
			s.o.Log.Warn("screen", "err", err)
			return nil
		}
		return err
	}
	for err == nil || s.again(ctx, Display, err) {
		if err = panel.Init(); err != nil {
			continue
		}
		for err == nil {
			select {
			case <-ctx.Done():
				return
			case <-refresh.C: // after a spark or a brown-out, which the panel does not report
				if err = panel.Refresh(); err == nil {
					s.works(Display)
				}
			case done := <-s.resends:
				select {
				case screen := <-s.screens: // the frame that is asked for is the newest screen's
					err = show(screen)
				default:
				}
				if err == nil {
					err = panel.Refresh()
				}
				done <- err
			case <-page.C:
				err = panel.Turn()
			case screen := <-s.screens:
				err = show(screen)
			}
		}
		s.o.Owner.Redraw()
	}
}

// wireFirst is how long a screen waits before it is painted: what the same event puts on the
// wire goes first, on boards whose processor does one thing at a time, and of several screens
// in a row only the last is painted.
const wireFirst = 3 * time.Millisecond

// settled gives the newest screen after that pause.
func (s *Set) settled(ctx context.Context, screen payterm.Screen) payterm.Screen {
	select {
	case <-ctx.Done():
	case <-time.After(wireFirst):
	}
	select {
	case newer := <-s.screens:
		return newer
	default:
		return screen
	}
}

// Answers is how long a device's goroutine may take to answer: a frame over a slow bus, two
// looks at a silent printer and a line that holds are over by then.
const Answers = 10 * time.Second

// Resend has the newest screen sent to the glass whole, and tells whether it went.
func (s *Set) Resend(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, Answers)
	defer cancel()
	done := make(chan error, 1)
	select {
	case s.resends <- done:
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
		}
	case <-ctx.Done():
	}
	return errors.New("its driver does not come round: restart payterm; where it stays so, check the bus")
}

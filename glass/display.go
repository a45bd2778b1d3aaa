package glass

import (
	"errors"
	"fmt"
	"image"

	"payterm"
	"payterm/unifont"
)

// Driver is the common part of all display drivers (drivers/lcd).
type Driver interface {
	// Init resets and initialises the display. The next frame is sent in full.
	Init() error
	// Refresh sends the settings and the whole frame again. Before the first frame it does nothing.
	Refresh() error
}

// Pixels is the driver of a display that takes pictures.
type Pixels interface {
	Driver
	Send(img *image.RGBA) error
}

// Characters is the driver of a display that takes rows of characters.
type Characters interface {
	Driver
	ROM() unifont.ROM // the display's
	Write(rows []string) error
}

// Display shows screens on a display. Only CanShow may be called by other goroutines than its own.
type Display struct {
	Driver
	layout layout
}

// layout is the layout of a picture or of characters, together with its driver.
type layout interface {
	show(s payterm.Screen) error
	turn() error
	canShow(qr string) bool
}

// New combines a driver of Pixels or of Characters with the layout for a display of this size, in pixels or in
// characters. mono is true for a pixel display with only two colours.
func New(d Driver, width, height int, mono bool) (*Display, error) {
	switch driver := d.(type) {
	case Pixels:
		p, err := NewPainter(width, height)
		if err != nil {
			return nil, err
		}
		p.mono = mono
		return &Display{d, picture{p, driver}}, nil
	case Characters:
		return &Display{d, text{NewRows(width, height, driver.ROM()), driver}}, nil
	}
	return nil, fmt.Errorf("glass: %T takes neither pictures nor characters", d)
}

// Show draws a screen and sends what changed. If texts do not fit (ErrDoesNotFit) or a QR code cannot be read
// (ErrQRTooSmall) it returns an error, but the frame is on the display.
func (d *Display) Show(s payterm.Screen) error { return d.layout.show(s) }

// Turn shows the next page of a screen that needs more than one page. A screen of one page stays.
func (d *Display) Turn() error { return d.layout.turn() }

// CanShow reports whether a QR code of this text can be read on the display. It is safe for concurrent use.
func (d *Display) CanShow(qr string) bool { return d.layout.canShow(qr) }

// picture is the layout of a pixel display.
type picture struct {
	painter *Painter
	driver  Pixels
}

func (p picture) show(s payterm.Screen) error {
	img, unfit := p.painter.Paint(s)
	return errors.Join(p.driver.Send(img), unfit)
}

func (p picture) turn() error {
	img, more := p.painter.Turn()
	if !more {
		return nil
	}
	return p.driver.Send(img)
}

func (p picture) canShow(qr string) bool { return p.painter.CanShow(qr) }

// text is the layout of a character display.
type text struct {
	rows   *Rows
	driver Characters
}

func (t text) show(s payterm.Screen) error {
	rows, unfit := t.rows.Set(s)
	if err := t.driver.Write(rows); err != nil {
		return err
	}
	return unfit
}

func (t text) turn() error {
	rows, more := t.rows.Turn()
	if !more {
		return nil
	}
	return t.driver.Write(rows)
}

func (t text) canShow(string) bool { return false }

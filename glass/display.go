package glass

import (
	"errors"
	"fmt"
	"image"

	"payterm"
)

// Driver is what the drivers of displays have in common (drivers/lcd).
type Driver interface {
	// Init resets the display and brings it up; the frame after it is sent whole.
	Init() error
	// Refresh sends the settings and the whole frame again. It does nothing before the
	// first frame.
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
	Write(rows []string) error
}

// Display shows screens on a display. It is used by one goroutine, but for CanShow.
type Display struct {
	Driver
	layout layout
}

// layout is that of a picture or of characters, on its driver.
type layout interface {
	show(s payterm.Screen) error
	turn() error
	canShow(qr string) bool
}

// New joins a driver of Pixels or of Characters with the layout for a glass of this
// size, in pixels or in characters. mono tells a glass of pixels that has two colours
// only.
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
		return &Display{d, text{NewRows(width, height), driver}}, nil
	}
	return nil, fmt.Errorf("glass: %T takes neither pictures nor characters", d)
}

// Show draws a screen and sends what changed. Words that do not fit (ErrDoesNotFit) or
// a code that cannot be read (ErrQRTooSmall) are errors, but the frame is on the glass.
func (d *Display) Show(s payterm.Screen) error { return d.layout.show(s) }

// Turn shows the next page of a screen with more words than the glass has room for at
// once; a screen of one page stays.
func (d *Display) Turn() error { return d.layout.turn() }

// CanShow tells whether a QR code of this text can be read on the glass. Any goroutine
// may ask.
func (d *Display) CanShow(qr string) bool { return d.layout.canShow(qr) }

// picture is the layout of a glass of pixels.
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

// text is the layout of a display of characters.
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

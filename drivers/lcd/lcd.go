package lcd

import (
	"errors"
	"fmt"
	"image"
	"time"

	"payterm"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/gpio"
)

// Display is a glass that shows screens. It is used by one goroutine.
type Display interface {
	// Init resets the display and brings it up; the frame after it is sent whole.
	Init() error
	// Show draws a screen and sends what changed. Words that do not fit
	// (ErrDoesNotFit) or a code that cannot be read (ErrQRTooSmall) are errors, but
	// the frame is on the glass.
	Show(s payterm.Screen) error
	// Turn shows the next page of a screen with more words than the glass has room
	// for at once; a screen of one page stays.
	Turn() error
	// Refresh says everything again that the display should know: its settings and
	// the whole frame. A healthy one shows no difference; one that lost its state to
	// a spark or a dip of its supply, of which nothing tells the driver, comes back.
	// It does nothing before the first frame.
	Refresh() error
	// CanShow tells whether a QR code of this text can be read on the glass. Any
	// goroutine may ask.
	CanShow(qr string) bool
}

// Wires are what a display hangs on.
type Wires struct {
	Conn                 conn.Conn // SPI, or the controller's address on I2C
	DC, Reset, Backlight gpio.PinOut
	Frame                Frame // of a frame buffer
}

// Options describe one display; displays with the same controller differ in all
// of them.
type Options struct {
	Width, Height    int // of the glass, as it is looked at: pixels, or characters of an HD44780
	OffsetX, OffsetY int // of the glass in the controller's RAM, after rotation
	Rotation         int // 0, 90, 180, 270 degrees
	MirrorX, MirrorY bool
	Inverted         bool // the glass shows the opposite, as most IPS panels do without INVON
	BGR              bool
	Contrast         int // of an SSD1306, 1 to 255
	Sleep            func(time.Duration)
}

// Open makes the driver of a controller: st7789, ili9341, ssd1306, hd44780 or
// fbdev.
func Open(controller string, w Wires, o Options) (Display, error) {
	var d Display
	var err error
	switch controller {
	case "st7789":
		d, err = NewST7789(w, o)
	case "ili9341":
		d, err = NewILI9341(w, o)
	case "ssd1306":
		d, err = NewSSD1306(w, o)
	case "hd44780":
		d, err = NewHD44780(w, o)
	case "fbdev":
		d, err = NewFrameBuffer(w, o)
	default:
		err = fmt.Errorf("lcd: there is no driver for %q", controller)
	}
	if err != nil {
		return nil, err // not d: a nil driver in an interface is not nil
	}
	return d, nil
}

// pixels is what all displays of pixels do with words.
type pixels struct {
	painter *Painter
	send    func(*image.RGBA) error
}

// Show is Display's.
func (p pixels) Show(s payterm.Screen) error {
	img, paintErr := p.painter.Paint(s)
	return errors.Join(p.send(img), paintErr)
}

// Turn is Display's.
func (p pixels) Turn() error {
	img, more := p.painter.Turn()
	if !more {
		return nil
	}
	return p.send(img)
}

// CanShow is Display's.
func (p pixels) CanShow(qr string) bool { return p.painter.CanShow(qr) }

// largest is the largest transfer that a connection takes: spidev's own limit,
// where it does not tell.
func largest(c conn.Conn) int {
	if l, ok := c.(conn.Limits); ok && l.MaxTxSize() > 0 {
		return l.MaxTxSize()
	}
	return 4096
}

// pulse resets a chip by its line.
func pulse(reset gpio.PinOut, sleep func(time.Duration)) error {
	for _, step := range []struct {
		level gpio.Level
		hold  time.Duration
	}{{gpio.High, time.Millisecond}, {gpio.Low, time.Millisecond}, {gpio.High, 120 * time.Millisecond}} {
		if err := reset.Out(step.level); err != nil {
			return err
		}
		sleep(step.hold)
	}
	return nil
}

// drive sets a line that may not be there.
func drive(p gpio.PinOut, l gpio.Level) error {
	if p == nil {
		return nil
	}
	return p.Out(l)
}

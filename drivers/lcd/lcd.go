// Package lcd drives display controllers of several families: colour panels with MIPI's
// commands, monochrome and grey OLEDs and LCDs, HD44780, and the kernel's frame buffer. It
// takes a picture or rows of characters and sends bytes. Open makes the driver that a
// profile names. Each driver keeps a copy of what its display shows and sends changes only.
//
// What a picture shows, and how words fit on it, is in package glass.
package lcd

import (
	"errors"
	"fmt"
	"time"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/gpio"
)

// Display is common to all displays. Pixel displays also have a method Send(*image.RGBA) error,
// character displays Write(rows []string) error. A display is used by one goroutine.
type Display interface {
	// Init resets and initialises the display; the next frame is sent completely.
	Init() error
	// Refresh sends the settings and the whole frame again. A working display does not change;
	// one that lost its state, by static discharge or a supply dip that the driver cannot notice,
	// works again. Before the first frame it does nothing.
	Refresh() error
}

// Wires connect a display.
type Wires struct {
	Conn                 conn.Conn // SPI, or the controller's address on I2C
	DC, Reset, Backlight gpio.PinOut
	Frame                Frame // of a frame buffer
	RS, Enable           gpio.PinOut
	Data                 []gpio.PinOut // of an HD44780 on lines, D4 first
}

// Options describe one display; displays with the same controller differ in all of them.
type Options struct {
	Width, Height    int // as it is viewed: pixels, or characters of an HD44780
	OffsetX, OffsetY int // of the glass in the controller's RAM, after rotation
	Rotation         int // 0, 90, 180, 270 degrees
	MirrorX, MirrorY bool
	Inverted         bool // the colours are inverted, as on most IPS panels without INVON
	BGR              bool
	Contrast         int    // of an SSD1306, 1 to 255
	COMPins          string // how an SSD1306's glass is connected (comPins); "" by its height
	ROM              string // of an HD44780: the data sheet's ROM code, A00 or A02; "" is A00
	Sleep            func(time.Duration)
}

// Open makes the driver of a controller, by its name in profiles.
func Open(controller string, w Wires, o Options) (Display, error) {
	var d Display
	var err error
	switch controller {
	case "st7789":
		d, err = NewST7789(w, o)
	case "ili9341":
		d, err = NewILI9341(w, o)
	case "st7735s":
		d, err = NewST7735S(w, o)
	case "st7796s":
		d, err = NewST7796S(w, o)
	case "ili9488":
		d, err = NewILI9488(w, o)
	case "ssd1306":
		d, err = NewSSD1306(w, o)
	case "ssd1309":
		d, err = NewSSD1309(w, o)
	case "sh1106":
		d, err = NewSH1106(w, o)
	case "sh1107":
		d, err = NewSH1107(w, o)
	case "uc1701":
		d, err = NewUC1701(w, o)
	case "st7567":
		d, err = NewST7567(w, o)
	case "ssd1327":
		d, err = NewSSD1327(w, o)
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

// wire is a connection with a largest transfer: what it reports, else spidev's default, or less
// if that is refused.
type wire struct {
	c    conn.Conn
	most int
}

func newWire(c conn.Conn) *wire {
	w := &wire{c, 4096}
	if l, ok := c.(conn.Limits); ok && l.MaxTxSize() > 0 {
		w.most = l.MaxTxSize()
	}
	return w
}

// limits are common limits of adapters.
var limits = []int{2048, 1024, 512, 255, 128, 64, 61, 32, 16, 8}

// send sends bytes in pieces that the connection takes, each after a head. A piece that is
// refused as too long has not reached the chip: it is sent again in smaller pieces, and so is all
// that follows.
func (w *wire) send(head, b []byte) error {
	for len(b) > 0 {
		n := min(len(b), w.most-len(head))
		err := w.c.Tx(append(head[:len(head):len(head)], b[:n]...), nil)
		var long interface{ TooLong() bool }
		switch {
		case err == nil:
			b = b[n:]
		case !errors.As(err, &long) || !long.TooLong() || !w.less(len(head)+n):
			return err
		}
	}
	return nil
}

// less lowers the limit below n bytes; false if it cannot.
func (w *wire) less(n int) bool {
	for _, limit := range limits {
		if limit < n {
			w.most = limit
			return true
		}
	}
	return false
}

// pulse resets a chip by its reset line.
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

// drive sets a line, which may be nil.
func drive(p gpio.PinOut, l gpio.Level) error {
	if p == nil {
		return nil
	}
	return p.Out(l)
}

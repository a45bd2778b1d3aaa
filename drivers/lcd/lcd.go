// Package lcd drives the controllers of displays, by families (colour panels with
// MIPI's commands, small glasses of dots, an OLED of greys, HD44780, the kernel's frame buffer): a picture or rows of
// characters in, bytes out. Open makes the driver that a profile names. Each keeps what
// its display shows and sends only what changed.
//
// What a picture shows, and how words fit on it, is left to package glass.
package lcd

import (
	"errors"
	"fmt"
	"time"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/gpio"
)

// Display is what the displays have in common. Those of pixels have a method
// Send(*image.RGBA) error besides, those of characters Write(rows []string) error. A
// display is used by one goroutine.
type Display interface {
	// Init resets the display and brings it up; the frame after it is sent whole.
	Init() error
	// Refresh sends the settings and the whole frame again. A display that works shows
	// no difference; one that lost its state to a discharge or to a dip of its supply,
	// which the driver cannot notice, works again. It does nothing before the first
	// frame.
	Refresh() error
}

// Wires are what a display hangs on.
type Wires struct {
	Conn                 conn.Conn // SPI, or the controller's address on I2C
	DC, Reset, Backlight gpio.PinOut
	Frame                Frame // of a frame buffer
	RS, Enable           gpio.PinOut
	Data                 []gpio.PinOut // of an HD44780 on lines, D4 first
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
	Contrast         int    // of an SSD1306, 1 to 255
	COMPins          string // how the rows of an SSD1306's glass are wired (COMPins); "" as its height has it
	Sleep            func(time.Duration)
}

// Open makes the driver of a controller, by the name that a profile has for it.
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

// wire is a connection that takes so many bytes at once: as it says, as spidev does where
// it says nothing, or as is found out.
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

// limits are those that adapters have, and less.
var limits = []int{2048, 1024, 512, 255, 128, 64, 61, 32, 16, 8}

// send sends bytes in pieces that the connection takes, each behind a head. A piece that is
// refused as too long has not reached the chip: it is sent again in smaller ones, and so is
// all that follows.
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

// less lowers the limit below n bytes, and false where it cannot.
func (w *wire) less(n int) bool {
	for _, limit := range limits {
		if limit < n {
			w.most = limit
			return true
		}
	}
	return false
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

// Package lcd drives the controllers of displays, one file each (ST7789 and ILI9341 on
// what they share, SSD1306, HD44780, the kernel's frame buffer): a picture or rows of
// characters in, bytes out. Open makes the driver that a profile names. Each keeps what
// its display shows and sends only what changed.
//
// What a picture shows, and how words fit on it, is left to package glass.
package lcd

import (
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

package emulated

import (
	"image"
	"image/color"
	"sync"
	"time"

	"payterm/board"
)

// byteGlass is the common part of controllers that take bytes from SPI or I2C: supply, reset line, and the
// framing of both buses. The meaning of the bytes is left to the chip.
type byteGlass struct {
	mu       sync.Mutex
	d        *board.Display
	report   report
	changed  func()
	now      func() time.Duration
	powered  bool
	held     bool
	heldAt   time.Duration
	needsRST bool // it has a reset line, and had no pulse since power-on
	resetLow time.Duration

	restart func() // to the state after a reset; the RAM keeps its content
	noise   func() // in the RAM, as after a supply that fell
	accept  func(data bool, b byte)
}

func (c *byteGlass) resetPin(high bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.held && high:
		if low := c.now() - c.heldAt; low < c.resetLow {
			c.report(ResetPulse, "the reset line was low for %s, %s are needed", low, c.resetLow)
		}
		c.held, c.needsRST = false, false
	case !c.held && !high:
		c.held, c.heldAt = true, c.now()
		c.restart()
	}
}

func (c *byteGlass) power(on bool) {
	c.mu.Lock()
	c.powered, c.needsRST = on, c.d.Reset != ""
	c.lose()
	c.mu.Unlock()
	c.changed()
}

func (c *byteGlass) dip() {
	c.mu.Lock()
	c.lose()
	c.mu.Unlock()
	c.changed()
}

// lose is the effect of a supply that fell too far.
func (c *byteGlass) lose() {
	c.restart()
	c.noise()
}

func (c *byteGlass) answers() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.powered && !c.held
}

// clock takes bytes from SPI.
func (c *byteGlass) clock(data bool, w []byte) {
	c.mu.Lock()
	defer c.changed()
	defer c.mu.Unlock()
	switch {
	case !c.powered:
	case c.held:
		c.report(HeldInReset, "%d bytes while the reset line is low", len(w))
	default:
		for _, b := range w {
			c.take(data, b)
		}
	}
}

// message takes the bytes after the address on I2C: a control byte tells what follows, one byte
// (Co set) or all the rest.
func (c *byteGlass) message(w []byte, _ func(int) time.Duration) {
	c.mu.Lock()
	defer c.changed()
	defer c.mu.Unlock()
	for len(w) > 0 {
		control := w[0]
		w = w[1:]
		if control&0x3f != 0 {
			c.report(BadArgument, "control byte %#02x", control)
			return
		}
		n := len(w)
		if control&0x80 != 0 {
			n = min(n, 1)
		}
		for _, b := range w[:n] {
			c.take(control&0x40 != 0, b)
		}
		w = w[n:]
	}
}

func (c *byteGlass) take(data bool, b byte) {
	if c.needsRST {
		c.report(NoReset, "byte %#02x after power-on, without a pulse of the reset line before it", b)
		c.needsRST = false // reported once
	}
	c.accept(data, b)
}

// picture is a glass as a person sees it, dot by dot.
func picture(d *board.Display, seen func(x, y int) color.RGBA) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, d.Width, d.Height))
	for y := range d.Height {
		for x := range d.Width {
			img.SetRGBA(x, y, seen(x, y))
		}
	}
	return img
}

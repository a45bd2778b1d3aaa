package emulated

import (
	"fmt"
	"image"
	"image/color"
	"sync"

	"payterm/hal"
)

// st7789 is the controller as its data sheet describes it: commands while D/C is
// low, parameters and pixels while it is high, a RAM of 240 by 320 with a window
// that is written left to right, top to bottom (general knowledge of the ST7789V
// data sheet).
type st7789 struct {
	mu             sync.Mutex
	d              *hal.Display
	violation      func(error)
	changed        func()
	ram            [320][240]uint16
	cmd            byte
	args           []byte
	awake, on, lit bool
	inverted       bool
	powered        bool
	held           bool // in reset
	madctl, colmod byte
	x0, x1, y0, y1 int
	x, y           int
	high           byte
	half           bool
}

func newST7789(d *hal.Display, violation func(error), changed func()) *st7789 {
	c := &st7789{d: d, violation: violation, changed: changed, powered: true}
	c.restart()
	c.lit = d.Backlight == ""
	return c
}

// restart is the state after power-on or reset; the RAM keeps its noise.
func (c *st7789) restart() {
	c.awake, c.on, c.inverted, c.half = false, false, false, false
	c.cmd, c.args, c.madctl, c.colmod = 0, nil, 0, 0x66
	c.x0, c.x1, c.y0, c.y1 = 0, 239, 0, 319
}

func (c *st7789) resetPin(high bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = !high
	if c.held {
		c.restart()
	}
}

func (c *st7789) light(on bool) {
	c.mu.Lock()
	c.lit = on
	c.mu.Unlock()
	c.changed()
}

func (c *st7789) power(on bool) {
	c.mu.Lock()
	c.powered = on
	c.restart()
	for y := range c.ram {
		for x := range c.ram[y] {
			c.ram[y][x] = uint16(x*7919 ^ y*104729) // the noise of a RAM that lost its power
		}
	}
	c.mu.Unlock()
	c.changed()
}

// clock takes bytes from the bus.
func (c *st7789) clock(data bool, w []byte) {
	c.mu.Lock()
	if c.powered && !c.held {
		for _, b := range w {
			if data {
				c.data(b)
			} else {
				c.command(b)
			}
		}
	}
	wrote := c.cmd == 0x2c && data
	c.mu.Unlock()
	if wrote {
		c.changed()
	}
}

func (c *st7789) command(b byte) {
	if need := parameters[c.cmd]; len(c.args) < need {
		c.violation(fmt.Errorf("st7789: command %#02x came after %d of %d parameters of %#02x", b, len(c.args), need, c.cmd))
	}
	c.cmd, c.args, c.half = b, c.args[:0], false
	switch b {
	case 0x01:
		c.restart()
		c.cmd = b
	case 0x10:
		c.awake = false
	case 0x11:
		c.awake = true
	case 0x20, 0x21:
		c.inverted = b == 0x21
	case 0x28, 0x29:
		c.on = b == 0x29
	case 0x2c:
		c.x, c.y = c.x0, c.y0
		if !c.awake {
			c.violation(fmt.Errorf("st7789: pixels for a panel that sleeps"))
		}
		if c.colmod&7 != 5 {
			c.violation(fmt.Errorf("st7789: pixels in format %#02x, 16 bits are emulated", c.colmod))
		}
	case 0x00, 0x13, 0x2a, 0x2b, 0x36, 0x3a:
	default:
		c.violation(fmt.Errorf("st7789: unknown command %#02x", b))
	}
}

var parameters = map[byte]int{0x2a: 4, 0x2b: 4, 0x36: 1, 0x3a: 1}

func (c *st7789) data(b byte) {
	if c.cmd == 0x2c {
		if c.half {
			c.pixel(uint16(c.high)<<8 | uint16(b))
		}
		c.high, c.half = b, !c.half
		return
	}
	c.args = append(c.args, b)
	need := parameters[c.cmd]
	switch {
	case len(c.args) > need:
		c.args = c.args[:need]
		c.violation(fmt.Errorf("st7789: too many parameters of %#02x", c.cmd))
	case len(c.args) < need:
	case c.cmd == 0x2a:
		c.x0, c.x1 = c.window()
	case c.cmd == 0x2b:
		c.y0, c.y1 = c.window()
	case c.cmd == 0x36:
		c.madctl = b
	case c.cmd == 0x3a:
		c.colmod = b
	}
}

func (c *st7789) window() (from, to int) {
	from, to = int(c.args[0])<<8|int(c.args[1]), int(c.args[2])<<8|int(c.args[3])
	limit := 239
	if (c.cmd == 0x2b) != (c.madctl&0x20 != 0) {
		limit = 319
	}
	if from > to || to > limit {
		c.violation(fmt.Errorf("st7789: window %d to %d of 0 to %d", from, to, limit))
		return 0, 0
	}
	return from, to
}

// pixel writes where MADCTL maps the window's position, and steps on.
func (c *st7789) pixel(v uint16) {
	col, row := c.x, c.y
	if c.madctl&0x20 != 0 {
		col, row = row, col
	}
	if c.madctl&0x40 != 0 {
		col = 239 - col
	}
	if c.madctl&0x80 != 0 {
		row = 319 - row
	}
	if row >= 0 && row < 320 && col >= 0 && col < 240 {
		c.ram[row][col] = v
	}
	if c.x++; c.x > c.x1 {
		c.x = c.x0
		if c.y++; c.y > c.y1 {
			c.y = c.y0
		}
	}
}

// frame is the glass as a person sees it whose board is mounted as the profile
// says.
func (c *st7789) frame() *image.RGBA {
	c.mu.Lock()
	defer c.mu.Unlock()
	img := image.NewRGBA(image.Rect(0, 0, c.d.Width, c.d.Height))
	for y := range c.d.Height {
		for x := range c.d.Width {
			img.SetRGBA(x, y, c.seen(x, y))
		}
	}
	return img
}

func (c *st7789) seen(x, y int) color.RGBA {
	dark := color.RGBA{0x10, 0x12, 0x14, 0xff}
	if !c.powered || !c.lit || !c.on || !c.awake {
		return dark
	}
	col, row := x+c.d.OffsetX, y+c.d.OffsetY
	// How the glass is mounted, not what the driver asked for.
	switch c.d.Rotation {
	case 90:
		col, row = 239-row, col
	case 180:
		col, row = 239-col, 319-row
	case 270:
		col, row = row, 319-col
	}
	if c.d.MirrorX {
		col = 239 - col
	}
	if c.d.MirrorY {
		row = 319 - row
	}
	v := c.ram[row][col]
	if c.inverted != c.d.Inverted { // an IPS glass shows true colours inverted
		v = ^v
	}
	r, g, b := uint8(v>>11)<<3, uint8(v>>5)<<2, uint8(v)<<3
	r, g, b = r|r>>5, g|g>>6, b|b>>5
	if (c.madctl&0x08 != 0) != c.d.BGR {
		r, b = b, r
	}
	return color.RGBA{r, g, b, 0xff}
}

package emulated

import (
	"image"
	"image/color"
	"strings"
	"sync"
	"time"

	"payterm/board"
)

// sheet is what differs between the data sheets of colour controllers.
type sheet struct {
	name          string
	maxClock      int64        // Hz, on SPI
	columns, rows int          // of its RAM
	formats       map[byte]int // bytes of a pixel on SPI, by the low bits of COLMOD
	parameters    map[byte]int // bytes of each command, besides those of common
	locked        string       // commands that need CSCON's two unlock bytes
}

// common are the MIPI commands that all of them have, and their parameters; RAMWR takes what its
// window holds.
var common = map[byte]int{
	0x00: 0, 0x01: 0, 0x10: 0, 0x11: 0, 0x13: 0, 0x20: 0, 0x21: 0, 0x28: 0, 0x29: 0, 0x2c: 0,
	0x2a: 4, 0x2b: 4, 0x36: 1, 0x3a: 1,
}

// sheets are those of the controllers that are emulated (from general knowledge of the data
// sheets: write cycles of 16 ns of the ST7789V, 100 of the ILI9341, 66 of the ST7735S and the
// ST7796S, 50 of the ILI9488, which takes 18 bits a pixel on SPI).
var sheets = map[string]sheet{
	"st7789": {name: "st7789", maxClock: 62_500_000, columns: 240, rows: 320, formats: map[byte]int{5: 2}},
	"ili9341": {
		name: "ili9341", maxClock: 10_000_000, columns: 240, rows: 320, formats: map[byte]int{5: 2},
		parameters: map[byte]int{
			0x26: 1, 0xb1: 2, 0xb4: 1, 0xb5: 4, 0xb6: 4, 0xb7: 1, 0xc0: 1, 0xc1: 1, 0xc5: 2, 0xc7: 1,
			0xe0: 15, 0xe1: 15,
		},
	},
	"st7735s": {
		name: "st7735s", maxClock: 15_151_515, columns: 132, rows: 162, formats: map[byte]int{5: 2, 6: 3},
		parameters: map[byte]int{
			0x26: 1, 0xb1: 3, 0xb2: 3, 0xb3: 6, 0xb4: 1, 0xc0: 3, 0xc1: 1, 0xc2: 2, 0xc3: 2, 0xc4: 2, 0xc5: 1,
			0xc7: 1, 0xe0: 16, 0xe1: 16,
		},
	},
	"st7796s": {
		name: "st7796s", maxClock: 15_151_515, columns: 320, rows: 480, formats: map[byte]int{5: 2, 6: 3},
		parameters: map[byte]int{
			0xb0: 1, 0xb1: 2, 0xb4: 1, 0xb5: 4, 0xb6: 3, 0xb7: 1, 0xc0: 2, 0xc1: 1, 0xc2: 1, 0xc5: 1, 0xe0: 14,
			0xe1: 14, 0xe8: 8, 0xf0: 1,
		},
		locked: "\xb0\xb1\xb4\xb5\xb6\xb7\xc0\xc1\xc2\xc5\xe0\xe1\xe8",
	},
	"ili9488": {
		name: "ili9488", maxClock: 20_000_000, columns: 320, rows: 480, formats: map[byte]int{6: 3},
		parameters: map[byte]int{
			0xb0: 1, 0xb1: 2, 0xb4: 1, 0xb5: 4, 0xb6: 3, 0xb7: 1, 0xc0: 2, 0xc1: 1, 0xc2: 1, 0xc5: 4, 0xe0: 15,
			0xe1: 15, 0xe9: 1, 0xf7: 4,
		},
	},
}

// tft is a colour controller as in its data sheet: commands while D/C is low, parameters and
// pixels while it is high, a RAM with a window that is written left to right, top to bottom. The
// emulated ones have that and their times in common.
type tft struct {
	mu             sync.Mutex
	sheet          sheet
	d              *board.Display
	report         report
	changed        func()
	now            func() time.Duration // the chip's time
	ram            []uint32             // by rows; red, green, blue from the 16th bit down
	cmd            byte
	begun          bool // cmd is a command, not the state after a reset
	args           []byte
	awake, on, lit bool
	inverted       bool
	powered        bool
	wasReset       bool // since power-on
	held           bool // in reset
	heldAt         time.Duration
	ready          time.Duration // for any command
	wakeable       time.Duration // for SLPOUT
	sleepable      time.Duration // for SLPIN
	madctl, colmod byte
	x0, x1, y0, y1 int
	x, y           int
	room           int    // pixels that the window still takes in this RAMWR
	rest           []byte // of a pixel that has begun
	open           []byte // CSCON bytes so far
}

// Times of the data sheet (chapters on reset timing, SWRESET, SLPIN, SLPOUT; from
// general knowledge).
const (
	resetLow    = 10 * time.Microsecond  // the shortest pulse
	resetReady  = 5 * time.Millisecond   // from any reset to a command
	resetWake   = 120 * time.Millisecond // from any reset to SLPOUT
	sleepReady  = 5 * time.Millisecond   // from SLPOUT or SLPIN to a command
	sleepToggle = 120 * time.Millisecond // between SLPOUT and SLPIN
)

func newTFT(sheet sheet, d *board.Display, now func() time.Duration, report report, changed func()) *tft {
	c := &tft{sheet: sheet, d: d, now: now, report: report, changed: changed, powered: true,
		ram: make([]uint32, sheet.columns*sheet.rows)}
	c.restart()
	c.lit = d.Backlight == ""
	return c
}

// restart is the state after power-on or reset; the RAM keeps its content.
func (c *tft) restart() {
	c.awake, c.on, c.inverted, c.begun = false, false, false, false
	c.cmd, c.args, c.madctl, c.colmod, c.rest, c.open = 0, nil, 0, 0x66, nil, nil
	c.x0, c.x1, c.y0, c.y1 = 0, c.sheet.columns-1, 0, c.sheet.rows-1
	now := c.now()
	c.ready, c.wakeable, c.sleepable = now+resetReady, now+resetWake, 0
}

func (c *tft) resetPin(high bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.held && high:
		if low := c.now() - c.heldAt; low < resetLow {
			c.report(ResetPulse, "the reset line was low for %s, %s are needed", low, resetLow)
		}
		c.held, c.wasReset = false, true
		c.restart()
	case !c.held && !high:
		c.held, c.heldAt = true, c.now()
		c.restart()
	}
}

func (c *tft) light(on bool) {
	c.mu.Lock()
	c.lit = on
	c.mu.Unlock()
	c.changed()
}

// power switches the supply. A RAM without power becomes noise.
func (c *tft) power(on bool) {
	c.mu.Lock()
	c.powered, c.wasReset = on, false
	c.restart()
	c.noise()
	c.mu.Unlock()
	c.changed()
}

// dip is a supply that fell so far that the chip reset itself, while the reset line stayed high.
func (c *tft) dip() {
	c.mu.Lock()
	c.wasReset = true
	c.restart()
	c.noise()
	c.mu.Unlock()
	c.changed()
}

func (c *tft) noise() {
	for i := range c.ram {
		x, y := i%c.sheet.columns, i/c.sheet.columns
		c.ram[i] = rgb565(uint16(x*7919 ^ y*104729))
	}
}

// clock takes bytes from the bus.
func (c *tft) clock(data bool, w []byte) {
	c.mu.Lock()
	if c.powered && c.held {
		c.report(HeldInReset, "%d bytes while the reset line is low", len(w))
	}
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

func (c *tft) command(b byte) {
	now := c.now()
	// SWRESET ends an interrupted command
	if need, _ := c.needs(c.cmd); len(c.args) < need && b != 0x01 {
		c.report(ParameterCount, "command %#02x came after %d of %d parameters of %#02x", b, len(c.args), need, c.cmd)
	}
	if len(c.rest) > 0 {
		c.report(HalfPixel, "command %#02x came between the bytes of a pixel", b)
	}
	if !c.wasReset && b != 0x01 {
		c.report(NoReset, "command %#02x after power-on, without a reset before it", b)
		c.wasReset = true // reported once
	}
	c.early(b, "any command", c.ready)
	c.cmd, c.begun, c.args, c.rest = b, true, c.args[:0], c.rest[:0]
	switch b {
	case 0x01:
		c.early(b, "SWRESET", c.sleepable)
		c.restart()
		c.wasReset = true
	case 0x10:
		c.early(b, "SLPIN", c.sleepable)
		c.awake, c.ready, c.wakeable = false, now+sleepReady, now+sleepToggle
	case 0x11:
		c.early(b, "SLPOUT", c.wakeable)
		if !c.awake { // it has no effect on an awake chip
			c.sleepable = now + sleepToggle
		}
		c.awake, c.ready = true, now+sleepReady
	case 0x20, 0x21:
		c.inverted = b == 0x21
	case 0x28, 0x29:
		c.on = b == 0x29
	case 0x2c:
		c.startPixels()
	}
	if _, known := c.needs(b); !known {
		c.report(UnknownCommand, "command %#02x", b)
	}
	if strings.IndexByte(c.sheet.locked, b) >= 0 && string(c.open) != "\xc3\x96" {
		c.report(UnknownCommand, "command %#02x while CSCON keeps it shut", b)
	}
}

// needs is the number of a command's parameters, and whether the command exists.
func (c *tft) needs(cmd byte) (int, bool) {
	if n, own := c.sheet.parameters[cmd]; own {
		return n, true
	}
	n, known := common[cmd]
	return n, known
}

// early reports a command that came too soon.
func (c *tft) early(b byte, what string, due time.Duration) {
	if now := c.now(); now < due {
		c.report(TooSoon, "command %#02x: %s must wait for another %s", b, what, due-now)
	}
}

func (c *tft) startPixels() {
	c.x, c.y = c.x0, c.y0
	c.room = (c.x1 - c.x0 + 1) * (c.y1 - c.y0 + 1)
	if !c.awake {
		c.report(Asleep, "pixels for a panel that sleeps")
	}
	if c.sheet.formats[c.colmod&7] == 0 {
		c.report(PixelFormat, "pixels in format %#02x, which it does not take on SPI", c.colmod)
	}
}

func (c *tft) data(b byte) {
	if c.cmd == 0x2c && c.begun {
		if c.rest = append(c.rest, b); len(c.rest) < max(c.sheet.formats[c.colmod&7], 2) {
			return
		}
		if p := c.rest; len(p) == 3 { // six bits of each
			c.pixel(rgb666(p[0], p[1], p[2]))
		} else {
			c.pixel(rgb565(uint16(p[0])<<8 | uint16(p[1])))
		}
		c.rest = c.rest[:0]
		return
	}
	need, _ := c.needs(c.cmd)
	switch {
	case !c.begun:
		c.report(DataCommand, "data %#02x before any command", b)
		return
	case len(c.args) >= need:
		c.report(ParameterCount, "more than %d parameters of %#02x", need, c.cmd)
		return
	}
	if c.args = append(c.args, b); len(c.args) < need {
		return
	}
	switch c.cmd {
	case 0x2a:
		c.window(&c.x0, &c.x1, c.madctl&0x20 != 0)
	case 0x2b:
		c.window(&c.y0, &c.y1, c.madctl&0x20 == 0)
	case 0x36:
		c.madctl = b
	case 0x3a:
		c.colmod = b
	case 0xf0:
		if b == 0x3c || b == 0x69 {
			c.open = nil
		} else {
			c.open = append(c.open, b)
		}
	}
}

// rgb565 and rgb666 widen colours to eight bits each.
func rgb565(v uint16) uint32 {
	r, g, b := uint32(v>>11&31), uint32(v>>5&63), uint32(v&31)
	return (r<<3|r>>2)<<16 | (g<<2|g>>4)<<8 | (b<<3 | b>>2)
}

func rgb666(r, g, b byte) uint32 {
	six := func(v byte) uint32 { v &= 0xfc; return uint32(v | v>>6) }
	return six(r)<<16 | six(g)<<8 | six(b)
}

// window sets one side of the window; one outside the RAM is ignored.
func (c *tft) window(low, high *int, long bool) {
	from, to := int(c.args[0])<<8|int(c.args[1]), int(c.args[2])<<8|int(c.args[3])
	limit := c.sheet.columns - 1
	if long {
		limit = c.sheet.rows - 1
	}
	if from > to || to > limit {
		c.report(BadWindow, "command %#02x: %d to %d of 0 to %d", c.cmd, from, to, limit)
		return
	}
	*low, *high = from, to
}

// pixel writes where MADCTL maps the window's position, and steps on.
func (c *tft) pixel(v uint32) {
	if c.room--; c.room == -1 {
		c.report(WindowOverflow, "more pixels than the window of %d to %d, %d to %d has", c.x0, c.x1, c.y0, c.y1)
	}
	col, row := c.x, c.y
	if c.madctl&0x20 != 0 {
		col, row = row, col
	}
	if c.madctl&0x40 != 0 {
		col = c.sheet.columns - 1 - col
	}
	if c.madctl&0x80 != 0 {
		row = c.sheet.rows - 1 - row
	}
	if row >= 0 && row < c.sheet.rows && col >= 0 && col < c.sheet.columns {
		c.ram[row*c.sheet.columns+col] = v
	}
	if c.x++; c.x > c.x1 {
		c.x = c.x0
		if c.y++; c.y > c.y1 {
			c.y = c.y0
		}
	}
}

// frame is the glass as a person sees it, mounted as the profile says.
func (c *tft) frame() *image.RGBA {
	c.mu.Lock()
	defer c.mu.Unlock()
	return picture(c.d, c.seen)
}

// dark is a glass without light behind it.
var dark = color.RGBA{0x10, 0x12, 0x14, 0xff}

func (c *tft) seen(x, y int) color.RGBA {
	if !c.powered || !c.lit || !c.on || !c.awake {
		return dark
	}
	col, row := x+c.d.OffsetX, y+c.d.OffsetY
	right, bottom := c.sheet.columns-1, c.sheet.rows-1
	// By the real mounting, not by the driver's settings.
	switch c.d.Rotation {
	case 90:
		col, row = right-row, col
	case 180:
		col, row = right-col, bottom-row
	case 270:
		col, row = row, bottom-col
	}
	if c.d.MirrorX {
		col = right - col
	}
	if c.d.MirrorY {
		row = bottom - row
	}
	v := c.ram[row*c.sheet.columns+col]
	if c.inverted != c.d.Inverted { // an IPS glass shows true colours inverted
		v = ^v
	}
	r, g, b := uint8(v>>16), uint8(v>>8), uint8(v)
	if (c.madctl&0x08 != 0) != c.d.BGR {
		r, b = b, r
	}
	return color.RGBA{r, g, b, 0xff}
}

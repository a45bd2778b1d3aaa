package emulated

import (
	"image"
	"image/color"
	"image/draw"
	"sync"
	"time"

	"payterm/board"
)

// hd44780 is a character controller as in its data sheet, behind a PCF8574 that is wired as on
// nearly all modules: P0 RS, P1 RW, P2 E, P3 backlight, P4 to P7 the upper four data lines
// (general knowledge of both data sheets). It reads its lines when E falls, and needs time for
// each instruction.
type hd44780 struct {
	mu      sync.Mutex
	d       *board.Display
	report  report
	changed func()
	now     func() time.Duration

	powered bool
	pins    byte // of the PCF8574
	wired   bool // connected to GPIO lines instead
	lit     bool // by a separate line
	ready   time.Duration
	syncs   int // function sets with eight data lines since power-on

	four     bool // four data lines
	half     bool // the upper four bits have come
	high     byte
	on       bool
	twoLines bool
	left     bool // the address decrements
	cells    [128]byte
	signs    [64]byte // CGRAM
	inSigns  bool     // the address is in CGRAM
	address  int

	stored  int // bytes written to CGRAM
	redrawn int // of them those that changed a sign on the glass
}

// Times of the data sheet (table of instructions, and "initializing by
// instruction"), at 270 kHz.
const (
	lcdPowerOn   = 15 * time.Millisecond // at 5 V
	lcdFirstSync = 4100 * time.Microsecond
	lcdNextSync  = 100 * time.Microsecond
	lcdClear     = 1520 * time.Microsecond
	lcdExecute   = 37 * time.Microsecond
	lcdStore     = 41 * time.Microsecond // a byte of data, with the address step
)

func newHD44780(d *board.Display, now func() time.Duration, report report, changed func()) *hd44780 {
	c := &hd44780{d: d, now: now, report: report, changed: changed, powered: true, pins: 0xff, lit: d.Backlight == ""}
	if c.wired = d.Data != nil; c.wired {
		c.pins = lineLight // no backlight pin, and R/W is tied to ground
	}
	c.restart()
	return c
}

// restart is the state after power-on: eight data lines, one row, off. The RAMs hold anything.
func (c *hd44780) restart() {
	c.four, c.half, c.on, c.twoLines, c.left, c.inSigns, c.address, c.syncs = false, false, false, false, false, false,
		0, 0
	c.ready = c.now() + lcdPowerOn
	for i := range c.cells {
		c.cells[i] = byte(i*37) | 0x80
	}
	for i := range c.signs {
		c.signs[i] = byte(i * 53)
	}
}

func (c *hd44780) resetPin(bool) {} // there is no reset pin

// light is a backlight that the PCF8574 does not switch.
func (c *hd44780) light(on bool) {
	c.mu.Lock()
	c.lit = on
	c.mu.Unlock()
	c.changed()
}

func (c *hd44780) power(on bool) {
	c.mu.Lock()
	c.powered = on
	if !c.wired {
		c.pins = 0xff // the PCF8574 starts with all pins high
	}
	c.restart()
	c.mu.Unlock()
	c.changed()
}

func (c *hd44780) dip() { c.power(true) }

func (c *hd44780) answers() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.powered
}

const (
	lineRS    = 0x01
	lineRW    = 0x02
	lineE     = 0x04
	lineLight = 0x08
)

// message sets the PCF8574's pins, byte by byte.
func (c *hd44780) message(w []byte, at func(int) time.Duration) {
	c.mu.Lock()
	defer c.changed()
	defer c.mu.Unlock()
	for i, pins := range w {
		was := c.pins
		c.pins = pins
		switch {
		case was&lineE == 0 && pins&lineE != 0 && (was^pins)&(lineRS|lineRW) != 0:
			c.report(AddressSetup, "RS or RW changes while E rises")
		case was&lineE != 0 && pins&lineE == 0:
			c.latch(was, at(i))
		}
	}
}

// line sets one of the GPIO lines.
func (c *hd44780) line(bit byte, high bool) {
	c.mu.Lock()
	pins := c.pins &^ bit
	if high {
		pins |= bit
	}
	if !c.powered {
		c.pins = pins
	}
	on := c.powered
	c.mu.Unlock()
	if on {
		c.message([]byte{pins}, func(int) time.Duration { return c.now() })
	}
}

// latch reads the lines as they were while E was high.
func (c *hd44780) latch(pins byte, now time.Duration) {
	if pins&lineRW != 0 {
		return // a read: the chip drives the lines
	}
	if now < c.ready {
		c.report(TooSoon, "lines %#02x: the chip is busy for another %s", pins, c.ready-now)
	}
	b := pins & 0xf0
	if c.four {
		if c.half = !c.half; c.half {
			c.high = b
			return
		}
		b = c.high | b>>4
	}
	if pins&lineRS != 0 {
		c.store(b, now)
		return
	}
	c.instruct(b, now)
}

func (c *hd44780) instruct(b byte, now time.Duration) {
	c.ready = now + lcdExecute
	if !c.four && b&0xe0 != 0x20 {
		c.report(BadArgument, "instruction %#02x by eight data lines, of which four are wired", b)
		return
	}
	switch {
	case b&0x80 != 0:
		c.inSigns, c.address = false, int(b&0x7f)
		if c.address&0x3f > 0x27 {
			c.report(BadAddress, "cell %#02x", c.address)
		}
	case b&0x40 != 0:
		c.inSigns, c.address = true, int(b&0x3f)
	case b&0x20 != 0:
		c.function(b, now)
	case b&0x18 == 0x18:
		c.report(UnknownCommand, "instruction %#02x: shifts of the display are not emulated", b)
	case b&0x10 != 0: // the cursor moves
		left := c.left
		c.left = b&4 == 0
		c.step()
		c.left = left
	case b&0x08 != 0:
		c.on = b&4 != 0
	case b&0x04 != 0:
		c.left = b&2 == 0
		if b&1 != 0 {
			c.report(UnknownCommand, "instruction %#02x: shifts are not emulated", b)
		}
	case b&0x02 != 0:
		c.inSigns, c.address, c.ready = false, 0, now+lcdClear
	case b == 0x01:
		for i := range c.cells {
			c.cells[i] = ' '
		}
		c.inSigns, c.address, c.left, c.ready = false, 0, false, now+lcdClear
	default:
		c.report(UnknownCommand, "instruction %#02x", b)
	}
}

func (c *hd44780) function(b byte, now time.Duration) {
	c.four, c.half = b&0x10 == 0, false
	if !c.four {
		if c.syncs++; c.syncs == 1 {
			c.ready = now + lcdFirstSync
		} else if c.syncs == 2 {
			c.ready = now + lcdNextSync
		}
		return
	}
	if c.syncs == 0 {
		c.report(NoReset, "four data lines before it was told of eight")
	}
	c.twoLines = b&0x08 != 0
}

func (c *hd44780) store(b byte, now time.Duration) {
	c.ready = now + lcdStore
	switch {
	case !c.four:
		c.report(BadArgument, "data %#02x by eight data lines, of which four are wired", b)
		return
	case c.inSigns:
		c.stored++
		if at := c.address & 0x3f; c.signs[at] != b {
			if c.onGlass(at / 8) {
				c.redrawn++
			}
			c.signs[at] = b
		}
	case c.address&0x3f > 0x27:
		c.report(BadAddress, "data for cell %#02x", c.address)
	default:
		c.cells[c.address] = b
	}
	c.step()
}

// step moves to the next cell: with two rows from 27h to 40h and from 67h to 00h.
func (c *hd44780) step() {
	if c.left {
		c.address = (c.address - 1) & 0x7f
		return
	}
	c.address++
	switch {
	case c.inSigns:
		c.address &= 0x3f
	case c.address&0x3f == 0x28:
		c.address = c.address&0x40 ^ 0x40
	}
}

// cell is the code at a place of the glass: with four rows, the third and fourth continue the
// first and second.
func (c *hd44780) cell(x, y int) byte {
	start := [4]int{0x00, 0x40, 0x00 + 20, 0x40 + 20}[y]
	return c.cells[start+x]
}

// visible reports whether anything can be seen.
func (c *hd44780) visible() bool {
	return c.powered && c.on && c.lit && c.pins&lineLight != 0 && (c.twoLines || c.d.Rows == 1)
}

// onGlass reports whether a sign of the CGRAM can be seen.
func (c *hd44780) onGlass(place int) bool {
	for y := range c.d.Rows {
		for x := range c.d.Columns {
			if b := c.cell(x, y); c.visible() && b < 0x10 && int(b&7) == place {
				return true
			}
		}
	}
	return false
}

// text is what the glass shows. A sign of the CGRAM is what a person reads in its dots.
func (c *hd44780) text() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	rows := make([]string, c.d.Rows)
	if !c.visible() {
		return rows
	}
	for y := range rows {
		for x := range c.d.Columns {
			if b := c.cell(x, y); b < 0x10 {
				rows[y] += string(c.read(int(b & 7)))
			} else {
				rows[y] += string(c.meaning(b))
			}
		}
	}
	return rows
}

// dots returns the eight rows of five dots of a code.
func (c *hd44780) dots(b byte) [8]byte {
	if b < 0x10 {
		return [8]byte(c.signs[8*int(b&7):])
	}
	return drawing(c.meaning(b))
}

// dotSize is the size of a dot in the picture in pixels, with its gap.
const dotSize = 4

// frame is the glass as a person sees it: dark dots on a lit background.
func (c *hd44780) frame() *image.RGBA {
	c.mu.Lock()
	defer c.mu.Unlock()
	w, h := (c.d.Columns*6+5)*dotSize, (c.d.Rows*9+5)*dotSize
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	ground, ink, faint := color.RGBA{0x9c, 0xc4, 0x1c, 0xff}, color.RGBA{0x18, 0x24, 0x08, 0xff},
		color.RGBA{0x92, 0xb8, 0x1a, 0xff}
	if !c.visible() {
		ground, ink, faint = dark, dark, dark
	}
	draw.Draw(img, img.Rect, image.NewUniform(ground), image.Point{}, draw.Src)
	for y := range c.d.Rows {
		for x := range c.d.Columns {
			for dy, row := range c.dots(c.cell(x, y)) {
				for dx := range 5 {
					dot := faint
					if row&(0x10>>dx) != 0 {
						dot = ink
					}
					at := image.Pt((3+6*x+dx)*dotSize, (3+9*y+dy)*dotSize)
					draw.Draw(img, image.Rectangle{at, at.Add(image.Pt(dotSize-1, dotSize-1))}, image.NewUniform(dot),
						image.Point{}, draw.Src)
				}
			}
		}
	}
	return img
}

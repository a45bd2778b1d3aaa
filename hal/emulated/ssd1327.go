package emulated

import (
	"image"
	"image/color"
	"time"

	"payterm/board"
)

// ssd1327 is an OLED controller with grey levels, as in its data sheet (general knowledge): 128 rows of 64
// bytes, two dots in each, the lower four bits for the even segment, written through a window. Commands and
// their arguments come with D/C low. The glass is mounted as on nearly all modules: its first dot is the last
// segment of the last row, and odd and even rows are connected to the two sides of the chip.
type ssd1327 struct {
	byteGlass
	ram [128][64]byte

	cmd                    []byte // a command that waits for arguments
	on, regulated, locked  bool
	shows                  byte // A4h to A7h
	remap                  byte
	contrast               byte
	multiplex              int
	offset, startLine      int
	col0, col1, row0, row1 int
	col, row               int
}

// greyArguments is the number of bytes after each command.
var greyArguments = map[byte]int{
	0x15: 2, 0x26: 7, 0x27: 7, 0x2e: 0, 0x2f: 0, 0x75: 2, 0x81: 1, 0xa0: 1, 0xa1: 1, 0xa2: 1, 0xa4: 0, 0xa5: 0,
	0xa6: 0, 0xa7: 0, 0xa8: 1, 0xab: 1, 0xae: 0, 0xaf: 0, 0xb1: 1, 0xb2: 0, 0xb3: 1, 0xb5: 1, 0xb6: 1, 0xb8: 15,
	0xb9: 0, 0xbb: 0, 0xbc: 1, 0xbe: 1, 0xd5: 1, 0xe3: 0, 0xfd: 1,
}

func newSSD1327(d *board.Display, now func() time.Duration, report report, changed func()) *ssd1327 {
	c := &ssd1327{byteGlass: byteGlass{
		d: d, now: now, report: report, changed: changed, powered: true, needsRST: d.Reset != "",
		resetLow: 100 * time.Microsecond, // the data sheet's sequence
	}}
	c.byteGlass.restart, c.byteGlass.noise, c.byteGlass.accept = c.restart, c.noise, c.accept
	c.restart()
	return c
}

// restart is the state after a reset; the RAM keeps its content.
func (c *ssd1327) restart() {
	c.cmd, c.on, c.regulated, c.locked, c.shows, c.remap = nil, false, true, false, 0xa4, 0
	c.contrast, c.multiplex, c.offset, c.startLine = 0x7f, 128, 0, 0
	c.col0, c.col1, c.row0, c.row1, c.col, c.row = 0, 63, 0, 127, 0, 0
}

func (c *ssd1327) light(bool) {} // an OLED has no backlight

// noise is in the RAM after a supply that fell too far.
func (c *ssd1327) noise() {
	for y := range c.ram {
		for x := range c.ram[y] {
			c.ram[y][x] = byte(x*37 ^ y*101)
		}
	}
}

func (c *ssd1327) accept(data bool, b byte) {
	if data {
		if len(c.cmd) > 0 {
			c.report(ParameterCount, "dots came in the middle of command %#02x", c.cmd[0])
			c.cmd = nil
		}
		c.dots(b)
		return
	}
	c.cmd = append(c.cmd, b)
	need, known := greyArguments[c.cmd[0]]
	if !known {
		c.report(UnknownCommand, "command %#02x", b)
		c.cmd = nil
		return
	}
	if len(c.cmd) == 1+need {
		cmd := c.cmd
		c.cmd = nil
		if c.locked && cmd[0] != 0xfd {
			c.report(UnknownCommand, "command %#02x while it is locked", cmd[0])
			return
		}
		c.command(cmd[0], cmd[1:])
	}
}

func (c *ssd1327) command(b byte, a []byte) {
	switch b {
	case 0x15:
		c.col0, c.col1 = int(a[0]&0x3f), int(a[1]&0x3f)
		c.col = c.col0
	case 0x75:
		c.row0, c.row1 = int(a[0]&0x7f), int(a[1]&0x7f)
		c.row = c.row0
	case 0x81:
		c.contrast = a[0]
	case 0xa0:
		c.remap = a[0]
	case 0xa1:
		c.startLine = int(a[0] & 0x7f)
	case 0xa2:
		c.offset = int(a[0] & 0x7f)
	case 0xa4, 0xa5, 0xa6, 0xa7:
		c.shows = b
	case 0xa8:
		if c.multiplex = int(a[0]&0x7f) + 1; c.multiplex < 16 {
			c.report(BadArgument, "multiplex ratio %d", c.multiplex)
		}
	case 0xab:
		c.regulated = a[0]&1 != 0
	case 0xae, 0xaf:
		if c.on = b == 0xaf; c.on && !c.regulated {
			c.report(NoSupply, "the display is switched on and its logic has no supply")
		}
	case 0xfd:
		c.locked = a[0] == 0x16
	}
}

// dots writes two dots and moves the pointer, first to the right and then down, or the other way.
func (c *ssd1327) dots(b byte) {
	if c.col0 > c.col1 || c.row0 > c.row1 {
		c.report(BadWindow, "columns %d to %d, rows %d to %d", c.col0, c.col1, c.row0, c.row1)
		return
	}
	c.ram[c.row][c.col] = b
	across := func() bool {
		if c.col++; c.col <= c.col1 {
			return false
		}
		c.col = c.col0
		return true
	}
	down := func() bool {
		if c.row++; c.row <= c.row1 {
			return false
		}
		c.row = c.row0
		return true
	}
	if c.remap&4 == 0 && across() {
		down()
	} else if c.remap&4 != 0 && down() {
		across()
	}
}

// frame is the glass as a person sees it, mounted as the profile says.
func (c *ssd1327) frame() *image.RGBA {
	c.mu.Lock()
	defer c.mu.Unlock()
	return picture(c.d, c.seen)
}

func (c *ssd1327) seen(x, y int) color.RGBA {
	if !c.powered || !c.on || c.shows == 0xa6 {
		return color.RGBA{0, 0, 0, 0xff}
	}
	turned := c.d.Rotation == 180
	segment, com := 127-x, 127-y
	if turned != c.d.MirrorX {
		segment = x
	}
	if turned != c.d.MirrorY {
		com = y
	}
	if c.remap&0x40 == 0 { // rows in sequence, on a glass that has odd and even rows
		com = com/2 + com%2*64
	}
	if com >= c.multiplex {
		return color.RGBA{0, 0, 0, 0xff}
	}
	column, nibble := segment/2, segment%2
	if c.remap&1 != 0 {
		column = 63 - column
	}
	if c.remap&2 != 0 {
		nibble ^= 1
	}
	if c.remap&0x10 != 0 {
		com = c.multiplex - 1 - com
	}
	v := c.ram[(com+c.offset+c.startLine)&127][column] >> (4 * nibble) & 15
	if c.shows == 0xa5 {
		v = 15
	}
	if (c.shows == 0xa7) != c.d.Inverted {
		v = 15 - v
	}
	bright := uint8(int(v) * 17 * (0x60 + int(c.contrast)*0x9f/255) / 255)
	return color.RGBA{bright, bright, bright, 0xff}
}

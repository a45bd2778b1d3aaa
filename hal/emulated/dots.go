package emulated

import (
	"image"
	"image/color"
	"maps"
	"time"

	"payterm/board"
)

// dotSheet is what differs between the data sheets of controllers of dots (general
// knowledge of the SSD1306's, SSD1309's, SH1106's, SH1107's, UC1701x's and ST7567's).
type dotSheet struct {
	name          string
	columns, rows int
	arguments     map[byte]int // bytes after a command, besides those that contain their argument
	inside        string       // commands that contain their argument, as pairs of from and to
	maxClock      int64
	turned        bool // turned by its user, not by its mounting
	supplied      bool // by the module, or by a converter that is on after a reset
	lcd           bool // a transmissive LCD, which has a reset command
}

// oledArguments are those of all OLEDs here.
func oledArguments(more map[byte]int) map[byte]int {
	all := map[byte]int{
		0x81: 1, 0xa0: 0, 0xa1: 0, 0xa4: 0, 0xa5: 0, 0xa6: 0, 0xa7: 0, 0xa8: 1, 0xae: 0, 0xaf: 0, 0xc0: 0, 0xc8: 0,
		0xd3: 1, 0xd5: 1, 0xd9: 1, 0xdb: 1, 0xe3: 0,
	}
	maps.Copy(all, more)
	return all
}

// lcdArguments are those of both LCDs.
var lcdArguments = map[byte]int{
	0x81: 1, 0xa0: 0, 0xa1: 0, 0xa2: 0, 0xa3: 0, 0xa4: 0, 0xa5: 0, 0xa6: 0, 0xa7: 0, 0xac: 1, 0xae: 0, 0xaf: 0,
	0xc0: 0, 0xc8: 0, 0xe0: 0, 0xe2: 0, 0xe3: 0, 0xee: 0, 0xf8: 1,
}

var dotSheets = map[string]dotSheet{
	"ssd1306": {
		name: "ssd1306", columns: 128, rows: 64, maxClock: 10_000_000, inside: "\x00\x1f\x40\x7f\xb0\xb7",
		arguments: oledArguments(map[byte]int{
			0x20: 1, 0x21: 2, 0x22: 2, 0x26: 6, 0x27: 6, 0x29: 5, 0x2a: 5, 0x2e: 0, 0x2f: 0, 0x8d: 1, 0xa3: 2, 0xda: 1,
		}),
	},
	"ssd1309": {
		name: "ssd1309", supplied: true, columns: 128, rows: 64, maxClock: 10_000_000, inside: "\x00\x1f\x40\x7f\xb0\xb7",
		arguments: oledArguments(map[byte]int{
			0x20: 1, 0x21: 2, 0x22: 2, 0x26: 7, 0x27: 7, 0x29: 6, 0x2a: 6, 0x2e: 0, 0x2f: 0, 0xa3: 2, 0xda: 1, 0xfd: 1,
		}),
	},
	"sh1106": {
		name: "sh1106", supplied: true, columns: 132, rows: 64, maxClock: 4_000_000, inside: "\x00\x1f\x30\x33\x40\x7f\xb0\xb7",
		arguments: oledArguments(map[byte]int{0xad: 1, 0xda: 1, 0xe0: 0, 0xee: 0}),
	},
	"sh1107": {
		name: "sh1107", supplied: true, columns: 128, rows: 128, maxClock: 4_000_000, inside: "\x00\x17\xb0\xbf", turned: true,
		arguments: oledArguments(map[byte]int{0x20: 0, 0x21: 0, 0xad: 1, 0xdc: 1, 0xe0: 0, 0xee: 0}),
	},
	"uc1701": {
		name: "uc1701", columns: 132, rows: 64, maxClock: 10_000_000, lcd: true,
		inside: "\x00\x1f\x20\x27\x28\x2f\x40\x7f\xb0\xb8",
		arguments: func() map[byte]int {
			all := maps.Clone(lcdArguments)
			all[0xfa] = 1
			return all
		}(),
	},
	"st7567": {
		name: "st7567", columns: 132, rows: 64, maxClock: 20_000_000, lcd: true,
		inside: "\x00\x1f\x20\x27\x28\x2f\x40\x7f\xb0\xb8", arguments: lcdArguments,
	},
}

// dots is a controller of dots as in its data sheet: a RAM of columns in pages of 8 rows, written
// through an address pointer, and commands of one to seven bytes. The glass is mounted as on
// nearly all modules: its first dot is the last column and the last row of the scan.
type dots struct {
	byteGlass
	sheet   dotSheet
	ram     [16][132]byte
	columns int  // of the RAM
	lit     bool // the backlight of an LCD

	cmd                  []byte // a command that waits for arguments
	on, inverted, allOn  bool
	supply               bool // its converter is on, or it needs none
	locked               bool
	remap, flip          bool
	contrast             byte
	multiplex            int
	offset, startLine    int
	pins                 byte // COM
	mode                 byte // 0 horizontal, 1 vertical, 2 page
	col0, col1, pg0, pg1 int
	col, page            int
}

// The shortest reset pulse, of the data sheet's power-on sequence.
const oledResetLow = 3 * time.Microsecond

func newDots(sheet dotSheet, d *board.Display, now func() time.Duration, report report, changed func()) *dots {
	c := &dots{
		byteGlass: byteGlass{
			d: d, now: now, report: report, changed: changed, powered: true, needsRST: d.Reset != "",
			resetLow: oledResetLow,
		},
		sheet: sheet, columns: sheet.columns, lit: !sheet.lcd || d.Backlight == "",
	}
	c.byteGlass.restart, c.byteGlass.noise, c.byteGlass.accept = c.restart, c.noise, c.accept
	if d.OffsetX+d.Width > c.columns && !sheet.turned {
		c.columns = 132 // an SH1106 sold as an SSD1306
	}
	c.restart()
	return c
}

// restart is the state after a reset; the RAM keeps its content.
func (c *dots) restart() {
	c.cmd, c.on, c.inverted, c.allOn, c.remap, c.flip, c.locked = nil, false, false, false, false, false, false
	c.supply = c.sheet.supplied
	c.contrast, c.multiplex, c.offset, c.startLine, c.pins, c.mode = 0x7f, c.sheet.rows, 0, 0, 0x12, 2
	c.col0, c.col1, c.pg0, c.pg1, c.col, c.page = 0, c.columns-1, 0, c.sheet.rows/8-1, 0, 0
}

// light is the backlight of an LCD; OLEDs have none.
func (c *dots) light(on bool) {
	if !c.sheet.lcd {
		return
	}
	c.mu.Lock()
	c.lit = on
	c.mu.Unlock()
	c.changed()
}

// noise is in the RAM after a supply that fell too far.
func (c *dots) noise() {
	for p := range c.ram {
		for x := range c.ram[p] {
			c.ram[p][x] = byte(x*37 ^ p*101)
		}
	}
}

func (c *dots) accept(data bool, b byte) {
	if data {
		if len(c.cmd) > 0 {
			c.report(ParameterCount, "dots came in the middle of command %#02x", c.cmd[0])
			c.cmd = nil
		}
		c.dots(b)
		return
	}
	c.cmd = append(c.cmd, b)
	need, known := c.sheet.arguments[c.cmd[0]]
	for in := c.sheet.inside; len(in) > 0; in = in[2:] { // the argument is in the command
		known = known || c.cmd[0] >= in[0] && c.cmd[0] <= in[1]
	}
	if !known {
		c.report(UnknownCommand, "command %#02x", b)
		c.cmd = nil
		return
	}
	if len(c.cmd) == 1+need {
		cmd := c.cmd
		c.cmd = nil
		c.command(cmd[0], cmd[1:])
	}
}

func (c *dots) command(b byte, a []byte) {
	if c.locked && b != 0xfd {
		c.report(UnknownCommand, "command %#02x while it is locked", b)
		return
	}
	switch {
	case b < 0x10: // page addressing only
		c.col = c.col&0xf0 | int(b)
	case b < 0x20:
		c.col = (int(b)&15)<<4 | c.col&0x0f
	case b >= 0x20 && b < 0x40 && c.sheet.lcd:
		if b >= 0x28 { // booster, regulator, follower
			c.supply = b == 0x2f
		}
	case b == 0x20 && len(a) == 0, b == 0x21 && len(a) == 0: // an SH1107's
		c.mode = 2 - b&1
	case b == 0x20:
		if c.mode = a[0] & 3; c.mode == 3 {
			c.report(BadArgument, "addressing mode %d", c.mode)
		}
	case b == 0x21:
		c.window(b, a, c.columns-1, &c.col0, &c.col1, &c.col)
	case b == 0x22:
		c.window(b, []byte{a[0] & 7, a[1] & 7}, 7, &c.pg0, &c.pg1, &c.page) // the other bits have no meaning
	case b >= 0x40 && b < 0x80:
		c.startLine = int(b & 0x3f)
	case b == 0x81 && c.sheet.lcd:
		c.contrast = a[0] & 0x3f << 2
	case b == 0x81:
		c.contrast = a[0]
	case b == 0x8d:
		c.supply = a[0]&4 != 0
	case b == 0xad && len(a) == 1: // DC-DC converter
		if c.on {
			c.report(BadArgument, "the converter is set while the display is on")
		}
		c.supply = a[0]&1 != 0
	case b == 0xb8: // icons; no glass here has any
		c.page = 8
	case b >= 0xb0 && b < 0xc0:
		c.page = int(b & 0xf)
	case b == 0xe2:
		c.restart()
	case b == 0xfd:
		c.locked = a[0] == 0x16
	default:
		c.setting(b, a)
	}
}

// setting handles commands that set how the RAM is shown.
func (c *dots) setting(b byte, a []byte) {
	switch b {
	case 0xa0, 0xa1:
		c.remap = b == 0xa1
	case 0xa4, 0xa5:
		c.allOn = b == 0xa5
	case 0xa6, 0xa7:
		c.inverted = b == 0xa7
	case 0xa8:
		if c.multiplex = int(a[0])&(c.sheet.rows-1) + 1; c.multiplex < 16 {
			c.report(BadArgument, "multiplex ratio %d", c.multiplex)
		}
	case 0xae, 0xaf:
		if c.on = b == 0xaf; c.on && !c.supply {
			c.report(NoSupply, "the display is switched on and its converter is not")
		}
	case 0xc0, 0xc8:
		c.flip = b == 0xc8
	case 0xd3:
		c.offset = int(a[0]) & (c.sheet.rows - 1)
	case 0xdc:
		c.startLine = int(a[0] & 0x7f)
	case 0xda:
		if a[0]&^0x30 != 2 {
			c.report(BadArgument, "COM pins %#02x", a[0])
		}
		c.pins = a[0]
	}
}

func (c *dots) window(cmd byte, a []byte, limit int, low, high, at *int) {
	from, to := int(a[0]), int(a[1])
	if from > to || to > limit {
		c.report(BadWindow, "command %#02x: %d to %d of 0 to %d", cmd, from, to, limit)
		return
	}
	*low, *high, *at = from, to, from
}

// dots writes 8 dots and moves the pointer.
func (c *dots) dots(b byte) {
	if c.col >= c.columns || c.page >= len(c.ram) {
		c.report(BadAddress, "dots for column %d of %d, page %d", c.col, c.columns, c.page)
		return
	}
	c.ram[c.page][c.col] = b
	switch c.mode {
	case 0:
		if c.col++; c.col > c.col1 || c.col >= c.columns {
			c.col = c.col0
			c.nextPage()
		}
	case 1:
		page := c.page
		if c.nextPage(); c.page <= page {
			if c.col++; c.col > c.col1 || c.col >= c.columns {
				c.col = c.col0
			}
		}
	default:
		c.col = (c.col + 1) % c.columns
	}
}

func (c *dots) nextPage() {
	if c.page++; c.page > c.pg1 || c.page > 7 {
		c.page = c.pg0
	}
}

// frame is the glass as a person sees it, mounted as the profile says.
func (c *dots) frame() *image.RGBA {
	c.mu.Lock()
	defer c.mu.Unlock()
	return picture(c.d, c.seen)
}

// wired is how the rows of the glass are connected, as command DAh tells it: in sequence for
// nearly all of 32 rows, alternately for the others.
func (c *dots) wired() byte {
	pins, said := map[string]byte{
		board.COMSequential: 0x02, board.COMAlternative: 0x12, board.COMSequentialRemap: 0x22,
		board.COMAlternativeRemap: 0x32,
	}[c.d.COMPins]
	switch {
	case said:
		return pins
	case c.d.Height == 32:
		return 0x02
	}
	return 0x12
}

// pad is the pad of the chip for a row: in sequence one side after the other, or alternately left
// and right; the remap exchanges the sides.
func (c *dots) pad(pins byte, row int) int {
	half := c.d.Height / 2
	if pins&0x10 != 0 {
		row = row/2 + row%2*half
	}
	if pins&0x20 != 0 {
		row = (row + half) % c.d.Height
	}
	return row
}

// scanned is the row that the chip drives at a pad.
func (c *dots) scanned(pad int) int {
	for row := range c.d.Height {
		if c.pad(c.pins, row) == pad {
			return row
		}
	}
	return 0
}

// place is a dot's place in the RAM.
func (c *dots) place(x, y int) (column, row int, shown bool) {
	if c.sheet.turned {
		return c.turnedPlace(x, y)
	}
	turned := c.d.Rotation == 180
	if x += c.d.OffsetX; turned != c.d.MirrorX {
		x = c.columns - 1 - x
	}
	if turned != c.d.MirrorY {
		y = c.d.Height - 1 - y
	}
	// x and y are now on the glass: the last segment and the last row of the scan are at the
	// upper left corner of the RAM. LCDs have the first segment there.
	segment, com := c.columns-1-x, c.d.Height-1-y
	if c.sheet.lcd {
		segment = x
	}
	com = c.scanned(c.pad(c.wired(), com))
	if com >= c.multiplex {
		return 0, 0, false
	}
	if c.remap {
		segment = c.columns - 1 - segment
	}
	if c.flip {
		com = c.multiplex - 1 - com
	}
	return segment, (com + c.offset + c.startLine) & (c.sheet.rows - 1), true
}

// turnedPlace is place for a glass that its user has turned.
func (c *dots) turnedPlace(x, y int) (column, row int, shown bool) {
	if c.d.MirrorX {
		x = c.d.Width - 1 - x
	}
	if c.d.MirrorY {
		y = c.d.Height - 1 - y
	}
	across, down := c.d.OffsetX, c.d.OffsetY
	switch c.d.Rotation { // x and y as it is wired
	case 90:
		x, y = c.d.Height-1-y, x
	case 180:
		x, y = c.d.Width-1-x, c.d.Height-1-y
	case 270:
		x, y = y, c.d.Width-1-x
	}
	if c.d.Rotation%180 != 0 {
		across, down = down, across
	}
	column = x + across
	com := (y - down) & (c.sheet.rows - 1) // the first row of the glass is connected there
	if c.remap {
		column = c.columns - 1 - column
	}
	if c.flip {
		com = c.multiplex - 1 - com
	}
	return column, (com + c.offset + c.startLine) & (c.sheet.rows - 1), com < c.multiplex
}

// seen is the colour of a dot: dark, or as bright as the contrast.
func (c *dots) seen(x, y int) color.RGBA {
	if !c.powered || !c.on || !c.supply || !c.lit {
		return dark
	}
	column, row, shown := c.place(x, y)
	if !shown {
		return dark
	}
	bright := c.allOn || c.ram[row/8][column]>>(row%8)&1 == 1
	if bright == (c.inverted != c.d.Inverted) {
		return color.RGBA{0, 0, 0, 0xff}
	}
	v := 0x60 + uint8(int(c.contrast)*0x9f/255)
	return color.RGBA{v, v, v, 0xff}
}

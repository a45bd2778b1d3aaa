package emulated

import (
	"image"
	"image/color"
	"sync"
	"time"

	"payterm/board"
)

// ssd1306 is an OLED controller as its data sheet describes it (general knowledge
// of the SSD1306's): a RAM of 128 columns in 8 pages of 8 rows, written through a
// pointer that walks in one of three ways, and a stream of commands of one to seven
// bytes. The glass is mounted as nearly all modules have it: its first dot is the
// last column and the last row of the scan.
type ssd1306 struct {
	mu       sync.Mutex
	d        *board.Display
	report   report
	changed  func()
	now      func() time.Duration
	ram      [8][132]byte
	columns  int // of the RAM: 128, or 132 of an SH1106
	powered  bool
	held     bool
	heldAt   time.Duration
	needsRST bool // it has a reset line, and power came without a pulse since

	cmd                  []byte // a command whose arguments are still to come
	on, inverted, allOn  bool
	pump                 bool
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

// oledArguments are how many bytes follow each command, besides those that hold
// their argument themselves.
var oledArguments = map[byte]int{
	0x20: 1, 0x21: 2, 0x22: 2, 0x26: 6, 0x27: 6, 0x29: 5, 0x2a: 5, 0x2e: 0, 0x2f: 0, 0x81: 1, 0x8d: 1,
	0xa0: 0, 0xa1: 0, 0xa3: 2, 0xa4: 0, 0xa5: 0, 0xa6: 0, 0xa7: 0, 0xa8: 1, 0xae: 0, 0xaf: 0,
	0xc0: 0, 0xc8: 0, 0xd3: 1, 0xd5: 1, 0xd9: 1, 0xda: 1, 0xdb: 1, 0xe3: 0,
}

func newSSD1306(d *board.Display, now func() time.Duration, report report, changed func()) *ssd1306 {
	c := &ssd1306{
		d: d, now: now, report: report, changed: changed, powered: true, needsRST: d.Reset != "", columns: 128,
	}
	if d.OffsetX+d.Width > c.columns {
		c.columns = 132
	}
	c.restart()
	return c
}

// restart is the state after a reset; the RAM keeps what it has.
func (c *ssd1306) restart() {
	c.cmd, c.on, c.inverted, c.allOn, c.pump, c.remap, c.flip = nil, false, false, false, false, false, false
	c.contrast, c.multiplex, c.offset, c.startLine, c.pins, c.mode = 0x7f, 64, 0, 0, 0x12, 2
	c.col0, c.col1, c.pg0, c.pg1, c.col, c.page = 0, c.columns-1, 0, 7, 0, 0
}

func (c *ssd1306) resetPin(high bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.held && high:
		if low := c.now() - c.heldAt; low < oledResetLow {
			c.report(ResetPulse, "the reset line was low for %s, %s are needed", low, oledResetLow)
		}
		c.held, c.needsRST = false, false
	case !c.held && !high:
		c.held, c.heldAt = true, c.now()
		c.restart()
	}
}

func (c *ssd1306) light(bool) {} // it shines itself

func (c *ssd1306) power(on bool) {
	c.mu.Lock()
	c.powered, c.needsRST = on, c.d.Reset != ""
	c.lose()
	c.mu.Unlock()
	c.changed()
}

func (c *ssd1306) dip() {
	c.mu.Lock()
	c.lose()
	c.mu.Unlock()
	c.changed()
}

// lose is what a supply that fell too far does.
func (c *ssd1306) lose() {
	c.restart()
	for p := range c.ram {
		for x := range c.ram[p] {
			c.ram[p][x] = byte(x*37 ^ p*101)
		}
	}
}

func (c *ssd1306) answers() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.powered && !c.held
}

// clock takes bytes from SPI.
func (c *ssd1306) clock(data bool, w []byte) {
	c.mu.Lock()
	defer c.changed()
	defer c.mu.Unlock()
	if !c.powered {
		return
	}
	if c.held {
		c.report(HeldInReset, "%d bytes while the reset line is low", len(w))
		return
	}
	for _, b := range w {
		c.take(data, b)
	}
}

// message takes what comes behind the address on I2C: control bytes tell what
// follows, one byte (Co set) or all the rest.
func (c *ssd1306) message(w []byte, _ func(int) time.Duration) {
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

func (c *ssd1306) take(data bool, b byte) {
	if c.needsRST {
		c.report(NoReset, "byte %#02x after power-on, without a pulse of the reset line before it", b)
		c.needsRST = false // said once
	}
	if data {
		if len(c.cmd) > 0 {
			c.report(ParameterCount, "dots came in the middle of command %#02x", c.cmd[0])
			c.cmd = nil
		}
		c.dots(b)
		return
	}
	c.cmd = append(c.cmd, b)
	need, known := oledArguments[c.cmd[0]]
	switch first := c.cmd[0]; {
	case known:
	case first < 0x20, first >= 0x40 && first < 0x80, first >= 0xb0 && first < 0xb8: // the argument is in it
		known = true
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

func (c *ssd1306) command(b byte, a []byte) {
	switch {
	case b < 0x10: // page addressing only
		c.col = c.col&0xf0 | int(b)
	case b < 0x20:
		c.col = (int(b)&15)<<4 | c.col&0x0f
	case b == 0x20:
		if c.mode = a[0] & 3; c.mode == 3 {
			c.report(BadArgument, "addressing mode %d", c.mode)
		}
	case b == 0x21:
		c.window(b, a, c.columns-1, &c.col0, &c.col1, &c.col)
	case b == 0x22:
		c.window(b, []byte{a[0] & 7, a[1] & 7}, 7, &c.pg0, &c.pg1, &c.page) // the other bits mean nothing
	case b >= 0x40 && b < 0x80:
		c.startLine = int(b & 0x3f)
	case b == 0x81:
		c.contrast = a[0]
	case b == 0x8d:
		c.pump = a[0]&4 != 0
	case b == 0xa0, b == 0xa1:
		c.remap = b == 0xa1
	case b == 0xa4, b == 0xa5:
		c.allOn = b == 0xa5
	case b == 0xa6, b == 0xa7:
		c.inverted = b == 0xa7
	case b == 0xa8:
		if c.multiplex = int(a[0]&0x3f) + 1; c.multiplex < 16 {
			c.report(BadArgument, "multiplex ratio %d", c.multiplex)
		}
	case b == 0xae, b == 0xaf:
		if c.on = b == 0xaf; c.on && !c.pump {
			c.report(NoSupply, "the display is switched on and the charge pump is not")
		}
	case b >= 0xb0 && b < 0xb8:
		c.page = int(b & 7)
	case b == 0xc0, b == 0xc8:
		c.flip = b == 0xc8
	case b == 0xd3:
		c.offset = int(a[0] & 0x3f)
	case b == 0xda:
		if a[0]&^0x30 != 2 {
			c.report(BadArgument, "COM pins %#02x", a[0])
		}
		c.pins = a[0]
	}
}

func (c *ssd1306) window(cmd byte, a []byte, limit int, low, high, at *int) {
	from, to := int(a[0]), int(a[1])
	if from > to || to > limit {
		c.report(BadWindow, "command %#02x: %d to %d of 0 to %d", cmd, from, to, limit)
		return
	}
	*low, *high, *at = from, to, from
}

// dots takes 8 dots and walks on.
func (c *ssd1306) dots(b byte) {
	if c.col >= c.columns {
		c.report(BadAddress, "dots for column %d of %d", c.col, c.columns)
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

func (c *ssd1306) nextPage() {
	if c.page++; c.page > c.pg1 || c.page > 7 {
		c.page = c.pg0
	}
}

// frame is the glass as a person sees it whose board is mounted as the profile
// says.
func (c *ssd1306) frame() *image.RGBA {
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

// wired is how the rows of the glass are, as command DAh tells it: nearly all of 32 rows in
// sequence, the others alternately.
func (c *ssd1306) wired() byte {
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

// pad is where a row is led to on the chip's edge: in sequence one side after the other, or
// alternately left and right; with the remap the sides are exchanged.
func (c *ssd1306) pad(pins byte, row int) int {
	half := c.d.Height / 2
	if pins&0x10 != 0 {
		row = row/2 + row%2*half
	}
	if pins&0x20 != 0 {
		row = (row + half) % c.d.Height
	}
	return row
}

// scanned is the row that the chip has at a pad.
func (c *ssd1306) scanned(pad int) int {
	for row := range c.d.Height {
		if c.pad(c.pins, row) == pad {
			return row
		}
	}
	return 0
}

// seen is one dot: unlit, or as bright as the contrast has it.
func (c *ssd1306) seen(x, y int) color.RGBA {
	if !c.powered || !c.on || !c.pump {
		return dark
	}
	turned := c.d.Rotation == 180
	if x += c.d.OffsetX; turned != c.d.MirrorX {
		x = c.columns - 1 - x
	}
	if turned != c.d.MirrorY {
		y = c.d.Height - 1 - y
	}
	// x and y are of the glass now: the last segment and the last row of the scan are
	// at the upper left corner of the RAM.
	segment, com := c.columns-1-x, c.d.Height-1-y
	com = c.scanned(c.pad(c.wired(), com))
	if com >= c.multiplex {
		return dark
	}
	if c.remap {
		segment = c.columns - 1 - segment
	}
	if c.flip {
		com = c.multiplex - 1 - com
	}
	row := (com + c.offset + c.startLine) & 63
	lit := c.allOn || c.ram[row/8][segment]>>(row%8)&1 == 1
	if lit == (c.inverted != c.d.Inverted) {
		return color.RGBA{0, 0, 0, 0xff}
	}
	v := 0x60 + uint8(int(c.contrast)*0x9f/255)
	return color.RGBA{v, v, v, 0xff}
}

package lcd

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"payterm"
	"payterm/unifont"

	"golang.org/x/text/unicode/norm"
	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/gpio"
)

// What a PCF8574 on the back of the display is wired to, as nearly all are.
const (
	pinRS    = 0x01
	pinE     = 0x04
	pinLight = 0x08
)

// ownSign is one of 5 by 8 dots, the lowest bit at the right.
type ownSign struct {
	sign rune
	dots []byte
}

// ownSigns are signs that neither every HD44780 has where another has them nor the
// little font of small glasses.
var ownSigns = []ownSign{
	{'¥', []byte{0x11, 0x0a, 0x1f, 0x04, 0x1f, 0x04, 0x04, 0x00}},
	{'€', []byte{0x07, 0x08, 0x1e, 0x08, 0x1e, 0x08, 0x07, 0x00}},
	{'£', []byte{0x06, 0x09, 0x08, 0x1c, 0x08, 0x08, 0x1f, 0x00}},
	{'•', []byte{0x00, 0x00, 0x0e, 0x0e, 0x0e, 0x00, 0x00, 0x00}},
}

// inRAM are the eight signs for which an HD44780 has character RAM: besides those,
// a full cell for the test pattern and the letters without which French reads worst.
// Its other letters lose their marks.
var inRAM = append(ownSigns[:len(ownSigns):len(ownSigns)], []ownSign{
	{filled, []byte{0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f}},
	{'é', []byte{0x02, 0x04, 0x0e, 0x11, 0x1f, 0x10, 0x0e, 0x00}},
	{'è', []byte{0x08, 0x04, 0x0e, 0x11, 0x1f, 0x10, 0x0e, 0x00}},
	{'à', []byte{0x08, 0x04, 0x0e, 0x01, 0x0f, 0x11, 0x0f, 0x00}},
}...)

// own is the pattern of one of ownSigns, nil for another sign.
func own(r rune) []byte {
	for _, sign := range ownSigns {
		if sign.sign == r {
			return sign.dots
		}
	}
	return nil
}

// HD44780 drives a display of characters by four data lines behind a PCF8574 on
// I2C. It keeps what the glass holds, and sends only what changed. It is used by
// one goroutine.
type HD44780 struct {
	c     conn.Conn
	o     Options
	light byte
	line  gpio.PinOut // of a backlight beside the PCF8574's; may be nil
	cells [][]byte    // what the glass holds
	known bool        // cells are true
	pages [][]string  // of the screen that is shown
	at    pager
}

// NewHD44780 makes a driver of a display of Width by Height characters; Init wakes
// it.
func NewHD44780(w Wires, o Options) (*HD44780, error) {
	switch {
	case w.Conn == nil:
		return nil, errors.New("lcd: hd44780: no bus")
	case (o.Width != 16 || o.Height != 2) && (o.Width != 20 || o.Height != 4):
		return nil, fmt.Errorf("lcd: hd44780: %d by %d characters: 16 by 2, or 20 by 4", o.Width, o.Height)
	case o.Sleep == nil:
		return nil, errors.New("lcd: hd44780: no Sleep: the display needs pauses")
	}
	d := &HD44780{c: w.Conn, o: o, line: w.Backlight, cells: make([][]byte, o.Height)}
	for i := range d.cells {
		d.cells[i] = bytes.Repeat([]byte{' '}, o.Width)
	}
	return d, nil
}

// Init wakes the display dark; the first frame lights it.
func (d *HD44780) Init() error {
	d.known, d.light = false, 0
	if err := drive(d.line, gpio.Low); err != nil {
		return fmt.Errorf("lcd: hd44780: backlight: %w", err)
	}
	d.o.Sleep(50 * time.Millisecond) // after power-on
	return d.setUp(0x08)             // display off
}

// setUp brings the chip to four data lines, whatever it was at (data sheet,
// "initializing by instruction", 4-bit interface), and says what a reset forgot.
func (d *HD44780) setUp(display byte) error {
	for _, step := range []struct {
		nibble byte
		pause  time.Duration
	}{{0x30, 5 * time.Millisecond}, {0x30, time.Millisecond}, {0x30, time.Millisecond}, {0x20, time.Millisecond}} {
		if err := d.tx([]byte{d.light, step.nibble | d.light | pinE, step.nibble | d.light}); err != nil {
			return err
		}
		d.o.Sleep(step.pause)
	}
	// Two lines, 5 by 8 dots; to the right, no shift; the own signs.
	b := d.bytes(nil, 0, 0x28, display, 0x06, 0x40)
	for _, sign := range inRAM {
		b = d.bytes(b, pinRS, sign.dots...)
	}
	return d.tx(b)
}

// bytes appends what the PCF8574 is to be told so that the chip gets bytes: each
// half with E high, then low. RS is there before E rises. Two bytes on a bus of
// 400 kHz take 45 us, and an instruction 37.
func (d *HD44780) bytes(to []byte, rs byte, values ...byte) []byte {
	to = append(to, rs|d.light)
	for _, v := range values {
		for _, half := range []byte{v & 0xf0, v << 4} {
			to = append(to, half|rs|d.light|pinE, half|rs|d.light)
		}
	}
	return to
}

func (d *HD44780) tx(b []byte) error {
	if err := d.c.Tx(b, nil); err != nil {
		return fmt.Errorf("lcd: hd44780: %w", err)
	}
	return nil
}

// Refresh is Display's.
func (d *HD44780) Refresh() error {
	if !d.known {
		return nil
	}
	d.known = false
	if err := d.setUp(0x0c); err != nil { // display on: it is not to blink
		return err
	}
	return d.whole()
}

// whole sends all rows, in the order in which the chip's address walks through them,
// and lights the display.
func (d *HD44780) whole() error {
	d.light = pinLight
	var b []byte
	next := -1
	for _, row := range [...]int{0, 2, 1, 3} {
		if row >= d.o.Height {
			continue
		}
		if d.start(row) != next {
			b = d.bytes(b, 0, 0x80|byte(d.start(row)))
		}
		b = d.bytes(b, pinRS, d.cells[row]...)
		next = d.start(row) + d.o.Width
	}
	if err := d.tx(d.bytes(b, 0, 0x0c)); err != nil { // on, without a cursor
		return err
	}
	if err := drive(d.line, gpio.High); err != nil {
		return fmt.Errorf("lcd: hd44780: backlight: %w", err)
	}
	d.known = true
	return nil
}

// Show is Display's.
func (d *HD44780) Show(s payterm.Screen) error {
	var fits bool
	s = legible(s, Letters)
	g := cells(d.o.Width, d.o.Height)
	if d.pages, fits = g.pages(s); s.Pattern {
		d.pages = g.patternPages(s)
	}
	err := d.send(d.pages[d.at.of(s.Name, len(d.pages))])
	switch {
	case err != nil:
		return err
	case s.QR != "":
		return fmt.Errorf("%w: this one has characters only", ErrQRTooSmall)
	case !fits:
		return fmt.Errorf("%w: screen %q: %s", ErrDoesNotFit, s.Name, s.Amount)
	}
	return nil
}

// Turn is Display's.
func (d *HD44780) Turn() error {
	if !d.at.turn(len(d.pages)) {
		return nil
	}
	return d.send(d.pages[d.at.page])
}

// CanShow is Display's: never.
func (d *HD44780) CanShow(string) bool { return false }

// send brings rows of text onto the glass.
func (d *HD44780) send(rows []string) error {
	known := d.known
	d.known = false // until all of it is sent
	for i, cells := range d.cells {
		text := ""
		if i < len(rows) {
			text = rows[i]
		}
		from, to := d.o.Width, 0
		for x, b := range d.encode(text) {
			if cells[x] != b {
				cells[x] = b
				from, to = min(from, x), x+1
			}
		}
		if known && from < to {
			if err := d.write(i, from, to); err != nil {
				return err
			}
		}
	}
	if !known {
		return d.whole()
	}
	d.known = true
	return nil
}

// encode gives the display's codes of a row, filled up with blanks.
func (d *HD44780) encode(text string) []byte {
	row := bytes.Repeat([]byte{' '}, d.o.Width)
	x := 0
	for _, r := range text {
		if x == len(row) {
			break
		}
		row[x] = code(r)
		x++
	}
	return row
}

// code is a sign's address in the display's character ROM, where all ROMs agree,
// or in its RAM.
func code(r rune) byte {
	for i, sign := range inRAM {
		if sign.sign == r {
			return byte(8 + i) // the RAM has addresses 0 to 7 and again from 8 on
		}
	}
	switch r {
	case '\u00a0':
		return ' '
	case '\\': // the Japanese ROM has a yen there
		return '/'
	case '~': // and an arrow
		return '-'
	}
	return byte(r)
}

// Letters is what a display of characters makes of a text: signs of ASCII and those in
// its RAM. Other letters lose their marks, and what has no letter is a question mark.
func Letters(text string) string {
	var b strings.Builder
	for sign := range unifont.Signs(unifont.Legible(text)) {
		r, _ := utf8.DecodeRuneInString(sign)
		base, _ := utf8.DecodeRuneInString(norm.NFD.String(string(r)))
		other, same := unifont.Alike(r)
		stroke, has := strokes[r]
		switch {
		case r == '\u00a0', r < utf8.RuneSelf, slices.ContainsFunc(inRAM, func(s ownSign) bool { return s.sign == r }):
			b.WriteRune(r)
		case same:
			b.WriteString(other)
		case has:
			b.WriteString(stroke)
		case base > ' ' && base < utf8.RuneSelf:
			b.WriteRune(base)
		default:
			b.WriteRune(unifont.StandIn)
		}
	}
	return b.String()
}

// strokes are letters that Unicode does not take apart.
var strokes = map[rune]string{
	'Đ': "D", 'đ': "d", 'Ø': "O", 'ø': "o", 'Ł': "L", 'ł': "l", 'Ħ': "H", 'ħ': "h", 'ı': "i", 'Æ': "AE", 'æ': "ae", 'Œ': "OE", 'œ': "oe", 'ß': "ss", 'ẞ': "SS",
	'™': "TM", '№': "No", '«': "<<", '»': ">>", '×': "x", '·': ".", 'ﬁ': "fi", 'ﬂ': "fl",
}

// write sends cells of one row behind their address.
func (d *HD44780) write(row, from, to int) error {
	b := d.bytes(nil, 0, 0x80|byte(d.start(row)+from))
	return d.tx(d.bytes(b, pinRS, d.cells[row][from:to]...))
}

// start is the address of a row's first cell: the third row goes on where the first
// ends.
func (d *HD44780) start(row int) int {
	return [...]int{0x00, 0x40, d.o.Width, 0x40 + d.o.Width}[row]
}

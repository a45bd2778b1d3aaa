package lcd

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"payterm/unifont"

	"periph.io/x/conn/v3/gpio"
)

// How a PCF8574 on the back of the display is connected, on nearly all modules.
const (
	pinRS    = 0x01
	pinE     = 0x04
	pinLight = 0x08
)

// HD44780 drives a character display with four data lines, behind a PCF8574 on I2C or on GPIO
// lines. It keeps a copy of the glass and sends changes only. It is used by one goroutine.
type HD44780 struct {
	wire  *wire
	o     Options
	light byte
	line  gpio.PinOut // of a backlight not on the PCF8574; may be nil
	rom   unifont.ROM
	signs signs    // drawn in the CGRAM
	drawn bool     // the CGRAM holds signs
	cells [][]byte // content of the glass
	known bool     // cells are up to date
}

// signs are the characters drawn in the CGRAM, by their place; 0 where there is none.
type signs [8]rune

// dots returns the eight rows of dots of a place.
func (s signs) dots(place int) []byte {
	cell, _ := unifont.CellOf(s[place])
	return cell.Dots[:]
}

// NewHD44780 makes a driver of a display of Width by Height characters; call Init next.
func NewHD44780(w Wires, o Options) (*HD44780, error) {
	if w.Conn == nil && w.RS != nil && w.Enable != nil && len(w.Data) == 4 && o.Sleep != nil {
		w.Conn = &pins{rs: w.RS, enable: w.Enable, data: w.Data, sleep: o.Sleep, known: -1}
	}
	switch {
	case w.Conn == nil:
		return nil, errors.New("lcd: hd44780: no bus")
	case (o.Width != 16 || o.Height != 2) && (o.Width != 20 || o.Height != 4):
		return nil, fmt.Errorf("lcd: hd44780: %d by %d characters: 16 by 2, or 20 by 4", o.Width, o.Height)
	case o.Sleep == nil:
		return nil, errors.New("lcd: hd44780: no Sleep: the display needs pauses")
	}
	d := &HD44780{
		wire: newWire(w.Conn), o: o, line: w.Backlight, cells: make([][]byte, o.Height), rom: unifont.ROM(o.ROM),
	}
	for place := range d.signs { // those that cannot be replaced by a letter, and the most frequent letters
		d.signs[place] = unifont.Cells[place].Sign
	}
	for i := range d.cells {
		d.cells[i] = bytes.Repeat([]byte{' '}, o.Width)
	}
	return d, nil
}

// Init initialises the display and leaves it dark; the first frame lights it.
func (d *HD44780) Init() error {
	d.known, d.light = false, 0
	if err := drive(d.line, gpio.Low); err != nil {
		return fmt.Errorf("lcd: hd44780: backlight: %w", err)
	}
	d.o.Sleep(50 * time.Millisecond) // after power-on
	return d.setUp(0x08)             // display off
}

// setUp switches the chip to four data lines from any state (data sheet, "initializing by
// instruction", 4-bit interface), and sets all that a reset cleared.
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
	// Two lines, 5 by 8 dots; increment, no shift; CGRAM address.
	b := d.bytes(nil, 0, 0x28, display, 0x06, 0x40)
	for place := range d.signs {
		b = d.bytes(b, pinRS, d.signs.dots(place)...)
	}
	return d.draw(b)
}

// draw sends bytes after which the CGRAM holds the signs.
func (d *HD44780) draw(b []byte) error {
	d.drawn = false
	err := d.tx(b)
	d.drawn = err == nil
	return err
}

// bytes appends the PCF8574 states that send bytes to the chip: each half with E high, then low.
// RS is set before E rises. Two bytes on a bus of 400 kHz take 45 us, and an instruction 37.
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
	if err := d.wire.send(nil, b); err != nil {
		return fmt.Errorf("lcd: hd44780: %w", err)
	}
	return nil
}

// Refresh implements Display.
func (d *HD44780) Refresh() error {
	if !d.known {
		return nil
	}
	d.known = false
	if err := d.setUp(0x0c); err != nil { // display stays on: no blinking
		return err
	}
	return d.whole()
}

// whole sends all rows, in the order of the chip's address counter, and lights the display.
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

// ROM returns the display's character ROM.
func (d *HD44780) ROM() unifont.ROM { return d.rom }

// Write shows rows of text, filled with spaces. A character that is not in the ROM is drawn (unifont.Cells), up to
// eight of them; further letters lose their accents, those that are rarest on this page first. Other characters
// become a question mark.
func (d *HD44780) Write(rows []string) error {
	if len(rows) > d.o.Height {
		return fmt.Errorf("lcd: hd44780: %d rows on a display of %d", len(rows), d.o.Height)
	}
	for _, row := range rows {
		if n := utf8.RuneCountInString(row); n > d.o.Width {
			return fmt.Errorf("lcd: hd44780: %d characters on a row of %d", n, d.o.Width)
		}
	}
	known := d.known
	d.known = false // until all of it is sent
	if err := d.redraw(rows, d.assign(d.wanted(rows)), known); err != nil {
		return err
	}
	if err := d.put(rows, d.signs, known); err != nil {
		return err
	}
	if !known {
		return d.whole()
	}
	d.known = true
	return nil
}

// wanted returns the characters of a page that have to be drawn, at most eight: first those that nothing can
// replace, then the most frequent ones.
func (d *HD44780) wanted(rows []string) []rune {
	type use struct {
		cell  unifont.Cell
		times int
	}
	var uses []use
	for _, cell := range unifont.Cells {
		times := 0
		for _, row := range rows {
			times += strings.Count(row, string(cell.Sign))
		}
		if _, coded := d.rom.Code(cell.Sign); !coded && times > 0 {
			uses = append(uses, use{cell, times})
		}
	}
	slices.SortStableFunc(uses, func(a, b use) int {
		if bare := a.cell.Bare == 0; bare != (b.cell.Bare == 0) {
			if bare {
				return -1
			}
			return 1
		}
		return b.times - a.times
	})
	var list []rune
	for _, u := range uses[:min(len(d.signs), len(uses))] {
		list = append(list, u.cell.Sign)
	}
	return list
}

// assign returns the signs with the wanted ones among them. A sign that is there stays in its place. A new one takes
// a place that is not on the glass, if there is one.
func (d *HD44780) assign(wanted []rune) signs {
	next := d.signs
	for _, r := range wanted {
		if slices.Contains(next[:], r) {
			continue
		}
		at := slices.IndexFunc(next[:], func(had rune) bool { return !slices.Contains(wanted, had) })
		if at < 0 { // each place is wanted: the rest is written by letters
			break
		}
		for place, had := range next {
			if !slices.Contains(wanted, had) && d.onGlass(at) && !d.onGlass(place) {
				at = place
			}
		}
		next[at] = r
	}
	return next
}

// onGlass reports whether a drawn sign is on the glass now.
func (d *HD44780) onGlass(place int) bool {
	return slices.ContainsFunc(d.cells, func(row []byte) bool { return bytes.IndexByte(row, signCode(place)) >= 0 })
}

// redraw draws the signs that are new. A sign on the glass would change there before its text does, so the new text
// is written first with bare letters in the new signs' places.
func (d *HD44780) redraw(rows []string, next signs, known bool) error {
	var b []byte
	staying, seen := d.signs, false
	for place, r := range next {
		if d.drawn && r == d.signs[place] {
			continue
		}
		staying[place] = 0
		seen = seen || known && d.onGlass(place)
		b = d.bytes(b, 0, 0x40|byte(8*place))
		b = d.bytes(b, pinRS, next.dots(place)...)
	}
	if seen {
		if err := d.put(rows, staying, true); err != nil {
			return err
		}
	}
	if d.signs = next; b == nil {
		return nil
	}
	return d.draw(b)
}

// put sets the cells to rows of text, and sends those that changed.
func (d *HD44780) put(rows []string, drawn signs, send bool) error {
	for i, cells := range d.cells {
		text := ""
		if i < len(rows) {
			text = rows[i]
		}
		from, to := d.o.Width, 0
		for x, b := range d.encode(text, drawn) {
			if cells[x] != b {
				cells[x] = b
				from, to = min(from, x), x+1
			}
		}
		if send && from < to {
			if err := d.write(i, from, to); err != nil {
				return err
			}
		}
	}
	return nil
}

// encode returns the display's codes of a row, filled with spaces.
func (d *HD44780) encode(text string, drawn signs) []byte {
	row := make([]byte, 0, d.o.Width)
	for _, r := range text {
		row = append(row, d.code(r, drawn))
	}
	return append(row, bytes.Repeat([]byte{' '}, d.o.Width-len(row))...)
}

// code is a character's code in the ROM, or of its place in the CGRAM, or that of its bare letter.
func (d *HD44780) code(r rune, drawn signs) byte {
	if code, has := d.rom.Code(r); has {
		return code
	}
	if place := slices.Index(drawn[:], r); place >= 0 {
		return signCode(place)
	}
	switch cell, drawable := unifont.CellOf(r); {
	case r == '\\': // a yen sign in the Japanese ROM
		return '/'
	case r == '~': // an arrow there
		return '-'
	case drawable && cell.Bare != 0:
		return byte(cell.Bare)
	}
	return '?'
}

// signCode is the code of a place in the CGRAM. Its places are 0 to 7 and again 8 to 15.
func signCode(place int) byte { return byte(8 + place) }

// write sends cells of one row after their address.
func (d *HD44780) write(row, from, to int) error {
	b := d.bytes(nil, 0, 0x80|byte(d.start(row)+from))
	return d.tx(d.bytes(b, pinRS, d.cells[row][from:to]...))
}

// start is the address of a row's first cell: the third row continues the first.
func (d *HD44780) start(row int) int {
	return [...]int{0x00, 0x40, d.o.Width, 0x40 + d.o.Width}[row]
}

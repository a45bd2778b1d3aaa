package lcd

import (
	"errors"
	"fmt"
	"image"
	"time"

	"periph.io/x/conn/v3/gpio"
)

// The RAM is 128 columns (132 of an SH1106, whose glass lies at an offset of 2) of 8
// pages: a byte is 8 dots of a column, the lowest bit at the top.
const (
	oledColumns = 132
	oledHeight  = 64
)

// SSD1306 drives a small OLED of 128 by 64 dots or a part of it, on SPI with a D/C
// line or on I2C. It keeps what the glass holds, and sends only what changed. It is
// used by one goroutine.
type SSD1306 struct {
	wire                 *wire
	dc, reset, backlight gpio.PinOut // without dc it is I2C
	o                    Options
	ram                  [][]byte // by page and column of the glass
	all                  []byte   // the same, page by page
	known                bool     // ram is what the glass holds
}

// comPins are the ways to wire the rows of a glass: in sequence or alternately, from the left
// or from the right (data sheet, command DAh).
var comPins = map[string]byte{
	"sequential": 0x02, "alternative": 0x12, "sequential_remap": 0x22, "alternative_remap": 0x32,
}

// NewSSD1306 makes a driver; Init wakes the display. Without a D/C line it speaks
// I2C.
func NewSSD1306(w Wires, o Options) (*SSD1306, error) {
	switch {
	case w.Conn == nil:
		return nil, errors.New("lcd: ssd1306: no bus")
	case o.OffsetX < 0 || o.Width < 64 || o.Width > oledColumns-o.OffsetX:
		return nil, fmt.Errorf("lcd: ssd1306: %d columns from column %d: 64 to %d in all", o.Width, o.OffsetX,
			oledColumns)
	case o.Height < 32 || o.Height > oledHeight || o.Height%8 != 0:
		return nil, fmt.Errorf("lcd: ssd1306: %d rows: 32 to %d, in eights", o.Height, oledHeight)
	case o.Rotation%180 != 0:
		return nil, fmt.Errorf("lcd: ssd1306: rotation %d: 0 or 180", o.Rotation)
	case o.Contrast < 1 || o.Contrast > 255:
		return nil, fmt.Errorf("lcd: ssd1306: contrast %d: 1 to 255", o.Contrast)
	case o.COMPins != "" && comPins[o.COMPins] == 0:
		return nil, fmt.Errorf("lcd: ssd1306: COM pins %q", o.COMPins)
	case o.Sleep == nil:
		return nil, errors.New("lcd: ssd1306: no Sleep: a reset needs pauses")
	}
	d := &SSD1306{
		wire: newWire(w.Conn), dc: w.DC, reset: w.Reset, backlight: w.Backlight, o: o,
		ram: make([][]byte, o.Height/8), all: make([]byte, o.Height/8*o.Width),
	}
	for page := range d.ram {
		d.ram[page] = d.all[page*o.Width : (page+1)*o.Width]
	}
	return d, nil
}

// Init resets the display and brings it up dark; the first frame lights it.
func (d *SSD1306) Init() error {
	d.known = false
	if err := drive(d.backlight, gpio.High); err != nil {
		return fmt.Errorf("lcd: ssd1306: backlight: %w", err)
	}
	if d.reset != nil {
		if err := pulse(d.reset, d.o.Sleep); err != nil {
			return fmt.Errorf("lcd: ssd1306: reset: %w", err)
		}
	} else {
		d.o.Sleep(time.Millisecond) // its own power-on reset
	}
	if err := d.command(filler, filler, 0xae); err != nil { // off
		return err
	}
	return d.setUp()
}

// filler ends a command whose arguments, two at the most, did not come because a
// transfer broke off: as an argument every command takes it, and as a command it sets
// a column that the next window sets again. A new transfer begins no new command.
const filler = 0x12

// setUp sets everything that a reset cleared (data sheet, chapter 10 and the flow
// of its application note, "software initialization").
func (d *SSD1306) setUp() error {
	segments, scan := byte(0xa1), byte(0xc8) // how nearly all modules are mounted
	if (d.o.Rotation == 180) != d.o.MirrorX {
		segments = 0xa0
	}
	if (d.o.Rotation == 180) != d.o.MirrorY {
		scan = 0xc0
	}
	pins := comPins["alternative"]
	if d.o.Height == 32 {
		pins = comPins["sequential"] // as such a glass is wired
	}
	if said, ok := comPins[d.o.COMPins]; ok {
		pins = said
	}
	shines := byte(0xa6) // a set bit does
	if d.o.Inverted {
		shines = 0xa7
	}
	return d.command(
		filler, filler,
		0xd5, 0x80, // clock
		0xa8, byte(d.o.Height-1), // multiplex ratio
		0xd3, 0x00, // display offset
		0x40,       // start line
		0x8d, 0x14, // charge pump on
		0x20, 0x02, // page addressing
		segments, scan,
		0xda, pins, // of COM
		0x81, byte(d.o.Contrast),
		0xd9, 0xf1, // pre-charge, for the charge pump
		0xdb, 0x40, // VCOMH
		0xa4, // show the RAM
		shines,
	)
}

// Refresh is Display's.
func (d *SSD1306) Refresh() error {
	if !d.known {
		return nil
	}
	d.known = false
	if err := d.setUp(); err != nil {
		return err
	}
	return d.whole()
}

// whole sends all of the RAM and lights the display. An SSD1306 takes it through one
// window; an SH1106, whose RAM is wider, knows pages only.
func (d *SSD1306) whole() error {
	from, to := d.o.OffsetX, d.o.OffsetX+d.o.Width-1
	if to < 128 {
		if err := d.command(0x20, 0x00, 0x22, 0, byte(len(d.ram)-1), 0x21, byte(from), byte(to)); err != nil {
			return err
		}
		if err := d.tx(0x40, gpio.High, d.all); err != nil {
			return fmt.Errorf("lcd: ssd1306: frame: %w", err)
		}
		if err := d.command(0x20, 0x02); err != nil { // page addressing
			return err
		}
	} else {
		for page := range d.ram {
			if err := d.write(page, 0, d.o.Width); err != nil {
				return err
			}
		}
	}
	if err := d.command(0xaf); err != nil {
		return err
	}
	d.known = true
	return nil
}

// worth is how many columns that stay are sent again: beginning anew behind them costs
// as much on I2C, two addresses, two control bytes and three commands.
const worth = 7

// Send brings an image of the glass's size onto the glass: what is lighter than
// half is lit.
func (d *SSD1306) Send(img *image.RGBA) error {
	if img.Rect != image.Rect(0, 0, d.o.Width, d.o.Height) {
		return fmt.Errorf("lcd: ssd1306: an image of %v on a glass of %dx%d", img.Rect, d.o.Width, d.o.Height)
	}
	known := d.known
	d.known = false // until all of it is sent
	for page, row := range d.ram {
		from, to := d.o.Width, 0
		for x := range row {
			if b := column(img, x, 8*page); b != row[x] {
				if known && from < to && x-to > worth {
					if err := d.write(page, from, to); err != nil {
						return err
					}
					from = x
				}
				row[x] = b
				from, to = min(from, x), x+1
			}
		}
		if known && from < to {
			if err := d.write(page, from, to); err != nil {
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

// column packs 8 dots, the lowest bit at the top.
func column(img *image.RGBA, x, y int) (b byte) {
	for i := range 8 {
		p := img.Pix[(y+i)*img.Stride+4*x:]
		if 2*int(p[0])+5*int(p[1])+int(p[2]) >= 8*128 {
			b |= 1 << i
		}
	}
	return b
}

// write sends columns of one page, behind the page and the first column. These
// commands have no arguments that could get lost.
func (d *SSD1306) write(page, from, to int) error {
	at := from + d.o.OffsetX
	if err := d.command(0xb0|byte(page), byte(at&0x0f), 0x10|byte(at>>4)); err != nil {
		return err
	}
	if err := d.tx(0x40, gpio.High, d.ram[page][from:to]); err != nil {
		return fmt.Errorf("lcd: ssd1306: page %d: %w", page, err)
	}
	return nil
}

// command sends commands with their arguments.
func (d *SSD1306) command(b ...byte) error {
	if err := d.tx(0x00, gpio.Low, b); err != nil {
		return fmt.Errorf("lcd: ssd1306: command %#02x: %w", b[0], err)
	}
	return nil
}

// tx sends bytes as commands or as dots: on SPI by the D/C line, on I2C behind a
// control byte.
func (d *SSD1306) tx(control byte, level gpio.Level, b []byte) error {
	if d.dc != nil {
		if err := d.dc.Out(level); err != nil {
			return fmt.Errorf("D/C: %w", err)
		}
		return d.wire.send(nil, b)
	}
	return d.wire.send([]byte{control}, b)
}

package lcd

import (
	"errors"
	"fmt"
	"image"
	"time"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/gpio"
)

// ssd1306 is 128 by 64 dots in 8 pages: a byte is a column of 8 dots of a page, the
// lowest bit at the top.
const (
	oledWidth  = 128
	oledHeight = 64
	oledPages  = oledHeight / 8
)

// SSD1306 drives a small OLED of 128 by 64 dots, on SPI with a D/C line or on I2C.
// It keeps what the glass holds, and sends only what changed. It is used by one
// goroutine.
type SSD1306 struct {
	pixels
	c                    conn.Conn
	dc, reset, backlight gpio.PinOut // without dc it is I2C
	o                    Options
	ram                  [oledPages][oledWidth]byte
	known                bool // ram is what the glass holds
}

// NewSSD1306 makes a driver; Init wakes the display. Without a D/C line it speaks
// I2C.
func NewSSD1306(w Wires, o Options) (*SSD1306, error) {
	switch {
	case w.Conn == nil:
		return nil, errors.New("lcd: ssd1306: no bus")
	case o.Width != oledWidth || o.Height != oledHeight || o.Rotation%180 != 0:
		return nil, fmt.Errorf("lcd: ssd1306: %d by %d at rotation %d: %d by %d at 0 or 180", o.Width, o.Height, o.Rotation, oledWidth, oledHeight)
	case o.Contrast < 1 || o.Contrast > 255:
		return nil, fmt.Errorf("lcd: ssd1306: contrast %d: 1 to 255", o.Contrast)
	case o.Sleep == nil:
		return nil, errors.New("lcd: ssd1306: no Sleep: a reset needs pauses")
	}
	painter, err := newMonoPainter(o.Width, o.Height)
	if err != nil {
		return nil, err
	}
	d := &SSD1306{c: w.Conn, dc: w.DC, reset: w.Reset, backlight: w.Backlight, o: o}
	d.pixels = pixels{painter, d.Send}
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
	if err := d.command(filler, 0xae); err != nil { // off
		return err
	}
	return d.setUp()
}

// filler ends a command whose argument did not come because a transfer broke off:
// as an argument every command takes it, and as a command it sets a column that
// the next window sets again. A new transfer begins no new command.
const filler = 0x12

// setUp says everything that a reset forgot (data sheet, chapter 10 and the flow
// of its application note, "software initialization").
func (d *SSD1306) setUp() error {
	segments, scan := byte(0xa1), byte(0xc8) // how nearly all modules are mounted
	if (d.o.Rotation == 180) != d.o.MirrorX {
		segments = 0xa0
	}
	if (d.o.Rotation == 180) != d.o.MirrorY {
		scan = 0xc0
	}
	return d.command(
		filler,
		0xd5, 0x80, // clock
		0xa8, oledHeight-1, // multiplex ratio
		0xd3, 0x00, // display offset
		0x40,       // start line
		0x8d, 0x14, // charge pump on
		0x20, 0x02, // page addressing
		segments, scan,
		0xda, 0x12, // COM pins: alternative
		0x81, byte(d.o.Contrast),
		0xd9, 0xf1, // pre-charge, for the charge pump
		0xdb, 0x40, // VCOMH
		0xa4, // show the RAM
		0xa6, // a set bit shines
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

// whole sends all of the RAM and lights the display.
func (d *SSD1306) whole() error {
	for page := range oledPages {
		if err := d.write(page, 0, oledWidth); err != nil {
			return err
		}
	}
	if err := d.command(0xaf); err != nil {
		return err
	}
	d.known = true
	return nil
}

// Send brings an image of the glass's size onto the glass: what is lighter than
// half is lit.
func (d *SSD1306) Send(img *image.RGBA) error {
	if img.Rect != image.Rect(0, 0, oledWidth, oledHeight) {
		return fmt.Errorf("lcd: ssd1306: an image of %v on a glass of %dx%d", img.Rect, oledWidth, oledHeight)
	}
	known := d.known
	d.known = false // until all of it is sent
	for page := range oledPages {
		from, to := oledWidth, 0
		for x := range oledWidth {
			if b := column(img, x, 8*page); b != d.ram[page][x] {
				d.ram[page][x] = b
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
	if err := d.command(0xb0|byte(page), byte(from&0x0f), 0x10|byte(from>>4)); err != nil {
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
		return d.c.Tx(b, nil) // of a page, 128 bytes: any bus takes that
	}
	return d.c.Tx(append([]byte{control}, b...), nil)
}

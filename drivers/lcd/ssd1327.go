package lcd

import (
	"fmt"
	"image"
	"time"

	"periph.io/x/conn/v3/gpio"
)

// An SSD1327 has 128 by 128 dots of 16 greys: a byte is two adjacent dots.
const (
	greySide = 128
	greyRow  = greySide / 2
)

// Grey drives a grey OLED on SPI with a D/C line or on I2C. It keeps a copy of the glass and
// sends changes only. It is used by one goroutine.
type Grey struct {
	wire                 *wire
	dc, reset, backlight gpio.PinOut // nil dc means I2C
	o                    Options
	ram                  [greySide * greyRow]byte
	known                bool // ram is up to date
}

// NewSSD1327 makes a driver of an SSD1327; call Init next.
func NewSSD1327(w Wires, o Options) (*Grey, error) {
	switch {
	case w.Conn == nil:
		return nil, fmt.Errorf("lcd: ssd1327: no bus")
	case o.Width != greySide || o.Height != greySide:
		return nil, fmt.Errorf("lcd: ssd1327: %d by %d dots: %d by %d", o.Width, o.Height, greySide, greySide)
	case o.Rotation%180 != 0:
		return nil, fmt.Errorf("lcd: ssd1327: rotation %d: 0 or 180", o.Rotation)
	case o.Contrast < 1 || o.Contrast > 255:
		return nil, fmt.Errorf("lcd: ssd1327: contrast %d: 1 to 255", o.Contrast)
	case o.Sleep == nil:
		return nil, fmt.Errorf("lcd: ssd1327: no Sleep: a reset needs pauses")
	}
	return &Grey{wire: newWire(w.Conn), dc: w.DC, reset: w.Reset, backlight: w.Backlight, o: o}, nil
}

// greyFiller ends a command whose arguments were lost, as oledFiller does; here it is NOP.
const greyFiller = 0xe3

// Init resets the display and leaves it dark; the first frame lights it.
func (d *Grey) Init() error {
	d.known = false
	if err := drive(d.backlight, gpio.High); err != nil {
		return fmt.Errorf("lcd: ssd1327: backlight: %w", err)
	}
	if d.reset != nil {
		if err := pulse(d.reset, d.o.Sleep); err != nil {
			return fmt.Errorf("lcd: ssd1327: reset: %w", err)
		}
	} else {
		d.o.Sleep(time.Millisecond) // its own power-on reset
	}
	if err := d.command(greyFiller, greyFiller, 0xae); err != nil { // off
		return err
	}
	return d.setUp()
}

// setUp sets all that a reset cleared (data sheet, chapter 10).
func (d *Grey) setUp() error {
	remap := byte(0x51) // columns and rows reversed, rows split: how modules are mounted
	if (d.o.Rotation == 180) != d.o.MirrorX {
		remap ^= 0x03 // columns, and with them the dots of a byte
	}
	if (d.o.Rotation == 180) != d.o.MirrorY {
		remap ^= 0x10
	}
	shows := byte(0xa4)
	if d.o.Inverted {
		shows = 0xa7
	}
	return d.command(
		greyFiller, greyFiller,
		0xa0, remap,
		0xa1, 0x00, // start line
		0xa2, 0x00, // display offset
		0xa8, greySide-1, // multiplex ratio
		0xab, 0x01, // its own supply of logic
		0xb1, 0xf1, // phases
		0xb3, 0x00, // clock
		0xb6, 0x0f, // second pre-charge
		0xb9,       // greys in equal steps
		0xbc, 0x08, // pre-charge
		0xbe, 0x0f, // VCOMH
		0xd5, 0x62,
		0x81, byte(d.o.Contrast),
		shows,
	)
}

// Refresh implements Display.
func (d *Grey) Refresh() error {
	if !d.known {
		return nil
	}
	d.known = false
	if err := d.setUp(); err != nil {
		return err
	}
	return d.whole()
}

// whole sends all rows and lights the display.
func (d *Grey) whole() error {
	if err := d.write(0, greySide, 0, greyRow); err != nil {
		return err
	}
	if err := d.command(0xaf); err != nil {
		return err
	}
	d.known = true
	return nil
}

// Send shows an image by its brightness.
func (d *Grey) Send(img *image.RGBA) error {
	if img.Rect != image.Rect(0, 0, greySide, greySide) {
		return fmt.Errorf("lcd: ssd1327: an image of %v on a glass of %dx%d", img.Rect, greySide, greySide)
	}
	known := d.known
	d.known = false // until all of it is sent
	top, from, to := 0, greyRow, 0
	flush := func(bottom int) error {
		if !known || from >= to {
			return nil
		}
		err := d.write(top, bottom, from, to)
		from, to = greyRow, 0
		return err
	}
	for y := range greySide {
		left, right := d.row(img, y)
		if left >= right || from < to && (left >= to || right <= from) {
			if err := flush(y); err != nil {
				return err
			}
		}
		if left < right {
			if from >= to {
				top = y
			}
			from, to = min(from, left), max(to, right)
		}
	}
	if err := flush(greySide); err != nil {
		return err
	}
	if !known {
		return d.whole()
	}
	d.known = true
	return nil
}

// row copies a row of an image and returns the range of changed bytes.
func (d *Grey) row(img *image.RGBA, y int) (from, to int) {
	from = greyRow
	for i := range greyRow {
		p := img.Pix[y*img.Stride+8*i:]
		if b := grey(p)<<4 | grey(p[4:]); b != d.ram[y*greyRow+i] {
			d.ram[y*greyRow+i] = b
			from, to = min(from, i), i+1
		}
	}
	return from, to
}

// grey is a pixel's brightness, 0 to 15.
func grey(p []byte) byte { return byte((2*int(p[0]) + 5*int(p[1]) + int(p[2])) / 8 >> 4) }

// write sends a rectangle after its window.
func (d *Grey) write(top, bottom, from, to int) error {
	if err := d.command(0x15, byte(from), byte(to-1), 0x75, byte(top), byte(bottom-1)); err != nil {
		return err
	}
	var b []byte
	for y := top; y < bottom; y++ {
		b = append(b, d.ram[y*greyRow+from:y*greyRow+to]...)
	}
	if err := d.tx(0x40, gpio.High, b); err != nil {
		return fmt.Errorf("lcd: ssd1327: rows from %d: %w", top, err)
	}
	return nil
}

// command sends commands with their arguments.
func (d *Grey) command(b ...byte) error {
	if err := d.tx(0x00, gpio.Low, b); err != nil {
		return fmt.Errorf("lcd: ssd1327: command %#02x: %w", b[0], err)
	}
	return nil
}

// tx sends bytes as commands or as dots: on SPI by the D/C line, on I2C after a control byte.
func (d *Grey) tx(control byte, level gpio.Level, b []byte) error {
	if d.dc == nil {
		return d.wire.send([]byte{control}, b)
	}
	if err := d.dc.Out(level); err != nil {
		return fmt.Errorf("D/C: %w", err)
	}
	return d.wire.send(nil, b)
}

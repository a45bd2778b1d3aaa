package lcd

import (
	"fmt"
	"image"
	"time"

	"periph.io/x/conn/v3/gpio"
)

// Dots drives a monochrome glass: a small OLED, or an LCD on glass (COG), on SPI with a D/C line
// or on I2C. The controllers' RAM has columns in pages of 8 rows: a byte is 8 dots of a column,
// the lowest bit at the top. The driver keeps a copy of the glass and sends changes only. It is
// used by one goroutine.
type Dots struct {
	chip                 dots
	wire                 *wire
	dc, reset, backlight gpio.PinOut // nil dc means I2C
	o                    Options
	width                int      // of the glass before rotation
	ram                  [][]byte // by page and column of the glass
	all                  []byte   // the same, page by page
	known                bool     // ram is up to date
}

func newDots(chip dots, w Wires, o Options) (*Dots, error) {
	width, height := o.Width, o.Height
	if chip.turns && o.Rotation%180 != 0 {
		width, height = height, width
		o.OffsetX, o.OffsetY = o.OffsetY, o.OffsetX
	}
	switch {
	case w.Conn == nil:
		return nil, fmt.Errorf("lcd: %s: no bus", chip.name)
	case o.OffsetX < 0 || width < 64 || width > chip.columns-o.OffsetX:
		return nil, fmt.Errorf("lcd: %s: %d columns from column %d: 64 to %d in all", chip.name, width, o.OffsetX,
			chip.columns)
	case height < 32 || height > chip.rows || height%8 != 0:
		return nil, fmt.Errorf("lcd: %s: %d rows: 32 to %d, in eights", chip.name, height, chip.rows)
	case o.Rotation%180 != 0 && !chip.turns || o.Rotation%90 != 0:
		return nil, fmt.Errorf("lcd: %s: rotation %d: 0 or 180", chip.name, o.Rotation)
	case o.Contrast < 1 || o.Contrast > 255:
		return nil, fmt.Errorf("lcd: %s: contrast %d: 1 to 255", chip.name, o.Contrast)
	case o.COMPins != "" && comPins[o.COMPins] == 0:
		return nil, fmt.Errorf("lcd: %s: COM pins %q", chip.name, o.COMPins)
	case o.Sleep == nil:
		return nil, fmt.Errorf("lcd: %s: no Sleep: a reset needs pauses", chip.name)
	}
	d := &Dots{
		chip: chip, wire: newWire(w.Conn), dc: w.DC, reset: w.Reset, backlight: w.Backlight, o: o, width: width,
		ram: make([][]byte, height/8), all: make([]byte, height/8*width),
	}
	for page := range d.ram {
		d.ram[page] = d.all[page*width : (page+1)*width]
	}
	return d, nil
}

// Init resets the display and leaves it dark; the first frame lights it.
func (d *Dots) Init() error {
	d.known = false
	if err := drive(d.backlight, gpio.Level(!d.chip.lcd)); err != nil {
		return fmt.Errorf("lcd: %s: backlight: %w", d.chip.name, err)
	}
	switch {
	case d.reset != nil:
		if err := pulse(d.reset, d.o.Sleep); err != nil {
			return fmt.Errorf("lcd: %s: reset: %w", d.chip.name, err)
		}
	case d.chip.lcd:
		if err := d.command(d.chip.filler, d.chip.filler, cmdLCDReset); err != nil {
			return err
		}
		d.o.Sleep(5 * time.Millisecond)
	default:
		d.o.Sleep(time.Millisecond) // its own power-on reset
	}
	if err := d.command(append([]byte{d.chip.filler, d.chip.filler, 0xae}, d.chip.dark...)...); err != nil { // off
		return err
	}
	return d.setUp()
}

// setUp sets all that a reset cleared.
func (d *Dots) setUp() error {
	if err := d.command(append([]byte{d.chip.filler, d.chip.filler}, d.chip.setUp(d)...)...); err != nil {
		return err
	}
	if d.chip.lcd { // wait for its supply
		d.o.Sleep(50 * time.Millisecond)
	}
	return nil
}

// Refresh implements Display.
func (d *Dots) Refresh() error {
	if !d.known {
		return nil
	}
	d.known = false
	if err := d.setUp(); err != nil {
		return err
	}
	return d.whole()
}

// whole sends all of the RAM and lights the display. An SSD1306 takes it through one window;
// others have page addressing only.
func (d *Dots) whole() error {
	from, to := d.o.OffsetX, d.o.OffsetX+d.width-1
	if d.chip.window && to < 128 { // 132 columns are those of an SH1106
		if err := d.command(0x20, 0x00, 0x22, 0, byte(len(d.ram)-1), 0x21, byte(from), byte(to)); err != nil {
			return err
		}
		if err := d.tx(0x40, gpio.High, d.all); err != nil {
			return fmt.Errorf("lcd: %s: frame: %w", d.chip.name, err)
		}
		if err := d.command(0x20, 0x02); err != nil { // page addressing
			return err
		}
	} else {
		for page := range d.ram {
			if err := d.write(page, 0, d.width); err != nil {
				return err
			}
		}
	}
	if err := d.command(0xaf); err != nil {
		return err
	}
	if d.chip.lcd {
		if err := drive(d.backlight, gpio.High); err != nil {
			return fmt.Errorf("lcd: %s: backlight: %w", d.chip.name, err)
		}
	}
	d.known = true
	return nil
}

// worth is up to how many unchanged columns are sent between changed ones: a new start costs as
// much on I2C, two addresses, two control bytes and three commands.
const worth = 7

// Send shows an image of the glass's size: pixels lighter than half are lit.
func (d *Dots) Send(img *image.RGBA) error {
	if img.Rect != image.Rect(0, 0, d.o.Width, d.o.Height) {
		return fmt.Errorf("lcd: %s: an image of %v on a glass of %dx%d", d.chip.name, img.Rect, d.o.Width, d.o.Height)
	}
	known := d.known
	d.known = false // until all of it is sent
	for page, row := range d.ram {
		from, to := d.o.Width, 0
		for x := range row {
			if b := d.column(img, x, 8*page); b != row[x] {
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

// column packs 8 dots of a column of the glass, the lowest bit at the top.
func (d *Dots) column(img *image.RGBA, x, y int) (b byte) {
	for i := range 8 {
		col, row := x, y+i
		if d.chip.turns {
			col, row = d.turned(col, row)
		}
		p := img.Pix[row*img.Stride+4*col:]
		if 2*int(p[0])+5*int(p[1])+int(p[2]) >= 8*128 {
			b |= 1 << i
		}
	}
	return b
}

// turned is the place in the picture of a dot of the glass, where the controller does not rotate.
func (d *Dots) turned(x, y int) (col, row int) {
	switch d.o.Rotation { // of the picture, clockwise
	case 0:
		col, row = x, y
	case 90:
		col, row = y, d.width-1-x
	case 180:
		col, row = d.width-1-x, 8*len(d.ram)-1-y
	case 270:
		col, row = 8*len(d.ram)-1-y, x
	}
	if d.o.MirrorX {
		col = d.o.Width - 1 - col
	}
	if d.o.MirrorY {
		row = d.o.Height - 1 - row
	}
	return col, row
}

// write sends columns of one page, after the page and the first column. These commands have no
// arguments that could get lost.
func (d *Dots) write(page, from, to int) error {
	at := from + d.o.OffsetX
	if err := d.command(0xb0|byte(page), byte(at&0x0f), 0x10|byte(at>>4)); err != nil {
		return err
	}
	if err := d.tx(0x40, gpio.High, d.ram[page][from:to]); err != nil {
		return fmt.Errorf("lcd: %s: page %d: %w", d.chip.name, page, err)
	}
	return nil
}

// command sends commands with their arguments.
func (d *Dots) command(b ...byte) error {
	if err := d.tx(0x00, gpio.Low, b); err != nil {
		return fmt.Errorf("lcd: %s: command %#02x: %w", d.chip.name, b[0], err)
	}
	return nil
}

// tx sends bytes as commands or as dots: on SPI by the D/C line, on I2C after a control byte.
func (d *Dots) tx(control byte, level gpio.Level, b []byte) error {
	if d.dc != nil {
		if err := d.dc.Out(level); err != nil {
			return fmt.Errorf("D/C: %w", err)
		}
		return d.wire.send(nil, b)
	}
	return d.wire.send([]byte{control}, b)
}

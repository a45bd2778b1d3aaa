package lcd

// How the controllers of dots differ.

// dots is a controller.
type dots struct {
	name          string
	columns, rows int
	window        bool // it takes a whole frame through a window, in horizontal addressing
	turns         bool // the driver rotates the picture, not the controller
	lcd           bool // transmissive, with a backlight and a reset command
	filler        byte
	dark          []byte // commands it takes only while it is off
	setUp         func(d *Dots) []byte
}

// A filler ends a command whose arguments, at most two, were lost in an interrupted transfer,
// because a new transfer does not begin a new command. As an argument every command accepts it,
// and as a command it is harmless: on OLEDs it sets a column, which the next window sets again;
// on LCDs it does nothing.
const (
	oledFiller  = 0x12
	lcdFiller   = 0xe3
	cmdLCDReset = 0xe2
)

// comPins are the ways to connect the rows of a glass: in sequence or alternately, from the left
// or from the right (data sheet of the SSD1306, command DAh).
var comPins = map[string]byte{
	"sequential": 0x02, "alternative": 0x12, "sequential_remap": 0x22, "alternative_remap": 0x32,
}

// converter switches the DC-DC converter of an SH1106 or SH1107 on, as after a reset; with an
// external supply it is harmless.
var converter = []byte{0xad, 0x8b}

// ssd1306 is set up as in its data sheet, chapter 10 and the flow of its application note
// ("software initialization"). With 132 columns it is an SH1106, as far as the commands agree.
var ssd1306 = dots{name: "ssd1306", columns: 132, rows: 64, window: true, filler: oledFiller,
	setUp: func(d *Dots) []byte {
		segments, scan := d.mounted()
		return []byte{
			0xd5, 0x80, // clock
			0xa8, byte(8*len(d.ram) - 1), // multiplex ratio
			0xd3, 0x00, // display offset
			0x40,       // start line
			0x8d, 0x14, // charge pump on
			0x20, 0x02, // page addressing
			segments, scan,
			0xda, d.pins(), // of COM
			0x81, byte(d.o.Contrast),
			0xd9, 0xf1, // pre-charge, for the charge pump
			0xdb, 0x40, // VCOMH
			0xa4, // show the RAM
			d.shines(),
		}
	}}

// ssd1309 is an SSD1306 for larger glasses with an external supply; it has a command lock.
var ssd1309 = dots{name: "ssd1309", columns: 128, rows: 64, window: true, filler: oledFiller,
	setUp: func(d *Dots) []byte {
		segments, scan := d.mounted()
		return []byte{
			0xfd, 0x12, // open
			0xd5, 0xa0, // clock
			0xa8, byte(8*len(d.ram) - 1),
			0xd3, 0x00,
			0x40,
			0x20, 0x02,
			segments, scan,
			0xda, d.pins(),
			0x81, byte(d.o.Contrast),
			0xd9, 0x25, // pre-charge
			0xdb, 0x34, // VCOMH
			0xa4,
			d.shines(),
		}
	}}

// sh1106 has 132 columns, of which nearly all glasses show those from the third on, and page
// addressing only.
var sh1106 = dots{name: "sh1106", columns: 132, rows: 64, filler: oledFiller, dark: converter,
	setUp: func(d *Dots) []byte {
		segments, scan := d.mounted()
		return []byte{
			0xd5, 0x80,
			0xa8, byte(8*len(d.ram) - 1),
			0xd3, 0x00,
			0x40,
			0x32, // the converter's voltage, 8.0 V
			segments, scan,
			0xda, d.pins(),
			0x81, byte(d.o.Contrast),
			0xd9, 0x1f,
			0xdb, 0x40,
			0xa4,
			d.shines(),
		}
	}}

// sh1107 has 128 columns and 128 rows. Its glasses of 64 by 128 are used in landscape, and their
// first row is not the RAM's: offset_y, as the display offset.
var sh1107 = dots{name: "sh1107", columns: 128, rows: 128, turns: true, filler: oledFiller, dark: converter,
	setUp: func(d *Dots) []byte {
		return []byte{
			0xd5, 0x51,
			0xa8, 0x7f, // all rows; a glass that shows fewer leaves the others out
			0xd3, byte(d.o.OffsetY),
			0xdc, 0x00, // start line
			0x20, // page addressing
			0xa0, 0xc0,
			0x81, byte(d.o.Contrast),
			0xd9, 0x22,
			0xdb, 0x35,
			0xa4,
			d.shines(),
		}
	}}

// The controllers of LCDs on glass have 132 columns; mounted the other way they show those from
// the fifth on. Their contrast has 6 bits.
var (
	uc1701 = dots{name: "uc1701", columns: 132, rows: 64, lcd: true, filler: lcdFiller,
		setUp: func(d *Dots) []byte { return append(d.lcdSetUp(), 0xfa, 0x93) }} // temperature: -0.11 % for 1 K
	st7567 = dots{name: "st7567", columns: 132, rows: 64, lcd: true, filler: lcdFiller, setUp: (*Dots).lcdSetUp}
)

func (d *Dots) lcdSetUp() []byte {
	segments, scan := d.mounted()
	return []byte{
		0x40, // start line
		segments ^ 1, scan,
		0xa2,       // bias 1/9
		0xf8, 0x00, // booster 4x
		0x2f,                                // booster, regulator and follower on
		0x23,                                // resistors of the regulator
		0x81, byte(d.o.Contrast * 63 / 255), // electronic volume
		0xa4,
		d.shines(),
	}
}

// mounted are the commands for the direction of columns and rows: nearly all modules have both
// reversed.
func (d *Dots) mounted() (segments, scan byte) {
	segments, scan = 0xa1, 0xc8
	if (d.o.Rotation == 180) != d.o.MirrorX {
		segments = 0xa0
	}
	if (d.o.Rotation == 180) != d.o.MirrorY {
		scan = 0xc0
	}
	return segments, scan
}

// pins is the COM pin setting: from the profile, or the usual one for the height.
func (d *Dots) pins() byte {
	if said, ok := comPins[d.o.COMPins]; ok {
		return said
	}
	if len(d.ram) == 4 {
		return comPins["sequential"]
	}
	return comPins["alternative"]
}

// shines is the command for the polarity of a set bit.
func (d *Dots) shines() byte {
	if d.o.Inverted {
		return 0xa7
	}
	return 0xa6
}

// NewSSD1306 makes a driver; Init wakes the display. Without a D/C line it speaks I2C, as the
// other OLEDs do.
func NewSSD1306(w Wires, o Options) (*Dots, error) { return newDots(ssd1306, w, o) }

// NewSSD1309 makes one of an SSD1309.
func NewSSD1309(w Wires, o Options) (*Dots, error) { return newDots(ssd1309, w, o) }

// NewSH1106 makes one of an SH1106.
func NewSH1106(w Wires, o Options) (*Dots, error) { return newDots(sh1106, w, o) }

// NewSH1107 makes one of an SH1107.
func NewSH1107(w Wires, o Options) (*Dots, error) { return newDots(sh1107, w, o) }

// NewUC1701 makes one of a UC1701x.
func NewUC1701(w Wires, o Options) (*Dots, error) { return newDots(uc1701, w, o) }

// NewST7567 makes one of an ST7567.
func NewST7567(w Wires, o Options) (*Dots, error) { return newDots(st7567, w, o) }

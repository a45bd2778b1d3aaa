package board

import (
	"time"

	"payterm/tomlfile"
)

// What a profile may say of a printer and of a reader, in one place: the words of a key,
// of which the first is meant where none is said, and the bounds of its numbers. Whoever
// joins a driver with a profile reads these, and so do the emulated devices; that each
// word has a driver is for a test (terminal/devices).

// Words of a printer.
const (
	CP437   = "cp437"
	PC850   = "pc850"
	WPC1252 = "wpc1252"
	PC858   = "pc858"

	ChineseDrawn   = "raster"  // as pictures
	ChineseGB18030 = "gb18030" // by the printer's own signs

	RasterRows    = "gs_v_0"   // GS v 0: a picture by its rows
	RasterColumns = "esc_star" // ESC *: by columns of 24 dots, for older printers

	QRNative = "native" // made by the printer
	QRDrawn  = "raster"

	BarcodeNative = "native" // made by the printer
	BarcodeDrawn  = "raster"
	BarcodeNone   = "none" // its text alone

	CutPartial = "partial" // a bridge of paper is left
	CutFull    = "full"

	DrawerApproved = "approved" // opened after the merchant's slip of an approved sale
)

// Words of a reader: how a code ends.
const (
	FramingCR     = "cr"
	FramingLF     = "lf"
	FramingCRLF   = "crlf"
	FramingSTXETX = "stx_etx"
	FramingGap    = "gap" // a pause
)

// Words of an SSD1306's glass: how its rows are wired.
const (
	COMSequential       = "sequential"
	COMAlternative      = "alternative"
	COMSequentialRemap  = "sequential_remap"
	COMAlternativeRemap = "alternative_remap"
)

// Kinds of a keypad and of a reader.
const (
	KindMatrix = "matrix"
	KindSerial = "serial"
	KindEvdev  = "evdev"
)

// Layouts of a keyboard that a reader types as.
const (
	LayoutUS = "us"
	LayoutUK = "uk"
	LayoutFR = "fr" // AZERTY
	LayoutDE = "de" // QWERTZ
)

// The words of each key; the first is the default.
var (
	CodePages = []string{CP437, PC850, WPC1252, PC858}
	Chinese   = []string{ChineseDrawn, ChineseGB18030}
	Rasters   = []string{RasterRows, RasterColumns}
	QRs       = []string{QRNative, QRDrawn}
	Framings  = []string{FramingCR, FramingLF, FramingCRLF, FramingSTXETX, FramingGap}
	Barcodes  = []string{BarcodeNative, BarcodeDrawn, BarcodeNone}
	CutKinds  = []string{CutPartial, CutFull}
	Drawers   = []string{DrawerApproved} // never opened without a word

	COMPins = []string{COMSequential, COMAlternative, COMSequentialRemap, COMAlternativeRemap} // as its height has it

	KeypadKinds  = []string{KindMatrix, KindEvdev} // one has to be said
	ScannerKinds = []string{KindSerial, KindEvdev}
	Layouts      = []string{LayoutUS, LayoutUK, LayoutFR, LayoutDE}
)

// bounds are the least and the most of a number, and what it is when it is left out.
type bounds struct{ least, most, usual int }

var (
	printerColumns = bounds{16, 64, 32}
	printerDots    = bounds{192, 832, 0} // as the columns need
	printerCutFeed = bounds{0, 20, 4}
	printerCutDots = bounds{1, 500, 0}
	displayDimTo   = bounds{1, 99, 20}
	dotsContrast   = bounds{1, 255, 0} // as the controller has it
	printerBuffer  = bounds{256, 1 << 20, 4096}
	busTransfer    = bounds{8, 65535, 0} // as the adapter says, or is found out
	printerSpeed   = bounds{10, 500, 50}
)

// A drawer hangs on one of two pins of the printer's socket. ESC p tells its pulse in 2 ms.
var drawerPins = []int{2, 5}

const (
	drawerPulse = 50 * time.Millisecond
	leastPulse  = 2 * time.Millisecond
	mostPulse   = 510 * time.Millisecond
)

// Of a clock of SPI, in Hz.
const leastHz, mostHz = 100_000, 80_000_000

// headDots is how many dots the head of a printer has, by the columns of its roll.
func headDots(columns int) int {
	switch {
	case columns <= 32:
		return 384
	case columns <= 42:
		return 512
	}
	return 576
}

// word holds a key against its words, and fills in the first where it is left out.
func (c *checker) word(key string, v *string, words []string) {
	if *v == "" {
		*v = words[0]
	}
	c.oneOf(key, *v, words...)
}

// number holds a key against its bounds, and fills in the usual one where it is left out. That
// may be none, which is no number of the bounds.
func (c *checker) number(key string, v *int, b bounds) {
	switch given := c.file.Has(key); {
	case *v == 0 && !given && b.usual == 0:
	case *v == 0 && !given:
		*v = b.usual
	default:
		c.between(key, *v, b.least, b.most)
	}
}

// duration does so for a time.
func (c *checker) duration(key string, v *Duration, least, most, usual time.Duration) {
	switch d := v.Duration; {
	case d == 0 && !c.file.Has(key):
		v.Duration = usual
	case d < least || d > most:
		c.bad(key, "%s: %s to %s", d, tomlfile.Short(least), tomlfile.Short(most))
	}
}

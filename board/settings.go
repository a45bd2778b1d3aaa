package board

import (
	"time"

	"payterm/tomlfile"
)

// What a profile may set for a printer and a scanner, in one place: the words of a key, of which the first is
// the default, and the bounds of numbers. The code that sets up drivers reads these, and so do the emulated
// devices. A test of terminal/devices checks that each word has a driver.

// Words of a printer.
const (
	CP437   = "cp437"
	PC850   = "pc850"
	WPC1252 = "wpc1252"
	PC858   = "pc858"

	ChineseDrawn   = "raster"  // as pictures
	ChineseGB18030 = "gb18030" // by the printer's own font

	RasterRows    = "gs_v_0"   // GS v 0: a picture by rows
	RasterColumns = "esc_star" // ESC *: by columns of 24 dots, for older printers

	QRNative = "native" // made by the printer
	QRDrawn  = "raster"

	BarcodeNative = "native" // made by the printer
	BarcodeDrawn  = "raster"
	BarcodeNone   = "none" // its text only

	CutPartial = "partial" // a bridge of paper is left
	CutFull    = "full"

	DrawerApproved = "approved" // opened after the merchant's slip of an approved sale
)

// Words of a scanner: what ends a code.
const (
	FramingCR     = "cr"
	FramingLF     = "lf"
	FramingCRLF   = "crlf"
	FramingSTXETX = "stx_etx"
	FramingGap    = "gap" // a pause
)

// Words of an SSD1306's display: how its rows are wired.
const (
	COMSequential       = "sequential"
	COMAlternative      = "alternative"
	COMSequentialRemap  = "sequential_remap"
	COMAlternativeRemap = "alternative_remap"
)

// Character ROMs of an HD44780, by the data sheet's ROM code.
const (
	ROMJapanese = "A00"
	ROMEuropean = "A02"
)

// Kinds of a keypad and of a scanner.
const (
	KindMatrix = "matrix"
	KindSerial = "serial"
	KindEvdev  = "evdev"
)

// Keyboard layouts in which a scanner types.
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
	Drawers   = []string{DrawerApproved} // without this word the drawer is never opened

	COMPins = []string{COMSequential, COMAlternative, COMSequentialRemap, COMAlternativeRemap} // default by height

	ROMs = []string{ROMJapanese, ROMEuropean}

	KeypadKinds  = []string{KindMatrix, KindEvdev} // no default: one must be set
	ScannerKinds = []string{KindSerial, KindEvdev}
	Layouts      = []string{LayoutUS, LayoutUK, LayoutFR, LayoutDE}
)

// bounds are the least and the most value of a number, and its default.
type bounds struct{ least, most, usual int }

var (
	printerColumns = bounds{16, 64, 32}
	printerDots    = bounds{192, 832, 0} // default by columns
	printerCutFeed = bounds{0, 20, 4}
	printerCutDots = bounds{1, 500, 0}
	displayDimTo   = bounds{1, 99, 20}
	dotsContrast   = bounds{1, 255, 0} // default: the controller's
	printerBuffer  = bounds{256, 1 << 20, 4096}
	busTransfer    = bounds{8, 65535, 0} // default: reported by the adapter, or found out
	printerSpeed   = bounds{10, 500, 50}
)

// A drawer is on one of two pins of the printer's socket. ESC p counts its pulse in units of 2 ms.
var drawerPins = []int{2, 5}

const (
	drawerPulse = 50 * time.Millisecond
	leastPulse  = 2 * time.Millisecond
	mostPulse   = 510 * time.Millisecond
)

// Bounds of an SPI clock, in Hz.
const leastHz, mostHz = 100_000, 80_000_000

// headDots returns the number of dots of a print head, by the columns of its paper.
func headDots(columns int) int {
	switch {
	case columns <= 32:
		return 384
	case columns <= 42:
		return 512
	}
	return 576
}

// word checks a key against its words, and sets the first if it is left out.
func (c *checker) word(key string, v *string, words []string) {
	if *v == "" {
		*v = words[0]
	}
	c.oneOf(key, *v, words...)
}

// number checks a key against its bounds, and sets the default if it is left out. A default of 0 may be outside
// the bounds.
func (c *checker) number(key string, v *int, b bounds) {
	switch given := c.file.Has(key); {
	case *v == 0 && !given && b.usual == 0:
	case *v == 0 && !given:
		*v = b.usual
	default:
		c.between(key, *v, b.least, b.most)
	}
}

// duration is number for a duration.
func (c *checker) duration(key string, v *Duration, least, most, usual time.Duration) {
	switch d := v.Duration; {
	case d == 0 && !c.file.Has(key):
		v.Duration = usual
	case d < least || d > most:
		c.bad(key, "%s: %s to %s", d, tomlfile.Short(least), tomlfile.Short(most))
	}
}

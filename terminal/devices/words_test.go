package devices

import (
	"fmt"
	"testing"
	"time"

	"payterm/board"
	"payterm/drivers/lcd"
	"payterm/drivers/scanner"
	"payterm/glass"
	"payterm/hal/emulated"
)

// profileOf reads a profile.
func profileOf(t *testing.T, text string) board.Profile {
	t.Helper()
	p, err := board.ReadProfile("words.toml", []byte("board = \"words\"\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// wires are those of a display of each controller, on the bus that it is tried with.
var wires = map[board.Bus]string{
	board.SPI:         "spi = \"SPI0.0\"\ndc = \"L:25\"\n",
	board.I2C:         "i2c = \"I2C1\"\n",
	board.FrameBuffer: "device = \"/dev/fb0\"\nbits = 32\n",
	board.Lines:       "rs = \"L:1\"\nenable = \"L:2\"\ndata = [\"L:3\", \"L:4\", \"L:5\", \"L:6\"]\n",
}

// TestEveryControllerHasADriverAndAChip: what the table of controllers lists is driven, on
// each of its buses, takes what the table says that it shows, and can be emulated.
func TestEveryControllerHasADriverAndAChip(t *testing.T) {
	for _, c := range board.Controllers {
		for _, bus := range c.Buses {
			size := fmt.Sprintf("width = %d\nheight = %d\n", max(c.Least.Width, 128), max(c.Least.Height, 64))
			if c.Shows == board.Characters {
				size = fmt.Sprintf("columns = %d\nrows = %d\n", c.Sizes[0].Width, c.Sizes[0].Height)
			}
			p := profileOf(t, fmt.Sprintf("[display]\ncontroller = %q\n%s%s", c.Name, wires[bus], size))
			e, err := emulated.New(emulated.Config{Profile: p, Scale: 1000})
			if err != nil {
				t.Errorf("%s on %s: %v", c.Name, bus, err)
				continue
			}
			b := board.Open(p, e)
			d, err := OpenDisplay(b, e.Sleep)
			if err != nil || len(b.Faults) > 0 {
				t.Errorf("%s on %s: %v, %v", c.Name, bus, err, b.Faults)
			} else if _, characters := d.Driver.(glass.Characters); characters != (c.Shows == board.Characters) {
				t.Errorf("%s on %s: %T takes characters: %t", c.Name, bus, d.Driver, characters)
			}
			b.Close()
			e.Close()
		}
	}
	if d, err := lcd.Open("st7735", lcd.Wires{}, lcd.Options{}); err == nil {
		t.Errorf("a controller that is in no table has a driver: %T", d)
	}
}

// TestEveryWordHasADriver: what a profile may say of a printer and of a reader, their
// drivers take.
func TestEveryWordHasADriver(t *testing.T) {
	printers := func(key string, words []string) {
		for _, word := range words {
			p := profileOf(t, fmt.Sprintf("[printer]\ndevice = \"/dev/ttyS1\"\nbaud = 9600\ncut = true\n%s = %q\n", key, word))
			if _, err := openPrinter(nil, p.Printer, time.Sleep); err != nil {
				t.Errorf("printer.%s = %q: %v", key, word, err)
			}
		}
	}
	printers("code_page", board.CodePages)
	printers("chinese", board.Chinese)
	printers("raster", board.Rasters)
	printers("qr", board.QRs)
	printers("barcode", board.Barcodes)
	printers("cut_kind", board.CutKinds)
	printers("drawer", board.Drawers)
	for _, word := range board.Layouts {
		if _, err := scanner.NewKeyboard(nil, word); err != nil {
			t.Errorf("scanner.layout = %q: %v", word, err)
		}
	}
	for _, word := range board.Framings {
		_, err := scanner.New(nil, scanner.Options{Framing: scanner.Framing(word),
			Now: func() time.Duration { return 0 }})
		if err != nil {
			t.Errorf("scanner.framing = %q: %v", word, err)
		}
	}
}

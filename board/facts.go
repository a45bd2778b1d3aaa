package board

import (
	"fmt"
	"strings"
	"time"

	"payterm/tomlfile"
)

// What the reference says of each key of a profile. Words and bounds are the ones against which a profile is
// checked.

func (b bounds) fact(unit string) tomlfile.Fact {
	f := tomlfile.Fact{Least: int64(b.least), Most: int64(b.most), Unit: unit}
	if b.usual != 0 || b.least <= 0 {
		f.Usual = fmt.Sprint(b.usual)
	}
	return f
}

func wordFact(words []string) tomlfile.Fact { return tomlfile.Fact{Words: words, Usual: words[0]} }

func bauds64() []int64 {
	all := make([]int64, len(bauds))
	for i, b := range bauds {
		all[i] = int64(b)
	}
	return all
}

// Forms of the names of wires.
const (
	aLine    = "a line: chip and offset (`gpiochip0:25`, `pinctrl-bcm2711:25`) or its name (`GPIO25`)"
	aChannel = "a line, or a PWM channel (`pwmchip0:1`)"
	anEvent  = "with kind evdev one of device, name, usb"
)

// Facts returns the facts of all keys.
func Facts() map[string]tomlfile.Fact {
	off := tomlfile.Fact{Usual: "false"}
	pixels := tomlfile.Fact{
		Form: "as the controller allows (below)", Unit: "pixels", Needed: true, Usual: "for a graphic display",
	}
	characters := pixels
	characters.Unit, characters.Usual = "characters", "for a character display"
	offset := tomlfile.Fact{Form: "so that the display fits into the controller's RAM", Unit: "pixels", Usual: "0"}
	serial := tomlfile.Fact{Form: "a file in /dev", Needed: true, Usual: "except with network or usb"}
	baud := tomlfile.Fact{Values: bauds64(), Unit: "baud", Needed: true, Usual: "on a serial line"}
	line := tomlfile.Fact{Form: aLine}
	facts := map[string]tomlfile.Fact{
		"board":  {Form: "any text", Needed: true},
		"header": {Words: headerNames(), Usual: "by the name of the board"},

		"display.controller":           {Words: strings.Split(controllerNames(), ", "), Needed: true},
		"display.spi":                  {Form: "`SPI`, bus, point, chip select: `SPI0.0`"},
		"display.speed_hz":             {Least: leastHz, Most: mostHz, Unit: "Hz", Usual: "the controller's (below)"},
		"display.dc":                   {Form: aLine, Needed: true, Usual: "with spi"},
		"display.spi_mode":             {Values: []int64{0, 3}, Usual: "0"},
		"display.i2c":                  {Form: "`I2C` and the bus: `I2C1`"},
		"display.address":              {Form: "as the controller allows (below)", Usual: "the controller's (below)"},
		"display.max_transfer":         busTransfer.fact("bytes"),
		"display.rs":                   {Form: aLine, Needed: true, Usual: "with data"},
		"display.enable":               {Form: aLine, Needed: true, Usual: "with data"},
		"display.data":                 {Form: "four lines, D4 first"},
		"display.device":               {Form: "a file in /dev, such as `/dev/fb0`"},
		"display.bits":                 {Values: []int64{16, 32}, Unit: "bits", Needed: true, Usual: "with device"},
		"display.reset":                line,
		"display.backlight":            {Form: aChannel},
		"display.backlight_active_low": off,
		"display.dim_after":            {Times: [2]time.Duration{time.Second, 24 * time.Hour}, Usual: "never"},
		"display.dim_to":               {Least: int64(displayDimTo.least), Most: int64(displayDimTo.most), Unit: "percent", Usual: "20, with dim_after"},
		"display.width":                pixels, "display.height": pixels,
		"display.columns": characters, "display.rows": characters,
		"display.offset_x": offset, "display.offset_y": offset,
		"display.rotation": {Values: []int64{0, 90, 180, 270}, Unit: "degrees", Usual: "0"},
		"display.mirror_x": off, "display.mirror_y": off, "display.inverted": off, "display.bgr": off,
		"display.contrast": {Least: int64(dotsContrast.least), Most: int64(dotsContrast.most), Usual: "the controller's (below)"},
		"display.com_pins": {Words: COMPins, Usual: "by the height"},
		"display.rom":      wordFact(ROMs),

		"keypad.kind":          {Words: KeypadKinds, Needed: true},
		"keypad.rows":          {Form: "1 to 16 lines", Needed: true, Usual: "with kind matrix"},
		"keypad.columns":       {Form: "1 to 16 lines", Needed: true, Usual: "with kind matrix"},
		"keypad.keys":          {Form: "a list for each row: 0-9, 00, CLEAR, CANCEL, ENTER, F1 to F4, UP, DOWN, \"\"", Needed: true, Usual: "with kind matrix"},
		"keypad.scan_interval": {Times: [2]time.Duration{time.Millisecond, 50 * time.Millisecond}, Usual: "5ms"},
		"keypad.debounce":      {Form: "one scan_interval to 200ms", Usual: "20ms"},
		"keypad.device":        {Form: anEvent + ": a file in /dev/input"},
		"keypad.name":          {Form: anEvent + ": as in /proc/bus/input/devices"},
		"keypad.usb":           {Form: anEvent + ": vendor and product, such as `04d9:a061`"},
		"keypad.map":           {Form: "`KEY_KP1 = \"1\"`: the kernel's name of a key, and payterm's", Usual: "the keys of a numeric keypad"},

		"scanner.kind":          wordFact(ScannerKinds),
		"scanner.device":        {Form: "a file in /dev; " + anEvent},
		"scanner.name":          {Form: anEvent + ": as in /proc/bus/input/devices"},
		"scanner.usb":           {Form: anEvent + ": vendor and product, such as `0c2e:0b61`"},
		"scanner.baud":          baud,
		"scanner.framing":       wordFact(Framings),
		"scanner.gap":           {Times: [2]time.Duration{10 * time.Millisecond, time.Second}, Usual: "50ms, with framing gap"},
		"scanner.aim":           off,
		"scanner.layout":        wordFact(Layouts),
		"scanner.trigger_start": {Form: "text, or bytes in hex: `0x16 54 0d`"},
		"scanner.trigger_stop":  {Form: "text, or bytes in hex: `0x16 54 0d`"},
		"scanner.trigger_again": {Times: [2]time.Duration{time.Second, 10 * time.Minute}, Usual: "never"},
		"scanner.trigger_reply": {Form: "text, or bytes in hex: `0x16 54 0d`"},

		"printer.model":        {Form: "a name of `payterm board printers` ([printers.md](printers.md))"},
		"printer.code_pages":   {Form: "`pc858 = 31`: a code page and its number in the printer (ESC t)", Usual: "the model's, or the usual ones"},
		"printer.barcode":      wordFact(Barcodes),
		"printer.drawer_pin":   {Values: []int64{int64(drawerPins[0]), int64(drawerPins[1])}, Usual: fmt.Sprint(drawerPins[0])},
		"printer.drawer_pulse": {Times: [2]time.Duration{leastPulse, mostPulse}, Usual: tomlfile.Short(drawerPulse)},
		"printer.cut_kind":     wordFact(CutKinds),
		"printer.cut_dots":     {Least: 1, Most: int64(printerCutDots.most), Unit: "dots", Usual: "cut_feed"},
		"printer.red":          off,
		"printer.device":       serial,
		"printer.baud":         baud,
		"printer.network":      {Form: "host and port (1 to 65535): `192.0.2.7:9100`"},
		"printer.usb":          {Form: "a file in /dev, not a tty: `/dev/usb/lp0`"},
		"printer.columns":      printerColumns.fact("characters"),
		"printer.dots":         printerDots.fact("dots"),
		"printer.code_page":    wordFact(CodePages),
		"printer.chinese":      wordFact(Chinese),
		"printer.raster":       wordFact(Rasters),
		"printer.qr":           wordFact(QRs),
		"printer.logo":         {Form: "the whole path of a PNG file"},
		"printer.drawer":       {Words: Drawers, Usual: "never opened"},
		"printer.cut":          off,
		"printer.cut_feed":     printerCutFeed.fact("lines"),
		"printer.status":       off,
		"printer.tells":        off,
		"printer.buffer":       printerBuffer.fact("bytes"),
		"printer.speed":        printerSpeed.fact("mm/s"),

		"signal.buzzer":            {Form: aChannel},
		"signal.buzzer_active_low": off,
		"signal.led_ready":         line, "signal.led_approved": line, "signal.led_attention": line,
		"signal.leds_active_low": off,
	}
	dots := facts["printer.dots"]
	dots.Usual = fmt.Sprintf("%d, %d or %d, as the columns need", headDots(32), headDots(42), headDots(48))
	facts["printer.dots"] = dots
	transfer := facts["display.max_transfer"]
	transfer.Usual = "detected"
	facts["display.max_transfer"] = transfer
	for key, f := range facts {
		f.What = what[key]
		facts[key] = f
	}
	return facts
}

// what says what each key is for, to the person who writes a profile.
var what = map[string]string{
	"board":                        "Name of the board",
	"header":                       "The board's pin header, against which lines and buses are checked; none: no check",
	"display.controller":           "Controller chip of the display",
	"display.spi":                  "Bus and chip select of spidev",
	"display.speed_hz":             "Clock rate of SPI",
	"display.dc":                   "D/C line, with SPI",
	"display.spi_mode":             "SPI mode; 3 for a panel without a chip select",
	"display.i2c":                  "I2C bus; the kernel sets its speed",
	"display.address":              "Address on I2C",
	"display.max_transfer":         "Largest transfer of the bus adapter",
	"display.rs":                   "RS line of an hd44780 on GPIO lines, instead of I2C",
	"display.enable":               "E line of an hd44780 on GPIO lines",
	"display.data":                 "Lines D4 to D7 of an hd44780 on GPIO lines; its R/W is tied to ground",
	"display.device":               "Frame buffer of the kernel",
	"display.bits":                 "Bits of a pixel of the frame buffer",
	"display.reset":                "Reset line; left out: the panel has none, or it is tied to power",
	"display.backlight":            "Backlight; left out: it is always on",
	"display.backlight_active_low": "The backlight is on while its line is low",
	"display.dim_after":            "Dim the backlight after this time without a key; it needs a PWM channel",
	"display.dim_to":               "Brightness of the dimmed backlight",
	"display.width":                "Width of the display, as you look at it",
	"display.height":               "Height of the display, as you look at it",
	"display.columns":              "Columns of a character display, instead of width",
	"display.rows":                 "Rows of a character display, instead of height",
	"display.offset_x":             "Position of the display in the controller's RAM, horizontally as you look at it",
	"display.offset_y":             "Position of the display in the controller's RAM, vertically as you look at it",
	"display.rotation":             "Rotation of the picture, clockwise",
	"display.mirror_x":             "Exchange left and right",
	"display.mirror_y":             "Exchange top and bottom",
	"display.inverted":             "The panel shows inverted colours, as most IPS panels do",
	"display.bgr":                  "The panel exchanges red and blue",
	"display.contrast":             "Contrast of a monochrome graphic display",
	"display.rom":                  "Character ROM of an hd44780: A00 (Japanese, the usual one) or A02 (European, with accents)",
	"display.com_pins":             "How the COM pins of an ssd1306 panel are wired",
	"keypad.kind":                  "A key matrix on lines, or a keypad that the kernel knows as a keyboard",
	"keypad.rows":                  "Row lines of a matrix, as wired; they are driven",
	"keypad.columns":               "Column lines of a matrix, as wired; they have pull-ups and are read",
	"keypad.keys":                  "Keys of a matrix, row by row, by what each does; \"\" is no key",
	"keypad.scan_interval":         "How often a matrix is scanned",
	"keypad.debounce":              "How long a contact of a matrix may bounce",
	"keypad.device":                "Event device of the keypad",
	"keypad.name":                  "Name of the event device",
	"keypad.usb":                   "USB id of the event device",
	"keypad.map":                   "Keys of an evdev keypad and their meaning here; a key that is not named does nothing",
	"scanner.kind":                 "A scanner on a serial line, or one that types as a keyboard (HID)",
	"scanner.device":               "Serial line or event device of the scanner",
	"scanner.name":                 "Name of the event device",
	"scanner.usb":                  "USB id of the event device",
	"scanner.baud":                 "Speed of the serial line",
	"scanner.framing":              "How a code ends, on a serial line",
	"scanner.gap":                  "The pause that ends a code",
	"scanner.aim":                  "The scanner sends an AIM identifier before a code, such as ]Q1, which payterm removes",
	"scanner.layout":               "Keyboard layout that an evdev scanner types in",
	"scanner.trigger_start":        "Command that makes a serial scanner look for a code",
	"scanner.trigger_stop":         "Command that makes it stop",
	"scanner.trigger_again":        "When trigger_start is sent again, for a scanner that stops by itself",
	"scanner.trigger_reply":        "The scanner's reply to these commands, if it is none of the known replies",
	"printer.model":                "Printer model; sets the defaults of the other keys",
	"printer.code_pages":           "The printer's numbers of its code pages, if they differ",
	"printer.barcode":              "Bar codes: made by the printer, drawn by payterm, or their text only",
	"printer.drawer_pin":           "Pin of the printer's drawer socket to which the drawer is connected",
	"printer.drawer_pulse":         "How long that pin is driven",
	"printer.cut_kind":             "Full cut, or partial cut that leaves a bridge of paper",
	"printer.cut_dots":             "The same as cut_feed, in dots, instead of it",
	"printer.red":                  "The printer has a second colour (ESC r); payterm prints important lines in red",
	"printer.device":               "Serial line of the printer, with baud",
	"printer.baud":                 "Speed of the serial line",
	"printer.network":              "Printer on the network, instead of device and baud",
	"printer.usb":                  "Printer of the USB printer class, instead of device and baud",
	"printer.columns":              "Characters in a line of the normal font: 32 on 58 mm of paper, 42 or 48 on 80 mm",
	"printer.dots":                 "Dots of the print head",
	"printer.code_page":            "Code page of the printer for text",
	"printer.chinese":              "Chinese characters: drawn by payterm, or the printer's own",
	"printer.raster":               "How pictures are sent; esc_star (columns of 24 dots) for older printers",
	"printer.qr":                   "QR codes: made by the printer, or drawn by payterm",
	"printer.logo":                 "Picture at the top of each slip, black on white, no wider than dots",
	"printer.drawer":               "When the cash drawer on the printer opens: after the merchant's slip of an approved sale",
	"printer.cut":                  "The printer has a cutter",
	"printer.cut_feed":             "Distance from the head to the cutter or the tear bar; 0: no feed",
	"printer.status":               "The printer answers status requests (DLE EOT)",
	"printer.tells":                "The printer reports changes by itself (GS a); instead of status",
	"printer.buffer":               "How much the printer buffers",
	"printer.speed":                "Paper speed; rather too low than too high",
	"signal.buzzer":                "A line switches an active buzzer; a PWM channel drives a passive one",
	"signal.buzzer_active_low":     "The buzzer sounds while its line is low",
	"signal.led_ready":             "On while the terminal is ready",
	"signal.led_approved":          "On while an approval is shown",
	"signal.led_attention":         "On while the terminal needs attention",
	"signal.leds_active_low":       "The LEDs are on while their lines are low",
}

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
	pixels := tomlfile.Fact{Form: "as the controller allows (below)", Unit: "pixels", Needed: true, Usual: "on pixels"}
	characters := pixels
	characters.Unit, characters.Usual = "characters", "on characters"
	offset := tomlfile.Fact{Form: "so that the glass lies in the controller's RAM", Unit: "pixels", Usual: "0"}
	serial := tomlfile.Fact{Form: "a file in /dev", Needed: true, Usual: "but with network or usb"}
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
		"display.com_pins": {Words: COMPins, Usual: "as the height has it"},

		"keypad.kind":          {Words: KeypadKinds, Needed: true},
		"keypad.rows":          {Form: "1 to 16 lines", Needed: true, Usual: "with kind matrix"},
		"keypad.columns":       {Form: "1 to 16 lines", Needed: true, Usual: "with kind matrix"},
		"keypad.keys":          {Form: "a list for each row: 0-9, 00, CLEAR, CANCEL, ENTER, F1 to F4, UP, DOWN, \"\"", Needed: true, Usual: "with kind matrix"},
		"keypad.scan_interval": {Times: [2]time.Duration{time.Millisecond, 50 * time.Millisecond}, Usual: "5ms"},
		"keypad.debounce":      {Form: "one scan_interval to 200ms", Usual: "20ms"},
		"keypad.device":        {Form: anEvent + ": a file in /dev/input"},
		"keypad.name":          {Form: anEvent + ": as /proc/bus/input/devices has it"},
		"keypad.usb":           {Form: anEvent + ": vendor and product, such as `04d9:a061`"},
		"keypad.map":           {Form: "`KEY_KP1 = \"1\"`: the kernel's name of a key, and ours", Usual: "a numeric pad's"},

		"scanner.kind":          wordFact(ScannerKinds),
		"scanner.device":        {Form: "a file in /dev; " + anEvent},
		"scanner.name":          {Form: anEvent + ": as /proc/bus/input/devices has it"},
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
		"printer.code_pages":   {Form: "`pc858 = 31`: a code page, and the printer's number of it (ESC t)", Usual: "the model's, or the usual ones"},
		"printer.barcode":      wordFact(Barcodes),
		"printer.drawer_pin":   {Values: []int64{int64(drawerPins[0]), int64(drawerPins[1])}, Usual: fmt.Sprint(drawerPins[0])},
		"printer.drawer_pulse": {Times: [2]time.Duration{leastPulse, mostPulse}, Usual: tomlfile.Short(drawerPulse)},
		"printer.cut_kind":     wordFact(CutKinds),
		"printer.cut_dots":     {Least: 1, Most: int64(printerCutDots.most), Unit: "dots", Usual: "cut_feed"},
		"printer.red":          off,
		"printer.device":       serial,
		"printer.baud":         baud,
		"printer.network":      {Form: "host and port (1 to 65535): `192.0.2.7:9100`"},
		"printer.usb":          {Form: "a file in /dev, and no tty: `/dev/usb/lp0`"},
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
	transfer.Usual = "found out"
	facts["display.max_transfer"] = transfer
	for key, f := range facts {
		f.What = what[key]
		facts[key] = f
	}
	return facts
}

// what says what each key is for, to the person who writes a profile.
var what = map[string]string{
	"board":                        "What board it is, as people have it",
	"header":                       "Which header the board has, against which lines and buses are held; none: nothing is checked",
	"display.controller":           "The chip that drives the glass",
	"display.spi":                  "Bus and chip select of spidev",
	"display.speed_hz":             "The clock of SPI",
	"display.dc":                   "D/C, with SPI",
	"display.spi_mode":             "3 for a panel without a chip select",
	"display.i2c":                  "The bus; its speed is the kernel's",
	"display.address":              "On I2C",
	"display.max_transfer":         "The most that the bus's adapter takes at once",
	"display.rs":                   "RS of an hd44780 on lines of the board's own, in place of I2C",
	"display.enable":               "E of one",
	"display.data":                 "D4 to D7 of one, whose R/W is tied to ground",
	"display.device":               "A frame buffer of the kernel's",
	"display.bits":                 "Of a frame buffer's pixel",
	"display.reset":                "Left out: the panel has none, or it is tied to power",
	"display.backlight":            "Left out: it is always on",
	"display.backlight_active_low": "It shines while its line is low",
	"display.dim_after":            "So long without a hand the backlight is dimmed; it hangs on a PWM channel then",
	"display.dim_to":               "What is left of its light",
	"display.width":                "Of the glass, as it is looked at",
	"display.height":               "Of the glass, as it is looked at",
	"display.columns":              "Of a display of characters, in place of width",
	"display.rows":                 "Of a display of characters, in place of height",
	"display.offset_x":             "Of the glass in the controller's RAM, as it is looked at",
	"display.offset_y":             "Of the glass in the controller's RAM, as it is looked at",
	"display.rotation":             "How the picture is turned, clockwise",
	"display.mirror_x":             "Left and right are exchanged",
	"display.mirror_y":             "Top and bottom are exchanged",
	"display.inverted":             "The glass shows the opposite, as most IPS panels do",
	"display.bgr":                  "Red and blue are exchanged",
	"display.contrast":             "Of a glass of dots",
	"display.com_pins":             "How the glass of an ssd1306 is wired",
	"keypad.kind":                  "A matrix of keys on lines, or a pad that the kernel knows as a keyboard",
	"keypad.rows":                  "Of a matrix, as it is wired; they are driven",
	"keypad.columns":               "Of a matrix, as it is wired; they have pull-ups, and are read",
	"keypad.keys":                  "Of a matrix: what is printed on the keys, row by row; \"\" is no key",
	"keypad.scan_interval":         "Of a matrix: how often a key is looked for",
	"keypad.debounce":              "Of a matrix: so long a contact may bounce",
	"keypad.device":                "Which event device it is",
	"keypad.name":                  "Which event device it is",
	"keypad.usb":                   "Which event device it is",
	"keypad.map":                   "Of an evdev pad: what its keys are here; one that is not named does nothing",
	"scanner.kind":                 "A reader on a serial line, or one that types as a keyboard",
	"scanner.device":               "The serial line, or which event device it is",
	"scanner.name":                 "Which event device it is",
	"scanner.usb":                  "Which event device it is",
	"scanner.baud":                 "Of a serial line",
	"scanner.framing":              "How a code ends, on a serial line",
	"scanner.gap":                  "The pause that ends a code",
	"scanner.aim":                  "It sends the symbology before a code, such as ]Q1, which is taken off",
	"scanner.layout":               "The keyboard that an evdev reader types as",
	"scanner.trigger_start":        "What tells a serial reader to look for a code",
	"scanner.trigger_stop":         "What tells it to stop looking",
	"scanner.trigger_again":        "When trigger_start is sent again, for a reader that stops by itself",
	"scanner.trigger_reply":        "What it answers to these, where that is none of the known answers",
	"printer.model":                "Which printer it is: what it has and lacks is usual then",
	"printer.code_pages":           "Where its code pages have other numbers",
	"printer.barcode":              "Bar codes: made by the printer, drawn, or their text alone",
	"printer.drawer_pin":           "On which pin of the printer's socket the drawer hangs",
	"printer.drawer_pulse":         "How long that is driven",
	"printer.cut_kind":             "Whether a bridge of paper is left",
	"printer.cut_dots":             "In place of cut_feed: the same in dots",
	"printer.red":                  "It has a second colour (ESC r): what nobody may miss is red",
	"printer.device":               "A serial line, with baud",
	"printer.baud":                 "Of a serial line",
	"printer.network":              "A printer on the network, in place of device and baud",
	"printer.usb":                  "A printer of the USB printer class, in place of device and baud",
	"printer.columns":              "Of the normal font: 32 on 58 mm of paper, 42 or 48 on 80 mm",
	"printer.dots":                 "Of the head",
	"printer.code_page":            "Which of its code pages letters are printed with",
	"printer.chinese":              "Chinese characters: drawn, or the printer's own",
	"printer.raster":               "How pictures are sent; esc_star (columns of 24 dots) for older printers",
	"printer.qr":                   "QR codes: made by the printer, or drawn",
	"printer.logo":                 "At the head of each slip, black on white, no wider than dots",
	"printer.drawer":               "When the cash drawer on the printer is opened: after the merchant's slip of an approved sale",
	"printer.cut":                  "It has a cutter",
	"printer.cut_feed":             "From the head to the cutter or the tear bar; 0: nothing is fed",
	"printer.status":               "It answers when it is asked for its state (DLE EOT)",
	"printer.tells":                "In place of status: it tells by itself what changes (GS a)",
	"printer.buffer":               "What it takes ahead of its mechanism",
	"printer.speed":                "Of its paper, rather too low than too high",
	"signal.buzzer":                "A line switches one that sounds by itself, a PWM channel drives one that does not",
	"signal.buzzer_active_low":     "It sounds while its line is low",
	"signal.led_ready":             "Burns while the terminal is ready",
	"signal.led_approved":          "Burns while an approval is shown",
	"signal.led_attention":         "Burns while somebody has to look",
	"signal.leds_active_low":       "They burn while their lines are low",
}

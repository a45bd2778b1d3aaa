package board_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/board"
	"payterm/boards"
	"payterm/hal"
)

// good is a profile with every section and key.
const good = `board = "bench"

[display]
controller = "st7789"
spi = "SPI0.0"
speed_hz = 40000000
dc = "gpiochip0:25"
reset = "gpiochip0:27"
backlight = "GPIO18"
width = 240
height = 320
offset_x = 0
offset_y = 0
rotation = 0
mirror_x = false
mirror_y = false
inverted = true
bgr = false

[keypad]
kind = "matrix"
rows = ["gpiochip0:5", "gpiochip0:6", "gpiochip0:13", "gpiochip0:19"]
columns = ["gpiochip0:12", "gpiochip0:16", "gpiochip0:20", "gpiochip0:21"]
scan_interval = "5ms"
debounce = "20ms"
keys = [
	["1", "2", "3", "CANCEL"],
	["4", "5", "6", "CLEAR"],
	["7", "8", "9", "F1"],
	["00", "0", "F2", "ENTER"],
]

[scanner]
device = "/dev/ttyS1"
baud = 9600
framing = "cr"

[printer]
device = "/dev/ttyS2"
baud = 9600
columns = 32
dots = 384
code_page = "cp437"
cut = true
cut_feed = 4
status = true
buffer = 4096

[signal]
buzzer = "gpiochip0:17"
`

func TestProfile(t *testing.T) {
	p, err := board.ReadProfile("good.toml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if p.Board != "bench" || p.Display.DC != "gpiochip0:25" || p.Keypad.Keys[0][3] != payterm.KeyCancel ||
		p.Keypad.Debounce.Duration != 20*time.Millisecond || p.Signal.Buzzer != "gpiochip0:17" {
		t.Errorf("%+v", p)
	}
}

func TestProfileFillsIn(t *testing.T) {
	p, err := board.ReadProfile("short.toml", []byte(`
board = "short"
[display]
controller = "st7789"
spi = "SPI1.0"
dc = "GPIO25"
width = 320
height = 172
offset_y = 34
rotation = 90
[keypad]
kind = "matrix"
rows = ["A"]
columns = ["B1","B2","B3","B4","B5","B6","B7","B8","B9","B10","B11","B12"]
keys = [["0","1","2","3","4","5","6","7","8","9","ENTER","CANCEL"]]
[scanner]
device = "/dev/ttyACM0"
baud = 115200
[printer]
device = "/dev/ttyUSB0"
baud = 19200
`))
	if err != nil {
		t.Fatal(err)
	}
	if p.Display.SpeedHz != 40_000_000 || p.Keypad.ScanInterval.Duration != 5*time.Millisecond ||
		p.Keypad.Debounce.Duration != 20*time.Millisecond || p.Scanner.Framing != "cr" || p.Printer.Columns != 32 ||
		p.Printer.Dots != 384 || p.Printer.CodePage != "cp437" || p.Printer.Buffer != 4096 || p.Printer.Speed != 50 {
		t.Errorf("%+v %+v %+v %+v", p.Display, p.Keypad, p.Scanner, p.Printer)
	}
}

// TestPrinterModel: a model sets what a profile leaves out, and the profile's own keys override it.
func TestPrinterModel(t *testing.T) {
	read := func(more string) *board.Printer {
		t.Helper()
		p, err := board.ReadProfile("model.toml", []byte("board = \"x\"\n[printer]\nusb = \"/dev/usb/lp0\"\n"+more))
		if err != nil {
			t.Fatal(err)
		}
		return p.Printer
	}
	p := read("model = \"KR-306\"\n")
	if p.Columns != 48 || p.Dots != 576 || p.CodePage != "pc858" || p.CodePages["pc858"] != 31 || !p.Cut ||
		p.Speed != 200 || p.Barcode != "native" || p.QR != "native" || p.DrawerPin != 2 {
		t.Errorf("a KR-306 is %+v", p)
	}
	p = read("model = \"KR-306\"\ncolumns = 42\ncut = false\nspeed = 150\ncode_pages = { pc858 = 14 }\nqr = \"raster\"\n")
	if p.Columns != 42 || p.Cut || p.Speed != 150 || p.CodePages["pc858"] != 14 || p.CodePages["wpc1252"] != 11 ||
		p.QR != "raster" {
		t.Errorf("with keys of its own it is %+v", p)
	}
	if p := read("model = \"KR-306\"\n"); p.CodePages["pc858"] != 31 {
		t.Errorf("one profile has changed the model: %v", p.CodePages)
	}
	p = read("model = \"ZJ-5870\"\n")
	if p.Barcode != "raster" || p.QR != "raster" || p.Cut || p.CodePage != "wpc1252" {
		t.Errorf("a ZJ-5870 is %+v", p)
	}
	seen := map[string]bool{}
	for _, m := range board.PrinterModels {
		if seen[m.Name] || m.Source == "" {
			t.Errorf("%s: twice, or from nowhere", m.Name)
		}
		seen[m.Name] = true
	}
	if len(seen) < 20 {
		t.Errorf("%d models", len(seen))
	}
}

// TestPrinterDots: the default number of dots follows from the columns.
func TestPrinterDots(t *testing.T) {
	for columns, dots := range map[int]int{32: 384, 42: 512, 48: 576} {
		text := fmt.Appendf(nil, "board = \"usb\"\n[printer]\nusb = \"/dev/usb/lp0\"\ncolumns = %d\n", columns)
		p, err := board.ReadProfile("usb.toml", text)
		if err != nil {
			t.Fatal(err)
		}
		if r := p.Printer; r.Dots != dots || r.Chinese != "raster" || r.Raster != "gs_v_0" || r.QR != "native" {
			t.Errorf("%d columns: %+v", columns, r)
		}
	}
}

// TestPrinterCutFeed: lines are fed before a cut by default, and none if the value is 0.
func TestPrinterCutFeed(t *testing.T) {
	for text, want := range map[string][2]int{
		"": {4, 0}, "cut_feed = 0": {0, 0}, "cut_feed = 7": {7, 0}, "cut_dots = 90": {0, 90},
		"model = \"CT-S310II\"": {3, 0}, "model = \"CT-S310II\"\ncut_dots = 90": {0, 90},
		"model = \"CT-S310II\"\ncut_feed = 0": {0, 0},
	} {
		p, err := board.ReadProfile("usb.toml", []byte("board = \"usb\"\n[printer]\nusb = \"/dev/usb/lp0\"\n"+text))
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]int{p.Printer.CutFeed, p.Printer.CutDots}; got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// TestConfigurationForAProfile: a configuration given in place of a profile is reported as such, once.
func TestConfigurationForAProfile(t *testing.T) {
	_, err := board.ReadProfile("p.toml", []byte("[terminal]\nid = \"T1\"\n[gateway]\nurl = \"\"\n[merchant]\n"))
	const want = "p.toml:1: terminal: this file is a configuration, which payterm config check reads; " +
		"the profile is the file that board in its [terminal] names"
	if errString(err) != want {
		t.Error(err)
	}
}

// TestProfileRefuses: each mistake is reported with its line and with what would be right.
func TestProfileRefuses(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"no TOML", `spi = "SPI0.0"`, `spi = SPI0.0`, "good.toml:5: "},
		{"unknown key", `inverted = true`, `invert = true`,
			"good.toml:17: display.invert: unknown key; did you mean display.inverted?"},
		{"unknown section", `[signal]`, `[signals]`, "good.toml:49: signals: unknown key; did you mean signal?"},
		{"wrong type", `width = 240`, `width = "240"`, "good.toml:10: "},
		{"wrong type of a pin", `dc = "gpiochip0:25"`, `dc = 25`, "good.toml:7: "},
		{"wrong duration", `"5ms"`, `"5"`, `good.toml:24: `},
		{"number for a duration", `"5ms"`, `5`, `good.toml:24: `},
		{"no name", `board = "bench"`, ``, "good.toml: board: is missing"},
		{"controller", `"st7789"`, `"st7735"`,
			`good.toml:4: display.controller: "st7735": st7789, ili9341, st7735s, st7796s, ili9488`},
		{"another bus", `bgr = false`, `i2c = "I2C1"`, `good.toml:18: display.i2c: has no meaning for st7789 on spi`},
		{"a key of another controller", `bgr = false`, `contrast = 3`,
			`good.toml:18: display.contrast: has no meaning for st7789 on spi`},
		{"characters", `bgr = false`, `columns = 20`,
			`good.toml:18: display.columns: has no meaning for st7789 on spi`},
		{"bus", `"SPI0.0"`, `"/dev/spidev0.0"`,
			`good.toml:5: display.spi: "/dev/spidev0.0": bus and chip select, such as SPI0.0`},
		{"speed", `40000000`, `40`, "good.toml:6: display.speed_hz: 40: 100000 to 80000000"},
		{"no D/C", `dc = "gpiochip0:25"`, ``,
			"good.toml:3: display.dc: is missing: a line such as gpiochip0:25 or GPIO25"},
		{"bare number", `"gpiochip0:25"`, `"25"`,
			`good.toml:7: display.dc: "25": a line is chip:offset, such as gpiochip0:25, or its name, such as GPIO25`},
		{"offset is no number", `"gpiochip0:25"`, `"gpiochip0:x"`, `good.toml:7: display.dc: "gpiochip0:x"`},
		{"too wide", `width = 240`, `width = 320`,
			"good.toml:10: display.width: 320 with offset_x 0: 64 to 240 in all, at rotation 0"},
		{"beside the RAM", `offset_y = 0`, `offset_y = 1`,
			"good.toml:11: display.height: 320 with offset_y 1: 64 to 320 in all"},
		{"negative offset", `offset_x = 0`, `offset_x = -1`, "good.toml:10: display.width: 240 with offset_x -1"},
		{"turned, sizes not", `rotation = 0`, `rotation = 90`,
			"good.toml:11: display.height: 320 with offset_y 0: 64 to 240 in all, at rotation 90"},
		{"rotation", `rotation = 0`, `rotation = 45`, "good.toml:14: display.rotation: 45: 0, 90, 180 or 270"},
		{"keypad kind", `"matrix"`, `"membrane"`, `good.toml:21: keypad.kind: "membrane": matrix, evdev`},
		{"a row too many", `"gpiochip0:13", "gpiochip0:19"]`, `"gpiochip0:13"]`,
			"good.toml:26: keypad.keys: 4 rows of keys for 3 lines in rows"},
		{"a column too few", `"gpiochip0:20", "gpiochip0:21"]`, `"gpiochip0:20"]`,
			"good.toml:26: keypad.keys: row 1 has 4 keys for 3 columns"},
		{"no rows", `rows = ["gpiochip0:5", "gpiochip0:6", "gpiochip0:13", "gpiochip0:19"]`, `rows = []`,
			"good.toml:22: keypad.rows: 0 lines: 1 to 16"},
		{"empty line", `"gpiochip0:5"`, `""`, "good.toml:22: keypad.rows: is missing"},
		{"no such key", `"F2"`, `"F9"`, `good.toml:26: keypad.keys: "F9" is no key`},
		{"key twice", `"F2"`, `"F1"`, "good.toml:26: keypad.keys: F1 is listed twice"},
		{"no ENTER", `"ENTER"`, `""`, "good.toml:26: keypad.keys: the key ENTER is missing"},
		{"no 5", `"5", `, `"", `, "good.toml:26: keypad.keys: the key 5 is missing"},
		{"scan interval", `"5ms"`, `"-5ms"`, "good.toml:24: keypad.scan_interval: -5ms: 1ms to 50ms"},
		{"debounce", `"20ms"`, `"2ms"`, "good.toml:25: keypad.debounce: 2ms: from one scan_interval (5ms) to 200ms"},
		{"scanner's device", `"/dev/ttyS1"`, `"ttyS1"`,
			`good.toml:34: scanner.device: "ttyS1": a serial line, such as /dev/ttyS1`},
		{"scanner's speed", "baud = 9600\nframing", "baud = 9601\nframing",
			"good.toml:35: scanner.baud: 9601: one of [1200"},
		{"framing", `"cr"`, `"tab"`, `good.toml:36: scanner.framing: "tab": cr, lf, crlf, stx_etx, gap`},
		{"printer without anything", "device = \"/dev/ttyS2\"\nbaud = 9600", ``,
			"good.toml:38: printer.device: is missing: a serial line with baud, or in its place network or usb"},
		{"printer without a line", `device = "/dev/ttyS2"`, ``, `good.toml:38: printer.device: is missing: a serial line, such as /dev/ttyS1`},
		{"USB and serial line", `code_page = "cp437"`, `usb = "/dev/usb/lp0"`,
			"good.toml:43: printer.usb: a printer is on USB, on the network or on a serial line"},
		{"a tty on USB", "device = \"/dev/ttyS2\"\nbaud = 9600", `usb = "/dev/ttyUSB0"`,
			`good.toml:39: printer.usb: "/dev/ttyUSB0": the file of a USB printer`},
		{"Chinese", `code_page = "cp437"`, `chinese = "gbk"`, `good.toml:43: printer.chinese: "gbk": raster, gb18030`},
		{"a way to draw", `code_page = "cp437"`, `raster = "gs_8_l"`,
			`good.toml:43: printer.raster: "gs_8_l": gs_v_0, esc_star`},
		{"a QR code", `code_page = "cp437"`, `qr = "none"`, `good.toml:43: printer.qr: "none": native, raster`},
		{"a model", `code_page = "cp437"`, `model = "ZJ-5780"`,
			`good.toml:43: printer.model: "ZJ-5780": payterm board printers names those that are known; did you mean ZJ-5870?`},
		{"a model's code page", `code_page = "cp437"`, "code_page = \"pc858\"\nmodel = \"ZJ-5870\"",
			`good.toml:43: printer.code_page: "pc858": ZJ-5870 has cp437, pc850, wpc1252; code_pages gives the number of another`},
		{"a number of no code page", `code_page = "cp437"`, `code_pages = { latin = 3 }`,
			`good.toml:43: printer.code_pages: "latin": cp437, pc850, wpc1252, pc858`},
		{"a number beyond a byte", `code_page = "cp437"`, `code_pages = { pc858 = 256 }`,
			`good.toml:43: printer.code_pages: 256: 0 to 255`},
		{"a barcode", `code_page = "cp437"`, `barcode = "qr"`, `good.toml:43: printer.barcode: "qr": native, raster, none`},
		{"a cut", `code_page = "cp437"`, `cut_kind = "half"`, `good.toml:43: printer.cut_kind: "half": partial, full`},
		{"a drawer's pin", `code_page = "cp437"`, `drawer_pin = 1`, `good.toml:43: printer.drawer_pin: 1: one of [2 5]`},
		{"a drawer's pulse", `code_page = "cp437"`, `drawer_pulse = "1s"`,
			`good.toml:43: printer.drawer_pulse: 1s: 2ms to 510ms`},
		{"cut dots", `cut_feed = 4`, `cut_dots = 501`, "good.toml:45: printer.cut_dots: 501: 1 to 500"},
		{"cut dots beside lines", `cut_feed = 4`, "cut_feed = 4\ncut_dots = 100",
			"good.toml:46: printer.cut_dots: stands in place of cut_feed: choose one"},
		{"a kind of cut and no cutter", `cut = true`, `cut_kind = "full"`,
			"printer.cut_kind: without cut = true nothing is cut"},
		{"a pulse and no drawer", `code_page = "cp437"`, `drawer_pulse = "50ms"`,
			`good.toml:43: printer.drawer_pulse: without drawer = "approved" no drawer is opened`},
		{"a pin and no drawer", `code_page = "cp437"`, `drawer_pin = 5`,
			`good.toml:43: printer.drawer_pin: without drawer = "approved" no drawer is opened`},
		{"a pulse of nothing", `code_page = "cp437"`, "drawer = \"approved\"\ndrawer_pulse = \"0s\"",
			"good.toml:44: printer.drawer_pulse: 0s: 2ms to 510ms"},
		{"no word for the drawer", `code_page = "cp437"`, `drawer = ""`, `good.toml:43: printer.drawer: "": approved`},
		{"no columns", `columns = 32`, `columns = 0`, "good.toml:41: printer.columns: 0: 16 to 64"},
		{"no dots", `dots = 384`, `dots = 0`, "good.toml:42: printer.dots: 0: 192 to 832"},
		{"no buffer", `buffer = 4096`, `buffer = 0`, "good.toml:47: printer.buffer: 0: 256 to 1048576"},
		{"no dots to cut", `cut_feed = 4`, `cut_dots = 0`, "good.toml:45: printer.cut_dots: 0: 1 to 500"},
		{"no clock", "speed_hz = 40000000", "speed_hz = 0", "display.speed_hz: 0: 100000 to 80000000"},
		{"no transfer", "spi = ", "max_transfer = 0\nspi = ", "display.max_transfer: 0: 8 to 65535"},
		{"an address on SPI", "spi = ", "address = 0\nspi = ", "display.address: has no meaning for st7789 on spi"},
		{"a scan of nothing", `scan_interval = "5ms"`, `scan_interval = "0s"`,
			"keypad.scan_interval: 0s: 1ms to 50ms"},
		{"dimmed after nothing", `backlight = "GPIO18"`, "backlight = \"pwmchip0:1\"\ndim_after = \"0s\"",
			"display.dim_after: 0s: 1s to 24h"},
		{"a gap of nothing", "framing = \"cr\"", "framing = \"gap\"\ngap = \"0s\"", "scanner.gap: 0s: 10ms to 1s"},
		{"a gap of nothing with CR", "framing = \"cr\"", "framing = \"cr\"\ngap = \"0s\"",
			"scanner.gap: has no meaning for framing cr"},
		{"a drawer", `code_page = "cp437"`, `drawer = "always"`, `good.toml:43: printer.drawer: "always": approved`},
		{"a logo from nowhere", `code_page = "cp437"`, `logo = "logo.png"`,
			`good.toml:43: printer.logo: "logo.png": the whole path of a PNG file`},
		{"asked and telling", `code_page = "cp437"`, `tells = true`,
			`good.toml:43: printer.tells: a printer is asked (status) or reports by itself (tells)`},
		{"network and serial line", `code_page = "cp437"`, `network = "192.0.2.7:9100"`,
			"good.toml:43: printer.network: a printer is on the network or on a serial line"},
		{"network without a port", "device = \"/dev/ttyS2\"\nbaud = 9600", `network = "192.0.2.7"`,
			`good.toml:39: printer.network: "192.0.2.7": host and port`},
		{"no such port", "device = \"/dev/ttyS2\"\nbaud = 9600", `network = "192.0.2.7:91000"`,
			"good.toml:39: printer.network: \"192.0.2.7:91000\": a port is 1 to 65535"},
		{"columns and dots", `columns = 32`, `columns = 42`,
			"good.toml:41: printer.columns: 42 columns of 12 dots do not fit on 384 dots"},
		{"dots", `dots = 384`, `dots = 38`, "good.toml:42: printer.dots: 38: 192 to 832"},
		{"code page", `"cp437"`, `"gbk"`, `good.toml:43: printer.code_page: "gbk": cp437, pc850, wpc1252, pc858`},
		{"paper speed", `cut_feed = 4`, `speed = 5`, "good.toml:45: printer.speed: 5: 10 to 500"},
		{"cut feed", `cut_feed = 4`, `cut_feed = 400`, "good.toml:45: printer.cut_feed: 400: 0 to 20"},
		{"buffer", `buffer = 4096`, `buffer = -1`, "good.toml:47: printer.buffer: -1: 256 to 1048576"},
		{"a line used twice", `buzzer = "gpiochip0:17"`, `buzzer = "gpiochip0:25"`,
			"good.toml:50: signal.buzzer: gpiochip0:25 is used by display.dc already"},
		{"a line in another spelling", `buzzer = "gpiochip0:17"`, `buzzer = "gpiochip0:025"`,
			"good.toml:50: signal.buzzer: gpiochip0:025 is used by display.dc already"},
		{"a tty in another spelling", `"/dev/ttyS2"`, `"/dev/./ttyS1"`,
			"good.toml:39: printer.device: /dev/./ttyS1 is used by scanner.device already"},
		{"a line twice in a row", `"gpiochip0:6"`, `"gpiochip0:5"`,
			"good.toml:22: keypad.rows: gpiochip0:5 is used by keypad.rows already"},
		{"a pad's wire on a matrix", `kind = "matrix"`, "kind = \"matrix\"\nusb = \"04d9:a061\"",
			"good.toml:22: keypad.usb: has no meaning for matrix"},
		{"a matrix's wires on a pad", `kind = "matrix"`, "kind = \"evdev\"\nusb = \"04d9:a061\"",
			"good.toml:23: keypad.rows: has no meaning for evdev"},
		{"the light's PWM for D/C", `dc = "gpiochip0:25"`, `dc = "pwmchip0:1"`,
			`good.toml:7: display.dc: "pwmchip0:1": a PWM channel: a line such as gpiochip0:25 is needed`},
		{"no PWM channel", `backlight = "GPIO18"`, `backlight = "pwmchip0"`,
			`good.toml:9: display.backlight: "pwmchip0": a PWM channel is chip and number, such as pwmchip0:1`},
		{"a line that dims", `backlight = "GPIO18"`, "backlight = \"GPIO18\"\ndim_after = \"1m\"",
			`good.toml:10: display.dim_after: the backlight "GPIO18" is on or off`},
		{"no light that dims", `backlight = "GPIO18"`, `dim_after = "1m"`,
			`good.toml:9: display.dim_after: the backlight "" is on or off`},
		{"dimmed at once", `backlight = "GPIO18"`, "backlight = \"pwmchip0:1\"\ndim_after = \"1ms\"",
			"good.toml:10: display.dim_after: 1ms: 1s to 24h"},
		{"dimmed to more than all", `backlight = "GPIO18"`,
			"backlight = \"pwmchip0:1\"\ndim_after = \"1m\"\ndim_to = 100",
			"good.toml:11: display.dim_to: 100: 1 to 99"},
		{"dimmed never", `backlight = "GPIO18"`, "backlight = \"pwmchip0:1\"\ndim_to = 20",
			"good.toml:10: display.dim_to: without dim_after it is never dimmed"},
		{"a channel used twice", "buzzer = \"gpiochip0:17\"", "buzzer = \"pwmchip0:1\"\nled_ready = \"pwmchip0:1\"",
			"good.toml:51: signal.led_ready: \"pwmchip0:1\": a PWM channel"},
		{"an LED's line used twice", "buzzer = \"gpiochip0:17\"", "led_ready = \"A:1\"\nled_approved = \"A:1\"",
			"good.toml:51: signal.led_approved: A:1 is used by signal.led_ready already"},
		{"an LED on the keypad", "buzzer = \"gpiochip0:17\"", "led_attention = \"gpiochip0:5\"",
			"good.toml:50: signal.led_attention: gpiochip0:5 is used by keypad.rows already"},
		{"an LED unknown", "buzzer = \"gpiochip0:17\"", "led_redy = \"A:1\"",
			"good.toml:50: signal.led_redy: unknown key; did you mean signal.led_ready?"},
		{"scanner kind", "framing = \"cr\"", "kind = \"usb\"", `good.toml:36: scanner.kind: "usb": serial, evdev`},
		{"a name on a serial line", "framing = \"cr\"", "name = \"Honeywell\"",
			"good.toml:36: scanner.name: has no meaning for serial"},
		{"a gap with CR", "framing = \"cr\"", "framing = \"cr\"\ngap = \"50ms\"",
			"good.toml:37: scanner.gap: has no meaning for framing cr"},
		{"a short gap", "framing = \"cr\"", "framing = \"gap\"\ngap = \"1ms\"",
			"good.toml:37: scanner.gap: 1ms: 10ms to 1s"},
		{"half a byte", "framing = \"cr\"", "trigger_start = \"0x16 5\"",
			`good.toml:36: scanner.trigger_start: "0x16 5": ASCII text with control characters written as \u0016, or hex`},
		{"no bytes", "framing = \"cr\"", "trigger_start = \"0x\"", "good.toml:36: scanner.trigger_start"},
		{"no ASCII", "framing = \"cr\"", "trigger_start = \"T\\u00e4\"", "good.toml:36: scanner.trigger_start"},
		{"a long command", "framing = \"cr\"", "trigger_start = \"" + strings.Repeat("x", 65) + "\"",
			"good.toml:36: scanner.trigger_start"},
		{"a stop without a start", "framing = \"cr\"", "trigger_stop = \"U\"", "scanner.trigger_start: is missing"},
		{"again without a start", "framing = \"cr\"", "trigger_again = \"5s\"", "scanner.trigger_start: is missing"},
		{"another SPI mode", "spi = ", "spi_mode = 1\nspi = ", "display.spi_mode: 1: 0 or 3"},
		{"a transfer of nothing", "spi = ", "max_transfer = 1\nspi = ", "display.max_transfer: 1: 8 to 65535"},
		{"COM pins of a TFT", "spi = ", "com_pins = \"sequential\"\nspi = ",
			"display.com_pins: has no meaning for st7789 on spi"},
		{"LEDs active low and none", "buzzer = \"gpiochip0:17\"", "leds_active_low = true",
			"signal.leds_active_low: without an LED"},
		{"a buzzer active low and none", "buzzer = \"gpiochip0:17\"", "buzzer_active_low = true",
			"signal.buzzer_active_low: without buzzer"},
		{"an answer without a start", "framing = \"cr\"", "trigger_reply = \"OK\"",
			"scanner.trigger_start: is missing"},
		{"an answer like a code", "framing = \"cr\"", "trigger_start = \"S\"\ntrigger_reply = \"28\"",
			"scanner.trigger_reply: \"28\" begins like a payment code"},
		{"a layout on a serial line", "framing = \"cr\"", "layout = \"fr\"",
			"good.toml:36: scanner.layout: has no meaning for serial"},
		{"again at once", "framing = \"cr\"", "trigger_start = \"T\"\ntrigger_again = \"5ms\"",
			"good.toml:37: scanner.trigger_again: 5ms: 1s to 10m"},
		{"a tty used twice", `"/dev/ttyS2"`, `"/dev/ttyS1"`,
			"good.toml:39: printer.device: /dev/ttyS1 is used by scanner.device already"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if strings.Count(good, c.old) < 1 {
				t.Fatalf("%q is not in the profile", c.old)
			}
			_, err := board.ReadProfile("good.toml", []byte(strings.Replace(good, c.old, c.new, 1)))
			if !strings.Contains(errString(err), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
	if _, err := board.ReadProfile("empty.toml", []byte(`board = "bare"`)); !strings.Contains(errString(err),
		"empty.toml:1: board: the profile has no device") {
		t.Errorf("a board without devices: %v", err)
	}
	wrong := strings.NewReplacer(`width = 240`, `width = 1`, `"cr"`, `"tab"`, `dots = 384`, `dots = 1`).Replace(good)
	_, err := board.ReadProfile("good.toml", []byte(wrong))
	if n := len(strings.Split(errString(err), "\n")); n < 3 {
		t.Errorf("of three mistakes only these are told: %v", err)
	}
}

// FuzzProfile: any profile that is accepted can be opened.
func FuzzProfile(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("board = 1\n[display]\noffset_x = 9223372036854775807\nwidth = 64"))
	for _, name := range boards.Names() {
		text, err := boards.Read(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := board.ReadProfile("fuzz.toml", text)
		if err != nil {
			if p.Display != nil || p.Keypad != nil || p.Board != "" {
				t.Error("a refused profile was given all the same")
			}
			return
		}
		if d := p.Display; d != nil && d.SPI != "" {
			c, _ := board.ControllerOf(d.Controller)
			most := max(c.RAM.Width, c.RAM.Height) // in either orientation
			if c.Wraps {
				most *= 2
			}
			if d.OffsetX < 0 || d.OffsetY < 0 || d.OffsetX+d.Width > most || d.OffsetY+d.Height > most {
				t.Errorf("%+v on a RAM of %+v", d, c.RAM)
			}
		}
		if k := p.Keypad; k != nil && k.Kind == "evdev" && (len(k.Codes()) < 12 || k.Events() == hal.EventDevice{}) {
			t.Errorf("%+v", k)
		}
		if s := p.Scanner; s != nil && (s.Kind == "serial") != (s.Baud != 0) {
			t.Errorf("%+v", s)
		}
		if k := p.Keypad; k != nil && k.Kind == "matrix" &&
			(len(k.Keys) != len(k.Rows) || k.ScanInterval.Duration <= 0 ||
				k.Debounce.Duration < k.ScanInterval.Duration) {
			t.Errorf("%+v", k)
		}
		if pr := p.Printer; pr != nil && pr.Columns*12 > pr.Dots {
			t.Errorf("%+v", pr)
		}
	})
}

// TestProfileDisplays: displays that are not on SPI, right and wrong.
func TestProfileDisplays(t *testing.T) {
	for _, c := range []struct{ display, want string }{
		{"controller = \"ssd1306\"\ni2c = \"I2C1\"\nwidth = 128\nheight = 64", ""},
		{"controller = \"ssd1306\"\nspi = \"SPI0.0\"\ndc = \"GPIO25\"\nwidth = 128\nheight = 64\nrotation = 180", ""},
		{"controller = \"hd44780\"\ni2c = \"I2C1\"\ncolumns = 20\nrows = 4", ""},
		{"controller = \"fbdev\"\ndevice = \"/dev/fb0\"\nbits = 16\nwidth = 800\nheight = 480\nrotation = 270", ""},
		{"controller = \"ili9341\"\nspi = \"SPI0.0\"\ndc = \"GPIO25\"\nwidth = 240\nheight = 320", ""},
		{"controller = \"ssd1306\"\nwidth = 128\nheight = 64", `p.toml:2: display.spi: "": bus and chip select`},
		{"controller = \"ssd1306\"\ni2c = \"i2c-1\"\nwidth = 128\nheight = 64",
			`p.toml:4: display.i2c: "i2c-1": a bus, such as I2C1`},
		{"controller = \"ssd1306\"\ni2c = \"I2C1\"\naddress = 0x27\nwidth = 128\nheight = 64",
			"p.toml:5: display.address: 0x27 is no address of ssd1306; 0x3c is what most have"},
		{"controller = \"ssd1306\"\ni2c = \"I2C1\"\ndc = \"GPIO1\"\nwidth = 128\nheight = 64",
			"p.toml:5: display.dc: has no meaning for ssd1306 on i2c"},
		{"controller = \"ssd1306\"\ni2c = \"I2C1\"\nspi = \"SPI0.0\"\ndc = \"GPIO1\"\nwidth = 128\nheight = 64",
			"p.toml:4: display.i2c: has no meaning for ssd1306 on spi"},
		{"controller = \"ssd1306\"\ni2c = \"I2C1\"\nwidth = 128\nheight = 32", ""},
		{"controller = \"ssd1306\"\ni2c = \"I2C1\"\nwidth = 128\nheight = 64\noffset_x = 2", ""},
		{"controller = \"ssd1306\"\ni2c = \"I2C1\"\nwidth = 128\nheight = 64\noffset_x = 5",
			"p.toml:5: display.width: 128 with offset_x 5: 64 to 132 in all, at rotation 0"},
		{"controller = \"ssd1306\"\ni2c = \"I2C1\"\nwidth = 128\nheight = 24",
			"p.toml:6: display.height: 24 with offset_y 0: 32 to 64 in all, at rotation 0"},
		{"controller = \"ssd1306\"\ni2c = \"I2C1\"\nwidth = 128\nheight = 60",
			"p.toml:6: display.height: 60: the rows of ssd1306 come in eights"},
		{"controller = \"ssd1306\"\ni2c = \"I2C1\"\nwidth = 128\nheight = 64\nrotation = 90",
			"p.toml:7: display.rotation: 90: ssd1306 turns by 180 only"},
		{"controller = \"ssd1306\"\ni2c = \"I2C1\"\nwidth = 128\nheight = 64\ncontrast = 256",
			"p.toml:7: display.contrast: 256: 1 to 255"},
		{"controller = \"hd44780\"\ni2c = \"I2C1\"\ncolumns = 20\nrows = 2",
			"p.toml:5: display.columns: 20 by 2 rows: 16 by 2, or 20 by 4"},
		{"controller = \"hd44780\"\ni2c = \"I2C1\"\ncolumns = 20\nrows = 4\nrom = \"A02\"", ""},
		{"controller = \"hd44780\"\ni2c = \"I2C1\"\ncolumns = 20\nrows = 4\nrom = \"A01\"",
			`p.toml:7: display.rom: "A01": A00, A02`},
		{"controller = \"ssd1306\"\ni2c = \"I2C1\"\nwidth = 128\nheight = 64\nrom = \"A02\"",
			"display.rom: has no meaning for ssd1306 on i2c"},
		{"controller = \"hd44780\"\ni2c = \"I2C1\"\naddress = 0x30\ncolumns = 20\nrows = 4",
			"display.address: 0x30 is no address of hd44780"},
		{"controller = \"fbdev\"\ndevice = \"fb0\"\nbits = 16\nwidth = 800\nheight = 480",
			`p.toml:4: display.device: "fb0": a frame buffer, such as /dev/fb0`},
		{"controller = \"fbdev\"\ndevice = \"/dev/fb0\"\nbits = 24\nwidth = 800\nheight = 480",
			"p.toml:5: display.bits: 24: 16 or 32"},
		{"controller = \"fbdev\"\ndevice = \"/dev/fb0\"\nbits = 16\nwidth = 80\nheight = 480",
			"p.toml:6: display.width: 80: 128 to 4096"},
	} {
		p, err := board.ReadProfile("p.toml", []byte("board = \"b\"\n[display]\n"+c.display))
		if !strings.Contains(errString(err), c.want) || (err == nil) != (c.want == "") {
			t.Errorf("%s\ngot  %v\nwant %s", c.display, err, c.want)
		}
		if err == nil && (p.Display.SPI != "") != (p.Display.SpeedHz != 0) {
			t.Errorf("%s: %+v", c.display, p.Display)
		}
	}
}

// TestProfileEventDevices: scanners and keypads that type, right and wrong.
func TestProfileEventDevices(t *testing.T) {
	const digits = "KEY_0 = \"0\"\nKEY_1 = \"1\"\nKEY_2 = \"2\"\nKEY_3 = \"3\"\nKEY_4 = \"4\"\nKEY_5 = \"5\"\nKEY_6 = \"6\"\nKEY_7 = \"7\"\nKEY_8 = \"8\"\nKEY_9 = \"9\"\n"
	for _, c := range []struct{ text, want string }{
		{"[scanner]\nkind = \"evdev\"\nusb = \"0c2e:0b61\"\naim = true", ""},
		{"[scanner]\nkind = \"evdev\"\nname = \"Honeywell\"", ""},
		{"[scanner]\nkind = \"evdev\"\ndevice = \"/dev/input/event3\"", ""},
		{"[scanner]\nkind = \"evdev\"", "p.toml:2: scanner.device: is missing: device, name or usb says"},
		{"[scanner]\nkind = \"evdev\"\nusb = \"0c2e:0b61\"\nname = \"x\"",
			"scanner.device: 2 of device, name, usb are given"},
		{"[scanner]\nkind = \"evdev\"\ndevice = \"/dev/ttyS1\"",
			`p.toml:4: scanner.device: "/dev/ttyS1": an event device`},
		{"[scanner]\nkind = \"evdev\"\nusb = \"c2e:b61\"",
			`p.toml:4: scanner.usb: "c2e:b61": vendor and product as lsusb has them`},
		{"[scanner]\nkind = \"evdev\"\nname = \"x\"\nbaud = 9600", "p.toml:5: scanner.baud: has no meaning for evdev"},
		{"[scanner]\nkind = \"evdev\"\nname = \"x\"\nframing = \"cr\"",
			"p.toml:5: scanner.framing: has no meaning for evdev"},
		{"[scanner]\nkind = \"evdev\"\nname = \"x\"\ntrigger_start = \"T\"",
			"p.toml:5: scanner.trigger_start: has no meaning for evdev"},
		{"[display]\ncontroller = \"st7789\"\nspi = \"SPI0.0\"\ndc = \"A:1\"\nwidth = 240\nheight = 320\nbacklight = \"pwmchip0:1\"\n[signal]\nbuzzer = \"pwmchip0:01\"",
			"signal.buzzer: pwmchip0:01 is used by display.backlight already"},
		{"[keypad]\nkind = \"evdev\"\nusb = \"04d9:a061\"", ""},
		{"[keypad]\nkind = \"evdev\"\nusb = \"04d9:a061\"\n[scanner]\nkind = \"evdev\"\nusb = \"04D9:A061\"",
			"p.toml:7: scanner.usb: 04d9:a061 is used by keypad.usb already"},
		{"[scanner]\nkind = \"evdev\"\nusb = \"04d9:a061\"\nlayout = \"azerty\"",
			`p.toml:5: scanner.layout: "azerty": us, uk, fr, de`},
		{"[keypad]\nkind = \"evdev\"\nusb = \"04d9:a061\"\n[keypad.map]\n" + digits +
			"KEY_ENTER = \"ENTER\"\nKEY_ESC = \"CANCEL\"",
			""},
		{"[keypad]\nkind = \"evdev\"\nusb = \"04d9:a061\"\n[keypad.map]\n" + digits + "KEY_ENTER = \"ENTER\"",
			"p.toml:5: keypad.map: the key CANCEL is missing"},
		{"[keypad]\nkind = \"evdev\"\nusb = \"04d9:a061\"\n[keypad.map]\n" + digits +
			"KEY_ENTER = \"ENTER\"\nKEY_ESC = \"QUIT\"",
			`p.toml:17: keypad.map.KEY_ESC: "QUIT" is no key`},
		{"[keypad]\nkind = \"evdev\"\nusb = \"04d9:a061\"\n[keypad.map]\n" + digits +
			"ENTER = \"ENTER\"\nKEY_ESC = \"CANCEL\"",
			"p.toml:16: keypad.map.ENTER: is no key of linux/input-event-codes.h"},
	} {
		p, err := board.ReadProfile("p.toml", []byte("board = \"b\"\n"+c.text))
		if !strings.Contains(errString(err), c.want) || (err == nil) != (c.want == "") {
			t.Errorf("%s\ngot  %v\nwant %s", c.text, err, c.want)
		}
		if err == nil && p.Keypad != nil && (p.Keypad.Codes()[11] != "0" || p.Keypad.Layout()[2][3] != "ENTER") {
			t.Errorf("%+v", p.Keypad)
		}
	}
}

// TestTriggerCommands: commands to a scanner, as manuals write them.
func TestTriggerCommands(t *testing.T) {
	for text, want := range map[string]string{"": "", "\x16T\r": "\x16T\r", "0x16 54 0d": "\x16T\r",
		"0x16540D": "\x16T\r", "0xff": "\xff"} {
		start, stop, err := (&board.Scanner{TriggerStart: text, TriggerStop: text}).Trigger()
		if string(start) != want || string(stop) != want || err != nil {
			t.Errorf("%q: %q %q %v", text, start, stop, err)
		}
	}
}

package board

import (
	"fmt"
	"strings"
	"testing"
)

// pi is a profile of a board with a keypad of one row and a display on SPI.
const pi = `board = %q
header = %q
[display]
controller = "st7789"
spi = %q
dc = %q
width = 240
height = 320
[keypad]
kind = "matrix"
rows = [%q]
columns = ["GPIO5", "GPIO6", "GPIO13", "GPIO19", "GPIO26", "GPIO16", "GPIO20", "GPIO21", "GPIO12", "GPIO4", "GPIO22",
	"GPIO23", "GPIO24"]
keys = [["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "CLEAR", "CANCEL", "ENTER"]]
[scanner]
device = %q
baud = 9600
`

// TestHeader: on a board with a known header, a line or a bus that it does not have is refused, and so is a
// line that a bus uses, by any of its names.
func TestHeader(t *testing.T) {
	const some, five, own = "Raspberry Pi 4, ST7789", "Raspberry Pi 5 at the counter", "Our board"
	for _, c := range []struct {
		board, header, spi, dc, row, serial string
		wrong                               string // the whole error without the file's name; empty: none
	}{
		{some, "", "SPI0.0", "GPIO25", "GPIO17", "/dev/serial0", ""},
		{some, "", "SPI0.0", "gpiochip0:25", "pinctrl-bcm2711:17", "/dev/ttyACM0", ""},
		{some, "", "SPI0.1", "GPIO25", "mcp23017:3", "/dev/ttyACM0", ""}, // an expander's
		{some, "", "SPI0.1", "GPIO25", "EXPANDER_3", "/dev/ttyACM0", "11: keypad.rows: EXPANDER_3 is not a line of this " +
			"board, whose header has GPIO0 to GPIO27; a line of an expander is chip:offset, such as gpiochip2:3 ("},
		{some, "", "SPI0.1", "GPIO25", "GPIO8", "/dev/ttyACM0", ""}, // CE0 is free
		{some, "", "SPI0.0", "GPIO25", "gpiochip1:99", "/dev/ttyACM0", ""},
		{some, "", "SPI0.0", "GPIO25", "GPIO99", "/dev/ttyACM0",
			"11: keypad.rows: GPIO99 is not on the header of this board, which has GPIO0 to GPIO27"},
		{some, "", "SPI0.0", "GPIO28", "GPIO17", "/dev/ttyACM0", "6: display.dc: GPIO28 is not on the header"},
		{some, "", "SPI0.0", "GPIO25", "gpiochip0:28", "/dev/ttyACM0", "11: keypad.rows: gpiochip0:28 is not on"},
		{some, "", "SPI9.9", "GPIO25", "GPIO17", "/dev/ttyACM0",
			"5: display.spi: SPI9.9 is not on the header of this board, which has SPI0.0, SPI0.1, SPI1.0,"},
		{some, "", "SPI0.2", "GPIO25", "GPIO17", "/dev/ttyACM0", "5: display.spi: SPI0.2 is not on"},
		{some, "", "SPI0.0", "GPIO25", "GPIO10", "/dev/ttyACM0",
			"11: keypad.rows: GPIO10 is used by display.spi as MOSI already"},
		{some, "", "SPI0.0", "GPIO25", "gpiochip0:11", "/dev/ttyACM0",
			"11: keypad.rows: gpiochip0:11 is used by display.spi as SCLK already"},
		{some, "", "SPI0.0", "GPIO25", "SPI_CE0_N", "/dev/ttyACM0", "SPI_CE0_N is used by display.spi as CE0 already"},
		{some, "", "SPI0.0", "SPI_MISO", "GPIO17", "/dev/ttyACM0", "6: display.dc: SPI_MISO is used by display.spi as"},
		{some, "", "SPI0.0", "GPIO25", "pinctrl-bcm2835:25", "/dev/ttyACM0",
			"pinctrl-bcm2835:25 is used by display.dc already"},
		{some, "", "SPI0.0", "GPIO25", "GPIO14", "/dev/serial0", "16: scanner.device: TXD of /dev/serial0 is GPIO14 " +
			"(pin 8), which is used by keypad.rows already"},
		{some, "", "SPI0.0", "GPIO25", "RXD1", "/dev/ttyAMA0", "RXD of /dev/ttyAMA0 is GPIO15 (pin 10), which is"},
		{some, "", "SPI1.0", "GPIO25", "GPIO17", "/dev/ttyACM0", "GPIO19 is used by display.spi as MISO already"},
		{five, "", "SPI0.0", "gpiochip4:25", "pinctrl-rp1:17", "/dev/ttyACM0", ""},
		{five, "", "SPI2.0", "GPIO25", "GPIO17", "/dev/ttyACM0", ""},
		{five, "", "SPI6.0", "GPIO25", "GPIO17", "/dev/ttyACM0", "SPI6.0 is not on"},
		{five, "", "SPI0.0", "gpiochip4:25", "GPIO25", "/dev/ttyACM0", "GPIO25 is used by display.dc already"},
		{own, "", "SPI9.9", "GPIO99", "GPIO10", "/dev/ttyACM0", ""}, // the header is unknown
		{own, "raspberrypi", "SPI0.0", "GPIO99", "GPIO17", "/dev/ttyACM0", "GPIO99 is not on"},
		{some, "none", "SPI9.9", "GPIO99", "GPIO10", "/dev/ttyACM0", ""},
		{some, "raspberry", "SPI0.0", "GPIO25", "GPIO17", "/dev/ttyACM0",
			`2: header: "raspberry": raspberrypi5, raspberrypi4, raspberrypi, orangepizero3, beagleboneblack, none`},
	} {
		_, err := ReadProfile("p.toml", fmt.Appendf(nil, pi, c.board, c.header, c.spi, c.dc, c.row, c.serial))
		if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// TestLinesWrittenOtherwise: a name that only a person would read as that of a line is refused with the right
// name, and is not taken for a line with a name of its own.
func TestLinesWrittenOtherwise(t *testing.T) {
	for _, c := range []struct{ board, name, meant string }{
		{"Raspberry Pi 4", "gpio5", "GPIO5"}, {"Raspberry Pi 4", "GPIO05", "GPIO5"},
		{"Raspberry Pi 4", "GPIO_5", "GPIO5"},
		{"Raspberry Pi 4", "gpiochip0/10", "gpiochip0:10"}, {"Raspberry Pi 4", "gpiochip0.010", "gpiochip0:10"},
		{"Raspberry Pi 4", "GPIOCHIP0:10", "gpiochip0:10"}, {"Raspberry Pi 4", "SPI_CE1", "SPI_CE1_N"},
		{"Raspberry Pi 4", "spi-ce1", "SPI_CE1_N"}, {"Raspberry Pi 4", "gpio99", "GPIO99"},
		{"Raspberry Pi 4", "gpiochip0/99", "gpiochip0:99"},
		{"Raspberry Pi 4", "pinctrl_bcm2711:5", "pinctrl-bcm2711:5"},
		{"Orange Pi Zero 3", "pc7", "PC7"}, {"Orange Pi Zero 3", "PC07", "PC7"},
		{"BeagleBone Black", "P9.12", "P9_12"}, {"BeagleBone Black", "gpio_32_63:28", "gpio-32-63:28"},
		{"Raspberry Pi 4", "gpiochip2:5", ""},
		{"a board of one's own", "gpio05", ""},
	} {
		_, err := ReadProfile("p.toml", fmt.Appendf(nil, "board = %q\n[scanner]\ndevice = \"/dev/ttyACM0\"\nbaud = 9600\n"+
			"[signal]\nbuzzer = %q\n", c.board, c.name))
		want := "p.toml:6: signal.buzzer: " + c.name + ": the kernel has no line of this name; did you mean " + c.meant + "?"
		if (err == nil) != (c.meant == "") || err != nil && err.Error() != want {
			t.Errorf("%s: %s: %v, want %s", c.board, c.name, err, want)
		}
	}
}

// TestMisspeltLines: on a known header any other name is refused, with the nearest right one where there is one.
func TestMisspeltLines(t *testing.T) {
	const pi, orange, beagle = "Raspberry Pi 3", "Orange Pi Zero 3", "BeagleBone Black"
	for _, c := range []struct{ board, name, says string }{
		{pi, "GPIO1O", "did you mean GPIO10?"}, {pi, "GPIOO5", "did you mean GPIO5?"},
		{pi, "GIPO17", "did you mean GPIO17?"}, {pi, "GPlO17", "did you mean GPIO17?"},
		{pi, "GPI017", "did you mean GPIO17?"}, {pi, "GPIOI7", "did you mean GPIO17?"},
		{pi, "GPO17", "did you mean GPIO17?"}, {pi, "GPIIO17", "did you mean GPIO17?"},
		{pi, "BCM17", "did you mean GPIO17?"}, {pi, "G17", "did you mean GPIO17?"}, {pi, "IO4", "did you mean GPIO4?"},
		{pi, "PIN11", "did you mean GPIO17 (pin 11)?"}, {pi, "pin_7", "did you mean GPIO4 (pin 7)?"},
		{pi, "PIN6", "is not a line of this board, whose header has GPIO0 to GPIO27;"}, // ground
		{pi, "BCM99", "is not a line of this board"}, {pi, "LAMP", "is not a line of this board"},
		{pi, "SPI_MOIS", "did you mean SPI_MOSI?"}, {pi, "expander-5", "is not a line of this board"},
		{pi, "gpiochp0:17", "did you mean gpiochip0:17?"},
		{pi, "pinctrl-bcm271l:17", "did you mean pinctrl-bcm2711:17?"},
		{orange, "PZ9", "did you mean PC9 or PH9?"}, {orange, "PCO9", "did you mean PC9?"},
		{orange, "PIN24", "did you mean PH9 (pin 24)?"},
		{orange, "GPIO17", "is not a line of this board, whose header has PC5"},
		{beagle, "P9_I2", "did you mean P9_12?"}, {beagle, "PB_12", "did you mean P8_12 or P9_12?"},
		{pi, "GPIO17", ""}, {pi, "gpiochip3:17", ""}, {pi, "mcp23017:17", ""}, {orange, "gpiochip1:9", ""},
	} {
		_, err := ReadProfile("p.toml", fmt.Appendf(nil, "board = %q\n[scanner]\ndevice = \"/dev/ttyACM0\"\nbaud = 9600\n"+
			"[signal]\nbuzzer = %q\n", c.board, c.name))
		if (err == nil) != (c.says == "") || err != nil && (!strings.Contains(err.Error(), c.says) ||
			!strings.HasPrefix(err.Error(), "p.toml:6: signal.buzzer: "+c.name)) {
			t.Errorf("%s: %s: %v, want %q", c.board, c.name, err, c.says)
		}
	}
}

// TestI2CBuses: on a known header a bus that it does not have is refused.
func TestI2CBuses(t *testing.T) {
	for _, c := range []struct{ board, bus, buzzer, wrong string }{
		{"Raspberry Pi 3", "I2C9", "GPIO4", "I2C9 is not on the header of this board, which has I2C0, I2C1 (for one that"},
		{"Raspberry Pi 3", "I2C3", "GPIO4", "I2C3 is not on"}, {"Raspberry Pi 3", "I2C0", "GPIO4", ""},
		{"Raspberry Pi 4", "I2C3", "GPIO4", "GPIO4 is used by display.i2c as SDA already"},
		{"Raspberry Pi 4", "I2C6", "GPIO4", ""},
		{"Raspberry Pi 4", "I2C2", "GPIO4", "which has I2C0, I2C1, I2C3, I2C4"},
		{"Raspberry Pi 5", "I2C2", "GPIO5", "GPIO5 is used by display.i2c as SCL already"},
		{"Orange Pi Zero 3", "I2C1", "PC9", "which has I2C3"}, {"BeagleBone Black", "I2C1", "P9_12", ""},
		{"Our board", "I2C9", "GPIO4", ""},
	} {
		_, err := ReadProfile("p.toml", fmt.Appendf(nil, `board = %q
[display]
controller = "hd44780"
i2c = %q
columns = 20
rows = 4
[signal]
buzzer = %q
`, c.board, c.bus, c.buzzer))
		if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// TestI2CHeader: the lines of an I2C bus count as used, too.
func TestI2CHeader(t *testing.T) {
	for line, wrong := range map[string]string{
		"GPIO2": "signal.buzzer: GPIO2 is used by display.i2c as SDA already",
		"SCL1":  "signal.buzzer: SCL1 is used by display.i2c as SCL already", "GPIO4": "",
	} {
		_, err := ReadProfile("p.toml", fmt.Appendf(nil, `board = "Raspberry Pi"
[display]
controller = "hd44780"
i2c = "I2C1"
columns = 20
rows = 4
[signal]
buzzer = %q
`, line))
		if (err == nil) != (wrong == "") || err != nil && !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// TestPins: the pin of a wire on the header, by each of its names.
func TestPins(t *testing.T) {
	h := Profile{Board: "Raspberry Pi Zero 2 W"}.Header()
	for wire, want := range map[string]string{
		"GPIO17": "pin 11", "gpiochip0:17": "pin 11", "pinctrl-bcm2835:017": "pin 11", "GPIO0": "pin 27",
		"GPIO27": "pin 13", "GPIO28": "", "gpiochip0:40": "", "gpiochip1:17": "", "SDA1": "pin 3", "GPIO_GCLK": "pin 7",
		"SPI_MOSI": "pin 19", "TXD1": "pin 8", "SPI0.0": "pins 19 (MOSI), 23 (SCLK), 24 (CE0)",
		"SPI1.2": "pins 38 (MOSI), 40 (SCLK), 36 (CE2)", "SPI1.3": "", "SPI9.9": "", "I2C1": "pins 3 (SDA), 5 (SCL)",
		"I2C0": "pins 27 (SDA), 28 (SCL)", "I2C9": "", "/dev/serial0": "pins 8 (TXD), 10 (RXD)",
		"/dev/ttyS0": "pins 8 (TXD), 10 (RXD)", "/dev/ttyUSB0": "", "": "",
	} {
		if got := h.Pins(wire); got != want {
			t.Errorf("%s: %q, want %q", wire, got, want)
		}
	}
	if got := (Profile{Board: "emulated"}).Header().Pins("GPIO17"); got != "" {
		t.Errorf("of a board that is not known: %q", got)
	}
	if h := (Profile{Board: "Raspberry Pi", HeaderName: noHeader}).Header(); h != nil {
		t.Errorf("header = none: %v", h.Name)
	}
	for board, wires := range map[string]map[string]string{
		"Orange Pi Zero 3": {"300b000.pinctrl:71": "pin 22", "PC7": "pin 22",
			"SPI1.1":     "pins 19 (MOSI), 23 (SCLK), 24 (CE1)",
			"/dev/ttyS5": "pins 8 (TXD), 10 (RXD)", "PC12": "", "300b000.pinctrl:76": ""},
		"BeagleBone Black": {"gpio-32-63:28": "pin P9_12", "P9_12": "pin P9_12", "gpio-0-31:26": "pin P8_14",
			"SPI0.0": "pins P9_18 (MOSI), P9_22 (SCLK), P9_17 (CE0)", "/dev/ttyS4": "pins P9_13 (TXD), P9_11 (RXD)",
			"gpio-32-63:21": "", "P9_10": ""},
		"Raspberry Pi 5": {"/dev/serial0": "", "/dev/ttyAMA0": "pins 8 (TXD), 10 (RXD)", "pinctrl-rp1:17": "pin 11"},
	} {
		h := Profile{Board: board + ", a display"}.Header()
		for wire, want := range wires {
			if got := h.Pins(wire); got != want {
				t.Errorf("%s: %s: %q, want %q", board, wire, got, want)
			}
		}
	}
	for _, h := range Headers { // each pin has one line, and each bus only lines on the header
		lines := map[string]string{}
		for _, l := range h.lines {
			if was := lines[l.pin]; was != "" && was != l.name {
				t.Errorf("%s: pin %s is %s and %s", h.Name, l.pin, was, l.name)
			}
			lines[l.pin] = l.name
		}
		buses := []string{}
		for _, s := range h.spi {
			buses = append(append(buses, s.miso, s.mosi, s.sclk), s.selects...)
		}
		for _, p := range h.pairs {
			buses = append(buses, p.line[:]...)
		}
		for _, line := range buses {
			if _, there := h.lines[line]; !there {
				t.Errorf("%s: a bus takes %s, which is not brought out", h.Name, line)
			}
		}
	}
}

// TestOtherHeaders: headers other than the Raspberry Pi's.
func TestOtherHeaders(t *testing.T) {
	for _, c := range []struct{ board, spi, dc, buzzer, wrong string }{
		{"Orange Pi Zero 3", "SPI1.1", "300b000.pinctrl:71", "PC9", ""},
		{"Orange Pi Zero 3", "SPI0.0", "PC7", "PC9", "display.spi: SPI0.0 is not on the header of this board, which has SPI1.0"},
		{"Orange Pi Zero 3", "SPI1.1", "PC7", "300b000.pinctrl:71", "300b000.pinctrl:71 is used by display.dc already"},
		{"Orange Pi Zero 3", "SPI1.1", "PC7", "PH7", "PH7 is used by display.spi as MOSI already"},
		{"Orange Pi Zero 3", "SPI1.1", "PC7", "PG9", "PG9 is not on the header of this board, which has PC5 to PC15"},
		{"BeagleBone Black", "SPI0.0", "gpio-32-63:28", "P8_18", ""},
		{"BeagleBone Black", "SPI0.0", "P9_12", "gpio-32-63:28", "gpio-32-63:28 is used by display.dc already"},
		{"BeagleBone Black", "SPI0.0", "P9_12", "gpio-0-31:4", "gpio-0-31:4 is used by display.spi as MOSI already"},
		{"BeagleBone Black", "SPI0.0", "P9_12", "gpio-32-63:22", "gpio-32-63:22 is not on the header"},
		{"BeagleBone Black", "SPI0.0", "P9_12", "P9_99", "P9_99 is not on the header of this board, which has P8_3"},
	} {
		_, err := ReadProfile("p.toml", fmt.Appendf(nil, "board = %q\n[display]\ncontroller = \"st7789\"\nspi = %q\n"+
			"dc = %q\nwidth = 240\nheight = 240\n[signal]\nbuzzer = %q\n", c.board, c.spi, c.dc, c.buzzer))
		if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

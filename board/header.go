package board

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Header is what is known of the pins that a board brings out: which line is on which pin, and
// which lines its buses take. A profile of such a board is held against it.
type Header struct {
	Name   string // as a profile's header has it
	boards string // what its boards' names begin with

	pins  []int          // of the header, by the number of the line; 0 for one that is not brought out
	chips []string       // names and labels of the GPIO chip whose offsets these numbers are
	names map[string]int // of lines, besides GPIO and the number
	spi   []spiLines
	pairs []pairLines
}

// spiLines are the lines of an SPI bus; selects are its chip selects in order.
type spiLines struct {
	bus              string
	miso, mosi, sclk int
	selects          []int
}

// pairLines are what a bus or a serial line with two lines takes, by any of its names.
type pairLines struct {
	names  []string
	signal [2]string
	line   [2]int
}

// noHeader is the word of a profile whose pins nothing is held against.
const noHeader = "none"

// The 40 pins that all Raspberry Pi have since 2014, and what the kernels of the makers and of
// kernel.org call the lines. The buses of the SoCs differ beyond SPI1; the chip selects are
// those of the overlays where they are told nothing.
var (
	piPins = []int{27, 28, 3, 5, 7, 29, 31, 26, 24, 21, 19, 23, 32, 33, 8, 10, 36, 11, 12, 35, 38, 40, 15, 16, 18,
		22, 37, 13}
	piNames = map[string]int{
		"ID_SDA": 0, "ID_SDAC": 0, "ID_SD": 0, "ID_SCL": 1, "ID_SCLC": 1, "ID_SC": 1, "SDA1": 2, "SCL1": 3,
		"GPIO_GCLK": 4, "SPI_CE1_N": 7, "SPI_CE0_N": 8, "SPI_MISO": 9, "SPI_MOSI": 10, "SPI_SCLK": 11,
		"TXD1": 14, "RXD1": 15,
	}
	piSPI = []spiLines{
		{"SPI0", 9, 10, 11, []int{8, 7}}, {"SPI1", 19, 20, 21, []int{18, 17, 16}},
	}
	piPairs = []pairLines{
		{[]string{"I2C0"}, [2]string{"SDA", "SCL"}, [2]int{0, 1}},
		{[]string{"I2C1"}, [2]string{"SDA", "SCL"}, [2]int{2, 3}},
		{[]string{"/dev/serial0", "/dev/ttyAMA0", "/dev/ttyS0"}, [2]string{"TXD", "RXD"}, [2]int{14, 15}},
	}
)

// Headers are those that are known; of two whose boards' names begin alike the longer first.
var Headers = []Header{
	{
		Name: "raspberrypi5", boards: "Raspberry Pi 5", pins: piPins, names: piNames,
		chips: []string{"gpiochip0", "gpiochip4", "pinctrl-rp1"}, pairs: piPairs,
		spi: slices.Concat(piSPI, []spiLines{
			{"SPI2", 1, 2, 3, []int{0, 24}}, {"SPI3", 5, 6, 7, []int{4, 25}}, {"SPI5", 13, 14, 15, []int{12, 26}},
		}),
	},
	{
		Name: "raspberrypi", boards: "Raspberry Pi", pins: piPins, names: piNames,
		chips: []string{"gpiochip0", "pinctrl-bcm2835", "pinctrl-bcm2711"}, pairs: piPairs,
		spi: slices.Concat(piSPI, []spiLines{ // the further ones of a Raspberry Pi 4
			{"SPI3", 1, 2, 3, []int{0, 24}}, {"SPI4", 5, 6, 7, []int{4, 25}}, {"SPI5", 13, 14, 15, []int{12, 26}},
			{"SPI6", 19, 20, 21, []int{18, 27}},
		}),
	},
}

// Header is that of the board, by the word of the profile or by the board's name; nil where
// none is known.
func (p Profile) Header() *Header {
	for i, h := range Headers {
		if p.HeaderName == h.Name || p.HeaderName == "" && strings.HasPrefix(p.Board, h.boards) {
			return &Headers[i]
		}
	}
	return nil
}

func headerNames() []string {
	names := make([]string, 0, len(Headers)+1)
	for _, h := range Headers {
		names = append(names, h.Name)
	}
	return append(names, noHeader)
}

var gpioName = regexp.MustCompile(`^GPIO(0|[1-9][0-9]{0,3})$`)

// line is the number of a line by any of its names; false for one of another chip, and for a
// name that is not the header's.
func (h *Header) line(name string) (int, bool) {
	if m := gpioName.FindStringSubmatch(name); m != nil {
		n, err := strconv.Atoi(m[1])
		return n, err == nil
	}
	if chip, offset, is := strings.Cut(name, ":"); is && slices.Contains(h.chips, chip) {
		n, err := strconv.Atoi(offset)
		return n, err == nil
	}
	n, known := h.names[name]
	return n, known
}

func (h *Header) pin(n int) int {
	if n < 0 || n >= len(h.pins) {
		return 0
	}
	return h.pins[n]
}

// taken is a line that a bus or a serial line takes.
type taken struct {
	signal string
	line   int
}

// shared are the lines of a bus or a serial line; nothing of one that is not the header's.
func (h *Header) shared(wire string) []taken {
	for _, p := range h.pairs {
		if slices.Contains(p.names, wire) {
			return []taken{{p.signal[0], p.line[0]}, {p.signal[1], p.line[1]}}
		}
	}
	bus, chip, is := strings.Cut(wire, ".")
	n, err := strconv.Atoi(chip)
	for _, s := range h.spi {
		if is && err == nil && s.bus == bus && n < len(s.selects) {
			return []taken{{"MOSI", s.mosi}, {"SCLK", s.sclk}, {fmt.Sprintf("CE%d", n), s.selects[n]}, {"MISO", s.miso}}
		}
	}
	return nil
}

// buses are the header's SPI buses with their chip selects, for a message.
func (h *Header) buses() string {
	var all []string
	for _, s := range h.spi {
		for n := range s.selects {
			all = append(all, fmt.Sprintf("%s.%d", s.bus, n))
		}
	}
	return strings.Join(all, ", ")
}

// Pins says where a wire is on the header, such as "pin 11" or "pins 3 (SDA), 5 (SCL)"; ""
// for one that is not there. Nothing comes back from a display, so that MISO is left out.
func (h *Header) Pins(wire string) string {
	if h == nil {
		return ""
	}
	if n, known := h.line(wire); known {
		if pin := h.pin(n); pin != 0 {
			return fmt.Sprintf("pin %d", pin)
		}
		return ""
	}
	var pins []string
	for _, t := range h.shared(wire) {
		if t.signal != "MISO" {
			pins = append(pins, fmt.Sprintf("%d (%s)", h.pin(t.line), t.signal))
		}
	}
	if len(pins) == 0 {
		return ""
	}
	return "pins " + strings.Join(pins, ", ")
}

// onHeader holds a line against the header, and gives it the one name that it has there.
func (c *checker) onHeader(key, name string) (string, bool) {
	if c.header == nil {
		return oneSpelling(name), true
	}
	n, known := c.header.line(name)
	switch {
	case !known: // an expander's, or one with a name that somebody gave it
		return oneSpelling(name), true
	case c.header.pin(n) == 0:
		c.bad(key, "%s is not on the header of this board, which has GPIO0 to GPIO%d (header = %q has nothing checked)",
			name, len(c.header.pins)-1, noHeader)
		return name, false
	}
	return fmt.Sprintf("GPIO%d", n), true
}

// shares takes the lines that a bus or a serial line has on the header.
func (c *checker) shares(key, wire string) {
	if c.header == nil {
		return
	}
	for _, t := range c.header.shared(wire) {
		name := fmt.Sprintf("GPIO%d", t.line)
		if by, taken := c.used[name]; taken {
			c.bad(key, "%s of %s is %s (pin %d), which is used by %s already", t.signal, wire, name,
				c.header.pin(t.line), by)
			continue
		}
		c.used[name] = fmt.Sprintf("%s as %s", key, t.signal)
	}
}

// spiBus takes an SPI bus.
func (c *checker) spiBus(key, name string) {
	switch {
	case !spiName.MatchString(name):
		c.bad(key, "%q: bus and chip select, such as SPI0.0", name)
	case c.header != nil && c.header.shared(name) == nil:
		c.bad(key, "%s is not on the header of this board, which has %s (header = %q has nothing checked)", name,
			c.header.buses(), noHeader)
	default:
		c.wire(key, name)
		c.shares(key, name)
	}
}

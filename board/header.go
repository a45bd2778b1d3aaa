package board

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Header describes the pin header of a board: which line is on which pin, and which lines its buses use. The
// profile of such a board is checked against it.
type Header struct {
	Name   string // the value of a profile's key header
	boards string // prefix of its boards' names
	has    string // its lines, for a message

	lines map[string]headerLine // by each of their names, and by chip and offset
	loose map[string]string     // lines by the simplified form of their names (loosely)
	chips []string              // names and labels of the chips that have these lines
	form  *regexp.Regexp        // of names that only these chips' lines have
	spi   []spiLines
	pairs []pairLines
	bare  *regexp.Regexp // a line's number under a name that other programs and drawings give it; nil for none
}

// headerLine is a line on the header.
type headerLine struct{ name, pin string }

// spiLines are the lines of an SPI bus, by name; selects are its chip selects in order.
type spiLines struct {
	bus              string
	miso, mosi, sclk string
	selects          []string
}

// pairLines are the two lines of a bus or of a serial line, which may have several names.
type pairLines struct {
	names  []string
	signal [2]string
	line   [2]string
}

// noHeader is the value of a profile's key header that turns the checks off.
const noHeader = "none"

// piLines are the 40 pins that all Raspberry Pi have had since 2014, in the order of the lines, with the names
// that some have in the kernels of kernel.org.
const piLines = "27/ID_SDA/ID_SDAC/ID_SD 28/ID_SCL/ID_SCLC/ID_SC 3/SDA1 5/SCL1 7/GPIO_GCLK 29 31 26/SPI_CE1_N 24/SPI_CE0_N " +
	"21/SPI_MISO 19/SPI_MOSI 23/SPI_SCLK 32 33 8/TXD1 10/RXD1 36 11 12 35 38 40 15 16 18 22 37 13"

// orangeLines are the 26 pins of an Orange Pi Zero 3: bank and number, then pin.
const orangeLines = "PH5 3 PH4 5 PC9 7 PH2 8 PH3 10 PC6 11 PC11 12 PC5 13 PC8 15 PC15 16 PC14 18 PH7 19 PH8 21 PC7 22 " +
	"PH6 23 PH9 24 PC10 26"

// beagleLines are the two headers of a BeagleBone Black: pin, bank and number. Some lines of P8 are used by its
// flash and HDMI, unless these are disabled.
const beagleLines = "P8_3 1 6 P8_4 1 7 P8_5 1 2 P8_6 1 3 P8_7 2 2 P8_8 2 3 P8_9 2 5 P8_10 2 4 P8_11 1 13 P8_12 1 12 " +
	"P8_13 0 23 P8_14 0 26 P8_15 1 15 P8_16 1 14 P8_17 0 27 P8_18 2 1 P8_19 0 22 P8_20 1 31 P8_21 1 30 P8_22 1 5 " +
	"P8_23 1 4 P8_24 1 1 P8_25 1 0 P8_26 1 29 P8_27 2 22 P8_28 2 24 P8_29 2 23 P8_30 2 25 P8_31 0 10 P8_32 0 11 " +
	"P8_33 0 9 P8_34 2 17 P8_35 0 8 P8_36 2 16 P8_37 2 14 P8_38 2 15 P8_39 2 12 P8_40 2 13 P8_41 2 10 P8_42 2 11 " +
	"P8_43 2 8 P8_44 2 9 P8_45 2 6 P8_46 2 7 P9_11 0 30 P9_12 1 28 P9_13 0 31 P9_14 1 18 P9_15 1 16 P9_16 1 19 " +
	"P9_17 0 5 P9_18 0 4 P9_19 0 13 P9_20 0 12 P9_21 0 3 P9_22 0 2 P9_23 1 17 P9_24 0 15 P9_25 3 21 P9_26 0 14 " +
	"P9_27 3 19 P9_28 3 17 P9_29 3 15 P9_30 3 16 P9_31 3 14 P9_41 0 20 P9_41 3 20 P9_42 0 7 P9_42 3 18"

// Headers are the known headers. If one prefix of board names begins with another, the longer one comes first.
// The buses of the Raspberry Pi's chips differ from SPI2 and I2C2 on; their chip selects and lines are the defaults
// of the overlays.
var Headers = []Header{
	piHeader("raspberrypi5", "Raspberry Pi 5", []string{"gpiochip0", "gpiochip4", "pinctrl-rp1"}, piBuses{
		[]spiLines{
			gpioSPI("SPI2", 1, 2, 3, 0, 24), gpioSPI("SPI3", 5, 6, 7, 4, 25), gpioSPI("SPI5", 13, 14, 15, 12, 26),
		},
		map[string]int{"I2C2": 4, "I2C3": 6},
	}),
	piHeader("raspberrypi4", "Raspberry Pi 4", []string{"gpiochip0", "pinctrl-bcm2711", "pinctrl-bcm2835"}, piBuses{
		[]spiLines{
			gpioSPI("SPI3", 1, 2, 3, 0, 24), gpioSPI("SPI4", 5, 6, 7, 4, 25),
			gpioSPI("SPI5", 13, 14, 15, 12, 26), gpioSPI("SPI6", 19, 20, 21, 18, 27),
		},
		map[string]int{"I2C3": 4, "I2C4": 8, "I2C5": 12, "I2C6": 22},
	}),
	piHeader("raspberrypi", "Raspberry Pi", []string{"gpiochip0", "pinctrl-bcm2835", "pinctrl-bcm2711"}, piBuses{}),
	orangeHeader(), beagleHeader(),
}

// piBuses are the buses that some Raspberry Pi have besides SPI0, SPI1, I2C0 and I2C1: of an I2C bus the number
// of its first line.
type piBuses struct {
	spi []spiLines
	i2c map[string]int
}

func piHeader(name, boards string, chips []string, more piBuses) Header {
	h := Header{
		Name: name, boards: boards, has: "GPIO0 to GPIO27", lines: map[string]headerLine{}, chips: chips,
		form: regexp.MustCompile(`^GPIO(0|[1-9][0-9]{0,3})$`),
		spi:  append([]spiLines{gpioSPI("SPI0", 9, 10, 11, 8, 7), gpioSPI("SPI1", 19, 20, 21, 18, 17, 16)}, more.spi...),
		bare: regexp.MustCompile(`^(?:BCM|IO|GP|G|GPIO\.)[-_ ]?([0-9]+)$`),
		pairs: []pairLines{
			{[]string{"I2C0"}, [2]string{"SDA", "SCL"}, [2]string{"GPIO0", "GPIO1"}},
			{[]string{"I2C1"}, [2]string{"SDA", "SCL"}, [2]string{"GPIO2", "GPIO3"}},
			{
				[]string{"/dev/serial0", "/dev/ttyAMA0", "/dev/ttyS0"}, [2]string{"TXD", "RXD"},
				[2]string{"GPIO14", "GPIO15"},
			},
		},
	}
	if name == "raspberrypi5" { // its serial0 is not on the header
		h.pairs[2].names = []string{"/dev/ttyAMA0"}
	}
	for bus, sda := range more.i2c {
		gpio := func(n int) string { return fmt.Sprintf("GPIO%d", n) }
		h.pairs = append(h.pairs, pairLines{[]string{bus}, [2]string{"SDA", "SCL"}, [2]string{gpio(sda), gpio(sda + 1)}})
	}
	for n, line := range strings.Fields(piLines) {
		names := strings.Split(line, "/")
		h.add(headerLine{fmt.Sprintf("GPIO%d", n), names[0]}, n, chips, names[1:]...)
	}
	return h
}

// gpioSPI is a bus of a Raspberry Pi, by the numbers of its lines.
func gpioSPI(bus string, miso, mosi, sclk int, selects ...int) spiLines {
	gpio := func(n int) string { return fmt.Sprintf("GPIO%d", n) }
	s := spiLines{bus: bus, miso: gpio(miso), mosi: gpio(mosi), sclk: gpio(sclk)}
	for _, n := range selects {
		s.selects = append(s.selects, gpio(n))
	}
	return s
}

func orangeHeader() Header {
	h := Header{
		Name: "orangepizero3", boards: "Orange Pi Zero 3", has: "PC5 to PC15 and PH2 to PH9 without PC12 and PC13",
		lines: map[string]headerLine{}, chips: []string{"300b000.pinctrl"}, form: regexp.MustCompile(`^P[A-I][0-9]{1,2}$`),
		spi: []spiLines{{"SPI1", "PH8", "PH7", "PH6", []string{"PH5", "PH9"}}},
		pairs: []pairLines{
			{[]string{"I2C3"}, [2]string{"SDA", "SCL"}, [2]string{"PH5", "PH4"}},
			{[]string{"/dev/ttyS5"}, [2]string{"TXD", "RXD"}, [2]string{"PH2", "PH3"}},
		},
	}
	for pair := range slices.Chunk(strings.Fields(orangeLines), 2) {
		h.add(headerLine{pair[0], pair[1]}, 32*int(pair[0][1]-'A')+number(pair[0][2:]), h.chips)
	}
	return h
}

func beagleHeader() Header {
	banks := []string{"gpio-0-31", "gpio-32-63", "gpio-64-95", "gpio-96-127"}
	h := Header{
		Name: "beagleboneblack", boards: "BeagleBone Black", has: "P8_3 to P8_46 and P9_11 to P9_42",
		lines: map[string]headerLine{}, chips: banks, form: regexp.MustCompile(`^P[89]_[0-9]{1,2}$`),
		spi: []spiLines{
			{"SPI0", "P9_21", "P9_18", "P9_22", []string{"P9_17"}},
			{"SPI1", "P9_29", "P9_30", "P9_31", []string{"P9_28"}},
		},
		pairs: []pairLines{
			{[]string{"I2C1"}, [2]string{"SDA", "SCL"}, [2]string{"P9_18", "P9_17"}},
			{[]string{"I2C2"}, [2]string{"SDA", "SCL"}, [2]string{"P9_20", "P9_19"}},
		},
	}
	for uart, lines := range map[string][2]string{
		"1": {"P9_24", "P9_26"}, "2": {"P9_21", "P9_22"}, "4": {"P9_13", "P9_11"}, "5": {"P8_37", "P8_38"},
	} {
		names := []string{"/dev/ttyS" + uart, "/dev/ttyO" + uart}
		h.pairs = append(h.pairs, pairLines{names, [2]string{"TXD", "RXD"}, lines})
	}
	for line := range slices.Chunk(strings.Fields(beagleLines), 3) {
		h.add(headerLine{line[0], line[0]}, number(line[2]), banks[number(line[1]):][:1])
	}
	return h
}

// number parses a number of the tables above, which are constant.
func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		panic(err)
	}
	return n
}

// add adds a line of the header, which each of the chips has at the same offset.
func (h *Header) add(l headerLine, offset int, chips []string, names ...string) {
	names = append(names, l.name)
	for _, name := range names {
		h.lines[name] = l
	}
	for _, chip := range chips {
		name := fmt.Sprintf("%s:%d", chip, offset)
		h.lines[name] = l
		names = append(names, name)
	}
	if h.loose == nil {
		h.loose = map[string]string{}
	}
	for _, name := range names {
		h.loose[loosely(name)] = name
		h.loose[strings.TrimSuffix(loosely(name), "-N")] = name // low is active
	}
}

var lettersOrDigits = regexp.MustCompile("[A-Z]+|[0-9]+")

// loosely simplifies the name of a line, without differences that people overlook but the kernel does not:
// upper and lower case, leading zeros, and the separators between words and numbers.
func loosely(name string) string {
	parts := lettersOrDigits.FindAllString(strings.ToUpper(name), -1)
	for i, p := range parts {
		if p = strings.TrimLeft(p, "0"); p == "" {
			p = "0"
		}
		parts[i] = p
	}
	return strings.Join(parts, "-")
}

// Header returns the board's header, by the profile's key or by the board's name, or nil if none is known.
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

// line returns a line by any of its names. there is false and theirs true if it belongs to one of the header's
// chips and is not on the header. Both are false for a line of another chip, or a name that tells nothing.
func (h *Header) line(name string) (l headerLine, there, theirs bool) {
	l, there = h.lines[oneSpelling(name)]
	chip, _, is := strings.Cut(name, ":")
	return l, there, there || is && slices.Contains(h.chips, chip) || h.form.MatchString(name)
}

// meant returns the line that a name in another spelling probably means. The kernel does not know that name.
// For a line that is not on the header it returns the name as far as its number is known.
func (h *Header) meant(name string) (line string, is bool) {
	if line, is = h.loose[loosely(name)]; is {
		return line, true
	}
	for _, chip := range h.chips {
		if n, is := strings.CutPrefix(loosely(name), loosely(chip)+"-"); is && !strings.Contains(n, "-") {
			return chip + ":" + n, true
		}
	}
	if compact := strings.ReplaceAll(loosely(name), "-", ""); h.form.MatchString(compact) {
		return compact, true
	}
	return "", false
}

// chipName is a chip by the kernel's own name, whatever it is.
var chipName = regexp.MustCompile(`^gpiochip[0-9]+$`)

// pinName is a pin by its number, as drawings name it.
var pinName = regexp.MustCompile(`^(?:PIN|PHYS|J8)[-_. ]?0*([0-9]+)$`)

// nearest returns the lines that a name may mean which the header does not have: by the pin's number, by the
// line's under another name, with letters for digits (GPIO1O), or otherwise misspelt. Nil for none.
func (h *Header) nearest(name string) []string {
	upper := strings.ToUpper(name)
	if m := pinName.FindStringSubmatch(upper); m != nil {
		for _, l := range h.lines {
			if l.pin == m[1] {
				return []string{l.name + " (pin " + l.pin + ")"}
			}
		}
		return nil
	}
	if h.bare != nil {
		if m := h.bare.FindStringSubmatch(upper); m != nil {
			if line, is := h.loose[loosely("GPIO"+m[1])]; is {
				return []string{line}
			}
		}
	}
	head, digits := cutNumber(upper)
	var alike []string
	for line := range h.lines {
		theirs, number := cutNumber(strings.ToUpper(line))
		tail, is := strings.CutPrefix(alikeDigits(upper), alikeDigits(theirs))
		if is && h.loose[loosely(theirs+tail)] == line {
			return []string{line}
		}
		if number == digits && strings.Contains(line, ":") == strings.Contains(name, ":") && oneMistake(head, theirs) {
			alike = append(alike, line)
		}
	}
	slices.Sort(alike)
	return alike
}

// oneMistake reports whether two words differ by one letter that is wrong, missing or too much, or by two that
// changed places.
func oneMistake(a, b string) bool {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return len(a) < 2 && len(b) < 2 || len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
}

// cutNumber cuts off the digits at the end of a name.
func cutNumber(name string) (head, digits string) {
	head = strings.TrimRight(name, "0123456789")
	return head, name[len(head):]
}

// alikeDigits writes the letters of a name that look like digits as digits.
func alikeDigits(name string) string {
	return strings.NewReplacer("O", "0", "I", "1", "L", "1").Replace(name)
}

// taken is a line that a bus or a serial line uses.
type taken struct{ signal, line string }

// shared returns the lines of a bus or a serial line, or nothing if it is not on the header.
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

// buses lists the header's SPI buses with their chip selects, for a message.
func (h *Header) buses() string {
	var all []string
	for _, s := range h.spi {
		for n := range s.selects {
			all = append(all, fmt.Sprintf("%s.%d", s.bus, n))
		}
	}
	return strings.Join(all, ", ")
}

// i2cBuses lists the header's I2C buses, for a message.
func (h *Header) i2cBuses() string {
	var all []string
	for _, p := range h.pairs {
		if i2cName.MatchString(p.names[0]) {
			all = append(all, p.names[0])
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// Pins returns the pins of a wire, such as "pin 11" or "pins 3 (SDA), 5 (SCL)", or "" if it is not on the
// header. MISO is left out: nothing is read from a display.
func (h *Header) Pins(wire string) string {
	if h == nil {
		return ""
	}
	if l, there, _ := h.line(wire); there {
		return "pin " + l.pin
	}
	var pins []string
	for _, t := range h.shared(wire) {
		if t.signal != "MISO" {
			pins = append(pins, fmt.Sprintf("%s (%s)", h.lines[t.line].pin, t.signal))
		}
	}
	if len(pins) == 0 {
		return ""
	}
	return "pins " + strings.Join(pins, ", ")
}

// onHeader checks a line against the header and returns its one name there.
func (c *checker) onHeader(key, name string) (string, bool) {
	if c.header == nil {
		return oneSpelling(name), true
	}
	l, there, theirs := c.header.line(name)
	if there {
		return l.name, true
	}
	if line, is := c.header.meant(name); is && line != oneSpelling(name) {
		c.bad(key, "%s: the kernel has no line of this name; did you mean %s?", name, line)
		return "", false
	}
	if theirs {
		c.bad(key, "%s is not on the header of this board, which has %s (header = %q has nothing checked)",
			name, c.header.has, noHeader)
		return "", false
	}
	chip, _, byOffset := strings.Cut(name, ":")
	switch near := c.header.nearest(name); {
	case byOffset && (len(near) == 0 || chipName.MatchString(chip)): // an expander's
		return oneSpelling(name), true
	case len(near) > 0:
		c.bad(key, "%s is not a line of this board; did you mean %s?", name, strings.Join(near, " or "))
	default:
		c.bad(key, "%s is not a line of this board, whose header has %s; a line of an expander is chip:offset, such as "+
			"gpiochip2:3 (header = %q has nothing checked)", name, c.header.has, noHeader)
	}
	return "", false
}

// shares marks the lines of a bus or a serial line as used.
func (c *checker) shares(key, wire string) {
	if c.header == nil {
		return
	}
	for _, t := range c.header.shared(wire) {
		if by, taken := c.used[t.line]; taken {
			c.bad(key, "%s of %s is %s (pin %s), which is used by %s already", t.signal, wire, t.line,
				c.header.lines[t.line].pin, by)
			continue
		}
		c.used[t.line] = fmt.Sprintf("%s as %s", key, t.signal)
	}
}

// spiBus marks an SPI bus as used.
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

package hal

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"payterm"
	"payterm/tomlfile"
)

// Profile describes a board: which chip hangs on which wire, by the names that
// the kernel gives them. A section that is left out is a device that the board
// does not have.
type Profile struct {
	Board   string   `toml:"board"` // what a person calls it
	Display *Display `toml:"display"`
	Keypad  *Keypad  `toml:"keypad"`
	Scanner *Scanner `toml:"scanner"`
	Printer *Printer `toml:"printer"`
	Signal  *Signal  `toml:"signal"`
}

// Display is a panel on SPI. Lines are named as chip and offset, where the chip is
// its name or its label ("gpiochip0:25", "pinctrl-bcm2711:25"), or by the line's
// own name ("GPIO25"). Nothing is guessed: kernels number lines differently.
type Display struct {
	Controller string `toml:"controller"` // st7789
	SPI        string `toml:"spi"`        // bus and chip select of spidev, such as SPI0.0
	SpeedHz    int64  `toml:"speed_hz"`   // 40 MHz when left out
	DC         string `toml:"dc"`
	Reset      string `toml:"reset"`     // "": the panel has none, or it is tied to power
	Backlight  string `toml:"backlight"` // "": it burns always
	Width      int    `toml:"width"`     // pixels of the glass, as it is looked at
	Height     int    `toml:"height"`
	OffsetX    int    `toml:"offset_x"` // of the glass in the controller's RAM, as it is looked at
	OffsetY    int    `toml:"offset_y"`
	Rotation   int    `toml:"rotation"` // degrees
	MirrorX    bool   `toml:"mirror_x"`
	MirrorY    bool   `toml:"mirror_y"`
	Inverted   bool   `toml:"inverted"` // most IPS panels
	BGR        bool   `toml:"bgr"`
}

// Keypad is a matrix of keys between rows and columns of GPIO lines.
type Keypad struct {
	Kind         string          `toml:"kind"` // matrix
	Rows         []string        `toml:"rows"`
	Columns      []string        `toml:"columns"`
	Keys         [][]payterm.Key `toml:"keys"`          // by row and column; "" is no key
	ScanInterval Duration        `toml:"scan_interval"` // 5ms when left out
	Debounce     Duration        `toml:"debounce"`      // 20ms when left out
}

// Scanner is a 2D reader on a serial line.
type Scanner struct {
	Device  string `toml:"device"`
	Baud    int    `toml:"baud"`
	Framing string `toml:"framing"` // how a code ends: cr, lf, crlf, stx_etx, gap; cr when left out
}

// Printer is an ESC/POS printer on a serial line.
type Printer struct {
	Device   string `toml:"device"`
	Baud     int    `toml:"baud"`
	Columns  int    `toml:"columns"`   // of the normal font; 32 when left out
	Dots     int    `toml:"dots"`      // 384 when left out
	CodePage string `toml:"code_page"` // cp437, wpc1252, pc858; cp437 when left out
	Cut      bool   `toml:"cut"`       // it has a cutter
	CutFeed  int    `toml:"cut_feed"`  // lines from the head to the cutter or the tear bar
	Status   bool   `toml:"status"`    // it answers DLE EOT
	Buffer   int    `toml:"buffer"`    // bytes that it takes ahead of its mechanism; 4096 when left out
	Speed    int    `toml:"speed"`     // of its paper, mm/s, rather too low than too high; 50 when left out
}

// Signal is what the terminal is heard with.
type Signal struct {
	Buzzer string `toml:"buzzer"`
}

// Duration is a duration written like "5ms".
type Duration struct{ time.Duration }

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("%q is no duration such as 5ms", b)
	}
	d.Duration = v
	return nil
}

// bauds are speeds that both the serial library and such devices have.
var bauds = []int{1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600}

// ReadProfile reads a board profile strictly and fills in what may be left out.
// The error joins everything that is wrong with it, each with file and line.
func ReadProfile(name string, text []byte) (Profile, error) {
	var p Profile
	file, err := tomlfile.Decode(name, text, &p)
	if err != nil {
		return Profile{}, err
	}
	c := checker{file: file, used: map[string]string{}}
	c.profile(&p)
	if len(c.problems) > 0 {
		return Profile{}, errors.Join(c.problems...)
	}
	return p, nil
}

// checker holds the sections of a profile against what there is, and collects all
// that is wrong.
type checker struct {
	file     *tomlfile.File
	used     map[string]string // wire to the key that names it
	problems []error
}

func (c *checker) bad(key, format string, args ...any) {
	c.problems = append(c.problems, c.file.Problem(key, fmt.Sprintf(format, args...)))
}

// between refuses a number outside of low to high.
func (c *checker) between(key string, v, low, high int) {
	if v < low || v > high {
		c.bad(key, "%d: %d to %d", v, low, high)
	}
}

// oneOf refuses a word that is not among the known ones.
func (c *checker) oneOf(key, v string, known ...string) {
	if !slices.Contains(known, v) {
		c.bad(key, "%q: %s", v, strings.Join(known, ", "))
	}
}

// wire refuses what two devices would drive or read.
func (c *checker) wire(key, name string) {
	if by, taken := c.used[name]; taken {
		c.bad(key, "%s is used by %s already", name, by)
		return
	}
	c.used[name] = key
}

var (
	lineByOffset = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]*:[0-9]{1,4}$`)
	lineByName   = regexp.MustCompile(`^[A-Za-z_][^:\s]*$`)
	spiName      = regexp.MustCompile(`^SPI[0-9]+\.[0-9]+$`)
)

// pin checks a line; optional ones may be "".
func (c *checker) pin(key, name string, optional bool) {
	switch {
	case name == "" && optional:
	case name == "":
		c.bad(key, "is missing: a line such as gpiochip0:25 or GPIO25")
	case !lineByOffset.MatchString(name) && !lineByName.MatchString(name):
		c.bad(key, "%q: a line is chip:offset, such as gpiochip0:25, or its name, such as GPIO25", name)
	default:
		c.wire(key, name)
	}
}

func (c *checker) profile(p *Profile) {
	if p.Board == "" {
		c.bad("board", "is missing: the name of the board")
	}
	if p.Display == nil && p.Keypad == nil && p.Scanner == nil && p.Printer == nil {
		c.bad("board", "the profile has no device: add [display], [keypad], [scanner] or [printer]")
	}
	if p.Display != nil {
		c.display(p.Display)
	}
	if p.Keypad != nil {
		c.keypad(p.Keypad)
	}
	if p.Scanner != nil {
		c.scanner(p.Scanner)
	}
	if p.Printer != nil {
		c.printer(p.Printer)
	}
	if p.Signal != nil {
		c.pin("signal.buzzer", p.Signal.Buzzer, true)
	}
}

func (c *checker) display(d *Display) {
	c.oneOf("display.controller", d.Controller, "st7789")
	if spiName.MatchString(d.SPI) {
		c.wire("display.spi", d.SPI)
	} else {
		c.bad("display.spi", "%q: bus and chip select, such as SPI0.0", d.SPI)
	}
	c.pin("display.dc", d.DC, false)
	c.pin("display.reset", d.Reset, true)
	c.pin("display.backlight", d.Backlight, true)
	if d.SpeedHz == 0 {
		d.SpeedHz = 40_000_000
	}
	if d.SpeedHz < 100_000 || d.SpeedHz > 80_000_000 {
		c.bad("display.speed_hz", "%d: 100000 to 80000000", d.SpeedHz)
	}
	if !slices.Contains([]int{0, 90, 180, 270}, d.Rotation) {
		c.bad("display.rotation", "%d: 0, 90, 180 or 270", d.Rotation)
	}
	w, h := 240, 320 // the controller's RAM
	if d.Rotation == 90 || d.Rotation == 270 {
		w, h = h, w
	}
	for _, side := range []struct {
		name         string
		size, offset int
		offsetName   string
		ram          int
	}{{"width", d.Width, d.OffsetX, "offset_x", w}, {"height", d.Height, d.OffsetY, "offset_y", h}} {
		if side.size < 64 || side.offset < 0 || side.size > side.ram-side.offset {
			c.bad("display."+side.name, "%d with %s %d: 64 to %d in all, at rotation %d", side.size, side.offsetName, side.offset, side.ram, d.Rotation)
		}
	}
}

func (c *checker) keypad(k *Keypad) {
	c.oneOf("keypad.kind", k.Kind, "matrix")
	for _, side := range []struct {
		key   string
		names []string
	}{{"keypad.rows", k.Rows}, {"keypad.columns", k.Columns}} {
		if n := len(side.names); n < 1 || n > 16 {
			c.bad(side.key, "%d lines: 1 to 16", n)
		}
		for _, name := range side.names {
			c.pin(side.key, name, false)
		}
	}
	c.keys(k)
	if k.ScanInterval.Duration == 0 {
		k.ScanInterval.Duration = 5 * time.Millisecond
	}
	if k.Debounce.Duration == 0 {
		k.Debounce.Duration = 20 * time.Millisecond
	}
	if d := k.ScanInterval.Duration; d < time.Millisecond || d > 50*time.Millisecond {
		c.bad("keypad.scan_interval", "%s: 1ms to 50ms", d)
	}
	if d := k.Debounce.Duration; d < k.ScanInterval.Duration || d > 200*time.Millisecond {
		c.bad("keypad.debounce", "%s: from one scan_interval (%s) to 200ms", d, k.ScanInterval.Duration)
	}
}

func (c *checker) keys(k *Keypad) {
	if len(k.Keys) != len(k.Rows) {
		c.bad("keypad.keys", "%d rows of keys for %d lines in rows", len(k.Keys), len(k.Rows))
	}
	seen := map[payterm.Key]bool{}
	for i, row := range k.Keys {
		if len(row) != len(k.Columns) {
			c.bad("keypad.keys", "row %d has %d keys for %d columns", i+1, len(row), len(k.Columns))
		}
		for _, key := range row {
			switch {
			case key == "":
			case !key.Valid():
				c.bad("keypad.keys", "%q is no key: 0-9, 00, CLEAR, CANCEL, ENTER, F1 to F4, UP, DOWN", key)
			case seen[key]:
				c.bad("keypad.keys", "%s stands twice", key)
			}
			seen[key] = true
		}
	}
	for _, key := range payterm.Keys {
		digit := key.Digits() != "" && key != payterm.Key00
		if (digit || key == payterm.KeyEnter || key == payterm.KeyCancel) && !seen[key] {
			c.bad("keypad.keys", "the key %s is missing: no sale can be made without it", key)
		}
	}
}

func (c *checker) scanner(s *Scanner) {
	c.serial("scanner", s.Device, s.Baud)
	if s.Framing == "" {
		s.Framing = "cr"
	}
	c.oneOf("scanner.framing", s.Framing, "cr", "lf", "crlf", "stx_etx", "gap")
}

func (c *checker) printer(p *Printer) {
	c.serial("printer", p.Device, p.Baud)
	for _, field := range []struct {
		v       *int
		missing int
	}{{&p.Columns, 32}, {&p.Dots, 384}, {&p.Buffer, 4096}, {&p.Speed, 50}} {
		if *field.v == 0 {
			*field.v = field.missing
		}
	}
	if p.CodePage == "" {
		p.CodePage = "cp437"
	}
	c.between("printer.dots", p.Dots, 192, 832)
	c.between("printer.columns", p.Columns, 16, 64)
	if p.Columns*12 > p.Dots {
		c.bad("printer.columns", "%d columns of 12 dots do not fit on %d dots", p.Columns, p.Dots)
	}
	c.oneOf("printer.code_page", p.CodePage, "cp437", "wpc1252", "pc858")
	c.between("printer.cut_feed", p.CutFeed, 0, 20)
	c.between("printer.buffer", p.Buffer, 256, 1<<20)
	c.between("printer.speed", p.Speed, 10, 500)
}

func (c *checker) serial(section, device string, baud int) {
	if strings.HasPrefix(device, "/dev/") {
		c.wire(section+".device", device)
	} else {
		c.bad(section+".device", "%q: a serial line, such as /dev/ttyS1", device)
	}
	if !slices.Contains(bauds, baud) {
		c.bad(section+".baud", "%d: one of %v", baud, bauds)
	}
}

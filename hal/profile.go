package hal

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"payterm"
	"payterm/tomlfile"
)

// Profile describes a board: which chip hangs on which wire, by the names that
// the kernel gives them. A section that is left out is a device that the board
// does not have.
type Profile struct {
	Board    string   `toml:"board"` // what a person calls it
	Display  *Display `toml:"display"`
	Keypad   *Keypad  `toml:"keypad"`
	Scanner  *Scanner `toml:"scanner"`
	Printer  *Printer `toml:"printer"`
	Signal   *Signal  `toml:"signal"`
	file     *tomlfile.File
	problems []error
}

// Display is a panel on SPI. Pins are named as gpiochip and line,
// "gpiochip0:25", or by the line's name, "GPIO25".
type Display struct {
	Controller string `toml:"controller"` // st7789
	SPI        string `toml:"spi"`        // spidev, such as SPI0.0
	SpeedHz    int64  `toml:"speed_hz"`
	DC         string `toml:"dc"`
	Reset      string `toml:"reset"`
	Backlight  string `toml:"backlight"`
	Width      int    `toml:"width"` // as it is looked at
	Height     int    `toml:"height"`
	OffsetX    int    `toml:"offset_x"`
	OffsetY    int    `toml:"offset_y"`
	Rotation   int    `toml:"rotation"`
	MirrorX    bool   `toml:"mirror_x"`
	MirrorY    bool   `toml:"mirror_y"`
	Inverted   bool   `toml:"inverted"`
	BGR        bool   `toml:"bgr"`
}

// Keypad is a matrix of keys between rows and columns of GPIO lines.
type Keypad struct {
	Kind         string          `toml:"kind"` // matrix
	Rows         []string        `toml:"rows"`
	Columns      []string        `toml:"columns"`
	Keys         [][]payterm.Key `toml:"keys"`
	ScanInterval Duration        `toml:"scan_interval"`
	Debounce     Duration        `toml:"debounce"`
}

// Scanner is a 2D reader on a serial line.
type Scanner struct {
	Device  string `toml:"device"`
	Baud    int    `toml:"baud"`
	Framing string `toml:"framing"`
}

// Printer is an ESC/POS printer on a serial line.
type Printer struct {
	Device   string `toml:"device"`
	Baud     int    `toml:"baud"`
	Columns  int    `toml:"columns"`
	Dots     int    `toml:"dots"`
	CodePage string `toml:"code_page"`
	Cut      bool   `toml:"cut"`
	CutFeed  int    `toml:"cut_feed"`
	Status   bool   `toml:"status"`
	Buffer   int    `toml:"buffer"` // bytes that it takes ahead of its mechanism
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

// bauds are the speeds that the serial driver has.
var bauds = []int{1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600}

// ReadProfile reads a board profile strictly. The error joins everything that is
// wrong with it, each with file and line.
func ReadProfile(name string, text []byte) (Profile, error) {
	var p Profile
	file, err := tomlfile.Decode(name, text, &p)
	if err != nil {
		return Profile{}, err
	}
	p.file = file
	p.check()
	return p, errors.Join(p.problems...)
}

func (p *Profile) bad(key, format string, args ...any) {
	p.problems = append(p.problems, p.file.Problem(key, fmt.Sprintf(format, args...)))
}

func (p *Profile) check() {
	if p.Board == "" {
		p.bad("board", "is missing: the name of the board")
	}
	if p.Display == nil && p.Keypad == nil && p.Scanner == nil && p.Printer == nil {
		p.bad("board", "the profile has no device: add [display], [keypad], [scanner] or [printer]")
	}
	p.checkDisplay()
	p.checkKeypad()
	if s := p.Scanner; s != nil {
		p.checkSerial("scanner", s.Device, s.Baud)
		if s.Framing == "" {
			s.Framing = "cr"
		}
		if !slices.Contains([]string{"cr", "lf", "crlf", "stx_etx", "gap"}, s.Framing) {
			p.bad("scanner.framing", "%q: one of cr, lf, crlf, stx_etx, gap", s.Framing)
		}
	}
	p.checkPrinter()
	p.checkPins()
}

func (p *Profile) checkDisplay() {
	d := p.Display
	if d == nil {
		return
	}
	if d.Controller != "st7789" {
		p.bad("display.controller", "%q: st7789 is supported", d.Controller)
	}
	if d.SPI == "" {
		p.bad("display.spi", "is missing: the bus, such as SPI0.0")
	}
	if d.DC == "" {
		p.bad("display.dc", "is missing: the line that tells commands from data")
	}
	if d.SpeedHz == 0 {
		d.SpeedHz = 40_000_000
	}
	if d.SpeedHz < 100_000 || d.SpeedHz > 80_000_000 {
		p.bad("display.speed_hz", "%d: 100000 to 80000000", d.SpeedHz)
	}
	if d.Rotation != 0 && d.Rotation != 90 && d.Rotation != 180 && d.Rotation != 270 {
		p.bad("display.rotation", "%d: 0, 90, 180 or 270", d.Rotation)
	}
	w, h := 240, 320 // the controller's RAM
	if d.Rotation == 90 || d.Rotation == 270 {
		w, h = h, w
	}
	if d.Width < 64 || d.OffsetX < 0 || d.Width+d.OffsetX > w {
		p.bad("display.width", "%d with offset_x %d: the controller has %d columns", d.Width, d.OffsetX, w)
	}
	if d.Height < 64 || d.OffsetY < 0 || d.Height+d.OffsetY > h {
		p.bad("display.height", "%d with offset_y %d: the controller has %d lines", d.Height, d.OffsetY, h)
	}
}

func (p *Profile) checkKeypad() {
	k := p.Keypad
	if k == nil {
		return
	}
	if k.Kind != "matrix" {
		p.bad("keypad.kind", "%q: matrix is supported", k.Kind)
	}
	if len(k.Rows) == 0 || len(k.Columns) == 0 {
		p.bad("keypad.rows", "rows and columns each need one line at the least")
	}
	if len(k.Keys) != len(k.Rows) {
		p.bad("keypad.keys", "%d rows of keys for %d lines in rows", len(k.Keys), len(k.Rows))
	}
	seen := map[payterm.Key]bool{}
	for i, row := range k.Keys {
		if len(row) != len(k.Columns) {
			p.bad("keypad.keys", "row %d has %d keys for %d columns", i+1, len(row), len(k.Columns))
		}
		for _, key := range row {
			switch {
			case key == "":
			case !key.Valid():
				p.bad("keypad.keys", "%q is no key: 0-9, 00, CLEAR, CANCEL, ENTER, F1 to F4, UP, DOWN", key)
			case seen[key]:
				p.bad("keypad.keys", "%s stands twice", key)
			}
			seen[key] = true
		}
	}
	for _, needed := range []payterm.Key{payterm.KeyEnter, payterm.KeyCancel, payterm.Key0, payterm.Key9} {
		if !seen[needed] {
			p.bad("keypad.keys", "the key %s is missing: no sale can be made without it", needed)
		}
	}
	if k.ScanInterval.Duration == 0 {
		k.ScanInterval.Duration = 5 * time.Millisecond
	}
	if k.Debounce.Duration == 0 {
		k.Debounce.Duration = 20 * time.Millisecond
	}
}

func (p *Profile) checkPrinter() {
	pr := p.Printer
	if pr == nil {
		return
	}
	p.checkSerial("printer", pr.Device, pr.Baud)
	if pr.Columns == 0 {
		pr.Columns = 32
	}
	if pr.Dots == 0 {
		pr.Dots = 384
	}
	if pr.Columns*12 > pr.Dots {
		p.bad("printer.columns", "%d columns of 12 dots do not fit on %d dots", pr.Columns, pr.Dots)
	}
	if pr.CodePage == "" {
		pr.CodePage = "cp437"
	}
	if !slices.Contains([]string{"cp437", "wpc1252", "pc858"}, pr.CodePage) {
		p.bad("printer.code_page", "%q: cp437, wpc1252 or pc858", pr.CodePage)
	}
	if pr.Buffer == 0 {
		pr.Buffer = 4096
	}
}

func (p *Profile) checkSerial(section, device string, baud int) {
	if device == "" {
		p.bad(section+".device", "is missing: the serial line, such as /dev/ttyS1")
	}
	if !slices.Contains(bauds, baud) {
		p.bad(section+".baud", "%d: one of %v", baud, bauds)
	}
}

// checkPins refuses a line that two devices would drive, and a port that two
// would read.
func (p *Profile) checkPins() {
	used := map[string]string{}
	use := func(pin, key string) {
		if pin == "" {
			return
		}
		if by := used[pin]; by != "" {
			p.bad(key, "%s is used by %s already", pin, by)
			return
		}
		used[pin] = key
	}
	if d := p.Display; d != nil {
		use(d.DC, "display.dc")
		use(d.Reset, "display.reset")
		use(d.Backlight, "display.backlight")
		use(d.SPI, "display.spi")
	}
	if k := p.Keypad; k != nil {
		for _, pin := range k.Rows {
			use(pin, "keypad.rows")
		}
		for _, pin := range k.Columns {
			use(pin, "keypad.columns")
		}
	}
	if p.Scanner != nil {
		use(p.Scanner.Device, "scanner.device")
	}
	if p.Printer != nil {
		use(p.Printer.Device, "printer.device")
	}
	if p.Signal != nil {
		use(p.Signal.Buzzer, "signal.buzzer")
	}
}

package board

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"payterm/tomlfile"
)

// Profile describes a board: which device is on which wire, by the kernel's names. A section that is left out
// is a device that the board does not have.
type Profile struct {
	Board string `toml:"board"` // its name in plain words
	// HeaderName selects the board's header (Headers), against which its lines and buses are checked; "none"
	// turns the check off. The default is chosen by the board's name.
	HeaderName string `toml:"header"`

	Display *Display `toml:"display"`
	Keypad  *Keypad  `toml:"keypad"`
	Scanner *Scanner `toml:"scanner"`
	Printer *Printer `toml:"printer"`
	Signal  *Signal  `toml:"signal"`
}

// Display is a display and its controller: on SPI, on I2C (small OLEDs, hd44780 behind a PCF8574), on lines
// (hd44780), or a frame buffer of the kernel (fbdev). Controllers lists them all. A line is named by chip and
// offset, where the chip is its name or its label ("gpiochip0:25", "pinctrl-bcm2711:25"), or by the line's own
// name ("GPIO25"). Nothing is guessed, since kernels number lines differently.
type Display struct {
	Controller string `toml:"controller"` // of Controllers
	SPI        string `toml:"spi"`        // bus and chip select of spidev, such as SPI0.0
	SpeedHz    int64  `toml:"speed_hz"`   // of SPI; default: the data sheet's limit
	DC         string `toml:"dc"`         // with SPI
	SPIMode    int    `toml:"spi_mode"`   // 0 or 3, default 0; a panel without a chip select needs 3
	I2C        string `toml:"i2c"`        // bus, such as I2C1; the kernel sets its speed
	Address    int    `toml:"address"`    // on I2C; default 0x3c (OLEDs) or 0x27 (hd44780)
	// Largest transfer of the bus's adapter in bytes; found out if left out.
	MaxTransfer int `toml:"max_transfer"`
	// Lines of an hd44780 without a PCF8574. Its R/W is tied to ground.
	RS        string   `toml:"rs"`
	Enable    string   `toml:"enable"`
	Data      []string `toml:"data"`                 // four, D4 first
	Device    string   `toml:"device"`               // of a frame buffer, such as /dev/fb0
	Bits      int      `toml:"bits"`                 // per pixel of a frame buffer: 16 or 32
	Reset     string   `toml:"reset"`                // "": the panel has none, or it is tied to power
	Backlight string   `toml:"backlight"`            // a line or a PWM channel; "": always on
	ActiveLow bool     `toml:"backlight_active_low"` // it is on while its line is low
	DimAfter  Duration `toml:"dim_after"`            // idle time; default: never
	DimTo     int      `toml:"dim_to"`               // percent; default 20
	Width     int      `toml:"width"`                // in pixels, as a person looks at the display
	Height    int      `toml:"height"`
	Columns   int      `toml:"columns"`  // characters of an hd44780, in place of width
	Rows      int      `toml:"rows"`     // in place of height
	OffsetX   int      `toml:"offset_x"` // of the display in the controller's RAM, as a person looks at it
	OffsetY   int      `toml:"offset_y"`
	Rotation  int      `toml:"rotation"` // degrees
	MirrorX   bool     `toml:"mirror_x"`
	MirrorY   bool     `toml:"mirror_y"`
	Inverted  bool     `toml:"inverted"` // the display shows inverted colours, as most IPS panels do
	BGR       bool     `toml:"bgr"`
	Contrast  int      `toml:"contrast"` // of a monochrome display, 1 to 255; default: the controller's
	ROM       string   `toml:"rom"`      // of an hd44780: its character ROM (ROMs); default A00
	COMPins   string   `toml:"com_pins"` // of an ssd1306: how its rows are wired (COMPins); default by its height
}

// Printer is an ESC/POS printer on a serial line, on the network or on USB.
type Printer struct {
	Model    string `toml:"model"`  // one of payterm board printers, which sets most of the other keys
	Device   string `toml:"device"` // a serial line, with baud
	Baud     int    `toml:"baud"`
	Network  string `toml:"network"`   // in place of device and baud: host and port, such as 192.0.2.7:9100
	USB      string `toml:"usb"`       // in place of device and baud: the printer class's file, such as /dev/usb/lp0
	Columns  int    `toml:"columns"`   // of the normal font: 32 (58 mm paper), 42 or 48 (80 mm); default 32
	Dots     int    `toml:"dots"`      // of the print head; default 384, 512 or 576 by columns
	CodePage string `toml:"code_page"` // cp437, pc850, wpc1252, pc858; default cp437
	// CodePages are the printer's numbers of code pages (ESC t), if they are not the usual ones.
	CodePages map[string]int `toml:"code_pages"`

	Chinese string `toml:"chinese"` // raster: drawn; gb18030: by the printer's own font; default raster
	Raster  string `toml:"raster"`  // gs_v_0; or esc_star (columns of 24 dots), for older printers
	QR      string `toml:"qr"`      // native: made by the printer; raster: drawn; default native
	Barcode string `toml:"barcode"` // native: made by the printer; raster: drawn; none: its text only
	Logo    string `toml:"logo"`    // a PNG file for the top of each slip, black on white, no wider than dots
	Drawer  string `toml:"drawer"`  // approved: opened after the merchant's slip of an approved sale
	// DrawerPin is the pin of the socket for the drawer, 2 or 5 (default 2). DrawerPulse opens it (default
	// 50ms).
	DrawerPin   int      `toml:"drawer_pin"`
	DrawerPulse Duration `toml:"drawer_pulse"`

	Cut     bool   `toml:"cut"`      // it has a cutter
	CutKind string `toml:"cut_kind"` // partial: a bridge of paper is left; or full; default partial
	CutFeed int    `toml:"cut_feed"` // in lines, from the head to the cutter or the tear bar; default 4
	CutDots int    `toml:"cut_dots"` // in place of cut_feed: the same in dots
	Red     bool   `toml:"red"`      // it has a second colour (ESC r); important texts are red
	Status  bool   `toml:"status"`   // it answers DLE EOT
	Tells   bool   `toml:"tells"`    // in place of status: it reports changes by itself (GS a)
	Buffer  int    `toml:"buffer"`   // bytes that it buffers; default 4096
	Speed   int    `toml:"speed"`    // of the paper in mm/s, too low rather than too high; default 50
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

// bauds are speeds that both the serial library and such devices support.
var bauds = []int{1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600}

// ReadProfile reads a board profile strictly and fills in defaults. The error joins all mistakes, each with
// file and line.
func ReadProfile(name string, text []byte) (Profile, error) {
	var p Profile
	if f, tables, err := tomlfile.Tables(name, text); err == nil {
		if p, is := exchanged(f, tables); is {
			return Profile{}, p
		}
		section, _ := tables["printer"].(map[string]any)
		named, _ := section["model"].(string)
		if model, known := modelOf(named); known {
			p.Printer = model.section() // the file's keys override it
		}
	}
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

// exchanged returns a problem if a configuration was given in place of a profile.
func exchanged(f *tomlfile.File, tables map[string]any) (tomlfile.Problem, bool) {
	for _, section := range []string{"terminal", "gateway", "merchant"} {
		if _, is := tables[section]; is {
			return f.Problem(section, "this file is a configuration, which payterm config check reads; "+
				"the profile is the file that board in its [terminal] names"), true
		}
	}
	return tomlfile.Problem{}, false
}

// checker checks the sections of a profile and collects all mistakes.
type checker struct {
	file     *tomlfile.File
	used     map[string]string // wire to the key that names it
	header   *Header           // nil if none is known
	problems []error
}

func (c *checker) bad(key, format string, args ...any) {
	c.problems = append(c.problems, c.file.Problem(key, fmt.Sprintf(format, args...)))
}

// between refuses a number outside low to high.
func (c *checker) between(key string, v, low, high int) {
	if v < low || v > high {
		c.bad(key, "%d: %d to %d", v, low, high)
	}
}

// oneOf refuses a word that is not one of the known words.
func (c *checker) oneOf(key, v string, known ...string) {
	if !slices.Contains(known, v) {
		c.bad(key, "%q: %s", v, strings.Join(known, ", "))
	}
}

// wire refuses a wire that another key uses already, in any spelling.
func (c *checker) wire(key, name string) { c.line(key, name, oneSpelling(name)) }

// line is wire for a wire whose unique name is known.
func (c *checker) line(key, name, one string) {
	if by, taken := c.used[one]; taken {
		c.bad(key, "%s is used by %s already", name, by)
		return
	}
	c.used[one] = key
}

// oneSpelling removes from the name of a wire what makes no difference: extra slashes and dots of a path, and
// leading zeros of the number of a line or channel. Only the board's own kernel knows that GPIO25 is
// gpiochip0:25; Open refuses that.
func oneSpelling(name string) string {
	if strings.HasPrefix(name, "/") {
		return filepath.Clean(name)
	}
	if chip, n, is := strings.Cut(name, ":"); is {
		if offset, err := strconv.Atoi(n); err == nil && !usbName.MatchString(name) {
			return fmt.Sprintf("%s:%d", chip, offset)
		}
	}
	return name
}

var (
	lineByOffset = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]*:[0-9]{1,4}$`)
	lineByName   = regexp.MustCompile(`^[A-Za-z_][^:\s]*$`)
	spiName      = regexp.MustCompile(`^SPI(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$`)
	i2cName      = regexp.MustCompile(`^I2C(0|[1-9][0-9]*)$`)
)

// pin checks a line; an optional one may be "".
func (c *checker) pin(key, name string, optional bool) {
	switch {
	case name == "" && optional:
	case name == "":
		c.bad(key, "is missing: a line such as gpiochip0:25 or GPIO25")
	case isPWM(name):
		c.bad(key, "%q: a PWM channel: a line such as gpiochip0:25 is needed", name)
	case !lineByOffset.MatchString(name) && !lineByName.MatchString(name):
		c.bad(key, "%q: a line is chip:offset, such as gpiochip0:25, or its name, such as GPIO25", name)
	default:
		if one, there := c.onHeader(key, name); there {
			c.line(key, name, one)
		}
	}
}

func (c *checker) profile(p *Profile) {
	if p.Board == "" {
		c.bad("board", "is missing: the name of the board")
	}
	if p.HeaderName != "" {
		c.oneOf("header", p.HeaderName, headerNames()...)
	}
	c.header = p.Header()
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
		c.signal(p.Signal)
	}
}

func (c *checker) printer(p *Printer) {
	switch host, port, err := net.SplitHostPort(p.Network); {
	case p.USB != "" && (p.Device != "" || p.Baud != 0 || p.Network != ""):
		c.bad("printer.usb",
			"a printer is on USB, on the network or on a serial line: leave device, baud and network out")
	case p.USB != "":
		if strings.HasPrefix(p.USB, "/dev/") && !strings.HasPrefix(p.USB, "/dev/tty") {
			c.wire("printer.usb", p.USB)
		} else {
			c.bad("printer.usb", "%q: the file of a USB printer, such as /dev/usb/lp0; a tty goes to device", p.USB)
		}
	case p.Network == "":
		c.serial("printer", p.Device, p.Baud)
	case p.Device != "" || p.Baud != 0:
		c.bad("printer.network", "a printer is on the network or on a serial line: leave device and baud out")
	case err != nil || host == "" || port == "" || strings.ContainsAny(port, "+-"):
		c.bad("printer.network", "%q: host and port, such as 192.0.2.7:9100", p.Network)
	default:
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			c.bad("printer.network", "%q: a port is 1 to 65535", p.Network)
		}
	}
	c.number("printer.columns", &p.Columns, printerColumns)
	dots := printerDots
	dots.usual = headDots(p.Columns)
	c.number("printer.dots", &p.Dots, dots)
	if p.Columns*12 > p.Dots {
		c.bad("printer.columns", "%d columns of 12 dots do not fit on %d dots", p.Columns, p.Dots)
	}
	c.word("printer.code_page", &p.CodePage, CodePages)
	c.word("printer.chinese", &p.Chinese, Chinese)
	c.word("printer.raster", &p.Raster, Rasters)
	c.word("printer.qr", &p.QR, QRs)
	c.word("printer.barcode", &p.Barcode, Barcodes)
	c.word("printer.cut_kind", &p.CutKind, CutKinds)
	c.printerModel(p)
	if p.Logo != "" && !filepath.IsAbs(p.Logo) {
		c.bad("printer.logo", "%q: the whole path of a PNG file, such as /etc/payterm/logo.png", p.Logo)
	}
	if p.Status && p.Tells {
		c.bad("printer.tells", "a printer is asked (status) or reports by itself (tells): choose one")
	}
	c.cut(p)
	c.drawer(p)
	c.number("printer.buffer", &p.Buffer, printerBuffer)
	c.number("printer.speed", &p.Speed, printerSpeed)
}

// cut checks the keys for the end of a slip. The file's keys override the model's.
func (c *checker) cut(p *Printer) {
	feed, dots := c.file.Has("printer.cut_feed"), c.file.Has("printer.cut_dots")
	switch {
	case feed && dots:
		c.bad("printer.cut_dots", "stands in place of cut_feed: choose one")
	case dots:
		c.number("printer.cut_dots", &p.CutDots, printerCutDots)
		p.CutFeed = 0
	default:
		c.number("printer.cut_feed", &p.CutFeed, printerCutFeed)
	}
	if c.file.Has("printer.cut_kind") && !p.Cut {
		c.bad("printer.cut_kind", "without cut = true nothing is cut")
	}
}

// drawer checks the keys of the cash drawer.
func (c *checker) drawer(p *Printer) {
	if c.file.Has("printer.drawer") {
		c.oneOf("printer.drawer", p.Drawer, Drawers...)
	} else {
		for _, key := range []string{"printer.drawer_pin", "printer.drawer_pulse"} {
			if c.file.Has(key) {
				c.bad(key, "without drawer = %q no drawer is opened", DrawerApproved)
			}
		}
	}
	if p.DrawerPin == 0 && !c.file.Has("printer.drawer_pin") {
		p.DrawerPin = drawerPins[0]
	}
	if !slices.Contains(drawerPins, p.DrawerPin) {
		c.bad("printer.drawer_pin", "%d: one of %v", p.DrawerPin, drawerPins)
	}
	c.duration("printer.drawer_pulse", &p.DrawerPulse, leastPulse, mostPulse, drawerPulse)
}

// printerModel checks the model and the numbers of code pages.
func (c *checker) printerModel(p *Printer) {
	model, known := modelOf(p.Model)
	if p.Model != "" && !known {
		names := make([]string, len(PrinterModels))
		for i, m := range PrinterModels {
			names[i] = m.Name
		}
		near := ""
		if name := tomlfile.Nearest(p.Model, names); name != "" {
			near = fmt.Sprintf("; did you mean %s?", name)
		}
		c.bad("printer.model", "%q: payterm board printers names those that are known%s", p.Model, near)
	}
	for _, page := range slices.Sorted(maps.Keys(p.CodePages)) {
		c.oneOf("printer.code_pages", page, CodePages...)
		c.between("printer.code_pages", p.CodePages[page], 0, 255)
	}
	if _, has := p.CodePages[p.CodePage]; known && !has {
		c.bad("printer.code_page", "%q: %s has %s; code_pages gives the number of another", p.CodePage, p.Model,
			strings.Join(slices.Sorted(maps.Keys(model.CodePages)), ", "))
	}
}

func (c *checker) serial(section, device string, baud int) {
	switch {
	case device == "" && baud == 0 && section == "printer":
		c.bad(section+".device", "is missing: a serial line with baud, or in its place network or usb")
		return
	case device == "":
		c.bad(section+".device", "is missing: a serial line, such as /dev/ttyS1")
	case strings.HasPrefix(device, "/dev/"):
		c.wire(section+".device", device)
		c.shares(section+".device", oneSpelling(device))
	default:
		c.bad(section+".device", "%q: a serial line, such as /dev/ttyS1", device)
	}
	switch {
	case baud == 0 && !c.file.Has(section+".baud"):
		c.bad(section+".baud", "is missing: one of %v", bauds)
	case !slices.Contains(bauds, baud):
		c.bad(section+".baud", "%d: one of %v", baud, bauds)
	}
}

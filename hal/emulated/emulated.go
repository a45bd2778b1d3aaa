// Package emulated puts chips behind the wires of a board profile, so that the
// very driver code of a terminal runs without one: an LCD controller that
// decodes SPI bytes by its D/C line, a key matrix that couples rows to columns,
// a serial scanner and an ESC/POS printer behind PTYs.
//
// The chips are written from data sheets, apart from the drivers, and share no
// code with them. What a real chip would not accept is kept as a violation.
package emulated

import (
	"errors"
	"fmt"
	"image"
	"sync"
	"time"

	"payterm"
	"payterm/hal"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/spi"
)

// Config says which board, and how much faster than real its devices are.
type Config struct {
	Profile hal.Profile
	Scale   float64 // 1 is real time
	// Changed is told of each device that changed: display, paper, buzzer. It
	// must not block.
	Changed func(device string)
}

// Board is the emulated hardware. Its methods may be called from any goroutine.
type Board struct {
	c       Config
	panel   *st7789
	matrix  *matrix
	printer *escpos
	pins    map[string]gpio.PinIO
	spi     *spiPort
	mu      sync.Mutex
	serial  map[string]*serialDevice // by what the profile calls it
	bad     []error
}

const maxViolations = 100

// New makes the chips that the profile names.
func New(c Config) (*Board, error) {
	if c.Scale <= 0 {
		c.Scale = 1
	}
	if c.Changed == nil {
		c.Changed = func(string) {}
	}
	b := &Board{c: c, pins: map[string]gpio.PinIO{}, serial: map[string]*serialDevice{}}
	p := c.Profile
	if d := p.Display; d != nil {
		b.panel = newST7789(d, b.violation, func() { c.Changed("display") })
		b.spi = &spiPort{chip: b.panel, name: d.SPI, hz: d.SpeedHz, scale: c.Scale, violation: b.violation}
		b.wire(d.DC, func(l gpio.Level) { b.spi.setDC(bool(l)) })
		b.wire(d.Reset, func(l gpio.Level) { b.panel.resetPin(bool(l)) })
		b.wire(d.Backlight, func(l gpio.Level) { b.panel.light(bool(l)) })
	}
	if k := p.Keypad; k != nil {
		b.matrix = newMatrix(k)
		for i, name := range k.Rows {
			b.pins[name] = &rowPin{pin: newPin(name), m: b.matrix, n: i}
		}
		for i, name := range k.Columns {
			b.pins[name] = &columnPin{pin: newPin(name), m: b.matrix, n: i}
		}
	}
	if p.Signal != nil {
		b.wire(p.Signal.Buzzer, func(gpio.Level) { c.Changed("buzzer") })
	}
	return b, errors.Join(b.openSerial()...)
}

func (b *Board) openSerial() []error {
	var errs []error
	if s := b.c.Profile.Scanner; s != nil {
		d, err := openSerialDevice(s.Baud, b.c.Scale, nil)
		errs = append(errs, err)
		b.serial[s.Device] = d
	}
	if p := b.c.Profile.Printer; p != nil {
		b.printer = newESCPOS(p.Dots, p.Buffer, b.violation, func() { b.c.Changed("paper") })
		d, err := openSerialDevice(p.Baud, b.c.Scale, b.printer)
		errs = append(errs, err)
		b.serial[p.Device] = d
	}
	return errs
}

func (b *Board) wire(name string, level func(gpio.Level)) {
	if name != "" {
		b.pins[name] = &outPin{pin: newPin(name), level: level}
	}
}

func (b *Board) violation(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.bad) < maxViolations {
		b.bad = append(b.bad, err)
	}
}

// Violations are what drivers did that a real chip would not accept.
func (b *Board) Violations() []error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]error(nil), b.bad...)
}

// Sleep is what drivers get for pauses: scaled like the chips.
func (b *Board) Sleep(d time.Duration) { time.Sleep(time.Duration(float64(d) / b.c.Scale)) }

// SPI is hal.Ports'.
func (b *Board) SPI(name string) (spi.PortCloser, error) {
	if b.spi == nil || b.spi.name != name {
		return nil, fmt.Errorf("emulated: no chip on SPI bus %s", name)
	}
	return b.spi, nil
}

// Pin is hal.Ports'.
func (b *Board) Pin(name string) (gpio.PinIO, error) {
	if p := b.pins[name]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("emulated: nothing on line %s", name)
}

// Serial is hal.Ports': the same line code as on a terminal, on a PTY.
func (b *Board) Serial(name string, baud int) (*hal.Line, error) {
	d := b.serial[name]
	if d == nil {
		return nil, fmt.Errorf("emulated: nothing on serial line %s", name)
	}
	return hal.OpenLine(d.name, baud), nil
}

// Frame is what the glass shows now.
func (b *Board) Frame() *image.RGBA { return b.panel.frame() }

// Press presses a key of the keypad as a finger does: it bounces, and is held
// until the scan has seen it.
func (b *Board) Press(k payterm.Key) error {
	if b.matrix == nil {
		return errors.New("this board has no keypad")
	}
	return b.matrix.press(k)
}

// Scan lets the scanner read a code.
func (b *Board) Scan(code string) error {
	s := b.c.Profile.Scanner
	if s == nil {
		return errors.New("this board has no scanner")
	}
	before, after := "", map[string]string{"cr": "\r", "lf": "\n", "crlf": "\r\n", "gap": "", "stx_etx": "\x03"}[s.Framing]
	if s.Framing == "stx_etx" {
		before = "\x02"
	}
	return b.serial[s.Device].send([]byte(before + code + after))
}

// Paper is what was printed since the last tear: the picture and the words.
func (b *Board) Paper() (image.Image, string) { return b.printer.paper() }

// Tear tears the paper off.
func (b *Board) Tear() { b.printer.tear() }

// SetPrinter sets the printer's sensors: paper ok, near_end or out, cover closed
// or open; an empty word leaves one as it is.
func (b *Board) SetPrinter(paper, cover string) error { return b.printer.sensors(paper, cover) }

// Unplug pulls a cable, Plug puts it back: display, scanner, printer, keypad.
func (b *Board) Unplug(device string) error { return b.plug(device, false) }

// Plug puts a cable back.
func (b *Board) Plug(device string) error { return b.plug(device, true) }

func (b *Board) plug(device string, in bool) error {
	p := b.c.Profile
	switch {
	case device == "display" && b.panel != nil:
		b.panel.power(in)
	case device == "keypad" && b.matrix != nil:
		b.matrix.plug(in)
	case device == "scanner" && p.Scanner != nil:
		return b.serial[p.Scanner.Device].plug(in)
	case device == "printer" && p.Printer != nil:
		return b.serial[p.Printer.Device].plug(in)
	default:
		return fmt.Errorf("device %q: display, scanner, printer or keypad", device)
	}
	return nil
}

// Close ends the board's goroutines.
func (b *Board) Close() error {
	var errs []error
	for _, d := range b.serial {
		errs = append(errs, d.plug(false))
	}
	return errors.Join(errs...)
}

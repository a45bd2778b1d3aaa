// Package hal opens the wires of a board by the names of its profile: SPI buses,
// GPIO lines, serial lines. It knows which wire, not what is said over it: that
// is for the drivers. It is the only package that knows periph's host and the
// serial library.
//
// Ports is where real and emulated hardware part: Host gives the machine's own,
// hal/emulated gives the same interface with chips behind it. Everything above
// is the same code.
package hal

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"
	"periph.io/x/conn/v3/spi/spireg"
	"periph.io/x/host/v3"
	"periph.io/x/host/v3/gpioioctl"
)

// Ports opens wires by name.
type Ports interface {
	SPI(name string) (spi.PortCloser, error)
	Pin(name string) (gpio.PinIO, error)
	Serial(name string, baud int) (*Line, error)
}

// Board is a profile with its wires open. A device whose wires cannot be opened
// is nil and has its reason in Faults: a terminal with a dead printer still
// sells.
type Board struct {
	Profile Profile
	Display *DisplayPorts
	Keypad  *KeypadPorts
	Scanner *Line
	Printer *Line
	Buzzer  gpio.PinOut
	Faults  map[string]error // by device: display, keypad, scanner, printer, buzzer
	closers []func() error
}

// DisplayPorts are the wires of a display; Reset and Backlight may be nil.
type DisplayPorts struct {
	Conn                 spi.Conn
	DC, Reset, Backlight gpio.PinOut
}

// KeypadPorts are the wires of a key matrix.
type KeypadPorts struct{ Rows, Columns []gpio.PinIO }

// Open opens everything that the profile names. It does not fail as a whole.
func Open(p Profile, ports Ports) *Board {
	b := &Board{Profile: p, Faults: map[string]error{}}
	fault := func(device string, err error) {
		if err != nil {
			b.Faults[device] = fmt.Errorf("hal: %s: %w", device, err)
		}
	}
	if p.Display != nil {
		fault("display", b.openDisplay(p.Display, ports))
	}
	if p.Keypad != nil {
		fault("keypad", b.openKeypad(p.Keypad, ports))
	}
	var err error
	if p.Scanner != nil {
		b.Scanner, err = b.openSerial(ports, p.Scanner.Device, p.Scanner.Baud)
		fault("scanner", err)
	}
	if p.Printer != nil {
		b.Printer, err = b.openSerial(ports, p.Printer.Device, p.Printer.Baud)
		fault("printer", err)
	}
	if p.Signal != nil && p.Signal.Buzzer != "" {
		pin, err := ports.Pin(p.Signal.Buzzer)
		if err == nil {
			b.Buzzer = pin
		}
		fault("buzzer", err)
	}
	return b
}

func (b *Board) openDisplay(d *Display, ports Ports) error {
	port, err := ports.SPI(d.SPI)
	if err != nil {
		return err
	}
	b.closers = append(b.closers, port.Close)
	c, err := port.Connect(physic.Frequency(d.SpeedHz)*physic.Hertz, spi.Mode0, 8)
	if err != nil {
		return fmt.Errorf("connect %s: %w", d.SPI, err)
	}
	out := &DisplayPorts{Conn: c}
	for _, one := range []struct {
		name string
		pin  *gpio.PinOut
	}{{d.DC, &out.DC}, {d.Reset, &out.Reset}, {d.Backlight, &out.Backlight}} {
		if one.name == "" {
			continue
		}
		pin, err := ports.Pin(one.name)
		if err != nil {
			return err
		}
		*one.pin = pin
	}
	b.Display = out
	return nil
}

func (b *Board) openKeypad(k *Keypad, ports Ports) error {
	out := &KeypadPorts{}
	for _, side := range []struct {
		names []string
		pins  *[]gpio.PinIO
	}{{k.Rows, &out.Rows}, {k.Columns, &out.Columns}} {
		for _, name := range side.names {
			pin, err := ports.Pin(name)
			if err != nil {
				return err
			}
			*side.pins = append(*side.pins, pin)
		}
	}
	b.Keypad = out
	return nil
}

func (b *Board) openSerial(ports Ports, name string, baud int) (*Line, error) {
	l, err := ports.Serial(name, baud)
	if err != nil {
		return nil, err
	}
	b.closers = append(b.closers, l.Close)
	return l, nil
}

// Close closes what was opened.
func (b *Board) Close() error {
	var errs []error
	for _, c := range b.closers {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

// Sleep is where drivers get their pauses from on real hardware.
func Sleep(d time.Duration) { time.Sleep(d) }

type hostPorts struct{}

// Host gives the machine's own ports.
func Host() (Ports, error) {
	if _, err := host.Init(); err != nil {
		return nil, fmt.Errorf("hal: start periph: %w", err)
	}
	return hostPorts{}, nil
}

func (hostPorts) SPI(name string) (spi.PortCloser, error) {
	p, err := spireg.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open SPI bus %s: %w (is spidev enabled?)", name, err)
	}
	return p, nil
}

// Pin finds a line by "chip:offset", where chip is a name or a label, or by its
// line name. Nothing is probed: SoCs number their lines differently.
func (hostPorts) Pin(name string) (gpio.PinIO, error) {
	chip, offset, byOffset := strings.Cut(name, ":")
	if byOffset {
		n, err := strconv.Atoi(offset)
		if err != nil {
			return nil, fmt.Errorf("line %s: the part behind the colon is a number", name)
		}
		for _, c := range gpioioctl.Chips {
			if c.Name() != chip && c.Label() != chip {
				continue
			}
			if l := c.ByNumber(n); l != nil {
				return l, nil
			}
			return nil, fmt.Errorf("line %s: the chip has no line %d", name, n)
		}
		return nil, fmt.Errorf("line %s: there is no GPIO chip %s", name, chip)
	}
	for _, c := range gpioioctl.Chips {
		if l := c.ByName(name); l != nil {
			return l, nil
		}
	}
	if p := gpioreg.ByName(name); p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("line %s: no GPIO chip has a line of this name", name)
}

func (hostPorts) Serial(name string, baud int) (*Line, error) {
	return OpenLine(func() string { return name }, baud), nil
}

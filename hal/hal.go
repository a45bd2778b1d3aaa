// Package hal opens the wires of a board by the names of its profile: SPI and
// I2C buses, frame buffers, GPIO lines, PWM channels, serial lines, event devices. It
// knows which wire, not what is said over it: that is for the drivers. It is the only
// package that knows periph's host and the serial library.
//
// Whatever has a cable is a Line, which outlives it: a tty, a connection to a
// printer, a scanner or a pad that types as a keyboard. A Line of an event device
// carries the kernel's records, which a Keys reads as keys. Whatever is on or off is
// a gpio.PinOut, be it a line of a GPIO chip or a channel of the kernel's PWM, which
// can also be something between: a name that begins with pwmchip is the latter.
//
// Ports is where real and emulated hardware part: Host gives the machine's own,
// hal/emulated gives the same interface with chips behind it. Everything above
// is the same code.
package hal

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
	"time"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/driver/driverreg"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/i2c/i2creg"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"
	"periph.io/x/conn/v3/spi/spireg"
	"periph.io/x/host/v3/gpioioctl"
	_ "periph.io/x/host/v3/sysfs" // spidev, i2c-dev; not host.Init, which also probes for SoCs and maps their registers
)

// Ports opens wires by the names that a profile has for them.
type Ports interface {
	// SPI opens a bus and chip select, such as SPI0.0.
	SPI(name string) (spi.PortCloser, error)
	// I2C opens a bus, such as I2C1.
	I2C(name string) (i2c.BusCloser, error)
	// FrameBuffer opens a screen that the kernel drives, such as /dev/fb0.
	FrameBuffer(name string) (FrameBuffer, error)
	// Pin finds a line, such as gpiochip0:25 or GPIO25. Two names of one line give
	// the same pin.
	Pin(name string) (gpio.PinIO, error)
	// PWM opens a channel of the kernel's PWM, such as pwmchip0:1.
	PWM(name string) (gpio.PinOut, error)
	// Events opens an event device and takes it for this process alone. One that is
	// not there yet is no error.
	Events(e EventDevice) (*Line, error)
	// Serial opens a serial line. A device that is not there yet is no error: the
	// line opens it once it is.
	Serial(name string, baud int) (*Line, error)
	// Network opens a line over TCP, such as 192.0.2.7:9100. A device that does not
	// answer yet is no error.
	Network(address string) (*Line, error)
	// USBPrinter opens the device file of a USB printer, such as /dev/usb/lp0. A
	// printer that is not there yet is no error.
	USBPrinter(name string) (*Line, error)
}

// Board is a profile with its wires open. A device whose wires cannot be opened
// is nil and has its reason in Faults: a terminal with a dead printer still
// sells.
type Board struct {
	Profile Profile
	Display *DisplayPorts
	Keypad  *KeypadPorts
	Scanner *Line // of bytes, or of an event device's records: for NewKeys
	Printer *Line
	Buzzer  gpio.PinOut
	LEDs    *LEDPorts
	Faults  map[string]error // by device: display, keypad, scanner, printer, buzzer, leds
}

// DisplayPorts are the wires of a display: of Conn and Frame one, and DC with SPI.
// Reset and Backlight may be nil.
type DisplayPorts struct {
	Conn                 conn.Conn // on SPI, or to the controller's address on I2C
	Frame                FrameBuffer
	DC, Reset, Backlight gpio.PinOut

	port io.Closer
}

// KeypadPorts are the wires of a key matrix, or the event device of a pad.
type KeypadPorts struct {
	Rows, Columns []gpio.PinIO
	Events        *Line
}

// LEDPorts are the lines of the signal lamps; each may be nil.
type LEDPorts struct{ Ready, Approved, Attention gpio.PinOut }

// Open opens everything that the profile names. It does not fail as a whole.
func Open(p Profile, ports Ports) *Board {
	b := &Board{Profile: p, Faults: map[string]error{}}
	o := opener{ports, map[gpio.PinIO]string{}}
	fault := func(device string, err error) {
		if err != nil {
			b.Faults[device] = fmt.Errorf("hal: %s: %w", device, err)
		}
	}
	var err error
	if p.Display != nil {
		b.Display, err = o.display(p.Display)
		fault("display", err)
	}
	if p.Keypad != nil {
		b.Keypad, err = o.keypad(p.Keypad)
		fault("keypad", err)
	}
	if p.Scanner != nil {
		if p.Scanner.Kind == "evdev" {
			b.Scanner, err = ports.Events(p.Scanner.Events())
		} else {
			b.Scanner, err = ports.Serial(p.Scanner.Device, p.Scanner.Baud)
		}
		fault("scanner", err)
	}
	if p.Printer != nil {
		switch {
		case p.Printer.Network != "":
			b.Printer, err = ports.Network(p.Printer.Network)
		case p.Printer.USB != "":
			b.Printer, err = ports.USBPrinter(p.Printer.USB)
		default:
			b.Printer, err = ports.Serial(p.Printer.Device, p.Printer.Baud)
		}
		fault("printer", err)
	}
	if p.Signal != nil {
		b.Buzzer, err = o.out("signal.buzzer", p.Signal.Buzzer)
		fault("buzzer", err)
		b.LEDs, err = o.leds(p.Signal)
		fault("leds", err)
	}
	return b
}

// opener opens wires and notices a line that the profile names in two ways.
type opener struct {
	ports Ports
	used  map[gpio.PinIO]string // the key and the name of a line
}

func (o *opener) pin(key, name string) (gpio.PinIO, error) {
	p, err := o.ports.Pin(name)
	if err != nil {
		return nil, err
	}
	if by, taken := o.used[p]; taken {
		return nil, fmt.Errorf("%s: line %s is line %s already", key, name, by)
	}
	o.used[p] = name + " of " + key
	return p, nil
}

// out is an output line or a PWM channel; nil without a name.
func (o *opener) out(key, name string) (gpio.PinOut, error) {
	if name == "" {
		return nil, nil
	}
	if isPWM(name) {
		return o.ports.PWM(name)
	}
	p, err := o.pin(key, name)
	if err != nil {
		return nil, err // not p: a nil pin in an interface is not nil
	}
	return p, nil
}

func (o *opener) display(d *Display) (*DisplayPorts, error) {
	w := &DisplayPorts{}
	for _, one := range []struct {
		key, name string
		pin       *gpio.PinOut
	}{{"display.dc", d.DC, &w.DC}, {"display.reset", d.Reset, &w.Reset}, {"display.backlight", d.Backlight, &w.Backlight}} {
		var err error
		if *one.pin, err = o.out(one.key, one.name); err != nil {
			return nil, err
		}
	}
	if err := o.bus(d, w); err != nil {
		return nil, err
	}
	return w, nil
}

// leds is nil without any.
func (o *opener) leds(s *Signal) (*LEDPorts, error) {
	w := &LEDPorts{}
	for _, one := range []struct {
		key, name string
		pin       *gpio.PinOut
	}{{"signal.led_ready", s.Ready, &w.Ready}, {"signal.led_approved", s.Approved, &w.Approved}, {"signal.led_attention", s.Attention, &w.Attention}} {
		var err error
		if *one.pin, err = o.out(one.key, one.name); err != nil {
			return nil, err
		}
	}
	if *w == (LEDPorts{}) {
		return nil, nil
	}
	return w, nil
}

// bus opens what the display hangs on.
func (o *opener) bus(d *Display, w *DisplayPorts) error {
	switch {
	case d.Device != "":
		f, err := o.ports.FrameBuffer(d.Device)
		if err != nil {
			return err
		}
		w.Frame, w.port = f, f
		if is := f.Format(); is.Width != d.Width && is.Width != d.Height || is.Width*is.Height != d.Width*d.Height || is.Bits != d.Bits {
			return errors.Join(fmt.Errorf("%s has %d by %d pixels of %d bits, the profile says %d by %d of %d",
				d.Device, is.Width, is.Height, is.Bits, d.Width, d.Height, d.Bits), f.Close())
		}
	case d.I2C != "":
		bus, err := o.ports.I2C(d.I2C)
		if err != nil {
			return err
		}
		w.Conn, w.port = &i2c.Dev{Bus: bus, Addr: uint16(d.Address)}, bus
	default:
		port, err := o.ports.SPI(d.SPI)
		if err != nil {
			return err
		}
		c, err := port.Connect(physic.Frequency(d.SpeedHz)*physic.Hertz, spi.Mode0, 8)
		if err != nil {
			return errors.Join(fmt.Errorf("connect %s: %w", d.SPI, err), port.Close())
		}
		w.Conn, w.port = c, port
	}
	return nil
}

func (o *opener) keypad(k *Keypad) (*KeypadPorts, error) {
	w := &KeypadPorts{}
	if k.Kind == "evdev" {
		var err error
		if w.Events, err = o.ports.Events(k.Events()); err != nil {
			return nil, err
		}
		return w, nil
	}
	for _, side := range []struct {
		key   string
		names []string
		pins  *[]gpio.PinIO
	}{{"keypad.rows", k.Rows, &w.Rows}, {"keypad.columns", k.Columns, &w.Columns}} {
		for _, name := range side.names {
			p, err := o.pin(side.key, name)
			if err != nil {
				return nil, err
			}
			*side.pins = append(*side.pins, p)
		}
	}
	return w, nil
}

// Lines are what has a cable that can be pulled, by device.
func (b *Board) Lines() map[string]*Line {
	lines := map[string]*Line{}
	if b.Scanner != nil {
		lines["scanner"] = b.Scanner
	}
	if b.Printer != nil {
		lines["printer"] = b.Printer
	}
	if b.Keypad != nil && b.Keypad.Events != nil {
		lines["keypad"] = b.Keypad.Events
	}
	return lines
}

// Absent says why devices that the profile names cannot be used now. One with a cable
// may still come: its line waits for it.
func (b *Board) Absent() map[string]error {
	why := map[string]error{}
	maps.Copy(why, b.Faults)
	for device, line := range b.Lines() {
		if _, err := line.Plugged(); err != nil {
			why[device] = err
		}
	}
	return why
}

// Close closes buses and lines with a cable. GPIO lines are released with the process:
// a released one may change its level, and the drivers have left them at rest.
func (b *Board) Close() error {
	var errs []error
	if b.Display != nil {
		errs = append(errs, b.Display.port.Close())
	}
	for _, l := range b.Lines() {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// Sleep is where drivers get their pauses from on real hardware.
func Sleep(d time.Duration) { time.Sleep(d) }

type hostPorts struct{}

// Host gives the machine's own ports: spidev, the lines of its GPIO chips, ttys.
func Host() (Ports, error) {
	if _, err := driverreg.Init(); err != nil {
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

func (hostPorts) I2C(name string) (i2c.BusCloser, error) {
	b, err := i2creg.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open I2C bus %s: %w (is it enabled, and i2c-dev loaded?)", name, err)
	}
	return b, nil
}

func (hostPorts) FrameBuffer(name string) (FrameBuffer, error) {
	f, err := openFrameBuffer(name)
	if err != nil {
		return nil, err // not f: a nil buffer in an interface is not nil
	}
	return f, nil
}

func (hostPorts) Pin(name string) (gpio.PinIO, error) {
	p, err := findLine(gpioioctl.Chips, name)
	if err != nil {
		return nil, err // not p: a nil line in an interface is not nil
	}
	return p, nil
}

// gpioChip is what findLine needs of a *gpioioctl.GPIOChip.
type gpioChip interface {
	Name() string
	Label() string
	LineCount() int
	ByName(string) *gpioioctl.GPIOLine
	ByNumber(int) *gpioioctl.GPIOLine
}

// findLine finds a line by chip and offset, or by its own name when only one chip
// has a line of that name. periph puts the chip's name before a line's when another
// of its drivers was first with it; both are that line.
func findLine[C gpioChip](chips []C, name string) (*gpioioctl.GPIOLine, error) {
	label, offset, byOffset := strings.Cut(name, ":")
	var found []*gpioioctl.GPIOLine
	var names []string
	for _, c := range chips {
		names = append(names, fmt.Sprintf("%s (%s)", c.Name(), c.Label()))
		switch {
		case !byOffset:
			for _, n := range []string{name, c.Name() + "-" + name} {
				if l := c.ByName(n); l != nil {
					found = append(found, l)
				}
			}
		case c.Name() == label || c.Label() == label:
			n, err := strconv.Atoi(offset)
			if err != nil || n < 0 {
				return nil, fmt.Errorf("line %s: behind the colon stands the line's number on its chip", name)
			}
			if n < c.LineCount() {
				found = append(found, c.ByNumber(n))
			}
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, fmt.Errorf("there is no line %s; the GPIO chips are: %s", name, strings.Join(names, ", "))
	}
	return nil, fmt.Errorf("line %s: %d chips have one: name it as chip:offset", name, len(found))
}

func (hostPorts) PWM(name string) (gpio.PinOut, error) {
	p, err := openPWM("/sys/class/pwm", name)
	if err != nil {
		return nil, err // not p: a nil channel in an interface is not nil
	}
	return p, nil
}

func (hostPorts) Events(e EventDevice) (*Line, error) {
	return OpenEvents(func() (EventFile, error) { return openEventFile("/sys/class/input", e) }), nil
}

func (hostPorts) Serial(name string, baud int) (*Line, error) {
	return OpenLine(func() string { return name }, baud), nil
}

func (hostPorts) Network(address string) (*Line, error) {
	return OpenNetwork(func() string { return address }), nil
}

func (hostPorts) USBPrinter(name string) (*Line, error) {
	return OpenUSBPrinter(func() string { return name }), nil
}

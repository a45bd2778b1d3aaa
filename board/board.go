// Package board reads the profile of a board, which says which device is on which wire, and opens those wires.
// ReadProfile checks a profile against the known controllers, buses, lines and settings, and fills in defaults.
// Open asks a hal.Ports for each wire by the name in the profile. What is sent over a wire is left to the
// drivers. The built-in profiles are in package boards.
package board

import (
	"errors"
	"fmt"
	"io"
	"maps"

	"payterm/hal"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"
)

// Board is a profile with its wires open. A device whose wires cannot be opened is nil, and its reason is in
// Faults: a terminal with a broken printer still sells.
type Board struct {
	Profile Profile
	Display *DisplayPorts
	Keypad  *KeypadPorts
	Scanner *hal.Line // of bytes, or of an event device's records, for NewKeys
	Printer *hal.Line
	Buzzer  gpio.PinOut
	LEDs    *LEDPorts
	Faults  map[string]error // by device: display, keypad, scanner, printer, buzzer, leds
}

// DisplayPorts are the wires of a display: one of Conn, Frame and Data, and DC with SPI. Reset and Backlight
// may be nil.
type DisplayPorts struct {
	Conn                 conn.Conn // on SPI, or to the controller's address on I2C
	Frame                hal.FrameBuffer
	DC, Reset, Backlight gpio.PinOut
	RS, Enable           gpio.PinOut // of a character display on lines
	Data                 []gpio.PinOut

	port io.Closer
}

// KeypadPorts are the wires of a key matrix, or the event device of a keypad.
type KeypadPorts struct {
	Rows, Columns []gpio.PinIO
	Events        *hal.Line
}

// LEDPorts are the lines of the signal LEDs; each may be nil.
type LEDPorts struct{ Ready, Approved, Attention gpio.PinOut }

// Open opens everything that the profile names. It never fails as a whole.
func Open(p Profile, ports hal.Ports) *Board {
	b := &Board{Profile: p, Faults: map[string]error{}}
	o := opener{ports, map[gpio.PinIO]string{}}
	fault := func(device string, err error) {
		if err != nil {
			b.Faults[device] = fmt.Errorf("board: %s: %w", device, err)
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
		if p.Scanner.Kind == KindEvdev {
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
		b.Buzzer, err = o.out("signal.buzzer", p.Signal.Buzzer, p.Signal.BuzzerLow)
		fault("buzzer", err)
		b.LEDs, err = o.leds(p.Signal)
		fault("leds", err)
	}
	return b
}

// opener opens wires, and finds a line that the profile names in two ways.
type opener struct {
	ports hal.Ports
	used  map[gpio.PinIO]string // the key and the name of each line
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

// out opens an output line or a PWM channel. It returns nil without a name. If low is true, the output is on
// while the line is low.
func (o *opener) out(key, name string, low bool) (gpio.PinOut, error) {
	if name == "" {
		return nil, nil
	}
	var p gpio.PinOut
	var err error
	if isPWM(name) {
		p, err = o.ports.PWM(name)
	} else {
		p, err = o.pin(key, name)
	}
	switch {
	case err != nil:
		return nil, err // not p: a nil pin in an interface is not nil
	case low:
		return activeLow{p}, nil
	}
	return p, nil
}

// activeLow inverts a line or a channel that is on while it is low.
type activeLow struct{ gpio.PinOut }

// Out implements gpio.PinOut.
func (p activeLow) Out(l gpio.Level) error { return p.PinOut.Out(!l) }

// PWM implements gpio.PinOut.
func (p activeLow) PWM(duty gpio.Duty, f physic.Frequency) error {
	return p.PinOut.PWM(gpio.DutyMax-duty, f)
}

func (o *opener) display(d *Display) (*DisplayPorts, error) {
	w := &DisplayPorts{}
	for _, one := range []struct {
		key, name string
		low       bool
		pin       *gpio.PinOut
	}{
		{"display.dc", d.DC, false, &w.DC}, {"display.reset", d.Reset, false, &w.Reset},
		{"display.backlight", d.Backlight, d.ActiveLow, &w.Backlight},
	} {
		var err error
		if *one.pin, err = o.out(one.key, one.name, one.low); err != nil {
			return nil, err
		}
	}
	if err := o.bus(d, w); err != nil {
		return nil, err
	}
	return w, nil
}

// leds opens the LEDs. It returns nil if there are none.
func (o *opener) leds(s *Signal) (*LEDPorts, error) {
	w := &LEDPorts{}
	for _, one := range []struct {
		key, name string
		pin       *gpio.PinOut
	}{
		{"signal.led_ready", s.Ready, &w.Ready}, {"signal.led_approved", s.Approved, &w.Approved},
		{"signal.led_attention", s.Attention, &w.Attention},
	} {
		var err error
		if *one.pin, err = o.out(one.key, one.name, s.LEDsLow); err != nil {
			return nil, err
		}
	}
	if *w == (LEDPorts{}) {
		return nil, nil
	}
	return w, nil
}

// bus opens the bus of the display.
func (o *opener) bus(d *Display, w *DisplayPorts) error {
	switch {
	case len(d.Data) > 0:
		return o.lines(d, w)
	case d.Device != "":
		f, err := o.ports.FrameBuffer(d.Device)
		if err != nil {
			return err
		}
		w.Frame, w.port = f, f
		is := f.Format()
		fits := (is.Width == d.Width || is.Width == d.Height) && is.Width*is.Height == d.Width*d.Height
		if !fits || is.Bits != d.Bits {
			return errors.Join(fmt.Errorf("%s has %d by %d pixels of %d bits, the profile says %d by %d of %d",
				d.Device, is.Width, is.Height, is.Bits, d.Width, d.Height, d.Bits), f.Close())
		}
	case d.I2C != "":
		bus, err := o.ports.I2C(d.I2C)
		if err != nil {
			return err
		}
		w.Conn, w.port = &i2c.Dev{Bus: bus, Addr: uint16(d.Address)}, bus
		if d.MaxTransfer != 0 {
			w.Conn = limited{w.Conn, d.MaxTransfer}
		}
	default:
		port, err := o.ports.SPI(d.SPI)
		if err != nil {
			return err
		}
		c, err := port.Connect(physic.Frequency(d.SpeedHz)*physic.Hertz, spi.Mode(d.SPIMode), 8)
		if err != nil {
			return errors.Join(fmt.Errorf("connect %s: %w", d.SPI, err), port.Close())
		}
		w.Conn, w.port = c, port
		if d.MaxTransfer != 0 {
			w.Conn = limited{c, d.MaxTransfer}
		}
	}
	return nil
}

// lines opens the lines of a character display without a bus.
func (o *opener) lines(d *Display, w *DisplayPorts) error {
	var err error
	if w.RS, err = o.out("display.rs", d.RS, false); err != nil {
		return err
	}
	if w.Enable, err = o.out("display.enable", d.Enable, false); err != nil {
		return err
	}
	for _, name := range d.Data {
		p, err := o.out("display.data", name, false)
		if err != nil {
			return err
		}
		w.Data = append(w.Data, p)
	}
	w.port = io.NopCloser(nil)
	return nil
}

// limited is a connection with a limit on a transfer that differs from the adapter's own, or that the adapter
// does not report.
type limited struct {
	conn.Conn
	most int
}

// MaxTxSize implements conn.Limits.
func (l limited) MaxTxSize() int { return l.most }

func (o *opener) keypad(k *Keypad) (*KeypadPorts, error) {
	w := &KeypadPorts{}
	if k.Kind == KindEvdev {
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

// Lines returns the devices with a cable that can be unplugged.
func (b *Board) Lines() map[string]*hal.Line {
	lines := map[string]*hal.Line{}
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

// Absent returns why devices that the profile names cannot be used now. A device with a cable may still be
// plugged in: its line waits for it.
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

// Close closes buses and lines with a cable. GPIO lines are released when the process ends: a released line may
// change its level, and the drivers have left them in their idle state.
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

// Package hal opens wires by the names that the kernel gives them: SPI and I2C buses, frame
// buffers, GPIO lines, PWM channels, serial lines, event devices, connections to printers.
// Which wires a board has is in package board, and what is sent over them in the drivers.
// No other package uses periph's host or the serial library.
//
// A device with a cable is a Line, which survives unplugging: a tty, a connection to a
// printer, a scanner or a keypad that types as a keyboard. The Line of an event device
// carries the kernel's records, which Keys decodes. A device that is on or off is a
// gpio.PinOut: a line of a GPIO chip, or a channel of the kernel's PWM (a name that begins
// with pwmchip), which also has levels in between.
//
// Ports is the boundary between real and emulated hardware: Host returns the machine's
// ports, hal/emulated implements the same interface with emulated chips. All code above it
// is the same.
package hal

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"periph.io/x/conn/v3/driver/driverreg"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/i2c/i2creg"
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
	// Serial opens a serial line. A device that is not there yet is no error: the line opens it
	// later.
	Serial(name string, baud int) (*Line, error)
	// Network opens a line over TCP, such as 192.0.2.7:9100. A device that does not
	// answer yet is no error.
	Network(address string) (*Line, error)
	// USBPrinter opens the device file of a USB printer, such as /dev/usb/lp0. A
	// printer that is not there yet is no error.
	USBPrinter(name string) (*Line, error)
}

// Sleep is the drivers' pause on real hardware.
func Sleep(d time.Duration) { time.Sleep(d) }

type hostPorts struct{}

// Host returns the machine's own ports: spidev, the lines of its GPIO chips, ttys.
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
	return SPIPort(p), nil
}

func (hostPorts) I2C(name string) (i2c.BusCloser, error) {
	b, err := i2creg.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open I2C bus %s: %w (is it enabled, and i2c-dev loaded?)", name, err)
	}
	return I2CBus(b), nil
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

// findLine finds a line by chip and offset, or by its own name if only one chip has a line of
// that name. periph prefixes the chip's name if another of its drivers registered the name first;
// both forms are found.
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

// Package haltest has test doubles for wires: a serial line with a script (Line), a bus that
// records what a driver does (Bus), and a real tty whose cable can be pulled (Cable). None of
// them behaves like a chip; hal/emulated does.
package haltest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"payterm/hal"

	"github.com/creack/pty"
	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"
)

// Line is a serial line with a script of the steps Want, Give, Late and Pull, in the order of the
// calls. Time does not pass: a Read with nothing to return ends at once with hal.ErrTimeout. The
// script must be used up at the end of the test.
type Line struct {
	// OnWait is called with the time that each Read would have waited, for a test's own clock.
	OnWait func(time.Duration)

	t      testing.TB
	mu     sync.Mutex
	script []step
}

type step struct {
	kind  string // want, give, late or pull
	bytes []byte
}

func (s step) String() string { return strings.TrimSpace(fmt.Sprintf("%s % x", s.kind, s.bytes)) }

// NewLine makes a line with an empty script.
func NewLine(t testing.TB) *Line {
	l := &Line{t: t, OnWait: func(time.Duration) {}}
	t.Cleanup(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.script) > 0 {
			t.Errorf("haltest: the script was not played to its end: %v", l.script)
		}
	})
	return l
}

func (l *Line) add(kind string, b []byte) *Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.script = append(l.script, step{kind, bytes.Clone(b)})
	return l
}

// Want expects that the driver writes exactly b next, in any number of writes.
func (l *Line) Want(b ...byte) *Line { return l.add("want", b) }

// Give makes the next Read return b; several Gives are read one by one.
func (l *Line) Give(b ...byte) *Line { return l.add("give", b) }

// Late makes one Read or Write reach its deadline. A Read that does not wait finds nothing and
// leaves it in place.
func (l *Line) Late() *Line { return l.add("late", nil) }

// Pull makes one Read or Write fail with a pulled cable.
func (l *Line) Pull() *Line { return l.add("pull", nil) }

// fails takes a step that makes a call fail. The lock is held.
func (l *Line) fails() error {
	if len(l.script) == 0 {
		return nil
	}
	switch l.script[0].kind {
	case "late":
		l.script = l.script[1:]
		return hal.ErrTimeout
	case "pull":
		l.script = l.script[1:]
		return hal.ErrUnplugged
	}
	return nil
}

// Read returns what the script gives.
func (l *Line) Read(b []byte, d time.Duration) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d <= 0 && len(l.script) > 0 && l.script[0].kind == "late" {
		return 0, hal.ErrTimeout
	}
	if err := l.fails(); err != nil {
		if errors.Is(err, hal.ErrTimeout) {
			l.OnWait(d)
		}
		return 0, err
	}
	if len(l.script) == 0 || l.script[0].kind != "give" {
		l.OnWait(d)
		return 0, hal.ErrTimeout
	}
	s := &l.script[0]
	n := copy(b, s.bytes)
	if s.bytes = s.bytes[n:]; len(s.bytes) == 0 {
		l.script = l.script[1:]
	}
	return n, nil
}

// Write checks b against the script.
func (l *Line) Write(b []byte, d time.Duration) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d <= 0 && len(l.script) > 0 && l.script[0].kind == "late" {
		return 0, hal.ErrTimeout
	}
	if err := l.fails(); err != nil {
		if errors.Is(err, hal.ErrTimeout) {
			l.OnWait(d)
		}
		return 0, err
	}
	for rest := b; len(rest) > 0; {
		if len(l.script) == 0 || l.script[0].kind != "want" {
			l.t.Errorf("haltest: wrote % x; the script has %v", rest, l.script)
			return 0, errors.New("haltest: not in the script")
		}
		s := &l.script[0]
		n := min(len(rest), len(s.bytes))
		if !bytes.Equal(rest[:n], s.bytes[:n]) {
			l.t.Errorf("haltest: wrote % x; the script wants % x", rest[:n], s.bytes[:n])
			return 0, errors.New("haltest: not in the script")
		}
		rest = rest[n:]
		if s.bytes = s.bytes[n:]; len(s.bytes) == 0 {
			l.script = l.script[1:]
		}
	}
	return len(b), nil
}

// Bus records, in one order, what a driver does to an SPI connection and to the lines beside it,
// such as D/C and reset; periph's spitest.Record and gpiotest.Pin each record only their own.
// Compare its String with a golden one.
type Bus struct {
	// Max is the largest transfer, 4096 when zero; a larger one fails.
	Max int
	// Fail, if set, is called before each transfer and each change of a line, and may return an
	// error.
	Fail func(what string) error

	mu  sync.Mutex
	log []string
}

// note records an event unless Fail returns an error.
func (b *Bus) note(what string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.Fail != nil {
		if err := b.Fail(what); err != nil {
			return err
		}
	}
	b.log = append(b.log, what)
	return nil
}

// String is the record, one event a line: "dc low", "spi 2a", "spi 00 00 00 ef". Transfers of
// more than 16 bytes are shortened to their length and checksum.
func (b *Bus) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(append(b.log, ""), "\n")
}

// Clear empties the record.
func (b *Bus) Clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.log = nil
}

// Pin is an output line with this name.
func (b *Bus) Pin(name string) gpio.PinOut { return busPin{gpio.INVALID, b, name} }

// Conn is the connection on SPI.
func (b *Bus) Conn() spi.Conn { return busConn{b} }

// I2C is the connection to an address on I2C: "i2c 3c: 00 ae".
func (b *Bus) I2C(address uint16) conn.Conn {
	return &i2c.Dev{Bus: &busPort{b, "I2C", nil}, Addr: address}
}

type busPin struct {
	gpio.PinIO
	bus  *Bus
	name string
}

func (p busPin) String() string { return p.name }
func (p busPin) Name() string   { return p.name }
func (p busPin) Out(level gpio.Level) error {
	return p.bus.note(p.name + " " + strings.ToLower(level.String()))
}

type busConn struct{ bus *Bus }

func (c busConn) String() string      { return "haltest.Bus" }
func (c busConn) Duplex() conn.Duplex { return conn.Half }

// MaxTxSize implements conn.Limits.
func (c busConn) MaxTxSize() int {
	if c.bus.Max > 0 {
		return c.bus.Max
	}
	return 4096
}

func (c busConn) Tx(w, r []byte) error {
	if len(r) > 0 {
		return errors.New("haltest: nothing answers on this bus")
	}
	if len(w) > c.MaxTxSize() {
		return fmt.Errorf("haltest: a transfer of %d bytes: %d are the most", len(w), c.MaxTxSize())
	}
	return c.bus.note("spi " + short(w))
}

// short is bytes in hex, or their length and checksum if they are many.
func short(w []byte) string {
	if len(w) <= 16 {
		return fmt.Sprintf("% x", w)
	}
	sum := uint32(2166136261) // FNV-1a
	for _, b := range w {
		sum = (sum ^ uint32(b)) * 16777619
	}
	return fmt.Sprintf("%d bytes, %08x", len(w), sum)
}

func (c busConn) TxPackets(packets []spi.Packet) error {
	for _, p := range packets {
		if err := c.Tx(p.W, p.R); err != nil {
			return err
		}
	}
	return nil
}

// Ports has only the wires that a test adds.
type Ports struct {
	Buses  map[string]*Bus             // SPI and I2C buses by name
	Frames map[string]hal.FrameBuffer  // by name
	Pins   map[string]gpio.PinIO       // lines by name
	Lines  map[string]func() *hal.Line // serial lines and event devices by name
	Closed []string                    // buses that were closed
}

// SPI implements hal.Ports.
func (p *Ports) SPI(name string) (spi.PortCloser, error) {
	if b := p.Buses[name]; b != nil {
		return &busPort{b, name, p}, nil
	}
	return nil, fmt.Errorf("haltest: no bus %s", name)
}

// I2C implements hal.Ports.
func (p *Ports) I2C(name string) (i2c.BusCloser, error) {
	if b := p.Buses[name]; b != nil {
		return &busPort{b, name, p}, nil
	}
	return nil, fmt.Errorf("haltest: no bus %s", name)
}

// FrameBuffer implements hal.Ports.
func (p *Ports) FrameBuffer(name string) (hal.FrameBuffer, error) {
	if f := p.Frames[name]; f != nil {
		return f, nil
	}
	return nil, fmt.Errorf("haltest: no frame buffer %s", name)
}

// Pin implements hal.Ports.
func (p *Ports) Pin(name string) (gpio.PinIO, error) {
	if pin := p.Pins[name]; pin != nil {
		return pin, nil
	}
	return nil, fmt.Errorf("haltest: no line %s", name)
}

// PWM implements hal.Ports; channels are among Pins.
func (p *Ports) PWM(name string) (gpio.PinOut, error) {
	pin, err := p.Pin(name)
	if err != nil {
		return nil, err // not pin: a nil pin in an interface is not nil
	}
	return pin, nil
}

// Events implements hal.Ports.
func (p *Ports) Events(e hal.EventDevice) (*hal.Line, error) { return p.Serial(e.String(), 0) }

// Serial implements hal.Ports.
func (p *Ports) Serial(name string, _ int) (*hal.Line, error) {
	if open := p.Lines[name]; open != nil {
		return open(), nil
	}
	return nil, fmt.Errorf("haltest: no serial line %s", name)
}

// Network implements hal.Ports.
func (p *Ports) Network(address string) (*hal.Line, error) { return p.Serial(address, 0) }

// USBPrinter implements hal.Ports.
func (p *Ports) USBPrinter(name string) (*hal.Line, error) { return p.Serial(name, 0) }

type busPort struct {
	bus   *Bus
	name  string
	ports *Ports
}

func (p *busPort) String() string                    { return p.name }
func (p *busPort) LimitSpeed(physic.Frequency) error { return nil }

func (p *busPort) Close() error {
	p.ports.Closed = append(p.ports.Closed, p.name)
	return nil
}

func (p *busPort) SetSpeed(physic.Frequency) error { return nil }

// Tx implements i2c.Bus: "i2c 3c: 00 ae".
func (p *busPort) Tx(address uint16, w, r []byte) error {
	if len(r) > 0 {
		return errors.New("haltest: nothing answers on this bus")
	}
	return p.bus.note(fmt.Sprintf("i2c %02x: %s", address, short(w)))
}

func (p *busPort) Connect(f physic.Frequency, mode spi.Mode, bits int) (spi.Conn, error) {
	return p.bus.Conn(), p.bus.note(fmt.Sprintf("connect %s %s %d", f, mode, bits))
}

// Cable is a PTY between a hal.Line and a test that acts as the device. Its cable can be pulled
// and plugged in.
type Cable struct {
	t      testing.TB
	mu     sync.Mutex
	master *os.File
	slave  *os.File // kept open, so that the master reads no end of file before a line has opened it
}

// NewCable makes a plugged cable; it is pulled at the end of the test.
func NewCable(t testing.TB) *Cable {
	c := &Cable{t: t}
	c.Plug()
	t.Cleanup(c.Pull)
	return c
}

// Device is the current path of the tty, "" while the cable is pulled, as hal.OpenLine needs it.
func (c *Cable) Device() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.slave == nil {
		return ""
	}
	return c.slave.Name()
}

// Far is the device's end, nil while the cable is pulled.
func (c *Cable) Far() *os.File {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.master
}

// Pull pulls the cable.
func (c *Cable) Pull() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.master == nil {
		return
	}
	if err := errors.Join(c.master.Close(), c.slave.Close()); err != nil {
		c.t.Errorf("haltest: pull the cable: %v", err)
	}
	c.master, c.slave = nil, nil
}

// Plug plugs it in; the tty then has another name.
func (c *Cable) Plug() {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.master != nil {
		return
	}
	var err error
	if c.master, c.slave, err = pty.Open(); err != nil {
		c.t.Fatalf("haltest: open a PTY: %v", err)
	}
}

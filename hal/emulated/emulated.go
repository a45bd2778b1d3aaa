// Package emulated puts chips behind the wires of a board profile, so that the drivers of a
// terminal run unchanged without hardware: LCD and OLED controllers that decode the bytes of
// their bus, a frame buffer, a key matrix, a serial scanner and an ESC/POS printer behind
// PTYs, scanners and keypads that type, with the kernel's rules for event devices, and PWM
// channels that record what was played on them.
//
// The chips are written from data sheets and share no code with the drivers. What a real
// chip would not accept is recorded as a Violation.
package emulated

import (
	"errors"
	"fmt"
	"image"
	"math"
	"sync"
	"time"

	"payterm"
	"payterm/board"
	"payterm/hal"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/spi"
)

// Config is the board, and the speed of its devices.
type Config struct {
	Profile board.Profile
	Scale   float64 // 1 is real time
	// Changed is called when a device changed: display, paper, buzzer. It must not block.
	Changed func(device string)
}

// Board is the emulated hardware. Its methods are safe for concurrent use.
type Board struct {
	c       Config
	panel   glass
	bus     *bus // of the display
	matrix  *matrix
	printer *escpos
	pins    map[string]gpio.PinIO
	spi     *spiPort
	i2c     *i2cPort
	memory  *frameBuffer
	network *networkDevice           // the printer, if it is on the network
	intake  *intake                  // of the printer
	serial  map[string]*serialDevice // by the profile's name
	events  map[hal.EventDevice]*eventDevice
	signals signals
	reader  reader // the scanner
	start   time.Time
	mu      sync.Mutex
	bad     []Violation
	end     chan struct{} // closed by Close
	closed  sync.Once
	wg      sync.WaitGroup
}

// New makes the chips that the profile names.
func New(c Config) (*Board, error) {
	if c.Scale <= 0 {
		c.Scale = 1
	}
	if c.Changed == nil {
		c.Changed = func(string) {}
	}
	b := &Board{
		c: c, pins: map[string]gpio.PinIO{}, serial: map[string]*serialDevice{},
		events: map[hal.EventDevice]*eventDevice{}, start: time.Now(), end: make(chan struct{}),
	}
	p := c.Profile
	if d := p.Display; d != nil {
		if err := b.display(d); err != nil {
			return nil, err
		}
	}
	if k := p.Keypad; k != nil && k.Kind == board.KindEvdev {
		b.events[k.Events()] = newEventDevice(c.Scale, b.reporter("evdev"))
	} else if k != nil {
		b.matrix = newMatrix(k)
		for i, name := range k.Rows {
			b.pins[name] = &rowPin{pin: newPin(name), m: b.matrix, n: i}
		}
		for i, name := range k.Columns {
			b.pins[name] = &columnPin{pin: newPin(name), m: b.matrix, n: i}
		}
	}
	if p.Signal != nil {
		b.signal(p.Signal.Buzzer, func(bool) { c.Changed("buzzer") })
		for _, name := range []string{p.Signal.Ready, p.Signal.Approved, p.Signal.Attention} {
			b.signal(name, func(bool) {})
		}
	}
	if err := errors.Join(b.openSerial()...); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// glass is a display: its chip and its glass.
type glass interface {
	resetPin(high bool)
	light(on bool)
	power(on bool)
	dip() // of its supply, which the driver does not notice
	frame() *image.RGBA
}

// display connects a display's chip to its bus.
func (b *Board) display(d *board.Display) error {
	changed := func() { b.c.Changed("display") }
	var onSPI interface{ clock(data bool, w []byte) }
	var onI2C i2cChip
	var maxClock int64
	switch d.Controller {
	case "ssd1327":
		c := newSSD1327(d, b.now, b.reporter("ssd1327"), changed)
		b.panel, onSPI, onI2C, maxClock = c, c, c, 10_000_000
	case "hd44780":
		c := newHD44780(d, b.now, b.reporter("hd44780"), changed)
		b.panel, onI2C = c, c
		if d.Data != nil {
			b.bus = &bus{name: "lines", report: b.reporter("lines")}
			for name, bit := range map[string]byte{
				d.RS: lineRS, d.Enable: lineE, d.Data[0]: 0x10, d.Data[1]: 0x20, d.Data[2]: 0x40, d.Data[3]: 0x80,
			} {
				b.pins[name] = &busPin{newPin(name), b.bus, func(high bool) { c.line(bit, high) }}
			}
		}
	case "fbdev":
		f, err := newFrameBuffer(d, b.reporter("fbdev"), changed)
		if err != nil {
			return err
		}
		b.panel, b.memory, b.bus = f, f, &f.bus
	default:
		if sheet, known := dotSheets[d.Controller]; known {
			c := newDots(sheet, d, b.now, b.reporter(sheet.name), changed)
			b.panel, onSPI, onI2C, maxClock = c, c, c, sheet.maxClock
			break
		}
		sheet, known := sheets[d.Controller]
		if !known {
			return fmt.Errorf("emulated: no chip %q", d.Controller)
		}
		c := newTFT(sheet, d, b.now, b.reporter(sheet.name), changed)
		b.panel, onSPI, maxClock = c, c, sheet.maxClock
	}
	switch {
	case d.SPI != "":
		b.spi = &spiPort{
			bus:  bus{name: d.SPI, sleep: b.Sleep, report: b.reporter("spi")},
			chip: onSPI, hz: d.SpeedHz, maxClock: maxClock,
		}
		b.bus = &b.spi.bus
		b.wire(d.DC, func(l gpio.Level) { b.spi.setDC(bool(l)) })
	case d.I2C != "":
		b.i2c = &i2cPort{
			bus:  bus{name: d.I2C, sleep: b.Sleep, report: b.reporter("i2c")},
			chip: onI2C, address: uint16(d.Address), now: b.now,
		}
		b.bus = &b.i2c.bus
	}
	b.wire(d.Reset, func(l gpio.Level) { b.panel.resetPin(bool(l)) })
	b.signal(d.Backlight, func(high bool) { b.panel.light(high != d.ActiveLow) })
	return nil
}

func (b *Board) openSerial() []error {
	var errs []error
	if s := b.c.Profile.Scanner; s != nil && s.Kind == board.KindEvdev {
		b.events[s.Events()] = newEventDevice(b.c.Scale, b.reporter("evdev"))
	} else if s != nil {
		d, err := openSerialDevice(s.Baud, b.c.Scale, &b.reader)
		b.reader.said = d.send
		errs, b.serial[s.Device] = append(errs, err), d
	}
	if p := b.c.Profile.Printer; p != nil {
		b.printer = newESCPOS(p, b.now, b.reporter("escpos"), func() { b.c.Changed("paper") })
		var err error
		if p.Network != "" {
			b.network, err = openNetworkDevice(b.printer)
			b.intake = &b.network.intake
		} else {
			var d *serialDevice
			if p.USB != "" {
				d, err = openUSBPrinter(b.c.Scale, b.printer)
			} else {
				d, err = openSerialPrinter(p.Baud, b.c.Scale, b.printer)
			}
			b.serial[p.USB+p.Device], b.intake = d, &d.intake // one of the two is set
		}
		errs = append(errs, err)
		b.wg.Go(func() { b.printer.run(b.end, b.c.Scale) })
	}
	return errs
}

func (b *Board) wire(name string, level func(gpio.Level)) {
	if name != "" {
		b.pins[name] = &outPin{pin: newPin(name), level: level}
	}
}

// now is the time of the chips, which runs Scale times as fast.
func (b *Board) now() time.Duration {
	return time.Duration(float64(time.Since(b.start)) * b.c.Scale)
}

// Sleep is the drivers' pause: scaled like the chips' time, and never shorter. It starts when the
// printer has received what was written before it.
func (b *Board) Sleep(d time.Duration) {
	if b.intake != nil {
		b.intake.settle()
	}
	time.Sleep(time.Duration(math.Ceil(float64(d) / b.c.Scale)))
}

// SPI implements hal.Ports.
func (b *Board) SPI(name string) (spi.PortCloser, error) {
	if b.spi == nil || b.spi.name != name {
		return nil, fmt.Errorf("emulated: no chip on SPI bus %s", name)
	}
	return hal.SPIPort(b.spi), nil
}

// I2C implements hal.Ports.
func (b *Board) I2C(name string) (i2c.BusCloser, error) {
	if b.i2c == nil || b.i2c.name != name {
		return nil, fmt.Errorf("emulated: no chip on I2C bus %s", name)
	}
	return hal.I2CBus(b.i2c), nil
}

// FrameBuffer implements hal.Ports.
func (b *Board) FrameBuffer(name string) (hal.FrameBuffer, error) {
	if b.memory == nil || b.memory.name != name {
		return nil, fmt.Errorf("emulated: no frame buffer %s", name)
	}
	return b.memory, nil
}

// Text is what a character display shows, row by row, as a person reads it; a drawn character that nobody could read
// is U+E000 and up. Pixel displays have none.
func (b *Board) Text() []string {
	if c, ok := b.panel.(*hd44780); ok {
		return c.text()
	}
	return nil
}

// Drawn returns how many bytes of drawn characters (CGRAM) a character display was sent, and how many of them changed
// one that was on the glass at that moment, where it flickers.
func (b *Board) Drawn() (sent, flickers int) {
	c, ok := b.panel.(*hd44780)
	if !ok {
		return 0, 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stored, c.redrawn
}

// Pin implements hal.Ports.
func (b *Board) Pin(name string) (gpio.PinIO, error) {
	if p := b.pins[name]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("emulated: nothing on line %s", name)
}

// Serial implements hal.Ports with the line code of a terminal, on a PTY.
func (b *Board) Serial(name string, baud int) (*hal.Line, error) {
	d := b.serial[name]
	if d == nil {
		return nil, fmt.Errorf("emulated: nothing on serial line %s", name)
	}
	d.include()
	return d.opened(hal.OpenLine(d.name, baud)), nil
}

// Events implements hal.Ports with the line code of a terminal, on an emulated file.
func (b *Board) Events(e hal.EventDevice) (*hal.Line, error) {
	d := b.events[e]
	if d == nil {
		return nil, fmt.Errorf("emulated: no input device %s", e)
	}
	return hal.OpenEvents(d.open), nil
}

// Device is the path of the PTY of a serial line in the profile, for another process that opens
// it: an agent, or the virtual machine that runs one.
func (b *Board) Device(name string) (string, error) {
	d := b.serial[name]
	if d == nil {
		return "", fmt.Errorf("emulated: nothing on serial line %s", name)
	}
	d.include()
	return d.name(), nil
}

// Network implements hal.Ports with the line code of a terminal, on loopback.
func (b *Board) Network(address string) (*hal.Line, error) {
	if b.network == nil || b.c.Profile.Printer.Network != address {
		return nil, fmt.Errorf("emulated: nothing at %s", address)
	}
	return b.network.opened(hal.OpenNetwork(b.network.address)), nil
}

// USBPrinter implements hal.Ports with the line code of a terminal, on a PTY.
func (b *Board) USBPrinter(name string) (*hal.Line, error) {
	d := b.serial[name]
	if d == nil {
		return nil, fmt.Errorf("emulated: no USB printer %s", name)
	}
	return d.opened(hal.OpenUSBPrinter(d.name)), nil
}

// Frame is what the glass shows; a board without a display has one dark pixel.
func (b *Board) Frame() *image.RGBA {
	if b.panel == nil {
		img := image.NewRGBA(image.Rect(0, 0, 1, 1))
		img.SetRGBA(0, 0, dark)
		return img
	}
	return b.panel.frame()
}

// Bus is the traffic on the display's bus.
func (b *Board) Bus() BusTraffic {
	if b.bus == nil {
		return BusTraffic{}
	}
	b.bus.mu.Lock()
	defer b.bus.mu.Unlock()
	return b.bus.traffic
}

// CutTransfers interrupts n transfers to the display half way, after the first spared ones.
func (b *Board) CutTransfers(spared, n int) error {
	if b.bus == nil {
		return errNoDisplay
	}
	b.bus.mu.Lock()
	defer b.bus.mu.Unlock()
	b.bus.spared, b.bus.cuts = spared, n
	return nil
}

// LimitTransfers sets the largest transfer of the display's adapter in bytes; 0 removes the
// limit.
func (b *Board) LimitTransfers(most int) error {
	if b.bus == nil {
		return errNoDisplay
	}
	b.bus.mu.Lock()
	defer b.bus.mu.Unlock()
	b.bus.most = most
	return nil
}

// TieSelect ties the chip select of a display on SPI low, as on modules without one.
func (b *Board) TieSelect() error {
	if b.spi == nil {
		return errNoDisplay
	}
	b.spi.mu.Lock()
	defer b.spi.mu.Unlock()
	b.spi.tied = true
	return nil
}

// BrownOut makes the display's supply dip: the panel resets itself, sleeps, and its RAM is noise.
// The driver does not notice.
func (b *Board) BrownOut() error {
	if b.panel == nil {
		return errNoDisplay
	}
	b.panel.dip()
	return nil
}

// Errors for devices that a board does not have.
var (
	errNoDisplay = errors.New("this board has no display")
	errNoKeypad  = errors.New("this board has no keypad")
	errNoScanner = errors.New("this board has no scanner")
	errNoPrinter = errors.New("this board has no printer")
)

// Press presses a key as a finger does: in a matrix it bounces, and is held until the scan has
// seen it.
func (b *Board) Press(k payterm.Key) error {
	if b.matrix != nil {
		return b.matrix.press(k)
	}
	d, code, err := b.pad(k)
	if err != nil {
		return err
	}
	return d.press(code)
}

// Hold closes or opens a key's contact, for several keys at once. In a matrix it bounces, on an
// event device it repeats.
func (b *Board) Hold(k payterm.Key, closed bool) error {
	if b.matrix != nil {
		return b.matrix.hold(k, closed)
	}
	d, code, err := b.pad(k)
	if err != nil {
		return err
	}
	return d.hold(code, closed)
}

// pad is the event device of the keypad, and the number of one of its keys.
func (b *Board) pad(k payterm.Key) (*eventDevice, uint16, error) {
	if b.c.Profile.Keypad == nil {
		return nil, 0, errNoKeypad
	}
	code, err := keyOf(b.c.Profile.Keypad, k)
	return b.events[b.c.Profile.Keypad.Events()], code, err
}

// Paper is what was printed since the last Tear: picture and text. A board without a printer has
// one white dot.
func (b *Board) Paper() (image.Image, string) {
	if b.printer == nil {
		return &image.Gray{Pix: []uint8{0xff}, Stride: 1, Rect: image.Rect(0, 0, 1, 1)}, ""
	}
	return b.printer.paper()
}

// Tear tears the paper off.
func (b *Board) Tear() {
	if b.printer != nil {
		b.printer.tear()
	}
}

// SetPrinter sets the printer's sensors: paper ok, near_end or out, cover closed or open; an
// empty word changes nothing.
func (b *Board) SetPrinter(paper, cover string) error {
	if b.printer == nil {
		return errNoPrinter
	}
	return b.printer.sensors(paper, cover)
}

// JamPrinter sets or clears a fault: the printer is offline and prints nothing.
func (b *Board) JamPrinter(on bool) error {
	if b.printer == nil {
		return errNoPrinter
	}
	b.printer.jam(on)
	return nil
}

// PowerPrinter switches the printer off or on. Its cable stays plugged: on a serial line and on
// the network the host does not notice; a USB device disappears.
func (b *Board) PowerPrinter(on bool) error {
	p := b.c.Profile.Printer
	if b.printer == nil {
		return errNoPrinter
	}
	b.printer.power(on)
	switch {
	case b.network != nil:
		return b.network.power(on)
	case p.USB != "" && on:
		return b.serial[p.USB].plug()
	case p.USB != "":
		return b.serial[p.USB].pull()
	}
	return nil
}

// PrinterAnswers makes the printer's answers and reports late, in its own time, and has it answer each
// request so many times.
func (b *Board) PrinterAnswers(late time.Duration, times int) error {
	if b.printer == nil {
		return errNoPrinter
	}
	b.printer.answering(late, times)
	return nil
}

// WakePrinter switches the printer off and on and sets its state after power-on, by words such as
// "chinese font_b": usual (as in its profile), chinese, katakana, multilingual, france, japan,
// font_b.
func (b *Board) WakePrinter(state string) error {
	if b.printer == nil {
		return errNoPrinter
	}
	return b.printer.wake(state)
}

// Unplug pulls a cable: display, scanner, printer, keypad.
func (b *Board) Unplug(device string) error { return b.plug(device, false) }

// Plug plugs it in.
func (b *Board) Plug(device string) error { return b.plug(device, true) }

func (b *Board) plug(device string, in bool) error {
	p := b.c.Profile
	cable := func(d interface {
		plug() error
		pull() error
	}) error {
		if in {
			return d.plug()
		}
		return d.pull()
	}
	switch {
	case device == "display" && b.panel != nil:
		b.panel.power(in)
	case device == "keypad" && b.matrix != nil:
		b.matrix.plug(in)
	case device == "keypad" && p.Keypad != nil:
		return cable(b.events[p.Keypad.Events()])
	case device == "scanner" && p.Scanner != nil && p.Scanner.Kind == board.KindEvdev:
		return cable(b.events[p.Scanner.Events()])
	case device == "scanner" && p.Scanner != nil:
		return cable(b.serial[p.Scanner.Device])
	case device == "printer" && b.network != nil:
		return cable(b.network)
	case device == "printer" && p.Printer != nil:
		return cable(b.serial[p.Printer.USB+p.Printer.Device]) // one of the two is set
	default:
		return fmt.Errorf("device %q: display, scanner, printer or keypad, as far as the board has them", device)
	}
	return nil
}

// Close pulls the cables and waits for the board's goroutines.
func (b *Board) Close() error {
	b.closed.Do(func() { close(b.end) })
	var errs []error
	for _, d := range b.serial {
		errs = append(errs, d.pull())
	}
	for _, d := range b.events {
		errs = append(errs, d.pull())
	}
	if b.network != nil {
		errs = append(errs, b.network.pull())
	}
	b.wg.Wait()
	if b.memory != nil {
		errs = append(errs, b.memory.remove())
	}
	return errors.Join(errs...)
}

package emulated

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"
)

// The largest transfers in bytes: spidev's default buffer, and the largest message
// that i2c-dev takes.
const (
	maxTransfer = 4096
	maxMessage  = 8192
)

// transferTime is a transfer's time besides its bits: the system call and the chip select (an
// estimate).
const transferTime = 10 * time.Microsecond

// BusTraffic is the traffic on the display's bus.
type BusTraffic struct {
	Transfers, Bytes int
	Time             time.Duration // that the bus was busy, in real time
}

// bus is a display's bus, of any kind.
type bus struct {
	name   string
	sleep  func(time.Duration)
	report report

	mu      sync.Mutex
	most    int // most bytes of a transfer; 0 for the kernel's limit
	spared  int // transfers before the next interrupted one
	cuts    int // transfers still to be interrupted
	traffic BusTraffic
}

// count records a transfer.
func (b *bus) count(bytes int, took time.Duration) {
	b.traffic.Transfers++
	b.traffic.Bytes += bytes
	b.traffic.Time += took
}

// cut reports whether this transfer is interrupted.
func (b *bus) cut() bool {
	switch {
	case b.cuts == 0:
		return false
	case b.spared > 0:
		b.spared--
		return false
	}
	b.cuts--
	return true
}

// broke is nil for a complete transfer.
func broke(cut bool, got, all int) error {
	if !cut {
		return nil
	}
	return fmt.Errorf("emulated: the transfer broke off after %d of %d bytes", got, all)
}

// tooLong refuses a transfer that the kernel would refuse.
func (b *bus) tooLong(n, most int, who string) error {
	if n <= most {
		return nil
	}
	b.report(TransferSize, "a transfer of %d bytes, %s takes %d", n, who, most)
	return fmt.Errorf("emulated: a transfer of %d bytes: %s takes %d", n, who, most)
}

// quirk refuses a transfer as the kernel does for an adapter with a smaller limit, before
// anything is sent; periph returns the message as text. The lock is held.
func (b *bus) quirk(n int, driver string) error {
	if b.most == 0 || n <= b.most {
		return nil
	}
	return fmt.Errorf("%s: %v", driver, unix.EOPNOTSUPP) //nolint:errorlint // as periph has it
}

// spiPort is an SPI bus with one chip. Transfers take the time of their bytes.
type spiPort struct {
	bus
	chip     interface{ clock(data bool, w []byte) }
	hz       int64
	maxClock int64 // the chip's limit

	dc     bool
	driven bool // D/C was driven
	mode   spi.Mode
	tied   bool // the chip select is tied low: the chip counts every clock edge
	last   byte // its last bit, which the tied chip gets with the next byte
	behind time.Duration
}

func (s *spiPort) setDC(data bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dc, s.driven = data, true
}

func (s *spiPort) String() string                    { return s.name }
func (s *spiPort) Close() error                      { return nil }
func (s *spiPort) LimitSpeed(physic.Frequency) error { return nil }
func (s *spiPort) Duplex() conn.Duplex               { return conn.Half }
func (s *spiPort) MaxTxSize() int                    { return maxTransfer }
func (s *spiPort) TxPackets([]spi.Packet) error      { return errors.New("emulated: packets are not wired") }
func (s *spiPort) Connect(f physic.Frequency, m spi.Mode, bits int) (spi.Conn, error) {
	if m != spi.Mode0 && m != spi.Mode3 || bits != 8 {
		return nil, errors.New("emulated: the panel listens in mode 0 or 3, 8 bits")
	}
	if most := physic.Frequency(s.maxClock) * physic.Hertz; f > most {
		s.report(ClockSpeed, "%s, the panel takes %s", f, most)
	}
	s.mu.Lock()
	s.mode = m
	s.mu.Unlock()
	return s, nil
}

func (s *spiPort) Tx(w, _ []byte) error {
	if err := s.tooLong(len(w), maxTransfer, "spidev"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.quirk(len(w), "sysfs-spi"); err != nil {
		return err
	}
	if !s.driven {
		s.report(DataCommand, "bytes before the D/C line was driven")
		s.driven = true // reported once
	}
	whole := len(w)
	cut := s.cut()
	if cut {
		w = w[:whole/4*2] // at a pixel's boundary
	}
	s.chip.clock(s.dc, s.edges(w))
	took := transferTime + time.Duration(len(w))*8*time.Second/time.Duration(s.hz)
	s.count(len(w), took)
	if s.behind += took; s.behind > 10*time.Millisecond { // shorter sleeps cost more than they simulate
		s.sleep(s.behind)
		s.behind = 0
	}
	return broke(cut, len(w), whole)
}

// edges are the bytes as the chip gets them. A chip with a tied select was selected before the
// clock was at rest: in mode 0 the edge to the resting level counts as a bit and shifts all that
// follows by one. In mode 3 the clock already rests at that level.
func (s *spiPort) edges(w []byte) []byte {
	if !s.tied || s.mode == spi.Mode3 {
		return w
	}
	late := make([]byte, len(w))
	for i, b := range w {
		late[i], s.last = s.last<<7|b>>1, b&1
	}
	return late
}

// i2cByte is the time of a byte with acknowledgement at 100 kHz.
const i2cByte = 90 * time.Microsecond

// i2cChip is a chip on I2C. It gets the bytes after its address, with the time of each.
type i2cChip interface {
	message(w []byte, at func(i int) time.Duration)
	answers() bool // it has power
}

// i2cPort is an I2C bus with one chip.
type i2cPort struct {
	bus
	chip    i2cChip
	address uint16
	now     func() time.Duration
}

func (p *i2cPort) String() string                  { return p.name }
func (p *i2cPort) Close() error                    { return nil }
func (p *i2cPort) SetSpeed(physic.Frequency) error { return errors.New("emulated: the kernel sets it") }

var _ i2c.BusCloser = (*i2cPort)(nil)

func (p *i2cPort) Tx(address uint16, w, r []byte) error {
	if len(r) > 0 {
		return errors.New("emulated: nothing is read from a display")
	}
	if err := p.tooLong(len(w), maxMessage, "i2c-dev"); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.quirk(len(w), "sysfs-i2c"); err != nil {
		return err
	}
	if address != p.address || !p.chip.answers() {
		return fmt.Errorf("emulated: %s: remote I/O error: nobody answers at %#02x", p.name, address)
	}
	whole := len(w)
	cut := p.cut()
	if cut {
		w = w[:whole/2]
	}
	start := p.now()
	at := func(i int) time.Duration { return start + time.Duration(i+2)*i2cByte } // after the address
	p.chip.message(w, at)
	took := transferTime + time.Duration(len(w)+1)*i2cByte
	p.count(len(w), took)
	p.sleep(took) // busy times of the chip count from its last byte
	return broke(cut, len(w), whole)
}

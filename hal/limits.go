package hal

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"
)

// Adapters have limits. Many on I2C take 32, 61 or 255 bytes at once, some SPI controllers 64.
// The kernel refuses more before anything is sent, with EOPNOTSUPP (adapter quirks), EMSGSIZE or
// EINVAL. The limit cannot be asked for, and periph returns the kernel's message as text. A
// driver gets an error whose method TooLong() bool returns true, and sends less.

// tooLong is such a refusal.
type tooLong struct{ error }

func (tooLong) TooLong() bool   { return true }
func (e tooLong) Unwrap() error { return e.error }

// refused turns the kernel's error into one, if it is such a refusal.
func refused(err error) error {
	if err == nil {
		return nil
	}
	for _, errno := range []unix.Errno{unix.EOPNOTSUPP, unix.EMSGSIZE, unix.EINVAL} {
		if errors.Is(err, errno) || strings.HasSuffix(err.Error(), ": "+errno.Error()) {
			return tooLong{err}
		}
	}
	return err
}

// I2CBus wraps a bus of periph so that transfers that are too long return TooLong errors.
func I2CBus(b i2c.BusCloser) i2c.BusCloser { return i2cBus{b} }

type i2cBus struct{ i2c.BusCloser }

func (b i2cBus) Tx(addr uint16, w, r []byte) error { return refused(b.BusCloser.Tx(addr, w, r)) }

// SPIPort wraps a port of periph in the same way.
func SPIPort(p spi.PortCloser) spi.PortCloser { return spiPort{p} }

type spiPort struct{ spi.PortCloser }

func (p spiPort) Connect(f physic.Frequency, mode spi.Mode, bits int) (spi.Conn, error) {
	c, err := p.PortCloser.Connect(f, mode, bits)
	if err != nil {
		return nil, err
	}
	return spiConn{c}, nil
}

type spiConn struct{ spi.Conn }

func (c spiConn) Tx(w, r []byte) error { return refused(c.Conn.Tx(w, r)) }

// MaxTxSize implements conn.Limits; 0 means unknown.
func (c spiConn) MaxTxSize() int {
	if l, ok := c.Conn.(conn.Limits); ok {
		return l.MaxTxSize()
	}
	return 0
}

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

// Adapters have limits of their own. Many on I2C take 32, 61 or 255 bytes at once, some SPI
// controllers 64, and the kernel refuses more before anything is on the wire: with EOPNOTSUPP
// (its adapter quirks), EMSGSIZE or EINVAL. Nothing tells the limit beforehand, and periph
// gives the kernel's word as text. A driver hears of it as an error whose method
// TooLong() bool returns true, and sends less.

// tooLong is such a refusal.
type tooLong struct{ error }

func (tooLong) TooLong() bool   { return true }
func (e tooLong) Unwrap() error { return e.error }

// refused makes one of what the kernel has said, where it was that.
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

// I2CBus is a bus of periph's that tells of transfers that are too long.
func I2CBus(b i2c.BusCloser) i2c.BusCloser { return i2cBus{b} }

type i2cBus struct{ i2c.BusCloser }

func (b i2cBus) Tx(addr uint16, w, r []byte) error { return refused(b.BusCloser.Tx(addr, w, r)) }

// SPIPort is a port of periph's that tells of transfers that are too long.
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

// MaxTxSize is conn.Limits'; 0 is not known.
func (c spiConn) MaxTxSize() int {
	if l, ok := c.Conn.(conn.Limits); ok {
		return l.MaxTxSize()
	}
	return 0
}

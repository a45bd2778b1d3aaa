package hal

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// LineStats counts what happened on a line since it was made.
type LineStats struct {
	Opens   int   // more than one: it was unplugged
	In, Out int64 // bytes
	Lost    int64 // bytes that came while nothing was read
	UART    *UARTErrors
}

// UARTErrors are the counts of the kernel's driver since it was loaded.
type UARTErrors struct{ Overruns, Framing, Parity int }

// Stats returns the line's counts; UART is nil if the driver does not count, as for some USB
// adapters and the network.
func (l *Line) Stats() LineStats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	if l.port != nil && l.port.tty != nil {
		s.UART = l.port.uartErrors()
	}
	return s
}

// icounter is the kernel's struct serial_icounter_struct (linux/serial.h).
type icounter struct {
	cts, dsr, rng, dcd, rx, tx                 int32
	frame, overrun, parity, breaks, bufOverrun int32
	_                                          [9]int32
}

func (p *port) uartErrors() *UARTErrors {
	var c icounter
	err := control(p.tty, func(fd int) error {
		//nolint:gosec // what the kernel fills, of its own size
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGICOUNT, uintptr(unsafe.Pointer(&c)))
		if errno != 0 {
			return errno
		}
		return nil
	})
	if err != nil {
		return nil
	}
	return &UARTErrors{Overruns: int(c.overrun + c.bufOverrun), Framing: int(c.frame), Parity: int(c.parity)}
}

package hal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// lineError has methods by which drivers tell errors apart. They must not import hal, and use
// interface{ Timeout() bool }, interface{ Unplugged() bool } and interface{ Dropped() bool }.
type lineError struct {
	text                        string
	timeout, unplugged, dropped bool
}

func (e *lineError) Error() string   { return e.text }
func (e *lineError) Timeout() bool   { return e.timeout }
func (e *lineError) Unplugged() bool { return e.unplugged }
func (e *lineError) Dropped() bool   { return e.dropped }

// Errors of a Line. They are wrapped; ErrUnplugged with the reason why the device cannot be
// opened.
var (
	ErrTimeout   error = &lineError{text: "hal: line: time-out", timeout: true}
	ErrUnplugged error = &lineError{text: "hal: line: unplugged", unplugged: true}
	ErrClosed          = errors.New("hal: line: closed")
)

// Line is a serial line that survives unplugging: it opens its device when there is one, and
// opens it again after it was unplugged. Each call has a deadline. Methods are safe for
// concurrent use.
//
// One goroutine opens and reads; Close ends it.
type Line struct {
	dial func() (*port, error)
	stop func() // ends a running dial
	// overrun, of event devices, replaces what no reader had room for; on other devices the
	// newest bytes are lost silently, as in the kernel.
	overrun []byte

	mu      sync.Mutex
	port    *port         // nil while unplugged
	why     error         // of the last failed opening
	in      []byte        // received, not read yet
	lost    bool          // a hang-up that no Read has returned yet
	changed chan struct{} // closed and replaced when one of these changes
	closed  bool
	stats   LineStats

	turn chan struct{} // full while a write is running
	end  chan struct{}
	done chan struct{}
}

const (
	backOffMin = 100 * time.Millisecond
	backOffMax = 5 * time.Second
	livedLong  = time.Second // a device that was there so long resets the back-off
	inBound    = 4096        // bytes kept for a reader
)

// OpenLine makes a line and tries to open its device at once. device is called at each opening,
// since a replugged adapter may have another name; "" means none.
func OpenLine(device func() string, baud int) *Line {
	l := newLine(func() (*port, error) { return openTTY(device(), baud) }, func() {})
	first := l.open() // here, so that the first user finds it open
	go l.run(first)
	return l
}

// dialTime bounds a connection attempt.
const dialTime = 2 * time.Second

// OpenNetwork makes a line over TCP, to a printer's port 9100, that behaves as a serial one. It
// connects in the background. address is called at each attempt and returns host and port; ""
// means none.
func OpenNetwork(address func() string) *Line {
	ctx, stop := context.WithCancel(context.Background())
	l := newLine(func() (*port, error) {
		name := address()
		if name == "" {
			return nil, errors.New("no device")
		}
		ctx, stop := context.WithTimeout(ctx, dialTime)
		defer stop()
		d := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: quietTime, Interval: quietTime, Count: 2,
		}, Control: limitUnacknowledged}
		c, err := d.DialContext(ctx, "tcp", name)
		if err != nil {
			return nil, err
		}
		return &port{stream: c}, nil
	}, stop)
	go l.run(nil)
	return l
}

// How long a connection may be quiet before the other end is probed, and how long sent data may
// stay unacknowledged: a device that was switched off closes nothing. The kernel's defaults are
// two hours and a quarter of an hour.
const (
	quietTime   = 5 * time.Second
	unackedTime = 15 * time.Second
)

// limitUnacknowledged sets a socket's TCP_USER_TIMEOUT.
func limitUnacknowledged(_, _ string, c syscall.RawConn) error {
	var err error
	if refused := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unackedTime/time.Millisecond))
	}); refused != nil {
		return refused
	}
	return err
}

// Redial closes a network connection and connects again: if the device does not answer, the other
// end may be gone, which the kernel notices late. Other kinds of lines are left alone, since the
// kernel notices at once.
func (l *Line) Redial() {
	l.mu.Lock()
	p := l.port
	l.mu.Unlock()
	if p == nil {
		return
	}
	if c, is := p.stream.(*net.TCPConn); is {
		c.SetLinger(0) //nolint:errcheck // drop what is queued for a dead connection
		l.hangUp(p)
	}
}

// OpenUSBPrinter makes a line to the device file of a USB printer, such as /dev/usb/lp0 (Linux,
// drivers/usb/class/usblp.c), that behaves as a serial one. device is called at each opening; ""
// means none.
func OpenUSBPrinter(device func() string) *Line {
	l := newLine(func() (*port, error) { return openUSBPrinter(device()) }, func() {})
	first := l.open()
	go l.run(first)
	return l
}

func newLine(dial func() (*port, error), stop func()) *Line {
	return &Line{
		dial: dial, stop: stop, changed: make(chan struct{}),
		turn: make(chan struct{}, 1), end: make(chan struct{}), done: make(chan struct{}),
	}
}

// run reads and reopens the device until Close.
func (l *Line) run(p *port) {
	defer close(l.done)
	pause := backOffMin
	for {
		opened := time.Now()
		if p != nil {
			l.receive(p)
			l.hangUp(p)
		}
		if p != nil && time.Since(opened) > livedLong {
			pause = backOffMin
		}
		t := time.NewTimer(pause)
		select {
		case <-l.end:
			t.Stop()
			return
		case <-t.C:
		}
		pause = min(2*pause, backOffMax)
		p = l.open()
	}
}

func (l *Line) open() *port {
	p, err := l.dial()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.why = err; err != nil {
		return nil
	}
	if l.closed {
		p.close()
		return nil
	}
	if l.lost {
		l.in = nil // unread bytes of the old connection must not precede new ones
	}
	l.port = p
	l.stats.Opens++
	l.wake()
	return p
}

// wake makes every waiting Read look again. The lock is held.
func (l *Line) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// hangUp closes a port that was unplugged.
func (l *Line) hangUp(p *port) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.port != p {
		return
	}
	l.port, l.lost = nil, true
	p.close()
	l.wake()
}

// receive reads until the port hangs up or is closed.
func (l *Line) receive(p *port) {
	buf := make([]byte, 512)
	for {
		n, err := p.stream.Read(buf)
		l.mu.Lock()
		l.stats.In += int64(n)
		if lost := len(l.in) + n - inBound; lost > 0 {
			l.stats.Lost += int64(lost)
		}
		if l.overrun != nil && len(l.in)+n > inBound {
			l.in, n = append(l.in[:0], l.overrun...), 0
		}
		if n = min(n, inBound-len(l.in)); n > 0 {
			l.in = append(l.in, buf[:n]...)
			l.wake()
		}
		l.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Read waits up to d for bytes. ErrTimeout means that none came; ErrUnplugged that there is no
// device, or was none for a while since the last Read: then the next bytes do not continue the
// earlier ones.
func (l *Line) Read(b []byte, d time.Duration) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		n, changed, err := l.take(b)
		if n > 0 || err != nil {
			return n, err
		}
		select {
		case <-changed:
		case <-t.C:
			if _, why := l.Plugged(); why != nil {
				return 0, why
			}
			return 0, ErrTimeout
		}
	}
}

// take returns what a reader may have now, or what to wait for.
func (l *Line) take(b []byte) (int, <-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return 0, nil, ErrClosed
	case l.lost && (l.port != nil || len(l.in) == 0):
		l.lost = false
		return 0, nil, fmt.Errorf("%w since the last read", ErrUnplugged)
	}
	n := copy(b, l.in)
	l.in = l.in[:copy(l.in, l.in[n:])]
	return n, l.changed, nil
}

// Write sends b within d and returns how many bytes the kernel took. After an error an unknown
// part has reached the device. After ErrTimeout the rest is dropped, so that it is not sent
// later.
func (l *Line) Write(b []byte, d time.Duration) (int, error) {
	deadline := time.Now().Add(d)
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-l.end:
		return 0, ErrClosed
	case <-t.C:
		return 0, ErrTimeout
	}
	l.mu.Lock()
	p := l.port
	l.mu.Unlock()
	if p == nil {
		_, why := l.Plugged()
		return 0, why
	}
	n, err := p.write(b, deadline)
	l.mu.Lock()
	l.stats.Out += int64(n)
	l.mu.Unlock()
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, ErrTimeout
	case errors.Is(err, os.ErrClosed), errors.Is(err, net.ErrClosed): // closed meanwhile, by Close or a hang-up
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.closed {
			return n, ErrClosed
		}
		return n, ErrUnplugged
	}
	l.hangUp(p)
	return n, fmt.Errorf("%w: %w", ErrUnplugged, err)
}

// Plugged reports whether a device is open, and if not why: ErrUnplugged or ErrClosed.
func (l *Line) Plugged() (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return false, ErrClosed
	case l.port != nil:
		return true, nil
	case l.why != nil:
		return false, fmt.Errorf("%w: %w", ErrUnplugged, l.why)
	}
	return false, ErrUnplugged
}

// Close closes the device and ends the line's goroutine and all calls.
func (l *Line) Close() error {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.end)
		l.stop()
		if l.port != nil {
			l.port.close()
		}
		l.wake()
	}
	l.mu.Unlock()
	<-l.done
	return nil
}

// port is what a Line reads and writes: an open tty, or (without tty) a network connection, a USB
// printer or an event device.
type port struct {
	stream interface {
		io.ReadWriteCloser
		SetWriteDeadline(time.Time) error
	}
	tty *os.File
}

// write writes until the deadline and drops the rest then.
func (p *port) write(b []byte, deadline time.Time) (int, error) {
	if err := p.stream.SetWriteDeadline(deadline); err != nil {
		return 0, err
	}
	n, err := p.stream.Write(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return n, errors.Join(err, p.flush(unix.TCOFLUSH))
	}
	return n, err
}

// flush drops a queue. On the network the connection is closed instead, on USB the file.
func (p *port) flush(queue int) error {
	switch s := p.stream.(type) {
	case *net.TCPConn:
		return errors.Join(s.SetLinger(0), s.Close())
	case *usbPrinter:
		return s.Close()
	}
	return flushTTY(p.tty, queue)
}

func (p *port) close() {
	if p.tty != nil {
		exclude(p.tty, unix.TIOCNXCL) //nolint:errcheck // the device may be gone
	}
	p.stream.Close() //nolint:errcheck // nothing can be saved
}

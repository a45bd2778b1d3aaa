package hal

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/tarm/serial"
)

// lineError tells drivers, by its methods, what became of a call. They may not
// import hal.
type lineError struct {
	text               string
	timeout, unplugged bool
}

func (e *lineError) Error() string   { return e.text }
func (e *lineError) Timeout() bool   { return e.timeout }
func (e *lineError) Unplugged() bool { return e.unplugged }

// Errors of a Line.
var (
	ErrTimeout   error = &lineError{text: "hal: the serial line: time-out", timeout: true}
	ErrUnplugged error = &lineError{text: "hal: the serial line is unplugged", unplugged: true}
	ErrClosed          = errors.New("hal: the serial line is closed")
)

// Line is a serial line that outlives its cable. It hides what the serial
// library does: a hang-up looks like a time-out there, a write has no deadline,
// and a read without one never ends.
//
// One goroutine owns the reading side and the reopening, one the writing side;
// Close ends both.
type Line struct {
	device func() string // asked at each opening: a replugged adapter may have another name
	baud   int

	mu     sync.Mutex
	port   *serial.Port // nil while unplugged
	why    error        // of the last failed opening
	gone   chan struct{}
	closed bool

	in     chan byte
	writes chan writeJob
	end    chan struct{}
	wg     sync.WaitGroup
}

type writeJob struct {
	b    []byte
	done chan error
}

const (
	readStep   = 100 * time.Millisecond // the library's own step; zero would hang
	hangUps    = 3                      // so many ends of file ...
	hangUpTime = 50 * time.Millisecond  // ... within this mean a hang-up
	backOffMin = 100 * time.Millisecond
	backOffMax = 5 * time.Second
	inBound    = 4096
)

// OpenLine makes a line and begins to open it. A device that is not there yet is
// opened as soon as it is.
func OpenLine(device func() string, baud int) *Line {
	l := &Line{
		device: device, baud: baud,
		in: make(chan byte, inBound), writes: make(chan writeJob), end: make(chan struct{}),
		gone: make(chan struct{}),
	}
	l.open() // at once if it can be, so that the first user finds it open
	l.wg.Add(2)
	go l.readLoop()
	go l.writeLoop()
	return l
}

func (l *Line) open() bool {
	port, err := serial.OpenPort(&serial.Config{Name: l.device(), Baud: l.baud, ReadTimeout: readStep})
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.why = err
		return false
	}
	l.port, l.why = port, nil
	return true
}

func (l *Line) current() *serial.Port {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.port
}

// hangUp closes a port that has gone, and wakes whoever waits for it.
func (l *Line) hangUp(p *serial.Port) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.port != p {
		return
	}
	l.port = nil
	close(l.gone)
	l.gone = make(chan struct{})
	p.Close() //nolint:errcheck // the device is gone
}

// unplugged is closed when the port that is open now goes away; nil while none
// is.
func (l *Line) unplugged() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.port == nil {
		return nil
	}
	return l.gone
}

func (l *Line) readLoop() {
	defer l.wg.Done()
	pause := backOffMin
	for {
		select {
		case <-l.end:
			return
		default:
		}
		p := l.current()
		if p == nil {
			if l.open() {
				pause = backOffMin
				continue
			}
			select {
			case <-l.end:
				return
			case <-time.After(pause):
			}
			pause = min(2*pause, backOffMax)
			continue
		}
		if !l.readPort(p) {
			return
		}
		l.hangUp(p)
	}
}

// readPort reads until the port hangs up; false when the line is closed.
func (l *Line) readPort(p *serial.Port) bool {
	buf := make([]byte, 256)
	ends, first := 0, time.Time{}
	for {
		n, err := p.Read(buf)
		for _, b := range buf[:max(0, n)] {
			select {
			case l.in <- b:
			case <-l.end:
				return false
			}
		}
		select {
		case <-l.end:
			return false
		default:
		}
		switch {
		case n > 0:
			ends = 0
		case err == nil || errors.Is(err, io.EOF):
			now := time.Now()
			if ends == 0 || now.Sub(first) > hangUpTime {
				ends, first = 0, now
			}
			if ends++; ends >= hangUps {
				return true
			}
		default:
			return true
		}
	}
}

func (l *Line) writeLoop() {
	defer l.wg.Done()
	for {
		select {
		case <-l.end:
			return
		case job := <-l.writes:
			p := l.current()
			if p == nil {
				job.done <- ErrUnplugged
				continue
			}
			if _, err := p.Write(job.b); err != nil {
				l.hangUp(p)
				job.done <- fmt.Errorf("%w (%w)", ErrUnplugged, err)
				continue
			}
			job.done <- nil
		}
	}
}

// Read waits up to d for bytes and gives what has come. ErrTimeout means that
// nothing came, ErrUnplugged that there is no device.
func (l *Line) Read(b []byte, d time.Duration) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case first := <-l.in:
		b[0] = first
		return 1 + l.more(b[1:]), nil
	default:
	}
	gone := l.unplugged()
	if gone == nil {
		select { // do not let a caller spin while nothing is plugged in
		case <-t.C:
		case <-l.end:
			return 0, ErrClosed
		}
		return 0, ErrUnplugged
	}
	select {
	case first := <-l.in:
		b[0] = first
		return 1 + l.more(b[1:]), nil
	case <-gone:
		return 0, ErrUnplugged
	case <-l.end:
		return 0, ErrClosed
	case <-t.C:
		return 0, ErrTimeout
	}
}

// more takes what is there already.
func (l *Line) more(b []byte) int {
	for n := range b {
		select {
		case b[n] = <-l.in:
		default:
			return n
		}
	}
	return len(b)
}

// Write sends b within d. After ErrTimeout an unknown part of it was sent.
func (l *Line) Write(b []byte, d time.Duration) (int, error) {
	if l.current() == nil {
		return 0, ErrUnplugged
	}
	t := time.NewTimer(d)
	defer t.Stop()
	job := writeJob{append([]byte(nil), b...), make(chan error, 1)}
	select {
	case l.writes <- job:
	case <-l.end:
		return 0, ErrClosed
	case <-t.C:
		l.unblock()
		return 0, ErrTimeout
	}
	select {
	case err := <-job.done:
		if err != nil {
			return 0, err
		}
		return len(b), nil
	case <-l.end:
		return 0, ErrClosed
	case <-t.C:
		l.unblock()
		return 0, ErrTimeout
	}
}

// unblock throws away what the kernel holds back, which is the only way to end a
// write that the other side does not take.
func (l *Line) unblock() {
	if p := l.current(); p != nil {
		p.Flush() //nolint:errcheck // best effort: the caller gets ErrTimeout anyway
	}
}

// Plugged reports whether a device is open now, and otherwise why not.
func (l *Line) Plugged() (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.port != nil, l.why
}

// Close ends the line and its goroutines.
func (l *Line) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	l.mu.Unlock()
	close(l.end)
	done := make(chan struct{})
	go func() { l.wg.Wait(); close(done) }()
	for {
		l.unblock()
		select {
		case <-done:
			if p := l.current(); p != nil {
				return p.Close()
			}
			return nil
		case <-time.After(20 * time.Millisecond):
		}
	}
}

package emulated

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// serialDevice is a device behind a PTY. The slave is kept open here as well, so that the master
// reads no end of file before a host has opened it.
type serialDevice struct {
	baud  int
	scale float64
	chip  io.Writer        // takes what the host sends
	full  func(n int) bool // whether the host has to wait; nil: never
	lost  func()           // called for what was on the wire when the cable was pulled; may be nil
	intake

	mu     sync.Mutex
	master *os.File
	slave  *os.File
	gone   chan struct{} // closed when the cable is pulled
	wg     sync.WaitGroup
	talk   sync.Mutex // one sender at a time
}

// writeDeadline bounds a write to a host that does not read.
const writeDeadline = time.Second

// openSerialDevice connects a chip to a PTY.
func openSerialDevice(baud int, scale float64, chip io.Writer) (*serialDevice, error) {
	d := &serialDevice{baud: baud, scale: scale, chip: chip}
	return d, d.plug()
}

// openSerialPrinter connects a printer to a PTY.
func openSerialPrinter(baud int, scale float64, chip *escpos) (*serialDevice, error) {
	d := &serialDevice{baud: baud, scale: scale, chip: chip, full: chip.full, lost: chip.pulled}
	chip.perByte = 10 * time.Second / time.Duration(baud)
	chip.reply = func(b []byte) { d.send(b) } //nolint:errcheck // an unplugged printer sends nothing
	return d, d.plug()
}

// usbSpeed is full speed USB as the speed of a serial line.
const usbSpeed = 10_000_000

// openUSBPrinter is a printer behind a file that behaves as usblp's. It is a PTY: it hangs up
// when the cable is pulled, and takes no more while the printer does not.
func openUSBPrinter(scale float64, chip *escpos) (*serialDevice, error) {
	chip.waits = true
	return openSerialPrinter(usbSpeed, scale, chip)
}

// name is the device's current path, empty while it is unplugged.
func (d *serialDevice) name() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.slave == nil {
		return "unplugged"
	}
	return d.slave.Name()
}

// include clears the exclusive mode that a crashed host left. The kernel does so with the last
// descriptor, but ours stays open.
func (d *serialDevice) include() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.slave != nil {
		unix.IoctlSetInt(int(d.slave.Fd()), unix.TIOCNXCL, 0) //nolint:errcheck // a PTY has it
	}
}

func (d *serialDevice) plug() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.master != nil {
		return nil
	}
	blocking, slave, err := pty.Open()
	if err != nil {
		return fmt.Errorf("emulated: open a PTY: %w", err)
	}
	master, err := withDeadlines(blocking)
	if err == nil {
		err = raw(slave)
	}
	if err != nil {
		return errors.Join(err, blocking.Close(), master.Close(), slave.Close())
	}
	if err := blocking.Close(); err != nil {
		return errors.Join(err, master.Close(), slave.Close())
	}
	d.master, d.slave, d.gone = master, slave, make(chan struct{})
	d.forgive()
	d.wg.Add(1)
	go d.listen(master, d.gone)
	return nil
}

// withDeadlines duplicates a descriptor so that reads and writes have deadlines and end with
// Close; the PTY library's block for ever.
func withDeadlines(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("emulated: duplicate a PTY: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(fmt.Errorf("emulated: PTY: %w", err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// pull pulls the cable and waits until listen has ended.
func (d *serialDevice) pull() error {
	d.mu.Lock()
	if d.master == nil {
		d.mu.Unlock()
		return nil
	}
	close(d.gone)
	err := errors.Join(d.master.Close(), d.slave.Close())
	d.master, d.slave = nil, nil
	d.mu.Unlock()
	d.wg.Wait()
	if d.lost != nil {
		d.lost()
	}
	d.forgive()
	return err
}

// listen passes what the host sends to the chip until the cable is pulled.
func (d *serialDevice) listen(master *os.File, gone <-chan struct{}) {
	defer d.wg.Done()
	buf := make([]byte, 16)
	for {
		n, err := master.Read(buf)
		if err != nil {
			return
		}
		for d.full != nil && d.full(n) {
			d.hold()
			if d.wait(fullPause, gone) {
				return
			}
		}
		d.chip.Write(buf[:n]) //nolint:errcheck // the chip drops what it cannot take
		d.has(n)
	}
}

// fullPause is how often a blocked host tries again.
const fullPause = time.Millisecond

// takes is the time of n bytes on the wire: ten bits each.
func (d *serialDevice) takes(n int) time.Duration {
	return time.Duration(float64(n) * 10 / float64(d.baud) / d.scale * float64(time.Second))
}

// wait pauses, and reports whether the cable was pulled meanwhile. Pauses below a millisecond are
// added up.
func (d *serialDevice) wait(pause time.Duration, gone <-chan struct{}) bool {
	if pause < time.Millisecond {
		return false
	}
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-gone:
		return true
	case <-t.C:
		return false
	}
}

var errPulled = errors.New("emulated: its cable is pulled")

// send sends to the host.
func (d *serialDevice) send(b []byte) error {
	d.talk.Lock()
	defer d.talk.Unlock()
	d.mu.Lock()
	master, gone := d.master, d.gone
	d.mu.Unlock()
	if master == nil || d.wait(d.takes(len(b)), gone) {
		return errPulled
	}
	if err := master.SetWriteDeadline(time.Now().Add(writeDeadline)); err != nil {
		return errPulled
	}
	if _, err := master.Write(b); err != nil {
		return fmt.Errorf("emulated: nobody reads this serial line: %w", err)
	}
	return nil
}

// raw switches echo and line editing off.
func raw(f *os.File) error {
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return fmt.Errorf("emulated: read the PTY's settings: %w", err)
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL
	if err := unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, t); err != nil {
		return fmt.Errorf("emulated: set the PTY raw: %w", err)
	}
	return nil
}

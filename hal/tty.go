package hal

import (
	"errors"
	"fmt"
	"os"

	"github.com/tarm/serial"
	"golang.org/x/sys/unix"
)

// The serial library sets a tty's speed and raw mode. All else that a Line needs of one
// is done here, on a descriptor of our own that does not block: the library's own blocks
// for good in a Write that the other side does not take, and it reads a time-out and a
// hang-up as the same. It does not give out its descriptor, so that the device is opened a
// second time for a moment; ours is open meanwhile, and the settings stay for as long as
// it is.
//
//   - Exclusive use: flock (lock) refuses a second payterm, whoever runs it, and TIOCEXCL
//     (exclude) all others but root, who do not lock. A program that had the device open
//     before keeps it, and reads what was meant for us: holders.go finds it. After a crash
//     TIOCEXCL stays for as long as such a program has the device open; then it is named,
//     and has to go.
//   - Flushing (flushTTY): what came before the device was open, and what is stuck.
//   - A hang-up is an error of Read or Write by itself, since Go's poller waits for it.
//   - Breaks, framing errors and overruns are counted by the kernel (linestats.go).

// errBusy means that another program, or another device of the profile, has the
// line.
var errBusy = errors.New("another program uses it")

// openTTY opens a serial line for this process alone, sets it up, and throws away what
// came before it was open.
func openTTY(name string, baud int) (*port, error) {
	if name == "" {
		return nil, errors.New("no device")
	}
	tty, err := os.OpenFile(name, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.EBUSY) {
		return nil, fmt.Errorf("%s: %w", name, busy(name))
	}
	if err != nil {
		return nil, err
	}
	err = lock(tty)
	if errors.Is(err, errBusy) {
		err = busy(name)
	}
	if err == nil {
		err = setTTY(tty, baud)
	}
	if err == nil {
		err = exclude(tty, unix.TIOCEXCL) // after the library has opened it a second time
	}
	if err == nil {
		err = flushTTY(tty, unix.TCIFLUSH)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), tty.Close())
	}
	return &port{stream: tty, tty: tty}, nil
}

// exclude keeps other programs from opening a tty (TIOCEXCL), or no longer (TIOCNXCL).
func exclude(tty *os.File, how uint) error {
	err := control(tty, func(fd int) error { return unix.IoctlSetInt(fd, how, 0) })
	if err != nil {
		return fmt.Errorf("exclude others: %w", err)
	}
	return nil
}

// busy is errBusy with who it is, as far as that can be seen.
func busy(name string) error {
	if others := holdersOf(name); len(others) > 0 {
		return fmt.Errorf("%w: %s", errBusy, Names(others))
	}
	return errBusy
}

// setTTY lets the library set speed and raw mode. It opens the device by our descriptor:
// the name may mean another device by now, when an adapter was pulled and put back.
func setTTY(tty *os.File, baud int) error {
	return control(tty, func(fd int) error {
		setter, err := serial.OpenPort(&serial.Config{Name: fmt.Sprintf("/proc/self/fd/%d", fd), Baud: baud})
		if err == nil {
			err = setter.Close()
		}
		if err != nil {
			return fmt.Errorf("set %d baud: %w", baud, err)
		}
		return nil
	})
}

// flushTTY throws away what waits to be read (TCIFLUSH) or sent (TCOFLUSH).
func flushTTY(tty *os.File, queue int) error {
	err := control(tty, func(fd int) error { return unix.IoctlSetInt(fd, unix.TCFLSH, queue) })
	if err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	return nil
}

// lock takes a device for this process.
func lock(f *os.File) error {
	err := control(f, func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
	if errors.Is(err, unix.EWOULDBLOCK) {
		return errBusy
	}
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	return nil
}

// control does something with a descriptor; File.Fd would make it blocking.
func control(f *os.File, do func(fd int) error) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	if ctl := c.Control(func(fd uintptr) { err = do(int(fd)) }); ctl != nil {
		return ctl
	}
	return err
}

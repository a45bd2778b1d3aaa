package hal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// usbPrinter is an open device file of the kernel's USB printer class driver. A printer without a
// back channel refuses to be read (EINVAL), and an idle one may return no bytes: neither is a
// hang-up.
type usbPrinter struct {
	*os.File
	read func(fd int, b []byte) (int, error) // unix.Read, replaced in tests
}

// emptyPause is the pause after an empty read.
const emptyPause = 50 * time.Millisecond

func openUSBPrinter(name string) (*port, error) {
	if name == "" {
		return nil, errors.New("no device")
	}
	f, err := os.OpenFile(name, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.EBUSY) {
		return nil, fmt.Errorf("%s: %w", name, errBusy)
	}
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
	}
	return &port{stream: &usbPrinter{f, unix.Read}}, nil
}

// Read waits for bytes of the printer. It fails when the printer is unplugged or the file is
// closed.
func (p *usbPrinter) Read(b []byte) (int, error) {
	c, err := p.SyscallConn()
	if err != nil {
		return 0, err
	}
	for {
		var n int
		var said error
		err := c.Read(func(fd uintptr) bool {
			n, said = p.read(int(fd), b)
			switch {
			case errors.Is(said, unix.EAGAIN):
				return false
			case errors.Is(said, unix.EINVAL): // no back channel: wait for the hang-up
				return gone(fd)
			case n == 0 && said == nil && gone(fd):
				said = io.EOF
			}
			return true
		})
		switch {
		case err != nil:
			return 0, err
		case said != nil && !errors.Is(said, unix.EINTR):
			return 0, said
		case n > 0:
			return n, nil
		}
		time.Sleep(emptyPause)
	}
}

// gone reports whether the device has hung up.
func gone(fd uintptr) bool {
	fds := []unix.PollFd{{Fd: int32(fd)}}
	n, err := unix.Poll(fds, 0)
	return n > 0 && err == nil && fds[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0
}

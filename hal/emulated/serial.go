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

// serialDevice is a device behind a PTY. The slave is held open here as well, so
// that the master sees no end of file while nobody has opened it yet.
type serialDevice struct {
	baud   int
	scale  float64
	chip   io.Writer // takes what the host sends; nil for a device that only talks
	mu     sync.Mutex
	master *os.File
	slave  *os.File
	wg     sync.WaitGroup
}

func openSerialDevice(baud int, scale float64, chip *escpos) (*serialDevice, error) {
	d := &serialDevice{baud: baud, scale: scale}
	if chip != nil {
		d.chip = chip
		chip.reply = func(b []byte) { d.send(b) } //nolint:errcheck // an unplugged printer says nothing
	}
	return d, d.plug(true)
}

// name is the device's path now; there is none while it is unplugged.
func (d *serialDevice) name() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.slave == nil {
		return "unplugged"
	}
	return d.slave.Name()
}

func (d *serialDevice) plug(in bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if in == (d.master != nil) {
		return nil
	}
	if !in {
		err := errors.Join(d.master.Close(), d.slave.Close())
		d.master, d.slave = nil, nil
		return err
	}
	master, slave, err := pty.Open()
	if err != nil {
		return fmt.Errorf("emulated: open a PTY: %w", err)
	}
	if err := raw(slave); err != nil {
		return errors.Join(err, master.Close(), slave.Close())
	}
	d.master, d.slave = master, slave
	d.wg.Add(1)
	go d.listen(master)
	return nil
}

// listen hands what the host sends to the chip at the line's speed. It ends when
// the cable is pulled.
func (d *serialDevice) listen(master *os.File) {
	defer d.wg.Done()
	buf := make([]byte, 256)
	for {
		n, err := master.Read(buf)
		if err != nil {
			return
		}
		if d.chip != nil {
			d.chip.Write(buf[:n]) //nolint:errcheck // the chip loses what it cannot take
		}
		d.pace(n)
	}
}

func (d *serialDevice) pace(n int) {
	time.Sleep(time.Duration(float64(n) * 10 / float64(d.baud) / d.scale * float64(time.Second)))
}

func (d *serialDevice) send(b []byte) error {
	d.mu.Lock()
	master := d.master
	d.mu.Unlock()
	if master == nil {
		return errors.New("its cable is pulled")
	}
	d.pace(len(b))
	_, err := master.Write(b)
	return err
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

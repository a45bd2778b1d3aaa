package emulated

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// networkDevice is a printer on the network: a port on loopback that serves one host at a time.
type networkDevice struct {
	chip io.Writer
	intake

	mu     sync.Mutex
	listen net.Listener
	host   net.Conn
	wg     sync.WaitGroup
}

func openNetworkDevice(chip *escpos) (*networkDevice, error) {
	d := &networkDevice{chip: chip}
	chip.reply = d.reply
	return d, d.plug()
}

// address is where it listens, empty while its cable is pulled.
func (d *networkDevice) address() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.listen == nil {
		return ""
	}
	return d.listen.Addr().String()
}

func (d *networkDevice) plug() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.listen != nil {
		return nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("emulated: network printer: %w", err)
	}
	d.listen = l
	d.forgive()
	d.wg.Go(func() { d.serve(l) })
	return nil
}

// serve serves one host after the other, until the cable is pulled.
func (d *networkDevice) serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		d.mu.Lock()
		pulled := d.listen != l
		if !pulled {
			d.host = c
		}
		d.mu.Unlock()
		buf := make([]byte, 512)
		for !pulled {
			n, err := c.Read(buf)
			d.chip.Write(buf[:n]) //nolint:errcheck // the chip drops what it cannot take
			d.has(n)
			if err != nil {
				break
			}
		}
		c.Close()
	}
}

// reply sends to the connected host.
func (d *networkDevice) reply(b []byte) {
	d.mu.Lock()
	c := d.host
	d.mu.Unlock()
	if c != nil && c.SetWriteDeadline(time.Now().Add(writeDeadline)) == nil {
		c.Write(b) //nolint:errcheck // an unplugged printer sends nothing
	}
}

// power switches the printer off or on. Off, it accepts no connection and does not close the one
// it has, which is half open. On again, it resets that.
func (d *networkDevice) power(on bool) error {
	if !on {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.listen == nil {
			return nil
		}
		err := d.listen.Close()
		d.listen = nil
		return err
	}
	d.mu.Lock()
	host, was := d.host, d.listen != nil
	d.mu.Unlock()
	if was {
		return nil
	}
	if c, is := host.(*net.TCPConn); is {
		if err := c.SetLinger(0); err != nil && !errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("emulated: network printer: %w", err)
		}
	}
	if err := d.pull(); err != nil {
		return err
	}
	return d.plug()
}

func (d *networkDevice) pull() error {
	d.mu.Lock()
	var err error
	if d.listen != nil {
		err = d.listen.Close()
	}
	if d.host != nil {
		if closed := d.host.Close(); !errors.Is(closed, net.ErrClosed) {
			err = errors.Join(err, closed)
		}
	}
	d.listen, d.host = nil, nil
	d.mu.Unlock()
	d.wg.Wait()
	d.forgive()
	return err
}

package hal_test

import (
	"errors"
	"testing"
	"time"

	"payterm/hal"
	"payterm/hal/haltest"

	"golang.org/x/sys/unix"
)

// TestUSBPrinterLine: a USB printer's line passes bytes in both directions, ends with its cable
// and is found again; what is stuck when the printer takes no more is dropped.
func TestUSBPrinterLine(t *testing.T) {
	before := haltest.TakeCensus(t)
	t.Run("line", func(t *testing.T) {
		c := haltest.NewCable(t)
		l := hal.OpenUSBPrinter(c.Device)
		defer l.Close()
		other := hal.OpenUSBPrinter(c.Device)
		if ok, err := other.Plugged(); ok || err == nil {
			t.Errorf("two have it: %v", err)
		}
		if err := other.Close(); err != nil {
			t.Error(err)
		}
		hear := func(what string) {
			t.Helper()
			if _, err := c.Far().Write([]byte(what + "\n")); err != nil { // the PTY is line-buffered
				t.Fatal(err)
			}
			b := make([]byte, 64)
			for end := time.Now().Add(10 * time.Second); ; {
				n, err := l.Read(b, time.Second)
				if n > 0 && string(b[:n]) == what+"\n" {
					return
				}
				if time.Now().After(end) {
					t.Fatalf("%q: heard %q, %v", what, b[:n], err)
				}
			}
		}
		hear("status")
		for range 3 {
			c.Pull()
			for end := time.Now().Add(10 * time.Second); ; {
				_, err := l.Read(make([]byte, 1), 10*time.Millisecond)
				if errors.Is(err, hal.ErrUnplugged) {
					break
				}
				if time.Now().After(end) {
					t.Fatal(err)
				}
			}
			if _, err := l.Write([]byte("x"), time.Second); !errors.Is(err, hal.ErrUnplugged) {
				t.Errorf("wrote to a pulled cable: %v", err)
			}
			c.Plug()
			for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
				if ok, err := l.Plugged(); ok {
					break
				} else if time.Now().After(end) {
					t.Fatal(err)
				}
			}
		}
		hear("again")

		// The printer takes nothing: the deadline holds, and the file is opened again.
		var err error
		took := within(t, 10*time.Second, func() {
			for err == nil {
				_, err = l.Write(make([]byte, 4096), 200*time.Millisecond)
			}
		})
		if is(t, err, hal.ErrTimeout, true, false); took < 200*time.Millisecond {
			t.Errorf("it gave up after %s", took)
		}
	})
	before.Same(t)
}

// TestUSBPrinterThatSaysNothing: a printer without a back channel, or with empty reads, counts as
// plugged until it is unplugged.
func TestUSBPrinterThatSaysNothing(t *testing.T) {
	for name, read := range map[string]func(int, []byte) (int, error){
		"only listens": func(int, []byte) (int, error) { return 0, unix.EINVAL },
		"nothing":      func(int, []byte) (int, error) { return 0, nil },
	} {
		t.Run(name, func(t *testing.T) {
			c := haltest.NewCable(t)
			ended := make(chan error, 1)
			p, err := hal.OpenMute(c.Device(), read)
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				_, err := p.Read(make([]byte, 8))
				ended <- err
			}()
			select {
			case err := <-ended:
				t.Fatalf("it was given up: %v", err)
			case <-time.After(200 * time.Millisecond):
			}
			c.Pull()
			select {
			case err := <-ended:
				if err == nil {
					t.Error("it went without an error")
				}
			case <-time.After(10 * time.Second):
				t.Fatal("nobody noticed that it went")
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

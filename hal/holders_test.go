package hal_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"payterm/hal"
	"payterm/hal/haltest"

	"golang.org/x/sys/unix"
)

// TestLineExcludesOthers: no other program can open a tty of ours until it is closed, even one
// that does not lock.
func TestLineExcludesOthers(t *testing.T) {
	c := haltest.NewCable(t)
	excluded := func() bool {
		f, err := os.OpenFile(c.Device(), unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
		if errors.Is(err, unix.EBUSY) {
			return true
		}
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		is, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGEXCL) // root may
		if err != nil {
			t.Fatal(err)
		}
		return is != 0
	}
	l := hal.OpenLine(c.Device, 9600)
	if !excluded() {
		t.Error("anybody may open the tty and read from it")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if excluded() {
		t.Error("it stays closed to others after us")
	}
}

// TestOthersAreNamed: a program that had the tty open before is named.
func TestOthersAreNamed(t *testing.T) {
	c := haltest.NewCable(t)
	tty, err := os.OpenFile(c.Device(), unix.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	thief := exec.Command("sleep", "60")
	thief.ExtraFiles = []*os.File{tty}
	if err := thief.Start(); err != nil {
		t.Skip(err)
	}
	defer func() {
		thief.Process.Kill() //nolint:errcheck // it may have ended
		thief.Wait()         //nolint:errcheck // it was killed
	}()
	l := open(t, c)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		others := l.Others()
		if len(others) == 1 && others[0].PID == thief.Process.Pid &&
			strings.HasPrefix(hal.Names(others), "sleep (pid ") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("others: %+v", others)
		}
	}
}

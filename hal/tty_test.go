package hal

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// speed is a terminal's speed.
func speed(t *testing.T, f *os.File) uint32 {
	t.Helper()
	var got uint32
	err := control(f, func(fd int) error {
		set, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err == nil {
			got = set.Cflag & unix.CBAUD
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestSetTTYIsNotMisledByAName: after a replug the name may be another device's; the settings go
// to the one that was opened.
func TestSetTTYIsNotMisledByAName(t *testing.T) {
	var ttys [2]*os.File
	for i := range ttys {
		far, near, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer far.Close()
		defer near.Close()
		ttys[i] = near
	}
	name := filepath.Join(t.TempDir(), "ttyUSB0")
	if err := os.Symlink(ttys[0].Name(), name); err != nil {
		t.Fatal(err)
	}
	opened, err := os.OpenFile(name, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(ttys[1].Name(), name); err != nil {
		t.Fatal(err)
	}
	if err := setTTY(opened, 1200); err != nil {
		t.Fatal(err)
	}
	if one, other := speed(t, ttys[0]), speed(t, ttys[1]); one != unix.B1200 || other == unix.B1200 {
		t.Errorf("the device that was opened has speed %#o, the one of its name %#o; want %#o and another", one, other,
			unix.B1200)
	}
}

package board

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// typist replaces the serial scanner by one that types: a USB keyboard of QEMU.
var typist = strings.Replace(profile, `device = "/dev/ttyS0" # a 16550 on PCI
baud = 9600`, `kind = "evdev"
usb = "0627:0001"`, 1)

// reader is that keyboard; it is plugged and typed on through QEMU's monitor.
type reader struct{ qmp }

func (r reader) plug() {
	r.t.Helper()
	r.do("device_add", map[string]any{"driver": "usb-kbd", "id": "reader", "bus": "usb.0"}, nil)
}

func (r reader) unplug() {
	r.t.Helper()
	r.do("device_del", map[string]any{"id": "reader"}, nil)
}

// keys types so slowly that a guest on a busy host keeps up: QEMU's keyboard holds eight strokes and drops
// further ones.
func (r reader) keys(names ...string) {
	r.t.Helper()
	for _, name := range names {
		for _, down := range []bool{true, false} {
			event := map[string]any{"type": "key", "data": map[string]any{"down": down,
				"key": map[string]any{"type": "qcode", "data": name}}}
			r.do("input-send-event", map[string]any{"events": []any{event}}, nil)
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// digits returns the key names of digits.
func digits(code string) []string { return strings.Split(code, "") }

// TestTypedSaleOnTheVirtualBoard: a code arrives through USB, the kernel's HID and /dev/input, on a 64-bit
// kernel and on a 32-bit one, whose records are shorter. No other program sees it. A scanner that is unplugged
// in the middle of a code works again when it is plugged in, and half a code is discarded.
func TestTypedSaleOnTheVirtualBoard(t *testing.T) {
	if !*boot {
		t.Skip("make board-test")
	}
	for _, m := range []machine{arm64, armv7} {
		t.Run(m.target, func(t *testing.T) { typedSaleOn(t, m) })
	}
}

func typedSaleOn(t *testing.T, m machine) {
	sim, port, ca := gateway(t, unwatched)
	d := newDevices(t, sim)
	s := newSystem(t, m)
	s.copy(0o755, "init", "init")
	s.copy(0o755, "usr/bin/payterm", s.program("payterm"))
	s.copy(0o755, "board/probe", s.program("probe"))
	s.put(0o755, "dev/.keep", nil)
	s.board(port, ca, "usbhid", "hid-generic", "evdev")
	s.put(0o644, "board/board.toml", []byte(typist))
	began := time.Now()
	socket := filepath.Join(t.TempDir(), "qmp")
	g := start(t, m, s.archive(), 256, d, "-qmp", "unix:"+socket+",server=on,wait=off")
	r := reader{newQMP(t, socket)}
	g.wait("up")

	// Without the agent every program sees the strokes: the listeners report them.
	r.plug()
	g.tell("overhear")
	g.wait("overhearing")
	var typed, heard int
	overheard := func() {
		t.Helper()
		g.tell("overheard")
		if _, err := fmt.Sscan(g.wait("overheard"), &typed, &heard); err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(time.Minute); typed == 0 || heard == 0; overheard() {
		if time.Now().After(end) {
			t.Fatalf("of keys that nobody has taken the terminal hears %d bytes, a second reader %d", typed, heard)
		}
		r.keys("4", "2", "ret")
	}
	time.Sleep(time.Second) // the last strokes are on their way
	overheard()
	before := [2]int{typed, heard}

	g.tell("run")
	g.wait("running")
	g.waitState("idle")
	read := func(code string) {
		t.Helper()
		r.keys(append(digits(code), "ret")...)
	}
	d.sellBy(g, read)
	if overheard(); before != [2]int{typed, heard} {
		t.Errorf("others have overheard the code: before the agent ran they had %d bytes, now %d and %d", before, typed,
			heard)
	}

	plugged := func(want bool) {
		t.Helper()
		for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
			devices := g.status().Devices
			if _, fault := devices["scanner"]; fault != want {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("the reader is plugged: %v; devices that do not work: %q", want, devices)
			}
		}
	}
	d.sellBy(g, func(code string) {
		t.Helper()
		r.keys(digits(code[:9])...)
		r.unplug()
		plugged(false)
		r.plug()
		plugged(true)
		read(code)
	})
	// After it was plugged in again they must not see them either.
	g.tell("overhear")
	g.wait("overhearing")
	d.sellBy(g, read)
	if overheard(); typed+heard > 0 {
		t.Errorf("after the reader was plugged in again others have overheard %d and %d bytes", typed, heard)
	}
	g.tell("end")
	if end := g.wait("ended"); !strings.HasPrefix(end, "0 ") {
		t.Errorf("the end: %s", end)
	} else {
		t.Logf("three codes typed, one of them torn; at its end: %s; %.1f s in all", end, time.Since(began).Seconds())
	}
}

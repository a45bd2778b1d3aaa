package emulated

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"syscall"
	"time"

	"payterm"
	"payterm/board"
	"payterm/hal"
)

// eventDevice is a keyboard as the kernel's evdev.c presents it: each reader has its own buffer,
// sees whole packets only, and gets SYN_DROPPED and the newest event once its buffer is full.
// From general knowledge of the kernel: 64 events for a device with keys only.
type eventDevice struct {
	scale  float64
	report report

	mu     sync.Mutex
	files  map[*eventFile]bool // open now
	grab   *eventFile
	in     bool          // closed and replaced when one of these changes
	moved  chan struct{} // closed, and made anew, when one of these changes
	turn   sync.Mutex    // one sender at a time
	strike time.Duration // between two reports of the device
}

const eventBuffer = 64

// event is one of the kernel's.
type event struct {
	kind, code uint16
	value      int32
}

// Of linux/input-event-codes.h.
var (
	sync0   = event{0, 0, 0} // SYN_REPORT
	dropped = event{0, 3, 0} // SYN_DROPPED
)

const (
	kindKey  = 1
	kindMisc = 4 // MSC_SCAN (4) comes before each key
)

func newEventDevice(scale float64, report report) *eventDevice {
	return &eventDevice{
		scale: scale, report: report, files: map[*eventFile]bool{}, in: true, moved: make(chan struct{}),
		strike: 4 * time.Millisecond,
	}
}

// eventFile is a program's open file.
type eventFile struct {
	d      *eventDevice
	ring   []event
	whole  int // events of whole packets, from the front
	gone   bool
	closed bool
	told   bool // a missing grab was reported
}

func (d *eventDevice) open() (hal.EventFile, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.in {
		return nil, syscall.ENOENT
	}
	f := &eventFile{d: d}
	d.files[f] = true
	return f, nil
}

// wake makes all readers look again. The lock is held.
func (d *eventDevice) wake() {
	close(d.moved)
	d.moved = make(chan struct{})
}

// Grab is EVIOCGRAB.
func (f *eventFile) Grab() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	switch {
	case f.gone:
		return syscall.ENODEV
	case f.d.grab != nil:
		return syscall.EBUSY
	}
	f.d.grab = f
	return nil
}

// Read returns as many whole events as fit.
func (f *eventFile) Read(b []byte) (int, error) {
	size := 2*strconv.IntSize/8 + 8
	if len(b) < size {
		return 0, syscall.EINVAL
	}
	for {
		f.d.mu.Lock()
		if f.d.grab != f && !f.told && !f.closed {
			f.told = true
			f.d.report(NotGrabbed, "events are read that the console reads as well")
		}
		moved, n := f.d.moved, 0
		gone, closed := f.gone, f.closed
		for ; f.whole > 0 && len(b)-n >= size && !gone && !closed; n += size {
			f.ring[0].put(b[n : n+size])
			f.ring, f.whole = f.ring[1:], f.whole-1
		}
		if n > 0 {
			f.d.wake()
		}
		f.d.mu.Unlock()
		switch {
		case closed:
			return 0, errors.New("emulated: file already closed")
		case gone:
			return 0, syscall.ENODEV
		case n > 0:
			return n, nil
		}
		<-moved
	}
}

// put writes the kernel's record: seconds and microseconds, each a long, then type, code, value.
func (e event) put(b []byte) {
	now := time.Now()
	long := strconv.IntSize / 8
	for i, v := range []int64{now.Unix(), int64(now.Nanosecond() / 1000)} {
		if long == 8 {
			binary.NativeEndian.PutUint64(b[8*i:], uint64(v))
		} else {
			binary.NativeEndian.PutUint32(b[4*i:], uint32(v))
		}
	}
	binary.NativeEndian.PutUint16(b[2*long:], e.kind)
	binary.NativeEndian.PutUint16(b[2*long+2:], e.code)
	binary.NativeEndian.PutUint32(b[2*long+4:], uint32(e.value))
}

// Close is a program's.
func (f *eventFile) Close() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	f.closed = true
	delete(f.d.files, f)
	if f.d.grab == f {
		f.d.grab = nil
	}
	f.d.wake()
	return nil
}

// take puts an event into a reader's buffer. The lock is held.
func (f *eventFile) take(e event) {
	f.ring = append(f.ring, e)
	if len(f.ring) == eventBuffer {
		f.ring = append(f.ring[:0:0], dropped, e)
		f.whole = 0
	}
	if e == sync0 {
		f.whole = len(f.ring)
	}
}

// emit is one report of the device: events and the end of a packet. The lock is held.
func (d *eventDevice) emit(events ...event) {
	for f := range d.files {
		if d.grab != nil && d.grab != f {
			continue
		}
		for _, e := range append(events, sync0) {
			f.take(e)
		}
	}
	d.wake()
}

// room waits for readers that are busy, because the device is much faster here than a real one. A
// reader that never reads is not waited for. It returns false if the device is unplugged.
func (d *eventDevice) room() bool {
	late := time.NewTimer(writeDeadline)
	defer late.Stop()
	for {
		d.mu.Lock()
		moved, in, full := d.moved, d.in, false
		for f := range d.files {
			full = full || len(f.ring) > eventBuffer/2
		}
		d.mu.Unlock()
		if !in || !full {
			return in
		}
		select {
		case <-moved:
		case <-late.C:
			return true
		}
	}
}

// move presses (1), repeats (2) or releases (0) a key.
func (d *eventDevice) move(code uint16, value int32) error {
	time.Sleep(time.Duration(float64(d.strike) / d.scale))
	if !d.room() {
		return errPulled
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.emit(moves(code, value)...)
	return nil
}

// moves are the events of one key change: the kernel's repeats have no scan code.
func moves(code uint16, value int32) []event {
	key := event{kindKey, code, value}
	if value == 2 {
		return []event{key}
	}
	return []event{{kindMisc, 4, 0x70000 + int32(code)}, key}
}

func (d *eventDevice) press(code uint16) error {
	d.turn.Lock()
	defer d.turn.Unlock()
	return errors.Join(d.move(code, 1), d.move(code, 0))
}

// hold presses a key until it repeats, or releases it.
func (d *eventDevice) hold(code uint16, down bool) error {
	d.turn.Lock()
	defer d.turn.Unlock()
	if !down {
		return d.move(code, 0)
	}
	return errors.Join(d.move(code, 1), d.move(code, 2), d.move(code, 2))
}

// send presses and releases keys.
func (d *eventDevice) send(keys []event) error {
	d.turn.Lock()
	defer d.turn.Unlock()
	for _, k := range keys {
		if err := d.move(k.code, k.value); err != nil {
			return err
		}
	}
	return nil
}

// flood presses keys faster than any reader reads; the kernel's rule drops the excess.
func (d *eventDevice) flood(keys []event) error {
	d.turn.Lock()
	defer d.turn.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.in {
		return errPulled
	}
	for _, k := range keys {
		d.emit(moves(k.code, k.value)...)
	}
	return nil
}

func (d *eventDevice) plug() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.in = true
	return nil
}

// pull unplugs the device.
func (d *eventDevice) pull() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.in = false
	for f := range d.files {
		f.gone = true
	}
	d.wake()
	return nil
}

// keyOf is the kernel's number of a key that the profile maps.
func keyOf(k *board.Keypad, key payterm.Key) (uint16, error) {
	best := ""
	for name, is := range k.Map {
		if is == key && (best == "" || name < best) {
			best = name
		}
	}
	if best == "" {
		return 0, fmt.Errorf("this keypad has no key %s", key)
	}
	return keyCodes[best], nil
}

// keyCodes are numbers of linux/input-event-codes.h, up to 127.
var keyCodes = map[string]uint16{
	"KEY_ESC": 0x1, "KEY_1": 0x2, "KEY_2": 0x3, "KEY_3": 0x4, "KEY_4": 0x5, "KEY_5": 0x6, "KEY_6": 0x7, "KEY_7": 0x8,
	"KEY_8": 0x9, "KEY_9": 0xa, "KEY_0": 0xb, "KEY_MINUS": 0xc, "KEY_EQUAL": 0xd, "KEY_BACKSPACE": 0xe, "KEY_TAB": 0xf,
	"KEY_Q": 0x10, "KEY_W": 0x11, "KEY_E": 0x12, "KEY_R": 0x13, "KEY_T": 0x14, "KEY_Y": 0x15, "KEY_U": 0x16,
	"KEY_I": 0x17,
	"KEY_O": 0x18, "KEY_P": 0x19, "KEY_LEFTBRACE": 0x1a, "KEY_RIGHTBRACE": 0x1b, "KEY_ENTER": 0x1c,
	"KEY_LEFTCTRL": 0x1d,
	"KEY_A":        0x1e, "KEY_S": 0x1f, "KEY_D": 0x20, "KEY_F": 0x21, "KEY_G": 0x22, "KEY_H": 0x23, "KEY_J": 0x24,
	"KEY_K": 0x25,
	"KEY_L": 0x26, "KEY_SEMICOLON": 0x27, "KEY_APOSTROPHE": 0x28, "KEY_GRAVE": 0x29, "KEY_LEFTSHIFT": 0x2a,
	"KEY_BACKSLASH": 0x2b, "KEY_Z": 0x2c, "KEY_X": 0x2d, "KEY_C": 0x2e, "KEY_V": 0x2f, "KEY_B": 0x30, "KEY_N": 0x31,
	"KEY_M": 0x32, "KEY_COMMA": 0x33, "KEY_DOT": 0x34, "KEY_SLASH": 0x35, "KEY_RIGHTSHIFT": 0x36,
	"KEY_KPASTERISK": 0x37,
	"KEY_LEFTALT":    0x38, "KEY_SPACE": 0x39, "KEY_CAPSLOCK": 0x3a, "KEY_F1": 0x3b, "KEY_F2": 0x3c, "KEY_F3": 0x3d,
	"KEY_F4": 0x3e, "KEY_F5": 0x3f, "KEY_F6": 0x40, "KEY_F7": 0x41, "KEY_F8": 0x42, "KEY_F9": 0x43, "KEY_F10": 0x44,
	"KEY_NUMLOCK": 0x45, "KEY_SCROLLLOCK": 0x46, "KEY_KP7": 0x47, "KEY_KP8": 0x48, "KEY_KP9": 0x49, "KEY_KPMINUS": 0x4a,
	"KEY_KP4": 0x4b, "KEY_KP5": 0x4c, "KEY_KP6": 0x4d, "KEY_KPPLUS": 0x4e, "KEY_KP1": 0x4f, "KEY_KP2": 0x50,
	"KEY_KP3": 0x51, "KEY_KP0": 0x52, "KEY_KPDOT": 0x53, "KEY_ZENKAKUHANKAKU": 0x55, "KEY_102ND": 0x56, "KEY_F11": 0x57,
	"KEY_F12": 0x58, "KEY_RO": 0x59, "KEY_KATAKANA": 0x5a, "KEY_HIRAGANA": 0x5b, "KEY_HENKAN": 0x5c,
	"KEY_KATAKANAHIRAGANA": 0x5d, "KEY_MUHENKAN": 0x5e, "KEY_KPJPCOMMA": 0x5f, "KEY_KPENTER": 0x60,
	"KEY_RIGHTCTRL": 0x61,
	"KEY_KPSLASH":   0x62, "KEY_SYSRQ": 0x63, "KEY_RIGHTALT": 0x64, "KEY_LINEFEED": 0x65, "KEY_HOME": 0x66,
	"KEY_UP":     0x67,
	"KEY_PAGEUP": 0x68, "KEY_LEFT": 0x69, "KEY_RIGHT": 0x6a, "KEY_END": 0x6b, "KEY_DOWN": 0x6c, "KEY_PAGEDOWN": 0x6d,
	"KEY_INSERT": 0x6e, "KEY_DELETE": 0x6f, "KEY_MACRO": 0x70, "KEY_MUTE": 0x71, "KEY_VOLUMEDOWN": 0x72,
	"KEY_VOLUMEUP": 0x73, "KEY_POWER": 0x74, "KEY_KPEQUAL": 0x75, "KEY_KPPLUSMINUS": 0x76, "KEY_PAUSE": 0x77,
	"KEY_SCALE": 0x78, "KEY_KPCOMMA": 0x79, "KEY_HANGEUL": 0x7a, "KEY_HANJA": 0x7b, "KEY_YEN": 0x7c,
	"KEY_LEFTMETA":  0x7d,
	"KEY_RIGHTMETA": 0x7e, "KEY_COMPOSE": 0x7f,
}

package hal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Event devices: scanners that type as a keyboard, and numeric pads. The kernel presents one as a
// file of input_event records (linux/input.h). This file finds the device, takes it for this
// process alone (EVIOCGRAB) and keeps it open as a Line, with the Line's back-off when it is
// unplugged; Keys decodes the records. Which key means what is for the drivers.

// EventDevice names an event device, in one of three ways.
type EventDevice struct {
	Device string // path, such as /dev/input/by-id/usb-...-event-kbd
	Name   string // what the device calls itself, as /proc/bus/input/devices has it
	USB    string // vendor and product in hex, such as 0c2e:0b61
}

// String is the field that is set.
func (e EventDevice) String() string { return e.Device + e.Name + e.USB }

// EventFile is an open event device. Read blocks, returns whole records, and fails when the
// device is unplugged or Close is called.
type EventFile interface {
	io.ReadCloser
	// Grab keeps the events from all other readers, such as the console: a payment code must not
	// be typed at a login prompt.
	Grab() error
}

// struct input_event is a time of two longs, then type, code (16 bits each) and value (32 bits):
// 24 bytes where a long has 64 bits, 16 where it has 32.
const (
	eventTime = int(unsafe.Sizeof(unix.Timeval{}))
	eventSize = eventTime + 8
)

// Of linux/input-event-codes.h.
const (
	evSyn      = 0
	evKey      = 1
	synReport  = 0
	synDropped = 3
)

// eviocgrab is _IOW('E', 0x90, int) of linux/input.h, alike on ARM and x86.
const eviocgrab = 0x40044590

// ErrDropped means that the kernel or the line had no room and dropped events: keys are missing.
var ErrDropped error = &lineError{text: "hal: events were lost", dropped: true}

// OpenEvents makes a line of an event device and tries to open it at once. open is called at each
// opening.
func OpenEvents(open func() (EventFile, error)) *Line {
	l := newLine(func() (*port, error) {
		f, err := open()
		if err != nil {
			return nil, err
		}
		if err := f.Grab(); err != nil {
			return nil, errors.Join(fmt.Errorf("take it for this terminal alone: %w", err), f.Close())
		}
		return &port{stream: eventStream{f}}, nil
	}, func() {})
	l.overrun = make([]byte, eventSize)
	binary.NativeEndian.PutUint16(l.overrun[eventTime+2:], synDropped)
	first := l.open()
	go l.run(first)
	return l
}

// eventStream is an event device as a port needs it; nothing can be written to it.
type eventStream struct{ EventFile }

func (eventStream) Write([]byte) (int, error)        { return 0, errors.ErrUnsupported }
func (eventStream) SetWriteDeadline(time.Time) error { return nil }

// Keys reads the keys of an event device's line. It is used by one goroutine.
type Keys struct {
	line   *Line
	raw    []byte
	packet []keyEvent // since the last SYN_REPORT
	ready  []keyEvent
	skip   bool // up to the next SYN_REPORT
}

type keyEvent struct {
	code    uint16
	value   int32
	dropped bool // it stands for those that were lost
}

// NewKeys reads from a line of OpenEvents.
func NewKeys(line *Line) *Keys { return &Keys{line: line, raw: make([]byte, 32*eventSize)} }

// ReadKey waits up to d for a key. It returns the code of linux/input-event-codes.h, and 1 for
// pressed, 0 for released, 2 for repeated. Errors are those of a Line, and ErrDropped. Only whole
// packets count.
func (k *Keys) ReadKey(d time.Duration) (code uint16, value int32, err error) {
	end := time.Now().Add(d)
	for len(k.ready) == 0 {
		n, err := k.line.Read(k.raw, time.Until(end))
		if err != nil {
			if !errors.Is(err, ErrTimeout) {
				k.packet, k.skip = k.packet[:0], false // the next device may be another one
			}
			return 0, 0, err
		}
		k.decode(k.raw[:n])
	}
	e := k.ready[0]
	k.ready = k.ready[1:]
	if e.dropped {
		return 0, 0, ErrDropped
	}
	return e.code, e.value, nil
}

// decode takes whole records. What is between SYN_DROPPED and the next SYN_REPORT is dropped, and
// so is the packet that SYN_DROPPED interrupted (Documentation/input/event-codes.rst of the
// kernel).
func (k *Keys) decode(raw []byte) {
	for ; len(raw) >= eventSize; raw = raw[eventSize:] {
		kind := binary.NativeEndian.Uint16(raw[eventTime:])
		e := keyEvent{
			code:  binary.NativeEndian.Uint16(raw[eventTime+2:]),
			value: int32(binary.NativeEndian.Uint32(raw[eventTime+4:])),
		}
		switch {
		case kind == evSyn && e.code == synDropped:
			k.packet, k.skip = k.packet[:0], true
		case kind == evSyn && e.code == synReport:
			if k.skip {
				k.packet = append(k.packet[:0], keyEvent{dropped: true})
			}
			k.ready = append(k.ready, k.packet...)
			k.packet, k.skip = k.packet[:0], false
		case kind == evKey:
			k.packet = append(k.packet, e)
		}
	}
}

// eventFile is an event device of the machine. It is non-blocking, so that Close ends a Read.
type eventFile struct{ *os.File }

func openEventFile(sys string, e EventDevice) (EventFile, error) {
	name := e.Device
	if name == "" {
		var err error
		if name, err = findEvents(sys, e); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(name, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	return eventFile{f}, nil
}

func (f eventFile) Grab() error {
	err := control(f.File, func(fd int) error { return unix.IoctlSetInt(fd, eviocgrab, 1) })
	if errors.Is(err, unix.EBUSY) {
		return errBusy
	}
	return err
}

// findEvents finds the device with that name, or with that vendor and product, that has an Enter
// key: scanners and pads often have a second device with volume keys only.
func findEvents(sys string, e EventDevice) (string, error) {
	entries, err := filepath.Glob(filepath.Join(sys, "event*"))
	if err != nil {
		return "", err
	}
	var found, others []string
	for _, dir := range entries {
		is := func(what string) string {
			b, err := os.ReadFile(filepath.Join(dir, "device", what))
			if err != nil {
				return "" // it was unplugged meanwhile
			}
			return strings.TrimSpace(string(b))
		}
		name, usb := is("name"), is("id/vendor")+":"+is("id/product")
		switch {
		case !hasEnter(is("capabilities/key"), strconv.IntSize):
		case e.Name != "" && name == e.Name, e.USB != "" && strings.EqualFold(usb, e.USB):
			found = append(found, "/dev/input/"+filepath.Base(dir))
		default:
			others = append(others, fmt.Sprintf("%q (%s)", name, usb))
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", fmt.Errorf("there is no input device %s with an Enter key; there are: %s",
			e, strings.Join(others, ", "))
	}
	slices.Sort(found)
	return "", fmt.Errorf("input device %s: %s all are: name it by its path in /dev/input/by-path",
		e, strings.Join(found, ", "))
}

// hasEnter parses the kernel's bitmap of keys: words in hex of the size of a long, highest first.
func hasEnter(bitmap string, long int) bool {
	words := strings.Fields(bitmap)
	slices.Reverse(words)
	for _, code := range []int{KeyCodes["KEY_ENTER"], KeyCodes["KEY_KPENTER"]} {
		if i := code / long; i < len(words) {
			if w, err := strconv.ParseUint(words[i], 16, 64); err == nil && w>>(code%long)&1 == 1 {
				return true
			}
		}
	}
	return false
}

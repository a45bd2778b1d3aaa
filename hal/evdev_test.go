package hal

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestEventLayout compares this package with the kernel's header, compiled.
func TestEventLayout(t *testing.T) {
	const program = "#include <linux/input.h>\n" +
		"unsigned int sizes[] = {sizeof(struct input_event), EVIOCGRAB, EV_SYN, EV_KEY, SYN_REPORT, SYN_DROPPED};\n"
	value := regexp.MustCompile(`\.(?:long|word)\s+(-?\d+)|\.zero\s+(\d+)`)
	for cc, size := range map[string]int{"gcc": 0, "arm-linux-gnueabihf-gcc": 16, "aarch64-linux-gnu-gcc": 24} {
		if cc == "gcc" {
			size = eventSize
			if runtime.GOARCH != "amd64" {
				continue
			}
		}
		path, err := exec.LookPath(cc)
		if err != nil {
			continue
		}
		cmd := exec.Command(path, "-S", "-x", "c", "-o", "-", "-")
		cmd.Stdin = strings.NewReader(program)
		out, err := cmd.Output()
		if err != nil {
			continue // no headers for it
		}
		var got []int
		for _, m := range value.FindAllStringSubmatch(string(out), -1) {
			if m[2] != "" { // zeros in a row
				n, _ := strconv.Atoi(m[2])
				got = append(got, make([]int, n/4)...)
				continue
			}
			n, _ := strconv.Atoi(m[1])
			got = append(got, n)
		}
		if want := []int{size, eviocgrab, evSyn, evKey, synReport, synDropped}; !slices.Equal(got, want) {
			t.Errorf("%s has %d, we have %d", cc, got, want)
		}
	}
	if want := map[int]int{32: 16, 64: 24}[strconv.IntSize]; eventSize != want {
		t.Errorf("a record of %d bytes, not %d", eventSize, want)
	}
}

// TestKeyCodes compares the key numbers in the same way.
func TestKeyCodes(t *testing.T) {
	f, err := os.Open("/usr/include/linux/input-event-codes.h")
	if err != nil {
		t.Skip("the kernel's headers are not here")
	}
	defer f.Close()
	define := regexp.MustCompile(`^#define\s+(KEY_\w+)\s+(0x[0-9a-f]+|\d+)\b`)
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		m := define.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		code, err := strconv.ParseInt(m[2], 0, 32)
		if err != nil || code < 1 || code > 127 {
			continue
		}
		if n++; KeyCodes[m[1]] != int(code) {
			t.Errorf("%s is %d, not %d", m[1], code, KeyCodes[m[1]])
		}
	}
	if n != len(KeyCodes) {
		t.Errorf("%d keys in the header, %d here", n, len(KeyCodes))
	}
}

// records makes records from a script: "30" pressed, "-30" released, "+30" repeated, "." the end
// of a packet, "!" SYN_DROPPED, "?" another event.
func records(script string) []byte {
	var all []byte
	for _, word := range strings.Fields(script) {
		r := make([]byte, eventSize)
		kind, code, value := uint16(evKey), uint16(0), uint32(1)
		switch word {
		case ".":
			kind, code, value = evSyn, synReport, 0
		case "!":
			kind, code, value = evSyn, synDropped, 0
		case "?":
			kind, code, value = 4, 4, 458782
		default:
			switch word[0] {
			case '-':
				word, value = word[1:], 0
			case '+':
				word, value = word[1:], 2
			}
			n, err := strconv.Atoi(word)
			if err != nil {
				panic(err)
			}
			code = uint16(n)
		}
		binary.NativeEndian.PutUint16(r[eventTime:], kind)
		binary.NativeEndian.PutUint16(r[eventTime+2:], code)
		binary.NativeEndian.PutUint32(r[eventTime+4:], value)
		all = append(all, r...)
	}
	return all
}

// source is an event device that returns what a test feeds it.
type source struct {
	feed    chan []byte
	end     chan struct{}
	once    sync.Once
	refuses error
}

func newSource() *source { return &source{feed: make(chan []byte), end: make(chan struct{})} }

func (s *source) Read(b []byte) (int, error) {
	select {
	case r := <-s.feed:
		if r == nil {
			return 0, syscall.ENODEV
		}
		return copy(b, r), nil
	case <-s.end:
		return 0, os.ErrClosed
	}
}

func (s *source) Grab() error  { return s.refuses }
func (s *source) Close() error { s.once.Do(func() { close(s.end) }); return nil }

func TestKeys(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		{"a key", "? 30 . ? -30 .", "30=1 30=0"},
		{"a repeat", "30 . +30 . +30 . -30 .", "30=1 30=2 30=2 30=0"},
		{"two in a packet", "42 30 . -30 -42 .", "42=1 30=1 30=0 42=0"},
		{"nothing but scan codes", "? . ? .", ""},
		{"a packet without its end", "30 . 31", "30=1"},
		{"lost", "30 . ! 31 . 32 .", "30=1 lost 32=1"},
		{"lost in a packet", "30 ! . 32 .", "lost 32=1"},
		{"lost twice", "! 30 ! 31 . 32 .", "lost 32=1"},
		{"lost, and the packet after", "! 30 31 -31 . -30 .", "lost 30=0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSource()
			opened := false
			l := OpenEvents(func() (EventFile, error) {
				if opened {
					return nil, errors.New("it is gone")
				}
				opened = true
				return s, nil
			})
			defer l.Close()
			k := NewKeys(l)
			go func() {
				defer func() { s.feed <- nil }()
				for raw := records(c.script); len(raw) > 0; raw = raw[eventSize:] {
					s.feed <- raw[:eventSize]
				}
			}()
			var got []string
			for {
				code, value, err := k.ReadKey(5 * time.Second)
				if errors.Is(err, ErrDropped) {
					got = append(got, "lost")
				} else if err != nil {
					if !errors.Is(err, ErrUnplugged) {
						t.Error(err)
					}
					break
				} else {
					got = append(got, fmt.Sprint(code, "=", value))
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("read %q, want %q", got, c.want)
			}
		})
	}
}

// TestKeysForgetHalfAPacket: a packet that unplugging cut short is not joined with the next
// device's.
func TestKeysForgetHalfAPacket(t *testing.T) {
	first, second := newSource(), newSource()
	sources := []*source{first, second}
	l := OpenEvents(func() (EventFile, error) {
		s := sources[0]
		sources = sources[1:]
		return s, nil
	})
	defer l.Close()
	k := NewKeys(l)
	first.feed <- records("! 30")
	first.feed <- nil
	if _, _, err := k.ReadKey(5 * time.Second); !errors.Is(err, ErrUnplugged) {
		t.Fatal(err)
	}
	second.feed <- records("31 .")
	if code, value, err := k.ReadKey(5 * time.Second); code != 31 || value != 1 || err != nil {
		t.Errorf("%d %d %v", code, value, err)
	}
}

// TestKeysOverrun: a reader that is late is told that keys are missing, and never gets a partial
// record.
func TestKeysOverrun(t *testing.T) {
	s := newSource()
	l := OpenEvents(func() (EventFile, error) { return s, nil })
	defer l.Close()
	for range 1000 {
		s.feed <- records("30 . -30 .")
	}
	s.feed <- records("31 .")
	s.feed <- nil // by then the last was read
	lost, n := 0, 0
	last := uint16(0)
	for k := NewKeys(l); ; n++ {
		code, value, err := k.ReadKey(5 * time.Second)
		if errors.Is(err, ErrUnplugged) {
			break
		}
		if errors.Is(err, ErrDropped) {
			lost++
			continue
		}
		if err != nil || code != 30 && code != 31 || value > 1 {
			t.Fatalf("%d %d %v", code, value, err)
		}
		last = code
	}
	if lost != 1 || last != 31 || n > inBound/eventSize {
		t.Errorf("%d keys, told %d times that some were lost, the last is %d", n, lost, last)
	}
}

func TestGrabRefused(t *testing.T) {
	s := newSource()
	s.refuses = errBusy
	l := OpenEvents(func() (EventFile, error) { return s, nil })
	defer l.Close()
	if ok, err := l.Plugged(); ok || !errors.Is(err, errBusy) || !errors.Is(err, ErrUnplugged) {
		t.Errorf("%v %v", ok, err)
	}
	select {
	case <-s.end:
	default:
		t.Error("the device stays open")
	}
}

// TestEventFile: Close ends a Read of a pollable file; a file that is not an event device is
// refused.
func TestEventFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "event0")
	if err := unix.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := openEventFile("", EventDevice{Device: name})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Grab(); !errors.Is(err, unix.ENOTTY) {
		t.Errorf("a pipe was grabbed: %v", err)
	}
	far, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	if _, err := far.Write(records("30 .")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 512)
	if n, err := f.Read(b); n != 2*eventSize || err != nil {
		t.Errorf("%d %v", n, err)
	}
	ended := make(chan error, 1)
	go func() { _, err := f.Read(b); ended <- err }()
	select {
	case err := <-ended:
		t.Errorf("a read without events: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	select {
	case err := <-ended:
		if err == nil || errors.Is(err, io.EOF) {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("Close does not end a read")
	}
}

// TestFindEvents uses a /sys/class/input of a board whose scanner has two devices.
func TestFindEvents(t *testing.T) {
	sys := t.TempDir()
	const keyboard, enterOnPad, volume = "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe",
		"100000000 0", "3800000000 0"
	for event, d := range map[string][4]string{
		"event0":  {"Honeywell Barcode", "0c2e", "0b61", keyboard},
		"event1":  {"Honeywell Barcode", "0c2e", "0b61", volume},
		"event2":  {"USB Numeric Keypad", "04d9", "a061", enterOnPad},
		"event3":  {"USB Numeric Keypad", "04D9", "A062", enterOnPad},
		"event10": {"gpio-keys", "0001", "0001", "0"},
	} {
		dir := filepath.Join(sys, event, "device")
		err := errors.Join(os.MkdirAll(filepath.Join(dir, "id"), 0o700), os.MkdirAll(filepath.Join(dir, "capabilities"),
			0o700))
		for i, file := range []string{"name", "id/vendor", "id/product", "capabilities/key"} {
			err = errors.Join(err, os.WriteFile(filepath.Join(dir, file), []byte(d[i]+"\n"), 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		e    EventDevice
		want string
		bad  string
	}{
		{EventDevice{USB: "0c2e:0b61"}, "/dev/input/event0", ""},
		{EventDevice{Name: "Honeywell Barcode"}, "/dev/input/event0", ""},
		{EventDevice{USB: "04d9:A062"}, "/dev/input/event3", ""},
		{EventDevice{Name: "USB Numeric Keypad"}, "",
			"/dev/input/event2, /dev/input/event3 all are: name it by its path"},
		{EventDevice{Name: "gpio-keys"}, "", "there is no input device gpio-keys with an Enter key; there are: "},
		{EventDevice{USB: "ffff:0001"}, "", `"Honeywell Barcode" (0c2e:0b61)`},
	} {
		if strconv.IntSize != 64 {
			t.Skip("the bitmaps are those of 64 bits")
		}
		got, err := findEvents(sys, c.e)
		if got != c.want || (err == nil) != (c.bad == "") || err != nil && !strings.Contains(err.Error(), c.bad) {
			t.Errorf("%s: %q, %v", c.e, got, err)
		}
	}
	// The same pad on a 32-bit kernel.
	for bitmap, want := range map[string]bool{"1 0 0 0": true, "10000000": true, "ffffffff 0 0": false,
		"x 0 0 0": false, "": false} {
		if hasEnter(bitmap, 32) != want {
			t.Errorf("%q: %v", bitmap, !want)
		}
	}
	if _, err := openEventFile(sys, EventDevice{Name: "none"}); err == nil {
		t.Error("a device that is not there was opened")
	}
}

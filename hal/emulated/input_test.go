package emulated_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/board"
	"payterm/drivers/keypad"
	"payterm/drivers/scanner"
	"payterm/drivers/signal"
	"payterm/hal"
	"payterm/hal/emulated"
)

// The contracts of all scanners and all keypads, tested for each driver on its emulated device.

// readers are boards that differ in their scanner.
var readers = []struct{ name, scanner string }{
	{"cr", `framing = "cr"`},
	{"lf", `framing = "lf"`},
	{"crlf", `framing = "crlf"`},
	{"stx_etx", `framing = "stx_etx"`},
	{"gap", "framing = \"gap\"\ngap = \"80ms\""},
	{"cr with AIM", "framing = \"cr\"\naim = true"},
	{"stx_etx with AIM", "framing = \"stx_etx\"\naim = true"},
	{"evdev", `kind = "evdev"`},
	{"evdev with AIM", "kind = \"evdev\"\naim = true"},
}

// inputBoard is a board with one device; violations fail the test.
func inputBoard(t testing.TB, profile string) (*emulated.Board, *board.Board) {
	t.Helper()
	p, err := board.ReadProfile("input.toml", []byte("board = \"input\"\n"+profile))
	if err != nil {
		t.Fatal(err)
	}
	return newBoardOf(t, 50, func(whole *board.Profile) { *whole = p })
}

func readerBoard(t testing.TB, settings string) (*emulated.Board, *board.Board) {
	t.Helper()
	if strings.Contains(settings, "evdev") {
		return inputBoard(t, "[scanner]\nusb = \"0c2e:0b61\"\n"+settings)
	}
	return inputBoard(t, "[scanner]\ndevice = \"/dev/ttyS1\"\nbaud = 9600\n"+settings)
}

// scans runs the driver as an agent does until the test ends, and returns what it reads, and
// "unplugged" for an unplugged scanner.
func scans(t testing.TB, b *board.Board, keys func(scanner.Keys) scanner.Keys) <-chan string {
	t.Helper()
	p := b.Profile.Scanner
	var line scanner.Line = b.Scanner
	framing := scanner.Framing(p.Framing)
	if p.Kind == "evdev" {
		keyboard, err := scanner.NewKeyboard(keys(hal.NewKeys(b.Scanner)), p.Layout)
		if err != nil {
			t.Fatal(err)
		}
		line, framing = keyboard, scanner.CR
	}
	start := time.Now()
	s, err := scanner.New(line, scanner.Options{Framing: framing, Pause: p.Gap.Duration, AIM: p.AIM,
		Latin: p.Kind == board.KindEvdev, Now: func() time.Duration { return time.Since(start) }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	read, ended := make(chan string, 100), make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			scan, err := s.Read(ctx)
			var unplugged interface{ Unplugged() bool }
			switch {
			case err == nil:
				read <- scan.Code.Reveal()
			case errors.As(err, &unplugged) && unplugged.Unplugged():
				read <- "unplugged"
				time.Sleep(10 * time.Millisecond)
			case ctx.Err() == nil:
				read <- err.Error()
				return
			}
		}
	}()
	t.Cleanup(func() { stop(); <-ended })
	return read
}

func honest(k scanner.Keys) scanner.Keys { return k }

// next is the next value, "" if none comes in time.
func next[T ~string](from <-chan T, wait time.Duration) T {
	select {
	case got := <-from:
		return got
	case <-time.After(wait):
		return ""
	}
}

const wallet, otherWallet = "281234567890123456", "134857901234567890"

func TestScannerContract(t *testing.T) {
	for _, r := range readers {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			e, b := readerBoard(t, r.scanner)
			read := scans(t, b, honest)
			gap, typing := r.name == "gap", strings.HasPrefix(r.name, "evdev")
			head, tail := frameOf(r.name)
			do := func(acts ...error) {
				t.Helper()
				if err := errors.Join(acts...); err != nil {
					t.Fatal(err)
				}
			}
			wants := func(when string, codes ...string) {
				t.Helper()
				for _, want := range codes {
					if got := next(read, 10*time.Second); got != want {
						t.Fatalf("%s: read %q, want %q", when, got, want)
					}
				}
			}
			pause := func() { // where only a pause separates frames
				if gap {
					time.Sleep(300 * time.Millisecond)
				}
			}
			nothing := func(when string) {
				t.Helper()
				// A marker code: once it is read, all before it was.
				pause()
				do(e.Scan("nothing"))
				wants(when, "nothing")
			}

			do(e.Scan(wallet))
			wants("whole", wallet)
			pause()
			do(e.Scan(wallet))
			pause()
			do(e.Scan(wallet))
			wants("twice", wallet, wallet)
			every := ""
			for c := byte('!'); c <= '~'; c++ {
				every += string(c)
			}
			pause()
			do(e.Scan(every))
			wants("every character", every)
			if !gap {
				do(e.ScanBytes([]byte(head + wallet[:7])))
				time.Sleep(100 * time.Millisecond)
				do(e.ScanBytes([]byte(wallet[7:] + tail)))
				wants("split", wallet)
				do(e.ScanBytes([]byte(head + wallet + tail + head + otherWallet + tail)))
				wants("joined", wallet, otherWallet)
			}
			pause()
			do(e.ScanBytes([]byte(head + "28\x01\x80\xff12" + tail)))
			nothing("garbage")
			do(e.ScanBytes([]byte(head + tail)))
			nothing("an empty frame")
			pause()
			do(e.ScanBytes([]byte(head + strings.Repeat("9", 600) + tail)))
			nothing("a frame without bounds")
			if typing {
				do(e.ScanBytes([]byte(head+wallet[:5])), e.FloodScanner([]byte(wallet[5:])), e.ScanBytes([]byte(tail)))
				nothing("events that were lost")
				do(e.ScanBytes([]byte(head+wallet)), e.FloodScanner([]byte(tail+head+otherWallet)),
					e.ScanBytes([]byte(tail)))
				nothing("an end that was lost between two codes")
			}
		})
	}
}

// frameOf is what a scanner sends before and after a code.
func frameOf(name string) (head, tail string) {
	switch {
	case strings.HasPrefix(name, "stx"):
		head, tail = "\x02", "\x03"
	case strings.HasPrefix(name, "lf"):
		tail = "\n"
	case strings.HasPrefix(name, "crlf"):
		tail = "\r\n"
	case !strings.HasPrefix(name, "gap"):
		tail = "\r"
	}
	if strings.HasSuffix(name, "AIM") {
		head += "]C1"
	}
	return head, tail
}

// TestScannerPulled: each cable is pulled in the middle of a code, many times: half a code is
// never returned, the next one is whole, and nothing is left behind.
func TestScannerPulled(t *testing.T) {
	before, files := runtime.NumGoroutine(), openFiles(t)
	t.Run("each", pullScanners)
	for end := time.Now().Add(5 * time.Second); (runtime.NumGoroutine() > before || openFiles(t) > files) &&
		time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
	}
	if g, f := runtime.NumGoroutine(), openFiles(t); g > before || f > files {
		t.Errorf("%d goroutines and %d files before, %d and %d now", before, files, g, f)
	}
}

func pullScanners(t *testing.T) {
	for _, r := range readers {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			e, b := readerBoard(t, r.scanner)
			read := scans(t, b, honest)
			head, _ := frameOf(r.name)
			for range 2 {
				if err := e.ScanBytes([]byte(head + wallet[:7])); err != nil {
					t.Fatal(err)
				}
				if err := e.Unplug("scanner"); err != nil {
					t.Fatal(err)
				}
				if err := e.Scan(wallet); err == nil {
					t.Fatal("a reader without its cable sent a code")
				}
				for got := ""; got != "unplugged"; {
					// With gap a pause ends a code, also one that unplugging cut short; the
					// gateway refuses it by its length. The others never return a part.
					if got = next(read, 10*time.Second); got != "unplugged" && (r.name != "gap" || got != wallet[:7]) {
						t.Fatalf("read %q", got)
					}
				}
				if err := e.Plug("scanner"); err != nil {
					t.Fatal(err)
				}
				for end := time.Now().Add(20 * time.Second); ; {
					if ok, _ := b.Scanner.Plugged(); ok {
						break
					}
					if time.Now().After(end) {
						t.Fatal("it does not come back")
					}
					time.Sleep(5 * time.Millisecond)
				}
				if err := e.Scan(wallet); err != nil {
					t.Fatal(err)
				}
				got := next(read, 10*time.Second)
				for got == "unplugged" {
					got = next(read, 10*time.Second)
				}
				if got != wallet {
					t.Fatalf("read %q after it was pulled", got)
				}
			}
		})
	}
}

func openFiles(t testing.TB) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// deaf is a Keys that hides ErrDropped.
type deaf struct{ scanner.Keys }

func (d deaf) ReadKey(wait time.Duration) (uint16, int32, error) {
	code, value, err := d.Keys.ReadKey(wait)
	if errors.Is(err, hal.ErrDropped) {
		return 0, 0, nil
	}
	return code, value, err
}

// TestFloodMakesHoles: the flood does lose keys: a driver that ignored that would return a code
// with a hole.
func TestFloodMakesHoles(t *testing.T) {
	e, b := readerBoard(t, `kind = "evdev"`)
	read := scans(t, b, func(k scanner.Keys) scanner.Keys { return deaf{k} })
	if err := errors.Join(e.ScanBytes([]byte(wallet[:5])), e.FloodScanner([]byte(wallet[5:])),
		e.ScanBytes([]byte("\r"))); err != nil {
		t.Fatal(err)
	}
	if got := next(read, 10*time.Second); got == "" || got == wallet || !strings.HasPrefix(got, wallet[:5]) {
		t.Errorf("read %q", got)
	}
}

// TestNotGrabbedIsTold: reading an event device without grabbing it is reported.
func TestNotGrabbedIsTold(t *testing.T) {
	p, err := board.ReadProfile("input.toml",
		[]byte("board = \"input\"\n[scanner]\nkind = \"evdev\"\nusb = \"0c2e:0b61\""))
	if err != nil {
		t.Fatal(err)
	}
	e, err := emulated.New(emulated.Config{Profile: p, Scale: 50})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	first, err := e.Events(p.Scanner.Events())
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second, err := e.Events(p.Scanner.Events())
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if ok, err := second.Plugged(); ok || err == nil || !strings.Contains(err.Error(), "another program uses it") &&
		!strings.Contains(err.Error(), "busy") {
		t.Errorf("two took one device: %v %v", ok, err)
	}
	if len(e.Violations()) != 0 {
		t.Errorf("%v", e.Violations())
	}
	if err := e.ReadUngrabbed("scanner"); err != nil {
		t.Fatal(err)
	}
	if v := e.Violations(); len(v) == 0 || v[0].Rule != emulated.NotGrabbed {
		t.Errorf("told of %v", v)
	}
}

// pads are boards that differ in their keypad.
var pads = []struct{ name, keypad string }{
	{"matrix", `kind = "matrix"
rows = ["L:5", "L:6", "L:13", "L:19"]
columns = ["L:12", "L:16", "L:20", "L:21"]
keys = [
	["1", "2", "3", "CANCEL"],
	["4", "5", "6", "CLEAR"],
	["7", "8", "9", "F1"],
	["00", "0", "F2", "ENTER"],
]`},
	{"evdev", `kind = "evdev"
usb = "04d9:a061"`},
	{"evdev with a map", `kind = "evdev"
name = "Pad"
[keypad.map]
KEY_F1 = "1"
KEY_F2 = "2"
KEY_F3 = "3"
KEY_F4 = "4"
KEY_F5 = "5"
KEY_F6 = "6"
KEY_F7 = "7"
KEY_F8 = "8"
KEY_F9 = "9"
KEY_F10 = "0"
KEY_COMPOSE = "00"
KEY_ENTER = "ENTER"
KEY_ESC = "CANCEL"
KEY_DELETE = "CLEAR"`},
}

// presses runs the driver as an agent does until the test ends.
func presses(t testing.TB, e *emulated.Board, b *board.Board) <-chan payterm.Key {
	t.Helper()
	k := b.Profile.Keypad
	ctx, stop := context.WithCancel(context.Background())
	pressed, ended := make(chan payterm.Key, 100), make(chan error, 1)
	press := func(k payterm.Key) { pressed <- k }
	go func() {
		if k.Kind == "evdev" {
			pad := keypad.NewPad(hal.NewKeys(b.Keypad.Events), k.Codes())
			for ctx.Err() == nil {
				err := pad.Run(ctx, press)
				var unplugged interface{ Unplugged() bool }
				if err != nil && (!errors.As(err, &unplugged) || !unplugged.Unplugged()) {
					ended <- err
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
			ended <- nil
			return
		}
		var rows []keypad.Row
		var columns []keypad.Column
		for _, p := range b.Keypad.Rows {
			rows = append(rows, p)
		}
		for _, p := range b.Keypad.Columns {
			columns = append(columns, p)
		}
		m, err := keypad.New(rows, columns, k.Keys, keypad.Options{Interval: k.ScanInterval.Duration,
			Debounce: k.Debounce.Duration, Sleep: e.Sleep})
		if err == nil {
			err = m.Run(ctx, press)
		}
		ended <- err
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if len(pressed) != 0 {
			t.Errorf("a key too many: %s", <-pressed)
		}
	})
	return pressed
}

func TestKeypadContract(t *testing.T) {
	for _, p := range pads {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			e, b := inputBoard(t, "[keypad]\n"+p.keypad)
			pressed := presses(t, e, b)
			press := func(keys ...payterm.Key) {
				t.Helper()
				for _, k := range keys {
					if err := e.Press(k); err != nil {
						t.Fatal(err)
					}
					if got := next(pressed, 10*time.Second); got != k {
						t.Fatalf("pressed %s, read %q", k, got)
					}
				}
			}
			n := 0
			for _, row := range b.Profile.Keypad.Layout() {
				for _, k := range row {
					if k != "" {
						press(k)
						n++
					}
				}
			}
			if n < 14 {
				t.Errorf("%d keys only", n)
			}
			press("1", "1", "00", "1")

			// A key that is held is one press, however long; another key during it is another
			// press.
			for _, k := range []payterm.Key{"1", "5"} {
				if err := e.Hold(k, true); err != nil {
					t.Fatal(err)
				}
				if got := next(pressed, 10*time.Second); got != k {
					t.Fatalf("held %s, read %q", k, got)
				}
			}
			if err := errors.Join(e.Hold("1", false), e.Hold("5", false)); err != nil {
				t.Fatal(err)
			}
			press("9")
			if err := e.Press("F4"); err == nil {
				t.Error("a key that the pad does not have was pressed")
			}

			// It is unplugged, pressed without effect, and plugged in.
			for range 3 {
				if err := e.Unplug("keypad"); err != nil {
					t.Fatal(err)
				}
				if err := e.Press("7"); p.name != "matrix" && err == nil {
					t.Error("a pad without its cable was pressed")
				}
				if err := e.Plug("keypad"); err != nil {
					t.Fatal(err)
				}
				for end := time.Now().Add(20 * time.Second); b.Keypad.Events != nil; time.Sleep(5 * time.Millisecond) {
					if ok, _ := b.Keypad.Events.Plugged(); ok {
						break
					}
					if time.Now().After(end) {
						t.Fatal("it does not come back")
					}
				}
				press("8", "ENTER")
			}
		})
	}
}

// TestSignalsOnTheBoard: a melody is played as written, and lamps and backlight have the states
// that were set.
func TestSignalsOnTheBoard(t *testing.T) {
	e, b := inputBoard(t, `[scanner]
device = "/dev/ttyS1"
baud = 9600
[signal]
buzzer = "pwmchip0:1"
led_ready = "L:5"
led_approved = "L:6"
led_attention = "L:13"
`)
	z, err := signal.NewPassiveBuzzer(b.Buzzer, e.Sleep)
	if err != nil {
		t.Fatal(err)
	}
	heard := map[payterm.Sound]string{}
	for _, s := range []payterm.Sound{payterm.SoundKey, payterm.SoundScan, payterm.SoundApproved, payterm.SoundDeclined,
		payterm.SoundDoubt, payterm.SoundAlarm} {
		was := len(e.Pulses("pwmchip0:1"))
		if err := z.Play(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		all := e.Pulses("pwmchip0:1")[was:]
		for i, p := range all {
			if p.Hz != 0 && (p.Duty != 0.5 || p.Hz < 1000 || p.Hz > 5000) {
				t.Errorf("%s: %+v", s, p)
			}
			if i > 0 && p.Hz != 0 && all[i-1].Hz != 0 {
				t.Errorf("%s: two notes without a pause", s)
			}
			heard[s] += strconv.Itoa(p.Hz) + " "
		}
		if last := all[len(all)-1]; last.Duty != 0 {
			t.Errorf("%s does not end: %+v", s, last)
		}
	}
	if want := "2093 0 3136 0 "; heard[payterm.SoundApproved] != want {
		t.Errorf("approved: heard %q, want %q", heard[payterm.SoundApproved], want)
	}
	if want := "2349 0 1568 0 "; heard[payterm.SoundDeclined] != want {
		t.Errorf("declined: heard %q, want %q", heard[payterm.SoundDeclined], want)
	}

	lamps := signal.Lamps{Ready: b.LEDs.Ready, Approved: b.LEDs.Approved, Attention: b.LEDs.Attention}
	for tone, want := range map[payterm.Tone]string{payterm.Calm: "L:5", payterm.Busy: "L:5", payterm.Good: "L:6",
		payterm.Bad: "L:13", payterm.Doubt: "L:13"} {
		if err := lamps.Show(tone); err != nil {
			t.Fatal(err)
		}
		var lit []string
		for _, name := range []string{"L:5", "L:6", "L:13"} {
			if p := e.Pulses(name); len(p) > 0 && p[len(p)-1].Duty == 1 {
				lit = append(lit, name)
			}
		}
		if !slices.Equal(lit, []string{want}) {
			t.Errorf("tone %d: %v burn, want %s", tone, lit, want)
		}
	}
}

// TestActiveLow: an active-low device is on while its line is low.
func TestActiveLow(t *testing.T) {
	e, b := inputBoard(t, `[scanner]
device = "/dev/ttyS1"
baud = 9600
[signal]
buzzer = "L:17"
buzzer_active_low = true
led_ready = "L:5"
led_approved = "L:6"
leds_active_low = true
`)
	z, err := signal.NewBuzzer(b.Buzzer, e.Sleep)
	if err != nil {
		t.Fatal(err)
	}
	level := func(name string) float64 { all := e.Pulses(name); return all[len(all)-1].Duty }
	if level("L:17") != 1 {
		t.Error("it sounds at rest")
	}
	if err := z.Play(t.Context(), payterm.SoundKey); err != nil {
		t.Fatal(err)
	}
	if all := e.Pulses("L:17"); len(all) != 3 || all[1].Duty != 0 || all[2].Duty != 1 {
		t.Errorf("a key sounds as %+v", all)
	}
	lamps := signal.Lamps{Ready: b.LEDs.Ready, Approved: b.LEDs.Approved}
	if err := lamps.Show(payterm.Good); err != nil {
		t.Fatal(err)
	}
	if level("L:5") != 1 || level("L:6") != 0 {
		t.Errorf("ready %v, approved %v", level("L:5"), level("L:6"))
	}
}

// TestKeyNumbers compares the key numbers with the kernel's header; the drivers have a table of
// their own.
func TestKeyNumbers(t *testing.T) {
	f, err := os.Open("/usr/include/linux/input-event-codes.h")
	if err != nil {
		t.Skip("the kernel's headers are not here")
	}
	defer f.Close()
	define := regexp.MustCompile(`^#define\s+(KEY_\w+)\s+(\d+)\b`)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if m := define.FindStringSubmatch(lines.Text()); m != nil && len(m[2]) < 4 {
			if n, known := emulated.KeyNumber(m[1]); known && strconv.Itoa(n) != m[2] {
				t.Errorf("%s is %s, not %d", m[1], m[2], n)
			}
		}
	}
	if n, known := emulated.KeyNumber("KEY_KPENTER"); n != 96 || !known {
		t.Errorf("KEY_KPENTER is %d, %v", n, known)
	}
}

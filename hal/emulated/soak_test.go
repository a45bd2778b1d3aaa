package emulated_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"payterm"
	"payterm/board"
	"payterm/boards"
	"payterm/drivers/keypad"
	"payterm/drivers/printer"
	"payterm/drivers/scanner"
	"payterm/glass"
	"payterm/hal"
	"payterm/hal/emulated"
	"payterm/terminal/devices"
)

// cycles is how often all devices are unplugged and plugged in: a few in `make test`, a thousand
// in `make soak`.
var cycles = flag.Int("cycles", 8, "unplug and plug all devices of each board so many times")

// boardsAtOnce run at the same time, to save waiting: a line retries after 100 ms at the
// earliest, and only after a device was there for a second.
const boardsAtOnce = 8

// soakBoards are the boards of the soak: every kind of wire is unplugged.
var soakBoards = []struct {
	name   string
	change func(*board.Profile)
}{
	{"display on SPI, printer on a serial line", func(*board.Profile) {}},
	{"display on I2C, printer on the network", func(p *board.Profile) {
		p.Display = &board.Display{Controller: "ssd1306", I2C: "I2C1", Address: 0x3c, Width: 128, Height: 64,
			Contrast: 207}
		p.Printer.Device, p.Printer.Baud, p.Printer.Network = "", 0, "192.0.2.7:9100"
	}},
	{"scanner and pad that type, a frame buffer, printer of the USB class", func(p *board.Profile) {
		p.Display = &board.Display{Controller: "fbdev", Device: "/dev/fb0", Bits: 16, Width: 320, Height: 240}
		p.Scanner = &board.Scanner{Kind: "evdev", USB: "0c2e:0b61"}
		p.Keypad = &board.Keypad{Kind: "evdev", Name: "Pad", Map: map[string]payterm.Key{"KEY_KP5": "5"}}
		p.Printer.Device, p.Printer.Baud, p.Printer.USB = "", 0, "/dev/usb/lp0"
	}},
}

// unplugged is one of these boards with drivers on all devices.
type unplugged struct {
	e       *emulated.Board
	b       *board.Board
	display *glass.Display
	printer *printer.Printer
	codes   chan string
	keys    chan payterm.Key
	stop    context.CancelFunc
	wg      sync.WaitGroup
}

func newUnplugged(change func(*board.Profile)) (*unplugged, error) {
	text, err := boards.Read("emulated")
	if err != nil {
		return nil, err
	}
	p, err := board.ReadProfile("emulated.toml", text)
	if err != nil {
		return nil, err
	}
	// A keypad is scanned so often that a hundred times its rate is too much for two processors.
	p.Keypad.ScanInterval.Duration, p.Keypad.Debounce.Duration = 50*time.Millisecond, 100*time.Millisecond
	change(&p)
	u := &unplugged{codes: make(chan string, 8), keys: make(chan payterm.Key, 8)}
	if u.e, err = emulated.New(emulated.Config{Profile: p, Scale: 25}); err != nil {
		return nil, err
	}
	u.b = board.Open(p, u.e)
	ctx, stop := context.WithCancel(context.Background())
	u.stop = stop
	if len(u.b.Faults) > 0 {
		return u, fmt.Errorf("%v", u.b.Faults)
	}
	if u.display, err = devices.OpenDisplay(u.b, u.e.Sleep); err != nil {
		return u, err
	}
	if u.printer, err = printer.New(u.b.Printer, printer.Options{Columns: 32, Baud: 9600, Status: true, Cut: true,
		Sleep: u.e.Sleep}); err != nil {
		return u, err
	}
	start := time.Now()
	var line scanner.Line = u.b.Scanner
	if p.Scanner.Kind == "evdev" {
		if line, err = scanner.NewKeyboard(hal.NewKeys(u.b.Scanner), p.Scanner.Layout); err != nil {
			return u, err
		}
	}
	reader, err := scanner.New(line, scanner.Options{Framing: scanner.CR,
		Now: func() time.Duration { return time.Since(start) }})
	if err != nil {
		return u, err
	}
	press := func(k payterm.Key) { u.keys <- k }
	if u.b.Keypad.Events != nil {
		pad := keypad.NewPad(hal.NewKeys(u.b.Keypad.Events), p.Keypad.Codes())
		u.wg.Go(func() {
			for ctx.Err() == nil {
				if pad.Run(ctx, press) != nil {
					u.e.Sleep(time.Second) // as the agent does
				}
			}
		})
		u.scans(ctx, reader)
		return u, nil
	}
	rows, columns := make([]keypad.Row, len(u.b.Keypad.Rows)), make([]keypad.Column, len(u.b.Keypad.Columns))
	for i := range rows {
		rows[i] = u.b.Keypad.Rows[i]
	}
	for i := range columns {
		columns[i] = u.b.Keypad.Columns[i]
	}
	pad, err := keypad.New(rows, columns, p.Keypad.Keys, keypad.Options{Interval: p.Keypad.ScanInterval.Duration,
		Debounce: p.Keypad.Debounce.Duration, Sleep: u.e.Sleep})
	if err != nil {
		return u, err
	}
	u.wg.Go(func() { pad.Run(ctx, press) }) //nolint:errcheck // it ends with ctx, and a missing key is reported
	u.scans(ctx, reader)
	return u, nil
}

// scans passes on what a scanner reads.
func (u *unplugged) scans(ctx context.Context, reader *scanner.Scanner) {
	u.wg.Go(func() {
		for ctx.Err() == nil {
			if scan, err := reader.Read(ctx); err == nil {
				u.codes <- scan.Code.Reveal()
			} else {
				u.e.Sleep(time.Second) // as the agent does
			}
		}
	})
}

var plugs = []string{"display", "scanner", "printer", "keypad"}

// cycle unplugs all devices, plugs them in, and checks that each works.
func (u *unplugged) cycle(n int) error {
	for _, device := range plugs {
		if err := u.e.Unplug(device); err != nil {
			return err
		}
	}
	u.display.Show(amount("$0.00")) //nolint:errcheck // a bus without acknowledgement may not notice
	time.Sleep(20 * time.Millisecond)
	for _, device := range plugs {
		if err := u.e.Plug(device); err != nil {
			return err
		}
	}
	return u.works(n)
}

// works checks each device's function.
func (u *unplugged) works(n int) error {
	s := waiting(fmt.Sprintf("0:%02d", n%60))
	u.e.Sleep(120 * time.Millisecond)
	if err := errors.Join(u.display.Init(), u.display.Show(s)); err != nil {
		return err
	}
	if frame := u.e.Frame(); !unlike(frame, darkness(frame)) {
		return errors.New("the display is dark")
	}
	if err := within(func() bool { return u.printer.Condition(context.Background()) == payterm.PaperOK }); err != nil {
		return fmt.Errorf("the printer does not answer: %w", err)
	}
	code := fmt.Sprintf("28%016d", n)
	heard := func() bool {
		u.e.Scan(code) //nolint:errcheck // it is scanned again
		select {
		case got := <-u.codes:
			return got == code
		case <-time.After(50 * time.Millisecond):
			return false
		}
	}
	if err := within(heard); err != nil {
		return fmt.Errorf("no scan comes: %w", err)
	}
	for more := true; more; { // repeated scans
		select {
		case <-u.codes:
		case <-time.After(20 * time.Millisecond):
			more = false
		}
	}
	pressed := func() bool { // a pad that types gets no keys before it is open again
		u.e.Press("5") //nolint:errcheck // it is pressed again
		select {
		case k := <-u.keys:
			return k == "5"
		case <-time.After(500 * time.Millisecond):
			return false
		}
	}
	if err := within(pressed); err != nil {
		return fmt.Errorf("no key comes: %w", err)
	}
	for len(u.keys) > 0 { // repeated keys
		<-u.keys
	}
	return nil
}

func within(true func() bool) error {
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if true() {
			return nil
		}
	}
	return errors.New("not in 30 s")
}

func (u *unplugged) close() error {
	u.stop()
	err := errors.Join(u.b.Close(), u.e.Close())
	u.wg.Wait()
	for _, v := range u.e.Violations() {
		err = errors.Join(err, v)
	}
	return err
}

// held counts what a process has to give back.
type held struct{ goroutines, descriptors int }

func holding() (h held, err error) {
	list, err := os.ReadDir("/proc/self/fd")
	return held{runtime.NumGoroutine(), len(list)}, err
}

// resting is the smallest count in a while: what is just ending does not hide what stays.
func resting() (least held, err error) {
	for i := range 20 {
		now, err := holding()
		if err != nil {
			return now, err
		}
		if i == 0 {
			least = now
		}
		least = held{min(least.goroutines, now.goroutines), min(least.descriptors, now.descriptors)}
		time.Sleep(20 * time.Millisecond)
	}
	return least, nil
}

// back waits until the counts are no higher than before.
func (h held) back(when string, patience time.Duration) error {
	var now held
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var err error
		if now, err = holding(); err != nil {
			return err
		}
		if now.goroutines <= h.goroutines && now.descriptors <= h.descriptors {
			return nil
		}
	}
	var stacks strings.Builder
	pprof.Lookup("goroutine").WriteTo(&stacks, 1)
	return fmt.Errorf("%s: %d goroutines and %d descriptors before, %d and %d now:\n%s", when, h.goroutines,
		h.descriptors, now.goroutines, now.descriptors, stacks.String())
}

// soakPlugs unplugs and plugs in all devices of several boards, n times in all. wrong is a
// planted bug, run after each round.
func soakPlugs(n int, change func(*board.Profile), patience time.Duration, wrong func()) error {
	first, err := newUnplugged(change)
	if err == nil {
		err = first.close() // the runtime keeps its poller from here on
	}
	if err != nil {
		return err
	}
	before, err := holding()
	if err != nil {
		return err
	}
	boards := make([]*unplugged, min(n, boardsAtOnce))
	each := func(do func(u *unplugged) error) error {
		errs := make([]error, len(boards))
		var wg sync.WaitGroup
		for i, u := range boards {
			wg.Go(func() { errs[i] = do(u) })
		}
		wg.Wait()
		return errors.Join(errs...)
	}
	for i := range boards {
		if boards[i], err = newUnplugged(change); err != nil {
			return err
		}
	}
	err = each(func(u *unplugged) error { return u.works(0) })
	plugged, unknown := resting()
	err = errors.Join(err, unknown)
	for round := 1; err == nil && (round-1)*len(boards) < n; round++ {
		err = each(func(u *unplugged) error {
			time.Sleep(1100 * time.Millisecond) // so that it resets the back-off
			if err := u.cycle(round); err != nil {
				return fmt.Errorf("round %d: %w", round, err)
			}
			return nil
		})
		wrong()
	}
	if err == nil {
		err = plugged.back("with all cables in", patience)
	}
	if closed := each((*unplugged).close); err != nil || closed != nil {
		return errors.Join(err, closed)
	}
	return before.back("when all was closed", patience)
}

// TestSoakPlugs: each device works after any number of replugs, and nothing is left open, neither
// during nor after it.
func TestSoakPlugs(t *testing.T) {
	for _, board := range soakBoards {
		before, err := holding()
		if err != nil {
			t.Fatal(err)
		}
		if err := soakPlugs(*cycles, board.change, 10*time.Second, func() {}); err != nil {
			t.Errorf("%s: %v", board.name, err)
		}
		after, err := holding()
		t.Logf("%s: each device unplugged %d times; before there were %+v, afterwards %+v, %v", board.name, *cycles,
			before, after, err)
	}
}

// TestSoakPlugsCatches: a goroutine or a descriptor that stays is found.
func TestSoakPlugsCatches(t *testing.T) {
	end := make(chan struct{})
	defer close(end)
	for _, wrong := range []func(){
		func() { go func() { <-end }() },
		func() {
			f, err := os.Open(os.DevNull)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
		},
	} {
		if err := soakPlugs(1, soakBoards[1].change, 300*time.Millisecond, wrong); err == nil ||
			!strings.HasPrefix(err.Error(), "with all cables in: ") {
			t.Errorf("it was not found: %v", err)
		}
	}
}

package terminal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/board"
	"payterm/boards"
	"payterm/config"
	"payterm/flows/counter"
	"payterm/gateway/ottsim"
	"payterm/hal/emulated"
	"payterm/terminal/api"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

var update = flag.Bool("update", false, "write the golden files anew")

// never is how long a test waits for what must come. A machine with other work takes long; nothing is measured.
const never = 2 * time.Minute

func TestMain(m *testing.M) {
	flag.Parse()
	// Terminals wait more than they compute, so more tests run at once than there are processors. The race detector
	// (-short) computes ten times as much.
	atOnce := "12"
	if testing.Short() {
		atOnce = "6"
	}
	if err := flag.Set("test.parallel", atOnce); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// hasty has short intervals for tests.
var hasty = patience{refresh: time.Second, awayAfter: 300 * time.Millisecond, lookAgain: 300 * time.Millisecond}

// clinic is a terminal on emulated chips, with a simulated person.
type clinic struct {
	t     *testing.T
	a     *Agent
	board *emulated.Board
	ended chan error // has the result of Run
}

// newClinic starts a terminal on a board, which change may modify.
func newClinic(t *testing.T, name string, change func(*board.Profile)) *clinic {
	t.Helper()
	return startClinic(t, name, change, func(*Options, *emulated.Board) {})
}

// startClinic also takes other options, or a fault of the board.
func startClinic(t *testing.T, name string, change func(*board.Profile),
	options func(*Options, *emulated.Board)) *clinic {
	t.Helper()
	sim := ottsim.New(ottsim.Config{MerchantID: "ON00000000", SignKey: "0123456789ABCDEF", Seed: 1})
	gateway := httptest.NewServer(sim)
	t.Cleanup(gateway.Close)
	sim.SetBaseURL(gateway.URL)
	text, err := boards.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	profile, err := board.ReadProfile(name+".toml", text)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&profile)
	}
	hardware, err := emulated.New(emulated.Config{Profile: profile, Scale: 20})
	if err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Gateway.MerchantID, c.Gateway.OperatorID, c.Gateway.URL, c.Gateway.CallBackURL = "ON00000000", "0000000696",
		gateway.URL+"/processV2", "https://example.com/cb"
	o := Options{
		Config: c, Data: t.TempDir(), SignKey: "0123456789ABCDEF", Board: board.Open(profile, hardware),
		Sleep: hardware.Sleep, Log: slog.New(slog.DiscardHandler),
	}
	o.patience = hasty
	o.networkTime = func() (bool, error) { return true, nil }
	options(&o, hardware)
	a, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, hardware.Close()); err != nil && !errors.Is(err, ErrProvisioned) {
			t.Error(err)
		}
	})
	return &clinic{t, a, hardware, ended}
}

// doctor asks for a report; person, which may be nil, reacts to each new screen meanwhile.
func (c *clinic) doctor(query string, person func(payterm.Screen)) (api.Report, string) {
	c.t.Helper()
	w := httptest.NewRecorder()
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.a.socket().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/doctor?"+query, nil))
	}()
	seen := ""
	for limit := time.After(90 * time.Second); ; {
		select {
		case <-done:
			var rep api.Report
			if err := json.Unmarshal(w.Body.Bytes(), &rep); err != nil {
				c.t.Fatalf("HTTP %d %s: %v", w.Code, w.Body, err)
			}
			return rep, w.Body.String()
		case <-limit:
			c.t.Fatalf("the doctor does not end: %+v", c.a.Screen())
		case <-time.After(5 * time.Millisecond):
		}
		s := c.a.Screen()
		s.Status = "" // that the network or the printer is away asks nothing of the person
		if person != nil && s.Name == string(counter.ViewService) && fmt.Sprint(s) != seen {
			seen = fmt.Sprint(s)
			person(s)
		}
	}
}

func (c *clinic) press(k payterm.Key) {
	if err := c.board.Press(k); err != nil {
		c.t.Error(err)
	}
}

func (c *clinic) scan(code string) {
	if err := c.board.Scan(code); err != nil {
		c.t.Error(err)
	}
}

// reads is the text of the QR code in a picture, or "".
func reads(img image.Image) string {
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		return ""
	}
	found, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	if err != nil {
		return ""
	}
	return found.GetText()
}

// paperCode waits for a code on paper, and tears it off.
func (c *clinic) paperCode() string {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		img, text := c.board.Paper()
		if code := reads(img); code != "" && strings.Contains(text, "--- cut ---") {
			c.board.Tear()
			return code
		}
	}
	c.t.Error("there is no code on the paper")
	return ""
}

// willing does what the screens ask for, except where instead has something for the title or key.
func (c *clinic) willing(instead map[string]func(payterm.Screen)) func(payterm.Screen) {
	return func(s payterm.Screen) {
		what := s.Title
		if s.Title == "Keypad" {
			what = s.Amount
		}
		if do := instead[what]; do != nil {
			do(s)
			return
		}
		switch {
		case s.Title == "Keypad":
			c.press(payterm.Key(s.Amount))
		case s.Title == "Scan this code" && s.QR != "":
			c.scan(s.QR)
		case s.Title == "Scan this code":
			c.scan(c.paperCode())
		case len(s.Keys) > 0 && s.Keys[0].Key == payterm.KeyEnter:
			c.press(payterm.KeyEnter)
		}
	}
}

// named is the finding of this name.
func named(r api.Report, name string) api.Check {
	for _, c := range r.Checks {
		if c.Name == name {
			return c
		}
	}
	return api.Check{}
}

// changing matches the parts of a report that differ between runs.
var changing = regexp.MustCompile(`"at":"[^"]*"|,"took_ms":\d+|\d+ MB|\d+ bytes came|\d+ went|"says":"20\d\d-[^"]*"`)

// TestReport compares a whole report, with all well, with its golden file: programs read it.
func TestReport(t *testing.T) {
	t.Parallel()
	c := newClinic(t, "emulated", nil)
	rep, text := c.doctor("test=&step=30s", c.willing(nil))
	if !rep.OK {
		t.Error("not ok")
	}
	if s := c.a.Screen(); s.Name == string(counter.ViewService) {
		for end := time.Now().Add(never); c.a.Screen().Name != "idle"; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("the counter is not given back: %+v", c.a.Screen())
			}
		}
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, []byte(changing.ReplaceAllStringFunc(text, func(s string) string {
		if strings.HasPrefix(s, ",") {
			return ""
		}
		if strings.HasPrefix(s, `"`) {
			return s[:strings.Index(s, ":")] + `:"..."`
		}
		return regexp.MustCompile(`\d+`).ReplaceAllString(s, "N")
	})), "", "\t"); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	path := filepath.Join("testdata", "doctor.json")
	if *update {
		if err := os.WriteFile(path, pretty.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(path); err != nil || !bytes.Equal(want, pretty.Bytes()) {
		t.Errorf("%v: the report is now\n%s", err, &pretty)
	}
	for _, v := range c.board.Violations() {
		t.Error(v)
	}
}

// TestBadTrials: each thing that somebody finds bad, or that does not happen, is
// named with what to do.
func TestBadTrials(t *testing.T) {
	t.Parallel()
	const stranger = "281234567890123456"
	type does = func(*clinic) map[string]func(payterm.Screen)
	cancel := func(title string) does {
		return func(c *clinic) map[string]func(payterm.Screen) {
			return map[string]func(payterm.Screen){title: func(payterm.Screen) { c.press(payterm.KeyCancel) }}
		}
	}
	nothing := func(payterm.Screen) {}
	for _, x := range []struct {
		name, test, step string
		before           func(*emulated.Board) error
		does             does
		result, says     string
	}{
		{"a bad pattern", "display", "30s", nil, cancel("Colours, edges, grey: right?"), "fail", "rotation, offset_x"},
		{"an unreadable code", "display", "30s", nil, cancel("Can a phone read it?"), "fail", "clean the glass"},
		{"nobody looks", "display", "300ms", nil, func(*clinic) map[string]func(payterm.Screen) {
			return map[string]func(payterm.Screen){"Colours, edges, grey: right?": nothing}
		}, "fail", "nobody pressed ENTER or CANCEL within 300ms"},
		// A screen that was not shown is not answered; the driver tries until its error is in the
		// trial.
		{"a bus that fails", "display", "30s", func(b *emulated.Board) error { return b.CutTransfers(0, 1_000_000) },
			func(*clinic) map[string]func(payterm.Screen) {
				return map[string]func(payterm.Screen){"Colours, edges, grey: right?": nothing}
			}, "fail", "st7789"},
		{"a dead key", "keypad", "5s", nil, func(*clinic) map[string]func(payterm.Screen) {
			return map[string]func(payterm.Screen){"5": nothing}
		}, "fail", "dead: 5: check these contacts"},
		{"a dead row", "keypad", "4s", nil, func(*clinic) map[string]func(payterm.Screen) {
			return map[string]func(payterm.Screen){"7": nothing, "8": nothing, "9": nothing, "F1": nothing}
		}, "fail", "dead: 7 8 9 F1: check the line of row 3, gpiochip0:13"},
		{"a stuck key", "keypad", "5s", func(b *emulated.Board) error {
			return errors.Join(b.Hold("8", true),
				b.Press("CANCEL"))
		}, func(*clinic) map[string]func(payterm.Screen) {
			return map[string]func(payterm.Screen){"8": nothing}
		}, "fail", "stuck: 8: "},
		{"lines that touch", "keypad", "30s", nil, func(c *clinic) map[string]func(payterm.Screen) {
			return map[string]func(payterm.Screen){"2": func(payterm.Screen) { c.press("3"); c.press("2") }}
		}, "warn", "others came: 3 for 2"},
		{"an unplugged keypad", "keypad", "300ms", func(b *emulated.Board) error { return b.Unplug("keypad") },
			func(*clinic) map[string]func(payterm.Screen) {
				return map[string]func(payterm.Screen){"1": nothing, "2": nothing, "3": nothing, "CANCEL": nothing,
					"4": nothing}
			}, "fail", "nobody pressed a key, or the keypad is dead"},
		{"a keypad left", "keypad", "30s", nil, cancel("5"), "skip", "left at 5"},
		{"an unplugged scanner", "scanner", "30s", func(b *emulated.Board) error { return b.Unplug("scanner") },
			func(*clinic) map[string]func(payterm.Screen) {
				return map[string]func(payterm.Screen){"Scan this code": nothing}
			}, "fail", "check the cable of /dev/ttyS1"},
		{"a scanner unplugged meanwhile", "scanner", "30s", nil, func(c *clinic) map[string]func(payterm.Screen) {
			return map[string]func(payterm.Screen){"Scan this code": func(payterm.Screen) {
				if err := c.board.Unplug("scanner"); err != nil {
					c.t.Error(err)
				}
			}}
		}, "fail", "it is unplugged"},
		{"another code", "scanner", "6s", nil, func(c *clinic) map[string]func(payterm.Screen) {
			return map[string]func(payterm.Screen){"Scan this code": func(payterm.Screen) { c.scan(stranger) }}
		}, "fail", "it read 18 characters of another code"},
		{"a prefix", "scanner", "30s", nil, func(c *clinic) map[string]func(payterm.Screen) {
			return map[string]func(payterm.Screen){"Scan this code": func(payterm.Screen) {
				c.scan("]Q1" +
					c.paperCode())
			}}
		}, "fail", "prefix"},
		{"a scan left", "scanner", "30s", nil, cancel("Scan this code"), "skip", "left by CANCEL"},
		{"no paper to scan from", "scanner", "30s", func(b *emulated.Board) error { return b.SetPrinter("out", "") },
			nil, "ok", "letter by letter"},
		{"no paper", "printer", "30s", func(b *emulated.Board) error { return b.SetPrinter("out", "") }, nil, "fail",
			"put in a new roll"},
		{"an open cover", "printer", "30s", func(b *emulated.Board) error { return b.SetPrinter("", "open") }, nil,
			"fail", "close it"},
		{"a jam", "printer", "30s", func(b *emulated.Board) error { return b.JamPrinter(true) }, nil, "fail",
			"check its cable"},
		{"little paper", "printer", "30s", func(b *emulated.Board) error { return b.SetPrinter("near_end", "") }, nil,
			"warn", "nearly out"},
		{"an unplugged printer", "printer", "30s", func(b *emulated.Board) error { return b.Unplug("printer") }, nil,
			"fail", "cable"},
		{"a bad slip", "printer", "30s", nil, cancel("Is the slip right?"), "fail", "columns, dots, code_page"},
		{"a mute buzzer", "buzzer", "30s", nil, cancel("Buzzer"), "fail",
			`the sound "key" was not heard: check the line gpiochip0:17`},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			c := newClinic(t, "emulated", nil)
			c.awaitIdle()
			if x.before != nil {
				if err := x.before(c.board); err != nil {
					t.Fatal(err)
				}
				c.awaitIdle()
			}
			var instead map[string]func(payterm.Screen)
			if x.does != nil {
				instead = x.does(c)
			}
			rep, text := c.doctor("test="+x.test+"&step="+x.step, c.willing(instead))
			found := named(rep, "test "+x.test)
			if string(found.Result) != x.result || !strings.Contains(found.Says, x.says) {
				t.Errorf("%+v, want %s and %q", found, x.result, x.says)
			}
			if x.result == "fail" && rep.OK {
				t.Error("and the report is ok")
			}
			c.keepsNothing(text, stranger)
		})
	}
}

// TestTrialNamesTheKeyboard: a scanner that types for another keyboard is told what to do.
func TestTrialNamesTheKeyboard(t *testing.T) {
	t.Parallel()
	for _, x := range []struct{ says, types, named string }{
		{"us", "fr", "AZERTY"}, {"fr", "us", "QWERTY"}, {"fr", "de", "QWERTZ"},
	} {
		c := newClinic(t, "generic-evdev", func(p *board.Profile) { p.Scanner.Layout = x.says })
		c.awaitIdle()
		if err := c.board.SetScanner(emulated.Habits{Layout: x.types}); err != nil {
			t.Fatal(err)
		}
		rep, _ := c.doctor("test=scanner&step=30s", c.willing(nil))
		if found := named(rep, "test scanner"); found.Result != "fail" || !strings.Contains(found.Says, x.named) ||
			!strings.Contains(found.Says, fmt.Sprintf("say layout = %q", x.types)) {
			t.Errorf("%+v: %+v", x, found)
		}
	}
}

// TestBlindEnter: who presses ENTER before a dark glass has seen nothing. The display
// failed before the trial began, and its driver pauses; it comes back, or it does not.
func TestBlindEnter(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name         string
		cuts         int
		result, says string
	}{
		{"it stays dark", 1_000_000, "fail", "st7789"},
		{"it comes back", 1, "ok", "the pattern is right"},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			c := newClinic(t, "emulated", nil)
			c.awaitIdle()
			if err := c.board.CutTransfers(0, x.cuts); err != nil {
				t.Fatal(err)
			}
			c.press("5")
			for end := time.Now().Add(never); c.a.devices.Trouble("display").N == 0; time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("the display does not fail")
				}
			}
			c.press(payterm.KeyCancel)
			c.awaitIdle()
			rep, _ := c.doctor("test=display&step=10s", c.willing(nil))
			if found := named(rep, "test display"); string(found.Result) != x.result ||
				!strings.Contains(found.Says, x.says) {
				t.Errorf("%+v, want %s and %q", found, x.result, x.says)
			}
		})
	}
}

func (c *clinic) awaitIdle() {
	c.t.Helper()
	for end := time.Now().Add(never); c.a.Screen().Name != "idle"; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatalf("the counter is not idle: %+v", c.a.Screen())
		}
	}
}

// keepsNothing checks that a scanned code is in no report, on no paper and in no file.
func (c *clinic) keepsNothing(report, code string) {
	c.t.Helper()
	_, paper := c.board.Paper()
	if strings.Contains(report, code) || strings.Contains(paper, code) {
		c.t.Error("the code that was scanned is told")
	}
	files, err := os.ReadDir(c.a.o.Data)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(c.a.o.Data, f.Name()))
		if err == nil && bytes.Contains(b, []byte(code)) {
			c.t.Errorf("%s holds the code that was scanned", f.Name())
		}
	}
}

// TestChipFaults: a fault of a chip is named without a person.
func TestChipFaults(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name, board string
		fault       func(*emulated.Board) error
		check, says string
		result      string
	}{
		{"cut transfers", "emulated", func(b *emulated.Board) error { return b.CutTransfers(0, 2) }, "display",
			"st7789", "fail"},
		{"an OLED without power", "raspberrypi-i2c-ssd1306",
			func(b *emulated.Board) error { return b.Unplug("display") }, "display", "ssd1306", "fail"},
		{"characters without power", "raspberrypi-i2c-hd44780",
			func(b *emulated.Board) error { return b.Unplug("display") }, "display", "hd44780", "fail"},
		{"scanner", "emulated", func(b *emulated.Board) error { return b.Unplug("scanner") }, "scanner",
			"check the cable of /dev/ttyS1", "fail"},
		{"printer", "emulated", func(b *emulated.Board) error { return b.Unplug("printer") }, "printer",
			"check the cable of /dev/ttyS2", "fail"},
		{"paper", "emulated", func(b *emulated.Board) error { return b.SetPrinter("out", "") }, "printer",
			"put in a new roll", "fail"},
		{"little paper", "emulated", func(b *emulated.Board) error { return b.SetPrinter("near_end", "") }, "printer",
			"nearly out", "warn"},
		{"cover", "emulated", func(b *emulated.Board) error { return b.SetPrinter("", "open") }, "printer", "close it",
			"fail"},
		{"jam", "emulated", func(b *emulated.Board) error { return b.JamPrinter(true) }, "printer",
			"switch it off and on", "fail"},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			c := newClinic(t, x.board, nil)
			c.awaitIdle()
			if rep, text := c.doctor("", nil); !rep.OK {
				t.Errorf("without a fault: %s", text)
			}
			if err := x.fault(c.board); err != nil {
				t.Fatal(err)
			}
			var found api.Check
			for end := time.Now().Add(never); time.Now().Before(end) &&
				(string(found.Result) != x.result || !strings.Contains(found.Says, x.says)); {
				// an error that this frame causes is in the next report or answer
				rep, _ := c.doctor("", nil)
				found = named(rep, x.check)
			}
			if string(found.Result) != x.result || !strings.Contains(found.Says, x.says) {
				t.Errorf("%+v, want %s and %q", found, x.result, x.says)
			}
		})
	}
}

// TestScannerAway: while the scanner is unplugged, the screen says so where a customer would hold
// up a phone. The doctor fails for that long only, and later says that it was away.
func TestScannerAway(t *testing.T) {
	t.Parallel()
	const words = "Scanner: check its cable"
	c := newClinic(t, "emulated", nil)
	c.awaitIdle()
	shows := func(name string, away bool) {
		t.Helper()
		for end := time.Now().Add(never); ; time.Sleep(5 * time.Millisecond) {
			s := c.a.Screen()
			if s.Name == name && slices.Contains(s.Lines, words) == away {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("no %s with away %v: %+v", name, away, s)
			}
		}
	}
	plug := func(do func(string) error) {
		if err := do("scanner"); err != nil {
			t.Fatal(err)
		}
	}
	shows("idle", false)
	plug(c.board.Unplug)
	shows("idle", true)
	if rep, _ := c.doctor("", nil); named(rep, "scanner").Result != "fail" {
		t.Errorf("away: %+v", named(rep, "scanner"))
	}
	for _, k := range []payterm.Key{"1", "00", payterm.KeyEnter} {
		c.press(k)
	}
	shows("scan", true)
	plug(c.board.Plug)
	shows("scan", false)
	if s := c.a.Screen(); s.Lines[0] != "Hold the customer's phone to the scanner" {
		t.Errorf("%+v", s)
	}
	c.press(payterm.KeyCancel)
	if rep, _ := c.doctor("", nil); named(rep, "scanner").Result != "warn" ||
		!strings.Contains(named(rep, "scanner").Says, "was away") {
		t.Errorf("back: %+v", named(rep, "scanner"))
	}
}

// TestServiceTakesTheCounter: nothing is sold during service, and service does not begin during a
// sale.
func TestServiceTakesTheCounter(t *testing.T) {
	t.Parallel()
	c := newClinic(t, "emulated", nil)
	c.awaitIdle()
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.a.socket().ServeHTTP(httptest.NewRecorder(),
			httptest.NewRequest(http.MethodPost, "/doctor?test=keypad", nil).WithContext(ctx))
	}()
	for end := time.Now().Add(never); c.a.Screen().Title != "Keypad"; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%+v", c.a.Screen())
		}
	}
	ask := func(path, body string) string {
		w := httptest.NewRecorder()
		c.a.socket().ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
		return w.Body.String()
	}
	if got := ask("/sale", `{"mode":"passive","amount_minor":1234}`); !strings.Contains(got, `"reason":"busy"`) {
		t.Errorf("a sale meanwhile: %s", got)
	}
	if got := ask("/doctor?test=", ""); !strings.Contains(got, "the counter is busy") {
		t.Errorf("a second test meanwhile: %s", got)
	}
	leave()
	<-done
	c.awaitIdle()
	c.press("5")
	c.press("ENTER")
	for end := time.Now().Add(never); c.a.Screen().Name != "scan"; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%+v", c.a.Screen())
		}
	}
	if got := ask("/doctor?test=", ""); !strings.Contains(got, "the counter is busy") {
		t.Errorf("while a sale is made: %s", got)
	}
	for _, wrong := range []string{"test=toaster", "test=display&step=1h", "test=&step=-1s", "test=&step=x"} {
		if got := ask("/doctor?"+wrong, ""); !strings.Contains(got, `"error":"`) {
			t.Errorf("%s: %s", wrong, got)
		}
	}
}

// TestSlipOfATrialIsNotPrintedLater: a new roll after the test does not print its slip.
func TestSlipOfATrialIsNotPrintedLater(t *testing.T) {
	t.Parallel()
	c := newClinic(t, "emulated", nil)
	c.awaitIdle()
	if err := c.board.SetPrinter("out", ""); err != nil {
		t.Fatal(err)
	}
	rep, _ := c.doctor("test=printer&print=1", c.willing(nil))
	if named(rep, "test printer").Result != "fail" {
		t.Errorf("%+v", rep)
	}
	if err := c.board.SetPrinter("ok", ""); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(never); ; time.Sleep(20 * time.Millisecond) {
		_, text := c.board.Paper()
		if strings.Contains(text, "--- cut ---") {
			if !strings.Contains(text, "DOCTOR") || strings.Contains(text, "TEST") {
				t.Errorf("printed:\n%s", text)
			}
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the report does not come out: %s", text)
		}
	}
}

// TestDoctorOfABareBoard: missing devices are reported as none.
func TestDoctorOfABareBoard(t *testing.T) {
	t.Parallel()
	c := newClinic(t, "emulated", func(p *board.Profile) { p.Scanner, p.Printer, p.Keypad = nil, nil, nil })
	rep, _ := c.doctor("", nil)
	found := map[string]string{}
	for _, check := range rep.Checks {
		found[check.Name] = string(check.Result)
	}
	for _, name := range []string{"keypad", "scanner", "printer"} {
		if found[name] != "none" {
			t.Errorf("%s: %q", name, found[name])
		}
	}
	if found["journal"] != "ok" {
		t.Errorf("the examination ends early: %v", found)
	}
}

// socket is the local API as on the owner's socket.
func (a *Agent) socket() http.Handler { return api.Handler(a.current, a) }

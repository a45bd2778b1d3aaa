package terminal

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/board"
	"payterm/config"
	"payterm/flows/counter"
	"payterm/hal/emulated"
	"payterm/terminal/devices"
)

const lit = `board = "lit"
[display]
controller = "fbdev"
device = "/dev/fb0"
bits = 16
width = 320
height = 240
backlight = "pwmchip0:0"
dim_after = "1s"
dim_to = 10
[keypad]
kind = "evdev"
name = "Pad"
[scanner]
device = "/dev/ttyS1"
baud = 9600
trigger_start = "\u0016T\r"
trigger_stop = "0x16 55 0d"
[signal]
led_ready = "L:5"
led_approved = "L:6"
led_attention = "L:13"
`

// TestLampsLightAndTrigger: lamps, backlight and the scanner's trigger follow the screen and the
// keys.
func TestLampsLightAndTrigger(t *testing.T) {
	p, err := board.ReadProfile("lit.toml", []byte(lit))
	if err != nil {
		t.Fatal(err)
	}
	e, err := emulated.New(emulated.Config{Profile: p, Scale: 50})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, v := range e.Violations() {
			t.Error(v)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	c := config.Default()
	c.Gateway.URL, c.Gateway.MerchantID, c.Gateway.OperatorID = "http://127.0.0.1:9/processV2", "ON00000000",
		"0000000696"
	c.Gateway.CallBackURL = "https://example.com/back"
	a, err := Start(Options{
		Config: c, Data: t.TempDir(), SignKey: "0123456789ABCDEF", Board: board.Open(p, e), Sleep: e.Sleep,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	until := func(what string, is func() bool) {
		t.Helper()
		for end := time.Now().Add(never); !is(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("never: %s; the screen is %s", what, a.Screen().Name)
			}
		}
	}
	level := func(name string) float64 {
		all := e.Pulses(name)
		if len(all) == 0 {
			return -1
		}
		return all[len(all)-1].Duty
	}
	shows := func(name string) { t.Helper(); until(name, func() bool { return a.Screen().Name == name }) }
	told := func(want string) {
		t.Helper()
		until("the scanner is told "+want, func() bool { return string(e.Received()) == want })
	}
	press := func(keys ...payterm.Key) {
		t.Helper()
		for _, k := range keys {
			if err := e.Press(k); err != nil {
				t.Fatal(err)
			}
		}
	}

	shows("idle")
	until("the lamp for ready burns", func() bool {
		return level("L:5") == 1 && level("L:6") == 0 &&
			level("L:13") == 0
	})
	until("it is bright", func() bool { return level("pwmchip0:0") == 1 })
	until("it dims", func() bool { d := level("pwmchip0:0"); return d > 0.09 && d < 0.11 })
	press("1", "2", "3", "4")
	shows("amount")
	until("a key makes it bright", func() bool { return level("pwmchip0:0") == 1 })
	told("")
	press("ENTER")
	shows("scan")
	told("\x16T\r")

	// A scanner that was replugged has forgotten that it was armed.
	if err := e.Unplug("scanner"); err != nil {
		t.Fatal(err)
	}
	if err := e.Plug("scanner"); err != nil {
		t.Fatal(err)
	}
	told("\x16T\r\x16T\r")
	if level("pwmchip0:0") != 1 {
		t.Error("it dims while somebody is to scan")
	}
	press("CANCEL")
	told("\x16T\r\x16T\r\x16U\r")
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for _, name := range []string{"L:5", "L:6", "L:13"} {
		if level(name) != 0 {
			t.Errorf("%s burns when nobody is there any more", name)
		}
	}
	if strings.Contains(string(e.Received()), "T\r\x16T\r\x16T") {
		t.Errorf("told %q", e.Received())
	}
}

// TestCodeShownNowhere: a code that the glass cannot show, on a board without a printer: the
// screen does not mention paper, and no slip waits.
func TestCodeShownNowhere(t *testing.T) {
	t.Parallel()
	for _, glass := range []string{
		"controller = \"ssd1306\"\ni2c = \"I2C1\"\nwidth = 128\nheight = 64\n",
		"controller = \"hd44780\"\ni2c = \"I2C1\"\ncolumns = 16\nrows = 2\n",
	} {
		p, err := board.ReadProfile("small.toml", []byte("board = \"small\"\n[display]\n"+glass))
		if err != nil {
			t.Fatal(err)
		}
		e, err := emulated.New(emulated.Config{Profile: p, Scale: 1000})
		if err != nil {
			t.Fatal(err)
		}
		c := config.Default()
		c.Gateway.URL, c.Gateway.MerchantID, c.Gateway.OperatorID = "http://127.0.0.1:9/processV2", "ON00000000",
			"0000000696"
		c.Gateway.CallBackURL = "https://example.com/back"
		for language, says := range map[string]string{"en": "too long", "fr": "trop long", "zh": "太长"} {
			c.Terminal.Language = language
			a, err := Start(Options{Config: c, Data: t.TempDir(), SignKey: "0123456789ABCDEF", Board: board.Open(p, e),
				Sleep: e.Sleep, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			s := a.runnerConfig(a.store, a.loopClock, make([]byte, 32)).Screen(counter.View{
				Name: counter.ViewShowCode, Order: "T1AAAAA000001", Wallet: payterm.Alipay, CanLeave: true,
				Total:   payterm.Amount{Minor: 1234, Currency: "CAD"},
				CodeURL: "https://qr.alipay.com/" + strings.Repeat("x", 200),
			})
			if language == "zh" && p.LettersOnly() {
				says = "too long" // a character display has no Chinese
			}
			if s.QR != "" || s.Tone != payterm.Doubt || !strings.Contains(strings.Join(s.Lines, "\n"), says) ||
				len(s.Keys) != 1 {
				t.Errorf("%s: %+v", language, s)
			}
			for range 64 {
				if err := a.devices.Print(payterm.Receipt{Name: "customer"}); err != nil {
					t.Fatal(err)
				}
			}
			if n := a.devices.Waiting(); n != 0 {
				t.Errorf("%d slips wait for a printer that is not there", n)
			}
			if err := a.store.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestLastSlips: when the agent ends, the slip that is being printed and those behind it are
// printed; a printer without paper delays nothing.
func TestLastSlips(t *testing.T) {
	t.Parallel()
	p, err := board.ReadProfile("printing.toml",
		[]byte("board = \"printing\"\n[printer]\ndevice = \"/dev/ttyS1\"\nbaud = 9600\ncolumns = 32\ndots = 384\n"+
			"cut = true\nstatus = true\n"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := emulated.New(emulated.Config{Profile: p, Scale: 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	c := config.Default()
	c.Gateway.URL, c.Gateway.MerchantID, c.Gateway.OperatorID = "http://127.0.0.1:9/processV2", "ON00000000",
		"0000000696"
	c.Gateway.CallBackURL = "https://example.com/back"
	slip := func(word string) payterm.Receipt {
		r := payterm.Receipt{Name: word}
		for range 20 {
			r.Lines = append(r.Lines, payterm.ReceiptLine{Text: word + " goes on"})
		}
		r.Lines = append(r.Lines, payterm.ReceiptLine{Text: word + " is whole"})
		return r
	}
	run := func(between func()) (paper string) {
		t.Helper()
		a, err := Start(Options{Config: c, Data: t.TempDir(), SignKey: "0123456789ABCDEF", Board: board.Open(p, e),
			Sleep: e.Sleep, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- a.Run(ctx) }()
		for _, word := range []string{"first", "second"} {
			if err := a.devices.Print(slip(word)); err != nil {
				t.Fatal(err)
			}
		}
		between()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_, paper = e.Paper()
		return paper
	}
	paper := run(func() {
		for end := time.Now().Add(never); ; time.Sleep(time.Millisecond) {
			if _, text := e.Paper(); strings.Contains(text, "first goes on") {
				return
			}
			if time.Now().After(end) {
				t.Fatal("nothing is printed")
			}
		}
	})
	if !strings.Contains(paper, "first is whole") || !strings.Contains(paper, "second is whole") {
		t.Errorf("on paper:\n%s", paper)
	}
	e.Tear()
	if err := e.SetPrinter("out", "closed"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if paper := run(func() {}); strings.Contains(paper, "goes on") || time.Since(began) > devices.LastSlips {
		t.Errorf("%s, on paper:\n%s", time.Since(began), paper)
	}
}

package emulated_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/boards"
	"payterm/drivers/keypad"
	"payterm/drivers/lcd"
	"payterm/drivers/printer"
	"payterm/drivers/scanner"
	"payterm/hal"
	"payterm/hal/emulated"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/oned"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// newBoard is the emulated board with its wires open; the test fails on
// whatever a driver did that a real chip would not accept.
func newBoard(t *testing.T) (*emulated.Board, *hal.Board) {
	t.Helper()
	text, err := boards.Read("emulated")
	if err != nil {
		t.Fatal(err)
	}
	p, err := hal.ReadProfile("emulated.toml", text)
	if err != nil {
		t.Fatal(err)
	}
	e, err := emulated.New(emulated.Config{Profile: p, Scale: 50})
	if err != nil {
		t.Fatal(err)
	}
	b := hal.Open(p, e)
	if len(b.Faults) > 0 {
		t.Fatal(b.Faults)
	}
	t.Cleanup(func() {
		for _, v := range e.Violations() {
			t.Error(v)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		e.Close() //nolint:errcheck // its cables are pulled
	})
	return e, b
}

func newPanel(t *testing.T, e *emulated.Board, b *hal.Board) *lcd.ST7789 {
	t.Helper()
	d, err := lcd.NewST7789(b.Display.Conn, b.Display.DC, b.Display.Reset, b.Display.Backlight,
		lcd.ST7789Options{Width: 240, Height: 320, Inverted: true, Sleep: e.Sleep})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Init(); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDisplay(t *testing.T) {
	e, b := newBoard(t)
	d := newPanel(t, e, b)
	const url = "https://qr.alipay.com/bax00000example"
	s := payterm.Screen{Name: "show_code", Tone: payterm.Busy, Title: "Alipay: please scan", Amount: "$12.34", Elapsed: "0:01", Small: "Order T1AAAAA000001", QR: url, Watermark: "SIMULATION"}
	read := func() string {
		bitmap, err := gozxing.NewBinaryBitmapFromImage(e.Frame())
		if err != nil {
			t.Fatal(err)
		}
		found, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
		if err != nil {
			return err.Error()
		}
		return found.GetText()
	}
	if err := d.Show(s); err != nil || read() != url {
		t.Fatalf("%v, read %q", err, read())
	}
	s.Elapsed = "0:02" // a dirty rectangle leaves the rest as it was
	if err := d.Show(s); err != nil || read() != url {
		t.Fatalf("%v, read %q", err, read())
	}
	// After a brown-out the panel is dark and full of noise until it is woken.
	if err := e.Unplug("display"); err != nil {
		t.Fatal(err)
	}
	if err := e.Plug("display"); err != nil {
		t.Fatal(err)
	}
	if read() == url {
		t.Error("a panel without power keeps its frame")
	}
	if err := d.Init(); err != nil {
		t.Fatal(err)
	}
	if err := d.Show(s); err != nil || read() != url {
		t.Fatalf("%v, read %q", err, read())
	}
}

func TestPrinter(t *testing.T) {
	e, b := newBoard(t)
	p, err := printer.New(b.Printer, printer.Options{Columns: 32, CodePage: "cp437", Cut: true, Status: true, Sleep: e.Sleep})
	if err != nil {
		t.Fatal(err)
	}
	r := payterm.Receipt{Name: "test", Lines: []payterm.ReceiptLine{
		{Kind: payterm.LineText, Text: "Café Montréal", Align: payterm.AlignCenter, Bold: true, Large: true},
		{Kind: payterm.LinePair, Text: "Amount", Right: "12.34"},
		{Kind: payterm.LineBarcode, Text: "T1AAAAA000001"},
		{Kind: payterm.LineCut},
	}}
	if err := p.Print(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	img, words := e.Paper()
	for end := time.Now().Add(5 * time.Second); !strings.Contains(words, "cut") && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		img, words = e.Paper()
	}
	if !strings.Contains(words, "Café") || !strings.Contains(words, "Amount                     12.34") || !strings.Contains(words, "--- cut ---") {
		t.Errorf("paper:\n%s", words)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	if found, err := oned.NewCode128Reader().Decode(bitmap, nil); err != nil || found.GetText() != "T1AAAAA000001" {
		t.Errorf("barcode: %v %v", found, err)
	}
	for _, c := range []struct {
		sensor string
		want   payterm.PaperCondition
	}{{"out", payterm.PaperOut}, {"near_end", payterm.PaperNearEnd}, {"ok", payterm.PaperOK}} {
		sensor, want := c.sensor, c.want
		if err := e.SetPrinter(sensor, ""); err != nil {
			t.Fatal(err)
		}
		if got := p.Condition(context.Background()); got != want {
			t.Errorf("paper %s: %s", sensor, got)
		}
	}
	if err := e.Unplug("printer"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	if got := p.Condition(context.Background()); got != payterm.PaperUnreachable {
		t.Errorf("unplugged: %s", got)
	}
	if err := e.Plug("printer"); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); p.Condition(context.Background()) != payterm.PaperOK; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the printer does not come back")
		}
	}
}

func TestScannerAndKeys(t *testing.T) {
	e, b := newBoard(t)
	start := time.Now()
	s, err := scanner.New(b.Scanner, scanner.Options{Framing: scanner.CR, Now: func() time.Duration { return time.Since(start) }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	for _, code := range []string{"281234567890123456", "134857901234567890"} {
		if err := e.Scan(code); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Read(ctx); err != nil || got.Code.Reveal() != code {
			t.Errorf("scan: %v %v", got, err)
		}
	}
	rows, columns := make([]keypad.Row, 4), make([]keypad.Column, 4)
	for i := range 4 {
		rows[i], columns[i] = b.Keypad.Rows[i], b.Keypad.Columns[i]
	}
	m, err := keypad.New(rows, columns, b.Profile.Keypad.Keys, keypad.Options{Sleep: e.Sleep})
	if err != nil {
		t.Fatal(err)
	}
	pressed := make(chan payterm.Key, 64)
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx, func(k payterm.Key) { pressed <- k }) }()
	want := []payterm.Key{"1", "1", "00", "ENTER", "CANCEL"}
	for _, k := range want {
		if err := e.Press(k); err != nil {
			t.Fatal(err)
		}
		if got := <-pressed; got != k {
			t.Errorf("pressed %s, read %s", k, got)
		}
	}
	if err := e.Press("F4"); err == nil {
		t.Error("a key that the pad does not have was pressed")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if len(pressed) != 0 {
		t.Errorf("a key too many: %s", <-pressed)
	}
}

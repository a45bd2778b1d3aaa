package emulated_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/board"
	"payterm/boards"
	"payterm/drivers/keypad"
	"payterm/drivers/printer"
	"payterm/drivers/scanner"
	"payterm/glass"
	"payterm/hal/emulated"
	"payterm/terminal/devices"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/oned"
	"github.com/makiuchi-d/gozxing/qrcode"
	"pgregory.net/rapid"
)

// newBoard is the emulated board with open wires; the test fails on anything that a real chip
// would not accept.
func newBoard(t testing.TB) (*emulated.Board, *board.Board) {
	t.Helper()
	return newBoardOf(t, 50, func(*board.Profile) {})
}

// newBoardOf is a board with a changed profile, running at this multiple of real time.
func newBoardOf(t testing.TB, scale float64, change func(*board.Profile)) (*emulated.Board, *board.Board) {
	t.Helper()
	text, err := boards.Read("emulated")
	if err != nil {
		t.Fatal(err)
	}
	p, err := board.ReadProfile("emulated.toml", text)
	if err != nil {
		t.Fatal(err)
	}
	change(&p)
	e, err := emulated.New(emulated.Config{Profile: p, Scale: scale})
	if err != nil {
		t.Fatal(err)
	}
	b := board.Open(p, e)
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
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e, b
}

// newDisplay makes the driver that the profile names, with its layout.
func newDisplay(t testing.TB, e *emulated.Board, b *board.Board) *glass.Display {
	t.Helper()
	d, err := devices.OpenDisplay(b, e.Sleep)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Init(); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDisplay(t *testing.T) {
	t.Parallel()
	e, b := newBoard(t)
	d := newDisplay(t, e, b)
	const url = "https://qr.alipay.com/bax00000example"
	s := payterm.Screen{Name: "show_code", Tone: payterm.Busy, Title: "Alipay: please scan", Amount: "$12.34",
		Elapsed: "0:01", Small: "Order T1AAAAA000001", QR: url, Watermark: "SIMULATION"}
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
	s.Elapsed = "0:02" // a partial update keeps the rest
	if err := d.Show(s); err != nil || read() != url {
		t.Fatalf("%v, read %q", err, read())
	}
	// After a brown-out the panel is dark and full of noise until it is initialised.
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
	// After a dip of the supply, which the driver does not notice, the next refresh repairs the
	// picture.
	if err := e.BrownOut(); err != nil {
		t.Fatal(err)
	}
	if read() == url {
		t.Error("a panel keeps its frame over a brown-out")
	}
	e.Sleep(120 * time.Millisecond)
	if err := d.Refresh(); err != nil || read() != url {
		t.Fatalf("%v, read %q", err, read())
	}
	// An interrupted transfer is an error, and the next frame is complete.
	s.Elapsed = "0:03"
	if err := e.CutTransfers(0, 1); err != nil {
		t.Fatal(err)
	}
	if err := d.Show(s); err == nil {
		t.Error("a transfer that broke off is no error")
	}
	if err := errors.Join(d.Init(), d.Show(s)); err != nil || read() != url {
		t.Fatalf("%v, read %q", err, read())
	}
}

// TestGlass: for every mounting of the glass, each pixel of the driver's image is where a person
// sees it.
func TestGlass(t *testing.T) {
	for _, rotation := range []int{0, 90, 180, 270} {
		for _, m := range []struct{ x, y, inverted, bgr bool }{
			{}, {x: true}, {y: true, inverted: true}, {x: true, y: true, bgr: true},
		} {
			e, b := newBoardOf(t, 1000, func(p *board.Profile) {
				d := p.Display
				d.Rotation, d.MirrorX, d.MirrorY, d.Inverted, d.BGR = rotation, m.x, m.y, m.inverted, m.bgr
				d.Width, d.Height, d.OffsetX, d.OffsetY = 100, 70, 35, 80
			})
			d := newDisplay(t, e, b)
			img := image.NewRGBA(image.Rect(0, 0, 100, 70))
			for y := range 70 {
				for x := range 100 {
					img.SetRGBA(x, y, color.RGBA{uint8(x&31) << 3, uint8(y&63) << 2, uint8(x>>5) << 3, 0xff})
				}
			}
			if err := d.Driver.(glass.Pixels).Send(img); err != nil {
				t.Fatal(err)
			}
			if wrong := differ(img, e.Frame()); wrong != 0 {
				t.Errorf("rotation %d, %+v: %d pixels are wrong", rotation, m, wrong)
			}
			// Partial updates too.
			for i := range 40 {
				img.SetRGBA(20+i, 10+i, color.RGBA{0xf8, 0, 0, 0xff})
			}
			if err := d.Driver.(glass.Pixels).Send(img); err != nil {
				t.Fatal(err)
			}
			if wrong := differ(img, e.Frame()); wrong != 0 {
				t.Errorf("rotation %d, %+v: %d pixels are wrong after a change", rotation, m, wrong)
			}
		}
	}
}

// differ counts pixels that differ in 16-bit colour.
func differ(a, b *image.RGBA) int {
	n := 0
	for y := range a.Rect.Dy() {
		for x := range a.Rect.Dx() {
			p, q := a.RGBAAt(x, y), b.RGBAAt(x, y)
			if p.R&0xf8 != q.R&0xf8 || p.G&0xfc != q.G&0xfc || p.B&0xf8 != q.B&0xf8 {
				n++
			}
		}
	}
	return n
}

// TestGlassFollows: after any changes in any order the glass shows the last image.
func TestGlassFollows(t *testing.T) {
	t.Parallel()
	e, b := newBoardOf(t, 1e6, func(*board.Profile) {})
	d := newDisplay(t, e, b)
	rapid.Check(t, func(rt *rapid.T) {
		img := e.Frame()
		for range rapid.IntRange(1, 3).Draw(rt, "frames") {
			for range rapid.IntRange(0, 12).Draw(rt, "boxes") {
				x, y := rapid.IntRange(0, 239).Draw(rt, "x"), rapid.IntRange(0, 319).Draw(rt, "y")
				box := image.Rect(x, y, x+rapid.IntRange(1, 90).Draw(rt, "w"), y+rapid.IntRange(1, 40).Draw(rt, "h"))
				c := color.RGBA{uint8(rapid.IntRange(0, 31).Draw(rt, "red")) << 3, uint8(x), uint8(y), 0xff}
				draw.Draw(img, box, image.NewUniform(c), image.Point{}, draw.Src)
			}
			if err := d.Driver.(glass.Pixels).Send(img); err != nil {
				rt.Fatal(err)
			}
			if wrong := differ(img, e.Frame()); wrong != 0 {
				rt.Fatalf("%d pixels are wrong", wrong)
			}
		}
	})
	noise := e.Frame() // noise is the worst case for finding windows
	for i := range 240 * 320 / 34 {
		noise.Pix[4*34*i] ^= 0x80
	}
	if err := d.Driver.(glass.Pixels).Send(noise); err != nil || differ(noise, e.Frame()) != 0 {
		t.Errorf("%v, %d pixels are wrong", err, differ(noise, e.Frame()))
	}
}

// TestGlassTellsWrongOptions: wrong options in the profile show on the glass.
func TestGlassTellsWrongOptions(t *testing.T) {
	e, b := newBoardOf(t, 1000, func(p *board.Profile) { p.Display.Rotation = 180 })
	b.Profile.Display = &board.Display{Controller: "st7789", Width: 240, Height: 320, Inverted: true}
	d := newDisplay(t, e, b)
	img := image.NewRGBA(image.Rect(0, 0, 240, 320))
	img.SetRGBA(3, 4, color.RGBA{0xf8, 0, 0, 0xff})
	if err := d.Driver.(glass.Pixels).Send(img); err != nil {
		t.Fatal(err)
	}
	if differ(img, e.Frame()) == 0 {
		t.Error("a panel that hangs upside down shows the same")
	}
}

// TestViolationsAreTold: what the chip does not accept is reported with the rule's name.
func TestViolationsAreTold(t *testing.T) {
	text, err := boards.Read("emulated")
	if err != nil {
		t.Fatal(err)
	}
	p, err := board.ReadProfile("emulated.toml", text)
	if err != nil {
		t.Fatal(err)
	}
	p.Display.SpeedHz = 80_000_000
	e, err := emulated.New(emulated.Config{Profile: p, Scale: 0.001}) // so slow that every pause is too short
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	b := board.Open(p, e)
	defer b.Close()
	if err := b.Display.Conn.Tx([]byte{0x11}, nil); err != nil {
		t.Error(err)
	}
	if err := b.Display.Conn.Tx(make([]byte, 4097), nil); err == nil {
		t.Error("spidev took 4097 bytes")
	}
	var got []string
	for _, v := range e.Violations() {
		got = append(got, v.Chip+" "+string(v.Rule))
	}
	want := []string{"spi clock_speed", "spi data_command", "st7789 no_reset", "st7789 too_soon", "st7789 too_soon",
		"spi transfer_size"}
	if !slices.Equal(got, want) {
		t.Errorf("told of %q, want %q", got, want)
	}
}

// TestBareBoards: a board may lack any device.
func TestBareBoards(t *testing.T) {
	for _, keep := range []string{"display", "keypad", "scanner", "printer"} {
		e, _ := newBoardOf(t, 50, func(p *board.Profile) {
			whole := *p
			*p = board.Profile{Board: "bare"}
			switch keep {
			case "display":
				p.Display = whole.Display
			case "keypad":
				p.Keypad = whole.Keypad
			case "scanner":
				p.Scanner = whole.Scanner
			case "printer":
				p.Printer = whole.Printer
			}
		})
		img, words := e.Paper()
		if err := png.Encode(io.Discard, img); err != nil || words != "" {
			t.Errorf("paper: %v, %q", err, words)
		}
		if err := png.Encode(io.Discard, e.Frame()); err != nil {
			t.Error(err)
		}
		e.Tear()
		e.Bus()
		for device, acts := range map[string][]func() error{
			"display": {e.BrownOut, func() error { return e.CutTransfers(0, 0) },
				func() error { return e.Unplug("display") }},
			"keypad": {func() error { return e.Hold("x", true) }, func() error { return e.Press("x") },
				func() error { return e.Unplug("keypad") }},
			"scanner": {func() error { return e.Scan("x") }, func() error { return e.ScanBytes(nil) },
				func() error { return e.Unplug("scanner") }},
			"printer": {func() error { return e.SetPrinter("ok", "") }, func() error { return e.JamPrinter(false) },
				func() error { return e.Unplug("printer") }},
		} {
			for i, act := range acts {
				if err := act(); (err == nil) != (device == keep) && device != "keypad" {
					t.Errorf("a board with a %s only: %s, %d: %v", keep, device, i, err)
				}
			}
		}
	}
}

// TestCloseLeavesNothing: Close of a board and of its lines waits for their goroutines, also
// while a printer prints or a scanner is not read.
func TestCloseLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 5 {
		e, b := newBoardOf(t, 1, func(*board.Profile) {})
		if _, err := b.Printer.Write(bytes.Repeat([]byte("12345\n"), 100), time.Second); err != nil {
			t.Error(err)
		}
		go e.ScanBytes(bytes.Repeat([]byte{'1'}, 100)) //nolint:errcheck // its cable is pulled meanwhile
		start := time.Now()
		if err := errors.Join(e.Close(), e.Close(), b.Close(), b.Close()); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("closing took %s", took)
		}
	}
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			var stacks strings.Builder
			pprof.Lookup("goroutine").WriteTo(&stacks, 1)
			t.Fatalf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks.String())
		}
	}
}

// TestNobodyReads: a host that does not read blocks nobody for ever.
func TestNobodyReads(t *testing.T) {
	t.Parallel()
	text, err := boards.Read("emulated")
	if err != nil {
		t.Fatal(err)
	}
	p, err := board.ReadProfile("emulated.toml", text)
	if err != nil {
		t.Fatal(err)
	}
	e, err := emulated.New(emulated.Config{Profile: p, Scale: 1e6})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.ScanBytes(make([]byte, 1<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a megabyte that nobody read: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if err := e.Scan("x"); err == nil {
		t.Error("a scanner whose cable is pulled sent a code")
	}
}

func TestPrinter(t *testing.T) {
	t.Parallel()
	e, b := newBoard(t)
	p, err := printer.New(b.Printer, printer.Options{Columns: 32, CodePage: "cp437", Cut: true, Status: true,
		Wait: 2 * time.Second, Sleep: e.Sleep})
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
	for end := time.Now().Add(5 * time.Second); !strings.Contains(words, "cut") &&
		time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		img, words = e.Paper()
	}
	if !strings.Contains(words, "Café") || !strings.Contains(words, "Amount                     12.34") ||
		!strings.Contains(words, "--- cut ---") {
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
	for end := time.Now().Add(30 * time.Second); p.Condition(context.Background()) != payterm.PaperOK; {
		time.Sleep(50 * time.Millisecond)
		if time.Now().After(end) {
			t.Fatal("the printer does not come back")
		}
	}
}

func TestScannerAndKeys(t *testing.T) {
	t.Parallel()
	e, b := newBoard(t)
	start := time.Now()
	s, err := scanner.New(b.Scanner, scanner.Options{Framing: scanner.CR,
		Now: func() time.Duration { return time.Since(start) }})
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

// TestLongSlipOnTheBoard: with a small buffer and a printer that never answers, a slip several
// times as long as the buffer is printed completely.
func TestLongSlipOnTheBoard(t *testing.T) {
	t.Parallel()
	for _, status := range []bool{true, false} {
		e, b := newBoardOf(t, 10, func(p *board.Profile) {
			p.Printer.Buffer, p.Printer.Speed, p.Printer.Status = 1024,
				200, status
		})
		p, err := printer.New(b.Printer, printer.Options{Columns: 32, Cut: true, Status: status, Baud: 9600,
			Buffer: 1024, Speed: 200, Sleep: e.Sleep})
		if err != nil {
			t.Fatal(err)
		}
		var r payterm.Receipt
		for i := range 120 {
			r.Lines = append(r.Lines, payterm.ReceiptLine{Text: fmt.Sprintf("line %d", i)})
		}
		if err := p.Print(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		_, words := e.Paper()
		for end := time.Now().Add(10 * time.Second); !strings.Contains(words, "line 119") &&
			time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			_, words = e.Paper()
		}
		for i := range 120 {
			if !strings.Contains(words+"\n", fmt.Sprintf("line %d\n", i)) {
				t.Fatalf("status %t: line %d is missing", status, i)
			}
		}
	}
}

// TestScansOnTheBoard: a code in the buffer from before a sale is armed is older than the sale,
// in whatever pieces it came.
func TestScansOnTheBoard(t *testing.T) {
	t.Parallel()
	for framing, mark := range map[string][2]string{"cr": {"", "\r"}, "lf": {"", "\n"}, "crlf": {"", "\r\n"},
		"stx_etx": {"\x02", "\x03"}, "gap": {}} {
		e, b := newBoardOf(t, 50, func(p *board.Profile) { p.Scanner.Framing = framing })
		start := time.Now()
		now := func() time.Duration { return time.Since(start) }
		s, err := scanner.New(b.Scanner, scanner.Options{Framing: scanner.Framing(framing), Now: now})
		if err != nil {
			t.Fatal(err)
		}
		read := func() scanner.Scan {
			t.Helper()
			ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
			defer stop()
			got, err := s.Read(ctx)
			if err != nil {
				t.Fatalf("%s: %v", framing, err)
			}
			return got
		}
		const code, fresh = "281234567890123456", "134857901234567890"
		cut := 7
		if framing == "gap" {
			cut = 0 // there a pause ends the frame
		}
		if err := e.Scan(code); err != nil {
			t.Fatal(err)
		}
		whole := int64(len(mark[0] + code + mark[1]))
		for end := time.Now().Add(10 * time.Second); b.Scanner.Stats().In < whole && time.Now().Before(end); {
			time.Sleep(time.Millisecond) // until it is in the line's buffer
		}
		armed := now()
		if got := read(); got.Code.Reveal() != code || got.Began >= armed {
			t.Errorf("%s: read %s from %s; the sale was armed at %s", framing, got.Code.Reveal(), got.Began, armed)
		}
		done := make(chan error, 1)
		go func() {
			time.Sleep(100 * time.Millisecond) // until the driver waits
			done <- errors.Join(e.ScanBytes([]byte(mark[0]+fresh[:cut])), e.ScanBytes([]byte(fresh[cut:]+mark[1])))
		}()
		if got := read(); got.Code.Reveal() != fresh || got.Began < armed {
			t.Errorf("%s: read %s from %s; the sale was armed at %s", framing, got.Code.Reveal(), got.Began, armed)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

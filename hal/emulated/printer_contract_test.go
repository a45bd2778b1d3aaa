package emulated_test

import (
	"errors"
	"image"
	"image/color"
	"image/draw"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/board"
	"payterm/drivers/printer"
	"payterm/hal/emulated"
	"payterm/internal/tooltest"
)

// The contract of all printers, tested for the driver on each kind.

// printers are boards that differ in their printer.
var printers = []struct{ name, printer string }{
	{"serial, 32 columns, asked", `device = "/dev/ttyS2"
baud = 115200
cut = true
status = true`},
	{"serial, 32 columns, never answers", `device = "/dev/ttyS2"
baud = 115200
cut = true
buffer = 2048`},
	{"serial, 42 columns, tells", `device = "/dev/ttyS2"
baud = 115200
columns = 42
code_page = "pc850"
cut = true
tells = true`},
	{"network, 48 columns, asked", `network = "192.0.2.7:9100"
columns = 48
code_page = "wpc1252"
cut = true
status = true
speed = 150`},
	{"USB, 48 columns, asked, made for China", `usb = "/dev/usb/lp0"
columns = 48
code_page = "pc858"
chinese = "gb18030"
cut = true
status = true`},
	{"USB, 32 columns, old: columns of dots, no QR code, never answers", `usb = "/dev/usb/lp0"
raster = "esc_star"
qr = "raster"
cut = true
buffer = 2048`},
	{"a ZJ-5870: no barcodes, no QR codes, no cutter of its own", `model = "ZJ-5870"
usb = "/dev/usb/lp0"
cut = true
buffer = 2048`},
	{"a KR-306 on the network, asked: code pages of other numbers, full cut", `model = "KR-306"
network = "192.0.2.7:9100"
code_page = "pc858"
cut_kind = "full"
cut_dots = 100
status = true`},
	{"a CT-S651 in two colours, tells", `model = "CT-S651"
device = "/dev/ttyS2"
baud = 115200
drawer = "approved"
drawer_pin = 5
drawer_pulse = "200ms"
tells = true`},
	{"USB, 42 columns, tells", `usb = "/dev/usb/lp0"
columns = 42
qr = "raster"
cut = true
tells = true`},
}

// newPrinter is the driver as the profile says, on its emulated board.
func newPrinter(t testing.TB, e *emulated.Board, b *board.Board, logo image.Image) *printer.Printer {
	t.Helper()
	p := b.Profile.Printer
	baud := p.Baud
	if baud == 0 {
		baud = 10_000_000
	}
	d, err := printer.New(b.Printer, printer.Options{
		Columns: p.Columns, CodePage: p.CodePage, Chinese: printer.Chinese(p.Chinese), Columned: p.Raster == "esc_star",
		RasterQR: p.QR == "raster", Pages: p.CodePages, Barcode: printer.Barcode(p.Barcode), Red: p.Red,
		CutFull: p.CutKind == board.CutFull, CutDots: p.CutDots, Pin: p.DrawerPin, Pulse: p.DrawerPulse.Duration,
		Logo: logo, Cut: p.Cut, CutFeed: p.CutFeed, Status: p.Status, Tells: p.Tells, Baud: baud, Buffer: p.Buffer,
		Speed: p.Speed, Sleep: e.Sleep,
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func newPaper(t testing.TB, profile string) (*emulated.Board, *board.Board) {
	t.Helper()
	p, err := board.ReadProfile("paper.toml", []byte("board = \"paper\"\n[printer]\n"+profile))
	if err != nil {
		t.Fatal(err)
	}
	return newBoardOf(t, 100, func(whole *board.Profile) { *whole = p })
}

// condition waits for a condition.
func condition(t testing.TB, d *printer.Printer, want payterm.PaperCondition) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		got := d.Condition(t.Context())
		if got == want {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("it is %s, never %s", got, want)
		}
	}
}

func TestPrinterContract(t *testing.T) {
	const order, url = "T1AAAAA000001", "https://example.com/r/T1AAAAA000001?a=1234"
	whole := payterm.Receipt{Name: "customer", Lines: []payterm.ReceiptLine{
		{Text: "Café Forêt, reçu à l'été", Align: payterm.AlignCenter, Bold: true},
		{Text: "SHOP", Align: payterm.AlignCenter, Large: true, Alert: true},
		{Kind: payterm.LineRule},
		{Kind: payterm.LinePair, Text: "付款成功", Right: "12.34", Bold: true},
		{Text: "支付宝", Large: true, Align: payterm.AlignRight},
		{Kind: payterm.LineBarcode, Text: order},
		{Kind: payterm.LineQR, Text: url},
		{Kind: payterm.LineCut},
	}}
	logo := image.NewGray(image.Rect(0, 0, 200, 60))
	draw.Draw(logo, logo.Rect.Inset(10), image.NewUniform(color.White), image.Point{}, draw.Src)
	long := payterm.Receipt{Name: "long"}
	for range 150 {
		long.Lines = append(long.Lines, payterm.ReceiptLine{Text: "付款成功 paid"})
	}
	long.Lines = append(long.Lines, payterm.ReceiptLine{Text: "last"}, payterm.ReceiptLine{Kind: payterm.LineCut})

	before := runtime.NumGoroutine()
	t.Run("each", func(t *testing.T) {
		for _, c := range printers {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				e, b := newPaper(t, c.printer)
				d := newPrinter(t, e, b, logo)
				p, cut := b.Profile.Printer, "--- cut ---"
				if p.CutKind == board.CutFull {
					cut = "--- full cut ---"
				}
				answers, native := p.Status || p.Tells, p.Chinese == "gb18030"
				ready := payterm.PaperUnknown
				if answers {
					ready = payterm.PaperOK
				}
				condition(t, d, ready)
				first := ""
				for range 2 {
					if err := d.Print(t.Context(), whole); err != nil {
						t.Fatal(err)
					}
					img, words := paperWith(t, e, cut)
					if !strings.Contains(words, "Café Forêt, reçu à l'été\n") || !strings.Contains(words, "SHOP") ||
						!strings.Contains(words, "---\n") {
						t.Errorf("on paper is\n%s", words)
					}
					if sign := strings.Repeat(" ", p.Columns-8-5); native != strings.Contains(words, "付款成功"+sign+
						"12.34\n") || native != strings.Contains(words, "支付宝\n") {
						t.Errorf("Chinese signs by the printer: %t; on paper is\n%s", native, words)
					}
					if first == "" {
						first = words
					}
					if words != first {
						t.Errorf("the second is\n%s\nthe first was\n%s", words, first)
					}
					if r, _, _, _ := img.At(img.Bounds().Dx()/2, 5).RGBA(); r != 0 {
						t.Error("the logo's frame is not at the head")
					}
					tooltest.Need(t, "zbarimg")
					roll := image.NewGray(img.Bounds().Inset(-32))
					draw.Draw(roll, roll.Rect, image.White, image.Point{}, draw.Src)
					draw.Draw(roll, img.Bounds(), img, image.Point{}, draw.Src)
					if got := zbar(t, roll); !slices.Equal(got, []string{"CODE-128:" + order, "QR-Code:" + url}) {
						t.Errorf("zbar reads %q", got)
					}
					e.Tear()
				}
				if err := d.Kick(t.Context()); err != nil {
					t.Error(err)
				}
				paperWith(t, e, "--- drawer")

				for _, s := range []struct {
					paper, cover string
					is           payterm.PaperCondition
				}{
					{"near_end", "closed", payterm.PaperNearEnd}, {"out", "closed", payterm.PaperOut},
					{"ok", "open", payterm.PaperCoverOpen},
					{"near_end", "open", payterm.PaperCoverOpen}, {"ok", "closed", payterm.PaperOK},
				} {
					if err := e.SetPrinter(s.paper, s.cover); err != nil {
						t.Fatal(err)
					}
					if !answers {
						s.is = payterm.PaperUnknown
					}
					condition(t, d, s.is)
				}

				// The roll ends in the middle of a picture. The buffer of a printer that answers
				// is not filled; one that never answers continues with the next roll.
				ended := make(chan error, 1)
				if answers {
					go func() { ended <- d.Print(t.Context(), long) }()
					paperWith(t, e, "\n")
					if err := e.SetPrinter("out", ""); err != nil {
						t.Fatal(err)
					}
					if err := <-ended; !errors.Is(err, printer.ErrPaperOut) {
						t.Errorf("without paper: %v", err)
					}
					if err := d.Print(t.Context(), whole); !errors.Is(err, printer.ErrPaperOut) {
						t.Errorf("still without paper: %v", err)
					}
					if err := e.SetPrinter("ok", ""); err != nil {
						t.Fatal(err)
					}
					condition(t, d, ready)
				}
				if err := d.Print(t.Context(), whole); err != nil {
					t.Fatal(err)
				}
				if _, words := paperWith(t, e, cut); strings.Contains(words, "last") {
					t.Errorf("the slip that broke off is whole:\n%s", words)
				}

				// Another program stopped in the middle of a picture before this one.
				e.Tear()
				if _, err := b.Printer.Write([]byte("\x1dv0\x00\x20\x00\x10\x00\xff\xff"), time.Second); err != nil {
					t.Fatal(err)
				}
				d = newPrinter(t, e, b, logo)
				condition(t, d, ready)
				if err := d.Print(t.Context(), whole); err != nil {
					t.Fatal(err)
				}
				if _, words := paperWith(t, e, cut); !strings.Contains(words, "Café Forêt, reçu à l'été\n") ||
					!strings.Contains(words, "12.34\n") == native {
					t.Errorf("after a picture that broke off there is\n%s", words)
				}

				// Its cable is pulled in the middle, and plugged in.
				for range 2 {
					e.Tear()
					go func() { ended <- d.Print(t.Context(), long) }()
					paperWith(t, e, "\n")
					if err := e.Unplug("printer"); err != nil {
						t.Fatal(err)
					}
					if err := <-ended; !errors.Is(err, printer.ErrUnplugged) {
						t.Errorf("unplugged: %v", err)
					}
					if err := e.Plug("printer"); err != nil {
						t.Fatal(err)
					}
					for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
						ok, err := b.Printer.Plugged()
						if ok {
							break
						}
						if time.Now().After(end) {
							t.Fatal(err)
						}
					}
					condition(t, d, ready)
					if err := d.Print(t.Context(), whole); err != nil {
						t.Fatal(err)
					}
					paperWith(t, e, cut)
				}
			})
		}
	})
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before &&
		time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	if now := runtime.NumGoroutine(); now > before {
		t.Errorf("%d goroutines before, %d now", before, now)
	}
}

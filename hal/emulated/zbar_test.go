package emulated_test

import (
	"context"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
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

// zbar reads a picture with an independent reader: "QR-Code:text", "CODE-128:text", one a line,
// sorted.
func zbar(t *testing.T, img image.Image) []string {
	t.Helper()
	tool := tooltest.Need(t, "zbarimg")
	path := filepath.Join(t.TempDir(), "seen.png")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	out, err := exec.CommandContext(ctx, tool, "--quiet", path).Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 4) { // 4: nothing found
		t.Fatalf("zbarimg: %v", err)
	}
	lines := strings.Fields(string(out))
	slices.Sort(lines)
	return lines
}

// blot covers the middle of a box, so many hundredths of each side.
func blot(img image.Image, box image.Rectangle, part int) image.Image {
	out := image.NewRGBA(img.Bounds())
	draw.Draw(out, out.Bounds(), img, img.Bounds().Min, draw.Src)
	dx, dy := box.Dx()*part/200, box.Dy()*part/200
	middle := image.Rect((box.Min.X+box.Max.X)/2-dx, (box.Min.Y+box.Max.Y)/2-dy, (box.Min.X+box.Max.X)/2+dx,
		(box.Min.Y+box.Max.Y)/2+dy)
	draw.Draw(out, middle, image.NewUniform(color.Gray{0x80}), image.Point{}, draw.Src)
	return out
}

func TestZbarReadsTheGlass(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "zbarimg")
	for _, code := range []string{
		"x", "https://qr.alipay.com/bax00000example", "weixin://wxpay/bizpayurl?pr=" + strings.Repeat("aZ3_", 30),
		strings.Repeat("UnionPay/", 40),
	} {
		e, b := newBoard(t)
		d := newDisplay(t, e, b)
		s := payterm.Screen{
			Name: "show_code", Tone: payterm.Busy, Title: "WeChat Pay: please scan", Status: "12:34", Amount: "$12.34",
			Elapsed: "0:01",
			Small:   "T1AAAAA000001", QR: code, Watermark: "SIMULATION",
			Keys: []payterm.KeyHint{{Key: payterm.KeyCancel, Does: "Stop"}},
		}
		if err := d.Show(s); err != nil {
			t.Fatal(err)
		}
		want := []string{"QR-Code:" + code}
		if got := zbar(t, e.Frame()); !slices.Equal(got, want) {
			t.Errorf("zbar reads %q, want %q", got, want)
		}
		for range 3 { // changes beside it leave it whole
			s.Elapsed += "1"
			if err := d.Show(s); err != nil {
				t.Fatal(err)
			}
		}
		if got := zbar(t, e.Frame()); !slices.Equal(got, want) {
			t.Errorf("after changes zbar reads %q, want %q", got, want)
		}
		if got := zbar(t, blot(e.Frame(), e.Frame().Bounds(), 40)); slices.Equal(got, want) {
			t.Errorf("zbar reads %q although its middle is covered", got)
		}
		s.QR = code + "+"
		if err := d.Show(s); err != nil {
			t.Fatal(err)
		}
		if got := zbar(t, e.Frame()); slices.Equal(got, want) {
			t.Errorf("another code reads %q as well", got)
		}
	}
}

func TestZbarReadsThePaper(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "zbarimg")
	const order, url = "T1AAAAA000001", "https://example.com/r/T1AAAAA000001?a=1234"
	text := payterm.ReceiptLine{Text: "Text right above and below"}
	for _, c := range []struct {
		columns int
		lines   []payterm.ReceiptLine
		want    []string
	}{
		{32, []payterm.ReceiptLine{text, {Kind: payterm.LineQR, Text: url}, text}, []string{"QR-Code:" + url}},
		{16, []payterm.ReceiptLine{text, {Kind: payterm.LineQR, Text: url}, text}, []string{"QR-Code:" + url}},
		{32, []payterm.ReceiptLine{text, {Kind: payterm.LineQR, Text: strings.Repeat("x", 500)}, text},
			[]string{"QR-Code:" + strings.Repeat("x", 500)}},
		{32, []payterm.ReceiptLine{text, {Kind: payterm.LineBarcode, Text: order}, text},
			[]string{"CODE-128:" + order}},
		{32, []payterm.ReceiptLine{text, {Kind: payterm.LineBarcode, Text: "T1AAAAA160402"}, text},
			[]string{"CODE-128:T1AAAAA160402"}}, // DLE EOT 2 in subset C
		{32, []payterm.ReceiptLine{text, {Kind: payterm.LineBarcode, Text: "A{1-b"}, text}, []string{"CODE-128:A{1-b"}},
		{32, []payterm.ReceiptLine{text, {Kind: payterm.LineBarcode, Text: "WIDERTHANTHEROLL20XX"}, text},
			[]string{"QR-Code:WIDERTHANTHEROLL20XX"}},
		{32, []payterm.ReceiptLine{text, {Kind: payterm.LineBarcode, Text: order}, {Kind: payterm.LineQR, Text: url},
			text}, []string{"CODE-128:" + order, "QR-Code:" + url}},
	} {
		e, b := newBoardOf(t, 500, func(p *board.Profile) { p.Printer.Dots, p.Printer.Baud = c.columns*12, 115200 })
		img := printed(t, e, b, c.columns, c.lines)
		if got := zbar(t, img); !slices.Equal(got, c.want) {
			t.Errorf("zbar reads %q, want %q", got, c.want)
		}
		if got := zbar(t, blot(img, img.Bounds(), 98)); slices.Equal(got, c.want) {
			t.Errorf("zbar reads %q although it is covered", got)
		}
		if got := zbar(t, squeezed(img)); slices.Equal(got, c.want) {
			t.Errorf("zbar reads %q although columns are missing", got)
		}
	}
}

// printed prints lines and returns the paper with the margins of a roll.
func printed(t *testing.T, e *emulated.Board, b *board.Board, columns int, lines []payterm.ReceiptLine) image.Image {
	t.Helper()
	p, err := printer.New(b.Printer, printer.Options{Columns: columns, Baud: 115200, Status: true, Cut: true,
		Sleep: e.Sleep})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Print(t.Context(),
		payterm.Receipt{Lines: append(lines, payterm.ReceiptLine{Kind: payterm.LineCut})}); err != nil {
		t.Fatal(err)
	}
	img, words := e.Paper()
	for end := time.Now().Add(10 * time.Second); !strings.Contains(words, "cut") &&
		time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		img, words = e.Paper()
	}
	roll := image.NewGray(image.Rect(0, 0, img.Bounds().Dx()+64, img.Bounds().Dy()+64))
	draw.Draw(roll, roll.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(roll, img.Bounds().Add(image.Pt(32, 32)), img, image.Point{}, draw.Src)
	return roll
}

// squeezed drops columns of a picture here and there, as a broken head does.
func squeezed(img image.Image) image.Image {
	out := image.NewGray(img.Bounds())
	draw.Draw(out, out.Bounds(), img, img.Bounds().Min, draw.Src)
	for x := 0; x < out.Rect.Dx(); x += 24 {
		draw.Draw(out, image.Rect(x, 0, x+14, out.Rect.Dy()), image.White, image.Point{}, draw.Src)
	}
	return out
}

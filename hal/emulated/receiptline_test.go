package emulated_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/draw"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm/board"
	"payterm/hal/emulated"
	"payterm/internal/tooltest"
)

// onUSB is a board with a USB printer, which blocks its host while it prints.
func onUSB(t testing.TB, more string) (*emulated.Board, *board.Board) {
	t.Helper()
	p, err := board.ReadProfile("usb.toml", []byte("board = \"usb\"\n[printer]\nusb = \"/dev/usb/lp0\"\n"+more))
	if err != nil {
		t.Fatal(err)
	}
	return newBoardOf(t, 1000, func(whole *board.Profile) { *whole = p })
}

// paperWith waits until something is on paper.
func paperWith(t testing.TB, e *emulated.Board, word string) (image.Image, string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		img, words := e.Paper()
		if strings.Contains(words, word) {
			return img, words
		}
		if time.Now().After(end) {
			t.Fatalf("%q is not on paper:\n%s", word, words)
		}
	}
}

// TestReceiptline: documents made by another program (receiptline) are printed as they say.
func TestReceiptline(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../testdata/chips/receiptline.json")
	if err != nil {
		t.Fatal(err)
	}
	var made struct {
		Jobs []struct {
			Command, Document, Encoding string
			CPL                         int
			Bytes                       []byte
		}
	}
	if err := json.Unmarshal(text, &made); err != nil || len(made.Jobs) != 16 {
		t.Fatalf("%d jobs, %v", len(made.Jobs), err)
	}
	want := map[string]string{ // by document, or by document and columns
		"styles": `
            Shop

bold and underlined and inverted
       wide             high
                            left
             center
right
item                       12.34
a longer item           1,234.56`,
		"accents 32": `
Café Montréal               5,00
Reçu à conserve              été
r`,
		"accents 42": `
Café Montréal                         5,00
Reçu à conserver                       été`,
		"accents 48": `
Café Montréal                               5,00
Reçu à conserver                             été`,
		"chinese": `
商户存根                   12.34
            付款成功
             支付宝`,
		"codes": `
[picture]
[barcode T1AAAAA000001]
                 T1AAAAA000001`,
		"image": `
[picture 96x48]
                  below`,
		"ruled": `
╭────────────┬─────────────────╮
│Item        │            Price│
├────────────┼─────────────────┤
│Tea         │             3.20│
│Cake        │             4.80│
╰────────────┴─────────────────╯`,
	}
	for _, j := range made.Jobs {
		t.Run(fmt.Sprintf("%s %s %d %s", j.Command, j.Document, j.CPL, j.Encoding), func(t *testing.T) {
			more := fmt.Sprintf("columns = %d\ncut = true\n", j.CPL)
			if j.Encoding == "gb18030" {
				more += "chinese = \"gb18030\"\n"
			}
			e, b := onUSB(t, more)
			for piece := range slices.Chunk(j.Bytes, 256) {
				if _, err := b.Printer.Write(piece, 20*time.Second); err != nil {
					t.Fatal(err)
				}
			}
			img, words := paperWith(t, e, "--- cut ---")
			paper := want[j.Document] + want[fmt.Sprint(j.Document, " ", j.CPL)] + "\n\n--- cut ---"
			if got := qrSize.ReplaceAllString("\n"+words, "[picture]"); got != paper {
				t.Errorf("on paper is %s\nwant %s", got, paper)
			}
			switch j.Document {
			case "image":
				seen(t, img)
			case "codes":
				tooltest.Need(t, "zbarimg")
				roll := image.NewGray(img.Bounds().Inset(-32))
				draw.Draw(roll, roll.Rect, image.White, image.Point{}, draw.Src)
				draw.Draw(roll, img.Bounds(), img, image.Point{}, draw.Src)
				if got := zbar(t, roll); !slices.Equal(got,
					[]string{"CODE-128:T1AAAAA000001", "QR-Code:https://example.com/r/T1AAAAA000001?a=1234"}) {
					t.Errorf("zbar reads %q", got)
				}
			}
		})
	}
}

// TestOthersCodes: barcodes that other programs let the printer make are read correctly by a scanner.
func TestOthersCodes(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "zbarimg")
	text, err := os.ReadFile("../../testdata/chips/others/jobs.json")
	if err != nil {
		t.Fatal(err)
	}
	var jobs []struct {
		By, Document string
		Bytes        []byte
	}
	if err := json.Unmarshal(text, &jobs); err != nil {
		t.Fatal(err)
	}
	const rpe, ntp = "receipt-printer-encoder 4.0.1 ", "node-thermal-printer 4.6.1 "
	want := map[string]string{
		rpe + "upca": "EAN-13:0036000291452", rpe + "ean8": "EAN-8:96385074", rpe + "itf": "I2/5:12345678",
		rpe + "codabar": "Codabar:A1234B", rpe + "ean13": "EAN-13:4006381333931", rpe + "code39": "CODE-39:ABC-123",
		rpe + "code128 narrow": "CODE-128:T1AAAAA000001", ntp + "ean13": "EAN-13:4006381333931",
		ntp + "qr": "QR-Code:https://example.com/r/T1AAAAA000001?a=1234",
	}
	for _, j := range jobs {
		reads, is := want[j.By+" "+j.Document]
		if !is {
			continue
		}
		delete(want, j.By+" "+j.Document)
		e, b := onUSB(t, "columns = 42\ncut = true\n")
		before := j.Bytes[:bytes.LastIndex(j.Bytes, []byte("\x1dV"))] // some cut through what they have printed
		if _, err := b.Printer.Write(append(before, "\n\n\n\x1dV\x00"...), 20*time.Second); err != nil {
			t.Fatal(err)
		}
		img, _ := paperWith(t, e, "cut ---")
		roll := image.NewGray(img.Bounds().Inset(-32))
		draw.Draw(roll, roll.Rect, image.White, image.Point{}, draw.Src)
		draw.Draw(roll, img.Bounds(), img, image.Point{}, draw.Src)
		if got := zbar(t, roll); !slices.Equal(got, []string{reads}) {
			t.Errorf("%s %s: zbar reads %q, want %s", j.By, j.Document, got, reads)
		}
	}
	if len(want) > 0 {
		t.Errorf("the corpus lacks %v", want)
	}
}

// qrSize is the picture of a QR code; the two commands put it into other sizes.
var qrSize = regexp.MustCompile(`\[picture 1[12][06]x116\]`)

// seen compares the document's picture, a disc in a frame, with the middle of the roll.
func seen(t *testing.T, img image.Image) {
	t.Helper()
	left := (img.Bounds().Dx() - 96 - 8) / 2 // 42 columns are 504 of 512 dots
	for y := range 48 {
		for x := range 96 {
			dx, dy := x-48, y-24
			black := x < 4 || y < 4 || x >= 92 || y >= 44 || dx*dx+dy*dy < 200
			if r, _, _, _ := img.At(left+x, y).RGBA(); (r == 0) != black {
				t.Fatalf("the dot at %d, %d is %#x", x, y, r)
			}
		}
	}
}

// TestUSBPrinterLetsItsHostWait: a USB printer blocks its host, so that more than its buffer is
// printed completely without pacing.
func TestUSBPrinterLetsItsHostWait(t *testing.T) {
	e, b := onUSB(t, "buffer = 256\nspeed = 200\n")
	var want strings.Builder
	for i := range 300 {
		fmt.Fprintf(&want, "line %d\n", i)
	}
	for rest := want.String(); rest != ""; {
		n := min(len(rest), 200)
		if _, err := b.Printer.Write([]byte(rest[:n]), 20*time.Second); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if _, words := paperWith(t, e, "line 299"); words+"\n" != want.String() {
		t.Errorf("on paper is\n%s", words)
	}
}

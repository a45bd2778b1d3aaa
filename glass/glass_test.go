package glass_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"payterm"
	"payterm/glass"

	"pgregory.net/rapid"
)

func TestPainterEdges(t *testing.T) {
	word := strings.Repeat("W", 60)
	keys := []payterm.KeyHint{{Key: "ENTER", Does: "Pay"}, {Key: "CANCEL", Does: "Stop"}, {Key: "F1", Does: "More"},
		{Key: "CLEAR", Does: "Back"}}
	for _, c := range []struct {
		name string
		s    payterm.Screen
		want error
	}{
		{"nothing", payterm.Screen{}, nil},
		{"a blank line", payterm.Screen{Lines: []string{"", " "}}, nil},
		{"signs that no font has", payterm.Screen{Title: "\U0001F600 \x01\xff"}, nil},
		{"all of it", payterm.Screen{Title: "Amount", Status: "12:34", Amount: "$1,234,567.89",
			Lines: []string{"Please",
				"wait"},
			Elapsed: "0:42", Small: "T1AAAAA000001", Keys: keys, Watermark: "SIMULATION", Tone: payterm.Doubt}, nil},
		{"a title too long", payterm.Screen{Title: word}, glass.ErrDoesNotFit},
		{"a status that leaves the title no room", payterm.Screen{Title: "Amount", Status: word}, glass.ErrDoesNotFit},
		{"a status alone that is wider than the glass", payterm.Screen{Status: word}, glass.ErrDoesNotFit},
		{"an amount too long", payterm.Screen{Amount: word}, glass.ErrDoesNotFit},
		{"a word too long", payterm.Screen{Lines: []string{word}}, glass.ErrDoesNotFit},
		{"too many lines", payterm.Screen{Lines: strings.Split(strings.Repeat("word ", 40), " ")}, glass.ErrDoesNotFit},
		{"Chinese lines", payterm.Screen{Title: "付款成功", Lines: []string{strings.Repeat("请看顾客钱包里的记录，", 4)}}, nil},
		{"a Chinese status that leaves the title no room",
			payterm.Screen{Title: "付款成功", Status: strings.Repeat("离线", 8)}, glass.ErrDoesNotFit},
		{"a sign too high for its line", payterm.Screen{QR: "x", Small: "订单 T1AAAAA000001",
			Keys: []payterm.KeyHint{{Key: "CANCEL", Does: "取消"}}}, glass.ErrDoesNotFit},
		{"a QR code", payterm.Screen{QR: "https://example.com/x", Amount: "$1.00", Elapsed: "0:01",
			Watermark: "TRAINING"}, nil},
		{"a QR code too dense", payterm.Screen{QR: strings.Repeat("x", 1000)}, glass.ErrQRTooSmall},
		{"an amount beside the mark too long", payterm.Screen{QR: "x", Amount: word}, glass.ErrDoesNotFit},
		{"a mark too long", payterm.Screen{QR: "x", Watermark: word}, glass.ErrDoesNotFit},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := glass.NewPainter(240, 320)
			if err != nil {
				t.Fatal(err)
			}
			img, err := p.Paint(c.s)
			if !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("error %v, want %v", err, c.want)
			}
			again, err2 := p.Paint(c.s) // nothing of the previous screen is left
			if img == nil || !bytes.Equal(img.Pix, again.Pix) || fmt.Sprint(err) != fmt.Sprint(err2) {
				t.Errorf("painted again it is another: %v, %v", err, err2)
			}
		})
	}
	if p, err := glass.NewPainter(240, 320); err != nil {
		t.Fatal(err)
	} else if _, err := p.Paint(payterm.Screen{QR: strings.Repeat("x", 5000)}); !errors.Is(err, glass.ErrQRTooSmall) {
		t.Errorf("a QR code of 5000 characters: %v", err)
	}
}

// FuzzPaint: no text of a screen makes the painter panic, at any size.
func FuzzPaint(f *testing.F) {
	f.Add("title", "status", "$1.00", "line\nline", "x", "0:01", "ENTER", uint8(0), uint8(2))
	f.Fuzz(func(t *testing.T, title, status, amount, lines, qr, elapsed, does string, size, tone uint8) {
		p, err := glass.NewPainter(64+int(size), 64+int(size)/2)
		if err != nil {
			t.Fatal(err)
		}
		s := payterm.Screen{Title: title, Status: status, Amount: amount, Lines: strings.Split(lines, "\n"), QR: qr,
			Elapsed: elapsed,
			Keys:    []payterm.KeyHint{{Key: payterm.KeyEnter, Does: does}}, Tone: payterm.Tone(tone % 5)}
		if img, _ := p.Paint(s); img == nil {
			t.Error("no image")
		}
	})
}

// TestPagesSayAll: a character display shows all of a screen: each word is on some page, in whole rows.
func TestPagesSayAll(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		word := rapid.StringMatching(`[a-z]{1,22}`)
		line := rapid.Custom(func(rt *rapid.T) string {
			return strings.Join(rapid.SliceOfN(word, 0, 6).Draw(rt,
				"words"), " ")
		})
		s := payterm.Screen{
			Title: line.Draw(rt, "title"), Amount: rapid.StringMatching(`(\$[0-9]{1,9})?`).Draw(rt, "amount"),
			Lines:  rapid.SliceOfN(line, 0, 3).Draw(rt, "lines"),
			Status: line.Draw(rt, "status"), Elapsed: rapid.StringMatching(`([0-9]:[0-9]{2})?`).Draw(rt, "elapsed"),
			Small:     line.Draw(rt, "small"),
			Watermark: rapid.SampledFrom([]string{"", "TRAINING", "SIMULATION"}).Draw(rt, "mark"),
		}
		size := rapid.SampledFrom([][2]int{{16, 2}, {20, 4}, {8, 3}, {8, 4}}).Draw(rt, "size")
		pages, _ := glass.TextPages(s, size[0], size[1])
		letters := map[rune]int{}
		for _, page := range pages {
			if len(page) > size[1] {
				rt.Errorf("a page of %d rows on %v", len(page), size)
			}
			for _, row := range page {
				if n := len([]rune(row)); n > size[0] {
					rt.Errorf("a row of %d on %v: %q", n, size, row)
				}
				for _, r := range row {
					letters[r]++
				}
			}
			if s.Watermark != "" && size[0] >= len(s.Watermark) && !strings.Contains(strings.Join(page, " "),
				s.Watermark) {
				rt.Errorf("a page without %s: %q", s.Watermark, page)
			}
		}
		for _, r := range s.Title + s.Amount + strings.Join(s.Lines, "") + s.Status + s.Elapsed + s.Small +
			s.Watermark {
			if r != ' ' {
				letters[r]--
			}
		}
		for r, n := range letters {
			if r != ' ' && n < 0 {
				rt.Errorf("%d of %c are missing: %q", -n, r, pages)
			}
		}
	})
}

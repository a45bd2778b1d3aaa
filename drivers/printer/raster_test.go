package printer

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"payterm"
	"payterm/unifont"
)

// decoded draws the pictures in some bytes: each row of dots is a text.
func decoded(t *testing.T, b []byte) (rows []string, bands int) {
	t.Helper()
	for {
		at := bytes.Index(b, []byte{0x1d, 'v', '0'})
		if at < 0 {
			return rows, bands
		}
		bands++
		b = b[at:]
		wide, high := int(b[4])|int(b[5])<<8, int(b[6])|int(b[7])<<8
		if len(b) < 8+wide*high || wide*high > bandBytes {
			t.Fatalf("a picture of %d by %d in %d bytes", wide, high, len(b))
		}
		for y := range high {
			row := ""
			for _, dots := range b[8+y*wide : 8+(y+1)*wide] {
				row += fmt.Sprintf("%08b", dots)
			}
			rows = append(rows, row)
		}
		b = b[8+wide*high:]
	}
}

// TestDrawn: a drawn character is in the printer's columns, pixel by pixel, at each place in a line.
func TestDrawn(t *testing.T) {
	sign, _ := unifont.Find('付')
	mask := sign.Scaled(signDots)
	for _, c := range []struct {
		name   string
		l      payterm.ReceiptLine
		column []int // of the character, in each line
	}{
		{"left", payterm.ReceiptLine{Text: "付"}, []int{0}},
		{"in the middle", payterm.ReceiptLine{Text: "付", Align: payterm.AlignCenter}, []int{15}},
		{"right", payterm.ReceiptLine{Text: "付", Align: payterm.AlignRight}, []int{30}},
		{"after Latin", payterm.ReceiptLine{Text: "A 付"}, []int{2}},
		{"a pair", payterm.ReceiptLine{Kind: payterm.LinePair, Text: "Amount", Right: "付"}, []int{30}},
		{"a pair on two lines", payterm.ReceiptLine{Kind: payterm.LinePair, Text: "付" + strings.Repeat("x", 20),
			Right: strings.Repeat("y", 12)}, []int{0, -1}},
		{"a wrapped line", payterm.ReceiptLine{Text: strings.Repeat("付", 17)}, []int{0, 0}},
		{"a long word", payterm.ReceiptLine{Text: strings.Repeat("x", 40) + "付"}, []int{-1, 8}},
	} {
		b, err := Encode(payterm.Receipt{Lines: []payterm.ReceiptLine{c.l}}, Options{Columns: 32})
		if err != nil {
			t.Fatal(err)
		}
		rows, _ := decoded(t, b)
		if len(rows) != len(c.column)*rasterDots {
			t.Errorf("%s: %d rows", c.name, len(rows))
			continue
		}
		for line, column := range c.column {
			for y := 0; y < signDots && column >= 0; y++ {
				want := ""
				for x := range mask.Rect.Dx() {
					want += map[bool]string{true: "1", false: "0"}[mask.AlphaAt(x, y).A != 0]
				}
				row := rows[line*rasterDots+2+y]
				if got := row[column*columnDots:][:24]; got != want {
					t.Fatalf("%s: row %d is %s, want %s", c.name, y, got, want)
				}
			}
		}
	}
}

// TestDrawnIsPaced: each picture is a step of the pacer, with the paper that it takes.
func TestDrawnIsPaced(t *testing.T) {
	for _, large := range []bool{false, true} {
		r := payterm.Receipt{Lines: []payterm.ReceiptLine{{Text: strings.Repeat("付", 8), Large: large}}}
		e, err := encode(r, Options{Columns: 32}, false)
		if err != nil {
			t.Fatal(err)
		}
		_, bands := decoded(t, e.out)
		dots, most, from := 0, 0, 0
		for _, s := range e.steps {
			dots, most, from = dots+s.dots, max(most, s.end-from), s.end
		}
		want := rasterDots
		if large {
			want *= 2
		}
		if dots != want || most > bandBytes+13 || bands < 2 { // the first has the reset before it
			t.Errorf("large %t: %d dots in %d bands, a step of %d bytes", large, dots, bands, most)
		}
	}
}

func TestHarmless(t *testing.T) {
	for third := range 256 {
		data := []byte{0x10, 0x04, byte(third), 0x10, 0x05, 0x10, 0x14, 0x10, byte(third), 0x10, 0x10, 0x04}
		was := bytes.Clone(data)
		if !realTime(data) {
			t.Fatal("nothing to do")
		}
		if harmless(data); realTime(data) {
			t.Errorf("% x is still a command", data)
		}
		for i := range data {
			if data[i]&was[i] != was[i] {
				t.Errorf("a dot of % x is lost in % x", was, data)
			}
		}
	}
}

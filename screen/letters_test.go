package screen_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"payterm"
	"payterm/board"
	"payterm/boards"
	"payterm/flows/counter"
	"payterm/glass"
	"payterm/hal/emulated"
	"payterm/screen"
	"payterm/unifont"
)

// characters initialises a character display of this size, with this ROM.
func characters(t *testing.T, columns, rows int, rom string) (*emulated.Board, *glass.Display) {
	t.Helper()
	text, err := boards.Read("raspberrypi-i2c-hd44780")
	if err != nil {
		t.Fatal(err)
	}
	p, err := board.ReadProfile("b.toml", []byte(strings.NewReplacer("columns = 20\nrows = 4",
		fmt.Sprintf("columns = %d\nrows = %d\nrom = %q", columns, rows, rom)).Replace(string(text))))
	if err != nil {
		t.Fatal(err)
	}
	e, b := quiet(t, p)
	return e, lit(t, e, b)
}

// TestEveryTextHasLetters: a character display shows each text of each screen in each language as it is written, as
// read from the dots of the emulated chip: no stand-in, no other sign, and no letter without its accent, also with the
// Japanese ROM. It has few pages, and no drawn character changes while it can be seen.
func TestEveryTextHasLetters(t *testing.T) {
	for _, c := range []struct {
		columns, rows int
		rom           unifont.ROM
		pages         int // at most
	}{{20, 4, unifont.A00, 3}, {20, 4, unifont.A02, 3}, {16, 2, unifont.A00, 12}, {16, 2, unifont.A02, 12}} {
		name := fmt.Sprintf("%dx%d %s", c.columns, c.rows, c.rom)
		e, d := characters(t, c.columns, c.rows, string(c.rom))
		lost, shown := map[string]int{}, 0
		for _, language := range payterm.ScreenLanguages(true) {
			for _, s := range slices.Concat(shots(), trials()) {
				for _, mark := range []string{"", "SIMULATION"} {
					o := screen.Options{Language: language, Merchant: "Dépanneur Côte-des-Neiges", Watermark: mark,
						Small: true, LettersOnly: true, Link: counter.NetworkUp, Now: noon}
					s.view.CodeURL, s.view.Trial.Code = "", "" // such a display cannot show it, and says so
					composed := onGlass(s, 64, o)
					composed.Name += s.name + mark + language
					layout := glass.NewRows(c.columns, c.rows, c.rom)
					page, unfit := layout.Set(composed)
					if unfit != nil || d.Show(composed) != nil {
						t.Errorf("%s %s %s: %v", name, language, s.name, unfit)
					}
					first := strings.Join(page, "\n")
					for n := 1; ; n++ {
						shown += compare(t, name+" "+s.name, page, e.Text(), lost)
						more := false
						if page, more = layout.Turn(); !more || strings.Join(page, "\n") == first {
							break
						}
						if n == c.pages && !composed.Pattern {
							t.Errorf("%s %s %s %s: more than %d pages", name, language, s.name, mark, c.pages)
						}
						if err := d.Turn(); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
		}
		if len(lost) > 0 {
			t.Errorf("%s: letters without their accents, and how often: %v", name, lost)
		}
		drawn, flickers := e.Drawn()
		if flickers > 0 {
			t.Errorf("%s: %d bytes were drawn into characters on the glass", name, flickers)
		}
		// All eight are 64 bytes, at the start. A page that needs no others sends none, and of a thousand pages few do.
		if drawn > 64+8*24 {
			t.Errorf("%s: %d bytes were drawn for %d rows", name, drawn, shown)
		}
	}
}

// compare compares a page with what can be read on the glass, and counts the letters that lost an accent. It returns
// the number of rows.
func compare(t *testing.T, name string, page, read []string, lost map[string]int) int {
	t.Helper()
	for i, got := range read {
		want := ""
		if i < len(page) {
			want = strings.ReplaceAll(page[i], "\u00a0", " ")
		}
		want += strings.Repeat(" ", utf8.RuneCountInString(got)-utf8.RuneCountInString(want))
		for j, r := range []rune(want) {
			at := []rune(got)[j]
			cell, drawn := unifont.CellOf(r)
			switch {
			case at == r, r == '\\' && at == '/': // only the test pattern has one
			case drawn && cell.Bare != 0 && at == cell.Bare:
				lost[string(r)]++
			default:
				t.Errorf("%s: %q is shown as %q", name, want, got)
			}
		}
	}
	return len(read)
}

// TestAccentsWhereTheyMatter: the busiest page has more letters to draw than the display can hold. The frequent ones
// keep their accents and a sign of money stays, whatever else is there.
func TestAccentsWhereTheyMatter(t *testing.T) {
	e, d := characters(t, 20, 4, "A00")
	crowd := payterm.Screen{Name: "crowd", Lines: []string{"éé èè àà êê çç ôô ââ", "îî ûû ùù ÉÉ 5 €"}}
	if err := d.Show(crowd); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(e.Text()[:2], "|"); got != "éé èè àà êê çç ôô ââ|ii uu uu EE 5 €     " {
		t.Errorf("it shows %q", got)
	}
	sent, _ := e.Drawn()
	for _, again := range []payterm.Screen{crowd, {Name: "few", Lines: []string{"été à 5 €"}}, crowd} {
		if err := d.Show(again); err != nil {
			t.Fatal(err)
		}
	}
	if now, _ := e.Drawn(); now != sent {
		t.Errorf("%d bytes were drawn for characters that were there", now-sent)
	}
	// All eight are on the glass, and the next page needs eight others.
	other := payterm.Screen{Name: "other", Lines: []string{"îî ûû ùù ÉÉ ïï ëë", "ÈÈ ÀÀ"}}
	if err := d.Show(other); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(e.Text()[:2], "|"); got != "îî ûû ùù ÉÉ ïï ëë   |ÈÈ ÀÀ               " {
		t.Errorf("then it shows %q", got)
	}
	now, flickers := e.Drawn()
	if now-sent != 64 || flickers != 0 {
		t.Errorf("%d bytes were drawn, %d of them in sight", now-sent, flickers)
	}
}

package unifont

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"image"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Debian's package unifont has the file; NOTICE names the version.
var (
	update  = flag.Bool("update", false, "make glyphs.bin of the file that -hex names")
	hexFile = flag.String("hex", "/usr/share/unifont/unifont.hex", "Unifont's own file")
)

// wanted are the signs that the terminal can show and print.
func wanted(t *testing.T) []rune {
	t.Helper()
	set := map[rune]bool{}
	for r := rune(0x20); r < 0x180; r++ { // ASCII, Latin-1, Latin Extended-A
		set[r] = r < 0x7f || r >= 0xa0
	}
	for _, r := range "\u2010\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026\u202f\u20ac￥¥" {
		set[r] = true
	}
	for row := 0xa1; row <= 0xf7; row++ {
		for cell := 0xa1; cell <= 0xfe; cell++ {
			// These rows of GBK are GB 2312 and a few signs more.
			b, err := simplifiedchinese.GBK.NewDecoder().Bytes([]byte{byte(row), byte(cell)})
			if err != nil {
				t.Fatal(err)
			}
			if r := []rune(string(b)); len(r) == 1 && r[0] != 0xfffd && (r[0] < 0xe000 || r[0] > 0xf8ff) {
				set[r[0]] = true
			}
		}
	}
	maps.DeleteFunc(set, func(_ rune, in bool) bool { return !in })
	return slices.Sorted(maps.Keys(set))
}

// made is glyphs.bin out of Unifont's file: a line for each sign, its code point
// and its rows in hexadecimal.
func made(t *testing.T, runes []rune) []byte {
	t.Helper()
	text, err := os.ReadFile(*hexFile)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[rune][]byte{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		point, bits, _ := strings.Cut(lines.Text(), ":")
		r, err := strconv.ParseUint(point, 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		if rows[rune(r)], err = hex.DecodeString(bits); err != nil {
			t.Fatal(err)
		}
	}
	var out []byte
	for _, size := range []int{Height, 2 * Height} {
		of := slices.DeleteFunc(slices.Clone(runes), func(r rune) bool { return len(rows[r]) != size })
		out = binary.BigEndian.AppendUint16(out, uint16(len(of)))
		for _, r := range of {
			out = binary.BigEndian.AppendUint16(out, uint16(r))
		}
		for _, r := range of {
			out = append(out, rows[r]...)
		}
	}
	return out
}

// TestGlyphs makes the file with -update, and otherwise sees to it that no sign is
// missing; where Unifont's file is at hand, every pixel is that file's.
func TestGlyphs(t *testing.T) {
	runes := wanted(t)
	if len(runes) < 7400 {
		t.Fatalf("only %d signs: GB 2312 has 7445", len(runes))
	}
	if *update {
		if err := os.WriteFile("glyphs.bin", made(t, runes), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, r := range runes {
		if _, ok := Find(r); !ok {
			t.Errorf("no sign for %q (%U)", r, r)
		}
	}
	if _, err := os.Stat(*hexFile); err == nil && string(made(t, runes)) != glyphs {
		t.Error("glyphs.bin is not what is made of Unifont's file")
	}
	for _, r := range []rune{0x1f600, 0, -1, 0x7f, 0x10fffe, 0x9fff, 0xffff} {
		if _, ok := Find(r); ok {
			t.Errorf("there is a sign for %U", r)
		}
	}
}

// The sign for "middle", a box with a stroke through it, as Unifont's sheets show
// it.
func TestPixels(t *testing.T) {
	g, ok := Find('中')
	if !ok || g.Width() != 16 {
		t.Fatalf("width %d", g.Width())
	}
	var rows []string
	for y := range Height {
		row := ""
		for x := range g.Width() {
			row += map[bool]string{true: "#", false: "."}[g.At(x, y)]
		}
		rows = append(rows, row)
	}
	want := strings.Fields(`
.......#........ .......#........ .......#........ .......#........
..###########... ..#....#....#... ..#....#....#... ..#....#....#...
..#....#....#... ..#....#....#... ..###########... ..#....#....#...
.......#........ .......#........ .......#........ .......#........`)
	if !slices.Equal(rows, want) {
		t.Errorf("got\n%s", strings.Join(rows, "\n"))
	}
	if a, _ := Find('A'); a.Width() != 8 {
		t.Errorf("A is %d wide", a.Width())
	}
}

// At one and a half times the size every stroke of one pixel is two wide, and
// every gap of one pixel is still one.
func TestScaled(t *testing.T) {
	comb := Glyph{wide: true, rows: strings.Repeat("\xaa\x00", 8) + strings.Repeat("\x55\x00", 8)}
	m := comb.Scaled(24)
	if m.Rect != image.Rect(0, 0, 24, 24) {
		t.Fatalf("it is %v", m.Rect)
	}
	for y, want := range map[int]string{0: "##.##.##.##.............", 23: ".##.##.##.##............"} {
		row := ""
		for x := range 24 {
			row += map[bool]string{true: "#", false: "."}[m.AlphaAt(x, y).A != 0]
		}
		if row != want {
			t.Errorf("row %d: %s", y, row)
		}
	}
	for _, height := range []int{16, 32} {
		m := comb.Scaled(height)
		for y := range height {
			for x := range height {
				if (m.AlphaAt(x, y).A != 0) != comb.At(x*16/height, y*16/height) {
					t.Fatalf("%d: pixel %d,%d", height, x, y)
				}
			}
		}
	}
}

package unifont

import (
	"bufio"
	"bytes"
	"compress/flate"
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
	"unicode"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// Debian's package unifont contains the file; NOTICE names the version.
var (
	update  = flag.Bool("update", false, "make glyphs.bin of the file that -hex names")
	hexFile = flag.String("hex", "/usr/share/unifont/unifont.hex", "Unifont's own file")
)

// wanted returns characters that no update of the font may lose: those of the languages of shops and customers,
// taken from the tables of their encodings.
func wanted(t *testing.T) []rune {
	t.Helper()
	set := map[rune]bool{}
	for r := rune(0x20); r < 0x250; r++ { // ASCII, Latin-1, Latin Extended A and B
		set[r] = r < 0x7f || r >= 0xa0 && r != 0xad
	}
	for r := rune(0x1ea0); r < 0x1efa; r++ { // Vietnamese
		set[r] = true
	}
	for r := rune(0xac00); r < 0xd7a4; r++ { // Hangul
		set[r] = true
	}
	for r := rune(0x0e01); r <= 0x0e5b; r++ { // Thai
		set[r] = r <= 0x0e3a || r >= 0x0e3f
	}
	for _, r := range "\u0300\u0301\u20e3\u2010\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026\u20ac\u20a9\u20ab\u20b9\u2122\u25cc\u2122\u3000￥¥ŒœẞҐґ" {
		set[r] = true
	}
	for name, table := range map[string]encoding.Encoding{
		"GBK": simplifiedchinese.GBK, "Big5": traditionalchinese.Big5, "EUC-JP": japanese.EUCJP, "EUC-KR": korean.EUCKR,
		"1251": charmap.Windows1251, "1253": charmap.Windows1253, "437": charmap.CodePage437,
		"850": charmap.CodePage850, "1252": charmap.Windows1252, "858": charmap.CodePage858,
	} {
		for row := 0x80; row <= 0xfe; row++ {
			for cell := 0; cell <= 0xff; cell++ {
				b := []byte{byte(row), byte(cell)}
				if strings.Trim(name, "0123456789") == "" { // code pages of one byte
					b = b[:1]
				}
				text, err := table.NewDecoder().Bytes(b)
				if err != nil {
					t.Fatal(err)
				}
				r := []rune(string(text))
				if len(r) == 1 && r[0] >= 0xa0 && r[0] < 0xfffd && r[0] != 0xad && !unicode.Is(unicode.Co, r[0]) {
					set[r[0]] = true
				}
			}
		}
	}
	maps.DeleteFunc(set, func(_ rune, in bool) bool { return !in })
	return slices.Sorted(maps.Keys(set))
}

// file reads Unifont's file: a line for each character, with its code point and its rows in hexadecimal. Code
// points without a picture are left out: controls, formats, private use, not assigned.
func file(t *testing.T) map[rune][]byte {
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
		if !unicode.In(rune(r), unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Zs) ||
			r == unicode.ReplacementChar {
			continue
		}
		if rows[rune(r)], err = hex.DecodeString(bits); err != nil {
			t.Fatal(err)
		}
	}
	return rows
}

// made returns the content of glyphs.bin.
func made(t *testing.T, rows map[rune][]byte) []byte {
	t.Helper()
	var ends, packed bytes.Buffer
	for n := range rune(256) {
		var widths, bits []byte
		for r := n << 8; r < n<<8+256; r++ {
			widths, bits = append(widths, byte(len(rows[r])/Height)), append(bits, rows[r]...)
		}
		if len(bits) > 0 {
			w, err := flate.NewWriter(&packed, flate.BestCompression)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(append(widths, bits...)); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}
		ends.Write(binary.BigEndian.AppendUint32(nil, uint32(packed.Len())))
	}
	return append(ends.Bytes(), packed.Bytes()...)
}

// TestGlyphs writes the file with -update. Otherwise it checks that no character is missing and, if Unifont's
// file is installed, that every pixel is the same.
func TestGlyphs(t *testing.T) {
	if *update {
		if err := os.WriteFile("glyphs.bin", made(t, file(t)), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	runes := wanted(t)
	if len(runes) < 35000 {
		t.Fatalf("only %d signs", len(runes))
	}
	for _, r := range runes {
		if _, ok := Find(r); !ok {
			t.Errorf("no sign for %q (%U)", r, r)
		}
	}
	if _, err := os.Stat(*hexFile); err == nil {
		rows := file(t)
		for r := rune(0); r <= 0x10ffff; r++ {
			if g, _ := Find(r); g.rows != string(rows[r]) {
				t.Errorf("%U is not as in Unifont's file", r)
			}
		}
	}
	for _, r := range []rune{0x1f600, 0, -1, 0x7f, 0x10fffe, 0xffff, 0xfffd, 0xd800, 0xe000, 0x200b} {
		if _, ok := Find(r); ok {
			t.Errorf("there is a sign for %U", r)
		}
	}
}

// TestPixels draws the character for "middle", a box with a stroke through it, and compares it with Unifont's
// chart.
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

// TestScaled: at one and a half times the size every stroke of one pixel is two pixels wide, and every gap of
// one pixel is still one.
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

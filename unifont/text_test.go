package unifont

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestLegible(t *testing.T) {
	for _, c := range []struct {
		name, text, want string
		lacks            []string
	}{
		{"ASCII", "Table 5 ~", "Table 5 ~", nil},
		{"letters", "Café Œuvre™ Đặng Phở", "Café Œuvre™ Đặng Phở", nil},
		{"other scripts", "張記茶餐廳 김치 すし カフェ Кафе Ελλάδα", "張記茶餐廳 김치 すし カフェ Кафе Ελλάδα", nil},
		{"taken apart", "Cafe\u0301 \u1112\u1161\u11ab Pho\u031b\u0309", "Café 한 Phở", nil},
		{"a mark that no letter takes in", "q\u0303", "q\u0303", nil},
		{"a mark alone", "\u0301", "◌\u0301", nil},
		{"a mark after a blank", "a \u0301", "a ◌\u0301", nil},
		{"a sign without width between letter and mark", "e\u200d\u0301", "é", nil},
		{"without width", "a\u200bb\u00adc\ufeffd\u2060e\u200ef\ufe0f", "abcdef", nil},
		{"nothing else", "\u200b\u200b", "", nil},
		{"blanks", "a\tb\nc\r\nd\u2028e\u2009f\u3000g", "a b c  d e f g", nil},
		{"blanks that do not break", "1\u00a0234\u202f\u2007$", "1\u00a0234\u00a0\u00a0$", nil},
		{"a hyphen that does not break", "e\u2011mail", "e-mail", nil},
		{"controls", "\x1b@\x00\x7f\u0085", "?@?? ", []string{"\x1b", "\x00", "\x7f"}},
		{"no UTF-8", "a\xffb\xc3", "a?b?", []string{"\xff", "\xc3"}},
		{"what is there in place of no UTF-8", "a\ufffd", "a?", []string{"\ufffd"}},
		{"an emoji", "Table 5 🍕", "Table 5 ?", []string{"🍕"}},
		{"two of them", "🍕🍕", "??", []string{"🍕"}},
		{"one in Unifont", "☕ ❤\ufe0f", "☕ ❤", nil},
		{"a family", "x👨‍👩‍👧y", "x?y", []string{"👨‍👩‍👧"}},
		{"of what is in Unifont and what is not", "❤\ufe0f\u200d🔥", "?", []string{"❤\ufe0f\u200d🔥"}},
		{"with a skin", "👍🏽☝🏽", "??", []string{"👍🏽", "☝🏽"}},
		{"flags", "🇨🇦🇫🇷🇨", "???", []string{"🇨🇦", "🇫🇷", "🇨"}},
		{"a flag of tags", "🏴\U000e0067\U000e0062\U000e007f!", "?!", []string{"🏴\U000e0067\U000e0062\U000e007f"}},
		{"a key", "1\ufe0f\u20e3", "1\u20e3", nil},
		{"rare ideographs", "𠮷野家", "?野家", []string{"𠮷"}},
		{"private", "\ue000", "?", []string{"\ue000"}},
	} {
		if got := Legible(c.text); got != c.want {
			t.Errorf("%s: %q became %q, not %q", c.name, c.text, got, c.want)
		}
		if got := Lacking(c.text); !slices.Equal(got, c.lacks) {
			t.Errorf("%s: %q lacks %q, not %q", c.name, c.text, got, c.lacks)
		}
	}
}

// FuzzLegible: all of any text can be drawn, no control character and nothing without width is left, and each
// visible character stays or becomes a stand-in.
func FuzzLegible(f *testing.F) {
	for _, text := range []string{"", "Café", "e\u0301", "👨‍👩‍👧", "\xff\x00\u200b", "a\u0300\u0301\u0302", "각", "का",
		"\u0301", "🇨🇦", "1\ufe0f\u20e3"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := Legible(text)
		if Legible(got) != got || !utf8.ValidString(got) || !norm.NFC.IsNormalString(got) {
			t.Fatalf("%q became %q, and that %q", text, got, Legible(got))
		}
		for sign := range Signs(got) {
			if g := Draw(sign); g.Width() != 8 && g.Width() != 16 || len(g.rows) != g.Width()/8*Height {
				t.Fatalf("%q of %q is %d wide", sign, got, g.Width())
			}
			for _, r := range sign {
				if _, ok := Find(r); !ok || ignored(r) || unicode.IsControl(r) {
					t.Fatalf("%U in %q, of %q", r, got, text)
				}
			}
		}
		if joined := strings.Join(slices.Collect(Signs(got)), ""); joined != got {
			t.Fatalf("the signs of %q are %q", got, joined)
		}
		if words := strings.Join(slices.Collect(Words(got)), ""); blankless(words) != blankless(got) {
			t.Fatalf("the words of %q are %q", got, words)
		}
		letter := func(r rune) bool { return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) }
		var before, after []rune
		for _, r := range norm.NFC.String(text) {
			if letter(r) {
				before = append(before, r)
			}
		}
		for _, r := range got {
			if letter(r) {
				after = append(after, r)
			}
		}
		if utf8.ValidString(text) && len(Lacking(text)) == 0 && !strings.ContainsFunc(text, ignored) &&
			!slices.Equal(before, after) {
			t.Fatalf("%q became %q: letters are lost", text, got)
		}
	})
}

func blankless(text string) string { return strings.ReplaceAll(text, " ", "") }

// TestMarksAreDrawnOver: a mark is drawn over its letter, a narrow one in the middle of a wide one.
func TestMarksAreDrawnOver(t *testing.T) {
	over := func(sign string) string { return Draw(sign).rows }
	q, _ := Find('q')
	tilde, _ := Find('\u0303')
	for i := range q.rows {
		if over("q\u0303")[i] != q.rows[i]|tilde.rows[i] {
			t.Fatalf("row %d", i)
		}
	}
	g := Draw("中\u0303")
	middle, _ := Find('中')
	if g.Width() != 16 {
		t.Fatal("it has become narrow")
	}
	for y := range Height {
		for x := range 16 {
			if want := middle.At(x, y) || x >= 4 && x < 12 && tilde.At(x-4, y); g.At(x, y) != want {
				t.Errorf("pixel %d,%d", x, y)
			}
		}
	}
}

func TestOneByOne(t *testing.T) {
	for text, want := range map[string]bool{"Café 張記 김치 Phở ไทย Кафе": false, "قهوة": true, "x קפה": true,
		"कॉफ़ी": true} {
		if OneByOne(text) != want {
			t.Errorf("%q: %t", text, !want)
		}
	}
}

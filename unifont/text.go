package unifont

import (
	"iter"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// StandIn replaces a character that cannot be drawn. Every printer and every display has it.
const StandIn = '?'

// Legible converts any text to one of which every character can be drawn (Draw), so that no slip or screen
// fails because of a character:
//
//   - it is in Unicode's form NFC, in which a letter with its accent is one code point;
//   - what people see as one character and cannot be drawn (also a combined emoji)
//     becomes one StandIn, as does a control character, and a byte that is not UTF-8;
//   - characters without width (zero-width spaces and joiners, soft hyphens, directions,
//     variation selectors) are left out;
//   - a line end becomes a blank, a non-breaking hyphen a hyphen, and every non-breaking
//     blank U+00A0.
func Legible(text string) string { return legible(text, func(string) {}) }

// Lacking returns the characters of a text that become a StandIn, each once.
func Lacking(text string) []string {
	var list []string
	legible(text, func(sign string) {
		if !slices.Contains(list, sign) {
			list = append(list, sign)
		}
	})
	return list
}

func legible(text string, lacks func(sign string)) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		return text
	}
	out := make([]byte, 0, len(text))
	for text = norm.NFC.String(text); text != ""; {
		sign := seen(text)
		text = text[len(sign):]
		drawn, ok := drawable(out, sign)
		if out = drawn; !ok {
			lacks(sign)
			out = utf8.AppendRune(out, StandIn)
		}
	}
	return norm.NFC.String(string(out)) // a character between a letter and its accent may have been left out
}

// seen returns the beginning of a text that people see as one character: a letter with its marks, a flag, a
// combined emoji (UAX 29, as far as it matters here).
func seen(text string) string {
	r, n := utf8.DecodeRuneInString(text)
	if unicode.IsControl(r) || unicode.IsSpace(r) {
		return text[:n]
	}
	if unicode.Is(unicode.Regional_Indicator, r) {
		if next, size := utf8.DecodeRuneInString(text[n:]); unicode.Is(unicode.Regional_Indicator, next) {
			n += size
		}
	}
	for last := r; n < len(text); {
		next, size := utf8.DecodeRuneInString(text[n:])
		if !extends(next) && (last != joiner || !pictured(r) || !pictured(next)) {
			break
		}
		last, n = next, n+size
	}
	return text[:n]
}

const joiner = '\u200d'

// extends reports whether a code point belongs to the character before it.
func extends(r rune) bool {
	return mark(r) || r == joiner || r == '\u200c' || unicode.Is(unicode.Variation_Selector, r) ||
		r >= 0x1f3fb && r <= 0x1f3ff || r >= 0xe0020 && r <= 0xe007f // the skin tone of an emoji; the country of a flag
}

// mark reports whether a code point is drawn over the one before it.
func mark(r rune) bool { return r >= 0x300 && unicode.In(r, unicode.Mn, unicode.Me) }

// pictured reports whether a code point can be joined with others to one emoji.
func pictured(r rune) bool {
	return r >= 0x2190 && r <= 0x2bff || r >= 0x1f000 && r <= 0x1faff
}

// ignored reports whether a code point has no width.
func ignored(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// drawable appends what is drawn for one character. It returns false, and out unchanged, if it cannot be drawn.
func drawable(out []byte, sign string) ([]byte, bool) {
	was, bare, joined := len(out), true, false
	for i, r := range sign {
		switch {
		case r == utf8.RuneError, joined && pictured(r):
			return out[:was], false
		case r == joiner:
			joined = true
			continue
		case ignored(r):
			continue
		case mark(r) && bare:
			out = utf8.AppendRune(out, '◌')
		case i == 0:
			r = narrowed(r)
		}
		if _, ok := Find(r); !ok {
			return out[:was], false
		}
		out, bare = utf8.AppendRune(out, r), false
	}
	return out, true
}

// narrowed maps the different blanks and hyphens to one of each.
func narrowed(r rune) rune {
	switch {
	case r == '\u00a0', r == '\u202f', r == '\u2007':
		return '\u00a0'
	case r == '\u2011':
		return '-'
	case unicode.IsSpace(r):
		return ' '
	}
	return r
}

// Signs returns the characters of a legible text one by one, each with its combining marks.
func Signs(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for text != "" {
			_, n := utf8.DecodeRuneInString(text)
			for n < len(text) {
				r, size := utf8.DecodeRuneInString(text[n:])
				if !mark(r) {
					break
				}
				n += size
			}
			if !yield(text[:n]) {
				return
			}
			text = text[n:]
		}
	}
}

// Draw returns the glyph of a character of Signs with its marks, or that of StandIn if there is none.
func Draw(sign string) Glyph {
	r, n := utf8.DecodeRuneInString(sign)
	g, ok := Find(r)
	if !ok {
		g, _ = Find(StandIn)
	}
	for _, r := range sign[n:] {
		if over, ok := Find(r); ok {
			g = g.with(over)
		}
	}
	return g
}

// with draws one glyph over another, centred.
func (g Glyph) with(over Glyph) Glyph {
	if g.wide != over.wide {
		g, over = g.widened(), over.widened()
	}
	rows := []byte(g.rows)
	for i := range rows {
		rows[i] |= over.rows[i]
	}
	return Glyph{g.wide, string(rows)}
}

// widened returns a glyph of twice the width, with the old one centred.
func (g Glyph) widened() Glyph {
	if g.wide {
		return g
	}
	rows := make([]byte, 0, 2*Height)
	for _, row := range []byte(g.rows) {
		rows = append(rows, row>>4, row<<4)
	}
	return Glyph{true, string(rows)}
}

// OneByOne reports whether a text has characters of a script that is written from right to left or joins its
// letters. They are drawn unjoined from left to right, which readers of the script can decipher at best.
func OneByOne(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool {
		return r >= 0x590 && unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko,
			unicode.Samaritan, unicode.Mandaic,
			unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil,
			unicode.Telugu, unicode.Kannada,
			unicode.Malayalam, unicode.Sinhala, unicode.Tibetan, unicode.Myanmar, unicode.Khmer, unicode.Mongolian)
	})
}

// Alike returns ASCII text that reads the same as a non-ASCII character, for printers and displays with few
// other characters. It returns false if there is none.
func Alike(r rune) (string, bool) {
	text, ok := alike[r]
	return text, ok
}

var alike = map[rune]string{
	'\u2018': "'", '\u2019': "'", '\u201a': "'", '\u201c': `"`, '\u201d': `"`, '\u201e': `"`, '\u2039': "<",
	'\u203a': ">",
	'\u2010': "-", '\u2012': "-", '\u2013': "-", '\u2014': "-", '\u2015': "-", '\u2212': "-", '\u2026': "...",
	'\u2022': "*", '\u00a0': " ",
}

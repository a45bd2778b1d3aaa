package glass

import (
	"slices"
	"strings"
	"unicode/utf8"

	"payterm/unifont"

	"golang.org/x/text/unicode/norm"
)

// Letters converts a text to what a character display can show: ASCII and the characters of unifont.Cells.
// Other letters lose their diacritics, and a character without an equivalent becomes a question mark.
func Letters(text string) string {
	var b strings.Builder
	for sign := range unifont.Signs(unifont.Legible(text)) {
		r, _ := utf8.DecodeRuneInString(sign)
		base, _ := utf8.DecodeRuneInString(norm.NFD.String(string(r)))
		other, same := unifont.Alike(r)
		stroke, has := strokes[r]
		_, cell := unifont.CellOf(r)
		switch {
		case r == '\u00a0', r < utf8.RuneSelf, cell:
			b.WriteRune(r)
		case same:
			b.WriteString(other)
		case has:
			b.WriteString(stroke)
		case base > ' ' && base < utf8.RuneSelf:
			b.WriteRune(base)
		default:
			b.WriteRune(unifont.StandIn)
		}
	}
	return b.String()
}

// strokes are letters that Unicode does not decompose.
var strokes = map[rune]string{
	'Đ': "D", 'đ': "d", 'Ø': "O", 'ø': "o", 'Ł': "L", 'ł': "l", 'Ħ': "H", 'ħ': "h", 'ı': "i",
	'Æ': "AE", 'æ': "ae", 'Œ': "OE", 'œ': "oe", 'ß': "ss", 'ẞ': "SS",
	'™': "TM", '№': "No", '«': "<<", '»': ">>", '×': "x", '·': ".", 'ﬁ': "fi", 'ﬂ': "fl",
}

// Altered returns the characters of a text that are shown as others, each once: those that no font has and, on
// a character display, letters that lose a diacritic.
func Altered(text string, characters bool) []string {
	list := unifont.Lacking(text)
	if !characters {
		return list
	}
	for sign := range unifont.Signs(unifont.Legible(text)) {
		r, _ := utf8.DecodeRuneInString(sign)
		if _, same := unifont.Alike(r); !same && Letters(sign) != sign && !slices.Contains(list, sign) {
			list = append(list, sign)
		}
	}
	return list
}

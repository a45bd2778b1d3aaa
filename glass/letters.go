package glass

import (
	"slices"
	"strings"
	"unicode/utf8"

	"payterm/unifont"

	"golang.org/x/text/unicode/norm"
)

// Letters converts a text to what a character display with this ROM can show: ASCII, the characters of the ROM, and
// those that are drawn (unifont.Cells). Other letters lose their diacritics, and a character without an equivalent
// becomes a question mark.
func Letters(text string, rom unifont.ROM) string {
	var b strings.Builder
	for sign := range unifont.Signs(unifont.Legible(text)) {
		r, _ := utf8.DecodeRuneInString(sign)
		base, _ := utf8.DecodeRuneInString(norm.NFD.String(string(r)))
		other, same := unifont.Alike(r)
		stroke, has := strokes[r]
		switch {
		case r < utf8.RuneSelf, rom.Has(r):
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
// a character display (whose ROM is not ""), letters that lose a diacritic.
func Altered(text string, rom unifont.ROM) []string {
	list := unifont.Lacking(text)
	if rom == "" {
		return list
	}
	for sign := range unifont.Signs(unifont.Legible(text)) {
		r, _ := utf8.DecodeRuneInString(sign)
		if _, same := unifont.Alike(r); !same && Letters(sign, rom) != sign && !slices.Contains(list, sign) {
			list = append(list, sign)
		}
	}
	return list
}

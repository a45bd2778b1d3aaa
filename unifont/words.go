package unifont

import (
	"bytes"
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
)

// No line is broken before noneBefore or after noneAfter, also between Chinese characters.
const (
	noneBefore = "，。？！：；、）》”’\u00a0\u202f"
	noneAfter  = "（《“‘\u00a0\u202f"
)

// Words returns the parts of a line that must not be broken, each with the blank before it. A Chinese character
// is a part of its own, together with the characters that must not begin or end a line.
func Words(line string) iter.Seq[string] {
	return func(yield func(string) bool) {
		var word []byte
		before := rune(0)
		for _, r := range line {
			blank := unicode.IsSpace(r) && r != '\u00a0' && r != '\u202f'
			if breaks := before != 0 && (blank || Chinese(before) || Chinese(r)) && !mark(r) &&
				!strings.ContainsRune(noneBefore, r) && !strings.ContainsRune(noneAfter, before); breaks &&
				!empty(word) {
				if !yield(string(word)) {
					return
				}
				word = word[:0]
			}
			if blank {
				r = ' '
			}
			if !blank || !bytes.HasSuffix(word, []byte{' '}) {
				word = utf8.AppendRune(word, r)
			}
			before = r
		}
		if !empty(word) {
			yield(string(word))
		}
	}
}

func empty(word []byte) bool { return len(word) == 0 || string(word) == " " }

// Chinese reports whether a line may be broken beside a character: ideographs, and the punctuation and wide
// forms used with them.
func Chinese(r rune) bool {
	return r >= 0x2e80 && r <= 0x9fff || r >= 0xff00 && r <= 0xffef
}

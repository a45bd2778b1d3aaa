package unifont

import (
	"iter"
	"strings"
	"unicode"
)

// Where no line is broken, also between Chinese signs.
const (
	noneBefore = "，。？！：；、）》”’\u00a0\u202f"
	noneAfter  = "（《“‘\u00a0\u202f"
)

// Words gives what a line may not be broken inside of, each with the blank that
// goes before it. A Chinese sign is a word, and takes along the signs that must not
// begin or end a line.
func Words(line string) iter.Seq[string] {
	return func(yield func(string) bool) {
		word, before := "", rune(0)
		for _, r := range line {
			blank := unicode.IsSpace(r) && r != '\u00a0' && r != '\u202f'
			if breaks := before != 0 && (blank || Chinese(before) || Chinese(r)) && !strings.ContainsRune(noneBefore, r) && !strings.ContainsRune(noneAfter, before); breaks && word != "" && word != " " {
				if !yield(word) {
					return
				}
				word = ""
			}
			if blank {
				word, r = " ", ' '
			} else {
				word += string(r)
			}
			before = r
		}
		if word != "" && word != " " {
			yield(word)
		}
	}
}

// Chinese tells the signs that lines may be broken between: ideographs, and the
// punctuation and wide forms that go with them.
func Chinese(r rune) bool {
	return r >= 0x2e80 && r <= 0x9fff || r >= 0xff00 && r <= 0xffef
}

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
	noneBefore = "，。？！：；、）》”’?!,.:;)%\u00a0\u202f"
	noneAfter  = "（《“‘(\u00a0\u202f"
)

// Words returns the parts of a line that must not be broken, each with the blank before it. A Chinese word of our
// own texts (chinese.go) is one part, and so is any other Chinese character, together with the characters that
// must not begin or end a line.
func Words(line string) iter.Seq[string] {
	return func(yield func(string) bool) {
		var word []byte
		before, end := rune(0), 0 // end of a Chinese word
		for i, r := range line {
			inside := i < end
			if !inside {
				end = i + wordLength(line[i:], r)
			}
			blank := unicode.IsSpace(r) && r != '\u00a0' && r != '\u202f'
			inside = inside || blank && apart(line[i:])
			breaks := !inside && before != 0 && (blank || Chinese(before) || Chinese(r)) && !mark(r) &&
				!strings.ContainsRune(noneBefore, r) && !strings.ContainsRune(noneAfter, before) && !counts(before, r)
			if breaks && !empty(word) {
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

// apart reports whether the next character after blanks is one before which French writes a blank. A line must
// not begin with it.
func apart(rest string) bool {
	next, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(rest, unicode.IsSpace))
	return strings.ContainsRune(":;?!%»", next)
}

// counts reports whether a number stands beside the Chinese character that it belongs to.
func counts(a, b rune) bool {
	digit := func(r rune) bool { return r >= '0' && r <= '9' }
	ideograph := func(r rune) bool { return r >= 0x3400 && r <= 0x9fff }
	return digit(a) && ideograph(b) || digit(b) && ideograph(a)
}

func empty(word []byte) bool { return len(word) == 0 || string(word) == " " }

// Chinese reports whether a line may be broken beside a character: ideographs, and the punctuation and wide
// forms used with them.
func Chinese(r rune) bool {
	return r >= 0x2e80 && r <= 0x9fff || r >= 0xff00 && r <= 0xffef
}

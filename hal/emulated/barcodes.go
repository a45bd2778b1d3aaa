package emulated

import (
	"bytes"
	"fmt"
	"image"
	"strings"
)

// Barcodes by GS k. With function A (m 0 to 6) a zero ends the data, with function B (m 65 to 79) the data is
// counted. Code 128, EAN and UPC-A, Code 39, ITF and Codabar are drawn; the data of others is skipped.
type symbology struct {
	name string
	bars func(data []byte) (bars []int, words string, err error)
}

// symbologies are those of function B. Function A has the first seven, with their numbers less 65.
var symbologies = map[byte]symbology{
	65: {"UPC-A", ean(12)}, 66: {name: "UPC-E"}, 67: {"EAN-13", ean(13)}, 68: {"EAN-8", ean(8)},
	69: {"Code 39", code39}, 70: {"ITF", interleaved}, 71: {"Codabar", codabar}, 72: {name: "Code 93"},
	73: {"Code 128", bars128}, 74: {name: "GS1-128"}, 75: {name: "GS1 DataBar"}, 76: {name: "GS1 DataBar"},
	77: {name: "GS1 DataBar"}, 78: {name: "GS1 DataBar"}, 79: {name: "Code 128 auto"},
}

func (p *escpos) barcode(b []byte) int {
	m, data, n := b[2], []byte(nil), 0
	switch {
	case m <= 6:
		end := bytes.IndexByte(b[3:], 0)
		if end < 0 {
			if len(b) > 3+255 { // no barcode is as long
				p.breach(BadArgument, "GS k %d without its end", m)
				return 3
			}
			return 0
		}
		m, data, n = m+65, b[3:3+end], 3+end+1
	case m >= 65 && m <= 79:
		if len(b) < 4 || len(b) < 4+int(b[3]) {
			return 0
		}
		n = 4 + int(b[3])
		data = b[4:n]
	default:
		p.breach(BadArgument, "GS k %d: 0 to 6, or 65 to 79", m)
		return 3
	}
	s := symbologies[m]
	switch {
	case !p.barcodes:
		p.breach(UnknownCommand, "GS k %d: this printer makes no barcodes", b[2])
		return 3
	case s.bars == nil:
		p.breach(UnknownCommand, "GS k %d: %s is not emulated", b[2], s.name)
		return n
	}
	p.atStart("GS k")
	bars, words, err := s.bars(data)
	if err != nil {
		p.breach(BadArgument, "%s: %v", s.name, err)
		return n
	}
	p.stripes(bars, words)
	return n
}

// stripes prints bars and spaces, given as widths in modules, with their text below.
func (p *escpos) stripes(bars []int, words string) {
	total := 0
	for _, w := range bars {
		total += w * p.barW
	}
	if total > p.area {
		p.breach(TooWide, "a barcode of %d dots on a roll of %d", total, p.area)
		return
	}
	s := p.strip(p.barH)
	x := p.start(total)
	for i, w := range bars {
		if w *= p.barW; i%2 == 0 {
			fill(s, image.Rect(x, 0, x+w, p.barH), 0)
		}
		x += w
	}
	p.say("[barcode " + words + "]")
	if p.barText {
		for _, r := range words {
			p.put(r, 12)
		}
		p.feedLine()
	}
}

// bars128 returns the bars of Code 128.
func bars128(data []byte) (bars []int, words string, err error) {
	values, words, err := code128(data)
	for _, v := range values {
		for _, w := range code128Widths[v] {
			bars = append(bars, int(w-'0'))
		}
	}
	return bars, words, err
}

// eanDigits are the seven modules of each digit in EAN and UPC, as widths of space, bar, space, bar.
var eanDigits = [10]string{"3211", "2221", "2122", "1411", "1132", "1231", "1114", "1312", "1213", "3112"}

// eanFirst gives for each first digit which of the six left digits of EAN-13 are mirrored (set B).
var eanFirst = [10]string{"000000", "001011", "001101", "001110", "010011", "011001", "011100", "010101", "010110",
	"011010"}

// ean returns the encoder of EAN-13, EAN-8 or UPC-A, which is EAN-13 with a zero in front. A missing check
// digit is added.
func ean(n int) func([]byte) ([]int, string, error) {
	return func(data []byte) (bars []int, words string, err error) {
		for _, c := range data {
			if c < '0' || c > '9' {
				return nil, "", fmt.Errorf("%q is no digit", c)
			}
		}
		digits := string(data)
		if len(digits) == n-1 {
			digits += string(eanCheck(digits))
		}
		switch {
		case len(digits) != n:
			return nil, "", fmt.Errorf("%d digits, not %d", len(digits), n)
		case eanCheck(digits[:n-1]) != rune(digits[n-1]):
			return nil, "", fmt.Errorf("the check digit of %s is %c", digits, eanCheck(digits[:n-1]))
		}
		words = digits
		sets := "0000"
		if n > 8 {
			digits = strings.Repeat("0", 13-n) + digits
			sets, digits = eanFirst[digits[0]-'0'], digits[1:]
		}
		add := func(widths string) {
			for _, w := range widths {
				bars = append(bars, int(w-'0'))
			}
		}
		add("111")
		for i := range digits {
			widths := eanDigits[digits[i]-'0']
			if i == len(digits)/2 {
				add("11111")
			}
			if i < len(sets) && sets[i] == '1' {
				widths = string([]byte{widths[3], widths[2], widths[1], widths[0]})
			}
			add(widths)
		}
		add("111")
		return bars, words, nil
	}
}

// eanCheck returns the check digit of digits, with the weights 3 and 1 from the right.
func eanCheck(digits string) rune {
	sum := 0
	for i := range digits {
		weight := 3
		if (len(digits)-i)%2 == 0 {
			weight = 1
		}
		sum += weight * int(digits[i]-'0')
	}
	return rune('0' + (10-sum%10)%10)
}

// code39 has nine elements a character, of which three are wide (w).
func code39(data []byte) (bars []int, words string, err error) {
	const signs = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%*"
	patterns := strings.Fields(`
		nnnwwnwnn wnnwnnnnw nnwwnnnnw wnwwnnnnn nnnwwnnnw wnnwwnnnn nnwwwnnnn nnnwnnwnw wnnwnnwnn nnwwnnwnn
		wnnnnwnnw nnwnnwnnw wnwnnwnnn nnnnwwnnw wnnnwwnnn nnwnwwnnn nnnnnwwnw wnnnnwwnn nnwnnwwnn nnnnwwwnn
		wnnnnnnww nnwnnnnww wnwnnnnwn nnnnwnnww wnnnwnnwn nnwnwnnwn nnnnnnwww wnnnnnwwn nnwnnnwwn nnnnwnwwn
		wwnnnnnnw nwwnnnnnw wwwnnnnnn nwnnwnnnw wwnnwnnnn nwwnwnnnn nwnnnnwnw wwnnnnwnn nwwnnnwnn nwnwnwnnn
		nwnwnnnwn nwnnnwnwn nnnwnwnwn nwnnwnwnn`)
	text := strings.Trim(string(data), "*")
	bars, err = separate("*"+text+"*", signs, patterns)
	return bars, text, err
}

// separate encodes characters one by one, with a narrow space between them.
func separate(text, signs string, patterns []string) (bars []int, err error) {
	for _, c := range text {
		i := strings.IndexRune(signs, c)
		if i < 0 {
			return nil, fmt.Errorf("%q is none of its characters", c)
		}
		if len(bars) > 0 {
			bars = append(bars, 1)
		}
		bars = append(bars, elements(patterns[i])...)
	}
	return bars, nil
}

// elements converts a pattern to widths of 1 and 3.
func elements(pattern string) []int {
	var widths []int
	for _, c := range pattern {
		widths = append(widths, map[rune]int{'n': 1, 'w': 3}[c])
	}
	return widths
}

// interleaved encodes two digits at a time, one in the bars and one in the spaces (ITF).
func interleaved(data []byte) (bars []int, words string, err error) {
	digits := [10]string{"nnwwn", "wnnnw", "nwnnw", "wwnnn", "nnwnw", "wnwnn", "nwwnn", "nnnww", "wnnwn", "nwnwn"}
	if len(data) == 0 || len(data)%2 == 1 {
		return nil, "", fmt.Errorf("%d digits: an even number", len(data))
	}
	bars = elements("nnnn")
	for i := 0; i < len(data); i += 2 {
		if data[i] < '0' || data[i] > '9' || data[i+1] < '0' || data[i+1] > '9' {
			return nil, "", fmt.Errorf("%q are no digits", data[i:i+2])
		}
		a, b := elements(digits[data[i]-'0']), elements(digits[data[i+1]-'0'])
		for k := range a {
			bars = append(bars, a[k], b[k])
		}
	}
	return append(bars, elements("wnn")...), string(data), nil
}

// codabar has seven elements a character, and begins and ends with one of A to D.
func codabar(data []byte) (bars []int, words string, err error) {
	const signs = "0123456789-$:/.+ABCD"
	patterns := strings.Fields(`
		nnnnnww nnnnwwn nnnwnnw wwnnnnn nnwnnwn wnnnnwn nwnnnnw nwnnwnn nwwnnnn wnnwnnn
		nnnwwnn nnwwnnn wnnnwnw wnwnnnw wnwnwnn nnwnwnw nnwwnwn nwnwnnw nnnwnww nnnwwwn`)
	text := strings.ToUpper(string(data))
	if len(text) < 3 || !strings.ContainsRune("ABCD", rune(text[0])) || !strings.ContainsRune("ABCD", rune(text[len(text)-1])) {
		return nil, "", fmt.Errorf("%q does not begin and end with A to D", data)
	}
	bars, err = separate(text, signs, patterns)
	return bars, text, err
}

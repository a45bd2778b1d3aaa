package printer

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"payterm"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"rsc.io/qr"
)

// ESC/POS commands, by their names in the manuals.
var (
	escInit      = []byte{0x1b, '@'}
	escBoldOn    = []byte{0x1b, 'E', 1}
	escBoldOff   = []byte{0x1b, 'E', 0}
	gsSizeNormal = []byte{0x1d, '!', 0x00}
	gsSizeDouble = []byte{0x1d, '!', 0x11}
	gsCutPartial = []byte{0x1d, 'V', 1}
	fsChineseOn  = []byte{0x1c, '&'}
	fsChineseOff = []byte{0x1c, '.'}
	esc3Band     = []byte{0x1b, '3', bandDots} // lines as high as a band of dots
	esc2         = []byte{0x1b, '2'}           // lines as they were
	lf           = []byte{'\n'}
)

// codePage is a printer's table of signs and its number for ESC t.
type codePage struct {
	number byte
	table  *charmap.Charmap
}

func codePageOf(name string) (codePage, error) {
	switch name {
	case "cp437", "":
		return codePage{0, charmap.CodePage437}, nil
	case "pc850":
		return codePage{2, charmap.CodePage850}, nil
	case "wpc1252":
		return codePage{16, charmap.Windows1252}, nil
	case "pc858":
		return codePage{19, charmap.CodePage858}, nil
	}
	return codePage{}, fmt.Errorf("printer: code page %q: cp437, pc850, wpc1252 or pc858", name)
}

// plain are signs that a code page may lack, written in ones that each has.
var plain = strings.NewReplacer(
	"\u2018", "'", "\u2019", "'", "\u201c", `"`, "\u201d", `"`, "\u2013", "-", "\u2014", "-",
	"\u2026", "...", "\u00a0", " ", "\u202f", " ", "\u2022", "*", "¥", "Y", "€", "EUR",
	"\n", " ", "\r", " ", "\t", " ")

// encoder writes one receipt.
type encoder struct {
	out   []byte
	steps []step // parts of out that each move the paper
	o     Options
	cp    codePage
}

// step ends at an offset of the bytes, and moves the paper by so many dot lines at
// the most.
type step struct{ end, dots int }

// Encode gives the bytes of a receipt for a printer: reset, code page, lines. A
// text that the code page cannot express is drawn (raster.go); where that cannot be
// done it is an error, never a row of question marks.
func Encode(r payterm.Receipt, o Options) ([]byte, error) {
	e, err := encode(r, o)
	return e.out, err
}

func encode(r payterm.Receipt, o Options) (encoder, error) {
	cp, err := codePageOf(o.CodePage)
	if err != nil {
		return encoder{}, err
	}
	e := encoder{o: o, cp: cp}
	e.put(escInit)
	if o.Chinese == GB18030 {
		e.put(fsChineseOff) // many come up in it, and read two letters with accents as one Chinese sign
	}
	e.put([]byte{0x1b, 't', cp.number})
	if o.Logo != nil {
		e.logo(o.Logo)
	}
	for _, l := range r.Lines {
		if err := e.line(l); err != nil {
			return encoder{}, fmt.Errorf("printer: %s: %w", r.Name, err)
		}
	}
	e.moves(0)
	return e, nil
}

// moves ends a step.
func (e *encoder) moves(dots int) { e.steps = append(e.steps, step{len(e.out), dots}) }

// newLine prints the line.
func (e *encoder) newLine(dots int) {
	e.put(lf)
	e.moves(dots)
}

func (e *encoder) put(b []byte) { e.out = append(e.out, b...) }

func (e *encoder) line(l payterm.ReceiptLine) error {
	if e.beyond(l) {
		e.drawn(l)
		return nil
	}
	switch l.Kind {
	case payterm.LineText:
		return e.text(l)
	case payterm.LinePair:
		return e.pair(l)
	case payterm.LineRule:
		e.put([]byte(strings.Repeat("-", e.o.Columns)))
		e.newLine(lineDots)
	case payterm.LineFeed:
		e.feed(l.N)
	case payterm.LineBarcode:
		return e.barcode(l.Text)
	case payterm.LineQR:
		return e.qr(l.Text)
	case payterm.LineCut:
		e.cut()
	}
	return nil
}

func (e *encoder) text(l payterm.ReceiptLine) error {
	columns, dots := e.o.Columns, lineDots
	if l.Large {
		columns, dots = columns/2, 2*lineDots
	}
	for _, part := range e.wrap(plain.Replace(l.Text), columns) {
		b, err := e.encode(part)
		if err != nil {
			return err
		}
		e.style(l.Bold, l.Large)
		e.align(l.Align)
		e.put(b)
		e.newLine(dots)
	}
	e.style(false, false)
	e.align(payterm.AlignLeft)
	return nil
}

// pair puts Text left and Right at the right edge, on two lines where one is too
// short for both.
func (e *encoder) pair(l payterm.ReceiptLine) error {
	left, right := plain.Replace(l.Text), plain.Replace(l.Right)
	room := e.o.Columns - columnsOf(left) - columnsOf(right)
	lines := []string{left + strings.Repeat(" ", max(0, room)) + right}
	if room < 1 {
		lines = e.wrap(left, e.o.Columns)
		for _, part := range e.wrap(right, e.o.Columns) {
			lines = append(lines, strings.Repeat(" ", e.o.Columns-columnsOf(part))+part)
		}
	}
	e.style(l.Bold, false)
	for _, part := range lines {
		b, err := e.encode(part)
		if err != nil {
			return err
		}
		e.put(b)
		e.newLine(lineDots)
	}
	e.style(false, false)
	return nil
}

// wrap breaks a text into lines; between Chinese signs where it has some.
func (e *encoder) wrap(text string, columns int) []string {
	if strings.ContainsFunc(text, wide) {
		return wrapWide(text, columns)
	}
	return wrap(text, columns)
}

// wrap breaks a text between words, and inside a word that is longer than a
// line, so that nothing is lost.
func wrap(text string, columns int) []string {
	var lines []string
	current := ""
	for _, word := range strings.Fields(text) {
		for utf8.RuneCountInString(word) > columns {
			if current != "" {
				lines, current = append(lines, current), ""
			}
			runes := []rune(word)
			lines, word = append(lines, string(runes[:columns])), string(runes[columns:])
		}
		switch {
		case word == "":
		case current == "":
			current = word
		case utf8.RuneCountInString(current)+1+utf8.RuneCountInString(word) <= columns:
			current += " " + word
		default:
			lines, current = append(lines, current), word
		}
	}
	if current != "" || len(lines) == 0 {
		lines = append(lines, current)
	}
	return lines
}

// encode puts a text into the code page, and Chinese signs into GB18030 between
// FS & and FS . where the printer has it. A control character would be a command.
func (e *encoder) encode(text string) ([]byte, error) {
	b := make([]byte, 0, len(text))
	inChinese := false
	for _, r := range text {
		if sign, ok := e.chinese(r); ok != inChinese {
			if inChinese = ok; ok {
				b = append(append(b, fsChineseOn...), sign...)
				continue
			}
			b = append(b, fsChineseOff...)
		} else if ok {
			b = append(b, sign...)
			continue
		}
		c, ok := e.cp.table.EncodeRune(r)
		if !ok || c < 0x20 || c == 0x7f {
			return nil, fmt.Errorf("%w %q (in %q)", ErrUnprintable, r, text)
		}
		b = append(b, c)
	}
	if inChinese {
		b = append(b, fsChineseOff...)
	}
	return b, nil
}

// chinese gives the GB18030 bytes of a sign that takes two columns.
func (e *encoder) chinese(r rune) ([]byte, bool) {
	if e.o.Chinese != GB18030 || !wide(r) {
		return nil, false
	}
	sign, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(string(r)))
	return sign, err == nil
}

func (e *encoder) style(bold, large bool) {
	if bold {
		e.put(escBoldOn)
	} else {
		e.put(escBoldOff)
	}
	if large {
		e.put(gsSizeDouble)
	} else {
		e.put(gsSizeNormal)
	}
}

func (e *encoder) align(a payterm.Align) { e.put([]byte{0x1b, 'a', byte(a)}) }

func (e *encoder) feed(n int) {
	n = min(max(n, 0), 255)
	e.put([]byte{0x1b, 'd', byte(n)})
	e.moves(n * lineDots)
}

// barWidth is the width of a barcode's narrowest bar in dots: readers and
// printers want two at the least. A module of a QR code is no narrower.
const (
	barWidth  = 2
	barHeight = 64
	maxModule = 6
)

// quietZone is the light border of a QR code in modules (ISO/IEC 18004).
const quietZone = 4

// barcode prints Code 128 with its text below (GS k, function B): subset B, and
// subset C for the digits at the end, which take half the room there. The margins
// of the roll serve as quiet zone. A text too long for the roll becomes a QR
// code.
func (e *encoder) barcode(text string) error {
	if strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r > 0x7e }) || text == "" {
		return fmt.Errorf("%w %q in a barcode", ErrUnprintable, text)
	}
	digits := trailingDigits(text)
	head, tail := text[:len(text)-digits], text[len(text)-digits:]
	data := []byte("{B" + strings.ReplaceAll(head, "{", "{{"))
	symbols := len(head)
	switch pairs := subsetC(tail); {
	case realTime(pairs):
		data, symbols = append(data, tail...), symbols+digits
	case digits > 0:
		data, symbols = append(append(data, '{', 'C'), pairs...), symbols+1+len(pairs)
	}
	// Start, symbols and check take eleven modules each, stop thirteen.
	if modules := 11*(symbols+2) + 13; modules*barWidth > e.o.Columns*12 {
		if err := e.qr(text); err != nil {
			return err
		}
		return e.text(payterm.ReceiptLine{Text: text, Align: payterm.AlignCenter})
	}
	e.align(payterm.AlignCenter)
	e.put([]byte{0x1d, 'h', barHeight})
	e.put([]byte{0x1d, 'w', barWidth})
	e.put([]byte{0x1d, 'H', 2}) // text below
	e.put([]byte{0x1d, 'k', 73, byte(len(data))})
	e.put(data)
	e.newLine(barHeight + 2*lineDots)
	e.align(payterm.AlignLeft)
	return nil
}

// subsetC packs digits by two.
func subsetC(digits string) []byte {
	var pairs []byte
	for i := 0; i < len(digits); i += 2 {
		pairs = append(pairs, (digits[i]-'0')*10+digits[i+1]-'0')
	}
	return pairs
}

// realTime reports whether data has the beginning of a real-time command (DLE EOT,
// DLE ENQ, DLE DC4), which printers carry out wherever it stands.
func realTime(data []byte) bool {
	for i := 1; i < len(data); i++ {
		if data[i-1] == 0x10 && (data[i] == 0x04 || data[i] == 0x05 || data[i] == 0x14) {
			return true
		}
	}
	return false
}

// trailingDigits is how many digits at the end pay for a change to subset C: an
// even number, four or more.
func trailingDigits(text string) int {
	n := 0
	for n < len(text) && text[len(text)-1-n] >= '0' && text[len(text)-1-n] <= '9' {
		n++
	}
	n -= n % 2
	if n < 4 {
		return 0
	}
	return n
}

// qr prints a QR code that the printer makes itself (GS ( k), or a picture of one,
// in modules of up to six dots. The printer adds no quiet zone: an empty line above and below is one,
// and at the sides the roll is.
func (e *encoder) qr(text string) error {
	if strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 }) {
		return fmt.Errorf("%w %q in a QR code", ErrUnprintable, text)
	}
	c, err := qr.Encode(text, qr.M) // its size alone is of interest
	if text == "" || err != nil {
		return fmt.Errorf("printer: a QR code of %d characters", len(text))
	}
	module := min(maxModule, e.o.Columns*12/(c.Size+2*quietZone))
	if module < barWidth {
		return fmt.Errorf("printer: a QR code of %d characters is too dense for %d columns", len(text), e.o.Columns)
	}
	e.feed(1)
	e.align(payterm.AlignCenter)
	if e.o.RasterQR {
		e.qrPicture(c, module)
		e.feed(1)
		e.align(payterm.AlignLeft)
		return nil
	}
	fn := func(params ...byte) {
		n := len(params) + 1
		e.put([]byte{0x1d, '(', 'k', byte(n), byte(n >> 8), 49})
		e.put(params)
	}
	fn(65, 50, 0) // model 2
	fn(67, byte(module))
	fn(69, 49) // level M
	fn(append([]byte{80, 48}, text...)...)
	e.moves(0)
	fn(81, 48) // print
	e.newLine(c.Size*module + lineDots)
	e.align(payterm.AlignLeft)
	return nil
}

// cut feeds past the cutter first: what is still under it would be cut through.
func (e *encoder) cut() {
	feed := e.o.CutFeed
	if feed <= 0 {
		feed = 4
	}
	e.feed(feed)
	if e.o.Cut {
		e.put(gsCutPartial)
		e.moves(cutDots)
	}
}

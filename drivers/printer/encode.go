package printer

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"payterm"
	"payterm/unifont"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"rsc.io/qr"
)

// ESC/POS commands, with the names of the manuals.
var (
	escInit      = []byte{0x1b, '@'}
	escBoldOn    = []byte{0x1b, 'E', 1}
	escBoldOff   = []byte{0x1b, 'E', 0}
	gsSizeNormal = []byte{0x1d, '!', 0x00}
	gsSizeDouble = []byte{0x1d, '!', 0x11}
	gsCutFull    = []byte{0x1d, 'V', 0}
	gsCutPartial = []byte{0x1d, 'V', 1}
	escRed       = []byte{0x1b, 'r', 1}
	escBlack     = []byte{0x1b, 'r', 0}
	escUSA       = []byte{0x1b, 'R', 0}
	escFontA     = []byte{0x1b, 'M', 0}
	fsChineseOn  = []byte{0x1c, '&'}
	fsChineseOff = []byte{0x1c, '.'}
	esc3Band     = []byte{0x1b, '3', bandDots} // line feed of the height of a band of dots
	esc2         = []byte{0x1b, '2'}           // default line feed
	lf           = []byte{'\n'}
)

// codePage is a printer's character table and its number for ESC t.
type codePage struct {
	number byte
	table  *charmap.Charmap
}

// codePageOf returns a code page by its name; numbers are the printer's own.
func codePageOf(name string, numbers map[string]int) (codePage, error) {
	pages := map[string]codePage{
		"cp437": {0, charmap.CodePage437}, "pc850": {2, charmap.CodePage850}, "wpc1252": {16, charmap.Windows1252},
		"pc858": {19, charmap.CodePage858},
	}
	name = cmp.Or(name, "cp437")
	page, known := pages[name]
	if !known {
		return page, fmt.Errorf("printer: code page %q: %s", name, strings.Join(slices.Sorted(maps.Keys(pages)), ", "))
	}
	if n, own := numbers[name]; own {
		if n < 0 || n > 255 {
			return page, fmt.Errorf("printer: number %d of code page %s: 0 to 255", n, name)
		}
		page.number = byte(n)
	}
	return page, nil
}

// encoder encodes one receipt.
type encoder struct {
	out   []byte
	steps []step // parts of out, with the paper movement of each
	o     Options
	cp    codePage
}

// step ends at an offset in the bytes, and moves the paper by at most so many dot lines.
type step struct{ end, dots int }

// encode returns the bytes of a receipt for a printer: reset, code page, lines. It can print every text:
// characters that the code page lacks are drawn (raster.go), and a character without a glyph is printed as a
// question mark (unifont.Legible). After a slip that broke off, behind is true, and the strip with it is ended
// first. An error means wrong options.
func encode(r payterm.Receipt, o Options, behind bool) (encoder, error) {
	cp, err := codePageOf(o.CodePage, o.Pages)
	if err != nil {
		return encoder{}, err
	}
	e := encoder{o: o, cp: cp}
	if behind {
		e.put(escInit)
		e.cut()
	}
	e.put(e.start())
	if o.Logo != nil {
		e.logo(o.Logo)
	}
	for _, l := range r.Lines {
		e.line(l)
	}
	e.moves(0)
	return e, nil
}

// start returns the commands that put a printer into the expected state, whatever its state after power-on.
// Many start in Chinese mode and read two accented letters as one character; others start with another code
// page, with a national character set that has letters in place of # and [, or with the small font. ESC @
// restores that state.
func (e *encoder) start() []byte {
	return slices.Concat(escInit, fsChineseOff, []byte{0x1b, 't', e.cp.number}, escUSA, escFontA)
}

// moves ends a step.
func (e *encoder) moves(dots int) { e.steps = append(e.steps, step{len(e.out), dots}) }

// dots returns the paper movement of all steps, in dot lines.
func (e *encoder) dots() int {
	n := 0
	for _, s := range e.steps {
		n += s.dots
	}
	return n
}

// newLine ends a line.
func (e *encoder) newLine(dots int) {
	e.put(lf)
	e.moves(dots)
}

func (e *encoder) put(b []byte) { e.out = append(e.out, b...) }

func (e *encoder) line(l payterm.ReceiptLine) {
	if l.Alert && e.o.Red {
		e.put(escRed)
		defer e.put(escBlack)
	}
	switch l.Kind {
	case payterm.LineText:
		e.text(l)
	case payterm.LinePair:
		e.pair(l)
	case payterm.LineRule:
		e.put([]byte(strings.Repeat("-", e.o.Columns)))
		e.newLine(lineDots)
	case payterm.LineFeed:
		e.feed(l.N)
	case payterm.LineBarcode:
		e.barcode(l.Text)
	case payterm.LineQR:
		e.qr(l.Text)
	case payterm.LineCut:
		e.cut()
	}
}

func (e *encoder) text(l payterm.ReceiptLine) {
	text, columns, dots := unifont.Legible(l.Text), e.o.Columns, lineDots
	if l.Large {
		columns, dots = columns/2, 2*lineDots
	}
	if !e.has(text) {
		e.drawn(wrap(text, columns, drawnColumns), l, columns)
		return
	}
	for _, part := range wrap(e.spelled(text), columns, e.columns) {
		e.style(l.Bold, l.Large)
		e.align(l.Align)
		e.put(e.encode(part))
		e.newLine(dots)
	}
	e.style(false, false)
	e.align(payterm.AlignLeft)
}

// pair prints Text left and Right at the right edge, on two lines if one is too short for both.
func (e *encoder) pair(l payterm.ReceiptLine) {
	left, right := unifont.Legible(l.Text), unifont.Legible(l.Right)
	width, drawn := e.columns, !e.has(left) || !e.has(right)
	if drawn {
		width = drawnColumns
	} else {
		left, right = e.spelled(left), e.spelled(right)
	}
	room := e.o.Columns - width(left) - width(right)
	lines := []string{left + strings.Repeat(" ", max(0, room)) + right}
	if room < 1 {
		lines = wrap(left, e.o.Columns, width)
		for _, part := range wrap(right, e.o.Columns, width) {
			lines = append(lines, strings.Repeat(" ", max(0, e.o.Columns-width(part)))+part)
		}
	}
	if drawn {
		e.drawn(lines, l, e.o.Columns)
		return
	}
	e.style(l.Bold, false)
	for _, part := range lines {
		e.put(e.encode(part))
		e.newLine(lineDots)
	}
	e.style(false, false)
}

// wrap breaks a text between words, between Chinese characters, and inside a word only if it is longer than a
// line. width returns a text's width in columns.
func wrap(text string, columns int, width func(string) int) []string {
	var lines []string
	current := ""
	for word := range unifont.Words(text) {
		if width(current)+width(word) <= columns {
			current += word
			continue
		}
		if current != "" {
			lines = append(lines, current)
		}
		var rest strings.Builder
		used := 0
		for sign := range unifont.Signs(strings.TrimLeft(word, " ")) {
			if used+width(sign) > columns && used > 0 {
				lines, used = append(lines, rest.String()), 0
				rest.Reset()
			}
			rest.WriteString(sign)
			used += width(sign)
		}
		current = rest.String()
	}
	lines = append(lines, current)
	for i := range lines {
		lines[i] = strings.Trim(lines[i], " ")
	}
	return lines
}

// has reports whether the printer has each character of a text, or one that reads the same: a line is not drawn
// only because of a typographic quote.
func (e *encoder) has(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		_, reads := unifont.Alike(r)
		_, chinese := e.chinese(r)
		return !e.inPage(r) && !reads && !chinese
	})
}

// inPage reports whether a character is in the code page. Control characters are not: the printer would take
// them as commands.
func (e *encoder) inPage(r rune) bool {
	c, ok := e.cp.table.EncodeRune(r)
	return ok && c >= 0x20 && c != 0x7f
}

// spelled writes a text with the printer's own characters. U+00A0 remains until the line is encoded, so that no
// line is broken there.
func (e *encoder) spelled(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r > 0x7e }) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if other, reads := unifont.Alike(r); reads && !e.inPage(r) && other != " " {
			b.WriteString(other)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// columns returns the width in columns of a text that the printer has.
func (e *encoder) columns(text string) int {
	n := 0
	for _, r := range text {
		n++
		if _, chinese := e.chinese(r); chinese {
			n++
		}
	}
	return n
}

// encode encodes a text in the code page, and Chinese characters in GB18030 between FS & and FS . if the
// printer has that.
func (e *encoder) encode(text string) []byte {
	b := make([]byte, 0, len(text))
	inChinese := false
	for _, r := range text {
		sign, chinese := e.chinese(r)
		if chinese != inChinese {
			if inChinese = chinese; chinese {
				b = append(b, fsChineseOn...)
			} else {
				b = append(b, fsChineseOff...)
			}
		}
		switch c, _ := e.cp.table.EncodeRune(r); {
		case chinese:
			b = append(b, sign...)
		case r == '\u00a0':
			b = append(b, ' ')
		case e.inPage(r):
			b = append(b, c)
		default: // all others
			b = append(b, unifont.StandIn)
		}
	}
	if inChinese {
		b = append(b, fsChineseOff...)
	}
	return b
}

// chinese returns the GB18030 bytes of a character that takes two columns. Of the characters of four bytes,
// printers have the ideographs that GB 18030-2000 requires.
func (e *encoder) chinese(r rune) ([]byte, bool) {
	if r < 0x1100 || e.o.Chinese != GB18030 || e.inPage(r) || drawnColumns(string(r)) < 2 {
		return nil, false
	}
	if _, reads := unifont.Alike(r); reads {
		return nil, false
	}
	sign, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(string(r)))
	return sign, err == nil && (len(sign) == 2 || r >= 0x3400 && r <= 0x4db5)
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

// barWidth is the width of a barcode's narrowest bar in dots. Scanners and printers need at least two. The
// modules of a QR code are no narrower.
const (
	barWidth  = 2
	barHeight = 64
	maxModule = 6
)

// quietZone is the light border of a QR code, in modules (ISO/IEC 18004).
const quietZone = 4

// barcode prints Code 128 with its text below (GS k, function B) and an empty line on both sides: subset B, and
// subset C for digits at the end, which need half the room there. The margins of the paper are the quiet zone at
// its ends. A printer without barcodes gets a picture. A text that is too long for the paper, or has characters
// that Code 128 lacks, is printed as a QR code.
func (e *encoder) barcode(text string) {
	switch {
	case text == "":
		return
	case e.o.Barcode == BarcodeNone:
		e.text(payterm.ReceiptLine{Text: text, Align: payterm.AlignCenter})
		return
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
	other := strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r > 0x7e })
	// The start, each symbol and the check have eleven modules, the stop has thirteen.
	if modules := 11*(symbols+2) + 13; other || modules*barWidth > e.o.Columns*12 {
		if e.qr(text) {
			e.text(payterm.ReceiptLine{Text: text, Align: payterm.AlignCenter})
		}
		e.feed(1)
		return
	}
	e.feed(1)
	e.align(payterm.AlignCenter)
	if e.o.Barcode == BarcodeDrawn {
		e.barcodePicture(code128(head, tail))
		e.text(payterm.ReceiptLine{Text: text, Align: payterm.AlignCenter})
		e.feed(1)
		return
	}
	e.put([]byte{0x1d, 'h', barHeight})
	e.put([]byte{0x1d, 'w', barWidth})
	e.put([]byte{0x1d, 'H', 2}) // text below
	e.put([]byte{0x1d, 'k', 73, byte(len(data))})
	e.put(data)
	e.newLine(barHeight + 2*lineDots)
	e.align(payterm.AlignLeft)
	e.feed(1)
}

// subsetC packs two digits into one symbol.
func subsetC(digits string) []byte {
	var pairs []byte
	for i := 0; i < len(digits); i += 2 {
		pairs = append(pairs, (digits[i]-'0')*10+digits[i+1]-'0')
	}
	return pairs
}

// realTime reports whether data contains the beginning of a real-time command (DLE EOT, DLE ENQ, DLE DC4).
// Printers execute these anywhere in the data.
func realTime(data []byte) bool {
	for i := 1; i < len(data); i++ {
		if data[i-1] == 0x10 && (data[i] == 0x04 || data[i] == 0x05 || data[i] == 0x14) {
			return true
		}
	}
	return false
}

// trailingDigits returns how many digits at the end are worth a change to subset C: an even number, at least
// four.
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

// qr prints a QR code, made by the printer (GS ( k) or as a picture, in modules of up to six dots. The printer
// adds no quiet zone: an empty line above and below is one, and so are the margins. If no code with this text
// fits on the paper, it prints the text itself and returns false.
func (e *encoder) qr(text string) bool {
	if text == "" {
		return false
	}
	c, err := qr.Encode(text, qr.M) // if the printer makes the code, only its size matters
	module := 0
	if err == nil {
		module = min(maxModule, e.o.Columns*12/(c.Size+2*quietZone))
	}
	if module < barWidth {
		e.text(payterm.ReceiptLine{Text: text, Align: payterm.AlignCenter})
		return false
	}
	e.feed(1)
	e.align(payterm.AlignCenter)
	control := func(r rune) bool { return r < 0x20 } // they could be commands
	if e.o.RasterQR || len(text) > maxNativeQR || strings.ContainsFunc(text, control) {
		e.qrPicture(c, module)
		e.feed(1)
		e.align(payterm.AlignLeft)
		return true
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
	return true
}

// maxNativeQR keeps the command with the code's text as short as the others (mend).
const maxNativeQR = bandBytes

// cut feeds what is printed past the cutter first; otherwise it would be cut through. ESC J takes at most 255
// dots.
func (e *encoder) cut() {
	if e.o.CutDots > 0 {
		for rest := e.o.CutDots; rest > 0; rest -= 255 {
			n := min(rest, 255)
			e.put([]byte{0x1b, 'J', byte(n)})
			e.moves(n)
		}
	} else if e.o.CutFeed >= 0 {
		e.feed(cmp.Or(e.o.CutFeed, 4))
	}
	if e.o.Cut {
		e.put(map[bool][]byte{false: gsCutPartial, true: gsCutFull}[e.o.CutFull])
		e.moves(cutDots)
	}
}

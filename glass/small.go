package glass

import (
	"cmp"
	"image"
	"image/color"
	"strings"
	"unicode/utf8"

	"payterm"
	"payterm/unifont"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"
)

// The layout of a small display, which often has only two colours: the title in a bar, the amount in a large
// font, and the rest in rows of a small font (basicfont, 7 by 13; Unifont for what it lacks), on as many pages
// as needed. A display that is too low for this has rows only.

const (
	cellWidth = 7
	rowHeight = 12 // the font's thirteenth row has only descenders
	bigHeight = 24 // of the amount
	lowHeight = 15 // of the amount if the words need the room
	smallBold = 9  // smallest size of the amount

	littleDescent = 2  // below the baseline, in a row
	unifontAscent = 14 // above the baseline, in a character of Unifont

	roomy  = 200             // pixels of each side from which on a screen is not laid out in pages
	lowest = 64              // height of a display with title, amount and rows
	beside = 6*cellWidth + 3 // width that a code leaves for words beside it
	under  = 3*rowHeight + 2 // height that a code leaves for words below it
)

var lit, unlit = paperWhite, color.RGBA{0, 0, 0, 0xff}

// Small reports whether a display of this size in pixels is laid out in pages. Screens for it have short texts.
func Small(width, height int) bool { return min(width, height) < roomy }

// Pages returns the number of pages of the last screen.
func (p *Painter) Pages() int { return max(1, p.pages) }

// Turn paints the next page of the last screen. It returns false if there is only one.
func (p *Painter) Turn() (*image.RGBA, bool) {
	if !p.small || !p.at.turn(p.pages) {
		return p.img, false
	}
	img, _ := p.Paint(p.shown) // what does not fit was reported with the first page
	return img, true
}

func (p *Painter) paintSmall(s payterm.Screen) error {
	p.shown = s
	p.fill(p.img.Bounds(), unlit)
	if s.QR != "" {
		err := p.smallCode(s)
		if err == nil {
			return nil
		}
		p.smallWords(s)
		return err
	}
	p.smallWords(s)
	return nil
}

// dots returns the grid of the small font for a part of the display.
func dots(width, height int) grid { return grid{width, height, signWidth, signHeight} }

// smallWords draws a screen without a QR code: a bar with the title, the amount below it, rows. The amount is
// as large as it can be if all rows are to fit on one page. Later pages have no amount, but keep the bar and
// the watermark.
func (p *Painter) smallWords(s payterm.Screen) {
	g := dots(p.w, p.h)
	if p.h < lowest {
		pages, fits := g.pages(s)
		if !fits {
			p.unfit = append(p.unfit, s.Amount)
		}
		rows := pages[p.at.of(s.Name, len(pages))]
		p.page(pages, 1, min(p.h%rowHeight, p.h-g.heightOf(rows))/2, lit)
		return
	}
	title, status := g.wrap(s.Title), s.Status
	if len(title) == 1 {
		if joined, fits := g.apart(title[0], status); fits {
			title[0], status = joined, ""
		}
	}
	again := g.again(s)
	inBar := s.Amount == "" && s.Elapsed == "" || p.ownRow(s, lowHeight) && title[0] == s.Title
	if inBar && len(title) == 1 && len(again) == 1 && strings.HasPrefix(again[0], s.Title) {
		if title[0] != s.Title {
			status = s.Status
		}
		title, s.Watermark = again, "" // the watermark needs no row of its own
	}
	words, keys := g.body(s, status)
	matters := append(words[:len(words):len(words)], keys[:min(1, len(keys))]...)
	big := bigHeight
	high := p.amountHeight(s, big)
	if p.amountHeight(s, lowHeight) < high && barHeight(title)+high+g.heightOf(matters) > p.h {
		big = lowHeight
	}
	g.height = p.h - barHeight(title) - p.amountHeight(s, big)
	rest := append(words, keys...)
	pages := [][]string{g.cut(nil, rest, "")[0]}
	if rest = rest[len(pages[0]):]; len(rest) > 0 {
		g.height = p.h - barHeight(again)
		pages = append(pages, g.cut(nil, rest, "")...)
	}
	p.pages = len(pages)
	n := p.at.of(s.Name, p.pages)
	if n == 0 {
		p.bright(title, s.Tone)
		p.rows(pages[0], 1, p.smallAmount(s, barHeight(title), big), lit)
		return
	}
	p.bright(again, s.Tone)
	p.rows(pages[n], 1, barHeight(again), lit)
}

// again returns the bar of the later pages: the title with the watermark beside it or, if there is no room, the
// watermark alone.
func (g grid) again(s payterm.Screen) []string {
	if joined, fits := g.apart(s.Title, s.Watermark); fits && s.Watermark != "" {
		return []string{joined}
	}
	return g.wrap(cmp.Or(s.Watermark, s.Title))
}

// barHeight returns the height of the bar. It adds a line below Latin letters; Chinese characters include one.
func barHeight(title []string) int {
	h := dots(0, 0).heightOf(title)
	if h%rowHeight == 0 && h > 0 {
		h++
	}
	return h
}

// bright draws the bar's words on the tone's colour.
func (p *Painter) bright(title []string, tone payterm.Tone) {
	ground, letters := toneGround[tone], paperWhite
	if p.mono {
		ground, letters = lit, unlit
	}
	p.fill(image.Rect(0, 0, p.w, barHeight(title)), ground)
	p.rows(title, 1, 0, letters)
}

// ownRow reports whether the watermark has its own row above the amount.
func (p *Painter) ownRow(s payterm.Screen, big int) bool {
	edge := p.markEdge(s.Watermark) - 3
	if big < signHeight(s.Watermark)+rowHeight { // the time does not fit below the watermark
		edge -= cellWidth*len(s.Elapsed) + 3
	}
	return s.Watermark != "" && p.fonts.face(bold, smallBold).width(s.Amount) > edge
}

func (p *Painter) markEdge(mark string) int { return p.w - min(p.w/2, dots(p.w, 0).measure(mark)+2) }

// amountHeight returns the height of amount, watermark and time.
func (p *Painter) amountHeight(s payterm.Screen, big int) int {
	h := big
	switch {
	case s.Amount == "" && s.Elapsed == "" && s.Watermark == "":
		return 0
	case s.Amount == "":
		h = max(rowHeight, signHeight(s.Watermark)) + 1
	}
	if mark := signHeight(s.Watermark); p.ownRow(s, big) {
		h += mark
	} else if s.Watermark != "" {
		h = max(h, mark)
	}
	return h
}

// smallAmount draws the amount, with the watermark and the time beside it, and returns the y below it.
func (p *Painter) smallAmount(s payterm.Screen, y, big int) int {
	bottom := y + p.amountHeight(s, big)
	if bottom == y {
		return y
	}
	right := p.w
	if s.Watermark != "" {
		if p.ownRow(s, big) {
			p.mark(s.Watermark, 0, p.w, y)
			y += signHeight(s.Watermark)
		} else {
			right = p.mark(s.Watermark, p.markEdge(s.Watermark), p.w, y)
		}
	}
	if s.Elapsed != "" {
		x := p.w - cellWidth*len(s.Elapsed)
		if right < p.w && bottom-y < signHeight(s.Watermark)+rowHeight { // no room below the watermark
			x = right - 3 - cellWidth*len(s.Elapsed)
		}
		p.rows([]string{s.Elapsed}, x, bottom-rowHeight, lit)
		right = min(right, x)
	}
	if s.Amount != "" {
		p.left(s.Amount, image.Rect(1, y, right-2, bottom), bold, bottom-y-2, lit)
	}
	return bottom
}

// mark draws the watermark dark on light and returns its left edge.
func (p *Painter) mark(text string, x0, x1, y int) int {
	strip := image.Rect(x0, y, x1, y+signHeight(text))
	box := strip
	if signHeight(text) == rowHeight {
		strip.Min.Y++
		box = strip.Inset(1)
	}
	p.fill(strip, lit)
	p.centred(text, box, medium, 10, unlit)
	return x0
}

// smallCodeBox returns the area of a QR code: at the left if words fit beside it, otherwise at the top.
func (p *Painter) smallCodeBox() image.Rectangle {
	switch {
	case p.h < lowest:
		return image.Rectangle{}
	case p.w-p.h >= beside:
		return image.Rect(0, 0, p.h, p.h)
	}
	side := min(p.w, p.h-under)
	return image.Rect((p.w-side)/2, 0, (p.w+side)/2, side)
}

// smallCode draws a QR code, and the words in the rest of the display.
func (p *Painter) smallCode(s payterm.Screen) error {
	box := p.smallCodeBox()
	p.fill(box, lit)
	if err := p.code(s.QR, box); err != nil {
		p.fill(box, unlit)
		return err
	}
	if box.Dy() < p.h { // the words are below
		pages, _ := dots(p.w, p.h-box.Max.Y-2).pages(s)
		p.page(pages, 1, box.Max.Y+2, lit)
		return nil
	}
	x := box.Max.X + 3
	y, bottom := 0, p.h
	if s.Amount != "" && p.fonts.face(bold, smallBold).width(s.Amount) <= p.w-x {
		p.left(s.Amount, image.Rect(x, 0, p.w, rowHeight), bold, 13, lit)
		y, s.Amount = rowHeight+2, ""
	} // a larger one would need two rows
	if s.Watermark != "" {
		bottom -= signHeight(s.Watermark)
		p.mark(s.Watermark, box.Max.X+1, p.w, bottom)
	}
	s.Watermark = ""
	pages, _ := dots(p.w-x, bottom-y).pages(s)
	p.page(pages, x, y, lit)
	return nil
}

// page draws the current page of the screen.
func (p *Painter) page(pages [][]string, x, y int, c color.RGBA) {
	p.pages = len(pages)
	p.rows(pages[p.at.of(p.shown.Name, p.pages)], x, y, c)
}

// rows draws rows in the small font, beginning at y.
func (p *Painter) rows(rows []string, x, y int, c color.RGBA) {
	for _, row := range rows {
		h := signHeight(row)
		at, baseline := max(0, min(x, p.w-dots(p.w, h).measure(row))), y+h-littleDescent
		for sign := range unifont.Signs(row) {
			p.little(sign, at, baseline, c)
			at += signWidth(sign)
		}
		if strings.TrimSpace(row) != "" {
			p.inks(row, image.Rect(x, y, min(at, p.w), y+h))
		}
		y += h
	}
}

// signWidth returns the width of a character in a row.
func signWidth(sign string) int {
	if g, ok := foreign(sign); ok {
		return g.Width()
	}
	return cellWidth
}

// signHeight returns the height of a row. Chinese characters and accents on capitals make it higher.
func signHeight(row string) int {
	h := rowHeight
	for sign := range unifont.Signs(row) {
		if g, ok := foreign(sign); ok && (g.Width() > unifont.Height/2 || high(g)) {
			return unifont.Height
		}
		r, _ := utf8.DecodeRuneInString(sign)
		if mark := markOf(r); mark != nil && capital(r) && !mark.below {
			h = rowHeight + 2
		}
	}
	return h
}

// high reports whether a character of Unifont is higher than the letters of the small font.
func high(g unifont.Glyph) bool {
	for y := range unifontAscent + littleDescent - rowHeight {
		for x := range g.Width() {
			if g.At(x, y) {
				return true
			}
		}
	}
	return false
}

func capital(r rune) bool { return letter(r) >= 'A' && letter(r) <= 'Z' }

// letter returns the ASCII letter with which the small font draws a character, or 0.
func letter(r rune) rune {
	switch r {
	case '\u2019':
		return '\''
	case '\u2013', '\u2014':
		return '-'
	case '\u00a0':
		return ' '
	}
	base, n := utf8.DecodeRuneInString(norm.NFD.String(string(r)))
	if base < ' ' || base > '~' || n < utf8.RuneLen(r) && markOf(r) == nil {
		return 0
	}
	return base
}

// foreign returns a character that the small font lacks from Unifont.
func foreign(sign string) (unifont.Glyph, bool) {
	r, n := utf8.DecodeRuneInString(sign)
	if n == len(sign) && (coarse(r) != nil || letter(r) != 0) {
		return unifont.Glyph{}, false
	}
	return unifont.Draw(sign), true
}

// coarse returns the dots of a character that the small font lacks and character displays have, or nil.
func coarse(r rune) []byte {
	if cell, ok := unifont.CellOf(r); ok && strings.ContainsRune("¥€£•", r) {
		return cell.Dots[:]
	}
	return nil
}

// little draws one character.
func (p *Painter) little(sign string, x, baseline int, c color.RGBA) {
	if g, ok := foreign(sign); ok {
		for dy := range unifont.Height {
			for dx := range g.Width() {
				if g.At(dx, dy) {
					p.img.SetRGBA(x+dx, baseline-unifontAscent+dy, c)
				}
			}
		}
		return
	}
	r, _ := utf8.DecodeRuneInString(sign)
	if dots := coarse(r); dots != nil {
		p.bits(dots, x-2, baseline-8, c)
		return
	}
	base := letter(r)
	mark := markOf(r)
	if mark != nil && base == 'i' { // the accent replaces the dot
		p.bits([]byte{0x30, 0x10, 0x10, 0x10, 0x10, 0x7c}, x, baseline-6, c)
	} else {
		d := font.Drawer{Dst: p.img, Src: image.NewUniform(c), Face: basicfont.Face7x13, Dot: fixed.P(x, baseline)}
		d.DrawString(string(base))
	}
	switch {
	case mark == nil:
	case mark.below:
		p.bits(mark.dots, x, baseline, c)
	case capital(r):
		p.bits(mark.dots, x, baseline-11, c)
	default:
		p.bits(mark.dots, x, baseline-9, c)
	}
}

// accent is a diacritic of eight dots in a row, drawn on a letter.
type accent struct {
	dots  []byte
	below bool
}

// accents are the diacritics; the small font has none.
var accents = map[rune]accent{
	'\u0300': {dots: []byte{0x20, 0x10}},              // grave
	'\u0301': {dots: []byte{0x08, 0x10}},              // acute
	'\u0302': {dots: []byte{0x10, 0x28}},              // circumflex
	'\u0308': {dots: []byte{0x00, 0x28}},              // diaeresis
	'\u0327': {dots: []byte{0x10, 0x20}, below: true}, // cedilla
}

// markOf returns the diacritic of a letter, or nil.
func markOf(r rune) *accent {
	if parts := []rune(norm.NFD.String(string(r))); len(parts) == 2 {
		if a, ok := accents[parts[1]]; ok {
			return &a
		}
	}
	return nil
}

// bits sets dots; the highest bit is at the left.
func (p *Painter) bits(dots []byte, x, y int, c color.RGBA) {
	for dy, row := range dots {
		for dx := range 8 {
			if row&(0x80>>dx) != 0 {
				p.img.SetRGBA(x+dx, y+dy, c)
			}
		}
	}
}

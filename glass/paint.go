// Package glass lays out a payterm.Screen: as a picture for a pixel display (Painter), with fonts, QR codes and
// test patterns, or as rows for a character display (Rows). Display combines a layout with the driver of a
// display and shows one screen after the other.
//
// The layout decides sizes and places, never words; the words are those of package screen. It reports what does
// not fit, so that tests can check that nothing is ever cut. The drivers in drivers/lcd send pictures and rows
// to the display.
package glass

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"slices"
	"strings"

	"payterm"
	"payterm/unifont"

	"golang.org/x/image/math/fixed"
	"rsc.io/qr"
)

// ErrDoesNotFit names the text of a screen that does not fit on the display.
var ErrDoesNotFit = errors.New("glass: text does not fit")

// ErrQRTooSmall means that the modules of a QR code would be smaller than two pixels, which phones cannot read.
var ErrQRTooSmall = errors.New("glass: the QR code is too dense for this glass")

// minModule is the smallest module, in pixels, that phones read reliably.
const minModule = 2

// quietZone is the light border of a QR code, in modules (ISO/IEC 18004).
const quietZone = 4

// The colours. Every pair of text and background has a contrast ratio of at least 4.5.
var (
	paperWhite = color.RGBA{0xff, 0xff, 0xff, 0xff}
	ink        = color.RGBA{0x14, 0x20, 0x2b, 0xff}
	soft       = color.RGBA{0x4a, 0x57, 0x63, 0xff}
	keyGround  = color.RGBA{0xe8, 0xec, 0xf0, 0xff}
	markGround = color.RGBA{0xff, 0xe2, 0x8a, 0xff}
	toneGround = [...]color.RGBA{
		payterm.Calm:  {0x1f, 0x3a, 0x5f, 0xff},
		payterm.Busy:  {0x15, 0x5c, 0xb8, 0xff},
		payterm.Good:  {0x0b, 0x6b, 0x3a, 0xff},
		payterm.Bad:   {0xa3, 0x21, 0x1b, 0xff},
		payterm.Doubt: {0x80, 0x52, 0x00, 0xff},
	}
)

// Painter lays screens out for one pixel display. It is not safe for concurrent use. The image that it returns
// is overwritten by the next Paint.
type Painter struct {
	w, h  int
	img   *image.RGBA
	fonts *fonts
	unfit []string
	inked []image.Rectangle // areas of the texts
	texts []string          // in the same order
	small bool              // laid out in pages (small.go)
	mono  bool              // the display has two colours
	shown payterm.Screen    // last screen of a small display
	pages int               // number of its pages
	at    pager
}

// NewPainter makes a painter for a colour display of this size in pixels.
func NewPainter(width, height int) (*Painter, error) {
	if width < 64 || height < 32 {
		return nil, fmt.Errorf("glass: a display of %dx%d: at least 64x32 is needed", width, height)
	}
	f, err := loadFonts()
	if err != nil {
		return nil, err
	}
	return &Painter{
		w: width, h: height, small: Small(width, height),
		img: image.NewRGBA(image.Rect(0, 0, width, height)), fonts: f,
	}, nil
}

// Paint draws a screen. The image is complete even if there is an error: a text that does not fit is shortened,
// and a QR code that cannot be read is left out. A character that no font has is drawn as a question mark and
// is not an error (Altered).
func (p *Painter) Paint(s payterm.Screen) (*image.RGBA, error) {
	s = legible(s, unifont.Legible)
	p.unfit, p.inked, p.texts = p.unfit[:0], p.inked[:0], p.texts[:0]
	p.fill(p.img.Bounds(), paperWhite)
	var err error
	switch {
	case s.Pattern:
		p.pattern(s)
	case p.small:
		err = p.paintSmall(s)
	case s.QR != "":
		err = p.paintCode(s)
	default:
		p.paintWords(s)
	}
	if len(p.unfit) > 0 {
		err = errors.Join(err, fmt.Errorf("%w: screen %q: %s", ErrDoesNotFit, s.Name, strings.Join(p.unfit, "; ")))
	}
	return p.img, err
}

// Texts returns the texts that the last Paint drew, row by row.
func (p *Painter) Texts() []string { return p.texts }

// scaled converts a length in pixels from a display of 240 by 320 to this one.
func (p *Painter) scaled(px int) int { return max(1, px*min(p.w*4/3, p.h)/320) }

// paintWords draws a screen without a QR code: bar, amount, lines, order, keys.
func (p *Painter) paintWords(s payterm.Screen) {
	y := p.bar(s, p.scaled(40))
	if s.Watermark != "" {
		h := p.scaled(20)
		strip := image.Rect(0, y, p.w, y+h)
		p.fill(strip, markGround)
		p.centred(s.Watermark, strip, bold, p.scaled(13), ink)
		y += h
	}
	bottom := p.keys(s, p.h)
	if s.Small != "" {
		h := max(p.scaled(20), min(18, p.h/8)) // a Chinese character has 16 pixels
		p.centred(s.Small, image.Rect(0, bottom-h, p.w, bottom), mono, p.scaled(12), soft)
		bottom -= h
	}
	body := image.Rect(p.scaled(10), y, p.w-p.scaled(10), bottom)
	if s.Amount != "" {
		h := min(body.Dy()*2/5, p.scaled(84))
		p.centred(s.Amount, image.Rect(body.Min.X, y, body.Max.X, y+h), bold, p.scaled(52), ink)
		body.Min.Y += h
	}
	if s.Elapsed != "" {
		h := p.scaled(40)
		box := image.Rect(body.Min.X, body.Max.Y-h, body.Max.X, body.Max.Y)
		p.centred(s.Elapsed, box, medium, p.scaled(30), soft)
		body.Max.Y -= h
	}
	if len(s.Items) > 0 {
		p.list(s.Lines, s.Items, body)
		return
	}
	p.lines(s.Lines, body)
}

// paintCode draws a QR code as large as possible, between a line of amount and time above it and a line of
// order and key below it.
func (p *Painter) paintCode(s payterm.Screen) error {
	y := p.bar(s, p.codeBar())
	row := image.Rect(p.scaled(6), y, p.w-p.scaled(6), y+p.scaled(22))
	amount := row
	if s.Watermark != "" {
		amount.Max.X = p.w*34/100 - p.scaled(4)
	}
	p.left(s.Amount, amount, bold, p.scaled(17), ink)
	p.right(s.Elapsed, row, medium, p.scaled(17), ink)
	if s.Watermark != "" {
		// The watermark has at least the middle third between amount and time.
		mark := image.Rect(p.w*34/100, y+p.scaled(3), p.w*78/100, row.Max.Y-p.scaled(3))
		p.fill(mark, markGround)
		p.centred(s.Watermark, mark, bold, p.scaled(12), ink)
	}
	err := p.code(s.QR, p.codeBox())
	foot := p.codeFoot()
	below := image.Rect(p.scaled(6), p.h-foot, p.w-p.scaled(6), p.h)
	half := below.Min.Y + foot*2/5
	p.centred(s.Small, image.Rect(below.Min.X, below.Min.Y, below.Max.X, half), mono, p.scaled(11), soft)
	if len(s.Keys) > 0 {
		k := s.Keys[0]
		strip := image.Rect(0, half, p.w, p.h)
		p.fill(strip, keyGround)
		p.centred(string(k.Key)+"  "+k.Does, strip, bold, p.scaled(13), ink)
	}
	return err
}

func (p *Painter) codeBar() int { return p.scaled(28) }

// codeBox returns the area for a QR code.
func (p *Painter) codeBox() image.Rectangle {
	if p.small {
		return p.smallCodeBox()
	}
	return image.Rect(0, p.codeBar()+p.scaled(22), p.w, p.h-p.codeFoot())
}

// codeFoot returns the height of the lines below a QR code. A Chinese key needs 18 pixels of it.
func (p *Painter) codeFoot() int { return max(p.scaled(30), min(30, p.h/8)) }

// CanShow reports whether a QR code of this text can be read on the display.
func (p *Painter) CanShow(text string) bool {
	_, _, err := p.encode(text, p.codeBox())
	return err == nil
}

// encode makes a QR code and returns how many pixels a module gets in a box. On a small display the border is
// one module, and the error correction is lowered if the code fits only then: a display is not scratched or
// creased like paper.
func (p *Painter) encode(text string, box image.Rectangle) (c *qr.Code, px int, err error) {
	quiet, levels := quietZone, []qr.Level{qr.M}
	if p.small {
		quiet, levels = 1, []qr.Level{qr.M, qr.L}
	}
	for _, level := range levels {
		if c, err = qr.Encode(text, level); err != nil {
			return nil, 0, fmt.Errorf("%w: no code has room for it: %w", ErrQRTooSmall, err)
		}
		modules := c.Size + 2*quiet
		if px = min(box.Dx(), box.Dy()) / modules; px >= minModule {
			return c, px, nil
		}
		err = fmt.Errorf("%w: %d modules on %d pixels", ErrQRTooSmall, modules, min(box.Dx(), box.Dy()))
	}
	return nil, 0, err
}

// code draws a QR code centred in a box, with a whole number of pixels in a module.
func (p *Painter) code(text string, box image.Rectangle) error {
	c, px, err := p.encode(text, box)
	if err != nil {
		return err
	}
	x0 := box.Min.X + (box.Dx()-px*c.Size)/2
	y0 := box.Min.Y + (box.Dy()-px*c.Size)/2
	black := color.RGBA{0, 0, 0, 0xff}
	for y := range c.Size {
		for x := range c.Size {
			if c.Black(x, y) {
				p.fill(image.Rect(x0+x*px, y0+y*px, x0+(x+1)*px, y0+(y+1)*px), black)
			}
		}
	}
	return nil
}

// bar draws the top of a screen: the tone's colour and symbol, the title, the status. It returns the y below
// it.
func (p *Painter) bar(s payterm.Screen, h int) int {
	bar := image.Rect(0, 0, p.w, h)
	p.fill(bar, toneGround[s.Tone])
	x := p.scaled(8)
	if s.Tone != payterm.Calm {
		side := h * 6 / 10
		p.symbol(s.Tone, image.Rect(x, (h-side)/2, x+side, (h+side)/2))
		x += side + p.scaled(8)
	}
	right := p.w - p.scaled(8)
	if s.Status != "" {
		box := image.Rect(max(x, right-p.fonts.face(medium, p.scaled(13)).width(s.Status)), 0, right, h)
		p.left(s.Status, box, medium, p.scaled(13), paperWhite)
		right = max(x, box.Min.X-p.scaled(8))
	}
	p.left(s.Title, image.Rect(x, 0, right, h), bold, min(p.scaled(21), h*6/10), paperWhite)
	return h
}

// keys draws the key hints, at most two in a line, and returns the y above them.
func (p *Painter) keys(s payterm.Screen, bottom int) int {
	if len(s.Keys) == 0 {
		return bottom
	}
	h := p.scaled(30)
	rows := (len(s.Keys) + 1) / 2
	top := bottom - rows*h
	p.fill(image.Rect(0, top, p.w, bottom), keyGround)
	for i, k := range s.Keys {
		x0, x1 := 0, p.w
		if len(s.Keys) > 1 && (i < len(s.Keys)-1 || len(s.Keys)%2 == 0) {
			x0, x1 = i%2*p.w/2, (i%2+1)*p.w/2
		}
		y := top + i/2*h
		box := image.Rect(x0+p.scaled(4), y, x1-p.scaled(4), y+h)
		p.centred(string(k.Key)+"  "+k.Does, box, bold, p.scaled(15), ink)
	}
	return top
}

// lines draws the body in the largest size at which all of it fits.
func (p *Painter) lines(lines []string, box image.Rectangle) {
	if len(lines) == 0 {
		return
	}
	for _, size := range []int{22, 20, 18, 16, 14, 13} {
		face := p.fonts.face(medium, p.scaled(size))
		gap := face.height / 3
		var wrapped []string
		fits, h := true, 0
		for i, line := range lines {
			part, ok := face.wrap(line, box.Dx())
			fits = fits && ok
			wrapped = append(wrapped, part...)
			h += len(part) * face.height
			if i > 0 {
				h += gap
				part[0] = "\x00" + part[0] // marks a gap before this line
				wrapped[len(wrapped)-len(part)] = part[0]
			}
		}
		if (fits && h <= box.Dy()) || size == 13 {
			if !fits || h > box.Dy() {
				p.unfit = append(p.unfit, strings.Join(lines, " / "))
			}
			p.setLines(wrapped, face, gap, box, h)
			return
		}
	}
}

// listed is a row of a list: the texts of its columns, from the left.
type listed struct {
	mark, key, text string
	gap             int  // before it
	alone           bool // text is a line above the list, without columns
}

// table is a list laid out in one size. Places are in pixels from its left edge.
type table struct {
	rows          []listed
	keys, texts   int // where the keys end, and where the texts begin
	width, height int
	fits          bool // no word is cut off
}

// layOut lays out lines and below them a list: marks, keys and texts each in a column of their own, and the rest of a
// long text below its beginning.
func layOut(face *face, lines []string, items []payterm.Item, width int) table {
	marks, keys := 0, 0
	for _, item := range items {
		keys = max(keys, face.width(string(item.Key)+")"))
		if item.Marked {
			marks = face.width(">  ")
		}
	}
	t := table{keys: marks + keys, texts: marks + keys + face.width(" ")*3/2, fits: true}
	for _, line := range lines {
		part, ok := face.wrap(line, width)
		t.fits = t.fits && ok
		for _, text := range part {
			t.rows = append(t.rows, listed{text: text, alone: true})
		}
	}
	for _, item := range items {
		part, ok := face.fill(item.Text, width-t.texts)
		t.fits = t.fits && ok
		row := listed{key: string(item.Key) + ")"}
		if item.Marked {
			row.mark = ">"
		}
		if len(t.rows) > 0 {
			row.gap = face.height / 4
		}
		for _, text := range part {
			row.text, t.width = text, max(t.width, t.texts+face.width(text))
			t.rows = append(t.rows, row)
			row = listed{}
		}
	}
	for _, row := range t.rows {
		t.height += row.gap + face.height
	}
	return t
}

// closer sets the rows of a table closer, so that it fits into a height if it can.
func (t *table) closer(height int) {
	for t.height > height {
		before := t.height
		for i := range t.rows {
			if t.rows[i].gap > 1 && t.height > height {
				t.rows[i].gap--
				t.height--
			}
		}
		if t.height == before {
			return
		}
	}
}

// list draws lines and a list below them, in the largest size in which all of it fits.
func (p *Painter) list(lines []string, items []payterm.Item, box image.Rectangle) {
	const smallest = 13
	for _, size := range []int{22, 20, 18, 16, 14, smallest} {
		face := p.fonts.face(medium, p.scaled(size))
		t := layOut(face, lines, items, box.Dx())
		if size == smallest {
			t.closer(box.Dy())
		}
		fits := t.fits && t.height <= box.Dy()
		if !fits && size > smallest {
			continue
		}
		if !fits {
			p.unfit = append(p.unfit, fmt.Sprint(items))
		}
		p.setTable(t, face, box)
		return
	}
}

// setTable draws a table in the middle of a box, as far as there is room.
func (p *Painter) setTable(t table, face *face, box image.Rectangle) {
	x, y := box.Min.X+max(0, (box.Dx()-t.width)/2), box.Min.Y+max(0, (box.Dy()-t.height)/2)
	for _, row := range t.rows {
		y += row.gap
		if y+face.height > box.Max.Y {
			return
		}
		left := x + t.texts
		if row.alone {
			left = box.Min.X + (box.Dx()-face.width(row.text))/2
		}
		if row.mark != "" {
			p.draw(row.mark, face, x, y+face.ascent, ink)
		}
		if row.key != "" {
			p.draw(row.key, face, x+t.keys-face.width(row.key), y+face.ascent, ink)
		}
		p.draw(row.text, face, left, y+face.ascent, ink)
		y += face.height
	}
}

func (p *Painter) setLines(lines []string, face *face, gap int, box image.Rectangle, h int) {
	y, c := box.Min.Y+max(0, (box.Dy()-h)/2), ink
	for _, line := range lines {
		text, gapped := strings.CutPrefix(line, "\x00")
		if gapped {
			y, c = y+gap, soft // only the first paragraph has the dark colour
		}
		if y+face.height > box.Max.Y {
			return
		}
		p.draw(text, face, box.Min.X+(box.Dx()-face.width(text))/2, y+face.ascent, c)
		y += face.height
	}
}

// fitted returns a face in which the text is not wider than w; the smallest is two fifths of the wanted size.
func (p *Painter) fitted(text string, style style, size, w, h int) *face {
	smallest := max(9, size*2/5)
	for ; size > smallest; size-- {
		if f := p.fonts.face(style, size); f.width(text) <= w && f.height <= h+size/3 {
			return f
		}
	}
	f := p.fonts.face(style, smallest)
	if f.width(text) > w {
		p.unfit = append(p.unfit, text)
	}
	return f
}

func (p *Painter) centred(text string, box image.Rectangle, style style, size int, c color.RGBA) {
	f := p.fitted(text, style, size, box.Dx(), box.Dy())
	p.draw(text, f, box.Min.X+(box.Dx()-f.width(text))/2, f.baseline(box), c)
}

func (p *Painter) left(text string, box image.Rectangle, style style, size int, c color.RGBA) {
	f := p.fitted(text, style, size, box.Dx(), box.Dy())
	p.draw(text, f, box.Min.X, f.baseline(box), c)
}

func (p *Painter) right(text string, box image.Rectangle, style style, size int, c color.RGBA) {
	f := p.fitted(text, style, size, box.Dx(), box.Dy())
	p.draw(text, f, box.Max.X-f.width(text), f.baseline(box), c)
}

// draw draws a text with its baseline at y.
func (p *Painter) draw(text string, f *face, x, y int, c color.RGBA) {
	src := image.NewUniform(c)
	dot := fixed.I(x)
	var ink image.Rectangle
	for sign := range unifont.Signs(text) {
		g := f.glyph(sign)
		if g.mask != nil {
			box := g.mask.Bounds().Add(image.Pt(dot.Round(), y).Add(g.at))
			ink = ink.Union(box)
			draw.DrawMask(p.img, box, src, image.Point{}, g.mask, image.Point{}, draw.Over)
		}
		dot += g.advance
	}
	p.inks(text, ink)
}

// inks records the area of a text, and reports if it is cut or overlaps another text.
func (p *Painter) inks(text string, ink image.Rectangle) {
	over := func(other image.Rectangle) bool { return other.Overlaps(ink) }
	if !ink.In(p.img.Rect) || slices.ContainsFunc(p.inked, over) {
		p.unfit = append(p.unfit, text)
	}
	p.inked, p.texts = append(p.inked, ink), append(p.texts, text)
}

func (p *Painter) fill(r image.Rectangle, c color.RGBA) {
	draw.Draw(p.img, r, image.NewUniform(c), image.Point{}, draw.Src)
}

package lcd

import (
	"image"
	"image/color"

	"payterm"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// The layout of a small glass of two colours: a title in a bar, the amount large,
// and the rest in rows of a font made for few dots (basicfont, 7 by 13), on as many
// pages as it takes.

const (
	cellWidth = 7
	rowHeight = 12 // the font's thirteenth row has descenders only
	bigHeight = 24 // of the amount
)

var lit, unlit = paperWhite, color.RGBA{0, 0, 0, 0xff}

// newMonoPainter makes a painter that lays screens out for few dots.
func newMonoPainter(width, height int) (*Painter, error) {
	p, err := NewPainter(width, height)
	if err != nil {
		return nil, err
	}
	p.mono = true
	return p, nil
}

// Turn paints the next page of the last screen; false where it has one only.
func (p *Painter) Turn() (*image.RGBA, bool) {
	if !p.mono || !p.at.turn(p.pages) {
		return p.img, false
	}
	img, _ := p.Paint(p.shown) // what does not fit was told by the first page
	return img, true
}

func (p *Painter) paintMono(s payterm.Screen) error {
	p.shown = s
	p.fill(p.img.Bounds(), unlit)
	var err error
	if s.QR != "" {
		err = p.monoCode(s)
	}
	switch {
	case s.Pattern:
		p.monoPattern(s)
	case s.QR == "" || err != nil:
		p.monoWords(s)
	}
	for i := 0; i < len(p.img.Pix); i += 4 { // letters have soft edges, dots have not
		v := byte(0)
		if p.img.Pix[i+1] >= 0x80 {
			v = 0xff
		}
		p.img.Pix[i], p.img.Pix[i+1], p.img.Pix[i+2] = v, v, v
	}
	return err
}

// monoWords is a screen without a QR code.
func (p *Painter) monoWords(s payterm.Screen) {
	columns := p.w / cellWidth
	title := wrapCells(s.Title, columns)
	var rest []string
	if len(title) == 1 && s.Status != "" {
		joined, fits := apart(title[0], s.Status, columns)
		if fits {
			title[0] = joined
		} else {
			rest = wrapCells(s.Status, columns)
		}
	} else if len(title) != 1 {
		rest = wrapCells(s.Status, columns)
	}
	y := 0
	if len(title) > 0 {
		y = len(title)*rowHeight + 1
		p.fill(image.Rect(0, 0, p.w, y), lit)
		p.rows(title, 1, 0, unlit)
	}
	y = p.monoAmount(s, y)
	for _, line := range s.Lines {
		rest = append(rest, wrapCells(line, columns)...)
	}
	rest = append(rest, wrapCells(s.Small, columns)...)
	rest = append(rest, keyRows(s.Keys, columns)...)
	p.page(cut(nil, rest, max(1, (p.h-y)/rowHeight)), 1, y)
}

// monoAmount is the amount, with the mark and the time beside it; it gives the
// line below.
func (p *Painter) monoAmount(s payterm.Screen, y int) int {
	if s.Amount == "" && s.Elapsed == "" && s.Watermark == "" {
		return y
	}
	right, h := p.w, bigHeight
	if s.Amount == "" && (s.Elapsed == "" || s.Watermark == "") {
		h = rowHeight + 1
	}
	if s.Watermark != "" {
		right = min(right, p.mark(s.Watermark, p.w-min(p.w/2, cellWidth*len(s.Watermark)+2), p.w, y+1))
	}
	if s.Elapsed != "" {
		x := p.w - cellWidth*len(s.Elapsed)
		p.rows([]string{s.Elapsed}, x, y+h-rowHeight, lit)
		right = min(right, x)
	}
	if s.Amount != "" {
		p.left(s.Amount, image.Rect(1, y, right-2, y+h), bold, bigHeight-2, lit)
	}
	return y + h
}

// mark sets the watermark dark on light and gives its left edge.
func (p *Painter) mark(text string, x0, x1, y int) int {
	strip := image.Rect(x0, y, x1, y+rowHeight-1)
	p.fill(strip, lit)
	p.centred(text, strip.Inset(1), medium, 10, unlit)
	return x0
}

// monoCode is a QR code at the left and words in what is left of the glass.
func (p *Painter) monoCode(s payterm.Screen) error {
	box := p.codeBox()
	p.fill(box, lit)
	if err := p.code(s.QR, box); err != nil {
		p.fill(box, unlit)
		return err
	}
	x := box.Max.X + 3
	y, bottom := 0, p.h
	if s.Amount != "" {
		p.left(s.Amount, image.Rect(x, 0, p.w, rowHeight), bold, 13, lit)
		y = rowHeight + 1
	}
	if s.Watermark != "" {
		bottom -= rowHeight
		p.mark(s.Watermark, box.Max.X+1, p.w, bottom+1)
	}
	s.Amount, s.Watermark = "", ""
	pages, _ := textPages(s, (p.w-x)/cellWidth, max(1, (bottom-y)/rowHeight))
	p.page(pages, x, y)
	return nil
}

// page sets the page of the screen that it is at.
func (p *Painter) page(pages [][]string, x, y int) {
	p.pages = len(pages)
	p.rows(pages[p.at.of(p.shown.Name, p.pages)], x, y, lit)
}

// rows sets rows of the little font from y on.
func (p *Painter) rows(rows []string, x, y int, c color.RGBA) {
	for _, row := range rows {
		d := font.Drawer{Dst: p.img, Src: image.NewUniform(c), Face: basicfont.Face7x13, Dot: fixed.P(x, y+basicfont.Face7x13.Ascent-1)}
		for _, r := range row {
			for _, own := range ownSigns {
				if own.sign == r {
					p.own(own.dots, d.Dot.X.Round(), y+2, c)
					r = ' '
				}
			}
			if r > '~' || r < ' ' {
				r = '?' // the little font has ASCII only
			}
			d.DrawString(string(r))
		}
		y += rowHeight
	}
}

// own draws a sign that the little font lacks.
func (p *Painter) own(dots [8]byte, x, y int, c color.RGBA) {
	for dy, row := range dots {
		for dx := range 5 {
			if row&(0x10>>dx) != 0 {
				p.img.SetRGBA(x+1+dx, y+dy, c)
			}
		}
	}
}

package lcd

import (
	"image"
	"image/color"

	"payterm"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// The layout of a small glass, which often has two colours only: a title in a bar,
// the amount large, and the rest in rows of a font made for few dots (basicfont, 7
// by 13), on as many pages as it takes. A glass too low even for that has rows only.

const (
	cellWidth = 7
	rowHeight = 12 // the font's thirteenth row has descenders only
	bigHeight = 24 // of the amount
	smallBold = 9  // the smallest size of it

	roomy  = 200             // pixels of each side of a glass that has room for a screen at once
	lowest = 64              // of a glass with title, amount and rows
	beside = 6*cellWidth + 3 // a code leaves for words beside it
	under  = 3*rowHeight + 2 // or below it
)

var lit, unlit = paperWhite, color.RGBA{0, 0, 0, 0xff}

// Turn paints the next page of the last screen; false where it has one only.
func (p *Painter) Turn() (*image.RGBA, bool) {
	if !p.small || !p.at.turn(p.pages) {
		return p.img, false
	}
	img, _ := p.Paint(p.shown) // what does not fit was told by the first page
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

// smallWords is a screen without a QR code.
func (p *Painter) smallWords(s payterm.Screen) {
	if p.h < lowest {
		p.onlyRows(s)
		return
	}
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
		ground, letters := toneGround[s.Tone], paperWhite
		if p.mono {
			ground, letters = lit, unlit
		}
		p.fill(image.Rect(0, 0, p.w, y), ground)
		p.rows(title, 1, 0, letters)
	}
	y = p.smallAmount(s, y)
	for _, line := range s.Lines {
		rest = append(rest, wrapCells(line, columns)...)
	}
	rest = append(rest, wrapCells(s.Small, columns)...)
	rest = append(rest, keyRows(s.Keys, columns)...)
	p.page(cut(nil, rest, max(1, (p.h-y)/rowHeight)), 1, y)
}

// smallAmount is the amount, with the mark and the time beside it; it gives the
// line below.
func (p *Painter) smallAmount(s payterm.Screen, y int) int {
	if s.Amount == "" && s.Elapsed == "" && s.Watermark == "" {
		return y
	}
	right, h := p.w, bigHeight
	if s.Amount == "" && (s.Elapsed == "" || s.Watermark == "") {
		h = rowHeight + 1
	}
	if s.Watermark != "" {
		x := p.w - min(p.w/2, cellWidth*len(s.Watermark)+2)
		if p.fonts.face(bold, smallBold).width(s.Amount) > x-3 { // a row of its own
			p.mark(s.Watermark, 0, p.w, y+1)
			y += rowHeight
		} else {
			right = p.mark(s.Watermark, x, p.w, y+1)
		}
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

// onlyRows is a screen without a QR code on a glass that is very low.
func (p *Painter) onlyRows(s payterm.Screen) {
	pages, fits := textPages(s, p.w/cellWidth, p.h/rowHeight)
	if !fits {
		p.unfit = append(p.unfit, s.Amount)
	}
	p.page(pages, 1, p.h%rowHeight/2)
}

// smallCodeBox is at the left where words have room beside it, and else at the top.
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

// smallCode is a QR code and words in what is left of the glass.
func (p *Painter) smallCode(s payterm.Screen) error {
	box := p.smallCodeBox()
	p.fill(box, lit)
	if err := p.code(s.QR, box); err != nil {
		p.fill(box, unlit)
		return err
	}
	if box.Dy() < p.h { // words are below
		pages, _ := textPages(s, p.w/cellWidth, (p.h-box.Max.Y)/rowHeight)
		p.page(pages, 1, box.Max.Y+2)
		return nil
	}
	x := box.Max.X + 3
	y, bottom := 0, p.h
	if s.Amount != "" && p.fonts.face(bold, smallBold).width(s.Amount) <= p.w-x {
		p.left(s.Amount, image.Rect(x, 0, p.w, rowHeight), bold, 13, lit)
		y, s.Amount = rowHeight+1, ""
	} // a larger one goes over two rows
	if s.Watermark != "" {
		bottom -= rowHeight
		p.mark(s.Watermark, box.Max.X+1, p.w, bottom+1)
	}
	s.Watermark = ""
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
			d.DrawString(string(plain(r))) // the little font has ASCII only
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

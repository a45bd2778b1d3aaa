package glass

import (
	"image"
	"image/color"
	"slices"
	"strings"

	"payterm"
	"payterm/unifont"
)

// The test pattern (payterm.Screen.Pattern) makes a wrong offset, rotation or colour order and a dead line
// visible. It has a border on the outermost pixels, the colours with their names on them, and a grey ramp. The
// words of the screen are in a separate strip: Lines are the names of red, green and blue, Title is the
// question, Keys are the answers.

// patternBars are white, the colours of two primaries, those of one, and black. Swapped colour bits or an
// inverted colour differ visibly from the bars beside them.
var patternBars = [...]color.RGBA{
	{0xff, 0xff, 0xff, 0xff}, {0xff, 0xff, 0, 0xff}, {0, 0xff, 0xff, 0xff}, {0xff, 0, 0, 0xff},
	{0, 0xff, 0, 0xff}, {0, 0, 0xff, 0xff}, {0xff, 0, 0xff, 0xff}, {0, 0, 0, 0xff},
}

const (
	firstNamed = 3  // the red bar; green and blue follow
	namedBar   = 26 // width and height of a bar that has room for its name, in pixels
	greySteps  = 16 // each differs even on a panel with 5 bits a colour
	checker    = 8  // dots of a square, on a display with two colours
)

// pattern draws colour bars above the words and a grey ramp below.
func (p *Painter) pattern(s payterm.Screen) {
	if p.shown, p.pages = s, 1; p.mono {
		p.monoPattern(s)
		return
	}
	glass := p.img.Bounds()
	p.fill(glass, paperWhite) // the outermost pixels remain as the border
	p.fill(glass.Inset(1), color.RGBA{0, 0, 0, 0xff})
	in := glass.Inset(2)
	words := p.scaled(96)
	g, small := p.patternRows(s)
	if p.small {
		words = g.heightOf(small) + 2
	}
	bars := image.Rect(in.Min.X, in.Min.Y, in.Max.X, in.Min.Y+(in.Dy()-words)*2/3)
	for i, c := range patternBars {
		bar := part(bars, i, len(patternBars))
		p.fill(bar, c)
		if n := i - firstNamed; n >= 0 && n < len(s.Lines) && n < 3 && min(bar.Dx(), bar.Dy()) >= namedBar {
			name := paperWhite
			if n == 1 { // on green
				name = color.RGBA{0, 0, 0, 0xff}
			}
			p.centred(s.Lines[n], bar.Inset(1), bold, p.scaled(22), name)
		}
	}
	strip := image.Rect(in.Min.X, bars.Max.Y, in.Max.X, bars.Max.Y+words)
	for i := range greySteps {
		g := uint8(i * 0xff / (greySteps - 1))
		ramp := image.Rect(in.Min.X, strip.Max.Y, in.Max.X, in.Max.Y)
		p.fill(part(ramp, i, greySteps), color.RGBA{g, g, g, 0xff})
	}
	p.fill(strip, paperWhite)
	if p.small {
		p.rows(small, strip.Min.X+1, strip.Min.Y, ink)
		return
	}
	if s.Watermark != "" {
		mark := image.Rect(strip.Min.X, strip.Min.Y, strip.Max.X, strip.Min.Y+p.scaled(20))
		p.fill(mark, markGround)
		p.centred(s.Watermark, mark, bold, p.scaled(13), ink)
		strip.Min.Y = mark.Max.Y
	}
	rows := len(s.Keys) + 1
	for i := range rows {
		row := image.Rect(strip.Min.X+p.scaled(6), strip.Min.Y+i*strip.Dy()/rows,
			strip.Max.X-p.scaled(6), strip.Min.Y+(i+1)*strip.Dy()/rows)
		if i == 0 {
			p.centred(s.Title, row, medium, p.scaled(16), ink)
		} else {
			p.centred(string(s.Keys[i-1].Key)+"  "+s.Keys[i-1].Does, row, bold, p.scaled(15), ink)
		}
	}
}

// part returns the i-th of n equal parts of a box, side by side.
func part(box image.Rectangle, i, n int) image.Rectangle {
	return image.Rect(box.Min.X+i*box.Dx()/n, box.Min.Y, box.Min.X+(i+1)*box.Dx()/n, box.Max.Y)
}

// patternRows returns the words of a pattern in the small font, leaving room for the border.
func (p *Painter) patternRows(s payterm.Screen) (grid, []string) {
	g := dots(p.w-2*checker-2, max(rowHeight, p.h-2*checker))
	return g, slices.Concat(g.wrap(s.Watermark), g.wrap(s.Title), g.keys(s.Keys))
}

// monoPattern draws a border and a checkerboard, so that half of the dots are lit; the words are in a dark box.
func (p *Painter) monoPattern(s payterm.Screen) {
	p.fill(p.img.Bounds(), unlit)
	for y := range p.h {
		for x := range p.w {
			edge := x == 0 || y == 0 || x == p.w-1 || y == p.h-1
			if edge || (x/checker+y/checker)%2 == 0 {
				p.img.SetRGBA(x, y, lit)
			}
		}
	}
	inside := p.img.Bounds().Inset(checker)
	g, words := p.patternRows(s)
	pages := g.cut(nil, words, "")
	p.pages = len(pages)
	rows := pages[p.at.of(s.Name, p.pages)]
	box := image.Rect(inside.Min.X, inside.Min.Y, inside.Max.X, inside.Min.Y+g.heightOf(rows)+1)
	p.fill(box, unlit)
	p.rows(rows, box.Min.X+1, box.Min.Y, lit)
}

// patternPages returns three kinds of pages in turn: every cell filled, every character that the display has in both
// ROMs and the first eight of those that it is given, and the words.
func (g grid) patternPages(s payterm.Screen) [][]string {
	columns := g.width
	full := slices.Repeat([]string{strings.Repeat(string(unifont.Full), columns)}, g.height)
	var signs []rune
	for _, cell := range unifont.Cells[:8] {
		signs = append(signs, cell.Sign)
	}
	for r := '!'; r <= '}'; r++ {
		signs = append(signs, r)
	}
	var all []string
	for ; len(signs) > 0; signs = signs[min(columns, len(signs)):] {
		all = append(all, string(signs[:min(columns, len(signs))]))
	}
	s.Lines = nil // there are no colours
	words, _ := g.pages(s)
	return slices.Concat([][]string{full}, g.cut(nil, all, ""), words)
}

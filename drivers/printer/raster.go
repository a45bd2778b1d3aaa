package printer

import (
	"bytes"
	"image"
	"strings"

	"payterm"
	"payterm/unifont"

	"rsc.io/qr"
)

// A text that the printer's code page cannot express is drawn: each line of it as
// a picture of Unifont's signs, on the same grid as the printer's own. Any printer
// can do that; it takes some 1.3 kB a line.
const (
	columnDots = 12 // of a sign of the normal font; a Chinese one has two columns
	signDots   = 24
	rasterDots = signDots + 4 // of a line, with what parts it from the next
	bandBytes  = 512          // a picture is sent in bands, so that it can be paced
	bandDots   = 24           // of a band of ESC *
)

// picture is what is printed dot by dot: rows of so many bytes, the highest bit
// left.
type picture struct {
	wide, high int // bytes and rows
	dots       []byte
}

func newPicture(width, high int) picture {
	wide := max(1, (width+7)/8)
	return picture{wide, high, make([]byte, wide*high)}
}

func (p picture) set(x, y int) { p.dots[y*p.wide+x/8] |= 0x80 >> (x % 8) }

func (p picture) at(x, y int) bool { return p.dots[y*p.wide+x/8]&(0x80>>(x%8)) != 0 }

// doubled is a picture of twice the size.
func (p picture) doubled() picture {
	d := newPicture(16*p.wide, 2*p.high)
	for y := range d.high {
		for x := range 8 * d.wide {
			if p.at(x/2, y/2) {
				d.set(x, y)
			}
		}
	}
	return d
}

// print puts a picture on paper, twice as large if large, in bands or pieces that
// each fit the buffer.
func (e *encoder) print(p picture, large bool) {
	if e.o.Columned {
		if large {
			p = p.doubled()
		}
		e.columned(p)
		return
	}
	mode, scale := byte(0), 1
	if large {
		mode, scale = 3, 2 // the printer doubles it
	}
	rows := max(1, bandBytes/p.wide)
	for from := 0; from < p.high; from += rows {
		n := min(rows, p.high-from)
		e.put([]byte{0x1d, 'v', '0', mode, byte(p.wide), byte(p.wide >> 8), byte(n), byte(n >> 8)})
		e.put(harmless(bytes.Clone(p.dots[from*p.wide : (from+n)*p.wide])))
		e.moves(n * scale)
	}
}

// columned prints a picture by ESC * 33: bands of 24 dots, column by column, three
// bytes each. Pieces of a band stand side by side in one line.
func (e *encoder) columned(p picture) {
	const most = bandBytes / 3
	e.put(esc3Band)
	width := 8 * p.wide
	for top := 0; top < p.high; top += bandDots {
		for from := 0; from < width; from += most {
			n := min(most, width-from)
			data := make([]byte, 3*n)
			for x := range n {
				for y := range min(bandDots, p.high-top) {
					if p.at(from+x, top+y) {
						data[3*x+y/8] |= 0x80 >> (y % 8)
					}
				}
			}
			e.put([]byte{0x1b, '*', 33, byte(n), byte(n >> 8)})
			e.put(harmless(data))
			e.moves(0)
		}
		e.newLine(bandDots)
	}
	e.put(esc2)
}

// logo prints a shop's picture at the head of a slip: what is darker than half is
// black.
func (e *encoder) logo(img image.Image) {
	box := img.Bounds()
	p := newPicture(box.Dx(), box.Dy())
	for y := range box.Dy() {
		for x := range box.Dx() {
			r, g, b, a := img.At(box.Min.X+x, box.Min.Y+y).RGBA()
			if light := (299*r+587*g+114*b)/1000 + 0xffff - a; light < 0x8000 { // on white paper
				p.set(x, y)
			}
		}
	}
	e.align(payterm.AlignCenter)
	e.print(p, false)
	e.align(payterm.AlignLeft)
}

// qrPicture draws a QR code.
func (e *encoder) qrPicture(c *qr.Code, module int) {
	p := newPicture(c.Size*module, c.Size*module)
	for y := range c.Size * module {
		for x := range c.Size * module {
			if c.Black(x/module, y/module) {
				p.set(x, y)
			}
		}
	}
	e.print(p, false)
}

// beyond reports whether a text needs signs that the code page lacks and all of it
// can be drawn.
func (e *encoder) beyond(l payterm.ReceiptLine) bool {
	if l.Kind != payterm.LineText && l.Kind != payterm.LinePair {
		return false
	}
	text := plain.Replace(l.Text + " " + l.Right) // halves of a sign on both sides are none
	lacks := strings.ContainsFunc(text, func(r rune) bool {
		_, inPage := e.cp.table.EncodeRune(r)
		_, chinese := e.chinese(r)
		return !inPage && !chinese
	})
	return lacks && !strings.ContainsFunc(text, func(r rune) bool { _, ok := unifont.Find(r); return !ok })
}

// drawn puts a text or a pair on paper as pictures.
func (e *encoder) drawn(l payterm.ReceiptLine) {
	columns := e.o.Columns
	if l.Large {
		columns /= 2
	}
	left, right := plain.Replace(l.Text), plain.Replace(l.Right)
	if l.Kind == payterm.LinePair && columnsOf(left)+1+columnsOf(right) <= columns {
		e.signs(left+strings.Repeat(" ", columns-columnsOf(left)-columnsOf(right))+right, l)
		return
	}
	for _, part := range wrapWide(left, columns) {
		indent := 0
		if l.Kind == payterm.LineText {
			indent = (columns - columnsOf(part)) * int(l.Align) / 2
		}
		e.signs(strings.Repeat(" ", indent)+part, l)
	}
	if l.Kind == payterm.LinePair {
		for _, part := range wrapWide(right, columns) {
			e.signs(strings.Repeat(" ", columns-columnsOf(part))+part, l)
		}
	}
}

// signs draws one line of text. A large one is doubled.
func (e *encoder) signs(text string, l payterm.ReceiptLine) {
	text = strings.TrimRight(text, " ")
	p := newPicture(columnsOf(text)*columnDots, rasterDots)
	x := 0
	for _, r := range text {
		sign, _ := unifont.Find(r) // beyond has seen to it
		mask := sign.Scaled(signDots)
		for i, a := range mask.Pix {
			if a == 0 {
				continue
			}
			dx, y := x+i%mask.Stride, i/mask.Stride+2
			p.set(dx, y)
			if l.Bold && !l.Large && dx+1 < 8*p.wide { // doubled is bold enough
				p.set(dx+1, y)
			}
		}
		x += mask.Rect.Dx()
	}
	e.print(p, l.Large)
}

// harmless adds a dot beside another one wherever a picture has the beginning of a
// real-time command, which printers carry out in the middle of it.
func harmless(data []byte) []byte {
	for i := 1; i < len(data); i++ {
		if realTime(data[i-1 : i+1]) {
			data[i] |= 0x02
		}
	}
	return data
}

// columnsOf is the width of a text in columns of the normal font.
func columnsOf(text string) int {
	n := 0
	for _, r := range text {
		n++
		if wide(r) {
			n++
		}
	}
	return n
}

// wide reports whether a sign takes two columns.
func wide(r rune) bool {
	if r < 0x1100 { // before Hangul no sign is
		return false
	}
	g, drawn := unifont.Find(r)
	return drawn && g.Width() > 8 || !drawn && unifont.Chinese(r)
}

// wrapWide breaks a text like wrap, and between Chinese signs.
func wrapWide(text string, columns int) []string {
	var lines []string
	current := ""
	for word := range unifont.Words(text) {
		if columnsOf(current)+columnsOf(word) <= columns {
			current += word
			continue
		}
		if current != "" {
			lines = append(lines, current)
		}
		current = ""
		for _, r := range strings.TrimLeft(word, " ") {
			if columnsOf(current)+columnsOf(string(r)) > columns {
				lines, current = append(lines, current), ""
			}
			current += string(r)
		}
	}
	lines = append(lines, current)
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return lines
}

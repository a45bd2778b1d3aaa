package printer

import (
	"bytes"
	"image"
	"strings"

	"payterm"
	"payterm/unifont"

	"rsc.io/qr"
)

// A text that the printer's own characters cannot express is drawn: each line of it as a picture of Unifont's
// characters, in the same columns as the printer's own. Any printer can do that; it takes some 1.3 kB a line.
const (
	columnDots = 12 // of a character of the normal font; a Chinese one takes two columns
	signDots   = 24
	rasterDots = signDots + 4 // of a line, with the space to the next
	bandBytes  = 512          // a picture is sent in bands, so that it can be paced
	bandDots   = 24           // of a band of ESC *
)

// picture is printed dot by dot: rows of so many bytes; the highest bit is at the left.
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

// doubled returns a picture of twice the size.
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

// print prints a picture, twice as large if large is true, in bands or pieces that each fit the buffer.
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

// columned prints a picture with ESC * 33: bands of 24 dots, column by column, three bytes each. Pieces of a
// band are printed side by side in one line.
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

// logo prints the shop's picture at the top of a slip. Pixels darker than half are black.
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

// drawn prints the lines of a text or a pair as pictures.
func (e *encoder) drawn(lines []string, l payterm.ReceiptLine, columns int) {
	for _, line := range lines {
		if l.Kind == payterm.LineText {
			line = strings.Repeat(" ", max(0, (columns-drawnColumns(line))*int(l.Align)/2)) + line
		}
		e.signs(line, l)
	}
}

// signs draws one line of text. Large text is doubled.
func (e *encoder) signs(text string, l payterm.ReceiptLine) {
	large := l.Large && l.Kind == payterm.LineText
	text = strings.TrimRight(text, " ")
	p := newPicture(drawnColumns(text)*columnDots, rasterDots)
	x := 0
	for sign := range unifont.Signs(text) {
		mask := unifont.Draw(sign).Scaled(signDots)
		for i, a := range mask.Pix {
			if a == 0 {
				continue
			}
			dx, y := x+i%mask.Stride, i/mask.Stride+2
			p.set(dx, y)
			if l.Bold && !large && dx+1 < 8*p.wide { // doubled text is bold enough
				p.set(dx+1, y)
			}
		}
		x += mask.Rect.Dx()
	}
	e.print(p, large)
}

// harmless changes a picture that contains the beginning of a real-time command by adding a dot beside another
// one: printers would execute the command in the middle of the picture.
func harmless(data []byte) []byte {
	for i := 1; i < len(data); i++ {
		if realTime(data[i-1 : i+1]) {
			data[i] |= 0x02
		}
	}
	return data
}

// drawnColumns returns the width of a drawn text in columns of the normal font.
func drawnColumns(text string) int {
	n := 0
	for sign := range unifont.Signs(text) {
		n += unifont.Draw(sign).Width() / 8
	}
	return n
}

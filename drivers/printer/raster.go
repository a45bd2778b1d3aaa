package printer

import (
	"strings"

	"payterm"
	"payterm/unifont"
)

// A text that the printer's code page cannot express is drawn: each line of it as
// a picture (GS v 0) of Unifont's signs, on the same grid as the printer's own. Any
// printer can do that; it takes some 1.3 kB a line.
const (
	columnDots = 12 // of a sign of the normal font; a Chinese one has two columns
	signDots   = 24
	rasterDots = signDots + 4 // of a line, with what parts it from the next
	bandBytes  = 512          // a picture is sent in bands, so that it can be paced
)

// beyond reports whether a text needs signs that the code page lacks and all of it
// can be drawn.
func (e *encoder) beyond(l payterm.ReceiptLine) bool {
	if l.Kind != payterm.LineText && l.Kind != payterm.LinePair {
		return false
	}
	lacks := false
	for _, r := range plain.Replace(l.Text + " " + l.Right) { // halves of a sign on both sides are none
		if _, ok := unifont.Find(r); !ok {
			return false
		}
		if _, ok := e.cp.table.EncodeRune(r); !ok {
			lacks = true
		}
	}
	return lacks
}

// drawn puts a text or a pair on paper as pictures.
func (e *encoder) drawn(l payterm.ReceiptLine) {
	columns := e.o.Columns
	if l.Large {
		columns /= 2
	}
	left, right := plain.Replace(l.Text), plain.Replace(l.Right)
	if l.Kind == payterm.LinePair && columnsOf(left)+1+columnsOf(right) <= columns {
		e.picture(left+strings.Repeat(" ", columns-columnsOf(left)-columnsOf(right))+right, l)
		return
	}
	for _, part := range wrapWide(left, columns) {
		indent := 0
		if l.Kind == payterm.LineText {
			indent = (columns - columnsOf(part)) * int(l.Align) / 2
		}
		e.picture(strings.Repeat(" ", indent)+part, l)
	}
	if l.Kind == payterm.LinePair {
		for _, part := range wrapWide(right, columns) {
			e.picture(strings.Repeat(" ", columns-columnsOf(part))+part, l)
		}
	}
}

// picture draws one line of text. A large one is doubled by the printer itself.
func (e *encoder) picture(text string, l payterm.ReceiptLine) {
	text = strings.TrimRight(text, " ")
	width := max(1, (columnsOf(text)*columnDots+7)/8)
	dots := make([]byte, width*rasterDots)
	x := 0
	for _, r := range text {
		sign, _ := unifont.Find(r) // beyond has seen to it
		mask := sign.Scaled(signDots)
		for i, a := range mask.Pix {
			if a == 0 {
				continue
			}
			dx, y := x+i%mask.Stride, i/mask.Stride+2
			dots[y*width+dx/8] |= 0x80 >> (dx % 8)
			if l.Bold && !l.Large && dx+1 < 8*width { // doubled is bold enough
				dots[y*width+(dx+1)/8] |= 0x80 >> ((dx + 1) % 8)
			}
		}
		x += mask.Rect.Dx()
	}
	mode, scale := byte(0), 1
	if l.Large {
		mode, scale = 3, 2
	}
	rows := max(1, bandBytes/width)
	for from := 0; from < rasterDots; from += rows {
		n := min(rows, rasterDots-from)
		e.put([]byte{0x1d, 'v', '0', mode, byte(width), byte(width >> 8), byte(n), 0})
		e.put(harmless(dots[from*width : (from+n)*width]))
		e.moves(n * scale)
	}
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
		if g, ok := unifont.Find(r); ok && g.Width() > 8 {
			n++
		}
	}
	return n
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

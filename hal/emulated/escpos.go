package emulated

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"strings"
	"sync"

	"golang.org/x/image/font/basicfont"
	"golang.org/x/text/encoding/charmap"
	"rsc.io/qr"
)

// escpos is a 58 mm thermal printer that reads ESC/POS (general knowledge of the
// command manuals). Its buffer is finite: while it has no paper it takes only so
// much, and loses the rest, as printers do on a line without flow control.
type escpos struct {
	mu         sync.Mutex
	dots, room int
	violation  func(error)
	changed    func()
	reply      func([]byte)

	buf       []byte // not yet understood or not yet printable
	outOf     bool
	nearEnd   bool
	coverOpen bool

	line    []cell
	bold    bool
	size    byte
	align   byte
	table   *charmap.Charmap
	barH    int
	barW    int
	qrText  string
	qrDots  int
	sinceLF int // dot lines since the last mark, for the cutter's distance
	strips  []*image.Gray
	height  int
	text    []string
}

type cell struct {
	r    rune
	bold bool
	size byte
}

const (
	maxPaper       = 20_000 // dot lines that are kept; older ones are dropped
	cutterDistance = 72     // dot lines from the head to the knife
)

func newESCPOS(dots, buffer int, violation func(error), changed func()) *escpos {
	p := &escpos{dots: dots, room: buffer, violation: violation, changed: changed, reply: func([]byte) {}}
	p.reset()
	return p
}

func (p *escpos) reset() {
	p.line, p.bold, p.size, p.align = nil, false, 0, 0
	p.table, p.barH, p.barW, p.qrDots = charmap.CodePage437, 162, 3, 3
}

// Write takes bytes from the line. Real-time questions are answered at once,
// wherever they stand.
func (p *escpos) Write(b []byte) (int, error) {
	p.mu.Lock()
	var answers []byte
	for _, c := range b {
		p.buf = append(p.buf, c)
		if n := len(p.buf); n >= 3 && p.buf[n-3] == 0x10 && p.buf[n-2] == 0x04 && c >= 1 && c <= 4 {
			answers = append(answers, p.status(c))
			p.buf = p.buf[:n-3]
		}
	}
	before := p.height
	if !p.outOf && !p.coverOpen {
		p.work()
	}
	if len(p.buf) > p.room {
		p.violation(fmt.Errorf("escpos: the buffer of %d bytes overflowed", p.room))
		p.buf = p.buf[:p.room]
	}
	printed := p.height != before
	p.mu.Unlock()
	if len(answers) > 0 {
		p.reply(answers)
	}
	if printed {
		p.changed()
	}
	return len(b), nil
}

func (p *escpos) status(n byte) byte {
	s := byte(0x12)
	switch n {
	case 2:
		if p.coverOpen {
			s |= 0x04
		}
		if p.outOf {
			s |= 0x20
		}
	case 4:
		if p.nearEnd || p.outOf {
			s |= 0x0c
		}
		if p.outOf {
			s |= 0x60
		}
	}
	return s
}

// work takes whole commands from the buffer.
func (p *escpos) work() {
	for len(p.buf) > 0 {
		n := p.command(p.buf)
		if n == 0 {
			return // the rest of it is still on the line
		}
		p.buf = p.buf[n:]
	}
}

// command carries out what the buffer begins with, and gives its length, 0 when
// it is not whole yet.
func (p *escpos) command(b []byte) int {
	switch {
	case b[0] == '\n':
		p.feedLine()
		return 1
	case b[0] == '\r':
		return 1
	case b[0] == 0x1b:
		return p.esc(b)
	case b[0] == 0x1d:
		return p.gs(b)
	case b[0] < 0x20:
		p.violation(fmt.Errorf("escpos: unknown byte %#02x", b[0]))
		return 1
	}
	p.put(p.table.DecodeByte(b[0]))
	return 1
}

func (p *escpos) esc(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	if b[1] == '@' {
		p.reset()
		return 2
	}
	if len(b) < 3 {
		return 0
	}
	switch b[1] {
	case 'E':
		p.bold = b[2]&1 == 1
	case 'a':
		p.align = b[2] % 3
	case 'd':
		if len(p.line) > 0 {
			p.feedLine()
		}
		p.blank(int(b[2]) * 24)
	case 't':
		tables := map[byte]*charmap.Charmap{0: charmap.CodePage437, 16: charmap.Windows1252, 19: charmap.CodePage858}
		if p.table = tables[b[2]]; p.table == nil {
			p.table = charmap.CodePage437
			p.violation(fmt.Errorf("escpos: no code page %d", b[2]))
		}
	default:
		p.violation(fmt.Errorf("escpos: unknown command ESC %#02x", b[1]))
		return 2
	}
	return 3
}

func (p *escpos) gs(b []byte) int {
	if len(b) < 3 {
		return 0
	}
	switch b[1] {
	case '!':
		p.size = b[2]
	case 'h':
		p.barH = int(b[2])
	case 'w':
		p.barW = int(b[2])
	case 'H':
	case 'V':
		p.cut()
	case 'k':
		return p.barcode(b)
	case '(':
		return p.symbol2D(b)
	default:
		p.violation(fmt.Errorf("escpos: unknown command GS %#02x", b[1]))
		return 2
	}
	return 3
}

// put sets a sign into the line, which is printed when it is full.
func (p *escpos) put(r rune) {
	wide := 12 * (1 + int(p.size>>4&7))
	used := 0
	for _, c := range p.line {
		used += 12 * (1 + int(c.size>>4&7))
	}
	if used+wide > p.dots {
		p.feedLine()
	}
	p.line = append(p.line, cell{r, p.bold, p.size})
}

// feedLine prints the line.
func (p *escpos) feedLine() {
	width, high, words := 0, 24, ""
	for _, c := range p.line {
		width += 12 * (1 + int(c.size>>4&7))
		high = max(high, 24*(1+int(c.size&7)))
		words += string(c.r)
	}
	strip := p.strip(high)
	x := p.start(width)
	for _, c := range p.line {
		sx, sy := 1+int(c.size>>4&7), 1+int(c.size&7)
		drawSign(strip, x, high-24*sy, sx, sy, c)
		x += 12 * sx
	}
	indent := p.start(width) / 12
	p.text = append(p.text, strings.TrimRight(strings.Repeat(" ", indent)+words, " "))
	p.line = nil
}

// start is where something of a width begins under the alignment.
func (p *escpos) start(width int) int { return max(0, (p.dots-width)*int(p.align)/2) }

// drawSign puts a sign of basicfont (7 by 13) into a cell of 12 by 24 dots.
func drawSign(dst *image.Gray, x, y, sx, sy int, c cell) {
	f := basicfont.Face7x13
	r := c.r
	if r < 0x20 || r > 0x7e {
		r = '?' // the little font has ASCII only; the words keep the sign
	}
	top := (int(r) - 0x20) * f.Height
	for gy := range f.Height {
		for gx := range f.Width {
			if _, _, _, a := f.Mask.At(gx, top+gy).RGBA(); a == 0 {
				continue
			}
			wide := 3 * sx / 2
			if c.bold {
				wide++
			}
			at := image.Rect(x+gx*12*sx/7, y+gy*24*sy/13, x+gx*12*sx/7+max(1, wide), y+(gy+1)*24*sy/13)
			draw.Draw(dst, at, image.Black, image.Point{}, draw.Src)
		}
	}
}

// strip is fresh paper of some dot lines.
func (p *escpos) strip(high int) *image.Gray {
	s := image.NewGray(image.Rect(0, 0, p.dots, high))
	draw.Draw(s, s.Bounds(), image.White, image.Point{}, draw.Src)
	p.strips = append(p.strips, s)
	p.height += high
	p.sinceLF = 0
	for p.height > maxPaper && len(p.strips) > 1 {
		p.height -= p.strips[0].Bounds().Dy()
		p.strips = p.strips[1:]
	}
	return s
}

func (p *escpos) blank(high int) {
	if high <= 0 {
		return
	}
	since := p.sinceLF
	p.strip(high)
	p.sinceLF = since + high
	p.text = append(p.text, "")
}

func (p *escpos) cut() {
	if len(p.line) > 0 {
		p.violation(fmt.Errorf("escpos: a cut without LF before it"))
		p.feedLine()
	}
	if p.sinceLF < cutterDistance {
		p.violation(fmt.Errorf("escpos: a cut through the last line"))
	}
	p.text = append(p.text, "--- cut ---")
	s := p.strip(8)
	for x := 0; x < p.dots; x += 8 {
		draw.Draw(s, image.Rect(x, 3, x+4, 5), image.Black, image.Point{}, draw.Src)
	}
}

// barcode is GS k, function B, Code 128.
func (p *escpos) barcode(b []byte) int {
	if len(b) < 4 {
		return 0
	}
	n := int(b[3])
	if len(b) < 4+n {
		return 0
	}
	values, words, err := code128(b[4 : 4+n])
	if b[2] != 73 || err != nil {
		p.violation(fmt.Errorf("escpos: barcode kind %d: %v", b[2], err))
		return 4 + n
	}
	var bars []int
	for _, v := range values {
		for _, w := range code128Widths[v] {
			bars = append(bars, int(w-'0'))
		}
	}
	total := 0
	for _, w := range bars {
		total += w * p.barW
	}
	if total > p.dots {
		p.violation(fmt.Errorf("escpos: a barcode of %d dots on a roll of %d", total, p.dots))
		return 4 + n
	}
	s := p.strip(p.barH)
	x := p.start(total)
	for i, w := range bars {
		if i%2 == 0 {
			draw.Draw(s, image.Rect(x, 0, x+w*p.barW, p.barH), image.Black, image.Point{}, draw.Src)
		}
		x += w * p.barW
	}
	p.text = append(p.text, "[barcode "+words+"]")
	for _, r := range words {
		p.put(r)
	}
	return 4 + n
}

// symbol2D is GS ( k: a QR code is set up, stored and printed.
func (p *escpos) symbol2D(b []byte) int {
	if len(b) < 5 {
		return 0
	}
	n := int(b[3]) | int(b[4])<<8
	if len(b) < 5+n || n < 3 {
		return 0
	}
	switch fn, args := b[6], b[7:5+n]; {
	case b[2] != 'k' || b[5] != 49:
		p.violation(fmt.Errorf("escpos: unknown symbol %d", b[5]))
	case fn == 67:
		p.qrDots = int(args[0])
	case fn == 80:
		p.qrText = string(args[1:])
	case fn == 81:
		p.printQR()
	}
	return 5 + n
}

func (p *escpos) printQR() {
	c, err := qr.Encode(p.qrText, qr.M)
	if err != nil || c.Size*p.qrDots > p.dots {
		p.violation(fmt.Errorf("escpos: a QR code that does not fit the roll"))
		return
	}
	side := c.Size * p.qrDots
	s := p.strip(side + 8*p.qrDots)
	x0 := p.start(side)
	for y := range c.Size {
		for x := range c.Size {
			if c.Black(x, y) {
				at := image.Rect(x*p.qrDots, y*p.qrDots, (x+1)*p.qrDots, (y+1)*p.qrDots).Add(image.Pt(x0, 4*p.qrDots))
				draw.Draw(s, at, image.Black, image.Point{}, draw.Src)
			}
		}
	}
	p.text = append(p.text, "[QR "+p.qrText+"]")
}

// paper joins what was printed since the last tear.
func (p *escpos) paper() (image.Image, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	img := image.NewGray(image.Rect(0, 0, p.dots, max(1, p.height)))
	draw.Draw(img, img.Bounds(), image.NewUniform(color.Gray{0xfc}), image.Point{}, draw.Src)
	y := 0
	for _, s := range p.strips {
		draw.Draw(img, s.Bounds().Add(image.Pt(0, y)), s, image.Point{}, draw.Src)
		y += s.Bounds().Dy()
	}
	return img, strings.Join(p.text, "\n")
}

func (p *escpos) tear() {
	p.mu.Lock()
	p.strips, p.height, p.text = nil, 0, nil
	p.mu.Unlock()
	p.changed()
}

func (p *escpos) sensors(paper, cover string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch paper {
	case "":
	case "ok", "near_end", "out":
		p.outOf, p.nearEnd = paper == "out", paper == "near_end"
	default:
		return fmt.Errorf("paper %q: ok, near_end or out", paper)
	}
	switch cover {
	case "":
	case "closed", "open":
		p.coverOpen = cover == "open"
	default:
		return fmt.Errorf("cover %q: closed or open", cover)
	}
	if !p.outOf && !p.coverOpen {
		p.work()
	}
	return nil
}

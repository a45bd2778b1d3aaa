package emulated

import (
	"fmt"
	"image"
	"slices"
	"strings"
	"sync"
	"time"

	"payterm/hal"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/encoding/charmap"
	"rsc.io/qr"
)

// escpos is a 58 mm thermal printer that reads ESC/POS (general knowledge of the
// command manuals). Its mechanism takes the time that paper takes, and its buffer
// is finite: what comes faster than it can be printed, or while there is no paper,
// is lost once the buffer is full, as on any line without flow control.
//
// It works when it is looked at: each call first brings it to the present.
type escpos struct {
	mu         sync.Mutex
	dots, room int
	speed      int // dot lines a second
	cutter     bool
	answers    bool // DLE EOT
	report     report
	changed    func()
	reply      func([]byte)
	now        func() time.Duration // the printer's time
	kick       chan struct{}        // the mechanism has something new to wait for

	real      []byte // the beginning of what may be a real-time command
	buf       []byte // not yet printed, or not yet whole
	lost      bool   // the buffer overflowed and has had no room since
	busy      time.Duration
	blocked   bool // buf waits for the mechanism, until busy
	outOf     bool
	nearEnd   bool
	coverOpen bool
	fault     bool // a jam or an overheated head: it prints nothing

	signs   *signs
	line    []cell
	bold    bool
	size    byte
	align   byte
	table   *charmap.Charmap
	barH    int
	barW    int
	barText bool
	qrText  string
	qrDots  int
	qrLevel qr.Level
	sinceLF int // dot lines since the last mark, for the cutter's distance
	printed int // dot lines, ever
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
	maxWords       = 2000   // lines of words; likewise
	cutterDistance = 72     // dot lines from the head to the knife
	lineSpacing    = 30     // dot lines of a line feed (the default of ESC 2)
	dotsPerMM      = 8
)

func newESCPOS(p *hal.Printer, now func() time.Duration, report report, changed func()) *escpos {
	e := &escpos{
		dots: p.Dots, room: p.Buffer, speed: p.Speed * dotsPerMM, cutter: p.Cut, answers: p.Status, report: report,
		changed: changed, reply: func([]byte) {}, now: now, kick: make(chan struct{}, 1), signs: newSigns(),
	}
	e.reset()
	return e
}

func (p *escpos) reset() {
	p.line, p.bold, p.size, p.align = nil, false, 0, 0
	p.table, p.barH, p.barW, p.barText = charmap.CodePage437, 162, 3, false
	p.qrText, p.qrDots, p.qrLevel = "", 3, qr.L
}

// Write takes bytes from the line. Real-time questions are answered at once,
// wherever they stand.
func (p *escpos) Write(b []byte) (int, error) {
	p.mu.Lock()
	before := p.printed
	var answers []byte
	for _, c := range b {
		p.real = append(p.real, c)
		switch n := len(p.real); {
		case p.real[0] != 0x10:
		case n < 2 || n == 2 && c == 0x04:
			continue // it may become one
		case n == 3 && c >= 1 && c <= 4:
			if p.answers {
				answers = append(answers, p.status(c))
			}
			p.real = p.real[:0]
		}
		for _, c := range p.real {
			p.store(c)
		}
		p.real = p.real[:0]
	}
	printed := p.printed != before
	p.mu.Unlock()
	if len(answers) > 0 {
		p.reply(answers)
	}
	if printed {
		p.changed()
	}
	return len(b), nil
}

// store puts a byte into the buffer. An idle interpreter takes it out at once, and
// keeps the beginning of a command elsewhere.
func (p *escpos) store(c byte) {
	idle := p.work()
	if !idle && len(p.buf) >= p.room {
		if !p.lost {
			p.report(BufferOverflow, "more than %d bytes ahead of the mechanism", p.room)
		}
		p.lost = true
		return
	}
	p.lost = false
	p.buf = append(p.buf, c)
	p.work()
	if p.blocked {
		p.resume()
	}
}

// full reports whether n bytes more would be too many for the buffer.
func (p *escpos) full(n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.work() && len(p.buf)+n > p.room
}

func (p *escpos) status(n byte) byte {
	s := byte(0x12)
	for _, bit := range []struct {
		n    byte
		on   bool
		bits byte
	}{
		{1, p.stopped(), 0x08}, // offline
		{2, p.coverOpen, 0x04},
		{2, p.outOf, 0x20},
		{2, p.fault, 0x40},
		{3, p.fault, 0x40},
		{4, p.nearEnd || p.outOf, 0x0c},
		{4, p.outOf, 0x60},
	} {
		if bit.n == n && bit.on {
			s |= bit.bits
		}
	}
	return s
}

func (p *escpos) stopped() bool { return p.outOf || p.coverOpen || p.fault }

// work takes whole commands from the buffer for as long as the mechanism is free,
// and reports whether it then waits for bytes only. The lock is held.
func (p *escpos) work() (idle bool) {
	now := p.now()
	start := now
	if p.blocked {
		start = p.busy
	}
	p.blocked = false
	for len(p.buf) > 0 {
		if p.stopped() {
			return false
		}
		if p.busy > now {
			p.blocked = true
			return false
		}
		before := p.printed
		n := p.command(p.buf)
		if n == 0 {
			return true // the rest of it is still on the line
		}
		p.buf = p.buf[n:]
		if lines := p.printed - before; lines > 0 {
			p.busy = start + time.Duration(lines)*time.Second/time.Duration(p.speed)
			start = p.busy
		}
	}
	return !p.stopped()
}

// run prints what waits for the mechanism when nobody looks, until end is closed.
func (p *escpos) run(end <-chan struct{}, scale float64) {
	for {
		p.mu.Lock()
		before := p.printed
		p.work()
		printed := p.printed != before
		wait := time.Duration(float64(p.busy-p.now()) / scale)
		if !p.blocked {
			wait = time.Hour // until a byte comes
		}
		p.mu.Unlock()
		if printed {
			p.changed()
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-p.kick:
		case <-end:
			t.Stop()
			return
		}
		t.Stop()
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
		p.report(UnknownCommand, "byte %#02x", b[0])
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
		p.atStart("ESC a")
		p.align = p.within("ESC a", b[2]&^0x30, 0, 2)
	case 'd':
		if len(p.line) > 0 {
			p.feedLine()
		}
		p.blank(int(b[2]) * lineSpacing)
	case 't':
		tables := map[byte]*charmap.Charmap{0: charmap.CodePage437, 16: charmap.Windows1252, 19: charmap.CodePage858}
		if p.table = tables[b[2]]; p.table == nil {
			p.table = charmap.CodePage437
			p.report(BadArgument, "no code page %d", b[2])
		}
	default:
		p.report(UnknownCommand, "ESC %#02x", b[1])
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
		p.within("GS ! height", b[2]&0x0f, 0, 7)
		p.within("GS ! width", b[2]>>4, 0, 7)
	case 'h':
		p.barH = int(p.within("GS h", b[2], 1, 255))
	case 'w':
		p.barW = int(p.within("GS w", b[2], 2, 6))
	case 'H':
		p.barText = p.within("GS H", b[2]&^0x30, 0, 3)&2 != 0
	case 'V':
		return p.knife(b)
	case 'k':
		return p.barcode(b)
	case '(':
		return p.symbol2D(b)
	case 'v':
		return p.raster(b)
	default:
		p.report(UnknownCommand, "GS %#02x", b[1])
		return 2
	}
	return 3
}

// within reports an argument outside of its range and gives the nearest in it.
func (p *escpos) within(command string, v, low, high byte) byte {
	if v < low || v > high {
		p.report(BadArgument, "%s %d: %d to %d", command, v, low, high)
	}
	return min(max(v, low), high)
}

// atStart reports a command that counts only at the beginning of a line.
func (p *escpos) atStart(command string) {
	if len(p.line) > 0 {
		p.report(NotAtLineStart, "%s in the middle of a line", command)
	}
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
	width, high, words := 0, lineSpacing, ""
	for _, c := range p.line {
		width += 12 * (1 + int(c.size>>4&7))
		high = max(high, 24*(1+int(c.size&7)))
		words += string(c.r)
	}
	strip := p.strip(high)
	x := p.start(width)
	for _, c := range p.line {
		sx, sy := 1+int(c.size>>4&7), 1+int(c.size&7)
		p.signs.draw(strip, x, high-24*sy, sx, sy, c)
		x += 12 * sx
	}
	indent := p.start(width) / 12
	p.say(strings.TrimRight(strings.Repeat(" ", indent)+words, " "))
	p.line = nil
}

// start is where something of a width begins under the alignment.
func (p *escpos) start(width int) int { return max(0, (p.dots-width)*int(p.align)/2) }

// signs are Go Mono at the size whose signs are 12 dots wide.
type signs struct {
	face  font.Face
	masks map[rune]*image.Alpha // 12 by 24 dots each
}

func newSigns() *signs {
	parsed, err := opentype.Parse(gomono.TTF)
	if err != nil {
		panic(fmt.Sprintf("emulated: read Go Mono: %v", err))
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: 20, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		panic(fmt.Sprintf("emulated: Go Mono of 20 dots: %v", err))
	}
	return &signs{face, map[rune]*image.Alpha{}}
}

func (s *signs) mask(r rune) *image.Alpha {
	if m, ok := s.masks[r]; ok {
		return m
	}
	m := image.NewAlpha(image.Rect(0, 0, 12, 24))
	d := font.Drawer{Dst: m, Src: image.Opaque, Face: s.face, Dot: fixed.P(0, 19)}
	d.DrawString(string(r))
	s.masks[r] = m
	return m
}

// draw puts a sign into a cell of 12 by 24 dots.
func (s *signs) draw(dst *image.Gray, x, y, sx, sy int, c cell) {
	m := s.mask(c.r)
	for i, a := range m.Pix {
		if a < 0x60 {
			continue
		}
		gx, gy, wide := i%m.Stride, i/m.Stride, sx
		if c.bold {
			wide++
		}
		fill(dst, image.Rect(x+gx*sx, y+gy*sy, x+gx*sx+wide, y+(gy+1)*sy), 0)
	}
}

// fill sets the dots of a box as far as it lies on the paper.
func fill(dst *image.Gray, box image.Rectangle, grey uint8) {
	box = box.Intersect(dst.Rect)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		row := dst.Pix[y*dst.Stride+box.Min.X : y*dst.Stride+box.Max.X]
		for x := range row {
			row[x] = grey
		}
	}
}

// strip is fresh paper of some dot lines.
func (p *escpos) strip(high int) *image.Gray {
	s := image.NewGray(image.Rect(0, 0, p.dots, high))
	fill(s, s.Rect, 0xff)
	p.strips = append(p.strips, s)
	p.height += high
	p.printed += high
	p.sinceLF = 0
	for p.height > maxPaper && len(p.strips) > 1 {
		p.height -= p.strips[0].Bounds().Dy()
		p.strips = p.strips[1:]
	}
	return s
}

// say keeps the words of what was printed.
func (p *escpos) say(words string) {
	p.text = append(p.text, words)
	if len(p.text) > maxWords {
		p.text = slices.Delete(p.text, 0, maxWords/2)
	}
}

func (p *escpos) blank(high int) {
	if high <= 0 {
		return
	}
	since := p.sinceLF
	p.strip(high)
	p.sinceLF = since + high
	p.say("")
}

// knife is GS V: 0 and 1 cut at once, 65 and 66 feed to the knife and n dot lines
// more before.
func (p *escpos) knife(b []byte) int {
	n := 3
	switch b[2] {
	case 0, 1, '0', '1':
	case 65, 66:
		if n = 4; len(b) < n {
			return 0
		}
	default:
		p.report(BadArgument, "GS V %d", b[2])
		return n
	}
	if !p.cutter {
		p.report(NoCutter, "GS V %d: this printer has no cutter", b[2])
		return n
	}
	if len(p.line) > 0 {
		p.report(CutText, "a cut without LF before it")
		p.feedLine()
	}
	if n == 4 {
		p.blank(cutterDistance + int(b[3]))
	}
	if p.sinceLF < cutterDistance {
		p.report(CutText, "a cut %d dot lines below what was printed last, the knife is at %d", p.sinceLF, cutterDistance)
	}
	p.say("--- cut ---")
	s := p.strip(8)
	for x := 0; x < p.dots; x += 8 {
		fill(s, image.Rect(x, 3, x+4, 5), 0)
	}
	return n
}

// raster is GS v 0: m, bytes a line, lines, and the picture.
func (p *escpos) raster(b []byte) int {
	if len(b) < 8 {
		return 0
	}
	wide, high := int(b[4])|int(b[5])<<8, int(b[6])|int(b[7])<<8
	switch {
	case b[2] != '0' || b[3]&^0x33 != 0:
		p.report(BadArgument, "GS v %d %d", b[2], b[3])
		return 8
	case wide == 0 || high == 0 || high > 2303:
		p.report(BadArgument, "GS v 0 of %d bytes by %d lines", wide, high)
		return 8
	case wide*8 > p.dots:
		p.report(TooWide, "a picture of %d dots on a roll of %d", wide*8, p.dots)
		return 8
	case len(b) < 8+wide*high:
		return 0
	}
	p.atStart("GS v 0")
	sx, sy := 1+int(b[3]&1), 1+int(b[3]>>1&1)
	s := p.strip(high * sy)
	x0 := p.start(wide * 8 * sx)
	for y := range high {
		for x := range wide * 8 {
			if b[8+y*wide+x/8]>>(7-x%8)&1 == 1 {
				fill(s, image.Rect(x*sx, y*sy, (x+1)*sx, (y+1)*sy).Add(image.Pt(x0, 0)), 0)
			}
		}
	}
	p.say(fmt.Sprintf("[picture %dx%d]", wide*8, high))
	return 8 + wide*high
}

// barcode is GS k, function B, Code 128.
func (p *escpos) barcode(b []byte) int {
	if b[2] != 73 {
		p.report(UnknownCommand, "GS k %d: only Code 128 (73) is emulated", b[2])
		return 3
	}
	if len(b) < 4 || len(b) < 4+int(b[3]) {
		return 0
	}
	n := 4 + int(b[3])
	p.atStart("GS k")
	values, words, err := code128(b[4:n])
	if err != nil {
		p.report(BadArgument, "Code 128: %v", err)
		return n
	}
	var bars []int
	total := 0
	for _, v := range values {
		for _, w := range code128Widths[v] {
			bars = append(bars, int(w-'0')*p.barW)
			total += int(w-'0') * p.barW
		}
	}
	if total > p.dots {
		p.report(TooWide, "a barcode of %d dots on a roll of %d", total, p.dots)
		return n
	}
	s := p.strip(p.barH)
	x := p.start(total)
	for i, w := range bars {
		if i%2 == 0 {
			fill(s, image.Rect(x, 0, x+w, p.barH), 0)
		}
		x += w
	}
	p.say("[barcode " + words + "]")
	if p.barText {
		for _, r := range words {
			p.put(r)
		}
		p.feedLine()
	}
	return n
}

// symbol2D is GS ( k: a QR code is set up, stored and printed.
func (p *escpos) symbol2D(b []byte) int {
	if len(b) < 5 {
		return 0
	}
	n := 5 + (int(b[3]) | int(b[4])<<8)
	switch {
	case b[2] != 'k':
		p.report(UnknownCommand, "GS ( %#02x", b[2])
		return 3
	case len(b) < n:
		return 0
	case n < 8:
		p.report(BadArgument, "GS ( k of %d bytes", n-5)
		return n
	case b[5] != 49:
		p.report(UnknownCommand, "GS ( k: symbol %d, only QR codes (49) are emulated", b[5])
		return n
	}
	switch fn, args := b[6], b[7:n]; fn {
	case 65:
		p.within("GS ( k model", args[0], 49, 50)
	case 67:
		p.qrDots = int(p.within("GS ( k module", args[0], 1, 16))
	case 69:
		p.qrLevel = qr.Level(p.within("GS ( k level", args[0], 48, 51) - 48)
	case 80:
		p.within("GS ( k store", args[0], 48, 48)
		p.qrText = string(args[1:])
	case 81:
		p.within("GS ( k print", args[0], 48, 48)
		p.printQR()
	default:
		p.report(UnknownCommand, "GS ( k function %d", fn)
	}
	return n
}

// printQR prints the stored code as it is: its quiet zone is the sender's affair.
func (p *escpos) printQR() {
	p.atStart("GS ( k")
	if p.qrText == "" {
		p.report(NothingStored, "a QR code is to be printed and none was stored")
		return
	}
	c, err := qr.Encode(p.qrText, p.qrLevel)
	if err != nil {
		p.report(BadArgument, "QR code: %v", err)
		return
	}
	side := c.Size * p.qrDots
	if side > p.dots {
		p.report(TooWide, "a QR code of %d dots on a roll of %d", side, p.dots)
		return
	}
	s := p.strip(side)
	x0 := p.start(side)
	for y := range c.Size {
		for x := range c.Size {
			if c.Black(x, y) {
				at := image.Rect(x*p.qrDots, y*p.qrDots, (x+1)*p.qrDots, (y+1)*p.qrDots).Add(image.Pt(x0, 0))
				fill(s, at, 0)
			}
		}
	}
	p.say("[QR " + p.qrText + "]")
}

// paper is what was printed since the last tear: the picture and the words.
func (p *escpos) paper() (image.Image, string) {
	p.mu.Lock()
	before := p.printed
	p.work()
	strips, height := slices.Clone(p.strips), p.height
	words, printed := strings.Join(p.text, "\n"), p.printed != before
	p.mu.Unlock()
	if printed {
		p.changed()
	}
	// What is printed does not change any more: the printer goes on meanwhile.
	img := image.NewGray(image.Rect(0, 0, p.dots, max(1, height)))
	fill(img, img.Rect, 0xfc)
	at := 0
	for _, s := range strips {
		at += copy(img.Pix[at:], s.Pix) // of the same width
	}
	return img, words
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
	p.work() // up to now it was as before
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
	p.resume()
	return nil
}

// jam sets or ends a fault of the mechanism.
func (p *escpos) jam(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.work()
	p.fault = on
	p.resume()
}

// resume lets the mechanism look at its buffer again. The lock is held.
func (p *escpos) resume() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

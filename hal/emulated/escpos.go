package emulated

import (
	"fmt"
	"image"
	"image/draw"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"payterm/board"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"rsc.io/qr"
)

// escpos is a thermal printer of 58 or 80 mm with ESC/POS (general knowledge of the command
// manuals). Printing takes time and the buffer is finite: what comes faster than it is printed,
// or while there is no paper, is lost once the buffer is full, as on any line without flow
// control.
//
// It computes its state on demand: each call first brings it to the present.
type escpos struct {
	mu         sync.Mutex
	dots, room int
	speed      int // dot lines a second
	cutter     bool
	answers    bool // DLE EOT
	tells      bool // GS a
	hasChinese bool // the characters of GB18030
	barcodes   bool // it makes them
	qrCodes    bool // likewise
	red        bool // it has a second colour
	tables     map[byte]func(byte) rune
	wakes      wake          // as it is after power-on, and after ESC @
	usual      wake          // and as its profile has it
	inTurn     bool          // it answers questions in buffer order, as many cheap ones do
	off        bool          // it is switched off, or has hung up in itself: deaf and mute
	noTransmit bool          // it has no GS r
	late       time.Duration // its answers and reports leave so much later
	times      int           // how often it answers each request
	report     report
	changed    func()
	reply      func([]byte)
	now        func() time.Duration // the printer's time
	kick       chan struct{}        // wakes the mechanism's goroutine
	perByte    time.Duration        // on the wire
	waits      bool                 // a full buffer blocks the host, as on USB

	wire []byte        // sent, not received yet
	due  time.Duration // when its first byte is received; the next follow at the wire's speed
	at   time.Duration // the time up to which all is done

	said []said // to be sent to the host
	auto byte   // n of GS a

	real      []byte   // possible beginning of a real-time command
	breaches  []func() // violations of the current command
	held      []func() // of earlier commands, whose sender may have been cut off
	zeros     int      // NUL bytes since then
	buf       []byte   // not printed, or incomplete
	lost      bool     // the buffer overflowed and has been full since
	busy      time.Duration
	blocked   bool // buf waits for the mechanism until busy
	outOf     bool
	nearEnd   bool
	coverOpen bool
	fault     bool // a jam or an overheated head: nothing is printed

	signs   *signs
	line    []cell
	x       int // where the next character goes, from the left margin
	style   style
	align   byte
	left    int // margin
	area    int // width that is printed on
	spacing int // dot lines of a line feed
	gap     int // dots between characters
	table   func(byte) rune
	chinese bool        // FS &: two or four bytes are a character
	country byte        // n of ESC R
	upside  bool        // ESC {: lines are upside down
	fontB   bool        // ESC M 1: characters of 9 by 17 dots
	stored  *image.Gray // by GS ( L
	barH    int
	barW    int
	barText bool
	qrText  string
	qrDots  int
	qrLevel qr.Level
	sinceLF int // dot lines since the last mark, for the distance to the cutter
	printed int // dot lines since the start
	strips  []*image.Gray
	height  int
	text    []string
}

// said is an answer or a report, and when it leaves.
type said struct {
	b  []byte
	at time.Duration
}

// style is how a character is printed.
type style struct {
	bold, inverted bool
	red            bool
	underline      int // dots
	size           byte
}

func (s style) wide() int { return 1 + int(s.size>>4&7) }
func (s style) high() int { return 1 + int(s.size&7) }

// cell is a character in the line, or a piece of a picture.
type cell struct {
	r       rune
	picture *image.Gray // instead of r
	x, w    int
	style
}

const (
	redInk         = 0x50   // in a picture of greys
	maxPaper       = 20_000 // dot lines that are kept; older ones are dropped
	maxWords       = 2000   // lines of text; older ones are dropped
	cutterDistance = 72     // dot lines from the head to the knife
	lineSpacing    = 30     // dot lines of a line feed (the default of ESC 2)
	dotsPerMM      = 8
)

func newESCPOS(p *board.Printer, now func() time.Duration, report report, changed func()) *escpos {
	e := &escpos{
		dots: p.Dots, room: p.Buffer, speed: p.Speed * dotsPerMM, cutter: p.Cut, answers: p.Status,
		tells: p.Tells, hasChinese: p.Chinese == board.ChineseGB18030, report: report,
		changed: changed, reply: func([]byte) {}, now: now, kick: make(chan struct{}, 1), signs: newSigns(),
		times: 1,
	}
	e.barcodes, e.qrCodes, e.red = p.Barcode != board.BarcodeDrawn && p.Barcode != board.BarcodeNone,
		p.QR != board.QRDrawn, p.Red
	e.tables = tablesOf(p.CodePages)
	e.usual.chinese = e.hasChinese
	e.wakes = e.usual
	e.reset()
	return e
}

// wake is the state after power-on, set by switches or by the maker. Printers made for China read
// GB18030.
type wake struct {
	chinese, fontB bool
	page, country  byte
}

// wakings are the states by name, each changing a part.
var wakings = map[string]func(*wake){
	"chinese":      func(w *wake) { w.chinese = true },
	"katakana":     func(w *wake) { w.page = 1 },
	"multilingual": func(w *wake) { w.page = 2 },
	"france":       func(w *wake) { w.country = 1 },
	"japan":        func(w *wake) { w.country = 8 },
	"font_b":       func(w *wake) { w.fontB = true },
}

// wake sets the state after power-on, and restarts the printer.
func (p *escpos) wake(words string) error {
	var w wake
	for word := range strings.FieldsSeq(words) {
		set := wakings[word]
		switch {
		case word == "usual":
			w = p.usual
		case set == nil:
			return fmt.Errorf("wakes %q: usual, %s", word, strings.Join(slices.Sorted(maps.Keys(wakings)), ", "))
		default:
			set(&w)
		}
	}
	p.mu.Lock()
	same := p.wakes == w
	p.mu.Unlock()
	if same {
		return nil
	}
	p.power(false)
	p.mu.Lock()
	p.wakes, p.hasChinese = w, p.hasChinese || w.chinese
	p.reset()
	p.mu.Unlock()
	p.power(true)
	return nil
}

// reset is ESC @.
func (p *escpos) reset() {
	p.line, p.x, p.style, p.align = nil, 0, style{}, 0
	p.left, p.area, p.spacing, p.gap, p.stored, p.upside = 0, p.dots, lineSpacing, 0, nil, false
	p.chinese, p.country, p.fontB = p.wakes.chinese, p.wakes.country, p.wakes.fontB
	p.table, p.barH, p.barW, p.barText = p.tables[p.wakes.page], 162, 3, false
	if p.table == nil {
		p.table = charmap.CodePage437.DecodeByte
	}
	p.qrText, p.qrDots, p.qrLevel = "", 3, qr.L
}

// release ends a locked section and sends the answers that are due.
func (p *escpos) release() {
	var due []byte
	for len(p.said) > 0 && p.said[0].at <= p.at {
		due, p.said = append(due, p.said[0].b...), p.said[1:]
	}
	p.mu.Unlock()
	if len(due) > 0 {
		p.reply(due)
	}
}

// repeatAfter is how long after an answer the same leaves again.
const repeatAfter = 5 * time.Millisecond

// transmit sends bytes to the host, so many times.
func (p *escpos) transmit(times int, b ...byte) {
	for i := range times {
		p.said = append(p.said, said{b, p.at + p.late + time.Duration(i)*repeatAfter})
	}
}

// answering sets how late the printer answers, and how often each request.
func (p *escpos) answering(late time.Duration, times int) {
	p.mu.Lock()
	defer p.release()
	p.present()
	p.late, p.times = late, times
}

// Write puts bytes on the wire.
func (p *escpos) Write(b []byte) (int, error) {
	p.mu.Lock()
	if p.off { // the bytes are lost
		p.release()
		return len(b), nil
	}
	before := p.printed
	if len(p.wire) == 0 {
		p.due = max(p.due, p.now()+p.perByte)
	}
	p.wire = append(p.wire, b...)
	p.present()
	if len(p.wire)+len(p.said) > 0 {
		p.resume()
	}
	printed := p.printed != before
	p.release()
	if printed {
		p.changed()
	}
	return len(b), nil
}

// present brings the printer to the present: each byte is handled at its own time of arrival,
// however late this is called. It returns work's result. The lock is held.
func (p *escpos) present() (idle bool) {
	now := p.now()
	for len(p.wire) > 0 && p.due <= now {
		c := p.wire[0]
		p.wire, p.at = p.wire[1:], max(p.at, p.due)
		p.due += p.perByte
		p.take(c)
	}
	p.at = max(p.at, now)
	return p.work()
}

// take handles a received byte. Real-time questions are answered at once, wherever they are in
// the data.
func (p *escpos) take(c byte) {
	p.real = append(p.real, c)
	for len(p.real) > 0 {
		switch n := len(p.real); {
		case p.real[0] != 0x10, p.inTurn:
		case n == 1 || n == 2 && p.real[1] == 0x04:
			return // it may become one
		case n == 3 && c >= 1 && c <= 4:
			if p.answers {
				p.transmit(p.times, p.status(c))
			}
			p.real = p.real[:0]
			return
		}
		p.store(p.real[0])
		p.real = append(p.real[:0], p.real[1:]...) // the rest may begin one
	}
}

// breach records a violation of the current command.
func (p *escpos) breach(rule Rule, format string, args ...any) {
	p.breaches = append(p.breaches, func() { p.report(rule, format, args...) })
}

// manyZeros are more than any command of a sane host ends with.
const manyZeros = 256

// judge reports violations once it is known whose they are. A host whose line broke in the middle
// of a command, or that follows another host's, does not know what the printer waits for: it
// sends NULs until the printer waits for nothing, and then a reset. NULs are harmless: they are
// the rest of a picture, or arguments that the printer ignores (ESC/POS: a command with an
// argument out of range is ignored). So a violation right before many NULs and ESC @ is dropped;
// all others are reported.
func (p *escpos) judge(command []byte) {
	fresh := p.breaches
	p.breaches = nil
	switch {
	case len(fresh) > 0 && p.zeros == 0:
		p.held = append(p.held, fresh...)
	case len(fresh) > 0:
		p.blame()
		p.held = fresh
	case len(p.held) == 0:
	case command[0] == 0:
		p.zeros++
	case string(command) == "\x1b@" && p.zeros >= manyZeros:
		p.held, p.zeros = nil, 0
	default:
		p.blame()
	}
}

// blame reports what was held back.
func (p *escpos) blame() {
	for _, report := range p.held {
		report()
	}
	p.held, p.zeros = nil, 0
}

// settle reports violations that nothing follows.
func (p *escpos) settle() {
	p.mu.Lock()
	defer p.release()
	if p.present(); p.zeros == 0 && len(p.wire)+len(p.buf) == 0 {
		p.blame()
	}
}

// power switches the printer off or on. Off, it loses what it has not printed and its GS a
// setting.
func (p *escpos) power(on bool) {
	p.mu.Lock()
	defer p.release()
	if p.present(); p.off == !on {
		return
	}
	if p.off = !on; on {
		if !p.waits {
			p.said = []said{{[]byte{0}, p.at}} // its transmitter's line goes up: the host reads a NUL
		}
		return
	}
	p.wire, p.said, p.auto, p.real, p.buf = nil, nil, 0, nil, nil
	p.breaches, p.held, p.zeros, p.lost = nil, nil, 0, false
	if p.blocked, p.busy = false, p.at; len(p.line) > 0 {
		p.line = nil // it was only in memory
	}
	p.reset()
}

// pulled drops what was on the wire when the cable was pulled.
func (p *escpos) pulled() {
	p.mu.Lock()
	defer p.release()
	p.present()
	p.wire = nil
}

// store puts a byte into the buffer. An idle interpreter takes it out at once, and keeps a
// command's beginning elsewhere.
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

// hostBuffer is how much the host's kernel holds that a serial line has not sent yet.
const hostBuffer = 4096

// full reports whether the host has to wait before it sends n more bytes.
func (p *escpos) full(n int) bool {
	p.mu.Lock()
	defer p.release()
	idle := p.present()
	n += len(p.wire)
	if !p.waits {
		return n > hostBuffer
	}
	if !idle {
		n += len(p.buf)
	}
	return n > p.room
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

// tell sends the four bytes of automatic status back, if GS a asked for them.
func (p *escpos) tell(times int) {
	if !p.tells || p.auto == 0 {
		return
	}
	report := [4]byte{0x10, 0, 0, 0}
	for _, bit := range []struct {
		n    int
		on   bool
		bits byte
	}{
		{0, p.stopped(), 0x08},
		{0, p.coverOpen, 0x20},
		{1, p.fault, 0x20},
		{2, p.nearEnd || p.outOf, 0x03},
		{2, p.outOf, 0x0c},
	} {
		if bit.on {
			report[bit.n] |= bit.bits
		}
	}
	p.transmit(times, report[:]...)
}

func (p *escpos) stopped() bool { return p.outOf || p.coverOpen || p.fault }

// work handles whole commands from the buffer while the mechanism is free. It returns true if it
// then only waits for bytes. The lock is held.
func (p *escpos) work() (idle bool) {
	now := p.at
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
			return true // the rest has not arrived
		}
		p.judge(p.buf[:n])
		p.buf = p.buf[n:]
		if lines := p.printed - before; lines > 0 {
			p.busy = start + time.Duration(lines)*time.Second/time.Duration(p.speed)
			start = p.busy
		}
	}
	return !p.stopped()
}

// run prints in the background until end is closed.
func (p *escpos) run(end <-chan struct{}, scale float64) {
	for {
		p.mu.Lock()
		before := p.printed
		p.present()
		printed := p.printed != before
		wait := time.Hour // until a byte comes
		if p.blocked {
			wait = time.Duration(float64(p.busy-p.now()) / scale)
		}
		if len(p.said) > 0 {
			wait = min(wait, time.Duration(float64(p.said[0].at-p.now())/scale))
		}
		if n := len(p.wire); n > 0 { // a few at a time
			due := p.due + time.Duration(min(n, 16)-1)*p.perByte
			wait = min(wait, max(time.Millisecond, time.Duration(float64(due-p.now())/scale)))
		}
		p.release()
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

// command executes the command at the start of the buffer and returns its length, 0 if it is
// incomplete.
func (p *escpos) command(b []byte) int {
	switch {
	case b[0] == '\n':
		p.feedLine()
		return 1
	case b[0] == '\r', b[0] == 0: // ignored here
		return 1
	case b[0] == 0x1b:
		return p.esc(b)
	case b[0] == 0x1c:
		return p.fs(b)
	case b[0] == 0x1d:
		return p.gs(b)
	case b[0] == 0x10 && p.inTurn:
		return p.question(b)
	case b[0] < 0x20:
		p.breach(UnknownCommand, "byte %#02x", b[0])
		return 1
	case b[0] >= 0x81 && p.chinese:
		return p.gb18030(b)
	}
	p.put(p.letter(b[0]))
	return 1
}

// letter is a character of the code page or the national set, and its width.
func (p *escpos) letter(b byte) (rune, int) {
	r, w := p.table(b), 12
	if i := strings.IndexByte(national, b); i >= 0 {
		r = []rune(countries[p.country])[i]
	}
	if p.fontB {
		w = 9
	}
	return r, w
}

// national are the bytes with other characters in some countries (ESC R); countries has these by
// the country's number.
const national = "#$@[\\]^`{|}~"

var countries = [...]string{
	national, "#$à°ç§^`éùè¨", "#$§ÄÖÜ^`äöüß", "£$@[\\]^`{|}~", "#$@ÆØÅ^`æøå~", "#¤ÉÄÖÅÜéäöåü", "#$@°\\é^ùàòèì",
	"₧$@¡Ñ¿^`¨ñ}~", "#$@[¥]^`{|}~", "#¤ÉÆØÅÜéæøåü", "#$ÉÆØÅÜéæøåü", "#$á¡Ñ¿é`íñóú", "#$á¡Ñ¿éüíñóú", "#$@[₩]^`{|}~",
	"#$ŽŠĐĆČžšđćč", "#¥@[\\]^`{|}~",
}

// question is DLE EOT on a printer that answers in buffer order.
func (p *escpos) question(b []byte) int {
	switch {
	case len(b) < 3:
		return 0
	case b[1] != 0x04 || b[2] < 1 || b[2] > 4:
		p.breach(UnknownCommand, "DLE %#02x %#02x", b[1], b[2])
		return 1
	case p.answers:
		p.transmit(p.times, p.status(b[2]))
	}
	return 3
}

// gb18030 reads a character of two or four bytes.
func (p *escpos) gb18030(b []byte) int {
	n := 2
	if len(b) > 1 && b[1] >= '0' && b[1] <= '9' {
		n = 4
	}
	if len(b) < n {
		return 0
	}
	sign, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b[:n])
	r, size := utf8.DecodeRune(sign)
	if n == 4 && (r < 0x3400 || r > 0x4db5) {
		p.breach(BadArgument, "% x is none of the signs that GB 18030-2000 demands", b[:n])
		return n
	}
	if err != nil || r == utf8.RuneError || size != len(sign) {
		p.breach(BadArgument, "% x is no sign of GB18030", b[:n])
		return n
	}
	p.put(r, 24)
	return n
}

// tables are the code pages, by their number in ESC t, as Epson has them.
var tables = map[byte]func(byte) rune{
	0: charmap.CodePage437.DecodeByte, 1: katakana, 2: charmap.CodePage850.DecodeByte,
	3: charmap.CodePage860.DecodeByte, 4: charmap.CodePage863.DecodeByte, 5: charmap.CodePage865.DecodeByte,
	13: turkish, 15: charmap.ISO8859_7.DecodeByte, 16: charmap.Windows1252.DecodeByte,
	17: charmap.CodePage866.DecodeByte, 18: charmap.CodePage852.DecodeByte, 19: charmap.CodePage858.DecodeByte,
	34: charmap.CodePage855.DecodeByte, 36: charmap.CodePage862.DecodeByte, 39: charmap.ISO8859_2.DecodeByte,
	40: charmap.ISO8859_15.DecodeByte, 45: charmap.Windows1250.DecodeByte, 46: charmap.Windows1251.DecodeByte,
	47: charmap.Windows1253.DecodeByte, 48: charmap.Windows1254.DecodeByte, 49: charmap.Windows1255.DecodeByte,
	50: charmap.Windows1256.DecodeByte, 51: charmap.Windows1257.DecodeByte, 52: charmap.Windows1258.DecodeByte,
}

// turkish is page 13, PC857: page 850 with Turkish letters.
func turkish(b byte) rune {
	if r, other := map[byte]rune{
		0x8d: 'ı', 0x98: 'İ', 0x9e: 'Ş', 0x9f: 'ş', 0xa6: 'Ğ', 0xa7: 'ğ', 0xd0: 'º', 0xd1: 'ª', 0xd5: '€',
		0xe7: '\ufffd', 0xe8: '×', 0xec: 'ì', 0xed: 'ÿ', 0xf2: '\ufffd',
	}[b]; other {
		return r
	}
	return charmap.CodePage850.DecodeByte(b)
}

// tablesOf are the code pages of a printer with numbers of its own for some: under their usual
// numbers it does not have those.
func tablesOf(numbers map[string]int) map[byte]func(byte) rune {
	own := maps.Clone(tables)
	usual := map[string]byte{board.CP437: 0, board.PC850: 2, board.WPC1252: 16, board.PC858: 19}
	for page := range numbers {
		delete(own, usual[page])
	}
	for page, n := range numbers {
		own[byte(n)] = tables[usual[page]]
	}
	return own
}

// katakana is page 1: JIS X 0201, with lines and boxes before it.
func katakana(b byte) rune {
	const boxes = "▁▂▃▄▅▆▇█▏▎▍▌▋▊▉┼┴┬┤├▔─│▕┌┐└┘╭╮╰╯"
	switch {
	case b >= 0x80 && b < 0xa0:
		return []rune(boxes)[b-0x80]
	case b > 0xa0 && b < 0xe0:
		return 0xff61 + rune(b-0xa1)
	case b >= 0xa0:
		return ' '
	}
	return rune(b)
}

func (p *escpos) esc(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '@':
		p.reset()
		return 2
	case '2':
		p.spacing = lineSpacing
		return 2
	case 'i', 'm': // of old: at once, full and partial
		return p.cut("ESC "+string(rune(b[1])), b[1] == 'i', 2)
	}
	if len(b) < 3 {
		return 0
	}
	switch b[1] {
	case '!':
		p.mode(b[2])
	case 'B': // of cheap printers: n tones
		if len(b) < 4 {
			return 0
		}
		p.say("--- beep ---")
		return 4
	case 'E':
		p.style.bold = b[2]&1 == 1
	case '-':
		p.style.underline = int(p.within("ESC -", b[2]&^0x30, 0, 2))
	case 'M':
		p.fontB = p.within("ESC M", b[2]&^0x30, 0, 1) == 1
	case 'R':
		p.country = p.within("ESC R", b[2], 0, byte(len(countries)-1))
	case '{':
		p.atStart("ESC {")
		p.upside = b[2]&1 == 1
	case ' ':
		p.gap = int(b[2])
	case '3':
		p.spacing = int(b[2])
	case 'a':
		p.atStart("ESC a")
		p.align = p.within("ESC a", b[2]&^0x30, 0, 2)
	case 'r':
		if !p.red {
			p.breach(UnknownCommand, "ESC r: this printer has one colour")
		}
		p.style.red = b[2]&^0x30 == 1
	case 'J':
		if len(p.line) > 0 {
			p.feedLine()
		}
		p.blank(int(b[2]))
	case 'd':
		if len(p.line) > 0 {
			p.feedLine()
		}
		p.blank(int(b[2]) * p.spacing)
	case 't':
		if p.table = p.tables[b[2]]; p.table == nil {
			p.table = charmap.CodePage437.DecodeByte
			p.breach(BadArgument, "no code page %d", b[2])
		}
	case '$', '\\':
		return p.place(b)
	case '*':
		return p.columns(b)
	case 'p':
		if len(b) < 5 {
			return 0
		}
		if pin := p.within("ESC p", b[2]&^0x30, 0, 1); pin == 0 {
			p.say("--- drawer ---")
		} else {
			p.say("--- drawer, pin 5 ---")
		}
		return 5
	default:
		p.breach(UnknownCommand, "ESC %#02x", b[1])
		return 2
	}
	return 3
}

// mode is ESC !: font, bold, double height and width, underline at once.
func (p *escpos) mode(n byte) {
	p.fontB, p.style.bold = n&0x01 != 0, n&0x08 != 0
	p.style.size = n>>4&1 | n>>5&1<<4
	if p.style.underline = 0; n&0x80 != 0 {
		p.style.underline = 1
	}
}

// place is ESC $ and ESC \: the next position, from the margin or relative.
func (p *escpos) place(b []byte) int {
	if len(b) < 4 {
		return 0
	}
	x := int(int16(uint16(b[2]) | uint16(b[3])<<8))
	if b[1] == '\\' {
		x += p.x
	}
	if x < 0 || x > p.area {
		p.breach(BadArgument, "ESC %c to %d of %d dots", b[1], x, p.area)
		return 4
	}
	p.x = x
	return 4
}

// columns is ESC *: a part of a picture in the line, column by column.
func (p *escpos) columns(b []byte) int {
	if len(b) < 5 {
		return 0
	}
	shape, known := map[byte]struct{ bytes, sx, sy int }{0: {1, 2, 3}, 1: {1, 1, 3}, 32: {3, 2, 1}, 33: {3, 1, 1}}[b[2]]
	if !known {
		p.breach(BadArgument, "ESC * %d", b[2])
		return 3
	}
	n := int(b[3]) | int(b[4])<<8
	size := 5 + n*shape.bytes
	switch {
	case n == 0 || p.x+n*shape.sx > p.area:
		p.breach(TooWide, "ESC * of %d columns at %d of %d dots", n, p.x, p.area)
		return 5
	case len(b) < size:
		return 0
	}
	img := image.NewGray(image.Rect(0, 0, n*shape.sx, 24))
	fill(img, img.Rect, 0xff)
	for x := range n {
		for y := range 8 * shape.bytes {
			if b[5+x*shape.bytes+y/8]>>(7-y%8)&1 == 1 {
				fill(img, image.Rect(x*shape.sx, y*shape.sy, (x+1)*shape.sx, (y+1)*shape.sy), 0)
			}
		}
	}
	p.line = append(p.line, cell{picture: img, x: p.x, w: img.Rect.Dx()})
	p.x += img.Rect.Dx()
	return size
}

// fs handles the commands of Chinese printing.
func (p *escpos) fs(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch n := map[byte]int{'&': 2, '.': 2, '-': 3, 'C': 3, 'S': 4, '(': 5}[b[1]]; {
	case n == 0 || b[1] == '&' && !p.hasChinese:
		p.breach(UnknownCommand, "FS %#02x", b[1])
		return 2
	case len(b) < n:
		return 0
	case b[1] == '(':
		if n += int(b[3]) | int(b[4])<<8; len(b) < n {
			return 0
		}
		return n // the font and the like
	default:
		if n == 2 {
			p.chinese = b[1] == '&'
		}
		return n // underline, code and spacing of Chinese are not emulated
	}
}

func (p *escpos) gs(b []byte) int {
	if len(b) < 3 {
		return 0
	}
	switch b[1] {
	case '!':
		p.style.size = b[2]
		p.within("GS ! height", b[2]&0x0f, 0, 7)
		p.within("GS ! width", b[2]>>4, 0, 7)
	case 'B':
		p.style.inverted = b[2]&1 == 1
	case 'a':
		p.auto = b[2]
		p.tell(p.times)
	case 'r':
		if p.noTransmit {
			p.breach(UnknownCommand, "GS r")
			return 1 // the letter is text
		}
		if p.within("GS r", b[2]&^0x30, 1, 2); p.answers {
			p.transmit(p.times, p.status(4)>>5&3<<2|p.status(4)>>2&3)
		}
	case 'L', 'W':
		return p.margins(b)
	case 'h':
		p.barH = int(p.within("GS h", b[2], 1, 255))
	case 'w':
		p.barW = int(p.within("GS w", b[2], 2, 6))
	case 'f':
		p.within("GS f", b[2]&^0x30, 0, 4) // the font of a barcode's text; A is emulated
	case 'H':
		p.barText = p.within("GS H", b[2]&^0x30, 0, 3)&2 != 0
	case 'V':
		return p.knife(b)
	case 'k':
		return p.barcode(b)
	case '(', '8':
		return p.extended(b)
	case 'v':
		return p.raster(b)
	default:
		p.breach(UnknownCommand, "GS %#02x", b[1])
		return 2
	}
	return 3
}

// margins are GS L and GS W: the left margin and the print width.
func (p *escpos) margins(b []byte) int {
	if len(b) < 4 {
		return 0
	}
	p.atStart("GS " + string(rune(b[1])))
	n := int(b[2]) | int(b[3])<<8
	if b[1] == 'L' {
		p.left, p.area = min(n, p.dots), min(p.area, p.dots-min(n, p.dots))
	} else {
		p.area = min(n, p.dots-p.left)
	}
	if n > p.dots {
		p.breach(BadArgument, "GS %c %d on %d dots", b[1], n, p.dots)
	}
	return 4
}

// within reports an argument out of range and returns the nearest valid one.
func (p *escpos) within(command string, v, low, high byte) byte {
	if v < low || v > high {
		p.breach(BadArgument, "%s %d: %d to %d", command, v, low, high)
	}
	return min(max(v, low), high)
}

// atStart reports a command that is valid only at the start of a line.
func (p *escpos) atStart(command string) {
	if len(p.line) > 0 {
		p.breach(NotAtLineStart, "%s in the middle of a line", command)
	}
}

// put adds a character to the line, which is printed when it is full.
func (p *escpos) put(r rune, w int) {
	w *= p.style.wide()
	if p.x+w > p.area {
		p.feedLine()
	}
	p.line = append(p.line, cell{r: r, x: p.x, w: w, style: p.style})
	p.x += w + p.gap
}

// feedLine prints the line.
func (p *escpos) feedLine() {
	if len(p.line) == 0 { // white
		p.x = 0
		p.blank(p.spacing)
		return
	}
	slices.SortStableFunc(p.line, func(a, b cell) int { return a.x - b.x })
	width, high := 0, p.spacing
	for _, c := range p.line {
		width, high = max(width, c.x+c.w), max(high, 24*c.high())
	}
	strip := p.strip(high)
	left := p.start(width)
	words, end := strings.Repeat(" ", left/12), 0
	for _, c := range p.line {
		words += strings.Repeat(" ", max(0, (c.x-end)/12))
		end = c.x + c.w
		at := image.Pt(left+c.x, high-24*c.high())
		if c.picture != nil {
			draw.Draw(strip, c.picture.Rect.Add(at), c.picture, image.Point{}, draw.Src)
			if !strings.HasSuffix(words, "[picture]") {
				words += "[picture]"
			}
			continue
		}
		words += string(c.r)
		p.signs.draw(strip, at, c)
	}
	if p.upside {
		slices.Reverse(strip.Pix)
	}
	p.say(strings.TrimRight(words, " "))
	p.line, p.x = nil, 0
}

// start is where something of this width begins under the alignment.
func (p *escpos) start(width int) int { return p.left + max(0, (p.area-width)*int(p.align)/2) }

// signs is Go Mono at the size where a character is 12 dots wide. It has no Chinese: such a
// character is a box of 24 dots with its number in it.
type signs struct {
	face, fontB, small font.Face
	masks              map[rune]*image.Alpha // 9, 12 or 24 by 24 dots each
}

func newSigns() *signs {
	parsed, err := opentype.Parse(gomono.TTF)
	if err != nil {
		panic(fmt.Sprintf("emulated: read Go Mono: %v", err))
	}
	face := func(size float64) font.Face {
		f, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
		if err != nil {
			panic(fmt.Sprintf("emulated: Go Mono of %g dots: %v", size, err))
		}
		return f
	}
	return &signs{face(20), face(15), face(10), map[rune]*image.Alpha{}}
}

func (s *signs) mask(r rune, w int) *image.Alpha {
	if m, ok := s.masks[r]; ok && m.Rect.Dx() == w {
		return m
	}
	m := image.NewAlpha(image.Rect(0, 0, w, 24))
	d := font.Drawer{Dst: m, Src: image.Opaque, Face: s.face, Dot: fixed.P(0, 19)}
	switch w {
	case 9:
		d.Face = s.fontB
		d.DrawString(string(r))
	case 12:
		d.DrawString(string(r))
	default:
		draw.Draw(m, m.Rect, image.Opaque, image.Point{}, draw.Src)
		draw.Draw(m, m.Rect.Inset(1), image.Transparent, image.Point{}, draw.Src)
		number := fmt.Sprintf("%06X", r)
		d.Face, d.Dot = s.small, fixed.P(3, 11)
		d.DrawString(number[:3])
		d.Dot = fixed.P(3, 21)
		d.DrawString(number[3:])
	}
	s.masks[r] = m
	return m
}

// draw draws a character into its cell.
func (s *signs) draw(dst *image.Gray, at image.Point, c cell) {
	sx, sy := c.wide(), c.high()
	box, ink := image.Rectangle{at, at.Add(image.Pt(c.w, 24*sy))}, uint8(0)
	if c.red {
		ink = redInk
	}
	if c.inverted {
		fill(dst, box, 0)
		ink = 0xff
	}
	m := s.mask(c.r, c.w/sx)
	for i, a := range m.Pix {
		if a < 0x60 {
			continue
		}
		gx, gy, wide := i%m.Stride, i/m.Stride, sx
		if c.bold {
			wide++
		}
		fill(dst, image.Rect(gx*sx, gy*sy, gx*sx+wide, (gy+1)*sy).Add(at), ink)
	}
	box.Min.Y = box.Max.Y - c.underline
	fill(dst, box, ink)
}

// fill fills a box, as far as it is on the paper.
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

// say records the printed text.
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
// more before. 1 and 66 leave a bridge.
func (p *escpos) knife(b []byte) int {
	n := 3
	switch b[2] {
	case 0, 1, '0', '1':
	case 65, 66:
		if n = 4; len(b) < n {
			return 0
		}
	default:
		p.breach(BadArgument, "GS V %d", b[2])
		return n
	}
	if p.cutter && n == 4 {
		if len(p.line) > 0 {
			p.breach(CutText, "a cut without LF before it")
			p.feedLine()
		}
		p.blank(cutterDistance + int(b[3]))
	}
	return p.cut(fmt.Sprintf("GS V %d", b[2]), b[2] == 0 || b[2] == '0' || b[2] == 65, n)
}

// cut cuts the paper, and returns the length of its command.
func (p *escpos) cut(command string, full bool, n int) int {
	if !p.cutter {
		p.breach(NoCutter, "%s: this printer has no cutter", command)
		return n
	}
	if len(p.line) > 0 {
		p.breach(CutText, "a cut without LF before it")
		p.feedLine()
	}
	if p.sinceLF < cutterDistance {
		p.breach(CutText, "a cut %d dot lines below what was printed last, the knife is at %d", p.sinceLF,
			cutterDistance)
	}
	s := p.strip(8)
	if full {
		p.say("--- full cut ---")
		fill(s, image.Rect(0, 3, p.dots, 5), 0)
		return n
	}
	p.say("--- cut ---")
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
		p.breach(BadArgument, "GS v %d %d", b[2], b[3])
		return 8
	case wide == 0 || high == 0 || high > 2303:
		p.breach(BadArgument, "GS v 0 of %d bytes by %d lines", wide, high)
		return 8
	case wide*8 > p.dots:
		p.breach(TooWide, "a picture of %d dots on a roll of %d", wide*8, p.dots)
		return 8
	case len(b) < 8+wide*high:
		return 0
	}
	p.atStart("GS v 0")
	p.stamp(bitmap(b[8:], wide, 8*wide, high), 1+int(b[3]&1), 1+int(b[3]>>1&1))
	return 8 + wide*high
}

// bitmap reads a picture with rows of stride bytes.
func bitmap(b []byte, stride, wide, high int) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, wide, high))
	fill(img, img.Rect, 0xff)
	for y := range high {
		for x := range wide {
			if b[y*stride+x/8]>>(7-x%8)&1 == 1 {
				img.Pix[y*img.Stride+x] = 0
			}
		}
	}
	return img
}

// stamp prints a picture with the alignment.
func (p *escpos) stamp(img *image.Gray, sx, sy int) {
	s := p.strip(img.Rect.Dy() * sy)
	x0 := p.start(img.Rect.Dx() * sx)
	for i, grey := range img.Pix {
		if x, y := i%img.Stride, i/img.Stride; grey == 0 {
			fill(s, image.Rect(x*sx, y*sy, (x+1)*sx, (y+1)*sy).Add(image.Pt(x0, 0)), 0)
		}
	}
	p.say(fmt.Sprintf("[picture %dx%d]", img.Rect.Dx(), img.Rect.Dy()))
}

// extended are GS ( and GS 8: k is a QR code, L a stored picture.
func (p *escpos) extended(b []byte) int {
	head := 5
	if b[1] == '8' {
		head = 7
	}
	if len(b) < head {
		return 0
	}
	n := head
	for i, c := range b[3:head] {
		n += int(c) << (8 * i)
	}
	switch known := b[2] == 'L' || b[2] == 'k' && b[1] == '(' && p.qrCodes; {
	case !known:
		p.breach(UnknownCommand, "GS %c %#02x", b[1], b[2])
		return 3
	case n > maxExtended:
		p.breach(BadArgument, "GS %c %c of %d bytes", b[1], b[2], n-head)
		return 3
	case len(b) < n:
		return 0
	case b[2] == 'L':
		p.graphics(b[head:n])
	default:
		p.symbol2D(b[head:n])
	}
	return n
}

// maxExtended is more than any such command needs for a roll of 80 mm.
const maxExtended = 1 << 18

// graphics is GS ( L: function 112 stores a picture of one colour, 50 prints it.
func (p *escpos) graphics(b []byte) {
	switch {
	case len(b) == 2 && b[0] == 48 && (b[1] == 50 || b[1] == 2):
		p.atStart("GS ( L")
		if p.stored == nil {
			p.breach(NothingStored, "a picture is to be printed and none was stored")
			return
		}
		p.stamp(p.stored, 1, 1)
		p.stored = nil
	case len(b) > 10 && b[0] == 48 && b[1] == 112 && b[2] == 48 && b[3] == 1 && b[4] == 1 && b[5] == 49:
		wide, high := int(b[6])|int(b[7])<<8, int(b[8])|int(b[9])<<8
		switch stride := (wide + 7) / 8; {
		case wide == 0 || high == 0 || len(b) != 10+stride*high:
			p.breach(BadArgument, "GS ( L: %d by %d dots in %d bytes", wide, high, len(b)-10)
		case wide > p.dots:
			p.breach(TooWide, "a picture of %d dots on a roll of %d", wide, p.dots)
		default:
			p.stored = bitmap(b[10:], stride, wide, high)
		}
	default:
		p.breach(UnknownCommand, "GS ( L % x", b[:min(len(b), 10)])
	}
}

// symbol2D is GS ( k: sets up, stores and prints a QR code.
func (p *escpos) symbol2D(b []byte) {
	switch {
	case len(b) < 3:
		p.breach(BadArgument, "GS ( k of %d bytes", len(b))
		return
	case b[0] != 49:
		if b[1] == 81 || b[0] < 48 || b[0] > 53 { // its print, or no symbol at all
			p.breach(UnknownCommand, "GS ( k: symbol %d, only QR codes (49) are emulated", b[0])
		}
		return
	}
	switch fn, args := b[1], b[2:]; fn {
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
		p.breach(UnknownCommand, "GS ( k function %d", fn)
	}
}

// printQR prints the stored code without a quiet zone, which is the sender's job.
func (p *escpos) printQR() {
	p.atStart("GS ( k")
	if p.qrText == "" {
		p.breach(NothingStored, "a QR code is to be printed and none was stored")
		return
	}
	c, err := qr.Encode(p.qrText, p.qrLevel)
	if err != nil {
		p.breach(BadArgument, "QR code: %v", err)
		return
	}
	side := c.Size * p.qrDots
	if side > p.dots {
		p.breach(TooWide, "a QR code of %d dots on a roll of %d", side, p.dots)
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

// paper is what was printed since the last Tear: picture and text.
func (p *escpos) paper() (image.Image, string) {
	p.mu.Lock()
	before := p.printed
	p.present()
	strips, height := slices.Clone(p.strips), p.height
	words, printed := strings.Join(p.text, "\n"), p.printed != before
	p.release()
	if printed {
		p.changed()
	}
	// Printed paper does not change; the printer continues meanwhile.
	img := image.NewGray(image.Rect(0, 0, p.dots, max(1, height)))
	fill(img, img.Rect, 0xfc)
	at := 0
	for _, s := range strips {
		at += copy(img.Pix[at:], s.Pix) // the same width
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
	defer p.release()
	p.present() // up to now the old state holds
	defer p.tell(1)
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

// jam sets or clears a fault of the mechanism.
func (p *escpos) jam(on bool) {
	p.mu.Lock()
	defer p.release()
	p.present()
	p.fault = on
	p.tell(1)
	p.resume()
}

// resume makes the mechanism look at its buffer again. The lock is held.
func (p *escpos) resume() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

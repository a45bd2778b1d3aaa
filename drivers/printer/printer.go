// Package printer prints a payterm.Receipt: it lays its lines out for the paper, sends them to an ESC/POS printer
// over a Line, no faster than the printer can take them, and reports the printer's status. The content of a slip
// comes from package receipt. The caller decides what to do with a slip that was not printed: Print's error tells
// whether any part of it may be on paper.
//
// Command names and bytes are those of the ESC/POS manuals. Many printers never answer a status request: their
// state is unknown, and printing goes on. A printer that has answered before and no longer does is out of order.
package printer

import (
	"context"
	"errors"
	"fmt"
	"image"
	"slices"
	"time"

	"payterm"
)

// Line is a serial line. Each call waits no longer than d. Errors may have the methods Timeout() bool and
// Unplugged() bool.
type Line interface {
	Read(b []byte, d time.Duration) (int, error)
	Write(b []byte, d time.Duration) (int, error)
}

// ErrBrokeOff is wrapped by the error of a slip of which an unknown part is on paper.
var ErrBrokeOff = errors.New("broke off")

// Errors that a cashier can resolve.
var (
	ErrPaperOut  = errors.New("printer: no paper: put in a new roll")
	ErrCoverOpen = errors.New("printer: the cover is open: close it")
	ErrUnplugged = errors.New("printer: it does not print: check its cable, switch it off and on")
)

// Options describe a printer and its paper.
type Options struct {
	Columns  int            // of the normal font: 32 on 58 mm paper, 42 or 48 on 80 mm
	CodePage string         // cp437, pc850, wpc1252 or pc858
	Pages    map[string]int // the printer's numbers of code pages (ESC t), if not the usual ones
	Chinese  Chinese        // how characters that the code page lacks are printed
	Columned bool           // pictures are printed with ESC *, which older printers have in place of GS v 0
	RasterQR bool           // QR codes are drawn, for printers that have none
	Barcode  Barcode        // how barcodes are printed; Native if empty
	Logo     image.Image    // at the top of each slip; nil for none
	Cut      bool           // it has a cutter
	CutFull  bool           // it cuts through and leaves no bridge of paper
	CutFeed  int            // lines from the print head to the cutter; 4 if zero, none if negative
	CutDots  int            // in place of CutFeed: the same in dots
	Red      bool           // it has a second colour, for lines of alert
	Pin      int            // of the drawer at its socket, 2 or 5; 2 if zero
	Pulse    time.Duration  // length of the drawer's pulse, in steps of 2 ms; 50 ms if zero
	Status   bool           // it answers DLE EOT
	Tells    bool           // it reports changes by itself (GS a), and is not asked with DLE EOT
	Wait     time.Duration  // for the answer of a printer that has not answered yet; 300 ms if zero

	// A printer buffers a limited number of bytes ahead of its mechanism, and without flow control it loses the
	// excess. These values tell how fast bytes come and go; at most half a buffer is sent ahead.
	Baud   int                 // 9600 if zero
	Buffer int                 // bytes; 4096 if zero
	Speed  int                 // of the paper in mm/s, too low rather than too high; 50 if zero
	Sleep  func(time.Duration) // must not be shorter than requested
}

// Chinese is how a printer prints characters that its code page lacks.
type Chinese string

// Any printer can draw them. Most printers made for China have the characters of GB18030: then a line takes
// fewer bytes and is sharper.
const (
	Drawn   Chinese = "raster"
	GB18030 Chinese = "gb18030"
)

// Barcode is how a barcode is printed.
type Barcode string

// The printer makes barcodes, or they are printed as pictures, or only their text is printed.
const (
	BarcodeNative Barcode = "native"
	BarcodeDrawn  Barcode = "raster"
	BarcodeNone   Barcode = "none"
)

// Printer prints on one line. It must be used by one goroutine.
type Printer struct {
	line Line
	o    Options
	pace *pacer
	asb  asb
	torn int  // after a command broke off: how many bytes of it the printer may still expect
	left bool // part of a slip is on the strip on which the next would begin
	full bool // it took no more bytes, and none since
	slip bool // a slip is being sent, or its end is awaited

	owed    []byte        // n of each DLE EOT that has no answer yet, oldest first
	older   bool          // an answer was taken for that to an older question than the one asked
	wait    time.Duration // for an answer
	single  bool          // it is asked one question at a time
	answers [5]int        // number of answers to DLE EOT n, and to GS a at index 0
	muted   byte          // the last request that got no answer
	silent  int           // number of checks without an answer, after it had answered before

	marks   marks
	begun   bool // at least one byte of the slip was sent
	sending bool // bytes of a slip; a printer that answers in buffer order is late then
}

// maxLogo is the largest height of a logo in dot lines: 50 mm of paper.
const maxLogo = 400

// New makes a printer.
func New(line Line, o Options) (*Printer, error) {
	if _, err := codePageOf(o.CodePage, o.Pages); err != nil {
		return nil, err
	}
	switch o.Barcode {
	case "", BarcodeNative, BarcodeDrawn, BarcodeNone:
	default:
		return nil, fmt.Errorf("printer: barcode %q: %s, %s or %s", o.Barcode, BarcodeNative, BarcodeDrawn, BarcodeNone)
	}
	if o.Columns < 16 || o.Columns > 64 {
		return nil, fmt.Errorf("printer: %d columns: 16 to 64", o.Columns)
	}
	if o.Logo != nil {
		if box := o.Logo.Bounds(); box.Empty() || box.Dx() > o.Columns*columnDots || box.Dy() > maxLogo {
			return nil, fmt.Errorf("printer: a logo of %d by %d dots: at most %d by %d",
				box.Dx(), box.Dy(), o.Columns*columnDots, maxLogo)
		}
	}
	if o.Sleep == nil {
		return nil, errors.New("printer: no Sleep: it could not be paced")
	}
	if o.Pulse <= 0 {
		o.Pulse = 50 * time.Millisecond
	}
	if o.Wait <= 0 {
		o.Wait = 300 * time.Millisecond
	}
	if o.Baud <= 0 {
		o.Baud = 9600
	}
	if o.Buffer <= 0 {
		o.Buffer = 4096
	}
	if o.Speed <= 0 {
		o.Speed = 50
	}
	// An earlier process may have stopped in the middle of a picture.
	return &Printer{line: line, o: o, pace: newPacer(o), torn: longest, wait: o.Wait, marks: marks{each: 1}}, nil
}

// writeDeadline bounds the write of one chunk. A printer that takes nothing for this long has no paper, no
// power or no cable. At 1200 baud a chunk takes two seconds.
const (
	writeDeadline = 5 * time.Second
	chunk         = 256
)

// Print prints a receipt, and returns when the paper must be out. If the error wraps ErrBrokeOff, an unknown
// part of the slip was printed: the next slip begins after a cut or, without a cutter, after a feed. With any
// other error nothing of it is on paper.
func (p *Printer) Print(ctx context.Context, r payterm.Receipt) error {
	e, err := encode(r, p.o, p.left)
	if err != nil {
		return err
	}
	if err := fault(p.Condition(ctx)); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := p.mend(ctx); err != nil {
		return fmt.Errorf("printer: print %s: %w", r.Name, explain(err))
	}
	p.learn(ctx)
	p.slip, p.sending, p.begun, p.marks.due = true, true, false, 0
	defer func() { p.slip, p.sending = false, false }()
	if err := p.carry(ctx, e); err != nil {
		if p.begun {
			p.left, err = true, fmt.Errorf("%w: %w", ErrBrokeOff, err)
		}
		return fmt.Errorf("printer: print %s: %w", r.Name, err)
	}
	p.left = false
	return nil
}

// Left reports whether part of a slip that broke off is still on the strip.
func (p *Printer) Left() bool { return p.left }

// End ends that strip: it is cut off or, without a cutter, fed to the tear bar.
func (p *Printer) End(ctx context.Context) error {
	if !p.left {
		return nil
	}
	err := p.mend(ctx)
	if err == nil {
		e := encoder{o: p.o}
		e.put(escInit)
		e.cut()
		err = p.send(ctx, e.out, e.dots())
	}
	if err != nil {
		return fmt.Errorf("printer: end a strip: %w", explain(err))
	}
	p.left = false
	return nil
}

// carry sends a slip, and waits until it must be on paper.
func (p *Printer) carry(ctx context.Context, e encoder) error {
	from := 0
	for _, s := range e.steps {
		if err := p.send(ctx, e.out[from:s.end], s.dots); err != nil {
			return err
		}
		from = s.end
		p.marked(false)
	}
	p.marked(true)
	p.watch(ctx, p.pace.rest())
	p.sending = false
	return p.came(ctx)
}

// whole returns an error if the line may have lost bytes since the slip began. When a cable is unplugged for a
// moment, the bytes on the way are lost.
func (p *Printer) whole() error {
	if p.torn > 0 {
		return ErrUnplugged
	}
	return nil
}

// read and write record that the line was away: any command may have broken off.
func (p *Printer) read(b []byte, d time.Duration) (int, error) {
	n, err := p.line.Read(b, d)
	if unplugged(err) {
		p.torn, p.owed = longest, nil
	}
	return n, err
}

func (p *Printer) write(b []byte, d time.Duration) (int, error) {
	n, err := p.line.Write(b, d)
	lost := errors.Is(explain(err), ErrUnplugged)
	if lost {
		p.torn = longest
	}
	p.full = lost && !unplugged(err)
	return n, err
}

// Kick opens the cash drawer at the printer: a pulse on its pin (ESC p), followed by half a second without a
// pulse.
func (p *Printer) Kick(ctx context.Context) error {
	pin := byte(0)
	if p.o.Pin == 5 {
		pin = 1
	}
	pulse := byte(min(max(p.o.Pulse/(2*time.Millisecond), 1), 255))
	err := p.mend(ctx)
	if err == nil {
		err = p.send(ctx, []byte{0x1b, 'p', pin, pulse, 250}, 0)
	}
	if err != nil {
		return fmt.Errorf("printer: open the drawer: %w", explain(err))
	}
	return nil
}

// send sends bytes when the printer has room for them. It stops if the printer has run out of paper meanwhile.
func (p *Printer) send(ctx context.Context, b []byte, dots int) error {
	if wait := p.pace.until(len(b)); wait > 0 {
		p.watch(ctx, wait)
		if err := fault(p.Condition(ctx)); err != nil {
			return err
		}
	}
	if err := p.whole(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	p.pace.sent(len(b), dots)
	p.begun = true
	for len(b) > 0 {
		n := min(len(b), chunk)
		if _, err := p.write(b[:n], writeDeadline); err != nil {
			return explain(err)
		}
		b = b[n:]
	}
	return nil
}

// longest is the length of the longest command with its header, in bytes: how much a printer may still expect
// of a command that broke off.
const longest = 8 + bandBytes

// mend ends a command that broke off when the line failed: the printer still expects the rest of it, and would
// take the next slip for that. It sends zeros. In a picture they are white, elsewhere they do nothing, and in a
// header they do not make the command longer: a number that was not sent becomes 0, and a command with an
// invalid argument is ignored. ESC @ then resets what they left: half a line, a setting. Before that it waits
// until everything sent is on paper, since a full buffer would lose the zeros.
func (p *Printer) mend(ctx context.Context) error {
	if p.torn == 0 {
		return nil
	}
	p.pause(ctx, p.pace.rest())
	for p.torn > 0 {
		n, err := p.write(make([]byte, min(p.torn, chunk)), writeDeadline)
		if err != nil {
			return err
		}
		p.torn -= n
		p.pace.sent(n, lineDots)
	}
	if p.marks.answers >= known { // it may be another printer now
		p.marks.answers, p.marks.tries, p.single = 0, 0, false
	}
	_, err := p.write(escInit, writeDeadline)
	p.pace.sent(len(escInit), 0)
	return err
}

// pause sleeps in pieces, so that it notices the end of the context.
func (p *Printer) pause(ctx context.Context, d time.Duration) {
	for d > 0 && ctx.Err() == nil {
		piece := min(d, 100*time.Millisecond)
		p.o.Sleep(piece)
		p.pace.pass(piece)
		d -= piece
	}
}

func fault(c payterm.PaperCondition) error {
	switch c {
	case payterm.PaperOut:
		return ErrPaperOut
	case payterm.PaperCoverOpen:
		return ErrCoverOpen
	case payterm.PaperUnreachable:
		return ErrUnplugged
	case payterm.PaperOK, payterm.PaperNearEnd, payterm.PaperUnknown:
	}
	return nil
}

// unplugged reports whether an error of a line says that there is no device.
func unplugged(err error) bool {
	var e interface{ Unplugged() bool }
	return errors.As(err, &e) && e.Unplugged()
}

// timedOut reports whether an error of a line is a time-out.
func timedOut(err error) bool {
	var e interface{ Timeout() bool }
	return errors.As(err, &e) && e.Timeout()
}

// explain keeps from a line's error whether it was unplugged or timed out.
func explain(err error) error {
	if unplugged(err) || timedOut(err) {
		return fmt.Errorf("%w (%w)", ErrUnplugged, err)
	}
	return err
}

// Real-time status (DLE EOT n). The fixed bits of each answer are 0xx1xx10.
const (
	statusFixedMask = 0x93
	statusFixed     = 0x12
	offlineCover    = 0x04 // n=2: the cover is open
	offlinePaper    = 0x20 // n=2: stopped by the end of the paper
	offlineError    = 0x40 // n=2: a jam, a hot head, or a broken part
	paperNearEnd    = 0x0c // n=4: both bits of the near-end sensor
	paperEnd        = 0x60 // n=4: both bits of the end sensor
)

// patience multiplies Options.Wait for a printer that has answered before. It may be late because it cuts or
// its line is slow, and its silence must not look like a printer without status. An answer that comes later
// still doubles the wait, to eight times Options.Wait at most: such a printer is slow, or behind a slow network.
const patience = 4

// patient makes the wait longer after an answer, which was late or not.
func (p *Printer) patient(late bool) {
	if late && !p.slip { // a printer that answers in buffer order is late in the middle of a slip
		p.wait *= 2
	}
	p.wait = min(max(p.wait, patience*p.o.Wait), 2*patience*p.o.Wait)
}

// known is the number of answers after which silence is a fault. A single answer may be noise.
const known = 2

// mustAnswer reports whether silence after a request is a fault. Some printers answer only one of the requests.
func (p *Printer) mustAnswer(question byte) bool { return p.answers[question] >= known }

// Condition asks the printer for its state. It waits for each answer of one byte at most Options.Wait, or four
// to eight times that if the printer has answered before. A printer that has never answered is PaperUnknown,
// unless it takes no bytes. PaperUnreachable is a printer that has answered before and does not answer two
// attempts, except in the middle of a slip, since some printers answer in buffer order; one that reports an
// error of its own; and one whose cable is unplugged, which the line reports even if the printer has no status.
func (p *Printer) Condition(ctx context.Context) payterm.PaperCondition {
	switch {
	case ctx.Err() != nil:
		return payterm.PaperUnknown
	case p.o.Tells:
		return p.automaticStatus(ctx)
	case !p.o.Status:
		if _, err := p.read(make([]byte, 64), time.Millisecond); unplugged(err) {
			return payterm.PaperUnreachable
		}
		if p.full && !p.slip && p.mend(ctx) != nil {
			return payterm.PaperUnreachable
		}
		return payterm.PaperUnknown
	}
	if p.silent > 0 && !p.slip && p.rare(p.silent) { // a command that broke off may swallow the requests
		if err := p.mend(ctx); errors.Is(explain(err), ErrUnplugged) {
			p.silent++
			return payterm.PaperUnreachable
		}
	}
	c := p.realTimeStatus()
	for n := p.chances(); n > 0 && c == payterm.PaperUnknown && p.mustAnswer(p.muted) && ctx.Err() == nil; {
		due := p.marks.due
		if c = p.realTimeStatus(); p.marks.due == due { // otherwise the answer may still wait in its buffer
			n--
		}
	}
	if c == payterm.PaperUnknown && p.mustAnswer(p.muted) && !p.sending && ctx.Err() == nil {
		return p.fellSilent()
	}
	return c
}

// chances returns how often a printer that must answer is asked again. In the middle of a slip it is not asked
// again; at its end it may still be printing, if it is slower than its profile says.
func (p *Printer) chances() int {
	switch {
	case p.sending:
		return 0
	case p.slip:
		return 5
	}
	return 1
}

// answersBoth reports whether the printer answers both questions.
func (p *Printer) answersBoth() bool { return p.mustAnswer(2) && p.mustAnswer(4) }

// realTimeStatus asks each question once. If an answer is missing, none counts: it is not certain then which
// one came.
func (p *Printer) realTimeStatus() payterm.PaperCondition {
	p.drain()
	p.older = false
	offline, paper, c := p.answersOfBoth()
	if c == payterm.PaperUnknown && p.older && !p.sending {
		// What was taken for the answers to older questions was that to these: the older ones were lost.
		p.owed = nil
		offline, paper, c = p.answersOfBoth()
	}
	switch {
	case c != "":
		return c
	case offline&offlineCover != 0:
		return payterm.PaperCoverOpen
	case offline&offlinePaper != 0, paper&paperEnd != 0:
		return payterm.PaperOut
	case offline&offlineError != 0:
		return payterm.PaperUnreachable
	case paper&paperNearEnd != 0:
		return payterm.PaperNearEnd
	}
	return payterm.PaperOK
}

// answersOfBoth asks both questions at once if the printer is known to answer both, since each answer may be
// late. Otherwise, it asks the second if the first shows no fault. A condition means that an answer is missing.
// A printer that left one out at once, or answers twice, is asked one question at a time.
func (p *Printer) answersOfBoth() (offline, paper byte, c payterm.PaperCondition) {
	both := p.answersBoth() && !p.single
	if c = p.ask(2); c == "" && both {
		c = p.ask(4)
	}
	if c != "" {
		return 0, 0, c
	}
	if offline, c = p.await(2); c == "" && !both {
		if offline&(offlineCover|offlinePaper|offlineError) != 0 {
			return offline, 0, ""
		}
		p.drain()
		c = p.ask(4)
	}
	if c == "" {
		paper, c = p.await(4)
	}
	p.single = p.single || both && c == payterm.PaperUnknown && !p.sending
	return offline, paper, c
}

// fellSilent records that a printer no longer answers. It may have been switched off and on in the middle of a
// command; or a network connection may be half open, which only a new connection shows.
func (p *Printer) fellSilent() payterm.PaperCondition {
	p.silent++
	p.torn = longest
	if l, is := p.line.(interface{ Redial() }); is && p.rare(p.silent) {
		l.Redial()
		p.owed = nil
	}
	return payterm.PaperUnreachable
}

// rare reports whether attempt n should be made, for attempts that cost time on the line: fewer and fewer,
// finally one in 16.
func (p *Printer) rare(n int) bool {
	return n&(n-1) == 0 || (p.mustAnswer(0) || p.mustAnswer(2)) && n%16 == 0
}

// ask sends DLE EOT n. If it returns a condition, no more questions are needed.
func (p *Printer) ask(n byte) payterm.PaperCondition {
	p.muted = n
	if _, err := p.write([]byte{0x10, 0x04, n}, time.Second); err != nil {
		if errors.Is(explain(err), ErrUnplugged) {
			return payterm.PaperUnreachable
		}
		return payterm.PaperUnknown
	}
	if len(p.owed) >= mostOwed {
		p.owed = nil
	}
	p.owed = append(p.owed, n)
	return ""
}

// await waits for the answer to DLE EOT n, or returns a condition.
//
// An answer does not tell which question it belongs to, and the bits of the paper sensor would mean an open
// cover in another answer. The printer answers in turn, so each answer is that of the oldest question without
// one.
func (p *Printer) await(n byte) (byte, payterm.PaperCondition) {
	p.muted = n
	wait := p.wait
	var b [1]byte
	for others := 4; wait > 0 && others > 0; { // bytes that are no answer are ignored
		piece := min(wait, markEvery)
		got, err := p.read(b[:], piece)
		switch {
		case got == 1 && b[0]&statusFixedMask == statusFixed && len(p.owed) > 0:
			if p.paid(slices.Contains(p.owed[1:], p.owed[0])) == n {
				p.answers[n]++
				return b[0], ""
			}
			wait, p.older = p.wait, true
		case unplugged(err):
			return 0, payterm.PaperUnreachable
		case got == 1:
			if !p.answered(b[0]) {
				others--
			}
			if !p.sending { // the answers to marks come first if the printer answers in buffer order
				wait = p.wait
			}
		case err != nil && !timedOut(err):
			return 0, payterm.PaperUnknown
		default:
			wait -= piece
			if p.sending { // the slip gets marks also while an answer is awaited
				p.pace.pass(piece)
				p.marked(false)
			}
		}
	}
	return 0, payterm.PaperUnknown
}

// mostOwed bounds the questions that may still be answered.
const mostOwed = 16

// paid takes an answer for the oldest question, and returns that.
func (p *Printer) paid(late bool) byte {
	n := p.owed[0]
	p.owed, p.silent = p.owed[1:], 0
	p.patient(late)
	return n
}

// drain reads what came before a question: late answers, and those of a printer that answers twice, of which
// the second may come a moment after the first.
func (p *Printer) drain() {
	wait := time.Millisecond
	if p.single || !p.answersBoth() {
		wait = secondAnswer
	}
	var b [64]byte
	for range 4 {
		n, _ := p.read(b[:], wait)
		for _, c := range b[:n] {
			switch {
			case c&statusFixedMask != statusFixed:
				p.answered(c)
			case len(p.owed) > 0:
				p.paid(true)
			default:
				p.single = true
			}
		}
		if n == 0 {
			return
		}
	}
}

// secondAnswer is how long after an answer the same may come again: some bytes at 1200 baud.
const secondAnswer = 50 * time.Millisecond

// Package printer puts a payterm.Receipt on paper: it lays the lines out for the roll,
// sends them to an ESC/POS printer over a Line, no faster than the printer can take them,
// and says what the printer says of itself. What a slip says is for package receipt, and
// what to do with one that did not come out for the caller: Print tells whether anything
// may be on paper.
//
// Command names and bytes are those of the ESC/POS manuals. Many printers never
// answer a status request: unknown is a state, and printing goes on. One that has
// answered and falls silent is out of order.
package printer

import (
	"context"
	"errors"
	"fmt"
	"image"
	"time"

	"payterm"
)

// Line is a serial line. Each call waits no longer than d. Errors may have the
// methods Timeout() bool and Unplugged() bool.
type Line interface {
	Read(b []byte, d time.Duration) (int, error)
	Write(b []byte, d time.Duration) (int, error)
}

// ErrBrokeOff is in the error of a slip of which an unknown part is on paper.
var ErrBrokeOff = errors.New("broke off")

// Errors that a cashier can do something about.
var (
	ErrPaperOut  = errors.New("printer: no paper: put in a new roll")
	ErrCoverOpen = errors.New("printer: the cover is open: close it")
	ErrUnplugged = errors.New("printer: it does not print: check its cable, switch it off and on")
)

// Options describe a printer and its roll.
type Options struct {
	Columns  int            // of the normal font: 32 on a 58 mm roll, 42 or 48 on one of 80 mm
	CodePage string         // cp437, pc850, wpc1252 or pc858
	Pages    map[string]int // the printer's numbers of code pages (ESC t), where they are not as usual
	Chinese  Chinese        // how signs beyond the code page come on paper
	Columned bool           // pictures go by ESC *, which older printers have in place of GS v 0
	RasterQR bool           // QR codes are drawn, for printers that make none
	Barcode  Barcode        // how barcodes come on paper; Native when empty
	Logo     image.Image    // at the head of each slip; nil for none
	Cut      bool           // it has a cutter
	CutFull  bool           // which cuts through, and leaves no bridge
	CutFeed  int            // lines from the print head to the cutter; 4 when zero, none when negative
	CutDots  int            // in place of CutFeed: the same in dots
	Red      bool           // it has a second colour, for lines of alert
	Pin      int            // of the drawer at its socket, 2 or 5; 2 when zero
	Pulse    time.Duration  // that opens the drawer, in steps of 2 ms; 50 ms when zero
	Status   bool           // it answers DLE EOT
	Tells    bool           // it tells by itself what changes (GS a), and is not asked by DLE EOT
	Wait     time.Duration  // for each status byte; 300 ms when zero

	// A printer takes a finite number of bytes ahead of its mechanism, and on a
	// line without flow control it loses what comes on top. These tell how fast
	// bytes come and go; the printer is sent no more than half a buffer ahead.
	Baud   int                 // 9600 when zero
	Buffer int                 // bytes; 4096 when zero
	Speed  int                 // of the paper, mm/s, rather too low than too high; 50 when zero
	Sleep  func(time.Duration) // never shorter than asked for
}

// Chinese is how a printer gets signs that its code page lacks.
type Chinese string

// All of them can be drawn. Most printers made for China have the signs of GB18030
// in them: a line then takes fewer bytes and is sharper.
const (
	Drawn   Chinese = "raster"
	GB18030 Chinese = "gb18030"
)

// Barcode is how a barcode comes on paper.
type Barcode string

// A printer makes barcodes, or gets them as pictures; or their text stands alone.
const (
	BarcodeNative Barcode = "native"
	BarcodeDrawn  Barcode = "raster"
	BarcodeNone   Barcode = "none"
)

// Printer prints on one line. It is used by one goroutine.
type Printer struct {
	line Line
	o    Options
	pace *pacer
	asb  asb
	torn int  // a command that broke off may still take so many bytes
	left bool // a slip that broke off is on the strip that the next one would begin on
	full bool // it took no more bytes, and nothing since
	slip bool // one is being sent, or its end is awaited
	owes bool // a question was not answered yet: the answer is not one to the next

	answers [5]int // to DLE EOT n, and to GS a at 0: what has answered will again, if late
	muted   byte   // the question that got no answer last
	silent  int    // looks that brought no answer from one that had answered before

	marks   marks
	begun   bool // of the slip at least a byte was sent
	sending bool // bytes of a slip: a printer that takes questions in its turn is late
}

// maxLogo is the height of a logo in dot lines: 50 mm of paper.
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
	// Whoever printed here before may have died in the middle of a picture.
	return &Printer{line: line, o: o, pace: newPacer(o), torn: longest}, nil
}

// writeDeadline bounds the write of one chunk: a printer that takes nothing for
// so long has no paper, no power or no cable. At 1200 baud a chunk takes two
// seconds.
const (
	writeDeadline = 5 * time.Second
	chunk         = 256
)

// Print prints a receipt, and returns when the paper must have come out. Of a slip whose
// error is ErrBrokeOff an unknown part was printed: the next one comes behind a cut, or
// further up where there is no cutter. With any other error nothing of it is on paper.
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

// Left reports whether a slip that broke off is on the strip.
func (p *Printer) Left() bool { return p.left }

// End ends that strip: it is cut off, or fed to where it is torn off.
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

// whole says whether the line has lost nothing since the slip began. A cable that was
// pulled for a moment takes along what was on its way.
func (p *Printer) whole() error {
	if p.torn > 0 {
		return ErrUnplugged
	}
	return nil
}

// read and write note that the line was away: any command may have broken off.
func (p *Printer) read(b []byte, d time.Duration) (int, error) {
	n, err := p.line.Read(b, d)
	if unplugged(err) {
		p.torn = longest
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

// Kick opens the cash drawer that hangs on the printer: a pulse on its pin (ESC p), and
// half a second without one behind it.
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

// send sends bytes as soon as the printer has room for them. A printer that ran
// out of paper meanwhile is not filled up further.
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

// longest is the longest command, its header included: what a printer may still take
// for the rest of one that broke off.
const longest = 8 + bandBytes

// mend ends a command that broke off with its line: the printer still waits for
// the rest of it, and would take the next slip for that. Zeros are white in a picture,
// nothing elsewhere, and in a header they make the command no longer: a number that
// was not sent is 0, and a command with an argument that it does not take is passed
// over. ESC @ ends what they left: half a line, a setting. What was sent before is on
// paper first: a full buffer would lose the zeros.
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
	_, err := p.write(escInit, writeDeadline)
	p.pace.sent(len(escInit), 0)
	return err
}

// pause sleeps in pieces, so that a context that ends is noticed.
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

// unplugged reports whether a line says that there is no device.
func unplugged(err error) bool {
	var e interface{ Unplugged() bool }
	return errors.As(err, &e) && e.Unplugged()
}

// timedOut reports whether a line says that its time has gone.
func timedOut(err error) bool {
	var e interface{ Timeout() bool }
	return errors.As(err, &e) && e.Timeout()
}

// explain keeps what a line's error says of cable and time.
func explain(err error) error {
	if unplugged(err) || timedOut(err) {
		return fmt.Errorf("%w (%w)", ErrUnplugged, err)
	}
	return err
}

// Real-time status (DLE EOT n): the fixed bits of each answer are 0xx1xx10.
const (
	statusFixedMask = 0x93
	statusFixed     = 0x12
	offlineCover    = 0x04 // n=2: the cover is open
	offlinePaper    = 0x20 // n=2: the end of the paper stopped it
	offlineError    = 0x40 // n=2: a jam, a hot head, a broken part
	paperNearEnd    = 0x0c // n=4: both bits of the near-end sensor
	paperEnd        = 0x60 // n=4: both bits of the end sensor
)

// patience is how many times Options.Wait a printer gets that has answered before: one
// that cuts, or whose line is slow, is late, and its silence would pass for a printer
// that has no status.
const patience = 4

// known is how many answers it takes until silence is a fault. One may be noise.
const known = 2

// mustAnswer tells a question whose silence is a fault. Some printers answer one of them alone.
func (p *Printer) mustAnswer(question byte) bool { return p.answers[question] >= known }

// Condition asks the printer how it is. Each question waits for one byte no
// longer than Options.Wait, or four times that once the printer has answered; one
// that has never answered is PaperUnknown, unless it takes no bytes. One that answers no more, asked twice, is not
// to be had (PaperUnreachable); but in the middle of a slip, since some take questions in
// their turn. So is one that reports an error of its own, and one whose cable is pulled,
// which the line knows of a silent printer too.
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
	if p.silent > 0 && !p.slip && p.rare(p.silent) { // a command that broke off may take the questions
		if err := p.mend(ctx); errors.Is(explain(err), ErrUnplugged) {
			p.silent++
			return payterm.PaperUnreachable
		}
	}
	c := p.realTimeStatus()
	for n := p.chances(); n > 0 && c == payterm.PaperUnknown && p.mustAnswer(p.muted) && ctx.Err() == nil; {
		due := p.marks.due
		if c = p.realTimeStatus(); p.marks.due == due { // otherwise it is on its way through its buffer
			n--
		}
	}
	if c == payterm.PaperUnknown && p.mustAnswer(p.muted) && !p.sending && ctx.Err() == nil {
		return p.fellSilent()
	}
	return c
}

// chances are how often a printer is asked again that must answer and did not. In the middle of
// a slip it is not; at its end a printer that is slower than its profile has it may still print.
func (p *Printer) chances() int {
	switch {
	case p.sending:
		return 0
	case p.slip:
		return 5
	}
	return 1
}

// realTimeStatus asks the questions once.
func (p *Printer) realTimeStatus() payterm.PaperCondition {
	offline, c := p.ask(2)
	if c != "" {
		return c
	}
	switch {
	case offline&offlineCover != 0:
		return payterm.PaperCoverOpen
	case offline&offlinePaper != 0:
		return payterm.PaperOut
	case offline&offlineError != 0:
		return payterm.PaperUnreachable
	}
	paper, c := p.ask(4)
	switch {
	case c != "":
		return c
	case paper&paperEnd != 0:
		return payterm.PaperOut
	case paper&paperNearEnd != 0:
		return payterm.PaperNearEnd
	}
	return payterm.PaperOK
}

// fellSilent notes a printer that answers no more. It may have been switched off and on,
// in the middle of whatever it had; and a connection over the network may be half open,
// of which only a new one tells.
func (p *Printer) fellSilent() payterm.PaperCondition {
	p.silent++
	p.torn = longest
	if l, is := p.line.(interface{ Redial() }); is && p.rare(p.silent) {
		l.Redial()
	}
	return payterm.PaperUnreachable
}

// rare tells which tries cost the line something: ever fewer of them, and in the end one in
// 16 where an answer is to be expected.
func (p *Printer) rare(n int) bool {
	return n&(n-1) == 0 || (p.mustAnswer(0) || p.mustAnswer(2)) && n%16 == 0
}

// ask sends DLE EOT n and waits for its byte; a condition ends the questions.
func (p *Printer) ask(n byte) (byte, payterm.PaperCondition) {
	p.drain()
	p.owes, p.muted = true, n
	if _, err := p.write([]byte{0x10, 0x04, n}, time.Second); err != nil {
		if errors.Is(explain(err), ErrUnplugged) {
			return 0, payterm.PaperUnreachable
		}
		return 0, payterm.PaperUnknown
	}
	wait := p.o.Wait
	if p.answers != [len(p.answers)]int{} {
		wait *= patience
	}
	most := wait
	var b [1]byte
	others := 4 // bytes that are no status are passed over
	if !p.sending {
		others += p.marks.due // whose answers come first where all are taken in their turn
	}
	for wait > 0 && others > 0 {
		piece := min(wait, markEvery)
		got, err := p.read(b[:], piece)
		if wait -= piece; got == 1 {
			wait, others = most, others-1
		}
		switch {
		case got == 1 && b[0]&statusFixedMask == statusFixed:
			p.answers[n]++
			p.silent, p.owes = 0, false
			return b[0], ""
		case unplugged(err):
			return 0, payterm.PaperUnreachable
		case got == 1:
			p.answered(b[0])
		case err != nil && !timedOut(err):
			return 0, payterm.PaperUnknown
		case p.sending: // the slip has marks also while an answer is waited for
			p.pace.pass(piece)
			p.marked(false)
		}
	}
	return 0, payterm.PaperUnknown
}

// drain drops what came unasked before a question. An answer that is owed gets its
// time once more: nothing in it tells which question it answers, and a paper sensor's
// bits mean an open cover in the other.
func (p *Printer) drain() {
	wait := time.Millisecond
	if p.owes {
		p.owes, wait = false, p.o.Wait
	}
	var b [64]byte
	for range 4 {
		n, _ := p.read(b[:], wait)
		for _, c := range b[:n] {
			p.answered(c)
		}
		if n == 0 {
			return
		}
	}
}

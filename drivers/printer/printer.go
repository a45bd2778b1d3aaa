// Package printer puts a payterm.Receipt on paper: it lays the lines out for the
// roll (Encode), sends them to an ESC/POS printer over a serial line, and says
// what the printer says of itself.
//
// Command names and bytes are those of the ESC/POS manuals. Many printers never
// answer a status request: unknown is a state, and printing goes on.
package printer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"payterm"
)

// Line is a serial line. Each call waits no longer than d. Errors may have the
// methods Timeout() bool and Unplugged() bool.
type Line interface {
	Read(b []byte, d time.Duration) (int, error)
	Write(b []byte, d time.Duration) (int, error)
}

// Errors that a cashier can do something about.
var (
	ErrPaperOut    = errors.New("printer: no paper: put in a new roll")
	ErrCoverOpen   = errors.New("printer: the cover is open: close it")
	ErrUnplugged   = errors.New("printer: it does not answer: check its cable and power")
	ErrUnprintable = errors.New("printer: this printer has no sign for")
)

// Options describe a printer and its roll.
type Options struct {
	Columns  int           // of the normal font: 32 on a 58 mm roll
	CodePage string        // cp437, wpc1252 or pc858
	Cut      bool          // it has a cutter
	CutFeed  int           // lines from the print head to the cutter; 4 when zero
	Status   bool          // it answers DLE EOT
	Wait     time.Duration // for each status byte; 300 ms when zero

	// A printer takes a finite number of bytes ahead of its mechanism. Chunk
	// bytes are written at a time, each with a pause of Pace a byte, so that the
	// buffer does not overflow on a line without flow control. Zero: 256 bytes,
	// no pause.
	Chunk int
	Pace  time.Duration
	Sleep func(time.Duration)
}

// Printer prints on one line. It is used by one goroutine.
type Printer struct {
	line Line
	o    Options
}

// New makes a printer.
func New(line Line, o Options) (*Printer, error) {
	if _, err := codePageOf(o.CodePage); err != nil {
		return nil, err
	}
	if o.Columns < 16 || o.Columns > 64 {
		return nil, fmt.Errorf("printer: %d columns: 16 to 64", o.Columns)
	}
	if o.Wait <= 0 {
		o.Wait = 300 * time.Millisecond
	}
	if o.Chunk <= 0 {
		o.Chunk = 256
	}
	return &Printer{line, o}, nil
}

// writeDeadline bounds the write of one chunk: a printer that takes nothing for
// so long has no paper, no power or no cable.
const writeDeadline = 5 * time.Second

// Print prints a receipt. With ErrPaperOut or ErrCoverOpen before the first byte
// nothing is on paper; any later error leaves a slip of which an unknown part
// was printed.
func (p *Printer) Print(ctx context.Context, r payterm.Receipt) error {
	bytes, err := Encode(r, p.o)
	if err != nil {
		return err
	}
	if err := fault(p.Condition(ctx)); err != nil {
		return err
	}
	for len(bytes) > 0 {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("printer: print %s: %w", r.Name, err)
		}
		n := min(len(bytes), p.o.Chunk)
		if _, err := p.line.Write(bytes[:n], writeDeadline); err != nil {
			return fmt.Errorf("printer: print %s: %w", r.Name, explain(err))
		}
		bytes = bytes[n:]
		if p.o.Pace > 0 {
			p.o.Sleep(time.Duration(n) * p.o.Pace)
		}
	}
	return fault(p.Condition(ctx))
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

// explain keeps what a line's error says of cable and time.
func explain(err error) error {
	var timeout interface{ Timeout() bool }
	var unplugged interface{ Unplugged() bool }
	if errors.As(err, &unplugged) && unplugged.Unplugged() || errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Errorf("%w (%w)", ErrUnplugged, err)
	}
	return err
}

// Real-time status (DLE EOT n): the fixed bits of each answer are 0xx1xx10.
const (
	statusFixedMask = 0x93
	statusFixed     = 0x12
	offlineCover    = 0x04 // n=2: the cover is open
	paperNearEnd    = 0x0c // n=4: both bits of the near-end sensor
	paperEnd        = 0x60 // n=4: both bits of the end sensor
)

// Condition asks the printer how it is. Each question waits for one byte no
// longer than Options.Wait; a printer that does not answer is PaperUnknown.
func (p *Printer) Condition(ctx context.Context) payterm.PaperCondition {
	if !p.o.Status || ctx.Err() != nil {
		return payterm.PaperUnknown
	}
	offline, c := p.ask(2)
	if c != "" {
		return c
	}
	if offline&offlineCover != 0 {
		return payterm.PaperCoverOpen
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

// ask sends DLE EOT n and waits for its byte; a condition ends the questions.
func (p *Printer) ask(n byte) (byte, payterm.PaperCondition) {
	p.drain()
	if _, err := p.line.Write([]byte{0x10, 0x04, n}, time.Second); err != nil {
		if errors.Is(explain(err), ErrUnplugged) {
			return 0, payterm.PaperUnreachable
		}
		return 0, payterm.PaperUnknown
	}
	var b [1]byte
	for range 4 { // bytes that are no status are passed over
		got, err := p.line.Read(b[:], p.o.Wait)
		var unplugged interface{ Unplugged() bool }
		switch {
		case got == 1 && b[0]&statusFixedMask == statusFixed:
			return b[0], ""
		case errors.As(err, &unplugged) && unplugged.Unplugged():
			return 0, payterm.PaperUnreachable
		case got == 0:
			return 0, payterm.PaperUnknown
		}
	}
	return 0, payterm.PaperUnknown
}

// drain drops what came unasked before a question.
func (p *Printer) drain() {
	var b [64]byte
	for range 4 {
		if n, _ := p.line.Read(b[:], time.Millisecond); n == 0 {
			return
		}
	}
}

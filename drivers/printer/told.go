package printer

import (
	"context"
	"errors"
	"time"

	"payterm"
)

// Automatic status back (GS a n): the printer sends four bytes when it is switched
// on with n, and whenever something changes. The fixed bits of the first are
// 0xx1xx00, of the others 0xx0xxxx.
const (
	tellAll       = 0x0e // offline, errors, paper
	toldFirstMask = 0x93
	toldFirst     = 0x10
	toldRestMask  = 0x90
	toldCover     = 0x20 // first: the cover is open
	toldError     = 0x6c // second: a jam, a hot head, the cutter, a broken part
	toldNearEnd   = 0x03 // third
	toldEnd       = 0x0c // third
)

// told is what a printer told of itself.
type told struct {
	report [4]byte
	n      int // bytes of a report that has begun
	last   payterm.PaperCondition
	silent int // Conditions since the last report
}

// forgotten is how many Conditions a report of a well printer counts for.
const forgotten = 4

// hears asks a printer to tell and takes what it tells. The question goes the way
// of all bytes: a printer without paper lets it lie, so it is asked ever more
// rarely and what it told last counts meanwhile. A fault counts until it tells
// otherwise.
func (p *Printer) hears(ctx context.Context) payterm.PaperCondition {
	if !p.listen(time.Millisecond) || p.slip && p.torn > 0 { // which mending would hide
		return payterm.PaperUnreachable
	}
	if silent := p.told.silent; silent&(silent-1) == 0 {
		err := p.mend(ctx)
		if err == nil {
			_, err = p.write([]byte{0x1d, 'a', tellAll}, time.Second)
		}
		if errors.Is(explain(err), ErrUnplugged) {
			p.told = told{}
			return payterm.PaperUnreachable
		}
		p.told.silent++
		if !p.listen(p.o.Wait) {
			return payterm.PaperUnreachable
		}
	} else {
		p.told.silent++
	}
	switch t := p.told; {
	case t.last == "", t.silent > forgotten && fault(t.last) == nil:
		return payterm.PaperUnknown
	default:
		return t.last
	}
}

// listen takes what comes until a report is whole, or nothing has come for d. It
// is false when there is no printer.
func (p *Printer) listen(d time.Duration) bool {
	var b [64]byte
	for range 16 { // of a printer that babbles
		n, err := p.read(b[:], d)
		if n == 0 && unplugged(err) {
			p.told = told{}
			return false
		}
		whole := false
		for _, c := range b[:n] {
			whole = p.told.take(c) || whole
		}
		if n == 0 || whole {
			return true
		}
	}
	return true
}

// take puts a byte to the report, and reports whether that made it whole. What
// does not belong to one is passed over.
func (t *told) take(c byte) bool {
	switch {
	case c&toldFirstMask == toldFirst:
		t.n = 0
	case t.n == 0 || c&toldRestMask != 0:
		t.n = 0
		return false
	}
	t.report[t.n] = c
	if t.n++; t.n < len(t.report) {
		return false
	}
	t.n, t.silent = 0, 0
	switch first, second, third := t.report[0], t.report[1], t.report[2]; {
	case first&toldCover != 0:
		t.last = payterm.PaperCoverOpen
	case third&toldEnd != 0:
		t.last = payterm.PaperOut
	case second&toldError != 0:
		t.last = payterm.PaperUnreachable
	case third&toldNearEnd != 0:
		t.last = payterm.PaperNearEnd
	default:
		t.last = payterm.PaperOK
	}
	return true
}

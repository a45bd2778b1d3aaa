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
	asbAll       = 0x0e // offline, errors, paper
	asbFirstMask = 0x93
	asbFirst     = 0x10
	asbRestMask  = 0x90
	asbCover     = 0x20 // first: the cover is open
	asbError     = 0x6c // second: a jam, a hot head, the cutter, a broken part
	asbNearEnd   = 0x03 // third
	asbEnd       = 0x0c // third
)

// asb is what a printer has reported without being asked.
type asb struct {
	report [4]byte
	n      int // bytes of a report that has begun
	last   payterm.PaperCondition
	silent int // Conditions since the last report
}

// gsTell switches the reports on, and brings one.
var gsTell = []byte{0x1d, 'a', asbAll}

// stale is for how many Conditions a report without a fault counts.
const stale = 4

// automaticStatus switches the reports on, and gives the condition by the last one. GS a
// waits in the printer's buffer like all bytes, and without paper it is not read: it is
// sent more and more rarely, and the last report counts meanwhile. A report of a fault
// counts until there is another. Each GS a brings a report: a printer that has sent
// some so and then sends none, with nothing left to print, has fallen silent.
func (p *Printer) automaticStatus(ctx context.Context) payterm.PaperCondition {
	if !p.listen(time.Millisecond) || p.slip && p.torn > 0 { // a slip was cut off: mend would hide it
		return payterm.PaperUnreachable
	}
	turn := p.rare(p.asb.silent)
	if p.slip && !p.sending { // at its end in any case, unless its marks still bring reports
		turn = p.marks.due < lostAnswers
	}
	p.asb.silent++
	if turn && !p.demand(ctx) {
		return payterm.PaperUnreachable
	}
	switch s := p.asb; {
	case s.last != "" && fault(s.last) != nil:
		return s.last
	case p.silent > 0:
		return payterm.PaperUnreachable
	case s.last == "", s.silent > stale:
		return payterm.PaperUnknown
	default:
		return s.last
	}
}

// demand has a report sent, and notes what becomes of that. It is false when there is no
// printer.
func (p *Printer) demand(ctx context.Context) bool {
	err := p.mend(ctx)
	if err == nil {
		_, err = p.write(gsTell, time.Second)
	}
	if errors.Is(explain(err), ErrUnplugged) {
		p.asb = asb{}
		return false
	}
	p.marks.due++
	if !p.listen(p.o.Wait) {
		return false
	}
	must := p.mustAnswer(0) && !p.sending && fault(p.asb.last) == nil
	late := func() bool { return fault(p.asb.last) == nil && p.asb.silent > 0 }
	for n := p.chances(); n > 0 && must && late() && ctx.Err() == nil; n-- {
		if !p.listen(patience * p.o.Wait) {
			return false
		}
	}
	switch {
	case p.asb.silent == 0:
		p.answers[0]++
	case must && ctx.Err() == nil:
		p.fellSilent()
	}
	return true
}

// listen takes what comes until a report is whole, or nothing has come for d. It
// is false when there is no printer.
func (p *Printer) listen(d time.Duration) bool {
	var b [64]byte
	for range 16 { // should bytes never end
		n, err := p.read(b[:], d)
		if n == 0 && unplugged(err) {
			p.asb = asb{}
			return false
		}
		whole := false
		for _, c := range b[:n] {
			if p.asb.take(c) {
				whole = true
				p.marks.due = max(0, p.marks.due-1)
			}
		}
		if whole {
			p.silent = 0
		}
		if n == 0 || whole {
			return true
		}
	}
	return true
}

// take puts a byte to the report, and reports whether that made it whole. What
// does not belong to one is passed over.
func (t *asb) take(c byte) bool {
	switch {
	case c&asbFirstMask == asbFirst:
		t.n = 0
	case t.n == 0 || c&asbRestMask != 0:
		t.n = 0
		return false
	}
	t.report[t.n] = c
	if t.n++; t.n < len(t.report) {
		return false
	}
	t.n, t.silent = 0, 0
	switch first, second, third := t.report[0], t.report[1], t.report[2]; {
	case first&asbCover != 0:
		t.last = payterm.PaperCoverOpen
	case third&asbEnd != 0:
		t.last = payterm.PaperOut
	case second&asbError != 0:
		t.last = payterm.PaperUnreachable
	case third&asbNearEnd != 0:
		t.last = payterm.PaperNearEnd
	default:
		t.last = payterm.PaperOK
	}
	return true
}

package printer

import (
	"context"
	"errors"
	"time"

	"payterm"
)

// Automatic status back (GS a n): the printer sends four bytes when it is switched on with n, and whenever its
// state changes. The fixed bits of the first byte are 0xx1xx00, those of the others 0xx0xxxx.
const (
	asbAll       = 0x0e // offline, errors, paper
	asbFirstMask = 0x93
	asbFirst     = 0x10
	asbRestMask  = 0x90
	asbCover     = 0x20 // first byte: the cover is open
	asbError     = 0x6c // second byte: a jam, a hot head, the cutter, or a broken part
	asbNearEnd   = 0x03 // third byte
	asbEnd       = 0x0c // third byte
)

// asb is the state of automatic status back.
type asb struct {
	report [4]byte
	n      int // bytes of the current report so far
	whole  int // reports that have come
	last   payterm.PaperCondition
	silent int // Conditions since the last report
}

// gsTell switches the reports on, and causes one.
var gsTell = []byte{0x1d, 'a', asbAll}

// stale is the number of calls of Condition for which a report without a fault counts.
const stale = 4

// automaticStatus switches the reports on, and returns the condition of the last one. GS a waits in the
// printer's buffer like all bytes, and without paper the printer does not read it. So it is sent more and more
// rarely, and the last report counts meanwhile. A report of a fault counts until the next report. Each GS a
// should bring a report: if a printer has sent some and sends no more, with nothing left to print, it no longer
// answers.
func (p *Printer) automaticStatus(ctx context.Context) payterm.PaperCondition {
	due, whole := p.marks.due, p.asb.whole
	if !p.listen(time.Millisecond) || p.slip && p.torn > 0 { // a slip broke off: mend would hide that
		return payterm.PaperUnreachable
	}
	if due > 0 && p.asb.whole > whole {
		p.patient(true)
	}
	turn := p.rare(p.asb.silent)
	if p.slip && !p.sending { // always at its end, unless its marks still bring reports
		turn = !p.marks.lost()
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

// demand sends GS a and waits for its report. It returns false if there is no printer.
func (p *Printer) demand(ctx context.Context) bool {
	err := p.mend(ctx)
	if err == nil {
		_, err = p.write(gsTell, time.Second)
	}
	if errors.Is(explain(err), ErrUnplugged) {
		p.asb = asb{}
		return false
	}
	if !p.slip {
		p.marks.due = 0 // what did not come is lost
	}
	p.marks.due += p.marks.each
	whole, wait := p.asb.whole, p.wait
	if p.sending { // the slip gets no marks meanwhile
		wait = p.o.Wait
	}
	if !p.listen(wait) {
		return false
	}
	must := p.mustAnswer(0) && !p.sending && fault(p.asb.last) == nil
	late := func() bool { return fault(p.asb.last) == nil && p.asb.silent > 0 }
	for n := p.chances(); n > 0 && must && late() && ctx.Err() == nil; n-- {
		if !p.listen(p.wait) {
			return false
		}
	}
	switch {
	case p.asb.silent == 0:
		p.patient(false)
		p.answers[0]++
		p.repeats(whole)
	case must && ctx.Err() == nil:
		p.fellSilent()
	}
	return true
}

// repeats finds out how many reports a GS a brings; before it there were so many.
func (p *Printer) repeats(before int) {
	if p.slip || p.marks.answers >= known {
		return
	}
	for i := before + 1; i < before+mostRepeats && p.asb.whole >= i; i++ {
		p.listen(secondAnswer)
	}
	p.marks.learned(p.asb.whole - before)
}

// listen reads until a report is complete, or nothing has come for d. It returns false if there is no printer.
func (p *Printer) listen(d time.Duration) bool {
	var b [64]byte
	for range 16 { // the printer may send without end
		n, err := p.read(b[:], d)
		if n == 0 && unplugged(err) {
			p.asb = asb{}
			return false
		}
		whole := false
		for _, c := range b[:n] {
			if p.asb.take(c) {
				whole = true
				p.asb.whole++
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

// take adds a byte to the report, and returns true if that completes it. Bytes that do not belong to a report
// are ignored.
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

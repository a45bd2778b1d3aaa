package printer

import (
	"context"
	"fmt"
	"time"

	"payterm"
)

// A printer that loses its power for some seconds in the middle of a slip loses what is in its buffer and what
// is sent meanwhile, and then answers as before. So a slip contains marks: requests that the printer takes out
// of its buffer in turn and answers then. A mark that was in the buffer, or arrived while the printer was off,
// is never answered; a slow printer answers late.
//
// The mark of a printer that reports by itself is GS a. That of a printer that is asked is GS r 1, which
// transmits the status of the paper sensor. Not all printers have GS r, so it is used only after it was
// answered.
const (
	markEvery   = 200 * time.Millisecond // much less than the time for which a printer is off when it restarts
	lostAnswers = 3                      // fewer may be noise; a second without power loses four or more
	quietRounds = 3                      // rounds without an answer at a slip's end until missing ones are lost
	learnTries  = 4                      // attempts until a printer is taken to have no GS r
)

// errRestarted means that a printer lost its power for a moment.
var errRestarted = fmt.Errorf("%w (it was off for a moment in the middle of a slip)", ErrUnplugged)

// marks keeps track of a slip's marks.
type marks struct {
	each    int           // answers to a mark: 1, or more if the printer repeats itself
	due     int           // answers to this slip's marks that did not come yet
	arrives time.Duration // when the last one arrives, by the pacer's clock
	printed time.Duration // when everything before it is on paper, by the same clock
	tries   int           // uses of GS r to find out whether the printer has it
	answers int           // requests that were answered since the line was mended
}

var gsTransmit = []byte{0x1d, 'r', 1}

// mark returns a request that the printer answers in buffer order, or nil if none is known.
func (p *Printer) mark() []byte {
	switch {
	case p.o.Tells && p.mustAnswer(0) && p.marks.answers >= known:
		return gsTell
	case p.o.Status && p.marks.answers >= known:
		return gsTransmit
	}
	return nil
}

// learn finds out whether a printer that answers DLE EOT also answers GS r. A printer without GS r may take the
// letter for text; ESC @ discards that.
func (p *Printer) learn(ctx context.Context) {
	m := &p.marks
	for p.o.Status && (p.mustAnswer(2) || p.mustAnswer(4)) && m.answers < known && m.tries < learnTries &&
		ctx.Err() == nil {
		m.tries++
		request := append(append([]byte{}, gsTransmit...), escInit...)
		if _, err := p.write(request, time.Second); err != nil {
			return
		}
		p.pace.sent(len(request), 0)
		m.due = mostRepeats
		for wait, due := p.wait, 0; m.due != due; wait = secondAnswer {
			due = m.due
			p.hear(wait)
		}
		m.learned(mostRepeats - m.due)
	}
	m.due = 0
}

// mostRepeats is the largest number of answers to a mark that are told apart.
const mostRepeats = 4

// learned records how many answers a request got. Some printers repeat each answer: if the repetition were
// taken for the answer to the next mark, it would hide that the printer lost one. The fewest count, since
// others may be noise.
func (m *marks) learned(n int) {
	if n <= 0 {
		return
	}
	if m.answers++; m.answers == 1 || n < m.each {
		m.each = n
	}
}

// lost reports whether so many answers are missing that the printer must have lost marks.
func (m *marks) lost() bool { return m.due >= lostAnswers*m.each }

// marked sends a mark between two commands if enough time has passed on the wire or on paper, or if now is
// true.
func (p *Printer) marked(now bool) {
	m, request := &p.marks, p.mark()
	arrives, printed := max(p.pace.wire, p.pace.now), max(p.pace.free, p.pace.now)
	now = now || arrives-m.arrives >= markEvery || printed-m.printed >= markEvery
	if request == nil || p.torn > 0 || !now {
		return
	}
	if _, err := p.write(request, time.Second); err == nil {
		p.pace.sent(len(request), 0)
		m.due += m.each
		m.arrives, m.printed = arrives, printed
	}
}

// watch pauses in the middle of a slip, and sends marks meanwhile.
func (p *Printer) watch(ctx context.Context, d time.Duration) {
	for d > 0 && ctx.Err() == nil {
		piece := min(d, markEvery)
		p.pause(ctx, piece)
		d -= piece
		p.marked(false)
		p.hear(time.Millisecond)
	}
}

// hear reads answers to marks until one has come, or nothing has come for d.
func (p *Printer) hear(d time.Duration) {
	if p.o.Tells {
		p.listen(d)
		return
	}
	var b [64]byte
	for due := p.marks.due; due > 0 && p.marks.due == due; {
		n, _ := p.read(b[:], d)
		for _, c := range b[:n] {
			p.answered(c)
		}
		if n == 0 {
			return
		}
	}
}

// answered reports whether a byte answers a mark: 0xx0xxxx, as for GS r.
func (p *Printer) answered(c byte) bool {
	if c&0x90 != 0 || p.marks.due == 0 {
		return false
	}
	p.marks.due--
	return true
}

// came waits until a sent slip must be on paper, and returns how it ended.
func (p *Printer) came(ctx context.Context) error {
	for quiet := 0; ; {
		before := p.marks.due
		for due := -1; p.marks.due > 0 && p.marks.due != due && ctx.Err() == nil; {
			due = p.marks.due
			p.hear(p.wait)
		}
		c := p.Condition(ctx)
		if err := fault(c); err != nil {
			return err
		}
		if err := p.whole(); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil && c == payterm.PaperUnknown { // the wait for the paper was interrupted
			return err
		}
		if !p.marks.lost() {
			return nil
		}
		if quiet++; p.marks.due < before {
			quiet = 0 // the printer is slow, but works
		}
		if quiet == quietRounds {
			p.fellSilent() // it may still be off
			p.asb.silent = 0
			return errRestarted
		}
	}
}

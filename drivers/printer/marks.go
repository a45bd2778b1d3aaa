package printer

import (
	"context"
	"fmt"
	"time"

	"payterm"
)

// A printer that loses its power for some seconds in the middle of a slip loses what is in its
// buffer and what comes meanwhile, and answers like any other afterwards. So a slip has marks in
// it: requests that the printer takes out of its buffer in their turn, and answers then. One
// that was in the buffer, or came while it was off, is never answered; a printer that is slow
// answers late.
//
// The mark of a printer that tells by itself is GS a; of one that is asked it is GS r 1, by which
// it transmits its paper sensor's status. Not all have GS r: it is used once it was answered.
const (
	markEvery   = 200 * time.Millisecond // much less than a printer needs to be off and on
	lostAnswers = 3                      // so many may be noise; a second without power takes four or more
	quietRounds = 3                      // at a slip's end, until what is due is lost
	learnTries  = 4                      // until a printer is taken to have no GS r
)

// errRestarted is of a printer that lost its power for a moment.
var errRestarted = fmt.Errorf("%w (it was off for a moment in the middle of a slip)", ErrUnplugged)

// marks is the account of a slip's marks.
type marks struct {
	due     int           // marks of this slip that were not answered yet
	arrives time.Duration // when the last one does, by the pacer's clock
	printed time.Duration // when what is before it is on paper, likewise
	tries   int           // of GS r, to find out whether the printer has it
	answers int           // to these
}

var gsTransmit = []byte{0x1d, 'r', 1}

// mark is the request that the printer answers in its turn; nil where none is known.
func (p *Printer) mark() []byte {
	switch {
	case p.o.Tells && p.mustAnswer(0):
		return gsTell
	case p.o.Status && p.marks.answers >= known:
		return gsTransmit
	}
	return nil
}

// learn finds out whether a printer that answers DLE EOT answers GS r. One that does not may take
// its letter for text, which ESC @ throws away.
func (p *Printer) learn(ctx context.Context) {
	m := &p.marks
	for p.o.Status && (p.mustAnswer(2) || p.mustAnswer(4)) && m.answers < known && m.tries < learnTries &&
		ctx.Err() == nil {
		m.tries++
		m.due = 1
		request := append(append([]byte{}, gsTransmit...), escInit...)
		if _, err := p.write(request, time.Second); err != nil {
			return
		}
		p.pace.sent(len(request), 0)
		if p.hear(patience * p.o.Wait); m.due == 0 {
			m.answers++
		}
	}
	m.due = 0
}

// marked sends a mark between two commands, when it is time for one: on the wire, or on paper.
func (p *Printer) marked(now bool) {
	m, request := &p.marks, p.mark()
	arrives, printed := max(p.pace.wire, p.pace.now), max(p.pace.free, p.pace.now)
	now = now || arrives-m.arrives >= markEvery || printed-m.printed >= markEvery
	if request == nil || p.torn > 0 || !now {
		return
	}
	if _, err := p.write(request, time.Second); err == nil {
		p.pace.sent(len(request), 0)
		m.due++
		m.arrives, m.printed = arrives, printed
	}
}

// watch pauses in the middle of a slip, and marks it meanwhile.
func (p *Printer) watch(ctx context.Context, d time.Duration) {
	for d > 0 && ctx.Err() == nil {
		piece := min(d, markEvery)
		p.pause(ctx, piece)
		d -= piece
		p.marked(false)
		p.hear(time.Millisecond)
	}
}

// hear takes answers to marks until one has come, or nothing for d.
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

// answered takes a byte that may answer a mark: 0xx0xxxx, as GS r has it.
func (p *Printer) answered(c byte) bool {
	if c&0x90 != 0 || p.marks.due == 0 {
		return false
	}
	p.marks.due--
	return true
}

// came waits until a slip that was sent must be on paper, and says how it ended.
func (p *Printer) came(ctx context.Context) error {
	for quiet := 0; ; {
		before := p.marks.due
		for due := -1; p.marks.due > 0 && p.marks.due != due && ctx.Err() == nil; {
			due = p.marks.due
			p.hear(patience * p.o.Wait)
		}
		c := p.Condition(ctx)
		if err := fault(c); err != nil {
			return err
		}
		if err := p.whole(); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil && c == payterm.PaperUnknown { // nobody waited for the paper
			return err
		}
		if p.marks.due < lostAnswers {
			p.owes = p.owes || p.marks.due > 0
			return nil
		}
		if quiet++; p.marks.due < before {
			quiet = 0 // it is slow
		}
		if quiet == quietRounds {
			p.fellSilent() // and may be off still
			p.asb.silent = 0
			return errRestarted
		}
	}
}

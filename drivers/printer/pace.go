package printer

import "time"

// dotsPerMM is the pitch of the thermal heads in use: 203 dots an inch.
const dotsPerMM = 8

// lineDots is what a line feed moves the paper, rather too much than too little:
// the largest default in use is a sixth of an inch.
const lineDots = 34

// cutDots is what the paper could move while it is cut: a third of a second at
// 50 mm/s.
const cutDots = 4 * lineDots

// pacer keeps account of what is on its way to the printer and in its buffer. Its
// clock is the sum of its owner's pauses: never ahead of the real one, so that the
// printer is never behind the account.
type pacer struct {
	perByte, perDot time.Duration
	room            int // bytes that may be ahead of the mechanism

	now  time.Duration
	wire time.Duration // when the last byte arrives
	free time.Duration // when the mechanism has done what was sent
	jobs []job         // sent and not yet done
	held int           // their bytes
}

type job struct {
	bytes int
	done  time.Duration
}

// newPacer leaves half of the buffer to what the profile does not know of its
// printer.
func newPacer(o Options) *pacer {
	return &pacer{
		perByte: 10 * time.Second / time.Duration(o.Baud), // eight bits, start and stop
		perDot:  time.Second / time.Duration(o.Speed*dotsPerMM),
		room:    o.Buffer / 2,
	}
}

// pass lets time go by.
func (p *pacer) pass(d time.Duration) {
	p.now += d
	for len(p.jobs) > 0 && p.jobs[0].done <= p.now {
		p.held -= p.jobs[0].bytes
		p.jobs = p.jobs[1:]
	}
}

// sent takes bytes into account that move the paper by so many dot lines.
func (p *pacer) sent(bytes, dots int) {
	p.wire = max(p.wire, p.now) + time.Duration(bytes)*p.perByte
	p.free = max(p.wire, p.free) + time.Duration(dots)*p.perDot
	p.jobs = append(p.jobs, job{bytes, p.free})
	p.held += bytes
}

// until is how long it takes until n bytes more have room. It is nothing while
// they have, and otherwise until half of the room is free, so that pauses are few;
// what is larger than the room waits for an idle printer.
func (p *pacer) until(n int) time.Duration {
	if p.held+n <= p.room || p.held == 0 {
		return 0
	}
	limit := max(0, min(p.room/2, p.room-n))
	held, i := p.held, 0
	for ; held > limit; i++ {
		held -= p.jobs[i].bytes
	}
	return p.jobs[i-1].done - p.now
}

// rest is how long it takes until everything is on paper.
func (p *pacer) rest() time.Duration { return max(0, p.free-p.now) }

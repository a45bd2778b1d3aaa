package printer

import "time"

// dotsPerMM is the resolution of common thermal heads: 203 dpi.
const dotsPerMM = 8

// lineDots is an upper bound of a line feed in dot lines: the largest default in use is a sixth of an inch.
const lineDots = 34

// cutDots is the time of a cut, given as paper movement: a third of a second at 50 mm/s.
const cutDots = 4 * lineDots

// pacer estimates how many bytes are on the way to the printer and in its buffer. Its clock is the sum of its
// owner's pauses. It is never ahead of real time, so the printer has always done at least as much as estimated.
type pacer struct {
	perByte, perDot time.Duration
	room            int // bytes that may be sent ahead of the mechanism

	now  time.Duration
	wire time.Duration // when the last byte arrives
	free time.Duration // when the mechanism has printed what was sent
	jobs []job         // sent and not yet printed
	held int           // bytes of jobs
}

type job struct {
	bytes int
	done  time.Duration
}

// newPacer uses half of the buffer. The other half is a reserve, since the profile may be inaccurate.
func newPacer(o Options) *pacer {
	return &pacer{
		perByte: 10 * time.Second / time.Duration(o.Baud), // eight bits, start and stop
		perDot:  time.Second / time.Duration(o.Speed*dotsPerMM),
		room:    o.Buffer / 2,
	}
}

// pass advances the clock.
func (p *pacer) pass(d time.Duration) {
	p.now += d
	for len(p.jobs) > 0 && p.jobs[0].done <= p.now {
		p.held -= p.jobs[0].bytes
		p.jobs = p.jobs[1:]
	}
}

// sent adds bytes that move the paper by so many dot lines.
func (p *pacer) sent(bytes, dots int) {
	p.wire = max(p.wire, p.now) + time.Duration(bytes)*p.perByte
	p.free = max(p.wire, p.free) + time.Duration(dots)*p.perDot
	p.jobs = append(p.jobs, job{bytes, p.free})
	p.held += bytes
}

// until returns how long to wait before n more bytes may be sent: zero if they fit, otherwise the time until
// half of the room is free, so that pauses are few. More bytes than the room wait for an idle printer.
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

// rest returns the time until everything is printed.
func (p *pacer) rest() time.Duration { return max(0, p.free-p.now) }

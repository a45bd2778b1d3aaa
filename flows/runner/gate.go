package runner

import (
	"errors"
	"slices"
	"time"

	"payterm"
)

// Limits of inquiries.
const (
	inquiryFloor = 3 * time.Second        // between two about one order, whoever asks
	inquiryPause = 200 * time.Millisecond // between the starts of two that nobody at the counter waits for
	maxInFlight  = 4                      // of those at once, beside the ones of a start
	maxWishes    = 256                    // of people, tills and reconciliations that wait
	maxWatchers  = 64                     // of those about one order
)

// ErrCrowded says that too many ask about orders already.
var ErrCrowded = errors.New("too many ask about orders already: try again in some seconds")

// line is where an order waits for its inquiry. Of two reasons to ask about an order
// the greater one counts.
type line uint8

const (
	inNoLine line = iota
	dueLine       // its own schedule
	wishLine      // a person, a till or a reconciliation wants to know
	bootLine      // it is young, and was open at the start
	counterLine
)

// question is an inquiry that somebody wants. What several want to know about one order
// is one inquiry, and its answer is everybody's.
type question struct {
	payterm.Inquiry
	by    payterm.OrderID // the open order that asks: a refund asks about its sale; empty for a caller
	line  line
	limit time.Duration // of the request
	// joins takes the answer of an inquiry that is under way: it was asked before the
	// question, which must not matter.
	joins bool
	still func() bool          // whether it is wanted, when its turn has come
	told  func(payterm.Answer) // on the loop, once; nil where it is not wanted any more
}

// subject is an order at the gateway that somebody wants to know about, or that was
// asked about a moment ago.
type subject struct {
	id       payterm.OrderID
	waiting  []question // for the next inquiry
	hearing  []question // for the answer to the one that is under way
	inFlight bool
	slot     bool            // it is one of maxInFlight
	asking   payterm.Inquiry // what is under way
	at       time.Duration   // when it was last asked about
	recent   bool            // that is less than the floor ago
	line     line            // in which it stands
}

// gate is what every inquiry passes: the counter's, the background's, a start's, and
// those of whoever wants to know. It keeps the floor and has one inquiry about an order
// under way. Orders at the counter are asked about as soon as the floor allows. The
// others take turns, due ones and wishes alternately, a few at a time and a few a
// second, so that a long queue neither starves nor floods; those of a start come first
// and do not wait for the answers of others.
type gate struct {
	floor    time.Duration
	subjects map[payterm.OrderID]*subject
	lines    [counterLine + 1][]*subject
	asked    []*subject // those of the last floor, the oldest first
	inFlight int
	wishes   int
	nextAt   time.Duration // when the next one may start that is not the counter's
	wished   bool          // the last turn was a wish's
}

// newGate makes one. Who wants the counter to ask more often than usual has a lower
// floor.
func newGate(interval time.Duration) gate {
	return gate{floor: min(inquiryFloor, interval), subjects: map[payterm.OrderID]*subject{}}
}

// add takes a question, or says why not.
func (g *gate) add(q question, now time.Duration) error {
	g.release(now)
	s := g.subjects[q.OrderID]
	if q.by == "" && (g.wishes >= maxWishes || s != nil && len(s.waiting)+len(s.hearing) >= maxWatchers) {
		return ErrCrowded
	}
	if s == nil {
		s = &subject{id: q.OrderID}
		g.subjects[q.OrderID] = s
	}
	if s.inFlight && q.joins && s.asking == q.Inquiry {
		s.hearing = append(s.hearing, q)
		return nil
	}
	s.waiting = append(s.waiting, q)
	if q.by == "" {
		g.wishes++
	}
	if !s.inFlight && !s.recent {
		g.lineUp(s)
	}
	return nil
}

// hasten has somebody wait for the next inquiry about an order that waits for its turn.
// It goes to the end of the wishes, and no farther.
func (g *gate) hasten(id payterm.OrderID) {
	s := g.subjects[id]
	if s == nil {
		return
	}
	for i, q := range s.waiting {
		s.waiting[i].line = max(q.line, wishLine)
	}
	if s.line != inNoLine {
		g.lineUp(s)
	}
}

// lineUp puts an order to the end of the line in which it belongs, unless it stands
// there or in a better one.
func (g *gate) lineUp(s *subject) {
	best := inNoLine
	for _, q := range s.waiting {
		best = max(best, q.line)
	}
	if best <= s.line {
		return
	}
	g.stepOut(s)
	g.lines[best], s.line = append(g.lines[best], s), best
}

func (g *gate) stepOut(s *subject) {
	if s.line == inNoLine {
		return
	}
	at := slices.Index(g.lines[s.line], s)
	g.lines[s.line] = slices.Delete(g.lines[s.line], at, at+1)
	s.line = inNoLine
}

// release lines up those whose floor is over, and forgets those that nobody wants to
// know about.
func (g *gate) release(now time.Duration) {
	for len(g.asked) > 0 && now >= g.asked[0].at+g.floor {
		s := g.asked[0]
		g.asked, s.recent = g.asked[1:], false
		g.settle(s)
	}
}

// settle decides where an order goes, once nothing of it is under way and its floor is
// over.
func (g *gate) settle(s *subject) {
	switch {
	case s.inFlight || s.recent:
	case len(s.waiting) > 0:
		g.lineUp(s)
	default:
		delete(g.subjects, s.id)
	}
}

// next gives the order that is to be asked about now, with what is to be asked in
// asking, and the longest that it may take.
func (g *gate) next(now time.Duration) (s *subject, limit time.Duration) {
	g.release(now)
	for {
		from := g.turn(now)
		if from == inNoLine {
			return nil, 0
		}
		s = g.lines[from][0]
		g.stepOut(s)
		if limit = g.take(s); limit == 0 { // nobody wants to know any more
			g.settle(s)
			continue
		}
		s.inFlight, s.slot = true, from == dueLine || from == wishLine
		s.at, s.recent = now, true
		g.asked = append(g.asked, s)
		if s.slot {
			g.inFlight++
			g.wished = from == wishLine
		}
		if from != counterLine {
			g.nextAt = now + inquiryPause
		}
		return s, limit
	}
}

// turn is the line whose first may be asked about now.
func (g *gate) turn(now time.Duration) line {
	if len(g.lines[counterLine]) > 0 {
		return counterLine
	}
	if now < g.nextAt {
		return inNoLine
	}
	if len(g.lines[bootLine]) > 0 {
		return bootLine
	}
	if g.inFlight >= maxInFlight {
		return inNoLine
	}
	first, second := wishLine, dueLine
	if g.wished {
		first, second = dueLine, wishLine
	}
	switch {
	case len(g.lines[first]) > 0:
		return first
	case len(g.lines[second]) > 0:
		return second
	}
	return inNoLine
}

// take makes one inquiry of what is still wanted: those who want to know the same hear
// its answer. The others wait for the next one. 0 is for no inquiry.
func (g *gate) take(s *subject) (limit time.Duration) {
	waiting := s.waiting
	s.waiting = nil
	for _, q := range waiting {
		if q.by == "" {
			g.wishes--
		}
		switch {
		case !q.still():
			q.told(nil)
		case limit == 0 || s.asking == q.Inquiry:
			s.asking, limit = q.Inquiry, max(limit, q.limit)
			s.hearing = append(s.hearing, q)
		default:
			s.waiting = append(s.waiting, q)
			if q.by == "" {
				g.wishes++
			}
		}
	}
	return limit
}

// answered ends the inquiry about an order, and gives those who hear its answer.
func (g *gate) answered(s *subject) []question {
	hearing := s.hearing
	s.hearing, s.inFlight = nil, false
	if s.slot {
		s.slot = false
		g.inFlight--
	}
	g.settle(s)
	return hearing
}

// due is when the gate has something to start, false while only answers are waited for.
func (g *gate) due() (time.Duration, bool) {
	due, any := time.Duration(0), false
	at := func(t time.Duration) {
		if !any || t < due {
			due, any = t, true
		}
	}
	if len(g.lines[counterLine]) > 0 {
		at(0)
	}
	if len(g.lines[bootLine]) > 0 || g.inFlight < maxInFlight && len(g.lines[wishLine])+len(g.lines[dueLine]) > 0 {
		at(g.nextAt)
	}
	for _, s := range g.asked {
		if len(s.waiting) > 0 && !s.inFlight {
			at(s.at + g.floor)
			break
		}
	}
	return due, any
}

// held tells until when a question about an order waits for the floor, false where none
// does.
func (g *gate) held(id payterm.OrderID) (time.Duration, bool) {
	s := g.subjects[id]
	if s == nil || s.inFlight || !s.recent || len(s.waiting) == 0 {
		return 0, false
	}
	return s.at + g.floor, true
}

// places are those in line, by the order that asks, from 1 on.
func (g *gate) places() map[payterm.OrderID]int {
	places, n := map[payterm.OrderID]int{}, 0
	next := func(s *subject) {
		n++
		for _, q := range s.waiting {
			places[q.by] = n
		}
	}
	for _, s := range g.lines[bootLine] {
		next(s)
	}
	wishes, due := g.lines[wishLine], g.lines[dueLine]
	for wish := !g.wished; len(wishes)+len(due) > 0; wish = !wish {
		if len(due) == 0 || wish && len(wishes) > 0 {
			next(wishes[0])
			wishes = wishes[1:]
		} else {
			next(due[0])
			due = due[1:]
		}
	}
	return places
}

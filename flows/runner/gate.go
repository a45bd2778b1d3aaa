package runner

import (
	"errors"
	"slices"
	"time"

	"payterm"
)

// Limits of inquiries (invariant 9).
const (
	inquiryFloor = 3 * time.Second        // between two about one order, whoever asks
	inquiryPause = 200 * time.Millisecond // between the starts of two in the background
	maxInFlight  = 4                      // in the background, without those of a start
	maxWishes    = 256                    // of people, tills and reconciliations that wait
	maxWatchers  = 64                     // of one order
)

// ErrCrowded: too many callers ask about orders already.
var ErrCrowded = errors.New("too many ask about orders already: try again in some seconds")

// line is a queue of the gate. An order stands in the best one that it has a reason for.
type line uint8

const (
	inNoLine line = iota
	dueLine       // by the order's own schedule
	wishLine      // a person, a till or a reconciliation asks
	bootLine      // a young order that was open at the start
	counterLine
)

// question is an inquiry that somebody wants. Several questions about one order become one
// inquiry, and all get its answer.
type question struct {
	payterm.Inquiry
	by    payterm.OrderID // the open order that asks (a refund asks about its sale); empty for a caller
	line  line
	limit time.Duration // of the request's time
	// joins accepts the answer of an inquiry that began before the question. That must be
	// harmless.
	joins   bool
	still   func() bool          // still wanted, when its turn comes
	deliver func(payterm.Answer) // called once, on the loop; with nil if it is not wanted any more
}

// subject is an order at the gateway that is asked about, or was a moment ago.
type subject struct {
	id       payterm.OrderID
	waiting  []question // for the next inquiry
	hearing  []question // for the answer of the running one
	inFlight bool
	slot     bool            // it counts for maxInFlight
	asking   payterm.Inquiry // the running one
	at       time.Duration   // when the last one began
	recent   bool            // at is within inquiryFloor
	line     line            // in which it waits
}

// gate limits all inquiries: of the counter, the background, a start and callers. It keeps
// inquiryFloor and one inquiry at a time for each order. Orders at the counter are asked about as
// soon as the floor allows. The others take turns, due ones and wishes alternately, a few at a
// time and a few each second, so that a long queue neither starves nor floods anybody. Those of a
// start come first and do not wait for other answers.
type gate struct {
	floor    time.Duration
	subjects map[payterm.OrderID]*subject
	lines    [counterLine + 1][]*subject
	asked    []*subject // within inquiryFloor, oldest first
	inFlight int
	wishes   int
	nextAt   time.Duration // when the next one of the background may begin
	wished   bool          // the last turn was a wish's
}

// newGate makes a gate. A counter with a shorter inquiry interval gets a lower floor.
func newGate(interval time.Duration) gate {
	return gate{floor: min(inquiryFloor, interval), subjects: map[payterm.OrderID]*subject{}}
}

// add takes a question, or returns why not.
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

// hasten moves an order that waits for its turn to the end of the wishes, for a caller.
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

// lineUp puts an order at the end of the queue that it has a reason for, unless it waits there or
// in a better one.
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

// release queues the orders whose floor is over, and drops those without questions.
func (g *gate) release(now time.Duration) {
	for len(g.asked) > 0 && now >= g.asked[0].at+g.floor {
		s := g.asked[0]
		g.asked, s.recent = g.asked[1:], false
		g.settle(s)
	}
}

// settle decides where an order goes when no inquiry is running and its floor is over.
func (g *gate) settle(s *subject) {
	switch {
	case s.inFlight || s.recent:
	case len(s.waiting) > 0:
		g.lineUp(s)
	default:
		delete(g.subjects, s.id)
	}
}

// next takes the order that is to be asked about now; asking is the inquiry, limit its time.
func (g *gate) next(now time.Duration) (s *subject, limit time.Duration) {
	g.release(now)
	for {
		from := g.turn(now)
		if from == inNoLine {
			return nil, 0
		}
		s = g.lines[from][0]
		g.stepOut(s)
		if limit = g.take(s); limit == 0 { // no question is wanted any more
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

// turn is the queue whose first order may be asked about now.
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

// take makes one inquiry of the questions that are still wanted and ask for the same; the others
// wait for the next one. 0 means no inquiry.
func (g *gate) take(s *subject) (limit time.Duration) {
	waiting := s.waiting
	s.waiting = nil
	for _, q := range waiting {
		if q.by == "" {
			g.wishes--
		}
		switch {
		case !q.still():
			q.deliver(nil)
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

// answered ends the inquiry about an order and returns the questions that get its answer.
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

// due is when the gate has something to start, false if it only waits for answers.
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

// held is until when a question about an order waits for the floor, false if it does not.
func (g *gate) held(id payterm.OrderID) (time.Duration, bool) {
	s := g.subjects[id]
	if s == nil || s.inFlight || !s.recent || len(s.waiting) == 0 {
		return 0, false
	}
	return s.at + g.floor, true
}

// places are the positions in the queues, by the order that asks, from 1.
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

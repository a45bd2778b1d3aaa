// Package slips keeps what a terminal still owes on paper: slips that did not come out, until a
// copy does, and the code of a payment that the glass cannot show. Printing is its caller's.
package slips

import (
	"slices"
	"sync"
	"time"

	"payterm"
)

// lost is a slip that failed to print.
type lost struct {
	name  string
	order payterm.OrderID
	z     int64
	at    time.Duration
}

// Stands is how long the screens mention a lost slip that nobody prints again.
const Stands = time.Hour

// CodeSlip is the name of the slip with an order's code.
const CodeSlip = "code"

// most bounds the lost slips that are remembered.
const most = 100

// Options are what Slips are made with.
type Options struct {
	Now   func() time.Duration // monotonic
	Alarm func()               // a slip is lost
	// Tell hears how many slips are lost, and the last one's order if it has one.
	Tell func(n int, last payterm.OrderID)
}

// Slips are the slips of one terminal. Its methods may be called from several goroutines.
type Slips struct {
	o    Options
	mu   sync.Mutex
	lost []lost
	code payterm.OrderID // whose code may be paid; empty for none
	is   CodeState       // of its slip
}

// CodeState is what became of the slip with an order's code.
type CodeState uint8

// The states.
const (
	NoCode      CodeState = iota // no slip
	CodeWaits                    // it is in the printer, or waits for it
	CodePrinted                  // it is on paper
	CodeLost                     // it failed to print, and is not tried again
)

// New makes it.
func New(o Options) *Slips { return &Slips{o: o} }

// Code begins the slip with an order's code. It returns whether the slip is still wanted, for
// when its turn at the printer comes.
func (s *Slips) Code(id payterm.OrderID) (wanted func() bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.code, s.is = id, CodeWaits
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.code == id
	}
}

// CodeState is what became of the slip with an order's code, while it may be paid.
func (s *Slips) CodeState(id payterm.OrderID) CodeState {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.code != id {
		return NoCode
	}
	return s.is
}

// codeSlip notes what became of a slip, if it is the one with the code.
func (s *Slips) codeSlip(r payterm.Receipt, is CodeState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Order == s.code && r.Name == CodeSlip {
		s.is = is
	}
}

// VoidCode: an order's code must not be paid any more.
func (s *Slips) VoidCode(id payterm.OrderID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.code == id {
		s.code = ""
	}
}

// Lost: a slip failed to print.
func (s *Slips) Lost(r payterm.Receipt) {
	s.codeSlip(r, CodeLost)
	s.mu.Lock()
	same := func(l lost) bool { return l.name == r.Name && l.z == r.Z && l.order == r.Order }
	known := slices.ContainsFunc(s.lost, same)
	s.lost = append(slices.DeleteFunc(s.lost, same), lost{r.Name, r.Order, r.Z, s.o.Now()})
	s.lost = s.lost[max(0, len(s.lost)-most):]
	s.mu.Unlock()
	if !known {
		s.o.Alarm()
	}
	s.tell()
}

// Printed: a slip is on paper. A copy counts for each slip of its order.
func (s *Slips) Printed(r payterm.Receipt) {
	s.codeSlip(r, CodePrinted)
	s.forget(func(l lost) bool {
		return l.order == r.Order && l.z == r.Z && (l.name == r.Name || r.Copy && r.Order != "")
	})
}

// Forget forgets lost slips that are older than Stands.
func (s *Slips) Forget() {
	now := s.o.Now()
	s.forget(func(l lost) bool { return now-l.at > Stands })
}

func (s *Slips) forget(which func(lost) bool) {
	s.mu.Lock()
	before := len(s.lost)
	s.lost = slices.DeleteFunc(s.lost, which)
	changed := len(s.lost) != before
	s.mu.Unlock()
	if changed {
		s.tell()
	}
}

func (s *Slips) tell() {
	s.mu.Lock()
	n, last := len(s.lost), payterm.OrderID("")
	if n > 0 {
		last = s.lost[n-1].order
	}
	s.mu.Unlock()
	s.o.Tell(n, last)
}

package doctor

import "sync"

// slipTrial follows the slip of a trial through the printer's queue.
type slipTrial struct {
	mu   sync.Mutex
	n    int  // of the slip that is waited for
	over bool // none is
	out  bool // it was printed
}

// begin gives what the printer asks when the slip's turn comes, and what it says then.
func (s *slipTrial) begin() (wanted func() bool, ended func(error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	s.over, s.out = false, false
	n := s.n
	waits := func() bool { return n == s.n && !s.over }
	wanted = func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return waits()
	}
	ended = func(err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.out = s.out || err == nil && waits()
	}
	return wanted, ended
}

func (s *slipTrial) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
}

func (s *slipTrial) done() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out
}

package doctor

import "sync"

// slipTrial follows a test slip through the printer's queue.
type slipTrial struct {
	mu   sync.Mutex
	n    int  // of the current slip
	over bool // no slip is awaited
	out  bool // it was printed
}

// begin returns what the printer calls when the slip's turn comes, and at its end.
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

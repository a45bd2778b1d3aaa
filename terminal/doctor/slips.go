package doctor

import (
	"strconv"
	"strings"
	"sync"

	"payterm"
)

// slipTrial follows a slip of a trial through the printer's queue.
type slipTrial struct {
	mu   sync.Mutex
	n    int
	name string // of the slip that is waited for; empty for none
	out  bool   // it was printed
}

// trialSlips begins the names of the slips of trials, before their count.
const trialSlips = "trial "

// IsTrialSlip tells whether a slip is one of a trial, which nobody misses.
func IsTrialSlip(r payterm.Receipt) bool { return strings.HasPrefix(r.Name, trialSlips) }

// SlipWanted tells whether a slip that has waited is still to be printed: of trials only the
// one that is waited for.
func (d *Doctor) SlipWanted(r payterm.Receipt) bool {
	s := &d.slip
	s.mu.Lock()
	defer s.mu.Unlock()
	return !IsTrialSlip(r) || r.Name == s.name
}

// SlipPrinted is told of each slip that came out.
func (d *Doctor) SlipPrinted(r payterm.Receipt) {
	s := &d.slip
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = s.out || r.Name == s.name
}

// begin names the slip that is waited for from now on.
func (s *slipTrial) begin() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	s.name, s.out = trialSlips+strconv.Itoa(s.n), false
	return s.name
}

func (s *slipTrial) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.name = ""
}

func (s *slipTrial) done() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out
}

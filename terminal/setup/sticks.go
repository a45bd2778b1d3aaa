package setup

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"payterm/provision"
)

// Sticks finds parcels that a stick has brought. It outlives setups and agents, so that a stick
// that stays in brings each once.
type Sticks struct {
	patterns []string
	mu       sync.Mutex
	seen     map[string]time.Time // when a file that was looked at was written
	clock    bool                 // it was set by then
}

// StickPatterns are where they lie: what a desktop mounts, and what an image's service
// copies.
var StickPatterns = []string{"/media/*/*.ppv", "/run/payterm-parcels/*.ppv"}

// mostParcels is how many files are looked at; more is no stick for a terminal.
const mostParcels = 64

// NewSticks looks for files by these patterns of filepath.Glob.
func NewSticks(patterns ...string) *Sticks {
	return &Sticks{patterns: patterns, seen: map[string]time.Time{}}
}

// Next gives the text of a file that was not there, or was another, when it was last
// asked; empty without one. What is taken out and put in again is new, and once the clock
// is set so is everything: nothing has been judged by its date before. It may be nil.
func (s *Sticks) Next(clock bool) string {
	if s == nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if clock && !s.clock {
		clear(s.seen)
	}
	s.clock = clock
	var names []string
	for _, pattern := range s.patterns {
		found, err := filepath.Glob(pattern)
		if err == nil {
			names = append(names, found...)
		}
	}
	names = names[:min(len(names), mostParcels)]
	for name := range s.seen {
		if !slices.Contains(names, name) {
			delete(s.seen, name)
		}
	}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil || !info.Mode().IsRegular() || info.Size() > provision.MaxText+2 {
			continue
		}
		if at, known := s.seen[name]; known && at.Equal(info.ModTime()) {
			continue
		}
		s.seen[name] = info.ModTime()
		if text, err := head(name, provision.MaxText+2); err == nil && len(text) > 0 {
			return string(text)
		}
	}
	return ""
}

// head reads a file, which may have become another since it was looked at.
func head(name string, most int64) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}

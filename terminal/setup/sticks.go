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

// Sticks finds parcels on USB sticks. It outlives setups and agents, so that a stick that stays
// plugged in brings each parcel once.
type Sticks struct {
	patterns []string
	mu       sync.Mutex
	seen     map[string]time.Time // modification time of files that were read
	clock    bool                 // the clock was set then
}

// StickPatterns are the places: where a desktop mounts sticks, and where the image's service
// copies parcels.
var StickPatterns = []string{"/media/*/*.ppv", "/run/payterm-parcels/*.ppv"}

// mostParcels is how many files are read; a stick with more is not for a terminal.
const mostParcels = 64

// NewSticks looks for files by these patterns of filepath.Glob.
func NewSticks(patterns ...string) *Sticks {
	return &Sticks{patterns: patterns, seen: map[string]time.Time{}}
}

// Next is the text of a file that is new or changed since the last call; empty if there is none.
// A stick that was unplugged in between is new, and so is every file once the clock is set,
// because dates could not be checked before. The receiver may be nil.
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

// head reads a file, which may have been replaced since it was found.
func head(name string, most int64) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}

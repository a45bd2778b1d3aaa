package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"payterm/storage"
)

// A Z whose slip the power took comes on paper after the start, as a copy; one that came
// does not come again.
func TestZWithoutItsSlip(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	s.sold("12.34")
	if z := s.totals("z"); z.Number != 1 {
		t.Fatalf("%+v", z)
	}
	s.paperUntil("Z TOTAL 1", "--- cut ---")
	s.noneOwed()
	s.post(s.panel+"/emu/printer", map[string]string{"paper": "out", "cover": "closed"})
	s.has("approved", "no paper")
	if z := s.totals("z"); z.Number != 2 || z.Operator != "local" {
		t.Fatalf("%+v", z)
	}
	if err := s.agent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	s.agent.Wait() //nolint:errcheck // it was killed
	s.boot()
	paper := s.paperUntil("COPY", "Z TOTAL 2", "Journal", "--- cut ---")
	if strings.Contains(paper, "Z TOTAL 1") {
		t.Errorf("a Z that was printed comes again:\n%s", paper)
	}
	s.noneOwed()
}

// noneOwed waits until every Z is known to be on paper.
func (s *shop) noneOwed() {
	s.t.Helper()
	for end := time.Now().Add(20 * time.Second); len(s.owed()) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("Z %v is still owed", s.owed())
		}
	}
}

// owed are the Zs whose slips are not known to have come.
func (s *shop) owed() (numbers []int64) {
	s.t.Helper()
	r, err := storage.OpenReader(filepath.Join(s.data, "payterm.db"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Close()
	if numbers, err = r.UnprintedZs(); err != nil {
		s.t.Fatal(err)
	}
	return numbers
}

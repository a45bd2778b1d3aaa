package storage

import (
	"errors"
	"path/filepath"
	"testing"
	"time"
)

// TestCheck: the newest records are checked against the chain, also over gaps, and a change from
// outside is named.
func TestCheck(t *testing.T) {
	c := &clock{evening}
	s := openAt(t, filepath.Join(scratch(t), "payterm.db"), c)
	check := func(newest, want int, is error) {
		t.Helper()
		h, err := s.Check(t.Context(), newest)
		if !errors.Is(err, is) || is == nil && h != (Health{"wal", 2, want}) {
			t.Errorf("%+v, %v; want %d records and %v", h, err, want, is)
		}
	}
	check(10, 0, nil)
	day(t, s, 20)
	check(4, 4, nil)
	all := int(verify(t, s.Reader).Records)
	check(1000, all, nil)
	if _, err := s.TakeZ(noTaker); err != nil {
		t.Fatal(err)
	}
	c.now = c.now.Add(48 * time.Hour)
	if n, err := s.Prune(Old{Wall: c.now}); err != nil || n == 0 {
		t.Fatalf("%d orders were dropped: %v", n, err)
	}
	v := verify(t, s.Reader)
	if v.Pruned == 0 {
		t.Fatal("there is no gap")
	}
	check(1000, int(v.Records)-1, nil) // a gap is before the oldest
	if _, err := s.db.Exec(`DROP TRIGGER journal_fixed; UPDATE journal SET body = '{"n":2}'
		WHERE seq = (SELECT max(seq) - 2 FROM journal)`); err != nil {
		t.Fatal(err)
	}
	check(10, 0, ErrChain)
	check(1, 1, nil) // the gap is not among them
	if _, err := s.db.Exec(`PRAGMA synchronous = NORMAL`); err != nil {
		t.Fatal(err)
	}
	check(10, 0, ErrPragma)
}

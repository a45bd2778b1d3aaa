package storage

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"payterm"

	"pgregory.net/rapid"
)

// TestLived: a run starts from the lived time that was stored, never from less.
func TestLived(t *testing.T) {
	path := filepath.Join(scratch(t), "payterm.db")
	tags := []string{"A0001", "A0002", "A0003", "A0004", "A0005", "A0006"}
	life := func(n int, want time.Duration) *Store {
		t.Helper()
		s := openTagged(t, path, tags[n])
		if got := s.Lived(); got != want {
			t.Errorf("life %d begins at %s, want %s", n, got, want)
		}
		return s
	}
	end := func(s *Store) {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	record := func(s *Store, n int, mono time.Duration) {
		t.Helper()
		e := entry(payterm.OrderID(fmt.Sprintf("T1A0000%06d", n)), "sale_began", payterm.Open)
		e.Stamp.Mono = mono
		commit(t, s, e)
	}
	s := life(0, 0)
	record(s, 1, 5*time.Minute)
	end(s)
	s = life(1, 5*time.Minute)
	if err := s.Live(25 * time.Minute); err != nil { // no records in this time
		t.Fatal(err)
	}
	if err := s.Live(20 * time.Minute); err != nil { // it never goes back
		t.Fatal(err)
	}
	end(s)
	s = life(2, 25*time.Minute)
	record(s, 2, 27*time.Minute)
	record(s, 3, 26*time.Minute) // an answer from before, kept while the disk was full
	end(s)
	s = life(3, 27*time.Minute)
	end(s)
	s = life(4, 27*time.Minute) // two starts without records
	z, err := s.TakeZ(noTaker)
	if err != nil {
		t.Fatal(err)
	}
	var lived int64
	if err := s.db.QueryRow(`SELECT lived FROM z WHERE number = ?`, z.Number).Scan(&lived); err != nil ||
		time.Duration(lived) != 27*time.Minute {
		t.Errorf("the Z was taken at %s: %v", time.Duration(lived), err)
	}
	verify(t, s.Reader)
	end(s)
	end(life(5, 27*time.Minute))
}

// TestLivedNeverLess: after any records and stored times, and any end, the next run starts from
// at least the lived time of every record.
func TestLivedNeverLess(t *testing.T) {
	dir := scratch(t)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		path := filepath.Join(dir, fmt.Sprint(n), "payterm.db")
		newest, orders := time.Duration(0), 0
		for life := range rapid.IntRange(1, 4).Draw(t, "lives") {
			s, err := childStore(path, time.UnixMilli(1e12), fmt.Sprintf("A%04d", life))
			if err != nil {
				t.Fatal(err)
			}
			if s.Lived() < newest {
				t.Fatalf("life %d begins at %s, and %s was lived through", life, s.Lived(), newest)
			}
			for range rapid.IntRange(0, 5).Draw(t, "events") {
				at := s.Lived() + time.Duration(rapid.IntRange(-1000, 100_000).Draw(t, "ms"))*time.Millisecond
				if newest = max(newest, at); rapid.Bool().Draw(t, "written down") {
					err = s.Live(at)
				} else {
					orders++
					e := entry(payterm.OrderID(fmt.Sprintf("T1A0000%06d", orders)), "sale_began", payterm.Open)
					e.Stamp.Mono = at
					err = s.Commit(e)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestFormFive opens a database whose runs each counted from zero. The last run with records, the
// second of three, had reached 41 minutes and had taken over open orders of the first run, which
// lasted three hours.
func TestFormFive(t *testing.T) {
	path := unpack(t, "v5.db")
	s := openTagged(t, path, "A0004")
	if lived := s.Lived(); lived != 41*time.Minute {
		t.Errorf("life goes on from %s, want 41m", lived)
	}
	const head = "913e3232ac4999c0f044f9f4b6f13fe8716ec5ab597a440f25a768a53419519a"
	if v := verify(t, s.Reader); v.Records != 22 || v.Head != head {
		t.Errorf("%+v", v)
	}
	var lived int64
	if err := s.db.QueryRow(`SELECT lived FROM z WHERE number = 1`).Scan(&lived); err != nil ||
		time.Duration(lived) != 41*time.Minute {
		t.Errorf("its Z was taken at %s: %v", time.Duration(lived), err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s = openTagged(t, path, "A0005"); s.Lived() != 41*time.Minute {
		t.Errorf("and then from %s", s.Lived())
	}
	s.Close()
}

package storage

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"payterm"
)

// watch is a retention with the readings that it is given.
type watch struct {
	r      Retention
	now    Reading
	oldest time.Time // the newest time that anything was called older than
}

// minutes lets time pass, with a reading each minute.
func (w *watch) minutes(n int) {
	for range n {
		w.now.Lived += time.Minute
		if !w.now.Wall.IsZero() {
			w.now.Wall = w.now.Wall.Add(time.Minute)
		}
		if old := w.r.Old(w.now); old.Wall.After(w.oldest) {
			w.oldest = old.Wall
		}
	}
}

const keep = 400 * 24 * time.Hour

// TestWallClockIsBelieved says when a wall clock makes anything old.
func TestWallClockIsBelieved(t *testing.T) {
	const hour = 60
	for name, c := range map[string]struct {
		lives    func(w *watch)
		believed bool
	}{
		"network time for six hours": {func(w *watch) { w.minutes(6*hour + 2) }, true},
		"for less":                   {func(w *watch) { w.minutes(6*hour - 1) }, false},
		"nobody keeps it":            {func(w *watch) { w.now.Synced = false; w.minutes(48 * hour) }, false},
		"it is not set":              {func(w *watch) { w.now.Wall = time.Time{}; w.minutes(48 * hour) }, false},
		"it is set first": {func(w *watch) {
			w.now.Wall, w.now.Synced = time.Time{}, false
			w.minutes(9)
			w.now.Wall, w.now.Synced = evening, true
			w.minutes(7 * hour)
		}, true},
		"network time corrects it at the start": {func(w *watch) {
			w.now.Synced = false
			w.minutes(9)
			w.now.Wall, w.now.Synced = w.now.Wall.Add(-keep), true
			w.minutes(7 * hour)
		}, true},
		"it jumps, and is called good": {func(w *watch) {
			w.minutes(5 * hour)
			w.now.Wall = w.now.Wall.Add(402 * 24 * time.Hour)
			w.minutes(48 * hour)
		}, false},
		"it jumps back": {func(w *watch) {
			w.minutes(5 * hour)
			w.now.Wall = w.now.Wall.Add(-time.Minute)
			w.minutes(48 * hour)
		}, false},
		"somebody sets it, then network time": {func(w *watch) {
			w.minutes(5 * hour)
			w.now.Wall, w.now.Synced = w.now.Wall.Add(time.Hour), false
			w.minutes(1)
			w.now.Synced = true
			w.minutes(48 * hour)
		}, false},
		"it jumps behind a reading that is not set": {func(w *watch) {
			w.minutes(hour)
			before := w.now.Wall
			w.now.Wall = time.Time{}
			w.minutes(1)
			w.now.Wall = before.Add(402 * 24 * time.Hour)
			w.minutes(48 * hour)
		}, false},
		"it jumps behind an hour in which nobody keeps it": {func(w *watch) {
			w.minutes(hour)
			w.now.Synced = false
			w.minutes(hour)
			w.now.Wall = w.now.Wall.Add(402 * 24 * time.Hour)
			w.minutes(hour)
			w.now.Synced = true
			w.minutes(48 * hour)
		}, false},
		"it jumps behind both": {func(w *watch) {
			w.minutes(hour)
			before := w.now.Wall
			w.now.Wall, w.now.Synced = time.Time{}, false
			w.minutes(3)
			w.now.Wall = before.Add(402 * 24 * time.Hour)
			w.minutes(1)
			w.now.Synced = true
			w.minutes(48 * hour)
		}, false},
		"it is as far on behind a reading that is not set": {func(w *watch) {
			w.minutes(hour)
			before := w.now.Wall
			w.now.Wall = time.Time{}
			w.minutes(1)
			w.now.Wall = before.Add(time.Minute)
			w.minutes(7 * hour)
		}, true},
		"the network was away for three days": {func(w *watch) {
			w.minutes(hour)
			w.now.Synced = false
			w.minutes(72 * hour)
			w.now.Wall, w.now.Synced = w.now.Wall.Add(-30*time.Second), true // it drifted as far
			w.minutes(7 * hour)
		}, true},
		"a leap second": {func(w *watch) {
			w.minutes(hour)
			w.now.Wall = w.now.Wall.Add(-time.Second)
			w.minutes(7 * hour)
		}, true},
		"network time goes away now and then": {func(w *watch) {
			for range 20 {
				w.minutes(5 * hour)
				w.now.Synced = false
				w.minutes(1)
				w.now.Synced = true
			}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := &watch{r: Retention{Keep: keep}, now: Reading{Wall: evening, Synced: true}}
			c.lives(w)
			if believed := !w.oldest.IsZero(); believed != c.believed {
				t.Errorf("believed: %t; what is older than %s is old", believed, w.oldest)
			}
			if c.believed && w.oldest.After(w.now.Wall.Add(-keep)) {
				t.Errorf("what is older than %s is old, at %s", w.oldest, w.now.Wall)
			}
		})
	}
}

// TestOneReadingDeletesNothing: a clock that is 402 days ahead for two minutes, set by a person
// or by network time, drops nothing. What is kept for 400 days is dropped after that much lived
// time, or by network time that stays.
func TestOneReadingDeletesNothing(t *testing.T) {
	for _, synced := range []bool{false, true} {
		t.Run(fmt.Sprintf("synced %t", synced), func(t *testing.T) {
			c := &clock{evening}
			s := openAt(t, filepath.Join(scratch(t), "payterm.db"), c)
			defer s.Close()
			w := &watch{r: Retention{Keep: keep}, now: Reading{Wall: evening, Synced: true}}
			left := func() int {
				t.Helper()
				if err := s.Live(w.now.Lived); err != nil {
					t.Fatal(err)
				}
				old := w.r.Old(w.now)
				if _, err := s.Prune(old); err != nil {
					t.Fatal(err)
				}
				if _, err := s.PrunePeople(old); err != nil {
					t.Fatal(err)
				}
				orders, err := s.Orders()
				people, errp := s.People()
				if err != nil || errp != nil {
					t.Fatal(err, errp)
				}
				return len(orders) + len(people)
			}
			commit(t, s, entry("T1AAAAA000001", "payment_answered", payterm.Approved),
				entry("T1AAAAA000002", "payment_answered", payterm.Approved))
			w.minutes(7 * 60)
			for _, deed := range []payterm.Deed{payterm.DeedSignedOn, payterm.DeedSignedOff} {
				if err := s.Record(payterm.Stamp{Boot: s.BootTag(), Mono: w.now.Lived, Wall: evening},
					payterm.PersonRecord{Deed: deed, Operator: "7"}); err != nil {
					t.Fatal(err)
				}
			}
			left()
			if _, err := s.TakeZ(noTaker); err != nil {
				t.Fatal(err)
			}
			w.minutes(60)
			right := w.now
			w.now.Wall, w.now.Synced = w.now.Wall.Add(402*24*time.Hour), synced
			for range 2 {
				w.minutes(1)
				if n := left(); n != 4 {
					t.Fatalf("%d are left of 4", n)
				}
			}
			w.now = Reading{w.now.Lived, right.Wall.Add(2 * time.Minute), true}
			w.minutes(24 * 60)
			if n := left(); n != 4 {
				t.Fatalf("%d are left of 4 after a day", n)
			}
			w.now.Lived, w.now.Wall = w.now.Lived+keep-26*time.Hour, w.now.Wall.AddDate(3, 0, 0) // any time
			if n := left(); n != 4 {
				t.Errorf("%d are left of 4 an hour too early", n)
			}
			w.now.Lived += 2 * time.Hour
			if n := left(); n != 1 { // the last sign-off stays
				t.Errorf("%d are left after 400 days of life", n)
			}
			verify(t, s.Reader)
		})
	}
}

// TestFullDropsEarly: a journal over its size limit drops the oldest Zs whatever their age, until
// it is within the limit; orders in no Z stay.
func TestFullDropsEarly(t *testing.T) {
	s := openAt(t, filepath.Join(scratch(t), "payterm.db"), &clock{evening})
	defer s.Close()
	for z := range 4 { // the last Z is not taken
		var entries []payterm.Entry
		for i := range pruneBatch {
			entries = append(entries, entry(payterm.OrderID(fmt.Sprintf("T1A000%d%06d", z, i)), "payment_answered",
				payterm.Approved))
		}
		commit(t, s, entries...)
		if z < 3 {
			if _, err := s.TakeZ(noTaker); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n, err := s.Prune(Old{}); err != nil || n != 0 {
		t.Fatalf("%d dropped: %v", n, err)
	}
	var used int64
	if err := s.db.QueryRow(`SELECT (SELECT * FROM pragma_page_count()) * ?`, pageSize).Scan(&used); err != nil {
		t.Fatal(err)
	}
	s.o.MaxBytes = used - 100_000
	total := 0
	for n := 1; n > 0; total += n {
		var err error
		if n, err = s.Prune(Old{}); err != nil {
			t.Fatal(err)
		}
	}
	if total != pruneBatch {
		t.Errorf("%d dropped", total)
	}
	for z, want := range map[int64]int{1: 0, 2: pruneBatch, 3: pruneBatch, 0: pruneBatch} {
		if in, err := s.InZ(z); err != nil || len(in) != want {
			t.Errorf("%d are left of Z %d, want %d: %v", len(in), z, want, err)
		}
	}
	s.o.MaxBytes = 1
	for n := 1; n > 0; {
		var err error
		if n, err = s.Prune(Old{}); err != nil {
			t.Fatal(err)
		}
	}
	if in, err := s.Orders(); err != nil || len(in) != pruneBatch {
		t.Errorf("%d are left that are in no Z, want %d: %v", len(in), pruneBatch, err)
	}
	verify(t, s.Reader)
}

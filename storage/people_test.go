package storage

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"payterm"
)

// did records what a person did at a time.
func did(t *testing.T, s *Store, at time.Time, deed payterm.Deed, operator string, failures int) {
	t.Helper()
	stamp := payterm.Stamp{Boot: s.BootTag(), Mono: 5, Wall: at}
	if err := s.Record(stamp, payterm.PersonRecord{Deed: deed, Operator: operator, For: payterm.ForSignOn,
		Failures: failures}); err != nil {
		t.Fatal(err)
	}
}

// TestPeople: person records are in the chain between the orders, are counted after a restart,
// and cannot be changed or removed.
func TestPeople(t *testing.T) {
	path := filepath.Join(scratch(t), "payterm.db")
	c := &clock{evening}
	s := openAt(t, path, c)
	did(t, s, evening, payterm.DeedTried, "7", 1)
	day(t, s, 5)
	did(t, s, evening, payterm.DeedRefused, "7", 1)
	did(t, s, time.Time{}, payterm.DeedTried, "8", 1)
	did(t, s, evening, payterm.DeedTried, "7", 2)
	did(t, s, evening, payterm.DeedSignedOn, "8", 0)
	for _, wrong := range []payterm.PersonRecord{{Deed: payterm.DeedTried}, {Operator: "7"},
		{Deed: anchored, Operator: "7"}} {
		if err := s.Record(payterm.Stamp{}, wrong); err == nil {
			t.Errorf("%+v is recorded", wrong)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(Options{Path: path, Terminal: "T1", Now: func() time.Time { return c.now },
		DrawTag: func() (string, error) { return "BBBBB", nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if f, err := s.Failures(); err != nil || !maps.Equal(f, map[string]int{"7": 2}) {
		t.Errorf("failures %v %v", f, err)
	}
	list, err := s.People()
	if err != nil || len(list) != 5 || list[0].Deed != payterm.DeedTried || list[1].Operator != "7" ||
		list[4].For != payterm.ForSignOn ||
		!list[2].Wall.IsZero() || !list[3].Wall.Equal(evening) {
		t.Errorf("%+v %v", list, err)
	}
	if v := verify(t, s.Reader); v.Records != 14 {
		t.Errorf("%+v", v)
	}
	for _, query := range []string{
		`UPDATE journal SET body = replace(body, '"failures":2', '"failures":0') WHERE order_id = ''`,
		`DELETE FROM journal WHERE seq = (SELECT max(seq) - 1 FROM journal WHERE order_id = '')`,
	} {
		tampered := filepath.Join(scratch(t), "payterm.db")
		if err := s.Backup(t.Context(), tampered); err != nil {
			t.Fatal(err)
		}
		bad := openTagged(t, tampered, "CCCCC")
		if _, err := bad.db.Exec(`DROP TRIGGER journal_fixed`); err != nil {
			t.Fatal(err)
		}
		if _, err := bad.db.Exec(query); err != nil {
			t.Fatal(err)
		}
		if _, err := bad.Verify(t.Context()); !errors.Is(err, ErrChain) {
			t.Errorf("%s: %v", query, err)
		}
		if err := bad.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPrunePeople: old person records are dropped, and younger ones beyond the number; the newest
// of each operator stays, with its wrong PINs. Dropping orders does not drop person records, nor
// the other way round.
func TestPrunePeople(t *testing.T) {
	s := openAt(t, filepath.Join(scratch(t), "payterm.db"), &clock{evening})
	early := evening.AddDate(-1, 0, 0)
	for i := range 300 {
		did(t, s, early, payterm.DeedTried, fmt.Sprint(7+i%2), i%2*5)
		if i == 100 {
			day(t, s, 10)
		}
	}
	did(t, s, time.Time{}, payterm.DeedTried, "unknown-1", 4) // before the clock was set: as old as the next one
	did(t, s, early, payterm.DeedSignedOff, "9", 0)
	did(t, s, evening, payterm.DeedSignedOn, "9", 0)
	did(t, s, early, payterm.DeedLocked, "10", 3)
	if err := s.Record(payterm.Stamp{Boot: "AAAAA", Wall: evening}, payterm.PersonRecord{Deed: payterm.DeedPINChanged,
		Operator: "9", Whom: "10"}); err != nil { // 10 has no wrong PINs any more, and the record stays
		t.Fatal(err)
	}
	if _, err := s.TakeZ(noTaker); err != nil {
		t.Fatal(err)
	}
	whole := func(want int) {
		t.Helper()
		verify(t, s.Reader)
		list, err := s.People()
		if err != nil || len(list) != want {
			t.Errorf("%d records of %d: %v", len(list), want, err)
		}
		if f, err := s.Failures(); err != nil || !maps.Equal(f, map[string]int{"8": 5, "unknown-1": 4}) {
			t.Errorf("failures %v %v", f, err)
		}
	}
	whole(305)
	if n, err := s.PrunePeople(Old{Wall: evening.AddDate(0, -1, 0)}); err != nil || n != pruneBatch {
		t.Errorf("%d dropped of %d: %v", n, pruneBatch, err)
	}
	whole(105)
	if n, err := s.Prune(Old{Wall: evening.Add(time.Hour)}); err != nil || n != 4 {
		t.Errorf("%d orders dropped of 4: %v", n, err)
	}
	whole(105)
	for _, want := range []int{100, 0} { // those of 7, 8, unknown-1, 9 and 10 stay
		if n, err := s.PrunePeople(Old{Wall: evening.AddDate(0, -1, 0)}); err != nil || n != want {
			t.Errorf("%d dropped of %d: %v", n, want, err)
		}
	}
	whole(5)
}

// TestPeopleAreBounded: the number of person records is bounded as well as their age.
func TestPeopleAreBounded(t *testing.T) {
	s := openAt(t, filepath.Join(scratch(t), "payterm.db"), &clock{evening})
	did(t, s, evening, payterm.DeedTried, "7", 9)
	_, err := s.db.Exec(`PRAGMA synchronous = OFF`) // for speed: ten thousand commits, none of which has to last
	for i := 0; i < keptDeeds+20 && err == nil; i++ {
		err = s.Record(payterm.Stamp{Wall: evening}, payterm.PersonRecord{Deed: payterm.DeedRefused, Operator: "8",
			Failures: i})
	}
	if err != nil {
		t.Fatal(err)
	}
	n, err := s.PrunePeople(Old{Wall: evening.AddDate(-1, 0, 0)})
	list, errs := s.People()
	if err != nil || errs != nil || n != 20 || len(list) != keptDeeds+1 || list[0].Operator != "7" {
		t.Errorf("%d dropped, %d left, %v, %v", n, len(list), err, errs)
	}
	verify(t, s.Reader)
}

// TestSold: the sales of a day are the approved, open and in-doubt ones of the shop's business
// day, and those without a time that cannot be of an earlier day.
func TestSold(t *testing.T) {
	s := openAt(t, filepath.Join(scratch(t), "payterm.db"), &clock{evening})
	days := payterm.Days{Zone: time.FixedZone("EST", -5*3600), Starts: 4 * time.Hour}
	noon := time.Date(2027, 1, 15, 12, 0, 0, 0, days.Zone)
	n := 0
	sell := func(at time.Time, minor int64, outcome payterm.Outcome, kind payterm.Kind) {
		t.Helper()
		n++
		e := entry(payterm.OrderID(fmt.Sprintf("T1AAAAA%06d", n)), "sale_began", outcome)
		e.Order.CreatedAt, e.Order.AmountMinor, e.Order.TipMinor, e.Order.PaidMinor, e.Order.Kind = at, minor-1, 1, 0,
			kind
		if outcome == payterm.Approved {
			e.Order.PaidMinor = minor
		}
		commit(t, s, e)
	}
	want := func(now time.Time, minor int64) {
		t.Helper()
		if sold, err := s.Sold(days, now, "", "CAD"); err != nil || sold.Minor != minor {
			t.Errorf("at %v: %d sold, want %d: %v", now, sold.Minor, minor, err)
		}
	}
	want(noon, 0)
	want(time.Time{}, 0)
	sell(time.Time{}, 3, payterm.Approved, payterm.KindSale) // there is no earlier day
	want(noon, 3)
	sell(noon.Add(-9*time.Hour), 50, payterm.Approved, payterm.KindSale) // 03:00: the previous business day
	want(noon, 0)
	sell(noon.Add(-8*time.Hour), 1000, payterm.Approved, payterm.KindSale) // 04:00
	sell(noon, 200, payterm.Open, payterm.KindSale)
	sell(noon, 30, payterm.InDoubt, payterm.KindSale)
	sell(noon, 4, payterm.Declined, payterm.KindSale)
	sell(noon, 5, payterm.NotSent, payterm.KindSale)
	sell(noon, 6, payterm.Cancelled, payterm.KindSale)
	sell(noon, 7, payterm.Approved, payterm.KindRefund)
	want(noon, 1230)
	sell(time.Time{}, 9000, payterm.Approved, payterm.KindSale) // without a clock
	want(noon, 10_230)
	want(time.Time{}, 10_230)
	want(noon.AddDate(0, 0, 1), 0+9000) // it may be of the next day
	sell(noon.AddDate(0, 0, 1), 11, payterm.Approved, payterm.KindSale)
	want(noon.AddDate(0, 0, 1), 9011)
	want(noon.AddDate(0, 0, 2), 0)
}

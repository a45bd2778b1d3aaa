package storage

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"payterm"
)

// sold commits an order that began at a time, and closes it unless it is in doubt.
func sold(t *testing.T, s *Store, at time.Time, kind payterm.Kind, outcome payterm.Outcome, minor int64) payterm.Order {
	t.Helper()
	id, err := s.NextOrderID()
	if err != nil {
		t.Fatal(err)
	}
	o := payterm.Order{ID: id, Kind: kind, Mode: payterm.Passive, Wallet: payterm.Alipay, AmountMinor: minor,
		Currency: "CAD",
		Outcome:  outcome, CreatedAt: at, Operator: "7"}
	return s.end(t, o, at)
}

// end commits an order as it is, closed at a time unless it is in doubt.
func (s *Store) end(t *testing.T, o payterm.Order, at time.Time) payterm.Order {
	t.Helper()
	o.ClosedAt = at
	if o.Outcome == payterm.Approved && o.Kind == payterm.KindSale {
		o.PaidMinor = o.AmountMinor
	} else if o.Outcome == payterm.Approved {
		o.RefundedMinor = o.AmountMinor
	}
	closed := o.Outcome != payterm.InDoubt
	e := payterm.Entry{OrderID: o.ID, Event: "inquiry_answered", Body: []byte("{}"), Order: o, Closed: closed}
	if !closed {
		e.Owes = payterm.OwedInquiry
	}
	commit(t, s, e)
	return o
}

// shop opens a store in a zone whose business day begins at four.
func shop(t *testing.T, c *clock) *Store {
	t.Helper()
	zone, err := time.LoadLocation("America/Toronto")
	if err != nil {
		t.Fatal(err)
	}
	s := openAt(t, filepath.Join(scratch(t), "payterm.db"), c)
	s.o.Days = payterm.Days{Zone: zone, Starts: 4 * time.Hour}
	s.days = s.o.Days
	return s
}

func totalsOf(t *testing.T, take func() (payterm.Totals, error)) payterm.Totals {
	t.Helper()
	got, err := take()
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// noTaker is an empty TakenBy.
var noTaker payterm.TakenBy

// only is the only row of totals of one merchant in one currency.
func only(totals payterm.Totals) payterm.TotalsRow {
	switch sums := totals.Sums(); len(sums) {
	case 0:
		return payterm.TotalsRow{}
	case 1:
		return sums[0]
	default:
		panic(fmt.Sprintf("%d sums: %+v", len(sums), sums))
	}
}

// TestZIsFixed: a Z never changes after it was taken: the orders that it carried over, and the
// head of the chain; only how those orders ended is added. What turns out to be paid later is in
// the next Z.
func TestZIsFixed(t *testing.T) {
	c := &clock{time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)}
	s := shop(t, c)
	sold(t, s, c.now, payterm.KindSale, payterm.Approved, 1000)
	unpaid := sold(t, s, c.now, payterm.KindSale, payterm.Declined, 70)
	doubt := sold(t, s, c.now, payterm.KindSale, payterm.InDoubt, 500)
	x := totalsOf(t, func() (payterm.Totals, error) { return s.Totals(0) })
	if _, err := s.TakeZ(noTaker); err != nil {
		t.Fatal(err)
	}
	first := totalsOf(t, func() (payterm.Totals, error) { return s.Totals(1) })
	if only(first) != only(x) || only(first).AmountMinor != 1000 || len(first.Open) != 1 ||
		first.Open[0].ID != doubt.ID ||
		first.Head != verify(t, s.Reader).Head || first.Day != "2026-11-22" || first.LastDay != "" ||
		first.EndedIn != nil {
		t.Errorf("%+v", first)
	}
	c.now = c.now.Add(24 * time.Hour)
	doubt.Outcome, doubt.Attention = payterm.Approved, payterm.AttentionLatePayment
	s.end(t, doubt, c.now)
	unpaid.Outcome, unpaid.Attention = payterm.Approved, payterm.AttentionAlarm
	s.end(t, unpaid, c.now)
	sold(t, s, c.now, payterm.KindRefund, payterm.Approved, 300)
	if _, err := s.TakeZ(noTaker); err != nil {
		t.Fatal(err)
	}
	second := totalsOf(t, func() (payterm.Totals, error) { return s.Totals(2) })
	if sum := only(second); sum.AmountMinor != 570 || sum.Count != 2 || sum.RefundedMinor != 300 ||
		sum.RefundCount != 1 ||
		second.Day != "2026-11-22" || second.LastDay != "2026-11-23" || !second.From.Equal(first.To) {
		t.Errorf("%+v", second)
	}
	if in, err := s.InZ(1); err != nil || len(in) != 1 {
		t.Errorf("Z 1 holds %+v, %v", in, err)
	}
	again := totalsOf(t, func() (payterm.Totals, error) { return s.Totals(1) })
	if again.EndedIn[doubt.ID] != 2 || len(again.EndedIn) != 1 {
		t.Errorf("where it ended: %v", again.EndedIn)
	}
	again.EndedIn = nil
	was, _ := json.Marshal(first)
	is, _ := json.Marshal(again)
	if string(was) != string(is) {
		t.Errorf("Z 1 said\n%s\nand says\n%s", was, is)
	}
	if n, err := s.Prune(Old{Wall: c.now.Add(time.Hour)}); err != nil || n == 0 {
		t.Fatal(n, err)
	}
	kept := totalsOf(t, func() (payterm.Totals, error) { return s.Totals(1) })
	kept.EndedIn = nil
	if is, _ = json.Marshal(kept); string(was) != string(is) {
		t.Errorf("once its orders are dropped it says\n%s", is)
	}
	verify(t, s.Reader)
	if _, err := s.db.Exec(`UPDATE orders SET z = NULL WHERE outcome = 'approved' AND z IS NOT NULL`); err == nil {
		t.Error("a payment left its Z")
	}
	if list, err := s.People(); err != nil || len(list) != 0 {
		t.Errorf("a Z is taken for a person: %+v, %v", list, err)
	}
	if _, err := s.db.Exec(`DROP TRIGGER z_fixed; UPDATE z SET seq = 1 WHERE number = 1`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Verify(t.Context()); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a Z without its record: %v", err)
	}
	if _, err := s.Totals(1); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a Z without its record is read: %v", err)
	}
}

// TestDayTotals: each order is on one business day, whatever the clocks do; one without a time is
// on the day of the one before.
func TestDayTotals(t *testing.T) {
	c := &clock{time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)}
	s := shop(t, c)
	none := payterm.Order{}.CreatedAt
	at := func(text string) time.Time {
		got, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for i, one := range []struct {
		at  time.Time
		day string
	}{
		{none, "2026-10-31"}, // the clock was not set at opening time
		{at("2026-11-01T03:59:59-04:00"), "2026-10-31"},
		{at("2026-11-01T03:59:59-05:00"), "2026-10-31"}, // clocks went back at two
		{at("2026-11-01T04:00:00-05:00"), "2026-11-01"},
		{none, "2026-11-01"},
		{at("2026-11-02T03:59:59-05:00"), "2026-11-01"},
		{at("2026-11-02T04:00:00-05:00"), "2026-11-02"},
		{none, "2026-11-02"},
	} {
		before := map[string]int64{}
		for _, day := range []string{"2026-10-30", "2026-10-31", "2026-11-01", "2026-11-02", "2026-11-03"} {
			d := totalsOf(t, func() (payterm.Totals, error) { return s.DayTotals(day) })
			before[day] = only(d).AmountMinor
		}
		o := sold(t, s, one.at, payterm.KindSale, payterm.Approved, 1<<i)
		if i == 4 { // a Z in between changes nothing
			if _, err := s.TakeZ(noTaker); err != nil {
				t.Fatal(err)
			}
		}
		if i == 0 { // nothing tells yet where it belongs
			continue
		}
		for day, was := range before {
			want := was
			if day == one.day {
				want += o.AmountMinor
			}
			if i == 1 && day == one.day {
				want++ // the first one belongs here too
			}
			d := totalsOf(t, func() (payterm.Totals, error) { return s.DayTotals(day) })
			list, err := s.OfDay(day)
			if sum := only(d); sum.AmountMinor != want || d.Day != day || d.Number != 0 || err != nil ||
				len(list) != sum.Count {
				t.Errorf("order %d of %v: %s has %d, want %d; %d orders, %v", i, one.at, day, sum.AmountMinor, want,
					len(list), err)
			}
		}
	}
	if _, err := s.DayTotals("22/11/2026"); err == nil {
		t.Error("a day that is none was summed up")
	}
	doubt := sold(t, s, c.now, payterm.KindSale, payterm.InDoubt, 5000)
	d := totalsOf(t, func() (payterm.Totals, error) { return s.DayTotals("2026-11-03") })
	if len(d.Open) != 1 || d.Open[0].ID != doubt.ID || only(d).Count != 0 {
		t.Errorf("an open order: %+v", d)
	}
}

// TestUnclosed: a past day with a payment in no Z is reported; a payment of that day that came
// today belongs to today.
func TestUnclosed(t *testing.T) {
	c := &clock{time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)}
	s := shop(t, c)
	look := func(at time.Time, want string) {
		t.Helper()
		if got, err := s.Unclosed(at); err != nil || got != want {
			t.Errorf("at %v: %q, want %q, %v", at, got, want, err)
		}
	}
	look(c.now, "")
	sold(t, s, c.now, payterm.KindSale, payterm.Approved, 1000)
	doubt := sold(t, s, c.now, payterm.KindSale, payterm.InDoubt, 1000)
	look(c.now, "")
	look(time.Date(2026, 11, 23, 8, 59, 59, 0, time.UTC), "") // four in the morning is 09:00 UTC
	look(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), "2026-11-22")
	look(time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC), "2026-11-22")
	look(time.Time{}, "")
	if _, err := s.TakeZ(noTaker); err != nil {
		t.Fatal(err)
	}
	c.now = c.now.Add(24 * time.Hour)
	look(c.now, "")
	doubt.Outcome = payterm.Approved
	s.end(t, doubt, c.now)
	look(c.now, "")
	look(c.now.Add(24*time.Hour), "2026-11-22")
	if _, err := s.TakeZ(noTaker); err != nil {
		t.Fatal(err)
	}
	sold(t, s, c.now, payterm.KindSale, payterm.Declined, 1) // nothing to close
	look(c.now.Add(24*time.Hour), "")
}

// TestTotalsAreInTheShopsTime: the moments of a total have the shop's zone, also when a Z is read again.
func TestTotalsAreInTheShopsTime(t *testing.T) {
	c := &clock{time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)}
	s := shop(t, c)
	sold(t, s, c.now, payterm.KindSale, payterm.Approved, 1000)
	taken, err := s.TakeZ(noTaker)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Totals(1)
	if err != nil {
		t.Fatal(err)
	}
	day, err := s.DayTotals("2026-11-22")
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{
		"Z": taken.To.Format(time.RFC3339), "Z again": again.To.Format(time.RFC3339),
	} {
		if got != "2026-11-22T15:00:00-05:00" {
			t.Errorf("%s ends at %s", name, got)
		}
	}
	if from := day.From.Format(time.RFC3339); from != "2026-11-22T04:00:00-05:00" {
		t.Errorf("the day begins at %s", from)
	}
}

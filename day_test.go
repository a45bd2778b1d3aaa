package payterm_test

import (
	"testing"
	"time"

	"payterm"
)

// The days of a shop follow each other without a gap, whatever the clocks do, and
// each moment is in its own.
func TestDays(t *testing.T) {
	zone, err := time.LoadLocation("America/Toronto")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		starts         time.Duration
		at, from, long string
	}{
		{0, "2026-03-02T00:00:00-05:00", "2026-03-02T00:00:00-05:00", "24h0m0s"},
		{0, "2026-03-02T23:59:59-05:00", "2026-03-02T00:00:00-05:00", "24h0m0s"},
		{4 * time.Hour, "2026-03-02T03:59:59-05:00", "2026-03-01T04:00:00-05:00", "24h0m0s"},
		{4 * time.Hour, "2026-03-02T09:00:00Z", "2026-03-02T04:00:00-05:00", "24h0m0s"},
		{0, "2026-03-08T12:00:00-04:00", "2026-03-08T00:00:00-05:00", "23h0m0s"}, // clocks go forward
		{4 * time.Hour, "2026-03-08T01:00:00-05:00", "2026-03-07T04:00:00-05:00", "23h0m0s"},
		{0, "2026-11-01T01:30:00-05:00", "2026-11-01T00:00:00-04:00", "25h0m0s"}, // and back
		{5*time.Hour + 30*time.Minute, "2027-01-01T05:29:00-05:00", "2026-12-31T05:30:00-05:00", "24h0m0s"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		days := payterm.Days{Zone: zone, Starts: c.starts}
		from, to := days.Of(at)
		if got := from.Format(time.RFC3339); got != c.from || to.Sub(from).String() != c.long {
			t.Errorf("%s with days from %v: from %s, %v long, want %s and %s", c.at, c.starts, got, to.Sub(from), c.from, c.long)
		}
		if next, _ := days.Of(to); !next.Equal(to) {
			t.Errorf("%s: the next day begins at %v, not %v", c.at, next, to)
		}
		if before, end := days.Of(from.Add(-time.Nanosecond)); !end.Equal(from) || !before.Before(from) {
			t.Errorf("%s: the day before ends at %v", c.at, end)
		}
	}
}

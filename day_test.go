package payterm_test

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
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
		{0, "2026-11-01T01:30:00-05:00", "2026-11-01T00:00:00-04:00", "25h0m0s"},             // and back
		{2 * time.Hour, "2026-03-08T01:59:59-05:00", "2026-03-07T02:00:00-05:00", "24h0m0s"}, // at 2 it is 3
		{2 * time.Hour, "2026-03-08T03:00:00-04:00", "2026-03-08T03:00:00-04:00", "23h0m0s"},
		{5*time.Hour + 30*time.Minute, "2027-01-01T05:29:00-05:00", "2026-12-31T05:30:00-05:00", "24h0m0s"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		days := payterm.Days{Zone: zone, Starts: c.starts}
		from, to := days.Of(at)
		if got := from.Format(time.RFC3339); got != c.from || to.Sub(from).String() != c.long {
			t.Errorf("%s with days from %v: from %s, %v long, want %s and %s", c.at, c.starts, got, to.Sub(from),
				c.from, c.long)
		}
		if next, _ := days.Of(to); !next.Equal(to) {
			t.Errorf("%s: the next day begins at %v, not %v", c.at, next, to)
		}
		if before, end := days.Of(from.Add(-time.Nanosecond)); !end.Equal(from) || !before.Before(from) {
			t.Errorf("%s: the day before ends at %v", c.at, end)
		}
	}
}

// A date that was left out is no business day, and one that begins an hour late has its
// own name all day.
func TestNamesOfDays(t *testing.T) {
	apia, err := time.LoadLocation("Pacific/Apia")
	if err != nil {
		t.Fatal(err)
	}
	if from, to, err := (payterm.Days{Zone: apia, Starts: 4 * time.Hour}).Named("2011-12-30"); err == nil {
		t.Errorf("2011-12-30 in Apia is from %s to %s", from, to)
	}
	santiago, err := time.LoadLocation("America/Santiago")
	if err != nil {
		t.Fatal(err)
	}
	days := payterm.Days{Zone: santiago}
	from, to, err := days.Named("2026-09-06")
	if err != nil || from.Format(time.RFC3339) != "2026-09-06T01:00:00-03:00" ||
		to.Format(time.RFC3339) != "2026-09-07T00:00:00-03:00" {
		t.Errorf("from %s to %s, %v", from, to, err)
	}
	for _, at := range []time.Time{from, to.Add(-time.Nanosecond)} {
		if name := days.Name(at); name != "2026-09-06" {
			t.Errorf("%s is in %s", at, name)
		}
	}
	if name := days.Name(from.Add(-time.Nanosecond)); name != "2026-09-05" {
		t.Errorf("the moment before is in %s", name)
	}
}

// zones gives every zone of the tz database that Go brings along, one of those that
// are the same.
func zones(t *testing.T) map[string]*time.Location {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	database, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	all, known := map[string]*time.Location{}, map[string]bool{}
	for _, f := range database.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if known[string(data)] {
			continue
		}
		known[string(data)] = true
		if all[f.Name], err = time.LoadLocationFromTZData(f.Name, data); err != nil {
			t.Fatal(err)
		}
	}
	if len(all) < 300 {
		t.Fatalf("%d zones: the tz database has more", len(all))
	}
	return all
}

// The days of every zone follow each other without a gap, each has a name of its own
// that leads back to it, and holds the noon of its date, or where days begin after noon
// its date's last second. Apia had no 30 December 2011, so no day of that name; St.
// John's went back to the day before at 00:01; Santiago skips a midnight each year.
func TestDaysOfEveryZone(t *testing.T) {
	t.Parallel()
	begin, end := time.Date(2010, 11, 1, 0, 0, 0, 0, time.UTC), time.Date(2021, 11, 15, 0, 0, 0, 0, time.UTC)
	for name, zone := range zones(t) {
		for _, starts := range []time.Duration{0, 2 * time.Hour, 2*time.Hour + 30*time.Minute, 4 * time.Hour,
			12 * time.Hour, 23*time.Hour + 59*time.Minute} {
			days := payterm.Days{Zone: zone, Starts: starts}
			if err := follow(days, begin, end); err != nil {
				t.Errorf("%s, days from %v: %v", name, starts, err)
			}
		}
	}
}

// follow goes from day to day, and says what is wrong with the first one that is. Where
// the clock is not changed for a while it goes on to the next change.
func follow(days payterm.Days, begin, end time.Time) error {
	const near = 4 * 24 * time.Hour
	last := ""
	for at := begin; at.Before(end); {
		from, to := days.Of(at)
		name := days.Name(from)
		start, stop, err := days.Named(name)
		middle, bad := time.ParseInLocation(time.DateTime, name+" 12:00:00", days.Zone)
		if days.Starts > 12*time.Hour {
			middle, bad = time.ParseInLocation(time.DateTime, name+" 23:59:59", days.Zone)
		}
		switch first, next := days.Of(to.Add(-1)); {
		case at.Before(from) || !at.Before(to) || to.Sub(from) > 49*time.Hour:
			return fmt.Errorf("%s is in the day from %s to %s", at, from, to)
		case !first.Equal(from) || !next.Equal(to):
			return fmt.Errorf("%s: its last moment is in the day from %s to %s", name, first, next)
		case name <= last:
			return fmt.Errorf("%s follows %s at %s", name, last, from)
		case days.Name(to.Add(-1)) != name:
			return fmt.Errorf("%s ends as %s", name, days.Name(to.Add(-1)))
		case err != nil || !start.Equal(from) || !stop.Equal(to):
			return fmt.Errorf("%s is from %s to %s, and by its name from %s to %s: %w", name, from, to, start, stop,
				errors.Join(err, errors.New("not as it is named")))
		case bad != nil || middle.Before(from) || !middle.Before(to):
			return fmt.Errorf("%s is from %s to %s, without %s: %w", name, from, to, middle,
				errors.Join(bad, errors.New("not as it is named")))
		}
		last, at = name, to
		changed, changes := to.In(days.Zone).ZoneBounds()
		if changes.IsZero() {
			changes = end
		}
		if to.Sub(changed) > near && changes.Sub(to) > 2*near {
			at = changes.Add(-near)
		}
	}
	return nil
}

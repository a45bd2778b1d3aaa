package payterm

import (
	"fmt"
	"sort"
	"time"
)

// Days says when a business day begins: so long after midnight, in the shop's zone. A
// day has the date on which it begins, whatever the calendar says later: what is sold
// at 2 in the morning belongs to the evening before.
//
// It begins at the first moment that is at or after its time on the shop's clock. Where
// the clock skips that time, such as midnight in Santiago once a year, that is when it
// skips; where the clock shows the time twice, the first one. So the days follow each
// other without a gap, an hour longer or shorter where the clock is changed. A date
// that the zone left out (Apia had no 30 December 2011) is no day: the one before
// lasts until the one after.
type Days struct {
	Zone   *time.Location // nil for UTC
	Starts time.Duration  // 0 to 24 hours
}

// dayForm is how a business day is written: by its date.
const dayForm = "2006-01-02"

// Of gives the business day that holds a moment: from its beginning to that of the
// next one.
func (d Days) Of(at time.Time) (from, to time.Time) {
	_, from, to = d.holds(at)
	return from, to
}

// Name is the business day that holds a moment, as 2006-01-02.
func (d Days) Name(at time.Time) string {
	date, _, _ := d.holds(at)
	return date.Format(dayForm)
}

// Named gives the business day of a name, from its beginning to that of the next.
func (d Days) Named(day string) (from, to time.Time, err error) {
	date, err := time.Parse(dayForm, day)
	if err != nil {
		return from, to, fmt.Errorf("day %q: such as 2026-11-22", day)
	}
	if !d.exists(date) {
		return from, to, fmt.Errorf("day %s: clocks in %s have left it out", day, d.zone())
	}
	return d.begin(date), d.begin(d.next(date)), nil
}

func (d Days) zone() *time.Location {
	if d.Zone == nil {
		return time.UTC
	}
	return d.Zone
}

// holds gives the date of the day that holds a moment, and the day. A date is a
// midnight of UTC, whose days are all alike.
func (d Days) holds(at time.Time) (date, from, to time.Time) {
	year, month, day := at.In(d.zone()).Date()
	// A clock that is set back over midnight shows yesterday's date once more, on a day
	// that has begun.
	date = time.Date(year, month, day+1, 0, 0, 0, 0, time.UTC)
	for !d.exists(date) || d.begin(date).After(at) {
		date = date.AddDate(0, 0, -1)
	}
	return date, d.begin(date), d.begin(d.next(date))
}

// next is the date after another one.
func (d Days) next(date time.Time) time.Time {
	for date = date.AddDate(0, 0, 1); !d.exists(date); date = date.AddDate(0, 0, 1) {
	}
	return date
}

// exists reports whether the zone has a date: whether its noon is on it.
func (d Days) exists(date time.Time) bool {
	noon := reaches(d.zone(), date.Add(12*time.Hour))
	return noon.Day() == date.Day()
}

// begin is when the day of a date begins.
func (d Days) begin(date time.Time) time.Time { return reaches(d.zone(), date.Add(d.Starts)) }

// reaches gives the first moment at which the clocks of a zone show a local time, which
// is given as if it were UTC's, or a later one. (Time.ZoneBounds would say when they
// are changed, but is wrong on the last day of a leap year.)
func reaches(zone *time.Location, local time.Time) time.Time {
	offset := func(at time.Time) time.Duration {
		_, seconds := at.In(zone).Zone()
		return time.Duration(seconds) * time.Second
	}
	// No clock has ever been more than 16 hours off UTC, or changed twice in two days.
	before, after := offset(local.Add(-16*time.Hour)), offset(local.Add(16*time.Hour))
	early, late := local.Add(-max(before, after)), local.Add(-min(before, after))
	for _, at := range []time.Time{early, late} {
		if local.Equal(at.Add(offset(at))) {
			return at.In(zone)
		}
	}
	skipped := sort.Search(int(late.Sub(early)/time.Second), func(s int) bool {
		at := early.Add(time.Duration(s) * time.Second)
		return !at.Add(offset(at)).Before(local)
	})
	return early.Add(time.Duration(skipped) * time.Second).In(zone)
}

package payterm

import "time"

// Days says when a business day begins: so long after midnight, in the shop's zone.
type Days struct {
	Zone   *time.Location // nil for UTC
	Starts time.Duration  // 0 to 24 hours
}

// Of gives the business day that holds a moment: from its beginning to that of the
// next one. Where clocks are changed it is an hour longer or shorter.
func (d Days) Of(at time.Time) (from, to time.Time) {
	zone := d.Zone
	if zone == nil {
		zone = time.UTC
	}
	year, month, day := at.In(zone).Date()
	begin := func(day int) time.Time {
		return time.Date(year, month, day, 0, int(d.Starts/time.Minute), 0, 0, zone)
	}
	if at.Before(begin(day)) {
		day--
	}
	return begin(day), begin(day + 1)
}

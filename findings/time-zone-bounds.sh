#!/bin/sh
# Guess:   Time.ZoneBounds gives the interval that the time lies in: start <= t < end, in every year.
# Seen:    not after the last transition that a zone's table lists (2037), where Go follows the rule at the
#          table's end: of each leap year's 31 December (UTC) the end is that day's beginning, as if the year
#          had 365 days, so it lies before the time itself. Common years, and leap years before, are right.
# Matters: who goes from one change of the clocks to the next by the end of ZoneBounds is sent back there, and
#          a period that is cut at it has no length.
. "$(dirname "$0")/common"
modules
cat >main.go <<'GO'
package main

import (
	"fmt"
	"time"
	_ "time/tzdata"
)

func main() {
	for _, name := range []string{"America/Toronto", "Europe/Paris", "Australia/Sydney"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			panic(err)
		}
		for year := 2024; year <= 2052; year++ {
			for day := range 366 {
				t := time.Date(year, 1, 1+day, 12, 0, 0, 0, zone)
				start, end := t.ZoneBounds()
				if t.Year() == year && (t.Before(start) || !t.Before(end)) {
					fmt.Printf("%-16s %s: its offset ends at %s\n", name, t.Format("2006-01-02 15:04"),
						end.Format("2006-01-02 15:04"))
				}
			}
		}
	}
}
GO
gives go run . <<'SEEN'
America/Toronto  2040-12-31 12:00: its offset ends at 2040-12-30 19:00
America/Toronto  2044-12-31 12:00: its offset ends at 2044-12-30 19:00
America/Toronto  2048-12-31 12:00: its offset ends at 2048-12-30 19:00
America/Toronto  2052-12-31 12:00: its offset ends at 2052-12-30 19:00
Europe/Paris     2040-12-31 12:00: its offset ends at 2040-12-31 01:00
Europe/Paris     2044-12-31 12:00: its offset ends at 2044-12-31 01:00
Europe/Paris     2048-12-31 12:00: its offset ends at 2048-12-31 01:00
Europe/Paris     2052-12-31 12:00: its offset ends at 2052-12-31 01:00
Australia/Sydney 2040-12-31 12:00: its offset ends at 2040-12-31 11:00
Australia/Sydney 2044-12-31 12:00: its offset ends at 2044-12-31 11:00
Australia/Sydney 2048-12-31 12:00: its offset ends at 2048-12-31 11:00
Australia/Sydney 2052-12-31 12:00: its offset ends at 2052-12-31 11:00
SEEN

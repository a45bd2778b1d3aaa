#!/bin/sh
# Guess:   where clocks go forward at midnight, time.Date(y, m, d, 0, ...) gives the first moment of
#          day d, which is 01:00.
# Seen:    east of Greenwich it does. West of it the result is 23:00 of the day before. (The documentation
#          says that the time is right in one of the two offsets, and not in which.)
# Matters: "the start of day d" then lies in day d-1, and a day's totals get the wrong name. A test with a
#          zone of Africa or Asia does not see it.
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
	for _, d := range []struct {
		zone    string
		y, m, d int
	}{
		{"America/Santiago", 2022, 9, 11},
		{"America/Havana", 2024, 3, 10},
		{"America/Asuncion", 2023, 10, 1},
		{"Africa/Cairo", 2023, 4, 28},
		{"Asia/Beirut", 2024, 3, 31},
	} {
		zone, err := time.LoadLocation(d.zone)
		if err != nil {
			panic(err)
		}
		asked := fmt.Sprintf("%d-%02d-%02d 00:00", d.y, d.m, d.d)
		got := time.Date(d.y, time.Month(d.m), d.d, 0, 0, 0, 0, zone)
		fmt.Printf("%-16s asked for %s, got %s\n", d.zone, asked, got.Format("2006-01-02 15:04"))
	}
}
GO
gives go run . <<'SEEN'
America/Santiago asked for 2022-09-11 00:00, got 2022-09-10 23:00
America/Havana   asked for 2024-03-10 00:00, got 2024-03-09 23:00
America/Asuncion asked for 2023-10-01 00:00, got 2023-09-30 23:00
Africa/Cairo     asked for 2023-04-28 00:00, got 2023-04-28 01:00
Asia/Beirut      asked for 2024-03-31 00:00, got 2024-03-31 01:00
SEEN

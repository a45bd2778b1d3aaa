package main

import (
	"testing"
	"time"
)

// TestWordsOfTotals: a noun goes with its number, and a moment is in the zone that it came in.
func TestWordsOfTotals(t *testing.T) {
	for n, want := range map[int]string{0: "sales", 1: "sale", 2: "sales", 21: "sales"} {
		if got := plural(n, "sale"); got != want {
			t.Errorf("%d %s, want %s", n, got, want)
		}
	}
	at := time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC)
	for want, at := range map[string]time.Time{
		"the beginning": {}, "2026-03-02 14:00:00Z": at,
		"2026-03-02 09:00:00": at.In(time.FixedZone("EST", -5*3600)),
	} {
		if got := clockTime(at); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

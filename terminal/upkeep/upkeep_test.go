package upkeep

import (
	"testing"
	"time"
)

// TestNoBlink: a short absence is not shown; the end of a shown one is shown at once.
func TestNoBlink(t *testing.T) {
	const awayAfter = time.Second
	b := absence{after: awayAfter}
	var now time.Duration
	for i, x := range []struct {
		absent bool
		after  time.Duration
		says   bool
	}{
		{true, awayAfter / 2, false}, {false, awayAfter / 2, false}, {true, awayAfter / 2, false},
		{true, awayAfter / 4, false},
		{true, awayAfter / 4, true}, {true, time.Hour, true}, {false, 1, false}, {true, 1, false},
	} {
		now += x.after
		if says := b.tells(x.absent, now); says != x.says {
			t.Errorf("%d: it says so: %v", i, says)
		}
	}
}

package counter

import (
	"slices"
	"testing"
	"time"

	"payterm"
	"payterm/flows/order"

	"pgregory.net/rapid"
)

// TestTypedAmount: after any keys the screen shows the amount that a till would show: digits
// shift in from the right, and a digit that would pass the limit is refused.
func TestTypedAmount(t *testing.T) {
	keys := []payterm.Key{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", payterm.Key00, payterm.KeyClear,
		payterm.KeyCancel, payterm.KeyUp}
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.SampledFrom([]int64{1, 99, 10_000, 1_000_000, payterm.MaxMinor}).Draw(t, "limit")
		c := New(Settings{Currency: "CAD", MaxMinor: limit, Rules: order.DefaultRules()})
		typed := "" // the model keeps digits, not numbers
		for range rapid.IntRange(1, 40).Draw(t, "keys") {
			k := rapid.SampledFrom(keys).Draw(t, "key")
			switch longer := typed + string(k); {
			case k == payterm.KeyCancel:
				typed = ""
			case k == payterm.KeyClear:
				typed = typed[:max(0, len(typed)-1)]
			case k == payterm.KeyUp:
			case typed == "" && (k == "0" || k == payterm.Key00): // no leading zero
			case len(longer) < len(digitsOf(limit)), len(longer) == len(digitsOf(limit)) && longer <= digitsOf(limit):
				typed = longer
			}
			c, _ = Step(c, Stamped{Stamp: payterm.Stamp{Mono: time.Second}, Event: KeyPressed{k}})
			if shown := c.Shown.Total.Minor; digitsOf(shown) != typed {
				t.Fatalf("typed %q, on the screen %d", typed, shown)
			}
		}
	})
}

// digitsOf is the number in decimal, empty for 0.
func digitsOf(n int64) string {
	var digits []byte
	for ; n > 0; n /= 10 {
		digits = append(digits, byte('0'+n%10))
	}
	slices.Reverse(digits)
	return string(digits)
}

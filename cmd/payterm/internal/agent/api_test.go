package agent

import (
	"math"
	"testing"

	"payterm"
)

// TestTipKeepsToTheLimit: amount and tip together, also where their sum is more
// than an int64 holds.
func TestTipKeepsToTheLimit(t *testing.T) {
	var a Agent
	a.o.Config.Sale.MaxMinor = 1000
	for tip, ok := range map[int64]bool{0: true, 900: true, 901: false, -1: false, math.MaxInt64: false} {
		why := a.checkSale(SaleRequest{Mode: payterm.Passive, AmountMinor: 100, TipMinor: tip})
		if (why == "") != ok {
			t.Errorf("tip of %d: %q", tip, why)
		}
	}
}

package terminal

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
		req := SaleRequest{Mode: payterm.Passive, AmountMinor: 100, TipMinor: tip}
		why, err := a.checkSale(req)
		if why = req.wrong() + why; (why == "") != ok || err != nil {
			t.Errorf("tip of %d: %q %v", tip, why, err)
		}
	}
}

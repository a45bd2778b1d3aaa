package selling

import (
	"math"
	"strings"
	"testing"

	"payterm"
	"payterm/terminal/api"
)

// TestTipKeepsToTheLimit: the limit is for amount and tip together, also if their sum exceeds
// int64.
func TestTipKeepsToTheLimit(t *testing.T) {
	var s Selling
	s.o.Config.Sale.MaxMinor = 1000
	for tip, ok := range map[int64]bool{0: true, 900: true, 901: false, math.MaxInt64: false} {
		err := s.checkSale(api.SaleRequest{Mode: payterm.Passive, AmountMinor: 100, TipMinor: tip})
		if (err == nil) != ok {
			t.Errorf("tip of %d: %v", tip, err)
		}
	}
}

// TestRefs: a wrong reference is refused by its field's name, before anything begins, wherever
// one is accepted.
func TestRefs(t *testing.T) {
	var s Selling
	s.o.Config.Sale.MaxMinor = 1000
	for ref, wrong := range map[string]string{
		"": "", "Table 5 🍕": "", "Bàn số 5": "", "外賣\u200b42": "", strings.Repeat("賣", 64): "",
		strings.Repeat("賣", 65): "ref: 64 letters", "a\nb": "ref: it has the control sign U+000A",
		"\x1b@": "U+001B", "a\x00": "U+0000", "\u0085": "U+0085",
	} {
		for _, err := range []error{
			s.checkSale(api.SaleRequest{Mode: payterm.Passive, AmountMinor: 100, Ref: ref}),
			s.checkRefund(api.RefundRequest{Ref: ref}),
		} {
			if (err == nil) != (wrong == "") || err != nil && !strings.Contains(err.Error(), wrong) {
				t.Errorf("%q: %v, not %q", ref, err, wrong)
			}
		}
	}
}

package payterm_test

import (
	"slices"
	"testing"

	"payterm"

	"golang.org/x/text/currency"
)

// Whatever CLDR calls legal tender somewhere is in the table, but for what was withdrawn
// since its edition, and nothing else has a code that CLDR knows as no currency.
func TestCurrencies(t *testing.T) {
	withdrawn := []string{"ANG", "BGN", "BYR", "CUC", "HRK", "LTL", "LVL", "MRO", "SLL", "STD", "VEF", "ZMK", "ZWL"}
	tender := 0
	for it := currency.Query(); it.Next(); {
		if tender++; slices.Contains(withdrawn, it.Unit().String()) {
			continue
		}
		if c := payterm.Currency(it.Unit().String()); !c.Known() {
			t.Errorf("%s is legal tender in %s", c, it.Region())
		}
	}
	if tender < 150 {
		t.Errorf("%d currencies: CLDR has more", tender)
	}
	for c, exponent := range map[payterm.Currency]int{
		"CAD": 2, "JPY": 0, "KWD": 3, "UYW": 4, "CLF": 4, "CLP": 0, "IQD": 3, "HUF": 2, "IDR": 2, "TWD": 2, "UGX": 0,
		"ISK": 0, "MGA": 2, "AFN": 2,
	} {
		if !c.Known() || !c.Valid() || c.Exponent() != exponent {
			t.Errorf("%s: known %t, %d decimals, want %d", c, c.Known(), c.Exponent(), exponent)
		}
	}
	for _, c := range []payterm.Currency{"XYZ", "XXX", "XTS", "XAU", "XDR", "DEM", "BGN", "cad", "CA", ""} {
		if c.Known() {
			t.Errorf("%q is no currency", c)
		}
	}
	if text := (payterm.Amount{Minor: 1234, Currency: "KWD"}).String(); text != "1.234" {
		t.Error(text)
	}
	if text := (payterm.Amount{Minor: -1234, Currency: "JPY"}).String(); text != "-1234" {
		t.Error(text)
	}
	if a, err := payterm.ParseAmount("1.234", "KWD"); err != nil || a.Minor != 1234 {
		t.Errorf("%+v %v", a, err)
	}
}

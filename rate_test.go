package payterm_test

import (
	"testing"

	"payterm"
)

func TestParseRate(t *testing.T) {
	for text, want := range map[string]string{
		"5.24740000": "5.2474", "5.1932": "5.1932", "5.00000000": "5.00", "0.05000000": "0.05", "12": "12.00",
		"0.00000001": "0.00000001", "5.20": "5.20",
	} {
		if r, ok := payterm.ParseRate(text); !ok || r.String() != want {
			t.Errorf("%q: %s, %t, want %s", text, r, ok, want)
		}
	}
	for _, text := range []string{"", "0", "0.00000000", "-5.2", "5,2", "5.123456789", "1e3", "5.2 CNY", "9999999999"} {
		if r, ok := payterm.ParseRate(text); ok {
			t.Errorf("%q is read as %s", text, r)
		}
	}
}

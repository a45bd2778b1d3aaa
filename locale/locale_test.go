package locale

import (
	"strings"
	"testing"

	"payterm"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

var tags = map[string]language.Tag{"en": language.MustParse("en-CA"), "fr": language.CanadianFrench,
	"zh": language.SimplifiedChinese}

// TestNumbersAreCLDRs compares group and decimal separators with CLDR, as x/text has it.
func TestNumbersAreCLDRs(t *testing.T) {
	for _, l := range payterm.Languages {
		p := message.NewPrinter(tags[l])
		for _, minor := range []int64{0, 5, 50, 1234, 99999, 100000, 123456, 12345678, payterm.MaxMinor} {
			want := p.Sprint(number.Decimal(float64(minor)/100, number.Scale(2)))
			if got := Number(payterm.Amount{Minor: minor, Currency: "CAD"}, l); got != want {
				t.Errorf("%s: %q, CLDR writes %q", l, got, want)
			}
		}
	}
}

func TestDecimalsAndPercentsAreCLDRs(t *testing.T) {
	for _, l := range payterm.Languages {
		p := message.NewPrinter(tags[l])
		if got, want := Decimal("5.2474", l), p.Sprint(number.Decimal(5.2474, number.Scale(4))); got != want {
			t.Errorf("%s: %q, CLDR writes %q", l, got, want)
		}
		for _, n := range []int{0, 5, 15, 100} {
			if got, want := Percent(n, l), p.Sprint(number.Percent(float64(n)/100)); got != want {
				t.Errorf("%s: %q, CLDR writes %q", l, got, want)
			}
		}
	}
}

func TestPluralsAreCLDRs(t *testing.T) {
	for _, l := range payterm.Languages {
		for n := range 1200 {
			want := plural.Cardinal.MatchPlural(tags[l], n, 0, 0, 0, 0) == plural.One
			if One(n, l) != want {
				t.Errorf("%s: one of %d is %t", l, n, !want)
			}
		}
	}
}

func TestMoney(t *testing.T) {
	for _, c := range []struct {
		a          payterm.Amount
		en, fr, zh string
		coded      string // in French
	}{
		{payterm.Amount{Minor: 1234, Currency: "CAD"}, "$12.34", "12,34 $", "$12.34", "12,34 CAD"},
		{payterm.Amount{Minor: 123456789, Currency: "CAD"}, "$1,234,567.89", "1 234 567,89 $", "$1,234,567.89",
			"1 234 567,89 CAD"},
		{payterm.Amount{Minor: -500, Currency: "CAD"}, "-$5.00", "-5,00 $", "-$5.00", "-5,00 CAD"},
		{payterm.Amount{Minor: 1234, Currency: "JPY"}, "¥1,234", "1 234 ¥", "¥1,234", "1 234 JPY"},
		{payterm.Amount{Minor: 1234, Currency: "KWD"}, "KWD 1.234", "1,234 KWD", "KWD 1.234", "1,234 KWD"},
	} {
		for _, got := range [][2]string{
			{Money(c.a, "en"), c.en}, {Money(c.a, "fr"), c.fr}, {Money(c.a, "zh"), c.zh}, {Coded(c.a, "fr"), c.coded},
		} {
			if want := strings.ReplaceAll(got[1], " ", noBreak); got[0] != want {
				t.Errorf("%q, want %q", got[0], want)
			}
		}
	}
}

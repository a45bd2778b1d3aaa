package receipt

import (
	"slices"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/flows/order"
)

// A slip says an amount once, the rate without idle noughts and beside it what the total is in CNY, and the
// wallet's time in the form of the shop's own.
func TestLinesOfASale(t *testing.T) {
	o := payterm.Order{
		ID: "T1AAAAA000001", Kind: payterm.KindSale, Mode: payterm.Passive, Wallet: payterm.Alipay, AmountMinor: 1419,
		PaidMinor: 1419, Currency: "CAD", Outcome: payterm.Approved, TradeTime: "Mar 2, 2026 10:00:03 PM",
		ExchangeRate: "5.24740000", CreatedAt: time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC),
	}
	slip := func(language string, change func(*payterm.Order)) string {
		changed := o
		change(&changed)
		return text(Compose(order.SlipCustomer, changed, false, Options{Language: language}))
	}
	same := func(*payterm.Order) {}
	for _, c := range []struct {
		language string
		change   func(*payterm.Order)
		has, not []string
	}{
		{"en", same, []string{"\nTOTAL|CAD 14.19\nRate|5.2474 CNY/CAD\nIn CNY, about|74.46\n",
			"\nWallet time|2026-03-02 22:00:03\n", "\nDate|2026-03-02 14:00:00\nType|Sale\n"},
			[]string{"Amount|", "Mar"}},
		{"fr", same, []string{"\nTOTAL|14,19 CAD\nTaux|5,2474 CNY/CAD\nEn CNY, environ|74,46\n",
			"\nPayé le|2026-03-02 22:00:03\n"}, []string{"Montant|", "Mar", "5.2474"}},
		{"zh", same, []string{"\n汇率|5.2474 CNY/CAD\n约合人民币|74.46\n"}, []string{"\n金额|", "Mar"}},
		{"en", func(o *payterm.Order) { o.TipMinor, o.PaidMinor = 100, 1519 },
			[]string{"\nAmount|14.19\nTip|1.00\nTOTAL|CAD 15.19\n"}, nil},
		{"en", func(o *payterm.Order) { o.PaidMinor = 1450 },
			[]string{"\nAmount|14.19\nFee|0.31\nTOTAL|CAD 14.50\n"}, nil},
		{"en", func(o *payterm.Order) { o.ExchangeRate, o.TradeTime = "about five", "yesterday" },
			[]string{"\nRate|about five\n", "\nWallet time|yesterday\n"}, []string{"In CNY"}},
		{"en", func(o *payterm.Order) { o.ExchangeRate, o.TradeTime = "", "Mar 2, 2026, 9:05:03\u202fAM" },
			[]string{"\nWallet time|2026-03-02 09:05:03\n"}, []string{"Rate", "CNY"}},
	} {
		got := slip(c.language, c.change)
		for _, want := range c.has {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%s", c.language, want, got)
			}
		}
		for _, not := range c.not {
			if strings.Contains(got, not) {
				t.Errorf("%s: %q in\n%s", c.language, not, got)
			}
		}
	}
}

// The lines of a slip are in the same order in each language.
func TestSameLinesInEachLanguage(t *testing.T) {
	form := func(r payterm.Receipt) (kinds []string) {
		for _, l := range r.Lines {
			kinds = append(kinds, strings.Join([]string{string(rune('0' + l.Kind)), string(rune('0' + l.Align)),
				map[bool]string{true: "large"}[l.Large], map[bool]string{true: "bold"}[l.Bold]}, " "))
		}
		return kinds
	}
	for _, slip := range all {
		want := form(Compose(slip, sale, true, Options{Language: "en", Merchant: shop, Watermark: "TRAINING"}))
		for _, language := range payterm.Languages {
			got := form(Compose(slip, sale, true, Options{Language: language, Merchant: shop, Watermark: "TRAINING"}))
			if !slices.Equal(got, want) {
				t.Errorf("%s, %s: %q, in English %q", slip, language, got, want)
			}
		}
	}
}

// The code of a receipt is on the customer's slip of a sale that was paid, and nowhere else.
func TestReceiptQR(t *testing.T) {
	opt := Options{Language: "en", ReceiptQR: "https://example.com/r/{order}?till={ref}"}
	o := sale
	o.Ref = "A 1&2"
	for _, slip := range all {
		for _, outcome := range []payterm.Outcome{payterm.Approved, payterm.Declined, payterm.InDoubt} {
			o.Outcome = outcome
			r := Compose(slip, o, false, opt)
			at := slices.IndexFunc(r.Lines, func(l payterm.ReceiptLine) bool { return l.Kind == payterm.LineQR })
			if wanted := slip == order.SlipCustomer && outcome == payterm.Approved; wanted != (at >= 0) {
				t.Errorf("%s, %s: a code in line %d", slip, outcome, at)
			} else if wanted && r.Lines[at].Text != "https://example.com/r/T1AAAAA000001?till=A%201%262" {
				t.Errorf("%q", r.Lines[at].Text)
			}
		}
	}
	opt.ReceiptQR = ""
	if slices.ContainsFunc(Compose(order.SlipCustomer, sale, false, opt).Lines,
		func(l payterm.ReceiptLine) bool { return l.Kind == payterm.LineQR }) {
		t.Error("a code that nobody wanted")
	}
}

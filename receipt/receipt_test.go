package receipt

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/drivers/printer"
	"payterm/flows/order"
	"payterm/unifont"
)

// missing returns the texts that a language lacks.
func missing(t *texts) []string {
	var out []string
	v, all := reflect.ValueOf(*t), t.all()
	if listed := v.NumField() - 1; len(all) != listed { // the language itself is not a text
		out = append(out, fmt.Sprintf("%d of %d texts are listed", len(all), listed))
	}
	for i := range v.NumField() {
		name, text := v.Type().Field(i).Name, v.Field(i).String()
		if strings.TrimSpace(text) != text || text == "" {
			out = append(out, fmt.Sprintf("%s: %q", name, text))
		}
		for _, r := range text {
			if _, ok := unifont.Find(r); !ok {
				out = append(out, fmt.Sprintf("%s: no sign for %q", name, r))
			}
		}
	}
	for i, p := range all {
		if slices.Contains(all[:i], p) {
			out = append(out, fmt.Sprintf("%q is listed twice", *p))
		}
	}
	return out
}

func TestNoLanguageMissesAText(t *testing.T) {
	for _, name := range payterm.Languages {
		table := languages[name]
		if table == nil || table.language != name {
			t.Fatalf("no table of %s", name)
		}
		for _, m := range missing(table) {
			t.Errorf("%s: %s", name, m)
		}
	}
	spoilt := french
	spoilt.lateLine = ""
	if m := missing(&spoilt); len(m) != 1 || m[0] != `lateLine: ""` {
		t.Errorf("a text that is missing: %q", m)
	}
	spoilt = french
	spoilt.total = "\U0001F600"
	if m := missing(&spoilt); len(m) != 1 {
		t.Errorf("a text that cannot be drawn: %q", m)
	}
}

var (
	sale = payterm.Order{
		ID: "T1AAAAA000001", Kind: payterm.KindSale, Mode: payterm.Passive, Wallet: payterm.Alipay, AmountMinor: 123456,
		TipMinor:  100,
		PaidMinor: 123606, Currency: "CAD", Outcome: payterm.Approved,
	}
	shop = Merchant{Name: "Thé", TaxID: " TPS 123456789 RT0001; TVQ 1234567890 TQ0001\nX "}
	all  = []order.Slip{
		order.SlipMerchant, order.SlipCustomer, order.SlipLatePayment, order.SlipRefund, order.SlipRefundCustomer,
		order.SlipInDoubt, order.SlipResolved,
	}
)

// text returns a slip's lines, one in each line.
func text(r payterm.Receipt) string {
	var out strings.Builder
	for _, l := range r.Lines {
		out.WriteString(strings.TrimSuffix(l.Text+"|"+l.Right, "|") + "\n")
	}
	return strings.ReplaceAll(out.String(), "\u00a0", " ")
}

// TestWhoseLanguage: the customer's slips are in the customer's languages, the merchant's in the staff's.
func TestWhoseLanguage(t *testing.T) {
	for _, slip := range all {
		o := sale
		if slip == order.SlipInDoubt {
			o.Outcome = payterm.InDoubt
		}
		got := text(Compose(slip, o, true, Options{Language: "en", Customer: []string{"fr", "zh"}, Merchant: shop}))
		both, alone := "Montant / 金额|1 234,56\n", "Amount|1,234.56\n"
		if slip == order.SlipMerchant || slip == order.SlipLatePayment || slip == order.SlipRefund {
			both, alone = alone, both
		}
		if !strings.Contains(got, both) || strings.Contains(got, alone) {
			t.Errorf("%s:\n%s", slip, got)
		}
		if strings.Contains(got, between) ||
			!strings.Contains(got, "\nTPS 123456789 RT0001\nTVQ 1234567890 TQ0001\nX\n") {
			t.Errorf("%s:\n%s", slip, got)
		}
	}
	for _, c := range []struct {
		customer []string
		want     string
	}{
		{nil, "合计|CAD 1,236.06\n付款成功\n"},
		{[]string{"en"}, "TOTAL|CAD 1,236.06\nAPPROVED\n"},
		{[]string{"fr", "en"},
			"Montant / Amount|1 234,56\nPourboire / Tip|1,00\nFrais / Fee|0,50\nTOTAL|1 236,06 CAD\nAPPROUVÉ\nAPPROVED\n"},
		{[]string{"de"}, "TOTAL|CAD 1,236.06\nAPPROVED\n"},
	} {
		if got := text(Compose(order.SlipCustomer, sale, false,
			Options{Language: "zh", Customer: c.customer})); !strings.Contains(got, c.want) {
			t.Errorf("%v: no %q in\n%s", c.customer, c.want, got)
		}
	}
	if text := english.approved; text != "APPROVED" {
		t.Errorf("composing has changed the table: %q", text)
	}
}

// TestDoubtSlips: the two slips of a doubt say what they are, and no more.
func TestDoubtSlips(t *testing.T) {
	for _, c := range []struct {
		slip    order.Slip
		outcome payterm.Outcome
		says    []string
		never   []string
	}{
		{order.SlipInDoubt, payterm.InDoubt, []string{"RESULT NOT KNOWN YET", "no proof of payment", "IN DOUBT",
			string(sale.ID)}, []string{"APPROVED", "DECLINED", "Thank you"}},
		{order.SlipResolved, payterm.Approved, []string{"NOW IT IS KNOWN", "was made", "APPROVED"},
			[]string{"not made", "IN DOUBT"}},
		{order.SlipResolved, payterm.Declined, []string{"NOW IT IS KNOWN", "was not made", "Nothing was charged",
			"DECLINED"}, []string{"APPROVED", "IN DOUBT"}},
	} {
		o := sale
		o.Outcome = c.outcome
		got := text(Compose(c.slip, o, false, Options{Language: "en"}))
		for _, want := range c.says {
			if !strings.Contains(got, want) {
				t.Errorf("%s, %s: no %q in\n%s", c.slip, c.outcome, want, got)
			}
		}
		for _, not := range c.never {
			if strings.Contains(got, not) {
				t.Errorf("%s, %s: %q in\n%s", c.slip, c.outcome, not, got)
			}
		}
	}
}

// tape is a printer's line that records what it is sent.
type tape struct{ strings.Builder }

func (t *tape) Write(b []byte, _ time.Duration) (int, error) { return t.Builder.Write(b) }

func (t *tape) Read([]byte, time.Duration) (int, error) { return 0, errors.New("it says nothing") }

// TestEverySlipPrints: every slip in every language is printed on every printer. English and French need no
// pictures: the oldest code page has their letters.
func TestEverySlipPrints(t *testing.T) {
	for _, page := range []string{"cp437", "wpc1252", "pc858"} {
		for _, columns := range []int{16, 32, 42, 48} {
			for _, language := range []string{"en", "fr", "zh", "fr en", "zh fr"} {
				for _, slip := range all {
					for _, outcome := range []payterm.Outcome{payterm.Approved, payterm.Declined, payterm.Cancelled,
						payterm.NotSent, payterm.InDoubt} {
						o := sale
						o.Outcome, o.ExchangeRate, o.Payer, o.Operator, o.Ref = outcome, "5.19", "o***k", "7", "A1"
						names := strings.Fields(language)
						opt := Options{Language: names[0], Customer: names, Merchant: shop, Watermark: "TRAINING",
							MerchantID: "ON1", Terminal: "T1"}
						var paper tape
						p, err := printer.New(&paper, printer.Options{Columns: columns, CodePage: page,
							Sleep: func(time.Duration) {}})
						if err == nil {
							err = p.Print(t.Context(), Compose(slip, o, true, opt))
						}
						if err != nil {
							t.Fatalf("%s, %d columns, %s, %s, %s: %v", page, columns, language, slip, outcome, err)
						}
						if pictures := strings.Contains(paper.String(),
							"\x1dv0"); pictures != strings.Contains(language, "zh") {
							t.Fatalf("%s, %d columns, %s, %s, %s: pictures: %t", page, columns, language, slip, outcome,
								pictures)
						}
					}
				}
			}
		}
	}
}

// TestTotalsOfOne: counts and amounts of a total are written as in its language.
func TestTotalsOfOne(t *testing.T) {
	for _, c := range []struct {
		language        string
		sales, refunds  int
		minor, refunded int64
		want            string
	}{
		{"en", 1, 1, 500, 1234, "1 sale|5.00\n1 refund|-12.34\nNET|CAD -7.34\n"},
		{"en", 0, 2, 0, 100, "0 sales|0.00\n2 refunds|-1.00\nNET|CAD -1.00\n"},
		{"fr", 0, 1, 0, 500, "0 vente|0,00\n1 remboursement|-5,00\nNET|-5,00 CAD\n"},
		{"fr", 2, 0, 123456, 0, "2 ventes|1 234,56\nNET|1 234,56 CAD\n"},
		{"zh", 1, 0, 100, 0, "1 笔销售|1.00\n净额|CAD 1.00\n"},
	} {
		got := text(Totals(payterm.Totals{By: []payterm.TotalsRow{{
			Currency: "CAD", Wallet: payterm.Alipay, Count: c.sales, RefundCount: c.refunds, AmountMinor: c.minor,
			RefundedMinor: c.refunded,
		}}}, true, false, "CAD", Options{Language: c.language}))
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: no %q in\n%s", c.language, c.want, got)
		}
	}
}

// TestTotalsOfSeveral: a Z of several merchants and currencies has a sum for each, and never adds two of them.
func TestTotalsOfSeveral(t *testing.T) {
	z := payterm.Totals{
		Number: 7, TakenBy: payterm.TakenBy{Operator: payterm.TakenLocally, AllowedBy: payterm.SharedSupervisor},
		By: []payterm.TotalsRow{
			{MerchantID: "ON1", Currency: "CAD", Wallet: payterm.Alipay, Mode: payterm.Passive, Count: 1,
				AmountMinor: 1000},
			{MerchantID: "ON1", Currency: "JPY", Wallet: payterm.Alipay, Mode: payterm.Passive, Count: 1,
				AmountMinor: 1000},
			{MerchantID: "ON2", Currency: "KWD", Wallet: payterm.Alipay, Mode: payterm.Passive, Count: 1,
				AmountMinor: 1234},
		},
		Open: []payterm.Order{{ID: "T1AAAAA000001", AmountMinor: 500, Currency: "JPY"}},
	}
	for language, want := range map[string][]string{
		"en": {"Operator|this machine\nSupervisor|by PIN\n", "CAD\nMerchant ID|ON1\n", "NET|CAD 10.00\n",
			"JPY\nMerchant ID|ON1\n", "1 sale|1,000\nNET|JPY 1,000\n", "KWD\nMerchant ID|ON2\n", "NET|KWD 1.234\n",
			"T1AAAAA000001|JPY 500\n"},
		"fr": {"Opérateur|cet appareil\nSuperviseur|par NIP\n", "NET|10,00 CAD\n", "NET|1 000 JPY\n",
			"NET|1,234 KWD\n"},
		"zh": {"操作员|本机\n主管|凭密码\n", "净额|CAD 10.00\n", "净额|JPY 1,000\n", "净额|KWD 1.234\n"},
	} {
		got := text(Totals(z, true, false, "CAD", Options{Language: language}))
		for _, words := range want {
			if !strings.Contains(got, words) {
				t.Errorf("%s: no %q in\n%s", language, words, got)
			}
		}
		if n := strings.Count(got, textsFor(language).net+"|"); n != 3 {
			t.Errorf("%s: %d sums in\n%s", language, n, got)
		}
	}
}

// TestMerchantOfAnOrder: a slip names the merchant that its order was sent for, even if the terminal has
// another one now.
func TestMerchantOfAnOrder(t *testing.T) {
	o := payterm.Order{ID: "T1AAAAA000001", AmountMinor: 500, Currency: "CAD", MerchantID: "ON1"}
	if got := text(Compose(order.SlipMerchant, o, true, Options{MerchantID: "ON2"})); !strings.Contains(got,
		"Merchant ID|ON1\n") {
		t.Error(got)
	}
	o.MerchantID = ""
	if got := text(Compose(order.SlipMerchant, o, true, Options{MerchantID: "ON2"})); !strings.Contains(got,
		"Merchant ID|ON2\n") {
		t.Error(got)
	}
}

// TestHeadOfAnotherMerchant: no slip of a former merchant has the present shop's head.
func TestHeadOfAnotherMerchant(t *testing.T) {
	opt := Options{MerchantID: "ON2", Merchant: Merchant{Name: "Shop B"}, Zone: time.UTC}
	row := payterm.TotalsRow{MerchantID: "ON1", Currency: "CAD", Wallet: payterm.Alipay, Mode: payterm.Passive,
		Count: 1, AmountMinor: 500}
	now := row
	now.MerchantID = "ON2"
	for name, c := range map[string]struct {
		got  string
		head bool
		id   string
	}{
		"a slip of then": {text(Compose(order.SlipMerchant, payterm.Order{MerchantID: "ON1", Currency: "CAD"}, true, opt)),
			false, "ON1"},
		"a slip of now": {text(Compose(order.SlipMerchant, payterm.Order{MerchantID: "ON2", Currency: "CAD"}, true, opt)),
			true, "ON2"},
		"a Z of then": {text(Totals(payterm.Totals{Number: 1, By: []payterm.TotalsRow{row}}, true, true, "CAD", opt)),
			false, "ON1"},
		"a Z of both": {text(Totals(payterm.Totals{Number: 1, By: []payterm.TotalsRow{row, now}}, true, true, "CAD", opt)),
			true, "ON1"},
		"an X of nothing": {text(Totals(payterm.Totals{Number: 1}, false, false, "CAD", opt)), true, ""},
	} {
		if strings.Contains(c.got, "Shop B") != c.head || !strings.Contains(c.got, c.id) {
			t.Errorf("%s:\n%s", name, c.got)
		}
	}
}

// TestOpenOrdersOfTotals: a Z carries open orders over, an X does not.
func TestOpenOrdersOfTotals(t *testing.T) {
	for _, c := range []struct {
		language, x, z string
	}{
		{"en", "\n1 not final yet\n", "\n1 not final yet, carried over\n"},
		{"fr", "\n1 commande en suspens\n", "\n1 commande en suspens, reportée\n"},
		{"zh", "\n1 笔尚未完成\n", "\n1 笔尚未完成，转入下次\n"},
	} {
		of := payterm.Totals{Open: []payterm.Order{{ID: "T1AAAAA000001", AmountMinor: 500, Currency: "CAD"}}}
		for want, z := range map[string]bool{c.x: false, c.z: true} {
			if got := text(Totals(of, z, false, "CAD", Options{Language: c.language})); !strings.Contains(got, want) {
				t.Errorf("%s, Z %t: no %q in\n%s", c.language, z, want, got)
			}
		}
	}
}

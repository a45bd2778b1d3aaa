package receipt

import (
	"fmt"
	"slices"
	"time"

	"payterm"
	"payterm/locale"
)

// Totals composes the slip of a day total: an X during the day, a Z when it is closed. A Z that is printed
// again is marked COPY and is otherwise the same. currency is used for zero if nothing was sold.
func Totals(t payterm.Totals, z, again bool, currency payterm.Currency, opt Options) payterm.Receipt {
	return repeatable(again, func(again bool) payterm.Receipt { return totals(t, z, again, currency, opt) })
}

func totals(t payterm.Totals, z, again bool, currency payterm.Currency, opt Options) payterm.Receipt {
	tx := textsFor(opt.Language)
	r := payterm.Receipt{Name: "totals", Copy: again}
	if z {
		r.Name, r.Z = "z", t.Number
	}
	w := writer{&r}
	if opt.Watermark != "" {
		w.alert(opt.Watermark, false)
	}
	sums := t.Sums()
	of := func(sum payterm.TotalsRow) bool { return sum.MerchantID == "" || sum.MerchantID == opt.MerchantID }
	if len(sums) == 0 || slices.ContainsFunc(sums, of) { // otherwise it was another shop's
		w.head(opt.Merchant)
	}
	if again {
		w.alert(tx.copyMark, true)
	}
	if z {
		w.center(fmt.Sprintf(tx.zTitle, t.Number), true, true)
	} else {
		w.center(tx.xTitle, true, true)
		w.center(tx.xLine, false, false)
	}
	w.rule()
	day := t.Day
	if t.LastDay != "" {
		day += " - " + t.LastDay
	}
	w.pair(tx.day, day)
	if t.Number != 1 || !t.From.IsZero() { // the first day begins with the journal
		w.pair(tx.from, stamp(t.From, opt, tx))
	}
	w.pair(tx.to, stamp(t.To, opt, tx))
	w.pair(tx.terminal, opt.Terminal)
	w.taken(t.TakenBy, tx)
	if len(sums) == 0 {
		sums = []payterm.TotalsRow{{Currency: currency}}
	}
	for _, sum := range sums {
		w.sales(t.By, sum, len(sums) > 1 || !of(sum), tx)
	}
	if len(t.Open) > 0 {
		w.rule()
		words := tx.open
		if z {
			words = tx.carried
		}
		w.text(tx.count(len(t.Open), words))
		for _, o := range t.Open {
			money := tx.number(o.Total())
			if len(sums) > 1 || o.Currency != sums[0].Currency {
				money = locale.Coded(o.Total(), tx.language)
			}
			w.pair(string(o.ID), money)
		}
	}
	if t.Head != "" {
		w.rule()
		w.pair(tx.head, t.Head[:min(16, len(t.Head))])
	}
	if opt.Watermark != "" {
		w.alert(opt.Watermark, false)
		w.alert(tx.notMoney, false)
	}
	w.line(payterm.ReceiptLine{Kind: payterm.LineCut})
	return r
}

// taken adds who took a Z.
func (w writer) taken(by payterm.TakenBy, tx *texts) {
	if by.Operator == payterm.TakenLocally {
		by.Operator = tx.locally
	}
	if by.AllowedBy == payterm.SharedSupervisor { // this PIN has no name
		by.AllowedBy = tx.byPIN
	}
	w.pair(tx.operator, by.Operator)
	w.pair(tx.supervisor, by.AllowedBy)
}

// sales adds the sales of one merchant in one currency: its rows and their sum. If there are several, each has
// a heading with merchant and currency.
func (w writer) sales(rows []payterm.TotalsRow, sum payterm.TotalsRow, several bool, tx *texts) {
	block := func(row payterm.TotalsRow) {
		money := func(minor int64) string { return tx.number(payterm.Amount{Minor: minor, Currency: sum.Currency}) }
		w.pair(tx.count(row.Count, tx.sales), money(row.AmountMinor))
		if row.TipMinor != 0 {
			w.pair(tx.tip, money(row.TipMinor))
		}
		if row.RefundCount != 0 {
			w.pair(tx.count(row.RefundCount, tx.refunds), "-"+money(row.RefundedMinor))
		}
	}
	if several {
		w.rule()
		w.center(string(sum.Currency), true, true)
		w.pair(tx.merchantID, sum.MerchantID)
	}
	for _, row := range rows {
		if row.MerchantID != sum.MerchantID || row.Currency != sum.Currency {
			continue
		}
		w.rule()
		w.line(payterm.ReceiptLine{Kind: payterm.LinePair, Text: tx.walletName(row.Wallet), Right: mode(row.Mode, tx),
			Bold: true})
		w.pair(tx.operator, row.Operator)
		block(row)
	}
	w.rule()
	block(sum)
	w.total(tx.net, locale.Coded(sum.Net(), tx.language))
}

func mode(m payterm.Mode, t *texts) string {
	if m == payterm.Active {
		return t.codeShown
	}
	return t.codeScanned
}

// stamp formats a time in the shop's time zone.
func stamp(at time.Time, opt Options, t *texts) string {
	if at.IsZero() {
		return t.noClock
	}
	zone := opt.Zone
	if zone == nil {
		zone = time.UTC
	}
	return at.In(zone).Format("2006-01-02 15:04:05")
}

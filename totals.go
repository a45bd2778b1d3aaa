package payterm

import (
	"cmp"
	"slices"
	"time"
)

// Totals is a day total: X while the day goes on, Z when it is closed. A Z has a
// number without gaps, and each final order stands in exactly one.
type Totals struct {
	Number int64       `json:"number"` // of the Z; of an X, the number that the next Z will have
	From   time.Time   `json:"from,omitzero"`
	To     time.Time   `json:"to,omitzero"`
	By     []TotalsRow `json:"by"`
	Open   []Order     `json:"open"` // not final yet: they are in a later Z
	// the journal's last hash at that moment; of a Z, the one of its own record
	Head string `json:"head,omitempty"`

	TakenBy // of a Z

	// The business days on which its orders began, the first and the last, as
	// 2006-01-02; LastDay is empty where there is but one.
	Day     string `json:"day,omitempty"`
	LastDay string `json:"last_day,omitempty"`

	// EndedIn tells of an earlier Z in which later one the orders that it carried over
	// have ended.
	EndedIn map[OrderID]int64 `json:"ended_in,omitempty"`
}

// TakenBy says who took a Z.
type TakenBy struct {
	Operator  string `json:"operator,omitempty"`   // who was signed on, or where nobody was TakenLocally
	AllowedBy string `json:"allowed_by,omitempty"` // the supervisor whose PIN was typed
}

// TakenLocally is the operator of a Z that a program on this machine asked for while
// nobody was signed on.
const TakenLocally = "local"

// Cover notes the business days on which the orders began that are summed up.
func (t *Totals) Cover(days Days, orders []Order) {
	var first, last time.Time
	for _, o := range orders {
		switch {
		case o.CreatedAt.IsZero():
		case first.IsZero():
			first, last = o.CreatedAt, o.CreatedAt
		case o.CreatedAt.Before(first):
			first = o.CreatedAt
		case o.CreatedAt.After(last):
			last = o.CreatedAt
		}
	}
	if first.IsZero() {
		return
	}
	t.Day, t.LastDay = days.Name(first), days.Name(last)
	if t.Day == t.LastDay {
		t.LastDay = ""
	}
}

// TotalsRow sums what one wallet took in one mode from one operator, for one merchant
// in one currency: neither is ever added to another. Money is that of approved orders
// alone; sales and refunds are counted in the Z in which they became final.
type TotalsRow struct {
	Wallet        Channel  `json:"wallet"`
	Mode          Mode     `json:"mode"`
	Operator      string   `json:"operator"`
	Currency      Currency `json:"currency"`
	MerchantID    string   `json:"merchant_id"`
	Count         int      `json:"count"`
	AmountMinor   int64    `json:"amount_minor"` // without tips
	TipMinor      int64    `json:"tip_minor"`
	RefundCount   int      `json:"refund_count"`
	RefundedMinor int64    `json:"refunded_minor"`
}

// Net is what came in less what went back.
func (r TotalsRow) Net() Amount {
	return Amount{r.AmountMinor + r.TipMinor - r.RefundedMinor, r.Currency}
}

// takes adds what another row of its merchant and currency says.
func (r *TotalsRow) takes(more TotalsRow) {
	r.Count += more.Count
	r.AmountMinor += more.AmountMinor
	r.TipMinor += more.TipMinor
	r.RefundCount += more.RefundCount
	r.RefundedMinor += more.RefundedMinor
}

// Sums adds the rows up, for each merchant and currency by itself. It is empty where
// nothing was taken.
func (t Totals) Sums() []TotalsRow {
	var sums []TotalsRow
	for _, r := range t.By {
		at := slices.IndexFunc(sums, func(s TotalsRow) bool {
			return s.MerchantID == r.MerchantID &&
				s.Currency == r.Currency
		})
		if at < 0 {
			at, sums = len(sums), append(sums, TotalsRow{MerchantID: r.MerchantID, Currency: r.Currency})
		}
		sums[at].takes(r)
	}
	return sums
}

// TotalsOf sums orders up. Those that final tells to be open are listed.
func TotalsOf(orders []Order, final func(Order) bool) Totals {
	t := Totals{By: []TotalsRow{}, Open: []Order{}}
	rows := map[TotalsRow]*TotalsRow{} // by one with nothing summed up
	for _, o := range orders {
		if !final(o) {
			t.Open = append(t.Open, o)
			continue
		}
		if o.Outcome != Approved {
			continue
		}
		of := TotalsRow{Wallet: o.Wallet, Mode: o.Mode, Operator: o.Operator, Currency: o.Currency,
			MerchantID: o.MerchantID}
		if rows[of] == nil {
			row := of
			rows[of] = &row
		}
		if o.Kind == KindRefund {
			rows[of].takes(TotalsRow{RefundCount: 1, RefundedMinor: o.RefundedMinor})
			continue
		}
		rows[of].takes(TotalsRow{Count: 1, AmountMinor: o.AmountMinor, TipMinor: o.TipMinor})
	}
	for _, r := range rows {
		t.By = append(t.By, *r)
	}
	slices.SortFunc(t.By, func(a, b TotalsRow) int {
		return cmp.Or(cmp.Compare(a.MerchantID, b.MerchantID), cmp.Compare(a.Currency, b.Currency),
			cmp.Compare(a.Operator, b.Operator), cmp.Compare(a.Wallet, b.Wallet), cmp.Compare(a.Mode, b.Mode))
	})
	return t
}

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
	Open   []Order     `json:"open"`           // not final yet: they are in a later Z
	Head   string      `json:"head,omitempty"` // the journal's last hash at that moment; of a Z, the one of its own record

	// The business days on which its orders began, the first and the last, as
	// 2006-01-02; LastDay is empty where there is but one.
	Day     string `json:"day,omitempty"`
	LastDay string `json:"last_day,omitempty"`

	// EndedIn tells of an earlier Z in which later one the orders that it carried over
	// have ended.
	EndedIn map[OrderID]int64 `json:"ended_in,omitempty"`
}

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

// TotalsRow sums what one wallet took in one mode from one operator. Money is that
// of approved orders alone; sales and refunds are counted in the Z in which they
// became final.
type TotalsRow struct {
	Wallet        Wallet `json:"wallet"`
	Mode          Mode   `json:"mode"`
	Operator      string `json:"operator"`
	Count         int    `json:"count"`
	AmountMinor   int64  `json:"amount_minor"` // without tips
	TipMinor      int64  `json:"tip_minor"`
	RefundCount   int    `json:"refund_count"`
	RefundedMinor int64  `json:"refunded_minor"`
}

// Net is what came in less what went back.
func (r TotalsRow) Net() int64 { return r.AmountMinor + r.TipMinor - r.RefundedMinor }

// Sum adds the rows up.
func (t Totals) Sum() TotalsRow {
	var sum TotalsRow
	for _, r := range t.By {
		sum.Count += r.Count
		sum.AmountMinor += r.AmountMinor
		sum.TipMinor += r.TipMinor
		sum.RefundCount += r.RefundCount
		sum.RefundedMinor += r.RefundedMinor
	}
	return sum
}

// TotalsOf sums orders up. Those that final tells to be open are listed.
func TotalsOf(orders []Order, final func(Order) bool) Totals {
	t := Totals{By: []TotalsRow{}, Open: []Order{}}
	type group struct {
		wallet   Wallet
		mode     Mode
		operator string
	}
	rows := map[group]*TotalsRow{}
	for _, o := range orders {
		if !final(o) {
			t.Open = append(t.Open, o)
			continue
		}
		if o.Outcome != Approved {
			continue
		}
		g := group{o.Wallet, o.Mode, o.Operator}
		if rows[g] == nil {
			rows[g] = &TotalsRow{Wallet: o.Wallet, Mode: o.Mode, Operator: o.Operator}
		}
		if o.Kind == KindRefund {
			rows[g].RefundCount++
			rows[g].RefundedMinor += o.RefundedMinor
			continue
		}
		rows[g].Count++
		rows[g].AmountMinor += o.AmountMinor
		rows[g].TipMinor += o.TipMinor
	}
	for _, r := range rows {
		t.By = append(t.By, *r)
	}
	slices.SortFunc(t.By, func(a, b TotalsRow) int {
		return cmp.Or(cmp.Compare(a.Operator, b.Operator), cmp.Compare(a.Wallet, b.Wallet), cmp.Compare(a.Mode, b.Mode))
	})
	return t
}

package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"strconv"
	"time"

	"payterm"
	"payterm/storage"
)

type totalsCmd struct {
	store
	Which  string `arg:"" enum:"x,z" help:"x: so far, nothing changes. z: closes the day; each order is in one Z."`
	Number *int64 `help:"Show this Z again, from the journal; it is not printed."`
	CSV    bool   `help:"As comma-separated values, a line for each wallet, mode and operator."`
}

func (c totalsCmd) Run() error {
	var t payterm.Totals
	var err error
	switch {
	case c.Number != nil && c.Which == "x":
		return usage("totals: --number goes with z")
	case c.Number != nil && *c.Number < 1: // and by no means a new Z
		return usage("totals: --number is 1 or more")
	case c.CSV && c.JSON:
		return usage("totals: either --csv or --json")
	case c.Number != nil:
		err = c.read(func(r *storage.Reader) (err error) { t, err = r.Totals(*c.Number); return err })
	default:
		err = c.ask("POST", "/totals/"+c.Which, nil, &t)
	}
	if err != nil {
		return err
	}
	if c.CSV {
		return totalsCSV(t)
	}
	return c.print(t, func() {
		fmt.Printf("%s %d  %s to %s\n", map[string]string{"x": "X before Z", "z": "Z"}[c.Which], t.Number, moment(t.From), moment(t.To))
		row := func(name string, r payterm.TotalsRow) {
			fmt.Printf("%-30s %5d sales %12s  tips %10s  %3d refunds %12s\n", name, r.Count, minor(r.AmountMinor), minor(r.TipMinor), r.RefundCount, minor(r.RefundedMinor))
		}
		for _, r := range t.By {
			row(fmt.Sprintf("%s %s %s", r.Wallet, r.Mode, r.Operator), r)
		}
		sum := t.Sum()
		row("all", sum)
		fmt.Printf("%-30s %24s\n", "net", minor(sum.Net()))
		for _, o := range t.Open {
			fmt.Printf("not final yet: %s %s %s\n", o.ID, o.Total(), o.Outcome)
		}
	})
}

func totalsCSV(t payterm.Totals) error {
	w := csv.NewWriter(os.Stdout)
	rows := [][]string{{"number", "from", "to", "wallet", "mode", "operator", "count", "amount_minor", "tip_minor", "refund_count", "refunded_minor"}}
	for _, r := range t.By {
		n := func(i int64) string { return strconv.FormatInt(i, 10) }
		rows = append(rows, []string{n(t.Number), moment(t.From), moment(t.To), string(r.Wallet), string(r.Mode), r.Operator,
			n(int64(r.Count)), n(r.AmountMinor), n(r.TipMinor), n(int64(r.RefundCount)), n(r.RefundedMinor)})
	}
	return w.WriteAll(rows)
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "the beginning"
	}
	return t.Format(time.RFC3339)
}

// minor writes an amount for a table; the currency is the merchant's.
func minor(n int64) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	return sign + payterm.Amount{Minor: n, Currency: "CAD"}.String()
}

package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/storage"
	"payterm/terminal/api"
)

type totalsCmd struct {
	store
	Which    string `arg:"" enum:"x,z" help:"x: the total so far; nothing changes. z: closes the day; each order is in exactly one Z."`
	Number   *int64 `help:"Show the Z with this number, from the journal, without printing it."`
	Print    bool   `help:"With --number: print the Z again, marked as a copy."`
	Day      string `help:"With x: the orders that began on this business day, such as 2026-11-22, in whichever Z they are; nothing is printed."`
	Operator string `help:"With z: the number of the supervisor, or 'supervisor' if the configuration has only one PIN. The PIN is read from the shell's terminal or from standard input. Without this flag the PIN is typed at the payment terminal."`
	CSV      bool   `help:"Print comma-separated values: a line for each wallet, mode and operator, and for each open order."`
}

func (c totalsCmd) Run() error {
	var t payterm.Totals
	var err error
	ctx := context.Background()
	switch {
	case c.Number != nil && c.Which == "x":
		return usage("totals: --number goes with z")
	case c.Number != nil && *c.Number < 1: // not a new Z
		return usage("totals: --number is 1 or more")
	case c.Day != "" && (c.Which == "z" || c.Number != nil):
		return usage("totals: --day goes with x")
	case c.Print && c.Number == nil:
		return usage("totals: --print goes with --number; a new total is printed anyway")
	case c.Operator != "" && (c.Which != "z" || c.Number != nil):
		return usage("totals: --operator goes with a new z")
	case c.CSV && c.JSON:
		return usage("totals: either --csv or --json")
	case c.Day != "":
		if _, err := time.Parse(time.DateOnly, c.Day); err != nil {
			return usage("totals: --day %q: such as 2026-11-22", c.Day)
		}
		t, err = c.agent().DayTotals(ctx, c.Day)
	case c.Number != nil && c.Print:
		t, err = c.agent().PrintZ(ctx, *c.Number)
	case c.Number != nil:
		err = c.read(func(r *storage.Reader) (err error) { t, err = r.Totals(*c.Number); return err })
	case c.Which == "z":
		t, err = c.takeZ(ctx)
	default:
		t, err = c.agent().X(ctx)
	}
	if err != nil {
		return err
	}
	if c.CSV {
		return totalsCSV(t)
	}
	return c.print(t, func() {
		name := map[string]string{"x": "X before Z", "z": "Z"}[c.Which]
		if t.Number == 0 {
			fmt.Printf("business day %s  %s to %s\n", t.Day, clockTime(t.From), clockTime(t.To))
		} else {
			fmt.Printf("%s %d  %s to %s  business days: %s\n", name, t.Number, clockTime(t.From), clockTime(t.To), days(t))
		}
		if t.Operator != "" || t.AllowedBy != "" {
			fmt.Println("taken by", who(t.TakenBy))
		}
		row := func(name string, r payterm.TotalsRow) {
			money := func(minor int64) payterm.Amount { return payterm.Amount{Minor: minor, Currency: r.Currency} }
			fmt.Printf("%-30s %5d %-5s %12s  tips %10s  %3d %-7s %12s  %s\n",
				name, r.Count, plural(r.Count, "sale"), money(r.AmountMinor), money(r.TipMinor), r.RefundCount,
				plural(r.RefundCount, "refund"), money(r.RefundedMinor), r.Currency)
		}
		sums := t.Sums()
		for _, sum := range sums {
			if len(sums) > 1 {
				fmt.Printf("merchant %s, %s\n", sum.MerchantID, sum.Currency)
			}
			for _, r := range t.By {
				if r.MerchantID == sum.MerchantID && r.Currency == sum.Currency {
					row(fmt.Sprintf("%s %s %s", r.Wallet, r.Mode, r.Operator), r)
				}
			}
			row("all", sum)
			fmt.Printf("%-30s %24s  %s\n", "net", sum.Net(), sum.Currency)
		}
		if len(sums) == 0 {
			fmt.Println("nothing was taken")
		}
		for _, o := range t.Open {
			since := ""
			if z := t.EndedIn[o.ID]; z != 0 {
				since = fmt.Sprintf(", ended in Z %d", z)
			}
			fmt.Printf("not final yet: %s %s %s %s%s\n", o.ID, o.Total(), o.Currency, o.Outcome, since)
		}
	})
}

// patience is when a waiting user is told what the agent may wait for.
const patience = 3 * time.Second

// takeZ asks the agent for a Z. A PIN is never a command-line argument, which every user of the
// machine could read.
func (c totalsCmd) takeZ(ctx context.Context) (payterm.Totals, error) {
	req := api.ZRequest{Operator: c.Operator}
	if c.Operator != "" {
		pin, err := readLine(os.Stdin, os.Stderr, "PIN: ")
		if err != nil {
			return payterm.Totals{}, err
		}
		req.PIN = counter.PIN(pin)
	}
	waits := time.AfterFunc(patience, func() {
		fmt.Fprintln(os.Stderr,
			"payterm: waiting; where a supervisor's PIN guards the Z it is to be typed at the terminal")
	})
	defer waits.Stop()
	return c.agent().Z(ctx, req)
}

// who is who took a Z.
func who(by payterm.TakenBy) string {
	switch {
	case by.AllowedBy == "":
		return by.Operator
	case by.Operator == "":
		return "allowed by " + by.AllowedBy
	}
	return by.Operator + ", allowed by " + by.AllowedBy
}

// days are the business days of a total.
func days(t payterm.Totals) string {
	switch {
	case t.Day == "":
		return "none"
	case t.LastDay == "":
		return t.Day
	}
	return t.Day + " to " + t.LastDay
}

// totalsCSV writes a line for each row and for each open order, which is in no sum.
func totalsCSV(t payterm.Totals) error {
	return writeCSV(os.Stdout, append([][]string{totalsHead}, totalsRows(t)...))
}

// totalsHead names the columns of totalsRows.
var totalsHead = []string{"number", "from", "to", "wallet", "mode", "operator", "count", "amount_minor", "tip_minor",
	"refund_count", "refunded_minor",
	"day", "last_day", "open_order_id", "open_minor", "ended_in", "currency", "merchant_id",
	"taken_by", "allowed_by"}

func totalsRows(t payterm.Totals) (rows [][]string) {
	n := func(i int64) string { return strconv.FormatInt(i, 10) }
	last := t.LastDay
	if last == "" {
		last = t.Day
	}
	line := func(wallet payterm.Channel, mode payterm.Mode, operator string, sums ...string) {
		row := []string{n(t.Number), moment(t.From), moment(t.To), string(wallet), string(mode), operator}
		rows = append(rows, slices.Concat(row, sums, []string{t.Operator, t.AllowedBy}))
	}
	for _, r := range t.By {
		line(r.Wallet, r.Mode, r.Operator,
			n(int64(r.Count)), n(r.AmountMinor), n(r.TipMinor), n(int64(r.RefundCount)), n(r.RefundedMinor), t.Day,
			last, "", "", "", string(r.Currency), r.MerchantID)
	}
	for _, o := range t.Open {
		ended := ""
		if z := t.EndedIn[o.ID]; z != 0 {
			ended = n(z)
		}
		line(o.Wallet, o.Mode, o.Operator, "0", "0", "0", "0", "0", t.Day, last, string(o.ID), n(o.Total().Minor),
			ended, string(o.Currency), o.MerchantID)
	}
	if len(rows) == 0 && t.Number != 0 { // a Z of nothing is a Z
		line("", "", "", "0", "0", "0", "0", "0", t.Day, last, "", "", "", "", "")
	}
	return rows
}

// plural returns a noun in the form that goes with a number.
func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// clockTime returns a moment for people: in the shop's time, which the journal has it in.
func clockTime(t time.Time) string {
	if t.IsZero() {
		return "the beginning"
	}
	if t.Location() == time.UTC {
		return t.Format(time.DateTime + "Z")
	}
	return t.Format(time.DateTime)
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "the beginning"
	}
	return t.Format(time.RFC3339)
}

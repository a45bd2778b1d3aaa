package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"

	"payterm"
	"payterm/terminal"
)

type reconcileCmd struct {
	store
	Day    string `xor:"what" help:"A business day, such as 2026-11-22; this one when it is left out."`
	Number *int64 `xor:"what" help:"The Z of this number instead."`
}

// maxReport bounds the report of a day, in bytes.
const maxReport = 64 << 20

// Run ends with status 1 where anything differs or is unknown.
func (c reconcileCmd) Run() error {
	q := url.Values{}
	if c.Day != "" {
		q.Set("day", c.Day)
	}
	if c.Number != nil {
		q.Set("number", strconv.FormatInt(*c.Number, 10))
	}
	resp, err := c.call("POST", "/reconcile?"+q.Encode(), nil)
	if err != nil {
		return c.nobody(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxReport)
	for lines.Scan() {
		var l terminal.ReconcileLine
		switch err := json.Unmarshal(lines.Bytes(), &l); {
		case err != nil:
			return fmt.Errorf("reconcile: the agent's answer: %w", err)
		case l.Error != "":
			return errors.New(l.Error)
		case l.Report != nil:
			return c.end(*l.Report)
		}
		fmt.Fprintf(os.Stderr, "\r%d of %d", l.Checked, l.Of)
		if l.Checked == l.Of {
			fmt.Fprintln(os.Stderr)
		}
	}
	return errors.New("the agent went away; what it has found so far is on the terminal's lists")
}

func (c reconcileCmd) end(rep terminal.Reconciliation) error {
	err := c.print(rep, func() {
		fmt.Printf("%d sales, %d agree, %d the gateway did not tell of\n", rep.Sales, rep.Agree, rep.Unknown)
		for _, d := range rep.Differences {
			ours, theirs := payterm.Amount{Minor: d.OursMinor, Currency: d.Currency}, payterm.Amount{Minor: d.GatewayMinor, Currency: d.Currency}
			switch d.What {
			case terminal.DiffersOpen, terminal.DiffersUnknown:
				fmt.Printf("%-20s %-9s here %s  %s\n", d.OrderID, d.What, d.Outcome, d.Why)
			default:
				fmt.Printf("%-20s %-9s here %s %s %s, at the gateway %s %s %s\n", d.OrderID, d.What, d.Outcome, ours, d.Currency, d.Answer, theirs, d.Why)
			}
		}
	})
	if err == nil && len(rep.Differences) > 0 {
		return exitStatus(1)
	}
	return err
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"payterm"
	"payterm/terminal/api"
)

type reconcileCmd struct {
	store
	Day    string `xor:"what" help:"The business day, such as 2026-11-22; when left out, the present one."`
	Number *int64 `xor:"what" help:"The number of a Z, instead of a day."`
}

// Run ends with status 1 if anything differs or is unknown.
func (c reconcileCmd) Run() error {
	req := api.ReconcileRequest{Day: c.Day}
	if c.Number != nil {
		if req.Number = *c.Number; req.Number < 1 {
			return usage("reconcile: the number of a Z is 1 or more")
		}
	}
	watched := isTerminal(os.Stderr) // else the file or log would get a line of every step
	rep, err := c.agent().Reconcile(context.Background(), req, func(n, of int) {
		if !watched {
			return
		}
		fmt.Fprintf(os.Stderr, "\r%d of %d", n, of)
		if n == of {
			fmt.Fprintln(os.Stderr)
		}
	})
	var broke *api.ConnectionError
	switch {
	case errors.As(err, &broke) && broke.Sent:
		return errors.New("the agent went away; what it has found so far is on the terminal's lists")
	case err != nil:
		return err
	}
	return c.end(rep)
}

func (c reconcileCmd) end(rep api.Reconciliation) error {
	err := c.print(rep, func() {
		fmt.Printf("%d sales, %d agree, %d the gateway did not tell of\n", rep.Sales, rep.Agree, rep.Unknown)
		for _, d := range rep.Differences {
			ours, theirs := payterm.Amount{Minor: d.OursMinor, Currency: d.Currency},
				payterm.Amount{Minor: d.GatewayMinor, Currency: d.Currency}
			switch d.What {
			case api.DiffersOpen, api.DiffersUnknown:
				fmt.Printf("%-20s %-9s here %s  %s\n", d.OrderID, d.What, d.Outcome, d.Why)
			default:
				fmt.Printf("%-20s %-9s here %s %s %s, at the gateway %s %s %s\n", d.OrderID, d.What, d.Outcome, ours,
					d.Currency, d.Answer, theirs, d.Why)
			}
		}
	})
	if err == nil && len(rep.Differences) > 0 {
		return exitStatus(1)
	}
	return err
}

package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"payterm"
	"payterm/storage"
)

type listCmd struct {
	store
	People  bool            `help:"List who signed on and off, wrong PINs, and what supervisors allowed."`
	Since   string          `help:"Only orders that began at this time or later: 2026-11-28, 2026-11-28T14:00 (UTC), or 90m, 12h, 7d ago." placeholder:"TIME"`
	Until   string          `help:"Only orders that began before this time." placeholder:"TIME"`
	Outcome payterm.Outcome `help:"Only orders with this outcome: approved, declined, cancelled, in_doubt, not_sent, open." placeholder:"OUTCOME"`
	Ref     string          `help:"Only orders with this reference of the till." placeholder:"TEXT"`
	Last    int             `help:"Only the newest N orders." placeholder:"N"`
	Skip    int             `help:"Leave out the newest N orders: --last=20 --skip=20 is the page before --last=20." placeholder:"N"`
}

// outcomes are the possible outcomes of an order: those that have an exit status, and none so far.
func outcomes() []payterm.Outcome {
	return slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(exits)), payterm.Open)))
}

// query returns the query that the flags select.
func (c listCmd) query(now time.Time) (q storage.Query, err error) {
	if q.Since, err = timeOrAgo("--since", c.Since, now); err != nil {
		return q, err
	}
	if q.Until, err = timeOrAgo("--until", c.Until, now); err != nil {
		return q, err
	}
	if q.Outcome = c.Outcome; q.Outcome != "" && !slices.Contains(outcomes(), q.Outcome) {
		return q, usage("--outcome %s: one of %s is needed", c.Outcome,
			strings.ReplaceAll(strings.Trim(fmt.Sprint(outcomes()), "[]"), " ", ", "))
	}
	if c.Last < 0 {
		return q, usage("--last %d: a number above 0 is needed", c.Last)
	}
	if c.Skip < 0 {
		return q, usage("--skip %d: a number above 0 is needed", c.Skip)
	}
	q.Ref, q.Last, q.Skip = c.Ref, c.Last, c.Skip
	return q, nil
}

// timeOrAgo parses a time, or a duration before now.
func timeOrAgo(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00",
		time.RFC3339, "2006-01-02 15:04:05Z07:00"} {
		if t, err := time.Parse(form, text); err == nil {
			return t, nil
		}
	}
	ago, err := time.ParseDuration(text)
	if days, is := strings.CutSuffix(text, "d"); is {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 16)
		ago = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || ago < 0 {
		return time.Time{}, usage("%s %s: a time such as 2026-11-28 or 2026-11-28T14:00 (UTC) is needed, or 90m, 12h, 7d for so long ago", flag, text)
	}
	return now.Add(-ago), nil
}

func (c listCmd) Run() error {
	if c.People {
		if c.Since+c.Until+string(c.Outcome)+c.Ref != "" || c.Last != 0 || c.Skip != 0 {
			return usage("--people lists all of them: the other flags pick orders")
		}
		return c.people()
	}
	q, err := c.query(time.Now())
	if err != nil {
		return err
	}
	return c.read(func(r *storage.Reader) error {
		orders, err := r.Select(q)
		if err != nil {
			return err
		}
		return c.print(orderList{orders}, func() {
			switch {
			case len(orders) == 0 && q == (storage.Query{}):
				fmt.Println("no orders yet")
			case len(orders) == 0:
				fmt.Println("no such orders")
			}
			for _, o := range orders {
				fmt.Println(listed(o))
			}
		})
	})
}

// orderList is the JSON document of a list.
type orderList struct {
	Orders []payterm.Order `json:"orders"`
}

// listed formats an order in one line.
func listed(o payterm.Order) string {
	began := "clock not set"
	if !o.CreatedAt.IsZero() {
		began = o.CreatedAt.UTC().Format("2006-01-02 15:04:05Z")
	}
	ref := ""
	if o.Ref != "" {
		ref = strconv.Quote(o.Ref)
	}
	return strings.TrimRight(fmt.Sprintf("%-20s  %-20s %-6s %-7s %-9s %10s %s  %-9s %s %s", began, o.ID, o.Kind, o.Mode,
		cmp.Or(o.Wallet, "-"), o.Total(), o.Currency, o.Outcome, o.Reason, ref), " ")
}

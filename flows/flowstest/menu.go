package flowstest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"payterm"
	"payterm/flows/counter"
)

// look answers what the journal can answer; answers of the gateway, the totals and the rate are
// lines of the story.
func (w *world) look(q counter.Query) error {
	w.looked = q
	fits := func(o payterm.Order) bool { return string(o.ID) == q.Text }
	switch q.What {
	case counter.LookOrder:
	case counter.LookNumber:
		fits = func(o payterm.Order) bool { return numbered(o, q.Text) }
	case counter.LookList:
		fits = func(o payterm.Order) bool { return w.listed(o, payterm.OrderList(q.Text)) }
	case counter.LookGateway, counter.LookTotals, counter.LookRate, counter.LookPerson, counter.LookPIN:
		return nil
	}
	found, skip := counter.Found{Query: q, Failed: w.blind}, q.Skip
	if w.blind {
		return w.feed(found, true)
	}
	for _, o := range slices.Backward(w.orders) {
		row := o.state.Row()
		found.Asking = found.Asking || q.What == counter.LookOrder && fits(row) && !o.state.Settled()
		switch n := found.Rows.Count(); {
		case !fits(row):
		case skip > 0:
			skip--
		case n == q.Rows:
			found.More = true
		default:
			found.Rows[n] = counter.RowOf(row)
		}
	}
	return w.feed(found, true)
}

// numbered does what storage does for the end of a number.
func numbered(o payterm.Order, end string) bool {
	if len(end) < payterm.MinNumber {
		end = fmt.Sprintf("%0*s", payterm.MinNumber, end)
	}
	return strings.HasSuffix(string(o.ID), end) || o.ChannelOrderID != "" && strings.HasSuffix(o.ChannelOrderID, end)
}

// listed does what storage does for its lists.
func (w *world) listed(o payterm.Order, list payterm.OrderList) bool {
	switch list {
	case payterm.ListSales:
		return counter.RowOf(o).Left().Minor > 0
	case payterm.ListOpen:
		return !w.find(o.ID).state.Settled() || o.Attention == payterm.AttentionDoubt ||
			o.Attention == payterm.AttentionAlarm
	case payterm.ListLate:
		return o.Attention == payterm.AttentionLatePayment
	case payterm.ListNewest:
	}
	return true
}

// query is the counter's last question, which it may have left since.
func (w *world) query(what counter.Lookup) (counter.Query, error) {
	if q := w.looked; q.What == what {
		return q, nil
	}
	return counter.Query{}, fmt.Errorf("nobody asks for %s", what)
}

func (w *world) says(words []string) error {
	q, err := w.query(counter.LookGateway)
	if err != nil {
		return err
	}
	o := w.find(payterm.OrderID(q.Text))
	var a payterm.Answer
	if !slices.Equal(words, []string{"nothing"}) {
		if a, err = w.answer(o, words); err != nil {
			return err
		}
	}
	row := counter.RowOf(o.state.Row())
	return w.feed(counter.OrderTold{Query: q, Order: row, Verdict: counter.VerdictOf(row, a)}, true)
}

func (w *world) unreadable([]string) error {
	return w.feed(counter.OrderTold{Query: w.looked, Failed: true}, true)
}

func (w *world) totals(words []string) error {
	q, err := w.query(counter.LookTotals)
	if err != nil {
		return err
	}
	told := counter.TotalsTold{Query: q, Currency: currency,
		Sums:    [counter.MaxSums]payterm.TotalsRow{{Currency: currency}},
		SumsAll: 1}
	if len(words) < 3 {
		told.Why, told.Sums, told.SumsAll = strings.Join(words, " "), [counter.MaxSums]payterm.TotalsRow{}, 0
		return w.feed(told, true)
	}
	sum, err := payterm.ParseAmount(words[2], currency)
	if err != nil {
		return err
	}
	told.Sums[0].AmountMinor = sum.Minor
	if _, err := fmt.Sscan(words[0]+" "+words[1], &told.Number, &told.Sums[0].Count); err != nil {
		return err
	}
	if len(words) == 5 && words[3] == "open" {
		n, err := strconv.Atoi(words[4])
		if err != nil || n < 1 || n > len(w.orders) {
			return fmt.Errorf("open %s: no such order", words[4])
		}
		told.Open[0], told.OpenAll = w.orders[n-1].state.ID(), 1
	}
	return w.feed(told, true)
}

// person answers a look for an operator's number: known, new, or another supervisor's.
func (w *world) person(words []string) error {
	q, err := w.query(counter.LookPerson)
	if err != nil || len(words) != 1 {
		return fmt.Errorf("person known, new or refused: %w", err)
	}
	return w.feed(counter.PersonFound{Query: q, Known: words[0] != "new", Refused: words[0] == "refused"}, true)
}

// kept answers the last PIN that was to be kept.
func (w *world) kept(words []string) error {
	return w.feed(counter.PINKept{Query: w.looked, OK: len(words) == 0}, true)
}

func (w *world) rate(words []string) error {
	q, err := w.query(counter.LookRate)
	if err != nil {
		return err
	}
	told := counter.RateTold{Query: q, Asked: len(words) == 1}
	if len(words) > 0 {
		f, err := strconv.ParseFloat(words[0], 64)
		if err != nil {
			return err
		}
		told.Rate.CNYE8 = int64(f*1e8 + 0.5)
	}
	if len(words) == 3 && words[1] == "age" {
		if told.Age, err = time.ParseDuration(words[2]); err != nil {
			return err
		}
	}
	return w.feed(told, true)
}

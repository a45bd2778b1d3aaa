package runner

import (
	"context"
	"errors"
	"time"

	"payterm"
	"payterm/flows/counter"
)

// lookLimit bounds a question of the menu. The gateway client's own deadline is well below it.
const lookLimit = 40 * time.Second

// rateLife is how long an exchange rate is shown.
const rateLife = 24 * time.Hour

// look answers a question of the menu, off the loop. Each question gets exactly one answer, or
// the counter would wait for its time limit.
func (r *Runner) look(q counter.Query) {
	r.leaveLook() // one question at a time
	ctx, cancel := context.WithTimeout(r.ctx, lookLimit)
	r.leaveLook = cancel
	reply := func(e counter.Event) {
		cancel()
		r.feed(r.kept(e))
	}
	if q.What == counter.LookGateway {
		r.askOrder(ctx, q, reply)
		return
	}
	ask := map[counter.Lookup]func(context.Context, counter.Query) counter.Event{
		counter.LookOrder: r.find, counter.LookNumber: r.find, counter.LookList: r.find,
		counter.LookTotals: r.total, counter.LookRate: r.askRate, counter.LookPerson: r.person,
	}[q.What]
	r.c.Go(func() {
		e := ask(ctx, q)
		r.Post(func() { reply(e) })
	})
}

// find looks up orders in the journal.
func (r *Runner) find(_ context.Context, q counter.Query) counter.Event {
	found := counter.Found{Query: q}
	var list []payterm.Order
	var err error
	switch q.What {
	case counter.LookOrder:
		var o payterm.Order
		var known bool
		if o, known, err = r.c.Journal.Order(payterm.OrderID(q.Text)); known {
			list = []payterm.Order{o}
		}
	case counter.LookNumber:
		list, err = r.c.Journal.Numbered(q.Text, q.Skip, q.Rows+1)
	default:
		list, err = r.c.Journal.List(payterm.OrderList(q.Text), q.Skip, q.Rows+1)
	}
	if err != nil {
		r.c.Log.Warn("look for orders", "what", q.What, "err", err)
		found.Failed = true
		return found
	}
	for i, o := range list[:min(len(list), q.Rows)] {
		found.Rows[i] = counter.RowOf(o)
	}
	found.More = len(list) > q.Rows
	return found
}

// askOrder asks the gateway how an order stands. An open one takes the answer by its own inquiry;
// a closed one as in a reconciliation.
func (r *Runner) askOrder(ctx context.Context, q counter.Query, reply func(counter.Event)) {
	id := payterm.OrderID(q.Text)
	if open := r.watch(id); open.row.ID != "" {
		r.c.Go(func() {
			row := counter.RowOf(r.await(ctx, open))
			r.Post(func() { reply(counter.OrderTold{Query: q, Order: row, Verdict: counter.VerdictOf(row, nil)}) })
		})
		return
	}
	row, known, err := r.c.Journal.Order(id)
	if err != nil || !known {
		r.c.Log.Warn("look for an order", "order_id", id, "err", err)
		reply(counter.OrderTold{Query: q, Failed: true})
		return
	}
	// it was never announced, or not for this merchant
	if row.Kind != payterm.KindSale || row.Outcome == payterm.Cancelled || !r.ours(row) {
		order := counter.RowOf(row)
		reply(counter.OrderTold{Query: q, Order: order, Verdict: counter.VerdictOf(order, nil)})
		return
	}
	heard := func(a payterm.Answer) {
		if a == nil {
			a = payterm.Lost{Why: "nobody was asked"}
		}
		r.c.Log.Info("asked about a closed order", "order_id", id, "outcome", row.Outcome, "answer",
			payterm.AnswerName(a))
		if now, err := r.contradicted(id, a); err == nil {
			row = now
		}
		order := counter.RowOf(row)
		reply(counter.OrderTold{Query: q, Order: order, Verdict: counter.VerdictOf(order, a)})
	}
	rules := r.c.Settings.Rules
	i := payterm.Inquiry{OrderID: id, Total: row.Total(), MaxFeeMinor: rules.MaxFeeMinor}
	if err := r.want(r.wish(ctx, i, rules.HTTPTimeout+requestOverhead, heard)); err != nil {
		heard(payterm.Lost{Why: err.Error()})
	}
}

// total takes an X or a Z.
func (r *Runner) total(_ context.Context, q counter.Query) counter.Event {
	t, err := r.c.Totals(q.Text == "z", q.By)
	if err != nil {
		r.c.Log.Warn("totals", "which", q.Text, "err", err)
		why := err.Error()
		var a advisor
		if errors.As(err, &a) {
			why = a.Advice()
		}
		return counter.TotalsTold{Query: q, Why: why}
	}
	sums := t.Sums()
	reply := counter.TotalsTold{Query: q, Number: t.Number, Currency: r.c.Settings.Currency, SumsAll: len(sums),
		OpenAll: len(t.Open)}
	copy(reply.Sums[:], sums)
	for i, o := range t.Open[:min(len(t.Open), len(reply.Open))] {
		reply.Open[i] = o.ID
	}
	return reply
}

// askRate asks for the exchange rate.
func (r *Runner) askRate(ctx context.Context, q counter.Query) counter.Event {
	cny, err := r.c.Rate(ctx)
	if err != nil {
		r.c.Log.Warn("exchange rate", "err", err)
		return counter.RateTold{Query: q}
	}
	return counter.RateTold{Query: q, Rate: counter.Rate{CNYE8: cny}, Asked: true}
}

// kept takes in on the loop what was told beside it.
func (r *Runner) kept(e counter.Event) counter.Event {
	switch e := e.(type) {
	case counter.Found:
		if e.Query.What == counter.LookOrder {
			e.Asking = r.orders[payterm.OrderID(e.Query.Text)] != nil
		}
		return e
	case counter.RateTold:
		return r.keptRate(e)
	}
	return e
}

// keptRate stores a new rate with its time; without one it returns the last rate.
func (r *Runner) keptRate(reply counter.RateTold) counter.Event {
	mono, wall := r.c.Clock.Now()
	if reply.Asked {
		reply.Rate.Mono, reply.Rate.At = mono, payterm.Millis(wall)
		r.rate = reply.Rate
		r.tellStatus()
		return reply
	}
	if reply.Age = mono - r.rate.Mono; r.rate.CNYE8 != 0 && reply.Age <= rateLife {
		reply.Rate = r.rate
	}
	return reply
}

package selling

import (
	"context"
	"fmt"
	"sync"
	"time"

	"payterm"
	"payterm/flows/runner"
	"payterm/terminal/api"
)

// silence is the number of sales in a row without an answer after which the rest is not asked
// about.
const silence = 12

// reconcileLimit bounds one question, with its wait in the queue.
const reconcileLimit = 2 * time.Minute

// Reconcile asks about each sale of a day or a Z, and reports its progress.
func (s *Selling) Reconcile(ctx context.Context, r api.ReconcileRequest,
	checked func(n, of int)) (api.Reconciliation, error) {
	rep, sales, err := s.toReconcile(r)
	if err != nil {
		return rep, err
	}
	found := s.compareAll(ctx, sales, func(n int) { checked(n, len(sales)) })
	rep.Sales, rep.Differences = len(sales), []api.Difference{}
	for _, d := range found {
		switch d.What {
		case "":
			rep.Agree++
			continue
		case api.DiffersUnknown:
			rep.Unknown++
		}
		rep.Differences = append(rep.Differences, d)
	}
	return rep, nil
}

// toReconcile finds the sales of a business day, by default the current one, or of a Z, and the
// sales of its refunds.
func (s *Selling) toReconcile(r api.ReconcileRequest) (rep api.Reconciliation, sales []payterm.Order, err error) {
	var orders []payterm.Order
	rep.Number = r.Number
	if r.Number != 0 {
		if _, err = s.o.Journal.Totals(r.Number); err == nil {
			orders, err = s.o.Journal.InZ(r.Number)
		}
	} else {
		if rep.Day = r.Day; r.Day == "" {
			now := s.o.Clock()
			if now.IsZero() {
				return rep, nil, api.Errorf(api.NotNow, "reconcile: the clock is not set: name the day")
			}
			rep.Day = s.o.Config.Days().Name(now)
		}
		orders, err = s.o.Journal.OfDay(rep.Day)
	}
	seen := map[payterm.OrderID]bool{}
	for _, o := range orders {
		id := o.ID
		if o.Kind == payterm.KindRefund {
			id = o.SaleID
		}
		if seen[id] {
			continue
		}
		seen[id] = true
		known := true
		if id != o.ID {
			if o, known, err = s.o.Journal.Order(id); err != nil {
				break
			}
		}
		if known { // else retention has dropped it
			sales = append(sales, o)
		}
	}
	if err != nil {
		return rep, nil, Coded(fmt.Errorf("reconcile: %w", err))
	}
	return rep, sales, nil
}

// askers is how many questions wait at once; the runner starts them in turn.
const askers = 4

// compareAll asks about sales and reports its progress. After silence the rest stays unknown.
func (s *Selling) compareAll(ctx context.Context, sales []payterm.Order, tell func(int)) []api.Difference {
	found := make([]api.Difference, len(sales))
	next := make(chan int)
	var mu sync.Mutex
	checked, silent := 0, 0
	var wg sync.WaitGroup
	for range min(askers, len(sales)) {
		wg.Go(func() {
			for i := range next {
				mu.Lock()
				give := silent >= silence
				mu.Unlock()
				d := unknown(sales[i], "not asked: the gateway is silent")
				ours := sales[i].MerchantID == s.o.Config.Gateway.MerchantID &&
					sales[i].Currency == s.o.Config.Merchant.Currency
				switch {
				case !ours:
					d.Why = runner.ErrOtherMerchant.Error()
				case !give:
					d = s.compareOne(ctx, sales[i])
				}
				found[i] = d
				mu.Lock()
				if checked++; !ours { // says nothing about the gateway
				} else if d.What == api.DiffersUnknown {
					silent++
				} else {
					silent = 0
				}
				tell(checked)
				mu.Unlock()
			}
		})
	}
	for i := range sales {
		next <- i
	}
	close(next)
	wg.Wait()
	return found
}

func (s *Selling) compareOne(ctx context.Context, sale payterm.Order) api.Difference {
	ctx, cancel := context.WithTimeout(ctx, reconcileLimit)
	defer cancel()
	c, err := s.o.Loop.Check(ctx, sale.ID)
	if err != nil {
		return unknown(sale, err.Error())
	}
	given := c.Order.RefundedMinor
	if sale.Outcome == payterm.Approved {
		// Our refunds only: the known refunded total may include others'.
		if given, err = s.o.Journal.GivenBack(sale.ID); err != nil {
			return unknown(sale, err.Error())
		}
	}
	return compare(sale, c, given)
}

// unknown is a sale about which the gateway gave no answer.
func unknown(sale payterm.Order, why string) api.Difference {
	return api.Difference{
		OrderID: sale.ID, What: api.DiffersUnknown, Outcome: sale.Outcome, Currency: sale.Currency, Why: why,
	}
}

// compare compares the journal's row of a sale, before and after the question, with the gateway's
// answer; given is the sum of our refunds. What is empty if nothing differs.
func compare(before payterm.Order, c runner.Checked, given int64) api.Difference {
	o := c.Order
	d := api.Difference{OrderID: before.ID, Outcome: before.Outcome, Currency: before.Currency, OursMinor: o.PaidMinor,
		Answer: payterm.AnswerName(c.Answer), Attention: o.Attention}
	paidBefore := func(o payterm.Order) bool {
		return o.Outcome == payterm.Approved || o.Reason == payterm.ReasonRefunded
	}
	money := func(paid, refunded int64, status string) {
		d.GatewayMinor, d.Gateway = paid, status
		switch {
		case !paidBefore(before):
			d.What, d.OursMinor = api.DiffersFound, before.PaidMinor
		case paid != o.PaidMinor && paid != 0: // 0: the gateway does not say
			d.What = api.DiffersAmount
		case refunded < o.RefundedMinor: // a refund is never undone
			d.What, d.OursMinor, d.GatewayMinor = api.DiffersOutdated, o.RefundedMinor, refunded
		case refunded != given:
			d.What, d.OursMinor, d.GatewayMinor = api.DiffersRefunded, given, refunded
		}
	}
	unpaid := func(status string, word api.Differing) {
		if d.Gateway = status; paidBefore(o) {
			d.What = word
		}
	}
	switch a := c.Answer.(type) {
	case nil: // its own inquiries settle it, or its refund's
		if o.Outcome == payterm.Open || o.Outcome == payterm.InDoubt || before.Outcome == payterm.Approved {
			d.What = api.DiffersOpen
		}
	case payterm.Paid:
		money(a.PaidMinor, 0, a.Status)
	case payterm.Refunded:
		money(a.PaidMinor, a.RefundedMinor, a.Status)
		if a.RefundedMinor == 0 && paidBefore(before) {
			d.What, d.Why = api.DiffersUnclear, "refunded, and not how much"
		}
	case payterm.Failed: // an authentic reply had called it paid
		unpaid(a.Status, api.DiffersOutdated)
	case payterm.Pending:
		unpaid(a.Status, api.DiffersOutdated)
	case payterm.NotFound:
		unpaid("", api.DiffersNotPaid)
		d.Why = a.Why
	case payterm.Unclear:
		d.What, d.Gateway, d.Why = api.DiffersUnclear, a.Status, a.Why
		if !a.Authentic && !a.Alarm {
			d.What = api.DiffersUnknown
		}
	case payterm.Lost:
		d.What, d.Why = api.DiffersUnknown, a.Why
	case payterm.Unsent:
		d.What, d.Why = api.DiffersUnknown, a.Why
	case payterm.CodeMade, payterm.Refused, payterm.Rejected, payterm.Clash: // not answers to an inquiry
		d.What = api.DiffersUnknown
	}
	return d
}

package runner

import (
	"errors"
	"fmt"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
)

// codeUsed is implemented by the error of Commit if another order has used the payment code.
type codeUsed interface{ CodeUsed() bool }

// advisor is implemented by errors of a Journal that suggest, in a few words for the screen, what
// a person can do.
type advisor interface{ Advice() string }

// notCommitted handles an event that could not be stored. The order stays as it was. An answer of
// the gateway is kept and retried; a person can repeat the rest.
func (r *Runner) notCommitted(l *live, in order.Stamped, err error) {
	var used codeUsed
	if ev, scan := in.Event.(order.CodeScanned); scan && errors.As(err, &used) && used.CodeUsed() && !ev.Used {
		ev.Used = true
		in.Event = ev
		r.step(l, in)
		return
	}
	r.storeFailed(err)
	r.giveUp(l)
	switch in.Event.(type) {
	case order.PaymentAnswered, order.RefundAnswered, order.InquiryAnswered, order.Restarted:
		r.keep(l, in)
	default:
		l.retryAt = r.now() + commitRetry
		if l.order.Phase != order.Fresh {
			r.plan(l)
		}
	}
}

// giveUp answers the callers of an order whose counter time is over but cannot be stored: the
// result is unknown. A later success is a late payment.
func (r *Runner) giveUp(l *live) {
	if !l.order.Phase.AtCounter() || r.now() < counterEnds(l.order) {
		return
	}
	l.overdue = true
	row := l.order.Row()
	row.Outcome, row.Reason = payterm.InDoubt, payterm.ReasonStorage
	for _, w := range l.waiters {
		w.end(SaleResult{Began: true, Reason: row.Reason, Order: row})
	}
	l.waiters = nil
}

// overdue marks an answer that comes after giveUp.
func overdue(e order.Event) order.Event {
	switch e := e.(type) {
	case order.PaymentAnswered:
		e.Overdue = true
		return e
	case order.InquiryAnswered:
		e.Overdue = true
		return e
	}
	return e
}

// counterEnds is when an order leaves the counter at the latest.
func counterEnds(o order.Order) time.Duration {
	r := o.Sale.Rules
	switch {
	case o.SentAt == 0:
		return o.Until
	case o.Kind == payterm.KindRefund:
		return max(o.Until, o.SentAt+r.RefundWindow)
	case o.Sale.Mode == payterm.Active:
		return max(o.Until, o.SentAt+r.ActiveDisplay)
	}
	return max(o.Until, o.SentAt+r.PassiveCounter)
}

// keep keeps an answer until the journal can be written.
func (r *Runner) keep(l *live, in order.Stamped) {
	switch in.Event.(type) {
	case order.PaymentAnswered, order.RefundAnswered, order.InquiryAnswered, order.Restarted:
	default:
		return
	}
	if len(l.unsaved) < keptAnswers {
		r.hold(l, append(l.unsaved, in))
	}
	l.retryAt = r.now() + commitRetry
	r.plan(l)
}

// retry steps the answers that were kept.
func (r *Runner) retry(l *live) {
	kept, id := l.unsaved, l.order.ID()
	r.hold(l, nil)
	for i, in := range kept {
		r.step(l, in)
		switch {
		case r.orders[id] != l: // it has closed, or was set aside
			return
		case len(l.unsaved) > 0: // it failed and was kept again
			r.hold(l, append(l.unsaved, kept[i+1:]...))
			return
		}
	}
	l.tellWatchers() // their answer may be among these
}

// probe tests whether a failed journal can be written again and has stored everything.
func (r *Runner) probe() {
	r.probeAt = r.now() + commitRetry
	if r.holding > 0 || r.c.Journal.Writable() != nil {
		return
	}
	r.storeBad = false
	r.c.Log.Info("the journal can be written again")
	r.feed(counter.StoreRecovered{})
}

// storeFailed stops new sales and shows why.
func (r *Runner) storeFailed(err error) {
	r.c.Log.Error("the journal cannot be written: no sale is taken", "err", err)
	r.storeBad, r.probeAt = true, r.now()+commitRetry
	why := err.Error()
	var a advisor
	if errors.As(err, &a) {
		why = a.Advice()
	}
	r.feed(counter.StoreFailed{Why: why})
}

// quarantine sets an order aside that has reached an impossible state, as it was before.
func (r *Runner) quarantine(l *live, in order.Stamped, err error) {
	id := l.order.ID()
	if l.order.Phase == order.Fresh { // nothing of it is stored: it does not begin
		r.c.Log.Error("an order would begin in an impossible state", "event", order.EventName(in.Event), "err", err)
		return
	}
	r.c.Log.Error("an order reached an impossible state and is set aside", "order_id", id,
		"event", order.EventName(in.Event), "err", err)
	if l.order.Phase == order.Fresh { // nothing of it is in the journal: it never began
		r.storeFailed(err)
		return
	}
	r.setAside(id, l.order.Settled(), err)
	if r.orders[id] == l {
		r.leave(id, l)
	}
	l.order.Phase, l.order.Outcome = order.Listed, payterm.InDoubt // in memory, for the counter and the callers
	l.tellWaiters()
	l.tellWatchers()
	r.unplan(l)
	r.feed(counter.OrderMoved{Order: l.order})
	r.tellStatus()
}

// Open is an open order as the journal returns it at a start.
type Open struct {
	ID     payterm.OrderID
	Events []payterm.Journaled
}

// Restore reads the open orders and steps each by Restarted, all in one commit. Call it once,
// before Run.
func (r *Runner) Restore(open []Open) error {
	type restored struct {
		l        *live
		in       order.Stamped
		commands []order.Command
	}
	var all []restored
	var entries []payterm.Entry
	soon := 0
	for i := len(open) - 1; i >= 0; i-- { // youngest first: its customer may still be there
		before, err := fold(open[i].Events)
		if err != nil {
			r.setAside(open[i].ID, false, err)
			r.c.Log.Error("an order cannot be read back and is set aside", "order_id", open[i].ID, "err", err)
			continue
		}
		if before.Sale.MerchantID == "" { // events of earlier versions have none, and open orders are the terminal's own
			before.Sale.MerchantID = r.c.Settings.MerchantID
		}
		in := r.stamp(order.Restarted{})
		if soon < bootSoon && young(before, in.Mono) {
			soon++
			in.Event = order.Restarted{Soon: true}
		}
		next, commands := order.Step(before, in)
		if err := next.Impossible(); err != nil {
			r.setAside(open[i].ID, false, err)
			r.c.Log.Error("an order cannot go on and is set aside", "order_id", open[i].ID, "err", err)
			continue
		}
		// or an earlier version left the row of a settled order open
		if order.Lasting(before, next) || next.Settled() {
			e, err := r.entries(before, next, in)
			if err != nil { // for example the sale of a refund is unreadable
				r.setAside(open[i].ID, false, err)
				r.c.Log.Error("an order cannot be taken up and is set aside", "order_id", open[i].ID, "err", err)
				continue
			}
			entries = append(entries, e...)
		}
		all = append(all, restored{&live{order: next, heapAt: -1,
			young: in.Event == order.Event(order.Restarted{Soon: true})}, in, commands})
	}
	if len(entries) > 0 {
		if err := r.c.Journal.Commit(entries...); err != nil {
			return fmt.Errorf("restore open orders: %w", err)
		}
	}
	failures, err := r.c.People.Failures()
	if err != nil {
		return fmt.Errorf("restore locks: %w", err)
	}
	r.locks = newLocks(failures, r.now())
	r.countAttention()
	for _, one := range all {
		if one.l.order.Phase == order.Closed {
			continue
		}
		r.enter(one.l.order.ID(), one.l.order.Total(), one.l)
		r.plan(one.l)
		for _, c := range one.commands {
			r.carryOutOrder(one.l.order, c)
		}
	}
	r.tellStatus()
	if err := r.c.Journal.Reserve(); err != nil { // before the first sale
		r.storeFailed(fmt.Errorf("room for answers: %w", err))
	}
	return nil
}

// young reports whether an order began within the last quarter of an hour, or at an unknown time.
func young(o order.Order, now time.Duration) bool {
	return o.ByWall || now-o.BeganAt < bootSoonAge
}

// fold reads an order from its journal records.
func fold(records []payterm.Journaled) (order.Order, error) {
	events := make([]order.Stamped, 0, len(records))
	for _, record := range records {
		e, err := order.DecodeEvent(record.Event, record.Body)
		if err != nil {
			return order.Order{}, fmt.Errorf("record %d: %w", record.Seq, err)
		}
		events = append(events, order.Stamped{Stamp: record.Stamp, Event: e})
	}
	return order.Fold(events)
}

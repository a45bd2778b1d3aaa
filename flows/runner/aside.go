package runner

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
)

// errUnread: the events of an order cannot be read back.
var errUnread = errors.New("it cannot be read back")

// asideRetry is when the gateway is asked again about an answer that could not be stored.
const asideRetry = 10 * time.Second

// aside is a set-aside order (order.SetAside) and why it was set aside.
type aside struct {
	order.SetAside
	why      error
	watchers []chan payterm.Order // they wait for the next answer
}

// asides are the set-aside orders that are not closed, by id.
type asides map[payterm.OrderID]*aside

// due is when the next set-aside order is to be asked about.
func (s asides) due() (due time.Duration, any bool) {
	for _, a := range s {
		if at, waits := a.Due(); waits && (!any || at < due) {
			due, any = at, true
		}
	}
	return due, any
}

// guards is the newest set-aside order of this total that may have been paid.
func (s asides) guards(total payterm.Amount) payterm.OrderID {
	var newest *aside
	for _, a := range s {
		if a.Undecided() && a.Row.Total() == total && (newest == nil || newer(a.Row, newest.Row)) {
			newest = a
		}
	}
	if newest == nil {
		return ""
	}
	return newest.Row.ID
}

func newer(a, b payterm.Order) bool {
	if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
		return c > 0
	}
	return a.ID > b.ID
}

// alarms counts those that no row's attention shows.
func (s asides) alarms() int {
	n := 0
	for _, a := range s {
		if a.Row.Attention != payterm.AttentionAlarm {
			n++
		}
	}
	return n
}

// asked counts those that are asked about.
func (s asides) asked() int {
	n := 0
	for _, a := range s {
		if _, asks := a.Due(); asks {
			n++
		}
	}
	return n
}

// setAside stops stepping an order. Its events stay in the journal, staff gets an alarm, and its
// row is used to block its total and to inquire.
func (r *Runner) setAside(id payterm.OrderID, closed bool, why error) *aside {
	a := r.asideOf(id, closed, why)
	r.asides[id] = a
	return a
}

// asideOf sets an order aside by its row; if that is unreadable, by its columns, which are enough
// to block its total. If there is neither, only the alarm is left.
func (r *Runner) asideOf(id payterm.OrderID, closed bool, why error) *aside {
	row, known, err := r.c.Journal.Order(id)
	if err != nil {
		r.c.Log.Error("the row of an order that is set aside cannot be read", "order_id", id, "err", err)
		row, known, err = r.c.Journal.Columns(id)
	}
	if err != nil || !known {
		r.c.Log.Error("an order that is set aside has no row", "order_id", id, "err", err)
		row = payterm.Order{ID: id}
	}
	return &aside{SetAside: order.NewSetAside(r.stamp(order.Woke{}), row, closed, r.c.Settings.Rules), why: why}
}

// unread is the set-aside form of an order that recall could not read: from asides if it is open,
// else made for this call. It is nil if the order could only not be looked up.
func (r *Runner) unread(id payterm.OrderID, why error) *aside {
	if a := r.asides[id]; a != nil {
		return a
	}
	if !errors.Is(why, errUnread) {
		return nil
	}
	return r.asideOf(id, true, why)
}

// stepAside moves a set-aside order by one event: commit, then commands. If the commit fails
// nothing has changed, and the gateway is asked again.
func (r *Runner) stepAside(a *aside, e order.Event) error {
	in := r.stamp(e)
	before := a.SetAside
	next, commands := order.StepSetAside(before, in)
	changed := next.Row != before.Row || next.Closed != before.Closed
	if changed {
		entries, err := r.asideEntries(before, next, in)
		if err == nil {
			err = r.c.Journal.Commit(entries...)
		}
		if err != nil {
			r.storeFailed(err)
			if a.Asking.InFlight {
				a.Asking.InFlight, a.Asking.Next = false, in.Mono+asideRetry
			}
			return err
		}
		r.c.Log.Warn("an order that is set aside", "order_id", next.Row.ID, "event", order.EventName(e), "outcome",
			next.Row.Outcome,
			"reason", next.Row.Reason, "attention", next.Row.Attention, "closed", next.Closed, "was", a.why)
	}
	a.SetAside = next
	if next.Closed && r.asides[next.Row.ID] == a {
		delete(r.asides, next.Row.ID)
	}
	for _, c := range commands {
		r.carryOutAside(a, c)
	}
	if changed {
		r.changes.add(next.Row)
		r.countAttention()
		r.feed(counter.OrderMoved{Order: next.Order(),
			Found: r.found.stepped(before.Row.Outcome, next.Row, r.now())})
		r.tellStatus()
	}
	return nil
}

// asideEntries are the journal entries of one step: the order's own, and the sale's when a refund
// is closed, whose amount is then no longer reserved.
func (r *Runner) asideEntries(before, next order.SetAside, in order.Stamped) ([]payterm.Entry, error) {
	name, body, err := order.EncodeEvent(in.Event)
	if err != nil {
		return nil, err
	}
	entries := []payterm.Entry{{
		OrderID: next.Row.ID, Event: name, Body: body, Stamp: in.Stamp, Order: next.Row, Closed: next.Closed,
		Owes: next.Owes(),
	}}
	if next.Row.Kind != payterm.KindRefund || before.Closed || !next.Closed {
		return entries, nil
	}
	back, err := r.heardBack(next.Row.ID)
	if err != nil {
		return nil, err
	}
	ofSale, err := r.saleEntry(next.Row.ID, next.Row.SaleID,
		order.RefundEnded{ID: next.Row.ID, RefundedMinor: back}, in)
	switch {
	case errors.Is(err, errNoSale): // the sale cannot be changed
		return entries, nil
	case err != nil:
		return nil, err
	}
	return append(entries, ofSale), nil
}

// heardBack is the sale's refunded total according to the readable events of a set-aside refund.
func (r *Runner) heardBack(id payterm.OrderID) (int64, error) {
	records, err := r.c.Journal.Events(id)
	if err != nil {
		return 0, fmt.Errorf("read order %s: %w", id, err)
	}
	var back int64
	for _, record := range records {
		e, err := order.DecodeEvent(record.Event, record.Body)
		if err != nil {
			continue // the event for which it was set aside
		}
		switch e := e.(type) {
		case order.RefundBegan:
			back = max(back, e.SaleRefundedMinor)
		case order.InquiryAnswered:
			if a, refunded := e.Reply.Answer.(payterm.Refunded); refunded {
				back = max(back, a.RefundedMinor)
			}
		}
	}
	return back, nil
}

func (r *Runner) carryOutAside(a *aside, c order.Command) {
	switch c := c.(type) {
	case order.Inquire:
		r.askAside(a, c.Inquiry)
	case order.Print:
		if err := r.c.Printer.Print(r.c.Slip(c.Slip, a.Row, c.Copy)); err != nil {
			r.c.Log.Warn("slip not printed", "order_id", a.Row.ID, "slip", c.Slip, "err", err)
		}
	case order.Play:
		r.c.Buzzer.Play(c.Sound)
	default: // no other command of a set-aside order exists
	}
}

// askAside passes its inquiry to the gate.
func (r *Runner) askAside(a *aside, i payterm.Inquiry) {
	q := question{
		Inquiry: i, by: a.Row.ID, line: dueLine, limit: a.Rules.HTTPTimeout + requestOverhead,
		still: func() bool { return r.asides[a.Row.ID] == a },
		deliver: func(answer payterm.Answer) {
			if answer != nil {
				r.stepAside(a, order.AsideAnswered{Reply: payterm.Reply{Answer: answer}}) //nolint:errcheck // it is asked again
			}
			a.tellWatchers()
		},
	}
	if len(a.watchers) > 0 {
		q.line = wishLine
	}
	r.want(q) //nolint:errcheck // an order's own question is always taken
}

func (a *aside) tellWatchers() {
	for _, w := range a.watchers {
		w <- a.Row
	}
	a.watchers = nil
}

// watchAside adds a caller that waits for the next answer about it.
func (r *Runner) watchAside(a *aside) watched {
	f := watched{row: a.Row}
	if len(a.watchers) >= maxWatchers {
		return f
	}
	r.stepAside(a, order.InquiryAsked{}) //nolint:errcheck // it changes no fact
	if _, due := a.Due(); due || a.Asking.InFlight {
		f.wait = make(chan payterm.Order, 1)
		a.watchers = append(a.watchers, f.wait)
		r.gate.hasten(a.Row.ID)
	}
	return f
}

// wakeAsides asks about those that are due, in the order of their ids so that runs are
// reproducible.
func (r *Runner) wakeAsides(now time.Duration) {
	if due, any := r.asides.due(); !any || now < due {
		return
	}
	for _, id := range slices.Sorted(maps.Keys(r.asides)) {
		a := r.asides[id]
		if at, waits := a.Due(); waits && at <= now {
			r.stepAside(a, order.Woke{}) //nolint:errcheck // it changes no fact
		}
	}
}

// resolveAside closes a set-aside order by a supervisor's decision. The row keeps what was last
// known; the decision calls nothing paid or unpaid.
func (r *Runner) resolveAside(a *aside, operator, reason string) (payterm.Order, error) {
	id := a.Row.ID
	switch {
	case a.Row.Kind == "":
		return payterm.Order{}, fmt.Errorf("order %s: %w", id, ErrUnknown)
	case a.Closed && a.Row.Attention == payterm.AttentionNone:
		return payterm.Order{}, fmt.Errorf("%w: %s is %s", ErrNotAsked, id, a.Row.Outcome)
	}
	if err := r.stepAside(a, order.AsideResolved{Operator: operator, Reason: reason}); err != nil {
		return payterm.Order{}, fmt.Errorf("order %s: the journal cannot be written: %w", id, err)
	}
	a.tellWatchers()
	return a.Row, nil
}

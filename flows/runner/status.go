package runner

import (
	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
)

// Remind reports the business day (2006-01-02) that should have a Z by now, empty for none.
func (r *Runner) Remind(day string) {
	r.offer(func() {
		r.unclosed = day
		r.tellStatus()
	})
}

// Paper reports the printer's condition.
func (r *Runner) Paper(c payterm.PaperCondition) {
	r.offer(func() {
		r.paper = c
		r.tellStatus()
	})
}

// Unprinted reports how many slips failed and have not been printed since, and the last one's
// order.
func (r *Runner) Unprinted(slips int, order payterm.OrderID) {
	r.offer(func() {
		r.unprinted, r.unprintedOrder = slips, order
		r.tellStatus()
	})
}

// moved tells everyone who follows an order of its new state.
func (r *Runner) moved(l *live, before order.Order) {
	o := l.order
	changed := order.Lasting(before, o)
	if changed {
		r.changes.add(o.Row())
	}
	r.feed(counter.OrderMoved{Order: o, Found: r.found.stepped(before.Outcome, o.Row(), r.now())})
	if o.Outcome != payterm.Open {
		l.tellWaiters()
	}
	if o.Outcome != before.Outcome {
		l.tellWatchers()
	}
	if o.Phase == order.Closed && r.orders[o.ID()] == l {
		r.leave(o.ID(), l)
		r.unplan(l)
		l.tellWatchers()
	}
	if changed {
		if before.Attention != o.Attention {
			r.countAttention()
		}
		r.tellStatus()
	}
}

// countAttention counts again what waits for a person.
func (r *Runner) countAttention() {
	counts, err := r.c.Journal.Attention()
	if err != nil {
		r.c.Log.Warn("count what waits for staff", "err", err)
		return
	}
	r.counts = counts
}

// status is the terminal's state besides the sale.
func (r *Runner) status() counter.Status {
	rate := r.rate
	if r.now()-rate.Mono > rateLife {
		rate = counter.Rate{}
	}
	return counter.Status{
		Network: r.way.word, Paper: r.paper, Rate: rate, Unprinted: r.unprinted, UnprintedOrder: r.unprintedOrder,
		Queue:    r.phases[order.InBackground] + r.phases[order.Trailing] + r.asides.asked(),
		Doubts:   r.doubts,
		Late:     r.counts[payterm.AttentionLatePayment],
		Alarms:   r.counts[payterm.AttentionAlarm] + r.asides.alarms(),
		Unclosed: r.unclosed,
	}
}

func (r *Runner) tellStatus() {
	if s := r.status(); s != r.counter.Status {
		r.feed(counter.StatusChanged{Status: s})
	}
}

// Redraw shows the current screen again, for a display that was plugged in.
func (r *Runner) Redraw() {
	r.offer(r.draw)
}

func (r *Runner) draw() { r.c.Display.Show(r.c.Screen(r.counter.Shown)) }

package runner

import (
	"payterm"
	"payterm/flows/order"
)

// book holds the orders in memory, with what is asked about all of them on each
// event, so that nobody walks them: ten thousand that are open cost a new sale
// nothing. Only enter, leave, set and hold change it.
type book struct {
	orders  map[payterm.OrderID]*live
	phases  [order.Closed + 1]int // how many stand in each
	totals  map[payterm.Amount]map[*live]struct{}
	doubts  int // that neither the gateway nor a supervisor has settled
	holding int // with answers that could not be stored
}

func newBook() book {
	return book{orders: map[payterm.OrderID]*live{}, totals: map[payterm.Amount]map[*live]struct{}{}}
}

// enter takes an order in, which may not have begun yet.
func (b *book) enter(id payterm.OrderID, total payterm.Amount, l *live) {
	b.orders[id], l.total = l, total
	b.count(l.order, 1)
	if b.totals[total] == nil {
		b.totals[total] = map[*live]struct{}{}
	}
	b.totals[total][l] = struct{}{}
}

// leave lets an order go that was taken in.
func (b *book) leave(id payterm.OrderID, l *live) {
	b.hold(l, nil)
	delete(b.orders, id)
	b.count(l.order, -1)
	delete(b.totals[l.total], l)
	if len(b.totals[l.total]) == 0 {
		delete(b.totals, l.total)
	}
}

// set gives an order its next state. One that was recalled from the journal for
// a moment is not in the book, and is not counted.
func (b *book) set(l *live, next order.Order) {
	if b.orders[next.ID()] == l {
		b.count(l.order, -1)
		b.count(next, 1)
	}
	l.order = next
}

// count adds one order to what is counted, or takes it off.
func (b *book) count(o order.Order, n int) {
	b.phases[o.Phase] += n
	if inDoubt(o) {
		b.doubts += n
	}
}

// inDoubt tells an order about which somebody may still have to decide.
func inDoubt(o order.Order) bool {
	return (o.Phase == order.InBackground || o.Phase == order.Listed) && o.Resolution == ""
}

// hold keeps what could not be stored of an order.
func (b *book) hold(l *live, unsaved []order.Stamped) {
	if len(l.unsaved) > 0 {
		b.holding--
	}
	l.unsaved = unsaved
	if len(unsaved) > 0 {
		b.holding++
	}
}

// of gives the orders of a total, in no order: Conflict does not depend on it.
func (b *book) of(total payterm.Amount) []order.Order {
	orders := make([]order.Order, 0, len(b.totals[total]))
	for l := range b.totals[total] {
		orders = append(orders, l.order)
	}
	return orders
}

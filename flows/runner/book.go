package runner

import (
	"payterm"
	"payterm/flows/order"
)

// book holds the orders in memory and keeps the counts and sums over them that each event needs,
// so that no event has to visit all orders: a new sale costs the same with ten thousand open
// ones. Only enter, leave, set and hold change it.
type book struct {
	orders  map[payterm.OrderID]*live
	phases  [order.Closed + 1]int // how many orders are in each
	totals  map[payterm.Amount]map[*live]struct{}
	doubts  int // undecided by gateway and supervisor
	holding int // orders with answers that could not be stored
}

func newBook() book {
	return book{orders: map[payterm.OrderID]*live{}, totals: map[payterm.Amount]map[*live]struct{}{}}
}

// enter adds an order, which may not have begun yet.
func (b *book) enter(id payterm.OrderID, total payterm.Amount, l *live) {
	b.orders[id], l.total = l, total
	b.count(l.order, 1)
	if b.totals[total] == nil {
		b.totals[total] = map[*live]struct{}{}
	}
	b.totals[total][l] = struct{}{}
}

// leave removes an order.
func (b *book) leave(id payterm.OrderID, l *live) {
	b.hold(l, nil)
	delete(b.orders, id)
	b.count(l.order, -1)
	delete(b.totals[l.total], l)
	if len(b.totals[l.total]) == 0 {
		delete(b.totals, l.total)
	}
}

// set gives an order its next state. An order that is read from the journal for one step is not
// in the book and not counted.
func (b *book) set(l *live, next order.Order) {
	if b.orders[next.ID()] == l {
		b.count(l.order, -1)
		b.count(next, 1)
	}
	l.order = next
}

// count adds an order to the counts, or removes it.
func (b *book) count(o order.Order, n int) {
	b.phases[o.Phase] += n
	if inDoubt(o) {
		b.doubts += n
	}
}

// inDoubt reports whether a person may still have to decide on an order.
func inDoubt(o order.Order) bool {
	return (o.Phase == order.InBackground || o.Phase == order.Listed) && o.Resolution == ""
}

// hold keeps the answers about an order that could not be stored.
func (b *book) hold(l *live, unsaved []order.Stamped) {
	if len(l.unsaved) > 0 {
		b.holding--
	}
	l.unsaved = unsaved
	if len(unsaved) > 0 {
		b.holding++
	}
}

// of returns the orders of a total, in no particular order: Conflict does not depend on it.
func (b *book) of(total payterm.Amount) []order.Order {
	orders := make([]order.Order, 0, len(b.totals[total]))
	for l := range b.totals[total] {
		orders = append(orders, l.order)
	}
	return orders
}

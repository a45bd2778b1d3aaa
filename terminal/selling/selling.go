// Package selling implements the local API and the counter's menus of a terminal that sells:
// sales and refunds, earlier orders, totals and Zs with their slips, and reconciliation. Loop and
// journal are interfaces; decisions about money are the loop's.
package selling

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"payterm"
	"payterm/config"
	"payterm/flows/counter"
	"payterm/flows/order"
	"payterm/flows/runner"
	"payterm/terminal/api"
)

// Loop is the only place where orders change; *runner.Runner implements it.
type Loop interface {
	Counter
	Orders
	Day
}

// Counter begins sales and refunds; began is called with the order id once it is durable.
type Counter interface {
	Sale(ctx context.Context, sale order.SaleBegan, began func(payterm.OrderID)) (runner.SaleResult, error)
	Refund(ctx context.Context, refund order.RefundBegan, began func(payterm.OrderID)) (runner.SaleResult, error)
	Cancel(ctx context.Context, id payterm.OrderID) (payterm.Order, error)
	// Again answers by an idempotency key that came before.
	Again(ctx context.Context, key string, content runner.Content,
		began func(payterm.OrderID)) (runner.SaleResult, error)
}

// Orders asks about open orders.
type Orders interface {
	Inquire(ctx context.Context, id payterm.OrderID) (payterm.Order, bool, error)
	Resolve(ctx context.Context, id payterm.OrderID, operator, reason string) (payterm.Order, error)
	Settle(ctx context.Context, key payterm.IdempotencyKey, by string) (runner.Settlement, error)
	Queue(ctx context.Context) ([]payterm.QueueItem, error)
	Check(ctx context.Context, id payterm.OrderID) (runner.Checked, error)
}

// Day allows a Z and reminds of one.
type Day interface {
	AllowZ(ctx context.Context, number string, pin counter.PIN) (payterm.TakenBy, error)
	Remind(day string)
}

// Journal is what was committed; *storage.Store implements it.
type Journal interface {
	Order(id payterm.OrderID) (payterm.Order, bool, error)
	OfDay(day string) ([]payterm.Order, error)
	InZ(number int64) ([]payterm.Order, error)
	GivenBack(sale payterm.OrderID) (minor int64, err error) // sum of its approved refunds
	Zs
}

// Zs are the totals of the journal.
type Zs interface {
	TakeZ(by payterm.TakenBy) (payterm.Totals, error)
	Totals(number int64) (payterm.Totals, error) // 0 for what is in no Z yet
	DayTotals(day string) (payterm.Totals, error)
	Unclosed(now time.Time) (day string, err error)
	UnprintedZs() ([]int64, error)
	ZPrinted(number int64) error
}

// Options are what a Selling is made with.
type Options struct {
	Loop    Loop
	Journal Journal
	Config  config.Config
	Clock   func() time.Time // zero while the clock is not set
	Log     *slog.Logger
	Print   func(payterm.Receipt) error
	// ended is called at the end of a queued slip: printed or failed
	PrintZ  func(slip payterm.Receipt, ended func(error)) error
	Printer bool // the board has one
	Slip    func(t payterm.Totals, z, again bool) payterm.Receipt
	// RefundsNeedPIN refuses refunds while no supervisor's PIN is configured.
	RefundsNeedPIN bool
}

// Selling is the local API of a terminal whose journal is open.
type Selling struct {
	o      Options
	mu     sync.Mutex
	queued map[int64]bool // Zs whose slips are queued
}

var (
	_ api.Counter = (*Selling)(nil)
	_ api.Orders  = (*Selling)(nil)
	_ api.Day     = (*Selling)(nil)
)

// New makes one.
func New(o Options) *Selling { return &Selling{o: o, queued: map[int64]bool{}} }

// Package selling is what the local API and the counter's menus ask of a terminal that sells:
// sales and refunds, the orders of before, totals and Zs with their slips, and reconciliation
// with the gateway. The loop and the journal are interfaces to it; what is decided about money
// the loop decides.
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

// Loop is the only one in which orders are changed. A *runner.Runner is one.
type Loop interface {
	Counter
	Orders
	Day
}

// Counter begins sales and refunds; began hears the order id once it is durable.
type Counter interface {
	Sale(ctx context.Context, sale order.SaleBegan, began func(payterm.OrderID)) (runner.SaleResult, error)
	Refund(ctx context.Context, refund order.RefundBegan, began func(payterm.OrderID)) (runner.SaleResult, error)
	// Again answers by what came of an idempotency key before.
	Again(ctx context.Context, key string, content runner.Content,
		began func(payterm.OrderID)) (runner.SaleResult, error)
}

// Orders asks about what is open.
type Orders interface {
	Inquire(ctx context.Context, id payterm.OrderID) (payterm.Order, bool, error)
	Resolve(ctx context.Context, id payterm.OrderID, operator, reason string) (payterm.Order, error)
	Queue(ctx context.Context) ([]payterm.QueueItem, error)
	Check(ctx context.Context, id payterm.OrderID) (runner.Checked, error)
}

// Day allows a Z and reminds of one.
type Day interface {
	AllowZ(ctx context.Context, number string, pin counter.PIN) (payterm.TakenBy, error)
	Remind(day string)
}

// Journal is what was committed. A *storage.Store is one.
type Journal interface {
	Order(id payterm.OrderID) (payterm.Order, bool, error)
	OfDay(day string) ([]payterm.Order, error)
	InZ(number int64) ([]payterm.Order, error)
	GivenBack(sale payterm.OrderID) (minor int64, err error) // by refunds of it that are done
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
	// ended is called once it is queued and out, or broke off
	PrintZ  func(slip payterm.Receipt, ended func(error)) error
	Printer bool // the board has one
	Slip    func(t payterm.Totals, z, again bool) payterm.Receipt
	// RefundsNeedPIN refuses refunds while no supervisor's PIN is configured.
	RefundsNeedPIN bool
}

// Selling serves the local API of a terminal whose journal is open.
type Selling struct {
	o      Options
	mu     sync.Mutex
	queued map[int64]bool // Zs whose slips wait for the printer
}

var (
	_ api.Counter = (*Selling)(nil)
	_ api.Orders  = (*Selling)(nil)
	_ api.Day     = (*Selling)(nil)
)

// New makes one.
func New(o Options) *Selling { return &Selling{o: o, queued: map[int64]bool{}} }

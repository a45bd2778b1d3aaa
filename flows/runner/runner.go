// Package runner runs the state machines of flows/order and flows/counter: it stamps
// events, steps the machines, commits, and only then carries out their commands. It has
// one loop, which owns all state of orders and counter. Whatever takes time runs off the
// loop and comes back as an event.
//
// An event that changes a fact is durable before any command that follows from it is
// carried out (invariant 1). If a commit fails, nothing has changed, no command is carried
// out and nothing new is sold; answers of the gateway are kept and retried.
//
// The runner does not know SQLite, HTTP, pixels or paper. It declares the interfaces that
// it needs below; package terminal hands them in.
package runner

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
)

// Journal makes events durable. Commit stores all entries or none, and returns once they are on
// the disk. It refuses a payment code that another order has used (codeUsed).
type Journal interface {
	Commit(entries ...payterm.Entry) error
	NextOrderID() (payterm.OrderID, error)
	Keys
	// Fence stores that no order has p.Key and none will.
	Fence(stamp payterm.Stamp, p payterm.PersonRecord, merchantID string) error
	Writable() error // asked while the journal is out of order
	// Reserve reports whether the disk still has the room kept for the gateway's answers. It is
	// asked before each sale and refund, so it is cheap.
	Reserve() error
	Attention() (map[payterm.Attention]int, error)
	Order(payterm.OrderID) (payterm.Order, bool, error)
	// Columns is what remains of an order whose row is unreadable.
	Columns(payterm.OrderID) (payterm.Order, bool, error)
	// List and Numbered return at most n orders, newest first, after the first skip.
	List(list payterm.OrderList, skip, n int) ([]payterm.Order, error)
	Numbered(number string, skip, n int) ([]payterm.Order, error)
}

// Gateway sends payments and inquiries. Every call ends by its context's deadline and returns
// what became of it.
type Gateway interface {
	Pay(context.Context, payterm.Payment) payterm.Answer
	Refund(context.Context, payterm.RefundRequest) payterm.Answer
	Inquire(context.Context, payterm.Inquiry) payterm.Answer
}

// Display shows the newest screen. It does not block; a screen may be skipped for a newer one.
type Display interface{ Show(payterm.Screen) }

// Printer queues a slip, or returns why it cannot.
type Printer interface{ Print(payterm.Receipt) error }

// Codes prints the code of an order if the glass cannot show it. A void code must not be paid any
// more: it is not printed if it still waits for paper.
type Codes interface {
	PrintCode(o payterm.Order, codeURL string, until time.Time)
	VoidCode(payterm.OrderID)
}

// Drawer opens the cash drawer after the last queued slip, unless that failed to print.
type Drawer interface{ OpenDrawer() error }

// Scanner is armed and disarmed. It does not block.
type Scanner interface{ Arm(on bool) }

// Buzzer plays a sound without blocking.
type Buzzer interface{ Play(payterm.Sound) }

// Config has what a runner needs.
type Config struct {
	Journal  Journal
	People   People
	Gateway  Gateway
	Display  Display
	Printer  Printer
	Codes    Codes   // nil if the glass shows every code
	Drawer   Drawer  // nil for none
	Scanner  Scanner // nil for one that always reads
	Buzzer   Buzzer
	Clock    Clock
	Settings counter.Settings
	BootTag  string

	Screen  func(counter.View) payterm.Screen
	Slip    func(order.Slip, payterm.Order, bool) payterm.Receipt // the last argument marks a copy
	CodeKey func(payterm.PayCode) string                          // keyed hash of a payment code
	Jitter  func() uint16

	// PIN compares an operator's PIN; with an empty number the PIN that has no name. It is slow
	// and runs off the loop; an unknown number takes as long.
	PIN func(number string, pin counter.PIN) (counter.Operator, bool)
	// Whose is the name under which a number is stored. An unknown number may be a misplaced PIN
	// and is not stored.
	Whose func(number string) string
	// Person is who has a number. NewPIN hashes an operator's new PIN, and keep keeps the hash, both
	// off the loop; nil where operators are changed in the configuration alone.
	Person func(number string) (counter.Operator, bool)
	NewPIN func(number string, pin counter.PIN) (keep func() error, err error)
	// Sold is the sum of the sales in the business day of a wall time; nil if there is no day limit.
	Sold func(wall time.Time) (payterm.Amount, error)
	// Totals prints and returns an X, or takes a Z; Rate asks the price of one unit of the
	// currency in CNY, times 10^8. Both run off the loop. Language is called when the screens
	// change their language. A nil function is not offered.
	Totals   func(z bool, by payterm.TakenBy) (payterm.Totals, error)
	Rate     func(context.Context) (int64, error)
	Language func(string)

	// Train is called on the loop with no order open, and returns why training cannot begin or
	// end, or ReasonNone: then the loop ends. Drill sets the fault of the next sale.
	Train func(on bool) payterm.Reason
	Drill func(counter.Drill)

	// Go runs f off the loop; nil for a goroutine.
	Go  func(func())
	Log *slog.Logger
}

// Limits of the runner.
const (
	inboxBound      = 1024
	commitRetry     = time.Second
	keptAnswers     = 16 // of one order, while the journal cannot be written
	bootSoon        = 20 // orders inquired about at once after a start
	bootSoonAge     = 15 * time.Minute
	requestOverhead = 2 * time.Second // beyond the client's own deadline
)

// Errors of the calls.
var (
	ErrStopped      = errors.New("the agent is stopping")
	ErrUnknown      = errors.New("no such order")
	ErrNoSupervisor = errors.New("no supervisor typed the PIN at the counter")
	ErrNotWired     = errors.New("this terminal has no such task")
	ErrNothingThere = errors.New("nothing is at the counter that could be cancelled")
	ErrNotAsked     = errors.New("nothing about this order waits for a decision")
	ErrCurrency     = errors.New("the amount is in another currency")

	ErrOtherMerchant = errors.New("it is another merchant's or in another currency: " +
		"only under that one's key can the gateway be asked")
)

// live is an order in memory.
type live struct {
	order    order.Order
	total    payterm.Amount // by which book finds it
	due      time.Duration
	heapAt   int // -1 without a deadline
	unsaved  []order.Stamped
	retryAt  time.Duration
	overdue  bool                 // its counter time is over, but that could not be stored
	young    bool                 // it was open at the start: its first inquiry belongs to the start
	watchers []chan payterm.Order // they wait for an answer
	waiters  []saleCall           // they wait for an outcome
}

// Runner is the loop and its state.
type Runner struct {
	c       Config
	inbox   chan func()
	stopped chan struct{}
	ctx     context.Context // of running requests
	counter counter.Counter
	book
	queue          dueQueue
	tickets        map[uint64]*asked
	ticket         uint64
	way            way
	unprinted      int
	unprintedOrder payterm.OrderID
	paper          payterm.PaperCondition
	counts         map[payterm.Attention]int
	unclosed       string // a business day without a Z
	asides         asides
	locks          locks
	storeBad       bool
	probeAt        time.Duration // when to test a failed store again
	gate           gate
	changes        *Changes
	rate           counter.Rate // the last known one
	found          found

	leaveLook context.CancelFunc // cancels the question of the menu
	fed       []counter.Event    // events for the counter, in turn
	feeding   bool
	left      bool     // the loop ends for training, or from it
	service   *Service // the service that has the counter, or nil

	heldUntil time.Duration // nothing begins before
}

// New makes a runner; call Restore and Run next.
func New(c Config) *Runner {
	if c.Go == nil {
		c.Go = func(f func()) { go f() }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Totals == nil {
		c.Totals = func(bool, payterm.TakenBy) (payterm.Totals, error) { return payterm.Totals{}, ErrNotWired }
	}
	if c.Rate == nil {
		c.Rate = func(context.Context) (int64, error) { return 0, ErrNotWired }
	}
	if c.Language == nil {
		c.Language = func(string) {}
	}
	if c.Train == nil {
		c.Train = func(bool) payterm.Reason { return payterm.ReasonTraining }
	}
	if c.Person == nil || c.NewPIN == nil {
		c.Settings.Staff = false
	}
	if c.Drill == nil {
		c.Drill = func(counter.Drill) {}
	}
	return &Runner{
		c:       c,
		inbox:   make(chan func(), inboxBound),
		stopped: make(chan struct{}),
		ctx:     context.Background(),
		counter: counter.New(c.Settings),
		book:    newBook(),
		gate:    newGate(c.Settings.Rules.InquiryInterval),
		tickets: map[uint64]*asked{},
		changes: newChanges(),
		way:     way{word: counter.NetworkUnknown},
		paper:   payterm.PaperUnknown,
		counts:  map[payterm.Attention]int{},
		asides:  asides{},
		locks:   locks{},

		leaveLook: func() {},
	}
}

// Run is the loop. It ends with its context, or when Train has allowed it. Running requests end
// by their deadlines; their answers are asked for again at the next start.
func (r *Runner) Run(ctx context.Context) error {
	r.ctx = ctx
	defer r.end()
	r.feed(counter.StatusChanged{Status: r.status()})
	for {
		if r.Advance(); r.left {
			return nil
		}
		var wake <-chan time.Time
		stop := func() {}
		if due, any := r.Due(); any {
			wake, stop = r.c.Clock.After(due)
		}
		select {
		case <-ctx.Done():
			stop()
			return nil
		case f := <-r.inbox:
			f()
		case <-wake:
		}
		stop()
	}
}

// end tells every caller that the loop has ended.
func (r *Runner) end() {
	close(r.stopped)
	if r.service != nil {
		close(r.service.input)
		r.service = nil
	}
}

// Post runs f on the loop. It blocks while the loop is busy; false means that the loop has ended.
func (r *Runner) Post(f func()) bool {
	select {
	case r.inbox <- f:
		return true
	case <-r.stopped:
		return false
	}
}

// offer runs f on the loop, or drops it if the loop is overloaded: a driver must not block on
// what a person can repeat.
func (r *Runner) offer(f func()) {
	select {
	case r.inbox <- f:
	default:
		r.c.Log.Warn("the loop is overrun: input dropped")
	}
}

// Press reports a key.
func (r *Runner) Press(k payterm.Key) {
	r.offer(func() { r.feed(counter.KeyPressed{Key: k}) })
}

// Scan reports a scan whose first byte came at this monotonic time.
func (r *Runner) Scan(code payterm.PayCode, began time.Duration) {
	r.offer(func() { r.scan(code, began) })
}

func (r *Runner) scan(code payterm.PayCode, began time.Duration) {
	wallet, _ := code.Channel()
	r.feed(counter.Scanned{Code: code, Masked: code.String(), Wallet: wallet, Key: r.c.CodeKey(code), Began: began})
}

// stamp gives an order's event its times.
func (r *Runner) stamp(e order.Event) order.Stamped {
	return order.Stamped{Stamp: r.times(), Jitter: r.c.Jitter(), Event: e}
}

func (r *Runner) times() payterm.Stamp {
	mono, wall := r.c.Clock.Now()
	return payterm.Stamp{Boot: r.c.BootTag, Mono: mono, Wall: wall}
}

// Advance steps everything whose deadline has passed.
func (r *Runner) Advance() {
	for {
		now := r.now()
		if r.storeBad && now >= r.probeAt {
			r.probe()
		}
		r.wakeAsides(now)
		r.nextInquiry()
		switch due, any := r.counter.Due(); {
		case len(r.queue) > 0 && r.queue[0].due <= now:
			l := r.queue[0]
			if len(l.unsaved) > 0 {
				r.retry(l)
			} else {
				r.step(l, r.stamp(order.Woke{}))
			}
			if l.heapAt >= 0 && l.due <= now { // the event left the deadline as it was
				l.retryAt = now + commitRetry
				r.plan(l)
			}
		case any && due <= now:
			before := r.counter
			r.feed(counter.Woke{})
			if r.counter == before {
				return
			}
		default:
			return
		}
	}
}

func (r *Runner) now() time.Duration {
	mono, _ := r.c.Clock.Now()
	return mono
}

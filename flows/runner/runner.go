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
	"container/heap"
	"context"
	"errors"
	"fmt"
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
	// Sold is the sum of the sales in the business day of a wall time, in minor units of the
	// terminal's currency; nil if there is no day limit.
	Sold func(wall time.Time) (int64, error)
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
	unclosed       string                     // a business day without a Z
	broken         map[payterm.OrderID]*aside // the set-aside orders
	locks          map[string]lock            // operators with wrong PINs
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
		broken:  map[payterm.OrderID]*aside{},
		locks:   map[string]lock{},

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

// stamp gives an order's event its times.
func (r *Runner) stamp(e order.Event) order.Stamped {
	return order.Stamped{Stamp: r.times(), Jitter: r.c.Jitter(), Event: e}
}

// stampCounter gives a counter's event its times.
func (r *Runner) stampCounter(e counter.Event) counter.Stamped {
	return counter.Stamped{Stamp: r.times(), Event: e}
}

func (r *Runner) times() payterm.Stamp {
	mono, wall := r.c.Clock.Now()
	return payterm.Stamp{Boot: r.c.BootTag, Mono: mono, Wall: wall}
}

// Due is the next of all deadlines.
func (r *Runner) Due() (time.Duration, bool) {
	due, any := r.counter.Due()
	if len(r.queue) > 0 && (!any || r.queue[0].due < due) {
		due, any = r.queue[0].due, true
	}
	if r.storeBad && (!any || r.probeAt < due) {
		due, any = r.probeAt, true
	}
	if at, waits := r.gate.due(); waits && (!any || at < due) {
		due, any = at, true
	}
	if at, waits := r.asideDue(); waits && (!any || at < due) {
		due, any = at, true
	}
	return due, any
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

// feed steps the counter. Events that its commands cause wait until all commands are carried out,
// so that an older view never replaces a newer one.
func (r *Runner) feed(e counter.Event) {
	if r.held(e) {
		return
	}
	r.fed = append(r.fed, e)
	if r.feeding {
		return
	}
	r.feeding = true
	for len(r.fed) > 0 {
		next := r.fed[0]
		r.fed = r.fed[1:]
		r.stepCounter(next)
	}
	r.feeding = false
	r.answerLost()
}

// answerLost answers callers that the counter has dropped without an answer: nothing began for
// them, or they would wait for an order.
func (r *Runner) answerLost() {
	for ticket := range r.tickets {
		if ticket != r.counter.Ticket {
			r.c.Log.Error("the counter has lost a caller")
			r.answer(ticket, SaleResult{Reason: payterm.ReasonRestarted})
		}
	}
}

func (r *Runner) stepCounter(e counter.Event) {
	next, commands := counter.Step(r.counter, r.stampCounter(e))
	if err := next.Impossible(); err != nil {
		r.c.Log.Error("the counter reached an impossible state; it begins anew", "err", err)
		next, commands = counter.Step(r.counter.Anew(r.served()),
			r.stampCounter(counter.StatusChanged{Status: r.status()}))
	}
	r.counter = next
	r.endService()
	for _, c := range commands {
		r.carryOut(c)
	}
}

// served is the current state of the order that the counter has, or whose result it shows. The
// counter's own copy may be wrong here.
func (r *Runner) served() order.Order {
	t := r.counter
	if l := r.orders[t.Order.ID()]; l != nil && l.order.Phase.AtCounter() {
		return l.order
	}
	had := order.Order{}
	for _, l := range r.orders { // at most one
		if l.order.Phase.AtCounter() && l.order.ID() > had.ID() {
			had = l.order
		}
	}
	if had.Phase == order.Fresh && t.Phase == counter.ShowingResult {
		if o, err := r.saleOf(t.Order.ID()); err == nil {
			return o
		}
	}
	return had
}

// carryOut does what the counter commands.
func (r *Runner) carryOut(c counter.Command) {
	switch c := c.(type) {
	case counter.Show:
		r.c.Display.Show(r.c.Screen(c.View))
	case counter.Play:
		r.c.Buzzer.Play(c.Sound)
	case counter.Arm:
		if r.c.Scanner != nil {
			r.c.Scanner.Arm(c.On)
		}
	case counter.BeginSale:
		r.begin(c)
	case counter.Resolve:
		row, err := r.resolve(c.Order, c.Operator, c.Reason)
		r.answer(c.Ticket, SaleResult{Began: err == nil, Order: row, err: err})
		if c.Ticket == 0 && err != nil { // from the keypad: the screen has to tell the reason
			r.c.Log.Warn("a word on an order", "order_id", c.Order, "err", err)
			r.c.Buzzer.Play(payterm.SoundDeclined)
		}
	case counter.BeginRefund:
		r.beginRefund(c)
	case counter.Reprint:
		r.reprint(c.Order)
	case counter.CheckConflict:
		r.checkConflict(c)
	case counter.CheckPIN:
		r.checkPIN(c)
	case counter.Record:
		c.Did.Failures = r.locks[c.Did.Operator].failures
		r.record(c.Did)
	case counter.Tell:
		if l := r.orders[c.Order]; l != nil {
			r.step(l, r.stamp(c.Event))
		}
	case counter.Look:
		r.look(c.Query)
	case counter.SetLanguage:
		r.c.Language(c.Language)
		r.draw()
	case counter.Train:
		r.train(c)
	case counter.SetDrill:
		r.c.Drill(c.Drill)
	case counter.Refuse:
		r.answer(c.Ticket, SaleResult{Reason: c.Reason, Order: payterm.Order{ID: c.Order}})
	case counter.AllowZ:
		r.answer(c.Ticket, SaleResult{Began: true, by: c.By})
	case counter.BeginService:
		r.answer(c.Ticket, SaleResult{Began: true})
	case counter.HandOn:
		r.handOn(c.Event)
	}
}

// checkConflict finds what a sale of this total would conflict with.
func (r *Runner) checkConflict(c counter.CheckConflict) {
	id, doubt := order.Conflict(r.of(c.Total), c.Total, r.now())
	if aside := r.guards(c.Total); aside != "" && !doubt {
		id, doubt = aside, true
	}
	ev := counter.ConflictChecked{Order: id, Doubt: doubt}
	if c.Despite != "" {
		despite, _, err := r.c.Journal.Order(c.Despite)
		if err != nil {
			r.storeFailed(err)
			return
		}
		found := r.found.since(r.beganAt(c.Despite), c.Total)
		switch {
		case despite.Outcome == payterm.Approved:
			ev.Order, ev.Paid = c.Despite, true
		case found != "":
			ev.Order, ev.Paid = found, true
		}
	}
	if r.c.Sold != nil {
		var err error
		_, wall := r.c.Clock.Now()
		if ev.SoldMinor, err = r.c.Sold(wall); err != nil {
			r.storeFailed(err)
			return
		}
	}
	r.feed(ev)
}

// begin begins a sale.
func (r *Runner) begin(c counter.BeginSale) {
	r.start(c.Ticket, c.Sale.Total(),
		func(id payterm.OrderID) order.Event {
			c.Sale.ID = id
			return c.Sale
		})
}

// start begins an order of a total; first makes its first event for the new id.
func (r *Runner) start(ticket uint64, total payterm.Amount, first func(payterm.OrderID) order.Event) {
	id, err := r.newID()
	if err != nil {
		r.storeFailed(err)
		return
	}
	l := &live{heapAt: -1}
	r.enter(id, total, l)
	r.joined(l, ticket)
	r.step(l, r.stamp(first(id)))
	if l.order.Phase == order.Fresh { // it was not committed, so it never began
		r.leave(id, l)
		for _, w := range l.waiters {
			w.end(SaleResult{Reason: payterm.ReasonStorage})
		}
		// unless the counter knows of the failed journal already
		r.feed(counter.RefundRefused{Reason: payterm.ReasonStorage})
		return
	}
	for _, w := range l.waiters {
		w.began <- id
	}
}

// newID is the id of a new order, if the disk has room for its end.
func (r *Runner) newID() (payterm.OrderID, error) {
	if err := r.c.Journal.Reserve(); err != nil {
		return "", fmt.Errorf("room for the answer: %w", err)
	}
	id, err := r.c.Journal.NextOrderID()
	if err != nil {
		return "", fmt.Errorf("next order id: %w", err)
	}
	return id, nil
}

// joined makes the callers that asked for an order wait for it.
func (r *Runner) joined(l *live, ticket uint64) {
	if t := r.tickets[ticket]; t != nil {
		l.waiters = append(l.waiters, t.calls...)
		delete(r.tickets, ticket)
	}
}

// step moves one order: Step, Commit, commands. Orders in memory change in no other way.
func (r *Runner) step(l *live, in order.Stamped) {
	if len(l.unsaved) > 0 {
		r.keep(l, in)
		return
	}
	if l.overdue && l.order.Phase.AtCounter() {
		in.Event = overdue(in.Event)
	}
	before := l.order
	next, commands := order.Step(before, in)
	if err := next.Impossible(); err != nil {
		r.quarantine(l, in, err)
		return
	}
	if order.Lasting(before, next) {
		entries, err := r.entries(before, next, in)
		if errors.Is(err, errNoSale) {
			r.quarantine(l, in, err)
			return
		}
		if err == nil {
			err = r.c.Journal.Commit(entries...)
		}
		if err != nil {
			r.notCommitted(l, in, err)
			return
		}
		r.logStep(before, next, in)
	}
	r.set(l, next)
	r.plan(l)
	var tooOld []order.Event
	for _, c := range commands {
		if never := r.tooOld(c); never != nil {
			tooOld = append(tooOld, never)
			continue
		}
		r.carryOutOrder(next, c)
	}
	r.moved(l, before)
	for _, never := range tooOld {
		r.step(l, r.stamp(never))
	}
}

// logStep logs what changed in an order: what people have to do with at the usual level, each
// step at that of whoever looks closer.
func (r *Runner) logStep(before, next order.Order, in order.Stamped) {
	id := next.ID()
	r.c.Log.Debug("order", "order_id", id, "event", order.EventName(in.Event),
		"from", before.Phase.String(), "to", next.Phase.String(), "outcome", next.Outcome, "reason", next.Reason)
	switch doubt, was := next.Outcome == payterm.InDoubt, before.Outcome == payterm.InDoubt; {
	case doubt && !was:
		r.c.Log.Info("order in doubt", "order_id", id, "amount", next.Total(), "currency", next.Sale.Currency,
			"reason", next.Reason)
	case was && !doubt:
		r.c.Log.Info("order no longer in doubt", "order_id", id, "outcome", next.Outcome, "reason", next.Reason)
	}
	if next.Attention != before.Attention && next.Attention != payterm.AttentionNone {
		r.c.Log.Warn("order waits for a person", "order_id", id, "attention", next.Attention)
	}
}

// tooOld is the end of a request that became too old during the commit; nil for every other
// command. The command is not carried out.
func (r *Runner) tooOld(c order.Command) order.Event {
	switch c := c.(type) {
	case order.SendPayment:
		if r.age(c.FreshUntil).TooOld() {
			return order.PaymentAnswered{Reply: payterm.Reply{Answer: payterm.Unsent{
				Why: "the code was too old once its order was written down", TooOld: true}}}
		}
	case order.SendRefund:
		if r.age(c.FreshUntil).TooOld() {
			return order.RefundAnswered{Reply: payterm.Reply{Answer: payterm.Unsent{
				Why: "the refund was too old once it was written down", TooOld: true}}}
		}
	default: // has no age
	}
	return nil
}

// entry is the journal entry of one step.
func (r *Runner) entry(before, next order.Order, in order.Stamped) (payterm.Entry, error) {
	name, body, err := order.EncodeEvent(in.Event)
	if err != nil {
		return payterm.Entry{}, err
	}
	e := payterm.Entry{
		OrderID: next.ID(), Event: name, Body: body, Stamp: in.Stamp,
		Order: next.Row(), Closed: next.Settled(), Owes: next.Owes(),
	}
	if next.CodeKey != before.CodeKey {
		e.CodeKey = next.CodeKey
	}
	return e, nil
}

// carryOutOrder does what a committed step commands.
func (r *Runner) carryOutOrder(o order.Order, c order.Command) {
	switch c := c.(type) {
	case order.SendPayment:
		id := o.ID()
		c.Payment.Age = r.age(c.FreshUntil)
		r.request(requestLimit(o), func(ctx context.Context) payterm.Answer { return r.c.Gateway.Pay(ctx, c.Payment) },
			func(a payterm.Answer) { r.answered(id, order.PaymentAnswered{Reply: payterm.Reply{Answer: a}}, a) })
	case order.SendRefund:
		id := o.ID()
		c.Refund.Age = r.age(c.FreshUntil)
		r.request(requestLimit(o),
			func(ctx context.Context) payterm.Answer { return r.c.Gateway.Refund(ctx, c.Refund) },
			func(a payterm.Answer) { r.answered(id, order.RefundAnswered{Reply: payterm.Reply{Answer: a}}, a) })
	case order.Inquire:
		r.inquire(o, c.Inquiry)
	case order.Print:
		if err := r.c.Printer.Print(r.c.Slip(c.Slip, o.Row(), c.Copy)); err != nil {
			r.c.Log.Warn("slip not printed", "order_id", o.ID(), "slip", c.Slip, "err", err)
		}
	case order.OpenDrawer:
		if r.c.Drawer == nil {
			return
		}
		if err := r.c.Drawer.OpenDrawer(); err != nil {
			r.c.Log.Warn("drawer not opened", "order_id", o.ID(), "err", err)
		}
	case order.PrintCode:
		if mono, wall := r.c.Clock.Now(); r.c.Codes != nil && mono < c.Until { // the commit may have taken too long
			r.c.Codes.PrintCode(o.Row(), c.CodeURL, wall.Add(c.Until-mono))
		}
	case order.VoidCode:
		if r.c.Codes != nil {
			r.c.Codes.VoidCode(o.ID())
		}
	case order.Play:
		r.c.Buzzer.Play(c.Sound)
	}
}

// age is a request's age by the runner's clock.
func (r *Runner) age(freshUntil time.Duration) codeAge { return codeAge{r.c.Clock, freshUntil} }

type codeAge struct {
	clock Clock
	until time.Duration // 0 for no limit
}

// TooOld implements payterm.CodeAge.
func (a codeAge) TooOld() bool {
	mono, _ := a.clock.Now()
	return a.until != 0 && mono >= a.until
}

// inquire passes an open order's inquiry to the gate.
func (r *Runner) inquire(o order.Order, i payterm.Inquiry) {
	id := o.ID()
	l := r.orders[id]
	if l == nil {
		return
	}
	q := question{
		Inquiry: i, by: id, line: dueLine, limit: requestLimit(o),
		joins: o.Phase == order.Baselining,                // another's newer answer about the sale serves a refund too
		still: func() bool { return r.orders[id] != nil }, // not if it has closed meanwhile
		deliver: func(a payterm.Answer) {
			if a != nil {
				r.answered(id, order.InquiryAnswered{Reply: payterm.Reply{Answer: a}}, a)
			}
		},
	}
	switch {
	case o.Phase.AtCounter():
		q.line = counterLine
	case l.young:
		q.line = bootLine
	case len(l.watchers) > 0:
		q.line = wishLine
	}
	l.young = false
	r.want(q) //nolint:errcheck // an order's own question is never refused
}

// want passes a question to the gate.
func (r *Runner) want(q question) error {
	err := r.gate.add(q, r.now())
	r.nextInquiry()
	return err
}

// nextInquiry starts what the gate allows.
func (r *Runner) nextInquiry() {
	for s, limit := r.gate.next(r.now()); s != nil; s, limit = r.gate.next(r.now()) {
		i := s.asking
		r.request(limit, func(ctx context.Context) payterm.Answer { return r.c.Gateway.Inquire(ctx, i) },
			func(a payterm.Answer) {
				r.hear(a)
				for _, q := range r.gate.answered(s) {
					q.deliver(a)
				}
				r.nextInquiry()
			})
	}
}

// requestLimit is how long a request for an order may take.
func requestLimit(o order.Order) time.Duration { return o.Sale.Rules.HTTPTimeout + requestOverhead }

// request runs one gateway call off the loop, with a deadline, and brings the answer back to the
// loop.
func (r *Runner) request(limit time.Duration, call func(context.Context) payterm.Answer, done func(payterm.Answer)) {
	ctx := r.ctx
	r.c.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		a := call(ctx)
		r.Post(func() { done(a) })
	})
}

func (r *Runner) answered(id payterm.OrderID, e order.Event, a payterm.Answer) {
	r.hear(a)
	l := r.orders[id]
	if l == nil {
		r.answeredAfter(id, e, a)
		return
	}
	r.step(l, r.stamp(e))
	if _, inquiry := e.(order.InquiryAnswered); inquiry {
		l.tellWatchers()
	}
}

// answeredAfter handles an answer about an order that was set aside or closed in the meantime.
// The answer to a refund's inquiry is about its sale and goes to that.
func (r *Runner) answeredAfter(id payterm.OrderID, e order.Event, a payterm.Answer) {
	aside := r.broken[id]
	var row payterm.Order
	if aside != nil {
		row = aside.Row
	} else {
		var known bool
		var err error
		if row, known, err = r.c.Journal.Order(id); err != nil || !known {
			r.c.Log.Warn("an answer about an order that cannot be looked up", "order_id", id, "err", err)
			return
		}
	}
	_, inquiry := e.(order.InquiryAnswered)
	switch {
	case row.Kind == payterm.KindRefund && inquiry:
		if _, err := r.contradicted(row.SaleID, a); err != nil {
			r.c.Log.Warn("an answer about a sale was not kept", "order_id", row.SaleID, "err", err)
		}
	case row.Kind == payterm.KindRefund: // an answer to REFUND proves nothing
	case aside != nil:
		r.stepAside(aside, order.AsideAnswered{Reply: payterm.Reply{Answer: a}}) //nolint:errcheck // it is asked again
	}
}

func (l *live) tellWatchers() {
	row := l.order.Row()
	for _, w := range l.watchers {
		w <- row
	}
	l.watchers = nil
}

func (l *live) tellWaiters() {
	row := l.order.Row()
	for _, w := range l.waiters {
		w.end(SaleResult{Began: true, Reason: row.Reason, Order: row})
	}
	l.waiters = nil
}

// moved tells everyone who follows an order of its new state.
func (r *Runner) moved(l *live, before order.Order) {
	o := l.order
	changed := order.Lasting(before, o)
	if changed {
		r.changes.add(o.Row())
	}
	r.feed(counter.OrderMoved{Order: o, Found: r.newlyPaid(before.Outcome, o.Row())})
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
		Queue:    r.phases[order.InBackground] + r.phases[order.Trailing] + r.asidesAsked(),
		Doubts:   r.doubts,
		Late:     r.counts[payterm.AttentionLatePayment],
		Alarms:   r.counts[payterm.AttentionAlarm] + r.asideAlarms(),
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

func (r *Runner) now() time.Duration {
	mono, _ := r.c.Clock.Now()
	return mono
}

// plan puts the order's next deadline into the queue.
func (r *Runner) plan(l *live) {
	due, any := l.order.Due()
	// Answers that could not be stored are retried at retryAt, whatever the deadline.
	if l.retryAt > 0 && (!any || due < l.retryAt || len(l.unsaved) > 0) {
		due, any = l.retryAt, true
		l.retryAt = 0
	}
	if !any {
		r.unplan(l)
		return
	}
	l.due = due
	if l.heapAt < 0 {
		heap.Push(&r.queue, l)
	} else {
		heap.Fix(&r.queue, l.heapAt)
	}
}

func (r *Runner) unplan(l *live) {
	if l.heapAt >= 0 {
		heap.Remove(&r.queue, l.heapAt)
	}
}

// dueQueue sorts orders by deadline, then by id so that runs are reproducible.
type dueQueue []*live

func (q dueQueue) Len() int { return len(q) }
func (q dueQueue) Less(i, j int) bool {
	if q[i].due != q[j].due {
		return q[i].due < q[j].due
	}
	return q[i].order.ID() < q[j].order.ID()
}
func (q dueQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].heapAt, q[j].heapAt = i, j
}

// Push implements heap.Interface.
func (q *dueQueue) Push(x any) {
	l := x.(*live)
	l.heapAt = len(*q)
	*q = append(*q, l)
}

// Pop implements heap.Interface.
func (q *dueQueue) Pop() any {
	old := *q
	l := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	l.heapAt = -1
	return l
}

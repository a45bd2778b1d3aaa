// Package flowstest tests the machines of flows/order and flows/counter with stories and
// with a simulated world (Sim).
//
// A story is a text of what happens and what the machines do. Tell plays what happens and
// writes the machines' output, so that a golden file can be compared or rewritten. It does
// what the runner does, in memory: it stamps events, steps the machines, keeps a journal,
// carries out the counter's commands, and steps deadlines that have passed. Answers of the
// gateway and acts of people are lines of the story.
//
// The lines of a story:
//
//	= title          begins a story, with a new world
//	# remark         is kept
//	> what happens   see below; "+2s" in front lets time pass first, and "@2" means
//	                 the second order instead of the latest
//	anything else    output of the machines, which is rewritten
//
// What happens:
//
//	rules keep_late | ladder 4s,30s       changes the rules of the sales that follow
//	terminal [WALLET ...] [pin] [max 50.00] [tips 10,15] [lines 3] [guarded] [training]   sets up a
//	                                      counter; guarded: refunds need a PIN
//	terminal ... [operators] [supervisors] [day 200.00]   somebody has to sign on;
//	                                      supervisors have numbers; a day has a limit
//	sold 150.00                           in this business day so far
//	sale passive|active 12.34 [WALLET] [tip 1.00]   begins an order, without the counter
//	asked passive|active 12.34 [WALLET] [despite N]   a sale over the socket
//	refund 5.00                           of the order, over the socket or without a counter
//	word REASON                           a supervisor's decision on the order, over the socket
//	answered ANSWER                       the end of the REFUND request
//	key 1 2 ENTER ...                     keys of the counter
//	scan CODE [used] [began -2s]          one scan
//	payment ANSWER, inquiry ANSWER        the end of a request
//	paying ANSWER | paying nothing        every payment from now on is answered so, 5 s later
//	replying ANSWER | replying nothing    every inquiry from now on is answered so, 1 s later
//	strays                                every event that this order must ignore
//	wake, reprint                         a deadline that is not due; the slips again
//	wait, quietly                         time passes; quietly: only new facts are printed
//	cancel, ask, resolve REASON           to the order, without the counter
//	pin ok|wrong [NUMBER NAME [supervisor]] [wait 1m]   the end of a check of a PIN
//	says ANSWER | says nothing            the end of the menu's question about an order
//	unreadable | blind                    it fails; from now on, those for orders fail
//	totals NUMBER SALES 12.34 [open N]    the end of its question for totals; totals WHY
//	rate 5.2474 [age 2h] | rate           the end of its question for the exchange rate
//	status network down | queue 3 ...     the terminal's state on the idle screen
//	store failed WHY | store recovered    the journal
//	service asked | key 5 | ended         a caller tests the devices
//	restart [after 5m] [soon]             a power failure
//	training asked on|off | refused REASON   over the socket; the end of a Train
//	z asked [NUMBER] [PIN]                a Z over the socket
//	clock set|unset|+25h                  the wall clock, from now on; it jumps
//	row                                   prints the order's row
//
// An ANSWER is a name of payterm.AnswerName with what it carries:
//
//	unsent [final|old|clock] | lost [forged] | code URL | paid 12.34 [trade -2m] | rejected [unsent]
//	refunded 12.34 5.00 | pending [STATUS] | failed [STATUS] | refused code_invalid
//	clash [paid] | not_found | unclear [authentic] [alarm] [paid] [unknown]
package flowstest

import (
	"fmt"
	"strings"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
)

// Tell plays all stories of a text and returns the text with the machines' output. An error names
// the line that could not be played, or the impossible state.
func Tell(text string) (string, error) {
	var out strings.Builder
	w := newWorld(&out)
	for i, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, "= "):
			w = newWorld(&out)
			fmt.Fprintln(&out, line)
		case strings.HasPrefix(line, "#"), line == "":
			fmt.Fprintln(&out, line)
		case strings.HasPrefix(line, "> "):
			fmt.Fprintln(&out, line)
			if err := w.play(strings.Fields(line[2:])); err != nil {
				return out.String(), fmt.Errorf("line %d: %s: %w", i+1, line, err)
			}
		}
	}
	return out.String(), nil
}

// world is the environment of the machines.
type world struct {
	out      *strings.Builder
	now      time.Duration // since the story began
	dark     time.Duration // time without power
	boots    int
	clockSet bool
	clockOff time.Duration
	rules    order.Rules
	orders   []*storyOrder
	terminal *counter.Counter
	tickets  uint64
	paying   payterm.Answer
	replying payterm.Answer
	replies  []reply
	quiet    bool
	asked    int // inquiries while quiet
	sold     payterm.Amount
	lastView counter.View
	blind    bool          // the journal cannot be read
	looked   counter.Query // the counter's last question
}

// storyOrder is one order and its journal.
type storyOrder struct {
	state   order.Order
	records []record
	payment bool // running
	inquiry bool
}

// record is a journalled event in storage's form.
type record struct {
	name  string
	body  []byte
	stamp payterm.Stamp
}

// reply is an answer on its way.
type reply struct {
	at    time.Duration
	order *storyOrder
	event order.Event
}

// storyBegan is the wall time at the start of every story.
var storyBegan = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// starting is the process's age at its first event.
const starting = time.Second

// heartbeat is how often the lived time is stored.
const heartbeat = 10 * time.Minute

func newWorld(out *strings.Builder) *world {
	return &world{out: out, dark: -starting, clockSet: true, boots: 1, rules: order.DefaultRules()}
}

// mono is the lived time.
func (w *world) mono() time.Duration { return w.now - w.dark }

func (w *world) stamp(e order.Event) order.Stamped {
	return order.Stamped{Stamp: w.times(), Event: e}
}

func (w *world) stampCounter(e counter.Event) counter.Stamped {
	return counter.Stamped{Stamp: w.times(), Event: e}
}

func (w *world) times() payterm.Stamp {
	s := payterm.Stamp{Boot: fmt.Sprintf("BOOT%d", w.boots), Mono: w.mono()}
	if w.clockSet {
		s.Wall = storyBegan.Add(w.now + w.clockOff)
	}
	return s
}

// say writes one line of output.
func (w *world) say(format string, args ...any) {
	fmt.Fprintf(w.out, "    "+format+"\n", args...)
}

// step moves an order as the runner does: Step, commit, commands.
func (w *world) step(o *storyOrder, e order.Event) error {
	in := w.stamp(e)
	before := o.state
	next, commands := order.Step(before, in)
	if err := next.Impossible(); err != nil {
		return err
	}
	lasting := order.Lasting(before, next)
	if lasting {
		name, body, err := order.EncodeEvent(e)
		if err != nil {
			return err
		}
		o.records = append(o.records, record{name, body, in.Stamp})
	}
	settled := next.Settled() && !o.state.Settled()
	o.state = next
	switch e.(type) {
	case order.PaymentAnswered, order.RefundAnswered:
		o.payment = false
	case order.InquiryAnswered:
		o.inquiry = false
	}
	if !w.quiet || lasting {
		w.sayStep(o, before, e, lasting, len(commands))
	}
	for _, c := range commands {
		if err := w.carryOutOrder(o, c); err != nil {
			return err
		}
	}
	if sale := w.find(o.state.SaleID); sale != nil && settled {
		if err := w.step(sale, o.state.SaleRefunded()); err != nil {
			return err
		}
	}
	switch e.(type) {
	case order.RefundOpened, order.RefundEnded: // committed with the refund's event, and not reported
		return nil
	}
	if w.terminal != nil {
		return w.feed(counter.OrderMoved{Order: o.state, Found: before.Outcome != o.state.Outcome &&
			o.state.Outcome == payterm.Approved}, false)
	}
	return nil
}

func (w *world) sayStep(o *storyOrder, before order.Order, e order.Event, lasting bool, commands int) {
	phase := before.Phase.String()
	if o.state.Phase != before.Phase {
		phase += " -> " + o.state.Phase.String()
	}
	line := fmt.Sprintf("%s %s%s: %s", short(w.now), w.which(o), describeEvent(e), phase)
	if !lasting && o.state == before && commands == 0 {
		w.say("%s; nothing changes", line)
		return
	}
	if lasting {
		line += "; committed"
		if owed := o.state.Owes(); owed != payterm.OwedNothing {
			line += ", owes " + string(owed)
		}
		if o.state.Settled() {
			line += ", settled"
		}
	}
	w.say("%s", line)
	w.say("  %s", w.orderState(o.state))
}

// which names the order if there are several, or a counter.
func (w *world) which(o *storyOrder) string {
	if len(w.orders) < 2 && w.terminal == nil {
		return ""
	}
	return "order " + w.number(o.state.ID()) + " "
}

// number is an order's number in the story.
func (w *world) number(id payterm.OrderID) string {
	for i, o := range w.orders {
		if o.state.ID() == id {
			return fmt.Sprint(i + 1)
		}
	}
	return "of nobody"
}

// orderState is an order's state in one line.
func (w *world) orderState(o order.Order) string {
	s := string(o.Outcome)
	if o.Reason != payterm.ReasonNone {
		s += " (" + string(o.Reason) + ")"
	}
	if o.Attention != payterm.AttentionNone {
		s += ", attention " + string(o.Attention)
	}
	if o.Hint != order.HintNone {
		s += ", hint " + string(o.Hint)
	}
	if o.CodeURL != "" {
		s += ", shows " + o.CodeURL
	}
	if o.Asking.InFlight {
		s += ", request under way"
	}
	if due, any := o.Due(); any {
		return s + "; due " + short(due+w.dark)
	}
	return s + "; nothing due"
}

// carryOutOrder does what an order commands.
func (w *world) carryOutOrder(o *storyOrder, c order.Command) error {
	switch c.(type) {
	case order.SendPayment:
		if o.payment || o.inquiry {
			return fmt.Errorf("two requests in flight for order %s", o.state.ID())
		}
		o.payment = true
		if w.paying != nil {
			w.replies = append(w.replies,
				reply{w.now + 5*time.Second, o, order.PaymentAnswered{Reply: payterm.Reply{Answer: w.paying}}})
		}
	case order.Inquire:
		if o.payment || o.inquiry {
			return fmt.Errorf("two requests in flight for order %s", o.state.ID())
		}
		o.inquiry = true
		if w.quiet {
			w.asked++
		}
		if w.replying != nil {
			w.replies = append(w.replies,
				reply{w.now + time.Second, o, order.InquiryAnswered{Reply: payterm.Reply{Answer: w.replying}}})
		}
		if w.quiet {
			return nil
		}
	case order.SendRefund:
		if o.payment || o.inquiry {
			return fmt.Errorf("two requests in flight for order %s", o.state.ID())
		}
		o.payment = true
	case order.Print, order.OpenDrawer, order.PrintCode, order.VoidCode, order.Play:
	}
	w.say("  %s", describeCommand(c))
	return nil
}

// feed steps the counter. Events from an order's step are printed only if the view changes.
func (w *world) feed(e counter.Event, tell bool) error {
	before := *w.terminal
	next, commands := counter.Step(before, w.stampCounter(e))
	if err := next.Impossible(); err != nil {
		return err
	}
	*w.terminal = next
	if tell && !w.quiet || next.Phase != before.Phase {
		phase := before.Phase.String()
		if next.Phase != before.Phase {
			phase += " -> " + next.Phase.String()
		}
		what := "counter"
		if tell {
			what += " " + describeCounterEvent(e)
		}
		w.say("%s %s: %s", short(w.now), what, phase)
	}
	for _, c := range commands {
		if err := w.carryOut(c); err != nil {
			return err
		}
	}
	return nil
}

// carryOut does what the counter commands, as the runner does.
func (w *world) carryOut(c counter.Command) error {
	if show, ok := c.(counter.Show); ok {
		w.show(show.View)
		return nil
	}
	if _, handed := c.(counter.Tell); !handed {
		w.say("  %s", w.replaceIDs(describeCounterCommand(c)))
	}
	switch c := c.(type) {
	case counter.BeginSale:
		o := &storyOrder{}
		w.orders = append(w.orders, o)
		c.Sale.ID = w.nextID()
		return w.step(o, c.Sale)
	case counter.CheckConflict:
		var states []order.Order
		paid := false
		for _, o := range w.orders {
			states = append(states, o.state)
			paid = paid || o.state.ID() == c.Despite && o.state.Outcome == payterm.Approved
		}
		id, doubt := order.Conflict(states, c.Total, w.mono())
		if paid {
			id = c.Despite
		}
		return w.feed(counter.ConflictChecked{Order: id, Doubt: doubt, Paid: paid, Sold: w.sold}, true)
	case counter.Tell:
		for _, o := range w.orders {
			if o.state.ID() == c.Order {
				return w.step(o, c.Event)
			}
		}
		return fmt.Errorf("the counter tells something to order %q, which is nobody", c.Order)
	case counter.BeginRefund:
		sale := w.find(c.Refund.SaleID)
		if sale == nil {
			return fmt.Errorf("a refund of an order that is nobody's")
		}
		if why := order.RefundReason(sale.state,
			sale.state.Total().With(c.Refund.AmountMinor)); why != payterm.ReasonNone {
			return w.feed(counter.RefundRefused{Reason: why}, true)
		}
		o := &storyOrder{}
		w.orders = append(w.orders, o)
		c.Refund.ID = w.nextID()
		terms := sale.state
		c.Refund.SaleTotalMinor, c.Refund.Mode, c.Refund.Wallet, c.Refund.Currency = terms.Total().Minor,
			terms.Sale.Mode, terms.Wallet, terms.Sale.Currency
		c.Refund.SaleRefundedMinor = terms.RefundedMinor
		if err := w.step(sale, order.RefundOpened{ID: c.Refund.ID, AmountMinor: c.Refund.AmountMinor}); err != nil {
			return err
		}
		return w.step(o, c.Refund)
	case counter.Resolve:
		return w.step(w.find(c.Order), order.Resolved{Operator: c.Operator, Reason: c.Reason})
	case counter.Reprint:
		return w.step(w.find(c.Order), order.ReprintAsked{})
	case counter.Look:
		return w.look(c.Query)
	case counter.KeepPIN:
		w.looked = c.Query
	case counter.Play, counter.Arm, counter.Show, counter.CheckPIN, counter.Record, counter.Refuse, counter.SetLanguage,
		counter.BeginService, counter.HandOn, counter.Train, counter.SetDrill, counter.AllowZ, counter.PrintCode:
	}
	return nil
}

// find is the order with an id, nil for none.
func (w *world) find(id payterm.OrderID) *storyOrder {
	for _, o := range w.orders {
		if o.state.ID() == id {
			return o
		}
	}
	return nil
}

// show prints a view, unless only its seconds have changed.
func (w *world) show(v counter.View) {
	still := v
	still.Elapsed, still.Left = 0, 0
	if still == w.lastView {
		return
	}
	w.lastView = still
	w.say("  show %s; state %s", w.replaceIDs(describeView(v)), w.terminal.State())
}

// replaceIDs replaces order ids by numbers of the story.
func (w *world) replaceIDs(s string) string {
	for i, o := range w.orders {
		if id := string(o.state.ID()); id != "" {
			s = strings.ReplaceAll(s, id, fmt.Sprintf("order %d", i+1))
		}
	}
	return s
}

func (w *world) nextID() payterm.OrderID {
	id, err := payterm.OrderIDFrom("T1", fmt.Sprintf("BOOT%d", w.boots), int64(len(w.orders)))
	if err != nil {
		panic(err) // terminal, tag and counter are constants
	}
	return id
}

// pass lets time pass and does what falls due.
func (w *world) pass(d time.Duration) error {
	until := w.now + d
	for {
		at, fire := w.next()
		if fire == nil || at > until {
			w.now = max(w.now, until)
			return nil
		}
		w.now = max(w.now, at)
		if err := fire(); err != nil {
			return err
		}
	}
}

// next is what falls due first: an answer, an order's deadline, the counter's.
func (w *world) next() (at time.Duration, fire func() error) {
	for i, r := range w.replies {
		if fire == nil || r.at < at {
			at, fire = r.at, func() error {
				w.replies = append(w.replies[:i:i], w.replies[i+1:]...)
				return w.step(r.order, r.event)
			}
		}
	}
	for _, o := range w.orders {
		if due, any := o.state.Due(); any && (fire == nil || due+w.dark < at) {
			at, fire = due+w.dark, func() error { return w.wake(o) }
		}
	}
	if w.terminal != nil {
		if due, any := w.terminal.Due(); any && (fire == nil || due+w.dark < at) {
			at, fire = due+w.dark, func() error { return w.tick() }
		}
	}
	return at, fire
}

// wake steps an order by its deadline, which must not be due again at once.
func (w *world) wake(o *storyOrder) error {
	if err := w.step(o, order.Woke{}); err != nil {
		return err
	}
	if due, any := o.state.Due(); any && due <= w.mono() {
		return fmt.Errorf("order %s in %s does not move on when it is woken", o.state.ID(), o.state.Phase)
	}
	return nil
}

// tick steps the counter by its deadline.
func (w *world) tick() error {
	if err := w.feed(counter.Woke{}, false); err != nil {
		return err
	}
	if due, any := w.terminal.Due(); any && due <= w.mono() {
		return fmt.Errorf("the counter in %s does not move on when it is woken", w.terminal.Phase)
	}
	return nil
}

// restart ends the process and starts another one from the journals.
func (w *world) restart(after time.Duration, soon bool) error {
	lived := w.lived()
	w.now += after
	w.dark, w.boots = w.now-lived-starting, w.boots+1
	w.replies = nil
	if w.terminal != nil {
		*w.terminal = counter.New(w.terminal.Settings)
		w.lastView = counter.View{}
		if err := w.feed(counter.StatusChanged{Status: w.terminal.Status}, false); err != nil {
			return err
		}
	}
	for _, o := range w.orders {
		if o.state.Settled() {
			continue
		}
		folded, err := o.fold()
		if err != nil {
			return err
		}
		if order.Lasting(o.state, folded) {
			return fmt.Errorf("the journal gives back another order than the one that lived:\n%+v\n%+v", o.state,
				folded)
		}
		o.state, o.payment, o.inquiry = folded, false, false
		if err := w.step(o, order.Restarted{Soon: soon}); err != nil {
			return err
		}
	}
	return nil
}

// lived is the lived time that the journal has: the newest record's, or the last heartbeat's.
func (w *world) lived() time.Duration {
	lived := w.mono() / heartbeat * heartbeat
	for _, o := range w.orders {
		for _, r := range o.records {
			lived = max(lived, r.stamp.Mono)
		}
	}
	return lived
}

// fold reads an order from its journal.
func (o *storyOrder) fold() (order.Order, error) {
	var events []order.Stamped
	for _, r := range o.records {
		e, err := order.DecodeEvent(r.name, r.body)
		if err != nil {
			return order.Order{}, err
		}
		events = append(events, order.Stamped{Stamp: r.stamp, Event: e})
	}
	return order.Fold(events)
}

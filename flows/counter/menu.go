package counter

import (
	"slices"
	"time"

	"payterm"
	"payterm/flows/order"
)

// Hints of the menu.
const (
	HintNothing      order.Hint = "nothing"       // there is no last sale
	HintNotOurs      order.Hint = "not_ours"      // no order of this terminal has this number
	HintNotANumber   order.Hint = "not_a_number"  // the scan is no order number
	HintPaymentCode  order.Hint = "payment_code"  // the scan is a payment code, which is never looked up
	HintNoSupervisor order.Hint = "no_supervisor" // a refund needs a PIN, and none is configured
	HintUnreadable   order.Hint = "unreadable"    // the journal, or the gateway, could not be asked
	HintNotAlike     order.Hint = "not_alike"     // a new PIN was typed twice, and differently
	HintShortPIN     order.Hint = "short_pin"     // a new PIN of too few digits
	HintSupervisors  order.Hint = "supervisors"   // it is another supervisor's number
)

// F3 opens the menu of all that is not a sale; on boards without F3, F1 does while nothing
// is typed. The menu only reads, with four exceptions: a refund, a decision on an order and
// the Z, each after a supervisor's PIN, and slips that are printed again, marked COPY.
//
//	InMenu          a task is chosen
//	Finding         an order's number is scanned or typed
//	Looking         the journal, the gateway or the totals are being asked
//	Listing         several orders; one is chosen
//	ShowingOrder    one order, and what can be done with it
//	ShowingWord     a supervisor's decision on it was recorded
//	EnteringRefund  the amount of a refund
//	AskingYes       a question (question.go)
//	ShowingTotals, ShowingRate, ChoosingLanguage, the operators' (staff.go) and training's
//
// CANCEL goes one step back from each of them. An answer is dropped if the phase or the
// query is another one by then.

// Task is an item of the menu.
type Task uint8

// The tasks.
const (
	NoTask Task = iota
	TaskLast
	TaskRefund
	TaskWasPaid
	TaskOpen
	TaskLate
	TaskX
	TaskZ
	TaskRate
	TaskLanguage
	TaskSignOff  // by key 0, if somebody is signed on
	TaskTraining // by key 00
	TaskStaff    // by key F2, where a supervisor can change operators
)

// Tasks is the number of tasks.
const Tasks = int(TaskStaff)

// TaskList lists the tasks that are offered now, in order. Signing off needs somebody who is
// signed on.
func TaskList(signedOn, staffed bool) []Task {
	list := make([]Task, 0, Tasks)
	for task := TaskLast; task <= TaskStaff; task++ {
		if (task != TaskSignOff || signedOn) && (task != TaskStaff || staffed) {
			list = append(list, task)
		}
	}
	return list
}

// Key is the key that chooses the task.
func (t Task) Key() payterm.Key {
	switch t {
	case TaskSignOff:
		return payterm.Key0
	case TaskTraining:
		return payterm.Key00
	case TaskStaff:
		return payterm.KeyF2
	}
	return payterm.Key(rune('0' + t))
}

// MaxRows bounds a page of a list.
const MaxRows = 5

// MaxSums bounds the sums that are shown of a total. The day is closed before a terminal changes
// its merchant or currency, so there is hardly ever more than one.
const MaxSums = 3

// maxNumberTyped bounds an order number that is typed: the length of the longest id.
const maxNumberTyped = payterm.MaxOrderID

// Lookup is a kind of question.
type Lookup string

// The lookups.
const (
	LookOrder   Lookup = "order"   // the order with this id
	LookNumber  Lookup = "number"  // orders whose id, or the wallet's number, ends so
	LookList    Lookup = "list"    // payterm.OrderList
	LookGateway Lookup = "gateway" // the gateway's answer about the order with this id
	LookTotals  Lookup = "totals"  // X, or Z if Text is "z", which closes the day
	LookRate    Lookup = "rate"
	LookPerson  Lookup = "person" // who has this number
	LookPIN     Lookup = "pin"    // a new PIN of this number is being kept (KeepPIN)
)

// Query is one question of the menu. Text is never a payment code.
type Query struct {
	What Lookup
	Text string
	Skip int             // rows of earlier pages
	Rows int             // at most
	By   payterm.TakenBy // who takes a Z, or sets a PIN
}

// Row is what the screens show of an order.
type Row struct {
	Order      payterm.OrderID
	SaleID     payterm.OrderID // of a refund
	Kind       payterm.Kind
	Wallet     payterm.Channel
	Total      payterm.Amount
	Refunded   payterm.Amount
	At         int64 // when it began, UTC milliseconds, 0 if the clock was not set
	Outcome    payterm.Outcome
	Reason     payterm.Reason
	Attention  payterm.Attention
	Resolution string
}

// RowOf reduces an order to its row.
func RowOf(o payterm.Order) Row {
	return Row{
		Order: o.ID, SaleID: o.SaleID, Kind: o.Kind, Wallet: o.Wallet, Total: o.Total(),
		Refunded: o.Total().With(o.RefundedMinor),
		At:       payterm.Millis(o.CreatedAt), Outcome: o.Outcome, Reason: o.Reason, Attention: o.Attention,
		Resolution: o.Resolution,
	}
}

// Left is what can still be refunded.
func (r Row) Left() payterm.Amount {
	if r.Kind != payterm.KindSale || r.Outcome != payterm.Approved {
		return r.Total.With(0)
	}
	return r.Total.With(max(0, r.Total.Minor-r.Refunded.Minor))
}

// Undecided reports whether the order waits for a person's decision.
func (r Row) Undecided() bool {
	return r.Attention != payterm.AttentionNone || r.Outcome == payterm.InDoubt && r.Resolution == ""
}

// Rows is a page of a list; an empty order id ends it.
type Rows [MaxRows]Row

// Count is how many there are.
func (r Rows) Count() int {
	for i, row := range r {
		if row.Order == "" {
			return i
		}
	}
	return len(r)
}

// Verdict answers "was it paid?".
type Verdict string

// The verdicts.
const (
	VerdictNone    Verdict = ""
	VerdictPaid    Verdict = "paid"
	VerdictNotPaid Verdict = "not_paid"
	VerdictUnknown Verdict = "unknown" // do not charge again
)

// VerdictOf tells from the journal and the gateway's answer whether a sale was paid.
// Without an answer the journal decides: the gateway was not asked, or the order has
// handled the answer. "Paid" needs one of the two; "not paid" needs an order that ended
// unpaid, or the gateway's word.
//
//	answer           | approved | declined, not sent | cancelled | in doubt
//	paid, refunded   | paid     | paid               | paid      | paid
//	failed           | paid     | not paid           | not paid  | not paid
//	none, not found  | paid     | not paid           | not paid  | unknown
//	anything else    | paid     | unknown            | not paid  | unknown
func VerdictOf(o Row, answer payterm.Answer) Verdict {
	if o.Kind != payterm.KindSale {
		return VerdictNone // its outcome says it
	}
	ended := o.Outcome == payterm.Declined || o.Outcome == payterm.NotSent || o.Outcome == payterm.Cancelled
	switch answer.(type) {
	case payterm.Paid, payterm.Refunded:
		return VerdictPaid
	case payterm.Failed: // unless something did not add up before
		ended = o.Attention != payterm.AttentionAlarm
	case nil, payterm.NotFound:
	default:
		ended = o.Outcome == payterm.Cancelled // nothing was announced, so nobody can have paid
	}
	switch {
	case o.Outcome == payterm.Approved, o.Reason == payterm.ReasonRefunded: // which no later word takes back
		return VerdictPaid
	case ended:
		return VerdictNotPaid
	}
	return VerdictUnknown
}

// Rate is the price of one unit of the currency in CNY. It is for information only: the wallet
// sets the real rate.
type Rate struct {
	CNYE8 int64 // times 10^8; 0 for none
	At    int64 // when the gateway gave it, UTC milliseconds, 0 if the clock was not set
	Mono  time.Duration
}

// CNY converts an amount to fen; false if no rate is known.
func (r Rate) CNY(a payterm.Amount) (payterm.Amount, bool) {
	return payterm.RateE8(r.CNYE8).CNY(a)
}

// Menu is the state of what is done besides a sale.
type Menu struct {
	Task    Task
	Cursor  int    // of the menu, or of the rows
	Query   Query  // the question that is being answered
	Number  string // of an order or an operator, as typed so far
	By      string // the supervisor who changes operators
	Name    string // of the operator with this number
	Known   bool   // somebody has it
	List    Query  // the question that Rows answer
	Rows    Rows
	More    bool    // there are older ones
	Order   Row     // the chosen one
	Verdict Verdict // on the chosen order
	Asking  bool    // the gateway is still asked about it
	Amount  int64   // to be refunded, in minor units, as typed so far
	Typing  bool    // an amount is typed; otherwise all that is left
	Hint    order.Hint
	Reason  payterm.Reason // why the last refund did not begin
	Totals  TotalsTold
	Rate    RateTold
}

// Events of the menu.
type (
	// Found answers a Look for orders. Failed: the journal could not be read.
	Found struct {
		Query  Query
		Rows   Rows
		More   bool
		Asking bool // LookOrder: the order is open and the gateway is asked about it
		Failed bool
	}

	// OrderTold answers a Look that asks the gateway.
	OrderTold struct {
		Query   Query
		Order   Row
		Verdict Verdict
		Failed  bool
	}

	// TotalsTold answers a Look for totals. Why is empty if there are any.
	TotalsTold struct {
		Query    Query
		Number   int64
		Currency payterm.Currency           // the terminal's, for totals without a sum
		Sums     [MaxSums]payterm.TotalsRow // by merchant and currency; the first ones
		SumsAll  int
		Open     [MaxRows]payterm.OrderID // carried over; the first ones
		OpenAll  int
		Why      string
	}

	// RateTold answers a Look for the rate. Asked is false if the gateway did not answer: then
	// Rate is an earlier one, or none.
	RateTold struct {
		Query    Query
		Currency payterm.Currency
		Rate     Rate
		Age      time.Duration
		Asked    bool
	}
)

func (Found) event()      {}
func (OrderTold) event()  {}
func (TotalsTold) event() {}
func (RateTold) event()   {}

// Commands of the menu.
type (
	// Look (again; once for a Z) asks a question of the menu.
	Look struct{ Query Query }

	// SetLanguage (again) sets the language of the screens.
	SetLanguage struct{ Language string }
)

func (Look) command()        {}
func (SetLanguage) command() {}

// rows is how many orders of a list fit on the glass.
func (s Settings) rows() int { return min(s.Lines, MaxRows) }

// inMenu reports whether the phase is one of the menu.
func (p Phase) inMenu() bool { return p >= InMenu && p <= Briefing }

// openMenu shows the menu at its first task.
func (c Counter) openMenu(in Stamped) (Counter, []Command) {
	c = c.idle()
	return c.menuAt(in, InMenu), []Command{Play{payterm.SoundKey}}
}

// menuAt goes to a phase and starts its time limit.
func (c Counter) menuAt(in Stamped, p Phase) Counter {
	c.Phase, c.Until = p, in.Mono+amountTimeout
	return c
}

// look asks a question and waits for the answer.
func (c Counter) look(in Stamped, q Query) (Counter, []Command) {
	c, q.Rows = c.menuAt(in, Looking), c.Settings.rows()
	c.Menu.Query, c.Menu.Hint, c.Menu.Reason = q, order.HintNone, payterm.ReasonNone
	return c, []Command{Play{payterm.SoundKey}, Look{q}}
}

// refuse shows why something is not done.
func (c Counter) refuse(h order.Hint) (Counter, []Command) {
	c.Menu.Hint = h
	return c, []Command{Play{payterm.SoundDeclined}}
}

// keyMenu takes a key in the menu.
func (c Counter) keyMenu(in Stamped, k payterm.Key) (Counter, []Command) {
	if k == payterm.KeyCancel {
		return c.back(in), []Command{Play{payterm.SoundKey}}
	}
	if c.Phase == Looking {
		return c, nil // the time limit counts from the question
	}
	c.Until = in.Mono + amountTimeout
	switch c.Phase {
	case InMenu:
		return c.keyTask(in, k)
	case Finding:
		return c.keyNumber(in, k)
	case Listing:
		return c.keyRows(in, k)
	case ShowingOrder:
		return c.keyOrder(in, k)
	case EnteringRefund:
		return c.keyRefund(in, k)
	case AskingYes:
		return c.confirmed(in)
	case ShowingTotals, ShowingRate, ShowingWord, ShowingOperator:
		return c.idle(), []Command{Play{payterm.SoundKey}}
	case EnteringNumber:
		return c.keyStaffNumber(in, k)
	case EnteringNewPIN:
		return c.keyNewPIN(in, k)
	case ChoosingLanguage:
		if offered := payterm.ScreenLanguages(c.Settings.LettersOnly); digit(k) >= 1 && digit(k) <= len(offered) {
			return c.idle(), []Command{Play{payterm.SoundKey}, SetLanguage{offered[digit(k)-1]}}
		}
	case ChoosingDrill:
		return c.keyDrill(in, k)
	case Briefing:
		return c.keyBriefing(k)
	default: // not a phase of the menu
	}
	return c, nil
}

// back handles CANCEL.
func (c Counter) back(in Stamped) Counter {
	m := c.Menu
	c.Menu.Hint, c.Menu.Reason = order.HintNone, payterm.ReasonNone
	if m.Task == TaskStaff {
		return c.staffBack(in)
	}
	switch c.Phase {
	case Finding:
		c.Menu = Menu{}
		return c.menuAt(in, InMenu)
	case Looking:
		if m.Query.What == LookGateway {
			return c.menuAt(in, ShowingOrder)
		}
		if m.Task == TaskZ || c.Word.Order != "" { // the Z, or the decision, is already under way
			return c.idle()
		}
		return c.beforeList(in)
	case Listing:
		return c.beforeList(in)
	case ShowingOrder:
		c.Menu.Order, c.Menu.Verdict = Row{}, VerdictNone
		if m.Rows.Count() > 0 {
			return c.menuAt(in, Listing)
		}
		return c.beforeList(in)
	case EnteringRefund:
		c.Menu.Amount, c.Menu.Typing = 0, false
		return c.menuAt(in, ShowingOrder)
	case AskingYes:
		if c.Refund.SaleID != "" {
			c.Refund = order.RefundBegan{}
			return c.menuAt(in, EnteringRefund)
		}
		if m.Task == TaskZ || m.Task == TaskTraining {
			c.Menu = Menu{}
			return c.menuAt(in, InMenu)
		}
		return c.menuAt(in, ShowingOrder)
	case Briefing:
		return c.menuAt(in, ChoosingDrill)
	case ShowingTotals, ShowingRate, ShowingWord, ChoosingLanguage, ChoosingDrill:
		c.Menu = Menu{}
		return c.menuAt(in, InMenu)
	default: // InMenu
		return c.idle()
	}
}

// beforeList is the phase from which a list or a single order was asked for.
func (c Counter) beforeList(in Stamped) Counter {
	task := c.Menu.Task
	c.Menu = Menu{}
	if task == TaskRefund || task == TaskWasPaid {
		c.Menu.Task = task
		return c.menuAt(in, Finding)
	}
	return c.menuAt(in, InMenu)
}

// digit is a key's digit, or -1.
func digit(k payterm.Key) int {
	if len(k) != 1 || k.Digits() == "" {
		return -1
	}
	return int(k[0] - '0')
}

// keyTask chooses a task, by its digit on any page or with the arrows and ENTER.
func (c Counter) keyTask(in Stamped, k payterm.Key) (Counter, []Command) {
	tasks := TaskList(c.Operator != (Operator{}), c.staffed())
	cursor, moves := c.move(k, len(tasks))
	switch {
	case moves:
		c.Menu.Cursor = cursor
	case k == payterm.KeyEnter:
		return c.startTask(in, tasks[c.Menu.Cursor])
	default:
		if at := slices.IndexFunc(tasks, func(task Task) bool { return task.Key() == k }); at >= 0 {
			return c.startTask(in, tasks[at])
		}
		return c, nil
	}
	c.Menu.Hint, c.Menu.Reason = order.HintNone, payterm.ReasonNone
	return c, []Command{Play{payterm.SoundKey}}
}

// move is the cursor after a key in a list of n lines, and whether the key moves it.
func (c Counter) move(k payterm.Key, n int) (cursor int, moves bool) {
	lines := c.Settings.Lines
	switch cursor = c.Menu.Cursor; k {
	case payterm.KeyUp:
		return (cursor + n - 1) % n, true
	case payterm.KeyDown:
		return (cursor + 1) % n, true
	case payterm.KeyF1: // the next page
		if cursor = (cursor/lines + 1) * lines; cursor >= n {
			cursor = 0
		}
		return cursor, true
	}
	return cursor, false
}

// startTask begins a task.
func (c Counter) startTask(in Stamped, task Task) (Counter, []Command) {
	if task == TaskRefund && c.noSupervisor() {
		return c.refuse(HintNoSupervisor)
	}
	if task == TaskLast && c.Last == "" {
		return c.refuse(HintNothing)
	}
	c.Menu = Menu{Task: task}
	switch task {
	case TaskLast:
		return c.look(in, Query{What: LookOrder, Text: string(c.Last)})
	case TaskRefund, TaskWasPaid:
		return c.menuAt(in, Finding), []Command{Play{payterm.SoundKey}}
	case TaskOpen:
		return c.look(in, Query{What: LookList, Text: string(payterm.ListOpen)})
	case TaskLate:
		return c.look(in, Query{What: LookList, Text: string(payterm.ListLate)})
	case TaskX:
		return c.look(in, Query{What: LookTotals, Text: "x"})
	case TaskZ:
		return c.menuAt(in, AskingYes), []Command{Play{payterm.SoundDoubt}}
	case TaskRate:
		return c.look(in, Query{What: LookRate})
	case TaskLanguage:
		return c.menuAt(in, ChoosingLanguage), []Command{Play{payterm.SoundKey}}
	case TaskTraining:
		return c.openTraining(in)
	case TaskSignOff:
		return c.signOff()
	case TaskStaff:
		return c.askPIN(in), []Command{Play{payterm.SoundKey}}
	case NoTask:
	}
	return c, nil
}

// noSupervisor reports whether refunds are refused for want of a supervisor's PIN.
func (c Counter) noSupervisor() bool { return c.Settings.RefundsNeedPIN && !c.Settings.PINSet }

// keyNumber types the end of an order's number. ENTER alone shows a list to choose from.
func (c Counter) keyNumber(in Stamped, k payterm.Key) (Counter, []Command) {
	switch {
	case k == payterm.KeyClear && c.Menu.Number != "":
		c.Menu.Number = c.Menu.Number[:len(c.Menu.Number)-1]
	case k.Digits() != "":
		if len(c.Menu.Number)+len(k.Digits()) > maxNumberTyped {
			return c, []Command{Play{payterm.SoundDeclined}}
		}
		c.Menu.Number += k.Digits()
	case k == payterm.KeyEnter && c.Menu.Number != "":
		return c.look(in, Query{What: LookNumber, Text: c.Menu.Number})
	case k == payterm.KeyEnter && c.Menu.Task == TaskRefund:
		return c.look(in, Query{What: LookList, Text: string(payterm.ListSales)})
	case k == payterm.KeyEnter:
		return c.look(in, Query{What: LookList, Text: string(payterm.ListNewest)})
	default:
		return c, nil
	}
	c.Menu.Hint = order.HintNone
	return c, []Command{Play{payterm.SoundKey}}
}

// scanNumber takes the barcode of a receipt, or the number in a wallet's bill. A payment code is
// refused.
func (c Counter) scanNumber(in Stamped, ev Scanned) (Counter, []Command) {
	c.Until, c.Menu.Number = in.Mono+amountTimeout, ""
	number, ok := ev.Code.Number()
	if !ok {
		if _, pays := ev.Code.Channel(); pays {
			return c.refuse(HintPaymentCode)
		}
		return c.refuse(HintNotANumber)
	}
	return c.look(in, Query{What: LookNumber, Text: number})
}

// found shows the orders that were found.
func (c Counter) found(in Stamped, ev Found) (Counter, []Command) {
	if c.Phase != Looking || c.Menu.Query != ev.Query {
		return c, nil // the question was left
	}
	n := ev.Rows.Count()
	switch {
	case c.Word.Order != "":
		return c.wordNoted(in, ev)
	case ev.Failed:
		return c.beforeList(in).refuse(HintUnreadable)
	case ev.Query.What == LookList:
		c.Menu.List, c.Menu.Rows, c.Menu.More, c.Menu.Cursor = ev.Query, ev.Rows, ev.More, 0
		return c.menuAt(in, Listing), nil
	case n == 0:
		return c.beforeList(in).refuse(HintNotOurs)
	case n == 1 && ev.Query.Skip == 0:
		c.Menu.Rows = Rows{}
		return c.show(in, ev.Rows[0])
	}
	c.Menu.List, c.Menu.Rows, c.Menu.More, c.Menu.Cursor = ev.Query, ev.Rows, ev.More, 0
	return c.menuAt(in, Listing), nil
}

// keyRows chooses an order, by its digit or with the arrows and ENTER, or shows older ones.
func (c Counter) keyRows(in Stamped, k payterm.Key) (Counter, []Command) {
	n := c.Menu.Rows.Count()
	q := c.Menu.List
	older, newer := q, q
	older.Skip, newer.Skip = q.Skip+q.Rows, max(0, q.Skip-q.Rows)
	switch {
	case k == payterm.KeyUp && c.Menu.Cursor > 0:
		c.Menu.Cursor--
	case k == payterm.KeyDown && c.Menu.Cursor < n-1:
		c.Menu.Cursor++
	case (k == payterm.KeyDown || k == payterm.KeyF1) && c.Menu.More:
		return c.look(in, older)
	case k == payterm.KeyUp && q.Skip > 0:
		return c.look(in, newer)
	case k == payterm.KeyF1 && q.Skip > 0: // from the last page to the first
		newer.Skip = 0
		return c.look(in, newer)
	case k == payterm.KeyEnter && n > 0:
		return c.show(in, c.Menu.Rows[c.Menu.Cursor])
	case digit(k) >= 1 && digit(k) <= n:
		return c.show(in, c.Menu.Rows[digit(k)-1])
	default:
		return c, nil
	}
	return c, []Command{Play{payterm.SoundKey}}
}

// show shows one order, for the task that looked it up.
func (c Counter) show(in Stamped, row Row) (Counter, []Command) {
	c = c.menuAt(in, ShowingOrder)
	c.Menu.Order, c.Menu.Verdict = row, VerdictNone
	switch {
	case c.Menu.Task == TaskWasPaid && row.Kind == payterm.KindSale:
		return c.askGateway(in)
	case c.Menu.Task == TaskRefund:
		return c.enterRefund(in)
	}
	return c, []Command{Play{payterm.SoundKey}}
}

// askGateway asks the gateway about the order on screen.
func (c Counter) askGateway(in Stamped) (Counter, []Command) {
	c.Menu.Verdict = VerdictNone
	return c.look(in, Query{What: LookGateway, Text: string(c.Menu.Order.Order)})
}

// keyOrder handles a key while one order is on screen.
func (c Counter) keyOrder(in Stamped, k payterm.Key) (Counter, []Command) {
	switch {
	case k == payterm.KeyF1 || k == payterm.KeyEnter:
		return c.askGateway(in)
	case k == payterm.KeyF2 && c.Menu.Order.Outcome == payterm.Approved:
		return c, []Command{Play{payterm.SoundKey}, Reprint{c.Menu.Order.Order}}
	case k == "1" && c.Menu.Order.Left().Minor > 0:
		return c.enterRefund(in)
	case k == "2" && c.Menu.Order.Undecided():
		return c.menuAt(in, AskingYes), []Command{Play{payterm.SoundDoubt}}
	}
	return c, nil
}

// orderTold shows what the gateway says of the order on screen.
func (c Counter) orderTold(in Stamped, ev OrderTold) (Counter, []Command) {
	if c.Phase != Looking || c.Menu.Query != ev.Query {
		return c, nil // the question was left
	}
	c = c.menuAt(in, ShowingOrder)
	if ev.Failed {
		return c.refuse(HintUnreadable)
	}
	c.Menu.Order, c.Menu.Verdict = ev.Order, ev.Verdict
	switch {
	case ev.Verdict == VerdictUnknown:
		return c, []Command{Play{payterm.SoundDoubt}}
	case ev.Verdict == VerdictPaid && ev.Order.Outcome != payterm.Approved: // the journal did not know that it was paid
		return c, []Command{Play{payterm.SoundAlarm}}
	}
	return c, []Command{Play{payterm.SoundKey}}
}

// enterRefund asks for the amount of a refund.
func (c Counter) enterRefund(in Stamped) (Counter, []Command) {
	c = c.menuAt(in, ShowingOrder)
	switch {
	case c.noSupervisor():
		return c.refuse(HintNoSupervisor)
	case c.Menu.Order.Left().Minor == 0:
		c.Menu.Reason = payterm.ReasonNotRefundable
		if c.Menu.Order.Outcome == payterm.Approved {
			c.Menu.Reason = payterm.ReasonRefundCap
		}
		return c, []Command{Play{payterm.SoundDeclined}}
	}
	c.Menu.Amount, c.Menu.Typing, c.Menu.Hint, c.Menu.Reason = 0, false, order.HintNone, payterm.ReasonNone
	return c.menuAt(in, EnteringRefund), []Command{Play{payterm.SoundKey}}
}

// keyRefund types a part of what is left. A digit that would pass that is refused with a sound,
// and a typed 0 does not mean all.
func (c Counter) keyRefund(in Stamped, k payterm.Key) (Counter, []Command) {
	left := c.Menu.Order.Left().Minor
	switch {
	case k == payterm.KeyClear:
		c.Menu.Typing = c.Menu.Amount >= 10
		c.Menu.Amount /= 10
	case k.Digits() != "":
		minor, fits := typed(c.Menu.Amount, k, left)
		if !fits {
			return c, []Command{Play{payterm.SoundDeclined}}
		}
		c.Menu.Amount, c.Menu.Typing = minor, true
	case k == payterm.KeyEnter && c.Menu.Typing && c.Menu.Amount == 0:
		return c, []Command{Play{payterm.SoundDeclined}}
	case k == payterm.KeyEnter:
		c.Refund = order.RefundBegan{SaleID: c.Menu.Order.Order, AmountMinor: c.Menu.refund().Minor,
			Currency: c.Menu.Order.Total.Currency}
		if c.Settings.PINSet {
			return c.askPIN(in), []Command{Play{payterm.SoundKey}}
		}
		return c.menuAt(in, AskingYes), []Command{Play{payterm.SoundDoubt}}
	default:
		return c, nil
	}
	return c, []Command{Play{payterm.SoundKey}}
}

// refund is the amount to be refunded: the typed one, or all that is left.
func (m Menu) refund() payterm.Amount {
	if m.Typing {
		return m.Order.Total.With(m.Amount)
	}
	return m.Order.Left()
}

// typed appends a key to an amount in minor units; false if that exceeds most.
func typed(minor int64, k payterm.Key, most int64) (int64, bool) {
	for _, d := range k.Digits() {
		minor = minor*10 + int64(d-'0')
	}
	return minor, minor <= most
}

// confirmed handles the yes before a Z, a training, a decision on an order, or a refund for
// which no PIN has to be typed.
func (c Counter) confirmed(in Stamped) (Counter, []Command) {
	if c.Menu.Task != TaskZ && c.Menu.Task != TaskTraining && c.Refund.SaleID == "" {
		c.Word = Resolve{Order: c.Menu.Order.Order, Reason: WordAtCounter}
		c.Conflict = c.Word.Order
	}
	if c.Settings.PINSet {
		return c.askPIN(in), []Command{Play{payterm.SoundKey}}
	}
	return c.override(in, Operator{})
}

// WordAtCounter is the journal's reason for a decision made at the keypad.
const WordAtCounter = "decided at the counter"

// giveWord passes a supervisor's decision to an order, then looks it up in the journal, so that
// the screen shows what was committed.
func (c Counter) giveWord(in Stamped, word Resolve) (Counter, []Command) {
	task := c.Menu.Task
	c = c.idle()
	c.Menu.Task = task
	c, cmds := c.look(in, Query{What: LookOrder, Text: string(word.Order)})
	c.Word = word
	return c, append([]Command{word}, cmds...)
}

// wordNoted shows the result of a decision.
func (c Counter) wordNoted(in Stamped, ev Found) (Counter, []Command) {
	c.Word = Resolve{}
	if ev.Failed || ev.Rows.Count() == 0 {
		return c.menuAt(in, InMenu).refuse(HintUnreadable)
	}
	c.Menu.Order, c.Menu.Asking = ev.Rows[0], ev.Asking
	if c.Menu.Order.Undecided() {
		c = c.menuAt(in, ShowingOrder)
		c.Menu.Reason = payterm.ReasonStorage
		return c, []Command{Play{payterm.SoundDeclined}}
	}
	return c.menuAt(in, ShowingWord), nil
}

// notBegun shows the sale again after a refund that did not begin, with the reason.
func (c Counter) notBegun(in Stamped, why payterm.Reason) (Counter, []Command) {
	c = c.menuAt(in, ShowingOrder)
	c.Refund, c.Order = order.RefundBegan{}, order.Order{}
	c.Menu.Amount, c.Menu.Typing, c.Menu.Reason = 0, false, why
	return c, []Command{Play{payterm.SoundDeclined}}
}

// beforePIN goes back to where a supervisor was asked for; nothing was done.
func (c Counter) beforePIN(in Stamped) Counter {
	c.PINStale, c.PIN, c.Claim = c.PINAsked, "", ""
	c.Word, c.Conflict = Resolve{}, ""
	if c.Refund.SaleID != "" {
		c.Refund = order.RefundBegan{}
		return c.menuAt(in, EnteringRefund)
	}
	if c.Menu.Task == TaskStaff {
		return c.staffBack(in)
	}
	return c.menuAt(in, AskingYes)
}

// totalsTold shows an X or a Z.
func (c Counter) totalsTold(in Stamped, ev TotalsTold) (Counter, []Command) {
	if c.Phase != Looking || c.Menu.Query != ev.Query {
		return c, nil // the screen was left; the slip is printed all the same
	}
	c.Menu.Totals = ev
	sound := payterm.SoundKey
	if ev.Why != "" {
		sound = payterm.SoundDeclined
	}
	return c.menuAt(in, ShowingTotals), []Command{Play{sound}}
}

// rateTold shows the exchange rate.
func (c Counter) rateTold(in Stamped, ev RateTold) (Counter, []Command) {
	if c.Phase != Looking || c.Menu.Query != ev.Query {
		return c, nil // the question was left
	}
	c.Menu.Rate = ev
	c.Menu.Rate.Currency = c.Settings.Currency
	return c.menuAt(in, ShowingRate), nil
}

// menuImpossible is Impossible for the menu.
func (c Counter) menuImpossible() string {
	m := c.Menu
	switch {
	case c.Phase == Idle && m != Menu{}:
		return "idle counter keeps a menu"
	case c.Phase.inMenu() && c.Until == 0:
		return "a menu without a deadline"
	case c.Phase.inMenu() && c.Ticket != 0:
		return "a menu holds a caller"
	case c.Phase.inMenu() && c.Phase != InMenu && m.Task == NoTask:
		return "a step of no task"
	case (c.Phase == ShowingOrder || c.Phase == ShowingWord || c.Phase == EnteringRefund) && m.Order.Order == "":
		return "it shows no order"
	case m.Amount > m.Order.Left().Minor:
		return "a refund of more than is left is typed"
	case c.Phase == ShowingWord && m.Order.Undecided():
		return "it says that a word was noted, and none was"
	case c.Refund.SaleID != "" && c.Refund.AmountMinor <= 0 && c.Ticket == 0:
		return "a refund of nothing"
	}
	return ""
}

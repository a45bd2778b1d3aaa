package flows

import (
	"math/bits"
	"slices"
	"time"

	"payterm"
)

// What a terminal does beside a sale is behind one key: F3, or F1 where nothing is
// typed, on boards that have no F3. The menu only reads, with four exceptions, and
// each goes the way that it has anyway: a refund and a word on an order, through the
// supervisor's prompt; the Z, likewise; slips printed again, which say COPY.
//
//	InMenu          a task is chosen
//	Finding         an order's number is scanned or typed
//	Looking         somebody is asked: the journal, the gateway, the totals
//	Listing         several orders; one is chosen
//	ShowingOrder    one order, and what can be done with it
//	ShowingWord     what a supervisor said of it was noted
//	EnteringRefund  how much goes back
//	AskingYes       ENTER says yes
//	ShowingTotals, ShowingRate, ChoosingLanguage, and training's (training.go)
//
// CANCEL goes one step back from each of them. An answer that comes after its
// question was left finds another phase or another query, and is dropped.

// Task is what the menu offers, by the digit that chooses it.
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
	TaskSignOff  // by 0, for somebody who is signed on
	TaskTraining // by 00
)

// Tasks is how many there are at the most.
const Tasks = int(TaskTraining)

// TaskList are those of now, in their order: only who is signed on can sign off.
func TaskList(signedOn bool) []Task {
	list := make([]Task, 0, Tasks)
	for task := TaskLast; task <= TaskTraining; task++ {
		if task != TaskSignOff || signedOn {
			list = append(list, task)
		}
	}
	return list
}

// Key is the one that chooses a task.
func (t Task) Key() payterm.Key {
	switch t {
	case TaskSignOff:
		return payterm.Key0
	case TaskTraining:
		return payterm.Key00
	}
	return payterm.Key(rune('0' + t))
}

// MaxRows bounds a page of a list.
const MaxRows = 5

// MaxSums is how many sums of a total are shown: a terminal that changes its merchant or
// currency closes the day before, so there is hardly ever more than one.
const MaxSums = 3

// maxNumberTyped is as long as the longest order id, which is all that a person
// will type of a number.
const maxNumberTyped = payterm.MaxOrderID

// Lookup says who is asked, and for what.
type Lookup string

// The lookups.
const (
	LookOrder   Lookup = "order"   // the order of this id
	LookNumber  Lookup = "number"  // orders whose number ends so, ours or the wallet's
	LookList    Lookup = "list"    // payterm.OrderList
	LookGateway Lookup = "gateway" // how does the order of this id stand?
	LookTotals  Lookup = "totals"  // X, or with Text "z" a Z, which is taken by asking
	LookRate    Lookup = "rate"
)

// Query is one question beside a sale. Text is never a payment code.
type Query struct {
	What Lookup
	Text string
	Skip int             // rows of the pages before
	Rows int             // at the most
	By   payterm.TakenBy // of a Z: who takes it
}

// Row is an order in a list or by itself: what a person needs of it.
type Row struct {
	Order         payterm.OrderID
	SaleID        payterm.OrderID // of a refund
	Kind          payterm.Kind
	Wallet        payterm.Wallet
	Total         payterm.Amount
	PaidMinor     int64
	RefundedMinor int64
	At            int64 // when it began, UTC milliseconds, 0 when the clock was not set
	Outcome       payterm.Outcome
	Reason        payterm.Reason
	Attention     payterm.Attention
	Resolution    string
}

// RowOf reduces an order to its row.
func RowOf(o payterm.Order) Row {
	return Row{
		Order: o.ID, SaleID: o.SaleID, Kind: o.Kind, Wallet: o.Wallet, Total: o.Total(), PaidMinor: o.PaidMinor,
		RefundedMinor: o.RefundedMinor,
		At:            payterm.Millis(o.CreatedAt), Outcome: o.Outcome, Reason: o.Reason, Attention: o.Attention,
		Resolution: o.Resolution,
	}
}

// Left is what can still be given back, in minor units.
func (r Row) Left() int64 {
	if r.Kind != payterm.KindSale || r.Outcome != payterm.Approved {
		return 0
	}
	return max(0, r.Total.Minor-r.RefundedMinor)
}

// Undecided reports whether the order waits for a person's word.
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

// VerdictOf weighs what the journal and the gateway say of a sale. Without an answer
// the journal speaks alone: nobody had to be asked, or the order has taken the answer
// in by itself. A payment is believed from either of them. That there was none is
// believed only of an order that ended unpaid, or when the gateway says so.
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

// Rate is what one unit of the currency costs in CNY, for people only: the wallet
// fixes the real one.
type Rate struct {
	CNYE8 int64 // times 10^8; 0 for none
	At    int64 // when the gateway said so, UTC milliseconds, 0 when the clock was not set
	Mono  time.Duration
}

// CNY is about what an amount comes to, in whole fen, half of one rounded up; false
// where no rate is known. It is for reading, and decides nothing.
func (r Rate) CNY(a payterm.Amount) (payterm.Amount, bool) {
	if r.CNYE8 <= 0 || a.Minor <= 0 || a.Minor > payterm.MaxMinor {
		return payterm.Amount{}, false
	}
	unit := uint64(1e6) // of a minor unit, times 10^8, in fen
	for range a.Currency.Exponent() {
		unit *= 10
	}
	hi, lo := bits.Mul64(uint64(a.Minor), uint64(r.CNYE8))
	lo, carry := bits.Add64(lo, unit/2, 0)
	if hi += carry; hi >= unit {
		return payterm.Amount{}, false // no rate of this world
	}
	fen, _ := bits.Div64(hi, lo, unit)
	return payterm.Amount{Minor: int64(fen), Currency: "CNY"}, fen <= payterm.MaxMinor*100
}

// Menu is what the counter does beside a sale.
type Menu struct {
	Task    Task
	Cursor  int    // of the menu, or of the rows
	Query   Query  // what is being looked up
	Number  string // of an order, as far as it is typed
	List    Query  // what Rows answer
	Rows    Rows
	More    bool    // and older ones follow
	Order   Row     // the chosen one
	Verdict Verdict // on it
	Asking  bool    // and the gateway is still asked about it
	Amount  int64   // to be given back, in minor units, as far as it is typed
	Typing  bool    // it is typed; otherwise all that is left goes back
	Hint    Hint
	Reason  payterm.Reason // why the last refund did not begin
	Totals  TotalsTold
	Rate    RateTold
}

// Events of the menu.
type (
	// Found answers a Look for orders. Failed says that the journal could not be
	// read.
	Found struct {
		Query  Query
		Rows   Rows
		More   bool
		Asking bool // the order of LookOrder is open: the gateway is asked about it
		Failed bool
	}

	// OrderTold answers a Look at the gateway.
	OrderTold struct {
		Query   Query
		Order   Row
		Verdict Verdict
		Failed  bool
	}

	// TotalsTold answers a Look for totals. Why is empty when there are any.
	TotalsTold struct {
		Query    Query
		Number   int64
		Currency payterm.Currency           // the terminal's: that of nothing, where nothing was taken
		Sums     [MaxSums]payterm.TotalsRow // by merchant and currency, the first of them
		SumsAll  int
		Open     [MaxRows]payterm.OrderID // carried over, the first of them
		OpenAll  int
		Why      string
	}

	// RateTold answers a Look for the rate. Asked is false when the gateway did not
	// tell and the rate is an earlier one, or none.
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
	// Look (again, but for a Z, which is once) asks a question beside a sale.
	Look struct{ Query Query }

	// SetLanguage (again) says in which language the screens are from now on.
	SetLanguage struct{ Language string }
)

func (Look) command()        {}
func (SetLanguage) command() {}

// rows is how many orders of a list the glass shows at once.
func (s Settings) rows() int { return min(s.Lines, MaxRows) }

// inMenu reports whether the counter is busy with the menu.
func (p TerminalPhase) inMenu() bool { return p >= InMenu && p <= Briefing }

// openMenu begins at the first task.
func (t Terminal) openMenu(in Stamped) (Terminal, []Command) {
	t = t.idle()
	return t.menuAt(in, InMenu), []Command{Play{payterm.SoundKey}}
}

// menuAt goes to a phase, with the time that a person has for it.
func (t Terminal) menuAt(in Stamped, p TerminalPhase) Terminal {
	t.Phase, t.Until = p, in.Mono+amountTimeout
	return t
}

// look asks a question and waits.
func (t Terminal) look(in Stamped, q Query) (Terminal, []Command) {
	t, q.Rows = t.menuAt(in, Looking), t.Settings.rows()
	t.Menu.Query, t.Menu.Hint, t.Menu.Reason = q, HintNone, payterm.ReasonNone
	return t, []Command{Play{payterm.SoundKey}, Look{q}}
}

// refuse tells a person why something is not done.
func (t Terminal) refuse(h Hint) (Terminal, []Command) {
	t.Menu.Hint = h
	return t, []Command{Play{payterm.SoundDeclined}}
}

// keyMenu takes a key in the menu.
func (t Terminal) keyMenu(in Stamped, k payterm.Key) (Terminal, []Command) {
	if k == payterm.KeyCancel {
		return t.back(in), []Command{Play{payterm.SoundKey}}
	}
	if t.Phase == Looking {
		return t, nil // its time runs from the question
	}
	t.Until = in.Mono + amountTimeout
	switch t.Phase {
	case InMenu:
		return t.keyTask(in, k)
	case Finding:
		return t.keyNumber(in, k)
	case Listing:
		return t.keyRows(in, k)
	case ShowingOrder:
		return t.keyOrder(in, k)
	case EnteringRefund:
		return t.keyRefund(in, k)
	case AskingYes:
		return t.keyConfirm(in, k)
	case ShowingTotals, ShowingRate, ShowingWord:
		return t.idle(), []Command{Play{payterm.SoundKey}}
	case ChoosingLanguage:
		if n := digit(k); n >= 1 && n <= len(payterm.Languages) {
			return t.idle(), []Command{Play{payterm.SoundKey}, SetLanguage{payterm.Languages[n-1]}}
		}
	case ChoosingDrill:
		return t.keyDrill(in, k)
	case Briefing:
		return t.keyBriefing(k)
	default: // no phase of the menu
	}
	return t, nil
}

// back is CANCEL.
func (t Terminal) back(in Stamped) Terminal {
	m := t.Menu
	t.Menu.Hint, t.Menu.Reason = HintNone, payterm.ReasonNone
	switch t.Phase {
	case Finding:
		t.Menu = Menu{}
		return t.menuAt(in, InMenu)
	case Looking:
		if m.Query.What == LookGateway {
			return t.menuAt(in, ShowingOrder)
		}
		if m.Task == TaskZ || t.Word.Order != "" { // it is being taken, and its slip comes; or the word is given
			return t.idle()
		}
		return t.beforeList(in)
	case Listing:
		return t.beforeList(in)
	case ShowingOrder:
		t.Menu.Order, t.Menu.Verdict = Row{}, VerdictNone
		if m.Rows.Count() > 0 {
			return t.menuAt(in, Listing)
		}
		return t.beforeList(in)
	case EnteringRefund:
		t.Menu.Amount, t.Menu.Typing = 0, false
		return t.menuAt(in, ShowingOrder)
	case AskingYes:
		if m.Task == TaskZ || m.Task == TaskTraining {
			t.Menu = Menu{}
			return t.menuAt(in, InMenu)
		}
		return t.menuAt(in, ShowingOrder)
	case Briefing:
		return t.menuAt(in, ChoosingDrill)
	case ShowingTotals, ShowingRate, ShowingWord, ChoosingLanguage, ChoosingDrill:
		t.Menu = Menu{}
		return t.menuAt(in, InMenu)
	default: // InMenu
		return t.idle()
	}
}

// beforeList is where a list or a single order was asked for.
func (t Terminal) beforeList(in Stamped) Terminal {
	task := t.Menu.Task
	t.Menu = Menu{}
	if task == TaskRefund || task == TaskWasPaid {
		t.Menu.Task = task
		return t.menuAt(in, Finding)
	}
	return t.menuAt(in, InMenu)
}

// digit is the number on a key, or -1.
func digit(k payterm.Key) int {
	if len(k) != 1 || k.Digits() == "" {
		return -1
	}
	return int(k[0] - '0')
}

// keyTask chooses a task: by its digit on any page, or by moving and ENTER.
func (t Terminal) keyTask(in Stamped, k payterm.Key) (Terminal, []Command) {
	tasks := TaskList(t.Operator != (Operator{}))
	cursor, moves := t.move(k, len(tasks))
	switch {
	case moves:
		t.Menu.Cursor = cursor
	case k == payterm.KeyEnter:
		return t.startTask(in, tasks[t.Menu.Cursor])
	default:
		if at := slices.IndexFunc(tasks, func(task Task) bool { return task.Key() == k }); at >= 0 {
			return t.startTask(in, tasks[at])
		}
		return t, nil
	}
	t.Menu.Hint, t.Menu.Reason = HintNone, payterm.ReasonNone
	return t, []Command{Play{payterm.SoundKey}}
}

// move is where a key takes the mark of a list of n lines, and whether it does.
func (t Terminal) move(k payterm.Key, n int) (cursor int, moves bool) {
	lines := t.Settings.Lines
	switch cursor = t.Menu.Cursor; k {
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
func (t Terminal) startTask(in Stamped, task Task) (Terminal, []Command) {
	if task == TaskRefund && t.noSupervisor() {
		return t.refuse(HintNoSupervisor)
	}
	if task == TaskLast && t.Last == "" {
		return t.refuse(HintNothing)
	}
	t.Menu = Menu{Task: task}
	switch task {
	case TaskLast:
		return t.look(in, Query{What: LookOrder, Text: string(t.Last)})
	case TaskRefund, TaskWasPaid:
		return t.menuAt(in, Finding), []Command{Play{payterm.SoundKey}}
	case TaskOpen:
		return t.look(in, Query{What: LookList, Text: string(payterm.ListOpen)})
	case TaskLate:
		return t.look(in, Query{What: LookList, Text: string(payterm.ListLate)})
	case TaskX:
		return t.look(in, Query{What: LookTotals, Text: "x"})
	case TaskZ:
		return t.menuAt(in, AskingYes), []Command{Play{payterm.SoundDoubt}}
	case TaskRate:
		return t.look(in, Query{What: LookRate})
	case TaskLanguage:
		return t.menuAt(in, ChoosingLanguage), []Command{Play{payterm.SoundKey}}
	case TaskTraining:
		return t.openTraining(in)
	case TaskSignOff:
		return t.signOff()
	case NoTask:
	}
	return t, nil
}

// noSupervisor reports whether nobody here may give money back.
func (t Terminal) noSupervisor() bool { return t.Settings.RefundsNeedPIN && !t.Settings.PINSet }

// keyNumber types the end of an order's number. ENTER without one is for who would
// rather choose from a list.
func (t Terminal) keyNumber(in Stamped, k payterm.Key) (Terminal, []Command) {
	switch {
	case k == payterm.KeyClear && t.Menu.Number != "":
		t.Menu.Number = t.Menu.Number[:len(t.Menu.Number)-1]
	case k.Digits() != "":
		if len(t.Menu.Number)+len(k.Digits()) > maxNumberTyped {
			return t, []Command{Play{payterm.SoundDeclined}}
		}
		t.Menu.Number += k.Digits()
	case k == payterm.KeyEnter && t.Menu.Number != "":
		return t.look(in, Query{What: LookNumber, Text: t.Menu.Number})
	case k == payterm.KeyEnter && t.Menu.Task == TaskRefund:
		return t.look(in, Query{What: LookList, Text: string(payterm.ListSales)})
	case k == payterm.KeyEnter:
		return t.look(in, Query{What: LookList, Text: string(payterm.ListNewest)})
	default:
		return t, nil
	}
	t.Menu.Hint = HintNone
	return t, []Command{Play{payterm.SoundKey}}
}

// scanNumber takes the barcode of a receipt, or the number in a wallet's bill. A
// payment code is not looked at any further.
func (t Terminal) scanNumber(in Stamped, ev CodeScanned) (Terminal, []Command) {
	t.Until, t.Menu.Number = in.Mono+amountTimeout, ""
	number, ok := ev.Code.Number()
	if !ok {
		if _, pays := ev.Code.Wallet(); pays {
			return t.refuse(HintPaymentCode)
		}
		return t.refuse(HintNotANumber)
	}
	return t.look(in, Query{What: LookNumber, Text: number})
}

// found takes the orders that were looked up.
func (t Terminal) found(in Stamped, ev Found) (Terminal, []Command) {
	if t.Phase != Looking || t.Menu.Query != ev.Query {
		return t, nil // left meanwhile
	}
	n := ev.Rows.Count()
	switch {
	case t.Word.Order != "":
		return t.wordNoted(in, ev)
	case ev.Failed:
		return t.beforeList(in).refuse(HintUnreadable)
	case ev.Query.What == LookList:
		t.Menu.List, t.Menu.Rows, t.Menu.More, t.Menu.Cursor = ev.Query, ev.Rows, ev.More, 0
		return t.menuAt(in, Listing), nil
	case n == 0:
		return t.beforeList(in).refuse(HintNotOurs)
	case n == 1 && ev.Query.Skip == 0:
		t.Menu.Rows = Rows{}
		return t.show(in, ev.Rows[0])
	}
	t.Menu.List, t.Menu.Rows, t.Menu.More, t.Menu.Cursor = ev.Query, ev.Rows, ev.More, 0
	return t.menuAt(in, Listing), nil
}

// keyRows chooses an order, by its digit or by moving and ENTER, or goes on to older
// ones.
func (t Terminal) keyRows(in Stamped, k payterm.Key) (Terminal, []Command) {
	n := t.Menu.Rows.Count()
	q := t.Menu.List
	older, newer := q, q
	older.Skip, newer.Skip = q.Skip+q.Rows, max(0, q.Skip-q.Rows)
	switch {
	case k == payterm.KeyUp && t.Menu.Cursor > 0:
		t.Menu.Cursor--
	case k == payterm.KeyDown && t.Menu.Cursor < n-1:
		t.Menu.Cursor++
	case (k == payterm.KeyDown || k == payterm.KeyF1) && t.Menu.More:
		return t.look(in, older)
	case k == payterm.KeyUp && q.Skip > 0:
		return t.look(in, newer)
	case k == payterm.KeyF1 && q.Skip > 0: // round to the first page
		newer.Skip = 0
		return t.look(in, newer)
	case k == payterm.KeyEnter && n > 0:
		return t.show(in, t.Menu.Rows[t.Menu.Cursor])
	case digit(k) >= 1 && digit(k) <= n:
		return t.show(in, t.Menu.Rows[digit(k)-1])
	default:
		return t, nil
	}
	return t, []Command{Play{payterm.SoundKey}}
}

// show opens one order, with the task for which it was looked up.
func (t Terminal) show(in Stamped, row Row) (Terminal, []Command) {
	t = t.menuAt(in, ShowingOrder)
	t.Menu.Order, t.Menu.Verdict = row, VerdictNone
	switch {
	case t.Menu.Task == TaskWasPaid && row.Kind == payterm.KindSale:
		return t.askGateway(in)
	case t.Menu.Task == TaskRefund:
		return t.enterRefund(in)
	}
	return t, []Command{Play{payterm.SoundKey}}
}

// askGateway asks the gateway about the order on screen.
func (t Terminal) askGateway(in Stamped) (Terminal, []Command) {
	t.Menu.Verdict = VerdictNone
	return t.look(in, Query{What: LookGateway, Text: string(t.Menu.Order.Order)})
}

// keyOrder does something with the order on screen.
func (t Terminal) keyOrder(in Stamped, k payterm.Key) (Terminal, []Command) {
	switch {
	case k == payterm.KeyF1 || k == payterm.KeyEnter:
		return t.askGateway(in)
	case k == payterm.KeyF2 && t.Menu.Order.Outcome == payterm.Approved:
		return t, []Command{Play{payterm.SoundKey}, Reprint{t.Menu.Order.Order}}
	case k == "1" && t.Menu.Order.Left() > 0:
		return t.enterRefund(in)
	case k == "2" && t.Menu.Order.Undecided():
		return t.menuAt(in, AskingYes), []Command{Play{payterm.SoundDoubt}}
	}
	return t, nil
}

// told takes what the gateway says of the order on screen.
func (t Terminal) told(in Stamped, ev OrderTold) (Terminal, []Command) {
	if t.Phase != Looking || t.Menu.Query != ev.Query {
		return t, nil // left meanwhile
	}
	t = t.menuAt(in, ShowingOrder)
	if ev.Failed {
		return t.refuse(HintUnreadable)
	}
	t.Menu.Order, t.Menu.Verdict = ev.Order, ev.Verdict
	switch {
	case ev.Verdict == VerdictUnknown:
		return t, []Command{Play{payterm.SoundDoubt}}
	case ev.Verdict == VerdictPaid && ev.Order.Outcome != payterm.Approved: // the journal had given it up
		return t, []Command{Play{payterm.SoundAlarm}}
	}
	return t, []Command{Play{payterm.SoundKey}}
}

// enterRefund asks how much goes back.
func (t Terminal) enterRefund(in Stamped) (Terminal, []Command) {
	t = t.menuAt(in, ShowingOrder)
	switch {
	case t.noSupervisor():
		return t.refuse(HintNoSupervisor)
	case t.Menu.Order.Left() == 0:
		t.Menu.Reason = payterm.ReasonNotRefundable
		if t.Menu.Order.Outcome == payterm.Approved {
			t.Menu.Reason = payterm.ReasonRefundCap
		}
		return t, []Command{Play{payterm.SoundDeclined}}
	}
	t.Menu.Amount, t.Menu.Typing, t.Menu.Hint, t.Menu.Reason = 0, false, HintNone, payterm.ReasonNone
	return t.menuAt(in, EnteringRefund), []Command{Play{payterm.SoundKey}}
}

// keyRefund types a part of what is left. A digit that would pass that is refused,
// never dropped in silence, and a part of nothing is not all.
func (t Terminal) keyRefund(in Stamped, k payterm.Key) (Terminal, []Command) {
	left := t.Menu.Order.Left()
	switch {
	case k == payterm.KeyClear:
		t.Menu.Typing = t.Menu.Amount >= 10
		t.Menu.Amount /= 10
	case k.Digits() != "":
		minor, fits := typed(t.Menu.Amount, k, left)
		if !fits {
			return t, []Command{Play{payterm.SoundDeclined}}
		}
		t.Menu.Amount, t.Menu.Typing = minor, true
	case k == payterm.KeyEnter && t.Menu.Typing && t.Menu.Amount == 0:
		return t, []Command{Play{payterm.SoundDeclined}}
	case k == payterm.KeyEnter:
		t.Refund = RefundBegan{SaleID: t.Menu.Order.Order, AmountMinor: t.Menu.refund(),
			Currency: t.Menu.Order.Total.Currency}
		if t.Settings.PINSet {
			return t.askPIN(in), []Command{Play{payterm.SoundKey}}
		}
		return t.beginRefund()
	default:
		return t, nil
	}
	return t, []Command{Play{payterm.SoundKey}}
}

// refund is what is to go back: what was typed, or all that is left.
func (m Menu) refund() int64 {
	if m.Typing {
		return m.Amount
	}
	return m.Order.Left()
}

// typed is an amount in minor units with one more key, and whether it keeps to the
// most that it may be.
func typed(minor int64, k payterm.Key, most int64) (int64, bool) {
	for _, d := range k.Digits() {
		minor = minor*10 + int64(d-'0')
	}
	return minor, minor <= most
}

// keyConfirm is the question before a Z, and before a word on an order.
func (t Terminal) keyConfirm(in Stamped, k payterm.Key) (Terminal, []Command) {
	if k != payterm.KeyEnter {
		return t, nil
	}
	if t.Menu.Task != TaskZ && t.Menu.Task != TaskTraining {
		t.Word = Resolve{Order: t.Menu.Order.Order, Reason: WordAtCounter}
		t.Conflict = t.Word.Order
	}
	if t.Settings.PINSet {
		return t.askPIN(in), []Command{Play{payterm.SoundKey}}
	}
	return t.override(in, Operator{})
}

// WordAtCounter is the reason that a word given at the keys has in the journal.
const WordAtCounter = "decided at the counter"

// giveWord puts a supervisor's word to an order, and looks in the journal whether it
// was noted: what is shown is what was committed.
func (t Terminal) giveWord(in Stamped, word Resolve) (Terminal, []Command) {
	task := t.Menu.Task
	t = t.idle()
	t.Menu.Task = task
	t, cmds := t.look(in, Query{What: LookOrder, Text: string(word.Order)})
	t.Word = word
	return t, append([]Command{word}, cmds...)
}

// wordNoted shows what came of a word.
func (t Terminal) wordNoted(in Stamped, ev Found) (Terminal, []Command) {
	t.Word = Resolve{}
	if ev.Failed || ev.Rows.Count() == 0 {
		return t.menuAt(in, InMenu).refuse(HintUnreadable)
	}
	t.Menu.Order, t.Menu.Asking = ev.Rows[0], ev.Asking
	if t.Menu.Order.Undecided() {
		t = t.menuAt(in, ShowingOrder)
		t.Menu.Reason = payterm.ReasonStorage
		return t, []Command{Play{payterm.SoundDeclined}}
	}
	return t.menuAt(in, ShowingWord), nil
}

// notBegun goes back to the sale of a refund that did not begin, and says why.
func (t Terminal) notBegun(in Stamped, why payterm.Reason) (Terminal, []Command) {
	t = t.menuAt(in, ShowingOrder)
	t.Refund, t.Order = RefundBegan{}, Order{}
	t.Menu.Amount, t.Menu.Typing, t.Menu.Reason = 0, false, why
	return t, []Command{Play{payterm.SoundDeclined}}
}

// beforePIN is where a supervisor was asked for. Nothing was decided.
func (t Terminal) beforePIN(in Stamped) Terminal {
	t.PINStale, t.PIN, t.Claim = t.PINAsked, "", ""
	t.Word, t.Conflict = Resolve{}, ""
	if t.Refund.SaleID != "" {
		t.Refund = RefundBegan{}
		return t.menuAt(in, EnteringRefund)
	}
	return t.menuAt(in, AskingYes)
}

// totalsTold shows an X or a Z.
func (t Terminal) totalsTold(in Stamped, ev TotalsTold) (Terminal, []Command) {
	if t.Phase != Looking || t.Menu.Query != ev.Query {
		return t, nil // left meanwhile; its slip comes all the same
	}
	t.Menu.Totals = ev
	sound := payterm.SoundKey
	if ev.Why != "" {
		sound = payterm.SoundDeclined
	}
	return t.menuAt(in, ShowingTotals), []Command{Play{sound}}
}

// rateTold shows the exchange rate.
func (t Terminal) rateTold(in Stamped, ev RateTold) (Terminal, []Command) {
	if t.Phase != Looking || t.Menu.Query != ev.Query {
		return t, nil // left meanwhile
	}
	t.Menu.Rate = ev
	t.Menu.Rate.Currency = t.Settings.Currency
	return t.menuAt(in, ShowingRate), nil
}

// menuImpossible says what is wrong with a menu that should not be reached.
func (t Terminal) menuImpossible() string {
	m := t.Menu
	switch {
	case t.Phase == Idle && m != Menu{}:
		return "idle terminal keeps a menu"
	case t.Phase.inMenu() && t.Until == 0:
		return "a menu without a deadline"
	case t.Phase.inMenu() && t.Ticket != 0:
		return "a menu holds a caller"
	case t.Phase.inMenu() && t.Phase != InMenu && m.Task == NoTask:
		return "a step of no task"
	case (t.Phase == ShowingOrder || t.Phase == ShowingWord || t.Phase == EnteringRefund) && m.Order.Order == "":
		return "it shows no order"
	case m.Amount > m.Order.Left():
		return "a refund of more than is left is typed"
	case t.Phase == ShowingWord && m.Order.Undecided():
		return "it says that a word was noted, and none was"
	case t.Refund.SaleID != "" && t.Refund.AmountMinor <= 0 && t.Ticket == 0:
		return "a refund of nothing"
	}
	return ""
}

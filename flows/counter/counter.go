package counter

import (
	"fmt"
	"time"

	"payterm"
	"payterm/flows/order"
)

// Phase is what the counter is doing.
type Phase uint8

// The phases of the counter.
const (
	Idle           Phase = iota
	EnteringAmount       // digits are typed
	ChoosingWallet       // Active Mode: whose code to show
	Checking             // looks for an order that would be charged twice
	Warned               // there is one; a person decides
	EnteringPIN          // of a supervisor, for an override or a refund
	Serving              // an order is at the counter
	ShowingResult        // until a key or a new sale
	OutOfOrder           // the journal cannot be written
	ChoosingTip          // percent, an own amount, or none (tip.go)
	EnteringTip
	InMenu // what there is besides a sale (menu.go)
	Finding
	Looking
	Listing
	ShowingOrder
	ShowingWord // a supervisor's decision was recorded
	EnteringRefund
	AskingYes
	ShowingTotals
	ShowingRate
	ChoosingLanguage
	EnteringNumber  // of an operator who gets a PIN (staff.go)
	EnteringNewPIN  // twice
	ShowingOperator // has the PIN
	ChoosingDrill   // in training (training.go)
	Briefing
	Switching        // this run of the terminal ends, for training or from it
	InService        // its devices are being tested
	SignedOff        // nobody is signed on; a number may be typed (people.go)
	SigningOn        // the operator's PIN
	NamingSupervisor // the number of the supervisor whose PIN follows
	Refused          // nothing began; the reason stands until a key or a new sale
)

var phaseNames = [...]string{
	"Idle", "EnteringAmount", "ChoosingWallet", "Checking", "Warned", "EnteringPIN",
	"Serving", "ShowingResult", "OutOfOrder", "ChoosingTip", "EnteringTip",
	"InMenu", "Finding", "Looking", "Listing", "ShowingOrder", "ShowingWord", "EnteringRefund", "AskingYes",
	"ShowingTotals", "ShowingRate", "ChoosingLanguage", "EnteringNumber", "EnteringNewPIN", "ShowingOperator",
	"ChoosingDrill", "Briefing", "Switching", "InService",
	"SignedOff", "SigningOn", "NamingSupervisor", "Refused",
}

// String is the phase's name.
func (p Phase) String() string {
	if int(p) < len(phaseNames) {
		return phaseNames[p]
	}
	return fmt.Sprintf("TerminalPhase(%d)", p)
}

// Settings are fixed at the start of the process.
type Settings struct {
	Currency      payterm.Currency
	MerchantID    string // at the gateway; of every new sale
	MaxMinor      int64  // of one sale; 0 for payterm.MaxMinor
	ActiveWallets payterm.ChannelSet
	Wallets       payterm.ChannelSet // whose codes may be scanned; empty for all
	Operator      string
	PINSet        bool            // some supervisor's PIN is configured
	SignOn        bool            // operators are configured: one has to sign on
	DayMaxMinor   int64           // of all sales of a business day; 0 for no limit
	Last          payterm.OrderID // of an earlier run: its slips may be printed again
	Rules         order.Rules

	SupervisorsNamed bool // supervisors are operators: their number is asked for first
	Tips             Tips // offered after the amount; empty for no question
	Lines            int  // of a menu that fit on the glass; 0 for all
	// RefundsNeedPIN refuses refunds if no supervisor's PIN is configured.
	RefundsNeedPIN bool
	Training       bool // the gateway is simulated, the database is another
	WithoutF1      bool // the board has no such key
	LettersOnly    bool // the board has a character display: the menu offers only what it can show
	Staff          bool // supervisors add operators and change PINs at the keypad
	CodesOnPaper   bool // the display cannot show a QR code: it is printed
}

// Limits of the counter.
const (
	amountTimeout = 120 * time.Second // an unfinished amount is cleared after this
	maxPINDigits  = 12
	maxPINTries   = 3
)

// Counter is the state of the counter. It is comparable. It is not journalled: it starts idle,
// and open orders are read from their own events.
type Counter struct {
	Settings Settings
	Phase    Phase
	Status   Status

	Want          order.SaleBegan   // the sale that is being entered or asked for
	Refund        order.RefundBegan // the refund, likewise
	Word          Resolve           // the supervisor's decision on an order, likewise
	Ticket        uint64            // of the caller on the local socket, 0 for the keypad
	Conflict      payterm.OrderID
	ConflictDoubt bool
	PIN           PIN
	PINAsked      bool // a PIN is being compared; no key is taken until it is
	PINFromSocket bool // it was sent over the local socket
	PINStale      bool // it was typed at an earlier prompt and does not count at this one
	PINTries      int
	NewPIN        PIN // an operator's, typed once
	Fault         string
	Menu          Menu  // what is done besides a sale
	Trial         Trial // in service: the trial on the glass
	Lesson        Lesson

	Operator Operator       // who is signed on
	Claim    string         // the operator number that is typed, or whose PIN is
	Refusal  payterm.Reason // why nothing began
	Wait     time.Duration  // how long no PIN of this operator is compared

	Order       order.Order     // at the counter, or the last one
	ResultSince time.Duration   // since when a result that needs no answer is shown
	Last        payterm.OrderID // its slips may be printed again
	Until       time.Duration   // end of the entry of an amount
	TickAt      time.Duration   // next update of the elapsed time on screen
	ArmedAt     time.Duration   // when the scanner was armed
	Rest        time.Duration   // end of a training that nobody uses
	Led         payterm.Key     // the last key before a question (question.go)
	Unread      time.Duration   // until then no key answers it
	Shown       View
}

// New is an idle counter.
func New(s Settings) Counter {
	if s.MaxMinor <= 0 || s.MaxMinor > payterm.MaxMinor {
		s.MaxMinor = payterm.MaxMinor
	}
	if s.Lines <= 0 || s.Lines > Tasks {
		s.Lines = Tasks
	}
	t := Counter{Settings: s, Last: s.Last, Status: Status{Network: NetworkUnknown, Paper: payterm.PaperUnknown}}
	return t.idle()
}

// Due is the counter's next deadline.
func (c Counter) Due() (time.Duration, bool) {
	due := time.Duration(0)
	for _, at := range []time.Duration{c.Until, c.TickAt, c.Rest} {
		if at != 0 && (due == 0 || at < due) {
			due = at
		}
	}
	return due, due != 0
}

// Step moves the counter by one event and shows the view if it has changed.
func Step(t Counter, in Stamped) (Counter, []Command) {
	before := t
	t, cmds := t.step(in)
	if t.Settings.Training {
		t, cmds = t.stepTraining(in, cmds)
	}
	t = t.led(in, before).noteResult(in, before).tick(in.Mono)
	if on := t.Armed(); on != before.Armed() {
		t.ArmedAt = in.Mono
		cmds = append([]Command{Arm{on}}, cmds...)
	}
	if v := t.view(in.Mono); v != t.Shown {
		t.Shown = v
		// First, because a later command may move an order and with it the view.
		cmds = append([]Command{Show{v}}, cmds...)
	}
	return t, cmds
}

func (c Counter) step(in Stamped) (Counter, []Command) {
	switch ev := in.Event.(type) {
	case StatusChanged:
		c.Status = ev.Status
	case StoreFailed:
		return c.outOfOrder(ev)
	case StoreRecovered:
		if c.Phase == OutOfOrder {
			return c.recovered(), nil
		}
	case OrderMoved:
		return c.moved(ev)
	case SaleAsked:
		return c.asked(in, ev)
	case RefundAsked:
		return c.refundAsked(in, ev)
	case ResolveAsked:
		return c.resolveAsked(in, ev)
	case CancelAsked:
		return c.cancelAsked(ev)
	case RefundRefused:
		if c.Phase == Serving && c.Order.ID() == "" {
			if c.Menu.Task != NoTask {
				return c.notBegun(in, ev.Reason)
			}
			refusal := Refuse{Ticket: c.Ticket, Reason: ev.Reason}
			return c.idle(), []Command{refusal, Play{payterm.SoundDeclined}}
		}
	case ConflictChecked:
		return c.checked(in, ev)
	case PINChecked:
		return c.pinChecked(in, ev)
	case Scanned:
		if c.Phase == Serving && ev.Began >= c.ArmedAt { // armed, and the order not yet committed
			return c, []Command{Tell{c.Order.ID(), order.CodeScanned(c.anyWallet(ev))}}
		}
		if c.Phase == Finding {
			return c.scanNumber(in, ev)
		}
		return c.service(in)
	case ZAsked:
		return c.zAsked(in, ev)
	case TrainingAsked:
		return c.trainingAsked(in, ev)
	case NotTrained:
		return c.notTrained(in, ev)
	case ServiceAsked:
		return c.serviceAsked(in, ev)
	case TrialSet, ServiceEnded:
		return c.service(in)
	case Found:
		return c.found(in, ev)
	case OrderTold:
		return c.orderTold(in, ev)
	case TotalsTold:
		return c.totalsTold(in, ev)
	case RateTold:
		return c.rateTold(in, ev)
	case PersonFound:
		return c.personFound(in, ev)
	case PINKept:
		return c.pinKept(in, ev)
	case KeyPressed:
		return c.key(in, ev.Key)
	case Woke:
		if c.Until != 0 && in.Mono >= c.Until {
			return c.giveUp(nil)
		}
	}
	return c, nil
}

// Armed reports whether a scan has a use now. A scanner that needs a command looks for codes only
// then.
func (c Counter) Armed() bool {
	return c.Phase == Serving && c.Order.Phase == order.Scanning || c.Phase == Finding || c.Phase == InService
}

// idle clears the counter. It keeps the status, who is signed on, and a PIN that is still being
// compared, whose result then counts for nothing.
func (c Counter) idle() Counter {
	c = Counter{
		Settings: c.Settings, Status: c.Status, Shown: c.Shown, Last: c.Last, PINAsked: c.PINAsked,
		PINStale: c.PINAsked,
		Lesson:   c.Lesson, Rest: c.Rest,
		Want: order.SaleBegan{Currency: c.Settings.Currency}, Operator: c.Operator,
	}
	if c.mustSignOn() {
		c.Phase = SignedOff
	}
	return c
}

// Anew is a counter that starts again after an impossible state. The order that it had keeps the
// counter, so that nobody begins another one beside it; the operator has to sign on again.
func (c Counter) Anew(had order.Order) Counter {
	last, asked := c.Last, c.PINAsked
	c = New(c.Settings)
	c.Last, c.PINAsked, c.PINStale = last, asked, asked
	return c.serve(had)
}

// serve gives the counter to this order, if there is one.
func (c Counter) serve(had order.Order) Counter {
	if had.Phase == order.Fresh {
		return c
	}
	c.Order, c.Phase = had, ShowingResult
	if had.Phase.AtCounter() {
		c.Phase = Serving
	}
	return c
}

// tick plans the next update of a waiting screen, in a second.
func (c Counter) tick(now time.Duration) Counter {
	c.TickAt = 0
	if c.Phase != Serving || !c.Order.Phase.AtCounter() {
		return c
	}
	since := c.Order.SentAt
	if c.Order.Phase == order.Scanning || c.Order.Phase == order.Baselining {
		since = c.Order.BeganAt
	}
	c.TickAt = since + (max(0, now-since)/time.Second+1)*time.Second
	return c
}

// outOfOrder stops selling. An order at the counter continues and is shown again once the journal
// can be written.
func (c Counter) outOfOrder(ev StoreFailed) (Counter, []Command) {
	if c.Phase == OutOfOrder {
		c.Fault = ev.Why
		return c, nil
	}
	var cmds []Command
	served := c.Order
	if c.Phase != Serving {
		served = order.Order{}
	}
	if c.Ticket != 0 && (c.Phase == Checking || c.Phase == EnteringPIN || c.Phase == Switching ||
		c.Phase == NamingSupervisor || c.Phase == Serving && served.ID() == "") { // it could not begin
		cmds = append(cmds, Refuse{Ticket: c.Ticket, Reason: payterm.ReasonStorage})
	}
	c = c.idle()
	c.Phase, c.Fault, c.Order = OutOfOrder, ev.Why, served
	return c, append(cmds, Play{payterm.SoundAlarm})
}

// recovered shows the counter again.
func (c Counter) recovered() Counter {
	return c.idle().serve(c.Order)
}

// moved follows the order at the counter, and the orders of a warning: the one that is named and
// all others of its total. If one of them is paid, its approval replaces the question, because a
// second charge may not be needed any more (invariant 8).
func (c Counter) moved(ev OrderMoved) (Counter, []Command) {
	o := ev.Order
	var cmds []Command
	switch {
	case c.Phase == Serving && (c.Order.ID() == o.ID() || c.Order.ID() == ""):
		c.Order, c.Menu = o, Menu{}
		if !o.Phase.AtCounter() {
			c.Phase = ShowingResult
		}
	case (c.Phase == ShowingResult && !o.Phase.AtCounter() || c.Phase == OutOfOrder) && c.Order.ID() == o.ID():
		c.Order = o // the doubt on screen has ended
	case c.Phase == Idle && ev.Found && late(o):
		c.Phase, c.Order = ShowingResult, o
	case (c.Phase == Warned || c.Phase == EnteringPIN || c.Phase == NamingSupervisor) &&
		o.Outcome == payterm.Approved && (c.Conflict == o.ID() || c.Conflict != "" && ev.Found &&
		o.Kind == payterm.KindSale && o.Total() == c.Want.Total()):
		if c.Ticket != 0 {
			cmds = append(cmds, Refuse{Ticket: c.Ticket, Reason: payterm.ReasonPossibleDuplicate, Order: o.ID()})
		}
		c = c.idle()
		c.Phase, c.Order = ShowingResult, o
	case (c.Phase == ShowingOrder || c.Phase == Looking) && c.Menu.Order.Order == o.ID():
		c.Menu.Order = RowOf(o.Row())
	case c.Phase == ShowingWord && c.Menu.Order.Order == o.ID():
		c.Menu.Asking = !o.Settled()
	}
	if c.Order.ID() == o.ID() && o.Outcome == payterm.Approved {
		c.Last = o.ID() // F2 prints what is on the screen
	}
	return c, cmds
}

// taken refuses a request over the socket while the counter is in use. A result that waits for a
// key does not count as use.
func (c Counter) taken(ticket uint64) (refusal []Command) {
	switch c.Phase {
	case Idle, ShowingResult, SignedOff, Refused:
	case OutOfOrder:
		return []Command{Refuse{Ticket: ticket, Reason: payterm.ReasonStorage}}
	default:
		return []Command{Refuse{Ticket: ticket, Reason: payterm.ReasonBusy, Order: c.Order.ID()}}
	}
	return nil
}

// asked handles a sale from the socket.
func (c Counter) asked(in Stamped, ev SaleAsked) (Counter, []Command) {
	if refusal := c.refuseUnsigned(ev.Ticket); refusal != nil {
		return c, refusal
	}
	c = c.idle()
	c.Want, c.Ticket = ev.Sale, ev.Ticket
	if !c.showsCode() {
		return c.refused(in, payterm.ReasonNoPrinter, 0)
	}
	return c.check()
}

func (c Counter) check() (Counter, []Command) {
	c.Phase, c.Until = Checking, 0
	return c, []Command{CheckConflict{c.Want.Total(), c.Want.Despite}}
}

// checked begins the sale, unless another order of this total is in the way and nobody has
// decided to go on. A till may decide that; a doubt that needs a supervisor's PIN has to be
// decided at the keypad.
func (c Counter) checked(in Stamped, ev ConflictChecked) (Counter, []Command) {
	if c.Phase != Checking {
		return c, nil
	}
	if c.overDay(ev.Sold) {
		return c.refused(in, payterm.ReasonDayLimit, 0)
	}
	switch {
	case ev.Paid: // the decision was made without knowing of this payment
		return c.idle(), []Command{Refuse{Ticket: c.Ticket, Reason: payterm.ReasonPossibleDuplicate, Order: ev.Order}}
	case ev.Order == "", ev.Order == c.Want.Despite && !c.guarded(ev.Doubt):
		return c.begin(in)
	case ev.Order == c.Want.Despite:
		c.Conflict, c.ConflictDoubt = ev.Order, ev.Doubt
		return c.askPIN(in), []Command{Play{payterm.SoundDoubt}}
	case c.Ticket != 0:
		refusal := Refuse{Ticket: c.Ticket, Reason: payterm.ReasonPossibleDuplicate, Order: ev.Order}
		return c.idle(), []Command{refusal}
	}
	c.Phase, c.Conflict, c.ConflictDoubt = Warned, ev.Order, ev.Doubt
	c.Until = in.Mono + amountTimeout
	return c, []Command{Play{payterm.SoundDoubt}}
}

// showsCode reports whether the customer can be given the code of the wanted sale. Otherwise an
// order in Active Mode would end in doubt although nobody saw its code.
func (c Counter) showsCode() bool {
	return c.Want.Mode != payterm.Active || c.Settings.ActiveWallets != 0 &&
		(!c.Settings.CodesOnPaper || c.Status.Paper.Prints())
}

func (c Counter) begin(in Stamped) (Counter, []Command) {
	if !c.showsCode() {
		return c.refused(in, payterm.ReasonNoPrinter, 0)
	}
	c.Phase, c.Until, c.Order = Serving, 0, order.Order{}
	sale := c.Want
	sale.Rules, sale.Wallets, sale.MerchantID = c.Settings.Rules, c.Settings.Wallets, c.Settings.MerchantID
	sale.Operator = c.seller(sale.Operator)
	return c, []Command{BeginSale{Ticket: c.Ticket, Sale: sale}}
}

func (c Counter) key(in Stamped, k payterm.Key) (Counter, []Command) {
	switch {
	case c.Phase.asks():
		return c.keyQuestion(in, k)
	case c.Phase.inMenu():
		return c.keyMenu(in, k)
	}
	switch c.Phase {
	case Idle, EnteringAmount:
		if k == payterm.KeyF4 && c.Phase == Idle && c.Settings.SignOn {
			return c.signOff()
		}
		return c.keyAmount(in, k)
	case SignedOff, NamingSupervisor:
		return c.keyOperator(in, k)
	case ChoosingTip:
		return c.keyTip(in, k)
	case EnteringTip:
		return c.keyOwnTip(in, k)
	case ChoosingWallet:
		return c.keyWallet(in, k)
	case EnteringPIN, SigningOn:
		return c.keyPIN(in, k)
	case Serving:
		switch phase := c.Order.Phase; {
		case k == payterm.KeyCancel && c.Order.ID() != "":
			return c, []Command{Tell{c.Order.ID(), order.CancelPressed{}}}
		case k == payterm.KeyF2 && phase == order.ShowingCode:
			return c, []Command{PrintCode{c.Order.ID()}}
		case k.Digits() != "" && (phase == order.Scanning || phase == order.ShowingCode):
			// A key of the next sale, too soon. No sound once the request is sent: it could be
			// taken for the wallet's answer.
			return c, []Command{Play{payterm.SoundDeclined}}
		}
	case ShowingResult:
		switch {
		case c.asks() && in.Mono < c.Unread: // typed for something else
			return c, nil
		case k == payterm.KeyF2:
			return c, c.reprint()
		case late(c.Order) && (k == payterm.Key1 || k == payterm.Key2) && !c.mustSignOn():
			return c.decideLate(in, k)
		}
		return c.leave(in, k) // any key; a digit begins the next amount
	case Refused:
		return c.leave(in, k)
	case InService:
		return c.service(in)
	default: // Checking, OutOfOrder: no key has an effect
	}
	return c, nil
}

// keyAmount types an amount in minor units. A digit that would pass the limit is refused with a
// sound.
func (c Counter) keyAmount(in Stamped, k payterm.Key) (Counter, []Command) {
	sounds := []Command{Play{payterm.SoundKey}}
	switch {
	case k == payterm.KeyCancel:
		return c.idle(), sounds
	case k == payterm.KeyClear:
		c.Want.AmountMinor /= 10
	case k.Digits() != "":
		minor, fits := typed(c.Want.AmountMinor, k, c.Settings.MaxMinor)
		if !fits {
			return c, []Command{Play{payterm.SoundDeclined}}
		}
		c.Want.AmountMinor = minor
	case k == payterm.KeyEnter && c.Want.AmountMinor > 0:
		c.Want.Mode = payterm.Passive
		return c.askTip(in)
	case k == payterm.KeyF1 && c.Want.AmountMinor > 0:
		return c.chooseWallet(in)
	case (k == payterm.KeyF3 || k == payterm.KeyF1) && c.Phase == Idle:
		return c.openMenu(in)
	case k == payterm.KeyF2 && c.Phase == Idle:
		return c, c.reprint()
	default:
		return c, nil
	}
	if c.Want.AmountMinor == 0 {
		return c.idle(), sounds
	}
	c.Phase, c.Until = EnteringAmount, in.Mono+amountTimeout
	return c, sounds
}

// chooseWallet asks whose code to show if there is a choice.
func (c Counter) chooseWallet(in Stamped) (Counter, []Command) {
	wallets := c.Settings.ActiveWallets.List()
	if len(wallets) == 0 {
		return c, []Command{Play{payterm.SoundDeclined}}
	}
	c.Want.Mode = payterm.Active
	if !c.showsCode() {
		return c.refused(in, payterm.ReasonNoPrinter, 0)
	}
	if len(wallets) == 1 {
		c.Want.Wallet = wallets[0]
		return c.askTip(in)
	}
	c.Phase, c.Until = ChoosingWallet, in.Mono+amountTimeout
	return c, []Command{Play{payterm.SoundKey}}
}

func (c Counter) keyWallet(in Stamped, k payterm.Key) (Counter, []Command) {
	if k == payterm.KeyCancel {
		c.Phase, c.Until = EnteringAmount, in.Mono+amountTimeout
		c.Want.Mode = ""
		return c, []Command{Play{payterm.SoundKey}}
	}
	wallets := c.Settings.ActiveWallets.List()
	if len(k) != 1 {
		return c, nil
	}
	if n := int(k[0] - '0'); n >= 1 && n <= len(wallets) {
		c.Want.Wallet = wallets[n-1]
		return c.askTip(in)
	}
	return c, nil
}

// guarded reports whether only a supervisor may decide to sell.
func (c Counter) guarded(doubt bool) bool { return doubt && c.Settings.PINSet }

// keyWarned takes the decision after a warning, and asks for a supervisor's PIN if a payment in
// doubt is younger than the guard.
func (c Counter) keyWarned(in Stamped, k payterm.Key) (Counter, []Command) {
	switch {
	case k == payterm.KeyCancel:
		return c.idle(), []Command{Play{payterm.SoundKey}}
	case c.guarded(c.ConflictDoubt):
		return c.askPIN(in), []Command{Play{payterm.SoundKey}}
	}
	return c.override(in, Operator{})
}

// refundAsked handles a refund from the socket. If a supervisor's PIN is configured it has to be
// typed at the keypad, where the amount is shown.
func (c Counter) refundAsked(in Stamped, ev RefundAsked) (Counter, []Command) {
	if refusal := c.refuseUnsigned(ev.Ticket); refusal != nil {
		return c, refusal
	}
	c = c.idle()
	c.Refund, c.Ticket = ev.Refund, ev.Ticket
	if c.Settings.PINSet {
		return c.askPIN(in), []Command{Play{payterm.SoundDoubt}}
	}
	return c.beginRefund()
}

// resolveAsked asks for a supervisor's PIN, if one is configured, before a decision on an order
// is recorded: the decision ends the guard against a second charge.
func (c Counter) resolveAsked(in Stamped, ev ResolveAsked) (Counter, []Command) {
	if !c.Settings.PINSet {
		if c.mustSignOn() {
			return c, c.refuseUnsigned(ev.Ticket)
		}
		ev.Word.Operator = c.seller(ev.Word.Operator)
		return c, []Command{ev.Word}
	}
	if refusal := c.taken(ev.Ticket); refusal != nil {
		return c, refusal
	}
	c = c.idle()
	c.Word, c.Ticket, c.Conflict = ev.Word, ev.Ticket, ev.Word.Order
	return c.askPIN(in), []Command{Play{payterm.SoundDoubt}}
}

// Cancellable is what CancelAsked ends: the order at the counter, or Prompted for a sale or refund
// from the socket for which a supervisor's PIN is awaited.
func (c Counter) Cancellable(order payterm.OrderID) (at payterm.OrderID, prompted bool) {
	switch {
	case c.Phase == Serving && c.Order.ID() != "" && (order == "" || order == c.Order.ID()):
		return c.Order.ID(), false
	case order == "" && c.Ticket != 0 && (c.Phase == EnteringPIN || c.Phase == NamingSupervisor):
		what, _ := c.purpose()
		return "", what == payterm.ForRefund || what == payterm.ForOverride
	}
	return "", false
}

// cancelAsked does what the key CANCEL would do. What a person types or reads at the counter is
// left alone.
func (c Counter) cancelAsked(ev CancelAsked) (Counter, []Command) {
	switch at, prompted := c.Cancellable(ev.Order); {
	case at != "":
		return c, []Command{Tell{at, order.CancelPressed{}}}
	case prompted:
		return c.giveUp([]Command{Play{payterm.SoundDeclined}})
	}
	return c, nil
}

func (c Counter) beginRefund() (Counter, []Command) {
	c.Phase, c.Until, c.Order = Serving, 0, order.Order{}
	c.Refund.Rules = c.Settings.Rules
	c.Refund.Operator = c.seller(c.Refund.Operator)
	return c, []Command{BeginRefund{Ticket: c.Ticket, Refund: c.Refund}}
}

// reprint prints the last order's slips again.
func (c Counter) reprint() []Command {
	if c.Last == "" {
		return []Command{Play{payterm.SoundDeclined}}
	}
	return []Command{Play{payterm.SoundKey}, Reprint{c.Last}}
}

// giveUp leaves what is being entered and answers its caller.
func (c Counter) giveUp(cmds []Command) (Counter, []Command) {
	if c.Ticket != 0 && (c.Phase == EnteringPIN || c.Phase == NamingSupervisor || c.Phase == Switching) {
		cmds = append(cmds, Refuse{Ticket: c.Ticket, Reason: payterm.ReasonCashier})
	}
	return c.idle(), cmds
}

// override does what needed a supervisor, after the PIN or where none is needed.
func (c Counter) override(in Stamped, by Operator) (Counter, []Command) {
	c.PINTries = 0
	if c.Refund.SaleID != "" {
		c.Refund.AllowedBy = by.Number
		return c.beginRefund()
	}
	if c.Word.Order != "" {
		word := c.Word
		word.Operator = by.Number
		if by == (Operator{}) {
			word.Operator = c.seller(word.Operator)
		}
		if c.Ticket == 0 {
			return c.giveWord(in, word)
		}
		return c.idle(), []Command{word}
	}
	if c.Menu.Task == TaskTraining {
		return c.train(in, true)
	}
	if c.Menu.Task == TaskStaff {
		return c.enterNumber(in, by.Number)
	}
	if c.Menu.Task == TaskZ {
		taken := c.takesZ(c.Ticket, by)
		if c.Ticket != 0 {
			return c.idle(), []Command{AllowZ{c.Ticket, taken}}
		}
		return c.look(in, Query{What: LookTotals, Text: "z", By: taken})
	}
	c.Want.Despite, c.Want.AllowedBy = c.Conflict, by.Number
	return c.begin(in)
}

func (c Counter) keyPIN(in Stamped, k payterm.Key) (Counter, []Command) {
	c.Until = in.Mono + amountTimeout
	switch {
	case k == payterm.KeyCancel && c.Menu.Task != NoTask && c.Ticket == 0:
		return c.beforePIN(in), []Command{Play{payterm.SoundKey}}
	case k == payterm.KeyCancel:
		return c.giveUp([]Command{Play{payterm.SoundKey}})
	case c.PINAsked: // one PIN at a time
		return c, nil
	case k == payterm.KeyClear:
		c.PIN = ""
	case k == payterm.KeyEnter && c.PIN != "":
		pin := c.PIN
		c.PIN, c.PINAsked = "", true
		what, order := c.purpose()
		return c, []Command{CheckPIN{Number: c.Claim, PIN: pin, For: what, Order: order}}
	case k.Digits() != "" && len(c.PIN)+len(k.Digits()) <= maxPINDigits:
		c.PIN += PIN(k.Digits())
	default:
		return c, nil
	}
	return c, []Command{Play{payterm.SoundKey}}
}

// late reports whether an order was paid after its sale was given up, and waits for a decision.
func late(o order.Order) bool {
	return o.Kind == payterm.KindSale && o.Outcome == payterm.Approved && o.Reason == payterm.ReasonLatePayment &&
		o.Attention != payterm.AttentionNone
}

// decideLate handles the choice on the screen of a late payment: 1 refunds it, 2 keeps it.
func (c Counter) decideLate(in Stamped, k payterm.Key) (Counter, []Command) {
	row := RowOf(c.Order.Row())
	c = c.idle()
	c.Menu = Menu{Task: TaskLate, Order: row}
	return c.menuAt(in, ShowingOrder).keyOrder(in, k)
}

// Impossible describes a state that should not be reached, nil if there is nothing wrong.
func (c Counter) Impossible() error {
	switch {
	case c.Phase == ShowingResult && c.Order.Phase.AtCounter():
		return fmt.Errorf("counter shows a result of an order in %s", c.Order.Phase)
	case c.Phase == Idle && c.Want.AmountMinor != 0:
		return fmt.Errorf("idle counter keeps an amount")
	case c.Phase != EnteringPIN && c.Phase != SigningOn && c.Phase != EnteringNewPIN && c.PIN != "",
		c.Phase != EnteringNewPIN && c.NewPIN != "":
		return fmt.Errorf("counter in %s keeps a PIN", c.Phase)
	case c.Phase == Warned && c.Conflict == "":
		return fmt.Errorf("counter warns of nothing")
	case c.PINTries >= maxPINTries:
		return fmt.Errorf("%d wrong PINs and still asking", c.PINTries)
	}
	if why := c.menuImpossible(); why != "" {
		return fmt.Errorf("counter in %s: %s", c.Phase, why)
	}
	return c.peopleImpossible()
}

// How long until a shown result counts as read. It stays on the glass for longer.
const (
	tillReads    = time.Minute     // of a result that a till has received as well
	cashierReads = 5 * time.Minute // of a result of the keypad
)

// noteResult notes since when the current result is shown. A key that does not leave it starts
// the time again.
func (c Counter) noteResult(in Stamped, before Counter) Counter {
	_, pressed := in.Event.(KeyPressed)
	switch {
	case !c.showsResult():
		c.ResultSince = 0
	case c.ResultSince == 0, c.Phase == ShowingResult && (pressed || c.Order.Outcome != before.Order.Outcome):
		c.ResultSince = max(in.Mono, 1)
	}
	return c
}

// showsResult reports whether the screen needs no answer.
func (c Counter) showsResult() bool {
	return c.Phase == ShowingResult || c.Phase == Refused || c.Phase == OutOfOrder && !c.Order.Phase.AtCounter()
}

// AtRest reports whether nobody uses the counter (invariant 22): no order, no entry, and the
// result has been read. Updates and restarts wait for it. Every other state has a deadline, its
// own or its order's.
func (c Counter) AtRest(now time.Duration) bool {
	switch {
	case c.Phase == Idle:
		return true
	case c.Phase == SignedOff:
		return c.Until == 0 // else somebody is signing on
	case c.showsResult() && c.Ticket != 0:
		return now >= c.ResultSince+tillReads
	case c.showsResult():
		return now >= c.ResultSince+cashierReads
	}
	return false
}

// State is the counter's state for programs, a word of `payterm status`.
type State string

// The states of a counter.
const (
	StateIdle     State = "idle"
	StateAmount   State = "amount" // somebody uses the keys
	StateScan     State = "scan"
	StateShowCode State = "show_code"
	StateSending  State = "sending"
	StateWaiting  State = "waiting"
	StateResult   State = "result"
)

// State is the counter's state.
func (c Counter) State() State {
	switch c.Phase {
	case Idle, SignedOff:
		return StateIdle
	case EnteringAmount, ChoosingWallet, ChoosingTip, EnteringTip, Checking, Warned, EnteringPIN, SigningOn,
		NamingSupervisor:
		return StateAmount
	case Serving:
		switch c.Order.Phase {
		case order.Scanning:
			return StateScan
		case order.ShowingCode:
			return StateShowCode
		case order.Waiting, order.Confirming:
			return StateWaiting
		case order.Fresh, order.Baselining, order.Sending, order.Redialling, order.InBackground, order.Trailing,
			order.Listed, order.Closed:
		}
		return StateSending
	case ShowingResult, OutOfOrder, Refused:
	default: // the menu, or service: somebody uses the keys
		return StateAmount
	}
	return StateResult
}

package flows

import (
	"fmt"
	"time"

	"payterm"
)

// TerminalPhase is what the counter is busy with.
type TerminalPhase uint8

// The phases of the terminal.
const (
	Idle           TerminalPhase = iota
	EnteringAmount               // digits are typed
	ChoosingWallet               // Active Mode: whose code to show
	Checking                     // is there an order in the way?
	Warned                       // there is; a person decides
	EnteringPIN                  // a supervisor's override, or a refund
	Serving                      // an order holds the counter
	ShowingResult                // its outcome stands until a key or a new sale
	OutOfOrder                   // the journal cannot be written
	ChoosingTip                  // percent, an own amount, or none (tip.go)
	EnteringTip
	InMenu // what there is beside a sale (menu.go)
	Finding
	Looking
	Listing
	ShowingOrder
	ShowingWord // a supervisor's, as it was noted
	EnteringRefund
	AskingYes
	ShowingTotals
	ShowingRate
	ChoosingLanguage
	ChoosingDrill // in training (training.go)
	Briefing
	Switching        // this life of the terminal ends
	InService        // its devices are being tried out
	SignedOff        // nobody is signed on; a number may be typed (people.go)
	SigningOn        // his PIN
	NamingSupervisor // whose PIN it will be
	Refused          // nothing began; the reason stands until a key or a new sale
)

var terminalPhaseNames = [...]string{
	"Idle", "EnteringAmount", "ChoosingWallet", "Checking", "Warned", "EnteringPIN",
	"Serving", "ShowingResult", "OutOfOrder", "ChoosingTip", "EnteringTip",
	"InMenu", "Finding", "Looking", "Listing", "ShowingOrder", "ShowingWord", "EnteringRefund", "AskingYes",
	"ShowingTotals", "ShowingRate", "ChoosingLanguage",
	"ChoosingDrill", "Briefing", "Switching", "InService",
	"SignedOff", "SigningOn", "NamingSupervisor", "Refused",
}

// String is the phase's name.
func (p TerminalPhase) String() string {
	if int(p) < len(terminalPhaseNames) {
		return terminalPhaseNames[p]
	}
	return fmt.Sprintf("TerminalPhase(%d)", p)
}

// Settings are what the terminal was told at its start.
type Settings struct {
	Currency      payterm.Currency
	MerchantID    string // at the gateway: of every sale that begins
	MaxMinor      int64  // of one sale; 0 for payterm.MaxMinor
	ActiveWallets WalletSet
	Wallets       WalletSet // whose codes may be scanned; none for all
	Operator      string
	PINSet        bool            // some supervisor's PIN is configured
	SignOn        bool            // operators are configured: one of them has to sign on
	DayMaxMinor   int64           // of all sales of a business day; 0 for no limit
	Last          payterm.OrderID // of an earlier life: its slips may be wanted again
	Rules         Rules

	SupervisorsNamed bool // supervisors are operators: their numbers are asked for
	Tips             Tips // offered after the amount; none for no question
	Lines            int  // of a menu that the glass shows at once; 0 for all
	// RefundsNeedPIN refuses refunds while no supervisor's PIN is configured.
	RefundsNeedPIN bool
	Training       bool // the gateway is a simulated one, and the database is another
}

// The terminal's own limits.
const (
	amountTimeout = 120 * time.Second // an amount that nobody finishes is cleared
	maxPINDigits  = 12
	maxPINTries   = 3
)

// Terminal is the state of the counter. It is comparable and not journalled: a
// new life begins idle, and the orders begin again from their own events.
type Terminal struct {
	Settings Settings
	Phase    TerminalPhase
	Status   Status

	Want          SaleBegan   // what is being entered or asked for
	Refund        RefundBegan // likewise, a refund
	Word          Resolve     // likewise, a supervisor's word on an order
	Ticket        uint64      // of a sale that came over the socket, 0 for the keypad
	Conflict      payterm.OrderID
	ConflictDoubt bool
	PIN           PIN
	PINAsked      bool // a PIN is being compared; until then none is typed
	PINCame       bool // it was typed elsewhere, and came over the socket
	PINStale      bool // it was typed at an earlier prompt, and opens no other
	PINTries      int
	Fault         string
	Menu          Menu  // what is done beside a sale
	Trial         Trial // in service: what is on the glass
	Lesson        Lesson

	Operator Operator       // who is signed on
	Claim    string         // the number that is being typed, or whose PIN is
	Refusal  payterm.Reason // why nothing began
	Wait     time.Duration  // for so long no PIN of this operator is compared

	Order   Order           // at the counter, or the last one
	Stands  time.Duration   // since when a result does that nobody has to answer
	Last    payterm.OrderID // the last one whose slips may be printed again
	Until   time.Duration   // of the amount's entry
	TickAt  time.Duration   // of the elapsed time on screen
	ArmedAt time.Duration   // when the scanner was told to look for a code
	Rest    time.Duration   // when a training ends in which nobody does anything
	Shown   View
}

// NewTerminal is an idle counter.
func NewTerminal(s Settings) Terminal {
	if s.MaxMinor <= 0 || s.MaxMinor > payterm.MaxMinor {
		s.MaxMinor = payterm.MaxMinor
	}
	if s.Lines <= 0 || s.Lines > Tasks {
		s.Lines = Tasks
	}
	t := Terminal{Settings: s, Last: s.Last, Status: Status{Network: NetworkUnknown, Paper: payterm.PaperUnknown}}
	return t.idle()
}

// Due is the terminal's next deadline.
func (t Terminal) Due() (time.Duration, bool) {
	due := time.Duration(0)
	for _, at := range []time.Duration{t.Until, t.TickAt, t.Rest} {
		if at != 0 && (due == 0 || at < due) {
			due = at
		}
	}
	return due, due != 0
}

// StepTerminal moves the counter by one event and shows what has changed.
func StepTerminal(t Terminal, in Stamped) (Terminal, []Command) {
	before := t
	t, cmds := t.step(in)
	if t.Settings.Training {
		t, cmds = t.trainee(in, cmds)
	}
	t = t.stand(in, before).tick(in.Mono)
	if on := t.Armed(); on != before.Armed() {
		t.ArmedAt = in.Mono
		cmds = append([]Command{Arm{on}}, cmds...)
	}
	if v := t.view(in.Mono); v != t.Shown {
		t.Shown = v
		// First, since a command may move an order on, and its view with it.
		cmds = append([]Command{Show{v}}, cmds...)
	}
	return t, cmds
}

func (t Terminal) step(in Stamped) (Terminal, []Command) {
	switch ev := in.Event.(type) {
	case StatusChanged:
		t.Status = ev.Status
	case StoreFailed:
		return t.outOfOrder(ev)
	case StoreRecovered:
		if t.Phase == OutOfOrder {
			return t.recovered(), nil
		}
	case OrderMoved:
		return t.moved(ev)
	case SaleAsked:
		return t.asked(ev)
	case RefundAsked:
		return t.refundAsked(in, ev)
	case ResolveAsked:
		return t.resolveAsked(in, ev)
	case RefundRefused:
		if t.Phase == Serving && t.Order.ID() == "" {
			if t.Menu.Task != NoTask {
				return t.notBegun(in, ev.Reason)
			}
			refusal := Refuse{Ticket: t.Ticket, Reason: ev.Reason}
			return t.idle(), []Command{refusal, Play{payterm.SoundDeclined}}
		}
	case ConflictChecked:
		return t.checked(in, ev)
	case PINChecked:
		return t.pinChecked(in, ev)
	case CodeScanned:
		if t.Phase == Serving && ev.Began >= t.ArmedAt { // or it was scanned while the order was being written down
			return t, []Command{Tell{t.Order.ID(), t.anyWallet(ev)}}
		}
		if t.Phase == Finding {
			return t.scanNumber(in, ev)
		}
		return t.service(in)
	case ZAsked:
		return t.zAsked(in, ev)
	case TrainingAsked:
		return t.trainingAsked(in, ev)
	case NotTrained:
		return t.notTrained(in, ev)
	case ServiceAsked:
		return t.serviceAsked(in, ev)
	case TrialSet, ServiceEnded:
		return t.service(in)
	case Found:
		return t.found(in, ev)
	case OrderTold:
		return t.told(in, ev)
	case TotalsTold:
		return t.totalsTold(in, ev)
	case RateTold:
		return t.rateTold(in, ev)
	case KeyPressed:
		return t.key(in, ev.Key)
	case Woke:
		if t.Until != 0 && in.Mono >= t.Until {
			return t.giveUp(nil)
		}
	case Restarted: // a new life begins idle anyway
	case SaleBegan, PaymentAnswered, InquiryAnswered, CancelPressed, InquiryAsked, Resolved,
		RefundBegan, RefundAnswered, RefundOpened, RefundEnded, ReprintAsked: // an order's
	}
	return t, nil
}

// Armed reports whether a code that is scanned now means something at once: a scanner
// that waits for a command looks for codes so long.
func (t Terminal) Armed() bool {
	return t.Phase == Serving && t.Order.Phase == Scanning || t.Phase == Finding || t.Phase == InService
}

// idle clears the counter of everything but what the world says, and of a PIN that
// is still being compared: whatever that prompt was for is over.
func (t Terminal) idle() Terminal {
	t = Terminal{
		Settings: t.Settings, Status: t.Status, Shown: t.Shown, Last: t.Last, PINAsked: t.PINAsked,
		PINStale: t.PINAsked,
		Lesson:   t.Lesson, Rest: t.Rest,
		Want: SaleBegan{Currency: t.Settings.Currency}, Operator: t.Operator,
	}
	if t.nobody() {
		t.Phase = SignedOff
	}
	return t
}

// Anew is a counter that begins anew, after a state that cannot be. An order that it had
// has it again, so that nobody begins another beside it; who is signed on is not known any
// more.
func (t Terminal) Anew(had Order) Terminal {
	last, asked := t.Last, t.PINAsked
	t = NewTerminal(t.Settings)
	t.Last, t.PINAsked, t.PINStale = last, asked, asked
	return t.serve(had)
}

// serve gives the counter to an order that it had before, if there is one.
func (t Terminal) serve(had Order) Terminal {
	if had.Phase == Fresh {
		return t
	}
	t.Order, t.Phase = had, ShowingResult
	if had.Phase.AtCounter() {
		t.Phase = Serving
	}
	return t
}

// tick plans the next second of the waiting screens.
func (t Terminal) tick(now time.Duration) Terminal {
	t.TickAt = 0
	if t.Phase != Serving || !t.Order.Phase.AtCounter() {
		return t
	}
	since := t.Order.SentAt
	if t.Order.Phase == Scanning || t.Order.Phase == Baselining {
		since = t.Order.BeganAt
	}
	t.TickAt = since + (max(0, now-since)/time.Second+1)*time.Second
	return t
}

// outOfOrder stops selling. An order that is being served goes on by itself and
// has the counter again once the journal can be written.
func (t Terminal) outOfOrder(ev StoreFailed) (Terminal, []Command) {
	if t.Phase == OutOfOrder {
		t.Fault = ev.Why
		return t, nil
	}
	var cmds []Command
	served := t.Order
	if t.Phase != Serving {
		served = Order{}
	}
	if t.Ticket != 0 && (t.Phase == Checking || t.Phase == EnteringPIN || t.Phase == Switching ||
		t.Phase == NamingSupervisor || t.Phase == Serving && served.ID() == "") { // it could not even begin
		cmds = append(cmds, Refuse{Ticket: t.Ticket, Reason: payterm.ReasonStorage})
	}
	t = t.idle()
	t.Phase, t.Fault, t.Order = OutOfOrder, ev.Why, served
	return t, append(cmds, Play{payterm.SoundAlarm})
}

// recovered gives the counter back.
func (t Terminal) recovered() Terminal {
	return t.idle().serve(t.Order)
}

// moved follows the order at the counter, and those that a person is being warned of: the
// one that is named and all others of its total. Once one is paid there may be nothing to
// charge again, and its approval stands in place of the question.
func (t Terminal) moved(ev OrderMoved) (Terminal, []Command) {
	o := ev.Order
	var cmds []Command
	switch {
	case t.Phase == Serving && (t.Order.ID() == o.ID() || t.Order.ID() == ""):
		t.Order, t.Menu = o, Menu{}
		if !o.Phase.AtCounter() {
			t.Phase = ShowingResult
		}
	case (t.Phase == ShowingResult && !o.Phase.AtCounter() || t.Phase == OutOfOrder) && t.Order.ID() == o.ID():
		t.Order = o // a doubt on screen that has resolved itself
	case (t.Phase == Warned || t.Phase == EnteringPIN || t.Phase == NamingSupervisor) &&
		o.Outcome == payterm.Approved && (t.Conflict == o.ID() || t.Conflict != "" && ev.Found &&
		o.Kind == payterm.KindSale && o.Total() == t.Want.total()):
		if t.Ticket != 0 {
			cmds = append(cmds, Refuse{Ticket: t.Ticket, Reason: payterm.ReasonPossibleDuplicate, Order: o.ID()})
		}
		t = t.idle()
		t.Phase, t.Order = ShowingResult, o
	case (t.Phase == ShowingOrder || t.Phase == Looking) && t.Menu.Order.Order == o.ID():
		t.Menu.Order = RowOf(o.Row())
	case t.Phase == ShowingWord && t.Menu.Order.Order == o.ID():
		t.Menu.Asking = !o.Settled()
	}
	if t.Order.ID() == o.ID() && o.Outcome == payterm.Approved {
		t.Last = o.ID() // F2 prints what is on the screen
	}
	return t, cmds
}

// taken refuses what the socket asks for while the counter is taken. A result that
// waits for a key gives way.
func (t Terminal) taken(ticket uint64) (refusal []Command) {
	switch t.Phase {
	case Idle, ShowingResult, SignedOff, Refused:
	case OutOfOrder:
		return []Command{Refuse{Ticket: ticket, Reason: payterm.ReasonStorage}}
	default:
		return []Command{Refuse{Ticket: ticket, Reason: payterm.ReasonBusy, Order: t.Order.ID()}}
	}
	return nil
}

// asked takes a sale from the socket.
func (t Terminal) asked(ev SaleAsked) (Terminal, []Command) {
	if refusal := t.unmanned(ev.Ticket); refusal != nil {
		return t, refusal
	}
	t = t.idle()
	t.Want, t.Ticket = ev.Sale, ev.Ticket
	return t.check()
}

func (t Terminal) check() (Terminal, []Command) {
	t.Phase, t.Until = Checking, 0
	return t, []Command{CheckConflict{t.Want.total(), t.Want.Despite}}
}

// checked begins the sale, unless another order of this total stands in the way
// and nobody has said to go on despite it. A till may say so, but where a
// supervisor's PIN guards a doubt it has to be typed here.
func (t Terminal) checked(in Stamped, ev ConflictChecked) (Terminal, []Command) {
	if t.Phase != Checking {
		return t, nil
	}
	if t.overDay(ev.SoldMinor) {
		return t.refused(in, payterm.ReasonDayLimit, 0)
	}
	switch {
	case ev.Paid: // whoever allowed a second charge did not know of the first
		return t.idle(), []Command{Refuse{Ticket: t.Ticket, Reason: payterm.ReasonPossibleDuplicate, Order: ev.Order}}
	case ev.Order == "", ev.Order == t.Want.Despite && !t.guarded(ev.Doubt):
		return t.begin()
	case ev.Order == t.Want.Despite:
		t.Conflict, t.ConflictDoubt = ev.Order, ev.Doubt
		return t.askPIN(in), []Command{Play{payterm.SoundDoubt}}
	case t.Ticket != 0:
		refusal := Refuse{Ticket: t.Ticket, Reason: payterm.ReasonPossibleDuplicate, Order: ev.Order}
		return t.idle(), []Command{refusal}
	}
	t.Phase, t.Conflict, t.ConflictDoubt = Warned, ev.Order, ev.Doubt
	t.Until = in.Mono + amountTimeout
	return t, []Command{Play{payterm.SoundDoubt}}
}

func (t Terminal) begin() (Terminal, []Command) {
	t.Phase, t.Until, t.Order = Serving, 0, Order{}
	sale := t.Want
	sale.Rules, sale.Wallets, sale.MerchantID = t.Settings.Rules, t.Settings.Wallets, t.Settings.MerchantID
	sale.Operator = t.seller(sale.Operator)
	return t, []Command{BeginSale{Ticket: t.Ticket, Sale: sale}}
}

func (t Terminal) key(in Stamped, k payterm.Key) (Terminal, []Command) {
	if t.Phase.inMenu() {
		return t.keyMenu(in, k)
	}
	switch t.Phase {
	case Idle, EnteringAmount:
		if k == payterm.KeyF4 && t.Phase == Idle && t.Settings.SignOn {
			return t.signOff()
		}
		return t.keyAmount(in, k)
	case SignedOff, NamingSupervisor:
		return t.keyOperator(in, k)
	case ChoosingTip:
		return t.keyTip(in, k)
	case EnteringTip:
		return t.keyOwnTip(in, k)
	case ChoosingWallet:
		return t.keyWallet(in, k)
	case Warned:
		return t.keyWarned(in, k)
	case EnteringPIN, SigningOn:
		return t.keyPIN(in, k)
	case Serving:
		switch phase := t.Order.Phase; {
		case k == payterm.KeyCancel && t.Order.ID() != "":
			return t, []Command{Tell{t.Order.ID(), CancelPressed{}}}
		case k.Digits() != "" && (phase == Scanning || phase == ShowingCode):
			// The next amount, typed too soon. Not once it is sent: there this sound
			// would be heard as the wallet's answer.
			return t, []Command{Play{payterm.SoundDeclined}}
		}
	case ShowingResult:
		if k == payterm.KeyF2 {
			return t, t.reprint()
		}
		return t.leave(in, k) // any key leaves; a digit begins the next amount
	case Refused:
		return t.leave(in, k)
	case InService:
		return t.service(in)
	default: // Checking, OutOfOrder: no key does anything
	}
	return t, nil
}

// keyAmount types an amount in minor units. A digit that would pass the limit is
// refused, never dropped in silence.
func (t Terminal) keyAmount(in Stamped, k payterm.Key) (Terminal, []Command) {
	sounds := []Command{Play{payterm.SoundKey}}
	switch {
	case k == payterm.KeyCancel:
		return t.idle(), sounds
	case k == payterm.KeyClear:
		t.Want.AmountMinor /= 10
	case k.Digits() != "":
		minor, fits := typed(t.Want.AmountMinor, k, t.Settings.MaxMinor)
		if !fits {
			return t, []Command{Play{payterm.SoundDeclined}}
		}
		t.Want.AmountMinor = minor
	case k == payterm.KeyEnter && t.Want.AmountMinor > 0:
		t.Want.Mode = payterm.Passive
		return t.askTip(in)
	case k == payterm.KeyF1 && t.Want.AmountMinor > 0:
		return t.chooseWallet(in)
	case (k == payterm.KeyF3 || k == payterm.KeyF1) && t.Phase == Idle:
		return t.openMenu(in)
	case k == payterm.KeyF2 && t.Phase == Idle:
		return t, t.reprint()
	default:
		return t, nil
	}
	if t.Want.AmountMinor == 0 {
		return t.idle(), sounds
	}
	t.Phase, t.Until = EnteringAmount, in.Mono+amountTimeout
	return t, sounds
}

// chooseWallet asks whose code to show, if there is a choice.
func (t Terminal) chooseWallet(in Stamped) (Terminal, []Command) {
	wallets := t.Settings.ActiveWallets.List()
	if len(wallets) == 0 {
		return t, []Command{Play{payterm.SoundDeclined}}
	}
	t.Want.Mode = payterm.Active
	if len(wallets) == 1 {
		t.Want.Wallet = wallets[0]
		return t.askTip(in)
	}
	t.Phase, t.Until = ChoosingWallet, in.Mono+amountTimeout
	return t, []Command{Play{payterm.SoundKey}}
}

func (t Terminal) keyWallet(in Stamped, k payterm.Key) (Terminal, []Command) {
	if k == payterm.KeyCancel {
		t.Phase, t.Until = EnteringAmount, in.Mono+amountTimeout
		t.Want.Mode = ""
		return t, []Command{Play{payterm.SoundKey}}
	}
	wallets := t.Settings.ActiveWallets.List()
	if len(k) != 1 {
		return t, nil
	}
	if n := int(k[0] - '0'); n >= 1 && n <= len(wallets) {
		t.Want.Wallet = wallets[n-1]
		return t.askTip(in)
	}
	return t, nil
}

// guarded reports whether only a supervisor may sell in spite of it.
func (t Terminal) guarded(doubt bool) bool { return doubt && t.Settings.PINSet }

// keyWarned asks for one key, and for a supervisor where a payment in doubt is
// younger than the guard.
func (t Terminal) keyWarned(in Stamped, k payterm.Key) (Terminal, []Command) {
	switch k {
	case payterm.KeyCancel:
		return t.idle(), []Command{Play{payterm.SoundKey}}
	case payterm.KeyEnter:
		if t.guarded(t.ConflictDoubt) {
			return t.askPIN(in), []Command{Play{payterm.SoundKey}}
		}
		return t.override(in, Operator{})
	}
	return t, nil
}

// refundAsked takes a refund from the socket. Where a supervisor's PIN is
// configured it has to be typed here, by somebody who sees the amount.
func (t Terminal) refundAsked(in Stamped, ev RefundAsked) (Terminal, []Command) {
	if refusal := t.unmanned(ev.Ticket); refusal != nil {
		return t, refusal
	}
	t = t.idle()
	t.Refund, t.Ticket = ev.Refund, ev.Ticket
	if t.Settings.PINSet {
		return t.askPIN(in), []Command{Play{payterm.SoundDoubt}}
	}
	return t.beginRefund()
}

// resolveAsked lets the supervisor whose word it is type the PIN, where one is
// configured: a word lifts the guard against a second charge.
func (t Terminal) resolveAsked(in Stamped, ev ResolveAsked) (Terminal, []Command) {
	if !t.Settings.PINSet {
		if t.nobody() {
			return t, t.unmanned(ev.Ticket)
		}
		ev.Word.Operator = t.seller(ev.Word.Operator)
		return t, []Command{ev.Word}
	}
	if refusal := t.taken(ev.Ticket); refusal != nil {
		return t, refusal
	}
	t = t.idle()
	t.Word, t.Ticket, t.Conflict = ev.Word, ev.Ticket, ev.Word.Order
	return t.askPIN(in), []Command{Play{payterm.SoundDoubt}}
}

func (t Terminal) beginRefund() (Terminal, []Command) {
	t.Phase, t.Until, t.Order = Serving, 0, Order{}
	t.Refund.Rules = t.Settings.Rules
	t.Refund.Operator = t.seller(t.Refund.Operator)
	return t, []Command{BeginRefund{Ticket: t.Ticket, Refund: t.Refund}}
}

// reprint asks the last order for its slips.
func (t Terminal) reprint() []Command {
	if t.Last == "" {
		return []Command{Play{payterm.SoundDeclined}}
	}
	return []Command{Play{payterm.SoundKey}, Reprint{t.Last}}
}

// giveUp leaves what is being entered, and tells who asked for it.
func (t Terminal) giveUp(cmds []Command) (Terminal, []Command) {
	if t.Ticket != 0 && (t.Phase == EnteringPIN || t.Phase == NamingSupervisor || t.Phase == Switching) {
		cmds = append(cmds, Refuse{Ticket: t.Ticket, Reason: payterm.ReasonCashier})
	}
	return t.idle(), cmds
}

// override does what a supervisor was asked for, or what nobody has to be asked for.
func (t Terminal) override(in Stamped, by Operator) (Terminal, []Command) {
	t.PINTries = 0
	if t.Refund.SaleID != "" {
		t.Refund.AllowedBy = by.Number
		return t.beginRefund()
	}
	if t.Word.Order != "" {
		word := t.Word
		word.Operator = by.Number
		if by == (Operator{}) {
			word.Operator = t.seller(word.Operator)
		}
		if t.Ticket == 0 {
			return t.giveWord(in, word)
		}
		return t.idle(), []Command{word}
	}
	if t.Menu.Task == TaskTraining {
		return t.train(in, true)
	}
	if t.Menu.Task == TaskZ {
		taken := t.takesZ(t.Ticket, by)
		if t.Ticket != 0 {
			return t.idle(), []Command{AllowZ{t.Ticket, taken}}
		}
		return t.look(in, Query{What: LookTotals, Text: "z", By: taken})
	}
	t.Want.Despite, t.Want.AllowedBy = t.Conflict, by.Number
	return t.begin()
}

func (t Terminal) keyPIN(in Stamped, k payterm.Key) (Terminal, []Command) {
	t.Until = in.Mono + amountTimeout
	switch {
	case k == payterm.KeyCancel && t.Menu.Task != NoTask && t.Ticket == 0:
		return t.beforePIN(in), []Command{Play{payterm.SoundKey}}
	case k == payterm.KeyCancel:
		return t.giveUp([]Command{Play{payterm.SoundKey}})
	case t.PINAsked: // one guess at a time
		return t, nil
	case k == payterm.KeyClear:
		t.PIN = ""
	case k == payterm.KeyEnter && t.PIN != "":
		pin := t.PIN
		t.PIN, t.PINAsked = "", true
		what, order := t.purpose()
		return t, []Command{CheckPIN{Number: t.Claim, PIN: pin, For: what, Order: order}}
	case k.Digits() != "" && len(t.PIN)+len(k.Digits()) <= maxPINDigits:
		t.PIN += PIN(k.Digits())
	default:
		return t, nil
	}
	return t, []Command{Play{payterm.SoundKey}}
}

// total is what the customer will be asked to pay.
func (s SaleBegan) total() payterm.Amount {
	return payterm.Amount{Minor: s.AmountMinor + s.TipMinor, Currency: s.Currency}
}

// Impossible says what is wrong with a state that should not be reached.
func (t Terminal) Impossible() error {
	switch {
	case t.Phase == ShowingResult && t.Order.Phase.AtCounter():
		return fmt.Errorf("terminal shows a result of an order in %s", t.Order.Phase)
	case t.Phase == Idle && t.Want.AmountMinor != 0:
		return fmt.Errorf("idle terminal keeps an amount")
	case t.Phase != EnteringPIN && t.Phase != SigningOn && t.PIN != "":
		return fmt.Errorf("terminal in %s keeps a PIN", t.Phase)
	case t.Phase == Warned && t.Conflict == "":
		return fmt.Errorf("terminal warns of nothing")
	case t.PINTries >= maxPINTries:
		return fmt.Errorf("%d wrong PINs and still asking", t.PINTries)
	}
	if why := t.menuImpossible(); why != "" {
		return fmt.Errorf("terminal in %s: %s", t.Phase, why)
	}
	return t.peopleImpossible()
}

// How long a result is taken to be read. It stands on the glass for longer.
const (
	tillReads    = time.Minute     // of what came over the socket: the till has it too
	cashierReads = 5 * time.Minute // of what was done at the keys
)

// stand notes since when a result stands, or the news that took its place. A key that
// leaves it where it is was pressed by somebody.
func (t Terminal) stand(in Stamped, before Terminal) Terminal {
	_, pressed := in.Event.(KeyPressed)
	switch {
	case !t.standing():
		t.Stands = 0
	case t.Stands == 0, t.Phase == ShowingResult && (pressed || t.Order.Outcome != before.Order.Outcome):
		t.Stands = max(in.Mono, 1)
	}
	return t
}

// standing reports whether the counter shows something that no answer is needed to.
func (t Terminal) standing() bool {
	return t.Phase == ShowingResult || t.Phase == Refused || t.Phase == OutOfOrder && !t.Order.Phase.AtCounter()
}

// AtRest reports whether nothing at the counter needs anybody, so that what waits for
// that may be done: nobody is served or types, and a result has been read. Everything
// else has a deadline that leads back here, or an order's.
func (t Terminal) AtRest(now time.Duration) bool {
	switch {
	case t.Phase == Idle:
		return true
	case t.Phase == SignedOff:
		return t.Until == 0 // or somebody signs on
	case t.standing() && t.Ticket != 0:
		return now >= t.Stands+tillReads
	case t.standing():
		return now >= t.Stands+cashierReads
	}
	return false
}

// State is the word under which programs know what the counter does.
func (t Terminal) State() string {
	switch t.Phase {
	case Idle, SignedOff:
		return "idle"
	case EnteringAmount, ChoosingWallet, ChoosingTip, EnteringTip, Checking, Warned, EnteringPIN, SigningOn,
		NamingSupervisor:
		return "amount"
	case Serving:
		switch t.Order.Phase {
		case Scanning:
			return "scan"
		case ShowingCode:
			return "show_code"
		case Waiting, Confirming:
			return "waiting"
		case Fresh, Baselining, Sending, Redialling, InBackground, Trailing, Listed, Closed:
		}
		return "sending"
	case ShowingResult, OutOfOrder, Refused:
	default: // the menu, or trials of the devices: somebody is at the keys
		return "amount"
	}
	return "result"
}

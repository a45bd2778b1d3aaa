package flows

import (
	"time"

	"payterm"
)

// ViewName names what the screen is about. The names are stable: programs see
// them.
type ViewName string

// The views.
const (
	ViewIdle         ViewName = "idle"
	ViewAmount       ViewName = "amount"
	ViewChooseWallet ViewName = "choose_wallet"
	ViewWarning      ViewName = "warning" // the same amount may have been paid already
	ViewPIN          ViewName = "pin"
	ViewScan         ViewName = "scan"
	ViewSending      ViewName = "sending"
	ViewShowCode     ViewName = "show_code"
	ViewWaiting      ViewName = "waiting"
	ViewRefunding    ViewName = "refunding"
	ViewApproved     ViewName = "approved"
	ViewDeclined     ViewName = "declined"
	ViewCancelled    ViewName = "cancelled"
	ViewNotSent      ViewName = "not_sent"
	ViewInDoubt      ViewName = "in_doubt"
	ViewRefunded     ViewName = "refunded"
	ViewFault        ViewName = "fault"
	ViewNumber       ViewName = "number"  // who signs on, or which supervisor it is
	ViewRefused      ViewName = "refused" // nothing began
	ViewTip          ViewName = "tip"
	ViewOwnTip       ViewName = "own_tip"
	ViewMenu         ViewName = "menu"
	ViewFind         ViewName = "find"
	ViewLooking      ViewName = "looking"
	ViewList         ViewName = "list"
	ViewOrder        ViewName = "order"
	ViewWord         ViewName = "word" // on an order: it was noted
	ViewRefundAmount ViewName = "refund_amount"
	ViewSure         ViewName = "sure"
	ViewTotals       ViewName = "totals"
	ViewRate         ViewName = "rate"
	ViewLanguage     ViewName = "language"
	ViewDrills       ViewName = "drills"
	ViewBriefing     ViewName = "briefing" // what a drill is about
	ViewSwitching    ViewName = "switching"
	ViewService      ViewName = "service" // a device is tried out
)

// ViewNames lists them all.
var ViewNames = [...]ViewName{
	ViewIdle, ViewAmount, ViewChooseWallet, ViewWarning, ViewPIN, ViewScan, ViewSending, ViewShowCode,
	ViewWaiting, ViewRefunding, ViewApproved, ViewDeclined, ViewCancelled, ViewNotSent, ViewInDoubt, ViewRefunded,
	ViewFault,
	ViewNumber, ViewRefused,
	ViewTip, ViewOwnTip, ViewMenu, ViewFind, ViewLooking, ViewList, ViewOrder, ViewWord, ViewRefundAmount, ViewSure,
	ViewTotals, ViewRate, ViewLanguage, ViewService,
	ViewDrills, ViewBriefing, ViewSwitching,
}

// View is what the cashier and the customer are to be shown, before it is put
// into words (package screen).
type View struct {
	Name       ViewName
	Status     Status
	Total      payterm.Amount
	Tip        payterm.Amount
	Mode       payterm.Mode
	Wallet     payterm.Wallet
	Kind       payterm.Kind
	Order      payterm.OrderID // of the order, or the one that a warning or a PIN is about
	Doubt      bool            // warning: a payment in doubt, not merely a code on show
	Outcome    payterm.Outcome
	Reason     payterm.Reason
	CodeURL    string
	Elapsed    time.Duration // whole seconds since it was sent or began
	Left       time.Duration // whole seconds until the phase ends
	Hint       Hint
	CanLeave   bool // CANCEL works now
	Redialling bool // no connection so far
	Payer      string
	PaidMinor  int64
	Refunded   int64
	Choices    WalletSet
	PINDigits  int
	PINWrong   bool
	For        payterm.Purpose // of a number or PIN that is asked for
	Number     string          // that is being typed, or whose PIN is
	Operator   Operator        // idle and menu: who is signed on
	Fault      string
	Tips       Tips
	Menu       Menu
	Lines      int // of a menu that are shown at once
	Training   bool
	Lesson     Lesson
	Trial      Trial
}

// WalletSet is a set of wallets, in the order of payterm.Wallets.
type WalletSet [len(payterm.Wallets)]bool

// List is the set's wallets in order.
func (s WalletSet) List() []payterm.Wallet {
	var list []payterm.Wallet
	for i, in := range s {
		if in {
			list = append(list, payterm.Wallets[i])
		}
	}
	return list
}

// Has reports whether a code of this wallet is welcome: to an empty set all are,
// and so is a code whose form does not tell, which the sale's own wallet decides.
func (s WalletSet) Has(w payterm.Wallet) bool {
	return s == (WalletSet{}) || w == "" || WalletSetOf(append(s.List(), w)...) == s
}

// WalletSetOf makes a set.
func WalletSetOf(wallets ...payterm.Wallet) WalletSet {
	var s WalletSet
	for _, w := range wallets {
		for i, known := range payterm.Wallets {
			if w == known {
				s[i] = true
			}
		}
	}
	return s
}

// view is what the terminal shows at the moment now.
func (t Terminal) view(now time.Duration) View {
	v := t.phaseView(now)
	v.Training, v.Lesson = t.Settings.Training, t.Lesson
	return v
}

func (t Terminal) phaseView(now time.Duration) View {
	if t.Phase.inMenu() {
		return t.menuView()
	}
	v := View{Status: t.Status, Total: t.Want.total(), Mode: t.Want.Mode, Wallet: t.Want.Wallet}
	switch t.Phase {
	case Idle:
		return View{Name: ViewIdle, Status: t.Status, Total: payterm.Amount{Currency: t.Settings.Currency},
			Operator: t.Operator}
	case EnteringAmount, Checking:
		v.Name = ViewAmount
		v.Choices = t.Settings.ActiveWallets
	case ChoosingWallet:
		v.Name, v.Choices = ViewChooseWallet, t.Settings.ActiveWallets
	case Warned:
		v.Name, v.Order, v.Doubt = ViewWarning, t.Conflict, t.ConflictDoubt
	case SignedOff, SigningOn, NamingSupervisor, EnteringPIN:
		v.Name, v.Order, v.PINDigits, v.PINWrong = ViewPIN, t.Conflict, len(t.PIN), t.PINTries > 0
		if v.Number = t.Claim; t.Phase == SignedOff || t.Phase == NamingSupervisor {
			v.Name = ViewNumber
		}
		v.For, _ = t.purpose()
		if t.Refund.SaleID != "" {
			v.Kind, v.Order, v.Total = payterm.KindRefund, t.Refund.SaleID, payterm.Amount{Minor: t.Refund.AmountMinor,
				Currency: t.Refund.Currency}
		}
	case Refused:
		v.Name, v.Reason, v.Left = ViewRefused, t.Refusal, t.Wait
	case ChoosingTip:
		v.Name, v.Tips = ViewTip, t.Settings.Tips
	case EnteringTip:
		v.Name, v.Tip = ViewOwnTip, payterm.Amount{Minor: t.Want.TipMinor, Currency: t.Want.Currency}
		v.Total.Minor = t.Want.AmountMinor // what it is on top of
	case Switching:
		return View{Name: ViewSwitching, Status: t.Status}
	case OutOfOrder:
		v.Name, v.Fault = ViewFault, t.Fault
	case InService:
		return View{Name: ViewService, Status: t.Status, Trial: t.Trial}
	case Serving, ShowingResult:
		return t.orderView(now)
	default: // the menu's
	}
	return v
}

// menuView is what the menu shows.
func (t Terminal) menuView() View {
	v := View{Status: t.Status, Menu: t.Menu, Lines: t.Settings.Lines, Order: t.Menu.Order.Order, Hint: t.Menu.Hint,
		Reason: t.Menu.Reason}
	switch t.Phase {
	case InMenu:
		v.Name, v.Operator = ViewMenu, t.Operator
	case Finding:
		v.Name = ViewFind
	case Looking:
		v.Name = ViewLooking
	case Listing:
		v.Name, v.Order = ViewList, ""
	case ShowingOrder:
		v.Name, v.Total = ViewOrder, t.Menu.Order.Total
	case ShowingWord:
		v.Name, v.Total = ViewWord, t.Menu.Order.Total
	case EnteringRefund:
		v.Name, v.Total = ViewRefundAmount, payterm.Amount{Minor: t.Menu.refund(),
			Currency: t.Menu.Order.Total.Currency}
	case AskingYes:
		v.Name, v.Total = ViewSure, t.Menu.Order.Total
	case ShowingTotals:
		v.Name = ViewTotals
	case ShowingRate:
		v.Name = ViewRate
	case ChoosingLanguage:
		v.Name = ViewLanguage
	case ChoosingDrill:
		v.Name = ViewDrills
	case Briefing:
		v.Name = ViewBriefing
	default: // not the menu's
	}
	return v
}

// orderView shows the order at the counter, or how it ended.
func (t Terminal) orderView(now time.Duration) View {
	o := t.Order
	v := View{
		Status: t.Status, Kind: o.Kind, Total: o.Total(), Mode: o.Sale.Mode, Wallet: o.Wallet, Order: o.ID(),
		Tip:     payterm.Amount{Minor: o.Sale.TipMinor, Currency: o.Sale.Currency},
		Outcome: o.Outcome, Reason: o.Reason, Hint: o.Hint, Payer: o.Payer,
		PaidMinor: o.PaidMinor, Refunded: o.RefundedMinor,
	}
	since := o.SentAt
	switch o.Phase {
	case Fresh: // the order is being written down
		if t.Refund.SaleID != "" {
			return View{Name: ViewRefunding, Status: t.Status, Kind: payterm.KindRefund,
				Total: payterm.Amount{Minor: t.Refund.AmountMinor, Currency: t.Refund.Currency}}
		}
		return View{Name: ViewSending, Status: t.Status, Kind: payterm.KindSale, Total: t.Want.total(),
			Mode: t.Want.Mode, Wallet: t.Want.Wallet}
	case Scanning:
		v.Name, v.CanLeave, since = ViewScan, true, o.BeganAt
	case Baselining:
		v.Name, v.CanLeave, since = ViewRefunding, true, o.BeganAt
	case Sending, Redialling:
		v.Name, v.Redialling = ViewSending, o.Phase == Redialling || o.Heard == payterm.AnswerName(payterm.Unsent{})
		v.CanLeave = o.Phase == Redialling || o.Sale.Mode == payterm.Active
	case ShowingCode:
		v.Name, v.CanLeave = ViewSending, true
		if now < o.Until { // or writing it down took too long
			v.Name, v.CodeURL = ViewShowCode, o.CodeURL
		}
	case Waiting, Confirming:
		v.Name, v.CanLeave = ViewWaiting, now >= o.SentAt+o.Sale.Rules.LeaveAfter
	case InBackground, Trailing, Listed, Closed:
		v.Name = resultView(o.Outcome)
		if v.Name == ViewApproved && o.Kind == payterm.KindRefund {
			v.Name = ViewRefunded
		}
		return v
	}
	if o.Kind == payterm.KindRefund {
		v.Name = ViewRefunding
	}
	v.Elapsed = max(0, now-since).Truncate(time.Second)
	if o.Until > now {
		v.Left = (o.Until - now + time.Second - 1).Truncate(time.Second)
	}
	return v
}

func resultView(outcome payterm.Outcome) ViewName {
	switch outcome {
	case payterm.Approved:
		return ViewApproved
	case payterm.Declined:
		return ViewDeclined
	case payterm.Cancelled:
		return ViewCancelled
	case payterm.NotSent:
		return ViewNotSent
	case payterm.InDoubt, payterm.Open:
	}
	return ViewInDoubt
}

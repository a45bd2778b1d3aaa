package counter

import (
	"time"

	"payterm"
	"payterm/flows/order"
)

// ViewName names a screen. Programs see the names, so they are stable.
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
	ViewLate         ViewName = "late" // paid after its sale was given up: keep it, or refund it
	ViewFault        ViewName = "fault"
	ViewNumber       ViewName = "number"  // the number of an operator or supervisor
	ViewRefused      ViewName = "refused" // nothing began
	ViewTip          ViewName = "tip"
	ViewOwnTip       ViewName = "own_tip"
	ViewMenu         ViewName = "menu"
	ViewFind         ViewName = "find"
	ViewLooking      ViewName = "looking"
	ViewList         ViewName = "list"
	ViewOrder        ViewName = "order"
	ViewWord         ViewName = "word" // a decision on an order was recorded
	ViewRefundAmount ViewName = "refund_amount"
	ViewSure         ViewName = "sure"
	ViewTotals       ViewName = "totals"
	ViewRate         ViewName = "rate"
	ViewLanguage     ViewName = "language"
	ViewOperator     ViewName = "operator"      // whose PIN is to be set
	ViewNewPIN       ViewName = "new_pin"       //
	ViewOperatorKept ViewName = "operator_kept" //
	ViewDrills       ViewName = "drills"
	ViewBriefing     ViewName = "briefing" // explains a drill
	ViewSwitching    ViewName = "switching"
	ViewService      ViewName = "service" // a device is tested
)

// ViewNames lists all views.
var ViewNames = [...]ViewName{
	ViewIdle, ViewAmount, ViewChooseWallet, ViewWarning, ViewPIN, ViewScan, ViewSending, ViewShowCode,
	ViewWaiting, ViewRefunding, ViewApproved, ViewDeclined, ViewCancelled, ViewNotSent, ViewInDoubt, ViewRefunded,
	ViewLate, ViewFault,
	ViewNumber, ViewRefused,
	ViewTip, ViewOwnTip, ViewMenu, ViewFind, ViewLooking, ViewList, ViewOrder, ViewWord, ViewRefundAmount, ViewSure,
	ViewTotals, ViewRate, ViewLanguage, ViewOperator, ViewNewPIN, ViewOperatorKept, ViewService,
	ViewDrills, ViewBriefing, ViewSwitching,
}

// View is what the screen shows, before package screen puts it into words.
type View struct {
	Name       ViewName
	Status     Status
	Total      payterm.Amount
	Tip        payterm.Amount
	Mode       payterm.Mode
	Wallet     payterm.Channel
	Kind       payterm.Kind
	Order      payterm.OrderID // the order, or the one that a warning or a PIN is about
	Doubt      bool            // warning: a payment in doubt, not a code on show
	Outcome    payterm.Outcome
	Reason     payterm.Reason
	CodeURL    string
	Elapsed    time.Duration // whole seconds since it was sent, or began
	Left       time.Duration // whole seconds until the phase ends
	Hint       order.Hint
	CanLeave   bool        // CANCEL has an effect now
	Yes        payterm.Key // the key that answers a question about money with yes
	Redialling bool        // no connection so far
	Payer      string
	Paid       payterm.Amount
	Refunded   payterm.Amount
	Choices    payterm.ChannelSet
	PINDigits  int
	PINWrong   bool
	For        payterm.Purpose // what a number or PIN is asked for
	Number     string          // that is typed, or whose PIN is
	Operator   Operator        // idle and menu: who is signed on
	Staffed    bool            // menu, and number while nobody is signed on: a supervisor can change operators
	Again      bool            // the new PIN is typed once more
	Fault      string
	Tips       Tips
	Menu       Menu
	Lines      int // of a menu that fit on the glass
	Training   bool
	Lesson     Lesson
	Trial      Trial
}

// view is what the terminal shows at this time.
func (c Counter) view(now time.Duration) View {
	v := c.phaseView(now)
	v.Training, v.Lesson = c.Settings.Training, c.Lesson
	return v
}

func (c Counter) phaseView(now time.Duration) View {
	if c.Phase.inMenu() {
		return c.menuView()
	}
	v := View{Status: c.Status, Total: c.Want.Total(), Mode: c.Want.Mode, Wallet: c.Want.Wallet}
	switch c.Phase {
	case Idle:
		return View{Name: ViewIdle, Status: c.Status, Total: payterm.Amount{Currency: c.Settings.Currency},
			Operator: c.Operator}
	case EnteringAmount, Checking:
		v.Name = ViewAmount
		if v.Choices = c.Settings.ActiveWallets; c.Settings.WithoutF1 {
			v.Choices = 0 // nobody can choose one
		}
	case ChoosingWallet:
		v.Name, v.Choices = ViewChooseWallet, c.Settings.ActiveWallets
	case Warned:
		v.Name, v.Order, v.Doubt, v.Yes = ViewWarning, c.Conflict, c.ConflictDoubt, c.yes()
	case SignedOff, SigningOn, NamingSupervisor, EnteringPIN:
		v.Name, v.Order, v.PINDigits, v.PINWrong = ViewPIN, c.Conflict, len(c.PIN), c.PINTries > 0
		if v.Number = c.Claim; c.Phase == SignedOff || c.Phase == NamingSupervisor {
			v.Name = ViewNumber
		}
		v.Staffed = c.Phase == SignedOff && c.staffed()
		v.For, _ = c.purpose()
		if c.Refund.SaleID != "" {
			v.Kind, v.Order, v.Total = payterm.KindRefund, c.Refund.SaleID, c.Refund.Total()
		}
	case Refused:
		v.Name, v.Reason, v.Left = ViewRefused, c.Refusal, c.Wait
	case ChoosingTip:
		v.Name, v.Tips = ViewTip, c.Settings.Tips
	case EnteringTip:
		v.Name, v.Tip = ViewOwnTip, c.Want.Amount().With(c.Want.TipMinor)
		v.Total.Minor = c.Want.AmountMinor // the amount before the tip
	case Switching:
		return View{Name: ViewSwitching, Status: c.Status}
	case OutOfOrder:
		v.Name, v.Fault = ViewFault, c.Fault
	case InService:
		return View{Name: ViewService, Status: c.Status, Trial: c.Trial}
	case Serving, ShowingResult:
		return c.orderView(now)
	default: // the menu
	}
	return v
}

// menuView is the view of the menu.
func (c Counter) menuView() View {
	v := View{Status: c.Status, Menu: c.Menu, Lines: c.Settings.Lines, Order: c.Menu.Order.Order, Hint: c.Menu.Hint,
		Reason: c.Menu.Reason}
	switch c.Phase {
	case InMenu:
		v.Name, v.Operator, v.Staffed = ViewMenu, c.Operator, c.staffed()
	case Finding:
		v.Name = ViewFind
	case Looking:
		v.Name = ViewLooking
	case Listing:
		v.Name, v.Order = ViewList, ""
	case ShowingOrder:
		v.Name, v.Total = ViewOrder, c.Menu.Order.Total
	case ShowingWord:
		v.Name, v.Total = ViewWord, c.Menu.Order.Total
	case EnteringRefund:
		v.Name, v.Total = ViewRefundAmount, c.Menu.refund()
	case AskingYes:
		v.Name, v.Total, v.Yes = ViewSure, c.Menu.Order.Total, c.yes()
		if c.Refund.SaleID != "" {
			v.Kind, v.Total = payterm.KindRefund, c.Refund.Total()
		}
	case ShowingTotals:
		v.Name = ViewTotals
	case ShowingRate:
		v.Name = ViewRate
	case ChoosingLanguage:
		v.Name = ViewLanguage
	case EnteringNumber:
		v.Name = ViewOperator
	case EnteringNewPIN:
		v.Name, v.PINDigits, v.Again = ViewNewPIN, len(c.PIN), c.NewPIN != ""
	case ShowingOperator:
		v.Name = ViewOperatorKept
	case ChoosingDrill:
		v.Name = ViewDrills
	case Briefing:
		v.Name = ViewBriefing
	default: // not a phase of the menu
	}
	return v
}

// orderView shows the order at the counter, or its result.
func (c Counter) orderView(now time.Duration) View {
	o := c.Order
	v := View{
		Status: c.Status, Kind: o.Kind, Total: o.Total(), Mode: o.Sale.Mode, Wallet: o.Wallet, Order: o.ID(),
		Tip:     o.Total().With(o.Sale.TipMinor),
		Outcome: o.Outcome, Reason: o.Reason, Hint: o.Hint, Payer: o.Payer,
		Paid: o.Total().With(o.PaidMinor), Refunded: o.Total().With(o.RefundedMinor),
	}
	since := o.SentAt
	switch o.Phase {
	case order.Fresh: // the order is being committed
		if c.Refund.SaleID != "" {
			return View{Name: ViewRefunding, Status: c.Status, Kind: payterm.KindRefund,
				Total: c.Refund.Total()}
		}
		return View{Name: ViewSending, Status: c.Status, Kind: payterm.KindSale, Total: c.Want.Total(),
			Mode: c.Want.Mode, Wallet: c.Want.Wallet}
	case order.Scanning:
		v.Name, v.CanLeave, since = ViewScan, true, o.BeganAt
	case order.Baselining:
		v.Name, v.CanLeave, since = ViewRefunding, true, o.BeganAt
	case order.Sending, order.Redialling:
		v.Name, v.Redialling = ViewSending, o.Phase == order.Redialling ||
			o.Heard == payterm.AnswerName(payterm.Unsent{})
		v.CanLeave = o.Phase == order.Redialling || o.Sale.Mode == payterm.Active
	case order.ShowingCode:
		v.Name, v.CanLeave = ViewSending, true
		if now < o.Until { // not shown if the commit took too long
			v.Name, v.CodeURL = ViewShowCode, o.CodeURL
		}
	case order.Waiting, order.Confirming:
		v.Name, v.CanLeave = ViewWaiting, now >= o.SentAt+o.Sale.Rules.LeaveAfter
	case order.InBackground, order.Trailing, order.Listed, order.Closed:
		v.Name = resultView(o.Outcome)
		if v.Name == ViewApproved && o.Kind == payterm.KindRefund {
			v.Name = ViewRefunded
		}
		if v.Name == ViewApproved && late(o) {
			v.Name = ViewLate
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

package order

import (
	"errors"
	"time"

	"payterm"
)

// SetAside is an order that Step cannot handle any more: its journalled events are
// unreadable or led to an impossible state. Only its row is left. While it is unknown
// whether it was paid, it blocks its total as a doubt does, without a time limit, and the
// gateway is asked about it. What an authentic answer proves is written to the row with an
// event of its own; otherwise a supervisor's decision closes it (docs/decisions/0016).
//
//	answer     | in doubt or open                     | ended unpaid
//	paid       | approved, late: a person checks it   | the same
//	failed     | declined, unless it has an alarm     | closed
//	refunded   | in doubt, alarm: a person checks it  | alarm
//	an alarm   | alarm, asks again                    | the same
//	the rest   | asks again                           | asks again
//
// An order that a supervisor had decided on before blocks nothing. It is asked about as
// one that ended unpaid, and raises no alarm unless a payment is found.
//
// A refund that is set aside keeps its sale reserved until a supervisor's decision closes
// it: without its baseline the answers about the sale cannot be judged.
type SetAside struct {
	Row    payterm.Order
	Closed bool // nothing is open any more
	Asking Asking
	Rules  Rules // the terminal's, since the order's own may be unreadable
}

// Events of a set-aside order. They are journalled, but Fold refuses them: the order stays set
// aside.
type (
	// AsideAnswered is the gateway's answer about it.
	AsideAnswered struct {
		Reply payterm.Reply `json:"reply"`
	}

	// AsideResolved is a supervisor's decision on it.
	AsideResolved struct {
		Operator string `json:"operator,omitempty"`
		Reason   string `json:"reason"`
	}
)

func (AsideAnswered) event() {}
func (AsideResolved) event() {}

// ErrSetAside is returned for an order that was set aside earlier and stays so.
var ErrSetAside = errors.New("the order is set aside")

// NewSetAside sets aside the order of this row, which may be closed.
func NewSetAside(in Stamped, row payterm.Order, closed bool, rules Rules) SetAside {
	s := SetAside{Row: row, Closed: closed, Rules: rules}
	s.Asking.Attempts = row.Attempts
	if s.asks() {
		s.Asking = s.Asking.climb(in, rules, true)
	}
	return s
}

// Undecided reports whether it is unknown if it was paid.
func (s SetAside) Undecided() bool {
	return s.Row.Kind == payterm.KindSale && (s.Row.Outcome == payterm.Open || s.Row.Outcome == payterm.InDoubt) &&
		s.Row.Reason != payterm.ReasonRefunded && s.Row.Resolution == ""
}

// asks reports whether the gateway is asked about it. A supervisor's decision before it was set
// aside ends its guard but not the inquiries: a decision cannot undo a payment.
func (s SetAside) asks() bool {
	if s.Closed || s.Row.Kind != payterm.KindSale {
		return false
	}
	switch s.Row.Outcome {
	case payterm.Open, payterm.InDoubt:
		return s.Row.Reason != payterm.ReasonRefunded
	case payterm.NotSent, payterm.Declined:
		return true
	case payterm.Approved, payterm.Cancelled:
	}
	return false
}

// Owes is the request that is still open at the gateway for it.
func (s SetAside) Owes() payterm.Owed {
	switch {
	case s.asks():
		return payterm.OwedInquiry
	case !s.Closed && s.Row.Kind == payterm.KindRefund:
		return payterm.OwedRefund
	}
	return payterm.OwedNothing
}

// Inquiry is the question about it.
func (s SetAside) Inquiry() payterm.Inquiry {
	return payterm.Inquiry{OrderID: s.Row.ID, Total: s.Row.Total(), MaxFeeMinor: s.Rules.MaxFeeMinor}
}

// Due is when to ask about it again; false for never, or while an inquiry is running.
func (s SetAside) Due() (time.Duration, bool) {
	return s.Asking.Next, s.Asking.Next != 0 && !s.Asking.InFlight
}

// StepSetAside moves it by one event. If the row has changed, the event must be committed.
func StepSetAside(s SetAside, in Stamped) (SetAside, []Command) {
	in.Mono = max(in.Mono, 1)
	switch ev := in.Event.(type) {
	case Woke:
		if due, any := s.Due(); !any || in.Mono < due {
			return s, nil
		}
		s.Asking.Next, s.Asking.InFlight = 0, true
		s.Asking.Attempts++
		return s, []Command{Inquire{s.Inquiry()}}
	case InquiryAsked:
		if s.Asking.Next != 0 {
			s.Asking.Next = in.Mono
		}
	case AsideAnswered:
		return s.heard(in, ev.Reply.Answer)
	case AsideResolved:
		if s.Row.Outcome == payterm.Open {
			s.Row.Outcome = payterm.InDoubt
		}
		s.Row.Resolution, s.Row.Attention = ev.Reason, payterm.AttentionNone
		s = s.close(in)
	}
	return s, nil
}

// heard takes in an answer about a sale. It never takes back a payment or a refund.
func (s SetAside) heard(in Stamped, answer payterm.Answer) (SetAside, []Command) {
	s.Asking = s.Asking.inquiryOver()
	if s.Row.Kind != payterm.KindSale {
		return s, nil
	}
	alarm := false
	switch a := answer.(type) {
	case payterm.Paid:
		switch {
		case s.Row.Outcome == payterm.Approved || s.Row.Reason == payterm.ReasonRefunded:
			return s, nil
		// After an alarm the id may be another terminal's (ORDER_USED), so the trade time must
		// match.
		case s.Row.Attention != payterm.AttentionAlarm || clockFits(a.TradeClock, payterm.Millis(s.Row.CreatedAt)):
			return s.paid(in, a)
		}
	case payterm.Failed:
		// After an alarm only a person closes it.
		switch {
		case s.Undecided() && s.Row.Attention != payterm.AttentionAlarm:
			s, cmds := s.resolved()
			s.Row.Outcome, s.Row.Reason, s.Row.Attention, s.Row.GatewayStatus = payterm.Declined, payterm.ReasonWallet,
				payterm.AttentionNone, a.Status
			return s.close(in), cmds
		case !s.Undecided() && s.asks() && s.Row.Attention == payterm.AttentionNone:
			return s.close(in), nil
		}
	case payterm.Refunded:
		if s.Row.Outcome == payterm.Approved {
			return s, nil
		}
		alarm = true
		if s.Undecided() {
			s.Row.Outcome, s.Row.Reason, s.Row.GatewayStatus = payterm.InDoubt, payterm.ReasonRefunded, a.Status
			s.Row.PaidMinor, s.Row.RefundedMinor = max(s.Row.PaidMinor, a.PaidMinor),
				max(s.Row.RefundedMinor, a.RefundedMinor)
		}
	case payterm.Unclear:
		alarm = a.Alarm
	case payterm.Lost:
		alarm = a.Alarm
	case payterm.Unsent, payterm.CodeMade, payterm.Pending, payterm.Refused, payterm.Rejected, payterm.Clash,
		payterm.NotFound:
	}
	var cmds []Command
	if alarm && s.Row.Attention == payterm.AttentionNone && s.Row.Resolution == "" {
		s.Row.Attention, cmds = payterm.AttentionAlarm, []Command{Play{payterm.SoundAlarm}}
	}
	if s.asks() {
		s.Asking = s.Asking.climb(in, s.Rules, false)
	}
	return s, cmds
}

// paid records a payment that was found. A person always checks it, whatever the merchant's rule
// for late payments.
func (s SetAside) paid(in Stamped, a payterm.Paid) (SetAside, []Command) {
	s, resolution := s.resolved()
	r := &s.Row
	r.Outcome, r.Reason, r.Attention, r.Resolution = payterm.Approved, payterm.ReasonLatePayment,
		payterm.AttentionAlarm, ""
	r.PaidMinor, r.GatewayStatus = a.PaidMinor, a.Status
	r.Payer, r.ChannelOrderID, r.TradeTime, r.ExchangeRate = a.Payer, a.ChannelOrderID, a.TradeTime, a.ExchangeRate
	r.Prints++
	return s.close(in), append([]Command{Play{payterm.SoundAlarm}, Print{Slip: SlipLatePayment}}, resolution...)
}

// resolved prints the result for a customer who left with an "in doubt" slip.
func (s SetAside) resolved() (SetAside, []Command) {
	if s.Row.Outcome != payterm.InDoubt || s.Row.Prints == 0 {
		return s, nil
	}
	s.Row.Prints++
	return s, []Command{Print{Slip: SlipResolved}}
}

func (s SetAside) close(in Stamped) SetAside {
	if !s.Closed {
		s.Row.ClosedAt = payterm.FromMillis(payterm.Millis(in.Wall))
	}
	s.Closed, s.Row.Attempts, s.Asking = true, s.Asking.Attempts, Asking{Attempts: s.Asking.Attempts}
	return s
}

// Reprint prints the slips of a paid one again.
func (s SetAside) Reprint() []Command {
	_, slips := s.Order().reprint()
	return slips
}

// Order is the form in which the counter shows it.
func (s SetAside) Order() Order {
	return Order{
		Kind: s.Row.Kind, Phase: Closed, Outcome: s.Row.Outcome, Reason: s.Row.Reason, Attention: s.Row.Attention,
		Sale: SaleBegan{
			ID: s.Row.ID, Mode: s.Row.Mode, Wallet: s.Row.Wallet, AmountMinor: s.Row.AmountMinor,
			TipMinor: s.Row.TipMinor,
			Currency: s.Row.Currency, Operator: s.Row.Operator, Ref: s.Row.Ref, Rules: s.Rules,
		},
		SaleID: s.Row.SaleID, Wallet: s.Row.Wallet, MaskedCode: s.Row.MaskedCode, PaidMinor: s.Row.PaidMinor,
		RefundedMinor: s.Row.RefundedMinor,
		GatewayStatus: s.Row.GatewayStatus, Payer: s.Row.Payer, ChannelID: s.Row.ChannelOrderID,
		TradeTime:    s.Row.TradeTime,
		ExchangeRate: s.Row.ExchangeRate, Resolution: s.Row.Resolution, Prints: s.Row.Prints,
		BeganWall: payterm.Millis(s.Row.CreatedAt), ClosedWall: payterm.Millis(s.Row.ClosedAt),
	}
}

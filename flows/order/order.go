package order

import (
	"fmt"
	"time"

	"payterm"
)

// Phase is where an order stands.
type Phase uint8

// The phases of an order.
const (
	Fresh        Phase = iota // no event yet
	Scanning                  // Passive: the scanner is armed, nothing is committed for sending
	Baselining                // refund: asks how the sale stands, nothing is committed for sending
	Sending                   // the request is committed; its fate is unknown until it is answered
	Redialling                // no byte has been written so far; another attempt follows
	ShowingCode               // Active: the customer may scan
	Waiting                   // Passive: sent, no final answer yet
	Confirming                // Passive: an outer code refused it; one answered inquiry has to confirm that
	InBackground              // left the counter in doubt, the ladder runs
	Trailing                  // ended unpaid, the ladder runs once in case of a late payment
	Listed                    // the ladder ended without a final answer: staff decides
	Closed                    // nothing is owed
)

var phaseNames = [...]string{
	"Fresh", "Scanning", "Baselining", "Sending", "Redialling", "ShowingCode", "Waiting",
	"Confirming", "InBackground", "Trailing", "Listed", "Closed",
}

// String is the phase's name.
func (p Phase) String() string {
	if int(p) < len(phaseNames) {
		return phaseNames[p]
	}
	return fmt.Sprintf("Phase(%d)", p)
}

// AtCounter reports whether an order in this phase occupies the counter.
func (p Phase) AtCounter() bool { return p >= Scanning && p <= Confirming }

// Hint tells the cashier why a scan or key had no effect.
type Hint string

// The hints.
const (
	HintNone        Hint = ""
	HintNotACode    Hint = "not_a_code"
	HintUsedCode    Hint = "used_code"
	HintOtherWallet Hint = "other_wallet"
	HintTooEarly    Hint = "too_early" // CANCEL before the order may be left
)

// Order is the state of one sale or refund. It is comparable. All fields but Asking, Hint and
// Code are facts: Fold computes them from the journal.
type Order struct {
	Kind  payterm.Kind
	Sale  SaleBegan // its terms, which never change (invariant 3); for a refund likewise
	Phase Phase

	SaleID         payterm.OrderID // refund: the sale
	SaleTotalMinor int64           // refund: what the sale came to
	BaselineMinor  int64           // refund: the sale's refund_fee before it
	Whole          bool            // refund: all that was left of the sale
	RefundID       payterm.OrderID // sale: its open refund

	// SaleRefundedMinor is the sale's refunded total as far as it is known. On a sale it is what
	// the gateway said beyond our own refunds, which are in RefundedMinor.
	SaleRefundedMinor int64
	Lacks             payterm.Reason // refund: why there is no baseline yet
	Unreached         payterm.Reason // redialling: why the last attempt wrote no byte

	Outcome   payterm.Outcome
	Reason    payterm.Reason
	Attention payterm.Attention

	Wallet        payterm.Channel // of the sale or of the scanned code
	CodeKey       string          // keyed hash of the scanned code
	MaskedCode    string
	CodeURL       string // Active: the text of the code on show
	PaidMinor     int64
	RefundedMinor int64
	GatewayStatus string
	Payer         string
	ChannelID     string
	TradeTime     string
	ExchangeRate  string
	Heard         string         // the last answer's name
	Refusal       payterm.Reason // reason of an outer code, before an inquiry confirms it
	Clashed       bool           // the gateway knew the id before we sent it
	SaidPaid      bool           // an authentic reply called it paid, with a total that does not match
	CancelWanted  bool           // CANCEL came while the request was running
	Resolution    string
	Prints        int

	// Wall clock times are for display: milliseconds since 1970, 0 if the clock was not set.
	BeganWall, SentWall, DoubtWall, ClosedWall int64

	// Monotonic times, which continue over restarts (payterm.Stamp).
	BeganAt   time.Duration
	ScannedAt time.Duration // Passive: first byte of the code; its age counts from here
	SentAt    time.Duration // the commit of the announcement: the counter time counts from here
	Until     time.Duration // the phase's deadline, 0 for none
	LifeUntil time.Duration // after this nobody can pay with the code any more
	TrailEnds time.Duration // Trailing: when the ladder has run once
	DoubtAt   time.Duration // since when it has been in doubt
	ByWall    bool          // an earlier version computed these times from the wall clock (before.go)

	Code   payterm.PayCode // in memory only, and only until it is sent
	Hint   Hint
	Asking Asking // the schedule of inquiries
}

// ID is the order's id.
func (o Order) ID() payterm.OrderID { return o.Sale.ID }

// Total is the expected total.
func (o Order) Total() payterm.Amount {
	return o.Sale.Total()
}

// facts is the order without the fields that are not journalled.
func (o Order) facts() Order {
	o.Asking, o.Hint, o.Code = Asking{}, HintNone, payterm.PayCode{}
	return o
}

// Lasting reports whether a step changed a fact: then its event must be committed before its
// commands are carried out (invariant 1).
func Lasting(before, after Order) bool { return before.facts() != after.facts() }

// Step moves one order by one event.
func Step(o Order, in Stamped) (Order, []Command) {
	next, commands := o.step(in)
	if o.Phase == ShowingCode && next.Phase != ShowingCode {
		commands = append(commands, VoidCode{})
	}
	return next, commands
}

func (o Order) step(in Stamped) (Order, []Command) {
	in.Mono = max(in.Mono, 1) // 0 means no deadline
	o.Hint = HintNone
	switch ev := in.Event.(type) {
	case SaleBegan:
		if o.Phase != Fresh {
			return o, nil // an id is used once
		}
		return o.begin(in, ev)
	case Restarted:
		return o.restart(in, ev)
	case restartedByWall:
		return o.restartByWall(in, ev)
	case RefundBegan:
		if o.Phase != Fresh {
			return o, nil // an id is used once
		}
		return o.beginRefund(in, ev)
	case RefundOpened:
		return o.opened(ev), nil
	case RefundEnded:
		return o.ended(ev), nil
	case ReprintAsked:
		return o.reprint()
	case Resolved:
		return o.resolve(in, ev), nil
	case InquiryAnswered:
		o.Asking = o.Asking.inquiryOver()
		if o.Kind == payterm.KindRefund {
			return o.heardOfSale(in, ev.Reply.Answer)
		}
		return o.heard(in, ev.Reply.Answer)
	case InquiryAsked:
		return o.askNow(in), nil
	}
	switch o.Phase {
	case InBackground, Trailing, Listed:
		return o.offCounter(in)
	case Fresh, Scanning, Baselining, Sending, Redialling, ShowingCode, Waiting, Confirming, Closed:
	}
	if o.Kind == payterm.KindRefund {
		return o.refund(in)
	}
	switch o.Sale.Mode {
	case payterm.Passive:
		return o.passive(in)
	case payterm.Active:
		return o.active(in)
	}
	return o, nil // Fresh
}

// begin takes over the sale's terms. A Passive order then waits for a scan; an Active order
// announces its request with the same event.
func (o Order) begin(in Stamped, sale SaleBegan) (Order, []Command) {
	if sale.Mode != payterm.Passive && sale.Mode != payterm.Active {
		return o, nil // no phase would handle it
	}
	o = Order{Kind: payterm.KindSale, Sale: sale, Wallet: sale.Wallet, Outcome: payterm.Open, BeganAt: in.Mono,
		BeganWall: payterm.Millis(in.Wall)}
	if sale.Mode == payterm.Active {
		return o.send(in)
	}
	o.Phase = Scanning
	o.Until = in.Mono + sale.Rules.ScanTimeout
	return o, nil
}

// send announces the payment or refund. It is called by begin, a scan, a baseline, and after a
// journalled result that no byte was written, and from nowhere else.
func (o Order) send(in Stamped) (Order, []Command) {
	if o.SentAt == 0 {
		o.SentAt, o.SentWall = in.Mono, payterm.Millis(in.Wall)
		o.LifeUntil = in.Mono + o.codeLife()
	}
	o.Phase = Sending
	// The request has its own, shorter deadline. This one frees the counter if the result is
	// lost.
	o.Until = in.Mono + o.Sale.Rules.HTTPTimeout + 5*time.Second
	o.Asking = Asking{InFlight: true, Paying: true, Attempts: o.Asking.Attempts}
	if o.Kind == payterm.KindRefund {
		return o, []Command{SendRefund{payterm.RefundRequest{OrderID: o.ID(), SaleOrderID: o.SaleID,
			Amount: o.Total()}, max(o.BeganAt+o.Sale.Rules.RefundWindow, 1)}}
	}
	send := SendPayment{Payment: payterm.Payment{
		OrderID: o.ID(), Mode: o.Sale.Mode, Wallet: o.Wallet, Total: o.Total(), Code: o.Code, Operator: o.Sale.Operator,
		MaxFeeMinor: o.Sale.Rules.MaxFeeMinor,
	}}
	if o.Sale.Mode == payterm.Passive {
		send.FreshUntil = o.dialsUntil()
	}
	return o, []Command{send}
}

// dialsUntil is when an order stops trying to connect: when a scanned code becomes too old, and
// after the same time for an order without one.
func (o Order) dialsUntil() time.Duration {
	from := o.SentAt
	if o.Sale.Mode == payterm.Passive && o.Kind == payterm.KindSale {
		from = o.ScannedAt
	}
	return max(from+o.Sale.Rules.CodeMaxAge, 1)
}

func (o Order) codeLife() time.Duration {
	if o.Sale.Mode == payterm.Active {
		return o.Sale.Rules.ActiveCodeLife
	}
	return o.Sale.Rules.PassiveCodeLife
}

// unsent handles a request of which no byte was written: it is tried again while the code is
// fresh and nobody has cancelled, else the order ends as not sent.
func (o Order) unsent(in Stamped, a payterm.Unsent) (Order, []Command) {
	retryAt := in.Mono + o.Sale.Rules.Redial
	o.Unreached = unreached(a)
	switch {
	case a.Final:
		return o.neverLeft(in, payterm.ReasonCertificate)
	case o.CancelWanted:
		return o.neverLeft(in, payterm.ReasonCashier)
	case a.TooOld:
		return o.neverLeft(in, o.tooOld())
	case retryAt >= o.dialsUntil():
		return o.neverLeft(in, o.Unreached)
	}
	o.Phase, o.Until = Redialling, retryAt
	return o, nil
}

// unreached is the reason why no byte was written, if another attempt may help.
func unreached(a payterm.Unsent) payterm.Reason {
	if a.Clock {
		return payterm.ReasonClock
	}
	return payterm.ReasonNoConnection
}

// tooOld is the reason of a request that was not sent in time: a sale's code was too old; a
// refund had no baseline or no connection within its window.
func (o Order) tooOld() payterm.Reason {
	if o.Kind == payterm.KindRefund {
		return payterm.ReasonNoAnswer
	}
	return payterm.ReasonCodeTooOld
}

// unsentLate handles an Unsent answer that comes after the order stopped waiting for it, for
// example because the commit was slow. The code is gone by then, so there is no other attempt.
func (o Order) unsentLate(in Stamped, a payterm.Unsent) (Order, []Command) {
	paying := o.Asking.Paying
	o.Asking = o.Asking.paymentOver()
	if !paying || o.Phase != Waiting && o.Phase != InBackground {
		return o, nil // the answer has no effect any more
	}
	reason := unreached(a)
	switch {
	case a.Final:
		reason = payterm.ReasonCertificate
	case o.CancelWanted:
		reason = payterm.ReasonCashier
	case a.TooOld:
		reason = o.tooOld()
	}
	silent, doubted := !o.Phase.AtCounter(), o.doubtSlip()
	o, cmds := o.neverLeft(in, reason)
	switch {
	case doubted:
		return o.resolved()
	case silent:
		return o, nil
	}
	return o, cmds
}

// redialling waits until it is time to connect again.
func (o Order) redialling(in Stamped) (Order, []Command) {
	switch in.Event.(type) {
	case CancelPressed:
		return o.neverLeft(in, payterm.ReasonCashier)
	case Woke:
		if in.Mono < o.Until {
			return o, nil
		}
		if in.Mono >= o.dialsUntil() {
			return o.neverLeft(in, o.Unreached)
		}
		return o.send(in)
	}
	return o, nil // a late answer of the attempt that wrote nothing
}

// unexpected reports whether a success comes late: the order has left the counter, or the caller
// was already told "in doubt" because the journal could not be written.
func (o Order) unexpected(in Stamped) bool {
	overdue := false
	switch ev := in.Event.(type) {
	case PaymentAnswered:
		overdue = ev.Overdue
	case InquiryAnswered:
		overdue = ev.Overdue
	}
	return overdue || o.Outcome != payterm.Open
}

// approve is the only way to Approved. A success that comes late becomes a late payment.
func (o Order) approve(in Stamped, a payterm.Paid) (Order, []Command) {
	late, doubted := o.unexpected(in), o.doubtSlip()
	o = o.close(in)
	o.Outcome, o.Reason, o.Attention = payterm.Approved, payterm.ReasonNone, payterm.AttentionNone
	o.PaidMinor, o.GatewayStatus = a.PaidMinor, a.Status
	o.Payer, o.ChannelID, o.TradeTime, o.ExchangeRate = a.Payer, a.ChannelOrderID, a.TradeTime, a.ExchangeRate
	if late {
		o.Reason = payterm.ReasonLatePayment
		if !o.Sale.Rules.KeepLate {
			o.Attention = payterm.AttentionLatePayment
		}
		o.Prints++
		cmds := []Command{Play{payterm.SoundAlarm}, Print{Slip: SlipLatePayment}}
		if doubted {
			o, resolution := o.resolved()
			return o, append(cmds, resolution...)
		}
		return o, cmds
	}
	o.Prints += 2
	return o, []Command{Play{payterm.SoundApproved}, Print{Slip: SlipMerchant}, OpenDrawer{}, Print{Slip: SlipCustomer}}
}

// reprint prints the slips of an approved order again. Whether the first ones were printed is
// unknown, so these are always marked COPY.
func (o Order) reprint() (Order, []Command) {
	if o.Outcome != payterm.Approved {
		return o, nil // only approved orders have such slips
	}
	slips := []Slip{SlipMerchant, SlipCustomer}
	if o.Kind == payterm.KindRefund {
		slips = []Slip{SlipRefund, SlipRefundCustomer}
	}
	o.Prints += len(slips)
	return o, []Command{Print{Slip: slips[0], Copy: true}, Print{Slip: slips[1], Copy: true}}
}

// decline ends an order after an authentic failure (invariant 5).
func (o Order) decline(in Stamped, reason payterm.Reason, status string) (Order, []Command) {
	silent, doubted := !o.Phase.AtCounter(), o.doubtSlip()
	o = o.close(in)
	if o.Outcome == payterm.Open || o.Outcome == payterm.InDoubt {
		o.Outcome, o.Reason = payterm.Declined, reason
	}
	o.GatewayStatus, o.Attention = status, payterm.AttentionNone
	return o.declined(silent, doubted)
}

// refuse ends an order after an outer code that an answered inquiry did not contradict. The
// ladder runs once more in case it was paid.
func (o Order) refuse(in Stamped) (Order, []Command) {
	silent, doubted := !o.Phase.AtCounter(), o.doubtSlip()
	o.Outcome, o.Reason, o.Attention = payterm.Declined, o.Refusal, payterm.AttentionNone
	o = o.trail(in)
	return o.declined(silent, doubted)
}

// declined tells of an order that ended unpaid: by a slip where one said that it was in doubt, at
// the counter by a sound.
func (o Order) declined(silent, doubted bool) (Order, []Command) {
	switch {
	case doubted:
		return o.resolved()
	case silent:
		return o, nil
	}
	return o, []Command{Play{payterm.SoundDeclined}}
}

// neverLeft ends an order of which no byte was written. The ladder still runs once for a sale. A
// refund is closed at once, so that the sale's next refund may begin.
func (o Order) neverLeft(in Stamped, reason payterm.Reason) (Order, []Command) {
	if o.Kind == payterm.KindRefund {
		return o.notRefunded(in, reason)
	}
	return o.notSent(in, reason)
}

// notSent ends an order that cannot have reached a wallet.
func (o Order) notSent(in Stamped, reason payterm.Reason) (Order, []Command) {
	o.Outcome, o.Reason = payterm.NotSent, reason
	return o.trail(in), []Command{Play{payterm.SoundDeclined}}
}

// doubt frees the counter while the result is unknown. A Passive customer may have paid and gets
// a slip that says so.
func (o Order) doubt(in Stamped, reason payterm.Reason) (Order, []Command) {
	o = o.doubtful(in, reason)
	if o.Kind != payterm.KindSale || o.Sale.Mode != payterm.Passive {
		return o, []Command{Play{payterm.SoundDoubt}}
	}
	o.Prints++
	return o, []Command{Play{payterm.SoundDoubt}, Print{Slip: SlipInDoubt}}
}

// doubtful marks the result as unknown and starts the ladder.
func (o Order) doubtful(in Stamped, reason payterm.Reason) Order {
	o.Outcome, o.Reason = payterm.InDoubt, reason
	o.Phase, o.Until, o.Code, o.CodeURL = InBackground, 0, payterm.PayCode{}, ""
	o.DoubtAt, o.DoubtWall = in.Mono, payterm.Millis(in.Wall)
	o.Asking = o.Asking.climb(in, o.Sale.Rules, true)
	return o
}

// doubtSlip reports whether the customer has a slip that says "in doubt": it is the only slip
// that is printed before the result.
func (o Order) doubtSlip() bool { return o.Outcome == payterm.InDoubt && o.Prints > 0 }

// resolved prints the result for a customer with such a slip.
func (o Order) resolved() (Order, []Command) {
	o.Prints++
	return o, []Command{Print{Slip: SlipResolved}}
}

func (o Order) trail(in Stamped) Order {
	o.Phase, o.Until, o.Code, o.CodeURL = Trailing, 0, payterm.PayCode{}, ""
	o.TrailEnds = in.Mono + o.Sale.Rules.Ladder.Sum()
	o.Asking = o.Asking.climb(in, o.Sale.Rules, true)
	return o
}

func (o Order) close(in Stamped) Order {
	o.Phase, o.Until, o.Code, o.CodeURL = Closed, 0, payterm.PayCode{}, ""
	o.ClosedWall = payterm.Millis(in.Wall)
	o.Asking = Asking{Attempts: o.Asking.Attempts}
	return o
}

// restart steps each phase into a new run of the process. Nothing that may have been sent is sent
// again, and no code of an earlier run is shown.
func (o Order) restart(in Stamped, ev Restarted) (Order, []Command) {
	if o.Phase == Fresh {
		return o, nil // no order yet
	}
	o.Asking = Asking{Attempts: o.Asking.Attempts}
	o = o.renewTimes(in)
	switch o.Phase {
	case Scanning, Baselining:
		o = o.close(in)
		o.Outcome, o.Reason = payterm.Cancelled, payterm.ReasonRestarted
		return o, nil
	case Redialling:
		if o, _ = o.neverLeft(in, payterm.ReasonRestarted); o.Phase == Closed {
			return o, nil
		}
	case Sending:
		if o.Sale.Mode == payterm.Active && o.Kind == payterm.KindSale {
			o, _ = o.notSent(in, payterm.ReasonNoCode)
		} else {
			o = o.doubtful(in, payterm.ReasonRestarted)
		}
	case ShowingCode, Waiting, Confirming:
		o = o.doubtful(in, payterm.ReasonRestarted)
	case InBackground:
		o.Asking = o.Asking.climb(in, o.Sale.Rules, true)
	case Trailing:
		o = o.trail(in)
	case Fresh, Listed, Closed:
		return o, nil
	}
	if ev.Soon {
		o.Asking.Next = in.Mono
	}
	return o, nil
}

// resolve records a supervisor's decision. A running ladder goes on, because a decision cannot
// undo a payment. A refund is closed, so that a supervisor may begin another one, which asks for
// its own baseline.
func (o Order) resolve(in Stamped, ev Resolved) Order {
	if o.Phase.AtCounter() {
		return o // not ended yet
	}
	if o.Phase != Listed && o.Phase != InBackground && o.Attention == payterm.AttentionNone {
		return o // waits for nobody
	}
	o.Resolution, o.Attention = ev.Reason, payterm.AttentionNone
	switch {
	case o.Phase == InBackground && o.Kind == payterm.KindRefund:
		o = o.close(in)
	case o.Phase == Listed:
		o.Phase = Closed
	}
	return o
}

// Impossible describes a state that no sequence of events should reach, nil if there is nothing
// wrong. The runner quarantines such an order; tests fail.
func (o Order) Impossible() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("order %s in %s: %s", o.ID(), o.Phase, fmt.Sprintf(format, args...))
	}
	if o.Phase == Fresh {
		if o != (Order{}) && o.facts() != (Order{}) {
			return bad("facts before it began")
		}
		return nil
	}
	switch {
	case o.Phase.AtCounter() != (o.Outcome == payterm.Open):
		return bad("outcome %s", o.Outcome)
	case o.Kind == payterm.KindSale && o.Outcome == payterm.Approved &&
		(o.Phase != Closed || o.PaidMinor < o.Total().Minor):
		return bad("approved with %d paid of %d", o.PaidMinor, o.Total().Minor)
	case o.Kind == payterm.KindRefund && (o.Outcome == payterm.Approved) != (o.RefundedMinor != 0):
		return bad("%s with %d refunded", o.Outcome, o.RefundedMinor)
	case o.Kind == payterm.KindRefund && o.BaselineMinor+o.Sale.AmountMinor > o.SaleTotalMinor && o.Phase != Closed:
		return bad("it would give back more than was paid")
	case o.Kind != payterm.KindSale && o.Kind != payterm.KindRefund:
		return bad("neither sale nor refund")
	case o.Outcome == payterm.Cancelled && o.SentAt != 0:
		return bad("cancelled after it was announced")
	case o.Phase == InBackground && o.Outcome != payterm.InDoubt:
		return bad("outcome %s", o.Outcome)
	case o.Phase == Trailing && o.Outcome != payterm.NotSent && o.Outcome != payterm.Declined:
		return bad("outcome %s", o.Outcome)
	case (o.Phase == ShowingCode) != (o.CodeURL != ""):
		return bad("code on show: %t", o.CodeURL != "")
	case !o.Code.IsZero() && o.Phase != Sending && o.Phase != Redialling:
		return bad("it still holds the payment code")
	case o.Phase.AtCounter() && o.Until == 0:
		return bad("it waits without a deadline")
	case (o.Phase == InBackground || o.Phase == Trailing) && o.Asking.Next == 0 && !o.Asking.InFlight:
		return bad("nobody asks about it")
	}
	return nil
}

// Due is the order's next deadline, false if it has none.
func (o Order) Due() (time.Duration, bool) {
	due, any := o.Until, o.Until != 0
	if o.Asking.Next != 0 && !o.Asking.InFlight && (!any || o.Asking.Next < due) {
		due, any = o.Asking.Next, true
	}
	return due, any
}

// Row is the order as the journal's table, the commands and the screens show it.
func (o Order) Row() payterm.Order {
	return payterm.Order{
		ID: o.ID(), Kind: o.Kind, SaleID: o.SaleID, Mode: o.Sale.Mode, Wallet: o.Wallet,
		AmountMinor: o.Sale.AmountMinor, TipMinor: o.Sale.TipMinor, Currency: o.Sale.Currency,
		MerchantID: o.Sale.MerchantID,
		PaidMinor:  o.PaidMinor, RefundedMinor: o.RefundedMinor,
		Outcome: o.Outcome, Reason: o.Reason, Attention: o.Attention, Resolution: o.Resolution,
		Operator: o.Sale.Operator, AllowedBy: o.Sale.AllowedBy, Ref: o.Sale.Ref, Whole: o.Whole,
		IdempotencyKey: o.Sale.IdempotencyKey, Despite: o.Sale.Despite,
		CreatedAt: payterm.FromMillis(o.BeganWall), ClosedAt: payterm.FromMillis(o.ClosedWall),
		GatewayStatus: o.GatewayStatus, Attempts: o.Asking.Attempts,
		Payer: o.Payer, ChannelOrderID: o.ChannelID, TradeTime: o.TradeTime, ExchangeRate: o.ExchangeRate,
		MaskedCode: o.MaskedCode, Prints: o.Prints,
	}
}

// Owes is the request that is still open at the gateway for this order.
func (o Order) Owes() payterm.Owed {
	switch o.Phase {
	case Sending, ShowingCode, Waiting, Confirming, InBackground, Trailing:
		if o.Kind == payterm.KindRefund {
			return payterm.OwedRefund
		}
		return payterm.OwedInquiry
	case Fresh, Scanning, Baselining, Redialling, Listed, Closed:
	}
	return payterm.OwedNothing
}

// Settled reports whether a start need not load the order. A listed order is not settled: staff
// decides on it.
func (o Order) Settled() bool { return o.Phase == Closed }

// Package order decides what happens to one order: a sale in Passive Mode (passive.go) or
// Active Mode (active.go), a refund (refund.go), and the schedule of its inquiries
// (inquiry.go).
//
// An Order is a state machine. Step is a pure function: it takes a state and a stamped
// event and returns the next state and commands. There is no clock, no randomness, no
// device and no error result. Time, jitter and new ids arrive in events. An event that a
// phase does not expect is ignored, and the default says why.
//
// The state has facts and a schedule. Facts are journalled: Fold computes them from an
// order's events. The schedule, Order.Asking, is not journalled: Restarted begins it
// again. Lasting tells when an event has to be committed.
//
// A command belongs to one of three classes, by what a crash means for it.
//   - Again (Play, Inquire): harmless to repeat.
//   - Once (SendPayment, SendRefund, Print): its event is committed before it is carried
//     out. After a crash its fate is unknown, so a payment is inquired about and never
//     sent again.
//   - Lasting: the order's row and its open request at the gateway, which the runner
//     commits together with the event.
//
// The protocol is in gateway/ottpay, screens and slips are in screen and receipt,
// durability in storage, the loop in flows/runner, and the counter in flows/counter.
package order

import (
	"time"

	"payterm"
)

// Stamped is an event with the time at which it reached the agent.
type Stamped struct {
	payterm.Stamp
	// Jitter is a random fraction of 65536, drawn by the runner; it delays the next inquiry.
	Jitter uint16
	Event  Event
}

// Event is what has happened. The set is closed. Each phase reacts to a few events only, so the
// switches over it are partial on purpose.
type Event interface{ event() }

// Events of an order. They are journalled, so their fields are a format.
type (
	// SaleBegan starts an order. Its rules hold until the order is closed.
	SaleBegan struct {
		ID             payterm.OrderID    `json:"order_id"`
		Mode           payterm.Mode       `json:"mode"`
		Wallet         payterm.Channel    `json:"wallet,omitempty"` // Passive: empty until a code is scanned
		AmountMinor    int64              `json:"amount_minor"`
		TipMinor       int64              `json:"tip_minor,omitempty"`
		Currency       payterm.Currency   `json:"currency"`
		MerchantID     string             `json:"merchant_id,omitempty"` // at the gateway; empty in journals of earlier versions
		Operator       string             `json:"operator,omitempty"`
		Ref            string             `json:"ref,omitempty"`
		IdempotencyKey string             `json:"idempotency_key,omitempty"`
		Despite        payterm.OrderID    `json:"despite,omitempty"`
		AllowedBy      string             `json:"allowed_by,omitempty"` // the supervisor who typed a PIN for it
		Wallets        payterm.ChannelSet `json:"wallets,omitzero"`     // whose codes may be scanned; empty for all
		Rules          Rules              `json:"rules"`
	}

	// RefundBegan starts a refund of an approved sale and carries the sale's mode, wallet,
	// merchant and total. SaleRefundedMinor is how much of the sale the journal already knows to
	// be refunded; a reply with less is out of date.
	RefundBegan struct {
		ID             payterm.OrderID `json:"order_id"`
		SaleID         payterm.OrderID `json:"sale_order_id"`
		SaleTotalMinor int64           `json:"sale_total_minor"`
		Whole          bool            `json:"whole,omitempty"` // all that is left was asked for, not an amount

		SaleRefundedMinor int64 `json:"sale_refunded_minor,omitempty"`

		Mode           payterm.Mode     `json:"mode"`
		Wallet         payterm.Channel  `json:"wallet"`
		AmountMinor    int64            `json:"amount_minor"`
		Currency       payterm.Currency `json:"currency"`
		MerchantID     string           `json:"merchant_id,omitempty"` // the sale's
		Operator       string           `json:"operator,omitempty"`
		AllowedBy      string           `json:"allowed_by,omitempty"` // the supervisor who typed a PIN for it
		Ref            string           `json:"ref,omitempty"`
		IdempotencyKey string           `json:"idempotency_key,omitempty"`
		Rules          Rules            `json:"rules"`
	}

	// RefundAnswered is the end of the REFUND request.
	RefundAnswered struct {
		Reply payterm.Reply `json:"reply"`
	}

	// RefundOpened goes to the sale when a refund of it begins. It is committed in one
	// transaction with RefundBegan.
	RefundOpened struct {
		ID          payterm.OrderID `json:"refund_order_id"`
		AmountMinor int64           `json:"amount_minor"`
	}

	// RefundEnded goes to the sale when its refund is settled. RefundedMinor is the sale's
	// refunded total as the gateway last gave it, 0 if unknown.
	RefundEnded struct {
		ID            payterm.OrderID `json:"refund_order_id"`
		RefundedMinor int64           `json:"refunded_minor"`
	}

	// ReprintAsked asks for the slips of an ended order again.
	ReprintAsked struct{}

	// CodeScanned is one scan. Wallet is empty if the code's form does not tell whose it is; Key
	// is a keyed hash of the code; Used means that an order has used the code already; Began is
	// the time of its first byte. Code itself is never written to the journal.
	CodeScanned struct {
		Code   payterm.PayCode `json:"-"`
		Masked string          `json:"masked"`
		Wallet payterm.Channel `json:"wallet,omitempty"`
		Key    string          `json:"key"`
		Began  time.Duration   `json:"began"`
		Used   bool            `json:"used,omitempty"`
	}

	// PaymentAnswered is the end of the PASSIVEPAY or ACTIVEPAY request. Overdue means that the
	// answer could be committed only after the order's counter time: the caller was told "in
	// doubt" by then, so a success is a late payment.
	PaymentAnswered struct {
		Reply   payterm.Reply `json:"reply"`
		Overdue bool          `json:"overdue,omitempty"`
	}

	// InquiryAnswered is the end of a STATUS_QUERY; Overdue as for PaymentAnswered.
	InquiryAnswered struct {
		Reply   payterm.Reply `json:"reply"`
		Overdue bool          `json:"overdue,omitempty"`
	}

	// CancelPressed: the cashier wants to leave this order.
	CancelPressed struct{}

	// Woke: a deadline of the order has passed.
	Woke struct{}

	// Restarted: the process has started again; its monotonic time continues from the previous
	// run. Soon asks for an inquiry at once.
	Restarted struct {
		Soon bool `json:"soon,omitempty"`
	}

	// InquiryAsked: a person wants an inquiry now.
	InquiryAsked struct{}

	// Resolved is a supervisor's decision on an order that waits for a person.
	Resolved struct {
		Operator string `json:"operator,omitempty"`
		Reason   string `json:"reason"`
	}
)

func (SaleBegan) event()       {}
func (RefundBegan) event()     {}
func (RefundAnswered) event()  {}
func (RefundOpened) event()    {}
func (RefundEnded) event()     {}
func (ReprintAsked) event()    {}
func (CodeScanned) event()     {}
func (PaymentAnswered) event() {}
func (InquiryAnswered) event() {}
func (CancelPressed) event()   {}
func (Woke) event()            {}
func (Restarted) event()       {}
func (InquiryAsked) event()    {}
func (Resolved) event()        {}

// Command is what is to be done. The set is closed.
//
//sumtype:decl
type Command interface{ command() }

type (
	// SendPayment (once) sends the payment after the commit, and never again after a crash.
	// FreshUntil is when its code is too old to be sent (invariant 23), 0 for no limit.
	SendPayment struct {
		Payment    payterm.Payment
		FreshUntil time.Duration
	}

	// SendRefund (once) sends the refund, as SendPayment does. It is not sent after FreshUntil,
	// the end of its counter time: nobody at the counter waits for it then.
	SendRefund struct {
		Refund     payterm.RefundRequest
		FreshUntil time.Duration
	}

	// Inquire (again) asks the gateway how the order stands.
	Inquire struct{ Inquiry payterm.Inquiry }

	// Print (once) prints a slip of the order; Copy marks it as a copy.
	Print struct {
		Slip Slip
		Copy bool
	}

	// OpenDrawer (once) opens the cash drawer after the slip that was ordered before it.
	OpenDrawer struct{}

	// PrintCode (once) prints the code of an order if the glass cannot show it. VoidCode (again)
	// drops a code that is still waiting for paper: it must not be paid any more.
	PrintCode struct {
		CodeURL string
		Until   time.Duration // when the order stops showing it
	}
	VoidCode struct{}

	// Play (again) sounds the buzzer.
	Play struct{ Sound payterm.Sound }
)

func (SendPayment) command() {}
func (SendRefund) command()  {}
func (Inquire) command()     {}
func (Print) command()       {}
func (OpenDrawer) command()  {}
func (PrintCode) command()   {}
func (VoidCode) command()    {}
func (Play) command()        {}

// Total is the amount to be refunded.
func (r RefundBegan) Total() payterm.Amount {
	return payterm.Amount{Minor: r.AmountMinor, Currency: r.Currency}
}

// Amount is the sale without the tip.
func (s SaleBegan) Amount() payterm.Amount {
	return payterm.Amount{Minor: s.AmountMinor, Currency: s.Currency}
}

// Total is what the customer is asked to pay.
func (s SaleBegan) Total() payterm.Amount {
	return s.Amount().With(s.AmountMinor + s.TipMinor)
}

// Slip names a kind of slip.
type Slip string

// The slips.
const (
	SlipMerchant    Slip = "merchant"
	SlipCustomer    Slip = "customer"
	SlipLatePayment Slip = "late_payment"
	SlipRefund      Slip = "refund" // the merchant's

	SlipRefundCustomer Slip = "refund_customer"

	// For a customer who leaves while the order is in doubt, and later its result.
	SlipInDoubt  Slip = "in_doubt"
	SlipResolved Slip = "resolved"
)

// Rules are the timings and limits of an order (docs/reference.md).
type Rules struct {
	ScanTimeout     time.Duration `json:"scan_timeout"`     // how long to wait for a scan
	CodeMaxAge      time.Duration `json:"code_max_age"`     // a code older than this is not sent
	Redial          time.Duration `json:"redial"`           // between two attempts to connect
	FirstInquiry    time.Duration `json:"first_inquiry"`    // after a pending or lost reply
	InquiryInterval time.Duration `json:"inquiry_interval"` // between inquiries at the counter
	InquiryJitter   time.Duration `json:"inquiry_jitter"`   // added at random to the interval
	LeaveAfter      time.Duration `json:"leave_after"`      // Passive: the cashier may leave from here
	PassiveCounter  time.Duration `json:"passive_counter"`  // Passive: end of the counter time
	ActiveDisplay   time.Duration `json:"active_display"`   // Active: the code is shown this long
	Ladder          Ladder        `json:"ladder"`           // background inquiries
	LadderRepeat    time.Duration `json:"ladder_repeat"`    // after the last rung
	ActiveCodeLife  time.Duration `json:"active_code_life"`
	PassiveCodeLife time.Duration `json:"passive_code_life"`
	RefundInterval  time.Duration `json:"refund_interval"` // between inquiries about the sale at the counter
	RefundWindow    time.Duration `json:"refund_window"`   // a refund's counter time
	DoubtGuard      time.Duration `json:"doubt_guard"`     // a doubt younger than this needs a supervisor's override
	HTTPTimeout     time.Duration `json:"http_timeout"`    // of one request as a whole
	MaxFeeMinor     int64         `json:"max_fee_minor,omitempty"`
	KeepLate        bool          `json:"keep_late,omitempty"` // late_payment = "keep"
}

// LadderRungs bounds the ladder of background inquiries.
const LadderRungs = 8

// Ladder holds the pauses of the background inquiries; a zero ends it.
type Ladder [LadderRungs]time.Duration

// Rungs is the number of pauses.
func (l Ladder) Rungs() int {
	for i, pause := range l {
		if pause <= 0 {
			return i
		}
	}
	return len(l)
}

// Sum is how long the ladder takes without its repetition.
func (l Ladder) Sum() time.Duration {
	var sum time.Duration
	for _, pause := range l[:l.Rungs()] {
		sum += pause
	}
	return sum
}

// DefaultRules are the timings that the wallets recommend (sheet section 13).
func DefaultRules() Rules {
	const s = time.Second
	return Rules{
		ScanTimeout:     60 * s,
		CodeMaxAge:      60 * s,
		Redial:          2 * s,
		FirstInquiry:    3 * s,
		InquiryInterval: 3 * s,
		InquiryJitter:   600 * time.Millisecond,
		LeaveAfter:      15 * s,
		PassiveCounter:  60 * s,
		ActiveDisplay:   120 * s,
		Ladder:          Ladder{4 * s, 4 * s, 30 * s, 60 * s, 60 * s, 60 * s, 300 * s},
		LadderRepeat:    300 * s,
		ActiveCodeLife:  130 * 60 * s,
		PassiveCodeLife: 24 * 3600 * s,
		RefundInterval:  5 * s,
		RefundWindow:    60 * s,
		DoubtGuard:      300 * s,
		HTTPTimeout:     15 * s,
	}
}

// Package order decides what happens to one payment, from its first key to the last inquiry
// that it may need: a sale in Passive Mode (passive.go) or Active Mode (active.go), a
// refund (refund.go), and the schedule of its inquiries (inquiry.go).
//
// An Order is a pure machine: a state and a stamped event go into Step, the next state and
// commands come out. There is no clock, no randomness, no device and no error result; time,
// jitter and new ids arrive inside events, and an event that does not fit meets a default
// that says why it is ignored.
//
// An order's state consists of facts and of a schedule. Facts are journalled:
// folding an order's events gives them back, whichever life of the process they
// come from (Fold). The schedule, Order.Asking, is not: it is made anew by
// Restarted. Lasting tells when an event has to be committed.
//
// A command belongs to one of three classes, which say what a crash means.
// Again: play, inquire; harmless to repeat. Once: SendPayment, SendRefund and
// Print; the event that ordered them is durable before they leave, and after a
// crash their fate is unknown, so a payment is inquired about and never sent
// again. Lasting: the row of the order and what it still owes, which the runner
// commits together with the event.
//
// The package leaves the wire to gateway/ottpay, the pixels and the paper to the
// drivers, durability to storage, and the loop to flows/runner. What stands at the
// counter is flows/counter's.
package order

import (
	"time"

	"payterm"
)

// Stamped is an event with the time at which it reached the agent.
type Stamped struct {
	payterm.Stamp
	// Jitter is a random fraction of 65536, drawn at the edge, which spreads the
	// next inquiry upwards.
	Jitter uint16
	Event  Event
}

// Event is what has happened. The set is closed, but each phase answers to few
// of it: the switches over it are partial on purpose.
type Event interface{ event() }

// Events of an order. They are journalled, so their fields are a format.
type (
	// SaleBegan starts an order, under the rules that hold for all its life.
	SaleBegan struct {
		ID             payterm.OrderID    `json:"order_id"`
		Mode           payterm.Mode       `json:"mode"`
		Wallet         payterm.Channel    `json:"wallet,omitempty"` // Passive: empty until the code tells
		AmountMinor    int64              `json:"amount_minor"`
		TipMinor       int64              `json:"tip_minor,omitempty"`
		Currency       payterm.Currency   `json:"currency"`
		MerchantID     string             `json:"merchant_id,omitempty"` // at the gateway; versions before named none
		Operator       string             `json:"operator,omitempty"`
		Ref            string             `json:"ref,omitempty"`
		IdempotencyKey string             `json:"idempotency_key,omitempty"`
		Despite        payterm.OrderID    `json:"despite,omitempty"`
		AllowedBy      string             `json:"allowed_by,omitempty"` // the supervisor whose PIN was typed
		Wallets        payterm.ChannelSet `json:"wallets,omitzero"`     // whose codes may be scanned; none for all
		Rules          Rules              `json:"rules"`
	}

	// RefundBegan starts a refund of an approved sale, whose mode, wallet, merchant
	// and total it carries. SaleRefundedMinor is what the journal knows to have been given back of
	// it by then: less than that is no news of the sale.
	RefundBegan struct {
		ID             payterm.OrderID `json:"order_id"`
		SaleID         payterm.OrderID `json:"sale_order_id"`
		SaleTotalMinor int64           `json:"sale_total_minor"`
		Whole          bool            `json:"whole,omitempty"` // all that was left was asked for, not an amount

		SaleRefundedMinor int64 `json:"sale_refunded_minor,omitempty"`

		Mode           payterm.Mode     `json:"mode"`
		Wallet         payterm.Channel  `json:"wallet"`
		AmountMinor    int64            `json:"amount_minor"`
		Currency       payterm.Currency `json:"currency"`
		MerchantID     string           `json:"merchant_id,omitempty"` // the sale's
		Operator       string           `json:"operator,omitempty"`
		AllowedBy      string           `json:"allowed_by,omitempty"` // the supervisor whose PIN was typed
		Ref            string           `json:"ref,omitempty"`
		IdempotencyKey string           `json:"idempotency_key,omitempty"`
		Rules          Rules            `json:"rules"`
	}

	// RefundAnswered is the end of the request that gives money back.
	RefundAnswered struct {
		Reply payterm.Reply `json:"reply"`
	}

	// RefundOpened is a sale's event: a refund of it begins. It is committed
	// together with RefundBegan, or neither is.
	RefundOpened struct {
		ID          payterm.OrderID `json:"refund_order_id"`
		AmountMinor int64           `json:"amount_minor"`
	}

	// RefundEnded is a sale's event: its refund is settled. RefundedMinor is what
	// the gateway has said was refunded of the sale in all, 0 for unknown.
	RefundEnded struct {
		ID            payterm.OrderID `json:"refund_order_id"`
		RefundedMinor int64           `json:"refunded_minor"`
	}

	// ReprintAsked wants the slips of an ended order once more.
	ReprintAsked struct{}

	// CodeScanned is a frame from the scanner. Wallet is whose code it is, empty
	// where its form does not tell; Key is a keyed hash of the code; Used says
	// that an order has used it; Began is when its first byte came. The code
	// itself is never written down.
	CodeScanned struct {
		Code   payterm.PayCode `json:"-"`
		Masked string          `json:"masked"`
		Wallet payterm.Channel `json:"wallet,omitempty"`
		Key    string          `json:"key"`
		Began  time.Duration   `json:"began"`
		Used   bool            `json:"used,omitempty"`
	}

	// PaymentAnswered is the end of the request that moves money. Overdue says that it could
	// be written down only once the order's time at the counter was over: whoever waited
	// was told "in doubt", and nobody expects it any more.
	PaymentAnswered struct {
		Reply   payterm.Reply `json:"reply"`
		Overdue bool          `json:"overdue,omitempty"`
	}

	// InquiryAnswered is the end of a STATUS_QUERY; Overdue as above.
	InquiryAnswered struct {
		Reply   payterm.Reply `json:"reply"`
		Overdue bool          `json:"overdue,omitempty"`
	}

	// CancelPressed is the cashier's wish to leave this order.
	CancelPressed struct{}

	// Woke is a deadline of the state that has passed.
	Woke struct{}

	// Restarted is a new life of the process, whose monotonic time goes on from the
	// one before. Soon asks for an inquiry at once.
	Restarted struct {
		Soon bool `json:"soon,omitempty"`
	}

	// InquiryAsked is a person who wants to know now.
	InquiryAsked struct{}

	// Resolved is a supervisor's word on an order that waits for a person.
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
	// SendPayment (once) writes the payment, after the commit and never again
	// after a crash. FreshUntil is when its code is too old to be sent, 0 for one that
	// does not age: the commit and the call of the gateway take their time.
	SendPayment struct {
		Payment    payterm.Payment
		FreshUntil time.Duration
	}

	// SendRefund (once) writes the refund, likewise. FreshUntil is when nobody waits for it at
	// the counter any more.
	SendRefund struct {
		Refund     payterm.RefundRequest
		FreshUntil time.Duration
	}

	// Inquire (again) asks the gateway how the order stands.
	Inquire struct{ Inquiry payterm.Inquiry }

	// Print (once) puts a slip of the order on paper; Copy says so on it.
	Print struct {
		Slip Slip
		Copy bool
	}

	// OpenDrawer (once) opens the cash drawer behind the slip that was ordered before it.
	OpenDrawer struct{}

	// PrintCode (once) puts the code of an order on paper where the glass cannot show it.
	// VoidCode (again) says that it is not to be paid any more: one that still waits for
	// paper is not printed.
	PrintCode struct {
		CodeURL string
		Until   time.Duration // until when the order shows it
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

// Total is what goes back.
func (r RefundBegan) Total() payterm.Amount {
	return payterm.Amount{Minor: r.AmountMinor, Currency: r.Currency}
}

// Amount is what was typed, without a tip.
func (s SaleBegan) Amount() payterm.Amount {
	return payterm.Amount{Minor: s.AmountMinor, Currency: s.Currency}
}

// Total is what the customer will be asked to pay.
func (s SaleBegan) Total() payterm.Amount {
	return s.Amount().With(s.AmountMinor + s.TipMinor)
}

// Slip names a piece of paper.
type Slip string

// The slips.
const (
	SlipMerchant    Slip = "merchant"
	SlipCustomer    Slip = "customer"
	SlipLatePayment Slip = "late_payment"
	SlipRefund      Slip = "refund" // the merchant's

	SlipRefundCustomer Slip = "refund_customer"

	// What a customer takes along who leaves in doubt, and what became of it.
	SlipInDoubt  Slip = "in_doubt"
	SlipResolved Slip = "resolved"
)

// Rules are the timings and limits of an order (docs/ARCHITECTURE.md, timings).
type Rules struct {
	ScanTimeout     time.Duration `json:"scan_timeout"`     // waiting for a scan
	CodeMaxAge      time.Duration `json:"code_max_age"`     // a code is sent within this time or not at all
	Redial          time.Duration `json:"redial"`           // between two attempts to connect
	FirstInquiry    time.Duration `json:"first_inquiry"`    // after a pending or lost reply
	InquiryInterval time.Duration `json:"inquiry_interval"` // between inquiries at the counter
	InquiryJitter   time.Duration `json:"inquiry_jitter"`   // added at random to the interval
	LeaveAfter      time.Duration `json:"leave_after"`      // Passive: the cashier may leave from here
	PassiveCounter  time.Duration `json:"passive_counter"`  // Passive: then the result is called unknown
	ActiveDisplay   time.Duration `json:"active_display"`   // Active: the code is shown this long
	Ladder          Ladder        `json:"ladder"`           // background inquiries
	LadderRepeat    time.Duration `json:"ladder_repeat"`    // after the last rung
	ActiveCodeLife  time.Duration `json:"active_code_life"`
	PassiveCodeLife time.Duration `json:"passive_code_life"`
	RefundInterval  time.Duration `json:"refund_interval"` // between inquiries about the sale at the counter
	RefundWindow    time.Duration `json:"refund_window"`   // then the result is called unknown
	DoubtGuard      time.Duration `json:"doubt_guard"`     // a doubt this young needs a supervisor's override
	HTTPTimeout     time.Duration `json:"http_timeout"`    // of one request in all
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

// DefaultRules are the timings that the wallets recommend.
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

package payterm

import (
	"fmt"
	"strings"
	"time"
)

// OrderID names one order for ever: terminal id, five characters drawn at each
// start, a counter (docs/ARCHITECTURE.md, order ids). It is our idempotency key
// at the gateway.
type OrderID string

// MaxOrderID is the longest order id that every page of the gateway accepts.
const MaxOrderID = 20

// Valid reports whether id is 1 to 20 of [A-Z0-9].
func (id OrderID) Valid() bool {
	if len(id) == 0 || len(id) > MaxOrderID {
		return false
	}
	for i := range len(id) {
		if c := id[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// Kind tells a sale from a refund.
type Kind string

// The kinds of order.
const (
	KindSale   Kind = "sale"
	KindRefund Kind = "refund"
)

// Mode tells who shows the code.
type Mode string

// In Passive Mode the terminal scans the customer's code, in Active Mode the
// customer scans the terminal's.
const (
	Passive Mode = "passive"
	Active  Mode = "active"
)

// Outcome is what an order has come to. Only Approved means that money moved.
type Outcome string

// The outcomes.
const (
	Open      Outcome = "open"      // at the counter, nothing decided yet
	Approved  Outcome = "approved"  // an authentic success with the expected total
	Declined  Outcome = "declined"  // an authentic failure
	Cancelled Outcome = "cancelled" // ended before anything was announced for sending
	NotSent   Outcome = "not_sent"  // nothing reached the wallet
	InDoubt   Outcome = "in_doubt"  // neither approved nor declined; the agent goes on asking
)

// Reason says in one word why an order has its outcome.
type Reason string

// The reasons.
const (
	ReasonNone         Reason = ""
	ReasonCashier      Reason = "cashier"       // CANCEL was pressed
	ReasonNoScan       Reason = "no_scan"       // nobody scanned in time
	ReasonNoCode       Reason = "no_code"       // Active Mode, no code received
	ReasonNoConnection Reason = "no_connection" // not a byte could be written
	ReasonCertificate  Reason = "certificate"   // the gateway's certificate was refused
	ReasonClock        Reason = "clock"         // by a clock that nobody has set, so that no byte could be written
	// the scanned code had grown too old before a byte could be written
	ReasonCodeTooOld        Reason = "code_too_old"
	ReasonRejected          Reason = "rejected"           // the gateway refused the request's form
	ReasonBusy              Reason = "busy"               // another task is at the counter
	ReasonPossibleDuplicate Reason = "possible_duplicate" // the same amount may have been paid already
	ReasonCodeInvalid       Reason = "code_invalid"       // AUTH_CODE_INVALID
	ReasonWrongPassword     Reason = "wrong_password"     // PWD_INCORRECT
	ReasonWallet            Reason = "wallet"             // the wallet said failure or closed
	ReasonNoAnswer          Reason = "no_answer"          // counter time ended without a final answer
	ReasonNotPaid           Reason = "not_paid"           // the code's display time ended
	ReasonGivenUp           Reason = "given_up"           // the cashier left an order that may still be paid
	ReasonRestarted         Reason = "restarted"          // power or process ended in the middle
	ReasonLatePayment       Reason = "late_payment"       // paid after the sale was given up
	ReasonRefunded          Reason = "refunded"           // turned out refunded while open
	ReasonClash             Reason = "order_clash"        // ORDER_USED or ORDER_PAID on a first send
	ReasonTraining          Reason = "training"           // the terminal is in training, or is not
	ReasonOrdersOpen        Reason = "orders_open"        // training: an order is not settled yet
	ReasonSlipsWait         Reason = "slips_wait"         // training: slips are not printed yet
	ReasonStorage           Reason = "storage"            // the journal cannot be written
	// refund: the sale is not approved, or the gateway calls it unpaid
	ReasonNotRefundable Reason = "not_refundable"
	ReasonRefundOpen    Reason = "refund_open"    // refund: another one of this sale is not settled yet
	ReasonRefundCap     Reason = "refund_cap"     // refund: more than is left of the sale
	ReasonSaleUnknown   Reason = "sale_unknown"   // refund: the gateway knows no such sale
	ReasonSaleUnclear   Reason = "sale_unclear"   // refund: the gateway answered, and not how the sale stands
	ReasonOtherMerchant Reason = "other_merchant" // refund: the sale is another merchant's, or in another currency
	ReasonLateRefund    Reason = "late_refund"    // refund: done after the counter had given it up
	ReasonNoOperator    Reason = "no_operator"    // nobody is signed on
	ReasonDayLimit      Reason = "day_limit"      // more than may be sold in a business day
	ReasonLocked        Reason = "pin_locked"     // too many wrong PINs
	ReasonWrongPIN      Reason = "pin_wrong"      // the PIN that came along is no supervisor's
	ReasonNoPrinter     Reason = "no_printer"     // Active Mode: the code has to be printed, and cannot be now
)

// Order is one order as people and programs see it: the row of the journal and
// the JSON of the commands.
type Order struct {
	ID            OrderID   `json:"order_id"`
	Kind          Kind      `json:"kind"`
	SaleID        OrderID   `json:"sale_order_id,omitempty"` // of a refund
	Mode          Mode      `json:"mode"`
	Wallet        Channel   `json:"wallet"`
	AmountMinor   int64     `json:"amount_minor"` // without the tip
	TipMinor      int64     `json:"tip_minor"`
	PaidMinor     int64     `json:"paid_minor"` // what the gateway says was paid
	RefundedMinor int64     `json:"refunded_minor"`
	Currency      Currency  `json:"currency"`
	MerchantID    string    `json:"merchant_id,omitempty"` // at the gateway: under whose key it was sent
	Outcome       Outcome   `json:"outcome"`
	Reason        Reason    `json:"reason"`
	Operator      string    `json:"operator"`
	CreatedAt     time.Time `json:"created_at"`
	ClosedAt      time.Time `json:"closed_at,omitzero"`
	GatewayStatus string    `json:"gateway_order_status"` // order_status as received
	Attempts      int       `json:"attempts"`             // inquiries made
	Ref           string    `json:"ref"`
	Whole         bool      `json:"whole,omitempty"` // of a refund: all that was left was asked for

	Payer          string    `json:"payer,omitempty"` // masked by the gateway
	ChannelOrderID string    `json:"bizpay_order_id,omitempty"`
	TradeTime      string    `json:"trade_time,omitempty"` // as received: its zone is not known
	ExchangeRate   string    `json:"exchange_rate,omitempty"`
	MaskedCode     string    `json:"masked_code,omitempty"`
	IdempotencyKey string    `json:"idempotency_key,omitempty"`
	Despite        OrderID   `json:"despite,omitempty"`    // the doubt that a supervisor overrode
	AllowedBy      string    `json:"allowed_by,omitempty"` // the supervisor whose PIN was typed for it
	Attention      Attention `json:"attention,omitempty"`  // what staff still has to decide
	Resolution     string    `json:"resolution,omitempty"`
	Prints         int       `json:"prints,omitempty"` // slips of this order that went to the printer
}

// ReadTradeTime reads the time of a payment as the wallet's side writes it ("Apr 14, 2020 12:08:58
// AM"), with the zone left open (sheet section 10.2). Newer Java versions print a narrow no-break
// space before AM or PM, and a comma after the year.
func ReadTradeTime(text string) (time.Time, bool) {
	text = strings.NewReplacer("\u202f", " ", "\u00a0", " ").Replace(text)
	for _, layout := range []string{"Jan 2, 2006 3:04:05 PM", "Jan 2, 2006, 3:04:05 PM"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// Amount is the sale without its tip.
func (o Order) Amount() Amount { return Amount{o.AmountMinor, o.Currency} }

// Total is what the customer is asked to pay: sale plus tip.
func (o Order) Total() Amount { return Amount{o.AmountMinor + o.TipMinor, o.Currency} }

// Attention names what an order waits for a person to decide.
type Attention string

// What may be asked of a person.
const (
	AttentionNone        Attention = ""
	AttentionLatePayment Attention = "late_payment" // keep or refund
	AttentionDoubt       Attention = "doubt"        // the ladder ended without a final answer
	AttentionAlarm       Attention = "alarm"        // something that should not happen did
)

// OrderIDFrom builds an order id. The counter has six digits so that no two
// splits of terminal, boot tag and counter give the same text.
func OrderIDFrom(terminal, bootTag string, counter int64) (OrderID, error) {
	if len(terminal) < 2 || len(terminal) > 6 {
		return "", fmt.Errorf("order id: terminal id %q: 2 to 6 of A-Z and 0-9 are needed", terminal)
	}
	if len(bootTag) != 5 {
		return "", fmt.Errorf("order id: boot tag %q: 5 characters are needed", bootTag)
	}
	if counter < 1 || counter > 999_999 {
		return "", fmt.Errorf("order id: counter %d is outside 1 to 999999", counter)
	}
	id := OrderID(fmt.Sprintf("%s%s%06d", terminal, bootTag, counter))
	if !id.Valid() {
		return "", fmt.Errorf("order id: %q: only A-Z and 0-9 are allowed", id)
	}
	return id, nil
}

package payterm

import (
	"encoding/json"
	"fmt"
)

// Payment is one payment to be asked of the gateway.
type Payment struct {
	OrderID  OrderID
	Mode     Mode
	Wallet   Channel
	Total    Amount  // sale plus tip: the only amount on the wire
	Code     PayCode // Passive Mode only
	Operator string
	// MaxFeeMinor is the fee on top of the total that the merchant allows.
	MaxFeeMinor int64
	// Age is asked just before the first byte leaves; nil for what does not age.
	Age CodeAge
}

// CodeAge knows how long ago the code of a payment was scanned, or a refund asked for.
// Between that and its first byte on the wire lie a commit to the disk and a call of the
// gateway, which can each take their time.
type CodeAge interface {
	// TooOld reports that it must not be sent any more.
	TooOld() bool
}

// RefundRequest asks for money of a sale to go back, under an id of its own.
type RefundRequest struct {
	OrderID     OrderID // of the refund
	SaleOrderID OrderID
	Amount      Amount
	// Age is asked just before the first byte leaves; nil for what does not age.
	Age CodeAge
}

// Inquiry asks how an order stands. A success counts as Paid only if it lies
// within the expected total and the fee that the merchant allows.
type Inquiry struct {
	OrderID     OrderID
	Total       Amount
	MaxFeeMinor int64
}

// Answer is what became of one request, reduced to what a flow may act upon.
// The set is closed: the gateway client turns every reply, word and accident
// into one of these, and nothing beyond it sees a response code.
//
//sumtype:decl
type Answer interface{ answer() }

type (
	// Unsent: not one byte of the request was written. Dialling again is safe
	// unless Final (a refused certificate, say), or TooOld (what was to be sent).
	Unsent struct {
		Why    string `json:"why"`
		Final  bool   `json:"final,omitempty"`
		TooOld bool   `json:"too_old,omitempty"`
		// Clock: the certificate is outside its time by a clock that nobody has set. It may
		// be set the next moment.
		Clock bool `json:"clock,omitempty"`
	}

	// Lost: bytes left, and nothing that can be believed came back: a time-out,
	// a forged or damaged reply, a reply for another order. Alarm marks what
	// does not happen by accident.
	Lost struct {
		Why   string `json:"why"`
		Alarm bool   `json:"alarm,omitempty"`
	}

	// CodeMade: Active Mode, an authentic code for this order, not yet paid.
	CodeMade struct {
		CodeURL string `json:"code_url"`
	}

	// Paid: an authentic success for this order with the expected total.
	Paid struct {
		PaidMinor      int64  `json:"paid_minor"`
		Status         string `json:"status"` // order_status as received
		Payer          string `json:"payer,omitempty"`
		ChannelOrderID string `json:"channel_order_id,omitempty"`
		TradeTime      string `json:"trade_time,omitempty"` // as received
		// the same read as if it were UTC, in seconds; 0 when unreadable
		TradeClock   int64  `json:"trade_clock,omitempty"`
		ExchangeRate string `json:"exchange_rate,omitempty"`
	}

	// Refunded: authentic, paid and since then refunded in part or in full.
	Refunded struct {
		PaidMinor     int64  `json:"paid_minor"`
		RefundedMinor int64  `json:"refunded_minor"`
		Status        string `json:"status"`
	}

	// Pending: authentic or plainly said, and not final: the customer may be
	// typing a password.
	Pending struct {
		Status string `json:"status"`
	}

	// Failed: an authentic failure or closing.
	Failed struct {
		Status string `json:"status"`
	}

	// Refused: the payment's outer code, over verified TLS, said that the code
	// or the password was wrong. It needs one answered inquiry before it is a
	// decline.
	Refused struct {
		Reason Reason `json:"reason"`
	}

	// Rejected: the gateway refused the form of the request; nothing reached a
	// wallet. Unsent: it was refused before it left, and not a byte was written.
	Rejected struct {
		Why    string `json:"why"`
		Unsent bool   `json:"unsent,omitempty"`
	}

	// Clash: the gateway knows this order id already (ORDER_USED), or knows it
	// as paid (ORDER_PAID).
	Clash struct {
		Paid bool `json:"paid"`
	}

	// NotFound: the gateway answered an inquiry over verified TLS with a word that
	// says just that: it knows no such order.
	NotFound struct {
		Why string `json:"why"`
	}

	// Unclear: the gateway was heard and it settles nothing: an unknown word, a
	// total that does not fit, a status that is not a sale's. Authentic tells
	// whether the digest fitted.
	Unclear struct {
		Why       string `json:"why"`
		Status    string `json:"status,omitempty"`
		Authentic bool   `json:"authentic,omitempty"`
		Alarm     bool   `json:"alarm,omitempty"`
		// Paid: it is authentic, about this order, and calls it paid, though with a
		// total that does not fit or is not there.
		Paid bool `json:"paid,omitempty"`
		// Unknown: an inquiry was answered with an outer word of which no sheet says
		// what it means. It may be throttling, or what this gateway says of an order
		// that it does not know.
		Unknown bool `json:"unknown_word,omitempty"`
	}
)

func (Unsent) answer()   {}
func (Lost) answer()     {}
func (CodeMade) answer() {}
func (Paid) answer()     {}
func (Refunded) answer() {}
func (Pending) answer()  {}
func (Failed) answer()   {}
func (Refused) answer()  {}
func (Rejected) answer() {}
func (Clash) answer()    {}
func (NotFound) answer() {}
func (Unclear) answer()  {}

// AnswerName is the word under which an answer stands in journal and log.
func AnswerName(a Answer) string {
	switch a.(type) {
	case Unsent:
		return "unsent"
	case Lost:
		return "lost"
	case CodeMade:
		return "code_made"
	case Paid:
		return "paid"
	case Refunded:
		return "refunded"
	case Pending:
		return "pending"
	case Failed:
		return "failed"
	case Refused:
		return "refused"
	case Rejected:
		return "rejected"
	case Clash:
		return "clash"
	case NotFound:
		return "not_found"
	case Unclear:
		return "unclear"
	}
	return ""
}

// Reply carries an Answer through JSON under its name.
type Reply struct{ Answer Answer }

// MarshalJSON writes {"name": {...}}.
func (r Reply) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{AnswerName(r.Answer): r.Answer})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Reply) UnmarshalJSON(b []byte) error {
	var named map[string]json.RawMessage
	if err := json.Unmarshal(b, &named); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	if len(named) != 1 {
		return fmt.Errorf("answer: %d names, one is needed", len(named))
	}
	for name, body := range named {
		read, ok := answerReaders[name]
		if !ok {
			return fmt.Errorf("answer: unknown name %q", name)
		}
		a, err := read(body)
		if err != nil {
			return fmt.Errorf("answer: %s: %w", name, err)
		}
		r.Answer = a
	}
	return nil
}

var answerReaders = map[string]func([]byte) (Answer, error){
	"unsent":    readAnswer[Unsent],
	"lost":      readAnswer[Lost],
	"code_made": readAnswer[CodeMade],
	"paid":      readAnswer[Paid],
	"refunded":  readAnswer[Refunded],
	"pending":   readAnswer[Pending],
	"failed":    readAnswer[Failed],
	"refused":   readAnswer[Refused],
	"rejected":  readAnswer[Rejected],
	"clash":     readAnswer[Clash],
	"not_found": readAnswer[NotFound],
	"unclear":   readAnswer[Unclear],
}

func readAnswer[A Answer](b []byte) (Answer, error) {
	var a A
	err := json.Unmarshal(b, &a)
	return a, err
}

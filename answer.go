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

// CodeAge knows how old a payment's code is, or a refund's request. Between the scan and the
// first byte there is a commit and a gateway call, and both may be slow.
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

// Answer is the result of one request, reduced to what a flow may act on. The set is closed: the
// gateway client turns every reply, error and response code into one of these, and nothing above
// it sees a response code.
//
//sumtype:decl
type Answer interface{ answer() }

type (
	// Unsent: no byte of the request was written, so it can be sent again, unless Final (for
	// example a refused certificate) or TooOld.
	Unsent struct {
		Why    string `json:"why"`
		Final  bool   `json:"final,omitempty"`
		TooOld bool   `json:"too_old,omitempty"`
		// Clock: the certificate is outside its validity by a clock that is not set. That may
		// change at any moment.
		Clock bool `json:"clock,omitempty"`
	}

	// Lost: bytes were written, but no believable reply came: a time-out, a forged or damaged
	// reply, or one for another order. Alarm marks what cannot be an accident.
	Lost struct {
		Why   string `json:"why"`
		Alarm bool   `json:"alarm,omitempty"`
	}

	// CodeMade: Active Mode, an authentic code for this order, not yet paid.
	CodeMade struct {
		CodeURL string `json:"code_url"`
	}

	// Paid: an authentic success for this order with the expected total (sheet section 14).
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

	// Refunded: authentic; the order was paid and then refunded in part or in full (sheet section
	// 10.1).
	Refunded struct {
		PaidMinor     int64  `json:"paid_minor"`
		RefundedMinor int64  `json:"refunded_minor"`
		Status        string `json:"status"`
	}

	// Pending: not final yet: an authentic status, or an outer code such as PROCESSING (sheet
	// sections 10.1 and 11). The customer may be typing a password.
	Pending struct {
		Status string `json:"status"`
	}

	// Failed: an authentic failure or orderclosed: not paid, for good (sheet section 10.1).
	Failed struct {
		Status string `json:"status"`
	}

	// Refused: an outer code, outside the digest, called the payment's code or password wrong
	// (AUTH_CODE_INVALID, PWD_INCORRECT, sheet section 11). It is a decline only after an inquiry
	// was answered.
	Refused struct {
		Reason Reason `json:"reason"`
	}

	// Rejected: the gateway refused the form of the request before a wallet heard of it
	// (PARAM_INVALID, PARAM_ERROR, sheet section 11): not sent. Unsent: the client refused it
	// itself, and no byte was written.
	Rejected struct {
		Why    string `json:"why"`
		Unsent bool   `json:"unsent,omitempty"`
	}

	// Clash: the gateway knew this order id before (ORDER_USED), or knew it as paid (ORDER_PAID,
	// sheet section 11).
	Clash struct {
		Paid bool `json:"paid"`
	}

	// NotFound: an outer code over verified TLS says that the gateway knows no such order.
	NotFound struct {
		Why string `json:"why"`
	}

	// Unclear: the gateway answered and it settles nothing: an unknown word, a total that does
	// not match, a status that is not a sale's (sheet section 14). Authentic: the digest was
	// right.
	Unclear struct {
		Why       string `json:"why"`
		Status    string `json:"status,omitempty"`
		Authentic bool   `json:"authentic,omitempty"`
		Alarm     bool   `json:"alarm,omitempty"`
		// Paid: an authentic reply about this order calls it paid, with a total that does not
		// match or is missing.
		Paid bool `json:"paid,omitempty"`
		// Unknown: an inquiry was answered with an outer code that no sheet explains. It may be
		// throttling, or this gateway's word for an unknown order.
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

// AnswerName is an answer's name in journal and log.
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

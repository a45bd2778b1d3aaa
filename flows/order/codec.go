package order

import (
	"encoding/json"
	"fmt"
)

// EventName is an event's name in the journal.
func EventName(e Event) string {
	switch e.(type) {
	case SaleBegan:
		return "sale_began"
	case CodeScanned:
		return "code_scanned"
	case PaymentAnswered:
		return "payment_answered"
	case InquiryAnswered:
		return "inquiry_answered"
	case CancelPressed:
		return "cancel_pressed"
	case Woke:
		return "woke"
	case Restarted, restartedByWall:
		return "restarted"
	case InquiryAsked:
		return "inquiry_asked"
	case Resolved:
		return "resolved"
	case RefundBegan:
		return "refund_began"
	case RefundAnswered:
		return "refund_answered"
	case RefundOpened:
		return "refund_opened"
	case RefundEnded:
		return "refund_ended"
	case ReprintAsked:
		return "reprint_asked"
	case AsideAnswered:
		return "aside_answered"
	case AsideResolved:
		return "aside_resolved"
	}
	return ""
}

// EncodeEvent writes an order's event for the journal.
func EncodeEvent(e Event) (name string, body json.RawMessage, err error) {
	name = EventName(e)
	if name == "" {
		return "", nil, fmt.Errorf("event %T: not an order's", e)
	}
	body, err = json.Marshal(e)
	if err != nil {
		return "", nil, fmt.Errorf("event %s: %w", name, err)
	}
	return name, body, nil
}

// DecodeEvent reads what EncodeEvent wrote. A payment code is never written, so it is empty.
func DecodeEvent(name string, body json.RawMessage) (Event, error) {
	read, ok := eventReaders[name]
	if !ok {
		return nil, fmt.Errorf("event %q: unknown name", name)
	}
	e, err := read(body)
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", name, err)
	}
	switch e := e.(type) {
	case PaymentAnswered:
		if e.Reply.Answer == nil {
			return nil, fmt.Errorf("event %s: it has no answer", name)
		}
	case InquiryAnswered:
		if e.Reply.Answer == nil {
			return nil, fmt.Errorf("event %s: it has no answer", name)
		}
	case RefundAnswered:
		if e.Reply.Answer == nil {
			return nil, fmt.Errorf("event %s: it has no answer", name)
		}
	case AsideAnswered:
		if e.Reply.Answer == nil {
			return nil, fmt.Errorf("event %s: it has no answer", name)
		}
	}
	return e, nil
}

var eventReaders = map[string]func(json.RawMessage) (Event, error){
	"sale_began":       readEvent[SaleBegan],
	"code_scanned":     readEvent[CodeScanned],
	"payment_answered": readEvent[PaymentAnswered],
	"inquiry_answered": readEvent[InquiryAnswered],
	"cancel_pressed":   readEvent[CancelPressed],
	"woke":             readEvent[Woke],
	"restarted":        readRestarted,
	"inquiry_asked":    readEvent[InquiryAsked],
	"resolved":         readEvent[Resolved],
	"refund_began":     readEvent[RefundBegan],
	"refund_answered":  readEvent[RefundAnswered],
	"refund_opened":    readEvent[RefundOpened],
	"refund_ended":     readEvent[RefundEnded],
	"reprint_asked":    readEvent[ReprintAsked],
	"aside_answered":   readEvent[AsideAnswered],
	"aside_resolved":   readEvent[AsideResolved],
}

func readEvent[E Event](body json.RawMessage) (Event, error) {
	var e E
	err := json.Unmarshal(body, &e)
	return e, err
}

// restarted is the journal's form of Restarted. Lived is missing in journals of earlier versions,
// whose monotonic time did not continue over a restart (before.go).
type restarted struct {
	Lived bool `json:"lived,omitempty"`
	Soon  bool `json:"soon,omitempty"`
}

// MarshalJSON writes the form of this version.
func (e Restarted) MarshalJSON() ([]byte, error) {
	return json.Marshal(restarted{Lived: true, Soon: e.Soon})
}

func readRestarted(body json.RawMessage) (Event, error) {
	var e restarted
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, err
	}
	if !e.Lived {
		return restartedByWall{e.Soon}, nil
	}
	return Restarted{e.Soon}, nil
}

// Fold computes the facts of an order from its journalled events. It drops the commands: they
// were carried out, or their fate is unknown.
func Fold(events []Stamped) (Order, error) {
	var o Order
	for i, in := range events {
		switch in.Event.(type) {
		case AsideAnswered, AsideResolved:
			return Order{}, ErrSetAside
		}
		if i == 0 {
			switch in.Event.(type) {
			case SaleBegan, RefundBegan:
			default:
				return Order{}, fmt.Errorf("order: its first event is %s, neither sale_began nor refund_began",
					EventName(in.Event))
			}
		}
		o, _ = Step(o, in)
		if err := o.Impossible(); err != nil {
			return o, fmt.Errorf("order: after event %d (%s): %w", i+1, EventName(in.Event), err)
		}
	}
	return o, nil
}

package ottpay

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"payterm"
)

// Pay asks for a payment: ACTIVEPAY or PASSIVEPAY by its mode. It is written
// once.
func (c *Client) Pay(ctx context.Context, p payterm.Payment) payterm.Answer {
	action, pairs := c.paymentPairs(p)
	r, lost := c.call(ctx, action, pairs)
	if lost != nil {
		return lost
	}
	switch r.code {
	case "SUCCESS", "PROCESSING":
		if p.Mode == payterm.Active {
			return c.codeMade(r, p)
		}
		if r.inner == nil {
			if r.code == "PROCESSING" {
				return payterm.Pending{Status: ""}
			}
			return payterm.Unclear{Why: "the reply has no data"}
		}
		return c.status(r.inner, payterm.Inquiry{OrderID: p.OrderID, Total: p.Total}, p.MaxFeeMinor)
	case "AUTH_CODE_INVALID":
		return payterm.Refused{Reason: payterm.ReasonCodeInvalid}
	case "PWD_INCORRECT":
		return payterm.Refused{Reason: payterm.ReasonWrongPassword}
	case "PARAM_INVALID", "PARAM_ERROR":
		return payterm.Rejected{Why: "the gateway refused the form of the request: check merchant_id, operator_id and the sign key"}
	case "ORDER_USED":
		return payterm.Clash{}
	case "ORDER_PAID":
		return payterm.Clash{Paid: true}
	}
	return payterm.Unclear{Why: "the gateway answered " + word(r.code)}
}

// Inquire asks how an order stands: STATUS_QUERY.
func (c *Client) Inquire(ctx context.Context, q payterm.Inquiry) payterm.Answer {
	r, lost := c.call(ctx, actionQuery, []pair{{"order_id", string(q.OrderID)}})
	if lost != nil {
		return lost
	}
	switch r.code {
	case "SUCCESS", "PROCESSING":
		if r.inner != nil {
			return c.status(r.inner, q, q.MaxFeeMinor)
		}
		if r.code == "PROCESSING" {
			return payterm.Pending{}
		}
		return payterm.Unclear{Why: "the reply has no data"}
	case "TIMEOUT", "SYSTEM_ERROR", "DB_ERROR", "ORDER_PAID", "ORDER_USED", "PARAM_INVALID", "PARAM_ERROR":
		// Passing trouble, or a word that does not answer the question.
		return payterm.Unclear{Why: "the gateway answered " + word(r.code)}
	}
	return payterm.NotFound{Why: "the gateway answered " + word(r.code)}
}

// Refund asks for money of a sale to go back: REFUND. Whether it did is found
// out by inquiring about the sale (section 7).
func (c *Client) Refund(ctx context.Context, r payterm.RefundRequest) payterm.Answer {
	reply, lost := c.call(ctx, actionRefund, []pair{
		{"order_id", string(r.OrderID)}, {"ori_order_id", string(r.SaleOrderID)},
		{"refund_amt", fmt.Sprint(r.Amount.Minor)},
	})
	if lost != nil {
		return lost
	}
	switch reply.code {
	case "SUCCESS", "PROCESSING":
		// The inner fields are not documented; an order id that is not ours
		// would belong to another refund.
		if id := reply.inner.str("order_id"); id != "" && id != string(r.OrderID) && id != string(r.SaleOrderID) {
			return payterm.Lost{Why: "the reply is about another order", Alarm: true}
		}
		return payterm.Pending{Status: reply.inner.str("order_status")}
	case "PARAM_INVALID", "PARAM_ERROR":
		return payterm.Rejected{Why: "the gateway refused the form of the refund"}
	case "ORDER_USED", "ORDER_PAID":
		return payterm.Clash{Paid: reply.code == "ORDER_PAID"}
	}
	return payterm.Unclear{Why: "the gateway answered " + word(reply.code)}
}

// ExchangeRate asks for the rate of a currency to CNY: EX_RATE_QUERY.
func (c *Client) ExchangeRate(ctx context.Context, currency payterm.Currency) (Rate, error) {
	r, lost := c.call(ctx, actionRate, []pair{{"fee_type", string(currency)}})
	switch a := lost.(type) {
	case payterm.Unsent:
		return Rate{}, fmt.Errorf("exchange rate: %s", a.Why)
	case payterm.Lost:
		return Rate{}, fmt.Errorf("exchange rate: %s", a.Why)
	default: // there is a reply
	}
	if r.code != "SUCCESS" || r.inner == nil {
		return Rate{}, fmt.Errorf("exchange rate: the gateway answered %s", word(r.code))
	}
	if got := r.inner.str("feeType", "fee_type"); got != string(currency) {
		return Rate{}, errors.New("exchange rate: the reply is about another currency")
	}
	cny, ok := r.inner.minor("rate")
	if !ok || cny <= 0 {
		return Rate{}, errors.New("exchange rate: the reply has no rate")
	}
	return Rate{currency, cny}, nil
}

// call makes one request. Either there is a reply whose data, if any, is
// authentic, or lost says why not.
func (c *Client) call(ctx context.Context, action string, pairs []pair) (_ reply, lost payterm.Answer) {
	body, err := c.body(action, pairs)
	if err != nil {
		return reply{}, payterm.Unsent{Why: err.Error(), Final: true}
	}
	raw, failed := c.post(ctx, body)
	if failed != nil {
		if !failed.written {
			return reply{}, payterm.Unsent{Why: failed.Error(), Final: failed.final}
		}
		return reply{}, payterm.Lost{Why: failed.Error(), Alarm: failed.alarm}
	}
	r, err := openReply(raw, string(c.c.SignKey))
	if err != nil {
		return reply{}, payterm.Lost{Why: err.Error(), Alarm: errors.Is(err, errForged)}
	}
	return r, nil
}

// codeMade reads the reply to ACTIVEPAY (section 3.2).
func (c *Client) codeMade(r reply, p payterm.Payment) payterm.Answer {
	if r.inner == nil {
		return payterm.Unclear{Why: "the reply has no data"}
	}
	if lost := c.foreign(r.inner, p.OrderID); lost != nil {
		return lost
	}
	code := r.inner.str("code_url")
	if code == "" || len(code) > maxCodeURL {
		return payterm.Lost{Why: "the reply has no code that could be shown"}
	}
	return payterm.CodeMade{CodeURL: code}
}

// maxCodeURL is the longest text that a QR code of level M still holds.
const maxCodeURL = 2331

// foreign tells a reply that belongs to something else.
func (c *Client) foreign(inner object, id payterm.OrderID) payterm.Answer {
	if inner.str("order_id") != string(id) {
		return payterm.Lost{Why: "the reply is about another order", Alarm: true}
	}
	if m := inner.str("merchant_id"); m != "" && m != c.c.MerchantID {
		return payterm.Lost{Why: "the reply is about another merchant", Alarm: true}
	}
	return nil
}

// status reads an authentic order_status (section 10.1).
func (c *Client) status(inner object, q payterm.Inquiry, maxFee int64) payterm.Answer {
	if lost := c.foreign(inner, q.OrderID); lost != nil {
		return lost
	}
	status := inner.str("order_status")
	refunded, _ := inner.minor("refund_fee")
	total, hasTotal := inner.minor("total_amount")
	switch strings.ToLower(status) {
	case "success":
		switch {
		case !hasTotal:
			return payterm.Unclear{Why: "success without a total", Status: status, Authentic: true, Alarm: true}
		case total < q.Total.Minor || total > q.Total.Minor+maxFee:
			return payterm.Unclear{Why: "success with another total", Status: status, Authentic: true, Alarm: true}
		case refunded > 0:
			return payterm.Refunded{PaidMinor: total, RefundedMinor: refunded, Status: status}
		}
		trade := inner.str("trade_time")
		return payterm.Paid{
			PaidMinor: total, Status: status,
			Payer:          inner.str("buyer_login_id", "buyer_logon_id"),
			ChannelOrderID: inner.str("bizpay_order_id", "biz_order_id"),
			TradeTime:      trade, TradeClock: parseTradeTime(trade),
			ExchangeRate: inner.str("exchange_rate"),
		}
	case "partial_refunded", "fully_refunded":
		return payterm.Refunded{PaidMinor: total, RefundedMinor: refunded, Status: status}
	case "init", "notpay", "canceling":
		return payterm.Pending{Status: status}
	case "failure", "orderclosed", "orderclose":
		return payterm.Failed{Status: status}
	case "":
		return payterm.Unclear{Why: "the reply has no order_status", Authentic: true}
	}
	return payterm.Unclear{Why: "order_status " + word(status), Status: word(status), Authentic: true}
}

// word is a gateway's word that is fit for a log: short and of plain letters.
func word(s string) string {
	if len(s) > 40 {
		s = s[:40]
	}
	return strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '?'
	}, s)
}

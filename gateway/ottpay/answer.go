package ottpay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"payterm"
)

// Pay asks for a payment: ACTIVEPAY or PASSIVEPAY, by its mode. The request is written at most once.
//
// For a Passive payment an authentic order_status decides, whatever the unprotected outer code says. Only
// ORDER_USED and ORDER_PAID come first: with these the status may be that of another order.
func (c *Client) Pay(ctx context.Context, p payterm.Payment) payterm.Answer {
	if why := c.unfit(p); why != "" {
		return payterm.Rejected{Why: "not sent: " + why, Unsent: true}
	}
	action, pairs := c.paymentPairs(p)
	r, lost := c.callFresh(ctx, p.Age, action, pairs, p.OrderID)
	if lost != nil {
		return lost
	}
	switch r.code {
	case "ORDER_USED":
		return payterm.Clash{}
	case "ORDER_PAID":
		return payterm.Clash{Paid: true}
	}
	accepted := r.code == "SUCCESS" || r.code == "PROCESSING"
	switch {
	case accepted && p.Mode == payterm.Active:
		return codeMade(r)
	case p.Mode == payterm.Passive && r.inner.str("order_status") != "":
		if !r.bound() { // section 4.2 marks the order id as required
			return errAnonymous
		}
		return status(r, payterm.Inquiry{OrderID: p.OrderID, Total: p.Total, MaxFeeMinor: p.MaxFeeMinor})
	}
	switch r.code {
	case "SUCCESS":
		return payterm.Unclear{Why: "the reply has no order_status", Authentic: r.bound()}
	case "PROCESSING":
		return payterm.Pending{}
	case "AUTH_CODE_INVALID":
		return payterm.Refused{Reason: payterm.ReasonCodeInvalid}
	case "PWD_INCORRECT":
		return payterm.Refused{Reason: payterm.ReasonWrongPassword}
	case "PARAM_INVALID", "PARAM_ERROR":
		return payterm.Rejected{Why: "the gateway refused the form of the request: check merchant_id, operator_id and the sign key"}
	}
	return payterm.Unclear{Why: "the gateway answered " + r.word(r.code)}
}

// Inquire asks for the state of an order: STATUS_QUERY. An authentic order_status decides, whatever the outer
// code says.
func (c *Client) Inquire(ctx context.Context, q payterm.Inquiry) payterm.Answer {
	if why := c.unfitAmount(q.OrderID, q.Total, q.MaxFeeMinor); why != "" {
		return payterm.Rejected{Why: "not sent: " + why, Unsent: true}
	}
	r, lost := c.call(ctx, actionQuery, []pair{{"order_id", string(q.OrderID)}}, q.OrderID)
	switch {
	case lost != nil:
		return lost
	case r.inner.str("order_status") != "":
		return status(r, q)
	case r.code == "SUCCESS":
		return payterm.Unclear{Why: "the reply has no order_status", Authentic: r.bound()}
	case r.code == "PROCESSING":
		return payterm.Pending{}
	case noSuchOrder(r.code):
		return payterm.NotFound{Why: "the gateway answered " + r.word(r.code)}
	}
	return payterm.Unclear{Why: "the gateway answered " + r.word(r.code), Unknown: !passing(r.code)}
}

// noSuchOrder reports whether an outer code means that the order does not exist. No sheet names such a code
// (section 5.1), so only the exact words count: ORDER_NOT_EXIST and the codes of WeChat and Alipay. Any other
// code, also one for throttling, decides nothing (docs/decisions/0003).
func noSuchOrder(code string) bool {
	code = strings.ReplaceAll(code, "_", "")
	for _, what := range []string{"ORDER", "TRADE", "TRANSACTION"} {
		switch rest, _ := strings.CutPrefix(code, what); rest {
		case "NOTEXIST", "NOTEXISTS", "NOTFOUND":
			return rest != code
		}
	}
	return false
}

// passing reports whether an outer code says nothing about the order: it is trouble at the gateway, or the
// answer to another question.
func passing(code string) bool {
	switch code {
	case "TIMEOUT", "PARAM_INVALID", "ORDER_PAID", "ORDER_USED":
		return true
	}
	return strings.HasSuffix(code, "_ERROR") // SYSTEM_ERROR, DB_ERROR, PARAM_ERROR and others
}

// Refund asks for a refund of a sale: REFUND. The best answer is Pending. The fields of the reply are not
// documented, so an inquiry about the sale shows whether the money went back (section 7).
func (c *Client) Refund(ctx context.Context, r payterm.RefundRequest) payterm.Answer {
	why := c.unfitAmount(r.OrderID, r.Amount, 0)
	if why == "" && (!r.SaleOrderID.Valid() || r.SaleOrderID == r.OrderID) {
		why = "the sale's order id cannot be used"
	}
	if why != "" {
		return payterm.Rejected{Why: "not sent: " + why, Unsent: true}
	}
	reply, lost := c.callFresh(ctx, r.Age, actionRefund, []pair{
		{"order_id", string(r.OrderID)},
		{"ori_order_id", string(r.SaleOrderID)},
		{"refund_amt", strconv.FormatInt(r.Amount.Minor, 10)},
	}, r.OrderID, r.SaleOrderID)
	if lost != nil {
		return lost
	}
	switch reply.code {
	case "SUCCESS", "PROCESSING":
		return payterm.Pending{Status: reply.word(reply.inner.str("order_status"))}
	case "PARAM_INVALID", "PARAM_ERROR":
		return payterm.Rejected{Why: "the gateway refused the form of the refund"}
	case "ORDER_USED":
		return payterm.Clash{}
	case "ORDER_PAID":
		return payterm.Clash{Paid: true}
	}
	return payterm.Unclear{Why: "the gateway answered " + reply.word(reply.code)}
}

// Rate is an exchange rate for display. The wallet fixes the rate that is charged.
type Rate struct {
	Currency payterm.Currency `json:"currency"`
	// CNY is the price of one unit in CNY, times 10^8 (section 8).
	CNY int64 `json:"cny_e8"`
}

// ErrNoAnswer means that no authentic reply came.
var ErrNoAnswer = errors.New("no answer from the gateway")

// ErrKey means that the gateway could not read a request: it was made with another sign key or for another
// merchant.
var ErrKey = errors.New("the gateway refuses merchant_id, operator_id or the sign key")

// ExchangeRate asks for the rate of a currency to CNY: EX_RATE_QUERY. The error wraps ErrNoAnswer unless the
// gateway itself refused, and ErrKey if it refused the sign key or the ids. If the clock is the cause of an
// ErrNoAnswer, it wraps ErrClock too.
func (c *Client) ExchangeRate(ctx context.Context, currency payterm.Currency) (Rate, error) {
	bad := func(why string) (Rate, error) { return Rate{}, fmt.Errorf("exchange rate: %s", why) }
	if !currency.Valid() {
		return bad("the currency is not an ISO 4217 code")
	}
	r, lost := c.call(ctx, actionRate, []pair{{"fee_type", string(currency)}})
	switch a := lost.(type) {
	case payterm.Unsent:
		if a.Clock {
			return Rate{}, fmt.Errorf("exchange rate: %w: %w", ErrNoAnswer, clockError(a.Why))
		}
		return Rate{}, fmt.Errorf("exchange rate: %w: %s", ErrNoAnswer, a.Why)
	case payterm.Lost:
		return Rate{}, fmt.Errorf("exchange rate: %w: %s", ErrNoAnswer, a.Why)
	default: // there is a reply
	}
	if r.code == "PARAM_INVALID" || r.code == "PARAM_ERROR" {
		return Rate{}, fmt.Errorf("exchange rate: %w: it answered %s", ErrKey, r.word(r.code))
	}
	if r.code != "SUCCESS" || r.inner == nil {
		return bad("the gateway answered " + r.word(r.code))
	}
	if r.inner.str("feeType", "fee_type") != string(currency) {
		return bad("the reply is about another currency")
	}
	cny, ok := r.inner.minor("rate")
	if !ok || cny <= 0 {
		return bad("the reply has no rate")
	}
	return Rate{currency, cny}, nil
}

// Callback is what the gateway posts to call_back_url. It is a reason to inquire, never an approval: the outer
// code is unprotected, and the inner data may lack a status (section 9).
type Callback struct {
	OrderID        payterm.OrderID
	AmountMinor    int64
	ChannelOrderID string
	FinishTime     string // as received: its time zone is unknown
	Status         string // often missing
}

// ErrCallback means that a callback cannot be used.
var ErrCallback = errors.New("ottpay: callback")

// DecodeCallback reads a callback's body and checks its digest and merchant.
func (c *Client) DecodeCallback(body []byte) (Callback, error) {
	bad := func(why string) (Callback, error) { return Callback{}, fmt.Errorf("%w: %s", ErrCallback, why) }
	if len(body) > maxBody {
		return bad(fmt.Sprintf("larger than %d bytes", maxBody))
	}
	r, err := openReply(body, string(c.c.SignKey))
	if err != nil {
		return Callback{}, fmt.Errorf("%w: %w", ErrCallback, err)
	}
	r.secrets = c.secrets(nil)
	id := payterm.OrderID(r.inner.str("order_id"))
	amount, ok := r.inner.minor("amount")
	switch {
	case r.inner == nil:
		return bad("it has no data")
	case !r.inner.absent("merchant_id") && r.inner.str("merchant_id") != c.c.MerchantID:
		return bad("it is about another merchant")
	case !id.Valid():
		return bad("it names no order of ours")
	case !ok:
		return bad("it has no amount")
	}
	return Callback{
		OrderID: id, AmountMinor: amount,
		ChannelOrderID: r.label("bizpay_order_id", "biz_order_id"),
		FinishTime:     r.label("finish_time"),
		Status:         r.word(r.inner.str("order_status")),
	}, nil
}

// call makes one request. It returns a reply whose data, if any, are authentic and belong to one of the orders;
// otherwise lost is the reason.
func (c *Client) call(ctx context.Context, action string, pairs []pair, orders ...payterm.OrderID) (_ reply,
	lost payterm.Answer) {
	return c.callFresh(ctx, nil, action, pairs, orders...)
}

// callFresh is call for a request that must not be sent once it is too old.
func (c *Client) callFresh(ctx context.Context, age payterm.CodeAge, action string, pairs []pair,
	orders ...payterm.OrderID) (_ reply, lost payterm.Answer) {
	body, err := c.body(action, pairs)
	if err != nil {
		return reply{}, payterm.Unsent{Why: err.Error(), Final: true}
	}
	raw, failed := c.post(ctx, body, age)
	if failed != nil {
		if !failed.written {
			return reply{}, payterm.Unsent{
				Why: failed.why, Final: failed.final, TooOld: failed.tooOld, Clock: failed.clock,
			}
		}
		return reply{}, payterm.Lost{Why: failed.why, Alarm: failed.alarm}
	}
	r, err := openReply(raw, string(c.c.SignKey))
	if err != nil {
		return reply{}, payterm.Lost{Why: err.Error(), Alarm: errors.Is(err, errForged)}
	}
	r.secrets = c.secrets(pairs)
	if !r.inner.absent("merchant_id") && r.inner.str("merchant_id") != c.c.MerchantID {
		return reply{}, payterm.Lost{Why: "the reply is about another merchant", Alarm: true}
	}
	if !r.inner.absent("order_id") && len(orders) > 0 &&
		!slices.Contains(orders, payterm.OrderID(r.inner.str("order_id"))) {
		return reply{}, payterm.Lost{Why: "the reply is about another order", Alarm: true}
	}
	return r, nil
}

// errAnonymous is the answer if a reply to a payment has no order id.
var errAnonymous = payterm.Lost{Why: "the reply names no order", Alarm: true}

// maxCodeURL is the capacity of a QR code of level M, in bytes.
const maxCodeURL = 2331

// codeMade reads the reply to ACTIVEPAY (section 3.2).
func codeMade(r reply) payterm.Answer {
	code := r.inner.str("code_url")
	switch {
	case r.inner == nil:
		return payterm.Unclear{Why: "the reply has no data"}
	case !r.bound():
		return errAnonymous
	case code == "":
		return payterm.Lost{Why: "the reply has no code_url"}
	case len(code) > maxCodeURL, strings.ContainsFunc(code, unprintable), r.hasSecret(code):
		return payterm.Lost{Why: "the reply's code_url cannot be shown as a QR code"}
	}
	return payterm.CodeMade{CodeURL: code}
}

// status reads an authentic order_status (section 10.1), ignoring case. The reply to an inquiry may lack the
// order id (correction 1 of the sheet of other channels); then it counts only with exactly the expected total.
// Without an order id, another total, or a paid status without a total, is an alarm.
func status(r reply, q payterm.Inquiry) payterm.Answer {
	said := r.inner.str("order_status")
	if total, ok := r.inner.minor("total_amount"); !r.bound() && (!ok || total != q.Total.Minor) {
		return payterm.Unclear{
			Why: "the reply has no order id, and another amount or none", Authentic: true,
			Alarm: !r.inner.absent("total_amount") || slices.Contains(paidWords, strings.ToLower(said)),
		}
	}
	switch strings.ToLower(said) {
	case "success":
		return paid(r, said, q)
	case "partial_refunded", "fully_refunded":
		return refunded(r.inner, said)
	case "init", "notpay", "canceling":
		return payterm.Pending{Status: said}
	case "failure", "orderclosed", "orderclose":
		return payterm.Failed{Status: said}
	}
	said = r.word(said)
	return payterm.Unclear{Why: "order_status " + said, Status: said, Authentic: true}
}

// paidWords are the statuses of a paid order.
var paidWords = []string{"success", "partial_refunded", "fully_refunded"}

// paid reads a success. It counts only with the expected total. If refund_fee is above zero, money has gone
// back already, at least in part: such an order is Refunded, never Paid, even if its status says success.
func paid(r reply, said string, q payterm.Inquiry) payterm.Answer {
	unclear := func(why string) payterm.Answer {
		return payterm.Unclear{Why: why, Status: said, Authentic: true, Alarm: true, Paid: true}
	}
	total, ok := r.inner.minor("total_amount")
	switch {
	case r.inner.absent("total_amount"):
		return unclear("success without a total")
	case !ok:
		return unclear("success with a total that is not an amount")
	case total < q.Total.Minor || total > q.Total.Minor+q.MaxFeeMinor:
		return unclear("success with another total")
	}
	if back, ok := r.inner.minor("refund_fee"); back > 0 || !ok && !r.inner.absent("refund_fee") {
		return refunded(r.inner, said)
	}
	trade := r.label("trade_time")
	return payterm.Paid{
		PaidMinor: total, Status: said,
		Payer:          r.label("buyer_login_id", "buyer_logon_id"),
		ChannelOrderID: r.label("bizpay_order_id", "biz_order_id"),
		TradeTime:      trade, TradeClock: tradeClock(trade),
		ExchangeRate: r.label("exchange_rate"),
	}
}

// refunded reads a paid order whose money went back in part or in full. Missing amounts stay zero. Impossible
// amounts are an alarm for a person to look at.
func refunded(inner object, said string) payterm.Answer {
	total, okTotal := inner.minor("total_amount")
	back, okBack := inner.minor("refund_fee")
	switch {
	case !okTotal && !inner.absent("total_amount"), !okBack && !inner.absent("refund_fee"), okTotal && back > total:
		return payterm.Unclear{Why: "refunded, with impossible amounts", Status: said, Authentic: true,
			Alarm: true, Paid: true}
	}
	return payterm.Refunded{PaidMinor: total, RefundedMinor: back, Status: said}
}

// tradeClock reads trade_time as if it were UTC, in seconds; its time zone is unknown (section 10.2). It returns 0
// for a text that it cannot read.
func tradeClock(text string) int64 {
	if t, ok := payterm.ReadTradeTime(text); ok {
		return t.Unix()
	}
	return 0
}

// secrets returns the texts that must not be passed on from a reply. The gateway knows them, and an echo of
// them would end up in the journal and on paper.
func (c *Client) secrets(pairs []pair) []string {
	all := []string{string(c.c.SignKey)}
	for _, p := range pairs {
		if p.key == "auth_code" {
			all = append(all, p.value)
		}
	}
	return all
}

// withheld replaces a text that contained a secret.
const withheld = "withheld"

// hasSecret reports whether a text contains one of the request's secrets or a payment code. The reply to an inquiry
// may echo the code of a payment that this client no longer knows.
func (r reply) hasSecret(s string) bool {
	s = printable(s)
	for word := range strings.FieldsFuncSeq(s, betweenWords) {
		if _, code := payterm.NewPayCode(word).Channel(); code {
			return true
		}
	}
	s = strings.ToUpper(s)
	return slices.ContainsFunc(r.secrets,
		func(secret string) bool { return strings.Contains(s, strings.ToUpper(secret)) })
}

// betweenWords reports whether a character separates words. A number that follows letters, as in a channel's
// order id, is then not taken for a payment code.
func betweenWords(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// word is the function word, without secrets.
func (r reply) word(s string) string {
	if r.hasSecret(s) {
		return withheld
	}
	return word(s)
}

// label returns the text of the first of these keys that exists, without secrets.
func (r reply) label(keys ...string) string {
	s := r.inner.str(keys...)
	if r.hasSecret(s) {
		return withheld
	}
	return label(s)
}

// bound reports whether the reply's data have an order id, which call has compared already. Data without one
// may be the answer to anything.
func (r reply) bound() bool { return !r.inner.absent("order_id") }

// word makes a code of the gateway fit for a log: short, only plain letters, and with too few digits to be a
// payment code.
func word(s string) string {
	const longest, digits = 32, 6
	seen := 0
	return strings.Map(func(r rune) rune {
		switch {
		case r == '_' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z':
			return r
		case r >= '0' && r <= '9':
			if seen++; seen <= digits {
				return r
			}
		}
		return '?'
	}, s[:min(len(s), longest)])
}

// label makes a text of the gateway fit for the journal and for paper: as received, but bounded and without
// control characters that a printer would obey. The zero-width joiner stays, since a combined emoji is printed
// as one character.
func label(s string) string {
	const longest, joiner = 64, '\u200d'
	runes := []rune(without(s, func(r rune) bool { return unprintable(r) && r != joiner }))
	return string(runes[:min(len(runes), longest)])
}

func printable(s string) string { return without(s, unprintable) }

func without(s string, not func(rune) bool) string {
	return strings.Map(func(r rune) rune {
		if not(r) {
			return -1
		}
		return r
	}, strings.TrimSpace(s))
}

// unprintable reports whether a character is a control or format character.
func unprintable(r rune) bool { return !unicode.IsGraphic(r) }

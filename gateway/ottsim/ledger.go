package ottsim

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// order is one row of the ledger.
type order struct {
	ID       string `json:"order_id"`
	Mode     string `json:"mode"`
	BizType  string `json:"biz_type"`
	Amount   int64  `json:"amount_minor"`
	Status   string `json:"status"`
	Paid     int64  `json:"paid_minor"`
	Refunded int64  `json:"refunded_minor"`
	CodeURL  string `json:"code_url"`
	Requests []seen `json:"requests"`

	channel  string
	payer    string
	made     time.Time
	settled  time.Time
	closesAt time.Time // the wallet closes it then if it is unpaid
	wallet   *wallet
}

// seen is one request; it is recorded even if it failed.
type seen struct {
	At     time.Time `json:"at"`
	Action string    `json:"action"`
}

const (
	maxStrays       = 10_000
	maxSeenPerOrder = 10_000
	maxOrderID      = 20 // characters
)

// record records a request. Requests for an order that does not exist yet are kept apart and added to the order
// when it is made.
func (s *Sim) record(id, action string) {
	if id == "" || len(id) > maxOrderID || !slices.Contains(faultActions, action) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := seen{s.cfg.Now().UTC(), action}
	if o := s.orders[id]; o != nil {
		if len(o.Requests) < maxSeenPerOrder {
			o.Requests = append(o.Requests, now)
		}
		return
	}
	if _, known := s.strays[id]; (known || len(s.strays) < maxStrays) && len(s.strays[id]) < maxSeenPerOrder {
		s.strays[id] = append(s.strays[id], now)
	}
}

// enter adds an order to the ledger.
func (s *Sim) enter(o *order) {
	o.made = s.cfg.Now()
	o.Requests = append(o.Requests, s.strays[o.ID]...)
	delete(s.strays, o.ID)
	prefix := map[string]string{"WECHATPAY": "WX", "ALIPAY": "AL", "UNIONPAY": "UP"}[o.BizType]
	o.channel = fmt.Sprintf("%s%017d", prefix, s.rng.Int64N(1e17))
	s.orders[o.ID] = o
	s.byTime = append(s.byTime, o)
}

// minor parses an amount in minor units: digits only, above zero and below 2^40.
func minor(digits string) (int64, bool) {
	n, err := strconv.ParseUint(digits, 10, 40)
	return int64(n), err == nil && n > 0
}

// terms reads the fields that both payments have. The second result is an outer code if they are wrong.
func (s *Sim) terms(in map[string]string) (*order, string) {
	amount, ok := minor(in["amount"])
	switch {
	case in["order_id"] == "" || len(in["order_id"]) > maxOrderID:
		return nil, "PARAM_ERROR"
	case !ok || in["operator_id"] == "":
		return nil, "PARAM_ERROR"
	case in["biz_type"] != "ALIPAY" && in["biz_type"] != "WECHATPAY" && in["biz_type"] != "UNIONPAY":
		return nil, "PARAM_INVALID"
	case len(s.byTime) >= maxOrders:
		return nil, "SYSTEM_ERROR"
	}
	o := s.orders[in["order_id"]]
	switch {
	case o != nil && o.Paid > 0:
		return nil, "ORDER_PAID"
	case o != nil || s.refunds[in["order_id"]]:
		return nil, "ORDER_USED"
	}
	return &order{ID: in["order_id"], BizType: in["biz_type"], Amount: amount}, ""
}

func (s *Sim) activePay(in map[string]string) outcome {
	if in["call_back_url"] == "" {
		return outcome{code: "PARAM_INVALID"}
	}
	o, problem := s.terms(in)
	if problem != "" {
		return outcome{code: problem}
	}
	o.Mode, o.Status = "active", "notpay"
	o.CodeURL = s.cfg.BaseURL + "/pay/" + o.ID
	s.enter(o)
	o.closesAt = o.made.Add(2 * time.Hour)
	return outcome{"SUCCESS", [][2]string{{"code_url", text(o.CodeURL)}, {"order_id", text(o.ID)}}}
}

func (s *Sim) passivePay(in map[string]string) outcome {
	o, problem := s.terms(in)
	if problem != "" {
		return outcome{code: problem}
	}
	now := s.cfg.Now()
	w := s.wallets[in["auth_code"]]
	if w == nil || w.used || w.BizType != o.BizType || now.After(w.expires) {
		if w != nil {
			w.used = true // a code is good for one attempt, even if the payment fails
		}
		return outcome{code: "AUTH_CODE_INVALID"}
	}
	w.used = true
	o.Mode, o.Status, o.wallet, o.payer = "passive", "notpay", w, w.payer
	s.enter(o)
	o.closesAt = o.made.Add(45 * time.Second)
	if o.BizType != "WECHATPAY" {
		o.closesAt = o.made.Add(3 * time.Minute)
	}
	switch {
	case w.Balance < o.Amount:
		o.Status = "failure"
	case w.NeedsPassword:
		return outcome{"PROCESSING", s.fields(o, text)}
	default:
		s.pay(o)
	}
	return outcome{"SUCCESS", s.fields(o, text)}
}

// pay moves the simulated money.
func (s *Sim) pay(o *order) {
	if o.wallet != nil {
		o.wallet.Balance -= o.Amount
	}
	o.Status, o.Paid, o.settled = "success", o.Amount, s.cfg.Now()
	if o.payer == "" {
		o.payer = "138****5620"
	}
}

// settle closes the orders that the wallets would have closed by now (sheet 13.2).
func (s *Sim) settle() {
	now := s.cfg.Now()
	for _, o := range s.byTime {
		if o.Status == "notpay" && now.After(o.closesAt) {
			o.Status = "orderclosed"
		}
	}
}

func (s *Sim) statusQuery(in map[string]string) outcome {
	o := s.orders[in["order_id"]]
	if o == nil {
		// Invention: the real gateway's answer for an unknown order is not known.
		return outcome{code: "ORDER_NOT_EXIST"}
	}
	return outcome{"SUCCESS", s.fields(o, nil)}
}

// fields returns the inner reply of a payment or an inquiry. PASSIVEPAY writes its amounts as strings, as its
// page says; STATUS_QUERY as numbers, as the samples show (sheet 5.1).
func (s *Sim) fields(o *order, amounts func(string) string) [][2]string {
	money := number
	if amounts != nil {
		money = func(n int64) string { return amounts(strconv.FormatInt(n, 10)) }
	}
	f := [][2]string{
		{"order_id", text(o.ID)},
		{"order_status", text(s.publicStatus(o))},
		{"total_amount", money(o.Amount)},
		{"bizpay_order_id", text(o.channel)},
	}
	if o.Paid > 0 {
		local := o.settled.In(time.FixedZone("", -5*3600))
		f = append(f,
			[2]string{"buyer_login_id", text(o.payer)},
			[2]string{"exchange_rate", text("5.24740000")},
			[2]string{"trade_time", text(local.Format("Jan 2, 2006 3:04:05 PM"))})
	}
	if amounts == nil {
		f = append(f, [2]string{"refund_fee", money(o.Refunded)}, [2]string{"tip", money(0)},
			[2]string{"return_code", text("SUCCESS")}, [2]string{"payInfo", text("")})
	}
	return f
}

func (s *Sim) publicStatus(o *order) string {
	switch {
	case o.Refunded > 0 && o.Refunded < o.Paid:
		return "partial_refunded"
	case o.Refunded > 0:
		return "fully_refunded"
	}
	return o.Status
}

func (s *Sim) refund(in map[string]string) outcome {
	amount, ok := minor(in["refund_amt"])
	o := s.orders[in["ori_order_id"]]
	switch {
	case !ok || in["order_id"] == "" || len(in["order_id"]) > maxOrderID:
		return outcome{code: "PARAM_ERROR"}
	case s.refunds[in["order_id"]] || s.orders[in["order_id"]] != nil:
		return outcome{code: "ORDER_USED"}
	case len(s.refunds) >= maxOrders:
		return outcome{code: "SYSTEM_ERROR"}
	case o == nil || o.Refunded+amount > o.Paid:
		return outcome{code: "FAIL"}
	}
	s.refunds[in["order_id"]] = true
	o.Refunded += amount
	o.Requests = append(o.Requests, seen{s.cfg.Now().UTC(), "REFUND " + in["order_id"]})
	// Invention: the fields of this reply could not be read (sheet section 6).
	return outcome{"SUCCESS", [][2]string{{"order_id", text(in["order_id"])}, {"refund_amt", text(in["refund_amt"])},
		{"order_status", text("success")}}}
}

func (s *Sim) rate(in map[string]string) outcome {
	rates := map[string]int64{"CAD": 524740000, "USD": 712340000, "EUR": 781200000, "JPY": 4730000}
	rate, ok := rates[in["fee_type"]]
	if !ok {
		return outcome{code: "PARAM_INVALID"}
	}
	return outcome{"SUCCESS", [][2]string{{"feeType", text(in["fee_type"])}, {"rate", text(number(rate))}}}
}

// listOrders returns all orders, the newest last. Orders for which only failed requests were seen are listed as
// "unknown".
func (s *Sim) listOrders(*http.Request, []byte) (int, any) {
	list := make([]order, 0, len(s.byTime)+len(s.strays))
	for _, o := range s.byTime {
		list = append(list, s.public(o))
	}
	for id, requests := range s.strays {
		list = append(list, stray(id, requests))
	}
	return http.StatusOK, map[string]any{"orders": list}
}

func (s *Sim) public(o *order) order {
	p := *o
	p.Status = s.publicStatus(o)
	p.Requests = append([]seen{}, o.Requests...)
	p.wallet = nil
	return p
}

func stray(id string, requests []seen) order {
	return order{ID: id, Status: "unknown", Requests: slices.Clone(requests)}
}

func (s *Sim) showOrder(r *http.Request, _ []byte) (int, any) {
	id := r.PathValue("id")
	if o := s.orders[id]; o != nil {
		return http.StatusOK, s.public(o)
	}
	if requests, ok := s.strays[id]; ok {
		return http.StatusOK, stray(id, requests)
	}
	return http.StatusNotFound, fmt.Sprintf("no order %q in the ledger", id)
}

// phone carries out what the customer does: pay (type the password), decline, or wait until the wallet closes
// the order.
func (s *Sim) phone(r *http.Request, _ []byte) (int, any) {
	o, err := s.act(r.PathValue("id"), r.PathValue("verb"))
	if err != nil {
		return http.StatusConflict, err.Error()
	}
	return http.StatusOK, o
}

// act is the common part of phone and pay page. The caller holds the lock and has called settle.
func (s *Sim) act(id, verb string) (order, error) {
	o := s.orders[id]
	if o == nil {
		return order{}, fmt.Errorf("no order %q in the ledger", id)
	}
	if o.Status != "notpay" {
		return order{}, fmt.Errorf("order %s is %s: nothing can be done to it", id, s.publicStatus(o))
	}
	switch verb {
	case "pay":
		s.pay(o)
	case "decline":
		o.Status = "failure"
	case "close":
		o.Status = "orderclosed"
	default:
		return order{}, fmt.Errorf("unknown call %q: pay, decline or close", verb)
	}
	return s.public(o), nil
}

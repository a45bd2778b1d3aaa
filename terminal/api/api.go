// Package api is the terminal's local API: what goes over the socket in its data directory
// and over [api] listen, a client for the programs of this machine, and the server.
//
// Requests and replies are JSON. A sale, a refund and a reconciliation take their time and
// are answered by lines of JSON, the last of which is the result. Whatever is not done is
// answered by an Error, whose code sets the HTTP status; an order that the terminal did not
// begin (not_sent, without an order id) comes with the status of its reason.
//
// The server knows no terminal. It calls a Service, which whoever serves implements: the
// terminal that sells, one whose journal is not open, one that is in training, one that was
// not provisioned yet.
package api

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"payterm"
	"payterm/flows/counter"
	"payterm/screen"
)

// Socket is the path of the terminal's socket in its data directory.
func Socket(data string) string { return filepath.Join(data, "payterm.sock") }

// SaleRequest is the body of POST /sale.
type SaleRequest struct {
	Mode           payterm.Mode           `json:"mode"`
	Wallet         payterm.Channel        `json:"wallet,omitempty"`
	AmountMinor    int64                  `json:"amount_minor"`
	TipMinor       int64                  `json:"tip_minor,omitempty"`
	Ref            string                 `json:"ref,omitempty"`
	IdempotencyKey payterm.IdempotencyKey `json:"idempotency_key,omitempty"`
	Despite        payterm.OrderID        `json:"despite,omitempty"`
	// Currency is that of the amount; without one it is the merchant's.
	Currency payterm.Currency `json:"currency,omitempty"`
}

// check refuses what no terminal would take, naming the field.
func (r *SaleRequest) check() error {
	switch {
	case r.Mode != payterm.Passive && r.Mode != payterm.Active:
		return refusef("mode %q: passive or active", r.Mode)
	case r.AmountMinor <= 0 || r.AmountMinor > payterm.MaxMinor:
		return refusef("amount: more than nothing")
	case r.TipMinor < 0 || r.TipMinor > payterm.MaxMinor:
		return refusef("tip: it cannot be negative")
	case r.Wallet != "" && !r.Wallet.Valid():
		return refusef("wallet %q: ALIPAY, WECHATPAY or UNIONPAY", r.Wallet)
	case r.Mode == payterm.Active && r.Wallet == "":
		return refusef("wallet: Active Mode needs one: ALIPAY, WECHATPAY or UNIONPAY")
	}
	return nil
}

// RefundRequest is the body of POST /orders/{id}/refund. No amount is all that is left of
// the sale; an amount of 0 is a mistake, and never all.
type RefundRequest struct {
	Sale           payterm.OrderID        `json:"-"` // from the path
	AmountMinor    *int64                 `json:"amount_minor,omitempty"`
	Currency       payterm.Currency       `json:"currency,omitempty"`
	Ref            string                 `json:"ref,omitempty"`
	IdempotencyKey payterm.IdempotencyKey `json:"idempotency_key,omitempty"`
}

func (r *RefundRequest) check() error {
	if r.AmountMinor != nil && (*r.AmountMinor <= 0 || *r.AmountMinor > payterm.MaxMinor) {
		return refusef("amount: more than nothing and at most what was paid; all that is left when it is left out")
	}
	return nil
}

// OrderLine is a line of the answer to a sale or refund: first Taken with the order id, as
// soon as the order is durable, then the order at its end or why there is none.
type OrderLine struct {
	Taken payterm.OrderID `json:"taken,omitempty"`
	Order *payterm.Order  `json:"order,omitempty"`
	Error string          `json:"error,omitempty"`
	Code  Code            `json:"code,omitempty"`
}

// maxRef is the most letters of a reference.
const maxRef = 64

// CheckRef says what is wrong with a reference, by the name of its field. It is printed:
// signs that command a printer, or break a line, are refused.
func CheckRef(ref string) error {
	if utf8.RuneCountInString(ref) > maxRef {
		return refusef("ref: %d letters are the most", maxRef)
	}
	for _, r := range ref {
		if unicode.IsControl(r) {
			return refusef("ref: it has the control sign %U: letters, digits, signs and blanks are taken", r)
		}
	}
	return nil
}

// ResolveRequest is the body of POST /orders/{id}/resolve.
type ResolveRequest struct {
	Reason string `json:"reason"`
}

func (r *ResolveRequest) check() error {
	if r.Reason == "" {
		return refusef("reason: a resolution needs one")
	}
	return nil
}

// Queue is the answer to GET /queue: what waits for the network, next first.
type Queue struct {
	Queue []payterm.QueueItem `json:"queue"`
}

// ZRequest is the body of POST /totals/z: the supervisor who has typed number and PIN on
// the machine that asks. Without one, or without a body, the PIN is typed at the counter,
// where one guards the Z.
type ZRequest struct {
	Operator string      `json:"operator,omitempty"` // payterm.SharedSupervisor for the PIN without a name
	PIN      counter.PIN `json:"pin,omitempty"`
}

func (r *ZRequest) check() error {
	if (r.Operator == "") != (r.PIN == "") {
		return refusef("operator: it comes with a PIN, and a PIN with an operator")
	}
	return nil
}

// ReconcileRequest is the query of POST /reconcile: a business day, this one where it is
// left out, or a Z.
type ReconcileRequest struct {
	Day    string
	Number int64 // of the Z; 0 for a day
}

// ReconcileLine is a line of the answer to POST /reconcile: how far it is, then the report
// or why there is none.
type ReconcileLine struct {
	Checked int             `json:"checked,omitempty"`
	Of      int             `json:"of,omitempty"`
	Report  *Reconciliation `json:"report,omitempty"`
	Error   string          `json:"error,omitempty"`
	Code    Code            `json:"code,omitempty"`
}

// Reconciliation is what the journal and the gateway say of the sales of a business day, or
// of a Z, and of the sales of which refunds are in it.
type Reconciliation struct {
	Day         string       `json:"day,omitempty"`
	Number      int64        `json:"number,omitempty"` // of the Z
	Sales       int          `json:"sales"`
	Agree       int          `json:"agree"`
	Unknown     int          `json:"unknown"` // the gateway did not tell: neither agreed nor different
	Differences []Difference `json:"differences"`
}

// Difference is one sale about which journal and gateway do not agree, or of which nobody
// can say whether they do.
type Difference struct {
	OrderID      payterm.OrderID   `json:"order_id"`
	What         Differing         `json:"what"`
	Outcome      payterm.Outcome   `json:"outcome"` // in the journal, before it was asked about
	Currency     payterm.Currency  `json:"currency"`
	OursMinor    int64             `json:"ours_minor"`    // paid, or refunded where that differs
	GatewayMinor int64             `json:"gateway_minor"` // likewise
	Answer       string            `json:"answer,omitempty"`
	Gateway      string            `json:"gateway_order_status,omitempty"` // as received
	Why          string            `json:"why,omitempty"`
	Attention    payterm.Attention `json:"attention,omitempty"` // what staff has to decide since then
}

// Differing says in one word what differs.
type Differing string

// The words.
const (
	// DiffersFound had ended unpaid, and is paid: it is on the list of alarms now.
	DiffersFound Differing = "found"
	// DiffersNotPaid is approved here, and the gateway knows no such order.
	DiffersNotPaid Differing = "not_paid"
	// DiffersOutdated says less than the gateway has said before: an old answer, or
	// something was taken back.
	DiffersOutdated Differing = "outdated"
	DiffersAmount   Differing = "amount"   // another amount was paid
	DiffersRefunded Differing = "refunded" // another amount went back
	DiffersUnclear  Differing = "unclear"  // the gateway says what fits nothing
	DiffersOpen     Differing = "open"     // not final here either; the terminal goes on asking
	DiffersUnknown  Differing = "unknown"  // the gateway did not tell
)

// Status is the answer to GET /status. Of the two embedded parts there is one.
type Status struct {
	State string `json:"state"`
	// Waits is what a terminal without a merchant waits for, or what a parcel that has come
	// does.
	Waits string `json:"waits"`
	*Running
	*Setup
}

// Running is the status of a terminal that sells, or would if its journal were open.
type Running struct {
	MerchantID string           `json:"merchant_id"`
	Currency   payterm.Currency `json:"currency"`
	OrderID    payterm.OrderID  `json:"order_id"`
	Operator   string           `json:"operator"`
	// Network is how the last exchange with the gateway went, and NetworkAgeMS how long ago
	// that was; null where there was none since the start. Link is how far this machine has
	// the way by itself: interface, address, route.
	Network      counter.Network        `json:"network"`
	NetworkAgeMS *int64                 `json:"network_age_ms"`
	Link         counter.Network        `json:"link"`
	Queue        int                    `json:"queue"`
	Doubts       int                    `json:"doubts"`
	LatePayments int                    `json:"late_payments"`
	Alarms       int                    `json:"alarms"`
	Paper        payterm.PaperCondition `json:"paper"`
	Unprinted    int                    `json:"unprinted"`
	Fault        string                 `json:"fault"`
	Devices      map[string]string      `json:"devices"` // why those are not there that the profile names
	Training     bool                   `json:"training"`
	Notice       *Notice                `json:"notice"`
}

// Setup is the status of a terminal that waits for a parcel.
type Setup struct {
	Device string `json:"device"` // its code, for payterm provision make --for
	Board  string `json:"board"`
}

// The states of a terminal that waits for a parcel.
const (
	StateUnprovisioned = "unprovisioned" // it has never had one
	StateProvisioning  = "provisioning"  // it sells, and is being asked for a newer one's code
)

// Notice is the body of POST /notice, which the socket alone takes: what the machine's
// system has to tell whoever stands before the terminal.
type Notice struct {
	Notice screen.Notice  `json:"notice"`
	Reason screen.Refusal `json:"reason,omitempty"`
}

// check says what is wrong with a notice, naming the field.
func (n *Notice) check() error {
	allowed := n.Notice.Refusals()
	switch {
	case !slices.Contains(screen.Notices, n.Notice):
		return refusef("notice %.20q: one of %s", n.Notice, wordsOf(screen.Notices))
	case n.Reason != "" && allowed == nil:
		return refusef("reason: %s has none", n.Notice)
	case allowed != nil && !slices.Contains(allowed, n.Reason):
		return refusef("reason %.20q: %s needs one of %s", n.Reason, n.Notice, wordsOf(allowed))
	}
	return nil
}

func wordsOf[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = string(w)
	}
	return strings.Join(words, ", ")
}

// TrainingRequest is the body of POST /training. The answer may be lost with the terminal
// that gives it: GET /status says what came of it.
type TrainingRequest struct {
	On bool `json:"on"`
}

// DoctorRequest is the query of POST /doctor.
type DoctorRequest struct {
	// Tests are the devices that a person is asked to try out first; none for none.
	Tests []string
	Step  time.Duration // how long each step of a test waits for somebody
	Print bool          // the report on the terminal's own paper as well
}

// Devices are what a board may have, in the order of the report; each can be tried out.
var Devices = []string{"display", "keypad", "scanner", "printer", "buzzer"}

// How long a step of a test waits for somebody.
const (
	DefaultStep = 30 * time.Second
	MaxStep     = time.Minute // less than the counter waits for the next trial
)

// Report is what the doctor found.
type Report struct {
	At     time.Time `json:"at,omitzero"`
	OK     bool      `json:"ok"` // nothing failed
	Checks []Check   `json:"checks"`
}

// Check is one finding. Says tells what is so, and with Fail or Warn what to do.
type Check struct {
	Name   string `json:"name"`
	Result Result `json:"result"`
	Says   string `json:"says,omitempty"`
	TookMS int64  `json:"took_ms,omitempty"`
	Errors int    `json:"errors,omitempty"` // of a device, since the terminal's start
}

// Result is how a check ended.
type Result string

// The results.
const (
	OK   Result = "ok"
	Warn Result = "warn"
	Fail Result = "fail"
	Skip Result = "skip" // a test that a person left
	None Result = "none" // the board has no such device
)

// refusef is a value that is understood and not taken.
func refusef(format string, args ...any) error {
	return &Error{Code: Invalid, Message: fmt.Sprintf(format, args...)}
}

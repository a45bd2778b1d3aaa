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
	// Currency of the amount; the merchant's if empty.
	Currency payterm.Currency `json:"currency,omitempty"`
}

// check refuses invalid values by the field's name.
func (r *SaleRequest) check() error {
	switch {
	case r.Mode != payterm.Passive && r.Mode != payterm.Active:
		return refusef("mode %q: passive or active", r.Mode)
	case r.AmountMinor <= 0 || r.AmountMinor > payterm.MaxMinor:
		return refusef("amount: more than nothing")
	case r.TipMinor < 0 || r.TipMinor > payterm.MaxMinor:
		return refusef("tip: it cannot be negative")
	case r.Wallet != "" && !r.Wallet.Valid():
		return refusef("wallet %q: %s", r.Wallet, payterm.Either(payterm.Channels...))
	case r.Mode == payterm.Active && r.Wallet == "":
		return refusef("wallet: Active Mode needs one: %s", payterm.Either(payterm.Channels...))
	}
	return nil
}

// RefundRequest is the body of POST /orders/{id}/refund. A missing amount means all that is left
// of the sale; an amount of 0 is an error.
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

// OrderLine is a line of the answer to a sale or refund: first Taken with the order id, as soon
// as the order is durable, then the order at its end, or the reason why there is none.
type OrderLine struct {
	Taken payterm.OrderID `json:"taken,omitempty"`
	Order *payterm.Order  `json:"order,omitempty"`
	*Error
}

// maxRef is the longest reference, in characters.
const maxRef = 64

// CheckRef checks a reference, by the field's name. References are printed, so control characters
// are refused.
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

// CancelRequest is the body of POST /cancel.
type CancelRequest struct {
	// OrderID is the only order to end; empty for whatever is at the counter.
	OrderID payterm.OrderID `json:"order_id,omitempty"`
}

func (r *CancelRequest) check() error {
	if r.OrderID != "" && !r.OrderID.Valid() {
		return refusef("order id %.40q: 1 to 20 of A-Z and 0-9", r.OrderID)
	}
	return nil
}

// SettleRequest is the body of POST /settle.
type SettleRequest struct {
	IdempotencyKey payterm.IdempotencyKey `json:"idempotency_key"`
}

func (r *SettleRequest) check() error {
	if r.IdempotencyKey == "" {
		return refusef("idempotency_key: it names the request")
	}
	return nil
}

// Settlement is the answer to POST /settle.
type Settlement struct {
	State SettlementState `json:"state"`
	// Order is the key's order; missing while the request waits at the counter, and where nothing
	// began.
	Order *payterm.Order `json:"order,omitempty"`
}

// SettlementState is what became of a request.
type SettlementState string

// The states.
const (
	SettledOpen  SettlementState = "open"        // it waits at the counter, or its order is open: ask again
	SettledDone  SettlementState = "done"        // the order has ended
	SettledNever SettlementState = "never_began" // a promise: the key has no order, and gets none
)

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

// Queue is the answer to GET /queue: what waits for the network, the next inquiry first.
type Queue struct {
	Queue []payterm.QueueItem `json:"queue"`
}

// ZRequest is the body of POST /totals/z: number and PIN of a supervisor, typed on the caller's
// machine. Without them the PIN is typed at the counter, if a Z needs one.
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

// ReconcileRequest is the query of POST /reconcile: a business day, by default the current one,
// or a Z.
type ReconcileRequest struct {
	Day    string
	Number int64 // of the Z; 0 for a day
}

// ReconcileLine is a line of the answer to POST /reconcile: progress, then the report or an
// error.
type ReconcileLine struct {
	Checked int             `json:"checked,omitempty"`
	Of      int             `json:"of,omitempty"`
	Report  *Reconciliation `json:"report,omitempty"`
	*Error
}

// Reconciliation compares journal and gateway for the sales of a business day or a Z, and the
// sales of its refunds.
type Reconciliation struct {
	Day         string       `json:"day,omitempty"`
	Number      int64        `json:"number,omitempty"` // of the Z
	Sales       int          `json:"sales"`
	Agree       int          `json:"agree"`
	Unknown     int          `json:"unknown"` // the gateway gave no answer
	Differences []Difference `json:"differences"`
}

// Difference is a sale about which journal and gateway differ, or for which that is unknown.
type Difference struct {
	OrderID      payterm.OrderID   `json:"order_id"`
	What         Differing         `json:"what"`
	Outcome      payterm.Outcome   `json:"outcome"` // in the journal, before the question
	Currency     payterm.Currency  `json:"currency"`
	OursMinor    int64             `json:"ours_minor"`    // paid, or refunded if that differs
	GatewayMinor int64             `json:"gateway_minor"` // likewise
	Answer       string            `json:"answer,omitempty"`
	Gateway      string            `json:"gateway_order_status,omitempty"` // as received
	Why          string            `json:"why,omitempty"`
	Attention    payterm.Attention `json:"attention,omitempty"` // what staff has to decide as a result
}

// Differing is the kind of difference.
type Differing string

// The kinds.
const (
	// DiffersFound: ended unpaid, and turned out paid; it has an alarm now.
	DiffersFound Differing = "found"
	// DiffersNotPaid: approved here, unknown to the gateway.
	DiffersNotPaid Differing = "not_paid"
	// DiffersOutdated: the gateway says less than before: an out-of-date answer, or something was
	// taken back.
	DiffersOutdated Differing = "outdated"
	DiffersAmount   Differing = "amount"   // another amount was paid
	DiffersRefunded Differing = "refunded" // another amount was refunded
	DiffersUnclear  Differing = "unclear"  // the gateway's answer fits nothing
	DiffersOpen     Differing = "open"     // not final here yet; it is still asked about
	DiffersUnknown  Differing = "unknown"  // the gateway gave no answer
)

// Status is the answer to GET /status. One of the two embedded parts is set.
type Status struct {
	State counter.State `json:"state"`
	// Waits is what a terminal without a merchant waits for, or what a new parcel waits for.
	Waits string `json:"waits"`
	*Running
	*Setup
}

// Running is the status of a terminal that sells, or would with an open journal.
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
	Devices      map[string]string      `json:"devices"` // why devices of the profile are missing
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
	StateUnprovisioned counter.State = "unprovisioned" // it never had a parcel
	StateProvisioning  counter.State = "provisioning"  // it sells, and the code of a new parcel is asked for
)

// Notice is the body of POST /notice, on the socket only: a notice of the operating system for
// the screen.
type Notice struct {
	Notice screen.Notice  `json:"notice"`
	Reason screen.Refusal `json:"reason,omitempty"`
}

// check checks a notice, by the field's name.
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

// TrainingRequest is the body of POST /training. The answer may be lost when the agent ends; GET
// /status has the result.
type TrainingRequest struct {
	On bool `json:"on"`
}

// DoctorRequest is the query of POST /doctor.
type DoctorRequest struct {
	// Tests are the devices to test with a person first; empty for none.
	Tests []string
	Step  time.Duration // how long each step of a test waits for a person
	Print bool          // also print the report
}

// Devices are the possible devices of a board, in the order of the report; each can be tested.
var Devices = []string{"display", "keypad", "scanner", "printer", "buzzer"}

// How long a step of a test waits for a person.
const (
	DefaultStep = 30 * time.Second
	MaxStep     = time.Minute // less than the counter's limit for a trial
)

// Report is the doctor's report.
type Report struct {
	At     time.Time `json:"at,omitzero"`
	OK     bool      `json:"ok"` // nothing failed
	Checks []Check   `json:"checks"`
}

// Check is one finding. Says is the state, and with Fail or Warn what to do.
type Check struct {
	Name   string `json:"name"`
	Result Result `json:"result"`
	Says   string `json:"says,omitempty"`
	TookMS int64  `json:"took_ms,omitempty"`
	Errors int    `json:"errors,omitempty"` // of a device, since the start
}

// Result is the result of a check.
type Result string

// The results.
const (
	OK   Result = "ok"
	Warn Result = "warn"
	Fail Result = "fail"
	Skip Result = "skip" // a test that was left
	None Result = "none" // the board has no such device
)

// refusef is an error for a valid JSON value that is refused.
func refusef(format string, args ...any) error {
	return &Error{Code: Invalid, Message: fmt.Sprintf(format, args...)}
}

package main

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"payterm"
)

// Every fault of the simulator, through a whole terminal: key matrix, scanner line, journal,
// HTTP. An order's outcome depends on what can be believed of the replies, and a payment is
// written once.

// quick shortens the customer's waiting times and disables the background ladder: later inquiries
// are asked for explicitly.
const quick = `
first_inquiry = "100ms"
inquiry_interval = "100ms"
inquiry_jitter = "0ms"
active_display = "10s"
ladder = ["1h"]
`

// mishap is one sale with faults.
type mishap struct {
	pay, query string // faults, as "name" or "name ms"; "" for none
	password   bool   // the wallet waits for a password
	want       payterm.Outcome
	reason     payterm.Reason
	// later is the outcome of an order in doubt after an inquiry without faults. Empty: it stays
	// in doubt.
	later payterm.Outcome
}

func (m mishap) String() string {
	name := m.pay
	if name == "" {
		name = "none"
	}
	if m.query != "" {
		name += ", query " + m.query
	}
	if m.password {
		name += ", password"
	}
	return name
}

const (
	approved, declined = payterm.Approved, payterm.Declined
	inDoubt, notSent   = payterm.InDoubt, payterm.NotSent
)

// The request was carried out, but its reply was lost or is not believable: an inquiry finds the
// payment.
var passiveLost = []mishap{
	{want: approved},
	{pay: "delay 200", want: approved},
	{pay: "base64_body", want: approved},
	{pay: "delay 2500", want: approved},
	{pay: "drop_after_apply", want: approved},
	{pay: "truncated", want: approved},
	{pay: "slow_body", want: approved},
	{pay: "huge_body", want: approved},
	{pay: "bad_digest", want: approved},
	{pay: "wrong_key", want: approved},
	{pay: "wrong_order_id", want: approved},
	{pay: "wrong_amount", want: approved},
	{pay: "duplicate_json_key", want: approved},
	{pay: "drop_after_apply", query: "delay 200", want: approved},
	{pay: "drop_after_apply", query: "base64_body", want: approved},
	// Genuine replies in other forms: an inquiry's reply may omit the order id, a payment's may
	// not, and an amount may be a double. Without an amount nothing is approved.
	{pay: "no_order_id", want: approved},
	{pay: "no_amount", want: approved},
	{pay: "double_amount", want: approved},
	{pay: "drop_after_apply", query: "no_order_id", want: approved},
	{pay: "drop_after_apply", query: "double_amount", want: approved},
	// A second "success" key in the reply of an unconfirmed payment.
	{pay: "duplicate_json_key", password: true, want: inDoubt, reason: payterm.ReasonNoAnswer, later: declined},
	{pay: "code:AUTH_CODE_INVALID", want: declined, reason: payterm.ReasonCodeInvalid},
	{pay: "code:PWD_INCORRECT", want: declined, reason: payterm.ReasonWrongPassword},
	{pay: "code:PARAM_INVALID", want: notSent, reason: payterm.ReasonRejected},
	{pay: "code:PARAM_ERROR", want: notSent, reason: payterm.ReasonRejected},
	// An unanswered inquiry declines nothing.
	{pay: "code:AUTH_CODE_INVALID", query: "drop_before_apply", want: inDoubt, reason: payterm.ReasonNoAnswer,
		later: declined},
	// An answer with an unknown word declines nothing.
	{pay: "code:AUTH_CODE_INVALID", query: "code:TOO_MANY_REQUESTS", want: inDoubt, reason: payterm.ReasonNoAnswer,
		later: declined},
}

// The request did not reach the gateway, or that is unknown.
var passiveUnknown = []mishap{
	{pay: "drop_before_apply", want: inDoubt, reason: payterm.ReasonNoAnswer},
	{pay: "http_500", want: inDoubt, reason: payterm.ReasonNoAnswer},
	{pay: "html_200", want: inDoubt, reason: payterm.ReasonNoAnswer},
	{pay: "redirect", want: inDoubt, reason: payterm.ReasonNoAnswer},
	{pay: "empty", want: inDoubt, reason: payterm.ReasonNoAnswer},
	{pay: "code:SYSTEM_ERROR", want: inDoubt, reason: payterm.ReasonNoAnswer},
	{pay: "code:FAIL", want: inDoubt, reason: payterm.ReasonNoAnswer},
	{pay: "code:ORDER_USED", want: inDoubt, reason: payterm.ReasonNoAnswer},
	{pay: "code:ORDER_PAID", want: inDoubt, reason: payterm.ReasonNoAnswer},
}

// The payment succeeded, its reply was lost, and inquiries fail until somebody asks again.
var queryTrouble = []mishap{
	{query: "drop_before_apply", want: inDoubt, later: approved},
	{query: "drop_after_apply", want: inDoubt, later: approved},
	{query: "http_500", want: inDoubt, later: approved},
	{query: "html_200", want: inDoubt, later: approved},
	{query: "redirect", want: inDoubt, later: approved},
	{query: "empty", want: inDoubt, later: approved},
	{query: "truncated", want: inDoubt, later: approved},
	{query: "slow_body", want: inDoubt, later: approved},
	{query: "huge_body", want: inDoubt, later: approved},
}

var queryForged = []mishap{
	{query: "bad_digest", want: inDoubt, later: approved},
	{query: "wrong_key", want: inDoubt, later: approved},
	{query: "wrong_order_id", want: inDoubt, later: approved},
	{query: "wrong_amount", want: inDoubt, later: approved},
	{query: "duplicate_json_key", want: inDoubt, later: approved},
	{query: "duplicate_json_key", password: true, want: inDoubt, later: declined},
	{query: "code:SYSTEM_ERROR", want: inDoubt, later: approved},
	{query: "code:FAIL", want: inDoubt, later: approved},
	{query: "code:AUTH_CODE_INVALID", want: inDoubt, later: approved},
	{query: "code:ORDER_NOT_EXIST", want: inDoubt, later: approved},
	{query: "code:TOO_MANY_REQUESTS", want: inDoubt, later: approved},
	{query: "no_amount", want: inDoubt, later: approved},
}

// In Active Mode a reply without an authentic code ends the sale: nobody can have seen a code.
var active = []mishap{
	{want: approved},
	{pay: "delay 200", want: approved},
	{pay: "base64_body", want: approved},
	{pay: "wrong_amount", want: approved}, // its reply has no amount
	{pay: "no_amount", want: approved},
	{pay: "double_amount", want: approved},
	{pay: "no_order_id", want: notSent, reason: payterm.ReasonNoCode},
	{pay: "drop_before_apply", want: notSent, reason: payterm.ReasonNoCode},
	{pay: "drop_after_apply", want: notSent, reason: payterm.ReasonNoCode},
	{pay: "delay 4000", want: notSent, reason: payterm.ReasonNoCode},
	{pay: "http_500", want: notSent, reason: payterm.ReasonNoCode},
	{pay: "html_200", want: notSent, reason: payterm.ReasonNoCode},
	{pay: "redirect", want: notSent, reason: payterm.ReasonNoCode},
	{pay: "empty", want: notSent, reason: payterm.ReasonNoCode},
	{pay: "truncated", want: notSent, reason: payterm.ReasonNoCode},
	{pay: "slow_body", want: notSent, reason: payterm.ReasonNoCode},
	{pay: "huge_body", want: notSent, reason: payterm.ReasonNoCode},
	{pay: "bad_digest", want: notSent, reason: payterm.ReasonNoCode},
	{pay: "wrong_key", want: notSent, reason: payterm.ReasonNoCode},
	{pay: "wrong_order_id", want: notSent, reason: payterm.ReasonNoCode},
	{pay: "duplicate_json_key", want: notSent, reason: payterm.ReasonNoCode},
	{pay: "code:SYSTEM_ERROR", want: notSent, reason: payterm.ReasonNoCode},
	{pay: "code:AUTH_CODE_INVALID", want: notSent, reason: payterm.ReasonNoCode},
	{pay: "code:PARAM_INVALID", want: notSent, reason: payterm.ReasonRejected},
	{pay: "code:ORDER_USED", want: inDoubt, reason: payterm.ReasonClash},
	{pay: "code:ORDER_PAID", want: inDoubt, reason: payterm.ReasonClash},
}

func TestFaults(t *testing.T) {
	for _, g := range []struct {
		name          string
		mode          payterm.Mode
		http, counter string // time-outs: short where many orders have to wait for them
		mishaps       []mishap
	}{
		{"passive lost", payterm.Passive, "1s", "6s", passiveLost},
		{"passive unknown", payterm.Passive, "1s", "2s", passiveUnknown},
		{"query trouble", payterm.Passive, "1s", "2s", queryTrouble},
		{"query forged", payterm.Passive, "1s", "2s", queryForged},
		{"active", payterm.Active, "3s", "2s", active},
	} {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, quick+"http_timeout = \""+g.http+"\"\npassive_counter = \""+g.counter+"\"\n")
			for i, m := range g.mishaps {
				if strings.HasPrefix(g.name, "query") {
					m.pay = "drop_after_apply"
				}
				s.suffer(m, g.mode, i+1)
			}
			s.audit()
		})
	}
}

// suffer makes a sale of n dollars, an amount used once, and checks its outcome.
func (s *shop) suffer(m mishap, mode payterm.Mode, n int) {
	s.t.Helper()
	action := map[payterm.Mode]string{payterm.Passive: "PASSIVEPAY", payterm.Active: "ACTIVEPAY"}[mode]
	s.faults(action, m.pay, 1)
	s.faults("STATUS_QUERY", m.query, 0) // until it is deleted
	args := []string{"--mode", string(mode), "--amount", fmt.Sprintf("%d.00", n)}
	if mode == payterm.Active {
		args = append(args, "--wallet", "ALIPAY")
	}
	sale := s.begin(args...)
	switch {
	case mode == payterm.Passive:
		s.waitScreen("scan")
		s.scan(s.wallet("ALIPAY", m.password))
	case m.want == approved:
		s.waitScreen("show_code")
		l := s.ledger()
		s.post(s.sim+"/sim/orders/"+l[len(l)-1].ID+"/pay", nil)
	}
	_, o := sale.end()
	s.call("DELETE", s.sim+"/sim/faults", nil)
	if o.Outcome != m.want || m.reason != "" && o.Reason != m.reason {
		s.t.Errorf("%v: %s %s, want %s %s", m, o.Outcome, o.Reason, m.want, m.reason)
	}
	if m.want == inDoubt && m.later != "" {
		if m.password {
			s.post(s.sim+"/sim/orders/"+string(o.ID)+"/decline", nil)
		}
		// A question during a running inquiry gets that inquiry's answer, so ask again.
		for end := time.Now().Add(never); o.Outcome == inDoubt && time.Now().Before(end); {
			o = s.status(o.ID)
		}
		if o.Outcome != m.later {
			s.t.Errorf("%v: later %s %s, want %s", m, o.Outcome, o.Reason, m.later)
		}
	}
	for _, l := range s.ledger() {
		if l.ID == string(o.ID) && l.payments() == 1 {
			return
		}
	}
	s.t.Errorf("%v: order %s is not in the ledger with one payment request: %+v", m, o.ID, s.ledger())
}

// audit compares ledger and journal.
func (s *shop) audit() {
	s.t.Helper()
	for _, d := range discrepancies(s.orders(), s.ledger()) {
		s.t.Error(d)
	}
}

// discrepancies lists where ledger and journal differ: what was paid is approved or still asked
// about, what is approved was paid with the same amount, and no payment was requested twice or
// without a row.
func discrepancies(orders []payterm.Order, ledger []row) []string {
	var bad []string
	rows := map[payterm.OrderID]row{}
	for _, l := range ledger {
		rows[payterm.OrderID(l.ID)] = l
		if !slices.ContainsFunc(orders, func(o payterm.Order) bool { return string(o.ID) == l.ID }) {
			bad = append(bad, "not in the journal: "+l.ID)
		}
	}
	for _, o := range orders {
		l := rows[o.ID]
		paid := l.Status == "success"
		switch {
		case l.payments() > 1:
			bad = append(bad, fmt.Sprintf("requested %d times: %s", l.payments(), o.ID))
		case o.Outcome == approved && (!paid || l.Paid != o.PaidMinor || l.Paid != o.Total().Minor):
			bad = append(bad, fmt.Sprintf("approved over %d of %s, the gateway has %s over %d: %s", o.PaidMinor,
				o.Total(), l.Status, l.Paid, o.ID))
		case paid && o.Outcome != approved && o.Outcome != inDoubt:
			bad = append(bad, fmt.Sprintf("%s, but paid: %s", o.Outcome, o.ID))
		}
	}
	return bad
}

// TestDiscrepancies plants what audit has to find.
func TestDiscrepancies(t *testing.T) {
	t.Parallel()
	order := func(outcome payterm.Outcome, paid int64) payterm.Order {
		return payterm.Order{ID: "T1AAAAA000001", AmountMinor: 500, Currency: "CAD", Outcome: outcome, PaidMinor: paid}
	}
	ledger := func(status string, paid int64, actions ...string) row {
		l := row{ID: "T1AAAAA000001", Status: status, Paid: paid}
		for _, a := range actions {
			l.Requests = append(l.Requests, request{Action: a})
		}
		return l
	}
	for _, c := range []struct {
		order  payterm.Order
		ledger row
		want   string
	}{
		{order(approved, 500), ledger("success", 500, "PASSIVEPAY", "STATUS_QUERY", "STATUS_QUERY"), ""},
		{order(inDoubt, 0), ledger("success", 500, "PASSIVEPAY"), ""},
		{order(declined, 0), ledger("failure", 0, "PASSIVEPAY"), ""},
		{order(approved, 500), ledger("success", 500, "PASSIVEPAY", "PASSIVEPAY"), "requested 2 times"},
		{order(approved, 500), ledger("notpay", 0, "ACTIVEPAY"), "approved over"},
		{order(approved, 1), ledger("success", 500, "PASSIVEPAY"), "approved over"},
		{order(approved, 400), ledger("success", 400, "PASSIVEPAY"), "approved over"},
		{order(declined, 0), ledger("success", 500, "PASSIVEPAY"), "but paid"},
		{order(notSent, 0), ledger("success", 500, "ACTIVEPAY"), "but paid"},
	} {
		found := strings.Join(discrepancies([]payterm.Order{c.order}, []row{c.ledger}), "; ")
		if (found == "") != (c.want == "") || !strings.Contains(found, c.want) {
			t.Errorf("%+v, %+v: %q, want %q", c.order, c.ledger, found, c.want)
		}
	}
	if found := discrepancies(nil, []row{ledger("success", 500, "PASSIVEPAY")}); len(found) != 1 {
		t.Errorf("an order without a journal: %q", found)
	}
}

// faults plants a fault, "name" or "name milliseconds", this many times; 0 means until it is
// deleted.
func (s *shop) faults(action, fault string, times int) {
	s.t.Helper()
	if fault == "" {
		return
	}
	name, text, timed := strings.Cut(fault, " ")
	ms, err := strconv.Atoi(text)
	if timed && err != nil {
		s.t.Fatal(err)
	}
	s.post(s.sim+"/sim/faults", map[string]any{"action": action, "fault": name, "times": times, "ms": ms})
}

// status asks for one order, which inquires if it is open.
func (s *shop) status(id payterm.OrderID) payterm.Order {
	s.t.Helper()
	out, err := exec.Command(filepath.Join(bin, "payterm"), "status", "--json", "--data", s.data, string(id)).Output()
	var o payterm.Order
	if err != nil || json.Unmarshal(out, &o) != nil {
		s.t.Fatalf("status %s: %s %v", id, out, err)
	}
	return o
}

// TestEveryFaultIsSuffered compares the tables with the simulator's list.
func TestEveryFaultIsSuffered(t *testing.T) {
	t.Parallel()
	s := newShop(t, quick)
	status, text := s.try("POST", s.sim+"/sim/faults", map[string]any{"action": "*", "fault": "?"})
	_, list, ok := strings.Cut(text, "one of ")
	if status != 400 || !ok {
		t.Fatalf("HTTP %d %s", status, text)
	}
	list, _, _ = strings.Cut(list, ", code:WORD")
	names := strings.Split(list, ", ")
	if len(names) < 10 {
		t.Fatalf("%q", names)
	}
	for what, tables := range map[string][]mishap{
		"PASSIVEPAY":   slices.Concat(passiveLost, passiveUnknown),
		"ACTIVEPAY":    active,
		"STATUS_QUERY": slices.Concat(passiveLost, queryTrouble, queryForged),
	} {
		for _, name := range append(names, "no_order_id", "no_amount", "double_amount") {
			found := false
			for _, m := range tables {
				fault, _, _ := strings.Cut(m.pay, " ")
				if what == "STATUS_QUERY" {
					fault, _, _ = strings.Cut(m.query, " ")
				}
				found = found || fault == name
			}
			if !found {
				t.Errorf("%s never suffers %s", what, name)
			}
		}
	}
}

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

	"payterm"
)

// Every fault of the simulator, through the whole terminal: key matrix, scanner
// line, journal, HTTP. What an order may end as is a matter of what the gateway
// can be believed to have said, and a payment is written once, come what may.

// quick shortens what a customer waits for and silences the background ladder:
// what comes later is asked for by name.
const quick = `
first_inquiry = "100ms"
inquiry_interval = "100ms"
inquiry_jitter = "0ms"
passive_counter = "3s"
http_timeout = "1s"
ladder = ["1h"]
`

// mishap is one sale with what goes wrong.
type mishap struct {
	pay, query string // faults, as "name" or "name ms"; "" for none
	password   bool   // the wallet waits for its customer
	want       payterm.Outcome
	reason     payterm.Reason
	// Of an order in doubt: what it turns out to be once the query's fault is
	// gone and somebody asks. Empty: it stays in doubt.
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

// The request was carried out, and its reply was lost or cannot be believed: an
// inquiry finds the payment.
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
	// "success" is planted in the reply of a payment that nobody has confirmed.
	{pay: "duplicate_json_key", password: true, want: inDoubt, reason: payterm.ReasonNoAnswer, later: declined},
	{pay: "code:AUTH_CODE_INVALID", want: declined, reason: payterm.ReasonCodeInvalid},
	{pay: "code:PWD_INCORRECT", want: declined, reason: payterm.ReasonWrongPassword},
	{pay: "code:PARAM_INVALID", want: notSent, reason: payterm.ReasonRejected},
	{pay: "code:PARAM_ERROR", want: notSent, reason: payterm.ReasonRejected},
	// A query that gets no answer declines nothing.
	{pay: "code:AUTH_CODE_INVALID", query: "drop_before_apply", want: inDoubt, reason: payterm.ReasonNoAnswer, later: declined},
}

// The request never reached the gateway, or nobody says whether it did.
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

// The payment went through, its reply was lost, and the inquiries meet trouble
// until somebody asks again.
var queryTrouble = []mishap{
	{query: "delay 200", want: approved},
	{query: "base64_body", want: approved},
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
}

// In Active Mode a reply that does not bring an authentic code ends the sale:
// nobody can have seen one.
var active = []mishap{
	{want: approved},
	{pay: "delay 200", want: approved},
	{pay: "base64_body", want: approved},
	{pay: "wrong_amount", want: approved}, // its reply has no amount to be wrong
	{pay: "drop_before_apply", want: notSent, reason: payterm.ReasonNoCode},
	{pay: "drop_after_apply", want: notSent, reason: payterm.ReasonNoCode},
	{pay: "delay 2500", want: notSent, reason: payterm.ReasonNoCode},
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
		name    string
		mode    payterm.Mode
		mishaps []mishap
	}{
		{"passive lost", payterm.Passive, passiveLost},
		{"passive unknown", payterm.Passive, passiveUnknown},
		{"query trouble", payterm.Passive, queryTrouble},
		{"query forged", payterm.Passive, queryForged},
		{"active", payterm.Active, active},
	} {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, quick)
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

// suffer makes one sale of n dollars, unlike any other, and sees how it ends.
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
		if o = s.status(o.ID); o.Outcome != m.later {
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

// audit compares ledger and journal: what was paid is approved or still asked
// about, what is approved was paid, and no payment was requested twice.
func (s *shop) audit() {
	s.t.Helper()
	journal := map[string]payterm.Order{}
	for _, o := range s.orders() {
		journal[string(o.ID)] = o
	}
	ledger := s.ledger()
	if len(ledger) < len(journal) {
		s.t.Errorf("%d orders in the ledger, %d in the journal", len(ledger), len(journal))
	}
	for _, l := range ledger {
		o, known := journal[l.ID]
		paid := l.Status == "success"
		switch {
		case !known || l.payments() > 1:
			s.t.Errorf("ledger %+v, journal %+v", l, o)
		case (o.Outcome == approved) != paid && o.Outcome != inDoubt:
			s.t.Errorf("paid %v, journal %s %s: order %s", paid, o.Outcome, o.Reason, l.ID)
		}
	}
}

// faults plants a fault, "name" or "name milliseconds", so many times; 0 is until
// it is deleted.
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

// status asks for one order, which inquires when it is open.
func (s *shop) status(id payterm.OrderID) payterm.Order {
	s.t.Helper()
	out, err := exec.Command(filepath.Join(bin, "payterm"), "status", "--json", "--data", filepath.Join(s.dir, "data"), string(id)).Output()
	var o payterm.Order
	if err != nil || json.Unmarshal(out, &o) != nil {
		s.t.Fatalf("status %s: %s %v", id, out, err)
	}
	return o
}

// TestEveryFaultIsSuffered holds the tables against the simulator's own list.
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
		"STATUS_QUERY": slices.Concat(queryTrouble, queryForged),
	} {
		for _, name := range names {
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

package ottsim

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// contract lists the faults under their public names, which other programs use.
var contract = []string{
	"drop_before_apply", "drop_after_apply", "delay", "http_500", "html_200", "redirect", "empty", "truncated",
	"slow_body",
	"huge_body", "base64_body", "bad_digest", "wrong_key", "wrong_order_id", "wrong_amount", "duplicate_json_key",
}

func TestFaultNames(t *testing.T) {
	known := slices.Concat(faultsBefore, faultsAfter)
	if a, b := slices.Sorted(slices.Values(contract)), slices.Sorted(slices.Values(known)); !slices.Equal(a, b) {
		t.Errorf("%v\n%v", a, b)
	}
	s := newShop(t)
	for _, name := range append(slices.Concat(contract, faultsWritten), "code:FAIL", "code:A_1") {
		for _, action := range []string{"ACTIVEPAY", "PASSIVEPAY", "STATUS_QUERY", "REFUND", "EX_RATE_QUERY", "*"} {
			s.control(200, "POST", "/sim/faults", `{"action":"`+action+`","fault":"`+name+`","times":1,"ms":1}`)
		}
		s.control(200, "DELETE", "/sim/faults", "")
	}
	for _, bad := range []string{
		``, `{}`, `{"action":"CANCEL","fault":"empty"}`, `{"action":"*","fault":"fire"}`,
		`{"action":"*","fault":"code:"}`,
		`{"action":"*","fault":"code:fail"}`, `{"action":"*","fault":"code:A B"}`,
		`{"action":"*","fault":"empty","times":-1}`,
		`{"action":"*","fault":"delay"}`, `{"action":"*","fault":"delay","ms":-1}`,
		`{"action":"*","fault":"delay","ms":120001}`,
		`{"action":"*","fault":"empty","often":1}`, `{"action":"*","fault":"empty"}{}`,
	} {
		if s.control(400, "POST", "/sim/faults", bad)["error"] == "" {
			t.Errorf("%s is refused without a reason", bad)
		}
	}
	for range maxFaults {
		s.control(200, "POST", "/sim/faults", `{"action":"*","fault":"empty"}`)
	}
	s.control(507, "POST", "/sim/faults", `{"action":"*","fault":"empty"}`)
}

// TestFaultTimes: a fault happens as often as requested, only to its action, and in the order of the requests.
func TestFaultTimes(t *testing.T) {
	s := newShop(t)
	word := func(action string) string {
		t.Helper()
		w := s.call("POST", "/processV2", envelope(action, map[string]string{"order_id": "X", "fee_type": "CAD"}))
		code, _ := opened(t, w.Body.Bytes())
		return code
	}
	s.control(200, "POST", "/sim/faults", `{"action":"STATUS_QUERY","fault":"code:FIRST","times":2}`)
	s.control(200, "POST", "/sim/faults", `{"action":"STATUS_QUERY","fault":"code:SECOND"}`)
	s.control(200, "POST", "/sim/faults", `{"action":"*","fault":"code:EVER","times":0,"hits":7}`)
	s.want("another action", word("EX_RATE_QUERY"), "EVER")
	for _, want := range []string{"FIRST", "FIRST", "SECOND", "EVER", "EVER"} {
		s.want("in turn", word("STATUS_QUERY"), want)
	}
	list := s.control(200, "GET", "/sim/faults", "")["faults"].([]any)
	if len(list) != 1 || list[0].(map[string]any)["hits"] != 3.0 || list[0].(map[string]any)["fault"] != "code:EVER" {
		t.Errorf("%v", list)
	}
	if list := s.control(200, "DELETE", "/sim/faults", "")["faults"].([]any); len(list) != 0 {
		t.Errorf("%v", list)
	}
	s.want("deleted", word("EX_RATE_QUERY"), "SUCCESS")
}

// heard is what a client sees of a reply.
type heard struct {
	status int
	body   string
	broken bool // the connection was closed before the end
	late   bool // the client gave up waiting
}

// listen makes one request over a real connection. If the body comes slowly, it gives up at the first byte.
func listen(ctx context.Context, t *testing.T, url string, body []byte, slow bool) heard {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/processV2", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return heard{broken: ctx.Err() == nil, late: ctx.Err() != nil}
	}
	defer resp.Body.Close()
	var b []byte
	if slow {
		b = make([]byte, 1)
		if _, err := io.ReadFull(resp.Body, b); err != nil {
			t.Error(err)
		}
		time.AfterFunc(50*time.Millisecond, cancel)
	}
	rest, err := io.ReadAll(resp.Body)
	return heard{resp.StatusCode, string(b) + string(rest), err != nil && ctx.Err() == nil, err != nil &&
		ctx.Err() != nil}
}

// TestFaults tries each fault with each action: what the client sees, and whether the request was carried out.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"ACTIVEPAY", "PASSIVEPAY", "STATUS_QUERY", "REFUND", "EX_RATE_QUERY"} {
		for _, name := range append(slices.Concat(contract, faultsWritten), "code:AUTH_CODE_INVALID") {
			t.Run(action+"/"+name, func(t *testing.T) {
				t.Parallel()
				s := newShop(t)
				srv := httptest.NewServer(s)
				defer srv.Close()
				s.passive("SALE", "1000", "ALIPAY", s.code(`{"biz_type":"ALIPAY"}`))
				fields := map[string]map[string]string{
					"ACTIVEPAY": {"order_id": "NEW", "operator_id": "1", "amount": "1", "biz_type": "ALIPAY",
						"call_back_url": "https://example.com/cb"},
					"PASSIVEPAY":    pay("NEW", "1", "ALIPAY", s.code(`{"biz_type":"ALIPAY"}`)),
					"STATUS_QUERY":  {"order_id": "SALE"},
					"REFUND":        {"order_id": "BACK", "ori_order_id": "SALE", "refund_amt": "1"},
					"EX_RATE_QUERY": {"fee_type": "CAD"},
				}[action]
				s.control(200, "POST", "/sim/faults", fmt.Sprintf(`{"action":%q,"fault":%q,"ms":60000}`, action, name))
				ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
				defer cancel()
				if name == "delay" {
					go func() { // cancels once the fault was taken
						for ctx.Err() == nil && len(s.control(200, "GET", "/sim/faults", "")["faults"].([]any)) > 0 {
							time.Sleep(5 * time.Millisecond)
						}
						time.Sleep(20 * time.Millisecond)
						cancel()
					}()
				}
				h := listen(ctx, t, srv.URL, envelope(action, fields), name == "slow_body")
				if wrong := s.misheard(action, name, h); wrong != "" {
					t.Errorf("%s: %.300q", wrong, fmt.Sprint(h))
				}
				srv.Close() // waits until the request was served
				s.mu.Lock()
				defer s.mu.Unlock()
				applied := s.orders["NEW"] != nil || s.orders["SALE"].Refunded == 1
				moves := action == "ACTIVEPAY" || action == "PASSIVEPAY" || action == "REFUND"
				if want := moves && slices.Contains(slices.Concat(faultsAfter, faultsWritten), name); applied != want {
					t.Errorf("carried out: %v, want %v", applied, want)
				}
			})
		}
	}
}

// misheard returns how a reply differs from what its fault promises, or "".
func (s *shop) misheard(action, fault string, h heard) string {
	whole := h.status == 200 && !h.broken && !h.late
	switch fault {
	case "drop_before_apply", "drop_after_apply":
		return unless(h.broken && h.status == 0, "no break")
	case "truncated":
		return unless(h.status == 200 && h.broken && h.body != "", "no break in the middle")
	case "delay":
		return unless(h.late && h.status == 0, "in time")
	case "slow_body":
		return unless(h.late && h.status == 200 && strings.HasPrefix(h.body, "{"), "in time")
	case "http_500":
		return unless(h.status == 500 && !strings.Contains(h.body, "{"), "not 500")
	case "redirect":
		return unless(h.status == 307, "not 307")
	case "empty":
		return unless(whole && h.body == "", "not empty")
	case "html_200":
		return unless(whole && strings.HasPrefix(h.body, "<!doctype html>"), "no page")
	case "huge_body":
		return unless(whole && len(h.body) > 8<<20, "not huge")
	case "code:AUTH_CODE_INVALID":
		return unless(whole && strings.Contains(h.body, `"AUTH_CODE_INVALID"`) && !strings.Contains(h.body, "data"),
			"another code")
	case "base64_body":
		b, err := base64.StdEncoding.DecodeString(h.body)
		return unless(whole && err == nil && json.Valid(b), "no Base64 of JSON")
	}
	return s.misforged(action, fault, h)
}

// misforged checks a reply that is complete and must not be trusted.
func (s *shop) misforged(action, fault string, h heard) string {
	var a answer
	if err := json.Unmarshal([]byte(h.body), &a); err != nil || a.Code != "SUCCESS" || a.Data == "" {
		return "no reply with data"
	}
	plain := string(unseal(s.t, a, testKey))
	if fault == "wrong_key" {
		return unless(!json.Valid([]byte(plain)) && json.Valid(unseal(s.t, a, "FFFFFFFFFFFFFFFF")), "our key opens it")
	}
	fields, flatEnough := flat(s.t, plain)
	if !flatEnough {
		return "data hold what is never written"
	}
	last := fields
	if fault == "duplicate_json_key" { // as by a reader that takes the last key
		last = nil
		for i, f := range fields {
			if !slices.ContainsFunc(fields[i+1:], func(later [2]string) bool { return later[0] == f[0] }) {
				last = append(last, f)
			}
		}
		if len(last) != len(fields)-1 {
			return "no key occurs twice"
		}
	}
	if fits := upperMD5(valuesOf(last)) == a.MD5; fits == (fault == "bad_digest") {
		return "the digest is right or wrong, and should not be"
	}
	holds := func(name, literal string) bool { return slices.Contains(fields, [2]string{name, literal}) }
	switch {
	case fault == "wrong_order_id" && action != "EX_RATE_QUERY": // the reply to a rate has no order id
		return unless(holds("order_id", text("T1ZZZZZ000001")), "the right order id")
	case fault == "wrong_amount":
		return map[string]string{
			"ACTIVEPAY":     "", // the reply has no amount
			"PASSIVEPAY":    unless(holds("total_amount", text("2")), "the right total"),
			"STATUS_QUERY":  unless(holds("total_amount", number(1)), "the right total"),
			"REFUND":        unless(holds("refund_amt", text("2")), "the right amount"),
			"EX_RATE_QUERY": unless(holds("rate", text("1")), "the right rate"),
		}[action]
	}
	return s.miswritten(action, fault, fields)
}

// miswritten checks a reply that is genuine and in another form.
func (s *shop) miswritten(action, fault string, fields [][2]string) string {
	if action == "EX_RATE_QUERY" { // it has no order id and no amount
		return ""
	}
	literal := func(name string) string {
		if i := slices.IndexFunc(fields, func(f [2]string) bool { return f[0] == name }); i >= 0 {
			return fields[i][1]
		}
		return "none"
	}
	amount := map[string]string{"PASSIVEPAY": "total_amount", "STATUS_QUERY": "total_amount",
		"REFUND": "refund_amt"}[action]
	switch fault {
	case "no_order_id":
		return unless(literal("order_id") == "none" && (amount == "" || literal(amount) != "none"),
			"the order id, or no amount")
	case "no_amount":
		return unless((amount == "" || literal(amount) == "none") && literal("refund_fee") == "none" &&
			literal("order_id") != "none", "the amount, or no order id")
	case "double_amount":
		want := map[string]string{"PASSIVEPAY": "1.0", "STATUS_QUERY": "1000.0", "REFUND": "1.0",
			"ACTIVEPAY": "none"}[action]
		got := literal(amount)
		return unless(got == want && (action != "STATUS_QUERY" || literal("refund_fee") == "0.0"), "no double: "+got)
	}
	return ""
}

func unless(right bool, wrong string) string {
	if right {
		return ""
	}
	return wrong
}

// TestMisheardCatches: a good reply matches none of the faults.
func TestMisheardCatches(t *testing.T) {
	s := newShop(t)
	s.passive("SALE", "1000", "ALIPAY", s.code(`{"biz_type":"ALIPAY"}`))
	body := s.call("POST", "/processV2", envelope("STATUS_QUERY", map[string]string{"order_id": "SALE"})).Body.String()
	for _, name := range append(slices.Concat(contract, faultsWritten), "code:AUTH_CODE_INVALID") {
		if s.misheard("STATUS_QUERY", name, heard{status: 200, body: body}) == "" {
			t.Errorf("a good reply was taken for %s", name)
		}
	}
}

// TestLatency: each reply is delayed, but not for longer than its client waits.
func TestLatency(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.cfg.Latency = time.Minute
	srv := httptest.NewServer(s)
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	h := listen(ctx, t, srv.URL, envelope("EX_RATE_QUERY", map[string]string{"fee_type": "CAD"}), false)
	if !h.late {
		t.Errorf("%+v", h)
	}
	closed := make(chan struct{})
	go func() { srv.Close(); close(closed) }() // waits for the running request
	select {
	case <-closed:
	case <-time.After(20 * time.Second):
		t.Error("the reply outlives its client")
	}
}

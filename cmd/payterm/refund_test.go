package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/terminal/doctor"
)

// sold makes a Passive sale and returns its order.
func (s *shop) sold(amount string) payterm.Order {
	s.t.Helper()
	sale := s.begin("--mode", "passive", "--amount", amount)
	s.waitScreen("scan")
	s.scan(s.wallet("ALIPAY", false))
	status, o := sale.end()
	if status != 0 {
		s.t.Fatalf("exit status %d, %+v", status, o)
	}
	return o
}

// refunds counts a sale's refund requests at the gateway, carried out or not, and its refunded
// total in the ledger.
func (s *shop) refunds(sale payterm.OrderID) (asked int, refunded int64) {
	for _, row := range s.ledger() {
		if row.ID == string(sale) {
			refunded = row.Refunded
		}
		for _, q := range row.Requests {
			if q.Action == "REFUND" {
				asked++
			}
		}
	}
	return asked, refunded
}

// TestRefund refunds a sale in two parts; a third one is more than is left.
func TestRefund(t *testing.T) {
	t.Parallel()
	s := newShop(t, "inquiry_interval = \"200ms\"\nrefund_interval = \"200ms\"\n")
	sale := s.sold("12.34")
	for _, wrong := range [][]string{{"--amount=0"}, {"--amount=0.00"}, {"--amount="}, {"--amount=-1"},
		{"--amount=1.00", "--currency=USD"}} {
		if status, _ := s.run("refund", append([]string{string(sale.ID)}, wrong...)...).end(); status != 2 {
			t.Errorf("refund %v: exit status %d", wrong, status)
		}
	}
	if asked, _ := s.refunds(sale.ID); asked != 0 {
		t.Fatalf("%d refunds were sent for a wrong amount", asked)
	}
	for _, c := range []struct {
		args     []string
		status   int
		outcome  payterm.Outcome
		reason   payterm.Reason
		refunded int64
	}{
		{[]string{"--amount", "5.00", "--idempotency-key", "R1"}, 0, payterm.Approved, "", 500},
		{[]string{"--amount", "5.00", "--idempotency-key", "R1"}, 0, payterm.Approved, "", 500},
		{[]string{"--idempotency-key", "R1"}, 2, "", "", 500}, // all that is left is another request
		{[]string{"--amount", "7.35"}, 13, payterm.NotSent, payterm.ReasonRefundCap, 500},
		{[]string{"--idempotency-key", "R2"}, 0, payterm.Approved, "", 1234},
		{[]string{"--idempotency-key", "R2"}, 0, payterm.Approved, "", 1234}, // the same request, though nothing is left
		{[]string{"--amount", "7.34", "--idempotency-key", "R2"}, 0, payterm.Approved, "", 1234},
		{[]string{"--amount", "0.01"}, 13, payterm.NotSent, payterm.ReasonRefundCap, 1234},
	} {
		status, o := s.run("refund", append([]string{string(sale.ID)}, c.args...)...).end()
		if status != c.status || o.Outcome != c.outcome || o.Reason != c.reason || status != 2 &&
			(o.Kind != payterm.KindRefund || o.SaleID != sale.ID) {
			t.Errorf("refund %v: exit status %d, %+v", c.args, status, o)
		}
		if _, refunded := s.refunds(sale.ID); refunded != c.refunded {
			t.Errorf("refund %v: the ledger has given back %d", c.args, refunded)
		}
	}
	if asked, _ := s.refunds(sale.ID); asked != 2 {
		t.Errorf("%d refunds were sent, not 2", asked)
	}
	kept := s.orders()
	if len(kept) != 3 || kept[0].RefundedMinor != 1234 || kept[0].Outcome != payterm.Approved {
		t.Errorf("the journal: %+v", kept)
	}
	if status, _ := s.run("refund", "NOSUCHORDER").end(); status != 1 {
		t.Errorf("a refund of nothing: exit status %d", status)
	}
}

// TestRefundReplyLost makes each fault between a refund and its proof: it is sent once, and its
// result is found.
func TestRefundReplyLost(t *testing.T) {
	t.Parallel()
	s := newShop(t, "inquiry_interval = \"200ms\"\nrefund_interval = \"200ms\"\nrefund_window = \"5s\"\n"+
		"ladder = [\"1s\"]\nladder_repeat = \"1s\"\n")
	for _, fault := range []string{"drop_after_apply", "http_500", "bad_digest", "truncated", "code:SYSTEM_ERROR",
		"drop_before_apply"} {
		sale := s.sold("5.00")
		s.faults("REFUND", fault, 1)
		before, _ := s.refunds(sale.ID)
		status, o := s.run("refund", string(sale.ID), "--amount", "2.00").end()
		applied := slices.Contains([]string{"drop_after_apply", "bad_digest", "truncated"}, fault)
		asked, refunded := s.refunds(sale.ID)
		asked -= before
		switch {
		case asked != 1:
			t.Errorf("%s: %d refunds were sent", fault, asked)
		case applied && (status != 0 || refunded != 200):
			t.Errorf("%s: exit status %d, %d given back, %+v", fault, status, refunded, o)
		case !applied && (status != 12 || refunded != 0):
			t.Errorf("%s: exit status %d, %d given back, %+v", fault, status, refunded, o)
		}
		if !applied { // a second one is refused until a supervisor has decided on the first
			if status, again := s.run("refund", string(sale.ID), "--amount", "1.00").end(); status != 13 ||
				again.Reason != payterm.ReasonRefundOpen {
				t.Errorf("%s: a second refund beside one in doubt: exit status %d, %+v", fault, status, again)
			}
			s.run("resolve", string(o.ID), "--reason", "the gateway's page shows none").end()
			if status, again := s.run("refund", string(sale.ID), "--amount", "1.00").end(); status != 0 {
				t.Errorf("%s: a second refund after that: exit status %d, %+v", fault, status, again)
			}
		}
	}
}

// TestReprint: the power fails before the slips; the last sale's are printed again and marked
// COPY, since the first ones may have been printed.
func TestReprint(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	s.sold("5.00")
	if err := s.agent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	s.agent.Wait() //nolint:errcheck // it was killed
	s.start()
	s.waitScreen("idle")
	s.keys("F2")
	for end := time.Now().Add(never); ; time.Sleep(100 * time.Millisecond) {
		paper := string(s.call("GET", s.panel+"/emu/paper.txt", nil))
		if strings.Count(paper, "COPY") == 2 && strings.Contains(paper, "Customer copy") &&
			strings.Contains(paper, "5.00") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("no copies:\n%s", paper)
		}
	}
	if o := s.orders()[0]; o.Prints != 4 || o.Outcome != payterm.Approved {
		t.Errorf("the journal: %+v", o)
	}
}

// TestTotals closes a day: each order is in one Z, and the Z agrees with the ledger.
func TestTotals(t *testing.T) {
	t.Parallel()
	s := newShop(t, "inquiry_interval = \"200ms\"\nrefund_interval = \"200ms\"\n")
	first, second := s.sold("12.34"), s.sold("5.00")
	if status, _ := s.run("refund", string(first.ID), "--amount", "2.00").end(); status != 0 {
		t.Fatalf("refund: exit status %d", status)
	}
	x, z := s.totals("x"), s.totals("z")
	for _, got := range []payterm.Totals{x, z} {
		sum := only(got)
		if got.Number != 1 || sum.Count != 2 || sum.AmountMinor != 1734 || sum.RefundCount != 1 ||
			sum.RefundedMinor != 200 || len(got.Open) != 0 || got.Head == "" {
			t.Errorf("totals %+v", got)
		}
	}
	third := s.sold("1.00")
	if status, _ := s.run("refund", string(second.ID)).end(); status != 0 {
		t.Fatalf("refund of the day before: exit status %d", status)
	}
	next := s.totals("z")
	if sum := only(next); next.Number != 2 || sum.Count != 1 || sum.AmountMinor != third.AmountMinor ||
		sum.RefundedMinor != 500 || !next.From.Equal(z.To) {
		t.Errorf("the next day: %+v", next)
	}
	if again := s.totals("z", "--number", "1"); only(again) != only(z) || again.Number != 1 {
		t.Errorf("Z 1 once more: %+v", again)
	}
	var taken, back int64
	for _, row := range s.ledger() {
		taken += row.Paid
		back += row.Refunded
	}
	if a, b := only(z), only(next); a.Net().Minor+b.Net().Minor != taken-back {
		t.Errorf("both Zs come to %d, the ledger to %d", a.Net().Minor+b.Net().Minor, taken-back)
	}
	for end := time.Now().Add(never); ; time.Sleep(100 * time.Millisecond) { // printing takes time
		paper := string(s.call("GET", s.panel+"/emu/paper.txt", nil))
		if strings.Contains(paper, "X TOTAL") && strings.Contains(paper, "Z TOTAL 1") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the paper holds neither X nor Z:\n%s", paper)
		}
	}
	if status, _ := s.run("totals", "z", "--number", "9").end(); status != 1 {
		t.Errorf("a Z that is not there: exit status %d", status)
	}
	// --json is always there
	for _, wrong := range [][]string{{"z", "--number=0"}, {"z", "--number=-1"}, {"x", "--number=1"}, {"z", "--csv"}} {
		if status, _ := s.run("totals", wrong...).end(); status != 2 {
			t.Errorf("totals %v: exit status %d", wrong, status)
		}
	}
	if x := s.totals("x"); x.Number != next.Number+1 {
		t.Errorf("a mistaken request closed a day: the next Z is %d", x.Number)
	}
}

func (s *shop) totals(args ...string) payterm.Totals {
	s.t.Helper()
	r := s.run("totals", args...)
	if err := r.cmd.Wait(); err != nil {
		s.t.Fatalf("totals %v: %v", args, err)
	}
	var t payterm.Totals
	if err := json.Unmarshal(r.out.Bytes(), &t); err != nil {
		s.t.Fatalf("totals %v: %v: %s", args, err, &r.out)
	}
	return t
}

// TestDoctor examines a terminal without faults, and one with faults.
func TestDoctor(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	examine := func() (int, map[string]string) {
		r := s.run("doctor")
		r.cmd.Wait() //nolint:errcheck // the exit status is checked
		var rep struct {
			Checks []struct{ Name, Result string }
		}
		if err := json.Unmarshal(r.out.Bytes(), &rep); err != nil {
			t.Fatalf("%v: %s", err, &r.out)
		}
		found := map[string]string{}
		for _, c := range rep.Checks {
			found[c.Name] = c.Result
		}
		return r.cmd.ProcessState.ExitCode(), found
	}
	status, found := examine()
	for _, name := range []string{"display", "keypad", "scanner", "printer", "buzzer", "journal", "space", "clock",
		"network answer", "queue"} {
		want := "ok"
		if synced, err := doctor.NetworkTime(); name == "clock" && (err != nil || !synced) {
			want = "warn" // depends on this machine's kernel
		}
		if found[name] != want {
			t.Errorf("%s: %q, want %s", name, found[name], want)
		}
	}
	if status != 0 {
		t.Errorf("exit status %d", status)
	}
	s.post(s.panel+"/emu/unplug", map[string]string{"device": "scanner"})
	s.faults("EX_RATE_QUERY", "bad_digest", 0)
	// a pulled cable is noticed at its next use
	for end := time.Now().Add(never); ; time.Sleep(100 * time.Millisecond) {
		status, found = examine()
		if found["scanner"] == "fail" {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the scanner is gone and nobody says so: %v", found)
		}
	}
	if status != 1 || found["network answer"] != "fail" || found["network connection"] != "ok" {
		t.Errorf("exit status %d, %v", status, found)
	}
}

// TestNullIsNoAmount: a refund with "amount": null is refused; a missing amount would mean all
// that is left.
func TestNullIsNoAmount(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	sale := s.sold("12.34")
	c := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(s.data, "payterm.sock"))
	}}}
	for _, body := range []string{
		`{"amount_minor":null}`, `{"amount_minor":500,"amount_minor":null}`, `{"amount_minor":500,"AMOUNT_MINOR":1234}`,
	} {
		resp, err := c.Post("http://payterm/orders/"+string(sale.ID)+"/refund", "application/json",
			strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		said, err := io.ReadAll(resp.Body)
		if err != nil || resp.Body.Close() != nil || resp.StatusCode != 400 ||
			!strings.Contains(strings.ToLower(string(said)), "amount_minor") {
			t.Errorf("%s: HTTP %d %s %v", body, resp.StatusCode, said, err)
		}
	}
	if n, back := s.refunds(sale.ID); n != 0 || back != 0 {
		t.Errorf("%d refunds, %d went back", n, back)
	}
}

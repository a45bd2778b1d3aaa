package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/terminal/api"

	"github.com/creack/pty"
)

// reconciled runs payterm reconcile and returns its exit status and report.
func (s *shop) reconciled(args ...string) (int, api.Reconciliation) {
	s.t.Helper()
	r := s.run("reconcile", args...)
	r.cmd.Wait() //nolint:errcheck // the exit status is checked
	var rep api.Reconciliation
	if err := json.Unmarshal(r.out.Bytes(), &rep); err != nil && r.cmd.ProcessState.ExitCode() == 0 {
		s.t.Fatalf("reconcile %v: %v: %s", args, err, &r.out)
	}
	return r.cmd.ProcessState.ExitCode(), rep
}

// alarms is how many orders need a supervisor.
func (s *shop) alarms() (n int) {
	s.t.Helper()
	r := s.run("status")
	var v struct{ Alarms int }
	if err := r.cmd.Wait(); err != nil || json.Unmarshal(r.out.Bytes(), &v) != nil {
		s.t.Fatalf("status: %v %s", err, &r.out)
	}
	return v.Alarms
}

// only is the only row of totals of one merchant in one currency.
func only(t payterm.Totals) payterm.TotalsRow {
	switch sums := t.Sums(); len(sums) {
	case 0:
		return payterm.TotalsRow{}
	case 1:
		return sums[0]
	default:
		panic(fmt.Sprintf("%d sums: %+v", len(sums), sums))
	}
}

// slips are the slips on the paper that contain a word.
func slips(paper, word string) (found []string) {
	for slip := range strings.SplitSeq(paper, "--- cut ---") {
		if strings.Contains(slip, word) {
			found = append(found, slip)
		}
	}
	return found
}

// TestDay closes a day, then finds a payment at the gateway that the journal did not know; both
// days are right.
func TestDay(t *testing.T) {
	t.Parallel()
	s := newShop(t, "inquiry_interval = \"200ms\"\nrefund_interval = \"200ms\"\nladder = [\"1s\"]\n"+
		"ladder_repeat = \"1s\"\n")
	paid := s.begin("--mode", "passive", "--amount", "10.00", "--tip", "1.50")
	s.waitScreen("scan")
	s.scan(s.wallet("ALIPAY", false))
	if status, o := paid.end(); status != 0 || o.TipMinor != 150 {
		t.Fatalf("exit status %d, %+v", status, o)
	}
	s.faults("ACTIVEPAY", "drop_after_apply", 1)
	status, lost := s.begin("--mode", "active", "--wallet", "WECHATPAY", "--amount", "7.00").end()
	if status != 13 || lost.Reason != payterm.ReasonNoCode {
		t.Fatalf("exit status %d, %+v", status, lost)
	}
	s.keys("CLEAR", "5", "00", "ENTER") // left in doubt, and carried over
	s.waitScreen("scan")
	s.scan(s.wallet("ALIPAY", true))
	s.waitScreen("waiting")
	// once the lost one is closed
	for end := time.Now().Add(never); len(s.totals("x").Open) != 1; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%+v", s.totals("x"))
		}
	}
	doubt := s.orders()[2]
	z := s.totals("z")
	if sum := only(z); z.Number != 1 || sum.AmountMinor != 1000 || sum.TipMinor != 150 || sum.Count != 1 ||
		len(z.Open) != 1 || z.Open[0].ID != doubt.ID || z.Day == "" {
		t.Errorf("%+v", z)
	}
	s.post(s.sim+"/sim/orders/"+string(doubt.ID)+"/pay", nil)
	s.waitScreen("approved")

	// The gateway agrees, except for the order whose code nobody can have seen.
	if status, rep := s.reconciled("--number", "1"); status != 0 || rep.Sales != 2 || rep.Agree != 2 ||
		len(rep.Differences) != 0 || s.alarms() != 0 {
		t.Errorf("exit status %d, %+v", status, rep)
	}
	if said, status := s.failing("reconcile", "--number", "1"); status != 0 || said != "" {
		t.Errorf("progress that nobody sees: %d %q", status, said)
	}
	seen := exec.CommandContext(t.Context(), filepath.Join(bin, "payterm"), "reconcile", "--number", "1", "--data",
		s.data)
	tty, err := pty.Start(seen)
	if err != nil {
		t.Fatal(err)
	}
	shown, _ := io.ReadAll(tty) // a terminal's end is an error
	if err := errors.Join(seen.Wait(), tty.Close()); err != nil || !strings.Contains(string(shown), "\r2 of 2") {
		t.Errorf("on a terminal: %v %q", err, shown)
	}
	s.post(s.sim+"/sim/orders/"+string(lost.ID)+"/pay", nil)
	status, rep := s.reconciled("--number", "1")
	if status != 1 || len(rep.Differences) != 1 {
		t.Fatalf("exit status %d, %+v", status, rep)
	}
	if d := rep.Differences[0]; d.OrderID != lost.ID || d.What != api.DiffersFound || d.Outcome != payterm.NotSent ||
		d.GatewayMinor != 700 || d.Attention != payterm.AttentionAlarm {
		t.Errorf("%+v", d)
	}
	if n := s.alarms(); n != 1 {
		t.Errorf("%d alarms", n)
	}
	s.keys("CLEAR")
	s.has("idle", "1 order needs a supervisor")
	s.paperUntil("LATE PAYMENT")
	if status, rep := s.reconciled("--day", z.Day); status != 0 || rep.Sales != 3 || rep.Agree != 3 || s.alarms() != 1 {
		t.Errorf("once it is accounted for: exit status %d, %+v", status, rep)
	}

	// A gateway that answers something else, or nothing.
	s.faults("STATUS_QUERY", "wrong_amount", 100)
	if status, rep := s.reconciled("--day", z.Day); status != 1 || len(rep.Differences) != 3 ||
		rep.Differences[0].What != api.DiffersUnclear {
		t.Errorf("another amount: exit status %d, %+v", status, rep)
	}
	s.call("DELETE", s.sim+"/sim/faults", nil)
	s.faults("STATUS_QUERY", "drop_before_apply", 100)
	if status, rep := s.reconciled("--day", z.Day); status != 1 || rep.Unknown != 3 ||
		rep.Differences[0].What != api.DiffersUnknown || rep.Differences[0].Why == "" {
		t.Errorf("silence: exit status %d, %+v", status, rep)
	}
	s.call("DELETE", s.sim+"/sim/faults", nil)

	// What was found and what was carried over are in the next Z; the first one is unchanged, on
	// screen and on paper.
	next := s.totals("z")
	if sum := only(next); next.Number != 2 || sum.Count != 2 || sum.AmountMinor != 1200 || len(next.Open) != 0 {
		t.Errorf("%+v", next)
	}
	again := s.totals("z", "--number", "1", "--print")
	if only(again) != only(z) || again.EndedIn[doubt.ID] != 2 || again.Head != z.Head {
		t.Errorf("%+v, was %+v", again, z)
	}
	paper := s.paperUntil("Z TOTAL 2", "COPY")
	first := slips(paper, "Z TOTAL 1")
	for end := time.Now().Add(never); (len(first) < 2 || !strings.Contains(first[1], "no money moved")) &&
		time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		first = slips(string(s.call("GET", s.panel+"/emu/paper.txt", nil)), "Z TOTAL 1")
	}
	if len(first) != 2 {
		t.Fatalf("Z 1 is on paper %d times:\n%s", len(first), paper)
	}
	var lines []string
	for line := range strings.Lines(first[1]) {
		if strings.TrimSpace(line) != "COPY" {
			lines = append(lines, line)
		}
	}
	if copied := strings.Join(lines, ""); strings.TrimSpace(copied) != strings.TrimSpace(first[0]) ||
		copied == first[1] {
		t.Errorf("Z 1 was\n%s\nand its copy is\n%s", first[0], first[1])
	}
	for _, words := range []string{"Tip", "1.50", "code scanned", z.Day, z.Head[:16], string(doubt.ID)} {
		if !strings.Contains(first[0], words) {
			t.Errorf("Z 1 does not say %q:\n%s", words, first[0])
		}
	}

	// One business day, over several Zs; and as CSV.
	x := s.totals("x", "--day", z.Day)
	if sum := only(x); x.Number != 0 || x.Day != z.Day || sum.AmountMinor != 2200 || sum.TipMinor != 150 ||
		sum.Count != 3 {
		t.Errorf("%+v", x)
	}
	if none := s.totals("x", "--day", "2001-01-01"); len(none.By) != 0 {
		t.Errorf("%+v", none)
	}
	if got := s.totals("x"); got.Number != 3 {
		t.Errorf("a question closed a day: the next Z is %d", got.Number)
	}
	out, err := exec.Command(filepath.Join(bin, "payterm"), "totals", "z", "--number", "1", "--csv", "--data",
		s.data).Output()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(out))).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("%v %q", err, out)
	}
	cell := func(row int, name string) string {
		for i, column := range rows[0] {
			if column == name {
				return rows[row][i]
			}
		}
		t.Errorf("no column %s", name)
		return ""
	}
	if cell(1, "amount_minor") != "1000" || cell(1, "tip_minor") != "150" || cell(1, "day") != z.Day ||
		cell(2, "open_order_id") != string(doubt.ID) || cell(2, "open_minor") != "500" || cell(2, "ended_in") != "2" ||
		cell(2, "amount_minor") != "0" {
		t.Errorf("%q", rows)
	}
	for _, wrong := range [][]string{{"totals", "x", "--day=22/11/2026"}, {"totals", "z", "--day=2026-11-22"},
		{"totals", "z", "--print"}, {"reconcile", "--day=2026-11-22", "--number=1"}} {
		if status, _ := s.run(wrong[0], wrong[1:]...).end(); status != 2 {
			t.Errorf("%v: exit status %d", wrong, status)
		}
	}
	for _, wrong := range [][]string{{"--day=yesterday"}, {"--number=9"}} {
		if status, _ := s.reconciled(wrong...); status != 1 {
			t.Errorf("reconcile %v: exit status %d", wrong, status)
		}
	}
	var taken int64
	for _, row := range s.ledger() {
		taken += row.Paid
	}
	if a, b := only(z), only(next); a.Net().Minor+b.Net().Minor != taken {
		t.Errorf("both Zs come to %d, the ledger to %d", a.Net().Minor+b.Net().Minor, taken)
	}
	if status, _ := s.run("resolve", string(lost.ID), "--reason", "kept; the customer was called").end(); status != 0 ||
		s.alarms() != 0 {
		t.Errorf("resolve: exit status %d, %d alarms", status, s.alarms())
	}
	if out, err := exec.Command(filepath.Join(bin, "payterm"), "journal", "verify", "--data",
		s.data).CombinedOutput(); err != nil {
		t.Errorf("%v %s", err, out)
	}
}

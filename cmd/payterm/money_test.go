package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/storage"
)

// TestZWithoutItsSlip: a Z whose slip a power failure prevented is printed after the start, as a
// copy; a printed one is not printed again.
func TestZWithoutItsSlip(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	s.sold("12.34")
	if z := s.totals("z"); z.Number != 1 {
		t.Fatalf("%+v", z)
	}
	s.paperUntil("Z TOTAL 1", "--- cut ---")
	s.noneOwed()
	s.post(s.panel+"/emu/printer", map[string]string{"paper": "out", "cover": "closed"})
	s.has("approved", "no paper")
	if z := s.totals("z"); z.Number != 2 || z.Operator != "local" {
		t.Fatalf("%+v", z)
	}
	if err := s.agent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	s.agent.Wait() //nolint:errcheck // it was killed
	s.boot()
	paper := s.paperUntil("COPY", "Z TOTAL 2", "Journal", "--- cut ---")
	if strings.Contains(paper, "Z TOTAL 1") {
		t.Errorf("a Z that was printed comes again:\n%s", paper)
	}
	s.noneOwed()
}

// noneOwed waits until every Z is known to be printed.
func (s *shop) noneOwed() {
	s.t.Helper()
	for end := time.Now().Add(never); len(s.owed()) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("Z %v is still owed", s.owed())
		}
	}
}

// owed are the Zs whose slips may not have been printed.
func (s *shop) owed() (numbers []int64) {
	s.t.Helper()
	r, err := storage.OpenReader(filepath.Join(s.data, "payterm.db"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Close()
	if numbers, err = r.UnprintedZs(); err != nil {
		s.t.Fatal(err)
	}
	return numbers
}

// TestZNeedsItsPIN: a Z over the socket needs the same permission as at the keypad, and record
// and slip say who took it. The PIN is read from standard input, not from an argument.
func TestZNeedsItsPIN(t *testing.T) {
	t.Parallel()
	s := newShop(t, fmt.Sprintf("[[operators]]\nnumber = \"7\"\nname = \"Marie\"\npin_hash = %q\n[[operators]]\n"+
		"number = \"9\"\nname = \"Wei\"\nsupervisor = true\npin_hash = %q\n",
		hashOf(t, "4711"), hashOf(t, "2718")))
	s.waitScreen("number")
	take := func(pin string, args ...string) (payterm.Totals, string, error) {
		t.Helper()
		out, complaint, err := ran(t, pin, append([]string{"totals", "z", "--json", "--data", s.data}, args...)...)
		var z payterm.Totals
		if err == nil {
			if err := json.Unmarshal([]byte(out), &z); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
		if pin != "" && strings.Contains(out+complaint, strings.TrimSpace(pin)) {
			t.Errorf("the PIN is told: %s %s", out, complaint)
		}
		return z, complaint, err
	}
	for words, asked := range map[string][]string{
		"that is not the PIN of a supervisor": {"2719\n", "9"},
		"not the PIN of a supervisor":         {"4711\n", "7"},
		"the number of a supervisor":          {"2718\n", "supervisor"},
		"read from standard input":            {"", "9"},
	} {
		if z, complaint, err := take(asked[0], "--operator", asked[1]); err == nil ||
			!strings.Contains(complaint, words) {
			t.Errorf("%q: %+v %v, want %q in %q", asked, z, err, words, complaint)
		}
	}
	z, complaint, err := take("2718\n", "--operator", "9")
	if err != nil || z.Number != 1 || z.Operator != payterm.TakenLocally || z.AllowedBy != "9" {
		t.Errorf("%+v %v %s", z, err, complaint)
	}
	paper := s.paperUntil("Z TOTAL 1", "--- cut ---")
	if slip := slips(paper, "Z TOTAL 1")[0]; !strings.Contains(slip, "this machine") ||
		!strings.Contains(slip, "Supervisor") {
		t.Errorf("the slip:\n%s", slip)
	}
	// Without --operator the PIN is typed at the counter.
	s.keys("7", "ENTER", "4", "7", "1", "1", "ENTER")
	s.waitScreen("idle")
	waiting := s.run("totals", "z")
	s.waitScreen("number")
	s.keys("9", "ENTER")
	s.waitScreen("pin")
	s.keys("2", "7", "1", "8", "ENTER")
	if err := waiting.cmd.Wait(); err != nil {
		t.Fatalf("%v %s", err, &waiting.out)
	}
	if err := json.Unmarshal(waiting.out.Bytes(), &z); err != nil || z.Number != 2 || z.Operator != "7" ||
		z.AllowedBy != "9" {
		t.Errorf("%+v %v", z, err)
	}
	waiting = s.run("totals", "z")
	s.waitScreen("number")
	s.keys("CANCEL")
	if err := waiting.cmd.Wait(); err == nil || !strings.Contains(waiting.out.String(), "no supervisor typed the PIN") {
		t.Errorf("%v %s", err, &waiting.out)
	}
	if again := s.totals("z", "--number", "2"); again.Operator != "7" || again.AllowedBy != "9" ||
		again.Head != z.Head {
		t.Errorf("%+v, was %+v", again, z)
	}
	if x := s.totals("x"); x.Number != 3 {
		t.Errorf("the next Z is %d", x.Number)
	}
	if out, err := exec.Command(filepath.Join(bin, "payterm"), "journal", "list", "--people", "--data",
		s.data).Output(); err != nil ||
		strings.Count(string(out), "z_total") < 4 || strings.Contains(string(out), "2718") {
		t.Errorf("%v %s", err, out)
	}
}

// TestOtherCurrencies: money is read and written with the decimals of the terminal's currency, by
// every command.
func TestOtherCurrencies(t *testing.T) {
	t.Parallel()
	for currency, c := range map[string]struct {
		typed, printed, wrong string
		minor                 int64
	}{
		"JPY": {"1234", "1234", "12.34", 1234},
		"KWD": {"1.234", "1.234", "12.34", 1234},
	} {
		t.Run(currency, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, "refund_interval = \"200ms\"\n[merchant]\ncurrency = \""+currency+"\"\n", "--currency",
				currency)
			sale := s.begin("--mode", "passive", "--amount", c.typed)
			s.waitScreen("scan")
			s.scan(s.wallet("ALIPAY", false))
			status, o := sale.end()
			if status != 0 || o.AmountMinor != c.minor || o.PaidMinor != c.minor || string(o.Currency) != currency ||
				o.MerchantID != "ON00000000" {
				t.Fatalf("exit status %d, %+v", status, o)
			}
			for words, args := range map[string][]string{
				"decimals": {"sale", "--mode", "passive", "--amount", c.wrong},
				"this terminal sells in " + currency: {"sale", "--mode", "passive", "--amount", "12.34", "--currency",
					"CAD"},
				"currency \"CAD\":": {"refund", string(o.ID), "--amount", "1.00", "--currency",
					"CAD"},
				"--currency \"XYZ\": an ISO 4217 code": {"sale", "--mode", "passive", "--amount", "12.34", "--currency",
					"XYZ"},
				"it like": {"refund", string(o.ID), "--amount", c.wrong},
			} {
				_, complaint, err := ran(t, "", append(args, "--data", s.data)...)
				var exit *exec.ExitError
				if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(complaint, words) {
					t.Errorf("%q: %v, no %q in %s", args, err, words, complaint)
				}
			}
			if status, back := s.run("refund", string(o.ID), "--amount", c.typed).end(); status != 0 ||
				back.AmountMinor != c.minor || back.MerchantID != o.MerchantID {
				t.Errorf("refund: exit status %d, %+v", status, back)
			}
			z := s.totals("z")
			if sums := z.Sums(); len(sums) != 1 || string(sums[0].Currency) != currency ||
				sums[0].MerchantID != "ON00000000" || sums[0].AmountMinor != c.minor {
				t.Errorf("%+v", z)
			}
			var told struct {
				Currency   string
				MerchantID string `json:"merchant_id"`
			}
			out, complaint, err := ran(t, "", "status", "--json", "--data", s.data)
			if err != nil || json.Unmarshal([]byte(out), &told) != nil || told.Currency != currency ||
				told.MerchantID != "ON00000000" {
				t.Errorf("status: %v %s %s", err, out, complaint)
			}
			for _, args := range [][]string{{"totals", "z", "--number", "1"}, {"status", string(o.ID)},
				{"journal", "list"}, {"journal", "show", string(o.ID)}} {
				out, complaint, err := ran(t, "", append(args, "--data", s.data)...)
				if err != nil || !strings.Contains(out, c.printed) || !strings.Contains(out, currency) ||
					strings.Contains(out, "12.34") {
					t.Errorf("%q: %v %s %s", args, err, out, complaint)
				}
			}
			if slip := slips(s.paperUntil("Z TOTAL 1", "--- cut ---"), "Z TOTAL 1")[0]; !strings.Contains(slip,
				"NET") || strings.Contains(slip, "12.34") {
				t.Errorf("the slip:\n%s", slip)
			}
			show := s.begin("--mode", "active", "--wallet", "ALIPAY", "--amount", c.typed)
			s.waitScreen("show_code")
			if page := string(s.call("GET", s.sim+"/pay/"+string(s.orders()[2].ID), nil)); !strings.Contains(page,
				c.printed+" "+currency) {
				t.Errorf("the customer's page: %s", page)
			}
			s.keys("CANCEL")
			show.end()
		})
	}
	file := filepath.Join(t.TempDir(), "payterm.toml")
	write(t, file, "[merchant]\ncurrency = \"XYZ\"\n")
	if out, complaint, err := ran(t, "", "config", "check", file); err == nil ||
		!strings.Contains(complaint, "merchant.currency") {
		t.Errorf("XYZ passes: %v %s %s", err, out, complaint)
	}
}

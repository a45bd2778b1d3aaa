package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"payterm"
	"payterm/terminal/api"
)

// TestCancelCommand ends what is at the counter from outside, and says by its exit status what became of it.
func TestCancelCommand(t *testing.T) {
	t.Parallel()
	s := newShop(t, "first_inquiry = \"300ms\"\ninquiry_interval = \"300ms\"\nleave_after = \"1ms\"\n")
	refused := func(wantStatus int, wantCode api.Code, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "payterm"),
			append([]string{"cancel", "--json", "--data", s.data}, args...)...)
		out, _ := cmd.Output() // its exit status is looked at
		var doc api.Error
		if err := json.Unmarshal(out, &doc); err != nil || cmd.ProcessState.ExitCode() != wantStatus ||
			doc.Code != wantCode || doc.Message == "" {
			t.Errorf("%v: exit status %d, %s", args, cmd.ProcessState.ExitCode(), out)
		}
	}
	refused(13, api.NothingThere)
	refused(1, api.Unknown, "T1NEVER")
	refused(2, "", "not-an-id")

	sale := s.begin("--mode", "passive", "--amount", "1.00")
	s.waitScreen("scan")
	status, o := s.run("cancel").end()
	if status != 0 || o.Outcome != payterm.Cancelled || o.AmountMinor != 100 {
		t.Errorf("before the scan: %d %+v", status, o)
	}
	if status, sold := sale.end(); status != 11 || sold.ID != o.ID {
		t.Errorf("the sale that it ended: %d %+v", status, sold)
	}
	if status, again := s.run("cancel", string(o.ID)).end(); status != 0 || again.ID != o.ID {
		t.Errorf("once more: %d %+v", status, again)
	}

	sale = s.begin("--mode", "active", "--amount", "2.00", "--wallet", "ALIPAY")
	s.waitScreen("show_code")
	if status, o = s.run("cancel").end(); status != 12 || o.Outcome != payterm.InDoubt {
		t.Errorf("a code that was shown: %d %+v", status, o)
	}
	if status, _ := sale.end(); status != 12 {
		t.Errorf("its sale: %d", status)
	}
	if out, status := s.failing("cancel"); status != 13 || !strings.Contains(out, "nothing is at the counter") {
		t.Errorf("a result on the screen: %d %s", status, out)
	}

	sale = s.begin("--mode", "passive", "--amount", "3.00")
	s.waitScreen("scan")
	s.scan(s.wallet("ALIPAY", false))
	_, paid := sale.end()
	if status, o := s.run("cancel", string(paid.ID)).end(); status != 12 || o.Outcome != payterm.Approved {
		t.Errorf("a sale that is paid: %d %+v", status, o)
	}
}

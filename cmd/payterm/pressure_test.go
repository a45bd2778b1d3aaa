package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"payterm"
	"payterm/internal/tooltest"
)

// These tests take the journal's disk away from the built agent. The fault must be on the glass
// and in `payterm status`, with what to do; no sale may begin; and after the repair the agent
// goes on by itself.

// stop ends the agent cleanly.
func (s *shop) stop() {
	s.t.Helper()
	if err := s.agent.Process.Signal(os.Interrupt); err != nil {
		s.t.Fatal(err)
	}
	s.agent.Wait() //nolint:errcheck // its status does not matter
}

// refuses checks that glass and status show a fault, and that a sale is refused.
func (s *shop) refuses(words string) {
	s.t.Helper()
	shown := ""
	for end := time.Now().Add(never); !strings.HasPrefix(shown, "screen: fault\n") ||
		!strings.Contains(strings.ReplaceAll(shown, "\n", " "), words); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("the glass does not say %q but %s", words, shown)
		}
		shown = s.screen()
	}
	if status, o := s.begin("--mode", "active", "--amount", "9.00", "--wallet", "ALIPAY").end(); status != 13 ||
		o.Reason != payterm.ReasonStorage || o.ID != "" {
		s.t.Errorf("%s: a sale ends with status %d, %+v", words, status, o)
	}
	out, err := exec.Command(filepath.Join(bin, "payterm"), "status", "--data", s.data).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "fault ") || !strings.Contains(string(out), words) {
		s.t.Errorf("status: %v\n%s", err, out)
	}
}

// TestUnopenable starts the agent on journals that cannot be opened.
func TestUnopenable(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	db := filepath.Join(s.data, "payterm.db")
	before := s.sold("5.00")
	for _, c := range []struct {
		name, words string
		spoil       func(sound []byte) []byte
	}{
		{"a corrupt page", "restore the last backup",
			func(b []byte) []byte { copy(b[100:], strings.Repeat("\xff", 400)); return b }},
		{"no journal at all", "restore the last backup",
			func([]byte) []byte { return []byte(strings.Repeat("rubbish ", 200)) }},
		{"a newer journal", "install that version", func(b []byte) []byte { b[63] = 99; return b }}, // user_version: sqlite.org/fileformat2.html, 1.3
	} {
		s.stop()
		sound, err := os.ReadFile(db)
		if err != nil {
			t.Fatal(err)
		}
		spoiled := c.spoil(append([]byte{}, sound...))
		if err := os.WriteFile(db, spoiled, 0o600); err != nil {
			t.Fatal(err)
		}
		s.start()
		s.refuses(c.words)
		if now, err := os.ReadFile(db); err != nil || string(now) != string(spoiled) {
			t.Errorf("%s: the file that should be kept was changed: %v", c.name, err)
		}
		if err := os.WriteFile(db, sound, 0o600); err != nil { // the repair
			t.Fatal(err)
		}
		s.waitScreen("idle")
	}
	after := s.sold("6.00")
	// A lost journal takes its orders with it, and no id is repeated.
	s.stop()
	for _, end := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(db + end); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	s.start()
	fresh := s.sold("7.00")
	ids := map[payterm.OrderID]bool{before.ID: true, after.ID: true, fresh.ID: true}
	paid := 0
	for _, l := range s.ledger() {
		if l.payments() != 1 {
			t.Errorf("requested %d times: %s", l.payments(), l.ID)
		}
		paid++
	}
	if list := s.orders(); len(ids) != 3 || paid != 3 || len(list) != 1 {
		t.Errorf("ids %v, %d paid, journal %+v", ids, paid, list)
	}
	// A second agent on the same data is an operator's mistake.
	second := exec.Command(filepath.Join(bin, "payterm"), s.emulate()...)
	if out, err := second.CombinedOutput(); second.ProcessState.ExitCode() != 1 ||
		!strings.Contains(string(out), "another payterm runs") {
		t.Errorf("a second agent: %v %s", err, out)
	}
	// status says that no agent answers.
	s.stop()
	nobody := exec.Command(filepath.Join(bin, "payterm"), "status", "--data", s.data)
	if out, err := nobody.CombinedOutput(); nobody.ProcessState.ExitCode() != 1 ||
		!strings.Contains(string(out), "is it running") {
		t.Errorf("status without an agent: %v %s", err, out)
	}
}

// mounted starts the agent after a shell command in a mount namespace of its own, with its data
// there.
func (s *shop) mounted(command string) {
	s.t.Helper()
	unshare := tooltest.Need(s.t, "unshare")
	if out, err := exec.Command(unshare, "-rm", "true").CombinedOutput(); err != nil {
		s.t.Skipf("skipped: no mount namespace is to be had here: %v %s", err, out)
	}
	s.stop()
	args := []string{"-rm", "sh", "-ec", command + "\nexec \"$@\"", "sh", filepath.Join(bin, "payterm")}
	cmd, ready := program(s.t, unshare, append(args, s.emulate()...)...)
	s.agent, s.panel = cmd, ready["panel"].(string)
	s.data = fmt.Sprintf("/proc/%d/root%s/data", cmd.Process.Pid, s.dir)
}

// TestReadOnly: nothing can be written, not even the socket, and the glass says so.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	s.mounted("mount --bind " + s.data + " " + s.data + "; mount -o remount,bind,ro " + s.data)
	for end := time.Now().Add(never); !strings.Contains(strings.ReplaceAll(s.screen(), "\n", " "),
		"disk is read-only"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the glass says %s", s.screen())
		}
	}
}

// TestDiskFull fills the disk while a customer pays: the reply is stored in the reserved room,
// the next sale is refused, and selling goes on once there is room.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	s := newShop(t, "inquiry_interval = \"100ms\"\n")
	s.mounted("mount -t tmpfs -o size=8m tmpfs " + s.data)
	s.sold("5.00")
	s.keys("7", "0", "0", "F1")
	s.waitScreen("choose_wallet")
	s.keys("1")
	s.waitScreen("show_code")
	filler := filepath.Join(s.data, "filler")
	fill := func() {
		f, err := os.OpenFile(filler, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		for block := make([]byte, 4096); err == nil; {
			_, err = f.Write(block)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	fill()
	ledger := s.ledger()
	s.post(s.sim+"/sim/orders/"+ledger[len(ledger)-1].ID+"/pay", nil)
	s.waitScreen("approved")
	reserve := filepath.Join(s.data, "payterm.db.reserve")
	// The reserve is not needed before the journal's log has to grow.
	spent := func() bool { _, err := os.Stat(reserve); return err != nil }
	for n := 0; n < 100 && !spent(); n++ {
		sale := s.begin("--mode", "passive", "--amount", "3.00")
		s.waitScreen("scan")
		s.keys("CANCEL")
		sale.end()
	}
	if !spent() {
		t.Fatal("the disk is full and the reserve is there: nothing was proved")
	}
	fill()
	if status, o := s.begin("--mode", "active", "--amount", "8.00", "--wallet", "ALIPAY").end(); status != 13 ||
		o.Reason != payterm.ReasonStorage {
		t.Errorf("a sale on a full disk: %d %+v", status, o)
	}
	s.refuses("disk is full: free some space")
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	s.waitScreen("idle")
	s.sold("6.00")
	if _, err := os.Stat(reserve); err != nil {
		t.Errorf("the reserve was not made again: %v", err)
	}
	// SQLite would open our file instead of the namespace's, so the agent is asked for each
	// order.
	var orders []payterm.Order
	for _, l := range s.ledger() {
		orders = append(orders, s.status(payterm.OrderID(l.ID)))
	}
	for _, d := range discrepancies(orders, s.ledger()) {
		t.Error(d)
	}
}

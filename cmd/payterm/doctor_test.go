package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDoctorTest runs tests with payterm doctor on the front panel: a pattern that is good, and a
// keypad test that is left.
func TestDoctorTest(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	r := s.run("doctor", "--test", "display,keypad")
	shows := func(words string) {
		t.Helper()
		for end := time.Now().Add(never); !strings.Contains(s.screen(),
			words); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("no %q, but %s", words, s.screen())
			}
		}
	}
	shows("Colours, edges, grey: right?")
	s.keys("ENTER")
	shows("Can a phone read it?")
	for end := time.Now().Add(never); ; time.Sleep(50 * time.Millisecond) { // for the bus
		if status, text := s.try("POST", s.panel+"/phone/look", nil); status == 200 &&
			strings.Contains(text, "PAYTERM-TEST-") {
			break
		}
		if time.Now().After(end) {
			t.Fatal("a phone cannot read the code")
		}
	}
	s.keys("ENTER")
	shows("Press this key")
	if status, o := s.begin("--mode", "passive", "--amount", "1.00").end(); status != 13 || o.Reason != "busy" {
		t.Errorf("a sale meanwhile: %d %s", status, o.Reason)
	}
	s.keys("CANCEL")
	r.cmd.Wait() //nolint:errcheck // the exit status is checked
	var rep struct {
		OK     bool
		Checks []struct{ Name, Result, Says string }
	}
	if err := json.Unmarshal(r.out.Bytes(), &rep); err != nil {
		t.Fatalf("%v: %s", err, &r.out)
	}
	if status := r.cmd.ProcessState.ExitCode(); status != 0 || !rep.OK || len(rep.Checks) < 10 ||
		rep.Checks[0].Name != "test display" || rep.Checks[0].Result != "ok" || rep.Checks[1].Result != "skip" ||
		rep.Checks[1].Says != "left at 1" {
		t.Errorf("exit status %d: %+v", status, rep)
	}
	s.waitScreen("idle")
	if len(s.orders()) != 0 {
		t.Errorf("orders: %+v", s.orders())
	}
}

// TestDoctorFlags: --test has no value or a list of devices.
func TestDoctorFlags(t *testing.T) {
	t.Parallel()
	for args, status := range map[string]int{
		// no agent runs there
		"--test": 1, "--test --json": 1, "--test keypad": 1, "--test=keypad,buzzer --step 5s": 1,
		"--test=toaster": 2, "--test toaster": 2, "--test=": 2, "keypad": 2, "--step x": 2,
	} {
		cmd := exec.Command(filepath.Join(bin, "payterm"), append([]string{"doctor", "--data", t.TempDir()},
			strings.Fields(args)...)...)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != status {
			t.Errorf("%s: %v, want exit status %d: %s", args, err, status, out)
		}
	}
}

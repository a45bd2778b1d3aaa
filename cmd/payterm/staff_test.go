package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestStaff: a supervisor adds an operator at the keypad and changes a PIN. Both hold after the
// power failed; the journal says who did it, and neither it nor its export has a PIN or its hash.
func TestStaff(t *testing.T) {
	t.Parallel()
	s := newShop(t, fmt.Sprintf("inquiry_interval = \"200ms\"\n"+
		"[[operators]]\nnumber = \"7\"\nname = \"Marie\"\npin_hash = %q\n[[operators]]\nnumber = \"9\"\n"+
		"name = \"Wei\"\nsupervisor = true\npin_hash = %q\n", hashOf(t, "4711"), hashOf(t, "2718")))
	type keys []string
	press := func(screen string, k keys) {
		t.Helper()
		s.waitScreen(screen)
		s.keys(k...)
	}
	signsOn := func(number string, pin ...string) {
		t.Helper()
		press("number", append(keys{number[:1]}, append(strings.Split(number[1:], ""), "ENTER")...))
		press("pin", append(pin, "ENTER"))
		s.waitScreen("idle")
	}
	sets := func(number, pin string) {
		t.Helper()
		press("idle", keys{"F1"})
		press("menu", keys{"F2"})
		if screen := s.waitScreen("number"); !strings.Contains(screen, "Operators") {
			t.Errorf("the screen says %s", screen)
		}
		press("number", keys{"9", "ENTER"})
		press("pin", keys{"2", "7", "1", "8", "ENTER"})
		press("operator", append(strings.Split(number, ""), "ENTER"))
		for range 2 {
			press("new_pin", append(strings.Split(pin, ""), "ENTER"))
		}
		press("operator_kept", keys{"ENTER"})
		s.waitScreen("idle")
	}
	signsOn("7", "4", "7", "1", "1")
	sets("17", "314159")
	sets("7", "271828")
	if err := s.agent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	s.agent.Wait() //nolint:errcheck // it was killed
	s.boot()
	press("number", keys{"7", "ENTER"})
	press("pin", keys{"4", "7", "1", "1", "ENTER"}) // the former one
	for deadline := time.Now().Add(never); !strings.Contains(s.screen(), "Wrong number or PIN"); {
		if time.Now().After(deadline) {
			t.Fatal(s.screen())
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.keys("CANCEL")
	signsOn("7", strings.Split("271828", "")...)
	s.keys("F1", "0")
	signsOn("17", strings.Split("314159", "")...)
	if screen := s.screen(); !strings.Contains(screen, "Operator 17") {
		t.Errorf("the idle screen says %s", screen)
	}
	if sale := s.sold("12.34"); sale.Operator != "17" {
		t.Errorf("sold by %q", sale.Operator)
	}

	s.keys("ENTER")
	press("idle", keys{"F1", "00"}) // in training the operators are the same
	s.waitScreen("sure")
	s.yes()
	press("number", keys{"9", "ENTER"})
	press("pin", keys{"2", "7", "1", "8", "ENTER"})
	s.has("number", "TRAINING")
	signsOn("17", strings.Split("314159", "")...)
	s.has("idle", "TRAINING")

	out, complaint, err := ran(t, "", "journal", "list", "--people", "--data", s.data)
	if err != nil || strings.Count(out, "operators") < 4 {
		t.Errorf("%v %s %s", err, complaint, out)
	}
	for _, did := range []string{"operator_added", "pin_changed"} {
		line := out[strings.Index(out, did)-30:]
		line, _, _ = strings.Cut(line, "\n")
		whom := map[string]string{"operator_added": "17", "pin_changed": "7"}[did]
		if !strings.Contains(line, " 9 ") || !strings.HasSuffix(line, " "+whom) {
			t.Errorf("the journal has %q", line)
		}
	}
	export := filepath.Join(s.dir, "export.db")
	if out, complaint, err := ran(t, "", "journal", "export", export, "--data", s.data); err != nil {
		t.Fatal(out, complaint, err)
	}
	for _, name := range []string{export, filepath.Join(s.data, "payterm.db")} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"314159", "271828", "$2a$"} {
			if strings.Contains(string(text), secret) {
				t.Errorf("%s has %q", filepath.Base(name), secret)
			}
		}
	}
}

// TestStaffDamaged: nobody sells without a sign-on because the file with the PINs is damaged. A supervisor sets them
// again.
func TestStaffDamaged(t *testing.T) {
	t.Parallel()
	s := newShop(t, fmt.Sprintf("[supervisor]\npin_hash = %q\n", hashOf(t, "2718")))
	s.waitScreen("idle")
	if err := s.agent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	s.agent.Wait() //nolint:errcheck // it was killed
	write(t, filepath.Join(s.data, "operators.json"), "[{")
	s.boot()
	s.waitScreen("number")
	s.keys("F2")
	s.waitScreen("pin")
	s.keys("2", "7", "1", "8", "ENTER")
	s.waitScreen("operator")
	s.keys("1", "7", "ENTER")
	for range 2 {
		s.waitScreen("new_pin")
		s.keys("3", "1", "4", "1", "ENTER")
	}
	s.waitScreen("operator_kept")
	s.keys("ENTER")
	s.waitScreen("number")
	s.keys("1", "7", "ENTER")
	s.waitScreen("pin")
	s.keys("3", "1", "4", "1", "ENTER")
	s.has("idle", "Operator 17")
}

package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"payterm/boards"
	"payterm/hal/emulated"
)

// TestScannerThatTalksBack: a GM65 acknowledges its trigger command before the code: the first
// code pays.
func TestScannerThatTalksBack(t *testing.T) {
	t.Parallel()
	profile, err := boards.Read("emulated")
	if err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(t.TempDir(), "gm65.toml")
	write(t, own, strings.Replace(string(profile), `framing = "cr"`, `framing = "cr"
trigger_start = "0x7e 00 08 01 00 02 01 ab cd"
trigger_again = "2s"`, 1))
	_, ready := program(t, "payterm", "emulate", "--board", own, "--listen", "127.0.0.1:0", "--data", t.TempDir(),
		"--scale", "20")
	s := &shop{t: t, panel: ready["panel"].(string), sim: ready["gateway"].(string)}
	s.post(s.panel+"/emu/scanner", emulated.Habits{Model: "gm65", Before: "\x00"})
	for range 2 {
		s.waitScreen("idle")
		s.keys("5", "0", "0", "ENTER")
		s.waitScreen("scan")
		s.scan(s.wallet("ALIPAY", false))
		s.waitScreen("approved")
		s.keys("ENTER")
	}
}

// TestScannerOfAnotherKeyboard: a scanner set to AZERTY writes no digits: screen and doctor say
// so, and nothing is paid. One set to QWERTZ writes digits, and pays.
func TestScannerOfAnotherKeyboard(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	_, ready := program(t, "payterm", "emulate", "--board", "generic-evdev", "--listen", "127.0.0.1:0", "--data", data,
		"--scale", "20")
	s := &shop{t: t, panel: ready["panel"].(string), sim: ready["gateway"].(string)}
	s.post(s.panel+"/emu/scanner", emulated.Habits{Layout: "fr"})
	s.waitScreen("idle")
	s.keys("5", "0", "0", "ENTER")
	s.waitScreen("scan")
	s.scan(s.wallet("ALIPAY", false))
	for end := time.Now().Add(never); !strings.Contains(s.screen(), "payment code"); {
		if time.Now().After(end) {
			t.Fatalf("nothing is said of the code: %s", s.screen())
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.keys("CANCEL")
	if len(s.ledger()) != 0 {
		t.Errorf("it was guessed: %+v", s.ledger())
	}
	s.waitScreen("cancelled")
	s.keys("ENTER")
	if words := s.waitScreen("idle"); !strings.Contains(words, "The scanner types for another keyboard") {
		t.Errorf("the screen does not name it: %s", words)
	}
	out, _ := exec.Command(filepath.Join(bin, "payterm"), "doctor", "--data", data).Output()
	if !strings.Contains(string(out), `AZERTY`) || !strings.Contains(string(out), `layout = "fr"`) {
		t.Errorf("the doctor does not name it: %s", out)
	}
	s.post(s.panel+"/emu/scanner", emulated.Habits{Layout: "de", Ends: "ctrl_m"})
	s.keys("5", "0", "0", "ENTER")
	s.waitScreen("scan")
	s.scan(s.wallet("ALIPAY", false))
	s.waitScreen("approved")
	s.keys("ENTER")
	if words := s.waitScreen("idle"); strings.Contains(words, "another keyboard") { // a code came right
		t.Errorf("the screen goes on naming it: %s", words)
	}
	out, _ = exec.Command(filepath.Join(bin, "payterm"), "doctor", "--data", data).Output()
	if !strings.Contains(string(out), "codes are read, but ") || !strings.Contains(string(out), "AZERTY") ||
		strings.Contains(string(out), "look after its plug") {
		t.Errorf("the doctor does not say what it was: %s", out)
	}
}

// TestParcelFromAnotherKeyboard: a parcel is read from a scanner with Y and Z, or upper and lower
// case, exchanged.
func TestParcelFromAnotherKeyboard(t *testing.T) {
	t.Parallel()
	for _, h := range []emulated.Habits{{Layout: "de"}, {Layout: "fr", Caps: true}} {
		d := newDepot(t)
		text, code := d.parcel(firstKey)
		d.boot("--board", "generic-evdev")
		d.waitScreen("setup")
		d.post(d.panel+"/emu/scanner", h)
		d.scan(text)
		d.waitScreen("setup_code")
		d.typed(code)
		d.waitScreen("idle")
	}
}

// TestScannerWithOtherSettings: a scanner that ends its codes otherwise than the profile says, or sends them at
// another speed, is named on screen, by the doctor and in the log, until a code is read.
func TestScannerWithOtherSettings(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	_, ready := program(t, "payterm", "emulate", "--board", "emulated", "--listen", "127.0.0.1:0", "--data", data,
		"--scale", "20")
	s := &shop{t: t, panel: ready["panel"].(string), sim: ready["gateway"].(string)}
	s.post(s.panel+"/emu/scanner", emulated.Habits{Ends: "gap"})
	s.waitScreen("idle")
	s.scan(s.wallet("ALIPAY", false))
	says := func(want bool) {
		t.Helper()
		for end := time.Now().Add(never); strings.Contains(s.waitScreen("idle"),
			"The scanner is not understood") != want; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("the screen names the scanner: %t, want %t: %s", !want, want, s.screen())
			}
		}
	}
	says(true)
	out, _ := exec.Command(filepath.Join(bin, "payterm"), "doctor", "--data", data).Output()
	if !strings.Contains(string(out), `do not end as framing = "cr" in [scanner]`) {
		t.Errorf("the doctor does not name it: %s", out)
	}
	s.post(s.panel+"/emu/scanner", emulated.Habits{})
	s.keys("5", "0", "0", "ENTER")
	s.waitScreen("scan")
	s.scan(s.wallet("ALIPAY", false))
	s.waitScreen("approved")
	s.keys("ENTER")
	says(false)
	out, _ = exec.Command(filepath.Join(bin, "payterm"), "doctor", "--data", data).Output()
	if !strings.Contains(string(out), "codes are read, but ") || strings.Contains(string(out), "look after its plug") {
		t.Errorf("the doctor does not say what it was: %s", out)
	}
}

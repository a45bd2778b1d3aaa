package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestControlSignsAreRefused: what can be checked without an agent is a usage error: status 2,
// with the field's name.
func TestControlSignsAreRefused(t *testing.T) {
	for _, args := range [][]string{
		{"sale", "--mode", "passive", "--amount", "1.00", "--ref", "a\nb"}, {"refund", "T1AAAAA000001", "--ref",
			"\x1b@"},
	} {
		out, err := exec.Command(filepath.Join(bin, "payterm"), append(args, "--data", t.TempDir())...).CombinedOutput()
		var ended *exec.ExitError
		if !errors.As(err, &ended) || ended.ExitCode() != 2 || !strings.Contains(string(out), args[0]+": ref: ") {
			t.Errorf("%q: %v %s", args, err, out)
		}
	}
}

// TestConfigCheckNamesSigns: config check names characters that the board's devices lack, and
// succeeds.
func TestConfigCheckNamesSigns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shop.toml")
	if err := os.WriteFile(file,
		[]byte("[terminal]\nboard = \"raspberrypi-i2c-hd44780\"\n[merchant]\nname = \"張記 🍕\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(filepath.Join(bin, "payterm"), "config", "check", file).Output()
	for _, want := range []string{
		"shop.toml:4: merchant.name: the printer has no sign for 🍕 (there it is ?)\n",
		"the display has no sign for 🍕 (there it is ?), 張 (there it is ?), 記 (there it is ?)\n", "is right",
	} {
		if !strings.Contains(string(out), want) || err != nil {
			t.Errorf("%q is not in %s %v", want, out, err)
		}
	}
}

// TestChineseNeedsAnotherDisplay: a Chinese configuration for a board with a character display is refused, with
// the line and the reason, by config check and by board check; French is not.
func TestChineseNeedsAnotherDisplay(t *testing.T) {
	const reason = "terminal.language: zh: the board's character display has Latin letters only"
	for _, c := range []struct {
		language, board string
		refused         bool
	}{
		{"zh", "raspberrypi-i2c-hd44780", true}, {"zh", "raspberrypi-gpio-hd44780", true},
		{"fr", "raspberrypi-i2c-hd44780", false}, {"zh", "raspberrypi-i2c-ssd1306", false},
	} {
		file := filepath.Join(t.TempDir(), "shop.toml")
		if err := os.WriteFile(file, []byte("[terminal]\nlanguage = \""+c.language+"\"\nboard = \""+c.board+"\"\n"),
			0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"config", "check", file}, {"board", "check", c.board, "--config", file}} {
			out, err := exec.Command(filepath.Join(bin, "payterm"), args...).CombinedOutput()
			said := strings.Contains(string(out), "shop.toml:2: "+reason)
			var ended *exec.ExitError
			if c.refused != said || c.refused != errors.As(err, &ended) || c.refused && ended.ExitCode() != 1 {
				t.Errorf("%s on %s: %q: %v %s", c.language, c.board, args, err, out)
			}
		}
	}
	if out, err := exec.Command(filepath.Join(bin, "payterm"), "board", "check",
		"raspberrypi-i2c-hd44780").CombinedOutput(); err != nil {
		t.Errorf("without a configuration: %v %s", err, out)
	}
}

// TestEverySaleHasItsSlip: a shop's name outside all code pages, an emoji from a till, combining
// accents and zero-width characters: each payment has its slips, and the day its Z.
func TestEverySaleHasItsSlip(t *testing.T) {
	t.Parallel()
	s := newShop(t, "[merchant]\nname = \"張記茶餐廳 🍕\"\naddress = \"Crêperie Œuvre™ — Đặng Phở\"\n")
	for ref, printed := range map[string]string{
		"Table 5 🍕": "Table 5 ?", "Cafe\u0301 8": "Café 8", "zero\u200bwidth": "zerowidth", "e\u2011mail": "e-mail",
		"": "Customer copy",
	} {
		s.post(s.panel+"/emu/paper/tear", nil)
		r := s.begin("--mode", "passive", "--amount", "3.00", "--ref", ref)
		s.waitScreen("scan")
		s.scan(s.wallet("WECHATPAY", false))
		if status, o := r.end(); status != 0 || o.Ref != ref {
			t.Fatalf("%q: %d %+v", ref, status, o)
		}
		s.paperUntil("[picture", "Merchant copy", "APPROVED", "--- cut ---", "[picture", "Customer copy", "APPROVED",
			"--- cut ---")
		s.paperUntil(printed)
		s.waitScreen("approved")
		s.keys("ENTER")
		s.waitScreen("idle")
	}
	s.post(s.panel+"/emu/paper/tear", nil)
	if out, status := s.failing("totals", "z"); status != 0 {
		t.Fatalf("%d %s", status, out)
	}
	s.paperUntil("[picture", "Z TOTAL 1", "15.00", "--- cut ---")
}

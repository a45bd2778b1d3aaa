package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What can be known without an agent is a mistake in the command's use: status 2, and
// the field's name.
func TestControlSignsAreRefused(t *testing.T) {
	for _, args := range [][]string{
		{"sale", "--mode", "passive", "--amount", "1.00", "--ref", "a\nb"}, {"refund", "T1AAAAA000001", "--ref", "\x1b@"},
	} {
		out, err := exec.Command(filepath.Join(bin, "payterm"), append(args, "--data", t.TempDir())...).CombinedOutput()
		var ended *exec.ExitError
		if !errors.As(err, &ended) || ended.ExitCode() != 2 || !strings.Contains(string(out), args[0]+": ref: ") {
			t.Errorf("%q: %v %s", args, err, out)
		}
	}
}

// config check names the signs that the board's devices do not have, and is content.
func TestConfigCheckNamesSigns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shop.toml")
	if err := os.WriteFile(file, []byte("[terminal]\nboard = \"raspberrypi-i2c-hd44780\"\n[merchant]\nname = \"張記 🍕\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(filepath.Join(bin, "payterm"), "config", "check", file).Output()
	for _, want := range []string{
		"shop.toml:4: merchant.name: the printer has no sign for 🍕 (there it is ?)\n", "the display has no sign for 🍕 (there it is ?), 張 (there it is ?), 記 (there it is ?)\n", "is right",
	} {
		if !strings.Contains(string(out), want) || err != nil {
			t.Errorf("%q is not in %s %v", want, out, err)
		}
	}
}

package main

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"payterm/internal/tooltest"
)

// TestManPage: it has every command and flag, and man accepts it.
func TestManPage(t *testing.T) {
	t.Parallel()
	page := filepath.Join(t.TempDir(), "payterm.1")
	text, err := exec.Command(filepath.Join(bin, "payterm"), "pages", "man", "--release", "1.2", "--date",
		"2026-01-02").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{".SS payterm run", ".SS payterm journal export", ".SS payterm refund",
		`.B \-\-idempotency\-key=`, "in doubt", `"payterm 1.2"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(string(text), "pages") {
		t.Error("a hidden command stands on the page")
	}
	write(t, page, string(text))
	cmd := exec.Command(tooltest.Need(t, "groff"), "-man", "-Tutf8", "-ww", "-z", page)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("groff: %v: %s", err, out)
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	text, err := exec.Command(filepath.Join(bin, "payterm"), "pages", "bash").Output()
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "payterm")
	write(t, script, string(text))
	for _, c := range []struct{ line, want string }{
		{"re", "refund resolve reconcile reports"},
		{"journal ", "list show export verify"},
		{"config ch", "check"},
		{"run --c", "--config"},
		{"sale --mode passive --id", "--idempotency-key"},
		{"journal show --j", "--json"},
	} {
		words := strings.Split("payterm "+c.line, " ")
		args := slices.Concat([]string{"-c",
			`. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _payterm; echo "${COMPREPLY[*]}"`, script}, words)
		out, err := exec.Command(tooltest.Need(t, "bash"), args...).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != c.want {
			t.Errorf("payterm %s: %q %v, want %q", c.line, got, err, c.want)
		}
	}
}

// TestZshCompletion runs the function as zsh would call it, with zsh's own functions that offer words.
func TestZshCompletion(t *testing.T) {
	t.Parallel()
	const frame = `compadd() { shift; print -r -- "$@" }
_files() { print -r -- files }
compdef() { : }
source "$1"; shift
words=("$@"); CURRENT=$#words; PREFIX=$words[-1]
_payterm`
	script := filepath.Join(t.TempDir(), "_payterm")
	write(t, script, page(t, "zsh"))
	for _, c := range []struct{ line, want string }{
		{"journal ", "list show export verify"},
		{"config check x", "files"},
		{"version --", "--json"},
	} {
		args := slices.Concat([]string{"-f", "-c", frame, "zsh", script}, strings.Split("payterm "+c.line, " "))
		out, err := exec.Command(tooltest.Need(t, "zsh"), args...).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != c.want {
			t.Errorf("payterm %s: %q %v, want %q", c.line, got, err, c.want)
		}
	}
}

// TestFishCompletion asks fish itself.
func TestFishCompletion(t *testing.T) {
	t.Parallel()
	script := filepath.Join(t.TempDir(), "payterm.fish")
	write(t, script, page(t, "fish"))
	for _, c := range []struct{ line, want string }{
		{"re", "reconcile refund reports resolve"},
		{"journal ", "export list show verify"},
		{"config ch", "check"},
		{"sale --mode passive --id", "--idempotency-key"},
	} {
		cmd := exec.Command(tooltest.Need(t, "fish"), "--no-config", "-c",
			"source "+script+"; complete -C 'payterm "+c.line+"'")
		cmd.Env = append(cmd.Environ(), "HOME="+t.TempDir())
		out, err := cmd.CombinedOutput()
		var got []string
		for line := range strings.Lines(string(out)) {
			word, _, _ := strings.Cut(strings.TrimSpace(line), "\t") // a description follows
			got = append(got, word)
		}
		if said := strings.Join(got, " "); err != nil || said != c.want {
			t.Errorf("payterm %s: %q %v, want %q", c.line, said, err, c.want)
		}
	}
}

// page returns what payterm pages writes.
func page(t *testing.T, which string) string {
	t.Helper()
	text, err := exec.Command(filepath.Join(bin, "payterm"), "pages", which).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

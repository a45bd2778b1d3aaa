package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"payterm/config"
)

// TestMerchantGuide: the guide's configuration loads, and its commands exist.
func TestMerchantGuide(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "merchant.md"))
	if err != nil {
		t.Fatal(err)
	}
	guide := string(text)
	_, example, found := strings.Cut(guide, "```toml\n")
	example, _, closed := strings.Cut(example, "```")
	if !found || !closed {
		t.Fatal("no configuration in the guide")
	}
	cfg, err := config.Parse("merchant.md", []byte(example), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !cfg.NamedSupervisors() || !slices.Equal(cfg.Terminal.ReceiptLanguages, []string{"fr", "en"}) ||
		!slices.Equal(cfg.Sale.Tips, []int{10, 15, 18}) {
		t.Errorf("the guide's configuration is read as %+v", cfg)
	}
	if _, err := config.Parse("merchant.md", []byte(strings.Replace(example, "tips", "tipps", 1)), nil); err == nil {
		t.Error("a key that does not exist is taken")
	}

	parser := newParser(&cli{})
	parser.Exit = func(int) {}
	file := filepath.Join(t.TempDir(), "payterm.toml")
	if err := os.WriteFile(file, []byte(example), 0o600); err != nil {
		t.Fatal(err)
	}
	commands := commandLine.FindAllStringSubmatch(guide, -1)
	if len(commands) < 10 {
		t.Errorf("only %d commands in the guide", len(commands))
	}
	for _, m := range commands {
		line, _, _ := strings.Cut(m[1]+m[2], " #")
		line, _, _ = strings.Cut(line, " > ")
		args := strings.Fields(strings.ReplaceAll(line, "/etc/payterm/payterm.toml", file))
		if _, err := parser.Parse(args); err != nil {
			t.Errorf("payterm %s: %v", line, err)
		}
	}
	if _, err := parser.Parse([]string{"totals", "z", "--copy"}); err == nil {
		t.Error("a flag that does not exist is taken")
	}
}

// commandLine is a command in the guide, on its own line or in backquotes.
var commandLine = regexp.MustCompile("(?m)^    payterm (.*)$|`payterm ([^`]*)`")

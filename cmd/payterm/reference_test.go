package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"payterm/board"
	"payterm/config"
	"payterm/tomlfile"
)

// TestReference compares docs/reference.md with the keys in the code; -update rewrites it. Values
// and defaults come from the packages, which test them.
func TestReference(t *testing.T) {
	text := reference(t)
	doc := filepath.Join("..", "..", "docs", "reference.md")
	if *rewrite {
		if err := os.WriteFile(doc, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(doc); err != nil || string(got) != text {
		t.Errorf("%s is not what the code says (%v): go test ./cmd/payterm -run Reference -update", doc, err)
	}
}

func reference(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(`# Every key

All keys of a configuration and of a board profile. This page is generated from the code with
` + "`go test ./cmd/payterm -run Reference -update`" + `, and a test compares it with the code. Both files are
TOML: put text and durations (` + "`\"5ms\"`" + `, ` + "`\"2h10m\"`" + `) in quotes; write numbers, true and false without.
payterm refuses a key that is not here. ` + "`payterm config check`" + ` and ` + "`payterm board check`" + ` name each
mistake and its line.

`)
	b.WriteString("# Configuration\n\n" +
		"[example.toml](../testdata/config/example.toml) has every key with its default. Each key is also\n" +
		"an environment variable, which overrides the file: `sale.max_minor` is `" +
		config.Variable("sale.max_minor") + "`.\n")
	said, keys := remarks(t), configKeys()
	for i := range keys {
		if keys[i].What = said[keys[i].Key]; keys[i].What == "" {
			t.Errorf("%s has no remark in testdata/config/example.toml", keys[i].Key)
		}
	}
	facts := config.Facts()
	table(&b, keys, facts, func(section string) string {
		if section == "operators" {
			return "[[operators]]"
		}
		return "[" + section + "]"
	})
	b.WriteString("\n# Board profile\n\n" +
		"[boards/](../boards/) has complete profiles, and [porting.md](porting.md) says how to write your own. If you\n" +
		"leave out a section, the board does not have that device.\n")
	table(&b, boardKeys(), board.Facts(), func(section string) string { return "[" + section + "]" })
	controllers(&b)
	return b.String()
}

// table writes the keys, with a table for each section.
func table(b *strings.Builder, keys []keyRow, facts map[string]tomlfile.Fact, heading func(string) string) {
	last := "-"
	for _, k := range keys {
		section, name, in := strings.Cut(k.Key, ".")
		if !in {
			section, name = "", k.Key
		}
		if section != last {
			last = section
			if section != "" {
				fmt.Fprintf(b, "\n## %s\n", heading(section))
			}
			b.WriteString("\n| key | what it is | type | allowed values | default |\n|---|---|---|---|---|\n")
		}
		usual := k.usual()
		if k.Needed == "" && usual != "-" && !strings.Contains(usual, " ") {
			usual = "`" + usual + "`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s |\n", name, cell(k.What), k.Type, cell(allowed(facts[k.Key])), cell(usual))
	}
}

// allowed returns the allowed values of a key.
func allowed(f tomlfile.Fact) string {
	if len(f.Words) == 0 {
		return cmp.Or(f.Allowed(), "`true`, `false`")
	}
	words := make([]string, len(f.Words))
	for i, w := range f.Words {
		words[i] = "`" + w + "`"
	}
	return strings.Join(words, ", ")
}

// cell escapes a text for a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// remarks returns the comments above each key of the example, and for operators those after it.
func remarks(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "config", "example.toml"))
	if err != nil {
		t.Fatal(err)
	}
	said, section, above := map[string]string{}, "", []string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if shown, is := strings.CutPrefix(line, "# [["); is {
			section, above = strings.TrimSuffix(shown, "]]"), nil
			continue
		}
		name, behind, assigned := strings.Cut(strings.TrimPrefix(line, "# "), " = ")
		_, remark, remarked := strings.Cut(behind, " # ")
		switch {
		case strings.HasPrefix(line, "["):
			section, above = strings.Trim(line, "[]"), nil
		case strings.HasPrefix(line, "#") && assigned && remarked && section == "operators":
			said[section+"."+name] = remark
		case strings.HasPrefix(line, "#"):
			above = append(above, strings.TrimSpace(strings.TrimPrefix(line, "#")))
		case assigned:
			said[section+"."+name] = strings.Join(above, " ")
			above = nil
		default:
			above = nil
		}
	}
	return said
}

// controllers writes a table of what each controller allows.
func controllers(b *strings.Builder) {
	b.WriteString("\n## Controllers\n\n" +
		"| controller | bus | display size | SPI, at most | I2C address | contrast | further keys |\n" +
		"|---|---|---|---|---|---|---|\n")
	for _, c := range board.Controllers {
		var buses []string
		for _, bus := range c.Buses {
			buses = append(buses, "`"+string(bus)+"`")
		}
		glass := fmt.Sprintf("%dx%d to %dx%d", c.Least.Width, c.Least.Height, c.Most.Width, c.Most.Height)
		switch {
		case c.RAM != board.Size{}:
			glass = fmt.Sprintf("%dx%d to %dx%d (its RAM)", c.Least.Width, c.Least.Height, c.RAM.Width, c.RAM.Height)
		case c.Shows == board.Characters:
			var sizes []string
			for _, s := range c.Sizes {
				sizes = append(sizes, fmt.Sprintf("%dx%d", s.Width, s.Height))
			}
			glass = strings.Join(sizes, ", ") + " characters"
		}
		or := func(has bool, text string) string {
			if !has {
				return "-"
			}
			return text
		}
		addresses := make([]string, len(c.Addresses))
		for i, a := range c.Addresses {
			addresses[i] = fmt.Sprintf("%#02x", a)
		}
		if n := len(addresses); n > 2 {
			addresses = []string{fmt.Sprintf("%s to %s (PCF8574, PCF8574A)", addresses[0], addresses[n-1])}
		}
		keys := strings.Fields(c.Keys)
		for i, k := range keys {
			keys[i] = "`" + k + "`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s | %s | %s |\n", c.Name, strings.Join(buses, ", "), glass,
			or(slices.Contains(c.Buses, board.SPI), fmt.Sprintf("%d Hz", c.MaxHz)),
			or(len(addresses) > 0, fmt.Sprintf("%s; %#02x when left out", strings.Join(addresses, ", "), c.Address)),
			or(c.Contrast != 0, fmt.Sprint(c.Contrast)), strings.Join(keys, " "))
	}
}

// TestKeys: config keys and board keys list what the reference has, by prefix, also as JSON.
func TestKeys(t *testing.T) {
	t.Parallel()
	for command, want := range map[string][]keyRow{"config": configKeys(), "board": boardKeys()} {
		var got struct{ Keys []keyRow }
		out, err := exec.Command(filepath.Join(bin, "payterm"), command, "keys", "--json").Output()
		if err = errors.Join(err, json.Unmarshal(out, &got)); err != nil || !slices.Equal(got.Keys, want) {
			t.Errorf("%s keys --json: %v, %d keys of %d", command, err, len(got.Keys), len(want))
		}
		out, err = exec.Command(filepath.Join(bin, "payterm"), command, "keys").Output()
		if lines := strings.Count(string(out), "\n"); err != nil || lines != len(want)+1 {
			t.Errorf("%s keys: %v, %d lines", command, err, lines)
		}
	}
	out, err := exec.Command(filepath.Join(bin, "payterm"), "config", "keys", "sale.max_m").CombinedOutput()
	if fields := strings.Fields(string(out)); err != nil || !slices.Contains(fields, "sale.max_minor") ||
		!slices.Contains(fields, "1000000") || slices.Contains(fields, "sale.tips") {
		t.Errorf("config keys sale.max_m: %v\n%s", err, out)
	}
	if out, err = exec.Command(filepath.Join(bin, "payterm"), "board", "keys", "zzz").CombinedOutput(); err == nil {
		t.Errorf("board keys zzz is taken: %s", out)
	}
}

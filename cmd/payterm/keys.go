package main

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"payterm/board"
	"payterm/config"
	"payterm/tomlfile"
)

// keysOf are the options of the commands that list keys.
type keysOf struct {
	Prefix string `arg:"" optional:"" help:"Only keys that begin with this, such as sale or sale.max."`
	JSON   bool   `help:"Print one JSON document." name:"json"`
}

type (
	configKeysCmd struct{ keysOf }
	boardKeysCmd  struct{ keysOf }
)

// keyRow is a key of a configuration or a board profile.
type keyRow struct {
	Key      string `json:"key"`
	What     string `json:"what,omitempty"`
	Type     string `json:"type"`
	Allowed  string `json:"allowed"`
	Default  string `json:"default"`
	Needed   string `json:"needed,omitempty"`   // when it must be set
	Variable string `json:"variable,omitempty"` // of the environment
}

// Run lists the keys of a configuration.
func (c configKeysCmd) Run() error { return c.list(configKeys()) }

// Run lists the keys of a board profile.
func (c boardKeysCmd) Run() error { return c.list(boardKeys()) }

func configKeys() []keyRow {
	facts := config.Facts()
	var rows []keyRow
	for _, k := range tomlfile.Keys(config.Config{}) {
		f := facts[k.Dotted]
		if !f.Needed {
			f.Usual = cmp.Or(f.Usual, config.Usual(k.Dotted))
		}
		row := rowOf(k, f)
		row.Variable = config.Variable(k.Dotted)
		rows = append(rows, row)
	}
	return rows
}

func boardKeys() []keyRow {
	facts := board.Facts()
	var rows []keyRow
	for _, k := range tomlfile.Keys(board.Profile{}) {
		rows = append(rows, rowOf(k, facts[k.Dotted]))
	}
	return rows
}

func rowOf(k tomlfile.Key, f tomlfile.Fact) keyRow {
	typ := k.Type
	if f.Unit != "" && typ == "number" {
		typ += ", " + f.Unit
	}
	row := keyRow{
		Key: k.Dotted, What: f.What, Type: typ, Allowed: cmp.Or(f.Allowed(), "true, false"),
	}
	if f.Needed {
		row.Needed = cmp.Or(f.Usual, "always")
	} else {
		row.Default = f.Usual
	}
	return row
}

func (c keysOf) list(all []keyRow) error {
	rows := []keyRow{}
	for _, r := range all {
		if strings.HasPrefix(r.Key, c.Prefix) {
			rows = append(rows, r)
		}
	}
	if len(rows) == 0 {
		return fmt.Errorf("no key begins with %q: without it all are listed", c.Prefix)
	}
	return store{JSON: c.JSON}.print(struct {
		Keys []keyRow `json:"keys"`
	}{rows}, func() {
		w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "KEY\tTYPE\tDEFAULT\tALLOWED")
		for _, r := range rows {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.Key, r.Type, r.usual(), r.Allowed)
		}
		w.Flush() //nolint:errcheck // standard output, as with Println
	})
}

// usual is the default in words.
func (r keyRow) usual() string {
	if r.Needed != "" {
		return strings.TrimSuffix("needed "+r.Needed, " always")
	}
	return cmp.Or(r.Default, "-")
}

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"payterm/board"
)

// TestPrintersByName: the table of docs/printers.md is the program's, also as JSON.
func TestPrintersByName(t *testing.T) {
	t.Parallel()
	run := func(args ...string) string {
		args = append([]string{"board", "printers"}, args...)
		out, err := exec.Command(filepath.Join(bin, "payterm"), args...).Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	guide, err := os.ReadFile("../../docs/printers.md")
	if err != nil {
		t.Fatal(err)
	}
	if table := run(); !strings.HasSuffix(string(guide), "\n\n"+table) {
		t.Errorf("docs/printers.md does not end with what payterm board printers says:\n%s", table)
	}
	var said struct{ Printers []printerModel }
	if err := json.Unmarshal([]byte(run("--json")), &said); err != nil || len(said.Printers) != len(board.PrinterModels) {
		t.Errorf("%d printers, %v", len(said.Printers), err)
	}
	// Every key of the section is in the guide's table.
	for f := range reflect.TypeFor[board.Printer]().Fields() {
		key := f.Tag.Get("toml")
		if !strings.Contains(string(guide), "`"+key+"`") {
			t.Errorf("docs/printers.md has no key %s", key)
		}
	}
}

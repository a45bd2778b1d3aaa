package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"payterm"
	"payterm/storage"
)

// journalOf makes a data directory with one sale, whose journal stays open as under a running
// agent.
func journalOf(t *testing.T) (data string) {
	t.Helper()
	data = t.TempDir()
	s := sold(t, data)
	t.Cleanup(func() { s.Close() })
	return data
}

// sold opens a journal and adds a sale.
func sold(t *testing.T, data string) *storage.Store {
	t.Helper()
	s, err := storage.Open(storage.Options{
		Path: filepath.Join(data, "payterm.db"), Terminal: "T1", Now: time.Now, DrawTag: func() (string, error) {
			return "AAAAA", nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Commit(payterm.Entry{
		OrderID: "T1AAAAA000001", Event: "sale_began", Body: []byte(`{}`), Owes: payterm.OwedInquiry,
		Order: payterm.Order{ID: "T1AAAAA000001", Kind: payterm.KindSale, Mode: payterm.Passive, AmountMinor: 1234,
			Currency: "CAD", Outcome: payterm.Open},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func run(args ...string) (stdout string, status int) {
	cmd := exec.Command(filepath.Join(bin, "payterm"), args...)
	out, _ := cmd.Output() // the status is checked below
	return string(out), cmd.ProcessState.ExitCode()
}

// TestExport copies the journal of a running agent, and the copy verifies; a second export does
// not overwrite it, and a damaged copy is refused.
func TestExport(t *testing.T) {
	data := journalOf(t)
	file := filepath.Join(t.TempDir(), "copy.db")
	out, status := run("journal", "export", file, "--data", data, "--json")
	var exported struct {
		File    string
		Records int
		Head    string
	}
	if err := json.Unmarshal([]byte(out), &exported); err != nil || status != 0 || exported.File != file ||
		exported.Records != 1 {
		t.Fatalf("status %d: %q %v", status, out, err)
	}
	live, status := run("journal", "verify", "--data", data, "--json")
	copied, status2 := run("journal", "verify", file, "--json")
	if live != copied || status+status2 != 0 || live == "" {
		t.Errorf("the journal verifies as %q, its copy as %q", live, copied)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, status := run("journal", "export", file, "--data", data); status != 1 {
		t.Errorf("a second export to the same file: status %d, want 1", status)
	}
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the first copy was changed: %v", err)
	}
	damaged := bytes.Replace(before, []byte("sale_began"), []byte("sale_begun"), 1)
	if err := os.WriteFile(file, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, status := run("journal", "verify", file); status != 1 {
		t.Errorf("a damaged copy: status %d, %q", status, out)
	}
	if _, status := run("journal", "export", filepath.Join(t.TempDir(), "x.db"), "--data", t.TempDir()); status != 1 {
		t.Errorf("without a journal: status %d", status)
	}
}

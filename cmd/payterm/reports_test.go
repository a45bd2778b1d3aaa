package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"payterm/storage"
)

// TestReports: a folder gets the business day, every Z and a copy of the journal that verifies,
// all of it or nothing; with the merchant's key nothing of it can be read.
func TestReports(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	sale := s.sold("12.34")
	s.totals("z")
	s.totals("z") // of nothing
	s.sold("5.00")
	stick := t.TempDir()
	plain := filepath.Join(s.dir, "plain.toml")
	sealed := filepath.Join(s.dir, "sealed.toml")
	const key = "age1cy0su9fwf3gf9mw868g5yut09p6nytfmmnktexz2ya5uqg9vl9sss4euqm"
	for path, text := range map[string]string{plain: "[terminal]\nid = \"T7\"\n",
		sealed: "[terminal]\nid = \"T7\"\n[merchant]\nreports_key = \"" + key + "\"\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	type report struct {
		Folder    string
		Files     []string
		Encrypted bool
	}
	write := func(config, stick string) (r report) {
		t.Helper()
		out, complaint, err := ran(t, "", "reports", "--json", "--data", s.data, "--config", config, stick)
		if errs := json.Unmarshal([]byte(out), &r); err != nil || errs != nil {
			t.Fatalf("%v %v %s %s", err, errs, out, complaint)
		}
		sums := exec.CommandContext(t.Context(), "sha256sum", "--quiet", "-c", "SHA256SUMS")
		sums.Dir = r.Folder
		if said, err := sums.CombinedOutput(); err != nil {
			t.Errorf("%v %s", err, said)
		}
		list, err := os.ReadDir(r.Folder)
		if err != nil || len(list) != len(r.Files)+1 {
			t.Errorf("%v %v %q", err, list, r.Files)
		}
		return r
	}
	r := write(plain, stick)
	if !strings.HasPrefix(filepath.Base(r.Folder), "T7-20") || len(r.Files) != 4 || r.Encrypted {
		t.Errorf("%+v", r)
	}
	sum := func(name string) (orders int, minor string) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(r.Folder, name))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
		if err != nil || rows[0][7] != "amount_minor" || len(rows[0]) != len(rows[len(rows)-1]) {
			t.Fatalf("%v %q", err, rows)
		}
		if len(rows) < 2 {
			return 0, ""
		}
		return len(rows) - 1, rows[1][7]
	}
	if rows, minor := sum("z.csv"); rows != 2 || minor != "1234" {
		t.Errorf("z.csv: %d rows, %s", rows, minor)
	}
	days := slices.DeleteFunc(slices.Clone(r.Files), func(name string) bool { return !strings.HasPrefix(name, "day-") })
	if len(days) != 2 {
		t.Fatalf("%q", r.Files)
	}
	if rows, minor := sum(days[1]); rows != 1 || minor != "1734" {
		t.Errorf("%s: %d rows, %s", days[1], rows, minor)
	}
	if out, complaint, err := ran(t, "", "journal", "list", "--data", r.Folder); err != nil ||
		!strings.Contains(out, string(sale.ID)) {
		t.Error(out, complaint, err)
	}
	copied := filepath.Join(r.Folder, "payterm.db")
	if out, complaint, err := ran(t, "", "journal", "verify", copied); err != nil {
		t.Error(out, complaint, err)
	}

	left := filepath.Join(stick, "T7-20261128T080000Z.part")
	others := filepath.Join(stick, "T8-20261128T080000Z.part")
	for _, folder := range []string{left, others} {
		if err := os.MkdirAll(filepath.Join(folder, "x"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(time.Second) // the first folder is named by the same second
	write(plain, stick)
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what a pulled stick had is left: %v", err)
	}
	if _, err := os.Stat(others); err != nil {
		t.Error(err)
	}

	r = write(sealed, t.TempDir()) // the first folder is named by the same second
	if !r.Encrypted || len(r.Files) != 4 {
		t.Errorf("%+v", r)
	}
	for _, name := range r.Files {
		text, err := os.ReadFile(filepath.Join(r.Folder, name))
		if err != nil || filepath.Ext(name) != ".age" ||
			!bytes.HasPrefix(text, []byte("age-encryption.org/v1\n-> X25519 ")) ||
			bytes.Contains(text, []byte(sale.ID)) || bytes.Contains(text, []byte("SQLite")) {
			t.Errorf("%s: %v %.60q", name, err, text)
		}
	}
	rest, err := filepath.Glob(filepath.Join(s.data, ".reports*"))
	if err != nil || len(rest) > 0 {
		t.Errorf("left in the data directory: %q %v", rest, err)
	}

	// What cannot be written whole leaves nothing.
	bad := filepath.Join(s.dir, "bad.toml")
	if err := os.WriteFile(bad, []byte("[merchant]\nreports_key = \"age1x\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, complaint, err := ran(t, "", "config", "check", bad); err == nil || !strings.Contains(complaint, "reports_key") {
		t.Error(out, complaint, err)
	}
	if said, status := s.failing("reports", "--config", plain, filepath.Join(stick, "missing")); status != 1 {
		t.Errorf("a folder that is not there: %d %s", status, said)
	}
	if said, status := s.failing("reports", "--config", filepath.Join(s.dir, "none.toml"), stick); status != 1 ||
		!strings.Contains(said, "none.toml") {
		t.Errorf("without a configuration, which may have a key: %d %s", status, said)
	}
	empty := t.TempDir()
	target := t.TempDir()
	if out, complaint, err := ran(t, "", "reports", "--data", empty, "--config", plain, target); err == nil {
		t.Error(out, complaint)
	}
	if list, err := os.ReadDir(target); err != nil || len(list) > 0 {
		t.Errorf("of a terminal without a journal %v is left: %v", list, err)
	}
}

// TestRefusedBy: a folder without room and one that cannot be written have exit statuses of their
// own, since the screen says which it was; a full terminal is not a full stick.
func TestRefusedBy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want exitStatus
	}{
		{nil, 0}, {errors.New("x"), 0}, {errNoCopy, 0},
		{&fs.PathError{Op: "write", Err: syscall.ENOSPC}, exitFull}, {fmt.Errorf("copy: %w", storage.ErrFull), exitFull},
		{&fs.PathError{Op: "mkdir", Err: syscall.EROFS}, exitProtected},
		{&fs.PathError{Op: "mkdir", Err: syscall.EACCES}, exitProtected},
	} {
		if got := refusedBy(c.err); got != c.want {
			t.Errorf("%v: exit status %d, want %d", c.err, got, c.want)
		}
	}
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"payterm/storage"
)

func TestTimeOrAgo(t *testing.T) {
	now := time.Date(2026, time.November, 28, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"":                     {},
		"2026-11-28":           time.Date(2026, time.November, 28, 0, 0, 0, 0, time.UTC),
		"2026-11-28T09:30":     time.Date(2026, time.November, 28, 9, 30, 0, 0, time.UTC),
		"2026-11-28T09:30:05Z": time.Date(2026, time.November, 28, 9, 30, 5, 0, time.UTC),
		"2026-11-28T09:30Z":    time.Date(2026, time.November, 28, 9, 30, 0, 0, time.UTC),
		"2026-11-28 09:30:05Z": time.Date(2026, time.November, 28, 9, 30, 5, 0, time.UTC), // as the list prints it
		"90m":                  now.Add(-90 * time.Minute),
		"7d":                   now.AddDate(0, 0, -7),
	} {
		if got, err := timeOrAgo("--since", text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %s %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"yesterday", "-2h", "7", "d", "-1d", "2026-13-01", "99999999d"} {
		if got, err := timeOrAgo("--since", text, now); err == nil || !strings.Contains(err.Error(), "--since") {
			t.Errorf("%q is %s", text, got)
		}
	}
}

// TestFindsOrders: orders are found by outcome, by time and by the till's reference, and status finds one by
// its reference.
func TestFindsOrders(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	for _, ref := range []string{"Table 5", "Table 6", "Table 6"} {
		sale := s.begin("--mode", "passive", "--amount", "1.00", "--ref", ref)
		s.waitScreen("scan")
		s.keys("CANCEL")
		if status, _ := sale.end(); status != 11 {
			t.Fatalf("exit status %d", status)
		}
	}
	approved := s.sold("12.34")
	list := func(flags ...string) string {
		out, complaint, err := ran(t, "", append([]string{"journal", "list", "--data", s.data}, flags...)...)
		if err != nil {
			t.Fatalf("%v: %v: %s", flags, err, complaint)
		}
		return out
	}
	for _, c := range []struct {
		flags string
		lines int
		says  string
	}{
		{"", 4, string(approved.ID)}, {"--outcome=approved", 1, string(approved.ID)},
		{"--outcome=cancelled", 3, `"Table 5"`}, {"--ref=Table_6", 2, `"Table 6"`},
		{"--since=1h", 4, "CAD"}, {"--until=1h", 1, "no such orders"}, {"--since=1h --last=1", 1, string(approved.ID)},
		{"--last=2 --skip=2", 2, `"Table 5"`}, {"--skip=4", 1, "no such orders"},
	} {
		var flags []string
		for flag := range strings.FieldsSeq(c.flags) {
			flags = append(flags, strings.ReplaceAll(flag, "_", " "))
		}
		if out := list(flags...); strings.Count(out, "\n") != c.lines || !strings.Contains(out, c.says) {
			t.Errorf("%s:\n%s", c.flags, out)
		}
	}
	for _, flags := range [][]string{{"--outcome=maybe"}, {"--since=soon"}, {"--last=-1"}, {"--people", "--last=3"}} {
		if said, status := s.failing("journal", append([]string{"list"}, flags...)...); status != 2 {
			t.Errorf("%v: exit status %d, %s", flags, status, said)
		}
	}
	out, complaint, err := ran(t, "", "status", "--data", s.data, "Table 5")
	if err != nil || !strings.Contains(out, "cancelled") {
		t.Errorf("status by a reference: %v: %s%s", err, out, complaint)
	}
	if said, status := s.failing("status", "Table 6"); status != 2 || !strings.Contains(said, "2 orders") {
		t.Errorf("a reference of two orders: exit status %d, %s", status, said)
	}
	if said, status := s.failing("status", "Table 7"); status != 1 {
		t.Errorf("a reference of none: exit status %d, %s", status, said)
	}
}

// TestHelp: the help explains the exit statuses, and is found in the usual ways.
func TestHelp(t *testing.T) {
	t.Parallel()
	whole, _, err := ran(t, "", "--help")
	if err != nil || !strings.Contains(whole, "On a running terminal") || !strings.Contains(whole, "12 in doubt") {
		t.Errorf("%v:\n%s", err, whole)
	}
	if help, _, err := ran(t, "", "help"); err != nil || help != whole {
		t.Errorf("payterm help: %v:\n%s", err, help)
	}
	of, _, err := ran(t, "", "journal", "list", "--help")
	if help, _, helped := ran(t, "", "help", "journal", "list"); err != nil || helped != nil || help != of {
		t.Errorf("payterm help journal list: %v %v:\n%s", err, helped, help)
	}
	said, _, err := ran(t, "", "version")
	if flag, _, flagged := ran(t, "", "--version"); err != nil || flagged != nil || flag != said {
		t.Errorf("payterm --version: %v %v: %q, want %q", err, flagged, flag, said)
	}
	if _, complaint, err := ran(t, "", "help", "sell"); err == nil || !strings.Contains(complaint, "sell") {
		t.Errorf("help on what there is not: %v: %s", err, complaint)
	}
}

// TestDataIsAFile: whoever names the journal's file is told that its directory is meant.
func TestDataIsAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "payterm.db")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := store{Data: file}.read(func(*storage.Reader) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "is a file: name the directory that it is in") {
		t.Error(err)
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A journal can be read from a card that turned read-only, and by a user who may read it but not
// write, though SQLite's shared files cannot be created in its directory.

// nobody is a user without files here.
const nobody = 65534

// card is a data directory with a journal, readable for all.
func card(t *testing.T, killed bool) string {
	t.Helper()
	base, err := os.MkdirTemp("", "card") // t.TempDir is private
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(base, "payterm")
	t.Cleanup(func() { os.Chmod(data, 0o700); os.RemoveAll(base) }) //nolint:errcheck // a leftover is only in /tmp
	if err := errors.Join(os.Chmod(base, 0o755), os.Mkdir(data, 0o755)); err != nil {
		t.Fatal(err)
	}
	live := t.TempDir()
	s := sold(t, live)
	if killed { // what is on the disk then, without the shared memory file
		defer s.Close()
	} else if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"payterm.db", "payterm.db-wal"} {
		b, err := os.ReadFile(filepath.Join(live, name))
		if errors.Is(err, os.ErrNotExist) && !killed {
			continue
		}
		if err = errors.Join(err, os.WriteFile(filepath.Join(data, name), b, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(data, 0o555); err != nil {
		t.Fatal(err)
	}
	return data
}

// reads runs a command as a user who cannot write to the card; as root, file modes would not
// matter.
func reads(t *testing.T, data string, args ...string) (string, int) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	program := filepath.Join(filepath.Dir(data), "program")
	if err := os.Link(filepath.Join(bin, "payterm"), program); err != nil && !errors.Is(err, os.ErrExist) {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, program, append(args, "--data", data)...)
	cmd.Dir = "/"
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	out, _ := cmd.CombinedOutput() // the status is checked below
	return string(out), cmd.ProcessState.ExitCode()
}

// told are the commands that print payments, and a word of their output.
func told(copied string) []struct{ command, word string } {
	return []struct{ command, word string }{
		{"journal list", "12.34 CAD"},
		{"journal list --people", "nobody has signed on"},
		{"journal show T1AAAAA000001", "sale_began"},
		{"journal verify", "1 records, chain whole"},
		{"journal export " + copied, "1 records, chain whole"},
		{"queue list", "T1AAAAA000001"},
	}
}

// TestCardThatCannotBeWritten reads a closed journal in a read-only directory, and leaves nothing
// there.
func TestCardThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	data := card(t, false)
	for _, c := range told(filepath.Join(os.TempDir(), filepath.Base(filepath.Dir(data))+"-copy.db")) {
		out, status := reads(t, data, strings.Fields(c.command)...)
		if status != 0 || !strings.Contains(out, c.word) {
			t.Errorf("payterm %s: status %d, %q; want %q", c.command, status, out, c.word)
		}
		if _, copied, is := strings.Cut(c.command, "export "); is {
			if err := os.Remove(copied); err != nil {
				t.Error(err)
			}
		}
	}
	if left, err := os.ReadDir(data); err != nil || len(left) != 1 {
		t.Errorf("on the card there is %v, %v", left, err)
	}
	if out, status := reads(t, data, "journal", "export", filepath.Join(data, "copy.db")); status != 1 ||
		!strings.Contains(out, "the folder of the copy cannot be written") || strings.Contains(out, "run this as the user of the agent") {
		t.Errorf("a copy onto the card itself: status %d, %q", status, out)
	}
	if err := os.Chmod(filepath.Join(data, "payterm.db"), 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		return // it is this user's
	}
	if out, status := reads(t, data, "journal", "list"); status != 1 || !strings.Contains(out, "denied") {
		t.Errorf("a journal that is denied: status %d, %q", status, out)
	}
}

// TestCardOfAnAgentThatWasKilled: what is only in the log is not left out silently, and is read
// where both files were copied to.
func TestCardOfAnAgentThatWasKilled(t *testing.T) {
	t.Parallel()
	data := card(t, true)
	for _, c := range told(filepath.Join(os.TempDir(), filepath.Base(filepath.Dir(data))+"-copy.db")) {
		out, status := reads(t, data, strings.Fields(c.command)...)
		if status != 1 || !strings.Contains(out, "copy payterm.db and payterm.db-wal into a folder") {
			t.Errorf("payterm %s: status %d, %q", c.command, status, out)
		}
	}
	if err := os.Chmod(data, 0o755); err != nil {
		t.Fatal(err)
	}
	own := t.TempDir()
	if out, err := exec.Command("cp", filepath.Join(data, "payterm.db"), filepath.Join(data, "payterm.db-wal"),
		own).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v %s", err, out)
	}
	if out, status := run("journal", "list", "--data", own); status != 0 || !strings.Contains(out, "12.34 CAD") {
		t.Errorf("the copy: status %d, %q", status, out)
	}
}

// TestCardMountedReadOnly reads another user's journal as root on a read-only file system.
func TestCardMountedReadOnly(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount")
	}
	data := card(t, false)
	at := filepath.Join(filepath.Dir(data), "mnt")
	if err := errors.Join(os.Mkdir(at, 0o755), os.Chown(data, agentsUID, agentsUID), os.Chmod(data, 0o700),
		os.Chown(filepath.Join(data, "payterm.db"), agentsUID, agentsUID),
		os.Chmod(filepath.Join(data, "payterm.db"), 0o600)); err != nil {
		t.Fatal(err)
	}
	mounted := func(command string) (string, int) {
		script := fmt.Sprintf(`mount --bind %[1]s %[2]s && mount -o remount,ro,bind %[2]s || exit 77
			exec %[3]s/payterm %[4]s --data %[2]s`, data, at, bin, command)
		cmd := exec.Command("unshare", "--mount", "sh", "-c", script)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() == 77 ||
			strings.HasPrefix(string(out), "unshare: ") {
			t.Skipf("nothing can be mounted here: %v %s", err, out)
		}
		return string(out), cmd.ProcessState.ExitCode()
	}
	for _, c := range told(filepath.Join(os.TempDir(), filepath.Base(filepath.Dir(data))+"-copy.db")) {
		out, status := mounted(c.command)
		if status != 0 || !strings.Contains(out, c.word) {
			t.Errorf("payterm %s: status %d, %q; want %q", c.command, status, out, c.word)
		}
		if _, copied, is := strings.Cut(c.command, "export "); is {
			if err := os.Remove(copied); err != nil {
				t.Error(err)
			}
		}
	}
}

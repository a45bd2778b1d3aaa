package storage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"payterm"
)

// childReserve commits sales as the agent does: Reserve before each, and a full disk during a
// commit.
func childReserve(path string) error {
	runtime.LockOSThread() // strace counts the calls of each thread
	s, err := childStore(path, evening, "AAAAA", "BBBBB")
	if err != nil {
		return err
	}
	if _, err := os.Stat(reservePath(s.path)); err != nil {
		ack("given up")
	}
	for range 8 {
		if err := s.Reserve(); err != nil {
			return err
		}
		if err := childSale(s, s.Commit); err != nil {
			return err
		}
		if _, err := os.Stat(reservePath(s.path)); err != nil {
			ack("given up")
		}
	}
	return nil
}

// TestReserveSpent: a commit that finds the disk full succeeds in the reserved room, at whatever
// call the disk was full, and the room is reserved again.
func TestReserveSpent(t *testing.T) {
	spent := 0
	for _, k := range []int{1, 3, 6, 10, 20, 33, 47, 61} {
		dir := scratch(t)
		first, err := childStore(filepath.Join(dir, "payterm.db"), evening, "AAAAA")
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(first.Reserve(), first.Close()); err != nil {
			t.Fatal(err)
		}
		said, err := pressedAs(t, "reserve", dir, "-e", "trace=pwrite64", "-e",
			fmt.Sprintf("inject=pwrite64:error=ENOSPC:when=%d", k))
		if err != nil {
			t.Errorf("full at call %d: %v", k, err)
			continue
		}
		p := newPromised()
		for _, line := range said {
			if line == "given up" {
				spent++
				continue
			}
			p.hear(line)
		}
		path := filepath.Join(dir, "payterm.db")
		if info, err := os.Stat(path + ".reserve"); err != nil && !strings.HasSuffix(strings.Join(said, "\n"),
			"given up") || err == nil && allocated(info) < reserveSize {
			t.Errorf("full at call %d: the reserve was not made again: %v", k, err)
		}
		if err := p.broken(path); err != nil {
			t.Errorf("full at call %d: afterwards: %v", k, err)
		}
	}
	if spent < 4 {
		t.Errorf("the reserve was spent %d times only: this proves little", spent)
	}
}

// TestReserve: the room is really allocated, also after the file was changed from outside.
func TestReserve(t *testing.T) {
	s := openAt(t, filepath.Join(scratch(t), "payterm.db"), &clock{evening})
	for what, meddle := range map[string]func(path string) error{
		"nothing yet": func(string) error { return nil },
		"deleted":     os.Remove,
		"emptied":     func(path string) error { return os.Truncate(path, 0) },
		"a hole, no block": func(path string) error {
			return errors.Join(os.Truncate(path, 0), os.Truncate(path, reserveSize))
		},
	} {
		if err := s.Reserve(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if what != "nothing yet" {
			if err := meddle(reservePath(s.path)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Reserve(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if info, err := os.Stat(reservePath(s.path)); err != nil || allocated(info) < reserveSize {
			t.Errorf("%s: %v %v", what, info, err)
		}
	}
}

// TestReserveRefused: if no room can be reserved no sale may begin, and no partial file is left.
func TestReserveRefused(t *testing.T) {
	for errno, want := range map[string]string{"ENOSPC": "full", "EIO": "disk"} {
		dir := scratch(t)
		said, err := pressedAs(t, "reserve", dir, "-e", "trace=fallocate", "-e", "inject=fallocate:error="+errno)
		if err == nil || !strings.Contains(err.Error(), kinds[want].Error()) ||
			strings.Contains(strings.Join(said, " "), "event") {
			t.Errorf("%s: %q %v", errno, said, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "payterm.db.reserve")); err == nil {
			t.Errorf("%s: half a reserve is left", errno)
		}
	}
	dir := scratch(t) // a file system without fallocate: written instead
	if _, err := pressedAs(t, "reserve", dir, "-e", "trace=fallocate", "-e",
		"inject=fallocate:error=EOPNOTSUPP"); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(filepath.Join(dir, "payterm.db.reserve")); err != nil || allocated(info) < reserveSize {
		t.Errorf("without fallocate: %v %v", info, err)
	}
}

// TestDamageStays: found damage stays: no sale until the next start.
func TestDamageStays(t *testing.T) {
	s := openAt(t, filepath.Join(scratch(t), "payterm.db"), &clock{evening})
	if _, err := s.db.Exec(`DROP TABLE outbox`); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(entry("T1AAAAA000001", "sale_began", payterm.Open)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("commit: %v", err)
	}
	if err := s.Reserve(); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a sale could begin: %v", err)
	}
	if err := s.Writable(); !errors.Is(err, ErrCorrupt) {
		t.Errorf("it mended itself: %v", err)
	}
	var a interface{ Advice() string }
	if !errors.As(s.Reserve(), &a) || a.Advice() != ErrCorrupt.Error() {
		t.Errorf("nobody says what to do: %v", a)
	}
}

package storage

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/internal/tooltest"
)

var kinds = map[string]error{
	"full": ErrFull, "read-only": ErrReadOnly, "disk": ErrDisk, "corrupt": ErrCorrupt, "chain": ErrChain,
	"newer": ErrNewer, "older": ErrOlder, "busy": ErrBusy, "denied": ErrDenied,
}

func kind(err error) string {
	for name, k := range kinds {
		if errors.Is(err, k) {
			return name
		}
	}
	return "untyped"
}

// tries bounds the child's retries while calls are made to fail.
const tries = 12

// childPressure opens the file and commits sales, again after each failure, and compares what was
// refused with what is stored.
func childPressure(path string) error {
	var s *Store
	err := again("open", func() (err error) {
		s, err = childStore(path, evening, "AAAAA", "BBBBB",
			"CCCCC")
		return err
	})
	if err != nil {
		return err
	}
	for i := range 8 {
		err := childSale(s, func(entries ...payterm.Entry) error {
			e := entries[0]
			before, err := s.Events(e.OrderID)
			if err != nil {
				return err
			}
			return again("commit", func() error {
				committed := s.Commit(e)
				after, err := s.Events(e.OrderID)
				if added := len(after) - len(before); err == nil && (committed == nil) != (added == 1) {
					return fmt.Errorf("%d events were added by a commit that said: %w", added, committed)
				}
				return errors.Join(committed, err)
			})
		})
		if err != nil {
			return err
		}
		if i == 4 {
			if err := again("checkpoint", s.Checkpoint); err != nil {
				return err
			}
		}
	}
	return again("close", s.Close)
}

func again(what string, try func() error) error {
	var err error
	for range tries {
		if err = try(); err == nil {
			return nil
		}
		ack("failed %s %s", what, kind(err))
		if kind(err) == "untyped" || what == "close" {
			return err
		}
	}
	return fmt.Errorf("%s after %d tries: %w", what, tries, err)
}

// pressed runs the child with failing calls and returns its output.
func pressed(t *testing.T, dir string, flags ...string) ([]string, error) {
	t.Helper()
	return pressedAs(t, "pressure", dir, flags...)
}

func pressedAs(t *testing.T, mode, dir string, flags ...string) ([]string, error) {
	t.Helper()
	strace := tooltest.Need(t, "strace")
	cmd := exec.Command(strace, append(append([]string{"-f", "-o", filepath.Join(scratch(t), "trace")}, flags...),
		os.Args[0])...)
	cmd.Env = childEnv(mode, dir)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, stderr.String())
	}
	var said []string
	for line := range strings.Lines(stdout.String()) {
		said = append(said, strings.TrimSpace(strings.TrimPrefix(line, "ack ")))
	}
	return said, err
}

// TestFailingDisk makes the k-th call and the two after it fail, for many k: each failure has an
// advice, what was refused is not stored, commits succeed again when the disk works, and nothing
// acknowledged is lost.
func TestFailingDisk(t *testing.T) {
	for _, c := range []struct {
		call, errno, want string
		ks                []int
	}{
		{"pwrite64", "ENOSPC", "full", []int{1, 3, 5, 12, 30, 47, 60, 71, 90, 120, 150}},
		{"pwrite64", "EIO", "disk", []int{2, 50, 100}},
		{"pwrite64", "EROFS", "read-only", []int{4, 61, 110}},
		{"fsync", "EIO", "disk", []int{3, 5, 6, 8, 10, 14, 18, 19, 20}},
		{"ftruncate", "EIO", "disk", []int{1, 2, 3}},
	} {
		met := 0
		for _, k := range c.ks {
			dir := scratch(t)
			said, err := pressed(t, dir, "-e", "trace="+c.call, "-e", fmt.Sprintf("inject=%s:error=%s:when=%d..%d",
				c.call, c.errno, k, k+2))
			name := fmt.Sprintf("%s %s from call %d on", c.call, c.errno, k)
			if err != nil && !strings.Contains(strings.Join(said, "\n"), "failed close") {
				t.Errorf("%s: %v", name, err)
			}
			p := newPromised()
			for _, line := range said {
				if words := strings.Fields(line); words[0] == "failed" {
					met++
					if words[2] != c.want {
						t.Errorf("%s: %s, want %s", name, line, c.want)
					}
					continue
				}
				p.hear(line)
			}
			if err := p.broken(filepath.Join(dir, "payterm.db")); err != nil {
				t.Errorf("%s: afterwards: %v", name, err)
			}
		}
		if met == 0 {
			t.Errorf("%s %s: nothing failed", c.call, c.errno)
		}
	}
}

// TestUnopenable: files that cannot be opened or written, each with its advice.
func TestUnopenable(t *testing.T) {
	for name, c := range map[string]struct{ file, call, errno, want string }{
		"a read-only file":   {"payterm.db", "openat", "EROFS", "read-only"},
		"a file of others":   {"payterm.db", "openat", "EACCES", "denied"},
		"a read-only log":    {"payterm.db-wal", "openat", "EROFS", "read-only"},
		"no room for a name": {"payterm.db", "openat", "ENOSPC", "full"},
		"no room for a log":  {"payterm.db-wal", "openat", "ENOSPC", "full"},
	} {
		dir := scratch(t)
		said, err := pressed(t, dir, "-P", filepath.Join(dir, c.file), "-e", "trace="+c.call, "-e", "inject="+c.call+
			":error="+c.errno)
		if err == nil || len(said) == 0 || said[0] != "failed open "+c.want {
			t.Errorf("%s: %q %v, want %s", name, said, err, c.want)
		}
	}
	path := filepath.Join(scratch(t), "payterm.db")
	if err := os.Mkdir(path+"-wal", 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := childStore(path, evening, "AAAAA"); !errors.Is(err, ErrDisk) {
		t.Errorf("a directory where the log should be: %v", err)
	}
}

// TestFull fills the file to a limit: commits fail with ErrFull, old data can be read, and
// commits succeed once there is room.
func TestFull(t *testing.T) {
	s := openAt(t, filepath.Join(scratch(t), "payterm.db"), &clock{evening})
	day(t, s, 5)
	if _, err := s.db.Exec(`PRAGMA max_page_count = 1`); err != nil { // no more pages than there are
		t.Fatal(err)
	}
	var err error
	n := 0
	for ; err == nil && n < 1000; n++ {
		err = s.Commit(entry(payterm.OrderID(fmt.Sprintf("T1BBBBB%06d", n+1)), "sale_began", payterm.Open))
	}
	if !errors.Is(err, ErrFull) {
		t.Fatalf("after %d sales: %v, want %v", n, err, ErrFull)
	}
	before := verify(t, s.Reader)
	if _, err := s.db.Exec(`PRAGMA max_page_count = 100000`); err != nil {
		t.Fatal(err)
	}
	day(t, s, 5)
	if after := verify(t, s.Reader); after.Records <= before.Records {
		t.Errorf("%d records before, %d after", before.Records, after.Records)
	}
}

// TestBusy: the store waits for another writer, then returns an error that names it; commits
// succeed once it has ended.
func TestBusy(t *testing.T) {
	path := filepath.Join(scratch(t), "payterm.db")
	s, other := openAt(t, path, &clock{evening}), openAt(t, path, &clock{evening})
	if _, err := s.db.Exec(`PRAGMA busy_timeout = 20`); err != nil { // ms
		t.Fatal(err)
	}
	tx, err := other.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	e := entry("T1AAAAA000001", "sale_began", payterm.Open)
	if err := s.Commit(e); !errors.Is(err, ErrBusy) {
		t.Errorf("beside another writer: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	commit(t, s, e)
	// The other store has not seen this record, and must not write its own in its place.
	if err := other.Commit(entry("T1AAAAA000002", "sale_began", payterm.Open)); err == nil {
		t.Error("two writers made two records of one place in the chain")
	}
	verify(t, s.Reader)
}

// TestNewer: a file of a newer form is refused and left unchanged, also its log.
func TestNewer(t *testing.T) {
	from := filepath.Join(scratch(t), "payterm.db")
	s := openAt(t, from, &clock{evening})
	day(t, s, 5)
	if _, err := s.db.Exec(`PRAGMA user_version = 99`); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(scratch(t), "payterm.db")
	before := map[string][]byte{}
	for _, end := range []string{"", "-wal"} {
		copyFile(t, from+end, path+end)
		b, err := os.ReadFile(path + end)
		if err != nil || len(b) == 0 {
			t.Fatal(len(b), err)
		}
		before[end] = b
	}
	if _, err := childStore(path, evening, "BBBBB"); !errors.Is(err, ErrNewer) {
		t.Errorf("opened: %v", err)
	}
	if _, err := OpenReader(path); !errors.Is(err, ErrNewer) {
		t.Errorf("read: %v", err)
	}
	for end, b := range before {
		if after, err := os.ReadFile(path + end); err != nil || !bytes.Equal(after, b) {
			t.Errorf("payterm.db%s was changed: %v", end, err)
		}
	}
}

// TestOlder: a reader does not migrate a file, and the error says who does.
func TestOlder(t *testing.T) {
	if _, err := OpenReader(unpack(t, "v1.db")); !errors.Is(err, ErrOlder) {
		t.Errorf("read: %v", err)
	}
	if _, err := OpenReader(filepath.Join(scratch(t), "payterm.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestLostOrRestored: neither a lost file nor a restored copy repeats an id.
func TestLostOrRestored(t *testing.T) {
	dir := scratch(t)
	path := filepath.Join(dir, "payterm.db")
	chance := rand.New(rand.NewPCG(1, 2))
	life := func(before func()) *Store {
		before()
		s, err := Open(Options{Path: path, Terminal: "T1", Now: func() time.Time { return evening },
			DrawTag: func() (string, error) {
				return fmt.Sprintf("%05d", chance.IntN(100_000)), nil
			}})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	seen := map[payterm.OrderID]bool{}
	backup := filepath.Join(dir, "backup")
	for i, before := range []func(){
		func() {}, func() {}, // two runs
		func() { // a lost file
			for _, end := range []string{"", "-wal", "-shm"} {
				if err := os.Remove(path + end); err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Fatal(err)
				}
			}
		},
		func() { copyFile(t, backup, path) }, // an old copy
		func() { copyFile(t, backup, path) }, // the same copy again
	} {
		s := life(before)
		for _, ids := range day(t, s, 10) {
			for _, id := range ids {
				if seen[id] {
					t.Errorf("life %d gives %s again", i, id)
				}
				seen[id] = true
			}
		}
		if i == 0 {
			if err := s.Backup(t.Context(), backup); err != nil {
				t.Fatal(err)
			}
		}
		verify(t, s.Reader)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// everything is all that can be read.
func everything(r *Reader) (all []any, err error) {
	var errs []error
	keep := func(v any, err error) { all, errs = append(all, v), append(errs, err) }
	orders, err := r.Orders()
	keep(orders, err)
	for _, o := range orders {
		events, err := r.Events(o.ID)
		keep(events, err)
		row, _, err := r.Order(o.ID)
		keep(row, err)
	}
	opened, err := r.OpenOrders()
	keep(opened, err)
	queue, err := r.Queue()
	keep(queue, err)
	attention, err := r.Attention()
	keep(attention, err)
	for z := range int64(3) {
		in, err := r.InZ(z)
		keep(in, err)
		t, err := r.Totals(z)
		if errors.Is(err, ErrNoZ) {
			err = nil
		}
		keep(t, err)
	}
	for _, key := range []string{"till-1", "till-2"} {
		keyed, _, err := r.OrderByKey(key)
		keep(keyed, err)
	}
	return all, errors.Join(errs...)
}

// TestFlippedByte: a changed byte anywhere in the file is found by Open or Verify, or changes
// nothing that can be read.
func TestFlippedByte(t *testing.T) {
	dir := scratch(t)
	whole := filepath.Join(dir, "whole.db")
	s := openAt(t, whole, &clock{evening})
	day(t, s, 30)
	gone := entry("T1AAAAA888888", "payment_answered", payterm.Approved)
	gone.Order.IdempotencyKey = "till-2"
	commit(t, s, gone)
	if _, err := s.TakeZ(noTaker); err != nil {
		t.Fatal(err)
	}
	day(t, s, 20)
	coded := entry("T1AAAAA999999", "code_scanned", payterm.Open)
	coded.CodeKey, coded.Order.IdempotencyKey = "key", "till-1"
	commit(t, s, coded)
	if _, err := s.Prune(Old{Wall: evening.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.TakeZ(noTaker); err != nil {
		t.Fatal(err)
	}
	want, err := everything(s.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	sound, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	chance := rand.New(rand.NewPCG(1, 2))
	found := map[string]int{}
	for i := range 400 {
		at := chance.IntN(len(sound))
		b := bytes.Clone(sound)
		b[at] ^= byte(1 + chance.IntN(255))
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := childStore(path, evening, "BBBBB")
		if err != nil {
			found["open: "+kind(err)]++
			if kind(err) == "untyped" {
				t.Errorf("byte %d: %v", at, err)
			}
			continue
		}
		if _, err = s.Verify(t.Context()); err != nil {
			found["verify: "+kind(err)]++
			if kind(err) == "untyped" {
				t.Errorf("byte %d: %v", at, err)
			}
		} else if got, err := everything(s.Reader); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("byte %d: silently wrong (%v)", at, err)
		} else {
			found["harmless"]++
		}
		s.Close() // it may return an error for a damaged file
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if found["verify: corrupt"] < 20 || found["verify: chain"] < 20 {
		t.Errorf("too little was found: %v", found)
	}
	t.Log(found)
}

// TestFlippedLog: a changed byte in the log that has commits after it is found by Open; SQLite
// alone would drop those without an error.
func TestFlippedLog(t *testing.T) {
	dir := scratch(t)
	path := filepath.Join(dir, "payterm.db")
	s := openAt(t, path, &clock{evening})
	day(t, s, 15)
	info, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	// the last one, which cannot be told from a power cut
	commit(t, s, entry("T1AAAAA999999", "sale_began", payterm.Open))
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sound, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	want, err := everything(s.Reader)
	if err != nil {
		t.Fatal(err)
	}
	chance := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		at := chance.IntN(int(info.Size()))
		if i < 2*walHeader {
			at = i % walHeader
		}
		b := bytes.Clone(sound)
		b[at] ^= byte(1 + chance.IntN(255))
		damaged := filepath.Join(dir, "damaged.db")
		for end, b := range map[string][]byte{"": file, "-wal": b} {
			if err := os.WriteFile(damaged+end, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		again, err := childStore(damaged, evening, "BBBBB")
		if err == nil {
			got, err := everything(again.Reader)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("byte %d: silently wrong (%v)", at, err)
			}
			again.Close()
			continue
		}
		if !errors.Is(err, ErrCorrupt) {
			t.Errorf("byte %d: %v", at, err)
		}
	}
}

package storage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"payterm"
)

// scratch is a directory in memory if possible: the tests do not need a real disk.
func scratch(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "payterm")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func openTagged(t *testing.T, path string, tags ...string) *Store {
	t.Helper()
	s, err := Open(Options{Path: path, Terminal: "T1", Now: time.Now, DrawTag: func() (string, error) {
		if len(tags) == 0 {
			return "", errors.New("no more tags")
		}
		tag := tags[0]
		tags = tags[1:]
		return tag, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func entry(id payterm.OrderID, event string, outcome payterm.Outcome) payterm.Entry {
	e := payterm.Entry{
		OrderID: id, Event: event, Body: []byte(`{"n":1}`),
		Stamp: payterm.Stamp{Boot: "AAAAA", Mono: 5, Wall: time.UnixMilli(1_800_000_000_000)},
		Order: payterm.Order{ID: id, Kind: payterm.KindSale, Mode: payterm.Passive, Wallet: payterm.Alipay,
			AmountMinor: 1234, Currency: "CAD", Outcome: outcome},
		Owes: payterm.OwedInquiry,
	}
	if outcome == payterm.Approved {
		e.Order.PaidMinor, e.Closed, e.Owes = 1234, true, payterm.OwedNothing
	}
	return e
}

// TestCrash copies the files of an open store, as a killed process leaves them, and finds every
// acknowledged event in the copy.
func TestCrash(t *testing.T) {
	dir := scratch(t)
	path := filepath.Join(dir, "a", "payterm.db")
	s := openTagged(t, path, "AAAAA")
	defer s.Close()
	for i := range 20 {
		id, err := s.NextOrderID()
		if err != nil {
			t.Fatal(err)
		}
		if want := payterm.OrderID(fmt.Sprintf("T1AAAAA%06d", i+1)); id != want {
			t.Fatalf("id %s, want %s", id, want)
		}
		if err := s.Commit(entry(id, "sale_began", payterm.Open)); err != nil {
			t.Fatal(err)
		}
		crashed := filepath.Join(dir, fmt.Sprint("crash", i), "payterm.db")
		copyFile(t, path, crashed)
		copyFile(t, path+"-wal", crashed+"-wal")
		again := openTagged(t, crashed, "AAAAA", "BBBBB") // the first tag is in use
		orders, err := again.OpenOrders()
		if err != nil || len(orders) != i+1 || len(orders[i].Events) != 1 {
			t.Fatalf("after a crash: %d open orders of %d, %v", len(orders), i+1, err)
		}
		if fresh, err := again.NextOrderID(); err != nil || fresh != "T1BBBBB000001" {
			t.Fatalf("id after a crash: %s %v", fresh, err)
		}
		if v, err := again.Verify(t.Context()); err != nil || v.Records != int64(i+1) {
			t.Fatalf("chain after a crash: %+v %v", v, err)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestGuards(t *testing.T) {
	s := openTagged(t, filepath.Join(scratch(t), "payterm.db"), "AAAAA")
	defer s.Close()
	began := entry("T1AAAAA000001", "sale_began", payterm.Open)
	began.CodeKey = "key"
	paid := entry("T1AAAAA000001", "payment_answered", payterm.Approved)
	if err := s.Commit(began, paid); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*payterm.Entry){
		"another amount":   func(e *payterm.Entry) { e.Order.AmountMinor = 123400 },
		"another wallet":   func(e *payterm.Entry) { e.Order.Wallet = payterm.WeChatPay },
		"no more approved": func(e *payterm.Entry) { e.Order.Outcome = payterm.Declined },
		"paid less":        func(e *payterm.Entry) { e.Order.PaidMinor = 0 },
		"no order":         func(e *payterm.Entry) { e.OrderID, e.Order.ID = "", "" },
		"another's row":    func(e *payterm.Entry) { e.OrderID = "T1AAAAA000009" },
		"no JSON":          func(e *payterm.Entry) { e.Body = []byte("{") },
		"another code":     func(e *payterm.Entry) { e.CodeKey = "other" },
	} {
		e := entry("T1AAAAA000001", "woke", payterm.Approved)
		change(&e)
		if err := s.Commit(e); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	twice := entry("T1AAAAA000002", "code_scanned", payterm.Open)
	twice.CodeKey = "key"
	var used interface{ CodeUsed() bool }
	if err := s.Commit(twice); !errors.As(err, &used) || !used.CodeUsed() {
		t.Errorf("a code used twice: %v", err)
	}
	if orders, err := s.Orders(); err != nil || len(orders) != 1 {
		t.Errorf("a refused commit left something: %d orders, %v", len(orders), err)
	}
	if _, err := s.db.Exec(`UPDATE journal SET body = '{}'`); err == nil {
		t.Error("the journal can be changed")
	}
	if err := s.Writable(); err != nil {
		t.Error(err)
	}
}

// TestTampered changes the chain with the triggers switched off.
func TestTampered(t *testing.T) {
	s := openTagged(t, filepath.Join(scratch(t), "payterm.db"), "AAAAA")
	defer s.Close()
	for i := range 3 {
		if err := s.Commit(entry(payterm.OrderID(fmt.Sprintf("T1AAAAA%06d", i+1)), "sale_began",
			payterm.Open)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.db.Exec(`DROP TRIGGER journal_fixed; UPDATE journal SET body = '{"n":2}' WHERE seq = 2`); err != nil {
		t.Fatal(err)
	}
	if v, err := s.Verify(t.Context()); !errors.Is(err, ErrChain) || v.Broken != 2 {
		t.Errorf("a changed record was not found: %+v %v", v, err)
	}
}

func TestRefused(t *testing.T) {
	dir := scratch(t)
	s := openTagged(t, filepath.Join(dir, "payterm.db"), "AAAAA")
	if _, err := s.db.Exec(`PRAGMA user_version = 99`); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	o := Options{Path: filepath.Join(dir, "payterm.db"), Terminal: "T1", Now: time.Now,
		DrawTag: func() (string, error) { return "BBBBB", nil }}
	if _, err := Open(o); !errors.Is(err, ErrNewer) {
		t.Errorf("a newer file: %v", err)
	}
	o.Path = filepath.Join(dir, "rubbish.db")
	copy2 := []byte("this is no database at all, and long enough to be read as one ....")
	if err := os.WriteFile(o.Path, copy2, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(o); !errors.Is(err, ErrCorrupt) {
		t.Errorf("no database: %v", err)
	}
}

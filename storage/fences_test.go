package storage

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"payterm"
)

func fence(t *testing.T, s *Store, key payterm.IdempotencyKey) {
	t.Helper()
	p := payterm.PersonRecord{Operator: "api", Key: key}
	if err := s.Fence(payterm.Stamp{Boot: "AAAAA"}, p, "ON1"); err != nil {
		t.Fatal(err)
	}
}

// TestFence: a promise that nothing began outlives a restart, is in the chain, and no order gets its key.
func TestFence(t *testing.T) {
	path := filepath.Join(scratch(t), "payterm.db")
	s := openAt(t, path, &clock{evening})
	defer func() { s.Close() }()
	sold := entry("T1AAAAA000001", "payment_answered", payterm.Approved)
	sold.Order.IdempotencyKey = "K1"
	commit(t, s, sold)
	before := verify(t, s.Reader).Records
	for range 2 {
		fence(t, s, "K2")
	}
	if after := verify(t, s.Reader).Records; after != before+1 {
		t.Errorf("%d records, and %d after the same promise twice", before, after)
	}
	if err := s.Fence(payterm.Stamp{}, payterm.PersonRecord{Operator: "api", Key: "K1"}, "ON1"); !errors.Is(err,
		ErrKeyTaken) {
		t.Errorf("a key that has an order: %v", err)
	}
	if _, err := s.TakeZ(noTaker); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Prune(Old{Wall: evening.AddDate(0, 0, 1)}); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if err := s.Fence(payterm.Stamp{}, payterm.PersonRecord{Operator: "api", Key: "K1"}, "ON1"); !errors.Is(err,
		ErrKeyTaken) {
		t.Errorf("a key whose order was dropped: %v", err)
	}
	for range 2 {
		if whose, fenced, err := s.Fenced("K2"); err != nil || !fenced || whose != "ON1" {
			t.Errorf("K2: %q, %t, %v", whose, fenced, err)
		}
		if _, fenced, err := s.Fenced("K3"); err != nil || fenced {
			t.Errorf("K3: %t, %v", fenced, err)
		}
		late := entry("T1BBBBB000001", "sale_began", payterm.Open)
		late.Order.IdempotencyKey = "K2"
		if err := s.Commit(late); err == nil || !strings.Contains(err.Error(), "fences: ") {
			t.Errorf("an order under the key: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openAt(t, path, &clock{evening})
	}
	list, err := s.People()
	if err != nil || len(list) != 1 || list[0].Deed != payterm.DeedFenced || list[0].Key != "K2" ||
		list[0].Operator != "api" {
		t.Errorf("%+v, %v", list, err)
	}
	if failures, err := s.Failures(); err != nil || len(failures) != 0 {
		t.Errorf("%v, %v", failures, err)
	}
	if _, err := s.db.Exec(`UPDATE fences SET merchant_id = 'ON2'`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Verify(t.Context()); kind(err) != "corrupt" {
		t.Errorf("a row that was altered: %v", err)
	}
	if _, _, err := s.Fenced("K2"); kind(err) != "corrupt" {
		t.Errorf("a row that was altered: %v", err)
	}
}

// TestFencesAreBounded: the oldest promises go first.
func TestFencesAreBounded(t *testing.T) {
	s := openAt(t, filepath.Join(scratch(t), "payterm.db"), &clock{evening})
	defer s.Close()
	fence(t, s, "first")
	if _, err := s.db.Exec(`UPDATE fences SET n = n - ?`, keptFences-2); err != nil { // as if so many had come since
		t.Fatal(err)
	}
	for i := range 3 {
		_, fenced, err := s.Fenced("first")
		if err != nil || fenced != (i < 2) {
			t.Errorf("after %d more: %t, %v", i, fenced, err)
		}
		if i == 0 {
			if _, err := s.db.Exec(`INSERT INTO fences (n, key, merchant_id, sum) VALUES (1, 'x', '', zeroblob(16))`); err != nil {
				t.Fatal(err)
			}
		}
		fence(t, s, payterm.IdempotencyKey(fmt.Sprint("later", i)))
	}
}

package storage

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"payterm"
)

// TestKeyOutlivesItsOrder: a till gets the same result before and after its order was dropped,
// and no other order gets the key.
func TestKeyOutlivesItsOrder(t *testing.T) {
	path := filepath.Join(scratch(t), "payterm.db")
	s := openAt(t, path, &clock{evening})
	defer func() { s.Close() }()
	sale := entry("T1AAAAA000001", "payment_answered", payterm.Approved)
	sale.Order.IdempotencyKey, sale.Order.TipMinor, sale.Order.RefundedMinor = "K1", 100, 500
	sale.Order.CreatedAt, sale.Order.ClosedAt = evening.Add(-time.Hour), evening
	back := entry("T1AAAAA000002", "inquiry_answered", payterm.Approved)
	back.Order.Kind, back.Order.SaleID, back.Order.IdempotencyKey, back.Order.Whole,
		back.Order.Reason = payterm.KindRefund, sale.OrderID, "R1", true, payterm.ReasonLateRefund
	none := entry("T1AAAAA000003", "payment_answered", payterm.Approved)
	commit(t, s, sale, back, none)
	want := map[string]payterm.Order{}
	for _, key := range []string{"K1", "R1"} {
		o, found, err := s.OrderByKey(key)
		if err != nil || !found {
			t.Fatal(key, found, err)
		}
		want[key] = o
	}
	if _, err := s.TakeZ(noTaker); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Prune(Old{Wall: evening.Add(time.Hour)}); err != nil || n != 3 {
		t.Fatalf("%d dropped: %v", n, err)
	}
	for range 2 {
		verify(t, s.Reader)
		for key, was := range want {
			o, found, err := s.OrderByKey(key)
			if err != nil || !found || !reflect.DeepEqual(o, was) {
				t.Errorf("%s gives\n%+v, was\n%+v (%v)", key, o, was, err)
			}
		}
		if _, found, err := s.OrderByKey("K2"); err != nil || found {
			t.Errorf("a key that nobody had: %v %v", found, err)
		}
		again := entry("T1BBBBB000001", "sale_began", payterm.Open)
		again.Order.IdempotencyKey = "K1"
		if err := s.Commit(again); err == nil || !strings.Contains(err.Error(), "keys: ") {
			t.Errorf("another order under the key: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openAt(t, path, &clock{evening})
	}
	if _, err := s.db.Exec(`UPDATE keys SET row = replace(row, '1234', '1235') WHERE key = 'K1'`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Verify(t.Context()); kind(err) != "corrupt" {
		t.Errorf("a row that was altered: %v", err)
	}
	if o, _, err := s.OrderByKey("K1"); kind(err) != "corrupt" {
		t.Errorf("a row that was altered: %+v %v", o, err)
	}
}

// TestKeysOfFormsBefore: orders of earlier forms have no merchant. Their keys belong to the
// merchant of the first start with a form that stores merchants, and stay so under the next
// merchant.
func TestKeysOfFormsBefore(t *testing.T) {
	path := unpack(t, "v1.db")
	s, err := openFor(path, "ON1", "CAD", "BBBBB")
	if err != nil {
		t.Fatal(err)
	}
	of := func(when string) {
		t.Helper()
		if o, found, err := s.OrderByKey("till-4"); err != nil || !found || o.MerchantID != "ON1" {
			t.Errorf("%s: %t, of %q: %v", when, found, o.MerchantID, err)
		}
	}
	of("with its order")
	open, err := s.OpenOrders()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range open {
		row, _, err := s.Order(o.ID)
		if err != nil {
			t.Fatal(err)
		}
		row.Outcome = payterm.Declined
		commit(t, s, payterm.Entry{OrderID: o.ID, Event: "inquiry_answered", Body: []byte("{}"), Order: row,
			Closed: true})
	}
	z, err := s.TakeZ(noTaker)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.Prune(Old{Wall: z.To.AddDate(0, 0, 1)}); err != nil || n != 5 {
		t.Errorf("%d dropped of 5: %v", n, err)
	}
	of("behind it")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = openFor(path, "ON2", "CAD", "CCCCC"); err != nil {
		t.Fatal(err)
	}
	of("under the next merchant")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestKeysPushNoOrderOut: keys of dropped orders fill the journal. Today's orders stay; the
// oldest keys are dropped in batches until the others are within their own limit.
func TestKeysPushNoOrderOut(t *testing.T) {
	const most, came = 1 << 20, 4000
	s, err := Open(Options{
		Path: filepath.Join(scratch(t), "payterm.db"), Terminal: "T1", MaxBytes: most,
		Now: func() time.Time { return evening }, DrawTag: func() (string, error) { return "AAAAA", nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	used := func() int64 {
		t.Helper()
		var n int64
		if err := s.db.QueryRow(`SELECT c.page_count - f.freelist_count 
			FROM pragma_page_count() c, pragma_freelist_count() f`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n * pageSize
	}
	empty := used()
	tx, err := s.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for i := range came {
		key, row := fmt.Sprintf("%08x-5b8c-4f1e-9d2a-%012d", uint32(i)*2654435761, i), strings.Repeat("x", 320)
		if _, err := tx.Exec(`INSERT INTO keys (key, row, sum) VALUES (?, ?, zeroblob(16))`, key, row); err != nil {
			t.Fatal(err)
		}
	}
	guess, err := boundKeys(tx, 1<<40)
	if err != nil || tx.Commit() != nil {
		t.Fatal(err)
	}
	if real := used() - empty; guess < real*8/10 || guess > real*12/10 {
		t.Errorf("the keys take %d bytes, and are taken for %d", real, guess)
	}
	commit(t, s, entry("T1AAAAA000001", "payment_answered", payterm.Approved))
	if _, err := s.TakeZ(noTaker); err != nil {
		t.Fatal(err)
	}
	var oldest, newest, before int64
	for minute := range 10 {
		if n, err := s.Prune(Old{}); err != nil || n != 0 {
			t.Fatalf("minute %d: %d orders of today are dropped: %v", minute, n, err)
		}
		before = oldest
		if err := s.db.QueryRow(`SELECT min(n), max(n) FROM keys`).Scan(&oldest, &newest); err != nil {
			t.Fatal(err)
		}
		if minute > 0 && oldest > before+keysBatch {
			t.Errorf("minute %d: %d keys go at once", minute, oldest-before)
		}
	}
	if kept := (newest - oldest + 1) * guess / came; newest != came || oldest != before || kept > most/keysShare ||
		kept < most/keysShare*9/10 {
		t.Errorf("the keys %d to %d of %d are left, %d bytes", oldest, newest, came, kept)
	}
	// Orders beyond their own limit are dropped early all the same.
	var entries []payterm.Entry
	for i := range 2000 {
		entries = append(entries, entry(payterm.OrderID(fmt.Sprintf("T1BBBBB%06d", i)), "payment_answered",
			payterm.Approved))
	}
	commit(t, s, entries...)
	if _, err := s.TakeZ(noTaker); err != nil {
		t.Fatal(err)
	}
	if used() < most*3/2 {
		t.Fatalf("%d bytes are used", used())
	}
	if n, err := s.Prune(Old{}); err != nil || n == 0 {
		t.Errorf("%d orders go of a journal of %d bytes: %v", n, used(), err)
	}
}

// TestKeysAreBounded: the oldest keys beyond the number are dropped, and each key is small.
func TestKeysAreBounded(t *testing.T) {
	s := openAt(t, filepath.Join(scratch(t), "payterm.db"), &clock{evening})
	defer s.Close()
	used := func() (n int64) {
		t.Helper()
		if err := s.db.QueryRow(`SELECT c.page_count - f.freelist_count 
			FROM pragma_page_count() c, pragma_freelist_count() f`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n * pageSize
	}
	const first = 500
	var entries []payterm.Entry
	for i := range first {
		e := entry(payterm.OrderID(fmt.Sprintf("T1AAAAA%06d", i)), "payment_answered", payterm.Approved)
		e.Order.IdempotencyKey, e.Order.CreatedAt, e.Order.ClosedAt = fmt.Sprintf("0c5f3f5e-5b8c-4f1e-9d2a-%012d", i),
			evening, evening
		entries = append(entries, e)
	}
	commit(t, s, entries...)
	if _, err := s.TakeZ(noTaker); err != nil {
		t.Fatal(err)
	}
	for n := 1; n > 0; {
		var err error
		if n, err = s.Prune(Old{Wall: evening.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	var kept int
	if err := s.db.QueryRow(`SELECT count(*) FROM keys`).Scan(&kept); err != nil || kept != first {
		t.Fatalf("%d keys: %v", kept, err)
	}
	// as if there were that many
	if _, err := s.db.Exec(`UPDATE keys SET n = n + ? WHERE n > ?`, keptKeys-first+100, first-100); err != nil {
		t.Fatal(err)
	}
	commit(t, s, entry("T1BBBBB000001", "payment_answered", payterm.Approved))
	if _, err := s.TakeZ(noTaker); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Prune(Old{Wall: evening.Add(time.Hour)}); err != nil || n != 1 {
		t.Fatalf("%d dropped: %v", n, err)
	}
	if err := s.db.QueryRow(`SELECT count(*) FROM keys`).Scan(&kept); err != nil || kept != first-100 {
		t.Errorf("%d keys are kept of %d: %v", kept, first, err)
	}
	before := used()
	if _, err := s.db.Exec(`DELETE FROM keys`); err != nil {
		t.Fatal(err)
	}
	if each := (before - used()) / (first - 100); each > 512 {
		t.Errorf("%d bytes a key", each)
	} else {
		t.Logf("%d bytes a key", each)
	}
}

package storage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"payterm"
)

// clock is set by the test.
type clock struct{ now time.Time }

var evening = time.Date(2027, 1, 15, 22, 0, 0, 0, time.UTC)

// day commits sales in turn (approved, declined, in doubt, approved late and listed, open) with
// interleaved events, and returns the ids by kind.
func day(t *testing.T, s *Store, n int) map[string][]payterm.OrderID {
	t.Helper()
	kinds := []string{"approved", "declined", "doubt", "late", "open"}
	ids := map[string][]payterm.OrderID{}
	var ends []payterm.Entry
	for i := range n {
		id, err := s.NextOrderID()
		if err != nil {
			t.Fatal(err)
		}
		kind := kinds[i%len(kinds)]
		ids[kind] = append(ids[kind], id)
		commit(t, s, entry(id, "sale_began", payterm.Open))
		end := entry(id, "payment_answered", payterm.Approved)
		switch kind {
		case "declined":
			end.Order.Outcome, end.Order.PaidMinor = payterm.Declined, 0
		case "doubt":
			end = entry(id, "counter_time_ended", payterm.InDoubt)
		case "late":
			end.Order.Attention = payterm.AttentionLatePayment
		case "open":
			continue
		}
		ends = append(ends, end)
	}
	for _, e := range ends {
		commit(t, s, e)
	}
	return ids
}

func commit(t *testing.T, s *Store, entries ...payterm.Entry) {
	t.Helper()
	if err := s.Commit(entries...); err != nil {
		t.Fatal(err)
	}
}

func verify(t *testing.T, r *Reader) Verified {
	t.Helper()
	v, err := r.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func openAt(t *testing.T, path string, c *clock) *Store {
	t.Helper()
	n := 0
	s, err := Open(Options{Path: path, Terminal: "T1", Now: func() time.Time { return c.now },
		DrawTag: func() (string, error) {
			n++
			return fmt.Sprintf("A%04d", n), nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestZ: Z numbers have no gaps, each final order is in exactly one Z, open ones in none.
func TestZ(t *testing.T) {
	s := openAt(t, filepath.Join(scratch(t), "payterm.db"), &clock{evening})
	for number := int64(1); number <= 3; number++ {
		day(t, s, 10)
		z, err := s.TakeZ(noTaker)
		in, errIn := s.InZ(number)
		if err != nil || errIn != nil || z.Number != number || len(in) != 6 || !z.To.Equal(evening) {
			t.Fatalf("Z %d: %d orders of 6, %v, %v %v", z.Number, len(in), z.To, err, errIn)
		}
		left, err := s.InZ(0)
		if err != nil || len(left) != int(number)*4 {
			t.Fatalf("after Z %d: %d orders are in none, want %d: %v", number, len(left), number*4, err)
		}
	}
	if z, err := s.TakeZ(noTaker); err != nil || z.Number != 4 || len(z.By) != 0 {
		t.Errorf("an empty Z: %+v %v", z, err)
	}
	for _, query := range []string{
		`INSERT INTO z (number, at) VALUES (9, 0)`, `DELETE FROM z WHERE number = 4`, `UPDATE z SET at = 1`,
		`UPDATE orders SET z = 2 WHERE z = 1`, `UPDATE orders SET z = NULL WHERE z = 1`,
	} {
		if _, err := s.db.Exec(query); err == nil {
			t.Errorf("%s: accepted", query)
		}
	}
}

// TestPrune drops only what is final, in a Z and old, over many runs with days in between, and
// the chain verifies after each.
func TestPrune(t *testing.T) {
	path := filepath.Join(scratch(t), "payterm.db")
	c := &clock{evening}
	s := openAt(t, path, c)
	kept := map[payterm.OrderID]bool{}
	var head string
	for range 6 {
		ids := day(t, s, 100)
		for _, kind := range []string{"doubt", "late", "open"} {
			for _, id := range ids[kind] {
				kept[id] = true
			}
		}
		if n, err := s.Prune(Old{Wall: c.now.Add(time.Hour)}); err != nil || n != 0 {
			t.Fatalf("%d orders were dropped that no Z holds: %v", n, err)
		}
		if _, err := s.TakeZ(noTaker); err != nil {
			t.Fatal(err)
		}
		c.now = c.now.Add(24 * time.Hour)
		before := verify(t, s.Reader)
		if n, err := s.Prune(Old{Wall: c.now.Add(-25 * time.Hour)}); err != nil || n != 0 {
			t.Fatalf("%d orders were dropped too early: %v", n, err)
		}
		dropped, err := s.Prune(Old{Wall: c.now})
		if err != nil || dropped != len(ids["approved"])+len(ids["declined"]) {
			t.Fatalf("dropped %d: %v", dropped, err)
		}
		after := verify(t, s.Reader)
		if after.Records+after.Pruned != before.Records+before.Pruned+1 || after.Head == head {
			t.Fatalf("before %+v, after %+v", before, after)
		}
		head = after.Head
		var anchors int
		if err := s.db.QueryRow(`SELECT count(*) FROM journal WHERE order_id = '' AND event = 'anchored'`).
			Scan(&anchors); err != nil || anchors != 1 {
			t.Errorf("%d anchors, want the newest alone: %v", anchors, err)
		}
	}
	orders, err := s.Orders()
	if err != nil || len(orders) != len(kept) {
		t.Errorf("%d orders are kept, want %d: %v", len(orders), len(kept), err)
	}
	for _, o := range orders {
		if !kept[o.ID] {
			t.Errorf("%s %s was not dropped", o.ID, o.Outcome)
		}
		if o.Attention != "" {
			resolved := entry(o.ID, "resolved", o.Outcome)
			commit(t, s, resolved)
		}
	}
	if n, err := s.Prune(Old{Wall: c.now}); err != nil || n != 120 {
		t.Errorf("once resolved, %d late payments were dropped of 120: %v", n, err)
	}
	verify(t, s.Reader)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := openAt(t, path, c)
	day(t, again, 5)
	verify(t, again.Reader)
}

// TestPruneGuards: the database's own triggers refuse to drop what retention must keep.
func TestPruneGuards(t *testing.T) {
	s := openAt(t, filepath.Join(scratch(t), "payterm.db"), &clock{evening})
	ids := day(t, s, 10)
	if _, err := s.TakeZ(noTaker); err != nil {
		t.Fatal(err)
	}
	more := day(t, s, 5)
	for _, id := range []payterm.OrderID{ids["doubt"][0], ids["late"][0], ids["open"][0], more["approved"][0]} {
		if _, err := s.db.Exec(`DELETE FROM orders WHERE order_id = ?`, string(id)); err == nil {
			t.Errorf("%s could be dropped", id)
		}
		if _, err := s.db.Exec(`DELETE FROM journal WHERE order_id = ?`, string(id)); err == nil {
			t.Errorf("the records of %s could be dropped", id)
		}
	}
}

// TestPruneTampered: a missing record that no anchor covers is found, and so is an anchor for
// records that never existed.
func TestPruneTampered(t *testing.T) {
	for name, query := range map[string]string{
		"a record removed":   `DELETE FROM journal WHERE seq = (SELECT min(seq) FROM journal)`,
		"the anchor removed": `DELETE FROM journal WHERE order_id = ''`,
		"a gap's hash": `UPDATE journal SET body = json_replace(body, '$.gaps[0].hash', hex(zeroblob(32)))
			WHERE order_id = ''`,
		"a wider gap":       `UPDATE journal SET body = json_replace(body, '$.gaps[0].last', 3) WHERE order_id = ''`,
		"no gaps":           `UPDATE journal SET body = '{}' WHERE order_id = ''`,
		"an order removed":  `DELETE FROM orders WHERE closed = 0`,
		"a row altered":     `UPDATE orders SET row = replace(row, 'approved', 'declined')`,
		"a row of old":      `UPDATE orders SET row = replace(row, 'CAD', 'CAM'), currency = 'CAM' WHERE closed = 0`,
		"a column altered":  `UPDATE orders SET closed = 1 WHERE closed = 0`,
		"a task removed":    `DELETE FROM outbox`,
		"a task for nobody": `INSERT INTO outbox VALUES ('T1XXXXX000001', 'inquire', 0)`,
		"state removed":     `UPDATE journal SET state = NULL`,
	} {
		t.Run(name, func(t *testing.T) {
			s := openAt(t, filepath.Join(scratch(t), "payterm.db"), &clock{evening})
			day(t, s, 10)
			if _, err := s.TakeZ(noTaker); err != nil {
				t.Fatal(err)
			}
			if n, err := s.Prune(Old{Wall: evening.Add(time.Hour)}); err != nil || n != 4 {
				t.Fatal(n, err)
			}
			day(t, s, 5)
			verify(t, s.Reader)
			for _, trigger := range []string{"journal_fixed", "journal_kept", "orders_kept", "orders_binding"} {
				if _, err := s.db.Exec(`DROP TRIGGER ` + trigger); err != nil {
					t.Fatal(err)
				}
			}
			result, err := s.db.Exec(query)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := result.RowsAffected(); err != nil || n == 0 {
				t.Fatalf("nothing was altered: %v", err)
			}
			if v, err := s.Verify(t.Context()); !errors.Is(err, ErrChain) && !errors.Is(err, ErrCorrupt) {
				t.Errorf("not found: %+v %v", v, err)
			}
		})
	}
}

// TestBackup makes copies during commits: each copy is complete, private, and of one moment.
func TestBackup(t *testing.T) {
	dir := scratch(t)
	s := openAt(t, filepath.Join(dir, "payterm.db"), &clock{evening})
	day(t, s, 10)
	writing := make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		for ctx.Err() == nil {
			id, err := s.NextOrderID()
			if err == nil {
				err = s.Commit(entry(id, "sale_began", payterm.Open), entry(id, "payment_answered", payterm.Approved))
			}
			if err != nil {
				writing <- err
				return
			}
		}
		writing <- nil
	}()
	var last int64
	for i := range 10 {
		path := filepath.Join(dir, fmt.Sprint("copy", i))
		if err := s.Backup(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("mode %v: %v", info.Mode(), err)
		}
		r, err := OpenReader(path)
		if err != nil {
			t.Fatal(err)
		}
		v := verify(t, r)
		if v.Records < last {
			t.Errorf("copy %d has %d records, the one before %d", i, v.Records, last)
		}
		last = v.Records
		orders, err := r.Orders()
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range orders[10:] {
			if o.Outcome != payterm.Approved {
				t.Errorf("a copy of half a transaction: %+v", o)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	if err := <-writing; err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "copy0")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), path); !errors.Is(err, os.ErrExist) {
		t.Errorf("over a file that is there: %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("a file that was there was changed: %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Backup(cancelled, filepath.Join(dir, "no")); err == nil {
		t.Error("a cancelled copy was made")
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		if !strings.HasPrefix(e.Name(), "copy") && !strings.HasPrefix(e.Name(), "payterm.db") ||
			strings.HasSuffix(e.Name(), ".part") {
			t.Errorf("%s was left behind", e.Name())
		}
	}
}

// TestPruneSparesASaleWithAnOpenRefund: a sale stays while its refund is open, because the
// refund's end is written to it.
func TestPruneSparesASaleWithAnOpenRefund(t *testing.T) {
	c := &clock{evening}
	s := openAt(t, filepath.Join(scratch(t), "payterm.db"), c)
	sale, refund := entry("T1AAAAA000001", "payment_answered", payterm.Approved), entry("T1AAAAA000002", "refund_began",
		payterm.Open)
	sale.Closed, refund.Order.Kind, refund.Order.SaleID = true, payterm.KindRefund, sale.OrderID
	commit(t, s, sale)
	commit(t, s, refund)
	for _, want := range []int{0, 2} {
		if _, err := s.TakeZ(noTaker); err != nil {
			t.Fatal(err)
		}
		c.now = c.now.Add(24 * time.Hour)
		if n, err := s.Prune(Old{Wall: c.now}); err != nil || n != want {
			t.Fatalf("dropped %d, want %d: %v", n, want, err)
		}
		if want == 0 { // the refund is settled: after the next Z both may be dropped
			end := refund
			end.Event, end.Closed, end.Owes, end.Order.Outcome = "inquiry_answered", true, payterm.OwedNothing,
				payterm.Declined
			commit(t, s, end)
		}
	}
}

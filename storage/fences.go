package storage

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"payterm"
)

// A fence is a promise to a caller: no order has this idempotency key, and none will. The promise
// is a record of the chain; its row in fences is what later requests meet.

// keptFences bounds the fences; the oldest are dropped first. A caller asks within minutes of its
// request, and this many questions take a day.
const keptFences = 10_000

// ErrKeyTaken: the key has an order, so it cannot be fenced.
var ErrKeyTaken = errors.New("the idempotency key has an order")

// Fence stores the promise that p.Key has no order and gets none, as durable as Commit. To fence a
// key again changes nothing. merchantID is the terminal's.
func (s *Store) Fence(stamp payterm.Stamp, p payterm.PersonRecord, merchantID string) error {
	if p.Operator == "" || p.Key == "" {
		return errors.New("storage: fence: it names no caller or no key")
	}
	p.Deed = payterm.DeedFenced
	body, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("storage: fence: %w", err)
	}
	return s.append(func(tx *sql.Tx, end *chain) error {
		key := string(p.Key)
		var orders, fences int
		err := tx.QueryRow(`SELECT (SELECT count(*) FROM orders WHERE idempotency_key = ?1) +
			(SELECT count(*) FROM keys WHERE key = ?1), (SELECT count(*) FROM fences WHERE key = ?1)`, key).
			Scan(&orders, &fences)
		switch {
		case err != nil:
			return fmt.Errorf("fence: %w", err)
		case orders > 0:
			return fmt.Errorf("fence: %w", ErrKeyTaken)
		case fences > 0:
			return nil
		}
		r := record{event: string(p.Deed), body: string(body), boot: stamp.Boot, mono: int64(stamp.Mono),
			wall: payterm.Millis(stamp.Wall)}
		if err := end.add(prepared{tx, s.prepared}, r); err != nil {
			return fmt.Errorf("fence: %w", err)
		}
		sum := keySum(key, merchantID)
		done, err := tx.Exec(`INSERT INTO fences (key, merchant_id, sum) VALUES (?, ?, ?)`, key, merchantID, sum[:])
		if err != nil {
			return fmt.Errorf("fence: %w", err)
		}
		n, err := done.LastInsertId()
		if err == nil {
			_, err = tx.Exec(`DELETE FROM fences WHERE n <= ?`, n-keptFences)
		}
		if err != nil {
			return fmt.Errorf("drop old fences: %w", err)
		}
		return nil
	})
}

// Fenced reports whether a key is fenced, and by whose terminal.
func (r *Reader) Fenced(key string) (merchantID string, fenced bool, err error) {
	err = each(r.ro, func(rows *sql.Rows) error {
		fenced = true
		_, merchantID, err = readFence(rows)
		return err
	}, `SELECT key, merchant_id, sum FROM fences WHERE key = ?`, key)
	if err != nil {
		return "", false, fmt.Errorf("storage: read a fence: %w", err)
	}
	return merchantID, fenced, nil
}

func readFence(rows *sql.Rows) (key, merchantID string, err error) {
	var sum []byte
	if err := rows.Scan(&key, &merchantID, &sum); err != nil {
		return "", "", err
	}
	if want := keySum(key, merchantID); string(sum) != string(want[:]) {
		return "", "", fmt.Errorf("fence: %w: its row is not the one that was written", ErrCorrupt)
	}
	return key, merchantID, nil
}

// verifyFences checks every fence.
func verifyFences(tx *sql.Tx) error {
	return each(tx, func(rows *sql.Rows) error {
		_, _, err := readFence(rows)
		return err
	}, `SELECT key, merchant_id, sum FROM fences`)
}

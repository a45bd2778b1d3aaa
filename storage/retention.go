package storage

import (
	"cmp"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"syscall"

	"payterm"
)

// InZ returns the orders of a Z with their current rows, oldest first; number 0 means those in no
// Z yet, also open ones.
func (r *Reader) InZ(number int64) ([]payterm.Order, error) {
	if number == 0 {
		return r.orders(`SELECT row FROM orders WHERE z IS NULL ORDER BY n`)
	}
	return r.orders(`SELECT row FROM orders WHERE z = ? ORDER BY n`, number)
}

// anchored is the event of an anchor: a record, about neither order nor person nor Z, that
// replaces what retention dropped. The newest anchor lists every gap; the earlier ones are
// dropped with the next gap.
const anchored = "anchored"

type anchor struct {
	Gaps []gap `json:"gaps"` // by place, never adjacent
}

// gap is a run of dropped records. The chain continues from its last hash.
type gap struct {
	First int64  `json:"first"`
	Last  int64  `json:"last"`
	Hash  string `json:"hash"` // of the last record, in hex
}

func (g gap) end() (chain, error) {
	end := chain{seq: g.Last}
	b, err := hex.DecodeString(g.Hash)
	if err != nil || len(b) != sha256.Size || g.Last < g.First {
		return end, fmt.Errorf("the anchor of records %d to %d: %w", g.First, g.Last, ErrChain)
	}
	copy(end.hash[:], b)
	return end, nil
}

// readAnchor reads the newest anchor; without one nothing was dropped.
func readAnchor(tx *sql.Tx) (anchor, error) {
	var a anchor
	err := each(tx, func(rows *sql.Rows) error {
		var body string
		if err := rows.Scan(&body); err != nil {
			return err
		}
		return json.Unmarshal([]byte(body), &a)
	}, `SELECT body FROM journal WHERE order_id = '' AND event = 'anchored' ORDER BY seq DESC LIMIT 1`)
	if err != nil {
		return a, fmt.Errorf("read the anchor: %w", err)
	}
	return a, nil
}

// pruneBatch bounds how long one transaction of Prune delays a commit.
const pruneBatch = 200

// Prune drops the oldest orders, a few hundred at a time, that are in an old Z, with their
// records. It returns how many; call it until that is 0. While the journal is over its size limit
// it drops the oldest whatever their age. An order that is open, owed an answer or on a staff
// list stays, and so does one that is in no Z, or has an open refund. An anchor keeps the chain
// intact, and idempotency keys are kept.
func (s *Store) Prune(old Old) (int, error) {
	return s.drop(func(tx *sql.Tx) (int, []gap, error) {
		var gaps []gap
		room, err := s.room(tx)
		if err != nil {
			return 0, nil, err
		}
		keys, err := boundKeys(tx, room.bound/keysShare)
		if err != nil {
			return 0, nil, err
		}
		ids, err := prunable(tx, old, room.used-keys > room.bound)
		if err != nil || len(ids) == 0 {
			return 0, nil, err
		}
		for _, id := range ids {
			if err := s.keepKey(tx, id); err != nil {
				return 0, nil, fmt.Errorf("keep the key of order %s: %w", id, err)
			}
			if _, err := tx.Exec(`DELETE FROM orders WHERE order_id = ?`, id); err != nil {
				return 0, nil, fmt.Errorf("drop order %s: %w", id, err)
			}
			more, err := dropped(tx, `DELETE FROM journal WHERE order_id = ? RETURNING seq, hash`, id)
			if err != nil {
				return 0, nil, fmt.Errorf("drop the records of order %s: %w", id, err)
			}
			gaps = append(gaps, more...)
		}
		return len(ids), gaps, nil
	})
}

// maxBytes is the most that the journal uses, without kept keys, before orders in a Z are dropped
// early, and at most half of its file system: some 320,000 sales.
const maxBytes = 1 << 30

// room is what the journal uses and may use, in bytes.
type room struct{ used, bound int64 }

func (s *Store) room(tx *sql.Tx) (room, error) {
	var used int64
	err := tx.QueryRow(`SELECT (c.page_count - f.freelist_count) * s.page_size
		FROM pragma_page_count() c, pragma_freelist_count() f, pragma_page_size() s`).Scan(&used)
	if err != nil {
		return room{}, fmt.Errorf("measure the journal: %w", err)
	}
	bound := int64(maxBytes)
	if s.o.MaxBytes > 0 {
		bound = s.o.MaxBytes
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(s.path, &fs); err != nil {
		return room{}, fmt.Errorf("measure the disk: %w", err)
	}
	half := int64(fs.Blocks) * int64(fs.Bsize) / 2 //nolint:unconvert // no disk overflows it; the fields have 32 bits on some machines
	return room{used, min(bound, half)}, nil
}

// drop drops records in one transaction, and the previous anchor, whose gaps the new one repeats.
func (s *Store) drop(what func(tx *sql.Tx) (int, []gap, error)) (n int, err error) {
	err = s.append(func(tx *sql.Tx, end *chain) error {
		var gaps []gap
		var err error
		if n, gaps, err = what(tx); err != nil || n == 0 {
			return err
		}
		a, err := readAnchor(tx)
		if err != nil {
			return err
		}
		old, err := dropped(tx, `DELETE FROM journal WHERE order_id = '' AND event = 'anchored' RETURNING seq, hash`)
		if err != nil {
			return fmt.Errorf("drop the anchor before: %w", err)
		}
		body, err := json.Marshal(anchor{join(slices.Concat(a.Gaps, gaps, old))})
		if err != nil {
			return fmt.Errorf("encode the anchor: %w", err)
		}
		return end.add(tx, record{event: anchored, body: string(body), boot: s.tag, mono: end.lived,
			wall: payterm.Millis(s.o.Now())})
	})
	if err != nil {
		return 0, fmt.Errorf("prune: %w", err)
	}
	return n, nil
}

// prunable returns the orders of the Zs up to the last old one; of all Zs if the journal is full.
// By the wall clock, a Z without a time is as old as the next one with a time.
func prunable(tx *sql.Tx, old Old, full bool) ([]string, error) {
	var ids []string
	err := each(tx, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, `SELECT order_id FROM orders
		WHERE z <= (SELECT max(number) FROM z WHERE ?1 > 0 AND lived <= ?1 OR at > 0 AND at < ?2 OR ?3) AND closed = 1 AND attention = ''
			AND NOT EXISTS (SELECT 1 FROM outbox b WHERE b.order_id = orders.order_id)
			AND order_id NOT IN (SELECT coalesce(json_extract(row, '$.sale_order_id'), '') FROM orders WHERE closed = 0 AND kind = 'refund')
		ORDER BY z, n LIMIT ?4`, int64(old.Lived), payterm.Millis(old.Wall), full, pruneBatch)
	if err != nil {
		return nil, fmt.Errorf("look for what can go: %w", err)
	}
	return ids, nil
}

// dropped runs a DELETE that returns seq and hash, and returns each record as a gap.
func dropped(tx *sql.Tx, query string, args ...any) ([]gap, error) {
	var gaps []gap
	err := each(tx, func(rows *sql.Rows) error {
		var g gap
		var hash []byte
		err := rows.Scan(&g.First, &hash)
		g.Last, g.Hash = g.First, hex.EncodeToString(hash)
		gaps = append(gaps, g)
		return err
	}, query, args...)
	return gaps, err
}

// join sorts gaps and merges adjacent ones.
func join(gaps []gap) []gap {
	slices.SortFunc(gaps, func(a, b gap) int { return cmp.Compare(a.First, b.First) })
	joined := gaps[:0]
	for _, g := range gaps {
		if n := len(joined); n > 0 && joined[n-1].Last+1 == g.First {
			joined[n-1].Last, joined[n-1].Hash = g.Last, g.Hash
			continue
		}
		joined = append(joined, g)
	}
	return joined
}

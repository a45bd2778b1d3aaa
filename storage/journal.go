package storage

import (
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"strings"

	"payterm"

	sqlite "github.com/mattn/go-sqlite3"
)

// Commit stores the entries in one durable transaction: each event with its
// place in the chain, the row of its order, what the network still owes for it,
// and the payment code that it used. An error means that nothing was stored. It
// is called from the runner's loop only.
func (s *Store) Commit(entries ...payterm.Entry) error {
	tx, err := s.db.Begin()
	if err != nil {
		return fmt.Errorf("storage: begin: %w", classify(err))
	}
	end := s.chain
	for _, e := range entries {
		if err := commitOne(tx, e, &end); err != nil {
			return errors.Join(fmt.Errorf("storage: order %s: %s: %w", e.OrderID, e.Event, classify(err)), rollback(tx))
		}
	}
	if err := tx.Commit(); err != nil {
		return errors.Join(fmt.Errorf("storage: commit: %w", classify(err)), rollback(tx))
	}
	s.chain = end
	return nil
}

// rollback ends a transaction that a failed commit may have left open on the
// only connection.
func rollback(tx *sql.Tx) error {
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return fmt.Errorf("storage: roll back: %w", err)
	}
	return nil
}

func commitOne(tx *sql.Tx, e payterm.Entry, end *chain) error {
	if !json.Valid(e.Body) {
		return errors.New("its body is not JSON")
	}
	end.seq++
	wall := millis(e.Stamp.Wall)
	end.hash = link(end.hash, record{end.seq, string(e.OrderID), e.Event, string(e.Body), e.Stamp.Boot, int64(e.Stamp.Mono), wall})
	_, err := tx.Exec(`INSERT INTO journal (seq, order_id, event, body, boot, mono, wall, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		end.seq, string(e.OrderID), e.Event, string(e.Body), e.Stamp.Boot, int64(e.Stamp.Mono), wall, end.hash[:])
	if err != nil {
		return fmt.Errorf("append: %w", err)
	}
	if err := putOrder(tx, e); err != nil {
		return err
	}
	if e.Owes == payterm.OwedNothing {
		_, err = tx.Exec(`DELETE FROM outbox WHERE order_id = ?`, string(e.OrderID))
	} else {
		_, err = tx.Exec(`INSERT INTO outbox (order_id, task, since) VALUES (?, ?, ?)
			ON CONFLICT (order_id) DO UPDATE SET task = excluded.task WHERE task <> excluded.task`,
			string(e.OrderID), string(e.Owes), wall)
	}
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	return nil
}

func putOrder(tx *sql.Tx, e payterm.Entry) error {
	row, err := json.Marshal(e.Order)
	if err != nil {
		return fmt.Errorf("encode the order: %w", err)
	}
	o := e.Order
	_, err = tx.Exec(`INSERT INTO orders (order_id, closed, outcome, attention, kind, mode, wallet,
			amount_minor, tip_minor, paid_minor, currency, idempotency_key, code_key, row)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (order_id) DO UPDATE SET closed = excluded.closed, outcome = excluded.outcome,
			attention = excluded.attention, kind = excluded.kind, mode = excluded.mode, wallet = excluded.wallet,
			amount_minor = excluded.amount_minor, tip_minor = excluded.tip_minor, paid_minor = excluded.paid_minor,
			currency = excluded.currency, code_key = coalesce(excluded.code_key, code_key), row = excluded.row`,
		string(e.OrderID), e.Closed, string(o.Outcome), string(o.Attention), string(o.Kind), string(o.Mode), string(o.Wallet),
		o.AmountMinor, o.TipMinor, o.PaidMinor, string(o.Currency), nullable(o.IdempotencyKey), nullable(e.CodeKey), string(row))
	var se sqlite.Error
	if errors.As(err, &se) && se.ExtendedCode == sqlite.ErrConstraintUnique && strings.Contains(se.Error(), "orders.code_key") {
		return codeUsedError{err}
	}
	if err != nil {
		return fmt.Errorf("order row: %w", err)
	}
	return nil
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// record is what a hash of the chain covers.
type record struct {
	seq                        int64
	orderID, event, body, boot string
	mono, wall                 int64
}

// link is the chain's next hash: SHA-256 over the hash before and the record's
// fields in this order, integers as eight bytes big-endian, texts with their
// length before them, so that no two records have the same text.
func link(before [sha256.Size]byte, r record) [sha256.Size]byte {
	h := sha256.New()
	h.Write(before[:])
	putInt(h, r.seq)
	for _, text := range []string{r.orderID, r.event, r.body, r.boot} {
		putInt(h, int64(len(text)))
		h.Write([]byte(text))
	}
	putInt(h, r.mono)
	putInt(h, r.wall)
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	return sum
}

func putInt(h hash.Hash, n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	h.Write(b[:])
}

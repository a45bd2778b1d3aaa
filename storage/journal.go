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

// Commit stores the entries in one durable transaction: each event with its place in the chain,
// its order's row, its open request at the gateway, and the payment code that it used. After an
// error none of it is visible in this run. Only if the disk failed during the sync the next start
// may find all of it; that is safe, because the caller did not act on it.
func (s *Store) Commit(entries ...payterm.Entry) error {
	return s.append(func(tx *sql.Tx, end *chain) error {
		for _, e := range entries {
			if err := commitOne(prepared{tx, s.prepared}, e, end); err != nil {
				return fmt.Errorf("order %s: %s: %w", e.OrderID, e.Event, err)
			}
		}
		return nil
	})
}

// The statements of a commit. They are prepared at the start: planning them took a third of a
// commit's time.
const (
	appended = `INSERT INTO journal (seq, order_id, event, body, boot, mono, wall, state, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
	rowPut   = `INSERT INTO orders (order_id, closed, outcome, attention, kind, mode, wallet,
			amount_minor, tip_minor, paid_minor, currency, merchant_id, idempotency_key, code_key, row, at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (order_id) DO UPDATE SET closed = excluded.closed, outcome = excluded.outcome,
			attention = excluded.attention, kind = excluded.kind, mode = excluded.mode, wallet = excluded.wallet,
			amount_minor = excluded.amount_minor, tip_minor = excluded.tip_minor, paid_minor = excluded.paid_minor,
			currency = excluded.currency, merchant_id = excluded.merchant_id, code_key = coalesce(excluded.code_key, code_key), row = excluded.row`
	owed = `INSERT INTO outbox (order_id, task, since) VALUES (?, ?, ?)
			ON CONFLICT (order_id) DO UPDATE SET task = excluded.task WHERE task <> excluded.task`
	notOwed = `DELETE FROM outbox WHERE order_id = ?`
	// An order that had ended unpaid and is paid later goes into the next Z.
	found = `UPDATE orders SET z = NULL WHERE order_id = ? AND z IS NOT NULL AND outcome <> 'approved'`
)

// execer is a transaction, with prepared statements or without.
type execer interface {
	Exec(query string, args ...any) (sql.Result, error)
}

// prepared is a transaction that uses the prepared statements.
type prepared struct {
	*sql.Tx
	by map[string]*sql.Stmt
}

// Exec runs a prepared statement.
func (p prepared) Exec(query string, args ...any) (sql.Result, error) {
	stmt := p.by[query]
	if stmt == nil {
		return p.Tx.Exec(query, args...)
	}
	return p.Tx.Stmt(stmt).Exec(args...)
}

// prepare prepares the statements of a commit; closing the database closes them.
func (s *Store) prepare() error {
	s.prepared = map[string]*sql.Stmt{}
	for _, query := range []string{appended, rowPut, owed, notOwed, found} {
		stmt, err := s.db.Prepare(query)
		if err != nil {
			return fmt.Errorf("prepare: %w", classify(err))
		}
		s.prepared[query] = stmt
	}
	return nil
}

// append runs one transaction that may add to the chain.
func (s *Store) append(add func(tx *sql.Tx, end *chain) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := withReserve(s.path, func() error { return s.appendOnce(add) })
	if errors.Is(err, ErrCorrupt) {
		s.damage = err
	}
	return err
}

func (s *Store) appendOnce(add func(tx *sql.Tx, end *chain) error) error {
	tx, err := s.db.Begin()
	if err != nil {
		return fmt.Errorf("storage: begin: %w", classify(err))
	}
	end := s.chain
	if err := add(tx, &end); err != nil {
		return errors.Join(fmt.Errorf("storage: %w", classify(err)), rollback(tx))
	}
	if err := tx.Commit(); err != nil {
		return errors.Join(fmt.Errorf("storage: commit: %w", classify(err)), rollback(tx))
	}
	s.chain = end
	return nil
}

// rollback ends a transaction that a failed commit may have left open on the only connection.
func rollback(tx *sql.Tx) error {
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return fmt.Errorf("storage: roll back: %w", err)
	}
	return nil
}

func commitOne(tx execer, e payterm.Entry, end *chain) error {
	if !e.OrderID.Valid() || e.Order.ID != e.OrderID {
		return errors.New("it is about no order, or its row is about another")
	}
	if !json.Valid(e.Body) {
		return errors.New("its body is not JSON")
	}
	row, err := json.Marshal(e.Order)
	if err != nil {
		return fmt.Errorf("encode the order: %w", err)
	}
	state := stateOf(string(e.OrderID), e.Closed, string(e.Owes), string(row))
	wall := payterm.Millis(e.Stamp.Wall)
	err = end.add(tx, record{
		orderID: string(e.OrderID), event: e.Event, body: string(e.Body), boot: e.Stamp.Boot,
		mono: int64(e.Stamp.Mono), wall: wall, state: state[:],
	})
	if err != nil {
		return err
	}
	if e.Order.Outcome == payterm.Approved {
		if _, err := tx.Exec(found, string(e.OrderID)); err != nil {
			return fmt.Errorf("take it out of its Z: %w", err)
		}
	}
	if err := putOrder(tx, e, string(row)); err != nil {
		return err
	}
	if e.Owes == payterm.OwedNothing {
		_, err = tx.Exec(notOwed, string(e.OrderID))
	} else {
		_, err = tx.Exec(owed,
			string(e.OrderID), string(e.Owes), wall)
	}
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	return nil
}

// add appends a record to the chain.
func (c *chain) add(tx execer, r record) error {
	r.seq = c.seq + 1
	hash := link(c.hash, r)
	_, err := tx.Exec(appended,
		r.seq, r.orderID, r.event, r.body, r.boot, r.mono, r.wall, r.state, hash[:])
	if err != nil {
		return fmt.Errorf("append: %w", err)
	}
	c.seq, c.hash, c.lived = r.seq, hash, max(c.lived, r.mono)
	return nil
}

func putOrder(tx execer, e payterm.Entry, row string) error {
	o := e.Order
	_, err := tx.Exec(rowPut,
		string(e.OrderID), e.Closed, string(o.Outcome), string(o.Attention), string(o.Kind), string(o.Mode),
		string(o.Wallet),
		o.AmountMinor, o.TipMinor, o.PaidMinor, string(o.Currency), o.MerchantID, nullable(o.IdempotencyKey),
		nullable(e.CodeKey), row, payterm.Millis(o.CreatedAt))
	var se sqlite.Error
	if errors.As(err, &se) && se.ExtendedCode == sqlite.ErrConstraintUnique &&
		strings.Contains(se.Error(), "orders.code_key") {
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
	state                      []byte // from stateOf; nil in records of form 1 and in anchors
}

// link is the next hash of the chain: SHA-256 of the previous hash and the record's fields in
// this order. Integers are eight bytes big-endian and texts have their length in front, so that
// no two records have the same input. The state, if any, is last.
func link(before [sha256.Size]byte, r record) [sha256.Size]byte {
	h := sha256.New()
	h.Write(before[:])
	putInt(h, r.seq)
	for _, text := range []string{r.orderID, r.event, r.body, r.boot} {
		putText(h, text)
	}
	putInt(h, r.mono)
	putInt(h, r.wall)
	h.Write(r.state)
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	return sum
}

// stateOf is a hash of the order's rows, so that the chain covers them too.
func stateOf(orderID string, closed bool, owes, row string) [sha256.Size]byte {
	h := sha256.New()
	putText(h, orderID)
	if closed {
		putInt(h, 1)
	} else {
		putInt(h, 0)
	}
	putText(h, owes)
	putText(h, row)
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	return sum
}

func putText(h hash.Hash, text string) {
	putInt(h, int64(len(text)))
	h.Write([]byte(text))
}

func putInt(h hash.Hash, n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	h.Write(b[:])
}

package storage

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"payterm"
)

// Verified is the result of Verify.
type Verified struct {
	Records int64  `json:"records"`
	Pruned  int64  `json:"pruned,omitempty"` // records that retention dropped
	Head    string `json:"head"`             // the last hash, in hex
	Broken  int64  `json:"broken,omitempty"` // the first record whose hash does not fit
}

// Verify checks the whole file as of one moment: SQLite's structure, the chain from its
// beginning, and each order's row against its last record. Errors are ErrCorrupt or ErrChain.
func (r *Reader) Verify(ctx context.Context) (Verified, error) {
	tx, err := r.ro.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return Verified{}, fmt.Errorf("storage: verify: %w", classify(err))
	}
	v, err := verifyChain(tx)
	if err == nil {
		err = verifyOrders(tx)
	}
	if err == nil {
		err = verifyKeys(tx)
	}
	if err == nil {
		err = verifyFences(tx)
	}
	if err == nil {
		err = verifyStructure(tx)
	}
	if err != nil {
		err = fmt.Errorf("storage: verify: %w", classify(err))
	}
	return v, errors.Join(err, rollback(tx))
}

func verifyStructure(tx *sql.Tx) error {
	var found string
	if err := tx.QueryRow(`PRAGMA integrity_check(1)`).Scan(&found); err != nil {
		return err
	}
	if found != "ok" {
		return fmt.Errorf("%w: %s", ErrCorrupt, found)
	}
	if err := tx.QueryRow(`SELECT "table" FROM pragma_foreign_key_check`).Scan(&found); err == nil {
		return fmt.Errorf("%w: %s refers to a row that is not there", ErrCorrupt, found)
	} else if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return nil
}

func verifyChain(tx *sql.Tx) (Verified, error) {
	var v Verified
	pruned, err := readAnchor(tx)
	if err != nil {
		return v, err
	}
	var end chain
	err = each(tx, func(rows *sql.Rows) error {
		var rec record
		var hash []byte
		if err := rows.Scan(&rec.seq, &rec.orderID, &rec.event, &rec.body, &rec.boot, &rec.mono, &rec.wall, &rec.state,
			&hash); err != nil {
			return err
		}
		if len(pruned.Gaps) > 0 && pruned.Gaps[0].First == end.seq+1 {
			v.Pruned += pruned.Gaps[0].Last - end.seq
			if end, err = pruned.Gaps[0].end(); err != nil {
				return err
			}
			pruned.Gaps = pruned.Gaps[1:]
		}
		next := link(end.hash, rec)
		if rec.seq != end.seq+1 || string(hash) != string(next[:]) {
			v.Broken = rec.seq
			return fmt.Errorf("record %d: %w", rec.seq, ErrChain)
		}
		end = chain{seq: rec.seq, hash: next}
		v.Records++
		return nil
	}, `SELECT seq, order_id, event, body, boot, mono, wall, state, hash FROM journal ORDER BY seq`)
	if err != nil {
		return v, err
	}
	if len(pruned.Gaps) > 0 {
		return v, fmt.Errorf("records %d to %d: %w: an anchor covers what is not missing", pruned.Gaps[0].First,
			pruned.Gaps[0].Last, ErrChain)
	}
	v.Head = fmt.Sprintf("%x", end.hash)
	return v, nil
}

// verifyOrders compares each order's row with its last record, and the columns with the row.
func verifyOrders(tx *sql.Tx) error {
	err := each(tx, verifyOrder,
		`SELECT o.order_id, closed, outcome, attention, kind, mode, wallet, amount_minor, tip_minor,
			paid_minor, currency, merchant_id, coalesce(idempotency_key, ''), at, row, coalesce(task, ''),
			(SELECT max(seq) FROM journal j WHERE j.order_id = o.order_id),
			(SELECT state FROM journal j WHERE j.order_id = o.order_id ORDER BY seq DESC LIMIT 1)
		FROM orders o LEFT JOIN outbox b ON b.order_id = o.order_id`)
	if err != nil {
		return err
	}
	var z int64
	if err := tx.QueryRow(`SELECT number FROM z WHERE seq IS NOT NULL AND NOT EXISTS (SELECT 1 FROM journal j
		WHERE j.seq = z.seq AND j.event = 'z_taken' AND j.wall = z.at AND j.mono IN (0, z.lived) AND json_extract(j.body, '$.number') = z.number) LIMIT 1`).Scan(&z); err == nil {
		return fmt.Errorf("the record of Z %d is missing: %w", z, ErrCorrupt)
	} else if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	for _, never := range []struct{ query, what string }{
		{`SELECT order_id FROM journal WHERE order_id <> '' EXCEPT SELECT order_id FROM orders LIMIT 1`,
			"has records and no row"},
		{`SELECT order_id FROM outbox EXCEPT SELECT order_id FROM orders LIMIT 1`,
			"has a queued task and no row"},
		{`SELECT order_id FROM outbox b WHERE NOT EXISTS (SELECT 1 FROM journal j WHERE j.order_id = b.order_id AND wall = since) LIMIT 1`,
			"has a queued task since a time of no record"},
	} {
		var id string
		if err := tx.QueryRow(never.query).Scan(&id); err == nil {
			return fmt.Errorf("order %q %s: %w", id, never.what, ErrCorrupt)
		} else if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	return nil
}

func verifyOrder(rows *sql.Rows) error {
	var id, task, text string
	var closed bool
	var columns, row payterm.Order
	var last sql.NullInt64
	var at int64
	var state []byte
	if err := rows.Scan(&id, &closed, &columns.Outcome, &columns.Attention, &columns.Kind, &columns.Mode,
		&columns.Wallet,
		&columns.AmountMinor, &columns.TipMinor, &columns.PaidMinor, &columns.Currency, &columns.MerchantID,
		&columns.IdempotencyKey, &at,
		&text, &task, &last, &state); err != nil {
		return err
	}
	if !last.Valid {
		return fmt.Errorf("order %s has no record: %w", id, ErrChain)
	}
	if err := json.Unmarshal([]byte(text), &row); err != nil {
		return fmt.Errorf("order %s: %w", id, err)
	}
	columns.ID = payterm.OrderID(id)
	if columns != guarded(row) || at != payterm.Millis(row.CreatedAt) {
		return fmt.Errorf("order %s: %w: its row and its columns differ", id, ErrCorrupt)
	}
	if want := stateOf(id, closed, task, text); state != nil && string(state) != string(want[:]) {
		return fmt.Errorf("order %s: %w: its row is not the one that record %d left", id, ErrCorrupt, last.Int64)
	}
	return nil
}

// guarded is the part of an order that has columns of its own.
func guarded(o payterm.Order) payterm.Order {
	return payterm.Order{
		ID: o.ID, Outcome: o.Outcome, Attention: o.Attention, Kind: o.Kind, Mode: o.Mode, Wallet: o.Wallet,
		AmountMinor: o.AmountMinor, TipMinor: o.TipMinor, PaidMinor: o.PaidMinor, Currency: o.Currency,
		MerchantID:     o.MerchantID,
		IdempotencyKey: o.IdempotencyKey,
	}
}

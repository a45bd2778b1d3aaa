package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// Health is the result of Check.
type Health struct {
	JournalMode string `json:"journal_mode"`
	Synchronous int    `json:"synchronous"` // 2 is FULL
	Records     int    `json:"records"`     // newest records checked
}

// Check reads back the settings that make a commit durable, on the connection that commits, and
// checks the newest records against the hash chain. It changes nothing and is fast, unlike
// Verify. Errors are ErrPragma, ErrCorrupt or ErrChain.
func (s *Store) Check(ctx context.Context, newest int) (Health, error) {
	var h Health
	err := s.db.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&h.JournalMode)
	if err == nil {
		err = s.db.QueryRowContext(ctx, `PRAGMA synchronous`).Scan(&h.Synchronous)
	}
	if err == nil {
		err = durable(h.JournalMode, h.Synchronous)
	}
	if err == nil {
		h.Records, err = s.checkNewest(ctx, newest)
	}
	if err != nil {
		err = fmt.Errorf("storage: check: %w", classify(err))
	}
	return h, err
}

// checkNewest links each of the newest records to the one before it, or to the gap that retention
// left there.
func (s *Store) checkNewest(ctx context.Context, newest int) (int, error) {
	tx, err := s.ro.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return 0, err
	}
	n, err := linkNewest(tx, newest)
	return n, errors.Join(err, rollback(tx))
}

func linkNewest(tx *sql.Tx, newest int) (int, error) {
	pruned, err := readAnchor(tx)
	if err != nil {
		return 0, err
	}
	var end chain
	n, first := 0, true
	err = each(tx, func(rows *sql.Rows) error {
		var rec record
		var hash []byte
		if err := rows.Scan(&rec.seq, &rec.orderID, &rec.event, &rec.body, &rec.boot, &rec.mono, &rec.wall, &rec.state,
			&hash); err != nil {
			return err
		}
		if !first || rec.seq == 1 { // the record before the oldest one read is unknown
			before := end
			if at := slices.IndexFunc(pruned.Gaps, func(g gap) bool { return g.First == end.seq+1 }); at >= 0 {
				if before, err = pruned.Gaps[at].end(); err != nil {
					return err
				}
			}
			next := link(before.hash, rec)
			if rec.seq != before.seq+1 || string(hash) != string(next[:]) {
				return fmt.Errorf("record %d: %w", rec.seq, ErrChain)
			}
			n++
		}
		first = false
		end.seq = rec.seq
		copy(end.hash[:], hash)
		return nil
	}, fmt.Sprintf(`SELECT seq, order_id, event, body, boot, mono, wall, state, hash FROM
		(SELECT * FROM journal ORDER BY seq DESC LIMIT %d) ORDER BY seq`, newest+1))
	return n, err
}

package storage

import (
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// What guards and ends an order counts time that the terminal has lived through: a
// wall clock may jump, and a monotonic one begins anew with each start. So the total of
// all lives is kept, and each life goes on from it (docs/decisions/0014). It is what the
// newest record says, or where nothing is recorded what Live was told last. What passed
// after that, and while the power was off, is not in it.

// Lived is what is known to have been lived through. Right after Open it is where this
// life begins.
func (s *Store) Lived() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Duration(s.chain.lived)
}

// Live writes down what has been lived through, for times in which nothing is recorded.
func (s *Store) Live(lived time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	total := max(s.chain.lived, int64(lived))
	if _, err := s.db.Exec(`UPDATE boot SET lived = ?, seq = ? WHERE tag = ?`, total, s.chain.seq, s.tag); err != nil {
		return fmt.Errorf("storage: write down the time: %w", classify(err))
	}
	s.chain.lived = total
	return nil
}

// livedBefore is what earlier lives have come to: what was written down last, or a
// record since then, if it is of a later time.
func livedBefore(db *sql.DB) (int64, error) {
	var lived, seq int64
	err := db.QueryRow(`SELECT lived, seq FROM boot WHERE lived IS NOT NULL ORDER BY lived DESC, seq DESC LIMIT 1`).Scan(&lived, &seq)
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		err = db.QueryRow(`SELECT max(?, coalesce(max(mono), 0)) FROM journal WHERE seq > ?`, lived, seq).Scan(&lived)
	}
	if err != nil {
		return 0, fmt.Errorf("read what was lived through: %w", err)
	}
	return lived, nil
}

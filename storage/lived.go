package storage

import (
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Guards and limits of an order count lived time, because a wall clock may jump and a monotonic
// clock starts again with each run. The total of all runs is stored, and each run continues from
// it (docs/decisions/0014): it is the lived time of the newest record, or the last one given to
// Live. What passed after that, and while the power was off, is lost.

// Lived is the lived time that is stored. Right after Open it is where this run starts.
func (s *Store) Lived() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Duration(s.chain.lived)
}

// Live stores the lived time, for times without records.
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

// livedBefore is the lived time of earlier runs: the stored one, or that of a later record.
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

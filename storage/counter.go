package storage

import (
	"errors"
	"fmt"

	"payterm"

	sqlite "github.com/mattn/go-sqlite3"
)

// Order ids contain a tag that is drawn and committed at each start, and a counter in memory. No
// start continues an earlier count, so neither a crash nor a restored or lost file repeats an id
// (invariant 2, docs/decisions/0005).

const (
	lastCounter = 999_999
	tagDraws    = 8
)

// drawTag commits a tag that is not in this file yet. The caller holds mu, or has the store
// alone.
func (s *Store) drawTag() error {
	for range tagDraws {
		tag, err := s.o.DrawTag()
		if err != nil {
			return fmt.Errorf("draw a tag for this start: %w", err)
		}
		if _, err := payterm.OrderIDFrom(s.o.Terminal, tag, 1); err != nil {
			return err
		}
		_, err = s.db.Exec(`INSERT INTO boot (tag, at, lived, seq) VALUES (?, ?, ?, ?)`, tag, payterm.Millis(s.o.Now()),
			s.chain.lived, s.chain.seq)
		var e sqlite.Error
		if errors.As(err, &e) && e.Code == sqlite.ErrConstraint {
			continue // used before
		}
		if err != nil {
			return fmt.Errorf("commit the tag of this start: %w", err)
		}
		s.tag, s.counter = tag, 0
		return nil
	}
	return fmt.Errorf("draw a tag for this start: %d draws were all used before: is the random source broken?",
		tagDraws)
}

// BootTag is this start's tag.
func (s *Store) BootTag() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tag
}

// NextOrderID returns an id that was never used before.
func (s *Store) NextOrderID() (payterm.OrderID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counter >= lastCounter {
		if err := s.drawTag(); err != nil {
			return "", fmt.Errorf("storage: %w", classify(err))
		}
	}
	s.counter++
	id, err := payterm.OrderIDFrom(s.o.Terminal, s.tag, s.counter)
	if err != nil {
		return "", fmt.Errorf("storage: %w", err)
	}
	return id, nil
}

package storage

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"payterm"
)

// ErrNoZ says that there is no Z of this number.
var ErrNoZ = errors.New("there is no Z of this number")

// Totals sums up a Z, or with number 0 what the next Z would hold now (X). It is
// one reading of the journal, so that sums, open orders and head fit each other.
// Open orders are those of now; an older Z lists none.
func (r *Reader) Totals(number int64) (t payterm.Totals, err error) {
	tx, err := r.ro.Begin()
	if err != nil {
		return t, fmt.Errorf("storage: totals: %w", classify(err))
	}
	defer tx.Rollback() //nolint:errcheck // it has only read
	var last int64
	if err := tx.QueryRow(`SELECT coalesce(max(number), 0) FROM z`).Scan(&last); err != nil {
		return t, fmt.Errorf("storage: totals: %w", classify(err))
	}
	if number < 0 || number > last {
		return t, fmt.Errorf("storage: totals: Z %d, the last one is %d: %w", number, last, ErrNoZ)
	}
	var final, open []payterm.Order
	if number == 0 {
		final, err = ordersIn(tx, `SELECT row FROM orders WHERE z IS NULL AND closed = 1 ORDER BY n`)
	} else {
		final, err = ordersIn(tx, `SELECT row FROM orders WHERE z = ? ORDER BY n`, number)
	}
	if err != nil {
		return t, err
	}
	if number == 0 || number == last {
		if open, err = ordersIn(tx, `SELECT row FROM orders WHERE closed = 0 ORDER BY n`); err != nil {
			return t, err
		}
	}
	isOpen := map[payterm.OrderID]bool{}
	for _, o := range open {
		isOpen[o.ID] = true
	}
	t = payterm.TotalsOf(append(final, open...), func(o payterm.Order) bool { return !isOpen[o.ID] })
	t.Number = number
	if number == 0 {
		t.Number = last + 1
	}
	var from, to int64
	err = tx.QueryRow(`SELECT coalesce((SELECT at FROM z WHERE number = ?), 0), coalesce((SELECT at FROM z WHERE number = ?), 0)`,
		t.Number-1, t.Number).Scan(&from, &to)
	if err != nil {
		return t, fmt.Errorf("storage: totals: %w", classify(err))
	}
	t.From, t.To = fromMillis(from), fromMillis(to)
	var head []byte
	err = tx.QueryRow(`SELECT hash FROM journal ORDER BY seq DESC LIMIT 1`).Scan(&head)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return t, fmt.Errorf("storage: totals: %w", classify(err))
	}
	t.Head = fmt.Sprintf("%x", head)
	return t, nil
}

func ordersIn(tx *sql.Tx, query string, args ...any) ([]payterm.Order, error) {
	var list []payterm.Order
	err := each(tx, func(rows *sql.Rows) error {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		var o payterm.Order
		if err := json.Unmarshal([]byte(text), &o); err != nil {
			return fmt.Errorf("order %d of the list: %w: %w", len(list)+1, ErrCorrupt, err)
		}
		list = append(list, o)
		return nil
	}, query, args...)
	if err != nil {
		return nil, fmt.Errorf("storage: read orders: %w", classify(err))
	}
	return list, nil
}

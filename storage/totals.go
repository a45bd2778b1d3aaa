package storage

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"payterm"
)

// ErrNoZ: there is no Z with this number.
var ErrNoZ = errors.New("there is no Z of this number")

// Totals returns a Z, or with number 0 what the next Z would hold now (X). A Z is read from its
// record, so it never changes. One from before such records is summed up again and lists no open
// orders.
func (r *Reader) Totals(number int64) (t payterm.Totals, err error) {
	err = r.reading(func(tx *sql.Tx) error {
		var last int64
		if err := tx.QueryRow(`SELECT coalesce(max(number), 0) FROM z`).Scan(&last); err != nil {
			return err
		}
		switch {
		case number < 0 || number > last:
			return fmt.Errorf("number %d, the last Z is %d: %w", number, last, ErrNoZ)
		case number == 0:
			t, err = r.sumUp(tx, last+1, `z IS NULL AND closed = 1`, true)
			return err
		}
		var seq sql.NullInt64
		if err := tx.QueryRow(`SELECT seq FROM z WHERE number = ?`, number).Scan(&seq); err != nil {
			return err
		}
		if !seq.Valid {
			t, err = r.sumUp(tx, number, `z = ?`, false, number)
			return err
		}
		t, err = r.recorded(tx, seq.Int64)
		return err
	})
	return t, err
}

// reading runs one read transaction, so that all results fit together.
func (r *Reader) reading(read func(*sql.Tx) error) error {
	tx, err := r.ro.Begin()
	if err == nil {
		defer tx.Rollback() //nolint:errcheck // read only
		err = read(tx)
	}
	if err != nil {
		return fmt.Errorf("storage: totals: %w", classify(err))
	}
	return nil
}

// sumUp sums up the selected final orders as the Z with this number, and lists those that are
// open now.
func (r *Reader) sumUp(tx *sql.Tx, number int64, meant string, carried bool, args ...any) (t payterm.Totals,
	err error) {
	final, err := r.ordersIn(tx, `SELECT row FROM orders WHERE `+meant+` ORDER BY n`, args...)
	if err != nil {
		return t, err
	}
	var open []payterm.Order
	if carried {
		if open, err = r.ordersIn(tx, `SELECT row FROM orders WHERE closed = 0 ORDER BY n`); err != nil {
			return t, err
		}
	}
	t = sums(final, open)
	t.Number = number
	t.Cover(r.days, final)
	var from, to int64
	err = tx.QueryRow(`SELECT coalesce((SELECT at FROM z WHERE number = ?), 0), coalesce((SELECT at FROM z WHERE number = ?), 0)`,
		number-1, number).Scan(&from, &to)
	if err != nil {
		return t, err
	}
	t.From, t.To = r.inShop(from), r.inShop(to)
	t.Head, err = head(tx)
	return t, err
}

// inShop returns a moment in the shop's zone; zero for none.
func (r *Reader) inShop(millis int64) time.Time {
	at := payterm.FromMillis(millis)
	if at.IsZero() || r.days.Zone == nil {
		return at
	}
	return at.In(r.days.Zone)
}

// sums adds up final orders and lists open ones.
func sums(final, open []payterm.Order) payterm.Totals {
	isOpen := map[payterm.OrderID]bool{}
	for _, o := range open {
		isOpen[o.ID] = true
	}
	return payterm.TotalsOf(slices.Concat(final, open), func(o payterm.Order) bool { return !isOpen[o.ID] })
}

// head is the journal's last hash.
func head(tx *sql.Tx) (string, error) {
	var hash []byte
	err := tx.QueryRow(`SELECT hash FROM journal ORDER BY seq DESC LIMIT 1`).Scan(&hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", err
	}
	return fmt.Sprintf("%x", hash), nil
}

// zTaken is the event of a Z: a record, about no order, with its totals.
const zTaken = "z_taken"

// TakeZ puts each final order that is in no Z yet into the next one and records its totals, in
// one durable transaction. Open orders stay for a later Z. Nothing is read after the commit, so a
// Z that was taken is always returned.
func (s *Store) TakeZ(by payterm.TakenBy) (t payterm.Totals, err error) {
	at := payterm.Millis(s.o.Now())
	err = s.append(func(tx *sql.Tx, end *chain) error {
		var number int64
		err := tx.QueryRow(`INSERT INTO z (number, at, seq, lived) SELECT coalesce(max(number), 0) + 1, ?, ?, ? FROM z RETURNING number`,
			at, end.seq+1, end.lived).Scan(&number)
		if err != nil {
			return fmt.Errorf("take the next Z number: %w", err)
		}
		if _, err := tx.Exec(`UPDATE orders SET z = ? WHERE z IS NULL AND closed = 1`, number); err != nil {
			return fmt.Errorf("put orders into Z %d: %w", number, err)
		}
		if t, err = s.sumUp(tx, number, `z = ?`, true, number); err != nil {
			return fmt.Errorf("sum up Z %d: %w", number, err)
		}
		t.TakenBy = by
		t.Head = "" // the hash of this record, which it cannot contain
		body, err := json.Marshal(t)
		if err != nil {
			return fmt.Errorf("encode Z %d: %w", number, err)
		}
		if s.o.Slips {
			if _, err := tx.Exec(`INSERT INTO z_slip (number) VALUES (?)`, number); err != nil {
				return fmt.Errorf("owe the slip of Z %d: %w", number, err)
			}
		}
		if err := end.add(tx, record{event: zTaken, body: string(body), boot: s.tag, mono: end.lived,
			wall: at}); err != nil {
			return err
		}
		t.Head = fmt.Sprintf("%x", end.hash)
		return nil
	})
	if err != nil {
		return payterm.Totals{}, err
	}
	return t, nil
}

// UnprintedZs are the Zs whose slips may not have been printed, oldest first.
func (r *Reader) UnprintedZs() ([]int64, error) {
	var numbers []int64
	err := each(r.ro, func(rows *sql.Rows) error {
		var n int64
		err := rows.Scan(&n)
		numbers = append(numbers, n)
		return err
	}, `SELECT number FROM z_slip ORDER BY number`)
	if err != nil {
		return nil, fmt.Errorf("storage: look for Zs without a slip: %w", err)
	}
	return numbers, nil
}

// ZPrinted records that the slip of a Z was printed.
func (s *Store) ZPrinted(number int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.db.Exec(`DELETE FROM z_slip WHERE number = ?`, number); err != nil {
		return fmt.Errorf("storage: the slip of Z %d: %w", number, classify(err))
	}
	return nil
}

// recorded reads a Z's record, and looks up how the orders ended that it carried over. Records of
// earlier forms have neither merchant nor currency.
func (r *Reader) recorded(tx *sql.Tx, seq int64) (t payterm.Totals, err error) {
	var body string
	var hash []byte
	if err := tx.QueryRow(`SELECT body, hash FROM journal WHERE seq = ? AND event = ?`, seq, zTaken).Scan(&body,
		&hash); err != nil {
		return t, fmt.Errorf("record %d: %w: %w", seq, ErrCorrupt, err)
	}
	if err := json.Unmarshal([]byte(body), &t); err != nil {
		return t, fmt.Errorf("record %d: %w: %w", seq, ErrCorrupt, err)
	}
	t.Head = fmt.Sprintf("%x", hash)
	for i, row := range t.By {
		if row.Currency == "" {
			t.By[i].Currency, t.By[i].MerchantID = r.unnamed.Currency, r.unnamed.ID
		}
	}
	for i, o := range t.Open {
		if o.MerchantID == "" {
			t.Open[i].MerchantID = r.unnamed.ID
		}
		var z sql.NullInt64
		err := tx.QueryRow(`SELECT z FROM orders WHERE order_id = ?`, string(o.ID)).Scan(&z)
		if err != nil && !errors.Is(err, sql.ErrNoRows) { // dropped since then
			return t, err
		}
		if z.Valid {
			if t.EndedIn == nil {
				t.EndedIn = map[payterm.OrderID]int64{}
			}
			t.EndedIn[o.ID] = z.Int64
		}
	}
	return t, nil
}

// effective is when an order began: by its own time, or if the clock was not set by the nearest
// earlier order with a time, else the nearest later one.
const effective = `coalesce(nullif(at, 0),
	(SELECT p.at FROM orders p WHERE p.n < orders.n AND p.at > 0 ORDER BY p.n DESC LIMIT 1),
	(SELECT p.at FROM orders p WHERE p.n > orders.n AND p.at > 0 ORDER BY p.n LIMIT 1), 0)`

// inDay selects the orders that began from ?1 to ?2. Orders without a time belong to the ones
// before them.
const inDay = `(at >= ?1 AND at < ?2 OR at = 0) AND ` + effective + ` >= ?1 AND ` + effective + ` < ?2`

// OfDay returns the orders that began on a business day (2006-01-02), oldest first. Retention
// drops old ones.
func (r *Reader) OfDay(day string) ([]payterm.Order, error) {
	from, to, err := r.days.Named(day)
	if err != nil {
		return nil, fmt.Errorf("storage: orders of a day: %w", err)
	}
	return r.orders(`SELECT row FROM orders WHERE `+inDay+` ORDER BY n`, payterm.Millis(from), payterm.Millis(to))
}

// DayTotals sums up the orders that began on a business day (2006-01-02), whatever Z they are in.
// It has no number and closes nothing.
func (r *Reader) DayTotals(day string) (t payterm.Totals, err error) {
	from, to, err := r.days.Named(day)
	if err != nil {
		return t, fmt.Errorf("storage: totals: %w", err)
	}
	err = r.reading(func(tx *sql.Tx) error {
		var both [2][]payterm.Order
		for closed := range both {
			both[closed], err = r.ordersIn(tx, `SELECT row FROM orders WHERE closed = ?3 AND `+inDay+` ORDER BY n`,
				payterm.Millis(from), payterm.Millis(to), closed)
			if err != nil {
				return err
			}
		}
		t = sums(both[1], both[0])
		t.From, t.To, t.Day = from, to, day
		t.Head, err = head(tx)
		return err
	})
	return t, err
}

// Unclosed is the oldest business day before the current one with a payment that is in no Z, as
// 2006-01-02; empty if there is none, or no clock.
func (r *Reader) Unclosed(now time.Time) (string, error) {
	if now.IsZero() {
		return "", nil
	}
	from, _ := r.days.Of(now)
	var at sql.NullInt64
	// What became final only today belongs to today.
	err := r.ro.QueryRow(`SELECT min(at) FROM orders WHERE z IS NULL AND closed = 1 AND outcome = 'approved' AND at > 0 AND at < ?1
		AND CAST(round((julianday(json_extract(row, '$.closed_at')) - 2440587.5) * 86400000) AS INTEGER) < ?1`,
		from.UnixMilli()).Scan(&at)
	if err != nil {
		return "", fmt.Errorf("storage: look for a day that is open: %w", classify(err))
	}
	if !at.Valid {
		return "", nil
	}
	return r.days.Name(payterm.FromMillis(at.Int64)), nil
}

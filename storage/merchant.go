package storage

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"payterm"
)

// Orders and merchants. Each order has its merchant at the gateway. Orders and Zs of earlier
// forms have none; they are taken to be of the terminal's merchant, and their sums in its
// currency, at the first start with a form that stores merchants, because a terminal had one
// merchant then (docs/decisions/0018).

// merchant is a merchant and a currency.
type merchant struct {
	ID       string           `json:"merchant_id"`
	Currency payterm.Currency `json:"currency"`
}

// merchantNoted is the event of the journal record, about no order, that says whose the orders
// and Zs without a merchant are.
const merchantNoted = "merchant_noted"

// Held is what one merchant's sales in one currency still need.
type Held struct {
	MerchantID string           `json:"merchant_id"`
	Currency   payterm.Currency `json:"currency"`
	Open       int              `json:"open"`       // orders that the gateway is still asked about
	Untotalled int              `json:"untotalled"` // paid orders in no Z
}

// OtherMerchantError: orders of another merchant or currency are not finished.
type OtherMerchantError struct{ Held }

// Error says what to do about it.
func (e OtherMerchantError) Error() string {
	return fmt.Sprintf("%d orders of merchant %s in %s are not closed and %d are in no Z: put the old configuration back, %sthen change it",
		e.Open, e.MerchantID, e.Currency, e.Untotalled,
		e.steps("let what is open end (payterm queue list: it is asked about for a day at most), ",
			"close the day (payterm totals z), "))
}

// steps are the steps that are needed, of two.
func (e OtherMerchantError) steps(open, untotalled string) string {
	if e.Open == 0 {
		open = ""
	}
	if e.Untotalled == 0 && e.Open != 0 {
		untotalled = ""
	}
	return open + untotalled
}

// Advice is the short form of it.
func (e OtherMerchantError) Advice() string {
	return fmt.Sprintf("merchant %s (%s) has %d open orders and %d in no Z: put the old configuration back, %sthen change it",
		e.MerchantID, e.Currency, e.Open, e.Untotalled, e.steps("let what is open end, ", "close the day (Z), "))
}

// Held lists what every merchant of this journal still needs.
func (r *Reader) Held() ([]Held, error) {
	list, err := heldIn(r.ro, r.unnamed)
	if err != nil {
		return nil, fmt.Errorf("storage: look whose orders are open: %w", err)
	}
	return list, nil
}

func heldIn(q querier, unnamed merchant) ([]Held, error) {
	var list []Held
	err := each(q, func(rows *sql.Rows) error {
		var h Held
		err := rows.Scan(&h.MerchantID, &h.Currency, &h.Open, &h.Untotalled)
		list = append(list, h)
		return err
	}, `SELECT coalesce(nullif(merchant_id, ''), ?1), currency, sum(closed = 0), sum(closed = 1) FROM (
			SELECT merchant_id, currency, closed FROM orders WHERE closed = 0
			UNION ALL
			SELECT merchant_id, currency, closed FROM orders WHERE z IS NULL AND closed = 1 AND outcome = 'approved')
		GROUP BY 1, 2 ORDER BY 1, 2`, unnamed.ID)
	return list, err
}

// claim refuses a journal that has unfinished orders of another merchant or currency.
func (s *Store) claim() error {
	now := merchant{s.o.MerchantID, s.o.Currency}
	if now.ID == "" {
		return nil
	}
	unnamed, due, err := readUnnamed(s.db)
	if err != nil {
		return err
	}
	if due {
		unnamed = now
	}
	list, err := heldIn(s.db, unnamed)
	if err != nil {
		return fmt.Errorf("look whose orders are open: %w", err)
	}
	for _, h := range list {
		if now != (merchant{h.MerchantID, h.Currency}) {
			return OtherMerchantError{h}
		}
	}
	return nil
}

// noteMerchant stores, once, whose the orders without a merchant are.
func (s *Store) noteMerchant() error {
	now := merchant{s.o.MerchantID, s.o.Currency}
	_, due, err := readUnnamed(s.db)
	if err != nil || !due || now.ID == "" {
		return err
	}
	body, err := json.Marshal(now)
	if err != nil {
		return fmt.Errorf("encode the merchant: %w", err)
	}
	return s.append(func(tx *sql.Tx, end *chain) error {
		if err := end.add(tx, record{event: merchantNoted, body: string(body), boot: s.tag, mono: end.lived,
			wall: payterm.Millis(s.o.Now())}); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE unnamed SET seq = ?`, end.seq)
		return err
	})
}

// readUnnamed returns whose the orders without a merchant are, or that this is not stored yet.
func readUnnamed(db *sql.DB) (m merchant, due bool, err error) {
	var seq sql.NullInt64
	err = db.QueryRow(`SELECT seq FROM unnamed`).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return m, false, nil
	}
	if err == nil && !seq.Valid {
		return m, true, nil
	}
	var body string
	if err == nil {
		err = db.QueryRow(`SELECT body FROM journal WHERE seq = ? AND event = ?`, seq, merchantNoted).Scan(&body)
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &m)
	}
	if err != nil {
		return m, false, fmt.Errorf("read the merchant: %w", damaged(err))
	}
	return m, false, nil
}

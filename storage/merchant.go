package storage

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"payterm"
)

// Whose the orders are. Each names its merchant at the gateway; those of the forms
// before, and their Zs, are taken for the merchant's, and the Zs' sums for the
// currency's, of the terminal at its first start with a form that knows of it: a
// terminal had one then.

// merchant is whom a terminal sells for, and in what.
type merchant struct {
	ID       string           `json:"merchant_id"`
	Currency payterm.Currency `json:"currency"`
}

// merchantNoted names the record of the journal, about no order, that says whose the
// orders and Zs are that name nobody.
const merchantNoted = "merchant_noted"

// Held is what one merchant's sales in one currency still need of the terminal.
type Held struct {
	MerchantID string           `json:"merchant_id"`
	Currency   payterm.Currency `json:"currency"`
	Open       int              `json:"open"`       // the gateway is still asked about them
	Untotalled int              `json:"untotalled"` // paid, and in no Z yet
}

// OtherMerchantError says that the journal is not done with another merchant, or
// another currency, than the terminal's.
type OtherMerchantError struct{ Held }

// Error says what to do about it.
func (e OtherMerchantError) Error() string {
	return fmt.Sprintf("%d orders of merchant %s in %s are not closed and %d are in no Z: put the old configuration back, %sthen change it",
		e.Open, e.MerchantID, e.Currency, e.Untotalled,
		e.steps("let what is open end (payterm queue list: it is asked about for a day at most), ",
			"close the day (payterm totals z), "))
}

// steps are those of two that are called for.
func (e OtherMerchantError) steps(open, untotalled string) string {
	if e.Open == 0 {
		open = ""
	}
	if e.Untotalled == 0 && e.Open != 0 {
		untotalled = ""
	}
	return open + untotalled
}

// Advice says it in few words.
func (e OtherMerchantError) Advice() string {
	return fmt.Sprintf("merchant %s (%s) has %d open orders and %d in no Z: put the old configuration back, %sthen change it",
		e.MerchantID, e.Currency, e.Open, e.Untotalled, e.steps("let what is open end, ", "close the day (Z), "))
}

// Held lists what the merchants of this journal still need of the terminal; nothing is
// left out.
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

// claim refuses a journal that is not done with another merchant or currency than the
// terminal's.
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

// noteMerchant says, once, whose the orders are that name nobody.
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

// readUnnamed gives whose the orders are that name nobody, or says that this has yet to
// be noted.
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

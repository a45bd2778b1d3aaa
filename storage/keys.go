package storage

import (
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"payterm"
)

// An idempotency key outlives its order (invariant 21): a till that asks again a year later gets
// the result, and nobody is charged twice. When an order is dropped, what its caller is told is
// kept in a row of some 400 bytes with its index.

// keptKeys bounds the keys; the oldest are dropped first. They also have a size limit of their
// own, a quarter of the orders', which matters on a small disk only. Orders are never dropped to
// make room for keys.
const (
	keptKeys  = 200_000
	keysShare = 4
	keysBatch = 1000 // most keys dropped in one transaction, since commits wait for it
)

// kept is what remains of an order for its key.
type kept struct {
	ID            payterm.OrderID  `json:"order_id"`
	Kind          payterm.Kind     `json:"kind"`
	SaleID        payterm.OrderID  `json:"sale_order_id,omitempty"`
	Mode          payterm.Mode     `json:"mode"`
	Wallet        payterm.Channel  `json:"wallet,omitempty"`
	AmountMinor   int64            `json:"amount_minor"`
	TipMinor      int64            `json:"tip_minor,omitempty"`
	PaidMinor     int64            `json:"paid_minor,omitempty"`
	RefundedMinor int64            `json:"refunded_minor,omitempty"`
	Currency      payterm.Currency `json:"currency"`
	MerchantID    string           `json:"merchant_id,omitempty"`
	Outcome       payterm.Outcome  `json:"outcome"`
	Reason        payterm.Reason   `json:"reason,omitempty"`
	Whole         bool             `json:"whole,omitempty"`
	CreatedAt     time.Time        `json:"created_at,omitzero"`
	ClosedAt      time.Time        `json:"closed_at,omitzero"`
}

// keepKey stores the key of an order that is being dropped, if it has one.
func (s *Store) keepKey(tx *sql.Tx, id string) error {
	var text string
	err := tx.QueryRow(`SELECT row FROM orders WHERE order_id = ? AND idempotency_key IS NOT NULL`, id).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	var o payterm.Order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return damaged(err)
	}
	row, err := json.Marshal(kept{
		ID: o.ID, Kind: o.Kind, SaleID: o.SaleID, Mode: o.Mode, Wallet: o.Wallet, AmountMinor: o.AmountMinor,
		TipMinor:  o.TipMinor,
		PaidMinor: o.PaidMinor, RefundedMinor: o.RefundedMinor, Currency: o.Currency, MerchantID: o.MerchantID,
		Outcome: o.Outcome, Reason: o.Reason, Whole: o.Whole, CreatedAt: o.CreatedAt, ClosedAt: o.ClosedAt,
	})
	if err != nil {
		return err
	}
	sum := keySum(o.IdempotencyKey, string(row))
	_, err = tx.Exec(`INSERT INTO keys (key, row, sum) VALUES (?, ?, ?)`, o.IdempotencyKey, string(row), sum[:])
	return err
}

// keySum is a checksum of a row.
func keySum(key, row string) [16]byte {
	h := sha256.New()
	putText(h, key)
	putText(h, row)
	return [16]byte(h.Sum(nil))
}

// boundKeys drops the oldest keys beyond their number or their size limit. It returns the size of
// the others, estimated from the oldest and the newest.
func boundKeys(tx *sql.Tx, most int64) (bytes int64, err error) {
	var first, last, key, row, page int64
	err = tx.QueryRow(`SELECT coalesce(min(n), 1), coalesce(max(n), 0), (SELECT * FROM pragma_page_size()) FROM keys`).
		Scan(&first, &last, &page)
	if err == nil {
		err = tx.QueryRow(`SELECT CAST(coalesce(avg(length(key)), 0) AS INTEGER), CAST(coalesce(avg(length(row)), 0) AS INTEGER)
			FROM keys WHERE n < ?1 + 100 OR n > ?2 - 100`, first, last).Scan(&key, &row)
	}
	if err != nil {
		return 0, fmt.Errorf("measure the keys: %w", err)
	}
	each := bytesOfKey(key, row, page)
	if over := min(last-first+1-min(keptKeys, most/each), keysBatch); over > 0 {
		first += over
		if _, err := tx.Exec(`DELETE FROM keys WHERE n < ?`, first); err != nil {
			return 0, fmt.Errorf("drop old keys: %w", err)
		}
	}
	return (last - first + 1) * each, nil
}

// bytesOfKey estimates a key's size on the disk: its part of a page, which holds whole rows with
// 32 bytes besides their texts, and its index entry, whose pages are two thirds full.
func bytesOfKey(key, row, page int64) int64 {
	return page/max(1, page/(key+row+32)) + (key+8)*3/2
}

// keptKey finds the key of an order that was dropped.
func (r *Reader) keptKey(key string) (o payterm.Order, found bool, err error) {
	err = each(r.ro, func(rows *sql.Rows) error {
		found = true
		o, err = readKey(rows)
		return err
	}, `SELECT key, row, sum FROM keys WHERE key = ?`, key)
	if err != nil {
		return payterm.Order{}, false, fmt.Errorf("storage: read a key: %w", err)
	}
	if found && o.MerchantID == "" {
		o.MerchantID = r.unnamed.ID
	}
	return o, found, nil
}

func readKey(rows *sql.Rows) (payterm.Order, error) {
	var key, row string
	var sum []byte
	if err := rows.Scan(&key, &row, &sum); err != nil {
		return payterm.Order{}, err
	}
	if want := keySum(key, row); string(sum) != string(want[:]) {
		return payterm.Order{}, fmt.Errorf("key: %w: its row is not the one that was written", ErrCorrupt)
	}
	var k kept
	if err := json.Unmarshal([]byte(row), &k); err != nil {
		return payterm.Order{}, err
	}
	return payterm.Order{
		ID: k.ID, Kind: k.Kind, SaleID: k.SaleID, Mode: k.Mode, Wallet: k.Wallet, AmountMinor: k.AmountMinor,
		TipMinor:  k.TipMinor,
		PaidMinor: k.PaidMinor, RefundedMinor: k.RefundedMinor, Currency: k.Currency, MerchantID: k.MerchantID,
		IdempotencyKey: key,
		Outcome:        k.Outcome, Reason: k.Reason, Whole: k.Whole, CreatedAt: k.CreatedAt, ClosedAt: k.ClosedAt,
	}, nil
}

// verifyKeys checks every key of a dropped order.
func verifyKeys(tx *sql.Tx) error {
	return each(tx, func(rows *sql.Rows) error {
		_, err := readKey(rows)
		return err
	}, `SELECT key, row, sum FROM keys`)
}

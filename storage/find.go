package storage

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"payterm"
)

// List returns at most n orders of a list, newest first, after the first skip.
func (r *Reader) List(list payterm.OrderList, skip, n int) ([]payterm.Order, error) {
	where, known := map[payterm.OrderList]string{
		payterm.ListNewest: `1`,
		payterm.ListSales:  `kind = 'sale' AND outcome = 'approved' AND json_extract(row, '$.refunded_minor') < amount_minor + tip_minor`,
		payterm.ListOpen:   `closed = 0 OR attention IN ('doubt', 'alarm')`,
		payterm.ListLate:   `attention = 'late_payment'`,
	}[list]
	if !known {
		return nil, fmt.Errorf("storage: there is no list %q", list)
	}
	return r.orders(`SELECT row FROM orders WHERE `+where+` ORDER BY n DESC LIMIT ? OFFSET ?`, n, skip)
}

// Query picks orders; its zero value picks all of them.
type Query struct {
	// Since and Until are when they began, Until excluded; zero for any time. What began
	// while the clock was not set is within no bounds.
	Since, Until time.Time
	Outcome      payterm.Outcome
	Ref          string // the till's reference, whole
	Skip         int    // leave out the newest so many of them
	Last         int    // and of the others only the newest so many; 0 for all
}

// Select gives the orders of a query, the newest last.
func (r *Reader) Select(q Query) ([]payterm.Order, error) {
	where, args := []string{"1"}, []any{}
	add := func(wanted bool, condition string, arg any) {
		if wanted {
			where, args = append(where, condition), append(args, arg)
		}
	}
	add(!q.Since.IsZero(), "at >= ?", payterm.Millis(q.Since))
	add(!q.Until.IsZero(), "at > 0 AND at < ?", payterm.Millis(q.Until))
	add(q.Outcome != "", "outcome = ?", string(q.Outcome))
	add(q.Ref != "", "json_extract(row, '$.ref') = ?", q.Ref)
	limit := int64(-1)
	if q.Last > 0 {
		limit = int64(q.Last)
	}
	list, err := r.orders("SELECT row FROM orders WHERE "+strings.Join(where, " AND ")+" ORDER BY n DESC LIMIT ? OFFSET ?",
		append(args, limit, q.Skip)...)
	slices.Reverse(list)
	return list, err
}

// GivenBack is the sum of a sale's refunds that are approved. Refunds begin after their sale, so
// only younger orders are read.
func (r *Reader) GivenBack(sale payterm.OrderID) (minor int64, err error) {
	err = r.ro.QueryRow(`SELECT coalesce(sum(amount_minor), 0) FROM orders
		WHERE n > (SELECT n FROM orders WHERE order_id = ?1) AND kind = 'refund' AND outcome = 'approved'
			AND json_extract(row, '$.sale_order_id') = ?1`, sale).Scan(&minor)
	if err != nil {
		return 0, fmt.Errorf("storage: the refunds of %s: %w", sale, classify(err))
	}
	return minor, nil
}

// Numbered returns at most n orders whose number has this ending, newest first: the order id, or
// from six characters on the number in the wallet's bill (bizpay_order_id). Fewer digits are the
// counter at the end of an order id, without leading zeros.
func (r *Reader) Numbered(number string, skip, n int) ([]payterm.Order, error) {
	if short := payterm.MinNumber - len(number); short > 0 {
		number = strings.Repeat("0", short) + number
		return r.orders(`SELECT row FROM orders WHERE substr(order_id, -6) = ? ORDER BY n DESC LIMIT ? OFFSET ?`,
			number, n, skip)
	}
	return r.orders(`SELECT row FROM orders
		WHERE substr(order_id, -6) = ?1 AND substr(order_id, ?2) = ?3
			OR substr(json_extract(row, '$.bizpay_order_id'), -6) = ?1 AND substr(json_extract(row, '$.bizpay_order_id'), ?2) = ?3
		ORDER BY n DESC LIMIT ?4 OFFSET ?5`, number[len(number)-payterm.MinNumber:], -len(number), number, n, skip)
}

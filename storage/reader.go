package storage

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"time"

	"payterm"
)

// Reader reads the journal, also while an agent runs. It cannot write.
type Reader struct {
	ro      *sql.DB
	still   *still       // what must not change until Close; nil if SQLite's locks protect it
	days    payterm.Days // a reader opened without options uses midnight in UTC
	unnamed merchant     // of the orders and Zs without a merchant
}

// OpenReader opens an existing journal for reading. If SQLite cannot create the files that
// readers share, on a read-only card or in another user's directory, it reads the main file
// alone, which is the whole journal after the agent has closed it.
func OpenReader(path string) (*Reader, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("storage: there is no journal: %w", err)
	} else if err != nil {
		return nil, fmt.Errorf("storage: read %s: %w", path, classify(err))
	}
	r, err := openReader(path, nil)
	if cannotShare(err) {
		var alone *still
		if alone, err = aloneIn(path); err == nil {
			r, err = openReader(path, alone)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("storage: read %s: %w", path, classify(err))
	}
	return r, nil
}

func openReader(path string, alone *still) (*Reader, error) {
	db, err := openReadOnly(path, alone != nil)
	if err != nil {
		return nil, err
	}
	var version int
	err = db.QueryRow(`PRAGMA user_version`).Scan(&version)
	if err == nil {
		err = notNewer(version)
	}
	if err == nil && version < forms {
		err = fmt.Errorf("%w (its form is %d, this version reads %d)", ErrOlder, version, forms)
	}
	r := &Reader{ro: db, still: alone}
	if err == nil {
		r.unnamed, _, err = readUnnamed(db)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return r, nil
}

// openReadOnly opens a file for reading. immutable means that nobody writes to it meanwhile:
// SQLite takes no lock and reads no log.
func openReadOnly(path string, immutable bool) (*sql.DB, error) {
	q := url.Values{"mode": {"ro"}, "_busy_timeout": {"5000"}}
	if immutable {
		q.Set("immutable", "1")
	}
	db, err := sql.Open("sqlite3", dsn(path, q))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(2)
	return db, nil
}

// In makes business days those of the shop; without it they are those of UTC.
func (r *Reader) In(days payterm.Days) *Reader {
	r.days = days
	return r
}

// Close ends the reader. ErrChanged means that what was read may be wrong.
func (r *Reader) Close() error {
	err := r.ro.Close()
	if r.still != nil {
		err = errors.Join(err, r.still.changed())
	}
	return err
}

// Orders returns every order, newest last.
func (r *Reader) Orders() ([]payterm.Order, error) {
	return r.orders(`SELECT row FROM orders ORDER BY n`)
}

// Latest returns the n newest orders, newest first.
func (r *Reader) Latest(n int) ([]payterm.Order, error) {
	return r.orders(`SELECT row FROM orders ORDER BY n DESC LIMIT ?`, n)
}

// Order returns one order, false if there is none with that id.
func (r *Reader) Order(id payterm.OrderID) (payterm.Order, bool, error) {
	return r.one(`SELECT row FROM orders WHERE order_id = ?`, string(id))
}

// Columns returns what an order has in columns of its own, for one whose row is unreadable: its
// terms and its outcome.
func (r *Reader) Columns(id payterm.OrderID) (o payterm.Order, found bool, err error) {
	err = each(r.ro, func(rows *sql.Rows) error {
		var at int64
		found = true
		err := rows.Scan(&o.Outcome, &o.Attention, &o.Kind, &o.Mode, &o.Wallet, &o.AmountMinor, &o.TipMinor,
			&o.PaidMinor, &o.Currency, &o.MerchantID, &o.IdempotencyKey, &at)
		o.ID, o.CreatedAt = id, payterm.FromMillis(at)
		return err
	}, `SELECT outcome, attention, kind, mode, wallet, amount_minor, tip_minor, paid_minor, currency,
			coalesce(nullif(merchant_id, ''), ?2), coalesce(idempotency_key, ''), at
		FROM orders WHERE order_id = ?1`, string(id), r.unnamed.ID)
	if err != nil {
		return payterm.Order{}, false, fmt.Errorf("storage: read the columns of order %s: %w", id, err)
	}
	return o, found, nil
}

// OrderByKey returns the order of an idempotency key; for one that was dropped, what its caller
// is told.
func (r *Reader) OrderByKey(key string) (payterm.Order, bool, error) {
	o, found, err := r.one(`SELECT row FROM orders WHERE idempotency_key = ?`, key)
	if err != nil || found {
		return o, found, err
	}
	return r.keptKey(key)
}

func (r *Reader) one(query string, args ...any) (payterm.Order, bool, error) {
	list, err := r.orders(query, args...)
	if err != nil || len(list) == 0 {
		return payterm.Order{}, false, err
	}
	return list[0], true, nil
}

func (r *Reader) orders(query string, args ...any) ([]payterm.Order, error) {
	list, err := r.ordersIn(r.ro, query, args...)
	if err != nil {
		return nil, fmt.Errorf("storage: read orders: %w", err)
	}
	return list, nil
}

// ordersIn reads rows of orders.
func (r *Reader) ordersIn(q querier, query string, args ...any) ([]payterm.Order, error) {
	list := []payterm.Order{}
	err := each(q, func(rows *sql.Rows) error {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		var o payterm.Order
		if err := json.Unmarshal([]byte(text), &o); err != nil {
			return fmt.Errorf("order %d of the list: %w: %w", len(list)+1, ErrCorrupt, err)
		}
		if o.MerchantID == "" {
			o.MerchantID = r.unnamed.ID
		}
		list = append(list, o)
		return nil
	}, query, args...)
	return list, err
}

// querier is a database or a transaction.
type querier interface {
	Query(query string, args ...any) (*sql.Rows, error)
}

// each calls read for every row. A row of another form than was written is ErrCorrupt.
func each(q querier, read func(*sql.Rows) error, query string, args ...any) error {
	rows, err := q.Query(query, args...)
	if err != nil {
		return classify(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := read(rows); err != nil {
			return damaged(err)
		}
	}
	return classify(rows.Err())
}

// LastApproved is the newest order whose slips may be printed again, empty for none.
func (r *Reader) LastApproved() (payterm.OrderID, error) {
	var id payterm.OrderID
	err := r.ro.QueryRow(`SELECT order_id FROM orders WHERE outcome = 'approved' ORDER BY n DESC LIMIT 1`).Scan(&id)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("storage: look for the last approved order: %w", classify(err))
	}
	return id, nil
}

// Events returns an order's events, oldest first.
func (r *Reader) Events(id payterm.OrderID) ([]payterm.Journaled, error) {
	list := []payterm.Journaled{}
	err := r.events(func(e payterm.Journaled) { list = append(list, e) },
		`SELECT seq, order_id, event, body, boot, mono, wall FROM journal WHERE order_id = ? ORDER BY seq`, string(id))
	return list, err
}

func (r *Reader) events(take func(payterm.Journaled), query string, args ...any) error {
	err := each(r.ro, func(rows *sql.Rows) error {
		var e payterm.Journaled
		var body string
		var mono, wall int64
		if err := rows.Scan(&e.Seq, &e.OrderID, &e.Event, &body, &e.Boot, &mono, &wall); err != nil {
			return err
		}
		e.Body, e.Mono, e.Wall = json.RawMessage(body), time.Duration(mono), payterm.FromMillis(wall)
		take(e)
		return nil
	}, query, args...)
	if err != nil {
		return fmt.Errorf("storage: read events: %w", err)
	}
	return nil
}

// OpenOrder is an order that is not closed, with its events.
type OpenOrder struct {
	ID     payterm.OrderID
	Events []payterm.Journaled
}

// OpenOrders returns the open orders of a start, oldest first, from one moment. It uses the index
// of open orders and reads no others.
func (r *Reader) OpenOrders() ([]OpenOrder, error) {
	var list []OpenOrder
	err := r.events(func(e payterm.Journaled) {
		if len(list) == 0 || list[len(list)-1].ID != e.OrderID {
			list = append(list, OpenOrder{ID: e.OrderID})
		}
		last := &list[len(list)-1]
		last.Events = append(last.Events, e)
	}, `SELECT seq, j.order_id, event, body, boot, mono, wall
		FROM orders o CROSS JOIN journal j ON j.order_id = o.order_id
		WHERE o.closed = 0 ORDER BY o.n, j.seq`)
	return list, err
}

// Queue returns the open requests at the gateway, oldest first.
func (r *Reader) Queue() ([]payterm.QueueItem, error) {
	list := []payterm.QueueItem{}
	err := each(r.ro, func(rows *sql.Rows) error {
		var q payterm.QueueItem
		var since int64
		err := rows.Scan(&q.OrderID, &q.Task, &since)
		q.Since = payterm.FromMillis(since)
		list = append(list, q)
		return err
	}, `SELECT order_id, task, since FROM outbox ORDER BY since, order_id`)
	if err != nil {
		return nil, fmt.Errorf("storage: read the queue: %w", err)
	}
	return list, nil
}

// Attention counts what waits for a person.
func (r *Reader) Attention() (map[payterm.Attention]int, error) {
	counts := map[payterm.Attention]int{}
	err := each(r.ro, func(rows *sql.Rows) error {
		var a payterm.Attention
		var n int
		err := rows.Scan(&a, &n)
		counts[a] = n
		return err
	}, `SELECT attention, count(*) FROM orders WHERE attention <> '' GROUP BY attention`)
	if err != nil {
		return nil, fmt.Errorf("storage: count what waits: %w", err)
	}
	return counts, nil
}

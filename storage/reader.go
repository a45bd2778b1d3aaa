package storage

import (
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"payterm"
)

// Reader reads the journal, also of an agent that is running. It cannot write.
type Reader struct{ ro *sql.DB }

// OpenReader opens an existing journal for reading.
func OpenReader(path string) (*Reader, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("storage: there is no journal: %w", err)
	}
	db, err := sql.Open("sqlite3", dsn(path, url.Values{"mode": {"ro"}, "_query_only": {"on"}, "_busy_timeout": {"5000"}}))
	if err != nil {
		return nil, fmt.Errorf("storage: open %s for reading: %w", path, err)
	}
	db.SetMaxOpenConns(2)
	return &Reader{db}, nil
}

// Close ends the reader.
func (r *Reader) Close() error { return r.ro.Close() }

// Orders gives every order, the newest last.
func (r *Reader) Orders() ([]payterm.Order, error) {
	return r.orders(`SELECT row FROM orders ORDER BY n`)
}

// Order gives one order, false when there is none of that id.
func (r *Reader) Order(id payterm.OrderID) (payterm.Order, bool, error) {
	return r.one(`SELECT row FROM orders WHERE order_id = ?`, string(id))
}

// OrderByKey gives the order of an idempotency key.
func (r *Reader) OrderByKey(key string) (payterm.Order, bool, error) {
	return r.one(`SELECT row FROM orders WHERE idempotency_key = ?`, key)
}

func (r *Reader) one(query string, args ...any) (payterm.Order, bool, error) {
	list, err := r.orders(query, args...)
	if err != nil || len(list) == 0 {
		return payterm.Order{}, false, err
	}
	return list[0], true, nil
}

func (r *Reader) orders(query string, args ...any) ([]payterm.Order, error) {
	rows, err := r.ro.Query(query, args...)
	if err != nil {
		return nil, fmt.Errorf("storage: read orders: %w", classify(err))
	}
	defer rows.Close()
	list := []payterm.Order{}
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, fmt.Errorf("storage: read orders: %w", classify(err))
		}
		var o payterm.Order
		if err := json.Unmarshal([]byte(text), &o); err != nil {
			return nil, fmt.Errorf("storage: order %d of the list: %w: %w", len(list)+1, ErrCorrupt, err)
		}
		list = append(list, o)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("storage: read orders: %w", classify(err))
	}
	return list, nil
}

// Events gives an order's events, the oldest first.
func (r *Reader) Events(id payterm.OrderID) ([]payterm.Journaled, error) {
	rows, err := r.ro.Query(`SELECT seq, order_id, event, body, boot, mono, wall FROM journal WHERE order_id = ? ORDER BY seq`, string(id))
	if err != nil {
		return nil, fmt.Errorf("storage: read events: %w", classify(err))
	}
	defer rows.Close()
	list := []payterm.Journaled{}
	for rows.Next() {
		var e payterm.Journaled
		var body string
		var mono, wall int64
		if err := rows.Scan(&e.Seq, &e.OrderID, &e.Event, &body, &e.Boot, &mono, &wall); err != nil {
			return nil, fmt.Errorf("storage: read events: %w", classify(err))
		}
		e.Body, e.Mono, e.Wall = json.RawMessage(body), time.Duration(mono), fromMillis(wall)
		list = append(list, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("storage: read events: %w", classify(err))
	}
	return list, nil
}

// OpenOrder is an order that is not closed, with its events.
type OpenOrder struct {
	ID     payterm.OrderID
	Events []payterm.Journaled
}

// OpenOrders gives what a start has to take up, the oldest first. It reads the
// open orders only, by their index.
func (r *Reader) OpenOrders() ([]OpenOrder, error) {
	rows, err := r.ro.Query(`SELECT order_id FROM orders WHERE closed = 0 ORDER BY n`)
	if err != nil {
		return nil, fmt.Errorf("storage: read open orders: %w", classify(err))
	}
	defer rows.Close()
	var list []OpenOrder
	for rows.Next() {
		var o OpenOrder
		if err := rows.Scan(&o.ID); err != nil {
			return nil, fmt.Errorf("storage: read open orders: %w", classify(err))
		}
		list = append(list, o)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("storage: read open orders: %w", classify(err))
	}
	for i := range list {
		if list[i].Events, err = r.Events(list[i].ID); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Queue gives what the network still owes, the oldest first.
func (r *Reader) Queue() ([]payterm.QueueItem, error) {
	rows, err := r.ro.Query(`SELECT order_id, task, since FROM outbox ORDER BY since, order_id`)
	if err != nil {
		return nil, fmt.Errorf("storage: read the queue: %w", classify(err))
	}
	defer rows.Close()
	list := []payterm.QueueItem{}
	for rows.Next() {
		var q payterm.QueueItem
		var since int64
		if err := rows.Scan(&q.OrderID, &q.Task, &since); err != nil {
			return nil, fmt.Errorf("storage: read the queue: %w", classify(err))
		}
		q.Since = fromMillis(since)
		list = append(list, q)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("storage: read the queue: %w", classify(err))
	}
	return list, nil
}

// Attention counts what waits for a person.
func (r *Reader) Attention() (map[payterm.Attention]int, error) {
	rows, err := r.ro.Query(`SELECT attention, count(*) FROM orders WHERE attention <> '' GROUP BY attention`)
	if err != nil {
		return nil, fmt.Errorf("storage: count what waits: %w", classify(err))
	}
	defer rows.Close()
	counts := map[payterm.Attention]int{}
	for rows.Next() {
		var a payterm.Attention
		var n int
		if err := rows.Scan(&a, &n); err != nil {
			return nil, fmt.Errorf("storage: count what waits: %w", classify(err))
		}
		counts[a] = n
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("storage: count what waits: %w", classify(err))
	}
	return counts, nil
}

// Verified is what Verify found.
type Verified struct {
	Records int64  `json:"records"`
	Head    string `json:"head"`             // the last hash, in hex
	Broken  int64  `json:"broken,omitempty"` // the first record whose hash does not fit
}

// ErrChain says that a record was altered, removed or put in between.
var ErrChain = errors.New("the journal's chain is broken")

// Verify walks the chain from its beginning.
func (r *Reader) Verify() (Verified, error) {
	rows, err := r.ro.Query(`SELECT seq, order_id, event, body, boot, mono, wall, hash FROM journal ORDER BY seq`)
	if err != nil {
		return Verified{}, fmt.Errorf("storage: verify: %w", classify(err))
	}
	defer rows.Close()
	var v Verified
	var head [sha256.Size]byte
	for rows.Next() {
		var rec record
		var hash []byte
		if err := rows.Scan(&rec.seq, &rec.orderID, &rec.event, &rec.body, &rec.boot, &rec.mono, &rec.wall, &hash); err != nil {
			return v, fmt.Errorf("storage: verify: %w", classify(err))
		}
		head = link(head, rec)
		if rec.seq != v.Records+1 || string(hash) != string(head[:]) {
			v.Broken = rec.seq
			return v, fmt.Errorf("storage: verify: record %d: %w", rec.seq, ErrChain)
		}
		v.Records++
	}
	if err := rows.Err(); err != nil {
		return v, fmt.Errorf("storage: verify: %w", classify(err))
	}
	v.Head = fmt.Sprintf("%x", head)
	return v, nil
}

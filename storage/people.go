package storage

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"payterm"
)

// What a person did is a record of the chain that is about no order. Such a record
// says all that has to be known of its operator: of each the newest one counts, and
// the others may go.

// keptDeeds bounds these records beside their age: somebody who leans on the keypad
// all night fills no disk.
const keptDeeds = 10_000

// Record makes what a person did durable, as Commit does an event.
func (s *Store) Record(stamp payterm.Stamp, p payterm.PersonRecord) error {
	if p.Operator == "" || p.Deed == "" || p.Deed == anchored || p.Deed == zTaken || p.Deed == merchantNoted {
		return fmt.Errorf("storage: record %q of operator %q: nobody did anything", p.Deed, p.Operator)
	}
	body, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("storage: record %s: %w", p.Deed, err)
	}
	return s.append(func(tx *sql.Tx, end *chain) error {
		r := record{event: string(p.Deed), body: string(body), boot: stamp.Boot, mono: int64(stamp.Mono),
			wall: payterm.Millis(stamp.Wall)}
		if err := end.add(prepared{tx, s.prepared}, r); err != nil {
			return fmt.Errorf("record %s: %w", p.Deed, err)
		}
		return nil
	})
}

// deeds selects the records that are about persons.
const deeds = `order_id = '' AND event NOT IN ('anchored', 'z_taken', 'merchant_noted')`

// People gives what persons did, the oldest first.
func (r *Reader) People() ([]payterm.PersonDid, error) {
	list := []payterm.PersonDid{}
	var broken error
	err := r.events(func(e payterm.Journaled) {
		did := payterm.PersonDid{Seq: e.Seq, Deed: payterm.Deed(e.Event), Stamp: e.Stamp}
		if err := json.Unmarshal(e.Body, &did.PersonRecord); err != nil {
			broken = fmt.Errorf("storage: record %d: %w", e.Seq, damaged(err))
		}
		list = append(list, did)
	}, `SELECT seq, order_id, event, body, boot, mono, wall FROM journal WHERE `+deeds+` ORDER BY seq`)
	return list, errors.Join(err, broken)
}

// Failures counts the wrong PINs in a row of each operator who has any.
func (r *Reader) Failures() (map[string]int, error) {
	failures := map[string]int{}
	err := each(r.ro, func(rows *sql.Rows) error {
		var operator string
		var n int
		var seq int64
		err := rows.Scan(&operator, &n, &seq)
		if n > 0 {
			failures[operator] = n
		}
		return err
	}, `SELECT json_extract(body, '$.operator'), json_extract(body, '$.failures'), max(seq) FROM journal WHERE `+deeds+
		` GROUP BY 1`)
	if err != nil {
		return nil, fmt.Errorf("storage: count wrong PINs: %w", err)
	}
	return failures, nil
}

// PrunePeople drops up to a few hundred records of what persons did that are old, or
// beyond the number that is kept, and reports how many. The newest one of each operator
// stays: it says how many wrong PINs there were.
func (s *Store) PrunePeople(old Old) (int, error) {
	return s.drop(func(tx *sql.Tx) (int, []gap, error) {
		// Of lives that counted from their own beginning no time is known; what came
		// before a record that is old is old.
		gaps, err := dropped(tx, `DELETE FROM journal WHERE seq IN (
			SELECT seq FROM journal WHERE `+deeds+` AND seq <= max(
					coalesce((SELECT max(seq) FROM journal WHERE `+deeds+`
						AND (wall > 0 AND wall < ? OR mono > 0 AND mono <= ? AND boot IN (SELECT tag FROM boot WHERE lived IS NOT NULL))), 0),
					coalesce((SELECT seq FROM journal WHERE `+deeds+` ORDER BY seq DESC LIMIT 1 OFFSET ?), 0))
				AND seq NOT IN (SELECT max(seq) FROM journal WHERE `+deeds+` GROUP BY json_extract(body, '$.operator'))
			ORDER BY seq LIMIT ?) RETURNING seq, hash`, payterm.Millis(old.Wall), int64(old.Lived), keptDeeds,
			pruneBatch)
		if err != nil {
			return 0, nil, fmt.Errorf("drop what persons did: %w", err)
		}
		return len(gaps), gaps, nil
	})
}

// Sold sums up the sales of a merchant in a currency on the business day that holds now,
// tips included, in minor units: those that are approved, and those that are open or in doubt, which may be
// paid. What was given back is not taken off. A sale of which no time is known
// counts where it came after all the sales of earlier days; without a clock the day
// is that of the newest sale.
func (r *Reader) Sold(days payterm.Days, now time.Time, merchantID string, currency payterm.Currency) (int64, error) {
	newest := payterm.Millis(now)
	var sum int64
	err := error(nil)
	if newest == 0 {
		err = r.ro.QueryRow(`SELECT coalesce(max(at), 0) FROM orders`).Scan(&newest)
	}
	if err == nil {
		from, to := days.Of(time.UnixMilli(newest))
		err = r.ro.QueryRow(`SELECT coalesce(sum(amount_minor + tip_minor), 0) FROM orders
			WHERE (at >= ?1 AND at < ?2 OR at = 0 AND n > coalesce((SELECT n FROM orders WHERE at > 0 AND at < ?1 ORDER BY at DESC LIMIT 1), 0))
				AND kind = 'sale' AND outcome IN ('approved', 'open', 'in_doubt')
				AND currency = ?3 AND coalesce(nullif(merchant_id, ''), ?5) = ?4`,
			from.UnixMilli(), to.UnixMilli(), string(currency), merchantID, r.unnamed.ID).Scan(&sum)
	}
	if err != nil {
		return 0, fmt.Errorf("storage: sum up the day: %w", classify(err))
	}
	return sum, nil
}

package storage

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"payterm"
)

// What a person did is a record of the chain that is about no order. A record has all that must
// be known of its operator, so only the newest of each operator has to be kept.

// keptDeeds bounds the number of these records, so that keys pressed all night do not fill the
// disk.
const keptDeeds = 10_000

// Record stores what a person did, as durable as Commit.
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

// deeds selects the records about persons.
const deeds = `order_id = '' AND event NOT IN ('anchored', 'z_taken', 'merchant_noted')`

// People returns what persons did, oldest first.
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

// whose is the operator whose number of wrong PINs a record has.
const whose = `coalesce(json_extract(body, '$.whom'), json_extract(body, '$.operator'))`

// Failures is the number of wrong PINs in a row of each operator who has any.
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
	}, `SELECT `+whose+`, json_extract(body, '$.failures'), max(seq) FROM journal WHERE `+deeds+
		` GROUP BY 1`)
	if err != nil {
		return nil, fmt.Errorf("storage: count wrong PINs: %w", err)
	}
	return failures, nil
}

// PrunePeople drops up to a few hundred person records that are old, or beyond keptDeeds, and
// returns how many. The newest of each operator stays, because it has the number of wrong PINs.
func (s *Store) PrunePeople(old Old) (int, error) {
	return s.drop(func(tx *sql.Tx) (int, []gap, error) {
		// Records of runs that counted from zero have no usable time; what is before an old
		// record is old.
		gaps, err := dropped(tx, `DELETE FROM journal WHERE seq IN (
			SELECT seq FROM journal WHERE `+deeds+` AND seq <= max(
					coalesce((SELECT max(seq) FROM journal WHERE `+deeds+`
						AND (wall > 0 AND wall < ? OR mono > 0 AND mono <= ? AND boot IN (SELECT tag FROM boot WHERE lived IS NOT NULL))), 0),
					coalesce((SELECT seq FROM journal WHERE `+deeds+` ORDER BY seq DESC LIMIT 1 OFFSET ?), 0))
				AND seq NOT IN (SELECT max(seq) FROM journal WHERE `+deeds+` GROUP BY `+whose+`)
			ORDER BY seq LIMIT ?) RETURNING seq, hash`, payterm.Millis(old.Wall), int64(old.Lived), keptDeeds,
			pruneBatch)
		if err != nil {
			return 0, nil, fmt.Errorf("drop what persons did: %w", err)
		}
		return len(gaps), gaps, nil
	})
}

// Sold is the sum of a merchant's sales in a currency on the current business day, with
// tips: approved ones, and open ones or ones in doubt, which may be paid. Refunds are not
// subtracted. A sale without a time counts if it came after all sales of earlier days; without a
// clock the day is the newest sale's.
func (r *Reader) Sold(days payterm.Days, now time.Time, merchantID string, currency payterm.Currency) (payterm.Amount,
	error,
) {
	newest := payterm.Millis(now)
	sum := payterm.Amount{Currency: currency}
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
			from.UnixMilli(), to.UnixMilli(), string(currency), merchantID, r.unnamed.ID).Scan(&sum.Minor)
	}
	if err != nil {
		return payterm.Amount{}, fmt.Errorf("storage: sum up the day: %w", classify(err))
	}
	return sum, nil
}

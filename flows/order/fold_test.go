package order

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"payterm"

	"pgregory.net/rapid"
)

// TestFold: after any sequence of events, Fold of the journalled ones gives the same facts.
func TestFold(t *testing.T) {
	journalled := 0
	rapid.Check(t, func(t *rapid.T) {
		begins := []Event{
			SaleBegan{ID: "T1AAAAA000001", Mode: payterm.Passive, AmountMinor: 100, Currency: "CAD",
				Rules: DefaultRules()},
			SaleBegan{ID: "T1AAAAA000001", Mode: payterm.Active, Wallet: payterm.Alipay, AmountMinor: 90, TipMinor: 10,
				Currency: "CAD", Rules: DefaultRules()},
			RefundBegan{ID: "T1AAAAA000001", SaleID: "T1AAAAA000007", SaleTotalMinor: 100, Mode: payterm.Passive,
				Wallet: payterm.Alipay, AmountMinor: 50, Currency: "CAD", Rules: DefaultRules()},
		}
		all := append(slices.Clone(events()), SaleBegan{}, RefundBegan{}, restartedByWall{Soon: true})
		var living Order
		var kept []Stamped
		now := time.Second
		next := rapid.SampledFrom(begins).Draw(t, "begins")
		for range rapid.IntRange(1, 30).Draw(t, "events") {
			in := Stamped{Stamp: payterm.Stamp{Boot: "AAAAA", Mono: now, Wall: time.UnixMilli(1e12).Add(now)},
				Jitter: rapid.Uint16().Draw(t, "jitter"), Event: next}
			after, _ := Step(living, in)
			if Lasting(living, after) {
				name, body, err := EncodeEvent(in.Event)
				if err != nil {
					t.Fatal(err)
				}
				read, err := DecodeEvent(name, body)
				if err != nil {
					t.Fatal(err)
				}
				kept = append(kept, Stamped{Stamp: in.Stamp, Event: read})
				journalled++
			}
			living = after
			now += rapid.SampledFrom([]time.Duration{0, time.Second, 4 * time.Second, 61 * time.Second,
				25 * time.Hour}).Draw(t, "pause")
			next = rapid.SampledFrom(all).Draw(t, "event")
			if scan, ok := next.(CodeScanned); ok {
				scan.Began = now
				next = scan
			}
		}
		folded, err := Fold(kept)
		if err != nil {
			t.Fatal(err)
		}
		if folded.facts() != living.facts() {
			t.Fatalf("folded %+v\nliving %+v", folded.facts(), living.facts())
		}
	})
	if journalled == 0 {
		t.Error("nothing was journalled: this proves nothing")
	}
}

// FuzzJournalRow: any journal rows, in any order, are read or refused, without a panic.
func FuzzJournalRow(f *testing.F) {
	began, err := json.Marshal(SaleBegan{ID: "T1AAAAA000001", Mode: payterm.Passive, AmountMinor: 100, Currency: "CAD",
		Rules: DefaultRules()})
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range events() {
		name, body, err := EncodeEvent(e)
		if err != nil {
			f.Fatal(err)
		}
		//nolint:unconvert // the fuzz target wants []byte
		f.Add("sale_began", []byte(began), name, []byte(body), int64(time.Second))
	}
	f.Add("refund_began", []byte(`{"order_id":"T1AAAAA000001","amount_minor":-9223372036854775808}`), "woke",
		[]byte(`{}`), int64(-1))
	f.Fuzz(func(t *testing.T, first string, firstBody []byte, name string, body []byte, mono int64) {
		var list []Stamped
		for i, row := range []struct {
			name string
			body []byte
		}{{first, firstBody}, {name, body}, {"restarted", []byte(`{"soon":true}`)}, {name, body}} {
			e, err := DecodeEvent(row.name, row.body)
			if err != nil {
				continue
			}
			list = append(list, Stamped{Stamp: payterm.Stamp{Mono: time.Duration(mono) * time.Duration(i)}, Event: e})
		}
		o, err := Fold(list)
		if err == nil && o.Impossible() != nil {
			t.Errorf("folded to a state that cannot be: %v", o.Impossible())
		}
		o.Row()
		o.Owes()
		o.Due()
	})
}

package storage

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"payterm"
)

// ids are the last six characters of the orders' ids.
func ids(list []payterm.Order) string {
	var out []string
	for _, o := range list {
		out = append(out, string(o.ID[len(o.ID)-6:]))
	}
	return strings.Join(out, " ")
}

func TestLists(t *testing.T) {
	s := openTagged(t, filepath.Join(scratch(t), "payterm.db"), "AAAAA")
	defer s.Close()
	put := func(counter int, outcome payterm.Outcome, change func(*payterm.Entry)) {
		e := entry(payterm.OrderID(fmt.Sprintf("T1AAAAA%06d", counter)), "sale_began", outcome)
		change(&e)
		commit(t, s, e)
	}
	put(1, payterm.Approved, func(*payterm.Entry) {})
	put(2, payterm.Approved, func(e *payterm.Entry) { e.Order.RefundedMinor = 1234 })
	put(3, payterm.Approved, func(e *payterm.Entry) {
		e.Order.RefundedMinor, e.Order.TipMinor, e.Order.PaidMinor = 1234, 1, 1235
	})
	put(4, payterm.Approved, func(e *payterm.Entry) { e.Order.Attention = payterm.AttentionLatePayment })
	put(5, payterm.InDoubt, func(*payterm.Entry) {})
	put(6, payterm.Approved, func(e *payterm.Entry) { e.Order.Attention = payterm.AttentionAlarm })
	put(7, payterm.Declined, func(e *payterm.Entry) { e.Closed, e.Owes = true, payterm.OwedNothing })
	put(8, payterm.Approved, func(e *payterm.Entry) { e.Order.Kind = payterm.KindRefund })
	for _, c := range []struct {
		list    payterm.OrderList
		skip, n int
		want    string
	}{
		{payterm.ListNewest, 0, 3, "000008 000007 000006"},
		{payterm.ListNewest, 6, 3, "000002 000001"},
		{payterm.ListSales, 0, 9, "000006 000004 000003 000001"},
		{payterm.ListOpen, 0, 9, "000006 000005"},
		{payterm.ListLate, 0, 9, "000004"},
		{payterm.ListLate, 1, 9, ""},
	} {
		if got, err := s.List(c.list, c.skip, c.n); err != nil || ids(got) != c.want {
			t.Errorf("%s from %d: %q %v, want %q", c.list, c.skip, ids(got), err, c.want)
		}
	}
	if _, err := s.List("beautiful", 0, 9); err == nil {
		t.Error("a list that is none")
	}
}

// TestGivenBack: only approved refunds of a sale count.
func TestGivenBack(t *testing.T) {
	s := openTagged(t, filepath.Join(scratch(t), "payterm.db"), "AAAAA")
	defer s.Close()
	put := func(counter int, kind payterm.Kind, of payterm.OrderID, outcome payterm.Outcome, minor int64) {
		e := entry(payterm.OrderID(fmt.Sprintf("T1AAAAA%06d", counter)), "sale_began", outcome)
		e.Order.Kind, e.Order.SaleID, e.Order.AmountMinor, e.Order.PaidMinor = kind, of, minor, minor
		commit(t, s, e)
	}
	const sale, other = "T1AAAAA000001", "T1AAAAA000002"
	put(1, payterm.KindSale, "", payterm.Approved, 1200)
	put(2, payterm.KindSale, "", payterm.Approved, 1200)
	put(3, payterm.KindRefund, sale, payterm.Approved, 300)
	put(4, payterm.KindRefund, sale, payterm.InDoubt, 500)
	put(5, payterm.KindRefund, other, payterm.Approved, 70)
	put(6, payterm.KindRefund, sale, payterm.Approved, 400)
	for id, want := range map[payterm.OrderID]int64{sale: 700, other: 70, "T1AAAAA000009": 0} {
		if got, err := s.GivenBack(id); err != nil || got != want {
			t.Errorf("%s: %d %v, want %d", id, got, err, want)
		}
	}
}

func TestNumbered(t *testing.T) {
	s := openTagged(t, filepath.Join(scratch(t), "payterm.db"), "AAAAA")
	defer s.Close()
	for i, id := range []payterm.OrderID{"T1AAAAA000042", "T1BBBBB000042", "T1BBBBB000043"} {
		e := entry(id, "sale_began", payterm.Approved)
		e.Order.ChannelOrderID = []string{"4200002203202603021234567890", "", "2026030222001400000000042"}[i]
		commit(t, s, e)
	}
	for number, want := range map[string]string{
		"42":                               "T1BBBBB000042 T1AAAAA000042", // a counter
		"000042":                           "T1BBBBB000043 T1BBBBB000042 T1AAAAA000042",
		"B000042":                          "T1BBBBB000042",
		"T1BBBBB000042":                    "T1BBBBB000042",
		"XT1BBBBB000042":                   "",
		"567890":                           "T1AAAAA000042", // the number of a bill
		"4200002203202603021234567890":     "T1AAAAA000042",
		"67890":                            "",
		"1400000000042":                    "T1BBBBB000043",
		"9":                                "",
		"'; DROP TABLE orders; --":         "",
		"99994200002203202603021234567890": "",
	} {
		list, err := s.Numbered(number, 0, 5)
		var got []string
		for _, o := range list {
			got = append(got, string(o.ID))
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %q %v, want %q", number, got, err, want)
		}
	}
	if list, err := s.Numbered("42", 1, 5); err != nil || len(list) != 1 || list[0].ID != "T1AAAAA000042" {
		t.Errorf("the second of two: %v %v", list, err)
	}
	// The query must use an index: there may be ten years of orders.
	var plan []string
	rows, err := s.ro.Query(`EXPLAIN QUERY PLAN SELECT row FROM orders
		WHERE substr(order_id, -6) = '1' AND substr(order_id, -7) = '1'
			OR substr(json_extract(row, '$.bizpay_order_id'), -6) = '1'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var a, b, c int
		var text string
		if err := rows.Scan(&a, &b, &c, &text); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(plan, "; "); strings.Contains(got, "SCAN") || !strings.Contains(got, "orders_number") ||
		!strings.Contains(got, "orders_channel") {
		t.Errorf("the search walks: %s", got)
	}
}

func TestSelect(t *testing.T) {
	s := openTagged(t, filepath.Join(scratch(t), "payterm.db"), "AAAAA")
	defer s.Close()
	noon := time.Date(2026, time.November, 28, 12, 0, 0, 0, time.UTC)
	for i, o := range []struct {
		at      time.Time
		outcome payterm.Outcome
		ref     string
	}{
		{time.Time{}, payterm.Approved, "Table 5"}, // before the clock was set
		{noon, payterm.Approved, "Table 6"},
		{noon.Add(time.Hour), payterm.Declined, ""},
		{noon.Add(2 * time.Hour), payterm.Approved, "Table 5"},
	} {
		e := entry(payterm.OrderID(fmt.Sprintf("T1AAAAA%06d", i+1)), "sale_began", o.outcome)
		e.Order.CreatedAt, e.Order.Ref = o.at, o.ref
		commit(t, s, e)
	}
	for _, c := range []struct {
		q    Query
		want string
	}{
		{Query{}, "000001 000002 000003 000004"},
		{Query{Last: 2}, "000003 000004"},
		{Query{Since: noon}, "000002 000003 000004"},
		{Query{Until: noon.Add(time.Hour)}, "000002"},
		{Query{Since: noon.Add(time.Millisecond), Until: noon.Add(2 * time.Hour)}, "000003"},
		{Query{Outcome: payterm.Approved, Last: 2}, "000002 000004"},
		{Query{Ref: "Table 5"}, "000001 000004"},
		{Query{Ref: "table 5"}, ""},
	} {
		if got, err := s.Select(c.q); err != nil || ids(got) != c.want {
			t.Errorf("%+v: %q %v, want %q", c.q, ids(got), err, c.want)
		}
	}
}

package storage

import (
	"errors"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"payterm"
)

// openFor opens a journal for a merchant.
func openFor(path, merchantID string, currency payterm.Currency, tag string) (*Store, error) {
	return Open(Options{
		Path: path, Terminal: "T1", Now: func() time.Time {
			return evening
		}, DrawTag: func() (string, error) { return tag, nil },
		MerchantID: merchantID, Currency: currency,
	})
}

// sell commits an approved sale of a merchant, or an open one with another outcome.
func sell(t *testing.T, s *Store, merchantID string, currency payterm.Currency, minor int64,
	outcome payterm.Outcome) payterm.Order {
	t.Helper()
	id, err := s.NextOrderID()
	if err != nil {
		t.Fatal(err)
	}
	return s.end(t, payterm.Order{
		ID: id, Kind: payterm.KindSale, Mode: payterm.Passive, Wallet: payterm.Alipay, AmountMinor: minor,
		Currency: currency, MerchantID: merchantID,
		Outcome: outcome, CreatedAt: evening, Operator: "7",
	}, evening)
}

// TestZByMerchantAndCurrency: a Z never adds two currencies or two merchants, and TakeZ returns
// what its record says.
func TestZByMerchantAndCurrency(t *testing.T) {
	s := openAt(t, filepath.Join(scratch(t), "payterm.db"), &clock{evening})
	sell(t, s, "ON1", "CAD", 1000, payterm.Approved)
	sell(t, s, "ON1", "JPY", 1000, payterm.Approved)
	sell(t, s, "ON2", "CAD", 30, payterm.Approved)
	sell(t, s, "ON2", "CAD", 4, payterm.Approved)
	want := []payterm.TotalsRow{
		{MerchantID: "ON1", Currency: "CAD", Count: 1, AmountMinor: 1000},
		{MerchantID: "ON1", Currency: "JPY", Count: 1, AmountMinor: 1000},
		{MerchantID: "ON2", Currency: "CAD", Count: 2, AmountMinor: 34},
	}
	x, err := s.Totals(0)
	if err != nil || !reflect.DeepEqual(x.Sums(), want) {
		t.Errorf("X: %+v %v", x.Sums(), err)
	}
	day, err := s.DayTotals("2027-01-15")
	if err != nil || !reflect.DeepEqual(day.Sums(), want) {
		t.Errorf("the day: %+v %v", day.Sums(), err)
	}
	z, err := s.TakeZ(payterm.TakenBy{Operator: "7", AllowedBy: "9"})
	if err != nil || !reflect.DeepEqual(z.Sums(), want) || len(z.By) != 3 {
		t.Errorf("Z: %+v %v", z, err)
	}
	read, err := s.Totals(1)
	if err != nil || !reflect.DeepEqual(read, z) || read.Operator != "7" || read.AllowedBy != "9" {
		t.Errorf("its record says\n%+v, and it was\n%+v %v", read, z, err)
	}
	if net := z.Sums()[1].Net(); net.String() != "1000" || net.Currency != "JPY" {
		t.Errorf("net %s %s", net, net.Currency)
	}
	for _, c := range []struct {
		merchant string
		currency payterm.Currency
		minor    int64
	}{{"ON1", "CAD", 1000}, {"ON1", "JPY", 1000}, {"ON2", "CAD", 34}, {"ON2", "JPY", 0}} {
		if sold, err := s.Sold(payterm.Days{}, evening, c.merchant, c.currency); err != nil || sold.Minor != c.minor {
			t.Errorf("%s sold %d %s, want %d: %v", c.merchant, sold.Minor, c.currency, c.minor, err)
		}
	}
}

// TestOtherMerchant: a journal is not opened for another merchant before all orders are closed
// and in a Z, and nothing is written until then.
func TestOtherMerchant(t *testing.T) {
	path := filepath.Join(scratch(t), "payterm.db")
	first, err := openFor(path, "ON1", "CAD", "AAAAA")
	if err != nil {
		t.Fatal(err)
	}
	doubt := sell(t, first, "ON1", "CAD", 500, payterm.InDoubt)
	sell(t, first, "ON1", "CAD", 1000, payterm.Approved)
	want := Held{MerchantID: "ON1", Currency: "CAD", Open: 1, Untotalled: 1}
	step := func(what string, next func()) {
		t.Helper()
		next()
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		for _, now := range []merchant{{"ON2", "CAD"}, {"ON1", "JPY"}} {
			s, err := openFor(path, now.ID, now.Currency, "BBBBB")
			var other OtherMerchantError
			if !errors.As(err, &other) || other.Held != want {
				t.Errorf("%s: %s in %s opens it: %+v %v", what, now.ID, now.Currency, other, err)
				s.Close()
			}
		}
		if first, err = openFor(path, "ON1", "CAD", "A"+what[:4]); err != nil {
			t.Fatal(err)
		}
		if held, err := first.Held(); err != nil || len(held) != 1 || held[0] != want {
			t.Errorf("%s: %+v %v", what, held, err)
		}
	}
	step("OPEN AND PAID", func() {})
	step("ZTAKEN", func() {
		if _, err := first.TakeZ(noTaker); err != nil {
			t.Fatal(err)
		}
		want.Untotalled = 0
	})
	step("PAID", func() {
		doubt.Outcome = payterm.Approved
		first.end(t, doubt, evening)
		want.Open, want.Untotalled = 0, 1
	})
	if _, err := first.TakeZ(noTaker); err != nil {
		t.Fatal(err)
	}
	id, err := first.NextOrderID() // cancelled: no money, so nothing for a Z
	if err != nil {
		t.Fatal(err)
	}
	first.end(t, payterm.Order{ID: id, Kind: payterm.KindSale, Mode: payterm.Passive, AmountMinor: 5, Currency: "CAD",
		MerchantID: "ON1", Outcome: payterm.Cancelled}, evening)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := openFor(path, "ON2", "JPY", "BBBBB")
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	o, _, err := second.Order(doubt.ID)
	if err != nil || o.MerchantID != "ON1" || o.Currency != "CAD" {
		t.Errorf("%+v %v", o, err)
	}
	o.MerchantID = "ON2"
	if err := second.Commit(payterm.Entry{OrderID: o.ID, Event: "resolved", Body: []byte("{}"), Order: o,
		Closed: true}); err == nil {
		t.Error("an order has changed its merchant")
	}
	verify(t, second.Reader)
}

// TestOrdersOfNobody opens a database made by the code of form 5, whose orders and Zs have no
// merchant, and the Z no currency: they become the first start's merchant's, and a record of the
// chain says so.
func TestOrdersOfNobody(t *testing.T) {
	path := unpack(t, "v5_totals.db")
	for _, now := range []merchant{{"ON1", "JPY"}} { // the orders do have a currency
		if _, err := openFor(path, now.ID, now.Currency, "BBBBB"); !errors.As(err, new(OtherMerchantError)) {
			t.Errorf("%s opens it: %v", now.Currency, err)
		}
	}
	for _, tag := range []string{"BBBBB", "CCCCC"} {
		s, err := openFor(path, "ON1", "CAD", tag)
		if err != nil {
			t.Fatal(err)
		}
		z, err := s.Totals(1)
		if err != nil || len(z.By) != 1 || z.By[0].Currency != "CAD" || z.By[0].MerchantID != "ON1" ||
			z.By[0].AmountMinor != 1000 ||
			len(z.Open) != 1 || z.Open[0].MerchantID != "ON1" {
			t.Errorf("Z 1: %+v %v", z, err)
		}
		if z.Head != "b927f646f87a2c75ea4081389e8b44ff05758ab754b9be02238b79b7d27497b6" {
			t.Errorf("its head is %s", z.Head)
		}
		x, err := s.Totals(0)
		if sums := x.Sums(); err != nil || len(sums) != 1 || sums[0].MerchantID != "ON1" || sums[0].AmountMinor != 70 {
			t.Errorf("X: %+v %v", x, err)
		}
		if v := verify(t, s.Reader); v.Records != 5 {
			t.Errorf("%d records, want 4 and the one of the merchant", v.Records)
		}
		if people, err := s.People(); err != nil || len(people) != 0 {
			t.Errorf("the merchant is taken for a person: %+v %v", people, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := openFor(path, "ON2", "CAD", "DDDDD"); !errors.As(err, new(OtherMerchantError)) {
		t.Errorf("the orders that name nobody are taken for ON2's: %v", err)
	}
}

// TestUnprintedZs: a Z whose slip may not have been printed is listed after every start, until it
// was.
func TestUnprintedZs(t *testing.T) {
	path := filepath.Join(scratch(t), "payterm.db")
	s := openAt(t, path, &clock{evening})
	s.o.Slips = true
	for range 3 {
		if _, err := s.TakeZ(noTaker); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.ZPrinted(2); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if owed, err := r.UnprintedZs(); err != nil || !reflect.DeepEqual(owed, []int64{1, 3}) {
		t.Errorf("%v %v", owed, err)
	}
}

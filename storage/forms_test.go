package storage

import (
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"payterm"
)

// unpack writes a database of testdata to a new directory.
func unpack(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name+".gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(scratch(t), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFormTwo opens a database made by the code of form 2: a Z, four orders dropped behind an
// anchor, and three later sales, two on the day of the newest and one on the day before.
func TestFormTwo(t *testing.T) {
	s := openTagged(t, unpack(t, "v2.db"), "A0001", "BBBBB") // the file has the first tag
	defer s.Close()
	const head = "7c08f96a6942adbc5c58c66ffab89b10691ba643d3054857889f7f221b9b58a0"
	if v := verify(t, s.Reader); v.Records != 15 || v.Pruned != 8 || v.Head != head {
		t.Errorf("%+v", v)
	}
	list, err := s.People()
	failures, errf := s.Failures()
	if err != nil || errf != nil || len(list) != 0 || len(failures) != 0 {
		t.Errorf("its anchor is taken for a person: %v %v %v %v", list, failures, err, errf)
	}
	// 22:00 of 15 January, an hour before, and 25 hours before; the others have no time, and four
	// of those that remain may be paid.
	if sold, err := s.Sold(payterm.Days{}, evening, "", "CAD"); err != nil || sold.Minor != 1234+1234+66 {
		t.Errorf("%d sold: %v", sold.Minor, err)
	}
	if sold, err := s.Sold(payterm.Days{}, evening.AddDate(0, 0, -1), "", "CAD"); err != nil || sold.Minor != 7*1234 {
		t.Errorf("%d sold the day before: %v", sold.Minor, err)
	}
	// The file works on: somebody signs on, and old orders are dropped.
	did(t, s, evening, payterm.DeedTried, "7", 1)
	did(t, s, evening, payterm.DeedSignedOn, "7", 0)
	if _, err := s.TakeZ(noTaker); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Prune(Old{Wall: time.Now().AddDate(0, 0, 1)}); err != nil || n != 2 {
		t.Errorf("%d dropped of 2: %v", n, err)
	}
	if n, err := s.PrunePeople(Old{Wall: evening.Add(time.Hour)}); err != nil || n != 1 {
		t.Errorf("%d records of persons dropped of 1: %v", n, err)
	}
	verify(t, s.Reader)
}

// TestForms opens a database of every form. v1.db was made by the code of form 1: six sales, two
// approved, one approved late, one declined, one in doubt and one open.
func TestForms(t *testing.T) {
	for name, head := range map[string]string{
		"v1.db": "c91cb5f38ecf3cc67e21522245f0a494ad3414efcfe4503a619ba1c83108eb9a",
	} {
		path := unpack(t, name)
		s := openTagged(t, path, "AAAAA", "BBBBB") // the file has the first tag
		if v := verify(t, s.Reader); v.Records != 11 || v.Head != head {
			t.Errorf("%s: %+v, want 11 records up to %s", name, v, head)
		}
		orders, err := s.Orders()
		if err != nil || len(orders) != 6 || orders[2].Attention != payterm.AttentionLatePayment {
			t.Errorf("%s: orders %+v %v", name, orders, err)
		}
		opened, err := s.OpenOrders()
		if err != nil || len(opened) != 2 || len(opened[0].Events) != 2 || len(opened[1].Events) != 1 {
			t.Errorf("%s: open orders %+v %v", name, opened, err)
		}
		var used interface{ CodeUsed() bool }
		twice := payterm.Entry{OrderID: "T1AAAAA999999", Event: "code_scanned", Body: []byte("{}"), CodeKey: "key-1",
			Order: payterm.Order{ID: "T1AAAAA999999", Kind: payterm.KindSale, Mode: payterm.Passive, AmountMinor: 1,
				Currency: "CAD", Outcome: payterm.Open}}
		if err := s.Commit(twice); !errors.As(err, &used) {
			t.Errorf("%s: a code that was used is not known: %v", name, err)
		}
		if o, found, err := s.OrderByKey("till-4"); err != nil || !found || o.Outcome != payterm.InDoubt {
			t.Errorf("%s: by idempotency key: %+v %v", name, o, err)
		}
		// The file works on: an old doubt is answered, a Z is taken, old orders are dropped.
		commit(t, s, entry(opened[0].ID, "inquiry_answered", payterm.Approved))
		z, err := s.TakeZ(noTaker)
		in, errIn := s.InZ(z.Number)
		if err != nil || errIn != nil || len(in) != 5 {
			t.Errorf("%s: Z of %d orders: %v %v", name, len(in), err, errIn)
		}
		if n, err := s.Prune(Old{Wall: z.To.AddDate(0, 0, 1)}); err != nil || n != 4 {
			t.Errorf("%s: %d dropped of 4: %v", name, n, err)
		}
		verify(t, s.Reader)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

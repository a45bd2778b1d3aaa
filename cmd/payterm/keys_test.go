package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"payterm"

	"golang.org/x/crypto/bcrypt"
)

// TestKeyWaitsForThePIN: a till's refund waits for a supervisor's PIN, its connection breaks, and
// it asks again. Both calls get one refund; a sale and another amount with that key are refused
// meanwhile.
func TestKeyWaitsForThePIN(t *testing.T) {
	t.Parallel()
	hash, err := bcrypt.GenerateFromPassword([]byte("4711"), bcrypt.DefaultCost)
	if err != nil {
		t.Fatal(err)
	}
	s := newShop(t, "inquiry_interval = \"200ms\"\nrefund_interval = \"200ms\"\n[supervisor]\npin_hash = \""+
		string(hash)+"\"\n")
	sale := s.sold("12.34")
	refund := func(args ...string) *running {
		return s.run("refund", append([]string{string(sale.ID), "--idempotency-key", "R1"}, args...)...)
	}
	first := refund("--amount", "5.00")
	s.waitScreen("pin")
	cut := refund("--amount", "5.00")
	again := refund("--amount", "5.00")
	for _, other := range []*running{
		refund("--amount", "5.01"), refund(),
		s.begin("--mode", "passive", "--amount", "5.00", "--idempotency-key", "R1"),
	} {
		if status, o := other.end(); status != 2 {
			t.Errorf("%q: exit status %d, %+v", other.cmd.Args, status, o)
		}
	}
	if status, o := s.begin("--mode", "passive", "--amount", "5.00", "--idempotency-key", "K1").end(); status != 13 ||
		o.Reason != payterm.ReasonBusy {
		t.Errorf("another till: exit status %d, %+v", status, o)
	}
	if err := cut.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cut.cmd.Wait() //nolint:errcheck // it was killed
	s.keys("4", "7", "1", "1", "ENTER")
	status, o := first.end()
	if status != 0 || o.AmountMinor != 500 {
		t.Errorf("the first: exit status %d, %+v", status, o)
	}
	for _, r := range []*running{again, refund("--amount", "5.00")} {
		if status, same := r.end(); status != 0 || same.ID != o.ID {
			t.Errorf("asked again: exit status %d, %+v, not %s", status, same, o.ID)
		}
	}
	if asked, refunded := s.refunds(sale.ID); asked != 1 || refunded != 500 {
		t.Errorf("%d refunds were sent, %d given back", asked, refunded)
	}
}

// changed rewrites a file.
func changed(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, change(b), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestKeyOfTheMerchantBefore: the terminal gets another merchant, whose till counts from the same
// keys. It gets no sale of the previous merchant.
func TestKeyOfTheMerchantBefore(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	r := s.begin("--mode", "passive", "--amount", "12.34", "--idempotency-key", "1001")
	s.waitScreen("scan")
	s.scan(s.wallet("ALIPAY", false))
	if status, sold := r.end(); status != 0 {
		t.Fatalf("exit status %d, %+v", status, sold)
	}
	s.totals("z")
	s.stop()
	changed(t, filepath.Join(s.dir, "payterm.toml"), func(b []byte) []byte {
		return []byte(strings.Replace(string(b), "ON00000000", "ON00000001", 1))
	})
	s.start()
	s.waitScreen("idle")
	status, o := s.begin("--mode", "passive", "--amount", "12.34", "--idempotency-key", "1001").end()
	if status != 2 || o.ID != "" {
		t.Errorf("exit status %d, %s %s of merchant %s", status, o.Outcome, o.ID, o.MerchantID)
	}
	if rows := s.ledger(); len(rows) != 1 {
		t.Errorf("%d in the ledger", len(rows))
	}
}

// TestKeyOutlivesSettings: an order begun under other limits still answers to its key; a terminal
// that is out of order does not say "not sent".
func TestKeyOutlivesSettings(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	r := s.begin("--mode", "passive", "--amount", "12.34", "--idempotency-key", "K1")
	s.waitScreen("scan")
	s.scan(s.wallet("ALIPAY", false))
	status, sold := r.end()
	if status != 0 {
		t.Fatalf("exit status %d, %+v", status, sold)
	}
	s.stop()
	changed(t, filepath.Join(s.dir, "payterm.toml"),
		func(b []byte) []byte { return append(b, "max_minor = 1000\n"...) })
	s.start()
	for _, c := range []struct {
		amount, key string
		status      int
	}{{"12.34", "K1", 0}, {"12.33", "K1", 2}, {"12.34", "K2", 2}} {
		if status, o := s.begin("--mode", "passive", "--amount", c.amount, "--idempotency-key",
			c.key).end(); status != c.status || status == 0 && o.ID != sold.ID {
			t.Errorf("%s under %s: exit status %d, %+v", c.amount, c.key, status, o)
		}
	}
	s.stop()
	// user_version: a newer journal
	changed(t, filepath.Join(s.data, "payterm.db"), func(b []byte) []byte { b[63] = 99; return b })
	s.start()
	if status, o := s.begin("--mode", "passive", "--amount", "5.00").end(); status != 13 ||
		o.Reason != payterm.ReasonStorage {
		t.Errorf("without a key: exit status %d, %+v", status, o)
	}
	if said, status := s.failing("sale", "--mode", "passive", "--amount", "12.34", "--idempotency-key",
		"K1"); status != 1 || !strings.Contains(said, "not known") {
		t.Errorf("a key while the journal is not open: exit status %d, %s", status, said)
	}
}

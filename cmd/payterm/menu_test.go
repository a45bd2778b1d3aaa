package main

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"payterm"
)

// has waits for a screen with all of these words.
func (s *shop) has(name string, words ...string) {
	s.t.Helper()
	missing := ""
	for end := time.Now().Add(never); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		missing = ""
		got := s.waitScreen(name)
		for _, w := range words {
			if !strings.Contains(got, w) {
				missing = w + " on\n" + got
			}
		}
		if missing == "" {
			return
		}
	}
	s.t.Fatalf("screen %s: no %s", name, missing)
}

// TestMenu uses the menu with the keys of a board with sixteen keys.
func TestMenu(t *testing.T) {
	t.Parallel()
	hash, err := bcrypt.GenerateFromPassword([]byte("1234"), 10)
	if err != nil {
		t.Fatal(err)
	}
	s := newShop(t, "inquiry_interval = \"200ms\"\nrefund_interval = \"200ms\"\n[supervisor]\npin_hash = \""+
		string(hash)+"\"\n")
	sale := s.sold("12.34")
	s.keys("CLEAR")
	s.waitScreen("idle")

	// A partial refund: the receipt's barcode, the amount, the supervisor.
	s.keys("F1")
	s.waitScreen("menu")
	s.keys("2")
	s.waitScreen("find")
	s.scan(s.wallet("ALIPAY", false))
	s.has("find", "payment code")
	s.scan(string(sale.ID))
	s.has("refund_amount", "12.34")
	s.keys("5", "00", "ENTER")
	s.has("pin", "5.00")
	s.keys("9", "9", "ENTER")
	s.has("pin", "Wrong PIN")
	if asked, _ := s.refunds(sale.ID); asked != 0 {
		t.Fatalf("%d refunds were sent without the PIN", asked)
	}
	s.keys("1", "2", "3", "4", "ENTER")
	s.waitScreen("refunded")
	if asked, refunded := s.refunds(sale.ID); asked != 1 || refunded != 500 {
		t.Errorf("%d refunds were sent, and %d were given back", asked, refunded)
	}

	// "Was it paid?" by the number in the customer's bill, and by an unknown one.
	s.keys("CLEAR", "F1", "3")
	s.waitScreen("find")
	s.scan("4200002203202603021234567890")
	s.has("find", "Not an order of this terminal")
	s.scan(sale.ChannelOrderID)
	s.has("order", "Paid", "$5.00 went back", string(sale.ID))

	// An amount above what is left is refused digit by digit.
	s.keys("1")
	s.has("refund_amount", "7.34")
	s.keys("7", "3", "5")
	s.has("refund_amount", "0.73")
	s.keys("CANCEL", "CANCEL", "CANCEL", "6")
	s.has("totals", "7.34", "1 sale")
	s.keys("CANCEL", "7")
	s.waitScreen("sure")
	s.yes()
	s.waitScreen("pin")
	s.keys("1", "2", "3", "4", "ENTER")
	s.has("totals", "Z 1", "7.34")
	paper := ""
	for end := time.Now().Add(never); time.Now().Before(end) &&
		!strings.Contains(paper, "Z TOTAL 1"); time.Sleep(50 * time.Millisecond) {
		paper = string(s.call("GET", s.panel+"/emu/paper.txt", nil))
	}
	if !strings.Contains(paper, "X TOTAL") || !strings.Contains(paper, "Z TOTAL 1") {
		t.Errorf("X and Z are not on paper:\n%s", paper)
	}
	if z := s.totals("x"); z.Number != 2 || len(z.By) != 0 {
		t.Errorf("after the Z: %+v", z)
	}
	s.keys("CANCEL", "8")
	s.has("rate", "CNY for 1 CAD")
	s.keys("CANCEL", "9", "2")
	s.has("idle", "Entrez le montant")
	if kept := s.orders(); len(kept) != 2 || kept[0].RefundedMinor != 500 || kept[1].Outcome != payterm.Approved {
		t.Errorf("the journal: %+v", kept)
	}
}

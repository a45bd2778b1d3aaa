package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"payterm/flows/counter"

	"golang.org/x/crypto/bcrypt"
)

// TestStaff: what was set at the keypad holds over a restart, until the configuration says
// something newer of the number; the file has no PIN, and its owner alone reads it.
func TestStaff(t *testing.T) {
	t.Parallel()
	hash := func(pin string) PINHash {
		h, err := bcrypt.GenerateFromPassword([]byte(pin), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		return PINHash(h)
	}
	data := t.TempDir()
	c := Default()
	c.Gateway.MerchantID = "ON1"
	c.Operators = []Operator{{Number: "9", Name: "Wei", Supervisor: true, PINHash: hash("2718")},
		{Number: "7", Name: "Marie", PINHash: hash("4711")}}
	open := func(c Config) *Staff {
		t.Helper()
		s, err := OpenStaff(data, c)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	set := func(s *Staff, number string, pin counter.PIN) {
		t.Helper()
		keep, err := s.NewPIN(number, pin)
		if err == nil {
			if _, ok := s.ComparePIN(number, pin); ok {
				t.Error("a PIN holds before it is kept")
			}
			err = keep()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	check := func(what string, s *Staff, number string, pin counter.PIN, want bool) {
		t.Helper()
		if op, ok := s.ComparePIN(number, pin); ok != want || ok && op.Number != number {
			t.Errorf("%s: PIN %s of %s: %t, %+v", what, string(pin), number, ok, op)
		}
	}
	s := open(c)
	for number, pin := range map[string]counter.PIN{"7": "1111", "17": "3333"} {
		set(s, number, pin)
	}
	for _, s := range []*Staff{s, open(c)} {
		check("changed", s, "7", "1111", true)
		check("the former one", s, "7", "4711", false)
		check("added", s, "17", "3333", true)
		check("as it was", s, "9", "2718", true)
		if op, known := s.Person("7"); !known || op.Name != "Marie" || op.Supervisor {
			t.Errorf("%+v", op)
		}
		if op, _ := s.Person("17"); op.Supervisor {
			t.Error("whoever is added is a supervisor")
		}
		if s.Whose("17", "key") != "17" || !strings.HasPrefix(s.Whose("18", "key"), "unknown-") {
			t.Error("the journal would not know who it was")
		}
	}
	path := filepath.Join(data, staffFile)
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), "1111") || strings.Contains(string(text), "3333") {
		t.Errorf("%v: %s", err, text)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}

	newer := c
	newer.Operators = []Operator{c.Operators[0], {Number: "7", Name: "Marie", PINHash: hash("5555")},
		{Number: "17", Name: "Paul", PINHash: hash("6666")}}
	s = open(newer)
	check("the configuration has another hash", s, "7", "5555", true)
	check("the configuration has another hash", s, "7", "1111", false)
	check("the configuration has the number now", s, "17", "6666", true)
	check("the configuration has the number now", s, "17", "3333", false)

	gone := c
	gone.Operators = c.Operators[:1]
	check("taken out of the configuration", open(gone), "7", "1111", false)
	check("added, and not of the configuration", open(gone), "17", "3333", true)

	other := c
	other.Gateway.MerchantID = "ON2"
	s = open(other)
	check("another merchant's", s, "17", "3333", false)
	check("another merchant's", s, "7", "4711", true)
	set(s, "18", "8888")
	check("what the former merchant's people set is gone", open(c), "17", "3333", false)

	for _, number := range []string{"0", "12345"} {
		if _, err := s.NewPIN(number, "1234"); err == nil {
			t.Errorf("%s, which cannot be typed, is taken", number)
		}
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := OpenStaff(data, c); err == nil {
		t.Error("a damaged file is no error")
	} else {
		check("a damaged file", s, "7", "4711", true)
	}
}

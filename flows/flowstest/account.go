package flowstest

import (
	"bytes"
	"fmt"
	"net/http/httptest"

	"payterm"
	"payterm/gateway/ottsim"
)

// account is one merchant's account at the gateway, with its own ledger.
type account struct {
	merchant string
	key      string // the sign key
	gateway  *ottsim.Sim
}

// config is the terminal's configured merchant and currency.
type config struct {
	*account
	currency payterm.Currency
}

func (c config) String() string { return fmt.Sprintf("%s in %s", c.merchant, c.currency) }

const (
	simKey  = "0123456789ABCDE" // followed by the merchant's digit it is a sign key
	simBase = "https://pay.example.org"
)

// account returns the account of a merchant, whose number is a digit. The first one gets the
// world's seed.
func (s *Sim) account(number string) *account {
	if a := s.accounts[number]; a != nil {
		return a
	}
	a := &account{merchant: "ON0000999" + number, key: simKey + number}
	a.gateway = ottsim.New(ottsim.Config{MerchantID: a.merchant, SignKey: a.key, Seed: s.c.Seed +
		uint64(len(s.accounts)), BaseURL: simBase})
	s.accounts[number] = a
	s.secretsOf = append(s.secretsOf, a.key)
	return a
}

// at is the account under which an order was begun, or the current one.
func (s *Sim) at(id payterm.OrderID) *account {
	if c, begun := s.configOf[id]; begun {
		return c.account
	}
	return s.config.account
}

// call asks the account's gateway. The lock is held.
func (a *account) call(method, path, body string) (int, string) {
	w := httptest.NewRecorder()
	a.gateway.ServeHTTP(w, httptest.NewRequest(method, path, bytes.NewBufferString(body)))
	return w.Code, w.Body.String()
}

// ledgerRow is an order in a gateway ledger, and whose ledger it is.
type ledgerRow struct {
	ottsim.Row
	account *account
}

// ledger is the union of all ledgers, by order. An id must not be in two of them: ids are unique
// over merchants too (invariant 2).
func (s *Sim) ledger() map[payterm.OrderID]ledgerRow {
	book := map[payterm.OrderID]ledgerRow{}
	for _, a := range s.accounts {
		for _, row := range a.gateway.Rows() {
			id := payterm.OrderID(row.ID)
			other, twice := book[id]
			switch {
			case twice && row.Status == "unknown": // an inquiry created it there; it was never paid
				continue
			case twice && other.Status != "unknown":
				s.violate("binding", "%s is an order of %s and of %s", id, other.account.merchant, a.merchant)
			}
			book[id] = ledgerRow{row, a}
		}
	}
	return book
}

// row is the gateway's row of one order.
func (s *Sim) row(id payterm.OrderID) ledgerRow { return s.at(id).row(id) }

func (a *account) row(id payterm.OrderID) ledgerRow {
	row, _ := a.gateway.Row(string(id))
	return ledgerRow{row, a}
}

// configure changes the terminal's merchant and currency during a loss of power. If the start
// refuses that, the previous configuration is restored.
func (s *Sim) configure(words []string) error {
	if len(words) != 2 {
		return fmt.Errorf("config: which merchant, and in what currency?")
	}
	return s.whileOff(func(s *Sim) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.config = config{s.account(words[0]), payterm.Currency(words[1])}
		s.tell("the configuration says %s", s.config)
		return nil
	})
}

package flowstest

import (
	"bytes"
	"fmt"
	"net/http/httptest"

	"payterm"
	"payterm/gateway/ottsim"
)

// account is a merchant's at the gateway, with a ledger of its own.
type account struct {
	merchant string
	key      string // the sign key
	gateway  *ottsim.Sim
}

// config is what a configuration says of the money: whose it is, and which.
type config struct {
	*account
	currency payterm.Currency
}

func (c config) String() string { return fmt.Sprintf("%s in %s", c.merchant, c.currency) }

const (
	simKey  = "0123456789ABCDE" // with the number of a merchant it is a sign key
	simBase = "https://pay.example.org"
)

// account gives a merchant's by the number, a digit. The first one asked for has the
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

// at is the account under which an order was begun; that of now where it never was.
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

// ledgerRow is an order as the gateway's ledger has it, and whose ledger that is.
type ledgerRow struct {
	ottsim.Row
	account *account
}

// ledger is the gateway's book, of all accounts, by order. No id is in two of them: an
// order of ours would be a stranger's.
func (s *Sim) ledger() map[payterm.OrderID]ledgerRow {
	book := map[payterm.OrderID]ledgerRow{}
	for _, a := range s.accounts {
		for _, row := range a.gateway.Rows() {
			id := payterm.OrderID(row.ID)
			other, twice := book[id]
			switch {
			case twice && row.Status == "unknown": // asked about there, and never made
				continue
			case twice && other.Status != "unknown":
				s.violate("binding", "%s is an order of %s and of %s", id, other.account.merchant, a.merchant)
			}
			book[id] = ledgerRow{row, a}
		}
	}
	return book
}

// row is what the gateway's book says of one order.
func (s *Sim) row(id payterm.OrderID) ledgerRow { return s.at(id).row(id) }

func (a *account) row(id payterm.OrderID) ledgerRow {
	row, _ := a.gateway.Row(string(id))
	return ledgerRow{row, a}
}

// configure gives the terminal another configuration, with a loss of power: merchant and
// currency. It is the shop's to try; a start that refuses it leaves the one before.
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

package config

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"payterm"
	"payterm/flows/counter"

	"golang.org/x/crypto/bcrypt"
)

// operator returns the operator with a number.
func (c Config) operator(number string) (Operator, bool) {
	for _, o := range c.Operators {
		if o.Number == number {
			return o, true
		}
	}
	return Operator{}, false
}

// ComparePIN compares the PIN of an operator or, with an empty number, the PIN of [supervisor]. An unknown
// number takes as long as a known one: its PIN is compared with another operator's hash, which has the same
// cost (Check), and the result is always wrong.
func (c Config) ComparePIN(number string, pin counter.PIN) (counter.Operator, bool) {
	fits := func(hash PINHash) bool { return bcrypt.CompareHashAndPassword([]byte(hash), []byte(pin)) == nil }
	if number == "" {
		return counter.Operator{Number: payterm.SharedSupervisor, Supervisor: true}, fits(c.Supervisor.PINHash)
	}
	o, known := c.operator(number)
	if !known {
		o = c.Operators[0]
	}
	return counter.Operator{Number: o.Number, Name: o.Name, Supervisor: o.Supervisor}, fits(o.PINHash) && known
}

// Whose returns the name under which a typed number is written to the journal. An unknown number may be a PIN
// that was typed in the wrong place. So only a keyed hash of it is written, and the key is not in the journal.
// The wrong PINs of that number are counted like those of any other.
func (c Config) Whose(number, signKey string) string {
	if _, known := c.operator(number); known {
		return number
	}
	mac := hmac.New(sha256.New, []byte(signKey+"operator"))
	mac.Write([]byte(number))
	return "unknown-" + hex.EncodeToString(mac.Sum(nil)[:6])
}

package config

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"payterm"
	"payterm/flows/counter"

	"golang.org/x/crypto/bcrypt"
)

// operator finds who has a number.
func (c Config) operator(number string) (Operator, bool) {
	for _, o := range c.Operators {
		if o.Number == number {
			return o, true
		}
	}
	return Operator{}, false
}

// ComparePIN compares the PIN of an operator, or with no number the one of
// [supervisor]. A number that nobody has takes the time of one that somebody has: it
// is compared with another one's hash, which the configuration holds to the same
// cost, and whatever comes of that is wrong.
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

// Whose is the name under which a typed number stands in the journal. One that nobody
// has may be a PIN that was typed in the wrong place: only a hash of it is written,
// with a key that is not in the journal, so that its wrong PINs are counted like
// anybody's.
func (c Config) Whose(number, signKey string) string {
	if _, known := c.operator(number); known {
		return number
	}
	mac := hmac.New(sha256.New, []byte(signKey+"operator"))
	mac.Write([]byte(number))
	return "unknown-" + hex.EncodeToString(mac.Sum(nil)[:6])
}

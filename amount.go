package payterm

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Amount is money as an integer number of minor units of one currency.
type Amount struct {
	Minor    int64    `json:"amount_minor"`
	Currency Currency `json:"currency"`
}

// With is so many minor units of the same currency.
func (a Amount) With(minor int64) Amount { return Amount{minor, a.Currency} }

// MaxMinor bounds every amount, so that sums of a day's orders stay far inside
// an int64 and a slip of the scale is refused instead of charged.
const MaxMinor = 1_000_000_000

// ErrAmount says that a text is not an amount that can be charged.
var ErrAmount = errors.New("not an amount")

// ParseAmount reads an amount as a person types it: "12.34", "12", "0.05". The
// decimals must be those of the currency or be left out altogether: "12.3" is
// refused, since it may be a slip for 12.30 or for 1.23.
func ParseAmount(text string, c Currency) (Amount, error) {
	bad := func(why string) (Amount, error) {
		return Amount{}, fmt.Errorf("%w: %q: %s (write it like %s)", ErrAmount, text, why, Amount{1234, c})
	}
	whole, fraction, point := strings.Cut(text, ".")
	if whole == "" || !digitsOnly(whole) || !digitsOnly(fraction) {
		return bad("digits and one point only")
	}
	exp := c.Exponent()
	if point && (exp == 0 || len(fraction) != exp) {
		return bad(fmt.Sprintf("%s has %d decimals", c, exp))
	}
	if !point {
		fraction = strings.Repeat("0", exp)
	}
	minor, err := strconv.ParseInt(whole+fraction, 10, 64)
	if err != nil || minor > MaxMinor {
		return bad("too large")
	}
	return Amount{minor, c}, nil
}

// String writes the amount with its decimals and without its currency: "12.34".
func (a Amount) String() string {
	exp := a.Currency.Exponent()
	sign, minor := "", a.Minor
	if minor < 0 {
		sign, minor = "-", -minor
	}
	text := strconv.FormatInt(minor, 10)
	if exp == 0 {
		return sign + text
	}
	if len(text) <= exp {
		text = strings.Repeat("0", exp+1-len(text)) + text
	}
	return sign + text[:len(text)-exp] + "." + text[len(text)-exp:]
}

func digitsOnly(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

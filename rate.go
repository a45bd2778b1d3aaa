package payterm

import (
	"math/bits"
	"strconv"
	"strings"
)

// RateE8 is how many yuan renminbi one unit of another currency costs, times 10^8. The gateway
// tells rates with eight decimals at the most.
type RateE8 int64

// ParseRate reads a rate as the gateway writes it, such as 5.24740000; false for a text that is
// none, or that no currency costs.
func ParseRate(text string) (RateE8, bool) {
	whole, fraction, _ := strings.Cut(text, ".")
	if whole == "" || len(whole) > 9 || len(fraction) > 8 || !digitsOnly(whole) || !digitsOnly(fraction) {
		return 0, false
	}
	n, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", 8-len(fraction)), 10, 64)
	return RateE8(n), err == nil && n > 0
}

// String writes a rate without the noughts at its end, with two decimals at the least: "5.2474".
func (r RateE8) String() string {
	digits := strconv.FormatInt(int64(r), 10)
	if len(digits) < 9 {
		digits = strings.Repeat("0", 9-len(digits)) + digits
	}
	whole, fraction := digits[:len(digits)-8], digits[len(digits)-8:]
	return whole + "." + fraction[:2] + strings.TrimRight(fraction[2:], "0")
}

// CNY converts an amount to fen, rounded half up; false if no rate is known. It is shown and used
// for nothing else.
func (r RateE8) CNY(a Amount) (Amount, bool) {
	if r <= 0 || a.Minor <= 0 || a.Minor > MaxMinor {
		return Amount{}, false
	}
	unit := uint64(1e6) // one minor unit, times 10^8, in fen
	for range a.Currency.Exponent() {
		unit *= 10
	}
	hi, lo := bits.Mul64(uint64(a.Minor), uint64(r))
	lo, carry := bits.Add64(lo, unit/2, 0)
	if hi += carry; hi >= unit {
		return Amount{}, false // not a plausible rate
	}
	fen, _ := bits.Div64(hi, lo, unit)
	return Amount{Minor: int64(fen), Currency: "CNY"}, fen <= MaxMinor*100
}

// Package locale writes amounts in each language and chooses the form of a noun for a count. The languages are
// English and French as used in Canada, and Simplified Chinese. A test compares each rule with CLDR.
package locale

import (
	"strconv"
	"strings"

	"payterm"
)

// noBreak is a no-break space: a line must not end inside an amount.
const noBreak = "\u00a0"

// symbols are the currency symbols as price tags use them.
var symbols = map[payterm.Currency]string{"CAD": "$", "USD": "$", "CNY": "¥", "JPY": "¥", "EUR": "€", "GBP": "£"}

// Number writes an amount without its currency: "1,234.50", in French "1 234,50".
func Number(a payterm.Amount, language string) string {
	group, point := ",", "."
	if language == "fr" {
		group, point = noBreak, ","
	}
	text, sign := a.String(), ""
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		text, sign = rest, "-"
	}
	whole, fraction, decimals := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + group + whole[i:]
	}
	if decimals {
		fraction = point + fraction
	}
	return sign + whole + fraction
}

// Decimal writes a decimal number, such as a rate: "5.2474", in French "5,2474".
func Decimal(number, language string) string {
	if language == "fr" {
		return strings.Replace(number, ".", ",", 1)
	}
	return number
}

// Percent formats a percentage: "15%", in French "15 %".
func Percent(n int, language string) string {
	if language == "fr" {
		return strconv.Itoa(n) + noBreak + "%"
	}
	return strconv.Itoa(n) + "%"
}

// Money writes an amount as on a price tag: "$1,234.50", in French "1 234,50 $". A currency without a symbol is
// written with its code.
func Money(a payterm.Amount, language string) string {
	symbol := symbols[a.Currency]
	switch {
	case symbol == "":
		return Coded(a, language)
	case language == "fr":
		return Number(a, language) + noBreak + symbol
	}
	number := Number(a, language)
	if rest, negative := strings.CutPrefix(number, "-"); negative {
		return "-" + symbol + rest
	}
	return symbol + number
}

// Coded writes an amount with the currency's ISO code, which is unambiguous: "CAD 1,234.50", in French "1
// 234,50 CAD".
func Coded(a payterm.Amount, language string) string {
	if language == "fr" {
		return Number(a, language) + noBreak + string(a.Currency)
	}
	return string(a.Currency) + noBreak + Number(a, language)
}

// One reports whether a count takes the singular. Chinese has no singular form, and in French zero takes it
// too.
func One(n int, language string) bool {
	switch language {
	case "fr":
		return n == 0 || n == 1
	case "zh":
		return false
	}
	return n == 1
}

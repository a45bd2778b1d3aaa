package payterm

import "strings"

// Currency is an ISO 4217 code in upper case, such as CAD.
type Currency string

// The currencies of ISO 4217 by the decimals of their minor units, as of its list of 1
// January 2026. What nobody pays with is left out: metals, units of account and the
// codes for tests. CLDR has fewer decimals for some, as people write them; an amount on
// the wire has those of ISO.
const (
	noDecimals    = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
	twoDecimals   = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
	threeDecimals = "BHD IQD JOD KWD LYD OMR TND"
	fourDecimals  = "CLF UYW"
)

// decimals is the table by code.
var decimals = func() map[Currency]int {
	all := map[Currency]int{}
	for n, codes := range map[int]string{0: noDecimals, 2: twoDecimals, 3: threeDecimals, 4: fourDecimals} {
		for code := range strings.FieldsSeq(codes) {
			all[Currency(code)] = n
		}
	}
	return all
}()

// Exponent is the number of decimals of the minor unit: 2 for CAD, 0 for JPY, 3 for KWD.
// A code that the table does not have, such as one that was withdrawn since, has 2.
func (c Currency) Exponent() int {
	if n, known := decimals[c]; known {
		return n
	}
	return 2
}

// Known reports whether c is a currency of ISO 4217 that something can be paid in.
func (c Currency) Known() bool {
	_, known := decimals[c]
	return known
}

// Valid reports whether c has the form of an ISO 4217 code.
func (c Currency) Valid() bool {
	if len(c) != 3 {
		return false
	}
	for i := range len(c) {
		if c[i] < 'A' || c[i] > 'Z' {
			return false
		}
	}
	return true
}

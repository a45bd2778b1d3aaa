#!/bin/sh
# Guess:   a currency's number of decimals is that of ISO 4217 in every library that takes ISO 4217
#          codes.
# Seen:    golang.org/x/text/currency gives CLDR's, which say how prices are usually written: none for the
#          currencies below, which by ISO 4217 have two or three. (npm's currency-codes has ISO's table;
#          Intl.NumberFormat of Node follows a newer CLDR, too.)
# Matters: an acquirer's minor units are ISO's. With the other table 12.34 becomes 12, or an amount is a
#          hundred or a thousand times off.
. "$(dirname "$0")/common"
modules golang.org/x/text@v0.43.0
packages currency-codes@2.2.0
node -e '
const list = require("currency-codes")
for (const code of list.codes()) console.log(code, list.code(code).digits)
' >iso.txt || could_not "no list of ISO 4217"
cat >main.go <<'GO'
package main

import (
	"bufio"
	"fmt"
	"os"

	"golang.org/x/text/currency"
)

func main() {
	f, err := os.Open("iso.txt")
	if err != nil {
		panic(err)
	}
	compared, by := 0, map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var code string
		var iso int
		fmt.Sscan(lines.Text(), &code, &iso)
		unit, err := currency.ParseISO(code)
		if err != nil || code[0] == 'X' { // metals, funds and tests
			continue
		}
		compared++
		if digits, _ := currency.Standard.Rounding(unit); digits != iso {
			by[fmt.Sprintf("ISO %d, x/text %d", iso, digits)] += " " + code
		}
	}
	fmt.Println("compared: more than 150:", compared > 150)
	for _, kind := range []string{"ISO 3, x/text 0", "ISO 2, x/text 0"} {
		fmt.Printf("%s:%s\n", kind, by[kind])
		delete(by, kind)
	}
	fmt.Println("others:", by)
}
GO
gives go run . <<'SEEN'
compared: more than 150: true
ISO 3, x/text 0: IQD
ISO 2, x/text 0: AFN ALL AMD COP GYD IDR IRR KPW LAK LBP MGA MMK MNT MUR PKR RSD SOS SYP TZS UZS YER
others: map[]
SEEN

#!/bin/sh
# Guess:   a QR code that holds UTF-8 comes out of zbarimg as UTF-8, or, if it guesses, a text that is
#          valid UTF-8 is taken for it.
# Seen:    zbarimg 0.23.92 tries East Asian encodings first. Accents, umlauts and the euro sign, whose UTF-8
#          bytes happen to be valid Shift-JIS or Big5, come out as kana and Chinese signs; Chinese comes out
#          right. Nothing says that a guess was made, and the exit status is 0.
# Matters: as a judge of what a glass or a slip shows, zbarimg is wrong about a French text and right about
#          a Chinese one. Judge ASCII, or compare bytes by another reader.
. "$(dirname "$0")/common"
needs zbarimg
echo "with zbarimg $(zbarimg --version 2>/dev/null)"
modules rsc.io/qr@v0.2.0
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"

	"rsc.io/qr"
)

func main() {
	for _, text := range []string{"Reçu 7", "Montréal", "12,34 €", "Straße", "支付宝 12.34"} {
		code, err := qr.Encode(text, qr.M)
		if err != nil {
			panic(err)
		}
		if err := os.WriteFile("code.png", code.PNG(), 0o644); err != nil {
			panic(err)
		}
		out, err := exec.Command("zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", "code.png").Output()
		fmt.Printf("%q is read as %q, %v\n", text, strings.TrimSpace(string(out)), err)
	}
}
GO
gives go run . <<'SEEN'
"Reçu 7" is read as "Re癟u 7", <nil>
"Montréal" is read as "Montr矇al", <nil>
"12,34 €" is read as "12,34 竄ｬ", <nil>
"Straße" is read as "Straﾃ歹", <nil>
"支付宝 12.34" is read as "支付宝 12.34", <nil>
SEEN

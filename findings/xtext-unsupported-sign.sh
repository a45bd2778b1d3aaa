#!/bin/sh
# Guess:   encoding.ReplaceUnsupported writes a question mark for a sign that the code page lacks.
# Seen:    golang.org/x/text writes the control character SUB, 0x1A, for every one-byte code page (and
#          for GBK).
# Matters: what is sent to a printer is a command language. In Star's line mode 0x1A drives the second
#          external device (STAR Line Mode Command Specifications, "SUB"): a name with an unusual letter
#          opens a cash drawer. Replace by a sign of your own before encoding.
. "$(dirname "$0")/common"
modules golang.org/x/text@v0.43.0
cat >main.go <<'GO'
package main

import (
	"fmt"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
)

func main() {
	for _, page := range []encoding.Encoding{charmap.CodePage437, charmap.CodePage858, charmap.Windows1252, simplifiedchinese.GBK} {
		b, err := encoding.ReplaceUnsupported(page.NewEncoder()).Bytes([]byte("Nguyễn"))
		fmt.Printf("%v: % x, %v\n", page, b, err)
	}
}
GO
gives go run . <<'SEEN'
IBM Code Page 437: 4e 67 75 79 1a 6e, <nil>
Windows Code Page 858: 4e 67 75 79 1a 6e, <nil>
Windows 1252: 4e 67 75 79 1a 6e, <nil>
GBK: 4e 67 75 79 1a 6e, <nil>
SEEN

#!/bin/sh
# Guess:   a negative number for an unsigned field is refused as out of range.
# Seen:    BurntSushi/toml refuses it for uint8, uint16 and uint32. For uint and uint64 it
#          stores 18446744073709551615 and reports no error. Where uint has 32 bits the rule
#          for 64 applies to uint64 alone.
# Matters: "limit = -1" of a configuration becomes the largest limit there is.
. "$(dirname "$0")/common"
modules github.com/BurntSushi/toml@v1.6.0
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/BurntSushi/toml"
)

func main() {
	var v struct {
		A uint8
		B uint16
		C uint32
		D uint64
	}
	for _, text := range []string{"a = -1", "b = -1", "c = -1", "d = -1"} {
		_, err := toml.Decode(text, &v)
		fmt.Printf("%s: %+v, refused: %v\n", text, v, err != nil)
	}
}
GO
gives go run . <<'SEEN'
a = -1: {A:0 B:0 C:0 D:0}, refused: true
b = -1: {A:0 B:0 C:0 D:0}, refused: true
c = -1: {A:0 B:0 C:0 D:0}, refused: true
d = -1: {A:0 B:0 C:0 D:18446744073709551615}, refused: false
SEEN

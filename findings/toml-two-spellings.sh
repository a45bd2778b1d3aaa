#!/bin/sh
# Guess:   keys of TOML differ by case, so `Baud` is not the field `baud` and Undecoded()
#          names it; where both stand there, the exact one counts.
# Seen:    BurntSushi/toml takes `Baud` for the field, and Undecoded() is empty. Where both
#          stand there, which of them counts changes from one decoding to the next: the
#          last one that an iteration over a map comes to.
# Matters: a strict configuration, checked by Undecoded(), can have two values for one key
#          and use another one after each start.
. "$(dirname "$0")/common"
modules github.com/BurntSushi/toml@v1.6.0
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/BurntSushi/toml"
)

func main() {
	for _, text := range []string{"Baud = 2", "baud = 1\nBaud = 2"} {
		results, undecoded := map[int]bool{}, 0
		for range 1000 {
			var v struct {
				Baud int `toml:"baud"`
			}
			meta, err := toml.Decode(text, &v)
			if err != nil {
				panic(err)
			}
			results[v.Baud] = true
			undecoded += len(meta.Undecoded())
		}
		fmt.Printf("%q, 1000 times: %v, undecoded %d\n", text, results, undecoded)
	}
}
GO
gives go run . <<'SEEN'
"Baud = 2", 1000 times: map[2:true], undecoded 0
"baud = 1\nBaud = 2", 1000 times: map[1:true 2:true], undecoded 0
SEEN

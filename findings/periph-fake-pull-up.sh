#!/bin/sh
# Guess:   on periph's fake pin an input with a pull-up reads Low while the test holds the line Low, as a pressed
#          key does; and of an input that waits for rising edges a falling one wakes nobody.
# Seen:    In(PullUp) overwrites the level: the line reads High. And every level that the test sends counts as an
#          edge, whichever was asked for.
# Matters: a test of keys that are held while the program starts, or of a wrong edge, passes with gpiotest and says
#          nothing of the wire.
. "$(dirname "$0")/common"
modules periph.io/x/conn/v3@v3.7.3
cat >main.go <<'GO'
package main

import (
	"fmt"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"
)

func main() {
	key := &gpiotest.Pin{N: "KEY", L: gpio.Low, EdgesChan: make(chan gpio.Level, 1)}
	if err := key.In(gpio.PullUp, gpio.RisingEdge); err != nil {
		panic(err)
	}
	fmt.Println("held Low, with a pull-up it reads", key.Read())
	key.EdgesChan <- gpio.Low
	fmt.Println("waiting for a rising edge, a falling one wakes:", key.WaitForEdge(time.Second))
}
GO
gives go run . <<'SEEN'
held Low, with a pull-up it reads High
waiting for a rising edge, a falling one wakes: true
SEEN

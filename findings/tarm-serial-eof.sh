#!/bin/sh
# Guess:   a read that timed out and a cable that was pulled give different errors; what had
#          arrived before the cable was pulled can still be read; ReadTimeout waits as long
#          as it says.
# Seen:    both are "0, io.EOF", the pulled cable at once and for ever, so that a loop which
#          waits for the next byte spins. Bytes that had arrived and were not read yet are gone
#          (Linux drops a tty's input at a hang-up). ReadTimeout goes down to tenths of a
#          second, and 30 s are 25.5 s.
# Matters: a scan right before the plug is lost, and only the time that a read took tells a quiet
#          line from a missing one.
. "$(dirname "$0")/common"
modules github.com/tarm/serial@v0.0.0-20180830185346-98f6abe2eb07 golang.org/x/sys@v0.49.0
cat >main.go <<'GO'
package main

import (
	"fmt"
	"time"

	"github.com/tarm/serial"
	"golang.org/x/sys/unix"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func pair() (master int, name string) {
	master = must(unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY, 0))
	if err := unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0); err != nil {
		panic(err)
	}
	return master, fmt.Sprintf("/dev/pts/%d", must(unix.IoctlGetInt(master, unix.TIOCGPTN)))
}

func main() {
	master, name := pair()
	watch := must(unix.Open(name, unix.O_RDWR|unix.O_NOCTTY, 0))
	port := must(serial.OpenPort(&serial.Config{Name: name, Baud: 9600, ReadTimeout: 200 * time.Millisecond}))
	read := func(what string) {
		began := time.Now()
		n, err := port.Read(make([]byte, 64))
		fmt.Printf("%s: %d, %v, at once: %v\n", what, n, err, time.Since(began) < 100*time.Millisecond)
	}
	read("a quiet line")
	must(unix.Write(master, []byte("code\r")))
	for must(unix.IoctlGetInt(watch, unix.TIOCINQ)) < 5 {
		time.Sleep(time.Millisecond)
	}
	fmt.Println("waiting: 5 bytes")
	unix.Close(master)
	read("a pulled cable")
	read("again")

	for _, timeout := range []time.Duration{time.Millisecond, 250 * time.Millisecond, 30 * time.Second} {
		_, name := pair()
		must(serial.OpenPort(&serial.Config{Name: name, Baud: 9600, ReadTimeout: timeout}))
		tty := must(unix.Open(name, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0))
		tenths := must(unix.IoctlGetTermios(tty, unix.TCGETS)).Cc[unix.VTIME]
		fmt.Printf("ReadTimeout %v waits %v\n", timeout, time.Duration(tenths)*100*time.Millisecond)
	}
}
GO
gives go run . <<'SEEN'
a quiet line: 0, EOF, at once: false
waiting: 5 bytes
a pulled cable: 0, EOF, at once: true
again: 0, EOF, at once: true
ReadTimeout 1ms waits 100ms
ReadTimeout 250ms waits 200ms
ReadTimeout 30s waits 25.5s
SEEN

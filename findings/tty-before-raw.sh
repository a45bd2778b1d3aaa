#!/bin/sh
# Guess:   what arrives at a tty before the program has opened it and made it raw waits there
#          as it came, and is read raw.
# Seen:    Linux treats each byte by the settings of the moment at which it arrives. Before
#          raw mode is set that means: echoed back to whoever sent it, and CR turned into LF
#          for good. Making the tty raw afterwards changes nothing of what is waiting.
#          Shown on a pseudo-terminal, whose line discipline is that of a real port. A real port
#          hears nothing until somebody opens it, and does the same from then on.
# Matters: the first code of a serial scanner that was plugged in, or used, before the program
#          was ready goes back to the scanner as a command, and a reader that waits for CR
#          never sees its end. Flush after opening, and set the tty raw from a udev rule.
. "$(dirname "$0")/common"
echo "on $(uname -sr)"
modules golang.org/x/sys@v0.49.0
cat >main.go <<'GO'
package main

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// read gives what comes within a second, or nothing.
func read(fd int) string {
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	if must(unix.Poll(poll, 1000)) == 0 {
		return ""
	}
	time.Sleep(50 * time.Millisecond)
	b := make([]byte, 100)
	return string(b[:must(unix.Read(fd, b))])
}

func main() {
	scanner := must(unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY, 0))
	n := must(unix.IoctlGetInt(scanner, unix.TIOCGPTN))
	if err := unix.IoctlSetPointerInt(scanner, unix.TIOCSPTLCK, 0); err != nil {
		panic(err)
	}
	must(unix.Write(scanner, []byte("134857901\r"))) // nobody has opened the tty yet
	fmt.Printf("the scanner gets back %q\n", read(scanner))
	tty := must(unix.Open(fmt.Sprintf("/dev/pts/%d", n), unix.O_RDWR|unix.O_NOCTTY, 0))
	settings := must(unix.IoctlGetTermios(tty, unix.TCGETS))
	settings.Iflag, settings.Oflag, settings.Lflag = 0, 0, 0
	if err := unix.IoctlSetTermios(tty, unix.TCSETS, settings); err != nil {
		panic(err)
	}
	must(unix.Write(scanner, []byte("second\r")))
	fmt.Printf("raw now, the program reads %q\n", read(tty))
	fmt.Printf("the scanner gets back %q\n", read(scanner))
}
GO
gives go run . <<'SEEN'
the scanner gets back "134857901\r\n"
raw now, the program reads "134857901\nsecond\r"
the scanner gets back ""
SEEN

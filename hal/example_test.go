package hal_test

import (
	"errors"
	"fmt"
	"net"
	"time"

	"payterm/hal"
)

// A Line is opened once and used as long as the program runs, whether its device is there or not:
// here a printer on the network; OpenLine does the same for a tty.
func Example() {
	l, err := net.Listen("tcp", "127.0.0.1:0") // the printer
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	line := hal.OpenNetwork(l.Addr().String)
	defer line.Close()

	device, err := l.Accept()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer device.Close()
	for { // it connects in the background
		if plugged, _ := line.Plugged(); plugged {
			break
		}
		time.Sleep(time.Millisecond)
	}

	fmt.Println(line.Write([]byte("\x10\x04\x01"), time.Second)) // DLE EOT 1: its status
	if _, err := device.Write([]byte{0x16}); err != nil {
		fmt.Println(err)
	}
	answer := make([]byte, 1)
	n, err := line.Read(answer, time.Second)
	fmt.Printf("% x %v\n", answer[:n], err)

	_, err = line.Read(answer, 10*time.Millisecond)
	fmt.Println(err, errors.Is(err, hal.ErrTimeout))

	device.Close()
	_, err = line.Read(answer, time.Second)
	fmt.Println(errors.Is(err, hal.ErrUnplugged))
	// Output:
	// 3 <nil>
	// 16 <nil>
	// hal: line: time-out true
	// true
}

package scanner_test

import (
	"context"
	"fmt"
	"time"

	"payterm/drivers/scanner"
)

// reads is a line that returns each element in one read. hal.Line is one to a real reader.
type reads struct{ comes []string }

func (r *reads) Read(b []byte, _ time.Duration) (int, error) {
	if len(r.comes) == 0 {
		return 0, fmt.Errorf("the cable is out")
	}
	n := copy(b, r.comes[0])
	r.comes = r.comes[1:]
	return n, nil
}

// One frame is one code, in however many reads it comes. A printed code shows its last characters
// only; Reveal returns all of it.
func ExampleScanner_Read() {
	clock := time.Duration(0)
	line := &reads{comes: []string{"]Q12876543", "21012345678\r", "]Q1134567890123456789\r"}}
	s, err := scanner.New(line, scanner.Options{Framing: scanner.CR, AIM: true, Now: func() time.Duration {
		clock += 10 * time.Millisecond
		return clock
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for {
		scan, err := s.Read(context.Background())
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(scan.Code, len(scan.Code.Reveal()))
	}
	// Output:
	// ****5678 18
	// ****6789 18
	// scanner: read: the cable is out
}

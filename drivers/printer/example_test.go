package printer_test

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"payterm"
	"payterm/drivers/printer"
)

// wire is a line to a printer that never answers. hal.Line is one to a real printer.
type wire struct{ sent []byte }

func (w *wire) Write(b []byte, _ time.Duration) (int, error) {
	w.sent = append(w.sent, b...)
	return len(b), nil
}

func (w *wire) Read([]byte, time.Duration) (int, error) { return 0, timeout{} }

type timeout struct{}

func (timeout) Error() string { return "nothing came" }
func (timeout) Timeout() bool { return true }

// A printer that is not asked for its status prints what it is sent. The driver paces the bytes by the speed of
// line and paper, with Sleep.
func ExamplePrinter_Print() {
	line := new(wire)
	p, err := printer.New(line, printer.Options{Columns: 32, Cut: true, Baud: 9600, Sleep: func(time.Duration) {}})
	if err != nil {
		fmt.Println(err)
		return
	}
	slip := payterm.Receipt{Lines: []payterm.ReceiptLine{
		{Text: "Corner shop", Bold: true},
		{Kind: payterm.LinePair, Text: "TOTAL", Right: "CAD 12.34"},
		{Kind: payterm.LineCut},
	}}
	if err := p.Print(context.Background(), slip); err != nil {
		fmt.Println(err)
		return
	}
	// The bytes before it end a command that an earlier process may have left incomplete.
	for _, row := range bytes.SplitAfter(line.sent[bytes.Index(line.sent, []byte("\x1b@")):], []byte("\n")) {
		fmt.Printf("%q\n", row)
	}
	fmt.Println(p.Condition(context.Background()))
	// Output:
	// "\x1b@\x1b@\x1c.\x1bt\x00\x1bR\x00\x1bM\x00\x1bE\x01\x1d!\x00\x1ba\x00Corner shop\n"
	// "\x1bE\x00\x1d!\x00\x1ba\x00\x1bE\x00\x1d!\x00TOTAL                  CAD 12.34\n"
	// "\x1bE\x00\x1d!\x00\x1bd\x04\x1dV\x01"
	// unknown
}

package emulated_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/board"
	"payterm/drivers/printer"
)

// TestNetworkPrinter: a network printer prints, reports its state, and is found again after
// unplugging or after it was switched off, which no packet announces.
func TestNetworkPrinter(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("prints", func(t *testing.T) {
		e, b := newBoardOf(t, 500, func(p *board.Profile) {
			p.Printer.Device, p.Printer.Baud, p.Printer.Network = "", 0,
				"192.0.2.7:9100"
		})
		p, err := printer.New(b.Printer, printer.Options{Columns: 32, Baud: 10_000_000, Status: true, Cut: true,
			Sleep: e.Sleep})
		if err != nil {
			t.Fatal(err)
		}
		until := func(want payterm.PaperCondition) {
			t.Helper()
			for end := time.Now().Add(10 * time.Second); p.Condition(t.Context()) != want; {
				time.Sleep(10 * time.Millisecond)
				if time.Now().After(end) {
					t.Fatalf("it is never %s", want)
				}
			}
		}
		for _, text := range []string{"before", "after", "off and on"} {
			until(payterm.PaperOK)
			until(payterm.PaperOK) // it is known to answer
			if err := p.Print(t.Context(),
				payterm.Receipt{Lines: []payterm.ReceiptLine{{Text: text}, {Kind: payterm.LineCut}}}); err != nil {
				t.Fatal(err)
			}
			for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
				if _, words := e.Paper(); strings.Contains(words, text) && strings.Contains(words, "cut") {
					break
				} else if time.Now().After(end) {
					t.Fatalf("printed %q", words)
				}
			}
			e.Tear()
			off, on := func() error { return e.Unplug("printer") }, func() error { return e.Plug("printer") }
			if text == "after" {
				off, on = func() error { return e.PowerPrinter(false) }, func() error { return e.PowerPrinter(true) }
			}
			if err := off(); err != nil {
				t.Fatal(err)
			}
			until(payterm.PaperUnreachable)
			if err := on(); err != nil {
				t.Fatal(err)
			}
		}
	})
	for end := time.Now().Add(2 * time.Second); runtime.NumGoroutine() > before &&
		time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	if now := runtime.NumGoroutine(); now > before {
		t.Errorf("%d goroutines before, %d now", before, now)
	}
}

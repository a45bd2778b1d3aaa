package emulated

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/board"
	"payterm/drivers/printer"
	"payterm/hal"
)

// cut is a wire whose cable is unplugged after so many bytes, and plugged in at once.
type cut struct {
	*wire
	after int  // bytes that arrive; the next one does not
	away  bool // the line has not reported it yet
}

func (c *cut) Write(b []byte, d time.Duration) (int, error) {
	n := len(b)
	if c.after >= 0 && n > c.after {
		n, c.after, c.away = c.after, -1, true
	} else if c.after >= 0 {
		c.after -= n
	}
	c.wire.Write(b[:n], d)
	if c.away {
		c.sleep(time.Second) // what was sent has arrived
		return n, hal.ErrUnplugged
	}
	return n, nil
}

func (c *cut) Read(b []byte, d time.Duration) (int, error) {
	if c.away {
		c.away = false
		return 0, hal.ErrUnplugged
	}
	return c.wire.Read(b, d)
}

// TestSlipThatBrokeOff: wherever a slip is interrupted, also in a command's header, the next one
// is complete, and the printer gets nothing that it would not accept: with the same driver, which
// first cuts off what there is, and with a new one, which knows nothing of it.
func TestSlipThatBrokeOff(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine only, and long with the race detector")
	}
	t.Parallel()
	r := payterm.Receipt{Lines: []payterm.ReceiptLine{
		{Text: "Thé", Align: payterm.AlignCenter, Bold: true, Large: true},
		{Kind: payterm.LinePair, Text: "付款", Right: "1"},
		{Text: "付款"},
		{Kind: payterm.LineRule},
		{Kind: payterm.LineBarcode, Text: "T1AAAAA000042"},
		{Kind: payterm.LineQR, Text: "x"},
		{Text: "last"},
		{Kind: payterm.LineCut},
	}}
	for name, p := range map[string]board.Printer{
		"asked":           {Status: true},
		"never answers":   {},
		"tells":           {Tells: true},
		"columns of dots": {Status: true, Raster: "esc_star", QR: "raster"},
		"Chinese":         {Tells: true, Chinese: "gb18030"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p.Baud, p.Buffer, p.Speed, p.Cut = 115200, 4096, 200, true
			whole := newWire(t, p)
			d, err := printer.New(whole, options(p, whole))
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Print(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			want, sent := whole.words(), whole.sent
			header := func(k int) bool { // or the first bytes of its data
				return bytes.ContainsAny(sent[max(0, k-9):k], "\x10\x1b\x1c\x1d")
			}
			for _, another := range []bool{false, true} {
				for k := 0; k < len(sent); k++ {
					if !header(k) && k%59 > 0 {
						continue
					}
					w := &cut{wire: newWire(t, p), after: k}
					d, err := printer.New(w, options(p, w.wire))
					if err != nil {
						t.Fatal(err)
					}
					if err = d.Print(t.Context(), r); !errors.Is(err, printer.ErrUnplugged) {
						t.Fatalf("broken off after %d bytes: %v", k, err)
					}
					if another {
						if d, err = printer.New(w, options(p, w.wire)); err != nil {
							t.Fatal(err)
						}
						w.away = false
					}
					for try := 0; ; try++ {
						if err = d.Print(t.Context(), r); err == nil || try == 3 {
							break
						}
					}
					if err != nil {
						t.Fatalf("after %d bytes: %v", k, err)
					}
					got := w.words()
					rest, whole := strings.CutSuffix(got, want)
					whole = whole && (another || rest == "" || strings.HasSuffix(rest, "--- cut ---\n"))
					if !whole || len(w.rules) > 0 {
						t.Fatalf("another %t, after %d bytes: reported %q; on paper is\n%s", another, k, w.rules, got)
					}
				}
			}
		})
	}
}

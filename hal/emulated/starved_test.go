package emulated

import (
	"io"
	"strings"
	"testing"
	"time"

	"payterm/board"
	"payterm/drivers/printer"
)

// starved delivers bytes late now and then, as a goroutine on a busy machine does.
type starved struct {
	chip    io.Writer
	each, n int
}

func (s *starved) Write(b []byte) (int, error) {
	if s.n++; s.n%s.each == 0 {
		time.Sleep(100 * time.Millisecond) // ten seconds of paper at this scale
	}
	return s.chip.Write(b)
}

// TestStarvedPrinterIsNotOverrun: a driver that paces itself by its pauses overflows nothing,
// however late the emulation reads its line.
func TestStarvedPrinterIsNotOverrun(t *testing.T) {
	t.Parallel()
	for _, wire := range []string{"device = \"/dev/ttyS2\"\nbaud = 115200", "network = \"192.0.2.7:9100\""} {
		p, err := board.ReadProfile("paper.toml", []byte("board = \"paper\"\n[printer]\nbuffer = 1024\n"+wire+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		e, err := New(Config{Profile: p, Scale: 100})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Unplug("printer"); err != nil {
			t.Fatal(err)
		}
		if d := e.serial[p.Printer.Device]; d != nil {
			d.chip = &starved{chip: d.chip, each: 70}
		} else {
			e.network.chip = &starved{chip: e.network.chip, each: 8}
		}
		if err := e.Plug("printer"); err != nil {
			t.Fatal(err)
		}
		b := board.Open(p, e)
		d, err := printer.New(b.Printer, printer.Options{Columns: 32, Baud: 115200, Buffer: p.Printer.Buffer,
			Speed: p.Printer.Speed, Sleep: e.Sleep})
		if err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
			if plugged, why := b.Printer.Plugged(); plugged {
				break
			} else if time.Now().After(end) {
				t.Fatal(why)
			}
		}
		r, _ := slip(300)
		if err := d.Print(t.Context(), r); err != nil {
			t.Error(err)
		}
		if _, words := e.Paper(); !strings.Contains(words, "line 299") {
			t.Errorf("%s: the driver is done, and on paper is\n%s", wire, words)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		for _, v := range e.Violations() {
			t.Errorf("%s: %v", wire, v)
		}
	}
}

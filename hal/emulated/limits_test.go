package emulated_test

import (
	"errors"
	"strings"
	"testing"

	"payterm/board"
	"payterm/hal/emulated"
)

// TestAdaptersWithLimits: with a limited adapter the driver finds the limit, and the glass is
// right.
func TestAdaptersWithLimits(t *testing.T) {
	t.Parallel()
	for _, g := range glasses {
		if strings.Contains(g.display, "fbdev") || strings.Contains(g.display, "max_transfer") ||
			strings.Contains(g.display, "data =") {
			continue
		}
		limits := []int{64} // of SPI controllers
		if strings.Contains(g.display, "i2c") {
			limits = []int{16, 32, 61, 255}
		}
		for _, most := range limits {
			e, b := newGlass(t, g.display, 1e6)
			if err := e.LimitTransfers(most); err != nil {
				t.Fatal(err)
			}
			d := newDisplay(t, e, b)
			show(t, d, waiting("0:41"))
			show(t, d, waiting("0:42"))
			if err := d.Refresh(); err != nil {
				t.Fatal(err)
			}
			whole, wires := newGlass(t, g.display, 1e6)
			show(t, newDisplay(t, whole, wires), waiting("0:42"))
			if unlike(e.Frame(), whole.Frame()) {
				t.Errorf("%s with %d bytes at once: the glass is wrong", g.name, most)
			}
			if n := e.Bus(); n.Transfers > 0 && n.Bytes/n.Transfers > most {
				t.Errorf("%s: %d bytes in %d transfers of %d", g.name, n.Bytes, n.Transfers, most)
			}
		}
	}
}

// TestAdapterThatTakesNothing: an adapter that takes nothing is an error in the end.
func TestAdapterThatTakesNothing(t *testing.T) {
	e, b := newGlass(t, "controller = \"ssd1306\"\ni2c = \"I2C1\"\nwidth = 128\nheight = 64", 1e6)
	d := newDisplay(t, e, b)
	if err := e.LimitTransfers(1); err != nil {
		t.Fatal(err)
	}
	if err := d.Show(waiting("0:41")); err == nil || !strings.Contains(err.Error(), "operation not supported") {
		t.Error(err)
	}
	if err := errors.Join(e.LimitTransfers(0), d.Init()); err != nil {
		t.Fatal(err)
	}
	show(t, d, waiting("0:41"))
}

// TestModuleWithoutSelect: a module without a chip select stays dark in mode 0, and the driver's
// advice is mode 3.
func TestModuleWithoutSelect(t *testing.T) {
	for mode, works := range map[string]bool{"0": false, "3": true} {
		display := "controller = \"st7789\"\nspi = \"SPI0.0\"\ndc = \"L:25\"\nreset = \"L:27\"\nwidth = 240\n" +
			"height = 240\nspi_mode = " + mode
		e, b := brokenGlass(t, display)
		if err := e.TieSelect(); err != nil {
			t.Fatal(err)
		}
		d := newDisplay(t, e, b)
		show(t, d, waiting("0:41"))
		if lit := unlike(e.Frame(), darkness(e.Frame())); lit != works {
			t.Errorf("mode %s: it shows something: %v", mode, lit)
		}
		if n := len(e.Violations()); (n == 0) != works {
			t.Errorf("mode %s: %v", mode, e.Violations())
		}
	}
}

// brokenGlass is a board whose violations the test checks itself.
func brokenGlass(t *testing.T, display string) (*emulated.Board, *board.Board) {
	t.Helper()
	p, err := board.ReadProfile("glass.toml", []byte("board = \"glass\"\n[display]\n"+display))
	if err != nil {
		t.Fatal(err)
	}
	e, err := emulated.New(emulated.Config{Profile: p, Scale: 1e6})
	if err != nil {
		t.Fatal(err)
	}
	b := board.Open(p, e)
	t.Cleanup(func() {
		if err := errors.Join(b.Close(), e.Close()); err != nil {
			t.Error(err)
		}
	})
	return e, b
}

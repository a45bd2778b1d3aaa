package emulated

import (
	"context"
	"slices"
	"testing"
	"time"

	"payterm"
	"payterm/board"
	"payterm/drivers/keypad"

	"periph.io/x/conn/v3/gpio"
	"pgregory.net/rapid"
)

var pad = &board.Keypad{
	Keys: [][]payterm.Key{{"1", "2", "3"}, {"4", "5", "6"}, {"7", "8", "9"}},
	Rows: make([]string, 3), Columns: make([]string, 3),
	ScanInterval: board.Duration{Duration: 5 * time.Millisecond},
	Debounce:     board.Duration{Duration: 20 * time.Millisecond},
}

// movingRow changes contacts in the middle of a scan, before the row is driven.
type movingRow struct {
	rowPin
	move func()
}

func (r *movingRow) Out(l gpio.Level) error { r.move(); return r.rowPin.Out(l) }

// scan runs the driver over a matrix for some scans and changes contacts meanwhile.
func scan(t testing.TB, m *matrix, debounce time.Duration, looks int, move func(look int), press func(payterm.Key)) {
	t.Helper()
	n := 0
	var rows []keypad.Row
	var columns []keypad.Column
	for i := range pad.Keys {
		rows = append(rows, &movingRow{rowPin{newPin("row"), m, i}, func() { move(n) }})
		columns = append(columns, &columnPin{newPin("column"), m, i})
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	d, err := keypad.New(rows, columns, pad.Keys, keypad.Options{Debounce: debounce, Sleep: func(time.Duration) {
		if n++; n >= looks {
			stop()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Run(ctx, press); err != nil {
		t.Fatal(err)
	}
}

// chord is a sequence of key changes, each at a scan.
type chord []struct {
	look   int
	key    payterm.Key
	closed bool
}

func TestChords(t *testing.T) {
	for _, c := range []struct {
		name  string
		chord chord
		want  []payterm.Key
	}{
		{"one key that bounces", chord{{1, "5", true}, {20, "5", false}}, []payterm.Key{"5"}},
		{"too short", chord{{1, "5", true}, {3, "5", false}}, nil},
		{"two at once", chord{{1, "1", true}, {1, "5", true}, {20, "1", false}, {20, "5", false}},
			[]payterm.Key{"1", "5"}},
		{"two in a row", chord{{1, "1", true}, {1, "2", true}}, []payterm.Key{"1", "2"}},
		{"roll over", chord{{1, "1", true}, {10, "2", true}, {20, "1", false}, {30, "2", false}},
			[]payterm.Key{"1", "2"}},
		{"three of a rectangle, at once", chord{{1, "1", true}, {1, "2", true}, {1, "4", true}}, nil},
		{"the third makes a ghost", chord{{1, "1", true}, {10, "2", true}, {20, "4", true}}, []payterm.Key{"1", "2"}},
		{
			"after a ghost what is held is not pressed",
			chord{{1, "1", true}, {10, "2", true}, {20, "4", true}, {30, "1", false}, {50, "2", false},
				{50, "4", false}, {70, "9", true}},
			[]payterm.Key{"1", "2", "9"},
		},
		{"three in a row make none", chord{{1, "1", true}, {1, "2", true}, {1, "3", true}},
			[]payterm.Key{"1", "2", "3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMatrix(pad)
			var got []payterm.Key
			scan(t, m, 20*time.Millisecond, 100, func(look int) {
				for _, step := range c.chord {
					if step.look == look {
						if _, err := m.set(step.key, step.closed); err != nil {
							t.Fatal(err)
						}
					}
				}
			}, func(k payterm.Key) { got = append(got, k) })
			if !slices.Equal(got, c.want) {
				t.Errorf("read %q, want %q", got, c.want)
			}
		})
	}
}

// TestMatrixMakesGhosts: the emulated matrix does make ghost keys: a driver without a check would
// read one.
func TestMatrixMakesGhosts(t *testing.T) {
	m := newMatrix(pad)
	for _, k := range []payterm.Key{"1", "2", "4"} {
		if _, err := m.set(k, true); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 { // at rest
		if err := m.drive(0, true); err != nil {
			t.Fatal(err)
		}
	}
	for row, want := range []string{"LLH", "LLH", "HHH"} {
		got := ""
		for r := range 3 {
			if err := m.drive(r, r == row); err != nil {
				t.Fatal(err)
			}
		}
		for c := range 3 {
			got += m.read(c).String()[:1]
		}
		if got != want {
			t.Errorf("row %d reads %s, want %s", row, got, want)
		}
	}
}

// TestNoGhostIsEverRead: whatever keys change at whatever moment, each key that is read was
// touched.
func TestNoGhostIsEverRead(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newMatrix(pad)
		touched := map[payterm.Key]bool{}
		debounce := time.Duration(rapid.IntRange(5, 30).Draw(rt, "debounce")) * time.Millisecond
		moves := rapid.SliceOfN(rapid.IntRange(0, 60), 0, 60).Draw(rt, "moves") // one of the first four keys, or none
		scan(t, m, debounce, 60, func(int) {
			if len(moves) == 0 {
				return
			}
			v := moves[0]
			moves = moves[1:]
			if v >= 8 {
				return
			}
			k := []payterm.Key{"1", "2", "4", "5"}[v%4]
			if k == "5" {
				return // no key is down
			}
			touched[k] = true
			if _, err := m.set(k, v < 4); err != nil {
				rt.Fatal(err)
			}
		}, func(k payterm.Key) {
			if !touched[k] {
				rt.Fatalf("%s was read and not touched", k)
			}
		})
	})
}

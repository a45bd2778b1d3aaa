package keypad_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"payterm"
	"payterm/drivers/keypad"

	"periph.io/x/conn/v3/gpio"
)

var errBroken = errors.New("broken")

// line is a row or a column that fails at its n-th use; 0 is never. All keys of a low column are
// pressed.
type line struct {
	level   gpio.Level
	fails   int
	driven  bool
	mostLow *int // how many rows were driven at once
	low     *int
}

func (l *line) use() error {
	if l.fails--; l.fails == 0 {
		return errBroken
	}
	return nil
}

func (l *line) In(gpio.Pull, gpio.Edge) error {
	if l.driven {
		l.driven = false
		*l.low--
	}
	return l.use()
}

func (l *line) Out(gpio.Level) error {
	if !l.driven && l.low != nil {
		l.driven = true
		*l.low++
		*l.mostLow = max(*l.mostLow, *l.low)
	}
	return l.use()
}

func (l *line) Read() gpio.Level { return l.level }

func TestRefusals(t *testing.T) {
	keys := [][]payterm.Key{{"1", "2"}}
	for name, c := range map[string]struct {
		rows    []keypad.Row
		columns []keypad.Column
	}{
		"a row too many":           {[]keypad.Row{&line{}, &line{}}, []keypad.Column{&line{}, &line{}}},
		"a column too few":         {[]keypad.Row{&line{}}, []keypad.Column{&line{}}},
		"a row that fails":         {[]keypad.Row{&line{fails: 1}}, []keypad.Column{&line{}, &line{}}},
		"a column without pull-up": {[]keypad.Row{&line{}}, []keypad.Column{&line{}, &line{fails: 1}}},
	} {
		if _, err := keypad.New(c.rows, c.columns, keys, keypad.Options{Sleep: func(time.Duration) {}}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if _, err := keypad.New([]keypad.Row{&line{}}, []keypad.Column{&line{}, &line{}}, keys,
		keypad.Options{}); err == nil {
		t.Error("a scan without pauses was taken")
	}
}

// TestLines: a line that fails ends Run with an error; one row at a time is driven, and none is
// left driven.
func TestLines(t *testing.T) {
	for fails := range 7 { // of the first row: once in New, then twice each scan
		var low, most int
		rows := []keypad.Row{&line{fails: fails, low: &low, mostLow: &most}, &line{low: &low, mostLow: &most}}
		columns := []keypad.Column{&line{level: gpio.High}}
		ctx, stop := context.WithCancel(t.Context())
		looks := 0
		m, err := keypad.New(rows, columns, [][]payterm.Key{{"1"}, {"2"}}, keypad.Options{Sleep: func(time.Duration) {
			if looks++; looks == 5 {
				stop()
			}
		}})
		if err == nil {
			err = m.Run(ctx, func(k payterm.Key) { t.Errorf("%s was read", k) })
		}
		stop()
		if (fails > 0) != errors.Is(err, errBroken) {
			t.Errorf("failure %d: %v", fails, err)
		}
		if most > 1 || fails == 0 && low != 0 {
			t.Errorf("failure %d: %d rows were driven at once, %d at the end", fails, most, low)
		}
	}
}

// TestEmptyPlaces: an empty place of the matrix is no key, and a held key is read once. A key
// that is held when the driver begins is read when it is pressed again.
func TestEmptyPlaces(t *testing.T) {
	for name, pressed := range map[string]func(look int) bool{
		"pressed at look 10":                      func(look int) bool { return look >= 10 },
		"held from the start, and pressed at 20":  func(look int) bool { return look < 10 || look >= 20 },
		"held from the start, and never released": func(int) bool { return true },
	} {
		want := "2"
		if name == "held from the start, and never released" {
			want = ""
		}
		if got := readEmptyPlaces(t, pressed); got != want {
			t.Errorf("%s: read %q", name, got)
		}
	}
}

// readEmptyPlaces reads a row of an empty place and a 2, whose contacts close together.
func readEmptyPlaces(t *testing.T, pressed func(look int) bool) string {
	t.Helper()
	var low, most int
	rows := []keypad.Row{&line{low: &low, mostLow: &most}}
	first, second := &line{}, &line{}
	contact := func(look int) {
		level := gpio.High
		if pressed(look) {
			level = gpio.Low
		}
		first.level, second.level = level, level
	}
	contact(0)
	columns := []keypad.Column{first, second}
	ctx, stop := context.WithCancel(t.Context())
	looks := 0
	m, err := keypad.New(rows, columns, [][]payterm.Key{{"", "2"}}, keypad.Options{Sleep: func(time.Duration) {
		if looks++; looks == 50 {
			stop()
		}
		contact(looks)
	}})
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	if err := m.Run(ctx, func(k payterm.Key) { got += string(k) }); err != nil {
		t.Fatal(err)
	}
	return got
}

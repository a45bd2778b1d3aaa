// Package keypad turns contacts into keys: a Matrix of GPIO lines, which it debounces and checks
// for ghost keys, or a Pad whose keys the kernel reports.
//
// The matrix is polled: waiting for edges would cost a descriptor and a goroutine for each line,
// and polling is faster than any cashier.
package keypad

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"payterm"

	"periph.io/x/conn/v3/gpio"
)

// Row is a line that is driven low to read its keys and left floating otherwise, so that two
// pressed keys never connect two outputs.
type Row interface {
	In(pull gpio.Pull, edge gpio.Edge) error
	Out(l gpio.Level) error
}

// Column is a line with a pull-up that a pressed key pulls low.
type Column interface {
	In(pull gpio.Pull, edge gpio.Edge) error
	Read() gpio.Level
}

// Options of a matrix.
type Options struct {
	Interval time.Duration // between two scans; 5 ms when zero
	Debounce time.Duration // a contact counts after it was the same for this long; 20 ms when zero
	Sleep    func(time.Duration)
}

// Matrix reads a keypad whose keys connect rows to columns. It is used by one
// goroutine.
type Matrix struct {
	rows    []Row
	columns []Column
	keys    [][]payterm.Key
	o       Options
	need    int      // equal scans before a state counts
	raw     [][]bool // the last scan
	count   [][]int  // scans since it changed
	down    [][]bool // the debounced state
	ghosts  bool
	scans   int                           // so far, up to need
	held    atomic.Pointer[[]payterm.Key] // held.go
}

// minLooks is the least number of equal scans: a contact that closes during a scan, between two
// rows, can make a ghost without its rectangle for that scan.
const minLooks = 2

// New sets the lines up. keys[r][c] is the key between row r and column c, empty for none.
func New(rows []Row, columns []Column, keys [][]payterm.Key, o Options) (*Matrix, error) {
	if len(keys) != len(rows) {
		return nil, fmt.Errorf("keypad: %d rows of keys for %d lines", len(keys), len(rows))
	}
	if o.Sleep == nil {
		return nil, errors.New("keypad: no Sleep: it would scan without a pause")
	}
	if o.Interval <= 0 {
		o.Interval = 5 * time.Millisecond
	}
	if o.Debounce <= 0 {
		o.Debounce = 20 * time.Millisecond
	}
	m := &Matrix{rows: rows, columns: columns, keys: keys, o: o, need: max(minLooks, int(o.Debounce/o.Interval))}
	for r := range rows {
		if len(keys[r]) != len(columns) {
			return nil, fmt.Errorf("keypad: row %d has %d keys for %d columns", r+1, len(keys[r]), len(columns))
		}
		m.raw = append(m.raw, make([]bool, len(columns)))
		m.down = append(m.down, make([]bool, len(columns)))
		m.count = append(m.count, make([]int, len(columns)))
		if err := rows[r].In(gpio.Float, gpio.NoEdge); err != nil {
			return nil, fmt.Errorf("keypad: row %d: %w", r+1, err)
		}
	}
	for c := range columns {
		if err := columns[c].In(gpio.PullUp, gpio.NoEdge); err != nil {
			return nil, fmt.Errorf("keypad: column %d: %w", c+1, err)
		}
	}
	return m, nil
}

// Run reports each press once, until the context ends. A line that fails ends
// it with an error.
func (m *Matrix) Run(ctx context.Context, press func(payterm.Key)) error {
	for ctx.Err() == nil {
		if err := m.look(); err != nil {
			return err
		}
		m.holds()
		for _, k := range m.settle() {
			press(k)
		}
		m.o.Sleep(m.o.Interval)
	}
	return nil
}

// look scans every contact once.
func (m *Matrix) look() error {
	for r, row := range m.rows {
		if err := row.Out(gpio.Low); err != nil {
			return fmt.Errorf("keypad: row %d: %w", r+1, err)
		}
		for c, column := range m.columns {
			closed := column.Read() == gpio.Low
			if closed == m.raw[r][c] {
				m.count[r][c] = min(m.count[r][c]+1, m.need)
			} else {
				m.raw[r][c], m.count[r][c] = closed, 1
			}
		}
		if err := row.In(gpio.Float, gpio.NoEdge); err != nil {
			return fmt.Errorf("keypad: row %d: %w", r+1, err)
		}
	}
	return nil
}

// settle takes over contacts that were stable long enough and returns the keys that went
// down. While closed contacts form a rectangle, one of them may be a ghost key: nothing counts
// until that ends, and keys still held then count as held, not pressed. So does a key that is
// down since the first scan: it was pressed before the driver began.
func (m *Matrix) settle() []payterm.Key {
	first := m.scans < m.need
	if first {
		m.scans++
	}
	if m.ambiguous() {
		m.ghosts = true
		return nil
	}
	var pressed []payterm.Key
	idle := true
	for r := range m.raw {
		for c := range m.raw[r] {
			if m.count[r][c] >= m.need && m.raw[r][c] != m.down[r][c] {
				m.down[r][c] = m.raw[r][c]
				if m.down[r][c] && !m.ghosts && !first && m.keys[r][c] != "" {
					pressed = append(pressed, m.keys[r][c])
				}
			}
			idle = idle && !m.raw[r][c] && !m.down[r][c]
		}
	}
	if idle {
		m.ghosts = false
	}
	return pressed
}

// ambiguous reports whether two rows share two closed columns.
func (m *Matrix) ambiguous() bool {
	for a := range m.raw {
		for b := a + 1; b < len(m.raw); b++ {
			shared := 0
			for c := range m.columns {
				if m.raw[a][c] && m.raw[b][c] {
					shared++
				}
			}
			if shared >= 2 {
				return true
			}
		}
	}
	return false
}

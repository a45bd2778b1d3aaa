// Package keypad turns contacts into keys: a Matrix of GPIO lines, which it has to
// debounce and to keep ghosts out of, or a Pad whose keys the kernel reports.
//
// The matrix driver polls: a line that waits for edges costs a descriptor and a
// goroutine each, and a cashier cannot press faster than it looks.
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

// Row is a line that is driven low to look at its keys, and left floating
// otherwise, so that two pressed keys never connect two outputs.
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
	Interval time.Duration // between two looks; 5 ms when zero
	Debounce time.Duration // a contact counts when it has been the same for so long; 20 ms when zero
	Sleep    func(time.Duration)
}

// Matrix reads a keypad whose keys connect rows to columns. It is used by one
// goroutine.
type Matrix struct {
	rows    []Row
	columns []Column
	keys    [][]payterm.Key
	o       Options
	need    int      // equal looks that make a state certain
	raw     [][]bool // the last look
	count   [][]int  // how many looks it has been so
	down    [][]bool // what is certain
	ghosts  bool
	held    atomic.Pointer[[]payterm.Key] // held.go
}

// minLooks is how many equal looks it takes at the least: a contact that closes
// between two rows of one look makes a ghost without its rectangle, for that look.
const minLooks = 2

// New sets the lines up. keys[r][c] is the key between row r and column c; an
// empty one is no key.
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

// look reads every contact once.
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

// settle takes over the contacts that have been the same long enough and gives
// the keys that went down. While closed contacts form a rectangle, one of them
// may be a ghost: nothing counts until that is over, and what is then still
// held counts as held, not as pressed.
func (m *Matrix) settle() []payterm.Key {
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
				if m.down[r][c] && !m.ghosts && m.keys[r][c] != "" {
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

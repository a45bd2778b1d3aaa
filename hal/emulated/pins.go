package emulated

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"payterm"
	"payterm/board"

	"periph.io/x/conn/v3/gpio"
)

// pin is a line of which a kind overrides what it can do.
type pin struct {
	gpio.PinIO
	name string
}

func newPin(name string) pin { return pin{gpio.INVALID, name} }

func (p pin) String() string { return p.name }
func (p pin) Name() string   { return p.name }

// outPin is a chip's input, driven by the board.
type outPin struct {
	pin
	level func(gpio.Level)
}

func (p *outPin) Out(l gpio.Level) error { p.level(l); return nil }

// busPin is one line of a display's parallel bus: each change is a transfer, which may be
// interrupted.
type busPin struct {
	pin
	bus   *bus
	level func(high bool)
}

func (p *busPin) Out(l gpio.Level) error {
	p.bus.mu.Lock()
	cut := p.bus.cut()
	if !cut {
		p.bus.count(1, transferTime)
	} else {
		p.bus.traffic.Transfers++
	}
	p.bus.mu.Unlock()
	if cut {
		return broke(true, 0, 1)
	}
	p.level(bool(l))
	return nil
}

// rowPin is a matrix row, driven low or floating.
type rowPin struct {
	pin
	m *matrix
	n int
}

func (p *rowPin) Out(l gpio.Level) error            { return p.m.drive(p.n, l == gpio.Low) }
func (p *rowPin) In(_ gpio.Pull, _ gpio.Edge) error { return p.m.drive(p.n, false) }

// columnPin is a matrix column with a pull-up.
type columnPin struct {
	pin
	m *matrix
	n int
}

func (p *columnPin) In(pull gpio.Pull, _ gpio.Edge) error {
	if pull != gpio.PullUp {
		return fmt.Errorf("emulated: column %s floats without its pull-up", p.name)
	}
	return nil
}
func (p *columnPin) Read() gpio.Level { return p.m.read(p.n) }

// matrix is a membrane of keys without diodes: closed contacts connect rows and columns, also in
// the paths that make ghost keys.
type matrix struct {
	mu       sync.Mutex
	keys     [][]payterm.Key
	low      []bool
	contacts map[[2]int]*contact
	looks    int // scans of the whole matrix
	need     int // scans after which a change has surely been seen
	unplugOn bool
	turn     sync.Mutex // one key at a time
}

// contact is a key that was touched. It bounces for some scans after each change.
type contact struct {
	closed  bool
	changed int // at which scan
}

// bounces is how many scans a contact takes to settle; in the odd ones it has its old state.
const bounces = 3

func newMatrix(k *board.Keypad) *matrix {
	return &matrix{
		keys: k.Keys, low: make([]bool, len(k.Rows)), contacts: map[[2]int]*contact{},
		// a debounce of equal scans after the bouncing
		need: max(2, int(k.Debounce.Duration/k.ScanInterval.Duration)) + bounces,
	}
}

func (m *matrix) drive(row int, low bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.low[row] = low
	if low && row == 0 {
		m.looks++ // each scan begins with the first row
	}
	return nil
}

// connects reports whether a contact is closed now. The lock is held.
func (m *matrix) connects(c *contact) bool {
	age := m.looks - c.changed
	return c.closed != (age <= bounces && age%2 == 1)
}

// read follows closed contacts from the column to a row that is driven low.
func (m *matrix) read(column int) gpio.Level {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.unplugOn {
		return gpio.High
	}
	columns, rows := map[int]bool{column: true}, map[int]bool{}
	for grown := true; grown; {
		grown = false
		for at, contact := range m.contacts {
			r, c := at[0], at[1]
			if m.connects(contact) && columns[c] != rows[r] {
				columns[c], rows[r], grown = true, true, true
			}
		}
	}
	for r := range rows {
		if m.low[r] {
			return gpio.Low
		}
	}
	return gpio.High
}

func (m *matrix) plug(in bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.unplugOn = !in
}

// press closes and opens a contact, each until the scan has seen it.
func (m *matrix) press(k payterm.Key) error {
	m.turn.Lock()
	defer m.turn.Unlock()
	if err := m.hold(k, true); err != nil {
		m.set(k, false) //nolint:errcheck // it may be no key
		return err
	}
	return m.hold(k, false)
}

// hold closes or opens a contact and waits until the scan has seen it.
func (m *matrix) hold(k payterm.Key, closed bool) error {
	since, err := m.set(k, closed)
	if err != nil {
		return err
	}
	return m.wait(since)
}

// set changes a contact and returns the scan at which it did.
func (m *matrix) set(k payterm.Key, closed bool) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for r := range m.keys {
		c := slices.Index(m.keys[r], k)
		if k == "" || c < 0 {
			continue
		}
		at := [2]int{r, c}
		if before := m.contacts[at]; before == nil && closed || before != nil && before.closed != closed {
			m.contacts[at] = &contact{closed, m.looks}
		}
		return m.looks, nil
	}
	return 0, fmt.Errorf("this keypad has no key %s", k)
}

// scanned bounds the wait for a scan: on a busy machine the driver scans rarely.
const scanned = 20 * time.Second

func (m *matrix) wait(since int) error {
	for end := time.Now().Add(scanned); time.Now().Before(end); {
		m.mu.Lock()
		seen := m.looks-since > m.need
		m.mu.Unlock()
		if seen {
			return nil
		}
		time.Sleep(time.Millisecond)
	}
	return errors.New("nobody scans the keypad")
}

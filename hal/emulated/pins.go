package emulated

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"payterm"
	"payterm/hal"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"
)

// pin is a line of which a kind overrides what it can do.
type pin struct {
	gpio.PinIO
	name string
}

func newPin(name string) pin { return pin{gpio.INVALID, name} }

func (p pin) String() string { return p.name }
func (p pin) Name() string   { return p.name }

// outPin is an input of a chip, driven by the board.
type outPin struct {
	pin
	level func(gpio.Level)
}

func (p *outPin) Out(l gpio.Level) error { p.level(l); return nil }

// rowPin is a line of the matrix that is driven low or floats.
type rowPin struct {
	pin
	m *matrix
	n int
}

func (p *rowPin) Out(l gpio.Level) error            { return p.m.drive(p.n, l == gpio.Low) }
func (p *rowPin) In(_ gpio.Pull, _ gpio.Edge) error { return p.m.drive(p.n, false) }

// columnPin is a line of the matrix with a pull-up.
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

// matrix is a membrane of keys without diodes: closed contacts connect rows and
// columns, whichever way the current then finds.
type matrix struct {
	mu       sync.Mutex
	keys     [][]payterm.Key
	low      []bool
	closed   map[[2]int]bool
	bounce   int // reads during which a closing contact is still open
	reads    int // looks at the pressed row since the press
	need     int
	unplugOn bool
	turn     sync.Mutex // one finger
}

func newMatrix(k *hal.Keypad) *matrix {
	return &matrix{
		keys: k.Keys, low: make([]bool, len(k.Rows)), closed: map[[2]int]bool{},
		need: 2*int(k.Debounce.Duration/k.ScanInterval.Duration) + 6,
	}
}

func (m *matrix) drive(row int, low bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.low[row] = low
	if low && row == 0 {
		m.reads++ // each look at the whole begins with the first row
	}
	return nil
}

// read follows closed contacts from the column to a row that is driven low.
func (m *matrix) read(column int) gpio.Level {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.unplugOn || m.reads <= m.bounce && m.reads%2 == 1 {
		return gpio.High
	}
	columns, rows := map[int]bool{column: true}, map[int]bool{}
	for grown := true; grown; {
		grown = false
		for contact := range m.closed {
			r, c := contact[0], contact[1]
			if columns[c] != rows[r] {
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

// press closes a contact, and opens it again, each until the scan has had time
// to see it.
func (m *matrix) press(k payterm.Key) error {
	m.turn.Lock()
	defer m.turn.Unlock()
	for r := range m.keys {
		if c := slices.Index(m.keys[r], k); c >= 0 {
			m.set(r, c, true)
			err := m.wait()
			m.set(r, c, false)
			if err != nil {
				return err
			}
			return m.wait()
		}
	}
	return fmt.Errorf("this keypad has no key %s", k)
}

func (m *matrix) set(r, c int, closed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads, m.bounce = 0, 3
	if closed {
		m.closed[[2]int{r, c}] = true
	} else {
		delete(m.closed, [2]int{r, c})
	}
}

func (m *matrix) wait() error {
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); {
		m.mu.Lock()
		seen := m.reads > m.need
		m.mu.Unlock()
		if seen {
			return nil
		}
		time.Sleep(time.Millisecond)
	}
	return fmt.Errorf("nobody scans the keypad")
}

// maxTransfer is spidev's default buffer.
const maxTransfer = 4096

// spiPort is a bus with one chip, which takes the time that the bytes take.
type spiPort struct {
	chip      *st7789
	name      string
	hz        int64
	scale     float64
	violation func(error)
	mu        sync.Mutex
	dc        bool
	behind    time.Duration
}

func (s *spiPort) setDC(data bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dc = data
}

func (s *spiPort) String() string                    { return s.name }
func (s *spiPort) Close() error                      { return nil }
func (s *spiPort) LimitSpeed(physic.Frequency) error { return nil }
func (s *spiPort) Duplex() conn.Duplex               { return conn.Half }
func (s *spiPort) MaxTxSize() int                    { return maxTransfer }
func (s *spiPort) TxPackets([]spi.Packet) error      { return fmt.Errorf("emulated: packets are not wired") }
func (s *spiPort) Connect(_ physic.Frequency, m spi.Mode, bits int) (spi.Conn, error) {
	if m != spi.Mode0 && m != spi.Mode3 || bits != 8 {
		return nil, fmt.Errorf("emulated: the panel listens in mode 0 or 3, 8 bits")
	}
	return s, nil
}

func (s *spiPort) Tx(w, _ []byte) error {
	if len(w) > maxTransfer {
		err := fmt.Errorf("emulated: a transfer of %d bytes: spidev takes %d", len(w), maxTransfer)
		s.violation(err)
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chip.clock(s.dc, w)
	s.behind += time.Duration(float64(len(w)) * 8e9 / float64(s.hz) / s.scale)
	if s.behind > time.Millisecond { // sleeping for less costs more than it tells
		time.Sleep(s.behind)
		s.behind = 0
	}
	return nil
}

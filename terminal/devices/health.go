package devices

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"payterm"
	"payterm/board"
)

// The devices by name, as in board.Board's Faults.
const (
	Display = "display"
	Keypad  = "keypad"
	Scanner = "scanner"
	Printer = "printer"
	Buzzer  = "buzzer"
	LEDs    = "leds"
)

// Trouble is the errors of a device since the start.
type Trouble struct {
	Err    error         // the last one
	At     time.Duration // when the last one occurred
	N      int           // how many there were
	GaveUp bool          // the device is not tried again
	Worked bool          // the device has worked since the last one
}

// Recently is how long after its last error a device does not count as healthy.
const Recently = time.Minute

// retryPause is how long after an error a device is tried again.
const retryPause = time.Second

// again pauses before a device is tried again; false when the context ends.
func (s *Set) again(ctx context.Context, device string, err error) bool {
	s.fails(device, err)
	select {
	case <-ctx.Done():
		return false
	case <-time.After(retryPause):
		return true
	}
}

// diary is what the log has of a device's troubles. A trouble begins with an error and ends when the
// device works. The log has the beginning once, each further reason once, and the end once.
type diary struct {
	errs []string      // logged since the device last worked
	hour time.Duration // when the current hour began
	n    int           // errors in it
}

// logMost is how many errors of a device the log takes in an hour. A device that comes and goes
// would wear out the flash.
const logMost = 20

// fails notes that a device does not work, and logs it.
func (s *Set) fails(device string, err error) {
	s.mu.Lock()
	if t := s.troubles[device]; t.N > 0 && s.Now()-t.At > Recently { // it has worked, and nobody used it
		d := s.logged[device]
		d.errs = nil
		s.logged[device] = d
	}
	s.mu.Unlock()
	s.warn(device, err)
	s.met(device, err)
}

// warn logs an error of a device, unless the log has it already.
func (s *Set) warn(device string, err error) {
	s.mu.Lock()
	d, now := s.logged[device], s.Now()
	if slices.Contains(d.errs, err.Error()) {
		s.mu.Unlock()
		return
	}
	if now-d.hour >= time.Hour {
		d.hour, d.n = now, 0
	}
	d.n++
	n := d.n
	if n <= logMost {
		d.errs = append(d.errs, err.Error())
	}
	s.logged[device] = d
	s.mu.Unlock()
	switch {
	case n <= logMost:
		s.o.Log.Warn("device", "device", device, "err", err)
	case n == logMost+1:
		s.o.Log.Warn("device fails too often: further errors of this hour are not logged", "device", device, "err", err)
	}
}

// works notes that a device works, and logs it if an error was logged before.
func (s *Set) works(device string) {
	s.mu.Lock()
	if t := s.troubles[device]; t.N > 0 && !t.Worked {
		t.Worked = true
		s.troubles[device] = t
	}
	d := s.logged[device]
	was := len(d.errs) > 0
	d.errs = nil
	s.logged[device] = d
	s.mu.Unlock()
	if was {
		s.o.Log.Info("device works again", "device", device)
	}
}

// met notes an error of a device.
func (s *Set) met(device string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.troubles[device]
	s.troubles[device] = Trouble{Err: err, At: s.Now(), N: t.N + 1, GaveUp: t.GaveUp}
}

// gaveUp notes that a device is not used before the next start.
func (s *Set) gaveUp(device string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.troubles[device] = Trouble{Err: err, At: s.Now(), N: s.troubles[device].N + 1, GaveUp: true}
}

// Trouble returns the errors of a device since the start.
func (s *Set) Trouble(device string) Trouble {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.troubles[device]
}

// Has tells whether the board has a device.
func (s *Set) Has(device string) bool {
	b := s.o.Board
	switch device {
	case Display:
		return b.Display != nil
	case Keypad:
		return b.Keypad != nil
	case Scanner:
		return b.Scanner != nil
	case Printer:
		return b.Printer != nil
	case LEDs:
		return b.LEDs != nil
	}
	return b.Buzzer != nil
}

// Absent says why a device of the board cannot be used now; nil for one that the board does
// not have.
func (s *Set) Absent(device string) error {
	b, t := s.o.Board, s.Trouble(device)
	switch l := b.Lines()[device]; {
	case b.Faults[device] != nil:
		return b.Faults[device]
	case !s.Has(device):
	case t.GaveUp:
		return fmt.Errorf("%w: it is not used before the next start", t.Err)
	case l != nil:
		if _, err := l.Plugged(); err != nil {
			return fmt.Errorf("%w: check the cable of %s", err, s.Wire(device))
		}
	}
	return nil
}

// Wire says on which wire a device hangs.
func (s *Set) Wire(device string) string {
	p := s.o.Board.Profile
	switch device {
	case Display:
		d := p.Display
		if len(d.Data) > 0 {
			return d.Controller + " on " + strings.Join(slices.Concat([]string{d.RS, d.Enable}, d.Data), " ")
		}
		return d.Controller + " on " + d.SPI + d.I2C + d.Device
	case Keypad:
		if k := p.Keypad; k.Kind == board.KindEvdev {
			return "keyboard " + k.Device + k.Name + k.USB
		}
		return fmt.Sprintf("%d rows, %d columns", len(p.Keypad.Rows), len(p.Keypad.Columns))
	case Scanner:
		if s := p.Scanner; s.Kind == board.KindEvdev {
			return "keyboard " + s.Device + s.Name + s.USB
		}
		return fmt.Sprintf("%s at %d baud", p.Scanner.Device, p.Scanner.Baud)
	case Printer:
		if p.Printer.Network+p.Printer.USB != "" {
			return p.Printer.Network + p.Printer.USB
		}
		return fmt.Sprintf("%s at %d baud", p.Printer.Device, p.Printer.Baud)
	case LEDs:
		return strings.Join(strings.Fields(p.Signal.Ready+" "+p.Signal.Approved+" "+p.Signal.Attention), " ")
	}
	return p.Signal.Buzzer
}

// Keys are those of the profile, row by row.
func (s *Set) Keys() []payterm.Key {
	var keys []payterm.Key
	if k := s.o.Board.Profile.Keypad; k != nil && s.o.Board.Keypad != nil {
		for _, row := range k.Layout() {
			for _, key := range row {
				if key != "" {
					keys = append(keys, key)
				}
			}
		}
	}
	return keys
}

// Held are the keys of a matrix whose contacts are closed now.
func (s *Set) Held() []payterm.Key {
	if m := s.keypad.Load(); m != nil {
		return m.Held()
	}
	return nil
}

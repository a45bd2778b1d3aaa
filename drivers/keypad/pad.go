package keypad

import (
	"context"
	"errors"
	"fmt"
	"time"

	"payterm"
)

// Keys is an event device with keys. ReadKey waits up to d for a key. It returns the code of
// linux/input-event-codes.h, and 1 for pressed, 0 for released, 2 for repeated. An error whose
// method Timeout() bool returns true means that none came, one with Dropped() bool that events
// were lost.
type Keys interface {
	ReadKey(d time.Duration) (code uint16, value int32, err error)
}

// Pad reads a numeric pad that the kernel treats as a keyboard; its own controller debounces. It
// is used by one goroutine.
type Pad struct {
	keys  Keys
	codes map[uint16]payterm.Key
}

// NewPad reads from keys; a key that codes does not name does nothing.
func NewPad(keys Keys, codes map[uint16]payterm.Key) *Pad { return &Pad{keys, codes} }

// padPoll bounds each wait, so that the end of the context is noticed.
const padPoll = 200 * time.Millisecond

// Run reports each press once until the context ends. An unplugged pad is an error. Lost events
// count as not pressed: a missing digit is seen on the screen, an extra one may not be.
func (p *Pad) Run(ctx context.Context, press func(payterm.Key)) error {
	for ctx.Err() == nil {
		code, value, err := p.keys.ReadKey(padPoll)
		var timeout interface{ Timeout() bool }
		var lost interface{ Dropped() bool }
		switch {
		case errors.As(err, &timeout) && timeout.Timeout(), errors.As(err, &lost) && lost.Dropped():
		case err != nil:
			return fmt.Errorf("keypad: %w", err)
		case value == 1 && p.codes[code] != "": // a held key is one press
			press(p.codes[code])
		}
	}
	return nil
}

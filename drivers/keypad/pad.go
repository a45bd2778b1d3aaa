package keypad

import (
	"context"
	"errors"
	"fmt"
	"time"

	"payterm"
)

// Keys is an event device with keys. ReadKey waits up to d for a key's number of
// linux/input-event-codes.h, and 1 when it went down, 0 when it went up, 2 when it
// repeats. An error that has a method Timeout() bool returning true means that nothing
// came, one with Dropped() bool that events were lost.
type Keys interface {
	ReadKey(d time.Duration) (code uint16, value int32, err error)
}

// Pad reads a numeric pad that the kernel knows as a keyboard: it has seen to bounce
// and ghosts. It is used by one goroutine.
type Pad struct {
	keys  Keys
	codes map[uint16]payterm.Key
}

// NewPad reads from keys; a key that codes does not name does nothing.
func NewPad(keys Keys, codes map[uint16]payterm.Key) *Pad { return &Pad{keys, codes} }

// padPoll bounds each wait, so that a context that ends is noticed.
const padPoll = 200 * time.Millisecond

// Run reports each press once, until the context ends. A pad that goes away ends it
// with an error. What the kernel had to throw away counts as not pressed: a digit that is
// missing is seen on the screen, a digit too many may not be.
func (p *Pad) Run(ctx context.Context, press func(payterm.Key)) error {
	for ctx.Err() == nil {
		code, value, err := p.keys.ReadKey(padPoll)
		var timeout interface{ Timeout() bool }
		var lost interface{ Dropped() bool }
		switch {
		case errors.As(err, &timeout) && timeout.Timeout(), errors.As(err, &lost) && lost.Dropped():
		case err != nil:
			return fmt.Errorf("keypad: %w", err)
		case value == 1 && p.codes[code] != "": // a key that is held is one press
			press(p.codes[code])
		}
	}
	return nil
}

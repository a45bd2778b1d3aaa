package scanner

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Keys is an event device that types. ReadKey waits up to d for a key. It returns the code of
// linux/input-event-codes.h, and 1 for pressed, 0 for released, 2 for repeated. Errors are those
// of a Line; a method Dropped() bool that returns true means that events were lost.
type Keys interface {
	ReadKey(d time.Duration) (code uint16, value int32, err error)
}

// Keyboard is a Line of a scanner that types as a keyboard of some country, or with Alt and
// character numbers. Enter, Ctrl+M and the like give CR, which ends a frame. It is used by one
// goroutine.
type Keyboard struct {
	keys   Keys
	layout layout
	held   map[uint16]bool // modifiers
	locked bool            // caps lock
	number []byte          // typed on the pad while Alt is held
	dead   bool            // a dead key was typed: the next space is part of it
}

// NewKeyboard reads from keys of a layout: us, uk, fr, de; us if empty.
func NewKeyboard(keys Keys, layout string) (*Keyboard, error) {
	l, err := layoutOf(layout)
	if err != nil {
		return nil, err
	}
	return &Keyboard{keys: keys, layout: l, held: map[uint16]bool{}}, nil
}

// The keys that write nothing by themselves.
const (
	keyEnter, keyKPEnter      = 28, 96
	keyTab                    = 15
	keyLeftCtrl, keyRightCtrl = 29, 97
	keyLeftShift, keyRShift   = 42, 54
	keyLeftAlt, keyRightAlt   = 56, 100
	keyLeftMeta, keyRightMeta = 125, 126
	keyCapsLock, keyNumLock   = 58, 69 // num lock does not change the codes of keys
)

const (
	unreadable = 0   // a byte that no payment code has: it makes the frame garbage
	blank      = ' ' // in a layout: the key writes nothing known
)

// The keys of the rows begin with KEY_1; those of the pad with KEY_KP7.
const (
	firstTyped, lastDigit     = 2, 13
	keySpace                  = 57
	key102nd                  = 86
	keyKPAsterisk, keyKPSlash = 55, 98
	firstPad                  = 71
	pad                       = "789-456+1230."
)

// forget clears the state after events were lost: a release may be among them.
func (k *Keyboard) forget() {
	clear(k.held)
	k.locked, k.number, k.dead = false, nil, false
}

// Read returns the byte that the next key writes; 0 bytes if it writes none.
func (k *Keyboard) Read(b []byte, d time.Duration) (int, error) {
	code, value, err := k.keys.ReadKey(d)
	var lost interface{ Dropped() bool }
	switch {
	case errors.As(err, &lost) && lost.Dropped():
		k.forget()
		b[0] = unreadable
		return 1, nil
	case err != nil:
		var timeout interface{ Timeout() bool }
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			k.forget()
		}
		return 0, err
	}
	switch code {
	case keyLeftCtrl, keyRightCtrl, keyLeftShift, keyRShift, keyLeftAlt, keyRightAlt, keyLeftMeta, keyRightMeta:
		k.held[code] = value != 0
		if code == keyLeftAlt && value == 0 && k.number != nil {
			b[0] = numbered(k.number)
			k.number = nil
			return 1, nil
		}
		return 0, nil
	case keyCapsLock:
		k.locked = k.locked != (value == 1)
		return 0, nil
	case keyNumLock:
		return 0, nil
	}
	if value != 1 { // repeats do not count
		return 0, nil
	}
	if n := len(k.number); k.held[keyLeftAlt] && !k.ctrl() && n < longestNumber {
		if c := onPad(code); c >= '0' && c <= '9' {
			k.number = append(k.number, c)
			return 0, nil
		}
	}
	dead := k.dead
	b[0] = k.typed(code)
	k.dead = strings.IndexByte(k.layout.dead, b[0]) >= 0
	if dead && b[0] == ' ' {
		return 0, nil
	}
	return 1, nil
}

// longestNumber is the most digits of a character number typed with Alt.
const longestNumber = 5

// numbered is the character with the typed number.
func numbered(digits []byte) byte {
	n, err := strconv.Atoi(string(digits))
	if err != nil || n > 0x7e {
		return unreadable
	}
	return byte(n)
}

func (k *Keyboard) ctrl() bool { return k.held[keyLeftCtrl] || k.held[keyRightCtrl] }

// typed is what a key writes.
func (k *Keyboard) typed(code uint16) byte {
	switch code {
	case keyEnter, keyKPEnter:
		return '\r'
	case keyTab:
		return '\t'
	}
	shift := k.held[keyLeftShift] || k.held[keyRShift]
	altGr := k.held[keyRightAlt] || k.ctrl() && k.held[keyLeftAlt]
	switch {
	case k.held[keyLeftMeta] || k.held[keyRightMeta] || k.held[keyLeftAlt] && !altGr:
		return unreadable
	case k.ctrl() && !altGr: // Ctrl+M is CR, Ctrl+J LF, Ctrl+I Tab
		if c := k.layout.key(code, true, false, false); c >= 'A' && c <= 'Z' {
			return c - '@'
		}
		return unreadable
	}
	if c := k.layout.key(code, shift, k.locked, altGr); c != blank {
		return c
	}
	if c := onPad(code); c != blank && !altGr {
		return c
	}
	if code == keySpace {
		return ' '
	}
	return unreadable
}

// onPad is what a key of the numeric pad writes; blank for other keys.
func onPad(code uint16) byte {
	switch at := int(code); {
	case at >= firstPad && at < firstPad+len(pad):
		return pad[at-firstPad]
	case at == keyKPAsterisk:
		return '*'
	case at == keyKPSlash:
		return '/'
	}
	return blank
}

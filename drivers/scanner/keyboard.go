package scanner

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Keys is an event device that types. ReadKey waits up to d for a key's number of
// linux/input-event-codes.h, and 1 when it went down, 0 when it went up, 2 when it
// repeats. Its errors are those of a Line; one that has a method Dropped() bool
// returning true says that events were lost.
type Keys interface {
	ReadKey(d time.Duration) (code uint16, value int32, err error)
}

// Keyboard makes a Line of a reader that types as a keyboard of some country, or with Alt
// and the numbers of characters. Enter is CR, with which a frame ends, and so are Ctrl+M and
// what else such a key writes with Ctrl. It is used by one goroutine.
type Keyboard struct {
	keys   Keys
	layout layout
	held   map[uint16]bool // modifiers
	locked bool            // caps lock
	number []byte          // typed on the pad while Alt is held
	dead   bool            // a blank that comes now belongs to what was typed before
}

// NewKeyboard reads from keys of a layout: us, uk, fr, de; us where none is said.
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
	keyCapsLock, keyNumLock   = 58, 69 // num lock is for a console; the numbers of keys stay the same
)

const (
	unreadable = 0   // stands for what no payment code has in it: it spoils its frame
	blank      = ' ' // in the rows of a layout: the key writes nothing that is known
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

// forget is what is left after events were lost: a key that went up may be among them.
func (k *Keyboard) forget() {
	clear(k.held)
	k.locked, k.number, k.dead = false, nil, false
}

// Read gives the byte that the next key writes; 0 bytes when it writes none.
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
	if value != 1 { // a reader that holds a key down does not mean it twice
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

// longestNumber is as many digits as a character is typed with while Alt is held.
const longestNumber = 5

// numbered is the character of a number that was typed so.
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
	case k.ctrl() && !altGr: // M is CR, J is LF, I is Tab
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

// onPad is what a key of the numeric pad writes; blank for another key.
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

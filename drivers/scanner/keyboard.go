package scanner

import (
	"errors"
	"time"
)

// Keys is an event device that types. ReadKey waits up to d for a key's number of
// linux/input-event-codes.h, and 1 when it went down, 0 when it went up, 2 when it
// repeats. Its errors are those of a Line; one that has a method Dropped() bool
// returning true says that events were lost.
type Keys interface {
	ReadKey(d time.Duration) (code uint16, value int32, err error)
}

// Keyboard makes a Line of a reader that types as a keyboard of the United States:
// what other layouts it can be set to is not to be known from here. Enter is CR, with
// which a frame ends. It is used by one goroutine.
type Keyboard struct {
	keys Keys
	held map[uint16]bool // modifiers
}

// NewKeyboard reads from keys.
func NewKeyboard(keys Keys) *Keyboard { return &Keyboard{keys: keys, held: map[uint16]bool{}} }

// The keys that write nothing by themselves.
const (
	keyEnter, keyKPEnter      = 28, 96
	keyLeftCtrl, keyRightCtrl = 29, 97
	keyLeftShift, keyRShift   = 42, 54
	keyLeftAlt, keyRightAlt   = 56, 100
	keyLeftMeta, keyRightMeta = 125, 126
	keyCapsLock, keyNumLock   = 58, 69 // they are for a console; the numbers of keys stay the same
)

// unreadable stands for what no payment code has in it: it spoils its frame.
const unreadable = 0

// The keys of a US keyboard from KEY_1 (2) on, without and with shift; a blank is
// none. KEY_SPACE itself (57) is beyond the last row.
const (
	firstTyped = 2
	plain      = "1234567890-=  qwertyuiop[]  asdfghjkl;'` \\zxcvbnm,./"
	shifted    = "!@#$%^&*()_+  QWERTYUIOP{}  ASDFGHJKL:\"~ |ZXCVBNM<>?"
	keySpace   = 57
	// And those of the pad, from KEY_KPASTERISK and KEY_KP7 on.
	keyKPAsterisk, keyKPSlash = 55, 98
	firstPad                  = 71
	pad                       = "789-456+1230."
)

// Read gives the byte that the next key writes; 0 bytes when it writes none.
func (k *Keyboard) Read(b []byte, d time.Duration) (int, error) {
	code, value, err := k.keys.ReadKey(d)
	var lost interface{ Dropped() bool }
	switch {
	case errors.As(err, &lost) && lost.Dropped():
		clear(k.held) // a key that went up may be among them
		b[0] = unreadable
		return 1, nil
	case err != nil:
		var timeout interface{ Timeout() bool }
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			clear(k.held)
		}
		return 0, err
	}
	switch code {
	case keyLeftCtrl, keyRightCtrl, keyLeftShift, keyRShift, keyLeftAlt, keyRightAlt, keyLeftMeta, keyRightMeta:
		k.held[code] = value != 0
		return 0, nil
	case keyCapsLock, keyNumLock:
		return 0, nil
	}
	if value != 1 { // a reader that holds a key down does not mean it twice
		return 0, nil
	}
	b[0] = k.typed(code)
	return 1, nil
}

// typed is what a key writes.
func (k *Keyboard) typed(code uint16) byte {
	if code == keyEnter || code == keyKPEnter {
		return '\r'
	}
	for _, m := range []uint16{keyLeftCtrl, keyRightCtrl, keyLeftAlt, keyRightAlt, keyLeftMeta, keyRightMeta} {
		if k.held[m] {
			return unreadable
		}
	}
	row := plain
	if k.held[keyLeftShift] || k.held[keyRShift] {
		row = shifted
	}
	switch at := int(code); {
	case at >= firstTyped && at < firstTyped+len(row) && row[at-firstTyped] != ' ':
		return row[at-firstTyped]
	case at >= firstPad && at < firstPad+len(pad):
		return pad[at-firstPad]
	case at == keySpace:
		return ' '
	case at == keyKPAsterisk:
		return '*'
	case at == keyKPSlash:
		return '/'
	}
	return unreadable
}

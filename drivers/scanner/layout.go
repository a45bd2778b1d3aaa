package scanner

import (
	"fmt"
	"strings"

	"payterm"
)

// layout is what the keys of a country's keyboard write, in Latin-1, where the layouts of Windows
// and X11 agree: scanners are set to one of those. A blank writes nothing of Latin-1. No code has
// letters with accents, but the text of a scanner that types for another keyboard has: by it the
// right one is found.
type layout struct {
	name           string
	plain, shifted string          // from KEY_1 (2) on; KEY_SPACE (57) is beyond the last row
	iso            string          // KEY_102ND (86) of European keyboards, without and with shift
	altGr          map[uint16]byte // with the right Alt key
	dead           string          // dead keys: a scanner types a space after them
	lockDigits     bool            // caps lock also shifts the row of digits
}

// layouts are those that a reader may be set to, with the word of a profile. The likelier come first: some codes
// are written alike by two of them.
var layouts = []layout{
	{
		name:    "us",
		plain:   "1234567890-=  qwertyuiop[]  asdfghjkl;'` \\zxcvbnm,./",
		shifted: "!@#$%^&*()_+  QWERTYUIOP{}  ASDFGHJKL:\"~ |ZXCVBNM<>?",
		iso:     "\\|",
	},
	{ // QWERTZ
		name:    "de",
		plain:   latin("1234567890ß´  qwertzuiopü+  asdfghjklöä^ #yxcvbnm,.-"),
		shifted: latin("!\"§$%&/()=?`  QWERTZUIOPÜ*  ASDFGHJKLÖÄ° 'YXCVBNM;:_"),
		iso:     "<>",
		altGr: map[uint16]byte{3: '\xb2', 4: '\xb3', 8: '{', 9: '[', 10: ']', 11: '}', 12: '\\', 16: '@', 27: '~',
			50: '\xb5', key102nd: '|'},
		dead: latin("^`´"),
	},
	{ // AZERTY
		name:    "fr",
		plain:   latin("&é\"'(-è_çà)=  azertyuiop^$  qsdfghjklmù² *wxcvbn,;:!"),
		shifted: latin("1234567890°+  AZERTYUIOP¨£  QSDFGHJKLM%  µWXCVBN?./§"),
		iso:     "<>",
		altGr: map[uint16]byte{3: '~', 4: '#', 5: '{', 6: '[', 7: '|', 8: '`', 9: '\\', 10: '^', 11: '@', 12: ']',
			13: '}'},
		dead:       latin("^`~¨"),
		lockDigits: true,
	},
	{
		name:    "uk",
		plain:   "1234567890-=  qwertyuiop[]  asdfghjkl;'` #zxcvbnm,./",
		shifted: latin("!\"£$%^&*()_+  QWERTYUIOP{}  ASDFGHJKL:@¬ ~ZXCVBNM<>?"),
		iso:     "\\|",
	},
}

// latin is a text of Latin-1, a byte a character.
func latin(text string) string {
	b := make([]byte, 0, len(text))
	for _, r := range text {
		b = append(b, byte(r))
	}
	return string(b)
}

// unlatin is a text of Latin-1 in UTF-8.
func unlatin(text string) string {
	var b strings.Builder
	for i := range len(text) {
		b.WriteRune(rune(text[i]))
	}
	return b.String()
}

// layoutOf finds a layout by its name; "" is us.
func layoutOf(name string) (layout, error) {
	if name == "" {
		name = "us"
	}
	var names []string
	for _, l := range layouts {
		if l.name == name {
			return l, nil
		}
		names = append(names, l.name)
	}
	return layout{}, fmt.Errorf("scanner: layout %q: %s", name, payterm.Either(names...))
}

// key is what a key of the rows writes; blank for nothing.
func (l layout) key(code uint16, shift, locked, altGr bool) byte {
	if altGr {
		if c := l.altGr[code]; c != 0 {
			return c
		}
		return blank
	}
	at := int(code) - firstTyped
	if code == key102nd {
		at = 0
	}
	row, other := l.plain, l.shifted
	if code == key102nd {
		row, other = l.iso[:1], l.iso[1:]
	}
	if at < 0 || at >= len(row) {
		return blank
	}
	letter := row[at]^0x20 == other[at] && (row[at] >= 'a' && row[at] <= 'z' || row[at] >= 0xe0)
	if locked && (letter || l.lockDigits && code <= lastDigit) {
		shift = !shift
	}
	if shift {
		return other[at]
	}
	return row[at]
}

// Readings are other texts that a scan may stand for, if the scanner types for another keyboard
// than read, or with upper and lower case exchanged. The caller has to know which one is right.
func Readings(text, read string) []Reading {
	from, err := layoutOf(read)
	if err != nil {
		return nil
	}
	var all []Reading
	for _, l := range layouts {
		there := from.retyped(l)
		typed := strings.Map(func(r rune) rune {
			if r < 0 || int(r) >= len(there) {
				return blank
			}
			return rune(there[r])
		}, text)
		for _, one := range []Reading{{typed, l.name, false}, {swapped(typed), l.name, true}} {
			if !strings.ContainsRune(one.Text, blank) && one.Text != text {
				all = append(all, one)
			}
		}
	}
	return all
}

// Reading is the text as a scanner of another layout meant it.
type Reading struct {
	Text   string
	Layout string
	Caps   bool // upper and lower case are exchanged
}

// retyped is what the key of each character here writes with the layout there; blank for nothing.
func (l layout) retyped(there layout) (to [256]byte) {
	for i := range to {
		to[i] = blank
	}
	for code := uint16(key102nd); code >= firstTyped; code-- { // the first key counts that writes it
		for _, shift := range []bool{true, false} {
			if c := l.key(code, shift, false, false); c != blank {
				to[c] = there.key(code, shift, false, false)
			}
		}
	}
	return to
}

// swapped exchanges upper and lower case.
func swapped(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r ^ 0x20
		}
		return r
	}, text)
}

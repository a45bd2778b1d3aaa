package scanner

import (
	"fmt"
	"strings"
)

// layout is what the keys of a country's keyboard write, as the layouts that Windows and
// X11 have in common: readers are set to one of those. A blank writes nothing that a code
// has in it.
type layout struct {
	plain, shifted string          // from KEY_1 (2) on; KEY_SPACE itself (57) is beyond the last row
	iso            string          // KEY_102ND (86) of European keyboards, without and with shift
	altGr          map[uint16]byte // with the right Alt key
	dead           string          // what waits for the next key: a reader types a blank behind it
	lockDigits     bool            // caps lock turns the digits' row over as well
}

// layouts are those that a reader may be set to, by the word of a profile.
var layouts = map[string]layout{
	"us": {
		plain:   "1234567890-=  qwertyuiop[]  asdfghjkl;'` \\zxcvbnm,./",
		shifted: "!@#$%^&*()_+  QWERTYUIOP{}  ASDFGHJKL:\"~ |ZXCVBNM<>?",
		iso:     "\\|",
	},
	"uk": {
		plain:   "1234567890-=  qwertyuiop[]  asdfghjkl;'` #zxcvbnm,./",
		shifted: "!\" $%^&*()_+  QWERTYUIOP{}  ASDFGHJKL:@  ~ZXCVBNM<>?",
		iso:     "\\|",
	},
	"de": { // QWERTZ
		plain:   "1234567890    qwertzuiop +  asdfghjkl  ^ #yxcvbnm,.-",
		shifted: "!\" $%&/()=?`  QWERTZUIOP *  ASDFGHJKL    'YXCVBNM;:_",
		iso:     "<>",
		altGr:   map[uint16]byte{8: '{', 9: '[', 10: ']', 11: '}', 12: '\\', 16: '@', 27: '~', key102nd: '|'},
		dead:    "^`",
	},
	"fr": { // AZERTY
		plain:   "& \"'(- _  )=  azertyuiop^$  qsdfghjklm   *wxcvbn,;:!",
		shifted: "1234567890 +  AZERTYUIOP    QSDFGHJKLM%   WXCVBN?./ ",
		iso:     "<>",
		altGr: map[uint16]byte{3: '~', 4: '#', 5: '{', 6: '[', 7: '|', 8: '`', 9: '\\', 10: '^', 11: '@', 12: ']',
			13: '}'},
		dead:       "^`~",
		lockDigits: true,
	},
}

// layoutOf finds a layout by its word; "" is that of the United States.
func layoutOf(name string) (layout, error) {
	if name == "" {
		name = "us"
	}
	l, known := layouts[name]
	if !known {
		return layout{}, fmt.Errorf("scanner: layout %q: us, uk, fr or de", name)
	}
	return l, nil
}

// key gives what a key of the rows writes; blank for nothing.
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
	letter := row[at] >= 'a' && row[at] <= 'z'
	if locked && (letter || l.lockDigits && code <= lastDigit) {
		shift = !shift
	}
	if shift {
		return other[at]
	}
	return row[at]
}

// Readings are what else a text may have been, which was read as a keyboard's of one layout:
// typed by a reader that is set to another one, or to capitals for small letters. Which of
// them is right is for somebody who knows what he expects.
func Readings(text, read string) []Reading {
	from, err := layoutOf(read)
	if err != nil {
		return nil
	}
	var all []Reading
	for _, name := range []string{"us", "de", "fr", "uk"} {
		to := layouts[name]
		typed := strings.Map(func(r rune) rune { return from.retyped(r, to) }, text)
		for _, one := range []Reading{{typed, name, false}, {swapped(typed), name, true}} {
			if !strings.ContainsRune(one.Text, blank) && one.Text != text {
				all = append(all, one)
			}
		}
	}
	return all
}

// Reading is a text as a reader of another layout types it.
type Reading struct {
	Text   string
	Layout string
	Caps   bool // capitals and small letters are exchanged
}

// retyped is what the keys that write a character here write there.
func (l layout) retyped(r rune, there layout) rune {
	if r < ' ' || r > '~' {
		return blank
	}
	if r == ' ' {
		return blank
	}
	for code := uint16(firstTyped); code <= key102nd; code++ {
		for _, shift := range []bool{false, true} {
			if rune(l.key(code, shift, false, false)) == r {
				return rune(there.key(code, shift, false, false))
			}
		}
	}
	return blank
}

// swapped exchanges capitals and small letters.
func swapped(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r ^ 0x20
		}
		return r
	}, text)
}

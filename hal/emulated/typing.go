package emulated

import (
	"fmt"
	"strings"

	"payterm/board"
)

// keyboards are the characters of each country's keyboard: without shift, with it, and with
// AltGr, as in the layouts of Windows and X11. Letters that are where a US keyboard has them are
// left out.
var keyboards = map[string]map[string]string{
	board.LayoutUS: {
		"KEY_1": "1!", "KEY_2": "2@", "KEY_3": "3#", "KEY_4": "4$", "KEY_5": "5%", "KEY_6": "6^", "KEY_7": "7&",
		"KEY_8": "8*", "KEY_9": "9(", "KEY_0": "0)",
		"KEY_MINUS": "-_", "KEY_EQUAL": "=+", "KEY_LEFTBRACE": "[{", "KEY_RIGHTBRACE": "]}", "KEY_SEMICOLON": ";:",
		"KEY_APOSTROPHE": "'\"", "KEY_GRAVE": "`~", "KEY_BACKSLASH": "\\|", "KEY_COMMA": ",<", "KEY_DOT": ".>",
		"KEY_SLASH": "/?",
	},
	board.LayoutUK: {
		"KEY_1": "1!", "KEY_2": "2\"", "KEY_3": "3£", "KEY_4": "4$€", "KEY_5": "5%", "KEY_6": "6^", "KEY_7": "7&",
		"KEY_8": "8*", "KEY_9": "9(", "KEY_0": "0)",
		"KEY_MINUS": "-_", "KEY_EQUAL": "=+", "KEY_LEFTBRACE": "[{", "KEY_RIGHTBRACE": "]}", "KEY_SEMICOLON": ";:",
		"KEY_APOSTROPHE": "'@", "KEY_GRAVE": "`¬", "KEY_BACKSLASH": "#~", "KEY_102ND": "\\|", "KEY_COMMA": ",<",
		"KEY_DOT": ".>", "KEY_SLASH": "/?",
	},
	board.LayoutDE: {
		"KEY_1": "1!", "KEY_2": "2\"²", "KEY_3": "3§³", "KEY_4": "4$", "KEY_5": "5%", "KEY_6": "6&", "KEY_7": "7/{",
		"KEY_8": "8([", "KEY_9": "9)]", "KEY_0": "0=}",
		"KEY_MINUS": "ß?\\", "KEY_EQUAL": "´`", "KEY_Q": "qQ@", "KEY_Y": "zZ", "KEY_Z": "yY", "KEY_E": "eE€",
		"KEY_LEFTBRACE": "üÜ", "KEY_RIGHTBRACE": "+*~", "KEY_SEMICOLON": "öÖ", "KEY_APOSTROPHE": "äÄ",
		"KEY_GRAVE": "^°", "KEY_BACKSLASH": "#'", "KEY_102ND": "<>|", "KEY_COMMA": ",;", "KEY_DOT": ".:",
		"KEY_SLASH": "-_",
	},
	board.LayoutFR: {
		"KEY_1": "&1", "KEY_2": "é2~", "KEY_3": "\"3#", "KEY_4": "'4{", "KEY_5": "(5[", "KEY_6": "-6|",
		"KEY_7": "è7`", "KEY_8": "_8\\", "KEY_9": "ç9^", "KEY_0": "à0@",
		"KEY_MINUS": ")°]", "KEY_EQUAL": "=+}", "KEY_Q": "aA", "KEY_W": "zZ", "KEY_A": "qQ", "KEY_Z": "wW",
		"KEY_LEFTBRACE": "^¨", "KEY_RIGHTBRACE": "$£", "KEY_SEMICOLON": "mM", "KEY_APOSTROPHE": "ù%",
		"KEY_GRAVE": "²", "KEY_BACKSLASH": "*µ", "KEY_102ND": "<>", "KEY_M": ",?", "KEY_COMMA": ";.",
		"KEY_DOT": ":/", "KEY_SLASH": "!§",
	},
}

// dead are the dead keys: followed by a space they write the accent itself.
var dead = map[string]string{board.LayoutDE: "^`´", board.LayoutFR: "^¨`~"}

// Keys that are held while others are typed.
const (
	leftCtrl, leftShift, leftAlt, rightAlt = 29, 42, 56, 100
	enterKey, tabKey, spaceKey, noKey      = 28, 15, 57, 190 // F20 is in no keyboard of the table
)

// with types a key while others are held.
func with(code uint16, held ...uint16) []event {
	var all []event
	for _, h := range held {
		all = append(all, event{kindKey, h, 1})
	}
	all = append(all, event{kindKey, code, 1}, event{kindKey, code, 0})
	for i := len(held) - 1; i >= 0; i-- {
		all = append(all, event{kindKey, held[i], 0})
	}
	return all
}

// keys are the key events of a text typed with these habits; profile is the expected layout.
func (h Habits) keys(profile, text, ends string) []event {
	layout := profile
	if h.Layout != "" {
		layout = h.Layout
	}
	var all []event
	for _, c := range []byte(text) {
		all = append(all, h.strokes(layout, c)...)
	}
	switch ends {
	case "":
	case "ctrl_m":
		code := keyCodes["KEY_M"]
		if layout == board.LayoutFR {
			code = keyCodes["KEY_SEMICOLON"]
		}
		all = append(all, with(code, leftCtrl)...)
	default:
		for _, c := range []byte(Endings[ends]) {
			all = append(all, h.strokes(layout, c)...)
		}
	}
	return all
}

// strokes are the key events of a character.
func (h Habits) strokes(layout string, c byte) []event {
	letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	switch {
	case c == '\r' || c == '\n':
		return with(enterKey)
	case c == '\t':
		return with(tabKey)
	case h.Alt && c >= ' ' && c <= '~':
		var digits []event
		for _, d := range fmt.Sprintf("%04d", c) {
			digits = append(digits, with(keyCodes["KEY_KP"+string(d)])...)
		}
		return append(append([]event{{kindKey, leftAlt, 1}}, digits...), event{kindKey, leftAlt, 0})
	case c == ' ':
		return with(spaceKey)
	case letter && h.Caps:
		c ^= 0x20
	}
	for name, code := range keyCodes {
		writes, other := keyboards[layout][name]
		if one := strings.TrimPrefix(name, "KEY_"); !other && len(one) == 1 {
			writes = strings.ToLower(one) + one
		}
		for i, r := range []rune(writes) {
			if r != rune(c) {
				continue
			}
			all := with(code, [][]uint16{nil, {leftShift}, {rightAlt}}[i]...)
			if strings.ContainsRune(dead[layout], r) {
				all = append(all, with(spaceKey)...)
			}
			return all
		}
	}
	return with(noKey)
}

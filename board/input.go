package board

import (
	"encoding/hex"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"payterm"
	"payterm/hal"
)

// Keypad is a key matrix between rows and columns of GPIO lines, or a numeric keypad that the kernel handles as
// a keyboard.
type Keypad struct {
	Kind         string          `toml:"kind"` // matrix, evdev
	Rows         []string        `toml:"rows"`
	Columns      []string        `toml:"columns"`
	Keys         [][]payterm.Key `toml:"keys"`          // of a matrix, by row and column; "" is no key
	ScanInterval Duration        `toml:"scan_interval"` // of a matrix; default 5ms
	Debounce     Duration        `toml:"debounce"`      // of a matrix; default 20ms

	// Of an evdev keypad: one of Device, Name and USB, as in hal.EventDevice.
	Device string `toml:"device"`
	Name   string `toml:"name"`
	USB    string `toml:"usb"`
	// Map assigns our keys to the kernel's (KEY_KP1 = "1"). Keys that it does not name are ignored. The default
	// is numericPad.
	Map map[string]payterm.Key `toml:"map"`
}

// numericPad is the usual keypad of 17 or 18 keys. Some makers report its digits as those above the letters.
var numericPad = map[string]payterm.Key{
	"KEY_KP0": "0", "KEY_KP1": "1", "KEY_KP2": "2", "KEY_KP3": "3", "KEY_KP4": "4",
	"KEY_KP5": "5", "KEY_KP6": "6", "KEY_KP7": "7", "KEY_KP8": "8", "KEY_KP9": "9",
	"KEY_0": "0", "KEY_1": "1", "KEY_2": "2", "KEY_3": "3", "KEY_4": "4",
	"KEY_5": "5", "KEY_6": "6", "KEY_7": "7", "KEY_8": "8", "KEY_9": "9",
	"KEY_KPENTER": payterm.KeyEnter, "KEY_ENTER": payterm.KeyEnter, "KEY_BACKSPACE": payterm.KeyClear,
	"KEY_KPMINUS": payterm.KeyCancel, "KEY_ESC": payterm.KeyCancel, "KEY_KPDOT": payterm.Key00,
	"KEY_KPSLASH": payterm.KeyF1, "KEY_KPASTERISK": payterm.KeyF2, "KEY_KPPLUS": payterm.KeyF3,
	"KEY_UP": payterm.KeyUp, "KEY_DOWN": payterm.KeyDown,
}

// Events returns the event device of an evdev keypad.
func (k *Keypad) Events() hal.EventDevice {
	return hal.EventDevice{Device: k.Device, Name: k.Name, USB: k.USB}
}

// Codes returns the keys of an evdev keypad by the kernel's key codes.
func (k *Keypad) Codes() map[uint16]payterm.Key {
	codes := map[uint16]payterm.Key{}
	for name, key := range k.Map {
		codes[uint16(hal.KeyCodes[name])] = key
	}
	return codes
}

// Has reports whether the keypad has a key. A board without a keypad (nil) has none.
func (k *Keypad) Has(key payterm.Key) bool {
	return k != nil && slices.Contains(slices.Concat(k.Layout()...), key)
}

// Layout returns the positions of the keys: of a matrix as it is wired, of an evdev keypad in the usual order.
// "" is no key.
func (k *Keypad) Layout() [][]payterm.Key {
	if k.Kind != KindEvdev {
		return k.Keys
	}
	var rows [][]payterm.Key
	mapped := slices.Collect(maps.Values(k.Map))
	for _, row := range [][]payterm.Key{
		{"7", "8", "9", "CANCEL"},
		{"4", "5", "6", "CLEAR"},
		{"1", "2", "3", "ENTER"},
		{"0", "00", "UP", "DOWN"},
		{"F1", "F2", "F3", "F4"},
	} {
		row = slices.Clone(row)
		for i, key := range row {
			if !slices.Contains(mapped, key) {
				row[i] = ""
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// Scanner is a 2D scanner on a serial line (or on USB as a CDC device), or one that types as a keyboard.
type Scanner struct {
	Kind    string   `toml:"kind"`   // serial or evdev; default serial
	Device  string   `toml:"device"` // a serial line; with evdev one of Device, Name, USB, as in hal.EventDevice
	Name    string   `toml:"name"`
	USB     string   `toml:"usb"`
	Baud    int      `toml:"baud"`
	Framing string   `toml:"framing"` // what ends a code (Framings); with evdev it is Enter
	Gap     Duration `toml:"gap"`     // with framing gap: the pause that ends a code; default 50ms
	AIM     bool     `toml:"aim"`     // it sends a symbology identifier before a code, such as ]Q1, which is removed
	Layout  string   `toml:"layout"`  // with evdev: the keyboard layout in which it types (Layouts); default us
	// Commands that make a serial scanner start and stop looking for a code: ASCII, with control characters
	// written as \u0016, or bytes in hex as "0x16 54 0d".
	TriggerStart string   `toml:"trigger_start"`
	TriggerStop  string   `toml:"trigger_stop"`
	TriggerAgain Duration `toml:"trigger_again"` // when trigger_start is repeated, if the scanner stops by itself
	TriggerReply string   `toml:"trigger_reply"` // its answer to these commands, if it is none of the known ones
}

// Events returns the event device of an evdev scanner.
func (s *Scanner) Events() hal.EventDevice {
	return hal.EventDevice{Device: s.Device, Name: s.Name, USB: s.USB}
}

// Trigger returns the commands as bytes; nil for none.
func (s *Scanner) Trigger() (start, stop []byte, err error) {
	start, one := command(s.TriggerStart)
	stop, two := command(s.TriggerStop)
	return start, stop, errors.Join(one, two)
}

// Reply returns the scanner's answer to them; nil if the profile does not set it.
func (s *Scanner) Reply() ([]byte, error) { return command(s.TriggerReply) }

var errCommand = errors.New(`ASCII text with control characters written as \u0016, or hex such as "0x16 54 0d", ` +
	`of 64 bytes at the most`)

// command parses a command to a scanner.
func command(text string) ([]byte, error) {
	b := []byte(text)
	if digits, is := strings.CutPrefix(text, "0x"); is {
		var err error
		if b, err = hex.DecodeString(strings.ReplaceAll(digits, " ", "")); err != nil || len(b) == 0 {
			return nil, errCommand
		}
	} else if slices.ContainsFunc(b, func(c byte) bool { return c > 0x7f }) {
		return nil, errCommand
	}
	if len(b) > 64 {
		return nil, errCommand
	}
	return b, nil
}

// Signal is a buzzer and LEDs. Buzzer is a line that switches an active buzzer, or a PWM channel that drives a
// passive one. The LEDs repeat the tone of the screen (ready, approved, attention) and are on while their line
// is high. An active-low output is on while its line is low.
type Signal struct {
	Buzzer    string `toml:"buzzer"`
	BuzzerLow bool   `toml:"buzzer_active_low"`
	Ready     string `toml:"led_ready"`
	Approved  string `toml:"led_approved"`
	Attention string `toml:"led_attention"`
	LEDsLow   bool   `toml:"leds_active_low"`
}

// Passive reports whether the buzzer is a passive one, which must be driven with the frequency of its tone.
func (s *Signal) Passive() bool { return isPWM(s.Buzzer) }

var (
	pwmName = regexp.MustCompile(`^pwmchip[0-9]+:[0-9]+$`)
	usbName = regexp.MustCompile(`^[0-9a-fA-F]{4}:[0-9a-fA-F]{4}$`)
)

// isPWM reports whether a name is that of a PWM channel.
func isPWM(name string) bool { return strings.HasPrefix(name, "pwmchip") }

// output checks a line that may be a PWM channel, or missing.
func (c *checker) output(key, name string) {
	switch {
	case !isPWM(name):
		c.pin(key, name, true)
	case !pwmName.MatchString(name):
		c.bad(key, "%q: a PWM channel is chip and number, such as pwmchip0:1", name)
	default:
		c.wire(key, name)
	}
}

func (c *checker) signal(s *Signal) {
	c.output("signal.buzzer", s.Buzzer)
	c.pin("signal.led_ready", s.Ready, true)
	c.pin("signal.led_approved", s.Approved, true)
	c.pin("signal.led_attention", s.Attention, true)
	if s.BuzzerLow && s.Buzzer == "" {
		c.bad("signal.buzzer_active_low", "without buzzer there is no line for it")
	}
	if s.LEDsLow && s.Ready+s.Approved+s.Attention == "" {
		c.bad("signal.leds_active_low", "without an LED there is no line for it")
	}
}

func (c *checker) dimming(d *Display) {
	after := d.DimAfter.Duration
	switch given := c.file.Has("display.dim_after"); {
	case !given && c.file.Has("display.dim_to"):
		c.bad("display.dim_to", "without dim_after it is never dimmed")
	case !given:
	case !isPWM(d.Backlight):
		c.bad("display.dim_after",
			"the backlight %q is on or off: one that dims hangs on a PWM channel, such as pwmchip0:1", d.Backlight)
	case after < time.Second || after > 24*time.Hour:
		c.bad("display.dim_after", "%s: 1s to 24h", after)
	default:
		c.number("display.dim_to", &d.DimTo, displayDimTo)
	}
}

// noMeaning refuses keys that do not apply to this kind of device, whatever their values.
func (c *checker) noMeaning(section, kind string, keys ...string) {
	for _, key := range keys {
		if c.file.Has(section + "." + key) {
			c.bad(section+"."+key, "has no meaning for %s", kind)
		}
	}
}

// events checks that an event device is named in exactly one way.
func (c *checker) events(section string, e hal.EventDevice) {
	n := 0
	for _, name := range []string{e.Device, e.Name, e.USB} {
		if name != "" {
			n++
		}
	}
	switch {
	case n == 0:
		c.bad(section+".device", "is missing: device, name or usb says which event device it is")
	case n != 1:
		c.bad(section+".device", "%d of device, name, usb are given: one of them says which event device it is", n)
	case e.Device != "" && !strings.HasPrefix(e.Device, "/dev/input/"):
		c.bad(section+".device", "%q: an event device, such as /dev/input/by-id/usb-...-event-kbd", e.Device)
	case e.USB != "" && !usbName.MatchString(e.USB):
		c.bad(section+".usb", "%q: vendor and product as lsusb has them, such as 0c2e:0b61", e.USB)
	case e.Device != "":
		c.wire(section+".device", e.Device)
	case e.Name != "":
		c.wire(section+".name", e.Name)
	default:
		c.wire(section+".usb", strings.ToLower(e.USB))
	}
}

func (c *checker) keypad(k *Keypad) {
	switch k.Kind {
	case KindMatrix:
		c.noMeaning("keypad", k.Kind, "device", "name",
			"usb", "map")
		c.matrix(k)
	case KindEvdev:
		c.noMeaning("keypad", k.Kind, "rows", "columns",
			"keys", "scan_interval",
			"debounce")
		c.events("keypad", k.Events())
		c.keyMap(k)
	default:
		c.oneOf("keypad.kind", k.Kind, KeypadKinds...)
	}
}

func (c *checker) keyMap(k *Keypad) {
	if k.Map == nil {
		k.Map = maps.Clone(numericPad)
	}
	seen := map[payterm.Key]bool{}
	for _, name := range slices.Sorted(maps.Keys(k.Map)) {
		key := k.Map[name]
		if _, known := hal.KeyCodes[name]; !known {
			c.bad("keypad.map."+name, "is no key of linux/input-event-codes.h up to 127, such as KEY_KP1")
		}
		c.key("keypad.map."+name, key)
		seen[key] = true
	}
	c.enoughKeys("keypad.map", seen)
}

func (c *checker) key(at string, key payterm.Key) {
	if !key.Valid() {
		c.bad(at, "%q is no key: 0-9, 00, CLEAR, CANCEL, ENTER, F1 to F4, UP, DOWN", key)
	}
}

// enoughKeys refuses a keypad whose keys are not enough to make a sale.
func (c *checker) enoughKeys(at string, seen map[payterm.Key]bool) {
	for _, key := range payterm.Keys {
		digit := key.Digits() != "" && key != payterm.Key00
		if (digit || key == payterm.KeyEnter || key == payterm.KeyCancel) && !seen[key] {
			c.bad(at, "the key %s is missing: no sale can be made without it", key)
		}
	}
}

func (c *checker) matrix(k *Keypad) {
	for _, side := range []struct {
		key   string
		names []string
	}{{"keypad.rows", k.Rows}, {"keypad.columns", k.Columns}} {
		if n := len(side.names); n < 1 || n > 16 {
			c.bad(side.key, "%d lines: 1 to 16", n)
		}
		for _, name := range side.names {
			c.pin(side.key, name, false)
		}
	}
	c.matrixKeys(k)
	c.duration("keypad.scan_interval", &k.ScanInterval, time.Millisecond, 50*time.Millisecond, 5*time.Millisecond)
	if k.Debounce.Duration == 0 && !c.file.Has("keypad.debounce") {
		k.Debounce.Duration = 20 * time.Millisecond
	}
	if d := k.Debounce.Duration; d < k.ScanInterval.Duration || d > 200*time.Millisecond {
		c.bad("keypad.debounce", "%s: from one scan_interval (%s) to 200ms", d, k.ScanInterval.Duration)
	}
}

func (c *checker) matrixKeys(k *Keypad) {
	if len(k.Keys) != len(k.Rows) {
		c.bad("keypad.keys", "%d rows of keys for %d lines in rows", len(k.Keys), len(k.Rows))
	}
	seen := map[payterm.Key]bool{}
	for i, row := range k.Keys {
		if len(row) != len(k.Columns) {
			c.bad("keypad.keys", "row %d has %d keys for %d columns", i+1, len(row), len(k.Columns))
		}
		for _, key := range row {
			if key != "" {
				c.key("keypad.keys", key)
				if seen[key] {
					c.bad("keypad.keys", "%s is listed twice", key)
				}
			}
			seen[key] = true
		}
	}
	c.enoughKeys("keypad.keys", seen)
}

func (c *checker) scanner(s *Scanner) {
	c.word("scanner.kind", &s.Kind, ScannerKinds)
	switch s.Kind {
	case KindSerial:
		c.noMeaning("scanner", s.Kind, "name", "usb",
			"layout")
		c.serial("scanner", s.Device, s.Baud)
		c.word("scanner.framing", &s.Framing, Framings)
		c.gap(s)
		c.trigger(s)
	case KindEvdev:
		c.noMeaning("scanner", s.Kind, "baud", "framing",
			"gap", "trigger_start",
			"trigger_stop", "trigger_again",
			"trigger_reply")
		c.word("scanner.layout", &s.Layout, Layouts)
		c.events("scanner", s.Events())
	}
}

func (c *checker) gap(s *Scanner) {
	if s.Framing != FramingGap {
		c.noMeaning("scanner", "framing "+s.Framing, "gap")
		return
	}
	c.duration("scanner.gap", &s.Gap, 10*time.Millisecond, time.Second, 50*time.Millisecond)
}

func (c *checker) trigger(s *Scanner) {
	for key, text := range map[string]string{"trigger_start": s.TriggerStart, "trigger_stop": s.TriggerStop,
		"trigger_reply": s.TriggerReply} {
		if _, err := command(text); err != nil {
			c.bad("scanner."+key, "%q: %v", text, err)
		}
	}
	// Payment codes begin with a digit, or with the h of an EMV code (docs/protocol.md, section 12).
	if answer, err := s.Reply(); err == nil && len(answer) > 0 &&
		(answer[0] >= '0' && answer[0] <= '9' || answer[0] == 'h') {
		c.bad("scanner.trigger_reply", "%q begins like a payment code, and codes would be taken for it", s.TriggerReply)
	}
	again, given := s.TriggerAgain.Duration, c.file.Has("scanner.trigger_again")
	switch {
	case s.TriggerStart == "" && (s.TriggerStop != "" || s.TriggerReply != "" || given):
		c.bad("scanner.trigger_start",
			"is missing: a reader that is never told to start needs no trigger_stop, trigger_again, trigger_reply")
	case given && (again < time.Second || again > 10*time.Minute):
		c.bad("scanner.trigger_again", "%s: 1s to 10m", again)
	}
}

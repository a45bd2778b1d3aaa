package payterm

// Key is a key of the terminal's keypad, named as on the control interface.
type Key string

// The keys. A board has the ones that its profile maps.
const (
	Key0      Key = "0"
	Key1      Key = "1"
	Key2      Key = "2"
	Key3      Key = "3"
	Key4      Key = "4"
	Key5      Key = "5"
	Key6      Key = "6"
	Key7      Key = "7"
	Key8      Key = "8"
	Key9      Key = "9"
	Key00     Key = "00"
	KeyClear  Key = "CLEAR"
	KeyCancel Key = "CANCEL"
	KeyEnter  Key = "ENTER"
	KeyF1     Key = "F1"
	KeyF2     Key = "F2"
	KeyF3     Key = "F3"
	KeyF4     Key = "F4"
	KeyUp     Key = "UP"
	KeyDown   Key = "DOWN"
)

// Keys lists every key.
var Keys = [...]Key{
	Key0, Key1, Key2, Key3, Key4, Key5, Key6, Key7, Key8, Key9, Key00,
	KeyClear, KeyCancel, KeyEnter, KeyF1, KeyF2, KeyF3, KeyF4, KeyUp, KeyDown,
}

// Valid reports whether k is a key that a profile may map.
func (k Key) Valid() bool {
	for _, known := range Keys {
		if k == known {
			return true
		}
	}
	return false
}

// Digits is the text that a digit key types: "7", "00", or nothing.
func (k Key) Digits() string {
	if k == Key00 || (len(k) == 1 && k[0] >= '0' && k[0] <= '9') {
		return string(k)
	}
	return ""
}

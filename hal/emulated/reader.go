package emulated

import (
	"bytes"
	"fmt"
	"slices"
	"sync"

	"payterm/board"
)

// Habits are deviations of a scanner from the profile. The zero value has none.
type Habits struct {
	Model  string // one of Readers: how it answers commands
	Before string // sent before each code, such as a NUL from a glitch
	Ends   string // ends a code instead of what the profile says: one of Endings

	// For one that types:
	Layout string // the keyboard that it types for instead of the profile's: us, uk, fr, de
	Caps   bool   // upper and lower case exchanged
	Alt    bool   // Alt and the character's number on the pad
}

// Readers are the models whose answers are known from their manuals.
var Readers = []string{"gm65", "ssi", "newland", "opticon"}

// Endings are what a code can end with.
var Endings = map[string]string{
	"cr": "\r", "lf": "\n", "crlf": "\r\n", "lfcr": "\n\r", "tab": "\t", "ctrl_m": "\r", "stx_etx": "\x03", "gap": "",
}

// reader is the scanner's interpreter: what its host sends, and its settings.
type reader struct {
	mu     sync.Mutex
	habits Habits
	heard  []byte // everything received, for tests
	order  []byte // a command that is incomplete
	said   func([]byte) error
}

// SetScanner sets how the scanner deviates.
func (b *Board) SetScanner(h Habits) error {
	s := b.c.Profile.Scanner
	_, ends := Endings[h.Ends]
	_, writes := keyboards[h.Layout]
	switch {
	case s == nil:
		return errNoScanner
	case h.Model != "" && !slices.Contains(Readers, h.Model):
		return fmt.Errorf("model: %v", Readers)
	case h.Ends != "" && !ends:
		return fmt.Errorf("ends %q is none", h.Ends)
	case h.Layout != "" && !writes:
		return fmt.Errorf("layout %q: us, uk, fr or de", h.Layout)
	case s.Kind != board.KindEvdev && (h.Layout != "" || h.Caps || h.Alt || h.Ends == "ctrl_m"),
		s.Kind == board.KindEvdev && h.Model != "":
		return fmt.Errorf("a scanner of kind %s has no such habit", s.Kind)
	}
	b.reader.mu.Lock()
	defer b.reader.mu.Unlock()
	b.reader.habits = h
	return nil
}

func (r *reader) set() Habits {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.habits
}

// Scan makes the scanner read a code and send it in the frame of the profile, or of its Habits,
// with the AIM identifier of a QR code if the profile has that.
func (b *Board) Scan(code string) error {
	s := b.c.Profile.Scanner
	if s == nil {
		return errNoScanner
	}
	h := b.reader.set()
	ends := s.Framing
	if s.Kind == board.KindEvdev {
		ends = "cr"
	}
	if h.Ends != "" {
		ends = h.Ends
	}
	before := h.Before
	if s.Framing == board.FramingSTXETX {
		before += "\x02"
	}
	if s.AIM {
		before += "]Q1"
	}
	if s.Kind == board.KindEvdev {
		return b.events[s.Events()].send(h.keys(s.Layout, before+code, ends))
	}
	return b.serial[s.Device].send([]byte(before + code + Endings[ends]))
}

// ScanBytes makes the scanner send bytes unframed: halves of frames, garbage. One that types has
// Enter for CR and LF, and F20 for what no keyboard has.
func (b *Board) ScanBytes(w []byte) error {
	s := b.c.Profile.Scanner
	if s == nil {
		return errNoScanner
	}
	if s.Kind == board.KindEvdev {
		return b.events[s.Events()].send(b.reader.set().keys(s.Layout, string(w), ""))
	}
	return b.serial[s.Device].send(w)
}

// FloodScanner types faster than any reader reads: the kernel drops what its buffer of 64 events
// does not hold.
func (b *Board) FloodScanner(w []byte) error {
	s := b.c.Profile.Scanner
	if s == nil || s.Kind != "evdev" {
		return errNoScanner
	}
	return b.events[s.Events()].flood(b.reader.set().keys(s.Layout, string(w), ""))
}

// Received returns the bytes that a serial scanner got from the host, such as trigger commands,
// oldest first.
func (b *Board) Received() []byte {
	b.reader.mu.Lock()
	defer b.reader.mu.Unlock()
	return slices.Clone(b.reader.heard)
}

// Write is what the host sends. The scanner answers as its model does.
func (r *reader) Write(b []byte) (int, error) {
	r.mu.Lock()
	if len(r.heard)+len(b) <= 4096 {
		r.heard = append(r.heard, b...)
	}
	var says []byte
	if answer := models[r.habits.Model]; answer != nil {
		for r.order = append(r.order, b...); len(r.order) > 0; {
			n, a := answer(r.order)
			if n == 0 {
				break // incomplete
			}
			says, r.order = append(says, a...), r.order[n:]
		}
	}
	r.mu.Unlock()
	if len(says) > 0 {
		r.said(says) //nolint:errcheck // an unplugged scanner sends nothing
	}
	return len(b), nil
}

// models interpret what was received since the last command: the length of a command, 0 if it is
// incomplete, and the answer.
var models = map[string]func(heard []byte) (n int, answer []byte){
	"gm65": gm65, "ssi": ssi, "newland": newland, "opticon": opticon,
}

// gm65 is after the user manuals of Grow's GM65 (V1.3) and Newland's EM3095: 7E 00, type,
// number of bytes, address, bytes, FCS of all from the type on, or AB CD for none.
func gm65(heard []byte) (int, []byte) {
	at := bytes.Index(heard, []byte{0x7e, 0x00})
	switch {
	case at < 0 && heard[len(heard)-1] == 0x7e:
		return len(heard) - 1, nil
	case at < 0:
		return len(heard), nil
	case at > 0:
		return at, nil // noise
	case len(heard) < 4 || len(heard) < 8+int(heard[3]):
		return 0, nil
	}
	n := 8 + int(heard[3])
	body, fcs := heard[2:n-2], [2]byte{heard[n-2], heard[n-1]}
	switch {
	case fcs != [2]byte{0xab, 0xcd} && fcs != fcsOf(body):
		return n, grown(1, 0)
	case body[0] == 7: // read bytes of the zone, which are 0 here
		return n, grown(0, make([]byte, max(1, int(body[4])))...)
	case body[0] == 8, body[0] == 9: // write to the zone, save it
		return n, grown(0, 0)
	}
	return n, grown(3, 0)
}

// grown is a reply: 02 00, type, number of bytes, bytes, FCS.
func grown(kind byte, data ...byte) []byte {
	body := append([]byte{kind, byte(len(data))}, data...)
	fcs := fcsOf(body)
	return append(append([]byte{0x02, 0x00}, body...), fcs[0], fcs[1])
}

// fcsOf divides by x16 + x12 + x5 + 1, bit by bit.
func fcsOf(b []byte) [2]byte {
	rest := 0
	for _, c := range append(slices.Clone(b), 0, 0) {
		for bit := 7; bit >= 0; bit-- {
			rest = rest<<1 | int(c)>>bit&1
			if rest > 0xffff {
				rest ^= 0x11021
			}
		}
	}
	return [2]byte{byte(rest >> 8), byte(rest)}
}

// ssi is after Zebra's Simple Serial Interface Programmer's Guide: a packet's first byte is its
// length without the two bytes of the checksum, which makes the sum of all 0.
func ssi(heard []byte) (int, []byte) {
	n := int(heard[0]) + 2
	switch {
	case heard[0] < 4:
		return 1, nil // the NUL that wakes it
	case len(heard) < n:
		return 0, nil
	}
	sum := int(heard[n-2])<<8 | int(heard[n-1])
	for _, c := range heard[:n-2] {
		sum += int(c)
	}
	if sum&0xffff != 0 {
		return n, []byte{0x05, 0xd1, 0x00, 0x00, 0x01, 0xff, 0x29} // NAK: resend
	}
	return n, []byte{0x04, 0xd0, 0x00, 0x00, 0xff, 0x2c} // ACK
}

// newland is after the user manual of Newland's HR52: ~ SOH 0000, command, ; ETX comes back
// behind STX with an ACK in front of the semicolon.
func newland(heard []byte) (int, []byte) {
	n := bytes.IndexByte(heard, 0x03) + 1
	command := bytes.TrimSuffix(heard[:n], []byte(";\x03"))
	switch {
	case n == 0:
		return 0, nil
	case !bytes.HasPrefix(command, []byte("~\x010000")) || len(command) == n:
		return n, nil
	}
	return n, append(append([]byte{0x02}, command[1:]...), "\x06;\x03"...)
}

// opticon is ESC, command, CR, which a reader that is set to acknowledge answers with ACK.
func opticon(heard []byte) (int, []byte) {
	switch n := bytes.IndexByte(heard, '\r') + 1; {
	case n == 0:
		return 0, nil
	case heard[0] != 0x1b:
		return n, []byte{0x15}
	default:
		return n, []byte{0x06}
	}
}

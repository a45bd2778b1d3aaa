// Package provision is the format of the parcel that makes a terminal of a merchant's
// board: signed, encrypted, expiring, and short enough for one QR code
// (docs/provisioning.md has its bytes). It also seals the sign key for its rest on the
// terminal.
//
// Make writes a parcel. Read takes it apart, Check says whether this terminal may have
// it, Open decrypts it with the code; each says no with a Refused, which has a Reason
// that a screen can put into words. Where files lie, what time it is and whether a
// configuration is right is for the caller.
//
// The encryption is age's, under a code of 12 digits and scrypt; the signature is
// Ed25519 over all that goes before it.
package provision

import (
	"bytes"
	"compress/flate"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"filippo.io/age"
)

// Prefix begins each parcel; no payment code does.
const Prefix = "PPV1"

// MaxText is the most characters of a parcel. A QR code of level L could hold 4296
// capitals and digits; at 2048 a reader still sees its dots.
const MaxText = 2048

// MaxLife is the longest that a parcel can last.
const MaxLife = 90 * 24 * time.Hour

const (
	version    = 1
	printSize  = 8 // of a signer's fingerprint
	deviceSize = 5
	headSize   = 1 + printSize + 8 + 4 + deviceSize
	// work is scrypt's: 32 MB and, on a slow board, some seconds.
	work = 15
	// maxContent bounds what comes out of the compression.
	maxContent = 16 << 10
	signed     = "payterm parcel v1\x00"
)

// Reason says why a parcel was refused.
type Reason string

// The reasons, in the order in which they are looked for.
const (
	Unreadable    Reason = "unreadable"     // no parcel, or cut short
	Foreign       Reason = "foreign"        // of a signer that the terminal does not know
	Altered       Reason = "altered"        // the signature is wrong
	ForAnother    Reason = "for_another"    // made for another device
	Older         Reason = "older"          // this one or a newer one was installed
	ClockNotSet   Reason = "clock_not_set"  // whether it has expired cannot be told
	Expired       Reason = "expired"        //
	WrongCode     Reason = "wrong_code"     //
	BadContent    Reason = "bad_content"    // signed and decrypted, and nothing that can be used
	OrdersOpen    Reason = "orders_open"    // another merchant's, while orders of this one are open
	NotWritten    Reason = "not_written"    // the disk
	TooManyWrong  Reason = "too_many_wrong" // codes: scan again
	CannotConfirm Reason = "no_keypad"      // there is nothing to type the code at
)

// Reasons lists them.
var Reasons = [...]Reason{
	Unreadable, Foreign, Altered, ForAnother, Older, ClockNotSet, Expired, WrongCode, BadContent, OrdersOpen,
	NotWritten, TooManyWrong, CannotConfirm,
}

// Refused is why a parcel was not taken. Detail is for the person who makes or installs it
// and has no secrets.
type Refused struct {
	Reason Reason
	Detail string
}

// Error is for the person who makes or installs a parcel.
func (r Refused) Error() string { return "the parcel is refused: " + r.Detail }

// refuse makes a Refused.
func refuse(reason Reason, format string, args ...any) error {
	return Refused{reason, fmt.Sprintf(format, args...)}
}

// Content is what a parcel brings. It shows its sign key to nobody.
type Content struct {
	SignKey string // 16 characters
	Config  []byte // TOML, without paths
}

// String hides the content.
func (Content) String() string { return "(content of a parcel)" }

// GoString hides the content from %#v.
func (Content) GoString() string { return "(content of a parcel)" }

// MarshalText hides the content from encoders.
func (Content) MarshalText() ([]byte, error) { return []byte("(content of a parcel)"), nil }

// signKeySize is the gateway's (protocol sheet, section 1.3).
const signKeySize = 16

// Code is the 12 digits that open a parcel, typed at the keypad.
type Code string

// CodeDigits is how many.
const CodeDigits = 12

// String hides the code.
func (Code) String() string { return "(code)" }

// GoString hides the code from %#v.
func (Code) GoString() string { return "(code)" }

// MarshalText hides the code from encoders.
func (Code) MarshalText() ([]byte, error) { return []byte("(code)"), nil }

// Reveal is the code in groups of four, for the person who carries it.
func (c Code) Reveal() string { return string(c[:4]) + " " + string(c[4:8]) + " " + string(c[8:]) }

// ParseCode takes digits, and blanks and hyphens between them.
func ParseCode(text string) (Code, error) {
	text = strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimSpace(text))
	if len(text) != CodeDigits || strings.ContainsFunc(text, func(r rune) bool { return r < '0' || r > '9' }) {
		return "", fmt.Errorf("the code has %d digits", CodeDigits)
	}
	return Code(text), nil
}

// DrawCode draws a code; each is as likely.
func DrawCode(random io.Reader) (Code, error) {
	var digits []byte
	for len(digits) < CodeDigits {
		var b [1]byte
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return "", fmt.Errorf("draw a code: %w", err)
		}
		if b[0] < 250 { // a multiple of 10
			digits = append(digits, '0'+b[0]%10)
		}
	}
	return Code(digits), nil
}

// Terms are what the head of a parcel says.
type Terms struct {
	Made    time.Time     // to the millisecond; also the serial number
	Life    time.Duration // to the second
	Device  Device        // zero: whichever has the code
	Expires time.Time     // Made and Life; Make leaves it aside
}

// Make makes a parcel's text.
func Make(t Terms, c Content, code Code, signer ed25519.PrivateKey) (string, error) {
	switch {
	case t.Life < time.Second || t.Life > MaxLife:
		return "", fmt.Errorf("a parcel lasts a second at the least and %v at the most", MaxLife)
	case len(c.SignKey) != signKeySize:
		return "", fmt.Errorf("the sign key has %d characters, %d are needed", len(c.SignKey), signKeySize)
	case len(c.Config) > maxContent-signKeySize:
		return "", fmt.Errorf("the configuration has %d bytes, %d at the most", len(c.Config), maxContent-signKeySize)
	}
	public := signer.Public().(ed25519.PublicKey)
	print := fingerprint(public)
	b := append([]byte{version}, print[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(t.Made.UnixMilli()))
	b = binary.BigEndian.AppendUint32(b, uint32(t.Life/time.Second))
	b = append(b, t.Device[:]...)
	body, err := encrypt(c, code)
	if err != nil {
		return "", fmt.Errorf("encrypt the parcel: %w", err)
	}
	b = append(b, body...)
	b = append(b, ed25519.Sign(signer, append([]byte(signed), b...))...)
	text := Prefix + encoding.EncodeToString(b)
	if len(text) > MaxText {
		return "", fmt.Errorf("the parcel has %d characters, one QR code holds %d: shorten the configuration",
			len(text), MaxText)
	}
	return text, nil
}

var encoding = base32.StdEncoding.WithPadding(base32.NoPadding)

func encrypt(c Content, code Code) ([]byte, error) {
	var packed bytes.Buffer
	w, err := flate.NewWriterDict(&packed, flate.BestCompression, dictionary)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(append([]byte(c.SignKey), c.Config...)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	to, err := age.NewScryptRecipient(string(code))
	if err != nil {
		return nil, err
	}
	to.SetWorkFactor(work)
	var sealed bytes.Buffer
	body, err := age.Encrypt(&sealed, to)
	if err != nil {
		return nil, err
	}
	if _, err := body.Write(packed.Bytes()); err != nil {
		return nil, err
	}
	if err := body.Close(); err != nil { // writes the end
		return nil, err
	}
	return sealed.Bytes(), nil
}

// Parcel is one that was read. Nothing that it says counts before Check.
type Parcel struct {
	Terms
	signer    [printSize]byte
	body      []byte
	before    []byte // what the signature covers
	signature []byte
}

// Serial is the parcel's number: a later one is larger.
func (p *Parcel) Serial() uint64 { return uint64(p.Made.UnixMilli()) }

// LooksLike tells a parcel, whole or not, from whatever else a scanner reads.
func LooksLike(text string) bool { return strings.HasPrefix(strings.TrimSpace(text), Prefix) }

// Read takes a parcel's text apart. White space around it does no harm.
func Read(text string) (*Parcel, error) {
	text = strings.TrimSpace(text)
	coded, ours := strings.CutPrefix(text, Prefix)
	switch {
	case !ours:
		return nil, refuse(Unreadable, "it does not begin with %s", Prefix)
	case len(text) > MaxText:
		return nil, refuse(Unreadable, "it has %d characters, %d at the most", len(text), MaxText)
	}
	b, err := encoding.DecodeString(coded)
	// The second: base32 has several texts for some bytes, a parcel has one.
	if err != nil || encoding.EncodeToString(b) != coded {
		return nil, refuse(Unreadable, "it is no base32")
	}
	if len(b) <= headSize+ed25519.SignatureSize || b[0] != version {
		return nil, refuse(Unreadable, "it is cut short, or of another version of payterm")
	}
	end := len(b) - ed25519.SignatureSize
	p := &Parcel{before: b[:end], signature: b[end:], body: b[headSize:end]}
	rest := b[1:]
	rest = rest[copy(p.signer[:], rest):]
	made, life := binary.BigEndian.Uint64(rest), binary.BigEndian.Uint32(rest[8:])
	copy(p.Device[:], rest[12:])
	if made > 1<<47 || life == 0 || time.Duration(life)*time.Second > MaxLife { // 2^47 ms: the year 6429
		return nil, refuse(Unreadable, "its times are none")
	}
	p.Made, p.Life = time.UnixMilli(int64(made)).UTC(), time.Duration(life)*time.Second
	p.Expires = p.Made.Add(p.Life)
	return p, nil
}

// Receiver is the terminal that a parcel is held against.
type Receiver struct {
	Signers   []ed25519.PublicKey
	Device    Device
	Installed uint64    // serial of what was installed last; 0: nothing was
	Now       time.Time // zero while the clock is not set
}

// clockSlack is how far the clocks of two machines may be apart.
const clockSlack = 10 * time.Minute

// Check says whether this terminal may have the parcel. The code is for Open to try.
func (p *Parcel) Check(t Receiver) error {
	var signer ed25519.PublicKey
	for _, s := range t.Signers {
		if fingerprint(s) == p.signer {
			signer = s
		}
	}
	switch {
	case signer == nil && len(t.Signers) == 0:
		return refuse(Foreign, "this terminal trusts no signer: /etc/payterm/signers, or --trust FILE")
	case signer == nil:
		return refuse(Foreign, "its signer %X is none of those that this terminal trusts", p.signer)
	case !ed25519.Verify(signer, append([]byte(signed), p.before...), p.signature):
		return refuse(Altered, "its signature is wrong: it was altered, or misread")
	case p.Device != Device{} && p.Device != t.Device:
		return refuse(ForAnother, "it is for device %s, this one is %s", p.Device, t.Device)
	case p.Serial() <= t.Installed:
		return refuse(Older, "it was made at %s, and one of %s is installed", p.Made.Format(time.RFC3339),
			time.UnixMilli(int64(t.Installed)).UTC().Format(time.RFC3339))
	case t.Now.IsZero() || t.Now.Before(p.Made.Add(-clockSlack)):
		return refuse(ClockNotSet,
			"the clock is not set, so that nobody can tell whether it has expired: connect the network, or set it")
	case !t.Now.Before(p.Expires):
		return refuse(Expired, "it expired at %s", p.Expires.Format(time.RFC3339))
	}
	return nil
}

// Open decrypts a parcel that Check let pass.
func (p *Parcel) Open(code Code) (Content, error) {
	with, err := age.NewScryptIdentity(string(code))
	if err != nil {
		return Content{}, refuse(WrongCode, "the code is wrong")
	}
	with.SetMaxWorkFactor(work) // more would be for a larger machine
	r, err := age.Decrypt(bytes.NewReader(p.body), with)
	var other *age.NoIdentityMatchError
	switch {
	case errors.As(err, &other), errors.Is(err, age.ErrIncorrectIdentity):
		return Content{}, refuse(WrongCode, "the code is wrong")
	case err != nil:
		return Content{}, refuse(BadContent, "what it encloses is not encrypted as it should be")
	}
	unpacked := flate.NewReaderDict(r, dictionary)
	defer unpacked.Close()
	b, err := io.ReadAll(io.LimitReader(unpacked, maxContent+1))
	if err != nil || len(b) > maxContent || len(b) < signKeySize {
		return Content{}, refuse(BadContent, "what it encloses cannot be unpacked")
	}
	return Content{string(b[:signKeySize]), b[signKeySize:]}, nil
}

// Device names a terminal by its device key, which it does not tell.
type Device [deviceSize]byte

// DeviceOf is the name of the device that has this key.
func DeviceOf(key []byte) (d Device) {
	h := sha256.Sum256(append([]byte("payterm device code\x00"), key...))
	copy(d[:], h[:])
	return d
}

// String is the device's code as it stands on the screen, ABCD-EFGH.
func (d Device) String() string {
	text := encoding.EncodeToString(d[:])
	return text[:4] + "-" + text[4:]
}

// ParseDevice reads a device's code, with or without the hyphen.
func ParseDevice(text string) (d Device, err error) {
	text = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(text))
	b, err := encoding.DecodeString(text)
	if err != nil || len(b) != deviceSize {
		return d, fmt.Errorf("%q is no device code: 8 signs of A-Z and 2-7, as on the terminal's screen", text)
	}
	copy(d[:], b)
	return d, nil
}

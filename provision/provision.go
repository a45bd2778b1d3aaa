// Package provision is the format of the parcel that turns a board into a merchant's terminal: signed,
// encrypted, with an expiry time, and short enough for one QR code (docs/provisioning.md describes its bytes).
// It also encrypts the sign key for storage on the terminal.
//
// Make writes a parcel. Read parses it, Check decides whether this terminal may install it, and Open decrypts
// it with the code. Each returns a Refused with a Reason, which a screen can put into words. The caller decides
// where files are, what time it is, and whether the configuration is valid.
//
// Parcels are encrypted with age under a code of 12 digits (scrypt), and signed with Ed25519 over everything
// before the signature.
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

// Prefix begins each parcel. No payment code begins with it.
const Prefix = "PPV1"

// MaxText is the largest length of a parcel, in characters. A QR code of level L holds 4296 capitals and
// digits, but at 2048 a scanner can still resolve its modules.
const MaxText = 2048

// MaxLife is the longest life of a parcel.
const MaxLife = 90 * 24 * time.Hour

const (
	version    = 1
	printSize  = 8 // of a signer's fingerprint, in bytes
	deviceSize = 5
	headSize   = 1 + printSize + 8 + 4 + deviceSize
	// work is scrypt's work factor: 32 MB, and some seconds on a slow board.
	work = 15
	// maxContent bounds the decompressed content, in bytes.
	maxContent = 16 << 10
	signed     = "payterm parcel v1\x00"
)

// Reason is why a parcel was refused.
type Reason string

// The reasons, in the order in which they are checked.
const (
	Unreadable    Reason = "unreadable"    // not a parcel, or cut off
	Foreign       Reason = "foreign"       // of a signer that the terminal does not trust
	Altered       Reason = "altered"       // the signature is wrong
	ForAnother    Reason = "for_another"   // made for another device
	Older         Reason = "older"         // this parcel or a newer one is installed
	ClockNotSet   Reason = "clock_not_set" // so expiry cannot be checked
	Expired       Reason = "expired"
	WrongCode     Reason = "wrong_code"
	BadContent    Reason = "bad_content"    // signed and decrypted, but unusable
	OrdersOpen    Reason = "orders_open"    // of another merchant, while orders of this one are open
	NotWritten    Reason = "not_written"    // to the disk
	TooManyWrong  Reason = "too_many_wrong" // codes: the parcel must be scanned again
	CannotConfirm Reason = "no_keypad"      // to type the code
)

// Reasons lists all reasons.
var Reasons = [...]Reason{
	Unreadable, Foreign, Altered, ForAnother, Older, ClockNotSet, Expired, WrongCode, BadContent, OrdersOpen,
	NotWritten, TooManyWrong, CannotConfirm,
}

// Refused is the error for a parcel that was not installed. Detail is for the person who makes or installs it,
// and contains no secrets.
type Refused struct {
	Reason Reason
	Detail string
}

// Error returns a text for the person who makes or installs a parcel.
func (r Refused) Error() string { return "the parcel is refused: " + r.Detail }

func refuse(reason Reason, format string, args ...any) error {
	return Refused{reason, fmt.Sprintf(format, args...)}
}

// Content is the content of a parcel. Printers and encoders do not show it, since it contains the sign key.
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

// signKeySize is the length of the sign key in bytes (protocol sheet, section 1.3).
const signKeySize = 16

// Code is the 12 digits that decrypt a parcel. They are typed at the keypad.
type Code string

// CodeDigits is the length of a code.
const CodeDigits = 12

// String hides the code.
func (Code) String() string { return "(code)" }

// GoString hides the code from %#v.
func (Code) GoString() string { return "(code)" }

// MarshalText hides the code from encoders.
func (Code) MarshalText() ([]byte, error) { return []byte("(code)"), nil }

// Reveal returns the code in groups of four, for the person who brings it.
func (c Code) Reveal() string { return string(c[:4]) + " " + string(c[4:8]) + " " + string(c[8:]) }

// ParseCode accepts digits with blanks and hyphens between them.
func ParseCode(text string) (Code, error) {
	text = strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimSpace(text))
	if len(text) != CodeDigits || strings.ContainsFunc(text, func(r rune) bool { return r < '0' || r > '9' }) {
		return "", fmt.Errorf("the code has %d digits", CodeDigits)
	}
	return Code(text), nil
}

// DrawCode draws a random code; all codes are equally likely.
func DrawCode(random io.Reader) (Code, error) {
	var digits []byte
	for len(digits) < CodeDigits {
		var b [1]byte
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return "", fmt.Errorf("draw a code: %w", err)
		}
		if b[0] < 250 { // the largest multiple of 10: all digits are equally likely
			digits = append(digits, '0'+b[0]%10)
		}
	}
	return Code(digits), nil
}

// Terms are the values in the head of a parcel.
type Terms struct {
	Made    time.Time     // to the millisecond; it is also the serial
	Life    time.Duration // to the second
	Device  Device        // zero: any device
	Expires time.Time     // Made plus Life; Make ignores it
}

// Make returns the text of a new parcel.
func Make(t Terms, c Content, code Code, signer ed25519.PrivateKey) (string, error) {
	switch {
	case t.Life < time.Second || t.Life > MaxLife:
		return "", fmt.Errorf("a parcel lasts at least a second and at most %v", MaxLife)
	case len(c.SignKey) != signKeySize:
		return "", fmt.Errorf("the sign key has %d characters, %d are needed", len(c.SignKey), signKeySize)
	case len(c.Config) > maxContent-signKeySize:
		return "", fmt.Errorf("the configuration has %d bytes, at most %d are allowed", len(c.Config), maxContent-signKeySize)
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
	if err := body.Close(); err != nil { // it writes the last chunk
		return nil, err
	}
	return sealed.Bytes(), nil
}

// Parcel is a parcel that was read. Its values are not trusted before Check.
type Parcel struct {
	Terms
	signer    [printSize]byte
	body      []byte
	before    []byte // what the signature covers
	signature []byte
}

// Serial returns the parcel's number. A later parcel has a larger one.
func (p *Parcel) Serial() uint64 { return uint64(p.Made.UnixMilli()) }

// LooksLike reports whether a scanned text is a parcel, complete or not.
func LooksLike(text string) bool { return strings.HasPrefix(strings.TrimSpace(text), Prefix) }

// Read parses a parcel's text. White space around it is ignored.
func Read(text string) (*Parcel, error) {
	text = strings.TrimSpace(text)
	coded, ours := strings.CutPrefix(text, Prefix)
	switch {
	case !ours:
		return nil, refuse(Unreadable, "it does not begin with %s", Prefix)
	case len(text) > MaxText:
		return nil, refuse(Unreadable, "it has %d characters, at most %d are allowed", len(text), MaxText)
	}
	b, err := encoding.DecodeString(coded)
	// Several base32 texts can decode to the same bytes; only one is a parcel.
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
		return nil, refuse(Unreadable, "its times are invalid")
	}
	p.Made, p.Life = time.UnixMilli(int64(made)).UTC(), time.Duration(life)*time.Second
	p.Expires = p.Made.Add(p.Life)
	return p, nil
}

// Receiver is the terminal that a parcel is checked for.
type Receiver struct {
	Signers   []ed25519.PublicKey
	Device    Device
	Installed uint64    // serial of the installed parcel; 0: none
	Now       time.Time // zero while the clock is not set
}

// clockSlack is the allowed difference between the clocks of two machines.
const clockSlack = 10 * time.Minute

// Check decides whether this terminal may install the parcel. It does not need the code; Open does.
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

// Open decrypts a parcel that passed Check.
func (p *Parcel) Open(code Code) (Content, error) {
	with, err := age.NewScryptIdentity(string(code))
	if err != nil {
		return Content{}, refuse(WrongCode, "the code is wrong")
	}
	with.SetMaxWorkFactor(work) // a larger one would need too much memory here
	r, err := age.Decrypt(bytes.NewReader(p.body), with)
	var other *age.NoIdentityMatchError
	switch {
	case errors.As(err, &other), errors.Is(err, age.ErrIncorrectIdentity):
		return Content{}, refuse(WrongCode, "the code is wrong")
	case err != nil:
		return Content{}, refuse(BadContent, "its content is not encrypted correctly")
	}
	unpacked := flate.NewReaderDict(r, dictionary)
	defer unpacked.Close()
	b, err := io.ReadAll(io.LimitReader(unpacked, maxContent+1))
	if err != nil || len(b) > maxContent || len(b) < signKeySize {
		return Content{}, refuse(BadContent, "its content cannot be decompressed")
	}
	return Content{string(b[:signKeySize]), b[signKeySize:]}, nil
}

// Device identifies a terminal. It is derived from the device key and does not reveal it.
type Device [deviceSize]byte

// DeviceOf returns the device with this key.
func DeviceOf(key []byte) (d Device) {
	h := sha256.Sum256(append([]byte("payterm device code\x00"), key...))
	copy(d[:], h[:])
	return d
}

// String returns the device code as the screen shows it, ABCD-EFGH.
func (d Device) String() string {
	text := encoding.EncodeToString(d[:])
	return text[:4] + "-" + text[4:]
}

// ParseDevice parses a device code, with or without the hyphen.
func ParseDevice(text string) (d Device, err error) {
	text = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(text))
	b, err := encoding.DecodeString(text)
	if err != nil || len(b) != deviceSize {
		return d, fmt.Errorf("%q is no device code: 8 characters of A-Z and 2-7, as on the terminal's screen", text)
	}
	copy(d[:], b)
	return d, nil
}

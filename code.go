package payterm

import "strings"

// PayCode is the customer's single-use payment code (auth_code) as it was
// scanned. It is money for a minute: String, formatting and JSON show only its
// masked tail. Reveal is called in few files; law_test.go lists them with their
// reasons (codeGates).
type PayCode struct{ text string }

// NewPayCode keeps a scanned text, without the white space and line ends that
// scanners add and otherwise untouched (sheet section 12).
func NewPayCode(scanned string) PayCode { return PayCode{strings.TrimSpace(scanned)} }

// Reveal is the whole code, for the gateway and for whoever has to know whether a
// scan is a payment code at all. It is never shown, logged or kept.
func (c PayCode) Reveal() string { return c.text }

// IsZero reports whether there is no code.
func (c PayCode) IsZero() bool { return c.text == "" }

// String is the masked form: the last four characters, or nothing of a code too
// short to hide the rest.
func (c PayCode) String() string {
	if c.text == "" {
		return ""
	}
	if len(c.text) < 12 {
		return "****"
	}
	signs := []rune(c.text)
	return "****" + string(signs[max(0, len(signs)-4):])
}

// GoString keeps %#v from showing the code.
func (c PayCode) GoString() string { return "payterm.PayCode(" + c.String() + ")" }

// MarshalText writes the masked form.
func (c PayCode) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads back what MarshalText wrote: a masked code, good for
// reading, never for paying.
func (c *PayCode) UnmarshalText(b []byte) error { c.text = string(b); return nil }

// CodeRange tells a wallet's numeric codes by length and first two digits.
type CodeRange struct {
	Channel                 Channel
	MinLength, MaxLength    int
	FirstPrefix, LastPrefix int // of the first two digits, inclusive
}

// CodeRanges are the numeric forms of sheet section 12. They do not overlap.
var CodeRanges = []CodeRange{
	{WeChatPay, 18, 18, 10, 15},
	{Alipay, 16, 24, 25, 30},
	{UnionPay, 19, 19, 62, 62},
}

// emvConsumerCode begins the Base64 form of an EMV consumer-presented code:
// the bytes 85 05 "CPV01" (sheet section 12).
const emvConsumerCode = "hQVDUFYwM"

// Channel tells whose code it is, and false where the sheet's forms do not say:
// a merchant's link, a card number, a misread.
func (c PayCode) Channel() (Channel, bool) {
	s := c.text
	if strings.HasPrefix(s, emvConsumerCode) {
		return UnionPay, true
	}
	if len(s) < 2 || !digitsOnly(s) {
		return "", false
	}
	prefix := int(s[0]-'0')*10 + int(s[1]-'0')
	for _, r := range CodeRanges {
		if len(s) >= r.MinLength && len(s) <= r.MaxLength && prefix >= r.FirstPrefix && prefix <= r.LastPrefix {
			return r.Channel, true
		}
	}
	return "", false
}

// Package ottpay implements the protocol of OTT Pay's in-store API: envelope, digest, cipher, HTTP. It returns
// the outcome of each request as a payterm.Answer and decides nothing further: whether an answer ends an order
// is decided in flows/order.
//
// A reply counts only if its digest fits, its order id is that of the request and, if it names a merchant, that
// is ours. Response codes are outside the digest. They are trusted only over verified TLS (or on loopback; New
// and the dialler allow nothing else), and alone they can become at most payterm.Refused, Rejected or NotFound.
// Nothing outside this package sees a response code.
//
// A payment is written at most once: every request has its own connection, HTTP/1.1, without redirects, proxies
// or anything else that net/http would repeat. Whether a byte of it was written is observed at the connection,
// not guessed.
//
// Section numbers in comments are those of the protocol sheet: the project's notes on what OTT Pay's pages and
// public clients say.
package ottpay

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"payterm"
)

// The actions (section 1.1).
const (
	actionActive  = "ACTIVEPAY"
	actionPassive = "PASSIVEPAY"
	actionQuery   = "STATUS_QUERY"
	actionRefund  = "REFUND"
	actionRate    = "EX_RATE_QUERY"
)

// SignKey is the merchant's sign key. It is hidden from every printer and encoder; only a conversion to string
// reveals it.
type SignKey string

// String hides the key.
func (SignKey) String() string { return "(sign key)" }

// Format hides the key from every verb of package fmt.
func (k SignKey) Format(s fmt.State, _ rune) { io.WriteString(s, k.String()) } //nolint:errcheck // as package fmt does

// MarshalText hides the key from encoders.
func (SignKey) MarshalText() ([]byte, error) { return []byte("(sign key)"), nil }

// Config configures a client.
type Config struct {
	URL         string // https, or http on loopback
	MerchantID  string
	OperatorID  string
	TerminalNo  string // outer field, left out if empty
	SignKey     SignKey
	CallBackURL string            // required for ACTIVEPAY
	Currency    payterm.Currency  // the merchant's; an amount in another currency is not sent. Empty: any
	Versions    map[string]string // by action; "1.0" if missing
	CAs         *x509.CertPool    // nil for the system's

	ConnectTimeout time.Duration // for name, TCP and TLS; 5 s if zero
	Timeout        time.Duration // for the whole request; 15 s if zero

	// Dial opens the connection below TLS; nil for the network. Simulations dial into themselves.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Built is the build date. If Now is earlier, and a certificate is not valid yet, the clock is not set.
	Built time.Time
	Now   func() time.Time
	// Unsynced reports whether, as far as the system knows, no time server sets the clock; nil if the system
	// cannot tell. If it returns true, a certificate outside its validity is reported as a fault of the clock.
	Unsynced func() bool
}

// Client makes requests. It keeps no connection and no state between them, and is safe for concurrent use.
type Client struct {
	c   Config
	tls *tls.Config // nil for plain HTTP on loopback
}

// Format prints only the client's address: package fmt would print the key in an unexported field. It has a
// value receiver so that it works for a copy too.
func (c Client) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "ottpay.Client(%s)", c.c.URL) }

// ErrConfig names the field of Config that cannot be used.
var ErrConfig = errors.New("ottpay: configuration")

// New checks the configuration and makes a client.
func New(c Config) (*Client, error) {
	bad := func(field, why string) (*Client, error) { return nil, fmt.Errorf("%w: %s: %s", ErrConfig, field, why) }
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || len(c.URL) > maxURL:
		return bad("url", "not an address such as https://frontapi.ottpay.com:443/processV2")
	case u.User != nil:
		return bad("url", "it must not contain a user name or password")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return bad("url", "http:// is accepted for a gateway on loopback only")
	case u.Scheme != "https" && u.Scheme != "http":
		return bad("url", "https:// is needed")
	case c.MerchantID == "":
		return bad("merchant_id", "is missing")
	case len(c.SignKey) != 16 || strings.ContainsFunc(string(c.SignKey), notKey):
		return bad("sign_key_file", "the key has 16 letters and digits")
	case c.CallBackURL == "":
		return bad("call_back_url", "the gateway requires one, any https address of the merchant's")
	case !utf8.ValidString(c.OperatorID): // the digest would be computed over another text than JSON carries
		return bad("operator_id", "is not UTF-8")
	case !utf8.ValidString(c.CallBackURL):
		return bad("call_back_url", "is not UTF-8")
	case c.Currency != "" && !c.Currency.Valid():
		return bad("currency", "an ISO 4217 code such as CAD is needed")
	case c.Now == nil:
		return bad("Now", "a clock is needed")
	}
	if c.Unsynced == nil {
		c.Unsynced = func() bool { return false }
	}
	if c.ConnectTimeout <= 0 {
		c.ConnectTimeout = 5 * time.Second
	}
	if c.Timeout <= 0 {
		c.Timeout = 15 * time.Second
	}
	c.Versions = maps.Clone(c.Versions)
	if c.Dial == nil {
		dialer := &net.Dialer{KeepAlive: -1}
		if u.Scheme == "http" {
			dialer.ControlContext = loopbackOnly
		}
		c.Dial = dialer.DialContext
	}
	client := &Client{c: c}
	if u.Scheme == "https" {
		client.tls = &tls.Config{
			ServerName: u.Hostname(), RootCAs: c.CAs, Time: c.Now,
			MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		}
	}
	return client, nil
}

// maxURL, in bytes, keeps the request's first line within net/http's first write.
const maxURL = 1024

// notKey reports whether a sign key cannot contain a character, such as a line end.
func notKey(r rune) bool { return r <= ' ' || r > '~' }

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// body returns the bytes of a request.
func (c *Client) body(action string, pairs []pair) ([]byte, error) {
	data, md5Text, err := seal(pairs, string(c.c.SignKey))
	if err != nil {
		return nil, err
	}
	version := c.c.Versions[action]
	if version == "" {
		version = "1.0"
	}
	r := request{Action: action, Version: version, MerchantID: c.c.MerchantID, Data: data, MD5: md5Text}
	if action == actionActive || action == actionPassive {
		// Clients differ on where operator_id belongs, so it is sent in both places (section 15 no. 8).
		r.OperatorID, r.TerminalNo = c.c.OperatorID, c.c.TerminalNo
	}
	return marshalRequest(r)
}

// bizTypes are the gateway's names of the channels that it offers (section 3.1).
var bizTypes = map[payterm.Channel]string{
	payterm.Alipay:    "ALIPAY",
	payterm.WeChatPay: "WECHATPAY",
	payterm.UnionPay:  "UNIONPAY",
}

// unfit returns why a payment must not be sent, or "". Callers have checked this already; what moves money is
// checked again before it is sent.
func (c *Client) unfit(p payterm.Payment) string {
	switch {
	case bizTypes[p.Wallet] == "":
		return "the wallet is unknown"
	case p.Mode != payterm.Active && p.Mode != payterm.Passive:
		return "the mode is unknown"
	case p.Mode == payterm.Passive && !sendable(p.Code.Reveal()):
		return "there is no payment code that could be sent"
	}
	return c.unfitAmount(p.OrderID, p.Total, p.MaxFeeMinor)
}

func (c *Client) unfitAmount(id payterm.OrderID, total payterm.Amount, maxFee int64) string {
	switch {
	case !id.Valid():
		return "the order id cannot be used"
	case total.Minor <= 0 || total.Minor > payterm.MaxMinor || maxFee < 0 || maxFee > payterm.MaxMinor:
		return "the amount cannot be charged"
	case c.c.Currency != "" && total.Currency != c.c.Currency:
		return "the amount is not in the merchant's currency"
	}
	return ""
}

// maxPayCode is well above the longest known code, an EMV consumer code, in bytes.
const maxPayCode = 1024

// sendable reports whether a payment code can be sent. It refuses an empty code and one that was read back from
// its masked form: payment codes are printable ASCII and have no asterisk.
func sendable(code string) bool {
	return code != "" && len(code) <= maxPayCode && !strings.ContainsFunc(code, func(r rune) bool {
		return r <= ' ' || r > '~' || r == '*'
	})
}

// paymentPairs returns the inner fields of sections 3.1 and 4.1. The amount is sale plus tip. No tip field is
// sent, since it is unknown whether the gateway would add it.
func (c *Client) paymentPairs(p payterm.Payment) (string, []pair) {
	pairs := []pair{{"order_id", string(p.OrderID)}}
	if c.c.OperatorID != "" {
		pairs = append(pairs, pair{"operator_id", c.c.OperatorID})
	}
	pairs = append(pairs, pair{"amount", strconv.FormatInt(p.Total.Minor, 10)}, pair{"biz_type", bizTypes[p.Wallet]})
	if p.Mode == payterm.Active {
		return actionActive, append(pairs, pair{"call_back_url", c.c.CallBackURL})
	}
	return actionPassive, append(pairs, pair{"auth_code", p.Code.Reveal()})
}

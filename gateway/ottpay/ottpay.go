// Package ottpay speaks the protocol of OTT Pay's in-store API: envelope,
// digest, cipher, HTTP. It gives back what a request came to as a
// payterm.Answer, and decides nothing: whether an answer ends an order is for
// package flows.
//
// A reply counts only if its digest fits, its order id is ours and, where it
// says so, its merchant too. Response codes lie outside the digest, so they are
// believed only over verified TLS (or on loopback) and only as far as
// docs/protocol.md says. Nothing outside this package sees one.
//
// A payment is written at most once: every request has a fresh connection,
// HTTP/1.1, no redirects, no proxy, nothing that net/http would replay; and
// whether a byte of it left is taken from the connection, not guessed.
package ottpay

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

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

// SignKey is the merchant's secret. It shows itself to nobody.
type SignKey string

// String hides the key.
func (SignKey) String() string { return "(sign key)" }

// GoString hides the key from %#v.
func (SignKey) GoString() string { return "(sign key)" }

// MarshalText hides the key from encoders.
func (SignKey) MarshalText() ([]byte, error) { return []byte("(sign key)"), nil }

// Config is what a client needs to know.
type Config struct {
	URL         string // https, or http on loopback
	MerchantID  string
	OperatorID  string
	TerminalNo  string // outer field, left out when empty
	SignKey     SignKey
	CallBackURL string            // ACTIVEPAY requires one
	Versions    map[string]string // by action; "1.0" where none is given
	CAs         *x509.CertPool    // nil for the system's

	ConnectTimeout time.Duration // 5 s when zero: name, TCP and TLS
	Timeout        time.Duration // 15 s when zero: the whole request

	// Built is the build date: a certificate that is not yet valid while Now is
	// earlier means that the clock is not set.
	Built time.Time
	Now   func() time.Time
}

// Client makes requests. It keeps no connection and no state between them.
type Client struct {
	c    Config
	http *http.Client
}

// ErrConfig says which field of Config cannot be used.
var ErrConfig = errors.New("ottpay: configuration")

// New checks the configuration.
func New(c Config) (*Client, error) {
	bad := func(field, why string) (*Client, error) { return nil, fmt.Errorf("%w: %s: %s", ErrConfig, field, why) }
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "":
		return bad("url", "not an address such as https://frontapi.ottpay.com:443/processV2")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return bad("url", "http:// is accepted for a gateway on loopback only")
	case u.Scheme != "https" && u.Scheme != "http":
		return bad("url", "https:// is needed")
	case c.MerchantID == "":
		return bad("merchant_id", "is missing")
	case len(c.SignKey) != 16:
		return bad("sign_key_file", "the key has 16 characters")
	case c.CallBackURL == "":
		return bad("call_back_url", "the gateway requires one, any https address of the merchant's")
	case c.Now == nil:
		return bad("Now", "a clock is needed")
	}
	if c.ConnectTimeout <= 0 {
		c.ConnectTimeout = 5 * time.Second
	}
	if c.Timeout <= 0 {
		c.Timeout = 15 * time.Second
	}
	return &Client{c: c, http: newHTTP(c)}, nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// body makes the bytes of a request.
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
		r.OperatorID, r.TerminalNo = c.c.OperatorID, c.c.TerminalNo
	}
	return marshalRequest(r)
}

// paymentPairs are the inner fields of sections 3.1 and 4.1. The amount is sale
// plus tip; no tip field is sent, since whether the gateway adds it is unknown.
func (c *Client) paymentPairs(p payterm.Payment) (string, []pair) {
	pairs := []pair{{"order_id", string(p.OrderID)}}
	if c.c.OperatorID != "" {
		pairs = append(pairs, pair{"operator_id", c.c.OperatorID})
	}
	pairs = append(pairs, pair{"amount", strconv.FormatInt(p.Total.Minor, 10)}, pair{"biz_type", string(p.Wallet)})
	if p.Mode == payterm.Active {
		return actionActive, append(pairs, pair{"call_back_url", c.c.CallBackURL})
	}
	return actionPassive, append(pairs, pair{"auth_code", p.Code.Reveal()})
}

// Callback is what the gateway posted to call_back_url. It is a reason to
// inquire, never an approval: the outer code is unprotected and the inner data
// may lack a status (section 9).
type Callback struct {
	OrderID        payterm.OrderID
	AmountMinor    int64
	ChannelOrderID string
	FinishTime     string // as received: its zone is not known
	Status         string // often missing
}

// DecodeCallback reads a callback's body and checks digest and merchant.
func (c *Client) DecodeCallback(body []byte) (Callback, error) {
	if len(body) > maxBody {
		return Callback{}, fmt.Errorf("callback: larger than %d bytes", maxBody)
	}
	r, err := openReply(body, string(c.c.SignKey))
	if err != nil {
		return Callback{}, fmt.Errorf("callback: %w", err)
	}
	if r.inner == nil {
		return Callback{}, errors.New("callback: it has no data")
	}
	if m := r.inner.str("merchant_id"); m != "" && m != c.c.MerchantID {
		return Callback{}, fmt.Errorf("callback: %w: it names another merchant", errForged)
	}
	cb := Callback{
		OrderID:        payterm.OrderID(r.inner.str("order_id")),
		ChannelOrderID: r.inner.str("bizpay_order_id", "biz_order_id"),
		FinishTime:     r.inner.str("finish_time"),
		Status:         r.inner.str("order_status"),
	}
	if cb.OrderID == "" {
		return Callback{}, errors.New("callback: it names no order")
	}
	var ok bool
	if cb.AmountMinor, ok = r.inner.minor("amount"); !ok {
		return Callback{}, errors.New("callback: it has no amount")
	}
	return cb, nil
}

// Rate is an exchange rate for display: the wallet fixes the real one.
type Rate struct {
	Currency payterm.Currency `json:"currency"`
	// CNY is what one unit costs, times 10^8 (section 8).
	CNY int64 `json:"cny_e8"`
}

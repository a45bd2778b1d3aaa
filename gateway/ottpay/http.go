package ottpay

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"payterm"
)

// maxBody bounds a reply, in bytes.
const maxBody = 64 << 10

// failure is the reason why a request has no readable reply. If nothing was written, it is safe to dial again.
type failure struct {
	why     string // our own words, never text from the gateway
	written bool
	final   bool // dialling again will not help
	tooOld  bool // the request is too old to be sent
	clock   bool // the clock is wrong or not set
	alarm   bool // a transmission fault does not explain it
}

// post writes one request and reads its reply, at most maxBody bytes. It uses the transport directly, so no
// redirect is followed and no cookie kept. A request with an age is not written once it is too old.
func (c *Client) post(ctx context.Context, body []byte, age payterm.CodeAge) ([]byte, *failure) {
	ctx, cancel := context.WithTimeout(ctx, c.c.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.c.URL, bytes.NewReader(body))
	if err != nil {
		return nil, &failure{why: "the gateway's address cannot be used", final: true}
	}
	req.GetBody = nil // net/http must not send the body again
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	g := gate{age: age}
	resp, err := c.transport(ctx, &g).RoundTrip(req)
	if err != nil {
		written := !g.shut()
		if !written && errors.Is(err, errTooOld) {
			return nil, &failure{why: errTooOld.Error(), tooOld: true}
		}
		return nil, c.explain(err, written)
	}
	defer resp.Body.Close()
	lost := func(alarm bool, format string, args ...any) ([]byte, *failure) {
		return nil, &failure{why: fmt.Sprintf(format, args...), written: true, alarm: alarm}
	}
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return lost(true, "the gateway's address answered with a redirect (HTTP %d), which is not followed",
			resp.StatusCode)
	case resp.StatusCode != http.StatusOK:
		return lost(false, "HTTP %d in place of a reply", resp.StatusCode)
	}
	reply, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		return lost(false, "the reply broke off: %s", brokeOff(err))
	case len(reply) > maxBody:
		return lost(false, "the reply is larger than %d bytes", maxBody)
	}
	return reply, nil
}

// gate is passed once, before the first byte of a request is written. If it is shut before that, no byte of the
// request was or will be written, even if net/http tries. The bytes of a TLS handshake do not pass it.
type gate struct {
	state atomic.Uint32
	age   payterm.CodeAge // nil if the request may be sent at any time
}

const (
	gateUntouched uint32 = iota
	gatePassed
	gateShut
)

func (g *gate) pass() bool {
	return g.state.CompareAndSwap(gateUntouched, gatePassed) || g.state.Load() == gatePassed
}

// tooOld reports whether the request is too old to be sent. It is called before the first byte, since looking
// up the name and connecting may have taken long.
func (g *gate) tooOld() bool { return g.age != nil && !g.passed() && g.age.TooOld() }

func (g *gate) passed() bool { return g.state.Load() == gatePassed }

// shut closes the gate if nothing has passed yet, and reports whether it did.
func (g *gate) shut() bool { return g.state.CompareAndSwap(gateUntouched, gateShut) }

type gatedConn struct {
	net.Conn
	gate *gate
}

var (
	errGateShut = errors.New("the request was given up before it was written")
	errTooOld   = errors.New("it was too old to be sent when the connection was made")
)

func (c gatedConn) Write(b []byte) (int, error) {
	switch {
	case c.gate.tooOld():
		return 0, errTooOld
	case !c.gate.pass():
		return 0, errGateShut
	}
	return c.Conn.Write(b)
}

var errEarly = errors.New("data came before the request was sent")

// Read discards data that arrive before the request is sent. net/http would print them to the log of the
// process.
func (c gatedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 && !c.gate.passed() {
		return 0, errEarly
	}
	return n, err
}

var errSecondDial = errors.New("a request is written on one connection")

// transport serves a single request: one new connection and never a second, HTTP/1.1, no proxy from the
// environment. It is not shared, since net/http may use a connection that was dialled for one request for
// another.
func (c *Client) transport(ctx context.Context, g *gate) *http.Transport {
	var dialled atomic.Bool
	// ctx is the request's context. The one that net/http passes outlives the request.
	dial := func(_ context.Context, network, address string) (net.Conn, error) {
		if dialled.Swap(true) {
			return nil, errSecondDial
		}
		conn, err := c.connect(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return gatedConn{conn, g}, nil
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  nil,
		DialContext:            dial,
		DialTLSContext:         dial,
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 16 << 10,
		Protocols:              protocols,
	}
}

// connect looks up the name, dials and, for https, makes the TLS handshake.
func (c *Client) connect(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.c.ConnectTimeout)
	defer cancel()
	raw, err := c.c.Dial(ctx, network, address)
	if err != nil || c.tls == nil {
		return raw, err
	}
	conn := tls.Client(raw, c.tls)
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return conn, nil
}

var errNotLoopback = errors.New("http:// is accepted for a gateway on loopback only, and the name resolves to another address")

// loopbackOnly refuses plain HTTP to another machine, even if the name localhost resolves to one.
func loopbackOnly(_ context.Context, _, address string, _ syscall.RawConn) error {
	if to, err := netip.ParseAddrPort(address); err != nil || !to.Addr().Unmap().IsLoopback() {
		return errNotLoopback
	}
	return nil
}

// explain turns an error of net/http into a message on which a field engineer can act.
func (c *Client) explain(err error, written bool) *failure {
	if written {
		return &failure{why: "sent, and no reply came: " + brokeOff(err), written: true}
	}
	var (
		unknown  x509.UnknownAuthorityError
		host     x509.HostnameError
		invalid  x509.CertificateInvalidError
		verify   *tls.CertificateVerificationError
		notTLS   tls.RecordHeaderError
		dns      *net.DNSError
		unsent   = func(why string) *failure { return &failure{why: why} }
		hopeless = func(why string) *failure { return &failure{why: why, final: true} }
	)
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && c.clockUnset():
		return &failure{clock: true, why: "the clock is not set, so the gateway's certificate cannot be checked"}
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && c.c.Unsynced():
		return &failure{clock: true, why: "the gateway's certificate is not valid on " +
			c.c.Now().UTC().Format(time.DateOnly) + ", which this clock says and no time server: " +
			"connect the network; the router lets UDP 123 out"}
	case errors.As(err, &host):
		return hopeless("the gateway's certificate is for another name: check the address, and whether a network in between answers for it")
	case errors.As(err, &unknown):
		return hopeless("the gateway's certificate is signed by an unknown authority: check ca_file, and whether a network in between answers for the gateway")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return hopeless("the gateway's certificate has expired or is not yet valid: check the clock")
	case errors.As(err, &invalid), errors.As(err, &verify):
		return hopeless("the gateway's certificate is refused: " + label(innermost(err)))
	case errors.Is(err, errNotLoopback):
		return hopeless(errNotLoopback.Error())
	case errors.As(err, &notTLS):
		return unsent("what answers at the gateway's address does not speak TLS: does this network want a sign-on first?")
	case errors.As(err, &dns):
		return unsent("the gateway's name cannot be looked up: check the network and its DNS")
	}
	if why, known := breakage(err); known {
		return unsent("no connection to the gateway: " + why)
	}
	return unsent("no connection to the gateway: " + label(innermost(err)))
}

func (c *Client) clockUnset() bool {
	return !c.c.Built.IsZero() && c.c.Now().Before(c.c.Built)
}

// brokeOff explains how an exchange ended after its first byte was written. net/http quotes malformed answers
// in its errors, and those must not be passed on.
func brokeOff(err error) string {
	if why, known := breakage(err); known {
		return why
	}
	return "the answer is not HTTP, or is too large"
}

// breakage explains the ways in which any connection can end.
func breakage(err error) (string, bool) {
	var timeout net.Error
	var errno syscall.Errno
	switch {
	case errors.Is(err, context.Canceled):
		return "given up", true
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "time-out", true
	case errors.As(err, &errno):
		return errno.Error(), true
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "the connection was closed", true
	}
	return "", false
}

// innermost returns the text of the first cause of an error.
func innermost(err error) string {
	for {
		switch e := err.(type) { //nolint:errorlint // it unwraps by itself
		case interface{ Unwrap() error }:
			if e.Unwrap() == nil {
				return err.Error()
			}
			err = e.Unwrap()
		case interface{ Unwrap() []error }:
			if len(e.Unwrap()) == 0 {
				return err.Error()
			}
			err = e.Unwrap()[0]
		default:
			return err.Error()
		}
	}
}

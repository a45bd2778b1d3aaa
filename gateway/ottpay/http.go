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
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"
)

// maxBody bounds a reply.
const maxBody = 64 << 10

// newHTTP is a client that can write a request once and no more: a fresh
// connection each time, HTTP/1.1, no redirects, no proxy from the environment.
func newHTTP(c Config) *http.Client {
	dialer := &net.Dialer{Timeout: c.ConnectTimeout, KeepAlive: -1}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Client{
		Timeout: c.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
		Transport: &http.Transport{
			Proxy:                  nil,
			DialContext:            dialer.DialContext,
			TLSHandshakeTimeout:    c.ConnectTimeout,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.CAs, Time: c.Now},
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: 16 << 10,
			Protocols:              protocols,
		},
	}
}

// failure is a request without a reply that could be read. When nothing of it
// was written, it is safe to dial again.
type failure struct {
	err     error
	written bool
	final   bool // dialling again will not help
	alarm   bool // it does not happen by accident
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// onceReader is a body that notes its first byte and cannot be rewound.
type onceReader struct {
	r     io.Reader
	begun *atomic.Bool
}

func (o onceReader) Read(b []byte) (int, error) {
	o.begun.Store(true)
	return o.r.Read(b)
}

// post writes one request and reads its reply, at most maxBody of it.
func (c *Client) post(ctx context.Context, body []byte) ([]byte, *failure) {
	// begun is set before net/http can have written anything of the request:
	// its first header or its first read of the body, whichever comes first.
	var begun atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaderField: func(string, []string) { begun.Store(true) },
		WroteHeaders:     func() { begun.Store(true) },
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.c.URL, onceReader{bytes.NewReader(body), &begun})
	if err != nil {
		return nil, &failure{err: errors.New("the gateway's address cannot be used"), final: true}
	}
	req.ContentLength = int64(len(body))
	req.GetBody = nil // nothing can be replayed
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.explain(err, begun.Load())
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return nil, &failure{err: fmt.Errorf("the gateway's address answered with a redirect (HTTP %d), which is not followed", resp.StatusCode), written: true, alarm: true}
	}
	if resp.StatusCode != http.StatusOK {
		return nil, &failure{err: fmt.Errorf("HTTP %d in place of a reply", resp.StatusCode), written: true}
	}
	reply, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, &failure{err: fmt.Errorf("the reply broke off: %s", cause(err)), written: true}
	}
	if len(reply) > maxBody {
		return nil, &failure{err: fmt.Errorf("the reply is larger than %d bytes", maxBody), written: true}
	}
	return reply, nil
}

// explain turns an error of net/http into words that a field engineer can act
// on. The words never hold the request.
func (c *Client) explain(err error, written bool) *failure {
	f := &failure{written: written}
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verify *tls.CertificateVerificationError
	var dns *net.DNSError
	switch {
	case written:
		f.err = fmt.Errorf("sent, and no reply came: %s", cause(err))
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && c.clockUnset():
		f.err = errors.New("the clock is not set, so the gateway's certificate cannot be checked")
	case errors.As(err, &unknown), errors.As(err, &host), errors.As(err, &invalid), errors.As(err, &verify):
		f.err = fmt.Errorf("the gateway's certificate is refused (%s): check the network, the clock and ca_file", cause(err))
		f.final = true
	case errors.As(err, &dns):
		f.err = fmt.Errorf("the gateway's name cannot be looked up (%s): check the network and its DNS", dns.Name)
	default:
		f.err = fmt.Errorf("no connection to the gateway: %s", cause(err))
	}
	return f
}

func (c *Client) clockUnset() bool {
	return !c.c.Built.IsZero() && c.c.Now().Before(c.c.Built)
}

// cause is the innermost text of an error, without the address that net/http
// puts before it.
func cause(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "time-out"
	case errors.Is(err, context.Canceled):
		return "given up"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "the connection was closed"
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "time-out"
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			break
		}
		err = inner
	}
	text := err.Error()
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		text = text[:i]
	}
	return text
}

// parseTradeTime reads trade_time as if it were UTC, in seconds; its zone is not
// known (section 10.2). Newer Java versions print a narrow no-break space before
// AM or PM, and a comma after the year.
func parseTradeTime(text string) int64 {
	text = strings.NewReplacer("\u202f", " ", "\u00a0", " ").Replace(strings.TrimSpace(text))
	for _, layout := range []string{"Jan 2, 2006 3:04:05 PM", "Jan 2, 2006, 3:04:05 PM"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.Unix()
		}
	}
	return 0
}

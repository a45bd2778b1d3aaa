package ottpay

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"time"

	"payterm"
)

// Hop is one stage of the way to the gateway and back.
type Hop struct {
	Name string        // address, connection, encryption, answer
	Took time.Duration // this stage alone
	Err  error         // says what to do
}

// Probe tests the way to the gateway stage by stage and stops at the first that fails: look up the address,
// connect, encrypt, and ask for an exchange rate, which proves merchant id and sign key as well. It moves no
// money.
func (c *Client) Probe(ctx context.Context, currency payterm.Currency) []Hop {
	var hops []Hop
	stage := func(name string, do func(context.Context) error) bool {
		began := c.c.Now()
		err := do(ctx)
		hops = append(hops, Hop{name, c.c.Now().Sub(began), err})
		return err == nil
	}
	u, err := url.Parse(c.c.URL)
	if err != nil { // New has parsed it already
		return []Hop{{Name: "address", Err: err}}
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	var raw net.Conn
	ok := stage("address", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, c.c.ConnectTimeout)
		defer cancel()
		_, err := net.DefaultResolver.LookupHost(ctx, u.Hostname())
		return c.inWords(err)
	}) && stage("connection", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, c.c.ConnectTimeout)
		defer cancel()
		var err error
		raw, err = c.c.Dial(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
		return c.inWords(err)
	})
	if raw != nil {
		defer raw.Close()
	}
	if ok && c.tls != nil {
		ok = stage("encryption", func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, c.c.ConnectTimeout)
			defer cancel()
			return c.inWords(tls.Client(raw, c.tls).HandshakeContext(ctx))
		})
	}
	if ok {
		var key error
		ok = stage("answer", func(ctx context.Context) error {
			_, err := c.ExchangeRate(ctx, currency)
			if errors.Is(err, ErrKey) {
				key, err = err, nil
			}
			return err
		})
		if ok {
			stage("key", func(context.Context) error { return key })
		}
	}
	return hops
}

// inWords returns what explain says of an error before anything was written.
func (c *Client) inWords(err error) error {
	if err == nil {
		return nil
	}
	f := c.explain(err, false)
	if f.clock {
		return clockError(f.why)
	}
	return errors.New(f.why)
}

// ErrClock means that the clock is the cause of a failure, not the network.
var ErrClock = errors.New("the clock is not set")

type clockError string

func (e clockError) Error() string      { return string(e) }
func (clockError) Is(target error) bool { return target == ErrClock }

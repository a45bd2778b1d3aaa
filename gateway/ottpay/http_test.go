package ottpay

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"payterm"
)

// TestLocalhostThatLeadsElsewhere: the dialler checks the address, not the name. Nothing is dialled; the
// addresses are reserved for documentation (RFC 5737, 3849).
func TestLocalhostThatLeadsElsewhere(t *testing.T) {
	c, err := New(Config{
		URL: "http://localhost:1/", MerchantID: "m", SignKey: "0123456789ABCDEF",
		CallBackURL: "https://example.com/cb", Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"192.0.2.1:1", "[2001:db8::1]:1", "0.0.0.0:1", "[::]:1"} {
		if _, err := c.connect(context.Background(), "tcp", address); !errors.Is(err, errNotLoopback) {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"127.0.0.1:80", "127.9.9.9:80", "[::1]:80", "[::ffff:127.0.0.1]:80"} {
		if err := loopbackOnly(context.Background(), "tcp", address, nil); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	c.c.URL = "http://192.0.2.1:1/" // New would refuse this address
	a, ok := c.Inquire(context.Background(), payterm.Inquiry{OrderID: "T1WIRES000001",
		Total: payterm.Amount{Minor: 1, Currency: "CAD"}}).(payterm.Unsent)
	if !ok || !a.Final || a.Why != errNotLoopback.Error() {
		t.Errorf("%+v", a)
	}
}

// TestSpokenToFirst: net/http prints data that arrive before the request to the log of the process, and a
// gateway could send anything.
func TestSpokenToFirst(t *testing.T) {
	for _, asked := range []bool{false, true} {
		near, far := net.Pipe()
		go func() {
			if asked {
				far.Read(make([]byte, 8)) //nolint:errcheck // the write below reports it
			}
			far.Write([]byte("anything")) //nolint:errcheck // the read below reports it
		}()
		c := gatedConn{near, new(gate)}
		if asked {
			if _, err := c.Write([]byte("request")); err != nil {
				t.Fatal(err)
			}
		}
		b := make([]byte, 8)
		n, err := c.Read(b)
		if asked && (err != nil || string(b[:n]) != "anything") || !asked && (n != 0 || !errors.Is(err, errEarly)) {
			t.Errorf("asked %v: %d bytes, %v", asked, n, err)
		}
		near.Close()
		far.Close()
	}
}

// TestShutGate: a request that was reported as unsent cannot be written any more.
func TestShutGate(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	c := gatedConn{near, new(gate)}
	if !c.gate.shut() || c.gate.shut() {
		t.Error("shut once, and once only")
	}
	if n, err := c.Write([]byte("request")); n != 0 || !errors.Is(err, errGateShut) {
		t.Errorf("%d bytes, %v", n, err)
	}
	open := new(gate)
	for range 2 {
		if !open.pass() || open.shut() {
			t.Error("what was passed cannot be shut")
		}
	}
}

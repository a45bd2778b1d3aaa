package ottpay_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"payterm"
	"payterm/gateway/ottpay"
)

// authority signs the certificates of a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a shop's own authority"},
		NotBefore: time.Now().Add(-100 * day), NotAfter: time.Now().Add(100 * day),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	return authority{certificate(t, template, template, key, key), key}
}

const day = 24 * time.Hour

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func certificate(t *testing.T, template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func (a authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// server starts a gateway over TLS and counts the requests that it reads. If the authority is nil, its
// certificate is self-signed.
func server(t *testing.T, a *authority, name string, from, to time.Time, usage x509.ExtKeyUsage,
	change func(*tls.Config)) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{usage},
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	parent, signer := template, key
	if a != nil {
		parent, signer = a.cert, a.key
	}
	cert := certificate(t, template, parent, key, signer)
	var requests atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if r.ProtoMajor != 1 {
			t.Errorf("spoken to in %s", r.Proto)
		}
		io.WriteString(w, paidBody()) //nolint:errcheck // the client may have closed
	}))
	s.TLS = &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}},
		NextProtos:   []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS10,
	}
	if change != nil {
		change(s.TLS)
	}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s, &requests
}

// TestTLS: which servers are trusted, and what a field engineer reads about the others.
func TestTLS(t *testing.T) {
	t.Parallel()
	ours, stranger := newAuthority(t), newAuthority(t)
	now := time.Now()
	long := func(*tls.Config) {}
	for _, c := range []struct {
		name     string
		signer   *authority
		for_     string
		from, to time.Duration // relative to now
		server   func(*tls.Config)
		clock    time.Duration // of the terminal, relative to now
		want     string        // paid, final, again: dialling again may help; clock: it helps once the clock is set
		says     string
	}{
		{"own authority", &ours, "127.0.0.1", -day, day, long, 0, "paid", ""},
		{"self-signed", nil, "127.0.0.1", -day, day, long, 0, "final", "signed by an unknown authority: check ca_file"},
		{"a stranger's authority", &stranger, "127.0.0.1", -day, day, long, 0, "final", "signed by an unknown"},
		{"another name", &ours, "gateway.example", -day, day, long, 0, "final",
			"is for another name: check the address"},
		{"expired", &ours, "127.0.0.1", -2 * day, -day, long, 0, "final",
			"has expired or is not yet valid: check the clock"},
		{"not yet valid", &ours, "127.0.0.1", day, 2 * day, long, 0, "final",
			"has expired or is not yet valid: check the clock"},
		{"clock at 1970", &ours, "127.0.0.1", -day, day, long, -now.Sub(time.Unix(0, 0)), "clock",
			"the clock is not set"},
		{"clock at 1970, a stranger's", &stranger, "127.0.0.1", -day, day, long, -now.Sub(time.Unix(0, 0)), "clock",
			"the clock is not set"},
		{"unsynced, and slow", &ours, "127.0.0.1", -day, day, long, -2 * day, "clock", "which this clock says and no time server"},
		{"unsynced, and fast", &ours, "127.0.0.1", -day, day, long, 2 * day, "clock", "the router lets UDP 123 out"},
		{"unsynced, and right", &ours, "127.0.0.1", -day, day, long, 0, "paid", ""},
		{"unsynced, another name", &ours, "gateway.example", -day, day, long, 0, "final", "is for another name"},
		{"unsynced, a stranger's", &stranger, "127.0.0.1", -day, day, long, 0, "final", "signed by an unknown"},
		{"clock slow, later than the build", &ours, "127.0.0.1", -day, day, long, -2 * day, "final", "check the clock"},
		{"for clients only", &ours, "127.0.0.1", -day, day, long, 0, "final",
			"certificate is refused: x509: certificate specifies an incompatible key usage"},
		{"TLS 1.1", &ours, "127.0.0.1", -day, day, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11 }, 0, "again",
			"no connection to the gateway"},
		{"TLS 1.2", &ours, "127.0.0.1", -day, day, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, 0, "paid",
			""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			usage := x509.ExtKeyUsageServerAuth
			if c.name == "for clients only" {
				usage = x509.ExtKeyUsageClientAuth
			}
			s, requests := server(t, c.signer, c.for_, now.Add(c.from), now.Add(c.to), usage, c.server)
			cl := client(t, s.URL, func(cfg *ottpay.Config) {
				cfg.CAs = ours.pool()
				cfg.Built = now.Add(-30 * day)
				cfg.Now = func() time.Time { return now.Add(c.clock) }
				if strings.HasPrefix(c.name, "unsynced") {
					cfg.Unsynced = func() bool { return true }
				}
			})
			switch a := cl.Pay(context.Background(), wirePayment()).(type) {
			case payterm.Paid:
				if c.want != "paid" || requests.Load() != 1 {
					t.Errorf("paid after %d requests", requests.Load())
				}
			case payterm.Unsent:
				if a.Final != (c.want == "final") || a.Clock != (c.want == "clock") ||
					c.want == "paid" || !strings.Contains(a.Why, c.says) {
					t.Errorf("%+v, want %s and %q", a, c.want, c.says)
				}
				if requests.Load() != 0 {
					t.Errorf("unsent, and %d requests arrived", requests.Load())
				}
			default:
				t.Errorf("%T %+v", a, a)
			}
		})
	}
}

func TestPlainAnswerToTLS(t *testing.T) {
	t.Parallel()
	w := newWire(t, func(p plug) { p.say("HTTP/1.1 302 Sign on\r\nLocation: http://sign-on.example/\r\n\r\n") })
	a, ok := client(t, strings.Replace(w.url(), "http:", "https:", 1), nil).Pay(context.Background(),
		wirePayment()).(payterm.Unsent)
	if !ok || a.Final || !strings.Contains(a.Why, "does not speak TLS") {
		t.Errorf("%+v", a)
	}
	w.end()
	if strings.Contains(w.arrived(), "POST") {
		t.Error("the request was written in the clear")
	}
}

// names answers every look-up of a name with 127.0.0.1, or refuses it.
func names(t *testing.T, broken bool) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			conn.WriteTo(dnsAnswer(b[:n], broken), from) //nolint:errcheck // the client asks again if it is lost
		}
	}()
	was := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	t.Cleanup(func() {
		net.DefaultResolver = was
		conn.Close()
		<-done
	})
}

// dnsAnswer builds the answer to a query: header, the question, and one record that points back to its name
// (RFC 1035 section 4).
func dnsAnswer(q []byte, broken bool) []byte {
	end := 12
	for q[end] != 0 {
		end += int(q[end]) + 1
	}
	question := q[12 : end+5]
	a := append(slices.Clone(q[:2]), 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0)
	a = append(a, question...)
	switch {
	case broken:
		a[3] |= 3 // name error (NXDOMAIN)
	case q[end+2] == 1: // a query for an IPv4 address
		a[7] = 1
		a = append(a, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1)
	}
	return a
}

// proxy is an HTTP proxy that refuses everything.
type proxy struct {
	address string
	atomic.Int32
}

// theProxy listens for the life of the process, since net/http reads the environment once.
var theProxy = sync.OnceValue(func() *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	p := &proxy{address: l.Addr().String()}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.Add(1)
			c.Close()
		}
	}()
	return p
})

// TestProxyFromTheEnvironment shows that the variables affect other clients of net/http and not this one.
func TestProxyFromTheEnvironment(t *testing.T) {
	names(t, false)
	ours := newAuthority(t)
	s, requests := server(t, &ours, "gateway.example", time.Now().Add(-day), time.Now().Add(day),
		x509.ExtKeyUsageServerAuth, nil)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	proxy := theProxy()
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "ALL_PROXY", "all_proxy"} {
		t.Setenv(name, "http://"+proxy.address)
	}
	t.Setenv("NO_PROXY", "")
	t.Setenv("no_proxy", "")
	u := "https://gateway.example:" + port
	a := client(t, u, func(c *ottpay.Config) { c.CAs = ours.pool() }).Pay(context.Background(), wirePayment())
	if got := payterm.AnswerName(a); got != "paid" || requests.Load() != 1 {
		t.Errorf("%+v after %d requests", a, requests.Load())
	}
	if got := proxy.Load(); got != 0 {
		t.Errorf("the proxy was dialled %d times", got)
	}
	if _, err := (&http.Transport{Proxy: http.ProxyFromEnvironment}).RoundTrip(httptest.NewRequest(http.MethodGet, u,
		nil)); err == nil {
		t.Error("the proxy let the other client through")
	}
	if proxy.Swap(0) == 0 {
		t.Error("nobody went by the proxy: this test proves nothing")
	}
}

func TestNoSuchName(t *testing.T) {
	names(t, true)
	a, ok := client(t, "https://gateway.example:1", nil).Pay(context.Background(), wirePayment()).(payterm.Unsent)
	if !ok || a.Final || !strings.Contains(a.Why, "name cannot be looked up: check the network and its DNS") {
		t.Errorf("%+v", a)
	}
}

// TestConfig: which configurations New refuses, with the field's name.
func TestConfig(t *testing.T) {
	t.Parallel()
	good := ottpay.Config{
		URL: "https://gateway.example/processV2", MerchantID: merchant, SignKey: signKey,
		CallBackURL: "https://example.com/cb", Now: time.Now, Currency: "CAD",
	}
	if _, err := ottpay.New(good); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		field  string
		change func(*ottpay.Config)
	}{
		{"url", func(c *ottpay.Config) { c.URL = "" }},
		{"url", func(c *ottpay.Config) { c.URL = "://" }},
		{"url", func(c *ottpay.Config) { c.URL = "http://gateway.example/processV2" }},
		{"url", func(c *ottpay.Config) { c.URL = "http://localhost.gateway.example/" }},
		{"url", func(c *ottpay.Config) { c.URL = "http://127.0.0.1.gateway.example/" }},
		{"url", func(c *ottpay.Config) { c.URL = "http://192.0.2.1/" }},
		{"url", func(c *ottpay.Config) { c.URL = "http://0.0.0.0/" }},
		{"url", func(c *ottpay.Config) { c.URL = "ftp://127.0.0.1/" }},
		{"url", func(c *ottpay.Config) {
			c.URL = (&url.URL{Scheme: "https", Host: "gateway.example", User: url.User("a")}).String()
		}},
		{"url", func(c *ottpay.Config) { c.URL = "https://gateway.example/" + strings.Repeat("a", 1024) }},
		{"merchant_id", func(c *ottpay.Config) { c.MerchantID = "" }},
		{"sign_key_file", func(c *ottpay.Config) { c.SignKey = "" }},
		{"sign_key_file", func(c *ottpay.Config) { c.SignKey = "0123456789ABCDE\n" }},
		{"sign_key_file", func(c *ottpay.Config) { c.SignKey = "0123456789ABCDEF0" }},
		{"call_back_url", func(c *ottpay.Config) { c.CallBackURL = "" }},
		{"call_back_url", func(c *ottpay.Config) { c.CallBackURL = "https://example.com/\xff" }},
		{"operator_id", func(c *ottpay.Config) { c.OperatorID = "\xff" }},
		{"currency", func(c *ottpay.Config) { c.Currency = "cad" }},
		{"Now", func(c *ottpay.Config) { c.Now = nil }},
	} {
		cfg := good
		c.change(&cfg)
		if _, err := ottpay.New(cfg); !errors.Is(err, ottpay.ErrConfig) ||
			!strings.Contains(err.Error(), ": "+c.field+": ") {
			t.Errorf("%s: %v", c.field, err)
		}
	}
	for _, u := range []string{"http://127.0.0.1:1/", "http://[::1]:1/", "http://localhost:1/"} {
		cfg := good
		cfg.URL = u
		if _, err := ottpay.New(cfg); err != nil {
			t.Errorf("%s: %v", u, err)
		}
	}
}

// TestRefusedServerIsHungUpOn: when a certificate is refused, the connection is closed.
func TestRefusedServerIsHungUpOn(t *testing.T) {
	t.Parallel()
	s, _ := server(t, nil, "127.0.0.1", time.Now().Add(-day), time.Now().Add(day), x509.ExtKeyUsageServerAuth, nil)
	ended := make(chan error, 1)
	w := newWire(t, func(p plug) {
		c := tls.Server(p.TCPConn, s.TLS)
		c.Handshake() //nolint:errcheck // it fails as intended
		_, err := io.Copy(io.Discard, p.TCPConn)
		ended <- err
	})
	a, ok := client(t, strings.Replace(w.url(), "http:", "https:", 1), nil).Pay(context.Background(),
		wirePayment()).(payterm.Unsent)
	if !ok || !a.Final {
		t.Errorf("%+v", a)
	}
	if err := <-ended; err != nil && strings.Contains(err.Error(), "timeout") {
		t.Errorf("the line stayed open: %v", err)
	}
}

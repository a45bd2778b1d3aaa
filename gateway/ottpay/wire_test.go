package ottpay_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"payterm"
	"payterm/gateway/ottpay"
)

const merchant = "ON00000000"

// sealed builds data and md5 of a reply by hand: plain is the inner JSON, joined the text under its digest.
func sealed(plain, joined, key string) (data, sum string) {
	sum = fmt.Sprintf("%X", md5.Sum([]byte(joined)))
	block, err := aes.NewCipher([]byte(fmt.Sprintf("%X", md5.Sum([]byte(sum+key)))[8:24]))
	if err != nil {
		panic(err)
	}
	pad := 16 - len(plain)%16
	b := append([]byte(plain), bytes.Repeat([]byte{byte(pad)}, pad)...)
	for at := 0; at < len(b); at += 16 {
		block.Encrypt(b[at:], b[at:])
	}
	return base64.StdEncoding.EncodeToString(b), sum
}

// envelope returns the body of a reply.
func envelope(code, plain, joined, key string) string {
	data, sum := sealed(plain, joined, key)
	b, err := json.Marshal(map[string]string{"rsp_code": code, "rsp_msg": "x", "data": data, "md5": sum})
	if err != nil {
		panic(err)
	}
	return string(b)
}

const wireOrder = "T1WIRES000001"

// paidBody is an authentic success for wireOrder with 12.34.
func paidBody() string {
	return envelope("SUCCESS", `{"order_id":"`+wireOrder+`","order_status":"success","total_amount":"1234"}`, wireOrder+
		"success1234", signKey)
}

func http200(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

func wirePayment() payterm.Payment {
	return payterm.Payment{
		OrderID: wireOrder, Mode: payterm.Passive, Wallet: payterm.Alipay,
		Total: payterm.Amount{Minor: 1234, Currency: "CAD"}, Code: payterm.NewPayCode("281234567890123456"),
	}
}

func client(t testing.TB, url string, change func(*ottpay.Config)) *ottpay.Client {
	t.Helper()
	cfg := ottpay.Config{
		URL: url, MerchantID: merchant, OperatorID: "0000000696", SignKey: signKey,
		CallBackURL: "https://example.com/cb", Now: time.Now, Timeout: 20 * time.Second,
		ConnectTimeout: 10 * time.Second,
	}
	if change != nil {
		change(&cfg)
	}
	c, err := ottpay.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wire is a gateway on bare TCP. It records every byte that arrives on any connection.
type wire struct {
	net.Listener
	mu    sync.Mutex
	bytes bytes.Buffer
	conns sync.WaitGroup
}

// plug is one connection of a wire.
type plug struct {
	*net.TCPConn
	w *wire
}

func (p plug) Read(b []byte) (int, error) {
	n, err := p.TCPConn.Read(b)
	p.w.mu.Lock()
	p.w.bytes.Write(b[:n])
	p.w.mu.Unlock()
	return n, err
}

// request reads until the end of the request or of the connection.
func (p plug) request() {
	var seen []byte
	b := make([]byte, 4096)
	for {
		n, err := p.Read(b)
		seen = append(seen, b[:n]...)
		if err != nil || bytes.HasSuffix(seen, []byte(`"}`)) {
			return
		}
	}
}

func (p plug) say(s string) { io.WriteString(p, s) } //nolint:errcheck // the client may have closed

// newWire serves each connection with a script, and then reads on until the client closes.
func newWire(t testing.TB, script func(plug)) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Listener: l}
	w.conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w.conns.Go(func() {
				defer c.Close()
				c.SetDeadline(time.Now().Add(30 * time.Second)) //nolint:errcheck // it cannot fail on a new connection
				p := plug{c.(*net.TCPConn), w}
				script(p)
				io.Copy(io.Discard, p) //nolint:errcheck // it ends with the connection
			})
		}
	})
	t.Cleanup(w.end)
	return w
}

// end waits until each connection was read to its end.
func (w *wire) end() {
	w.Close()
	w.conns.Wait()
}

func (w *wire) url() string { return "http://" + w.Addr().String() + "/processV2" }

func (w *wire) arrived() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bytes.String()
}

// once checks that a request was written at most once, and that Unsent means that no byte of it arrived.
func once(a payterm.Answer, arrived string) error {
	if n := strings.Count(arrived, "POST "); n > 1 {
		return fmt.Errorf("the request was written %d times", n)
	}
	if _, unsent := a.(payterm.Unsent); unsent && arrived != "" {
		return fmt.Errorf("called unsent, and %d bytes arrived", len(arrived))
	}
	return nil
}

func TestWrittenOnce(t *testing.T) {
	t.Parallel()
	reply := paidBody()
	after := func(s string) func(plug) { return func(p plug) { p.request(); p.say(s) } }
	closed := func(s string) func(plug) {
		return func(p plug) { p.request(); p.say(s); p.CloseWrite() }
	}
	for _, c := range []struct {
		name   string
		script func(plug)
		want   string // the allowed answers
	}{
		{"end of line before the request", func(p plug) { p.CloseWrite() }, "unsent lost"},
		{"closed at once", func(p plug) { p.Close() }, "unsent lost"},
		{"closed after a byte", func(p plug) { p.Read(make([]byte, 1)); p.Close() }, "lost"},      //nolint:errcheck // it closes anyway
		{"closed after 100 bytes", func(p plug) { p.Read(make([]byte, 100)); p.Close() }, "lost"}, //nolint:errcheck // it closes anyway
		{"closed after the request", func(p plug) { p.request(); p.Close() }, "lost"},
		{"an answer before the request", func(p plug) { p.say(http200(reply)) }, "paid lost unsent"},
		{"reset in the middle", func(p plug) {
			p.request()
			p.say(http200(reply)[:90])
			p.SetLinger(0) //nolint:errcheck // it fails only on a closed connection
			p.Close()
		}, "lost"},
		{"a whole reply", after(http200(reply)), "paid"},
		{"a reply without a length", closed("HTTP/1.1 200 OK\r\n\r\n" + reply), "paid"},
		{"HTTP/1.0", closed("HTTP/1.0 200 OK\r\n\r\n" + reply), "paid"},
		{"half a reply without a length", closed("HTTP/1.1 200 OK\r\n\r\n" + reply[:60]), "lost"},
		{"a reply shorter than its length", closed(http200(reply)[:120]), "lost"},
		{"nothing under a length", closed("HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n"), "lost"},
		{"two lengths", after("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n" + http200(reply)[17:]), "lost"},
		{"100 before the reply", after("HTTP/1.1 100 Continue\r\n\r\n" + http200(reply)), "paid"},
		{"100 without end", after(strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 1000) + http200(reply)), "lost"},
		{"101", after("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n" + reply),
			"lost"},
		{"204", after("HTTP/1.1 204 No Content\r\n\r\n"), "lost"},
		{"408", after("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"), "lost"},
		{"425, an invitation to try again", after("HTTP/1.1 425 Too Early\r\nContent-Length: 0\r\n\r\n"), "lost"},
		{"503 with a time to try again", after("HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"),
			"lost"},
		{"401 with a challenge", after("HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"),
			"lost"},
		{"307 to itself", after("HTTP/1.1 307 T\r\nLocation: /processV2\r\nContent-Length: 0\r\n\r\n"), "lost"},
		{"HTTP/2 frames", closed("\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"), "lost"},
		{"an HTTP/2 preface", after("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "lost"},
		{"TLS on the plain port", closed("\x15\x03\x01\x00\x02\x02\x46"), "lost"},
		{"a second reply behind the first",
			after(http200(reply) + http200(strings.Replace(reply, "SUCCESS", "FAIL", 1))), "paid"},
		{"chunks", after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n",
			len(reply), reply)), "paid"},
		{"chunked garbage", closed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + reply), "lost"},
		{"a chunk that breaks off", closed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n" + reply),
			"lost"},
		{"headers without end", after("HTTP/1.1 200 OK\r\n" + strings.Repeat("X-Fill: 0123456789\r\n", 4000)), "lost"},
		{"compressed, so it says", after("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n" +
			http200("\x1f\x8b\x08garbage")[17:]), "lost"},
		{"garbage", closed("\x00\xff\xfe\r\n\r\n"), "lost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWire(t, c.script)
			a := client(t, w.url(), nil).Pay(context.Background(), wirePayment())
			w.end()
			if err := once(a, w.arrived()); err != nil {
				t.Error(err)
			}
			if got := payterm.AnswerName(a); !strings.Contains(c.want, got) {
				t.Errorf("%s %+v, want %s", got, a, c.want)
			}
			if got := w.arrived(); strings.Contains(got, "Idempotency") || strings.Contains(got, "Upgrade") ||
				strings.Contains(got, "Expect") {
				t.Errorf("the request invites a second one: %q", got)
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	w := newWire(t, func(plug) {})
	w.end()
	a, ok := client(t, w.url(), nil).Pay(context.Background(), wirePayment()).(payterm.Unsent)
	if !ok || a.Final || !strings.Contains(a.Why, "refused") {
		t.Errorf("%+v", a)
	}
}

// TestDeadline: the client ends by itself, whatever the gateway does not send.
func TestDeadline(t *testing.T) {
	t.Parallel()
	body := http200(paidBody())
	for name, script := range map[string]func(plug){
		"no reply":       func(p plug) { p.request() },
		"half a header":  func(p plug) { p.request(); p.say(body[:12]) },
		"half a reply":   func(p plug) { p.request(); p.say(body[:120]) },
		"drop by drop":   func(p plug) { p.request(); trickle(p, body) },
		"100, then none": func(p plug) { p.request(); p.say("HTTP/1.1 100 Continue\r\n\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWire(t, script)
			c := client(t, w.url(), func(c *ottpay.Config) { c.Timeout = time.Second })
			a, ok := c.Pay(context.Background(), wirePayment()).(payterm.Lost)
			if !ok || a.Alarm || !strings.Contains(a.Why, "time-out") {
				t.Errorf("%+v", a)
			}
			w.end()
			if err := once(a, w.arrived()); err != nil {
				t.Error(err)
			}
		})
	}
}

// trickle sends a byte every 20 ms until the client closes.
func trickle(p plug, s string) {
	for i := range s {
		if _, err := p.Write([]byte{s[i]}); err != nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestGivenUp cancels at every named moment of a request.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, moment, want string }{
		{"before", "before", "unsent"},
		{"while TLS is being set up", "handshake", "unsent"},
		{"when the request has arrived", "request", "lost"},
		{"in the middle of the reply", "reply", "lost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			w := newWire(t, func(p plug) {
				switch c.moment {
				case "handshake":
					p.TCPConn.Read(make([]byte, 1)) //nolint:errcheck // of the handshake, not of a request
				case "request":
					p.request()
				case "reply":
					p.request()
					p.say(http200(paidBody())[:120])
				}
				cancel()
				if c.moment == "handshake" {
					io.Copy(io.Discard, p.TCPConn) //nolint:errcheck // it ends with the connection
				}
			})
			url := w.url()
			switch c.moment {
			case "before":
				cancel()
			case "handshake":
				url = strings.Replace(url, "http:", "https:", 1)
			}
			a := client(t, url, nil).Pay(ctx, wirePayment())
			w.end()
			if err := once(a, w.arrived()); err != nil {
				t.Error(err)
			}
			b, err := json.Marshal(a)
			if err != nil {
				t.Fatal(err)
			}
			if got := payterm.AnswerName(a); got != c.want || !bytes.Contains(b, []byte("given up")) {
				t.Errorf("%s %s, want %s", got, b, c.want)
			}
		})
	}
}

// TestGivenUpAnywhere cancels at arbitrary moments, many of them around the write: a request reported as unsent
// never arrives, not even later.
func TestGivenUpAnywhere(t *testing.T) {
	names := map[string]int{}
	for i := range 300 {
		w := newWire(t, func(p plug) { p.request(); p.say(http200(paidBody())) })
		ctx, cancel := context.WithCancel(context.Background())
		timer := time.AfterFunc(time.Duration(i*4)*time.Microsecond, cancel)
		a := client(t, w.url(), nil).Pay(ctx, wirePayment())
		timer.Stop()
		cancel()
		w.end()
		if err := once(a, w.arrived()); err != nil {
			t.Fatalf("cancelled after %d µs: %v", i*4, err)
		}
		names[payterm.AnswerName(a)]++
	}
	if names["unsent"]+names["lost"]+names["paid"] != 300 || names["unsent"] == 0 {
		t.Errorf("%v", names)
	}
}

// TestNothingStays: no failure leaves a goroutine or a connection behind.
func TestNothingStays(t *testing.T) {
	before := runtime.NumGoroutine()
	for i := range 40 {
		w := newWire(t, func(p plug) {
			switch i % 4 {
			case 0:
				p.Close()
			case 1:
				p.request()
			case 2:
				p.request()
				p.say(http200(paidBody())[:120])
			default:
				p.request()
				p.say(http200(paidBody()))
			}
		})
		c := client(t, w.url(), func(c *ottpay.Config) { c.Timeout = 20 * time.Millisecond })
		if i%8 >= 4 {
			c = client(t, strings.Replace(w.url(), "http:", "https:", 1),
				func(c *ottpay.Config) { c.Timeout = 20 * time.Millisecond })
		}
		c.Pay(context.Background(), wirePayment())
		w.end() // it waits until the client has closed each connection
	}
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			b := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, b[:runtime.Stack(b, true)])
		}
	}
}

// payer is what once is tested with.
type payer interface {
	Pay(context.Context, payterm.Payment) payterm.Answer
}

// hasty is a client with the bugs that once must find: it follows redirects, tries again after a broken
// connection, or reports as unsent everything without a reply.
type hasty struct {
	url          string
	again, calls bool
}

func (h hasty) Pay(ctx context.Context, _ payterm.Payment) payterm.Answer {
	attempts := 1
	if h.again {
		attempts = 2
	}
	transport := &http.Transport{DisableKeepAlives: true}
	why := errors.New("never tried")
	for range attempts {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, strings.NewReader(`{"a":"b"}`))
		if err != nil {
			return payterm.Unsent{Why: err.Error()}
		}
		resp, err := (&http.Client{Transport: transport}).Do(req)
		if err == nil {
			resp.Body.Close()
			return payterm.Paid{}
		}
		why = err
	}
	if h.calls {
		return payterm.Unsent{Why: why.Error()}
	}
	return payterm.Lost{Why: why.Error()}
}

func TestLawOfTheWireCatches(t *testing.T) {
	t.Parallel()
	redirect := func(p plug) {
		p.request()
		p.say("HTTP/1.1 307 T\r\nLocation: /processV2\r\nContent-Length: 0\r\n\r\n")
	}
	cut := func(p plug) { p.request(); p.Close() }
	for _, c := range []struct {
		name   string
		script func(plug)
		bug    func(url string) payer
		want   string
	}{
		{"redirects followed", redirect, func(u string) payer { return hasty{url: u} }, "times"},
		{"tried again", cut, func(u string) payer { return hasty{url: u, again: true} }, "2 times"},
		{"called unsent", cut, func(u string) payer { return hasty{url: u, calls: true} }, "bytes arrived"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWire(t, c.script)
			a := c.bug(w.url()).Pay(context.Background(), wirePayment())
			w.end()
			if err := once(a, w.arrived()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the planted bug gave %v, want %q", err, c.want)
			}
			w = newWire(t, c.script)
			a = client(t, w.url(), nil).Pay(context.Background(), wirePayment())
			w.end()
			if err := once(a, w.arrived()); err != nil {
				t.Errorf("and without it: %v", err)
			}
		})
	}
}

func TestRedirectElsewhere(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		var elsewhere int
		var mu sync.Mutex
		other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			mu.Lock()
			elsewhere++
			mu.Unlock()
		}))
		w := newWire(t, func(p plug) {
			p.request()
			p.say(fmt.Sprintf("HTTP/1.1 %d R\r\nLocation: %s/processV2\r\nContent-Length: 0\r\n\r\n", status,
				other.URL))
		})
		a, ok := client(t, w.url(), nil).Pay(context.Background(), wirePayment()).(payterm.Lost)
		if !ok || !a.Alarm || !strings.Contains(a.Why, "redirect") {
			t.Errorf("%d: %+v", status, a)
		}
		other.Close()
		if elsewhere != 0 {
			t.Errorf("%d was followed", status)
		}
	}
}

// TestNeverSent: a payment that cannot be right is not sent.
func TestNeverSent(t *testing.T) {
	t.Parallel()
	w := newWire(t, func(p plug) { p.request(); p.say(http200(paidBody())) })
	c, ctx := client(t, w.url(), func(c *ottpay.Config) { c.Currency = "CAD" }), context.Background()
	cad := func(minor int64) payterm.Amount { return payterm.Amount{Minor: minor, Currency: "CAD"} }
	for why, change := range map[string]func(*payterm.Payment){
		"wallet":              func(p *payterm.Payment) { p.Wallet = "CASH" },
		"mode":                func(p *payterm.Payment) { p.Mode = "" },
		"payment code":        func(p *payterm.Payment) { p.Code = payterm.PayCode{} },
		"code that could":     func(p *payterm.Payment) { p.Code = payterm.NewPayCode(p.Code.String()) }, // masked
		"code that could be":  func(p *payterm.Payment) { p.Code = payterm.NewPayCode("2812 3456") },
		"no payment code":     func(p *payterm.Payment) { p.Code = payterm.NewPayCode("支付") },
		"be sent":             func(p *payterm.Payment) { p.Code = payterm.NewPayCode(strings.Repeat("1", 1025)) },
		"order id":            func(p *payterm.Payment) { p.OrderID = "a b" },
		"amount cannot":       func(p *payterm.Payment) { p.Total = cad(0) },
		"cannot be charged":   func(p *payterm.Payment) { p.Total = cad(-1) },
		"amount cannot be":    func(p *payterm.Payment) { p.Total = cad(payterm.MaxMinor + 1) },
		"be charged":          func(p *payterm.Payment) { p.MaxFeeMinor = -1 },
		"merchant's currency": func(p *payterm.Payment) { p.Total.Currency = "JPY" },
	} {
		p := wirePayment()
		change(&p)
		if a, ok := c.Pay(ctx, p).(payterm.Rejected); !ok || !strings.HasPrefix(a.Why, "not sent: ") ||
			!strings.Contains(a.Why, why) {
			t.Errorf("%s: %+v", why, a)
		}
	}
	for _, a := range []payterm.Answer{
		c.Inquire(ctx, payterm.Inquiry{OrderID: "", Total: cad(1)}),
		c.Refund(ctx, payterm.RefundRequest{OrderID: wireOrder, SaleOrderID: wireOrder, Amount: cad(1)}),
		c.Refund(ctx, payterm.RefundRequest{OrderID: wireOrder, SaleOrderID: "", Amount: cad(1)}),
		c.Refund(ctx, payterm.RefundRequest{OrderID: "R1", SaleOrderID: wireOrder, Amount: cad(0)}),
	} {
		if a, ok := a.(payterm.Rejected); !ok || !strings.HasPrefix(a.Why, "not sent: ") {
			t.Errorf("%+v", a)
		}
	}
	if _, err := c.ExchangeRate(ctx, "cad"); err == nil {
		t.Error("a rate of no currency was asked for")
	}
	w.end()
	if got := w.arrived(); got != "" {
		t.Errorf("%q was sent", got)
	}
}

// TestWords: what an answer quotes of an outer code.
func TestWords(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"ERR_20007": "ERR_20007", "1234567890": "123456????", "a\x1b[2Jb": "a??2Jb", "餘額不足": "????",
		strings.Repeat("LONG", 20): strings.Repeat("LONG", 8), "28 1357 9246": "28?1357?????",
	} {
		w := newWire(t, func(p plug) { p.request(); p.say(http200(mustJSON(map[string]string{"rsp_code": code}))) })
		a, ok := client(t, w.url(), nil).Pay(context.Background(), wirePayment()).(payterm.Unclear)
		if !ok || a.Why != "the gateway answered "+want {
			t.Errorf("%q: %+v, want %q", code, a, want)
		}
	}
}

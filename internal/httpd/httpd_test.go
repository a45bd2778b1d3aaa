package httpd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// hall is a server over pipes, in a synctest bubble whose clock advances when all goroutines wait.
type hall struct {
	t      *testing.T
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	server *Server
}

func (h *hall) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}
func (h *hall) Close() error   { h.once.Do(func() { close(h.closed) }); return nil }
func (h *hall) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

// newHall starts a server. All its goroutines must end with the test's bubble.
func newHall(t *testing.T, b Bounds, answer http.HandlerFunc) *hall {
	t.Helper()
	h := &hall{t: t, conns: make(chan net.Conn), closed: make(chan struct{})}
	ctx, stop := context.WithCancel(t.Context())
	h.server = New(ctx, h, answer, b)
	done := make(chan error)
	go func() { done <- h.server.Serve() }()
	t.Cleanup(func() {
		stop()
		h.server.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return h
}

// visitor is one connection with the answers read from it.
type visitor struct {
	net.Conn
	lines *bufio.Reader
	came  time.Time
}

func (h *hall) visit(says string) *visitor {
	h.t.Helper()
	here, there := net.Pipe()
	h.conns <- there
	v := &visitor{here, bufio.NewReader(here), time.Now()}
	if says != "" {
		here.SetWriteDeadline(time.Now().Add(time.Minute)) //nolint:errcheck // a failure shows in the write
		if _, err := io.WriteString(here, says); err != nil {
			h.t.Fatal(err)
		}
	}
	return v
}

// hears reads a whole answer and returns its status.
func (v *visitor) hears(t *testing.T) int {
	t.Helper()
	resp, err := http.ReadResponse(v.lines, nil)
	if err == nil {
		_, err = io.ReadAll(resp.Body)
	}
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

// ends returns how long a connection stayed open.
func (v *visitor) ends(t *testing.T) time.Duration {
	t.Helper()
	v.SetReadDeadline(time.Now().Add(time.Hour)) //nolint:errcheck // a failure shows in the read
	if _, err := io.Copy(io.Discard, v.lines); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Fatalf("it is open after %s: %v", time.Since(v.came), err)
	}
	return time.Since(v.came)
}

const get = "GET / HTTP/1.1\r\nHost: payterm\r\n\r\n"

var few = Bounds{Conns: 4, Calls: 2, Body: 100}

func hello(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") } //nolint:errcheck // a failure shows at the visitor

// TestPatience: how long a connection without a call stays open.
func TestPatience(t *testing.T) {
	for name, c := range map[string]struct {
		says   string
		status int           // of an answer before it is closed
		ends   time.Duration // after it was accepted
	}{
		"silent":         {"", 0, requestTime},
		"half a request": {"GET / HTTP/1.1\r\nX-Slow:", 0, requestTime},
		"half a body": {"POST / HTTP/1.1\r\nHost: p\r\nContent-Length: 10\r\n\r\n{", 408,
			requestTime},
		"a body in pieces": {"POST / HTTP/1.1\r\nHost: p\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
			408, requestTime},
		"silent after an answer":     {get, 200, idleTime},
		"no head that anybody reads": {"GET / HTTP/1.1\r\nX: " + strings.Repeat("x", headerBytes), 0, requestTime},
		"a body longer than is allowed": {"POST / HTTP/1.1\r\nHost: p\r\nContent-Length: 200\r\n\r\n" +
			strings.Repeat("x", 200), 413, 500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newHall(t, few, hello).visit(c.says)
				if c.status != 0 {
					if status := v.hears(t); status != c.status {
						t.Errorf("HTTP %d, want %d", status, c.status)
					}
				}
				if ended := v.ends(t); ended != c.ends {
					t.Errorf("it ended after %s, want %s", ended, c.ends)
				}
			})
		})
	}
}

// TestSlowly: one byte from time to time does not keep a connection open.
func TestSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newHall(t, few, hello).visit("")
		go io.Copy(io.Discard, v) //nolint:errcheck // it ends with the connection
		for _, letter := range []byte(get) {
			time.Sleep(900 * time.Millisecond)
			if _, err := v.Write([]byte{letter}); err != nil {
				break
			}
		}
		if took := time.Since(v.came); took < requestTime || took > requestTime+time.Second {
			t.Errorf("it ended after %s", took)
		}
	})
}

// TestUnread: a call ends if its answer is not read.
func TestUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan time.Duration, 1)
		newHall(t, few, func(w http.ResponseWriter, _ *http.Request) {
			began := time.Now()
			for err := error(nil); err == nil; {
				_, err = w.Write(make([]byte, 64<<10))
			}
			ended <- time.Since(began)
		}).visit(get)
		if took := <-ended; took != writeTime {
			t.Errorf("the call ended after %s", took)
		}
	})
}

// TestLongCall: a call may last for hours, and ends when its caller closes the connection.
func TestLongCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan time.Duration, 1)
		v := newHall(t, few, func(w http.ResponseWriter, r *http.Request) {
			began := time.Now()
			for r.Context().Err() == nil {
				fmt.Fprintln(w, "still here")
				http.NewResponseController(w).Flush() //nolint:errcheck // the loop ends with the connection
				select {
				case <-r.Context().Done():
				case <-time.After(time.Minute):
				}
			}
			ended <- time.Since(began)
		}).visit(get)
		go io.Copy(io.Discard, v) //nolint:errcheck // it ends with the connection
		time.Sleep(3*time.Hour + time.Second)
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
		if took := <-ended; took != 3*time.Hour+time.Second {
			t.Errorf("the call ended after %s", took)
		}
	})
}

// TestShares: the oldest connection without a call is closed for a new one, those with a call stay open, and if
// all calls are in use a caller gets 503 at once.
func TestShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		let := make(chan struct{})
		h := newHall(t, few, func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/long" {
				<-let
			}
		})
		long := strings.Replace(get, "/ ", "/long ", 1)
		first, second := h.visit(long), h.visit(long)
		synctest.Wait()
		// All calls are in use.
		began := time.Now()
		if status := h.visit(get).hears(t); status != http.StatusServiceUnavailable || time.Since(began) != 0 {
			t.Errorf("one more call: HTTP %d after %s", status, time.Since(began))
		}
		// All connections are in use too, two of them silent.
		quiet := h.visit("")
		time.Sleep(time.Millisecond)
		newer := h.visit("")
		time.Sleep(time.Second)
		began = time.Now()
		if status := h.visit(get).hears(t); status != http.StatusServiceUnavailable || time.Since(began) != 0 {
			t.Errorf("beside silent ones: HTTP %d after %s", status, time.Since(began))
		}
		if ended := quiet.ends(t); ended != time.Second+time.Millisecond {
			t.Errorf("the oldest gave way after %s", ended)
		}
		if ended := newer.ends(t); ended != requestTime {
			t.Errorf("the other one ended after %s", ended)
		}
		close(let)
		for _, v := range []*visitor{first, second} {
			if status := v.hears(t); status != http.StatusOK {
				t.Errorf("HTTP %d", status)
			}
		}
		if status := h.visit(get).hears(t); status != http.StatusOK {
			t.Errorf("afterwards: HTTP %d", status)
		}
	})
}

// TestRush: when many callers come at once, each is answered.
func TestRush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, few, hello)
		for range 100 {
			h.visit("")
		}
		began := time.Now()
		if status := h.visit(get).hears(t); status != http.StatusOK || time.Since(began) > grace {
			t.Errorf("behind a hundred: HTTP %d after %s", status, time.Since(began))
		}
	})
}

// TestStrangers: callers that are not known are answered before their body is read, and use up no call.
func TestStrangers(t *testing.T) {
	b := few
	b.Known = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Known") == "yes" {
			return true
		}
		Refuse(w, http.StatusUnauthorized, "unauthorized", "who are you?")
		return false
	}
	synctest.Test(t, func(t *testing.T) {
		called := 0
		h := newHall(t, b, func(http.ResponseWriter, *http.Request) { called++ })
		v := h.visit(get)
		if status, ended := v.hears(t), v.ends(t); status != http.StatusUnauthorized || ended != 0 {
			t.Errorf("HTTP %d, and the end after %s", status, ended)
		}
		v = h.visit("POST / HTTP/1.1\r\nHost: p\r\nContent-Length: 10\r\n\r\n{")
		if ended := v.ends(t); ended < requestTime || ended > requestTime+time.Second {
			t.Errorf("with half a body the end came after %s", ended)
		}
		if called != 0 {
			t.Errorf("%d calls of strangers", called)
		}
		if status := h.visit(strings.Replace(get, "\r\n\r\n", "\r\nKnown: yes\r\n\r\n",
			1)).hears(t); status != http.StatusOK || called != 1 {
			t.Errorf("one who is known: HTTP %d, %d calls", status, called)
		}
	})
}

// TestGaveWay: a call whose connection was closed meanwhile is not begun.
func TestGaveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		called := 0
		h := newHall(t, Bounds{Conns: 1, Calls: 1, Body: 100}, func(_ http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				called++
			}
		})
		v := h.visit("POST / HTTP/1.1\r\nHost: p\r\nContent-Length: 10\r\n\r\n{")
		time.Sleep(time.Second)
		if status := h.visit(get).hears(t); status != http.StatusOK {
			t.Errorf("HTTP %d", status)
		}
		io.WriteString(v, `"a": "b"}`) //nolint:errcheck // it is closed
		if v.ends(t); called != 0 {
			t.Errorf("%d calls of one that gave way", called)
		}
	})
}

// TestCloses: a server that is closed while a new connection waits for a place ends.
func TestCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		let := make(chan struct{})
		h := newHall(t, Bounds{Conns: 1, Calls: 1, Body: 100}, func(http.ResponseWriter, *http.Request) { <-let })
		h.visit(get)
		synctest.Wait()
		h.visit("")
		go func() { time.Sleep(time.Second); close(let) }()
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		if err := h.server.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
}

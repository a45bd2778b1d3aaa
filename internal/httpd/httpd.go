// Package httpd serves HTTP to callers of whom some may be mad or hostile: whoever keeps
// silent, speaks slowly or calls without end takes nothing that another one needs.
//
// Each listener has a share of its own, of connections and of calls that are answered at
// once. Where all connections are taken, one without a call gives way to the newcomer, the
// oldest first; where all calls are, a caller is told so at once. A request has to be there
// whole within seconds and its answer to be read; the call between the two may last as
// long as it needs (a sale, a stream of events).
package httpd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	requestTime = 5 * time.Second  // for a whole request
	idleTime    = 2 * time.Minute  // between two of them; longer than Go's own clients keep a connection
	writeTime   = 10 * time.Second // for a piece of the answer to be taken
	headerBytes = 16 << 10

	// grace is how long a connection is safe after it came, or after its last call. A
	// caller who has something to say has said it by then.
	grace = 50 * time.Millisecond
)

// Bounds are a listener's share.
type Bounds struct {
	Conns int   // at once; more than Calls
	Calls int   // at once
	Body  int64 // bytes of a request's
	// Known tells callers from strangers, whom it has answered itself. It is asked before
	// the body is read; nil knows everybody.
	Known func(http.ResponseWriter, *http.Request) bool
}

// Server answers on one listener.
type Server struct {
	http  http.Server
	from  *listener
	calls chan struct{}
	b     Bounds
	do    http.Handler
}

// New makes a server, whose calls end with the context.
func New(ctx context.Context, l net.Listener, h http.Handler, b Bounds) *Server {
	s := &Server{
		from: &listener{Listener: l, most: b.Conns, open: map[*conn]bool{}, changed: make(chan struct{}, 1),
			closed: make(chan struct{})},
		calls: make(chan struct{}, b.Calls), b: b, do: h,
	}
	s.http = http.Server{
		Handler: http.HandlerFunc(s.answer), ReadHeaderTimeout: requestTime, ReadTimeout: requestTime,
		IdleTimeout: idleTime, MaxHeaderBytes: headerBytes,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
	}
	return s
}

// Serve answers until Close or Shutdown, and then returns nil.
func (s *Server) Serve() error {
	if err := s.http.Serve(s.from); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Close ends it with all connections.
func (s *Server) Close() error { return s.http.Close() }

// Shutdown lets calls end first, as long as the context lasts.
func (s *Server) Shutdown(ctx context.Context) error { return s.http.Shutdown(ctx) }

func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	if s.b.Known != nil && !s.b.Known(w, r) {
		return
	}
	// Before the call counts: a slow body is nobody's but its sender's.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.b.Body))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		Refuse(w, http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("the request has more than %d bytes", s.b.Body))
		return
	case err != nil:
		Refuse(w, http.StatusRequestTimeout, "too_slow", fmt.Sprintf("the request did not come whole within %s", requestTime))
		return
	}
	select {
	case s.calls <- struct{}{}:
		defer func() { <-s.calls }()
	default:
		w.Header().Set("Retry-After", "1")
		Refuse(w, http.StatusServiceUnavailable, "overloaded",
			fmt.Sprintf("busy: %d calls are being answered: ask again", s.b.Calls))
		return
	}
	c, ok := r.Context().Value(connKey{}).(*conn)
	if !ok || !s.from.hold(c) {
		return // it gave way meanwhile: nobody would hear the answer
	}
	defer s.from.release(c)
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.do.ServeHTTP(w, r)
}

// Refuse answers that nothing was done, and why, and ends the connection.
func Refuse(w http.ResponseWriter, status int, code, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Connection", "close")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"code": code, "error": why}) //nolint:errcheck // the caller has gone
}

// listener has no more connections open than its share.
type listener struct {
	net.Listener
	most    int
	changed chan struct{} // one left, or has no call any more
	closed  chan struct{}
	once    sync.Once
	mu      sync.Mutex
	open    map[*conn]bool
}

type connKey struct{}

// conn is a connection; what is not its own is the listener's to guard.
type conn struct {
	net.Conn
	from  *listener
	calls bool      // it has a call that is being answered
	since time.Time // when it came, or its last call ended
}

// Accept waits for the next connection, and for room.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	one := &conn{Conn: c, from: l, since: time.Now()}
	if !l.enter(one) {
		c.Close()
		return nil, net.ErrClosed
	}
	return one, nil
}

// enter takes a connection in, and sends the oldest one without a call away where that
// is needed; false when the listener was closed meanwhile.
func (l *listener) enter(c *conn) bool {
	for {
		wait, out := l.try(c)
		switch {
		case out != nil:
			out.Conn.Close()
			continue
		case wait == 0:
			return true
		}
		pause := time.NewTimer(wait)
		select {
		case <-l.changed:
		case <-pause.C:
		case <-l.closed:
			pause.Stop()
			return false
		}
		pause.Stop()
	}
}

// try takes a connection in (0), or says after how long to try again, or who has to go
// first.
func (l *listener) try(c *conn) (wait time.Duration, out *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) < l.most {
		c.since = time.Now() // it may have waited
		l.open[c] = true
		return 0, nil
	}
	for one := range l.open {
		if !one.calls && (out == nil || one.since.Before(out.since)) {
			out = one
		}
	}
	if out == nil {
		return grace, nil
	}
	if wait = grace - time.Since(out.since); wait > 0 {
		return wait, nil
	}
	delete(l.open, out)
	return 0, out
}

// hold keeps a connection for a call; false when it has left.
func (l *listener) hold(c *conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.calls = l.open[c]
	return c.calls
}

func (l *listener) release(c *conn) {
	l.mu.Lock()
	c.calls, c.since = false, time.Now()
	l.mu.Unlock()
	l.wake()
}

func (l *listener) leave(c *conn) {
	l.mu.Lock()
	delete(l.open, c)
	l.mu.Unlock()
	l.wake()
}

func (l *listener) wake() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// Close takes no more connections.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// Write gives up where the caller does not take the answer.
func (c *conn) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// Close gives its place to another one.
func (c *conn) Close() error {
	err := c.Conn.Close()
	c.from.leave(c)
	return err
}

// CloseWrite lets the caller read what was said last before the connection ends.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Package httpd serves HTTP to callers that may be faulty or hostile. A caller that is silent, slow or calls
// without end cannot use up what other callers need.
//
// Each listener has its own limits of connections and of calls that are answered at once. If all connections
// are in use, the oldest one without a call is closed for a new one. If all calls are in use, the caller gets
// 503 at once. A whole request must arrive within seconds, and its answer must be read within seconds; the call
// itself may last as long as it needs (a sale, a stream of events).
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
	idleTime    = 2 * time.Minute  // between two requests; longer than Go's own clients keep a connection
	writeTime   = 10 * time.Second // for one write of the answer
	headerBytes = 16 << 10

	// grace is how long a connection is not closed after it was accepted or after its last call. A caller that
	// has a request sends it within that time.
	grace = 50 * time.Millisecond
)

// Bounds are the limits of one listener.
type Bounds struct {
	Conns int   // at once; more than Calls
	Calls int   // at once
	Body  int64 // bytes of a request's body
	// Known reports whether a caller is authorised; if not, it has already answered. It is called before the
	// body is read; nil accepts every caller.
	Known func(http.ResponseWriter, *http.Request) bool
}

// Server serves one listener.
type Server struct {
	http  http.Server
	from  *listener
	calls chan struct{}
	b     Bounds
	do    http.Handler
}

// New makes a server. Its calls end with the context.
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

// Close closes the server and all connections.
func (s *Server) Close() error { return s.http.Close() }

// Shutdown waits until running calls have ended or the context ends.
func (s *Server) Shutdown(ctx context.Context) error { return s.http.Shutdown(ctx) }

func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	if s.b.Known != nil && !s.b.Known(w, r) {
		return
	}
	// The body is read before the call counts, so a slow sender uses up no call.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.b.Body))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		Refuse(w, http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("the request has more than %d bytes", s.b.Body))
		return
	case err != nil:
		Refuse(w, http.StatusRequestTimeout, "too_slow", fmt.Sprintf("the request was not complete within %s", requestTime))
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
		return // the connection was closed meanwhile, so nobody would read the answer
	}
	defer s.from.release(c)
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.do.ServeHTTP(w, r)
}

// Refuse answers with an error for a call that did nothing, and closes the connection.
func Refuse(w http.ResponseWriter, status int, code, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Connection", "close")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"code": code, "error": why}) //nolint:errcheck // the caller has gone
}

// listener limits the number of open connections.
type listener struct {
	net.Listener
	most    int
	changed chan struct{} // a connection was closed, or its call ended
	closed  chan struct{}
	once    sync.Once
	mu      sync.Mutex
	open    map[*conn]bool
}

type connKey struct{}

// conn is a connection. Its fields calls and since are guarded by the listener's mutex.
type conn struct {
	net.Conn
	from  *listener
	calls bool      // a call is being answered
	since time.Time // when it was accepted, or its last call ended
}

// Accept waits for the next connection and for a free place.
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

// enter adds a connection and, if needed, closes the oldest one without a call. It returns false if the
// listener was closed meanwhile.
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

// try adds a connection (0, nil), or returns how long to wait before the next try, or the connection to close
// first.
func (l *listener) try(c *conn) (wait time.Duration, out *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) < l.most {
		c.since = time.Now() // it may have waited for its place
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

// hold marks a connection as having a call, so that it is not closed. It returns false if it was closed
// already.
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

// Close accepts no more connections.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// Write fails if the caller does not read the answer in time.
func (c *conn) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// Close frees the connection's place.
func (c *conn) Close() error {
	err := c.Conn.Close()
	c.from.leave(c)
	return err
}

// CloseWrite lets the caller read the last answer before the connection is closed.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

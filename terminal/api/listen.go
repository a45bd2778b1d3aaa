package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"payterm/internal/durable"
	"payterm/internal/httpd"

	"golang.org/x/sys/unix"
)

// Each listener has its own share of descriptors: tills on TCP cannot exhaust the owner's socket.
const (
	mostConns = 128
	mostCalls = 64
	ownFiles  = 128 // descriptors for everything else: journal, devices, gateway
)

// Share bounds the callers of one listener.
func Share() httpd.Bounds {
	return httpd.Bounds{Conns: mostConns, Calls: mostCalls, Body: 2 * maxRequest}
}

// Endpoint is a listener of the local API.
type Endpoint struct {
	listener net.Listener
	handler  http.Handler
	known    func(http.ResponseWriter, *http.Request) bool // authenticates callers; nil for all
}

// EnoughFiles checks that this process may open as many files as it needs with this many
// endpoints: else callers could use up the journal's descriptors.
func EnoughFiles(endpoints int) error {
	return enoughFiles(uint64(ownFiles + endpoints*mostConns))
}

func enoughFiles(n uint64) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("local API: how many files may be open is not known: %w", err)
	}
	if limit.Cur < n {
		return fmt.Errorf("local API: %d files may be open at once, %d are needed: "+
			"raise the limit (LimitNOFILE= of the unit, ulimit -n)", limit.Cur, n)
	}
	return nil
}

// Listen listens on the socket of a data directory, whose lock the caller holds, so that no other
// agent uses it. Only its owner may connect.
func Listen(data string, h http.Handler) (*Endpoint, error) {
	path := Socket(data)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("local API: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("local API: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("local API: %w", err), l.Close())
	}
	return &Endpoint{listener: l, handler: h}, nil
}

// ListenTCP listens on a loopback address for callers that have the token in tokenFile.
func ListenTCP(address, tokenFile string, h http.Handler) (*Endpoint, error) {
	token, err := readToken(tokenFile)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("api.listen: %w", err)
	}
	if to, ok := l.Addr().(*net.TCPAddr); !ok || !to.IP.IsLoopback() {
		err := fmt.Errorf("api.listen: %s is not on loopback, and nothing encrypts what is said", address)
		return nil, errors.Join(err, l.Close())
	}
	return &Endpoint{listener: l, handler: h, known: newTokens(token).known}, nil
}

// Close closes an endpoint that is not served.
func (e *Endpoint) Close() error { return e.listener.Close() }

// Serve serves until the context ends, in goroutines of the group.
func (e *Endpoint) Serve(ctx context.Context, wg *sync.WaitGroup, log *slog.Logger) {
	share := Share()
	share.Known = e.known
	srv := httpd.New(ctx, e.listener, e.handler, share)
	wg.Go(func() {
		if err := srv.Serve(); err != nil {
			log.Error("local API", "err", err)
		}
	})
	wg.Go(func() {
		<-ctx.Done()
		srv.Close()
	})
}

// minToken is the shortest token that cannot be guessed.
const minToken = 16

// readToken reads the token for callers over TCP. Only its owner may read the file.
func readToken(path string) (string, error) {
	text, err := durable.ReadOwn(path)
	if err != nil {
		return "", fmt.Errorf("api.token_file: %w", err)
	}
	token := string(bytes.TrimSpace(text))
	if len(token) < minToken {
		return "", fmt.Errorf("api.token_file: %s: %d characters are the fewest", path, minToken)
	}
	return token, nil
}

// Wrong tokens. The right token is always accepted at once: a shared limit would let others lock
// the till out, and sixteen characters cannot be guessed.
const (
	wrongToken  = time.Second // delay of the answer to any wrong token
	wrongTokens = 4           // that wait at once; more are disconnected without an answer
)

// tokens authenticates callers over TCP.
type tokens struct {
	want  [sha256.Size]byte // hashes: comparing them takes the same time for any token
	wrong chan struct{}
}

func newTokens(token string) *tokens {
	return &tokens{sha256.Sum256([]byte(token)), make(chan struct{}, wrongTokens)}
}

// known accepts a call that has the token and does not come from a web page. It answers all
// others and closes their connection.
func (t *tokens) known(w http.ResponseWriter, r *http.Request) bool {
	shown, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	got := sha256.Sum256([]byte(shown))
	var why *Error
	switch {
	case r.Header.Get("Origin") != "":
		why = Errorf(Forbidden, "calls from web pages are refused")
	case bearer && subtle.ConstantTimeCompare(got[:], t.want[:]) == 1:
		return true
	case bearer && !t.pause(r.Context()):
		w.Header().Set("Retry-After", "1")
		why = Errorf(TooMany, "too many wrong tokens: ask again later")
	default:
		w.Header().Set("WWW-Authenticate", "Bearer")
		why = Errorf(Unauthorized, "a token is needed: Authorization: Bearer TOKEN")
	}
	w.Header().Set("Connection", "close")
	reply(w, nil, why)
	return false
}

// pause delays a wrong token, unless too many wait.
func (t *tokens) pause(ctx context.Context) bool {
	select {
	case t.wrong <- struct{}{}:
		defer func() { <-t.wrong }()
	default:
		return false
	}
	timer := time.NewTimer(wrongToken)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return true
}

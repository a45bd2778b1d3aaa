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

// Each listener has a share of its own, which the callers of another cannot take: tills on
// TCP leave the owner's socket alone.
const (
	mostConns = 128
	mostCalls = 64
	ownFiles  = 128 // descriptors for all else: journal, devices, gateway
)

// Share is what callers of one listener may take at once.
func Share() httpd.Bounds {
	return httpd.Bounds{Conns: mostConns, Calls: mostCalls, Body: 2 * maxRequest}
}

// Endpoint is a place where the local API is to be had.
type Endpoint struct {
	listener net.Listener
	handler  http.Handler
	known    func(http.ResponseWriter, *http.Request) bool // tells callers from strangers; nil knows all
}

// EnoughFiles says whether this process may open as many files as it can need with so many
// endpoints: where it may not, callers could take the journal's.
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

// Listen listens on the socket of a data directory, whose lock the caller has: no earlier
// life listens there any more. Only its owner may speak there.
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

// ListenTCP listens on an address of this machine's loopback for callers who have the token
// that is in a file of the owner's.
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

// Close gives an endpoint back that nobody serves.
func (e *Endpoint) Close() error { return e.listener.Close() }

// Serve answers until the context ends, in goroutines of the group.
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

// minToken is the fewest characters of a token that nobody guesses.
const minToken = 16

// readToken reads the token that callers over TCP must show. Only its owner may read the
// file.
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

// Wrong tokens. The right one is let in whatever others try: a limit that it shared with
// them would be a way to keep the till out, and nobody guesses sixteen characters.
const (
	wrongToken  = time.Second // until one is answered, whatever it looks like
	wrongTokens = 4           // that wait for that at once; more are not even told that they are wrong
)

// tokens knows who may call over TCP.
type tokens struct {
	want  [sha256.Size]byte // hashes: comparing them takes the same time whatever is shown
	wrong chan struct{}
}

func newTokens(token string) *tokens {
	return &tokens{sha256.Sum256([]byte(token)), make(chan struct{}, wrongTokens)}
}

// known lets a call pass that shows the token and does not come from a web page. All others
// are answered, and their connection ends.
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

// pause lets a wrong token wait, unless too many wait.
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

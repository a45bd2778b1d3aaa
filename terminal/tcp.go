package terminal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"payterm/internal/httpd"
)

// minToken is the fewest characters of a token that nobody guesses.
const minToken = 16

// readToken reads the token that callers over TCP must show. Only its owner may
// read the file.
func readToken(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("api.token_file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("api.token_file: others may read %s: chmod 600 %s", path, path)
	}
	text, err := os.ReadFile(path)
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

// doorman knows who may call over TCP.
type doorman struct {
	want  [sha256.Size]byte // equal lengths, so that time tells nothing
	wrong chan struct{}
}

func newDoorman(token string) *doorman {
	return &doorman{sha256.Sum256([]byte(token)), make(chan struct{}, wrongTokens)}
}

// known lets a call pass that shows the token and does not come from a web page. All
// others are answered, and their connection ends.
func (d *doorman) known(w http.ResponseWriter, r *http.Request) bool {
	shown, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	got := sha256.Sum256([]byte(shown))
	switch {
	case r.Header.Get("Origin") != "":
		httpd.Refuse(w, http.StatusForbidden, "calls from web pages are refused")
		return false
	case bearer && subtle.ConstantTimeCompare(got[:], d.want[:]) == 1:
		return true
	case bearer && !d.pause(r.Context()):
		w.Header().Set("Retry-After", "1")
		httpd.Refuse(w, http.StatusTooManyRequests, "too many wrong tokens: ask again later")
		return false
	}
	w.Header().Set("WWW-Authenticate", "Bearer")
	httpd.Refuse(w, http.StatusUnauthorized, "a token is needed: Authorization: Bearer TOKEN")
	return false
}

// pause lets a wrong token wait, unless too many wait.
func (d *doorman) pause(ctx context.Context) bool {
	select {
	case d.wrong <- struct{}{}:
		defer func() { <-d.wrong }()
	default:
		return false
	}
	t := time.NewTimer(wrongToken)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	return true
}

// listenTCP opens [api] listen for the same calls as the socket, behind the token;
// nil when it is off.
func (a *Agent) listenTCP() (net.Listener, func(http.ResponseWriter, *http.Request) bool, error) {
	c := a.o.Config.API
	if c.Listen == "" {
		return nil, nil, nil
	}
	token, err := readToken(c.TokenFile)
	if err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, nil, fmt.Errorf("api.listen: %w", err)
	}
	if to, ok := l.Addr().(*net.TCPAddr); !ok || !to.IP.IsLoopback() {
		return nil, nil, errors.Join(fmt.Errorf("api.listen: %s is not on loopback, and nothing encrypts what is said", c.Listen), l.Close())
	}
	return l, newDoorman(token).known, nil
}

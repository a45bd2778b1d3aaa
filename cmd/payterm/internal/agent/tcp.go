package agent

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
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

// guarded lets a call pass that shows the token and does not come from a web page.
func guarded(token string, h http.Handler) http.Handler {
	want := sha256.Sum256([]byte(token)) // equal lengths, so that time tells nothing
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		got := sha256.Sum256([]byte(shown))
		switch {
		case r.Header.Get("Origin") != "":
			http.Error(w, "calls from web pages are refused", http.StatusForbidden)
		case !bearer || subtle.ConstantTimeCompare(got[:], want[:]) != 1:
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "a token is needed: Authorization: Bearer TOKEN", http.StatusUnauthorized)
		default:
			h.ServeHTTP(w, r)
		}
	})
}

// listenTCP opens [api] listen for the same calls as the socket, behind the token;
// nil when it is off.
func (a *Agent) listenTCP(h http.Handler) (net.Listener, http.Handler, error) {
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
	return l, guarded(token, h), nil
}

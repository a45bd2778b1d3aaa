package api

import (
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestTokens: who may call over TCP. A wrong token takes a second, whatever is wrong with it, and
// more than a few at once get no answer; the right one is accepted meanwhile.
func TestTokens(t *testing.T) {
	const token = "0123456789abcdef"
	call := func(d *tokens, authorization, origin string) (status int) {
		r := httptest.NewRequest("GET", "/status", nil)
		r.Header.Set("Authorization", authorization)
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		w := httptest.NewRecorder()
		if d.known(w, r) {
			return http.StatusOK
		}
		if w.Header().Get("Connection") != "close" {
			t.Errorf("%q from %q keeps its connection", authorization, origin)
		}
		return w.Code
	}
	for _, c := range []struct {
		authorization, origin string
		status                int
		takes                 time.Duration
	}{
		{"Bearer " + token, "", 200, 0},
		{"Bearer " + token, "http://127.0.0.1", 403, 0},
		{"Bearer 0123456789abcdeF", "", 401, wrongToken},
		{"Bearer x", "", 401, wrongToken},
		{"Bearer ", "", 401, wrongToken},
		{token, "", 401, 0},
		{"", "", 401, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			if status := call(newTokens(token), c.authorization, c.origin); status != c.status ||
				time.Since(began) != c.takes {
				t.Errorf("%q from %q: %d after %s, want %d after %s", c.authorization, c.origin, status,
					time.Since(began), c.status, c.takes)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		d, began := newTokens(token), time.Now()
		var wg sync.WaitGroup
		defer wg.Wait()
		for range wrongTokens {
			wg.Go(func() { call(d, "Bearer wrong", "") })
		}
		synctest.Wait()
		if status := call(d, "Bearer wrong", ""); status != 429 || time.Since(began) > 0 {
			t.Errorf("one wrong token more: %d after %s", status, time.Since(began))
		}
		if status := call(d, "Bearer "+token, ""); status != 200 || time.Since(began) > 0 {
			t.Errorf("the right one: %d after %s", status, time.Since(began))
		}
	})
}

// TestEnoughFiles: if callers could use up the journal's descriptors, the local API does not
// start.
func TestEnoughFiles(t *testing.T) {
	if err := enoughFiles(1); err != nil {
		t.Error(err)
	}
	if err := enoughFiles(math.MaxUint64); err == nil || !strings.Contains(err.Error(), "LimitNOFILE=") {
		t.Errorf("%v", err)
	}
}

func TestReadToken(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		text string
		mode os.FileMode
		ok   bool
	}{
		{"0123456789abcdef\n", 0o600, true},
		{"0123456789abcdef\n", 0o640, false},
		{"short\n", 0o600, false},
	} {
		path := filepath.Join(dir, "token")
		os.Remove(path)
		if err := os.WriteFile(path, []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}
		token, err := readToken(path)
		if (err == nil) != c.ok || c.ok && token != "0123456789abcdef" {
			t.Errorf("%q, mode %o: %q, %v", c.text, c.mode, token, err)
		}
	}
	if _, err := readToken(filepath.Join(dir, "none")); err == nil {
		t.Error("a token from nowhere")
	}
}

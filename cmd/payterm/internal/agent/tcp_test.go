package agent

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

func TestGuarded(t *testing.T) {
	h := guarded("0123456789abcdef", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, c := range []struct {
		authorization, origin string
		status                int
	}{
		{"Bearer 0123456789abcdef", "", 200},
		{"Bearer 0123456789abcdef", "http://127.0.0.1", 403},
		{"Bearer 0123456789abcdeF", "", 401},
		{"Bearer ", "", 401},
		{"0123456789abcdef", "", 401},
		{"", "", 401},
	} {
		r := httptest.NewRequest("GET", "/status", nil)
		r.Header.Set("Authorization", c.authorization)
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%q from %q: %d, want %d", c.authorization, c.origin, w.Code, c.status)
		}
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
		os.Remove(path) //nolint:errcheck // the first time there is none
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

package update

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"payterm/screen"
)

// fetchChild names the server to a child process: trusted certificates are read once for each
// process, from SSL_CERT_FILE as on a terminal.
const fetchChild = "TEST_OF_UPDATES_FROM"

// bundles is an update server with several behaviours.
func bundles(t *testing.T) *httptest.Server {
	body := strings.Repeat("bundle", 1000)
	var server *httptest.Server
	server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		says := func(length int64) { w.Header().Set("Content-Length", fmt.Sprint(length)) }
		send := func(text string) { w.Write([]byte(text)) } //nolint:errcheck // the client sees it
		switch r.URL.Path {
		case "/good", "/tagged":
			w.Header().Set("ETag", `"one"`)
			if r.Header.Get("If-None-Match") == `"one"` {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			says(int64(len(body)))
			send(body)
		case "/moved":
			http.Redirect(w, r, server.URL+"/good", http.StatusFound)
		case "/down":
			http.Redirect(w, r, "http://example.com/bundle?token=SECRET", http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case "/cut":
			says(int64(len(body)))
			send(body[:100])
		case "/stalls":
			says(int64(len(body)))
			send(body[:100])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case "/silent":
			<-r.Context().Done()
		case "/huge":
			says(maxBundle + 1)
		case "/roomy":
			says(maxBundle)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// TestOverHTTPS installs from a real server, with the program's own transport.
func TestOverHTTPS(t *testing.T) {
	t.Parallel()
	server := bundles(t)
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(ca, text, 0o600); err != nil {
		t.Fatal(err)
	}
	child := func(trusts string) map[string]fetched {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFetchChild$", "-test.count=1")
		out := filepath.Join(dir, "said-"+filepath.Base(trusts))
		cmd.Env = append(os.Environ(), fetchChild+"="+server.URL+" "+out, "SSL_CERT_FILE="+trusts, "SSL_CERT_DIR="+dir+
			"/none")
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		said, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]fetched{}
		if err := json.Unmarshal(said, &got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	got := child(ca)
	for path, want := range map[string]struct{ why, notice string }{
		"/good":  {"", "update_installing update_waiting update_restarting"},
		"/moved": {"", "update_installing update_waiting update_restarting"}, "/tagged": {"", ""},
		"/down":   {"leads to http://example.com/bundle", "update_refused not_fetched"},
		"/round":  {"leads to", "update_refused not_fetched"},
		"/cut":    {"unexpected EOF", "update_refused not_fetched"},
		"/stalls": {"nothing came for", "update_refused not_fetched"},
		"/silent": {"nothing came for", "update_refused not_fetched"},
		"/huge":   {"a length of", "update_refused not_fetched"}, "/roomy": {"MB are needed", "update_refused no_room"},
		"/none": {"404", "update_refused not_fetched"},
	} {
		f := got[path]
		if (f.Why == "") != (want.why == "") || !strings.Contains(f.Why, want.why) ||
			strings.Contains(f.Why, "SECRET") || strings.Contains(f.Why, "\n") || f.Notices != want.notice {
			t.Errorf("%s: %q, %q", path, f.Why, f.Notices)
		}
		if f.Left {
			t.Errorf("%s: a bundle stays", path)
		}
		if installed := strings.Contains(f.Ran, "rauc install"); installed != strings.Contains(want.notice,
			"installing") {
			t.Errorf("%s: it ran %q", path, f.Ran)
		}
	}
	other := filepath.Join(dir, "nobody.pem")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if f := child(other)["/good"]; !strings.Contains(f.Why, "certificate") || f.Ran != "" {
		t.Errorf("a server that nobody vouches for: %+v", f)
	}
}

// fetched is the result for one address.
type fetched struct {
	Why, Notices, Ran string
	Left              bool
}

// TestFetchChild is the child process.
func TestFetchChild(t *testing.T) {
	server, out, is := strings.Cut(os.Getenv(fetchChild), " ")
	if !is {
		t.Skip("it belongs to TestOverHTTPS")
	}
	got := map[string]fetched{}
	for _, path := range []string{"/good", "/tagged", "/moved", "/down", "/round", "/cut", "/stalls", "/silent",
		"/huge", "/roomy", "/none"} {
		m, u := newBench(t)
		u.stalled = 10 * time.Second
		if path == "/stalls" || path == "/silent" {
			u.stalled = 300 * time.Millisecond
		}
		if path == "/tagged" {
			if err := u.keep("settled.json", tag{server + path, `"one"`}); err != nil {
				t.Fatal(err)
			}
		}
		u.space = func(string) (int64, error) { return maxBundle, nil }
		err := u.install(t.Context(), Install{Source: server + path, Automatic: path == "/tagged"})
		f := fetched{Notices: strings.Join(m.notices, " "), Ran: strings.Join(m.ran, " ")}
		_, gone := os.Stat(u.fetched())
		f.Left = gone == nil
		if err != nil {
			f.Why = err.Error()
		}
		got[path] = f
	}
	text, err := json.Marshal(got)
	if err == nil {
		err = os.WriteFile(out, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestByAWrongClock: a certificate outside its validity is blamed on a clock that no time
// server has set.
func TestByAWrongClock(t *testing.T) {
	t.Parallel()
	server := bundles(t)
	over := server.Client().Transport.(*http.Transport).Clone()
	over.TLSClientConfig.Time = func() time.Time { return time.Now().AddDate(-200, 0, 0) }
	from, err := url.Parse(server.URL + "/good")
	if err != nil {
		t.Fatal(err)
	}
	for synced, want := range map[bool]screen.Refusal{true: screen.NotInstalled, false: screen.ClockNotSet} {
		_, u := newBench(t)
		u.Synced = func() (bool, error) { return synced, nil }
		if _, err := u.fetch(t.Context(), over, from, false); err == nil || wordFor(err) != want {
			t.Errorf("synced %t: %v, in a word %s; want %s", synced, err, wordFor(err), want)
		}
	}
}

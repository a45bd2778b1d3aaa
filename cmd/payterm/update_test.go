package main

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"payterm/screen"
	"payterm/terminal/api"
	"payterm/update"
)

// answering is a terminal's data directory with an agent on its socket that gives one answer to everything.
func answering(t *testing.T, status int, answer any) store {
	t.Helper()
	dir, err := os.MkdirTemp("", "u") // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket, err := net.Listen("unix", api.Socket(dir))
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: socket, Config: &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			json.NewEncoder(w).Encode(answer) //nolint:errcheck // the client sees it
		}),
	}}
	server.Start()
	t.Cleanup(server.Close)
	return store{Data: dir}
}

// TestFree: an update waits for an open order, as the agent or without one the journal knows it.
func TestFree(t *testing.T) {
	t.Parallel()
	journal := journalOf(t)
	for name, c := range map[string]struct {
		status  map[string]any // nil: no agent
		journal bool           // with an open order
		open    bool
	}{
		"idle":                              {map[string]any{"state": "idle", "queue": 0}, true, false},
		"a result":                          {map[string]any{"state": "result"}, false, false},
		"a scan":                            {map[string]any{"state": "scan"}, false, true},
		"an order is asked about":           {map[string]any{"state": "idle", "queue": 1}, false, true},
		"not provisioned":                   {map[string]any{"state": "unprovisioned"}, false, false},
		"not provisioned, an order is open": {map[string]any{"state": "unprovisioned"}, true, true},
		"no agent, nothing was sold":        {nil, false, false},
		"no agent, an order is open":        {nil, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := store{Data: t.TempDir()}
			if c.status != nil {
				s = answering(t, http.StatusOK, c.status)
			}
			if c.journal {
				const name = "payterm.db"
				if err := os.Symlink(filepath.Join(journal, name), filepath.Join(s.Data, name)); err != nil {
					t.Fatal(err)
				}
			}
			err := (asker{s, thisProgram}).Free(t.Context())
			if errors.Is(err, update.ErrOpen) != c.open || err != nil && !c.open {
				t.Errorf("%v, want open %v", err, c.open)
			}
		})
	}
}

// TestClaim: only an agent that says no keeps a restart waiting.
func TestClaim(t *testing.T) {
	t.Parallel()
	refuse := func(status int, code string) store {
		return answering(t, status, map[string]string{"error": "somebody may still read the result", "code": code})
	}
	for name, c := range map[string]struct {
		store
		waits bool
	}{
		"it agrees":  {answering(t, http.StatusOK, struct{}{}), false},
		"it refuses": {refuse(http.StatusConflict, "busy"), true},
		"too old":    {refuse(http.StatusNotFound, string(api.UnknownCall)), false},
		"no agent":   {store{Data: t.TempDir()}, false},
	} {
		if err := (asker{c.store, thisProgram}).Claim(t.Context()); errors.Is(err, update.ErrOpen) != c.waits ||
			err != nil && !c.waits {
			t.Errorf("%s: %v, want waiting %v", name, err, c.waits)
		}
	}
}

// TestAsks: what an update learns of a terminal.
func TestAsks(t *testing.T) {
	t.Parallel()
	s := answering(t, http.StatusOK, api.Report{Checks: []api.Check{{Name: "display", Result: "ok"},
		{Name: "printer", Result: "warn"}, {Name: "journal", Result: "fail"}}})
	a := asker{s, thisProgram}
	passed, err := a.Examine(t.Context())
	if err != nil || len(passed) != 3 || !passed["display"] || !passed["printer"] || passed["journal"] {
		t.Errorf("%v, %v", passed, err)
	}
	if err := a.Tell(t.Context(), screen.UpdateDone, ""); err != nil {
		t.Error(err)
	}
	if sold, err := a.Sold(t.Context()); err != nil || sold {
		t.Errorf("sold %v, %v", sold, err)
	}
	if err := a.Verify(t.Context()); err != nil {
		t.Errorf("no journal: %v", err)
	}
	file := filepath.Join(s.Data, "c.toml")
	text := "[update]\nurl = \"http://127.0.0.1:1/x?token=SECRET\"\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if address, err := a.Address(t.Context(), file); err != nil || address != "http://127.0.0.1:1/x?token=SECRET" {
		t.Errorf("%q, %v", address, err)
	}
}

func TestRunToolSaysWhy(t *testing.T) {
	out, err := runTool(t.Context(), "sh", "-c", "echo out; echo chatter >&2; echo the reason >&2; exit 3")
	if out != "out\n" || err == nil || !strings.HasSuffix(err.Error(), "exit status 3: the reason") {
		t.Errorf("%q, %v", out, err)
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"payterm/internal/httpd"
	"payterm/internal/tooltest"
)

// These tests crowd the local API of the built agent, which may open only as many files as a
// process may by default.

const (
	silentCrowd = 1200
	crowdToken  = "0123456789abcdef0123"
)

// crowded is a terminal with [api] listen whose process may open 1,024 files.
type crowded struct {
	*shop
	tcp string
}

func newCrowded(t *testing.T) *crowded {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &crowded{tcp: l.Addr().String()}
	if err := l.Close(); err != nil { // if another program takes the port, the agent says so
		t.Fatal(err)
	}
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(crowdToken), 0o600); err != nil {
		t.Fatal(err)
	}
	c.shop = &shop{t: t, dir: t.TempDir()}
	c.data = filepath.Join(c.dir, "data")
	config := filepath.Join(c.dir, "payterm.toml")
	if err := os.WriteFile(config, fmt.Appendf(nil, "[api]\nlisten = %q\ntoken_file = %q\n", c.tcp, token),
		0o600); err != nil {
		t.Fatal(err)
	}
	c.agent, _ = program(t, tooltest.Need(t, "sh"), "-c", `ulimit -n 1024; exec "$@"`, "sh",
		filepath.Join(bin, "payterm"), "emulate", "--config", config, "--listen", "127.0.0.1:0", "--data", c.data)
	return c
}

// files is how many files the agent has open.
func (c *crowded) files() int {
	c.t.Helper()
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", c.agent.Process.Pid))
	if err != nil {
		c.t.Fatal(err)
	}
	return len(list)
}

// crowd opens connections and sends the same on each.
func (c *crowded) crowd(network, address string, n int, says string) []net.Conn {
	c.t.Helper()
	conns := make([]net.Conn, n)
	for i := range conns {
		d := net.Dialer{Timeout: 10 * time.Second}
		conn, err := d.Dial(network, address)
		if err != nil {
			c.t.Fatalf("connection %d: %v", i, err)
		}
		c.t.Cleanup(func() { conn.Close() })
		io.WriteString(conn, says) //nolint:errcheck // it may have been closed
		conns[i] = conn
	}
	return conns
}

// asks makes a call and returns the answer's time.
func (c *crowded) asks(network, address string) (time.Duration, error) {
	c.t.Helper()
	client := http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}}
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, "http://payterm/status", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+crowdToken)
	began := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return time.Since(began), err
	}
	_, err = io.ReadAll(resp.Body)
	if resp.Body.Close(); resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	return time.Since(began), err
}

// answers checks that the owner's socket answers within a second.
func (c *crowded) answers() {
	c.t.Helper()
	if took, err := c.asks("unix", c.socket()); err != nil || took > time.Second {
		c.t.Errorf("the owner's socket after %s: %v", took, err)
	}
}

func (c *crowded) socket() string { return filepath.Join(c.data, "payterm.sock") }

// gone waits until the agent has as many files open as before, allowing for a call that is
// ending.
func (c *crowded) gone(before int) {
	c.t.Helper()
	for end := time.Now().Add(never); c.files() > before+2; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			c.t.Errorf("%d files are open, before it were %d", c.files(), before)
			return
		}
	}
}

func TestCrowds(t *testing.T) {
	const bearer = "\r\nAuthorization: Bearer "
	status := "GET /status HTTP/1.1\r\nHost: payterm"
	for _, x := range []struct {
		name, says string
		local      bool
	}{
		{"silent", "", false},
		{"half a request", status + "\r\nX-Slow: ", false},
		{"without a token, and then silent", status + "\r\n\r\n", false},
		{"with a wrong token", status + bearer + "0123456789abcdef0124\r\n\r\n", false},
		{"with half a body", "POST /sale HTTP/1.1\r\nHost: payterm" + bearer + crowdToken +
			"\r\nContent-Length: 100\r\n\r\n{", false},
		{"silent at the owner's own socket", "", true},
		{"with half a body at the owner's own socket",
			"POST /sale HTTP/1.1\r\nHost: payterm\r\nContent-Length: 100\r\n\r\n{", true},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			c := newCrowded(t)
			c.answers()
			before := c.files()
			network, address := "tcp", c.tcp
			if x.local {
				network, address = "unix", c.socket()
			}
			c.crowd(network, address, silentCrowd, x.says)
			if n := c.files(); n > before+2*128+16 {
				t.Errorf("%d files are open", n)
			}
			c.answers()
			if took, err := c.asks("tcp", c.tcp); err != nil {
				t.Errorf("the till's own call after %s: %v", took, err)
			}
			c.gone(before)
			c.answers()
		})
	}
}

// TestBusyIsSaid: "too many callers" reaches the person, and no till takes it for an order.
func TestBusyIsSaid(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, err := net.Listen("unix", filepath.Join(dir, "payterm.sock"))
	if err != nil {
		t.Fatal(err)
	}
	taken, let := make(chan struct{}), make(chan struct{})
	server := httpd.New(t.Context(), l,
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(taken); <-let }),
		httpd.Bounds{Conns: 2, Calls: 1, Body: 1 << 10})
	done := make(chan error)
	go func() { done <- server.Serve() }()
	t.Cleanup(func() {
		close(let)
		server.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	held, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if _, err := io.WriteString(held, "GET / HTTP/1.1\r\nHost: payterm\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-taken
	for _, args := range [][]string{{"status"}, {"queue", "list"}, {"sale", "--mode", "passive", "--amount", "1.00",
		"--idempotency-key", "k"}, {"refund", "T1AAAAA000001"}, {"reconcile"}} {
		cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "payterm"), append(args, "--data", dir)...)
		if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 1 ||
			!strings.Contains(string(out), "busy: 1 calls are being answered") {
			t.Errorf("%q: status %d: %s", args, cmd.ProcessState.ExitCode(), out)
		}
	}
}

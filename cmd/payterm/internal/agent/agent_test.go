package agent

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"payterm/cmd/payterm/internal/config"
	"payterm/flows/runner"
	"payterm/hal"
)

// bare is an agent without a device, whose gateway is nobody, with its loop
// running.
func bare(tb testing.TB) *Agent {
	tb.Helper()
	c := config.Default()
	c.Gateway.URL, c.Gateway.MerchantID, c.Gateway.OperatorID = "http://127.0.0.1:9/processV2", "ON00000000", "0000000696"
	c.Gateway.CallBackURL = "https://example.com/back"
	a, err := Start(Options{
		Config: c, Data: tb.TempDir(), SignKey: "0123456789ABCDEF", Board: &hal.Board{}, Sleep: time.Sleep,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		tb.Fatal(err)
	}
	if !a.isOpen() {
		tb.Fatal("it is not open")
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	tb.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			tb.Error(err)
		}
	})
	return a
}

// TestTroubleIsSaidOnce: a device that stays away is one line in the log, and one more
// when it goes for another reason or after it had come back.
func TestTroubleIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		a := &Agent{o: Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, clock: runner.NewSystemClock(time.Time{}), troubles: map[string]trouble{}}
		for i, c := range []struct {
			err   string
			after time.Duration
			lines int
		}{{"gone", 0, 1}, {"gone", 0, 1}, {"gone", recently / 2, 1}, {"busy", 0, 2}, {"gone", 0, 3}, {"gone", 2 * recently, 4}} {
			time.Sleep(c.after)
			a.again(t.Context(), "scanner", errors.New(c.err))
			if lines := strings.Count(log.String(), "\n"); lines != c.lines || a.trouble("scanner").n != i+1 {
				t.Errorf("%d: %d lines, not %d:\n%s", i, lines, c.lines, &log)
			}
		}
	})
}

// FuzzAPI: whatever is posted to the local API, it answers, and never panics.
func FuzzAPI(f *testing.F) {
	for _, seed := range [][2]string{
		{"sale", `{"mode":"passive","amount_minor":1234}`}, {"sale", `{"mode":"active","wallet":"ALIPAY","amount_minor":1,"tip_minor":9223372036854775807}`},
		{"sale", `{"mode":"passive","amount_minor":1,"idempotency_key":"k","ref":"r","despite":"T1AAAAA000001"}`},
		{"orders/T1AAAAA000001/refund", `{"amount_minor":5}`}, {"orders/../refund", `{"amount_minor":-5,"idempotency_key":"k"}`},
		{"orders/T1AAAAA000001/resolve", `{"reason":"x"}`}, {"sale", ``}, {"sale", `{"amount_minor":1e3}`}, {"sale", `[`},
		{"notice", `{"notice":"stick_done"}`}, {"notice", `{"notice":"update_refused","reason":"older"}`},
	} {
		f.Add(seed[0], []byte(seed[1]))
	}
	a := bare(f)
	routes := a.onSocket(a.routes())
	f.Fuzz(func(t *testing.T, path string, body []byte) {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Millisecond) // a sale that begins is not waited for
		defer cancel()
		u, err := url.Parse("http://payterm/" + path)
		if err != nil {
			return
		}
		r := (&http.Request{Method: http.MethodPost, URL: u, Body: io.NopCloser(bytes.NewReader(body)), Header: http.Header{}}).WithContext(ctx)
		w := httptest.NewRecorder()
		routes.ServeHTTP(w, r)
		if w.Code == http.StatusOK && w.Body.Len() == 0 && ctx.Err() == nil {
			t.Errorf("%s %q: no answer", path, body)
		}
	})
}

// TestCheckpoint: an idle counter has its log moved into the file; one that is
// busy is left alone.
func TestCheckpoint(t *testing.T) {
	a := bare(t)
	log := filepath.Join(a.o.Data, "payterm.db-wal")
	size := func() int64 {
		info, err := os.Stat(log)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	a.runner.Press("5")
	if err := a.checkpoint(t.Context()); err != nil || size() == 0 {
		t.Errorf("while an amount is typed: %v, %d bytes are left in the log", err, size())
	}
	a.runner.Press("CANCEL")
	if err := a.checkpoint(t.Context()); err != nil || size() != 0 {
		t.Errorf("idle: %v, %d bytes are left in the log", err, size())
	}
}

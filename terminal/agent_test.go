package terminal

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/board"
	"payterm/config"
	"payterm/storage"
)

// bare is an agent without devices or gateway, with its loop running.
func bare(tb testing.TB) *Agent {
	tb.Helper()
	c := config.Default()
	c.Gateway.URL, c.Gateway.MerchantID, c.Gateway.OperatorID = "http://127.0.0.1:9/processV2", "ON00000000",
		"0000000696"
	c.Gateway.CallBackURL = "https://example.com/back"
	a, err := Start(Options{
		Config: c, Data: tb.TempDir(), SignKey: "0123456789ABCDEF", Board: &board.Board{}, Sleep: time.Sleep,
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

// FuzzAPI: the local API answers any body, without a panic.
func FuzzAPI(f *testing.F) {
	for _, seed := range [][2]string{
		{"sale", `{"mode":"passive","amount_minor":1234}`},
		{"sale", `{"mode":"active","wallet":"ALIPAY","amount_minor":1,"tip_minor":9223372036854775807}`},
		{"sale", `{"mode":"passive","amount_minor":1,"idempotency_key":"k","ref":"r","despite":"T1AAAAA000001"}`},
		{"orders/T1AAAAA000001/refund", `{"amount_minor":5}`},
		{"orders/../refund", `{"amount_minor":-5,"idempotency_key":"k"}`},
		{"orders/T1AAAAA000001/resolve", `{"reason":"x"}`}, {"sale", ``}, {"sale", `{"amount_minor":1e3}`},
		{"sale", `[`},
		{"notice", `{"notice":"stick_done"}`}, {"notice", `{"notice":"update_refused","reason":"older"}`},
	} {
		f.Add(seed[0], []byte(seed[1]))
	}
	a := bare(f)
	routes := a.socket()
	f.Fuzz(func(t *testing.T, path string, body []byte) {
		// a sale that begins is not awaited
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Millisecond)
		defer cancel()
		u, err := url.Parse("http://payterm/" + path)
		if err != nil {
			return
		}
		r := (&http.Request{Method: http.MethodPost, URL: u, Body: io.NopCloser(bytes.NewReader(body)),
			Header: http.Header{}}).WithContext(ctx)
		w := httptest.NewRecorder()
		routes.ServeHTTP(w, r)
		if w.Code == http.StatusOK && w.Body.Len() == 0 && ctx.Err() == nil {
			t.Errorf("%s %q: no answer", path, body)
		}
	})
}

// TestCheckpoint: the log is moved into the file while the counter is idle, and not while it is
// busy.
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
	if err := a.upkeep.Checkpoint(t.Context(), storage.Old{}); err != nil || size() == 0 {
		t.Errorf("while an amount is typed: %v, %d bytes are left in the log", err, size())
	}
	a.runner.Press("CANCEL")
	if err := a.upkeep.Checkpoint(t.Context(), storage.Old{}); err != nil || size() != 0 {
		t.Errorf("idle: %v, %d bytes are left in the log", err, size())
	}
}

// TestKeyOutlivesRetention: a till repeats an old sale: it gets the result, and nothing begins.
func TestKeyOutlivesRetention(t *testing.T) {
	a := bare(t)
	sold := payterm.Order{
		ID: "T1AAAAA000001", Kind: payterm.KindSale, Mode: payterm.Passive, Wallet: payterm.Alipay, AmountMinor: 1234,
		PaidMinor: 1234, Currency: "CAD", MerchantID: a.o.Config.Gateway.MerchantID,
		Outcome: payterm.Approved, IdempotencyKey: "till-1",
	}
	err := a.store.Commit(payterm.Entry{OrderID: sold.ID, Event: "payment_answered", Body: []byte("{}"), Order: sold,
		Closed: true})
	if err == nil {
		_, err = a.store.TakeZ(payterm.TakenBy{})
	}
	if err != nil {
		t.Fatal(err)
	}
	left := func() int {
		orders, err := a.store.Orders()
		if err != nil {
			t.Fatal(err)
		}
		return len(orders)
	}
	retention := storage.Retention{Keep: 400 * 24 * time.Hour}
	now := a.upkeep.Reading()
	for range 3 { // two minutes, 402 days ahead
		ahead := now
		ahead.Wall, ahead.Synced = now.Wall.AddDate(0, 0, 402), true
		if err := a.upkeep.Checkpoint(t.Context(), retention.Old(ahead)); err != nil || left() != 1 {
			t.Fatalf("the clock was 402 days ahead: %d orders are left, %v", left(), err)
		}
		now.Lived, now.Wall = now.Lived+time.Minute, now.Wall.Add(time.Minute)
	}
	if err := a.store.Live(now.Lived); err != nil {
		t.Fatal(err)
	}
	now.Lived += 401 * 24 * time.Hour
	if err := a.upkeep.Checkpoint(t.Context(), retention.Old(now)); err != nil || left() != 0 {
		t.Fatalf("after 401 days: %d orders are left, %v", left(), err)
	}
	for body, want := range map[string]string{
		`{"mode":"passive","amount_minor":1234,"idempotency_key":"till-1"}`: `"outcome":"approved"`,
		`{"mode":"passive","amount_minor":1235,"idempotency_key":"till-1"}`: `"code":"key_reused"`,
	} {
		w := httptest.NewRecorder()
		a.socket().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/sale", strings.NewReader(body)))
		if got := w.Body.String(); !strings.Contains(got, want) || left() != 0 {
			t.Errorf("%s is answered %s", body, got)
		}
	}
}

// TestLifeGoesOn: the lived time continues in the next run, also without records, and scans are
// dated in it.
func TestLifeGoesOn(t *testing.T) {
	o := Options{Config: config.Default(), Data: t.TempDir(), SignKey: "0123456789ABCDEF", Board: &board.Board{},
		Sleep: time.Sleep, Log: slog.New(slog.DiscardHandler)}
	o.Config.Gateway.URL, o.Config.Gateway.MerchantID, o.Config.Gateway.OperatorID = "http://127.0.0.1:9/processV2",
		"ON00000000", "0000000696"
	o.Config.Gateway.CallBackURL = "https://example.com/back"
	began := time.Now()
	before := time.Duration(0)
	for life := range 3 {
		a, err := Start(o)
		if err != nil || !a.isOpen() {
			t.Fatal(err, a.why())
		}
		if now := a.Lived(); now < before {
			t.Errorf("life %d begins at %s, and %s was lived through", life, now, before)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- a.Run(ctx) }()
		if _, err := a.Snapshot(ctx); err != nil {
			t.Fatal(err)
		}
		before = a.Lived()
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
	if most := time.Since(began); before <= 0 || before > most {
		t.Errorf("%s was lived through in %s", before, most)
	}
}

package terminal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"payterm"
	"payterm/board"
	"payterm/boards"
	"payterm/config"
	"payterm/gateway/ottsim"
	"payterm/hal/emulated"
)

// sales is the number of sales of the soak: a few in `make test`, two thousand in `make soak`.
var sales = flag.Int("sales", 20, "make so many sales in the soak")

// soakCounter is a terminal on emulated hardware, with cashier, customers and gateway.
type soakCounter struct {
	agent *Agent
	board *emulated.Board
	sim   atomic.Pointer[ottsim.Sim]
	url   string
	stop  func() error
}

// ServeHTTP is the current gateway. Each day has a new one, because its ledger grows and the
// terminal is what is measured.
func (c *soakCounter) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.sim.Load().ServeHTTP(w, r) }

func (c *soakCounter) newDay(seed int) {
	c.sim.Store(ottsim.New(ottsim.Config{MerchantID: merchant, SignKey: signKey, Seed: uint64(seed), BaseURL: c.url}))
}

func newCounter(data string) (*soakCounter, error) {
	c := &soakCounter{}
	server := httptest.NewServer(c)
	c.url = server.URL
	c.newDay(0) // an idle terminal asks the gateway from its start
	text, err := boards.Read("emulated")
	if err != nil {
		return nil, err
	}
	profile, err := board.ReadProfile("emulated.toml", text)
	if err != nil {
		return nil, err
	}
	// A keypad is scanned so often that a hundred times its rate is too much for two processors.
	profile.Keypad.ScanInterval.Duration, profile.Keypad.Debounce.Duration = 50*time.Millisecond, 100*time.Millisecond
	if c.board, err = emulated.New(emulated.Config{Profile: profile, Scale: 100}); err != nil {
		return nil, err
	}
	of := config.Default()
	of.Merchant.Name = "Shop"
	of.Gateway.URL, of.Gateway.MerchantID, of.Gateway.OperatorID = c.url+"/processV2", merchant, "0000000696"
	of.Gateway.CallBackURL = "https://example.com/callback"
	ready := make(chan struct{})
	c.agent, err = Start(Options{
		Config: of, Data: data, SignKey: signKey, Sleep: c.board.Sleep, Board: board.Open(profile, c.board),
		Log:   slog.New(slog.DiscardHandler),
		Ready: func() error { close(ready); return nil },
	})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.agent.Run(ctx) }()
	c.stop = func() error {
		stop()
		err := errors.Join(<-ended, c.board.Close())
		server.Close()
		for _, v := range c.board.Violations() {
			err = errors.Join(err, v)
		}
		return err
	}
	select {
	case <-ready:
		return c, nil
	case <-time.After(never):
		return nil, errors.Join(errors.New("it is not ready"), c.stop())
	}
}

// sale makes one: typed, scanned, paid and printed.
func (c *soakCounter) sale(n int) error {
	for _, k := range append(strings.Split(fmt.Sprint(100+n), ""), string(payterm.KeyEnter)) {
		if err := c.board.Press(payterm.Key(k)); err != nil {
			return err
		}
	}
	if err := c.screen("scan"); err != nil {
		return err
	}
	code, err := c.wallet()
	if err != nil {
		return err
	}
	if err := c.board.Scan(code); err != nil {
		return err
	}
	if err := c.screen("approved"); err != nil {
		return err
	}
	amount := c.agent.Screen().Amount
	if want := fmt.Sprintf("$%d.%02d", (100+n)/100, (100+n)%100); amount != want {
		return fmt.Errorf("%s was approved, and typed was %s", amount, want)
	}
	var slips string
	if err := within(func() bool {
		_, slips = c.board.Paper()
		return strings.Count(slips,
			"--- cut ---") == 2
	}); err != nil {
		return fmt.Errorf("two slips: %w: %s", err, slips)
	}
	for _, words := range []string{"APPROVED", strings.TrimPrefix(amount, "$")} {
		if strings.Count(slips, words) < 2 {
			return fmt.Errorf("%s is not on both slips: %s", words, slips)
		}
	}
	c.board.Tear()
	if err := c.board.Press(payterm.KeyEnter); err != nil {
		return err
	}
	return c.screen("idle")
}

func (c *soakCounter) screen(name string) error {
	if err := within(func() bool { return c.agent.Screen().Name == name }); err != nil {
		return fmt.Errorf("screen %s: %w, but %+v", name, err, c.agent.Screen())
	}
	return nil
}

func within(true func() bool) error {
	for end := time.Now().Add(never); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if true() {
			return nil
		}
	}
	return errors.New("never")
}

// wallet is the payment code of a customer.
func (c *soakCounter) wallet() (string, error) {
	out := httptest.NewRecorder()
	c.ServeHTTP(out, httptest.NewRequest("POST", "/sim/wallets", bytes.NewReader([]byte(`{"biz_type":"ALIPAY"}`))))
	var w struct{ Code string }
	if err := json.Unmarshal(out.Body.Bytes(), &w); err != nil || w.Code == "" {
		return "", fmt.Errorf("wallet: %s %w", out.Body, err)
	}
	return w.Code, nil
}

// ledger is how many orders the current gateway has, and how many are paid.
func (c *soakCounter) ledger() (orders, paid int, err error) {
	out := httptest.NewRecorder()
	c.ServeHTTP(out, httptest.NewRequest("GET", "/sim/orders", nil))
	var list struct {
		Orders []struct {
			Amount int64 `json:"amount_minor"`
			Paid   int64 `json:"paid_minor"`
		} `json:"orders"`
	}
	err = json.Unmarshal(out.Body.Bytes(), &list)
	for _, o := range list.Orders {
		if o.Paid == o.Amount {
			paid++
		}
	}
	return len(list.Orders), paid, err
}

// state is the terminal's use of resources at rest.
type state struct {
	sales                   int
	goroutines, descriptors int
	heap                    uint64 // bytes in use after a collection
	rss, anon               int    // kB: resident, and the part that is not of a file
}

func (s state) String() string {
	return fmt.Sprintf("after %d sales: %d goroutines, %d descriptors, %.2f MB on the heap, %.1f MB resident, %.1f "+
		"MB of them no file's", s.sales, s.goroutines, s.descriptors,
		float64(s.heap)/1e6, float64(s.rss)/1e3, float64(s.anon)/1e3)
}

// rest waits until counts are stable, then measures.
func (c *soakCounter) rest(sales int) (state, error) {
	s := state{sales: sales}
	for last, same := -1, 0; same < 10; time.Sleep(20 * time.Millisecond) {
		if n := runtime.NumGoroutine(); n == last {
			same++
		} else {
			last, same = n, 0
		}
	}
	runtime.GC()
	runtime.GC() // the first run leaves some garbage
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.goroutines, s.heap = runtime.NumGoroutine(), m.HeapAlloc
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return s, err
	}
	s.descriptors = len(list)
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return s, err
	}
	for name, kB := range map[string]*int{"VmRSS:": &s.rss, "RssAnon:": &s.anon} {
		_, after, _ := strings.Cut(string(text), name)
		if _, err := fmt.Sscan(after, kB); err != nil {
			return s, fmt.Errorf("/proc/self/status: %s %w", name, err)
		}
	}
	return s, nil
}

// Normal variation between two measurements: buffers of net/http, pages of SQLite.
const (
	heapMargin = 256 << 10 // bytes
	anonMargin = 6 << 10   // kB; the collector returns memory late. Pages of files belong to the kernel
)

// flat checks that a state uses no more than an earlier one.
func flat(early, late state) error {
	switch {
	case late.goroutines > early.goroutines, late.descriptors > early.descriptors,
		late.heap > early.heap+heapMargin, late.anon > early.anon+anonMargin:
		return fmt.Errorf("it grows: %v; %v", early, late)
	}
	return nil
}

// soakSales makes n sales in four days and compares the last evening with the first. wrong is a
// planted bug, run after each sale.
func soakSales(data string, n int, log func(args ...any), wrong func()) error {
	c, err := newCounter(data)
	if err != nil {
		return err
	}
	work := func() error {
		var first, now state
		for day := range 4 {
			c.newDay(day + 1)
			for i := range n / 4 {
				if err := c.sale(day*(n/4) + i); err != nil {
					return fmt.Errorf("day %d, sale %d: %w", day, i, err)
				}
				wrong()
			}
			if orders, paid, err := c.ledger(); err != nil || orders != n/4 || paid != n/4 {
				return fmt.Errorf("day %d: the gateway has %d orders, %d of them paid, of %d: %w", day, orders, paid,
					n/4, err)
			}
			c.newDay(0)
			if now, err = c.rest((day + 1) * (n / 4)); err != nil {
				return err
			}
			log(now)
			if day == 0 {
				first = now
			}
		}
		err := flat(first, now)
		for try := 0; try < 3 && err != nil; try++ { // temporary use is gone in one of the measurements
			if now, err = c.rest(n); err == nil {
				err = flat(first, now)
			}
		}
		return err
	}
	return errors.Join(work(), c.stop())
}

// TestSoakSales: each of many sales is approved and printed, and no memory stays in use.
func TestSoakSales(t *testing.T) {
	start := time.Now()
	if err := soakSales(t.TempDir(), *sales, t.Log, func() {}); err != nil {
		t.Error(err)
	}
	t.Logf("%d sales in %s", *sales, time.Since(start).Round(time.Second))
}

// TestSoakSalesCatches: a goroutine that stays after each sale is found, and so is memory.
func TestSoakSalesCatches(t *testing.T) {
	var kept [][]byte
	end := make(chan struct{})
	defer close(end)
	for _, wrong := range []func(){
		func() { kept = append(kept, make([]byte, heapMargin/3)) },
		func() { go func() { <-end }() },
	} {
		if err := soakSales(t.TempDir(), 8, func(...any) {}, wrong); err == nil ||
			!strings.HasPrefix(err.Error(), "it grows: ") {
			t.Errorf("not found: %v", err)
		}
	}
	runtime.KeepAlive(kept)
}

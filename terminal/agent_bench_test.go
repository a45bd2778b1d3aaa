package terminal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"payterm"
	"payterm/board"
	"payterm/boards"
	"payterm/config"
	"payterm/flows/runner"
	"payterm/gateway/ottsim"
	"payterm/hal"
	"payterm/hal/emulated"
	"payterm/hal/haltest"
)

// scans is the number of sales in the scan benchmark: its p99 is the third worst.
const (
	scans        = 300
	syncsPerScan = 2
)

// BenchmarkScanToWire runs a whole agent on the emulated board. It measures, for each sale, the
// time from the last byte of the scanner to the first byte of the payment at the gateway. In
// between is one commit, which is one sync, so the result is a ratio to a plain write and
// fdatasync of the same size beside the journal, made before each scan.
//
// The p99 ratio is p99 to p99: a disk with uneven syncs makes both uneven, other load only the
// first; load is how many other threads wanted a processor.
func BenchmarkScanToWire(b *testing.B) {
	t := newRig(b)
	b.ReportMetric(0, "ns/op") // the time of the whole run says nothing
	var syncs, whole, line, commit, request []time.Duration
	disk := newDisk(b, t.dir)
	for i := range scans {
		code := t.wallet()
		t.keys("1", "0", "0", payterm.KeyEnter)
		t.waitScreen("scan")
		t.scanner([]byte(code))
		for range syncsPerScan {
			t.quiet() // a sync right after another is faster than one of an idle disk
			if i > 0 {
				syncs = append(syncs, disk.sync(t.journal.grown))
			}
		}
		t.quiet()
		last := time.Now()
		t.scanner([]byte("\r"))
		first := t.gateway.wait(b)
		t.waitScreen("approved")
		if i == 0 {
			continue // a warm-up, which shows how many bytes a commit writes
		}
		m := t.journal.marks()
		whole = append(whole, first.Sub(last))
		line = append(line, m.begun.Sub(last))
		commit = append(commit, m.committed.Sub(m.begun))
		request = append(request, first.Sub(m.committed))
	}
	b.ReportMetric(float64(at(whole, 99))/float64(at(syncs, 99)), "p99-syncs")
	b.ReportMetric(float64(at(whole, 50))/float64(at(syncs, 50)), "p50-syncs")
	b.ReportMetric(micros(at(whole, 99)), "p99-µs")
	b.ReportMetric(micros(at(whole, 50)), "p50-µs")
	b.ReportMetric(micros(at(syncs, 99)), "sync-p99-µs")
	b.ReportMetric(micros(at(syncs, 50)), "sync-p50-µs")
	b.ReportMetric(float64(t.journal.grown), "sync-bytes")
	b.ReportMetric(micros(at(line, 50)), "line-µs")
	b.ReportMetric(micros(at(commit, 50)), "commit-µs")
	b.ReportMetric(micros(at(request, 50)), "request-µs")
	b.ReportMetric(load(b), "load")
}

// at is a percentile: the smallest value that so many percent do not exceed.
func at(list []time.Duration, percent int) time.Duration {
	list = slices.Sorted(slices.Values(list))
	return list[(len(list)*percent+99)/100-1]
}

// load is how many threads ran or waited for a processor, over the last minute.
func load(b *testing.B) (load float64) {
	text, err := os.ReadFile("/proc/loadavg")
	if err == nil {
		_, err = fmt.Sscan(string(text), &load)
	}
	if err != nil {
		b.Fatal(err)
	}
	return load
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// disk syncs a file of its own like a write-ahead log: it appends, and starts again at SQLite's
// log size.
type disk struct {
	b      *testing.B
	f      *os.File
	offset int64
}

const walBound = 1000 * 4096

func newDisk(b *testing.B, dir string) *disk {
	f, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	return &disk{b: b, f: f}
}

func (d *disk) sync(n int64) time.Duration {
	d.b.Helper()
	if d.offset+n > walBound {
		d.offset = 0
	}
	bytes := bytes.Repeat([]byte{byte(d.offset / n)}, int(n))
	start := time.Now()
	if _, err := d.f.WriteAt(bytes, d.offset); err != nil {
		d.b.Fatal(err)
	}
	if err := syscall.Fdatasync(int(d.f.Fd())); err != nil {
		d.b.Fatal(err)
	}
	d.offset += n
	return time.Since(start)
}

// rig is a running agent, with a scanner that the benchmark controls and a gateway that records
// when it is written to.
type rig struct {
	b       *testing.B
	dir     string
	agent   *Agent
	journal *journal
	gateway *gateway
	sim     *ottsim.Sim
	cable   *haltest.Cable
	changed atomic.Int64 // last event of an emulated chip, in Unix nanoseconds
}

const merchant, signKey = "ON00000000", "0123456789ABCDEF"

func newRig(b *testing.B) *rig {
	t := &rig{b: b, dir: b.TempDir(), cable: haltest.NewCable(b)}
	t.gateway = newGateway(b)
	t.sim = ottsim.New(ottsim.Config{MerchantID: merchant, SignKey: signKey, Seed: 1, BaseURL: t.gateway.url})
	srv := &http.Server{Handler: t.sim, ReadHeaderTimeout: 5 * time.Second}
	go srv.Serve(t.gateway) //nolint:errcheck // it ends with Close
	b.Cleanup(func() { srv.Close() })

	text, err := boards.Read("emulated")
	if err != nil {
		b.Fatal(err)
	}
	profile, err := board.ReadProfile("emulated.toml", text)
	if err != nil {
		b.Fatal(err)
	}
	hardware, err := emulated.New(emulated.Config{Profile: profile, Scale: 100,
		Changed: func(string) { t.changed.Store(time.Now().UnixNano()) }})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { hardware.Close() })

	c := config.Default()
	c.Merchant.Name = "Shop"
	c.Gateway.URL, c.Gateway.MerchantID, c.Gateway.OperatorID = t.gateway.url+"/processV2", merchant, "0000000696"
	c.Gateway.CallBackURL = "https://example.com/callback"
	t.agent, err = Start(Options{
		Config: c, Data: filepath.Join(t.dir, "data"), SignKey: signKey, Sleep: hardware.Sleep,
		Board: board.Open(profile, ports{hardware, profile.Scanner.Device, t.cable}),
		Log:   slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	rc := t.agent.runnerConfig(t.agent.store, t.agent.loopClock, make([]byte, 32))
	t.journal = &journal{Journal: rc.Journal, wal: filepath.Join(t.dir, "data", "payterm.db-wal")}
	rc.Journal = t.journal
	t.agent.runner = runner.New(rc) // with a journal that records the time

	var wg sync.WaitGroup
	ready := make(chan struct{})
	t.agent.o.Ready = func() error { close(ready); return nil }
	ended := make(chan error, 1)
	wg.Go(func() { ended <- t.agent.Run(b.Context()) })
	b.Cleanup(func() { // the benchmark's context has ended
		wg.Wait()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	select {
	case <-ready:
	case err := <-ended:
		b.Fatal(err)
	}
	return t
}

// ports are the emulated hardware's, except for the scanner's line.
type ports struct {
	*emulated.Board
	scanner string
	cable   *haltest.Cable
}

func (p ports) Serial(name string, baud int) (*hal.Line, error) {
	if name == p.scanner {
		return hal.OpenLine(p.cable.Device, baud), nil
	}
	return p.Board.Serial(name, baud)
}

func (t *rig) keys(keys ...payterm.Key) {
	for _, k := range keys {
		t.agent.runner.Press(k)
	}
}

func (t *rig) waitScreen(name string) {
	t.b.Helper()
	for end := time.Now().Add(never); t.agent.Screen().Name != name; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.b.Fatalf("no screen %s, but %s", name, t.agent.Screen().Name)
		}
	}
}

// quiet waits until display and printer are idle, as they are before a customer shows a code.
func (t *rig) quiet() {
	const pause = 20 * time.Millisecond
	time.Sleep(pause)
	for end := time.Now().Add(5 * time.Second); time.Since(time.Unix(0, t.changed.Load())) < pause &&
		time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
}

func (t *rig) scanner(bytes []byte) {
	if _, err := t.cable.Far().Write(bytes); err != nil {
		t.b.Fatal(err)
	}
}

// wallet is the payment code of a customer.
func (t *rig) wallet() string {
	out := httptest.NewRecorder()
	t.sim.ServeHTTP(out, httptest.NewRequest("POST", "/sim/wallets", bytes.NewReader([]byte(`{"biz_type":"ALIPAY"}`))))
	var w struct{ Code string }
	if err := json.Unmarshal(out.Body.Bytes(), &w); err != nil || w.Code == "" {
		t.b.Fatalf("wallet: %s %v", out.Body, err)
	}
	return w.Code
}

// journal records when the commit of a scan begins and ends.
type journal struct {
	runner.Journal
	wal   string
	grown int64 // bytes of log that the commit of the first scan wrote

	mu   sync.Mutex
	last marks
}

type marks struct{ begun, committed time.Time }

func (j *journal) marks() marks {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last
}

func (j *journal) Commit(entries ...payterm.Entry) error {
	if entries[0].Event != "code_scanned" {
		return j.Journal.Commit(entries...)
	}
	before := j.size()
	begun := time.Now()
	err := j.Journal.Commit(entries...)
	committed := time.Now()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.last = marks{begun, committed}
	if j.grown == 0 {
		j.grown = j.size() - before
	}
	return err
}

// size is the log's size. It is not read any more once the size of a commit is known.
func (j *journal) size() int64 {
	info, err := os.Stat(j.wal)
	if j.grown != 0 || err != nil {
		return 0
	}
	return info.Size()
}

// gateway is a listener that records the first byte of each connection.
type gateway struct {
	net.Listener
	url   string
	first chan time.Time
}

func newGateway(b *testing.B) *gateway {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	return &gateway{Listener: l, url: "http://" + l.Addr().String(), first: make(chan time.Time, 16)}
}

func (g *gateway) wait(b *testing.B) time.Time {
	b.Helper()
	select {
	case first := <-g.first:
		return first
	case <-time.After(never):
		b.Fatal("no payment came")
		return time.Time{}
	}
}

// Accept waits for the first byte, so that no goroutine has to start before it is seen.
func (g *gateway) Accept() (net.Conn, error) {
	conn, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	var b [1]byte
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	n, err := conn.Read(b[:])
	if err == nil {
		g.first <- time.Now()
	}
	return begun{conn, io.MultiReader(bytes.NewReader(b[:n]), conn)}, conn.SetReadDeadline(time.Time{})
}

// begun is a connection whose first byte was read.
type begun struct {
	net.Conn
	r io.Reader
}

func (c begun) Read(b []byte) (int, error) { return c.r.Read(b) }

// BenchmarkExchange is one request and its reply: sealed, sent over a new connection on loopback,
// answered by the simulator, opened and checked.
func BenchmarkExchange(b *testing.B) {
	t := newRig(b)
	client := t.agent.gateway
	q := payterm.Inquiry{OrderID: "T1AAAAA000001", Total: payterm.Amount{Minor: 100, Currency: "CAD"}}
	for b.Loop() {
		if a, ok := client.Inquire(b.Context(), q).(payterm.NotFound); !ok {
			b.Fatalf("an order that the gateway does not know: %+v", a)
		}
		t.gateway.wait(b)
	}
}

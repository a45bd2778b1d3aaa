package setup

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"payterm"
	"payterm/board"
	"payterm/boards"
	"payterm/config"
	"payterm/hal/emulated"
	"payterm/provision"
	"payterm/screen"
	"payterm/terminal/api"
	"payterm/terminal/doctor"
)

// never is how long a test waits for what must come. A machine with other work takes long; nothing is measured.
const never = 2 * time.Minute

// bench is a new terminal on emulated chips.
type bench struct {
	t      *testing.T
	data   string
	signer ed25519.PrivateKey
	board  *emulated.Board
	s      *Setup
	link   func(string) doctor.Finding
	end    func()
}

// newBench makes one; start runs it.
func newBench(t *testing.T) *bench {
	t.Helper()
	signer, _, err := provision.NewSigner(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, data: t.TempDir(), signer: signer, link: linked(well)}
}

func (b *bench) provisioner() *Provisioner {
	return &Provisioner{Data: b.data, Signers: []ed25519.PublicKey{b.signer.Public().(ed25519.PublicKey)},
		Now: time.Now, Board: func(config.Config) error { return nil }}
}

// start starts a run; change may modify the options or the board.
func (b *bench) start(change func(*Options, *emulated.Board)) {
	b.t.Helper()
	text, err := boards.Read("emulated")
	if err != nil {
		b.t.Fatal(err)
	}
	profile, err := board.ReadProfile("emulated.toml", text)
	if err != nil {
		b.t.Fatal(err)
	}
	if b.board, err = emulated.New(emulated.Config{Profile: profile, Scale: 20}); err != nil {
		b.t.Fatal(err)
	}
	o := Options{
		Data: b.data, Board: board.Open(profile, b.board), Sleep: b.board.Sleep, Log: slog.New(slog.DiscardHandler),
		Provisioner: b.provisioner(), Link: b.link, Refresh: time.Second, LookAgain: 300 * time.Millisecond,
		NetworkTime: func() (bool, error) { return true, nil },
	}
	if change != nil {
		change(&o, b.board)
	}
	if b.s, err = New(o, ""); err != nil {
		b.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	s, board := b.s, b.board
	go func() { ended <- s.Run(ctx) }()
	once := false
	b.end = func() {
		if once {
			return
		}
		once = true
		stop()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			b.t.Error(err)
		}
		if err := board.Close(); err != nil {
			b.t.Error(err)
		}
	}
	b.t.Cleanup(b.end)
}

// until waits for something to be so.
func (b *bench) until(what string, is func() bool) {
	b.t.Helper()
	for end := time.Now().Add(never); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("%s: not so: %+v", what, b.s.Screen())
		}
	}
}

// tells waits for a screen with these words in some language.
func (b *bench) tells(words string) {
	b.t.Helper()
	b.until(words, func() bool { return strings.Contains(strings.Join(b.s.Screen().Lines, "\n"), words) })
}

func (b *bench) paper() string { _, text := b.board.Paper(); return text }

// kept waits for the stored report.
func (b *bench) kept(serial uint64) doctor.SelfTest {
	b.t.Helper()
	b.until("a report is kept", func() bool { return doctor.LastSelfTest(b.data, serial).Report != nil })
	return doctor.LastSelfTest(b.data, serial)
}

// ask makes a request on the socket.
func (b *bench) ask(method, path string) (int, string) {
	b.t.Helper()
	return b.say(method, path, "")
}

// say makes a request with a body.
func (b *bench) say(method, path, body string) (int, string) {
	b.t.Helper()
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", api.Socket(b.data))
		}}}
	call, _, _ := strings.Cut(path, "?") // which takes no body, or one that is not empty
	if !slices.Contains([]string{"/doctor", "/totals/x", "/reconcile"}, call) && method == http.MethodPost {
		body = cmp.Or(body, "{}")
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, "http://payterm"+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func (b *bench) doctor(query string) api.Report {
	b.t.Helper()
	status, text := b.ask("POST", "/doctor"+query)
	var rep api.Report
	if err := json.Unmarshal([]byte(text), &rep); err != nil || status != http.StatusOK {
		b.t.Fatalf("HTTP %d %s: %v", status, text, err)
	}
	return rep
}

// parcel makes a parcel of this age and validity.
func (b *bench) parcel(age, life time.Duration) string {
	b.t.Helper()
	text, err := provision.Make(provision.Terms{Made: time.Now().Add(-age), Life: life},
		provision.Content{SignKey: "FIRSTsignKEY0001", Config: []byte("[terminal]\n")}, "123456789012", b.signer)
	if err != nil {
		b.t.Fatal(err)
	}
	return text
}

// TestSelfTestOutOfTheBox: the self test runs at each start, is printed at the first, and again
// with F2.
func TestSelfTestOutOfTheBox(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start(nil)
	b.tells("Self test: all well")
	b.until("it is printed", func() bool { return strings.Contains(b.paper(), "--- cut ---") })
	paper := b.paper()
	if device := b.s.status().Device; strings.Count(paper, "DOCTOR") != 1 || !strings.Contains(paper, device) {
		t.Errorf("without %s: %s", device, paper)
	}
	if k := b.kept(0); !k.Report.OK || k.Tries != 1 {
		t.Errorf("kept: %+v", k)
	}
	info, err := os.Stat(filepath.Join(b.data, doctor.SelfTestFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	b.end()

	b.start(nil)
	b.tells("all well")
	if s := b.s.Screen(); len(s.Keys) != 1 || s.Keys[0].Key != payterm.KeyF2 {
		t.Errorf("keys %v", s.Keys)
	}
	time.Sleep(300 * time.Millisecond)
	if paper := b.paper(); strings.Contains(paper, "DOCTOR") {
		t.Errorf("printed once more: %s", paper)
	}
	var next time.Time
	b.until("F2 prints", func() bool {
		if now := time.Now(); now.After(next) { // ignored while the start's own test still runs
			next = now.Add(5 * time.Second)
			spoil(t, b.board.Press(payterm.KeyF2))
		}
		return strings.Contains(b.paper(), "--- cut ---")
	})
	for _, v := range b.board.Violations() {
		t.Error(v)
	}
}

// TestSelfTestNames: failures are named on the screen and in the report, with what to do, and the
// others are counted.
func TestSelfTestNames(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name         string
		linked       doctor.Finding
		change       func(*Options, *emulated.Board)
		check, says  string
		screen       string
		neverPrinted bool
	}{
		{"no signers", well, func(o *Options, _ *emulated.Board) {
			o.Provisioner.Signers, o.Provisioner.Trust = nil, "/etc/payterm/signers"
		}, "signers", "SIGNERS=FILE", "No signers", false},
		{"no paper", well, func(_ *Options, e *emulated.Board) { spoil(t, e.SetPrinter("out", "")) }, "printer",
			"put in a new roll", "Printer: no paper; put in a roll", true},
		{"an open cover", well, func(_ *Options, e *emulated.Board) { spoil(t, e.SetPrinter("", "open")) }, "printer",
			"close it", "Printer: close the cover", true},
		{"no scanner", well, func(_ *Options, e *emulated.Board) { spoil(t, e.Unplug("scanner")) }, "scanner",
			"check the cable", "Scanner: check its cable", false},
		{"no buzzer", well, func(o *Options, _ *emulated.Board) {
			o.Board.Faults = map[string]error{"buzzer": errors.New("no such line")}
		}, "buzzer", "no such line", "Buzzer: check its wires", false},
		{"no clock", well, func(o *Options,
			_ *emulated.Board) {
			o.Provisioner.Now = func() time.Time { return time.Time{} }
		}, "clock",
			"the clock is not set", "Clock: not set", false},
		{"no network", noWay, nil, "network link", "network interface", "Network: check the cable", false},
		{"three things", noWay, func(_ *Options, e *emulated.Board) {
			spoil(t, errors.Join(e.Unplug("scanner"), e.SetPrinter("out", "")))
		}, "printer", "no paper", "Scanner: check its cable (+2)", true},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.link = linked(x.linked)
			b.start(x.change)
			b.tells(x.screen)
			rep := b.doctor("")
			if c := named(rep, x.check); rep.OK || c.Result != "fail" || !strings.Contains(c.Says, x.says) {
				t.Errorf("ok %v: %+v", rep.OK, c)
			}
			if k := b.kept(0); k.Report.OK {
				t.Error("what is kept is well")
			}
			if x.neverPrinted {
				time.Sleep(100 * time.Millisecond)
			} else {
				b.until("it is printed", func() bool { return strings.Contains(b.paper(), "--- cut ---") })
			}
			if printed := strings.Contains(b.paper(), "DOCTOR"); printed == x.neverPrinted {
				t.Errorf("printed: %v", printed)
			}
		})
	}
}

func linked(f doctor.Finding) func(string) doctor.Finding {
	return func(string) doctor.Finding { return f }
}

// Possible states of the network.
var (
	well  = doctor.Finding{Check: api.Check{Result: api.OK, Says: "up"}}
	noWay = doctor.Finding{Check: api.Check{Result: api.Fail, Says: "there is no network interface"}}
)

func spoil(t *testing.T, err error) {
	if err != nil {
		t.Error(err)
	}
}

// TestSelfTestDoesNotHoldUpAParcel: a parcel is asked about while a test hangs.
func TestSelfTestDoesNotHoldUpAParcel(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	hangs, let := make(chan struct{}), make(chan struct{})
	first := sync.OnceFunc(func() { close(hangs) }) // what fails is tested again
	b.link = func(string) doctor.Finding {
		first()
		<-let
		return well
	}
	b.start(nil)
	<-hangs
	spoil(t, b.board.Scan(b.parcel(0, time.Hour)))
	b.until("the code", func() bool { return b.s.Screen().Name == screen.SetupCodeName })
	close(let)
	b.kept(0)
}

// TestSelfTestWithAWarning: a clock that no time server sets is a warning, and not all is well.
func TestSelfTestWithAWarning(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start(func(o *Options, _ *emulated.Board) { o.NetworkTime = func() (bool, error) { return false, nil } })
	b.tells("Self test: nothing failed, 1 warning")
}

// TestUnprovisionedAnswers: only the owner may use the socket; it has status and doctor, and
// refuses everything else.
func TestUnprovisionedAnswers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start(nil)
	b.tells("all well")
	if info, err := os.Stat(api.Socket(b.data)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	status := func() (s api.Status) {
		code, text := b.ask("GET", "/status")
		if err := json.Unmarshal([]byte(text), &s); err != nil || code != http.StatusOK {
			t.Fatalf("HTTP %d %s: %v", code, text, err)
		}
		return s
	}
	if s := status(); s.State != api.StateUnprovisioned || s.Setup == nil || s.Board != "emulated" ||
		s.Device != b.s.view.Device || !strings.Contains(s.Waits, "scan one") {
		t.Errorf("%+v", s)
	}
	bodies := map[string]string{"/sale": `{"mode":"passive","amount_minor":1}`, "/orders/X/resolve": `{"reason":"x"}`}
	for _, route := range []string{"POST /sale", "POST /training", "GET /orders/X", "POST /orders/X/refund",
		"POST /orders/X/resolve", "GET /queue", "POST /totals/x", "POST /reconcile"} {
		method, path, _ := strings.Cut(route, " ")
		if code, text := b.say(method, path, bodies[path]); code != http.StatusServiceUnavailable ||
			!strings.Contains(text, `"error":"not provisioned`) {
			t.Errorf("%s: HTTP %d %s", route, code, text)
		}
	}
	if code, text := b.ask("POST", "/doctor?test="); code != http.StatusConflict ||
		!strings.Contains(text, "once the terminal is provisioned") {
		t.Errorf("trials: HTTP %d %s", code, text)
	}
	rep := b.doctor("?print=1")
	if !rep.OK || named(rep, "gateway").Result != "none" || named(rep, "space").Result != "ok" ||
		!strings.Contains(named(rep, "clock").Says, "time server") {
		t.Errorf("%+v", rep)
	}
	b.until("both are printed", func() bool { return strings.Count(b.paper(), "--- cut ---") == 2 })

	spoil(t, b.board.Scan(b.parcel(2*time.Hour, time.Hour)))
	b.until("it has expired", func() bool { return strings.Contains(status().Waits, "It has expired") })
	spoil(t, b.board.Scan(b.parcel(0, time.Hour)))
	b.until("it asks", func() bool { return strings.Contains(status().Waits, "12 digits") })

	// Nobody else can use the data meanwhile, but payterm provision can lock it.
	other, err := New(Options{Data: b.data, Board: b.s.o.Board, Log: b.s.o.Log, Provisioner: b.provisioner()}, "")
	if err != nil {
		t.Fatal(err)
	}
	if f, err := other.answer(t.Context(), nil); !errors.Is(err, config.ErrTaken) || f != nil {
		t.Errorf("a second one: %v", err)
	}
	f, err := config.LockData(b.data)
	if err != nil {
		t.Fatalf("payterm provision: %v", err)
	}
	spoil(t, f.Close())
}

// TestUnprovisionedBesideAnAgent: it does not take over an agent's socket.
func TestUnprovisionedBesideAnAgent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	f, err := config.LockData(b.data)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	o := Options{Data: b.data, Board: &board.Board{}, Log: slog.New(slog.DiscardHandler), Provisioner: b.provisioner()}
	s, err := New(o, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.answer(t.Context(), nil); !errors.Is(err, config.ErrTaken) {
		t.Errorf("beside an agent: %v", err)
	}
}

// TestSetupWithoutData: an unwritable data directory does not leave the screen dark.
func TestSetupWithoutData(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.data = filepath.Join(b.data, "none")
	spoil(t, os.WriteFile(b.data, nil, 0o600)) // a file, since root may write everywhere
	b.start(nil)
	refused := screen.Setup(screen.SetupView{Refused: string(provision.NotWritten)}, screen.Options{}).Lines[0]
	b.tells(refused)
	spoil(t, b.board.Press(payterm.KeyCancel))
	b.tells("Scan this terminal's")
	spoil(t, b.board.Scan(b.parcel(0, time.Hour)))
	b.tells(refused)
}

// TestSticks: each file is read once, and again if it changes or was unplugged; other files are
// ignored.
func TestSticks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put := func(name, text string) {
		spoil(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		spoil(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	s := NewSticks(filepath.Join(dir, "*", "*.ppv"), filepath.Join(dir, "copied", "b", "*.ppv"))
	clock := false
	expect := func(when string, want ...string) {
		t.Helper()
		for _, w := range append(want, "", "") {
			if got := s.Next(clock); got != w {
				t.Errorf("%s: %.20q, want %q", when, got, w)
			}
		}
	}
	expect("nothing")
	put("a/one.ppv", "one")
	put("a/two.ppv", "two")
	put("a/three.txt", "three")
	put("a/long.ppv", strings.Repeat("x", provision.MaxText+3))
	put("copied/b/four.ppv", "four")
	spoil(t, os.Mkdir(filepath.Join(dir, "a", "dir.ppv"), 0o700))
	expect("all", "one", "two", "four")
	put("a/two.ppv", "two and a half")
	spoil(t, os.Chtimes(filepath.Join(dir, "a", "two.ppv"), time.Time{}, time.Now().Add(time.Minute)))
	expect("another", "two and a half")
	out := filepath.Join(t.TempDir(), "a")
	spoil(t, os.Rename(filepath.Join(dir, "a"), out))
	expect("out")
	spoil(t, os.Rename(out, filepath.Join(dir, "a")))
	expect("in again, as it was", "one", "two and a half")
	clock = true
	expect("now that there is a clock", "one", "two and a half", "four")
	if got := (*Sticks)(nil).Next(true); got != "" {
		t.Errorf("without sticks: %q", got)
	}
}

// TestSetupTakesStick: a refusal is shown once, and an accepted parcel is asked about.
func TestSetupTakesStick(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	dir := t.TempDir()
	var log logged
	b.start(func(o *Options, _ *emulated.Board) {
		o.Sticks = NewSticks(filepath.Join(dir, "*.ppv"))
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	spoil(t, os.WriteFile(filepath.Join(dir, "old.ppv"), []byte(b.parcel(2*time.Hour, time.Hour)+"\n"), 0o600))
	b.tells("It has expired")
	spoil(t, b.board.Press(payterm.KeyCancel))
	b.tells("Scan this terminal's")
	for end := time.Now().Add(LookEvery +
		500*time.Millisecond); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if s := b.s.Screen(); s.Tone == payterm.Bad {
			t.Fatalf("refused once more: %+v", s)
		}
	}
	spoil(t, os.WriteFile(filepath.Join(dir, "new.ppv"), []byte(b.parcel(0, time.Hour)+"\n"), 0o600))
	b.until("the code", func() bool { return b.s.Screen().Name == screen.SetupCodeName })
	b.until("the log has the parcel", func() bool { return strings.Contains(log.text(), "a parcel came\" serial=") })
	if text := log.text(); strings.Contains(text, "FIRSTsignKEY") || strings.Contains(text, "123456789012") {
		t.Errorf("the log has a secret: %s", text)
	}
}

// logged keeps what is logged.
type logged struct {
	mu  sync.Mutex
	all strings.Builder
}

func (l *logged) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(line)
}

func (l *logged) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// TestStuckKeyAsksForNoCode: the question for a code ends although a key is stuck, and open
// orders are asked about again.
func TestStuckKeyAsksForNoCode(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start(nil)
	b.end() // the test uses the loop's fields from here
	for _, stuck := range []payterm.Key{"5", "00", payterm.KeyClear, payterm.KeyEnter} {
		b.s.offer(b.parcel(0, time.Hour))
		for range 20 {
			b.s.press(stuck)
		}
		until := b.s.until
		for range 20 {
			b.s.press(stuck)
		}
		if b.s.at != nil && b.s.until != until {
			t.Errorf("%s: it is asked for %s longer", stuck, b.s.until.Sub(until))
		}
	}
}

// named is the finding of this name.
func named(r api.Report, name string) api.Check {
	for _, c := range r.Checks {
		if c.Name == name {
			return c
		}
	}
	return api.Check{}
}

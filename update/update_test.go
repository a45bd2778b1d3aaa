package update

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm/screen"
)

func TestManifestFits(t *testing.T) {
	for _, c := range []struct {
		name, build, description, why string
	}{
		{"newer", "2000", "store 3", ""},
		{"the same", "1000", "store 3", ""},
		{"an older form, which migration knows", "2000", "store 2", ""},
		{"older", "999", "store 3", "is older than this one"},
		{"a form that cannot be read when falling back", "2000", "store 4", "reads 3 at most"},
		{"no form", "2000", "", "which journals"},
		{"another word", "2000", "shop 3", "which journals"},
		{"no time", "", "store 3", "when it was built"},
	} {
		err := Manifest{Version: "v2", Build: c.build, Description: c.description}.fits(1000, 3)
		if (err == nil) != (c.why == "") || err != nil && !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v, want %q", c.name, err, c.why)
		}
	}
}

func TestHealthWorse(t *testing.T) {
	all := map[string]string{"display": "ok", "display bus": "ok", "journal": "ok", "records": "ok", "printer": "ok",
		"network link": "ok", "network address": "ok", "network connection": "ok", "network encryption": "ok",
		"network answer": "ok", "network key": "ok"}
	of := func(change ...string) health {
		h := health{Agent: true, Passed: map[string]bool{}}
		for name, result := range all {
			for _, c := range change {
				if n, to, _ := strings.Cut(c, "="); n == name {
					result = to
				}
			}
			if result != "gone" {
				h.Passed[name] = result != "fail"
			}
		}
		return h
	}
	for _, c := range []struct {
		name        string
		before, now health
		lost        []string
	}{
		{"as before", of(), of(), nil},
		{"a warning", of(), of("display=warn"), nil},
		{"paper and cables are not the version's", of(), of("printer=fail"), nil},
		{"a display that stays dark", of(), of("display bus=fail"), []string{"display bus"}},
		{"it was dark before", of("display bus=fail"), of("display bus=fail"), nil},
		{"the journal", of(), of("records=fail"), []string{"records"}},
		{"no network at all", of(), of("network link=fail", "network address=gone", "network connection=gone",
			"network encryption=gone", "network answer=gone", "network key=gone"), nil},
		{"the gateway is away", of(), of("network connection=fail", "network encryption=gone", "network answer=gone",
			"network key=gone"), nil},
		{"no network hides no dark display", of(), of("network link=fail", "network key=gone", "display=fail"),
			[]string{"display"}},
		{"certificates are not trusted any more", of(), of("network encryption=fail", "network answer=gone",
			"network key=gone"), []string{"network encryption", "network answer", "network key"}},
		{"the gateway was never reached", of("network encryption=fail", "network answer=gone", "network key=gone"),
			of("network encryption=fail"), nil},
		{"no agent", of(), health{}, []string{"the agent does not answer"}},
		{"not provisioned", health{}, health{}, nil},
	} {
		if lost := c.now.worse(c.before); !slices.Equal(lost, c.lost) {
			t.Errorf("%s: %q, want %q", c.name, lost, c.lost)
		}
	}
}

func TestSlotOf(t *testing.T) {
	if s := slotOf("console=ttyAMA0 rauc.slot=B panic=5\n"); s != "B" {
		t.Errorf("slot %q", s)
	}
	if s := slotOf("root=/dev/sda1 quiet"); s != "" {
		t.Errorf("slot %q of a machine without", s)
	}
}

// form is the form of the journals that the version under test can read.
const form = 3

// bench replaces what an updater uses: the terminal, RAUC, the slots and systemd.
type bench struct {
	t       *testing.T
	open    error           // of Free
	passed  map[string]bool // nil: nobody answers
	sold    bool
	address string
	busy    string // why the agent does not block the counter
	trial   string
	primary string // the slot of the next start
	bundle  string // output of rauc info
	notices []string
	refused error // error of rauc install
	ran     []string
	said    string // to the log
}

func newBench(t *testing.T) (*bench, Updater) {
	t.Helper()
	m := &bench{t: t, trial: "none", primary: "A", passed: map[string]bool{"display": true, "journal": true},
		bundle: fmt.Sprintf(`{"compatible":"x","version":"v2","build":"2000","description":"store %d"}`, form)}
	return m, Updater{
		Machine: Machine{Agent: m, Dir: filepath.Join(t.TempDir(), "update"), Built: 1000, Form: form, Run: m.run,
			Say:      func(format string, args ...any) { m.said += fmt.Sprintf(format+"\n", args...) },
			RootsOwn: func(string) error { return nil },
			Synced:   func() (bool, error) { return true, nil }},
		slot: "A", space: spaceIn, stalled: time.Minute,
		sleep: func(context.Context, time.Duration) error { return errors.New("time is up") },
	}
}

var errNobody = errors.New("nobody answers")

func (m *bench) Free(context.Context) error { return m.open }

func (m *bench) Claim(ctx context.Context) error {
	if m.busy != "" {
		return fmt.Errorf("%w: %s", ErrOpen, m.busy)
	}
	return m.Tell(ctx, screen.UpdateRestarting, "")
}

func (m *bench) Examine(context.Context) (map[string]bool, error) {
	if m.passed == nil {
		return nil, errNobody
	}
	return m.passed, nil
}

func (m *bench) Tell(_ context.Context, n screen.Notice, why screen.Refusal) error {
	m.notices = append(m.notices, strings.TrimSpace(string(n)+" "+string(why)))
	return nil
}

func (m *bench) Sold(context.Context) (bool, error) { return m.sold, nil }

func (m *bench) Verify(context.Context) error { return nil }

func (m *bench) Address(context.Context, string) (string, error) { return m.address, nil }

// install installs, and lets nobody know.
func (u Updater) install(ctx context.Context, c Install) error {
	c.Done = func(Manifest, bool) error { return nil }
	return u.Install(ctx, c)
}

func (m *bench) run(_ context.Context, name string, args ...string) (string, error) {
	line := strings.Join(append([]string{filepath.Base(name)}, args...), " ")
	if line != "slots trial" && line != "slots get-primary" && !strings.HasPrefix(line, "rauc info") {
		m.ran = append(m.ran, line)
	}
	switch {
	case line == "slots trial":
		return m.trial + "\n", nil
	case line == "slots get-primary":
		return m.primary + "\n", nil
	case strings.HasPrefix(line, "rauc info"):
		return m.bundle, nil
	case strings.HasPrefix(line, "rauc install"):
		return "", m.refused
	}
	return "", nil
}

func TestInstall(t *testing.T) {
	const installs = "rauc install /x.raucb"
	const reboot = "systemctl reboot"
	done := []string{"update_installing", "update_waiting", "update_restarting"}
	manual, timer := Install{Source: "/x.raucb"}, Install{Source: "/x.raucb", Automatic: true}
	keep := func(u *Updater, name string, m Manifest) {
		if err := u.keep(name, m); err != nil {
			t.Error(err)
		}
	}
	failed := func(_ *bench, u *Updater) { keep(u, "failed.json", Manifest{Version: "v2", Build: "2000"}) }
	for _, c := range []struct {
		name string
		set  func(*bench, *Updater)
		cmd  Install
		ran  []string
		why  string
		told []string
	}{
		{"a good one", func(*bench, *Updater) {}, manual, []string{installs, reboot}, "", done},
		{"without a restart", func(*bench, *Updater) {}, Install{Source: "/x.raucb", NoRestart: true},
			[]string{installs}, "", done[:2]},
		{"installed before, and not started yet", func(m *bench, u *Updater) {
			m.trial, m.primary = "B", "B"
			keep(u, "trial.json", Manifest{"x", "v2", "2000", fmt.Sprintf("store %d", form)})
		}, timer, []string{reboot}, "", done[1:]},
		{"another was installed before", func(m *bench, u *Updater) {
			m.trial, m.primary = "B", "B"
			keep(u, "trial.json", Manifest{Version: "v1b"})
		}, timer, []string{"slots set-state B bad", installs, reboot}, "", done},
		{"it failed, and nobody noted that", func(m *bench, u *Updater) {
			m.trial, m.primary = "B", "A"
			keep(u, "trial.json", Manifest{Version: "v2", Build: "2000"})
		}, timer, []string{"slots set-state B bad"}, "", []string{"update_undone", "update_refused failed_before"}},
		{"an order is open", func(m *bench, _ *Updater) { m.open = ErrOpen }, manual, nil, "an order is open",
			[]string{"update_refused order_open"}},
		{"the timer comes again", func(m *bench, _ *Updater) { m.open = ErrOpen }, timer, nil, "",
			[]string{"update_refused order_open"}},
		{"older", func(_ *bench, u *Updater) { u.Built = 3000 }, manual, nil, "older",
			[]string{"update_refused older"}},
		{"a form from the future", func(m *bench, _ *Updater) {
			m.bundle = fmt.Sprintf(`{"version":"v9","build":"2000","description":"store %d"}`, form+1)
		}, manual, nil, "reads", []string{"update_refused journal_form"}},
		{"of another board", func(_ *bench, u *Updater) { u.board = "y" }, manual, nil,
			"it is for x, and this board is y", []string{"update_refused other_board"}},
		{"the same, by a stick", func(_ *bench, u *Updater) { u.Built = 2000 }, timer, nil, "",
			[]string{"update_refused same"}},
		{"failed before, by a stick", failed, timer, nil, "", []string{"update_refused failed_before"}},
		{"of the same name, built later than the one that failed", func(_ *bench, u *Updater) {
			keep(u, "failed.json", Manifest{Version: "v2", Build: "1500"})
		}, timer, []string{installs, reboot}, "", done},
		{"beside another", func(_ *bench, u *Updater) {
			let, err := u.lock()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { let() }) //nolint:errcheck // only a lock
		}, manual, nil, "another one is under way", nil},
		{"failed before, by a person", failed, manual, []string{installs, reboot}, "", done},
		{"refused by RAUC", func(m *bench, _ *Updater) { m.refused = errors.New("no space") }, manual,
			[]string{installs}, "this version stays", []string{"update_installing", "update_refused not_installed"}},
		{"altered", func(m *bench, _ *Updater) { m.bundle = "signature" }, manual, nil, "is refused",
			[]string{"update_refused not_ours"}},
		{"on trial itself", func(m *bench, _ *Updater) { m.trial = "A" }, manual, nil, "on trial itself",
			[]string{"update_refused on_trial"}},
		{"no image", func(_ *bench, u *Updater) { u.slot = "" }, manual, nil, "not payterm's image", nil},
		{"a clock that is not set", func(_ *bench, u *Updater) { u.Built = time.Now().Add(time.Hour).Unix() }, manual,
			nil, "the clock is not set", []string{"update_refused clock_not_set"}},
		{"no address", func(*bench, *Updater) {}, Install{}, nil, "[update] url", nil},
		{"no address, by the timer", func(*bench, *Updater) {}, Install{Automatic: true}, nil, "", nil},
		{"no https", func(m *bench, _ *Updater) { m.address = "ftp://a.example/x?token=SECRET" }, Install{}, nil,
			"update: ftp://a.example/x: an https:// address is needed", []string{"update_refused not_installed"}},
		{"the configuration's address", func(m *bench, _ *Updater) {
			m.address = "http://127.0.0.1:1/x?token=SECRET"
		}, Install{}, nil, "fetch http://127.0.0.1:1/x:", []string{"update_refused not_fetched"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, u := newBench(t)
			c.set(m, &u)
			err := u.install(t.Context(), c.cmd)
			if (err == nil) != (c.why == "") || err != nil && (!strings.Contains(err.Error(), c.why) ||
				strings.Contains(err.Error(), "SECRET")) {
				t.Errorf("%v, want %q", err, c.why)
			}
			if !slices.Equal(m.ran, c.ran) {
				t.Errorf("it ran %q, want %q", m.ran, c.ran)
			}
			if !slices.Equal(m.notices, c.told) {
				t.Errorf("the screen says %q, want %q", m.notices, c.told)
			}
		})
	}
}

// TestRestartsAtRest: the agent decides on the moment.
func TestRestartsAtRest(t *testing.T) {
	m, u := newBench(t)
	m.busy = "somebody may still read the result"
	slept := 0
	u.sleep = func(context.Context, time.Duration) error {
		if slices.Contains(m.ran, "systemctl reboot") {
			t.Error("the board restarts nevertheless")
		}
		if slept++; slept == 3 {
			m.busy = ""
		}
		return nil
	}
	if err := u.install(t.Context(), Install{Source: "/x.raucb"}); err != nil || slept != 3 ||
		m.ran[len(m.ran)-1] != "systemctl reboot" {
		t.Errorf("%v after %d pauses: %q", err, slept, m.ran)
	}
	if strings.Count(m.said, "installing version v2") != 1 || strings.Count(m.said, "the restart waits") != 1 {
		t.Errorf("the log has %s", m.said)
	}
}

// TestWaitsForTheCounter: a sale that begins while RAUC writes delays the restart until it
// ends.
func TestWaitsForTheCounter(t *testing.T) {
	m, u := newBench(t)
	run, slept := u.Run, 0
	u.Run = func(ctx context.Context, name string, args ...string) (string, error) {
		if name == "rauc" && args[0] == "install" {
			m.open = ErrOpen
		}
		return run(ctx, name, args...)
	}
	u.sleep = func(context.Context, time.Duration) error {
		if slices.Contains(m.ran, "systemctl reboot") {
			t.Error("the board restarts in the middle of a sale")
		}
		if slept++; slept == 3 {
			m.open = nil
		}
		return nil
	}
	if err := u.install(t.Context(), Install{Source: "/x.raucb"}); err != nil || slept != 3 ||
		m.ran[len(m.ran)-1] != "systemctl reboot" {
		t.Errorf("%v after %d pauses: %q", err, slept, m.ran)
	}
}

func TestConfirm(t *testing.T) {
	dark := map[string]bool{"display": false, "journal": true}
	for _, c := range []struct {
		name   string
		trial  string
		passed map[string]bool
		ran    []string
		why    string
		says   string // in the log
	}{
		{"a version that is known", "none", nil, []string{"rauc status mark-good"}, "", ""},
		{"known, and its display broke today", "none", dark, []string{"rauc status mark-good"}, "", ""},
		{"a new one that is healthy", "A", nil, []string{"rauc status mark-good"}, "",
			"version v2 in slot A is healthy and stays"},
		{"a new one that stays dark", "A", dark, []string{"systemctl reboot"}, "not healthy: display",
			"not healthy: display"},
		{"a new one did not start", "B", nil, []string{"slots set-state B bad", "rauc status mark-good"}, "",
			"version v2 in slot B was not healthy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, u := newBench(t)
			if err := errors.Join(u.keep("before.json", health{true, m.passed}),
				u.keep("trial.json", Manifest{Version: "v2"})); err != nil {
				t.Fatal(err)
			}
			m.trial = c.trial
			if c.passed != nil {
				m.passed = c.passed
			}
			_, err := u.Confirm(t.Context())
			if (err == nil) != (c.why == "") || err != nil && !strings.Contains(err.Error(), c.why) {
				t.Errorf("%v, want %q", err, c.why)
			}
			if !slices.Equal(m.ran, c.ran) {
				t.Errorf("it ran %q, want %q", m.ran, c.ran)
			}
			if !strings.Contains(m.said, c.says) || c.says == "" && m.said != "" {
				t.Errorf("the log has %q, want %q", m.said, c.says)
			}
			if fell := u.failed(Manifest{Version: "v2"}); fell != (c.trial == "B") {
				t.Errorf("the timer would try it again: %v", !fell)
			}
		})
	}
}

// TestConfirmsPatiently: a slow RAUC costs no version its slot, and one that never answers
// causes no restart.
func TestConfirmsPatiently(t *testing.T) {
	for _, trial := range []string{"none", "A"} {
		for _, never := range []bool{false, true} {
			m, u := newBench(t)
			if err := u.keep("before.json", health{true, m.passed}); err != nil {
				t.Fatal(err)
			}
			m.trial = trial
			run, tries := u.Run, 0
			u.Run = func(ctx context.Context, name string, args ...string) (string, error) {
				if name == "rauc" && args[0] == "status" {
					if end, _ := ctx.Deadline(); tries == 0 && time.Until(end) <= askTime {
						t.Error("RAUC is given no time")
					}
					if tries++; tries < 3 {
						return "", errors.New("it starts")
					}
				}
				return run(ctx, name, args...)
			}
			why, ran := "", []string{"rauc status mark-good"}
			if never {
				why, ran = "it starts", nil
			} else {
				u.sleep = func(context.Context, time.Duration) error { return nil }
			}
			_, err := u.Confirm(t.Context())
			if (err == nil) != (why == "") || err != nil && !strings.Contains(err.Error(), why) ||
				!slices.Equal(m.ran, ran) {
				t.Errorf("on trial %s: %v, it ran %q", trial, err, m.ran)
			}
		}
	}
}

// TestConfirmOffTheImage: it says so, and does nothing.
func TestConfirmOffTheImage(t *testing.T) {
	m, u := newBench(t)
	u.slot = ""
	u.Run = func(_ context.Context, name string, _ ...string) (string, error) {
		m.ran = append(m.ran, name)
		return "", errors.New("no such file")
	}
	if _, err := u.Confirm(t.Context()); err == nil ||
		!strings.Contains(err.Error(), "not payterm's image: there is nothing to confirm") || len(m.ran) > 0 {
		t.Errorf("%v, and it ran %q", err, m.ran)
	}
}

// TestProvesAgainstSomething: with a journal an agent has to answer, even if the previous
// one did not.
func TestProvesAgainstSomething(t *testing.T) {
	for _, sold := range []bool{false, true} {
		m, u := newBench(t)
		m.trial = "A"
		m.passed, m.sold = nil, sold
		if err := u.keep("before.json", health{}); err != nil {
			t.Fatal(err)
		}
		_, err := u.Confirm(t.Context())
		if back := slices.Contains(m.ran, "systemctl reboot"); back != sold || sold &&
			!strings.Contains(fmt.Sprint(err), "the agent does not answer") {
			t.Errorf("with a journal %v: %v, it ran %q", sold, err, m.ran)
		}
	}
}

func TestFetch(t *testing.T) {
	body, asked := strings.Repeat("bundle", 1000), 0
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("ETag", `"one"`)
		switch {
		case r.URL.Path == "/down":
			http.Redirect(w, r, "http://example.com/bundle", http.StatusFound)
		case r.URL.Path == "/cut":
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			w.Write([]byte(body[:100])) //nolint:errcheck // the client sees it
		case r.URL.Path == "/huge":
			w.Header().Set("Content-Length", fmt.Sprint(maxBundle+1))
		case r.URL.Path == "/long":
			w.(http.Flusher).Flush()
			w.Write([]byte(body)) //nolint:errcheck // the client sees it
		case r.Header.Get("If-None-Match") == `"one"`:
			w.WriteHeader(http.StatusNotModified)
		default:
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			w.Write([]byte(body)) //nolint:errcheck // the client sees it
		}
	}))
	t.Cleanup(server.Close)
	_, u := newBench(t)
	get := func(path string, onlyNew bool) (string, error) {
		from, err := url.Parse(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		return u.fetch(t.Context(), server.Client().Transport, from, onlyNew)
	}
	for range 2 { // the timer fetches again what is not settled
		file, err := get("/good", true)
		if text, _ := os.ReadFile(file); err != nil || string(text) != body {
			t.Fatalf("%v: %d bytes", err, len(text))
		}
	}
	u.settled()
	if file, err := get("/good", true); err != nil || file != "" {
		t.Errorf("settled: %q, %v", file, err)
	}
	if file, err := get("/good", false); err != nil || file == "" {
		t.Errorf("a person asks: %q, %v", file, err)
	}
	for _, path := range []string{"/down", "/cut", "/huge", "/long"} {
		if file, err := get(path, false); err == nil {
			t.Errorf("%s gives %s", path, file)
		}
	}
	if _, err := os.Stat(filepath.Join(u.Dir, "fetched.raucb")); err == nil {
		t.Error("half a bundle stays")
	}
	for text, want := range map[string]bool{"https://a.example/x": true, "http://127.0.0.1:1/x": true,
		"http://a.example/x": false, "file:///x": false} {
		if from, err := url.Parse(text); err != nil || secure(from) != want {
			t.Errorf("%s: secure %v", text, !want)
		}
	}
}

// TestRootsOwn: nothing is read or stored where somebody else than root can write.
func TestRootsOwn(t *testing.T) {
	m, u := newBench(t)
	theirs := filepath.Join(t.TempDir(), "x.raucb")
	if err := os.WriteFile(theirs, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	u.RootsOwn = func(path string) error {
		if path == theirs {
			return errors.New("user 7 can create files")
		}
		return nil
	}
	for source, why := range map[string]string{
		theirs: "copy it to a folder of root's", "/dev/null": "no regular file",
	} {
		if err := u.install(t.Context(), Install{Source: source}); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want %q", source, err, why)
		}
	}
	u.RootsOwn = func(string) error { return errors.New("user 7 can create files") }
	if err := u.install(t.Context(), Install{Source: "/x.raucb"}); err == nil ||
		!strings.Contains(err.Error(), "can create files") || len(m.ran) > 0 {
		t.Errorf("what updates keep, in somebody's folder: %v, it ran %q", err, m.ran)
	}
}

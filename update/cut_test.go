package update

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// machine is a terminal with two slots, with the rules of U-Boot, RAUC and the program
// (crossbuild/image/boot.cmd), and a power cut before one of its steps.
type machine struct {
	t        *testing.T
	agent    *bench
	u        Updater
	order    []string
	left     map[string]int
	trial    string
	holds    map[string]string // version by slot; half: partly written
	ills     map[string]string // faults of a version: dead, ill, killed once
	slot     string            // the active one
	steps    int
	cutAt    int
	installs int
	boots    int
	killed   bool
}

const half = "half"

// cut ends whatever runs; so does a restart.
var (
	errCut     = errors.New("the power was cut")
	errRestart = errors.New("restart")
)

func newMachine(t *testing.T, ill string, cutAt int) *machine {
	a, u := newBench(t)
	m := &machine{
		t: t, agent: a, u: u, order: []string{"A", "B"}, left: map[string]int{"A": 3, "B": 3}, trial: none,
		holds: map[string]string{"A": "v1", "B": "v0"}, ills: map[string]string{"v2": ill}, cutAt: cutAt,
	}
	m.u.Run = m.run
	if err := errors.Join(os.MkdirAll(u.Dir, 0o700), os.WriteFile(u.fetched(), []byte("of a fetch that was cut off"),
		0o600)); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *machine) step() {
	if m.steps++; m.steps == m.cutAt {
		panic(errCut)
	}
}

func (m *machine) primary() string {
	for _, s := range m.order {
		if m.left[s] > 0 {
			return s
		}
	}
	return ""
}

func (m *machine) setState(slot, state string) {
	m.step()
	m.left[slot] = 3
	if state == "bad" {
		m.left[slot] = 0
	}
	if m.trial == slot {
		m.trial = none
	}
	m.step()
}

func (m *machine) run(_ context.Context, name string, args ...string) (string, error) {
	switch line := strings.Join(append([]string{filepath.Base(name)}, args...), " "); {
	case line == "slots trial":
		return m.trial + "\n", nil
	case line == "slots get-primary":
		return m.primary() + "\n", nil
	case strings.HasPrefix(line, "slots set-state"):
		m.setState(args[1], args[2])
	case strings.HasPrefix(line, "rauc info"):
		return fmt.Sprintf(`{"version":"v2","build":"2000","description":"store %d"}`, form), nil
	case strings.HasPrefix(line, "rauc install"):
		m.installs++
		other := map[string]string{"A": "B", "B": "A"}[m.slot]
		m.setState(other, "bad")
		m.holds[other] = half
		m.step()
		m.holds[other] = "v2"
		m.step()
		m.order, m.left[other], m.trial = []string{other, m.slot}, 3, other
		m.step()
	case line == "rauc status mark-good":
		m.setState(m.slot, "good")
	case line == "systemctl reboot":
		panic(errRestart)
	default:
		m.t.Errorf("%s is run", line)
	}
	return "", nil
}

// live runs do until its end or a power cut, and reports whether the machine still runs.
func (m *machine) live(do func() error) (runs bool) {
	defer func() {
		if why := recover(); why == errCut || why == errRestart { //nolint:errorlint // these very ones
			runs = false
		} else if why != nil {
			panic(why)
		}
	}()
	m.step()
	do() //nolint:errcheck // what matters is where it ends
	return true
}

// start boots as U-Boot does until a version runs that was judged.
func (m *machine) start() {
	for {
		if m.boots++; m.boots > 40 {
			m.t.Fatalf("it restarts for ever: %+v", m)
		}
		m.slot = m.primary()
		if m.slot == "" {
			m.left["A"], m.left["B"] = 3, 3
			continue
		}
		m.left[m.slot]--
		version := m.holds[m.slot]
		if version == half || m.ills[version] == "dead" {
			continue
		}
		m.u.slot, m.u.Built = m.slot, 1000
		if version == "v2" {
			m.u.Built = 2000
		}
		m.agent.passed = map[string]bool{"display": m.ills[version] != "ill"}
		ctx, stop := context.WithCancel(m.t.Context())
		if m.ills[version] == "killed once" && !m.killed {
			m.killed = true
			stop() // somebody switches it off
		}
		runs := m.live(func() error { _, err := m.u.Confirm(ctx); return err })
		judged := ctx.Err() == nil
		stop()
		if runs && judged {
			return
		}
	}
}

// TestCutAnywhere cuts the power before each step of an update, of its restarts and of the
// following nights: the terminal ends with a healthy version, and does not install a bad one
// again and again.
func TestCutAnywhere(t *testing.T) {
	for ill, ends := range map[string]string{"": "v2", "ill": "v1", "dead": "v1", "killed once": "v2"} {
		t.Run("v2 is "+ill, func(t *testing.T) {
			cuts := 0
			for cutAt := 0; ; cutAt++ {
				m := newMachine(t, ill, cutAt)
				m.start()
				last := 0
				for range 5 { // nights
					last = m.installs
					if !m.live(func() error {
						return m.u.install(t.Context(), Install{Source: "/x.raucb", Automatic: true})
					}) {
						m.start()
					}
				}
				most := 2 // the interrupted one and a complete one
				if cutAt == 0 {
					most = 1
				}
				if got := m.holds[m.slot]; got != ends || m.trial != none || m.installs > most || m.installs != last ||
					m.left[m.slot] != 3 {
					t.Errorf("cut %d: it runs %s, on trial %s, after %d installations, %v left", cutAt, got, m.trial,
						m.installs, m.left)
				}
				fell := 0
				for _, n := range m.agent.notices {
					if n == "update_undone" {
						fell++
					}
				}
				if fell > 1 {
					t.Errorf("cut %d: it fell back %d times", cutAt, fell)
				}
				if _, err := os.Stat(m.u.fetched()); err == nil {
					t.Errorf("cut %d: the bundle lies about", cutAt)
				}
				if cutAt > 0 && m.steps < cutAt {
					cuts = cutAt
					break
				}
			}
			if cuts < 15 {
				t.Errorf("only %d cuts", cuts)
			}
		})
	}
}

// TestMachineFallsBack: the emulated machine counts tries as U-Boot does.
func TestMachineFallsBack(t *testing.T) {
	m := newMachine(t, "dead", 0)
	m.holds["B"], m.order, m.trial = "v2", []string{"B", "A"}, "B"
	m.start()
	if m.slot != "A" || m.boots != 4 || m.trial != none || !slices.Equal(m.agent.notices, []string{"update_undone"}) {
		t.Errorf("slot %s after %d starts, on trial %s, %q", m.slot, m.boots, m.trial, m.agent.notices)
	}
}

package terminal

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/config"
	"payterm/hal/emulated"
	"payterm/provision"
	"payterm/terminal/doctor"
	"payterm/terminal/setup"
)

// signer signs parcels for a terminal.
type signer struct {
	t    *testing.T
	data string
	key  ed25519.PrivateKey
}

func newSigner(t *testing.T) *signer {
	t.Helper()
	key, _, err := provision.NewSigner(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &signer{t: t, data: t.TempDir(), key: key}
}

func (s *signer) provisioner() *setup.Provisioner {
	return &setup.Provisioner{
		Data: s.data, Signers: []ed25519.PublicKey{s.key.Public().(ed25519.PublicKey)}, Now: time.Now,
		Board: func(config.Config) error { return nil },
	}
}

// parcel makes a parcel of this age and validity.
func (s *signer) parcel(age, life time.Duration) string {
	s.t.Helper()
	terms := provision.Terms{Made: time.Now().Add(-age), Life: life}
	content := provision.Content{SignKey: "FIRSTsignKEY0001", Config: []byte("[terminal]\n")}
	text, err := provision.Make(terms, content, "123456789012", s.key)
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(never); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not so within 30 s: %s", what)
		}
	}
}

// kept waits for the report of a parcel's self test.
func kept(t *testing.T, data string, serial uint64) doctor.SelfTest {
	t.Helper()
	until(t, "a report is kept", func() bool { return doctor.LastSelfTest(data, serial).Report != nil })
	return doctor.LastSelfTest(data, serial)
}

func spoil(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// TestAgentTakesStick: a terminal that sells ends for a newer parcel only, and only at rest.
func TestAgentTakesStick(t *testing.T) {
	t.Parallel()
	b := newSigner(t)
	dir := t.TempDir()
	c := startClinic(t, "emulated", nil, func(o *Options, _ *emulated.Board) {
		b.data, o.Sticks = o.Data, setup.NewSticks(filepath.Join(dir, "*.ppv"))
		o.Provisioner = b.provisioner()
		o.Serial = uint64(time.Now().Add(-time.Minute).UnixMilli())
		spoil(t, os.Mkdir(filepath.Join(b.data, "provision"), 0o700))
		spoil(t, os.Symlink(strconv.FormatUint(o.Serial, 10), filepath.Join(b.data, "provision", "current")))
	})
	c.awaitIdle()
	// the stick with its own parcel stayed plugged in
	spoil(t, os.WriteFile(filepath.Join(dir, "a.ppv"), []byte(b.parcel(time.Hour, 2*time.Hour)), 0o600))
	foreign := newSigner(t)
	spoil(t, os.WriteFile(filepath.Join(dir, "foreign.ppv"), []byte(foreign.parcel(0, time.Hour)), 0o600))
	time.Sleep(2*setup.LookEvery + 300*time.Millisecond)
	if p := c.a.Parcel(); p != "" {
		t.Error("a stranger's parcel, or an older one, disturbs the counter")
	}
	c.press("1")
	for end := time.Now().Add(never); c.a.Screen().Name != "amount"; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%+v", c.a.Screen())
		}
	}
	if c.a.GiveWay(t.Context()) == nil {
		t.Error("who begins just then is cut off")
	}
	text := b.parcel(0, time.Hour)
	spoil(t, os.WriteFile(filepath.Join(dir, "new.ppv"), []byte(text), 0o600))
	time.Sleep(setup.LookEvery + 300*time.Millisecond)
	if c.a.Parcel() != "" {
		t.Error("looked at while somebody types an amount")
	}
	c.a.runner.Press(payterm.KeyClear) // not on the board: the agent may end before the key is released
	select {
	case err := <-c.ended:
		c.ended <- err // for the clean-up
		if !errors.Is(err, ErrProvisioned) || c.a.Parcel() != text {
			t.Errorf("%v", err)
		}
	case <-time.After(never):
		t.Fatalf("it stays: %+v", c.a.Screen())
	}
}

// TestWholeDoctorOnce: the self test runs once, at the first start with a parcel, at rest; its
// slip is printed once; failures are shown on the idle screen.
func TestWholeDoctorOnce(t *testing.T) {
	t.Parallel()
	b := newSigner(t)
	serial := func(change func(*emulated.Board)) func(*Options, *emulated.Board) {
		return func(o *Options, e *emulated.Board) {
			o.Serial, o.Data = 17, b.data
			change(e)
		}
	}
	var first *emulated.Board
	t.Run("first", func(t *testing.T) {
		c := startClinic(t, "emulated", nil, serial(func(e *emulated.Board) { first = e }))
		kept(t, b.data, 17)
		until(t, "it is printed", func() bool {
			_,
				paper := first.Paper()
			return strings.Contains(paper, "--- cut ---")
		})
		if k := doctor.LastSelfTest(b.data, 17); !k.Report.OK || k.Tries != 1 ||
			named(*k.Report, "network answer").Result != "ok" {
			t.Errorf("%+v", k)
		}
		if _, paper := first.Paper(); strings.Count(paper, "DOCTOR") != 1 {
			t.Error(paper)
		}
		c.awaitIdle()
	})
	before := doctor.LastSelfTest(b.data, 17)
	t.Run("second", func(t *testing.T) {
		c := startClinic(t, "emulated", nil, serial(func(e *emulated.Board) { first = e }))
		c.awaitIdle()
		time.Sleep(300 * time.Millisecond)
		if _, paper := first.Paper(); paper != "" ||
			!doctor.LastSelfTest(b.data, 17).Report.At.Equal(before.Report.At) {
			t.Errorf("once more: %s", paper)
		}
	})
	t.Run("a fault, another parcel", func(t *testing.T) {
		c := startClinic(t, "emulated", nil, func(o *Options, e *emulated.Board) {
			serial(func(*emulated.Board) {})(o, e)
			o.Serial = 18
			spoil(t, errors.Join(e.Unplug("scanner"), e.SetPrinter("out", "")))
		})
		until(t, "it stands there", func() bool {
			s := c.a.Screen()
			return s.Name == "idle" && slices.Contains(s.Lines, "Scanner: check its cable")
		})
		if k := kept(t, b.data, 18); k.Report.OK {
			t.Errorf("%+v", k)
		}
		c.press("1") // the counter is in use
		for end := time.Now().Add(never); c.a.Screen().Name != "amount"; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%+v", c.a.Screen())
			}
		}
		if strings.Contains(strings.Join(c.a.Screen().Lines, " "), "Scanner") {
			t.Error("it stands beside a sale")
		}
	})
}

// TestFindingGoes: a failure of the self test is shown until it is repaired, and no longer.
func TestFindingGoes(t *testing.T) {
	t.Parallel()
	b := newSigner(t)
	var board *emulated.Board
	c := startClinic(t, "generic-evdev", nil, func(o *Options, e *emulated.Board) {
		o.Serial, o.Data, board = 17, b.data, e
		spoil(t, e.Unplug("keypad"))
	})
	says := func() bool {
		s := c.a.Screen()
		return s.Name == "idle" && slices.ContainsFunc(s.Lines,
			func(l string) bool { return strings.HasPrefix(l, "Keypad: check its cable") })
	}
	until(t, "it stands there", says)
	if k := kept(t, b.data, 17); named(*k.Report, "keypad").Result != "fail" {
		t.Errorf("%+v", k.Report)
	}
	time.Sleep(2 * hasty.lookAgain)
	if !says() {
		t.Errorf("it went though the keypad is away: %+v", c.a.Screen())
	}
	spoil(t, board.Plug("keypad"))
	until(t, "it goes", func() bool { return c.a.Screen().Name == "idle" && !says() })
}

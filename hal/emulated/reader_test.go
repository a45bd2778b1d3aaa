package emulated_test

import (
	"strings"
	"testing"
	"time"

	"payterm/board"
	"payterm/drivers/scanner"
	"payterm/hal/emulated"
)

// TestScannersThatTalkBack: a scanner that acknowledges its trigger command: its answers are
// skipped, and each code is read, also the first.
func TestScannersThatTalkBack(t *testing.T) {
	t.Parallel()
	const scanNow = "\x7e\x00\x08\x01\x00\x02\x01\xab\xcd"
	for _, c := range []struct{ model, command string }{
		{"gm65", scanNow},
		{"gm65", "\x7e\x00\x08\x01\x00\x02\x01\x02\xda"}, // with its FCS
		{"gm65", "\x7e\x00\x08\x01\x00\x02\x01\x02\xdb"}, // which is wrong
		{"gm65", "\x7e\x00\x05\x01\x00\x02\x01\xab\xcd"}, // no such command
		{"ssi", "\x00\x04\xe4\x04\x00\xff\x14"},
		{"ssi", "\x04\xe4\x04\x00\xff\x15"},
		{"newland", "~\x010000#SCNTRG1;\x03"},
		{"opticon", "\x1bZ\r"},
		{"opticon", "Z\r"},
	} {
		framings := []string{"cr"}
		if c.command == scanNow {
			framings = []string{"cr", "gap", "stx_etx"}
		}
		for _, framing := range framings {
			e, b := readerBoard(t, `framing = "`+framing+`"`)
			if err := e.SetScanner(emulated.Habits{Model: c.model}); err != nil {
				t.Fatal(err)
			}
			read := scans(t, b, honest)
			trigger := scanner.NewTrigger(b.Scanner, []byte(c.command), nil)
			for _, code := range []string{wallet, otherWallet} {
				had := b.Scanner.Stats().In
				if err := trigger.Start(); err != nil {
					t.Fatal(err)
				}
				for end := time.Now().Add(5 * time.Second); b.Scanner.Stats().In == had; time.Sleep(time.Millisecond) {
					if time.Now().After(end) {
						t.Fatalf("%s does not answer %q", c.model, c.command)
					}
				}
				if err := e.Scan(code); err != nil {
					t.Fatal(err)
				}
				if got := next(read, 10*time.Second); got != code {
					t.Errorf("%s, %s, %q: read %q, want %s", c.model, framing, c.command, got, code)
				}
				if framing == "gap" {
					time.Sleep(100 * time.Millisecond)
				}
			}
		}
	}
}

// TestScannerHabits: other deviations; the codes are read all the same.
func TestScannerHabits(t *testing.T) {
	every := ""
	for c := byte('!'); c <= '~'; c++ {
		every += string(c)
	}
	for _, c := range []struct {
		name, profile string
		habits        emulated.Habits
	}{
		{"a glitch", `framing = "cr"`, emulated.Habits{Before: "\x00"}},
		{"an ACK before each", `framing = "gap"`, emulated.Habits{Before: "\x06"}},
		{"Tab", `framing = "cr"`, emulated.Habits{Ends: "tab"}},
		{"LF CR", `framing = "crlf"`, emulated.Habits{Ends: "lfcr"}},
		{"typed Tab", `kind = "evdev"`, emulated.Habits{Ends: "tab"}},
		{"Ctrl+M", `kind = "evdev"`, emulated.Habits{Ends: "ctrl_m"}},
		{"Alt and numbers", `kind = "evdev"`, emulated.Habits{Alt: true}},
		{"Alt and numbers, AZERTY", "kind = \"evdev\"\nlayout = \"fr\"", emulated.Habits{Alt: true}},
		{"British", "kind = \"evdev\"\nlayout = \"uk\"", emulated.Habits{}},
		{"QWERTZ", "kind = \"evdev\"\nlayout = \"de\"", emulated.Habits{}},
		{"AZERTY", "kind = \"evdev\"\nlayout = \"fr\"", emulated.Habits{}},
		{"AZERTY, Ctrl+M", "kind = \"evdev\"\nlayout = \"fr\"", emulated.Habits{Ends: "ctrl_m"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e, b := readerBoard(t, c.profile)
			if err := e.SetScanner(c.habits); err != nil {
				t.Fatal(err)
			}
			read := scans(t, b, honest)
			for _, code := range []string{wallet, every, otherWallet} {
				if err := e.Scan(code); err != nil {
					t.Fatal(err)
				}
				if got := next(read, 10*time.Second); got != code {
					t.Fatalf("read %q, want %q", got, code)
				}
				if strings.Contains(c.profile, "gap") {
					time.Sleep(100 * time.Millisecond)
				}
			}
		})
	}
}

// TestEveryOtherKeyboardIsFound: whichever keyboards profile and scanner have, a code and a parcel
// arrive, and the right layout is among the readings.
func TestEveryOtherKeyboardIsFound(t *testing.T) {
	t.Parallel()
	for _, says := range board.Layouts {
		for _, types := range board.Layouts {
			e, b := readerBoard(t, "kind = \"evdev\"\nlayout = \""+says+"\"")
			if err := e.SetScanner(emulated.Habits{Layout: types}); err != nil {
				t.Fatal(err)
			}
			read := scans(t, b, honest)
			for _, sent := range []string{wallet, "62012345678901234567", "PPV1QAWZMY234567"} {
				if err := e.Scan(sent); err != nil {
					t.Fatal(err)
				}
				got := next(read, 10*time.Second)
				found := got == sent
				for _, r := range scanner.Readings(got, says) {
					found = found || r.Text == sent && r.Layout == types
				}
				if got == "" || !found {
					t.Errorf("typed for %s, read as %s: %q came as %q, and nobody knows", types, says, sent, got)
				}
			}
		}
	}
}

// TestAnotherKeyboardIsFound: a scanner set to another keyboard is misread, and the likely layout
// is found.
func TestAnotherKeyboardIsFound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		habits emulated.Habits
		sent   string
	}{
		{emulated.Habits{Layout: "fr"}, wallet},
		{emulated.Habits{Layout: "fr"}, "PPV1QAWZM234567"},
		{emulated.Habits{Layout: "de"}, "PPV1YZYZ234567"},
		{emulated.Habits{Layout: "de", Caps: true}, "PPV1YZYZ234567"},
		{emulated.Habits{Caps: true}, "PPV1YZYZ234567"},
		{emulated.Habits{Layout: "fr", Caps: true}, "PPV1QAWZM234567"},
	} {
		e, b := readerBoard(t, `kind = "evdev"`)
		if err := e.SetScanner(c.habits); err != nil {
			t.Fatal(err)
		}
		read := scans(t, b, honest)
		if err := e.Scan(c.sent); err != nil {
			t.Fatal(err)
		}
		got, found := next(read, 10*time.Second), false
		for _, r := range scanner.Readings(got, "us") {
			found = found || r.Text == c.sent && (c.habits.Layout == "" || r.Layout == c.habits.Layout)
		}
		if got == c.sent || got == "" || !found {
			t.Errorf("%+v: %q came as %q, and nobody knows", c.habits, c.sent, got)
		}
	}
}

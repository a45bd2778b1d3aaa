package devices

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"payterm"
	"payterm/board"
)

// TestTroubleIsSaidOnce: a device that stays away is one line in the log, and one more for
// another reason, or when it goes after it had come back.
func TestTroubleIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := New(Options{Board: &board.Board{}, Log: slog.New(slog.NewTextHandler(&log, nil))})
		for i, c := range []struct {
			err   string
			after time.Duration
			lines int
		}{{"gone", 0, 1}, {"gone", 0, 1}, {"gone", Recently / 2, 1}, {"busy", 0, 2}, {"gone", 0, 2},
			{"gone", 2 * Recently, 3}} {
			time.Sleep(c.after)
			s.again(t.Context(), Scanner, errors.New(c.err))
			if lines := strings.Count(log.String(), "\n"); lines != c.lines || s.Trouble(Scanner).N != i+1 {
				t.Errorf("%d: %d lines, not %d:\n%s", i, lines, c.lines, &log)
			}
		}
	})
}

// TestFlappingDeviceIsLoggedSometimes: a device that fails and works again each second has each
// beginning and each end in the log, up to a number in an hour.
func TestFlappingDeviceIsLoggedSometimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := New(Options{Board: &board.Board{}, Log: slog.New(slog.NewTextHandler(&log, nil))})
		count := func(what string) int { return strings.Count(log.String(), what) }
		for range 3 {
			log.Reset()
			for i := range 3000 {
				s.again(t.Context(), Printer, errors.New("there is no paper"))
				s.works(Printer)
				if n := min(i+1, logMost); count("msg=device ") != n || count("works again") != n {
					t.Fatalf("after %d troubles:\n%s", i+1, &log)
				}
			}
			if count("too often") != 1 || count("\n") != 2*logMost+1 {
				t.Errorf("an hour has\n%s", &log)
			}
			time.Sleep(time.Hour)
		}
	})
}

// TestCheckLogo: a logo that cannot be printed is found before use, by the name of its key.
func TestCheckLogo(t *testing.T) {
	t.Parallel()
	picture := func(w, h int) []byte {
		var b bytes.Buffer
		if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	good := picture(384, 100)
	for name, x := range map[string]struct {
		file []byte
		says string
	}{
		"good":       {good, ""},
		"wide":       {picture(385, 10), "printer.logo: "},
		"tall":       {picture(10, 401), "printer.logo: "},
		"absurd":     {picture(4000, 4000), "4000 by 4000 dots"},
		"cut off":    {good[:len(good)-20], "no whole PNG file"},
		"no picture": {[]byte("GIF89a"), "no whole PNG file"},
		"empty":      {nil, "printer.logo: "},
	} {
		file := filepath.Join(t.TempDir(), "logo.png")
		if err := os.WriteFile(file, x.file, 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := board.ReadProfile("p.toml",
			fmt.Appendf(nil, "board = \"b\"\n[printer]\ndevice = \"/dev/ttyS1\"\nbaud = 9600\nlogo = %q\n", file))
		if err != nil {
			t.Fatal(err)
		}
		switch err := CheckLogo(p); {
		case (err == nil) != (x.says == ""):
			t.Errorf("%s: %v", name, err)
		case err != nil && (!strings.Contains(err.Error(), x.says) ||
			!strings.HasPrefix(err.Error(), "printer.logo: ")):
			t.Errorf("%s: %v, want %q", name, err, x.says)
		}
		p.Printer.Logo = file + ".gone"
		if err := CheckLogo(p); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s, gone: %v", name, err)
		}
	}
	if err := CheckLogo(board.Profile{}); err != nil {
		t.Error(err)
	}
}

func TestOutlasting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		longer, stop := outlasting(ctx, time.Minute)
		defer stop()
		end()
		began := time.Now()
		<-longer.Done()
		if lasted := time.Since(began); lasted != time.Minute {
			t.Errorf("it lasts for %s", lasted)
		}
	})
}

// TestHintsOfThePad: a screen names only keys that the pad has.
func TestHintsOfThePad(t *testing.T) {
	t.Parallel()
	hints := []payterm.KeyHint{{Key: "0-9", Does: "amount"}, {Key: payterm.KeyF1, Does: "menu"},
		{Key: payterm.KeyEnter, Does: "next"}, {Key: payterm.KeyF2, Does: "print again"}}
	pad := func(keys string) *board.Keypad {
		p := profileOf(t, "[keypad]\nkind = \"evdev\"\nname = \"pad\"\nmap = { "+keys+" KEY_0 = \"0\", KEY_1 = \"1\", "+
			"KEY_2 = \"2\", KEY_3 = \"3\", KEY_4 = \"4\", KEY_5 = \"5\", KEY_6 = \"6\", KEY_7 = \"7\", KEY_8 = \"8\", "+
			"KEY_9 = \"9\", KEY_ENTER = \"ENTER\", KEY_ESC = \"CANCEL\" }\n")
		return p.Keypad
	}
	for name, c := range map[string]struct {
		pad  *board.Keypad
		want string
	}{
		"twelve keys": {pad(""), "[{0-9 amount} {ENTER next}]"},
		"with F1":     {pad(`KEY_F1 = "F1",`), "[{0-9 amount} {F1 menu} {ENTER next}]"},
		"no pad":      {nil, fmt.Sprint(hints)},
	} {
		b := &board.Board{Profile: board.Profile{Keypad: c.pad}}
		s := New(Options{Board: b, Log: slog.New(slog.DiscardHandler)})
		s.Show(payterm.Screen{Name: "idle", Keys: hints})
		if got := fmt.Sprint(s.Screen().Keys); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if len(hints) != 4 || hints[1].Key != payterm.KeyF1 {
		t.Errorf("the screen's own are %v", hints)
	}
}

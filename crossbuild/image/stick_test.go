package image

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"payterm/internal/tooltest"

	"golang.org/x/sys/unix"
)

// Replacements of programs of the image: a directory is mounted in place of a stick.
var stands = map[string]string{
	"systemd-mount":  `for at; do :; done; rmdir "$at" 2>/dev/null; ln -s "$STICK" "$at"`,
	"systemd-umount": `for at; do :; done; [ -L "$at" ] && rm "$at" && mkdir "$at"`,
	"setpriv":        `while [ "$1" != --no-new-privs ]; do shift; done; shift; exec "$@"`,
	"payterm":        `[ "$1" != notice ] || { shift; echo "$*" >"$PAYTERM_STICK_TEST/notice"; exit; }; [ "$1" != reports ] || exec reports "$4"; [ "$1" = bundle ] || { echo "payterm: update $3"; exit; }; echo packed`,
	"journalctl":     `echo a line`,
	"chgrp":          `:`,
	// The user who gets a directory puts a link where the next file will be written.
	"chown": `for what; do :; done; [ ! -d "$what" ] || ln -s "$PAYTERM_STICK_TEST/roots" "$what/log"`,
}

// plugged runs the image's program with a directory as the stick, and returns its output.
func plugged(t *testing.T, root, stick string) string {
	t.Helper()
	cmd := exec.Command("tree/usr/lib/payterm/stick", "sda1")
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(root, "bin")+":"+os.Getenv("PATH"), "STICK="+stick,
		"PAYTERM_STICK_TEST="+root)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("stick: %v: %s", err, out)
	}
	if left, _ := filepath.Glob(filepath.Join(root, "run/payterm-stick-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	return string(out)
}

// shown checks the last text that was sent to the screen.
func shown(t *testing.T, root, want string) {
	t.Helper()
	if text, err := os.ReadFile(filepath.Join(root, "notice")); err != nil || strings.TrimSpace(string(text)) != want {
		t.Errorf("the screen is told %q (%v), want %q", text, err, want)
	}
}

func stickRoot(t *testing.T, readOnly string) string {
	t.Helper()
	tooltest.Need(t, "basenc")
	root := t.TempDir()
	for _, dir := range []string{"bin", "run", "var/lib/payterm", "sys/class/block/sda1"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for program, does := range stands {
		if err := os.WriteFile(filepath.Join(root, "bin", program), []byte("#!/bin/sh\n"+does+"\n"),
			0o700); err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(root, "sys/class/block/sda1/ro"), []byte(readOnly+"\n"))
	// The screen shows 7AMW-R6HP (provision.DeviceOf).
	put(t, filepath.Join(root, "var/lib/payterm/device.key"), []byte(strings.Repeat("k", 32)))
	return root
}

func TestStickBringsParcels(t *testing.T) {
	t.Parallel()
	root, stick := stickRoot(t, "0"), t.TempDir()
	for i := range 10 {
		put(t, filepath.Join(stick, fmt.Sprintf("p%d.PPV", i)), fmt.Appendf(nil, "PPV1%d", i))
	}
	put(t, filepath.Join(stick, "a.ppv"), make([]byte, 5000))
	put(t, filepath.Join(stick, "forged\npayterm: \x1b[2J\\033c.ppv"), make([]byte, 5000))
	if err := os.Symlink("/etc/passwd", filepath.Join(stick, "b.ppv")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(stick, "c.ppv"), 0o700); err != nil {
		t.Fatal(err)
	}
	said := plugged(t, root, stick)
	for _, words := range []string{"a.ppv is no parcel", "parcel p0.PPV is handed", "p8.PPV and what follows is left",
		"can be taken out"} {
		if !strings.Contains(said, words) {
			t.Errorf("it does not say %q: %s", words, said)
		}
	}
	if strings.Contains(said, "\npayterm: \x1b") || strings.ContainsAny(said, "\x1b") {
		t.Errorf("a name speaks to the log: %q", said)
	}
	shown(t, root, "stick_done")
	names, err := filepath.Glob(filepath.Join(root, "run/payterm-parcels/*"))
	if err != nil || len(names) != 8 {
		t.Fatalf("handed over: %q %v", names, err)
	}
	for i, name := range names {
		if text, err := os.ReadFile(name); err != nil || string(text) != fmt.Sprintf("PPV1%d", i) ||
			filepath.Ext(name) != ".ppv" {
			t.Errorf("%s: %q %v", name, text, err)
		}
	}
	// The next stick with a parcel replaces them; one without a parcel leaves them.
	for _, c := range []struct {
		file string
		left int
		told string
	}{{"new.ppv", 1, "stick_done"}, {"note.txt", 1, "stick_refused --reason nothing"}} {
		next := t.TempDir()
		put(t, filepath.Join(next, c.file), []byte("PPV1"))
		plugged(t, root, next)
		if names, _ = filepath.Glob(filepath.Join(root, "run/payterm-parcels/*")); len(names) != c.left {
			t.Errorf("after %s: %q", c.file, names)
		}
		shown(t, root, c.told)
	}
}

func TestStickTakesAServiceBundle(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ readOnly, config, says, written, told string }{
		{"0", "", "is written", "payterm-7AMWR6HP-*.tar.gz", "service_written"},
		{"0", "[terminal]\n  id = \"T2\"\n", "is written", "payterm-T2-*.tar.gz", "service_written"},
		{"1", "", "write-protected", "", "stick_refused --reason write_protected"},
	} {
		root, stick := stickRoot(t, c.readOnly), t.TempDir()
		if err := os.Mkdir(filepath.Join(stick, "service"), 0o700); err != nil {
			t.Fatal(err)
		}
		current := filepath.Join(root, "var/lib/payterm/provision/current")
		if err := os.MkdirAll(current, 0o700); err != nil {
			t.Fatal(err)
		}
		if c.config != "" {
			put(t, filepath.Join(current, "payterm.toml"), []byte(c.config))
		}
		if said := plugged(t, root, stick); !strings.Contains(said, c.says) {
			t.Errorf("it does not say %q: %s", c.says, said)
		}
		shown(t, root, c.told)
		found, err := filepath.Glob(filepath.Join(stick, "service", "*"))
		if err != nil || len(found) != len(strings.Fields(c.written)) {
			t.Fatalf("written: %q %v", found, err)
		}
		if c.written == "" {
			continue
		}
		if fits, err := filepath.Match(c.written, filepath.Base(found[0])); err != nil || !fits {
			t.Errorf("%s is not named %s", found[0], c.written)
		}
		if text, err := os.ReadFile(found[0]); err != nil || string(text) != "packed\n" {
			t.Errorf("%s: %q %v", found[0], text, err)
		}
	}
}

// TestStickTakesReports: a folder reports is filled by the agent's user, and what became of it stands on
// the screen: written and read back, or why not.
func TestStickTakesReports(t *testing.T) {
	t.Parallel()
	whole := `mkdir "$1/T1-1" && cd "$1/T1-1" && echo a >day.csv && sha256sum day.csv >SHA256SUMS && echo "$1/T1-1"`
	for _, c := range []struct{ does, readOnly, says, told string }{
		{whole, "0", "reports/T1-1 is written", "stick_reports"},
		{whole + "; echo b >day.csv", "0", "it does not hold what was written", "stick_refused --reason unreadable"},
		{"echo no room >&2; exit 4", "0", "no reports were written: no room", "stick_refused --reason full"},
		{"exit 5", "0", "no reports were written", "stick_refused --reason write_protected"},
		{"exit 1", "0", "no reports were written", "stick_refused --reason no_reports"},
		{whole, "1", "write-protected", "stick_refused --reason write_protected"},
	} {
		root, stick := stickRoot(t, c.readOnly), t.TempDir()
		put(t, filepath.Join(root, "bin/reports"), []byte("#!/bin/sh\n"+c.does+"\n"))
		if err := errors.Join(os.Chmod(filepath.Join(root, "bin/reports"), 0o700),
			os.Mkdir(filepath.Join(stick, "reports"), 0o700)); err != nil {
			t.Fatal(err)
		}
		said := plugged(t, root, stick)
		if !strings.Contains(said, c.says) || !strings.HasSuffix(strings.TrimSpace(said), "can be taken out") {
			t.Errorf("it does not say %q: %s", c.says, said)
		}
		shown(t, root, c.told)
	}
}

// TestStickTrustsNoAgent: a program that runs as root does not write where the agent's user could have placed a
// link, does not block on a file of his, and does not accept an endless bundle.
func TestStickTrustsNoAgent(t *testing.T) {
	t.Parallel()
	root, stick := stickRoot(t, "0"), t.TempDir()
	if err := os.Mkdir(filepath.Join(stick, "service"), 0o700); err != nil {
		t.Fatal(err)
	}
	mine := filepath.Join(root, "roots")
	put(t, mine, []byte("of root"))
	current := filepath.Join(root, "var/lib/payterm/provision/current")
	if err := errors.Join(os.MkdirAll(current, 0o700), unix.Mkfifo(filepath.Join(current, "payterm.toml"),
		0o600)); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(root, "bin/payterm"),
		[]byte("#!/bin/sh\n"+`[ "$1" != notice ] || { shift; echo "$*" >"$PAYTERM_STICK_TEST/notice"; exit; }; exec cat /dev/zero`+"\n"))
	if said := plugged(t, root, stick); !strings.Contains(said, "no service bundle could be made") {
		t.Errorf("it says %s", said)
	}
	if text, err := os.ReadFile(mine); err != nil || string(text) != "of root" {
		t.Errorf("root's file holds %.40q now, %v", text, err)
	}
	// The agent's user controls his own files, and so the terminal's id.
	root, stick = stickRoot(t, "0"), t.TempDir()
	if err := os.Mkdir(filepath.Join(stick, "service"), 0o700); err != nil {
		t.Fatal(err)
	}
	// Reading from him is limited in time, and so is the length of his log.
	for program, does := range map[string]string{
		"sed":        `echo ../../../../laid; head -c 1000000 /dev/zero | tr '\\0' A && : >"$PAYTERM_STICK_TEST/heard"`,
		"journalctl": `head -c 20000000 /dev/zero; echo newest`,
		"payterm":    stands["payterm"] + ` | cat - "$5" 2>/dev/null`,
	} {
		put(t, filepath.Join(root, "bin", program), []byte("#!/bin/sh\n"+does+"\n"))
		if err := os.Chmod(filepath.Join(root, "bin", program), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	plugged(t, root, stick)
	found, err := filepath.Glob(filepath.Join(stick, "service", "payterm-new-*.tar.gz"))
	if err != nil || len(found) != 1 {
		t.Fatalf("the bundle is not named as of nobody: %q %v", found, err)
	}
	if text, err := os.ReadFile(found[0]); err != nil || len(text) > 9_000_000 ||
		!bytes.HasSuffix(text, []byte("newest\n")) {
		t.Errorf("of the log %d bytes are kept, and in the end %q: %v", len(text), text[max(0, len(text)-20):], err)
	}
	if _, err := os.Stat(filepath.Join(root, "heard")); err == nil {
		t.Error("a terminal's id of a million letters was listened to")
	}
}

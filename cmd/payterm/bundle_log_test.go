package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// journalctl replaces systemd's journalctl by a script for this test.
func journalctl(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "journalctl"), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

func TestServiceLog(t *testing.T) {
	for _, c := range []struct{ name, script, out, why string }{
		{"all is well", `echo "$*"`, "-u payterm -u payterm-update -u payterm-confirm", ""},
		{"the last words", `yes "a line that means nothing" | head -n 100000; echo the end`, "the end\n", ""},
		{"it fails in the middle",
			`echo so far; echo chatter >&2; echo "Failed to open files: No such file" >&2; exit 1`, "so far",
			"exit status 1: Failed to open files"},
		{"it hangs, and leaves a child with its output", `echo so far; sleep 60 & exec sleep 60`, "so far",
			"took too long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			journalctl(t, c.script)
			patience := time.Minute
			if c.why == "took too long" {
				patience = 300 * time.Millisecond
			}
			ctx, stop := context.WithTimeoutCause(t.Context(), patience, errors.New("took too long"))
			defer stop()
			began := time.Now()
			out, err := serviceLog(ctx)
			if len(out) > bundleLog || !strings.Contains(string(out[max(0, len(out)-200):]), c.out) {
				t.Errorf("%d bytes: %.200s", len(out), out)
			}
			if (err == nil) != (c.why == "") || err != nil && !strings.Contains(err.Error(), c.why) {
				t.Errorf("%v, want %q", err, c.why)
			}
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		if _, err := serviceLog(t.Context()); err == nil || !strings.Contains(err.Error(), "--log FILE") {
			t.Error(err)
		}
	})
}

// TestBundleOutOfTheBox: an unprovisioned terminal has a service bundle too; secrets in systemd's
// log are removed, and the screen names the file.
func TestBundleOutOfTheBox(t *testing.T) {
	journalctl(t, `echo "a parcel PPV1ABCDEFGHIJKLMNOPQRST and 281234567890123456"; echo "board ok"; echo "wants 471122869103" >&2; exit 1`)
	d := newDepot(t)
	d.boot()
	d.waitScreen("setup")
	out := filepath.Join(d.dir, "bundle.tar.gz")
	said, wrong := d.do("", "bundle", "--data", d.data, "--config", filepath.Join(d.dir, "none.toml"), "--out", out)
	if !strings.Contains(wrong, "exit status 3") || !strings.Contains(said, out) || strings.Contains(said, "471122869103") {
		t.Fatalf("%s %s", said, wrong)
	}
	for end := time.Now().Add(never); !strings.Contains(d.screen(),
		"The service file is written"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the setup screen does not say it:\n%s", d.screen())
		}
	}
	files := unpack(t, out)
	if log := files["log.txt"]; !strings.Contains(log, "board ok") || strings.Contains(log, "281234567890123456") ||
		strings.Contains(log, "PPV1ABC") {
		t.Errorf("log.txt: %q", log)
	}
	if m := files["missing.json"]; !strings.Contains(m, "log.txt") || !strings.Contains(m, "journal.json") ||
		strings.Contains(m, "471122869103") {
		t.Errorf("missing.json: %s", m)
	}
	if !strings.Contains(files["version.json"], "go1") {
		t.Errorf("version.json: %s", files["version.json"])
	}
}

package main

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// unpack returns a bundle's files by name.
func unpack(t *testing.T, path string) map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the bundle: %v %v", info.Mode(), err)
	}
	zip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for r := tar.NewReader(zip); ; {
		head, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimPrefix(head.Name, "payterm/")] = string(text)
	}
}

// TestBundle packs a terminal after a sale, with secrets planted wherever one could be, and finds
// none in the bundle.
func TestBundle(t *testing.T) {
	t.Parallel()
	d := newDepot(t)
	text, code := d.setUp(firstKey)
	paid := d.sells("ALIPAY")
	hash := "$2a$12$" + strings.Repeat("Q", 53)
	planted := []string{firstKey, code, paid, hash, text, text[:60], "CANARYinTheWrongPlace", "CANARYquery",
		"4711 2286 9103", "hQVDUFYwMUNBTkFSWQ=="}
	log := filepath.Join(d.dir, "planted.log")
	lines := "the beginning is cut\n" + strings.Repeat("a line that means nothing\n", 50000)
	for _, secret := range planted {
		if secret != "CANARYinTheWrongPlace" && secret != "CANARYquery" {
			lines += "err=\"it says " + secret + "\"\n"
		}
	}
	write(t, log, lines+"the end T2ABCDE000001\n")
	if err := os.MkdirAll(filepath.Join(d.data, "crash"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(d.data, "crash", "000001-found-x.txt"), "panic: "+firstKey+"\ngoroutine 1")
	link := filepath.Join(d.data, "provision", "current", "payterm.toml")
	b, err := os.ReadFile(link)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(b), "https://example.com/cb", "https://example.com/cb?token=CANARYquery", 1)
	changed = strings.Replace(changed, "[merchant]", "[merchant]\ntypo = \"CANARYinTheWrongPlace\"", 1) +
		"\n[supervisor]\npin_hash = \"" + hash + "\"\n"
	write(t, link, changed)
	out := filepath.Join(d.dir, "bundle.tar.gz")
	if said, wrong := d.do("", "bundle", "--data", d.data, "--config", "/nowhere", "--out", out, "--log",
		log); !strings.Contains(wrong, "exit status 3") || !strings.Contains(said, out) { // without a configuration
		t.Fatalf("%s %s", said, wrong)
	}
	// To standard output: only the bundle, and no notice on the screen.
	if said, wrong := d.do("", "bundle", "--data", d.data, "--config", "/nowhere", "--out", "-", "--log",
		log); wrong != "" || !strings.HasPrefix(said, "\x1f\x8b") || strings.Contains(said, "without ") {
		t.Errorf("%.40q %s", said, wrong)
	}
	files := unpack(t, out)
	for name, want := range map[string]string{
		"version.json": "go1", "config.toml": "Corner shop", "journal.json": "\"head\"", "doctor.json": "\"checks\"",
		"log.txt":                  "the end T2ABCDE000001",
		"crash/000001-found-x.txt": "goroutine 1", "missing.json": "typo",
	} {
		if !strings.Contains(files[name], want) {
			t.Errorf("%s lacks %q: %.300s", name, want, files[name])
		}
	}
	if strings.Contains(files["log.txt"], "the beginning is cut") {
		t.Error("the log has no bound")
	}
	for name, text := range files {
		for _, secret := range planted {
			if strings.Contains(text, secret) {
				t.Errorf("%s has %s", name, secret)
			}
		}
		if strings.HasSuffix(name, ".json") && !json.Valid([]byte(text)) {
			t.Errorf("%s is no JSON", name)
		}
	}
	if !strings.Contains(files["journal.json"], "\"event\": \"") {
		t.Errorf("no events: %.600s", files["journal.json"])
	}
}

package servicefile

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestRedactorCovers: what has to be removed is, and what a service needs stays.
func TestRedactorCovers(t *testing.T) {
	hide := NewRedactor(t.TempDir(), "")
	for _, c := range []string{"28123456789012345678", "471122869103", "4711-2286-9103",
		"PPV1" + strings.Repeat("AB2", 9), "hQVDUFYwMTIz"} {
		if got := string(hide.Redact([]byte("code=" + c + " "))); got != "code=(covered) " {
			t.Errorf("%s became %s", c, got)
		}
	}
	for _, c := range []string{"T2ABCDE000001", "2026-03-02T15:04:05Z", "12.34", "0000000696", "127.0.0.1:45123"} {
		if got := string(hide.Redact([]byte(c))); got != c {
			t.Errorf("%s became %s", c, got)
		}
	}
}

// hidden are the fields of events and answers that no service needs.
var hidden = fieldSet("key ref idempotency_key code_url payer")

// TestEventFields: somebody has decided for each field of events and answers whether a service file shows it.
func TestEventFields(t *testing.T) {
	field := regexp.MustCompile(`json:"(\w+)|case \w+:\s+return "(\w+)"`)
	events := regexp.MustCompile(`(?s)\n// Events of an? (?:order|set-aside).*?\n\)\n`)
	seen := map[string]bool{}
	read := func(file string, part *regexp.Regexp) {
		text, err := os.ReadFile(filepath.FromSlash(file))
		if err != nil {
			t.Fatal(err)
		}
		if part != nil {
			if text = part.Find(text); text == nil {
				t.Fatalf("%s has no events", file)
			}
		}
		for _, m := range field.FindAllSubmatch(text, -1) {
			name := string(m[1]) + string(m[2])
			seen[name] = true
			if shown[name] == hidden[name] {
				t.Errorf("%s: the field %s is neither shown nor hidden", file, name)
			}
		}
	}
	read("../flows/order/events.go", events)
	read("../flows/order/setaside.go", events)
	read("../flows/order/codec.go", regexp.MustCompile(`(?s)\ntype restarted struct.*?\n}\n`))
	read("../answer.go", nil)
	for name := range shown {
		if !seen[name] {
			t.Errorf("%s is shown, and no event has it", name)
		}
	}
	if len(seen) < 50 {
		t.Errorf("only %d fields were found", len(seen))
	}
}

// TestEventBody: only what is known to be needed is shown.
func TestEventBody(t *testing.T) {
	for body, want := range map[string]string{
		`{"masked":"28...78","key":"abc"}`:                             `{"key":"(not told)","masked":"28...78"}`,
		`{"reply":{"paid":{"payer":"x","paid_minor":5}}}`:              `{"reply":{"paid":{"paid_minor":5,"payer":"(not told)"}}}`,
		`{"rules":{"ladder":[1,2]},"ref":"R","something_new":{"a":1}}`: `{"ref":"(not told)","rules":{"ladder":[1,2]},"something_new":"(not told)"}`,
		`rubbish`: `"(not told)"`,
	} {
		got, err := json.Marshal(eventBody([]byte(body)))
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, %v, want %s", body, got, err, want)
		}
	}
}

// TestPack: what cannot be read is named, and secrets are covered wherever they stand.
func TestPack(t *testing.T) {
	parts := []Part{
		{"a.json", func() ([]byte, error) { return []byte(`{"x":"S3CRET 2812345678901234"}`), nil }},
		{"b.txt", func() ([]byte, error) { return []byte("half S3CRET"), errors.New("the rest of S3CRET is gone") }},
		{"c.txt", func() ([]byte, error) { return nil, nil }},
	}
	packed, missing, err := Pack(parts, Redactor{[]string{"S3CRET"}}, time.Unix(0, 0))
	if err != nil || len(missing) != 1 || missing["b.txt"] != "the rest of (covered) is gone" {
		t.Fatalf("%v, %v", missing, err)
	}
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for archive := tar.NewReader(zip); ; {
		head, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		got[head.Name] = string(text)
	}
	want := map[string]string{
		"payterm/a.json": "{\n\t\"x\": \"(covered) (covered)\"\n}", "payterm/b.txt": "half (covered)",
		"payterm/missing.json": "{\n\t\"b.txt\": \"the rest of (covered) is gone\"\n}",
	}
	if !maps.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

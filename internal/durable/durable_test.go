package durable_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"payterm/internal/durable"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestCreateAndReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := durable.Create(path, []byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := durable.Create(path, []byte("two")); !errors.Is(err, fs.ErrExist) || read(t, path) != "one" {
		t.Errorf("created twice: %v, %q", err, read(t, path))
	}
	// What a cut has left of another attempt is in nobody's way.
	if err := os.WriteFile(path+".new", []byte("half of a longer text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := durable.Replace(path, []byte("three")); err != nil || read(t, path) != "three" {
		t.Errorf("replaced: %v, %q", err, read(t, path))
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, mode %v", err, info.Mode())
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%v, %d files are left", err, len(left))
	}
}

// Where it cannot be put in place, what was there stays, and nothing is left over.
func TestReplaceNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "taken")
	if err := os.MkdirAll(filepath.Join(path, "inside"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := durable.Replace(path, []byte("x")); err == nil {
		t.Error("a directory was replaced by a file")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 || !left[0].IsDir() {
		t.Errorf("%v, left: %v", err, left)
	}
}

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
	// A leftover of an interrupted attempt does not matter.
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

// TestReplaceNothing: if a file cannot be replaced, the old one stays and nothing is left over.
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

// TestLock: a lock is held until its file is closed, also against other parts of the same process.
func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := durable.Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := durable.Lock(path); !errors.Is(err, durable.ErrLocked) || second != nil {
		t.Errorf("locked twice: %v, %v", second, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	third, err := durable.Lock(path)
	if err != nil {
		t.Fatalf("after it was let go: %v", err)
	}
	if err := third.Close(); err != nil {
		t.Error(err)
	}
	if _, err := durable.Lock(filepath.Join(path, "below a file")); err == nil || errors.Is(err, durable.ErrLocked) {
		t.Errorf("where no file can be: %v", err)
	}
}

func TestOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	for mode, fine := range map[fs.FileMode]bool{0o600: true, 0o400: true, 0o700: true, 0o640: false, 0o604: false,
		0o620: false, 0o601: false} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := durable.OwnerAlone(path, info); (err == nil) != fine {
			t.Errorf("mode %04o: %v", mode, err)
		}
		if _, err := durable.ReadOwn(path); (err == nil) != fine {
			t.Errorf("mode %04o: read: %v", mode, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

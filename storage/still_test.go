package storage

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestReadAlone: a closed journal is read without locks; a writer that came meanwhile, or a log
// with commits, is found. (cmd/payterm tests read-only directories.)
func TestReadAlone(t *testing.T) {
	path := filepath.Join(scratch(t), "payterm.db")
	c := &clock{evening}
	read := func() *Reader {
		t.Helper()
		alone, err := aloneIn(path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := openReader(path, alone)
		if err != nil {
			t.Fatal(err)
		}
		if orders, err := r.Orders(); err != nil || len(orders) != 0 {
			t.Fatalf("%v, %v", orders, err)
		}
		return r
	}
	if err := openAt(t, path, c).Close(); err != nil {
		t.Fatal(err)
	}
	if err := read().Close(); err != nil {
		t.Errorf("of a closed journal: %v", err)
	}

	r := read()
	s := openAt(t, path, c)
	if err := r.Close(); !errors.Is(err, ErrChanged) {
		t.Errorf("while a writer has a log: %v, want %v", err, ErrChanged)
	}
	if _, err := aloneIn(path); !errors.Is(err, ErrApart) {
		t.Errorf("a log with commits: %v, want %v", err, ErrApart)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	if err := os.Chtimes(path, evening, evening); err != nil { // file systems have coarse clocks
		t.Fatal(err)
	}
	r = read()
	if err := openAt(t, path, c).Close(); err != nil { // a start and an end in between
		t.Fatal(err)
	}
	if err := r.Close(); !errors.Is(err, ErrChanged) {
		t.Errorf("after a writer's life: %v, want %v", err, ErrChanged)
	}
	r = read()
	if err := os.Rename(path, path+".gone"); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after it went: %v", err)
	}
}

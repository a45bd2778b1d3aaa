package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	sqlite "github.com/mattn/go-sqlite3"
)

// SQLite in WAL mode needs two files beside the main one: the log, and the memory that writers
// and readers share. If neither exists and neither can be created, the main file can still be
// read alone. No lock keeps a writer away then, so the reader checks at the end whether there was
// one.

// cannotShare reports whether the shared memory could not be created.
func cannotShare(err error) bool {
	var e sqlite.Error
	return errors.As(err, &e) && (e.Code == sqlite.ErrCantOpen || e.Code == sqlite.ErrReadonly)
}

// still is the state of a journal that is read without locks.
type still struct {
	path string
	was  os.FileInfo
}

// aloneIn checks that the file is the whole journal: no log with commits, and no shared memory
// that a writer uses.
func aloneIn(path string) (*still, error) {
	log, err := size(path + "-wal")
	if err == nil && log > 0 {
		if err = readable(path + "-wal"); err == nil {
			err = ErrApart
		}
	}
	if err == nil {
		err = readable(path + "-shm")
	}
	if err != nil {
		return nil, err
	}
	was, err := os.Stat(path)
	return &still{path, was}, err
}

// size of a file, 0 if there is none.
func size(path string) (int64, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// readable is nil for a file that can be read, or does not exist.
func readable(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// changed returns ErrChanged if somebody has written.
func (s *still) changed() error {
	now, err := os.Stat(s.path)
	var log int64
	if err == nil {
		log, err = size(s.path + "-wal")
	}
	if err == nil && (log > 0 || !os.SameFile(now, s.was) || now.Size() != s.was.Size() ||
		!now.ModTime().Equal(s.was.ModTime())) {
		err = ErrChanged
	}
	if err != nil {
		return fmt.Errorf("storage: read %s: %w", s.path, err)
	}
	return nil
}

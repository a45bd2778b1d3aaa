package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// An answer of the gateway must be stored even if the disk is full. So some room is reserved in a
// file beside the journal, in blocks that the file system has really allocated, and checked
// before each sale. A commit that finds the disk full frees that room and is tried again; no sale
// begins until it is reserved again.

// reserveSize is the reserved room in bytes: a hundred commits.
const reserveSize = 1 << 20

func reservePath(journal string) string { return journal + ".reserve" }

// Reserve reports whether the room for answers is reserved, and reserves it if not; ErrFull if
// the disk has too little. It is cheap if it is there.
func (s *Store) Reserve() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.damage; err != nil {
		return err
	}
	info, err := os.Stat(reservePath(s.path))
	if err == nil && allocated(info) >= reserveSize {
		return nil
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = setAside(reservePath(s.path))
	}
	if err != nil {
		return fmt.Errorf("storage: set %d KiB aside: %w", reserveSize>>10, classify(err))
	}
	return nil
}

// allocated is how many bytes of a file are blocks of the disk.
func allocated(info fs.FileInfo) int64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Blocks * 512 // stat(2) counts units of 512, whatever the file system's block size
	}
	return info.Size()
}

// setAside creates the file, whole or not at all.
func setAside(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	err = syscall.Fallocate(int(f.Fd()), 0, 0, reserveSize)
	if errors.Is(err, syscall.EOPNOTSUPP) { // write it instead: flash file systems may have nothing better
		_, err = f.WriteAt(make([]byte, reserveSize), 0)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// withReserve calls do, and calls it again in the reserved room if the disk is full.
func withReserve(journal string, do func() error) error {
	err := do()
	if !errors.Is(classify(err), ErrFull) {
		return err
	}
	switch gone := os.Remove(reservePath(journal)); {
	case errors.Is(gone, fs.ErrNotExist):
		return err
	case gone != nil:
		return errors.Join(err, fmt.Errorf("give up the reserve: %w", gone))
	}
	return do()
}

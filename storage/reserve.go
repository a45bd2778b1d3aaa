package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// A full disk must never meet a reply in hand. So some room is set aside in a
// file beside the journal, in blocks that the file system has really given, and
// checked before each sale. A commit that finds the disk full gives it up and is
// tried once more; from then on no sale begins until there is room for it again.

// reserveSize is what is set aside, in bytes: a hundred commits.
const reserveSize = 1 << 20

func reservePath(journal string) string { return journal + ".reserve" }

// Reserve reports whether the room that is set aside for replies is there, and
// sets it aside where it is not; ErrFull when there is too little. It is cheap
// while nothing is amiss.
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
		return stat.Blocks * 512 // whatever the file system's own blocks are: stat(2)
	}
	return info.Size()
}

// setAside makes the file, whole or not at all.
func setAside(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	err = syscall.Fallocate(int(f.Fd()), 0, 0, reserveSize)
	if errors.Is(err, syscall.EOPNOTSUPP) { // then written: a file system of flash may do no better
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

// withReserve does something to a journal, and where the disk is full does it once
// more in the room that was set aside.
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

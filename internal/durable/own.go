package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// OwnerAlone returns an error if others than its owner may read or write a file; the error says how to mend it.
// info must be that of the opened file, so that the file that is checked is the file that is read.
func OwnerAlone(path string, info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%s can be read by others than its owner (mode %04o): chmod 600 %s", path, mode, path)
	}
	return nil
}

// mostOwn is more than a key, a code or a token needs, in bytes.
const mostOwn = 4096

// ReadOwn reads a small file that only its owner may read. It checks the opened file, not its name.
func ReadOwn(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := OwnerAlone(path, info); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, mostOwn))
}

// ErrLocked means that another process holds the lock.
var ErrLocked = errors.New("it is locked by another process")

// Lock takes the lock of a file, which is created if needed. The lock is held until the returned file is closed
// or the process ends.
func Lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrLocked
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return f, nil
}

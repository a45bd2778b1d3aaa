package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// OwnerAlone refuses a file that others than its owner may read or write, and says how
// that is mended. info is that of the opened file, so that no other one is judged.
func OwnerAlone(path string, info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%s can be read by others than its owner (mode %04o): chmod 600 %s", path, mode, path)
	}
	return nil
}

// mostOwn is far more than a key, a code or a token has.
const mostOwn = 4096

// ReadOwn reads a small file of the owner's alone. The file that is judged is the one that
// is read.
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

// ErrLocked says that somebody else holds a lock.
var ErrLocked = errors.New("it is locked by another process")

// Lock takes the lock of a file, which is made where there is none. It is held until the
// file that is given is closed, or the process ends.
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

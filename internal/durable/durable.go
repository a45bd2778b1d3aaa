// Package durable writes small files that only their owner can read, so that a power failure leaves the old
// file or the new one, never a part (Create, Replace). The journal uses SQLite for that. The package also holds
// locks for the life of a process (Lock) and refuses files that others may read (ReadOwn, OwnerAlone).
package durable

import (
	"errors"
	"os"
	"path/filepath"
)

// Create writes a new file. Its name is durable once its directory is synced.
func Create(path string, text []byte) error { return write(path, os.O_EXCL, text) }

// Replace writes a file and replaces an existing one. Content and name are durable when it returns.
func Replace(path string, text []byte) error {
	next := path + ".new"
	err := write(next, os.O_TRUNC, text)
	if err == nil {
		err = os.Rename(next, path)
	}
	if err != nil {
		os.Remove(next) //nolint:errcheck // there may be none
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// SyncDir makes the names in a directory durable.
func SyncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func write(path string, how int, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|how, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Backup writes a consistent copy of the journal to a new file that only its owner may read, also
// while the agent runs. The copy gets its name when it is complete and on the disk. An existing
// file is never overwritten.
func (r *Reader) Backup(ctx context.Context, path string) error {
	if err := r.backup(ctx, path); err != nil {
		return fmt.Errorf("storage: copy the journal to %s: %w", path, classify(err))
	}
	return nil
}

func (r *Reader) backup(ctx context.Context, path string) error {
	// An empty file reserves the name, so that the rename below cannot replace another file.
	held, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) { // the copy's folder, not the journal's
		return fmt.Errorf("%w: name one that user %d can write", ErrFolder, os.Geteuid())
	}
	if err != nil {
		return err
	}
	part := path + ".part"
	err = held.Close()
	if err == nil {
		err = r.copyTo(ctx, part, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return syncFile(filepath.Dir(path))
}

// copyTo writes a synced copy under the name part and renames it to path, or leaves no file
// behind.
func (r *Reader) copyTo(ctx context.Context, part, path string) error {
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = r.ro.ExecContext(ctx, `VACUUM INTO ?`, part)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return nil
}

package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	sqlite "github.com/mattn/go-sqlite3"
)

// advice is an error that suggests what to do, short enough for a screen.
type advice string

func (a advice) Error() string { return string(a) }

// Advice is the text for the screen.
func (a advice) Advice() string { return string(a) }

// Errors that a caller can act on, wrapped with what was tried.
var (
	ErrNewer    error = advice("the journal was written by a newer payterm: install that version or a later one")
	ErrOlder    error = advice("the journal was written by an older payterm: start the agent once, which brings it up to date")
	ErrCorrupt  error = advice("the journal file is damaged: keep it, restore the last backup beside it, and call the service")
	ErrFull     error = advice("the disk is full: free some space")
	ErrReadOnly error = advice("the disk is read-only: check the card and the file system")
	ErrDenied   error = advice("access to the journal is denied: run this as the user of the agent")
	ErrDisk     error = advice("the disk fails: check the card and its contacts, and change it")
	ErrBusy     error = advice("another program holds the journal: end it")
	ErrApart    error = advice("what was paid last stands in the journal's log (payterm.db-wal), which cannot be read where " +
		"nothing can be written: copy payterm.db and payterm.db-wal into a folder of your own, and name it with --data")
	ErrChanged error = advice("the journal was written while it was read: read it again, as the user of the agent")
	ErrFolder  error = advice("the folder of the copy cannot be written")
	ErrPragma        = errors.New("SQLite does not give the durability that was asked for")
	// ErrChain: a record was changed, removed or inserted.
	ErrChain = errors.New("the journal's chain is broken")
)

// codeUsedError is returned by Commit if another order has used the payment code.
type codeUsedError struct{ err error }

func (e codeUsedError) Error() string  { return "this payment code was used by another order" }
func (e codeUsedError) Unwrap() error  { return e.err }
func (e codeUsedError) CodeUsed() bool { return true }

// Explain wraps an error of the journal's disk or files with the error of this package that says
// what to do; others are returned unchanged.
func Explain(err error) error { return classify(err) }

// classify maps error codes of SQLite and of the system to such errors.
func classify(err error) error {
	kind := kindOf(err)
	if kind == nil || errors.Is(err, kind) {
		return err
	}
	return fmt.Errorf("%w (%w)", kind, err)
}

// damaged classifies an error of a row that was read: without a known code the value itself is
// corrupt.
func damaged(err error) error {
	if errors.Is(err, ErrCorrupt) || errors.Is(err, ErrChain) {
		return err
	}
	if kindOf(err) != nil {
		return classify(err)
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}

func kindOf(err error) error {
	var e sqlite.Error
	if !errors.As(err, &e) {
		return kindOfErrno(err, nil)
	}
	switch e.Code {
	case sqlite.ErrFull:
		return ErrFull
	case sqlite.ErrReadonly:
		return ErrReadOnly
	case sqlite.ErrPerm:
		return ErrDenied
	case sqlite.ErrCorrupt, sqlite.ErrNotADB:
		return ErrCorrupt
	case sqlite.ErrError: // our statements fit every sound file, so its tables are not ours
		return ErrCorrupt
	case sqlite.ErrBusy, sqlite.ErrLocked:
		return ErrBusy
	case sqlite.ErrIoErr, sqlite.ErrCantOpen:
		if e.ExtendedCode == sqlite.ErrIoErrShortRead {
			return ErrCorrupt // the file is truncated
		}
		return kindOfErrno(e.SystemErrno, ErrDisk)
	}
	return nil
}

func kindOfErrno(err, otherwise error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return ErrFull
	case errors.Is(err, syscall.EROFS):
		return ErrReadOnly
	case errors.Is(err, fs.ErrPermission):
		return ErrDenied
	case errors.Is(err, syscall.EIO), errors.Is(err, syscall.EISDIR):
		return ErrDisk
	}
	return otherwise
}

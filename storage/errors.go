package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	sqlite "github.com/mattn/go-sqlite3"
)

// advice is an error that says what to do about it, in few enough words for a
// screen.
type advice string

func (a advice) Error() string { return string(a) }

// Advice is the whole of what a person has to be told.
func (a advice) Advice() string { return string(a) }

// Errors that a caller can act on. They are wrapped with what was tried.
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
	// ErrChain says that a record was altered, removed or put in between.
	ErrChain = errors.New("the journal's chain is broken")
)

// codeUsedError is what Commit reports when another order used the payment code.
type codeUsedError struct{ err error }

func (e codeUsedError) Error() string  { return "this payment code was used by another order" }
func (e codeUsedError) Unwrap() error  { return e.err }
func (e codeUsedError) CodeUsed() bool { return true }

// Explain adds to an error of the journal's disk or files the word of this package
// that says what to do about it; others stay as they are.
func Explain(err error) error { return classify(err) }

// classify turns codes of SQLite and of the system into errors that say what to
// do.
func classify(err error) error {
	kind := kindOf(err)
	if kind == nil || errors.Is(err, kind) {
		return err
	}
	return fmt.Errorf("%w (%w)", kind, err)
}

// damaged classifies what went wrong with a row that was read: what is nothing
// else is a value that was never written so.
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
	case sqlite.ErrError: // our statements fit every sound file, so its tables are not the ones that we made
		return ErrCorrupt
	case sqlite.ErrBusy, sqlite.ErrLocked:
		return ErrBusy
	case sqlite.ErrIoErr, sqlite.ErrCantOpen:
		if e.ExtendedCode == sqlite.ErrIoErrShortRead {
			return ErrCorrupt // the file ends before it should
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

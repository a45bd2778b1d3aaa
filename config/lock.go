package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"payterm/internal/durable"
)

// ErrTaken says that another terminal has the data.
var ErrTaken = errors.New("another payterm runs")

// LockData holds a data directory for a terminal that sells, or for whoever changes what is
// in it. Closing the file gives it back.
func LockData(data string) (*os.File, error) { return lock(data, "payterm.lock", takenOn(data)) }

// LockSetup keeps a second terminal away that waits for a parcel. It leaves LockData to
// whoever brings one.
func LockSetup(data string) (*os.File, error) { return lock(data, "setup.lock", takenOn(data)) }

func takenOn(data string) error { return fmt.Errorf("%w on %s", ErrTaken, data) }

// LockProvision keeps two that provision the same terminal apart; the function that it gives
// lets go.
func LockProvision(data string) (func() error, error) {
	f, err := lock(data, "provision.lock", errors.New("somebody else provisions this terminal just now"))
	if err != nil {
		return nil, err
	}
	return f.Close, nil
}

// lock makes the data directory where there is none and takes a lock in it; where another
// process has it the error is taken.
func lock(data, name string, taken error) (*os.File, error) {
	err := os.MkdirAll(data, 0o700)
	var f *os.File
	if err == nil {
		f, err = durable.Lock(filepath.Join(data, name))
	}
	switch {
	case errors.Is(err, durable.ErrLocked):
		return nil, taken
	case err != nil:
		return nil, fmt.Errorf("data directory: %w", err)
	}
	return f, nil
}

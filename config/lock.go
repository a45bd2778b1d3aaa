package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"payterm/internal/durable"
)

// ErrTaken means that another payterm process uses the data directory.
var ErrTaken = errors.New("another payterm runs")

// LockData locks a data directory for a terminal that sells, or for a process that changes the data. Closing
// the file releases it.
func LockData(data string) (*os.File, error) { return lock(data, "payterm.lock", takenOn(data)) }

// LockSetup prevents a second terminal from waiting for a parcel in the same directory. It leaves LockData free
// for the process that installs the parcel.
func LockSetup(data string) (*os.File, error) { return lock(data, "setup.lock", takenOn(data)) }

func takenOn(data string) error { return fmt.Errorf("%w on %s", ErrTaken, data) }

// LockProvision prevents two processes from provisioning the same terminal at once. The returned function
// releases it.
func LockProvision(data string) (func() error, error) {
	f, err := lock(data, "provision.lock", errors.New("another process is provisioning this terminal"))
	if err != nil {
		return nil, err
	}
	return f.Close, nil
}

// lock creates the data directory if needed and takes a lock in it. If another process holds the lock, the
// error wraps taken.
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

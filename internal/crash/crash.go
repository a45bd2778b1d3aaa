// Package crash keeps the report of a process that panics, so that the next process and payterm bundle find it.
package crash

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

const (
	// Now is the report file of the running process.
	Now  = "now.txt"
	kept = 10
)

// Dir returns the directory of the reports below a data directory.
func Dir(data string) string { return filepath.Join(data, "crash") }

// Keep has the Go runtime write its report to a file of the directory if this process panics. It gives the
// report of an earlier process a name and keeps the last ten.
func Keep(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file := filepath.Join(dir, Now)
	info, err := os.Stat(file)
	switch {
	case err == nil && info.Size() > 0:
		// The name begins with a number, not with the time: if the clock is not set, names must not collide.
		if err := os.Rename(file, freeName(dir)); err != nil {
			return err
		}
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	names, err := Reports(dir)
	if err != nil {
		return err
	}
	for _, name := range names[:max(0, len(names)-kept)] {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close() // the runtime duplicates the descriptor
	return debug.SetCrashOutput(f, debug.CrashOptions{})
}

// freeName returns the next name after the last report.
func freeName(dir string) string {
	number := 0
	if names, err := Reports(dir); err == nil && len(names) > 0 {
		fmt.Sscanf(names[len(names)-1], "%06d", &number) //nolint:errcheck // another program's file counts as 0
	}
	return filepath.Join(dir, fmt.Sprintf("%06d-found-%s.txt", number+1, time.Now().UTC().Format("20060102T150405Z")))
}

// Reports returns the names of the reports, the oldest first.
func Reports(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.Name() != Now && strings.HasSuffix(e.Name(), ".txt") {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

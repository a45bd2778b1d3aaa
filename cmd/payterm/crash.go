package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

const (
	crashDir   = "crash"
	crashNow   = "now.txt" // what this process would write
	keptCrash  = 10
	crashBytes = 256 << 10
)

// keepCrashes has Go write what it says when this process panics into the data
// directory, and gives what an earlier one wrote there a name. It never keeps a
// terminal from selling.
func keepCrashes(data string, log *slog.Logger) {
	if err := crashesTo(filepath.Join(data, crashDir)); err != nil {
		log.Warn("crash reports are not kept", "err", err)
	}
}

func crashesTo(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	now := filepath.Join(dir, crashNow)
	info, err := os.Stat(now)
	switch {
	case err == nil && info.Size() > 0:
		// Not the time of the crash: a clock that is not set must not hide one.
		if err := os.Rename(now, freeName(dir)); err != nil {
			return err
		}
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	kept, err := crashes(dir)
	if err != nil {
		return err
	}
	for _, name := range kept[:max(0, len(kept)-keptCrash)] {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(now, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close() // Go has a copy of its own
	return debug.SetCrashOutput(f, debug.CrashOptions{})
}

// freeName counts on from the last report.
func freeName(dir string) string {
	number := 0
	if kept, err := crashes(dir); err == nil && len(kept) > 0 {
		fmt.Sscanf(kept[len(kept)-1], "%06d", &number) //nolint:errcheck // a name of somebody else's counts as 0
	}
	return filepath.Join(dir, fmt.Sprintf("%06d-found-%s.txt", number+1, time.Now().UTC().Format("20060102T150405Z")))
}

// crashes are the names of the reports, the oldest first.
func crashes(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.Name() != crashNow && strings.HasSuffix(e.Name(), ".txt") {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

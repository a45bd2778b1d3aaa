package hal

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Holder is a program that has a device open.
type Holder struct {
	PID  int
	Name string // as the kernel has it
}

// Names lists holders for a message.
func Names(all []Holder) string {
	words := make([]string, len(all))
	for i, h := range all {
		words[i] = fmt.Sprintf("%s (pid %d)", h.Name, h.PID)
	}
	return strings.Join(words, ", ")
}

// Others are the other programs that have the line's tty open, as far as this process may see
// that: root sees all, another user only his own.
func (l *Line) Others() []Holder {
	l.mu.Lock()
	p := l.port
	l.mu.Unlock()
	var stat unix.Stat_t
	if p == nil || p.tty == nil || control(p.tty, func(fd int) error { return unix.Fstat(fd, &stat) }) != nil {
		return nil
	}
	return holders(stat.Rdev)
}

// holdersOf are those of a device by its path.
func holdersOf(name string) []Holder {
	var stat unix.Stat_t
	if unix.Stat(name, &stat) != nil {
		return nil
	}
	return holders(stat.Rdev)
}

// holders are the other programs that have the device of this number open.
func holders(rdev uint64) []Holder {
	var all []Holder
	eachOpen(func(h Holder, _ int, path string) {
		var stat unix.Stat_t
		if h.PID != os.Getpid() && unix.Stat(path, &stat) == nil &&
			stat.Mode&unix.S_IFMT == unix.S_IFCHR && stat.Rdev == rdev && !slices.Contains(all, h) {
			all = append(all, h)
		}
	})
	return all
}

// eachOpen calls f for each open file of each process that may be read; path is that of its
// descriptor in /proc.
func eachOpen(f func(h Holder, fd int, path string)) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return
	}
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		open, err := os.ReadDir(filepath.Join(dir, "fd"))
		if err != nil {
			continue // it has ended, or is another user's
		}
		name, err := os.ReadFile(filepath.Join(dir, "comm"))
		if err != nil {
			continue
		}
		for _, e := range open {
			fd, err := strconv.Atoi(e.Name())
			if err == nil {
				f(Holder{pid, strings.TrimSpace(string(name))}, fd, filepath.Join(dir, "fd", e.Name()))
			}
		}
	}
}

// Shared lists the ttys that programs of this name have open, without standard input and output,
// and who else has them open.
func Shared(name string) map[string][]Holder {
	ours, all := map[string]int{}, map[string][]Holder{}
	eachOpen(func(h Holder, fd int, path string) {
		tty, err := os.Readlink(path)
		if err != nil || !strings.HasPrefix(tty, "/dev/tty") && !strings.HasPrefix(tty, "/dev/pts/") {
			return
		}
		if h.Name == name && fd > 2 {
			ours[tty] = h.PID
		}
		if !slices.Contains(all[tty], h) {
			all[tty] = append(all[tty], h)
		}
	})
	shared := map[string][]Holder{}
	for tty, pid := range ours {
		others := slices.DeleteFunc(all[tty], func(h Holder) bool { return h.PID == pid })
		if len(others) > 0 {
			shared[tty] = others
		}
	}
	return shared
}

package beneath

import (
	"bytes"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	most   = 100
	secret = "root:$6$nobody may read this"
)

// eachWay runs a test with the kernel's openat2 and without it.
func eachWay(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	for name, call := range map[string]func(int, string, *unix.OpenHow) (int, error){
		"openat2":         unix.Openat2,
		"an older kernel": func(int, string, *unix.OpenHow) (int, error) { return -1, unix.ENOSYS },
	} {
		t.Run(name, func(t *testing.T) {
			openat2 = call
			defer func() { openat2 = unix.Openat2 }()
			test(t)
		})
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func TestRead(t *testing.T) {
	eachWay(t, func(t *testing.T) {
		dir, outside := t.TempDir(), t.TempDir()
		put(t, filepath.Join(outside, "shadow"), secret)
		put(t, filepath.Join(dir, "provision/17/payterm.toml"), "good")
		put(t, filepath.Join(dir, "exact"), strings.Repeat("x", most))
		put(t, filepath.Join(dir, "long"), strings.Repeat("x", most+1))
		put(t, filepath.Join(dir, "huge"), "")
		socket, err := net.Listen("unix", filepath.Join(dir, "socket"))
		if err != nil {
			t.Fatal(err)
		}
		defer socket.Close()
		if err := errors.Join(
			os.Truncate(filepath.Join(dir, "huge"), 1<<40),
			unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600),
			os.Symlink(filepath.Join(outside, "shadow"), filepath.Join(dir, "link")),
			os.Symlink("exact", filepath.Join(dir, "own link")),
			os.Symlink(outside, filepath.Join(dir, "away")),
			os.Symlink("provision", filepath.Join(dir, "own way")),
			os.Symlink("nowhere", filepath.Join(dir, "dangling")),
		); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			dir, name string
			err       error
		}{
			{dir, "provision/17/payterm.toml", nil},
			{dir, "provision//17/./payterm.toml", nil},
			{dir, "exact", nil},
			{dir, "long", ErrLong},
			{dir, "huge", ErrLong},
			{"/proc/self", "status", ErrLong}, // its size is reported as 0
			{dir, "fifo", ErrNoFile},
			{dir, "socket", ErrNoFile},
			{"/dev", "null", ErrNoFile},
			{"/dev", "zero", ErrNoFile},
			{dir, "provision", ErrNoFile},
			{dir, ".", ErrNoFile},
			{dir, "link", ErrLink},
			{dir, "own link", ErrLink},
			{dir, "dangling", ErrLink},
			{dir, "away/shadow", ErrLink},
			{dir, "own way/17/payterm.toml", ErrLink},
			{dir, "exact/x", unix.ENOTDIR},
			{dir, "nothing", fs.ErrNotExist},
			{dir, "nothing/at/all", fs.ErrNotExist},
			{dir, "../x", unix.EXDEV},
			{dir, "provision/../../x", unix.EXDEV},
			{dir, "/etc/passwd", unix.EXDEV},
			{dir, "", unix.EXDEV},
			{filepath.Join(dir, "gone"), "x", fs.ErrNotExist},
		} {
			text, err := Read(c.dir, c.name, most)
			if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) || err != nil && len(text) > 0 {
				t.Errorf("%s: %q, %v, want %v", c.name, text, err, c.err)
			}
			if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "xxx")) {
				t.Errorf("%s: the error tells what the file holds: %v", c.name, err)
			}
		}
	})
}

func TestLink(t *testing.T) {
	eachWay(t, func(t *testing.T) {
		dir := t.TempDir()
		put(t, filepath.Join(dir, "provision/file"), "")
		if err := errors.Join(os.Symlink("17", filepath.Join(dir, "provision/current")),
			os.Symlink("provision", filepath.Join(dir, "way"))); err != nil {
			t.Fatal(err)
		}
		if to, err := Link(dir, "provision/current"); err != nil || to != "17" {
			t.Errorf("%q, %v", to, err)
		}
		for name, want := range map[string]error{"way/current": ErrLink, "provision/file": unix.EINVAL,
			"provision": unix.EINVAL, "provision/none": fs.ErrNotExist, "../x": unix.EXDEV} {
			if to, err := Link(dir, name); !errors.Is(err, want) || to != "" {
				t.Errorf("%s: %q, %v, want %v", name, to, err, want)
			}
		}
	})
}

// TestForeign: in another user's directory a hard link to root's file is not read, and that user's own files
// are.
func TestForeign(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	eachWay(t, func(t *testing.T) {
		base := t.TempDir()
		dir, roots := filepath.Join(base, "agent"), filepath.Join(base, "shadow")
		put(t, roots, secret)
		put(t, filepath.Join(dir, "own"), "good")
		if err := errors.Join(os.Chown(dir, 12345, 12345), os.Chown(filepath.Join(dir, "own"), 12345, 12345),
			os.Link(roots, filepath.Join(dir, "linked"))); err != nil {
			t.Fatal(err)
		}
		if text, err := Read(dir, "linked", most); !errors.Is(err, ErrForeign) || len(text) > 0 ||
			strings.Contains(err.Error(), secret) {
			t.Errorf("%q, %v", text, err)
		}
		if text, err := Read(dir, "own", most); err != nil || string(text) != "good" {
			t.Errorf("%q, %v", text, err)
		}
		// In root's own directory only root can have made the hard link.
		if text, err := Read(base, "shadow", most); err != nil || string(text) != secret {
			t.Errorf("%q, %v", text, err)
		}
	})
}

// TestSwapped: the file that was checked is the one that is read, even if its name leads elsewhere by then.
func TestSwapped(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "shadow")
	put(t, outside, secret)
	name, link := filepath.Join(dir, "x"), filepath.Join(dir, "link")
	fresh := func() {
		t.Helper()
		put(t, filepath.Join(dir, "new"), "good")
		if err := errors.Join(os.Rename(filepath.Join(dir, "new"), name), os.Symlink(outside, link)); err != nil {
			t.Fatal(err)
		}
	}
	fresh()
	openat2 = func(dir int, name string, how *unix.OpenHow) (int, error) {
		fd, err := unix.Openat2(dir, name, how)
		return fd, errors.Join(err, os.Rename(link, filepath.Join(filepath.Dir(link), name)))
	}
	text, err := Read(dir, "x", most)
	openat2 = unix.Openat2
	if err != nil || string(text) != "good" {
		t.Errorf("swapped when it was found: %q, %v", text, err)
	}
	fresh()
	f, err := Open(dir, "x")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Rename(link, name); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(f); err != nil || b.String() != "good" {
		t.Errorf("swapped when it was open: %q, %v", &b, err)
	}
}

// TestSwappedAllTheTime: files, links and directories change places while they are read.
func TestSwappedAllTheTime(t *testing.T) {
	eachWay(t, func(t *testing.T) {
		dir, outside := t.TempDir(), t.TempDir()
		put(t, filepath.Join(outside, "x"), secret)
		put(t, filepath.Join(dir, "real/x"), "good")
		way, away := filepath.Join(dir, "way"), filepath.Join(dir, "away")
		if err := errors.Join(os.Symlink(outside, away), os.Rename(filepath.Join(dir, "real"), way)); err != nil {
			t.Fatal(err)
		}
		stop, stopped := make(chan struct{}), make(chan error, 1)
		go func() {
			for {
				select {
				case <-stop:
					stopped <- nil
					return
				default:
				}
				if err := unix.Renameat2(unix.AT_FDCWD, way, unix.AT_FDCWD, away, unix.RENAME_EXCHANGE); err != nil {
					stopped <- err
					return
				}
			}
		}()
		read, refused := 0, 0
		for end := time.Now().Add(30 * time.Second); (read < 500 || refused < 500) && time.Now().Before(end); {
			text, err := Read(dir, "way/x", most)
			switch {
			case err == nil && string(text) == "good":
				read++
			case errors.Is(err, ErrLink):
				refused++
			default:
				t.Fatalf("%q, %v", text, err)
			}
		}
		close(stop)
		if err := <-stopped; err != nil {
			t.Fatal(err)
		}
		if read < 500 || refused < 500 {
			t.Errorf("%d read, %d refused: nothing was swapped", read, refused)
		}
	})
}

func TestOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	base := t.TempDir()
	at := func(name string) string { return filepath.Join(base, name) }
	put(t, at("agent/training/payterm.db"), "")
	put(t, at("mine/payterm.db"), "")
	if err := errors.Join(
		os.Chown(at("agent"), 12345, 12346),
		os.Symlink("agent", at("link")), os.Symlink(at("mine"), at("agent/laid")),
		os.Symlink("link/../mine", at("round")), os.Symlink("loop", at("loop")),
	); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		uid, gid int
		err      error
	}{
		{"agent", 12345, 12346, nil},
		{"agent/training/payterm.db", 12345, 12346, nil}, // root's file in the user's directory
		{"agent/laid/payterm.db", 12345, 12346, nil},     // the user's link to root's file
		{"agent/nothing", 12345, 12346, nil},
		{"link/training", 12345, 12346, nil}, // root's link to the user's directory
		{"mine/payterm.db", 0, 0, nil},
		{"round", 0, 0, nil},
		{"nothing", 0, 0, fs.ErrNotExist},
		{"loop", 0, 0, unix.ELOOP},
	} {
		if uid, gid, err := Owner(at(c.name)); uid != c.uid || gid != c.gid || !errors.Is(err, c.err) {
			t.Errorf("%s: %d %d %v, want %d %d %v", c.name, uid, gid, err, c.uid, c.gid, c.err)
		}
	}
	if uid, _, err := Owner("/"); uid != 0 || err != nil {
		t.Errorf("/: %d %v", uid, err)
	}
}

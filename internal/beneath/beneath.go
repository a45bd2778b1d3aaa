// Package beneath reads files below a directory whose owner is not trusted, for example root reading in the
// agent's directory. Symbolic links are not followed, neither on the way nor at the end. Anything that is not a
// regular file is not opened, so a FIFO cannot block the reader and a device is not triggered. A file of
// another user, to which a hard link may lead, is not read. No more bytes are read than asked for. No error
// contains file content.
package beneath

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Reasons why a file is not read.
var (
	ErrLink    = errors.New("the path contains a symbolic link, which is not followed")
	ErrNoFile  = errors.New("it is no regular file")
	ErrForeign = errors.New("its owner is not the owner of its directory")
	ErrLong    = errors.New("it is too long")
)

// Open opens a file for reading; name is its path relative to the directory.
func Open(dir, name string) (*os.File, error) {
	f, err := open(dir, name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: filepath.Join(dir, name), Err: err}
	}
	return f, nil
}

// Read reads a whole file of at most the given number of bytes.
func Read(dir, name string, most int64) ([]byte, error) {
	f, err := Open(dir, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// The size that the file reports is not used: the file may grow meanwhile.
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = &fs.PathError{Op: "read", Path: f.Name(), Err: ErrLong}
	}
	if err != nil {
		return nil, err
	}
	return text, nil
}

// Link returns the target of a symbolic link. The target is not checked.
func Link(dir, name string) (string, error) {
	fd, _, err := find(dir, name)
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: filepath.Join(dir, name), Err: err}
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	to := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd, "", to) // of the link itself, which nobody can replace now
	if errors.Is(err, unix.ENOENT) {      // what Linux returns if it is no link
		err = unix.EINVAL
	}
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: filepath.Join(dir, name), Err: err}
	}
	return string(to[:n]), nil
}

// Owner returns who controls a path: the owner of the first directory on the way that belongs neither to root
// nor to the owner of / (in a user namespace root may be mapped to another id). Below that directory he can
// create any file.
func Owner(path string) (uid, gid int, err error) {
	rest, err := filepath.Abs(path)
	if err != nil {
		return 0, 0, err
	}
	var top unix.Stat_t
	if err := unix.Lstat("/", &top); err != nil {
		return 0, 0, &fs.PathError{Op: "lstat", Path: "/", Err: err}
	}
	at := "/"
	for links := 0; rest != "" && links < 40; {
		var step string
		step, rest, _ = strings.Cut(strings.TrimPrefix(filepath.Clean(rest), "/"), "/")
		at = filepath.Join(at, step)
		var s unix.Stat_t
		if err := unix.Lstat(at, &s); err != nil {
			return 0, 0, &fs.PathError{Op: "lstat", Path: at, Err: err}
		}
		if s.Uid != 0 && s.Uid != top.Uid {
			return int(s.Uid), int(s.Gid), nil
		}
		if s.Mode&unix.S_IFMT != unix.S_IFLNK {
			continue
		}
		to, err := os.Readlink(at) // it belongs to root, so nobody else can change it
		if err != nil {
			return 0, 0, err
		}
		if links++; !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(at), to)
		}
		at, rest = "/", filepath.Join(to, rest)
	}
	if rest != "" {
		return 0, 0, &fs.PathError{Op: "lstat", Path: path, Err: unix.ELOOP}
	}
	return 0, 0, nil
}

func open(dir, name string) (*os.File, error) {
	fd, owner, err := find(dir, name)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	// O_PATH has not opened the file yet; it is checked first.
	var s unix.Stat_t
	if err := unix.Fstat(fd, &s); err != nil {
		return nil, err
	}
	switch {
	case s.Mode&unix.S_IFMT == unix.S_IFLNK:
		return nil, ErrLink
	case s.Mode&unix.S_IFMT != unix.S_IFREG:
		return nil, ErrNoFile
	case s.Uid != owner && owner != 0 && int(owner) != os.Geteuid(): // another user's file, through a hard link
		return nil, ErrForeign
	}
	own, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", fd),
		unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(own), filepath.Join(dir, name)), nil
}

// find returns an O_PATH descriptor of a file, which does not open it, and the owner of the directory.
func find(dir, name string) (fd int, owner uint32, err error) {
	if !filepath.IsLocal(name) {
		return -1, 0, unix.EXDEV
	}
	top, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, 0, err
	}
	defer unix.Close(top) //nolint:errcheck // nothing was written
	var s unix.Stat_t
	if err := unix.Fstat(top, &s); err != nil {
		return -1, 0, err
	}
	fd, err = openat2(top, name, &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
	})
	switch {
	// Linux before 5.6, or a sandbox that blocks the call.
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM):
		fd, err = walk(top, name)
	case errors.Is(err, unix.ELOOP):
		err = ErrLink
	}
	return fd, s.Uid, err
}

// openat2 is the system call; a test replaces it by one that fails.
var openat2 = unix.Openat2

// walk resolves the path step by step, for kernels without openat2.
func walk(top int, name string) (int, error) {
	at, steps := top, strings.Split(filepath.Clean(name), "/")
	for i, step := range steps {
		how := unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC
		next, err := unix.Openat(at, step, how, 0)
		if at != top {
			unix.Close(at) //nolint:errcheck // nothing was written
		}
		if err != nil {
			return -1, err
		}
		var s unix.Stat_t
		if err = unix.Fstat(next, &s); err == nil && i < len(steps)-1 {
			switch s.Mode & unix.S_IFMT {
			case unix.S_IFDIR:
			case unix.S_IFLNK:
				err = ErrLink
			default:
				err = unix.ENOTDIR
			}
		}
		if err != nil {
			unix.Close(next) //nolint:errcheck // nothing was written
			return -1, err
		}
		at = next
	}
	return at, nil
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"payterm/screen"
	"payterm/terminal/api"
	"payterm/update"

	"golang.org/x/sys/unix"
)

// Whatever the agent's user puts into the data directory, root's commands read nothing by it that
// the user could not, and do not block. Only root can test that.

const (
	agentsUID  = 12345
	rootsWords = "root:$y$words-of-root-only"
)

// laid is a data directory of the agent's user, and a file of root's.
type laid struct {
	t          *testing.T
	data, root string
}

func newLaid(t *testing.T) *laid {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give a directory away")
	}
	base, err := os.MkdirTemp("", "own") // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(base) })
	l := &laid{t, filepath.Join(base, "data"), filepath.Join(base, "shadow")}
	if err := errors.Join(os.Chmod(base, 0o755), os.Mkdir(l.data, 0o700),
		os.WriteFile(l.root, []byte(rootsWords+" = "+rootsWords+"\n["+rootsWords), 0o600)); err != nil {
		t.Fatal(err)
	}
	return l
}

// give changes the owner of all files in the directory to the agent's user.
func (l *laid) give() {
	l.t.Helper()
	if err := filepath.WalkDir(l.data, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, agentsUID, agentsUID))
	}); err != nil {
		l.t.Fatal(err)
	}
}

// brought places a parcel's configuration by a function for its path.
func (l *laid) brought(lay func(path string) error) {
	l.t.Helper()
	dir := filepath.Join(l.data, "provision", "17")
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.Symlink("17", filepath.Join(l.data, "provision", "current")),
		lay(filepath.Join(dir, "payterm.toml"))); err != nil {
		l.t.Fatal(err)
	}
}

// runs runs a command as root and returns its output and time.
func (l *laid) runs(args ...string) (string, time.Duration) {
	l.t.Helper()
	ctx, stop := context.WithTimeout(l.t.Context(), 15*time.Second)
	defer stop()
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "payterm"), args...)
	cmd.WaitDelay, cmd.Dir, cmd.Env = time.Second, filepath.Dir(l.data), append(os.Environ(), "PAYTERM_DATA="+l.data)
	began := time.Now()
	out, _ := cmd.CombinedOutput() // most fail
	return string(out), time.Since(began)
}

// untouched checks that root has left nothing in the directory.
func (l *laid) untouched(after []string) {
	l.t.Helper()
	err := filepath.WalkDir(l.data, func(path string, _ os.DirEntry, err error) error {
		var s unix.Stat_t
		if err = errors.Join(err, unix.Lstat(path, &s)); err == nil && s.Uid != agentsUID && s.Nlink == 1 {
			err = fmt.Errorf("%s is user %d's", path, s.Uid)
		}
		return err
	})
	if err != nil {
		l.t.Errorf("after payterm %q: %v", after, err)
	}
}

// TestRootReadsNothingThatIsLaid: each command as root, with each trap.
func TestRootReadsNothingThatIsLaid(t *testing.T) {
	t.Parallel()
	symlink := func(l *laid) func(string) error {
		return func(path string) error { return os.Symlink(l.root, path) }
	}
	hard := func(l *laid) func(string) error { return func(path string) error { return os.Link(l.root, path) } }
	fifo := func(*laid) func(string) error { return func(path string) error { return unix.Mkfifo(path, 0o600) } }
	for _, x := range []struct {
		name string
		lay  func(*laid)
	}{
		{"a configuration that is a link", func(l *laid) { l.brought(symlink(l)) }},
		{"a configuration that is root's file", func(l *laid) { l.brought(hard(l)) }},
		{"a configuration that is a FIFO", func(l *laid) { l.brought(fifo(l)) }},
		{"a way that is a link", func(l *laid) {
			l.brought(func(path string) error {
				return errors.Join(os.Remove(filepath.Dir(path)), os.Symlink(filepath.Dir(l.root), filepath.Dir(path)),
					os.WriteFile(filepath.Join(filepath.Dir(l.root), "payterm.toml"), []byte(rootsWords), 0o600))
			})
		}},
		{"a current that has words", func(l *laid) {
			if err := errors.Join(os.Mkdir(filepath.Join(l.data, "provision"), 0o700),
				os.Symlink(rootsWords, filepath.Join(l.data, "provision", "current"))); err != nil {
				t.Fatal(err)
			}
		}},
		{"a journal that is a link", func(l *laid) {
			if err := symlink(l)(filepath.Join(l.data, "payterm.db")); err != nil {
				t.Fatal(err)
			}
		}},
		{"a journal that is a FIFO", func(l *laid) {
			if err := fifo(l)(filepath.Join(l.data, "payterm.db")); err != nil {
				t.Fatal(err)
			}
		}},
		{"keys that are links and FIFOs", func(l *laid) {
			if err := errors.Join(symlink(l)(filepath.Join(l.data, "device.key")),
				fifo(l)(filepath.Join(l.data, "code.key")), os.Mkdir(filepath.Join(l.data, "crash"), 0o700),
				fifo(l)(filepath.Join(l.data, "crash", "000001-found.txt")),
				symlink(l)(filepath.Join(l.data, "crash", "now.txt"))); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			l := newLaid(t)
			x.lay(l)
			l.give()
			for _, args := range [][]string{
				{"update", "ask", "address"}, {"update", "ask", "free"}, {"update", "ask", "verify"},
				{"journal", "list"}, {"journal", "verify"}, {"queue", "list"}, {"totals", "z", "--number", "1"},
				{"status"},
				{"bundle", "--out", "-", "--log", "/dev/null"}, {"bundle", "--out", filepath.Base(l.data) + ".tar.gz",
					"--log", "/dev/null"},
				{"journal", "export", "/tmp/" + filepath.Base(filepath.Dir(l.data))}, {"provision", "/dev/null"},
				{"run", "--config", "/dev/null"},
				{"emulate", "--listen", "127.0.0.1:0"}, {"emulate", "--listen", "127.0.0.1:0", "--unprovisioned"},
			} {
				out, took := l.runs(args...)
				if strings.Contains(out, rootsWords) {
					t.Errorf("payterm %q says what root alone may read: %s", args, out)
				}
				if took > 10*time.Second {
					t.Errorf("payterm %q took %s: %s", args, took, out)
				}
				l.untouched(args)
			}
		})
	}
}

// TestRootNamesAFileThatIsLaid: a configuration named on root's command line is read with the
// rights of the owner of its directory.
func TestRootNamesAFileThatIsLaid(t *testing.T) {
	t.Parallel()
	l := newLaid(t)
	file, secret := filepath.Join(l.data, "named.toml"), filepath.Join(filepath.Dir(l.root), "secret.toml")
	const section = "what_root_alone_may_read"
	if err := errors.Join(os.WriteFile(secret, []byte("["+section+"]\n"), 0o600),
		os.Symlink(secret, file)); err != nil {
		t.Fatal(err)
	}
	l.give()
	for _, args := range [][]string{
		{"config", "check", file}, {"emulate", "--data", t.TempDir(), "--config", file, "--listen", "127.0.0.1:0"},
	} {
		out, took := l.runs(args...)
		if strings.Contains(out, section) || out == "" {
			t.Errorf("payterm %q says: %s", args, out)
		}
		if took > 10*time.Second {
			t.Errorf("payterm %q took %s: %s", args, took, out)
		}
		l.untouched(args)
	}
}

// asker asks as root's update does.
func (l *laid) asker() asker {
	l.t.Helper()
	self := filepath.Join(filepath.Dir(l.data), "payterm") // readable for the agent's user
	if err := os.Link(filepath.Join(bin, "payterm"), self); err != nil {
		l.t.Fatal(err)
	}
	return asker{store{Data: l.data}, self}
}

// answers is an agent of the agent's user, which may be a hostile one.
func (l *laid) answers(with func(pid int, w http.ResponseWriter, r *http.Request)) {
	l.t.Helper()
	path := filepath.Join(l.data, "payterm.sock")
	socket, err := net.Listen("unix", path)
	if err != nil {
		l.t.Fatal(err)
	}
	type key struct{}
	server := &http.Server{
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			raw, err := c.(*net.UnixConn).SyscallConn()
			var who *unix.Ucred
			if err == nil {
				err = raw.Control(func(fd uintptr) {
					who, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET,
						unix.SO_PEERCRED)
				})
			}
			if err != nil || who.Uid != agentsUID || who.Gid != agentsUID {
				l.t.Errorf("the agent is asked by %+v, %v", who, err)
			}
			return context.WithValue(ctx, key{}, int(who.Pid))
		},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			with(r.Context().Value(key{}).(int), w,
				r)
		}),
	}
	done := make(chan error)
	go func() { done <- server.Serve(socket) }()
	l.t.Cleanup(func() {
		server.Close()
		<-done //nolint:errcheck // it was closed
	})
}

// TestRootAsksAsAgentsUser: an update asks with the rights of the agent's user, and a hostile
// answer has no other effect.
func TestRootAsksAsAgentsUser(t *testing.T) {
	t.Parallel()
	free := question{What: askFree}
	say := func(text string) func(int, http.ResponseWriter, *http.Request) {
		return func(_ int, w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) } //nolint:errcheck // the client sees it
	}
	refuse := func(text string) func(int, http.ResponseWriter, *http.Request) {
		return func(_ int, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusConflict)
			json.NewEncoder(w).Encode(map[string]string{"error": text}) //nolint:errcheck // the client sees it
		}
	}
	for _, x := range []struct {
		name  string
		agent func(pid int, w http.ResponseWriter, r *http.Request)
		q     question
		right func(said, error) bool
	}{
		{"nobody pays", say(`{"state":"idle"}`), free, func(_ said, err error) bool { return err == nil }},
		{"somebody pays", say(`{"state":"scan"}`), free,
			func(_ said, err error) bool { return errors.Is(err, update.ErrOpen) }},
		{"a report", say(`{"ok":true,"checks":[{"name":"display","result":"ok"}]}`), question{What: askReport},
			func(a said, err error) bool {
				return err == nil && len(a.Report.Checks) == 1 && a.Report.Checks[0].Name == "display"
			}},
		{"a notice", func(_ int, w http.ResponseWriter, r *http.Request) {
			io.Copy(w, r.Body) //nolint:errcheck // whoever asked sees it
		},
			question{What: askTell, Notice: screen.UpdateRefused, Reason: screen.NoRoom},
			func(_ said, err error) bool { return err == nil }},
		{"a restart that has to wait", refuse("somebody may still read the result"),
			question{What: askTell, Notice: screen.UpdateRestarting}, func(_ said, err error) bool {
				var refused *api.Error
				return errors.As(err, &refused) && refused.Message == "somebody may still read the result"
			}},
		{"words that a console obeys", refuse("\x1b[2J\x07" + strings.Repeat("long ", 1000)), free,
			func(_ said, err error) bool {
				return err != nil && strings.HasPrefix(err.Error(), "[2Jlong") && len(err.Error()) <= mostWords
			}},
		{"an answer without end", func(_ int, w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"state":"`) //nolint:errcheck // the client sees it
			for err := error(nil); err == nil; {
				_, err = w.Write(bytes.Repeat([]byte("x"), 1<<16))
			}
		}, free, func(_ said, err error) bool { return err != nil }},
		{"a report that is too long", say(`{"checks":[{"name":"` + strings.Repeat("x", mostSaid) + `"}]}`),
			question{What: askReport}, func(a said, err error) bool {
				return err != nil && a.Report == nil && len(err.Error()) < mostWords
			}},
		{"whoever asks is stopped", func(pid int, _ http.ResponseWriter, r *http.Request) {
			unix.Kill(pid, unix.SIGSTOP) //nolint:errcheck // if not stopped, it gets an answer, and the case fails
			<-r.Context().Done()
		}, free, func(_ said, err error) bool {
			return errors.Is(err, context.DeadlineExceeded)
		}},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			l := newLaid(t)
			l.answers(x.agent)
			l.give()
			limit := 20 * time.Second
			if strings.Contains(x.name, "stopped") {
				limit = 2 * time.Second
			}
			ctx, stop := context.WithTimeout(t.Context(), limit)
			defer stop()
			if a, err := l.asker().ask(ctx, x.q); !x.right(a, err) {
				t.Errorf("%+v, %.600v", a, err)
			}
		})
	}
}

// TestRootHearsOfTraps: an update fails at once with a trap in the path, and learns nothing of
// the file behind it.
func TestRootHearsOfTraps(t *testing.T) {
	t.Parallel()
	address := question{What: askAddress, Config: "/nowhere"}
	for _, x := range []struct {
		name string
		lay  func(*laid)
		q    question
		says string // empty for no error
		is   said
	}{
		{"an address", func(l *laid) {
			l.brought(func(path string) error {
				return os.WriteFile(path, []byte("[update]\nurl = \"https://example.com/x\"\n"), 0o600)
			})
		}, address, "", said{Address: "https://example.com/x"}},
		{"no configuration", func(*laid) {}, address, "", said{}},
		{"a link", func(l *laid) { l.brought(func(path string) error { return os.Symlink(l.root, path) }) }, address,
			"the path contains a symbolic link", said{}},
		{"a FIFO", func(l *laid) { l.brought(func(path string) error { return unix.Mkfifo(path, 0o600) }) }, address,
			"no regular file", said{}},
		{"one that is wrong", func(l *laid) {
			l.brought(func(path string) error {
				return os.WriteFile(path, []byte("[update]\nurl = 5 "+rootsWords),
					0o600)
			})
		}, address, "is wrong in line 2", said{}},
		{"a wrong value", func(l *laid) {
			l.brought(func(path string) error {
				return os.WriteFile(path, []byte("[sale]\nlate_payment = \""+rootsWords+"\""), 0o600)
			})
		}, address, "is wrong in line 2", said{}},
		{"no journal", func(*laid) {}, question{What: askSold}, "", said{}},
		{"a journal", func(l *laid) {
			if err := os.WriteFile(filepath.Join(l.data, "payterm.db"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, question{What: askSold}, "", said{Sold: true}},
		{"a journal that is a FIFO", func(l *laid) {
			if err := unix.Mkfifo(filepath.Join(l.data, "payterm.db"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, question{What: askFree}, "no regular file", said{}},
		{"a journal that is none", func(l *laid) {
			if err := os.WriteFile(filepath.Join(l.data, "payterm.db"), []byte(strings.Repeat("rubbish ", 200)),
				0o600); err != nil {
				t.Fatal(err)
			}
		}, question{What: askVerify}, "storage", said{}},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			l := newLaid(t)
			x.lay(l)
			l.give()
			ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
			defer stop()
			a, err := l.asker().ask(ctx, x.q)
			if x.says == "" {
				if err != nil || a != x.is {
					t.Errorf("%+v, %v", a, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), x.says) || strings.Contains(err.Error(), rootsWords) ||
				ctx.Err() != nil {
				t.Errorf("%v, want %q", err, x.says)
			}
		})
	}
}

// TestRootsOwn: root's update neither reads a bundle nor stores anything where another user can
// write.
func TestRootsOwn(t *testing.T) {
	t.Parallel()
	l := newLaid(t)
	bundle := filepath.Join(l.data, "x.raucb")
	if err := os.WriteFile(bundle, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := rootsOwn(bundle); err != nil {
		t.Error(err)
	}
	l.give()
	for _, path := range []string{bundle, l.data} {
		if err := rootsOwn(path); err == nil || !strings.Contains(err.Error(), "can create files") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestRootReadsACopy: a copy of the directory contains the traps too, so it is read with its
// owner's rights; if the owner cannot reach it, the error says so.
func TestRootReadsACopy(t *testing.T) {
	t.Parallel()
	l := newLaid(t)
	l.give()
	if said, _ := l.runs("journal", "list"); !strings.Contains(said, "no such file") {
		t.Errorf("an empty one: %s", said)
	}
	if err := os.Chmod(filepath.Dir(l.data), 0o700); err != nil {
		t.Fatal(err)
	}
	if said, _ := l.runs("journal", "list"); !strings.Contains(said, "belongs to user 12345") ||
		!strings.Contains(said, "chmod o+x") {
		t.Errorf("out of his reach: %s", said)
	}
}

package storage

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"payterm/internal/tooltest"
)

// strace records what SQLite asks of the kernel, in a child process, so that a test can compute
// what a disk holds after a power cut at any moment.

// call is one system call of the child on its directory, or an acknowledgement.
type call struct {
	kind string // write, truncate, sync, create, unlink, said
	name string // of the file; "." for the directory
	off  int64  // of a write; the size of a truncation
	data []byte // of a write
	said string
}

// traced runs the child under strace and returns its calls in order. More strace flags make calls
// fail.
func traced(t *testing.T, dir, mode string, flags ...string) []call {
	t.Helper()
	strace := tooltest.Need(t, "strace")
	out := filepath.Join(scratch(t), "trace")
	args := append([]string{"-f", "-y", "-xx", "-s", "70000", "-o", out,
		"-e", "trace=open,openat,creat,write,writev,pwrite64,pwritev,pwritev2," +
			"fsync,fdatasync,sync_file_range,ftruncate,truncate,fallocate,unlink,unlinkat," +
			"rename,renameat,renameat2,link,linkat"},
		flags...)
	cmd := exec.Command(strace, append(args, os.Args[0])...)
	cmd.Env = childEnv(mode, dir)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the child %q: %v: %s", mode, err, said)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	calls, err := readTrace(f, dir)
	if err != nil {
		t.Fatal(err)
	}
	return calls
}

// childEnv makes the test binary a child. With -race it would otherwise sleep a second at its
// end.
func childEnv(mode, dir string) []string {
	return append(os.Environ(), childMode+"="+mode, childDir+"="+dir, "GORACE=atexit_sleep_ms=0")
}

func readTrace(f *os.File, dir string) ([]call, error) {
	var calls []call
	begun := map[string]string{} // by thread
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		thread, line, _ := strings.Cut(lines.Text(), " ")
		line = strings.TrimLeft(line, " ")
		if before, unfinished := strings.CutSuffix(line, " <unfinished ...>"); unfinished {
			begun[thread] = before
			continue
		}
		if rest, resumed := strings.CutPrefix(line, "<... "); resumed {
			_, rest, _ = strings.Cut(rest, " resumed>")
			line = begun[thread] + rest
		}
		c, ok, err := readCall(line, dir)
		if err != nil {
			return nil, fmt.Errorf("%.300s: %w", line, err)
		}
		if ok {
			calls = append(calls, c)
		}
	}
	return calls, lines.Err()
}

// readCall parses one line of strace; false if it changed nothing on the disk.
func readCall(line, dir string) (call, bool, error) {
	name, rest, found := strings.Cut(line, "(")
	at := strings.LastIndex(rest, ") ")
	if !found || at < 0 {
		return call{}, false, nil // the end of a thread, or a signal
	}
	args := strings.Split(rest[:at], ", ")
	result := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(rest[at+1:]), "="))
	if strings.HasPrefix(result, "-1 ") || strings.HasPrefix(result, "?") {
		return call{}, false, nil
	}
	file, inside := "", false
	for _, arg := range args[:min(2, len(args))] { // a descriptor with its path, or a path
		if f, ok := fileIn(arg, dir); ok {
			file, inside = f, true
		}
	}
	if name == "write" && strings.HasPrefix(args[0], "1<") {
		b, err := unhex(args[1])
		said, acked := strings.CutPrefix(strings.TrimSpace(string(b)), "ack ")
		return call{kind: "said", said: said}, acked, err
	}
	if !inside || strings.HasSuffix(file, "-shm") { // the log's index is rebuilt at each start
		return call{}, false, nil
	}
	switch name {
	case "openat", "open":
		if strings.Contains(line, "O_TRUNC") {
			return call{}, false, fmt.Errorf("not modelled: truncated by opening")
		}
		return call{kind: "create", name: file}, strings.Contains(line, "O_CREAT"), nil
	case "pwrite64":
		data, err := unhex(args[1])
		if err != nil {
			return call{}, false, err
		}
		off, err := strconv.ParseInt(args[3], 10, 64)
		if err == nil && strconv.Itoa(len(data)) != result {
			err = fmt.Errorf("%d bytes of %s are recorded", len(data), result)
		}
		return call{kind: "write", name: file, off: off, data: data}, true, err
	case "ftruncate":
		size, err := strconv.ParseInt(args[1], 10, 64)
		return call{kind: "truncate", name: file, off: size}, true, err
	case "fsync", "fdatasync":
		return call{kind: "sync", name: file}, true, nil
	case "unlink", "unlinkat":
		return call{kind: "unlink", name: file}, true, nil
	}
	return call{}, false, fmt.Errorf("not modelled: %s", name)
}

// fileIn finds a path below dir in an argument such as 5<\x2f...> or "\x2f...".
func fileIn(arg, dir string) (string, bool) {
	if _, path, ok := strings.Cut(arg, "<"); ok {
		arg = path
	}
	b, err := unhex(strings.TrimSuffix(arg, ">"))
	if err != nil {
		return "", false
	}
	file, err := filepath.Rel(dir, string(b))
	return file, err == nil && !strings.HasPrefix(file, "..")
}

// unhex parses \x41\x42, quoted or not.
func unhex(text string) ([]byte, error) {
	return hex.DecodeString(strings.ReplaceAll(strings.Trim(text, `"`), `\x`, ""))
}

// disk is what a directory holds, and which of it survives a power cut.
type disk struct {
	names, durable map[string]*inode
	renamed        []naming // not synced, in order
}

type inode struct {
	durable []byte
	pending []call // not synced, in order
}

type naming struct {
	name string
	file *inode // nil for a name that was removed
}

func newDisk() *disk {
	return &disk{names: map[string]*inode{}, durable: map[string]*inode{}}
}

func (d *disk) apply(c call) {
	file := d.names[c.name]
	switch {
	case c.kind == "create" && file == nil:
		d.name(c.name, &inode{})
	case c.kind == "unlink":
		d.name(c.name, nil)
	case c.kind == "sync" && c.name == ".":
		for _, n := range d.renamed {
			n.apply(d.durable)
		}
		d.renamed = nil
	case c.kind == "sync":
		for _, p := range file.pending {
			file.durable = p.apply(file.durable, nil)
		}
		file.pending = nil
	case c.kind == "write" || c.kind == "truncate":
		file.pending = append(file.pending, c)
	}
}

func (d *disk) name(name string, file *inode) {
	n := naming{name, file}
	n.apply(d.names)
	d.renamed = append(d.renamed, n)
}

func (n naming) apply(names map[string]*inode) {
	if n.file == nil {
		delete(names, n.name)
	} else {
		names[n.name] = n.file
	}
}

const sector = 512

// apply applies a write or a truncation to b; with chance, only some of its sectors.
func (c call) apply(b []byte, chance *rand.Rand) []byte {
	if c.kind == "truncate" {
		return append(b[:min(int64(len(b)), c.off)], make([]byte, max(0, c.off-int64(len(b))))...)
	}
	torn := chance != nil && chance.IntN(2) == 0
	for at := 0; at < len(c.data); {
		end := min(len(c.data), at+sector-int((c.off+int64(at))%sector))
		if !torn || chance.IntN(2) == 0 {
			from, to := c.off+int64(at), c.off+int64(end)
			if grow := to - int64(len(b)); grow > 0 {
				b = append(b, make([]byte, grow)...)
			}
			copy(b[from:to], c.data[at:end])
		}
		at = end
	}
	return b
}

// cut writes what the disk holds after a power cut: all that was synced and, with chance, any
// part of the rest.
func (d *disk) cut(t *testing.T, dir string, chance *rand.Rand) {
	t.Helper()
	names := map[string]*inode{}
	for name, file := range d.durable {
		names[name] = file
	}
	if chance != nil {
		for _, n := range d.renamed[:chance.IntN(len(d.renamed)+1)] { // file systems keep the order of names
			n.apply(names)
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, file := range names {
		b := bytes.Clone(file.durable)
		if n := len(file.pending); chance != nil && n > 0 {
			spoiled := chance.IntN(2 * n) // one of them, or none
			for i, p := range file.pending {
				switch {
				case i != spoiled && spoiled < n:
					b = p.apply(b, nil)
				case chance.IntN(3) > 0:
					b = p.apply(b, chance)
				}
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

package image

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"payterm/internal/tooltest"
)

// slots runs the image's program with a file in place of the partition.
func slots(t *testing.T, env string, args ...string) string {
	t.Helper()
	cmd := exec.Command("tree/usr/lib/payterm/slots", args...)
	cmd.Env = append(os.Environ(), "PAYTERM_ENV="+env)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "failed: " + string(out)
	}
	return strings.TrimSpace(string(out))
}

func partition(t *testing.T) string {
	t.Helper()
	tooltest.Need(t, "fw_setenv")
	env := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(env, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	return env
}

// story runs lines of the form "arguments: expected output" one after the other.
func story(t *testing.T, env string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		words, want, _ := strings.Cut(line, ":")
		if said := slots(t, env, strings.Fields(words)...); !strings.HasPrefix(said, strings.TrimSpace(want)) ||
			want == "" && said != "" {
			t.Errorf("%s: %q, want %q", words, said, want)
		}
	}
}

func TestSlots(t *testing.T) {
	t.Parallel()
	story(t, partition(t),
		"get-primary: A", "trial: none", "get-state A: good", // nothing was written yet
		"set-state B bad:", "get-primary: A", "get-state B: bad", // RAUC before it writes a slot
		"set-primary B:", "get-primary: B", "trial: B", "get-state B: good",
		"set-state A good:", "trial: B", // that A is good says nothing about B
		"set-state B good:", "trial: none", "get-primary: B",
		"set-primary A:", "trial: A", "set-state A bad:", "trial: none", "get-primary: B",
		"set-state B bad:", "get-primary: failed: slots: no slot has a try left",
		"set-state C good: failed", "nonsense: failed")
}

// TestSlotsAreQuick: RAUC calls the program several times for one answer of its own, within 25 s. Starting one
// more program takes half a second on a busy board.
func TestSlotsAreQuick(t *testing.T) {
	env, few := partition(t), t.TempDir()
	for _, program := range []string{"mktemp", "rm", "fw_printenv", "fw_setenv", "sync"} {
		if err := os.Symlink(tooltest.Need(t, program), filepath.Join(few, program)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", few)
	story(t, env, "set-primary B:", "trial: B", "set-state B good:", "get-primary: B", "get-state A: good",
		"trial: none")
}

// TestLockIsRoots: the agent's user, whose sandbox leaves /run/lock writable, cannot put a lock there that
// blocks root's programs, nor a FIFO in its place.
func TestLockIsRoots(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	lock := filepath.Join(root, "run/lock")
	rule, err := filepath.Abs("tree/usr/lib/tmpfiles.d/payterm-lock.conf")
	if err == nil {
		err = errors.Join(os.MkdirAll(lock, 0o700), os.Chmod(lock, 0o777|os.ModeSticky)) // as systemd does
	}
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(tooltest.Need(t, "systemd-tmpfiles"), "--create", "--root="+root,
		rule).CombinedOutput(); err != nil {
		t.Fatalf("systemd-tmpfiles: %v: %s", err, out)
	}
	info, err := os.Stat(lock)
	if err != nil || info.Mode().Perm()&0o022 != 0 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestSlotsSurviveACut: wherever writing a copy is interrupted, the state is the old one or the new one.
func TestSlotsSurviveACut(t *testing.T) {
	t.Parallel()
	env := partition(t)
	story(t, env, "set-primary B:", "set-state B good:")
	before, err := os.ReadFile(env)
	if err != nil {
		t.Fatal(err)
	}
	story(t, env, "set-primary A:")
	after, err := os.ReadFile(env)
	if err != nil {
		t.Fatal(err)
	}
	first, last := 0, len(after)-1
	for before[first] == after[first] {
		first++
	}
	for before[last] == after[last] {
		last--
	}
	olds := 0
	for _, cut := range []int{first, first + 1, first + 4, first + 20, (first + last) / 2, last, last + 1} {
		torn := append(append([]byte{}, after[:cut]...), before[cut:]...)
		if err := os.WriteFile(env, torn, 0o600); err != nil {
			t.Fatal(err)
		}
		switch said := slots(t, env, "get-primary") + " " + slots(t, env, "trial"); said {
		case "B none":
			olds++
		case "A A":
			if cut <= last {
				t.Errorf("cut at %d: new, with a checksum that cannot fit", cut)
			}
		default:
			t.Errorf("cut at %d: %s", cut, said)
		}
	}
	if olds < 5 {
		t.Errorf("%d cuts left the old state", olds)
	}
}

// TestSlotsAreTwins: U-Boot's script and the program keep the same state.
func TestSlotsAreTwins(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("boot.cmd")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile("tree/usr/lib/payterm/slots")
	if err != nil {
		t.Fatal(err)
	}
	_, line, found := strings.Cut(string(script), "setenv state ")
	line, _, _ = strings.Cut(line, "\n")
	if !found || len(strings.Fields(line)) != 5 {
		t.Fatalf("boot.cmd keeps %q", line)
	}
	for _, name := range strings.Fields(line) {
		if !strings.Contains(string(program), `"`+name+`=`) {
			t.Errorf("slots does not write %s", name)
		}
	}
}

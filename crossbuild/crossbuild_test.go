package crossbuild

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"payterm/internal/tooltest"
)

func targets(t *testing.T) []Target {
	t.Helper()
	list, err := Targets()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestMatrix(t *testing.T) {
	var names []string
	for _, target := range targets(t) {
		names = append(names, target.Name)
		if target.GOARCH == "arm" && (target.GOARM == "" || len(target.Attributes) == 0) {
			t.Errorf("%s: a 32-bit target needs GOARM and the attributes that prove it", target.Name)
		}
		if target.CC == "" || target.Emulator == "" || target.CPU == "" || target.Debian == "" {
			t.Errorf("%s: compiler, emulator, processor and package are needed: %+v", target.Name, target)
		}
	}
	if want := []string{"armv5", "armv7", "arm64"}; !slices.Equal(names, want) {
		t.Errorf("targets %q, the contract names %q", names, want)
	}
}

func TestMatrixRefused(t *testing.T) {
	for name, text := range map[string]string{
		"too few fields":  "armv5\tarm\t5\n",
		"an empty field":  "armv5\tarm\t\tcc\tTag\tqemu\tcpu\tarmel\n",
		"spaces for tabs": "armv5 arm 5 cc Tag qemu cpu armel\n",
	} {
		if list, err := parse(text); err == nil {
			t.Errorf("%s: read as %+v", name, list)
		}
	}
}

// TestArtefact checks what `make cross` left behind, and runs it on the lowest
// processor of its target.
func TestArtefact(t *testing.T) {
	for _, target := range targets(t) {
		t.Run(target.Name, func(t *testing.T) {
			path := filepath.Join("..", target.Artefact())
			tooltest.NeedFile(t, path, "make cross")
			wrong, err := target.Check(path)
			if err != nil {
				t.Fatal(err)
			}
			printed, err := exec.Command(tooltest.Need(t, "readelf"), "-A", path).Output()
			if err != nil {
				t.Fatalf("readelf: %v", err)
			}
			for _, w := range append(wrong, target.CheckAttributes(string(printed))...) {
				t.Errorf("%s: %s", path, w)
			}
			said, err := exec.Command(tooltest.Need(t, target.Emulator), "-cpu", target.CPU, path, "version").CombinedOutput()
			if err != nil || !strings.Contains(string(said), "payterm") {
				t.Errorf("on %s: payterm version: %v: %s", target.CPU, err, said)
			}
			program, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			bill, err := os.ReadFile(path + ".cdx.json")
			if err != nil {
				t.Fatal(err)
			}
			if sum := fmt.Sprintf("%x", sha256.Sum256(program)); !bytes.Contains(bill, []byte(sum)) || !bytes.Contains(bill, []byte(`"sqlite"`)) {
				t.Errorf("%s.cdx.json is the bill of another program, or forgets SQLite", path)
			}
			t.Logf("%s: %.1f MB, runs on %s", target.Name, float64(len(program))/1e6, target.CPU)
		})
	}
}

var again = flag.Bool("again", false, "build each target again from another folder and without a cache")

// TestBuiltAgain: another folder and a cold cache give the same bytes. It takes
// minutes; make cross-again runs it right after a build of the same source.
func TestBuiltAgain(t *testing.T) {
	if !*again {
		t.Skip("make cross-again")
	}
	copied := filepath.Join(t.TempDir(), "elsewhere")
	list, err := exec.Command("git", "-C", "..", "ls-files", "-co", "--exclude-standard", "-z").Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join("..", name))
		if errors.Is(err, os.ErrNotExist) {
			continue // deleted, not yet committed
		}
		to := filepath.Join(copied, name)
		if err = errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o755)); err == nil {
			err = os.WriteFile(to, text, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	cache := t.TempDir()
	for _, target := range targets(t) {
		t.Run(target.Name, func(t *testing.T) {
			tooltest.NeedFile(t, filepath.Join("..", target.Artefact()), "make cross")
			cmd := exec.Command(tooltest.Need(t, "make"), "-C", copied, "cross-"+target.Name) // VERSION and the like come from the environment
			cmd.Env = append(os.Environ(), "GOCACHE="+cache)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("make: %v: %s", err, out)
			}
			for _, suffix := range []string{"", ".cdx.json"} {
				one, err := os.ReadFile(filepath.Join("..", target.Artefact()+suffix))
				if err != nil {
					t.Fatal(err)
				}
				two, err := os.ReadFile(filepath.Join(copied, target.Artefact()+suffix))
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(one, two) {
					t.Errorf("%s%s: %x here, %x from elsewhere", target.Artefact(), suffix, sha256.Sum256(one), sha256.Sum256(two))
				}
			}
		})
	}
}

// TestCheckCatches plants what the checks are there for: a program of this
// machine, linked dynamically, and attributes of the wrong processor.
func TestCheckCatches(t *testing.T) {
	this, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range targets(t) {
		stranger := target
		stranger.GOARCH = map[string]string{"arm": "arm64", "arm64": "arm"}[target.GOARCH]
		wrong, err := stranger.Check(this)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(wrong, func(w string) bool { return strings.HasPrefix(w, "machine is") }) {
			t.Errorf("%s: a program of this machine passes: %q", target.Name, wrong)
		}
	}
	const v7 = "File Attributes\n  Tag_CPU_arch: v7\n  Tag_FP_arch: VFPv3\n  Tag_ABI_VFP_args: VFP registers\n"
	const v5 = "File Attributes\n  Tag_CPU_arch: v5TE\n"
	list := targets(t)
	for _, c := range []struct {
		target  Target
		printed string
		wrong   []string
	}{
		{list[0], v5, nil},
		{list[0], v7, []string{"lacks Tag_CPU_arch: v5TE", "has Tag_FP_arch", "has Tag_ABI_VFP_args"}},
		{list[1], v7, nil},
		{list[1], v5, []string{"lacks Tag_CPU_arch: v7", "lacks Tag_ABI_VFP_args: VFP registers"}},
		{list[2], "", nil},
	} {
		if wrong := c.target.CheckAttributes(c.printed); !slices.Equal(wrong, c.wrong) {
			t.Errorf("%s: %q, want %q", c.target.Name, wrong, c.wrong)
		}
	}
}

func TestCheckCatchesDynamic(t *testing.T) {
	dir := t.TempDir()
	source := filepath.Join(dir, "main.c")
	if err := os.WriteFile(source, []byte("int main(void) { return 0; }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	target := targets(t)[0]
	program := filepath.Join(dir, "dynamic")
	if out, err := exec.Command(tooltest.Need(t, target.CC), "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", target.CC, err, out)
	}
	wrong, err := target.Check(program)
	if err != nil {
		t.Fatal(err)
	}
	if len(wrong) != 2 { // PT_INTERP and PT_DYNAMIC
		t.Errorf("a dynamic program: %q", wrong)
	}
}

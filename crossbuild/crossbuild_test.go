package crossbuild

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
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

// TestArtefact checks the programs that `make cross` built, and runs each on the lowest processor of its
// target.
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
			said, err := exec.Command(tooltest.Need(t, target.Emulator), "-cpu", target.CPU, path,
				"version").CombinedOutput()
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
			listed, err := exec.Command(tooltest.Need(t, "go"), "version", "-m", path).Output()
			if err != nil {
				t.Fatalf("go version -m: %v", err)
			}
			for _, w := range wrongBill(bill, program, string(listed)) {
				t.Errorf("%s.cdx.json %s", path, w)
			}
			t.Logf("%s: %.1f MB, runs on %s", target.Name, float64(len(program))/1e6, target.CPU)
		})
	}
}

// wrongBill compares a bill of materials with the program and with the output of go version -m.
func wrongBill(bill, program []byte, listed string) (wrong []string) {
	var b struct {
		Metadata struct {
			Component struct {
				Hashes []struct{ Content string }
			}
		}
		Components []struct{ Name, Version, PURL string }
	}
	if err := json.Unmarshal(bill, &b); err != nil {
		return []string{err.Error()}
	}
	if h := b.Metadata.Component.Hashes; len(h) != 1 || h[0].Content != fmt.Sprintf("%x", sha256.Sum256(program)) {
		wrong = append(wrong, "is another program's")
	}
	missing := map[string]bool{"sqlite": true, "glibc": true, "libgcc": true}
	for line := range strings.Lines(listed) {
		switch f := strings.Fields(line); {
		case len(f) >= 3 && f[0] == "dep":
			missing[f[1]+"@"+f[2]] = true
		case len(f) == 2 && strings.HasPrefix(f[1], "go1"):
			missing["std@"+strings.TrimPrefix(f[1], "go")] = true
		}
	}
	for _, c := range b.Components {
		name := c.Name
		if strings.HasPrefix(c.PURL, "pkg:golang/") {
			name += "@" + c.Version
		}
		if !missing[name] {
			wrong = append(wrong, "has "+name+", of which the program knows nothing")
		}
		delete(missing, name)
	}
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		wrong = append(wrong, "lacks "+name)
	}
	return wrong
}

func TestWrongBillCatches(t *testing.T) {
	const listed = "payterm: go1.26.8\n\tpath\tpayterm/cmd/payterm\n\tdep\texample.com/a\tv1.0.0\th1:x\n\tbuild\tGOOS=linux\n"
	program := []byte("program")
	good := fmt.Sprintf(`{"metadata":{"component":{"hashes":[{"content":"%x"}]}},"components":[{"name":"std","version":"1.26.8","purl":"pkg:golang/std@1.26.8"},`+
		`{"name":"example.com/a","version":"v1.0.0","purl":"pkg:golang/example.com/a@v1.0.0"},{"name":"sqlite","version":"3"},{"name":"glibc","version":"2"},{"name":"libgcc","version":"12"}]}`, sha256.Sum256(program))
	if wrong := wrongBill([]byte(good), program, listed); len(wrong) > 0 {
		t.Fatalf("a good bill %q", wrong)
	}
	for old, other := range map[string]string{"1.26.8": "1.26.7", `"example.com/a"`: `"example.com/b"`,
		"v1.0.0": "v1.0.1", "sqlite": "sqlite2", `{"name":"glibc","version":"2"},`: "", "content": "no"} {
		if bad := strings.ReplaceAll(good, old, other); bad == good ||
			len(wrongBill([]byte(bad), program, listed)) == 0 {
			t.Errorf("a bill with %q for %q passes", other, old)
		}
	}
	if len(wrongBill([]byte(good), []byte("another"), listed)) == 0 {
		t.Error("the bill of another program passes")
	}
}

var again = flag.Bool("again", false, "build each target again from another folder and without a cache")

// TestBuiltAgain: another directory and an empty cache give the same bytes. It takes minutes; make cross-again
// runs it right after a build of the same source.
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
			// VERSION and the like come from the environment
			cmd := exec.Command(tooltest.Need(t, "make"), "-C", copied, "cross-"+target.Name)
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
					t.Errorf("%s%s: %x here, %x from elsewhere", target.Artefact(), suffix, sha256.Sum256(one),
						sha256.Sum256(two))
				}
			}
		})
	}
}

// TestCheckCatches plants what the checks must find: a program of this machine, linked dynamically, and
// attributes of the wrong processor.
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

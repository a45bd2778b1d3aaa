package crossbuild

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"payterm/internal/tooltest"
)

// TestVersion: a tag counts; without one, the file VERSION and the commit; without a repository, the file
// alone.
func TestVersion(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "payterm")
	if err := os.MkdirAll(filepath.Join(dir, "crossbuild"), 0o700); err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("version")
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, text []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write("VERSION", []byte("0.4.2\n"))
	write("crossbuild/version", script)
	version := func(want string) {
		t.Helper()
		got, err := exec.Command(filepath.Join(dir, "crossbuild/version")).CombinedOutput()
		if err != nil || !regexp.MustCompile("^"+want+"\n$").Match(got) {
			t.Errorf("version %q, %v; want %s", got, err, want)
		}
	}
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command(tooltest.Need(t, "git"), args...)
		cmd.Dir = dir
		for _, kind := range []string{"AUTHOR", "COMMITTER"} {
			cmd.Env = append(cmd.Env, "GIT_"+kind+"_NAME=T", "GIT_"+kind+"_EMAIL=t@example.com")
		}
		cmd.Env = append(cmd.Env, "PATH="+os.Getenv("PATH"), "HOME="+dir, "GIT_CONFIG_NOSYSTEM=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
	version(`0\.4\.2`)
	git("init", "-q")
	version(`0\.4\.2\+unborn`)
	git("add", "VERSION", "crossbuild")
	git("commit", "-q", "-m", "first")
	version(`0\.4\.2\+[0-9a-f]{7,}`)
	write("VERSION", []byte("0.5.0\n"))
	version(`0\.5\.0\+[0-9a-f]{7,}-dirty`)
	git("tag", "release") // not a version
	version(`0\.5\.0\+[0-9a-f]{7,}-dirty`)
	git("commit", "-q", "-a", "-m", "second")
	git("tag", "v0.5.0")
	version(`v0\.5\.0`)
	git("commit", "-q", "--allow-empty", "-m", "third")
	version(`v0\.5\.0-1-g[0-9a-f]{7,}`)
}

// TestChangelog: the number in VERSION has a section.
func TestChangelog(t *testing.T) {
	t.Parallel()
	number, err := os.ReadFile("../VERSION")
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile("../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := "\n## [" + strings.TrimSpace(string(number)) + "] - 2"; !strings.Contains(string(log), want) {
		t.Errorf("CHANGELOG.md has no section %q", want)
	}
}

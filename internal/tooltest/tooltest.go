// Package tooltest finds the tools that a test needs. If a tool is missing, the test is skipped with a line
// that names it; in CI (CI=true), where everything has to run, the test fails. Only tests import it.
package tooltest

import (
	"os"
	"os/exec"
	"testing"
)

// Need returns the path of a program that the test needs.
func Need(t testing.TB, tool string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		Missing(t, tool, "make tools")
	}
	return path
}

// NeedFile checks for a file that another make target builds.
func NeedFile(t testing.TB, path, word string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		Missing(t, path, word)
	}
}

// Missing ends the test because a thing is missing that the given make target provides: a skip, or a failure if
// CI=true.
func Missing(t testing.TB, thing, word string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: %s (a skip is a failure with CI=true)", thing, word)
	}
	t.Skipf("%s is missing: %s", thing, word)
}

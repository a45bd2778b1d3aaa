// Package tooltest says how a test asks for a tool of the machine, so that at
// the desk it is skipped with a line that names the tool, and in CI, where
// everything has to run, it fails. Only tests import it.
package tooltest

import (
	"os"
	"os/exec"
	"testing"
)

// Need finds a program that the test cannot do without and returns its path.
func Need(t testing.TB, tool string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		Missing(t, tool, "make tools")
	}
	return path
}

// NeedFile finds a file that another word of make leaves behind.
func NeedFile(t testing.TB, path, word string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		Missing(t, path, word)
	}
}

// Missing ends the test for want of a thing that the given word provides: a skip
// at the desk, a failure with CI=true.
func Missing(t testing.TB, thing, word string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: %s (a skip is a failure with CI=true)", thing, word)
	}
	t.Skipf("%s is missing: %s", thing, word)
}

package crash

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCrashIsKept: the report of a process that panicked is found by the next one, and only the last few are
// kept.
func TestCrashIsKept(t *testing.T) {
	const child = "PAYTERM_TEST_CRASH_IN"
	if dir := os.Getenv(child); dir != "" {
		if err := Keep(dir); err != nil {
			os.Exit(0) // the parent reports this as a failure
		}
		go func() { panic("CANARY of a goroutine") }()
		select {}
	}
	dir := t.TempDir()
	for i := range kept + 3 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashIsKept$")
		cmd.Env = append(os.Environ(), child+"="+dir)
		if err := cmd.Run(); err == nil {
			t.Fatal("the child lives")
		}
		if i == 0 {
			text, err := os.ReadFile(filepath.Join(dir, Now))
			if err != nil || !bytes.Contains(text, []byte("CANARY of a goroutine")) ||
				!bytes.Contains(text, []byte("crash_test.go")) {
				t.Fatalf("%s %v", text, err)
			}
		}
	}
	if err := Keep(dir); err != nil {
		t.Fatal(err)
	}
	names, err := Reports(dir)
	if err != nil || len(names) != kept || !strings.HasPrefix(names[0], fmt.Sprintf("%06d", 4)) {
		t.Errorf("kept %v %v", names, err)
	}
}

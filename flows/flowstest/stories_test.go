package flowstest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStories plays testdata/flows/*.txt. After an intended change of behaviour `go test
// ./flows/flowstest -run Stories -update` rewrites the output; commit only differences that you
// can explain.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("../../testdata/flows/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			kept, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			told, err := Tell(string(kept))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if told == string(kept) {
				return
			}
			if *update {
				if err := os.WriteFile(file, []byte(told), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			at, want, got := difference(string(kept), told)
			t.Errorf("%s:%d: the story says\n\t%s\nand the machines say\n\t%s", file, at, want, got)
		})
	}
}

// difference is the first line that differs.
func difference(kept, told string) (line int, want, got string) {
	a, b := strings.Split(kept, "\n"), strings.Split(told, "\n")
	for i := range max(len(a), len(b)) {
		want, got = "(nothing)", "(nothing)"
		if i < len(a) {
			want = a[i]
		}
		if i < len(b) {
			got = b[i]
		}
		if want != got {
			return i + 1, want, got
		}
	}
	return 0, "", ""
}

// TestStoryDiffers: a wrong output line is found, and so is a line that cannot be played.
func TestStoryDiffers(t *testing.T) {
	const story = "= a sale\n> sale passive 1.00\n    0s sale began: Fresh -> Closed\n"
	told, err := Tell(story)
	if err != nil {
		t.Fatal(err)
	}
	if line, _, got := difference(story, told); line != 3 || !strings.Contains(got, "Fresh -> Scanning") {
		t.Errorf("line %d differs: %q", line, got)
	}
	for _, line := range []string{"> payment paid 1.00", "> sing", "> @2 cancel", "> +x wait", "> key 1",
		"> sale passive 1.2"} {
		if _, err := Tell(story + line + "\n"); err == nil || !strings.HasPrefix(err.Error(), "line 4: ") {
			t.Errorf("%s: %v", line, err)
		}
	}
}

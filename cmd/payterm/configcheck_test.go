package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// TestConfigCheck: each mistake has its place, and --strict refuses what run would.
func TestConfigCheck(t *testing.T) {
	t.Parallel()
	wrong, bare := filepath.Join(t.TempDir(), "wrong.toml"), filepath.Join(t.TempDir(), "bare.toml")
	write(t, wrong, "[terminal]\nboard = 7\ncolour = \"red\"\n")
	write(t, bare, "[terminal]\nid = \"T1\"\nboard = \"no-such-board\"\n[merchant]\nname = \"Tea\"\n")
	type answer struct {
		OK       bool
		Problems []struct {
			File, Key, Text string
			Line            int
		}
		Missing []string
	}
	check := func(args ...string) (a answer, complaint string, err error) {
		out, complaint, err := ran(t, "", append([]string{"config", "check", "--json"}, args...)...)
		if e := json.Unmarshal([]byte(out), &a); e != nil {
			t.Fatalf("%v: %v: %q", args, e, out)
		}
		return a, complaint, err
	}
	a, complaint, err := check(wrong)
	if err == nil || a.OK || len(a.Problems) != 2 || a.Problems[0].Line != 2 || a.Problems[0].Key != "terminal.board" ||
		a.Problems[1].Line != 3 || a.Problems[1].Key != "terminal.colour" || strings.Count(complaint, "\n") != 2 {
		t.Errorf("%v: %+v\n%s", err, a, complaint)
	}
	if a, complaint, err = check(bare); err != nil || !a.OK || len(a.Problems) != 0 {
		t.Errorf("%v: %+v\n%s", err, a, complaint)
	}
	if a, complaint, err = check("--strict", bare); err == nil || a.OK ||
		!strings.Contains(complaint, bare+":3: terminal.board: \"no-such-board\": no board of this name") || !strings.Contains(complaint, "gateway.sign_key_file") {
		t.Errorf("%v: %+v\n%s", err, a, complaint)
	}
	write(t, bare, "[terminal]\nid = \"T1\"\nboard = \"only.toml\"\n")
	if _, complaint, err = check("--strict", bare); err == nil || !strings.Contains(complaint,
		bare+":3: terminal.board: there is no file "+filepath.Join(filepath.Dir(bare), "only.toml")+";") {
		t.Errorf("%v: %s", err, complaint)
	}
	absent := filepath.Join(t.TempDir(), "absent.toml")
	if _, complaint, err := ran(t, "", "run", "--config", absent); err == nil ||
		!strings.Contains(complaint, absent+": no such file") {
		t.Errorf("run with a file that is not there: %v: %s", err, complaint)
	}
}

package flowstest

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
)

var (
	seeds = flag.Int("seeds", 100, "how many random worlds TestSeeds lives through")
	seed  = flag.Uint64("seed", 0, "live through this one only, and tell its story")
)

// scratch is a directory for databases, in memory where the machine has such a
// place: power failures of the disk itself are storage's tests.
func scratch(t *testing.T) string {
	if dir, err := os.MkdirTemp("/dev/shm", "payterm-sim"); err == nil {
		t.Cleanup(func() { os.RemoveAll(dir) })
		return dir
	}
	return t.TempDir()
}

// simulate lets a plan happen in a world of its own.
func simulate(t *testing.T, c SimConfig, p Plan) (s *Sim, found []Violation) {
	t.Helper()
	dir, err := os.MkdirTemp(c.Dir, "world")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	c.Dir = dir
	synctest.Test(t, func(t *testing.T) {
		s, err = NewSim(c)
		if err == nil {
			found, err = s.Play(p)
		}
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, s.Story())
	}
	return s, found
}

func configOf(seed uint64, dir string) SimConfig {
	return SimConfig{Dir: dir, Seed: seed, KeepLate: seed%7 == 0, PIN: seed%3 == 0}
}

// TestSeeds lives through random worlds.
func TestSeeds(t *testing.T) {
	dir := scratch(t)
	if *seed != 0 {
		s, found := simulate(t, configOf(*seed, dir), RandomPlan(*seed, 14))
		fmt.Print(s.Story())
		report(t, found)
		return
	}
	for n := uint64(1); n <= uint64(*seeds); n++ {
		s, found := simulate(t, configOf(n, dir), RandomPlan(n, 14))
		if len(found) > 0 {
			t.Errorf("seed %d: %s", n, found[0])
			t.Logf("%s", s.Story())
			return
		}
	}
}

func report(t *testing.T, found []Violation) {
	t.Helper()
	for _, v := range found {
		t.Errorf("%s", v)
	}
}

// String is the promise and how it was broken.
func (v Violation) String() string { return v.Check + ": " + v.Text }

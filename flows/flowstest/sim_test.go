package flowstest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var (
	seeds  = flag.Int("seeds", 100, "how many random worlds TestSeeds lives through")
	first  = flag.Uint64("first", 1, "the first of them")
	seed   = flag.Uint64("seed", 0, "live through this one only, and tell its story")
	bugged = flag.Bool("bugged", false,
		"this binary has a planted bug: end at the first violation, and tell no story")
	survey = flag.Bool("survey", false,
		"live through all worlds, and tell in one line each which promises were broken")
	progress = flag.Bool("progress", false, "say now and then how far it is")
	plan     = flag.String("plan", "", "a file with a plan to play in the world of -seed, in place of the random one")
)

// longestPlan is the most scenes of a random plan.
const longestPlan = 30

// scratch is a directory for databases, in memory if possible: power failures of the disk itself
// are tested in storage. A binary with a bug gets one from its caller.
func scratch(t *testing.T) string {
	if *bugged {
		return t.TempDir()
	}
	if dir, err := os.MkdirTemp("/dev/shm", "payterm-sim"); err == nil {
		t.Cleanup(func() { os.RemoveAll(dir) })
		return dir
	}
	return t.TempDir()
}

// tally counts what has been played.
type tally struct {
	worlds, lives, kills, boundaries atomic.Int64
	seconds                          atomic.Int64
}

func (n *tally) String() string {
	return fmt.Sprintf("%d worlds, %d lives of the terminal, %d of them killed, %d boundaries, %d virtual hours",
		n.worlds.Load(), n.lives.Load(), n.kills.Load(), n.boundaries.Load(), n.seconds.Load()/3600)
}

var lived tally

// blank is the empty journal that all worlds copy.
var blank = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "payterm-blank")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "blank.db")
	return path, MakeBlank(path)
})

// TestMain removes the empty journal.
func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if path, err := blank(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// simulate plays a plan in a world of its own.
func simulate(t *testing.T, c SimConfig, p Plan) (s *Sim, found []Violation) {
	t.Helper()
	dir, err := os.MkdirTemp(c.Dir, "world")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	c.Dir = dir
	if *bugged {
		c.OnViolation = func(v Violation) { reportBug(c.Seed, v) }
	}
	if c.Blank, err = blank(); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s, err = NewSim(c)
		if err == nil {
			found, err = s.Play(p)
		}
		lived.seconds.Add(int64(s.Hours() * 3600))
	})
	lived.worlds.Add(1)
	lived.lives.Add(int64(s.Lives()))
	lived.kills.Add(int64(s.Kills))
	lived.boundaries.Add(int64(s.Boundaries))
	if err != nil {
		t.Fatalf("%v\n%s", err, s.Story())
	}
	return s, found
}

// reportBug ends a binary with a bug at its first violation: what it does afterwards may not end.
func reportBug(seed uint64, v Violation) {
	fmt.Printf("world %d: VIOLATED %s\n", seed, v)
	os.Exit(1)
}

func configOf(seed uint64, dir string) SimConfig {
	return SimConfig{Dir: dir, Seed: seed, KeepLate: seed%7 == 0, PIN: seed%3 == 0,
		Keep: time.Duration(seed%4) * time.Hour}
}

// TestSeeds plays random worlds.
func TestSeeds(t *testing.T) {
	dir := scratch(t)
	if *seed != 0 {
		retell(t, dir)
		return
	}
	var stop atomic.Bool
	if *progress {
		t.Cleanup(printProgress()) // the worlds run after this function
	}
	count := *seeds
	if testing.Short() {
		count = min(count, 20)
	}
	workers := uint64(runtime.GOMAXPROCS(0))
	t.Cleanup(func() { fmt.Println(lived.String()) })
	for w := range workers {
		t.Run(fmt.Sprint("worker ", w), func(t *testing.T) {
			t.Parallel()
			for n := *first + w; n < *first+uint64(count) && !stop.Load(); n += workers {
				p := RandomPlan(n, longestPlan)
				_, found := simulate(t, configOf(n, dir), p)
				if len(found) == 0 {
					continue
				}
				if *survey {
					t.Errorf("seed %d: %s", n, summary(found))
					continue
				}
				stop.Store(true)
				fail(t, dir, n, p, found[0])
				return
			}
		})
	}
}

// TestDays plays days of a shop with sales, refunds and Zs.
func TestDays(t *testing.T) {
	dir := scratch(t)
	count := uint64(40)
	if testing.Short() {
		count = 10
	}
	workers := uint64(runtime.GOMAXPROCS(0))
	var stop atomic.Bool
	for w := range workers {
		t.Run(fmt.Sprint("worker ", w), func(t *testing.T) {
			t.Parallel()
			for n := 1 + w; n <= count && !stop.Load(); n += workers {
				s, found := simulate(t, SimConfig{Dir: dir, Seed: n, KeepLate: n%7 == 0, PIN: n%3 == 0,
					Keep: time.Duration(n%3) * 6 * time.Hour}, DayPlan(n))
				if len(found) == 0 {
					continue
				}
				stop.Store(true)
				t.Errorf("days %d: %s\n%s\n%s", n, found[0], DayPlan(n), s.Story())
			}
		})
	}
}

// summary is the first violation of each check, in one line.
func summary(found []Violation) string {
	var lines []string
	seen := map[string]bool{}
	for _, v := range found {
		if !seen[v.Check] {
			seen[v.Check] = true
			lines = append(lines, v.String())
		}
	}
	return strings.Join(lines, " | ")
}

// printProgress prints the progress every few seconds until stop is called.
func printProgress() (stop func()) {
	end := make(chan struct{})
	go func() {
		for t := time.NewTicker(10 * time.Second); ; {
			select {
			case <-t.C:
				fmt.Fprintln(os.Stderr, lived.String())
			case <-end:
				t.Stop()
				return
			}
		}
	}()
	return func() { close(end) }
}

// retell plays one world and prints its log.
func retell(t *testing.T, dir string) {
	p := RandomPlan(*seed, longestPlan)
	if *plan != "" {
		text, err := os.ReadFile(*plan)
		if err != nil {
			t.Fatal(err)
		}
		if p, err = ParsePlan(string(text)); err != nil {
			t.Fatal(err)
		}
	}
	s, found := simulate(t, configOf(*seed, dir), p)
	fmt.Print(s.Story())
	for _, v := range found {
		t.Errorf("%s", v)
	}
}

// fail reports a violation with the shortest plan that still has it, and how to reproduce it.
func fail(t *testing.T, dir string, n uint64, p Plan, v Violation) {
	t.Helper()
	short := shrink(t, dir, n, p, v.Check)
	s, _ := simulate(t, configOf(n, dir), short)
	t.Errorf("seed %d: %s\nto see it again: make sim SEED=%d\n\n"+
		"the shortest plan that gives it (of %d acts; make sim SEED=%d PLAN=FILE plays it):\n%s\nthe story:\n%s",
		n, v, n, len(p), n, short, s.Story())
}

// shrink removes the acts that the violation does not need.
func shrink(t *testing.T, dir string, n uint64, p Plan, check string) Plan {
	t.Helper()
	still := func(q Plan) bool {
		_, found := simulate(t, configOf(n, dir), q)
		for _, v := range found {
			if v.Check == check {
				return true
			}
		}
		return false
	}
	began := time.Now()
	for size := len(p) / 2; size >= 1; size /= 2 {
		for i := 0; i+size <= len(p) && time.Since(began) < 30*time.Second; {
			var q Plan
			q = append(q, p[:i]...)
			rest := append(Plan{}, p[i+size:]...)
			if len(rest) > 0 { // keep the time that passed
				for _, gone := range p[i : i+size] {
					rest[0].After += gone.After
				}
			}
			q = append(q, rest...)
			if still(q) {
				p = q
			} else {
				i += size
			}
		}
	}
	return p
}

// doubt is a plan that leaves a payment in doubt.
const doubt = "1s net reset_in_request pay 1\n0s net refused query 4\n" +
	"0s passive 12.34 ALIPAY ok\n20s key CANCEL CLEAR\n"

// sweeps are the plans of the kill sweep: each kind of sale with what can happen to it. An hour
// follows each.
var sweeps = []struct{ name, plan string }{
	{"passive approved", "1s passive 12.34 ALIPAY ok"},
	{"passive, password typed", "1s passive 12.34 WECHATPAY password 8s"},
	{"passive, password never typed", "1s passive 12.34 ALIPAY password 170s\n100s key CANCEL"},
	{"passive, no money", "1s passive 12.34 ALIPAY poor"},
	{"passive, code expired", "1s passive 12.34 ALIPAY expired"},
	{"passive, code used", "1s passive 12.34 ALIPAY ok\n10s passive 12.34 ALIPAY used"},
	{"passive, reply lost", "1s net lost_after pay 1\n1s passive 12.34 ALIPAY ok"},
	{"passive, request lost", "1s net lost_before pay 1\n1s passive 12.34 ALIPAY ok"},
	{"passive, cut off for a while", "1s cut 20s\n1s passive 12.34 ALIPAY ok"},
	{"passive, dark for long", "1s net lost_after pay 1\n1s passive 12.34 ALIPAY ok\n16s cut 20m"},
	{"passive, cancelled while waiting", "1s net lost_after pay 1\n1s passive 12.34 ALIPAY ok\n30s key CANCEL"},
	{"passive, id known", "1s net duplicated pay 1\n1s passive 12.34 ALIPAY ok"},
	{"passive, refused and paid", "1s net code:AUTH_CODE_INVALID pay 1\n1s passive 12.34 ALIPAY ok"},
	{"active paid", "1s active 12.34 ok 10s"},
	{"active declined", "1s active 12.34 decline 10s"},
	{"active, cancelled and paid late", "1s active 12.34 ok 40s\n20s key CANCEL"},
	{"active, never paid", "1s active 12.34 never\n140s key CANCEL"},
	{"active, reply lost", "1s net lost_after pay 1\n1s active 12.34 ok 10s"},
	{"a second sale of the amount",
		"1s net lost_before pay 1\n1s passive 12.34 ALIPAY ok\n80s passive 12.34 ALIPAY ok"},
	{"a till with a key", "1s api passive 12.34 K1\n30s api passive 12.34 K1"},
	{"refunded in two parts", "1s passive 12.34 ALIPAY ok\n10s refund 5.00\n20s refund all\n20s refund 1.00"},
	{"refund, reply lost", "1s passive 12.34 ALIPAY ok\n10s net lost_after refund 1\n1s refund 5.00"},
	{"refund, request lost", "1s passive 12.34 ALIPAY ok\n10s net lost_before refund 1\n1s refund 5.00\n100s refund 1.00"},
	{"refund, cut off", "1s passive 12.34 ALIPAY ok\n10s cut 90s\n1s refund 5.00"},
	{"slips once more", "1s active 12.34 ok 5s\n20s key F2 F2"},
	{"a doubt resolved", "1s net lost_before pay 1\n1s passive 12.34 ALIPAY ok\n90s resolve\n5s ask"},
	// Found by attacks (attacks_test.go).
	{"a till that retries at a prompt", "1s passive 12.34 ALIPAY ok\n5s refund 5.00 K1\n1s retry K1\n15s retry K1"},
	{"a till that dies", "1s api passive 12.34 K1 dies 1s\n2s retry K1\n2s retry K1 13.00"},
	{"refund, an old reply about the sale",
		"1s passive 12.34 ALIPAY ok\n5s refund 5.00\n8s net old query 1\n0s net reset_in_request refund 1\n" +
			"1s refund 5.00\n20s key CANCEL"},
	{"a doubt, a boot with a clock set forward, the amount again",
		doubt + "1s clockat 2 25h\n0s kill 5s\n5s passive 12.34 ALIPAY never\n4s key CANCEL CANCEL"},
	{"a doubt that cannot be read, the amount again",
		doubt + "1s damage\n5s passive 12.34 ALIPAY never\n4s key CANCEL CANCEL"},
}

// TestKillSweep ends the process at the first boundary of a plan, then at the second, and so on
// to the last.
func TestKillSweep(t *testing.T) {
	dir := scratch(t)
	t.Cleanup(func() { t.Log(lived.String()) })
	for i, sweep := range sweeps {
		t.Run(sweep.name, func(t *testing.T) {
			t.Parallel()
			p, err := ParsePlan(sweep.plan)
			if err != nil {
				t.Fatal(err)
			}
			step := 1
			if testing.Short() {
				step = 9
			}
			for k := 0; ; k += step {
				c := configOf(uint64(i+1), dir)
				c.DieAt, c.Keep = k, 0 // there is no Z, and retention takes long
				s, found := simulate(t, c, p)
				if len(found) > 0 {
					t.Fatalf("death at boundary %d: %s\n%s", k, found[0], s.Story())
				}
				if k == 0 { // without a power cut: the plan does what its name says
					looksLike(t, sweep.name, s)
				}
				if k > s.Boundaries {
					break // the plan has fewer boundaries
				}
			}
		})
	}
}

// TestFullDisk fills the disk at the first commit of a plan, then at the second, and so on: for a
// while, and until a power cut, at once or after retries, while answers are kept in memory.
func TestFullDisk(t *testing.T) {
	dir := scratch(t)
	for i, sweep := range sweeps {
		t.Run(sweep.name, func(t *testing.T) {
			t.Parallel()
			for _, act := range []string{"0s full %d 20s", "0s full %d 1h 1", "0s full %d 1h 4", "0s full %d 1h 9"} {
				for k := 1; ; k++ {
					p, err := ParsePlan(fmt.Sprintf(act, k) + "\n" + sweep.plan)
					if err != nil {
						t.Fatal(err)
					}
					c := configOf(uint64(i+1), dir)
					c.Keep = 0 // as above
					s, found := simulate(t, c, p)
					if len(found) > 0 {
						t.Fatalf("%s: %s\n%s", p[0], found[0], s.Story())
					}
					if s.Full == 0 {
						break // the plan has fewer commits
					}
				}
			}
		})
	}
}

// looksLike checks that a plan still does what its name says.
func looksLike(t *testing.T, name string, s *Sim) {
	t.Helper()
	want := map[string]string{
		"passive approved": "payment_answered: approved", "passive, password typed": "inquiry_answered: approved",
		"passive, password never typed": "in_doubt no_answer", "passive, no money": "declined wallet",
		"passive, code expired": "declined code_invalid", "passive, code used": "hint used_code",
		"passive, reply lost": "inquiry_answered: approved", "passive, request lost": "in_doubt no_answer",
		"passive, cut off for a while": "ended: unsent", "passive, dark for long": "approved late_payment",
		"passive, cancelled while waiting": "approved", "passive, id known": "ended: clash",
		"passive, refused and paid": "ended: refused", "active paid": "inquiry_answered: approved",
		"active declined": "declined wallet", "active, cancelled and paid late": "approved late_payment",
		"active, never paid": "in_doubt not_paid", "active, reply lost": "not_sent no_code",
		"a second sale of the amount": "shows warning", "a till with a key": "approved",
		"a doubt resolved":      "resolved: in_doubt",
		"refunded in two parts": "refunded 7.34", "refund, reply lost": "refund_ended",
		"refund, request lost": "because no_answer",
		"refund, cut off":      "because no_connection", "slips once more": "reprint_asked",
		"a till that retries at a prompt": "refund_ended", "a till that dies": "> 2s retry K1 13.00",
		"refund, an old reply about the sale":                        "meets old",
		"a doubt, a boot with a clock set forward, the amount again": "is 25h0m0s off",
		"a doubt that cannot be read, the amount again":              "cannot read",
	}[name]
	if want == "" || !strings.Contains(s.Story(), want) {
		t.Errorf("the plan does not lead to %q:\n%s", want, s.Story())
	}
}

// String is the promise and how it was broken.
func (v Violation) String() string { return v.Check + ": " + v.Text }

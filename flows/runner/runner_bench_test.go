package runner

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/internal/tooltest"
)

// BenchmarkPassiveSale is a whole sale with the loop, the flows and a journal on disk: amount,
// scan, payment, result, slips. The gateway answers at once; nothing is drawn or printed.
func BenchmarkPassiveSale(b *testing.B) {
	w := newWorld(b)
	journal := &counting{Journal: w.r.c.Journal}
	w.r.c.Journal = journal
	sales := 0
	for b.Loop() {
		w.answers = append(w.answers, paid)
		w.scanSale(fmt.Sprintf("28%02d0000000000%04d", sales/10_000, sales%10_000))
		w.run(time.Second)
		w.screens, w.slips, w.sent = w.screens[:0], w.slips[:0], w.sent[:0]
		sales++
	}
	b.ReportMetric(float64(sales)/b.Elapsed().Seconds(), "sales/s")
	b.ReportMetric(float64(journal.commits)/float64(sales), "commits/sale")
	orders, err := w.store.Orders()
	if err != nil || len(orders) != sales {
		b.Fatalf("%d orders of %d sales, %v", len(orders), sales, err)
	}
	for _, o := range orders {
		if o.Outcome != payterm.Approved {
			b.Fatalf("order %s: %s %s", o.ID, o.Outcome, o.Reason)
		}
	}
}

// counting counts the commits.
type counting struct {
	Journal
	commits int
}

func (j *counting) Commit(entries ...payterm.Entry) error {
	j.commits++
	return j.Journal.Commit(entries...)
}

// BenchmarkSyncs counts the disk syncs of a sale with strace, in a process of its own: many sales
// minus a few, so that opening and closing cancel out. It must be one per commit up to SQLite's
// first checkpoint (1000 pages), and a little more with checkpoints.
func BenchmarkSyncs(b *testing.B) {
	strace := tooltest.Need(b, "strace")
	b.ReportMetric(0, "ns/op")
	for _, c := range []struct {
		few, many int
		unit      string
	}{{5, 35, "syncs/commit"}, {5, 1005, "syncs/commit-with-checkpoints"}} {
		syncsFew, commitsFew := syncs(b, strace, c.few)
		syncsMany, commitsMany := syncs(b, strace, c.many)
		b.ReportMetric((syncsMany-syncsFew)/(commitsMany-commitsFew), c.unit)
	}
}

var (
	syncCall       = regexp.MustCompile(`(?m)^\d+ +(fsync|fdatasync|sync_file_range|syncfs|sync|msync)\(`)
	commitsPerSale = regexp.MustCompile(`(\S+) commits/sale`)
)

// syncs makes this many sales in a process of its own.
func syncs(b *testing.B, strace string, sales int) (syncs, commits float64) {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	trace := filepath.Join(b.TempDir(), "trace")
	out, err := exec.CommandContext(b.Context(), strace, "-f", "-qq", "-o", trace, "-e",
		"trace=fsync,fdatasync,sync_file_range,syncfs,sync,msync",
		self, "-test.run=^$", "-test.bench=^BenchmarkPassiveSale$", "-test.timeout=1m", "-test.benchtime="+
			strconv.Itoa(sales)+"x").CombinedOutput()
	if err != nil {
		b.Fatalf("strace: %v: %s", err, out)
	}
	calls, err := os.ReadFile(trace)
	if err != nil {
		b.Fatal(err)
	}
	found := commitsPerSale.FindStringSubmatch(strings.ReplaceAll(string(out), "\t", " "))
	if found == nil {
		b.Fatalf("the sales under strace: %s", out)
	}
	perSale, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		b.Fatal(err)
	}
	return float64(len(syncCall.FindAll(calls, -1))), perSale * float64(sales)
}

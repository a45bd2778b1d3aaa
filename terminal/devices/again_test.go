package devices

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"payterm"
	"payterm/board"
	"payterm/hal/emulated"
)

// never is how long a test waits for what must come. A machine with other work takes long; nothing is measured.
const never = 2 * time.Minute

// teller hears of slips, and of nothing else.
type teller struct {
	Owner
	mu            sync.Mutex
	printed, lost []string
	paper         payterm.PaperCondition
}

func (o *teller) Printed(r payterm.Receipt) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.printed = append(o.printed, r.Name)
}

func (o *teller) Lost(r payterm.Receipt) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lost = append(o.lost, r.Name)
}

func (o *teller) Paper(c payterm.PaperCondition) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.paper = c
}

// bench is a printer with its goroutine.
type bench struct {
	*teller
	t   *testing.T
	e   *emulated.Board
	set *Set
}

func newBench(t *testing.T, printer string) *bench {
	t.Helper()
	return newBenchThatLogs(t, printer, slog.New(slog.DiscardHandler))
}

// logged is what was logged.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newBenchThatLogs(t *testing.T, printer string, log *slog.Logger) *bench {
	t.Helper()
	p := profileOf(t, "[printer]\n"+printer)
	e, err := emulated.New(emulated.Config{Profile: p, Scale: 20})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{teller: &teller{}, t: t, e: e}
	open := board.Open(p, e)
	b.set = New(Options{Board: open, Sleep: e.Sleep, Log: log, Owner: b.teller})
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { b.set.RunPrinter(ctx) })
	t.Cleanup(func() {
		stop()
		wg.Wait()
		if err := errors.Join(open.Close(), e.Close()); err != nil {
			t.Error(err)
		}
	})
	return b
}

// until waits for something to be so.
func (b *bench) until(what string, is func() bool) {
	b.t.Helper()
	for end := time.Now().Add(never); ; time.Sleep(2 * time.Millisecond) {
		b.mu.Lock()
		yes := is()
		b.mu.Unlock()
		if yes {
			return
		}
		if time.Now().After(end) {
			_, words := b.e.Paper()
			b.t.Fatalf("never %s: printed %q, lost %q; on paper is\n%s", what, b.printed, b.lost, words)
		}
	}
}

// lines are of a slip that takes its time.
func lines(head string) []payterm.ReceiptLine {
	all := []payterm.ReceiptLine{{Text: head}}
	for range 60 {
		all = append(all, payterm.ReceiptLine{Text: "a line"})
	}
	return append(all, payterm.ReceiptLine{Text: "the end"}, payterm.ReceiptLine{Kind: payterm.LineCut})
}

const asked = "device = \"/dev/ttyS2\"\nbaud = 115200\nstatus = true\ncut = true\ndrawer = \"approved\"\nspeed = 50\n"

// A slip that broke off comes again behind a cut, as the copy that it is, and the drawer
// opens behind it once. What breaks off however often is lost in the end, and told.
func TestBrokenSlipComesAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		begin, end func(b *bench) error
	}{
		"paper": {func(b *bench) error { return b.e.SetPrinter("out", "") },
			func(b *bench) error { return b.e.SetPrinter("ok", "") }},
		"cover": {func(b *bench) error { return b.e.SetPrinter("", "open") },
			func(b *bench) error { return b.e.SetPrinter("", "closed") }},
		"jam": {func(b *bench) error { return b.e.JamPrinter(true) },
			func(b *bench) error { return b.e.JamPrinter(false) }},
		"cable": {func(b *bench) error { return b.e.Unplug("printer") },
			func(b *bench) error { return b.e.Plug("printer") }},
		"power": {func(b *bench) error { return b.e.PowerPrinter(false) },
			func(b *bench) error { return b.e.PowerPrinter(true) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, asked)
			slip := payterm.Receipt{Name: "merchant", Order: "T1AAAAA000001", Lines: lines("first")}
			slip.Again = &payterm.Receipt{Name: "merchant", Order: slip.Order, Copy: true, Lines: lines("COPY")}
			if err := errors.Join(b.set.Print(slip), b.set.OpenDrawer()); err != nil {
				t.Fatal(err)
			}
			b.until("begun", func() bool { _, words := b.e.Paper(); return strings.Contains(words, "a line\na line") })
			if err := c.begin(b); err != nil {
				t.Fatal(err)
			}
			want := map[string]payterm.PaperCondition{"paper": payterm.PaperOut, "cover": payterm.PaperCoverOpen}[name]
			if want == "" {
				want = payterm.PaperUnreachable
			}
			b.until("told", func() bool { return b.paper == want })
			if err := c.end(b); err != nil {
				t.Fatal(err)
			}
			words := ""
			b.until("printed", func() bool {
				_, words = b.e.Paper()
				return len(b.printed) == 1 && b.set.Waiting() == 0 && strings.Contains(words, "drawer")
			})
			head, again, found := strings.Cut(words, "--- cut ---\nCOPY\n")
			if !found || !strings.HasPrefix(head, "first\n") || !strings.Contains(again, "the end") ||
				strings.Count(again, "--- cut ---") != 1 || strings.Count(words, "drawer") != 1 ||
				!strings.Contains(again, "drawer") {
				t.Errorf("on paper is\n%s", words)
			}
			if len(b.lost) > 0 || !slices.Equal(b.printed, []string{"merchant"}) {
				t.Errorf("printed %q, lost %q", b.printed, b.lost)
			}
			for _, v := range b.e.Violations() {
				t.Error(v)
			}
		})
	}
}

// A printer whose power is away for a moment in the middle of a slip, and that answers again before
// its end, prints it again.
func TestSlipOfARestart(t *testing.T) {
	t.Parallel()
	for name, profile := range map[string]string{
		"asked": asked,
		"tells": strings.Replace(asked, "status", "tells", 1),
		"network": strings.Replace(asked, "device = \"/dev/ttyS2\"\nbaud = 115200", "network = \"192.0.2.7:9100\"",
			1),
		"USB": strings.Replace(asked, "device = \"/dev/ttyS2\"\nbaud = 115200", "usb = \"/dev/usb/lp0\"", 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, profile)
			if err := b.set.Print(payterm.Receipt{Name: "other", Lines: lines("other")}); err != nil {
				t.Fatal(err)
			}
			b.until("printed", func() bool { return len(b.printed) == 1 })
			slip := payterm.Receipt{Name: "merchant", Order: "T1AAAAA000001", Lines: lines("first")}
			slip.Again = &payterm.Receipt{Name: "merchant", Order: slip.Order, Copy: true, Lines: lines("COPY")}
			if err := b.set.Print(slip); err != nil {
				t.Fatal(err)
			}
			b.until("begun", func() bool { _, words := b.e.Paper(); return strings.Contains(words, "first\na line\na line") })
			if err := b.e.PowerPrinter(false); err != nil {
				t.Fatal(err)
			}
			b.e.Sleep(2 * time.Second)
			if err := b.e.PowerPrinter(true); err != nil {
				t.Fatal(err)
			}
			b.until("printed", func() bool { return len(b.printed) == 2 })
			_, words := b.e.Paper()
			_, again, found := strings.Cut(words, "--- cut ---\nCOPY\n")
			if !found || !strings.Contains(again, "the end") {
				t.Errorf("on paper is\n%s", words)
			}
		})
	}
}

// The drawer of a sale whose slip was lost opens when the slip is printed again, once.
func TestDrawerOfALostSlip(t *testing.T) {
	t.Parallel()
	b := newBench(t, asked)
	slip := payterm.Receipt{Name: "merchant", Order: "T1AAAAA000001", Lines: lines("first")}
	if err := errors.Join(b.set.Print(slip), b.set.OpenDrawer()); err != nil {
		t.Fatal(err)
	}
	for i := range attempts {
		b.until("begun", func() bool { _, words := b.e.Paper(); return strings.Count(words, "first\na line\n") == i+1 })
		if err := b.e.SetPrinter("out", ""); err != nil {
			t.Fatal(err)
		}
		b.until("told", func() bool { return b.paper == payterm.PaperOut })
		if err := b.e.SetPrinter("ok", ""); err != nil {
			t.Fatal(err)
		}
	}
	b.until("lost", func() bool { return len(b.lost) == 1 && b.set.Waiting() == 0 })
	again := payterm.Receipt{Name: "merchant", Order: slip.Order, Copy: true, Lines: lines("COPY")}
	other := payterm.Receipt{Name: "merchant", Order: "T1AAAAA000002", Copy: true, Lines: lines("OTHER")}
	for _, r := range []payterm.Receipt{other, again, again} {
		if err := b.set.Print(r); err != nil {
			t.Fatal(err)
		}
	}
	b.until("printed", func() bool { return len(b.printed) == 3 })
	_, words := b.e.Paper()
	behind := words[strings.Index(words, "COPY")+1:]
	if strings.Count(words, "drawer") != 1 || !strings.Contains(behind, "drawer") ||
		strings.Index(behind, "drawer") > strings.Index(behind, "COPY") {
		t.Errorf("on paper is\n%s", words)
	}
}

// A printer that is well again is told of before its slips, not after them.
func TestNewRollIsTold(t *testing.T) {
	t.Parallel()
	for _, profile := range []string{asked, strings.Replace(asked, "status", "tells", 1)} {
		b := newBench(t, profile)
		for range 2 {
			if err := b.set.Print(payterm.Receipt{Name: "other", Lines: lines("other")}); err != nil {
				t.Fatal(err)
			}
		}
		b.until("printed", func() bool { return len(b.printed) == 2 })
		b.e.Tear()
		if err := b.set.Print(payterm.Receipt{Name: "merchant", Lines: lines("first")}); err != nil {
			t.Fatal(err)
		}
		b.until("begun", func() bool { _, words := b.e.Paper(); return strings.Contains(words, "first\na line\na line") })
		if err := b.e.SetPrinter("out", ""); err != nil {
			t.Fatal(err)
		}
		b.until("told", func() bool { return b.paper == payterm.PaperOut })
		for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			b.until("still out", func() bool { return b.paper == payterm.PaperOut })
		}
		if err := b.e.SetPrinter("ok", ""); err != nil {
			t.Fatal(err)
		}
		b.until("on paper again", func() bool { _, words := b.e.Paper(); return strings.Count(words, "first\na line") == 2 })
		b.mu.Lock()
		if b.paper != payterm.PaperOK || len(b.printed) > 2 {
			t.Errorf("while it prints it is called %s; printed %q", b.paper, b.printed)
		}
		b.mu.Unlock()
		b.until("printed", func() bool { return len(b.printed) == 3 })
	}
}

// A trial's slip is not printed again: whoever tries the printer does.
func TestBrokenTrial(t *testing.T) {
	t.Parallel()
	b := newBench(t, asked)
	ended := make(chan error, 1)
	if err := b.set.PrintJob(Job{Slip: payterm.Receipt{Name: "trial", Lines: lines("first")}, Trial: true,
		Ended: func(err error) { ended <- err }}); err != nil {
		t.Fatal(err)
	}
	b.until("begun", func() bool { _, words := b.e.Paper(); return strings.Contains(words, "a line\na line") })
	if err := b.e.SetPrinter("out", ""); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Error("it is called printed")
	}
}

// A slip that nobody wants any more when the printer is well again is not printed, and not
// told as lost.
func TestBrokenSlipThatIsVoid(t *testing.T) {
	t.Parallel()
	b := newBench(t, asked)
	var void atomic.Bool
	if err := b.set.PrintJob(Job{Slip: payterm.Receipt{Name: "code", Lines: lines("first")},
		Wanted: func() bool { return !void.Load() }}); err != nil {
		t.Fatal(err)
	}
	b.until("begun", func() bool { _, words := b.e.Paper(); return strings.Contains(words, "a line\na line") })
	if err := b.e.SetPrinter("out", ""); err != nil {
		t.Fatal(err)
	}
	b.until("told", func() bool { return b.paper == payterm.PaperOut })
	void.Store(true)
	if err := b.e.SetPrinter("ok", ""); err != nil {
		t.Fatal(err)
	}
	b.until("given up", func() bool { return b.set.Waiting() == 0 })
	words := ""
	b.until("cut off", func() bool { _, words = b.e.Paper(); return strings.HasSuffix(words, "--- cut ---") })
	if strings.Count(words, "first") != 1 || strings.Count(words, "cut") != 1 || len(b.printed)+len(b.lost) > 0 {
		t.Errorf("printed %q, lost %q; on paper is\n%s", b.printed, b.lost, words)
	}
	if err := b.set.Print(payterm.Receipt{Name: "next", Lines: lines("next")}); err != nil {
		t.Fatal(err)
	}
	b.until("printed", func() bool { return len(b.printed) == 1 })
	if _, words = b.e.Paper(); !strings.Contains(words, "--- cut ---\nnext\n") || strings.Count(words, "cut") != 2 {
		t.Errorf("on paper is\n%s", words)
	}
}

// A printer that is switched on in Chinese, in the middle of a day, prints accents.
func TestPrinterWakesInChinese(t *testing.T) {
	t.Parallel()
	b := newBench(t, asked)
	for i, state := range []string{"chinese", "france font_b"} {
		if err := b.e.WakePrinter(state); err != nil {
			t.Fatal(err)
		}
		if err := b.set.Print(payterm.Receipt{Lines: []payterm.ReceiptLine{{Text: "Montréal #[1]"}}}); err != nil {
			t.Fatal(err)
		}
		b.until("printed", func() bool { return len(b.printed) == i+1 })
		if _, words := b.e.Paper(); words != strings.Repeat("Montréal #[1]\n", i)+"Montréal #[1]" {
			t.Errorf("on paper is\n%s", words)
		}
	}
}

// A printer that has no paper while nothing is to be printed is logged, and its end as well.
func TestIdleTroubleIsLogged(t *testing.T) {
	t.Parallel()
	var log logged
	b := newBenchThatLogs(t, asked, slog.New(slog.NewTextHandler(&log, nil)))
	b.set.AskPaper(t.Context())
	if err := b.e.SetPrinter("out", ""); err != nil {
		t.Fatal(err)
	}
	b.set.AskPaper(t.Context())
	b.set.AskPaper(t.Context())
	if err := b.e.SetPrinter("ok", ""); err != nil {
		t.Fatal(err)
	}
	b.set.AskPaper(t.Context())
	if got := log.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "there is no paper") ||
		!strings.Contains(got, "device works again") {
		t.Errorf("logged is\n%s", got)
	}
}

// A slip that runs out of paper again and again is one line in the log each time, and one when it
// goes on, however soon.
func TestTroubleOfASlipIsLoggedOnce(t *testing.T) {
	t.Parallel()
	var log logged
	b := newBenchThatLogs(t, asked, slog.New(slog.NewTextHandler(&log, nil)))
	b.set.AskPaper(t.Context())
	if err := b.set.Print(payterm.Receipt{Name: "merchant", Lines: lines("first")}); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		b.until("begun", func() bool { _, words := b.e.Paper(); return strings.Count(words, "first\na line\n") == i+1 })
		if err := b.e.SetPrinter("out", ""); err != nil {
			t.Fatal(err)
		}
		b.until("told", func() bool { return b.paper == payterm.PaperOut })
		b.until("waits", func() bool { return b.set.Trouble(Printer).N >= 2*(i+1) })
		if err := b.e.SetPrinter("ok", ""); err != nil {
			t.Fatal(err)
		}
	}
	b.until("printed", func() bool { return len(b.printed) == 1 && b.set.Waiting() == 0 })
	if got := log.String(); strings.Count(got, "\n") != 6 || strings.Count(got, "there is no paper") != 3 ||
		strings.Count(got, "device works again") != 3 {
		t.Errorf("logged is\n%s", got)
	}
}

// A printer whose answers come late is well, and its slips come: nothing of it is in the log.
func TestLatePrinter(t *testing.T) {
	t.Parallel()
	for _, late := range []time.Duration{400, 1400} {
		var log logged
		b := newBenchThatLogs(t, asked, slog.New(slog.NewTextHandler(&log, nil)))
		if err := errors.Join(b.e.PrinterAnswers(20*late*time.Millisecond, 1),
			b.e.SetPrinter("near_end", "")); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(never); ; time.Sleep(time.Second) {
			c, _ := b.set.AskPaper(t.Context())
			if c == payterm.PaperNearEnd {
				break
			}
			if c != payterm.PaperUnknown || time.Now().After(end) {
				t.Fatalf("%d ms late: it is %s", late, c)
			}
		}
		for range 3 {
			if err := b.set.Print(payterm.Receipt{Name: "merchant", Lines: lines("first")}); err != nil {
				t.Fatal(err)
			}
		}
		b.until("printed", func() bool { return len(b.printed) == 3 && b.set.Waiting() == 0 })
		if b.paper != payterm.PaperNearEnd || log.String() != "" {
			t.Errorf("%d ms late: it is %s; logged is\n%s", late, b.paper, log.String())
		}
	}
}

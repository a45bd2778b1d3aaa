package main

import (
	"bytes"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"payterm"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// counted puts a proxy before a gateway that counts connections.
func counted(t *testing.T, gateway string) (door string, count *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	count = new(atomic.Int64)
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			count.Add(1)
			go func() {
				defer in.Close()
				out, err := net.Dial("tcp", strings.TrimPrefix(gateway, "http://"))
				if err != nil {
					return
				}
				defer out.Close()
				go io.Copy(out, in) //nolint:errcheck // it ends with the connection
				io.Copy(in, out)    //nolint:errcheck // it ends with the connection
			}()
		}
	}()
	return "http://" + l.Addr().String(), count
}

// printed runs a command that must succeed and returns its output.
func (s *shop) printed(args ...string) string {
	s.t.Helper()
	out, err := exec.Command(filepath.Join(bin, "payterm"), append(args, "--json", "--data", s.data)...).Output()
	if err != nil {
		s.t.Fatalf("payterm %s: %v %s", args, err, out)
	}
	return string(out)
}

// keptIn lists the files below a directory that contain one of the secrets.
func keptIn(t *testing.T, dir string, secrets ...string) (files []string) {
	t.Helper()
	read := 0
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(name)
		read++
		for _, secret := range secrets {
			if bytes.Contains(text, []byte(secret)) {
				files = append(files, name)
			}
		}
		return err
	})
	if err != nil || read < 2 {
		t.Fatalf("%d files below %s: %v", read, dir, err)
	}
	return files
}

// train begins training with the keys, after the last slip.
func (s *shop) train() {
	s.t.Helper()
	for end := time.Now().Add(never); ; {
		s.keys("F1", "00")
		s.has("sure", "Training", "Nothing is really paid")
		s.yes()
		words := s.screen()
		for strings.HasPrefix(words, "screen: sure") || strings.HasPrefix(words, "screen: switching") {
			time.Sleep(20 * time.Millisecond)
			words = s.screen()
		}
		if !strings.HasPrefix(words, "screen: menu") {
			break
		}
		if !strings.Contains(words, "Slips are still to be printed") || time.Now().After(end) {
			s.t.Fatalf("no training: %s", words)
		}
		s.keys("CANCEL")
		s.waitScreen("idle")
	}
	s.has("idle", "TRAINING")
}

// TestTraining goes from the menu into training and back. The real journal and gateway get
// nothing of it; tills are refused.
func TestTraining(t *testing.T) {
	t.Parallel()
	var came *atomic.Int64
	s := newShopBehind(t, func(gateway string) (door string) {
		door, came = counted(t, gateway)
		return door
	}, "first_inquiry = \"300ms\"\ninquiry_interval = \"300ms\"\nleave_after = \"1s\"\nladder = [\"1s\", \"1s\", "+
		"\"1s\"]\n")
	first := s.begin("--mode", "passive", "--amount", "12.34", "--idempotency-key", "till-1")
	s.waitScreen("scan")
	s.scan(s.wallet("ALIPAY", false))
	status, sold := first.end()
	if status != 0 {
		t.Fatalf("exit status %d, %+v", status, sold)
	}
	if status, o := s.run("refund", string(sold.ID), "--amount", "1.00", "--idempotency-key",
		"till-r").end(); status != 0 {
		t.Fatalf("refund: exit status %d, %+v", status, o)
	}
	s.paperUntil("--- cut ---", "--- cut ---", "--- cut ---", "--- cut ---")
	s.keys("CLEAR")
	s.waitScreen("idle")
	journal, gateway, ledger := s.printed("journal", "list"), came.Load(),
		string(s.call("GET", s.sim+"/sim/orders", nil))
	if gateway == 0 {
		t.Fatal("the door does not count")
	}

	// The question, and the training.
	s.post(s.panel+"/emu/paper/tear", nil)
	s.train()
	if status := s.printed("status"); !strings.Contains(status, `"training":true`) {
		t.Errorf("status: %s", status)
	}
	if info, err := os.Stat(filepath.Join(s.data, "training")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the training's data: %v %v", info, err)
	}

	// A till is refused on both sockets, except for an earlier request.
	for _, data := range []string{s.data, filepath.Join(s.data, "training")} {
		till := &shop{t: t, data: data}
		if status, o := till.begin("--mode", "passive", "--amount", "12.34", "--idempotency-key",
			"till-2").end(); status != 13 || o.Reason != payterm.ReasonTraining {
			t.Errorf("%s: exit status %d, %+v", data, status, o)
		}
	}
	if status, o := s.begin("--mode", "passive", "--amount", "12.34", "--idempotency-key",
		"till-1").end(); status != 0 || o.Outcome != payterm.Approved {
		t.Errorf("the sale of before is asked about: exit status %d, %+v", status, o)
	}
	// and never another one, nor a simulated one.
	for _, c := range []struct {
		status int
		words  []string
	}{
		{2, []string{"sale", "--mode", "passive", "--amount", "50.00", "--idempotency-key", "till-1"}},
		{2, []string{"sale", "--mode", "passive", "--amount", "12.34", "--tip", "1.00", "--idempotency-key", "till-1"}},
		{2, []string{"sale", "--mode", "active", "--wallet", "ALIPAY", "--amount", "12.34", "--idempotency-key",
			"till-1"}},
		{2, []string{"sale", "--mode", "passive", "--amount", "1.00", "--idempotency-key", "till-r"}},
		{2, []string{"refund", string(sold.ID), "--amount", "12.34", "--idempotency-key", "till-1"}},
		{2, []string{"refund", string(sold.ID), "--idempotency-key", "till-r"}},
		{2, []string{"refund", "T1AAAAA000001", "--amount", "1.00", "--idempotency-key", "till-r"}},
		{0, []string{"refund", string(sold.ID), "--amount", "1.00", "--idempotency-key", "till-r"}},
		{13, []string{"refund", string(sold.ID), "--amount", "1.00", "--idempotency-key", "till-2"}},
		{13, []string{"sale", "--mode", "passive", "--amount", "12.34"}},
	} {
		for _, data := range []string{s.data, filepath.Join(s.data, "training")} {
			till := &shop{t: t, data: data}
			if status, o := till.run(c.words[0], c.words[1:]...).end(); status != c.status {
				t.Errorf("%s: %q: exit status %d, %+v", data, c.words, status, o)
			}
		}
	}
	if status, o := s.run("refund", "T1AAAAA000001").end(); status != 13 || o.Reason != payterm.ReasonTraining {
		t.Errorf("refund: exit status %d, %+v", status, o)
	}

	// A sale with a code that could be a customer's.
	const code, other = "281234509876543210", "4006381333931"
	s.keys("5", "00", "ENTER")
	s.waitScreen("scan")
	s.scan(code)
	s.has("approved", "TRAINING", "5.00", "Order TRAIN")
	paper := s.paperUntil("--- cut ---", "--- cut ---")
	if strings.Count(paper, "TRAINING") < 2 || strings.Contains(paper, "SIMULATION") {
		t.Errorf("paper:\n%s", paper)
	}
	// The same code again, and one that is no wallet's.
	for _, scanned := range []string{code, other} {
		s.keys("7", "00", "ENTER")
		s.waitScreen("scan")
		s.scan(scanned)
		s.has("approved", "TRAINING", "7.00")
		s.keys("CLEAR")
		s.waitScreen("idle")
	}
	// In Active Mode the customer pays without a request.
	s.keys("8", "00", "F1", "1")
	s.has("approved", "TRAINING", "8.00")

	// The drills, done right and wrong.
	drill := func(digit string, says ...string) {
		t.Helper()
		s.keys("CLEAR", "F1", "00", digit)
		s.has("briefing", append(says, "TRAINING")...)
		s.keys("ENTER")
		s.has("idle", "Drill: ", "Make a sale")
	}
	sell := func(amount string) {
		t.Helper()
		s.keys(amount, "00", "ENTER")
		s.waitScreen("scan")
		s.scan(code)
	}
	drill("1", "answer is lost", "Do not charge again")
	sell("9")
	s.waitScreen("waiting")
	s.has("approved", "9.00", "Drill: done right")
	drill("2", "password")
	sell("4")
	s.has("approved", "4.00", "Drill: done right")
	drill("4", "refuses")
	sell("6")
	s.has("declined", "6.00", "Drill: done right")
	drill("3", "after you left", "late payments")
	sell("3")
	s.waitScreen("waiting")
	time.Sleep(1100 * time.Millisecond) // leave_after
	s.keys("CANCEL")
	s.has("late", "3.00", "Keep it, or give it back?")
	s.reads()
	s.keys("CLEAR", "F1", "5")
	s.waitScreen("list")
	s.keys("1")
	s.has("order", "Late payment", "Keep it, or give it back?")
	s.keys("2")
	s.waitScreen("sure")
	s.yes()
	s.has("word", "Noted")
	s.keys("ENTER")
	s.has("idle", "Drill: done right")
	drill("3", "after you left") // the cashier charges again
	sell("2")
	s.waitScreen("waiting")
	time.Sleep(1100 * time.Millisecond)
	s.keys("CANCEL")
	s.waitScreen("in_doubt")
	s.waitScreen("late")
	s.reads()
	s.keys("ENTER", "2", "00", "ENTER")
	s.waitScreen("scan")
	s.keys("CANCEL")
	s.has("cancelled", "charged twice")
	drill("5", "take the roll out", "payment stands")
	s.post(s.panel+"/emu/printer", map[string]string{"paper": "out"})
	sell("1")
	s.has("approved", "1.00", "no paper")
	s.post(s.panel+"/emu/printer", map[string]string{"paper": "ok"})
	s.has("approved", "Drill: done right")

	// Back, with the same item.
	if kept := keptIn(t, filepath.Join(s.data, "training"), code, other); len(kept) > 0 {
		t.Errorf("a scanned code is kept in %q", kept)
	}
	inTraining := &shop{t: t, data: filepath.Join(s.data, "training")}
	if n := len(inTraining.orders()); n < 8 {
		t.Errorf("%d orders in the training's journal", n)
	}
	if n := came.Load(); n != gateway {
		t.Errorf("%d calls came to the gateway during the training", n-gateway)
	}
	s.keys("CLEAR", "F1", "00", "0")
	s.has("idle", "SIMULATION", "Type the amount")
	if status := s.printed("status"); !strings.Contains(status, `"training":false`) {
		t.Errorf("status: %s", status)
	}
	if now := s.printed("journal", "list"); now != journal {
		t.Errorf("the real journal was\n%s\nand is\n%s", journal, now)
	}
	if now := string(s.call("GET", s.sim+"/sim/orders", nil)); now != ledger {
		t.Errorf("the gateway's ledger was\n%s\nand is\n%s", ledger, now)
	}
	s.post(s.panel+"/emu/paper/tear", nil)
	s.sold("20.00") // a real sale again
	if came.Load() == gateway {
		t.Error("the real terminal does not ask its gateway")
	}

	s.paperUntil("--- cut ---", "--- cut ---")

	// Over the socket, and not while an order is open; a restart ends training.
	s.keys("CLEAR")
	s.waitScreen("idle")
	// the printer is last to finish
	for end := time.Now().Add(never); ; time.Sleep(50 * time.Millisecond) {
		out, err := exec.Command(filepath.Join(bin, "payterm"), "training", "on", "--data", s.data).CombinedOutput()
		if err == nil {
			break
		}
		if !strings.Contains(string(out), "slips are still to be printed") || time.Now().After(end) {
			t.Fatalf("training on: %v %s", err, out)
		}
	}
	s.has("idle", "TRAINING")
	if n := len(inTraining.orders()); n != 0 {
		t.Errorf("%d orders of the training before", n)
	}
	if out := s.printed("training", "off"); !strings.Contains(out, "false") {
		t.Errorf("training off: %s", out)
	}
	s.has("idle", "SIMULATION")
	s.faults("STATUS_QUERY", "drop_before_apply", 0)
	open := s.begin("--mode", "passive", "--amount", "30.00")
	s.waitScreen("scan")
	s.scan(s.wallet("ALIPAY", true))
	s.waitScreen("waiting")
	time.Sleep(1100 * time.Millisecond)
	s.keys("CANCEL")
	open.end()
	s.keys("CLEAR", "F1", "00")
	s.waitScreen("sure")
	s.yes()
	s.has("menu", "still open")
	out, err := exec.Command(filepath.Join(bin, "payterm"), "training", "on", "--data", s.data).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "at the counter") {
		t.Errorf("training while an order is open: %v %s", err, out)
	}
}

// doubleZero presses the terminal's key 00.
func (b *browser) doubleZero() {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('[data-key="00"]').focus()`))
	b.types(kb.Enter)
}

// TestTrainingByKeyboard does a drill in the front panel with the keyboard alone.
func TestTrainingByKeyboard(t *testing.T) {
	t.Parallel()
	s := newShop(t, "inquiry_interval = \"300ms\"\nfirst_inquiry = \"300ms\"\n")
	b := openPanel(t, s.panel, 1180, 850)
	b.types(kb.F1)
	s.waitScreen("menu")
	b.doubleZero()
	s.has("sure", "Nothing is really paid")
	b.tabTo("glass")
	s.reads()
	b.types(kb.F1)
	s.has("idle", "TRAINING")
	b.until("the words follow the glass", `/TRAINING/.test(document.getElementById('words').textContent)`)
	b.types(kb.F1)
	s.waitScreen("menu")
	b.doubleZero()
	s.has("drills", "Time-out", "End training")
	b.tabTo("glass")
	b.types("1")
	s.has("briefing", "Do not charge again")
	b.types(kb.Enter)
	s.has("idle", "Drill: Time-out")
	b.types("900" + kb.Enter)
	s.waitScreen("scan")
	b.tabTo("show")
	b.types(kb.Enter)
	s.waitScreen("waiting")
	s.has("approved", "9.00", "TRAINING", "Drill: done right")
	b.until("the verdict is on the page", `/done right/.test(document.getElementById('words').textContent)`)
	b.until("the slip is there", `/TRAINING/.test(document.getElementById('slip-words').textContent)`)
	b.tabTo("glass")
	b.types(kb.Enter)
	s.waitScreen("idle")
	b.types(kb.F1)
	s.waitScreen("menu")
	b.doubleZero()
	s.waitScreen("drills")
	b.tabTo("glass")
	b.types("0")
	s.has("idle", "SIMULATION")
	if n := len(s.orders()); n != 0 {
		t.Errorf("%d orders in the real journal", n)
	}
}

// TestMenuByKeyboard takes a Z and changes the language in the front panel.
func TestMenuByKeyboard(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	b := openPanel(t, s.panel, 1180, 850)
	s.sold("12.34")
	b.types(kb.Enter)
	s.waitScreen("idle")
	b.types(kb.F1)
	s.waitScreen("menu")
	b.types("7")
	s.waitScreen("sure")
	s.reads()
	b.types(kb.F1)
	s.has("totals", "Z 1", "12.34", "1 sale")
	b.until("the words follow the glass", `/Z 1/.test(document.getElementById('words').textContent)`)
	b.until("the slip is there", `/Z TOTAL 1/.test(document.getElementById('slip-words').textContent)`)
	b.types(kb.Enter)
	s.waitScreen("idle")
	for _, l := range []struct{ digit, says string }{{"2", "Entrez le montant"}, {"3", "金额"},
		{"1", "Type the amount"}} {
		b.types(kb.F1)
		s.waitScreen("menu")
		b.types("9")
		s.waitScreen("language")
		b.types(l.digit)
		s.has("idle", l.says)
		b.until("the page speaks it too", `document.getElementById('words').textContent.includes('`+l.says+`')`)
	}
	if x := s.totals("x"); x.Number != 2 || len(x.By) != 0 {
		t.Errorf("after the Z: %+v", x)
	}
}

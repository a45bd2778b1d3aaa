package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"image"
	"image/draw"
	"image/png"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/internal/tooltest"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// These tests run the built programs: ottsim, payterm emulate, payterm sale.

var bin string

// never is how long a test waits for what must come. A machine with other work takes long; nothing is measured.
const never = 2 * time.Minute

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "payterm-e2e")
	if err != nil {
		panic(err)
	}
	bin = dir
	build := exec.Command("go", "build", "-o", dir+"/", "payterm/cmd/payterm", "payterm/cmd/ottsim")
	if out, err := build.CombinedOutput(); err != nil {
		panic(string(out))
	}
	flag.Parse()
	// Terminals wait more than they compute, so more tests run at once than there are processors.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// program starts a program and reads its line that says it is ready.
func program(t testing.TB, name string, args ...string) (*exec.Cmd, map[string]any) {
	t.Helper()
	if !filepath.IsAbs(name) {
		name = filepath.Join(bin, name)
	}
	cmd := exec.Command(name, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt) //nolint:errcheck // it may have ended
		cmd.Wait()                       //nolint:errcheck // it was interrupted
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	var ready map[string]any
	if err != nil || json.Unmarshal(line, &ready) != nil || ready["ready"] != true {
		t.Fatalf("%s is not ready: %q %v %s", name, line, err, stderr.String())
	}
	return cmd, ready
}

// shop is a gateway and a terminal, which can be killed and restarted.
type shop struct {
	t           testing.TB
	dir         string
	data        string // where its commands find the terminal's data
	sim, panel  string
	agent       *exec.Cmd
	configAdded string
}

func newShop(t *testing.T, sale string, simulator ...string) *shop {
	return newShopBehind(t, func(gateway string) string { return gateway }, sale, simulator...)
}

// newShopBehind is a shop whose terminal has another address for its gateway.
func newShopBehind(t *testing.T, front func(gateway string) string, sale string, simulator ...string) *shop {
	s := &shop{t: t, dir: t.TempDir(), configAdded: sale}
	s.data = filepath.Join(s.dir, "data")
	key := filepath.Join(s.dir, "key")
	if err := os.WriteFile(key, []byte("0123456789ABCDEF\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, ready := program(t, "ottsim", append([]string{"--listen", "127.0.0.1:0", "--merchant-id", "ON00000000",
		"--sign-key-file", key}, simulator...)...)
	s.sim = ready["gateway"].(string)
	text := "[gateway]\nmerchant_id = \"ON00000000\"\noperator_id = \"0000000696\"\n" +
		"call_back_url = \"https://example.com/cb\"\nsign_key_file = \"" + key +
		"\"\nurl = \"" + front(s.sim) + "\"\n[sale]\n" + sale
	if err := os.WriteFile(filepath.Join(s.dir, "payterm.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start()
	return s
}

func (s *shop) emulate() []string {
	return []string{"emulate", "--config", filepath.Join(s.dir, "payterm.toml"), "--listen", "127.0.0.1:0",
		"--data", filepath.Join(s.dir, "data"), "--scale", "20"}
}

// boot starts the terminal for a run that will be killed.
func (s *shop) boot() {
	cmd, ready := program(s.t, "payterm", s.emulate()...)
	s.agent, s.panel = cmd, ready["panel"].(string)
}

func (s *shop) start() {
	s.boot()
	chips := s.panel + "/emu/violations.txt"
	s.t.Cleanup(func() {
		resp, err := http.Get(chips)
		if err != nil {
			return // it was killed
		}
		defer resp.Body.Close()
		if text, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 200 || len(bytes.TrimSpace(text)) > 0 {
			s.t.Errorf("the chips did not accept: HTTP %d %s %v", resp.StatusCode, text, err)
		}
	})
}

// try makes a call and returns status and answer.
func (s *shop) try(method, url string, in any) (int, string) {
	s.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(out)
}

func (s *shop) call(method, url string, in any) []byte {
	s.t.Helper()
	status, out := s.try(method, url, in)
	if status != 200 {
		s.t.Fatalf("%s %s: HTTP %d %s", method, url, status, out)
	}
	return []byte(out)
}

func (s *shop) post(url string, in any) []byte { return s.call("POST", url, in) }
func (s *shop) screen() string                 { return string(s.call("GET", s.panel+"/emu/display.txt", nil)) }

func (s *shop) waitScreen(name string) string {
	s.t.Helper()
	for end := time.Now().Add(never); ; time.Sleep(20 * time.Millisecond) {
		if words := s.screen(); strings.HasPrefix(words, "screen: "+name+"\n") {
			return words
		} else if time.Now().After(end) {
			s.t.Fatalf("no screen %s, but %s", name, words)
		}
	}
}

// idles leaves a late payment, which comes up by itself at an idle counter, for later.
func (s *shop) idles() {
	s.t.Helper()
	for end := time.Now().Add(never); ; time.Sleep(200 * time.Millisecond) {
		switch words := s.screen(); {
		case strings.HasPrefix(words, "screen: idle\n"):
			return
		case time.Now().After(end):
			s.t.Fatalf("the counter is not idle: %s", words)
		case strings.HasPrefix(words, "screen: late\n"):
			s.keys("ENTER") // not in the screen's first second
		}
	}
}

func (s *shop) keys(keys ...string) { s.post(s.panel+"/emu/key", map[string]any{"keys": keys}) }

// yes answers a question about money that is on the glass.
func (s *shop) yes() {
	s.reads()
	s.keys("F1")
}

// reads is somebody who reads a question: no key counts in its first second.
func (s *shop) reads() { time.Sleep(time.Second) }

func (s *shop) wallet(bizType string, password bool) string {
	var w struct{ Code string }
	if err := json.Unmarshal(s.post(s.sim+"/sim/wallets", map[string]any{"biz_type": bizType, "balance_minor": 5000,
		"needs_password": password}), &w); err != nil {
		s.t.Fatal(err)
	}
	return w.Code
}

func (s *shop) scan(code string) { s.post(s.panel+"/emu/scan", map[string]string{"code": code}) }

// running is a running payterm sale.
type running struct {
	s   *shop
	cmd *exec.Cmd
	out bytes.Buffer
}

func (s *shop) begin(args ...string) *running { return s.run("sale", args...) }

func (s *shop) run(command string, args ...string) *running {
	s.t.Helper()
	r := &running{s: s, cmd: exec.CommandContext(s.t.Context(), filepath.Join(bin, "payterm"),
		append([]string{command, "--json", "--data", s.data}, args...)...)}
	r.cmd.Stdout = &r.out
	if err := r.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	return r
}

// end waits for the exit status and the order.
func (r *running) end() (int, payterm.Order) {
	r.s.t.Helper()
	err := r.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.s.t.Fatal(err)
	}
	status := r.cmd.ProcessState.ExitCode()
	var o payterm.Order
	if err := json.Unmarshal(r.out.Bytes(), &o); err != nil && status != 1 && status != 2 {
		r.s.t.Fatalf("%v: exit status %d, %q", r.cmd.Args, status, &r.out)
	}
	return status, o
}

// failing runs a command and returns its standard error and exit status.
func (s *shop) failing(command string, args ...string) (string, int) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), filepath.Join(bin, "payterm"), append([]string{command, "--data", s.data},
		args...)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return said.String(), cmd.ProcessState.ExitCode()
}

func (s *shop) orders() []payterm.Order {
	s.t.Helper()
	out, err := exec.Command(filepath.Join(bin, "payterm"), "journal", "list", "--json", "--data", s.data).Output()
	var list struct{ Orders []payterm.Order }
	if err != nil || json.Unmarshal(out, &list) != nil {
		s.t.Fatalf("journal list: %s %v", out, err)
	}
	return list.Orders
}

type row struct {
	ID       string `json:"order_id"`
	Status   string
	Paid     int64  `json:"paid_minor"`
	Refunded int64  `json:"refunded_minor"`
	CodeURL  string `json:"code_url"`
	Requests []request
}

type request struct {
	At     time.Time
	Action string
}

func (s *shop) ledger() []row {
	var l struct{ Orders []row }
	if err := json.Unmarshal(s.call("GET", s.sim+"/sim/orders", nil), &l); err != nil {
		s.t.Fatal(err)
	}
	return l.Orders
}

// payments counts an order's requests that could move money.
func (r row) payments() (n int) {
	for _, q := range r.Requests {
		if q.Action == "PASSIVEPAY" || q.Action == "ACTIVEPAY" {
			n++
		}
	}
	return n
}

func TestPassive(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	code := s.wallet("WECHATPAY", false)
	s.keys("1", "2", "3", "4", "ENTER")
	s.waitScreen("scan")
	s.scan(code)
	s.waitScreen("approved")
	paper := ""
	for end := time.Now().Add(never); time.Now().Before(end) &&
		strings.Count(paper, "--- cut ---") < 2; time.Sleep(50 * time.Millisecond) {
		paper = string(s.call("GET", s.panel+"/emu/paper.txt", nil))
	}
	o := s.orders()[0]
	if o.Outcome != payterm.Approved || o.PaidMinor != 1234 || o.Wallet != payterm.WeChatPay {
		t.Errorf("order %+v", o)
	}
	if !strings.Contains(paper, "APPROVED") || !strings.Contains(paper, "12.34") ||
		!strings.Contains(paper, string(o.ID)) || strings.Contains(paper, code) {
		t.Errorf("paper:\n%s", paper)
	}
	db, err := os.ReadFile(filepath.Join(s.dir, "data", "payterm.db-wal"))
	if err != nil || bytes.Contains(db, []byte(code)) || bytes.Contains(db, []byte("0123456789ABCDEF")) {
		t.Errorf("a secret is in the journal, or it cannot be read: %v", err)
	}
	// A wallet with a password: the customer types it, and an inquiry finds the payment.
	s.keys("5", "0", "0", "ENTER")
	s.waitScreen("scan")
	s.scan(s.wallet("ALIPAY", true))
	s.waitScreen("waiting")
	s.post(s.sim+"/sim/orders/"+string(s.orders()[1].ID)+"/pay", nil)
	s.waitScreen("approved")
	// A used code is refused.
	s.keys("1", "0", "0", "ENTER")
	s.waitScreen("scan")
	s.scan(code)
	for end := time.Now().Add(never); !strings.Contains(s.screen(),
		"used before"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("a used code: %s", s.screen())
		}
	}
	s.scan("281234567890123456") // an unknown code: refused, asked about, declined
	s.waitScreen("declined")
	// An expired code: the same.
	s.keys("ENTER", "2", "0", "0", "ENTER")
	s.waitScreen("scan")
	var expired struct{ Code string }
	if err := json.Unmarshal(s.post(s.sim+"/sim/wallets", map[string]any{"biz_type": "UNIONPAY", "balance_minor": 5000,
		"ttl_seconds": 0}), &expired); err != nil {
		t.Fatal(err)
	}
	s.scan(expired.Code)
	s.waitScreen("declined")
	// A wallet with too little money.
	s.keys("ENTER", "9", "9", "9", "9", "ENTER")
	s.waitScreen("scan")
	s.scan(s.wallet("ALIPAY", false))
	s.waitScreen("declined")
	reasons := []payterm.Reason{"", "", payterm.ReasonCodeInvalid, payterm.ReasonCodeInvalid, payterm.ReasonWallet}
	for i, o := range s.orders() {
		if o.Reason != reasons[i] {
			t.Errorf("order %d: %s %q, want %q", i, o.Outcome, o.Reason, reasons[i])
		}
	}
	s.audit()
}

// readers are two independent programs that read QR codes.
func readers(t *testing.T) map[string]func(image.Image) (string, error) {
	zbar := tooltest.Need(t, "zbarimg")
	return map[string]func(image.Image) (string, error){
		"gozxing": func(img image.Image) (string, error) {
			bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
			if err != nil {
				return "", err
			}
			found, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
			if err != nil {
				return "", err
			}
			return found.GetText(), nil
		},
		"zbarimg": func(img image.Image) (string, error) {
			path := filepath.Join(t.TempDir(), "frame.png")
			var b bytes.Buffer
			if err := png.Encode(&b, img); err != nil {
				return "", err
			}
			if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
				return "", err
			}
			out, err := exec.Command(zbar, "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", path).Output()
			return strings.TrimSuffix(string(out), "\n"), err
		},
	}
}

func TestActive(t *testing.T) {
	t.Parallel()
	s := newShop(t, "inquiry_interval = \"300ms\"\n")
	s.keys("7", "0", "0", "F1")
	s.waitScreen("choose_wallet")
	s.keys("1")
	s.waitScreen("show_code")
	time.Sleep(300 * time.Millisecond) // the frame takes time on the bus
	frame := s.call("GET", s.panel+"/emu/display.png", nil)
	img, err := png.Decode(bytes.NewReader(frame))
	if err != nil {
		t.Fatal(err)
	}
	l := s.ledger()[0]
	altered := image.NewRGBA(img.Bounds())
	draw.Draw(altered, altered.Bounds(), img, image.Point{}, draw.Src)
	draw.Draw(altered, image.Rect(90, 110, 200, 200), image.White, image.Point{}, draw.Src)
	for name, reads := range readers(t) {
		if text, err := reads(img); err != nil || text != l.CodeURL {
			t.Errorf("%s reads %q (%v), the gateway gave %q", name, text, err, l.CodeURL)
		}
		if text, err := reads(altered); err == nil && text == l.CodeURL {
			t.Errorf("%s reads the same from an altered frame: this test proves nothing", name)
		}
	}
	s.post(s.sim+"/sim/orders/"+l.ID+"/pay", nil)
	s.waitScreen("approved")
	if o := s.orders()[0]; o.Outcome != payterm.Approved || o.Mode != payterm.Active {
		t.Errorf("order %+v", o)
	}
}

// TestKilled kills the agent at each point of a waiting sale: the order ends in the next run, and
// nothing is sent twice.
func TestKilled(t *testing.T) {
	for _, c := range []struct {
		name, fault string
		mode        payterm.Mode
		screen      string // on which the agent is killed
		customer    string // what the customer does meanwhile
		want        payterm.Outcome
	}{
		{"passive, reply lost", "drop_after_apply", payterm.Passive, "waiting", "", approved},
		{"passive, under way", "delay 5000", payterm.Passive, "sending", "", approved},
		{"passive, customer pays", "", payterm.Passive, "waiting", "pay", approved},
		{"passive, customer declines", "", payterm.Passive, "waiting", "decline", declined},
		{"active, customer pays", "", payterm.Active, "show_code", "pay", approved},
		{"active, customer declines", "", payterm.Active, "show_code", "decline", declined},
		{"active, under way", "delay 5000", payterm.Active, "sending", "", notSent},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, "ladder = [\"1s\"]\nladder_repeat = \"1s\"\n")
			s.faults("PASSIVEPAY", c.fault, 1)
			s.faults("ACTIVEPAY", c.fault, 1)
			if c.mode == payterm.Passive {
				s.keys("1", "2", "3", "4", "ENTER")
				s.waitScreen("scan")
				s.scan(s.wallet("ALIPAY", c.customer != ""))
			} else {
				s.keys("1", "2", "3", "4", "F1")
				s.waitScreen("choose_wallet")
				s.keys("1")
			}
			s.waitScreen(c.screen)
			for end := time.Now().Add(never); len(s.ledger()) == 0 &&
				time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
				// the request is on its way
			}
			if err := s.agent.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			s.agent.Wait() //nolint:errcheck // it was killed
			if c.customer != "" {
				s.post(s.sim+"/sim/orders/"+s.ledger()[0].ID+"/"+c.customer, nil)
			}
			s.start()
			s.waitScreen("idle") // no sale of an earlier run is shown
			for end := time.Now().Add(never); s.orders()[0].Outcome != c.want && time.Now().Before(end); {
				time.Sleep(50 * time.Millisecond)
			}
			list, ledger := s.orders(), s.ledger()
			if len(list) != 1 || list[0].Outcome != c.want || len(ledger) != 1 || ledger[0].payments() != 1 {
				t.Errorf("journal %+v, ledger %+v", list, ledger)
			}
			if late := list[0].Attention == payterm.AttentionLatePayment; late != (c.want == approved) {
				t.Errorf("late payment %v: %+v", late, list[0])
			}
			s.audit()
		})
	}
}

// TestSaleCommand checks the exit status for each outcome.
func TestSaleCommand(t *testing.T) {
	t.Parallel()
	s := newShop(t, "passive_counter = \"2s\"\nfirst_inquiry = \"300ms\"\ninquiry_interval = \"300ms\"\n"+
		"scan_timeout = \"5s\"\n")
	sale := func(args ...string) (int, payterm.Order) { t.Helper(); return s.begin(args...).end() }
	scanned := func(args ...string) (int, payterm.Order) {
		t.Helper()
		r := s.begin(args...)
		s.waitScreen("scan")
		s.scan(s.wallet("ALIPAY", false))
		return r.end()
	}
	if status, o := sale("--mode", "passive", "--amount", "1.00"); status != 11 || o.Reason != payterm.ReasonNoScan {
		t.Errorf("nobody scans: %d %s", status, o.Reason)
	}
	for _, wrong := range [][]string{{"--currency", "USD"}, {"--despite", "NOSUCHORDER"}} {
		if status, _ := sale(append([]string{"--mode", "passive", "--amount", "1.00"}, wrong...)...); status != 2 {
			t.Errorf("%v: exit status %d", wrong, status)
		}
	}
	r := s.begin("--mode", "passive", "--amount", "1.00")
	s.waitScreen("scan")
	if err := r.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if status, o := r.end(); status != 12 || o.ID == "" || o.AmountMinor != 100 {
		t.Errorf("interrupted: %d %+v", status, o)
	}
	s.keys("CANCEL")
	s.waitScreen("cancelled")
	if status, _ := sale("--mode", "active", "--amount", "2.00", "--wallet", "UNIONPAY"); status != 2 {
		t.Errorf("a wallet that is not configured: %d", status)
	}
	s.faults("ACTIVEPAY", "drop_after_apply", 1)
	if status, o := sale("--mode", "active", "--amount", "2.00", "--wallet", "ALIPAY"); status != 13 ||
		o.Reason != payterm.ReasonNoCode {
		t.Errorf("no code: %d %s", status, o.Reason)
	}
	status, first := scanned("--mode", "passive", "--amount", "3.00", "--idempotency-key", "k1")
	if status != 0 {
		t.Errorf("paid: %d %+v", status, first)
	}
	if status, again := sale("--mode", "passive", "--amount", "3.00", "--idempotency-key", "k1"); status != 0 ||
		again.ID != first.ID {
		t.Errorf("same key: %d %s, want %s", status, again.ID, first.ID)
	}
	if status, _ := sale("--mode", "passive", "--amount", "4.00", "--idempotency-key", "k1"); status != 2 {
		t.Errorf("same key, another amount: %d", status)
	}
	if status, _ := s.run("refund", string(first.ID), "--amount", "3.00", "--idempotency-key",
		"k1").end(); status != 2 {
		t.Errorf("same key, a refund: %d", status)
	}
	for _, key := range []string{"", " k1", "k\t1", "кlюч", strings.Repeat("k", 129)} {
		if out, status := s.failing("sale", "--mode", "passive", "--amount", "3.00", "--idempotency-key="+
			key); status != 2 || !strings.Contains(out, "idempotency_key") {
			t.Errorf("sale, key %q: %d %s", key, status, out)
		}
		if out, status := s.failing("refund", string(first.ID), "--idempotency-key="+key); status != 2 ||
			!strings.Contains(out, "idempotency_key") {
			t.Errorf("refund, key %q: %d %s", key, status, out)
		}
	}
	s.faults("PASSIVEPAY", "drop_before_apply", 1)
	status, doubt := scanned("--mode", "passive", "--amount", "5.00")
	if status != 12 || doubt.Outcome != payterm.InDoubt {
		t.Errorf("lost: %d %+v", status, doubt)
	}
	if status, o := sale("--mode", "passive", "--amount", "5.00"); status != 13 ||
		o.Reason != payterm.ReasonPossibleDuplicate || o.Despite != doubt.ID {
		t.Errorf("second sale: %d %+v", status, o)
	}
	if status, o := sale("--mode", "passive", "--amount", "5.00", "--despite", string(first.ID)); status != 13 ||
		o.Reason != payterm.ReasonPossibleDuplicate || o.Despite != first.ID {
		t.Errorf("despite an order that is paid: %d %+v", status, o)
	}
	if status, o := scanned("--mode", "passive", "--amount", "5.00", "--despite", string(doubt.ID)); status != 0 {
		t.Errorf("despite: %d %+v", status, o)
	}
}

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"image/color"
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

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// These tests run the built programs: ottsim, payterm emulate, payterm sale.

var bin string

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
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// program starts a program and reads its one line of readiness.
func program(t *testing.T, name string, args ...string) (*exec.Cmd, map[string]any) {
	t.Helper()
	cmd := exec.Command(filepath.Join(bin, name), args...)
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
		cmd.Wait()                       //nolint:errcheck // as above
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	var ready map[string]any
	if err != nil || json.Unmarshal(line, &ready) != nil || ready["ready"] != true {
		t.Fatalf("%s is not ready: %q %v %s", name, line, err, stderr.String())
	}
	return cmd, ready
}

// shop is a gateway and a terminal that can be killed and started again.
type shop struct {
	t           *testing.T
	dir         string
	sim, panel  string
	agent       *exec.Cmd
	configAdded string
}

func newShop(t *testing.T, sale string) *shop {
	s := &shop{t: t, dir: t.TempDir(), configAdded: sale}
	key := filepath.Join(s.dir, "key")
	if err := os.WriteFile(key, []byte("0123456789ABCDEF\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, ready := program(t, "ottsim", "--listen", "127.0.0.1:0", "--merchant-id", "ON00000000", "--sign-key-file", key)
	s.sim = ready["gateway"].(string)
	text := "[gateway]\nmerchant_id = \"ON00000000\"\noperator_id = \"0000000696\"\ncall_back_url = \"https://example.com/cb\"\nsign_key_file = \"" + key +
		"\"\nurl = \"" + s.sim + "\"\n[sale]\n" + sale
	if err := os.WriteFile(filepath.Join(s.dir, "payterm.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start()
	return s
}

func (s *shop) start() {
	cmd, ready := program(s.t, "payterm", "emulate", "--config", filepath.Join(s.dir, "payterm.toml"), "--listen", "127.0.0.1:0",
		"--data", filepath.Join(s.dir, "data"), "--scale", "20")
	s.agent, s.panel = cmd, ready["panel"].(string)
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

func (s *shop) call(method, url string, in any) []byte {
	s.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		s.t.Fatalf("%s %s: HTTP %d %s %v", method, url, resp.StatusCode, out, err)
	}
	return out
}

func (s *shop) post(url string, in any) []byte { return s.call("POST", url, in) }
func (s *shop) screen() string                 { return string(s.call("GET", s.panel+"/emu/display.txt", nil)) }

func (s *shop) waitScreen(name string) string {
	s.t.Helper()
	for end := time.Now().Add(15 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if words := s.screen(); strings.HasPrefix(words, "screen: "+name+"\n") {
			return words
		} else if time.Now().After(end) {
			s.t.Fatalf("no screen %s, but %s", name, words)
		}
	}
}

func (s *shop) keys(keys ...string) { s.post(s.panel+"/emu/key", map[string]any{"keys": keys}) }

func (s *shop) wallet(bizType string, password bool) string {
	var w struct{ Code string }
	if err := json.Unmarshal(s.post(s.sim+"/sim/wallets", map[string]any{"biz_type": bizType, "balance_minor": 5000, "needs_password": password}), &w); err != nil {
		s.t.Fatal(err)
	}
	return w.Code
}

func (s *shop) scan(code string) { s.post(s.panel+"/emu/scan", map[string]string{"code": code}) }

func (s *shop) fault(action, fault string) {
	s.post(s.sim+"/sim/faults", map[string]any{"action": action, "fault": fault, "times": 1})
}

func (s *shop) orders() []payterm.Order {
	s.t.Helper()
	out, err := exec.Command(filepath.Join(bin, "payterm"), "journal", "list", "--json", "--data", filepath.Join(s.dir, "data")).Output()
	var list struct{ Orders []payterm.Order }
	if err != nil || json.Unmarshal(out, &list) != nil {
		s.t.Fatalf("journal list: %s %v", out, err)
	}
	return list.Orders
}

type row struct {
	ID       string `json:"order_id"`
	Status   string
	CodeURL  string `json:"code_url"`
	Requests []struct{ Action string }
}

func (s *shop) ledger() []row {
	var l struct{ Orders []row }
	if err := json.Unmarshal(s.call("GET", s.sim+"/sim/orders", nil), &l); err != nil {
		s.t.Fatal(err)
	}
	return l.Orders
}

// payments counts the requests of an order that could move money.
func (r row) payments() (n int) {
	for _, q := range r.Requests {
		if q.Action == "PASSIVEPAY" || q.Action == "ACTIVEPAY" {
			n++
		}
	}
	return n
}

func TestPassive(t *testing.T) {
	s := newShop(t, "")
	code := s.wallet("WECHATPAY", false)
	s.keys("1", "2", "3", "4", "ENTER")
	s.waitScreen("scan")
	s.scan(code)
	s.waitScreen("approved")
	paper := ""
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end) && strings.Count(paper, "--- cut ---") < 2; time.Sleep(50 * time.Millisecond) {
		paper = string(s.call("GET", s.panel+"/emu/paper.txt", nil))
	}
	o := s.orders()[0]
	if o.Outcome != payterm.Approved || o.PaidMinor != 1234 || o.Wallet != payterm.WeChatPay {
		t.Errorf("order %+v", o)
	}
	if !strings.Contains(paper, "APPROVED") || !strings.Contains(paper, "12.34") || !strings.Contains(paper, string(o.ID)) || strings.Contains(paper, code) {
		t.Errorf("paper:\n%s", paper)
	}
	db, err := os.ReadFile(filepath.Join(s.dir, "data", "payterm.db-wal"))
	if err != nil || bytes.Contains(db, []byte(code)) || bytes.Contains(db, []byte("0123456789ABCDEF")) {
		t.Errorf("a secret is in the journal, or it cannot be read: %v", err)
	}
	// A password wallet: the customer types it, the inquiry finds out.
	s.keys("5", "0", "0", "ENTER")
	s.waitScreen("scan")
	s.scan(s.wallet("ALIPAY", true))
	s.waitScreen("waiting")
	s.post(s.sim+"/sim/orders/"+string(s.orders()[1].ID)+"/pay", nil)
	s.waitScreen("approved")
	// A code that served before is refused at the terminal.
	s.keys("1", "0", "0", "ENTER")
	s.waitScreen("scan")
	s.scan(code)
	time.Sleep(300 * time.Millisecond)
	if words := s.screen(); !strings.Contains(words, "used before") {
		t.Errorf("a used code: %s", words)
	}
	s.scan("281234567890123456") // nobody's code: refused, asked about, declined
	s.waitScreen("declined")
}

func decode(t *testing.T, img image.Image) (string, error) {
	t.Helper()
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	found, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	if err != nil {
		return "", err
	}
	return found.GetText(), nil
}

func TestActive(t *testing.T) {
	s := newShop(t, "inquiry_interval = \"300ms\"\n")
	s.keys("7", "0", "0", "F1")
	s.waitScreen("choose_wallet")
	s.keys("1")
	s.waitScreen("show_code")
	time.Sleep(300 * time.Millisecond) // the frame goes over the bus
	img, err := png.Decode(bytes.NewReader(s.call("GET", s.panel+"/emu/display.png", nil)))
	if err != nil {
		t.Fatal(err)
	}
	l := s.ledger()[0]
	if text, err := decode(t, img); err != nil || text != l.CodeURL {
		t.Fatalf("the glass shows %q (%v), the gateway gave %q", text, err, l.CodeURL)
	}
	altered := image.NewRGBA(img.Bounds())
	for y := range 320 {
		for x := range 240 {
			altered.Set(x, y, img.At(x, y))
			if x > 90 && x < 200 && y > 110 && y < 200 {
				altered.Set(x, y, color.White)
			}
		}
	}
	if text, err := decode(t, altered); err == nil && text == l.CodeURL {
		t.Error("an altered frame reads the same: this test proves nothing")
	}
	s.post(s.sim+"/sim/orders/"+l.ID+"/pay", nil)
	s.waitScreen("approved")
	if o := s.orders()[0]; o.Outcome != payterm.Approved || o.Mode != payterm.Active {
		t.Errorf("order %+v", o)
	}
}

// TestKilled kills the agent while a sale waits; the order resolves in the next
// life and nothing is sent twice.
func TestKilled(t *testing.T) {
	s := newShop(t, "")
	s.fault("PASSIVEPAY", "drop_after_apply")
	s.keys("1", "2", "3", "4", "ENTER")
	s.waitScreen("scan")
	s.scan(s.wallet("ALIPAY", false))
	s.waitScreen("waiting")
	if err := s.agent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	s.agent.Wait() //nolint:errcheck // it was killed
	s.start()
	for end := time.Now().Add(15 * time.Second); s.orders()[0].Outcome != payterm.Approved && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
	o, l := s.orders()[0], s.ledger()[0]
	if o.Outcome != payterm.Approved || o.Attention != payterm.AttentionLatePayment || l.payments() != 1 || l.Status != "success" {
		t.Errorf("journal %+v, ledger %+v", o, l)
	}
}

// TestSaleCommand checks the exit status of each outcome.
func TestSaleCommand(t *testing.T) {
	s := newShop(t, "passive_counter = \"2s\"\nfirst_inquiry = \"300ms\"\ninquiry_interval = \"300ms\"\nscan_timeout = \"1s\"\nhttp_timeout = \"1s\"\n")
	sale := func(args ...string) (int, payterm.Order) {
		t.Helper()
		cmd := exec.Command(filepath.Join(bin, "payterm"), append([]string{"sale", "--json", "--data", filepath.Join(s.dir, "data")}, args...)...)
		out, err := cmd.Output()
		var exit *exec.ExitError
		status := 0
		if errors.As(err, &exit) {
			status = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		var o payterm.Order
		if status != 2 {
			if err := json.Unmarshal(out, &o); err != nil {
				t.Fatalf("%v: %q", args, out)
			}
		}
		return status, o
	}
	scanned := func(code string) {
		go func() {
			for range 100 {
				if strings.HasPrefix(s.screen(), "screen: scan") {
					s.scan(code)
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}()
	}
	if status, o := sale("--mode", "passive", "--amount", "1.00"); status != 11 || o.Reason != payterm.ReasonNoScan {
		t.Errorf("nobody scans: %d %s", status, o.Reason)
	}
	s.fault("ACTIVEPAY", "drop_after_apply")
	if status, o := sale("--mode", "active", "--amount", "2.00", "--wallet", "ALIPAY"); status != 13 || o.Reason != payterm.ReasonNoCode {
		t.Errorf("no code: %d %s", status, o.Reason)
	}
	scanned(s.wallet("ALIPAY", false))
	status, first := sale("--mode", "passive", "--amount", "3.00", "--idempotency-key", "k1")
	if status != 0 {
		t.Errorf("paid: %d %+v", status, first)
	}
	if status, again := sale("--mode", "passive", "--amount", "3.00", "--idempotency-key", "k1"); status != 0 || again.ID != first.ID {
		t.Errorf("same key: %d %s, want %s", status, again.ID, first.ID)
	}
	if status, _ := sale("--mode", "passive", "--amount", "4.00", "--idempotency-key", "k1"); status != 2 {
		t.Errorf("same key, another amount: %d", status)
	}
	s.fault("PASSIVEPAY", "drop_before_apply")
	scanned(s.wallet("ALIPAY", false))
	status, doubt := sale("--mode", "passive", "--amount", "5.00")
	if status != 12 || doubt.Outcome != payterm.InDoubt {
		t.Errorf("lost: %d %+v", status, doubt)
	}
	if status, o := sale("--mode", "passive", "--amount", "5.00"); status != 13 || o.Reason != payterm.ReasonPossibleDuplicate || o.Despite != doubt.ID {
		t.Errorf("second sale: %d %+v", status, o)
	}
	scanned(s.wallet("ALIPAY", false))
	if status, o := sale("--mode", "passive", "--amount", "5.00", "--despite", string(doubt.ID)); status != 0 {
		t.Errorf("despite: %d %+v", status, o)
	}
}

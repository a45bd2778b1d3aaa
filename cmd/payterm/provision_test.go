package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"payterm"
	"payterm/config"
	"payterm/provision"
	"payterm/screen"
	"payterm/terminal/setup"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

const (
	firstKey  = "FIRSTsignKEY0001"
	secondKey = "SECONDsignKEY002"
)

// depot makes parcels and has a new terminal.
type depot struct {
	shop
	signer, trust string
	logs          string
	codes         []string
}

func newDepot(t *testing.T) *depot {
	d := &depot{shop: shop{t: t, dir: t.TempDir()}}
	d.data = filepath.Join(d.dir, "data")
	d.signer, d.trust, d.logs = filepath.Join(d.dir, "fleet.key"), filepath.Join(d.dir, "signers"),
		filepath.Join(d.dir, "log")
	write(t, d.trust, d.newSigner(d.signer))
	key := filepath.Join(d.dir, "key")
	write(t, key, firstKey)
	_, ready := program(t, "ottsim", "--listen", "127.0.0.1:0", "--merchant-id", "ON00000000", "--sign-key-file", key)
	d.sim = ready["gateway"].(string)
	return d
}

// do runs payterm and returns its output; a failure is a text.
func (d *depot) do(stdin string, args ...string) (string, string) {
	d.t.Helper()
	cmd := exec.CommandContext(d.t.Context(), filepath.Join(bin, "payterm"), args...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, wrong bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &wrong
	if err := cmd.Run(); err != nil {
		return out.String(), wrong.String() + err.Error()
	}
	return out.String(), ""
}

func (d *depot) newSigner(path string) string {
	d.t.Helper()
	out, wrong := d.do("", "provision", "make", "--new-signer", "--signer", path)
	if wrong != "" {
		d.t.Fatal(wrong)
	}
	return out
}

// TestDesk: a second --new-signer returns the existing signer's line, existing files are not
// overwritten, and that is checked before a code is drawn; the example is a configuration.
func TestDesk(t *testing.T) {
	d := &depot{shop: shop{t: t, dir: t.TempDir()}}
	at := func(name string) string { return filepath.Join(d.dir, name) }
	first, said := d.do("", "provision", "make", "--new-signer", "--signer", at("fleet.key"))
	if again, wrong := d.do("", "provision", "make", "--new-signer", "--signer", at("fleet.key")); said != "" ||
		wrong != "" || again != first || first == "" {
		t.Errorf("the signer's line was %q %s, and then %q %s", first, said, again, wrong)
	}
	write(t, at("no.key"), "something else")
	if out, wrong := d.do("", "provision", "make", "--new-signer", "--signer", at("no.key")); out != "" ||
		!strings.Contains(wrong, "no signer's secret file") {
		t.Errorf("a file that is no signer's: %q %s", out, wrong)
	}
	example, err := os.ReadFile("../../testdata/config/example.toml")
	if err != nil {
		t.Fatal(err)
	}
	filled := string(example)
	for key, value := range map[string]string{
		"name": "Corner shop", "url": "https://example.com/processV2", "merchant_id": "ON00000000",
		"operator_id": "0000000696", "call_back_url": "https://example.com/cb",
	} {
		filled = strings.Replace(filled, "\n"+key+" = \"\"", "\n"+key+" = \""+value+"\"", 1)
	}
	write(t, at("merchant.toml"), filled)
	write(t, at("key"), firstKey)
	args := []string{"provision", "make", "--config", at("merchant.toml"), "--sign-key-file", at("key"), "--signer",
		at("fleet.key"), "--out", at("t.ppv"), "--qr", at("t.png")}
	if out, wrong := d.do("", args...); wrong != "" || !strings.HasPrefix(out, "code: ") {
		t.Errorf("the example with what the gateway assigns: %q %s", out, wrong)
	}
	d.board(filled)
	if err := os.Remove(at("t.ppv")); err != nil {
		t.Fatal(err)
	}
	out, wrong := d.do("", args...)
	if _, err := os.Stat(at("t.ppv")); err == nil || out != "" || !strings.Contains(wrong, "t.png is there already") {
		t.Errorf("over a picture: %q %s; %v", out, wrong, err)
	}
}

// board installs parcels on a terminal whose image has a board: the board stays, whatever the
// example says, and another board is refused by name.
func (d *depot) board(filled string) {
	d.t.Helper()
	at := func(name string) string { return filepath.Join(d.dir, name) }
	const own = "raspberrypi-spi-st7789"
	write(d.t, at("factory.toml"), "[terminal]\nboard = \""+own+"\"\n")
	line, err := os.ReadFile(at("fleet.key"))
	if err != nil {
		d.t.Fatal(err)
	}
	signer, err := provision.ReadSigner(string(line))
	if err != nil {
		d.t.Fatal(err)
	}
	write(d.t, at("signers"), provision.PublicLine(signer)+"\n")
	for name, c := range map[string]struct{ board, refused string }{
		"example": {"emulated", ""}, "own": {own, ""}, "another": {"raspberrypi-i2c-ssd1306",
			`terminal.board: "raspberrypi-i2c-ssd1306": this terminal is "` + own + `"`},
	} {
		data := at("data-" + name)
		write(d.t, at(name+".toml"), strings.Replace(filled, "board = \"emulated\"", "board = \""+c.board+"\"", 1))
		out, wrong := d.do("", "provision", "make", "--config", at(name+".toml"), "--sign-key-file", at("key"),
			"--signer", at("fleet.key"), "--out", at(name+".ppv"))
		if wrong != "" {
			d.t.Fatal(wrong)
		}
		_, wrong = d.do(strings.TrimPrefix(out, "code: "), "provision", at(name+".ppv"), "--data", data, "--trust",
			at("signers"), "--config", at("factory.toml"))
		if (wrong == "") != (c.refused == "") || !strings.Contains(wrong, c.refused) {
			d.t.Errorf("%s: %s", name, wrong)
		}
		is, _, err := config.InForce(at("factory.toml"), data, nil)
		if err != nil || is.Terminal.Board != own || (is.Merchant.Name == "") != (c.refused != "") {
			d.t.Errorf("%s: board %q of %q, %v", name, is.Terminal.Board, is.Merchant.Name, err)
		}
	}
}

// parcel makes a parcel; more flags come last and win.
func (d *depot) parcel(key string, more ...string) (text, code string) {
	d.t.Helper()
	n := len(d.codes)
	merchant, secret, out := filepath.Join(d.dir, fmt.Sprintf("merchant%d.toml", n)),
		filepath.Join(d.dir, fmt.Sprintf("key%d", n)), filepath.Join(d.dir, fmt.Sprintf("%d.ppv", n))
	write(d.t, secret, key)
	write(d.t, merchant, fmt.Sprintf(`[terminal]
id = "T1"
board = "emulated"
data_dir = "/nowhere"
[merchant]
name = "Corner shop"
[gateway]
url = "%s/processV2"
merchant_id = "ON00000000"
operator_id = "0000000696"
call_back_url = "https://example.com/cb"
sign_key_file = "/nowhere/key"
[sale]
first_inquiry = "300ms"
inquiry_interval = "300ms"
inquiry_jitter = "0s"
`, d.sim))
	args := append([]string{"provision", "make", "--json", "--config", merchant, "--sign-key-file", secret,
		"--terminal", "T2", "--signer", d.signer, "--out", out, "--qr", out + ".png"}, more...)
	made, wrong := d.do("", args...)
	var m struct{ Code string }
	if wrong != "" || json.Unmarshal([]byte(made), &m) != nil {
		d.t.Fatalf("%v: %s %s", args, made, wrong)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		d.t.Fatal(err)
	}
	m.Code = strings.ReplaceAll(m.Code, " ", "")
	d.codes = append(d.codes, m.Code)
	return strings.TrimSpace(string(b)), m.Code
}

func (d *depot) boot(args ...string) {
	d.t.Helper()
	log, err := os.OpenFile(d.logs, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	defer log.Close()
	d.shop.agent, d.shop.panel = startLogged(d.t, log,
		append([]string{"emulate", "--unprovisioned", "--verbose", "--trust", d.trust, "--listen", "127.0.0.1:0",
			"--data", d.data, "--scale", "20"}, args...)...)
}

// startLogged starts payterm as program does, with its log in a file.
func startLogged(t testing.TB, log *os.File, args ...string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(bin, "payterm"), args...)
	cmd.Stderr = log
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
	var ready struct{ Panel string }
	if err := json.NewDecoder(out).Decode(&ready); err != nil {
		t.Fatalf("payterm is not ready: %v", err)
	}
	return cmd, ready.Panel
}

// says waits for a screen with these English words.
func (d *depot) says(name, words string) {
	d.t.Helper()
	shown := ""
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if shown = d.screen(); strings.HasPrefix(shown, "screen: "+name+"\n") && strings.Contains(shown, words) {
			return
		}
	}
	d.t.Fatalf("no screen %s with %q, but %s", name, words, shown)
}

func (d *depot) typed(code string) { d.keys(append(strings.Split(code, ""), "ENTER")...) }

func (d *depot) sells(wallet string) string {
	d.t.Helper()
	code := d.wallet(wallet, false)
	d.idles()
	d.keys("1", "2", "3", "4", "ENTER")
	d.waitScreen("scan")
	d.scan(code)
	d.waitScreen("approved")
	d.keys("ENTER")
	return code
}

// TestProvisionByScanner: a new terminal says what to do, refuses other codes, and sells after
// one scan and one typed code.
func TestProvisionByScanner(t *testing.T) {
	t.Parallel()
	d := newDepot(t)
	d.boot()
	d.says("setup", "Scan this terminal's provisioning code")
	foreign := filepath.Join(d.dir, "foreign.key")
	d.newSigner(foreign)
	text, _ := d.parcel(firstKey, "--signer", foreign)
	d.scan(text)
	d.says("setup", "does not trust")
	text, _ = d.parcel(firstKey, "--expires", "1s")
	time.Sleep(1100 * time.Millisecond)
	d.scan(text)
	d.says("setup", "It has expired")
	text, _ = d.parcel(firstKey, "--for", "ABCD-EFGH")
	d.scan(text)
	d.says("setup", "another device")
	older, _ := d.parcel(firstKey)
	device := ""
	for line := range strings.Lines(d.screen()) {
		if words := strings.Fields(line); len(words) == 2 && len(words[1]) == 9 && words[1][4] == '-' {
			device = words[1]
		}
	}
	text, code := d.parcel(firstKey, "--for", device)
	altered := []byte(text)
	altered[300] ^= 3 // A to B, and the like
	d.scan(string(altered))
	d.waitScreen("setup")
	d.scan("281234567890123456")
	d.says("setup", "no provisioning code")

	d.scan(text)
	d.says("setup_code", "12 digits")
	d.typed("000000000000")
	d.says("setup_code", "The code is wrong")
	d.typed(code)
	d.sells("ALIPAY")

	// The next run knows all of it, and takes newer parcels only.
	d.stop()
	d.boot()
	d.sells("WECHATPAY")
	d.scan(older)
	d.says("setup", "is installed already")
	d.keys("CANCEL")
	d.waitScreen("idle")
	d.scan("PPV1" + older[40:]) // of no signer
	if _, wrong := d.do(code+"\n", "provision", filepath.Join(d.dir, "3.ppv"), "--data", d.data, "--trust",
		d.trust); !strings.Contains(wrong, "one of") {
		t.Errorf("an older one: %s", wrong)
	}
	d.waitScreen("idle")
	if o := d.orders(); len(o) != 2 || !strings.HasPrefix(string(o[0].ID), "T2") {
		t.Errorf("orders %+v", o)
	}
	d.canaries()
}

// canaries looks for the secrets in everything that the terminal has written.
func (d *depot) canaries() {
	d.t.Helper()
	d.stop()
	looked := 0
	look := func(path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			d.t.Fatal(err)
		}
		looked++
		for _, secret := range append([]string{firstKey, secondKey}, d.codes...) {
			if bytes.Contains(text, []byte(secret)) {
				d.t.Errorf("a secret lies in %s", path)
			}
		}
	}
	err := filepath.WalkDir(d.data, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			look(path)
			if info, err := e.Info(); err != nil || info.Mode().Perm()&0o077 != 0 && strings.HasSuffix(path, ".key") {
				d.t.Errorf("%s: %v %v", path, info.Mode(), err)
			}
		}
		return err
	})
	look(d.logs)
	if err != nil || looked < 5 {
		d.t.Errorf("looked at %d files: %v", looked, err)
	}
}

// setUp provisions the terminal by scanner and keypad.
func (d *depot) setUp(key string) (text, code string) {
	d.t.Helper()
	text, code = d.parcel(key)
	d.boot()
	d.waitScreen("setup")
	d.scan(text)
	d.waitScreen("setup_code")
	d.typed(code)
	return text, code
}

// TestKeyChange: an order is open while the merchant's key changes; it is approved under the new
// key, and its code stays used.
func TestKeyChange(t *testing.T) {
	t.Parallel()
	d := newDepot(t)
	d.setUp(firstKey)
	used := d.sells("ALIPAY")

	d.waitScreen("idle")
	d.faults("PASSIVEPAY", "drop_after_apply", 1)
	d.faults("STATUS_QUERY", "drop_before_apply", 1000)
	d.keys("5", "00", "ENTER")
	d.waitScreen("scan")
	open := d.wallet("WECHATPAY", false)
	d.scan(open)
	d.waitScreen("waiting")
	d.call("POST", d.sim+"/sim/sign_key", map[string]string{"sign_key": secondKey})
	d.call("DELETE", d.sim+"/sim/faults", nil)
	time.Sleep(700 * time.Millisecond) // inquiries under the old key
	if o := d.orders(); o[1].Outcome != payterm.Open {
		t.Fatalf("under the wrong key it became %+v", o[1])
	}
	text, code := d.parcel(secondKey)
	// From a stick; the agent takes it at rest.
	stick := filepath.Join(d.dir, "stick")
	if err := os.Mkdir(stick, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(stick, "t2.ppv"), text+"\n")
	if out, wrong := d.do(code+"\n", "provision", stick, "--data", d.data, "--trust", d.trust, "--config",
		"/nowhere"); wrong != "" || !strings.Contains(out, "T2 of Corner shop") {
		t.Fatalf("%s %s", out, wrong)
	}
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if strings.HasPrefix(d.screen(), "screen: waiting") {
			d.keys("CANCEL") // leave it in doubt
		} else if !strings.HasPrefix(d.screen(), "screen: idle") {
			d.keys("ENTER")
		}
		if o := d.orders(); o[1].Outcome == payterm.Approved {
			break
		} else if time.Now().After(end) {
			t.Fatalf("%+v\n%s", o[1], d.screen())
		}
	}
	d.sells("ALIPAY") // with the new key
	d.idles()
	d.keys("1", "00", "ENTER")
	d.waitScreen("scan")
	d.scan(used)
	d.says("scan", "used")
	for _, r := range d.ledger() {
		if r.payments() != 1 {
			t.Errorf("%s was asked for %d times", r.ID, r.payments())
		}
	}
	d.keys("CANCEL")
	d.canaries()
}

// TestAnotherMerchantsParcel: a parcel of another merchant waits until the current merchant's
// open order is closed under the old key and its sales are in a Z. Glass, status and the
// installing command say so, and earlier sales cannot be refunded under the new key.
func TestAnotherMerchantsParcel(t *testing.T) {
	t.Parallel()
	d := newDepot(t)
	d.setUp(firstKey)
	d.sells("ALIPAY")
	d.waitScreen("idle")
	d.keys("5", "00", "ENTER") // left in doubt
	d.waitScreen("scan")
	d.scan(d.wallet("WECHATPAY", true))
	d.waitScreen("waiting")
	// A second CANCEL may come after the first has left the order: then it leaves the result.
	for end := time.Now().Add(2 * time.Minute); strings.HasPrefix(d.screen(),
		"screen: waiting"); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the order cannot be left: %s", d.screen())
		}
		d.keys("CANCEL")
	}
	d.keys("ENTER")
	first, second := d.sim, filepath.Join(d.dir, "second")
	write(t, second, secondKey)
	_, ready := program(t, "ottsim", "--listen", "127.0.0.1:0", "--merchant-id", "ON00000001", "--sign-key-file",
		second, "--currency", "JPY", "--seed", "2") // so that its wallets have other codes
	b, err := os.ReadFile(filepath.Join(d.dir, "merchant0.toml"))
	if err != nil {
		t.Fatal(err)
	}
	other := strings.NewReplacer("ON00000000", "ON00000001", first, ready["gateway"].(string), "[merchant]",
		"[merchant]\ncurrency = \"JPY\"").Replace(string(b))
	write(t, filepath.Join(d.dir, "other.toml"), other)
	_, code := d.parcel(secondKey, "--config", filepath.Join(d.dir, "other.toml"))
	out, wrong := d.do(code+"\n", "provision", filepath.Join(d.dir, "1.ppv"), "--json", "--data", d.data, "--trust",
		d.trust, "--config", "/nowhere")
	var brought struct {
		Waits  setup.Waits
		Serial uint64
	}
	if wrong != "" || json.Unmarshal([]byte(out), &brought) != nil || brought.Waits != setup.WaitsForAgent {
		t.Fatalf("%s %s", out, wrong)
	}
	type status struct {
		MerchantID string `json:"merchant_id"`
		Currency   string
		Waits      string
		Notice     struct{ Notice screen.Notice }
	}
	is := func() (is status) {
		t.Helper()
		out, wrong := d.do("", "status", "--json", "--data", d.data)
		if err := json.Unmarshal([]byte(out), &is); err != nil && wrong == "" {
			t.Fatalf("%s: %v", out, err)
		}
		return is
	}
	until := func(what string, want func(status) bool) {
		t.Helper()
		for end := time.Now().Add(60 * time.Second); !want(is()); time.Sleep(200 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: %+v\n%s", what, is(), d.screen())
			}
		}
	}
	until("an order is open", func(s status) bool {
		return s.Notice.Notice == screen.ParcelWaitsForOrders && strings.Contains(s.Waits, "queue list") &&
			s.MerchantID == "ON00000000"
	})
	d.has("idle", "New setup waits")
	// A newer parcel by the scanner replaces it.
	text, code := d.parcel(secondKey, "--config", filepath.Join(d.dir, "other.toml"))
	d.scan(text)
	d.waitScreen("setup_code")
	d.typed(code)
	d.has("idle", "New setup waits")
	said := d.log()
	for _, want := range []string{`msg="a parcel came" serial=`, `msg="a parcel is taken" serial=`,
		`msg="a parcel waits" serial=`, "for=orders"} {
		if !strings.Contains(said, want) {
			t.Errorf("the log does not have %s", want)
		}
	}
	if _, serial, err := config.Waiting(d.data); err != nil || serial <= brought.Serial {
		t.Errorf("%d waits, and before it %d: %v", serial, brought.Serial, err)
	}
	doubt := d.orders()[1]
	d.post(d.sim+"/sim/orders/"+string(doubt.ID)+"/pay", nil)
	until("paid, and in no Z", func(s status) bool {
		return s.Notice.Notice == screen.ParcelWaitsForZ && strings.Contains(s.Waits, "totals z") &&
			s.MerchantID == "ON00000000"
	})
	d.idles()
	d.has("idle", "lose the day (Z)")
	d.sells("ALIPAY") // selling goes on meanwhile
	if z := d.totals("z"); only(z).Count != 3 || only(z).Currency != "CAD" || only(z).MerchantID != "ON00000000" ||
		len(z.Open) != 0 {
		t.Errorf("%+v", z)
	}
	d.keys("ENTER") // leaves the result, if any
	until("the other merchant", func(s status) bool {
		return s.MerchantID == "ON00000001" && s.Currency == "JPY" &&
			s.Waits == ""
	})

	d.sim = ready["gateway"].(string)
	d.sells("ALIPAY")
	orders := d.orders()
	if o := orders[len(orders)-1]; o.MerchantID != "ON00000001" || o.Currency != "JPY" ||
		o.Outcome != payterm.Approved || o.PaidMinor != 1234 {
		t.Errorf("%+v", o)
	}
	if code, o := d.run("refund", string(orders[0].ID), "--amount", "1.00").end(); code != 13 ||
		o.Reason != payterm.ReasonOtherMerchant {
		t.Errorf("a refund of the old merchant's: exit status %d, %+v", code, o)
	}
	if code, rep := d.reconciled("--number", "1"); code != 1 || rep.Unknown != 3 ||
		!strings.Contains(rep.Differences[0].Why, "another merchant") {
		t.Errorf("reconcile: exit status %d, %+v", code, rep)
	}
	if z := d.totals("z"); z.Number != 2 || only(z).MerchantID != "ON00000001" || only(z).AmountMinor != 1234 ||
		only(z).Currency != "JPY" {
		t.Errorf("%+v", z)
	}
	for _, r := range d.ledger() {
		if r.payments() != 1 {
			t.Errorf("%s was asked for %d times", r.ID, r.payments())
		}
	}
	d.canaries()
}

// TestEditedMerchant: an edited configuration with another merchant or currency, while orders are
// open or in no Z, does not start: glass and status say what to do, nothing is asked of the
// gateway and nothing sold. With the old configuration, and the orders closed, it starts.
func TestEditedMerchant(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	file := filepath.Join(s.dir, "payterm.toml")
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	restart := func(text string) {
		t.Helper()
		write(t, file, text)
		if err := errors.Join(s.agent.Process.Signal(os.Interrupt), s.agent.Wait()); err != nil {
			t.Fatal(err)
		}
		s.boot()
	}
	sale := s.sold("12.34")
	asked := len(s.ledger()[0].Requests)
	for name, text := range map[string]string{
		"merchant": strings.Replace(string(before), "ON00000000", "ON00000001", 1),
		"currency": string(before) + "[merchant]\ncurrency = \"JPY\"\n",
	} {
		restart(text)
		s.has("fault", "ON00000000", "close the day")
		var is struct{ Fault string }
		out, complaint, err := ran(t, "", "status", "--json", "--data", s.data)
		if err != nil || json.Unmarshal([]byte(out), &is) != nil ||
			!strings.Contains(is.Fault, "put the old configuration back") {
			t.Errorf("%s: %v %s %s", name, err, out, complaint)
		}
		if code, o := s.begin("--mode", "passive", "--amount", "5").end(); code != 13 ||
			o.Reason != payterm.ReasonStorage {
			t.Errorf("%s: exit status %d, %+v", name, code, o)
		}
	}
	if rows := s.ledger(); len(rows) != 1 || len(rows[0].Requests) != asked {
		t.Errorf("%+v", rows)
	}
	restart(string(before))
	s.waitScreen("idle")
	if z := s.totals("z"); only(z).AmountMinor != 1234 || only(z).Currency != "CAD" {
		t.Errorf("%+v", z)
	}
	restart(string(before) + "[merchant]\ncurrency = \"JPY\"\n")
	s.waitScreen("idle")
	if o := s.status(sale.ID); o.Currency != "CAD" || o.PaidMinor != 1234 {
		t.Errorf("%+v", o)
	}
}

// TestTillOverParcels: a till sells, and repeats requests with the same key, while parcel after
// parcel comes and replies are lost. Each sale is paid once.
func TestTillOverParcels(t *testing.T) {
	t.Parallel()
	d := newDepot(t)
	d.setUp(firstKey)
	d.waitScreen("idle")
	d.faults("PASSIVEPAY", "drop_after_apply", 3)
	const parcels, sales = 4, 9
	for range parcels {
		d.parcel(firstKey)
	}
	installed := make(chan string)
	go func() {
		defer close(installed)
		for i := range parcels {
			time.Sleep(1700 * time.Millisecond)
			if _, wrong := d.do(d.codes[i+1]+"\n", "provision", filepath.Join(d.dir, fmt.Sprintf("%d.ppv", i+1)),
				"--data", d.data, "--trust", d.trust, "--config", "/nowhere"); wrong != "" {
				installed <- wrong
			}
		}
	}()
	asked := 0
	for n := range sales {
		time.Sleep(time.Duration(n%3) * 800 * time.Millisecond) // time for a parcel
		// by then the last parcel is in use: its self test begins
		if n == sales-1 {
			for wrong := range installed {
				t.Error(wrong)
			}
			serial, err := os.Readlink(filepath.Join(d.data, "provision", "current"))
			for end := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) {
				if text, _ := os.ReadFile(filepath.Join(d.data, "doctor.json")); err == nil &&
					bytes.Contains(text, []byte(serial)) {
					break
				}
				if time.Now().After(end) {
					t.Fatalf("%v: nobody takes up %s: %s", err, serial, d.screen())
				}
			}
		}
		for paid := false; !paid; asked++ {
			if asked == 100 {
				t.Fatalf("it sells nothing: %s", d.screen())
			}
			r := d.begin("--mode", "passive", "--amount", "3.00", "--idempotency-key", fmt.Sprint("till", n))
			ended := make(chan struct{})
			go func() {
				r.cmd.Wait() //nolint:errcheck // its status is looked at below
				close(ended)
			}()
			for waits := true; waits; {
				_, shown := d.try("GET", d.panel+"/emu/display.txt", nil)
				if strings.HasPrefix(shown, "screen: scan\n") {
					d.scan(d.wallet("ALIPAY", false))
				}
				select {
				case <-ended:
					waits = false
				case <-time.After(50 * time.Millisecond):
				}
			}
			if paid = r.cmd.ProcessState.ExitCode() == 0; paid {
				d.keys("ENTER")
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	approved, charged, starts := 0, 0, map[payterm.OrderID]bool{}
	for _, o := range d.orders() {
		starts[o.ID[:len("T2AAAAA")]] = true
		if o.Outcome == payterm.Approved {
			approved++
		}
	}
	for _, r := range d.ledger() {
		if r.Paid > 0 {
			charged++
		}
		if r.payments() > 1 {
			t.Errorf("%s was asked for %d times", r.ID, r.payments())
		}
	}
	if approved != sales || charged != sales {
		t.Errorf("%d sales: %d approved, %d charged", sales, approved, charged)
	}
	if len(starts) < 2 {
		t.Error("no parcel came between two sales")
	}
	t.Logf("asked %d times, of %d starts", asked, len(starts))
}

// TestWrongKeyIsTold: a key that the gateway does not know is told apart from a gateway that does
// not answer, on the screen and by the doctor.
func TestWrongKeyIsTold(t *testing.T) {
	t.Parallel()
	d := newDepot(t)
	d.setUp(secondKey)
	for end := time.Now().Add(never); !strings.Contains(d.waitScreen("idle"),
		"Gateway: it refuses the key. Get a new parcel"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(d.screen())
		}
	}
	if out, _ := d.do("", "doctor", "--data", d.data); !strings.Contains(out, "fail  network key ") ||
		!strings.Contains(out, "ok    network answer ") {
		t.Error(out)
	}
}

// TestParcelAsPicture: the picture is a QR code of the parcel's text.
func TestParcelAsPicture(t *testing.T) {
	t.Parallel()
	d := newDepot(t)
	text, _ := d.parcel(firstKey)
	b, err := os.ReadFile(filepath.Join(d.dir, "0.ppv.png"))
	if err != nil {
		t.Fatal(err)
	}
	var img image.Image
	if img, err = png.Decode(bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	bits, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	read, err := qrcode.NewQRCodeReader().Decode(bits,
		map[gozxing.DecodeHintType]interface{}{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil || read.GetText() != text {
		t.Errorf("%v", err)
	}
	t.Logf("%d characters, %v", len(text), img.Bounds().Max)
}

// TestEveryRefusalHasWords: each refusal has words of its own in each language.
func TestEveryRefusalHasWords(t *testing.T) {
	for _, language := range payterm.Languages {
		seen := map[string]bool{}
		for _, r := range provision.Reasons {
			s := screen.Setup(screen.SetupView{Refused: string(r)}, screen.Options{Language: language})
			if s.Tone != payterm.Bad || len(s.Lines) != 2 || seen[s.Lines[0]] {
				t.Errorf("%s: %s: %+v", language, r, s)
			} else {
				seen[s.Lines[0]] = true
			}
		}
	}
}

// TestDamagedParcelIsMended: the installed parcel is lost, but the board is known. On an image
// nobody can log in, so the terminal waits for a new parcel and says so.
func TestDamagedParcelIsMended(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(data string) error{
		"nothing behind the link": func(string) error { return nil },
		"an empty file": func(data string) error {
			return errors.Join(os.MkdirAll(filepath.Join(data, "provision", "17"), 0o700),
				os.WriteFile(filepath.Join(data, "provision", "17", "payterm.toml"), nil, 0o600))
		},
		"a key of another device": func(data string) error {
			dir := filepath.Join(data, "provision", "17")
			text := "[terminal]\nid = \"T2\"\nboard = \"none\"\n[merchant]\nname = \"Corner shop\"\n[gateway]\n" +
				"url = \"https://example.com\"\nmerchant_id = \"ON00000000\"\noperator_id = \"0000000696\"\n" +
				"call_back_url = \"https://example.com/cb\"\nsign_key_file = \"" + filepath.Join(dir, "sign.key") + "\"\n"
			return errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, "payterm.toml"), []byte(text),
				0o600),
				os.WriteFile(filepath.Join(dir, "sign.key"), []byte("payterm-sealed-1 AAAA\n"), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			data := filepath.Join(dir, "data")
			if err := errors.Join(os.MkdirAll(filepath.Join(data, "provision"), 0o700),
				os.Symlink("17", filepath.Join(data, "provision", "current")), damage(data)); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, "board.toml"),
				"board = \"none\"\n[scanner]\ndevice = \"/dev/tty-none\"\nbaud = 9600\n")
			write(t, filepath.Join(dir, "payterm.toml"), "[terminal]\nboard = \""+dir+"/board.toml\"\ndata_dir = \""+
				data+"\"\n")
			pid1 := newSystemd(t)
			cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "payterm"), "run", "--config",
				filepath.Join(dir, "payterm.toml"))
			var log bytes.Buffer
			cmd.Stderr = &log
			cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+pid1.path)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if said := pid1.wait("READY=1"); !strings.Contains(said, "not provisioned") {
				t.Errorf("systemd is told %q", said)
			}
			if err := errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()); err != nil {
				t.Errorf("the end: %v", err)
			}
			if !strings.Contains(log.String(), "cannot be used") {
				t.Errorf("it does not say why: %s", log.String())
			}
		})
	}
}

// TestRunOutOfTheBox: on real hardware too, a terminal without configuration waits for a parcel
// if it knows its board, and tells systemd.
func TestRunOutOfTheBox(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "board.toml"), "board = \"none\"\n[scanner]\ndevice = \"/dev/tty-none\"\nbaud = 9600\n")
	pid1 := newSystemd(t)
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "payterm"), "run", "--config",
		filepath.Join(dir, "none.toml"))
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+pid1.path, "PAYTERM_TERMINAL_BOARD="+dir+"/board.toml",
		"PAYTERM_TERMINAL_DATA_DIR="+dir+"/data")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if said := pid1.wait("READY=1"); !strings.Contains(said, "not provisioned") {
		t.Errorf("systemd is told %q", said)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the end: %v", err)
	}
	if key, err := config.DeviceKey(filepath.Join(dir, "data")); err != nil || len(key) != 32 {
		t.Errorf("its device key: %v", err)
	}
}

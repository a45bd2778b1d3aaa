package config

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/flows/order"
)

var update = flag.Bool("update", false, "write the golden files anew")

const testdata = "../testdata/config"

func read(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(testdata, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// without clears the record of where the keys were set, so that configurations can be compared.
func without(c Config) Config {
	c.origin = nil
	return c
}

// TestExample: the example contains every key, with a comment and its default.
func TestExample(t *testing.T) {
	text := read(t, "example.toml")
	c, err := Parse("example.toml", text, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := Default(); !reflect.DeepEqual(without(c), want) {
		t.Errorf("the example is\n%+v, the defaults are\n%+v", without(c), want)
	}
	keys, _ := c.keys()
	for _, k := range keys {
		if !c.origin.set[k.dotted] {
			t.Errorf("the example lacks %s", k.dotted)
		}
	}
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		if strings.Contains(line, "=") && !strings.HasPrefix(line, "#") && !strings.HasPrefix(lines[i-1], "#") {
			t.Errorf("line %d has no comment above: %s", i+1, line)
		}
	}
}

func TestDefaultsAreTheFlows(t *testing.T) {
	if problems := Default().Check(); len(problems) > 0 {
		t.Errorf("the defaults do not pass: %v", problems)
	}
	if got, want := Default().Rules(), order.DefaultRules(); got != want {
		t.Errorf("rules of the defaults\n%+v, the flows have\n%+v", got, want)
	}
}

func TestShop(t *testing.T) {
	c, err := Parse("shop.toml", read(t, "shop.toml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Terminal.ID, want.Terminal.Board, want.Terminal.Timezone = "SHOP01", "pi-st7789", "America/Vancouver"
	want.Merchant.Name = "Tea Shop"
	want.Gateway.URL = "https://frontapi.ottpay.com:443/processV2"
	want.Gateway.MerchantID, want.Gateway.OperatorID = "ON00000000", "0000000696"
	want.Gateway.SignKeyFile, want.Gateway.CallBackURL = "/etc/payterm/sign_key", "https://example.com/ott"
	want.Gateway.ActiveWallets = []payterm.Channel{payterm.Alipay}
	want.Gateway.Versions = map[string]string{"PASSIVEPAY": "1.1"}
	want.Sale.Ladder = []Duration{{5 * time.Second}, {time.Minute}}
	want.Sale.Tips = []int{10, 15}
	want.Sale.LatePayment = "keep"
	if !reflect.DeepEqual(without(c), want) {
		t.Errorf("read\n%+v, want\n%+v", without(c), want)
	}
	if missing := c.Missing(); len(missing) > 0 {
		t.Errorf("missing for a run: %v", missing)
	}
	r := c.Rules()
	if r.Ladder != (order.Ladder{5 * time.Second, time.Minute}) || !r.KeepLate {
		t.Errorf("rules %+v", r)
	}
}

// TestRefused compares the problems of each wrong file with the text beside it; -update rewrites the texts.
func TestRefused(t *testing.T) {
	names, err := filepath.Glob(filepath.Join(testdata, "bad_*.toml"))
	if err != nil || len(names) < 6 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	for _, name := range names {
		base := filepath.Base(name)
		t.Run(base, func(t *testing.T) {
			_, err := Parse(base, read(t, base), nil)
			if err == nil {
				t.Fatal("is accepted")
			}
			golden := strings.TrimSuffix(base, ".toml") + ".txt"
			if *update {
				if err := os.WriteFile(filepath.Join(testdata, golden), []byte(err.Error()+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(read(t, golden)); err.Error()+"\n" != want {
				t.Errorf("says\n%s\nwant\n%s", err, want)
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	file := []byte("[gateway]\noperator_id = \"1111111111\"\n[sale]\nmax_minor = 500\n")
	c, err := Parse("payterm.toml", file, []string{
		"HOME=/root",
		"PAYTERM_DATA=/tmp/data",
		"PAYTERM_CONFIG=/etc/payterm.toml", // another program's variable
		"PAYTERM_GATEWAY_URL=http://127.0.0.1:9090/processV2",
		"PAYTERM_GATEWAY_MERCHANT_ID=ON00000000",
		"PAYTERM_GATEWAY_SIGN_KEY_FILE=/tmp/key",
		"PAYTERM_GATEWAY_CALL_BACK_URL=https://example.com/cb?a=b",
		"PAYTERM_GATEWAY_ACTIVE_WALLETS=UNIONPAY, ALIPAY",
		"PAYTERM_GATEWAY_VERSIONS=PASSIVEPAY=1.1,ACTIVEPAY=1.1",
		"PAYTERM_SALE_MAX_MINOR=700",
		"PAYTERM_SALE_SCAN_TIMEOUT=30s",
		"PAYTERM_SALE_LADDER=2s,4s",
		"PAYTERM_SALE_TIPS=",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Terminal.DataDir = "/tmp/data"
	want.Gateway.URL, want.Gateway.MerchantID, want.Gateway.OperatorID = "http://127.0.0.1:9090/processV2",
		"ON00000000", "1111111111"
	want.Gateway.SignKeyFile, want.Gateway.CallBackURL = "/tmp/key", "https://example.com/cb?a=b"
	want.Gateway.ActiveWallets = []payterm.Channel{payterm.UnionPay, payterm.Alipay}
	want.Gateway.Versions = map[string]string{"PASSIVEPAY": "1.1", "ACTIVEPAY": "1.1"}
	want.Sale.MaxMinor = 700
	want.Sale.ScanTimeout = Duration{30 * time.Second}
	want.Sale.Ladder = []Duration{{2 * time.Second}, {4 * time.Second}}
	if !reflect.DeepEqual(without(c), want) {
		t.Errorf("read\n%+v, want\n%+v", without(c), want)
	}
}

func TestEnvironmentRefused(t *testing.T) {
	for _, c := range []struct{ entry, says string }{
		{"PAYTERM_SALE_MAX_FE_MINOR=1",
			"environment: PAYTERM_SALE_MAX_FE_MINOR: unknown variable; did you mean PAYTERM_SALE_MAX_FEE_MINOR?"},
		{"PAYTERM_API_NONSENSE_OF_ANY_KIND=1",
			"environment: PAYTERM_API_NONSENSE_OF_ANY_KIND: unknown variable; there are PAYTERM_API_LISTEN, PAYTERM_API_TOKEN_FILE"},
		{"PAYTERM_SALE_MAX_MINOR=12.34", `environment: PAYTERM_SALE_MAX_MINOR: "12.34" is no whole number`},
		{"PAYTERM_SALE_MAX_MINOR=0", "environment: PAYTERM_SALE_MAX_MINOR: 0: 1 to 1000000000 minor units"},
		{"PAYTERM_SALE_SCAN_TIMEOUT=60",
			`environment: PAYTERM_SALE_SCAN_TIMEOUT: "60" is no duration such as "60s" or "2h10m"`},
		{"PAYTERM_SALE_LADDER=4s,x",
			`environment: PAYTERM_SALE_LADDER: item 2: "x" is no duration such as "60s" or "2h10m"`},
		{"PAYTERM_SALE_TIPS=10,many", `environment: PAYTERM_SALE_TIPS: item 2: "many" is no whole number`},
		{"PAYTERM_GATEWAY_VERSIONS=1.1",
			"environment: PAYTERM_GATEWAY_VERSIONS: item 1: NAME=value is needed, such as PASSIVEPAY=1.1"},
		{"PAYTERM_GATEWAY_URL=http://frontapi.ottpay.com/processV2",
			"environment: PAYTERM_GATEWAY_URL: http:// is accepted on loopback only: https:// is needed"},
		{"PAYTERM_TERMINAL_LANGUAGE=de", `environment: PAYTERM_TERMINAL_LANGUAGE: "de": en, fr or zh is needed`},
		{"PAYTERM_DATA=", "environment: PAYTERM_DATA: is empty: a directory such as /var/lib/payterm"},
	} {
		_, err := Load("", []string{c.entry})
		if err == nil || !slices.Contains(strings.Split(err.Error(), "\n"), c.says) {
			t.Errorf("%s: says\n%v, want the line\n%s", c.entry, err, c.says)
		}
	}
}

// TestBoardBesideTheConfiguration: a profile beside the configuration is found by its name, whatever the
// working directory.
func TestBoardBesideTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "payterm.toml")
	profile := filepath.Join(dir, "ours.toml")
	for board, want := range map[string]string{
		"ours.toml": profile, "./ours.toml": profile, profile: profile, "emulated": "emulated",
		"other.toml": filepath.Join(dir, "other.toml"), "sub/ours.toml": filepath.Join(dir, "sub/ours.toml"),
		"ours": "ours", // no file beside
	} {
		if err := errors.Join(os.WriteFile(profile, nil, 0o600),
			os.WriteFile(file, fmt.Appendf(nil, "[terminal]\nboard = %q\n", board), 0o600)); err != nil {
			t.Fatal(err)
		}
		c, err := Load(file, nil)
		if err != nil || c.Terminal.Board != want {
			t.Errorf("%s: %s, %v", board, c.Terminal.Board, err)
		}
		if p := c.BoardProblem("why"); p.File != file || p.Line != 2 || p.Key != "terminal.board" {
			t.Errorf("%s: its place is %+v", board, p)
		}
	}
}

// TestBoardInTheWorkingDirectory: a profile in the working directory is not taken for one beside the configuration.
func TestBoardInTheWorkingDirectory(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(t.TempDir())
	file := filepath.Join(dir, "payterm.toml")
	if err := errors.Join(os.WriteFile("only.toml", nil, 0o600),
		os.WriteFile(file, []byte("[terminal]\nboard = \"only.toml\"\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if c, err := Load(file, nil); err != nil || c.Terminal.Board != filepath.Join(dir, "only.toml") {
		t.Errorf("%s, %v", c.Terminal.Board, err)
	}
	c, err := Load("", []string{"PAYTERM_TERMINAL_BOARD=only.toml"})
	if err != nil || c.Terminal.Board != "./only.toml" {
		t.Errorf("without a configuration: %s, %v", c.Terminal.Board, err)
	}
}

// TestProfileForAConfiguration: a board profile given in place of the configuration is reported as such, once.
func TestProfileForAConfiguration(t *testing.T) {
	for text, want := range map[string]string{
		"board = \"b\"\n[printer]\nbaud = 9600\n[keypad]\n": "c.toml:4: keypad: this file is a board profile, which " +
			"payterm board check reads; a configuration names it with board in [terminal]",
		"[terminal]\nid = \"T1\"\n[printer]\nbaud = 9600\n": "c.toml:3: printer: unknown section",
	} {
		_, err := Parse("c.toml", []byte(text), nil)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestLoad(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "absent.toml"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an absent file: %v", err)
	}
	c, err := Load("", nil)
	if err != nil || !reflect.DeepEqual(without(c), Default()) {
		t.Errorf("no file: %+v, %v", c, err)
	}
	var keys []string
	for _, p := range c.Missing() {
		keys = append(keys, p.Key)
	}
	if want := []string{"terminal.id", "terminal.board", "merchant.name", "gateway.url"}; !slices.Equal(keys, want) {
		t.Errorf("missing %q, want %q", keys, want)
	}
}

func TestSignKey(t *testing.T) {
	const secret = "6698851A525C9433"
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct{ name, path, says string }{
		{"plain", file("plain", secret, 0o600), ""},
		{"read only, with a line end", file("line", secret+"\n", 0o400), ""},
		{"white space around", file("white", " \t"+secret+"\r\n\n", 0o600), ""},
		{"group may read", file("group", secret, 0o640), "can be read by others than its owner (mode 0640)"},
		{"all may read", file("all", secret, 0o604), "can be read by others than its owner (mode 0604)"},
		{"short", file("short", secret[1:], 0o600), "has 15 characters, 16 are needed"},
		{"long", file("long", secret+"0", 0o600), "has 17 characters, 16 are needed"},
		{"binary", file("binary", secret[1:]+"\x00", 0o600), "at place 16"},
		{"empty", file("empty", "", 0o600), "has 0 characters"},
		{"a directory", dir, "is no regular file"},
		{"the key in place of its file", secret, "cannot be opened: no such file or directory"},
		{"none", "", "is missing"},
	} {
		cfg := Default()
		cfg.Gateway.SignKeyFile = c.path
		key, err := cfg.SignKey()
		switch {
		case c.says == "":
			if err != nil || string(key) != secret {
				t.Errorf("%s: %v", c.name, err)
			}
		case err == nil || !strings.Contains(err.Error(), c.says):
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		case strings.Contains(err.Error(), secret[1:]):
			t.Errorf("%s: the error shows the key: %v", c.name, err)
		}
	}
}

// TestSecretsHide: no way of printing a configuration shows the sign key or the hash of the PIN.
func TestSecretsHide(t *testing.T) {
	const secret, hash = "6698851A525C9433", "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
	c := Default()
	c.Supervisor.PINHash = hash
	whole := struct {
		Key SignKey
		C   Config
	}{SignKey(secret), c}
	body, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(whole), fmt.Sprintf("%v %+v %#v %s %q", whole, whole, whole, whole.Key,
		whole.Key), string(body)} {
		if strings.Contains(text, secret) || strings.Contains(text, hash[7:]) {
			t.Errorf("a secret is shown: %s", text)
		}
	}
}

func FuzzParse(f *testing.F) {
	names, err := filepath.Glob(filepath.Join(testdata, "*.toml"))
	if err != nil || len(names) == 0 {
		f.Fatal("no seeds")
	}
	for _, name := range names {
		f.Add(read(f, filepath.Base(name)), "PAYTERM_SALE_LADDER=4s,30s")
	}
	f.Add([]byte("sale = 1"), "PAYTERM_SALE_TIPS=,")
	f.Add([]byte("[[gateway]]\nurl = 1979-05-27"), "PAYTERM_GATEWAY_VERSIONS==")
	f.Fuzz(func(t *testing.T, text []byte, entry string) {
		c, err := Parse("fuzz.toml", text, []string{entry})
		if err == nil {
			if problems := c.Check(); len(problems) > 0 {
				t.Errorf("accepted with problems: %v", problems)
			}
			return
		}
		if !reflect.DeepEqual(c, Config{}) {
			t.Errorf("an error comes with a configuration: %+v", c)
		}
		for _, line := range strings.Split(err.Error(), "\n") {
			if strings.HasPrefix(line, "fuzz.toml") || strings.HasPrefix(line, "environment: ") {
				return // the first line names its place; later lines may be part of a quoted text
			}
		}
		t.Errorf("the error names no place: %v", err)
	})
}

// TestUnshown: on a display that has only letters, a Chinese configuration is a problem with its line.
func TestUnshown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.toml")
	if err := os.WriteFile(file, []byte("[terminal]\nid = \"SHOP01\"\nlanguage = \"zh\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Unshown(true); len(got) != 1 || !strings.Contains(got[0].Error(), "c.toml:3") ||
		!strings.Contains(got[0].Error(), "terminal.language: zh: the board's character display") ||
		!strings.Contains(got[0].Error(), "it can show en, fr;") {
		t.Errorf("%v", got)
	}
	if got := c.Unshown(false); got != nil {
		t.Errorf("of a glass with dots: %v", got)
	}
	if c.Terminal.Language = "fr"; c.Unshown(true) != nil {
		t.Error("French is shown")
	}
}

func TestOperators(t *testing.T) {
	const hash = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
	one := func(number, name, supervisor string) string {
		return "[[operators]]\nnumber = \"" + number + "\"\nname = \"" + name + "\"\npin_hash = \"" + hash + "\"\n" +
			supervisor
	}
	c, err := Parse("shop.toml", []byte("[terminal]\nday_starts = \"04:30\"\n"+one("7", "Marie", "")+
		one("9999", "Wei", "supervisor = true\n")), nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := []Operator{{"7", "Marie", hash, false}, {"9999", "Wei", hash, true}}; !slices.Equal(c.Operators, want) {
		t.Errorf("read %+v", c.Operators)
	}
	if d := c.Days(); d.Starts != 4*time.Hour+30*time.Minute || d.Zone.String() != "America/Toronto" {
		t.Errorf("days %+v", d)
	}
	if !c.NamedSupervisors() || !c.HasSupervisor() {
		t.Error("Wei is no supervisor")
	}
	if shown := fmt.Sprintf("%v %+v %#v", c.Operators, c.Operators, c.Operators); strings.Contains(shown, hash) {
		t.Errorf("a hash shows itself: %s", shown)
	}
	alone, err := Parse("shop.toml", []byte(one("7", "Marie", "")), nil)
	if err != nil || alone.NamedSupervisors() || alone.HasSupervisor() {
		t.Errorf("an operator alone: %v", err)
	}
}

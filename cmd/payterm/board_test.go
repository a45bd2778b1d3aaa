package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/boards"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

func TestBoardCommands(t *testing.T) {
	run := func(args ...string) (string, error) {
		out, err := exec.Command(filepath.Join(bin, "payterm"), append([]string{"board"}, args...)...).CombinedOutput()
		return string(out), err
	}
	list, err := run("list")
	if err != nil || len(boards.Names()) < 6 {
		t.Fatalf("%s %v", list, err)
	}
	for _, name := range boards.Names() {
		if !strings.Contains(list, name+" ") {
			t.Errorf("%s is not listed", name)
		}
		file := filepath.Join("..", "..", "boards", name+".toml")
		if out, err := run("check", file); err != nil || !strings.Contains(out, "is right") {
			t.Errorf("%s: %s %v", name, out, err)
		}
		table, err := run("show", name)
		if err != nil {
			t.Errorf("%s: %s", name, table)
		}
		// The wiring tables in the docs are these.
		doc := filepath.Join("..", "..", "docs", "boards", name+".md")
		text := fmt.Sprintf("# %s\n\n%s\nProfile: [boards/%s.toml](../../boards/%s.toml). "+
			"Its comments say what to set up on the board.\n", name, table, name, name)
		if *rewrite {
			if err := os.WriteFile(doc, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(doc); err != nil || string(got) != text {
			t.Errorf("%s is not what payterm board show says (%v): go test ./cmd/payterm -run BoardCommands -update",
				doc, err)
		}
	}
	if table, err := run("show", "raspberrypi-i2c-hd44780"); err != nil ||
		!strings.Contains(table, "| display, hd44780 | bus, address 0x27 | I2C1, pins 3 (SDA), 5 (SCL) |") ||
		!strings.Contains(table, "| keypad | row 1: 1 2 3 CANCEL | GPIO5, pin 29 |") {
		t.Errorf("%s %v", table, err)
	}
	bad := filepath.Join(t.TempDir(), "bad.toml")
	if err := os.WriteFile(bad, fmt.Appendf(nil, "board = \"b\"\n[printer]\nusb = \"/dev/usb/lp0\"\nlogo = %q\n", bad),
		0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := run("check", bad); err == nil || !strings.Contains(out, "bad.toml: printer.logo: ") {
		t.Errorf("a logo that is none: %s %v", out, err)
	}
	if err := os.WriteFile(bad,
		[]byte("board = \"b\"\n[display]\ncontroller = \"hd44780\"\ni2c = \"I2C1\"\ncolumns = 20\nrows = 3\n"),
		0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := run("check", bad); err == nil ||
		!strings.Contains(out, "bad.toml:5: display.columns: 20 by 3 rows") {
		t.Errorf("%s %v", out, err)
	}
	shown, err := run("show", "raspberrypi-spi-st7789", "--json")
	var board struct {
		Header string
		Wires  []struct{ Device, Signal, Wire, Pins string }
	}
	if err != nil || json.Unmarshal([]byte(shown), &board) != nil || board.Header != "raspberrypi" ||
		len(board.Wires) != 15 || board.Wires[len(board.Wires)-1].Pins != "pin 11" {
		t.Errorf("%s %v", shown, err)
	}
	listed, err := run("list", "--json")
	var known struct {
		Boards []struct{ Name, Board, Header string }
	}
	if err != nil || json.Unmarshal([]byte(listed), &known) != nil || len(known.Boards) != len(boards.Names()) {
		t.Errorf("%s %v", listed, err)
	}
	check := func(text string) (out string, found checked) {
		t.Helper()
		if err := os.WriteFile(bad, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(filepath.Join(bin, "payterm"), "board", "check", bad, "--json")
		said, _ := cmd.Output() // the output is checked, not the status
		if json.Unmarshal(said, &found) != nil || found.OK != (cmd.ProcessState.ExitCode() == 0) || found.File != bad {
			t.Errorf("%s, status %d", said, cmd.ProcessState.ExitCode())
		}
		out, _ = run("check", bad)
		return out, found
	}
	const printer = "[printer]\nusb = \"/dev/usb/lp0\"\n"
	out, found := check("board = \"Raspberry Pi\"\n" + printer + "dots = \"384\"\nspeed = fast\n")
	if len(found.Problems) != 1 || found.Problems[0].Line != 5 || found.Problems[0].Key != "printer.speed" ||
		!strings.Contains(out, "bad.toml:5: printer.speed: text needs quotes") {
		t.Errorf("%s %+v", out, found)
	}
	out, found = check("board = \"Raspberry Pi\"\n" + printer + "dots = \"384\"\n[signal]\nbuzzer = 5\n")
	if len(found.Problems) != 2 || !strings.Contains(out, "bad.toml:6: signal.buzzer: is a number; text in quotes") {
		t.Errorf("%s %+v", out, found)
	}
	out, found = check("board = \"Raspberry Pi\"\n" + printer + "[signal]\nbuzzer = \"GPIO99\"\n")
	if len(found.Problems) != 1 || !strings.Contains(out, "signal.buzzer: GPIO99 is not on the header") {
		t.Errorf("%s %+v", out, found)
	}
	out, found = check("board = \"Ours\"\n" + printer + "logo = \"/no/such.png\"\n[signal]\nbuzzer = \"GPIO99\"\n")
	if !found.OK || len(found.Warnings) != 1 || !strings.Contains(out, "its header is not known") {
		t.Errorf("%s %+v", out, found)
	}
	if out, err := run("check", "no-such-board", "--json"); err == nil || !strings.Contains(out, `{"error":"board profile:`) {
		t.Errorf("%s %v", out, err)
	}
	if out, err := run("check", "no-such-board"); err == nil || !strings.Contains(out, "payterm board list") {
		t.Errorf("%s %v", out, err)
	}
}

// TestEveryBoardRuns: each built-in board runs on emulated hardware, and its display shows something.
func TestEveryBoardRuns(t *testing.T) {
	t.Parallel()
	for _, name := range boards.Names() {
		_, ready := program(t, "payterm", "emulate", "--board", filepath.Join("..", "..", "boards", name+".toml"),
			"--listen", "127.0.0.1:0",
			"--data", t.TempDir(), "--scale", "20")
		panel := ready["panel"].(string)
		s := &shop{t: t, panel: panel}
		s.waitScreen("idle")
		lit := false
		for end := time.Now().Add(never); !lit && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			img, err := png.Decode(bytes.NewReader(s.call("GET", panel+"/emu/display.png", nil)))
			if err != nil {
				t.Fatal(err)
			}
			first := img.At(0, 0)
			for y := range img.Bounds().Dy() {
				for x := range img.Bounds().Dx() {
					lit = lit || img.At(x, y) != first
				}
			}
		}
		if !lit {
			t.Errorf("%s: nothing on the glass", name)
		}
		if resp := strings.TrimSpace(string(s.call("GET", panel+"/emu/violations.txt", nil))); resp != "" {
			t.Errorf("%s: the chips did not accept: %s", name, resp)
		}
	}
}

// TestSaleOnABoardThatTypes: a board whose scanner and keypad type like keyboards sells like any other: the
// amount comes from the keypad, the code from the scanner, and the result is heard and seen.
func TestSaleOnABoardThatTypes(t *testing.T) {
	t.Parallel()
	_, ready := program(t, "payterm", "emulate", "--board", "generic-evdev", "--listen", "127.0.0.1:0", "--data",
		t.TempDir(), "--scale", "20")
	s := &shop{t: t, panel: ready["panel"].(string), sim: ready["gateway"].(string)}
	s.waitScreen("idle")
	s.keys("1", "2", "CLEAR", "00", "5", "ENTER")
	s.waitScreen("scan")
	s.scan(s.wallet("ALIPAY", false))
	if words := s.waitScreen("approved"); !strings.Contains(words, "$10.05") || len(s.ledger()) != 1 {
		t.Errorf("%s %+v", words, s.ledger())
	}
	for _, device := range []string{"scanner", "keypad"} {
		s.post(s.panel+"/emu/unplug", map[string]string{"device": device})
		s.post(s.panel+"/emu/plug", map[string]string{"device": device})
	}
	if resp := strings.TrimSpace(string(s.call("GET", s.panel+"/emu/violations.txt", nil))); resp != "" {
		t.Errorf("the chips did not accept: %s", resp)
	}
}

// TestCodeOnPaper: a character display cannot show the code of an Active sale, so it is printed: once, with its
// expiry time, and the customer pays from the paper.
func TestCodeOnPaper(t *testing.T) {
	t.Parallel()
	_, ready := program(t, "payterm", "emulate", "--board", "raspberrypi-i2c-hd44780", "--listen", "127.0.0.1:0",
		"--data", t.TempDir(), "--scale", "20")
	s := &shop{t: t, panel: ready["panel"].(string), sim: ready["gateway"].(string)}
	s.keys("1", "2", "3", "4")
	if words := s.waitScreen("amount"); !strings.Contains(words, "[F1] print") ||
		strings.Index(words, "scan") > strings.Index(words, "[F1] print") {
		t.Errorf("the scanner is not offered first, or the paper is not told of: %s", words)
	}
	s.keys("F1")
	s.waitScreen("choose_wallet")
	s.keys("1")
	words := s.waitScreen("show_code")
	if !strings.Contains(words, "Hand out the code") {
		t.Errorf("the screen does not say where the code is: %s", words)
	}
	paper := func(until string) string {
		for end := time.Now().Add(never); ; time.Sleep(20 * time.Millisecond) {
			if p := string(s.call("GET", s.panel+"/emu/paper.txt", nil)); strings.Contains(p, until) ||
				time.Now().After(end) {
				return p
			}
		}
	}
	if slip := paper("Order "); !strings.Contains(slip, "Pay before ") || !strings.Contains(slip, "$12.34") ||
		!strings.Contains(slip, "This is no receipt") {
		t.Errorf("the slip: %s", slip)
	}
	rows := s.ledger()
	if len(rows) != 1 || rows[0].CodeURL == "" {
		t.Fatalf("%+v", rows)
	}
	img, err := png.Decode(bytes.NewReader(s.call("GET", s.panel+"/emu/paper.png", nil)))
	if err != nil {
		t.Fatal(err)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := qrcode.NewQRCodeReader().Decode(bitmap, nil); err != nil || text.GetText() != rows[0].CodeURL {
		t.Errorf("the paper reads %v (%v), the gateway gave %q", text, err, rows[0].CodeURL)
	}
	s.post(s.sim+"/sim/orders/"+rows[0].ID+"/pay", nil)
	s.waitScreen("approved")
	if slip := paper("Customer copy"); strings.Count(slip, "Pay before") != 1 {
		t.Errorf("the code was printed again: %s", slip)
	}
}

// TestCodeWithoutPaper: on a character display no Active sale begins, at the keypad or over the local API, while
// the printer is known to print nothing. If the paper runs out before the code is printed, the screen says so;
// the code is printed on the new roll, and once more with F2.
func TestCodeWithoutPaper(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	_, ready := program(t, "payterm", "emulate", "--board", "raspberrypi-i2c-hd44780", "--listen", "127.0.0.1:0",
		"--data", data, "--scale", "20")
	s := &shop{t: t, panel: ready["panel"].(string), sim: ready["gateway"].(string), data: data}
	shows := func(name string, texts ...string) {
		t.Helper()
		words := ""
		for end := time.Now().Add(never); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			words = s.waitScreen(name)
			if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(words, text) }) {
				return
			}
		}
		t.Errorf("the screen %s does not say %q: %s", name, texts, words)
	}
	for state, says := range map[string]string{"out": "No paper", "ok": ""} {
		s.post(s.panel+"/emu/printer", map[string]string{"paper": state, "cover": "closed"})
		if state == "ok" {
			s.post(s.panel+"/emu/printer", map[string]string{"cover": "open"})
			says = "Printer cover open"
		}
		shows("idle", says)
		s.keys("5", "F1")
		shows("refused", "Cannot print code", says, "Scan customer's code")
		s.keys("ENTER")
		s.waitScreen("idle")
		status, o := s.begin("--mode", "active", "--wallet", "ALIPAY", "--amount", "5.00").end()
		if status != 13 || o.Outcome != payterm.NotSent || o.Reason != payterm.ReasonNoPrinter || o.ID != "" {
			t.Errorf("the till's sale ended with %d: %+v", status, o)
		}
		s.keys("ENTER")
		s.waitScreen("idle")
	}
	if l := s.ledger(); len(l) != 0 {
		t.Fatalf("the gateway heard of %+v", l)
	}
	s.post(s.panel+"/emu/printer", map[string]string{"paper": "ok", "cover": "closed"})
	for end := time.Now().Add(never); strings.Contains(s.waitScreen("idle"), "cover"); {
		if time.Sleep(20 * time.Millisecond); time.Now().After(end) {
			t.Fatal("the screen says that the cover is open")
		}
	}
	s.faults("ACTIVEPAY", "delay 3000", 1)
	sale := s.begin("--mode", "active", "--wallet", "ALIPAY", "--amount", "5.00")
	s.waitScreen("sending")
	s.post(s.panel+"/emu/printer", map[string]string{"paper": "out"})
	s.waitScreen("show_code")
	shows("show_code", "No paper", "Code not printed")
	s.post(s.panel+"/emu/printer", map[string]string{"paper": "ok"})
	s.printsCode(s.ledger()[0].CodeURL)
	shows("show_code", "Hand out the code")
	for end := time.Now().Add(never); ; time.Sleep(200 * time.Millisecond) {
		s.keys("F2") // has no effect while the slip is in the printer
		if strings.Count(string(s.call("GET", s.panel+"/emu/paper.txt", nil)), "Pay before") > 1 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("F2 does not print the code again")
		}
	}
	s.post(s.sim+"/sim/orders/"+s.ledger()[0].ID+"/pay", nil)
	if status, o := sale.end(); status != 0 {
		t.Errorf("the sale ended with %d: %+v", status, o)
	}
}

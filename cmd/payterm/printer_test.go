package main

import (
	"encoding/json"
	"image"
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
)

// paperUntil waits for texts on the paper, in order.
func (s *shop) paperUntil(says ...string) string {
	s.t.Helper()
	for end := time.Now().Add(never); ; time.Sleep(10 * time.Millisecond) {
		p := string(s.call("GET", s.panel+"/emu/paper.txt", nil))
		rest, found := p, true
		for _, text := range says {
			if _, rest, found = strings.Cut(rest, text); !found {
				break
			}
		}
		if found {
			return p
		}
		if time.Now().After(end) {
			s.t.Fatalf("%q is not on paper:\n%s\nthe screen is %s", says, p, s.screen())
		}
	}
}

// kindOf is a board with another printer.
func kindOf(t *testing.T, printer string) string {
	t.Helper()
	text, err := boards.Read("emulated")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), "[printer]")
	_, after, _ := strings.Cut(rest, "[signal]")
	board := filepath.Join(t.TempDir(), "board.toml")
	if err := os.WriteFile(board, []byte(before+"[printer]\n"+printer+"\n[signal]"+after), 0o600); err != nil {
		t.Fatal(err)
	}
	return board
}

// newShopWith is a shop of its own simulator, whose board has such a printer.
func newShopWith(t *testing.T, printer string, more ...string) *shop {
	t.Helper()
	data := t.TempDir()
	_, ready := program(t, "payterm", append([]string{"emulate", "--board", kindOf(t, printer),
		"--listen", "127.0.0.1:0", "--data", data, "--scale", "10"}, more...)...)
	return &shop{t: t, panel: ready["panel"].(string), sim: ready["gateway"].(string), data: data}
}

// sells makes a sale by scanning a code.
func (s *shop) sells() {
	s.t.Helper()
	code := s.wallet("WECHATPAY", false)
	s.keys("1", "2", "3", "4", "ENTER")
	s.waitScreen("scan")
	s.scan(code)
	s.waitScreen("approved")
}

// screenUntil waits until a text is on the screen, or until it is not.
func (s *shop) screenUntil(says string, there bool) {
	s.t.Helper()
	for end := time.Now().Add(never); strings.Contains(s.screen(), says) != there; time.Sleep(20 *
		time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("%q on the screen: never %t: %s", says, there, s.screen())
		}
	}
}

// accepted checks that the emulated chips accepted everything.
func (s *shop) accepted() {
	s.t.Helper()
	if bad := strings.TrimSpace(string(s.call("GET", s.panel+"/emu/violations.txt", nil))); bad != "" {
		s.t.Errorf("the chips did not accept: %s", bad)
	}
}

// TestPrinterFallsSilent: a printer is switched off unnoticed after a sale: the next slips wait,
// cashier and status are told, and the slips are printed when it is on again.
func TestPrinterFallsSilent(t *testing.T) {
	t.Parallel()
	for name, printer := range map[string]string{
		"asked":   "device = \"/dev/ttyS2\"\nbaud = 115200\nstatus = true\ncut = true\n",
		"tells":   "device = \"/dev/ttyS2\"\nbaud = 115200\ntells = true\ncut = true\n",
		"network": "network = \"192.0.2.7:9100\"\nstatus = true\ncut = true\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShopWith(t, printer)
			power := func(how string) { s.post(s.panel+"/emu/printer", map[string]string{"power": how}) }
			s.sells()
			s.paperUntil("Merchant copy", "--- cut ---", "Customer copy", "--- cut ---")
			s.post(s.panel+"/emu/paper/tear", nil)
			power("off")
			s.sells()
			s.screenUntil("The printer does not answer", true)
			out, err := exec.Command(filepath.Join(bin, "payterm"), "status", "--json", "--data", s.data).Output()
			var status struct{ Paper payterm.PaperCondition }
			if err != nil || json.Unmarshal(out, &status) != nil || status.Paper != payterm.PaperUnreachable {
				t.Errorf("the status: %s, %v", out, err)
			}
			if p := string(s.call("GET", s.panel+"/emu/paper.txt", nil)); strings.Contains(p, "copy") {
				t.Errorf("printed while it was off:\n%s", p)
			}
			power("on")
			p := s.paperUntil("Merchant copy", "--- cut ---", "Customer copy", "--- cut ---")
			// The end of the first sale's last slip was not confirmed: that one may be printed
			// again.
			if _, second, _ := strings.Cut(p, "Merchant copy"); strings.Contains(second, "COPY") {
				t.Errorf("on paper is\n%s", p)
			}
			s.screenUntil("The printer does not answer", false)
			s.accepted()
		})
	}
}

// TestPrinterWakesUpInChinese: a printer is switched off, and starts in Chinese mode, with another national
// character set and the small font. The shop's accents are printed right, whatever its profile says about
// Chinese.
func TestPrinterWakesUpInChinese(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "payterm.toml")
	text := "[merchant]\nname = \"Café Montréal\"\naddress = \"1 rue de l'Église [#2]\"\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newShopWith(t, "usb = \"/dev/usb/lp0\"\nstatus = true\ncut = true\ncode_page = \"pc858\"\n",
		"--config", config)
	for _, state := range []string{"chinese", "france font_b chinese"} {
		s.post(s.panel+"/emu/printer", map[string]string{"wakes": state})
		s.post(s.panel+"/emu/paper/tear", nil)
		s.sells()
		s.paperUntil("Café Montréal", "1 rue de l'Église [#2]", "--- cut ---", "Customer copy", "--- cut ---")
	}
	s.accepted()
}

// TestPrinterFailsInTheMiddle: the paper ends, the cover is opened or the cable is unplugged in the middle of a
// slip. The sale's outcome stays, the cashier is told, and the slip is printed again on new paper: complete,
// after a cut, as a copy, and it opens the drawer once. This holds for every kind of printer.
func TestPrinterFailsInTheMiddle(t *testing.T) {
	t.Parallel()
	logo := filepath.Join(t.TempDir(), "logo.png")
	f, err := os.Create(logo)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, image.NewGray(image.Rect(0, 0, 64, 24))); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for name, printer := range map[string]string{
		"USB":     "usb = \"/dev/usb/lp0\"\nstatus = true\nchinese = \"gb18030\"\nlogo = \"" + logo + "\"\n",
		"network": "model = \"KR-306\"\nnetwork = \"192.0.2.7:9100\"\nstatus = true\nlogo = \"/no/such/logo.png\"\n",
		"tells":   "device = \"/dev/ttyS2\"\nbaud = 115200\ntells = true\nraster = \"esc_star\"\ndrawer = \"approved\"\n",
		"mute":    "model = \"ZJ-5870\"\ndevice = \"/dev/ttyS2\"\nbaud = 115200\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShopWith(t, printer+"cut = true\nspeed = 20\n")
			sensors := func(paper, cover string) {
				s.post(s.panel+"/emu/printer", map[string]string{"paper": paper, "cover": cover})
			}
			cable := func(what string) { s.post(s.panel+"/emu/"+what, map[string]string{"device": "printer"}) }
			sales := 0
			sale := func() {
				t.Helper()
				s.post(s.panel+"/emu/paper/tear", nil)
				code := s.wallet("WECHATPAY", false)
				s.keys("1", "2", "3", "4", "ENTER")
				s.waitScreen("scan")
				s.scan(code)
				sales++
			}
			sale()
			p := s.paperUntil("Merchant copy", "--- cut ---", "Customer copy", "APPROVED", "Thank you", "--- cut ---")
			if _, opened, _ := strings.Cut(p, "--- cut ---"); strings.Contains(opened,
				"--- drawer ---") != strings.Contains(printer, "drawer") {
				t.Errorf("the drawer: on paper is\n%s", p)
			}
			s.waitScreen("approved")
			for _, c := range []struct {
				what, corner string
				begin, end   func()
			}{
				{"the roll ends", "paper!", func() { sensors("out", "closed") }, func() { sensors("ok", "closed") }},
				{"the cover", "cover!", func() { sensors("ok", "open") }, func() { sensors("ok", "closed") }},
				{"the cable", "printer!", func() { cable("unplug") }, func() { cable("plug") }},
			} {
				for tries := 1; ; tries++ {
					sale()
					if head := s.paperUntil("Merchant copy"); !strings.Contains(head, "--- cut ---") {
						break
					}
					if tries == 10 {
						t.Fatalf("%s: the slip was whole before, %d times", c.what, tries)
					}
					s.paperUntil("Merchant copy", "--- cut ---", "Customer copy", "--- cut ---") // too late
					s.waitScreen("approved")
				}
				c.begin()
				s.waitScreen("approved")
				if name != "mute" || c.what == "the cable" {
					s.screenUntil(c.corner, true)
				}
				c.end() // the next slip may have begun; what is on paper stays
				copies, says := 0, []string{"Customer copy", "APPROVED", "Thank you", "--- cut ---"}
				if name != "mute" || c.what == "the cable" {
					copies, says = 1, slices.Concat([]string{"Merchant copy", "--- cut ---", "COPY", "Merchant copy",
						"APPROVED", "--- cut ---"}, says)
				}
				p := s.paperUntil(says...)
				opened := strings.Count(p, "--- drawer ---")
				if strings.Count(p, "COPY") != copies || opened > 1 || opened == 1 != strings.Contains(printer, "drawer") {
					t.Errorf("%s: %d copies and %d times the drawer; on paper is\n%s", c.what, copies, opened, p)
				}
				o := s.orders()[sales-1]
				if o.Outcome != payterm.Approved || o.PaidMinor != 1234 || len(s.ledger()) != sales ||
					s.ledger()[sales-1].payments() != 1 {
					t.Errorf("%s: %+v", c.what, o)
				}
			}
			s.screenUntil("A slip was not printed", false)
			s.post(s.panel+"/emu/paper/tear", nil)
			s.keys("F2")
			if p := s.paperUntil("COPY", "Merchant copy", "--- cut ---", "COPY", "Customer copy",
				"--- cut ---"); strings.Contains(p, "drawer") {
				t.Errorf("a copy opens the drawer:\n%s", p)
			}
			s.accepted()
		})
	}
}

package agent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/cmd/payterm/internal/config"
	"payterm/drivers/lcd"
	"payterm/hal"
	"payterm/hal/emulated"
)

// Devices that misbehave in each phase of a sale, through the whole terminal: whatever
// they do, the sale ends as the gateway's ledger says, and they work afterwards.

// stand is a terminal at which sales are made while something happens to it.
type stand struct {
	*clinic
	n int // sales
}

func newStand(t *testing.T, change func(*hal.Profile)) *stand {
	t.Helper()
	s := &stand{clinic: startClinic(t, "emulated", change, func(o *Options, _ *emulated.Board) {
		o.Config.Sale.FirstInquiry, o.Config.Sale.InquiryInterval = config.Duration{Duration: 100 * time.Millisecond}, config.Duration{Duration: 200 * time.Millisecond}
		o.Config.Sale.InquiryJitter = config.Duration{}
	})}
	s.awaitIdle()
	return s
}

func (s *stand) sim(method, path string, in, out any) {
	s.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, strings.TrimSuffix(s.a.o.Config.Gateway.URL, "/processV2")+"/sim/"+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s %s: HTTP %d %s %v", method, path, resp.StatusCode, text, err)
	}
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			s.t.Fatalf("%s %s: %s %v", method, path, text, err)
		}
	}
}

func (s *stand) wallet(password bool) string {
	s.t.Helper()
	var w struct{ Code string }
	s.sim("POST", "wallets", map[string]any{"biz_type": "ALIPAY", "balance_minor": 100000, "needs_password": password}, &w)
	return w.Code
}

type entry struct {
	ID       payterm.OrderID `json:"order_id"`
	Status   string
	Paid     int64 `json:"paid_minor"`
	Requests []struct{ Action string }
}

func (s *stand) ledger() []entry {
	s.t.Helper()
	var l struct{ Orders []entry }
	s.sim("GET", "orders", nil, &l)
	return l.Orders
}

// until waits for something, and does what may have been lost again every second.
func (s *stand) until(what string, is func() bool, again func()) {
	s.t.Helper()
	next := time.Now()
	for end := next.Add(30 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		switch now := time.Now(); {
		case now.After(end):
			s.t.Fatalf("sale %d: not within 30 s: %s; the screen is %+v", s.n, what, s.a.Screen())
		case again != nil && now.After(next):
			next = now.Add(time.Second)
			again()
		}
	}
}

func (s *stand) shows(names ...string) func() bool {
	return func() bool { return slices.Contains(names, s.a.Screen().Name) }
}

// phases are those of a sale in each mode, in which something may happen.
var phases = map[payterm.Mode][]string{
	payterm.Passive: {"amount", "scan", "sending", "waiting", "approved"},
	payterm.Active:  {"amount", "choose_wallet", "sending", "show_code", "approved"},
}

// sale makes one, with something that happens in one of its phases.
func (s *stand) sale(mode payterm.Mode, at string, happens func(code string)) {
	s.t.Helper()
	s.n++
	amount := int64(100 + s.n)
	paidBefore := s.paid()
	s.board.Tear()
	code := s.wallet(at == "waiting")
	in := func(phase string) {
		s.t.Helper()
		if at == phase {
			s.until(phase, s.shows(phase), nil)
			happens(code)
		}
	}
	for i, k := range fmt.Sprint(amount) {
		want := fmt.Sprintf("$%d.%02d", amount/pow10(2-i)/100, amount/pow10(2-i)%100)
		s.press(payterm.Key(k))
		s.until(want, func() bool { return s.a.Screen().Amount == want }, nil)
	}
	if at == "sending" {
		action := map[payterm.Mode]string{payterm.Passive: "PASSIVEPAY", payterm.Active: "ACTIVEPAY"}[mode]
		s.sim("POST", "faults", map[string]any{"action": action, "fault": "delay", "times": 1, "ms": 400}, nil)
	}
	in("amount")
	orders := len(s.ledger())
	sent := func() bool { return len(s.ledger()) > orders }
	if mode == payterm.Passive {
		s.until("scan", s.shows("scan"), func() { s.press(payterm.KeyEnter) })
		in("scan")
		s.until("scanned", func() bool { return !s.shows("scan")() }, func() { s.scanAnyhow(code) })
	} else {
		s.until("choose_wallet", s.shows("choose_wallet"), func() { s.press(payterm.KeyF1) })
		in("choose_wallet")
		s.until("chosen", func() bool { return !s.shows("choose_wallet")() }, func() { s.press("1") })
	}
	in("sending")
	s.until("sent", sent, nil)
	id := s.ledger()[orders].ID
	in("waiting")
	in("show_code")
	if mode == payterm.Active {
		s.until("show_code", s.shows("show_code"), nil)
	}
	if mode == payterm.Active || at == "waiting" {
		s.sim("POST", "orders/"+string(id)+"/pay", nil, nil)
	}
	s.until("approved", s.shows("approved"), nil)
	if now := s.a.Screen(); now.Amount != fmt.Sprintf("$%d.%02d", amount/100, amount%100) {
		s.t.Errorf("sale %d: approved is %s", s.n, now.Amount)
	}
	in("approved")
	s.audit()
	if n := s.paid() - paidBefore; n != 1 {
		s.t.Errorf("%s, %s: one sale, %d payments", mode, at, n)
	}
}

// done leaves the result.
func (s *stand) done() {
	s.t.Helper()
	s.until("idle", s.shows("idle"), func() { s.press(payterm.KeyEnter) })
}

func pow10(n int) int64 { return []int64{1, 10, 100}[n] }

// scanAnyhow scans; a scanner that has just been plugged in may not be heard yet.
func (s *stand) scanAnyhow(code string) { s.board.Scan(code) } //nolint:errcheck // it is done again

func (s *stand) paid() (n int) {
	s.t.Helper()
	for _, l := range s.ledger() {
		if l.Status == "success" {
			n++
		}
	}
	return n
}

// audit holds the journal against the ledger: what is approved was paid, what was paid
// is approved or still asked about, nothing was requested twice or behind the journal.
func (s *stand) audit() {
	s.t.Helper()
	rows, err := s.a.store.Orders()
	if err != nil {
		s.t.Fatal(err)
	}
	journal := map[payterm.OrderID]payterm.Order{}
	for _, o := range rows {
		journal[o.ID] = o
	}
	ledger := map[payterm.OrderID]entry{}
	for _, l := range s.ledger() {
		ledger[l.ID] = l
		o, known := journal[l.ID]
		payments := 0
		for _, r := range l.Requests {
			if r.Action == "PASSIVEPAY" || r.Action == "ACTIVEPAY" {
				payments++
			}
		}
		switch paid := l.Status == "success"; {
		case !known:
			s.t.Errorf("not in the journal: %s", l.ID)
		case payments > 1:
			s.t.Errorf("requested %d times: %s", payments, l.ID)
		case paid && o.Outcome != payterm.Approved && o.Outcome != payterm.InDoubt && o.Outcome != "":
			s.t.Errorf("%s, but paid: %s", o.Outcome, l.ID)
		}
	}
	for _, o := range rows {
		if l := ledger[o.ID]; o.Outcome == payterm.Approved && (l.Status != "success" || l.Paid != o.PaidMinor || l.Paid != o.Total().Minor) {
			s.t.Errorf("approved over %d, the gateway has %s over %d: %s", o.PaidMinor, l.Status, l.Paid, o.ID)
		}
	}
}

// painted waits until the glass shows what the screen says.
func (s *stand) painted() {
	s.t.Helper()
	frame := s.board.Frame()
	painter, err := lcd.NewPainter(frame.Rect.Dx(), frame.Rect.Dy())
	if err != nil {
		s.t.Fatal(err)
	}
	s.until("the glass shows the screen", func() bool {
		want, err := painter.Paint(s.a.Screen())
		return err == nil && alike(want, s.board.Frame())
	}, nil)
}

// alike compares pictures as far as a pixel of sixteen bits tells colours apart.
func alike(a, b *image.RGBA) bool {
	for i := range a.Pix {
		if d := int(a.Pix[i]) - int(b.Pix[i]); d > 8 || d < -8 {
			return false
		}
	}
	return a.Rect == b.Rect
}

// twoSlips waits for the slips of a sale.
func (s *stand) twoSlips() {
	s.t.Helper()
	s.until("two slips", func() bool { _, words := s.board.Paper(); return strings.Count(words, "--- cut ---") == 2 }, nil)
}

func (s *stand) plug(device string, in bool) {
	s.t.Helper()
	do := s.board.Unplug
	if in {
		do = s.board.Plug
	}
	if err := do(device); err != nil {
		s.t.Fatal(err)
	}
}

// attack is something that happens to devices, and what is to be seen afterwards.
type attack struct {
	name    string
	happens func(s *stand, code string)
	after   func(s *stand)
	dark    bool // the panel loses its supply
}

var attacks = []attack{
	{"display unplugged", func(s *stand, _ string) { s.plug("display", false); s.plug("display", true); s.painted() }, (*stand).twoSlips, true},
	{"brown-out", func(s *stand, _ string) {
		if err := s.board.BrownOut(); err != nil {
			s.t.Fatal(err)
		}
		s.painted()
	}, (*stand).twoSlips, true},
	{"keypad unplugged", func(s *stand, _ string) {
		s.plug("keypad", false)
		s.press(payterm.KeyCancel) // nobody hears of it
		time.Sleep(20 * time.Millisecond)
		s.plug("keypad", true)
	}, (*stand).twoSlips, false},
	{"scanner unplugged", func(s *stand, code string) {
		s.plug("scanner", false)
		s.until("it is missed", func() bool { _, err := s.a.o.Board.Scanner.Plugged(); return err != nil }, nil)
		s.scanAnyhow(code)
		s.plug("scanner", true)
	}, (*stand).twoSlips, false},
	{"printer unplugged", func(s *stand, _ string) {
		s.plug("printer", false)
		s.until("it is missed", func() bool { _, err := s.a.o.Board.Printer.Plugged(); return err != nil }, nil)
		if s.shows("approved")() {
			s.until("the screen tells", func() bool { return strings.Contains(fmt.Sprint(s.a.Screen()), "rinter") }, nil)
		}
		s.plug("printer", true)
		s.until("it is back", func() bool { ok, _ := s.a.o.Board.Printer.Plugged(); return ok }, nil)
	}, func(*stand) {}, false},
	{"a megabyte of garbage", func(s *stand, _ string) { s.floods(garbage(1 << 20)) }, (*stand).twoSlips, false},
	{"a code a thousand times", func(s *stand, code string) { s.floods(bytes.Repeat([]byte(code+"\r"), 1000)) }, (*stand).twoSlips, false},
	{"half a code", func(s *stand, code string) { s.floods([]byte(code[:9])) }, (*stand).twoSlips, false},
}

// garbage is what a reader sends that has lost its mind: every byte there is.
func garbage(n int) []byte {
	r, b := rand.New(rand.NewPCG(1, 2)), make([]byte, n)
	for i := range b {
		b[i] = byte(r.UintN(256))
	}
	return b
}

// floods has the scanner send something; what the terminal does not take is lost.
func (s *stand) floods(b []byte) {
	for piece := range slices.Chunk(b, 2048) {
		s.board.ScanBytes(piece) //nolint:errcheck // a line that is full takes no more
	}
}

func TestAttacks(t *testing.T) {
	t.Parallel()
	for _, x := range attacks {
		for _, mode := range []payterm.Mode{payterm.Passive, payterm.Active} {
			t.Run(fmt.Sprint(x.name, ", ", mode), func(t *testing.T) {
				t.Parallel()
				s := newStand(t, func(p *hal.Profile) { p.Scanner.Baud = 921600 })
				for _, at := range phases[mode] {
					s.sale(mode, at, func(code string) { x.happens(s, code) })
					x.after(s)
					s.done()
				}
				s.sale(mode, "", nil) // and all is well
				s.painted()
				s.twoSlips()
				s.done()
				for _, v := range s.board.Violations() {
					if v.Chip != "st7789" || !x.dark { // a panel that lost its supply sleeps, and its driver does not know
						t.Error(v)
					}
				}
			})
		}
	}
}

// TestKeyMashing: whatever is typed, money moves by the customers' codes alone.
func TestKeyMashing(t *testing.T) {
	t.Parallel()
	s := newStand(t, nil)
	r := rand.New(rand.NewPCG(3, 4))
	keys, customers := s.a.keys(), 0
	for i := range mashed {
		s.press(keys[r.IntN(len(keys))])
		if i%50 == 0 && s.shows("scan")() {
			s.scan(s.wallet(false))
			customers++
		}
	}
	s.audit()
	if n := s.paid(); n > customers || customers == 0 {
		t.Errorf("%d payments of %d customers", n, customers)
	}
	t.Logf("%d orders, %d customers, %d payments", len(s.ledger()), customers, s.paid())
}

const mashed = 10_000

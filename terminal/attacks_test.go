package terminal

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
	"payterm/board"
	"payterm/config"
	"payterm/glass"
	"payterm/hal/emulated"
)

// Misbehaving devices in each phase of a sale, on a whole terminal: each sale ends as the
// gateway's ledger says, and the devices work afterwards.

// site is a terminal that makes sales while something happens to it.
type site struct {
	*clinic
	n  int    // sales
	at string // the phase in which something happens
}

func newStand(t *testing.T, change func(*board.Profile)) *site {
	t.Helper()
	s := &site{clinic: startClinic(t, "emulated", change, func(o *Options, _ *emulated.Board) {
		o.Config.Sale.FirstInquiry, o.Config.Sale.InquiryInterval = config.Duration{Duration: 100 * time.Millisecond},
			config.Duration{Duration: 200 * time.Millisecond}
		o.Config.Sale.InquiryJitter = config.Duration{}
	})}
	s.awaitIdle()
	return s
}

func (s *site) sim(method, path string, in, out any) {
	s.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method,
		strings.TrimSuffix(s.a.o.Config.Gateway.URL, "/processV2")+"/sim/"+path, bytes.NewReader(body))
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

func (s *site) wallet(password bool) string {
	s.t.Helper()
	var w struct{ Code string }
	s.sim("POST", "wallets", map[string]any{"biz_type": "ALIPAY", "balance_minor": 100000, "needs_password": password},
		&w)
	return w.Code
}

type entry struct {
	ID       payterm.OrderID `json:"order_id"`
	Status   string
	Paid     int64 `json:"paid_minor"`
	Requests []struct{ Action string }
}

func (s *site) ledger() []entry {
	s.t.Helper()
	var l struct{ Orders []entry }
	s.sim("GET", "orders", nil, &l)
	return l.Orders
}

// until waits for a condition, and repeats every second what may have been lost.
func (s *site) until(what string, is func() bool, again func()) {
	s.t.Helper()
	next := time.Now()
	for end := next.Add(never); !is(); time.Sleep(2 * time.Millisecond) {
		switch now := time.Now(); {
		case now.After(end):
			s.t.Fatalf("sale %d: never: %s; the screen is %+v", s.n, what, s.a.Screen())
		case again != nil && now.After(next):
			next = now.Add(time.Second)
			again()
		}
	}
}

func (s *site) shows(names ...string) func() bool {
	return func() bool { return slices.Contains(names, s.a.Screen().Name) }
}

// phases are the phases of a sale, by mode, in which something may happen.
var phases = map[payterm.Mode][]string{
	payterm.Passive: {"amount", "scan", "sending", "waiting", "approved"},
	payterm.Active:  {"amount", "choose_wallet", "sending", "show_code", "approved"},
}

// sale makes one sale, with an attack in one phase.
func (s *site) sale(mode payterm.Mode, at string, happens func(code string)) {
	s.t.Helper()
	s.n++
	s.at = at
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
	typed := int64(0)
	for _, k := range fmt.Sprint(amount) {
		typed = 10*typed + int64(k-'0')
		want := fmt.Sprintf("$%d.%02d", typed/100, typed%100)
		s.press(payterm.Key(k))
		s.until(want, func() bool { return english(s.a.Screen().Amount) == want }, nil)
	}
	if at == "sending" {
		action := map[payterm.Mode]string{payterm.Passive: "PASSIVEPAY", payterm.Active: "ACTIVEPAY"}[mode]
		s.sim("POST", "faults", map[string]any{"action": action, "fault": "delay", "times": 1, "ms": 1000}, nil)
	}
	in("amount")
	orders := len(s.ledger())
	sent := func() bool { return len(s.ledger()) > orders }
	if mode == payterm.Passive {
		// A flood that is still running may have sent the code already.
		s.until("scan", func() bool { return sent() || s.shows("scan")() }, func() { s.press(payterm.KeyEnter) })
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
	if now := english(s.a.Screen().Amount); now != fmt.Sprintf("$%d.%02d", amount/100, amount%100) {
		s.t.Errorf("sale %d: approved is %s", s.n, now)
	}
	in("approved")
	s.audit()
	if n := s.paid() - paidBefore; n != 1 {
		s.t.Errorf("%s, %s: one sale, %d payments", mode, at, n)
	}
}

// english is an amount in the notation before random keys changed the language.
func english(amount string) string {
	if digits, french := strings.CutSuffix(strings.ReplaceAll(amount, "\u00a0", " "), " $"); french {
		return "$" + strings.ReplaceAll(digits, ",", ".")
	}
	return amount
}

// done leaves the result.
func (s *site) done() {
	s.t.Helper()
	s.until("idle", s.shows("idle"), func() { s.press(payterm.KeyEnter) })
}

// scanAnyhow scans; right after plugging in, the scanner may not be heard.
func (s *site) scanAnyhow(code string) { s.board.Scan(code) } //nolint:errcheck // it is repeated

func (s *site) paid() (n int) {
	s.t.Helper()
	for _, l := range s.ledger() {
		if l.Paid > 0 {
			n++
		}
	}
	return n
}

// audit compares the journal with the ledger.
func (s *site) audit() {
	s.t.Helper()
	rows, err := s.a.store.Orders()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, wrong := range disagreements(rows, s.ledger()) {
		s.t.Error(wrong)
	}
}

// disagreements lists where journal and ledger differ: what is approved was paid, what was paid
// is approved or still asked about, and nothing was requested twice or without a row. A refund
// has no row of its own at the gateway.
func disagreements(rows []payterm.Order, ledger []entry) (wrong []string) {
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	journal, there := map[payterm.OrderID]payterm.Order{}, map[payterm.OrderID]entry{}
	for _, o := range rows {
		journal[o.ID] = o
	}
	for _, l := range ledger {
		there[l.ID] = l
		o, known := journal[l.ID]
		payments := 0
		for _, r := range l.Requests {
			if r.Action == "PASSIVEPAY" || r.Action == "ACTIVEPAY" {
				payments++
			}
		}
		switch {
		case !known:
			bad("not in the journal: %s", l.ID)
		case payments > 1:
			bad("requested %d times: %s", payments, l.ID)
		case l.Paid > 0 && o.Outcome != payterm.Approved && o.Outcome != payterm.InDoubt && o.Outcome != "":
			bad("%s, but paid: %s", o.Outcome, l.ID)
		}
	}
	for _, o := range rows {
		if l := there[o.ID]; o.Kind != payterm.KindRefund && o.Outcome == payterm.Approved &&
			(l.Paid != o.PaidMinor || l.Paid != o.Total().Minor) {
			bad("approved over %d, the gateway has %s over %d: %s", o.PaidMinor, l.Status, l.Paid, o.ID)
		}
	}
	return wrong
}

// TestDisagreements plants what audit has to find.
func TestDisagreements(t *testing.T) {
	const id = "T1AAAAA000001"
	order := func(outcome payterm.Outcome, paid int64) []payterm.Order {
		return []payterm.Order{{ID: id, AmountMinor: 500, Currency: "CAD", Outcome: outcome, PaidMinor: paid}}
	}
	row := func(paid int64, requests int) []entry {
		l := entry{ID: id, Paid: paid}
		for range requests {
			l.Requests = append(l.Requests, struct{ Action string }{"PASSIVEPAY"})
		}
		return []entry{l}
	}
	for _, x := range []struct {
		rows   []payterm.Order
		ledger []entry
		want   string
	}{
		{order(payterm.Approved, 500), row(500, 1), ""},
		{order(payterm.InDoubt, 0), row(500, 1), ""},
		{order(payterm.Declined, 0), row(0, 1), ""},
		{nil, row(0, 1), "not in the journal"},
		{order(payterm.Approved, 500), row(500, 2), "requested 2 times"},
		{order(payterm.Declined, 0), row(500, 1), "but paid"},
		{order(payterm.Approved, 500), row(0, 1), "approved over"},
		{order(payterm.Approved, 5), row(5, 1), "approved over"},
	} {
		if found := strings.Join(disagreements(x.rows, x.ledger), "; "); (found == "") != (x.want == "") ||
			!strings.Contains(found, x.want) {
			t.Errorf("%+v, %+v: %q, want %q", x.rows, x.ledger, found, x.want)
		}
	}
}

// painted waits until the glass shows what the screen says.
func (s *site) painted() {
	s.t.Helper()
	frame := s.board.Frame()
	painter, err := glass.NewPainter(frame.Rect.Dx(), frame.Rect.Dy())
	if err != nil {
		s.t.Fatal(err)
	}
	s.until("the glass shows the screen", func() bool {
		want, err := painter.Paint(s.a.Screen())
		return err == nil && alike(want, s.board.Frame())
	}, nil)
}

// alike compares pictures in 16-bit colour.
func alike(a, b *image.RGBA) bool {
	for i := range a.Pix {
		if d := int(a.Pix[i]) - int(b.Pix[i]); d > 8 || d < -8 {
			return false
		}
	}
	return a.Rect == b.Rect
}

// twoSlips waits for the slips of the newest sale. Those of one before may come again
// beside them, when they broke off, behind a cut of their own.
func (s *site) twoSlips() {
	s.t.Helper()
	newest, err := s.a.store.Latest(1)
	if err != nil || len(newest) != 1 {
		s.t.Fatalf("%v: %d orders", err, len(newest))
	}
	s.until("two slips", func() bool {
		_, words := s.board.Paper()
		slips := strings.Split(words, "--- cut ---")
		mine := slices.DeleteFunc(slips[:len(slips)-1], func(slip string) bool {
			return !strings.Contains(slip, string(newest[0].ID))
		})
		return len(mine) == 2
	}, nil)
}

func (s *site) plug(device string, in bool) {
	s.t.Helper()
	do := s.board.Unplug
	if in {
		do = s.board.Plug
	}
	if err := do(device); err != nil {
		s.t.Fatal(err)
	}
}

// attack is an attack on devices, and what to expect afterwards.
type attack struct {
	name    string
	happens func(s *site, code string)
	after   func(s *site)
	dark    bool // the panel loses its supply
	cut     bool // the printer gets NULs instead of the end of a command
}

var attacks = []attack{
	{"display unplugged", func(s *site, _ string) { s.plug("display", false); s.plug("display", true); s.painted() },
		(*site).twoSlips, true, false},
	{"brown-out", func(s *site, _ string) {
		if err := s.board.BrownOut(); err != nil {
			s.t.Fatal(err)
		}
		s.painted()
	}, (*site).twoSlips, true, false},
	{"keypad unplugged", func(s *site, _ string) {
		s.plug("keypad", false)
		s.press(payterm.KeyCancel) // without effect
		time.Sleep(20 * time.Millisecond)
		s.plug("keypad", true)
	}, (*site).twoSlips, false, false},
	{"scanner unplugged", func(s *site, code string) {
		s.plug("scanner", false)
		s.until("it is missed", func() bool { _, err := s.a.o.Board.Scanner.Plugged(); return err != nil }, nil)
		s.scanAnyhow(code)
		s.plug("scanner", true)
	}, (*site).twoSlips, false, false},
	{"printer unplugged", func(s *site, _ string) {
		s.plug("printer", false)
		s.until("it is missed", func() bool { _, err := s.a.o.Board.Printer.Plugged(); return err != nil }, nil)
		if s.shows("approved")() {
			s.until("the screen tells", func() bool { return strings.Contains(fmt.Sprint(s.a.Screen()), "rinter") },
				nil)
		}
		s.plug("printer", true)
		s.until("it is back", func() bool { ok, _ := s.a.o.Board.Printer.Plugged(); return ok }, nil)
	}, func(*site) {}, false, true},
	{"printer away", func(s *site, _ string) {
		s.plug("printer", false)
		s.until("it is missed", func() bool { _, err := s.a.o.Board.Printer.Plugged(); return err != nil }, nil)
	}, func(s *site) { // what had not begun is printed once it is back, and what broke off comes again
		s.plug("printer", true)
		s.until("it is back", func() bool { ok, _ := s.a.o.Board.Printer.Plugged(); return ok }, nil)
		if s.at != "approved" {
			s.twoSlips()
		}
	}, false, true},
	{"display away", func(s *site, _ string) { s.plug("display", false) }, func(s *site) {
		s.plug("display", true)
		s.painted()
		s.twoSlips()
	}, true, false},
	{"a megabyte of garbage", func(s *site, _ string) { s.floods(garbage(1 << 20)) }, (*site).twoSlips, false, false},
	{"a code a thousand times", func(s *site, code string) { s.floods(bytes.Repeat([]byte(code+"\r"), 1000)) },
		(*site).twoSlips, false, false},
	{"half a code", func(s *site, code string) { s.floods([]byte(code[:9])) }, (*site).twoSlips, false, false},
}

// garbage is n bytes with every byte value.
func garbage(n int) []byte {
	r, b := rand.New(rand.NewPCG(1, 2)), make([]byte, n)
	for i := range b {
		b[i] = byte(r.UintN(256))
	}
	return b
}

// floods makes the scanner send bytes; what the terminal does not take is lost.
func (s *site) floods(b []byte) {
	for piece := range slices.Chunk(b, 2048) {
		s.board.ScanBytes(piece) //nolint:errcheck // a full line takes no more
	}
}

func TestAttacks(t *testing.T) {
	t.Parallel()
	for _, x := range attacks {
		for _, mode := range []payterm.Mode{payterm.Passive, payterm.Active} {
			t.Run(fmt.Sprint(x.name, ", ", mode), func(t *testing.T) {
				t.Parallel()
				s := newStand(t, func(p *board.Profile) { p.Scanner.Baud = 921600 })
				for _, at := range phases[mode] {
					s.sale(mode, at, func(code string) { x.happens(s, code) })
					x.after(s)
					s.done()
				}
				s.sale(mode, "", nil) // a normal sale afterwards
				s.painted()
				s.twoSlips()
				s.done()
				for _, v := range s.board.Violations() {
					// a panel that lost its supply sleeps, and its driver does not know
					if (v.Chip != "st7789" || !x.dark) && (v.Chip != "escpos" || !x.cut) {
						t.Error(v)
					}
				}
			})
		}
	}
}

// TestKeyMashing: whatever keys are pressed, money moves only by customers' codes, and the
// terminal sells afterwards: ten thousand random keys on ten terminals.
func TestKeyMashing(t *testing.T) {
	t.Parallel()
	const hands, each = 10, 1000
	for hand := range uint64(hands) {
		t.Run(fmt.Sprint(hand), func(t *testing.T) {
			t.Parallel()
			s := newStand(t, func(p *board.Profile) { p.Keypad.Debounce.Duration = p.Keypad.ScanInterval.Duration })
			r, keys, customers := rand.New(rand.NewPCG(3, hand)), s.a.devices.Keys(), 0
			// Questions take no key for a second, so that some hands need longer than others.
			for i := 0; i < each || s.paid() == 0 && i < 10*each; i++ {
				s.press(keys[r.IntN(len(keys))])
				if s.shows("scan")() && r.IntN(3) == 0 {
					s.scan(s.wallet(false))
					customers++
				}
			}
			tries := 0
			s.until("idle", s.shows("idle"), func() { // CANCEL leaves an entry, ENTER a result
				leave := payterm.KeyCancel
				if tries++; tries%4 == 0 {
					leave = payterm.KeyEnter
				}
				s.press(leave)
			})
			s.audit()
			if n := s.paid(); n > customers || n == 0 {
				t.Errorf("%d payments of %d customers", n, customers)
			}
			t.Logf("%d orders, %d customers, %d payments", len(s.ledger()), customers, s.paid())
			s.n = 98_665 // an amount that the random keys do not make
			s.sale(payterm.Passive, "", nil)
			for _, v := range s.board.Violations() {
				t.Error(v)
			}
		})
	}
}

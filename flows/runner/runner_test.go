package runner

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
	"payterm/screen"
	"payterm/storage"
)

// world is a runner on a real journal, with a clock that the test moves and a gateway whose
// answers the test gives.
type world struct {
	t       testing.TB
	path    string
	now     time.Duration
	ahead   time.Duration // how far the wall clock jumped forward
	r       *Runner
	store   *storage.Store
	pending []func()
	answers []payterm.Answer
	sent    []payterm.OrderID
	asked   int
	screens []string
	slips   []order.Slip
	tags    string
	known   []payterm.OrderID // the orders asked about, in turn
	heard   func(payterm.Inquiry) payterm.Answer
	full    bool // the disk: no commit succeeds, nor a set-aside
	alter   func(*Config)
	stalls  func(payterm.Entry) time.Duration // how long a commit takes
	paying  func(payterm.Payment)
}

// disk is a store whose disk can be full.
type disk struct {
	*storage.Store
	w *world
}

func (d disk) Reserve() error {
	if d.w.full {
		return storage.ErrFull
	}
	return d.Store.Reserve()
}

func (d disk) Commit(entries ...payterm.Entry) error {
	if d.w.full {
		return storage.ErrFull
	}
	if d.w.stalls != nil {
		d.w.now += d.w.stalls(entries[0])
	}
	return d.Store.Commit(entries...)
}

func (d disk) Record(stamp payterm.Stamp, p payterm.PersonRecord) error {
	if d.w.full {
		return storage.ErrFull
	}
	return d.Store.Record(stamp, p)
}

func (d disk) Writable() error { return errors.Join(d.Reserve(), d.Store.Writable()) }

func (w *world) Now() (time.Duration, time.Time) {
	return w.now, time.UnixMilli(1_800_000_000_000).Add(w.now + w.ahead)
}
func (w *world) After(time.Duration) (<-chan time.Time, func()) { panic("the test moves the clock") }
func (w *world) Show(s payterm.Screen)                          { w.screens = append(w.screens, s.Name) }
func (w *world) Print(payterm.Receipt) error                    { return nil }
func (w *world) Play(payterm.Sound)                             {}
func (w *world) Pay(_ context.Context, p payterm.Payment) payterm.Answer {
	w.sent = append(w.sent, p.OrderID)
	if w.paying != nil {
		w.paying(p)
	}
	return w.answer()
}
func (w *world) Refund(context.Context, payterm.RefundRequest) payterm.Answer { return w.answer() }
func (w *world) Inquire(_ context.Context, q payterm.Inquiry) payterm.Answer {
	w.asked++
	w.known = append(w.known, q.OrderID)
	if w.heard != nil {
		return w.heard(q)
	}
	return w.answer()
}
func (w *world) answer() payterm.Answer {
	if len(w.answers) == 0 {
		return payterm.Lost{Why: "silence"}
	}
	a := w.answers[0]
	w.answers = w.answers[1:]
	return a
}

// boot starts the runner again on the same journal.
func (w *world) boot() {
	w.t.Helper()
	if w.store != nil {
		w.store.Close()
	}
	w.tags += "A"
	tag := ("ZZZZZ" + w.tags)[len(w.tags):]
	if len(w.tags) > 5 {
		tag = fmt.Sprintf("%05d", len(w.tags))
	}
	s, err := storage.Open(storage.Options{Path: w.path, Terminal: "T1", Now: time.Now,
		DrawTag: func() (string, error) { return tag, nil }})
	if err != nil {
		w.t.Fatal(err)
	}
	w.store, w.pending = s, nil
	settings := counter.Settings{Currency: "CAD", Rules: order.DefaultRules(),
		ActiveWallets: payterm.ChannelSetOf(payterm.Alipay)}
	c := Config{
		Journal: disk{s, w}, People: disk{s, w}, Gateway: w, Display: w, Printer: w, Buzzer: w, Clock: w,
		Settings: settings, BootTag: s.BootTag(),
		Screen: func(v counter.View) payterm.Screen { return screen.Compose(v, screen.Options{}) },
		Slip: func(slip order.Slip, _ payterm.Order, _ bool) payterm.Receipt {
			w.slips = append(w.slips, slip)
			return payterm.Receipt{}
		},
		CodeKey: func(c payterm.PayCode) string { return "hash of " + c.Reveal()[:4] + c.Reveal()[14:] },
		Jitter:  func() uint16 { return 0 },
		Go:      func(f func()) { w.pending = append(w.pending, f) },
	}
	if w.alter != nil {
		w.alter(&c)
	}
	w.r = New(c)
	open, err := s.OpenOrders()
	if err != nil {
		w.t.Fatal(err)
	}
	var list []Open
	for _, o := range open {
		list = append(list, Open{o.ID, o.Events})
	}
	if err := w.r.Restore(list); err != nil {
		w.t.Fatal(err)
	}
}

// run lets time pass and everything happen.
func (w *world) run(d time.Duration) {
	for end := w.now + d; ; {
		w.r.Advance()
		for len(w.pending) > 0 {
			f := w.pending[0]
			w.pending = w.pending[1:]
			f()
			for len(w.r.inbox) > 0 {
				(<-w.r.inbox)()
			}
		}
		if len(w.r.orders) < 10 { // too slow with more
			w.recount()
		}
		due, any := w.r.Due()
		if !any || due > end {
			w.now = end
			return
		}
		w.now = max(w.now, due)
	}
}

func (w *world) press(keys ...payterm.Key) {
	for _, k := range keys {
		w.r.feed(counter.KeyPressed{Key: k})
	}
}

// yes answers a question about money once it has been read.
func (w *world) yes() {
	w.now += time.Second
	w.press(payterm.KeyF1)
}

func (w *world) order(n int) payterm.Order {
	w.t.Helper()
	orders, err := w.store.Orders()
	if err != nil || len(orders) <= n {
		w.t.Fatalf("%d orders, %v", len(orders), err)
	}
	return orders[n]
}

func newWorld(t testing.TB, answers ...payterm.Answer) *world {
	return newWorldWith(t, nil, answers...)
}

func newWorldWith(t testing.TB, alter func(*Config), answers ...payterm.Answer) *world {
	w := &world{t: t, path: filepath.Join(t.TempDir(), "payterm.db"), answers: answers, now: time.Second, alter: alter}
	w.boot()
	t.Cleanup(func() { w.store.Close() })
	return w
}

var paid = payterm.Paid{PaidMinor: 1234, Status: "success"}

func (w *world) scanSale(code string) {
	w.press("1", "2", "3", "4", payterm.KeyEnter)
	w.now += time.Second
	w.r.scan(payterm.NewPayCode(code), w.now)
}

const alipayCode = "281234567890123456"

func TestPassiveApproved(t *testing.T) {
	w := newWorld(t, paid)
	w.scanSale(alipayCode)
	w.run(time.Second)
	o := w.order(0)
	if o.Outcome != payterm.Approved || o.PaidMinor != 1234 || o.Wallet != payterm.Alipay || len(w.sent) != 1 ||
		len(w.slips) != 2 {
		t.Errorf("order %+v, sent %v, slips %v", o, w.sent, w.slips)
	}
	if last := w.screens[len(w.screens)-1]; last != "approved" {
		t.Errorf("screens %v", w.screens)
	}
}

func TestScanFromIdleIsIgnored(t *testing.T) {
	w := newWorld(t, paid)
	early := w.now
	w.now += time.Second
	w.press("5", payterm.KeyEnter)
	w.r.scan(payterm.NewPayCode(alipayCode), early)
	w.run(2 * time.Second)
	if len(w.sent) != 0 || w.order(0).Outcome != payterm.Open {
		t.Errorf("sent %v, order %+v", w.sent, w.order(0))
	}
}

// TestKilledWhileWaiting stops the process at each moment of a sale in doubt: nothing is sent
// twice, and the order ends.
func TestKilledWhileWaiting(t *testing.T) {
	for _, after := range []time.Duration{0, time.Millisecond, 2 * time.Second, 5 * time.Second, 59 * time.Second,
		61 * time.Second, 10 * time.Minute} {
		w := newWorld(t, payterm.Lost{Why: "reply lost"})
		w.scanSale(alipayCode)
		if after > 0 {
			w.run(after)
		}
		w.boot()
		w.answers = []payterm.Answer{paid}
		w.run(time.Minute)
		o := w.order(0)
		if o.Outcome != payterm.Approved || o.Reason != payterm.ReasonLatePayment ||
			o.Attention != payterm.AttentionLatePayment {
			t.Errorf("killed after %s: %s %s", after, o.Outcome, o.Reason)
		}
		if len(w.sent) > 1 {
			t.Errorf("killed after %s: sent %v", after, w.sent)
		}
	}
}

func TestSilenceIsNoDecline(t *testing.T) {
	w := newWorld(t, payterm.Refused{Reason: payterm.ReasonCodeInvalid})
	w.scanSale(alipayCode)
	w.run(2 * time.Hour)
	if o := w.order(0); o.Outcome != payterm.InDoubt {
		t.Errorf("unanswered inquiries: %s", o.Outcome)
	}
	w.answers = []payterm.Answer{payterm.NotFound{Why: "unknown"}}
	w.run(6 * time.Minute)
	if o := w.order(0); o.Outcome != payterm.Declined || o.Reason != payterm.ReasonCodeInvalid {
		t.Errorf("answered inquiry: %s %s", o.Outcome, o.Reason)
	}
}

func TestActive(t *testing.T) {
	w := newWorld(t, payterm.CodeMade{CodeURL: "weixin://x"}, payterm.Pending{Status: "notpay"}, paid)
	w.press("1", "2", "3", "4", payterm.KeyF1)
	w.run(10 * time.Second)
	if o := w.order(0); o.Outcome != payterm.Approved || o.Reason != "" || w.asked != 2 {
		t.Errorf("%s %s after %d inquiries", o.Outcome, o.Reason, w.asked)
	}
	lost := newWorld(t, payterm.Lost{Why: "reply lost"})
	lost.press("5", payterm.KeyF1)
	lost.run(time.Second)
	if o := lost.order(0); o.Outcome != payterm.NotSent || o.Reason != payterm.ReasonNoCode {
		t.Errorf("no code: %s %s", o.Outcome, o.Reason)
	}
}

func TestSecondSaleWarns(t *testing.T) {
	w := newWorld(t)
	w.scanSale(alipayCode)
	w.run(70 * time.Second)
	w.press("1", "2", "3", "4", payterm.KeyEnter)
	if last := w.screens[len(w.screens)-1]; last != "warning" {
		t.Errorf("screens %v", w.screens)
	}
	w.yes()
	if o := w.order(1); o.Despite != w.order(0).ID {
		t.Errorf("despite %q", o.Despite)
	}
}

// TestRestoreSetsAsideWhatItCannotTakeUp: an open refund whose sale is missing does not prevent
// the start.
func TestRestoreSetsAsideWhatItCannotTakeUp(t *testing.T) {
	w := newWorld(t)
	began := order.RefundBegan{ID: "T1ZZZZZ000002", SaleID: "T1ZZZZZ000001", SaleTotalMinor: 500, AmountMinor: 500,
		Mode: payterm.Passive, Wallet: payterm.Alipay, Currency: "CAD", Rules: order.DefaultRules()}
	name, body, err := order.EncodeEvent(began)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.r.Restore([]Open{{began.ID, []payterm.Journaled{{Event: name, Body: body}}}}); err != nil {
		t.Fatal(err)
	}
	if s := w.r.status(); s.Alarms != 1 {
		t.Errorf("%+v", s)
	}
}

// TestBeganIsToldThoughTheLoopEnds: the loop begins a sale and ends at once; the caller must not
// conclude that nothing began.
func TestBeganIsToldThoughTheLoopEnds(t *testing.T) {
	for range 1000 { // a select may take either case
		r := New(Config{})
		r.inbox = make(chan func()) // the posted call sometimes runs before the caller looks
		go func() { (<-r.inbox)() }()
		var id payterm.OrderID
		_, err := r.call(t.Context(), func(c saleCall) error {
			c.began <- "T1ZZZZZ000001"
			close(r.stopped)
			return nil
		}, func(o payterm.OrderID) { id = o })
		if !errors.Is(err, ErrStopped) || id == "" {
			t.Fatalf("order %q, %v", id, err)
		}
	}
}

// TestClockAheadAtBoot: network time moves the clock during the start while a sale is in doubt.
// It is asked about at once, the same amount causes a warning, and a payment made seconds later
// is found.
func TestClockAheadAtBoot(t *testing.T) {
	for _, ahead := range []time.Duration{time.Hour, 25 * time.Hour, -25 * time.Hour, 402 * 24 * time.Hour} {
		t.Run(ahead.String(), func(t *testing.T) {
			w := newWorld(t)
			w.heard = func(payterm.Inquiry) payterm.Answer { return payterm.Pending{Status: "notpay"} }
			w.scanSale(alipayCode)
			w.run(61 * time.Second) // not paid
			if o := w.order(0); o.Outcome != payterm.InDoubt {
				t.Fatalf("%+v", o)
			}
			w.ahead = ahead
			w.now += 2 * time.Second
			w.boot()
			w.asked = 0
			w.run(time.Second)
			if w.asked != 1 {
				t.Errorf("it was asked about %d times at the start", w.asked)
			}
			w.press("1", "2", "3", "4", payterm.KeyEnter)
			if s := w.screens[len(w.screens)-1]; s != "warning" {
				t.Errorf("the same amount leads to %q", s)
			}
			w.heard = func(payterm.Inquiry) payterm.Answer { return paid }
			w.run(5 * time.Second)
			if o := w.order(0); o.Outcome != payterm.Approved {
				t.Errorf("after the payment: %+v", o)
			}
		})
	}
}

// TestGoingOn: the monotonic time starts where the previous run ended.
func TestGoingOn(t *testing.T) {
	c := NewSystemClock(time.Time{})
	on := c.GoingOn(400 * 24 * time.Hour)
	before, _ := c.Now()
	mono, _ := on.Now()
	after, _ := c.Now()
	if lived := 400 * 24 * time.Hour; mono < lived+before || mono > lived+after {
		t.Errorf("%s, between %s and %s after %s", mono, before, after, lived)
	}
	fire, stop := on.After(mono)
	defer stop()
	select {
	case <-fire:
	case <-time.After(10 * time.Second):
		t.Error("a deadline that has passed does not fire")
	}
}

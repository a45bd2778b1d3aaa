package runner

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
	"payterm/screen"
	"payterm/storage"
)

// bubble is a terminal with its goroutines in a bubble of testing/synctest. Its gateway takes a
// while to answer and records the inquiries.
type bubble struct {
	t     *testing.T
	r     *Runner
	store *storage.Store
	clock *SystemClock
	open  []payterm.OrderID // at the start, youngest last
	stop  func()            // ends the loop

	closed   payterm.OrderID // an earlier sale that was paid
	full     bool            // the disk
	mu       sync.Mutex
	takes    time.Duration // an inquiry's duration
	says     func(payterm.Inquiry) payterm.Answer
	asked    map[payterm.OrderID][]time.Duration
	starts   []time.Duration
	inFlight map[payterm.OrderID]int
	refunds  map[payterm.OrderID]int64 // refunded total, by sale
}

// inBubble runs do on a terminal whose journal has this many Passive sales of this age that were
// sent and never answered.
func inBubble(t *testing.T, open int, age time.Duration, do func(*bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		dir, err := os.MkdirTemp("/dev/shm", "payterm") // in memory: hundreds of commits
		if err != nil {
			dir = t.TempDir()
		}
		defer os.RemoveAll(dir)
		b := &bubble{
			t: t, clock: NewSystemClock(time.Now().Add(-24 * time.Hour)).GoingOn(24 * time.Hour),
			takes: 80 * time.Millisecond,
			asked: map[payterm.OrderID][]time.Duration{}, inFlight: map[payterm.OrderID]int{},
			refunds: map[payterm.OrderID]int64{},
			says:    func(payterm.Inquiry) payterm.Answer { return payterm.Pending{Status: "notpay"} },
		}
		b.store, err = storage.Open(storage.Options{Path: filepath.Join(dir, "payterm.db"), Terminal: "T1",
			Now: time.Now, DrawTag: func() (string, error) { return "ZZZZZ", nil }})
		if err != nil {
			t.Fatal(err)
		}
		defer b.store.Close()
		b.r = New(Config{
			Journal: fullable{b.store, b}, People: b.store, Gateway: b, Display: b, Printer: b, Buzzer: b,
			Clock:   b.clock,
			BootTag: b.store.BootTag(),
			Settings: counter.Settings{Currency: "CAD", Rules: order.DefaultRules(),
				ActiveWallets: payterm.ChannelSetOf(payterm.Alipay)},
			Screen:  func(v counter.View) payterm.Screen { return screen.Compose(v, screen.Options{}) },
			Slip:    func(order.Slip, payterm.Order, bool) payterm.Receipt { return payterm.Receipt{} },
			CodeKey: func(c payterm.PayCode) string { return "hash of " + c.Reveal() },
			Jitter:  func() uint16 { return 0 },
		})
		b.past(open, age)
		if err := b.r.Restore(b.restored()); err != nil {
			t.Fatal(err)
		}
		var ctx context.Context
		ctx, b.stop = context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- b.r.Run(ctx) }()
		do(b)
		b.stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute) // running requests end by their deadlines
		b.keptToTheFloor()
	})
}

// fullable is a journal whose disk can be full.
type fullable struct {
	*storage.Store
	b *bubble
}

func (s fullable) Commit(entries ...payterm.Entry) error {
	if s.b.full {
		return storage.ErrFull
	}
	return s.Store.Commit(entries...)
}

func (s fullable) Writable() error {
	if s.b.full {
		return storage.ErrFull
	}
	return s.Store.Writable()
}

// past writes earlier sales: open ones, and one that was paid.
func (b *bubble) past(n int, age time.Duration) {
	b.t.Helper()
	var entries []payterm.Entry
	for i := range n + 1 {
		id, err := b.store.NextOrderID()
		if err != nil {
			b.t.Fatal(err)
		}
		o, then := order.Order{}, b.now()-age
		events := []order.Event{
			order.SaleBegan{ID: id, Mode: payterm.Passive, AmountMinor: int64(100 + i), Currency: "CAD",
				Rules: order.DefaultRules()},
			order.CodeScanned{Code: payterm.NewPayCode(alipayCode), Masked: "****3456", Wallet: payterm.Alipay,
				Key: fmt.Sprint(i), Began: then},
		}
		if i < n {
			b.open = append(b.open, id)
		} else {
			b.closed = id
			events = append(events,
				order.PaymentAnswered{Reply: payterm.Reply{Answer: payterm.Paid{PaidMinor: int64(100 + i),
					Status: "success"}}})
		}
		for _, ev := range events {
			in := order.Stamped{Stamp: payterm.Stamp{Boot: "AAAAA", Mono: then, Wall: time.Now().Add(-age)}, Event: ev}
			next, _ := order.Step(o, in)
			e, err := b.r.entry(o, next, in)
			if err != nil {
				b.t.Fatal(err)
			}
			entries, o = append(entries, e), next
		}
	}
	if err := b.store.Commit(entries...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bubble) restored() []Open {
	b.t.Helper()
	open, err := b.store.OpenOrders()
	if err != nil {
		b.t.Fatal(err)
	}
	list := make([]Open, len(open))
	for i, o := range open {
		list[i] = Open{o.ID, o.Events}
	}
	return list
}

func (b *bubble) now() time.Duration {
	mono, _ := b.clock.Now()
	return mono
}

func (b *bubble) Show(payterm.Screen)         {}
func (b *bubble) Print(payterm.Receipt) error { return nil }
func (b *bubble) Play(payterm.Sound)          {}
func (b *bubble) Pay(_ context.Context, p payterm.Payment) payterm.Answer {
	if p.Mode == payterm.Active {
		return payterm.CodeMade{CodeURL: "weixin://x"}
	}
	return payterm.Paid{PaidMinor: p.Total.Minor, Status: "success"}
}

func (b *bubble) Refund(_ context.Context, r payterm.RefundRequest) payterm.Answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refunds[r.SaleOrderID] += r.Amount.Minor
	return payterm.Pending{Status: "refund"}
}

func (b *bubble) Inquire(ctx context.Context, q payterm.Inquiry) payterm.Answer {
	b.mu.Lock()
	b.starts = append(b.starts, b.now())
	b.asked[q.OrderID] = append(b.asked[q.OrderID], b.now())
	if b.inFlight[q.OrderID]++; b.inFlight[q.OrderID] > 1 {
		b.t.Errorf("%d inquiries about %s are under way", b.inFlight[q.OrderID], q.OrderID)
	}
	takes := b.takes
	b.mu.Unlock()
	select {
	case <-time.After(takes):
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inFlight[q.OrderID]--
	if ctx.Err() != nil {
		return payterm.Lost{Why: "silence"}
	}
	return b.says(q)
}

// keptToTheFloor checks all inquiries against inquiryFloor.
func (b *bubble) keptToTheFloor() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, at := range b.asked {
		for i := 1; i < len(at); i++ {
			if gap := at[i] - at[i-1]; gap < 3*time.Second {
				b.t.Errorf("%s was asked about %d times; inquiries %d and %d are %s apart, at %s", id, len(at), i, i+1,
					gap, at[i-1])
				break
			}
		}
	}
}

// poll has tills ask about an order again and again until ctx ends.
func (b *bubble) poll(ctx context.Context, wg *sync.WaitGroup, tills int, id payterm.OrderID) {
	for range tills {
		wg.Go(func() {
			for ctx.Err() == nil {
				if _, _, err := b.r.Inquire(ctx, id); err != nil && ctx.Err() == nil {
					b.t.Error(err)
					return
				}
				select {
				case <-ctx.Done():
				case <-time.After(10 * time.Millisecond):
				}
			}
		})
	}
}

// TestPollingStarvesNobody: tills that poll some doubts without a pause do not delay the other
// orders, whether the gateway answers or not.
func TestPollingStarvesNobody(t *testing.T) {
	for takes, least := range map[time.Duration]int{80 * time.Millisecond: 3, 10 * time.Second: 1} {
		t.Run(takes.String(), func(t *testing.T) {
			inBubble(t, 10, time.Hour, func(b *bubble) {
				b.takes = takes
				ctx, stop := context.WithTimeout(b.t.Context(), time.Minute)
				defer stop()
				var tills sync.WaitGroup
				for _, id := range b.open[:5] {
					b.poll(ctx, &tills, 4, id)
				}
				tills.Wait()
				b.mu.Lock()
				defer b.mu.Unlock()
				for i, id := range b.open {
					if got := len(b.asked[id]); got < least {
						b.t.Errorf("order %d, polled: %t, was asked about %d times in a minute", i, i < 5, got)
					}
				}
			})
		})
	}
}

// TestPollingTheCounter: polling does not make the inquiries about the order at the counter
// closer than three seconds.
func TestPollingTheCounter(t *testing.T) {
	inBubble(t, 0, 0, func(b *bubble) {
		b.takes = time.Millisecond
		id := make(chan payterm.OrderID, 1)
		selling, leave := context.WithCancel(b.t.Context())
		//nolint:errcheck // it is left
		go b.r.Sale(selling, order.SaleBegan{Mode: payterm.Active, Wallet: payterm.Alipay, AmountMinor: 1234,
			Currency: "CAD"}, func(o payterm.OrderID) { id <- o })
		order := <-id
		time.Sleep(time.Second)
		ctx, stop := context.WithTimeout(b.t.Context(), 30*time.Second)
		defer stop()
		var tills sync.WaitGroup
		b.poll(ctx, &tills, 8, order)
		tills.Wait()
		leave()
		b.mu.Lock()
		defer b.mu.Unlock()
		if got := len(b.asked[order]); got < 9 || got > 11 {
			b.t.Errorf("it was asked about %d times in half a minute", got)
		}
	})
}

// sold makes a sale over the socket that is paid.
func (b *bubble) sold(minor int64) payterm.OrderID {
	b.t.Helper()
	done := make(chan SaleResult, 1)
	began := make(chan payterm.OrderID, 1)
	go func() {
		res, err := b.r.Sale(b.t.Context(), order.SaleBegan{Mode: payterm.Passive, AmountMinor: minor, Currency: "CAD"},
			func(id payterm.OrderID) { began <- id })
		if err != nil {
			b.t.Error(err)
		}
		done <- res
	}()
	id := <-began
	time.Sleep(time.Second)
	b.r.Scan(payterm.NewPayCode(fmt.Sprintf("28%016d", minor)), b.now())
	if res := <-done; res.Order.Outcome != payterm.Approved {
		b.t.Fatalf("%+v", res)
	}
	return id
}

// knowsRefunds makes the gateway report refunded totals.
func (b *bubble) knowsRefunds() {
	b.says = func(q payterm.Inquiry) payterm.Answer {
		if back := b.refunds[q.OrderID]; back > 0 {
			return payterm.Refunded{PaidMinor: q.Total.Minor, RefundedMinor: back, Status: "refund"}
		}
		return payterm.Paid{PaidMinor: q.Total.Minor, Status: "success"}
	}
}

// TestRefundsKeepToTheFloor: refunds of one sale in a row, with reconciliations and a person who
// asks, ask about the sale once in three seconds; each baseline is newer than its refund's begin.
func TestRefundsKeepToTheFloor(t *testing.T) {
	inBubble(t, 0, 0, func(b *bubble) {
		b.knowsRefunds()
		b.r.c.Settings.Rules.RefundInterval = time.Second // shorter than the floor
		sale := b.sold(1234)
		ctx, stop := context.WithCancel(b.t.Context())
		var others sync.WaitGroup
		for range 3 {
			others.Go(func() {
				for ctx.Err() == nil {
					c, err := b.r.Check(ctx, sale)
					if err == nil && c.Order.Outcome != payterm.Approved {
						b.t.Errorf("%+v", c)
					}
					select {
					case <-ctx.Done():
					case <-time.After(100 * time.Millisecond):
					}
				}
			})
		}
		for n := range 3 {
			var began time.Duration
			res, err := b.r.Refund(b.t.Context(), order.RefundBegan{SaleID: sale, AmountMinor: 100},
				func(payterm.OrderID) { began = b.now() })
			if err != nil || res.Order.Outcome != payterm.Approved {
				b.t.Fatalf("refund %d: %+v, %v", n, res, err)
			}
			b.mu.Lock()
			after := 0
			for _, at := range b.asked[sale] {
				if at >= began {
					after++
				}
			}
			b.mu.Unlock()
			if after < 2 { // the baseline and the result
				b.t.Errorf("refund %d: %d inquiries since it began", n, after)
			}
		}
		stop()
		others.Wait()
		if b.refunds[sale] != 300 {
			b.t.Errorf("%d went back", b.refunds[sale])
		}
	})
}

// TestBootWithAGatewayThatHangs: all young orders are asked about within ten seconds of the
// start, with a pause between two, though no answer comes (invariant 10).
func TestBootWithAGatewayThatHangs(t *testing.T) {
	inBubble(t, bootSoon+10, time.Minute, func(b *bubble) {
		b.mu.Lock()
		b.takes = time.Hour
		b.mu.Unlock()
		time.Sleep(10 * time.Second)
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, id := range b.open[10:] {
			if len(b.asked[id]) == 0 {
				b.t.Errorf("%s is young and was not asked about", id)
			}
		}
		for i := 1; i < len(b.starts); i++ {
			if b.starts[i]-b.starts[i-1] < inquiryPause {
				b.t.Errorf("inquiries %d and %d are %s apart", i, i+1, b.starts[i]-b.starts[i-1])
			}
		}
		if most := bootSoon + maxInFlight; len(b.starts) > most {
			b.t.Errorf("%d inquiries hang, %d may", len(b.starts), most)
		}
	})
}

// TestCrowd: the callers that wait for one answer are bounded; one more gets the current row;
// callers of other orders are not affected.
func TestCrowd(t *testing.T) {
	inBubble(t, 2, time.Hour, func(b *bubble) {
		b.mu.Lock()
		b.takes = time.Hour
		b.mu.Unlock()
		time.Sleep(time.Minute)
		ctx, leave := context.WithTimeout(b.t.Context(), 20*time.Second)
		defer leave()
		var mu sync.Mutex
		atOnce := map[payterm.OrderID]int{}
		var crowd sync.WaitGroup
		for i := range 3 * maxWatchers {
			crowd.Go(func() {
				began := b.now()
				id := b.open[0]
				if i == 0 {
					id = b.open[1]
				}
				if o, open, err := b.r.Inquire(ctx, id); err != nil || !open || o.ID != id {
					b.t.Errorf("%+v, %t, %v", o, open, err)
				}
				mu.Lock()
				defer mu.Unlock()
				if b.now() == began {
					atOnce[id]++
				}
			})
		}
		crowd.Wait()
		if got := atOnce[b.open[0]]; got != 2*maxWatchers-1 || atOnce[b.open[1]] != 0 {
			b.t.Errorf("%v were answered at once", atOnce)
		}
	})
}

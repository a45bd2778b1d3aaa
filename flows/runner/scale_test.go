package runner

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"payterm"
	"payterm/flows/order"
)

// recount compares book's counts with a count over all orders.
func (w *world) recount() {
	w.t.Helper()
	var phases [order.Closed + 1]int
	doubts := 0
	holding, indexed := 0, 0
	for _, l := range w.r.orders {
		phases[l.order.Phase]++
		if inDoubt(l.order) {
			doubts++
		}
		if len(l.unsaved) > 0 {
			holding++
		}
		if _, there := w.r.totals[l.order.Total()][l]; !there {
			w.t.Fatalf("order %s is not found by its total", l.order.ID())
		}
	}
	for _, list := range w.r.totals {
		indexed += len(list)
	}
	if doubts != w.r.doubts {
		w.t.Fatalf("counted %d doubts, there are %d", w.r.doubts, doubts)
	}
	if phases != w.r.phases || holding != w.r.holding || indexed != len(w.r.orders) {
		w.t.Fatalf("counted %v, %d holding, %d by total; there are %v, %d, %d", w.r.phases, w.r.holding, indexed,
			phases, holding, len(w.r.orders))
	}
}

// manyOpen is a world whose journal has n orders that were sent and never answered.
func manyOpen(tb testing.TB, n int) *world {
	tb.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "payterm") // in memory: thousands of commits
	if err != nil {
		dir = tb.TempDir()
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	w := &world{t: tb, path: filepath.Join(dir, "payterm.db"), now: time.Second}
	w.boot()
	tb.Cleanup(func() { w.store.Close() })
	var entries []payterm.Entry
	for i := range n {
		id, err := w.store.NextOrderID()
		if err != nil {
			tb.Fatal(err)
		}
		o := order.Order{}
		for _, ev := range []order.Event{
			order.SaleBegan{ID: id, Mode: payterm.Passive, AmountMinor: int64(100 + i%50), Currency: "CAD",
				Rules: order.DefaultRules()},
			order.CodeScanned{Code: payterm.NewPayCode(alipayCode), Masked: "****3456", Wallet: payterm.Alipay,
				Key: fmt.Sprint(i), Began: w.now},
		} {
			in := w.r.stamp(ev)
			next, _ := order.Step(o, in)
			e, err := w.r.entry(o, next, in)
			if err != nil {
				tb.Fatal(err)
			}
			entries, o = append(entries, e), next
		}
	}
	if err := w.store.Commit(entries...); err != nil {
		tb.Fatal(err)
	}
	w.now += time.Hour
	w.boot()
	return w
}

// TestTenThousandOpen restores ten thousand open orders; the gateway says pending at first. All
// are asked about in turn, each once before any twice, five a second, until none is left. A
// question about one order does not wait for the others.
func TestTenThousandOpen(t *testing.T) {
	n := 10_000
	if testing.Short() {
		n = 1000
	}
	w := manyOpen(t, n)
	times, asked := []time.Duration{}, map[payterm.OrderID]int{}
	w.heard = func(q payterm.Inquiry) payterm.Answer {
		times = append(times, w.now)
		if asked[q.OrderID]++; asked[q.OrderID] == 1 {
			return payterm.Pending{Status: "notpay"}
		}
		return payterm.Paid{PaidMinor: q.Total.Minor, Status: "success"}
	}
	if s := w.r.status(); s.Queue != n || s.Doubts != n {
		t.Fatalf("restored: %+v", s)
	}
	w.run(10 * time.Second)
	if len(asked) < bootSoon {
		t.Errorf("%d orders were asked about in the first ten seconds, not %d", len(asked), bootSoon)
	}
	w.recount()
	queue := w.r.queued()
	if last := queue[len(queue)-1]; len(queue) != n || queue[0].State != payterm.QueueInLine || queue[0].Line != 1 ||
		last.State == payterm.QueueInLine && last.Line != n {
		t.Errorf("queue: %d, first %+v, last %+v", len(queue), queue[0], last)
	}
	due := w.r.gate.lines[dueLine]
	named := due[len(due)-1].id
	before := asked[named]
	answer := make(chan payterm.Order, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		o, _, err := w.r.Inquire(ctx, named)
		if err != nil {
			t.Error(err)
		}
		answer <- o
	}()
	(<-w.r.inbox)()
	w.run(time.Second)
	if o := <-answer; o.ID != named || asked[named] != before+1 {
		t.Errorf("asked about by name: %+v, %d inquiries", o, asked[named])
	}
	twice := map[payterm.OrderID]bool{}
	for _, line := range w.r.gate.lines {
		for _, s := range line {
			if twice[s.id] {
				t.Errorf("%s stands in line twice", s.id)
			}
			twice[s.id] = true
		}
	}
	w.run(time.Duration(2*n)*inquiryPause + time.Minute)
	if len(w.r.orders) != 0 || len(asked) != n || len(w.known) != 2*n {
		t.Errorf("%d orders are left, %d were asked about, %d times", len(w.r.orders), len(asked), len(w.known))
	}
	first := map[payterm.OrderID]bool{}
	for _, id := range w.known[:n] {
		first[id] = true
	}
	if len(first) < n-2*bootSoon {
		t.Errorf("the first %d inquiries were about %d orders", n, len(first))
	}
	for i := 1; i < len(times); i++ {
		if times[i]-times[i-1] < inquiryPause {
			t.Fatalf("inquiries %d and %d are %s apart", i, i+1, times[i]-times[i-1])
		}
	}
	w.recount()
	list, err := w.store.Orders()
	if err != nil {
		t.Fatal(err)
	}
	if at := slices.IndexFunc(list, func(o payterm.Order) bool { return o.Outcome != payterm.Approved }); at >= 0 ||
		len(list) != n {
		t.Errorf("%d orders, and one is %+v", len(list), list[max(0, at)])
	}
}

// TestReserveGone: without room for the answer no sale begins and nothing is sent.
func TestReserveGone(t *testing.T) {
	w := newWorld(t, paid)
	w.full = true
	w.scanSale(alipayCode)
	w.run(time.Second)
	if orders, err := w.store.Orders(); err != nil || len(orders) != 0 || len(w.sent) != 0 {
		t.Errorf("a sale began: %+v %v, sent %v", orders, err, w.sent)
	}
	if last := w.screens[len(w.screens)-1]; last != "fault" {
		t.Errorf("screens %v", w.screens)
	}
	w.full = false
	w.run(2 * time.Second)
	w.scanSale(alipayCode)
	w.run(time.Second)
	if o := w.order(0); o.Outcome != payterm.Approved {
		t.Errorf("with room again: %+v", o)
	}
}

// TestReplyKept: an answer that cannot be stored is kept, and the counter is out of order until
// it is stored.
func TestReplyKept(t *testing.T) {
	w := newWorld(t, paid)
	w.scanSale(alipayCode)
	w.full = true
	w.run(3 * time.Second)
	if o := w.order(0); o.Outcome != payterm.Open || w.r.holding != 1 || w.screens[len(w.screens)-1] != "fault" {
		t.Errorf("order %+v, %d holding, screens %v", o, w.r.holding, w.screens)
	}
	w.full = false
	w.run(3 * time.Second)
	if o := w.order(0); o.Outcome != payterm.Approved || w.r.holding != 0 || w.screens[len(w.screens)-1] != "approved" {
		t.Errorf("order %+v, %d holding, screens %v", o, w.r.holding, w.screens)
	}
	if len(w.sent) != 1 {
		t.Errorf("sent %v", w.sent)
	}
}

// BenchmarkSale begins and cancels a sale while orders are open; their number should not matter.
func BenchmarkSale(b *testing.B) {
	for _, n := range []int{0, 10_000} {
		b.Run(fmt.Sprintf("open=%d", n), func(b *testing.B) {
			w := manyOpen(b, n)
			for b.Loop() {
				w.press("9", "9", "9", "9", payterm.KeyEnter, payterm.KeyCancel, payterm.KeyCancel)
			}
		})
	}
}

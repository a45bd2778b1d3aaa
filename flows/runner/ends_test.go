package runner

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
)

// waitingCall is a call that waits for the loop.
type waitingCall struct {
	name string
	ask  func(context.Context, *bubble) (string, error) // returns its result in a word
	most time.Duration                                  // how long it waits if nothing happens
}

// tell is a call's result in a word.
func tell(res SaleResult, err error) (string, error) {
	switch {
	case err != nil:
		return "", err
	case !res.Began:
		return "not begun: " + string(res.Reason), nil
	}
	return string(res.Order.Outcome), nil
}

func ignoreBegan(payterm.OrderID) {}

// waitingCalls are all calls that can wait. A supervisor's PIN is configured and nobody types it;
// the gateway does not answer; the first open order has been in doubt for a minute.
var waitingCalls = []waitingCall{
	{"a sale at the counter", func(ctx context.Context, b *bubble) (string, error) {
		return tell(b.r.Sale(ctx, order.SaleBegan{Mode: payterm.Passive, AmountMinor: 5, Currency: "CAD"}, ignoreBegan))
	}, 61 * time.Second},
	{"a sale at a prompt", func(ctx context.Context, b *bubble) (string, error) {
		return tell(b.r.Sale(ctx, order.SaleBegan{Mode: payterm.Passive, AmountMinor: 100, Currency: "CAD",
			Despite: b.open[0]}, ignoreBegan))
	}, 121 * time.Second},
	{"its retry", func(ctx context.Context, b *bubble) (string, error) {
		sale := order.SaleBegan{Mode: payterm.Passive, AmountMinor: 100, Currency: "CAD", Despite: b.open[0],
			IdempotencyKey: "K"}
		go b.r.Sale(ctx, sale, ignoreBegan) //nolint:errcheck // the second call is the one that is checked
		time.Sleep(time.Millisecond)
		return tell(b.r.Sale(ctx, sale, ignoreBegan))
	}, 121 * time.Second},
	{"a refund at a prompt", func(ctx context.Context, b *bubble) (string, error) {
		return tell(b.r.Refund(ctx, order.RefundBegan{SaleID: b.closed, AmountMinor: 5}, ignoreBegan))
	}, 121 * time.Second},
	{"a word at a prompt", func(ctx context.Context, b *bubble) (string, error) {
		o, err := b.r.Resolve(ctx, b.open[0], "", "x")
		return o.Resolution, err
	}, 121 * time.Second},
	{"a Z at a prompt", func(ctx context.Context, b *bubble) (string, error) {
		_, err := b.r.AllowZ(ctx, "", "")
		return "", err
	}, 121 * time.Second},
	{"a training at a prompt", func(ctx context.Context, b *bubble) (string, error) {
		return "", b.r.Train(ctx, true)
	}, 121 * time.Second},
	{"somebody who tries the devices out", func(ctx context.Context, b *bubble) (string, error) {
		s, err := b.r.Service(ctx)
		if err != nil {
			return "", err
		}
		for range s.Input() { // until the counter is taken away
		}
		return "given back", nil
	}, 91 * time.Second},
	{"who asks about an order", func(ctx context.Context, b *bubble) (string, error) {
		o, _, err := b.r.Inquire(ctx, b.open[0])
		return string(o.Outcome), err
	}, 40 * time.Second},
	{"who asks about one that is set aside", func(ctx context.Context, b *bubble) (string, error) {
		b.onLoop(func() {
			b.r.quarantine(b.r.orders[b.open[0]], b.r.stamp(order.Woke{}), errors.New("it cannot be"))
		})
		o, _, err := b.r.Inquire(ctx, b.open[0])
		return string(o.Outcome), err
	}, 40 * time.Second},
	{"a reconciliation of an open sale", func(ctx context.Context, b *bubble) (string, error) {
		c, err := b.r.Check(ctx, b.open[0])
		return string(c.Order.Outcome), err
	}, 40 * time.Second},
	{"a reconciliation of a closed sale", func(ctx context.Context, b *bubble) (string, error) {
		c, err := b.r.Check(ctx, b.closed)
		return string(c.Order.Outcome), err
	}, 40 * time.Second},
}

// onLoop runs f on the loop.
func (b *bubble) onLoop(f func()) {
	done := make(chan struct{})
	if b.r.Post(func() { defer close(done); f() }) {
		<-done
	}
}

// TestEveryCallEnds: whatever happens to the loop, the counter, the order or the journal, each
// call ends with a true result.
func TestEveryCallEnds(t *testing.T) {
	atCounter := func(b *bubble) *live { // the sale that is asked for, or the doubt that is asked about
		for _, l := range b.r.orders {
			if l.order.Phase.AtCounter() {
				return l
			}
		}
		return b.r.orders[b.open[0]]
	}
	const own = time.Duration(-1) // it ends by its own limit
	for name, end := range map[string]struct {
		happens func(*bubble)
		within  map[string]time.Duration // by call; nil for all at once
		says    map[string]string
	}{
		"nothing": {func(*bubble) {}, map[string]time.Duration{"": own}, nil},
		"the counter begins anew": {func(b *bubble) {
			b.onLoop(func() {
				b.r.counter.PINTries = 99
				b.r.feed(counter.Woke{})
			})
		}, map[string]time.Duration{"a sale at the counter": own, "who asks about an order": own,
			"who asks about one that is set aside": own, "a reconciliation of an open sale": own,
			"a reconciliation of a closed sale": own},
			map[string]string{"a sale at the counter": "cancelled", "a sale at a prompt": "not begun: restarted",
				"its retry": "not begun: restarted", "a refund at a prompt": "not begun: restarted"}},
		"the loop ends": {func(b *bubble) { b.stop() }, nil, nil},
		"the journal fails": {func(b *bubble) {
			b.onLoop(func() { b.full = true; b.r.storeFailed(errors.New("no room")) })
		}, map[string]time.Duration{"a sale at the counter": own, "who asks about an order": own,
			"who asks about one that is set aside": own, "a reconciliation of an open sale": own,
			"a reconciliation of a closed sale": own},
			map[string]string{"a sale at the counter": "in_doubt", "a sale at a prompt": "not begun: storage",
				"its retry": "not begun: storage", "a refund at a prompt": "not begun: storage"}},
		"its order is set aside": {func(b *bubble) {
			b.onLoop(func() {
				if l := atCounter(b); l != nil {
					b.r.quarantine(l, b.r.stamp(order.Woke{}), errors.New("it cannot be"))
				}
			})
		}, map[string]time.Duration{
			"a sale at a prompt": own, "its retry": own, "a refund at a prompt": own, "a word at a prompt": own,
			"a Z at a prompt": own, "a training at a prompt": own, "who asks about one that is set aside": own,
			"somebody who tries the devices out": own, "a reconciliation of a closed sale": own,
		}, map[string]string{"a sale at the counter": "in_doubt"}},
		"CANCEL is pressed": {func(b *bubble) { b.r.Press(payterm.KeyCancel) }, map[string]time.Duration{
			"somebody who tries the devices out": own, "who asks about an order": own,
			"who asks about one that is set aside": own, "a reconciliation of an open sale": own,
			"a reconciliation of a closed sale": own,
		}, map[string]string{"a sale at the counter": "cancelled", "a sale at a prompt": "not begun: cashier"}},
	} {
		for _, w := range waitingCalls {
			t.Run(name+"/"+w.name, func(t *testing.T) {
				inBubble(t, 1, 2*time.Minute, func(b *bubble) {
					b.r.c.Settings.PINSet = true
					b.onLoop(func() { b.r.counter = counter.New(b.r.c.Settings) })
					b.mu.Lock()
					b.takes = time.Hour
					b.mu.Unlock()
					time.Sleep(30 * time.Second) // until the start's inquiry has ended
					ctx, leave := context.WithCancel(b.t.Context())
					defer leave()
					type ending struct {
						says string
						err  error
					}
					heard := make(chan ending, 1)
					began := b.now()
					go func() {
						says, err := w.ask(ctx, b)
						heard <- ending{says, err}
					}()
					synctest.Wait()
					time.Sleep(time.Second)
					end.happens(b)
					most, waits := end.within[w.name]
					if all, any := end.within[""]; any {
						most, waits = all, true
					}
					if waits && most == own {
						most = w.most
					}
					time.Sleep(time.Until(time.Now().Add(most - time.Second)))
					time.Sleep(2 * time.Second)
					select {
					case got := <-heard:
						if want, any := end.says[w.name]; any && (got.says != want || got.err != nil) {
							b.t.Errorf("he hears %q, %v", got.says, got.err)
						}
					default:
						b.t.Errorf("after %s he still waits: the counter is %s, %d tickets", b.now()-began,
							b.r.counter.Phase, len(b.r.tickets))
					}
				})
			})
		}
	}
}

// makeImpossible puts the counter into a state that no event leads to, and lets it notice.
func (w *world) makeImpossible() {
	w.r.counter.PINTries = 99
	w.r.feed(counter.StatusChanged{Status: w.r.counter.Status})
}

// TestCounterBeginsAnew: after an impossible state the counter keeps the order or the result that
// it had, and nothing that was typed.
func TestCounterBeginsAnew(t *testing.T) {
	last := func(w *world) string { return w.screens[len(w.screens)-1] }
	w := newWorld(t, payterm.CodeMade{CodeURL: "weixin://x"})
	w.press("1", "2", "3", "4", payterm.KeyF1)
	w.run(time.Second)
	w.screens = append(w.screens, "before")
	w.makeImpossible()
	if last(w) != "show_code" || w.r.counter.Order.ID() != w.order(0).ID {
		t.Errorf("the counter shows %s, of %s", last(w), w.r.counter.Order.ID())
	}
	w.press(payterm.KeyCancel)
	w.run(time.Second)
	if o := w.order(0); o.Outcome != payterm.InDoubt || o.Reason != payterm.ReasonGivenUp || last(w) != "in_doubt" {
		t.Errorf("CANCEL: %+v, the counter shows %s", o, last(w))
	}
	w.screens = append(w.screens, "before")
	w.makeImpossible()
	if last(w) != "in_doubt" {
		t.Errorf("a result is taken away: %s", last(w))
	}
	w.press(payterm.KeyEnter, "5", "6")
	w.makeImpossible()
	if last(w) != "idle" || w.r.counter.Want.AmountMinor != 0 {
		t.Errorf("half an amount is kept: %s", last(w))
	}

	// An order that ended meanwhile stays ended.
	w = newWorld(t, payterm.CodeMade{CodeURL: "weixin://x"}, paid)
	w.press("1", "2", "3", "4", payterm.KeyF1)
	w.run(10 * time.Second)
	w.r.counter.Order.Phase = order.ShowingCode // impossible: a result of an order that is at the counter
	w.screens = append(w.screens, "before")
	w.r.feed(counter.StatusChanged{Status: w.r.counter.Status})
	if last(w) != "approved" {
		t.Errorf("the counter shows %s", last(w))
	}
}

// TestAnewWithAPIN: a PIN that was being compared when the counter started again does not count
// at a later prompt.
func TestAnewWithAPIN(t *testing.T) {
	w := &world{t: t, path: filepath.Join(t.TempDir(), "payterm.db"), answers: []payterm.Answer{paid}, now: time.Second}
	w.alter = func(c *Config) {
		c.Settings.PINSet = true
		c.PIN = func(string, counter.PIN) (counter.Operator, bool) {
			return counter.Operator{Number: payterm.SharedSupervisor, Supervisor: true}, true
		}
	}
	w.boot()
	t.Cleanup(func() { w.store.Close() })
	w.scanSale(alipayCode)
	w.run(time.Second)
	refund := func() saleCall {
		call := newCall(context.Background())
		if err := w.r.askRefund(order.RefundBegan{SaleID: w.order(0).ID, AmountMinor: 5}, call); err != nil {
			t.Fatal(err)
		}
		return call
	}
	first := refund()
	w.press("1", payterm.KeyEnter) // the comparison is slow
	w.makeImpossible()
	if res := <-first.result; res.Began || res.Reason != payterm.ReasonRestarted {
		t.Errorf("%+v", res)
	}
	refund()
	w.press("2", payterm.KeyEnter)
	w.run(time.Second)
	if orders, err := w.store.Orders(); err != nil || len(orders) != 1 {
		t.Errorf("it was allowed: %+v, %v", orders, err)
	}
}

// TestImpossibleBeginning: an order whose first state is impossible leaves no order, no caller
// and no waiting counter behind.
func TestImpossibleBeginning(t *testing.T) {
	w := newWorld(t)
	call := newCall(context.Background())
	ticket := w.r.wait(call, "", Content{})
	w.r.counter.Phase, w.r.counter.Ticket = counter.Serving, ticket
	w.r.start(ticket, payterm.Amount{Minor: 5, Currency: "CAD"}, func(id payterm.OrderID) order.Event {
		return order.RefundBegan{ID: id, SaleID: "T1ZZZZA000009", SaleTotalMinor: 1, AmountMinor: 5, Currency: "CAD",
			Rules: order.DefaultRules()}
	})
	select {
	case res := <-call.result:
		if res.Began {
			t.Errorf("%+v", res)
		}
	default:
		t.Error("the caller hears nothing")
	}
	if w.r.counter.Phase != counter.Idle || len(w.r.orders) != 0 || len(w.r.asides) != 0 || len(w.r.totals) != 0 {
		t.Errorf("the counter is %s, %d orders, set aside: %v", w.r.counter.Phase, len(w.r.orders), w.r.asides)
	}
}

// TestWatcherOfAKeptAnswer: a caller that asks while an answer waits for the disk gets it once it
// is stored.
func TestWatcherOfAKeptAnswer(t *testing.T) {
	w := newWorld(t)
	w.scanSale(alipayCode)
	w.run(2 * time.Minute)
	id := w.order(0).ID
	w.full = true
	w.heard = func(payterm.Inquiry) payterm.Answer { return payterm.Pending{Status: "notpay"} } // which changes the row
	for range 60 {
		if w.run(time.Second); w.r.holding > 0 {
			break
		}
	}
	asked := w.asked
	f := w.r.watch(id)
	w.full = false
	w.run(3 * time.Second)
	select {
	case row := <-f.wait:
		if row.GatewayStatus != "notpay" {
			t.Errorf("%+v", row)
		}
	default:
		t.Errorf("he hears nothing; %d answers are kept, %d inquiries since", w.r.holding, w.asked-asked)
	}
}

package runner

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"testing"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
	"payterm/storage"
)

// spoiled makes a sale of 12.34 in doubt, appends an event of an unknown version, and restarts.
func spoiled(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, payterm.Lost{Why: "silence"})
	w.scanSale(alipayCode)
	w.run(5 * time.Minute)
	o := w.order(0)
	if o.Outcome != payterm.InDoubt {
		t.Fatalf("%+v", o)
	}
	w.spoil(o)
	return w
}

// spoil appends an event that this version cannot read to an open order, and restarts.
func (w *world) spoil(o payterm.Order) {
	w.t.Helper()
	err := w.store.Commit(payterm.Entry{OrderID: o.ID, Event: "of_another_version", Body: []byte(`{}`), Order: o,
		Owes: payterm.OwedInquiry})
	if err != nil {
		w.t.Fatal(err)
	}
	w.boot()
	w.slips = nil
}

// warned types the amount of the spoiled sale and reports whether a warning is shown.
func (w *world) warned() bool {
	w.t.Helper()
	w.press(payterm.KeyCancel, payterm.KeyCancel, "1", "2", "3", "4", payterm.KeyEnter)
	warned := w.r.counter.Phase == counter.Warned
	if warned && w.r.counter.Conflict != w.order(0).ID {
		w.t.Errorf("the conflict is %s", w.r.counter.Conflict)
	}
	w.press(payterm.KeyCancel)
	w.run(time.Millisecond)
	return warned
}

// TestAsideGuards: an unreadable order blocks its amount, over restarts and without a time limit,
// until a supervisor's decision closes it.
func TestAsideGuards(t *testing.T) {
	w := spoiled(t)
	id := w.order(0).ID
	for _, later := range []time.Duration{0, time.Hour, 30 * time.Hour} {
		w.run(later)
		if !w.warned() {
			t.Errorf("no warning after %s", later)
		}
		w.boot()
	}
	call := saleCall{began: make(chan payterm.OrderID, 1), result: make(chan SaleResult, 1)}
	if err := w.r.askSale(order.SaleBegan{Mode: payterm.Passive, AmountMinor: 1234, Currency: "CAD"},
		call); err != nil {
		t.Fatal(err)
	}
	select {
	case res := <-call.result:
		if res.Reason != payterm.ReasonPossibleDuplicate || res.Order.ID != id {
			t.Errorf("a till hears %+v", res)
		}
	default:
		t.Fatal("a till is sold to")
	}
	if s := w.r.status(); s.Alarms != 1 || s.Doubts != 0 {
		t.Errorf("%+v", s)
	}
	if row, err := w.r.resolve(id, "7", "the wallet's page shows none"); err != nil || row.Resolution == "" ||
		row.Outcome != payterm.InDoubt {
		t.Errorf("%+v, %v", row, err)
	}
	if _, err := w.r.resolve(id, "7", "again"); !errors.Is(err, ErrNotAsked) {
		t.Errorf("a second word: %v", err)
	}
	for range 2 {
		if s := w.r.status(); s.Alarms != 0 || len(w.r.orders) != 0 {
			t.Errorf("%+v", s)
		}
		asked := w.asked
		if w.run(time.Hour); w.asked != asked || w.warned() {
			t.Errorf("%d inquiries after the word", w.asked-asked)
		}
		w.boot()
	}
	if _, err := w.store.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	z, err := w.store.TakeZ(payterm.TakenBy{})
	if in, errIn := w.store.InZ(z.Number); err != nil || errIn != nil || len(in) == 0 {
		t.Errorf("%+v, %v %v", in, err, errIn)
	}
	if queue, err := w.store.Queue(); err != nil || len(queue) != 0 {
		t.Errorf("%+v, %v", queue, err)
	}
}

// TestAsideAfterAWord: a decision before the order was set aside ends its guard but not the
// inquiries; a payment that is found is shown to staff.
func TestAsideAfterAWord(t *testing.T) {
	w := newWorld(t, payterm.Lost{Why: "silence"})
	w.scanSale(alipayCode)
	w.run(5 * time.Minute)
	if _, err := w.r.resolve(w.order(0).ID, "7", "looked at"); err != nil {
		t.Fatal(err)
	}
	w.spoil(w.order(0))
	if w.warned() {
		t.Error("a doubt that a word has settled guards its amount")
	}
	asked := w.asked
	if w.run(time.Hour); w.asked == asked {
		t.Error("nobody asks about it")
	}
	w.heard = func(payterm.Inquiry) payterm.Answer { return paid }
	w.run(10 * time.Minute)
	if o := w.order(0); o.Outcome != payterm.Approved || o.Attention != payterm.AttentionAlarm || o.Resolution != "" {
		t.Errorf("a payment is lost: %+v", o)
	}
}

// TestAsideFindsThePayment: a set-aside order is asked about on the ladder. A payment that is
// found is approved, shown to staff and counted in the next Z, also over restarts.
func TestAsideFindsThePayment(t *testing.T) {
	for name, c := range map[string]struct {
		before []payterm.Answer
		answer payterm.Answer
		full   bool // the disk, when the answer comes first
	}{
		"at once": {nil, paid, false},
		"after silence, and other news": {[]payterm.Answer{payterm.Lost{}, payterm.Pending{Status: "notpay"},
			payterm.NotFound{}, payterm.Unclear{Unknown: true}}, paid, false},
		"on a full disk": {nil, paid, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := spoiled(t)
			if _, err := w.store.TakeZ(payterm.TakenBy{}); err != nil {
				t.Fatal(err)
			}
			w.full = c.full
			w.heard = func(q payterm.Inquiry) payterm.Answer {
				if q.OrderID != w.order(0).ID || q.Total.Minor != 1234 {
					t.Errorf("asked about %+v", q)
				}
				if len(c.before) > 0 {
					a := c.before[0]
					c.before = c.before[1:]
					return a
				}
				return c.answer
			}
			w.run(10 * time.Minute)
			w.full = false
			w.run(time.Minute)
			for range 2 {
				o := w.order(0)
				if o.Outcome != payterm.Approved || o.Reason != payterm.ReasonLatePayment ||
					o.Attention != payterm.AttentionAlarm || o.PaidMinor != 1234 {
					t.Errorf("%+v", o)
				}
				if s := w.r.status(); s.Alarms != 1 || len(w.r.asides) != 0 {
					t.Errorf("%+v", s)
				}
				w.boot()
			}
			if w.warned() || len(w.slips) != 2 || w.slips[0] != order.SlipLatePayment ||
				w.slips[1] != order.SlipResolved {
				t.Errorf("slips %v", w.slips)
			}
			if row, err := w.r.resolve(w.order(0).ID, "7", "kept"); err != nil || row.Outcome != payterm.Approved ||
				w.r.status().Alarms != 0 {
				t.Errorf("%+v, %v, %+v", row, err, w.r.status())
			}
			if _, err := w.store.Verify(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := w.store.TakeZ(payterm.TakenBy{}); err != nil {
				t.Fatal(err)
			}
			sum := int64(0)
			for n := int64(1); n <= 2; n++ {
				z, err := w.store.Totals(n)
				if err != nil {
					t.Fatal(err)
				}
				for _, row := range z.Sums() {
					sum += row.AmountMinor
				}
			}
			if sum != 1234 {
				t.Errorf("the Zs hold %d", sum)
			}
		})
	}
}

// TestAsideHears: the other answers.
func TestAsideHears(t *testing.T) {
	for name, c := range map[string]struct {
		answer    payterm.Answer
		outcome   payterm.Outcome
		reason    payterm.Reason
		attention payterm.Attention
		guards    bool
	}{
		"failed": {payterm.Failed{Status: "failure"}, payterm.Declined, payterm.ReasonWallet, "", false},
		"refunded": {payterm.Refunded{PaidMinor: 1234, RefundedMinor: 34}, payterm.InDoubt, payterm.ReasonRefunded,
			payterm.AttentionAlarm, false},
		"another total": {payterm.Unclear{Authentic: true, Alarm: true, Status: "success", Paid: true}, payterm.InDoubt,
			payterm.ReasonNoAnswer, payterm.AttentionAlarm, true},
		"a forged one": {payterm.Lost{Alarm: true}, payterm.InDoubt, payterm.ReasonNoAnswer, payterm.AttentionAlarm,
			true},
		"pending":       {payterm.Pending{Status: "notpay"}, payterm.InDoubt, payterm.ReasonNoAnswer, "", true},
		"no such order": {payterm.NotFound{}, payterm.InDoubt, payterm.ReasonNoAnswer, "", true},
		"silence":       {payterm.Lost{}, payterm.InDoubt, payterm.ReasonNoAnswer, "", true},
		"unsent":        {payterm.Unsent{}, payterm.InDoubt, payterm.ReasonNoAnswer, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			w := spoiled(t)
			w.heard = func(payterm.Inquiry) payterm.Answer { return c.answer }
			w.run(10 * time.Minute)
			for range 2 {
				o := w.order(0)
				if o.Outcome != c.outcome || o.Reason != c.reason || o.Attention != c.attention ||
					w.warned() != c.guards {
					t.Errorf("%+v", o)
				}
				w.boot()
			}
			events, err := w.store.Events(w.order(0).ID)
			if err != nil {
				t.Fatal(err)
			}
			own := 0
			for _, e := range events {
				if e.Event == "aside_answered" {
					own++
				}
			}
			if fact := c.outcome != payterm.InDoubt || c.attention != ""; own > 1 || fact != (own == 1) {
				t.Errorf("%d records of its own", own)
			}
		})
	}
}

// TestAsideWithAnAlarm: after an alarm a failure closes nothing.
func TestAsideWithAnAlarm(t *testing.T) {
	w := spoiled(t)
	answers := []payterm.Answer{payterm.Unclear{Authentic: true, Alarm: true, Status: "success", Paid: true}}
	w.heard = func(payterm.Inquiry) payterm.Answer {
		if len(answers) > 0 {
			a := answers[0]
			answers = answers[1:]
			return a
		}
		return payterm.Failed{Status: "failure"}
	}
	w.run(time.Hour)
	if o := w.order(0); o.Outcome != payterm.InDoubt || o.Attention != payterm.AttentionAlarm || !w.warned() {
		t.Errorf("%+v", o)
	}
	// A payment whose trade time does not fit is another terminal's.
	w.heard = func(payterm.Inquiry) payterm.Answer { return payterm.Paid{PaidMinor: 1234, TradeClock: 1} }
	w.run(time.Hour)
	if o := w.order(0); o.Outcome != payterm.InDoubt {
		t.Errorf("%+v", o)
	}
	w.heard = func(payterm.Inquiry) payterm.Answer {
		return payterm.Paid{PaidMinor: 1234, TradeClock: w.order(0).CreatedAt.Unix() + 60}
	}
	w.run(time.Hour)
	if o := w.order(0); o.Outcome != payterm.Approved {
		t.Errorf("%+v", o)
	}
}

// TestAsideFromTheCounter: an order in an impossible state is set aside while it is at the
// counter, and the next answer still counts.
func TestAsideFromTheCounter(t *testing.T) {
	w := newWorld(t, payterm.Paid{PaidMinor: 1, Status: "success"}) // impossible: less than the total
	w.scanSale(alipayCode)
	w.run(time.Second)
	if s := w.r.status(); s.Alarms != 1 || len(w.r.orders) != 0 ||
		w.screens[len(w.screens)-1] != string(counter.ViewInDoubt) || !w.warned() {
		t.Fatalf("%+v, %v", s, w.screens)
	}
	result := make(chan Checked, 1)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	w.answers = []payterm.Answer{payterm.Pending{Status: "notpay"}}
	if err := w.r.check(ctx, w.order(0).ID, result); err != nil {
		t.Fatal(err)
	}
	waits := w.pending[len(w.pending)-1] // waits for an answer on this loop
	w.pending = w.pending[:len(w.pending)-1]
	w.run(4 * time.Second)
	waits()
	if c := <-result; c.Order.ID != w.order(0).ID {
		t.Errorf("%+v", c)
	}
	w.answers = []payterm.Answer{paid}
	w.run(time.Minute)
	if o := w.order(0); o.Outcome != payterm.Approved || o.Attention != payterm.AttentionAlarm || len(w.sent) != 1 {
		t.Errorf("%+v, %d sent", o, len(w.sent))
	}
	w.boot()
	if s := w.r.status(); s.Alarms != 1 {
		t.Errorf("%+v", s)
	}
	// A second question has the same answer and takes nothing back.
	if c, err := w.checkNow(w.order(0).ID); err != nil || c.Order.Outcome != payterm.Approved {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestAsidePaidWhileWarned: if the sale of a warning is paid, the approval replaces the question.
func TestAsidePaidWhileWarned(t *testing.T) {
	w := spoiled(t)
	w.press("1", "2", "3", "4", payterm.KeyEnter)
	if w.r.counter.Phase != counter.Warned {
		t.Fatal(w.r.counter.Phase)
	}
	w.heard = func(payterm.Inquiry) payterm.Answer { return paid }
	w.run(10 * time.Second)
	if w.r.counter.Phase != counter.ShowingResult || w.screens[len(w.screens)-1] != string(counter.ViewLate) {
		t.Errorf("%s, %v", w.r.counter.Phase, w.screens)
	}
}

// spoilRow makes an order's row unreadable too.
func (w *world) spoilRow(id payterm.OrderID) {
	w.t.Helper()
	db, err := sql.Open("sqlite3", w.path)
	if err == nil {
		_, err = db.Exec(`UPDATE orders SET row = json_set(row, '$.created_at', 'x') WHERE order_id = ?`, string(id))
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.boot()
}

// TestAsideWithoutARow: neither the events nor the row of an order can be read. Its columns are
// enough to block its amount and to ask about it; after a decision the lists can be read again.
func TestAsideWithoutARow(t *testing.T) {
	for name, end := range map[string]func(w *world, id payterm.OrderID) (payterm.Order, error){
		"a word": func(w *world, id payterm.OrderID) (payterm.Order, error) {
			return w.r.resolve(id, "7", "looked at")
		},
		"a payment is found": func(w *world, id payterm.OrderID) (payterm.Order, error) {
			w.heard = func(payterm.Inquiry) payterm.Answer { return paid }
			w.run(10 * time.Minute)
			return w.r.resolve(id, "7", "it was paid")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := spoiled(t)
			was := w.order(0)
			w.spoilRow(was.ID)
			if s := w.r.status(); s.Alarms != 1 {
				t.Errorf("%+v", s)
			}
			w.press(payterm.KeyCancel, payterm.KeyCancel, "1", "2", "3", "4", payterm.KeyEnter)
			if w.r.counter.Phase != counter.Warned || w.r.counter.Conflict != was.ID {
				t.Errorf("no warning: %s %s", w.r.counter.Phase, w.r.counter.Conflict)
			}
			w.press(payterm.KeyCancel)
			row, err := end(w, was.ID)
			if err != nil || row.Resolution == "" || row.Total() != was.Total() || row.Mode != was.Mode {
				t.Fatalf("%+v, %v", row, err)
			}
			w.boot()
			if s := w.r.status(); s.Alarms != 0 || len(w.r.asides) != 0 {
				t.Errorf("after the word: %+v", s)
			}
			if now := w.order(0); now != row || !now.CreatedAt.Equal(was.CreatedAt) {
				t.Errorf("%+v, want %+v", now, row)
			}
			if _, err := w.store.Verify(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAsideUnpaidKeepsTheTerminal: a set-aside sale that ended unpaid is still asked about, so
// training cannot begin until a decision or an answer closes it.
func TestAsideUnpaidKeepsTheTerminal(t *testing.T) {
	for _, outcome := range []payterm.Outcome{payterm.NotSent, payterm.Declined} {
		w := newWorld(t, payterm.Lost{Why: "silence"})
		w.scanSale(alipayCode)
		w.run(5 * time.Minute)
		o := w.order(0)
		o.Outcome, o.Reason = outcome, payterm.ReasonCashier
		w.spoil(o)
		id := o.ID
		if a := w.r.asides[id]; a == nil || a.Undecided() || a.Owes() != payterm.OwedInquiry {
			t.Fatalf("%+v", a)
		}
		trains := func() payterm.Reason { return w.r.unfinished() }
		if why := trains(); why != payterm.ReasonOrdersOpen {
			t.Errorf("%s: a training begins: %q", outcome, why)
		}
		if _, err := w.r.resolve(id, "7", "looked at"); err != nil {
			t.Fatal(err)
		}
		if why := trains(); why != payterm.ReasonNone {
			t.Errorf("%s, after a word: no training: %s", outcome, why)
		}
	}
}

// TestAsideIsPrintedAgain: F2 prints a paid sale again from its row, though its events are
// unreadable; a sale in doubt has no slips.
func TestAsideIsPrintedAgain(t *testing.T) {
	w := newWorld(t, paid)
	w.scanSale(alipayCode)
	w.run(time.Second)
	w.spoilClosed(w.order(0))
	w.alter = func(c *Config) {
		c.Settings.Last = w.order(0).ID
		c.Slip = func(slip order.Slip, o payterm.Order, again bool) payterm.Receipt {
			if !again || o != w.order(0) {
				t.Errorf("%s of %+v, COPY: %t", slip, o, again)
			}
			w.slips = append(w.slips, slip)
			return payterm.Receipt{}
		}
	}
	w.boot()
	w.slips = nil
	w.press(payterm.KeyF2)
	if !slices.Equal(w.slips, []order.Slip{order.SlipMerchant, order.SlipCustomer}) {
		t.Errorf("printed %v", w.slips)
	}
	w = spoiled(t)
	w.r.reprint(w.order(0).ID)
	if len(w.slips) != 0 {
		t.Errorf("of a doubt: %v", w.slips)
	}
}

// TestAsideRefund: a set-aside refund keeps its sale reserved until a supervisor's decision; the
// next refund asks for its own baseline.
func TestAsideRefund(t *testing.T) {
	w := newWorld(t, paid)
	w.scanSale(alipayCode)
	w.run(time.Second)
	sale := w.order(0)
	w.answers = []payterm.Answer{paid, payterm.Pending{}}
	w.giveBack(sale.ID, 500)
	w.run(90 * time.Second)
	w.spoil(w.refundNo(1))
	asked := w.asked
	w.run(time.Hour)
	if call := w.giveBack(sale.ID, 500); len(call.result) != 1 || (<-call.result).Reason != payterm.ReasonRefundOpen ||
		w.asked != asked || w.warned() {
		t.Error("the sale is not reserved, or its refund is asked about")
	}
	if _, err := w.r.resolve(w.refundNo(1).ID, "7", "the gateway's page shows none"); err != nil {
		t.Fatal(err)
	}
	w.answers = []payterm.Answer{paid, payterm.Pending{}, payterm.Refunded{PaidMinor: 1234, RefundedMinor: 500}}
	w.giveBack(sale.ID, 500)
	w.run(20 * time.Second)
	if o := w.refundNo(2); o.Outcome != payterm.Approved {
		t.Errorf("%+v", o)
	}
	if _, err := w.store.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// refundInDoubt refunds 5.00 of a sale without an answer, and spoils the closed sale.
func refundInDoubt(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, paid)
	w.scanSale(alipayCode)
	w.run(time.Second)
	w.answers = []payterm.Answer{paid, payterm.Pending{}}
	w.giveBack(w.order(0).ID, 500)
	w.run(2 * time.Minute)
	if o := w.refundNo(1); o.Outcome != payterm.InDoubt {
		t.Fatalf("%+v", o)
	}
	w.spoilClosed(w.order(0))
	return w
}

// spoilClosed appends an event that this version cannot read to a closed order.
func (w *world) spoilClosed(o payterm.Order) {
	w.t.Helper()
	err := w.store.Commit(payterm.Entry{OrderID: o.ID, Event: "of_another_version", Body: []byte(`{}`), Order: o,
		Closed: true})
	if err != nil {
		w.t.Fatal(err)
	}
	w.boot()
}

// TestRefundOfASaleThatCannotBeRead: a refund ends, but its sale, which has to record that, is
// unreadable. The refund is set aside at each start and the terminal goes on selling. A
// supervisor's decision closes it, before or after other events.
func TestRefundOfASaleThatCannotBeRead(t *testing.T) {
	refunded := payterm.Refunded{PaidMinor: 1234, RefundedMinor: 500, Status: "partial_refunded"}
	for name, first := range map[string]struct {
		heard payterm.Answer
		lives int
	}{
		"a word at once":                     {payterm.Pending{}, 0},
		"a word after the answer":            {refunded, 1},
		"a word after the answer, twice":     {refunded, 2},
		"a word after the end of the ladder": {payterm.Paid{PaidMinor: 1234, Status: "success"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := refundInDoubt(t)
			w.heard = func(payterm.Inquiry) payterm.Answer { return first.heard }
			id := w.refundNo(1).ID
			for life := range first.lives {
				if life > 0 {
					w.boot()
				}
				w.run(30 * time.Hour)
				if w.r.storeBad || w.refundNo(1).Outcome != payterm.InDoubt {
					t.Fatalf("life %d: %s %q; the refund is %s", life, w.r.counter.Phase, w.r.counter.Fault,
						w.refundNo(1).Outcome)
				}
				if first.heard == payterm.Answer(refunded) && (w.r.asides[id] == nil || w.r.status().Alarms != 1) {
					t.Errorf("life %d: it is not set aside: %+v", life, w.r.status())
				}
			}
			row, err := w.r.resolve(id, "7", "the page shows it")
			if err != nil || row.Resolution == "" || w.r.storeBad {
				t.Fatalf("%+v, %v, %q", row, err, w.r.counter.Fault)
			}
			w.boot()
			w.run(time.Hour)
			if s := w.r.status(); s.Alarms != 0 || len(w.r.orders)+len(w.r.asides) != 0 {
				t.Errorf("after the word: %+v", s)
			}
			w.heard, w.answers = nil, []payterm.Answer{paid}
			w.scanSale("281234567890129999")
			w.run(time.Second)
			if o := w.order(2); o.Outcome != payterm.Approved {
				t.Errorf("the next sale: %+v", o)
			}
			if _, err := w.store.Verify(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAsideIsNotRefunded: a sale that was set aside after it was approved cannot be refunded
// here, and that is not reported as a journal failure.
func TestAsideIsNotRefunded(t *testing.T) {
	w := spoiled(t)
	w.heard = func(payterm.Inquiry) payterm.Answer { return paid }
	w.run(time.Minute)
	w.heard = nil
	if w.order(0).Outcome != payterm.Approved {
		t.Fatalf("%+v", w.order(0))
	}
	w.r.feed(counter.RefundAsked{Refund: order.RefundBegan{SaleID: w.order(0).ID, AmountMinor: 500, Currency: "CAD"}})
	if w.r.storeBad || w.r.counter.Phase == counter.Serving {
		t.Errorf("%s", w.r.counter.Phase)
	}
}

// TestAsideWordOnAFullDisk: a decision that cannot be committed has no effect.
func TestAsideWordOnAFullDisk(t *testing.T) {
	w := spoiled(t)
	id := w.order(0).ID
	w.full = true
	if _, err := w.r.resolve(id, "7", "looked at"); !errors.Is(err, storage.ErrFull) || w.r.asides[id] == nil {
		t.Errorf("%v", err)
	}
	w.full = false
	w.run(2 * time.Second)
	if _, err := w.r.resolve(id, "7", "looked at"); err != nil || w.r.asides[id] != nil {
		t.Errorf("%v", err)
	}
}

// TestAsidesAreInTheQueue: set-aside orders count as open at the gateway and prevent training,
// during which nobody would ask about them.
func TestAsidesAreInTheQueue(t *testing.T) {
	w := spoiled(t)
	queue := w.r.queued()
	if len(queue) != 1 || queue[0].OrderID != w.order(0).ID || queue[0].State != payterm.QueuePlanned ||
		queue[0].NextAt.IsZero() {
		t.Errorf("%+v", queue)
	}
	if n := w.r.status().Queue; n != 1 {
		t.Errorf("the status tells of %d", n)
	}
	if w.r.unfinished() != payterm.ReasonOrdersOpen {
		t.Error("a training may begin, and nobody asks about it meanwhile")
	}
}

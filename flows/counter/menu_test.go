package counter

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/flows/order"

	"pgregory.net/rapid"
)

// stepper is Step, or Step with a planted bug.
type stepper func(Counter, Stamped) (Counter, []Command)

func at(mono time.Duration, e Event) Stamped {
	return Stamped{Stamp: payterm.Stamp{Mono: mono}, Event: e}
}

var wholeSale = Row{Order: "T1AAAAA000001", Kind: payterm.KindSale, Total: payterm.Amount{Minor: 123456,
	Currency: "CAD"}, Outcome: payterm.Approved}

// unguarded presses keys, answers the questions, and reports a command that moves money, closes
// the day or records a decision without a right PIN before it.
func unguarded(t *rapid.T, step stepper) error {
	c := New(Settings{Currency: "CAD", PINSet: true, Rules: order.DefaultRules(), Last: wholeSale.Order,
		Tips: Tips{15}})
	doubt := wholeSale
	doubt.Outcome = payterm.InDoubt
	now := time.Second
	for range rapid.IntRange(1, 200).Draw(t, "events") {
		often := []payterm.Key{"1", "2", "3", "4", "7", payterm.KeyEnter, payterm.KeyEnter, payterm.KeyEnter,
			payterm.KeyCancel, payterm.KeyF1}
		var e Event = KeyPressed{rapid.SampledFrom(append(often, payterm.Keys[:]...)).Draw(t, "key")}
		if c.Phase == Idle { // a sale needs no PIN
			e = KeyPressed{payterm.KeyF3}
		}
		if rapid.IntRange(0, 2).Draw(t, "answer") == 0 {
			rows := rapid.SampledFrom([]Rows{{}, {wholeSale}, {doubt}, {wholeSale, doubt}}).Draw(t, "rows")
			e = answering(rapid.SampledFrom([]Event{
				Found{Rows: rows}, OrderTold{Order: wholeSale, Verdict: VerdictPaid},
				OrderTold{Order: doubt, Verdict: VerdictUnknown},
				TotalsTold{}, RateTold{}, PINChecked{}, PINChecked{OK: true}, RefundRefused{payterm.ReasonRefundCap},
				Scanned{Code: payterm.NewPayCode("T1AAAAA000001")}, Woke{},
			}).Draw(t, "event"), c.Menu.Query)
			if told, is := e.(OrderTold); is {
				told.Order.Order = c.Menu.Order.Order
				e = told
			}
		}
		checked, _ := e.(PINChecked)
		right := checked.OK && c.Phase == EnteringPIN && c.PINAsked && !c.PINStale
		next, commands := step(c, at(now, e))
		if err := next.Impossible(); err != nil {
			return err
		}
		for _, cmd := range commands {
			if moves(cmd) && !right {
				return fmt.Errorf("%T in %s by %+v", cmd, c.Phase, e)
			}
		}
		if c, now = next, now+time.Second; c.Phase == EnteringAmount {
			c = c.idle() // a digit left the result
		}
	}
	return nil
}

// TestMenuNeedsThePIN: where a PIN is set, no keys in the menu move anything without it.
func TestMenuNeedsThePIN(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if err := unguarded(t, Step); err != nil {
			t.Fatal(err)
		}
	})
	finds(t, func(t *rapid.T) error { // the bug: every PIN is taken as right
		return unguarded(t, func(c Counter, in Stamped) (Counter, []Command) {
			if p, is := in.Event.(PINChecked); is && !p.OK {
				in.Event = PINChecked{OK: true}
			}
			return Step(c, in)
		})
	})
}

// finds checks that a property finds a planted bug. rapid makes fewer draws with -short, so it
// draws until the bug is found.
func finds(t *testing.T, property func(*rapid.T) error) {
	t.Helper()
	for found, run := false, 0; !found; run++ {
		if run == 100 {
			t.Fatal("the planted bug is not found")
		}
		rapid.Check(t, func(t *rapid.T) { found = found || property(t) != nil })
	}
}

// mistyped types keys where an amount is asked for and reports an amount that differs from the
// digits: each key counts, or is refused with a sound.
func mistyped(t *rapid.T, step stepper) error {
	places := map[string]Counter{}
	c := New(Settings{Currency: "CAD", MaxMinor: 200_000, Rules: order.DefaultRules(), Tips: Tips{15}})
	for place, keys := range map[string][]payterm.Key{"amount": {}, "tip": {"5", payterm.Key00, payterm.KeyEnter,
		payterm.KeyF1}} {
		places[place] = c
		for _, k := range keys {
			places[place], _ = Step(places[place], at(time.Second, KeyPressed{k}))
		}
	}
	refund := c
	refund.Menu.Task = TaskRefund
	refund, _ = refund.show(at(time.Second, nil), wholeSale)
	places["refund"] = refund
	for place, c := range places {
		minor := func(c Counter) int64 {
			return map[string]int64{"amount": c.Want.AmountMinor, "tip": c.Want.TipMinor,
				"refund": c.Menu.Amount}[place]
		}
		digits := ""
		for range rapid.IntRange(1, 12).Draw(t, "keys") {
			k := rapid.SampledFrom([]payterm.Key{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", payterm.Key00,
				payterm.KeyClear}).Draw(t, place)
			if k == payterm.KeyClear && digits == "" {
				continue
			}
			next, commands := step(c, at(time.Second, KeyPressed{k}))
			refused := fmt.Sprint(commands) == fmt.Sprint([]Command{Play{payterm.SoundDeclined}})
			switch {
			case refused && next.Menu != c.Menu || refused && minor(next) != minor(c):
				return fmt.Errorf("%s: %s is refused, and the amount is another", place, k)
			case refused:
			case k == payterm.KeyClear:
				digits = digits[:len(digits)-1]
			default:
				digits = strings.TrimLeft(digits+k.Digits(), "0")
			}
			want := int64(0)
			for _, d := range digits {
				want = want*10 + int64(d-'0')
			}
			if c = next; minor(c) != want {
				return fmt.Errorf("%s: typed %s, and it is %d", place, digits, minor(c))
			}
		}
	}
	return nil
}

// TestTypedAmounts: a typed amount of a sale, a tip or a refund is always what the digits say:
// not 100 times it by a 00 that counts twice, nor a hundredth by a 00 that is lost.
func TestTypedAmounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if err := mistyped(t, Step); err != nil {
			t.Fatal(err)
		}
	})
	finds(t, func(t *rapid.T) error { // the bug: a key bounces
		return mistyped(t, func(c Counter, in Stamped) (Counter, []Command) {
			if in.Event == (KeyPressed{payterm.Key00}) {
				c, _ = Step(c, in)
			}
			return Step(c, in)
		})
	})
}

func TestTip(t *testing.T) {
	for _, c := range []struct {
		amount  int64
		percent int
		want    int64
	}{{1234, 15, 185}, {1230, 15, 185}, {1229, 15, 184}, {1, 15, 0}, {3, 15, 0}, {4, 15, 1},
		{payterm.MaxMinor, 100, payterm.MaxMinor}, {0, 20, 0}} {
		if got := Tip(payterm.Amount{Minor: c.amount}, c.percent); got.Minor != c.want {
			t.Errorf("%d%% of %d: %d, want %d", c.percent, c.amount, got.Minor, c.want)
		}
	}
	if n := (Tips{10, 15}).Count(); n != 2 {
		t.Errorf("%d tips", n)
	}
	if n := (Tips{1, 2, 3, 4}).Count(); n != 4 {
		t.Errorf("%d tips", n)
	}
}

func TestRateCNY(t *testing.T) {
	for _, c := range []struct {
		e8    int64
		minor int64
		in    payterm.Currency
		want  string
	}{
		{524740000, 1234, "CAD", "64.75"}, {524740000, 1, "CAD", "0.05"}, {524740000, payterm.MaxMinor, "CAD",
			"52474000.00"},
		{4700000, 1000, "JPY", "47.00"}, {1885000000, payterm.MaxMinor, "BHD", "18850000.00"}, {0, 1234, "CAD", ""},
		{524740000, 0, "CAD", ""},
		{1 << 62, payterm.MaxMinor, "JPY", ""},
	} {
		a, ok := Rate{CNYE8: c.e8}.CNY(payterm.Amount{Minor: c.minor, Currency: c.in})
		if ok != (c.want != "") || ok && a.String() != c.want {
			t.Errorf("%d %s at %d: %s %t, want %s", c.minor, c.in, c.e8, a, ok, c.want)
		}
	}
}

// TestVerdict: "not paid" is never said of an order that may be paid.
func TestVerdict(t *testing.T) {
	answered := []payterm.Answer{
		nil, payterm.Unsent{Why: "x"}, payterm.Lost{Why: "x"}, payterm.CodeMade{CodeURL: "https://x"},
		payterm.Paid{PaidMinor: 100, Status: "success"}, payterm.Refunded{PaidMinor: 100, RefundedMinor: 50},
		payterm.Pending{Status: "notpay"}, payterm.Failed{Status: "failure"},
		payterm.Refused{Reason: payterm.ReasonCodeInvalid}, payterm.Rejected{Why: "x"}, payterm.Clash{},
		payterm.Clash{Paid: true}, payterm.NotFound{Why: "x"}, payterm.Unclear{Why: "x"},
		payterm.Unclear{Why: "x", Status: "success", Authentic: true, Alarm: true, Paid: true},
	}
	for _, outcome := range []payterm.Outcome{payterm.Open, payterm.Approved, payterm.Declined, payterm.Cancelled,
		payterm.NotSent, payterm.InDoubt} {
		for _, a := range answered {
			row := wholeSale
			row.Outcome = outcome
			name := payterm.AnswerName(a)
			want := VerdictUnknown
			ended := outcome == payterm.Declined || outcome == payterm.NotSent
			switch {
			case name == "paid" || name == "refunded" || outcome == payterm.Approved:
				want = VerdictPaid
			case name == "failed" || outcome == payterm.Cancelled || ended && (name == "" || name == "not_found"):
				want = VerdictNotPaid
			}
			if got := VerdictOf(row, a); got != want {
				t.Errorf("%s, %q: %s, want %s", outcome, name, got, want)
			}
		}
	}
	// An answer that says less does not take back what the journal knows.
	for _, a := range answered {
		refunded := wholeSale
		refunded.Outcome, refunded.Reason = payterm.InDoubt, payterm.ReasonRefunded
		if got := VerdictOf(refunded, a); got != VerdictPaid {
			t.Errorf("refunded, %q: %s", payterm.AnswerName(a), got)
		}
	}
	alarmed := wholeSale
	alarmed.Outcome, alarmed.Attention = payterm.InDoubt, payterm.AttentionAlarm
	if got := VerdictOf(alarmed, payterm.Failed{}); got != VerdictUnknown {
		t.Errorf("failed, and something did not add up before: %s", got)
	}
	row := wholeSale
	row.Kind = payterm.KindRefund
	if got := VerdictOf(row, payterm.Paid{}); got != VerdictNone {
		t.Errorf("a refund: %s", got)
	}
}

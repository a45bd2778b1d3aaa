package counter

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/flows/order"
)

var update = flag.Bool("update", false, "rewrite what docs/flows.md says of the counter")

// TestExplore compares the diagram in docs/flows.md with what the counter does. The first part of
// the file is checked by flows/order.
func TestExplore(t *testing.T) {
	const file, counterPart = "../../docs/flows.md", "\n# The counter\n"
	arrows, states := exploreCounter(t)
	t.Logf("%d states, %d arrows", states, len(arrows))
	if len(arrows) < 25 || states < 100 {
		t.Errorf("%d states and %d arrows: the walk is not whole", states, len(arrows))
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	orders, _, _ := strings.Cut(string(kept), counterPart)
	doc := orders + counterPart + fmt.Sprintf("\n```mermaid\nstateDiagram-v2\n    [*] --> Idle\n%s\n```\n",
		strings.Join(arrows, "\n"))
	if *update {
		if err := os.WriteFile(file, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if string(kept) != doc {
		t.Error("docs/flows.md is not what the counter does: go test ./flows/counter -run Explore -update")
	}
}

// counterEvents is every event that the counter can receive.
func counterEvents() map[string]Event {
	sale := order.SaleBegan{Mode: payterm.Passive, AmountMinor: 100, Currency: "CAD"}
	moved := func(phase order.Phase, outcome payterm.Outcome) Event {
		s := sale
		s.ID = "T1AAAAA000001"
		o := order.Order{Kind: payterm.KindSale, Sale: s, Phase: phase, Outcome: outcome}
		if phase == order.ShowingCode {
			o.CodeURL = "https://x"
		}
		return OrderMoved{Order: o}
	}
	list := map[string]Event{
		"sale asked": SaleAsked{Ticket: 7, Sale: sale}, "refund asked": RefundAsked{Ticket: 7,
			Refund: order.RefundBegan{SaleID: "T1AAAAA000007", AmountMinor: 50, Currency: "CAD"}},
		"resolve asked": ResolveAsked{Ticket: 7, Word: Resolve{Ticket: 7, Order: "T1AAAAA000008", Reason: "x"}},
		"cancel asked":  CancelAsked{}, "cancel asked of it": CancelAsked{Order: "T1AAAAA000001"},
		"no conflict": ConflictChecked{}, "code on show": ConflictChecked{Order: "T1AAAAA000003"},
		"doubt":               ConflictChecked{Order: "T1AAAAA000003", Doubt: true},
		"PIN ok":              PINChecked{OK: true, Operator: Operator{Number: "1", Name: "Marie"}},
		"PIN of a supervisor": PINChecked{OK: true, Operator: Operator{Number: "100", Name: "Wei", Supervisor: true}},
		"PIN wrong":           PINChecked{}, "PIN has to wait": PINChecked{Wait: time.Minute},
		"day is full": ConflictChecked{Sold: payterm.Amount{Minor: 1000, Currency: "CAD"}}, "paid meanwhile": ConflictChecked{Paid: true},
		"refund refused": RefundRefused{payterm.ReasonRefundCap},
		"order waits":    moved(order.Waiting, payterm.Open), "order approved": moved(order.Closed, payterm.Approved),
		"order in doubt": moved(order.InBackground, payterm.InDoubt),
		"conflict paid": OrderMoved{Order: order.Order{Kind: payterm.KindSale, Sale: order.SaleBegan{ID: "T1AAAAA000003"},
			Phase: order.Closed, Outcome: payterm.Approved}},
		"another of this total paid": OrderMoved{Order: order.Order{Kind: payterm.KindSale, Sale: order.SaleBegan{
			ID: "T1AAAAA000004", AmountMinor: 100, Currency: "CAD"}, Phase: order.Closed, Outcome: payterm.Approved},
			Found: true},
		"late payment": OrderMoved{Order: order.Order{Kind: payterm.KindSale, Sale: order.SaleBegan{ID: "T1AAAAA000005",
			AmountMinor: 100, Currency: "CAD"}, Phase: order.Listed, Outcome: payterm.Approved,
			Reason: payterm.ReasonLatePayment, Attention: payterm.AttentionLatePayment}, Found: true},
		"scan":         Scanned{Code: payterm.NewPayCode("281234567890123456"), Masked: "****3456"},
		"store failed": StoreFailed{"x"}, "store recovered": StoreRecovered{},
		"service asked": ServiceAsked{Ticket: 7}, "trial set": TrialSet{Trial{Step: TrialKey, Key: "5"}},
		"service ended": ServiceEnded{},
		"time":          Woke{}, "status": StatusChanged{Status{Queue: 1}},
	}
	list["Z asked"], list["Z with a PIN"] = ZAsked{Ticket: 7}, ZAsked{Ticket: 7, Number: "9", PIN: "2718"}
	list["training asked"], list["training over"], list["not trained"] = TrainingAsked{Ticket: 7, On: true},
		TrainingAsked{Ticket: 7}, NotTrained{payterm.ReasonOrdersOpen}
	for _, k := range []payterm.Key{"1", "2", "0", "9", payterm.Key00, payterm.KeyClear, payterm.KeyCancel, payterm.KeyEnter,
		payterm.KeyF1, payterm.KeyF2, payterm.KeyF4, payterm.KeyUp, payterm.KeyDown} {
		list[string(k)] = KeyPressed{k}
	}
	paid := Row{Order: "T1AAAAA000001", Kind: payterm.KindSale, Total: payterm.Amount{Minor: 100, Currency: "CAD"},
		Outcome: payterm.Approved}
	doubt := paid
	doubt.Order, doubt.Outcome = "T1AAAAA000003", payterm.InDoubt
	list["found none"], list["found one"], list["found two"] = Found{}, Found{Rows: Rows{paid}},
		Found{Rows: Rows{paid, doubt}, More: true}
	list["found a doubt"] = Found{Rows: Rows{doubt}}
	list["unreadable"], list["told paid"], list["told unknown"] = Found{Failed: true},
		OrderTold{Order: paid, Verdict: VerdictPaid}, OrderTold{Order: doubt, Verdict: VerdictUnknown}
	list["not told"], list["totals"], list["no totals"], list["rate"] = OrderTold{Failed: true}, TotalsTold{Number: 1},
		TotalsTold{Why: "x"}, RateTold{Rate: Rate{CNYE8: 1}, Asked: true}
	list["person found"], list["another supervisor"], list["PIN kept"], list["PIN not kept"] = PersonFound{},
		PersonFound{Known: true, Refused: true}, PINKept{OK: true}, PINKept{}
	list["receipt"] = Scanned{Code: payterm.NewPayCode("T1AAAAA000001")}
	return list
}

// moves reports whether a command moves money, closes a day or records a decision.
func moves(c Command) bool {
	switch c := c.(type) {
	case BeginSale, BeginRefund, Resolve, AllowZ:
		return true
	case Train:
		return c.On
	case Look:
		return c.Query.What == LookTotals && c.Query.Text == "z"
	default:
		return false
	}
}

// answering returns e as an answer to the last question, if it is of that kind.
func answering(e Event, q Query) Event {
	switch e := e.(type) {
	case Found:
		if q.What == LookOrder || q.What == LookNumber || q.What == LookList {
			e.Query, e.More = q, e.More && q.Skip == 0 // a list of two pages
		}
		return e
	case OrderTold:
		if q.What == LookGateway {
			e.Query = q
		}
		return e
	case TotalsTold:
		if q.What == LookTotals {
			e.Query = q
		}
		return e
	case RateTold:
		if q.What == LookRate {
			e.Query = q
		}
		return e
	case PersonFound:
		if q.What == LookPerson {
			e.Query = q
		}
		return e
	case PINKept:
		if q.What == LookPIN {
			e.Query = q
		}
		return e
	}
	return e
}

// restsAlone checks that the counter comes to rest by its own deadlines if no more events come.
// Two phases wait for others: an order at the counter has its own deadlines, and a look-up in the
// journal is answered at once.
func restsAlone(t *testing.T, c Counter, now time.Duration, name string) {
	t.Helper()
	if c.Phase == Checking || c.Phase == Serving || c.Phase == OutOfOrder && c.Order.Phase.AtCounter() {
		return
	}
	from := c.Phase
	for end := now + 2*trainingIdle; !c.AtRest(now); {
		due, any := c.Due()
		if stands := c.ResultSince + cashierReads; c.ResultSince > 0 && (!any || stands < due) {
			due, any = stands, true
		}
		if !any || due > end {
			t.Fatalf("%s leads to %s, and that to %s, for ever", name, from, c.Phase)
		}
		now = max(now, due)
		c, _ = Step(c, Stamped{Stamp: payterm.Stamp{Mono: now}, Event: Woke{}})
	}
}

// exploreCounter visits every state of the counter, as explore does for an order.
func exploreCounter(t *testing.T) (arrows []string, states int) {
	names := slices.Sorted(maps.Keys(counterEvents()))
	events := counterEvents()
	seen, drawn := map[string]bool{}, map[string]bool{}
	type node struct {
		t   Counter
		now time.Duration
		led string // the last key before a question
	}
	var queue []node
	for _, s := range []Settings{{}, {PINSet: true},
		{SignOn: true, PINSet: true, SupervisorsNamed: true, Staff: true}} {
		s.Currency, s.MaxMinor, s.DayMaxMinor, s.Rules, s.Last = "CAD", 100, 1000, order.DefaultRules(), "T1AAAAA000001"
		s.ActiveWallets = payterm.ChannelSetOf(payterm.Alipay, payterm.WeChatPay)
		queue = append(queue, node{t: New(s), now: time.Second})
	}
	for _, s := range []Settings{
		{MaxMinor: 12, Tips: Tips{15}}, {MaxMinor: 12, Tips: Tips{15}, WithoutF1: true},
		{MaxMinor: 1, Lines: 4, RefundsNeedPIN: true, ActiveWallets: payterm.ChannelSetOf(payterm.Alipay)},
		{MaxMinor: 1, Training: true},
	} {
		s.Currency, s.Rules = "CAD", order.DefaultRules()
		queue = append(queue, node{t: New(s), now: time.Second})
	}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		for _, pause := range []time.Duration{0, time.Second, 130 * time.Second} {
			for _, name := range names {
				_, pressed := events[name].(KeyPressed)
				answers := pressed && n.t.asks()
				if pause == time.Second && !answers || pause > time.Second && name != "time" {
					continue // only deadlines and questions depend on the time
				}
				if name == "2" && n.t.Phase != ShowingOrder && !n.t.asks() || name == "9" && !n.t.Phase.asks() {
					continue // in the other phases all digits are alike
				}
				if n.t.Settings.WithoutF1 && (name == string(payterm.KeyF1) || name == "late payment") {
					continue // and there is no way to the menu
				}
				if strings.HasPrefix(name, "PIN kept") && !n.t.Settings.Staff {
					continue // nobody can set one
				}
				if name == "late payment" && n.t.Phase != Idle && n.t.Phase != ShowingResult {
					continue // nothing is seen of it elsewhere
				}
				if (name == "conflict paid" || name == "another of this total paid") && n.t.Phase == Serving &&
					n.t.Order.ID() == "" {
					continue // an order begins within one step: no other moves meanwhile
				}
				now, event := n.now+pause, answering(events[name], n.t.Menu.Query)
				next, commands := Step(n.t, Stamped{Stamp: payterm.Stamp{Mono: now}, Event: event})
				if err := next.Impossible(); err != nil {
					t.Fatalf("%s in %s: %v", name, n.t.Phase, err)
				}
				led := n.led
				if pressed && !n.t.Phase.asks() {
					led = name
				}
				repeated := pause > 0 && n.t.Phase.asks() && name == n.led && name != string(payterm.KeyCancel)
				if answers && (pause == 0 || repeated) &&
					(next.Phase != n.t.Phase || len(commands) > 0) {
					t.Fatalf("%s, %s after the question in %s, to which %s led: %s, %+v", name, pause, n.t.Phase, n.led,
						next.Phase, commands)
				}
				if next.Phase.asks() && (next.Shown.Yes == "" || string(next.Shown.Yes) == led) {
					t.Fatalf("%s in %s: the question is answered by %q", name, n.t.Phase, next.Shown.Yes)
				}
				began, answered := false, false
				if next.Phase == ShowingWord && n.t.Phase != ShowingWord &&
					(n.t.Word.Order == "" || next.Menu.Order.Undecided()) {
					t.Fatalf("%s in %s: a word is called noted that was not", name, n.t.Phase)
				}
				if _, scan := event.(Scanned); scan && !n.t.Armed() {
					asleep := n.t
					asleep.Shown, asleep.TickAt, asleep.ResultSince, asleep.Rest =
						next.Shown, next.TickAt, next.ResultSince,
						next.Rest
					if next != asleep {
						t.Fatalf("%s in %s does something, and the scanner was not armed", name, n.t.Phase)
					}
				}
				for _, c := range commands {
					if n.t.Phase == InService {
						switch c.(type) {
						case HandOn, Show, Refuse, Resolve, Arm:
						case Play:
							if name != "store failed" {
								t.Fatalf("%s in service plays a sound", name)
							}
						default:
							t.Fatalf("%s in service leads to %T", name, c)
						}
					}
					if moves(c) && n.t.Phase.inMenu() && n.t.Settings.PINSet {
						t.Fatalf("%s in %s: %T without the PIN", name, n.t.Phase, c)
					}
					if moves(c) && n.t.Settings.RefundsNeedPIN && !n.t.Settings.PINSet && n.t.Ticket == 0 {
						if _, refund := c.(BeginRefund); refund && name != "refund asked" {
							t.Fatalf("%s in %s: a refund where nobody may give one", name, n.t.Phase)
						}
					}
					switch c := c.(type) {
					case Train:
						if n.t.Phase == Serving || next.Phase != Switching || c.On &&
							(n.t.Settings.PINSet && name != "PIN ok" && name != "PIN of a supervisor" ||
								n.t.Settings.Training) {
							t.Fatalf("%s in %s: %+v", name, n.t.Phase, c)
						}
					case BeginSale:
						began = true
						if c.Sale.AmountMinor <= 0 || n.t.Menu != (Menu{}) {
							t.Fatalf("%s in %s begins a sale of %d out of a menu", name, n.t.Phase, c.Sale.AmountMinor)
						}
					case BeginRefund:
						began = true
						if c.Refund.AmountMinor <= 0 {
							t.Fatalf("%s in %s begins a refund of nothing", name, n.t.Phase)
						}
					case KeepPIN:
						if n.t.Phase != EnteringNewPIN || len(c.PIN) < minPINDigits || c.PIN != n.t.NewPIN ||
							c.Query.By.AllowedBy == "" {
							t.Fatalf("%s in %s keeps a PIN: %+v", name, n.t.Phase, c)
						}
					case Look:
						if strings.Contains(c.Query.Text, "281234") {
							t.Fatalf("a payment code is looked up")
						}
					case Refuse:
						answered = answered || c.Ticket == 7
					case Resolve:
						answered = answered || c.Ticket == 7
					case AllowZ:
						answered = answered || c.Ticket == 7
						if n.t.Settings.PINSet && (name != "PIN ok" && name != "PIN of a supervisor" || n.t.PINStale) {
							t.Fatalf("%s in %s allows a Z without its PIN", name, n.t.Phase)
						}
					}
				}
				// A caller on the socket always gets an answer.
				if n.t.Ticket != 0 && n.t.Order.ID() == "" && next.Ticket == 0 && !answered {
					t.Fatalf("%s in %s: the caller of ticket %d hears nothing", name, n.t.Phase, n.t.Ticket)
				}
				if began && n.t.Phase != Checking && n.t.Phase != Warned && n.t.Phase != EnteringPIN &&
					n.t.Phase != AskingYes && name != "refund asked" {
					t.Fatalf("%s in %s begins an order", name, n.t.Phase)
				}
				if began && n.t.mustSignOn() {
					t.Fatalf("%s in %s: an order begins and nobody is signed on", name, n.t.Phase)
				}
				if next.Operator != n.t.Operator && next.Operator != (Operator{}) &&
					(n.t.Phase != SigningOn || n.t.PINStale) {
					t.Fatalf("%s in %s signs somebody on", name, n.t.Phase)
				}
				if next.Operator != n.t.Operator && n.t.Operator != (Operator{}) &&
					(n.t.Phase != Idle || name != "F4") && n.t.Phase != InMenu {
					t.Fatalf("%s in %s signs somebody off", name, n.t.Phase)
				}
				if began && n.t.Phase == EnteringPIN && n.t.PINStale {
					t.Fatalf("%s: the PIN of another prompt begins an order", name)
				}
				if next.Phase != n.t.Phase {
					drawn[fmt.Sprintf("    %s --> %s: %s", n.t.Phase, next.Phase, name)] = true
				}
				if keep, is := event.(PINKept); is && keep.OK && next.Phase == ShowingOperator &&
					n.t.Menu.Query.What != LookPIN {
					t.Fatalf("%s in %s: a PIN is called kept that was not", name, n.t.Phase)
				}
				m := next.Menu
				if next.Phase != Looking {
					m.Query = Query{}
				}
				if next.Phase != InMenu && next.Phase != Listing && next.Phase != ChoosingDrill {
					m.Cursor = 0
				}
				if next.Phase == EnteringPIN || next.Phase == NamingSupervisor || next.Phase == Looking ||
					next.Phase == ShowingOrder { // the way there is shown by the task
					m.Amount, m.Typing, m.Number, m.List.Skip, m.Rows[1] = 0, false, "", 0, Row{}
				}
				key := fmt.Sprint(next.Settings.Training, m.Task, m.Cursor, m.Number != "", m.Query, m.Rows.Count(),
					m.List.Skip, m.Order.Order, m.Order.Outcome, m.Amount > 0, m.Typing, next.Want.TipMinor > 0,
					next.Settings.RefundsNeedPIN,
					next.Settings.PINSet, next.Settings.SignOn, next.Settings.SupervisorsNamed, next.Operator.Number,
					next.Claim != "", next.Refusal,
					next.Phase, next.Order.Phase, next.Order.ID(), next.Ticket != 0, next.Conflict, next.ConflictDoubt,
					(len(next.PIN)+5)/6, next.PINAsked, next.PINStale, next.PINTries, next.Want.Mode,
					next.Shown.Yes, next.Settings.WithoutF1, next.Want.AmountMinor, next.Refund.SaleID,
					next.Word.Order, next.Last, next.Until != 0, len(next.NewPIN) > 0, m.Known)
				if !seen[key] {
					seen[key] = true
					restsAlone(t, next, now, name)
					queue = append(queue, node{next, now, led})
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(drawn)), len(seen)
}

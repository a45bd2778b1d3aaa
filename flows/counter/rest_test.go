package counter

import (
	"testing"
	"time"

	"payterm"
	"payterm/flows/order"
)

// TestAtRest: rest means that nobody uses the counter, whatever screen is shown (invariant 22).
func TestAtRest(t *testing.T) {
	settings := Settings{Currency: "CAD", Rules: order.DefaultRules(), PINSet: true,
		ActiveWallets: payterm.ChannelSetOf(payterm.Alipay, payterm.WeChatPay)}
	asked := SaleAsked{Ticket: 7, Sale: order.SaleBegan{Mode: payterm.Passive, AmountMinor: 100, Currency: "CAD"}}
	moved := func(phase order.Phase, outcome payterm.Outcome) Event {
		return OrderMoved{Order: order.Order{Kind: payterm.KindSale, Sale: order.SaleBegan{ID: "T1AAAAA000001",
			Mode:        payterm.Passive,
			AmountMinor: 100, Currency: "CAD"}, Phase: phase, Outcome: outcome}}
	}
	waits, doubt, paid := moved(order.Waiting, payterm.Open), moved(order.InBackground, payterm.InDoubt),
		moved(order.Closed, payterm.Approved)
	keys := func(list ...payterm.Key) []Event {
		events := make([]Event, len(list))
		for i, k := range list {
			events[i] = KeyPressed{k}
		}
		return events
	}
	typed := append(keys("1", payterm.KeyEnter), ConflictChecked{})
	const never = time.Duration(-1)
	for _, c := range []struct {
		name   string
		change func(*Settings)
		events []Event // a second apart
		rests  time.Duration
	}{
		{"nothing happened", nil, nil, 0},
		{"a till's sale is served", nil, []Event{asked, ConflictChecked{}, waits}, never},
		{"a till's sale is paid", nil, []Event{asked, ConflictChecked{}, waits, paid}, tillReads},
		{"a till's sale is in doubt", nil, []Event{asked, ConflictChecked{}, waits, doubt}, tillReads},
		{"and then paid after all", nil, []Event{asked, ConflictChecked{}, doubt, doubt, paid}, tillReads},
		{"its slips are printed again", nil, append([]Event{asked, ConflictChecked{}, paid}, keys(payterm.KeyF2)...),
			tillReads},
		{"a cashier's sale is paid", nil, append(typed[:3:3], waits, paid), cashierReads},
		{"a cashier's sale is acknowledged", nil, append(typed[:3:3], waits, paid, KeyPressed{payterm.KeyEnter}), 0},
		{"half an amount", nil, keys("1"), amountTimeout},
		{"the menu", nil, keys(payterm.KeyF3), amountTimeout},
		{"a wallet is chosen", nil, keys("1", payterm.KeyF1), amountTimeout},
		{"a tip is chosen", func(s *Settings) { s.Tips = Tips{15} }, keys("1", payterm.KeyEnter), amountTimeout},
		{"a warning", nil, append(keys("1", payterm.KeyEnter), ConflictChecked{Order: "T1AAAAA000003"}), amountTimeout},
		{"a supervisor is asked for", nil,
			[]Event{RefundAsked{Ticket: 7, Refund: order.RefundBegan{SaleID: "T1AAAAA000007", AmountMinor: 50,
				Currency: "CAD"}}}, amountTimeout},
		{"a till's sale is refused", func(s *Settings) { s.DayMaxMinor = 1 }, []Event{asked, ConflictChecked{}},
			amountTimeout},
		{"the devices are tried out", nil, []Event{ServiceAsked{Ticket: 7}}, serviceLimit},
		{"another life begins", func(s *Settings) { s.PINSet = false }, []Event{TrainingAsked{Ticket: 7, On: true}},
			switchLimit},
		{"nobody is signed on", func(s *Settings) { s.SignOn = true }, nil, 0},
		{"somebody signs on", func(s *Settings) { s.SignOn = true }, keys("1"), amountTimeout},
		{"out of order", nil, []Event{StoreFailed{"full"}}, cashierReads},
		{"out of order, for long", nil, []Event{StoreFailed{"full"}, StoreFailed{"full"}}, cashierReads - time.Second},
		{"out of order under an order", nil, []Event{asked, ConflictChecked{}, waits, StoreFailed{"full"}}, never},
		{"in order again", nil, []Event{StoreFailed{"full"}, StoreRecovered{}}, 0},
	} {
		s := settings
		if c.change != nil {
			c.change(&s)
		}
		counter, now := New(s), time.Duration(0)
		for _, e := range c.events {
			now += time.Second
			counter, _ = Step(counter, Stamped{Stamp: payterm.Stamp{Mono: now}, Event: e})
		}
		shown := counter.Shown.Name
		for waited := time.Duration(0); waited < time.Hour; waited += time.Second {
			at := now + waited
			if due, any := counter.Due(); any && due <= at {
				counter, _ = Step(counter, Stamped{Stamp: payterm.Stamp{Mono: at}, Event: Woke{}})
			}
			if rests := c.rests != never && waited >= c.rests; counter.AtRest(at) != rests {
				t.Errorf("%s: %s after %s: at rest: %t", c.name, counter.Phase, waited, !rests)
				break
			}
		}
		if counter.Phase == ShowingResult && counter.Shown.Name != shown {
			t.Errorf("%s: the result has gone: %s", c.name, counter.Shown.Name)
		}
	}
}

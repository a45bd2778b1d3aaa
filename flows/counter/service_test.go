package counter

import (
	"testing"
	"time"

	"payterm"
	"payterm/flows/order"
)

// TestService: in service the counter sells nothing, passes keys and scans on, and ends by its
// limit.
func TestService(t *testing.T) {
	now := time.Second
	counter := New(Settings{Currency: "CAD", Rules: order.DefaultRules()})
	step := func(e Event) []Command {
		t.Helper()
		var commands []Command
		counter, commands = Step(counter, Stamped{Stamp: payterm.Stamp{Mono: now}, Event: e})
		if err := counter.Impossible(); err != nil {
			t.Fatal(err)
		}
		return commands
	}
	has := func(commands []Command, want Command) {
		t.Helper()
		for _, c := range commands {
			if c == want {
				return
			}
		}
		t.Errorf("%v, want %v among them", commands, want)
	}
	has(step(ServiceAsked{Ticket: 1}), BeginService{1})
	has(step(SaleAsked{Ticket: 2, Sale: order.SaleBegan{Mode: payterm.Passive, AmountMinor: 100, Currency: "CAD"}}),
		Refuse{Ticket: 2, Reason: payterm.ReasonBusy})
	has(step(ServiceAsked{Ticket: 3}), Refuse{Ticket: 3, Reason: payterm.ReasonBusy})
	trial := Trial{Step: TrialKey, Key: "5", At: 1, Of: 16}
	has(step(TrialSet{trial}), Show{View{Name: ViewService, Trial: trial, Status: counter.Status}})
	for _, e := range []Event{KeyPressed{"5"}, KeyPressed{payterm.KeyCancel},
		Scanned{Code: payterm.NewPayCode("281234567890123456"), Wallet: payterm.Alipay}} {
		if c := step(e); len(c) != 1 || c[0] != (HandOn{e}) {
			t.Errorf("%T leads to %v", e, c)
		}
	}
	if counter.Want.AmountMinor != 0 || counter.State() != "amount" {
		t.Errorf("in service: %+v", counter)
	}
	for range 3 { // each trial starts the limit again
		now += serviceLimit - 1
		step(Woke{})
		step(TrialSet{trial})
	}
	now += serviceLimit
	if due, any := counter.Due(); !any || due != now {
		t.Errorf("it wakes at %v, %v", due, any)
	}
	step(Woke{})
	if counter.Phase != Idle || counter.Trial != (Trial{}) {
		t.Errorf("after its limit: %+v", counter)
	}
	step(TrialSet{trial}) // the doctor goes on after the limit
	step(KeyPressed{"7"})
	step(ServiceEnded{}) // late: it must not clear an amount
	if counter.Phase != EnteringAmount || counter.Want.AmountMinor != 7 {
		t.Errorf("a late end: %+v", counter)
	}
	// An amount that is being typed gives way: the doctor has to find a stuck key.
	has(step(ServiceAsked{Ticket: 4}), BeginService{4})
	step(ServiceEnded{})
	if counter.Phase != Idle || counter.Want.AmountMinor != 0 {
		t.Errorf("after an amount that gave way: %+v", counter)
	}
	step(KeyPressed{"7"})
	step(KeyPressed{payterm.KeyEnter})
	has(step(ServiceAsked{Ticket: 5}), Refuse{Ticket: 5, Reason: payterm.ReasonBusy})
}

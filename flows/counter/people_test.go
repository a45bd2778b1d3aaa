package counter

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"payterm"
	"payterm/flows/order"
)

// guard stands in for the runner at a counter with operators: it compares the PINs and knows
// which steps a right PIN has allowed.
type guard struct {
	t     Counter
	now   time.Duration
	asked *CheckPIN // being compared
	left  bool      // the prompt was left
}

// people are the numbers and PINs of these tests.
var people = map[string]struct {
	pin string
	Operator
}{
	"1":  {"22", Operator{"1", "Marie", false}},
	"12": {"1", Operator{"12", "Wei", true}},
}

// feed steps the counter and reports what it did without permission.
func (g *guard) feed(e Event, may bool) error {
	before := g.t
	var commands []Command
	g.t, commands = Step(g.t, Stamped{Stamp: payterm.Stamp{Mono: g.now}, Event: e})
	if err := g.t.Impossible(); err != nil {
		return err
	}
	for _, c := range commands {
		switch c := c.(type) {
		case CheckPIN:
			g.asked, g.left = &c, false
		case CheckConflict:
			return g.feed(ConflictChecked{Order: "T1AAAAA000003", Doubt: true}, may)
		case BeginSale:
			if before.Phase == EnteringPIN && !may {
				return fmt.Errorf("a doubt was overridden by %T", e)
			}
			if c.Sale.Operator == "" {
				return fmt.Errorf("nobody sells")
			}
		}
	}
	g.left = g.left || g.t.Phase != EnteringPIN && g.t.Phase != SigningOn
	if g.t.Operator != before.Operator && g.t.Operator.Number != "" && !may {
		return fmt.Errorf("%q is signed on by %T", g.t.Operator.Number, e)
	}
	return nil
}

// answer ends the running comparison.
func (g *guard) answer() error {
	if g.asked == nil {
		return nil
	}
	c := *g.asked
	g.asked = nil
	p, known := people[c.Number]
	ok := known && p.pin == string(c.PIN) && (p.Supervisor || c.For == payterm.ForSignOn)
	return g.feed(PINChecked{OK: ok, Operator: p.Operator}, ok && !g.left)
}

// pressKeys presses random keys with pauses and slow comparisons, some with a right PIN. It
// counts sign-ons and overrides.
func pressKeys(chance *rand.Rand, spoil func(before Counter, after *Counter)) (signedOn, overridden int, err error) {
	keys := []payterm.Key{"1", "2", "00", payterm.KeyEnter, payterm.KeyEnter, payterm.KeyClear, payterm.KeyCancel,
		payterm.KeyF1, payterm.KeyF2, payterm.KeyF4}
	knows := []string{"1E22E", "12E1E", "1E1E", "12E22E", "2E22E"}
	g := guard{t: New(Settings{Currency: "CAD", SignOn: true, PINSet: true, SupervisorsNamed: true,
		Rules: order.DefaultRules()}), now: time.Second}
	press := func(k payterm.Key) error {
		if g.t.Phase.asks() && chance.IntN(4) > 0 { // and it is read
			g.now += time.Second
		}
		return g.feed(KeyPressed{k}, false)
	}
	for step := 0; step < 80 && err == nil; step++ {
		before := g.t
		switch chance.IntN(10) {
		case 0:
			err = g.answer()
		case 1:
			g.now += []time.Duration{time.Second, 121 * time.Second}[chance.IntN(2)]
			err = g.feed(Woke{}, false)
		case 2:
			for _, k := range knows[chance.IntN(len(knows))] {
				key := payterm.Key(string(k))
				if k == 'E' {
					key = payterm.KeyEnter
				}
				if err = press(key); err != nil {
					return
				}
			}
			if chance.IntN(3) > 0 {
				err = g.answer()
			}
		default:
			err = press(keys[chance.IntN(len(keys))])
		}
		if before.mustSignOn() && !g.t.mustSignOn() {
			signedOn++
		}
		if err == nil && g.t.Phase == Serving && before.Phase != Serving {
			overridden++
			err = g.feed(RefundRefused{payterm.ReasonStorage}, false) // it ends at once
		}
		spoil(before, &g.t)
	}
	return signedOn, overridden, err
}

// TestNoWayPastThePIN: no sequence of keys, pauses and slow comparisons signs anybody on or
// overrides a doubt without a right number and PIN. Planted bugs are found.
func TestNoWayPastThePIN(t *testing.T) {
	const seeds = 3000
	sound := func(Counter, *Counter) {}
	for name, spoil := range map[string]func(before Counter, after *Counter){
		"":                                       sound,
		"a PIN of a prompt that was left counts": func(_ Counter, after *Counter) { after.PINStale = false },
		"the number may be changed under way": func(before Counter, after *Counter) {
			if after.PINAsked && before.Claim != "" {
				after.Phase, after.Operator = Idle, people["1"].Operator
			}
		},
		"a sign-off is forgotten": func(before Counter, after *Counter) {
			if after.Phase == SignedOff && before.Phase == Idle {
				after.Operator = before.Operator
			}
		},
	} {
		signedOn, overridden := 0, 0
		var found error
		for seed := uint64(0); seed < seeds && found == nil; seed++ {
			on, over, err := pressKeys(rand.New(rand.NewPCG(seed, 1)), spoil)
			signedOn, overridden, found = signedOn+on, overridden+over, err
		}
		switch {
		case name == "" && found != nil:
			t.Error(found)
		case name == "" && (signedOn < 100 || overridden < 100):
			t.Errorf("%d signed on, %d overrides: this proves nothing", signedOn, overridden)
		case name != "" && found == nil:
			t.Errorf("%s, and nobody noticed", name)
		}
	}
}

func TestPINWait(t *testing.T) {
	for failures, want := range map[int]time.Duration{
		0: 0, 2: 0, 3: time.Minute, 4: 2 * time.Minute, 5: 4 * time.Minute, 8: 32 * time.Minute, 9: time.Hour,
		10: time.Hour, math.MaxInt: time.Hour,
	} {
		if got := PINWait(failures); got != want {
			t.Errorf("after %d wrong PINs: %v, want %v", failures, got, want)
		}
	}
}

package flowstest

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// attacks are plans of known attacks (docs/RELIABILITY.md), each played in a world with a
// supervisor's PIN and in one without. The short ones are also in the kill sweep. leads is what
// has to happen in it, so that a plan that has become harmless is noticed.
var attacks = []struct {
	name, plan, leads string
	keep              time.Duration
}{
	{name: "a till polls five of ten doubts", plan: doubts(10) + "5s poll 200ms 80s 5", leads: "in_doubt given_up"},
	{name: "a gateway that hangs at the boot", plan: doubts(8) +
		"1s net lost_before query 30\n1s kill 5s\n3s passive 12.34 ALIPAY ok", leads: "meets lost_before"},
	{name: "a disk that stalls at the scan", plan: "1s stall 2 75s\n1s passive 12.34 ALIPAY ok",
		leads: "the disk stalls"},
	{name: "a disk that stalls between two attempts to connect",
		plan: "1s net refused pay 1\n0s stall 4 70s\n1s passive 12.34 ALIPAY ok", leads: "the disk stalls"},
	{name: "a clock that is a year ahead for some minutes", keep: 2 * time.Hour,
		plan:  "1s api passive 12.34 K1\n30s key CANCEL\n1s z\n1s clock 9648h\n12m retry K1\n5s clock right",
		leads: "Z 1 holds 1 orders"},
	{name: "a clock that is not set for half an hour, and then a year ahead", keep: 20 * time.Hour,
		plan:  "1s api passive 12.34 K1\n30s key CANCEL\n1s z\n5m clock unset\n30m clock 9648h\n8h retry K1",
		leads: "Z 1 holds 1 orders"},
	{name: "a key of an order that is dropped", keep: time.Hour,
		plan:  "1s api passive 12.34 K1\n30s key CANCEL\n1s z\n4h retry K1\n5s retry K1 13.00",
		leads: "1 old orders are dropped"},
	{name: "a ladder whose end a clock jumps over",
		plan:  "1s net lost_before query 5\n0s active 12.34 ok 200s\n20s key CANCEL\n60s clockat 1 25h\n1s kill 5s",
		leads: "late_payment"},
	{name: "a till that nobody is at", plan: "1s api passive 12.34 K1\n40m api active 5.00 K2",
		leads: "shows approved"},
	{name: "another currency while orders are open",
		plan:  "1s active 12.34 ok 300s\n20s key CANCEL\n1s config 2 JPY\n20s passive 12.34 ALIPAY ok",
		leads: "the configuration says"},
	{name: "another currency after a Z",
		plan: "1s passive 12.34 ALIPAY ok\n20s key CANCEL\n1s z\n1s config 2 JPY\n20s passive 12.34 ALIPAY ok\n" +
			"20s refund all\n1m z",
		leads: "12.34"},
	{name: "a key of before another currency",
		plan:  "1s api passive 12.34 K1\n20s key CANCEL\n1s z\n1s config 2 JPY\n20s retry K1\n5s retry K1 13.00",
		leads: "the configuration says"},
	{name: "a key of before another merchant",
		plan:  "1s api passive 12.34 K1\n20s key CANCEL\n1s z\n1s config 2 CAD\n20s retry K1\n5s retry K1 13.00",
		leads: "the configuration says"},
	{name: "a key of a merchant of before whose order is dropped", keep: time.Hour,
		plan:  "1s api passive 12.34 K1\n20s key CANCEL\n1s z\n1s config 2 CAD\n4h retry K1\n5s retry K1 13.00",
		leads: "1 old orders are dropped"},
	{name: "three refunds in a row",
		plan:  "1s passive 12.34 ALIPAY ok\n10s refund 1.00\n1s key CANCEL\n8s refund 1.00\n8s refund 1.00",
		leads: "refund_ended"},
	{name: "a refund beside a reconciliation",
		plan: "1s passive 12.34 ALIPAY ok\n10s reconcile\n100ms refund 1.00\n200ms reconcile", leads: "refund_ended"},
	{name: "a refund whose baseline is an old sum",
		plan: "1s passive 12.34 ALIPAY ok\n10s refund 1.00\n20s refund 1.00\n20s net old query 4\n" +
			"0s net lost_before refund 1\n1s refund 1.00",
		leads: "meets old"},
	{name: "a doubt that a word settles and that cannot be read", plan: doubt + "1s resolve\n10s damage",
		leads: "cannot read"},
	{name: "a refund that is given up before a byte left",
		plan:  "1s passive 12.34 ALIPAY ok\n10s net refused refund 3\n1s refund 1.00\n3s key CANCEL\n5s refund 1.00",
		leads: "refund_ended"},
	{name: "a till that sells despite a doubt, and does not wait for the PIN",
		plan: "1s net lost_before pay 1\n1s net lost_before query 4\n1s passive 12.34 ALIPAY ok\n" +
			"75s api passive 12.34 K1 despite\n1s retry K1",
		leads: "in_doubt no_answer"},
	{name: "the power fails as a code arrives", plan: "1s dieon after a payment was answered\n1s active 12.34 ok 20s",
		leads: "dies at boundary"},
	{name: "a payment that is written down once a till was told in doubt",
		plan: "1s full 3 3m\n1s api passive 12.34 K1\n5m key CANCEL", leads: "approved late_payment"},
	{name: "a finger that presses twice", plan: doubt + "15s key CLEAR\n1s twice 12.34\n5s key CANCEL",
		leads: "shows warning"},
	{name: "a full disk at the answer of an inquiry", plan: "1s full 4 20s\n1s passive 12.34 ALIPAY password 20s",
		leads: "the disk is full"},
}

// doubts is a plan with n orders that the cashier gave up.
func doubts(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "2s active %d.00 never\n7s key CANCEL\n", 20+i)
	}
	return b.String()
}

// TestAttacks plays each attack.
func TestAttacks(t *testing.T) {
	dir := scratch(t)
	for _, attack := range attacks {
		t.Run(attack.name, func(t *testing.T) {
			t.Parallel()
			p, err := ParsePlan(attack.plan)
			if err != nil {
				t.Fatal(err)
			}
			for _, pin := range []bool{false, true} {
				s, found := simulate(t, SimConfig{Dir: dir, Seed: 11, PIN: pin, Keep: attack.keep}, p)
				if len(found) > 0 {
					t.Fatalf("with a PIN: %t: %s\n%s", pin, summary(found), s.Story())
				}
				if !strings.Contains(s.Story(), attack.leads) {
					t.Errorf("the plan does not lead to %q:\n%s", attack.leads, s.Story())
				}
			}
		})
	}
}

package order

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm"
)

var update = flag.Bool("update", false, "rewrite what docs/flows.md says of the machines of an order")

var answers = []payterm.Answer{
	payterm.Unsent{Why: "x"}, payterm.Unsent{Why: "x", Final: true}, payterm.Lost{Why: "x"},
	payterm.Lost{Why: "x", Alarm: true},
	payterm.CodeMade{CodeURL: "https://x"}, payterm.Paid{PaidMinor: 100, Status: "success"},
	payterm.Refunded{PaidMinor: 100, RefundedMinor: 50},
	payterm.Pending{Status: "notpay"}, payterm.Failed{Status: "failure"},
	payterm.Refused{Reason: payterm.ReasonCodeInvalid},
	payterm.Rejected{Why: "x"}, payterm.Clash{}, payterm.Clash{Paid: true}, payterm.NotFound{Why: "x"},
	payterm.Unclear{Why: "x"}, payterm.Unclear{Why: "x", Authentic: true, Alarm: true},
	payterm.Unclear{Why: "x", Status: "success", Authentic: true, Alarm: true, Paid: true},
	payterm.Unclear{Why: "x", Unknown: true},
	payterm.Rejected{Why: "x", Unsent: true},
}

// events is every event that an order can receive, with every answer.
func events() []Event {
	list := []Event{
		CancelPressed{}, Woke{}, Restarted{}, Restarted{Soon: true}, InquiryAsked{}, Resolved{Reason: "x"},
		CodeScanned{Code: payterm.NewPayCode("281234567890123456"), Masked: "****3456", Wallet: payterm.Alipay,
			Key: "k", Began: time.Hour},
		CodeScanned{Code: payterm.NewPayCode("281234567890123456"), Wallet: payterm.Alipay, Key: "k", Began: time.Hour,
			Used: true},
		CodeScanned{Code: payterm.NewPayCode("hello"), Key: "h", Began: time.Hour},
	}
	for _, a := range answers {
		list = append(list, PaymentAnswered{Reply: payterm.Reply{Answer: a}},
			InquiryAnswered{Reply: payterm.Reply{Answer: a}}, RefundAnswered{payterm.Reply{Answer: a}})
	}
	for _, a := range []payterm.Answer{payterm.Paid{PaidMinor: 100, Status: "success"},
		payterm.Refunded{PaidMinor: 100, RefundedMinor: 50}} {
		list = append(list, PaymentAnswered{Reply: payterm.Reply{Answer: a}, Overdue: true},
			InquiryAnswered{Reply: payterm.Reply{Answer: a}, Overdue: true})
	}
	return append(list, ReprintAsked{}, RefundOpened{ID: "T1AAAAA000009", AmountMinor: 50},
		RefundEnded{ID: "T1AAAAA000009", RefundedMinor: 50})
}

func label(e Event) string {
	switch e := e.(type) {
	case PaymentAnswered:
		return "payment " + payterm.AnswerName(e.Reply.Answer)
	case InquiryAnswered:
		return "inquiry " + payterm.AnswerName(e.Reply.Answer)
	case RefundAnswered:
		return "refund " + payterm.AnswerName(e.Reply.Answer)
	}
	return strings.ReplaceAll(EventName(e), "_", " ")
}

// explore visits every state that the events can reach, in steps of seconds and hours, and
// returns the transitions between phases. Times are rounded to what the machine compares with, so
// that the number of states is finite.
func explore(t *testing.T, mode string, sale Event) (arrows []string, states int) {
	type node struct {
		o     Order
		now   time.Duration
		depth int
	}
	first, _ := Step(Order{}, Stamped{Stamp: payterm.Stamp{Mono: time.Second}, Event: sale})
	queue, seen, drawn := []node{{first, time.Second, 0}}, map[string]bool{}, map[string]bool{}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		for _, pause := range []time.Duration{0, 4 * time.Second, 16 * time.Second, 130 * time.Second, 25 * time.Hour} {
			for _, e := range events() {
				now := n.now + pause
				if s, scan := e.(CodeScanned); scan {
					s.Began = now
					e = s
				}
				next, commands := Step(n.o,
					Stamped{Stamp: payterm.Stamp{Mono: now, Wall: time.UnixMilli(1e12).Add(now)}, Event: e})
				if err := next.Impossible(); err != nil {
					t.Fatalf("%s after %s in %s: %v", mode, label(e), n.o.Phase, err)
				}
				for _, c := range commands {
					switch c.(type) {
					case SendPayment, SendRefund:
						if n.o.Phase != Scanning && n.o.Phase != Baselining && n.o.Phase != Redialling ||
							n.o.Phase != Baselining && n.o.Asking.InFlight {
							t.Fatalf("%s: it is sent from %s by %s", mode, n.o.Phase, label(e))
						}
					case Inquire:
						if n.o.Asking.InFlight {
							if _, ended := e.(InquiryAnswered); !ended {
								_, paid := e.(PaymentAnswered)
								if _, refunded := e.(RefundAnswered); !paid && !refunded {
									t.Fatalf("%s: two requests in flight in %s by %s", mode, n.o.Phase, label(e))
								}
							}
						}
					case Print:
						if !Lasting(n.o, next) {
							t.Fatalf("%s: a slip is printed without a commit in %s by %s", mode, n.o.Phase, label(e))
						}
					}
				}
				if next.Outcome == payterm.Approved && n.o.Outcome != payterm.Approved {
					proof := []string{"payment paid", "inquiry paid"}
					if n.o.Kind == payterm.KindRefund {
						proof = []string{"inquiry refunded"}
					}
					if !slices.Contains(proof, label(e)) {
						t.Fatalf("%s: approved by %s", mode, label(e))
					}
				}
				if n.o.Outcome == payterm.Approved && next.Outcome != payterm.Approved {
					t.Fatalf("%s: approved and then %s by %s", mode, next.Outcome, label(e))
				}
				if _, restart := e.(Restarted); restart && next.Phase.AtCounter() {
					t.Fatalf("%s: a restart leaves %s at the counter", mode, n.o.Phase)
				}
				if next.Phase != n.o.Phase {
					drawn[fmt.Sprintf("    %s --> %s: %s", n.o.Phase, next.Phase, label(e))] = true
				}
				key := fmt.Sprint(next.Phase, next.Outcome, next.Reason, next.Attention, next.Refusal, next.Clashed,
					next.CancelWanted, next.Asking.InFlight,
					next.Asking.Next != 0, next.Asking.Rung, next.Resolution, next.RefundID, min(next.Prints, 4),
					next.BaselineMinor, next.SaleRefundedMinor, next.SaidPaid)
				if !seen[key] && n.depth < 60 {
					seen[key] = true
					queue = append(queue, node{next, now, n.depth + 1})
				}
			}
		}
	}
	for a := range drawn {
		arrows = append(arrows, a)
	}
	slices.Sort(arrows)
	return arrows, len(seen)
}

// docs/flows.md shows this package up to counterPart, and flows/counter from there on.
const (
	flowsDoc    = "../../docs/flows.md"
	counterPart = "\n# The counter\n"
)

// TestExplore compares the diagram in docs/flows.md with the transitions found.
func TestExplore(t *testing.T) {
	doc := "# The machines of an order\n\n" +
		"Drawn from the code by `go test ./flows/order ./flows/counter -run Explore -update`: every state that the\n" +
		"events and answers can reach, and the arrows between phases. A restart leaves no\n" +
		"order at the counter; approved follows from an authentic `paid` alone, and a refund\n" +
		"is done when an authentic `refunded` says so.\n"
	rules := DefaultRules()
	const id, sale = "T1AAAAA000001", "T1AAAAA000007"
	for _, machine := range []struct {
		name, start string
		begins      Event
	}{
		{"passive", "Scanning: sale began", SaleBegan{ID: id, Mode: payterm.Passive, AmountMinor: 100, Currency: "CAD",
			Rules: rules}},
		{"active", "Sending: sale began", SaleBegan{ID: id, Mode: payterm.Active, Wallet: payterm.Alipay,
			AmountMinor: 100, Currency: "CAD", Rules: rules}},
		{"refund", "Baselining: refund began", RefundBegan{ID: id, SaleID: sale, SaleTotalMinor: 100,
			Mode: payterm.Passive, Wallet: payterm.Alipay, AmountMinor: 50, Currency: "CAD", Rules: rules}},
	} {
		mode := machine.name
		arrows, states := explore(t, mode, machine.begins)
		t.Logf("%s: %d states, %d arrows", mode, states, len(arrows))
		if len(arrows) < 20 || states < 50 {
			t.Errorf("%s: %d states and %d arrows: the walk is not whole", mode, states, len(arrows))
		}
		doc += fmt.Sprintf("\n## %s\n\n```mermaid\nstateDiagram-v2\n    [*] --> %s\n%s\n    Closed --> [*]\n```\n",
			mode, machine.start, strings.Join(arrows, "\n"))
	}
	kept, err := os.ReadFile(flowsDoc)
	if err != nil {
		t.Fatal(err)
	}
	_, counter, _ := strings.Cut(string(kept), counterPart)
	doc += counterPart + counter
	if *update {
		if err := os.WriteFile(flowsDoc, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if string(kept) != doc {
		t.Error("docs/flows.md is not what the machines do: go test ./flows/order -run Explore -update")
	}
}

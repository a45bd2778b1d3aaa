package runner

import (
	"fmt"
	"testing"
	"time"

	"payterm"
	"payterm/flows/counter"
)

// TestOtherDoubtPaidWhileWarned: of two doubts of one amount the younger is on screen when the
// older is paid. The approval replaces the question.
func TestOtherDoubtPaidWhileWarned(t *testing.T) {
	w := newWorld(t, payterm.Lost{Why: "silence"}, payterm.Lost{Why: "silence"})
	w.heard = func(payterm.Inquiry) payterm.Answer { return payterm.Lost{Why: "silence"} }
	w.scanSale(alipayCode)
	w.run(70 * time.Second)
	w.press("CLEAR")
	w.press("1", "2", "3", "4", payterm.KeyEnter) // a warning, then "go on"
	w.yes()
	w.now += time.Second
	w.answers = []payterm.Answer{payterm.Lost{Why: "silence"}}
	w.r.scan(payterm.NewPayCode("281234567890129999"), w.now)
	w.run(70 * time.Second)
	if w.order(1).Outcome != payterm.InDoubt {
		t.Fatalf("%+v", w.order(1))
	}
	w.press("CLEAR")
	w.press("1", "2", "3", "4", payterm.KeyEnter)
	if w.r.counter.Phase != counter.Warned || w.r.counter.Conflict != w.order(1).ID {
		t.Fatalf("%s %s", w.r.counter.Phase, w.r.counter.Conflict)
	}
	first := w.order(0).ID
	w.heard = func(q payterm.Inquiry) payterm.Answer {
		if q.OrderID == first {
			return paid
		}
		return payterm.Lost{Why: "silence"}
	}
	w.run(61 * time.Second)
	if w.order(0).Outcome != payterm.Approved {
		t.Fatalf("%+v", w.order(0))
	}
	w.yes()
	if w.r.counter.Phase == counter.Serving {
		t.Errorf("a third sale begins without a word of the payment that was just found")
	}
}

// TestTillDespiteTheYoungerDoubt: a till that goes on despite the younger doubt is told of the
// payment, once.
func TestTillDespiteTheYoungerDoubt(t *testing.T) {
	w := newWorld(t)
	w.heard = func(payterm.Inquiry) payterm.Answer { return payterm.Lost{Why: "silence"} }
	code := int64(281234567890120000)
	sell := func(key string, despite payterm.OrderID) *till {
		w.answers = []payterm.Answer{payterm.Lost{Why: "silence"}}
		s := passive(1234, key)
		s.Despite = despite
		c := w.asks(s)
		w.now += time.Second
		code += 1003
		w.r.scan(payterm.NewPayCode(fmt.Sprint(code)), w.now)
		w.run(70 * time.Second)
		return c
	}
	sell("K1", "")
	first := w.order(0).ID
	sell("K2", first)
	second := w.order(1).ID
	refused := sell("K3", "")
	if got := refused.heard(); got != "not_sent possible_duplicate" {
		t.Fatalf("K3 hears %s", got)
	}
	w.heard = func(q payterm.Inquiry) payterm.Answer {
		if q.OrderID == first {
			return paid
		}
		return payterm.Lost{Why: "silence"}
	}
	w.run(30 * time.Second)
	if w.order(0).Outcome != payterm.Approved {
		t.Fatalf("%+v", w.order(0))
	}
	sent := len(w.sent)
	third := sell("K3", second)
	if len(w.sent) != sent {
		t.Errorf("charged a third time (%s), though %s of that amount was found paid since the till asked",
			third.heard(), first)
	}
	if got := third.heard(); got != "not_sent possible_duplicate" {
		t.Errorf("the till hears %s", got)
	}
	if sell("K4", second); len(w.sent) != sent+1 {
		t.Error("who has heard of it cannot sell any more")
	}
}

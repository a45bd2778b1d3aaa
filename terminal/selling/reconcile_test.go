package selling

import (
	"testing"

	"payterm"
	"payterm/flows/runner"
	"payterm/terminal/api"
)

// TestCompare: each combination of journal and gateway has its result.
func TestCompare(t *testing.T) {
	paid := payterm.Order{ID: "T1AAAAA000001", Kind: payterm.KindSale, Outcome: payterm.Approved, AmountMinor: 500,
		PaidMinor: 500, Currency: "CAD"}
	back := paid
	back.RefundedMinor = 200
	unpaid := payterm.Order{ID: paid.ID, Kind: payterm.KindSale, Outcome: payterm.Declined, AmountMinor: 500,
		Currency: "CAD"}
	found := paid
	found.Reason, found.Attention = payterm.ReasonLatePayment, payterm.AttentionAlarm
	doubt := unpaid
	doubt.Outcome = payterm.InDoubt
	looked := doubt
	looked.Reason, looked.PaidMinor, looked.RefundedMinor, looked.Resolution = payterm.ReasonRefunded, 500, 500,
		"looked at"
	for _, c := range []struct {
		before, after payterm.Order
		answer        payterm.Answer
		what          api.Differing
		ours, theirs  int64
	}{
		{paid, paid, payterm.Paid{PaidMinor: 500}, "", 500, 500},
		{paid, paid, payterm.Paid{PaidMinor: 510}, api.DiffersAmount, 500, 510},
		{paid, paid, payterm.Refunded{PaidMinor: 500, RefundedMinor: 200}, api.DiffersRefunded, 0, 200},
		{back, back, payterm.Refunded{PaidMinor: 500, RefundedMinor: 200}, "", 500, 500},
		{back, back, payterm.Refunded{PaidMinor: 500, RefundedMinor: 500}, api.DiffersRefunded, 200, 500},
		// Authentic replies that are out of date: no money is missing.
		{back, back, payterm.Paid{PaidMinor: 500}, api.DiffersOutdated, 200, 0},
		{back, back, payterm.Refunded{PaidMinor: 500, RefundedMinor: 100}, api.DiffersOutdated, 200, 100},
		{back, back, payterm.Refunded{RefundedMinor: 200}, "", 500, 0}, // without a total
		{back, back, payterm.Refunded{PaidMinor: 500}, api.DiffersUnclear, 200, 0},
		{looked, looked, payterm.Paid{PaidMinor: 500}, api.DiffersOutdated, 500, 0},
		{looked, looked, payterm.Failed{Status: "failure"}, api.DiffersOutdated, 500, 0},
		{paid, paid, payterm.Failed{Status: "failure"}, api.DiffersOutdated, 500, 0},
		{paid, paid, payterm.Pending{Status: "notpay"}, api.DiffersOutdated, 500, 0},
		{paid, paid, payterm.NotFound{}, api.DiffersNotPaid, 500, 0},
		{paid, paid, nil, api.DiffersOpen, 500, 0}, // it has an open refund
		{unpaid, unpaid, payterm.Failed{Status: "failure"}, "", 0, 0},
		{unpaid, unpaid, payterm.Pending{Status: "notpay"}, "", 0, 0},
		{unpaid, unpaid, payterm.NotFound{}, "", 0, 0},
		{unpaid, found, payterm.Paid{PaidMinor: 500}, api.DiffersFound, 0, 500},
		{unpaid, unpaid, payterm.Refunded{PaidMinor: 500, RefundedMinor: 500}, api.DiffersFound, 0, 500},
		{found, found, payterm.Paid{PaidMinor: 500}, "", 500, 500},
		{looked, looked, payterm.Refunded{PaidMinor: 500, RefundedMinor: 500}, "", 500, 500},
		{doubt, doubt, nil, api.DiffersOpen, 0, 0},
		{doubt, paid, nil, "", 500, 0}, // it has just ended by its own inquiry
		{doubt, unpaid, nil, "", 0, 0},
		{paid, paid, payterm.Lost{Why: "silence"}, api.DiffersUnknown, 500, 0},
		{unpaid, unpaid, payterm.Unsent{Why: "no route"}, api.DiffersUnknown, 0, 0},
		{paid, paid, payterm.Unclear{Why: "SYSTEM_ERROR"}, api.DiffersUnknown, 500, 0},
		{paid, paid, payterm.Unclear{Why: "another total", Authentic: true, Alarm: true}, api.DiffersUnclear, 500, 0},
	} {
		d := compare(c.before, runner.Checked{Order: c.after, Answer: c.answer}, c.after.RefundedMinor)
		if d.What != c.what || d.OursMinor != c.ours || d.GatewayMinor != c.theirs || d.OrderID != paid.ID ||
			d.Outcome != c.before.Outcome {
			t.Errorf("%s beside %#v: %+v, want %q, %d and %d", c.before.Outcome, c.answer, d, c.what, c.ours, c.theirs)
		}
	}
}

// TestCompareUnbookedRefund: a refunded total that our refunds do not account for is a
// difference: somebody refunded on the gateway's web page, or a refund was closed by a decision.
func TestCompareUnbookedRefund(t *testing.T) {
	sale := payterm.Order{ID: "T1AAAAA000001", Kind: payterm.KindSale, Outcome: payterm.Approved, AmountMinor: 1200,
		PaidMinor: 1200, RefundedMinor: 1200, Currency: "CAD"}
	checked := runner.Checked{Order: sale, Answer: payterm.Refunded{PaidMinor: 1200, RefundedMinor: 1200}}
	if d := compare(sale, checked, 700); d.What != api.DiffersRefunded || d.OursMinor != 700 || d.GatewayMinor != 1200 {
		t.Errorf("%+v", d)
	}
	if d := compare(sale, checked, 1200); d.What != "" {
		t.Errorf("%+v", d)
	}
}

package order

import (
	"payterm"
)

// A refund is an order of its own: an id, a row, a place in the queue. The
// gateway documents no reply to REFUND that could be believed (sheet section 6),
// so the proof is the sale: its refund_fee is asked for first and journalled as
// the baseline, and the refund is done when the sale's refund_fee is the baseline
// plus the amount. What was written once is never written again; while one refund
// of a sale is open there is no second.
//
// What went back of a sale can only grow. A reply that says less than the journal
// knows, be it from what earlier refunds came to (RefundBegan) or from what this one
// has heard, is an old one: it proves nothing, and nothing is sent on its word.
//
//	Baselining  ask about the sale; nothing is announced yet
//	Sending     REFUND is announced; its fate is unknown until the sale tells
//	Redialling  so far not a byte has left
//	Waiting     ask about the sale at the counter
//
// and then as for a sale: InBackground with the ladder, Trailing after a refusal
// of the request's form, Listed, Closed.

// RefundReason says why a sale cannot give back an amount, or nothing.
func RefundReason(sale Order, amount payterm.Amount) payterm.Reason {
	switch {
	case sale.Kind != payterm.KindSale || sale.Outcome != payterm.Approved:
		return payterm.ReasonNotRefundable
	case sale.RefundID != "":
		return payterm.ReasonRefundOpen
	case amount.Minor <= 0 || amount.Minor > sale.Total().Minor-sale.RefundedMinor ||
		amount.Currency != sale.Sale.Currency:
		return payterm.ReasonRefundCap
	}
	return payterm.ReasonNone
}

// opened reserves a sale's money for one refund.
func (o Order) opened(ev RefundOpened) Order {
	if RefundReason(o, o.Total().With(ev.AmountMinor)) == payterm.ReasonNone {
		o.RefundID = ev.ID
	}
	return o
}

// ended lets the next refund of a sale begin. What the gateway says was refunded
// in all can only grow.
func (o Order) ended(ev RefundEnded) Order {
	if o.RefundID != ev.ID {
		return o
	}
	o.RefundID, o.RefundedMinor = "", max(o.RefundedMinor, ev.RefundedMinor)
	return o
}

// beginRefund takes over a refund's terms and asks how the sale stands.
func (o Order) beginRefund(in Stamped, ev RefundBegan) (Order, []Command) {
	o = Order{
		Kind: payterm.KindRefund, SaleID: ev.SaleID, SaleTotalMinor: ev.SaleTotalMinor,
		SaleRefundedMinor: ev.SaleRefundedMinor, Whole: ev.Whole,
		Sale: SaleBegan{
			ID: ev.ID, Mode: ev.Mode, Wallet: ev.Wallet, AmountMinor: ev.AmountMinor, Currency: ev.Currency,
			MerchantID: ev.MerchantID,
			Operator:   ev.Operator, AllowedBy: ev.AllowedBy, Ref: ev.Ref, IdempotencyKey: ev.IdempotencyKey,
			Rules: ev.Rules,
		},
		Wallet: ev.Wallet, Outcome: payterm.Open, BeganAt: in.Mono, BeganWall: payterm.Millis(in.Wall),
		Phase: Baselining,
	}
	o.Until = in.Mono + ev.Rules.RefundWindow
	o.Asking.Next = in.Mono
	return o.inquire(in)
}

// refund steps a refund at the counter.
func (o Order) refund(in Stamped) (Order, []Command) {
	switch o.Phase {
	case Baselining:
		return o.baselining(in)
	case Sending:
		return o.refundSending(in)
	case Redialling:
		return o.redialling(in)
	case Waiting:
		return o.refundWaiting(in)
	case Fresh, Scanning, ShowingCode, Confirming, InBackground, Trailing, Listed, Closed:
	}
	return o, nil // no refund acts on this here
}

func (o Order) baselining(in Stamped) (Order, []Command) {
	switch in.Event.(type) {
	case CancelPressed:
		o = o.close(in)
		o.Outcome, o.Reason = payterm.Cancelled, payterm.ReasonCashier
		return o, nil
	case Woke:
		if in.Mono < o.Until {
			return o.inquire(in)
		}
		if o.Lacks == payterm.ReasonNone {
			o.Lacks = payterm.ReasonNoAnswer
		}
		return o.notRefunded(in, o.Lacks)
	}
	return o, nil
}

func (o Order) refundSending(in Stamped) (Order, []Command) {
	switch ev := in.Event.(type) {
	case RefundAnswered:
		o.Asking = o.Asking.paymentOver()
		return o.refundAnswered(in, ev.Reply.Answer)
	case CancelPressed:
		o.CancelWanted = true // it counts if nothing was written
	case Woke:
		if in.Mono >= o.Until {
			return o.waitRefund(in), nil
		}
	}
	return o, nil
}

// refundAnswered takes in the answer to REFUND. No answer is a proof.
func (o Order) refundAnswered(in Stamped, answer payterm.Answer) (Order, []Command) {
	o.Heard = payterm.AnswerName(answer)
	switch a := answer.(type) {
	case payterm.Unsent:
		return o.unsent(in, a)
	case payterm.Rejected:
		if a.Unsent {
			return o.neverLeft(in, payterm.ReasonRejected)
		}
		return o.notSent(in, payterm.ReasonRejected) // its form was refused; the ladder makes sure
	case payterm.Lost, payterm.Unclear, payterm.Clash, payterm.CodeMade, payterm.Paid, payterm.Refunded,
		payterm.Pending, payterm.Failed, payterm.Refused, payterm.NotFound: // no answer is a proof
	}
	return o.alarmed(answer).waitRefund(in), nil
}

// waitRefund goes on to ask about the sale at the counter.
func (o Order) waitRefund(in Stamped) Order {
	r := o.Sale.Rules
	o.Phase = Waiting
	o.Until = max(o.SentAt+r.RefundWindow, in.Mono+1)
	o.Asking = o.Asking.soon(in, r.RefundInterval, 0)
	return o
}

func (o Order) refundWaiting(in Stamped) (Order, []Command) {
	switch ev := in.Event.(type) {
	case Woke:
		if in.Mono >= o.Until {
			return o.doubt(in, payterm.ReasonNoAnswer)
		}
		return o.inquire(in)
	case CancelPressed:
		if in.Mono < o.SentAt+o.Sale.Rules.LeaveAfter {
			o.Hint = HintTooEarly
			return o, nil
		}
		return o.doubt(in, payterm.ReasonGivenUp)
	case RefundAnswered:
		return o.refundAnsweredLate(in, ev.Reply.Answer)
	}
	return o, nil
}

// refundAnsweredLate takes in the answer to REFUND later than its own deadline allowed: the
// sale tells, and an alarm is one whenever it comes.
func (o Order) refundAnsweredLate(in Stamped, answer payterm.Answer) (Order, []Command) {
	if a, unsent := answer.(payterm.Unsent); unsent {
		return o.unsentLate(in, a)
	}
	o.Asking = o.Asking.paymentOver()
	return o.alarmed(answer), nil
}

// alarmed takes from an answer to REFUND what is an alarm whenever it comes. No answer is a
// proof.
func (o Order) alarmed(answer payterm.Answer) Order {
	switch a := answer.(type) {
	case payterm.Clash:
		return o.alarm(true)
	case payterm.Unclear:
		return o.alarm(a.Alarm)
	case payterm.Lost:
		return o.alarm(a.Alarm)
	case payterm.Unsent, payterm.Rejected, payterm.CodeMade, payterm.Paid, payterm.Refunded, payterm.Pending,
		payterm.Failed, payterm.Refused, payterm.NotFound:
	}
	return o
}

// notRefunded ends a refund that was not announced, or not written.
func (o Order) notRefunded(in Stamped, reason payterm.Reason) (Order, []Command) {
	o = o.close(in)
	o.Outcome, o.Reason = payterm.NotSent, reason
	return o, []Command{Play{payterm.SoundDeclined}}
}

// refundFee is what an answer about a sale says was refunded of it in all, false
// where it does not say, or says less than is known: then it is an old one.
func (o Order) refundFee(answer payterm.Answer) (int64, bool) {
	switch a := answer.(type) {
	case payterm.Paid:
		return 0, o.SaleRefundedMinor == 0
	case payterm.Refunded:
		return a.RefundedMinor, a.RefundedMinor > 0 && a.RefundedMinor >= o.SaleRefundedMinor
	default:
		return 0, false
	}
}

// lacking says why there is no baseline yet. Silence takes nothing back that the
// gateway has said.
func (o Order) lacking(answer payterm.Answer) payterm.Reason {
	unheard := o.Lacks == payterm.ReasonNone || o.Lacks == payterm.ReasonNoConnection ||
		o.Lacks == payterm.ReasonCertificate || o.Lacks == payterm.ReasonClock
	switch a := answer.(type) {
	case payterm.Unsent:
		switch {
		case !unheard:
			return o.Lacks
		case a.Final:
			return payterm.ReasonCertificate
		}
		return unreached(a)
	case payterm.Lost:
		if !unheard {
			return o.Lacks
		}
		return payterm.ReasonNoAnswer
	case payterm.NotFound:
		return payterm.ReasonSaleUnknown
	case payterm.Pending, payterm.Failed:
		return payterm.ReasonNotRefundable
	case payterm.Rejected:
		return payterm.ReasonRejected
	case payterm.Paid, payterm.Refunded, payterm.Unclear, payterm.CodeMade, payterm.Refused, payterm.Clash:
	}
	return payterm.ReasonSaleUnclear // an old answer is none either
}

// heardOfSale takes in an answer about the sale, in whichever phase the refund
// waits for one.
//
//	refund_fee             | Baselining     | at the counter, background, trailing, listed
//	none, or less than is  |                |
//	known: an old answer   | asks again     | asks on, as if there were none
//	baseline + amount      |                | refunded
//	more than that         | refused by cap | listed: somebody else has refunded too
//	between the two        | announced      | the new baseline: others', and not yet ours
//	the baseline           | announced      | asks on
func (o Order) heardOfSale(in Stamped, answer payterm.Answer) (Order, []Command) {
	o.Heard = payterm.AnswerName(answer)
	switch a := answer.(type) {
	case payterm.Unclear:
		o = o.alarm(a.Alarm)
	case payterm.Lost:
		o = o.alarm(a.Alarm)
	default: // what it says of the money, below
	}
	fee, said := o.refundFee(answer)
	switch o.Phase {
	case Baselining:
		if !said {
			o.Lacks = o.lacking(answer)
			o.Asking = o.Asking.soon(in, o.Sale.Rules.RefundInterval, 0)
			return o, nil
		}
		o.BaselineMinor, o.SaleRefundedMinor, o.Lacks = fee, fee, payterm.ReasonNone
		if fee+o.Sale.AmountMinor > o.SaleTotalMinor {
			return o.notRefunded(in, payterm.ReasonRefundCap)
		}
		return o.send(in)
	case Waiting, InBackground, Trailing, Listed:
		done := o.BaselineMinor + o.Sale.AmountMinor
		switch {
		case said && fee == done:
			return o.refunded(in)
		// there is no room for ours any more
		case said && (fee > done || fee > o.BaselineMinor && fee+o.Sale.AmountMinor > o.SaleTotalMinor):
			o.SaleRefundedMinor = fee
			return o.list(in, payterm.ReasonRefunded, payterm.AttentionDoubt), []Command{Play{payterm.SoundAlarm}}
		case said:
			o.BaselineMinor, o.SaleRefundedMinor = fee, fee
		}
	case Fresh, Scanning, Sending, Redialling, ShowingCode, Confirming, Closed:
		return o, nil // no inquiry is under way in these
	}
	return o.askOn(in, said)
}

// refunded is the only way to an approved refund.
func (o Order) refunded(in Stamped) (Order, []Command) {
	late := o.unexpected(in)
	o = o.close(in)
	o.Outcome, o.Reason, o.Attention = payterm.Approved, payterm.ReasonNone, payterm.AttentionNone
	o.RefundedMinor = o.Sale.AmountMinor
	o.Prints += 2
	if late { // nobody waits for a sound
		o.Reason = payterm.ReasonLateRefund
		return o, []Command{Print{Slip: SlipRefund}, Print{Slip: SlipRefundCustomer}}
	}
	return o, []Command{Play{payterm.SoundApproved}, Print{Slip: SlipRefund}, Print{Slip: SlipRefundCustomer}}
}

// SaleRefunded is what the sale's row learns when a refund is settled: what the
// gateway has said was refunded of it in all.
func (o Order) SaleRefunded() RefundEnded {
	return RefundEnded{ID: o.ID(), RefundedMinor: max(o.BaselineMinor+o.RefundedMinor, o.SaleRefundedMinor)}
}

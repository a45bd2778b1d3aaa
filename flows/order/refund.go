package order

import (
	"payterm"
)

// A refund is an order of its own, with an id, a row and a place in the queue. No reply
// to REFUND is documented well enough to be a proof (sheet section 6), so the sale is:
// its refund_fee is asked for first and journalled as the baseline, and the refund is
// done when the sale's refund_fee is the baseline plus the amount. A request that was
// written is never written again, and a sale has one open refund at a time.
//
// The refunded total of a sale only grows. A reply with less than the journal knows,
// from earlier refunds (RefundBegan) or from this one, is out of date: it proves
// nothing, and nothing is sent because of it.
//
//	Baselining  asks about the sale; nothing is announced yet
//	Sending     REFUND is announced; its fate is unknown until the sale shows it
//	Redialling  no byte has been written so far
//	Waiting     asks about the sale at the counter
//
// and then as for a sale: InBackground with the ladder, Trailing after a refusal
// of the request's form, Listed, Closed.

// RefundReason says why an amount of a sale cannot be refunded, empty if it can.
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

// opened reserves the sale for one refund.
func (o Order) opened(ev RefundOpened) Order {
	if RefundReason(o, o.Total().With(ev.AmountMinor)) == payterm.ReasonNone {
		o.RefundID = ev.ID
	}
	return o
}

// ended lets the sale's next refund begin. The refunded total never goes down.
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
	return o, nil // ignored in every other phase
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
	if ev, answered := in.Event.(RefundAnswered); answered {
		o.Asking = o.Asking.paymentOver()
		return o.refundAnswered(in, ev.Reply.Answer)
	}
	return o.sending(in)
}

// refundAnswered takes in the answer to REFUND, which never proves the refund (sheet section 6).
func (o Order) refundAnswered(in Stamped, answer payterm.Answer) (Order, []Command) {
	o.Heard = payterm.AnswerName(answer)
	switch a := answer.(type) {
	case payterm.Unsent:
		return o.unsent(in, a)
	case payterm.Rejected:
		if a.Unsent {
			return o.neverLeft(in, payterm.ReasonRejected)
		}
		return o.notSent(in, payterm.ReasonRejected) // its form was refused; the ladder still checks
	case payterm.Lost, payterm.Unclear, payterm.Clash, payterm.CodeMade, payterm.Paid, payterm.Refunded,
		payterm.Pending, payterm.Failed, payterm.Refused, payterm.NotFound: // proves nothing
	}
	return o.alarmed(answer).wait(in), nil
}

func (o Order) refundWaiting(in Stamped) (Order, []Command) {
	if ev, answered := in.Event.(RefundAnswered); answered {
		return o.refundAnsweredLate(in, ev.Reply.Answer)
	}
	return o.waiting(in)
}

// refundAnsweredLate takes in an answer to REFUND that the refund no longer waits for. Only its
// alarm counts.
func (o Order) refundAnsweredLate(in Stamped, answer payterm.Answer) (Order, []Command) {
	if a, unsent := answer.(payterm.Unsent); unsent {
		return o.unsentLate(in, a)
	}
	o.Asking = o.Asking.paymentOver()
	return o.alarmed(answer), nil
}

// alarmed takes the alarm, if any, from an answer to REFUND.
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

// notRefunded ends a refund that was not announced, or of which no byte was written.
func (o Order) notRefunded(in Stamped, reason payterm.Reason) (Order, []Command) {
	o = o.close(in)
	o.Outcome, o.Reason = payterm.NotSent, reason
	return o, []Command{Play{payterm.SoundDeclined}}
}

// refundFee is the sale's refunded total in an answer about it; false if the answer has none, or
// one below what is known, which makes it out of date.
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

// lacking is the reason why there is no baseline yet. Silence does not replace a reason that the
// gateway gave before.
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
	return payterm.ReasonSaleUnclear // an out-of-date answer
}

// heardOfSale takes in an answer about the sale, in each phase that waits for one.
//
//	refund_fee             | Baselining     | at the counter, background, trailing, listed
//	none, or less than     |                |
//	is known               | asks again     | asks again, as after no answer
//	baseline + amount      |                | refunded
//	more than that         | refused by cap | listed: somebody else has refunded too
//	between the two        | announced      | the new baseline: another refund, not ours yet
//	the baseline           | announced      | asks again
func (o Order) heardOfSale(in Stamped, answer payterm.Answer) (Order, []Command) {
	o.Heard = payterm.AnswerName(answer)
	switch a := answer.(type) {
	case payterm.Unclear:
		o = o.alarm(a.Alarm)
	case payterm.Lost:
		o = o.alarm(a.Alarm)
	default: // the rest goes by its refund_fee, below
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
		// the sale has too little left for this refund
		case said && (fee > done || fee > o.BaselineMinor && fee+o.Sale.AmountMinor > o.SaleTotalMinor):
			o.SaleRefundedMinor = fee
			return o.list(in, payterm.ReasonRefunded, payterm.AttentionDoubt), []Command{Play{payterm.SoundAlarm}}
		case said:
			o.BaselineMinor, o.SaleRefundedMinor = fee, fee
		}
	case Fresh, Scanning, Sending, Redialling, ShowingCode, Confirming, Closed:
		return o, nil // no inquiry is running in these phases
	}
	return o.inquireAgain(in, said)
}

// refunded is the only way to an approved refund.
func (o Order) refunded(in Stamped) (Order, []Command) {
	late := o.unexpected(in)
	o = o.close(in)
	o.Outcome, o.Reason, o.Attention = payterm.Approved, payterm.ReasonNone, payterm.AttentionNone
	o.RefundedMinor = o.Sale.AmountMinor
	o.Prints += 2
	if late { // nobody waits at the counter
		o.Reason = payterm.ReasonLateRefund
		return o, []Command{Print{Slip: SlipRefund}, Print{Slip: SlipRefundCustomer}}
	}
	return o, []Command{Play{payterm.SoundApproved}, Print{Slip: SlipRefund}, Print{Slip: SlipRefundCustomer}}
}

// SaleRefunded is the event that tells the sale of its refund's end, with the refunded total that
// the gateway gave.
func (o Order) SaleRefunded() RefundEnded {
	return RefundEnded{ID: o.ID(), RefundedMinor: max(o.BaselineMinor+o.RefundedMinor, o.SaleRefundedMinor)}
}

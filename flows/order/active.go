package order

import "payterm"

// active steps an Active Mode order at the counter: the terminal shows a code
// and the customer scans it (sheet section 13.1).
func (o Order) active(in Stamped) (Order, []Command) {
	switch o.Phase {
	case Sending:
		return o.activeSending(in)
	case Redialling:
		return o.redialling(in)
	case ShowingCode:
		return o.activeShowing(in)
	case Fresh, Scanning, Baselining, Waiting, Confirming, InBackground, Trailing, Listed, Closed:
	}
	return o, nil // ignored in every other phase
}

func (o Order) activeSending(in Stamped) (Order, []Command) {
	switch ev := in.Event.(type) {
	case PaymentAnswered:
		o.Asking = o.Asking.paymentOver()
		return o.activeAnswered(in, ev.Reply.Answer)
	case CancelPressed:
		// No code has been received, so nobody can have seen one.
		return o.notSent(in, payterm.ReasonNoCode)
	case Woke:
		if in.Mono >= o.Until {
			return o.notSent(in, payterm.ReasonNoCode)
		}
	}
	return o, nil
}

// activeAnswered takes in the answer to ACTIVEPAY. A STATUS_QUERY never returns the code, so any
// answer other than an authentic code ends the order as not sent.
func (o Order) activeAnswered(in Stamped, answer payterm.Answer) (Order, []Command) {
	o.Heard = payterm.AnswerName(answer)
	switch a := answer.(type) {
	case payterm.CodeMade:
		r := o.Sale.Rules
		o.Phase, o.CodeURL = ShowingCode, a.CodeURL
		o.Until = in.Mono + r.ActiveDisplay
		o.Asking = o.Asking.soon(in, r.InquiryInterval, r.InquiryJitter)
		return o, []Command{PrintCode{a.CodeURL, o.Until}}
	case payterm.Unsent:
		return o.unsent(in, a)
	case payterm.Rejected:
		return o.notSent(in, payterm.ReasonRejected)
	case payterm.Clash:
		o.Clashed = true
		return o.alarm(true).doubt(in, payterm.ReasonClash)
	case payterm.Lost:
		o = o.alarm(a.Alarm)
	case payterm.Unclear:
		o = o.alarm(a.Alarm)
	case payterm.Paid, payterm.Refunded, payterm.Pending, payterm.Failed, payterm.Refused, payterm.NotFound:
	}
	return o.notSent(in, payterm.ReasonNoCode)
}

func (o Order) activeShowing(in Stamped) (Order, []Command) {
	switch in.Event.(type) {
	case Woke:
		if in.Mono >= o.Until {
			return o.doubt(in, payterm.ReasonNotPaid)
		}
		return o.inquire(in)
	case CancelPressed:
		return o.doubt(in, payterm.ReasonGivenUp)
	}
	return o, nil
}

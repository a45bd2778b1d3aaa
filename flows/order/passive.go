package order

import "payterm"

// passive steps a Passive Mode order at the counter: the terminal scans the
// customer's code (sheet section 13.2).
func (o Order) passive(in Stamped) (Order, []Command) {
	switch o.Phase {
	case Scanning:
		return o.passiveScanning(in)
	case Sending:
		return o.passiveSending(in)
	case Redialling:
		return o.redialling(in)
	case Waiting, Confirming:
		return o.passiveWaiting(in)
	case Fresh, Baselining, ShowingCode, InBackground, Trailing, Listed, Closed:
	}
	return o, nil // ignored in every other phase
}

func (o Order) passiveScanning(in Stamped) (Order, []Command) {
	switch ev := in.Event.(type) {
	case CodeScanned:
		return o.scanned(in, ev)
	case CancelPressed:
		o = o.close(in)
		o.Outcome, o.Reason = payterm.Cancelled, payterm.ReasonCashier
		return o, nil
	case Woke:
		if in.Mono < o.Until {
			return o, nil
		}
		o = o.close(in)
		o.Outcome, o.Reason = payterm.Cancelled, payterm.ReasonNoScan
		return o, []Command{Play{payterm.SoundDeclined}}
	}
	return o, nil // no request is running
}

// scanned accepts one fresh payment code and sends it (invariant 4).
func (o Order) scanned(in Stamped, ev CodeScanned) (Order, []Command) {
	if ev.Began < o.BeganAt {
		return o, nil // scanned before this sale began: it must not pay for it
	}
	switch {
	case ev.Used:
		o.Hint = HintUsedCode
	case ev.Wallet == "" && o.Sale.Wallet == "":
		o.Hint = HintNotACode
	case ev.Wallet != "" && o.Sale.Wallet != "" && ev.Wallet != o.Sale.Wallet, !o.Sale.Wallets.Takes(ev.Wallet):
		o.Hint = HintOtherWallet
	}
	if o.Hint != HintNone {
		return o, []Command{Play{payterm.SoundDeclined}}
	}
	if ev.Wallet != "" {
		o.Wallet = ev.Wallet
	}
	o.Code, o.CodeKey, o.MaskedCode, o.ScannedAt = ev.Code, ev.Key, ev.Masked, ev.Began
	o, cmds := o.send(in)
	return o, append(cmds, Play{payterm.SoundScan})
}

func (o Order) passiveSending(in Stamped) (Order, []Command) {
	if ev, answered := in.Event.(PaymentAnswered); answered {
		o.Asking = o.Asking.paymentOver()
		return o.passiveAnswered(in, ev.Reply.Answer)
	}
	return o.sending(in)
}

// sending steps a request that moves money and whose answer is awaited, as a Passive payment and
// a refund have it.
func (o Order) sending(in Stamped) (Order, []Command) {
	switch in.Event.(type) {
	case CancelPressed:
		o.CancelWanted = true // takes effect only if no byte was written
	case Woke:
		if in.Mono >= o.Until {
			return o.wait(in), nil
		}
	}
	return o, nil
}

// passiveAnswered takes in the answer to PASSIVEPAY.
func (o Order) passiveAnswered(in Stamped, answer payterm.Answer) (Order, []Command) {
	o.Heard = payterm.AnswerName(answer)
	switch a := answer.(type) {
	case payterm.Unsent:
		return o.unsent(in, a)
	case payterm.Paid:
		return o.approve(in, a)
	case payterm.Failed:
		return o.decline(in, payterm.ReasonWallet, a.Status)
	case payterm.Rejected:
		return o.notSent(in, payterm.ReasonRejected)
	case payterm.Refunded:
		o.PaidMinor, o.RefundedMinor, o.GatewayStatus = a.PaidMinor, a.RefundedMinor, a.Status
		return o.list(in, payterm.ReasonRefunded, payterm.AttentionDoubt), []Command{Play{payterm.SoundAlarm}}
	case payterm.Refused:
		o.Refusal = a.Reason
		o = o.wait(in)
		o.Phase = Confirming
		o.Asking.Next = in.Mono // the customer is waiting: ask at once
		return o.inquire(in)
	case payterm.Clash:
		// The order under this id may be another terminal's. It is never sent again, and approved
		// only by an inquiry whose trade time matches too (clockFits).
		o.Clashed = true
		o = o.alarm(true)
	case payterm.Pending:
		o.GatewayStatus = a.Status
	case payterm.Unclear:
		o = o.unclear(a)
	case payterm.Lost:
		o = o.alarm(a.Alarm)
	case payterm.CodeMade, payterm.NotFound:
	}
	return o.wait(in), nil
}

// wait starts the inquiries at the counter: about the payment, or a refund's about its sale.
func (o Order) wait(in Stamped) Order {
	r := o.Sale.Rules
	window, first := r.PassiveCounter, r.FirstInquiry
	if o.Kind == payterm.KindRefund {
		window, first = r.RefundWindow, r.RefundInterval
	}
	o.Phase, o.Code = Waiting, payterm.PayCode{}
	o.Until = max(o.SentAt+window, in.Mono+1)
	o.Asking = o.Asking.soon(in, first, 0)
	return o
}

func (o Order) passiveWaiting(in Stamped) (Order, []Command) {
	if ev, answered := in.Event.(PaymentAnswered); answered {
		return o.answeredLate(in, ev.Reply.Answer)
	}
	return o.waiting(in)
}

// waiting steps the inquiries at the counter, as a Passive payment and a refund have them.
func (o Order) waiting(in Stamped) (Order, []Command) {
	switch in.Event.(type) {
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
	}
	return o, nil
}

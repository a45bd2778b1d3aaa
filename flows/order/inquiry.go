package order

import (
	"time"

	"payterm"
)

// Asking is the schedule of an order's requests: when to inquire next, and that no two run at the
// same time (invariant 9). It is not journalled.
type Asking struct {
	Next     time.Duration // 0 for none
	Later    time.Duration // the ladder's own next time, while an inquiry for a person comes first; else 0
	InFlight bool          // a request is under way
	Paying   bool          // that request is the payment or the refund
	Rung     int           // of the ladder
	Attempts int
}

// soon plans the next inquiry at the counter.
func (a Asking) soon(in Stamped, pause, jitter time.Duration) Asking {
	a.Later = 0
	a.Next = in.Mono + pause + jitter*time.Duration(in.Jitter)/65536
	return a
}

// climb plans the next inquiry on the background ladder; anew starts at its first rung. An
// inquiry that a person asked for does not count as a rung: otherwise frequent questions would
// lengthen the pauses.
func (a Asking) climb(in Stamped, r Rules, anew bool) Asking {
	if !anew && a.Later > in.Mono {
		a.Next, a.Later = a.Later, 0
		return a
	}
	if anew {
		a.Rung = 0
	}
	pause := r.LadderRepeat
	if a.Rung < r.Ladder.Rungs() {
		pause = r.Ladder[a.Rung]
		a.Rung++
	}
	// The jitter only lengthens the pause, in proportion to it, so that the terminals of a shop
	// do not all ask at the same moment after a power cut.
	return a.soon(in, pause, pause/8)
}

// inquiryOver marks the inquiry as ended.
func (a Asking) inquiryOver() Asking {
	a.InFlight = a.Paying
	return a
}

// paymentOver marks the payment request as ended. It does not touch an inquiry that is running.
func (a Asking) paymentOver() Asking {
	if a.Paying {
		a.InFlight, a.Paying = false, false
	}
	return a
}

// inquire starts an inquiry if it is due and no request is running.
func (o Order) inquire(in Stamped) (Order, []Command) {
	if o.Asking.Next == 0 || in.Mono < o.Asking.Next || o.Asking.InFlight {
		return o, nil
	}
	o.Asking.Next, o.Asking.InFlight = 0, true
	o.Asking.Attempts++
	return o, []Command{Inquire{o.Inquiry()}}
}

// Inquiry is the question about the order; for a refund it is about the sale.
func (o Order) Inquiry() payterm.Inquiry {
	if o.Kind == payterm.KindRefund {
		total := payterm.Amount{Minor: o.SaleTotalMinor, Currency: o.Sale.Currency}
		return payterm.Inquiry{OrderID: o.SaleID, Total: total, MaxFeeMinor: o.Sale.Rules.MaxFeeMinor}
	}
	return payterm.Inquiry{OrderID: o.ID(), Total: o.Total(), MaxFeeMinor: o.Sale.Rules.MaxFeeMinor}
}

// askNow moves the next inquiry to this moment because a person asked. The runner limits the
// rate, since it knows of all who ask. If an inquiry is already running, that one serves.
func (o Order) askNow(in Stamped) Order {
	if o.Asking.InFlight {
		return o
	}
	switch o.Phase {
	case InBackground, Trailing:
		if o.Asking.Later == 0 {
			o.Asking.Later = o.Asking.Next
		}
		o.Asking.Next = in.Mono
	case ShowingCode, Waiting, Confirming, Listed:
		o.Asking.Next = in.Mono
	case Fresh, Scanning, Baselining, Sending, Redialling, Closed:
	}
	return o
}

// heard takes in the end of an inquiry, in each phase that waits for one.
//
//	answer                | at the counter        | in background           | trailing                | listed
//	paid                  | approved              | approved, late          | approved, late          | approved, late
//	failed                | declined              | declined                | closed unchanged        | declined
//	refunded              | in doubt, listed      | in doubt, listed        | in doubt, listed        | listed
//	not found, refused    | declined, trailing    | declined, trailing      | asks again              | -
//	anything else         | asks again            | asks again, then listed | asks again, then closed | -
//
// A refusal is an outer code, outside the digest, so any authentic answer after it cancels
// it. An order that the gateway has called paid is not declined: the failure is out of date
// or the gateway contradicts itself, and a person checks it.
//
// About a closed order only a person asks (contradicted).
func (o Order) heard(in Stamped, answer payterm.Answer) (Order, []Command) {
	switch o.Phase {
	case Closed:
		return o.contradicted(in, answer)
	case Fresh, Scanning, Baselining, Sending, Redialling:
		return o, nil // no inquiry of a sale is running in these phases
	case ShowingCode, Waiting, Confirming, InBackground, Trailing, Listed:
	}
	if o.Reason == payterm.ReasonRefunded {
		return o, nil // paid: no later answer takes that back
	}
	o.Heard = payterm.AnswerName(answer)
	answered := false
	switch a := answer.(type) {
	case payterm.Paid:
		if o.Clashed && !clockFits(a.TradeClock, o.SentWall) {
			return o.list(in, payterm.ReasonClash, payterm.AttentionAlarm), []Command{Play{payterm.SoundAlarm}}
		}
		return o.approve(in, a)
	case payterm.Refunded:
		o.PaidMinor, o.RefundedMinor, o.GatewayStatus = a.PaidMinor, a.RefundedMinor, a.Status
		return o.list(in, payterm.ReasonRefunded, payterm.AttentionDoubt), []Command{Play{payterm.SoundAlarm}}
	case payterm.Failed:
		if !o.SaidPaid {
			return o.decline(in, payterm.ReasonWallet, a.Status)
		}
		answered = true
		o = o.alarm(true)
	case payterm.NotFound:
		answered = true
		if o.Refusal != payterm.ReasonNone && (o.Phase == Confirming || o.Phase == InBackground) {
			return o.refuse(in)
		}
	case payterm.Pending:
		answered = true
		o = o.keepStatus(a.Status).dropRefusal() // the wallet is still busy with it
	case payterm.Unclear:
		// An unknown word may be throttling and decides nothing. If it is still the answer after
		// the code's life, when nobody can pay any more, it counts as an answer.
		answered = a.Authentic || a.Unknown && in.Mono >= o.LifeUntil
		o = o.unclear(a)
	case payterm.Lost:
		o = o.alarm(a.Alarm)
	case payterm.Unsent, payterm.CodeMade, payterm.Refused, payterm.Rejected, payterm.Clash:
	}
	return o.inquireAgain(in, answered)
}

// keepStatus keeps a status that settles nothing, unless an earlier one called the order paid.
func (o Order) keepStatus(status string) Order {
	if status != "" && !o.SaidPaid {
		o.GatewayStatus = status
	}
	return o
}

// dropRefusal drops a refusal that no inquiry has confirmed yet.
func (o Order) dropRefusal() Order {
	if o.Refusal == payterm.ReasonNone || o.Phase != Confirming && o.Phase != InBackground {
		return o
	}
	if o.Refusal = payterm.ReasonNone; o.Phase == Confirming {
		o.Phase = Waiting
	}
	return o
}

// unclear takes in an Unclear reply to the payment or to an inquiry.
func (o Order) unclear(a payterm.Unclear) Order {
	o = o.keepStatus(a.Status)
	if a.Paid {
		o.SaidPaid, o.GatewayStatus = true, a.Status
	}
	if a.Authentic && a.Status != "" {
		o = o.dropRefusal()
	}
	return o.alarm(a.Alarm)
}

// contradicted takes in an answer about a sale that is closed. Only a payment changes its
// outcome: a sale that ended unpaid becomes a late payment, which a person always has to check
// (docs/decisions/0012). Anything else that cannot happen by accident raises an alarm, unless a
// person has decided on the order before.
//
// The refunded total in the answer is kept in any case, so that no later refund accepts a smaller
// one.
func (o Order) contradicted(in Stamped, answer payterm.Answer) (Order, []Command) {
	if a, back := answer.(payterm.Refunded); back {
		o.SaleRefundedMinor = max(o.SaleRefundedMinor, a.RefundedMinor)
	}
	if o.Outcome == payterm.Approved || o.Reason == payterm.ReasonRefunded {
		return o, nil
	}
	strange := false
	switch a := answer.(type) {
	case payterm.Paid:
		if o.Clashed && !clockFits(a.TradeClock, o.SentWall) {
			strange = true // it may be another terminal's payment under this id
			break
		}
		found, cmds := o.approve(in, a)
		found.Heard, found.Attention, found.Resolution = payterm.AnswerName(a), payterm.AttentionAlarm, ""
		return found, cmds
	case payterm.Refunded:
		strange = true
	case payterm.Unclear:
		strange = a.Alarm
	default: // agrees with what is known
	}
	if !strange || o.Attention != payterm.AttentionNone || o.Resolution != "" {
		return o, nil
	}
	o.Heard = payterm.AnswerName(answer)
	return o.alarm(true), []Command{Play{payterm.SoundAlarm}}
}

// alarm marks an order for which something happened that cannot be an accident.
func (o Order) alarm(raised bool) Order {
	if raised && o.Attention == payterm.AttentionNone {
		o.Attention = payterm.AttentionAlarm
	}
	return o
}

// list leaves an order to staff that can be called neither paid nor unpaid.
func (o Order) list(in Stamped, reason payterm.Reason, attention payterm.Attention) Order {
	if o.Outcome != payterm.InDoubt {
		o.DoubtAt, o.DoubtWall = in.Mono, payterm.Millis(in.Wall)
	}
	o = o.close(in)
	o.Phase, o.Outcome, o.Reason, o.Attention = Listed, payterm.InDoubt, reason, attention
	return o
}

// inquireAgain plans what follows an inquiry that settled nothing.
func (o Order) inquireAgain(in Stamped, answered bool) (Order, []Command) {
	r := o.Sale.Rules
	switch o.Phase {
	case ShowingCode, Waiting, Confirming:
		if o.Kind == payterm.KindRefund {
			o.Asking = o.Asking.soon(in, r.RefundInterval, 0)
			return o, nil
		}
		o.Asking = o.Asking.soon(in, r.InquiryInterval, r.InquiryJitter)
	case InBackground:
		// Only an answer after the code's life ends the inquiries: a terminal that was without
		// power overnight has to ask once more.
		if answered && in.Mono >= o.LifeUntil {
			if o.Resolution != "" {
				return o.close(in), nil // a person has already decided
			}
			attention := payterm.AttentionDoubt
			if o.SaidPaid {
				attention = payterm.AttentionAlarm
			}
			return o.list(in, o.Reason, attention), nil
		}
		o.Asking = o.Asking.climb(in, r, false)
	case Trailing:
		// Without an answer the ladder has not been through once.
		if answered && in.Mono >= o.TrailEnds {
			return o.close(in), nil
		}
		o.Asking = o.Asking.climb(in, r, false)
	case Fresh, Scanning, Baselining, Sending, Redialling, Listed, Closed:
	}
	return o, nil
}

// offCounter steps an order that has left the counter.
func (o Order) offCounter(in Stamped) (Order, []Command) {
	switch ev := in.Event.(type) {
	case Woke:
		return o.inquire(in)
	case RefundAnswered: // the order left the counter while the request was running
		if o.Kind == payterm.KindRefund {
			return o.refundAnsweredLate(in, ev.Reply.Answer)
		}
	case PaymentAnswered: // the same for a sale
		if o.Kind == payterm.KindSale {
			return o.answeredLate(in, ev.Reply.Answer)
		}
	}
	return o, nil // keys and scans go to the order at the counter
}

// answeredLate takes in the answer to a payment whose order no longer waits for it. A definite
// answer counts as it would have in time; anything else is left to the inquiries.
func (o Order) answeredLate(in Stamped, answer payterm.Answer) (Order, []Command) {
	if a, unsent := answer.(payterm.Unsent); unsent {
		return o.unsentLate(in, a)
	}
	o.Asking = o.Asking.paymentOver()
	switch a := answer.(type) {
	case payterm.Paid, payterm.Failed, payterm.Refunded:
		return o.heard(in, a)
	case payterm.Clash:
		o.Clashed = true
		o = o.alarm(true)
	case payterm.Unclear:
		o = o.unclear(a)
	case payterm.Lost:
		o = o.alarm(a.Alarm)
	default: // a code is not shown any more
	}
	return o, nil
}

// clockFits compares the gateway's trade time, whose time zone is unknown, with the time of
// sending: they must agree within three minutes, apart from whole quarter hours. It is needed for
// an id that clashed only.
func clockFits(tradeClock, sentMillis int64) bool {
	if tradeClock == 0 || sentMillis == 0 {
		return false
	}
	const quarter, slack, farthest = 15 * 60, 3 * 60, 15 * 3600
	d := tradeClock - sentMillis/1000
	if d > farthest || d < -farthest {
		return false
	}
	off := ((d % quarter) + quarter) % quarter
	return off <= slack || off >= quarter-slack
}

// Conflict finds an order that forbids another sale of this total to begin without a question
// (invariant 8): a code of that total on show, or a Passive order of that total in doubt for less
// than the guard, in the background or listed. Of several doubts it returns the youngest.
func Conflict(orders []Order, total payterm.Amount, now time.Duration) (id payterm.OrderID, doubt bool) {
	var youngest time.Duration
	for _, o := range orders {
		if o.Total() != total {
			continue
		}
		switch {
		case o.Phase == ShowingCode && !doubt:
			id = o.ID()
		case o.Kind == payterm.KindSale && o.Outcome == payterm.InDoubt && o.Reason != payterm.ReasonRefunded &&
			o.Resolution == "" &&
			o.Sale.Mode == payterm.Passive && now-o.DoubtAt < o.Sale.Rules.DoubtGuard &&
			(!doubt || o.DoubtAt > youngest):
			id, doubt, youngest = o.ID(), true, o.DoubtAt
		}
	}
	return id, doubt
}

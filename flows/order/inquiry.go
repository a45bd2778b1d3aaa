package order

import (
	"time"

	"payterm"
)

// Asking is the schedule of an order's requests: when to inquire next, and that
// no two are under way at once. It is not journalled.
type Asking struct {
	Next     time.Duration // 0 for not at all
	Later    time.Duration // when the ladder would have asked, where somebody wanted to know before; 0 for nobody
	InFlight bool          // a request is under way
	Paying   bool          // it is the one that moves money
	Rung     int           // of the ladder
	Attempts int
}

// soon plans the next inquiry at the counter.
func (a Asking) soon(in Stamped, pause, jitter time.Duration) Asking {
	a.Later = 0
	a.Next = in.Mono + pause + jitter*time.Duration(in.Jitter)/65536
	return a
}

// climb plans the next inquiry on the background ladder, from its foot when
// anew. An inquiry for somebody who wanted to know was none of the ladder's, which goes
// on as it would have: who asks often must not drive it up.
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
	// Jitter only upwards and in proportion, so that a shop full of terminals
	// does not ask in step after a power cut.
	return a.soon(in, pause, pause/8)
}

// inquiryOver notes the end of an inquiry.
func (a Asking) inquiryOver() Asking {
	a.InFlight = a.Paying
	return a
}

// paymentOver notes the end of the request that moves money. An inquiry under way is
// none of its business.
func (a Asking) paymentOver() Asking {
	if a.Paying {
		a.InFlight, a.Paying = false, false
	}
	return a
}

// inquire asks once, if it is time and nothing is under way.
func (o Order) inquire(in Stamped) (Order, []Command) {
	if o.Asking.Next == 0 || in.Mono < o.Asking.Next || o.Asking.InFlight {
		return o, nil
	}
	o.Asking.Next, o.Asking.InFlight = 0, true
	o.Asking.Attempts++
	return o, []Command{Inquire{o.Inquiry()}}
}

// Inquiry is what is asked about the order: of a refund, the sale.
func (o Order) Inquiry() payterm.Inquiry {
	if o.Kind == payterm.KindRefund {
		total := payterm.Amount{Minor: o.SaleTotalMinor, Currency: o.Sale.Currency}
		return payterm.Inquiry{OrderID: o.SaleID, Total: total, MaxFeeMinor: o.Sale.Rules.MaxFeeMinor}
	}
	return payterm.Inquiry{OrderID: o.ID(), Total: o.Total(), MaxFeeMinor: o.Sale.Rules.MaxFeeMinor}
}

// askNow brings the next inquiry forward for a person who wants to know, and leaves the
// pace of the asking to the runner, which knows who else asks about the order. One that
// is under way is that inquiry.
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

// heard takes in the end of an inquiry, in whichever phase the order waits.
//
//	answer                | at the counter        | in background         | trailing            | listed
//	paid                  | approved              | approved, late        | approved, late      | approved, late
//	failed                | declined              | declined              | closed as it is     | declined
//	refunded              | in doubt, listed      | in doubt, listed      | in doubt, listed    | listed
//	not found, refused    | declined, trailing    | declined, trailing    | asks on             | -
//	anything else         | asks again            | asks on, then listed  | asks on, then closed| -
//
// A refusal stood outside the digest: whatever authentic is said of the order after it
// takes it back. An order that was called paid is not declined: what says so is old, or
// the gateway contradicts itself, and a person looks.
//
// An order that is closed is asked about by a person alone (contradicted).
func (o Order) heard(in Stamped, answer payterm.Answer) (Order, []Command) {
	switch o.Phase {
	case Closed:
		return o.contradicted(in, answer)
	case Fresh, Scanning, Baselining, Sending, Redialling:
		return o, nil // no inquiry of a sale is under way in these
	case ShowingCode, Waiting, Confirming, InBackground, Trailing, Listed:
	}
	if o.Reason == payterm.ReasonRefunded {
		return o, nil // it was paid; no later word takes that back
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
		o = o.told(a.Status).stillAtIt() // the wallet is
	case payterm.Unclear:
		// An unknown word may be throttling. It decides nothing; that it goes on being
		// said once nobody can pay any more is an answer.
		answered = a.Authentic || a.Unknown && in.Mono >= o.LifeUntil
		o = o.unclear(a)
	case payterm.Lost:
		o = o.alarm(a.Alarm)
	case payterm.Unsent, payterm.CodeMade, payterm.Refused, payterm.Rejected, payterm.Clash:
	}
	return o.askOn(in, answered)
}

// told keeps a status that settles nothing. It never stands in place of one that had
// called the order paid.
func (o Order) told(status string) Order {
	if status != "" && !o.SaidPaid {
		o.GatewayStatus = status
	}
	return o
}

// stillAtIt takes back a refusal that no inquiry has confirmed yet.
func (o Order) stillAtIt() Order {
	if o.Refusal == payterm.ReasonNone || o.Phase != Confirming && o.Phase != InBackground {
		return o
	}
	if o.Refusal = payterm.ReasonNone; o.Phase == Confirming {
		o.Phase = Waiting
	}
	return o
}

// unclear takes in what settles nothing, as the reply to the payment or to an inquiry.
func (o Order) unclear(a payterm.Unclear) Order {
	o = o.told(a.Status)
	if a.Paid {
		o.SaidPaid, o.GatewayStatus = true, a.Status
	}
	if a.Authentic && a.Status != "" {
		o = o.stillAtIt()
	}
	return o.alarm(a.Alarm)
}

// contradicted takes in what the gateway says of a closed sale, long after. Only a
// payment that nobody accounts for changes anything: of a sale that had ended
// unpaid. It becomes a late payment, which a person has to look at in any case
// (docs/decisions/0012); what else does not happen by accident is an alarm, unless
// a person has looked at that before.
//
// What it says was given back is kept in any case: no refund takes less for news.
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
			strange = true // another terminal's payment under this id
			break
		}
		found, cmds := o.approve(in, a)
		found.Heard, found.Attention, found.Resolution = payterm.AnswerName(a), payterm.AttentionAlarm, ""
		return found, cmds
	case payterm.Refunded:
		strange = true
	case payterm.Unclear:
		strange = a.Alarm
	default: // it does not contradict
	}
	if !strange || o.Attention != payterm.AttentionNone || o.Resolution != "" {
		return o, nil
	}
	o.Heard = payterm.AnswerName(answer)
	return o.alarm(true), []Command{Play{payterm.SoundAlarm}}
}

// alarm marks an order that met something which does not happen by accident.
func (o Order) alarm(raised bool) Order {
	if raised && o.Attention == payterm.AttentionNone {
		o.Attention = payterm.AttentionAlarm
	}
	return o
}

// list hands an order that cannot be called paid or unpaid to staff.
func (o Order) list(in Stamped, reason payterm.Reason, attention payterm.Attention) Order {
	if o.Outcome != payterm.InDoubt {
		o.DoubtAt, o.DoubtWall = in.Mono, payterm.Millis(in.Wall)
	}
	o = o.close(in)
	o.Phase, o.Outcome, o.Reason, o.Attention = Listed, payterm.InDoubt, reason, attention
	return o
}

// askOn plans what follows an inquiry that settled nothing.
func (o Order) askOn(in Stamped, answered bool) (Order, []Command) {
	r := o.Sale.Rules
	switch o.Phase {
	case ShowingCode, Waiting, Confirming:
		if o.Kind == payterm.KindRefund {
			o.Asking = o.Asking.soon(in, r.RefundInterval, 0)
			return o, nil
		}
		o.Asking = o.Asking.soon(in, r.InquiryInterval, r.InquiryJitter)
	case InBackground:
		// Only an answer made after the code's life ends the asking: a shop
		// that was dark over night must still ask.
		if answered && in.Mono >= o.LifeUntil {
			if o.Resolution != "" {
				return o.close(in), nil // staff has been asked and has decided
			}
			attention := payterm.AttentionDoubt
			if o.SaidPaid {
				attention = payterm.AttentionAlarm
			}
			return o.list(in, o.Reason, attention), nil
		}
		o.Asking = o.Asking.climb(in, r, false)
	case Trailing:
		// A network that was down all the while has not been through once.
		if answered && in.Mono >= o.TrailEnds {
			return o.close(in), nil
		}
		o.Asking = o.Asking.climb(in, r, false)
	case Fresh, Scanning, Baselining, Sending, Redialling, Listed, Closed:
	}
	return o, nil
}

// offCounter steps an order that only the ladder, or a person who asks, still
// cares for.
func (o Order) offCounter(in Stamped) (Order, []Command) {
	switch ev := in.Event.(type) {
	case Woke:
		return o.inquire(in)
	case RefundAnswered: // the counter left while the request was under way
		if o.Kind == payterm.KindRefund {
			return o.refundAnsweredLate(in, ev.Reply.Answer)
		}
	case PaymentAnswered: // likewise
		if o.Kind == payterm.KindSale {
			return o.answeredLate(in, ev.Reply.Answer)
		}
	}
	return o, nil // keys and scans belong to the counter
}

// answeredLate takes in the answer to the payment once the counter's patience with the
// request has ended. What it says counts as it would have in time; what says nothing is
// left to the inquiries.
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
	default: // a code that comes now is never shown
	}
	return o, nil
}

// clockFits compares a trade time, whose zone the gateway does not tell, with
// the time of sending: they must agree within three minutes once whole quarter
// hours of zone are taken off. Only a clashed id needs this.
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

// Conflict finds the order that forbids a second sale of this total to begin
// silently: a code of that total on show, or a Passive order of that total in
// doubt for less than the guard, whether the ladder still asks about it or staff
// has to. The youngest doubt is named.
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

package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"payterm"
	"payterm/flows/runner"
)

// ReconcileLine is a line of the answer to POST /reconcile: how far it is, then the
// report or why there is none.
type ReconcileLine struct {
	Checked int             `json:"checked,omitempty"`
	Of      int             `json:"of,omitempty"`
	Report  *Reconciliation `json:"report,omitempty"`
	Error   string          `json:"error,omitempty"`
}

// Reconciliation is what the journal and the gateway say of the sales of a business
// day, or of a Z, and of the sales of which refunds are in it.
type Reconciliation struct {
	Day         string       `json:"day,omitempty"`
	Number      int64        `json:"number,omitempty"` // of the Z
	Sales       int          `json:"sales"`
	Agree       int          `json:"agree"`
	Unknown     int          `json:"unknown"` // the gateway did not tell: neither agreed nor different
	Differences []Difference `json:"differences"`
}

// Difference is one sale about which journal and gateway do not agree, or of which
// nobody can say whether they do.
type Difference struct {
	OrderID      payterm.OrderID   `json:"order_id"`
	What         Differing         `json:"what"`
	Outcome      payterm.Outcome   `json:"outcome"` // in the journal, before it was asked about
	Currency     payterm.Currency  `json:"currency"`
	OursMinor    int64             `json:"ours_minor"`    // paid, or refunded where that differs
	GatewayMinor int64             `json:"gateway_minor"` // likewise
	Answer       string            `json:"answer,omitempty"`
	Gateway      string            `json:"gateway_order_status,omitempty"` // as received
	Why          string            `json:"why,omitempty"`
	Attention    payterm.Attention `json:"attention,omitempty"` // what staff has to decide since then
}

// Differing says in one word what differs.
type Differing string

// The words.
const (
	DiffersFound    Differing = "found"    // it had ended unpaid, and is paid: it is on the list of alarms now
	DiffersNotPaid  Differing = "not_paid" // approved here, and the gateway knows no such order
	DiffersOutdated Differing = "outdated" // it says less than it has said before: an old answer, or something was taken back
	DiffersAmount   Differing = "amount"   // another amount was paid
	DiffersRefunded Differing = "refunded" // another amount went back
	DiffersUnclear  Differing = "unclear"  // the gateway says what fits nothing
	DiffersOpen     Differing = "open"     // not final here either; the terminal goes on asking
	DiffersUnknown  Differing = "unknown"  // the gateway did not tell
)

// silence is after how many sales in a row that the gateway does not tell of the
// others are not asked about.
const silence = 12

// reconcileLimit bounds one question, its wait in the queue among that.
const reconcileLimit = 2 * time.Minute

// reconcile asks about each sale of a day or a Z, and answers as it goes.
func (a *Agent) reconcile(w http.ResponseWriter, r *http.Request) {
	out := json.NewEncoder(w)
	say := func(l ReconcileLine) {
		out.Encode(l)                         //nolint:errcheck // the caller has gone, which ends the context
		http.NewResponseController(w).Flush() //nolint:errcheck // as above
	}
	rep, sales, err := a.toReconcile(r.FormValue("day"), r.FormValue("number"))
	if err != nil {
		say(ReconcileLine{Error: err.Error()})
		return
	}
	found := a.compareAll(r.Context(), sales, func(n int) { say(ReconcileLine{Checked: n, Of: len(sales)}) })
	if r.Context().Err() != nil {
		return
	}
	rep.Sales, rep.Differences = len(sales), []Difference{}
	for _, d := range found {
		switch d.What {
		case "":
			rep.Agree++
			continue
		case DiffersUnknown:
			rep.Unknown++
		}
		rep.Differences = append(rep.Differences, d)
	}
	say(ReconcileLine{Report: &rep})
}

// toReconcile finds the sales of a business day, without a day of this one, or of a
// Z; and the sales of which refunds are in it.
func (a *Agent) toReconcile(day, number string) (rep Reconciliation, sales []payterm.Order, err error) {
	var orders []payterm.Order
	switch {
	case day != "" && number != "":
		return rep, nil, errors.New("reconcile: either a day or a Z")
	case number != "":
		if rep.Number, err = strconv.ParseInt(number, 10, 64); err != nil || rep.Number < 1 {
			return rep, nil, errors.New("reconcile: the number of a Z is 1 or more")
		}
		if _, err = a.store.Totals(rep.Number); err == nil {
			orders, err = a.store.InZ(rep.Number)
		}
	default:
		if rep.Day = day; day == "" {
			_, now := a.clock.Now()
			if now.IsZero() {
				return rep, nil, errors.New("reconcile: the clock is not set: name the day")
			}
			rep.Day = a.o.Config.Days().Name(now)
		}
		orders, err = a.store.OfDay(rep.Day)
	}
	seen := map[payterm.OrderID]bool{}
	for _, o := range orders {
		id := o.ID
		if o.Kind == payterm.KindRefund {
			id = o.SaleID
		}
		if seen[id] {
			continue
		}
		seen[id] = true
		known := true
		if id != o.ID {
			if o, known, err = a.store.Order(id); err != nil {
				break
			}
		}
		if known { // or retention has dropped it
			sales = append(sales, o)
		}
	}
	if err != nil {
		return rep, nil, fmt.Errorf("reconcile: %w", err)
	}
	return rep, sales, nil
}

// askers is how many questions wait at once; the runner starts them in their turn.
const askers = 4

// compareAll asks about sales and tells how far it is. Once the gateway has been
// silent for a while the rest stays unknown.
func (a *Agent) compareAll(ctx context.Context, sales []payterm.Order, tell func(int)) []Difference {
	found := make([]Difference, len(sales))
	next := make(chan int)
	var mu sync.Mutex
	checked, silent := 0, 0
	var wg sync.WaitGroup
	for range min(askers, len(sales)) {
		wg.Go(func() {
			for i := range next {
				mu.Lock()
				give := silent >= silence
				mu.Unlock()
				d := Difference{OrderID: sales[i].ID, What: DiffersUnknown, Outcome: sales[i].Outcome, Currency: sales[i].Currency, Why: "not asked: the gateway is silent"}
				ours := sales[i].MerchantID == a.o.Config.Gateway.MerchantID && sales[i].Currency == a.o.Config.Merchant.Currency
				switch {
				case !ours:
					d.Why = runner.ErrOtherMerchant.Error()
				case !give:
					d = a.compareOne(ctx, sales[i])
				}
				found[i] = d
				mu.Lock()
				if checked++; !ours { // which says nothing of the gateway
				} else if d.What == DiffersUnknown {
					silent++
				} else {
					silent = 0
				}
				tell(checked)
				mu.Unlock()
			}
		})
	}
	for i := range sales {
		next <- i
	}
	close(next)
	wg.Wait()
	return found
}

func (a *Agent) compareOne(ctx context.Context, sale payterm.Order) Difference {
	ctx, cancel := context.WithTimeout(ctx, reconcileLimit)
	defer cancel()
	c, err := a.runner.Check(ctx, sale.ID)
	if err != nil {
		return Difference{OrderID: sale.ID, What: DiffersUnknown, Outcome: sale.Outcome, Currency: sale.Currency, Why: err.Error()}
	}
	return compare(sale, c)
}

// compare weighs what the journal said of a sale before it was asked about, and what
// it says now, against the gateway. Nothing is different where What is empty.
func compare(before payterm.Order, c runner.Checked) Difference {
	o := c.Order
	d := Difference{OrderID: before.ID, Outcome: before.Outcome, Currency: before.Currency, OursMinor: o.PaidMinor,
		Answer: payterm.AnswerName(c.Answer), Attention: o.Attention}
	paidBefore := func(o payterm.Order) bool { return o.Outcome == payterm.Approved || o.Reason == payterm.ReasonRefunded }
	money := func(paid, refunded int64, status string) {
		d.GatewayMinor, d.Gateway = paid, status
		switch {
		case !paidBefore(before):
			d.What, d.OursMinor = DiffersFound, before.PaidMinor
		case paid != o.PaidMinor && paid != 0: // or it does not say
			d.What = DiffersAmount
		case refunded < o.RefundedMinor: // what went back does not come back
			d.What, d.OursMinor, d.GatewayMinor = DiffersOutdated, o.RefundedMinor, refunded
		case refunded != o.RefundedMinor:
			d.What, d.OursMinor, d.GatewayMinor = DiffersRefunded, o.RefundedMinor, refunded
		}
	}
	unpaid := func(status string, word Differing) {
		if d.Gateway = status; paidBefore(o) {
			d.What = word
		}
	}
	switch a := c.Answer.(type) {
	case nil: // its own inquiries tell, or a refund's do
		if o.Outcome == payterm.Open || o.Outcome == payterm.InDoubt || before.Outcome == payterm.Approved {
			d.What = DiffersOpen
		}
	case payterm.Paid:
		money(a.PaidMinor, 0, a.Status)
	case payterm.Refunded:
		money(a.PaidMinor, a.RefundedMinor, a.Status)
		if a.RefundedMinor == 0 && paidBefore(before) {
			d.What, d.Why = DiffersUnclear, "refunded, and not how much"
		}
	case payterm.Failed: // it had been called paid, on an authentic reply
		unpaid(a.Status, DiffersOutdated)
	case payterm.Pending:
		unpaid(a.Status, DiffersOutdated)
	case payterm.NotFound:
		unpaid("", DiffersNotPaid)
		d.Why = a.Why
	case payterm.Unclear:
		d.What, d.Gateway, d.Why = DiffersUnclear, a.Status, a.Why
		if !a.Authentic && !a.Alarm {
			d.What = DiffersUnknown
		}
	case payterm.Lost:
		d.What, d.Why = DiffersUnknown, a.Why
	case payterm.Unsent:
		d.What, d.Why = DiffersUnknown, a.Why
	case payterm.CodeMade, payterm.Refused, payterm.Rejected, payterm.Clash: // no answers to this question
		d.What = DiffersUnknown
	}
	return d
}

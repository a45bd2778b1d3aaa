package panel

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"payterm"
	"payterm/flows/order"
	"payterm/storage"
)

const (
	maxStories  = 12  // orders in the timeline
	maxCompared = 200 // orders of journal and simulator that are compared
	maxMoments  = 60  // lines of one order; if there are more, those in the middle are left out
)

// moment is one line of an order's timeline: an event of the journal, or a request that the simulator received.
type moment struct {
	AtMS    int64    `json:"at_ms"` // since the order began
	Event   string   `json:"event"`
	Facts   string   `json:"facts,omitempty"`
	Decided []string `json:"decided,omitempty"`
	Wire    string   `json:"wire,omitempty"` // the messages that were exchanged, by name
	Gateway bool     `json:"gateway,omitempty"`

	sends   string // the action of the request that this step sent
	answers bool   // the reply to a request, or that there was none
}

// story is an order with its moments.
type story struct {
	ID      payterm.OrderID `json:"order_id"`
	Title   string          `json:"title"`
	Total   string          `json:"total"`
	Outcome payterm.Outcome `json:"outcome"`
	Reason  payterm.Reason  `json:"reason,omitempty"`
	Moments []moment        `json:"moments"`
}

// ledgerRow is an order as GET /sim/orders returns it.
type ledgerRow struct {
	ID       payterm.OrderID `json:"order_id"`
	Mode     payterm.Mode    `json:"mode"`
	Amount   int64           `json:"amount_minor"`
	Status   string          `json:"status"`
	Paid     int64           `json:"paid_minor"`
	Refunded int64           `json:"refunded_minor"`
	Requests []ledgerRequest `json:"requests"`
}

// ledgerRequest is a request that the simulator received.
type ledgerRequest struct {
	At     time.Time `json:"at"`
	Action string    `json:"action"`
}

// unknown is the status of an order for which the simulator has only requests.
const unknown = "unknown"

// answerTimeline is the answer of GET /emu/timeline.
type answerTimeline struct {
	Orders  []story           `json:"orders"`
	Books   *books            `json:"books,omitempty"`  // only if the gateway is the simulator
	Faults  []json.RawMessage `json:"faults,omitempty"` // as GET /sim/faults returns them
	Trouble string            `json:"trouble,omitempty"`
}

// timeline is GET /emu/timeline: the newest orders with their events, the simulator's orders beside the
// journal, and the simulator's faults. It only reads, and asks the agent for nothing.
func (p *Panel) timeline(w http.ResponseWriter, r *http.Request) {
	known, err := p.look(r.Context())
	if err != nil {
		known.Trouble = err.Error()
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(known) //nolint:errcheck // the browser may have closed
}

// look collects what is available, and an error for what is not.
func (p *Panel) look(ctx context.Context) (answerTimeline, error) {
	known := answerTimeline{Orders: []story{}}
	journal, err := storage.OpenReader(p.o.Journal)
	if err == nil {
		defer journal.Close()
	} else if !errors.Is(err, fs.ErrNotExist) { // the agent creates it at its start
		return known, err
	}
	latest := func() (list []payterm.Order, err error) {
		if journal != nil {
			list, err = journal.Latest(maxCompared)
		}
		return list, err
	}
	before, err := latest()
	if err != nil {
		return known, err
	}
	ledger, simErr := p.simulated(ctx, &known)
	after, err := latest()
	if err != nil {
		return known, err
	}
	for _, o := range after[:min(len(after), maxStories)] {
		events, err := journal.Events(o.ID)
		if err != nil {
			return known, err
		}
		row, _ := rowOf(ledger, o.ID)
		known.Orders = append(known.Orders, storyOf(o, events, row))
	}
	if p.o.Gateway == "" || simErr != nil {
		return known, simErr
	}
	ledger = ledger[max(0, len(ledger)-maxCompared):]
	for _, row := range ledger { // older orders that the simulator has
		if journal == nil || slices.ContainsFunc(after, row.of) {
			continue
		}
		if o, found, err := journal.Order(row.ID); err != nil {
			return known, err
		} else if found {
			after = append(after, o)
		}
	}
	known.Books = compareAll(before, after, ledger)
	return known, nil
}

// simulated asks the simulator for its orders and faults.
func (p *Panel) simulated(ctx context.Context, known *answerTimeline) ([]ledgerRow, error) {
	if p.o.Gateway == "" {
		return nil, nil
	}
	var switched struct{ Faults []json.RawMessage }
	orders, err := p.ledger(ctx)
	err = errors.Join(err, p.fetch(ctx, "/sim/faults", &switched))
	known.Faults = switched.Faults
	return orders, err
}

// ledger asks the simulator for its orders, the newest last.
func (p *Panel) ledger(ctx context.Context) ([]ledgerRow, error) {
	var sim struct{ Orders []ledgerRow }
	err := p.fetch(ctx, "/sim/orders", &sim)
	return sim.Orders, err
}

// fetch reads one document of the simulator.
func (p *Panel) fetch(ctx context.Context, path string, into any) error {
	status, body, err := p.simulator(ctx, http.MethodGet, path, nil)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("simulator: %s: HTTP %d", path, status)
	}
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	return err
}

func (r ledgerRow) of(o payterm.Order) bool { return o.ID == r.ID }

func rowOf(ledger []ledgerRow, id payterm.OrderID) (ledgerRow, bool) {
	i := slices.IndexFunc(ledger, func(r ledgerRow) bool { return r.ID == id })
	if i < 0 {
		return ledgerRow{Status: unknown}, false
	}
	return ledger[i], true
}

// storyOf replays an order's events through the state machine, which shows again what it decided at each.
func storyOf(o payterm.Order, events []payterm.Journaled, row ledgerRow) story {
	t := story{ID: o.ID, Title: string(o.Kind), Total: money(o.Total().Minor, o.Currency), Outcome: o.Outcome,
		Reason: o.Reason, Moments: []moment{}}
	if o.Wallet != "" {
		t.Title += ", " + o.Wallet.Name()
	}
	if o.SaleID != "" {
		t.Title += " of " + string(o.SaleID)
	}
	var state order.Order
	for _, e := range events {
		m := moment{AtMS: e.Wall.Sub(events[0].Wall).Milliseconds(), Event: e.Event}
		if e.Boot == events[0].Boot {
			m.AtMS = (e.Mono - events[0].Mono).Milliseconds() // unaffected by changes of the clock
		}
		ev, err := order.DecodeEvent(e.Event, e.Body)
		if err != nil {
			m.Facts = "of a form that this version does not know"
			t.Moments = append(t.Moments, m)
			continue
		}
		before := state
		var commands []order.Command
		state, commands = order.Step(state, order.Stamped{Stamp: e.Stamp, Event: ev})
		m.Facts, m.Wire = happened(ev, o.Currency)
		m.Decided, m.Wire = decided(before, state, commands, m.Wire)
		m.sends, m.answers = sends(commands), answers(ev)
		t.Moments = append(t.Moments, m)
	}
	if len(events) > 0 {
		t.Moments = withSeen(t.Moments, row, events[0].Wall)
	}
	if n := len(t.Moments); n > maxMoments {
		const head = maxMoments / 3
		cut := n - maxMoments + 1
		t.Moments = slices.Replace(t.Moments, head, head+cut, moment{
			AtMS: t.Moments[head].AtMS, Event: "…", Facts: fmt.Sprintf("%d more: payterm journal show %s", cut, o.ID),
		})
	}
	return t
}

// withSeen inserts the requests that the simulator received. The journal's own order is kept, whatever the clocks
// say, and a request comes after the step that sent it and before its reply: the journal's times of day are cut to
// milliseconds, in which a simulator on the same machine has long answered.
func withSeen(moments []moment, row ledgerRow, began time.Time) []moment {
	var seen []moment
	for _, q := range row.Requests {
		seen = append(seen, moment{AtMS: q.At.Sub(began).Milliseconds(), Event: q.Action, Wire: "at the gateway",
			Gateway: true})
	}
	slices.SortStableFunc(seen, func(a, b moment) int { return cmp.Compare(a.AtMS, b.AtMS) })
	var all []moment
	sent := "" // the action of the request that is under way
	for _, m := range moments {
		for len(seen) > 0 && precedes(seen[0], m, sent) {
			if seen[0].Event == sent {
				sent = ""
			}
			all, seen = append(all, between(seen[0], all, m)), seen[1:]
		}
		switch {
		case m.sends != "":
			sent = m.sends
		case m.answers:
			sent = ""
		}
		all = append(all, m)
	}
	for _, q := range seen {
		all = append(all, between(q, all, q))
	}
	return all
}

// precedes reports whether a request came before a moment. sent is the action that is under way.
func precedes(q, m moment, sent string) bool {
	switch q.Event {
	case sent:
		return q.AtMS < m.AtMS || m.answers && q.AtMS <= m.AtMS+rounding
	case m.sends:
		return q.AtMS < m.AtMS-rounding
	}
	return q.AtMS < m.AtMS
}

// between gives a request a time between its neighbours if it was not so for rounding alone.
func between(q moment, before []moment, after moment) moment {
	if n := len(before); n > 0 && q.AtMS < before[n-1].AtMS && q.AtMS >= before[n-1].AtMS-rounding {
		q.AtMS = before[n-1].AtMS
	}
	if q.AtMS > after.AtMS && q.AtMS <= after.AtMS+rounding {
		q.AtMS = after.AtMS
	}
	return q
}

// rounding is by how many milliseconds the two sides' times of one moment may differ: the start is cut to one, and
// so is each difference.
const rounding = 2

func money(minor int64, c payterm.Currency) string {
	return payterm.Amount{Minor: minor, Currency: c}.String() + " " + string(c)
}

// happened describes an event, and names the message that it brought.
func happened(ev order.Event, c payterm.Currency) (facts, wire string) {
	switch ev := ev.(type) {
	case order.SaleBegan:
		facts = fmt.Sprintf("%s, %s", money(ev.AmountMinor+ev.TipMinor, c), ev.Mode)
		if ev.Despite != "" {
			facts += ", despite " + string(ev.Despite)
		}
	case order.RefundBegan:
		facts = fmt.Sprintf("%s of %s", money(ev.AmountMinor, c), ev.SaleID)
	case order.CodeScanned:
		facts = strings.TrimSpace(fmt.Sprintf("code %s %s", ev.Masked, ev.Wallet.Name()))
		if ev.Used {
			facts += ", used before"
		}
	case order.PaymentAnswered:
		return heard(ev.Reply.Answer, c)
	case order.InquiryAnswered:
		return heard(ev.Reply.Answer, c)
	case order.RefundAnswered:
		return heard(ev.Reply.Answer, c)
	case order.RefundOpened:
		facts = fmt.Sprintf("%s by %s", money(ev.AmountMinor, c), ev.ID)
	case order.RefundEnded:
		facts = "by " + string(ev.ID)
		if ev.RefundedMinor > 0 {
			facts = fmt.Sprintf("%s in all, %s", money(ev.RefundedMinor, c), facts)
		}
	case order.Resolved:
		facts = ev.Reason
	case order.CancelPressed, order.Woke, order.Restarted, order.InquiryAsked, order.ReprintAsked:
	}
	return facts, ""
}

// heard describes what a reply proved, and names its content.
func heard(a payterm.Answer, c payterm.Currency) (facts, wire string) {
	switch a := a.(type) {
	case payterm.Unsent:
		return a.Why, "not one byte went out"
	case payterm.Lost:
		return a.Why, "in: nothing that can be believed"
	case payterm.CodeMade:
		return "a code to show", "in: authentic reply, code_url"
	case payterm.Paid:
		return money(a.PaidMinor, c) + " paid", "in: authentic reply, " + a.Status
	case payterm.Refunded:
		return fmt.Sprintf("%s paid, %s given back", money(a.PaidMinor, c), money(a.RefundedMinor, c)),
			"in: authentic reply, " + a.Status
	case payterm.Pending:
		return "not final", "in: " + a.Status
	case payterm.Failed:
		return "final: not paid", "in: authentic reply, " + a.Status
	case payterm.Refused:
		return string(a.Reason), "in: outer code, no digest"
	case payterm.Rejected:
		return a.Why, "in: the request's form is refused"
	case payterm.Clash:
		return "the gateway knows this order id already", "in: outer code, no digest"
	case payterm.NotFound:
		return a.Why, "in: outer code, no digest"
	case payterm.Unclear:
		return a.Why, "in: a reply that settles nothing"
	}
	return "", ""
}

// decided describes a step: the new state of the order, and its commands. Requests that it sent are added to
// wire.
func decided(before, after order.Order, commands []order.Command, wire string) ([]string, string) {
	var list, out []string
	if after.Phase != before.Phase {
		list = append(list, phaseWords.Replace(after.Phase.String()))
	}
	if after.Outcome != before.Outcome && after.Outcome != payterm.Open {
		list = append(list, strings.TrimSuffix(spaced(string(after.Outcome))+": "+spaced(string(after.Reason)), ": "))
	}
	if after.Attention != before.Attention && after.Attention != "" {
		list = append(list, "to be decided: "+spaced(string(after.Attention)))
	}
	for _, c := range commands {
		if action, id := request(c); action != "" {
			out = append(out, "out: "+action+" "+string(id))
		}
		switch c := c.(type) {
		case order.Print:
			list = append(list, "print "+spaced(string(c.Slip)))
		case order.Play:
			list = append(list, "sound "+spaced(string(c.Sound)))
		default: // commands of the counter; an order has none of them
		}
	}
	if wire != "" {
		out = append([]string{wire}, out...)
	}
	return list, strings.Join(out, "; ")
}

// request is the action that a command sends, and about which order; empty if it sends none.
func request(c order.Command) (action string, id payterm.OrderID) {
	switch c := c.(type) {
	case order.SendPayment:
		if c.Payment.Mode == payterm.Active {
			return "ACTIVEPAY", c.Payment.OrderID
		}
		return "PASSIVEPAY", c.Payment.OrderID
	case order.SendRefund:
		return "REFUND", c.Refund.OrderID
	case order.Inquire:
		return "STATUS_QUERY", c.Inquiry.OrderID
	default: // the others send nothing to the gateway
		return "", ""
	}
}

// sends is the action of the request among a step's commands.
func sends(commands []order.Command) string {
	for _, c := range commands {
		if action, _ := request(c); action != "" {
			return action
		}
	}
	return ""
}

// answers reports whether an event is the end of a request.
func answers(ev order.Event) bool {
	switch ev.(type) {
	case order.PaymentAnswered, order.InquiryAnswered, order.RefundAnswered:
		return true
	}
	return false
}

// phaseWords replaces the names of phases by plain words.
var phaseWords = strings.NewReplacer(
	"Scanning", "wait for a scan", "Baselining", "ask how the sale stands", "Sending", "send once", "Redialling",
	"dial again", "ShowingCode", "show the code",
	"Waiting", "wait for the wallet", "Confirming", "ask before declining", "InBackground", "ask on in the background",
	"Trailing", "look out for a late payment",
	"Listed", "put on the list", "Closed", "closed",
)

func spaced(word string) string { return strings.ReplaceAll(word, "_", " ") }

// verdict is the result of comparing journal and simulator.
type verdict string

const (
	same    verdict = "same"
	open    verdict = "open" // the terminal still inquires
	differs verdict = "differs"
)

// pair is one sale on both sides, in words.
type pair struct {
	ID      payterm.OrderID `json:"order_id"`
	Journal string          `json:"journal"`
	Ledger  string          `json:"ledger"`
	Verdict verdict         `json:"verdict"`
	Why     string          `json:"why,omitempty"`
}

// books is the comparison of journal and simulator.
type books struct {
	Pairs  []pair          `json:"pairs"` // the newest, and all that differ
	Counts map[verdict]int `json:"counts"`
}

// compareAll compares the simulator's orders with the journal as it was before and after they were read. If an
// order agrees with one of these, a difference from the other only means that it is under way. Refunds are
// compared by their effect on the sale.
func compareAll(before, after []payterm.Order, ledger []ledgerRow) *books {
	b := &books{Pairs: []pair{}, Counts: map[verdict]int{}}
	add := func(p pair) {
		b.Counts[p.Verdict]++
		if len(b.Pairs) < maxStories || p.Verdict == differs {
			b.Pairs = append(b.Pairs, p)
		}
	}
	for _, row := range slices.Backward(ledger) {
		if !slices.ContainsFunc(after, row.of) {
			add(pair{row.ID, "not in the journal", row.words(""), differs, "the terminal does not know this order"})
		}
	}
	for _, o := range after {
		if o.Kind == payterm.KindRefund {
			continue
		}
		row, found := rowOf(ledger, o.ID)
		p := pair{ID: o.ID, Journal: rowWords(string(o.Outcome), o.PaidMinor, o.RefundedMinor, o.Currency),
			Ledger: "not in the ledger"}
		if found {
			p.Ledger = row.words(o.Currency)
		}
		if p.Verdict, p.Why = compare(o, row, refunding(after, o.ID)); p.Verdict == differs {
			was, why := open, "it has just begun"
			if i := slices.IndexFunc(before, func(b payterm.Order) bool { return b.ID == o.ID }); i >= 0 {
				was, why = compare(before[i], row, refunding(before, o.ID))
			}
			if was != differs {
				p.Verdict, p.Why = was, why
			}
		}
		add(p)
	}
	return b
}

// refunding reports whether a refund of a sale is not finished.
func refunding(orders []payterm.Order, sale payterm.OrderID) bool {
	return slices.ContainsFunc(orders, func(o payterm.Order) bool {
		return o.SaleID == sale && (o.Outcome == payterm.Open || o.Outcome == payterm.InDoubt)
	})
}

func (r ledgerRow) words(c payterm.Currency) string {
	return rowWords(r.Status, r.Paid, r.Refunded, c)
}

func rowWords(status string, paid, refunded int64, c payterm.Currency) string {
	words := spaced(status)
	if paid > 0 {
		words += ", paid " + strings.TrimSpace(money(paid, c))
	}
	if refunded > 0 {
		words += ", given back " + strings.TrimSpace(money(refunded, c))
	}
	return words
}

// compare compares one sale. A row with status unknown counts as missing. refunding means that a refund of the
// sale is not finished here.
func compare(o payterm.Order, row ledgerRow, refunding bool) (verdict, string) {
	unsettled := o.Outcome == payterm.Open || o.Outcome == payterm.InDoubt && o.ClosedAt.IsZero()
	switch {
	case row.Status == unknown && o.Outcome == payterm.Approved:
		return differs, "approved here, and the gateway has no such order"
	case row.Status == unknown && unsettled:
		return open, "the gateway has not made an order of it"
	case row.Status == unknown:
		return same, "no money on either side"
	case row.Amount != o.Total().Minor:
		return differs, "the totals are not the same"
	case unsettled && row.Paid > 0:
		return open, "paid there; the terminal has yet to learn it"
	case unsettled:
		return open, "not settled yet"
	case o.Outcome == payterm.Approved && row.Paid == 0:
		return differs, "approved here, not paid there"
	case o.Outcome != payterm.Approved && row.Paid > row.Refunded:
		return differs, "paid there, " + spaced(string(o.Outcome)) + " here"
	case o.Outcome == payterm.Approved && row.Paid != o.PaidMinor:
		return differs, "what was paid is not the same"
	case row.Refunded != o.RefundedMinor && refunding:
		return open, "a refund is not settled yet"
	case o.Outcome == payterm.Approved && row.Refunded != o.RefundedMinor:
		return differs, "what was given back is not the same"
	}
	return same, ""
}

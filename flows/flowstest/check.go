package flowstest

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
	"payterm/storage"
)

// Violation is a broken promise.
type Violation struct {
	Check string // a key of Checks
	Text  string
}

// Checks are the promises that the world checks, and what each says.
var Checks = map[string]string{
	"journal_first": "no payment leaves before the row that announces it is durable",
	"sent_once":     "the bytes of a payment are written at most once",
	"own_ids":       "no order id is begun twice, over lost and restored databases",
	"binding":       "the gateway sees the amount, wallet and mode of the order's row, and they never change",
	"one_code":      "a payment code goes out under one order",
	"proof_of_failure": "declined only on an authentic failure, or on a refusal that an answered inquiry did not " +
		"contradict",
	"proof_of_success": "approved only on an authentic success for this order with exactly the expected total",
	"nothing_sent":     "not_sent only if nobody can have paid",
	"nothing_lost":     "what was paid is approved, or on staff's list, an hour after the network is back",
	"refunds": "a refund is written once, is called done only if the ledger has it, and all of them stay " +
		"within the sale",
	"totals": "each final order is in exactly one Z, and all of them together are what the ledger has " +
		"taken and given back",
	"late_payment":    "a payment that came after the sale was given up is put before a person",
	"monotone":        "what is approved stays approved",
	"store_then_show": "screen and paper say what the journal already has",
	"double_press":    "a question about money is answered by no key within a second, nor by the one that led to it",
	"silent_second":   "no second sale of a total begins in silence while the first may be paid",
	"single_flight":   "one request at a time for one order",
	"boot":            "a start takes up its open orders, and shows no code from before",
	"idle_scan":       "a code that was scanned before the sale does not pay for it",
	"code_age":        "the bytes of a payment leave within a minute of the scan, or never",
	"asking": "an order is asked about every 3 seconds at most, whoever wants to know, and each that is " +
		"due in its turn",
	"code_shown": "no sale begins in Active Mode while nothing can show its code",
	"keys":       "one idempotency key, one order, one content; who is told that nothing began is told the truth",
	"callers":    "whoever asks over the socket is answered, by the time-out at the latest",
	"idle":       "what waits for an idle counter happens, whatever stands on the glass",
	"pruned":     "an order is dropped once the terminal has lived its retention, or by a clock that was right",
	"copies":     "every further print of a slip says COPY",
	"liveness":   "whatever is owed to the network is being asked about",
	"ways_out":   "each waiting screen says which order, how long, and how to leave",
	"secrets":    "no payment code and no key in the journal or the log",
	"journal":    "the journal holds exactly what was acknowledged, and its chain fits",
	"world":      "the world itself is sound",
}

// checker knows what the terminal has committed and what the world has seen.
type checker struct {
	s         *Sim
	found     []Violation
	book      map[payterm.OrderID]payterm.Order // committed rows
	begun     map[payterm.OrderID]bool          // over all runs and databases
	forgotten map[payterm.OrderID]bool          // their database was lost
	announced map[payterm.OrderID]bool
	written   map[payterm.OrderID]int // payments of which a byte was written
	beganAt   map[payterm.OrderID]time.Time
	codeSeen  map[payterm.OrderID]string // code_url shown on the glass
	inFlight  map[payterm.OrderID]int
	proofs    map[payterm.OrderID]proof
	codes     map[string]payterm.OrderID // payment code to order
	scannedAt map[string]time.Time
	lastCode  string
	lastKey   payterm.Key // that was pressed
	keyAt     time.Time
	question  questionAsked
	restored  bool
	byKey     map[string]payterm.OrderID
	doubtAt   map[payterm.OrderID]age
	givenUp   map[payterm.OrderID]bool // a till got "in doubt" while that could not be committed
	lastAsked map[payterm.OrderID]time.Time
	slips     map[string]int
	slipNow   string
	secretsOf []string
	zs        map[int64]payterm.Totals // as they were taken
	refunded  map[payterm.OrderID]int  // times that a refund's request began
	youngOpen map[payterm.OrderID]bool // young open orders of this start, not yet asked about

	configOf    map[payterm.OrderID]config    // under which it was begun
	wantedAt    map[payterm.OrderID]time.Time // when ENTER was pressed for it
	inquiredAt  map[payterm.OrderID]time.Time
	damaged     map[payterm.OrderID]bool // with an unreadable record
	inZ         map[payterm.OrderID]age  // since when it is in a Z
	pruned      map[payterm.OrderID]bool
	calls       int                  // on the socket
	callers     map[*caller]bool     // that wait
	callsOf     map[string][]*caller // by key
	fenced      map[string]bool      // a till was told that nothing began with this key, and nothing will
	refusedBy   map[string]int       // number of the last call that was told "nothing began", by key
	lived       time.Duration        // of the runs that have ended
	trouble     time.Time            // last failure of network or disk
	diskTrouble time.Time
	dirty       bool // something was committed since the last upkeep
}

func newChecker(s *Sim) checker {
	return checker{
		s: s, book: map[payterm.OrderID]payterm.Order{},
		givenUp: map[payterm.OrderID]bool{},
		begun:   map[payterm.OrderID]bool{}, forgotten: map[payterm.OrderID]bool{},
		announced: map[payterm.OrderID]bool{},
		written:   map[payterm.OrderID]int{}, beganAt: map[payterm.OrderID]time.Time{},
		codeSeen: map[payterm.OrderID]string{}, inFlight: map[payterm.OrderID]int{},
		proofs: map[payterm.OrderID]proof{}, codes: map[string]payterm.OrderID{}, scannedAt: map[string]time.Time{},
		doubtAt: map[payterm.OrderID]age{}, lastAsked: map[payterm.OrderID]time.Time{}, slips: map[string]int{},
		youngOpen: map[payterm.OrderID]bool{}, byKey: map[string]payterm.OrderID{}, refunded: map[payterm.OrderID]int{},
		zs:       map[int64]payterm.Totals{},
		configOf: map[payterm.OrderID]config{}, wantedAt: map[payterm.OrderID]time.Time{},
		inquiredAt: map[payterm.OrderID]time.Time{},
		damaged:    map[payterm.OrderID]bool{}, inZ: map[payterm.OrderID]age{}, pruned: map[payterm.OrderID]bool{},
		callers: map[*caller]bool{}, callsOf: map[string][]*caller{}, refusedBy: map[string]int{},
		fenced: map[string]bool{},
	}
}

// proof is what genuine replies have said of an order.
type proof struct {
	success, failure, refusal, confirmed bool
	paidTotal                            int64
}

// with adds a reply.
func (p proof) with(action string, r reported) proof {
	heard := r.code == "SUCCESS" || r.code == "PROCESSING"
	switch {
	case heard && r.row.Status == "success":
		p.success, p.paidTotal = true, r.row.Amount
	case heard && (r.row.Status == "failure" || r.row.Status == "orderclosed"):
		p.failure = true
	case action == "pay" && (r.code == "AUTH_CODE_INVALID" || r.code == "PWD_INCORRECT"):
		p.refusal = true
	case action == "query" && r.code == "ORDER_NOT_EXIST":
		p.confirmed = true // answered with neither success nor pending; an unknown word proves nothing
	}
	return p
}

// violate records a broken promise. The lock is held.
func (c *checker) violate(check, format string, args ...any) {
	v := Violation{check, fmt.Sprintf(format, args...)}
	c.s.tell("VIOLATION %s: %s", v.Check, v.Text)
	if c.s.c.OnViolation != nil {
		c.s.c.OnViolation(v)
	}
	if len(c.found) < 20 {
		c.found = append(c.found, v)
	}
}

// committed checks committed rows.
func (c *checker) committed(l *life, entries []payterm.Entry) {
	c.dirty = true
	for _, e := range entries {
		before, known := c.book[e.OrderID]
		after := e.Order
		c.s.tell("committed %s %s: %s %s%s", e.OrderID, e.Event, after.Outcome, after.Reason, mark(after.Attention))
		if e.Event == "sale_began" || e.Event == "refund_began" {
			c.began(l, e, known)
		}
		if known && (before.Total() != after.Total() || before.Mode != after.Mode || before.Wallet != "" &&
			before.Wallet != after.Wallet) {
			c.violate("binding", "%s was %s %s %s and became %s %s %s", e.OrderID, before.Mode, before.Wallet,
				before.Total(),
				after.Mode, after.Wallet, after.Total())
		}
		if known && before.Outcome == payterm.Approved && after.Outcome != payterm.Approved {
			c.violate("monotone", "%s was approved and became %s", e.OrderID, after.Outcome)
		}
		if e.Owes != payterm.OwedNothing {
			c.announced[e.OrderID] = true
		}
		if after.Outcome != before.Outcome {
			c.ended(e.OrderID, before, after)
		}
		if after.Attention == payterm.AttentionDoubt && before.Attention != after.Attention &&
			after.Reason != payterm.ReasonRefunded &&
			time.Since(c.beganAt[e.OrderID]) < codeLife(after) {
			c.violate("nothing_lost", "%s is handed to staff %s after it began, while it may still be paid", e.OrderID,
				time.Since(c.beganAt[e.OrderID]))
		}
		c.book[e.OrderID] = after
	}
}

func mark(a payterm.Attention) string {
	if a == "" {
		return ""
	}
	return " (" + string(a) + ")"
}

// began checks an order that begins.
func (c *checker) began(l *life, e payterm.Entry, known bool) {
	if known || c.begun[e.OrderID] {
		c.violate("own_ids", "%s was begun a second time", e.OrderID)
	}
	c.begun[e.OrderID] = true
	c.configOf[e.OrderID] = l.config
	c.keyBegan(e.Order)
	active := e.Order.Kind == payterm.KindSale && e.Order.Mode == payterm.Active
	if paper := l.view.Status.Paper; active && !paper.Prints() {
		c.violate("code_shown", "%s begins in Active Mode, and the terminal knows of its printer: %s", e.OrderID, paper)
	}
	if before := c.book[e.Order.Despite]; e.Order.Despite != "" && before.Outcome == payterm.Approved {
		c.violate("silent_second", "%s begins despite %s, which is paid", e.OrderID, e.Order.Despite)
	}
	c.lastAsked[e.OrderID], c.beganAt[e.OrderID] = time.Now(), time.Now()
	mono, _ := l.clock.Now()
	c.wantedAt[e.OrderID] = time.Now().Add(e.Stamp.Mono - mono) // before the slow commit
	if e.Order.Despite == "" && e.Order.Kind == payterm.KindSale {
		for _, id := range sortedIDs(c.book) {
			o := c.book[id]
			if c.forgotten[id] || o.Kind != payterm.KindSale || o.Total() != e.Order.Total() || id == e.OrderID ||
				o.Resolution != "" {
				continue
			}
			lived := c.s.livedNow() - c.doubtAt[id].lived
			switch {
			case c.damaged[id] && c.announced[id] && (o.Outcome == payterm.Open || o.Outcome == payterm.InDoubt) &&
				o.Reason != payterm.ReasonRefunded:
				c.violate("silent_second", "%s of %s begins while %s is set aside", e.OrderID, e.Order.Total(), id)
			case o.Mode == payterm.Passive && o.Outcome == payterm.InDoubt && o.Reason != payterm.ReasonRefunded &&
				lived < guardLimit:
				c.violate("silent_second", "%s of %s begins while %s is in doubt, %s of which the terminal has lived",
					e.OrderID, e.Order.Total(), id, lived)
			case o.Mode == payterm.Active && o.Outcome == payterm.Open && l.view.Name == counter.ViewShowCode &&
				l.view.Order == id:
				c.violate("silent_second", "%s of %s begins while the code of %s is on show", e.OrderID,
					e.Order.Total(), id)
			}
		}
	}
	c.askedSoon(l)
}

// guardLimit is the shortest guard of a doubt (invariant 8), minus a second.
const guardLimit = 5*time.Minute - time.Second

// askedSoon: before the first new sale of a run, or within ten seconds, all young open orders
// have been asked about (invariant 10).
func (c *checker) askedSoon(l *life) {
	waiting := c.youngOpen
	c.youngOpen = map[payterm.OrderID]bool{}
	if len(waiting) == 0 {
		return
	}
	go func() {
		t := time.NewTimer(10 * time.Second)
		defer t.Stop()
		select {
		case <-t.C:
		case <-l.ctx.Done():
			return
		}
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		for _, id := range sortedIDs(waiting) {
			if c.book[id].Resolution == "" && c.asked(id).Before(l.began) &&
				!c.s.net.cut.After(time.Now().Add(-time.Minute)) {
				c.violate("boot", "%s was open at the start and nobody has asked about it", id)
			}
		}
	}()
}

// booted records what a start finds open.
func (c *checker) booted(l *life, open []storage.OpenOrder) {
	c.youngOpen = map[payterm.OrderID]bool{}
	for i := len(open) - 1; i >= 0 && len(c.youngOpen) < 20; i-- {
		id := open[i].ID
		o := c.book[id]
		if !c.announced[id] || o.Outcome != payterm.Open && o.Outcome != payterm.InDoubt || c.damaged[id] &&
			o.Kind == payterm.KindRefund {
			continue
		}
		if time.Since(c.beganAt[id]) < 14*time.Minute && o.Attention == "" {
			c.youngOpen[id] = true
		}
	}
	for id, o := range c.book {
		if c.forgotten[id] || o.Outcome != payterm.Open {
			continue
		}
		found := false
		for _, one := range open {
			found = found || one.ID == id
		}
		if !found {
			c.violate("journal", "%s is open and the start does not find it", id)
		}
	}
}

// ended checks an order that has an outcome.
func (c *checker) ended(id payterm.OrderID, before, after payterm.Order) {
	p := c.proofs[id]
	if after.Outcome == payterm.InDoubt {
		c.doubtAt[id] = c.s.stampAge()
	}
	if after.Kind == payterm.KindRefund {
		c.refundEnded(id, after)
		return
	}
	switch after.Outcome {
	case payterm.Approved:
		row := c.s.row(id)
		if !p.success || p.paidTotal != after.Total().Minor || after.PaidMinor != row.Paid || row.Paid == 0 {
			c.violate("proof_of_success",
				"%s is called approved over %d; the gateway has said success: %t, its ledger: %s, paid %d",
				id, after.PaidMinor, p.success, row.Status, row.Paid)
		}
		asks, want := !c.s.c.KeepLate, payterm.AttentionLatePayment
		// it had ended unpaid or was set aside: staff has to check it in any case
		if !before.ClosedAt.IsZero() && before.Outcome != payterm.InDoubt || c.damaged[id] {
			asks, want = true, payterm.AttentionAlarm
		}
		unexpected := before.Outcome != payterm.Open && before.Outcome != "" || c.givenUp[id]
		if unexpected && (after.Reason != payterm.ReasonLatePayment ||
			asks && after.Attention != want) {
			c.violate("late_payment", "%s was %s and is approved as if nothing had happened", id, before.Outcome)
		}
	case payterm.Declined:
		if !p.failure && (!p.refusal || !p.confirmed) {
			c.violate("proof_of_failure", "%s is called declined (%s); nobody has said so", id, after.Reason)
		}
	case payterm.Cancelled:
		if c.announced[id] || c.written[id] > 0 {
			c.violate("proof_of_failure", "%s is called cancelled after it was announced", id)
		}
	case payterm.NotSent:
		if c.codeSeen[id] != "" {
			c.violate("nothing_sent", "%s is called not sent (%s) and its code was on show", id, after.Reason)
		}
		if after.Mode == payterm.Passive && c.written[id] > 0 && after.Reason != payterm.ReasonRejected {
			c.violate("nothing_sent", "%s is called not sent (%s) and bytes of it were written", id, after.Reason)
		}
	case payterm.Open, payterm.InDoubt:
	}
}

// asked is when an order was last asked about; for a refund, its sale.
func (c *checker) asked(id payterm.OrderID) time.Time {
	at, of := c.lastAsked[id], c.lastAsked[c.book[id].SaleID]
	if of.After(at) {
		return of
	}
	return at
}

// refunding checks a refund that is sent.
func (c *checker) refunding(r payterm.RefundRequest) {
	if !c.announced[r.OrderID] {
		c.violate("journal_first", "the refund %s leaves before its row", r.OrderID)
	}
	row := c.book[r.OrderID]
	if row.SaleID != r.SaleOrderID || row.Amount() != r.Amount {
		c.violate("binding", "the refund %s goes out as %s of %s, its row says %s of %s", r.OrderID, r.Amount,
			r.SaleOrderID, row.Amount(), row.SaleID)
	}
	c.refunded[r.OrderID]++
}

// refundEnded checks a refund that has an outcome.
func (c *checker) refundEnded(id payterm.OrderID, after payterm.Order) {
	row := c.s.row(after.SaleID)
	switch after.Outcome {
	case payterm.Approved:
		sum := after.RefundedMinor
		for other, o := range c.book {
			if o.Kind == payterm.KindRefund && o.SaleID == after.SaleID && o.Outcome == payterm.Approved &&
				other != id {
				sum += o.RefundedMinor
			}
		}
		if sum > row.Refunded {
			c.violate("refunds", "with %s refunds of %d are called done; the ledger has given back %d of %s", id, sum,
				row.Refunded, after.SaleID)
		}
		if row.Refunded < after.AmountMinor || after.RefundedMinor != after.AmountMinor {
			c.violate("refunds", "%s is called done over %d; the ledger has given back %d of %s", id,
				after.RefundedMinor, row.Refunded, after.SaleID)
		}
	case payterm.Cancelled:
		if c.announced[id] {
			c.violate("refunds", "%s is called cancelled after it was announced", id)
		}
	case payterm.NotSent:
		if c.written[id] > 0 && after.Reason != payterm.ReasonRejected {
			c.violate("refunds", "%s is called not sent (%s) and bytes of it were written", id, after.Reason)
		}
	case payterm.Open, payterm.InDoubt, payterm.Declined:
	}
}

// checkRequest checks a request that begins.
func (c *checker) checkRequest(r requested, p *payterm.Payment) {
	l, id := r.l, r.id
	c.inFlight[id]++
	if c.inFlight[id] > 1 {
		c.violate("single_flight", "%d requests for %s are under way", c.inFlight[id], id)
	}
	c.lastAsked[id] = time.Now()
	c.s.tell("%s of %s leaves", r.action, id)
	if began := c.configOf[r.about]; began != l.config && !c.forgotten[r.about] {
		c.violate("binding", "%s of %s, an order of %s, goes to %s", r.action, r.about, began, l.config)
	}
	if r.action == "query" {
		if before, any := c.inquiredAt[id]; any && time.Since(before) < askingFloor {
			c.violate("asking", "%s is asked about %s after the last time", id, time.Since(before))
		}
		c.inquiredAt[id] = time.Now()
	}
	if p == nil {
		return
	}
	if !c.announced[id] {
		c.violate("journal_first", "the payment of %s leaves before its row", id)
	}
	if o := c.book[id]; o.Total() != p.Total || o.Mode != p.Mode || o.Wallet != p.Wallet {
		c.violate("binding", "%s goes out as %s %s %s, its row says %s %s %s", id, p.Mode, p.Wallet, p.Total, o.Mode,
			o.Wallet, o.Total())
	}
	if p.Mode != payterm.Passive {
		return
	}
	code := p.Code.Reveal()
	if other, used := c.codes[code]; used && other != id && !c.forgotten[other] && !c.pruned[other] {
		c.violate("one_code", "the code of %s goes out for %s again", other, id)
	}
	c.codes[code] = id
	if at, scanned := c.scannedAt[code]; !scanned || at.Before(l.began) || at.Before(c.wantedAt[id]) {
		c.violate("idle_scan", "%s pays with a code that was scanned before the sale", id)
	}
}

// askingFloor is the least time between two inquiries about an order (invariant 9).
const askingFloor = 3 * time.Second

// wrotePayment records the first byte of a payment.
func (c *checker) wrotePayment(req *requested) {
	c.written[req.id]++
	if c.written[req.id] > 1 {
		check := map[string]string{"pay": "sent_once", "refund": "refunds"}[req.action]
		c.violate(check, "the %s of %s is written %d times", req.action, req.id, c.written[req.id])
	}
	if at, scanned := c.scannedAt[req.code]; req.code != "" && scanned && time.Since(at) > time.Minute {
		c.violate("code_age", "%s is written %s after its code was scanned", req.id, time.Since(at))
	}
}

// questionAsked is one about money that is on the glass.
type questionAsked struct {
	led   payterm.Key // the last key before it
	since time.Time
}

// pressed notes a key of the cashier's.
func (s *Sim) pressed(k payterm.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastKey, s.keyAt = k, time.Now()
}

// checkAnswer looks at who has answered a question. A view that follows for another reason, as
// where the order in doubt turns out paid, is none of those that a yes leads to.
func (c *checker) checkAnswer(before, after counter.ViewName) {
	asks := func(name counter.ViewName) bool { return name == counter.ViewWarning || name == counter.ViewSure }
	if asks(after) && !asks(before) {
		c.question = questionAsked{c.lastKey, time.Now()}
	}
	if !asks(before) {
		return
	}
	switch after {
	case counter.ViewPIN, counter.ViewNumber, counter.ViewSending, counter.ViewRefunding, counter.ViewLooking:
		if stood := c.keyAt.Sub(c.question.since); c.lastKey == c.question.led || stood < time.Second {
			c.violate("double_press", "%s was led to by %s and answered by %s, %s later", before, c.question.led, c.lastKey,
				stood)
		}
	}
}

// checkView checks what the glass is going to show.
func (c *checker) checkView(l *life, v counter.View) {
	c.checkAnswer(l.view.Name, v.Name)
	if v.Name != l.view.Name {
		l.viewAt = time.Now()
	}
	if still := v; v.Name != l.view.Name || v.Order != l.view.Order || v.Hint != l.view.Hint {
		still.Elapsed, still.Left = 0, 0
		c.s.tell("shows %s", describeView(still))
	}
	l.view = v
	row, durable := c.book[v.Order]
	outcome := map[counter.ViewName]payterm.Outcome{
		counter.ViewApproved: payterm.Approved, counter.ViewLate: payterm.Approved,
		counter.ViewDeclined: payterm.Declined, counter.ViewInDoubt: payterm.InDoubt,
		counter.ViewCancelled: payterm.Cancelled, counter.ViewNotSent: payterm.NotSent,
	}[v.Name]
	if outcome != "" && row.Outcome != outcome {
		c.violate("store_then_show", "the screen says %s of %s, the journal says %q", v.Name, v.Order, row.Outcome)
	}
	switch v.Name {
	case counter.ViewShowCode:
		if !strings.Contains(string(v.Order), l.store.BootTag()) {
			c.violate("boot", "the code of %s, of an earlier start, is on show", v.Order)
		}
		if c.book[v.Order].Outcome != payterm.Open || !durable {
			c.violate("store_then_show", "the code of %s is on show, the journal says %q", v.Order, row.Outcome)
		}
		if want := c.s.row(v.Order).CodeURL; v.CodeURL != want || v.CodeURL == "" {
			c.violate("binding", "%s shows %q, its code is %q", v.Order, v.CodeURL, want)
		}
		c.codeSeen[v.Order] = v.CodeURL
	case counter.ViewScan, counter.ViewSending, counter.ViewWaiting:
		if v.Order == "" {
			return // the order is about to begin
		}
	default:
		return
	}
	if v.Order == "" || v.Total.Minor == 0 {
		c.violate("ways_out", "%s says neither which order nor how much", v.Name)
	}
}

// checkWords checks that a waiting screen says what, how long and how to leave (invariant 17).
func (c *checker) checkWords(sc payterm.Screen) {
	switch counter.ViewName(sc.Name) {
	case counter.ViewScan, counter.ViewShowCode, counter.ViewWaiting:
		cancel := false
		for _, k := range sc.Keys {
			cancel = cancel || k.Key == payterm.KeyCancel
		}
		words := strings.Join(sc.Lines, " ")
		if sc.Small == "" || sc.Elapsed == "" || !cancel && !strings.Contains(words, "CANCEL") &&
			sc.Name != string(counter.ViewWaiting) {
			c.violate("ways_out", "%s: order %q, elapsed %q, keys %v", sc.Name, sc.Small, sc.Elapsed, sc.Keys)
		}
	}
}

// checkSlip checks a slip before it is printed.
func (c *checker) checkSlip(slip order.Slip, o payterm.Order) {
	name := string(slip) + " of " + string(o.ID)
	row := c.book[o.ID]
	fits := row.Outcome == payterm.Approved
	switch slip {
	case order.SlipInDoubt:
		fits = row.Outcome == payterm.InDoubt && row.Kind == payterm.KindSale && row.Mode == payterm.Passive
	case order.SlipResolved:
		// It follows an "in doubt" slip that was counted, whether a crash kept that from being
		// printed or not; a late payment has a merchant's slip as well.
		counted := 2
		if row.Outcome == payterm.Approved {
			counted = 3
		}
		fits = (fits || row.Outcome == payterm.Declined || row.Outcome == payterm.NotSent) && row.Prints >= counted
	case order.SlipMerchant, order.SlipCustomer, order.SlipLatePayment, order.SlipRefund, order.SlipRefundCustomer:
	}
	if !fits {
		c.violate("store_then_show", "a %s slip of %s, the journal says %q after %d slips", slip, o.ID, row.Outcome,
			row.Prints)
	}
	c.slipNow = name
}

// checkPaper checks a printed slip.
func (c *checker) checkPaper(r payterm.Receipt) {
	says := slices.ContainsFunc(r.Lines, func(l payterm.ReceiptLine) bool { return l.Text == "COPY" })
	if c.slips[c.slipNow] > 0 && !says {
		c.violate("copies", "the %s is printed for the second time and does not say so", c.slipNow)
	}
	c.slips[c.slipNow]++
	c.s.tell("prints the slip %s", c.slipNow)
}

// forget records that the database is another one, and what was pruned from that.
func (c *checker) forget(book map[payterm.OrderID]payterm.Order, pruned map[payterm.OrderID]bool) {
	c.pruned = maps.Clone(pruned)
	for id := range c.begun {
		if _, kept := book[id]; !kept {
			c.forgotten[id] = true
		}
	}
	for id, o := range c.book {
		if kept, ok := book[id]; ok && kept != o {
			c.forgotten[id] = kept.Outcome != payterm.Open && kept.Outcome != payterm.InDoubt
		}
	}
	for key, id := range c.byKey {
		if _, kept := book[id]; !kept {
			delete(c.byKey, key)
		}
	}
	for id, o := range book {
		if o.IdempotencyKey != "" {
			c.byKey[o.IdempotencyKey] = id
		}
	}
	c.fenced = map[string]bool{} // the promises were in the other one
	c.restored = true            // refunds made since then are in no database
	c.slips = map[string]int{}   // this database does not know what was printed since
	fresh := map[payterm.OrderID]payterm.Order{}
	for id, o := range book {
		fresh[id] = o
	}
	c.book = fresh
}

// codeLife is how long after its announcement an order can be paid, at most.
func codeLife(o payterm.Order) time.Duration {
	if o.Mode == payterm.Active {
		return order.DefaultRules().ActiveCodeLife
	}
	return order.DefaultRules().PassiveCodeLife
}

// same compares rows; times are compared as moments.
func same(a, b payterm.Order) bool {
	created, closed := a.CreatedAt.Equal(b.CreatedAt), a.ClosedAt.Equal(b.ClosedAt)
	a.CreatedAt, a.ClosedAt, b.CreatedAt, b.ClosedAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	return a == b && created && closed
}

// finalChecks compares journal and ledger an hour after the network is back.
func (c *checker) finalChecks(l *life) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	rows, err := l.store.Orders()
	if err != nil {
		return err
	}
	if _, err := l.store.Verify(l.ctx); err != nil {
		c.violate("journal", "%v", err)
	}
	queue, err := l.store.Queue()
	if err != nil {
		return err
	}
	owed := map[payterm.OrderID]bool{}
	for _, q := range queue {
		owed[q.OrderID] = true
	}
	seen := map[payterm.OrderID]bool{}
	for _, o := range rows {
		seen[o.ID] = true
		kept := c.book[o.ID]
		kept.Attempts, o.Attempts = 0, 0 // not facts
		if !same(kept, o) {
			c.violate("journal", "the journal has %+v, acknowledged was %+v", o, kept)
		}
	}
	for _, id := range sortedIDs(c.book) {
		if !seen[id] && !c.pruned[id] {
			c.violate("journal", "%s was acknowledged and is not in the journal", id)
		}
	}
	ledger := c.s.ledger()
	for _, id := range sortedIDs(ledger) {
		row := ledger[id]
		o, known := c.book[id]
		if c.forgotten[id] || id == "" {
			continue
		}
		if !known {
			c.violate("journal_first", "the gateway has seen %s, the journal has not", id)
			continue
		}
		if row.Status != "unknown" && (row.Amount != o.Total().Minor || row.Mode != string(o.Mode) ||
			row.BizType != string(o.Wallet)) {
			c.violate("binding", "%s is %s %s %d at the gateway, %s %s %s here", id, row.Mode, row.BizType, row.Amount,
				o.Mode, o.Wallet, o.Total())
		}
		if row.Paid > 0 && o.Kind == payterm.KindSale && o.Outcome != payterm.Approved && o.Attention == "" &&
			o.Resolution == "" && o.Reason != payterm.ReasonRefunded {
			c.violate("nothing_lost", "%s is paid at the gateway and %s (%s) here", id, o.Outcome, o.Reason)
		}
	}
	back := map[payterm.OrderID]int64{} // refunded total of the approved refunds, by sale
	doubts := map[payterm.OrderID]bool{}
	for _, id := range sortedIDs(c.book) {
		c.settled(l, c.book[id], ledger[id], owed[id])
		if o := c.book[id]; o.Kind == payterm.KindRefund {
			back[o.SaleID] += o.RefundedMinor
			doubts[o.SaleID] = doubts[o.SaleID] || o.Outcome == payterm.InDoubt
		}
	}
	for _, id := range sortedIDs(ledger) {
		row := ledger[id]
		if row.Refunded > row.Paid {
			c.violate("refunds", "%d of %s went back, %d was paid", row.Refunded, id, row.Paid)
		}
		if !c.restored && !c.forgotten[id] && back[id] != row.Refunded && !doubts[id] {
			c.violate("refunds", "%d of %s went back at the gateway, %d here", row.Refunded, id, back[id])
		}
	}
	for one := range c.callers {
		c.late(one)
		if one.life == l && one.wish.dies == 0 && time.Since(one.since) > callerLimit {
			c.violate("callers", "who asked for %s %q is not answered", one.wish.says(), one.wish.key)
		}
	}
	return c.totals(l, ledger)
}

// totals adds up all Zs and what is in none yet, by merchant and currency. A Z must still be as
// it was taken.
func (c *checker) totals(l *life, ledger map[payterm.OrderID]ledgerRow) error {
	if c.restored {
		return nil // two databases have counted
	}
	said, want := map[payterm.TotalsRow]*payterm.TotalsRow{}, map[payterm.TotalsRow]*payterm.TotalsRow{}
	of := func(sums map[payterm.TotalsRow]*payterm.TotalsRow, merchantID string,
		currency payterm.Currency) *payterm.TotalsRow {
		key := payterm.TotalsRow{MerchantID: merchantID, Currency: currency}
		if sums[key] == nil {
			sums[key] = &key
		}
		return sums[key]
	}
	in := map[payterm.OrderID]int{}
	x, err := l.store.Totals(0)
	if err != nil {
		return err
	}
	for n := int64(0); n < x.Number; n++ {
		t, err := l.store.Totals(n)
		if err != nil {
			return err
		}
		if was, taken := c.zs[n]; taken {
			now := t
			now.EndedIn = nil
			if !reflect.DeepEqual(was, now) {
				c.violate("totals", "Z %d said %+v and says %+v", n, was, now)
			}
		}
		rows, err := l.store.InZ(n)
		if err != nil {
			return err
		}
		for _, o := range rows {
			in[o.ID]++
		}
		for _, z := range t.Sums() {
			sum := of(said, z.MerchantID, z.Currency)
			sum.AmountMinor += z.AmountMinor
			sum.TipMinor += z.TipMinor
			sum.RefundCount += z.RefundCount
			sum.RefundedMinor += z.RefundedMinor
			sum.Count += z.Count
		}
	}
	for _, id := range sortedIDs(c.book) {
		o := c.book[id]
		if in[id] != 1 && !c.forgotten[id] && !c.pruned[id] {
			c.violate("totals", "%s stands in %d Zs", id, in[id])
		}
		if o.Outcome != payterm.Approved {
			continue
		}
		sum := of(want, o.MerchantID, o.Currency)
		if o.Kind == payterm.KindSale {
			sum.AmountMinor += ledger[id].Paid - o.TipMinor
			sum.TipMinor += o.TipMinor
			sum.Count++
		} else {
			sum.RefundedMinor += o.AmountMinor
			sum.RefundCount++
		}
	}
	if !reflect.DeepEqual(said, want) {
		list := func(sums map[payterm.TotalsRow]*payterm.TotalsRow) (list []string) {
			for _, sum := range sums {
				list = append(list, fmt.Sprintf("%+v", *sum))
			}
			slices.Sort(list)
			return list
		}
		c.violate("totals", "all Zs say %s; in the ledger are %s", list(said), list(want))
	}
	return nil
}

// settled checks one order at the end.
func (c *checker) settled(l *life, o payterm.Order, row ledgerRow, owed bool) {
	switch {
	case c.pruned[o.ID]:
	case c.damaged[o.ID] && o.Kind == payterm.KindRefund: // until staff decides on it
	case o.Outcome == payterm.Open && !c.damaged[o.ID]:
		c.violate("liveness", "%s is still open", o.ID)
	case o.Outcome == payterm.InDoubt && o.Attention == "" && o.Resolution == "" && !owed:
		c.violate("liveness", "%s is in doubt and nobody is owed an answer", o.ID)
	case owed && c.asked(o.ID).Before(time.Now().Add(-7*time.Minute)) && time.Since(l.began) > 8*time.Minute:
		c.violate("liveness", "%s is owed an inquiry, the last was %s ago", o.ID, time.Since(c.asked(o.ID)))
	case o.Kind == payterm.KindSale && o.Outcome == payterm.InDoubt &&
		(row.Status == "success" || row.Status == "failure" || c.proofs[o.ID].failure) &&
		o.Attention == "" && o.Resolution == "":
		c.violate("liveness", "%s is %s at the gateway and still in doubt here", o.ID, row.Status)
	}
}

// checkSecrets reads the files that the terminal wrote.
func (c *checker) checkSecrets() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	left := map[string][]byte{"the log": c.s.logged.Bytes()}
	for _, name := range []string{journalFile, journalFile + "-wal"} {
		if b, err := os.ReadFile(filepath.Join(c.s.dir, name)); err == nil {
			left[name] = b
		}
	}
	for _, where := range []string{"the log", journalFile, journalFile + "-wal"} {
		for _, secret := range c.secretsOf {
			if bytes.Contains(left[where], []byte(secret)) {
				c.violate("secrets", "%s holds ****%s", where, secret[len(secret)-4:])
			}
		}
	}
}

package flowstest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
	"payterm/flows/runner"
)

// wish is a till's request on the socket: a sale, or a refund of a sale.
type wish struct {
	key      string
	merchant string // the till's
	sale     order.SaleBegan
	refund   order.RefundBegan // a refund if it has a SaleID
	dies     time.Duration     // the till ends this long after it asked; 0 for never
}

// says is the content, for comparison.
func (w wish) says() string {
	if w.refund.SaleID == "" {
		return fmt.Sprintf("%s of %d and %d %s for %s", w.sale.Mode, w.sale.AmountMinor, w.sale.TipMinor,
			w.sale.Currency, w.merchant)
	}
	if w.refund.AmountMinor == 0 {
		return fmt.Sprintf("all of %s for %s", w.refund.SaleID, w.merchant)
	}
	return fmt.Sprintf("%d of %s for %s", w.refund.AmountMinor, w.refund.SaleID, w.merchant)
}

// fits reports whether an order is what was asked for.
func (w wish) fits(o payterm.Order) bool {
	if o.MerchantID != w.merchant {
		return false
	}
	if w.refund.SaleID != "" {
		all := w.refund.AmountMinor == 0
		return o.Kind == payterm.KindRefund && o.SaleID == w.refund.SaleID &&
			(all && o.Whole || !all && w.refund.AmountMinor == o.AmountMinor)
	}
	return o.Kind == payterm.KindSale && o.Mode == w.sale.Mode && o.AmountMinor == w.sale.AmountMinor &&
		o.TipMinor == w.sale.TipMinor &&
		o.Currency == w.sale.Currency && (w.sale.Wallet == "" || o.Wallet == "" || o.Wallet == w.sale.Wallet)
}

// minor parses an amount by its digits: 12.34 and 1234 are the same keys.
func minor(amount string) (int64, error) {
	var n int64
	if _, err := fmt.Sscan(strings.ReplaceAll(amount, ".", ""), &n); err != nil {
		return 0, fmt.Errorf("amount %q: %w", amount, err)
	}
	return n, nil
}

// options parses what follows a till's request: a tip, despite, dies 3s.
func (w wish) options(s *Sim, words []string) (wish, error) {
	var err error
	for i := 0; i < len(words) && err == nil; i++ {
		switch {
		case words[i] == "despite":
			w.sale.Despite = s.doubtOf(w.sale)
		case words[i] == "dies" && i+1 < len(words):
			i++
			w.dies, err = time.ParseDuration(words[i])
		default:
			w.sale.TipMinor, err = minor(words[i])
		}
	}
	return w, err
}

// doubtOf is an order that a sale of this total would be warned of, if any.
func (s *Sim) doubtOf(sale order.SaleBegan) payterm.OrderID {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range slices.Backward(sortedIDs(s.book)) {
		if o := s.book[id]; o.Outcome == payterm.InDoubt && o.Total().Minor == sale.AmountMinor+sale.TipMinor {
			return id
		}
	}
	return ""
}

// api is a till that asks for a sale.
func (s *Sim) api(words []string) error {
	if len(words) < 3 {
		return fmt.Errorf("api MODE AMOUNT KEY")
	}
	amount, err := minor(words[1])
	if err != nil {
		return err
	}
	l := s.alive()
	if l == nil {
		return nil
	}
	w := wish{key: words[2], sale: order.SaleBegan{Mode: payterm.Mode(words[0]), AmountMinor: amount,
		Currency: l.config.currency, IdempotencyKey: words[2]}}
	if w.sale.Mode == payterm.Active {
		w.sale.Wallet = payterm.Alipay
	}
	if w, err = w.options(s, words[3:]); err != nil {
		return err
	}
	s.asks(l, w)
	return nil
}

// refund refunds the latest sale that was paid; with a key, a till asks for it. With a PIN the
// supervisor types it.
func (s *Sim) refund(words []string) error {
	s.mu.Lock()
	var sale payterm.OrderID
	latest := time.Time{}
	for _, id := range sortedIDs(s.book) {
		if o := s.book[id]; o.Kind == payterm.KindSale && o.Outcome == payterm.Approved && s.beganAt[id].After(latest) {
			sale, latest = id, s.beganAt[id]
		}
	}
	s.mu.Unlock()
	l := s.alive()
	if l == nil || sale == "" {
		return nil
	}
	w := wish{refund: order.RefundBegan{SaleID: sale}}
	if len(words) > 0 && words[0] != "all" {
		amount, err := minor(words[0])
		if err != nil {
			return err
		}
		w.refund.AmountMinor = amount
	}
	if len(words) > 1 {
		w.key, w.refund.IdempotencyKey = words[1], words[1]
		var err error
		if w, err = w.options(s, words[2:]); err != nil {
			return err
		}
	}
	s.asks(l, w)
	return nil
}

// retry is a till that repeats a request under its key, or sends another amount under the same
// key.
func (s *Sim) retry(words []string) error {
	if len(words) < 1 {
		return fmt.Errorf("retry KEY")
	}
	s.mu.Lock()
	w, known := s.wishes[words[0]]
	s.mu.Unlock()
	l := s.alive()
	if l == nil || !known {
		return nil
	}
	w.dies = 0
	if len(words) > 1 && words[1] != "dies" {
		amount, err := minor(words[1])
		if err != nil {
			return err
		}
		if w.sale.AmountMinor = amount; w.refund.SaleID != "" {
			w.refund.AmountMinor, w.sale.AmountMinor = amount, 0
		}
		words = words[1:]
	}
	w, err := w.options(s, words[1:])
	if err != nil {
		return err
	}
	s.asks(l, w)
	return nil
}

// settle is a till that lost its answer and asks what became of its request.
func (s *Sim) settle(words []string) error {
	if len(words) != 1 {
		return fmt.Errorf("settle KEY")
	}
	l := s.alive()
	if l == nil {
		return nil
	}
	var told runner.Settlement
	var err error
	s.waitsFor(l, pollLimit, func(ctx context.Context) {
		told, err = l.runner.Settle(ctx, payterm.IdempotencyKey(words[0]), "till")
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil && !l.dead {
		s.learned(words[0], told)
	}
	return nil
}

// learned checks what a till was told. The lock is held.
func (c *checker) learned(key string, told runner.Settlement) {
	has := c.byKey[key]
	c.s.tell("a till is told of %s: never began %t, %s %s", key, told.NeverBegan, told.Order.ID, told.Order.Outcome)
	switch {
	case told.NeverBegan && has != "":
		c.violate("keys", "the key %s has the order %s, and a till is told that nothing began", key, has)
	case told.NeverBegan:
		c.fenced[key] = true
	case told.Order.ID != "" && told.Order.ID != has:
		c.violate("keys", "the key %s has the order %q, and a till is told of %s", key, has, told.Order.ID)
	}
}

// asks makes a till's call and checks its result. A customer with a code and a supervisor with a
// PIN come if they are needed.
func (s *Sim) asks(l *life, w wish) {
	ctx, cancel := context.WithTimeout(l.ctx, w.patience())
	defer cancel()
	if w.refund.SaleID != "" || w.sale.Despite != "" {
		go s.supervisor()
	}
	if w.refund.SaleID == "" {
		go s.customer()
	}
	s.mu.Lock()
	w.merchant = l.config.merchant
	if _, known := s.wishes[w.key]; w.key != "" && !known {
		s.wishes[w.key] = w
	}
	c := s.called(l, w)
	s.mu.Unlock()
	var res runner.SaleResult
	var err error
	var began payterm.OrderID
	tell := func(id payterm.OrderID) { began = id }
	switch {
	case w.refund.SaleID != "":
		res, err = l.runner.Refund(ctx, w.refund, tell)
	case w.sale.Currency != l.config.currency: // the agent begins none, and first returns what the key has begun
		res, err = l.runner.Again(ctx, w.key, runner.ContentOfSale(l.config.merchant, w.sale), tell)
	default:
		res, err = l.runner.Sale(ctx, w.sale, tell)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gaveUp(c)
	if l.dead {
		return
	}
	s.answeredTill(c, began, res, err)
	if o := s.book[res.Order.ID]; err == nil && res.Reason == payterm.ReasonRefundOpen &&
		o.Outcome == payterm.NotSent && s.written[o.ID] == 0 {
		s.violate("refunds", "%s is refused for the sake of %s, of which not a byte has left", w.says(), o.ID)
	}
}

// customer presents a code once one is asked for.
func (s *Sim) customer() {
	for range 6 {
		s.rest(2 * time.Second)
		if s.look().Name == counter.ViewScan {
			s.scan(s.wallet("ALIPAY", "ok"), scanTime)
			return
		}
	}
}

// pollLimit is how long the agent's socket allows for an inquiry.
const pollLimit = 20 * time.Second

// reconcileLimit is how long the agent allows for a question about a closed sale.
const reconcileLimit = 2 * time.Minute

// poll is a till that asks for the status of its open orders: at what pace, for how long, for how
// many.
func (s *Sim) poll(words []string) error {
	if len(words) < 2 {
		return fmt.Errorf("poll: at what pace, and for how long?")
	}
	pace, err := time.ParseDuration(words[0])
	if err != nil {
		return err
	}
	long, err := time.ParseDuration(words[1])
	if err != nil {
		return err
	}
	most := 5
	if len(words) > 2 {
		if _, err := fmt.Sscan(words[2], &most); err != nil {
			return fmt.Errorf("poll: how many? %w", err)
		}
	}
	for n, end := 0, time.Now().Add(long); time.Now().Before(end); n++ {
		if l, ids := s.alive(), s.unsettled(most); l != nil && len(ids) > 0 {
			go s.inquires(l, ids[n%len(ids)])
		}
		time.Sleep(pace)
	}
	return nil
}

// unsettled are the first orders that are not decided.
func (s *Sim) unsettled(most int) []payterm.OrderID {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []payterm.OrderID
	for _, id := range sortedIDs(s.book) {
		if o := s.book[id]; (o.Outcome == payterm.InDoubt || o.Outcome == payterm.Open) && len(ids) < most &&
			!s.pruned[id] {
			ids = append(ids, id)
		}
	}
	return ids
}

// inquires asks for the status of one order.
func (s *Sim) inquires(l *life, id payterm.OrderID) {
	s.waitsFor(l, pollLimit, func(ctx context.Context) {
		l.runner.Inquire(ctx, id) //nolint:errcheck // a failed poll is repeated
	})
}

// waitsFor makes a call, with or without a time-out, and checks that it ends.
func (s *Sim) waitsFor(l *life, limit time.Duration, call func(context.Context)) {
	w := wish{dies: limit}
	ctx, cancel := context.WithTimeout(l.ctx, w.patience())
	defer cancel()
	s.mu.Lock()
	c := s.called(l, w)
	s.mu.Unlock()
	call(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gaveUp(c)
}

// caller is a caller on the socket that waits.
type caller struct {
	n     int // number of the call
	life  *life
	wish  wish
	since time.Time
	known payterm.OrderID // the order that had the key at the time of the call
}

// callerLimit is how long a caller without a time-out may wait, if the disk works: a prompt, a
// code, the counter time.
const callerLimit = 15 * time.Minute

// patience is how long a caller waits. One without a time-out gives up after callerLimit was
// checked, so that the world ends.
func (w wish) patience() time.Duration {
	if w.dies > 0 {
		return w.dies
	}
	return 2 * callerLimit
}

// called records a call. The lock is held.
func (c *checker) called(l *life, w wish) *caller {
	c.calls++
	one := &caller{n: c.calls, life: l, wish: w, since: time.Now(), known: c.byKey[w.key]}
	c.callers[one] = true
	if w.key != "" {
		c.callsOf[w.key] = append(c.callsOf[w.key], one)
	}
	return one
}

// gaveUp records that a caller has gone. The lock is held.
func (c *checker) gaveUp(one *caller) {
	delete(c.callers, one)
	c.late(one)
}

// late checks how long a caller has waited.
func (c *checker) late(one *caller) {
	limit := one.wish.dies
	if limit == 0 {
		limit = callerLimit
		if c.diskTrouble.After(one.since.Add(-time.Minute)) {
			return // because of the disk
		}
	}
	if waited := time.Since(one.since); waited > limit && !one.life.dead {
		c.violate("callers", "who asked for %s %q waits for %s", one.wish.says(), one.wish.key, waited)
	}
}

// answeredTill checks a till's result. The lock is held.
func (c *checker) answeredTill(one *caller, began payterm.OrderID, res runner.SaleResult, err error) {
	w := one.wish
	has := c.byKey[w.key]
	switch {
	case w.key == "" || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.Is(err, runner.ErrStopped):
		return // the till got no result
	case errors.Is(err, runner.ErrKeyReused):
		if !slices.ContainsFunc(c.callsOf[w.key], func(other *caller) bool { return other.wish.says() != w.says() }) {
			c.violate("keys", "the key %s is refused, and was never used for anything but %s", w.key, w.says())
		}
		return
	case errors.Is(err, runner.ErrFenced) && has != "":
		c.violate("keys", "the key %s has the order %s, and a till hears that nothing began with it", w.key, has)
		return
	case errors.Is(err, runner.ErrUnknown) && one.known != "" && one.known == has:
		c.violate("keys", "the key %s has the order %s, and a till hears that nobody knows it", w.key, has)
		return
	case err != nil:
		return // the till knows that nothing is known
	case !res.Began:
		if one.known != "" && one.known == has {
			c.violate("keys", "the key %s has the order %s, and a till hears that nothing began (%s)", w.key, has,
				res.Reason)
		}
		c.refusedBy[w.key] = c.calls
		return
	}
	if began != "" && began != res.Order.ID {
		c.violate("binding", "the till was told of %s and then of %s", began, res.Order.ID)
	}
	if has != res.Order.ID {
		c.violate("keys", "the key %s has the order %s, and a till hears of %s", w.key, has, res.Order.ID)
	}
	if !w.fits(res.Order) {
		c.violate("keys", "a till asked for %s with the key %s and hears of %s: %s %s %s", w.says(), w.key,
			res.Order.ID, res.Order.Kind, res.Order.Mode, res.Order.Total())
	}
	// the result could not be committed
	unwritten := res.Order.Outcome == payterm.InDoubt && res.Order.Reason == payterm.ReasonStorage
	if row := c.book[res.Order.ID]; row.Outcome != res.Order.Outcome && row.Outcome != payterm.Approved && !unwritten {
		c.violate("store_then_show", "the till hears %s of %s, the journal says %s", res.Order.Outcome, res.Order.ID,
			row.Outcome)
	}
	if unwritten {
		c.givenUp[res.Order.ID] = true
	}
}

// keyBegan checks an order that begins with a key.
func (c *checker) keyBegan(o payterm.Order) {
	key := o.IdempotencyKey
	if key == "" {
		return
	}
	if before := c.byKey[key]; before != "" {
		c.violate("keys", "the key %s has the order %s and begins %s", key, before, o.ID)
	}
	if c.fenced[key] {
		c.violate("keys", "%s begins with the key %s, after a till was told that nothing will", o.ID, key)
	}
	c.byKey[key] = o.ID
	fits, again := false, false
	for _, one := range c.callsOf[key] {
		fits = fits || one.wish.fits(o)
		again = again || one.n > c.refusedBy[key]
	}
	switch {
	case !fits:
		c.violate("keys", "%s begins with the key %s, for which nobody asked for that", o.ID, key)
	case !again:
		c.violate("keys", "%s begins with the key %s, after a till was told that nothing did, and none has asked since",
			o.ID, key)
	}
}

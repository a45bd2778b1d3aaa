package flowstest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
)

const currency = payterm.Currency("CAD")

// play carries out one line of a story.
func (w *world) play(words []string) error {
	if len(words) > 0 && strings.HasPrefix(words[0], "+") {
		d, err := time.ParseDuration(words[0])
		if err != nil {
			return err
		}
		w.quiet = len(words) > 1 && words[1] == "quietly"
		w.asked = 0
		err = w.pass(d)
		if err != nil {
			return err
		}
		words = words[1:]
	}
	if len(words) == 0 {
		return fmt.Errorf("nothing happens here")
	}
	var to *storyOrder
	if len(w.orders) > 0 {
		to = w.orders[len(w.orders)-1]
	}
	if n := 0; words[0][0] == '@' {
		if _, err := fmt.Sscanf(words[0], "@%d", &n); err != nil || n < 1 || n > len(w.orders) || len(words) < 2 {
			return fmt.Errorf("%s: no such order", words[0])
		}
		to, words = w.orders[n-1], words[1:]
	}
	verb, rest := words[0], words[1:]
	if do, ok := worldVerbs[verb]; ok {
		return do(w, rest)
	}
	if do, ok := counterVerbs[verb]; ok {
		if w.terminal == nil {
			return fmt.Errorf("there is no counter in this story")
		}
		return do(w, rest)
	}
	do, ok := orderVerbs[verb]
	switch {
	case !ok:
		return fmt.Errorf("%q is not a word of the stories", verb)
	case to == nil:
		return fmt.Errorf("there is no order yet")
	}
	return do(w, to, rest)
}

// The verbs of a story, by what they act on.
var (
	worldVerbs = map[string]func(*world, []string) error{
		"rules": (*world).setRules, "terminal": (*world).setUp, "sale": (*world).sale,
		"replying": (*world).setReplying, "paying": (*world).setPaying, "wait": nothing, "quietly": (*world).endQuiet,
		"scan":    (*world).scan,
		"restart": (*world).powerFailed, "clock": (*world).setClock, "sold": (*world).soldToday,
	}
	counterVerbs = map[string]func(*world, []string) error{
		"asked": (*world).asks, "key": (*world).keys, "pin": (*world).pin, "status": (*world).status,
		"store": (*world).store, "says": (*world).says, "totals": (*world).totals, "rate": (*world).rate,
		"unreadable": (*world).unreadable,
		"training":   (*world).training, "z": (*world).zAsked, "cancelled": (*world).cancelAsked,
		"person": (*world).person, "kept": (*world).kept,
		"blind":   func(w *world, _ []string) error { w.blind = true; return nil },
		"service": (*world).service,
	}
	orderVerbs = map[string]func(*world, *storyOrder, []string) error{
		"payment": (*world).paymentEnds, "inquiry": (*world).inquiryEnds,
		"strays": (*world).strays, "reprint": func(w *world, o *storyOrder, _ []string) error {
			return w.step(o, order.ReprintAsked{})
		},
		"wake":    func(w *world, o *storyOrder, _ []string) error { return w.step(o, order.Woke{}) },
		"cancel":  func(w *world, o *storyOrder, _ []string) error { return w.step(o, order.CancelPressed{}) },
		"ask":     func(w *world, o *storyOrder, _ []string) error { return w.step(o, order.InquiryAsked{}) },
		"resolve": (*world).resolve, "row": (*world).row, "refund": (*world).refund, "word": (*world).word,
		"answered": (*world).refundEnds,
	}
)

func nothing(*world, []string) error { return nil }

// endQuiet ends a quiet stretch of time.
func (w *world) endQuiet([]string) error {
	w.say("%s after %d inquiries", short(w.now), w.asked)
	w.quiet = false
	return nil
}

func (w *world) setRules(words []string) error {
	for i := 0; i < len(words); i++ {
		switch {
		case words[i] == "keep_late":
			w.rules.KeepLate = true
		case words[i] == "ladder" && i+1 < len(words):
			i++
			w.rules.Ladder = order.Ladder{}
			for n, text := range strings.Split(words[i], ",") {
				d, err := time.ParseDuration(text)
				if err != nil {
					return err
				}
				w.rules.Ladder[n] = d
			}
		default:
			return fmt.Errorf("%q is not a rule of the stories", words[i])
		}
	}
	return nil
}

func (w *world) setUp(words []string) error {
	s := counter.Settings{Currency: currency, Rules: w.rules}
	var wallets []payterm.Channel
	for i := 0; i < len(words); i++ {
		switch word := words[i]; {
		case word == "pin":
			s.PINSet = true
		case word == "operators":
			s.SignOn = true
		case word == "supervisors":
			s.PINSet, s.SupervisorsNamed = true, true
		case word == "staff":
			s.Staff = true
		case word == "day" && i+1 < len(words):
			i++
			most, err := payterm.ParseAmount(words[i], currency)
			if err != nil {
				return err
			}
			s.DayMaxMinor = most.Minor
		case word == "max" && i+1 < len(words):
			i++
			most, err := payterm.ParseAmount(words[i], currency)
			if err != nil {
				return err
			}
			s.MaxMinor = most.Minor
		case word == "training":
			s.Training = true
		case word == "codes_on_paper":
			s.CodesOnPaper = true
		case word == "guarded":
			s.RefundsNeedPIN = true
		case word == "lines" && i+1 < len(words):
			i++
			if _, err := fmt.Sscan(words[i], &s.Lines); err != nil {
				return err
			}
		case word == "tips" && i+1 < len(words):
			i++
			for n, text := range strings.Split(words[i], ",") {
				if _, err := fmt.Sscan(text, &s.Tips[n]); err != nil {
					return err
				}
			}
		case payterm.Channel(word).Valid():
			wallets = append(wallets, payterm.Channel(word))
		default:
			return fmt.Errorf("%q is not a setting of the stories", word)
		}
	}
	s.ActiveWallets = payterm.ChannelSetOf(wallets...)
	t := counter.New(s)
	w.terminal = &t
	return w.feed(counter.StatusChanged{Status: t.Status}, true)
}

// saleOf reads the terms of a sale.
func (w *world) saleOf(words []string) (order.SaleBegan, error) {
	sale := order.SaleBegan{Currency: currency, Rules: w.rules}
	for i := 0; i < len(words); i++ {
		switch word := words[i]; {
		case word == "passive" || word == "active":
			sale.Mode = payterm.Mode(word)
		case payterm.Channel(word).Valid():
			sale.Wallet = payterm.Channel(word)
		case word == "tip" && i+1 < len(words):
			i++
			tip, err := payterm.ParseAmount(words[i], currency)
			if err != nil {
				return sale, err
			}
			sale.TipMinor = tip.Minor
		case word == "despite" && i+1 < len(words):
			i++
			n := 0
			if _, err := fmt.Sscan(words[i], &n); err != nil || n < 1 || n > len(w.orders) {
				return sale, fmt.Errorf("despite %s: no such order", words[i])
			}
			sale.Despite = w.orders[n-1].state.ID()
		default:
			amount, err := payterm.ParseAmount(word, currency)
			if err != nil {
				return sale, err
			}
			sale.AmountMinor = amount.Minor
		}
	}
	return sale, nil
}

func (w *world) sale(words []string) error {
	sale, err := w.saleOf(words)
	if err != nil {
		return err
	}
	o := &storyOrder{}
	w.orders = append(w.orders, o)
	sale.ID = w.nextID()
	return w.step(o, sale)
}

func (w *world) asks(words []string) error {
	sale, err := w.saleOf(words)
	if err != nil {
		return err
	}
	w.tickets++
	return w.feed(counter.SaleAsked{Ticket: w.tickets, Sale: sale}, true)
}

func (w *world) keys(words []string) error {
	for _, k := range words {
		if !payterm.Key(k).Valid() {
			return fmt.Errorf("%q is not a key", k)
		}
		if err := w.feed(counter.KeyPressed{Key: payterm.Key(k)}, true); err != nil {
			return err
		}
	}
	return nil
}

// scan passes a scan to the counter, or to the order if there is no counter.
func (w *world) scan(words []string) error {
	if len(words) == 0 {
		return fmt.Errorf("scan what?")
	}
	code := payterm.NewPayCode(words[0])
	wallet, _ := code.Channel()
	ev := order.CodeScanned{Code: code, Masked: code.String(), Wallet: wallet, Key: "hash of " + code.String(),
		Began: w.mono()}
	for i := 1; i < len(words); i++ {
		switch {
		case words[i] == "used":
			ev.Used = true
		case words[i] == "began" && i+1 < len(words):
			i++
			ago, err := time.ParseDuration(words[i])
			if err != nil {
				return err
			}
			ev.Began += ago
		default:
			return fmt.Errorf("%q says nothing about a scan", words[i])
		}
	}
	switch {
	case w.terminal != nil:
		return w.feed(counter.Scanned(ev), true)
	case len(w.orders) > 0:
		return w.step(w.orders[len(w.orders)-1], ev)
	}
	return fmt.Errorf("there is nobody to scan for")
}

func (w *world) setReplying(words []string) error {
	if len(words) == 1 && words[0] == "nothing" {
		w.replying = nil
		return nil
	}
	a, err := w.answer(nil, words)
	w.replying = a
	return err
}

func (w *world) setPaying(words []string) error {
	if len(words) == 1 && words[0] == "nothing" {
		w.paying = nil
		return nil
	}
	a, err := w.answer(nil, words)
	w.paying = a
	return err
}

func (w *world) paymentEnds(o *storyOrder, words []string) error {
	a, err := w.answer(o, words)
	if err != nil {
		return err
	}
	if !o.payment {
		return fmt.Errorf("no payment is under way")
	}
	return w.step(o, order.PaymentAnswered{Reply: payterm.Reply{Answer: a}})
}

func (w *world) word(o *storyOrder, words []string) error {
	if w.terminal == nil {
		return fmt.Errorf("there is no counter in this story")
	}
	w.tickets++
	return w.feed(counter.ResolveAsked{Ticket: w.tickets, Word: counter.Resolve{Ticket: w.tickets, Order: o.state.ID(),
		Reason: strings.Join(words, " ")}}, true)
}

func (w *world) refundEnds(o *storyOrder, words []string) error {
	a, err := w.answer(o, words)
	if err != nil {
		return err
	}
	if !o.payment {
		return fmt.Errorf("no refund is under way")
	}
	return w.step(o, order.RefundAnswered{Reply: payterm.Reply{Answer: a}})
}

// strays sends an order, or the counter, every event that it must ignore, and checks that no fact
// changes.
func (w *world) strays(o *storyOrder, words []string) error {
	reply := payterm.Reply{Answer: payterm.Pending{}}
	if slices.Contains(words, "paid") {
		reply.Answer = payterm.CodeMade{CodeURL: "https://qr.example.org/stray"}
	}
	sale := o.state.Sale
	events := []order.Event{
		sale, order.RefundBegan{ID: sale.ID, SaleID: sale.ID}, order.RefundEnded{ID: "T1NOBODY00001", RefundedMinor: 1},
		order.CodeScanned{Masked: "****", Began: w.mono()}, order.ReprintAsked{},
		order.Resolved{Reason: "nobody asked"},
	}
	if !o.payment {
		events = append(events, order.PaymentAnswered{Reply: reply}, order.RefundAnswered{Reply: reply})
	}
	if !o.payment && !o.inquiry {
		events = append(events, order.InquiryAnswered{Reply: payterm.Reply{Answer: payterm.Lost{}}})
	}
	for _, e := range events {
		before, in := o.state, w.stamp(e)
		next, commands := order.Step(before, in)
		if err := next.Impossible(); err != nil {
			return err
		}
		if order.Lasting(before, next) || len(commands) > 0 && o.state.Phase != order.Scanning {
			w.say("%s matters: %s, %s", describeEvent(e), next.Phase, w.orderState(next))
		}
	}
	if w.terminal == nil {
		return nil
	}
	for _, e := range []counter.Event{
		counter.RefundRefused{Reason: payterm.ReasonRefundCap}, counter.ConflictChecked{}, counter.PINChecked{OK: true},
		counter.KeyPressed{Key: payterm.KeyUp},
		counter.RefundAsked{Ticket: 99, Refund: order.RefundBegan{SaleID: sale.ID,
			AmountMinor: 1, Currency: currency}},
	} {
		next, commands := counter.Step(*w.terminal, w.stampCounter(e))
		if err := next.Impossible(); err != nil {
			return err
		}
		if next.Phase != w.terminal.Phase {
			w.say("%s matters to the counter: %s", describeCounterEvent(e), next.Phase)
		}
		for _, c := range commands {
			if refusal, is := c.(counter.Refuse); is {
				w.say("%s", describeCounterCommand(refusal))
			}
		}
	}
	return nil
}

// refund asks for a refund of a sale.
func (w *world) refund(o *storyOrder, words []string) error {
	if len(words) == 0 {
		return fmt.Errorf("refund how much?")
	}
	amount, err := payterm.ParseAmount(words[0], currency)
	if err != nil {
		return err
	}
	refund := order.RefundBegan{
		SaleID: o.state.ID(), SaleTotalMinor: o.state.Total().Minor, SaleRefundedMinor: o.state.RefundedMinor,
		Mode: o.state.Sale.Mode, Wallet: o.state.Wallet,
		AmountMinor: amount.Minor, Currency: currency, Rules: w.rules,
	}
	if w.terminal != nil {
		w.tickets++
		return w.feed(counter.RefundAsked{Ticket: w.tickets, Refund: refund}, true)
	}
	if why := order.RefundReason(o.state, amount); why != payterm.ReasonNone {
		w.say("refused: %s", why)
		return nil
	}
	r := &storyOrder{}
	w.orders = append(w.orders, r)
	refund.ID = w.nextID()
	if err := w.step(o, order.RefundOpened{ID: refund.ID, AmountMinor: amount.Minor}); err != nil {
		return err
	}
	return w.step(r, refund)
}

func (w *world) inquiryEnds(o *storyOrder, words []string) error {
	a, err := w.answer(o, words)
	if err != nil {
		return err
	}
	if !o.inquiry {
		return fmt.Errorf("no inquiry is under way")
	}
	return w.step(o, order.InquiryAnswered{Reply: payterm.Reply{Answer: a}})
}

// answer parses an ANSWER.
func (w *world) answer(o *storyOrder, words []string) (payterm.Answer, error) {
	if len(words) == 0 {
		return nil, fmt.Errorf("which answer?")
	}
	rest := words[1:]
	says := func(word string) bool { return slices.Contains(rest, word) }
	status := strings.Join(rest, " ")
	amount := func(i int) int64 {
		if i < len(rest) {
			if a, err := payterm.ParseAmount(rest[i], currency); err == nil {
				return a.Minor
			}
		}
		return 0
	}
	switch words[0] {
	case "unsent":
		return payterm.Unsent{Why: "no route", Final: says("final"), TooOld: says("old"), Clock: says("clock")}, nil
	case "lost":
		return payterm.Lost{Why: "silence", Alarm: says("forged")}, nil
	case "code":
		return payterm.CodeMade{CodeURL: status}, nil
	case "paid":
		a := payterm.Paid{PaidMinor: amount(0), Status: "success", Payer: "138******12", ChannelOrderID: "WX20260302"}
		if i := slices.Index(rest, "trade"); i >= 0 && i+1 < len(rest) && o != nil {
			after, err := time.ParseDuration(rest[i+1])
			if err != nil {
				return nil, err
			}
			a.TradeClock = o.state.SentWall/1000 + int64(after.Seconds())
		}
		return a, nil
	case "refunded":
		return payterm.Refunded{PaidMinor: amount(0), RefundedMinor: amount(1), Status: "partial_refunded"}, nil
	case "pending":
		return payterm.Pending{Status: status}, nil
	case "failed":
		return payterm.Failed{Status: status}, nil
	case "refused":
		return payterm.Refused{Reason: payterm.Reason(status)}, nil
	case "rejected":
		return payterm.Rejected{Why: "PARAM_INVALID", Unsent: says("unsent")}, nil
	case "clash":
		return payterm.Clash{Paid: says("paid")}, nil
	case "not_found":
		return payterm.NotFound{Why: "ORDER_NOT_FOUND"}, nil
	case "unclear":
		a := payterm.Unclear{Why: "another total", Status: "success", Authentic: says("authentic"),
			Alarm: says("alarm"), Paid: says("paid")}
		if says("unknown") {
			a.Why, a.Status, a.Unknown = "TOO_MANY_REQUESTS", "", true
		}
		return a, nil
	}
	return nil, fmt.Errorf("%q is not an answer", words[0])
}

func (w *world) resolve(o *storyOrder, words []string) error {
	return w.step(o, order.Resolved{Operator: "supervisor", Reason: strings.Join(words, " ")})
}

func (w *world) pin(words []string) error {
	e := counter.PINChecked{}
	if len(words) > 0 && words[0] == "ok" {
		e.OK, e.Operator.Number = true, payterm.SharedSupervisor
	}
	for i := 1; i < len(words); i++ {
		switch word := words[i]; {
		case word == "supervisor":
			e.Operator.Supervisor = true
		case i+1 == len(words):
			return fmt.Errorf("%s of what?", word)
		case word == "wait":
			wait, err := time.ParseDuration(words[i+1])
			if err != nil {
				return err
			}
			e.Wait, i = wait, i+1
		default:
			e.Operator.Number, e.Operator.Name, i = word, words[i+1], i+1
		}
	}
	return w.feed(e, true)
}

func (w *world) soldToday(words []string) error {
	sold, err := payterm.ParseAmount(strings.Join(words, " "), currency)
	w.sold = sold
	return err
}

func (w *world) status(words []string) error {
	s := w.terminal.Status
	if len(words) != 2 {
		return fmt.Errorf("status of what?")
	}
	switch words[0] {
	case "network":
		s.Network = counter.Network(words[1])
	case "paper":
		s.Paper = payterm.PaperCondition(words[1])
	case "queue":
		if _, err := fmt.Sscan(words[1], &s.Queue); err != nil {
			return err
		}
	default:
		return fmt.Errorf("%q is no status", words[0])
	}
	return w.feed(counter.StatusChanged{Status: s}, true)
}

func (w *world) store(words []string) error {
	switch {
	case len(words) > 1 && words[0] == "failed":
		return w.feed(counter.StoreFailed{Why: strings.Join(words[1:], " ")}, true)
	case len(words) == 1 && words[0] == "recovered":
		return w.feed(counter.StoreRecovered{}, true)
	}
	return fmt.Errorf("store failed WHY, or store recovered")
}

// training is a request on the socket, or the runner's refusal of a Train.
func (w *world) training(words []string) error {
	switch {
	case len(words) == 2 && words[0] == "asked":
		w.tickets++
		return w.feed(counter.TrainingAsked{Ticket: w.tickets, On: words[1] == "on"}, true)
	case len(words) == 2 && words[0] == "refused":
		return w.feed(counter.NotTrained{Reason: payterm.Reason(words[1])}, true)
	}
	return fmt.Errorf("training asked on|off, or training refused REASON")
}

// zAsked is a request for a Z on the socket, with or without a PIN.
func (w *world) zAsked(words []string) error {
	if len(words) == 0 || words[0] != "asked" || len(words) > 3 {
		return fmt.Errorf("z asked, perhaps with a PIN or NUMBER PIN")
	}
	w.tickets++
	asked := counter.ZAsked{Ticket: w.tickets}
	switch words = words[1:]; len(words) {
	case 1:
		asked.PIN = counter.PIN(words[0])
	case 2:
		asked.Number, asked.PIN = words[0], counter.PIN(words[1])
	}
	return w.feed(asked, true)
}

// cancelAsked is CANCEL on the socket, for whatever is at the counter or one order.
func (w *world) cancelAsked(words []string) error {
	var e counter.CancelAsked
	if n := 0; len(words) == 1 {
		if _, err := fmt.Sscanf(words[0], "@%d", &n); err != nil || n < 1 || n > len(w.orders) {
			return fmt.Errorf("%s: no such order", words[0])
		}
		e.Order = w.orders[n-1].state.ID()
	}
	return w.feed(e, true)
}

// service is a caller that tests the devices.
func (w *world) service(words []string) error {
	switch {
	case len(words) == 1 && words[0] == "asked":
		w.tickets++
		return w.feed(counter.ServiceAsked{Ticket: w.tickets}, true)
	case len(words) == 2 && words[0] == "key":
		return w.feed(counter.TrialSet{Trial: counter.Trial{Step: counter.TrialKey, Key: payterm.Key(words[1])}}, true)
	case len(words) == 1 && words[0] == "ended":
		return w.feed(counter.ServiceEnded{}, true)
	}
	return fmt.Errorf("service asked, service key KEY, or service ended")
}

func (w *world) powerFailed(words []string) error {
	var after time.Duration
	soon := false
	for i := 0; i < len(words); i++ {
		switch {
		case words[i] == "after" && i+1 < len(words):
			i++
			d, err := time.ParseDuration(words[i])
			if err != nil {
				return err
			}
			after = d
		case words[i] == "soon":
			soon = true
		default:
			return fmt.Errorf("%q says nothing about a restart", words[i])
		}
	}
	return w.restart(after, soon)
}

func (w *world) setClock(words []string) error {
	if len(words) != 1 {
		return fmt.Errorf("a clock is set, unset, or moved by a time")
	}
	if by, err := time.ParseDuration(words[0]); err == nil {
		w.clockOff += by
		return nil
	}
	w.clockSet = words[0] == "set"
	return nil
}

func (w *world) row(o *storyOrder, _ []string) error {
	r := o.state.Row()
	kind := ""
	if r.Kind == payterm.KindRefund {
		kind = " refund of " + w.number(r.SaleID) + ","
	}
	w.say("%s%s %s %s%s: %s", r.ID, kind, r.Mode, r.Amount(), plus(r.Wallet), r.Outcome)
	if r.TipMinor != 0 {
		w.say("  tip %s", payterm.Amount{Minor: r.TipMinor, Currency: r.Currency})
	}
	if r.PaidMinor != 0 || r.RefundedMinor != 0 {
		w.say("  paid %s, refunded %s, payer %s, channel order %s",
			payterm.Amount{Minor: r.PaidMinor, Currency: r.Currency},
			payterm.Amount{Minor: r.RefundedMinor, Currency: r.Currency}, r.Payer, r.ChannelOrderID)
	}
	w.say("  reason %q, attention %q, resolution %q, gateway status %q", r.Reason, r.Attention, r.Resolution,
		r.GatewayStatus)
	w.say("  code %q, slips %d, inquiries %d, created %s, closed %s", r.MaskedCode, r.Prints, r.Attempts,
		clock(r.CreatedAt), clock(r.ClosedAt))
	return nil
}

func plus(w payterm.Channel) string {
	if w == "" {
		return ""
	}
	return " " + string(w)
}

func clock(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.Format(time.DateTime)
}

// short writes a duration without trailing zeros: 1m, 2.8s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

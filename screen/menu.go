package screen

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
	"payterm/locale"
)

// menu composes every screen that is not part of a sale.
func menu(s *payterm.Screen, v counter.View, t *texts, o Options) {
	m := v.Menu
	back := payterm.KeyHint{Key: payterm.KeyCancel, Does: t.keyBack}
	enter := func(does string) payterm.KeyHint { return payterm.KeyHint{Key: payterm.KeyEnter, Does: does} }
	switch v.Name {
	case counter.ViewMenu:
		s.Title = t.menuTitle
		lines := v.Lines
		if v.Hint != order.HintNone || m.Reason != payterm.ReasonNone {
			if lines = min(lines, hintedLines); o.Small {
				lines = 1 // the task that it is about
			}
		}
		tasks := counter.TaskList(v.Operator.Number != "", v.Staffed)
		first := m.Cursor / lines * lines
		for i := first; i < min(first+lines, len(tasks)); i++ {
			text := t.tasks[tasks[i]]
			if v.Training && tasks[i] == counter.TaskTraining {
				text = t.drillsTitle
			}
			s.Items = append(s.Items, payterm.Item{Key: tasks[i].Key(), Text: text,
				Marked: i == m.Cursor && o.moves(lines < len(tasks))})
		}
		s.Keys = o.choosing(t, lines < len(tasks))
		if m.Reason != payterm.ReasonNone {
			s.Tone, s.Lines = payterm.Doubt, []string{reason(m.Reason, t)}
		}
	case counter.ViewFind:
		s.Title, s.Amount, s.Lines = t.tasks[m.Task], m.Number, []string{t.findReceipt}
		if m.Task == counter.TaskWasPaid {
			s.Lines = []string{t.findBill}
		}
		s.Keys = []payterm.KeyHint{enter(t.keyFind), back}
		if m.Number == "" {
			s.Keys[0].Does = t.keyList
		}
	case counter.ViewLooking:
		s.Tone, s.Title, s.Lines, s.Keys = payterm.Busy, t.tasks[m.Task], []string{t.lookingLine},
			[]payterm.KeyHint{back}
	case counter.ViewList:
		s.Keys = []payterm.KeyHint{back}
		list(s, m, t, o)
	case counter.ViewOrder:
		one(s, m, t, o)
	case counter.ViewWord:
		s.Title, s.Amount, s.Lines = t.wordTitle, t.money(v.Total), []string{t.wordLine}
		if m.Asking {
			s.Lines = append(s.Lines, t.doubtKeepsAsking)
		}
		s.Keys = []payterm.KeyHint{enter(t.keyOK)}
	case counter.ViewRefundAmount:
		s.Tone, s.Title, s.Amount = payterm.Doubt, t.tasks[counter.TaskRefund], t.money(v.Total)
		s.Lines = []string{t.refundAll}
		if m.Typing {
			left := m.Order.Left()
			s.Lines = []string{fmt.Sprintf(t.refundPart, t.money(left))}
		}
		s.Keys = []payterm.KeyHint{enter(t.keyRefund), back}
	case counter.ViewSure:
		s.Tone, s.Title, s.Lines = payterm.Doubt, t.settleTitle, []string{t.settleLine}
		switch m.Task {
		case counter.TaskZ:
			s.Title, s.Lines = t.tasks[counter.TaskZ], []string{t.closeLine}
		case counter.TaskTraining:
			s.Title, s.Lines = t.tasks[counter.TaskTraining], []string{t.trainingLine}
		default:
			s.Amount = t.money(v.Total)
		}
		s.Keys = []payterm.KeyHint{{Key: v.Yes, Does: t.keyYes}, back}
		if v.Kind == payterm.KindRefund {
			s.Title, s.Lines, s.Keys[0].Does = t.tasks[counter.TaskRefund], []string{t.refundSure}, t.keyRefund
		}
	case counter.ViewTotals:
		totals(s, m.Totals, t, o)
		s.Keys = []payterm.KeyHint{enter(t.keyOK)}
	case counter.ViewRate:
		rate(s, m.Rate, t)
		s.Keys = []payterm.KeyHint{enter(t.keyOK)}
	case counter.ViewLanguage:
		s.Title, s.Keys = t.tasks[counter.TaskLanguage], []payterm.KeyHint{back}
		for i, language := range payterm.ScreenLanguages(o.LettersOnly) {
			s.Items = append(s.Items, payterm.Item{Key: digitKey(i + 1), Text: languages[language].itself})
		}
	case counter.ViewOperator, counter.ViewNewPIN, counter.ViewOperatorKept:
		staff(s, v, t)
	case counter.ViewDrills:
		drills(s, v, t, o)
	case counter.ViewBriefing:
		briefing(s, v, t)
	default:
	}
	if text := hint(v.Hint, t); text != "" {
		s.Tone = payterm.Doubt
		if o.Small && v.Name == counter.ViewOrder {
			s.Lines = nil
		}
		s.Lines = append([]string{text}, s.Lines...)
	}
}

// digitKey returns the key of a digit.
func digitKey(n int) payterm.Key { return payterm.Key(strconv.Itoa(n)) }

// moves reports whether a key moves the mark of a list: UP and DOWN, or F1 from page to page.
func (o Options) moves(pages bool) bool { return o.Arrows || pages }

// choosing returns what the keys do on a list: those that choose and those that move the mark.
func (o Options) choosing(t *texts, pages bool) []payterm.KeyHint {
	back := payterm.KeyHint{Key: payterm.KeyCancel, Does: t.keyBack}
	keys := []payterm.KeyHint{{Key: payterm.KeyEnter, Does: t.keyChoose}, back}
	if !o.moves(pages) { // ENTER would choose the first
		keys = []payterm.KeyHint{{Key: "0-9", Does: t.keyChoose}, back}
	}
	if pages {
		keys = append(keys, payterm.KeyHint{Key: payterm.KeyF1, Does: t.keyMore})
	}
	if o.Arrows {
		keys = append(keys, payterm.KeyHint{Key: "UP DOWN", Does: t.keyMove})
	}
	return keys
}

// list composes a page of orders.
func list(s *payterm.Screen, m counter.Menu, t *texts, o Options) {
	s.Title = t.tasks[m.Task]
	n := m.Rows.Count()
	if n == 0 {
		s.Lines = []string{t.emptyList}
		return
	}
	for i, row := range m.Rows[:n] {
		text := t.money(row.Total) + " " + at(row, o) + " " + strings.ReplaceAll(outcome(row, t), " ", "\u00a0")
		if o.Small {
			text = t.money(row.Total) + " " + moment(row.At, "15:04", o)
		}
		s.Items = append(s.Items, payterm.Item{Key: digitKey(i + 1), Text: text,
			Marked: i == m.Cursor && o.moves(m.More || m.List.Skip > 0)})
	}
	s.Keys = o.choosing(t, m.More || m.List.Skip > 0)
}

// at returns when an order began, in the shop's time zone.
func at(row counter.Row, o Options) string {
	return moment(row.At, "01-02\u00a015:04", o)
}

// rateTime returns when the gateway sent a rate. A rate is less than a day old.
func rateTime(r counter.Rate, o Options) string { return moment(r.At, "15:04", o) }

// moment formats UTC milliseconds in the shop's time zone, or returns "--:--" if the clock was not set.
func moment(at int64, form string, o Options) string {
	if at == 0 {
		return "--:--"
	}
	zone := o.Zone
	if zone == nil {
		zone = time.UTC
	}
	return payterm.FromMillis(at).In(zone).Format(form)
}

// outcome returns an order's outcome in a word or two.
func outcome(row counter.Row, t *texts) string {
	if row.Kind == payterm.KindRefund && row.Outcome == payterm.Approved {
		return t.refundedTitle
	}
	return t.outcomes[row.Outcome]
}

// one composes the screen of a single order with its choices. What the gateway just answered counts before the
// journal. Only a payment that both confirm is green.
func one(s *payterm.Screen, m counter.Menu, t *texts, o Options) {
	row := m.Order
	s.Title, s.Amount = outcome(row, t), t.money(row.Total)
	if row.Outcome == payterm.InDoubt {
		s.Tone = payterm.Doubt
	}
	switch m.Verdict {
	case counter.VerdictPaid:
		s.Tone, s.Title = payterm.Good, t.verdictPaid
		if row.Outcome != payterm.Approved {
			s.Tone, s.Lines = payterm.Doubt, []string{t.paidAfterAll}
		}
	case counter.VerdictNotPaid:
		s.Tone, s.Title, s.Lines = payterm.Bad, t.verdictNotPaid, []string{t.nothingSent}
	case counter.VerdictUnknown:
		s.Tone, s.Title, s.Lines = payterm.Doubt, t.doubtTitle, []string{t.doubtPassive}
	case counter.VerdictNone:
	}
	if paidLate(row) {
		s.Tone, s.Title, s.Lines = payterm.Doubt, t.lateTitle, []string{t.lateLine, t.lateAsk}
		if o.Small {
			s.Lines = s.Lines[1:]
		}
	}
	if m.Reason != payterm.ReasonNone {
		s.Tone, s.Lines = payterm.Doubt, append(s.Lines, reason(m.Reason, t))
	}
	if o.Small && m.Reason != payterm.ReasonNone {
		orderKeys(s, row, t, o)
		return // there is room only for the reason
	}
	if row.Kind == payterm.KindSale && row.Refunded.Minor > 0 {
		s.Lines = append(s.Lines,
			fmt.Sprintf(t.refundedLine,
				t.money(row.Refunded)))
	}
	if line := t.wallet(row.Wallet); o.Small {
		s.Lines = append(s.Lines, at(row, o))
	} else if line != "" {
		s.Lines = append(s.Lines, line+"  "+at(row, o))
	}
	orderKeys(s, row, t, o)
}

// paidLate reports whether the order was paid after its sale was given up, and waits for a decision.
func paidLate(row counter.Row) bool {
	return row.Attention == payterm.AttentionLatePayment || row.Attention != payterm.AttentionNone &&
		row.Reason == payterm.ReasonLatePayment
}

// orderKeys adds the keys for what can be done with an order.
func orderKeys(s *payterm.Screen, row counter.Row, t *texts, o Options) {
	if paidLate(row) && row.Left().Minor > 0 {
		s.Keys = []payterm.KeyHint{{Key: payterm.Key1, Does: t.keyRefund}, {Key: payterm.Key2, Does: t.keyKeep},
			{Key: payterm.KeyCancel, Does: t.keyBack}}
		return
	}
	s.Keys = []payterm.KeyHint{{Key: payterm.KeyF1, Does: t.keyAsk}}
	if row.Outcome == payterm.Approved {
		s.Keys = append(s.Keys, payterm.KeyHint{Key: payterm.KeyF2, Does: t.keyReprint})
	}
	if row.Left().Minor > 0 {
		s.Keys = append(s.Keys, payterm.KeyHint{Key: payterm.Key1, Does: t.keyRefund})
	}
	if row.Undecided() {
		does := t.keySettle
		if row.Outcome == payterm.Approved {
			does = t.keyKeep
		}
		s.Keys = append(s.Keys, payterm.KeyHint{Key: payterm.Key2, Does: does})
	}
	if len(s.Keys) < 4 && (!o.Small || len(s.Keys) < 3) {
		s.Keys = append(s.Keys, payterm.KeyHint{Key: payterm.KeyCancel, Does: t.keyBack})
	}
}

// totals composes an X or a Z.
func totals(s *payterm.Screen, told counter.TotalsTold, t *texts, o Options) {
	s.Title = t.tasks[counter.TaskX]
	open := t.stillOpen
	if told.Query.Text == "z" {
		open = t.carried
		s.Title = fmt.Sprintf(t.zTitle, told.Number)
	}
	if told.Why != "" {
		s.Tone, s.Title, s.Lines = payterm.Bad, t.noTotals, []string{t.fault(told.Why)}
		return
	}
	switch told.SumsAll {
	case 0, 1:
		sum := told.Sums[0]
		if told.SumsAll == 0 {
			sum.Currency = told.Currency
		}
		s.Amount = t.signed(sum.Net())
		s.Lines = []string{t.count(sum.Count, t.sales)}
		if sum.RefundCount > 0 {
			s.Lines = []string{fmt.Sprintf(t.net, s.Lines[0]), t.count(sum.RefundCount, t.refunds)}
		}
	default: // different currencies cannot be added; they are all on paper, with their merchants
		for _, sum := range told.Sums[:min(told.SumsAll, len(told.Sums))] {
			line := locale.Coded(sum.Net(), t.language)
			if !o.Small {
				line += "  " + t.count(sum.Count, t.sales)
			}
			s.Lines = append(s.Lines, line)
		}
	}
	if told.OpenAll > 0 {
		s.Lines = append(s.Lines, t.count(told.OpenAll, open))
		for _, id := range told.Open[:min(told.OpenAll, len(told.Open))] {
			if o.Small { // they are on paper
				break
			}
			s.Lines = append(s.Lines, string(id))
		}
	}
}

// rate composes the exchange rate with its age.
func rate(s *payterm.Screen, told counter.RateTold, t *texts) {
	s.Title = t.tasks[counter.TaskRate]
	if told.Rate.CNYE8 == 0 {
		s.Lines = []string{t.rateNone}
		return
	}
	e4 := (told.Rate.CNYE8 + 5000) / 10000
	s.Amount = locale.Decimal(fmt.Sprintf("%d.%04d", e4/10000, e4%10000), t.language)
	s.Lines = []string{fmt.Sprintf(t.rateLine, told.Currency)}
	if !told.Asked {
		s.Tone, s.Lines = payterm.Doubt, append(s.Lines, t.count(int(told.Age/time.Minute), t.rateAge))
	}
	s.Lines = append(s.Lines, t.rateNote)
}

// tip offers the customer tips to choose from.
func tip(s *payterm.Screen, v counter.View, t *texts, o Options) {
	s.Title, s.Amount = t.tipTitle, t.money(v.Total)
	if o.Small && v.Name == counter.ViewTip { // four lines need the room
		if s.Amount = ""; o.Watermark == "" && v.Total.Minor < 1_000_000 {
			s.Title += " " + t.money(v.Total)
		}
	}
	if v.Name == counter.ViewOwnTip {
		s.Amount, s.Lines = t.money(v.Tip), []string{fmt.Sprintf(t.tipTotal, t.money(v.Total))}
		s.Keys = []payterm.KeyHint{{Key: payterm.KeyEnter, Does: t.keyOK}, {Key: payterm.KeyCancel, Does: t.keyBack}}
		return
	}
	for i, percent := range v.Tips[:v.Tips.Count()] {
		tip := counter.Tip(v.Total, percent)
		line := locale.Percent(percent, t.language) + "  " + t.money(tip)
		if o.Small && tip.Minor >= 1_000_000 { // as many characters as a row has
			line = strings.ReplaceAll(locale.Percent(percent, t.language), "\u00a0", "") + "\u00a0" + tip.String()
		}
		s.Items = append(s.Items, payterm.Item{Key: digitKey(i + 1), Text: line})
	}
	s.Keys = []payterm.KeyHint{{Key: payterm.Key0, Does: t.keyNoTip}, {Key: payterm.KeyF1, Does: t.keyOwnTip},
		{Key: payterm.KeyCancel, Does: t.keyBack}}
}

// signed formats an amount that may be negative.
func (t *texts) signed(a payterm.Amount) string {
	if a.Minor < 0 {
		a.Minor = -a.Minor
		return "-" + t.money(a)
	}
	return t.money(a)
}

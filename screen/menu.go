package screen

import (
	"fmt"
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
		s.Title, s.Keys = t.menuTitle, []payterm.KeyHint{enter(t.keyChoose), back}
		lines := v.Lines
		if v.Hint != order.HintNone || m.Reason != payterm.ReasonNone {
			if lines = min(lines, hintedLines); o.Small {
				lines = 1 // the task that it is about
			}
		}
		tasks := counter.TaskList(v.Operator.Number != "")
		first := m.Cursor / lines * lines
		for i := first; i < min(first+lines, len(tasks)); i++ {
			text := t.tasks[tasks[i]]
			if v.Training && tasks[i] == counter.TaskTraining {
				text = t.drillsTitle
			}
			s.Lines = append(s.Lines, item(i == m.Cursor, tasks[i].Key(), text))
		}
		if lines < len(tasks) {
			s.Keys = append(s.Keys, payterm.KeyHint{Key: payterm.KeyF1, Does: t.keyMore})
		}
		if m.Reason != payterm.ReasonNone {
			s.Tone, s.Lines = payterm.Doubt, append([]string{reason(m.Reason, t)}, s.Lines...)
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
		list(s, m, t, o)
		s.Keys = append(s.Keys, back)
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
		for i, language := range payterm.Languages {
			if o.LettersOnly && language == "zh" {
				continue
			}
			s.Lines = append(s.Lines, item(false, payterm.Key(fmt.Sprint(i+1)), languages[language].itself))
		}
	case counter.ViewDrills:
		drills(s, v, t)
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

// item returns a line of a menu, which is chosen by its digit, or by ENTER if it is marked.
func item(marked bool, k payterm.Key, text string) string {
	mark := ""
	if marked {
		mark = "> "
	}
	return fmt.Sprintf("%s%s) %s", mark, k, text) // two digits side by side would read as one number
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
		text := fmt.Sprintf("%s %s %s", t.money(row.Total), at(row, o), outcome(row, t))
		if o.Small {
			text = t.money(row.Total) + " " + moment(row.At, "15:04", o)
		}
		s.Lines = append(s.Lines, item(i == m.Cursor, payterm.Key(fmt.Sprint(i+1)), text))
	}
	s.Keys = []payterm.KeyHint{{Key: payterm.KeyEnter, Does: t.keyChoose}}
	if m.More || m.List.Skip > 0 {
		s.Keys = append(s.Keys, payterm.KeyHint{Key: payterm.KeyF1, Does: t.keyMore})
	}
}

// at returns when an order began, in the shop's time zone.
func at(row counter.Row, o Options) string {
	return moment(row.At, "01-02 15:04", o)
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
	return time.UnixMilli(at).In(zone).Format(form)
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
		money := t.money(tip)
		if o.Small && tip.Minor >= 1_000_000 {
			money = locale.Number(tip, t.language)
		}
		line := item(false, payterm.Key(fmt.Sprint(i+1)), locale.Percent(percent, t.language)+"  "+money)
		if o.Small && tip.Minor >= 1_000_000 {
			line = strings.NewReplacer(") ", ")", "\u00a0%", "%").Replace(line)
		}
		s.Lines = append(s.Lines, line)
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

package flowstest

import (
	"fmt"
	"strings"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
)

// describeEvent describes an order's event.
func describeEvent(e order.Event) string {
	switch e := e.(type) {
	case order.PaymentAnswered:
		return "payment " + payterm.AnswerName(e.Reply.Answer)
	case order.InquiryAnswered:
		return "inquiry " + payterm.AnswerName(e.Reply.Answer)
	case order.RefundAnswered:
		return "refund " + payterm.AnswerName(e.Reply.Answer)
	default:
		return strings.ReplaceAll(order.EventName(e), "_", " ")
	}
}

// describeCounterEvent describes a counter's event.
func describeCounterEvent(e counter.Event) string {
	switch e := e.(type) {
	case counter.KeyPressed:
		return "key " + string(e.Key)
	case counter.SaleAsked:
		return fmt.Sprintf("sale asked, ticket %d", e.Ticket)
	case counter.ConflictChecked:
		return "conflict checked"
	case counter.RefundAsked:
		return fmt.Sprintf("refund asked, ticket %d", e.Ticket)
	case counter.ResolveAsked:
		return fmt.Sprintf("resolution of %s asked, ticket %d", e.Word.Order, e.Ticket)
	case counter.CancelAsked:
		return strings.TrimSpace("cancel asked " + string(e.Order))
	case counter.RefundRefused:
		return "refund refused: " + string(e.Reason)
	case counter.PINChecked:
		s := fmt.Sprintf("PIN checked: %t", e.OK)
		if e.Operator.Name != "" {
			s += ", " + e.Operator.Name
		}
		if e.Wait > 0 {
			s += ", wait " + short(e.Wait)
		}
		return s
	case counter.StatusChanged:
		return "status changed"
	case counter.TrainingAsked:
		return fmt.Sprintf("training asked: %t, ticket %d", e.On, e.Ticket)
	case counter.ZAsked:
		return fmt.Sprintf("Z asked, number %q, PIN %s, ticket %d", e.Number, e.PIN, e.Ticket)
	case counter.NotTrained:
		return "not trained: " + string(e.Reason)
	case counter.ServiceAsked:
		return fmt.Sprintf("service asked, ticket %d", e.Ticket)
	case counter.TrialSet:
		return "trial set: " + string(e.Trial.Step)
	case counter.ServiceEnded:
		return "service ended"
	case counter.StoreFailed:
		return "store failed"
	case counter.StoreRecovered:
		return "store recovered"
	case counter.Found:
		return fmt.Sprintf("found %d", e.Rows.Count())
	case counter.OrderTold:
		return "order told"
	case counter.TotalsTold:
		return "totals told"
	case counter.RateTold:
		return "rate told"
	case counter.PersonFound:
		return fmt.Sprintf("person found: %t, refused: %t", e.Known, e.Refused)
	case counter.PINKept:
		return fmt.Sprintf("PIN kept: %t", e.OK)
	case counter.Scanned:
		return "code scanned"
	case counter.Woke:
		return "woke"
	case counter.OrderMoved:
		return ""
	}
	return ""
}

// describeCommand describes an order's command. It never shows a whole payment code or a PIN.
func describeCommand(c order.Command) string {
	switch c := c.(type) {
	case order.SendPayment:
		p := c.Payment
		s := fmt.Sprintf("send payment %s %s %s", p.Mode, p.Total, p.Wallet)
		if !p.Code.IsZero() {
			s += " code " + p.Code.String()
		}
		return s
	case order.SendRefund:
		return fmt.Sprintf("send refund %s of %s", c.Refund.Amount, c.Refund.SaleOrderID)
	case order.Inquire:
		return "inquire about " + c.Inquiry.Total.String()
	case order.Print:
		if c.Copy {
			return "print " + string(c.Slip) + ", a copy"
		}
		return "print " + string(c.Slip)
	case order.OpenDrawer:
		return "open the drawer"
	case order.PrintCode:
		return "print the code where no glass shows it"
	case order.VoidCode:
		return "void the code"
	case order.Play:
		return "play " + string(c.Sound)
	}
	return ""
}

// describeCounterCommand describes a counter's command.
func describeCounterCommand(c counter.Command) string {
	switch c := c.(type) {
	case counter.Resolve:
		s := fmt.Sprintf("resolve %s: %s, ticket %d", c.Order, c.Reason, c.Ticket)
		if c.Operator != "" {
			s += ", operator " + c.Operator
		}
		return s
	case counter.BeginRefund:
		s := fmt.Sprintf("begin refund of %s, ticket %d", c.Refund.SaleID, c.Ticket)
		if c.Refund.Operator != "" {
			s += ", operator " + c.Refund.Operator
		}
		if c.Refund.AllowedBy != "" {
			s += ", allowed by " + c.Refund.AllowedBy
		}
		return s
	case counter.AllowZ:
		return fmt.Sprintf("allow Z by %q, allowed by %q, ticket %d", c.By.Operator, c.By.AllowedBy, c.Ticket)
	case counter.PrintCode:
		return "print the code again where no glass shows it"
	case counter.Reprint:
		return "reprint " + string(c.Order)
	case counter.Arm:
		if c.On {
			return "arm the scanner"
		}
		return "disarm the scanner"
	case counter.BeginSale:
		s := fmt.Sprintf("begin sale %s %s", c.Sale.Mode, payterm.Amount{Minor: c.Sale.AmountMinor,
			Currency: c.Sale.Currency})
		if c.Sale.Wallet != "" {
			s += " " + string(c.Sale.Wallet)
		}
		if c.Ticket != 0 {
			s += fmt.Sprintf(", ticket %d", c.Ticket)
		}
		if c.Sale.Despite != "" {
			s += ", despite " + string(c.Sale.Despite)
		}
		if c.Sale.Operator != "" {
			s += ", operator " + c.Sale.Operator
		}
		if c.Sale.AllowedBy != "" {
			s += ", allowed by " + c.Sale.AllowedBy
		}
		return s
	case counter.CheckConflict:
		return "check conflict for " + c.Total.String()
	case counter.CheckPIN:
		s := "check PIN " + c.PIN.String()
		if c.Number != "" {
			s += fmt.Sprintf(" of %s for %s", c.Number, c.For)
		}
		return s
	case counter.Record:
		return fmt.Sprintf("record %s of %s", c.Did.Deed, c.Did.Operator)
	case counter.Tell:
		return fmt.Sprintf("tell %s: %s", c.Order, describeEvent(c.Event))
	case counter.Refuse:
		s := fmt.Sprintf("refuse ticket %d: %s", c.Ticket, c.Reason)
		if c.Order != "" {
			s += ", see " + string(c.Order)
		}
		return s
	case counter.Look:
		q := c.Query
		s := "look for " + string(q.What)
		if q.Text != "" {
			s += " " + q.Text
		}
		if q.Skip != 0 {
			s += fmt.Sprintf(" from %d", q.Skip)
		}
		return s
	case counter.KeepPIN:
		return fmt.Sprintf("keep PIN %s of %s, by %s, added: %t", c.PIN, c.Query.Text, c.Query.By.AllowedBy, c.Added)
	case counter.SetLanguage:
		return "speak " + c.Language
	case counter.Train:
		return fmt.Sprintf("train: %t, ticket %d", c.On, c.Ticket)
	case counter.SetDrill:
		return fmt.Sprintf("set drill %d", c.Drill)
	case counter.BeginService:
		return fmt.Sprintf("begin service, ticket %d", c.Ticket)
	case counter.HandOn:
		return "hand on: " + describeCounterEvent(c.Event)
	case counter.Show:
		return "show " + describeView(c.View)
	case counter.Play:
		return "play " + string(c.Sound)
	}
	return ""
}

// describeView lists all of a view that is not zero.
func describeView(v counter.View) string {
	s := []string{string(v.Name)}
	say := func(when bool, format string, args ...any) {
		if when {
			s = append(s, fmt.Sprintf(format, args...))
		}
	}
	say(v.Order != "", "%s", v.Order)
	say(v.Total.Minor != 0, "total %s", v.Total)
	say(v.Tip.Minor != 0, "with tip %s", v.Tip)
	say(v.Mode != "", "%s", v.Mode)
	say(v.Wallet != "", "%s", v.Wallet)
	say(v.Doubt, "in doubt")
	say(v.Reason != "", "because %s", v.Reason)
	say(v.CodeURL != "", "code %s", v.CodeURL)
	say(v.Elapsed != 0, "elapsed %s", short(v.Elapsed))
	say(v.Left != 0, "left %s", short(v.Left))
	say(v.Hint != "", "hint %s", v.Hint)
	say(v.CanLeave, "CANCEL works")
	say(v.Yes != "", "%s says yes", v.Yes)
	say(v.Redialling, "no connection")
	say(v.Payer != "", "payer %s", v.Payer)
	say(v.Paid.Minor != 0, "paid %s", v.Paid)
	say(v.Refunded.Minor != 0, "refunded %s", v.Refunded)
	for i, wallet := range v.Choices.List() {
		say(true, "%d=%s", i+1, wallet)
	}
	say(v.Operator.Name != "", "operator %s", v.Operator.Name)
	say(v.Name == counter.ViewNumber, "for %s", v.For)
	say(v.Number != "", "number %s", v.Number)
	say(v.PINDigits != 0, "%d digits", v.PINDigits)
	say(v.PINWrong, "wrong before")
	say(v.Again, "again")
	say(v.Fault != "", "fault %q", v.Fault)
	say(v.Trial.Step != "", "trial %s %s", v.Trial.Step, v.Trial.Key)
	say(v.Status.Network == counter.NetworkDown, "network down")
	say(v.Status.Queue != 0, "queue %d", v.Status.Queue)
	say(v.Status.Paper == payterm.PaperOut, "no paper")
	say(v.Status.Unprinted > 0, "%d slips not printed", v.Status.Unprinted)
	say(v.Lesson.Drill != counter.NoDrill, "%s",
		strings.TrimSpace(fmt.Sprintf("drill %d %s", v.Lesson.Drill, v.Lesson.Grade)))
	for _, percent := range v.Tips[:v.Tips.Count()] {
		tip := counter.Tip(v.Total, percent)
		say(true, "%d%%=%s", percent, tip)
	}
	return strings.Join(append(s, describeMenu(v.Menu)...), ", ")
}

// describeMenu lists all of a menu that is not zero.
func describeMenu(m counter.Menu) (s []string) {
	say := func(when bool, format string, args ...any) {
		if when {
			s = append(s, fmt.Sprintf(format, args...))
		}
	}
	say(m.Task != counter.NoTask, "task %d", m.Task)
	say(m.Cursor != 0, "at %d", m.Cursor)
	say(m.Number != "", "number %s", m.Number)
	for i, row := range m.Rows[:m.Rows.Count()] {
		say(true, "%d: %s", i+1, describeRow(row))
	}
	say(m.More, "more follow")
	say(m.Order.Order != "", "about %s", describeRow(m.Order))
	say(m.Asking, "still asked about")
	say(m.Verdict != "", "verdict %s", m.Verdict)
	say(m.Typing, "typed %s", m.Order.Total.With(m.Amount))
	t := m.Totals
	say(t.Number != 0, "number %d", t.Number)
	for _, sum := range t.Sums[:min(t.SumsAll, len(t.Sums))] {
		say(true, "%d sales, net %s", sum.Count, sum.Net())
	}
	say(t.OpenAll != 0, "%d open, %s first", t.OpenAll, t.Open[0])
	say(t.Why != "", "no totals: %s", t.Why)
	say(m.Rate.Rate.CNYE8 != 0, "rate %d, %s old", m.Rate.Rate.CNYE8, short(m.Rate.Age))
	return s
}

// describeRow is an order of a list.
func describeRow(r counter.Row) string {
	s := fmt.Sprintf("%s %s %s", r.Order, r.Total, r.Outcome)
	if r.Refunded.Minor != 0 {
		s += fmt.Sprintf(" refunded %s", r.Refunded)
	}
	if r.Attention != "" {
		s += " attention " + string(r.Attention)
	}
	return s
}

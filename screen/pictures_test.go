package screen_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"payterm"
	"payterm/board"
	"payterm/boards"
	"payterm/drivers/printer"
	"payterm/flows/counter"
	"payterm/flows/order"
	"payterm/glass"
	"payterm/hal/emulated"
	"payterm/receipt"
	"payterm/screen"
	"payterm/unifont"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// The pictures of docs/screens are written by
//
//	go test ./screen -run Pictures -update
//
// Look at them before you commit them.
var update = flag.Bool("update", false, "write the pictures of docs/screens anew")

// shot is one screen of a sheet.
type shot struct {
	name string
	view counter.View
}

// training is the end of the name of a screen in training mode.
const training = ", training"

func (s shot) mark() string {
	if strings.HasSuffix(s.name, training) {
		return screen.InTraining
	}
	return ""
}

// drills are some screens of the training mode.
func drills() []shot {
	all := slices.DeleteFunc(shots(), func(s shot) bool {
		return !slices.Contains([]string{"idle", "scan", "show_code", "approved", "in_doubt (passive)"}, s.name)
	})
	for i := range all {
		all[i].name += training
	}
	return all
}

// fullDisk is the text of storage.ErrFull.
const fullDisk = "the disk is full: free some space"

const orderID = payterm.OrderID("SHOP01K7QX2000042")

// signedOn returns a view of a terminal with operators.
func signedOn(v counter.View) counter.View {
	v.Operator = marie
	return v
}

// marie has the longest name that the configuration accepts.
var marie = counter.Operator{Number: "17", Name: "Marie-Ève Tremblay-Roy"}

// noon is the time in the pictures.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func cad(minor int64) payterm.Amount { return payterm.Amount{Minor: minor, Currency: "CAD"} }

// shots are the screens that a cashier can see: each view, and whatever changes its texts.
func shots() []shot {
	base := func(name counter.ViewName, mode payterm.Mode, more ...func(*counter.View)) counter.View {
		v := counter.View{
			Name: name, Status: counter.Status{Network: counter.NetworkUp, Paper: payterm.PaperOK},
			Kind:  payterm.KindSale,
			Total: cad(1234), Mode: mode, Wallet: payterm.Alipay, Order: orderID, Elapsed: 42 * time.Second,
		}
		if name == counter.ViewScan || name == counter.ViewShowCode {
			v.Left = 78 * time.Second
		}
		for _, f := range more {
			f(&v)
		}
		return v
	}
	wallet := func(w payterm.Channel) func(*counter.View) { return func(v *counter.View) { v.Wallet = w } }
	reason := func(r payterm.Reason) func(*counter.View) { return func(v *counter.View) { v.Reason = r } }
	refund := func(v *counter.View) { v.Kind, v.Total = payterm.KindRefund, cad(500) }
	leave := func(v *counter.View) { v.CanLeave = true }
	choices := func(v *counter.View) {
		v.Choices = payterm.ChannelSetOf(payterm.Alipay, payterm.WeChatPay, payterm.UnionPay)
	}
	paid := counter.Row{
		Order: orderID, Kind: payterm.KindSale, Wallet: payterm.Alipay, Total: cad(1234),
		At: time.Date(2026, 3, 2, 19, 5, 0, 0, time.UTC).UnixMilli(), Outcome: payterm.Approved,
	}
	doubt, late, back := paid, paid, paid
	doubt.Outcome, late.Attention, back.Refunded, back.Wallet = payterm.InDoubt, payterm.AttentionLatePayment, cad(500),
		payterm.WeChatPay
	unpaid := paid
	unpaid.Outcome = payterm.NotSent
	because := func(r payterm.Reason) func(*counter.View) { return func(v *counter.View) { v.Menu.Reason = r } }
	menu := func(name counter.ViewName, task counter.Task, f func(*counter.Menu),
		more ...func(*counter.View)) counter.View {
		v := counter.View{Name: name, Status: counter.Status{Network: counter.NetworkUp}, Lines: counter.Tasks}
		v.Menu.Task = task
		f(&v.Menu)
		if v.Menu.Order.Order != "" {
			v.Order, v.Total, v.Hint, v.Reason = v.Menu.Order.Order, v.Menu.Order.Total, v.Menu.Hint, v.Menu.Reason
		}
		for _, f := range more {
			f(&v)
		}
		if name == counter.ViewSure {
			v.Yes = payterm.KeyF1
		}
		return v
	}
	shown := func(row counter.Row, verdict counter.Verdict) counter.View {
		return menu(counter.ViewOrder, counter.TaskLast, func(m *counter.Menu) { m.Order, m.Verdict = row, verdict })
	}
	const p, a = payterm.Passive, payterm.Active
	return []shot{
		{"idle", counter.View{Name: counter.ViewIdle, Total: cad(0),
			Status: counter.Status{Network: counter.NetworkUp}}},
		{"idle, much to do", counter.View{Name: counter.ViewIdle, Total: cad(0), Status: counter.Status{
			Network: counter.NetworkDown, Queue: 3, Alarms: 1, Late: 2, Doubts: 12, Paper: payterm.PaperNearEnd,
		}}},
		{"idle, a day open", counter.View{Name: counter.ViewIdle, Total: cad(0),
			Status: counter.Status{Network: counter.NetworkUp, Unclosed: "2026-11-22"}}},
		{"amount", base(counter.ViewAmount, "", choices, func(v *counter.View) { v.Order, v.Total = "", cad(123456) })},
		{"choose_wallet", base(counter.ViewChooseWallet, a, choices, func(v *counter.View) { v.Order = "" })},
		{"scan", base(counter.ViewScan, p, leave)},
		{"scan, another wallet's code",
			base(counter.ViewScan, p, leave, func(v *counter.View) { v.Hint = order.HintNotACode })},
		{"sending", base(counter.ViewSending, p, wallet(payterm.WeChatPay))},
		{"sending, no connection", base(counter.ViewSending, p, leave, func(v *counter.View) { v.Redialling = true })},
		{"waiting", base(counter.ViewWaiting, p, leave, wallet(payterm.WeChatPay))},
		{"sending (active)", base(counter.ViewSending, a, leave)},
		{"show_code", base(counter.ViewShowCode, a, leave, func(v *counter.View) {
			v.CodeURL = "https://qr.alipay.com/bax07459kuoqdf8oi7f9008f"
		})},
		{"approved", base(counter.ViewApproved, p, func(v *counter.View) { v.Paid = cad(1234) })},
		{"approved, with fee, no paper", base(counter.ViewApproved, p, func(v *counter.View) {
			v.Paid, v.Status.Paper = cad(1250), payterm.PaperOut
		})},
		{"approved, in CNY", base(counter.ViewApproved, p, func(v *counter.View) {
			v.Paid, v.Status.Rate = cad(1234),
				counter.Rate{CNYE8: 524740000, At: time.Date(2026, 3, 2, 14, 5, 0, 0, time.UTC).UnixMilli()}
		})},
		{"approved late", base(counter.ViewApproved, a, reason(payterm.ReasonLatePayment))},
		{"late", base(counter.ViewLate, a, reason(payterm.ReasonLatePayment))},
		{"waiting, no line", base(counter.ViewWaiting, p, leave, wallet(payterm.WeChatPay),
			func(v *counter.View) { v.Status.Network = counter.NetworkDown })},
		{"declined", base(counter.ViewDeclined, p, reason(payterm.ReasonCodeInvalid))},
		{"cancelled", base(counter.ViewCancelled, p, reason(payterm.ReasonCashier))},
		{"not_sent", base(counter.ViewNotSent, p, reason(payterm.ReasonNoConnection),
			func(v *counter.View) { v.Status.Network = counter.NetworkDown })},
		{"in_doubt (passive)", base(counter.ViewInDoubt, p, reason(payterm.ReasonNoAnswer))},
		{"in_doubt (active)", base(counter.ViewInDoubt, a, reason(payterm.ReasonNotPaid))},
		{"in_doubt, refunded", base(counter.ViewInDoubt, a, reason(payterm.ReasonRefunded),
			func(v *counter.View) { v.Refunded = cad(1234) })},
		{"warning, a doubt", base(counter.ViewWarning, p, func(v *counter.View) { v.Doubt, v.Yes = true, payterm.KeyF1 })},
		{"warning, a code", base(counter.ViewWarning, p, func(v *counter.View) { v.Yes = payterm.Key0 })},
		{"pin", base(counter.ViewPIN, p, func(v *counter.View) { v.PINDigits, v.For = 4, payterm.ForOverride })},
		{"pin, a word", base(counter.ViewPIN, "", func(v *counter.View) {
			v.Total, v.For = cad(0),
				payterm.ForResolve
		})},
		{"pin, a lesson", base(counter.ViewPIN, "", func(v *counter.View) {
			v.Total, v.For = cad(0),
				payterm.ForTraining
		})},
		{"pin, Z", base(counter.ViewPIN, "", func(v *counter.View) {
			v.Order, v.Total, v.For = "", cad(0),
				payterm.ForZ
		})},
		{"number", base(counter.ViewNumber, "", func(v *counter.View) {
			v.Order, v.Total, v.For, v.Number = "", cad(0),
				payterm.ForSignOn, "17"
		})},
		{"number, PINs can be set", base(counter.ViewNumber, "", func(v *counter.View) {
			v.Order, v.Total, v.For, v.Staffed, v.PINWrong = "", cad(0), payterm.ForSignOn, true, true
		})},
		{"pin, to sign on, wrong", base(counter.ViewPIN, "", func(v *counter.View) {
			v.Order, v.Total, v.For, v.Number, v.PINDigits, v.PINWrong = "", cad(0), payterm.ForSignOn, "17", 2, true
		})},
		{"idle, signed on", counter.View{Name: counter.ViewIdle, Total: cad(0), Operator: marie,
			Status: counter.Status{Network: counter.NetworkUp}}},
		{"number, refund, wrong",
			base(counter.ViewNumber, p, refund, func(v *counter.View) { v.For, v.PINWrong = payterm.ForRefund, true })},
		{"number, a doubt", base(counter.ViewNumber, p, func(v *counter.View) {
			v.For, v.Number = payterm.ForOverride,
				"9999"
		})},
		{"refused, day limit", base(counter.ViewRefused, p, reason(payterm.ReasonDayLimit),
			func(v *counter.View) { v.Order = "" })},
		{"refused, wait", base(counter.ViewRefused, "", reason(payterm.ReasonLocked), func(v *counter.View) {
			v.Order, v.Total, v.Left = "", cad(0), time.Hour
		})},
		{"pin, refund, wrong", base(counter.ViewPIN, p, refund, func(v *counter.View) {
			v.PINWrong, v.For = true,
				payterm.ForRefund
		})},
		{"refunding", base(counter.ViewRefunding, p, refund, leave)},
		{"refunded", base(counter.ViewRefunded, p, refund)},
		{"in_doubt, a refund", base(counter.ViewInDoubt, p, refund, reason(payterm.ReasonNoAnswer))},
		{"tip", base(counter.ViewTip, p, func(v *counter.View) { v.Order, v.Tips = "", counter.Tips{10, 15, 18, 20} })},
		{"own_tip", base(counter.ViewOwnTip, p, func(v *counter.View) { v.Order, v.Tip = "", cad(150) })},
		{"menu", menu(counter.ViewMenu, counter.NoTask, func(*counter.Menu) {})},
		{"menu, signed on", signedOn(menu(counter.ViewMenu, counter.NoTask, func(m *counter.Menu) { m.Cursor = 9 }))},
		{"find, a receipt", menu(counter.ViewFind, counter.TaskRefund, func(m *counter.Menu) { m.Number = "42" })},
		{"find, a bill", menu(counter.ViewFind, counter.TaskWasPaid, func(*counter.Menu) {})},
		{"looking", menu(counter.ViewLooking, counter.TaskWasPaid, func(*counter.Menu) {})},
		{"list", menu(counter.ViewList, counter.TaskOpen, func(m *counter.Menu) {
			m.Rows, m.More = counter.Rows{doubt, unpaid, doubt, doubt, late}, true
		})},
		{"list, empty", menu(counter.ViewList, counter.TaskLate, func(*counter.Menu) {})},
		{"order", shown(back, "")},
		{"order, paid", shown(paid, counter.VerdictPaid)},
		{"order, paid after all", shown(unpaid, counter.VerdictPaid)},
		{"order, not paid", shown(unpaid, counter.VerdictNotPaid)},
		{"order, unknown", shown(doubt, counter.VerdictUnknown)},
		{"order, late", shown(late, "")},
		{"refund_amount", menu(counter.ViewRefundAmount, counter.TaskRefund, func(m *counter.Menu) { m.Order = paid })},
		{"refund_amount, a part", menu(counter.ViewRefundAmount, counter.TaskRefund,
			func(m *counter.Menu) { m.Order, m.Typing, m.Amount = paid, true, 500 })},
		{"sure, a refund", menu(counter.ViewSure, counter.TaskRefund, func(m *counter.Menu) { m.Order = paid }, refund)},
		{"sure, a word", menu(counter.ViewSure, counter.TaskOpen, func(m *counter.Menu) { m.Order = doubt })},
		{"word, a doubt", menu(counter.ViewWord, counter.TaskOpen, func(m *counter.Menu) {
			m.Order, m.Asking = doubt,
				true
		})},
		{"word, a late payment", menu(counter.ViewWord, counter.TaskLate, func(m *counter.Menu) { m.Order = paid })},
		{"sure, Z", menu(counter.ViewSure, counter.TaskZ, func(*counter.Menu) {})},
		{"totals, X", menu(counter.ViewTotals, counter.TaskX, func(m *counter.Menu) {
			m.Totals = counter.TotalsTold{SumsAll: 1,
				Sums: [counter.MaxSums]payterm.TotalsRow{{Currency: "CAD", Count: 17, AmountMinor: 123456,
					RefundCount:   1,
					RefundedMinor: 500}}}
		})},
		{"totals, X, an order open", menu(counter.ViewTotals, counter.TaskX, func(m *counter.Menu) {
			m.Totals = counter.TotalsTold{Query: counter.Query{Text: "x"}, SumsAll: 1,
				Sums: [counter.MaxSums]payterm.TotalsRow{{Currency: "CAD", Count: 17, AmountMinor: 123456}}, OpenAll: 1,
				Open: [5]payterm.OrderID{orderID}}
		})},
		{"totals, Z", menu(counter.ViewTotals, counter.TaskZ, func(m *counter.Menu) {
			m.Totals = counter.TotalsTold{Query: counter.Query{Text: "z"}, Number: 42, SumsAll: 1,
				Sums: [counter.MaxSums]payterm.TotalsRow{{Currency: "CAD", Count: 17, AmountMinor: 123456}}, OpenAll: 2,
				Open: [5]payterm.OrderID{orderID, orderID}}
		})},
		{"totals, Z of two currencies", menu(counter.ViewTotals, counter.TaskZ, func(m *counter.Menu) {
			m.Totals = counter.TotalsTold{Query: counter.Query{Text: "z"}, Number: 43, SumsAll: 2,
				Sums: [counter.MaxSums]payterm.TotalsRow{
					{Currency: "CAD", Count: 17, AmountMinor: 123456}, {Currency: "JPY", Count: 1, AmountMinor: 1200},
				}, OpenAll: 1, Open: [5]payterm.OrderID{orderID}}
		})},
		{"totals, none", menu(counter.ViewTotals, counter.TaskZ, func(m *counter.Menu) { m.Totals.Why = fullDisk })},
		{"rate", menu(counter.ViewRate, counter.TaskRate, func(m *counter.Menu) {
			m.Rate = counter.RateTold{Currency: "CAD", Rate: counter.Rate{CNYE8: 524740000}, Age: 125 * time.Minute}
		})},
		{"rate, none", menu(counter.ViewRate, counter.TaskRate, func(*counter.Menu) {})},
		{"language", menu(counter.ViewLanguage, counter.TaskLanguage, func(*counter.Menu) {})},
		{"operator", menu(counter.ViewOperator, counter.TaskStaff, func(m *counter.Menu) { m.Number = "17" })},
		{"operator, a supervisor", menu(counter.ViewOperator, counter.TaskStaff,
			func(m *counter.Menu) { m.Number = "9" }, func(v *counter.View) { v.Hint = counter.HintSupervisors })},
		{"new PIN", menu(counter.ViewNewPIN, counter.TaskStaff, func(m *counter.Menu) { m.Number = "17" },
			func(v *counter.View) { v.PINDigits = 4 })},
		{"new PIN, again", menu(counter.ViewNewPIN, counter.TaskStaff,
			func(m *counter.Menu) { m.Number, m.Known, m.Name = "17", true, "Marie" },
			func(v *counter.View) { v.Again = true })},
		{"new PIN, not alike", menu(counter.ViewNewPIN, counter.TaskStaff,
			func(m *counter.Menu) { m.Number = "17" }, func(v *counter.View) { v.Hint = counter.HintNotAlike })},
		{"new PIN, short", menu(counter.ViewNewPIN, counter.TaskStaff,
			func(m *counter.Menu) { m.Number = "17" }, func(v *counter.View) { v.Hint = counter.HintShortPIN })},
		{"operator kept", menu(counter.ViewOperatorKept, counter.TaskStaff,
			func(m *counter.Menu) { m.Number = "17" })},
		{"menu, with operators", signedOn(menu(counter.ViewMenu, counter.NoTask,
			func(m *counter.Menu) { m.Cursor = 11 }, func(v *counter.View) { v.Staffed = true }))},
		{"menu, an order is open", menu(counter.ViewMenu, counter.NoTask, func(*counter.Menu) {},
			because(payterm.ReasonOrdersOpen))},
		{"menu, in training", menu(counter.ViewMenu, counter.NoTask, func(*counter.Menu) {},
			func(v *counter.View) { v.Training = true })},
		{"sure, training", menu(counter.ViewSure, counter.TaskTraining, func(*counter.Menu) {})},
		{"switching", counter.View{Name: counter.ViewSwitching, Lines: counter.Tasks}},
		{"drills", menu(counter.ViewDrills, counter.TaskTraining, func(*counter.Menu) {})},
		{"briefing", menu(counter.ViewBriefing, counter.TaskTraining, func(*counter.Menu) {})},
		{"idle, a drill", counter.View{Name: counter.ViewIdle, Total: cad(0),
			Lesson: counter.Lesson{Drill: counter.DrillReplyLost}}},
		{"approved, a drill", base(counter.ViewApproved, p, func(v *counter.View) {
			v.Paid, v.Lesson = cad(1234), counter.Lesson{Drill: counter.DrillReplyLost, Grade: counter.GradeRight}
		})},
		{"fault", base(counter.ViewFault, "", func(v *counter.View) { v.Order, v.Fault = "", fullDisk })},
	}
}

// TestShotsCoverTheViews: all views are on the sheet.
func TestShotsCoverTheViews(t *testing.T) {
	seen := map[counter.ViewName]bool{}
	for _, s := range slices.Concat(shots(), trials()) {
		seen[s.view.Name] = true
	}
	for _, name := range counter.ViewNames {
		if !seen[name] {
			t.Errorf("no picture of %s", name)
		}
	}
}

// variants are the shots, and all texts that they do not show: each reason, hint, state of the paper, wallet
// and count, and amounts that barely fit.
func variants() []shot {
	all := slices.Concat(shots(), trials())
	with := func(name, of string, f func(*counter.View)) {
		i := slices.IndexFunc(all, func(s shot) bool { return s.name == of })
		v := all[i].view
		f(&v)
		all = append(all, shot{of + ": " + name, v})
	}
	for _, r := range screen.Reasons() {
		for _, of := range []string{"declined", "cancelled", "not_sent", "refused, day limit"} {
			with(string(r), of, func(v *counter.View) { v.Reason = r })
		}
	}
	for _, r := range []payterm.Reason{payterm.ReasonSlipsWait, payterm.ReasonStorage, payterm.ReasonTraining} {
		with(string(r), "menu, an order is open", func(v *counter.View) { v.Menu.Reason = r })
	}
	for d := range counter.Drill(counter.Drills) {
		with(fmt.Sprint(d), "briefing", func(v *counter.View) { v.Menu.Cursor = int(d) })
		for _, began := range []bool{false, true} {
			with(fmt.Sprint(d, began), "idle, a drill",
				func(v *counter.View) { v.Lesson = counter.Lesson{Drill: d + 1, Began: began} })
		}
	}
	for _, g := range []counter.Grade{counter.GradeRight, counter.GradeWrong, counter.GradeMissed} {
		for _, of := range []string{"idle", "approved", "declined", "not_sent", "in_doubt (passive)",
			"in_doubt (active)"} {
			with(string(g), of, func(v *counter.View) {
				v.Lesson = counter.Lesson{Drill: counter.DrillReplyLost,
					Grade: g}
			})
		}
	}
	for _, h := range []order.Hint{order.HintNotACode, order.HintUsedCode, order.HintOtherWallet, order.HintTooEarly} {
		for _, of := range []string{"scan", "waiting", "refunding"} {
			with(string(h), of, func(v *counter.View) { v.Hint = h })
		}
	}
	for _, h := range []order.Hint{counter.HintNothing, counter.HintNotOurs, counter.HintNotANumber,
		counter.HintPaymentCode, counter.HintNoSupervisor, counter.HintUnreadable} {
		for _, of := range []string{"menu", "find, a receipt", "find, a bill", "order", "order, late"} {
			if found := h == counter.HintNotOurs || h == counter.HintNotANumber ||
				h == counter.HintPaymentCode; found != strings.HasPrefix(of, "find") && h != counter.HintUnreadable {
				continue
			}
			with(string(h), of, func(v *counter.View) { v.Hint = h })
		}
	}
	for _, r := range []payterm.Reason{payterm.ReasonRefundCap, payterm.ReasonRefundOpen, payterm.ReasonNotRefundable} {
		with(string(r), "order", func(v *counter.View) { v.Menu.Reason = r })
	}
	for _, c := range []payterm.PaperCondition{payterm.PaperOut, payterm.PaperCoverOpen, payterm.PaperNearEnd,
		payterm.PaperUnreachable} {
		for _, of := range []string{"idle", "approved", "approved late", "show_code"} {
			with(string(c), of, func(v *counter.View) { v.Status.Paper = c })
		}
		with("no code, "+string(c), "refused, day limit",
			func(v *counter.View) { v.Reason, v.Status.Paper = payterm.ReasonNoPrinter, c })
	}
	for _, of := range []string{"idle", "idle, signed on", "idle, much to do", "approved",
		"approved, with fee, no paper", "approved late", "refunded", "show_code"} {
		with("a slip was lost", of, func(v *counter.View) { v.Status.Unprinted, v.Status.UnprintedOrder = 2, v.Order })
	}
	with("no choice", "amount", func(v *counter.View) { v.Choices = 0 })
	for _, n := range []int{1, 2, 999} {
		with(fmt.Sprint(n), "idle, much to do", func(v *counter.View) {
			v.Status.Queue, v.Status.Alarms, v.Status.Late, v.Status.Doubts = n, n, n, n
		})
		with(fmt.Sprint("queue ", n), "show_code", func(v *counter.View) { v.Status.Queue = n })
	}
	for _, n := range []int{2, 99} { // beside each title that can have it
		for _, of := range []string{"idle", "scan", "waiting", "approved", "in_doubt (passive)", "in_doubt (active)"} {
			with(fmt.Sprint("queue ", n), of, func(v *counter.View) { v.Status.Queue = n })
		}
	}
	for _, s := range shots() {
		for _, w := range payterm.Channels {
			with(string(w), s.name, func(v *counter.View) { v.Wallet = w })
		}
	}
	for _, s := range slices.Clone(all) {
		if s.view.Name != counter.ViewIdle { // it has none
			with("the largest amount", s.name, func(v *counter.View) { v.Total.Minor = payterm.MaxMinor })
		}
	}
	return all
}

// onGlass composes a view for a display: a small one shows fewer lines of a menu, as the agent requests them.
func onGlass(s shot, height int, o screen.Options) payterm.Screen {
	return inLines(s, screen.MenuLines(height), o)
}

// inLines composes a shot for a display with so many lines of a menu, 0 for all.
func inLines(s shot, most int, o screen.Options) payterm.Screen {
	v := s.view
	if most > 0 && v.Lines > 0 {
		v.Lines = most
		for i := v.Lines; i < len(v.Menu.Rows); i++ {
			v.Menu.Rows[i] = counter.Row{}
		}
	}
	return screen.Compose(v, o)
}

// wordsOf returns the texts of a screen.
func wordsOf(s payterm.Screen) string {
	all := append([]string{s.Title, s.Status, s.Amount, s.Elapsed, s.Small, s.Watermark}, s.Lines...)
	for _, item := range s.Items {
		all = append(all, item.Text)
	}
	for _, k := range s.Keys {
		all = append(all, k.Does)
	}
	return strings.Join(all, "\n")
}

// TestEveryTextFits: no text is cut, overlaps another, has a character that the display lacks or needs more
// pages than a cashier reads: every screen in every language on every display, as reported by the painter,
// including the watermark.
func TestEveryTextFits(t *testing.T) {
	for _, size := range []struct{ w, h, pages int }{
		{240, 320, 1}, {320, 240, 1}, {480, 320, 1}, {240, 240, 1}, {240, 135, 2}, {135, 240, 2}, {160, 128, 2},
		{128, 64, 2}, {128, 160, 2}, {160, 80, 2},
	} {
		t.Run(fmt.Sprintf("%dx%d", size.w, size.h), func(t *testing.T) {
			t.Parallel()
			p, err := glass.NewPainter(size.w, size.h)
			if err != nil {
				t.Fatal(err)
			}
			for _, language := range payterm.Languages {
				for _, s := range variants() {
					for _, mark := range []string{"", screen.Simulation, screen.InTraining} {
						o := screen.Options{Language: language, Merchant: "Dépanneur Côte-des-Neiges", Watermark: mark,
							Small: glass.Small(size.w, size.h), Link: counter.NetworkUp, Now: noon}
						composed := onGlass(s, size.h, o)
						if composed.Pattern && o.Small {
							continue // tested on the chip, in TestGallery
						}
						if lacks := unifont.Lacking(wordsOf(composed)); len(lacks) > 0 {
							t.Errorf("%s %s: no sign for %q", language, s.name, lacks)
						}
						composed.Name += s.name + mark + language // each begins on its first page
						for page, pages := 1, 1; page <= pages; page++ {
							if _, err := p.Paint(composed); err != nil {
								t.Errorf("%s %s, page %d: %v", language, s.name, page, err)
							}
							most := size.pages
							if mark != "" && (composed.QR != "" || strings.HasSuffix(s.name, "the largest amount")) {
								most++ // the watermark does not fit beside that
							}
							if pages = p.Pages(); pages > most {
								t.Errorf("%s %s %s: %d pages", language, s.name, mark, pages)
							}
							p.Turn()
						}
					}
				}
			}
		})
	}
}

// TestCodeOnPaperFits: the texts for a code that is on paper, was not printed, or can be shown nowhere fit
// every display.
func TestCodeOnPaperFits(t *testing.T) {
	view := shots()[slices.IndexFunc(shots(), func(s shot) bool { return s.name == "show_code" })].view
	for _, size := range [][2]int{{240, 320}, {320, 240}, {240, 135}, {135, 240}, {160, 128}, {128, 64}} {
		p, err := glass.NewPainter(size[0], size[1])
		if err != nil {
			t.Fatal(err)
		}
		for _, language := range payterm.Languages {
			for i := range 5 {
				v := view
				if v.Status.Unprinted, v.Status.UnprintedOrder = i%2, v.Order; i >= 3 {
					v.Status.Paper = payterm.PaperUnreachable
				}
				o := screen.Options{Language: language, Small: glass.Small(size[0], size[1]),
					OnPaper: func(string) bool { return true }, NoPrinter: i == 2}
				if i == 4 {
					o.CodePrinted = func(payterm.OrderID) bool { return false }
				}
				s := screen.Compose(v, o)
				if _, err := p.Paint(s); err != nil || s.QR != "" || p.Pages() > 2 {
					t.Errorf("%v %s: %v on %d pages, %q", size, language, err, p.Pages(), s.Lines)
				}
			}
		}
	}
}

// listedWords returns the Chinese words of unifont's list, from its source, so that the code under test is not
// its own judge.
func listedWords(t *testing.T) []string {
	t.Helper()
	source, err := os.ReadFile("../unifont/chinese.go")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(source), "`")
	if len(parts) != 3 {
		t.Fatalf("unifont/chinese.go has %d raw strings", len(parts)/2)
	}
	return strings.Fields(parts[1])
}

// splits returns the words that are broken over two rows of a display.
func splits(words []string, text string, rows []string) (out []string) {
	for _, word := range words {
		if !strings.Contains(text, word) {
			continue
		}
		for at := range word {
			for i, row := range rows[:max(0, len(rows)-1)] {
				if at > 0 && strings.HasSuffix(row, word[:at]) && strings.HasPrefix(rows[i+1], word[at:]) {
					out = append(out, word)
				}
			}
		}
	}
	return out
}

// TestChineseWordsStayWhole: no Chinese word of our texts is broken over two rows, on any display.
func TestChineseWordsStayWhole(t *testing.T) {
	words := listedWords(t)
	for _, size := range [][2]int{{240, 320}, {320, 240}, {480, 320}, {240, 240}, {240, 135}, {135, 240}, {160, 128},
		{128, 64}, {128, 160}, {160, 80}} {
		p, err := glass.NewPainter(size[0], size[1])
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range slices.Concat(shots(), trials()) {
			for _, mark := range []string{"", screen.Simulation} {
				composed := onGlass(s, size[1], screen.Options{Language: "zh", Watermark: mark,
					Small: glass.Small(size[0], size[1]), Link: counter.NetworkUp, Now: noon})
				if composed.Pattern {
					continue
				}
				composed.Name += s.name + mark
				var rows []string
				for page, pages := 1, 1; page <= pages; page++ {
					if _, err := p.Paint(composed); err != nil {
						t.Errorf("%v %s: %v", size, s.name, err)
					}
					rows, pages = append(rows, p.Texts()...), p.Pages()
					p.Turn()
				}
				if split := splits(words, wordsOf(composed), rows); len(split) > 0 {
					t.Errorf("%v %s: %q is broken in %q", size, s.name, split, rows)
				}
			}
		}
	}
	for _, c := range []struct {
		rows []string
		want int
	}{{[]string{"付款码", "无效"}, 0}, {[]string{"付款码无", "效"}, 1}, {[]string{"付", "款码无", "效"}, 3}} {
		if got := splits(words, "付款码无效", c.rows); len(got) != c.want {
			t.Errorf("%q: %q", c.rows, got)
		}
	}
}

// slips are all slips, in a language or, for the customer, in several.
func slips(language string, customer ...string) (names []string, all []payterm.Receipt) {
	opt := receipt.Options{
		Language: language, Customer: customer, MerchantID: "ON00000000", Terminal: "SHOP01",
		Zone:      time.FixedZone("EST", -5*3600),
		Watermark: screen.SlipMark(screen.Simulation, append([]string{language}, customer...)...),
		Merchant: receipt.Merchant{
			Name: "Thé & Cie", Address: "1, rue de l'Église, Montréal", Phone: "514 555-0100",
			TaxID: "TPS/GST 123456789 RT0001; TVQ/QST 1234567890 TQ0001",
		},
	}
	if language == "zh" {
		opt.Merchant.Name = "一壶好茶"
	}
	sale := payterm.Order{
		ID: orderID, Kind: payterm.KindSale, Mode: payterm.Passive, Wallet: payterm.WeChatPay, AmountMinor: 1234,
		TipMinor: 185, PaidMinor: 1419,
		Currency: "CAD", Outcome: payterm.Approved, Operator: "7", CreatedAt: time.Date(2026, 3, 2, 14, 0, 0, 0,
			time.UTC),
		ChannelOrderID: "4200002203202603021234567890", TradeTime: "2026-03-02 22:00:03", Payer: "o***k",
		MaskedCode: "****7890", ExchangeRate: "5.1932",
	}
	refund := payterm.Order{
		ID: "SHOP01K7QX2000043", Kind: payterm.KindRefund, SaleID: orderID, Mode: payterm.Passive,
		Wallet: payterm.WeChatPay, AmountMinor: 500,
		RefundedMinor: 500, Currency: "CAD", Outcome: payterm.Approved, Operator: "7", CreatedAt: sale.CreatedAt,
	}
	doubt, late := sale, sale
	doubt.Outcome, doubt.PaidMinor, doubt.Payer, doubt.ChannelOrderID, doubt.TradeTime,
		doubt.ExchangeRate = payterm.InDoubt, 0, "", "", "", ""
	unpaid := doubt
	unpaid.Outcome = payterm.Declined
	late.Reason = payterm.ReasonLatePayment
	add := func(name string, slip order.Slip, o payterm.Order, again bool) {
		names = append(names, name)
		all = append(all, receipt.Compose(slip, o, again, opt))
	}
	add("merchant", order.SlipMerchant, sale, false)
	add("customer", order.SlipCustomer, sale, false)
	add("in_doubt", order.SlipInDoubt, doubt, false)
	add("resolved, not paid", order.SlipResolved, unpaid, false)
	add("resolved, paid", order.SlipResolved, late, false)
	add("late_payment", order.SlipLatePayment, late, false)
	add("refund, again", order.SlipRefund, refund, true)
	add("refund_customer", order.SlipRefundCustomer, refund, false)
	day := payterm.Totals{
		Number: 42, From: sale.CreatedAt.Add(-24 * time.Hour), To: sale.CreatedAt.Add(9 * time.Hour),
		Head: "9f86d081884c7d659a2feaa0c55ad015", Open: []payterm.Order{doubt},
		By: []payterm.TotalsRow{
			{Currency: "CAD", Wallet: payterm.WeChatPay, Mode: payterm.Passive, Operator: "7", Count: 17,
				AmountMinor: 123456, TipMinor: 185, RefundCount: 1, RefundedMinor: 500},
			{Currency: "CAD", Wallet: payterm.Alipay, Mode: payterm.Active, Operator: "17", Count: 1, AmountMinor: 999},
		},
	}
	x := day
	x.Head, x.Open = "", nil
	// A Z across a change of currency, taken over the API by a supervisor.
	two := day
	two.TakenBy = payterm.TakenBy{Operator: payterm.TakenLocally, AllowedBy: "9"}
	two.By = []payterm.TotalsRow{
		{MerchantID: "ON00000000", Currency: "CAD", Wallet: payterm.WeChatPay, Mode: payterm.Passive, Operator: "7",
			Count: 17, AmountMinor: 123456, TipMinor: 185, RefundCount: 1, RefundedMinor: 500},
		{MerchantID: "ON00005678", Currency: "JPY", Wallet: payterm.Alipay, Mode: payterm.Active, Operator: "7",
			Count: 2, AmountMinor: 123456},
	}
	names = append(names, "X", "Z", "Z of two currencies", "code")
	return names, append(all, receipt.Totals(x, false, false, "CAD", opt), receipt.Totals(day, true, false, "CAD", opt),
		receipt.Totals(two, true, false, "CAD", opt),
		screen.CodeSlip(payterm.Order{Wallet: payterm.Alipay, AmountMinor: 1234, Currency: "CAD", ID: orderID},
			screen.TypicalCode, noon, screen.Options{Language: language, Merchant: opt.Merchant.Name,
				Watermark: screen.Simulation}))
}

// roll is a printer that prints to pictures, a thousand times faster than a real one.
type roll struct {
	board *emulated.Board
	out   *printer.Printer
}

func newRoll(t *testing.T) roll { return rollOf(t, "emulated") }

// rollOf returns the paper of a board: 58 mm of the emulated one, 80 mm of others.
func rollOf(t *testing.T, board string) roll {
	t.Helper()
	e, b := quietBoard(t, board)
	p := b.Profile.Printer
	out, err := printer.New(b.Printer, printer.Options{
		Columns: p.Columns, CodePage: p.CodePage, Cut: p.Cut, CutFeed: p.CutFeed, Baud: p.Baud, Buffer: p.Buffer,
		Speed: p.Speed, Sleep: e.Sleep,
	})
	if err != nil {
		t.Fatal(err)
	}
	return roll{e, out}
}

// print returns the picture of a slip.
func (r roll) print(t *testing.T, slip payterm.Receipt) image.Image {
	t.Helper()
	r.board.Tear()
	if err := r.out.Print(context.Background(), slip); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		if paper, words := r.board.Paper(); strings.Contains(words, "--- cut ---") {
			return paper
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is not on paper", slip.Name)
		}
	}
}

// TestPictures compares every screen and slip with its picture in docs/screens.
func TestPictures(t *testing.T) {
	r := newRoll(t)
	p, err := glass.NewPainter(240, 320)
	if err != nil {
		t.Fatal(err)
	}
	for _, language := range payterm.Languages {
		var sheet, beside sheet // the second is for screens that are not part of a sale
		for _, s := range slices.Concat(shots(), drills()) {
			img, err := p.Paint(screen.Compose(s.view, screen.Options{Language: language, Merchant: "Thé & Cie",
				Watermark: s.mark(), Link: counter.NetworkUp, Now: noon}))
			if err != nil {
				t.Errorf("%s %s: %v", language, s.name, err)
			}
			if s.view.Lines > 0 || s.view.Lesson.Drill != counter.NoDrill {
				beside.add(s.name, img, 8)
				continue
			}
			sheet.add(s.name, img, 8)
		}
		beside.hold(t, language+"-menu")
		sheet.hold(t, language)
	}
	for _, paper := range []struct {
		size string
		roll roll
	}{{"58mm", r}, {"80mm", rollOf(t, "generic-fbdev")}} {
		for _, language := range payterm.Languages {
			var sheet sheet
			names, all := slips(language)
			for i, slip := range all {
				sheet.add(names[i], paper.roll.print(t, slip), 6)
			}
			sheet.hold(t, language+"-"+paper.size)
		}
	}
	for _, both := range [][]string{{"fr", "en"}, {"zh", "en"}} {
		var sheet sheet
		names, all := slips(both[0], both...)
		for i, slip := range all {
			if slices.Contains([]string{"customer", "in_doubt", "resolved, not paid", "refund_customer"}, names[i]) {
				sheet.add(names[i], r.print(t, slip), 5)
			}
		}
		sheet.hold(t, strings.Join(both, "-"))
	}
}

// shops are names with characters that no single code page has, with other texts of a slip.
var shops = []struct{ name, address, ref, payer string }{
	{"張記茶餐廳", "香港灣仔軒尼詩道123號", "外賣 42", "陳*文"},
	{"Đặng Phở", "12 Phố Hàng Bông, Hà Nội", "Bàn số 5", "Nguyễn*"},
	{"Crêperie Œuvre™", "1, rue de l’Église — coin Saint‑Denis", "Table 5 \U0001F355",
		"Zoe\u0308 \U0001F469\u200d\U0001F373"},
	{"김밥천국", "서울특별시 종로구", "테이블 3 ☕", "김*수"},
	{"すし処 鮨カフェ", "東京都中央区銀座４丁目", "テーブル5", "山*太郎"},
	{"Кафе Ёлка", "ул. Тверская, 7", "Стол №5", "Иван*"},
}

// TestPicturesOfShops is the same with names from all over the world: slips on which they are drawn where the
// code page ends, and displays.
func TestPicturesOfShops(t *testing.T) {
	r := newRoll(t)
	p, err := glass.NewPainter(240, 320)
	if err != nil {
		t.Fatal(err)
	}
	small, err := glass.NewPainter(128, 64)
	if err != nil {
		t.Fatal(err)
	}
	var sheet sheet
	for _, shop := range shops {
		o := payterm.Order{
			ID: orderID, Kind: payterm.KindSale, Mode: payterm.Passive, Wallet: payterm.WeChatPay, AmountMinor: 1234,
			PaidMinor: 1234, Currency: "CAD", Outcome: payterm.Approved,
			CreatedAt: noon, Ref: shop.ref, Payer: shop.payer,
		}
		slip := receipt.Compose(order.SlipCustomer, o, false, receipt.Options{Language: "en", Terminal: "SHOP01",
			Merchant: receipt.Merchant{Name: shop.name, Address: shop.address, Phone: "514 555-0100"}})
		sheet.add("a slip", r.print(t, slip), len(shops))
	}
	for _, shop := range shops {
		img, err := p.Paint(screen.Compose(counter.View{Name: counter.ViewIdle, Total: cad(0),
			Operator: counter.Operator{Number: "1", Name: shop.payer}},
			screen.Options{Language: "en", Merchant: shop.name, Link: counter.NetworkUp, Now: noon}))
		if err != nil {
			t.Error(err)
		}
		sheet.add("idle", img, len(shops))
	}
	for _, shop := range shops {
		img, err := small.Paint(payterm.Screen{Name: shop.name, Title: shop.name,
			Lines: []string{shop.address, shop.ref}})
		if err != nil {
			t.Error(err)
		}
		sheet.add("small", img, len(shops))
	}
	sheet.hold(t, "shops")
}

// TestSmallPictures is the same with the smallest monochrome display: every page of every screen, as its chip
// shows it.
func TestSmallPictures(t *testing.T) {
	e, d := newGlass(t, "raspberrypi-i2c-ssd1306")
	for _, language := range payterm.Languages {
		var sheet sheet
		for _, s := range slices.Concat(shots(), drills(), trials()) {
			o := screen.Options{Language: language, Merchant: "Thé & Cie", Watermark: s.mark(),
				Small: true, Link: counter.NetworkUp, Now: noon}
			frames, unfit := pages(t, e, d, onGlass(s, 64, o))
			if unfit != nil {
				t.Errorf("%s %s: %v", language, s.name, unfit)
			}
			for i, frame := range frames {
				name := s.name
				if i > 0 {
					name = fmt.Sprintf("  page %d", i+1)
				}
				sheet.add(name, frame, 10)
			}
		}
		sheet.hold(t, language+"-small")
	}
}

// TestCharacterPictures is the same with character displays, whose ROMs have few accents: French, every page of
// every screen.
func TestCharacterPictures(t *testing.T) {
	text, err := boards.Read("raspberrypi-i2c-hd44780")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		size          string
		columns, rows int
		rom           string
	}{{"20x4", 20, 4, "A00"}, {"16x2", 16, 2, "A02"}} {
		profile, err := board.ReadProfile(x.size, text)
		if err != nil {
			t.Fatal(err)
		}
		profile.Display.Columns, profile.Display.Rows, profile.Display.ROM = x.columns, x.rows, x.rom
		e, b := quiet(t, profile)
		d := lit(t, e, b)
		sheet := sheet{colours: 8}
		for _, s := range slices.Concat(shots(), drills(), trials()) {
			composed := inLines(s, max(1, x.rows-1), screen.Options{Language: "fr", Merchant: "Thé & Cie",
				Watermark: s.mark(), Small: true, LettersOnly: true, Link: counter.NetworkUp, Now: noon})
			frames, unfit := pages(t, e, d, composed)
			if unfit != nil && !errors.Is(unfit, glass.ErrQRTooSmall) {
				t.Errorf("%s %s: %v", x.size, s.name, unfit)
			}
			for i, frame := range frames {
				name := s.name
				if i > 0 {
					name = fmt.Sprintf("  page %d", i+1)
				}
				sheet.add(name, frame, 8)
			}
		}
		sheet.hold(t, "fr-"+x.size)
	}
}

// sheet is a page of pictures with their names below.
type sheet struct {
	all   []placed
	x, y  int
	next  int // y of the next row
	inRow int
	w     int

	colours int // in the file; 12 if zero
}

type placed struct {
	name string
	img  image.Image
	at   image.Point
}

const (
	gap   = 8
	label = 16
)

// add puts a picture beside the last one, or into the next row after most pictures.
func (s *sheet) add(name string, img image.Image, most int) {
	if s.inRow == most {
		s.row()
	}
	if s.x == 0 {
		s.x = gap
	}
	keep := image.NewRGBA(img.Bounds())
	draw.Draw(keep, keep.Rect, img, keep.Rect.Min, draw.Src)
	s.all = append(s.all, placed{name, keep, image.Pt(s.x, s.y+gap)})
	s.x += keep.Rect.Dx() + gap
	s.next = max(s.next, s.y+gap+keep.Rect.Dy()+label)
	s.w = max(s.w, s.x)
	s.inRow++
}

func (s *sheet) row() { s.x, s.y, s.inRow = 0, s.next, 0 }

// paint draws the sheet in few colours, so that its file is small.
func (s *sheet) paint() *image.Paletted {
	whole := image.NewRGBA(image.Rect(0, 0, s.w, s.next+gap))
	draw.Draw(whole, whole.Rect, image.NewUniform(color.Gray{0xb0}), image.Point{}, draw.Src)
	for _, p := range s.all {
		draw.Draw(whole, p.img.Bounds().Sub(p.img.Bounds().Min).Add(p.at), p.img, p.img.Bounds().Min, draw.Src)
		d := font.Drawer{Dst: whole, Src: image.Black, Face: basicfont.Face7x13,
			Dot: fixed.P(p.at.X, p.at.Y+p.img.Bounds().Dy()+12)}
		d.DrawString(p.name)
	}
	count := map[color.RGBA]int{}
	for i := 0; i < len(whole.Pix); i += 4 {
		count[color.RGBA{whole.Pix[i], whole.Pix[i+1], whole.Pix[i+2], 0xff}]++
	}
	colours := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		if d := count[b] - count[a]; d != 0 {
			return d
		}
		return (int(a.R)<<16 | int(a.G)<<8 | int(a.B)) - (int(b.R)<<16 | int(b.G)<<8 | int(b.B))
	})
	var palette color.Palette
	for _, c := range colours[:min(max(12, s.colours), len(colours))] {
		palette = append(palette, c)
	}
	out, nearest := image.NewPaletted(whole.Rect, palette), map[color.RGBA]uint8{}
	for i := range out.Pix {
		c := color.RGBA{whole.Pix[4*i], whole.Pix[4*i+1], whole.Pix[4*i+2], 0xff}
		n, ok := nearest[c]
		if !ok {
			n = uint8(palette.Index(c))
			nearest[c] = n
		}
		out.Pix[i] = n
	}
	return out
}

// maxSheet is the largest size of a file, in bytes.
const maxSheet = 150_000

// hold compares the sheet with its file, or writes it.
func (s *sheet) hold(t *testing.T, name string) {
	t.Helper()
	path := filepath.Join("..", "docs", "screens", name+".png")
	got := s.paint()
	if *update {
		var out bytes.Buffer
		if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, got); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %v, %d bytes", path, got.Rect.Max, out.Len())
		if out.Len() > maxSheet {
			t.Errorf("%s has %d bytes: %d at the most", path, out.Len(), maxSheet)
		}
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if d := s.differs(got, want); d != "" {
		t.Errorf("%s: %s differs; where that is meant: go test ./screen -run Pictures -update", path, d)
	}
}

// differs returns the name of the first picture that differs from the file.
func (s *sheet) differs(got, want image.Image) string {
	if got.Bounds() != want.Bounds() {
		return "its size"
	}
	for y := range got.Bounds().Dy() {
		for x := range got.Bounds().Dx() {
			if color.RGBAModel.Convert(got.At(x, y)) == color.RGBAModel.Convert(want.At(x, y)) {
				continue
			}
			for _, p := range s.all {
				if image.Pt(x, y).In(image.Rectangle{Max: p.img.Bounds().Size().Add(image.Pt(0, label))}.Add(p.at)) {
					return p.name
				}
			}
			return fmt.Sprintf("pixel %d,%d", x, y)
		}
	}
	return ""
}

// TestSheetFindsAPixel: a picture that differs in one pixel is named.
func TestSheetFindsAPixel(t *testing.T) {
	var s sheet
	dark := image.NewRGBA(image.Rect(0, 0, 20, 20))
	for _, name := range []string{"one", "two", "three"} {
		s.add(name, dark, 2)
	}
	want := s.paint()
	if d := s.differs(s.paint(), want); d != "" {
		t.Errorf("%s differs from itself", d)
	}
	s.all[2].img.(*image.RGBA).Set(5, 5, color.Gray{0xb0})
	if d := s.differs(s.paint(), want); d != "three" {
		t.Errorf("%q is said to differ", d)
	}
}

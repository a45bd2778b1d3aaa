// Package screen puts what the terminal shows into words: a flows.View in, a
// payterm.Screen out, in the terminal's language. It decides what a cashier and
// a customer read; how that is laid out on a glass is for drivers/lcd.
//
// Every text of the screens is in a table for each language (texts.go, french.go,
// chinese.go).
package screen

import (
	"fmt"
	"time"

	"payterm"
	"payterm/flows"
)

// Options are what a screen needs besides the view.
type Options struct {
	Language  string // en, fr or zh
	Merchant  string
	Watermark string // SIMULATION, TRAINING
	Simulated bool
	Zone      *time.Location // of the times of orders; nil for UTC
	// OnPaper tells whether a QR code is printed, because the glass cannot show it;
	// nil when it always can.
	OnPaper func(qr string) bool
	// NoPrinter: what the glass cannot show is nowhere.
	NoPrinter bool
}

// TypicalCode is as long as the shorter codes of the wallets, 37 bytes: a glass
// that cannot show it has its codes printed.
const TypicalCode = "https://qr.alipay.com/bax00000typical"

// Compose puts a view into words.
func Compose(v flows.View, o Options) payterm.Screen {
	t := textsFor(o.Language)
	s := payterm.Screen{Name: string(v.Name), Watermark: o.Watermark, Status: status(v.Status, t)}
	if v.Order != "" && v.Name != flows.ViewWarning && v.Name != flows.ViewPIN && v.Name != flows.ViewNumber {
		s.Small = fmt.Sprintf(t.order, v.Order)
	}
	switch v.Name {
	case flows.ViewIdle:
		idle(&s, v, t, o)
	case flows.ViewAmount:
		s.Title, s.Amount = t.amountTitle, t.money(v.Total)
		s.Lines = []string{t.amountLine}
		active := t.keyShowCode
		if o.OnPaper != nil && o.OnPaper(TypicalCode) {
			active = t.keyPrintCode
		}
		s.Keys = []payterm.KeyHint{{Key: payterm.KeyEnter, Does: t.keyScan}, {Key: payterm.KeyF1, Does: active}, {Key: payterm.KeyClear, Does: t.keyBack}}
		if len(v.Choices.List()) == 0 {
			s.Keys = []payterm.KeyHint{{Key: payterm.KeyEnter, Does: t.keyScan}, {Key: payterm.KeyClear, Does: t.keyBack}}
		}
	case flows.ViewChooseWallet:
		s.Title, s.Amount = t.chooseTitle, t.money(v.Total)
		for i, w := range v.Choices.List() {
			s.Lines = append(s.Lines, fmt.Sprintf("%d  %s", i+1, t.wallet(w)))
		}
		s.Keys = []payterm.KeyHint{{Key: payterm.KeyCancel, Does: t.keyBack}}
	case flows.ViewWarning:
		warning(&s, v, t)
	case flows.ViewNumber:
		number(&s, v, t)
	case flows.ViewRefused:
		refused(&s, v, t)
	case flows.ViewPIN:
		pin(&s, v, t)
	case flows.ViewScan, flows.ViewSending, flows.ViewShowCode, flows.ViewWaiting:
		serving(&s, v, t, o)
	case flows.ViewRefunding:
		refunding(&s, v, t)
	case flows.ViewApproved, flows.ViewRefunded, flows.ViewDeclined, flows.ViewCancelled, flows.ViewNotSent, flows.ViewInDoubt:
		result(&s, v, t, o)
	case flows.ViewTip, flows.ViewOwnTip:
		tip(&s, v, t)
	case flows.ViewMenu, flows.ViewFind, flows.ViewLooking, flows.ViewList, flows.ViewOrder, flows.ViewRefundAmount, flows.ViewSure,
		flows.ViewTotals, flows.ViewRate, flows.ViewLanguage, flows.ViewDrills, flows.ViewBriefing:
		menu(&s, v, t, o)
	case flows.ViewSwitching:
		s.Tone, s.Title, s.Lines = payterm.Busy, t.tasks[flows.TaskTraining], []string{t.lookingLine}
	case flows.ViewFault:
		s.Tone, s.Title = payterm.Bad, t.faultTitle
		s.Lines = []string{t.faultLine, v.Fault}
	case flows.ViewService:
		trial(&s, v, t)
	}
	lesson(&s, v, t)
	return s
}

func idle(s *payterm.Screen, v flows.View, t *texts, o Options) {
	s.Title = o.Merchant
	if s.Title == "" {
		s.Title = t.idleTitle
	}
	s.Amount = t.money(v.Total)
	s.Lines = []string{t.idleLine}
	if v.Status.Alarms > 0 {
		s.Lines = append(s.Lines, t.count(v.Status.Alarms, t.alarms))
	}
	if v.Status.Late > 0 {
		s.Lines = append(s.Lines, t.count(v.Status.Late, t.late))
	}
	if v.Status.Doubts > 0 {
		s.Lines = append(s.Lines, t.count(v.Status.Doubts, t.doubts))
	}
	if v.Status.Unclosed != "" {
		s.Lines = append(s.Lines, fmt.Sprintf(t.unclosed, v.Status.Unclosed))
	}
	if v.Status.Network == flows.NetworkDown {
		s.Lines = append(s.Lines, t.offline)
	}
	if line := paper(v.Status.Paper, t); line != "" {
		s.Lines = append(s.Lines, line)
	}
	s.Keys = []payterm.KeyHint{{Key: "0-9", Does: t.keyAmount}, {Key: payterm.KeyF1, Does: t.menuTitle}}
	s.Small = v.Operator.Name
}

func warning(s *payterm.Screen, v flows.View, t *texts) {
	s.Tone, s.Title, s.Amount = payterm.Doubt, t.warningTitle, t.money(v.Total)
	s.Lines = []string{t.warningCode, t.warningAsk}
	if v.Doubt {
		s.Lines = []string{t.warningDoubt, t.warningAsk}
	}
	s.Small = fmt.Sprintf(t.order, v.Order)
	s.Keys = []payterm.KeyHint{{Key: payterm.KeyCancel, Does: t.keyStop}, {Key: payterm.KeyEnter, Does: t.keyGoOn}}
}

func pin(s *payterm.Screen, v flows.View, t *texts) {
	s.Tone, s.Title = payterm.Doubt, t.pinTitle
	s.Amount = "••••••••••••"[:3*v.PINDigits]
	ask := t.pinLine
	if v.Kind == payterm.KindRefund {
		ask, s.Small = t.refundPIN+" "+t.money(v.Total), fmt.Sprintf(t.order, v.Order)
	}
	wrong := t.pinWrong
	if v.For == payterm.ForSignOn {
		s.Tone, s.Title, s.Small = payterm.Calm, t.signOnTitle, fmt.Sprintf(t.operator, v.Number)
	}
	if v.Number != "" {
		wrong = t.personWrong // which of the two it was is nobody's business
	}
	s.Lines = []string{ask}
	if v.PINWrong {
		s.Lines = []string{wrong, ask}
	}
	s.Keys = []payterm.KeyHint{{Key: payterm.KeyEnter, Does: t.keyOK}, {Key: payterm.KeyCancel, Does: t.keyStop}}
}

// number asks who somebody is, before his PIN.
func number(s *payterm.Screen, v flows.View, t *texts) {
	pin(s, v, t)
	s.Amount = v.Number
	ask := t.numberLine
	if v.For == payterm.ForRefund {
		ask = t.refundNumber + " " + t.money(v.Total)
	}
	s.Lines = []string{ask}
	if v.PINWrong {
		s.Lines = []string{t.personWrong, ask}
	}
	if v.For == payterm.ForSignOn {
		s.Small, s.Keys = "", s.Keys[:1]
	}
}

// refused says why nothing began, which is no answer of anybody's wallet.
func refused(s *payterm.Screen, v flows.View, t *texts) {
	s.Tone, s.Title, s.Lines = payterm.Bad, t.refusedTitle, []string{reason(v.Reason, t)}
	if v.Total.Minor > 0 {
		s.Amount = t.money(v.Total)
		s.Lines = append(s.Lines, t.nothingSent)
	}
	if v.Left > 0 {
		s.Lines = append(s.Lines, t.count(int((v.Left+time.Minute-1)/time.Minute), t.waitMinutes))
	}
	s.Keys = []payterm.KeyHint{{Key: payterm.KeyEnter, Does: t.keyNext}}
}

func serving(s *payterm.Screen, v flows.View, t *texts, o Options) {
	s.Tone, s.Amount, s.Elapsed = payterm.Busy, t.money(v.Total), clock(v.Elapsed)
	switch v.Name {
	case flows.ViewScan:
		s.Title, s.Lines = t.scanTitle, []string{t.scanLine}
	case flows.ViewSending:
		s.Title, s.Lines = t.sendingTitle, []string{t.wallet(v.Wallet), t.sendingLine}
		if v.Mode == payterm.Active {
			s.Lines[1] = t.sendingActive
		}
		if v.Redialling {
			s.Lines = []string{t.redialling, t.redialling2}
		}
		if s.Lines[0] == "" {
			s.Lines = s.Lines[1:]
		}
	case flows.ViewShowCode:
		s.Title, s.QR = fmt.Sprintf(t.showTitle, t.wallet(v.Wallet)), v.CodeURL
		s.Small = string(v.Order) // the code leaves no room for the word
		if o.OnPaper != nil && o.OnPaper(v.CodeURL) {
			s.QR, s.Lines = "", []string{t.codeOnPaper}
			if line := paper(v.Status.Paper, t); line != "" {
				s.Lines = []string{line, t.codeOnPaper}
			}
			if o.NoPrinter {
				s.Tone, s.Lines = payterm.Doubt, []string{t.codeNowhere, t.codeNowhere2}
			}
		}
	case flows.ViewWaiting:
		s.Title, s.Lines = t.waitingTitle, []string{t.wallet(v.Wallet), t.waitingLine}
	default:
	}
	if hint := hint(v.Hint, t); hint != "" {
		s.Tone, s.Lines = payterm.Doubt, []string{hint}
	}
	if v.CanLeave {
		does := t.keyCancel
		if v.Name == flows.ViewWaiting {
			does = t.keyLeave
		}
		s.Keys = []payterm.KeyHint{{Key: payterm.KeyCancel, Does: does}}
	}
}

// refunding is the waiting screen of a refund, from its first question to its end.
func refunding(s *payterm.Screen, v flows.View, t *texts) {
	s.Tone, s.Title, s.Amount, s.Elapsed = payterm.Busy, t.refundingTitle, t.money(v.Total), clock(v.Elapsed)
	s.Lines = []string{t.wallet(v.Wallet), t.refundingLine}
	if v.Redialling {
		s.Lines = []string{t.redialling, t.redialling2}
	}
	if s.Lines[0] == "" {
		s.Lines = s.Lines[1:]
	}
	if hint := hint(v.Hint, t); hint != "" {
		s.Tone, s.Lines = payterm.Doubt, []string{hint}
	}
	if v.CanLeave {
		s.Keys = []payterm.KeyHint{{Key: payterm.KeyCancel, Does: t.keyLeave}}
	}
}

func result(s *payterm.Screen, v flows.View, t *texts, o Options) {
	nothingCharged, mayTry := t.nothingSent, t.notSentLine
	if v.Kind == payterm.KindRefund {
		nothingCharged, mayTry = t.noMoneyBack, t.noMoneyBack
	}
	s.Amount = t.money(v.Total)
	s.Keys = []payterm.KeyHint{{Key: payterm.KeyEnter, Does: t.keyNext}}
	if v.Name == flows.ViewApproved || v.Name == flows.ViewRefunded {
		s.Keys = append(s.Keys, payterm.KeyHint{Key: payterm.KeyF2, Does: t.keyReprint})
	}
	switch v.Name {
	case flows.ViewRefunded:
		s.Tone, s.Title, s.Lines = payterm.Good, t.refundedTitle, []string{t.wallet(v.Wallet), t.refundDone}
	case flows.ViewApproved:
		s.Tone, s.Title, s.Lines = payterm.Good, t.approvedTitle, []string{t.wallet(v.Wallet)}
		if v.PaidMinor > v.Total.Minor {
			s.Lines = append(s.Lines, fmt.Sprintf(t.withFee, t.money(payterm.Amount{Minor: v.PaidMinor, Currency: v.Total.Currency})))
		}
		if cny, known := v.Status.Rate.CNY(v.Total); known {
			s.Lines = append(s.Lines, fmt.Sprintf(t.aboutCNY, t.money(cny), rateTime(v.Status.Rate, o)))
		}
		if v.Reason == payterm.ReasonLatePayment {
			s.Lines = append(s.Lines, t.lateResult)
		}
		if line := paper(v.Status.Paper, t); line != "" {
			s.Lines = append(s.Lines, line)
		}
	case flows.ViewDeclined:
		s.Tone, s.Title = payterm.Bad, t.declinedTitle
		s.Lines = []string{reason(v.Reason, t), t.declinedLine}
	case flows.ViewCancelled:
		s.Tone, s.Title = payterm.Calm, t.cancelledTitle
		s.Lines = []string{reason(v.Reason, t), nothingCharged}
	case flows.ViewNotSent:
		s.Tone, s.Title = payterm.Bad, t.notSentTitle
		s.Lines = []string{reason(v.Reason, t), mayTry}
	case flows.ViewInDoubt:
		inDoubt(s, v, t)
	default:
	}
}

// inDoubt is the screen on which a second charge is prevented.
func inDoubt(s *payterm.Screen, v flows.View, t *texts) {
	s.Tone, s.Title = payterm.Doubt, t.doubtTitle
	switch {
	case v.Kind == payterm.KindRefund:
		s.Title, s.Lines = t.refundDoubt, []string{t.refundDoubtLine, t.doubtKeepsAsking}
	case v.Reason == payterm.ReasonRefunded:
		s.Title = t.refundedTitle
		s.Lines = []string{fmt.Sprintf(t.refundedLine, t.money(payterm.Amount{Minor: v.Refunded, Currency: v.Total.Currency}))}
	case v.Mode == payterm.Active:
		s.Lines = []string{t.doubtActive, t.doubtKeepsAsking}
	default:
		s.Lines = []string{t.doubtPassive, t.doubtAskWallet, t.doubtKeepsAsking}
	}
}

// CodeSlip puts a QR code that no glass can show on paper: once, with the time
// after which it is not to be paid any more.
func CodeSlip(v flows.View, until time.Time, o Options) payterm.Receipt {
	t := textsFor(o.Language)
	r := payterm.Receipt{Name: "code"}
	for _, text := range []string{o.Watermark, o.Merchant, fmt.Sprintf(t.showTitle, t.wallet(v.Wallet))} {
		if text != "" {
			r.Lines = append(r.Lines, payterm.ReceiptLine{Text: text, Align: payterm.AlignCenter})
		}
	}
	r.Lines = append(r.Lines,
		payterm.ReceiptLine{Text: t.money(v.Total), Align: payterm.AlignCenter, Bold: true, Large: true},
		payterm.ReceiptLine{Kind: payterm.LineQR, Text: v.CodeURL},
		payterm.ReceiptLine{Text: fmt.Sprintf(t.codeUntil, until.Format("15:04:05")), Align: payterm.AlignCenter, Bold: true},
		payterm.ReceiptLine{Text: t.codeNoReceipt, Align: payterm.AlignCenter},
		payterm.ReceiptLine{Text: fmt.Sprintf(t.order, v.Order), Align: payterm.AlignCenter},
		payterm.ReceiptLine{Kind: payterm.LineCut})
	return r
}

func clock(d time.Duration) string {
	s := int(d / time.Second)
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// status is the few characters beside the title.
func status(s flows.Status, t *texts) string {
	switch {
	case s.Network == flows.NetworkDown:
		return t.statusOffline
	case s.Paper == payterm.PaperOut || s.Paper == payterm.PaperCoverOpen || s.Paper == payterm.PaperUnreachable:
		return t.statusPaper
	case s.Queue > 0:
		return fmt.Sprintf(t.statusQueue, s.Queue)
	}
	return ""
}

func paper(c payterm.PaperCondition, t *texts) string {
	switch c {
	case payterm.PaperOut:
		return t.paperOut
	case payterm.PaperCoverOpen:
		return t.coverOpen
	case payterm.PaperNearEnd:
		return t.paperNearEnd
	case payterm.PaperUnreachable:
		return t.printerGone
	case payterm.PaperOK, payterm.PaperUnknown:
	}
	return ""
}

func hint(h flows.Hint, t *texts) string {
	switch h {
	case flows.HintNotACode:
		return t.hintNotACode
	case flows.HintUsedCode:
		return t.hintUsedCode
	case flows.HintOtherWallet:
		return t.hintOtherWallet
	case flows.HintTooEarly:
		return t.hintTooEarly
	case flows.HintNothing:
		return t.emptyList
	case flows.HintNotOurs:
		return t.hintNotOurs
	case flows.HintNotANumber:
		return t.hintNotANumber
	case flows.HintPaymentCode:
		return t.hintPaymentCode
	case flows.HintNoSupervisor:
		return t.hintNoSupervisor
	case flows.HintUnreadable:
		return t.hintUnreadable
	case flows.HintNone:
	}
	return ""
}

func reason(r payterm.Reason, t *texts) string {
	if text, ok := t.reasons[r]; ok {
		return text
	}
	return string(r)
}

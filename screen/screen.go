// Package screen puts what the terminal shows into words: it makes a payterm.Screen of a counter.View, in the
// terminal's language. It decides what a cashier and a customer read; package glass lays that out on a display.
//
// Every text of the screens is in a table for each language (texts.go, french.go, chinese.go).
package screen

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/flows/order"
)

// Options are what a screen needs besides the view.
type Options struct {
	Language  string // en, fr or zh
	Merchant  string
	Watermark string // Simulation, InTraining, or a text of its own
	Small     bool   // the display has room for few words
	// LettersOnly: a character display. A language that it cannot show (payterm.ScreenLanguages) becomes English.
	LettersOnly bool
	// Link is this machine's state of the network: interface, address, route.
	Link counter.Network
	Now  time.Time      // of the shop's clock; zero if it is not set
	Zone *time.Location // for the times of orders; nil for UTC
	// OnPaper reports whether a QR code is printed because the display cannot show it; nil if it always can.
	OnPaper func(qr string) bool
	// CodePrinted reports whether the slip with an order's code is on paper; nil if it always is.
	CodePrinted func(payterm.OrderID) bool
	// Arrows: the board has UP and DOWN, which move the mark of a list.
	Arrows bool
	// NoPrinter: a code that the display cannot show cannot be printed either.
	NoPrinter bool
	// ScannerAway: the scanner is unplugged or broken. Screens on which a code could be scanned say so.
	ScannerAway bool
	// ClockWrong: by this clock the gateway's certificate is not valid, and no time server has set the clock,
	// so the gateway cannot be asked.
	ClockWrong bool
	// Found is the result of the self test, which is shown on the idle screen.
	Found SelfTest
	// Notice is shown on screens of a counter without a customer. Refusal is the reason, if the notice says
	// that something was refused.
	Notice  Notice
	Refusal Refusal
}

// TypicalCode has 37 bytes, like the shorter codes of the wallets. If a display cannot show it, its codes are
// printed.
const TypicalCode = "https://qr.alipay.com/bax00000typical"

// Compose puts a view into words.
func Compose(v counter.View, o Options) payterm.Screen {
	if speaks := payterm.ScreenLanguages(o.LettersOnly); !slices.Contains(speaks, o.Language) {
		o.Language = speaks[0]
	}
	return o.fit(compose(v, o))
}

// fit chooses the forms of a screen's texts.
func (o Options) fit(s payterm.Screen) payterm.Screen {
	for _, text := range []*string{&s.Title, &s.Status, &s.Small, &s.Watermark} {
		*text = o.pick(*text)
	}
	for i := range s.Lines {
		s.Lines[i] = o.pick(s.Lines[i])
	}
	for i := range s.Items {
		s.Items[i].Text = o.pick(s.Items[i].Text)
	}
	for i := range s.Keys {
		s.Keys[i].Does = o.pick(s.Keys[i].Does)
	}
	return s
}

// or separates a text from a shorter form for small displays.
const or = "|"

// pick returns the form of a text for which the display has room.
func (o Options) pick(text string) string {
	if long, short, both := strings.Cut(text, or); !both || !o.Small {
		return long
	} else {
		return short
	}
}

// given returns a text from outside, which has only one form.
func given(text string) string { return strings.ReplaceAll(text, or, "/") }

func compose(v counter.View, o Options) payterm.Screen {
	t := textsFor(o.Language)
	s := payterm.Screen{Name: string(v.Name), Watermark: t.mark(o.Watermark), Status: status(v, t)}
	if v.Order != "" && v.Name != counter.ViewWarning && v.Name != counter.ViewPIN && v.Name != counter.ViewNumber {
		s.Small = fmt.Sprintf(t.order, v.Order)
	}
	switch v.Name {
	case counter.ViewIdle:
		idle(&s, v, t, o)
	case counter.ViewAmount:
		s.Title, s.Amount = t.amountTitle, t.money(v.Total)
		s.Lines = []string{t.amountLine}
		active := t.keyShowCode
		if o.OnPaper != nil && o.OnPaper(TypicalCode) {
			active = t.keyPrintCode
		}
		s.Keys = []payterm.KeyHint{{Key: payterm.KeyEnter, Does: t.keyScan}, {Key: payterm.KeyF1, Does: active},
			{Key: payterm.KeyClear, Does: t.keyBack}}
		if len(v.Choices.List()) == 0 { // the customer's code can only be scanned: nothing to ask
			s.Lines = nil
			s.Keys = []payterm.KeyHint{{Key: payterm.KeyEnter, Does: t.keyScan},
				{Key: payterm.KeyClear, Does: t.keyBack}}
		}
	case counter.ViewChooseWallet:
		s.Title, s.Amount = t.chooseTitle, t.money(v.Total)
		for i, w := range v.Choices.List() {
			s.Items = append(s.Items, payterm.Item{Key: digitKey(i + 1), Text: t.wallet(w)})
		}
		s.Keys = []payterm.KeyHint{{Key: payterm.KeyCancel, Does: t.keyBack}}
	case counter.ViewWarning:
		warning(&s, v, t)
	case counter.ViewNumber:
		number(&s, v, t, o)
	case counter.ViewRefused:
		refused(&s, v, t)
	case counter.ViewPIN:
		pin(&s, v, t)
	case counter.ViewScan, counter.ViewSending, counter.ViewShowCode, counter.ViewWaiting:
		serving(&s, v, t, o)
	case counter.ViewRefunding:
		refunding(&s, v, t)
	case counter.ViewApproved, counter.ViewRefunded, counter.ViewDeclined, counter.ViewCancelled, counter.ViewNotSent,
		counter.ViewInDoubt:
		result(&s, v, t, o)
	case counter.ViewLate:
		late(&s, v, t)
		s.Keys = append(s.Keys, payterm.KeyHint{Key: payterm.KeyEnter, Does: t.keyLater})
	case counter.ViewTip, counter.ViewOwnTip:
		tip(&s, v, t, o)
	case counter.ViewMenu, counter.ViewFind, counter.ViewLooking, counter.ViewList, counter.ViewOrder, counter.ViewWord,
		counter.ViewRefundAmount, counter.ViewSure,
		counter.ViewTotals, counter.ViewRate, counter.ViewLanguage, counter.ViewOperator, counter.ViewNewPIN,
		counter.ViewOperatorKept, counter.ViewDrills, counter.ViewBriefing:
		menu(&s, v, t, o)
	case counter.ViewSwitching:
		s.Tone, s.Title, s.Lines = payterm.Busy, t.tasks[counter.TaskTraining], []string{t.lookingLine}
	case counter.ViewFault:
		s.Tone, s.Title = payterm.Bad, t.faultTitle
		s.Lines = []string{t.faultLine}
		if detail := o.pick(t.fault(v.Fault)); len(detail) <= oneLine { // it is for the service
			s.Small = detail
		} else {
			s.Lines = append(s.Lines, detail)
		}
		if news := o.news(t); news != "" {
			s.Lines = append(s.Lines, news)
		}
	case counter.ViewService:
		trial(&s, v, t)
	}
	lesson(&s, v, t, o)
	return s
}

func idle(s *payterm.Screen, v counter.View, t *texts, o Options) {
	s.Title = given(o.Merchant)
	if s.Title == "" || o.Small {
		s.Title = t.idleTitle
	}
	s.Amount = t.money(v.Total)
	var waits []string
	for _, c := range []struct {
		n     int
		words counted
	}{{v.Status.Alarms, t.alarms}, {v.Status.Late, t.late}, {v.Status.Doubts, t.doubts}} {
		if c.n > 0 {
			waits = append(waits, t.count(c.n, c.words))
		}
	}
	if v.Status.Unclosed != "" {
		waits = append(waits, fmt.Sprintf(t.unclosed, v.Status.Unclosed))
	}
	if len(waits) > 1 { // in few words, on every display
		for i, text := range waits {
			waits[i] = Options{Small: true}.pick(text)
		}
		waits = []string{strings.Join(waits, ", ")}
	}
	switch line := paper(v.Status.Paper, t); {
	case v.Status.Unprinted > 0 && v.Status.Paper.Prints(): // no paper is shown first
		line = t.slipLost
		if len(waits) > 0 {
			line = Options{Small: true}.pick(line)
		}
		waits = append(waits, line)
	case line != "":
		waits = append(waits, line)
	}
	if o.ScannerAway {
		waits = append(waits, t.findings[FindingScanner])
	}
	s.Lines = append(append([]string{t.idleLine}, waits...), hops(v.Status.Network, t, o))
	s.Keys = []payterm.KeyHint{{Key: "0-9", Does: t.keyAmount}, {Key: payterm.KeyF1, Does: t.menuTitle}}
	news := o.news(t)
	if len(waits) > 0 {
		news = Options{Small: true}.pick(news)
	}
	switch {
	case o.Notice == UpdateRestarting:
		restarting(s, t, o)
	case o.Small && len(waits) > 0: // the staff know how to begin
		s.Lines = s.Lines[1:]
	case o.Small && news != "":
		s.Lines[0] = news
	case news != "":
		s.Lines = append(s.Lines, news)
	}
	if o.Found.Failed != "" {
		s.Lines = append(s.Lines, finding(o.Found, t))
	}
	if o.Small && len(s.Keys) > 1 {
		s.Keys = s.Keys[1:]
	}
	if s.Status == "" && !o.Now.IsZero() {
		s.Status = o.Now.Format("15:04")
	}
	if s.Small = given(v.Operator.Name); s.Small == "" && v.Operator.Number != "" {
		s.Small = fmt.Sprintf(t.operator, v.Operator.Number)
	}
}

// hops shows how much of the way to the gateway works, before a customer opens the phone.
func hops(gateway counter.Network, t *texts, o Options) string {
	switch {
	case o.Link == counter.NetworkDown:
		return t.linkDown
	case gateway == counter.NetworkDown && o.ClockWrong && o.Found.Failed != FindingClock: // the finding says the same
		return t.findings[FindingClock]
	case gateway == counter.NetworkDown:
		return t.offline
	case gateway == counter.NetworkUp:
		return t.gatewayUp
	case o.Link == counter.NetworkUp:
		return t.linkUp
	}
	return t.notAsked
}

func warning(s *payterm.Screen, v counter.View, t *texts) {
	s.Tone, s.Title, s.Amount = payterm.Doubt, t.warningTitle, t.money(v.Total)
	s.Lines = []string{t.warningCode, t.warningAsk}
	if v.Doubt {
		s.Lines = []string{t.warningDoubt, t.warningAsk}
	}
	s.Small = fmt.Sprintf(t.order, v.Order)
	s.Keys = []payterm.KeyHint{{Key: payterm.KeyCancel, Does: t.keyStop}, {Key: v.Yes, Does: t.keyGoOn}}
}

// fault translates a message of the journal; another text is returned as it is.
func (t *texts) fault(why string) string {
	if text := t.faults[why]; text != "" {
		return text
	}
	return given(why)
}

// oneLine is the width in characters of the small line on the narrowest large display.
const oneLine = 30

// pin asks for a PIN, and says what it is for.
func pin(s *payterm.Screen, v counter.View, t *texts) {
	ask, wrong := t.supervisorPIN, t.pinWrong
	asked(s, v, t)
	s.Amount = "••••••••••••"[:3*v.PINDigits]
	if v.For == payterm.ForSignOn {
		ask, s.Small = t.pinLine, fmt.Sprintf(t.operator, v.Number)
	}
	if v.Number != "" {
		wrong = t.personWrong // it does not reveal whether number or PIN was wrong
	}
	if v.PINWrong {
		s.Lines = append([]string{wrong, ask}, s.Lines...)
	} else {
		s.Lines = append([]string{ask}, s.Lines...)
	}
}

// number asks for an operator's number, before the PIN.
func number(s *payterm.Screen, v counter.View, t *texts, o Options) {
	ask := t.supervisorNumber
	asked(s, v, t)
	s.Amount = v.Number
	if v.For == payterm.ForSignOn {
		ask, s.Keys = t.numberLine, s.Keys[:1]
	}
	if v.Staffed && v.Number == "" {
		s.Keys = []payterm.KeyHint{{Key: payterm.KeyF2, Does: t.tasks[counter.TaskStaff]}}
	}
	if v.PINWrong {
		s.Lines = append([]string{t.personWrong, ask}, s.Lines...)
	} else {
		s.Lines = append([]string{ask}, s.Lines...)
	}
	if news := o.news(t); news != "" && v.For == payterm.ForSignOn && v.Number == "" { // nobody is signed on yet
		s.Lines = append(s.Lines, news)
	}
}

// asked composes the common part of PIN and number: the purpose and the amount.
func asked(s *payterm.Screen, v counter.View, t *texts) {
	s.Tone = payterm.Doubt
	switch v.For {
	case payterm.ForSignOn:
		s.Tone, s.Title = payterm.Calm, t.signOnTitle
	case payterm.ForRefund:
		s.Title = t.tasks[counter.TaskRefund]
	case payterm.ForResolve:
		s.Title = t.settleTitle
	case payterm.ForZ:
		s.Title = t.tasks[counter.TaskZ]
	case payterm.ForStaff:
		s.Tone, s.Title = payterm.Calm, t.tasks[counter.TaskStaff]
	case payterm.ForTraining:
		s.Tone, s.Title = payterm.Calm, t.tasks[counter.TaskTraining]
	default: // a sale despite a doubt
		s.Title = t.againTitle
	}
	if (v.For == payterm.ForRefund || v.For == payterm.ForOverride) && v.Total.Minor > 0 {
		s.Lines = []string{t.money(v.Total)}
	}
	if v.Order != "" && v.For != payterm.ForSignOn {
		s.Small = fmt.Sprintf(t.order, v.Order)
	}
	s.Keys = []payterm.KeyHint{{Key: payterm.KeyEnter, Does: t.keyOK}, {Key: payterm.KeyCancel, Does: t.keyStop}}
}

// refused says why a sale did not begin. This is not an answer of a wallet.
func refused(s *payterm.Screen, v counter.View, t *texts) {
	s.Tone, s.Title, s.Lines = payterm.Bad, t.refusedTitle, []string{reason(v.Reason, t)}
	if v.Total.Minor > 0 {
		s.Amount = t.money(v.Total)
	}
	switch line := paper(v.Status.Paper, t); {
	case v.Reason == payterm.ReasonNoPrinter && line != "":
		s.Lines = append(s.Lines, line, t.codeInstead)
	case v.Reason == payterm.ReasonNoPrinter:
		s.Lines = append(s.Lines, t.codeInstead)
	case v.Total.Minor > 0:
		s.Lines = append(s.Lines, t.nothingSent)
	}
	if v.Left > 0 {
		s.Lines = append(s.Lines, t.count(int((v.Left+time.Minute-1)/time.Minute), t.waitMinutes))
	}
	s.Keys = []payterm.KeyHint{{Key: payterm.KeyEnter, Does: t.keyNext}}
}

func serving(s *payterm.Screen, v counter.View, t *texts, o Options) {
	s.Tone, s.Amount, s.Elapsed = payterm.Busy, t.money(v.Total), clock(v.Elapsed)
	if v.Name == counter.ViewScan || v.Name == counter.ViewShowCode { // these views show a countdown
		s.Elapsed = clock(v.Left)
	}
	switch v.Name {
	case counter.ViewScan:
		s.Title, s.Lines = t.scanTitle, []string{t.scanLine}
	case counter.ViewSending:
		s.Title, s.Lines = t.sendingTitle, []string{t.wallet(v.Wallet), t.sendingLine}
		if v.Mode == payterm.Active {
			s.Lines[1] = t.sendingActive
		}
		if v.Redialling {
			s.Title, s.Lines = t.redialTitle, []string{t.redialling, t.redialling2}
		}
		if s.Lines[0] == "" {
			s.Lines = s.Lines[1:]
		}
	case counter.ViewShowCode:
		s.Title, s.QR = fmt.Sprintf(t.showTitle, t.wallet(v.Wallet)), v.CodeURL
		if s.Small = string(v.Order); o.Small { // the code leaves no room for the label, or for either
			s.Small, s.Status = "", ""
		}
		if o.OnPaper != nil && o.OnPaper(v.CodeURL) {
			codeSlip(s, v, t, o)
		}
	case counter.ViewWaiting:
		s.Title, s.Lines = t.waitingTitle, []string{t.wallet(v.Wallet), t.waitingLine}
		if v.Status.Network == counter.NetworkDown { // the state of the wallet is unknown
			s.Title, s.Lines = t.brokenTitle, []string{t.brokenLine, t.brokenAsks}
		}
	default:
	}
	if hint := hint(v.Hint, t); hint != "" {
		s.Tone, s.Lines = payterm.Doubt, []string{hint}
	}
	if v.Name == counter.ViewScan && o.ScannerAway {
		s.Tone = payterm.Doubt
		if v.Hint == order.HintNone {
			s.Lines = nil // nothing can be scanned
		}
		s.Lines = append(s.Lines, t.findings[FindingScanner])
	}
	if v.CanLeave {
		does := t.keyStop
		if v.Name == counter.ViewWaiting || v.Name == counter.ViewShowCode { // these may be paid all the same
			does = t.keyLeave
		}
		s.Keys = append(s.Keys, payterm.KeyHint{Key: payterm.KeyCancel, Does: does})
	}
}

// refunding composes the waiting screen of a refund, until its end.
func refunding(s *payterm.Screen, v counter.View, t *texts) {
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

func result(s *payterm.Screen, v counter.View, t *texts, o Options) {
	nothingCharged, mayTry := t.nothingSent, t.notSentLine
	if v.Kind == payterm.KindRefund {
		nothingCharged, mayTry = t.noMoneyBack, t.noMoneyBack
	}
	s.Amount = t.money(v.Total)
	s.Keys = []payterm.KeyHint{{Key: payterm.KeyEnter, Does: t.keyNext}}
	if (v.Name == counter.ViewApproved || v.Name == counter.ViewRefunded) && v.Status.Paper.Prints() {
		s.Keys = append(s.Keys, payterm.KeyHint{Key: payterm.KeyF2, Does: t.keyReprint})
	}
	switch v.Name {
	case counter.ViewRefunded:
		s.Tone, s.Title, s.Lines = payterm.Good, t.refundedTitle, []string{t.wallet(v.Wallet), t.refundDone}
		if lost(v) {
			s.Lines = append(s.Lines[1:], t.slipLost)
		}
	case counter.ViewApproved:
		s.Tone, s.Title, s.Lines = payterm.Good, t.approvedTitle, []string{t.wallet(v.Wallet)}
		if v.Paid.Minor > v.Total.Minor {
			s.Lines = append(s.Lines,
				fmt.Sprintf(t.withFee, t.money(v.Paid)))
		}
		if cny, known := v.Status.Rate.CNY(v.Total); known {
			s.Lines = append(s.Lines, fmt.Sprintf(t.aboutCNY, t.money(cny), rateTime(v.Status.Rate, o)))
		}
		if v.Reason == payterm.ReasonLatePayment { // and it was decided
			s.Lines = append(s.Lines, t.lateLine)
		}
		if line := paper(v.Status.Paper, t); lost(v) {
			s.Lines = append(s.Lines, t.slipLost)
		} else if line != "" && (!o.Small || !v.Status.Paper.Prints()) {
			s.Lines = append(s.Lines, line)
		}
		if o.Small && len(s.Lines) > 2 { // the wallet is the least important line
			s.Lines = s.Lines[1:]
		}
	case counter.ViewDeclined:
		s.Tone, s.Title = payterm.Bad, t.declinedTitle
		s.Lines = []string{reason(v.Reason, t), t.declinedLine}
	case counter.ViewCancelled:
		s.Tone, s.Title = payterm.Calm, t.cancelledTitle
		s.Lines = []string{reason(v.Reason, t), nothingCharged}
	case counter.ViewNotSent:
		s.Tone, s.Title = payterm.Bad, t.notSentTitle
		s.Lines = []string{reason(v.Reason, t), mayTry}
	case counter.ViewInDoubt:
		inDoubt(s, v, t)
	default:
	}
}

// late composes the screen of a payment that came after its sale was given up, with its choices.
func late(s *payterm.Screen, v counter.View, t *texts) {
	s.Tone, s.Title, s.Amount, s.Lines = payterm.Doubt, t.lateTitle, t.money(v.Total), []string{t.lateLine, t.lateAsk}
	s.Keys = []payterm.KeyHint{{Key: payterm.Key1, Does: t.keyRefund}, {Key: payterm.Key2, Does: t.keyKeep}}
}

// inDoubt composes the screen that prevents a second charge.
func inDoubt(s *payterm.Screen, v counter.View, t *texts) {
	s.Tone, s.Title = payterm.Doubt, t.doubtTitle
	switch {
	case v.Kind == payterm.KindRefund:
		s.Title, s.Lines = t.refundDoubt, []string{t.refundDoubtLine, t.doubtKeepsAsking}
	case v.Reason == payterm.ReasonRefunded:
		s.Title = t.refundedTitle
		s.Lines = []string{fmt.Sprintf(t.refundedLine,
			t.money(v.Refunded))}
	case v.Mode == payterm.Active:
		s.Lines = []string{t.doubtActive, t.doubtKeepsAsking}
	default:
		s.Lines = []string{t.doubtPassive, t.doubtAskWallet, t.doubtKeepsAsking}
	}
}

// CodeSlip composes a slip with a QR code that the display cannot show. It is printed once, with the time after
// which the code must not be paid any more.
func CodeSlip(order payterm.Order, codeURL string, until time.Time, o Options) payterm.Receipt {
	t, words := textsFor(o.Language), Options{} // paper has room
	r := payterm.Receipt{Name: "code"}
	for _, text := range []string{words.pick(t.mark(o.Watermark)), o.Merchant,
		words.pick(fmt.Sprintf(t.showTitle, t.wallet(order.Wallet)))} {
		if text != "" {
			r.Lines = append(r.Lines, payterm.ReceiptLine{Text: text, Align: payterm.AlignCenter})
		}
	}
	r.Lines = append(r.Lines,
		payterm.ReceiptLine{Text: t.money(order.Total()), Align: payterm.AlignCenter, Bold: true, Large: true},
		payterm.ReceiptLine{Kind: payterm.LineQR, Text: codeURL},
		payterm.ReceiptLine{Text: fmt.Sprintf(t.codeUntil, until.Format("15:04:05")), Align: payterm.AlignCenter,
			Bold: true},
		payterm.ReceiptLine{Text: t.codeNoReceipt, Align: payterm.AlignCenter},
		payterm.ReceiptLine{Text: words.pick(fmt.Sprintf(t.order, order.ID)), Align: payterm.AlignCenter},
		payterm.ReceiptLine{Kind: payterm.LineCut})
	return r
}

// codeSlip says where the code is that the display cannot show.
func codeSlip(s *payterm.Screen, v counter.View, t *texts, o Options) {
	line := paper(v.Status.Paper, t)
	s.QR, s.Lines = "", []string{t.codeOnPaper}
	switch {
	case o.NoPrinter:
		s.Tone, s.Lines = payterm.Doubt, []string{t.codeNowhere, t.codeNowhere2}
	case !v.Status.Paper.Prints() && o.CodePrinted != nil && !o.CodePrinted(v.Order): // it waits for the printer
		s.Tone, s.Lines = payterm.Doubt, []string{line, t.codeLost}
	case v.Status.Unprinted > 0 && v.Status.UnprintedOrder == v.Order:
		s.Tone, s.Lines = payterm.Doubt, []string{t.codeLost, t.codeNowhere2}
		s.Keys = append(s.Keys, payterm.KeyHint{Key: payterm.KeyF2, Does: t.keyReprint})
	case line != "":
		s.Lines = []string{line, t.codeOnPaper}
	}
}

func clock(d time.Duration) string {
	s := int(d / time.Second)
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// status returns the few characters beside the title. The number of orders still being inquired about is shown
// only on an idle screen that shows no other count: beside "1 payment in doubt", or on a result, it would be a
// second number for the same thing.
func status(v counter.View, t *texts) string {
	s := v.Status
	switch {
	case s.Network == counter.NetworkDown:
		return t.statusOffline
	case s.Paper == payterm.PaperOut:
		return t.statusPaper
	case s.Paper == payterm.PaperCoverOpen:
		return t.statusCover
	case s.Paper == payterm.PaperUnreachable:
		return t.statusPrinter
	case v.Name == counter.ViewIdle && s.Queue > 0 && s.Doubts+s.Late+s.Alarms == 0:
		return fmt.Sprintf(t.statusQueue, s.Queue)
	}
	return ""
}

// lost reports whether a slip of the view's order was not printed although the printer works.
func lost(v counter.View) bool {
	return v.Status.Unprinted > 0 && v.Status.UnprintedOrder == v.Order && v.Status.Paper.Prints()
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

func hint(h order.Hint, t *texts) string {
	switch h {
	case order.HintNotACode:
		return t.hintNotACode
	case order.HintUsedCode:
		return t.hintUsedCode
	case order.HintOtherWallet:
		return t.hintOtherWallet
	case order.HintTooEarly:
		return t.hintTooEarly
	case counter.HintNothing:
		return t.emptyList
	case counter.HintNotOurs:
		return t.hintNotOurs
	case counter.HintNotANumber:
		return t.hintNotANumber
	case counter.HintPaymentCode:
		return t.hintPaymentCode
	case counter.HintNoSupervisor:
		return t.hintNoSupervisor
	case counter.HintUnreadable:
		return t.hintUnreadable
	case counter.HintNotAlike:
		return t.hintNotAlike
	case counter.HintShortPIN:
		return t.hintShortPIN
	case counter.HintSupervisors:
		return t.hintSupervisors
	case order.HintNone:
	}
	return ""
}

func reason(r payterm.Reason, t *texts) string {
	if text, ok := t.reasons[r]; ok {
		return text
	}
	return string(r)
}

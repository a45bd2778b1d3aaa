// Package receipt composes slips: which lines a merchant and a customer get, in which order and words. The
// layout on paper is made in drivers/printer.
//
// Every text is in a table for each language (texts.go, french.go, chinese.go). A customer's slip may be in two
// languages: a centred text has a line for each, a label at the left has both, "Montant / Amount".
package receipt

import (
	"fmt"
	"strings"
	"time"

	"payterm"
	"payterm/flows/order"
	"payterm/locale"
)

// Merchant is the head of a slip. TaxID is printed as given, with a line for each number: they are separated by
// a semicolon or a new line, as in "TPS 123456789 RT0001; TVQ 1234567890 TQ0001".
type Merchant struct {
	Name, Address, Phone, TaxID string
}

// Options are what a slip needs besides the order.
type Options struct {
	Language   string   // en, fr or zh: of the merchant's slips
	Customer   []string // languages of the customer's slips; amounts are written in the first; none for Language
	Merchant   Merchant
	MerchantID string
	Terminal   string
	Zone       *time.Location
	Watermark  string // SIMULATION, on every slip
	// ReceiptQR is the text of a QR code on what a customer takes along of a sale that was paid, an address as a
	// rule: {order} in it becomes the order's number, {ref} the till's. Empty for none.
	ReceiptQR string
}

// Compose composes a slip of an order. Every print after the first is marked COPY.
func Compose(slip order.Slip, o payterm.Order, again bool, opt Options) payterm.Receipt {
	return repeatable(again, func(again bool) payterm.Receipt { return compose(slip, o, again, opt) })
}

// repeatable returns a slip that contains its copy, to be printed if it breaks off.
func repeatable(again bool, write func(again bool) payterm.Receipt) payterm.Receipt {
	r, next := write(again), write(true)
	r.Again = &next
	return r
}

func compose(slip order.Slip, o payterm.Order, again bool, opt Options) payterm.Receipt {
	t := textsFor(opt.Language)
	if forCustomer(slip) && len(opt.Customer) > 0 {
		t = textsFor(opt.Customer...)
	}
	r := payterm.Receipt{Name: string(slip), Order: o.ID, Copy: again}
	w := writer{&r}
	if opt.Watermark != "" {
		w.alert(opt.Watermark, false)
	}
	if o.MerchantID == "" || o.MerchantID == opt.MerchantID { // otherwise the sale was another shop's
		w.head(opt.Merchant)
	}
	if again {
		w.alert(t.copyMark, true)
	}
	switch slip {
	case order.SlipMerchant, order.SlipRefund:
		w.center(t.merchantCopy, false, false)
	case order.SlipCustomer, order.SlipRefundCustomer:
		w.center(t.customerCopy, false, false)
	case order.SlipLatePayment:
		w.alert(t.lateTitle, false)
		w.text(t.lateLine)
	case order.SlipInDoubt:
		w.alert(t.doubtTitle, false)
		w.text(t.doubtLine)
		w.text(t.doubtNext)
	case order.SlipResolved:
		w.center(t.resolvedTitle, true, false)
		if o.Outcome == payterm.Approved {
			w.text(t.resolvedPaid)
		} else {
			w.text(t.resolvedUnpaid)
		}
	}
	w.rule()
	w.pair(t.date, stamp(o.CreatedAt, opt, t))
	if o.Kind == payterm.KindRefund {
		w.pair(t.kind, t.refund)
	} else {
		w.pair(t.kind, t.sale)
	}
	w.pair(t.wallet, t.walletName(o.Wallet))
	money := func(label string, minor int64) {
		w.pair(label, t.number(payterm.Amount{Minor: minor, Currency: o.Currency}))
	}
	total := payterm.Amount{Minor: max(o.PaidMinor, o.Total().Minor), Currency: o.Currency}
	if total.Minor != o.AmountMinor { // or the total says it
		money(t.amount, o.AmountMinor)
	}
	if o.TipMinor != 0 {
		money(t.tip, o.TipMinor)
	}
	if fee := o.PaidMinor - o.Total().Minor; o.Outcome == payterm.Approved && fee > 0 {
		money(t.fee, fee)
	}
	w.total(t.total, locale.Coded(total, t.language))
	w.inCNY(o, total, t)
	if o.Outcome == payterm.Approved {
		w.center(outcome(o, t), true, true)
	} else {
		w.alert(outcome(o, t), true)
	}
	w.rule()
	w.details(o, opt, t)
	w.line(payterm.ReceiptLine{Kind: payterm.LineBarcode, Text: string(o.ID), Align: payterm.AlignCenter})
	if slip == order.SlipCustomer {
		if opt.ReceiptQR != "" && o.Outcome == payterm.Approved {
			w.line(payterm.ReceiptLine{Kind: payterm.LineQR, Text: opt.receiptQR(o), Align: payterm.AlignCenter})
			w.center(t.receiptQR, false, false)
			w.line(payterm.ReceiptLine{Kind: payterm.LineFeed, N: 1})
		}
		w.center(t.thanks, false, false)
	}
	if opt.Watermark != "" {
		w.alert(opt.Watermark, false)
		w.alert(t.notMoney, false)
	}
	w.line(payterm.ReceiptLine{Kind: payterm.LineCut})
	return r
}

// forCustomer reports whether a slip is for the customer.
func forCustomer(slip order.Slip) bool {
	switch slip {
	case order.SlipCustomer, order.SlipRefundCustomer, order.SlipInDoubt, order.SlipResolved:
		return true
	case order.SlipMerchant, order.SlipLatePayment, order.SlipRefund:
	}
	return false
}

// outcome returns the word for the order's outcome.
func outcome(o payterm.Order, t *texts) string {
	switch o.Outcome {
	case payterm.Approved:
		if o.Kind == payterm.KindRefund {
			return t.refunded
		}
		return t.approved
	case payterm.Declined:
		return t.declined
	case payterm.Cancelled:
		return t.cancelled
	case payterm.NotSent:
		return t.notSent
	case payterm.InDoubt, payterm.Open:
	}
	return t.inDoubt
}

type writer struct{ r *payterm.Receipt }

func (w writer) line(l payterm.ReceiptLine) { w.r.Lines = append(w.r.Lines, l) }

func (w writer) text(s string) {
	for s := range strings.SplitSeq(s, between) {
		w.line(payterm.ReceiptLine{Kind: payterm.LineText, Text: s})
	}
}

func (w writer) center(s string, bold, large bool) {
	for s := range strings.SplitSeq(s, between) {
		w.line(payterm.ReceiptLine{Kind: payterm.LineText, Text: s, Align: payterm.AlignCenter, Bold: bold,
			Large: large})
	}
}

// alert adds a line that must not be overlooked.
func (w writer) alert(s string, large bool) {
	from := len(w.r.Lines)
	w.center(s, true, large)
	for i := range w.r.Lines[from:] {
		w.r.Lines[from+i].Alert = true
	}
}

func (w writer) rule() { w.line(payterm.ReceiptLine{Kind: payterm.LineRule}) }

// beside joins the languages of a text in one line.
func beside(s string) string { return strings.ReplaceAll(s, between, " / ") }

func (w writer) pair(left, right string) {
	if right != "" {
		w.line(payterm.ReceiptLine{Kind: payterm.LinePair, Text: beside(left), Right: beside(right)})
	}
}

func (w writer) total(left, right string) {
	w.line(payterm.ReceiptLine{Kind: payterm.LinePair, Text: beside(left), Right: right, Bold: true})
}

func (w writer) head(m Merchant) {
	if m.Name != "" {
		w.center(m.Name, true, true)
	}
	taxes := strings.FieldsFunc(m.TaxID, func(r rune) bool { return r == ';' || r == '\n' })
	for _, s := range append([]string{m.Address, m.Phone}, taxes...) {
		if s = strings.TrimSpace(s); s != "" {
			w.center(s, false, false)
		}
	}
	if m != (Merchant{}) {
		w.line(payterm.ReceiptLine{Kind: payterm.LineFeed, N: 1})
	}
}

// escaped writes a text as a part of an address (RFC 3986, section 2).
func escaped(text string) string {
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '_', c == '~':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// inCNY is the wallet's rate of exchange, and what the total comes to by it.
func (w writer) inCNY(o payterm.Order, total payterm.Amount, t *texts) {
	r, known := payterm.ParseRate(o.ExchangeRate)
	if !known {
		w.pair(t.rate, o.ExchangeRate) // as it came
		return
	}
	w.pair(t.rate, locale.Decimal(r.String(), t.language)+" CNY/"+string(o.Currency))
	if cny, fits := r.CNY(total); fits {
		w.pair(t.inCNY, t.number(cny))
	}
}

// walletTime is the time of a payment by the wallet's clock, in the form of the shop's own and
// in the zone that the wallet's side has, which is not known; as it came where it has another form.
func walletTime(text string) string {
	if at, ok := payterm.ReadTradeTime(text); ok {
		return at.Format(time.DateTime)
	}
	return text
}

// receiptQR is the text of the code on a customer's slip.
func (o Options) receiptQR(of payterm.Order) string {
	return strings.NewReplacer("{order}", escaped(string(of.ID)), "{ref}", escaped(of.Ref)).Replace(
		o.ReceiptQR)
}

func (w writer) details(o payterm.Order, opt Options, t *texts) {
	w.pair(t.order, string(o.ID))
	w.pair(t.saleOrder, string(o.SaleID))
	w.pair(t.channelOrder, o.ChannelOrderID)
	w.pair(t.walletTime, walletTime(o.TradeTime))
	w.pair(t.payer, o.Payer)
	w.pair(t.code, o.MaskedCode)
	w.pair(t.ref, o.Ref)
	w.pair(t.operator, o.Operator)
	w.pair(t.terminal, opt.Terminal)
	if o.MerchantID == "" {
		o.MerchantID = opt.MerchantID
	}
	w.pair(t.merchantID, o.MerchantID)
}

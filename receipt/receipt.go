// Package receipt puts an order on paper: which lines a merchant and a customer
// get, in which order and words. How they are laid out on a roll is for
// drivers/printer.
package receipt

import (
	"fmt"
	"time"

	"payterm"
	"payterm/flows"
)

// Merchant is the head of a slip.
type Merchant struct {
	Name, Address, Phone, TaxID string
}

// Options are what a slip needs besides the order.
type Options struct {
	Language   string
	Merchant   Merchant
	MerchantID string
	Terminal   string
	Zone       *time.Location
	Watermark  string // SIMULATION, on every slip
}

// Compose writes a slip of an order. Every print after the first says COPY.
func Compose(slip flows.Slip, o payterm.Order, again bool, opt Options) payterm.Receipt {
	t := textsFor(opt.Language)
	r := payterm.Receipt{Name: string(slip)}
	w := writer{&r}
	if opt.Watermark != "" {
		w.center(opt.Watermark, true, false)
	}
	w.head(opt.Merchant)
	if again {
		w.center(t.copyMark, true, true)
	}
	switch slip {
	case flows.SlipMerchant, flows.SlipRefund:
		w.center(t.merchantCopy, false, false)
	case flows.SlipCustomer, flows.SlipRefundCustomer:
		w.center(t.customerCopy, false, false)
	case flows.SlipLatePayment:
		w.center(t.lateTitle, true, false)
		w.text(t.lateLine)
	}
	w.rule()
	if o.Kind == payterm.KindRefund {
		w.pair(t.kind, t.refund)
	} else {
		w.pair(t.kind, t.sale)
	}
	w.pair(t.wallet, o.Wallet.Name())
	w.money(t.amount, o.Amount())
	if o.TipMinor != 0 {
		w.money(t.tip, payterm.Amount{Minor: o.TipMinor, Currency: o.Currency})
	}
	if fee := o.PaidMinor - o.Total().Minor; o.Outcome == payterm.Approved && fee > 0 {
		w.money(t.fee, payterm.Amount{Minor: fee, Currency: o.Currency})
	}
	w.large(t.total, payterm.Amount{Minor: max(o.PaidMinor, o.Total().Minor), Currency: o.Currency})
	w.center(outcome(o, t), true, true)
	w.rule()
	w.details(o, opt, t)
	w.line(payterm.ReceiptLine{Kind: payterm.LineBarcode, Text: string(o.ID), Align: payterm.AlignCenter})
	if slip == flows.SlipCustomer {
		w.center(t.thanks, false, false)
	}
	if opt.Watermark != "" {
		w.center(opt.Watermark+" - "+t.notMoney, true, false)
	}
	w.line(payterm.ReceiptLine{Kind: payterm.LineCut})
	return r
}

// outcome is the word that the slip is about.
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

func (w writer) text(s string) { w.line(payterm.ReceiptLine{Kind: payterm.LineText, Text: s}) }

func (w writer) center(s string, bold, large bool) {
	w.line(payterm.ReceiptLine{Kind: payterm.LineText, Text: s, Align: payterm.AlignCenter, Bold: bold, Large: large})
}

func (w writer) rule() { w.line(payterm.ReceiptLine{Kind: payterm.LineRule}) }

func (w writer) pair(left, right string) {
	if right != "" {
		w.line(payterm.ReceiptLine{Kind: payterm.LinePair, Text: left, Right: right})
	}
}

func (w writer) money(label string, a payterm.Amount) { w.pair(label, a.String()) }

func (w writer) large(label string, a payterm.Amount) {
	w.line(payterm.ReceiptLine{Kind: payterm.LinePair, Text: label, Right: string(a.Currency) + " " + a.String(), Bold: true})
}

func (w writer) head(m Merchant) {
	if m.Name != "" {
		w.center(m.Name, true, true)
	}
	for _, s := range []string{m.Address, m.Phone, m.TaxID} {
		if s != "" {
			w.center(s, false, false)
		}
	}
}

func (w writer) details(o payterm.Order, opt Options, t *texts) {
	w.pair(t.order, string(o.ID))
	w.pair(t.saleOrder, string(o.SaleID))
	w.pair(t.channelOrder, o.ChannelOrderID)
	w.pair(t.date, stamp(o.CreatedAt, opt, t))
	w.pair(t.walletTime, o.TradeTime)
	w.pair(t.payer, o.Payer)
	w.pair(t.code, o.MaskedCode)
	if o.ExchangeRate != "" {
		w.pair(t.rate, fmt.Sprintf("%s CNY", o.ExchangeRate))
	}
	w.pair(t.ref, o.Ref)
	w.pair(t.operator, o.Operator)
	w.pair(t.terminal, opt.Terminal)
	w.pair(t.merchantID, opt.MerchantID)
}

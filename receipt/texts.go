package receipt

import (
	"fmt"
	"strings"

	"payterm"
	"payterm/locale"
)

// texts are the texts of the slips in one language: english below, french.go, chinese.go.
type texts struct {
	language                             string // as package locale names it
	copyMark, merchantCopy, customerCopy string
	lateTitle, lateLine                  string
	doubtTitle, doubtLine, doubtNext     string
	resolvedTitle, resolvedPaid          string
	resolvedUnpaid                       string
	kind, sale, refund                   string
	refunded, saleOrder                  string
	wallet, amount, tip, fee, total      string
	approved, declined, cancelled        string
	notSent, inDoubt                     string
	order, channelOrder, date, noClock   string
	walletTime, payer, code, rate, inCNY string
	receiptQR                            string // below its code
	ref, operator, terminal, merchantID  string
	supervisor, byPIN, locally           string // who took a Z
	thanks, notMoney                     string
	xTitle, xLine, zTitle                string // zTitle: %d, its number
	day, from, to                        string
	sales, refunds, open, carried        string // singular and plural, separated by |, if the language has both
	net, head                            string
	codeScanned, codeShown               string // the modes
	alipay, wechatPay, unionPay          string
}

// all returns every text.
func (t *texts) all() []*string {
	return []*string{
		&t.copyMark, &t.merchantCopy, &t.customerCopy, &t.lateTitle, &t.lateLine, &t.doubtTitle, &t.doubtLine,
		&t.doubtNext,
		&t.resolvedTitle, &t.resolvedPaid, &t.resolvedUnpaid, &t.kind, &t.sale, &t.refund, &t.refunded, &t.saleOrder,
		&t.wallet, &t.amount, &t.tip, &t.fee, &t.total, &t.approved, &t.declined, &t.cancelled, &t.notSent, &t.inDoubt,
		&t.order, &t.channelOrder, &t.date, &t.noClock, &t.walletTime, &t.payer, &t.code,
		&t.rate, &t.inCNY, &t.receiptQR, &t.ref, &t.operator,
		&t.supervisor, &t.byPIN, &t.locally,
		&t.terminal, &t.merchantID, &t.thanks, &t.notMoney, &t.alipay, &t.wechatPay, &t.unionPay,
		&t.xTitle, &t.xLine, &t.zTitle, &t.day, &t.from, &t.to, &t.sales, &t.refunds, &t.net, &t.open, &t.carried,
		&t.head, &t.codeScanned, &t.codeShown,
	}
}

// walletName returns the name that customers know.
func (t *texts) walletName(w payterm.Channel) string {
	switch w {
	case payterm.Alipay:
		return t.alipay
	case payterm.WeChatPay:
		return t.wechatPay
	case payterm.UnionPay:
		return t.unionPay
	}
	return w.Name()
}

var languages = map[string]*texts{"en": &english, "fr": &french, "zh": &chinese}

// between separates the languages in a text that has two of them.
const between = "\x00"

// textsFor returns the texts of a language, or English for an unknown one. Several languages are joined: each
// text has all of them, and amounts are written in the first.
func textsFor(wanted ...string) *texts {
	var all *texts
	for _, language := range wanted {
		t, ok := languages[language]
		if !ok {
			continue
		}
		if all == nil {
			all = new(*t)
			continue
		}
		more := t.all()
		for i, text := range all.all() {
			if !strings.Contains(between+*text+between, between+*more[i]+between) {
				*text += between + *more[i]
			}
		}
	}
	if all == nil {
		return &english
	}
	return all
}

// count returns the form of a text for a number.
func (t *texts) count(n int, text string) string {
	one, many, differ := strings.Cut(text, "|")
	if differ && !locale.One(n, t.language) {
		one = many
	}
	return fmt.Sprintf(one, n)
}

// number formats an amount in the first language.
func (t *texts) number(a payterm.Amount) string { return locale.Number(a, t.language) }

var english = texts{
	language: "en",
	copyMark: "COPY", merchantCopy: "Merchant copy", customerCopy: "Customer copy",
	lateTitle: "LATE PAYMENT", lateLine: "Paid after the sale was given up. Keep it or refund it.",
	doubtTitle:     "RESULT NOT KNOWN YET",
	doubtLine:      "It is not known yet whether this payment was made. The terminal keeps asking. This slip is no proof of payment.",
	doubtNext:      "What you can do: look into your wallet. If it shows the payment, do not pay again. Keep this slip: the shop finds the result by its order number.",
	resolvedTitle:  "NOW IT IS KNOWN",
	resolvedPaid:   "The payment of this order was made.",
	resolvedUnpaid: "The payment of this order was not made. Nothing was charged.",
	kind:           "Type", sale: "Sale", refund: "Refund",
	refunded: "REFUNDED", saleOrder: "Of order",
	wallet: "Wallet", amount: "Amount", tip: "Tip", fee: "Fee", total: "TOTAL",
	approved: "APPROVED", declined: "DECLINED", cancelled: "CANCELLED",
	notSent: "NOT SENT", inDoubt: "IN DOUBT",
	order: "Order", channelOrder: "Wallet no.", date: "Date", noClock: "clock not set",
	walletTime: "Wallet time", payer: "Payer", code: "Code", rate: "Rate", inCNY: "In CNY, about",
	receiptQR: "Your receipt",
	ref:       "Reference", operator: "Operator", supervisor: "Supervisor", byPIN: "by PIN", locally: "this machine",
	terminal: "Terminal", merchantID: "Merchant ID",
	thanks: "Thank you", notMoney: "no money moved",
	xTitle: "X TOTAL", xLine: "so far; the day goes on", zTitle: "Z TOTAL %d",
	day: "Business day", from: "From", to: "To", sales: "%d sale|%d sales", refunds: "%d refund|%d refunds",
	net: "NET", open: "%d not final yet|%d not final yet",
	carried: "%d not final yet, carried over|%d not final yet, carried over", head: "Journal",
	codeScanned: "code scanned", codeShown: "code shown",
	alipay: "Alipay", wechatPay: "WeChat Pay", unionPay: "UnionPay",
}

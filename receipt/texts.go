package receipt

import "payterm"

// texts is one language of the slips.
type texts struct {
	copyMark, merchantCopy, customerCopy string
	lateTitle, lateLine                  string
	kind, sale, refund                   string
	refunded, saleOrder                  string
	wallet, amount, tip, fee, total      string
	approved, declined, cancelled        string
	notSent, inDoubt                     string
	order, channelOrder, date, noClock   string
	walletTime, payer, code, rate        string
	ref, operator, terminal, merchantID  string
	thanks, notMoney                     string
	xTitle, xLine, zTitle                string // zTitle: %d, its number
	from, to, sales, refunds             string // sales, refunds: %d, how many
	net, open, head                      string // open: %d, how many
	modes                                map[payterm.Mode]string
}

var languages = map[string]*texts{"en": &english}

func textsFor(language string) *texts {
	if t, ok := languages[language]; ok {
		return t
	}
	return &english
}

var english = texts{
	copyMark: "COPY", merchantCopy: "Merchant copy", customerCopy: "Customer copy",
	lateTitle: "LATE PAYMENT", lateLine: "Paid after the sale was given up. Keep it or refund it.",
	kind: "Type", sale: "Sale", refund: "Refund",
	refunded: "REFUNDED", saleOrder: "Of order",
	wallet: "Wallet", amount: "Amount", tip: "Tip", fee: "Fee", total: "TOTAL",
	approved: "APPROVED", declined: "DECLINED", cancelled: "CANCELLED",
	notSent: "NOT SENT", inDoubt: "IN DOUBT",
	order: "Order", channelOrder: "Wallet no.", date: "Date", noClock: "clock not set",
	walletTime: "Wallet time", payer: "Payer", code: "Code", rate: "Rate",
	ref: "Reference", operator: "Operator", terminal: "Terminal", merchantID: "Merchant ID",
	thanks: "Thank you", notMoney: "no money moved",
	xTitle: "X TOTAL", xLine: "so far; the day goes on", zTitle: "Z TOTAL %d",
	from: "From", to: "To", sales: "%d sales", refunds: "%d refunds",
	net: "NET", open: "%d not final yet, carried over", head: "Journal",
	modes: map[payterm.Mode]string{payterm.Passive: "scanned", payterm.Active: "code shown"},
}

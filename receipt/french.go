package receipt

// french is the French of Quebec, using only letters that the oldest code pages have: of the accented capitals
// É, but neither À nor Ê.
var french = texts{
	language: "fr",
	copyMark: "COPIE", merchantCopy: "Copie du commerçant", customerCopy: "Copie du client",
	lateTitle: "PAIEMENT TARDIF", lateLine: "Payé après l'abandon de la vente. Gardez-le ou remboursez-le.",
	doubtTitle:     "RÉSULTAT PAS ENCORE CONNU",
	doubtLine:      "On ne sait pas encore si ce paiement a été fait. Le terminal continue de vérifier. Ce coupon n'est pas une preuve de paiement.",
	doubtNext:      "Que faire\u00a0: regardez votre portefeuille. S'il montre le paiement, ne payez pas de nouveau. Gardez ce coupon\u00a0: le magasin retrouve le résultat par le numéro de commande.",
	resolvedTitle:  "RÉSULTAT CONNU",
	resolvedPaid:   "Le paiement de cette commande a été fait.",
	resolvedUnpaid: "Le paiement de cette commande n'a pas été fait. Rien n'a été débité.",
	kind:           "Type", sale: "Vente", refund: "Remboursement",
	refunded: "REMBOURSÉ", saleOrder: "De la commande",
	wallet: "Portefeuille", amount: "Montant", tip: "Pourboire", fee: "Frais", total: "TOTAL",
	approved: "APPROUVÉ", declined: "REFUSÉ", cancelled: "ANNULÉ",
	notSent: "NON ENVOYÉ", inDoubt: "INCERTAIN",
	order: "Commande", channelOrder: "No de transaction", date: "Date", noClock: "horloge non réglée",
	walletTime: "Payé le", payer: "Payeur", code: "Code", rate: "Taux", inCNY: "En CNY, environ",
	receiptQR: "Votre reçu",
	ref:       "Référence", operator: "Opérateur", supervisor: "Superviseur", byPIN: "par NIP", locally: "cet appareil",
	terminal: "Terminal", merchantID: "No de commerçant",
	thanks: "Merci", notMoney: "aucun paiement réel",
	xTitle: "TOTAL X", xLine: "total partiel; la journée continue", zTitle: "TOTAL Z %d",
	day: "Journée", from: "Du", to: "Au", sales: "%d vente|%d ventes",
	refunds: "%d remboursement|%d remboursements",
	net:     "NET", open: "%d commande en suspens|%d commandes en suspens",
	carried: "%d commande en suspens, reportée|%d commandes en suspens, reportées", head: "Journal",
	codeScanned: "code lu", codeShown: "code affiché",
	alipay: "Alipay", wechatPay: "WeChat Pay", unionPay: "UnionPay",
}

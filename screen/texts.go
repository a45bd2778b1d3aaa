package screen

import (
	"fmt"

	"payterm"
	"payterm/flows/counter"
	"payterm/locale"
)

// texts are the texts of the screens in one language: english below, french.go, chinese.go. No text is anywhere
// else, and a test checks that each language has all of them.
type texts struct {
	language string // as package locale names it
	order    string // %s: the order id
	wallets  map[payterm.Channel]string

	idleTitle, idleLine                 string
	alarms, late, doubts                counted
	unclosed                            string // %s: a business day
	offline, linkDown, linkUp           string
	gatewayUp, notAsked                 string
	paperOut, paperNearEnd              string
	coverOpen, printerGone              string
	slipLost, codeLost                  string
	statusOffline, statusPaper          string
	statusCover, statusPrinter          string
	statusQueue                         string // %d orders
	amountTitle, amountLine             string
	chooseTitle                         string
	warningTitle, warningCode           string
	warningDoubt, warningAsk            string
	pinLine, pinWrong, againTitle       string
	signOnTitle, numberLine             string
	supervisorPIN, supervisorNumber     string
	personWrong                         string
	operator                            string // %s: the number
	refusedTitle                        string
	waitMinutes                         counted
	scanTitle, scanLine                 string
	sendingTitle, sendingLine           string
	sendingActive, redialling           string
	redialling2, redialTitle            string
	brokenTitle, brokenLine, brokenAsks string // the line fails while an answer is awaited
	showTitle                           string // %s: the wallet
	codeOnPaper, codeNoReceipt          string
	codeNowhere, codeNowhere2           string
	codeInstead                         string
	codeUntil                           string // %s: the time
	waitingTitle, waitingLine           string
	hintNotACode, hintUsedCode          string
	hintOtherWallet, hintTooEarly       string
	approvedTitle                       string
	lateTitle, lateLine, lateAsk        string
	keyLater, keyKeep                   string
	withFee                             string // %s: what was paid
	declinedTitle, declinedLine         string
	cancelledTitle, nothingSent         string
	notSentTitle, notSentLine           string
	doubtTitle, doubtPassive            string
	doubtAskWallet, doubtActive         string
	doubtKeepsAsking                    string
	refundedTitle                       string
	refundedLine                        string // %s: how much
	refundingTitle                      string
	refundingLine, refundDone           string
	noMoneyBack, refundDoubt            string
	refundDoubtLine, keyReprint         string
	faultTitle, faultLine               string
	itself                              string // the language's own name
	setupTitle, setupScan, setupStick   string
	setupDevice                         string // %s: its code
	setupCodeTitle, setupCodeLine       string
	setupBusyTitle, setupBusyLine       string
	setupDoneTitle, setupRefusedTitle   string
	setupAgain                          string
	setupWarned                         counted
	setupTesting, setupWell, keyTest    string
	findings                            map[string]string // by Findings: what failed, and what to do
	refusals                            map[string]string // by provision.Reason
	tipTitle                            string
	tipTotal                            string // %s: the amount without it
	keyNoTip, keyOwnTip                 string
	menuTitle                           string
	tasks                               map[counter.Task]string
	findReceipt, findBill, lookingLine  string
	emptyList                           string
	outcomes                            map[payterm.Outcome]string
	refundAll, refundSure               string
	refundPart                          string // %s: what is left
	settleTitle, settleLine, closeLine  string
	wordTitle, wordLine                 string
	zTitle                              string // %d: its number
	noTotals                            string
	net                                 string // %s: so many sales
	sales, refunds, carried, stillOpen  counted
	rateLine                            string // %s: the currency
	rateAge                             counted
	rateNone, rateNote                  string
	aboutCNY                            string // %s: an amount, %s: the time of the rate
	verdictPaid, verdictNotPaid         string
	paidAfterAll                        string
	hintNotOurs, hintNotANumber         string
	hintPaymentCode, hintNoSupervisor   string
	hintUnreadable                      string
	staffNumber, newPIN, newPINAgain    string
	newOperator, pinKept                string // %s: the number
	hintNotAlike, hintShortPIN          string
	hintSupervisors                     string
	keyChoose, keyMore, keyFind         string
	keyMove                             string
	keyList, keyAsk, keyRefund          string
	keySettle, keyYes                   string
	keyAmount, keyScan, keyShowCode     string
	keyPrintCode                        string
	keyBack, keyStop, keyGoOn           string
	keyOK, keyLeave, keyNext            string
	simulation, training                string // the watermarks
	trainingEnd, trainingLine           string
	drillsTitle, keyBegin               string
	drills, drillHappens, drillDo       map[counter.Drill]string
	drillWaits, drillOn                 string // %s: the drill
	drillRight, drillWrong, drillMissed string
	reasons                             map[payterm.Reason]string
	trials                              map[trialText]string // service.go
	notices                             map[Notice]string
	notTaken                            map[Refusal]string // of updates and sticks
	restartingLine                      string
	faults                              map[string]string
}

// Messages of the journal (storage) when no sale can be taken. The log has them in English, the screens in their
// language.
const (
	faultNewer    = "the journal was written by a newer payterm: install that version or a later one"
	faultDamaged  = "the journal file is damaged: keep it, restore the last backup beside it, and call the service"
	faultFull     = "the disk is full: free some space"
	faultReadOnly = "the disk is read-only: check the card and the file system"
	faultDenied   = "access to the journal is denied: run this as the user of the agent"
	faultDisk     = "the disk fails: check the card and its contacts, and change it"
	faultBusy     = "another program holds the journal: end it"
)

// counted is a text with a number in it. A language without a singular leaves one empty.
type counted struct{ one, other string }

func (t *texts) count(n int, c counted) string {
	if locale.One(n, t.language) {
		return c.one
	}
	return fmt.Sprintf(c.other, n)
}

// wallet returns the name that customers know.
func (t *texts) wallet(w payterm.Channel) string {
	if name, ok := t.wallets[w]; ok {
		return name
	}
	return w.Name()
}

func (t *texts) money(a payterm.Amount) string { return locale.Money(a, t.language) }

var languages = map[string]*texts{"en": &english, "fr": &french, "zh": &chinese}

// textsFor returns the texts of a language, or English for an unknown one.
func textsFor(language string) *texts {
	if t, ok := languages[language]; ok {
		return t
	}
	return &english
}

var english = texts{
	language: "en", trials: englishTrials,
	order: "Order %s|%[1]s",
	wallets: map[payterm.Channel]string{
		payterm.Alipay: payterm.Alipay.Name(), payterm.WeChatPay: payterm.WeChatPay.Name(),
		payterm.UnionPay: payterm.UnionPay.Name(),
	},

	idleTitle: "Ready", idleLine: "Type the amount",
	unclosed: "Not closed: %s",
	alarms: counted{"1 order needs a supervisor|1 for supervisor",
		"%d orders need a supervisor|%[1]d for supervisor"},
	late:      counted{"1 payment came late|1 paid late", "%d payments came late|%[1]d paid late"},
	doubts:    counted{"1 payment in doubt|1 in doubt", "%d payments in doubt|%[1]d in doubt"},
	offline:   "The gateway does not answer|Gateway is silent",
	linkDown:  "No network. Check the cable or the Wi-Fi|No network: cable?",
	linkUp:    "Network ok, gateway not asked yet|Network ok",
	gatewayUp: "Network and gateway ok|Gateway ok",
	notAsked:  "Gateway not asked yet|Not asked yet",
	paperOut:  "The printer has no paper|No paper", paperNearEnd: "Paper is nearly out|Paper nearly out",
	coverOpen:     "The printer cover is open|Printer cover open",
	printerGone:   "The printer does not answer|Printer: no answer",
	slipLost:      "A slip was not printed. Print it again|Slip not printed",
	codeLost:      "The code was not printed|Code not printed",
	statusOffline: "offline", statusPaper: "paper!", statusQueue: "%d open",

	statusCover: "cover!", statusPrinter: "printer!",
	redialTitle: "Not sent yet",
	brokenTitle: "No answer yet", brokenLine: "No connection. It may be paid|It may be paid", brokenAsks: "Do not charge again|Don't charge again",
	lateTitle: "Late payment", lateLine: "Paid after the sale was given up|Paid after all",
	lateAsk:  "Keep it, or give it back?|Keep or give back?",
	keyLater: "later", keyKeep: "keep",
	net: "Net: %s",
	setupWarned: counted{"Self test: nothing failed, 1 warning|Self test: 1 warning",
		"Self test: nothing failed, %d warnings|Self test: %[1]d warnings"},

	amountTitle: "Amount", amountLine: "Who scans?",
	chooseTitle: "Which wallet?",

	warningTitle: "Paid already?",
	warningCode:  "A code for this amount is still on show.|Its code still shows",
	warningDoubt: "A payment of this amount is still in doubt.|Same amount: doubt",
	warningAsk:   "Charge the customer again?|Charge again?",
	againTitle:   "Charge again?", pinLine: "Type your PIN", pinWrong: "Wrong PIN",
	signOnTitle: "Sign on", numberLine: "Type your number", operator: "Operator %s",
	supervisorPIN:    "A supervisor types the PIN|Supervisor's PIN",
	supervisorNumber: "A supervisor types the number|Supervisor's no.", personWrong: "Wrong number or PIN",
	refusedTitle: "Not possible",
	waitMinutes:  counted{"Wait one minute", "Wait %d minutes"},

	scanTitle: "Scan the code", scanLine: "Hold the customer's phone to the scanner|Phone to scanner",
	sendingTitle: "Sending", sendingLine: "Asking the wallet",
	sendingActive: "Asking for a code",
	redialling:    "No connection so far|No connection yet",
	redialling2:   "Trying again",
	showTitle:     "%s: please scan|%[1]s: scan",
	codeOnPaper:   "Give the printed code to the customer|Hand out the code",
	codeNowhere:   "This code is too long for this screen|Code too long",
	codeNowhere2:  "Cancel. Scan the customer's code|Cancel, then scan",
	codeInstead:   "Scan the customer's code instead|Scan customer's code",
	codeUntil:     "Pay before %s",
	codeNoReceipt: "This is no receipt",
	waitingTitle:  "Customer confirms", waitingLine: "Waiting for the wallet|Please wait",

	hintNotACode:    "That is not a payment code. Scan the code of the wallet|No payment code. Scan the wallet",
	hintUsedCode:    "That code was used before. Ask for a new one|Used code. Ask for a new one",
	hintOtherWallet: "That code belongs to another wallet|Code of another wallet",
	hintTooEarly:    "Please wait a few seconds more|Wait some seconds",

	approvedTitle: "Approved",
	withFee:       "Paid with fee: %s|with fee %[1]s",
	declinedTitle: "Declined", declinedLine: "Nothing was charged|Not charged",
	cancelledTitle: "Cancelled", nothingSent: "Nothing was charged|Not charged",
	notSentTitle: "Not sent", notSentLine: "Nothing was charged. You may try again|Not charged. Retry",
	doubtTitle: "Result unknown", doubtPassive: "Do not charge again|Don't charge again",
	doubtAskWallet:   "Look at the customer's wallet|See the wallet",
	doubtActive:      "Not paid so far. The customer's code may still be paid|Code may yet be paid",
	doubtKeepsAsking: "The terminal keeps asking|Asking goes on",
	refundedTitle:    "Refunded", refundedLine: "%s went back to the customer|%[1]s went back",
	refundingTitle: "Refund",
	refundingLine:  "Asking the wallet to give the money back|Asking the wallet",
	refundDone:     "The money goes back to the customer's wallet|Goes to the wallet",
	noMoneyBack:    "No money went back", refundDoubt: "Refund not confirmed|Refund unknown",
	refundDoubtLine: "Do not refund in another way yet|Don't refund again", keyReprint: "print again|again",
	faultTitle: "Out of order", faultLine: "No sale can be taken. Call the service|Call the service",

	keyAmount: "amount", keyScan: "scan", keyShowCode: "show code|code", keyPrintCode: "print code|print",
	keyBack: "back", keyStop: "stop", keyGoOn: "charge", keyOK: "ok",
	keyLeave: "leave", keyNext: "next",

	itself:     "English",
	setupTitle: "Not set up yet", setupScan: "Scan this terminal's provisioning code|Scan the code",
	setupStick:  "or plug in a USB stick that has it|or a USB stick",
	setupDevice: "Device %s", setupCodeTitle: "Type the code", setupCodeLine: "The 12 digits that came with it",
	setupBusyTitle: "Checking", setupBusyLine: "This takes some seconds", setupDoneTitle: "Set up. Starting",
	setupRefusedTitle: "Not accepted", setupAgain: "Ask for another one, or scan again|Ask for another",
	setupTesting: "Self test is running|Self test runs", setupWell: "Self test: all well|Self test: well",
	keyTest: "self test",
	findings: map[string]string{
		FindingSigners: "No signers: a card made with SIGNERS is needed|No signers: new card",
		FindingDisplay: "Display: check its cable", FindingKeypad: "Keypad: check its cable",
		FindingScanner: "Scanner: check its cable", FindingPrinter: "Printer: check its cable",
		FindingPaperOut: "Printer: no paper; put in a roll", FindingCoverOpen: "Printer: close the cover",
		FindingBuzzer: "Buzzer: check its wires", FindingLEDs: "Lamps: check their wires",
		FindingJournal: "Journal: it cannot be written. Call the service|Journal: call the service",
		FindingSpace:   "Storage is full. Call the service|Storage is full",
		FindingClock:   "Clock: not set. Connect the network|Clock is not set",
		FindingNetwork: "Network: check the cable",
		FindingGateway: "Gateway: no answer. Check the router|Gateway: no answer",
		FindingKey:     "Gateway: it refuses the key. Get a new parcel|Gateway: key refused",
		FindingOther:   "Self test failed: payterm doctor",
	},
	refusals: map[string]string{
		"unreadable":    "This is no provisioning code, or only a part of one",
		"foreign":       "It is signed by somebody whom this terminal does not trust",
		"altered":       "It was altered or misread: its signature is wrong",
		"for_another":   "It was made for another device",
		"older":         "This one or a newer one is installed already",
		"clock_not_set": "The clock is not set. Connect the network and wait a minute",
		"expired":       "It has expired", "wrong_code": "The code is wrong",
		"bad_content":    "What it brings cannot be used on this terminal",
		"orders_open":    "Orders of the present merchant are open. Wait until they are closed",
		"not_written":    "The terminal cannot write its data. Call the service",
		"too_many_wrong": "The code was wrong too often",
		"no_keypad":      "There are no keys for its code: run payterm provision FILE",
	},
	tipTitle: "Tip?", tipTotal: "on top of %s", keyNoTip: "no tip", keyOwnTip: "other",
	menuTitle: "Menu",
	tasks: map[counter.Task]string{
		counter.TaskLast: "Last sale", counter.TaskRefund: "Refund", counter.TaskWasPaid: "Was it paid?",
		counter.TaskOpen: "Open, in doubt",
		counter.TaskLate: "Late payments", counter.TaskX: "Total so far (X)", counter.TaskZ: "Close the day (Z)",
		counter.TaskRate:     "Exchange rate",
		counter.TaskLanguage: "Language", counter.TaskTraining: "Training",
		counter.TaskSignOff: "Sign off", counter.TaskStaff: "Operators",
	},
	findReceipt: "Scan the receipt, or type the end of its number|Scan or type number",
	findBill:    "Scan the number in the customer's wallet bill, or type its last digits|Scan the bill, or type its end",
	lookingLine: "One moment", emptyList: "Nothing here",
	outcomes: map[payterm.Outcome]string{
		payterm.Open: "Open", payterm.Approved: "Approved", payterm.Declined: "Declined",
		payterm.Cancelled: "Cancelled",
		payterm.NotSent:   "Not sent", payterm.InDoubt: "In doubt",
	},
	refundSure: "The money goes back to the customer|It goes back",
	refundAll:  "All of it. Or type a part|All, or type a part", refundPart: "A part of %s|of %[1]s",
	settleTitle: "Decided?", settleLine: "It is noted as settled. The terminal does not move any money|Noted. No money moves",
	wordTitle: "Noted", wordLine: "Settled. No money was moved|Settled",
	closeLine: "Prints the Z. What is open goes to the next day|Open orders go to the next day",
	zTitle:    "Day closed: Z %d", noTotals: "No totals",
	sales: counted{"1 sale", "%d sales"}, refunds: counted{"1 refund", "%d refunds"},
	carried:   counted{"1 open order carried over|1 carried over", "%d open orders carried over|%[1]d carried over"},
	stillOpen: counted{"1 order still open|1 still open", "%d orders still open|%[1]d still open"},
	rateLine:  "CNY for 1 %s", rateAge: counted{"1 minute old", "%d minutes old"},
	aboutCNY: "about %s (rate of %s)|about %[1]s",
	rateNone: "The gateway tells no rate now|No rate now", rateNote: "The wallet sets the real rate|The wallet decides",
	verdictPaid: "Paid", verdictNotPaid: "Not paid",
	paidAfterAll:     "Paid at the gateway, though not here. Do not charge again. Call a supervisor|Don't charge again. Call supervisor",
	hintNotOurs:      "Not an order of this terminal|Not from here",
	hintNotANumber:   "That is not an order's number|Not an order number",
	hintPaymentCode:  "That is a payment code. Scan the number of the order|A payment code. Scan the order",
	hintNoSupervisor: "Refunds need a supervisor's PIN. None is set up|No supervisor PIN",
	hintUnreadable:   "No answer. Try again",
	staffNumber:      "Type the operator's number. A new number adds an operator|Number, old or new",
	newPIN:           "Type the new PIN|New PIN", newPINAgain: "Type it again|Again",
	newOperator: "New operator %s", pinKept: "Operator %s can sign on with this PIN|%[1]s has this PIN",
	hintNotAlike: "The two PINs differ. Start again|PINs differ",
	hintShortPIN: "A PIN has 4 to 12 digits|4 to 12 digits", hintSupervisors: "Only that supervisor can change this PIN|Another supervisor's",
	keyChoose: "choose", keyMore: "more", keyMove: "move", keyFind: "find", keyList: "list", keyAsk: "ask now",
	keyRefund: "refund",
	keySettle: "settle", keyYes: "yes",

	simulation: Simulation, training: "TRAINING", trainingEnd: "End training",
	trainingLine: "Nothing is really paid, and tills cannot sell, until training ends|No real money. Tills wait",
	drillsTitle:  "Drills, end training|Drills, end", keyBegin: "begin",
	drills: map[counter.Drill]string{
		counter.DrillReplyLost: "Time-out", counter.DrillPassword: "Password", counter.DrillLate: "Late payment",
		counter.DrillDeclined: "Declined", counter.DrillPaper: "Paper out",
	},
	drillHappens: map[counter.Drill]string{
		counter.DrillReplyLost: "The customer pays, but the answer is lost|Paid, answer lost",
		counter.DrillPassword:  "The wallet asks the customer for a password|Wallet asks a password",
		counter.DrillLate:      "The customer pays after you left the sale with CANCEL|Paid after CANCEL",
		counter.DrillDeclined:  "The wallet refuses the payment|Wallet refuses",
		counter.DrillPaper:     "Open the printer or take the roll out, then sell|Take the roll out, then sell",
	},
	drillDo: map[counter.Drill]string{
		counter.DrillReplyLost: "Wait. Do not charge again|Wait",
		counter.DrillPassword:  "Let the customer type it. Wait|Wait",
		counter.DrillLate:      "When it rings, see the late payments in the menu: keep or refund|See late payments",
		counter.DrillDeclined:  "Nothing was charged. Ask for another way to pay|Ask another way",
		counter.DrillPaper:     "The payment stands. Put paper in. Do not charge again|Put paper in",
	},
	drillWaits: "Drill: %s. Make a sale|%[1]s: sell", drillOn: "Drill: %s, not over yet|%[1]s: goes on",
	drillRight: "Drill: done right|Drill: right", drillWrong: "Drill: wrong. It was charged twice|Charged twice!",
	drillMissed: "Drill: it did not come to it. Try again|Drill: try again",

	reasons: map[payterm.Reason]string{
		payterm.ReasonTraining:      "Not while the terminal is in training|Not in training",
		payterm.ReasonOrdersOpen:    "An order is still open. Try again when it is settled|An order is open",
		payterm.ReasonSlipsWait:     "Slips are still to be printed|Slips to print",
		payterm.ReasonCashier:       "Cancelled by the cashier|By the cashier",
		payterm.ReasonNoScan:        "Nobody scanned in time|Nobody scanned",
		payterm.ReasonNoCode:        "No code was received",
		payterm.ReasonNoConnection:  "No connection to the gateway|No connection",
		payterm.ReasonNoAnswer:      "No answer from the gateway|No answer",
		payterm.ReasonCodeTooOld:    "The code waited too long. Scan a new one|Code too old. Scan again",
		payterm.ReasonCertificate:   "The gateway's certificate is not trusted|Bad certificate",
		payterm.ReasonClock:         "The clock is not set. Connect the network and wait a minute|Clock is not set",
		payterm.ReasonRejected:      "The gateway refused the request. Call the service|Gateway refused. Call service",
		payterm.ReasonCodeInvalid:   "The code is old or not valid. Ask for a new one|Code too old. Ask for a new one",
		payterm.ReasonWrongPassword: "Wrong password",
		payterm.ReasonWallet:        "The wallet refused",
		payterm.ReasonRestarted:     "The terminal restarted|Restarted",
		payterm.ReasonStorage:       "The journal cannot be written|Journal is broken",
		payterm.ReasonRefundCap:     "More than is left of this sale|More than is left",
		payterm.ReasonOtherMerchant: "The sale is another merchant's, or in another currency|Another merchant's sale",
		payterm.ReasonRefundOpen:    "Another refund of this sale is under way|A refund is running",
		payterm.ReasonNotRefundable: "This sale was not paid",
		payterm.ReasonSaleUnknown:   "The gateway does not know this sale|Gateway: no such sale",
		payterm.ReasonSaleUnclear:   "The gateway does not say how this sale stands|Gateway: sale unclear",
		payterm.ReasonNoOperator:    "Nobody is signed on",
		payterm.ReasonDayLimit:      "More than may be sold in a day",
		payterm.ReasonNoPrinter:     "The code cannot be printed|Cannot print code",
		payterm.ReasonLocked:        "Too many wrong PINs",
	},

	faults: map[string]string{
		faultNewer: "The journal was written by a newer payterm: install that version or a later one|" +
			"Journal: newer version",
		faultDamaged: "The journal file is damaged: keep it, restore the last backup beside it, and call the service|" +
			"Journal is damaged",
		faultFull:     "The disk is full: free some space|The disk is full",
		faultReadOnly: "The disk is read-only: check the card and the file system|Disk is read-only",
		faultDenied:   "Access to the journal is denied: run this as the user of the agent|No access to journal",
		faultDisk:     "The disk fails: check the card and its contacts, and change it|The disk fails",
		faultBusy:     "Another program holds the journal: end it|Journal is in use",
	},
	restartingLine: "It takes a minute or two. Do not sell now|Back in a minute",
	notices: map[Notice]string{
		UpdateInstalling: "An update is being installed. Sell on|Installing update",
		UpdateWaiting:    "The update waits until nobody pays|The update waits",
		UpdateRestarting: "Restarting for an update|Restarting",
		UpdateDone:       "The update is done|Update done",
		UpdateUndone:     "The update did not work. The old version is back|Old version back",
		StickDone:        "The stick can be taken out|Take the stick out",
		StickWriting:     "Writing to the stick. Leave it in|Leave the stick in",
		ReportsWritten:   "The reports are on the stick. Take it out|Reports written",
		ServiceWritten:   "The service file is written|Service file out",

		ParcelWaitsForZ:      "A new configuration waits: close the day (Z) first|Close the day (Z)",
		ParcelWaitsForOrders: "A new configuration waits until all orders are closed|New setup waits",

		ScannerLayout:  "The scanner types for another keyboard: run payterm doctor|Scanner: keyboard",
		ScannerFraming: "The scanner is not understood: run payterm doctor|Scanner: settings",
	},
	notTaken: map[Refusal]string{
		NotOurs:       "Update refused: altered, or signed by somebody else|Update: not ours",
		OlderVersion:  "Update refused: older than this version|Update is older",
		SameVersion:   "Update: this version runs already|It runs already",
		OtherBoard:    "Update refused: for another board|Not for this board",
		JournalForm:   "Update refused: a version in between has to come first|A version between",
		NoRoom:        "Update refused: no room for it|Update: no room",
		ClockNotSet:   "Update refused: the clock is not set. Connect the network|Update: no clock",
		OrderOpen:     "No update now: an order is open|Update: order open",
		FailedBefore:  "Update refused: it did not work here before|Update failed once",
		OnTrial:       "No update now: the last one is still being tested|Update: on trial",
		NotFetched:    "The update could not be fetched|Update not fetched",
		NotInstalled:  "The update could not be installed|Update: no success",
		StickDamaged:  "The stick cannot be read|Stick unreadable",
		StickFull:     "The stick is full|Stick full",
		WriteGuarded:  "The stick is write-protected|Stick is locked",
		NothingToTake: "Nothing on the stick is for this terminal|Nothing on stick",
		NoReports:     "No reports could be made. Call the service|No reports made",
	},
}

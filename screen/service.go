package screen

import (
	"fmt"
	"strings"

	"payterm"
	"payterm/flows/counter"
)

// trialText names a text of the screens on which a device is tested.
type trialText string

const (
	trialTitle   trialText = "title"
	trialReady   trialText = "ready"
	trialColours trialText = "colours" // red, green and blue, each in one character
	trialPattern trialText = "pattern"
	trialCode    trialText = "code"
	trialKeypad  trialText = "keypad"
	trialKey     trialText = "key"
	trialScan    trialText = "scan"
	trialOnPaper trialText = "on paper"
	trialPrint   trialText = "print"
	trialPaper   trialText = "paper"
	trialLook    trialText = "look"
	trialSound   trialText = "sound"
	trialHeard   trialText = "heard"
	trialYes     trialText = "yes"
	trialNo      trialText = "no"
	trialSlip    trialText = "slip"
)

var englishTrials = map[trialText]string{
	trialTitle: "Service", trialReady: "The next test is coming|Next test comes",
	trialColours: "R G B", trialPattern: "Colours, edges, grey: right?|Is this right?",
	trialCode:   "Can a phone read it?",
	trialKeypad: "Keypad", trialKey: "Press this key",
	trialScan: "Scan this code", trialOnPaper: "It is on the paper",
	trialPrint: "A slip is being printed|Slip is printing", trialPaper: "Is the slip right?",
	trialLook:  "Letters, signs, both codes, the cut|Letters, codes, cut",
	trialSound: "Buzzer", trialHeard: "Did you hear it?",
	trialYes: "yes", trialNo: "no", trialSlip: "TEST, not a receipt",
}

var frenchTrials = map[trialText]string{
	trialTitle: "Service", trialReady: "Le prochain test arrive|Test suivant",
	trialColours: "R V B", trialPattern: "Couleurs, bords, gris : bons?|Est-ce bon?",
	trialCode:   "Un téléphone le lit?|Lisible?",
	trialKeypad: "Clavier", trialKey: "Appuyez sur cette touche|Appuyez ici",
	trialScan: "Numérisez ce code", trialOnPaper: "Il est sur le papier|Sur le papier",
	trialPrint: "Un coupon s'imprime|Impression", trialPaper: "Le coupon est-il bon?|Coupon bon?",
	trialLook:  "Lettres, signes, les deux codes, la coupe|Lettres, codes",
	trialSound: "Avertisseur", trialHeard: "L'avez-vous entendu?|Entendu?",
	trialYes: "oui", trialNo: "non", trialSlip: "TEST, pas un reçu",
}

var chineseTrials = map[trialText]string{
	trialTitle: "检修", trialReady: "即将开始下一项测试|等下一项测试",
	trialColours: "红 绿 蓝", trialPattern: "颜色、边框、灰阶正确吗|显示正确吗", trialCode: "手机能识别吗",
	trialKeypad: "键盘", trialKey: "请按此键",
	trialScan: "请扫描此码", trialOnPaper: "码已打印在纸上|码在纸上",
	trialPrint: "正在打印测试单|正在打印", trialPaper: "测试单正确吗", trialLook: "文字、符号、两种码、切纸|文字、码、切纸",
	trialSound: "蜂鸣器", trialHeard: "听到了吗",
	trialYes: "是", trialNo: "否", trialSlip: "测试，非收据",
}

// trial composes a question of payterm doctor to the person at the terminal.
func trial(s *payterm.Screen, v counter.View, t *texts) {
	say := t.trials
	s.Tone, s.Title = payterm.Busy, say[trialTitle]
	if v.Trial.Of > 0 {
		s.Small = fmt.Sprintf("%d / %d", v.Trial.At, v.Trial.Of)
	}
	leave := []payterm.KeyHint{{Key: payterm.KeyCancel, Does: t.keyLeave}}
	judge := []payterm.KeyHint{{Key: payterm.KeyEnter, Does: say[trialYes]},
		{Key: payterm.KeyCancel, Does: say[trialNo]}}
	switch v.Trial.Step {
	case counter.TrialNone:
		s.Lines = []string{say[trialReady]}
	case counter.TrialPattern:
		s.Pattern, s.Title, s.Lines, s.Keys = true, say[trialPattern], strings.Fields(say[trialColours]), judge
	case counter.TrialCode:
		s.Title, s.QR = say[trialCode], v.Trial.Code
		// Below a code there is room for one key.
		does := say[trialYes] + "   " + string(payterm.KeyCancel) + "  " + say[trialNo]
		s.Keys = []payterm.KeyHint{{Key: payterm.KeyEnter, Does: does}}
	case counter.TrialKey:
		s.Title, s.Amount, s.Lines, s.Keys = say[trialKeypad], string(v.Trial.Key), []string{say[trialKey]}, leave
	case counter.TrialScan:
		s.Title, s.QR, s.Keys = say[trialScan], v.Trial.Code, leave
		if s.QR == "" {
			s.Lines = []string{say[trialOnPaper]}
		}
	case counter.TrialPrint:
		s.Lines = []string{say[trialPrint]}
	case counter.TrialPaper:
		s.Title, s.Lines, s.Keys = say[trialPaper], []string{say[trialLook]}, judge
	case counter.TrialSound:
		s.Title, s.Lines, s.Keys = say[trialSound], []string{say[trialHeard]}, judge
	}
}

// ScanSlip composes a slip with the code that the terminal's own scanner is to read.
func ScanSlip(code string, o Options) payterm.Receipt {
	r := payterm.Receipt{Lines: trialHead(o)}
	r.Lines = append(r.Lines, payterm.ReceiptLine{Kind: payterm.LineQR, Text: code},
		payterm.ReceiptLine{Text: textsFor(o.Language).trials[trialScan], Align: payterm.AlignCenter},
		payterm.ReceiptLine{Kind: payterm.LineCut})
	return r
}

// TestSlip composes a slip with everything that a slip can have, so that a person sees how the printer prints
// it: styles, edges, the letters of a code page, Chinese, codes.
func TestSlip(code string, o Options) payterm.Receipt {
	r := payterm.Receipt{Lines: trialHead(o)}
	r.Lines = append(r.Lines, []payterm.ReceiptLine{
		{Text: "Aa 0123456789"},
		{Text: "Aa 0123456789", Bold: true},
		{Text: "Aa 0123", Large: true},
		{Text: "Aa 0123", Large: true, Bold: true},
		{Text: "<--"},
		{Text: "<-->", Align: payterm.AlignCenter},
		{Text: "-->", Align: payterm.AlignRight},
		{Kind: payterm.LinePair, Text: "<--", Right: "$1,234.56"},
		{Kind: payterm.LineRule},
		{Text: "é è à ç ô ï É"},
		{Text: "支付宝 微信支付 云闪付"},
		{Kind: payterm.LineBarcode, Text: "PAYTERM-123"}, // short enough for bars on any paper
		{Kind: payterm.LineQR, Text: code},
		{Kind: payterm.LineFeed, N: 1},
		{Kind: payterm.LineCut},
	}...)
	return r
}

// trialHead composes the head that marks a slip as a test.
func trialHead(o Options) []payterm.ReceiptLine {
	var head []payterm.ReceiptLine
	for _, text := range []string{o.Watermark, textsFor(o.Language).trials[trialSlip]} {
		if text != "" {
			head = append(head, payterm.ReceiptLine{Text: text, Align: payterm.AlignCenter, Bold: true})
		}
	}
	return head
}

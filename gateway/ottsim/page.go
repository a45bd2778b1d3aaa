package ottsim

import (
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"
)

//go:embed page.html
var pageHTML string

var page = template.Must(template.New("pay").Parse(pageHTML))

type pageData struct {
	ID, Wallet, Amount, Status, Done string
	Open                             bool
}

// payPage is the page of a code_url: it asks the customer whether to pay.
func (s *Sim) payPage(w http.ResponseWriter, r *http.Request) {
	s.showPage(w, r.PathValue("id"), "")
}

// payForm handles the buttons Pay and Decline of that page.
func (s *Sim) payForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxRequestBody)
	s.showPage(w, r.PathValue("id"), r.PostFormValue("do"))
}

// showPage carries out the pressed button, if any, and shows the state of the order. It shows an error only if
// the state does not explain it.
func (s *Sim) showPage(w http.ResponseWriter, id, press string) {
	var wrong error
	s.mu.Lock()
	s.settle()
	if press != "" {
		_, wrong = s.act(id, press)
	}
	o := s.orders[id]
	var d pageData
	if o != nil {
		d = s.pageData(o)
	}
	s.mu.Unlock()
	if o == nil {
		http.Error(w, "This code belongs to no order of the simulated gateway.", http.StatusNotFound)
		return
	}
	if wrong != nil && d.Done == "" {
		d.Done = "That did not work: " + wrong.Error()
	}
	writePage(w, d)
}

func (s *Sim) pageData(o *order) pageData {
	wallets := map[string]string{"ALIPAY": "Alipay", "WECHATPAY": "WeChat Pay", "UNIONPAY": "UnionPay"}
	d := pageData{
		ID: o.ID, Wallet: wallets[o.BizType], Status: s.publicStatus(o),
		Amount: s.price(o.Amount), Open: o.Status == "notpay",
	}
	switch d.Status {
	case "success":
		d.Done = "Paid at " + o.settled.UTC().Format(time.TimeOnly) + " UTC"
	case "failure":
		d.Done = "Declined. Nothing was paid."
	case "orderclosed":
		d.Done = "This code is closed. Nothing was paid."
	case "partial_refunded", "fully_refunded":
		d.Done = "Paid, and refunded since."
	}
	return d
}

// price formats an amount in minor units with the decimals of its currency.
func (s *Sim) price(minor int64) string {
	decimals := 2
	switch s.cfg.Currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF":
		decimals = 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		decimals = 3
	}
	digits := fmt.Sprintf("%0*d", decimals+1, minor)
	if whole := len(digits) - decimals; decimals > 0 {
		digits = digits[:whole] + "." + digits[whole:]
	}
	return strings.TrimSpace(digits + " " + s.cfg.Currency)
}

func writePage(w http.ResponseWriter, d pageData) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if err := page.Execute(w, d); err != nil {
		http.Error(w, "the page cannot be written", http.StatusInternalServerError)
	}
}

package doctor

import (
	"time"

	"payterm"
	"payterm/terminal/api"
)

// Report has the findings of an examination, in order.
type Report struct {
	At       time.Time
	OK       bool // nothing failed
	Findings []Finding
}

// Finding is one of them.
type Finding struct {
	api.Check
	about  string // its word of screen.Findings, if not by its name
	silent bool   // the device did not answer, and may do so the next time
}

func finding(result api.Result, says string) Finding {
	return Finding{Check: api.Check{Result: result, Says: says}}
}

// as sets a finding's word of screen.Findings.
func (f Finding) as(about string) Finding { f.about = about; return f }

// unanswered marks that the device did not answer, and may do so the next time.
func (f Finding) unanswered() Finding { f.silent = true; return f }

// Wire is the report in the form of the local API.
func (rep *Report) Wire() api.Report {
	w := api.Report{At: rep.At, OK: rep.OK}
	for _, f := range rep.Findings {
		w.Checks = append(w.Checks, f.Check)
	}
	return w
}

// Add puts in a finding.
func (rep *Report) Add(name string, result api.Result, says string, took time.Duration) {
	rep.put(Finding{Check: api.Check{Name: name, Result: result, Says: says, TookMS: took.Milliseconds()}})
}

func (rep *Report) put(f Finding) {
	rep.Findings = append(rep.Findings, f)
	rep.OK = rep.OK && f.Result != api.Fail
}

// slip is the report for the printer, with the terminal's name.
func (rep *Report) slip(name string) payterm.Receipt {
	r := payterm.Receipt{Name: "doctor"}
	at := "" // the clock is not set
	if !rep.At.IsZero() {
		form := time.DateTime
		if rep.At.Location() == time.UTC { // nobody has said in which zone the terminal is
			form += "Z"
		}
		at = rep.At.Format(form)
	}
	add := func(l payterm.ReceiptLine) { r.Lines = append(r.Lines, l) }
	add(payterm.ReceiptLine{Text: "DOCTOR", Align: payterm.AlignCenter, Bold: true, Large: true})
	add(payterm.ReceiptLine{Kind: payterm.LinePair, Text: name, Right: at})
	add(payterm.ReceiptLine{Kind: payterm.LineRule})
	for _, c := range rep.Findings {
		line := payterm.ReceiptLine{Kind: payterm.LinePair, Text: c.Name, Right: string(c.Result)}
		line.Bold = c.Result == api.Fail
		add(line)
		if c.Result != api.OK && c.Says != "" {
			add(payterm.ReceiptLine{Text: c.Says})
		}
	}
	add(payterm.ReceiptLine{Kind: payterm.LineCut})
	return r
}

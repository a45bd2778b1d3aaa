package doctor

import (
	"time"

	"payterm"
	"payterm/terminal/api"
)

// Report is what an examination has found, in its order.
type Report struct {
	At       time.Time
	OK       bool // nothing failed
	Findings []Finding
}

// Finding is one of them.
type Finding struct {
	api.Check
	about  string // which of screen.Findings it is where its name does not tell
	silent bool   // a device that has not answered, and may do so the next time
}

func finding(result api.Result, says string) Finding {
	return Finding{Check: api.Check{Result: result, Says: says}}
}

// as gives a finding another one of screen.Findings than its name does.
func (f Finding) as(about string) Finding { f.about = about; return f }

// unanswered says that the device has not answered, and may do so the next time.
func (f Finding) unanswered() Finding { f.silent = true; return f }

// Wire is the report as the local API gives it.
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

// slip is the report on paper, with the name of the terminal.
func (rep *Report) slip(name string) payterm.Receipt {
	r := payterm.Receipt{Name: "doctor"}
	at := "" // the clock is not set
	if !rep.At.IsZero() {
		at = rep.At.Format("2006-01-02 15:04:05")
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

package runner

import (
	"testing"
	"time"

	"payterm"
	"payterm/flows/counter"
)

// TestCodeAfterItsTime: if the code of an Active sale is committed only after its display time,
// it is neither printed nor shown.
func TestCodeAfterItsTime(t *testing.T) {
	for name, kept := range map[string]bool{"stalled commit": false, "full disk": true} {
		var did deviceLog
		w := newWorld(t)
		w.alter = func(c *Config) { c.Codes = &did }
		w.boot()
		w.answers = []payterm.Answer{payterm.CodeMade{CodeURL: "code"}}
		w.heard = func(payterm.Inquiry) payterm.Answer { return payterm.Pending{Status: "notpay"} }
		if !kept {
			w.stalls = func(e payterm.Entry) time.Duration {
				if e.Event == "payment_answered" {
					return 130 * time.Second
				}
				return 0
			}
		}
		w.press("1", "2", "3", "4", payterm.KeyF1)
		if kept {
			w.full = true
			w.run(time.Hour)
			w.full = false
		}
		w.screens = nil
		w.run(5 * time.Second)
		for _, d := range did {
			if d != "void" {
				t.Errorf("%s: printed after its time", name)
			}
		}
		for _, s := range w.screens {
			if s == string(counter.ViewShowCode) {
				t.Errorf("%s: shown after its time", name)
			}
		}
	}
}

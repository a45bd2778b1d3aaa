package runner

import (
	"testing"
	"time"

	"payterm"
)

// TestScanBeforeTheScannerIsArmed: a code scanned while the sale was being committed does not pay
// for it, because the scanner was armed later. The next scan does.
func TestScanBeforeTheScannerIsArmed(t *testing.T) {
	var did deviceLog
	w := newWorld(t, paid)
	w.alter = func(c *Config) { c.Scanner = &did }
	w.boot()
	w.answers = []payterm.Answer{paid}
	w.stalls = func(e payterm.Entry) time.Duration {
		if e.Event == "sale_began" {
			return 40 * time.Second
		}
		return 0
	}
	before := w.now
	w.press("1", "2", "3", "4", payterm.KeyEnter)
	armed := w.now
	w.r.scan(payterm.NewPayCode(alipayCode), before+10*time.Second) // 30 s before the scanner is armed
	w.run(time.Second)
	if len(w.sent) != 0 {
		t.Errorf("a scan of %s before the arming pays: %v", armed-before-10*time.Second, did)
	}
	w.r.scan(payterm.NewPayCode(alipayCode), w.now)
	w.run(time.Second)
	if o := w.order(0); len(w.sent) != 1 || o.Outcome != payterm.Approved {
		t.Errorf("scanned afterwards: %+v", o)
	}
}

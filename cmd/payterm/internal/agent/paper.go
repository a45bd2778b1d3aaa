package agent

import (
	"strings"
	"sync"
	"time"

	"payterm"
	"payterm/flows"
	"payterm/screen"
)

// onPaper is the code that the customer has on paper, because the glass cannot show
// it.
type onPaper struct {
	mu      sync.Mutex
	printed payterm.OrderID // the last order whose code was sent to the printer: never again
	current payterm.OrderID // the order whose code is to be paid now
}

// codeOnPaper tells whether a QR code is for paper.
func (a *Agent) codeOnPaper(qr string) bool { return a.display == nil || !a.display.CanShow(qr) }

// printCode prints the code of an order once, where there is a printer. A slip that broke off or is lost is
// not printed again: the cashier cancels, and a new order has a new code.
func (a *Agent) printCode(v flows.View, o screen.Options, zone *time.Location) {
	shows := v.Name == flows.ViewShowCode && a.o.Board.Printer != nil && a.codeOnPaper(v.CodeURL)
	a.onPaper.mu.Lock()
	a.onPaper.current = ""
	if shows {
		a.onPaper.current = v.Order
	}
	first := shows && a.onPaper.printed != v.Order
	if first {
		a.onPaper.printed = v.Order
	}
	a.onPaper.mu.Unlock()
	if !first {
		return
	}
	_, now := a.clock.Now()
	slip := screen.CodeSlip(v, now.Add(v.Left).In(zone), o)
	slip.Name += " " + string(v.Order)
	if err := a.Print(slip); err != nil {
		a.o.Log.Warn("slip", "slip", slip.Name, "err", err)
	}
}

// overtaken tells whether a slip has a code that is not to be paid any more: it
// waited for paper while its order went on. A slip of a trial that is over is one, too.
func (a *Agent) overtaken(slip payterm.Receipt) bool {
	order, isCode := strings.CutPrefix(slip.Name, "code ")
	a.onPaper.mu.Lock()
	defer a.onPaper.mu.Unlock()
	return isCode && payterm.OrderID(order) != a.onPaper.current || a.slip.stale(slip)
}

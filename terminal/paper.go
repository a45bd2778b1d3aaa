package terminal

import (
	"slices"
	"sync"
	"time"

	"payterm"
	"payterm/screen"
	"payterm/terminal/devices"
)

// onPaper is the order whose code is printed because the glass cannot show it.
type onPaper struct {
	mu    sync.Mutex
	order payterm.OrderID
}

// codeOnPaper reports whether a QR code has to be printed.
func (a *Agent) codeOnPaper(qr string) bool { return !a.devices.CanShow(qr) }

// PrintCode prints an order's code. An interrupted slip is printed again while its code is valid;
// if a slip is lost, the cashier cancels the order and starts a new one.
func (a *Agent) PrintCode(o payterm.Order, codeURL string, until time.Time) {
	if !a.codeOnPaper(codeURL) {
		return
	}
	a.onPaper.mu.Lock()
	a.onPaper.order = o.ID
	a.onPaper.mu.Unlock()
	slip := screen.CodeSlip(o, codeURL, until.In(a.zone), a.screenOptions())
	slip.Order = o.ID
	valid := func() bool {
		a.onPaper.mu.Lock()
		defer a.onPaper.mu.Unlock()
		return a.onPaper.order == o.ID
	}
	if err := a.devices.PrintJob(devices.Job{Slip: slip, Wanted: valid}); err != nil {
		a.o.Log.Warn("slip", "slip", slip.Name, "err", err)
	}
}

// VoidCode: an order's code must not be paid any more.
func (a *Agent) VoidCode(id payterm.OrderID) {
	a.onPaper.mu.Lock()
	defer a.onPaper.mu.Unlock()
	if a.onPaper.order == id {
		a.onPaper.order = ""
	}
}

// Printed: a slip is on paper.
func (a *Agent) Printed(slip payterm.Receipt) { a.cameOut(slip) }

// Paper tells the loop the printer's condition.
func (a *Agent) Paper(c payterm.PaperCondition) {
	if a.isOpen() {
		a.runner.Paper(c)
	}
}

// lostSlip is a slip that failed to print.
type lostSlip struct {
	name  string
	order payterm.OrderID
	z     int64
	at    time.Duration
}

// lostStands is how long the screens mention a lost slip that nobody prints again.
const lostStands = time.Hour

// Lost: a slip failed to print; an alarm sounds and the loop is told.
func (a *Agent) Lost(r payterm.Receipt) {
	a.mu.Lock()
	same := func(l lostSlip) bool { return l.name == r.Name && l.order == r.Order && l.z == r.Z }
	known := slices.ContainsFunc(a.lost, same)
	a.lost = append(slices.DeleteFunc(a.lost, same), lostSlip{r.Name, r.Order, r.Z, a.devices.Now()})
	a.lost = a.lost[max(0, len(a.lost)-maxLost):]
	a.mu.Unlock()
	if !known {
		a.devices.Play(payterm.SoundAlarm)
	}
	a.tellLost()
}

// maxLost bounds the lost slips that are remembered.
const maxLost = 100

// cameOut removes a slip from the lost ones. A copy counts for each slip of its order.
func (a *Agent) cameOut(r payterm.Receipt) {
	a.forget(func(l lostSlip) bool {
		return l.order == r.Order && l.z == r.Z && (l.name == r.Name || r.Copy && r.Order != "")
	})
}

// forgetSlips removes lost slips that are older than lostStands.
func (a *Agent) forgetSlips() {
	now := a.devices.Now()
	a.forget(func(l lostSlip) bool { return now-l.at > lostStands })
}

func (a *Agent) forget(which func(lostSlip) bool) {
	a.mu.Lock()
	before := len(a.lost)
	a.lost = slices.DeleteFunc(a.lost, which)
	changed := len(a.lost) != before
	a.mu.Unlock()
	if changed {
		a.tellLost()
	}
}

// tellLost tells the loop, if there is one.
func (a *Agent) tellLost() {
	a.mu.Lock()
	n, order := len(a.lost), payterm.OrderID("")
	if n > 0 {
		order = a.lost[n-1].order
	}
	a.mu.Unlock()
	if a.isOpen() {
		a.runner.Unprinted(n, order)
	}
}

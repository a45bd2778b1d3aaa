package terminal

import (
	"slices"
	"sync"
	"time"

	"payterm"
	"payterm/screen"
	"payterm/terminal/devices"
)

// onPaper is the order whose code is to be paid from paper, because the glass cannot
// show it.
type onPaper struct {
	mu    sync.Mutex
	order payterm.OrderID
}

// codeOnPaper tells whether a QR code is for paper.
func (a *Agent) codeOnPaper(qr string) bool { return !a.devices.CanShow(qr) }

// PrintCode prints the code of an order where the glass cannot show it. A slip that broke
// off comes again while its code may be paid; of one that is lost the cashier cancels the
// order, and a new one has a new code.
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

// VoidCode says that the code of an order is not to be paid any more.
func (a *Agent) VoidCode(id payterm.OrderID) {
	a.onPaper.mu.Lock()
	defer a.onPaper.mu.Unlock()
	if a.onPaper.order == id {
		a.onPaper.order = ""
	}
}

// Printed notes a slip that is on paper.
func (a *Agent) Printed(slip payterm.Receipt) { a.cameOut(slip) }

// Paper tells the loop how the printer is.
func (a *Agent) Paper(c payterm.PaperCondition) {
	if a.isOpen() {
		a.runner.Paper(c)
	}
}

// lostSlip is one that did not come out.
type lostSlip struct {
	name  string
	order payterm.OrderID
	z     int64
	at    time.Duration
}

// lostStands is for how long the screens speak of a slip that nobody prints again.
const lostStands = time.Hour

// Lost notes a slip that did not come out, and has whoever is there hear of it.
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

// maxLost slips are remembered.
const maxLost = 100

// cameOut notes a slip that is on paper. A copy stands for each slip of its order.
func (a *Agent) cameOut(r payterm.Receipt) {
	a.forget(func(l lostSlip) bool {
		return l.order == r.Order && l.z == r.Z && (l.name == r.Name || r.Copy && r.Order != "")
	})
}

// forgetSlips forgets those that were lost long ago.
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

// tellLost tells the loop, where there is one.
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

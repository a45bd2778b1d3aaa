package terminal

import (
	"time"

	"payterm"
	"payterm/screen"
	"payterm/terminal/devices"
	"payterm/terminal/slips"
)

func (a *Agent) newSlips() *slips.Slips {
	return slips.New(slips.Options{
		Now: a.devices.Now, Alarm: func() { a.devices.Play(payterm.SoundAlarm) },
		Tell: func(n int, last payterm.OrderID) {
			if a.isOpen() {
				a.runner.Unprinted(n, last)
			}
		},
	})
}

// codeOnPaper reports whether a QR code has to be printed.
func (a *Agent) codeOnPaper(qr string) bool { return !a.devices.CanShow(qr) }

// PrintCode prints an order's code, unless it is being printed. A slip that was interrupted, or that
// waits for paper, is printed while its code is valid; if it is lost, the cashier can print it again.
func (a *Agent) PrintCode(o payterm.Order, codeURL string, until time.Time) {
	if !a.codeOnPaper(codeURL) || a.slips.CodeState(o.ID) == slips.CodeWaits {
		return
	}
	slip := screen.CodeSlip(o, codeURL, until.In(a.zone), a.screenOptions())
	slip.Order = o.ID
	if err := a.devices.PrintJob(devices.Job{Slip: slip, Wanted: a.slips.Code(o.ID)}); err != nil {
		a.o.Log.Warn("slip", "slip", slip.Name, "err", err)
	}
}

// VoidCode: an order's code must not be paid any more.
func (a *Agent) VoidCode(id payterm.OrderID) { a.slips.VoidCode(id) }

// Printed: a slip is on paper.
func (a *Agent) Printed(r payterm.Receipt) { a.slips.Printed(r) }

// Lost: a slip failed to print.
func (a *Agent) Lost(r payterm.Receipt) { a.slips.Lost(r) }

// Paper tells the loop the printer's condition.
func (a *Agent) Paper(c payterm.PaperCondition) {
	if a.isOpen() {
		a.runner.Paper(c)
	}
}

package terminal

import (
	"strings"

	"payterm"
	"payterm/flows"
)

// What the terminal still reads from the names of screens and slips. Each of these is to
// become a command or a state of the flows; until then they stand here together.

// idle tells whether the counter waits for the next customer: a finding of the self test may
// stand there.
func idle(s payterm.Screen) bool { return s.Name == string(flows.ViewIdle) }

// Slips that are waited for have a name of their own, by which they are known when they come
// out of the printer; those of trials are the doctor's
// (doctor.IsTrialSlip), and those of Zs in selling/totals.go.
const codeSlips = "code " // before the order id

func codeSlip(id payterm.OrderID) string { return codeSlips + string(id) }

func codeSlipOf(slip payterm.Receipt) (payterm.OrderID, bool) {
	id, is := strings.CutPrefix(slip.Name, codeSlips)
	return payterm.OrderID(id), is
}

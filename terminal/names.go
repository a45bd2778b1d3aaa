package terminal

import (
	"strconv"
	"strings"

	"payterm"
)

// What the terminal still reads from the names of screens and slips. Each of these is to
// become a command or a state of the flows; until then they stand here together.

// Slips that are waited for have a name of their own, by which they are known when they come
// out of the printer.
const (
	codeSlips = "code "  // before the order id
	zSlips    = "z "     // before the number of the Z
	testSlips = "trial " // before the count of the trials
)

func codeSlip(id payterm.OrderID) string { return codeSlips + string(id) }

func codeSlipOf(slip payterm.Receipt) (payterm.OrderID, bool) {
	id, is := strings.CutPrefix(slip.Name, codeSlips)
	return payterm.OrderID(id), is
}

func zSlip(number int64) string { return zSlips + strconv.FormatInt(number, 10) }

func zSlipOf(slip payterm.Receipt) (int64, bool) {
	text, is := strings.CutPrefix(slip.Name, zSlips)
	number, err := strconv.ParseInt(text, 10, 64)
	return number, is && err == nil
}

func trialSlip(n int) string { return testSlips + strconv.Itoa(n) }

func isTrialSlip(slip payterm.Receipt) bool { return strings.HasPrefix(slip.Name, testSlips) }

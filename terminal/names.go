package terminal

import (
	"payterm"
	"payterm/flows/counter"
)

// idle tells whether the counter waits for the next customer: a finding of the self test may
// stand there.
func idle(s payterm.Screen) bool { return s.Name == string(counter.ViewIdle) }

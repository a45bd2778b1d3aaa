package emulated

import (
	"sync"
	"time"

	"payterm/hal"
)

// intake keeps account of what a host has written to a device and what has come to
// its chip. Between the two is the machine's kernel and a goroutine that listens; on a
// machine with other worries it comes late, and no real wire does.
type intake struct {
	count sync.Mutex
	line  *hal.Line // the host's end
	took  int64     // bytes that have come to the chip since the line was opened
	holds bool      // the device lets the host wait, as it is meant to
}

// opened is told of the host's end.
func (i *intake) opened(l *hal.Line) *hal.Line {
	i.count.Lock()
	defer i.count.Unlock()
	i.line, i.took = l, 0
	return l
}

// has is told of n bytes that have come to the chip.
func (i *intake) has(n int) {
	i.count.Lock()
	defer i.count.Unlock()
	i.took, i.holds = i.took+int64(n), false
}

// hold is told that the device lets its host wait.
func (i *intake) hold() {
	i.count.Lock()
	defer i.count.Unlock()
	i.holds = true
}

// forgive settles the account: what has not come by now was lost with the cable.
func (i *intake) forgive() {
	i.count.Lock()
	defer i.count.Unlock()
	i.holds = false
	if i.line != nil {
		i.took = i.line.Stats().Out
	}
}

// late tells whether the chip has yet to get what its host wrote.
func (i *intake) late() bool {
	i.count.Lock()
	defer i.count.Unlock()
	return i.line != nil && !i.holds && i.took < i.line.Stats().Out
}

// How long a pause waits for what was written before it, and how often it looks.
const (
	latest    = 2 * time.Second
	lateAgain = 100 * time.Microsecond
)

// settle waits until what was written has come to the chip, so that the time that a
// driver lets pass passes for the chip as well.
func (i *intake) settle() {
	for end := time.Now().Add(latest); i.late(); time.Sleep(lateAgain) {
		if time.Now().After(end) {
			i.forgive()
			return
		}
	}
}

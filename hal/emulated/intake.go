package emulated

import (
	"sync"
	"time"

	"payterm/hal"
)

// intake compares what a host has written to a device with what its chip has received. In between
// are the kernel and a goroutine, which may be late on a busy machine, unlike a real wire.
type intake struct {
	count sync.Mutex
	line  *hal.Line // the host's end
	took  int64     // bytes received by the chip since the line was opened
	holds bool      // the device is blocking its host on purpose
}

// opened records the host's end.
func (i *intake) opened(l *hal.Line) *hal.Line {
	i.count.Lock()
	defer i.count.Unlock()
	i.line, i.took = l, 0
	return l
}

// has records n received bytes.
func (i *intake) has(n int) {
	i.count.Lock()
	defer i.count.Unlock()
	i.took, i.holds = i.took+int64(n), false
}

// hold records that the device blocks its host.
func (i *intake) hold() {
	i.count.Lock()
	defer i.count.Unlock()
	i.holds = true
}

// forgive resets the counts: what has not arrived was lost with the cable.
func (i *intake) forgive() {
	i.count.Lock()
	defer i.count.Unlock()
	i.holds = false
	if i.line != nil {
		i.took = i.line.Stats().Out
	}
}

// late reports whether the chip has not received everything yet.
func (i *intake) late() bool {
	i.count.Lock()
	defer i.count.Unlock()
	return i.line != nil && !i.holds && i.took < i.line.Stats().Out
}

// How long a pause waits for earlier writes, and how often it checks.
const (
	latest    = 2 * time.Second
	lateAgain = 100 * time.Microsecond
)

// settle waits until the chip has received what was written, so that a driver's pause passes for
// the chip as well.
func (i *intake) settle() {
	for end := time.Now().Add(latest); i.late(); time.Sleep(lateAgain) {
		if time.Now().After(end) {
			i.forgive()
			return
		}
	}
}

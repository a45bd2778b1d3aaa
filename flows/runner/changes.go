package runner

import (
	"sync"

	"payterm"
)

// Change is a committed change of an order. Seq counts the changes of this life from 1.
type Change struct {
	Seq   uint64
	Order payterm.Order
}

// keptChanges is how many changes a reader may be behind.
const keptChanges = 1024

// Changes is the stream of what was committed, for whoever wants to know: each reader
// keeps its own place and reads at its own pace. The loop writes and never waits for a
// reader; one that is further behind than what is kept reads the journal.
type Changes struct {
	mu   sync.Mutex
	ring [keptChanges]Change
	last uint64
	more chan struct{} // closed at the next change
}

func newChanges() *Changes { return &Changes{more: make(chan struct{})} }

// Last is the number of the newest change, 0 before the first: a reader that wants to
// know of what comes begins here.
func (c *Changes) Last() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

// After gives the changes after one, the oldest first. Missed says that some of them are
// not kept any more. When there is none, more is closed by the next one.
func (c *Changes) After(seq uint64) (list []Change, missed bool, more <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := seq + 1
	if oldest := c.last - min(c.last, keptChanges) + 1; first < oldest {
		first, missed = oldest, true
	}
	for n := first; n <= c.last; n++ {
		list = append(list, c.ring[n%keptChanges])
	}
	return list, missed, c.more
}

func (c *Changes) add(o payterm.Order) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	c.ring[c.last%keptChanges] = Change{c.last, o}
	close(c.more)
	c.more = make(chan struct{})
}

// Changes is the stream of this life's committed changes.
func (r *Runner) Changes() *Changes { return r.changes }

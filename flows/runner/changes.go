package runner

import (
	"context"
	"sync"

	"payterm"
)

// Change is a committed change of an order. Seq counts the changes since the start, from 1.
type Change struct {
	Seq   uint64
	Order payterm.Order
}

// keptChanges is how far a reader may be behind.
const keptChanges = 1024

// Changes is the stream of committed changes. Each reader keeps its own position and reads at its
// own pace. The loop never waits for a reader; a reader that is too far behind reads the journal
// instead.
type Changes struct {
	mu   sync.Mutex
	ring [keptChanges]Change
	last uint64
	more chan struct{} // closed by the next change
}

func newChanges() *Changes { return &Changes{more: make(chan struct{})} }

// Last is the number of the newest change, 0 before the first. A reader that wants new changes
// only starts here.
func (c *Changes) Last() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

// After returns the changes after seq, oldest first. missed: some of them are not kept any more.
// If there is none, the next change closes more.
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

// Follow calls changed for each change that is kept, and for each later one, until the context
// ends. It calls missed where changes in between are not kept any more: what has become of the
// orders then stands in the journal.
func (c *Changes) Follow(ctx context.Context, changed func(payterm.Order), missed func()) {
	for seq := uint64(0); ; {
		list, gap, more := c.After(seq)
		if gap {
			missed()
		}
		for _, one := range list {
			seq = one.Seq
			changed(one.Order)
		}
		select {
		case <-ctx.Done():
			return
		case <-more:
		}
	}
}

func (c *Changes) add(o payterm.Order) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	c.ring[c.last%keptChanges] = Change{c.last, o}
	close(c.more)
	c.more = make(chan struct{})
}

// Changes is the stream of changes since the start.
func (r *Runner) Changes() *Changes { return r.changes }

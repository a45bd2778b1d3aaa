package runner

import (
	"container/heap"
	"time"
)

// Due is the next of all deadlines.
func (r *Runner) Due() (time.Duration, bool) {
	due, any := r.counter.Due()
	if len(r.queue) > 0 && (!any || r.queue[0].due < due) {
		due, any = r.queue[0].due, true
	}
	if r.storeBad && (!any || r.probeAt < due) {
		due, any = r.probeAt, true
	}
	if at, waits := r.gate.due(); waits && (!any || at < due) {
		due, any = at, true
	}
	if at, waits := r.asides.due(); waits && (!any || at < due) {
		due, any = at, true
	}
	return due, any
}

// plan puts the order's next deadline into the queue.
func (r *Runner) plan(l *live) {
	due, any := l.order.Due()
	// Answers that could not be stored are retried at retryAt, whatever the deadline.
	if l.retryAt > 0 && (!any || due < l.retryAt || len(l.unsaved) > 0) {
		due, any = l.retryAt, true
		l.retryAt = 0
	}
	if !any {
		r.unplan(l)
		return
	}
	l.due = due
	if l.heapAt < 0 {
		heap.Push(&r.queue, l)
	} else {
		heap.Fix(&r.queue, l.heapAt)
	}
}

func (r *Runner) unplan(l *live) {
	if l.heapAt >= 0 {
		heap.Remove(&r.queue, l.heapAt)
	}
}

// dueQueue sorts orders by deadline, then by id so that runs are reproducible.
type dueQueue []*live

func (q dueQueue) Len() int { return len(q) }
func (q dueQueue) Less(i, j int) bool {
	if q[i].due != q[j].due {
		return q[i].due < q[j].due
	}
	return q[i].order.ID() < q[j].order.ID()
}
func (q dueQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].heapAt, q[j].heapAt = i, j
}

// Push implements heap.Interface.
func (q *dueQueue) Push(x any) {
	l := x.(*live)
	l.heapAt = len(*q)
	*q = append(*q, l)
}

// Pop implements heap.Interface.
func (q *dueQueue) Pop() any {
	old := *q
	l := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	l.heapAt = -1
	return l
}

package flowstest

import (
	"context"
	"errors"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/storage"
)

// What the agent does beside the sales, and what the checker makes of it.

// houseEvery is how often the house is kept, and liveEvery how often it is written down
// how long the terminal has lived. The agent does the one each minute.
const (
	houseEvery = 5 * time.Minute
	liveEvery  = 10 * time.Minute
)

// restLimit is how long nothing may need anybody at the counter before the house has
// been kept.
const restLimit = 15 * time.Minute

// keepHouse does what can wait for an idle counter: it moves the log into the database,
// and drops what is old. What was lived through is written down in any case.
func (s *Sim) keepHouse(l *life) {
	tick := time.NewTicker(houseEvery)
	defer tick.Stop()
	retention := storage.Retention{Keep: s.c.Keep}
	for n := 1; ; n++ {
		select {
		case <-l.ctx.Done():
			return
		case <-tick.C:
		}
		var err error
		if time.Duration(n)*houseEvery%liveEvery == 0 {
			mono, _ := s.now(l)
			err = l.store.Live(mono)
		}
		old := retention.Old(s.reading(l))
		if s.atRest(l) {
			err = errors.Join(err, s.tidy(l, old))
		}
		if err != nil {
			s.mu.Lock()
			s.violate("world", "the house is not kept: %v", err)
			s.mu.Unlock()
		}
		s.mu.Lock()
		s.restless(l)
		s.mu.Unlock()
	}
}

// atRest asks the terminal whether anybody needs it.
func (s *Sim) atRest(l *life) bool {
	ctx, cancel := context.WithTimeout(l.ctx, pollLimit)
	defer cancel()
	snap, err := l.runner.Snapshot(ctx)
	return err == nil && snap.AtRest
}

// reading is what the clocks say. Network time calls every time good that it has set.
func (s *Sim) reading(l *life) storage.Reading {
	mono, wall := s.now(l)
	return storage.Reading{Lived: mono, Wall: wall, Synced: !wall.IsZero()}
}

// tidy keeps the house.
func (s *Sim) tidy(l *life, old storage.Old) error {
	s.boundary(l, "before the house is kept")
	s.mu.Lock()
	dirty := s.dirty
	s.dirty = false
	l.kept = time.Now()
	s.mu.Unlock()
	if s.c.Keep > 0 {
		n, err := l.store.Prune(old)
		if err == nil && n > 0 {
			err = s.sawPruned(l)
		}
		if err != nil {
			return err
		}
	}
	if dirty { // each time would be slow
		if err := l.store.Checkpoint(); err != nil {
			return err
		}
	}
	s.boundary(l, "after the house is kept")
	return nil
}

// resting are the views at which nothing at the counter needs anybody.
var resting = map[counter.ViewName]bool{
	counter.ViewIdle: true, counter.ViewApproved: true, counter.ViewDeclined: true, counter.ViewCancelled: true,
	counter.ViewNotSent: true,
	counter.ViewInDoubt: true, counter.ViewRefunded: true, counter.ViewRefused: true,
}

// restless looks whether the house was kept while nobody needed the counter.
func (c *checker) restless(l *life) {
	if l.dead || !resting[l.view.Name] || time.Since(l.viewAt) < restLimit || time.Since(l.kept) < restLimit {
		return
	}
	c.violate("idle", "%s stands for %s, and the house was not kept for %s", l.view.Name, time.Since(l.viewAt),
		time.Since(l.kept))
}

// age is since when something is: in truth, and by what the terminal has lived through.
type age struct {
	at    time.Time
	lived time.Duration
}

// stampAge notes the age of something that happens now.
func (s *Sim) stampAge() age { return age{time.Now(), s.livedNow()} }

// believable reports whether the wall clock may be believed in this life: it has not
// jumped for so long (docs/decisions/0017). That it is right is another thing.
func (c *wallClock) believable(l *life) bool {
	const goodAfter = 6 * time.Hour
	return time.Since(l.began) >= goodAfter && (c.right() || c.changes == l.clockSet && !c.unset)
}

// livedNow is for how long the terminal has lived, over all its lives.
func (s *Sim) livedNow() time.Duration {
	if s.life == nil || s.life.dead {
		return s.lived
	}
	return s.lived + time.Since(s.life.began)
}

// sawPruned looks at what is gone: each order was in a Z for as long as orders are kept,
// by what was lived through, or by a clock that may be believed. How long the terminal
// had lived at a Z is known as of the last time that it was written down.
func (s *Sim) sawPruned(l *life) error {
	rows, err := l.store.Orders()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	left := map[payterm.OrderID]bool{}
	for _, o := range rows {
		left[o.ID] = true
	}
	n := 0
	for _, id := range sortedIDs(s.book) {
		if left[id] || s.pruned[id] {
			continue
		}
		n++
		s.pruned[id] = true
		z, known := s.inZ[id]
		switch {
		case !known:
			s.violate("pruned", "%s is dropped and was in no Z", id)
		case s.livedNow()-z.lived < s.c.Keep-liveEvery && (!s.wall.believable(l) || s.wall.right() &&
			time.Since(z.at) < s.c.Keep):
			s.violate("pruned", "%s is dropped %s after its Z, of which the terminal has lived %s", id,
				time.Since(z.at), s.livedNow()-z.lived)
		}
	}
	s.tell("%d old orders are dropped", n)
	return nil
}

// troubled notes that something keeps the terminal from doing in time what it should:
// the network, or the disk.
func (c *checker) troubled()   { c.trouble = time.Now() }
func (c *checker) diskFailed() { c.trouble, c.diskTrouble = time.Now(), time.Now() }

// turnLimit is in what time each order in the background is asked about that is due,
// where the network works.
const turnLimit = time.Minute

// watchTurns looks whether each order that is due gets its turn.
func (s *Sim) watchTurns(l *life) {
	tick := time.NewTicker(turnLimit / 3)
	defer tick.Stop()
	due := map[payterm.OrderID]time.Time{}
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-tick.C:
		}
		if s.look().Status.Queue == 0 { // nothing is due
			clear(due)
			continue
		}
		ctx, cancel := context.WithTimeout(l.ctx, pollLimit)
		queue, err := l.runner.Queue(ctx)
		cancel()
		if err != nil { // it stands still, or has ended
			continue
		}
		_, wall := s.now(l)
		s.mu.Lock()
		s.turns(l, queue, wall, due)
		s.mu.Unlock()
	}
}

// turns compares what is due with what was asked about since then.
func (c *checker) turns(l *life, queue []payterm.QueueItem, wall time.Time, due map[payterm.OrderID]time.Time) {
	waits := map[payterm.OrderID]bool{}
	for _, q := range queue {
		if q.State == payterm.QueueInLine || !q.NextAt.IsZero() && !q.NextAt.After(wall) {
			waits[q.OrderID] = true
		}
	}
	for id, since := range due {
		if !waits[id] || c.asked(id).After(since) || c.trouble.After(since.Add(-turnLimit/3)) {
			delete(due, id)
		} else if waited := time.Since(since); waited >= turnLimit && !l.dead {
			c.violate("asking", "%s is due for %s and was not asked about", id, waited)
		}
	}
	for id := range waits {
		if _, known := due[id]; !known {
			due[id] = time.Now()
		}
	}
}

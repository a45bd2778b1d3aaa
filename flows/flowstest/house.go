package flowstest

import (
	"context"
	"errors"
	"time"

	"payterm"
	"payterm/flows/counter"
	"payterm/storage"
)

// The agent's upkeep, and its checks.

// upkeepEvery and liveEvery are the intervals of the upkeep and of storing the lived time. The
// agent does the first each minute.
const (
	upkeepEvery = 5 * time.Minute
	liveEvery   = 10 * time.Minute
)

// restLimit is how long the counter may be at rest before the upkeep is done.
const restLimit = 15 * time.Minute

// upkeep does at rest what the agent does then: a checkpoint of the write-ahead log, and
// retention. The lived time is stored in any case.
func (s *Sim) upkeep(l *life) {
	tick := time.NewTicker(upkeepEvery)
	defer tick.Stop()
	retention := storage.Retention{Keep: s.c.Keep}
	for n := 1; ; n++ {
		select {
		case <-l.ctx.Done():
			return
		case <-tick.C:
		}
		var err error
		if time.Duration(n)*upkeepEvery%liveEvery == 0 {
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
		s.checkUpkeep(l)
		s.mu.Unlock()
	}
}

// atRest asks the terminal whether its counter is at rest.
func (s *Sim) atRest(l *life) bool {
	ctx, cancel := context.WithTimeout(l.ctx, pollLimit)
	defer cancel()
	snap, err := l.runner.Snapshot(ctx)
	return err == nil && snap.AtRest
}

// reading is what the clocks show. Network time calls every time it set synchronised.
func (s *Sim) reading(l *life) storage.Reading {
	mono, wall := s.now(l)
	return storage.Reading{Lived: mono, Wall: wall, Synced: !wall.IsZero()}
}

// tidy does the upkeep.
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
	if dirty { // doing it each time would be slow
		if err := l.store.Checkpoint(); err != nil {
			return err
		}
	}
	s.boundary(l, "after the house is kept")
	return nil
}

// resting are the views of a counter at rest.
var resting = map[counter.ViewName]bool{
	counter.ViewIdle: true, counter.ViewApproved: true, counter.ViewDeclined: true, counter.ViewCancelled: true,
	counter.ViewNotSent: true,
	counter.ViewInDoubt: true, counter.ViewLate: true, counter.ViewRefunded: true, counter.ViewRefused: true,
}

// checkUpkeep checks that the upkeep is done while the counter is at rest.
func (c *checker) checkUpkeep(l *life) {
	if l.dead || !resting[l.view.Name] || time.Since(l.viewAt) < restLimit || time.Since(l.kept) < restLimit {
		return
	}
	c.violate("idle", "%s stands for %s, and the house was not kept for %s", l.view.Name, time.Since(l.viewAt),
		time.Since(l.kept))
}

// age is since when something is the case, in true time and in lived time.
type age struct {
	at    time.Time
	lived time.Duration
}

// stampAge is the age of something that happens now.
func (s *Sim) stampAge() age { return age{time.Now(), s.livedNow()} }

// believable reports whether the wall clock may be believed in this run: it has not jumped for
// long enough (docs/decisions/0017). It may still be wrong.
func (c *wallClock) believable(l *life) bool {
	const goodAfter = 6 * time.Hour
	return time.Since(l.began) >= goodAfter && (c.right() || c.changes == l.clockSet && !c.unset)
}

// livedNow is the lived time over all runs.
func (s *Sim) livedNow() time.Duration {
	if s.life == nil || s.life.dead {
		return s.lived
	}
	return s.lived + time.Since(s.life.began)
}

// sawPruned checks what retention has dropped: each order had been in a Z for the whole retention
// time, by lived time or by a believable wall clock. Lived time at a Z counts as of the last time
// it was stored.
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

// troubled records a failure of the network or the disk, which excuses delays.
func (c *checker) troubled()   { c.trouble = time.Now() }
func (c *checker) diskFailed() { c.trouble, c.diskTrouble = time.Now(), time.Now() }

// turnLimit is how long a due order in the background may wait for its inquiry while the network
// works.
const turnLimit = time.Minute

// watchTurns checks that every due order gets its turn.
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
		if s.look().Status.Queue == 0 { // none is due
			clear(due)
			continue
		}
		ctx, cancel := context.WithTimeout(l.ctx, pollLimit)
		queue, err := l.runner.Queue(ctx)
		cancel()
		if err != nil { // the loop is blocked or has ended
			continue
		}
		_, wall := s.now(l)
		s.mu.Lock()
		s.turns(l, queue, wall, due)
		s.mu.Unlock()
	}
}

// turns compares the due orders with the inquiries since then.
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

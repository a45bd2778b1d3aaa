// Package upkeep does what a terminal does besides selling: it watches the network, the scanner
// and the minute on the idle screen, stores the lived time, and does the journal's upkeep while
// the counter is at rest. It decides about no order.
package upkeep

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"payterm/flows/counter"
	"payterm/storage"
	"payterm/terminal/api"
	"payterm/terminal/doctor"
	"payterm/terminal/notice"
)

// IdleEvery is how often network and clock of the idle screen are checked.
const IdleEvery = 5 * time.Second

// TidyEvery is how often the journal's log is moved into its file. SQLite would do it in the
// middle of a commit; here nobody waits.
const TidyEvery = time.Minute

const (
	// liveEvery is how often the lived time is stored. At most this much is lost in a power
	// failure; orders are then guarded and asked about for that much longer.
	liveEvery = 10 * time.Minute
	awayEvery = time.Second // check of the scanner

	// So long after the last exchange the gateway is asked while nobody pays, so that the idle
	// screen knows of it before a customer opens the phone, and has a rate of today.
	probeAfter   = 5 * time.Minute
	probeTrouble = 30 * time.Second // where that exchange had no answer
	rateStale    = time.Hour        // in a shop whose sales keep the way known
)

// Loop redraws the screen.
type Loop interface{ Redraw() }

// Journal is what upkeep needs of the journal; *storage.Store implements it.
type Journal interface {
	Live(lived time.Duration) error
	Prune(old storage.Old) (int, error)
	PrunePeople(old storage.Old) (int, error)
	Checkpoint() error
}

// Counter is what upkeep needs of the counter.
type Counter interface {
	Rests(ctx context.Context) (bool, error) // nobody uses the counter
	Way(ctx context.Context) (Way, error)
	// Probe asks the gateway for the exchange rate, which moves nothing, and tells the loop
	// what it heard.
	Probe(ctx context.Context)
	Tidy() // other upkeep: days without a Z, slips that are owed or lost
}

// Way is what the loop knows of the way to the gateway.
type Way struct {
	Rests   bool            // nothing at the counter needs anybody
	Network counter.Network // how the last exchange went
	Age     time.Duration   // how long ago that was; less than nothing for none
	Rate    time.Duration   // how old the exchange rate is; less than nothing for none
}

// due reports whether to ask the gateway, so long after the last probe. What a good exchange
// says is taken to be so for a while. After a bad one a customer may be waiting, and nothing
// else would tell that the way is good again; a cable that is back is looked at at once.
func (w Way) due(linkBack bool, probed time.Duration) bool {
	switch {
	case !w.Rests:
		return false
	case w.Age < 0:
		return probed >= probeTrouble
	case w.Network == counter.NetworkUp:
		return w.Age >= probeAfter || (w.Rate < 0 || w.Rate >= rateStale) && probed >= probeAfter
	}
	return linkBack || w.Age >= probeTrouble && probed >= probeTrouble
}

// Options are what an Upkeep is made with.
type Options struct {
	Loop       Loop
	Journal    Journal
	Counter    Counter
	Clock      func() (lived time.Duration, wall time.Time) // wall is zero while the clock is not set
	Keep       time.Duration                                // how long orders are kept
	GatewayURL string
	Notices    *notice.Notices
	Scanner    func() error // why it cannot be used now
	AwayAfter  time.Duration
	Log        *slog.Logger
}

// Upkeep runs until its context ends.
type Upkeep struct {
	o     Options
	start time.Time
	mu    sync.Mutex
	link  counter.Network
	away  bool
}

// New makes one.
func New(o Options) *Upkeep {
	return &Upkeep{o: o, start: time.Now(), link: counter.NetworkUnknown}
}

// Run runs until the context ends, in goroutines of the group.
func (u *Upkeep) Run(ctx context.Context, wg *sync.WaitGroup) {
	for _, work := range []func(context.Context){u.idle, u.scanner, u.reach, u.Tidy, u.live} {
		wg.Go(func() { work(ctx) })
	}
}

// Link is how far this machine has a way to the gateway.
func (u *Upkeep) Link() counter.Network {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.link
}

// ScannerAway reports whether the scanner has been unplugged for some time.
func (u *Upkeep) ScannerAway() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.away
}

// idle redraws the screen when the network or the minute has changed, for which there is no
// event.
func (u *Upkeep) idle(ctx context.Context) {
	tick := time.NewTicker(IdleEvery)
	defer tick.Stop()
	seen := ""
	for {
		link := counter.NetworkUnknown
		f := doctor.Link(u.o.GatewayURL)
		switch f.Result {
		case api.OK:
			link = counter.NetworkUp
		case api.Fail:
			link = counter.NetworkDown
		}
		u.sees(link, f.Says)
		_, now := u.o.Clock()
		n := u.o.Notices.Now()
		if looks := string(link) + now.Format("15:04") + string(n.Notice+"/") + string(n.Reason); looks != seen {
			seen = looks
			u.o.Loop.Redraw()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// sees stores the state of the network, and logs a change.
func (u *Upkeep) sees(link counter.Network, says string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if link != u.link {
		u.o.Log.Info("network link", "link", link, "says", says)
	}
	u.link = link
}

// absence is a device's absence, with the time when it was last present. A short one is not
// shown.
type absence struct{ after, well time.Duration }

// tells reports whether to show it.
func (b *absence) tells(absent bool, now time.Duration) bool {
	if !absent {
		b.well = now
	}
	return now-b.well >= b.after
}

// scanner shows on the screens that the scanner is unplugged, until it is back.
func (u *Upkeep) scanner(ctx context.Context) {
	tick := time.NewTicker(min(awayEvery, u.o.AwayAfter))
	defer tick.Stop()
	scanner := absence{u.o.AwayAfter, time.Since(u.start)}
	for {
		away := scanner.tells(u.o.Scanner() != nil, time.Since(u.start))
		u.mu.Lock()
		was := u.away
		u.away = away
		u.mu.Unlock()
		if away != was {
			u.o.Loop.Redraw()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// reach asks the gateway whenever nobody is being served and nothing was exchanged for a
// while. Two probes are probeTrouble apart, whatever the loop says.
func (u *Upkeep) reach(ctx context.Context) {
	tick := time.NewTicker(IdleEvery)
	defer tick.Stop()
	last := time.Now().Add(-probeAfter)
	linkBack := false // since the last exchange
	for {
		link := u.Link()
		way, err := u.o.Counter.Way(ctx)
		if err == nil && way.due(linkBack && link == counter.NetworkUp, time.Since(last)) {
			last, linkBack = time.Now(), false
			u.o.Counter.Probe(ctx)
		}
		linkBack = link == counter.NetworkDown || linkBack && way.Network != counter.NetworkUp
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// live stores the lived time of quiet hours.
func (u *Upkeep) live(ctx context.Context) {
	tick := time.NewTicker(liveEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		lived, _ := u.o.Clock()
		if err := u.o.Journal.Live(lived); err != nil {
			u.o.Log.Warn("the time lived through is not kept", "err", err)
		}
	}
}

// Tidy does the upkeep of an idle counter until the context ends.
func (u *Upkeep) Tidy(ctx context.Context) {
	tick := time.NewTicker(TidyEvery)
	defer tick.Stop()
	retention := storage.Retention{Keep: u.o.Keep}
	u.o.Counter.Tidy()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			u.o.Counter.Tidy()
			if err := u.Checkpoint(ctx, retention.Old(u.Reading())); err != nil && ctx.Err() == nil {
				u.o.Log.Warn("checkpoint", "err", err)
			}
		}
	}
}

// Reading is what the clocks say now.
func (u *Upkeep) Reading() storage.Reading {
	lived, wall := u.o.Clock()
	synced, err := doctor.NetworkTime()
	return storage.Reading{Lived: lived, Wall: wall, Synced: synced && err == nil}
}

// Checkpoint moves the log into the file, and drops a batch of what is old, unless the counter is
// in use.
func (u *Upkeep) Checkpoint(ctx context.Context, old storage.Old) error {
	rests, err := u.o.Counter.Rests(ctx)
	if err != nil || !rests {
		return err
	}
	n, err := u.o.Journal.Prune(old)
	if err != nil {
		return err
	}
	if n > 0 {
		u.o.Log.Info("old orders dropped", "orders", n, "lived", old.Lived, "before", old.Wall)
	}
	if _, err := u.o.Journal.PrunePeople(old); err != nil {
		return err
	}
	return u.o.Journal.Checkpoint()
}

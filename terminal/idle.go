package terminal

import (
	"context"
	"errors"
	"time"

	"payterm/flows"
	"payterm/gateway/ottpay"
	"payterm/screen"
	"payterm/terminal/api"
	"payterm/terminal/devices"
	"payterm/terminal/doctor"
)

// idleEvery is how often the link and the clock of the idle screen are looked at.
const idleEvery = 5 * time.Second

// runIdle has the screen drawn again when the way to the gateway or the minute has
// changed, of which no event tells.
func (a *Agent) runIdle(ctx context.Context) {
	tick := time.NewTicker(idleEvery)
	defer tick.Stop()
	seen := ""
	for {
		link := flows.NetworkUnknown
		switch doctor.Link(a.o.Config.Gateway.URL).Result {
		case api.OK:
			link = flows.NetworkUp
		case api.Fail:
			link = flows.NetworkDown
		}
		a.mu.Lock()
		a.link = link
		a.mu.Unlock()
		_, now := a.clock.Now()
		n := a.o.notices.Now()
		if looks := string(link) + now.Format("15:04") + string(n.Notice+"/") + string(n.Reason); looks != seen {
			seen = looks
			a.runner.Redraw()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// absence is of a device that was last well at a time. A plug that is out for a moment only
// is not told of.
type absence struct{ after, well time.Duration }

// tells whether to speak of it, by how the device is now.
func (b *absence) tells(absent bool, now time.Duration) bool {
	if !absent {
		b.well = now
	}
	return now-b.well >= b.after
}

// awayEvery is how often the scanner is looked after.
const awayEvery = time.Second

// runAway has the screens say that the scanner is away, and no longer once it is back.
func (a *Agent) runAway(ctx context.Context) {
	tick := time.NewTicker(min(awayEvery, a.o.awayAfter))
	defer tick.Stop()
	scanner := absence{a.o.awayAfter, a.devices.Now()}
	for {
		away := scanner.tells(a.devices.Absent(devices.Scanner) != nil, a.devices.Now())
		a.mu.Lock()
		was := a.away
		a.away = away
		a.mu.Unlock()
		if away != was {
			a.runner.Redraw()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// How often the gateway is asked while nobody pays, so that the idle screen knows of
// it before a customer opens the phone, and has a rate of today.
const (
	reachEvery = 5 * time.Minute
	reachAgain = 30 * time.Second // after no answer
)

// runReach asks the gateway for the exchange rate, which moves nothing, whenever
// nobody is being served.
func (a *Agent) runReach(ctx context.Context) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		next := reachAgain
		if s, err := a.runner.Snapshot(ctx); err == nil && s.AtRest {
			rate, err := a.gateway.ExchangeRate(ctx, a.o.Config.Merchant.Currency)
			if ctx.Err() != nil {
				return
			}
			answered := !errors.Is(err, ottpay.ErrNoAnswer)
			if answered {
				next = reachEvery
			}
			a.runner.Reached(answered, rate.CNY)
		}
		pause.Reset(next)
	}
}

func (a *Agent) screenOptions() screen.Options {
	o := screen.Options{
		Language: a.language(), Zone: a.zone, Merchant: a.o.Config.Merchant.Name, Watermark: a.mark(),
		OnPaper: a.codeOnPaper, NoPrinter: a.o.Board.Printer == nil,
	}
	o.LettersOnly, o.Small = a.devices.Glass()
	if _, now := a.clock.Now(); !now.IsZero() {
		o.Now = now.In(a.zone)
	}
	n := a.o.notices.Now()
	o.Notice, o.Refusal = n.Notice, n.Reason
	a.mu.Lock()
	o.Link, o.ScannerAway = a.link, a.away
	a.mu.Unlock()
	return o
}

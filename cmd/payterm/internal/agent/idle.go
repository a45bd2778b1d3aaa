package agent

import (
	"context"
	"time"

	"payterm/flows"
	"payterm/screen"
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
		switch linkTo(a.o.Config.Gateway.URL).Result {
		case "ok":
			link = flows.NetworkUp
		case "fail":
			link = flows.NetworkDown
		}
		a.mu.Lock()
		a.link = link
		a.mu.Unlock()
		_, now := a.clock.Now()
		if looks := string(link) + now.Format("15:04"); looks != seen {
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

func (a *Agent) screenOptions() screen.Options {
	o := screen.Options{
		Language: a.language(), Zone: a.zone, Merchant: a.o.Config.Merchant.Name, Watermark: a.mark(), OnPaper: a.codeOnPaper, NoPrinter: a.o.Board.Printer == nil,
	}
	if p := a.o.Board.Profile.Display; p != nil {
		o.LettersOnly, o.Small = p.Rows > 0, p.Rows > 0 || min(p.Width, p.Height) < 200
	}
	if _, now := a.clock.Now(); !now.IsZero() {
		o.Now = now.In(a.zone)
	}
	a.mu.Lock()
	o.Link = a.link
	a.mu.Unlock()
	return o
}

package terminal

import (
	"context"
	"time"

	"payterm"
	"payterm/screen"
	"payterm/terminal/devices"
	"payterm/terminal/slips"
	"payterm/terminal/upkeep"
)

// newUpkeep makes the agent's upkeep.
func (a *Agent) newUpkeep() *upkeep.Upkeep {
	return upkeep.New(upkeep.Options{
		Loop: a.runner, Journal: a.store, Counter: atCounter{a}, Clock: a.loopClock.Now,
		Keep:       time.Duration(a.o.Config.Terminal.KeepDays) * 24 * time.Hour,
		GatewayURL: a.o.Config.Gateway.URL, Notices: a.o.notices, Log: a.o.Log,
		Scanner: func() error { return a.devices.Absent(devices.Scanner) }, AwayAfter: a.o.awayAfter,
	})
}

// atCounter is the upkeep's view of the counter.
type atCounter struct{ a *Agent }

func (c atCounter) Rests(ctx context.Context) (bool, error) {
	s, err := c.a.runner.Snapshot(ctx)
	return s.AtRest, err
}

func (c atCounter) Way(ctx context.Context) (upkeep.Way, error) {
	s, err := c.a.runner.Snapshot(ctx)
	w := upkeep.Way{Rests: s.AtRest, Network: s.Status.Network, Age: s.NetworkAge, Rate: -1}
	if told := s.Status.Rate; err == nil && told.CNYE8 != 0 {
		w.Rate = c.a.Lived() - told.Mono
	}
	return w, err
}

func (c atCounter) Probe(ctx context.Context) {
	c.a.askRate(ctx) //nolint:errcheck // the loop has the result
}

func (c atCounter) Tidy() {
	c.a.selling.Remind()
	c.a.selling.PrintOwed()
	c.a.slips.Forget()
}

// screenOptions are common to all screens of this terminal.
func (a *Agent) screenOptions() screen.Options {
	pad := a.o.Board.Profile.Keypad
	o := screen.Options{
		Language: a.language(), Zone: a.zone, Merchant: a.o.Config.Merchant.Name, Watermark: a.o.Watermark,
		OnPaper: a.codeOnPaper, NoPrinter: a.o.Board.Printer == nil,
		CodePrinted: func(id payterm.OrderID) bool { return a.slips.CodeState(id) == slips.CodePrinted },
		Arrows:      pad.Has(payterm.KeyUp) && pad.Has(payterm.KeyDown),
	}
	o.LettersOnly, o.Small = a.devices.Glass()
	if _, now := a.clock.Now(); !now.IsZero() {
		o.Now = now.In(a.zone)
	}
	n := a.o.notices.Now()
	o.Notice, o.Refusal, o.Found = n.Notice, n.Reason, a.doctor.Standing()
	if a.isOpen() {
		o.Link, o.ScannerAway, o.ClockWrong = a.upkeep.Link(), a.upkeep.ScannerAway(), a.clockWrong.Load()
	}
	return o
}

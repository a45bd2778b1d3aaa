package terminal

import (
	"context"
	"errors"
	"time"

	"payterm/flows/counter"
	"payterm/gateway/ottpay"
	"payterm/screen"
)

// askRate asks what one unit of the merchant's currency costs in CNY, times 10^8, and tells
// the loop whether the gateway answered.
func (a *Agent) askRate(ctx context.Context) (int64, error) {
	r, err := a.gateway.ExchangeRate(ctx, a.o.Config.Merchant.Currency)
	if !errors.Is(ctx.Err(), context.Canceled) { // or somebody has left the question
		a.runner.Reached(!errors.Is(err, ottpay.ErrNoAnswer), r.CNY)
	}
	return r.CNY, err
}

// language is that of the screens.
func (a *Agent) language() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.spoken != "" {
		return a.spoken
	}
	return a.o.Config.Terminal.Language
}

// speak changes it until the next start. Slips keep theirs, which are the merchant's
// affair.
func (a *Agent) speak(language string) {
	a.mu.Lock()
	a.spoken = language
	a.mu.Unlock()
}

// zoneOf is where the shop is; UTC where the machine does not know the place.
func zoneOf(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

// menuLines is how many lines of a menu the glass shows at once, below a title; 0 for
// all of them.
func (a *Agent) menuLines() int {
	p := a.o.Board.Profile
	switch {
	case !a.devices.HasGlass():
		return 0
	case p.LettersOnly():
		return max(1, p.Display.Rows-1)
	}
	return screen.MenuLines(p.Display.Height)
}

// tips are the percentages that a customer is offered.
func tips(percent []int) counter.Tips {
	var t counter.Tips
	copy(t[:], percent)
	return t
}

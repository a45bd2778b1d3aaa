package terminal

import (
	"context"
	"errors"

	"payterm/gateway/ottpay"
	"payterm/screen"
)

// askRate asks the price of one unit of the merchant's currency in CNY, times 10^8, and tells the
// loop whether the gateway answered.
func (a *Agent) askRate(ctx context.Context) (int64, error) {
	r, err := a.gateway.ExchangeRate(ctx, a.o.Config.Merchant.Currency)
	if !errors.Is(ctx.Err(), context.Canceled) { // else the question was left
		a.clockWrong.Store(errors.Is(err, ottpay.ErrClock))
		a.runner.Reached(!errors.Is(err, ottpay.ErrNoAnswer), r.CNY)
	}
	return r.CNY, err
}

// language is the language of the screens.
func (a *Agent) language() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.spoken != "" {
		return a.spoken
	}
	return a.o.Config.Terminal.Language
}

// speak changes the language of screens and slips until the next start.
func (a *Agent) speak(language string) {
	a.mu.Lock()
	a.spoken = language
	a.mu.Unlock()
}

// menuLines is how many lines of a menu fit on the glass below a title; 0 for all.
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

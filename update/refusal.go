package update

import (
	"context"
	"errors"

	"payterm/screen"
)

// On the image nobody can log in, so the progress of an update is shown on the terminal's screen.
func (u Updater) tell(ctx context.Context, n screen.Notice, why screen.Refusal) {
	ctx, stop := context.WithTimeout(ctx, askTime)
	defer stop()
	if err := u.Agent.Tell(ctx, n, why); err != nil {
		u.Say("not on the screen: %s %s: %v", n, why, err)
	}
}

// refusedError is why an update is refused, with the word for the screen.
type refusedError struct {
	why screen.Refusal
	error
}

func refuse(why screen.Refusal, err error) error { return refusedError{why, err} }

// Unwrap is the detailed error.
func (e refusedError) Unwrap() error { return e.error }

// wordFor is the screen's word for an error.
func wordFor(err error) screen.Refusal {
	var refused refusedError
	switch {
	case errors.As(err, &refused):
		return refused.why
	case errors.Is(err, ErrOpen):
		return screen.OrderOpen
	}
	return screen.NotInstalled
}

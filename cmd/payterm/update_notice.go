package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"payterm/screen"
	"payterm/terminal/api"
)

// On the image nobody can log in, so the progress of an update is shown on the terminal's screen.

// tellTime is the agent's time to take a notice.
const tellTime = 5 * time.Second

// tell shows a notice on the terminal's screen. Failures are ignored.
func (s store) tell(ctx context.Context, n screen.Notice, why screen.Refusal) error {
	ctx, stop := context.WithTimeout(ctx, tellTime)
	defer stop()
	return s.agent().Notice(ctx, api.Notice{Notice: n, Reason: why})
}

func (u updater) tell(ctx context.Context, n screen.Notice, why screen.Refusal) {
	if err := u.show(ctx, n, why); err != nil {
		u.say("not on the screen: %s %s: %v", n, why, err)
	}
}

func (u updater) show(ctx context.Context, n screen.Notice, why screen.Refusal) error {
	ctx, stop := context.WithTimeout(ctx, askTime)
	defer stop()
	_, err := u.agent.ask(ctx, question{What: askTell, Notice: n, Reason: why})
	return err
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
	case errors.Is(err, errOpen):
		return screen.OrderOpen
	}
	return screen.NotInstalled
}

// claim asks the agent to block the counter for the restart. An agent that does not run, or is
// too old for that, has no sale that a restart could interrupt.
func (u updater) claim(ctx context.Context) error {
	err := u.show(ctx, screen.UpdateRestarting, "")
	var said *api.Error
	if errors.As(err, &said) && said.Code != api.UnknownCall {
		return fmt.Errorf("%w: %w", errOpen, said)
	}
	return nil
}

// noticeCmd lets the image's scripts show notices.
type noticeCmd struct {
	store
	Notice screen.Notice  `arg:"" help:"The notice, such as stick_done."`
	Reason screen.Refusal `help:"The reason of stick_refused: unreadable, full, write_protected, nothing."`
}

func (c noticeCmd) Run() error {
	if err := c.tell(context.Background(), c.Notice, c.Reason); err != nil {
		return fmt.Errorf("notice: %w", err)
	}
	return nil
}

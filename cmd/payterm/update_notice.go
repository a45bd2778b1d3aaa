package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"payterm/screen"
	"payterm/terminal/api"
)

// On the image nobody can log in: what becomes of an update stands on the terminal's own
// screen.

// tellTime is for the agent to take a notice. One that does not comes back to no harm.
const tellTime = 5 * time.Second

// tell puts a notice on the terminal's screen. Nothing stops because nobody shows it.
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

// refusedError is why an update is not taken, with the word for the screen.
type refusedError struct {
	why screen.Refusal
	error
}

func refuse(why screen.Refusal, err error) error { return refusedError{why, err} }

// Unwrap is what it says in more words.
func (e refusedError) Unwrap() error { return e.error }

// wordFor is the one word of what went wrong.
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

// claim has the agent keep the counter free for the restart. An agent that is not there,
// or does not know how, sells nothing that a restart could come between.
func (u updater) claim(ctx context.Context) error {
	err := u.show(ctx, screen.UpdateRestarting, "")
	var said *api.Error
	if errors.As(err, &said) && said.Code != api.UnknownCall {
		return fmt.Errorf("%w: %w", errOpen, said)
	}
	return nil
}

// noticeCmd is how the image's scripts speak to whoever stands before the terminal.
type noticeCmd struct {
	store
	Notice screen.Notice  `arg:"" help:"Such as stick_done."`
	Reason screen.Refusal `help:"Of stick_refused: unreadable, full, write_protected, nothing."`
}

func (c noticeCmd) Run() error {
	if err := c.tell(context.Background(), c.Notice, c.Reason); err != nil {
		return fmt.Errorf("notice: %w", err)
	}
	return nil
}

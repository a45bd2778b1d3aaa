package main

import (
	"context"
	"fmt"
	"time"

	"payterm/screen"
	"payterm/terminal/api"
)

// tellTime is the agent's time to take a notice.
const tellTime = 5 * time.Second

// tell shows a notice on the terminal's screen. Failures are ignored.
func (s store) tell(ctx context.Context, n screen.Notice, why screen.Refusal) error {
	ctx, stop := context.WithTimeout(ctx, tellTime)
	defer stop()
	return s.agent().Notice(ctx, api.Notice{Notice: n, Reason: why})
}

// noticeCmd lets the image's scripts show notices.
type noticeCmd struct {
	store
	Notice screen.Notice  `arg:"" help:"The notice, such as stick_done."`
	Reason screen.Refusal `help:"The reason of stick_refused: unreadable, full, write_protected, nothing, no_reports."`
}

func (c noticeCmd) Run() error {
	if err := c.tell(context.Background(), c.Notice, c.Reason); err != nil {
		return fmt.Errorf("notice: %w", err)
	}
	return nil
}

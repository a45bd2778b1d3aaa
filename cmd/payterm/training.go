package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"payterm/terminal/api"
)

type trainingCmd struct {
	store
	Want string `arg:"" enum:"on,off" help:"on or off."`
}

// switchWait is how long the end of one agent and the start of the next may take. If a
// supervisor's PIN is needed, the agent answers before.
const switchWait = 20 * time.Second

// Run asks, and then checks the status: the agent ends, perhaps before its answer.
func (c trainingCmd) Run() error {
	on := c.Want == "on"
	asked := c.agent().Train(context.Background(), on)
	var refused *api.Error
	if errors.As(asked, &refused) || api.NotRunning(asked) {
		return asked
	}
	for end := time.Now().Add(switchWait); ; time.Sleep(50 * time.Millisecond) {
		s, err := c.agent().Status(context.Background())
		switch {
		case err == nil && (s.Running != nil && s.Training) == on:
			return c.print(map[string]bool{"training": on}, func() {
				fmt.Println(map[bool]string{true: "the terminal is in training",
					false: "the terminal is the real one"}[on])
			})
		case time.Now().After(end):
			return errors.Join(fmt.Errorf("training is not %s after %s", c.Want, switchWait), asked, err)
		}
	}
}

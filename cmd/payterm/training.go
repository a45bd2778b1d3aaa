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

// switchWait is how long one agent may take to end and the other to come up. Where a
// supervisor has to type the PIN, the agent answers before.
const switchWait = 20 * time.Second

// Run asks, and then looks until it is so: the agent that is asked ends, and its
// answer may end with it.
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

package scanner

import (
	"fmt"
	"time"
)

// Trigger tells a scanner when to read. One goroutine may use it beside the Scanner of the same
// line.
type Trigger struct {
	line        Writer
	start, stop []byte
}

// Writer is the sending side of a serial line: it writes b within d.
type Writer interface {
	Write(b []byte, d time.Duration) (int, error)
}

// NewTrigger makes a trigger of the two commands in the scanner's manual; nil is none.
func NewTrigger(line Writer, start, stop []byte) *Trigger { return &Trigger{line, start, stop} }

// within is the time for a command.
const within = 500 * time.Millisecond

// Start makes the scanner read codes.
func (t *Trigger) Start() error { return t.tell("start", t.start) }

// Stop ends that.
func (t *Trigger) Stop() error { return t.tell("stop", t.stop) }

func (t *Trigger) tell(what string, command []byte) error {
	if len(command) == 0 {
		return nil
	}
	if _, err := t.line.Write(command, within); err != nil {
		return fmt.Errorf("scanner: %s reading: %w", what, err)
	}
	return nil
}

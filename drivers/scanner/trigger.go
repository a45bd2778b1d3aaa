package scanner

import (
	"fmt"
	"time"
)

// Trigger tells a reader when to look for a code. It may be used beside the Scanner
// of the same line, by one goroutine.
type Trigger struct {
	line        Writer
	start, stop []byte
}

// Writer is the other way of a serial line: it writes b within d.
type Writer interface {
	Write(b []byte, d time.Duration) (int, error)
}

// NewTrigger makes a trigger of two commands, as the reader's manual has them; nil is
// none.
func NewTrigger(line Writer, start, stop []byte) *Trigger { return &Trigger{line, start, stop} }

// within is the time for a command.
const within = 500 * time.Millisecond

// Start lets the reader look for a code.
func (t *Trigger) Start() error { return t.tell("start", t.start) }

// Stop lets it look no longer.
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

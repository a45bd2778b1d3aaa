package payterm

import (
	"encoding/json"
	"time"
)

// Stamp says when an event reached the agent. Mono is what guards and deadlines
// count: the time that the terminal has lived through, which goes on from life to life
// of the process (docs/decisions/0014). Wall is for people and is zero while the clock
// is not set. The order of things is the journal's sequence.
type Stamp struct {
	Boot string        `json:"boot"` // the five characters drawn at this start
	Mono time.Duration `json:"mono"` // lived time; in journals of earlier versions, since the start
	Wall time.Time     `json:"wall"`
}

// Entry is one event of one order on its way into the journal, with the lasting
// rows that it leaves behind: all of it is stored in one durable transaction or
// not at all.
type Entry struct {
	OrderID OrderID
	Event   string          // the event's name
	Body    json.RawMessage // the event, without any secret
	Stamp   Stamp
	Order   Order  // the order's row after the event
	Closed  bool   // nothing more is owed for this order: boot need not load it
	Owes    Owed   // what the network still owes for it, or OwedNothing
	CodeKey string // keyed hash of the payment code, when this event used one
}

// Owed names a task that outlives the process (the outbox).
type Owed string

// The tasks.
const (
	OwedNothing Owed = ""
	OwedInquiry Owed = "inquire"
	OwedRefund  Owed = "refund"
)

// Journaled is an event read back.
type Journaled struct {
	Seq     int64           `json:"seq"`
	OrderID OrderID         `json:"order_id"`
	Event   string          `json:"event"`
	Body    json.RawMessage `json:"body"`
	Stamp
}

// QueueItem is a row of the outbox.
type QueueItem struct {
	OrderID  OrderID   `json:"order_id"`
	Task     Owed      `json:"task"`
	Since    time.Time `json:"since"`
	Attempts int       `json:"attempts"`

	// What only the running agent knows.
	State  QueueState `json:"state,omitempty"`
	Line   int        `json:"line,omitempty"`   // its place in the line, from 1
	NextAt time.Time  `json:"next_at,omitzero"` // of what is planned
}

// QueueState says how far a task of the queue is.
type QueueState string

// The states, in the order in which they come to be answered.
const (
	QueueAsking  QueueState = "asking"  // the gateway is being asked
	QueueInLine  QueueState = "in_line" // it is time, and others are before it
	QueuePlanned QueueState = "planned" // for a time
)
